"""Factors in fewer bytes, and a search that does not look at all of them.

Product quantisation cuts each vector into parts and keeps, for each part, the number of the nearest
of 256 centres; an inverted file sorts the vectors into lists and opens the likeliest (both Jégou,
Douze and Schmid 2011).
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.cluster.vq import kmeans2, vq

from ..data.interactions import as_count, as_matrix, as_rng


def kmeans(
    A, centres: int, rng: np.random.Generator | int, *, iterations: int = 10
) -> tuple[np.ndarray, np.ndarray]:
    """Find centres with small squared distances to the rows of A, by Lloyd's algorithm.

    Parameters
    ----------
    A : n x d
    centres : int, at most n
    rng : numpy.random.Generator or int
        Draws the rows that the centres start at.
    iterations : int
        10: here the distance falls by less than a per cent after that.

    Returns
    -------
    C : centres x d; nearest : n positions in it

    Raises
    ------
    ValueError
        If A is no matrix of numbers, or a count makes no sense.
    """
    A = np.asarray(as_matrix(A, "A"), dtype=float)
    as_count(centres, "centres", most=len(A), why="there are no more rows")
    as_count(iterations, "iterations")
    C = A[as_rng(rng).choice(len(A), centres, replace=False)]
    with warnings.catch_warnings():
        # A centre that lost all its rows stays where it is: no reason to worry a reader.
        warnings.simplefilter("ignore", UserWarning)
        C, _ = kmeans2(A, C, iter=iterations, minit="matrix")
    return C, vq(A, C)[0]


@dataclass(eq=False)
class ProductQuantiser:
    """Keep each vector in ``parts`` bytes: for each part, the number of the nearest centre.

    Parameters
    ----------
    parts : int
        Bytes a vector; the dimensions are shared out in order, as evenly as can be.
    centres : int, at most 256
        So that a number fits into a byte.
    rng : int

    References
    ----------
    H. Jégou, M. Douze and C. Schmid (2011). Product quantization for nearest neighbor search. IEEE
    Transactions on Pattern Analysis and Machine Intelligence 33, 1, 117-128.
    doi:10.1109/TPAMI.2010.57
    """

    parts: int = 8
    centres: int = 256
    rng: int = 0

    def fit(self, V):
        """Find the centres, and keep the rows of V (n x k) as ``codes_`` (n x parts, uint8)."""
        V = np.asarray(as_matrix(V, "V"), dtype=float)
        as_count(self.parts, "parts", most=V.shape[1], why="a part needs a dimension")
        as_count(self.centres, "centres", most=256, why="a number has to fit into a byte")
        rng, self.tables_, codes = as_rng(self.rng), [], []
        for columns in np.array_split(np.arange(V.shape[1]), self.parts):
            C, nearest = kmeans(V[:, columns], self.centres, rng)
            self.tables_.append(C)
            codes.append(nearest)
        self.codes_ = np.stack(codes, axis=1).astype(np.uint8)
        return self

    def decoded(self) -> np.ndarray:
        """Return the vectors that the codes stand for, n x k."""
        parts = zip(self.tables_, self.codes_.T, strict=True)
        return np.hstack([table[code] for table, code in parts])


@dataclass(eq=False)
class InvertedFile:
    """Sort vectors into lists by their nearest centre; look through the likeliest lists alone.

    Parameters
    ----------
    lists : int
        The root of the number of vectors is usual: then choosing lists costs about as much as
        looking through one.
    rng : int
    """

    lists: int = 96
    rng: int = 0

    def fit(self, V):
        """Sort the rows of V (n x k)."""
        V = np.asarray(as_matrix(V, "V"))
        self.centres_, nearest = kmeans(V, self.lists, self.rng)
        self.centres_ = self.centres_.astype(V.dtype)
        order = np.argsort(nearest, kind="stable")
        ends = np.cumsum(np.bincount(nearest, minlength=self.lists))
        self.members_ = np.split(order, ends[:-1])
        self.rows_ = [V[each] for each in self.members_]  # together in memory
        return self

    def search(self, u, k: int, probes: int) -> tuple[np.ndarray, int]:
        """Return the k best of what was looked at, by u . v, best first, and how many that were.

        The lists are those whose centres have the largest product with u.
        """
        as_count(k, "k")
        as_count(probes, "probes", most=self.lists, why="there are no more lists")
        near = np.argsort(-(self.centres_ @ u))[:probes]
        scores = np.concatenate([self.rows_[each] @ u for each in near])
        found = np.concatenate([self.members_[each] for each in near])
        return found[np.argsort(-scores, kind="stable")[:k]], len(found)
