"""Split events into a part to learn from and a part to be judged by.

Each split asks another question: can the model fill in what was hidden (random), say what comes
next for each user (last) or after a day that is the same for all (time), or cope with items or
users that it never met (cold)? Meng, McCreadie, Macdonald and Ounis (2020) compare them.
"""

from fractions import Fraction
from numbers import Real

import numpy as np
import pandas as pd

from .interactions import Interactions, as_rng, as_share, shown

# The largest denominator of a share such as 0.9 or 20 / 671 that is taken as meant exactly.
DENOMINATOR = 10**6


def split_random(
    data: Interactions, share: float, rng: np.random.Generator | int
) -> tuple[Interactions, Interactions]:
    """Hold out a random share of all events.

    Parameters
    ----------
    data : Interactions with n events
    share : float between 0 and 1
        The share that is held out: floor((1 - share) * n) events train, the rest test.
    rng : numpy.random.Generator or int

    Returns
    -------
    train, test : Interactions, with the shape and labels of ``data``

    Raises
    ------
    ValueError
        If share is outside (0, 1), or ``data`` is not Interactions or has no events.
    """
    share = _check(data, share)
    held_out = np.zeros(len(data), dtype=bool)
    held_out[_chosen(np.arange(len(data)), share, rng)] = True
    return _split(data, held_out)


def split_last(data: Interactions, share: float) -> tuple[Interactions, Interactions]:
    """Hold out the last events of each user.

    Parameters
    ----------
    data : Interactions with times
    share : float between 0 and 1
        Of a user's n events, by time and at equal times by item label, the first
        floor((1 - share) * n) train and the rest test. A user with a single event is left with
        none to train on.

    Returns
    -------
    train, test : Interactions, with the shape and labels of ``data``

    Raises
    ------
    ValueError
        If there are no times, share is outside (0, 1), or ``data`` is not Interactions or has no
        events.
    """
    share = _check(data, share)
    if data.times is None:
        raise ValueError("data has no times: read it with time=, or use split_random")
    rows = data.rows()
    by_label = np.argsort(np.argsort(data.items, kind="stable"))
    order = np.lexsort((by_label[data.matrix.indices], data.times, rows))
    counts = np.diff(data.matrix.indptr)
    # Sorted by user first, so a user's events lie between the same two pointers as before.
    place = np.arange(len(data)) - data.matrix.indptr[rows]
    held_out = np.empty(len(data), dtype=bool)
    first = np.array([_trained(share, int(count)) for count in counts])
    held_out[order] = place >= first[rows]
    return _split(data, held_out)


def split_time(data: Interactions, date) -> tuple[Interactions, Interactions]:
    """Hold out all events from a date on: one date for everybody, as in use.

    What others did later stays hidden too, which ``split_last`` does not promise. Many users have
    all their events on one side of the date, so fewer are left to be judged, and of these many
    have nothing to learn from.

    Parameters
    ----------
    data : Interactions with times
    date : str, datetime or pandas.Timestamp, or a number
        - A date: ``"2012-06-01"``, ``"2012-06-01 18:30"``, in UTC if it names no time zone. The
          times are then seconds since 1970 (or numpy's datetime64).
        - A number strictly between 0 and 1: the share of all n events that is held out. In the
          order of time floor((1 - share) * n) come before; the date is the time of the next one.
        - Any other number: a time stamp, in the unit of ``data.times``.

    Returns
    -------
    train, test : Interactions, with the shape and labels of ``data``
        Events before the date, and events at the date or later. Events at the same time are never
        separated, so of a share the test may get more.

    Raises
    ------
    ValueError
        If there are no times or no events, ``data`` is not Interactions, ``date`` is none of the
        above, or all events are on one side of it.

    References
    ----------
    Z. Meng, R. McCreadie, C. Macdonald and I. Ounis (2020). Exploring data splitting strategies for
    the evaluation of recommendation models. RecSys 14, 681-686. doi:10.1145/3383313.3418479

    Examples
    --------
    >>> events = pd.DataFrame({"user": [1, 1, 2], "item": ["A", "B", "A"]})
    >>> events["day"] = pd.to_datetime(["2015-03-01", "2016-01-01", "2016-02-01"])
    >>> data = Interactions.from_frame(events, time="day")
    >>> train, test = split_time(data, "2016-01-01")
    >>> len(train), len(test)
    (1, 2)
    """
    _check_data(data)
    if data.times is None:
        raise ValueError("data has no times: read it with time=, or use split_random")
    times = data.times
    if times.dtype.kind == "M":
        times = _seconds(times)
    cut = _cut(date, times)
    held_out = times >= cut
    if held_out.all() or not held_out.any():
        part = "train" if held_out.all() else "test"
        raise ValueError(
            f"date={date!r} leaves {part} without events: the times lie from {_shown(times.min())} "
            f"to {_shown(times.max())}, so choose a later date than the first and none after the "
            "last, or a share between 0 and 1"
        )
    return _split(data, held_out)


