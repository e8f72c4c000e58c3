import copy
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.special import expit
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

from recsys_lab.models.network import ReLUNetwork, gradient_check, sigmoid

DEPTHS = [[3, 1], [3, 5, 2], [4, 6, 5, 1], [2, 7, 7, 7, 3]]


def random_case(sizes, loss, seed=0, n=9):
    """A network with biases that are not 0, and samples for it."""
    rng = np.random.default_rng(seed)
    network = ReLUNetwork(sizes, rng)
    network.b = [rng.normal(size=b.shape) for b in network.b]
    X, Y = rng.normal(size=(n, sizes[0])), rng.normal(size=(n, sizes[-1]))
    return network, X, Y if loss == "squared" else (Y > 0).astype(float)


@pytest.fixture(scope="module")
def tensorflow():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return pytest.importorskip("tensorflow", reason="TensorFlow has no build for this Python")


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("sizes", DEPTHS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_the_gradients_are_tensorflows(tensorflow, sizes, loss, seed):
    tf = tensorflow
    network, X, Y = random_case(sizes, loss, seed)
    W, b = ([tf.Variable(value) for value in values] for values in (network.W, network.b))
    with tf.GradientTape() as tape:
        H = tf.constant(X)
        for layer in range(len(W) - 1):
            H = tf.nn.relu(H @ W[layer] + b[layer])
        Z = H @ W[-1] + b[-1]
        if loss == "squared":
            cells = tf.square(Z - Y) / 2
        else:
            cells = tf.nn.sigmoid_cross_entropy_with_logits(labels=Y, logits=Z)
        value = tf.reduce_mean(tf.reduce_sum(cells, axis=1))
    theirs = tape.gradient(value, [*W, *b])
    ours, dW, db = network.backward(X, Y, loss=loss)
    assert ours == pytest.approx(float(value), rel=1e-12)
    for one, other in zip([*dW, *db], theirs, strict=True):
        # The course promises 1e-5; both compute in float64, so far less is left.
        np.testing.assert_allclose(one, other.numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize("sizes", DEPTHS, ids=str)
def test_the_gradients_are_scipys_finite_differences(sizes, loss):
    network, X, Y = random_case(sizes, loss)
    shapes = [value.shape for value in [*network.W, *network.b]]
    cuts = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])[:-1]

    def at(flat):
        moved = copy.deepcopy(network)
        parts = [p.reshape(s) for p, s in zip(np.split(flat, cuts), shapes, strict=True)]
        moved.W, moved.b = parts[: len(network.W)], parts[len(network.W) :]
        value, dW, db = moved.backward(X, Y, loss=loss)
        return value, np.concatenate([part.ravel() for part in [*dW, *db]])

    flat = np.concatenate([value.ravel() for value in [*network.W, *network.b]])
    # The norm over up to 157 one-sided differences, each off by about 1e-7: half the step of 1.5e-8
    # times a curvature of about 10.
    assert check_grad(lambda x: at(x)[0], lambda x: at(x)[1], flat) < 4e-6
    assert gradient_check(network, X, Y, loss=loss) < 1e-9


def test_the_gradient_check_sees_a_wrong_gradient_and_moves_nothing(monkeypatch):
    network, X, Y = random_case([3, 4, 1], "squared")
    before = copy.deepcopy(network.W)
    right = ReLUNetwork._backward

    def forgets_relu(self, X, Y, loss):
        value, dW, db = right(self, X, Y, loss)
        *_, Z = self._layers(X)
        dW[0] = X.T @ (((Z - Y) / len(X)) @ self.W[1].T)
        return value, dW, db

    monkeypatch.setattr(ReLUNetwork, "_backward", forgets_relu)
    assert gradient_check(network, X, Y) > 0.01
    assert all((W == old).all() for W, old in zip(network.W, before, strict=True))


def test_the_gradient_check_keeps_a_nan_and_refuses_a_step_that_moves_nothing():
    network, X, Y = random_case([3, 4, 1], "squared")
    for step in (0, -1e-5, np.nan, "x"):
        with pytest.raises(ValueError, match=r"step=.*: choose a number above 0"):
            gradient_check(network, X, Y, step=step)
    network.W[0][0, 0] = np.nan
    assert np.isnan(gradient_check(network, X, Y))


