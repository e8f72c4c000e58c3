"""The exercises of notebook 11, Sequences: a Markov chain, a receptive field, a GRU, a mask."""

from itertools import pairwise

import numpy as np

from .engine import Mistake, as_array, define, expect, expect_close, expect_shape
from .questions import Choice, Number, define_quiz


@define(
    "sequences.chain",
    notebook=11,
    hints=[
        "Start with `N = np.zeros((n, n))`. In one history, `history[:-1]` are the items that were "
        "followed, and `history[1:]` what followed them.",
        "`np.add.at(N, (history[:-1], history[1:]), 1)` counts, also where a pair comes twice. The "
        "shares p: `np.bincount` of all events, divided by its sum.",
        "N_a is the sum of row a: `N.sum(axis=1, keepdims=True)`. Then it is one line: "
        "`(N + damping * p) / (N_a + damping)`. Each row of the result sums to 1.",
    ],
)
def chain(histories, n, damping):
    """Return P (n x n): P[a, b] = (N_ab + damping p_b) / (N_a + damping).

    N_ab: how often b came directly after a in a history. N_a: how often anything came after a.
    p_b: the share of b among all events. histories: a list of int arrays, oldest event first.
    """
    N = np.zeros((n, n))
    for history in histories:
        np.add.at(N, (history[:-1], history[1:]), 1)
    p = np.bincount(np.concatenate(histories), minlength=n)
    return (N + damping * p / p.sum()) / (N.sum(axis=1, keepdims=True) + damping)


def _counted(histories, n):
    """N and p, for the wrong answers."""
    N = np.zeros((n, n))
    for history in histories:
        np.add.at(N, (history[:-1], history[1:]), 1)
    p = np.bincount(np.concatenate(histories), minlength=n)
    return N, p / p.sum()


@chain.wrong(
    "You counted a pair at most once in a history: `N[a, b] += 1` with arrays does not add up "
    "where a pair comes twice. Use `np.add.at(N, (a, b), 1)`."
)
def counts_a_pair_once(histories, n, damping):
    N, p = np.zeros((n, n)), _counted(histories, n)[1]
    for history in histories:
        N[history[:-1], history[1:]] += 1
    return (N + damping * p) / (N.sum(axis=1, keepdims=True) + damping)


@chain.wrong(
    "You laid all histories end to end: the first event of one person was counted as following the "
    "last of another. Count inside each history."
)
def joins_the_people(histories, n, damping):
    N, p = np.zeros((n, n)), _counted(histories, n)[1]
    every = np.concatenate(histories)
    np.add.at(N, (every[:-1], every[1:]), 1)
    return (N + damping * p) / (N.sum(axis=1, keepdims=True) + damping)


@chain.wrong(
    "You turned the pairs round: row a, column b is for b that came *after* a, so "
    "`(history[:-1], history[1:])`."
)
def looks_back(histories, n, damping):
    N, p = _counted(histories, n)
    return (N.T + damping * p) / (N.T.sum(axis=1, keepdims=True) + damping)


@chain.wrong(
    "You divided by the sum of the column, how often b came after anything. N_a belongs to the "
    "row: `axis=1`, with keepdims=True."
)
def divides_by_the_column(histories, n, damping):
    N, p = _counted(histories, n)
    return (N + damping * p) / (N.sum(axis=0) + damping)


@chain.wrong(
    "You divided row a by a number that belongs to the column, because a vector of n numbers lies "
    "along the columns: keep the axis, `N.sum(axis=1, keepdims=True)`."
)
def forgets_to_keep_the_axis(histories, n, damping):
    N, p = _counted(histories, n)
    return (N + damping * p) / (N.sum(axis=1) + damping)


@chain.wrong(
    "You drew towards 1/n, the same for all items. Draw towards p_b, the share of b among all "
    "events: what is popular is the better guess."
)
def draws_towards_equal_shares(histories, n, damping):
    N, _ = _counted(histories, n)
    return (N + damping / n) / (N.sum(axis=1, keepdims=True) + damping)


@chain.wrong(
    "Your N_a counts all events with a. The last event of a history was followed by nothing: take "
    "the sum of row a of N, so that each row of P sums to 1."
)
def counts_the_last_events(histories, n, damping):
    N, p = _counted(histories, n)
    every = np.bincount(np.concatenate(histories), minlength=n)
    return (N + damping * p) / (every[:, None] + damping)


@chain.wrong(
    "You counted everything that came later in the history. Here only the event directly after a "
    "counts."
)
def counts_all_that_came_later(histories, n, damping):
    N, p = np.zeros((n, n)), _counted(histories, n)[1]
    for history in histories:
        for step in range(1, len(history)):
            np.add.at(N, (history[:-step], history[step:]), 1)
    return (N + damping * p) / (N.sum(axis=1, keepdims=True) + damping)


