"""Is a list of recommendations any good? Ranking metrics, metrics beyond accuracy, intervals.

All are defined here as in the notebooks, over users who have something to be found. An event in
the test counts as relevant whatever its value; to count liked items only, drop the others first:
``test.keep(test.matrix.data >= 4)``.
"""

import warnings

import numpy as np
import pandas as pd

from ..data.interactions import Interactions, as_count, as_csr, as_share, rows_of
from ..models.baselines import as_features, unit_rows
from .ranking import as_scores, by_lot, same_shape, top_k

# A function that gives scores is asked for so many users in one go: with 10,000 items, 5 MB.
USERS_AT_ONCE = 64


def evaluate(scores, train, test, k: int = 10, *, rng: np.random.Generator | int = 0) -> pd.Series:
    """Judge scores by the lists they lead to, over the users with a test item.

    A user's list holds the k items of highest score among those not in ``train``. With ``relevant``
    the number of the user's test items, and ``hits`` of them in the list:

    - precision: hits / k, also where fewer than k items are left;
    - recall: hits / min(k, relevant), so that a perfect list scores 1;
    - ndcg: the sum of 1 / log2(place + 1) over the hits, divided by its value for a list that
      begins with min(k, relevant) hits;
    - map: the sum of (hits up to place) / place over the places of the hits, divided by
      min(k, relevant);
    - hit_rate: 1 if there is a hit, else 0;
    - coverage: share of all items that are in at least one list;
    - novelty: mean over a list of -log2(share of users who have the item in ``train``), in bits; an
      item that nobody has counts as if one user had it, the rarest that can be observed;
    - users: how many users have a test item. All but coverage and users are means over these.

    Parameters
    ----------
    scores : m x n, dense, or a function
        A function is given some user positions (p of them) and returns their scores, p x n: pass a
        model's ``model.scores``, and the whole matrix is never made.
    train, test : m x n, Interactions, scipy.sparse or dense
    k : int
        Length of the lists.
    rng : numpy.random.Generator or int
        Breaks ties by a seeded shuffle of the items: equal scores never favour a position. (In
        MovieLens low positions are old, popular films: ties broken by position would recommend
        popularity.) Each user has an order of her own, the same for all models with this seed and
        whoever else is asked for. So users are independent even where a model ties for all of them,
        as for strangers.

    Returns
    -------
    Series: precision, recall, ndcg, map, hit_rate, coverage, novelty, users

    Raises
    ------
    ValueError
        If a score is NaN or infinite, shapes or labels disagree, k is not a whole number from 1 on,
        or no user has a test item.

    Warns
    -----
    UserWarning
        If train and test share events. These cannot be hit, and count as missed.

    References
    ----------
    K. Järvelin and J. Kekäläinen (2002). Cumulated gain-based evaluation of IR techniques. ACM
    Transactions on Information Systems 20, 422-446. doi:10.1145/582415.582418

    S. Vargas and P. Castells (2011). Rank and relevance in novelty and diversity metrics for
    recommender systems. RecSys 5, 109-116. doi:10.1145/2043932.2043955

    Examples
    --------
    >>> scores = np.array([[0.9, 0.8, 0.7, 0.1]])
    >>> evaluate(scores, train=[[1, 0, 0, 0]], test=[[0, 0, 1, 0]], k=2).round(3).to_dict()
    {'precision': 0.5, 'recall': 1.0, 'ndcg': 0.631, 'map': 0.5, 'hit_rate': 1.0, \
'coverage': 0.5, 'novelty': 0.0, 'users': 1.0}
    """
    users, lists, hits, relevant, train = judged_lists(scores, train, test, k, rng)
    result = per_user(hits, relevant).mean()
    result["coverage"], result["novelty"] = beyond_accuracy(lists, train)
    result["users"] = len(users)
    return result


def evaluate_per_user(
    scores, train, test, k: int = 10, *, rng: np.random.Generator | int = 0
) -> pd.DataFrame:
    """Judge scores user by user: what ``evaluate`` averages.

    Parameters
    ----------
    scores, train, test, k, rng
        As in ``evaluate``.

    Returns
    -------
    DataFrame: precision, recall, ndcg, map, hit_rate
        A row for each user with a test item, indexed by the user's label if ``test`` is
        Interactions, else by position.
    """
    users, _, hits, relevant, _ = judged_lists(scores, train, test, k, rng)
    labels = test.users[users] if isinstance(test, Interactions) else users
    return per_user(hits, relevant).set_index(pd.Index(labels, name="user"))


