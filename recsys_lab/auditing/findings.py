"""The questions that an audit asks of a log, each answered by a number, a picture and a lesson.

A question is a function of a `Study`, which holds what several of them need. It returns a
`Finding`, or None where the log has nothing to answer it with.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import norm

from ..data.interactions import Interactions
from ..data.sequences import ordered_histories, split_next
from ..data.splits import split_last, split_random
from ..judging.fairness import gini
from ..judging.metrics import bootstrap_interval, evaluate_per_user
from ..models.recommenders import ItemNeighbours, Popularity
from ..models.sequence_models import Chain
from ..page.figures import (
    FIT,
    HELD_OUT,
    ITEMS,
    PENALTY,
    TRAIN,
    USERS,
    bars,
    dots,
    lines,
    panels,
    scatter,
)
from .reading import EventLog

HOUR, DAY = 3600, 86_400
# What models are fitted to: as much as MovieLens small twice, and no wider than its films.
MOST_EVENTS, MOST_ITEMS, MOST_PEOPLE = 200_000, 10_000, 1000
# Fewer events of a user, or of an hour, say nothing of a rhythm.
FEW = 30
TITLES = {
    "01": "Concepts and pipeline",
    "04": "What an empty cell means",
    "08": "Does it generalise?",
    "09": "Which model is best?",
    "10": "Content and text",
    "11": "Sequences",
    "14": "Online: logs, bandits and A/B tests",
    "19": "Your own data",
}
SIZE = (5.2, 2.6)  # inches: a page of 400 pixels shows it at nearly its size
LOW = (5.2, 1.7)  # for a few bars


@dataclass
class Finding:
    """An answer: what was asked, what is said, and what it rests on.

    ``tone`` is "fine", "note" (to be kept in mind) or "beware" (believe no model before this is
    settled). ``picture`` is a function that draws a Figure, so that each theme gets its own.
    """

    key: str
    question: str
    says: str
    numbers: dict = field(default_factory=dict)
    lesson: str = "19"
    tone: str = "fine"
    picture: Callable | None = None


class Study:
    """A log, and what more than one question needs of it."""

    def __init__(self, log: EventLog, rng=0):
        self.log, self.rng, self.suspects = log, rng, []
        self.m, self.n = len(log.user_labels), len(log.item_labels)
        self.of_user = np.bincount(log.users, minlength=self.m)
        self.of_item = np.bincount(log.items, minlength=self.n)

    def forget(self):
        """Drop what only the questions needed: with ten million rows, 400 MB."""
        for name in ("cells", "pairs", "order", "gaps"):
            self.__dict__.pop(name, None)

    @cached_property
    def pairs(self):
        """The cells that are filled, each once."""
        return np.unique(self.cells)

    @cached_property
    def cells(self):
        """The table's cell of each event, as one number."""
        return self.log.users.astype(np.int64) * self.n + self.log.items

    @cached_property
    def order(self):
        """The events by user, then by time; rows of a file at equal times as they stand."""
        return np.lexsort((self.log.times, self.log.users))

    @cached_property
    def gaps(self):
        """The time between a user's events and their next, in the order of ``order``; and whose."""
        users = self.log.users[self.order]
        same = users[1:] == users[:-1]
        return np.diff(self.log.times[self.order])[same], users[1:][same]

    @cached_property
    def days_only(self):
        """Whether the times are whole days."""
        return self.log.dated and bool((self.log.times % DAY == 0).all())

    @cached_property
    def small(self):
        """Interactions of a size that models can be fitted to, and a sentence of what is left out.

        A copy counts once, with its last time. People are drawn by lot, and machines left out.
        """
        log, rng = self.log, np.random.default_rng(self.rng)
        keep = np.ones(self.m, dtype=bool)
        keep[self.suspects] = False
        said = []
        if len(self.suspects):
            names = ", ".join(str(log.user_labels[u]) for u in self.suspects[:3])
            said.append(f"without {count(len(self.suspects), 'suspect')} ({names})")
        if self.of_user[keep].sum() > MOST_EVENTS:
            drawn = rng.permutation(np.flatnonzero(keep))
            large = self.of_user[drawn] > MOST_EVENTS
            if large.any() and not large.all():  # one of them would leave no room for anybody else
                drawn = drawn[~large]
                who = count(int(large.sum()), "user")
                said.append(f"without {who} of more than {MOST_EVENTS:,} events")
            within = np.cumsum(self.of_user[drawn]) <= MOST_EVENTS
            within[0] = True  # where all are so large: a pair counts once below
            keep[:] = False
            keep[drawn[within]] = True
            said.append(f"with {keep.sum():,} of {self.m:,} users, drawn by lot")
        mask = keep[log.users]
        of_item = np.bincount(log.items[mask], minlength=self.n)
        if (of_item > 0).sum() > MOST_ITEMS:
            wide = np.zeros(self.n, dtype=bool)
            wide[np.argsort(-of_item, kind="stable")[:MOST_ITEMS]] = True
            mask &= wide[log.items]
            share = mask.sum() / max(1, of_item.sum())
            said.append(f"with the {MOST_ITEMS:,} items that have the most events ({share:.0%})")
        table = pd.DataFrame({"user": log.users[mask], "item": log.items[mask]})
        columns = {}
        for role, column in (("value", log.values), ("time", log.times)):
            if column is not None:
                table[role] = column[mask]
                columns[role] = role
        data = Interactions.from_frame(table, duplicates="last", **columns)
        data = Interactions(
            data.matrix, log.user_labels[data.users], log.item_labels[data.items], data.times
        )
        return data, ", ".join(said)


