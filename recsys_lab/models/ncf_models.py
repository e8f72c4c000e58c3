"""Neural collaborative filtering in Keras: a network in the place of the dot product.

GMF weighs the products of two vectors' entries, MLP asks a network of both vectors laid end to end,
NeuMF does both at once (He, Liao, Zhang, Nie, Hu and Chua 2017). Keras is loaded by the first use.
"""

import numpy as np

from ..data.interactions import as_choice, as_count, as_csr, as_number, as_rng
from . import keras_models

KINDS = ("gmf", "mlp", "neumf")
# What He et al. draw the start of a table from: a normal of this standard deviation.
START = 0.01


def ncf_model(
    m: int,
    n: int,
    k: int,
    kind: str = "neumf",
    *,
    l2: float = 0.0,
    learning_rate=0.005,
    rng: np.random.Generator | int,
):
    """Build and compile one of the three models; the output is a logit.

    Parameters
    ----------
    m, n : int
        How many users and items there are.
    k : int
        How many numbers reach the last layer from each part ("predictive factors"). GMF has
        vectors of length k; the MLP vectors of length 2k, which its layers turn from 4k to 2k to k.
    kind : "gmf", "mlp" or "neumf"
    l2 : float
        Weight of the squared size of the tables beside the mean loss of a batch.
    learning_rate : float or a schedule of Keras
        Of Adam.
    rng : numpy.random.Generator or int
        Draws the start of all weights.

    Returns
    -------
    keras.Model
        Inputs: user and item positions, each (batch,). Output: logits (batch, 1). Its layers are
        "users", "items" and "product" (GMF), "mlp_users", "mlp_items", "joined", "hidden_1" and
        "hidden_2" (MLP), "both" (NeuMF) and "logit".

    Raises
    ------
    ValueError
        If the kind is unknown, a count is no whole number from 1 on, or a weight or rate makes no
        sense.

    References
    ----------
    X. He, L. Liao, H. Zhang, L. Nie, X. Hu and T.-S. Chua (2017). Neural collaborative filtering.
    WWW 26, 173-182, equations 9 to 12. doi:10.1145/3038912.3052569
    """
    m, n = as_count(m, "m"), as_count(n, "n")
    k, l2, rng = _checked(kind, k, l2, rng)
    if not callable(learning_rate):  # a schedule is called at each step
        as_number(learning_rate, "learning_rate", above=True, such="0.005")
    keras = keras_models.keras  # it takes seconds: no mistake has to wait for it

    def seed():
        return int(rng.integers(2**31))

    def rows(given, count, size, name):
        return keras.layers.Embedding(
            count,
            size,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=START, seed=seed()),
            embeddings_regularizer=keras.regularizers.L2(l2) if l2 else None,
            name=name,
        )(given)

    def dense(size, name, activation=None):
        start = keras.initializers.GlorotUniform(seed=seed())
        return keras.layers.Dense(size, activation, kernel_initializer=start, name=name)

    user, item = (keras.Input((), dtype="int32", name=name) for name in ("user", "item"))
    parts = []
    if kind != "mlp":
        both = [rows(user, m, k, "users"), rows(item, n, k, "items")]
        parts.append(keras.layers.Multiply(name="product")(both))
    if kind != "gmf":
        both = [rows(user, m, 2 * k, "mlp_users"), rows(item, n, 2 * k, "mlp_items")]
        hidden = keras.layers.Concatenate(name="joined")(both)
        hidden = dense(2 * k, "hidden_1", "relu")(hidden)
        parts.append(dense(k, "hidden_2", "relu")(hidden))
    last = keras.layers.Concatenate(name="both")(parts) if len(parts) > 1 else parts[0]
    model = keras.Model([user, item], dense(1, "logit")(last))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    keras_models._compile(model, loss, learning_rate)
    return model


def fit_ncf(
    train,
    kind: str = "neumf",
    *,
    k: int = 16,
    l2: float = 1e-6,
    learning_rate: float = 0.005,
    epochs: int = 10,
    ratio: int = 4,
    start: dict | None = None,
    rng: int = 0,
) -> dict:
    """Train one of the three models on events and drawn negatives, and return its weights.

    Parameters
    ----------
    train : m x n, Interactions, scipy.sparse or dense
    kind, k, l2
        As in `ncf_model`.
    learning_rate : float
        Of Adam; it falls evenly to 0.
    epochs, ratio : int
        ``ratio`` negatives are drawn anew for each event in each epoch: 4 in the paper.
    start : dict, optional
        Weights by layer, to begin with: see `joined`.
    rng : int

    Returns
    -------
    dict: name of a layer -> list of its weights, float32 arrays
    """
    R, epochs, ratio = as_csr(train, "train"), as_count(epochs, "epochs"), as_count(ratio, "ratio")
    as_number(learning_rate, "learning_rate", above=True, such="0.005")
    _checked(kind, k, l2, rng)
    keras = keras_models.keras
    pairs, steps = keras_models.dataset(R, ratio, rng)
    falling = keras.optimizers.schedules.PolynomialDecay(learning_rate, epochs * steps, 0.0)
    model = ncf_model(*R.shape, k, kind, l2=l2, learning_rate=falling, rng=rng)
    for name, weights in (start or {}).items():
        model.get_layer(name).set_weights(weights)
    # The pairs come shuffled.
    model.fit(pairs, epochs=epochs, steps_per_epoch=steps, verbose=0, shuffle=False)
    return weights_of(model)