@pytest.mark.parametrize("hidden", [(5,), (8, 4), (3, 3, 3)])
def test_the_forward_pass_is_scikit_learns(hidden):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 6))
    theirs = MLPRegressor(hidden_layer_sizes=hidden, max_iter=2, solver="sgd", random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        theirs.fit(X, rng.normal(size=(40, 2)))
    ours = ReLUNetwork([6, *hidden, 2], rng)
    ours.W, ours.b = theirs.coefs_, theirs.intercepts_
    np.testing.assert_allclose(ours.forward(X), theirs.predict(X), rtol=0, atol=1e-12)


def test_the_probabilities_are_scikit_learns():
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(40, 4)), rng.integers(0, 2, 40)
    theirs = MLPClassifier((6,), max_iter=3, solver="sgd", random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        theirs.fit(X, y)
    ours = ReLUNetwork([4, 6, 1], rng)
    ours.W, ours.b = theirs.coefs_, theirs.intercepts_
    p = sigmoid(ours.forward(X)).ravel()
    np.testing.assert_allclose(p, theirs.predict_proba(X)[:, 1], rtol=0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(d=st.integers(1, 6), hidden=st.integers(1, 6), out=st.integers(1, 4), seed=st.integers(0))
def test_two_layers_without_relu_are_one(d, hidden, out, seed):
    rng = np.random.default_rng(seed)
    deep = ReLUNetwork([d, hidden, out], rng)
    # Biases so large that every unit is on: relu then does nothing to these samples.
    X = rng.uniform(-1, 1, (8, d))
    deep.b = [1 + np.abs(deep.W[0]).sum(axis=0), rng.normal(size=out)]
    flat = ReLUNetwork([d, out], rng)
    flat.W, flat.b = [deep.W[0] @ deep.W[1]], [deep.b[0] @ deep.W[1] + deep.b[1]]
    size = np.abs(deep.W[1]).sum() * np.abs(deep.b[0]).max() + 1
    np.testing.assert_allclose(deep.forward(X), flat.forward(X), rtol=0, atol=1e-14 * size)


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 7), min_size=3, max_size=5), seed=st.integers(0))
def test_the_order_of_hidden_units_does_not_matter(sizes, seed):
    network, X, _ = random_case(sizes, "squared", seed)
    rng = np.random.default_rng(seed)
    shuffled = copy.deepcopy(network)
    layer = int(rng.integers(1, len(sizes) - 1))
    order = rng.permutation(sizes[layer])
    shuffled.W[layer - 1] = network.W[layer - 1][:, order]
    shuffled.b[layer - 1] = network.b[layer - 1][order]
    shuffled.W[layer] = network.W[layer][order]
    Z = network.forward(X)
    atol = 1e-12 * (1 + np.abs(Z).max())
    np.testing.assert_allclose(shuffled.forward(X), Z, rtol=0, atol=atol)


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(1, 7), min_size=2, max_size=5), seed=st.integers(0))
def test_without_biases_twice_the_input_is_twice_the_output(sizes, seed):
    rng = np.random.default_rng(seed)
    network = ReLUNetwork(sizes, rng)
    X = rng.normal(size=(5, sizes[0]))
    np.testing.assert_array_equal(network.forward(2 * X), 2 * network.forward(X))


def test_the_start_is_he_and_keeps_the_size_of_a_signal_through_thirty_layers():
    rng = np.random.default_rng(0)
    network = ReLUNetwork([300] * 31, rng)
    assert all((b == 0).all() for b in network.b)
    for W in network.W:
        # A variance estimated from 90,000 draws is off by 0.5 %; four times that is allowed.
        assert W.var() == pytest.approx(2 / 300, rel=0.02)
    X = rng.normal(size=(50, 300))
    size = np.sqrt((network.forward(X) ** 2).mean() / (X**2).mean())
    assert 0.5 < size < 3  # with variance 1 / 300 it would be 2^-15


def test_one_full_step_of_gradient_descent_by_hand():
    network = ReLUNetwork([1, 1], np.random.default_rng(0))
    network.W = [np.array([[2.0]])]
    # Outputs 2 and 4, targets 1 and 1: errors 1 and 3, so dW = (1 1 + 3 2) / 2 and db = 4 / 2.
    history = network.fit([[1.0], [2.0]], [[1.0], [1.0]], epochs=1, batch=9, method="sgd", rate=0.1)
    assert network.W[0].item() == pytest.approx(2 - 0.1 * 3.5)
    assert network.b[0].item() == pytest.approx(-0.1 * 2)
    assert history["train"][0] == pytest.approx((1 + 9) / 4)


def test_the_first_step_of_adam_has_the_size_of_the_rate():
    network, X, Y = random_case([3, 4, 1], "squared")
    before = copy.deepcopy([*network.W, *network.b])
    _, dW, db = network.backward(X, Y)
    network.fit(X, Y, epochs=1, batch=len(X), rate=0.01)
    for value, old, gradient in zip([*network.W, *network.b], before, [*dW, *db], strict=True):
        np.testing.assert_allclose(value - old, -0.01 * np.sign(gradient), rtol=0, atol=1e-6)