def bootstrap_interval(
    values,
    *,
    level: float = 0.95,
    repeats: int = 2000,
    rng: np.random.Generator | int,
) -> tuple[float, float]:
    """Give the range in which the mean would likely lie, had other users come.

    The percentile bootstrap: draw as many users as there are, with replacement, again and again,
    and cut off the same share of the means at either end. To compare two models, pass the
    differences of their values user by user: it is the same users who are judged twice.

    Parameters
    ----------
    values : array-like, one number for each user
    level : float between 0 and 1
    repeats : int
        How often to draw. 2,000 leaves about 50 means beyond either end of a 95 % interval.
    rng : numpy.random.Generator or int

    Returns
    -------
    low, high : float

    Raises
    ------
    ValueError
        If there are fewer than two values, one is no finite number, or level or repeats make no
        sense.

    References
    ----------
    B. Efron and R. Tibshirani (1993). An Introduction to the Bootstrap, chapter 13.
    """
    try:
        values = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(
            "values holds entries that are no numbers: give one for each user"
        ) from None
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(
            f"values has shape {values.shape}: give one number each for 2 or more users"
        )
    if not np.isfinite(values).all():
        at = int((~np.isfinite(values)).argmax())
        raise ValueError(f"values holds {values[at]} at position {at}: drop it, or mend it")
    level = as_share(level, "level")
    repeats = as_count(repeats, "repeats")
    rng = np.random.default_rng(rng)
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(repeats)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def accuracy(lists, train, test) -> float:
    """Plain accuracy: the share of unseen user-item pairs that were called rightly.

    An item on the list is called relevant, all others are called irrelevant. Where data are sparse
    nearly every pair is irrelevant, so a list of nothing scores close to 1.

    Parameters
    ----------
    lists : m x k array of item positions, -1 for none (as ``recommend`` gives them); k may be 0
    train, test : m x n, Interactions, scipy.sparse or dense

    Returns
    -------
    float from 0 to 1
        (true positives + true negatives) / pairs not in ``train``.

    Raises
    ------
    ValueError
        If shapes disagree, a position does not exist, or nothing is unseen.

    Examples
    --------
    >>> train, test = [[1, 0, 0, 0, 0]], [[0, 0, 0, 1, 0]]
    >>> accuracy(np.empty((1, 0), dtype=int), train, test)
    0.75
    >>> accuracy([[1]], train, test)
    0.5
    """
    train, test = _pair(train, test)
    lists = _checked_lists(lists, *train.shape)
    m, n = train.shape
    unseen = m * n - train.nnz
    if not unseen:
        raise ValueError("train holds every user-item pair: nothing is left to judge")
    user, place = np.nonzero(lists >= 0)
    wrong = np.setxor1d(user * n + lists[user, place], _cells(test))
    return 1 - len(np.setdiff1d(wrong, _cells(train))) / unseen


def diversity(lists, features) -> float:
    """Measure how different the items of a list are: 1 - the mean cosine over its pairs.

    Parameters
    ----------
    lists : m x k array of item positions, -1 for none
    features : n x d, dense
        An item without features is at cosine 0 to all others.

    Returns
    -------
    float
        The mean over the users with at least two items on their list.

    Raises
    ------
    ValueError
        If a position does not exist, or no list has two items.

    References
    ----------
    C.-N. Ziegler, S. McNee, J. Konstan and G. Lausen (2005). Improving recommendation lists through
    topic diversification. WWW 14, 22-32. doi:10.1145/1060745.1060754

    Examples
    --------
    >>> diversity([[0, 1, 2]], [[1, 0], [1, 0], [0, 1]])  # cosines 1, 0 and 0
    0.6666666666666667
    """
    features = np.asarray(features)
    unit = unit_rows(as_features(features, len(features) if features.ndim else 0))
    lists = _checked_lists(lists, None, len(unit))
    values = []
    for items in lists:
        items = items[items >= 0]
        if len(items) > 1:
            first, second = np.triu_indices(len(items), 1)
            values.append(1 - (unit[items[first]] * unit[items[second]]).sum(axis=1).mean())
    if not values:
        raise ValueError("lists has no list with two items: there is no pair to compare")
    return float(np.mean(values))


def _pair(train, test):
    """Return train and test as CSR, of one shape and with the same labels."""
    if isinstance(train, Interactions) and isinstance(test, Interactions):
        for name in ("users", "items"):
            if not np.array_equal(getattr(train, name), getattr(test, name)):
                raise ValueError(
                    f"test has other {name} than train: make both by one split of the same data"
                )
    train, test = as_csr(train, "train"), as_csr(test, "test")
    if train.shape != test.shape:
        raise ValueError(
            f"test is {test.shape[0]} x {test.shape[1]} but train is {train.shape[0]} x "
            f"{train.shape[1]}: both must be users x items"
        )
    return train, test


