"""A ratings matrix as the product of two thin ones: users x k tastes times k x items traits.

The truncated SVD is the best such product there is (Eckart and Young 1936). Everything else in
matrix factorisation, as in Koren, Bell and Volinsky (2009), is measured against it.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds

from .interactions import as_count, as_matrix

# Up to 8 MB as a dense matrix, the full SVD is exact and takes well under a second.
DENSE_CELLS = 1_000_000


@dataclass(frozen=True, eq=False)
class Factors:
    """Factors of users and items; a score is the dot product of a row of each.

    Attributes
    ----------
    U : m x k, a row for each user
    V : n x k, a row for each item
    history : tuple of float
        The objective after each step of an iterative method; empty for a direct one.
    """

    U: np.ndarray
    V: np.ndarray
    history: tuple[float, ...] = ()

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
    if sp.issparse(R) and R.shape[0] * R.shape[1] > DENSE_CELLS and k < min(R.shape):
        start = np.random.default_rng(0).standard_normal(min(R.shape))
        left, sigma, right = svds(R, k, v0=start, solver="arpack")
        left, sigma, right = left[:, ::-1], sigma[::-1], right[::-1]
    else:
        R = R.toarray() if sp.issparse(R) else R
        left, sigma, right = np.linalg.svd(R, full_matrices=False)
    # numpy.linalg.matrix_rank's threshold: below it a singular value is rounding.
    rank = int((sigma > sigma[0] * max(R.shape) * np.finfo(float).eps).sum())
    if k > rank:
        raise ValueError(
            f"k={k} is larger than the rank of R, {rank}: "
            + (f"choose k <= {rank}" if rank else "R holds nothing but zeros, so give it an event")
        )
    root = np.sqrt(sigma[:k])
    U, V = left[:, :k] * root, right[:k].T * root
    # Entries equal but for rounding must not decide by rounding which of them is made positive.
    size = np.abs(V)
    strongest = (size >= size.max(axis=0) * (1 - 1e-6)).argmax(axis=0)
    sign = np.sign(V[strongest, np.arange(k)])
    return Factors(U * sign, V * sign)
