"""Which model is best? A contest in which each has the same chance to be tuned, and none peeks.

What is measured depends on the split, the metric and the tuning, so all three are part of the
result. Untuned rivals have let many a new model look good (Ferrari Dacrema, Cremonesi and Jannach
2019; Rendle, Zhang and Koren 2019).
"""

import json
import os
import platform
import warnings
from collections.abc import Iterable, Sized
from datetime import date
from functools import partial
from itertools import product
from numbers import Integral
from pathlib import Path

import numpy as np
import pandas as pd

from ..course.status import progress_line
from ..data.interactions import Interactions, as_count, as_share, as_yes_or_no, shown
from ..data.splits import (
    split_cold_items,
    split_cold_users,
    split_last,
    split_random,
    split_time,
)
from ..models.recommenders import (
    ALS,
    BPR,
    EASE,
    Content,
    ItemNeighbours,
    KerasDot,
    Popularity,
    Random,
    RecentPopularity,
    SoftThresholdedSVD,
    TruncatedSVD,
    UserNeighbours,
)
from .judge import judge, parted, tune
from .search import Span
from .store import Store, checksum


def _cold_items(data, seed):
    train, test = split_cold_items(data, 0.2, seed)
    # Only what nobody has yet is offered: a warm film in the list would count as missed.
    return train, test, np.bincount(test.matrix.indices, minlength=test.shape[1]) > 0


# The splits of the course: a function of the data and a seed, which gives train and test.
SPLITS = {
    "last": lambda data, seed: split_last(data, 0.2),
    "random": lambda data, seed: split_random(data, 0.2, seed),
    "time": lambda data, seed: split_time(data, 0.2),
    "cold users": lambda data, seed: split_cold_users(data, 0.2, seed),
    "cold items": _cold_items,
}
METRICS = ("ndcg", "recall", "hit_rate", "coverage", "novelty")
# What a row says of its tuning, which seeds may share.
TUNED = ("chosen", "validation", "tried", "edge")
# For the intervals of `standings`: a level of 1 - 0.05/14 leaves 36 of so many draws at either end.
REPEATS = 20_000


def rivals(features) -> dict:
    """List the course's models, and what to try for each: the contestants of the leaderboard.

    Trials around the best may leave a range, but for its floor and ceiling: beyond these there is
    nothing, or nothing new. Where a penalty removes factors by itself, a small k beside it is a
    second cut, and a search of both finds the first too rarely. So ALS zero gets more factors than
    a good penalty leaves, ALS weak so many that the last ones are small, and both spend their
    trials on the penalty. ALS weak gets 8 iterations: 15 cost twice as much and change its nDCG on
    a validation part by less than 0.001.

    Parameters
    ----------
    features : n x d array
        What is known of the items, for `Content`.

    Returns
    -------
    dict: name -> (class, dict: argument -> values to try)
    """
    near = {"neighbours": Span(10, 1000, whole=True, ceiling=9000), "shrinkage": Span(0.3, 300)}
    return {
        "chance": (Random, {}),
        "popularity": (Popularity, {}),
        "recent popularity": (RecentPopularity, {"days": Span(10, 8000, ceiling=8000)}),
        "content": (Content, {"features": [features]}),
        "user neighbours": (UserNeighbours, near),
        "item neighbours": (ItemNeighbours, near),
        "PureSVD": (TruncatedSVD, {"k": Span(2, 256, whole=True, ceiling=400)}),
        "ALS zero": (
            SoftThresholdedSVD,
            {"k": [256], "lam": Span(0.3, 30)},
        ),
        "ALS skip": (
            ALS,
            {"unseen": ["skip"], "k": Span(2, 64, whole=True), "lam": Span(0.3, 300)},
        ),
        "ALS weak": (
            ALS,
            {
                "unseen": ["weak"],
                "k": [128],
                "iterations": [8],
                "lam": Span(1, 100),
                "alpha": Span(0.5, 40),
            },
        ),
        "EASE": (EASE, {"lam": Span(3, 3000)}),
        "EASE, dropout": (EASE, {"lam": Span(3, 3000), "dropout": Span(0.03, 0.9, ceiling=0.95)}),
        # These two take most of the time, and are far behind: their trials keep to the ranges.
        "BPR": (
            BPR,
            {
                "k": Span(8, 64, whole=True, floor=8, ceiling=64),
                "lam": Span(0.003, 0.1, floor=0.003, ceiling=0.1),
                "learning_rate": Span(0.02, 0.3, floor=0.02, ceiling=0.3),
            },
        ),
        "Keras dot": (
            KerasDot,
            {
                "k": Span(8, 64, whole=True, floor=8, ceiling=64),
                "l2": Span(3e-7, 1e-4, floor=3e-7, ceiling=1e-4),
                "epochs": Span(2, 12, whole=True, floor=2, ceiling=12),
                "learning_rate": Span(0.002, 0.1, floor=0.002, ceiling=0.1),
            },
        ),
    }


