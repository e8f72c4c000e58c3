"""A network of ReLU layers in numpy: forward, backward and training, with nothing hidden.

The backward pass is that of Rumelhart, Hinton and Williams (1986), the start that of He et al.
(2015). Samples stand in rows everywhere, so a layer is ``X @ W + b``.
"""

import copy
from itertools import pairwise

import numpy as np
import scipy.sparse as sp

from ..data.interactions import as_choice, as_count, as_finite, as_number, as_numbers, as_rng, shown

LOSSES = ("squared", "logistic")
METHODS = ("adam", "sgd")
# Weights of a network: 160 MB, and Adam keeps two numbers more for each.
LARGEST = 20_000_000
# Kingma and Ba (2015), algorithm 1: how long the two running means remember, and what keeps the
# division by a mean of 0 finite.
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class ReLUNetwork:
    """Layers ``H_l = relu(H_(l-1) W_l + b_l)`` with H_0 = X; the last one is linear.

    Parameters
    ----------
    sizes : sequence of int
        The number of columns before and after each layer: ``[7, 16, 1]`` takes 7 features to 16
        hidden units and to 1 output. Two sizes make a linear model.
    rng : numpy.random.Generator or int
        Draws the start, and later the order of the samples in `fit`.

    Attributes
    ----------
    W : list of arrays, ``sizes[l]`` x ``sizes[l + 1]``
        Weights. They start normal with mean 0 and variance ``2 / sizes[l]`` (He et al. 2015,
        equation 10): a ReLU silences half of what a layer passes on, and the 2 makes up for it, so
        that signals neither fade nor explode with depth.
    b : list of arrays of length ``sizes[l + 1]``
        Biases, 0 at the start.

    Raises
    ------
    ValueError
        If sizes are not two or more whole numbers from 1 on, or rng is None.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986). Learning representations by
    back-propagating errors. Nature 323, 533-536. doi:10.1038/323533a0

    K. He, X. Zhang, S. Ren and J. Sun (2015). Delving deep into rectifiers. ICCV, 1026-1034.
    doi:10.1109/ICCV.2015.123

    D. P. Kingma and J. Ba (2015). Adam: a method for stochastic optimization. ICLR.
    arXiv:1412.6980

    Examples
    --------
    Comedies, thrillers, not both: the sum of the two columns, less twice what exceeds 1.

    >>> network = ReLUNetwork([2, 2, 1], np.random.default_rng(0))
    >>> network.W = [np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([[1.0], [-2.0]])]
    >>> network.b = [np.array([0.0, -1.0]), np.array([0.0])]
    >>> network.forward([[0, 0], [1, 0], [0, 1], [1, 1]]).ravel()
    array([0., 1., 1., 0.])
    """

    def __init__(self, sizes, rng: np.random.Generator | int):
        if not isinstance(sizes, (list, tuple, np.ndarray)):
            raise ValueError(f"sizes={shown(sizes)} is no list: give one such as [7, 16, 1]")
        sizes = [as_count(size, "sizes") for size in sizes]
        if len(sizes) < 2:
            raise ValueError(f"sizes={sizes!r} makes no layer: give at least two sizes")
        if (weights := sum(a * b for a, b in pairwise(sizes))) > LARGEST:
            raise ValueError(
                f"sizes={shown(sizes)} makes {weights:.2g} weights: choose smaller ones, of "
                f"{LARGEST:,} weights at most"
            )
        self.sizes = sizes
        self.rng = rng = as_rng(rng)
        self.W = [
            rng.normal(0, np.sqrt(2 / before), (before, after)) for before, after in pairwise(sizes)
        ]
        self.b = [np.zeros(after) for after in sizes[1:]]

    def forward(self, X) -> np.ndarray:
        """Return the outputs, one row for each row of X; for the logistic loss they are logits.

        Raises
        ------
        ValueError
            If X is no matrix of finite numbers with ``sizes[0]`` columns.
        """
        return self._layers(_rows(X, "X", self.sizes[0]))[-1]

    def backward(self, X, Y, *, loss: str = "squared") -> tuple[float, list, list]:
        """Compute the loss and its gradient, one matrix at a time from the last layer back.

        Parameters
        ----------
        X : n x sizes[0]
        Y : n x sizes[-1]
            What the outputs should be; between 0 and 1 for the logistic loss.
        loss : {"squared", "logistic"}
            With Z = ``forward(X)``, the mean over rows of sum 1/2 (Z - Y)^2, or of the negative
            log likelihood of Y given the probabilities sigmoid(Z), which is
            sum log(1 + e^Z) - Y Z, computed without overflow.

        Returns
        -------
        loss : float
        dW, db : lists of arrays
            The gradients, in the shapes of `W` and `b`. At 0, relu has derivative 0 here.

        Raises
        ------
        ValueError
            If the shapes disagree, a number is not finite, or loss is not one of the two.
        """
        X, Y = self._pair(X, Y, loss)
        return self._backward(X, Y, loss)

    def fit(
        self,
        X,
        Y,
        *,
        loss: str = "squared",
        epochs: int = 100,
        batch: int = 32,
        method: str = "adam",
        rate: float = 0.01,
        held_out=None,
    ) -> dict[str, np.ndarray]:
        """Train in place by minibatches, each sample once an epoch, in a new order each time.

        Parameters
        ----------
        X, Y, loss : as in `backward`
        epochs : int
            How often to go through the samples.
        batch : int
            Samples in a step; from n on, all of them.
        method : {"adam", "sgd"}
            Adam (Kingma and Ba 2015), whose steps have a size of about `rate` whatever the scale of
            the gradient; or plain gradient descent on the batch.
        rate : float
            The learning rate. Networks as small as those of this course bear ten times the 0.001
            for which Adam is known.
        held_out : pair (X, Y), optional
            Samples to measure the loss on and never to learn from.

        Returns
        -------
        dict
            ``"train"`` and, if given, ``"held out"``: the loss at the start and after each epoch,
            on all samples, epochs + 1 numbers.

        Raises
        ------
        ValueError
            As in `backward`; for a count below 1 or a rate that is not above 0; and if the loss
            overflows. In all these cases, and when interrupted, the weights stay as they were.
        """
        sets = {"train": self._pair(X, Y, loss)}
        if held_out is not None:
            try:
                held_X, held_Y = held_out
            except (TypeError, ValueError):
                raise ValueError("held_out is no pair: give (X, Y)") from None
            sets["held out"] = self._pair(held_X, held_Y, loss)
        epochs, batch = as_count(epochs, "epochs"), as_count(batch, "batch")
        as_choice(method, "method", METHODS)
        as_number(rate, "rate", above=True, such="0.01")

        before = copy.deepcopy((self.W, self.b))
        step = _adam() if method == "adam" else _sgd
        history = {name: [self._loss(*pair, loss)] for name, pair in sets.items()}
        X, Y = sets["train"]
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # an overflow gets a sentence below
                for epoch in range(1, epochs + 1):
                    order = self.rng.permutation(len(X))
                    for start in range(0, len(X), batch):
                        chosen = order[start : start + batch]
                        _, dW, db = self._backward(X[chosen], Y[chosen], loss)
                        step([*self.W, *self.b], [*dW, *db], rate)
                    for name, pair in sets.items():
                        history[name].append(self._loss(*pair, loss))
                    if not np.isfinite(history["train"][-1]):
                        raise ValueError(
                            f"rate={rate!r} is too large: the loss overflowed in epoch {epoch}; "
                            "choose a smaller one, and scale the columns of X"
                        )
        except BaseException:  # an interrupt as well
            self.W, self.b = before
            raise
        return {name: np.array(losses) for name, losses in history.items()}

    def _layers(self, X):
        """Return what enters each layer, X first, and the outputs last."""
        H = [X]
        for W, b in zip(self.W[:-1], self.b[:-1], strict=True):
            H.append(np.maximum(H[-1] @ W + b, 0))
        return [*H, H[-1] @ self.W[-1] + self.b[-1]]

    def _loss(self, X, Y, loss):
        return _mean_loss(self._layers(X)[-1], Y, loss)

    def _backward(self, X, Y, loss):
        *H, Z = self._layers(X)
        # Both losses were made so that their gradient is the error of the prediction.
        dZ = ((Z if loss == "squared" else sigmoid(Z)) - Y) / len(X)
        dW, db = [], []
        for layer in reversed(range(len(self.W))):
            dW.insert(0, H[layer].T @ dZ)
            db.insert(0, dZ.sum(axis=0))
            if layer > 0:  # H is above 0 exactly where relu let its input pass
                dZ = (dZ @ self.W[layer].T) * (H[layer] > 0)
        return _mean_loss(Z, Y, loss), dW, db

    def _pair(self, X, Y, loss):
        as_choice(loss, "loss", LOSSES)
        X = _rows(X, "X", self.sizes[0])
        Y = _rows(Y, "Y", self.sizes[-1])
        if len(X) != len(Y):
            raise ValueError(f"Y has {len(Y)} rows for {len(X)} of X: give one for each")
        if loss == "logistic" and not ((Y >= 0) & (Y <= 1)).all():
            worst = Y[(Y < 0) | (Y > 1)][0]
            raise ValueError(
                f"Y holds {worst:g}: the logistic loss needs 0, 1 or a probability between them"
            )
        return X, Y


