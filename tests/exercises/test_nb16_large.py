"""Lesson 16's functions against scipy, scikit-learn, and the package's codes."""

import numpy as np
import pytest
from scipy import stats
from sklearn.neighbors import NearestNeighbors

from recsys_lab import SemanticIds
from recsys_lab.exercises import nb16_large as lesson


def test_a_power_law_is_scipys_line_through_the_logarithms():
    rng = np.random.default_rng(0)
    for _ in range(20):
        sizes, losses, floor = lesson._a_law(rng)
        line = stats.linregress(np.log(sizes), np.log(losses - floor))
        a, b = lesson.power_law.reference(sizes, losses, floor)
        assert a == pytest.approx(np.exp(line.intercept))
        assert b == pytest.approx(-line.slope)


def test_an_exact_power_law_is_found():
    sizes = np.array([2.0, 30, 700])
    a, b = lesson.power_law.reference(sizes, 1.5 + 4 * sizes**-0.3, 1.5)
    assert (a, b) == pytest.approx((4, 0.3))


def test_residual_codes_are_nearest_neighbours_level_by_level():
    rng = np.random.default_rng(1)
    for _ in range(20):
        X, mean, books = lesson._some_books(rng)
        codes, left = lesson.residual_codes.reference(X, mean, books), X - mean
        for level, centres in enumerate(books):
            nearest = NearestNeighbors(n_neighbors=1).fit(centres).kneighbors(left)[1][:, 0]
            assert np.array_equal(codes[:, level], nearest)
            left = left - centres[nearest]


def test_residual_codes_are_those_of_the_package():
    X = np.random.default_rng(2).normal(3, 1, size=(60, 5))
    ids = SemanticIds(6, 3, distinct=False).fit(X)
    codes = lesson.residual_codes.reference(X, ids.mean_, ids.books_)
    assert np.array_equal(codes, ids.codes_)
