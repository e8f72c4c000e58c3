"""Choosing a model's settings: the same number of trials for all, and none of them sees the test.

Random search covers a range better than a grid of as many trials (Bergstra and Bengio 2012); drawn
as a Latin hypercube, no two trials of the first half are alike in any argument (McKay, Beckman and
Conover 1979). The second half looks around the best so far, and beyond the range if the best
is near its end. A range that is too narrow decides a contest in secret, so it is said of each
choice whether it lies at an edge of what was tried.

References
----------
J. Bergstra and Y. Bengio (2012). Random search for hyper-parameter optimization. Journal of
Machine Learning Research 13, 281-305.
M. McKay, R. Beckman and W. Conover (1979). A comparison of three methods for selecting values of
input variables in the analysis of output from a computer code. Technometrics 21, 239-245.
doi:10.1080/00401706.1979.10489755
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import prod
from numbers import Real

import numpy as np

# How far around the best the second half looks, as a share of a range's width on the log scale:
# with 8 trials before it, that is two of their steps to either side.
AROUND = 0.25
# A choice in the last 3 % of a range lies at its edge: nearer than any two of 16 trials.
EDGE = 0.03


@dataclass(frozen=True)
class Span:
    """A range of positive numbers to try, even on the log scale: from ``low`` to ``high``.

    Parameters
    ----------
    low, high : float
        0 < low < high; both may be chosen.
    whole : bool
        Give whole numbers, such as numbers of factors.
    floor, ceiling : float, optional
        Bounds that the trials around the best keep to, where nothing lies beyond: at most all days,
        a share below 1. By default 0 (1, if whole) and infinity.

    Examples
    --------
    >>> Span(1, 100).at(0.5), Span(8, 64, whole=True).at(0.4)
    (10.0, 18)
    """

    low: float
    high: float
    whole: bool = False
    floor: float | None = None
    ceiling: float | None = None

    def __post_init__(self):
        numbers = isinstance(self.low, Real) and isinstance(self.high, Real)
        if not (numbers and 0 < self.low < self.high < np.inf):
            raise ValueError(
                f"Span({self.low!r}, {self.high!r}): give two finite numbers above 0, the smaller "
                "one first"
            )
        for name, bound, beyond in [
            ("floor", self.floor, self.floor is not None and not 0 < self.floor <= self.low),
            ("ceiling", self.ceiling, self.ceiling is not None and not self.ceiling >= self.high),
        ]:
            if beyond:
                raise ValueError(f"{name}={bound!r}: let it lie outside {self.low} to {self.high}")

    def at(self, place: float) -> float:
        """Return the value at a place: 0 is the low end, 1 the high one."""
        value = self.low * (self.high / self.low) ** place
        # Four digits tell any two trials apart, and can be read.
        return round(value) if self.whole else float(f"{value:.4g}")

    @property
    def bounds(self) -> tuple[float, float]:
        """The places of the floor and of the ceiling."""
        floor = 1 if self.floor is None and self.whole else self.floor
        width = np.log(self.high / self.low)
        return (
            -np.inf if floor is None else float(np.log(floor / self.low) / width),
            np.inf if self.ceiling is None else float(np.log(self.ceiling / self.low) / width),
        )


def search(score: Callable[[dict], float], values: dict, trials: int, seed: int) -> dict:
    """Find the setting of highest score by at most so many trials.

    Parameters
    ----------
    score : function of a setting, a dict: argument -> value
    values : dict: argument -> values to try
        A `Span`, or a list: in a list's order neighbours should be alike.
    trials : int
        Lists with no more combinations than that are tried whole. Otherwise half of the trials
        spread over everything, and the others lie around the best so far, an argument at most a
        quarter of its range away: also outside of it, up to its floor or ceiling.
    seed : whole number

    Returns
    -------
    dict
        - setting: the best one; score: of it; tried: the number of different settings;
        - edge: the arguments whose choice lies at an end of what was offered, such as "k high", and
          no trial went further; lists of fewer than three values have no edge.

    References
    ----------
    J. Bergstra and Y. Bengio (2012). Random search for hyper-parameter optimization. Journal of
    Machine Learning Research 13, 281-305.
    M. McKay, R. Beckman and W. Conover (1979). A comparison of three methods for selecting values
    of input variables in the analysis of output from a computer code. Technometrics 21, 239-245.
    doi:10.1080/00401706.1979.10489755

    Examples
    --------
    >>> found = search(lambda s: -abs(s["lam"] - 7), {"lam": Span(1, 1000)}, trials=16, seed=0)
    >>> 5 < found["setting"]["lam"] < 10, found["tried"], found["edge"]
    (True, 16, '')
    """
    scores, places = {}, {}

    def setting(place):
        return {name: _value(values[name], at) for name, at in place.items()}

    def attempt(place):
        # Two places may stand for one value; the values themselves may be arrays.
        key = tuple(_which(values[name], at) for name, at in place.items())
        if key not in scores:
            scores[key], places[key] = score(setting(place)), place

    if all(not isinstance(tried, Span) for tried in values.values()) and trials >= prod(
        len(tried) for tried in values.values()
    ):
        steps = [(np.arange(len(tried)) + 0.5) / len(tried) for tried in values.values()]
        for combination in product(*steps):
            attempt(dict(zip(values, combination, strict=True)))
    else:
        rng = np.random.default_rng(seed)
        first = -(-trials // 2)
        # Each argument is at each of so many places once, in an order of its own.
        columns = {name: (rng.permutation(first) + 0.5) / first for name in values}
        for number in range(first):
            attempt({name: float(column[number]) for name, column in columns.items()})
        for _ in range(trials - first):
            best = places[max(scores, key=scores.get)]
            steps = rng.uniform(-AROUND, AROUND, len(values))
            moved = zip(best.items(), steps, strict=True)
            attempt(
                {name: float(np.clip(at + by, *_bounds(values[name]))) for (name, at), by in moved}
            )
    best = max(scores, key=scores.get)
    edges = [
        _edge(name, values[name], place, [other[name] for other in places.values()])
        for name, place in places[best].items()
    ]
    return {
        "setting": setting(places[best]),
        "score": scores[best],
        "tried": len(scores),
        "edge": ", ".join(edge for edge in edges if edge),
    }


def _value(tried, place):
    return tried.at(place) if isinstance(tried, Span) else tried[_which(tried, place)]


def _which(tried, place):
    """Tell values apart: a span's by themselves, a list's by their position."""
    if isinstance(tried, Span):
        return tried.at(place)
    return min(int(place * len(tried)), len(tried) - 1)


def _bounds(tried):
    return tried.bounds if isinstance(tried, Span) else (0, 1)


def _edge(name, tried, place, places):
    if isinstance(tried, Span):
        margin = EDGE
    elif len(tried) > 2:
        margin = 1 / len(tried)
    else:
        return ""
    # What was offered, and beyond it what was tried.
    if place < min(0, *places) + margin:
        return f"{name} low"
    return f"{name} high" if place > max(1, *places) - margin else ""
