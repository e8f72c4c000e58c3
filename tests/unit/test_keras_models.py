import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import chisquare

from recsys_lab.models.keras_models import (
    article_model,
    dataset,
    dot_model,
    factors,
    layer_table,
    restart,
    sample_negatives,
    scores,
    training_pairs,
)

needs_tensorflow = pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="TensorFlow has no wheel for Python 3.14"
)
M, N, K = 7, 11, 3
TRAIN = (np.random.default_rng(0).random((M, N)) < 0.3).astype(float)


def run_python(code, **variables):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | variables)


@needs_tensorflow
def test_nothing_of_a_readers_keras_json_reaches_a_model(tmp_path):
    mine = {"floatx": "float64", "epsilon": 0.1, "backend": "jax"}
    mine |= {"image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(mine), encoding="utf-8")
    code = (
        "from recsys_lab import dot_model; from recsys_lab.models.keras_models import keras;"
        "print(keras.config.backend(), keras.config.floatx(), keras.config.epsilon(),"
        "keras.config.image_data_format(), dot_model(3, 4, 2, rng=0).weights[0].dtype)"
    )
    done = run_python(code, KERAS_HOME=str(tmp_path))
    assert done.stdout.split() == ["tensorflow", "float32", "1e-07", "channels_last", "float32"]


def pairs_of(m, n):
    return np.repeat(np.arange(m), n), np.tile(np.arange(n), m)


def with_random_weights(model, seed=1):
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


def trained(model, seed, epochs, ratio=1):
    pairs, steps = dataset(TRAIN, ratio, seed, batch=16)
    model.fit(pairs, epochs=epochs, steps_per_epoch=steps, verbose=0, shuffle=False)
    return factors(model).scores()


# --- Loading ------------------------------------------------------------------------------------


def test_importing_the_module_loads_no_tensorflow():
    done = run_python("import sys, recsys_lab.models.keras_models; print(*sys.modules)")
    assert done.returncode == 0, done.stderr
    assert not {"tensorflow", "keras"} & set(done.stdout.split())


@needs_tensorflow
def test_loading_keras_and_training_say_nothing():
    done = run_python(
        "from recsys_lab.models.keras_models import dataset, dot_model\n"
        "model = dot_model(3, 4, 2, l2=1e-4, dropout=0.5, rng=0)\n"
        "pairs, steps = dataset([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]], 1, 0)\n"
        "model.fit(pairs, epochs=2, steps_per_epoch=steps, verbose=0, shuffle=False)"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_tensorflow_one_sentence_names_the_pythons_that_have_it():
    done = run_python(
        "import sys; sys.modules['tensorflow'] = None\n"
        "import recsys_lab.models.keras_models as km\n"
        "km.dot_model(2, 2, 1, rng=0)"
    )
    last = done.stderr.strip().splitlines()[-1]
    assert re.match("ImportError: .*needs TensorFlow.*use Python 3.11 to 3.13", last)


def test_another_backend_of_keras_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(ImportError, match=r"KERAS_BACKEND='torch'.*%env KERAS_BACKEND=tensorflow"):
        dot_model(2, 2, 1, rng=0)


# --- The models ---------------------------------------------------------------------------------


@needs_tensorflow
def test_a_logit_is_the_numpy_dot_product_of_two_embeddings():
    model = with_random_weights(dot_model(M, N, K, dropout=0.5, rng=0))
    U, V = model.get_weights()
    wanted = np.einsum("ik,jk->ij", U.astype(float), V.astype(float))
    # float32 has 7 digits, and these are sums of three products of size 1.
    np.testing.assert_allclose(scores(model), wanted, atol=1e-5)
    np.testing.assert_allclose(factors(model).scores(), wanted, atol=1e-5)
    logits = model.predict(list(pairs_of(M, N)), verbose=0)
    assert logits.shape == (M * N, 1)
    np.testing.assert_allclose(logits[:, 0], wanted.ravel(), atol=1e-5)


@needs_tensorflow
def test_the_articles_last_layer_has_2501_weights():
    table = layer_table(article_model(1000, 1000, rng=0))
    dense = table[table.kind == "Dense"].iloc[0]
    assert (dense.weights, dense.input) == (2501, "(None, 2500)")
    assert table[table.kind == "Dot"].iloc[0].output == "(None, 50, 50)"
    assert table.weights.sum() == 2 * 1000 * 50 + 2501


@needs_tensorflow
def test_the_articles_model_is_the_bilinear_form_in_its_last_weights():
    model = with_random_weights(article_model(M, N, K, rng=0))
    U, V, W, bias = (w.astype(float) for w in model.get_weights())
    wanted = expit(np.einsum("ip,pq,jq->ij", U, W.reshape(K, K), V) + bias)
    np.testing.assert_allclose(scores(model), wanted, atol=1e-5)


@needs_tensorflow
def test_scores_in_small_blocks_and_for_some_users_are_the_same_rows():
    model = with_random_weights(dot_model(M, N, K, rng=0))
    whole = scores(model)
    # A batch of another size may be multiplied in another order.
    np.testing.assert_allclose(scores(model, batch=1), whole, atol=1e-6)
    np.testing.assert_allclose(scores(model, [4, 0], batch=20), whole[[4, 0]], atol=1e-6)
    with pytest.raises(ValueError, match="position 7: choose from 0 to 6"):
        scores(model, [7])


@needs_tensorflow
@pytest.mark.parametrize("l2", [0.0, 0.03])
def test_the_gradient_of_the_loss_is_the_closed_form(l2):
    import tensorflow as tf

    model = with_random_weights(dot_model(M, N, K, l2=l2, rng=0))
    U, V = (w.astype(float) for w in model.get_weights())
    users, items, labels = training_pairs(TRAIN, 2, 3)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(
            y=labels[:, None], y_pred=model([users, items], training=True), training=True
        )
    got = [tf.convert_to_tensor(g).numpy() for g in tape.gradient(loss, model.trainable_variables)]
    # d/dz of -log p(label) is p - label; the mean over pairs, plus the penalty's 2 l2 U.
    residual = (expit((U[users] * V[items]).sum(axis=1)) - labels) / labels.size
    by_user, by_item = 2 * l2 * U, 2 * l2 * V
    np.add.at(by_user, users, residual[:, None] * V[items])
    np.add.at(by_item, items, residual[:, None] * U[users])
    np.testing.assert_allclose(got[0], by_user, atol=1e-6)
    np.testing.assert_allclose(got[1], by_item, atol=1e-6)


@needs_tensorflow
def test_the_same_seed_gives_the_same_model_and_another_one_another():
    def fit(seed):
        return trained(dot_model(M, N, K, dropout=0.3, rng=seed), seed, epochs=3)

    first, again, other = fit(5), fit(5), fit(6)
    # Threads may add up gradients in another order: the last digits are not promised.
    np.testing.assert_allclose(first, again, atol=1e-5)
    assert np.abs(first - other).max() > 0.01


@needs_tensorflow
def test_a_restarted_model_trains_as_a_new_one_would():
    def fit(model):
        restart(model, 9)
        return trained(model, 9, epochs=3)

    used = dot_model(M, N, K, rng=0)
    trained(used, 1, epochs=4)
    np.testing.assert_allclose(fit(used), fit(dot_model(M, N, K, rng=4)), atol=1e-5)
    assert used.optimizer.iterations.numpy() == 3 * -(-2 * TRAIN.sum() // 16)
    assert used.optimizer.learning_rate.numpy() == pytest.approx(0.02)


@needs_tensorflow
@pytest.mark.parametrize("build", [dot_model, article_model])
def test_the_training_step_is_traced_once(build, monkeypatch):
    model, traced = build(4, 5, 2, rng=0), []
    step = model.train_step
    monkeypatch.setattr(model, "train_step", lambda data: traced.append(1) or step(data))
    users, items = np.zeros(2, np.int32), np.arange(2, dtype=np.int32)
    model.fit([users, items], np.array([0.0, 1.0]), batch_size=1, epochs=2, verbose=0)
    assert len(traced) == 1


@needs_tensorflow
def test_training_lifts_what_a_user_has_above_the_rest():
    got = trained(dot_model(M, N, 8, rng=0), 0, epochs=60, ratio=2)
    assert got[TRAIN == 1].min() > 0 > np.median(got[TRAIN == 0])


@needs_tensorflow
def test_a_saved_model_predicts_what_it_did(tmp_path):
    from recsys_lab.models.keras_models import keras

    for name, build in [("dot", dot_model), ("article", article_model)]:
        model = with_random_weights(build(M, N, K, rng=0))
        model.save(tmp_path / f"{name}.keras")
        loaded = keras.models.load_model(tmp_path / f"{name}.keras")
        np.testing.assert_array_equal(scores(loaded), scores(model))


@needs_tensorflow
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"k": 0}, "k=0 is too small"),
        ({"m": 2.5}, "m=2.5 is not a whole number"),
        ({"l2": -1}, "l2=-1: choose a number"),
        ({"l2": np.nan}, "l2=nan: choose a number"),
        ({"dropout": 1.0}, r"dropout=1\.0 leaves nothing"),
    ],
)
def test_a_model_that_makes_no_sense_is_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        dot_model(**({"m": M, "n": N, "k": K, "rng": 0} | settings))


