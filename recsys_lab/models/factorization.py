"""A ratings matrix as the product of two thin ones: users x k tastes times k x items traits.

The truncated SVD is the best such product there is (Eckart and Young 1936). Everything else in
matrix factorisation, as in Koren, Bell and Volinsky (2009), is measured against it.
"""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from ..course.status import progress_line
from ..data.interactions import (
    Interactions,
    as_choice,
    as_count,
    as_csr,
    as_finite,
    as_matrix,
    as_number,
    as_numbers,
    as_rng,
    rows_of,
)

# Up to 8 MB as a dense matrix, the full SVD is exact and takes well under a second.
DENSE_CELLS = 1_000_000
UNSEEN = ("zero", "skip", "weak")
# Ratings in a batch of rows: many enough to make light of Python, with 32 factors each 2 to 4 MB.
BATCH = 16384
# A row may be padded by 1/16 of its length: fewer batches, for little wasted work.
PADDING = 16
# Ratings in a batch for conjugate gradients, which pass over it several times: with 32 factors it
# takes 1 MB in float32, and so stays in a core's cache.
CG_BATCH = 8192
# Seconds after which a fit shows how far it is: about as long as one waits without wondering.
PATIENCE = 2


@dataclass(frozen=True, eq=False)
class Factors:
    """Factors of users and items; a score is the dot product of a row of each.

    Attributes
    ----------
    U : m x k, a row for each user
    V : n x k, a row for each item
    history : tuple of float
        The objective after each half step of ``als``; empty for a direct one.
    """

    U: np.ndarray
    V: np.ndarray
    history: tuple[float, ...] = ()

    def __post_init__(self):
        for name in ("U", "V"):
            factors = getattr(self, name)
            if sp.issparse(factors) or isinstance(factors, Interactions):
                raise ValueError(f"{name} is sparse: give it as a dense array")
            factors = as_numbers(factors, name)
            if factors.ndim != 2:
                raise ValueError(
                    f"{name} has {factors.ndim} dimensions: give a matrix, k factors in a row"
                )
            object.__setattr__(self, name, as_finite(factors, name))
        if self.U.shape[1] != self.V.shape[1]:
            raise ValueError(
                f"U has {self.U.shape[1]} columns and V {self.V.shape[1]}: give both k columns"
            )

    def scores(self) -> np.ndarray:
        """Score every item for every user: U V^T, m x n."""
        return self.U @ self.V.T


def truncated_svd(R, k: int) -> Factors:
    """Keep the k largest singular values of R, and half of each on either side.

    With R = U' S V'^T the factors are U = U'_k S_k^(1/2) and V = V'_k S_k^(1/2), so that U V^T is
    the matrix of rank k closest to R. The squared distance is what was cut off: the sum of the
    squared singular values from k + 1 on (Eckart and Young 1936).

    Parameters
    ----------
    R : m x n, dense, scipy.sparse or Interactions
        A cell that is not stored counts as 0.
    k : int
        The rank, from 1 to the rank of R.

    Returns
    -------
    Factors
        U (m x k) and V (n x k), by falling singular value. The signs are fixed: in each column of V
        the entry of largest size is positive (the first one, if several are).

    Raises
    ------
    ValueError
        If k is not a whole number from 1 to the rank of R, or R holds a NaN or infinite value.

    Notes
    -----
    A large sparse R is never made dense: ARPACK finds the k largest singular values, from a fixed
    start, so two calls agree.

    References
    ----------
    C. Eckart and G. Young (1936). The approximation of one matrix by another of lower rank.
    Psychometrika 1, 211-218. doi:10.1007/BF02288367

    Examples
    --------
    >>> R = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1]])
    >>> truncated_svd(R, 1).scores().round(3)
    array([[0.294, 0.642, 0.935, 0.642, 0.294],
           [0.348, 0.761, 1.109, 0.761, 0.348],
           [0.294, 0.642, 0.935, 0.642, 0.294]])
    """
    R = as_matrix(R, "R")
    k = as_count(
        k,
        "k",
        most=min(R.shape),
        why=f"the rank of a {R.shape[0]} x {R.shape[1]} matrix can be",
    )
    left, sigma, right = _leading_svd(R, k)
    rank = int((~_is_rounding(sigma, R.shape)).sum())
    if k > rank:
        raise ValueError(
            f"k={k} is larger than the rank of R, {rank}: "
            + (f"choose k <= {rank}" if rank else "R holds nothing but zeros, so give it an event")
        )
    return Factors(*_share_out(left, sigma, right))


