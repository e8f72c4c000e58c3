"""Which split and metric fit the question that is asked, and which models would be trusted on it.

The contest is the leaderboard of `recsys_lab.judging`, held within a given time: with fewer people,
fewer models or fewer trials where the log is large, which is then said.
"""

import time
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from ..data.interactions import Interactions
from ..data.sequences import ordered_histories
from ..data.splits import split_cold_items, split_cold_users, split_last, split_random, split_time
from ..judging.leaderboard import leaderboard, standings
from ..judging.search import Span
from ..models.recommenders import (
    ALS,
    EASE,
    Content,
    FeatureMap,
    ItemNeighbours,
    Popularity,
    Random,
    RecentPopularity,
    TruncatedSVD,
)
from ..models.sequence_models import Chain
from ..page.figures import FIT, ITEMS, PENALTY, USERS, bars, dots
from .findings import LOW, MOST_PEOPLE, Finding, Study, _panel, count, what_followed

QUESTIONS = ("next", "fill", "new-item", "new-user")
ASKED = {
    "next": "What will people take next?",
    "fill": "What else would they take, of what there is?",
    "new-item": "Who wants an item that nobody has had yet?",
    "new-user": "What to offer to somebody who has had nothing yet?",
}
# One date is the honest split, if it leaves people enough to see a lead of so much in nDCG.
VISIBLE = 0.02
MOST_TRIALS = 8
# An inverse of more rows than this takes too long and too much memory.
MOST_INVERTED = 6000


@dataclass(eq=False)
class WhatFollowed:
    """What followed a user's last event elsewhere: lesson 11's chain, behind fit and scores."""

    damping: float = 10.0
    rng: int = 0

    def fit(self, train):
        """Count what followed what; train needs times."""
        self.histories_ = ordered_histories(train, rng=self.rng)
        self.chain_ = Chain(train.shape[1], damping=self.damping).fit(self.histories_)
        return self

    def scores(self, users):
        """Score all items for some users."""
        if all(len(self.histories_[user]) for user in users):
            last = np.array([self.histories_[user][-1] for user in users])
            return what_followed(self.chain_, last)
        return self.chain_.scores([self.histories_[user] for user in users])


@dataclass
class Plan:
    """The split that is chosen, by which function, and why."""

    question: str
    name: str
    split: object
    why: str
    possible: bool = True


def plan(study: Study, question: str | None, features) -> Plan:
    """Choose the split for a question; without one, for the hardest that the log can answer."""
    has_times = study.log.times is not None
    asked = question or ("next" if has_times else "fill")
    data, _ = study.small
    why = []
    if asked == "next" and not has_times:
        why.append("Without times nobody can say what came next: asked is what was hidden.")
    if asked == "next" and has_times:
        return _next(data, study)
    if asked == "new-item":
        why.append(
            "A fifth of the items is hidden with all their events, and only these are ranked. Who "
            "knows behaviour alone ties for all of them."
        )
        if features is None:
            why.append("Without features there is nothing to rank them by: pass features.")
        return Plan(asked, "cold items", _cold_items, " ".join(why), features is not None)
    if asked == "new-user":
        why.append(
            "A fifth of the users is hidden with all their events. Nothing is known of them, so "
            "what is popular is all that can be offered."
        )
        return Plan(asked, "cold users", partial(_a_fifth, split_cold_users), " ".join(why))
    why.append("A fifth of all events is hidden at random among the others.")
    if has_times:
        why.append("That lets a model learn from what came later: it is no test of *next*.")
    return Plan(asked, "random", partial(_a_fifth, split_random), " ".join(why))


def _a_fifth(split, data, seed):
    return split(data, 0.2, seed)


def _cold_items(data, seed):
    train, test = split_cold_items(data, 0.2, seed)
    return train, test, np.bincount(test.matrix.indices, minlength=test.shape[1]) > 0


def _next(data, study):
    """One date for all if it leaves enough people; else the last events of each."""
    seen = getattr(study, "seen", {}).get("one date", np.inf)
    left = getattr(study, "judged", {}).get("one date", 0)
    if seen <= VISIBLE:
        why = (
            f"One date for all, a fifth of the events after it: nothing of the future is known, "
            f"and {count(left, 'user')} with a past are enough to see a lead of {seen:.3f}."
        )
        return Plan("next", "one date", _by_date, why)
    show = f"a lead of {seen:.3f} or more" if np.isfinite(seen) else "nothing"
    why = (
        f"One date for all would be the honest split, but it leaves {count(left, 'user')} with a "
        f"past, who show {show}. So the last fifth of each user's events is held out. That lets a "
        "model know what others did later, so the popularity of the last weeks cannot be judged."
    )
    return Plan("next", "last", lambda data, seed: split_last(data, 0.2), why)


def _by_date(data, seed):
    """Split by date, and judge only those with a past: a stranger is another question."""
    train, test = split_time(data, 0.2)
    known = np.diff(train.matrix.indptr) > 0
    return train, test.keep(known[test.rows()])


