"""Which model is best? A contest in which each has the same chance to be tuned, and none peeks.

What is measured depends on the split, the metric and the tuning, so all three are part of the
result. Untuned rivals have let many a new model look good (Ferrari Dacrema, Cremonesi and Jannach
2019; Rendle, Zhang and Koren 2019).
"""

import inspect
import json
import os
import platform
import time
import tracemalloc
import warnings
import zlib
from datetime import date
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from ..course.status import progress_line
from ..data.interactions import Interactions, as_count, as_csr
from ..data.splits import split_last, split_random
from ..models.recommenders import (
    ALS,
    BPR,
    EASE,
    Content,
    ItemNeighbours,
    KerasDot,
    Popularity,
    Random,
    TruncatedSVD,
    UserNeighbours,
)
from .metrics import (
    USERS_AT_ONCE,
    beyond_accuracy,
    bootstrap_interval,
    evaluate_per_user,
    judged_lists,
    per_user,
)

# The splits of the course: a function of the data and a seed, which gives train and test.
SPLITS = {
    "last": lambda data, seed: split_last(data, 0.2),
    "random": lambda data, seed: split_random(data, 0.2, seed),
}
METRICS = ("ndcg", "recall", "hit_rate", "coverage", "novelty")
# Standard errors from chance at which `leak_check` speaks: for an honest model, once in 3 million.
SUSPICIOUS = 5
# Scores closer than this share of the largest are equal: what remains is rounding, float32's too.
ROUNDING = 1e-6


def rivals(features) -> dict:
    """List the course's models, and what to try for each: the contestants of the leaderboard.

    Parameters
    ----------
    features : n x d array
        What is known of the items, for `Content`.

    Returns
    -------
    dict: name -> (class, dict: argument -> values to try)
    """
    k, lam = [8, 16, 32, 64], [1.0, 3.0, 10.0, 30.0]
    near = {"neighbours": [20, 50, 100, 300], "shrinkage": [0.0, 10.0, 50.0]}
    return {
        "chance": (Random, {}),
        "popularity": (Popularity, {}),
        "content": (Content, {"features": [features]}),
        "user neighbours": (UserNeighbours, near),
        "item neighbours": (ItemNeighbours, near),
        "SVD": (TruncatedSVD, {"k": [4, 8, 12, 16, 24, 32, 48, 64]}),
        "ALS zero": (ALS, {"unseen": ["zero"], "k": k, "lam": lam}),
        "ALS skip": (ALS, {"unseen": ["skip"], "k": k[:2], "lam": lam}),
        "ALS weak": (ALS, {"unseen": ["weak"], "k": k[:3], "lam": lam, "alpha": [1.0, 4.0]}),
        "EASE": (EASE, {"lam": [10.0, 30.0, 60.0, 100.0, 200.0, 300.0, 600.0, 1000.0]}),
        "EASE, dropout": (
            EASE,
            {"lam": [10.0, 30.0, 100.0, 300.0], "dropout": [0.1, 0.25, 0.5, 0.75]},
        ),
        "BPR": (BPR, {"k": k[1:3], "lam": [0.01, 0.02, 0.04], "learning_rate": [0.05, 0.1]}),
        "Keras dot": (KerasDot, {"k": k[1:3], "l2": [1e-6, 3e-6, 1e-5], "epochs": [3, 5]}),
    }


