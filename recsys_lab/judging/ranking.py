"""From scores to lists: the best items that a user has not seen."""

import numpy as np
import scipy.sparse as sp

from ..data.interactions import as_count, as_csr, as_numbers


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
    return top_k(scores, seen, k, np.arange(scores.shape[0]), np.arange(scores.shape[1]))


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

    ``recommend`` and ``evaluate`` differ in their ties only. One user at a time, so that no second
    matrix of the size of ``scores`` is made.
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
        best = items[np.lexsort((tie_order[items], -score[items]))[:k]]
        lists[place, : len(best)] = best
    return lists
