"""Lesson 03's readable ALS steps and the package's fast ones are the same method."""

import ast
from functools import cache

import nbformat
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import Ridge

from recsys_lab import als, fold_in, objective, soft_thresholded_svd
from recsys_lab.exercises import nb03_als
from tools.notebooks import NOTEBOOKS

LAM, ALPHA = 0.8, 0.7
user_step = nb03_als.user_step.reference


@cache
def skip_step_of_the_lesson():
    """The function as a cell of lesson 03 defines it."""
    name = "skip_step"
    for cell in nbformat.read(NOTEBOOKS / "03_als.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.FunctionDef) and node.name == name:
                    space = {"np": np, "user_step": user_step}
                    exec(compile(ast.Module([node], []), name, "exec"), space)
                    return space[name]
    raise AssertionError(f"lesson 03 defines no {name}")


def skip_step(R, V, lam):
    return skip_step_of_the_lesson()(R, V, lam)


def weak_step(R, V, lam):
    return nb03_als.weak_step.reference(R, V, lam, ALPHA)


STEPS = {"zero": user_step, "skip": skip_step, "weak": weak_step}
each_way = pytest.mark.parametrize("unseen", STEPS)


def ratings(m=40, n=25, filled=0.3, seed=0):
    """Ratings of very different numbers a user, with a user and an item that have none."""
    rng = np.random.default_rng(seed)
    R = rng.integers(1, 6, (m, n)) * (rng.random((m, n)) < filled * rng.uniform(0.1, 2, (m, 1)))
    R[3], R[:, 5] = 0, 0
    return R.astype(float)


@each_way
@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_the_lessons_steps_and_the_fast_als_agree_over_several_iterations(unseen, form):
    R, step = ratings(), STEPS[unseen]
    V = start = np.random.default_rng(1).normal(size=(25, 4))
    history = []
    for _ in range(5):
        U = step(R, V, LAM)
        history.append(J(R, U, V, unseen))
        V = step(R.T, U, LAM)
        history.append(J(R, U, V, unseen))
    fast = als(form(R), 4, LAM, unseen=unseen, alpha=ALPHA, start=start, iterations=5, tol=0)
    # Ten solves in a row, each with sums in another order: 1e-15 may grow a thousandfold or more.
    np.testing.assert_allclose(fast.U, U, rtol=0, atol=1e-10)
    np.testing.assert_allclose(fast.V, V, rtol=0, atol=1e-10)
    np.testing.assert_allclose(fast.history, history, rtol=1e-11)
    assert objective(R, fast, LAM, unseen=unseen, alpha=ALPHA) == pytest.approx(history[-1], 1e-11)


def J(R, U, V, unseen):
    """The lesson's J, cell by cell, as its table in section 7 says."""
    c = {"zero": np.ones_like(R), "skip": R > 0, "weak": 1 + ALPHA * R}[unseen]
    p = (R > 0) if unseen == "weak" else R
    return np.sum(c * (p - U @ V.T) ** 2) / 2 + LAM * (np.sum(U**2) + np.sum(V**2))


@each_way
def test_folding_in_is_the_lessons_half_step(unseen):
    R, V = ratings(seed=2), np.random.default_rng(3).normal(size=(25, 4))
    folded = fold_in(R, V, LAM, unseen=unseen, alpha=ALPHA)
    np.testing.assert_allclose(folded, STEPS[unseen](R, V, LAM), rtol=0, atol=1e-12)


@each_way
def test_a_half_step_is_scikit_learns_ridge_regression_with_twice_lam(unseen):
    R, V = ratings(seed=4), np.random.default_rng(5).normal(size=(25, 4))
    U = STEPS[unseen](R, V, LAM)
    for r, u in zip(R, U, strict=True):
        if unseen == "skip" and not r.any():
            assert not u.any()  # scikit-learn refuses a fit to no rows
            continue
        weight = {"zero": None, "skip": (r > 0).astype(float), "weak": 1 + ALPHA * r}[unseen]
        target = (r > 0) if unseen == "weak" else r
        ridge = Ridge(alpha=2 * LAM, fit_intercept=False, solver="cholesky", tol=1e-12)
        # Its Cholesky solver works on the same normal equations, in other code.
        np.testing.assert_allclose(ridge.fit(V, target, weight).coef_, u, rtol=0, atol=1e-11)


def test_the_lessons_soft_threshold_and_the_packages_are_the_same_product():
    rng = np.random.default_rng(6)
    for m, n, k in [(3, 5, 3), (8, 6, 2), (7, 7, 7)]:
        R = rng.normal(size=(m, n))
        U, V = nb03_als.soft_threshold.reference(R, k, 0.4)
        fast = soft_thresholded_svd(R, k, 0.4)
        np.testing.assert_allclose(fast.scores(), U @ V.T, rtol=0, atol=1e-12)


@each_way
def test_the_lessons_steps_end_where_the_gradient_is_zero(unseen):
    R, step = ratings(12, 9, filled=0.6, seed=7), STEPS[unseen]
    V = np.random.default_rng(8).normal(size=(9, 2))
    for _ in range(500):
        U = step(R, V, LAM)
        V = step(R.T, U, LAM)
    factors = np.concatenate([U.ravel(), V.ravel()])
    slopes = []
    for place in range(len(factors)):
        ends = []
        for h in (0.01, -0.01):
            moved = factors.copy()
            moved[place] += h
            ends.append(
                J(R, moved[: U.size].reshape(U.shape), moved[U.size :].reshape(V.shape), unseen)
            )
        slopes.append((ends[0] - ends[1]) / 0.02)
    # J is quadratic in one entry, so the difference is exact but for rounding: 1e-14 x J / h.
    np.testing.assert_allclose(slopes, 0, atol=1e-8)
