"""The exercises of notebook 05, A ReLU network by hand: forward, backward, check the gradient."""

import numpy as np

from .engine import Mistake, as_array, define, expect_close, expect_shape
from .questions import Choice, Number, define_quiz


@define(
    "network.forward",
    notebook=5,
    hints=[
        "Two lines: the hidden layer, then the output. Samples stand in rows, so a layer is "
        "`X @ W + b`.",
        "relu keeps what is above 0 and turns the rest into 0: `np.maximum(..., 0)`. It stands "
        "around the whole of `X @ W1 + b1`.",
        "`H = np.maximum(X @ W1 + b1, 0)`, and the output is `H @ W2 + b2`, without relu.",
    ],
    equivalent={
        "line 3: np.maximum(X @ W1 + b1, 0) -> np.maximum(0, X @ W1 + b1)": "the larger of two "
        "numbers, in either order",
    },
)
def forward(X, W1, b1, W2, b2):
    """Return the outputs of a network with one hidden ReLU layer, one row for each row of X."""
    H = np.maximum(X @ W1 + b1, 0)
    return H @ W2 + b2


@forward.wrong("You left out relu: without it the two layers are one.")
def leaves_out_relu(X, W1, b1, W2, b2):
    return (X @ W1 + b1) @ W2 + b2


@forward.wrong("You applied relu to the output too: a negative output is then impossible.")
def rectifies_the_output(X, W1, b1, W2, b2):
    return np.maximum(np.maximum(X @ W1 + b1, 0) @ W2 + b2, 0)


@forward.wrong("You added b1 after relu: the bias belongs inside, where it moves the kink.")
def adds_the_bias_outside(X, W1, b1, W2, b2):
    return (np.maximum(X @ W1, 0) + b1) @ W2 + b2


@forward.wrong("You left out b1: every kink then sits at 0.")
def forgets_the_hidden_bias(X, W1, b1, W2, b2):
    return np.maximum(X @ W1, 0) @ W2 + b2


@forward.wrong("You left out b2, the output's bias.")
def forgets_the_output_bias(X, W1, b1, W2, b2):
    return np.maximum(X @ W1 + b1, 0) @ W2


@forward.wrong("You took the absolute value: relu turns what is below 0 into 0.")
def takes_the_absolute_value(X, W1, b1, W2, b2):
    return np.abs(X @ W1 + b1) @ W2 + b2


@forward.wrong("You returned the hidden layer: go on through W2 and b2.")
def stops_at_the_hidden_layer(X, W1, b1, W2, b2):
    return np.maximum(X @ W1 + b1, 0)


@forward.wrong(
    "`np.max(A, 0)` gives the largest number of each column: `np.maximum(A, 0)` compares number by "
    "number."
)
def takes_the_largest_of_each_column(X, W1, b1, W2, b2):
    return np.max(X @ W1 + b1, 0) @ W2 + b2


STAR = "`*` multiplies entry by entry: a layer is a matrix product, `X @ W1`, then `H @ W2`."
WEIGHTS_FIRST = (
    "You put the weights first: samples stand in rows, so the products are `X @ W1` and `H @ W2`."
)


@forward.wrong(STAR)
def multiplies_entry_by_entry(X, W1, b1, W2, b2):
    return np.maximum(X * W1 + b1, 0) @ W2 + b2


@forward.wrong(STAR)
def multiplies_the_second_layer_entry_by_entry(X, W1, b1, W2, b2):
    return np.maximum(X @ W1 + b1, 0) * W2 + b2


@forward.wrong(STAR)
def multiplies_both_layers_entry_by_entry(X, W1, b1, W2, b2):
    return np.maximum(X * W1 + b1, 0) * W2 + b2


@forward.wrong(WEIGHTS_FIRST)
def puts_the_weights_first(X, W1, b1, W2, b2):
    return np.maximum(W1 @ X + b1, 0) @ W2 + b2


@forward.wrong(WEIGHTS_FIRST)
def puts_both_weights_first(X, W1, b1, W2, b2):
    return W2 @ np.maximum(W1 @ X + b1, 0) + b2


@forward.wrong("You transposed the weights: they have a row for each input already, `X @ W1`.")
def transposes_the_weights(X, W1, b1, W2, b2):
    return np.maximum(X @ W1.T + b1, 0) @ W2.T + b2


@forward.wrong("You applied relu to X: it stands around the whole of `X @ W1 + b1`.")
def rectifies_the_input(X, W1, b1, W2, b2):
    return (np.maximum(X, 0) @ W1 + b1) @ W2 + b2


@forward.wrong("You left out both biases, b1 and b2.")
def forgets_both_biases(X, W1, b1, W2, b2):
    return np.maximum(X @ W1, 0) @ W2


@forward.wrong("You kept what is below 0: relu keeps what is above, `np.maximum`.")
def keeps_what_is_below(X, W1, b1, W2, b2):
    return np.minimum(X @ W1 + b1, 0) @ W2 + b2