@chain.wrong("You left the damping out of the denominator: N_a + damping, so that a row sums to 1.")
def forgets_the_damping_below(histories, n, damping):
    N, p = _counted(histories, n)
    return (N + damping * p) / np.maximum(N.sum(axis=1, keepdims=True), 1)


@chain.wrong("You added the damping to each cell. It is shared out: damping times p_b in column b.")
def adds_the_damping_to_each_cell(histories, n, damping):
    N, _ = _counted(histories, n)
    return (N + damping) / (N.sum(axis=1, keepdims=True) + n * damping)


@chain.wrong(
    "Your p is the share among the events that followed something: the first event of each history "
    "is missing. Count all events."
)
def leaves_out_the_first_events(histories, n, damping):
    N, _ = _counted(histories, n)
    p = N.sum(axis=0) / N.sum()
    return (N + damping * p) / (N.sum(axis=1, keepdims=True) + damping)


@chain.wrong("You returned the counts N: damp them, and divide by N_a + damping.")
def returns_the_counts(histories, n, damping):
    return _counted(histories, n)[0]


@chain.wrong(expects="should have shape (5, 5)")
def sizes_by_what_came(histories, n, damping):
    N, p = _counted(histories, n)
    size = 1 + max(history.max() for history in histories if len(history))
    return ((N + damping * p) / (N.sum(axis=1, keepdims=True) + damping))[:size, :size]


@chain.right
def by_a_loop(histories, n, damping):
    """Count pair by pair."""
    N, p = np.zeros((n, n)), np.zeros(n)
    for history in histories:
        for b in history:
            p[b] += 1
        for a, b in pairwise(history):
            N[a, b] += 1
    p /= p.sum()
    return np.array([(N[a] + damping * p) / (N[a].sum() + damping) for a in range(n)])


@chain.right
def by_positions(histories, n, damping):
    """Count each pair as one number."""
    pairs = np.concatenate([n * np.asarray(h[:-1]) + h[1:] for h in histories]).astype(int)
    N = np.bincount(pairs, minlength=n * n).reshape(n, n)
    share = sum(np.bincount(h, minlength=n) for h in histories) / sum(len(h) for h in histories)
    return (N + np.outer(np.full(n, damping), share)) / (N.sum(axis=1)[:, None] + damping)


@chain.check("a small case by hand")
def _(answer):
    histories = [np.array([2, 0, 2, 0, 1, 1]), np.array([3, 0, 2]), np.array([1, 2])]
    # Events: 0 three times, 1 three times, 2 four times, 3 once; item 4 never.
    p = np.array([3, 3, 4, 1, 0]) / 11
    got = expect_shape(answer(histories, 5, 7.0), (5, 5), "P")
    N = np.array([[0, 1, 2, 0, 0], [0, 1, 1, 0, 0], [2, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0] * 5])
    right = (N + 7 * p) / (N.sum(axis=1, keepdims=True) + 7)
    why = (
        "For the histories 2 0 2 0 1 1, 3 0 2 and 1 2 with damping 7: after 0 came 2 twice and 1 "
        "once, and p = (3, 3, 4, 1, 0) / 11, so P[0, 2] = (2 + 7 x 4/11) / (3 + 7) = 0.455; row 4 "
        "is p."
    )
    expect_close(got, right, why)


def _by_probabilities(histories, n, damping):
    """By another road: what a draw from damping imagined followers adds."""
    every = np.concatenate(histories)
    p = np.array([(every == b).mean() for b in range(n)])
    rows = []
    for a in range(n):
        after = [h[i + 1] for h in histories for i in range(len(h) - 1) if h[i] == a]
        shares = np.bincount(np.array(after, int), minlength=n) / max(len(after), 1)
        weight = damping / (len(after) + damping)
        rows.append((1 - weight) * shares + weight * p)
    return np.array(rows)


@chain.check("random cases, with repeats")
def _(answer):
    rng = np.random.default_rng(3)
    for n, damping in [(4, 0.5), (7, 3), (3, 20.0)]:
        histories = [rng.integers(n, size=size) for size in rng.integers(3, 12, size=5)]
        why = f"n = {n}, damping = {damping}. Each row of P sums to 1."
        expect_close(answer(histories, n, damping), _by_probabilities(histories, n, damping), why)


@chain.check("short histories, and an item that nobody has")
def _(answer):
    histories = [np.array([1]), np.array([0, 0, 0, 2]), np.array([], dtype=int)]
    right = _by_probabilities(histories, 5, 2.0)
    expect_close(
        answer(histories, 5, 2.0),
        right,
        "Histories of one event and of none have no pair, but an event counts in p.",
    )


