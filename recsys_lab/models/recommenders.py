"""Models that can be ranked against each other, because all of them answer to the same two calls.

A model is anything with

    fit(train)
        Learn from ``train``, which is Interactions (m x n), and return the model. Nothing else may
        be learnt from: what is held out is not for it to see.
    scores(users)
        The scores of p users, given by their positions, for all n items: a p x n array of finite
        numbers, the higher the better. Items that a user has get one as well; whoever makes a list
        of the scores leaves these out. A user's scores do not depend on whom else one asks for.

The rest is habit, scikit-learn's: the constructor only stores its arguments, each under its own
name, and what is learnt ends in an underscore. The leaderboard passes its seed to a constructor
that has an argument ``rng``. A model that knows things which are not in ``train``, such as the
genres of films, says so with a class attribute, ``side_information = True``.

To enter a model of your own takes no more than the two methods; `Recommender` adds the checks.

All models here learn from "has it or not", whatever the events' values, except ALS with
unseen="skip", for which a world of ones holds nothing to learn.
"""

from dataclasses import dataclass, fields

import numpy as np
import scipy.sparse as sp

from ..data.interactions import (
    Interactions,
    as_count,
    as_csr,
    as_dropout,
    as_number,
    as_positions,
    as_rng,
    as_yes_or_no,
    draw_unseen,
    rows_of,
    shown,
)
from . import keras_models, ncf_models
from .baselines import as_features, content_scores, item_cosine
from .dot_losses import fit_dot
from .factorization import Factors, als, soft_thresholded_svd, truncated_svd

# Triples in a step of BPR: few enough that a popular item is in it only a handful of times.
TRIPLES = 2048
# Columns of an items x items matrix that are worked on at once.
COLUMNS = 256


@dataclass(eq=False)
class Recommender:
    """What the models below have in common: checks, and parameters by name.

    A model of this kind defines ``_learn(R)``, with R as CSR, and ``_score(users)``.
    """

    side_information = False

    def fit(self, train):
        """Learn from train (m x n, Interactions, scipy.sparse or dense), and return the model."""
        R = as_csr(train, "train")
        self._learn(self._values(R))
        self.m_ = R.shape[0]
        return self

    def scores(self, users) -> np.ndarray:
        """Score all items for some users, given by their positions: p x n.

        Raises
        ------
        ValueError
            If there is no such user, or the model has not been fitted.
        """
        if not hasattr(self, "m_"):
            raise ValueError(f"{self} has learnt nothing yet: call its fit(train) first")
        users = as_positions(users, self.m_, "users")
        return self._score(users)

    def get_params(self, deep: bool = True) -> dict:
        """Return the constructor's arguments by name; ``deep`` is there for scikit-learn."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def _values(self, R):
        return sp.csr_array((np.ones_like(R.data), R.indices, R.indptr), shape=R.shape)


@dataclass(eq=False)
class Random(Recommender):
    """Score by chance: what a model is worth that knows nothing."""

    rng: int = 0

    def _learn(self, R):
        as_rng(self.rng)
        if not isinstance(self.rng, (int, np.integer)):
            raise ValueError(f"rng={shown(self.rng)} is no seed: pass a whole number from 0 on")
        self.n_ = R.shape[1]

    def _score(self, users):
        # A generator for each user: scores do not depend on who else is asked for.
        draws = [np.random.default_rng([self.rng, user]).random(self.n_) for user in users]
        return np.array(draws).reshape(len(users), self.n_)


@dataclass(eq=False)
class Popularity(Recommender):
    """Score an item by its number of users, the same for everybody."""

    def _learn(self, R):
        self.counts_ = np.bincount(R.indices, minlength=R.shape[1]).astype(float)

    def _score(self, users):
        return np.broadcast_to(self.counts_, (len(users), len(self.counts_)))


@dataclass(eq=False)
class RecentPopularity(Popularity):
    """Score an item by its number of users in the last days of train: what is popular now.

    The one model here that asks when an event was. Its year ends with the last event that it is
    given: at the cut of ``split_time``, but for ``split_random`` and ``split_last`` at the end of
    all data, in a time that it would not know in use.

    Parameters
    ----------
    days : float
        How far back it looks, above 0.

    References
    ----------
    Y. Ji, A. Sun, J. Zhang and C. Li (2020). A re-visit of the popularity baseline in recommender
    systems. SIGIR 43, 1749-1752. doi:10.1145/3397271.3401233
    """

    days: float = 365.0

    def fit(self, train):
        """Learn from train: Interactions with times in seconds, or as numpy's dates."""
        as_number(self.days, "days", above=True, such="365")
        if not isinstance(train, Interactions):
            raise ValueError(
                f"train is a {type(train).__name__}, which says nothing of times: pass Interactions"
            )
        if train.times is None:
            raise ValueError("train has no times: read it with time=, or use Popularity")
        if len(train):
            day = 86_400 if train.times.dtype.kind != "M" else np.timedelta64(86_400, "s")
            recent = train.times > train.times.max() - self.days * day
            return super().fit(train.keep(recent))
        return super().fit(train)