@forward.wrong("You handed on the mask: relu keeps the *value* of what is above 0.")
def hands_on_the_mask(X, W1, b1, W2, b2):
    return (X @ W1 + b1 > 0) @ W2 + b2


@forward.wrong("You put the samples into columns: here each row of X is a sample, so `X @ W1`.")
def puts_samples_in_columns(X, W1, b1, W2, b2):
    return W2.T @ np.maximum(W1.T @ X + b1, 0) + b2


@forward.wrong(expects="they come as a matrix")
def returns_a_matrix(X, W1, b1, W2, b2):
    return np.asmatrix(forward.reference(X, W1, b1, W2, b2))


@forward.wrong(expects="the array holds <U")
def returns_texts(X, W1, b1, W2, b2):
    return forward.reference(X, W1, b1, W2, b2).astype(str)


# All square, so that a slip in an order or a transpose gives numbers that tell which slip it was.
SQUARE = (
    np.array([[2.0, -3.0], [5.0, 1.0]]),
    np.array([[1.0, 2.0], [3.0, -1.0]]),
    np.array([0.5, -1.0]),
    np.array([[2.0, -1.0], [-3.0, 4.0]]),
    np.array([0.25, -3.0]),
)
# 2 samples, 3 inputs, 5 hidden units, 1 output: no two sizes are the same.
SAMPLES = np.array([[1.0, -2.0, 3.0], [2.0, 1.0, -1.0]])
NET = (
    np.array([[1.0, 0.0, 2.0, -1.0, 1.0], [0.0, 1.0, -1.0, 2.0, -2.0], [1.0, -1.0, 0.0, 1.0, 1.0]]),
    np.array([0.5, -1.0, 2.0, 1.5, -3.0]),
    np.array([[1.0], [-3.0], [0.5], [2.0], [-1.0]]),
    np.array([-7.0]),
)


@forward.wrong("You let a part of what is below 0 through (a leaky relu): here it becomes 0.")
def leaks(X, W1, b1, W2, b2):
    Z = X @ W1 + b1
    return np.where(Z > 0, Z, 0.01 * Z) @ W2 + b2


@forward.wrong("That is the sigmoid: the activation here is relu, `np.maximum(..., 0)`.")
def takes_the_sigmoid(X, W1, b1, W2, b2):
    return 1 / (1 + np.exp(-(X @ W1 + b1))) @ W2 + b2


@forward.wrong("That is tanh: the activation here is relu, `np.maximum(..., 0)`.")
def takes_tanh(X, W1, b1, W2, b2):
    return np.tanh(X @ W1 + b1) @ W2 + b2


@forward.wrong("You cut off what is large as well: relu has no upper end.")
def cuts_off_above_six(X, W1, b1, W2, b2):
    return np.clip(X @ W1 + b1, 0, 6) @ W2 + b2


@forward.wrong("You cut off what is large as well: relu has no upper end.")
def cuts_off_above_one(X, W1, b1, W2, b2):
    return np.clip(X @ W1 + b1, 0, 1) @ W2 + b2


@forward.wrong("You subtracted the biases: add them.")
def subtracts_the_biases(X, W1, b1, W2, b2):
    return np.maximum(X @ W1 - b1, 0) @ W2 - b2


@forward.wrong("You multiplied by b2: a bias is added.")
def multiplies_by_b2(X, W1, b1, W2, b2):
    return np.maximum(X @ W1 + b1, 0) @ W2 * b2


@forward.wrong("You averaged over the samples: each row of X has an output of its own.")
def averages_over_the_samples(X, W1, b1, W2, b2):
    return forward.reference(X, W1, b1, W2, b2).mean(axis=0)


@forward.wrong("You returned the hidden layer as well: return the output alone.")
def returns_both_layers(X, W1, b1, W2, b2):
    return np.maximum(X @ W1 + b1, 0), forward.reference(X, W1, b1, W2, b2)


@forward.wrong("You added b1 in both layers: the second has b2.")
def adds_b1_twice(X, W1, b1, W2, b2):
    return np.maximum(X @ W1 + b1, 0) @ W2 + b1


@forward.wrong("You exchanged the biases: b1 belongs to the hidden layer, b2 to the output.")
def exchanges_the_biases(X, W1, b1, W2, b2):
    return np.maximum(X @ W1 + b2, 0) @ W2 + b1


@forward.right
def unit_by_unit(X, W1, b1, W2, b2):
    rows = []
    for x in X:
        hidden = [max(0.0, float(x @ W1[:, unit] + b1[unit])) for unit in range(len(b1))]
        rows.append([float(np.dot(hidden, W2[:, out]) + b2[out]) for out in range(len(b2))])
    return np.array(rows)


@forward.right
def with_a_mask(X, W1, b1, W2, b2):
    Z = np.einsum("nd,dh->nh", X, W1) + b1
    Z[Z < 0] = 0
    return Z.dot(W2) + b2