# --- Negatives ----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), ratio=st.integers(1, 5))
def test_a_negative_is_never_a_training_or_a_forbidden_pair(seed, ratio):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 7), rng.integers(3, 9)
    train, held_out = rng.random((2, m, n)) < 0.4
    train[:, 0] = held_out[:, 0] = False
    users, items = sample_negatives(train, ratio, rng, forbidden=held_out)
    assert not (train | held_out)[users, items].any()
    each = np.bincount(users, minlength=m)
    assert (each == ratio * train.sum(axis=1)).all()


def test_every_other_item_of_a_user_is_as_likely():
    train = [[1, 0, 0, 0, 1, 0]]
    _, items = sample_negatives(train, 3000, 0, forbidden=[[0, 1, 0, 0, 0, 0]])
    counts = np.bincount(items, minlength=6)
    assert (counts[[0, 1, 4]] == 0).all()
    assert chisquare(counts[[2, 3, 5]]).pvalue > 0.001


def test_a_held_out_pair_is_drawn_unless_it_is_forbidden():
    _, items = sample_negatives([[1, 0, 0]], 50, 0)
    assert set(items) == {1, 2}


def test_negatives_follow_the_generator():
    one, again, other = (sample_negatives(TRAIN, 3, seed)[1] for seed in (1, 1, 2))
    assert (one == again).all() and (one != other).any()