def count(number: int, what: str) -> str:
    """Return "1 user" or "2,000 users"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """Return a share in per cent, with as many digits as it needs."""
    if 0 < share < 0.001:
        return f"{share:.2g}".replace("e-0", "e-") if share < 1e-6 else f"{share:.4%}"
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"


def _panel(size=SIZE):
    return panels(size=size)[1][0]


# --- The table ----------------------------------------------------------------------------------


def reading(study: Study) -> Finding:
    """What was read, what was left out, and what was guessed."""
    log = study.log
    lost = sum(number for number, _ in log.left_out.values())
    says = [f"{count(log.rows, 'row')} read, {len(log):,} used, {lost:,} left out."]
    for reason, (number, where) in log.left_out.items():
        more = ", ..." if number > len(where) else ""
        places = ", ".join(map(str, where))
        says.append(f"{reason.capitalize()}: {count(number, 'row')} (line {places}{more}).")
    named = [f"{role} = {name}" for role, name in log.columns.items()]
    if log.guessed:
        guesses = ", ".join(log.guessed)
        says.append(f"Columns: {', '.join(named)}; guessed from names and contents: {guesses}.")
    missing = [role for role in ("value", "time") if role not in log.columns]
    if log.times is not None:
        missing = [role for role in missing if role != "time"]
    if log.values is not None:
        missing = [role for role in missing if role != "value"]
    if missing:
        says.append(f"The log has no {' and no '.join(missing)}.")
    says += log.notes
    reasons = {"used": len(log), **{r: number for r, (number, _) in log.left_out.items()}}

    def picture():
        title = "All rows are used." if not lost else f"{percent(lost / log.rows)} is left out."
        names, heights = list(reasons), list(reasons.values())
        colours = [FIT] + [PENALTY] * (len(names) - 1)
        return bars(names, heights, title, "rows", horizontal=True, colours=colours, ax=_panel(LOW))

    tone = "fine" if not lost else "beware" if lost > 0.01 * log.rows else "note"
    numbers = {"rows": log.rows, "used": len(log), "left_out": lost}
    return Finding("reading", "What was read?", " ".join(says), numbers, "19", tone, picture)


def sparse(study: Study) -> Finding:
    """How much of the table is filled, and how much is known of a person."""
    filled = len(study.pairs) / (study.m * study.n)
    of_user = study.of_user
    middle = float(np.median(of_user))
    single = float((of_user == 1).mean())
    says = (
        f"{count(study.m, 'user')}, {count(study.n, 'item')}, {count(len(study.log), 'event')}: "
        f"{percent(filled)} of all cells are filled. Half of the users have {middle:g} events or "
        f"fewer; {percent(single)} have only one event"
    )
    says += ", and of these nothing can be both learnt and asked." if single > 0.3 else "."
    edges = np.unique(np.r_[1, 2, 3, 6, 11, 21, 51, 101, 301, 1001, 10**12])
    counts = np.histogram(of_user, edges)[0]
    names = ["1", "2", "3-5", "6-10", "11-20", "21-50", "51-100", "101-300", "301-1000", "more"]

    def picture():
        title = f"Half of the users have {middle:g} events or fewer."
        return bars(names, counts, title, "events of a user", "users", colours=USERS, ax=_panel())

    numbers = {
        "users": study.m,
        "items": study.n,
        "events": len(study.log),
        "filled": filled,
        "median_events_of_a_user": middle,
        "users_with_one_event": single,
    }
    tone = "beware" if single > 0.5 or study.m < 20 else "note" if single > 0.3 else "fine"
    if study.m < 20:
        says += " With so few users no comparison of models can say anything."
    return Finding("sparse", "How sparse is it?", says, numbers, "01", tone, picture)


def tail(study: Study) -> Finding:
    """How much of the attention the most popular items get."""
    of_item = np.sort(study.of_item)[::-1]
    share = np.cumsum(of_item) / of_item.sum()
    top = max(1, round(0.01 * study.n))
    owners = np.bincount(study.pairs % study.n, minlength=study.n)
    alone = float((owners == 1).mean())
    unequal = gini(of_item)
    says = (
        f"The top 1 % of the items ({top:,}) have {share[top - 1]:.0%} of the events. "
        f"{alone:.0%} of the items have one user only: no model of behaviour learns anything of "
        f"them. Gini index: {unequal:.2f}."
    )
    places = np.unique(np.geomspace(1, study.n, 60).astype(int))

    def picture():
        title = f"The top 1 % of the items have {share[top - 1]:.0%} of the events."
        figure = lines(
            places / study.n,
            {"share": share[places - 1]},
            title,
            "share of the items, most popular first",
            "share of the events",
            colours={"share": ITEMS},
            ylim=(0, 1.05),
            ax=_panel(),
        )
        return figure

    numbers = {
        "share_of_top_1_percent": float(share[top - 1]),
        "items_with_one_user": alone,
        "gini": unequal,
    }
    tone = "note" if alone > 0.4 else "fine"
    return Finding("tail", "How long is the tail?", says, numbers, "01", tone, picture)


def copies(study: Study) -> Finding:
    """Whether a pair of user and item comes more than once, as a copy or again."""
    log = study.log
    by = [study.cells] + [column for column in (log.times, log.values) if column is not None]
    order = np.lexsort(tuple(by[::-1]))
    cells = study.cells[order]
    again = cells[1:] == cells[:-1]
    exact = again.copy()
    for column in by[1:]:
        exact &= column[order][1:] == column[order][:-1]
    repeated = int(again.sum())
    if log.times is None:
        exact[:] = False
    exact_count = int(exact.sum())
    if not repeated:
        says, tone = "No pair of user and item comes twice.", "fine"
    elif log.times is None:
        says = (
            f"{count(repeated, 'row')} ({percent(repeated / len(log))}) repeat a pair of user and "
            "item. Without times a copy cannot be told from the same item again: ask where the log "
            "comes from. The last row counts here."
        )
        tone = "beware" if repeated > 0.01 * len(log) else "note"
    else:
        share = exact_count / len(log)
        says = (
            f"{count(exact_count, 'row')} ({percent(share)}) "
            f"{'is an exact copy' if exact_count == 1 else 'are exact copies'} of another: the "
            f"same user, item and time. {count(repeated - exact_count, 'row')} "
            f"{'tells' if repeated - exact_count == 1 else 'tell'} of the same item at another "
            "time or with another value. A copy is a fault: in a random split it stands in train "
            "and in test. The same item again may be a habit. Each pair counts once here, with its "
            "last row."
        )
        tone = "beware" if share > 0.001 else "note"

    def picture():
        names = ["first time", "the same again", "exact copy"]
        heights = [len(log) - repeated, repeated - exact_count, exact_count]
        title = f"{count(repeated, 'row')} repeat a pair."
        colours = [FIT, HELD_OUT, PENALTY]
        return bars(names, heights, title, "rows", horizontal=True, colours=colours, ax=_panel(LOW))

    numbers = {"repeated": repeated, "exact_copies": exact_count}
    return Finding("copies", "Is anything there twice?", says, numbers, "19", tone, picture)


# --- Machines and clocks ------------------------------------------------------------------------


def regularity(gaps, owners, m: int) -> np.ndarray:
    """Return for each of m users the share of the most frequent gap among those above 0.

    A person's pauses differ; a program's are the same. A gap of 0 is a form sent at once. Users
    with fewer than 30 such gaps get NaN.
    """
    above = gaps > 0
    gaps, owners = np.round(gaps[above], 3), owners[above]
    share = np.full(m, np.nan)
    if not len(gaps):
        return share
    order = np.lexsort((gaps, owners))
    gaps, owners = gaps[order], owners[order]
    new = np.r_[True, (np.diff(gaps) != 0) | (np.diff(owners) != 0)]
    first = np.flatnonzero(new)
    runs = np.diff(np.r_[first, len(gaps)])
    longest = np.zeros(m)
    np.maximum.at(longest, owners[first], runs)
    total = np.bincount(owners, minlength=m)
    enough = total >= FEW
    share[enough] = longest[enough] / total[enough]
    return share


def bots(study: Study) -> Finding:
    """Users beyond all others, and users with the rhythm of a machine."""
    log, of_user = study.log, study.of_user
    logs = np.log(of_user)
    middle = np.median(logs)
    # 0.741: half the distance of the quartiles of a normal distribution is 0.674 deviations.
    spread = max(0.741 * np.subtract(*np.quantile(logs, [0.75, 0.25])), 0.25)
    # The largest of m normal numbers is near the root of 2 ln m; 2 beyond it is another kind.
    limit = middle + (np.sqrt(2 * np.log(max(study.m, 2))) + 2) * spread
    signs = {int(u): [f"{of_user[u]:,} events"] for u in np.flatnonzero(logs > limit)}
    machines, regular = [], None
    if log.times is not None and log.dated and not study.days_only:
        gaps, owners = study.gaps
        regular = regularity(gaps, owners, study.m)
        flagged = np.flatnonzero(regular > 0.5)
        # Where many are so, it is the clock that is coarse.
        coarse = len(flagged) > max(3, 0.05 * study.m) or len(flagged) == study.m
        for u in flagged if not coarse else ():
            mine = gaps[owners == u]
            mine = mine[mine > 0]
            values, often = np.unique(np.round(mine, 3), return_counts=True)
            signs.setdefault(int(u), []).append(
                f"{regular[u]:.0%} of its pauses are {values[often.argmax()]:g} s"
            )
            machines.append(int(u))
        for u in _sleepless(log):
            signs.setdefault(u, []).append("awake in 23 hours of a day or more")
            machines += [u] * (u not in machines and u in signs and len(signs[u]) > 1)
    study.suspects = sorted(machines)
    heaviest = int(of_user.argmax())
    says = []
    if machines:
        says.append(
            f"{count(len(machines), 'user')} "
            f"{'has' if len(machines) == 1 else 'have'} the rhythm of a machine:"
        )
    elif signs:
        says.append(f"No user has the rhythm of a machine; {count(len(signs), 'user')} to look at:")
    else:
        says.append("No user stands out.")
    told = sorted(signs, key=lambda u: (u not in machines, -of_user[u]))[:5]
    says += [f"{log.user_labels[u]} ({', '.join(signs[u])});" for u in told]
    says[-1] = says[-1].rstrip(";") + ("." if told else "")
    if regular is None:
        says.append(
            "Without the time of day only the number of events can tell; whoever has many may be "
            "a machine, a shop's own account, or somebody who loves it."
        )
    elif heaviest not in machines:
        says.append(
            f"The user with the most events, {log.user_labels[heaviest]} "
            f"({of_user[heaviest]:,}), is none by this sign."
        )
    if machines:
        says.append("Machines take no part in the contest of models.")

    def picture():
        ax = _panel()
        if regular is None or not np.isfinite(regular).any():
            ordered = np.sort(of_user)[::-1]
            places = np.unique(np.geomspace(1, study.m, 60).astype(int))
            title, axes = "Events of each user, most first.", ("place of the user", "events")
            look = {"colours": {"events": USERS}, "ax": ax}
            figure = lines(places, {"events": ordered[places - 1]}, title, *axes, **look)
            ax.set(xscale="log", yscale="log")
            return figure
        many = np.flatnonzero(np.isfinite(regular))
        shown = many if len(many) <= 3000 else many[:: len(many) // 3000]
        flag = np.isin(shown, machines)
        title = (
            f"{count(len(machines), 'user')} with the rhythm of a machine."
            if machines
            else "Nobody has the rhythm of a machine."
        )
        axes = ("share of the most frequent pause", "events")
        plain = shown[~flag]
        figure = scatter(
            regular[plain], of_user[plain], title, *axes, label="users", xlim=(-0.02, 1.05), ax=ax
        )
        if machines:
            look = {"label": "suspects", "colour": ITEMS, "marker": "s", "ax": ax}
            figure = scatter(regular[machines], of_user[machines], title, *axes, **look)
        ax.set_yscale("log")
        return figure

    suspects = [
        {"user": plain(log.user_labels[u]), "events": int(of_user[u]), "signs": signs[u]}
        for u in told
    ]
    numbers = {"machines": len(machines), "to_look_at": len(signs), "suspects": suspects}
    tone = "beware" if machines else "note" if signs else "fine"
    return Finding("bots", "Is everybody a person?", " ".join(says), numbers, "19", tone, picture)


def _sleepless(log) -> list[int]:
    """Users with events in 23 or 24 hours of one day."""
    # A time of 1e300 s fits no whole number; the clock's finding tells of it.
    hours = np.floor(np.clip(log.times, -1e11, 1e11) / HOUR).astype(np.int64)
    low = hours.min()
    span = int(hours.max() - low) + 25
    low -= low % 24
    keys = np.unique(log.users.astype(np.int64) * (span + 24) + (hours - low))
    owner, hour = np.divmod(keys, span + 24)
    of_day = np.unique(owner * (span // 24 + 3) + hour // 24, return_counts=True)
    busy = of_day[0][of_day[1] >= 23] // (span // 24 + 3)
    return [int(u) for u in np.unique(busy)]


def clock(study: Study) -> Finding | None:
    """Whether the times can be believed."""
    log = study.log
    if log.times is None or not log.dated:
        return None
    times, says, beware = log.times, [], []
    now = datetime.datetime.now(datetime.UTC).timestamp()
    early, late = int((times < 6.3e8).sum()), int((times > now + DAY).sum())  # 1990
    ordered = np.sort(times)
    low, high = ordered[[int(0.005 * len(times)), int(0.995 * (len(times) - 1))]]
    says.append(f"The middle 99 % of the events lie between {day(low)} and {day(high)}.")
    if early:
        beware.append(f"{count(early, 'event')} before 1990, the first on {day(ordered[0])}")
    if late:
        beware.append(f"{count(late, 'event')} in the future, the last on {day(ordered[-1])}")
    apart = _apart(ordered)
    if apart and not (early or late):
        number, silence, where = apart
        beware.append(f"{count(number, 'event')} {where} a silence of {silence / DAY:,.0f} days")
    steps = np.diff(times)
    same = log.users[1:] == log.users[:-1]
    if len(same) - same.sum() < 1.02 * study.m:  # user by user: no time holds across two users
        steps = steps[same]
    else:
        same = np.ones(len(steps), dtype=bool)
    in_order = float((steps >= 0).mean()) if len(steps) else 0.0
    falls = int((steps < -HOUR).sum())
    if in_order > 0.95 and len(steps) > 100:
        if falls:  # among the rows that are used
            at = np.flatnonzero(same)[steps < -HOUR]
            beware.append(
                f"rows stand in the order of time, but the clock falls back by more than an hour "
                f"in {count(falls, 'place')}, first after {at[0] + 1:,} rows"
            )
        else:
            whose = "" if same.all() else ", user by user"
            says.append(f"Rows stand in the order of time{whose}.")
    stamps, often = np.unique(times, return_counts=True)
    most = int(often.argmax())
    if study.days_only:
        says.append("The times are whole days: what came first within a day is not known.")
    elif often[most] > 0.01 * len(times) and len(times) > 1000:
        people = len(np.unique(log.users[times == stamps[most]]))
        beware.append(
            f"{count(int(often[most]), 'event')} of {count(people, 'user')} carry one and the same "
            f"second ({day(stamps[most])}), as an import does"
        )
    if beware:
        says.append(f"Odd: {'; '.join(beware)}.")
        says.append("Mend that first: every split by time rests on it.")
    else:
        says.append("Nothing odd was found.")

    def picture():
        edges = np.linspace(ordered[0], ordered[-1] + 1, 41)
        heights = np.histogram(times, edges)[0]
        years = 1970 + (edges[:-1] + edges[1:]) / 2 / (365.25 * DAY)
        title = "When the events were." if not beware else "When the events were: look at the ends."
        look = {"colours": {"events": TRAIN}, "ax": _panel()}
        return lines(years, {"events": heights}, title, "year", "events", **look)

    numbers = {
        "first": day(ordered[0]),
        "last": day(ordered[-1]),
        "before_1990": early,
        "in_the_future": late,
        "falls": falls if in_order > 0.95 else None,
        "rows_in_order": in_order,
        "beyond_a_silence": apart[0] if apart else 0,
    }
    tone = "beware" if beware else "note" if study.days_only else "fine"
    question = "Can the clock be believed?"
    return Finding("clock", question, " ".join(says), numbers, "19", tone, picture)


def _apart(ordered):
    """Find a few events far from all others: how many, after which silence, on which side."""
    span = ordered[-1] - ordered[0]
    gaps = np.diff(ordered)
    if not len(gaps) or span <= 0:
        return None
    widest = int(gaps.argmax())
    before, after = widest + 1, len(ordered) - widest - 1
    if gaps[widest] > 0.2 * span and min(before, after) < 0.05 * len(ordered):
        few = min(before, after)
        return few, float(gaps[widest]), "before" if before < after else "after"
    return None


def day(seconds: float) -> str:
    """Return a time in seconds since 1970 as a date; years that pandas lacks as a number."""
    try:
        return f"{pd.Timestamp(seconds, unit='s'):%Y-%m-%d}"
    except (ValueError, OverflowError):
        return f"{seconds:g} s after 1970"


def plain(label):
    """Return a label as JSON can hold it."""
    return label.item() if isinstance(label, np.generic) else label


# --- Order --------------------------------------------------------------------------------------


def sittings(study: Study) -> Finding | None:
    """One sitting or many."""
    log = study.log
    if log.times is None or not log.dated:
        return None
    gaps, owners = study.gaps
    if not len(gaps):
        return None
    broken = np.bincount(owners[gaps >= DAY], minlength=study.m)
    asked = study.of_user > 1
    single = float((broken[asked] == 0).mean())
    minute = float((gaps < 60).mean())
    ties = float((gaps == 0).mean())
    says = (
        f"{single:.0%} of the users with two events or more have all of them in one sitting "
        f"(no pause of a day). {minute:.0%} of all pauses are under a minute, {ties:.0%} are zero, "
        "where what came first is not known."
    )
    if study.days_only:
        says += " The times are whole days, so a sitting is a day here."
    if minute > 0.5 and not study.days_only:
        says += (
            " That is the rhythm of a form or a list that is clicked through: its order is the "
            "page's, not the person's."
        )
    limits = {"0": 1e-9, "under 1 min": 60, "1 h": HOUR, "1 day": DAY, "30 days": 30 * DAY}
    below = [float((gaps < limit).mean()) for limit in limits.values()] + [1.0]
    parts = np.diff(below, prepend=0)

    def picture():
        names = [*limits, "more"]
        title = f"{minute:.0%} of the pauses are under a minute."
        axes = ("pause to the next event, up to", "share of all pauses")
        return bars(names, parts, title, *axes, colours=TRAIN, ax=_panel())

    numbers = {"one_sitting": single, "under_a_minute": minute, "zero": ties}
    tone = "beware" if single > 0.8 else "note" if minute > 0.5 or ties > 0.2 else "fine"
    question = "One sitting, or many?"
    return Finding("sittings", question, says, numbers, "11", tone, picture)


def order(study: Study) -> Finding | None:
    """Is there any order: a chain on histories as they are, and on shuffled ones."""
    if study.log.times is None:
        return None
    data, _ = study.small
    tasks = {"the last event": 0.0}
    if study.log.dated:
        tasks["after a pause of a day"] = float(DAY)
    gains, people = {}, {}
    for task, gap in tasks.items():
        found = _shuffle_test(data, gap, study.rng)
        if found is not None:
            gains[task], people[task] = found, len(found)
    if not gains:
        return None
    ends = {task: bootstrap_interval(gain, rng=0) for task, gain in gains.items()}
    says = []
    for task, gain in gains.items():
        low, high = ends[task]
        verdict = "order helps" if low > 0 else "order misleads" if high < 0 else "none is found"
        says.append(
            f"{task.capitalize()} ({count(people[task], 'user')} asked): {verdict}, "
            f"{gain.mean():+.3f} in nDCG@10 ({low:+.3f} to {high:+.3f})."
        )
    lows = {task: low for task, (low, _) in ends.items()}
    first = lows.get("the last event", 0) > 0
    later = lows.get("after a pause of a day", 0) > 0
    if first and "after a pause of a day" in lows and not later:
        says.append(
            "The order is that within a sitting. It says what is on the same page, and nothing was "
            "found of what a person wants tomorrow."
        )
    says.append(
        "(The shuffle test: a chain that counts what followed what, on the histories as they are, "
        "minus the same on shuffled histories.)"
    )

    def picture():
        means = [gain.mean() for gain in gains.values()]
        spread = np.transpose(list(ends.values()))
        title = "What the order is worth to a chain, against shuffled histories."
        look = {"interval": spread, "level": 0, "colours": FIT, "ax": _panel()}
        return dots(list(gains), means, title, "", "gain in nDCG@10", **look)

    numbers = {
        task: {"gain": float(gain.mean()), "low": ends[task][0], "high": ends[task][1]}
        for task, gain in gains.items()
    }
    tone = "note" if first and not later and study.log.dated else "fine"
    question = "Is there any order?"
    return Finding("order", question, " ".join(says), numbers, "11", tone, picture)


def _shuffle_test(data, gap, rng):
    """Each person's gain of nDCG by the order; None if fewer than 20 can be asked."""
    train, test = split_next(data, gap=gap, rng=rng)
    # Who has the item already cannot be asked for it, and who has no past has no order.
    asked = np.flatnonzero((np.diff(test.matrix.indptr) > 0) & (np.diff(train.matrix.indptr) > 1))
    if len(asked) < 20:
        return None
    draw = np.random.default_rng(rng)
    asked = np.sort(draw.permutation(asked)[:MOST_PEOPLE])
    wanted = np.zeros(len(data.users), dtype=bool)
    wanted[asked] = True
    test = test.keep(wanted[test.rows()])
    histories = ordered_histories(train, rng=rng)
    shuffled = [draw.permutation(history) for history in histories]
    scores = []
    for each in (histories, shuffled):
        chain = Chain(data.shape[1]).fit(each)
        last = np.array([history[-1] if len(history) else 0 for history in each])
        scores.append(
            _judge(lambda users, c=chain, h=last: what_followed(c, h[users]), train, test)
        )
    return (scores[0] - scores[1]).to_numpy()


