"""The checks' data are not tame: every wrong answer shows on many of the inputs that they draw."""

import warnings
from functools import cache

import numpy as np
import pytest

from recsys_lab.exercises import all_exercises
from recsys_lab.exercises.engine import Answer, _outcome, _same

EXERCISES = all_exercises()
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda one: one.id)
# Of the inputs that the checks draw, on how many a wrong answer must differ from the reference.
SHARE = 0.1


@cache
def drawn(id):
    """(layer, inputs) of every call that the checks of an exercise make."""
    (exercise,) = [one for one in EXERCISES if one.id == id]
    calls = []
    for layer, check in exercise.checks:
        answer = Answer(exercise.reference, exercise.name)
        check(answer)
        calls += [(layer, inputs) for inputs, _ in answer.calls]
    return calls


def outcome(function, inputs):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return _outcome(function, inputs)


@each_exercise
def test_a_wrong_answer_differs_from_the_reference_on_a_tenth_of_what_the_checks_draw(exercise):
    calls = drawn(exercise.id)
    right = [outcome(exercise.reference, inputs) for _, inputs in calls]
    tame = {}
    for wrong in exercise.wrongs:
        differs = [
            not _same(outcome(wrong.function, inputs), wanted)
            for (_, inputs), wanted in zip(calls, right, strict=True)
        ]
        if wrong.says and np.mean(differs) < SHARE:
            tame[wrong.function.__name__] = f"{sum(differs)} of {len(calls)}"
    assert not tame


@each_exercise
def test_two_slips_do_not_look_the_same_in_the_first_case_by_hand(exercise):
    by_hand = [inputs for layer, inputs in drawn(exercise.id) if "by hand" in layer]
    assert by_hand, "name a layer 'a small case by hand'"
    right = outcome(exercise.reference, by_hand[0])
    seen, alike = [], []
    for wrong in exercise.wrongs:
        got = outcome(wrong.function, by_hand[0])
        if wrong.says and not _same(got, right):
            alike += [
                (wrong.function.__name__, other.function.__name__)
                for other, before in seen
                if other.says != wrong.says and _same(before, got)
            ]
            seen.append((wrong, got))
    assert not alike, "choose sizes and numbers that are all different and share no factor"