@define(
    "sequences.sees",
    notebook=11,
    hints=[
        "One layer alone: a tap j (0 to width - 1) reads its input j x dilation places back. Two "
        "layers: the second reads places of the first, and each of these reads again.",
        "So the distances add up. Begin with {0}; for each layer, replace each distance a in the "
        "set by a + j * dilation, for all taps j.",
        "`seen = {a + j * dilation for a in seen for j in range(width)}` for each dilation; then "
        "`np.array(sorted(seen))`.",
    ],
)
def sees(width, dilations):
    """Return, as an ascending array, how many places back the inputs lie that the last output sees.

    A stack of causal convolutions: in each layer an output is made from `width` places of the layer
    below: 0, 1, 2, ... times the layer's dilation back. The newest input is 0 back.
    """
    seen = {0}
    for dilation in dilations:
        seen = {a + j * dilation for a in seen for j in range(width)}
    return np.array(sorted(seen))


@sees.wrong(
    "You gave every place up to the farthest. With these dilations there are holes between: list "
    "the sums of one tap from each layer."
)
def fills_the_holes(width, dilations):
    return np.arange(1 + (width - 1) * sum(dilations))


@sees.wrong(
    "You put the layers beside each other: each read the input itself. The second layer reads what "
    "the first has made, so the distances of the layers add up."
)
def puts_layers_side_by_side(width, dilations):
    return np.array(sorted({0} | {j * d for d in dilations for j in range(width)}))


@sees.wrong("You let a layer read `width` places back: it has `width` taps, 0 to width - 1.")
def has_one_tap_too_many(width, dilations):
    seen = {0}
    for d in dilations:
        seen = {a + j * d for a in seen for j in range(width + 1)}
    return np.array(sorted(seen))


@sees.wrong("You left out the dilation: tap j reads j dilations back.")
def ignores_the_dilation(width, dilations):
    return np.arange(1 + (width - 1) * len(dilations))


@sees.wrong("You multiplied the layers: a path through the layers adds its steps.")
def multiplies(width, dilations):
    return np.arange(np.prod([width * d for d in dilations], dtype=int))


@sees.wrong("You counted from 1: the newest input is 0 places back.")
def counts_from_one(width, dilations):
    return sees.reference(width, dilations) + 1


@sees.wrong("You gave the number of places: asked for is which, as an array in ascending order.")
def gives_how_many(width, dilations):
    return np.array([len(sees.reference(width, dilations))])


@sees.wrong("You gave the receptive field, the farthest place and 1: asked for is which places.")
def gives_the_field(width, dilations):
    return np.array([1 + (width - 1) * sum(dilations)])


@sees.wrong(
    "A distance stands there more than once: two paths may lead to the same place. Use a set, or "
    "np.unique."
)
def repeats_places(width, dilations):
    seen = [0]
    for d in dilations:
        seen = [a + j * d for a in seen for j in range(width)]
    return np.array(sorted(seen))


@sees.wrong("You left out what the farthest taps of all layers see together.")
def leaves_out_the_farthest(width, dilations):
    return sees.reference(width, dilations)[:-1]


@sees.wrong("They have to ascend: the newest input, 0, comes first.")
def descends(width, dilations):
    return sees.reference(width, dilations)[::-1]


@sees.right
def by_reachability(width, dilations):
    """Mark what is reached, place by place."""
    reach = np.array([True])
    for d in dilations:
        taps = np.zeros((width - 1) * d + 1)
        taps[::d] = 1
        reach = np.convolve(reach, taps) > 0
    return np.flatnonzero(reach)


@sees.right
def by_every_sum(width, dilations):
    """Add up one place of each layer, in all ways."""
    places = np.zeros(1, dtype=int)
    for d in dilations:
        places = np.unique(places[:, None] + d * np.arange(width))
    return places


@sees.check("a small case by hand")
def _(answer):
    got = answer(3, (2, 7))
    why = (
        "Width 3, dilations 2 and 7: the first layer reads 0, 2, 4 places back, the second 0, 7, "
        "14 back in the first; the sums are 0, 2, 4, 7, 9, 11, 14, 16, 18."
    )
    _compare(got, [0, 2, 4, 7, 9, 11, 14, 16, 18], why)


def _compare(got, wanted, why):
    array = as_array(got)
    expect(
        array.ndim == 1,
        f"It returned an array of {array.ndim} axes: return the places in one row. {why}",
    )
    if array.shape != (len(wanted),):
        raise Mistake(
            f"It returned {array.size} places, {array.tolist()[:12]}; right are {len(wanted)}, "
            f"{list(wanted)[:12]}. {why}"
        )
    expect_close(array, wanted, why)


