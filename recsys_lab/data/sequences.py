"""Events in the order of their times: histories, and what comes next.

Who predicts the next event needs an order, and a log's times do not always give one: two events may
carry the same second (Woolridge, Wilner and Glick 2021 found that in many data sets). Ties are
drawn by chance here. An order by item label would be an order all the same, and a model could learn
it.
"""

import numpy as np

from .interactions import Interactions, as_choice, as_number, as_rng


def ordered_histories(
    data: Interactions, *, ties: str = "chance", rng: np.random.Generator | int = 0
) -> list[np.ndarray]:
    """List each user's items, oldest first.

    Parameters
    ----------
    data : Interactions with times
    ties : {"chance", "label"}
        How events of a user with equal times are ordered: by chance, or by the item's label.
    rng : numpy.random.Generator or int
        Draws the order of ties.

    Returns
    -------
    list of m int arrays: item positions, possibly none

    Raises
    ------
    ValueError
        If there are no times, or ``ties`` is none of the two.

    Examples
    --------
    >>> import pandas as pd
    >>> events = pd.DataFrame({"user": [1, 1, 2], "item": ["A", "B", "B"], "time": [7, 5, 1]})
    >>> data = Interactions.from_frame(events, time="time")
    >>> [history.tolist() for history in ordered_histories(data)]
    [[1, 0], [1]]
    """
    order = _order(data, ties, rng)
    return np.split(data.matrix.indices[order], data.matrix.indptr[1:-1])


def split_next(
    data: Interactions,
    *,
    gap: float = 0.0,
    ties: str = "chance",
    rng: np.random.Generator | int = 0,
) -> tuple[Interactions, Interactions]:
    """Hold out one event of each user: the last; or the first after a break.

    Parameters
    ----------
    data : Interactions with times
    gap : float, in the unit of the times
        0: each user's last event is held out. Above 0: the first event after the user's last break
        of this length or longer. What came later is in neither part. Users without such a break
        keep all events in train, and are not judged.
    ties, rng
        As in `ordered_histories`: among events with equal times, which one was the last?

    Returns
    -------
    train, test : Interactions, with the shape and labels of ``data``
        A user with a single event keeps it in train.

    Raises
    ------
    ValueError
        If there are no times, ``ties`` is unknown, or ``gap`` is negative or no number.
    """
    gap = as_number(gap, "gap", such="86400")
    order = _order(data, ties, rng)
    rows = data.rows()
    times = data.times[order].astype(float)
    place = np.arange(len(data))
    last = np.flatnonzero(np.diff(rows, append=-1))
    # The held-out place of each user: `len(data)` for those who are not judged.
    held = np.full(data.shape[0], len(data))
    if gap == 0:
        held[rows[last]] = last
    else:
        after = 1 + np.flatnonzero((np.diff(rows) == 0) & (np.diff(times) >= gap))
        held[rows[after]] = after  # the latest of a user's breaks is written last
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    alone = rows[first[np.isin(first, last)]]
    held[alone] = len(data)
    train, test = np.zeros(len(data), bool), np.zeros(len(data), bool)
    train[order] = place < held[rows]
    test[order] = place == held[rows]
    return data.keep(train), data.keep(test)


def _order(data, ties, rng):
    """Return the events by user, then time, then by chance or label."""
    if not isinstance(data, Interactions):
        raise ValueError(f"data is a {type(data).__name__}: pass Interactions")
    if data.times is None:
        raise ValueError("data has no times: read it with time=, or there is no order to find")
    rng = as_rng(rng)
    if as_choice(ties, "ties", ("chance", "label")) == "chance":
        third = rng.random(len(data))
    else:
        third = np.argsort(np.argsort(data.items, kind="stable"))[data.matrix.indices]
    return np.lexsort((third, data.times, data.rows()))
