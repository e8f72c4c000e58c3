"""Lesson 12's references agree with libraries."""

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import mannwhitneyu
from sklearn.metrics import roc_auc_score

from recsys_lab.exercises import nb12_ncf as lesson


def test_the_shift_undoes_the_drawing_of_zeros():
    rng = np.random.default_rng(0)
    true, counts, ratio = rng.uniform(0.01, 0.6, (3, 40)), np.array([4, 11, 25]), 3
    rate = (ratio * counts / (40 - counts))[:, None]
    shown = true / (true + rate * (1 - true))  # the share of events among the pairs of a cell
    np.testing.assert_allclose(lesson.probability.reference(logit(shown), counts, ratio), true)


def test_the_slopes_of_bpr_make_the_right_order_more_likely():
    u, vi, vj = np.random.default_rng(1).normal(size=(3, 5))
    before = expit(u @ (vi - vj))
    u2, vi2, vj2 = np.array([u, vi, vj]) - 0.01 * lesson.bpr_slopes.reference(u, vi, vj)
    assert expit(u2 @ (vi2 - vj2)) > before


@pytest.mark.parametrize("seed", range(5))
def test_the_auc_is_that_of_scikit_learn_and_of_scipy(seed):
    rng = np.random.default_rng(seed)
    z, has = rng.integers(5, size=30) / 4, rng.random(30) < 0.3
    has[:2] = True, False
    got = lesson.auc.reference(z, has)
    assert got == pytest.approx(roc_auc_score(has, z))
    pairs = has.sum() * (~has).sum()
    assert got == pytest.approx(mannwhitneyu(z[has], z[~has]).statistic / pairs)