def soft_thresholded_svd(R, k: int, lam: float) -> Factors:
    """Solve ALS's problem for a full matrix in one step: the best possible J, by the SVD.

    With R = U' S V'^T the minimum of 1/2 |R - U V^T|^2 + lam (|U|^2 + |V|^2) over all U (m x k) and
    V (n x k) is U = U'_k D^(1/2), V = V'_k D^(1/2), where D is S with each singular value lowered
    by 2 lam, but not below 0. A pattern that is weaker than 2 lam is not worth its penalty.

    Parameters
    ----------
    R : m x n, dense, scipy.sparse or Interactions
        A cell that is not stored counts as 0.
    k : int
        The number of factors. Where fewer singular values than k exceed 2 lam, the last columns of
        U and V are zero, as they are for ALS: more factors would not lower J. So the shapes never
        depend on lam.
    lam : float
        The penalty, 0 or more; at 0 this is ``truncated_svd``.

    Returns
    -------
    Factors
        U (m x k) and V (n x k), by falling singular value; signs as in ``truncated_svd``.

    Raises
    ------
    ValueError
        If k is not a whole number of 1 or more, lam is no number of 0 or more, or R holds a NaN or
        infinite value.

    References
    ----------
    T. Hastie, R. Mazumder, J. D. Lee and R. Zadeh (2015). Matrix completion and low-rank SVD via
    fast alternating least squares. Journal of Machine Learning Research 16, 3367-3402 (their lambda
    is 2 lam here).
    R. Mazumder, T. Hastie and R. Tibshirani (2010). Spectral regularization algorithms for learning
    large incomplete matrices. Journal of Machine Learning Research 11, 2287-2322.

    Examples
    --------
    >>> R = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1]])
    >>> factors = soft_thresholded_svd(R, 2, lam=0.1)
    >>> (factors.V**2).sum(axis=0).round(3)  # 2.524 and 1.414, less 0.2
    array([2.324, 1.214])
    """
    R = as_matrix(R, "R")
    k, lam = _as_rank(k, R), _as_penalty(lam)
    left, sigma, right = _leading_svd(R, min(k, *R.shape))
    sigma = np.where(_is_rounding(sigma, R.shape), 0, np.maximum(sigma - 2 * lam, 0))
    U, V = _share_out(left, sigma, right)
    more = ((0, 0), (0, k - len(sigma)))
    return Factors(np.pad(U, more), np.pad(V, more))


