"""A recommender in Keras: a user's and an item's embedding, and their dot product as the score.

The model is matrix factorisation trained on single pairs, with items that a user does not have
drawn as negatives (He et al. 2017; Rendle, Krichene, Zhang and Anderson 2020). Keras and TensorFlow
are loaded by the first use, not by importing this module; that takes seconds and 700 MB, once.
"""

import logging
import os
import sys
from importlib import import_module

import numpy as np
import pandas as pd

from ..data.interactions import (
    as_count,
    as_csr,
    as_dropout,
    as_number,
    as_positions,
    as_rng,
    draw_unseen,
    rows_of,
)
from .factorization import Factors


def __getattr__(name):
    """Load Keras when it is first asked for: ``from ...keras_models import keras``."""
    if name == "keras":
        return _load("keras")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def dot_model(
    m: int,
    n: int,
    k: int,
    *,
    l2: float = 0.0,
    dropout: float = 0.0,
    learning_rate: float = 0.02,
    rng: np.random.Generator | int,
):
    """Build and compile the dot-product model: the logit of a pair is u_i . v_j.

    Parameters
    ----------
    m, n : int
        How many users and items there are.
    k : int
        Length of an embedding.
    l2 : float
        Weight of the squared size of both embedding tables, |U|^2 + |V|^2, beside the mean loss of
        a batch. Keras adds it once a step, whoever is in the batch.
    dropout : float from 0 to 1, not included
        Share of each user vector that is set to 0 while training.
    learning_rate : float
        Of Adam. 0.02 is large, for the few hundred steps that a lesson has time for.
    rng : numpy.random.Generator or int
        Draws the start of the embeddings, and seeds the dropout.

    Returns
    -------
    keras.Model
        Inputs: user positions and item positions, each of shape (batch,). Output: logits of shape
        (batch, 1); a sigmoid makes them probabilities. The layers "users" and "items" hold U
        (m x k) and V (n x k).

    Raises
    ------
    ValueError
        If a count is no whole number from 1 on, or a share or weight makes no sense.
    ImportError
        If TensorFlow is not there.

    References
    ----------
    S. Rendle, W. Krichene, L. Zhang and J. Anderson (2020). Neural collaborative filtering vs.
    matrix factorization revisited. RecSys 14, 240-248. doi:10.1145/3383313.3412488
    """
    as_number(l2, "l2", such="1e-5")
    as_dropout(dropout)
    as_number(learning_rate, "learning_rate", above=True, such="0.02")
    m, n, k, rng = as_count(m, "m"), as_count(n, "n"), as_count(k, "k"), as_rng(rng)
    keras = _load("keras")  # it takes seconds: no mistake has to wait for it
    inputs, vectors = _embeddings(m, n, k, (), l2, rng)
    if dropout:
        seed = int(rng.integers(2**31))
        vectors[0] = keras.layers.Dropout(dropout, seed=seed)(vectors[0])
    # The last axis, whatever stands before it: the one that both vectors have of length k.
    logits = keras.layers.Dot(axes=-1, name="logit")(vectors)
    model = keras.Model(inputs, logits)
    _compile(model, keras.losses.BinaryCrossentropy(from_logits=True), learning_rate)
    return model


def article_model(m: int, n: int, k: int = 50, *, rng: np.random.Generator | int):
    """Build the article's model as it is printed (section 5.2), slip and all, for study.

    The embeddings have shape (batch, 1, k), and ``Dot(axes=1)`` contracts the axis of length 1:
    what comes out is the k x k outer product, and the last layer has k^2 + 1 weights.

    Parameters
    ----------
    m, n, k, rng
        As in `dot_model`; the article takes k = 50.

    Returns
    -------
    keras.Model
        Compiled as the article does; the output is a probability.
    """
    m, n, k, rng = as_count(m, "m"), as_count(n, "n"), as_count(k, "k"), as_rng(rng)
    keras = _load("keras")
    inputs, vectors = _embeddings(m, n, k, (1,), 0.0, rng)
    outer = keras.layers.Dot(axes=1)(vectors)
    flat = keras.layers.Flatten()(outer)
    start = keras.initializers.GlorotUniform(seed=int(rng.integers(2**31)))
    output = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=start)(flat)
    model = keras.Model(inputs, output)
    _compile(model, "binary_crossentropy", 0.001)
    return model


def restart(model, rng: np.random.Generator | int) -> None:
    """Put a compiled model back to a random start, and its optimiser to rest.

    Keras traces the training step of a model once, which takes longer than a short training. A
    model that starts again keeps that; a new one would have to be traced anew.

    Parameters
    ----------
    model : keras.Model
        Compiled, from ``dot_model``: its two tables are all its weights. Other layers, such as the
        last one of ``article_model``, would keep what they have learnt.
    rng : numpy.random.Generator or int
    """
    rng = as_rng(rng)
    for name in ("users", "items"):
        table = model.get_layer(name).embeddings
        table.assign(rng.uniform(-_START, _START, table.shape))
    rate = model.optimizer.learning_rate
    for state in model.optimizer.variables:
        if state is not rate:
            state.assign(np.zeros(state.shape))