@dataclass(eq=False)
class ItemNeighbours(Recommender):
    """Score an item by how alike it is to the user's items, summed over these.

    Parameters
    ----------
    neighbours : int, optional
        Each item is like this many others, the most similar ones; all by default.
    shrinkage : float
        As in ``item_cosine``: distrust of a likeness that rests on few users.

    References
    ----------
    B. Sarwar, G. Karypis, J. Konstan and J. Riedl (2001). Item-based collaborative filtering
    recommendation algorithms. WWW 10, 285-295. doi:10.1145/371920.372071
    """

    neighbours: int | None = 100
    shrinkage: float = 10.0

    def _learn(self, R):
        self.R_, self.similarity_ = R, item_cosine(R, self.neighbours, self.shrinkage)

    def _score(self, users):
        return (self.R_[users] @ self.similarity_).toarray()


@dataclass(eq=False)
class UserNeighbours(Recommender):
    """Score an item by how alike its users are to the user, summed over these.

    Parameters
    ----------
    neighbours : int, optional
        Each user is like this many others, the most similar ones; all by default.
    shrinkage : float
        As in ``item_cosine``, with users and items exchanged.

    References
    ----------
    P. Resnick, N. Iacovou, M. Suchak, P. Bergstrom and J. Riedl (1994). GroupLens: an open
    architecture for collaborative filtering of netnews. CSCW, 175-186. doi:10.1145/192844.192905
    """

    neighbours: int | None = 100
    shrinkage: float = 10.0

    def _learn(self, R):
        # Column j of a similarity holds the neighbours of j.
        self.R_, similarity = R, item_cosine(R.T, self.neighbours, self.shrinkage)
        self.similarity_ = sp.csr_array(similarity.T)

    def _score(self, users):
        return (self.similarity_[users] @ self.R_).toarray()


@dataclass(eq=False)
class Content(Recommender):
    """Score an item by how like the user's items it is in its features: ``content_scores``.

    Parameters
    ----------
    features : n x d array
    """

    features: np.ndarray
    side_information = True

    def _learn(self, R):
        self.R_ = R

    def _score(self, users):
        if not len(users):
            return np.empty((0, self.R_.shape[1]))
        return content_scores(self.R_[users], self.features)


class _Factorised(Recommender):
    """A model whose scores are the products of two factors, ``factors_``."""

    def _score(self, users):
        return self.factors_.U[users] @ self.factors_.V.T


@dataclass(eq=False)
class TruncatedSVD(_Factorised):
    """The matrix of rank k closest to R: ``truncated_svd``. Simple; called PureSVD by its authors.

    References
    ----------
    P. Cremonesi, Y. Koren and R. Turrin (2010). Performance of recommender algorithms on top-N
    recommendation tasks. RecSys 4, 39-46. doi:10.1145/1864708.1864721
    """

    k: int = 32

    def _learn(self, R):
        self.factors_ = _silent_where_empty(truncated_svd(R, self.k), R)