def leaderboard(
    models: dict,
    data: Interactions,
    splits: dict = SPLITS,
    metrics=METRICS,
    seeds=(0, 1, 2),
    *,
    k: int = 10,
    trials: int = 8,
    path: str | Path | None = None,
) -> pd.DataFrame:
    """Tune, fit and judge every model on every split, with every seed.

    Each model is tuned on its own: of the combinations of its values at most ``trials`` are drawn,
    the same number for all; each is fitted to a part of train, and judged by the first metric on
    the rest, which the split itself holds out of train. The best one is fitted to all of train, and
    only then comes the test.

    Parameters
    ----------
    models : dict: name -> (maker, dict: argument -> values to try)
        The maker is a class or a function that gives a model (see
        `recsys_lab.models.recommenders`) when called with an argument of each name, and with
        ``rng=seed`` if it has an argument ``rng``.
    data : Interactions
    splits : dict: name -> function of data and a seed that gives train and test
        By default the last 20 % of each user's events ("last"), and 20 % of all ("random").
    metrics : names of what ``evaluate`` gives
        The first one decides the tuning, and gets an interval: let it be one of a user's list, such
        as "ndcg". After it there may be others of another length of list, such as "ndcg@20".
    seeds : whole numbers
        For the split, for the model, for the choice of trials and for ties.
    k : int
        Length of the lists, where a metric does not say it.
    trials : int
        How many settings of a model are tried.
    path : str or Path, optional
        A CSV file for the result. Each row is written when it is done, and one that is there is not
        computed again as long as data, trials, metrics and the values to try are the same; so an
        interrupted contest goes on, and a new model joins an old one. The models' code is not
        compared: delete the rows of a model that you have changed.

    Returns
    -------
    DataFrame, a row for each split, model and seed
        - split, model, seed; each metric;
        - low, high: the first metric's 95 % bootstrap interval over users;
        - users: how many were judged;
        - chosen: the setting, as JSON; validation: the first metric it had there;
          tried: the number of settings;
        - seconds: to fit, with the chosen setting; MiB: the most that Python and numpy held
          meanwhile (not what TensorFlow holds);
        - beyond_train: see `leak_check`; leak: if it is larger than 5, and the model did not say
          that it has side information;
        - date, machine; checksum: of all that must be the same for a row to count.

        With the same checksum, seeds share the tuning: there the split does not depend on the seed.

    Raises
    ------
    ValueError
        If a name is unknown, or an argument is out of its range.

    Warns
    -----
    UserWarning
        If a model knows more of the test than train can tell.

    References
    ----------
    M. Ferrari Dacrema, P. Cremonesi and D. Jannach (2019). Are we really making much progress? A
    worrying analysis of recent neural recommendation approaches. RecSys 13, 101-109.
    doi:10.1145/3298689.3347058
    S. Rendle, L. Zhang and Y. Koren (2019). On the difficulty of evaluating baselines: a study on
    recommender systems. arXiv:1905.01395
    J. Bergstra and Y. Bengio (2012). Random search for hyper-parameter optimization. Journal of
    Machine Learning Research 13, 281-305.

    Examples
    --------
    >>> from recsys_lab import Interactions
    >>> R = np.random.default_rng(0).random((40, 30)) < 0.3
    >>> data = Interactions(R, range(40), range(30))
    >>> models = {"popularity": (Popularity, {}), "SVD": (TruncatedSVD, {"k": [2, 4]})}
    >>> splits = {"random": lambda data, seed: split_random(data, 0.2, seed)}
    >>> table = leaderboard(models, data, splits, ["ndcg", "coverage"], seeds=[0])
    >>> table[["model", "tried"]].values.tolist()
    [['popularity', 1], ['SVD', 2]]
    """
    trials, metrics = as_count(trials, "trials"), list(metrics)
    known = ["precision", "recall", "ndcg", "map", "hit_rate", "coverage", "novelty"]
    for metric in metrics:
        name, at, length = str(metric).partition("@")
        if name not in known or (at and not (length.isdecimal() and int(length))):
            raise ValueError(
                f"metrics holds {metric!r}: choose from {', '.join(known)}; a length may follow, "
                "as in ndcg@20"
            )
    if not metrics or metrics[0] not in known[:5]:
        raise ValueError(f"metrics={metrics}: let the first one be one of {', '.join(known[:5])}")
    table = _read(path)
    contests = [(*pair, name) for pair in product(splits, seeds) for name in models]
    show, rows = progress_line(), []
    try:
        for number, (split, seed, name) in enumerate(contests):
            if number % len(models) == 0:
                train, test = splits[split](data, seed)
            make, values = models[name]
            key = {"split": split, "model": name, "seed": seed}
            checksum = _checksum(train, test, make, values, metrics, k, trials)
            row = _find(table, key | {"checksum": checksum})
            if row is None:
                filled = 12 * number // len(contests)
                bar = f"[{'#' * filled}{'.' * (12 - filled)}] {number + 1} of {len(contests)}: "
                report = partial(_report, show, f"{bar}{name}, {split}, ")
                try:
                    tuned = _tuned_before(table, key, checksum) or _tune(
                        make, values, train, splits[split], metrics[0], k, trials, seed, report
                    )
                    report("test")
                    result = _judge(make, values, tuned, train, test, metrics, k, seed)
                except Exception as error:
                    error.add_note(f"This happened to the model {name!r} in the split {split!r}.")
                    raise
                today = {"date": date.today().isoformat(), "machine": _machine()}
                row = key | result | today | {"checksum": checksum}
                table = _with_row(table, key, row)
                _write(table, path)
            if row["leak"]:
                warnings.warn(
                    f"{name} knows more of the test than train can tell (split {split}, "
                    f"{row['beyond_train']:.0f} standard errors): see leak_check",
                    stacklevel=2,
                )
            rows.append(row)
    finally:
        show("")
    return pd.DataFrame(rows)


