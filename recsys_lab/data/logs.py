"""The log of a window that shows one item a visit, with the truth behind it.

The setting of off-policy evaluation, a contextual bandit (Dudík, Langford and Li 2011).
"""

from typing import NamedTuple

import numpy as np

from .interactions import as_count, as_rng


class Log(NamedTuple):
    """What `simulate_log` returns.

    Attributes
    ----------
    user, item : arrays of int, one entry a visit: who came, and what was shown.
    click : array of bool: whether it was clicked.
    chance : array of float: how likely the old policy was to show this item to this user.
    old : users x items: the old policy; each row adds up to 1.
    wanted : users x items: the truth, the chance of a click if the item is shown. Hidden in use.
    """

    user: np.ndarray
    item: np.ndarray
    click: np.ndarray
    chance: np.ndarray
    old: np.ndarray
    wanted: np.ndarray


def simulate_log(
    users: int = 1000,
    items: int = 40,
    visits: int = 20,
    rng: np.random.Generator | int = 0,
    world: int = 0,
) -> Log:
    """Draw the log of a shop window that shows one item a visit.

    The rule. User i has a taste of three numbers, item j as many properties and a quality; all are
    normal. A shown item is clicked with the chance ``sigmoid(quality + 0.7 taste . properties -
    2.5)``, where the quality has a standard deviation of 0.7.
    The old policy draws the item with chances ``softmax(fame + 0.5 guess)``: the fame of an item
    has little to do with its quality (correlation 0.3), and the guess at the taste sees it through
    noise. Each item is shown with a chance of at least 0.1 / items.

    Parameters
    ----------
    users, items, visits : int, at least 1
        How many users and items there are, and how often each user comes.
    rng : numpy.random.Generator or int
        Draws what is shown and clicked.
    world : int
        Draws the users, the items and the old policy: with the same number the truth stays the
        same, and another `rng` gives another log of it.

    Raises
    ------
    ValueError
        If users, items or visits is no whole number from 1 on, or rng or world no seed.

    Examples
    --------
    >>> log = simulate_log(users=5, items=4, visits=3, rng=0)
    >>> log.item.shape, log.old.shape, log.old.sum(axis=1).round(9).tolist()
    ((15,), (5, 4), [1.0, 1.0, 1.0, 1.0, 1.0])
    """
    users, items = as_count(users, "users"), as_count(items, "items")
    visits, rng, truth = as_count(visits, "visits"), as_rng(rng), as_rng(world, "world")
    taste, properties = truth.normal(size=(users, 3)), truth.normal(size=(items, 3))
    quality = 0.7 * truth.normal(size=items)
    personal = 0.7 * taste @ properties.T
    wanted = 1 / (1 + np.exp(2.5 - quality - personal))
    fame = 1.2 * (0.3 * quality / 0.7 + np.sqrt(1 - 0.3**2) * truth.normal(size=items))
    guess = personal + 1.5 * truth.normal(size=personal.shape)
    old = np.exp(fame + 0.5 * guess)
    old = 0.9 * old / old.sum(axis=1, keepdims=True) + 0.1 / items
    user = np.repeat(np.arange(users), visits)
    item = (rng.random((len(user), 1)) > np.cumsum(old, axis=1)[user]).sum(axis=1)
    item = np.minimum(item, items - 1)
    click = rng.random(len(user)) < wanted[user, item]
    return Log(user, item, click, old[user, item], old, wanted)
