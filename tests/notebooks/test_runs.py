"""What a notebook's prose and pictures say is what a fresh run gives.

Its text outputs are nbval's to compare. Each notebook is run once for all tests of this file.
"""

from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest

from tests.notebooks.pictures import picture_problems, view_problems
from tests.notebooks.prose import Values, binding_problems, run_and_evaluate, unbound_problems
from tools.notebooks import Run, all_notebooks


class Rerun(NamedTuple):
    path: Path
    stored: nbformat.NotebookNode
    fresh: Run
    values: Values
    views: dict[int, str | ValueError]


@pytest.fixture(scope="module", params=all_notebooks(), ids=lambda path: path.stem)
def rerun(request):
    path = request.param
    return Rerun(path, nbformat.read(path, as_version=4), *run_and_evaluate(path))


def test_numbers_bound_to_an_expression_have_its_value(rerun):
    report(rerun.path, binding_problems(rerun.stored, rerun.values))


def test_other_numbers_in_the_prose_are_printed_by_a_cell(rerun):
    report(rerun.path, unbound_problems(rerun.stored, rerun.values, rerun.fresh.nb))


def test_stored_pictures_are_those_of_the_run(rerun):
    report(rerun.path, picture_problems(rerun.stored, rerun.fresh.nb))


def test_a_widget_still_shows_the_same_when_the_notebook_has_run_to_its_end(rerun):
    report(rerun.path, view_problems(rerun.fresh.nb, rerun.views))


def report(path, problems):
    problems = list(problems)
    assert not problems, "\n".join([path.name, *problems])