def leaderboard(
    models: dict,
    data: Interactions,
    splits: dict | None = None,
    metrics=METRICS,
    seeds=(0, 1, 2),
    *,
    k: int = 10,
    trials: int = 16,
    path: str | Path | None = None,
    leaks: bool = True,
    memory: bool = False,
) -> pd.DataFrame:
    """Tune, fit and judge every model on every split, with every seed.

    Each model is tuned on its own, with the same number of trials for all (see
    `recsys_lab.judging.search`): each trial is fitted to a part of train, and judged by the first
    metric on the rest, which the split itself holds out of train. The best one is fitted to all of
    train, and only then comes the test.

    Parameters
    ----------
    models : dict: name -> (maker, dict: argument -> values to try)
        The maker is a class or a function that gives a model (see
        `recsys_lab.models.recommenders`) when called with an argument of each name, and with
        ``rng=seed`` if it has an argument ``rng``. The values are a list, or a `Span`; a list of
        one is fixed.
    data : Interactions
    splits : dict: name -> function of data and a seed
        It gives train and test, and if only some items may be listed, n bools that say which. By
        default "last" and "random": the last 20 % of each user's events, and 20 % of all.
        ``SPLITS`` of this module has more.
    metrics : names of what ``evaluate`` gives
        The first one decides the tuning, and gets an interval: let it be one of a user's list, such
        as "ndcg". After it there may be others of another length of list, such as "ndcg@20".
    seeds : whole numbers
        For the split, for the model, for the choice of trials and for ties.
    k : int
        Length of the lists, where a metric does not say it.
    trials : int
        How many settings of a model are tried. 16 place a single argument to a few per cent of its
        range on the log scale; three arguments are searched more coarsely.
    path : str or Path, optional
        A CSV file for the result; people's scores go beside it, as ``.npz``. Each row is written
        when it is done, and one that is there is not computed again as long as data, trials,
        metrics and the values to try are the same; so an interrupted contest goes on, and a new
        model joins an old one. The models' code is not compared: delete the rows of a model that
        you have changed.
    leaks : bool
        Run `leak_check`, which asks for all scores a second time.
    memory : bool
        Measure the memory of the fit, which takes a second, slower fit.

    Returns
    -------
    DataFrame, a row for each split, model and seed
        - split, model, seed; each metric;
        - low, high: the first metric's 95 % bootstrap interval over users;
        - users: how many were judged; people: the first metric of each, by the user's position;
        - chosen: the setting, as JSON; validation: the first metric it had there;
          tried: the number of settings; edge: which of the choices lie at an end of what was
          offered, such as "k high": there a wider range might have served the model better;
        - seconds: to fit, with the chosen setting; MiB: the most that Python and numpy held
          meanwhile (not what TensorFlow holds), or NaN;
        - beyond_train: see `leak_check`, or NaN; leak: if it is larger than 5, and the model did
          not say that it has side information;
        - date, machine; checksum: of all that must be the same for a row to count.

        With the same checksum, seeds share the tuning: there the split does not depend on the seed.

    Raises
    ------
    ValueError
        If there is no model, split or seed, a name is unknown, or an argument is out of its range.

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

    Examples
    --------
    >>> from recsys_lab import Interactions
    >>> R = np.random.default_rng(0).random((40, 30)) < 0.3
    >>> data = Interactions(R, range(40), range(30))
    >>> models = {"popularity": (Popularity, {}), "PureSVD": (TruncatedSVD, {"k": [2, 4]})}
    >>> splits = {"random": lambda data, seed: split_random(data, 0.2, seed)}
    >>> table = leaderboard(models, data, splits, ["ndcg", "coverage"], seeds=[0])
    >>> table[["model", "tried"]].values.tolist()
    [['popularity', 1], ['PureSVD', 2]]
    """
    splits = {name: SPLITS[name] for name in ("last", "random")} if splits is None else splits
    trials, k = as_count(trials, "trials"), as_count(k, "k")
    leaks, memory = as_yes_or_no(leaks, "leaks"), as_yes_or_no(memory, "memory")
    metrics, seeds = _metrics(metrics), _seeds(seeds)
    _check(models, data, splits)
    store, show, rows = Store(path), progress_line(), []
    contests = [(*pair, name) for pair in product(splits, seeds) for name in models]
    try:
        for number, (split, seed, name) in enumerate(contests):
            if number % len(models) == 0:
                train, test, candidates = parted(splits[split], data, seed)
            make, values = models[name]
            key = {"split": split, "model": name, "seed": seed}
            same = checksum(train, test, candidates, make, values, metrics, k, trials)
            row = store.find(**key, checksum=same)
            if row is None or not _is_whole(row, leaks, memory):
                filled = 12 * number // len(contests)
                bar = f"[{'#' * filled}{'.' * (12 - filled)}] {number + 1} of {len(contests)}: "
                report = partial(_report, show, f"{bar}{name}, {split}, ")
                fixed, free = _fixed_and_free(values)
                make = partial(make, **fixed) if fixed else make
                tuned = store.find(split=split, model=name, checksum=same)
                try:
                    if tuned is None:
                        found = tune(
                            make, free, train, splits[split], metrics[0], k, trials, seed, report
                        )
                        tuned = {"chosen": json.dumps(found["setting"], default=_plain)}
                        tuned |= {"validation": found["score"], "tried": found["tried"]}
                        tuned |= {"edge": found["edge"]}
                    report("test")
                    setting = json.loads(tuned["chosen"])
                    result = judge(
                        make, setting, train, test, candidates, metrics, k, seed,
                        leaks=leaks, memory=memory,
                    )  # fmt: skip
                except Exception as error:
                    error.add_note(f"This happened to the model {name!r} in the split {split!r}.")
                    raise
                of_tuning = {
                    part: tuned[part] for part in ("chosen", "validation", "tried", "edge")
                }
                today = {"date": date.today().isoformat(), "machine": _machine()}
                row = key | result | of_tuning | today | {"checksum": same}
                row["people"] = row.pop("people")  # last, where it does not hide the rest
                store.put(row)
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