def _by_a_probe(width, dilations):
    """By another road: change one input, and look whether the output changes."""
    length = 1 + (width - 1) * sum(dilations)
    places = []
    for back in range(length):
        x = np.zeros(length)
        x[length - 1 - back] = 1
        for d in dilations:
            x = sum(np.concatenate([np.zeros(j * d), x])[:length] for j in range(width))
        if x[-1]:
            places.append(back)
    return places


@sees.check("stacks with holes, and with two paths to a place")
def _(answer):
    for width, dilations in [(2, (1, 2, 4)), (2, (1, 3)), (3, (1, 1)), (2, (4, 4, 1)), (4, (5, 2))]:
        why = f"Width {width}, dilations {dilations}."
        _compare(answer(width, dilations), _by_a_probe(width, dilations), why)


@sees.check("one layer, no layer, width 1")
def _(answer):
    for width, dilations in [(3, (5,)), (2, ()), (1, (1, 2)), (2, (6,))]:
        why = f"Width {width}, dilations {dilations}."
        _compare(answer(width, dilations), _by_a_probe(width, dilations), why)


def _sigmoid(a):
    return 1 / (1 + np.exp(-a))


def _a_step(rng):
    """Some people, what they read and remember, and weights that fit them."""
    people, e, d = (int(size) for size in rng.integers(1, 5, size=3))
    scale = rng.choice([0.3, 1.0, 3.0])

    def some(*shape):
        drawn = rng.normal(0, scale, size=shape) * (rng.random(shape) < 0.8)
        return drawn.round() if rng.random() < 0.2 else drawn

    return some(people, e), some(people, d), some(e, 3 * d), some(d, 3 * d), some(2, 3 * d)


@define(
    "sequences.gru_step",
    notebook=11,
    inputs=_a_step,
    hints=[
        "Both parts have three columns of width d = h.shape[1], in the order z, r, c. Compute "
        "`a = x @ W + b[0]` and `g = h @ U + b[1]`, and cut both: `np.split(a, 3, axis=1)`.",
        "z and r are sigmoids of a sum: `z = 1 / (1 + np.exp(-(a_z + g_z)))`, and r alike.",
        "The candidate is `c = np.tanh(a_c + r * g_c)`: the reset gate stands outside of the "
        "product h U_c. What is returned: `z * h + (1 - z) * c`.",
    ],
)
def gru_step(x, h, W, U, b):
    """Return the new memory: one step of a GRU, as Keras takes it.

    x: people x e, what is read. h: people x d, the memory. W (e x 3d), U (d x 3d), b (2 x 3d): each
    holds three parts side by side, for z, r and the candidate c; b[0] belongs to x W, b[1] to h U.
    z, r = sigmoid(x W + b[0] + h U + b[1]),  c = tanh(x W + b[0] + r * (h U + b[1])), each with its
    own part; new memory: z * h + (1 - z) * c.
    """
    a_z, a_r, a_c = np.split(x @ W + b[0], 3, axis=1)
    g_z, g_r, g_c = np.split(h @ U + b[1], 3, axis=1)
    z = 1 / (1 + np.exp(-(a_z + g_z)))
    r = 1 / (1 + np.exp(-(a_r + g_r)))
    c = np.tanh(a_c + r * g_c)
    return z * h + (1 - z) * c


def _parts(x, h, W, U, b):
    a, g = np.split(x @ W + b[0], 3, axis=1), np.split(h @ U + b[1], 3, axis=1)
    return a, g


@gru_step.wrong(
    "You turned the update gate round. Papers differ here; in Keras z is the share of the *old* "
    "memory that stays: z * h + (1 - z) * c."
)
def turns_the_update_round(x, h, W, U, b):
    (a_z, a_r, a_c), (g_z, g_r, g_c) = _parts(x, h, W, U, b)
    z, r = _sigmoid(a_z + g_z), _sigmoid(a_r + g_r)
    return (1 - z) * h + z * np.tanh(a_c + r * g_c)


@gru_step.wrong(
    "You reset the memory before the product, (r * h) U_c: so wrote the first paper. Here the gate "
    "comes after it: r * (h U_c + b[1])."
)
def resets_before_the_product(x, h, W, U, b):
    (a_z, a_r, a_c), (g_z, g_r, _) = _parts(x, h, W, U, b)
    z, r = _sigmoid(a_z + g_z), _sigmoid(a_r + g_r)
    d = h.shape[1]
    c = np.tanh(a_c + (r * h) @ U[:, 2 * d :] + b[1, 2 * d :])
    return z * h + (1 - z) * c