def standings(table: pd.DataFrame) -> pd.DataFrame:
    """Average a leaderboard over its seeds, the best model of each split first.

    Parameters
    ----------
    table : DataFrame, from ``leaderboard``

    Returns
    -------
    DataFrame, indexed by split and model
        The means of the metrics, of low and high, and of seconds and MiB; ``spread``: the largest
        value less the smallest of the first metric among the seeds; ``seeds``: how many. A model
        with a leak stands last, whatever it scored.
    """
    metrics = list(table.columns[3 : table.columns.get_loc("low")])
    groups = table.groupby(["split", "model"], sort=False)
    result = groups[[*metrics, "low", "high", "seconds", "MiB"]].mean()
    result.insert(result.columns.get_loc("high") + 1, "spread", groups[metrics[0]].agg(np.ptp))
    result["seeds"], result["leak"] = groups.size(), groups["leak"].any()
    # Two stable sorts: by value, then by split, which keep their order of appearance.
    order = [list(result.index.unique("split")).index(split) for split, _ in result.index]
    return result.iloc[np.lexsort((-result[metrics[0]], result["leak"], order))]


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

    Examples
    --------
    >>> R = np.random.default_rng(0).random((50, 200)) < 0.1
    >>> train = R.copy()
    >>> train[:, 100:] = False  # nobody has these: all are twins
    >>> test = R & ~train
    >>> round(leak_check(Popularity().fit(train), train, test))
    0
    >>> leak_check(TruncatedSVD(50).fit(R), train, test) > 5  # it has learnt from the test as well
    True
    """
    R, T = as_csr(train, "train"), as_csr(test, "test")
    twins = _twins(R)
    sums = np.zeros(R.shape[1])
    users = np.flatnonzero(np.diff(T.indptr))
    for first in range(0, len(users), USERS_AT_ONCE):
        part = users[first : first + USERS_AT_ONCE]
        for user, row in zip(part, np.asarray(model.scores(part)), strict=True):
            equal = ROUNDING * np.abs(row).max()
            for item in T.indices[T.indptr[user] : T.indptr[user + 1]]:
                if item in twins:
                    ahead = row[item] - row[twins[item]]
                    sums[item] += ((ahead > equal).mean() - (ahead < -equal).mean()) / 2
    error = np.sqrt((sums**2).sum())
    return float(sums.sum() / error) if error else 0.0


def _twins(R) -> dict:
    """Map each item that has twins to the positions of all of them, its own included."""
    columns, groups = sp.csc_array(R), {}
    columns.sort_indices()
    for item in range(R.shape[1]):
        part = slice(columns.indptr[item], columns.indptr[item + 1])
        content = columns.indices[part].tobytes(), columns.data[part].tobytes()
        groups.setdefault(content, []).append(item)
    twins = {}
    for group in groups.values():
        if group[1:]:
            # One array for all of them: thousands may be twins that nobody has.
            twins |= dict.fromkeys(group, np.array(group))
    return twins


def _settings(values, trials, seed):
    """Combine the values to try; of more combinations than ``trials``, draw so many."""
    combinations = list(product(*values.values()))
    if len(combinations) > trials:
        drawn = np.random.default_rng(seed).choice(len(combinations), trials, replace=False)
        combinations = [combinations[place] for place in np.sort(drawn)]
    return [dict(zip(values, combination, strict=True)) for combination in combinations]


def _build(make, setting, seed):
    if "rng" in inspect.signature(make).parameters:
        setting = {"rng": seed, **setting}
    return make(**setting)


def _tune(make, values, train, split, metric, k, trials, seed, report):
    """Choose a setting by a split of train: what the row says of it."""
    settings, found = _settings(values, trials, seed), [np.nan]
    if len(settings) > 1:
        known, validation = split(train, seed)
        found = []
        for setting in settings:
            report(f"trial {len(found) + 1} of {len(settings)}")
            model = _build(make, setting, seed)
            model.fit(known)
            found.append(evaluate_per_user(model.scores, known, validation, k)[metric].mean())
    best = settings[int(np.argmax(found))]
    return {
        "chosen": json.dumps({name: best[name] for name in values if len(values[name]) > 1}),
        "validation": max(found),
        "tried": len(settings),
    }


def _judge(make, values, tuned, train, test, metrics, k, seed):
    """Fit the chosen setting to all of train, and judge it: the rest of the row."""
    fixed = {name: tried[0] for name, tried in values.items() if len(tried) == 1}
    setting = fixed | json.loads(tuned["chosen"])
    model = _build(make, setting, seed)
    start = time.perf_counter()
    model.fit(train)
    seconds = time.perf_counter() - start
    lengths = {metric: int(metric.partition("@")[2] or k) for metric in metrics}
    longest = max(lengths.values())
    users, lists, hits, relevant, R = judged_lists(model.scores, train, test, longest, seed)
    result = {}
    for metric, length in lengths.items():
        name = metric.partition("@")[0]
        if name in ("coverage", "novelty"):
            result[metric] = beyond_accuracy(lists[:, :length], R)[name == "novelty"]
        else:
            result[metric] = per_user(hits[:, :length], relevant)[name].mean()
    low, high = bootstrap_interval(per_user(hits[:, :k], relevant)[metrics[0]], rng=seed)
    beyond = leak_check(model, train, test)
    honest = beyond <= SUSPICIOUS or getattr(model, "side_information", False)
    del model
    again = _build(make, setting, seed)  # tracing takes time, so the fit above went without
    tracemalloc.start()
    again.fit(train)
    mib = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return {
        **{metric: float(value) for metric, value in result.items()},
        "low": low,
        "high": high,
        "users": len(users),
        **tuned,
        "seconds": seconds,
        "MiB": mib,
        "beyond_train": beyond,
        "leak": not honest,
    }


def _checksum(train, test, make, values, metrics, k, trials):
    """Sum up what a row depends on, but for the code of its model."""

    def plain(value):
        return zlib.crc32(value.tobytes()) if isinstance(value, np.ndarray) else repr(value)

    name = getattr(make, "__qualname__", type(make).__qualname__)
    text = json.dumps([name, values, metrics, k, trials], default=plain)
    total = zlib.crc32(text.encode())
    for R in (as_csr(train, "train"), as_csr(test, "test")):
        for array in (R.data, R.indices, R.indptr):
            total = zlib.crc32(array.tobytes(), total)
    return f"{total:08x}"


def _is(table, wanted):
    return np.logical_and.reduce([table[name] == value for name, value in wanted.items()])


def _find(table, wanted):
    """Return the first row with these values, or None."""
    found = [] if table.empty else table[_is(table, wanted)].to_dict("records")
    return found[0] if found else None


def _tuned_before(table, key, checksum):
    """Return how the same contest with another seed was tuned, or None."""
    same = {"split": key["split"], "model": key["model"], "checksum": checksum}
    row = _find(table, same)
    return row and {name: row[name] for name in ("chosen", "validation", "tried")}


def _with_row(table, key, row):
    """Put a row in the place of the one with the same key, or at the end."""
    rest = table if table.empty else table[~_is(table, key)]
    return pd.DataFrame([*rest.to_dict("records"), row])


def _read(path):
    if path is None or not Path(path).is_file():
        return pd.DataFrame()
    return pd.read_csv(path, dtype={"checksum": str})


def _write(table, path):
    """Write the table to a temporary name and move it: a reader finds the old one or the new."""
    if path is not None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(f"{path}.unfinished")
        table.to_csv(unfinished, index=False, lineterminator="\n")
        os.replace(unfinished, path)


def _report(show, before, what):
    show(f"{before}{what}"[:60])


def _machine():
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