def _fewer(split, most, data, seed):
    """Split, and keep the test of at most so many users."""
    train, test, *rest = split(data, seed)
    asked = np.flatnonzero(np.diff(test.matrix.indptr))
    if len(asked) > most:
        drawn = np.zeros(test.shape[0], dtype=bool)
        drawn[np.random.default_rng(seed).permutation(asked)[:most]] = True
        test = test.keep(drawn[test.rows()])
    return train, test, *rest


def contestants(data: Interactions, plan: Plan, features, dated: bool) -> dict:
    """Name the models for a question, cheap ones first: name -> (maker, values to try)."""
    models = {"popularity": (Popularity, {})}
    if plan.name == "cold items":
        models = {"chance": (Random, {}), "content": (Content, {"features": [features]})}
        if min(data.shape) > 20:
            values = {"features": [features], "k": [min(16, min(data.shape) - 1)]}
            models["map to factors"] = (FeatureMap, values)
        return models
    # By its last day a model of recent popularity would know the future of most people.
    if dated and plan.name in ("one date", "cold users"):
        models["recent popularity"] = (RecentPopularity, {"days": Span(7, 1000)})
    if plan.name == "cold users":
        return {"chance": (Random, {}), **models}
    if plan.question == "next" and plan.name != "random":
        models["what followed"] = (WhatFollowed, {"damping": Span(1, 300)})
    if features is not None:
        models["content"] = (Content, {"features": [features]})
    models["item neighbours"] = (
        ItemNeighbours,
        {"neighbours": [100], "shrinkage": Span(1, 300)},
    )
    if min(data.shape) <= MOST_INVERTED:
        models["EASE"] = (EASE, {"lam": Span(10, 1000)})
    largest = min(data.shape) - 1
    if largest >= 2:
        ceiling = min(128, largest)
        ranks = Span(2, ceiling, whole=True, ceiling=ceiling) if ceiling > 2 else [2]
        models["PureSVD"] = (TruncatedSVD, {"k": ranks})
        als = {"k": [min(32, largest)], "iterations": [8], "lam": Span(1, 100)}
        models["ALS weak"] = (ALS, {**als, "alpha": Span(0.5, 40)})
    return models


def contest(study: Study, plan: Plan, features, seconds: float, show, fixed=None) -> dict:
    """Hold the contest within a time, or with a fixed number of trials, and say what it says.

    Returns
    -------
    dict
        - table: the standings, or None; says: sentences on how it was held; verdict: the last one;
        - ahead: by how much the first is ahead of each, with its interval (see ``standings``).
    """
    data, limits = study.small
    says = [f"It is held {limits}."] * bool(limits)
    people = len(data.users)
    asked = 0
    if people >= 20 and plan.possible:
        try:
            asked = len(np.unique(plan.split(data, 0)[1].rows()))
        except ValueError:
            asked = 0
    if asked < 20:
        nothing = (
            "Nothing can be said of which model is best: pass features, or ask another question."
            if not plan.possible
            else f"Nothing can be said of which model is best: {count(asked, 'user')} left to "
            "judge by, and at least 20 are needed for an interval."
        )
        return {"table": None, "says": says, "verdict": nothing, "trials": 0}
    split = partial(_fewer, plan.split, MOST_PEOPLE)
    models = contestants(data, plan, features, study.log.dated)
    start, rows, spent, late = time.monotonic(), {}, {}, []
    hold = partial(
        leaderboard,
        data=data,
        splits={plan.name: split},
        metrics=["ndcg", "hit_rate", "coverage"],
        seeds=[0],
        leaks=False,
    )
    for number, (name, entry) in enumerate(models.items()):
        if not fixed and number > 1 and time.monotonic() - start > seconds:
            late.append(name)
            continue
        show(f"contest: {name}")
        begin = time.monotonic()
        if (fixed or 1) == 1:
            entry = _in_the_middle(entry)
        rows[name] = hold(models={name: entry}, trials=fixed or 1)
        spent[name] = time.monotonic() - begin
    rest = seconds - (time.monotonic() - start)
    # With T trials there are T fits and the last one.
    trials = int(rest / max(1e-9, sum(spent.values()))) - 1 if rest > 0 else 1
    trials = min(MOST_TRIALS, max(1, trials))
    if not fixed and trials > 1 and not late:
        for number, (name, entry) in enumerate(models.items()):
            if time.monotonic() - start > 1.5 * seconds:
                trials = 1  # slower than foreseen: what is tuned is not compared with what is not
                break
            if any(isinstance(tried, Span) for tried in entry[1].values()):
                show(f"contest: {name}, {trials} settings ({number + 1} of {len(models)})")
                tuned = hold(models={name: entry}, trials=trials)
                rows[name] = pd.concat([rows[name], tuned])
        keep = (lambda table: table.tail(1)) if trials > 1 else (lambda table: table.head(1))
        rows = {name: keep(table) for name, table in rows.items()}
    trials = 1 if late else fixed or trials
    says.append(
        f"Each model was tried with {trials} settings, chosen within the train part."
        if trials > 1
        else "Each model was tried with one setting only, the middle of its range"
        + ("" if fixed else ", for lack of time")
        + ": a model may be better than it looks."
    )
    if late:
        says.append(f"Not reached within {seconds:g} s: {', '.join(late)}.")
    table = standings(pd.concat(list(rows.values()), ignore_index=True)).loc[plan.name]
    judged = int(next(iter(rows.values()))["users"].iloc[0])
    says.append(f"{count(judged, 'user')} judged, the same for all models.")
    return {
        "table": table,
        "says": says,
        "verdict": verdict(table, judged),
        "trials": trials,
        "judged": judged,
    }