def als(
    R,
    k: int,
    lam: float,
    *,
    unseen: str = "zero",
    alpha: float = 1.0,
    iterations: int = 50,
    tol: float = 1e-5,
    start=None,
    rng: np.random.Generator | int | None = None,
    cg_steps: int | None = None,
) -> Factors:
    """Factorise R by alternating least squares: best U for this V, then best V for that U, again.

    What is minimised is J = 1/2 sum_ij c_ij (p_ij - u_i . v_j)^2 + lam (|U|^2 + |V|^2). With V held
    fixed that is one ridge regression for each user, (V^T C_i V + 2 lam I) u_i = V^T C_i p_i, and
    with U held fixed one for each item; the 2 is there because the 1/2 stands before the fit alone.
    No half step can raise J.

    Parameters
    ----------
    R : m x n, dense, scipy.sparse or Interactions
        Computed in float32 if R is a float32 matrix, which halves time and memory, else in float64.
    k : int
        The number of factors. More than the rank of R do no harm, as long as lam > 0.
    lam : float
        The penalty on the factors, in the unit of R, 0 or more.
    unseen : {"zero", "skip", "weak"}
        What a cell without an event means. "zero": a rating of 0, as good as any other (c = 1,
        p = R). "skip": nothing (c = 1 where there is an event, else 0). "weak": a weak sign of no
        interest (p = 1 where R > 0, else 0; c = 1 + alpha R).
        In a matrix, dense or sparse, 0 means no event; ``Interactions`` can also hold an event
        of value 0, and "skip" then fits it.
    alpha : float
        For "weak" alone: how much weight a unit of R adds to the 1 of every cell. At the default a
        single event weighs twice what an unseen cell does; with counts, larger values are usual
        (Hu, Koren and Volinsky chose 40), so it is worth tuning.
    iterations : int
        At most so many iterations, of two half steps each.
    tol : float
        Stop as soon as an iteration lowers J by no more than this share of it. J is flat where it
        is least: the factors still move in their third digit when J has settled in its sixth. With
        tol=0 all iterations are made.
    start : Factors or n x k array, optional
        The V to begin from. The first half step solves for U, so no U is needed; conjugate
        gradients set out from the U of ``Factors``, if it has a row for each user, else from 0.
    rng : numpy.random.Generator or int, optional
        Draws V to begin from if there is no ``start``. By default a fixed seed, so that the same
        call gives the same factors; pass seeds to see how much depends on the start.
    cg_steps : int, optional
        For "weak" alone: go so many steps of conjugate gradients towards the solution of each
        equation, from where the last iteration left it, instead of solving it. 3 is a good number
        where alpha R is no more than about 5: J after ten iterations is then within 1e-4 of the
        exact one, in a fraction of the time (`python3 -m recsys_lab bench --only als`); larger
        values need more. By default each equation is solved exactly.

    Returns
    -------
    Factors
        U (m x k), V (n x k), and as ``history`` J after each half step. A user or an item without
        events has factors of 0.

    Raises
    ------
    ValueError
        If an argument is out of its range or of a wrong shape, R holds a NaN or infinite value (or
        a negative one, if unseen="weak"), or lam is 0, or too small to tell, where an equation has
        no unique solution. Of its many solutions none is the model's, so none is chosen
        silently.

    Notes
    -----
    A dense users x items matrix is never made. What all cells have in common is summed once,
    as V^T V, and only the cells with events are added to it: V^T C_i V = V^T V + V^T (C_i - I) V.
    Rows with about as many events are padded to the same length and solved together.

    A step of conjugate gradients costs a multiple of k for each event; the exact equation costs k^2
    for each event to set up, and k^3 for each row to solve. The step is taken in coordinates in
    which what all rows share, S = V^T V + 2 lam I, is the identity. There the matrix of a row is
    I + X^T X, and X^T X, the sum of alpha r v v^T over the row's events, is at most alpha max(R)
    times the sum of v v^T over all items, which is at most I. So its condition is at most
    1 + alpha max(R), whatever k and lam are. At 2, for single events and the default alpha, each
    step takes the error to less than .18 of itself. Batches of rows are shared out among the cores.

    V begins as normal noise, at a tenth of the size at which its products with factors of the same
    size would match the ratings. The noise of a start so small is overgrown by the patterns in R.

    References
    ----------
    Y. Hu, Y. Koren and C. Volinsky (2008). Collaborative filtering for implicit feedback datasets.
    ICDM, 263-272, equations 3 to 5. doi:10.1109/ICDM.2008.22
    Y. Zhou, D. Wilkinson, R. Schreiber and R. Pan (2008). Large-scale parallel collaborative
    filtering for the Netflix Prize. AAIM, 337-348 (for "skip"). doi:10.1007/978-3-540-68880-8_32
    G. Takács, I. Pilászy and D. Tikk (2011). Applications of the conjugate gradient method for
    implicit feedback collaborative filtering. RecSys, 297-300. doi:10.1145/2043932.2043987

    Examples
    --------
    >>> R = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1]])
    >>> factors = als(R, 3, lam=0.1, tol=0)
    >>> round(factors.history[-1], 6)
    0.886168
    >>> np.allclose(factors.scores(), soft_thresholded_svd(R, 3, lam=0.1).scores())
    True
    """
    R = _as_ratings(R, "R", unseen, alpha)
    k, lam, iterations = _as_rank(k, R), _as_penalty(lam), as_count(iterations, "iterations")
    tol = _as_penalty(tol, "tol")
    V = _start(R, k, start, rng, unseen)
    if cg_steps is not None:
        as_count(cg_steps, "cg_steps")
        if unseen != "weak":
            raise ValueError(
                f'cg_steps={cg_steps} is for unseen="weak", and unseen is "{unseen}": leave it out'
            )
    prepare = _half_step if cg_steps is None else _cg_half_step
    options = (unseen,) if cg_steps is None else (cg_steps,)
    solve_items = prepare(R.T if unseen == "zero" else R.T.tocsr(), k, alpha, *options)
    solve_users = prepare(R, k, alpha, *options)
    U = np.zeros_like(V, shape=(R.shape[0], k))  # what conjugate gradients set out from
    if isinstance(start, Factors) and start.U.shape == U.shape:
        U = start.U.astype(U.dtype)
    # J of factors that are all zero, twice: the sum of c p^2. R.sum might copy R as float64.
    weak = unseen == "weak"
    total = float(R.nnz + alpha * R.data.sum(dtype=np.float64)) if weak else _squares(R)
    history = []
    for _ in _with_progress(iterations):
        # The J of the users' equations A u = b is 1/2 (p^T C p - 2 u . b + u . A u); at the minimum
        # over U, where A u is b, what is taken off is u . b.
        U, explained = solve_users(V, lam, U)
        history.append((total - explained) / 2 + lam * _squares(V))
        V, explained = solve_items(U, lam, V)
        history.append((total - explained) / 2 + lam * _squares(U))
        if tol and len(history) > 2 and history[-3] - history[-1] <= tol * history[-3]:
            break
    return Factors(U, V, tuple(history))


