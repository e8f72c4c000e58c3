"""Fitting one model and judging it: by its lists, by what it costs, and by what it cannot know."""

import inspect
import time
import tracemalloc
from itertools import pairwise

import numpy as np
import pandas as pd
import scipy.sparse as sp

from ..data.interactions import as_csr, rows_of, shown
from .metrics import (
    USERS_AT_ONCE,
    beyond_accuracy,
    bootstrap_interval,
    evaluate_per_user,
    judged_lists,
    per_user,
)
from .search import search

# Standard errors from chance at which `leak_check` speaks: for an honest model, once in 3 million.
SUSPICIOUS = 5
# Scores closer than this share of the largest are equal: what remains is rounding, float32's too.
ROUNDING = 1e-6
# Pairs of twins that are compared at once: 10 MB for their scores, their places and the signs.
PAIRS = 200_000


def parted(split, data, seed):
    """Return train, test and candidates (None: all items) of a split, which may leave these out."""
    train, test, *rest = split(data, seed)
    return train, test, rest[0] if rest else None


def tune(make, values, train, split, metric, k, trials, seed, report) -> dict:
    """Choose a setting by a split of train: what the row says of it.

    ``values`` holds only what there is to choose; ``make`` knows the rest.
    """
    if not values:
        return {"setting": {}, "score": np.nan, "tried": 1, "edge": ""}
    known, validation, candidates = parted(split, train, seed)
    trial = 0

    def score(setting):
        nonlocal trial
        trial += 1
        report(f"trial {trial} of {trials}")
        model = build(make, setting, seed)
        model.fit(known)
        scores = among(candidates, model.scores)
        return evaluate_per_user(scores, known, validation, k)[metric].mean()

    return search(score, values, trials, seed)


def judge(make, setting, train, test, candidates, metrics, k, seed, *, leaks, memory) -> dict:
    """Fit one setting to all of train, and judge it: the rest of the row."""
    model = build(make, setting, seed)
    start = time.perf_counter()
    model.fit(train)
    seconds = time.perf_counter() - start
    lengths = {metric: int(metric.partition("@")[2] or k) for metric in metrics}
    scores = among(candidates, model.scores)
    users, lists, hits, relevant, R = judged_lists(scores, train, test, max(lengths.values()), seed)
    result = {}
    for metric, length in lengths.items():
        name = metric.partition("@")[0]
        if name in ("coverage", "novelty"):
            result[metric] = beyond_accuracy(lists[:, :length], R)[name == "novelty"]
        else:
            result[metric] = per_user(hits[:, :length], relevant)[name].mean()
    values = per_user(hits[:, :k], relevant)[metrics[0]]
    low, high = bootstrap_interval(values, rng=seed)
    beyond = leak_check(model, train, test) if leaks else np.nan
    honest = not beyond > SUSPICIOUS or getattr(model, "side_information", False)
    return {
        **{metric: float(value) for metric, value in result.items()},
        "low": low,
        "high": high,
        "users": len(users),
        "seconds": seconds,
        "MiB": _peak(make, setting, train, seed) if memory else np.nan,
        "beyond_train": beyond,
        "leak": not honest,
        "people": pd.Series(values.to_numpy(), users),
    }


def build(make, setting, seed):
    """Make a model; one that has an argument ``rng`` gets the seed."""
    if "rng" in inspect.signature(make).parameters:
        setting = {"rng": seed, **setting}
    return make(**setting)


def among(candidates, scores):
    """Let the candidates stand before all other items in a function's scores; None: leave them."""
    if candidates is None:
        return scores

    def restricted(users):
        rows = np.array(scores(users), dtype=float)
        # Their order is all that counts of the candidates' scores; the others are below.
        return np.where(candidates, rows, rows.min(initial=0) - 1)

    return restricted


