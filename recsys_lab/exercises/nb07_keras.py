"""The exercises of notebook 07, A Keras model: mend it, its loss, its negatives, when to stop."""

import re

import numpy as np

from .engine import (
    Mistake,
    as_array,
    define,
    expect,
    expect_close,
    expect_equal,
    expect_shape,
    expect_type,
)
from .questions import Choice, Number, define_quiz


def _as_function(model):
    """What a model computes: its shapes, and its answers for given embeddings."""
    shapes = [tuple(each.shape) for each in model.inputs]
    weights = [w.shape for w in model.get_weights()]
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=shape) for shape in weights])
    few = min(weights[0][0], weights[-1][0]) if weights and len(weights[-1]) == 2 else 1
    places = rng.integers(max(few, 1), size=(6, 1))
    got = np.asarray(model([places, places[::-1]]), dtype=float).round(4)
    return [str(shapes), str(weights), str(got.shape), got.ravel()]


@define(
    "keras.mended",
    notebook=7,
    look=_as_function,
    trials=6,
    hints=[
        "The embeddings have shape (batch, 1, k). Which axis do a user's and an item's vector have "
        "to be multiplied and summed along? Axis 0 is the batch.",
        "`Dot(axes=2)` gives (batch, 1, 1), and `Flatten` makes (batch, 1) of it: that is the "
        "score already. What does `Dense(1)` add to it?",
        'Drop the Dense layer; end with `keras.layers.Activation("sigmoid")(flat)`.',
    ],
    body="""
from recsys_lab.models.keras_models import keras

user, item = keras.Input(shape=(1,)), keras.Input(shape=(1,))
u = keras.layers.Embedding(m, k)(user)
v = keras.layers.Embedding(n, k)(item)
product = keras.layers.Dot(axes=1)([u, v])
flat = keras.layers.Flatten()(product)
output = keras.layers.Dense(1, activation="sigmoid")(flat)
return keras.Model([user, item], output)
""",
)
def mended(m, n, k):
    """Return a model of m users and n items that gives sigmoid(u_i . v_j), and mend this one.

    Inputs: user and item positions, each (batch, 1). Output: (batch, 1). Weights: k (m + n).
    """
    from recsys_lab.models.keras_models import keras

    user, item = keras.Input(shape=(1,)), keras.Input(shape=(1,))
    u = keras.layers.Embedding(m, k)(user)
    v = keras.layers.Embedding(n, k)(item)
    product = keras.layers.Dot(axes=2)([u, v])
    flat = keras.layers.Flatten()(product)
    return keras.Model([user, item], keras.layers.Activation("sigmoid")(flat))


def _embedded(m, n, k):
    """Keras, and what the wrong answers have in common: the inputs and their embeddings."""
    from recsys_lab.models.keras_models import keras

    user, item = keras.Input(shape=(1,)), keras.Input(shape=(1,))
    u, v = keras.layers.Embedding(m, k)(user), keras.layers.Embedding(n, k)(item)
    return keras, [user, item], u, v


@mended.wrong(expects="outer product")
def still_outer(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    flat = keras.layers.Flatten()(keras.layers.Dot(axes=1)([u, v]))
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(flat))