@gru_step.wrong("You took r for z and z for r: the parts stand in the order z, r, c.")
def swaps_the_gates(x, h, W, U, b):
    (a_z, a_r, a_c), (g_z, g_r, g_c) = _parts(x, h, W, U, b)
    r, z = _sigmoid(a_z + g_z), _sigmoid(a_r + g_r)
    return z * h + (1 - z) * np.tanh(a_c + r * g_c)


@gru_step.wrong("You left out b[1], the bias that belongs to h U.")
def forgets_the_second_bias(x, h, W, U, b):
    return gru_step.reference(x, h, W, U, np.array([b[0], 0 * b[1]]))


@gru_step.wrong("You left out b[0], the bias that belongs to x W.")
def forgets_the_first_bias(x, h, W, U, b):
    return gru_step.reference(x, h, W, U, np.array([0 * b[0], b[1]]))


@gru_step.wrong("You put b[1] outside of the reset gate: r multiplies (h U + b[1]).")
def keeps_the_bias_outside(x, h, W, U, b):
    (a_z, a_r, a_c), (g_z, g_r, g_c) = _parts(x, h, W, U, b)
    z, r, own = _sigmoid(a_z + g_z), _sigmoid(a_r + g_r), b[1, -h.shape[1] :]
    return z * h + (1 - z) * np.tanh(a_c + r * (g_c - own) + own)


@gru_step.wrong("You returned the candidate c: mix it with the old memory, z * h + (1 - z) * c.")
def returns_the_candidate(x, h, W, U, b):
    (_, a_r, a_c), (_, g_r, g_c) = _parts(x, h, W, U, b)
    return np.tanh(a_c + _sigmoid(a_r + g_r) * g_c)


@gru_step.wrong("You left out the reset gate: c = tanh(x W + b[0] + r * (h U + b[1])).")
def forgets_the_reset(x, h, W, U, b):
    (a_z, _, a_c), (g_z, _, g_c) = _parts(x, h, W, U, b)
    z = _sigmoid(a_z + g_z)
    return z * h + (1 - z) * np.tanh(a_c + g_c)


@gru_step.wrong("You used the sigmoid for the candidate: it is a tanh, between -1 and 1.")
def squashes_the_candidate_by_a_sigmoid(x, h, W, U, b):
    (a_z, a_r, a_c), (g_z, g_r, g_c) = _parts(x, h, W, U, b)
    z, r = _sigmoid(a_z + g_z), _sigmoid(a_r + g_r)
    return z * h + (1 - z) * _sigmoid(a_c + r * g_c)


@gru_step.wrong(
    "The reset gate stands at the wrong term: it multiplies h U + b[1], not x W + b[0]."
)
def resets_what_is_read(x, h, W, U, b):
    (a_z, a_r, a_c), (g_z, g_r, g_c) = _parts(x, h, W, U, b)
    z, r = _sigmoid(a_z + g_z), _sigmoid(a_r + g_r)
    return z * h + (1 - z) * np.tanh(r * a_c + g_c)


@gru_step.wrong("The gates are sigmoids, between 0 and 1: you used tanh for them.")
def makes_gates_by_tanh(x, h, W, U, b):
    (a_z, a_r, a_c), (g_z, g_r, g_c) = _parts(x, h, W, U, b)
    z, r = np.tanh(a_z + g_z), np.tanh(a_r + g_r)
    return z * h + (1 - z) * np.tanh(a_c + r * g_c)


@gru_step.right
def by_columns(x, h, W, U, b):
    """Cut the matrices, not the products."""
    d = h.shape[1]
    z, r, c = slice(0, d), slice(d, 2 * d), slice(2 * d, 3 * d)
    update = 0.5 + 0.5 * np.tanh((x @ W[:, z] + h @ U[:, z] + b[0, z] + b[1, z]) / 2)
    reset = 0.5 + 0.5 * np.tanh((x @ W[:, r] + h @ U[:, r] + b[0, r] + b[1, r]) / 2)
    new = np.tanh(x @ W[:, c] + b[0, c] + reset * (h @ U[:, c] + b[1, c]))
    return new + update * (h - new)


@gru_step.right
def in_three_axes(x, h, W, U, b):
    """Put the parts on an axis of their own."""
    read = np.reshape(x @ W + b[0], (len(x), 3, -1))
    kept = np.reshape(h @ U + b[1], (len(h), 3, -1))
    z, r = np.moveaxis(1 / (1 + np.exp(-read[:, :2] - kept[:, :2])), 1, 0)
    return h * z + np.tanh(read[:, 2] + kept[:, 2] * r) * (1 - z)