@forward.check("an array comes back, a row for each sample and a column for each output")
def _(answer):
    expect_shape(answer(*SQUARE), (2, 2))
    expect_shape(answer(SAMPLES, *NET), (2, 1))


@forward.check("a small case by hand")
def _(answer):
    # Of unit 1: 1 + 3 + 0.5 = 4.5, then 2 - 1 + 0.5 = 1.5.
    why = (
        "The inputs of the five hidden units are 4.5, -6, 6, -0.5, 5 for the first sample and 1.5, "
        "1, 5, 0.5, -4 for the second."
    )
    as_array(answer(*SQUARE))
    expect_close(answer(SAMPLES, *NET), [[-4.5], [-5]], why)


@forward.check("random cases")
def _(answer):
    rng = np.random.default_rng(4)
    for n, d, hidden, out in [(1, 3, 2, 5), (5, 2, 4, 3), (4, 4, 4, 4), (3, 1, 1, 2), (6, 3, 5, 1)]:
        shapes = [(n, d), (d, hidden), hidden, (hidden, out), out]
        # Whole numbers in the last case: zeros, ties, and inputs of exactly 0.
        draw = rng.normal if out > 1 else lambda size: rng.integers(-2, 3, size)
        X, W1, b1, W2, b2 = (draw(size=shape) for shape in shapes)
        X = 4 * X  # so that some units are well above 6
        wanted = np.tile(b2.astype(float), (n, 1))
        for i in range(n):
            for unit in range(hidden):
                wanted[i] += max(0.0, X[i] @ W1[:, unit] + b1[unit]) * W2[unit]
        expect_close(answer(X, W1, b1, W2, b2), wanted)


@define(
    "network.backward_layer",
    notebook=5,
    hints=[
        "Go back through relu first. Where its input `X @ W + b` was above 0 the gradient passes, "
        "elsewhere it becomes 0.",
        "`dZ = dH * (X @ W + b > 0)`. What remains is a linear layer, and its three gradients have "
        "the shapes of X, of W and of b: only one product of matrices fits each.",
        "`dZ @ W.T` has the shape of X, `X.T @ dZ` that of W, and each bias serves all rows, so "
        "its gradient is the sum over them: `dZ.sum(axis=0)`.",
    ],
)
def backward_layer(X, W, b, dH):
    """Return the loss's gradients (dX, dW, db), given dH, its gradient at H = relu(X W + b)."""
    dZ = dH * (X @ W + b > 0)
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=0)


def _triple(got):
    """The three gradients, or a sentence."""
    if not isinstance(got, (tuple, list)) or len(got) != 3:
        raise Mistake("Return three arrays, `return dX, dW, db`.")
    return tuple(as_array(part) for part in got)


@backward_layer.wrong("You left out relu: where its input was below 0, no gradient passes.")
def forgets_relu(X, W, b, dH):
    return dH @ W.T, X.T @ dH, dH.sum(axis=0)


@backward_layer.wrong(
    "You looked at the sign of dH: relu lets the gradient pass where its *input*, X W + b, was "
    "above 0, whatever the gradient's sign."
)
def masks_by_the_gradient(X, W, b, dH):
    dZ = np.maximum(dH, 0)
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=0)


@backward_layer.wrong(
    "You looked at the sign of X: relu's input is X W + b, one column for each unit."
)
def masks_by_the_layers_input(X, W, b, dH):
    return dH @ W.T * (X > 0), X.T @ dH, dH.sum(axis=0)


@backward_layer.wrong("You left b out of relu's input: it decides with the rest who is on.")
def masks_without_the_bias(X, W, b, dH):
    dZ = dH * (X @ W > 0)
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=0)


@backward_layer.wrong("You let the gradient pass where the input was below 0: it is the others.")
def masks_the_wrong_side(X, W, b, dH):
    dZ = dH * (X @ W + b < 0)
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=0)


@backward_layer.wrong(
    "You let the gradient pass where the input is exactly 0: relu has no slope there, and this "
    "lesson takes 0, so ask for `> 0`."
)
def passes_at_the_kink(X, W, b, dH):
    dZ = dH * (X @ W + b >= 0)
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=0)


@backward_layer.wrong(
    "You multiplied by relu's output: multiply by its derivative, which is 1 where it is on."
)
def multiplies_by_the_output(X, W, b, dH):
    dZ = dH * np.maximum(X @ W + b, 0)
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=0)


@backward_layer.wrong(
    "You averaged over the rows: a bias reaches the loss through every row, so its gradient is the "
    "sum (the loss's own 1/n is in dH already)."
)
def averages_the_bias(X, W, b, dH):
    dX, dW, db = backward_layer.reference(X, W, b, dH)
    return dX, dW, db / len(X)


@backward_layer.wrong("You divided by the number of rows: the loss's own 1/n is in dH already.")
def divides_by_the_rows(X, W, b, dH):
    return tuple(part / len(X) for part in backward_layer.reference(X, W, b, dH))