def split_cold_items(
    data: Interactions, share: float, rng: np.random.Generator | int
) -> tuple[Interactions, Interactions]:
    """Hold out all events of a random share of the items.

    Parameters
    ----------
    data : Interactions
    share : float between 0 and 1
        Of the n items with an event, floor((1 - share) * n) train and the rest are cold.
    rng : numpy.random.Generator or int

    Returns
    -------
    train, test : Interactions, with the shape and labels of ``data``

    Raises
    ------
    ValueError
        If share is outside (0, 1), or ``data`` is not Interactions or has no events.
    """
    share = _check(data, share)
    columns = data.matrix.indices
    return _split(data, np.isin(columns, _chosen(np.unique(columns), share, rng)))


def split_cold_users(
    data: Interactions, share: float, rng: np.random.Generator | int
) -> tuple[Interactions, Interactions]:
    """Hold out all events of a random share of the users.

    Parameters
    ----------
    data : Interactions
    share : float between 0 and 1
        Of the n users with an event, floor((1 - share) * n) train and the rest are cold.
    rng : numpy.random.Generator or int

    Returns
    -------
    train, test : Interactions, with the shape and labels of ``data``

    Raises
    ------
    ValueError
        If share is outside (0, 1), or ``data`` is not Interactions or has no events.
    """
    share = _check(data, share)
    rows = data.rows()
    return _split(data, np.isin(rows, _chosen(np.unique(rows), share, rng)))


def _check(data, share):
    _check_data(data)
    as_share(share)
    return _exact(share)


def _check_data(data):
    if not isinstance(data, Interactions):
        raise ValueError(f"data is a {type(data).__name__}: pass Interactions")
    if not len(data):
        raise ValueError("data has no events: give at least one")


def _exact(share) -> Fraction:
    """Return the share that was meant: 0.9 is nine tenths, which no float is.

    A float stands for the simplest fraction that is rounded to it, or else for its decimal text.
    """
    written = Fraction(str(share))
    simple = written.limit_denominator(DENOMINATOR)
    return simple if float(simple) == float(share) else written


def _trained(share: Fraction, n: int) -> int:
    """Return floor((1 - share) * n), without a rounding."""
    return (1 - share) * n // 1


def _cut(date, times):
    """Return the first time that is held out."""
    if isinstance(date, Real) and not isinstance(date, (bool, np.bool_)):
        if not np.isfinite(date):
            raise ValueError(f"date={date!r} is no time: give a date, a time stamp or a share")
        if 0 < date < 1:
            return np.sort(times)[_trained(_exact(date), len(times))]
        return date
    try:
        if isinstance(date, (bool, np.bool_)):
            raise TypeError
        stamp = pd.Timestamp(date)
        if stamp is pd.NaT:
            raise TypeError
    except (TypeError, ValueError):
        raise ValueError(
            f"date={shown(date)} cannot be read: write it as '2012-06-01', or give a time stamp or "
            "a share between 0 and 1"
        ) from None
    stamp = stamp.tz_localize("UTC") if stamp.tz is None else stamp
    return (stamp - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)


def _seconds(times):
    """Return numpy's dates as seconds since 1970."""
    return (times - np.datetime64(0, "s")) / np.timedelta64(1, "s")


def _shown(time) -> str:
    """Return a time as it is, and as a date where it can be seconds since 1970."""
    # 100 million seconds are March 1973: smaller numbers are days, weeks or places in an order.
    as_date = f" ({pd.Timestamp(time, unit='s'):%Y-%m-%d})" if 1e8 < time < 1e10 else ""
    return f"{time:g}{as_date}" if time < 1e8 else f"{time:.0f}{as_date}"


def _chosen(positions, share, rng):
    """Draw the positions to hold out."""
    shuffled = as_rng(rng).permutation(positions)
    return shuffled[_trained(share, len(positions)) :]


def _split(data, held_out):
    return data.keep(~held_out), data.keep(held_out)
