"""Models of what comes next: chains that count, and three small networks that read a history.

All answer to two calls, much like the recommenders:

    fit(histories)
        Learn from a list of int arrays, each a person's item positions, oldest first.
    scores(histories)
        The scores of all n items as the next event of each history: a p x n array.

The networks are in Keras, which is loaded by the first fit: see `keras_models`.
"""

import json
from dataclasses import dataclass, field, fields

import numpy as np
import scipy.sparse as sp

from ..data.interactions import (
    as_choice,
    as_count,
    as_dropout,
    as_number,
    as_rng,
    as_yes_or_no,
    shown,
)
from . import keras_models

# Standard deviation of the embeddings at the start. Large ones would leave noise in the scores of
# items that are seldom seen.
START = 0.05


@dataclass(eq=False)
class Chain:
    """Count what followed what: a Markov chain; with a wider window, item neighbours in time.

    The share of b among what came after a is P(b | a) = (N_ab + damping p_b) / (N_a + damping),
    with p_b the share of b among all events: an item that was seen ``damping`` times is believed
    half by its own followers and half by popularity. A history's scores are the mean of P(. | a)
    over its last items.

    Parameters
    ----------
    n : int
        The number of items.
    window : int
        b counts as a follower of a if it came at most so many places later. 1 is a Markov chain.
    last : int
        How many of the last items speak.
    damping : float, above 0
    """

    n: int
    window: int = 1
    last: int = 1
    damping: float = 10.0

    def fit(self, histories):
        """Count what followed what.

        Raises
        ------
        ValueError
            If damping is not above 0, or n, window or last is no whole number from 1 on.
        """
        as_number(self.damping, "damping", above=True, such="10")
        as_count(self.n, "n")
        as_count(self.last, "last")
        counts = sp.csr_array((self.n, self.n))
        for step in range(1, as_count(self.window, "window") + 1):
            a = np.concatenate([history[:-step] for history in histories])
            b = np.concatenate([history[step:] for history in histories])
            counts = counts + sp.csr_array((np.ones(len(a)), (a, b)), shape=counts.shape)
        self.counts_ = sp.csr_array(counts)
        every = np.bincount(np.concatenate(histories), minlength=self.n)
        self.shares_ = every / every.sum()
        return self

    def scores(self, histories) -> np.ndarray:
        """Score all n items as the next event of each of p histories: p x n probabilities.

        A history is a 1-D array of item positions, oldest first; an empty one gets the items'
        shares.
        """
        totals = self.counts_.sum(axis=1)
        found = np.empty((len(histories), self.n))
        for row, history in enumerate(histories):
            a = np.asarray(history)[-self.last :]
            if not len(a):
                found[row] = self.shares_
                continue
            damped = totals[a] + self.damping
            found[row] = (self.counts_[a] / damped[:, None]).sum(axis=0)
            found[row] += (self.damping / damped).sum() * self.shares_
            found[row] /= len(a)
        return found


