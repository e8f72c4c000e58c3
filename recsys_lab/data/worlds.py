"""Simulated worlds, whose truth is known: how good a recommender can be at most is a formula here.

In a real log nobody knows what was there to be found. In a world that we made, a model's score can
be held against the best possible one, and a model that finds nothing is at fault itself.
"""

from dataclasses import dataclass

import numpy as np

from .interactions import as_count, as_number, as_rng


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