def fold_in(rows, V: np.ndarray, lam: float, *, unseen: str = "zero", alpha: float = 1.0):
    """Find the factors of new users, the item factors staying as they are: ALS's half step.

    Parameters
    ----------
    rows : p x n, dense, scipy.sparse or Interactions
        What the new users did with the n items; for one user a matrix with one row.
    V : n x k
        Item factors, from ``als`` with the same ``lam``, ``unseen`` and ``alpha``.
    lam, unseen, alpha
        As in ``als``.

    Returns
    -------
    ndarray, p x k
        A user without events gets zeros.

    Raises
    ------
    ValueError
        As ``als``, and if V does not have a row for each column of ``rows``.

    Examples
    --------
    >>> R = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1]])
    >>> factors = als(R, 2, lam=0.1, tol=0)
    >>> new = fold_in([[1, 1, 0, 0, 0]], factors.V, lam=0.1)
    >>> (new @ factors.V.T).round(2)
    array([[ 0.56,  0.72,  0.43, -0.13, -0.29]])
    """
    rows = _as_ratings(rows, "rows", unseen, alpha)
    V = _as_factors(V, "V", rows.shape[1], rows.dtype)
    return _half_step(rows, V.shape[1], alpha, unseen)(V, _as_penalty(lam))[0]


def objective(
    R, factors: Factors, lam: float, *, unseen: str = "zero", alpha: float = 1.0
) -> float:
    """Compute J, what ``als`` minimises, for any factors.

    Parameters
    ----------
    R, lam, unseen, alpha
        As in ``als``.
    factors : Factors
        U (m x k) and V (n x k).

    Returns
    -------
    float
        J = 1/2 sum_ij c_ij (p_ij - u_i . v_j)^2 + lam (|U|^2 + |V|^2), summed in float64.

    Raises
    ------
    ValueError
        As ``als``, and if the factors' shapes do not fit R.

    Notes
    -----
    The sum over all cells of (u_i . v_j)^2 is the trace of (U^T U)(V^T V), two k x k matrices, so
    only the cells with events are visited one by one.

    Examples
    --------
    >>> R = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1]])
    >>> round(objective(R, truncated_svd(R, 3), lam=0.1), 6)  # it fits: all of J is the penalty
    0.946168
    """
    R = _as_ratings(R, "R", unseen, alpha)
    lam = _as_penalty(lam)
    if not isinstance(factors, Factors):
        raise ValueError(f"factors is a {type(factors).__name__}: pass Factors(U, V)")
    U = _as_factors(factors.U, "factors.U", R.shape[0], np.float64)
    V = _as_factors(factors.V, "factors.V", R.shape[1], np.float64)
    everywhere = ((U.T @ U) * (V.T @ V)).sum()
    if unseen == "zero":
        misfit = _squares(R) - 2 * (U * (R @ V)).sum() + everywhere
    else:
        misfit = everywhere if unseen == "weak" else 0.0
        rows = rows_of(R)
        for first in range(0, R.nnz, BATCH):
            part = slice(first, first + BATCH)
            r = R.data[part].astype(np.float64)
            score = np.einsum("ek,ek->e", U[rows[part]], V[R.indices[part]])
            if unseen == "weak":
                misfit += ((1 + alpha * r) * (1 - score) ** 2 - score**2).sum()
            else:
                misfit += ((r - score) ** 2).sum()
    return float(misfit / 2 + lam * (_squares(U) + _squares(V)))