def test_adam_is_kerass(tensorflow):
    keras = pytest.importorskip("keras")
    network, X, Y = random_case([3, 4, 1], "squared")
    theirs = [keras.Variable(value, dtype="float64") for value in [*network.W, *network.b]]
    adam = keras.optimizers.Adam(0.02, epsilon=1e-8)
    for _ in range(5):
        _, dW, db = network.backward(X, Y)
        gradients = [keras.ops.convert_to_tensor(value) for value in [*dW, *db]]
        adam.apply(gradients, theirs)
        network.W = [value.numpy() for value in theirs[: len(network.W)]]
        network.b = [value.numpy() for value in theirs[len(network.W) :]]
    other, X, Y = random_case([3, 4, 1], "squared")
    other.fit(X, Y, epochs=5, batch=len(X), rate=0.02)
    for one, two in zip([*other.W, *other.b], [*network.W, *network.b], strict=True):
        # Keras computes 1 - 0.999^t in float32, which leaves 4 digits of five steps of 0.02.
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-5)


def test_a_linear_network_finds_the_least_squares_fit():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(50, 3))
    Y = X @ [[1.0], [-2.0], [0.5]] + 3 + rng.normal(size=(50, 1))
    network = ReLUNetwork([3, 1], rng)
    network.fit(X, Y, epochs=400, batch=50, method="sgd", rate=0.5)
    best = LinearRegression().fit(X, Y)
    np.testing.assert_allclose(network.W[0].T, best.coef_, atol=1e-10)
    np.testing.assert_allclose(network.b[0], best.intercept_, atol=1e-10)


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_either_taste_but_not_both_is_learnt_with_hidden_units_and_never_without(loss):
    X = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    Y = np.array([[0.0], [1], [1], [0]])
    network = ReLUNetwork([2, 8, 1], np.random.default_rng(0))
    network.fit(X, Y, loss=loss, epochs=400, batch=4, rate=0.05)
    assert ((network.forward(X) > (loss == "squared") / 2) == Y).all()
    linear = ReLUNetwork([2, 1], np.random.default_rng(0))
    linear.fit(X, Y, loss=loss, epochs=400, batch=4, rate=0.05)
    assert ((linear.forward(X) > (loss == "squared") / 2) == Y).mean() <= 0.75


def test_the_history_holds_the_losses_at_the_start_and_after_each_epoch():
    network, X, Y = random_case([3, 5, 1], "logistic")
    held_X, held_Y = X[:4], 1 - Y[:4]
    start = network.backward(X, Y, loss="logistic")[0]
    history = network.fit(X, Y, loss="logistic", epochs=6, batch=4, held_out=(held_X, held_Y))
    assert list(history) == ["train", "held out"]
    assert [len(losses) for losses in history.values()] == [7, 7]
    assert history["train"][0] == start
    assert history["train"][-1] == network.backward(X, Y, loss="logistic")[0]
    assert history["held out"][-1] == network.backward(held_X, held_Y, loss="logistic")[0]


@pytest.mark.parametrize("method", ["adam", "sgd"])
def test_the_held_out_samples_teach_nothing(method):
    networks = []
    for held_out in (None, "given"):
        network, X, Y = random_case([3, 5, 1], "squared")
        network.fit(
            X, Y, epochs=4, batch=2, method=method, held_out=held_out and (X[:2], Y[:2] + 9)
        )
        networks.append(network)
    assert (networks[0].forward(X) == networks[1].forward(X)).all()


def test_the_same_generator_gives_the_same_network():
    histories = []
    for seed in (5, 5, 6):
        network, X, Y = (
            ReLUNetwork([3, 4, 1], np.random.default_rng(seed)),
            *random_case([3, 4, 1], "squared")[1:],
        )
        histories.append(network.fit(X, Y, epochs=5, batch=2)["train"])
    assert (histories[0] == histories[1]).all()
    assert (histories[0] != histories[2]).any()


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 12), batch=st.integers(1, 14), seed=st.integers(0))
def test_every_sample_is_visited_once_an_epoch(n, batch, seed):
    network = ReLUNetwork([1, 1], np.random.default_rng(seed))
    seen = []
    network._backward = lambda X, Y, loss: (seen.extend(X[:, 0]), [np.zeros((1, 1))], [np.zeros(1)])
    X = np.arange(n)[:, None]
    network.fit(X, X, epochs=2, batch=batch)
    assert sorted(seen[:n]) == sorted(seen[n:]) == list(range(n))


def test_each_epoch_takes_the_samples_in_a_new_order():
    network = ReLUNetwork([1, 1], np.random.default_rng(0))
    seen = []
    network._backward = lambda X, Y, loss: (seen.extend(X[:, 0]), [np.zeros((1, 1))], [np.zeros(1)])
    X = np.arange(30)[:, None]
    network.fit(X, X, epochs=2, batch=7)
    assert seen[:30] != seen[30:] != list(range(30))


