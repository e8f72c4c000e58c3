"""Three small worlds whose rule is known: a shop's baskets, circles of friends, a feed.

Each is drawn with a seed, and its docstring states the rule, so that a lesson can ask a method for
the rule and compare.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from .interactions import as_count, as_number, as_rng

# A need: what serves it (the products are substitutes), its mean rate a basket, whether one is
# enough for good, and what goes with it, each with its chance to be in the same basket.
NEEDS = {
    "pasta": (("spaghetti", "penne", "fusilli"), 0.24, False, {"sauce": 0.5, "parmesan": 0.3}),
    "coffee": (("coffee, mild", "coffee, dark"), 0.20, False, {"filters": 0.4, "sugar": 0.2}),
    "barbecue": (("sausages", "burgers"), 0.10, False, {"charcoal": 0.5, "mustard": 0.3}),
    "photo": (("camera, small", "camera, large"), 0.03, True, {"card": 0.55, "case": 0.3}),
    "printing": (("printer, ink", "printer, laser"), 0.03, True, {"paper": 0.55, "toner": 0.4}),
    "shaving": (("razor, steel", "razor, plastic"), 0.03, True, {"blades": 0.55, "foam": 0.4}),
}
# What an owner buys again, in each later basket with this chance.
AGAIN = {"paper": 0.15, "toner": 0.15, "blades": 0.15, "foam": 0.15}
STAPLES = {"carrier bag": 0.65, "milk": 0.35, "bread": 0.30, "newspaper": 0.15}
ODDMENTS = 60  # rare things that go with nothing
# What the shop keeps of a sale, in yuan, of the products that are not a main one.
MARGINS = {
    "sauce": 3, "parmesan": 6, "filters": 4, "sugar": 0.5, "charcoal": 9, "mustard": 2, "card": 20,
    "case": 60, "paper": 4, "toner": 50, "blades": 25, "foam": 5, "carrier bag": 0.2, "milk": 0.4,
    "bread": 2, "newspaper": 1,
}  # fmt: skip


class Baskets(NamedTuple):
    """What `simulate_baskets` returns.

    Attributes
    ----------
    bought, seen
        Tables of True and False, a row a basket and a column a product: what was bought, and what
        was looked at before. Row ``c * baskets + t`` is basket t of customer c; it may be empty.
    complements
        The pairs (main product, what goes with it) of the rule.
    substitutes
        The pairs of products that serve the same need.
    margin
        What the shop keeps of a sale, in yuan, by product; NaN for main products and oddments.
    """

    bought: pd.DataFrame
    seen: pd.DataFrame
    complements: frozenset
    substitutes: frozenset
    margin: pd.Series


def simulate_baskets(
    customers: int = 2000, baskets: int = 10, rng: np.random.Generator | int = 0
) -> Baskets:
    """Draw the baskets of a shop.

    The rule. Six needs come up at a rate of each customer's own (exponential, with the mean in
    `NEEDS`). A need that comes up puts one of its products into the basket: the customer's
    favourite in four of five cases, else any. Each complement joins with its chance. A camera, a
    printer, a razor is bought once; paper, toner, blades and foam then again and again. Staples,
    and sixty oddments that one basket in a thousand holds, come at one rate for all. Before a
    product is bought, each of its substitutes is looked at with a chance of one half.

    Parameters
    ----------
    customers, baskets : int, at least 1
        How many customers, and how many baskets each of them fills.
    rng : numpy.random.Generator or int

    Raises
    ------
    ValueError
        If customers or baskets is no whole number from 1 on.

    Examples
    --------
    >>> world = simulate_baskets(customers=3, baskets=2, rng=1)
    >>> world.bought.shape, ("sausages", "charcoal") in world.complements
    ((6, 89), True)
    """
    shape = as_count(customers, "customers"), as_count(baskets, "baskets")
    rng = as_rng(rng)
    bought, seen = {}, {}
    for mains, rate, once, with_it in NEEDS.values():
        due = rng.random(shape) < rate * rng.exponential(size=(shape[0], 1))
        owned = np.zeros(shape, dtype=bool)
        if once:
            owned[:, 1:] = np.logical_or.accumulate(due, axis=1)[:, :-1]
            due &= ~owned
        favourite = rng.integers(len(mains), size=(shape[0], 1))
        any_of_them = rng.integers(len(mains), size=shape)
        chosen = np.where(rng.random(shape) < 0.8, favourite, any_of_them)
        for place, name in enumerate(mains):
            bought[name] = due & (chosen == place)
            seen[name] = bought[name] | due & (rng.random(shape) < 0.5)
        for name, chance in with_it.items():
            again = owned & (rng.random(shape) < AGAIN.get(name, 0.0))
            bought[name] = due & (rng.random(shape) < chance) | again
    oddments = {f"oddment {number:02d}": 0.001 for number in range(1, ODDMENTS + 1)}
    for name, rate in (STAPLES | oddments).items():
        bought[name] = rng.random(shape) < rate
    table = pd.DataFrame({name: part.ravel() for name, part in bought.items()})
    looked_at = table.assign(**{name: part.ravel() for name, part in seen.items()})
    complements = {
        (m, c) for mains, _, _, with_it in NEEDS.values() for m in mains for c in with_it
    }
    substitutes = {(a, b) for mains, *_ in NEEDS.values() for a in mains for b in mains if a != b}
    margin = pd.Series(MARGINS).reindex(table.columns)
    return Baskets(table, looked_at, frozenset(complements), frozenset(substitutes), margin)


def simulate_friends(
    people: int = 300,
    circles: int = 6,
    closure: float = 0.02,
    rng: np.random.Generator | int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw who is friends with whom.

    The rule. Everyone belongs to one circle, and has a sociability (gamma distributed, mean 1).
    Two people become friends with the chance 0.09 in the same circle, 0.006 otherwise, times both
    sociabilities. Then, three times, friends of friends meet: each friend whom two strangers share
    brings them together with the chance `closure`.

    Parameters
    ----------
    people, circles : int, at least 1
    closure : float from 0 to 1
        0: nobody is introduced, and only the circles say who will be friends.
    rng : numpy.random.Generator or int

    Returns
    -------
    friends : people x people array of bool, symmetric, False on the diagonal
    circle : array of int, the circle of each person

    Raises
    ------
    ValueError
        If people or circles is no whole number from 1 on, or closure is not within 0 and 1.

    Examples
    --------
    >>> friends, circle = simulate_friends(people=50, circles=2, rng=0)
    >>> friends.shape, bool((friends == friends.T).all())
    ((50, 50), True)
    """
    people, circles = as_count(people, "people"), as_count(circles, "circles")
    closure = as_number(closure, "closure", most=1, such="0.02")
    rng = as_rng(rng)
    circle = np.sort(rng.integers(circles, size=people))
    social = rng.gamma(3, 1 / 3, size=people)
    chance = np.where(circle[:, None] == circle, 0.09, 0.006) * np.outer(social, social)
    friends = np.triu(rng.random((people, people)) < chance, 1)
    friends |= friends.T
    for _ in range(3):
        common = friends.astype(float) @ friends
        met = np.triu(rng.random((people, people)) < 1 - (1 - closure) ** common, 1)
        friends |= met | met.T
    return friends, circle