@backward_layer.wrong("You divided dW by the number of rows: the loss's own 1/n is in dH already.")
def averages_the_weights(X, W, b, dH):
    dX, dW, db = backward_layer.reference(X, W, b, dH)
    return dX, dW / len(X), db / len(X)


@backward_layer.wrong("You used dH for dX: all three gradients go back through relu, so take dZ.")
def forgets_relu_in_dX(X, W, b, dH):
    _, dW, db = backward_layer.reference(X, W, b, dH)
    return dH @ W.T, dW, db


@backward_layer.wrong("You used dH for db: all three gradients go back through relu, so take dZ.")
def forgets_relu_in_db(X, W, b, dH):
    dX, dW, _ = backward_layer.reference(X, W, b, dH)
    return dX, dW, dH.sum(axis=0)


@backward_layer.wrong("You left X as it stands: dW adds over the samples, `X.T @ dZ`.")
def forgets_to_transpose_X(X, W, b, dH):
    dX, _, db = backward_layer.reference(X, W, b, dH)
    return dX, X @ (dH * (X @ W + b > 0)), db


@backward_layer.wrong("Your order is another: return dX, then dW, then db.")
def returns_another_order(X, W, b, dH):
    dX, dW, db = backward_layer.reference(X, W, b, dH)
    return dW, db, dX


@backward_layer.wrong("You left W as it stands: dX goes back through the layer, `dZ @ W.T`.")
def forgets_to_transpose_W(X, W, b, dH):
    _, dW, db = backward_layer.reference(X, W, b, dH)
    return (dH * (X @ W + b > 0)) @ W, dW, db


@backward_layer.wrong("You multiplied X' by dH for dW: it goes back through relu too, so take dZ.")
def forgets_relu_in_dW(X, W, b, dH):
    dX, _, db = backward_layer.reference(X, W, b, dH)
    return dX, X.T @ dH, db


@backward_layer.wrong("You added db over the columns: a bias serves all *rows* of its column.")
def adds_the_bias_over_columns(X, W, b, dH):
    dX, dW, _ = backward_layer.reference(X, W, b, dH)
    return dX, dW, (dH * (X @ W + b > 0)).sum(axis=1)


@backward_layer.wrong("You added all of dZ for db: there is one bias a column, so `sum(axis=0)`.")
def adds_the_bias_over_everything(X, W, b, dH):
    dX, dW, _ = backward_layer.reference(X, W, b, dH)
    return dX, dW, np.full(len(b), (dH * (X @ W + b > 0)).sum())


@backward_layer.wrong("You returned relu's mask times W for dX: it is dZ @ W.T, one row a sample.")
def forgets_the_gradient_in_dX(X, W, b, dH):
    on = 1.0 * (X @ W + b > 0)
    _, dW, db = backward_layer.reference(X, W, b, dH)
    return on @ W.T, dW, db


@backward_layer.wrong(expects="shape")
def keeps_db_of_each_row(X, W, b, dH):
    dX, dW, _ = backward_layer.reference(X, W, b, dH)
    return dX, dW, dH * (X @ W + b > 0)


@backward_layer.wrong(expects="three arrays")
def forgets_dX(X, W, b, dH):
    _, dW, db = backward_layer.reference(X, W, b, dH)
    return dW, db


@backward_layer.wrong(expects="they come as a matrix")
def returns_matrices(X, W, b, dH):
    dX, dW, db = backward_layer.reference(X, W, b, dH)
    return np.asmatrix(dX), np.asmatrix(dW), db


# All square, as for `forward`, with an input of exactly 0 (first sample, second unit)
# and one that is above 0 without its bias alone (first unit).
SQUARE_LAYER = (
    np.array([[2.0, -1.0], [3.0, 5.0]]),
    np.array([[1.0, 2.0], [-4.0, 1.0]]),
    np.array([-10.0, -3.0]),
    np.array([[7.0, -2.0], [-3.0, 11.0]]),
)
# 3 samples, 5 inputs, 2 units. Unit 1 is off for the third sample; unit 2 stands exactly at 0 for
# the second, and would be on there without its bias.
LAYER = (
    np.array([[1.0, 0, 2, -1, 1], [2, 1, -1, 0, 3], [0, -2, 1, 1, 1]]),
    np.array([[1.0, -1], [2, 0], [1, 3], [-1, 1], [0, 2]]),
    np.array([1.0, -1]),
)
GRADIENT = np.array([[2.0, -3], [-1, 5], [4, 1]])


@backward_layer.wrong(
    "You let half of the gradient pass where the input is exactly 0: this lesson takes 0 there, "
    "`> 0`."
)
def halves_at_the_kink(X, W, b, dH):
    dZ = dH * (np.sign(X @ W + b) + 1) / 2
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=0)


@backward_layer.wrong("dH is missing: dZ is `dH * (X @ W + b > 0)`, not the mask alone.")
def takes_the_mask_alone(X, W, b, dH):
    dZ = 1.0 * (X @ W + b > 0)
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=0)