@gru_step.check("a small case by hand")
def _(answer):
    x, h = np.array([[1.0]]), np.array([[0.5, -2.0]])
    W = np.array([[0.0, 0.3, 0.4, -0.2, 0.3, 0.6]])
    U = np.array([[2.0, 0.1, 0.2, 0.7, 1.4, 0.5], [0.25, 0.9, -0.3, 0.15, 0.1, -0.8]])
    b = np.array([[0.1, 0.8, -0.3, 0.2, 0.7, -0.1], [0.4, -0.5, 0.6, -0.7, -0.2, 1.1]])
    z, r = 1 / (1 + np.exp([-1.0, 1.15])), 1 / (1 + np.exp([-1.4, 0.65]))
    c = np.tanh([1.0 + r[0] * 0.3, 0.5 + r[1] * 2.95])
    got = expect_shape(answer(x, h, W, U, b), (1, 2), "The new memory")
    why = (
        "One person, e = 1, d = 2, the first place: z = sigmoid(0 + 0.1 + 0.5 + 0.4) = 0.731, "
        "r = sigmoid(0.4 - 0.3 + 0.7 + 0.6) = 0.802, c = tanh(0.3 + 0.7 + r (0.5 - 0.2)) = 0.846; "
        "new: z 0.5 + (1 - z) c = 0.593."
    )
    expect_close(got, [z * h[0] + (1 - z) * c], why)


def _person_by_person(x, h, W, U, b):
    """The step by another road: number by number."""
    d = h.shape[1]
    found = np.empty_like(h, dtype=float)
    for i in range(len(h)):
        for k in range(d):
            a = [sum(x[i] * W[:, k + part * d]) + b[0, k + part * d] for part in range(3)]
            g = [sum(h[i] * U[:, k + part * d]) + b[1, k + part * d] for part in range(3)]
            z, r = (1 / (1 + np.exp(-(a[part] + g[part]))) for part in (0, 1))
            found[i, k] = z * h[i, k] + (1 - z) * np.tanh(a[2] + r * g[2])
    return found


@gru_step.check("random cases")
def _(answer):
    rng = np.random.default_rng(5)
    for people, e, d in [(4, 3, 2), (1, 2, 5), (3, 1, 3)]:
        x, h = rng.normal(size=(people, e)), rng.normal(size=(people, d))
        W, U, b = (rng.normal(size=size) for size in [(e, 3 * d), (d, 3 * d), (2, 3 * d)])
        why = f"{people} people, e = {e}, d = {d}."
        expect_close(answer(x, h, W, U, b), _person_by_person(x, h, W, U, b), why)


@gru_step.check("an empty memory, and whole numbers")
def _(answer):
    rng = np.random.default_rng(6)
    for people, e, d in [(2, 3, 4), (3, 2, 1)]:
        x, h = rng.integers(-2, 3, size=(people, e)), np.zeros((people, d))
        if d == 1:
            h = rng.integers(-1, 2, size=(people, d))
        W, U, b = (rng.integers(-2, 3, size=size) for size in [(e, 3 * d), (d, 3 * d), (2, 3 * d)])
        expect_close(
            answer(x, h, W, U, b),
            _person_by_person(x, h, W, U, b),
            "At the start of a history the memory is 0; the biases count all the same.",
        )


