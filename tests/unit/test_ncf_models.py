import subprocess
import sys

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from recsys_lab import NCF, ncf_model
from recsys_lab.models import ncf_models
from recsys_lab.models.ncf_models import (
    KINDS,
    fit_ncf,
    joined,
    learn_product,
    ncf_scores,
    product_data,
    product_network,
    weights_of,
)

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="TensorFlow has no wheel for Python 3.14"
)
M, N, K = 7, 11, 3
TRAIN = np.random.default_rng(0).random((M, N)) < 0.3
TRAIN[np.arange(M), np.arange(M)] = True
USERS = np.array([2, 0, 6, 2])


def randomised(kind, seed=1):
    model, rng = ncf_model(M, N, K, kind, rng=0), np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


def test_importing_the_module_loads_no_tensorflow():
    code = "import sys, recsys_lab.models.ncf_models, recsys_lab.models.recommenders; "
    code += "print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not {"tensorflow", "keras"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("kind", "weights"),
    [
        ("gmf", (M + N) * K + K + 1),
        ("mlp", (M + N) * 2 * K + (4 * K + 1) * 2 * K + (2 * K + 1) * K + K + 1),
        ("neumf", (M + N) * 3 * K + (4 * K + 1) * 2 * K + (2 * K + 1) * K + 2 * K + 1),
    ],
)
def test_a_model_has_the_weights_of_the_paper(kind, weights):
    assert ncf_model(M, N, K, kind, rng=0).count_params() == weights


@pytest.mark.parametrize("kind", KINDS)
def test_the_scores_without_keras_are_those_of_keras(kind):
    model = randomised(kind)
    pairs = [np.repeat(USERS, N), np.tile(np.arange(N), USERS.size)]
    theirs = model.predict_on_batch(pairs).reshape(USERS.size, N)
    np.testing.assert_allclose(ncf_scores(weights_of(model), USERS), theirs, atol=1e-4)


def test_gmf_with_equal_weights_is_the_dot_product():
    weights = weights_of(randomised("gmf"))
    weights["logit"] = [np.ones((K, 1)), np.zeros(1)]
    U, V = weights["users"][0], weights["items"][0]
    np.testing.assert_allclose(ncf_scores(weights, USERS), U[USERS] @ V.T, atol=1e-5)


def test_joined_parts_begin_at_the_mean_of_their_logits():
    gmf, mlp = (weights_of(randomised(kind, seed)) for kind, seed in [("gmf", 1), ("mlp", 2)])
    both = joined(gmf, mlp, 0.3)
    wanted = 0.3 * ncf_scores(gmf, USERS) + 0.7 * ncf_scores(mlp, USERS)
    np.testing.assert_allclose(ncf_scores(both, USERS), wanted, atol=1e-4)
    model = ncf_model(M, N, K, "neumf", rng=0)
    for name, weights in both.items():
        model.get_layer(name).set_weights(weights)  # each fits its layer


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_learns_what_it_is_shown(kind):
    clubs = np.kron(np.eye(2), np.ones((20, 10)))
    clubs[np.arange(40), np.arange(40) % 20] = 0
    weights = fit_ncf(clubs, kind, k=4, learning_rate=0.05, epochs=60, rng=0)
    scores = ncf_scores(weights, np.arange(40))
    same = np.kron(np.eye(2), np.ones((20, 10))) > 0
    assert scores[same].mean() > scores[~same].mean() + 1


def test_a_pretrained_model_starts_from_its_parts(monkeypatch):
    calls = []

    def noted(R, kind, start=None, **given):
        calls.append((kind, given["epochs"], start is not None))
        return weights_of(ncf_model(*R.shape, given["k"], kind, rng=0))

    monkeypatch.setattr(ncf_models, "fit_ncf", lambda R, **given: noted(R, **given))
    model = NCF(k=K, epochs=7, pretrained=True).fit(TRAIN)
    assert calls == [("gmf", 3, False), ("mlp", 3, False), ("neumf", 3, True)]
    assert model.scores([1, 4]).shape == (2, N)


def test_the_product_has_standard_deviation_1_whatever_the_length():
    for d in (1, 5, 40):
        pairs, products = product_data(d, 40_000, 0)
        np.testing.assert_allclose((pairs[:, :d] * pairs[:, d:]).sum(axis=1), products, atol=1e-6)
        assert products.std() == pytest.approx(1, abs=0.03)


def test_the_network_learns_a_short_product_about_as_well_as_scikit_learns_network():
    ours = learn_product(1, 3000, steps=1500, rng=0)
    X, y = product_data(1, 3000, 0)
    new_X, new_y = product_data(1, 5000, 1)
    theirs = MLPRegressor(
        hidden_layer_sizes=(128, 64, 32), max_iter=40, random_state=0, batch_size=256
    ).fit(X, y)
    error = np.sqrt(np.mean((theirs.predict(new_X) - new_y) ** 2))
    assert ours < 1.5 * error < 0.2
    assert product_network(5, rng=0).count_params() == 11 * 128 + 129 * 64 + 65 * 32 + 33


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ncf_model(M, N, K, "deep", rng=0), "kind='deep': choose one of gmf"),
        (lambda: ncf_model(M, N, 0, rng=0), "k=0"),
        (lambda: ncf_model(M, N, K, l2=-1, rng=0), "l2=-1: choose a number of 0 or more"),
        (lambda: fit_ncf(TRAIN, epochs=0), "epochs=0"),
        (lambda: fit_ncf(TRAIN, ratio=0), "ratio=0"),
        (lambda: NCF("gmf", pretrained=True).fit(TRAIN), "it starts a neumf"),
        (lambda: product_data(0, 5, 0), "d=0"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
