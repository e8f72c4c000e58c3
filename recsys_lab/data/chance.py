"""Tables that keep what is common in a table and leave the rest to chance."""

import numpy as np
import scipy.sparse as sp

from .interactions import as_csr, as_rng


def same_margins(R, rng: np.random.Generator | int) -> sp.csr_array:
    """Draw a table of 0 and 1 in which every user and every item has as many events as in R.

    Who meets what is left to chance: all items of all events are dealt anew, and again as long as
    somebody gets one twice.

    Parameters
    ----------
    R : m x n, dense, scipy.sparse or Interactions; only where it is not 0 counts
    rng : numpy.random.Generator or int

    Returns
    -------
    m x n csr_array with the row and column sums of ``R != 0``

    Raises
    ------
    ValueError
        If after many deals somebody still has an item twice: R is too full to be dealt anew.

    Examples
    --------
    >>> N = same_margins([[1, 1, 0], [0, 1, 1], [1, 0, 0]], rng=0)
    >>> N.sum(axis=1).tolist(), N.sum(axis=0).tolist()
    ([2.0, 2.0, 1.0], [2.0, 2.0, 1.0])
    """
    R = as_csr(R, "R")
    rng = as_rng(rng)
    user, item = R.nonzero()
    item = rng.permutation(item)
    for _ in range(10_000):
        cell = user.astype(np.int64) * R.shape[1] + item
        order = np.argsort(cell, kind="stable")
        twice = order[1:][cell[order][1:] == cell[order][:-1]]
        if not len(twice):
            return sp.csr_array((np.ones(len(item)), (user, item)), shape=R.shape)
        # Deal such items again, with as many random others.
        again = np.union1d(twice, rng.integers(0, len(item), len(twice)))
        item[again] = rng.permutation(item[again])
    raise ValueError("R is too full to be dealt anew: give a sparser table")