def standings(table: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Average a leaderboard over its seeds, the best model of each split first.

    Parameters
    ----------
    table : DataFrame, from ``leaderboard`` or ``read_leaderboard``
    level : float between 0 and 1
        Of all the intervals of a split together.

    Returns
    -------
    DataFrame, indexed by split and model
        - the means of the metrics, of low and high, and of seconds and MiB; ``spread``: the largest
          value less the smallest of the first metric among the seeds; ``seeds``: how many; ``leak``
          and ``edge``: of any seed. A model with a leak stands last, whatever it scored;
        - behind, behind_low, behind_high: how much better the first model is, person by person, and
          the interval of that; ``may_be_best``: whether 0 is in the interval.

    Notes
    -----
    A person's score is the mean over the seeds in which they were judged. Then each model is
    compared with the first one on the same people, by the percentile bootstrap, with the same draws
    for all.
    With M models there are M - 1 comparisons, and each gets the level 1 - (1 - level) / (M - 1)
    (Bonferroni), so the chance that any interval of a split misses is at most 1 - level. The first
    was chosen because it is first, and yet M - 1 is enough: whichever model is truly best,
    it is compared with M - 1 others, and with that level none of them is found ahead of it. So the
    models that ``may_be_best`` include the truly best one (Hsu 1981). Holm's way (1979) is
    sharper for tests, and gives no intervals to draw.

    References
    ----------
    J. Hsu (1981). Simultaneous confidence intervals for all distances from the "best". Annals of
    Statistics 9, 1026-1034. doi:10.1214/aos/1176345582
    S. Holm (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of
    Statistics 6, 65-70.
    """
    level = as_share(level, "level")
    if not isinstance(table, pd.DataFrame) or not {"split", "model", "low"} <= set(table):
        raise ValueError(
            f"table={shown(table)} is no leaderboard: pass what leaderboard or read_leaderboard "
            "returned"
        )
    metrics = list(table.columns[3 : table.columns.get_loc("low")])
    groups = table.groupby(["split", "model"], sort=False)
    result = groups[[*metrics, "low", "high", "seconds", "MiB"]].mean()
    result.insert(result.columns.get_loc("high") + 1, "spread", groups[metrics[0]].agg(np.ptp))
    result["seeds"], result["leak"] = groups.size(), groups["leak"].any()
    result["edge"] = groups["edge"].agg(_together)
    # Two stable sorts: by value, then by split, which keep their order of appearance.
    order = [list(result.index.unique("split")).index(split) for split, _ in result.index]
    result = result.iloc[np.lexsort((-result[metrics[0]], result["leak"], order))]
    if "people" in table and table["people"].notna().all():
        parts = [
            _behind(table[table["split"] == split], result.loc[split].index, level)
            for split in result.index.unique("split")
        ]
        result = result.join(pd.concat(parts))
    return result


def _behind(rows, models, level):
    """Compare each model of a split with the first one, person by person."""
    people = {name: pd.concat(list(part["people"])) for name, part in rows.groupby("model")}
    scores = pd.DataFrame({name: people[name].groupby(level=0).mean() for name in models})
    scores = scores.dropna()  # whom a model was not asked about, in another seed
    ahead = scores[[models[0]]].to_numpy() - scores.to_numpy()
    each = (1 - level) / max(1, len(models) - 1)
    rng, means, people_count = np.random.default_rng(0), [], len(ahead)
    for _ in range(0, REPEATS, 500):
        # How often each person is drawn: as many draws as people, with replacement.
        draws = rng.integers(people_count, size=(500, people_count))
        cells = draws + people_count * np.arange(500)[:, None]
        drawn = np.bincount(cells.ravel(), minlength=500 * people_count)
        means.append(drawn.reshape(500, people_count) @ ahead / people_count)
    low, high = np.quantile(np.concatenate(means), [each / 2, 1 - each / 2], axis=0)
    index = pd.MultiIndex.from_product([rows["split"].unique(), models], names=["split", "model"])
    found = {"behind": ahead.mean(axis=0), "behind_low": low, "behind_high": high}
    return pd.DataFrame({**found, "may_be_best": low <= 0}, index=index)


def _metrics(metrics):
    """Check the metrics' names; the first has to be one of a single list."""
    metrics = _listed(metrics, "metrics", "names of metrics")
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
    return metrics


def _listed(given, name, what):
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise ValueError(f"{name}={shown(given)}: give a list of {what}")
    return list(given)


def _seeds(seeds):
    """Check the seeds, and return them as Python's whole numbers, as a stored row has them."""
    seeds = _listed(seeds, "seeds", "whole numbers, such as [0]")
    if not seeds:
        raise ValueError("seeds is empty: give at least one whole number, such as [0]")
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
            raise ValueError(f"seeds holds {shown(seed)}: give whole numbers from 0 on")
    return [int(seed) for seed in seeds]


def _check(models, data, splits):
    if not isinstance(data, Interactions):
        raise ValueError(f"data is a {type(data).__name__}: pass Interactions")
    for what, given in [("models", models), ("splits", splits)]:
        if not isinstance(given, dict) or not given:
            raise ValueError(f"{what}={given!r}: give a dict with at least one entry")
    for name, split in splits.items():
        if not callable(split):
            raise ValueError(
                f"splits[{name!r}] is {shown(split)}: give a function of data and seed, such as "
                "lambda data, seed: split_random(data, 0.2, seed)"
            )
    for name, pair in models.items():
        if not (
            isinstance(pair, (tuple, list))
            and len(pair) == 2
            and callable(pair[0])
            and isinstance(pair[1], dict)
        ):
            raise ValueError(
                f"models[{name!r}] is no pair: give (class, dict of values to try), such as "
                "(EASE, {'lam': [100.0, 300.0]})"
            )
        for argument, tried in pair[1].items():
            several = isinstance(tried, Sized) and not isinstance(tried, str) and len(tried)
            if not isinstance(tried, Span) and not several:
                raise ValueError(
                    f"models[{name!r}] has {argument}={tried!r}: give a list of values to try, or "
                    "a Span"
                )


def _fixed_and_free(values):
    """Tell the arguments with one value from those with something to choose."""
    free = {
        name: tried for name, tried in values.items() if isinstance(tried, Span) or len(tried) > 1
    }
    return {name: tried[0] for name, tried in values.items() if name not in free}, free


def _is_whole(row, leaks, memory):
    """Tell whether a stored row has all that is asked for."""
    wanted = ["beyond_train"] * leaks + ["MiB"] * memory
    return row["people"] is not None and not any(np.isnan(row[name]) for name in wanted)


def _together(edges):
    """Join what seeds say of their edges, each thing once."""
    found = [part for edge in edges if isinstance(edge, str) for part in edge.split(", ") if part]
    return ", ".join(dict.fromkeys(found))


def _plain(value):
    """Turn a number of numpy's into one of Python's, for JSON."""
    return value.item()


def _report(show, before, what):
    show(f"{before}{what}"[:60])


def _machine():
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