@backward_layer.wrong("You squared X for dW: it is `X.T @ dZ`.")
def squares_X(X, W, b, dH):
    dX, _, db = backward_layer.reference(X, W, b, dH)
    return dX, (X**2).T @ (dH * (X @ W + b > 0)), db


@backward_layer.wrong("You took a step: return the gradients themselves.")
def takes_a_step(X, W, b, dH):
    dX, dW, db = backward_layer.reference(X, W, b, dH)
    return X - dX, W - dW, b - db


@backward_layer.wrong("Your order is another: return dX first, then dW, then db.")
def returns_dW_first(X, W, b, dH):
    dX, dW, db = backward_layer.reference(X, W, b, dH)
    return dW, dX, db


@backward_layer.wrong(
    "dX needs no mask of its own: X is the layer's input, and no relu made it here."
)
def masks_dX_by_X(X, W, b, dH):
    dX, dW, db = backward_layer.reference(X, W, b, dH)
    return dX * (X > 0), dW, db


@backward_layer.wrong("You multiplied db by b: it is the sum of dZ over the rows.")
def multiplies_by_b(X, W, b, dH):
    dX, dW, db = backward_layer.reference(X, W, b, dH)
    return dX, dW, b * db


@backward_layer.right
def sample_by_sample(X, W, b, dH):
    dX, dW, db = np.zeros(X.shape), np.zeros(W.shape), np.zeros(b.shape)
    for i, j in np.ndindex(dH.shape):
        if X[i] @ W[:, j] + b[j] > 0:
            dX[i] += dH[i, j] * W[:, j]
            dW[:, j] += dH[i, j] * X[i]
            db[j] += dH[i, j]
    return dX, dW, db


@backward_layer.right
def with_where(X, W, b, dH):
    dZ = np.where(np.maximum(X @ W + b, 0) > 0, dH, 0.0)
    return np.einsum("nh,dh->nd", dZ, W), np.dot(X.T, dZ), np.ones(len(X)) @ dZ


@backward_layer.check("three arrays come back")
def _(answer):
    _triple(answer(*SQUARE_LAYER))


@backward_layer.check("a small case by hand")
def _(answer):
    _triple(answer(*SQUARE_LAYER))
    dX, dW, db = _triple(answer(*LAYER, GRADIENT))
    why = (
        "Relu's inputs are 5, 5 in the first row, 4, 0 in the second and -3, 5 in the third, so dZ "
        "is 2, -3, then -1, 0, then 0, 1."
    )
    for name, got, wanted in [
        ("dX", dX, [[5, 4, -7, -5, -6], [-1, -2, -1, 1, 0], [-1, 0, 3, 1, 2]]),
        ("dW", dW, [[0, -3], [-1, -2], [5, -5], [-2, 4], [-1, -2]]),
        ("db", db, [1, -2]),
    ]:
        expect_shape(got, np.shape(wanted), name)
        expect_close(got, wanted, f"This is {name}. {why}")


@backward_layer.check("random cases, against finite differences")
def _(answer):
    rng = np.random.default_rng(6)
    for n, d, hidden in [(1, 2, 3), (4, 3, 2), (5, 5, 5), (3, 1, 4), (2, 4, 1)]:
        inputs = [rng.normal(size=(n, d)), rng.normal(size=(d, hidden)), rng.normal(size=hidden)]
        dH = rng.normal(size=(n, hidden))
        parts = _triple(answer(*inputs, dH))
        for place, (name, got) in enumerate(zip(("dX", "dW", "db"), parts, strict=True)):
            # The loss sum(dH * H) has the gradient dH at H. Away from kinks it is linear in each
            # single number, so a step of 1e-6 is off by rounding only.
            wanted = np.zeros_like(inputs[place])
            for at in np.ndindex(wanted.shape):
                ends = []
                for step in (1e-6, -1e-6):
                    moved = [each.copy() for each in inputs]
                    moved[place][at] += step
                    X, W, b = moved
                    ends.append((dH * np.maximum(X @ W + b, 0)).sum())
                wanted[at] = (ends[0] - ends[1]) / 2e-6
            expect_shape(got, wanted.shape, name)
            expect_close(got, wanted, f"This is {name}, measured by small steps.", tol=1e-7)


@define(
    "network.slopes",
    notebook=5,
    hints=[
        "Work on a copy of w. For each place: move that one number by step up, then by step down, "
        "and put it back.",
        "`for at in np.ndindex(w.shape):` gives every place of an array of any shape; "
        "`moved[at] = w[at] + step` moves one number.",
        "The slope at a place is `(f(up) - f(down)) / (2 * step)`, where up and down are copies "
        "of w with that one number moved.",
    ],
    equivalent={
        "line 6: np.zeros(w.shape) -> np.ones(w.shape)": "every place is overwritten",
    },
)
def slopes(f, w, step):
    """Return the array of slopes of f at w: move each number by step both ways, all else fixed.

    f takes an array like w and returns a number; w is an array of floats of any shape.
    """
    result = np.zeros(w.shape)
    for at in np.ndindex(w.shape):
        up, down = w.copy(), w.copy()
        up[at] += step
        down[at] -= step
        result[at] = (f(up) - f(down)) / (2 * step)
    return result