def _checked(kind, k, l2, rng):
    """Check what `ncf_model` and `fit_ncf` are both asked, and return the last three."""
    as_choice(kind, "kind", KINDS)
    return as_count(k, "k"), as_number(l2, "l2", such="1e-6"), as_rng(rng)


def weights_of(model) -> dict:
    """Return the weights of each layer that has any: name -> list of arrays."""
    return {layer.name: layer.get_weights() for layer in model.layers if layer.get_weights()}


def joined(gmf: dict, mlp: dict, share: float = 0.5) -> dict:
    """Put a trained GMF and a trained MLP together: the start of NeuMF (section 3.4.1).

    The last layer gets ``share`` of GMF's and the rest of MLP's, so the first logits are the
    weighted mean of the two models' logits.
    """
    parts = {**gmf, **mlp}
    weight = np.concatenate([share * gmf["logit"][0], (1 - share) * mlp["logit"][0]])
    bias = share * gmf["logit"][1] + (1 - share) * mlp["logit"][1]
    return parts | {"logit": [weight, bias]}


def ncf_scores(weights: dict, users) -> np.ndarray:
    """Score all items for some users by a model's weights, without Keras: p x n logits.

    The first layer of the MLP is linear in both vectors, so its half for the items is computed
    once, and not once for each pair.

    Parameters
    ----------
    weights : dict, from `fit_ncf` or `weights_of`
    users : int array of p positions
    """
    users, last = np.asarray(users), weights["logit"][0][:, 0]
    gmf, mlp = "users" in weights, "mlp_users" in weights
    n = len(weights["items" if gmf else "mlp_items"][0])
    result = np.full((len(users), n), weights["logit"][1][0])
    if gmf:
        (U,), (V,) = weights["users"], weights["items"]
        result += (U[users] * last[: U.shape[1]]) @ V.T
    if mlp:
        (P,), (Q,) = weights["mlp_users"], weights["mlp_items"]
        (W1, b1), (W2, b2) = weights["hidden_1"], weights["hidden_2"]
        of_items = Q @ W1[P.shape[1] :]
        for row, of_user in enumerate(P[users] @ W1[: P.shape[1]] + b1):
            hidden = np.maximum(of_items + of_user, 0) @ W2 + b2
            result[row] += np.maximum(hidden, 0) @ last[-W2.shape[1] :]
    return result


def product_data(d: int, count: int, rng: np.random.Generator | int):
    """Draw pairs of vectors, and their dot products, whose standard deviation is 1.

    Returns
    -------
    pairs : count x 2d float32 array, both vectors end to end; products : count float32
    """
    rng, d = as_rng(rng), as_count(d, "d")
    # A product of two entries has the standard deviation of one entry, squared; d of them add up.
    pairs = rng.normal(0, d**-0.25, (as_count(count, "count"), 2 * d)).astype(np.float32)
    return pairs, (pairs[:, :d] * pairs[:, d:]).sum(axis=1)


def product_network(d: int, learning_rate=0.003, *, rng: np.random.Generator | int):
    """Build a network that is to learn the dot product of two vectors of length d.

    Both vectors go in end to end, and pass layers of 128, 64 and 32 units with ReLU, whatever d:
    for d = 32 that is twice what Rendle et al. (2020, section 4) take in this experiment, and for
    a shorter vector more. With layers of a few units the training itself often fails.

    Returns
    -------
    keras.Model, compiled for squared error; input (batch, 2d), output (batch, 1)

    References
    ----------
    S. Rendle, W. Krichene, L. Zhang and J. Anderson (2020). Neural collaborative filtering vs.
    matrix factorization revisited. RecSys 14, 240-248. doi:10.1145/3383313.3412488
    """
    rng, d, keras = as_rng(rng), as_count(d, "d"), keras_models.keras
    model = keras.Sequential([keras.Input((2 * d,))])
    for units in (128, 64, 32, 1):
        start = keras.initializers.HeNormal(seed=int(rng.integers(2**31)))
        kind = "relu" if units > 1 else None
        model.add(keras.layers.Dense(units, kind, kernel_initializer=start))
    keras_models._compile(model, keras.losses.MeanSquaredError(), learning_rate)
    return model


def learn_product(d: int, samples: int, *, steps: int = 3000, rng: int) -> float:
    """Let a network learn the dot product from samples, and measure it on new vectors.

    Parameters
    ----------
    d : int
        Length of the vectors.
    samples : int
        Pairs of vectors to learn from, with their exact products.
    steps : int
        Of Adam, 256 pairs each; the rate falls evenly from 0.003 to 0.
    rng : int

    Returns
    -------
    float
        The root of the mean squared error on 20,000 new pairs, at the best of 10 moments of the
        training: 1 is what "always 0" gets, 0 what the dot product itself gets.
    """
    rng, samples, steps = as_rng(rng), as_count(samples, "samples"), as_count(steps, "steps")
    keras = keras_models.keras
    X, y = product_data(d, samples, rng)
    new_X, new_y = product_data(d, 20_000, rng)
    falling = keras.optimizers.schedules.PolynomialDecay(0.003, steps, 0.0)
    model, errors = product_network(d, falling, rng=rng), []
    for _ in range(10):
        picked = rng.integers(samples, size=(steps // 10) * 256)
        model.fit(X[picked], y[picked], batch_size=256, epochs=1, verbose=0, shuffle=False)
        found = model.predict_on_batch(new_X)[:, 0]
        errors.append(float(np.sqrt(np.mean((found - new_y) ** 2))))
    return min(errors)
