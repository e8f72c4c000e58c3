"""The pages of `docs/` and CITATION.cff agree with the lessons and the package."""

import re
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import recsys_lab
from recsys_lab.course.files import lessons as course_lessons
from recsys_lab.exercises import all_exercises
from tests.notebooks.prose import output_texts, plain
from tests.unit.test_imports import FLOORS
from tools import pages
from tools.lesson import Box, Lesson
from tools.notebooks import ROOT, all_notebooks

DOCS = sorted((ROOT / "docs").glob("*.md"))
LESSONS = {path.name: Lesson(path) for path in all_notebooks()}


def links(path):
    """The path and the fragment of every relative link of a page."""
    for target in re.findall(r"\]\(((?:[^()\s]|\([^()\s]*\))+)\)", path.read_text("utf-8")):
        if "://" not in target:
            yield target.partition("#")[::2]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_a_link_of_a_page_leads_to_a_file_and_to_a_place_in_it(path):
    for target, fragment in links(path):
        there = (path.parent / target).resolve() if target else path
        assert there.exists(), target
        if fragment and there.suffix == ".ipynb":
            # JupyterLab finds a cell by its id, and so does a page that nbconvert makes.
            kind, _, cell_id = fragment.partition("=")
            assert kind == "cell-id" and cell_id in {cell.id for cell in LESSONS[there.name].cells}


# --- errata.md ----------------------------------------------------------------------------------


def test_the_errata_are_those_of_the_lessons_and_each_claim_is_there_once():
    read = list(LESSONS.values())
    page, problems = pages.errata(read, pages.unboxed(read))
    assert not problems, "\n".join(problems)
    assert pages.ERRATA.read_text("utf-8") == page, "run `python -m tools.pages`"
    found = re.findall(r"^## (C\d\d)$", page, re.M)
    every = [f"C{number:02}" for number in range(1, int(found[-1][1:]) + 1)]
    assert found == every
    assert len(found) == 35


def test_a_claim_is_linked_to_its_cell_and_named_by_the_heading_above():
    for claim, name, number, cell_id in re.findall(
        r"^## (C\d\d)\n\n.+\n\nSee \[.+\*(.+)\*\]\(\.\./notebooks/(\d\d)\S+#cell-id=(\S+)\)\.",
        pages.ERRATA.read_text("utf-8"),
        re.M,
    ):
        (lesson,) = [each for each in LESSONS.values() if each.number == number]
        place = [cell.id for cell in lesson.cells].index(cell_id)
        above = "\n".join(
            cell.source for cell in lesson.cells[: place + 1] if cell.cell_type == "markdown"
        )
        assert name in re.findall(r"^#+ +(.+?) *$", above, re.M), (claim, name)


def test_a_claim_that_a_lesson_links_is_in_the_errata():
    page = pages.ERRATA.read_text("utf-8")
    for lesson in LESSONS.values():
        for claim in re.findall(r"errata\.md#c(\d\d)\)", lesson.prose):
            assert f"\n## C{claim}\n" in page, (lesson.number, claim)


def lesson(boxes=(), references=(), running=""):
    """A stand-in for lesson 01."""
    return SimpleNamespace(
        path=Path("01_sample.ipynb"),
        number="01",
        target="../notebooks/01_sample.ipynb",
        boxes=[Box(claim, "It says so.", "1 · Here", "c001") for claim in boxes],
        references=list(references),
        running=running,
    )


@pytest.mark.parametrize(
    ("boxes", "told"),
    [
        (["C02"], "claim C01 has no box"),
        (["C01", "C02", "C02"], "claim C02 has 2 texts"),
    ],
)
def test_a_claim_without_its_one_text_is_named(boxes, told):
    (problem,) = pages.errata([lesson(boxes)])[1]
    assert told in problem


def test_the_readmes_tables_are_those_of_the_lessons_and_of_the_leaderboard():
    text = pages.README.read_text("utf-8")
    assert text == pages.readme(), "run `python -m tools.pages`"
    assert re.findall(r"^\| (\d\d) \|", text, re.M) == [each.number for each in LESSONS.values()]


# --- references.md ------------------------------------------------------------------------------


def test_the_references_are_those_of_the_lessons_and_docstrings_and_in_order():
    page, problems = pages.references(list(LESSONS.values()))
    assert not problems, "\n".join(problems)
    assert pages.REFERENCES.read_text("utf-8") == page, "run `python -m tools.pages`"