@dataclass(eq=False)
class SoftThresholdedSVD(_Factorised):
    """Where ALS with unseen="zero" ends, in one step: ``soft_thresholded_svd``.

    Each singular value is lowered by 2 lam, and those that were smaller are gone: with lam at hand,
    more factors than remain change nothing.

    References
    ----------
    T. Hastie, R. Mazumder, J. D. Lee and R. Zadeh (2015). Matrix completion and low-rank SVD via
    fast alternating least squares. Journal of Machine Learning Research 16, 3367-3402.
    """

    k: int = 128
    lam: float = 5.0

    def _learn(self, R):
        self.factors_ = _silent_where_empty(soft_thresholded_svd(R, self.k, self.lam), R)


@dataclass(eq=False)
class ALS(_Factorised):
    """Alternating least squares; see ``als`` for the parameters.

    15 iterations: the lists have settled by then, long before the factors have.
    """

    k: int = 32
    lam: float = 5.0
    unseen: str = "weak"
    alpha: float = 1.0
    iterations: int = 15
    rng: int = 0

    def _values(self, R):
        return R if self.unseen == "skip" else super()._values(R)

    def _learn(self, R):
        self.factors_ = als(
            R,
            self.k,
            self.lam,
            unseen=self.unseen,
            alpha=self.alpha,
            iterations=self.iterations,
            rng=self.rng,
        )


@dataclass(eq=False)
class EASE(Recommender):
    """Describe each item by the others: a linear autoencoder that may not copy its input.

    B minimises |R - R B|^2 + lam |B|^2 under the condition that its diagonal is zero, and R B are
    the scores. With P = (R^T R + lam I)^-1 the solution is B = I - P diag(1 / P_jj).

    Parameters
    ----------
    lam : float
        The penalty, above 0. It is in the unit of R^T R: numbers of users.
    dropout : float from 0 to 1, not included
        Above 0, the autoencoder has to do with a random part of its input: each event is dropped
        with this probability, and the others are scaled up. On average that is a penalty as well,
        of dropout / (1 - dropout) times an item's number of users, added to its lam (Steck 2020).

    Notes
    -----
    Where there are fewer users than items, the m x m matrix A = I + R L^-1 R^T is inverted, with L
    the diagonal matrix of penalties, in place of R^T R + L, which is n x n: by Woodbury's identity
    R P = A^-1 R L^-1 and P_jj = 1 / L_jj - r_j^T A^-1 r_j / L_jj^2.

    References
    ----------
    H. Steck (2019). Embarrassingly shallow autoencoders for sparse data. WWW, 3251-3257, equation
    8. doi:10.1145/3308558.3313710
    H. Steck (2020). Autoencoders that don't overfit towards the identity. NeurIPS 33.
    """

    lam: float = 100.0
    dropout: float = 0.0

    def _learn(self, R):
        as_number(self.lam, "lam", above=True, such="100")
        as_dropout(self.dropout)
        m, n = R.shape
        counts = np.bincount(R.indices, minlength=n)
        penalty = self.lam + self.dropout / (1 - self.dropout) * counts
        self.R_ = R
        if m < n:
            A = (R / penalty @ R.T).toarray()
            A[np.diag_indices(m)] += 1
            self.inverse_ = np.linalg.inv(A)
            explained = np.empty(n)
            columns = R.tocsc()
            for first in range(0, n, COLUMNS):
                part = columns[:, first : first + COLUMNS]
                product = (part.T @ self.inverse_).T
                explained[first : first + COLUMNS] = part.multiply(product).sum(axis=0)
            # 1 / (L_jj P_jj)
            self.weight_ = 1 / (1 - explained / penalty)
        else:
            G = (R.T @ R).toarray()
            G[np.diag_indices(n)] += penalty
            P = np.linalg.inv(G)
            self.inverse_ = np.eye(n) - P / np.diag(P)
            self.weight_ = None

    def _score(self, users):
        rows = self.R_[users]
        if self.weight_ is None:
            return rows @ self.inverse_
        return rows.toarray() - (self.R_.T @ self.inverse_[users].T).T * self.weight_


