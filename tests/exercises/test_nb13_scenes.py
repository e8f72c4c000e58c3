"""Lesson 13's functions against libraries and closed forms."""

import numpy as np
import pytest
import scipy.stats
from scipy.sparse.linalg import eigs

from recsys_lab import simulate_feed, simulate_friends
from recsys_lab.exercises import nb13_scenes as lesson


def test_the_lift_of_a_pair_is_that_of_the_table_of_four_counts():
    rng = np.random.default_rng(4)
    B = rng.random((200, 4)) < [0.5, 0.3, 0.2, 0.6]
    found = lesson.lift.reference(B, 0)
    for i, j in [(0, 1), (2, 3), (3, 0)]:
        table = np.histogram2d(B[:, i], B[:, j], bins=2)[0]
        expected = scipy.stats.contingency.expected_freq(table)
        assert found[i, j] == pytest.approx(table[1, 1] / expected[1, 1], rel=1e-12)


def test_a_long_walk_settles_at_the_eigenvector_of_its_chain():
    A, _ = simulate_friends(people=60, circles=3, rng=1)
    A = A[np.ix_(A.any(axis=1), A.any(axis=1))].astype(float)
    alpha, person = 0.85, 4
    chain = alpha * A / A.sum(axis=1, keepdims=True)
    chain[:, person] += 1 - alpha
    value, vector = eigs(chain.T, k=1, which="LM")
    wanted = np.real(vector[:, 0]) / np.real(vector[:, 0]).sum()
    assert np.real(value[0]) == pytest.approx(1, rel=1e-9)
    np.testing.assert_allclose(lesson.pagerank.reference(A, person, alpha, 200), wanted, atol=1e-9)


def test_swaps_find_the_places_without_bias():
    found = [
        lesson.looked.reference(feed.clicks, feed.swapped)
        for feed in (simulate_feed(20_000, 0.5, seed) for seed in range(20))
    ]
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    off = np.mean(found, axis=0) - simulate_feed(1).looked
    assert off[0] == 0 and (np.abs(off[1:]) < 4 * error[1:]).all()
