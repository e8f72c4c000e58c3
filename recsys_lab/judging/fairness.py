"""Who is shown, and does a list look like its person? Exposure of items, and calibration of genres.

The Gini index is Corrado Gini's of 1912; calibration is Harald Steck's of 2018.
"""

import numpy as np

from ..data.interactions import as_count, as_csr, as_number
from ..models.baselines import as_features
from .ranking import as_scores, recommend, same_shape

# Of a list's genres so much is taken from the person's, or one that is missing would be infinitely
# wrong: Steck's choice.
SMOOTHING = 0.01


def gini(amounts) -> float:
    """Measure how unequally something is shared out: 0 if all have the same, near 1 if one has all.

    Half of the mean difference between any two, divided by the mean. With n that share, one of
    whom has all, it is 1 - 1 / n.

    Parameters
    ----------
    amounts : n numbers of 0 or more, not all 0
        Such as how often each item is shown.

    Returns
    -------
    float from 0 to 1

    Raises
    ------
    ValueError
        If there is none, one is negative or no finite number, or all are 0.

    Examples
    --------
    >>> gini([3, 3, 3]), gini([0, 0, 0, 8])
    (0.0, 0.75)
    """
    try:
        amounts = np.asarray(amounts)
        if amounts.dtype.kind not in "iuf":
            raise ValueError
        amounts = np.sort(amounts.astype(float))
    except (TypeError, ValueError):
        raise ValueError("amounts holds entries that are no numbers: give one for each") from None
    if amounts.ndim != 1 or not amounts.size:
        raise ValueError(f"amounts has shape {amounts.shape}: give one number for each, in one row")
    if not np.isfinite(amounts).all() or amounts[0] < 0:
        raise ValueError("amounts holds a NaN, an infinite or a negative one: give 0 or more")
    if not amounts.any():
        raise ValueError("amounts are all 0: nothing is shared out; give at least one above 0")
    n, shares = len(amounts), amounts / amounts.max()
    return float((2 * np.arange(1, n + 1) - n - 1) @ shares / (n * shares.sum()))


def calibrated(
    scores, seen, features, k: int = 10, weight: float = 0.5, *, candidates: int = 100
) -> np.ndarray:
    """Make lists whose mixture of features is like that of what each user has seen.

    A list is built place by place. Next comes the item that makes

        (1 - weight) * (sum of the list's scores) - weight * KL(p, q)

    largest. p are the shares of the features in the user's history, q those in the list, in which
    each item counts as much as another; to q a hundredth of p is mixed.

    Parameters
    ----------
    scores : m x n, dense
    seen : m x n, Interactions, scipy.sparse or dense
        Is not recommended, and is the history.
    features : n x d array of 0 or more
        An item's features, such as genres. Its row is divided by its sum.
    k : int
        Length of the lists.
    weight : float from 0 to 1
        0: the lists of ``recommend``. It depends on the scores' unit.
    candidates : int
        So many items of highest score are tried for each user: a calibrated list of items that
        nobody wants is of no use, and 100 are quick.

    Returns
    -------
    m x k array of item positions, -1 where a user has no item left

    Raises
    ------
    ValueError
        If shapes disagree, a number is outside its range, or a feature is negative.

    References
    ----------
    H. Steck (2018). Calibrated recommendations. RecSys 12, 154-162. doi:10.1145/3240323.3240372

    Examples
    --------
    >>> seen, genres = [[1, 1, 0, 0, 0]], [[1, 0], [0, 1], [1, 0], [1, 0], [0, 1]]
    >>> calibrated([[0, 0, 0.9, 0.8, 0.3]], seen, genres, k=2, weight=0.9)
    array([[2, 4]])
    """
    scores = as_scores(scores)
    R = same_shape(as_csr(seen, "seen"), scores, "seen")
    shares = as_features(features, R.shape[1]).astype(float)
    if (shares < 0).any():
        raise ValueError("features holds a negative entry: give 0 or more")
    most, why = max(1000, R.shape[1]), f"the number of items, {R.shape[1]}"
    k = as_count(k, "k", most=most, why=why)
    candidates = as_count(candidates, "candidates", most=most, why=why)
    weight = as_number(weight, "weight", most=1, such="0.5")
    if weight == 0:
        return recommend(scores, R, k)
    shares = _to_one(shares)
    wanted = _to_one((R != 0) @ shares)[:, None]
    tried = recommend(scores, R, min(max(candidates, k), R.shape[1]))
    value, genres = np.take_along_axis(scores, np.maximum(tried, 0), 1), shares[tried]
    value = np.where(tried < 0, -np.inf, (1 - weight) * value)
    m, rows = len(tried), np.arange(len(tried))
    lists, total = np.full((m, k), -1), np.zeros((m, 1, shares.shape[1]))
    for place in range(min(k, tried.shape[1])):
        gain = value - weight * _kl(wanted, _to_one(total + genres))
        best = gain.argmax(axis=1)
        lists[:, place] = np.where(np.isfinite(gain[rows, best]), tried[rows, best], -1)
        value[rows, best] = -np.inf
        total += genres[rows, best][:, None]
    return lists


def _to_one(amounts):
    total = amounts.sum(axis=-1, keepdims=True)
    return np.divide(amounts, total, out=np.zeros_like(amounts), where=total > 0)


def _kl(p, q):
    mixed = (1 - SMOOTHING) * q + SMOOTHING * p
    ratio = np.divide(p, mixed, out=np.ones_like(mixed), where=(p > 0) & (mixed > 0))
    return (p * np.log(ratio)).sum(axis=-1)
