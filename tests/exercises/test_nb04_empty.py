"""Lesson 04's readable steps and the package's fast ones are the same method."""

import ast
from functools import cache

import nbformat
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import Ridge

from recsys_lab import Factors, als, fold_in, objective
from recsys_lab.exercises import nb04_empty as lesson
from tools.notebooks import all_notebooks

LAM, ALPHA = 0.8, 0.7
NOTEBOOK = next(path for path in all_notebooks() if path.name.startswith("04_"))


@cache
def from_the_lesson(name):
    """The function as a cell of the lesson defines it."""
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code":
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.FunctionDef) and node.name == name:
                    space = {"np": np, "Factors": Factors, "ALPHA": ALPHA, "BIAS_LAM": LAM}
                    if name == "fit":
                        space["half_step"] = from_the_lesson("half_step")
                    exec(compile(ast.Module([node], []), name, "exec"), space)
                    return space[name]
    raise AssertionError(f"lesson 04 defines no {name}")


def zero_step(R, V, lam):
    return from_the_lesson("zero_step")(R, V, lam)


def weak_step(R, V, lam):
    return lesson.weak_step.reference(R, V, lam, ALPHA)


STEPS = {"zero": zero_step, "skip": lesson.skip_step.reference, "weak": weak_step}
each_way = pytest.mark.parametrize("unseen", STEPS)


def ratings(m=40, n=25, filled=0.3, seed=0):
    """Ratings of very different numbers a user, with a user and an item that have none."""
    rng = np.random.default_rng(seed)
    R = rng.integers(1, 6, (m, n)) * (rng.random((m, n)) < filled * rng.uniform(0.1, 2, (m, 1)))
    R[3], R[:, 5] = 0, 0
    return R.astype(float)


def cells(R, unseen):
    """The weight and the target of each cell, as the table in section 1 says."""
    c = {"zero": np.ones_like(R), "skip": (R > 0).astype(float), "weak": 1 + ALPHA * R}[unseen]
    return c, (R > 0).astype(float) if unseen == "weak" else R


def J(R, U, V, unseen):
    c, p = cells(R, unseen)
    return np.sum(c * (p - U @ V.T) ** 2) / 2 + LAM * (np.sum(U**2) + np.sum(V**2))


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


@each_way
def test_folding_in_is_the_lessons_half_step(unseen):
    R, V = ratings(seed=2), np.random.default_rng(3).normal(size=(25, 4))
    folded = fold_in(R, V, LAM, unseen=unseen, alpha=ALPHA)
    np.testing.assert_allclose(folded, STEPS[unseen](R, V, LAM), rtol=0, atol=1e-12)


@each_way
def test_a_half_step_is_scikit_learns_ridge_regression_with_twice_lam(unseen):
    R, V = ratings(seed=4), np.random.default_rng(5).normal(size=(25, 4))
    U = STEPS[unseen](R, V, LAM)
    for weight, target, u in zip(*cells(R, unseen), U, strict=True):
        if not weight.any():
            assert not u.any()  # scikit-learn refuses a fit to no rows
            continue
        ridge = Ridge(alpha=2 * LAM, fit_intercept=False, solver="cholesky", tol=1e-12)
        # Its Cholesky solver works on the same normal equations, in other code.
        np.testing.assert_allclose(ridge.fit(V, target, weight).coef_, u, rtol=0, atol=1e-11)


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


@each_way
def test_a_bias_is_scikit_learns_ridge_regression_on_a_column_of_ones(unseen):
    R, b = ratings(seed=9), np.random.default_rng(10).normal(size=25)
    c, p = cells(R, unseen)
    a = lesson.bias_step.reference(p, c, b, LAM)
    for weight, target, got in zip(c, p - b, a, strict=True):
        if not weight.any():
            assert got == 0
            continue
        ridge = Ridge(alpha=2 * LAM, fit_intercept=False, solver="cholesky")
        fitted = ridge.fit(np.ones((25, 1)), target, weight).coef_
        np.testing.assert_allclose(fitted, [got], rtol=0, atol=1e-12)


@each_way
def test_factors_and_biases_are_solved_for_together_as_scikit_learn_does(unseen):
    R, rng = ratings(seed=11), np.random.default_rng(12)
    V, b = rng.normal(size=(25, 3)), rng.normal(size=25)
    c, p = cells(R, unseen)
    everywhere = 0 if unseen == "skip" else 1
    W, T = (sp.csr_array(np.where(R > 0, table, 0)) for table in (c - everywhere, c * p))
    U, a = from_the_lesson("half_step")(V, b, W, T, everywhere, LAM)  # the price of a bias: LAM too
    X = np.column_stack([V, np.ones(25)])
    for weight, target, u, bias in zip(c, p - b, U, a, strict=True):
        if weight.any():
            ridge = Ridge(alpha=2 * LAM, fit_intercept=False, solver="cholesky", tol=1e-12)
            found = ridge.fit(X, target, weight).coef_
            np.testing.assert_allclose(found, [*u, bias], rtol=0, atol=1e-11)


@each_way
def test_a_fit_with_biases_ends_where_no_factor_and_no_bias_wants_to_move(unseen):
    R = ratings(15, 11, filled=0.6, seed=13)
    model = from_the_lesson("fit")(sp.csr_array(R), unseen, 2, LAM, sweeps=3000)
    c, p = cells(R, unseen)
    pull = c * (model.scores() - p)
    mu = np.average(p, weights=c)
    U, V, a, b = model.U[:, :2], model.V[:, :2], model.U[:, 2] - mu, model.V[:, 3]
    np.testing.assert_allclose(pull @ V + 2 * LAM * U, 0, atol=1e-7)
    np.testing.assert_allclose(pull.T @ U + 2 * LAM * V, 0, atol=1e-7)
    np.testing.assert_allclose(pull.sum(axis=1) + 2 * LAM * a, 0, atol=1e-7)
    np.testing.assert_allclose(pull.sum(axis=0) + 2 * LAM * b, 0, atol=1e-7)


def outcome(function, inputs):
    try:
        with np.errstate(all="ignore"):
            return np.asarray(function(*inputs), dtype=float)
    except Exception as error:
        return type(error)
