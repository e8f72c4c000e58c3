"""One model, the dot product, learned by different losses: what is it asked?

A pair, two items, or all items at once: each loss is a gradient in the scores, and the rest of the
training is the same for all. So a difference between two of them is due to the loss.
"""

import numpy as np
import scipy.sparse as sp

from ..data.interactions import as_choice, as_count, as_csr, as_number, as_rng, draw_unseen, rows_of
from .factorization import Factors

LOSSES = ("pointwise", "bpr", "sampled softmax", "sampled softmax, logQ", "softmax")
# Users whose events make a batch: some 10 % of MovieLens small, about 8,000 events.
USERS = 64


def fit_dot(
    train,
    loss: str = "softmax",
    *,
    k: int = 32,
    l2: float = 1e-6,
    learning_rate: float = 0.02,
    epochs: int = 20,
    ratio: int = 4,
    samples: int = 512,
    rng: np.random.Generator | int,
) -> Factors:
    """Learn u_i . v_j from events, by Adam on one of five losses.

    Parameters
    ----------
    train : m x n, Interactions, scipy.sparse or dense; a stored entry is an event
    loss : str
        For an event of user u with item i, z_j = u . v_j, and j drawn among what u does not have:

        - "pointwise": the log loss of i as 1, and of ``ratio`` items j as 0 (He et al. 2017);
        - "bpr": -ln sigmoid(z_i - z_j), the mean of ``ratio`` items j (Rendle et al. 2009);
        - "softmax": -ln of e^z_i / sum over all n items of e^z_j;
        - "sampled softmax": the sum is over i and ``samples`` items, the same for a batch, drawn in
          proportion to their numbers of events, q;
        - "sampled softmax, logQ": the same with z_j - ln q_j in the place of each z_j (Bengio and
          Senécal 2008), so that it aims where "softmax" does.
    k : int
        Length of a vector.
    l2 : float
        Weight of |U|^2 + |V|^2 beside the mean loss of a batch's events.
    learning_rate : float
        Of Adam; it falls evenly to 0, so that the end is no accident.
    epochs : int
        In each, every user is in one batch of 64, with all events.
    ratio, samples : int
        Read by the losses that say so. ``ratio`` items are drawn anew in each epoch.
    rng : numpy.random.Generator or int

    Returns
    -------
    Factors : U (m x k) and V (n x k)

    Raises
    ------
    ValueError
        If the loss is unknown, there is no event, a count is not a whole number from 1 on, or a
        weight or rate makes no sense.

    References
    ----------
    Y. Bengio and J.-S. Senécal (2008). Adaptive importance sampling to accelerate training of a
    neural probabilistic language model. IEEE Transactions on Neural Networks 19, 713-722.
    doi:10.1109/TNN.2007.912312
    X. He, L. Liao, H. Zhang, L. Nie, X. Hu and T.-S. Chua (2017). Neural collaborative filtering.
    WWW 26, 173-182. doi:10.1145/3038912.3052569
    S. Rendle, C. Freudenthaler, Z. Gantner and L. Schmidt-Thieme (2009). BPR: Bayesian personalized
    ranking from implicit feedback. UAI 25, 452-461.

    Examples
    --------
    >>> R = np.kron(np.eye(2), np.ones((8, 4))) - np.eye(16, 8)  # two tastes, and a hole for some
    >>> scores = fit_dot(R > 0, "bpr", k=2, epochs=200, rng=0).scores()
    >>> int(scores[0, :4].min() > scores[0, 4:].max())
    1
    """
    R, k, epochs = as_csr(train, "train"), as_count(k, "k"), as_count(epochs, "epochs")
    ratio, samples = as_count(ratio, "ratio"), as_count(samples, "samples")
    as_choice(loss, "loss", LOSSES)
    l2 = as_number(l2, "l2", such="1e-6")
    learning_rate = as_number(learning_rate, "learning_rate", above=True, such="0.02")
    rng = as_rng(rng)
    if not R.nnz:
        raise ValueError("train holds no event: give at least one to learn from")
    m, n = R.shape
    tables = [rng.normal(0, 0.1, (size, k)).astype(np.float32) for size in (m, n)]
    sizes = [np.zeros_like(table) for table in tables], [np.zeros_like(table) for table in tables]
    # Who has all items, or none, has nothing to be compared.
    counts = np.diff(R.indptr)
    able = np.flatnonzero((counts > 0) & (counts < n))
    per_epoch = -(-able.size // USERS)
    popular = np.bincount(R.indices, minlength=n) / R.nnz
    step, steps = 0, epochs * per_epoch
    for _ in range(epochs):
        order = rng.permutation(able)
        for start in range(0, order.size, USERS):
            users = np.sort(order[start : start + USERS])
            rows, u = R[users], tables[0][users]
            slope = _SLOPES[loss](rows, u, tables[1], ratio, samples, popular, rng) / rows.nnz
            gradients = [2 * l2 * table for table in tables]
            gradients[0][users] += slope @ tables[1]
            gradients[1] += slope.T @ u
            step += 1
            _adam(tables, gradients, sizes, step, learning_rate * (1 - (step - 1) / steps))
    return Factors(*(table.astype(float) for table in tables))


def _adam(tables, gradients, moments, step, rate):
    """Move the tables by Adam (Kingma and Ba 2015, algorithm 1), with its usual constants."""
    for table, gradient, first, second in zip(tables, gradients, *moments, strict=True):
        first += 0.1 * (gradient - first)
        second += 0.001 * (gradient * gradient - second)
        scale = rate / (1 - 0.9**step) * np.sqrt(1 - 0.999**step)
        table -= np.float32(scale) * first / (np.sqrt(second) + 1e-8)


def _pairs(R, ratio, rng):
    """Each event of some users, ``ratio`` times, beside an item that its user does not have."""
    users = np.repeat(rows_of(R), ratio)
    cells = np.sort(rows_of(R) * R.shape[1] + R.indices)
    return users, np.repeat(R.indices, ratio), draw_unseen(users, cells, R.shape[1], rng)


def _sigmoid(z):
    return 0.5 + 0.5 * np.tanh(z / 2)  # it cannot overflow


def _sparse(values, rows, columns, shape):
    """Values in their cells; those of a cell that comes several times add up."""
    return sp.csr_array((values.astype(np.float32), (rows, columns)), shape=shape)


def _z(U, V, users, items):
    return np.einsum("ek,ek->e", U[users], V[items])


def _pointwise(R, U, V, ratio, samples, popular, rng):
    users, _, others = _pairs(R, ratio, rng)
    has, item = rows_of(R), R.indices
    values = np.concatenate([_sigmoid(_z(U, V, has, item)) - 1, _sigmoid(_z(U, V, users, others))])
    cells = np.concatenate([has, users]), np.concatenate([item, others])
    return _sparse(values, *cells, R.shape)


def _bpr(R, U, V, ratio, samples, popular, rng):
    users, items, others = _pairs(R, ratio, rng)
    pull = _sigmoid(_z(U, V, users, others) - _z(U, V, users, items)) / ratio
    values = np.concatenate([-pull, pull])
    return _sparse(values, np.tile(users, 2), np.concatenate([items, others]), R.shape)


def _softmax(R, U, V, ratio, samples, popular, rng):
    Z = U @ V.T
    Z -= Z.max(axis=1, keepdims=True)
    np.exp(Z, out=Z)
    Z *= (np.diff(R.indptr) / Z.sum(axis=1))[:, None]
    Z[rows_of(R), R.indices] -= 1
    return Z


def _sampled(R, U, V, ratio, samples, popular, rng, correct=False):
    drawn = rng.choice(popular.size, samples, p=popular)
    which, copies = np.unique(drawn, return_counts=True)
    minus = np.log(popular, where=popular > 0, out=np.zeros_like(popular)) * correct
    users, items = rows_of(R), R.indices
    drawn_z = U @ V[which].T - minus[which]
    event_z = _z(U, V, users, items) - minus[items]
    top = drawn_z.max(axis=1)
    np.maximum.at(top, users, event_z)
    drawn_e = np.exp(drawn_z - top[:, None]) * copies
    event_e = np.exp(event_z - top[users])
    # An event's item may be drawn as well, and stays: without it the corrected loss would aim
    # elsewhere, since an item that is drawn often would compete less often.
    total = event_e + drawn_e.sum(axis=1)[users]
    slope = np.zeros(R.shape, np.float32)
    slope[:, which] = drawn_e * np.bincount(users, 1 / total, minlength=len(U))[:, None]
    slope[users, items] += event_e / total - 1
    return slope


def _corrected(*args):
    return _sampled(*args, correct=True)


_SLOPES = dict(zip(LOSSES, (_pointwise, _bpr, _sampled, _corrected, _softmax), strict=True))
