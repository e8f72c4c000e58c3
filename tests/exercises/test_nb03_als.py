"""Lesson 03: its half step is the package's ALS, it ends where it says; both at once does not."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import Ridge

from recsys_lab import als, load_shop, objective, soft_thresholded_svd
from recsys_lab.exercises import nb03_als
from recsys_lab.exercises.engine import examine

LAM = 0.8
user_step = nb03_als.user_step.reference
soft_threshold = nb03_als.soft_threshold.reference


def ratings(m=40, n=25, filled=0.3, seed=0):
    """Ratings of very different numbers a user, with a user and an item that have none."""
    rng = np.random.default_rng(seed)
    R = rng.integers(1, 6, (m, n)) * (rng.random((m, n)) < filled * rng.uniform(0.1, 2, (m, 1)))
    R[3], R[:, 5] = 0, 0
    return R.astype(float)


def J(R, U, V, lam=LAM):
    return np.sum((R - U @ V.T) ** 2) / 2 + lam * (np.sum(U**2) + np.sum(V**2))


def in_turn(R, V, lam, rounds):
    """Alternate as the lesson does; the factors and J after each half step."""
    history = []
    for _ in range(rounds):
        U = user_step(R, V, lam)
        history.append(J(R, U, V, lam))
        V = user_step(R.T, U, lam)
        history.append(J(R, U, V, lam))
    return U, V, history


# --- The method ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [np.asarray, sp.csr_array], ids=["dense", "sparse"])
def test_the_lessons_step_and_the_fast_als_agree_over_several_iterations(form):
    R, start = ratings(), np.random.default_rng(1).normal(size=(25, 4))
    U, V, history = in_turn(R, start, LAM, 5)
    fast = als(form(R), 4, LAM, start=start, iterations=5, tol=0)
    # Ten solves in a row, each with sums in another order: 1e-15 may grow a thousandfold or more.
    np.testing.assert_allclose(fast.U, U, rtol=0, atol=1e-10)
    np.testing.assert_allclose(fast.V, V, rtol=0, atol=1e-10)
    np.testing.assert_allclose(fast.history, history, rtol=1e-11)
    assert objective(R, fast, LAM) == pytest.approx(history[-1], 1e-11)


def test_a_half_step_is_scikit_learns_ridge_regression_with_twice_lam():
    R, V = ratings(seed=4), np.random.default_rng(5).normal(size=(25, 4))
    ridge = Ridge(alpha=2 * LAM, fit_intercept=False, solver="cholesky", tol=1e-12)
    for r, u in zip(R, user_step(R, V, LAM), strict=True):
        # Its Cholesky solver works on the same normal equations, in other code.
        np.testing.assert_allclose(ridge.fit(V, r).coef_, u, rtol=0, atol=1e-11)


def test_no_half_step_raises_j():
    for seed in range(20):
        V = np.random.default_rng(seed).normal(size=(25, 4)) * 10.0 ** (seed % 5 - 2)
        history = np.array(in_turn(ratings(seed=seed), V, LAM, 30)[2])
        assert (np.diff(history) <= 1e-12 * history[:-1]).all()


# --- Where it ends ------------------------------------------------------------------------------


def test_the_lessons_soft_threshold_and_the_packages_are_the_same_product():
    rng = np.random.default_rng(6)
    for m, n, k in [(3, 5, 3), (8, 6, 2), (7, 7, 7)]:
        R = rng.normal(size=(m, n))
        U, V = soft_threshold(R, k, 0.4)
        fast = soft_thresholded_svd(R, k, 0.4)
        np.testing.assert_allclose(fast.scores(), U @ V.T, rtol=0, atol=1e-12)


def test_als_ends_in_the_soft_thresholded_svd():
    rng = np.random.default_rng(6)
    for m, n, k in [(6, 4, 2), (4, 9, 3), (8, 8, 8)]:
        R, lam = rng.normal(size=(m, n)), rng.uniform(0.2, 0.6)
        A, B = soft_threshold(R, k, lam)
        # Near a threshold ALS is slow, and what is left of a switched-off factor fades last.
        U, V, _ = in_turn(R, rng.normal(size=(n, k)), lam, 3000)
        np.testing.assert_allclose(U @ V.T, A @ B.T, rtol=0, atol=1e-10)


def test_no_pair_of_factors_costs_less_than_twice_the_singular_values_of_its_product():
    rng = np.random.default_rng(4)
    for _ in range(1000):
        U, V = rng.normal(size=(6, 3)), rng.normal(size=(8, 3)) * rng.uniform(0.3, 3)
        assert np.sum(U**2) + np.sum(V**2) >= 2 * np.linalg.norm(U @ V.T, "nuc")


# --- Both sides at once -------------------------------------------------------------------------


@pytest.mark.parametrize("k", [2, 3])
def test_both_at_once_is_two_runs_that_never_meet(k):
    R = load_shop()[0].matrix.toarray()
    least = J(R, *soft_threshold(R, k, 0.1), 0.1)
    for seed in range(30):
        rng = np.random.default_rng(seed)
        U, V = rng.normal(size=(3, k)), rng.normal(size=(5, k))
        for _ in range(400):
            U, V = user_step(R, V, 0.1), user_step(R.T, U, 0.1)
        assert J(R, U, V, 0.1) > least + 1e-4  # the two of a round are of different runs
        assert J(R, U, user_step(R.T, U, 0.1), 0.1) == pytest.approx(least, abs=1e-6)


def test_with_one_factor_both_at_once_gets_there_from_about_half_of_the_starts():
    R = load_shop()[0].matrix.toarray()
    least, there = J(R, *soft_threshold(R, 1, 0.1), 0.1), []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        U, V = rng.normal(size=(3, 1)), rng.normal(size=(5, 1))
        for _ in range(100):
            U, V = user_step(R, V, 0.1), user_step(R.T, U, 0.1)
        there.append(J(R, U, V, 0.1) < least + 1e-6)
    assert 0.35 < np.mean(there) < 0.65


# --- The exercises ------------------------------------------------------------------------------


def user_by_user(R, V, lam):
    U = np.zeros((R.shape[0], V.shape[1]))
    for i, r in enumerate(R):
        U[i] = np.linalg.inv(V.T @ V + 2 * lam * np.eye(V.shape[1])) @ V.T @ r
    return U


def by_the_items(R, V, lam):
    return R @ np.linalg.solve(V @ V.T + 2 * lam * np.eye(len(V)), V)


def by_more_rows(R, V, lam):
    k = V.shape[1]
    tall = np.vstack([V, np.sqrt(2 * lam) * np.eye(k)])
    return np.linalg.lstsq(tall, np.vstack([R.T, np.zeros((k, len(R)))]), rcond=None)[0].T


@pytest.mark.parametrize("function", [user_by_user, by_the_items, by_more_rows])
def test_other_right_ways_to_a_half_step_are_right(function):
    assert verdict(nb03_als.user_step, function).state == "right"


def cell_by_cell(R, U, V, lam):
    dU, dV = 2.0 * lam * U, 2.0 * lam * V
    for i, j in np.ndindex(R.shape):
        error = U[i] @ V[j] - R[i, j]
        dU[i] += error * V[j]
        dV[j] += error * U[i]
    return [dU, dV]


def test_a_gradient_cell_by_cell_is_right():
    assert verdict(nb03_als.gradient, cell_by_cell).state == "right"


def by_eigenvectors(R, k, lam):
    squares, V1 = np.linalg.eigh(R.T @ R)
    sigma = np.sqrt(np.maximum(squares[::-1][:k], 1e-24))
    V1 = V1[:, ::-1][:, :k]
    root = np.sqrt(np.maximum(sigma - 2 * lam, 0))
    return R @ V1 / sigma * root, V1 * root


def by_als(R, k, lam):
    V = np.random.default_rng(0).normal(size=(R.shape[1], k))
    for _ in range(500):
        U = user_step(R, V, lam)
        V = user_step(R.T, U, lam)
    return U, V


@pytest.mark.parametrize("function", [by_eigenvectors, by_als])
def test_other_right_ways_to_the_end_are_right(function):
    found = verdict(nb03_als.soft_threshold, function)
    assert found.state == "right", found.message


def verdict(exercise, function):
    space = function.__globals__ | {exercise.name: function}
    return examine(exercise, type(function)(function.__code__, space, exercise.name))
