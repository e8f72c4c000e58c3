"""From scores to lists: the best items that a user has not seen."""

import numpy as np
import scipy.sparse as sp

from ..data.interactions import as_count, as_csr, as_numbers

# The golden ratio as a share of 2**64: by such steps SplitMix64 goes from one number to the next.
STRIDE = np.uint64(0x9E3779B97F4A7C15)


def recommend(scores, seen, k: int) -> np.ndarray:
    """List the k best items that each user has not seen.

    Parameters
    ----------
    scores : m x n, dense
    seen : m x n, Interactions, scipy.sparse or dense, or None
        An item with an event (a bare matrix: an entry other than 0) is never recommended.
    k : int
        Length of a list, 1 or more.

    Returns
    -------
    m x k array of item positions (columns), best first
        Equal scores go to the lower position. -1 where a user has no item left.

    Raises
    ------
    ValueError
        If a score is NaN or infinite, shapes disagree, or k is not a whole number from 1 on.

    Examples
    --------
    >>> scores = np.array([[0.1, 0.9, 0.5], [0.3, 0.3, 0.2]])
    >>> seen = np.array([[0, 1, 0], [0, 0, 0]])
    >>> recommend(scores, seen, 3)
    array([[ 2,  0, -1],
           [ 0,  1,  2]])
    """
    scores = as_scores(scores)
    # Far longer lists than there are items would be filled with -1, and may not fit into memory.
    most = max(1000, scores.shape[1])
    k = as_count(k, "k", most=most, why=f"the number of items, {scores.shape[1]}")
    seen = None if seen is None else same_shape(as_csr(seen, "seen"), scores, "seen")
    return top_k(scores, seen, k, range(len(scores)), by_position)


def as_scores(scores) -> np.ndarray:
    """Check that scores are a dense matrix of finite numbers."""
    if sp.issparse(scores):
        raise ValueError("scores is sparse: pass scores.toarray(), since every item needs a score")
    if hasattr(scores, "scores") and callable(scores.scores):
        raise ValueError("scores is a model, not a matrix: pass its .scores()")
    scores = as_numbers(scores, "scores")
    if scores.ndim != 2:
        raise ValueError(f"scores has {scores.ndim} dimensions: give a matrix, users x items")
    if not np.isfinite(scores).all():
        user, item = np.argwhere(~np.isfinite(scores))[0]
        raise ValueError(
            f"scores holds {scores[user, item]} for user position {user}, item position {item}: "
            "give every item a finite score (to keep an item out of a list, mark it as seen)"
        )
    return scores


def same_shape(R: sp.csr_array, scores: np.ndarray, name: str) -> sp.csr_array:
    """Check that a matrix has the shape of the scores."""
    if R.shape != scores.shape:
        raise ValueError(
            f"{name} is {R.shape[0]} x {R.shape[1]} but scores is {scores.shape[0]} x "
            f"{scores.shape[1]}: both must be users x items"
        )
    return R


def top_k(scores, seen, k: int, users, tie_order) -> np.ndarray:
    """List the k best unseen items of some users; of equal ones, the lower ``tie_order`` first.

    ``tie_order(user, items)`` gives a number for each of some items. ``recommend`` and ``evaluate``
    differ in their ties only. One user at a time, so that no second matrix of the size of
    ``scores`` is made.
    """
    lists = np.full((len(users), k), -1)
    for place, user in enumerate(users):
        score = scores[user].astype(float)
        if seen is not None:
            # Scores are finite: only a seen item is at minus infinity.
            score[seen.indices[seen.indptr[user] : seen.indptr[user + 1]]] = -np.inf
        least = -np.inf
        if score.size > k:
            least = np.partition(score, score.size - k)[score.size - k]
        # Drop what is below the k-th best; all that tie with it stay, for the tie order.
        items = np.flatnonzero(score >= least if least > -np.inf else score > least)
        best = items[np.lexsort((tie_order(user, items), -score[items]))[:k]]
        lists[place, : len(best)] = best
    return lists


def by_position(user: int, items: np.ndarray) -> np.ndarray:
    """Break ties for the lower position: a tie order for ``top_k``."""
    return items


def by_lot(seed: int, users: np.ndarray):
    """Break ties by lot, drawn for each user: a tie order for ``top_k``, which calls them 0, 1, ...

    One order for all users would give all the same list where a model ties for all of them, and
    their values would not be independent. An item's number comes from the seed, the user and the
    item alone: it does not depend on whom else one asks for, is the same under all models, and only
    that of an item in the running is computed. It is what the generator SplitMix64 of this user
    draws at this item's turn.

    References
    ----------
    G. Steele, D. Lea and C. Flood (2014). Fast splittable pseudorandom number generators. OOPSLA,
    453-472. doi:10.1145/2660193.2660195
    """
    own = _scrambled(np.uint64(seed) + users.astype(np.uint64) * STRIDE)
    return lambda user, items: _scrambled(own[user] + items.astype(np.uint64) * STRIDE)


def _scrambled(numbers):
    """Turn each 64-bit number into another that looks like chance: the output of SplitMix64."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
