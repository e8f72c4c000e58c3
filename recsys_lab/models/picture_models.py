"""A small network that looks at pictures, and two ways to learn factors from what is known.

What a new thing's factors would be is guessed from its picture, by a convolutional network (van den
Oord et al. 2013 did so with the sound of music), or from a text's vector, by a ridge regression
(lesson 10's map). The network is in Keras, which is loaded by the first fit.
"""

from dataclasses import dataclass

import numpy as np

from ..data.interactions import as_count, as_matrix, as_number, as_pictures, as_rng
from . import keras_models


@dataclass(eq=False)
class PictureMap:
    """A convolutional network from pictures to numbers, trained by the mean squared error.

    Three convolutions of 3 x 3 with a ReLU, each at every second place (stride 2), so that 32 x 32
    become 4 x 4; then a layer of 64 with a ReLU, and the output. Each picture is learned from
    twice, as it is and mirrored: neither a thing's colour nor its kind is changed by that.

    Parameters
    ----------
    channels : int
        Of the first convolution; the others have twice as many.
    epochs : int
        10: with some hundred pictures more of them learn the pictures by heart.
    learning_rate, dropout : float
        Of Adam; of what the last convolution found, while training.
    rng : int
        Seeds the start, the order and the dropout.

    References
    ----------
    A. van den Oord, S. Dieleman and B. Schrauwen (2013). Deep content-based music recommendation.
    NIPS 26, 2643-2651.
    """

    channels: int = 16
    epochs: int = 10
    learning_rate: float = 0.002
    dropout: float = 0.3
    rng: int = 0

    def build(self, side: int, d: int):
        """Make the network, untrained, for pictures of side x side and d numbers; return itself.

        Raises
        ------
        ValueError
            If a count is no whole number from 1 on, or a rate makes no sense.
        """
        for name, value in (("side", side), ("d", d), ("channels", self.channels)):
            as_count(value, name)
        as_count(self.epochs, "epochs")
        as_number(self.learning_rate, "learning_rate", above=True, such="0.002")
        keras = keras_models.keras
        keras.utils.set_random_seed(int(as_rng(self.rng).integers(2**31)))
        layers, c = keras.layers, self.channels
        conv = {"strides": 2, "padding": "same", "activation": "relu"}
        self.model_ = keras.Sequential(
            [
                keras.Input((side, side, 3)),
                layers.Conv2D(c, 3, name="conv1", **conv),
                layers.Conv2D(2 * c, 3, name="conv2", **conv),
                layers.Conv2D(2 * c, 3, name="conv3", **conv),
                layers.Flatten(),
                layers.Dropout(self.dropout),
                layers.Dense(64, activation="relu", name="dense"),
                layers.Dense(d, name="out"),
            ]
        )
        return self

    def fit(self, pictures, Y):
        """Learn Y (n x d) from the pictures (n x side x side x 3, uint8)."""
        X, Y = _scaled(pictures), np.asarray(as_matrix(Y, "Y"), dtype=np.float32)
        if len(X) != len(Y):
            raise ValueError(f"Y has {len(Y)} rows for {len(X)} pictures: give one for each")
        self.build(X.shape[1], Y.shape[1])
        self.model_.compile(keras_models.keras.optimizers.Adam(self.learning_rate), loss="mse")
        both = np.concatenate([X, X[:, :, ::-1]])
        self.model_.fit(both, np.concatenate([Y, Y]), batch_size=32, epochs=self.epochs, verbose=0)
        return self

    def predict(self, pictures) -> np.ndarray:
        """Return the guesses, n x d."""
        X = _scaled(pictures)
        parts = [self.model_(X[at : at + 256]) for at in range(0, len(X), 256)]
        return np.concatenate([np.asarray(part, dtype=float) for part in parts])

    def multiplications(self) -> dict[str, int]:
        """Return, for each layer with weights, how many products one picture costs."""
        found = {}
        for layer in self.model_.layers:
            if layer.weights:
                places = np.prod(layer.output.shape[1:-1], dtype=int)
                found[layer.name] = int(places * np.prod(layer.weights[0].shape))
        return found


@dataclass(eq=False)
class RidgeMap:
    """A ridge regression from vectors to numbers, each about its mean: lesson 10's map.

    Parameters
    ----------
    lam : float, above 0
        The penalty: W = (X^T X + lam I)^-1 X^T Y.
    """

    lam: float = 3.0

    def fit(self, X, Y):
        """Learn Y (n x d) from X (n x p)."""
        as_number(self.lam, "lam", above=True, such="3")
        X, Y = np.asarray(as_matrix(X, "X")), np.asarray(as_matrix(Y, "Y"))
        if len(X) != len(Y):
            raise ValueError(f"Y has {len(Y)} rows for the {len(X)} of X: give one for each")
        self.centre_, self.mean_ = X.mean(axis=0), Y.mean(axis=0)
        A = X - self.centre_
        self.W_ = np.linalg.solve(A.T @ A + self.lam * np.eye(A.shape[1]), A.T @ (Y - self.mean_))
        return self

    def predict(self, X) -> np.ndarray:
        """Return the guesses, n x d."""
        return (np.asarray(X) - self.centre_) @ self.W_ + self.mean_


def _scaled(pictures) -> np.ndarray:
    return as_pictures(pictures).astype(np.float32) / 255