class Feed(NamedTuple):
    """What `simulate_feed` returns.

    Attributes
    ----------
    shown
        Impressions x places: the article at each place.
    clicks
        The same shape: True where it was clicked.
    swapped
        For each impression the place that changed with place 0, or 0 where none did.
    looked
        The rule's chance that a place is looked at; 1 for place 0.
    wanted
        The rule's chance that an article which is looked at is clicked.
    """

    shown: np.ndarray
    clicks: np.ndarray
    swapped: np.ndarray
    looked: np.ndarray
    wanted: np.ndarray


def simulate_feed(
    impressions: int = 20_000, swaps: float = 0.2, rng: np.random.Generator | int = 0
) -> Feed:
    """Draw the clicks on a list of ten articles.

    The rule. A place is looked at with a chance that falls from 1 at place 0 to 0.12 at place 9; an
    article that is looked at is clicked with a chance of its own (beta distributed, mean a
    quarter). A click is both. An editor sorts the articles once, by a guess at what is wanted. In a
    share of the impressions the article of place 0 changes places with one drawn at random.

    Parameters
    ----------
    impressions : int, at least 1
        How many times the list is shown.
    swaps : float from 0 to 1
        The share of impressions with a swap.
    rng : numpy.random.Generator or int

    Raises
    ------
    ValueError
        If impressions is no whole number from 1 on, or swaps is not within 0 and 1.

    Examples
    --------
    >>> feed = simulate_feed(impressions=100, rng=0)
    >>> feed.shown.shape, feed.looked[:3].tolist()
    ((100, 10), [1.0, 0.62, 0.45])
    """
    impressions = as_count(impressions, "impressions")
    swaps = as_number(swaps, "swaps", most=1, such="0.2")
    rng = as_rng(rng)
    looked = np.array([1, 0.62, 0.45, 0.33, 0.26, 0.21, 0.18, 0.15, 0.13, 0.12])
    wanted = rng.beta(2, 6, size=looked.size)
    order = np.argsort(-(wanted + rng.normal(0, 0.15, size=looked.size)))
    shown = np.tile(order, (impressions, 1))
    swapped = rng.integers(1, looked.size, size=impressions) * (rng.random(impressions) < swaps)
    row = np.arange(impressions)
    first = shown[:, 0].copy()
    shown[row, 0] = shown[row, swapped]
    shown[row, swapped] = first
    clicks = rng.random(shown.shape) < looked * wanted[shown]
    return Feed(shown, clicks, swapped, looked, wanted)