@mended.wrong(expects="9 = k x k numbers, not 1")
def outer_without_the_dense_layer(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    flat = keras.layers.Flatten()(keras.layers.Dot(axes=1)([u, v]))
    return keras.Model(inputs, keras.layers.Activation("sigmoid")(flat))


@mended.wrong(expects="a factor and a shift")
def keeps_the_dense_layer(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    flat = keras.layers.Flatten()(keras.layers.Dot(axes=2)([u, v]))
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(flat))


@mended.wrong(expects="the sigmoid is missing")
def forgets_the_sigmoid(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    return keras.Model(inputs, keras.layers.Flatten()(keras.layers.Dot(axes=2)([u, v])))


@mended.wrong(expects="shape (4, 1, 1)")
def forgets_to_flatten(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    product = keras.layers.Dot(axes=2)([u, v])
    return keras.Model(inputs, keras.layers.Activation("sigmoid")(product))


@mended.wrong(expects="cosine")
def normalises(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    flat = keras.layers.Flatten()(keras.layers.Dot(axes=2, normalize=True)([u, v]))
    return keras.Model(inputs, keras.layers.Activation("sigmoid")(flat))


@mended.wrong(expects="one for the users and one for the items")
def shares_one_table(m, n, k):
    keras, inputs, _, _ = _embedded(m, n, k)
    table = keras.layers.Embedding(m + n, k)
    flat = keras.layers.Flatten()(keras.layers.Dot(axes=2)([table(one) for one in inputs]))
    return keras.Model(inputs, keras.layers.Activation("sigmoid")(flat))


@mended.wrong(expects="a Keras model")
def returns_a_tensor(m, n, k):
    return still_outer(m, n, k).output


@mended.wrong(expects="takes item positions first")
def swaps_the_inputs(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    flat = keras.layers.Flatten()(keras.layers.Dot(axes=2)([u, v]))
    return keras.Model(inputs[::-1], keras.layers.Activation("sigmoid")(flat))


@mended.wrong(expects="keep the line with keras.Input")
def takes_a_flat_list_of_ids(m, n, k):
    from recsys_lab.models.keras_models import keras

    user, item = keras.Input(shape=()), keras.Input(shape=())
    u, v = keras.layers.Embedding(m, k)(user), keras.layers.Embedding(n, k)(item)
    dot = keras.layers.Dot(axes=1)([u, v])
    return keras.Model([user, item], keras.layers.Activation("sigmoid")(dot))


@mended.wrong(expects="cannot be asked about 4 pairs")
def forgets_the_batch(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    dot = keras.ops.reshape(keras.ops.sum(u * v, axis=2), (1, 1))
    return keras.Model(inputs, keras.layers.Activation("sigmoid")(dot))


def _built(answer, m, n, k):
    from recsys_lab.models.keras_models import keras

    return expect_type(answer(m, n, k), keras.Model, "a Keras model, `keras.Model(...)`")


def _given(model, m, n, k):
    """Fill the model with random embeddings; what it says of four pairs, and their dot products."""
    rng = np.random.default_rng(m)
    U, V = rng.normal(size=(m, k)), rng.normal(size=(n, k))
    model.set_weights([U if w.shape == (m, k) else V for w in model.get_weights()])
    # The last of each is among them: a table that is too short for it has changed places.
    users = np.append(rng.integers(m, size=3), m - 1)
    items = np.append(rng.integers(n, size=3), n - 1)
    try:
        got = np.asarray(model([users[:, None], items[:, None]]), dtype=float)
    except Exception as error:
        raise Mistake(_why_not(model, m, n, users[:, None], items[:, None], error)) from None
    return got, U[users], V[items]


def _why_not(model, m, n, users, items, error):
    try:
        model([items, users])
    except Exception:
        said = re.sub(r"\x1b\[\d*m", "", str(error)).strip().splitlines()
        # Keras begins with the name of the layer; what is wrong comes after it.
        first = next((line for line in said if line and "encountered" not in line), said[0])
        return (
            "The model cannot be asked about 4 pairs. Axis 0 is the batch: leave it alone when you "
            f"sum or reshape. Keras says: {first}"
        )
    return (
        "The model takes item positions first: its first input is looked up in the table with "
        f"n = {n} rows, where user {m - 1} is not. Write Embedding(m, k)(user) and "
        "Embedding(n, k)(item), and end with keras.Model([user, item], ...)."
    )


def _ended(m, n, k, end):
    keras, inputs, u, v = _embedded(m, n, k)
    flat = keras.layers.Flatten()(keras.layers.Dot(axes=2)([u, v]))
    return keras.Model(inputs, end(keras, flat))


@mended.wrong("The sigmoid stands there twice: once is enough.")
def takes_the_sigmoid_twice(m, n, k):
    return _ended(m, n, k, lambda keras, x: keras.ops.sigmoid(keras.ops.sigmoid(x)))


@mended.wrong("A softmax over one number is always 1: sigmoid(u . v) is asked for.")
def takes_softmax(m, n, k):
    return _ended(m, n, k, lambda keras, x: keras.layers.Activation("softmax")(x))


@mended.wrong("That is tanh: sigmoid(u . v) is asked for.")
def takes_tanh(m, n, k):
    return _ended(m, n, k, lambda keras, x: keras.layers.Activation("tanh")(x))


@mended.wrong("That is relu: sigmoid(u . v) is asked for.")
def takes_relu(m, n, k):
    return _ended(m, n, k, lambda keras, x: keras.layers.Activation("relu")(x))


@mended.wrong("It is 1 minus the sigmoid: a larger u . v has to give a larger output.")
def takes_one_minus(m, n, k):
    return _ended(m, n, k, lambda keras, x: 1 - keras.ops.sigmoid(x))


@mended.wrong("You averaged the k products: the dot product adds them up.")
def averages_the_products(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    return keras.Model(inputs, keras.ops.sigmoid(keras.ops.mean(u * v, axis=-1)))


@mended.wrong("You added the two vectors: multiply them number by number, then add up.")
def adds_the_vectors(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    return keras.Model(inputs, keras.ops.sigmoid(keras.ops.sum(u + v, axis=-1)))


@mended.wrong("The sigmoid stands on the vectors: take it of their dot product.")
def takes_the_sigmoid_of_the_vectors(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    u, v = keras.ops.sigmoid(u), keras.ops.sigmoid(v)
    return keras.Model(inputs, keras.ops.sum(u * v, axis=-1))


@mended.wrong(
    "You put the two vectors behind each other and let Dense weigh them: that is no dot product."
)
def concatenates(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    flat = keras.layers.Flatten()(keras.layers.Concatenate()([u, v]))
    return keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(flat))


@mended.wrong("You chose a number of factors of your own: the tables have k columns.")
def chooses_k_itself(m, n, k):
    return mended.reference(m, n, 8)


@mended.wrong("The tables have a row too many: m users and n items, counted from 0.")
def makes_a_row_too_many(m, n, k):
    return mended.reference(m + 1, n + 1, k)


@mended.wrong("You exchanged m and n: the users' table has m rows, the items' n.")
def exchanges_the_tables(m, n, k):
    return mended.reference(n, m, k)


@mended.right
def by_a_sum_of_products(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    return keras.Model(inputs, keras.ops.sigmoid(keras.ops.sum(u * v, axis=-1)))


@mended.right
def flattened_first(m, n, k):
    keras, inputs, u, v = _embedded(m, n, k)
    u, v = keras.layers.Flatten()(u), keras.layers.Flatten()(v)
    return keras.Model(inputs, keras.activations.sigmoid(keras.layers.Dot(axes=1)([u, v])))


@mended.check("a model comes back, with the weights of two tables")
def _(answer):
    m, n, k = 7, 5, 3
    model = _built(answer, m, n, k)
    # A model that is no functional one has none.
    inputs = [tuple(each.shape) for each in getattr(model, "inputs", None) or []]
    expect(
        inputs == [(None, 1)] * 2,
        f"Its inputs have the shapes {inputs}; there should be two of (None, 1), a column of user "
        "and one of item positions: keep the line with keras.Input, and end with keras.Model.",
    )
    shapes = sorted(w.shape for w in model.get_weights())
    weights = f"It has {model.count_params()} weights for m = 7, n = 5, k = 3; right is 36."
    expect(
        (k * k, 1) not in shapes,
        f"{weights} There are {k * k} = k x k numbers between Flatten and Dense: "
        "Dot still makes the outer product.",
    )
    expect(
        (k, 1) not in shapes,
        f"{weights} Dense gives each of the {k} products a weight of its own: the dot product adds "
        "them up as they are, which Dot(axes=2) does.",
    )
    expect(
        (1, 1) not in shapes,
        f"{weights} Dense(1) adds a factor and a shift (without a bias, a factor) to the dot "
        "product, which needs none.",
    )
    expect(
        shapes == sorted([(m, k), (n, k)]),
        "For m = 7, n = 5, k = 3 there should be two tables of embeddings, one for the users and "
        f"one for the items, (7, 3) and (5, 3); its weights have the shapes {shapes}.",
    )


@mended.check("a small case by hand")
def _(answer):
    m, n, k = 7, 5, 3
    model = _built(answer, m, n, k)
    got, u, v = _given(model, m, n, k)
    expect(
        got.size != 4 * k * k,
        f"For each pair it gives {k * k} = k x k numbers, not 1: "
        "Dot still makes the outer product.",
    )
    expect(
        got.shape == (4, 1),
        f"For 4 pairs the output has shape {got.shape}; it should have shape (4, 1), one number "
        "for each pair. `keras.layers.Flatten()` keeps the batch and lays out the rest in a row.",
    )
    dot = (u * v).sum(axis=1)
    length = np.sqrt((u**2).sum(axis=1) * (v**2).sum(axis=1))
    one = f"for u = {u[0].round(2).tolist()} and v = {v[0].round(2).tolist()}"
    expect(
        not np.allclose(got[:, 0], dot, atol=1e-5),
        f"It returned u . v = {dot[0]:.3f} {one}: the sigmoid is missing.",
    )
    expect(
        not np.allclose(got[:, 0], 1 / (1 + np.exp(-dot / length)), atol=1e-5),
        f"It returned the sigmoid of the cosine {one}: leave the vectors their length.",
    )
    # Keras computes in float32, with 7 digits.
    expect_close(got[:, 0], 1 / (1 + np.exp(-dot)), f"That is sigmoid(u . v) {one}.", tol=1e-5)


@mended.check("other sizes")
def _(answer):
    for m, n, k in [(3, 6, 4), (4, 4, 1)]:
        got, u, v = _given(_built(answer, m, n, k), m, n, k)
        if m != n:
            expect_close(got, 1 / (1 + np.exp(-(u * v).sum(axis=1, keepdims=True))), tol=1e-5)
        expect_shape(got, (4, 1))


@define(
    "keras.logit_loss",
    notebook=7,
    hints=[
        "With p = 1 / (1 + exp(-z)): what is -log p, and what is -log(1 - p)? Both become "
        "log(1 + exp(of something)).",
        "-log(1 - p) = log(1 + exp(z)), and -log p = log(1 + exp(z)) - z. One line covers both "
        "labels.",
        "`np.log(1 + np.exp(z))` overflows at z = 1000. `np.logaddexp(0, z)` is the same number, "
        "log(exp(0) + exp(z)), computed without the overflow.",
    ],
    equivalent={
        "line 3: np.logaddexp(0, z) -> np.logaddexp(z, 0)": "a sum, whatever the order",
    },
)
def logit_loss(z, y):
    """Return -log p where y is 1 and -log(1 - p) where y is 0, p = sigmoid(z), for any finite z."""
    return np.logaddexp(0, z) - z * y


@logit_loss.wrong(
    "Right on paper. But p rounds to 1 or 0 for a large z, and its logarithm is lost: write the "
    "loss in z, without p."
)
def through_p(z, y):
    p = 1 / (1 + np.exp(-z))
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


@logit_loss.wrong(
    "Right on paper. But exp(z) overflows for a large z: let `np.logaddexp(0, z)` do the sum."
)
def overflows(z, y):
    return np.log(1 + np.exp(z)) - z * y


@logit_loss.wrong(
    "You clipped p: then a confident mistake costs no more than 16, and its gradient is gone. "
    "Write the loss in z, without p."
)
def clips(z, y):
    p = np.clip(1 / (1 + np.exp(-z)), 1e-7, 1 - 1e-7)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p))


@logit_loss.wrong(
    "Label 0 is safe now, label 1 is not: p rounds to 0 at a very negative z, and -log p is "
    "infinite. Write both labels in z, without p."
)
def makes_label_0_safe_only(z, y):
    return np.where(y == 1, -np.log(1 / (1 + np.exp(-z))), np.logaddexp(0, z))


@logit_loss.wrong(
    "Label 1 is safe now, label 0 is not: p rounds to 1 at a large z, and -log(1 - p) is infinite. "
    "Write both labels in z, without p."
)
def makes_label_1_safe_only(z, y):
    return np.where(y == 1, np.logaddexp(0, -z), -np.log(1 - 1 / (1 + np.exp(-z))))


@logit_loss.wrong(
    "You took z for log(1 + exp(z)) where z is large. They are close, not equal: with the label 1 "
    "that small difference is the whole loss."
)
def takes_z_from_ten_on(z, y):
    return np.where(z > 10, z, np.log(1 + np.exp(np.minimum(z, 10)))) - z * y


@logit_loss.wrong(expects="nothing may be clipped")
def clips_the_logit(z, y):
    z = np.clip(z, -500, 500)
    return np.log(1 + np.exp(z)) - z * y


@logit_loss.wrong(expects="add nothing inside the logarithm")
def adds_a_small_number(z, y):
    p = 1 / (1 + np.exp(-z))
    return -(y * np.log(p + 1e-7) + (1 - y) * np.log(1 - p + 1e-7))


@logit_loss.wrong("You mixed up the labels: y = 1 has the loss -log p.")
def mixes_up_the_labels(z, y):
    return np.logaddexp(0, z) - z * (1 - y)


@logit_loss.wrong("That is log p, which is to be large. A loss is to be small: turn the sign.")
def forgets_the_sign(z, y):
    return z * y - np.logaddexp(0, z)


@logit_loss.wrong("You added up or averaged: return one loss for each pair.")
def averages(z, y):
    return (np.logaddexp(0, z) - z * y).mean()


@logit_loss.wrong("You left out z * y: for the label 1 the loss is log(1 + exp(z)) - z.")
def forgets_the_label(z, y):
    return np.logaddexp(0, z)


@logit_loss.wrong("That is label 1's loss for all: where y is 0 it is log(1 + exp(z)).")
def takes_label_1_for_all(z, y):
    return np.logaddexp(0, -z)


@logit_loss.wrong(
    "That is the squared error of p: asked for is the logarithm, -log p or -log(1 - p)."
)
def squares_the_error(z, y):
    return (y - 1 / (1 + np.exp(-np.clip(z, -500, 500)))) ** 2


@logit_loss.wrong("That is the hinge loss: asked for is -log p or -log(1 - p).")
def takes_the_hinge(z, y):
    return np.maximum(0, 1 - (2 * y - 1) * z)


@logit_loss.wrong("log(1 + exp(z)) is not max(z, 0): close for a large z, and log 2 at z = 0.")
def takes_the_maximum(z, y):
    return np.maximum(z, 0) - z * y


@logit_loss.wrong("That is p itself: return its loss, -log p or -log(1 - p).")
def returns_p(z, y):
    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))


@logit_loss.wrong("You halved z * y: for the label 1 the loss is log(1 + exp(z)) - z.")
def halves_the_label(z, y):
    return np.logaddexp(0, z) - z * y / 2


@logit_loss.wrong("You added z * y: subtract it.")
def adds_the_label(z, y):
    return np.logaddexp(0, z) + z * y


@logit_loss.wrong("You took |z| for a large z: with the right label the loss is 0 there.")
def takes_the_size_of_large_logits(z, y):
    return np.where(np.abs(z) > 8, np.abs(z), np.logaddexp(0, z) - z * y)


@logit_loss.wrong("You took the logarithm to base 2: `np.log` is the natural one.")
def takes_base_two(z, y):
    return (np.logaddexp(0, z) - z * y) / np.log(2)


@logit_loss.right
def with_log1p(z, y):
    return np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))


@logit_loss.right
def label_by_label(z, y):
    return np.where(y == 1, np.logaddexp(0, -z), np.logaddexp(0, z))


@logit_loss.check("a small case by hand")
def _(answer):
    z, y = np.array([0.0, np.log(3), np.log(3)]), np.array([1.0, 1.0, 0.0])
    got, right = answer(z, y), np.log([2, 4 / 3, 4])
    why = "The sigmoid of 0 is 1/2, that of log 3 is 3/4."
    # np.shape of a ragged list would raise, where expect_close has a sentence.
    if isinstance(got, np.ndarray) and got.shape == (3,) and np.allclose(got, right, atol=1e-3):
        why += " That is close, but not the loss: add nothing inside the logarithm, clip nothing."
    expect_close(got, right, why)


@logit_loss.check("large logits")
def _(answer):
    z = np.array([40.0, -40.0, 1000.0, -1000.0, -1000.0, 1000.0])
    y = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 1.0])
    why = (
        "The wrong label at |z| = 40 costs 40, at 1000 it costs 1000, the right one nothing: "
        "nothing may be clipped."
    )
    with np.errstate(all="ignore"):
        expect_close(answer(z, y), [40, 40, 1000, 0, 1000, 0], why)


@logit_loss.check("logits of a trained model")
def _(answer):
    z = np.tile([4.0, 6.0, 8.0, 11.0, 14.0, 30.0], 2)
    z, y = np.concatenate([z, -z]), np.tile(np.repeat([1.0, 0.0], 6), 2)
    with np.errstate(all="ignore"):
        expect_close(answer(z, y), _by_log1p(z, y), "log(1 + exp(-6)) is 0.00248, not 0.")


@logit_loss.check("random cases")
def _(answer):
    rng = np.random.default_rng(4)
    z, y = rng.normal(size=9), rng.integers(2, size=9).astype(float)
    expect_close(answer(z, y), _by_log1p(z, y))


@logit_loss.check("whole numbers, and a single pair")
def _(answer):
    z, y = np.array([-7, 0, 3, 5]), np.array([0, 1, 0, 1])
    expect_close(
        answer(z, y), _by_log1p(z, y), "Whole numbers have a loss that is no whole number."
    )
    expect_close(answer(np.array([-2.5]), np.array([1.0])), [np.log1p(np.exp(2.5))])


def _by_log1p(z, y):
    """The loss for moderate logits by another road."""
    return np.where(y == 1, np.log1p(np.exp(-z)), np.log1p(np.exp(z)))


def _with_something_unseen(rng):
    """Users, what they have seen, and a generator; each user lacks an item."""
    m, n = rng.integers(1, 5), rng.integers(1, 7)
    seen = (rng.random((m, n)) < 0.6).astype(float)
    seen[np.arange(m), rng.integers(n, size=m)] = 0
    users = rng.integers(m, size=rng.integers(1, 9))
    return users, seen, np.random.default_rng(rng.integers(1000))


@define(
    "keras.negatives",
    notebook=7,
    drawn=True,
    inputs=_with_something_unseen,
    hints=[
        "Draw an item for every entry first, whatever it is: `rng.integers(n, size=len(users))`.",
        "`seen[users, items]` tells for each pair whether the draw was unlucky. Draw those again, "
        "and look again: a second draw can be unlucky too. Draw only those: all at once are hardly "
        "ever lucky together.",
        "`again = seen[users, items] == 1`, then `while again.any():` draw `again.sum()` new "
        "items into `items[again]` and compute `again` anew.",
    ],
)
def negatives(users, seen, rng):
    """Return one item for each entry of users, uniform among those with seen[user, item] == 0.

    users: positions, a user may come several times; seen: users x items array of 0 and 1.
    """
    n = seen.shape[1]
    items = rng.integers(n, size=len(users))
    again = seen[users, items] == 1
    while again.any():
        items[again] = rng.integers(n, size=again.sum())
        again = seen[users, items] == 1
    return items


@negatives.wrong("You drew seen items as negatives: draw those again until none is left.")
def draws_anything(users, seen, rng):
    return rng.integers(seen.shape[1], size=len(users))


@negatives.wrong("You drew again once. The second draw can hit a seen item too: use a loop.")
def draws_again_once(users, seen, rng):
    items = rng.integers(seen.shape[1], size=len(users))
    again = seen[users, items] == 1
    items[again] = rng.integers(seen.shape[1], size=again.sum())
    return items


@negatives.wrong(
    "You chose among the seen items: a negative is an item that the user does *not* have."
)
def turns_it_round(users, seen, rng):
    if not seen[users].any(axis=1).all():  # the loop would never end for a user without any
        return np.zeros(len(users), dtype=int)
    return negatives.reference(users, 1 - seen, rng)


@negatives.wrong("You drew one item for all the unlucky entries: draw `size=again.sum()` of them.")
def draws_one_for_all_the_unlucky(users, seen, rng):
    items = rng.integers(seen.shape[1], size=len(users))
    while (again := seen[users, items] == 1).any():
        items[again] = rng.integers(seen.shape[1])
    return items


@negatives.wrong(expects="Draw with `rng` alone")
def brings_a_generator_of_its_own(users, seen, rng):
    return negatives.reference(users, seen, np.random.default_rng(0))


@negatives.wrong(expects="as likely")
def steps_aside(users, seen, rng):
    items = rng.integers(seen.shape[1], size=len(users))
    while (again := seen[users, items] == 1).any():
        items[again] = (items[again] + 1) % seen.shape[1]
    return items


@negatives.wrong(expects="as likely")
def takes_the_first_unseen(users, seen, rng):
    return np.argmin(seen[users], axis=1)


@negatives.wrong(expects="as likely")
def draws_by_popularity(users, seen, rng):
    weights = (1 + seen.sum(axis=0)) * (seen == 0)
    return np.array([rng.choice(seen.shape[1], p=weights[u] / weights[u].sum()) for u in users])


@negatives.wrong(expects="right are positions from 0")
def returns_floats(users, seen, rng):
    return negatives.reference(users, seen, rng).astype(float)


@negatives.wrong(expects="shape (7,)")
def one_for_each_user(users, seen, rng):
    return negatives.reference(np.unique(users), seen, rng)


@negatives.wrong(expects="shape (7,)")
def leaves_the_unlucky_out(users, seen, rng):
    items = rng.integers(seen.shape[1], size=len(users))
    return items[seen[users, items] == 0]


def _drawn(answer, users, seen, seed):
    got = expect_shape(answer(users, seen, np.random.default_rng(seed)), users.shape)
    expect(
        got.dtype.kind in "iu" and ((got >= 0) & (got < seen.shape[1])).all(),
        f"It returned {got.tolist()}; right are positions from 0 to {seen.shape[1] - 1}.",
    )
    for user, item in zip(users, got, strict=True):
        expect(not seen[user, item], f"User {user} has seen item {item}, which it returned.")
    return got


@negatives.wrong(expects="as likely")
def draws_one_for_each_user(users, seen, rng):
    picks = [rng.choice(np.flatnonzero(row == 0)) for row in seen]
    return np.array([picks[user] for user in users])


@negatives.wrong(expects="whatever came before")
def draws_each_item_once(users, seen, rng):
    left, items = seen.copy(), []
    for user in users:
        free = np.flatnonzero(left[user] == 0)
        items.append(rng.choice(free if len(free) else np.flatnonzero(seen[user] == 0)))
        left[user, items[-1]] = 1
    return np.array(items)


@negatives.wrong("You drew a position among the unseen: look up which item stands there.")
def draws_a_position_among_the_unseen(users, seen, rng):
    return np.array([rng.integers((seen[user] == 0).sum()) for user in users])


@negatives.wrong(expects="as likely")
def takes_the_last_unseen(users, seen, rng):
    return np.array([np.flatnonzero(seen[user] == 0)[-1] for user in users])


@negatives.wrong(expects="has seen item")
def draws_for_the_place_in_place_of_the_user(users, seen, rng):
    rows = np.arange(len(users)) % len(seen)
    return negatives.reference(rows, seen, rng)


@negatives.right
def one_by_one(users, seen, rng):
    return np.array([rng.choice(np.flatnonzero(seen[user] == 0)) for user in users])


@negatives.right
def by_random_numbers(users, seen, rng):
    drawn = rng.random((len(users), seen.shape[1]))
    return np.where(seen[users] == 1, -1.0, drawn).argmax(axis=1)


@negatives.check("a small case by hand")
def _(answer):
    users = np.array([0, 0, 0, 1, 1, 1, 1])
    seen = np.array([[1, 1, 1, 0, 1], [1, 1, 0, 1, 1]], dtype=float)  # as in the lesson
    got = _drawn(answer, users, seen, 0)
    expect_equal(got, [3, 3, 3, 2, 2, 2, 2], "User 0 lacks item 3 alone, user 1 item 2.")


@negatives.check("random cases")
def _(answer):
    rng = np.random.default_rng(8)
    for seed, (m, n) in enumerate([(6, 4), (3, 9), (5, 5)]):
        seen = (rng.random((m, n)) < 0.5).astype(int)
        seen[np.arange(m), rng.integers(n, size=m)] = 0
        _drawn(answer, rng.integers(m, size=40), seen, seed)


@negatives.check("a single entry, a single item, and users of int32")
def _(answer):
    for seed in range(6):
        _drawn(answer, np.array([0]), np.array([[1, 1, 0, 1]]), seed)
    _drawn(answer, np.array([0, 1, 0]), np.array([[0.0], [0.0]]), 0)
    seen = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
    _drawn(answer, np.array([1, 0, 1, 1], dtype=np.int32), seen, 1)


@negatives.check("every unseen item is as likely as another")
def _(answer):
    # The third user makes some of the unseen items more popular than others.
    seen = np.array([[0, 1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0]])
    got = _drawn(answer, np.repeat([0, 1], 3000), seen, 3)
    for user, items in [(0, [0, 3, 5]), (1, range(6))]:
        counts = np.bincount(as_array(got[user * 3000 : (user + 1) * 3000]), minlength=6)
        fair = 3000 / len(items)
        # Six standard deviations: a fair draw fails this about once in a hundred million times.
        expect(
            all(abs(counts[item] - fair) < 6 * np.sqrt(fair) for item in items),
            f"Of 3,000 draws for a user without {items if user == 0 else 'any item'}, the items "
            f"came {counts.tolist()} times: every unseen item should be as likely as another.",
        )


@negatives.check("the generator decides")
def _(answer):
    users, seen = np.repeat([0, 1], 50), np.array([[0, 1, 0, 0, 1, 0], [0] * 6])
    one, again, other = (_drawn(answer, users, seen, seed).tolist() for seed in (1, 1, 2))
    expect(
        one == again and one != other,
        "Draw with `rng` alone: the same generator has to give the same items, and another one "
        "others.",
    )


@negatives.check("each draw on its own")
def _(answer):
    # Two draws out of three are the same once in three times: 17 times of 50, give or take 3.
    users, seen = np.array([0, 0]), np.array([[0, 1, 0, 0]])
    same = sum(len(set(_drawn(answer, users, seen, seed).tolist())) == 1 for seed in range(50))
    expect(
        2 < same < 38,
        f"A user who lacks three items came twice: both draws were the same in {same} of 50 runs, "
        "and about 17 are fair. Draw for each entry, whatever came before it.",
    )


def _a_curve(rng):
    """A curve with equal values, small gains or a slow rise, and a patience."""
    size, patience = rng.integers(1, 16), int(rng.integers(1, 6))
    kind = rng.integers(4)
    if kind == 0:
        return rng.integers(6, size=size) / 10 - rng.choice([0, 1]), patience
    if kind == 1:
        return np.round(0.1 + np.cumsum(rng.choice([-0.0006, 0.0004, 0.0007], size)), 4), patience
    if kind == 2:  # a gain comes when the patience has almost ended
        low = rng.uniform(0, 0.2, size=(4, patience - 1))
        return np.column_stack([0.3 + np.arange(4) / 17, low]).ravel(), patience
    return rng.normal(size=size) + np.arange(size) / 5, patience


@define(
    "keras.stopped",
    notebook=7,
    inputs=_a_curve,
    hints=[
        "Go through the epochs and remember the place of the best value so far.",
        "How many epochs ago was the best one? `epoch - best`. At `patience` it is time to stop.",
        "`if curve[epoch] > curve[best]: best = epoch`, then `if epoch - best >= patience: break`.",
    ],
)
def stopped(curve, patience):
    """Return (best, last): the position of the best epoch so far, and of the last one trained.

    Training stops when patience epochs in a row brought no value larger than the best before.
    """
    best = 0
    for epoch in range(len(curve)):
        if curve[epoch] > curve[best]:
            best = epoch
        if epoch - best >= patience:
            break
    return best, epoch


@stopped.wrong("You looked at the whole curve: what comes after the stop is never trained.")
def looks_ahead(curve, patience):
    best = int(np.argmax(curve))
    return best, min(best + patience, len(curve) - 1)


@stopped.wrong("You compared with the epoch before: compare with the best so far.")
def compares_with_the_last(curve, patience):
    best, waited, epoch = 0, 0, 0
    for epoch in range(1, len(curve)):
        waited = 0 if curve[epoch] > curve[epoch - 1] else waited + 1
        best = epoch if curve[epoch] > curve[best] else best
        if waited >= patience:
            break
    return best, epoch


@stopped.wrong(
    "You stopped one epoch late: with patience 1 the first one without a gain is the last."
)
def stops_late(curve, patience):
    return stopped.reference(curve, patience + 1)


@stopped.wrong("An equal value is no gain: the best is the first of them, and the wait goes on.")
def takes_an_equal_for_a_gain(curve, patience):
    best = 0
    for epoch in range(len(curve)):
        if curve[epoch] >= curve[best]:
            best = epoch
        if epoch - best >= patience:
            break
    return best, epoch


@stopped.wrong("The larger value is the better one here: it is an nDCG, not a loss.")
def takes_it_for_a_loss(curve, patience):
    return stopped.reference([-value for value in curve], patience)


_NO_MARGIN = "A small gain is a gain too: compare with `>` alone, without a margin or rounding."


def _needs(gain):
    """The rule where a value has to be better by something: `gain(value, best)` says whether."""

    def rule(curve, patience):
        best = 0
        for epoch in range(len(curve)):
            if gain(curve[epoch], curve[best]):
                best = epoch
            if epoch - best >= patience:
                break
        return best, epoch

    return rule


@stopped.wrong(_NO_MARGIN)
def wants_a_thousandth(curve, patience):
    return _needs(lambda value, best: value > best + 0.001)(curve, patience)


@stopped.wrong(_NO_MARGIN)
def wants_a_hundredth_part(curve, patience):
    return _needs(lambda value, best: value > best * 1.01)(curve, patience)


@stopped.wrong(_NO_MARGIN)
def rounds_to_two_places(curve, patience):
    return _needs(lambda value, best: round(float(value), 2) > round(float(best), 2))(
        curve, patience
    )


@stopped.wrong("You compared means of windows: compare each value with the best of all so far.")
def compares_the_means_of_two_windows(curve, patience):
    epoch = 0
    for epoch in range(len(curve)):
        window = curve[max(0, epoch - patience + 1) : epoch + 1]
        before = curve[max(0, epoch - 2 * patience + 1) : epoch - patience + 1]
        if epoch >= patience and np.mean(window) <= np.mean(before):
            break
    return int(np.argmax(curve[: epoch + 1])), epoch


@stopped.wrong("A gain takes the count back to 0, not one step down.")
def takes_one_from_the_count(curve, patience):
    best, waited, epoch = 0, 0, 0
    for epoch in range(1, len(curve)):
        if curve[epoch] > curve[best]:
            best, waited = epoch, max(0, waited - 1)
        else:
            waited += 1
        if waited >= patience:
            break
    return best, epoch


@stopped.wrong("You counted all epochs without a gain: a gain takes the count back to 0.")
def never_counts_anew(curve, patience):
    best, waited, epoch = 0, 0, 0
    for epoch in range(1, len(curve)):
        if curve[epoch] > curve[best]:
            best = epoch
        else:
            waited += 1
        if waited >= patience:
            break
    return best, epoch


@stopped.wrong(
    "Your best value starts at 0: start with that of the first epoch, it may be negative."
)
def starts_at_0(curve, patience):
    best, top, waited, epoch = 0, 0.0, 0, 0
    for epoch in range(len(curve)):
        if curve[epoch] > top:
            best, top, waited = epoch, curve[epoch], 0
        else:
            waited += 1
        if waited >= patience:
            break
    return best, epoch


@stopped.wrong("You returned the best value: return its position.")
def returns_the_value(curve, patience):
    best, last = stopped.reference(curve, patience)
    return curve[best], last


@stopped.wrong(expects="no attribute 'index'")
def looks_for_the_place_in_a_list(curve, patience):
    best, last = stopped.reference(curve, patience)
    return curve.index(max(curve[: best + 1])), last


@stopped.wrong("You counted the epochs from 1: return positions, which begin at 0.")
def counts_from_one(curve, patience):
    best, last = stopped.reference(curve, patience)
    return best + 1, last + 1


@stopped.wrong("You returned (last, best): the best epoch comes first.")
def turns_the_pair_round(curve, patience):
    return stopped.reference(curve, patience)[::-1]


def _of(answer, curve, patience, wanted, why=""):
    """Ask for the stop of a curve, as the array that the lesson passes."""
    expect_equal(answer(np.array(curve), patience), wanted, why)


@stopped.wrong("You stopped one epoch early: `patience` epochs in a row have to bring no gain.")
def stops_early(curve, patience):
    return stopped.reference(curve, patience - 1) if patience > 1 else (0, 0)


@stopped.wrong("You returned the last epoch twice: the first number is that of the best one.")
def returns_the_last_twice(curve, patience):
    return (stopped.reference(curve, patience)[1],) * 2


@stopped.wrong("You stopped at the first epoch without a gain: wait for `patience` of them.")
def has_no_patience(curve, patience):
    return stopped.reference(curve, 1)


@stopped.wrong("You chose the patience yourself: it is an argument.")
def waits_for_two(curve, patience):
    return stopped.reference(curve, 2)


@stopped.wrong("`last` is a position: the last epoch trained has the number of epochs less 1.")
def counts_the_epochs(curve, patience):
    best, last = stopped.reference(curve, patience)
    return best, last + 1


@stopped.wrong("You returned values of the curve: return positions.")
def returns_two_values(curve, patience):
    best, last = stopped.reference(curve, patience)
    return curve[best], curve[last]


@stopped.wrong("A gain has to begin the count anew: yours goes on counting.")
def counts_every_epoch(curve, patience):
    best, epoch = 0, 0
    for epoch in range(min(len(curve), patience + 1)):
        if curve[epoch] > curve[best]:
            best = epoch
    return best, epoch


@stopped.wrong("You smoothed the curve first: compare the values as they are.")
def smooths_first(curve, patience):
    return stopped.reference(np.convolve(curve, [0.5, 0.5], mode="same")[: len(curve)], patience)


@stopped.right
def with_a_counter(curve, patience):
    best, waited = 0, 0
    for epoch in range(1, len(curve)):
        if curve[epoch] > curve[best]:
            best, waited = epoch, 0
        else:
            waited += 1
            if waited == patience:
                return best, epoch
    return best, len(curve) - 1


@stopped.right
def with_a_window(curve, patience):
    for epoch in range(patience, len(curve)):
        if max(curve[epoch - patience + 1 : epoch + 1]) <= curve[epoch - patience]:
            return epoch - patience, epoch
    return int(np.argmax(curve)), len(curve) - 1


@stopped.check("a small case by hand")
def _(answer):
    curve = [0.2, 0.3, 0.25, 0.29, 0.28, 0.285, 0.27, 0.26, 0.4]
    why = "Epochs 2 and 3 are no better than epoch 1, so 3 is the last; 8 is never seen."
    _of(answer, curve, 2, (1, 3), why)
    _of(answer, curve, 7, (8, 8), "Seven epochs of patience reach the last one.")


@stopped.check("equal values")
def _(answer):
    _of(answer, [0.1, 0.2, 0.2, 0.2, 0.1], 2, (1, 3), "An equal value is no gain.")


@stopped.check("small gains")
def _(answer):
    why = "Each value is larger than all before it, if only by 0.0005."
    _of(answer, [0.1, 0.1005, 0.101, 0.1015], 2, (3, 3), why)


@stopped.check("the best of all, and the count")
def _(answer):
    why = "Epochs 1 and 2 are no better than epoch 0."
    _of(answer, [0.5, 0.1, 0.2, 0.3, 0.1], 2, (0, 2), why)
    why = "Epoch 3 is a gain: the count begins anew, and epochs 4, 5, 6 are three without one."
    _of(answer, [0.5, 0.4, 0.4, 0.6, 0.5, 0.5, 0.5], 3, (3, 6), why)
    why = "Epoch 3 is no better than the best, epoch 0, though better than epochs 1 and 2."
    _of(answer, [0.5, 0.2, 0.1, 0.3, 0.4, 0.2, 0.7], 3, (0, 3), why)


@stopped.check("edge cases")
def _(answer):
    _of(answer, [0.1, 0.2, 0.3], 1, (2, 2), "It rises to the end.")
    _of(answer, [0.1, 0.3, 0.2, 0.4, 0.3, 0.5], 2, (5, 5), "A gain ends the wait.")
    _of(answer, [0.2, 0.3, 0.1, 0.4], 2, (3, 3), "Compare with the best so far.")
    _of(answer, [0.3, 0.2, 0.1], 1, (0, 1), "It falls from the start.")
    _of(answer, [0.3], 3, (0, 0), "A single epoch.")
    _of(answer, [0.1, 0.3, 0.2], 9, (1, 2), "More patience than epochs.")
    _of(answer, [-0.3, -0.2, -0.1, -0.15, -0.2], 2, (2, 4), "All values are negative.")


@stopped.check("random curves")
def _(answer):
    rng = np.random.default_rng(6)
    for _ in range(60):
        # Few different values, so that many are equal; some curves are all negative.
        curve = rng.integers(6, size=rng.integers(1, 12)) / 10 - rng.choice([0, 1])
        patience = int(rng.integers(1, 5))
        _of(answer, curve, patience, _by_running_best(curve, patience))
    for _ in range(16):  # a gain comes when the patience has almost ended
        patience = int(rng.integers(3, 6))
        low = rng.uniform(0, 0.2, size=(6, patience - 1))
        curve = np.column_stack([0.3 + np.arange(6) / 17, low]).ravel()
        _of(answer, curve, patience, _by_running_best(curve, patience))
    for _ in range(30):  # slow curves, whose gains are small
        steps = rng.choice([-0.0006, 0.0004, 0.0007], size=rng.integers(6, 16))
        curve = np.round(0.1 + np.cumsum(steps), 4)
        patience = int(rng.integers(2, 5))
        _of(answer, curve, patience, _by_running_best(curve, patience))


def _by_running_best(curve, patience):
    """The stop by another road: where the running best is as old as the patience."""
    best = [int(np.argmax(curve[: epoch + 1])) for epoch in range(len(curve))]
    waits = np.arange(len(curve)) - best
    last = int(np.argmax(waits >= patience)) if (waits >= patience).any() else len(curve) - 1
    return best[last], last


define_quiz(
    "keras.recap",
    notebook=7,
    questions=[
        Choice(
            "keras.q_shapes",
            "A table of layers says: users (None, 1, 16), items (None, 1, 16), score (None, 16, "
            "16), then Flatten, then Dense with 257 weights. What went wrong?",
            right="the product ran over the axis of length 1",
            because="So nothing was summed: 16 x 16 products came out, where one number is meant.",
            wrong={
                "nothing: 257 is 16 x 16 and a bias": "It is, but for an outer product. A dot "
                "product gives one number for a pair and needs no weights after it.",
                "the embeddings should have 257 numbers": "The 257 come from the layers behind "
                "them; a row may have any length.",
            },
        ),
        Choice(
            "keras.q_memory",
            "A colleague reports: 99 % of the labels right after eight epochs, on the pairs that "
            "the model was trained on. What do you know about its lists?",
            right="nothing yet",
            because="With labels that were tossed, this model reaches the same. Ask new pairs.",
            wrong={
                "they are good": "So it looks, but coin tosses were learned just as well: the "
                "model has more weights than there are labels.",
                "they are bad: it has learned by heart": "It may know taste as well: with true "
                "labels the training curve ends as high, and new pairs are above one half.",
            },
            answer="'nothing yet' if noisy[1.0]['train'][-1] > 0.95 else 'they are good'",
        ),
        Number(
            "keras.q_odds",
            "A model was trained with one drawn zero for each event. In truth 1 cell of 25 is an "
            "event. Which number do you add to each logit?",
            right=-3.18,
            because="The odds were 1 to 1 and are 1 to 24 in truth: log(1/24) - log(1).",
            wrong={
                3.18: "The sign is turned round: in truth events are rarer than in training.",
                -3.22: "You took the share, log(1/25). The odds are events to the others, 1 to 24.",
                "else": "Take the logarithm of the odds in truth, less that of the odds in "
                "training. Odds are events to the others.",
            },
            tolerance=0.015,
            answer="np.log(1 / 24)",
        ),
        Choice(
            "keras.q_leak",
            "Some drawn zeros are events that were held out. A colleague never draws those, and "
            "the validation nDCG rises. Is the model better?",
            right="no: what is never drawn tells it what was held out",
            because="A film that is never a zero for a person is one to come: that is a leak.",
            wrong={
                "yes: fewer labels are wrong": "They are, but only because somebody looked at the "
                "held-out part. On tomorrow's events nobody can.",
                "no: the rise is chance, since negatives are drawn": "They are drawn among those "
                "that are allowed. What is left out is not chance: it is the answer.",
            },
        ),
        Choice(
            "keras.q_tools",
            "On the test ALS beats Keras with drawn zeros. Somebody writes: *factorisation beats "
            "networks*. Which run contradicts it?",
            right="Keras with ALS's loss over all cells",
            because="Asked the same, it makes lists as good: the loss made the difference.",
            wrong={
                "Keras with drawn zeros, against popularity": "It wins that one, but ALS does not "
                "take part, so it says nothing of the claim.",
                "none: the test has decided": "It decided between two questions that were asked "
                "with two tools. Change one thing at a time.",
            },
            answer='"Keras with ALS\'s loss over all cells" if abs(np.mean(tested["Keras, all cells'
            '"]) - np.mean(tested["ALS, all cells"])) < 0.02 else "none"',
        ),
    ],
)