@slopes.wrong("You moved to one side only: its error is far larger. Move up and down.")
def moves_up_only(f, w, step):
    result = np.zeros(w.shape)
    for at in np.ndindex(w.shape):
        up = w.copy()
        up[at] += step
        result[at] = (f(up) - f(w)) / step
    return result


@slopes.wrong("You moved to one side only: its error is far larger. Move up as well.")
def moves_down_only(f, w, step):
    result = np.zeros(w.shape)
    for at in np.ndindex(w.shape):
        down = w.copy()
        down[at] -= step
        result[at] = (f(w) - f(down)) / step
    return result


@slopes.wrong(
    "Every slope came out 0: up and down held the same numbers when f was called. Are they two "
    "names of one array? `w.copy()` makes each its own."
)
def moves_one_array_both_ways(f, w, step):
    result = np.zeros(w.shape)
    for at in np.ndindex(w.shape):
        up = down = w.copy()
        up[at] += step
        down[at] -= step
        result[at] = (f(up) - f(down)) / (2 * step)
    return result


@slopes.wrong(
    "You returned from inside the loop, after the first number: put the return below it, level "
    "with `for`."
)
def returns_after_the_first(f, w, step):
    result = np.zeros(w.shape)
    result.flat[0] = slopes.reference(f, w, step).flat[0]
    return result


@slopes.wrong("You chose a step of your own: use the `step` that is given.")
def takes_a_step_of_its_own(f, w, step):
    return slopes.reference(f, w, 1e-5)


@slopes.wrong("You moved by half a step: move by the whole `step` each way, and divide by two.")
def moves_by_half_a_step(f, w, step):
    return slopes.reference(f, w, step / 2)


@slopes.wrong("You divided by step: from down to up it is two steps.")
def divides_by_one_step(f, w, step):
    return 2 * slopes.reference(f, w, step)


@slopes.wrong(
    "Without brackets `f(up) - f(down) / (2 * step)` divides f(down) alone: write "
    "`(f(up) - f(down)) / (2 * step)`."
)
def divides_the_second_only(f, w, step):
    result = np.zeros(w.shape)
    for at in np.ndindex(w.shape):
        up, down = w.copy(), w.copy()
        up[at] += step
        down[at] -= step
        result[at] = f(up) - f(down) / (2 * step)
    return result


@slopes.wrong(
    "Python reads `(up - down) / 2 * step` from the left, and multiplies by step: write "
    "`/ (2 * step)`."
)
def multiplies_by_the_step(f, w, step):
    return step * step * slopes.reference(f, w, step)


@slopes.wrong(
    "You moved a whole row of w at once: `w[i]` is one number only where w has one dimension. "
    "`np.ndindex(w.shape)` goes through the single numbers."
)
def moves_a_row_at_once(f, w, step):
    result = np.zeros(w.shape)
    for row in range(len(w)):
        up, down = w.copy(), w.copy()
        up[row] += step
        down[row] -= step
        result[row] = (f(up) - f(down)) / (2 * step)
    return result


@slopes.wrong("You did not divide: a slope is the difference over the distance, 2 step.")
def forgets_to_divide(f, w, step):
    return 2 * step * slopes.reference(f, w, step)


@slopes.wrong("You took down minus up: the sign is turned.")
def turns_the_sign(f, w, step):
    return -slopes.reference(f, w, step)


@slopes.wrong("You moved all numbers at once: move one, and leave the others where they are.")
def moves_all_at_once(f, w, step):
    return np.full(w.shape, (f(w + step) - f(w - step)) / (2 * step))


@slopes.wrong("You did not put a number back before you moved the next one.")
def leaves_them_moved(f, w, step):
    result, moved = np.zeros(w.shape), w.copy()
    for at in np.ndindex(w.shape):
        moved[at] += step
        above = f(moved)
        moved[at] -= 2 * step
        result[at] = (above - f(moved)) / (2 * step)
    return result


@slopes.wrong("You did not put a number back before you moved the next one.")
def leaves_both_moved(f, w, step):
    result, up, down = np.zeros(w.shape), w.copy(), w.copy()
    for at in np.ndindex(w.shape):
        up[at] += step
        down[at] -= step
        result[at] = (f(up) - f(down)) / (2 * step)
    return result


@slopes.wrong(expects="changed its input")
def moves_the_input_itself(f, w, step):
    result = np.zeros(w.shape)
    for at in np.ndindex(w.shape):
        w[at] += step
        above = f(w)
        w[at] -= 2 * step
        result[at] = (above - f(w)) / (2 * step)
    return result


@slopes.wrong(expects="they come as a list")
def returns_a_list(f, w, step):
    return slopes.reference(f, w, step).tolist()


