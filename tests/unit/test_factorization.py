import io
import os
import sys
import tracemalloc

import nbformat
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from implicit.als import AlternatingLeastSquares
from nbclient import NotebookClient
from scipy.sparse.linalg import svds
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from recsys_lab import (
    Interactions,
    als,
    fold_in,
    load_movielens,
    load_shop,
    objective,
    soft_thresholded_svd,
    truncated_svd,
)
from recsys_lab.models import factorization
from recsys_lab.models.factorization import DENSE_CELLS, Factors


@settings(max_examples=60, deadline=None)
@given(m=st.integers(1, 9), n=st.integers(1, 9), seed=st.integers(0, 10**6), data=st.data())
def test_the_squared_error_is_the_tail_sum_of_eckart_and_young(m, n, seed, data):
    R = np.random.default_rng(seed).standard_normal((m, n))
    k = data.draw(st.integers(1, min(m, n)))
    factors = truncated_svd(R, k)
    assert factors.U.shape == (m, k)
    assert factors.V.shape == (n, k)
    # The tail from the eigenvalues of R R^T: another route to the squared singular values.
    squares = np.sort(np.linalg.eigvalsh(R @ R.T if m <= n else R.T @ R))[::-1]
    error = ((R - factors.scores()) ** 2).sum()
    assert error == pytest.approx(squares[k:].sum(), abs=1e-12 * squares[0])


@settings(max_examples=40, deadline=None)
@given(m=st.integers(2, 9), n=st.integers(2, 9), seed=st.integers(0, 10**6))
def test_no_other_matrix_of_that_rank_is_closer(m, n, seed):
    rng = np.random.default_rng(seed)
    R = rng.standard_normal((m, n))
    factors = truncated_svd(R, 1)
    best = ((R - factors.scores()) ** 2).sum()
    step = 10.0 ** rng.uniform(-3, 0)
    u = factors.U + step * rng.standard_normal(factors.U.shape)
    v = factors.V + step * rng.standard_normal(factors.V.shape)
    assert ((R - u @ v.T) ** 2).sum() >= best


def test_each_side_carries_half_of_every_singular_value():
    R = np.random.default_rng(0).standard_normal((5, 7))
    sigma = np.linalg.svd(R, compute_uv=False)
    factors = truncated_svd(R, 3)
    for side in (factors.U, factors.V):
        np.testing.assert_allclose(side.T @ side, np.diag(sigma[:3]), atol=1e-12)


def test_the_shop_at_rank_one_and_two():
    data, _ = load_shop()
    one, two = (truncated_svd(data.matrix, k).scores() for k in (1, 2))
    A, B, D, E = 0, 1, 3, 4
    assert one[0, [D, E]].round(3).tolist() == [0.642, 0.294]
    assert one[2, [B, A]].round(3).tolist() == [0.642, 0.294]
    assert one[1, [A, E]].round(3).tolist() == [0.348, 0.348]
    assert two[0, [D, E]].round(3).tolist() == [0.142, -0.206]
    for scores in (one, two):  # the symmetry that swaps users 1 and 3, A and E, B and D
        np.testing.assert_allclose(scores, scores[::-1, ::-1], atol=1e-14)


def test_the_shops_singular_values_in_closed_form():
    V = truncated_svd(load_shop()[0], 3).V
    # R R^T is [[3, 2, 1], [2, 3, 2], [1, 2, 3]]: (1, 0, -1) has eigenvalue 2, and the sum and the
    # determinant give the other two.
    squares = [(7 + np.sqrt(33)) / 2, 2, (7 - np.sqrt(33)) / 2]
    np.testing.assert_allclose((V**2).sum(axis=0) ** 2, squares, rtol=1e-13)


def test_all_singular_values_give_the_matrix_back():
    R = np.random.default_rng(1).standard_normal((4, 6))
    np.testing.assert_allclose(truncated_svd(R, 4).scores(), R, atol=1e-13)


@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csr_array, sp.coo_array, sp.csc_matrix, list])
def test_any_form_of_the_matrix_gives_the_same_factors(form):
    R = np.random.default_rng(2).poisson(0.6, (6, 8)).astype(float)
    dense, other = truncated_svd(R, 3), truncated_svd(form(R), 3)
    np.testing.assert_allclose(other.U, dense.U, atol=1e-12)
    np.testing.assert_allclose(other.V, dense.V, atol=1e-12)


def test_movielens_is_factorised_sparsely_as_it_would_be_densely(monkeypatch):
    data, _ = load_movielens()
    R = data.matrix[:120]
    assert R.shape[0] * R.shape[1] > DENSE_CELLS
    dense = truncated_svd(R.toarray(), 5)
    monkeypatch.delattr(np.linalg, "svd")  # a sparse matrix of this size is not made dense
    sparse, again = truncated_svd(R, 5), truncated_svd(R, 5)
    np.testing.assert_allclose(sparse.U, dense.U, atol=1e-9)
    np.testing.assert_allclose(sparse.V, dense.V, atol=1e-9)
    assert (again.U == sparse.U).all()


def test_a_long_thin_sparse_matrix_has_its_full_rank():
    R = sp.csr_array(([3.0, 4.0], ([0, 1], [7, 9])), shape=(2, DENSE_CELLS))
    np.testing.assert_allclose(truncated_svd(R, 2).U, [[0, 3**0.5], [2, 0]], atol=1e-12)


