"""What a notebook's prose and pictures say is what a fresh run gives, with every exercise solved.

What is run is the teacher's edition, once for all tests of this file: the source with the
solutions in place and the talking points as its cell 1, so cells are counted one further than in
the source. The source itself, whose code is that of the student's edition, nbval runs; it compares
the text outputs.
"""

import ast
import shutil
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest

from recsys_lab.exercises import all_exercises
from recsys_lab.exercises.questions import Number, all_quizzes
from tests.notebooks.pictures import picture_problems, view_problems
from tests.notebooks.prose import (
    Values,
    binding_problems,
    meets_other_values,
    run_and_evaluate,
    unbound_problems,
)
from tests.spark import runnable
from tools.handout import EXERCISE, talking_points, teacher
from tools.notebooks import ROOT, Run, all_notebooks


class Rerun(NamedTuple):
    path: Path
    stored: nbformat.NotebookNode
    fresh: Run
    values: Values
    views: dict[int, str | ValueError]
    questions: dict[str, str | ValueError]
    raised: dict[str, str | ValueError]


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
    nb = nbformat.read(path, as_version=4)
    cells = {f"cell {cell}, again": nb.cells[cell].source for cell in meets_other_values(nb)}
    cells |= with_other_answers(nb, [one for one in all_exercises() if one.notebook == number])
    return Rerun(path, nb, *run_and_evaluate(path, answers, cells))


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
    report(rerun.path, problems_of(rerun, lambda name: name.endswith("again")))


def test_another_right_answer_breaks_no_cell(rerun):
    report(rerun.path, problems_of(rerun, lambda name: " with " in name))


def problems_of(rerun, wanted):
    return [
        f"{name}: {raised}"
        for name, raised in rerun.raised.items()
        if wanted(name) and raised != "None"
    ]


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
    """Cells that use an answer, with other right answers in place of the reference.

    The first cell that uses one runs with each of its answers; a later one with one of them, in
    turn, for some of those cells fit models.
    """
    cells, used = {}, {one.id: 0 for one in exercises}
    for index, cell in enumerate(nb.cells):
        if cell.cell_type != "code" or EXERCISE.search(cell.source):
            continue
        names = {node.id for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)}
        uses = [one for one in exercises if one.name in names]
        turns = max((1 if used[one.id] else len(one.rights) - 1 for one in uses), default=0)
        for turn in range(turns):
            names, lines = [], ["from recsys_lab.exercises import get"]
            for one in uses:
                at = 1 + (used[one.id] + turn) % (len(one.rights) - 1)
                names.append(f"{one.id}'s right answer {at}")
                lines.append(f"{one.name} = get({one.id!r}).rights[{at}]")
            cells[f"cell {index} with {' and '.join(names)}"] = "\n".join([*lines, cell.source])
        used |= {one.id: used[one.id] + 1 for one in uses}
    return cells


def report(path, problems):
    problems = list(problems)
    assert not problems, "\n".join([path.name, *problems])
