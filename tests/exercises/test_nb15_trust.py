"""Lesson 15's functions against densities, scipy, and scores computed without them."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import Ridge

from recsys_lab import EASE
from recsys_lab.exercises import nb15_trust as lesson


@pytest.mark.parametrize(("most", "epsilon", "times"), [(5, 0.7, 1), (3, 2.0, 4), (1, 0.2, 2)])
def test_the_noise_keeps_its_promise_and_no_smaller_one_does(most, epsilon, times):
    scale = lesson.noise_scale.reference(most, epsilon, times)
    far = np.full(most * times, -50.0)  # where the ratio of the densities is largest

    def odds(scale):
        with_the_person = stats.laplace.logpdf(far, -1, scale).sum()
        return with_the_person - stats.laplace.logpdf(far, 0, scale).sum()

    assert odds(scale) == pytest.approx(epsilon)
    assert odds(0.9 * scale) > epsilon


def test_kl_is_never_negative_and_0_for_the_same_shares():
    rng = np.random.default_rng(0)
    for _ in range(50):
        p, q, mix = lesson._two_mixtures(rng)
        assert lesson.kl.reference(p, q, mix) >= -1e-12
        assert lesson.kl.reference(p, p, mix) == pytest.approx(0, abs=1e-12)
        both = (1 - mix) * q + mix * p
        assert lesson.kl.reference(p, q, mix) == pytest.approx(stats.entropy(p, both))


def test_contributions_add_up_to_the_scores_of_the_packages_model():
    rng = np.random.default_rng(1)
    R = (rng.random((40, 8)) < 0.4).astype(float)
    R[:, 0] = 1
    P = np.linalg.inv(R.T @ R + 3 * np.eye(8))
    scores = EASE(3.0).fit(R).scores(np.arange(40))
    for user in range(5):
        for item in range(8):
            parts = lesson.contributions.reference(P, R[user], item)
            assert parts.sum() == pytest.approx(scores[user, item], abs=1e-9)


def test_contributions_are_those_of_a_ridge_regression_on_the_other_films():
    rng = np.random.default_rng(1)
    R = (rng.random((40, 8)) < 0.4).astype(float)
    P = np.linalg.inv(R.T @ R + 3 * np.eye(8))
    for item in range(8):
        others = np.delete(np.arange(8), item)
        ridge = Ridge(alpha=3, fit_intercept=False).fit(R[:, others], R[:, item])
        parts = lesson.contributions.reference(P, R[0], item)
        np.testing.assert_allclose(parts[others], ridge.coef_ * R[0, others], rtol=0, atol=1e-9)


def test_without_a_film_the_score_falls_by_its_part():
    rng = np.random.default_rng(2)
    R = (rng.random((30, 6)) < 0.5).astype(float)
    model = EASE(2.0).fit(R)
    P = np.linalg.inv(R.T @ R + 2 * np.eye(6))
    row = R[np.flatnonzero(R.sum(axis=1) > 1)[0]].copy()
    film = np.flatnonzero(row)[0]
    item = next(i for i in range(6) if i != film)
    B = model.inverse_
    before, parts = row @ B[:, item], lesson.contributions.reference(P, row, item)
    row[film] = 0
    assert before - row @ B[:, item] == pytest.approx(parts[film], abs=1e-9)