def judged_lists(scores, train, test, k, rng):
    """Return the users with a test item, their lists, hits (bool, like lists), relevant counts.

    The last is ``train`` as CSR. ``evaluate`` and the leaderboard both judge by this.
    """
    if not callable(scores):
        scores = as_scores(scores)
    k = as_count(k, "k")
    train, test = _pair(train, test)
    if not callable(scores):
        same_shape(train, scores, "train")
    relevant = np.diff(test.indptr)
    users = np.flatnonzero(relevant)
    if not len(users):
        raise ValueError("test holds no event: hold out a larger share")
    seed = np.random.default_rng(rng).integers(2**64, dtype=np.uint64)
    lists = np.empty((len(users), k), dtype=int)
    for first in range(0, len(users), USERS_AT_ONCE):
        part = users[first : first + USERS_AT_ONCE]
        rows = _asked(scores, part, train.shape[1]) if callable(scores) else scores[part]
        lots = by_lot(seed, part)
        lists[first : first + len(part)] = top_k(rows, train[part], k, range(len(part)), lots)
    wanted = _cells(test)
    hits = (lists >= 0) & np.isin(users[:, None] * test.shape[1] + lists, wanted)
    shared = np.intersect1d(_cells(train), wanted, assume_unique=True).size
    if shared:
        warnings.warn(
            f"train and test share {shared} events: what a user has seen is not recommended, so "
            "these count as missed",
            stacklevel=3,
        )
    return users, lists, hits, relevant[users], train


def _asked(scores, users, n):
    """Ask a function for the scores of some users, and check what it gives."""
    rows = np.asarray(scores(users))
    if rows.shape != (len(users), n):
        raise ValueError(
            f"scores gave an array of shape {rows.shape} for {len(users)} users: it must give "
            f"{n} numbers for each, one for each item"
        )
    if rows.dtype.kind not in "biuf" or not np.isfinite(rows).all():
        raise ValueError(
            f"scores gave entries that are no finite numbers for some of the users {users[0]} to "
            f"{users[-1]}: give every item a finite score, the seen ones too"
        )
    return rows


def per_user(hits, relevant):
    """Compute the metrics of each list: a row for each user."""
    k = hits.shape[1]
    reachable = np.minimum(k, relevant)
    place = np.arange(1, k + 1)
    gain = 1 / np.log2(place + 1)
    found = hits.sum(axis=1)
    precision_at = hits.cumsum(axis=1) / place
    return pd.DataFrame(
        {
            "precision": found / k,
            "recall": found / reachable,
            "ndcg": (hits * gain).sum(axis=1) / gain.cumsum()[reachable - 1],
            "map": (hits * precision_at).sum(axis=1) / reachable,
            "hit_rate": (found > 0).astype(float),
        }
    )


def beyond_accuracy(lists, train):
    """Return the coverage and the novelty of lists; ``train`` as CSR."""
    m, n = train.shape
    listed = lists >= 0
    coverage = len(np.unique(lists[listed])) / n
    owners = np.bincount(train.indices, minlength=n)
    bits = -np.log2(np.maximum(owners, 1) / m)
    length = listed.sum(axis=1)
    total = np.where(listed, bits[lists], 0).sum(axis=1)
    # A user who has seen everything gets an empty list, which is neither novel nor not.
    novelty = (total[length > 0] / length[length > 0]).mean() if length.any() else np.nan
    return coverage, novelty


def _cells(R):
    """Number each stored entry by its place in the dense matrix, read row by row."""
    return rows_of(R) * R.shape[1] + R.indices


def _checked_lists(lists, m, n):
    lists = np.asarray(lists)
    if lists.ndim != 2 or (m is not None and len(lists) != m):
        rows = "a row for each user" if m is None else f"{m} rows, one for each user"
        raise ValueError(f"lists has shape {lists.shape}: give {rows}")
    if lists.size and lists.dtype.kind not in "iu":
        raise ValueError(f"lists holds {lists.dtype} entries: give item positions, whole numbers")
    if lists.size and not (-1 <= lists.min() and lists.max() < n):
        wrong = lists[(lists < -1) | (lists >= n)][0]
        raise ValueError(
            f"lists holds the position {wrong}: choose from 0 to {n - 1}, or -1 for none"
        )
    return lists.astype(int)
