"""Each exercise of the course accepts its reference, and nothing else that was thought of."""

import inspect
import types

import nbformat
import numpy as np
import pytest

from recsys_lab.exercises import all_exercises
from recsys_lab.exercises.engine import examine
from tools.notebooks import all_notebooks

EXERCISES = all_exercises()
WRONGS = [(one, wrong) for one in EXERCISES for wrong in one.wrongs]
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.id)


def answer_from(source, name):
    """The function that a cell defines, without checking it."""
    space = {"np": np, "exercise": lambda id: lambda function: function}
    exec(compile(source, "<cell>", "exec"), space)
    return space[name]


@each_exercise
def test_the_untouched_stub_is_not_started(exercise):
    verdict = examine(exercise, answer_from(exercise.stub, exercise.name))
    assert verdict.state == "not started"


@each_exercise
def test_the_reference_is_right(exercise):
    verdict = examine(exercise, exercise.reference)
    assert verdict.state == "right", verdict.message
    assert len(verdict.passed) == len(exercise.checks)


@each_exercise
def test_the_solution_that_is_shown_is_right_in_a_cell(exercise):
    verdict = examine(exercise, answer_from(exercise.solution, exercise.name))
    assert verdict.state == "right", verdict.message


@pytest.mark.parametrize(
    ("exercise", "wrong"), WRONGS, ids=[f"{one.id}-{w.function.__name__}" for one, w in WRONGS]
)
def test_a_wrong_answer_gets_the_message_for_its_misconception(exercise, wrong):
    function = wrong.function
    assert inspect.signature(function) == inspect.signature(exercise.reference)
    answer = types.FunctionType(function.__code__, function.__globals__, exercise.name)
    verdict = examine(exercise, answer)
    assert verdict.state == "not yet"
    assert wrong.expects in verdict.message


RIGHTS = [(one, right) for one in EXERCISES for right in one.rights]


@pytest.mark.parametrize(
    ("exercise", "right"), RIGHTS, ids=[f"{one.id}-{right.__name__}" for one, right in RIGHTS]
)
def test_another_road_to_the_answer_is_right(exercise, right):
    answer = types.FunctionType(right.__code__, right.__globals__, exercise.name)
    verdict = examine(exercise, answer)
    assert verdict.state == "right", verdict.message


@each_exercise
def test_an_exercise_has_all_that_a_learner_needs(exercise):
    assert len(exercise.hints) >= 2
    assert len(exercise.checks) >= 2
    assert len(exercise.wrongs) >= 3
    assert exercise.reference.__doc__


@each_exercise
def test_an_exercise_is_found_by_its_notebooks_number(exercise):
    # Its id may name another lesson: an exercise that moves keeps its learners' record.
    module = exercise.reference.__module__.rpartition(".")[2]
    assert module.startswith(f"nb{exercise.notebook:02d}_")


def stubs_in(path):
    """The cells of a notebook that begin with ``@exercise``."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and cell.source.lstrip().startswith("@exercise"):
            yield cell.source.strip()


@pytest.mark.parametrize("path", all_notebooks(), ids=lambda path: path.name)
def test_a_notebook_holds_the_stub_of_each_of_its_exercises(path):
    wanted = [one.stub for one in EXERCISES if one.notebook == int(path.name[:2])]
    missing = [stub for stub in wanted if stub not in stubs_in(path)]
    assert not missing, f"put into a cell of {path.name}:\n\n" + "\n\n".join(missing)
    assert sorted(stubs_in(path)) == sorted(wanted)