@dataclass(eq=False)
class NextItem:
    """A small network that reads a history and scores what comes next, trained at all places.

    At each place t the network makes a vector h_t of the items up to t, and the score of item j as
    the next is h_t . e_j + b_j, with e_j the same embedding that was read (Kang and McAuley 2018).
    The loss is the cross-entropy of the item that did come. Nothing at place t may depend on what
    comes after t: all three kinds are *causal*.

    Parameters
    ----------
    n : int
        The number of items.
    kind : {"cnn", "gru", "attention"}
        Dilated causal convolutions of width 2 (Yuan et al. 2019), a gated recurrent unit (Hidasi et
        al. 2016), or a block of causal self-attention (Kang and McAuley 2018).
    length : int
        The most items that are read: the last ones of a history.
    d : int
        Length of an embedding, and of all layers.
    dilations : tuple of int
        Of the convolutions, one a layer: the receptive field is 1 + their sum.
    blocks, positions
        Of self-attention: how many blocks, and whether a place has a vector of its own. Without
        positions one block sees the last item and a bag of all others.
    dropout : float
        Of embeddings and layers, while training.
    learning_rate, epochs, batch
        Of Adam; an epoch reads each event once, in windows of ``length`` cut at a random place.
    negatives : int or None
        None: the softmax is over all items. A number: over the right item and so many drawn items,
        half by popularity and half evenly, each counted as often as it stands for (sampled
        softmax).
    rng : int

    References
    ----------
    W.-C. Kang and J. McAuley (2018). Self-attentive sequential recommendation. ICDM, 197-206.
    doi:10.1109/ICDM.2018.00035
    B. Hidasi, A. Karatzoglou, L. Baltrunas and D. Tikk (2016). Session-based recommendations with
    recurrent neural networks. ICLR. arXiv:1511.06939
    F. Yuan, A. Karatzoglou, I. Arapakis, J. M. Jose and X. He (2019). A simple convolutional
    generative network for next item recommendation. WSDM, 582-590. doi:10.1145/3289600.3290975
    """

    n: int
    kind: str = "attention"
    length: int = 50
    d: int = 32
    dilations: tuple = (1, 2, 4)
    blocks: int = 1
    positions: bool = True
    dropout: float = 0.2
    learning_rate: float = 0.003
    epochs: int = 20
    batch: int = 64
    negatives: int | None = None
    rng: int = 0
    curve_: list = field(default_factory=list, init=False, repr=False)

    def fit(self, histories, watch=None):
        """Train. ``watch(self, epoch)`` is called after each epoch; if it returns True, stop."""
        rng = self._checked()
        rng.integers(2**31)  # the number that `build` draws
        tf = keras_models._load("tensorflow")
        keras = keras_models.keras
        self.build()
        # It starts as popularity: thousands of biases would need many epochs to get there.
        counts = np.bincount(np.concatenate(histories), minlength=self.n)
        self.bias_.assign(np.log((counts + 1) / (counts + 1).mean()))
        # Half of the drawn items by popularity: those are the ones to be told apart.
        shares = 0.5 * counts / counts.sum() + 0.5 / self.n
        log_share = np.log(shares * (self.negatives or 1)).astype(np.float32)
        E, b = self.model_.get_layer("items").embeddings, self.bias_
        optimiser = keras.optimizers.Adam(self.learning_rate)
        variables = [*self.model_.trainable_variables, b]
        n, K = self.n, self.negatives

        @tf.function(
            input_signature=[
                tf.TensorSpec((None, self.length), tf.int32),
                tf.TensorSpec((None, self.length), tf.int32),
                tf.TensorSpec((None,), tf.int32),
            ]
        )
        def step(inputs, targets, drawn):
            with tf.GradientTape() as tape:
                h = self.model_(inputs, training=True)
                asked = tf.where(targets < n)
                h, wanted = tf.gather_nd(h, asked), tf.gather_nd(targets, asked)
                if K is None:
                    logits = tf.matmul(h, E[:n], transpose_b=True) + b
                    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)
                else:
                    right = tf.reduce_sum(h * tf.gather(E, wanted), 1) + tf.gather(b, wanted)
                    others = tf.matmul(h, tf.gather(E, drawn), transpose_b=True)
                    others += tf.gather(b, drawn) - tf.gather(log_share, drawn)
                    same = tf.equal(wanted[:, None], drawn[None, :])
                    others = tf.where(same, -1e9, others)
                    logits = tf.concat([right[:, None], others], 1)
                    losses = tf.reduce_logsumexp(logits, 1) - right
                loss = tf.reduce_mean(losses)
            optimiser.apply(tape.gradient(loss, variables), variables)
            return loss

        # A place that no window reached has learnt nothing: do not read as far.
        self.read_ = max(1, min(self.length, max(map(len, histories)) - 1))
        for epoch in range(self.epochs):
            inputs, targets = self.windows(histories, rng)
            order, losses = rng.permutation(len(inputs)), []
            for start in range(0, len(order), self.batch):
                part = order[start : start + self.batch]
                drawn = rng.choice(n, size=K or 1, p=shares).astype(np.int32)
                losses.append(float(step(inputs[part], targets[part], drawn)))
            self.curve_.append(np.mean(losses))
            if watch is not None and watch(self, epoch + 1):
                break
        return self

    def build(self):
        """Make the network, untrained, with weights drawn by ``rng``, and return itself.

        Raises
        ------
        ValueError
            If kind is none of the three, a count is no whole number from 1 on, or a share or
            rate makes no sense.
        """
        rng = self._checked()
        keras = keras_models.keras
        keras.utils.set_random_seed(int(rng.integers(2**31)))
        layers, d, n = keras.layers, self.d, self.n
        start = keras.initializers.RandomNormal(stddev=START)
        given = keras.Input((self.length,), dtype="int32")
        # Row n stands for "no item": the places after a history's end, at which nobody looks.
        x = layers.Embedding(n + 1, d, embeddings_initializer=start, name="items")(given)
        if self.kind == "attention" and self.positions:
            places = keras.ops.arange(self.length)
            table = layers.Embedding(self.length, d, embeddings_initializer=start, name="places")
            x = x + table(keras.ops.zeros_like(given) + places)
        x = layers.Dropout(self.dropout)(x)
        if self.kind == "cnn":
            for i, dilation in enumerate(self.dilations):
                y = layers.LayerNormalization()(x)
                conv = {"padding": "causal", "dilation_rate": dilation, "activation": "relu"}
                y = layers.Conv1D(d, 2, name=f"conv{i}", **conv)(y)
                x = x + layers.Dropout(self.dropout)(y)
        elif self.kind == "gru":
            x = layers.GRU(d, return_sequences=True, name="gru")(x)
        else:
            for i in range(self.blocks):
                y = layers.LayerNormalization(name=f"norm{i}")(x)
                attend = layers.MultiHeadAttention(1, d, dropout=self.dropout, name=f"attend{i}")
                x = x + attend(y, y, use_causal_mask=True)
                y = layers.LayerNormalization()(x)
                y = layers.Dense(d, activation="relu")(y)
                x = x + layers.Dropout(self.dropout)(layers.Dense(d)(y))
        x = layers.LayerNormalization(name="out")(x) if self.kind != "gru" else x
        self.model_ = keras.Model(given, x)
        self.bias_ = keras.Variable(np.zeros(n, np.float32))
        self.read_ = self.length
        return self

    def _checked(self):
        """Check the parameters, before Keras is loaded, and return the generator."""
        as_choice(self.kind, "kind", ("cnn", "gru", "attention"))
        for name in ("n", "length", "d", "blocks", "epochs", "batch"):
            as_count(getattr(self, name), name)
        if self.negatives is not None:
            as_count(self.negatives, "negatives")
        if not isinstance(self.dilations, (tuple, list)):
            raise ValueError(f"dilations={shown(self.dilations)}: give some, such as (1, 2, 4)")
        for dilation in self.dilations:
            as_count(dilation, "dilations")
        as_yes_or_no(self.positions, "positions")
        as_dropout(self.dropout)
        as_number(self.learning_rate, "learning_rate", above=True, such="0.003")
        return as_rng(self.rng)

    def save(self, file) -> None:
        """Write what was chosen, the weights, and how far back they read, to a file as .npz."""
        chosen = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        weights = {f"w{i}": w for i, w in enumerate(self.model_.get_weights())}
        given = {"chosen": json.dumps(chosen), "read": self.read_, "bias": np.asarray(self.bias_)}
        np.savez_compressed(file, **weights, **given)

    @classmethod
    def from_file(cls, file) -> "NextItem":
        """Make a network as it was when `save` wrote it."""
        with np.load(file) as arrays:
            chosen = json.loads(str(arrays["chosen"]))
            made = cls(**chosen | {"dilations": tuple(chosen["dilations"])})
            made.build()
            weights = [arrays[f"w{i}"] for i in range(len(made.model_.get_weights()))]
            made.model_.set_weights(weights)
            made.bias_.assign(arrays["bias"])
            made.read_ = int(arrays["read"])
        return made

    def windows(self, histories, rng):
        """Cut the histories into windows: inputs, and at each place the item that came next."""
        L = self.length
        inputs, targets = [], []
        for history in histories:
            if len(history) < 2:
                continue
            first = rng.integers(L) if len(history) > L + 1 else 0
            cuts = [0, *range(first or L, len(history) - 1, L)]
            for i in cuts:
                j = min(next((c for c in cuts if c > i), len(history) - 1), i + L)
                row = np.full((2, L), self.n, np.int32)
                row[0, : j - i], row[1, : j - i] = history[i:j], history[i + 1 : j + 1]
                inputs.append(row[0])
                targets.append(row[1])
        return np.array(inputs), np.array(targets)

    def scores(self, histories, batch=128):
        """Score all n items as the next event of each of p histories: p x n logits, float32.

        A history is a 1-D array of item positions, oldest first; of an empty one padding is read.
        ``batch`` histories are read at once, which sets the memory and not the scores.
        """
        rows = np.full((len(histories), self.length), self.n, np.int32)
        ends = np.empty(len(histories), int)
        for i, history in enumerate(histories):
            part = np.asarray(history)[-self.read_ :]
            rows[i, : len(part)] = part
            ends[i] = max(len(part) - 1, 0)
        E = np.asarray(self.model_.get_layer("items").embeddings)[: self.n]
        found = np.empty((len(rows), self.n), np.float32)
        for start in range(0, len(rows), batch):
            h = np.asarray(self.model_(rows[start : start + batch], training=False))
            h = h[np.arange(len(h)), ends[start : start + batch]]
            found[start : start + batch] = h @ E.T + np.asarray(self.bias_)
        return found