def _leading_svd(R, k):
    """Left singular vectors, values and right vectors (as rows), the k largest values first."""
    if sp.issparse(R) and R.shape[0] * R.shape[1] > DENSE_CELLS and k < min(R.shape):
        start = np.random.default_rng(0).standard_normal(min(R.shape))
        left, sigma, right = svds(R, k, v0=start, solver="arpack")
        return left[:, ::-1], sigma[::-1], right[::-1]
    R = R.toarray() if sp.issparse(R) else R
    left, sigma, right = np.linalg.svd(R, full_matrices=False)
    return left[:, :k], sigma[:k], right[:k]


def _is_rounding(sigma, shape):
    """Tell which singular values are 0 but for rounding: the rule of numpy.linalg.matrix_rank."""
    return sigma <= sigma[0] * max(shape) * np.finfo(float).eps


def _share_out(left, sigma, right):
    """Give half of each singular value to either side, and fix the signs."""
    root = np.sqrt(sigma)
    U, V = left * root, right.T * root
    # Entries equal but for rounding must not decide by rounding which of them is made positive.
    size = np.abs(V)
    strongest = (size >= size.max(axis=0) * (1 - 1e-6)).argmax(axis=0)
    sign = np.sign(V[strongest, np.arange(len(sigma))])
    return U * sign, V * sign


def _half_step(R, k, alpha, unseen):
    """Prepare what solves for the factors of R's rows: a function of the columns' factors V.

    It returns U, and by how much U explains R: the sum of u . b over the equations A u = b.
    """
    if unseen == "zero":

        def solve(V, lam, U=None):
            A = V.T @ V + 2 * lam * np.eye(k, dtype=V.dtype)
            b = R @ V
            U = np.ascontiguousarray(_solve(A, b.T, lam).T)
            return U, _dot(U, b)

        return solve

    m, batches = R.shape[0], list(_batches(R, k))  # from here on R itself is not kept

    def solve(V, lam, U=None):
        shared = 2 * lam * np.eye(k, dtype=V.dtype)
        if unseen == "weak":
            shared += V.T @ V
        # Where lam is large enough to invert what all rows share, a row of few ratings needs only
        # an equation as small as they are: A^-1 X^T y = B X^T (I + X B X^T)^-1 y, B = shared^-1.
        inverse = None
        if 2 * lam > np.sqrt(np.finfo(V.dtype).eps) * _squares(V):
            inverse = np.linalg.inv(shared)
        # What rows are padded with points to a last item without factors, and so adds nothing.
        padded_V = np.concatenate([V, np.zeros_like(V, shape=(1, k))])
        U = np.empty_like(V, shape=(m, k))
        explained = 0.0
        for rows, columns, ratings in batches:
            X = padded_V.take(columns, axis=0)  # rows x ratings x k
            y = ratings
            if unseen == "weak":
                # X^T X is to be V^T (C - I) V, so X = (C - I)^(1/2) V, and X^T y = V^T C p.
                root = np.sqrt(float(alpha) * ratings)  # a numpy.float64 would make it float64
                X *= root[:, :, None]
                y = (1 + root**2) / root
            Xt = X.transpose(0, 2, 1)
            b = Xt @ y[:, :, None]
            if inverse is not None and 2 * X.shape[1] <= k:
                XB = X @ inverse
                A = XB @ Xt
                A += np.eye(X.shape[1], dtype=V.dtype)
                u = XB.transpose(0, 2, 1) @ np.linalg.solve(A, y[:, :, None])
            else:
                A = Xt @ X
                A += shared
                u = _solve(A, b, lam)
            U[rows] = u[:, :, 0]
            explained += _dot(u, b)
        return U, explained

    return solve