def _in_the_middle(entry):
    """Fix what there is to choose at the middle of its range: one trial needs no validation."""
    make, values = entry
    fixed = {
        name: [tried.at(0.5)] if isinstance(tried, Span) else [tried[len(tried) // 2]]
        for name, tried in values.items()
    }
    return make, fixed


def verdict(table: pd.DataFrame, judged: int) -> str:
    """Say in one honest sentence or two what a table of standings shows.

    >>> from recsys_lab.auditing.contest import verdict
    >>> look = pd.DataFrame(
    ...     {
    ...         "ndcg": [0.2, 0.1], "behind": [0, 0.1], "behind_low": [0, 0.05],
    ...         "behind_high": [0, 0.15], "may_be_best": [True, False],
    ...     },
    ...     index=["EASE", "popularity"],
    ... )
    >>> print(verdict(look, 100))
    EASE is ahead of all others: of popularity by 0.100 (0.050 to 0.150) in nDCG@10, with 100 users.
    """
    names = list(table.index)
    first, together = names[0], list(table.index[table["may_be_best"]])
    base = next((name for name in ("popularity", "chance") if name in names), names[-1])

    def lead(name):
        row = table.loc[name]
        return f"{row['behind']:.3f} ({row['behind_low']:.3f} to {row['behind_high']:.3f})"

    if table["ndcg"].max() == 0:
        return f"No model has a hit with {judged:,} users: nothing can be said."
    if len(together) == 1:
        rivals = [name for name in names[1:2] if name != base]
        parts = [f"of {name} by {lead(name)}" for name in [*rivals, base] if name != first]
        who = f"{first[0].upper()}{first[1:]}"
        return (
            f"{who} is ahead of all others: {', '.join(parts)} in nDCG@10, with {judged:,} users."
        )
    words = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}
    number = words.get(len(together), f"{len(together)}")
    # Each was compared with the first alone, so nothing is said of two others.
    who = f"{'Either' if len(together) == 2 else 'Any'} of these {number} may be the best"
    said = f"{who}, as far as {judged:,} users can tell: {', '.join(together)}."
    if base in together:
        said += (
            f" {base.capitalize()} is among them: as far as can be seen, nothing here beats the "
            "simplest rival."
        )
    else:
        said += f" {base.capitalize()} is behind: {first} leads it by {lead(base)} in nDCG@10."
    return said


def findings(study: Study, plan: Plan, result: dict) -> list[Finding]:
    """The split and the contest as answers of the page."""
    judged = getattr(study, "judged", {})

    def of_split():
        names = [name for name in judged if name != "strangers"]
        title = f"Chosen: {plan.name}."
        heights = [judged[name] for name in names]
        look = {"horizontal": True, "colours": USERS, "ax": _panel(LOW)}
        return bars(names, heights, title, "users to judge by", **look)

    metric = "The metric is nDCG@10: where on a list of ten the hidden events stand."
    numbers = {"question": plan.question, "split": plan.name, "metric": "ndcg@10"}
    says = f"{ASKED[plan.question]} {plan.why} {metric}"
    tone = "fine" if plan.name == "one date" else "note" if plan.possible else "beware"
    chosen = Finding("split", "Which split fits the question?", says, numbers, "08", tone, of_split)
    table = result["table"]
    if table is None:
        says = " ".join([*result["says"], result["verdict"]])
        return [chosen, Finding("contest", "Which model?", says, {}, "09", "beware", None)]

    def of_contest():
        look = [FIT if best else ITEMS for best in table["may_be_best"]]
        look = [
            PENALTY if name == "popularity" else c
            for name, c in zip(table.index, look, strict=True)
        ]
        return dots(
            list(table.index),
            -table["behind"],
            "Behind the first: who reaches 0 may be the best.",
            "",
            "difference in nDCG@10",
            colours=look,
            interval=(-table["behind_high"], -table["behind_low"]),
            level=0,
            # So wide that no name is broken.
            ax=_panel((max(5.2, 0.9 + 0.88 * len(table)), 2.6)),
        )

    shown = ", ".join(f"{name} {value:.3f}" for name, value in table["ndcg"].items())
    says = " ".join([*result["says"], f"nDCG@10: {shown}.", result["verdict"]])
    columns = ["ndcg", "low", "high", "hit_rate", "coverage", "behind", "behind_low", "behind_high"]
    numbers = {
        name: {c: float(row[c]) for c in columns} | {"may_be_best": bool(row["may_be_best"])}
        for name, row in table.iterrows()
    }
    tone = "note" if table["may_be_best"].sum() > 1 else "fine"
    return [chosen, Finding("contest", "Which model?", says, numbers, "09", tone, of_contest)]