@pytest.mark.parametrize("name", LESSONS)
def test_every_source_in_a_lessons_list_is_on_the_page_with_a_link_to_the_lesson(name):
    lines = pages.REFERENCES.read_text("utf-8").splitlines()
    bullets = re.findall(r"^[-*] +(.+)$", LESSONS[name].section("References"), re.M)
    assert bullets
    for bullet in bullets:
        # The same identifier, or, without one, the same words.
        same = (
            re.search(r"(?:doi|arXiv):\S*\w|$", bullet)[0]
            or re.sub(r" \((\d{4})\)", r". \1", bullet)[:60]
        )
        (line,) = [line for line in lines if same in line]
        assert f"../notebooks/{name})" in line


def test_every_source_in_a_docstrings_list_is_on_the_page_with_a_link_to_the_module():
    # A title of two words is followed by the venue, which the page sets in italics.
    lines = pages.REFERENCES.read_text("utf-8").replace("*", "").splitlines()
    for path in (ROOT / "recsys_lab").rglob("*.py"):
        text = path.read_text("utf-8")
        for part in re.findall(
            r"^ *References\n *-+\n(.*?)(?:\n\n +\w+\n *-|\"\"\")", text, re.M | re.S
        ):
            for year, title in re.findall(r"\((\d{4})\)\.\s+(\S+\s+\S+\s+\S+)", part):
                begin = " ".join(title.split())
                found = [line for line in lines if begin.casefold() in line.casefold()]
                assert any(year in line and path.name in line for line in found), begin


GOOD = "A. Author and B. Other. 2001. One thing: a study. *Journal* 1, 2–3. doi:10.1/abc"


@pytest.mark.parametrize(
    ("listed", "prose", "told"),
    [
        ([GOOD.replace("2001", "1999")], "", "Author 1999, [lesson 01]"),
        ([GOOD, GOOD.replace("abc", "abd")], "", "Author 2001 has two identifiers"),
        ([GOOD, "Something by somebody"], "", "cites 'Something by somebody': write it as"),
        ([GOOD], "As Nobody and others (2001) found.", "'Nobody and others 2001'"),
        ([GOOD], "It is known (Author and Other 2002).", "'Author and Other 2002'"),
        ([], "", "CHECKED has Author 2001, which nobody cites"),
    ],
)
def test_a_source_that_is_not_in_order_is_named(monkeypatch, listed, prose, told):
    monkeypatch.setattr(pages, "CHECKED", {"Author 2001"})
    monkeypatch.setattr(pages, "docstrings", lambda: [])
    found = pages.references([lesson(references=listed, running=prose)])[1]
    assert any(told in problem for problem in found)


def test_two_ways_to_cite_a_source_make_one_line(monkeypatch):
    monkeypatch.setattr(pages, "CHECKED", {"Author 2001"})
    docstring = (
        "Do it (Author and Other 2001).\n\nReferences\n----------\n"
        "A. Author and B. Other (2001). One thing.\nJournal 1, 2-3. doi:10.1/abc\n\n"
        "Examples\n--------\n>>> 1"
    )
    monkeypatch.setattr(pages, "docstrings", lambda: [(ROOT / "recsys_lab/thing.py", docstring)])
    page, problems = pages.references([lesson(references=[GOOD])])
    assert problems == []
    assert page.splitlines()[-1] == (
        "- A. Author and B. Other. 2001. One thing: a study. *Journal* 1, 2–3. "
        "[doi:10.1/abc](https://doi.org/10.1/abc). Cited in "
        "[lesson 01](../notebooks/01_sample.ipynb), "
        "[`recsys_lab/thing.py`](../recsys_lab/thing.py)"
    )


# --- glossary.md --------------------------------------------------------------------------------


def words():
    """Each word of the glossary and its lesson: of `train, test` both, without a `(remark)`."""
    text = (ROOT / "docs/glossary.md").read_text("utf-8").partition("\n## Words\n")[2]
    for first, lesson in re.findall(r"^\| (.+?) \| .+ \| (\d\d) \|$", text, re.M):
        for word in re.split(r", | or ", first):
            yield re.sub(r" \(.+", "", word), lesson


def test_a_word_of_the_glossary_is_said_in_the_lesson_that_is_named_for_it():
    said = {
        each.number: " ".join(
            re.sub(r"[*_`]", "", cell.source) for cell in each.cells if cell.cell_type == "markdown"
        )
        for each in LESSONS.values()
    }
    found = list(words())
    assert len(found) > 200
    for word, lesson in found:
        text = " ".join(said[lesson].split())
        assert re.search(rf"(?<!\w){re.escape(word)}", text, re.I), (word, lesson)