def gradient_check(
    network: ReLUNetwork, X, Y, *, loss: str = "squared", step: float = 1e-5
) -> float:
    """Return the largest difference between `backward` and central differences.

    Parameters
    ----------
    network : ReLUNetwork
        Left as it is.
    X, Y, loss : as in `ReLUNetwork.backward`
    step : float
        How far each weight is moved to either side. The formula's error falls with its square while
        rounding grows as it shrinks: both are about 1e-10 at 1e-5.

    Notes
    -----
    A difference across the kink of a ReLU is wrong by as much as the two slopes differ. A hidden
    unit whose input is within the step of 0 is therefore seen as an error; move the weights a
    little if that happens.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> network = ReLUNetwork([3, 4, 1], rng)
    >>> gradient_check(network, rng.normal(size=(5, 3)), rng.normal(size=(5, 1))) < 1e-9
    True
    """
    if not isinstance(network, ReLUNetwork):
        raise ValueError(f"network={shown(network)} is none: pass a ReLUNetwork")
    as_number(step, "step", above=True, such="1e-5")
    X, Y = network._pair(X, Y, loss)
    _, dW, db = network._backward(X, Y, loss)
    moved = copy.deepcopy(network)
    worst = 0.0
    for values, gradient in zip([*moved.W, *moved.b], [*dW, *db], strict=True):
        for place in np.ndindex(values.shape):
            here = values[place]
            values[place] = here + step
            above = moved._loss(X, Y, loss)
            values[place] = here - step
            below = moved._loss(X, Y, loss)
            values[place] = here
            off = abs((above - below) / (2 * step) - gradient[place])
            worst = np.maximum(worst, off)  # max() would forget a NaN
    return float(worst)


