"""Items spelled by short codes, and a network that writes the code of the next one.

A table of items gives each a row of its own, and a new item's row gains nothing from what is
learned about the others. A *semantic id* spells an item in a few numbers that it shares with items
like it: made of vectors that are known without any behaviour, such as those of a text. The idea and
the way to use them are those of Rajput et al. (2023), who train the codes with a network; here they
come of k-means, level by level.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.cluster.vq import kmeans2, vq

from ..data.interactions import as_count, as_matrix, as_rng, as_yes_or_no, shown
from .sequence_models import NextItem

# How often k-means starts anew; the best is kept.
STARTS = 8
# Two to four levels are usual; a code is to be short.
MOST_LEVELS = 16
# Each letter of an alphabet has a row of its own in the network.
LARGEST_LETTER = 100_000


@dataclass(eq=False)
class SemanticIds:
    """Codes of items by k-means on what is left: *residual* k-means.

    The first number of a code is the cluster of the centred vector. From each vector its cluster's
    centre is taken away, and the second number is the cluster of what is left; and so on. A vector
    is then about the mean plus one centre a level.

    Parameters
    ----------
    size : int
        Clusters a level.
    levels : int
    distinct : bool
        Add a last number that tells apart items with the same code: 0 for the first of them in the
        order of the rows, 1 for the second. It means nothing, and is left out where no two agree.
    rng : numpy.random.Generator or int
        Draws where k-means starts.

    Attributes
    ----------
    mean_ : d array
    books_ : list of size x d arrays, the centres of each level
    codes_ : n x levels int array, with one more column if codes had to be told apart
    left_ : list of levels + 1 floats, the share of the centred vectors' squares that is left after
        each level, beginning with 1

    References
    ----------
    S. Rajput, N. Mehta, A. Singh, R. Hulikal Keshavan, T. Vu, L. Heldt, L. Hong, Y. Tay, V. Q.
    Tran, J. Samost, M. Kula, E. H. Chi and M. Sathiamoorthy (2023). Recommender systems with
    generative retrieval. NeurIPS 36, 10299-10315. arXiv:2305.05065
    """

    size: int = 64
    levels: int = 2
    distinct: bool = True
    rng: np.random.Generator | int = 0

    def fit(self, X) -> "SemanticIds":
        """Make the codes of n vectors: an n x d array.

        Raises
        ------
        ValueError
            If X is not a matrix of numbers, has fewer rows than ``size``, or a count makes no
            sense.
        """
        as_count(self.size, "size"), as_yes_or_no(self.distinct, "distinct")
        as_count(self.levels, "levels", most=MOST_LEVELS, why="any code needs")
        X, rng = as_vectors(X), as_rng(self.rng)
        if self.size > len(X):
            raise ValueError(f"size={self.size} is more than X has rows, {len(X)}: choose fewer")
        self.mean_ = X.mean(axis=0)
        left = X - self.mean_
        whole = max((left**2).sum(), np.finfo(float).tiny)
        self.books_, self.left_, codes = [], [1.0], []
        for _ in range(self.levels):
            best = None
            for _ in range(STARTS):
                start = _far_apart(left, self.size, rng)
                centres, _ = kmeans2(left, start, minit="matrix", missing="warn")
                code, _ = vq(left, centres)
                rest = left - centres[code]
                if best is None or (rest**2).sum() < (best[2] ** 2).sum():
                    best = centres, code, rest
            centres, code, left = best
            self.books_.append(centres)
            codes.append(code)
            self.left_.append(float((left**2).sum() / whole))
        self.codes_ = np.column_stack(codes)
        if self.distinct:
            _, which = np.unique(self.codes_, axis=0, return_inverse=True)
            place = np.zeros(len(X), int)
            order = np.argsort(which, kind="stable")
            first = np.flatnonzero(np.diff(which[order], prepend=-1))
            lengths = np.diff(first, append=len(X))
            place[order] = np.arange(len(X)) - np.repeat(first, lengths)
            if place.any():
                self.codes_ = np.column_stack([self.codes_, place])
        return self

    def transform(self, X) -> np.ndarray:
        """Return the codes of other vectors, without the number that tells apart: n x levels."""
        left, codes = as_vectors(X) - self.mean_, []
        for centres in self.books_:
            codes.append(vq(left, centres)[0])
            left = left - centres[codes[-1]]
        return np.column_stack(codes)


def _far_apart(X, size, rng):
    """Draw starting points, each the likelier the farther from those before (k-means++)."""
    chosen = [int(rng.integers(len(X)))]
    far = np.full(len(X), np.inf)
    for _ in range(size - 1):
        far = np.minimum(far, ((X - X[chosen[-1]]) ** 2).sum(axis=1))
        far[chosen] = 0
        p = far / far.sum() if far.sum() > 0 else None
        chosen.append(int(rng.choice(len(X), p=p)))
    return X[chosen].copy()


def as_vectors(X) -> np.ndarray:
    """Check that this is a matrix of finite numbers, and return it as an array."""
    X = as_matrix(X, "X")
    return X.toarray() if hasattr(X, "toarray") else X


@dataclass(eq=False)
class CodeWriter:
    """A causal Transformer that reads items letter by letter, and writes the next one's code.

    An item is a word of L letters, its code; each level has an alphabet of its own. A history is
    the letters of its items, one after the other, and the network is `NextItem` on letters. The
    probability of an item is the product of those of its letters, each given the letters before
    it, among the letters with which some item goes on.

    Parameters
    ----------
    codes : n x L int array
        The items' codes, no two of them alike: `SemanticIds.codes_`.
    length : int
        The most items that are read.
    d, blocks, dropout, learning_rate, epochs, batch, rng
        As in `NextItem`.
    """

    codes: np.ndarray
    length: int = 30
    d: int = 32
    blocks: int = 2
    dropout: float = 0.1
    learning_rate: float = 0.003
    epochs: int = 20
    batch: int = 64
    rng: int = 0
    curve_: list = field(default_factory=list, init=False, repr=False)

    def __post_init__(self):
        try:
            codes = np.asarray(self.codes)
        except ValueError:
            codes = np.empty(0)
        if codes.ndim != 2 or not codes.size or codes.dtype.kind not in "iu":
            raise ValueError(f"codes={shown(self.codes)}: give whole numbers, one row an item")
        if codes.min() < 0 or codes.max() > LARGEST_LETTER:
            raise ValueError(f"codes holds {codes.min()} to {codes.max()}: number them from 0 on")
        if len(np.unique(codes, axis=0)) < len(codes):
            raise ValueError("codes has two equal rows: add a column that tells them apart")
        self.codes = codes
        sizes = codes.max(axis=0) + 1
        # The letters of each item, numbered through all the alphabets.
        self.letters = codes + np.r_[0, np.cumsum(sizes)[:-1]]
        self.n, self.L = codes.shape
        # The beginnings of codes: number 0 is the empty one. `next_[b, letter]` is the beginning,
        # or at the last level the item, that the letter leads to; -1 if it leads to none.
        self.next_ = np.full((1, int(sizes.sum())), -1)
        at = np.zeros(self.n, int)
        self.begun = [at]
        for level in range(self.L - 1):
            pairs, to = np.unique(
                np.column_stack([at, self.letters[:, level]]), axis=0, return_inverse=True
            )
            first = len(self.next_)
            self.next_[pairs[:, 0], pairs[:, 1]] = first + np.arange(len(pairs))
            more = np.full((len(pairs), self.next_.shape[1]), -1)
            self.next_ = np.vstack([self.next_, more])
            at = first + to
            self.begun.append(at)
        self.next_[at, self.letters[:, -1]] = np.arange(self.n)

    def spelled(self, history) -> np.ndarray:
        """Return the letters of some items, one after the other."""
        return self.letters[np.asarray(history, int)].ravel()

    def fit(self, histories, watch=None) -> "CodeWriter":
        """Train on histories of items. ``watch(self, epoch)`` as in `NextItem`."""
        as_count(self.length, "length")
        self.network_ = NextItem(
            self.next_.shape[1],
            "attention",
            length=self.length * self.L,
            d=self.d,
            blocks=self.blocks,
            dropout=self.dropout,
            learning_rate=self.learning_rate,
            epochs=self.epochs,
            batch=self.batch,
            rng=self.rng,
        )
        self.curve_ = self.network_.curve_
        asked = None if watch is None else lambda _, epoch: watch(self, epoch)
        self.network_.fit([self.spelled(history) for history in histories], asked)
        return self

    def save(self, file) -> None:
        """Write the network to a file; the codes are not in it."""
        self.network_.save(file)

    def load(self, file) -> "CodeWriter":
        """Read the network from a file that `save` wrote for the same codes."""
        self.network_ = NextItem.from_file(file)
        return self

    def log_probabilities(self, histories, items) -> np.ndarray:
        """The log-probability of one item a history as the next: a p array."""
        total = np.zeros(len(histories))
        items = np.asarray(items, int)
        texts = [self.spelled(history) for history in histories]
        for level in range(self.L):
            logs = self._logs(texts, self.begun[level][items])
            letter = self.letters[items, level]
            total += logs[np.arange(len(items)), letter]
            texts = [np.append(text, a) for text, a in zip(texts, letter, strict=True)]
        return total

    def beam(self, histories, width: int = 10, among=None) -> tuple[np.ndarray, np.ndarray]:
        """Write the likeliest next items of each history, letter by letter.

        After each letter only the ``width`` likeliest beginnings of a history go on (beam search).

        Parameters
        ----------
        histories : list of p int arrays
        width : int
        among : n or p x n array of bool, or None
            Which items may be written; all by default.

        Returns
        -------
        items : p x width int array, likeliest first; -1 where no more were found
        logs : p x width float array, their log-probabilities
        """
        as_count(width, "width")
        p = len(histories)
        allowed = None if among is None else np.broadcast_to(np.asarray(among, bool), (p, self.n))
        who, begun, logs = np.arange(p), np.zeros(p, int), np.zeros(p)
        texts = [self.spelled(history) for history in histories]
        for level in range(self.L):
            each = logs[:, None] + self._logs(texts, begun)
            to = self.next_[begun]
            if allowed is not None:
                each = np.where(self._open(level, allowed, who, to), each, -np.inf)
            rows, letters = np.nonzero(np.isfinite(each))
            found = each[rows, letters]
            order = np.lexsort((-found, who[rows]))
            place = np.arange(len(order)) - np.searchsorted(who[rows[order]], who[rows[order]])
            order = order[place < width]
            rows, letters, logs = rows[order], letters[order], found[order]
            texts = [np.append(texts[r], a) for r, a in zip(rows, letters, strict=True)]
            who, begun = who[rows], to[rows, letters]
        items, best = np.full((p, width), -1), np.full((p, width), -np.inf)
        place = np.arange(len(who)) - np.searchsorted(who, who)
        items[who, place], best[who, place] = begun, logs
        return items, best

    def scores(self, histories, width: int = 30, among=None) -> np.ndarray:
        """Score all items: the log-probabilities of those that a beam finds, and far less else."""
        items, logs = self.beam(histories, width, among)
        found = np.full((len(histories), self.n), -1e9)
        rows, places = np.nonzero(items >= 0)
        found[rows, items[rows, places]] = logs[rows, places]
        return found

    def _open(self, level, allowed, who, to):
        """Whether each beginning or item leads to an allowed item of its person."""
        if level == self.L - 1:
            return allowed[who[:, None], np.where(to >= 0, to, 0)] & (to >= 0)
        leads = np.zeros((len(allowed), len(self.next_)), bool)
        rows, items = np.nonzero(allowed)
        leads[rows, self.begun[level + 1][items]] = True
        return leads[who[:, None], np.where(to >= 0, to, 0)] & (to >= 0)

    def _logs(self, texts, begun):
        """The log-probabilities of the next letter, among those with which some item goes on."""
        scores = self.network_.scores(texts, batch=1024).astype(float)
        scores[self.next_[begun] < 0] = -np.inf
        scores -= scores.max(axis=1, keepdims=True)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