@slopes.wrong("Each turn of the loop makes a new result: make the array once, before the loop.")
def begins_anew_each_time(f, w, step):
    result = np.zeros(w.shape)
    if w.size:
        result.flat[-1] = slopes.reference(f, w, step).flat[-1]
    return result


@slopes.wrong(
    "You set the number to step and -step: move it from where it stands, by step each way."
)
def sets_the_number(f, w, step):
    result = np.zeros(w.shape)
    for at in np.ndindex(w.shape):
        up, down = w.copy(), w.copy()
        up[at], down[at] = step, -step
        result[at] = (f(up) - f(down)) / (2 * step)
    return result


@slopes.wrong("You dropped the sign: a slope may point down.")
def drops_the_sign(f, w, step):
    return np.abs(slopes.reference(f, w, step))


@slopes.wrong("You moved by a share of the number: move each by `step` itself.")
def moves_by_a_share(f, w, step):
    result = np.zeros(w.shape)
    for at in np.ndindex(w.shape):
        up, down = w.copy(), w.copy()
        up[at], down[at] = w[at] * (1 + step), w[at] * (1 - step)
        result[at] = (f(up) - f(down)) / (2 * step)
    return result


@slopes.wrong("You moved all numbers at once, and got one slope: move one, then the next.")
def moves_all_and_returns_one(f, w, step):
    return (f(w + step) - f(w - step)) / (2 * step)


@slopes.wrong("You laid the slopes flat: give them the shape of w.")
def lays_them_flat(f, w, step):
    return slopes.reference(f, w, step).ravel()


@slopes.right
def one_step_after_the_other(f, w, step):
    flat, found = w.ravel().copy(), []
    for n, number in enumerate(w.ravel()):
        flat[n] = number + step
        above = f(flat.reshape(w.shape))
        flat[n] = number - step
        found.append((above - f(flat.reshape(w.shape))) / step / 2)
        flat[n] = number
    return np.array(found).reshape(w.shape)


@slopes.right
def with_a_direction(f, w, step):
    result = np.empty(w.shape)
    for at in np.ndindex(w.shape):
        direction = np.zeros(w.shape)
        direction[at] = step
        result[at] = (f(w + direction) - f(w - direction)) / (2 * step)
    return result


@slopes.check("an array comes back, of the shape of w")
def _(answer):
    expect_shape(answer(lambda w: w.sum(), np.ones((2, 3)), 0.1), (2, 3))


@slopes.check("a small case by hand")
def _(answer):
    # A cubic and a large step: a step to one side, of another size, or divided otherwise is seen.
    got = answer(lambda w: w[0] ** 3 + 3 * w[0] * w[1], np.array([2.0, 1.0]), 3.0)
    why = (
        "f is w0^3 + 3 w0 w1 at (2, 1), the step is 3. For w0: f(5, 1) = 140 and f(-1, 1) = -4, so "
        "144 over 6."
    )
    expect_close(got, [24, 6], why)


@slopes.check("random cases")
def _(answer):
    rng = np.random.default_rng(8)
    for shape in [(1,), (3, 2), (2, 3, 2), (1, 4), (3, 1)]:
        A, w = rng.normal(size=shape), rng.normal(size=shape)
        # Central differences are exact for a quadratic, whatever the step.
        for step in (0.5, 1e-3):
            got = answer(lambda w, A=A: (A * w).sum() + w.sum() ** 2, w, step)
            expect_close(got, A + 2 * w.sum(), tol=1e-9)


@slopes.check("edge cases")
def _(answer):
    got = answer(lambda w: np.maximum(w, 0).sum(), np.array([0.0, 5.0, -5.0]), 0.1)
    expect_close(got, [0.5, 1, 0], "Across relu's kink the slope is the mean of 0 and 1.")
    got = answer(lambda w: (w**3).sum(), np.array([0.0, 2.0]), 1.0)
    expect_close(got, [1, 13], "f is w0^3 + w1^3 at (0, 2), step 1: (1 - -1) / 2, (27 - 1) / 2.")


