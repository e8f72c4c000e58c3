"""The session plans of docs/teaching.md run: with just their cells, in a fresh kernel."""

import re
from functools import cache

import nbformat
import pytest

from tests.notebooks.parts import without
from tools.notebooks import NOTEBOOKS, ROOT, all_notebooks, run

GUIDE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
# A plan's heading, and what its table names: '06, sections 1, 3 to 5' or '02, core'.
PLAN = re.compile(r"^\*\*([^*]+)\*\*(?:(?!\n\*\*).)*?\n((?:\|[^\n]*\n)+)", re.M | re.S)
PART = re.compile(r"\b(\d\d), (core|sections? \d+(?:(?:,| to| and|, and) \d+)*)")


def numbers(text):
    """The sections that '1, 3 to 5' names."""
    found = []
    for first, last in re.findall(r"(\d+)(?: to (\d+))?", text):
        found += range(int(first), int(last or first) + 1)
    return set(found)


def plans():
    """(plan, lesson, sections or None for the core) for each row of each plan's table."""
    found = {}
    for name, table in PLAN.findall(GUIDE.partition("\n## Lesson by lesson")[0]):
        for lesson, what in PART.findall(table):
            sections = None if what == "core" else numbers(what)
            before = found.setdefault((name, lesson), set())
            found[name, lesson] = None if None in (before, sections) else before | sections
    return [(name, lesson, sections) for (name, lesson), sections in found.items()]


@cache
def notebook(lesson):
    (path,) = NOTEBOOKS.glob(f"{lesson}_*.ipynb")
    return path


PLANS = plans()
# That a core runs without *Going further*: nbval runs it first.
PARTS = [(plan, lesson, sections) for plan, lesson, sections in PLANS if sections is not None]


@pytest.mark.parametrize(
    ("plan", "lesson", "sections"),
    PARTS,
    ids=[f"{lesson}-{plan[:20]}" for plan, lesson, _ in PARTS],
)
def test_a_plan_runs_with_just_its_cells(plan, lesson, sections, tmp_path):
    path = notebook(lesson)
    nb = nbformat.read(path, as_version=4)
    nb.cells, _ = without(nb, sections)
    (tmp_path / "data").symlink_to(ROOT / "data")
    (tmp_path / "notebooks").mkdir()
    copy = tmp_path / "notebooks" / path.name
    nbformat.write(nb, copy)
    run(copy)  # raises what a cell raises


def test_the_guide_has_plans_for_each_length_and_a_term_that_leaves_no_lesson_out():
    lengths = {re.match(r"(\d+) minutes|A term", plan)[0] for plan, _, _ in PLANS}
    assert lengths == {"45 minutes", "75 minutes", "90 minutes", "A term"}
    term = [lesson for plan, lesson, _ in PLANS if plan.startswith("A term")]
    assert term == [path.name[:2] for path in all_notebooks()]


def test_a_plan_takes_no_longer_than_it_says():
    for name, table in PLAN.findall(GUIDE.partition("\n## Lesson by lesson")[0]):
        length = re.match(r"(\d+) minutes", name)
        if length:
            rows = [int(minutes) for minutes in re.findall(r"^\| (\d+) \|", table, re.M)]
            assert sum(rows) == int(length[1]), name
