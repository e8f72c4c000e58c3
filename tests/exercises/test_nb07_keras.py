"""Lesson 07's references agree with other roads, and other roads to them are called right."""

from types import FunctionType

import numpy as np
import pytest

from recsys_lab.exercises import nb07_keras as lesson
from recsys_lab.exercises.engine import examine


def verdict(exercise, answer):
    return examine(exercise, FunctionType(answer.__code__, answer.__globals__, exercise.name))


@pytest.mark.parametrize(("z", "y", "loss"), [(-1000, 1, 1000), (1000, 1, 0), (1000, 0, 1000)])
def test_no_logit_breaks_the_loss(z, y, loss):
    assert lesson.logit_loss.reference(float(z), float(y)) == loss


@pytest.mark.parametrize(
    ("curve", "patience", "wanted"),
    [
        ([0.1, 0.1005, 0.101, 0.1015], 2, (3, 3)),
        ([0.5, 0.1, 0.2, 0.3, 0.1], 2, (0, 2)),
        ([0.5, 0.4, 0.4, 0.6, 0.5, 0.5, 0.5], 3, (3, 6)),
        ([-0.3, -0.2, -0.1, -0.15, -0.2], 2, (2, 4)),
    ],
)
def test_training_stops_where_it_should(curve, patience, wanted):
    assert lesson.stopped.reference(np.array(curve), patience) == wanted


def by_the_sign_of_z(z, y):
    size = np.abs(z)
    return np.maximum(z, 0) - z * y + np.log1p(np.exp(-size))


def by_the_signed_logit(z, y):
    return np.logaddexp(0, np.where(y == 1, -z, z))


def user_by_user(users, seen, rng):
    return np.array([rng.choice(np.flatnonzero(seen[user] == 0)) for user in users])


def all_again_where_unlucky(users, seen, rng):
    items = rng.integers(seen.shape[1], size=len(users))
    while (unlucky := seen[users, items] > 0).any():
        items = np.where(unlucky, rng.integers(seen.shape[1], size=len(users)), items)
    return items


def by_argmax(curve, patience):
    for epoch in range(len(curve)):
        best = curve[: epoch + 1].argmax()
        if epoch - best >= patience:
            break
    return best, epoch


def by_the_last_axis(m, n, k):
    from recsys_lab.models.keras_models import keras

    user, item = keras.Input(shape=(1,)), keras.Input(shape=(1,))
    u, v = keras.layers.Embedding(m, k)(user), keras.layers.Embedding(n, k)(item)
    product = keras.layers.Dot(axes=-1)([u, v])
    output = keras.layers.Activation("sigmoid")(keras.layers.Reshape((1,))(product))
    return keras.Model([user, item], output)


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        (lesson.logit_loss, by_the_sign_of_z),
        (lesson.logit_loss, by_the_signed_logit),
        (lesson.negatives, user_by_user),
        (lesson.negatives, all_again_where_unlucky),
        (lesson.stopped, by_argmax),
        (lesson.mended, by_the_last_axis),
    ],
    ids=lambda one: getattr(one, "__name__", getattr(one, "id", "")),
)
def test_another_right_answer_is_right_for_keras(exercise, answer):
    found = verdict(exercise, answer)
    assert found.state == "right", found.message
