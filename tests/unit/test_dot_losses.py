import numpy as np
import pytest
import scipy.sparse as sp
from scipy.special import log_softmax, softmax
from sklearn.metrics import log_loss, roc_auc_score

from recsys_lab import Dot, fit_dot
from recsys_lab.models import dot_losses
from recsys_lab.models.dot_losses import LOSSES

M, N, RATIO, SAMPLES = 6, 9, 3, 5
EVENTS = np.random.default_rng(3).random((M, N)) < 0.35
EVENTS[np.arange(M), np.arange(M)] = True
R = sp.csr_array(EVENTS.astype(float))
POPULAR = EVENTS.sum(axis=0) / EVENTS.sum()
SCORES = np.random.default_rng(4).normal(size=(M, N))
WHO, WHAT = EVENTS.nonzero()


def pairs():
    return dot_losses._pairs(R, RATIO, np.random.default_rng(7))


def pointwise(Z):
    users, _, others = pairs()
    labels = np.repeat([1, 0], [len(WHO), len(others)])
    z = np.concatenate([Z[WHO, WHAT], Z[users, others]])
    return log_loss(labels, 1 / (1 + np.exp(-z)), normalize=False)


def bpr(Z):
    users, items, others = pairs()
    return -np.log(1 / (1 + np.exp(Z[users, others] - Z[users, items]))).sum() / RATIO


def whole(Z):
    return -log_softmax(Z, axis=1)[WHO, WHAT].sum()


def sampled(Z, correct=0):
    drawn = np.random.default_rng(7).choice(N, SAMPLES, p=POPULAR)
    z = Z - correct * np.log(np.where(POPULAR > 0, POPULAR, 1))
    beside = np.column_stack([z[WHO, WHAT], z[WHO][:, drawn]])
    return -log_softmax(beside, axis=1)[:, 0].sum()


def corrected(Z):
    return sampled(Z, 1)


@pytest.mark.parametrize(
    ("loss", "J"), list(zip(LOSSES, [pointwise, bpr, sampled, corrected, whole], strict=True))
)
def test_a_slope_is_that_of_the_loss_as_scipy_and_scikit_learn_compute_it(loss, J):
    # With V = I the scores are U itself, so the slope in U is the slope in the scores.
    args = R, SCORES, np.eye(N), RATIO, SAMPLES, POPULAR, np.random.default_rng(7)
    slope = dot_losses._SLOPES[loss](*args)
    slope = slope.toarray() if sp.issparse(slope) else slope
    wanted, h = np.zeros((M, N)), 1e-5
    for cell in np.ndindex(M, N):
        step = np.zeros((M, N))
        step[cell] = h
        wanted[cell] = (J(SCORES + step) - J(SCORES - step)) / (2 * h)
    # The slopes are float32.
    np.testing.assert_allclose(slope, wanted, atol=2e-6)


def clubs(seed=0, m=150, n=60):
    rng = np.random.default_rng(seed)
    likes = rng.integers(4, size=m)[:, None] == np.arange(n) % 4
    events = rng.random((m, n)) < np.where(likes, 0.5, 0.05)
    held_out = events & (rng.random((m, n)) < 0.3)
    return events & ~held_out, held_out


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_finds_what_a_club_likes(loss):
    train, held_out = clubs()
    # Five pairs of a small slope each move a table more slowly than one softmax.
    slow = {"learning_rate": 0.2, "epochs": 60} if loss == "pointwise" else {"epochs": 30}
    model = Dot(loss, **{"k": 4, "l2": 1e-3, "learning_rate": 0.05, **slow}).fit(train)
    scores = model.scores(range(150))
    assert roc_auc_score(held_out[~train], scores[~train]) > 0.75


def test_the_corrected_sample_aims_where_the_whole_softmax_aims_and_the_other_one_does_not():
    rng = np.random.default_rng(0)
    popular = 1 / np.arange(1, 21)
    events = rng.random((400, 20)) < popular  # people differ by chance alone
    share = events.sum(axis=0) / events.sum()
    learnt = {}
    for loss in LOSSES[2:]:
        factors = fit_dot(events, loss, k=1, l2=1e-3, epochs=150, samples=8, rng=0)
        learnt[loss] = softmax(factors.scores(), axis=1).mean(axis=0)
    assert np.abs(learnt["softmax"] - share).max() < 0.02
    assert np.abs(learnt["sampled softmax, logQ"] - share).max() < 0.03
    assert np.abs(learnt["sampled softmax"] - 1 / 20).max() < 0.03


def test_a_user_with_nothing_or_everything_changes_nothing_for_the_others():
    with_both = np.vstack([EVENTS, np.zeros(N, bool), np.ones(N, bool)])
    for loss in LOSSES:
        assert np.isfinite(fit_dot(with_both, loss, k=2, epochs=3, rng=0).scores()).all()


def test_the_same_seed_gives_the_same_factors_and_another_one_others():
    one, same, other = (fit_dot(R, "bpr", k=2, epochs=2, rng=seed).U for seed in (0, 0, 1))
    assert (one == same).all()
    assert not np.allclose(one, other)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"loss": "hinge"}, "loss='hinge': choose one of pointwise, bpr"),
        ({"l2": -1}, "l2=-1: choose a number of 0 or more"),
        ({"l2": np.nan}, "l2=nan: choose a number"),
        ({"learning_rate": 0}, "learning_rate=0: choose a number above 0"),
        ({"k": 0}, "k=0"),
        ({"epochs": 1.5}, "epochs=1.5"),
        ({"ratio": 0}, "ratio=0"),
        ({"samples": 0}, "samples=0"),
    ],
)
def test_bad_arguments_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        fit_dot(R, **{"rng": 0, **given})


def test_a_log_without_an_event_is_refused():
    with pytest.raises(ValueError, match="train holds no event"):
        fit_dot(np.zeros((3, 4)), rng=0)