def test_the_factors_are_scikit_learns():
    R = load_movielens()[0].matrix[:, :2000]
    theirs = TruncatedSVD(4, algorithm="arpack", random_state=0).fit(R)
    ours = truncated_svd(R, 4)
    np.testing.assert_allclose((ours.V**2).sum(axis=0), theirs.singular_values_, rtol=1e-10)
    unit = ours.V / np.sqrt((ours.V**2).sum(axis=0))
    np.testing.assert_allclose(np.abs(unit.T @ theirs.components_.T), np.eye(4), atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(m=st.integers(1, 6), n=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_the_strongest_item_of_a_factor_is_positive(m, n, seed):
    V = truncated_svd(np.random.default_rng(seed).standard_normal((m, n)), min(m, n)).V
    assert (V.max(axis=0) == np.abs(V).max(axis=0)).all()


def test_the_strongest_item_of_a_factor_is_positive_even_in_a_tie():
    R = load_shop()[0].matrix.toarray()
    for noise in np.random.default_rng(3).uniform(-1e-13, 1e-13, (20, *R.shape)):
        V = truncated_svd(R + noise, 2).V
        # Second factor: A and E are the strongest, one the other's negative, up to the noise.
        assert V[0, 1] > 0
        assert V[4, 1] == pytest.approx(-V[0, 1])
        assert V[2, 0] > 0


def test_a_rank_that_the_matrix_does_not_have_is_refused():
    R = np.outer([1.0, 2, 3], [1.0, 1, 0, 2]) + np.outer([0, 1, 0], [1.0, 0, 0, 0])
    truncated_svd(R, 2)
    with pytest.raises(ValueError, match="k=3 is larger than the rank of R, 2: choose k <= 2"):
        truncated_svd(R, 3)
    with pytest.raises(ValueError, match=r"k=4 is larger than .*3 x 4.*choose k <= 3"):
        truncated_svd(R, 4)
    with pytest.raises(ValueError, match="nothing but zeros"):
        truncated_svd(np.zeros((2, 2)), 1)
    rng = np.random.default_rng(0)
    low = sp.csr_array(rng.poisson(0.3, (1100, 2)) @ rng.poisson(0.3, (2, 1000)))
    assert low.shape[0] * low.shape[1] > DENSE_CELLS
    with pytest.raises(ValueError, match="rank of R, 2"):
        truncated_svd(low, 4)


@pytest.mark.parametrize("k", [0, -1, 1.5, 2.0, "1", None, True, np.nan])
def test_a_rank_that_is_no_count_is_refused(k):
    with pytest.raises(ValueError, match="k="):
        truncated_svd(np.eye(3), k)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("form", [np.array, sp.csr_array])
def test_a_matrix_with_a_hole_is_refused(form, bad):
    R = np.eye(3)
    R[1, 2] = bad
    with pytest.raises(ValueError, match=r"R holds .* in row 1, column 2"):
        truncated_svd(form(R), 1)


@pytest.mark.parametrize("R", [np.ones(3), np.ones((2, 2, 2)), [["a"]], 5])
def test_what_is_no_matrix_of_numbers_is_refused(R):
    with pytest.raises(ValueError, match="R h"):
        truncated_svd(R, 1)


def test_the_matrix_is_left_as_it_was():
    R = np.random.default_rng(0).standard_normal((3, 4))
    before = R.copy()
    truncated_svd(R, 2).U[:] = 0
    assert (R == before).all()


def by_definition(R, U, V, lam, unseen, alpha):
    """J cell by cell, from the formula."""
    p, c = R, np.ones(R.shape)
    if unseen == "skip":
        c = (R != 0).astype(float)
    elif unseen == "weak":
        p, c = (R > 0).astype(float), 1 + alpha * R
    return (c * (p - U @ V.T) ** 2).sum() / 2 + lam * ((U**2).sum() + (V**2).sum())


def one_user_at_a_time(R, V, lam, unseen, alpha):
    """The half step as a lesson would write it."""
    U = np.zeros((len(R), V.shape[1]))
    for i, r in enumerate(R):
        p, c = r, np.ones(len(r))
        if unseen == "skip":
            c = (r != 0).astype(float)
        elif unseen == "weak":
            p, c = (r > 0).astype(float), 1 + alpha * r
        A = V.T @ (c[:, None] * V) + 2 * lam * np.eye(V.shape[1])
        U[i] = np.linalg.solve(A, V.T @ (c * p))
    return U


def ratings(m, n, rng, share=0.4):
    return np.where(rng.random((m, n)) < share, rng.integers(1, 11, (m, n)) / 2, 0.0)


UNSEEN = ["zero", "skip", "weak"]
every_unseen = pytest.mark.parametrize("unseen", UNSEEN)
a_problem = given(
    m=st.integers(1, 12),
    n=st.integers(1, 12),
    k=st.integers(1, 5),
    unseen=st.sampled_from(UNSEEN),
    seed=st.integers(0, 10**6),
)


@settings(max_examples=40, deadline=None)
@given(
    m=st.integers(1, 30),
    n=st.integers(1, 30),
    k=st.integers(1, 12),
    survivors=st.integers(0, 12),
    seed=st.integers(0, 10**6),
)
def test_als_reaches_the_soft_thresholded_svd(m, n, k, survivors, seed):
    rng = np.random.default_rng(seed)
    # Singular values a factor of 0.7 apart, 2 lam between two of them: otherwise ALS is slow.
    sigma = 5 * 0.7 ** np.arange(min(m, n))
    left, right = (np.linalg.qr(rng.standard_normal((size, len(sigma))))[0] for size in (m, n))
    R = (left * sigma) @ right.T
    lam = 5 * 0.7 ** (survivors - 0.5) / 2
    direct = soft_thresholded_svd(R, k, lam)
    found = als(R, k, lam, iterations=400, tol=0, rng=seed)
    np.testing.assert_allclose(found.scores(), direct.scores(), atol=1e-10)
    # The oracle, from the values that R was made with.
    kept = np.maximum(sigma[:k] - 2 * lam, 0)
    best = ((sigma**2).sum() - (sigma[:k] ** 2).sum() + ((sigma[:k] - kept) ** 2).sum()) / 2
    assert found.history[-1] == pytest.approx(best + 2 * lam * kept.sum(), rel=1e-12)
    assert direct.U.shape == (m, k)
    assert direct.V.shape == (n, k)
    assert (np.abs(direct.V).max(axis=0) > 0).sum() == (kept > 0).sum()


def test_the_shops_optimum():
    R = load_shop()[0]
    # By hand: 2 lam = 0.2 off each singular value, and s - 0.2 / 2 times 0.2 each adds to J.
    sigma = np.sqrt([(7 + np.sqrt(33)) / 2, 2, (7 - np.sqrt(33)) / 2])
    best = (0.2 * (sigma - 0.1)).sum()
    assert best == pytest.approx(0.886168, abs=5e-7)
    assert als(R, 3, 0.1, iterations=200, tol=0).history[-1] == pytest.approx(best, rel=1e-13)
    assert objective(R, soft_thresholded_svd(R, 3, 0.1), 0.1) == pytest.approx(best, rel=1e-13)


def test_movielens_is_soft_thresholded_as_by_another_sparse_svd():
    R, k, lam = load_movielens()[0].matrix, 4, 20.0
    sigma = svds(R, k, solver="propack", return_singular_vectors=False, rng=0)[::-1]
    direct = soft_thresholded_svd(R, k, lam)
    np.testing.assert_allclose((direct.V**2).sum(axis=0), sigma - 2 * lam, rtol=1e-10)
    found = als(R, k, lam, iterations=300, tol=0)
    # The smallest of the four is 3 % above the fifth: ALS closes in on it by 6 % an iteration.
    assert found.history[-1] == pytest.approx(objective(R, direct, lam), rel=1e-9)


def test_without_a_penalty_the_soft_thresholded_svd_is_the_truncated_one():
    R = np.random.default_rng(0).standard_normal((6, 5))
    for k in (2, 5):
        np.testing.assert_array_equal(soft_thresholded_svd(R, k, 0).U, truncated_svd(R, k).U)
    low = np.outer([1.0, 2, 3], [1.0, 1, 2])
    assert (soft_thresholded_svd(low, 3, 0).U[:, 1:] == 0).all()
    assert (soft_thresholded_svd(np.zeros((2, 3)), 4, 1).U == np.zeros((2, 4))).all()


@every_unseen
def test_a_half_step_is_scikit_learns_ridge(unseen):
    rng = np.random.default_rng(1)
    R, V, lam, alpha = ratings(12, 9, rng), rng.standard_normal((9, 3)), 0.3, 0.7
    U = fold_in(R, V, lam, unseen=unseen, alpha=alpha)
    for r, u in zip(R, U, strict=True):
        # Ridge minimises the weighted squares + its alpha |u|^2, without our 1/2: hence 2 lam.
        ridge = Ridge(alpha=2 * lam, fit_intercept=False, solver="svd")
        if unseen == "weak":
            ridge.fit(V, r > 0, sample_weight=1 + alpha * r)
        elif unseen == "skip":
            ridge.fit(V[r != 0], r[r != 0])
        else:
            ridge.fit(V, r)
        np.testing.assert_allclose(u, ridge.coef_, atol=1e-12)


def test_weak_finds_the_optimum_that_implicit_finds():
    rng = np.random.default_rng(2)
    tastes = rng.random((80, 3)) @ rng.random((3, 50))
    R, k, lam, alpha = rng.poisson(tastes * 0.7).astype(float), 4, 0.8, 2.0
    with threadpool_limits(1, "blas"):  # or it warns
        theirs = AlternatingLeastSquares(
            k, regularization=2 * lam, alpha=1, dtype=np.float64, use_cg=False, iterations=400,
            num_threads=1, random_state=5,
        )  # fmt: skip
    # What it is given is the weight itself, in place of 1, and not what is added to 1.
    confidence = sp.csr_matrix(np.where(R > 0, 1 + alpha * R, 0))

    def J(U, V):
        return by_definition(R, U, V, lam, "weak", alpha)

    theirs.fit(confidence, show_progress=False)
    ours = als(R, k, lam, unseen="weak", alpha=alpha, iterations=400, tol=0)
    assert J(ours.U, ours.V) == pytest.approx(J(theirs.user_factors, theirs.item_factors), rel=1e-4)
    # From the other's optimum neither finds anything lower.
    again = als(R, k, lam, unseen="weak", alpha=alpha, start=theirs.item_factors, iterations=400)
    assert again.history[-1] == pytest.approx(ours.history[-1], rel=1e-4)
    theirs.user_factors, theirs.item_factors = ours.U.copy(), ours.V.copy()
    theirs.fit(confidence, show_progress=False)
    assert J(theirs.user_factors, theirs.item_factors) == pytest.approx(ours.history[-1], rel=1e-4)


@settings(max_examples=60, deadline=None)
@a_problem
def test_the_history_is_the_objective_by_definition(m, n, k, unseen, seed):
    rng = np.random.default_rng(seed)
    R, lam, alpha = ratings(m, n, rng), 10 ** rng.uniform(-2, 1), 10 ** rng.uniform(-1, 1)
    options = {"unseen": unseen, "alpha": alpha}
    start = rng.standard_normal((n, k))
    one = als(R, k, lam, start=start, iterations=1, **options)
    assert len(one.history) == 2
    J = [by_definition(R, one.U, V, lam, unseen, alpha) for V in (start, one.V)]
    assert one.history == pytest.approx(J, rel=1e-10, abs=1e-12 * (R**2).sum())
    assert objective(R, one, lam, **options) == pytest.approx(J[1], rel=1e-10, abs=1e-10)


@settings(max_examples=60, deadline=None)
@a_problem
def test_no_half_step_raises_the_objective(m, n, k, unseen, seed):
    rng = np.random.default_rng(seed)
    R, lam = ratings(m, n, rng), 10 ** rng.uniform(-3, 1)
    history = np.array(als(R, k, lam, unseen=unseen, iterations=15, tol=0, rng=seed).history)
    assert len(history) == 30
    # J is a difference of sums of the size of R's squares, which is what it is rounded by.
    assert (np.diff(history) <= 1e-12 * (1 + 11 * (R**2).sum())).all()


@settings(max_examples=40, deadline=None)
@a_problem
def test_when_users_change_places_so_do_their_factors(m, n, k, unseen, seed):
    rng = np.random.default_rng(seed)
    R, start, order = ratings(m, n, rng), rng.standard_normal((n, k)), rng.permutation(m)
    there = als(R, k, 0.5, unseen=unseen, start=start, iterations=3)
    moved = als(R[order], k, 0.5, unseen=unseen, start=start, iterations=3)
    np.testing.assert_allclose(moved.U, there.U[order], atol=1e-10)
    np.testing.assert_allclose(moved.V, there.V, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(unseen=st.sampled_from(["zero", "skip"]), seed=st.integers(0, 10**6), data=st.data())
def test_ratings_and_penalty_scaled_together_scale_the_objective(unseen, seed, data):
    rng = np.random.default_rng(seed)
    R, scale = ratings(7, 8, rng), 10 ** data.draw(st.floats(-8, 8))
    options = {"unseen": unseen, "rng": seed, "iterations": 10, "tol": 0}
    plain, scaled = als(R, 3, 0.5, **options), als(scale * R, 3, scale * 0.5, **options)
    np.testing.assert_allclose(scaled.history, scale**2 * np.array(plain.history), rtol=1e-9)
    np.testing.assert_allclose(scaled.scores(), scale * plain.scores(), atol=1e-9 * scale)


@every_unseen
def test_the_gradient_is_zero_after_a_half_step_and_2_lam_u_more_for_a_larger_penalty(unseen):
    rng = np.random.default_rng(3)
    R, V, lam, options = ratings(5, 6, rng), rng.standard_normal((6, 2)), 0.4, {"unseen": unseen}
    U = fold_in(R, V, lam, **options)

    def slope(lam, at):
        step = np.zeros(U.shape)
        step[at] = 1e-4
        up, down = (objective(R, Factors(U + s * step, V), lam, **options) for s in (1, -1))
        return (up - down) / 2e-4

    for at in np.ndindex(U.shape):  # J is quadratic in U: the central difference is exact
        assert slope(lam, at) == pytest.approx(0, abs=1e-8)
        assert slope(lam + 1, at) == pytest.approx(2 * U[at], abs=1e-8)


@every_unseen
@pytest.mark.parametrize("batch", [factorization.BATCH, 64])
def test_rows_solved_in_batches_are_as_if_solved_one_by_one(unseen, batch, monkeypatch):
    monkeypatch.setattr(factorization, "BATCH", batch)
    rng = np.random.default_rng(4)
    # Rows of 0 to all 150 items: padded ones, full ones, and ones longer than a small batch.
    R = np.array([ratings(1, 150, rng, share)[0] for share in np.linspace(0, 1, 90)])
    V = rng.standard_normal((150, 5))
    U = fold_in(sp.csr_array(R), V, 0.2, unseen=unseen, alpha=3)
    np.testing.assert_allclose(U, one_user_at_a_time(R, V, 0.2, unseen, 3), atol=1e-11)
    found = als(R, 5, 0.2, unseen=unseen, alpha=3, start=V, iterations=1)
    np.testing.assert_allclose(found.U, U, atol=1e-13)
    items = one_user_at_a_time(R.T, U, 0.2, unseen, 3)
    np.testing.assert_allclose(found.V, items, atol=1e-11)


@every_unseen
@pytest.mark.parametrize("form", [sp.csr_matrix, sp.csc_array, sp.coo_array, np.ndarray.tolist])
def test_any_form_of_the_matrix_gives_the_same_als(unseen, form):
    R = ratings(9, 7, np.random.default_rng(5))
    one, other = (als(data, 3, 0.3, unseen=unseen) for data in (R, form(R)))
    np.testing.assert_allclose(other.scores(), one.scores(), atol=1e-12)
    assert objective(form(R), one, 0.3, unseen=unseen) == pytest.approx(
        objective(R, one, 0.3, unseen=unseen), rel=1e-13
    )
    np.testing.assert_allclose(
        fold_in(form(R), one.V, 0.3, unseen=unseen),
        fold_in(R, one.V, 0.3, unseen=unseen),
        atol=1e-13,
    )


@every_unseen
def test_a_zero_is_no_event_unless_interactions_say_so(unseen):
    dense = np.array([[2.0, 0, 1], [0, 3, 4]])
    stored = sp.csr_array(([2.0, 0, 1, 3, 4], [0, 1, 2, 1, 2], [0, 3, 5]), shape=(2, 3))
    data = Interactions(stored, ["a", "b"], [1, 2, 3])
    bare, events, plain = (als(R, 2, 0.1, unseen=unseen) for R in (stored, data, dense))
    np.testing.assert_allclose(bare.scores(), plain.scores(), atol=1e-13)
    # Only "skip" can tell a rating of 0 from none: there it is fitted, and pulls the score down.
    if unseen == "skip":
        assert events.scores()[0, 1] < 0.5 < plain.scores()[0, 1]
    else:
        np.testing.assert_allclose(events.scores(), plain.scores(), atol=1e-13)


@every_unseen
def test_a_float32_matrix_is_factorised_in_float32(unseen):
    R = ratings(60, 40, np.random.default_rng(6))
    for form in (np.array, sp.csr_array):
        single = als(form(R.astype(np.float32)), 4, 2.0, unseen=unseen, iterations=10, tol=0)
        double = als(form(R), 4, 2.0, unseen=unseen, iterations=10, tol=0)
        assert single.U.dtype == single.V.dtype == np.float32
        assert double.U.dtype == double.V.dtype == np.float64
        # 24 bits, and ten iterations in which the errors of the first ones fade.
        np.testing.assert_allclose(single.scores(), double.scores(), atol=1e-4)
        np.testing.assert_allclose(single.history, double.history, rtol=1e-5)
    # A numpy.float64 among the arguments does not make float64 of it half way.
    one, other = (
        fold_in(R.astype(np.float32), single.V, number(2), unseen=unseen, alpha=number(3))
        for number in (float, np.float64)
    )
    np.testing.assert_array_equal(one, other)
    whole = als(R.astype(int), 4, 2.0, unseen=unseen, iterations=1)
    assert whole.U.dtype == np.float64


@every_unseen
def test_a_user_or_an_item_without_events_gets_zeros(unseen):
    R = ratings(8, 6, np.random.default_rng(7))
    R[2], R[:, 4] = 0, 0
    found = als(R, 3, 0.2, unseen=unseen)
    assert (found.U[2] == 0).all()
    assert (found.V[4] == 0).all()
    assert (fold_in(np.zeros((2, 6)), found.V, 0.2, unseen=unseen) == 0).all()
    nothing = als(np.zeros((3, 4)), 2, 0.2, unseen=unseen)
    assert nothing.history[-1] == 0
    assert (nothing.scores() == 0).all()


@every_unseen
def test_more_factors_than_the_rank_do_no_harm(unseen):
    R = np.outer([1.0, 2, 3, 1], [1.0, 2, 1])
    few, many = (als(R, k, 0.1, unseen=unseen, iterations=500, tol=0) for k in (3, 9))
    assert many.U.shape == (4, 9)
    assert many.history[-1] == pytest.approx(few.history[-1], rel=1e-8)


def test_without_a_penalty_als_reaches_the_truncated_svd():
    R = np.diag([5.0, 3, 2, 1]) @ np.linalg.qr(np.random.default_rng(8).random((4, 4)))[0]
    found = als(R, 2, 0, iterations=100, tol=0)
    np.testing.assert_allclose(found.scores(), truncated_svd(R, 2).scores(), atol=1e-12)


@pytest.mark.parametrize(
    ("unseen", "R", "k", "lam"),
    [
        ("zero", np.outer([1.0, 2, 3], [1.0, 1, 2]), 2, 0),
        ("zero", np.ones((2, 5)), 3, 0),
        ("skip", np.array([[1.0, 2, 3], [4, 5, 6], [0, 0, 1]]), 2, 0),
        ("skip", np.array([[1.0, 2, 3], [4, 5, 6], [0, 0, 0]]), 1, 0),
        ("weak", np.ones((2, 5)), 3, 0),
        ("skip", np.array([[1.0, 2, 3], [4, 5, 6], [0, 0, 1]]), 2, 1e-300),
        ("skip", np.array([[1.0, 2, 3], [4, 5, 6], [0, 0, 1]]), 2, 1e-30),
        ("skip", np.array([[1.0, 2, 3], [4, 5, 6], [0, 0, 1]], dtype=np.float32), 2, 1e-12),
    ],
)
def test_an_equation_without_a_unique_solution_is_refused(unseen, R, k, lam):
    with pytest.raises(ValueError, match=rf"lam={lam:g} is too small: .* raise lam"):
        als(R, k, lam, unseen=unseen)


def test_als_stops_when_an_iteration_lowers_the_objective_by_less_than_tol():
    R = ratings(30, 20, np.random.default_rng(9))
    history = als(R, 3, 0.5, iterations=200, tol=0).history
    assert len(history) == 400
    falls = [(history[i - 2] - history[i]) / history[i - 2] for i in range(3, 400, 2)]
    stopped = als(R, 3, 0.5, iterations=200, tol=1e-3).history
    assert stopped == history[: len(stopped)]
    assert falls[len(stopped) // 2 - 2] <= 1e-3
    assert min(falls[: len(stopped) // 2 - 2]) > 1e-3


@every_unseen
def test_the_start_is_drawn_from_rng_and_fixed_by_default(unseen):
    R = ratings(9, 8, np.random.default_rng(10))
    default, again = als(R, 2, 0.3, unseen=unseen), als(R, 2, 0.3, unseen=unseen)
    np.testing.assert_array_equal(again.U, default.U)
    other = als(R, 2, 0.3, unseen=unseen, rng=1)
    assert (other.U != default.U).all()
    generator = als(R, 2, 0.3, unseen=unseen, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(generator.U, other.U)


@every_unseen
def test_als_goes_on_from_where_it_stopped(unseen):
    R = ratings(9, 8, np.random.default_rng(11))
    whole = als(R, 2, 0.3, unseen=unseen, iterations=6, tol=0)
    half = als(R, 2, 0.3, unseen=unseen, iterations=3, tol=0)
    for start in (half, half.V):
        rest = als(R, 2, 0.3, unseen=unseen, iterations=3, tol=0, start=start)
        np.testing.assert_allclose(half.history + rest.history, whole.history, rtol=1e-13)
        np.testing.assert_allclose(rest.U, whole.U, atol=1e-13)


@every_unseen
def test_what_als_is_given_is_left_as_it_was(unseen):
    R, V = ratings(5, 4, np.random.default_rng(12)), np.ones((4, 2))
    matrix = sp.csr_array(R)
    als(matrix, 2, 0.3, unseen=unseen, start=V)
    als(R, 2, 0.3, unseen=unseen, start=V)
    assert (V == 1).all()
    assert (matrix.toarray() == R).all()
    R.flags.writeable = V.flags.writeable = False
    als(R, 2, 0.3, unseen=unseen, start=V)


@every_unseen
def test_als_takes_less_than_four_times_the_memory_of_the_ratings(unseen):
    rng = np.random.default_rng(13)
    R = sp.random_array((20_000, 20_000), density=1e-3, format="csr", rng=rng, dtype=np.float32)
    size = R.data.nbytes + R.indices.nbytes + R.indptr.nbytes
    tracemalloc.start()
    als(R, 4, 1.0, unseen=unseen, iterations=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * size, f"{peak / size:.1f} times"


# --- Conjugate gradients ---


@settings(max_examples=40, deadline=None)
@given(m=st.integers(1, 9), n=st.integers(1, 9), k=st.integers(1, 4), seed=st.integers(0, 10**6))
def test_as_many_steps_as_factors_solve_an_equation(m, n, k, seed):
    rng = np.random.default_rng(seed)
    R, lam, alpha = ratings(m, n, rng), 10 ** rng.uniform(-1, 1), 10 ** rng.uniform(-1, 1)
    V, options = rng.standard_normal((n, k)), {"unseen": "weak", "alpha": alpha}
    found = als(R, k, lam, start=V, iterations=1, cg_steps=k + 1, **options)
    np.testing.assert_allclose(found.U, fold_in(R, V, lam, **options), atol=1e-9)
    exact = one_user_at_a_time(R.T, found.U, lam, "weak", alpha)
    np.testing.assert_allclose(found.V, exact, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(steps=st.integers(1, 3), seed=st.integers(0, 10**6))
def test_the_history_of_conjugate_gradients_is_the_objective_and_never_rises(steps, seed):
    rng = np.random.default_rng(seed)
    R, lam, alpha = ratings(7, 8, rng), 10 ** rng.uniform(-2, 1), 10 ** rng.uniform(-1, 1)
    options = {"unseen": "weak", "alpha": alpha, "cg_steps": steps, "tol": 0}
    start = Factors(rng.standard_normal((7, 3)), rng.standard_normal((8, 3)))
    found = als(R, 3, lam, start=start, iterations=4, **options)
    J = [by_definition(R, F.U, F.V, lam, "weak", alpha) for F in (start, found)]
    assert found.history[-1] == pytest.approx(J[1], rel=1e-10, abs=1e-10)
    assert (np.diff([J[0], *found.history]) <= 1e-10 * J[0]).all()
    # It goes on from where it was: two and two iterations are four.
    half = als(R, 3, lam, start=start, iterations=2, **options)
    again = als(R, 3, lam, start=half, iterations=2, **options)
    np.testing.assert_allclose(again.history, found.history[4:], rtol=1e-9)


@pytest.mark.parametrize("k", [3, 20])
@pytest.mark.parametrize("lam", [1e-3, 1.0])
def test_a_step_of_conjugate_gradients_takes_the_error_down_at_the_rate_of_the_condition(k, lam):
    """By the bound of Chebyshev's polynomials, for the condition that the docstring derives."""
    rng = np.random.default_rng(0)
    R, V = (rng.random((60, 80)) < 0.2).astype(float), rng.standard_normal((80, k))
    best = by_definition(R, fold_in(R, V, lam, unseen="weak"), V, lam, "weak", 1)
    first = by_definition(R, np.zeros((60, k)), V, lam, "weak", 1) - best
    rate = (np.sqrt(2) - 1) / (np.sqrt(2) + 1)
    for steps in (1, 2, 3, 4):
        found = als(R, k, lam, unseen="weak", start=V, iterations=1, cg_steps=steps)
        left = by_definition(R, found.U, V, lam, "weak", 1) - best
        assert left <= (2 * rate**steps) ** 2 * first


def test_three_steps_lose_next_to_nothing_on_movielens():
    R = load_movielens()[0].matrix.astype(np.float32)
    R.data[:] = 1
    options = {"unseen": "weak", "iterations": 10, "tol": 0}
    exact = als(R, 32, 0.1, **options)
    assert als(R, 32, 0.1, cg_steps=3, **options).history[-1] == pytest.approx(
        exact.history[-1], rel=1e-5
    )


@pytest.mark.parametrize("batch", [factorization.CG_BATCH, 64])
@pytest.mark.parametrize("cores", [1, 3])
def test_batches_and_cores_change_nothing_for_conjugate_gradients(batch, cores, monkeypatch):
    rng = np.random.default_rng(4)
    R = np.array([ratings(1, 150, rng, share)[0] for share in np.linspace(0, 1, 90)])
    options = {"unseen": "weak", "iterations": 3, "cg_steps": 2, "tol": 0}
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0}, raising=False)
    one = als(R, 5, 0.2, **options)
    assert (one.U[0] == 0).all()  # a user without events
    monkeypatch.setattr(factorization, "CG_BATCH", batch)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)))
    other = als(R, 5, 0.2, **options)
    np.testing.assert_allclose(other.U, one.U, atol=1e-10)
    np.testing.assert_allclose(other.history, one.history, rtol=1e-12)


def test_conjugate_gradients_keep_float32_and_take_less_than_four_times_the_memory():
    rng = np.random.default_rng(13)
    R = sp.random_array((20_000, 20_000), density=1e-3, format="csr", rng=rng, dtype=np.float32)
    size = R.data.nbytes + R.indices.nbytes + R.indptr.nbytes
    tracemalloc.start()
    found = als(R, 4, 1.0, unseen="weak", iterations=1, cg_steps=3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * size, f"{peak / size:.1f} times"
    assert found.U.dtype == found.V.dtype == np.float32


GOOD = {"R": np.eye(3), "k": 2, "lam": 0.1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 0}, "k=0 is too small"),
        ({"k": 1.5}, "k=1.5 is not a whole number"),
        ({"lam": -0.1}, "lam=-0.1: choose a number of 0 or more"),
        ({"lam": np.nan}, "lam=nan: choose"),
        ({"lam": np.inf}, "lam=inf: choose"),
        ({"lam": "1"}, "lam='1': choose"),
        ({"lam": True}, "lam=True: choose"),
        ({"lam": np.ones(2)}, "lam=.*: choose"),
        ({"tol": -1}, "tol=-1: choose"),
        ({"iterations": 0}, "iterations=0 is too small"),
        ({"alpha": 0}, "alpha=0: choose a number above 0"),
        ({"alpha": -1.0}, "alpha=-1.0: choose"),
        ({"alpha": np.inf}, "alpha=inf: choose"),
        ({"unseen": "none"}, "unseen='none': choose one of zero, skip, weak"),
        ({"unseen": None}, "unseen=None: choose one of"),
        ({"unseen": ["zero"]}, "unseen=.*: choose one of"),
        ({"R": [[1, np.nan]]}, "R holds nan in row 0, column 1"),
        ({"R": sp.csr_array([[1, np.inf]])}, "R holds inf in row 0, column 1"),
        ({"R": [[1.0, -2]], "unseen": "weak"}, 'R holds the negative value -2: unseen="weak"'),
        ({"R": np.zeros((0, 3))}, r"R has shape \(0, 3\): give at least one user"),
        ({"R": np.zeros((3, 0)), "unseen": "skip"}, r"R has shape \(3, 0\)"),
        ({"R": [1.0, 2]}, "R has 1 dimensions"),
        ({"start": np.ones((2, 2))}, r"start has shape \(2, 2\): give it 3 rows"),
        ({"start": np.ones((3, 3))}, "start has 3 columns: give it k=2"),
        ({"start": np.full((3, 2), np.nan)}, "start holds nan"),
        ({"start": Factors(np.eye(3), np.eye(3))}, "start has 3 columns"),
        ({"cg_steps": 0, "unseen": "weak"}, "cg_steps=0 is too small"),
        ({"cg_steps": 3}, 'cg_steps=3 is for unseen="weak", and unseen is "zero"'),
        ({"cg_steps": 3, "unseen": "skip"}, 'and unseen is "skip": leave it out'),
        ({"cg_steps": 3, "unseen": "weak", "lam": 0, "k": 3, "R": np.eye(2)}, "lam=0 is too small"),
    ],
)
def test_als_refuses_in_one_sentence(change, message):
    with pytest.raises(ValueError, match=message):
        als(**(GOOD | change))


@pytest.mark.parametrize("unseen", ["zero", "skip", "weak"])
def test_the_history_is_of_plain_numbers(unseen):
    R = np.array([[1, 1, 0], [0, 1, 1]], dtype=np.float32)
    assert {type(J) for J in als(R, 2, 0.1, unseen=unseen, alpha=np.float64(2)).history} == {float}


def test_float32_that_has_too_few_digits_names_the_remedy():
    R = np.random.default_rng(0).integers(1, 4000, (6, 40)).astype(np.float32)
    with pytest.raises(ValueError, match="or pass R in float64, which has more digits"):
        als(R, 8, 1e-4, unseen="skip")
    with pytest.raises(ValueError, match=r"lower k$"):
        als(R.astype(float), 8, 0.0, unseen="skip")


def test_fold_in_objective_and_the_soft_thresholded_svd_refuse_in_one_sentence():
    found = als(**GOOD)
    with pytest.raises(ValueError, match=r"V has shape \(3, 2\): give it 4 rows"):
        fold_in(np.ones((1, 4)), found.V, 0.1)
    with pytest.raises(ValueError, match="rows has 1 dimensions"):
        fold_in(np.ones(3), found.V, 0.1)
    with pytest.raises(ValueError, match="lam=-1"):
        fold_in(np.ones((1, 3)), found.V, -1)
    with pytest.raises(ValueError, match=r"factors\.U has shape \(3, 2\): give it 4 rows"):
        objective(np.ones((4, 3)), found, 0.1)
    with pytest.raises(ValueError, match=r"U has 1 columns and V 2"):
        objective(np.eye(3), Factors(found.U[:, :1], found.V), 0.1)
    with pytest.raises(ValueError, match="factors is a tuple"):
        objective(np.eye(3), (found.U, found.V), 0.1)
    with pytest.raises(ValueError, match="lam=-1"):
        objective(np.eye(3), found, -1)
    with pytest.raises(ValueError, match="lam=-1"):
        soft_thresholded_svd(np.eye(3), 2, -1)
    with pytest.raises(ValueError, match="k=0"):
        soft_thresholded_svd(np.eye(3), 0, 1)


def test_negative_values_are_fitted_like_others_but_for_weak():
    R = np.array([[1.0, -2, 0], [-1, 2, 0.5]])
    for unseen in ("zero", "skip"):
        found = als(R, 2, 0.01, unseen=unseen, iterations=200)
        assert found.scores()[0, 1] == pytest.approx(-2, abs=0.05)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_long_fit_shows_a_bar_on_a_terminal_and_wipes_it(monkeypatch):
    R = ratings(9, 8, np.random.default_rng(14))
    for patience, stops_early in ((1e9, False), (-1, False), (-1, True)):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setattr(factorization, "PATIENCE", patience)
        als(R, 2, 0.3, iterations=40, tol=0.1 if stops_early else 0)
        shown = terminal.getvalue().split("\r")
        if patience > 0:
            assert shown == [""]
        else:
            assert "als [#...................] 2 of at most 40" in [text.strip() for text in shown]
            assert shown[-2:] == [" " * 60, ""]


def test_a_long_fit_leaves_nothing_in_a_stored_notebook():
    code = (
        "import numpy as np\nfrom recsys_lab import als\n"
        "from recsys_lab.models import factorization\n"
        "factorization.PATIENCE = -1\nprint(als(np.eye(3), 2, 0.1, tol=0).U.shape)"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    shown = []
    client = NotebookClient(notebook, timeout=60)
    client.on_cell_executed = lambda **_: None
    take = client.process_message

    def watch(message, *rest):
        shown.append(message)
        return take(message, *rest)

    client.process_message = watch
    client.execute()
    bars = [m["content"]["data"] for m in shown if m["msg_type"] == "update_display_data"]
    assert bars[0] == {"text/plain": "als [....................] 1 of at most 50"}
    assert bars[-1] == {}
    # Front ends that know no updates keep what came first: that is empty too.
    first = [m["content"]["data"] for m in shown if m["msg_type"] == "display_data"]
    assert first == [{}]
    outputs = [o for o in notebook.cells[0].outputs if o.get("data") != {}]
    assert [o.text for o in outputs] == ["(3, 2)\n"]


def test_a_script_whose_errors_go_to_a_file_sees_no_bar(monkeypatch, capfd):
    monkeypatch.setattr(factorization, "PATIENCE", -1)
    als(np.eye(3), 2, 0.1, tol=0)
    assert capfd.readouterr() == ("", "")