define_quiz(
    "network.recap",
    notebook=5,
    questions=[
        Choice(
            "network.q_linear",
            "A network has ten layers. There is a relu behind layer 4 and nowhere else. How many "
            "layers could say the same?",
            right="two, with a relu between",
            because="Layers 1 to 4 multiply out to one layer, and so do layers 5 to 10.",
            wrong={
                "one, without relu": "That would be so with no relu at all; this one stands "
                "between two groups of layers, and they cannot be multiplied out across it.",
                "five, with a relu behind the fourth": "The four layers before the relu have "
                "nothing between them, so they are one layer as well.",
                "ten: each layer adds something": "Layers add up only where an activation "
                "stands between them, and that is at one of the nine places here.",
            },
        ),
        Number(
            "network.q_shape",
            "The outputs Y have the shape (32, 1), the targets T have the shape (32,). "
            "`np.mean((Y - T) ** 2)` runs without an error. How many squares does it average?",
            right=1024,
            because="numpy makes 32 × 32 differences: each output less each target.",
            wrong={
                32: "That was meant: one square a sample. But a column less a flat list is a "
                "square matrix.",
                64: "The sizes are not added: each of 32 outputs meets each of 32 targets.",
                "else": "Count the entries of a column of 32 less a flat list of 32.",
            },
            tolerance=0.5,
            answer="(np.zeros((32, 1)) - np.zeros(32)).size",
        ),
        Choice(
            "network.q_fresh",
            "24 noisy points and 22 kinks: no error on the points, 0.52 on fresh ones. The noise "
            "is 0.4. Now there are 2400 points, and again 22 kinks. What happens to the error on "
            "fresh points?",
            right="it falls to about 0.4",
            because="24 free numbers cannot follow the noise of 2400 points; noise itself stays.",
            wrong={
                "it falls to about 0": "22 kinks come close to the curve now; but fresh points "
                "have noise of their own, which nobody can foresee.",
                "it stays at 0.52": "The number of kinks is the same, but what is too many "
                "depends on how many points hold them in place.",
                "it rises": "The error on the points that were fitted rises, from 0; on fresh "
                "points a fit that follows less noise is better.",
            },
            answer="(lambda r, basis: (lambda p, q: 'it falls to about 0.4' if abs(np.sqrt(np.mean("
            "(basis(q) @ np.linalg.lstsq(basis(p), np.sin(2 * p) + r.normal(0, 0.4, 2400), "
            "rcond=None)[0] - np.sin(2 * q) - r.normal(0, 0.4, 1000)) ** 2)) - 0.4) < 0.03 else '')"
            "(r.uniform(-2, 2, 2400), r.uniform(-2, 2, 1000)))(np.random.default_rng(3), lambda at:"
            " np.c_[np.ones(len(at)), at, np.maximum(at[:, None] - np.linspace(-2, 2, 24)[1:-1], "
            "0)])",
        ),
        Number(
            "network.q_slope",
            "One hidden unit, all biases 0: z = w x, h = relu(z), y = 3 h, with w = −1. Two "
            "samples, x = 1 and x = −1; both targets are 1. J is the mean of ½ (y − t)². What is "
            "J's slope in w?",
            right=-3.0,
            because="The first sample is off and gives nothing. The second: y = 3, so "
            "dy = (3 − 1) / 2 = 1, dz = 3, and dw = x dz = −3.",
            wrong={
                -4.5: "You let the first sample through: its z is −1, so relu's slope there is 0.",
                -6.0: "You forgot the mean: J is an average of two samples, so dy is half of "
                "y − t.",
                3.0: "The sign is lost at the last step: dw is x times dz, and x is −1.",
                -1.0: "You forgot the weight behind relu: dh is 3 times dy.",
                "else": "Go back step by step: dy = (y − t) / 2, dh = 3 dy, dz = dh where z > 0, "
                "dw = the sum of x dz.",
            },
            tolerance=0.01,
            answer="gradients(np.array([[1.0], [-1.0]]), np.ones((2, 1)), -np.ones((1, 1)), "
            "np.zeros(1), np.array([[3.0]]), np.zeros(1))['W1'][0, 0]",
        ),
        Choice(
            "network.q_check",
            "Someone measures the slopes of their two-layer network. dW2 and db2 agree with their "
            "backward pass; dW1 and db1 do not. Where do you look first?",
            right="at dH and dZ",
            because="They come after dW2 and before dW1; without relu's mask just these fail.",
            wrong={
                "at dY": "All slopes begin with dY: if it were wrong, dW2 and db2 would be wrong "
                "too.",
                "at the forward pass": "Both ways use the same forward pass, so this check cannot "
                "see a fault there; and dW2 agrees.",
                "at the step of the measurement": "A bad step spoils what is measured for each "
                "matrix, and two of the four agree.",
            },
            answer="(lambda dY: 'at dH and dZ' if np.allclose(ours['W2'], np.maximum(pairs @ "
            "weights['W1'] + weights['b1'], 0).T @ dY) and not np.allclose(ours['W1'], pairs.T @ "
            "(dY @ weights['W2'].T)) else '')((forward(pairs, **weights) - seen) / 15)",
        ),
        Choice(
            "network.q_start",
            "ReLU stands on u · v. Someone draws all entries of u and v evenly between 0 and 1, "
            "in place of a normal distribution around 0. What share of the pairs is dead at the "
            "start?",
            right="none",
            because="Sums of positive products are positive. (Steps may still push pairs below 0.)",
            wrong={
                "about half": "Half came from the signs: v and −v were equally likely. Now no "
                "entry is negative.",
                "about a quarter": "That would be so if two things had to be negative by chance; "
                "here none can be.",
                "all: relu stops at 0": "Relu gives 0 only for z of 0 or less, and each z is "
                "positive here.",
            },
            answer="(lambda r: 'none' if (r.random((90, 8)) @ r.random((8, 90)) > 0).all() else '')"
            "(np.random.default_rng(0))",
        ),
    ],
)