def _cg_half_step(R, k, alpha, steps):
    """Prepare what improves the factors of R's rows: a function of V, lam and the factors so far.

    It returns the new U, and by how much it explains R: the sum of 2 u . b - u . A u.
    """
    batches = []
    for rows, columns, ratings in _batches(R, 1, CG_BATCH):
        if columns.shape[1]:  # a row without events has factors of 0
            batches.append((rows, columns, np.sqrt(float(alpha) * ratings)))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    workers = max(1, min(cores or 1, len(batches)))
    largest = max((columns.size for _, columns, _ in batches), default=0)
    own = threading.local()

    def solve(V, lam, U):
        shared = V.T.astype(np.float64) @ V + 2 * lam * np.eye(k)
        _require_one_solution(shared.astype(V.dtype), lam)
        lower = np.linalg.cholesky(shared)
        to_factors = np.linalg.inv(lower).astype(V.dtype)  # u = L^-T z
        # What rows are padded with points to a last item without factors, and so adds nothing.
        white = np.concatenate([V @ to_factors.T, np.zeros_like(V, shape=(1, k))])
        Z = U @ lower.astype(V.dtype)
        found = np.zeros_like(Z)

        def improve(batch):
            rows, columns, root = batch
            if not hasattr(own, "room"):  # new memory for each batch would cost more than the sums
                own.room = np.empty(largest * k, V.dtype)
            X = own.room[: columns.size * k].reshape(*columns.shape, k)
            white.take(columns, axis=0, out=X, mode="clip")
            # X is to be (C - I)^(1/2) V, and X^T y = V^T C p, as in the exact step.
            X *= root[:, :, None]
            y = (1 + root**2) / root
            z = Z[rows]
            Xz = np.matvec(X, z)
            r = np.vecmat(y - Xz, X) - z
            p, size = r, np.vecdot(r, r)
            for step in range(steps):
                Xp = np.matvec(X, p)
                a = (size / np.maximum(np.vecdot(p, p) + np.vecdot(Xp, Xp), tiny))[:, None]
                z += a * p
                Xz += a * Xp
                if step < steps - 1:
                    r = r - a * (p + np.vecmat(Xp, X))
                    before, size = size, np.vecdot(r, r)
                    p = r + (size / np.maximum(before, tiny))[:, None] * p
            found[rows] = z
            return 2 * _dot(Xz, y) - _squares(z) - _squares(Xz)

        tiny = np.finfo(V.dtype).tiny  # where nothing is left to do, 0 / tiny = 0
        if workers == 1:
            explained = sum(map(improve, batches))
        else:
            with ThreadPoolExecutor(workers) as pool:
                explained = sum(pool.map(improve, batches))
        return found @ to_factors, float(explained)

    return solve