def test_the_words_of_the_glossary_stand_once_and_in_the_order_of_their_letters():
    text = (ROOT / "docs/glossary.md").read_text("utf-8").partition("\n## Words\n")[2]
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:]
    first = [row.split(" | ")[0].removeprefix("| ").casefold() for row in rows]
    assert first == sorted(set(first))
    # Each row has a lesson: none is left out of the test above.
    assert all(re.search(r"\| \d\d \|$", row) for row in rows)


# --- claims.toml --------------------------------------------------------------------------------


def test_a_decimal_number_of_a_claim_is_printed_by_the_cell_that_is_named_for_it():
    """The cell may print more digits: its 0.1102 is a claim's 0.11, and no 0.10."""
    of = {each.number: each for each in LESSONS.values()}
    tested = 0
    for claim, entry in tomllib.loads(pages.UNBOXED.read_text("utf-8")).items():
        cells = of[entry["lesson"]].cells
        named = [cell for cell in cells if cell.id == entry.get("numbers")]
        printed = plain(" ".join(output_texts(SimpleNamespace(cells=named))))
        decimals = [float(each) for each in re.findall(r"-?\d+\.\d+", printed)]
        # Versions, sections of the article and addresses are no results.
        version = r"\b(?:Python|TensorFlow|sections?) [\d.]+(?:(?: to|,| and) [\d.]+)*"
        results = re.sub(rf"{version}|\b(?:doi:|https:)\S+", "", entry["text"])
        for number in re.findall(r"-?\d+\.\d+", plain(results)):
            digits = len(number.partition(".")[2])
            assert any(f"{each:.{digits}f}" == number for each in decimals), (claim, number)
            tested += 1
    assert tested > 8


# --- for teachers -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LESSONS)
def test_a_teachers_page_has_a_model_answer_for_each_exercise(name):
    page = (ROOT / "docs/teaching" / name).with_suffix(".md").read_text("utf-8")
    exercises = [each for each in all_exercises() if each.notebook == int(name[:2])]
    assert page.count("*Model answer:*") >= len(exercises) > 0


@pytest.mark.parametrize("path", ["README.md", "docs/teaching.md", "pyproject.toml"])
def test_the_lessons_that_are_said_to_need_tensorflow_are_those_that_load_it(path):
    need = [each.number for each in course_lessons() if each.uses_keras]
    sentence = f"essons {', '.join(need[:-1])} and {need[-1]}"
    text = (ROOT / path).read_text("utf-8")
    assert sentence in text
    # No other list begins like this one, unless it is the same.
    assert text.count(f"essons {need[0]}") == text.count(sentence)


# --- contributing.md and CITATION.cff -----------------------------------------------------------


def test_the_map_of_the_package_is_the_one_that_the_imports_are_held_to():
    text = (ROOT / "docs/contributing.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .+? \| (.*)\|$", text.partition("## The map")[2], re.M)
    assert [name for name, _ in rows] == list(FLOORS)
    for name, allowed in rows:
        assert set(re.findall(r"\w+", allowed)) == FLOORS[name], name


def test_the_map_of_the_package_names_each_module():
    text = (ROOT / "docs/contributing.md").read_text("utf-8").partition("## The map")[2]
    for path in (ROOT / "recsys_lab").glob("*/*.py"):
        row = re.search(rf"^\| `{path.parent.name}` \| .+$", text, re.M)[0]
        # Lessons have a module each.
        if not re.match(r"__|nb\d\d_", path.stem):
            assert f"`{path.stem}`" in row, path


def test_contributing_names_only_files_that_exist():
    text = (ROOT / "docs/contributing.md").read_text("utf-8")
    # What is still to be made has another name than anything there.
    named = re.findall(r"(?:docs|tests|tools|recsys_lab|benchmarks)/[\w/]+\.\w+", text)
    assert len(named) > 10
    for name in named:
        assert (ROOT / name).exists(), name


def test_every_folder_of_the_tests_and_every_tool_is_named():
    text = (ROOT / "docs/contributing.md").read_text("utf-8")
    for folder in (ROOT / "tests").iterdir():
        assert folder.name.startswith("_") or folder.is_file() or f"`tests/{folder.name}/`" in text
    row = re.search(r"^\| `tools/` \| (.+) \|$", text, re.M)[1]
    tools = {path.stem for path in (ROOT / "tools").glob("[!_]*.py")}
    assert set(re.findall(r"`(\w+)` \(", row)) == tools


def test_the_citation_file_names_this_version_and_licence():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == recsys_lab.__version__
    released = citation["date-released"]
    heading = f"## {citation['version']}, {released.day} {released:%B %Y}\n"
    assert heading in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert citation["license"] in (ROOT / "LICENSE").read_text("utf-8")
    # What the format requires besides.
    assert citation["message"] and citation["title"] and citation["authors"][0]["name"]