def sigmoid(Z) -> np.ndarray:
    """Return 1 / (1 + e^-Z), the probability that a logit stands for, without overflow.

    >>> sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    if sp.issparse(Z):
        raise ValueError("Z is sparse: give it as a dense array, Z.toarray()")
    return (1 + np.tanh(as_numbers(Z, "Z").astype(float) / 2)) / 2


def _mean_loss(Z, Y, loss):
    # log(1 + e^z) as logaddexp(0, z): e^z itself overflows from z = 710 on.
    cells = (Z - Y) ** 2 / 2 if loss == "squared" else np.logaddexp(0, Z) - Y * Z
    return float(cells.sum(axis=1).mean())


def _sgd(parameters, gradients, rate):
    for value, gradient in zip(parameters, gradients, strict=True):
        value -= rate * gradient


def _adam():
    """Return a step with the memory of Adam: running means of the gradients and their squares."""
    first, second, count = [], [], 0

    def step(parameters, gradients, rate):
        nonlocal first, second, count
        first = first or [np.zeros_like(value) for value in parameters]
        second = second or [np.zeros_like(value) for value in parameters]
        count += 1
        for value, gradient, m, v in zip(parameters, gradients, first, second, strict=True):
            m += (1 - BETA1) * (gradient - m)
            v += (1 - BETA2) * (gradient**2 - v)
            # Both means start at 0, and the two divisions undo what that does to their size.
            mean, square = m / (1 - BETA1**count), v / (1 - BETA2**count)
            value -= rate * mean / (np.sqrt(square) + EPSILON)

    return step


def _rows(X, name, columns):
    """Check that X is a matrix of finite numbers with this many columns."""
    if sp.issparse(X):
        raise ValueError(f"{name} is sparse: give it as a dense array, {name}.toarray()")
    X = as_numbers(X, name)
    if X.ndim == 1 and columns == 1:
        raise ValueError(f"{name} has shape {X.shape}: make it a column with {name}[:, None]")
    if X.ndim != 2:
        raise ValueError(f"{name} has {X.ndim} dimensions: give a matrix, one sample a row")
    if X.shape[1] != columns:
        turned = f" Is it transposed? {name}.T would fit." if X.shape[0] == columns else ""
        raise ValueError(
            f"{name} has {X.shape[1]} columns: give {columns}, and one sample a row.{turned}"
        )
    if len(X) == 0:
        raise ValueError(f"{name} has no rows: give at least one sample")
    return as_finite(X.astype(float, copy=False), name)