@pytest.mark.parametrize("form", [sp.csr_array, sp.coo_matrix, list])
def test_any_form_of_the_events_gives_the_same_negatives(form):
    wanted = sample_negatives(TRAIN, 2, 0)
    got = sample_negatives(form(TRAIN), 2, 0, forbidden=form(np.zeros((M, N))))
    np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize(
    ("train", "settings", "says"),
    [
        ([[1, 0]], {"ratio": 0}, "ratio=0 is too small"),
        ([[0, 1], [1, 1]], {}, "user position 1 no item to draw"),
        ([[0, 1]], {"forbidden": [[1, 0]]}, "user position 0 no item to draw"),
        ([[0, 1]], {"forbidden": [[1, 0, 0]]}, "forbidden is 1 x 3 but train is 1 x 2"),
    ],
)
def test_negatives_that_cannot_be_drawn_are_refused(train, settings, says):
    with pytest.raises(ValueError, match=says):
        sample_negatives(train, **({"ratio": 1, "rng": 0} | settings))


def test_an_epoch_holds_every_event_once_among_its_negatives():
    users, items, labels = training_pairs(TRAIN, 2, 0)
    assert labels.mean() == pytest.approx(1 / 3)
    found = np.zeros((M, N))
    np.add.at(found, (users[labels == 1], items[labels == 1]), 1)
    np.testing.assert_array_equal(found, TRAIN)
    assert 0 < labels[: labels.size // 2].sum() < TRAIN.sum()  # shuffled
    assert (users.dtype, items.dtype, labels.dtype) == (np.int32, np.int32, np.float32)


@needs_tensorflow
def test_the_dataset_draws_new_negatives_in_each_epoch():
    pairs, steps = dataset(TRAIN, 2, 0, batch=10)
    batches = list(pairs.take(2 * steps).as_numpy_iterator())
    epochs = []
    for some in (batches[:steps], batches[steps:]):
        assert {labels.size for _, labels in some[:-1]} == {10}
        columns = zip(*((*given, labels) for given, labels in some), strict=True)
        users, items, labels = epoch = [np.concatenate(column) for column in columns]
        assert labels.size == 3 * TRAIN.sum()
        assert (TRAIN[users, items] == labels).all()
        epochs.append(sorted(zip(*epoch, strict=True)))
    assert epochs[0] != epochs[1]


@needs_tensorflow
def test_a_dataset_of_no_events_is_refused():
    with pytest.raises(ValueError, match="train holds no event"):
        dataset(np.zeros((3, 5)), 1, 0)


@needs_tensorflow
def test_the_dataset_never_holds_a_forbidden_pair_as_a_negative():
    forbidden = (1 - TRAIN) * (np.random.default_rng(2).random((M, N)) < 0.5)
    pairs, steps = dataset(TRAIN, 3, 0, batch=10, forbidden=forbidden)
    for (users, items), labels in pairs.take(4 * steps).as_numpy_iterator():
        assert not forbidden[users, items][labels == 0].any()