@dataclass(eq=False)
class BPR(_Factorised):
    """Factors that rank: an item that the user has should score higher than one drawn at random.

    Stochastic gradient ascent of ln sigmoid(u . (v_i - v_j)) - lam/2 (|u|^2 + |v_i|^2 + |v_j|^2)
    over triples of a user u, an item i that u has, and a j that u does not have.

    Parameters
    ----------
    k : int
        The number of factors.
    lam : float
        The penalty, paid once for each triple.
    learning_rate : float
        Of each triple's step; within a fit it falls evenly to 0, so that the end is no accident.
    epochs : int
        In an epoch as many triples are drawn as there are events.
    rng : int

    References
    ----------
    S. Rendle, C. Freudenthaler, Z. Gantner and L. Schmidt-Thieme (2009). BPR: Bayesian personalized
    ranking from implicit feedback. UAI 25, 452-461, figure 4 and section 4.3.1.
    """

    k: int = 32
    lam: float = 0.01
    learning_rate: float = 0.1
    epochs: int = 50
    rng: int = 0

    def _learn(self, R):
        lam, rate = self.lam, self.learning_rate
        as_number(lam, "lam", such="0.01")
        as_number(rate, "learning_rate", above=True, such="0.1")
        rng = as_rng(self.rng)
        m, n = R.shape
        k, epochs = as_count(self.k, "k"), as_count(self.epochs, "epochs")
        users = rows_of(R)
        cells = np.sort(users * n + R.indices)
        U, V = (0.1 * rng.standard_normal((size, k)) for size in (m, n))
        # A user who has everything has no j.
        able = np.flatnonzero(np.diff(R.indptr)[users] < n)
        steps = epochs * -(-able.size // TRIPLES)
        for step in range(steps):
            event = rng.choice(able, min(TRIPLES, able.size))
            u, i = users[event], R.indices[event]
            j = draw_unseen(u, cells, n, rng)
            difference = V[i] - V[j]
            # 1 - sigmoid(x), by the tangent: it cannot overflow.
            pull = 0.5 - 0.5 * np.tanh((U[u] * difference).sum(axis=1, keepdims=True) / 2)
            rate = self.learning_rate * (1 - step / steps)
            of_items = np.vstack([pull * U[u] - self.lam * V[i], -pull * U[u] - self.lam * V[j]])
            _add(U, u, rate * (pull * difference - self.lam * U[u]))
            _add(V, np.concatenate([i, j]), rate * of_items)
        self.factors_ = Factors(U, V)


@dataclass(eq=False)
class FeatureMap(_Factorised):
    """ALS, with factors from features for the items that nobody has: lesson 10's map.

    ALS with unseen="weak" learns from the items with events. A ridge regression maps their
    features to their factors, each about its mean, and gives the others theirs.

    Parameters
    ----------
    features : n x d array
        Such as ``load_film_vectors()``. Scale matters: the ridge has one penalty for all.
    lam : float
        The ridge's penalty, above 0: (X^T X + lam I) W = X^T V.
    k, penalty, alpha, iterations, rng
        Of ``als``; ``penalty`` is its lam. 8 iterations: a map's errors are larger than the rest.

    References
    ----------
    Z. Gantner, L. Drumond, C. Freudenthaler, S. Rendle and L. Schmidt-Thieme (2010). Learning
    attribute-to-feature mappings for cold-start recommendations. ICDM 10, 176-185, section III.
    doi:10.1109/ICDM.2010.129
    """

    features: np.ndarray
    lam: float = 1.0
    k: int = 32
    penalty: float = 5.0
    alpha: float = 5.0
    iterations: int = 8
    rng: int = 0
    side_information = True

    def _learn(self, R):
        as_number(self.lam, "lam", above=True, such="1")
        as_number(self.penalty, "penalty", such="5")
        as_rng(self.rng)
        X = as_features(self.features, R.shape[1])
        old = np.bincount(R.indices, minlength=R.shape[1]) > 0
        found = als(
            R[:, old],
            self.k,
            self.penalty,
            unseen="weak",
            alpha=self.alpha,
            iterations=self.iterations,
            rng=self.rng,
        )
        V = np.zeros((R.shape[1], found.V.shape[1]))
        V[old] = found.V
        if old.any():
            centre, mean = X[old].mean(axis=0), found.V.mean(axis=0)
            A = X[old] - centre
            G = A.T @ A
            G[np.diag_indices(len(G))] += self.lam
            V[~old] = (X[~old] - centre) @ np.linalg.solve(G, A.T @ (found.V - mean)) + mean
        self.factors_ = Factors(found.U, V)


@dataclass(eq=False)
class KerasDot(_Factorised):
    """The dot-product model of lesson 07; see ``dot_model`` and ``sample_negatives``.

    ``ratio`` negatives are drawn anew for each event in each of the ``epochs``.
    """

    k: int = 16
    l2: float = 1e-5
    ratio: int = 2
    epochs: int = 6
    learning_rate: float = 0.02
    rng: int = 0

    def _learn(self, R):
        epochs, _ = as_count(self.epochs, "epochs"), as_count(self.ratio, "ratio")
        model = keras_models.dot_model(
            *R.shape, self.k, l2=self.l2, learning_rate=self.learning_rate, rng=self.rng
        )
        pairs, steps = keras_models.dataset(R, self.ratio, self.rng)
        # The pairs come shuffled.
        size = {"epochs": epochs, "steps_per_epoch": steps}
        model.fit(pairs, **size, verbose=0, shuffle=False)
        self.factors_ = keras_models.factors(model)


@dataclass(eq=False)
class Dot(_Factorised):
    """The dot product, learned by one of five losses; see ``fit_dot`` for the parameters."""

    loss: str = "softmax"
    k: int = 32
    l2: float = 1e-5
    learning_rate: float = 0.02
    epochs: int = 20
    ratio: int = 4
    samples: int = 512
    rng: int = 0

    def _learn(self, R):
        self.factors_ = fit_dot(R, **self.get_params())


@dataclass(eq=False)
class NCF(Recommender):
    """Neural collaborative filtering (He et al. 2017).

    Parameters
    ----------
    kind, k, l2, learning_rate, epochs, ratio, rng
        As in ``fit_ncf``.
    pretrained : bool
        A GMF and an MLP are trained first, and NeuMF starts from both. The three share the epochs,
        so it takes no more steps than a NeuMF that starts from chance.
    """

    kind: str = "neumf"
    k: int = 16
    l2: float = 1e-6
    learning_rate: float = 0.005
    epochs: int = 10
    ratio: int = 4
    pretrained: bool = False
    rng: int = 0

    def _learn(self, R):
        given = self.get_params()
        if as_yes_or_no(given.pop("pretrained"), "pretrained"):
            if self.kind != "neumf":
                raise ValueError(f"pretrained=True with kind={self.kind!r}: it starts a neumf")
            given["epochs"] = -(-as_count(self.epochs, "epochs") // 3)
            parts = [ncf_models.fit_ncf(R, **{**given, "kind": kind}) for kind in ("gmf", "mlp")]
            given["start"] = ncf_models.joined(*parts)
        self.weights_ = ncf_models.fit_ncf(R, **given)

    def _score(self, users):
        return ncf_models.ncf_scores(self.weights_, users)


def _silent_where_empty(factors, R):
    """Give users and items without events factors of 0, which an SVD leaves at some 1e-17.

    Rounding has an order too, and it is not chance: it would recommend what is popular.
    """
    users, items = np.diff(R.indptr) > 0, np.bincount(R.indices, minlength=R.shape[1]) > 0
    return Factors(factors.U * users[:, None], factors.V * items[:, None])


def _add(table, rows, change):
    """Add a change to each of some rows, in place; a row that comes twice gets both."""
    shape = (len(table), len(rows))
    table += sp.csr_array((np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=shape) @ change
