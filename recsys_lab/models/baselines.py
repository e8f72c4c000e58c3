"""The simplest recommenders, as functions from a matrix to scores: the rivals to beat.

Popularity, item-to-item similarity (Sarwar, Karypis, Konstan and Riedl 2001) and content
similarity (Lops, de Gemmis and Semeraro 2011).
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import scipy.sparse as sp

from ..data.interactions import as_count, as_csr, as_finite, as_number, as_numbers, shown

# What MovieLens writes where a film has no genre.
NO_LABEL = "(no genres listed)"
# Rows of an items x items matrix at once: with 10,000 items less than 10 MB, zeros included.
ITEMS_AT_ONCE = 64


def popularity(train) -> np.ndarray:
    """Score every item by its number of events, the same for all users.

    Parameters
    ----------
    train : m x n, Interactions, scipy.sparse or dense

    Returns
    -------
    m x n array, read-only (one row, shown m times)
    """
    R = as_csr(train, "train")
    counts = np.bincount(R.indices, minlength=R.shape[1]).astype(float)
    return np.broadcast_to(counts, R.shape)


def item_cosine(train, neighbours: int | None = None, shrinkage: float = 0.0) -> sp.csr_array:
    """Compute how alike two items are: the cosine of their columns.

    Parameters
    ----------
    train : m x n, Interactions, scipy.sparse or dense
    neighbours : int, optional
        Keep only this many most similar items for each item (column); equal ones go to the lower
        position. Without it all are kept, which for MovieLens small takes 260 MB: pass it there.
    shrinkage : float
        Added to the product of the columns' lengths, by which their dot product is divided: two
        items that only a few users have in common count for less.

    Returns
    -------
    n x n scipy.sparse.csr_array with a zero diagonal
        Entry (i, j) is the similarity of item i as a neighbour of item j.

    Examples
    --------
    >>> R = np.array([[1, 1, 0], [0, 1, 1]])
    >>> item_cosine(R).toarray().round(3)
    array([[0.   , 0.707, 0.   ],
           [0.707, 0.   , 0.707],
           [0.   , 0.707, 0.   ]])
    """
    R = as_csr(train, "train")
    unit, length = _unit_columns(R), _column_lengths(R)
    if neighbours is not None:
        neighbours = as_count(neighbours, "neighbours")
    as_number(shrinkage, "shrinkage", such="10")
    n = unit.shape[1]
    items, kept = sp.csr_array(unit.T), []
    for start in range(0, n, ITEMS_AT_ONCE):
        # The matrix is symmetric before neighbours are chosen: row j holds what j is like.
        block = items[start : start + ITEMS_AT_ONCE] @ unit
        item = np.repeat(np.arange(start, start + block.shape[0]), np.diff(block.indptr))
        block.data[block.indices == item] = 0
        if shrinkage:
            product = length[block.indices] * length[item]
            block.data *= product / (product + shrinkage)
        if neighbours is not None:
            _keep_largest(block, neighbours)
        block.eliminate_zeros()
        kept.append(block)
    similar = sp.vstack(kept, format="csr")
    kept.clear()  # as large again
    return sp.csr_array(similar.T)


def item_features(items: pd.DataFrame, *, labels: str, numbers=()) -> pd.DataFrame:
    """Encode what is known about items as numbers, a row for each item.

    Parameters
    ----------
    items : DataFrame, a row for each item
    labels : str
        The column with the item's labels, joined by "|" (a category, or genres): each becomes a
        column of 0 and 1. No label, or MovieLens' "(no genres listed)", gives zeros.
    numbers : sequence of str
        Columns with numbers, each scaled so that its smallest is 0 and its largest is 1: a price in
        yuan would otherwise outweigh all else.

    Returns
    -------
    DataFrame, n x d, indexed like ``items``

    Raises
    ------
    ValueError
        If there is no such column, or a number is missing.

    Examples
    --------
    >>> items = pd.DataFrame({"category": ["home", "books"], "price": [800, 200]}, index=["E", "C"])
    >>> item_features(items, labels="category", numbers=["price"])
       books  home  price
    E    0.0   1.0    1.0
    C    1.0   0.0    0.0
    """
    if not isinstance(items, pd.DataFrame):
        raise ValueError(f"items is a {type(items).__name__}: pass a pandas DataFrame")
    if isinstance(numbers, str):
        numbers = [numbers]
    if not isinstance(numbers, Iterable):
        raise ValueError(f"numbers={shown(numbers)} is no list: give columns, such as ['price']")
    named = [("labels", labels), *(("numbers", column) for column in numbers)]
    for argument, column in named:
        if list(items.columns).count(column) != 1:
            raise ValueError(
                f"{argument} names {shown(column)}, which is not a column of items: it has "
                f"{', '.join(map(repr, items.columns[:20]))}"
            )
    features = items[labels].fillna("").replace(NO_LABEL, "").str.get_dummies("|").astype(float)
    for column in numbers:
        try:
            value = items[column].astype(float)
        except (TypeError, ValueError):
            value = pd.Series(np.nan, index=items.index)
        if not np.isfinite(value).all():
            at = items.index[int((~np.isfinite(value)).argmax())]
            raise ValueError(
                f"column {column!r} of items has no number for item {at!r}: fill it in first"
            )
        span = value.max() - value.min()
        features[column] = (value - value.min()) / span if span else 0.0
    return features


def content_scores(train, features) -> np.ndarray:
    """Score an item by how similar it is to what the user has, by its features alone.

    The user's profile is the mean feature vector of the user's items; the score is the cosine of
    profile and item. It needs no other user, so it works for an item that nobody has yet.

    Parameters
    ----------
    train : m x n, Interactions, scipy.sparse or dense
        Which items a user has; the values do not count.
    features : n x d, dense

    Returns
    -------
    m x n array of cosines
        0 for a user without items and for an item without features.

    References
    ----------
    P. Lops, M. de Gemmis and G. Semeraro (2011). Content-based recommender systems: state of the
    art and trends. Recommender Systems Handbook, 73-105. doi:10.1007/978-0-387-85820-3_3
    """
    R = as_csr(train, "train")
    features = as_features(features, R.shape[1])
    has = sp.csr_array((np.ones_like(R.data), R.indices, R.indptr), shape=R.shape)
    # The mean and the sum have the same direction, and a cosine sees only that.
    return unit_rows(has @ features) @ unit_rows(features).T


def as_features(features, n: int) -> np.ndarray:
    """Check that features are a dense matrix of finite numbers with n rows."""
    if sp.issparse(features):
        raise ValueError("features is sparse: give it as a dense array, features.toarray()")
    features = as_numbers(features, "features").astype(float)
    if features.ndim != 2 or len(features) != n:
        raise ValueError(
            f"features has shape {features.shape}: give one row for each of the {n} items"
        )
    if not np.isfinite(features).all():
        item, column = np.argwhere(~np.isfinite(features))[0]
        raise ValueError(
            f"features holds {features[item, column]} for item position {item}, column {column}: "
            "put a number there"
        )
    return as_finite(features, "features")


def unit_rows(features: np.ndarray) -> np.ndarray:
    """Scale each row to length 1, and leave a row of zeros as it is."""
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return np.divide(features, length, out=np.zeros_like(features), where=length > 0)


def _column_lengths(R):
    return np.sqrt(np.bincount(R.indices, weights=R.data**2, minlength=R.shape[1]))


def _unit_columns(R):
    length = _column_lengths(R)
    length[length == 0] = 1
    return sp.csr_array((R.data / length[R.indices], R.indices, R.indptr), shape=R.shape)


def _keep_largest(block, count):
    """Set all but the largest entries of each row of a CSR matrix to 0; of equals keep the first.

    Its rows need not be sorted, and are not: that would take as long as all the rest.
    """
    for row in range(block.shape[0]):
        inside = slice(block.indptr[row], block.indptr[row + 1])
        part = block.data[inside]
        if len(part) > count:
            least = np.partition(part, len(part) - count)[len(part) - count]
            equal = np.flatnonzero(part == least)
            surplus = np.count_nonzero(part >= least) - count
            part[part < least] = 0
            if surplus:
                last = np.argsort(block.indices[inside][equal])[len(equal) - surplus :]
                part[equal[last]] = 0
