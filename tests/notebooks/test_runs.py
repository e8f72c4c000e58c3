"""What a notebook's prose and pictures say is what a fresh run gives, with every exercise solved.

What is run is the teacher's edition, once for all tests of this file: the source with the
solutions in place and the talking points as its cell 1, so cells are counted one further than in
the source. The source itself, whose code is that of the student's edition, nbval runs; it compares
the text outputs.
"""

import re
import shutil
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from recsys_lab.exercises import all_exercises
from recsys_lab.exercises.questions import Number, all_quizzes
from tests.notebooks.parts import without
from tests.notebooks.pictures import picture_problems, view_problems
from tests.notebooks.prose import Values, binding_problems, run_and_evaluate, unbound_problems
from tests.spark import runnable
from tools.handout import EXERCISE, talking_points, teacher
from tools.notebooks import ROOT, Run, all_notebooks, run


class Rerun(NamedTuple):
    path: Path
    stored: nbformat.NotebookNode
    fresh: Run
    values: Values
    views: dict[int, str | ValueError]
    questions: dict[str, str | ValueError]
    again: dict[int, str | ValueError]


@pytest.fixture(scope="module")
def teachers(tmp_path_factory):
    """A folder with the teacher's edition of every lesson, beside a copy of the data."""
    folder = tmp_path_factory.mktemp("handout")
    shutil.copytree(ROOT / "data", folder / "data")
    (folder / "teacher").mkdir()
    for path in all_notebooks():
        nb = teacher(nbformat.read(path, as_version=4), talking_points(path.stem))
        nbformat.write(nb, folder / "teacher" / path.name)
    return folder / "teacher"


@pytest.fixture(scope="module", params=runnable(all_notebooks()), ids=lambda path: path.stem)
def rerun(request, teachers):
    path = teachers / request.param.name
    number = int(path.name[:2])
    asked = [each for one in all_quizzes() if one.notebook == number for each in one.questions]
    answers = {each.id: each.answer for each in asked if each.answer}
    return Rerun(path, nbformat.read(path, as_version=4), *run_and_evaluate(path, answers))


def test_every_exercise_of_the_lesson_is_in_it_and_its_solution_is_right(rerun):
    said = [
        output.data["text/plain"].partition("\n")[0]
        for cell in rerun.fresh.nb.cells
        for output in cell.get("outputs", [])
        if "text/plain" in output.get("data", {})
    ]
    wanted = [each.id for each in all_exercises() if each.notebook == int(rerun.path.name[:2])]
    missing = [id for id in wanted if f"Right: {id}" not in said]
    assert wanted and not missing, missing


def test_numbers_bound_to_an_expression_have_its_value(rerun):
    report(rerun.path, binding_problems(rerun.stored, rerun.values))


def test_other_numbers_in_the_prose_are_printed_by_a_cell(rerun):
    report(rerun.path, unbound_problems(rerun.stored, rerun.values, rerun.fresh.nb))


def test_stored_pictures_are_those_of_the_run(rerun):
    report(rerun.path, picture_problems(rerun.stored, rerun.fresh.nb))


def test_a_widget_still_shows_the_same_when_the_notebook_has_run_to_its_end(rerun):
    report(rerun.path, view_problems(rerun.fresh.nb, rerun.views))


def test_a_cell_can_be_run_again_when_the_notebook_has_run_to_its_end(rerun):
    fails = {cell: raised for cell, raised in rerun.again.items() if raised != "None"}
    report(rerun.path, [f"cell {cell}: {raised}" for cell, raised in fails.items()])
    assert len(rerun.again) > 3


def test_the_questions_of_the_quiz_have_the_answers_that_the_run_gives(rerun):
    number = int(rerun.path.name[:2])
    asked = [each for one in all_quizzes() if one.notebook == number for each in one.questions]
    found = {each.id: rerun.questions[each.id] for each in asked if each.answer}
    wrong = {}
    for each in asked:
        if each.answer and isinstance(each, Number):
            if abs(float(found[each.id]) - each.right) > each.tolerance:
                wrong[each.id] = found[each.id]
        elif each.answer:
            right = each.right if isinstance(each.right, str) else str(each.right)
            if found[each.id] != right:
                wrong[each.id] = found[each.id]
    assert not wrong


def with_other_answers(nb, exercises):
    """Put another right answer in place of each exercise; each cell that uses it runs with all.

    A cell runs once for each of the answers, one after the other, so that it meets what the cells
    before it have made. Cells that use none of the names run once.
    """
    cells, names = [], {}
    for cell in nb.cells:
        asked = EXERCISE.search(cell.source) if cell.cell_type == "code" else None
        if asked and asked[1] in exercises:
            one = exercises[asked[1]]
            names[one.name] = one
            cell.source = (
                f"from recsys_lab.exercises import get\n{one.name} = get({one.id!r}).rights[-1]"
            )
        used = [
            one
            for name, one in names.items()
            if cell.cell_type == "code" and not asked and re.search(rf"\b{name}\b", cell.source)
        ]
        for turn in range(max((len(one.rights) for one in used), default=1) - 1):
            bound = "\n".join(
                f"{one.name} = get({one.id!r}).rights[{turn % len(one.rights)}]" for one in used
            )
            cells += [new_code_cell(bound), new_code_cell(cell.source)]
        back = "\n".join(f"{one.name} = get({one.id!r}).rights[-1]" for one in used)
        cells += [new_code_cell(back), cell] if used else [cell]
    nb.cells = cells
    return nb


@pytest.mark.parametrize("path", runnable(all_notebooks()), ids=lambda path: path.stem)
def test_a_core_needs_no_going_further_and_another_right_answer_breaks_no_cell(path, tmp_path):
    """One run for both: the core first, then what goes further."""
    number = int(path.name[:2])
    exercises = {one.id: one for one in all_exercises() if one.notebook == number}
    assert all(len(one.rights) >= 2 for one in exercises.values())
    (tmp_path / "data").symlink_to(ROOT / "data")
    (tmp_path / "notebooks").mkdir()
    nb = nbformat.read(path, as_version=4)
    core, further = without(nb, None)
    nb.cells = core + further
    nb = with_other_answers(nb, exercises)
    nbformat.write(nb, tmp_path / "notebooks" / path.name)
    run(tmp_path / "notebooks" / path.name)  # raises what a cell raises


def report(path, problems):
    problems = list(problems)
    assert not problems, "\n".join([path.name, *problems])