def test_huge_logits_do_not_overflow():
    network = ReLUNetwork([1, 1], np.random.default_rng(0))
    network.W = [np.array([[1e4]])]
    with np.errstate(over="raise", invalid="raise"):
        value, dW, _ = network.backward([[1.0], [-1.0]], [[0.0], [1.0]], loss="logistic")
    assert value == pytest.approx(1e4)
    assert dW[0].item() == pytest.approx(1)
    z = np.linspace(-40, 40, 81)
    np.testing.assert_allclose(sigmoid(z), expit(z), rtol=0, atol=1e-15)


def test_a_loss_that_overflows_is_told_and_leaves_the_weights():
    network, X, Y = random_case([3, 4, 1], "squared")
    before = copy.deepcopy([*network.W, *network.b])
    with pytest.raises(ValueError, match=r"rate=1000\.0 is too large.*epoch \d+"):
        network.fit(X, Y, epochs=200, method="sgd", rate=1e3)
    after = [*network.W, *network.b]
    assert all((one == other).all() for one, other in zip(before, after, strict=True))


def test_an_interrupted_training_leaves_the_weights(monkeypatch):
    network = ReLUNetwork([2, 3, 1], 0)
    before = copy.deepcopy((network.W, network.b))
    backward, steps = network._backward, iter([False, False, True])

    def interrupted(*arguments):
        if next(steps):
            raise KeyboardInterrupt
        return backward(*arguments)

    monkeypatch.setattr(network, "_backward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        network.fit(np.eye(2), np.ones((2, 1)), epochs=5)
    np.testing.assert_equal((network.W, network.b), before)


def test_the_samples_are_left_as_they_were():
    network, X, Y = random_case([3, 4, 1], "squared")
    copies = X.copy(), Y.copy()
    network.fit(X, Y, epochs=3)
    assert (X == copies[0]).all() and (Y == copies[1]).all()


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([3], r"sizes=\[3\] makes no layer"),
        ([], r"sizes=\[\] makes no layer"),
        (3, "sizes=3 is no list"),
        ([3, 0, 1], "sizes=0 is too small"),
        ([3, 2.5], r"sizes=2\.5 is not a whole number"),
        ([3, True], "sizes=True is not a whole number"),
    ],
)
def test_sizes_that_make_no_network_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        ReLUNetwork(sizes, np.random.default_rng(0))


def test_a_start_that_would_never_repeat_is_refused():
    with pytest.raises(ValueError, match="rng=None would never repeat"):
        ReLUNetwork([2, 1], None)
    one, other = ReLUNetwork([2, 1], 7), ReLUNetwork([2, 1], np.random.default_rng(7))
    assert (one.W[0] == other.W[0]).all()


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones(3), "X has 1 dimensions"),
        (np.ones((4, 2)), "X has 2 columns: give 3, and one sample a row"),
        (np.ones((3, 4)), r"Is it transposed\? X\.T would fit"),
        (np.ones((0, 3)), "X has no rows"),
        ([[1, 2, np.nan]], "X holds nan in row 0, column 2"),
        ([["a", "b", "c"]], "X holds .* entries: give numbers"),
    ],
)
def test_samples_of_another_shape_are_refused(X, message):
    network = ReLUNetwork([3, 2, 1], np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        network.forward(X)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        # numpy would make 4 x 4 errors of 4 outputs and 4 targets without complaint.
        ({"Y": np.ones(4)}, r"Y has shape \(4,\): make it a column with Y\[:, None\]"),
        ({"Y": np.ones((3, 1))}, "Y has 3 rows for 4 of X"),
        ({"Y": np.full((4, 1), 3.5), "loss": "logistic"}, r"Y holds 3\.5: the logistic loss"),
        ({"loss": "hinge"}, "loss='hinge': choose one of squared, logistic"),
        ({"method": "lbfgs"}, "method='lbfgs': choose one of adam, sgd"),
        ({"epochs": 0}, "epochs=0 is too small"),
        ({"batch": 1.5}, r"batch=1\.5 is not a whole number"),
        ({"rate": 0}, "rate=0: choose a number above 0"),
        ({"rate": "fast"}, "rate='fast': choose a number above 0"),
        ({"rate": np.nan}, "rate=nan: choose a number above 0"),
        ({"held_out": 3}, "held_out is no pair"),
        ({"held_out": (np.ones((2, 3)), np.ones((2, 2)))}, "Y has 2 columns: give 1"),
    ],
)
def test_training_on_what_makes_no_sense_is_refused(arguments, message):
    network = ReLUNetwork([3, 2, 1], np.random.default_rng(0))
    before = copy.deepcopy(network.W)
    with pytest.raises(ValueError, match=message):
        network.fit(**{"X": np.ones((4, 3)), "Y": np.ones((4, 1)), **arguments})
    assert all((W == old).all() for W, old in zip(network.W, before, strict=True))
