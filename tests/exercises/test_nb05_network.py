"""Wrong answers of lessons 05 and 06 that are told different things give different results."""

from itertools import combinations

import pytest

from recsys_lab.exercises import all_exercises
from recsys_lab.exercises.engine import Answer, Mistake, _outcome, _same

EXERCISES = [one for one in all_exercises() if one.notebook in (5, 6)]


def first_calls(exercise):
    """The inputs of the first layers, up to and with the case by hand."""
    answer = Answer(exercise.reference, exercise.name)
    for layer, check in exercise.checks:
        check(answer)
        if "by hand" in layer:
            break
    return [inputs for inputs, _ in answer.calls]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.id)
def test_the_first_calls_tell_the_wrong_answers_apart(exercise):
    calls = first_calls(exercise)
    found = [
        (wrong, [_outcome(wrong.function, inputs) for inputs in calls])
        for wrong in exercise.wrongs
        if wrong.says
    ]
    right = [_outcome(exercise.reference, inputs) for inputs in calls]
    same = [
        (one.function.__name__, other.function.__name__)
        for (one, mine), (other, theirs) in combinations(found, 2)
        if one.says != other.says
        and not all(map(_same, mine, right))
        and all(map(_same, mine, theirs))
    ]
    assert not same


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.id)
def test_the_first_case_by_hand_is_right_of_the_reference(exercise):
    try:
        first_calls(exercise)
    except Mistake as wrong:
        raise AssertionError(str(wrong)) from None