def _batches(R, k, size=None):
    """Cut the rows of a CSR into batches of about the same length, padded to the same one.

    Yields the rows' positions (B), their columns and their values (both B x length). Where a row is
    shorter, the column is R.shape[1] and the value is 1. A batch holds ``size`` ratings (BATCH), or
    a row of more.
    """
    lengths = np.diff(R.indptr)
    order = np.argsort(lengths, kind="stable")
    ordered = lengths[order]
    first = 0
    while first < len(order):
        longest = ordered[first] + ordered[first] // PADDING
        room = max(1, (size or BATCH) // max(longest, k))  # the k x k matrices count too
        last = min(first + room, np.searchsorted(ordered, longest, side="right"))
        rows = order[first:last]
        place = np.arange(ordered[last - 1])
        inside = place < lengths[rows, None]
        at = np.where(inside, R.indptr[rows, None] + place, 0)
        columns = np.where(inside, R.indices[at], R.shape[1]).astype(R.indices.dtype)
        yield rows, columns, np.where(inside, R.data[at], R.dtype.type(1))
        first = last


def _solve(A, b, lam):
    """Solve A x = b for one matrix or a stack of them."""
    _require_one_solution(A, lam)
    return np.linalg.solve(A, b)


def _require_one_solution(A, lam):
    # Below this lam is lost in the rounding of A: then the data alone must make A regular.
    lost = 2 * lam <= np.finfo(A.dtype).eps * np.trace(A, axis1=-2, axis2=-1).max()
    if lost and (np.linalg.matrix_rank(A, hermitian=True) < A.shape[-1]).any():
        raise ValueError(
            f"lam={lam:g} is too small: an equation for the factors of a user or an item has more "
            "than one solution, so raise lam, or lower k"
            + ", or pass R in float64, which has more digits"
            * (A.dtype == np.float32)
        )


def _with_progress(iterations) -> Iterator[int]:
    """Count iterations; when they last, show a bar on a terminal or in a notebook, and wipe it."""
    began, show = time.monotonic(), None
    try:
        for done in range(iterations):
            if done and time.monotonic() - began > PATIENCE:
                show = show or progress_line()
                filled = 20 * done // iterations
                show(f"als [{'#' * filled}{'.' * (20 - filled)}] {done} of at most {iterations}")
            yield done
    finally:
        if show:
            show("")


def _dot(x, y):
    """Sum of the products of two arrays of the same shape, added up in float64."""
    return float(np.einsum("i,i->", x.ravel(), y.ravel(), dtype=np.float64))


def _squares(X):
    """Sum of the squares, added up in float64."""
    X = X.data if sp.issparse(X) else X
    return _dot(X, X)


def _start(R, k, start, rng, unseen):
    """Return the V to begin from: the one given, or one drawn small."""
    n, rng = R.shape[1], as_rng(0 if rng is None else rng)
    if start is not None:
        V = _as_factors(start.V if isinstance(start, Factors) else start, "start", n, R.dtype)
        if V.shape[1] != k:
            raise ValueError(f"start has {V.shape[1]} columns: give it k={k}, or set k to it")
        return V
    values = R.data if sp.issparse(R) else R
    values = np.abs(values[values != 0])
    typical = values.mean(dtype=np.float64) if values.size and unseen != "weak" else 1.0
    noise = rng.standard_normal((n, k))
    return (0.1 * np.sqrt(typical / k) * noise).astype(R.dtype)


def _as_ratings(R, name, unseen, alpha):
    """Check, and return R in the dtype to compute in; as CSR, unless all cells count the same."""
    as_choice(unseen, "unseen", UNSEEN)
    as_number(alpha, "alpha", above=True, such="1")
    dtype = np.float32 if getattr(R, "dtype", None) == np.float32 else np.float64
    if unseen == "weak" and isinstance(R, Interactions):
        R = R.matrix  # an event of value 0 weighs no more than no event
    matrix = as_matrix(R, name) if unseen == "zero" else as_csr(R, name)
    if unseen == "weak" and (matrix.data < 0).any():
        value = matrix.data[matrix.data < 0][0]
        raise ValueError(
            f'{name} holds the negative value {value:g}: unseen="weak" needs values of 0 or more'
        )
    return matrix.astype(dtype, copy=False)


def _as_factors(V, name, length, dtype):
    """Check that V is a matrix of finite numbers with so many rows."""
    if sp.issparse(V) or isinstance(V, Interactions):
        raise ValueError(f"{name} is sparse: give it as a dense array")
    V = as_matrix(V, name).astype(dtype, copy=False)
    if V.shape[0] != length or not V.shape[1]:
        raise ValueError(f"{name} has shape {V.shape}: give it {length} rows, of k factors each")
    return V


def _as_penalty(value, name="lam"):
    return as_number(value, name)


def _as_rank(k, R):
    # Of more factors than users and items the rest would be 0; up to 1000 that costs nothing.
    most = max(1000, *R.shape)
    return as_count(k, "k", most=most, why="any number of factors that R can need")


def _with_sides(matrix, name):
    if 0 in matrix.shape:
        raise ValueError(f"{name} has shape {matrix.shape}: give at least one user and one item")
    return matrix