def what_followed(chain, last) -> np.ndarray:
    """Score what comes after each of some last items: a chain of window 1, all rows at once."""
    damped = chain.counts_.sum(axis=1)[last] + chain.damping
    return (chain.counts_[last].toarray() + chain.damping * chain.shares_) / damped[:, None]


def _judge(scores, train, test):
    return evaluate_per_user(scores, train, test)["ndcg"]


# --- What can be asked --------------------------------------------------------------------------


def cold(study: Study) -> Finding:
    """How much of what is asked is about items or by users that nobody knows."""
    log = study.log
    if log.times is not None:
        cut = np.sort(log.times)[int(0.8 * len(log))]
        late = log.times >= cut
        if late.all():
            late = np.arange(len(log)) >= int(0.8 * len(log))
        known_users = np.bincount(log.users[~late], minlength=study.m) > 0
        known_items = np.bincount(log.items[~late], minlength=study.n) > 0
        new_item = float((~known_items[log.items[late]]).mean())
        new_user = float((~known_users[log.users[late]]).mean())
        people = np.unique(log.users[late])
        strangers = float((~known_users[people]).mean())
        when = f" from {day(cut)} on" if log.dated else ""
        says = (
            f"Of the last fifth of all events{when}, {percent(new_item)} are with items that "
            f"nobody had before, and {percent(new_user)} are by users who had nothing before. "
            f"{percent(strangers)} of its users are strangers."
        )
    else:
        rare = (study.of_item[log.items] == 1).mean()
        alone = (study.of_user[log.users] == 1).mean()
        new_item, new_user, strangers = (
            float(rare),
            float(alone),
            float((study.of_user == 1).mean()),
        )
        says = (
            f"Without times, only this is known: {percent(new_item)} of the events are with items "
            f"that have no other event, and {percent(new_user)} are of users with no other. "
            "Whoever hides these asks the impossible."
        )

    def picture():
        names = ["with new items", "by new users"]
        title = f"{percent(new_item)} ask for new items, {percent(new_user)} are by new users."
        heights = [new_item, new_user]
        look = {"horizontal": True, "colours": [ITEMS, USERS], "ylim": (0, 1), "ax": _panel(LOW)}
        return bars(names, heights, title, "share of the events", **look)

    numbers = {"new_items": new_item, "new_users": new_user, "strangers": strangers}
    tone = "beware" if max(new_item, new_user) > 0.5 else "note" if new_item > 0.1 else "fine"
    question = "How much is cold?"
    return Finding(
        "cold", question, says, numbers, "10" if new_item > new_user else "08", tone, picture
    )


