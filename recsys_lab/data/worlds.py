"""Simulated worlds, whose truth is known: how good a recommender can be at most is a formula here.

In a real log nobody knows what was there to be found. In a world that we made, a model's score can
be held against the best possible one, and a model that finds nothing is at fault itself.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from .interactions import as_count, as_number, as_pictures, as_rng


@dataclass(frozen=True)
class SeriesWorld:
    """People who follow two series by turns: A4 B7 A5 B8 A6 ...

    The rule is of second order: what comes next is the sequel of the event *before the last*, and
    after the last episode of a series its first. In a share ``noise`` of all cases it is any item
    by chance instead, which then takes the place of one of the two series.

    Parameters
    ----------
    series, episodes : int, 2 and 2 or more
        There are series x episodes items. Item s * episodes + e is episode e + 1 of series s.
    noise : float from 0 to 1
        0.2 by default: about one event in five is chance, so that no history is a clean one.

    Raises
    ------
    ValueError
        If a count or the share makes no sense.

    Examples
    --------
    >>> world = SeriesWorld(series=3, episodes=4, noise=0.0)
    >>> [world.name(item) for item in world.histories(1, 6, rng=3)[0]]
    ['C2', 'A2', 'C3', 'A3', 'C4', 'A4']
    >>> world.best_ndcg()
    1.0
    """

    series: int = 20
    episodes: int = 10
    noise: float = 0.2

    def __post_init__(self):
        for name in ("series", "episodes"):
            if as_count(getattr(self, name), name) < 2:
                raise ValueError(f"{name}={getattr(self, name)} is too small: choose 2 or more")
        as_number(self.noise, "noise", most=1, such="0.2")

    @property
    def n(self) -> int:
        """The number of items."""
        return self.series * self.episodes

    def sequel(self, items):
        """Return the next episode of each item; after the last of a series comes its first."""
        items = np.asarray(items)
        series, episode = np.divmod(items, self.episodes)
        return series * self.episodes + (episode + 1) % self.episodes

    def histories(self, people: int, length: int, rng: np.random.Generator | int) -> np.ndarray:
        """Draw the events of some people: people x length item positions, oldest first."""
        people, length = as_count(people, "people"), as_count(length, "length")
        rng = as_rng(rng)
        drawn = rng.integers(self.n, size=(people, length))
        chance = rng.random((people, length)) < self.noise
        for t in range(2, length):
            drawn[:, t] = np.where(chance[:, t], drawn[:, t], self.sequel(drawn[:, t - 2]))
        return drawn

    def best_scores(self, histories) -> np.ndarray:
        """Return the true probability of each next item, people x n; two events are enough."""
        before_last = np.asarray([history[-2] for history in histories])
        scores = np.full((len(before_last), self.n), self.noise / self.n)
        scores[np.arange(len(before_last)), self.sequel(before_last)] += 1 - self.noise
        return scores

    def best_ndcg(self, k: int = 10) -> float:
        """Return the nDCG@k that nobody can beat in the long run.

        With one event to be found, nDCG is 1 / log2(place + 1). The best list has the rule's item
        first; all others are equally likely, each with noise / n.
        """
        gains = 1 / np.log2(np.arange(2, min(as_count(k, "k"), self.n) + 2))
        by_chance = self.noise / self.n
        return float((1 - self.noise) * gains[0] + by_chance * gains.sum())

    def best_loss(self) -> float:
        """Return the loss that nobody can beat in the long run: the entropy of the next, in nats.

        It is that of the true probabilities: one item has 1 - noise + noise / n, each other one
        noise / n.
        """
        p = np.full(self.n, self.noise / self.n)
        p[0] += 1 - self.noise
        return float(-(p[p > 0] * np.log(p[p > 0])).sum())

    def vectors(self, d: int = 16, blur: float = 0.05, rng: np.random.Generator | int = 0):
        """Return what a text could tell of each item: n x d, without any behaviour.

        "Series A, episode 4" is a vector for the series, of length 1, plus one for the episode, of
        length 1/2, the same in all series; plus normal noise with standard deviation ``blur`` in
        each of the d places; plus one vector of length 2 that is the same for all, since all of
        them are texts.
        """
        d, blur, rng = as_count(d, "d"), as_number(blur, "blur", such="0.05"), as_rng(rng)
        drawn = rng.normal(size=(self.series + self.episodes + 1, d))
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        series, episode = np.divmod(np.arange(self.n), self.episodes)
        told = drawn[series] + drawn[self.series + episode] / 2 + 2 * drawn[-1]
        return told + rng.normal(0, blur, size=(self.n, d))

    def name(self, item: int) -> str:
        """Return an item as a reader sees it: A1 to T10 with twenty series of ten episodes."""
        series, episode = divmod(int(item), self.episodes)
        letters = ""
        while series >= 0:
            letters = chr(ord("A") + series % 26) + letters
            series = series // 26 - 1
        return f"{letters}{episode + 1}"


def looks(pictures) -> np.ndarray:
    """Return what a picture has to show for itself: n x 4, each column with mean 0 and deviation 1.

    Redness and blueness of the mean colour (pixels weighed by how colourful they are), how tall the
    thing is (the logarithm of its height by its width), and how much of the tile it fills.

    Parameters
    ----------
    pictures : n x h x w x 3, uint8, on white

    Raises
    ------
    ValueError
        If pictures is no such array.
    """
    X = as_pictures(pictures) / 255
    ink = (X.min(axis=3) < 0.94).astype(float)  # the others are white, or nearly
    colourful = X.max(axis=3) - X.min(axis=3) + 1e-3 * ink
    share = colourful / colourful.sum(axis=(1, 2), keepdims=True)
    red, green, blue = np.einsum("nhwc,nhw->cn", X, share)
    part = ink / ink.sum(axis=(1, 2), keepdims=True)
    spread = []
    for axis in (1, 2):
        at = np.arange(X.shape[axis]).reshape(-1, 1) if axis == 1 else np.arange(X.shape[axis])
        mean = (part * at).sum(axis=(1, 2))
        spread.append(np.sqrt((part * at**2).sum(axis=(1, 2)) - mean**2))
    tall = np.log(spread[0] / spread[1])
    found = np.c_[red - green, blue - (red + green) / 2, tall, ink.mean(axis=(1, 2))]
    return (found - found.mean(axis=0)) / found.std(axis=0)


@dataclass(frozen=True)
class SensesWorld:
    """Customers of the picture shop, of three kinds, by where their taste can be found out.

    A taste is four numbers, drawn from a normal distribution; a thing has four numbers too, and the
    customer wants it by their product. *picture*: the thing's `looks`. *words*: four numbers of its
    subgroup, drawn once, so that two fruits are wanted alike and a name tells. *behaviour*: four
    numbers that each thing draws for itself, in no picture and in no word.

    Parameters
    ----------
    items, pictures : as `load_picture_shop` gives them
    people, events : int
        Customers of each kind, and different things that each of them takes.
    sharp : float, above 0
        The deviation of what the things are worth to a customer. With 2, a thing that is one
        deviation better is taken e^2, about seven times, as often.

    Raises
    ------
    ValueError
        If a count or ``sharp`` makes no sense.
    """

    items: object
    pictures: np.ndarray
    people: int = 400
    events: int = 40
    sharp: float = 2.0

    KINDS = ("picture", "words", "behaviour")

    def __post_init__(self):
        as_count(self.people, "people")
        as_count(self.events, "events", most=len(self.items))
        as_number(self.sharp, "sharp", above=True, such="2")

    def draw(self, rng) -> tuple[sp.csr_array, np.ndarray, np.ndarray]:
        """Draw customers.

        Returns
        -------
        R : 3 people x n, csr, of ones
        kind : 3 people; 0, 1, 2: a place in ``KINDS``
        wanted : 3 people x n; the truth. What is taken is drawn by a softmax of it.
        """
        rng, n, d = as_rng(rng), len(self.items), 4
        group = np.unique(self.items["subgroup"].to_numpy(str), return_inverse=True)[1]
        of_group = rng.normal(size=(group.max() + 1, d))[group]
        of_group = (of_group - of_group.mean(axis=0)) / of_group.std(axis=0)
        sides = [looks(self.pictures), of_group, rng.normal(size=(n, d))]
        tastes = rng.normal(size=(3, self.people, d))
        wanted = np.concatenate([t @ F.T for t, F in zip(tastes, sides, strict=True)])
        wanted *= self.sharp / 2
        # The largest of wanted + Gumbel noise are a draw by the softmax, without putting back.
        drawn = wanted + rng.gumbel(size=wanted.shape)
        taken = np.argpartition(-drawn, self.events - 1, axis=1)[:, : self.events]
        R = np.zeros(wanted.shape)
        np.put_along_axis(R, taken, 1.0, axis=1)
        return sp.csr_array(R), np.repeat(np.arange(3), self.people), wanted


@dataclass(frozen=True)
class DriftingWorld:
    """People who take a few things a day, in a world where moods, things, or nothing may change.

    Parameters
    ----------
    mood : float from 0 to 1
        The share of a taste (of its variance) that is drawn anew each morning. The rest stays.
    fresh : bool
        Whether things come and go: each is on offer for 12 days. Otherwise all are, always.
    people, n, days, events : int
        ``events`` things a day and person, never one twice; ``n`` things in all.

    Raises
    ------
    ValueError
        If a count or the share makes no sense.
    """

    mood: float = 0.0
    fresh: bool = False
    people: int = 300
    n: int = 600
    days: int = 30
    events: int = 5

    LIFE = 12  # days; long enough that a thing has a past, short enough that the shop turns over
    D, SHARP = 6, 4.0  # numbers of a taste; how sure a choice is

    def __post_init__(self):
        as_number(self.mood, "mood", most=1, such="0.5")
        for name in ("people", "n", "days", "events"):
            as_count(getattr(self, name), name)
        if self.n < self.days * self.events:
            raise ValueError(
                f"n={self.n} things for {self.days} days of {self.events}: choose more things"
            )

    def draw(self, rng) -> tuple[np.ndarray, np.ndarray]:
        """Draw what happens.

        Returns
        -------
        taken : days x events x people, int; the thing that a person takes, in order of time
        offer : days x n, bool; what can be had on a day
        """
        rng = as_rng(rng)
        F = rng.normal(size=(self.n, self.D)) / np.sqrt(self.D)
        base = rng.normal(size=(self.people, self.D))
        offer = np.ones((self.days, self.n), dtype=bool)
        if self.fresh:
            born = np.linspace(-self.LIFE, self.days, self.n, endpoint=False)
            born = rng.permutation(np.floor(born))
            day = np.arange(self.days)[:, None]
            offer = (born <= day) & (day < born + self.LIFE)
        taken = np.empty((self.days, self.events, self.people), dtype=int)
        gone, everyone = np.zeros((self.people, self.n), dtype=bool), np.arange(self.people)
        for day in range(self.days):
            today = rng.normal(size=base.shape)
            taste = np.sqrt(1 - self.mood) * base + np.sqrt(self.mood) * today
            wanted = np.where(offer[day], self.SHARP * taste @ F.T, -np.inf)
            for place in range(self.events):
                drawn = np.where(gone, -np.inf, wanted + rng.gumbel(size=wanted.shape))
                taken[day, place] = drawn.argmax(axis=1)
                gone[everyone, taken[day, place]] = True
        return taken, offer