def sample_negatives(
    train, ratio: int, rng: np.random.Generator | int, *, forbidden=None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw, for every event, items that its user does not have.

    Parameters
    ----------
    train : m x n, Interactions, scipy.sparse or dense
    ratio : int
        Negatives for each event, 1 or more.
    rng : numpy.random.Generator or int
    forbidden : m x n, Interactions, scipy.sparse or dense, optional
        Further pairs never to draw, such as the held-out events.

        Forbidding the events that a model is to be judged by tells it, by what never comes up as a
        negative, where they are: the judgement is then too good. Without this they are drawn like
        any other unseen pair, and a few labels are wrong, as they are in a real log.

    Returns
    -------
    users, items : int arrays, ``ratio`` times as long as ``train`` has events
        Uniform over the user's items that are neither in ``train`` nor forbidden, and independent:
        a pair may come twice.

    Raises
    ------
    ValueError
        If ratio is not a whole number from 1 on, shapes disagree, or a user has no item left.

    References
    ----------
    X. He, L. Liao, H. Zhang, L. Nie, X. Hu and T.-S. Chua (2017). Neural collaborative filtering.
    WWW 26, 173-182. doi:10.1145/3038912.3052569

    Examples
    --------
    >>> users, items = sample_negatives([[1, 1, 0], [0, 0, 1]], 2, rng=0)
    >>> users
    array([0, 0, 0, 0, 1, 1])
    >>> set(items[:4].tolist()), set(items[4:].tolist()) <= {0, 1}
    ({2}, True)
    """
    R, ratio = as_csr(train, "train"), as_count(ratio, "ratio")
    rng = as_rng(rng)
    m, n = R.shape
    taken = np.sort(rows_of(R) * n + R.indices)
    if forbidden is not None:
        more = _as_forbidden(forbidden, R)
        taken = np.union1d(taken, rows_of(more) * n + more.indices)
    full = (np.bincount(taken // n, minlength=m) == n) & (np.diff(R.indptr) > 0)
    if full.any():
        raise ValueError(
            f"train leaves user position {full.argmax()} no item to draw as a negative: "
            "drop the user, or forbid less"
        )
    users = np.repeat(rows_of(R), ratio)
    return users, draw_unseen(users, taken, n, rng)


def training_pairs(
    train, ratio: int, rng: np.random.Generator | int, *, forbidden=None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shuffle the events (label 1) among freshly drawn negatives (label 0): one epoch.

    Parameters
    ----------
    train, ratio, rng, forbidden
        As in `sample_negatives`.

    Returns
    -------
    users, items : int32 arrays; labels : float32 array
        Each (1 + ratio) times as long as ``train`` has events.
    """
    rng = as_rng(rng)
    R = as_csr(train, "train")
    users, items = sample_negatives(R, ratio, rng, forbidden=forbidden)
    users = np.concatenate([rows_of(R), users]).astype(np.int32)
    items = np.concatenate([R.indices, items]).astype(np.int32)
    labels = (np.arange(users.size) < R.nnz).astype(np.float32)
    order = rng.permutation(users.size)
    return users[order], items[order], labels[order]


def dataset(
    train, ratio: int, rng: np.random.Generator | int, *, batch: int = 4096, forbidden=None
):
    """Feed `training_pairs` to ``model.fit``, epoch after epoch, each with new negatives.

    Parameters
    ----------
    train, ratio, forbidden
        As in `sample_negatives`.
    rng : numpy.random.Generator or int
        Draws the negatives and the order, one epoch after another.
    batch : int
        Pairs in a step. 4,096 is large: on a processor a step costs the same few milliseconds for
        a hundred pairs as for some thousand.

    Returns
    -------
    pairs : tf.data.Dataset of ((users, items), labels), without end
        The last batch of an epoch is smaller. The next batch is prepared while the model works.
    steps : int
        Batches in an epoch: ``model.fit(pairs, steps_per_epoch=steps, ...)``. A data set that
        ended with the epoch would be set up anew for each, which takes longer than a short epoch.

    Raises
    ------
    ValueError
        If train holds no event, or ratio or batch is not a whole number from 1 on; what
        `sample_negatives` refuses, when the first batch is drawn.
    """
    rng = as_rng(rng)
    R, ratio, batch = as_csr(train, "train"), as_count(ratio, "ratio"), as_count(batch, "batch")
    if not R.nnz:
        raise ValueError("train holds no event: give at least one to learn from")
    forbidden = None if forbidden is None else _as_forbidden(forbidden, R)
    tf = _load("tensorflow")

    def batches():
        while True:
            users, items, labels = training_pairs(R, ratio, rng, forbidden=forbidden)
            for start in range(0, labels.size, batch):
                part = slice(start, start + batch)
                yield (users[part], items[part]), labels[part]

    kinds = (tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,), tf.int32))
    pairs = tf.data.Dataset.from_generator(
        batches, output_signature=(kinds, tf.TensorSpec((None,), tf.float32))
    )
    return pairs.prefetch(tf.data.AUTOTUNE), -(-R.nnz * (1 + ratio) // batch)


def _as_forbidden(forbidden, R):
    more = as_csr(forbidden, "forbidden")
    if more.shape != R.shape:
        raise ValueError(
            f"forbidden is {more.shape[0]} x {more.shape[1]} but train is {R.shape[0]} x "
            f"{R.shape[1]}: both must be users x items"
        )
    return more


def factors(model) -> Factors:
    """Take the embeddings out of a dot model: its logits are ``factors(model).scores()``.

    Returns
    -------
    Factors : U (m x k) and V (n x k), copies
    """
    U, V = (model.get_layer(name).get_weights()[0] for name in ("users", "items"))
    return Factors(U, V)


def scores(model, users=None, *, batch: int = 65536) -> np.ndarray:
    """Ask a model for every item, for all users or some.

    Parameters
    ----------
    model : keras.Model of this module, or any with layers "users" and "items" and the same inputs
    users : sequence of int, optional
        User positions; all by default.
    batch : int
        Pairs in a block: the memory needed does not grow with the number of users.

    Returns
    -------
    p x n float32 array
        What the model puts out: logits of `dot_model`, probabilities of `article_model`.

    Raises
    ------
    ValueError
        If there is no such user.
    """
    m, n = (model.get_layer(name).input_dim for name in ("users", "items"))
    users = np.arange(m) if users is None else as_positions(users, m, "users")
    result = np.empty((users.size, n), dtype=np.float32)
    step = max(1, as_count(batch, "batch") // n)
    for start in range(0, users.size, step):
        part = users[start : start + step]
        pairs = [np.repeat(part, n), np.tile(np.arange(n), part.size)]
        result[start : start + step] = model.predict_on_batch(pairs).reshape(part.size, n)
    return result


def layer_table(model) -> pd.DataFrame:
    """List a model's layers: what ``model.summary()`` and ``plot_model`` show, without Graphviz.

    Returns
    -------
    DataFrame, indexed by the layer's name: kind, input, output, weights
        Shapes with None for the batch; a layer with two inputs has both, joined by " and ".
    """
    rows = {}
    for layer in model.layers:
        given = layer.input if isinstance(layer.input, list) else [layer.input]
        rows[layer.name] = {
            "kind": type(layer).__name__,
            "input": " and ".join(str(tuple(tensor.shape)) for tensor in given),
            "output": str(tuple(layer.output.shape)),
            "weights": layer.count_params(),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("layer")


# Keras' own start of an embedding: uniform between -0.05 and 0.05.
_START = 0.05


def _load(name: str):
    """Import keras or tensorflow without their messages about the machine's hardware."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    fresh = "keras" not in sys.modules
    if fresh:
        os.environ["KERAS_BACKEND"] = "tensorflow"
    # On newer processors oneDNN is on, says so on stderr whatever the level, and adds in an order
    # of its own: off, the numbers are alike on more machines.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    # It also warns on stderr of every input of a new size, which costs a trace but is no mistake.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    backend = os.environ["KERAS_BACKEND"]
    if backend != "tensorflow":
        raise ImportError(
            f"KERAS_BACKEND={backend!r}, but the course's models need 'tensorflow': restart the "
            "kernel and run `%env KERAS_BACKEND=tensorflow` before all other cells"
        )
    try:
        import_module("tensorflow")
        keras = import_module("keras")
    except ImportError as error:
        raise ImportError(
            "keras_models needs TensorFlow, which is not installed in this Python: "
            "use Python 3.11 to 3.13 and install the course there (python3 -m recsys_lab lab)"
        ) from error
    if fresh:  # nothing of a reader's own ~/.keras/keras.json, by which the numbers would differ
        keras.config.set_floatx("float32")
        keras.config.set_epsilon(1e-7)
        keras.config.set_image_data_format("channels_last")
    return import_module(name)


def _embeddings(m, n, k, shape, l2, rng):
    """Make the two inputs and their embeddings, called "users" and "items"."""
    keras = _load("keras")
    inputs, vectors = [], []
    for name, count in [("users", m), ("items", n)]:
        given = keras.Input(shape, dtype="int32", name=name.removesuffix("s"))
        seed = int(rng.integers(2**31))
        layer = keras.layers.Embedding(
            count,
            k,
            embeddings_initializer=keras.initializers.RandomUniform(-_START, _START, seed=seed),
            embeddings_regularizer=keras.regularizers.L2(l2) if l2 else None,
            name=name,
        )
        inputs.append(given)
        vectors.append(layer(given))
    return inputs, vectors


def _compile(model, loss, learning_rate):
    """Compile a model, and build its optimiser: Keras would trace the first step twice without."""
    keras = _load("keras")
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss=loss,
        # An object, not a name: Keras would make it within the first step, and trace that again.
        metrics=[keras.metrics.BinaryAccuracy("accuracy")] if isinstance(loss, str) else None,
        # XLA would compile for longer than these small models train.
        jit_compile=False,
    )
    model.optimizer.build(model.trainable_variables)
