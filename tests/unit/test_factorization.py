import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import TruncatedSVD

from recsys_lab import load_movielens, load_shop, truncated_svd
from recsys_lab.factorization import DENSE_CELLS


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
