"""Split events into a part to learn from and a part to be judged by.

Each split asks another question: can the model fill in what was hidden (random), say what comes
next (last), or cope with items or users that it never met (cold)?
"""

import numpy as np

from .interactions import Interactions, as_share


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
    held_out[order] = place >= np.floor((1 - share) * counts)[rows]
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
    if not isinstance(data, Interactions):
        raise ValueError(f"data is a {type(data).__name__}: pass Interactions")
    if not len(data):
        raise ValueError("data has no events: give at least one")
    return as_share(share)


def _chosen(positions, share, rng):
    """Draw the positions to hold out."""
    shuffled = np.random.default_rng(rng).permutation(positions)
    return shuffled[int(np.floor((1 - share) * len(positions))) :]


def _split(data, held_out):
    return data.keep(~held_out), data.keep(held_out)
