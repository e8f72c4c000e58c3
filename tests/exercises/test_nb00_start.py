"""Lesson 00's functions: other roads to them are called right."""

import math

import numpy as np
import pytest

from recsys_lab.exercises import nb00_start as lesson
from recsys_lab.exercises.engine import examine


def with_numpy(user, item):
    return float(np.dot(user, item)) if user else 0


def by_position(user, item):
    return sum(user[j] * item[j] for j in range(len(user)))


@pytest.mark.parametrize("right", [with_numpy, by_position], ids=lambda one: one.__name__)
def test_another_way_to_the_dot_product_is_right(right):
    def agreement(user, item):
        return right(user, item)

    assert examine(lesson.agreement, agreement).state == "right"


def from_minus_infinity(scores, seen):
    place, highest = -1, -math.inf
    for j, score in enumerate(scores):
        if not seen[j] and score > highest:
            place, highest = j, score
    return place


def by_max(scores, seen):
    unseen = [j for j in range(len(scores)) if not seen[j]]
    return max(unseen, key=lambda j: scores[j], default=-1)


def by_masking(scores, seen):
    if all(seen):
        return -1
    return int(np.argmax(np.where(seen, -np.inf, scores)))


@pytest.mark.parametrize(
    "right", [from_minus_infinity, by_max, by_masking], ids=lambda one: one.__name__
)
def test_another_way_to_the_best_unseen_item_is_right(right):
    def best(scores, seen):
        return right(scores, seen)

    assert examine(lesson.best, best).state == "right"
