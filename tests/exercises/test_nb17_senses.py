"""Lesson 17's functions against numpy's solvers, the error's formula, and the package's fold-in."""

import numpy as np
import pytest

from recsys_lab import fold_in
from recsys_lab.exercises import nb17_senses as lesson


def test_the_weights_leave_nothing_that_a_guess_could_explain():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b, y = lesson._two_guesses(rng)
        w = lesson.fuse.reference(a, b, y)
        left = y - w[0] * a - w[1] * b
        assert (left * a).sum() == pytest.approx(0, abs=1e-9)
        assert (left * b).sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_the_error_is_a_twelfth_of_the_units_square(bits):
    V = np.random.default_rng(1).uniform(5, 9, size=(20_000, 2))
    unit = np.abs(V - V.mean(axis=0)).max(axis=0) / (2 ** (bits - 1) - 1)
    off = lesson.quantise.reference(V, bits) - V
    assert (off**2).mean(axis=0) == pytest.approx(unit**2 / 12, rel=0.05)
    assert (np.abs(off) <= unit / 2 + 1e-12).all()


def test_event_by_event_is_the_packages_fold_in():
    rng = np.random.default_rng(2)
    V, lam, alpha = rng.normal(size=(15, 3)), 0.7, 4.0
    row = (rng.random(15) < 0.5).astype(float)
    P, beta = np.linalg.inv(V.T @ V + 2 * lam * np.eye(3)), np.zeros(3)
    for thing in np.flatnonzero(row):
        P = lesson.event.reference(P, V[thing], alpha)
        beta = beta + (1 + alpha) * V[thing]
    at_once = fold_in(row[None], V, lam, unseen="weak", alpha=alpha)[0]
    assert P @ beta == pytest.approx(at_once)