@define(
    "sequences.attend",
    notebook=11,
    hints=[
        "What may row t look at? The columns 0 to t. `np.tril(np.ones((L, L), bool))` is True "
        "there.",
        "Put -inf where row t may not look, *before* the softmax: `np.where(allowed, scores, "
        "-np.inf)`. exp(-inf) is 0, and the others share the 1 among them.",
        "Softmax of each row: subtract the row's maximum, `np.exp`, divide by the row's sum, both "
        "with `axis=1, keepdims=True`.",
    ],
    equivalent={
        "line 7: np.ones(scores.shape, dtype=bool) -> np.ones(scores.shape)": "1.0 is as true as "
        "True",
    },
)
def attend(scores):
    """Return the weights (L x L) of causal attention: the softmax of each row over places 0 to t.

    scores[t, s] is what the query of place t gives to the key of place s, of any size. Place t may
    look at itself and at what came before; every other weight is 0.
    """
    allowed = np.tril(np.ones(scores.shape, dtype=bool))
    masked = np.where(allowed, scores, -np.inf)
    weights = np.exp(masked - masked.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _softmax(scores, axis=1):
    with np.errstate(all="ignore"):
        weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
        return weights / weights.sum(axis=axis, keepdims=True)


@attend.wrong(
    "Your mask is the wrong way round: place t looks at what comes *after* it. Keep the lower "
    "triangle, `np.tril`."
)
def looks_into_the_future(scores):
    return _softmax(np.where(np.triu(np.ones(scores.shape, bool)), scores, -np.inf))


@attend.wrong(
    "Your mask is one place off: place t does not see itself, the newest event, and place 0 sees "
    "nothing. Keep the diagonal."
)
def does_not_see_itself(scores):
    allowed = np.tril(np.ones(scores.shape, bool), -1)
    return np.nan_to_num(_softmax(np.where(allowed, scores, -np.inf)))


@attend.wrong(
    "Your mask is one place off: place t sees place t + 1, which is the answer that it is asked "
    "for. The loss would fall to 0, and nothing be learned."
)
def sees_the_next(scores):
    return _softmax(np.where(np.tril(np.ones(scores.shape, bool), 1), scores, -np.inf))


@attend.wrong(
    "You took the softmax first and masked afterwards: the future has had its share, and the rows "
    "no longer sum to 1. Mask the scores, with -inf, then take the softmax."
)
def masks_after_the_softmax(scores):
    return np.tril(_softmax(scores))


@attend.wrong(
    "You masked with 0. A score of 0 is a score like any other, and exp(0) = 1: mask with -inf."
)
def masks_with_zero(scores):
    return _softmax(np.tril(scores))


@attend.wrong("You forgot the mask: every place sees the future.")
def forgets_the_mask(scores):
    return _softmax(scores)


@attend.wrong(
    "Your softmax runs down the columns: each row, the weights of one place, has to sum to 1. Take "
    "axis=1."
)
def along_the_columns(scores):
    return _softmax(np.where(np.tril(np.ones(scores.shape, bool)), scores, -np.inf), axis=0)


@attend.wrong(
    "exp of a large score overflows: subtract the row's maximum first. The weights stay the same."
)
def overflows(scores):
    weights = np.tril(np.exp(scores.astype(float)))
    return weights / weights.sum(axis=1, keepdims=True)


@attend.wrong(
    "You subtracted one maximum for all rows, or a maximum that the mask hides: a row with much "
    "lower scores becomes 0 / 0. Take each row's own, after the mask."
)
def subtracts_one_maximum(scores):
    weights = np.tril(np.exp(scores.astype(float) - scores.max()))
    return weights / weights.sum(axis=1, keepdims=True)


@attend.wrong("You shared the 1 out equally: the weights have to follow the scores.")
def shares_equally(scores):
    weights = np.tril(np.ones(scores.shape))
    return weights / weights.sum(axis=1, keepdims=True)


@attend.wrong("You divided the scores without the exponential: negative scores give no weights.")
def forgets_the_exponential(scores):
    with np.errstate(all="ignore"):
        masked = np.tril(scores).astype(float)
        return masked / masked.sum(axis=1, keepdims=True)


@attend.wrong("You returned the masked scores: take the softmax of each row.")
def returns_the_scores(scores):
    return np.where(np.tril(np.ones(scores.shape, bool)), scores, -np.inf)


@attend.right
def row_by_row(scores):
    """Each row's own softmax, over what it may see."""
    found = np.zeros(scores.shape)
    for t, row in enumerate(scores):
        e = np.exp(row[: t + 1] - row[: t + 1].max())
        found[t, : t + 1] = e / e.sum()
    return found


@attend.right
def with_a_large_number(scores):
    """Add a mask of very negative numbers."""
    scores = scores - np.triu(np.full(scores.shape, 1e30), 1)
    e = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return np.tril(e) / np.sum(np.tril(e), axis=-1, keepdims=True)


@attend.check("a small case by hand")
def _(answer):
    a, b, c = np.log([2.0, 3.0, 5.0])
    scores = np.array([[a, 1.5, -0.5], [b, c, 0.75], [c, a, b]])
    right = [[1, 0, 0], [3 / 8, 5 / 8, 0], [0.5, 0.2, 0.3]]
    got = expect_shape(answer(scores), (3, 3), "The weights")
    why = (
        "The scores below and on the diagonal are log 2; log 3, log 5; log 5, log 2, log 3: place "
        "0 sees itself alone, place 1 shares 3 : 5, place 2 shares 5 : 2 : 3."
    )
    expect_close(got, right, why)


def _by_prefixes(scores):
    """By another road: the softmax of each prefix, by ratios."""
    found = np.zeros(scores.shape)
    for t in range(len(scores)):
        for s in range(t + 1):
            with np.errstate(over="ignore"):
                found[t, s] = 1 / np.exp(scores[t, : t + 1] - float(scores[t, s])).sum()
    return found


@attend.check("random scores, negative ones, zeros and ties")
def _(answer):
    rng = np.random.default_rng(2)
    for size in (4, 1, 6):
        scores = rng.normal(size=(size, size)).round(1)
        expect_close(answer(scores), _by_prefixes(scores), f"A history of {size}.")
    scores = rng.integers(-2, 3, size=(5, 5))
    expect_close(answer(scores), _by_prefixes(scores), "Whole numbers, with zeros and ties.")
    expect_close(answer(np.zeros((3, 3))), np.tril(np.ones((3, 3)) / [[1], [2], [3]]), "All equal.")


@attend.check("large scores")
def _(answer):
    scores = np.array([[900.0, 3.0, 0.0], [-900.0, -902.0, 950.0], [-800.0, 850.0, 851.0]])
    with np.errstate(all="ignore"):
        got = answer(scores)
        why = "Scores of 900 and of -900: subtract each row's own maximum, after the mask."
        expect_close(got, _by_prefixes(scores), why)


define_quiz(
    "sequences.recap",
    notebook=11,
    questions=[
        Choice(
            "sequences.q_target",
            "After two epochs the training loss of a self-attention network is 0.01. On held-out "
            "events it is behind popularity. The mask in the code: np.tril(np.ones((L, L)), 1). "
            "What is wrong?",
            right="each place sees the item that it has to name",
            because="The mask is one place off. Copying needs no taste, and in use there is "
            "nothing to copy.",
            wrong={
                "it overfits: the network has too many weights": "Overfitting takes many epochs, "
                "and the loss seldom falls to 0. Two epochs and 0.01 mean that the answer is there "
                "to be read.",
                "nothing sees its own place": "That would be np.tril(..., -1). Then the loss would "
                "be too high, not too low.",
            },
        ),
        Choice(
            "sequences.q_shuffle",
            "A report: popularity 0.050, a GRU 0.100, and the same GRU with each history shuffled "
            "before the question 0.098. It concludes: the order of events matters. What is shown?",
            right="the items matter, and their order hardly",
            because="What a shuffled history still gives did not come from the order. EASE may do "
            "as well.",
            wrong={
                "the order matters: a GRU reads an order": "It can read one. The shuffle says "
                "that here it gained 0.002 from it.",
                "nothing: a GRU may not be asked about shuffled histories": "It may: the question "
                "is what it takes from the order, and without the order it loses nearly nothing.",
            },
        ),
        Number(
            "sequences.q_field",
            "A causal CNN has four layers of width 3, with dilations 1, 2, 4 and 8. How many "
            "places, its own included, does an output see?",
            right=31,
            because="The farthest taps are 2, 4, 8 and 16 places back, 30 in all; and its own.",
            wrong={
                30: "You left out its own place, 0 back.",
                16: "That is width 2: with width 3 the farthest tap of a layer is two dilations "
                "back.",
                81: "You multiplied the widths. So many paths there are, but many lead to the same "
                "place: distances add up.",
                45: "With width 3 the taps are 0, 1 and 2 dilations back: the farthest is 2.",
                "else": "Add up how far back the farthest tap of each layer reaches, 2 times its "
                "dilation, and count its own place.",
            },
            tolerance=0.1,
            answer="len(sees(3, (1, 2, 4, 8)))",
        ),
        Number(
            "sequences.q_best",
            "In the known world with 100 items, half of all events are chance. Which nDCG@10 is "
            "the best possible, to two digits? (The ten discounts sum to 4.54.)",
            right=0.52,
            because="0.5 by the rule, and 0.005 times 4.54 by luck: the ten places catch a few of "
            "the chance events.",
            wrong={
                0.5: "Of the chance events, some fall on the list: each place catches a hundredth "
                "of them.",
                1.0: "No list knows what chance will bring: half of the events have no rule.",
                0.95: "You counted ten chance hits in full: each comes with the probability 0.005.",
                "else": "(1 - q) + q / n times the sum of the discounts, with q = 0.5 and n = 100.",
            },
            tolerance=0.005,
            answer="SeriesWorld(10, 10, 0.5).best_ndcg()",
        ),
        Choice(
            "sequences.q_home",
            "A film site wants a list for members who come back after some days. In tests on the "
            "last event of each member, the Markov chain is far ahead of popularity. Which of the "
            "two should make the list?",
            right="popularity",
            because="Their question is the first event after a break, and there the chain is "
            "behind.",
            wrong={
                "the chain": "It won another question: what comes next within one sitting.",
                "either: the difference is small": "It is not small on either question, and it "
                "changes its sign.",
            },
            answer="'popularity' if ahead['break'][0] < 0 < ahead['last'][1] else 'the chain'",
        ),
        Choice(
            "sequences.q_split",
            "A colleague cuts all histories into windows of twenty events, trains on a random nine "
            "tenths of the windows, and asks for the last event of the others. Why is the score "
            "too good?",
            right="later events of the same people have trained the network",
            because="A window before and a window after the asked one are in train: the split has "
            "to be by time.",
            wrong={
                "windows of twenty are too short": "That would make the score worse.",
                "one person gives several windows": "That alone would make intervals too narrow. "
                "The score is too good because some of these windows are later than the question.",
            },
        ),
    ],
)