def missing(study: Study) -> Finding:
    """What an empty cell means here."""
    values = study.log.values
    if values is None or (values == values[0]).all():
        says = (
            "There are no values, so the log says what was done and never what was disliked. An "
            "empty cell is weak evidence: not seen, or seen and left. Count every cell, the empty "
            "ones with little weight (ALS weak, EASE, PureSVD); skipping them teaches nothing."
        )
        heights, names, kind, link = [1.0], ["done"], "done or not", 0.0
    else:
        different = np.unique(values if len(values) < 10**6 else values[:: len(values) // 10**6])
        zeros = float((values == 0).mean())
        means = np.bincount(study.log.items, values, study.n) / np.maximum(study.of_item, 1)
        known = study.of_item >= 5
        link = _rank_correlation(study.of_item[known], means[known])
        stars = 3 <= len(different) <= 20 and different[-1] <= 100 and different[-1] != 1
        if len(different) == 2 and zeros:
            kind = "yes and no"
            says = (
                f"The values are {different[0]:g} and {different[-1]:g}, and {percent(zeros)} are "
                "0: shown and not taken. These are noes that were asked for; an empty cell is "
                "none. The models here take any stored event for a yes: drop the 0s first, or use "
                "them as the noes of a classifier."
            )
        elif stars:
            kind = "stars"
            low = float((values <= (different[0] + different[-1]) / 2).mean())
            says = (
                f"The values look like stars, {different[0]:g} to {different[-1]:g}, "
                f"{percent(low)} in the lower half. An empty cell means *not rated*, and who rates "
                "chooses what to rate: do not read it as a 0 on the scale. For lists, the fact "
                "that something was rated says more than the stars."
            )
            if low < 0.05:
                says += (
                    " Hardly anybody rates what they dislike here, so a low score is never seen."
                )
        else:
            kind = "amounts"
            says = (
                f"The values look like amounts, {values.min():g} to {values.max():g}, half of them "
                f"{np.median(values):g} or less. More is more, and an empty cell is weak evidence: "
                "not seen, or seen and left."
            )
        if np.isfinite(link):
            trend = (
                "higher" if link > 0.1 else "lower" if link < -0.1 else "neither higher nor lower"
            )
            says += f" Popular items have {trend} values (rank correlation {link:+.2f})" + (
                ": what is missing is not missing at random." if abs(link) > 0.1 else "."
            )
        if len(different) <= 20:
            heights = [float((values == each).mean()) for each in different]
            names = [f"{each:g}" for each in different]
        else:
            edges = np.unique(np.quantile(values, np.linspace(0, 1, 9)))
            heights = np.histogram(values, edges)[0] / len(values)
            names = [f"{a:g} to {b:g}" for a, b in pairwise(edges)]

    def picture():
        title = f"The values: {kind}."
        return bars(names, heights, title, "value", "share of the events", colours=FIT, ax=_panel())

    numbers = {"kind": kind, "popularity_and_value": float(link) if np.isfinite(link) else None}
    question = "What does an empty cell mean?"
    tone = "note" if abs(link) > 0.1 or kind == "yes and no" else "fine"
    return Finding("missing", question, says, numbers, "04", tone, picture)


def _rank_correlation(a, b):
    if len(a) < 10:
        return np.nan
    a, b = (pd.Series(each).rank().to_numpy() for each in (a, b))
    return float(np.corrcoef(a, b)[0, 1]) if a.std() and b.std() else np.nan


def drift(study: Study) -> Finding | None:
    """Whether what is popular stays popular."""
    log = study.log
    if log.times is None or len(log) < 200 or log.times.min() == log.times.max():
        return None
    parts = 10 if len(log) >= 2000 else 4
    edges = np.quantile(log.times, np.linspace(0, 1, parts + 1)[1:-1])
    part = np.searchsorted(edges, log.times, side="right")
    top = min(50, max(5, study.n // 20))
    lists = []
    for p in range(parts):
        found = np.bincount(log.items[part == p], minlength=study.n)
        best = np.argsort(-found, kind="stable")[:top]
        lists.append(set(best[found[best] > 0]))
    last = lists[-1]
    same = [len(each & last) / max(1, len(last)) for each in lists]
    begin = day(np.quantile(log.times, 1 - 1 / parts)) if log.dated else "the last part"
    says = (
        f"Of the {len(last)} items with the most events in the last {1 / parts:.0%} of the log "
        f"(from {begin}), {same[-2]:.0%} were among the top {top} in the {1 / parts:.0%} before "
        f"it, and {same[0]:.0%} in the first."
    )
    says += (
        " So the popularity of the last weeks is the rival to beat, and a random split gives "
        "models a crowd that they could not know."
        if same[-2] < 0.6 or same[0] < 0.3
        else " Popularity is stable."
    )

    def picture():
        title = f"{same[0]:.0%} of today's top {top} were there at the start."
        axes = (f"part of the log, of {parts}", f"share of the last top {top}")
        where = np.arange(1, parts + 1)
        look = {"colours": {"share": PENALTY}, "ylim": (0, 1.05), "ax": _panel()}
        return lines(where, {"share": same}, title, *axes, **look)

    numbers = {"kept_from_before": same[-2], "kept_from_the_start": same[0], "top": top}
    tone = "note" if same[-2] < 0.6 or same[0] < 0.3 else "fine"
    question = "Does popularity drift?"
    return Finding("drift", question, says, numbers, "01", tone, picture)


POWER = float(norm.ppf(0.975) + norm.ppf(0.8))  # 2.8


def smallest_difference(spread: float, people: int) -> float:
    """Return the difference that a paired comparison finds four times of five.

    At a level of 95 %, with so many people, if their differences vary by ``spread``: 2.8 standard
    errors. Of lesson 14's formula for two groups this is the one for pairs.
    """
    return POWER * spread / np.sqrt(people)


def people(study: Study) -> Finding | None:
    """How many people each split leaves to judge by, and which difference they would show."""
    log, data = study.log, study.small[0]
    judged = {}
    if log.times is not None:
        cut = np.sort(log.times)[int(0.8 * len(log))]
        late = log.times >= cut
        if not late.all():
            late_users = np.unique(log.users[late])
            before = np.bincount(log.users[~late], minlength=study.m)
            judged["one date"] = int((before[late_users] > 0).sum())
            judged["strangers"] = int((before[late_users] == 0).sum())
        judged["last fifth of each"] = int((study.of_user >= 2).sum())
    judged["random fifth"] = round(float((1 - 0.8**study.of_user).sum()))
    split = split_last(data, 0.2) if log.times is not None else split_random(data, 0.2, study.rng)
    rows = np.diff(split[1].matrix.indptr)
    spread = np.nan
    if (rows > 0).sum() >= 20:
        spread = _spread(*split, study.rng)
    says, seen = [], {}
    for name in ("one date", "last fifth of each", "random fifth"):
        if name not in judged:
            continue
        number = judged[name]
        text = f"{name}: {count(number, 'user')}"
        if name == "one date":
            text += f" with a past (and {count(judged['strangers'], 'stranger')})"
        if np.isfinite(spread) and number > 1:
            seen[name] = smallest_difference(spread, number)
            text += f", who show a difference of {seen[name]:.3f} in nDCG@10 four times of five"
        says.append(text)
    sentence = f"Users left to judge models by: {'; '.join(says)}."
    if np.isfinite(spread):
        sentence += (
            f" (The differences of two models, person by person, vary by {spread:.2f} here.) A "
            "true lead that is smaller is likely to be missed."
        )

    def picture():
        if not seen:
            names = [name for name in judged if name != "strangers"]
            heights = [judged[name] for name in names]
            return bars(names, heights, "Users to be judged by.", "", "users", ax=_panel(LOW))
        title = "The smallest lead that is found four times of five."
        look = {"horizontal": True, "colours": HELD_OUT, "ax": _panel(LOW)}
        return bars(list(seen), list(seen.values()), title, "difference in nDCG@10", **look)

    numbers = {"judged": judged, "spread": None if np.isnan(spread) else spread, "seen": seen}
    worst = seen.get("one date", 1.0 if log.times is not None else min(seen.values(), default=1.0))
    tone = "beware" if worst > 0.05 else "note" if worst > 0.02 else "fine"
    question = "Which difference could be seen?"
    return Finding("people", question, sentence, numbers, "08", tone, picture)


def _spread(train, test, rng):
    """The standard deviation of popularity's differences to item neighbours."""
    asked = np.flatnonzero(np.diff(test.matrix.indptr))
    chosen = np.zeros(test.shape[0], dtype=bool)
    chosen[np.random.default_rng(rng).permutation(asked)[:MOST_PEOPLE]] = True
    test = test.keep(chosen[test.rows()])
    scores = [
        _judge(model.fit(train).scores, train, test) for model in (Popularity(), ItemNeighbours())
    ]
    return float((scores[1] - scores[0]).std())


QUESTIONS = (
    reading, sparse, tail, copies, bots, clock, sittings, order, cold, missing, drift, people,
)  # fmt: skip