def _peak(make, setting, train, seed):
    """Return the MiB that Python and numpy hold at most while a model is fitted.

    A fit of its own: tracing takes time, which must not be in the seconds.
    """
    model = build(make, setting, seed)
    tracemalloc.start()
    try:
        model.fit(train)
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def leak_check(model, train, test) -> float:
    """Measure whether a fitted model knows more of the test than train can tell.

    Two items are twins if the same users have them in train, with the same values. To a model that
    has learnt from train alone they are the same item, so which of its twins a user has in the test
    it can only guess: on average that item stands in the middle among its twins. If it stands
    above, the model knows something else: the genre, honestly, or the test. (All items that nobody
    has in train are twins. Where data are sparse there are many.)

    Parameters
    ----------
    model : fitted; anything with ``scores(users)``
    train, test : m x n, Interactions, scipy.sparse or dense

    Returns
    -------
    float
        How far above the middle the test's items stand among their twins, in standard errors, each
        item being one observation. For an honest model 0 if it scores twins alike, else about
        normal with a standard deviation of at most 1. More than 5 calls for an explanation. A leak
        that shows in no twin is not seen.

    Notes
    -----
    An event's place is the share of its item's twins that score lower, less the share that score
    higher, halved: the statistic of Mann and Whitney (1947), with ties. The places of an item are
    summed before anything is squared, since they need not be independent (Liang and Zeger 1986).

    References
    ----------
    S. Kaufman, S. Rosset, C. Perlich and O. Stitelman (2012). Leakage in data mining: formulation,
    detection, and avoidance. ACM Transactions on Knowledge Discovery from Data 6 (4), article 15.
    doi:10.1145/2382577.2382579
    H. Mann and D. Whitney (1947). On a test of whether one of two random variables is
    stochastically larger than the other. Annals of Mathematical Statistics 18, 50-60.
    doi:10.1214/aoms/1177730491
    K.-Y. Liang and S. Zeger (1986). Longitudinal data analysis using generalized linear models.
    Biometrika 73, 13-22. doi:10.1093/biomet/73.1.13

    Examples
    --------
    >>> from recsys_lab import Popularity, TruncatedSVD
    >>> R = np.random.default_rng(0).random((50, 200)) < 0.1
    >>> train = R.copy()
    >>> train[:, 100:] = False  # nobody has these: all are twins
    >>> test = R & ~train
    >>> round(leak_check(Popularity().fit(train), train, test))
    0
    >>> leak_check(TruncatedSVD(50).fit(R), train, test) > 5  # it has learnt from the test as well
    True
    """
    if isinstance(model, type) or not callable(getattr(model, "scores", None)):
        raise ValueError(f"model={shown(model)} gives no scores: pass a fitted model")
    R, T = as_csr(train, "train"), as_csr(test, "test")
    if R.shape != T.shape:
        raise ValueError(
            f"test is {T.shape[0]} x {T.shape[1]} but train is {R.shape[0]} x {R.shape[1]}: both "
            "must be users x items"
        )
    group, members, first = _twins(R)
    sizes = np.diff(first)
    sums = np.zeros(R.shape[1])
    asked, items = rows_of(T), T.indices
    has_twins = sizes[group[items]] > 1
    asked, items = asked[has_twins], items[has_twins]
    users = np.unique(asked)
    for start in range(0, len(users), USERS_AT_ONCE):
        part = users[start : start + USERS_AT_ONCE]
        rows = np.asarray(model.scores(part))
        equal = ROUNDING * np.abs(rows).max(axis=1)
        inside = slice(*np.searchsorted(asked, [part[0], part[-1] + 1]))
        row, item = np.searchsorted(part, asked[inside]), items[inside]
        size = sizes[group[item]]
        for begin, end in _chunks(size):
            r, i, s = row[begin:end], item[begin:end], size[begin:end]
            # Every event beside each of its twins: all pairs in one long array.
            event = np.repeat(np.arange(len(s)), s)
            place = np.arange(s.sum()) - np.repeat(np.cumsum(s) - s, s)
            twin = members[first[group[i]][event] + place]
            ahead = rows[r, i][event] - rows[r[event], twin]
            signs = (ahead > equal[r][event]).astype(float) - (ahead < -equal[r][event])
            sums += np.bincount(i, np.bincount(event, signs) / s / 2, minlength=len(sums))
    error = np.sqrt((sums**2).sum())
    return float(sums.sum() / error) if error else 0.0


def _twins(R):
    """Group the columns that are equal: the group of each item, and all items by group.

    The members of group g are ``members[first[g] : first[g + 1]]``.
    """
    columns, seen = sp.csc_array(R), {}
    columns.sort_indices()
    bounds = columns.indptr.tolist()
    group = np.array(
        [
            seen.setdefault(
                (columns.indices[a:b].tobytes(), columns.data[a:b].tobytes()), len(seen)
            )
            for a, b in pairwise(bounds)
        ]
    )
    members = np.argsort(group, kind="stable")
    return group, members, np.concatenate([[0], np.cumsum(np.bincount(group))])


def _chunks(sizes):
    """Cut events into runs of about PAIRS pairs."""
    total, bounds = np.cumsum(sizes), [0]
    while bounds[-1] < len(sizes):
        done = total[bounds[-1] - 1] if bounds[-1] else 0
        bounds.append(max(bounds[-1] + 1, int(np.searchsorted(total, done + PAIRS))))
    return list(pairwise(bounds))
