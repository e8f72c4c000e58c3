"""The exercises of notebook 12, Neural collaborative filtering: losses for lists, and NeuMF."""

import numpy as np

from .engine import define, expect_close, expect_equal, expect_shape
from .questions import Choice, Number, define_quiz


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _some_logits(rng):
    """Logits, and for each person fewer events than items."""
    people, items = rng.integers(1, 7), rng.integers(2, 9)
    counts = rng.integers(1, items, size=people)
    return rng.normal(size=(people, items)), counts, int(rng.integers(1, 6))


@define(
    "ncf.probability",
    notebook=12,
    inputs=_some_logits,
    hints=[
        "In the training pairs an event of a person comes once. Each of their n - count zeros "
        "comes ratio * count / (n - count) times on average. What does that do to the odds?",
        "The odds that the model learned are too high by one over that rate, so add the logarithm "
        "of the rate to the logit. There is one rate for each person, each row.",
        "`rate = ratio * counts / (n - counts)`, then a sigmoid of `z + np.log(rate)[:, None]`.",
    ],
)
def probability(z, counts, ratio):
    """Return the probability, among all cells, that was meant by each logit: the shape of z.

    z: people x n items, logits learned with `ratio` zeros drawn for each event, uniform among the
    person's cells without an event. counts: each person's number of events.
    """
    drawn, zeros = ratio * counts, z.shape[1] - counts
    return 1 / (1 + np.exp(-(z + np.log(drawn / zeros)[:, None])))


@probability.right
def by_odds(z, counts, ratio):
    odds = np.exp(z) * (ratio * counts / (z.shape[1] - counts)).reshape(-1, 1)
    return odds / (1 + odds)


@probability.right
def person_by_person(z, counts, ratio):
    from scipy.special import expit

    rows = [
        expit(row + np.log(ratio) + np.log(c) - np.log(len(row) - c))
        for row, c in zip(z, counts, strict=True)
    ]
    return np.array(rows)


@probability.wrong("You left the logits as they were learned: the zeros were drawn, so shift them.")
def no_shift(z, counts, ratio):
    return _sigmoid(z)


@probability.wrong(
    "The sign is turned round: few of the zeros were drawn, so in truth events are rarer than in "
    "the training pairs."
)
def turned_round(z, counts, ratio):
    return _sigmoid(z - np.log(ratio * counts / (z.shape[1] - counts))[:, None])


@probability.wrong(
    "A sigmoid twice: z is a logit, so shift it first, and squash it once, at the end."
)
def sigmoid_twice(z, counts, ratio):
    return _sigmoid(_sigmoid(z) + np.log(ratio * counts / (z.shape[1] - counts))[:, None])


@probability.wrong(
    "You divided by all n items of a person: zeros are drawn among the n - count without an event."
)
def divides_by_all_items(z, counts, ratio):
    return _sigmoid(z + np.log(ratio * counts / z.shape[1])[:, None])


@probability.wrong(
    "The ratio is missing: with four zeros for each event, four times as many are drawn as with "
    "one."
)
def forgets_the_ratio(z, counts, ratio):
    return _sigmoid(z + np.log(counts / (z.shape[1] - counts))[:, None])


@probability.wrong(
    "You took the ratio alone. How rarely a zero is drawn depends on how many there are: ratio * "
    "count were drawn out of n - count."
)
def ratio_alone(z, counts, ratio):
    return _sigmoid(z - np.log(ratio))


@probability.wrong(
    "You took one rate for all people. Zeros are drawn for each event of a person, so somebody "
    "with many events has a larger share of their zeros drawn."
)
def one_rate_for_all(z, counts, ratio):
    return _sigmoid(z + np.log(ratio * np.mean(counts) / (z.shape[1] - np.mean(counts))))


@probability.wrong("You scaled the probability: what is too high by a factor is the odds.")
def scales_the_probability(z, counts, ratio):
    return _sigmoid(z) * (ratio * counts / (z.shape[1] - counts))[:, None]


@probability.wrong("You returned the shifted logit: squash it with a sigmoid.")
def returns_the_logit(z, counts, ratio):
    return z + np.log(ratio * counts / (z.shape[1] - counts))[:, None]


@probability.wrong("You added the rate itself: add its logarithm to the logit.")
def adds_the_rate(z, counts, ratio):
    rate = ratio * counts / (z.shape[1] - counts)
    return _sigmoid(z + rate[:, None])


@probability.wrong("You took the logarithm to base 2: `np.log` is the natural one, as in exp.")
def takes_base_two(z, counts, ratio):
    rate = ratio * counts / (z.shape[1] - counts)
    return _sigmoid(z + np.log2(rate)[:, None])


@probability.wrong("The ratio belongs above the line: with more zeros drawn the rate is higher.")
def puts_the_ratio_below(z, counts, ratio):
    return _sigmoid(z + np.log(counts / (ratio * (z.shape[1] - counts)))[:, None])


@probability.wrong("You multiplied the logits: the logarithm of the rate is added to them.")
def multiplies_the_logits(z, counts, ratio):
    rate = ratio * counts / (z.shape[1] - counts)
    return _sigmoid(z * np.log(rate)[:, None])


@probability.check("a small case by hand")
def _(answer):
    z = np.array([[0.7, -1.1, 0.0, 2.3, -0.4, 1.9, -2.6], [1.3, 0.2, -0.9, 0.0, 0.6, -1.7, 0.5]])
    rates = np.array([[3 * 2 / 5], [3 * 4 / 3]])
    odds = np.exp(z) * rates
    expect_close(
        answer(z, np.array([2, 4]), 3),
        odds / (1 + odds),
        "Person 0 has 2 events and 5 zeros, of which 3 x 2 = 6 were drawn: rate 6/5. Person 1: "
        "12/3.",
    )


@probability.check("rare events")
def _(answer):
    z = np.array([[-0.3, 1.2, 0.0, 3.0] + [0.5] * 396, [2.0, -2.0, 0.1, 0.0] + [-1.5] * 396])
    odds = np.exp(z) * np.array([[4 * 5 / 395], [4 * 40 / 360]])
    expect_close(answer(z, np.array([5, 40]), 4), odds / (1 + odds), "Rates 20/395 and 160/360.")


@probability.check("random cases")
def _(answer):
    rng = np.random.default_rng(12)
    for people, n, ratio in [(3, 8, 1), (1, 11, 4), (5, 30, 2), (4, 4, 3), (6, 2, 5)]:
        z = rng.normal(size=(people, n)).round(2)
        counts = rng.integers(1, n, size=people)
        odds = np.exp(z) * (ratio * counts / (n - counts))[:, None]
        expect_close(answer(z, counts, ratio), odds / (1 + odds))


@define(
    "ncf.bpr_slopes",
    notebook=12,
    hints=[
        "Write z = u . (v_i - v_j). The slope of -ln sigmoid(z) in z is sigmoid(z) - 1, which is "
        "-sigmoid(-z). Then the chain rule.",
        "z changes by v_i - v_j when u changes, by u when v_i changes, and by -u when v_j changes.",
        "`pull = 1 / (1 + np.exp(u @ (vi - vj)))`, and the rows are `-pull * (vi - vj)`, "
        "`-pull * u`, `pull * u`: put them together with `np.array([...])`.",
    ],
    equivalent={
        "line 6: u @ (vi - vj) -> (vi - vj) @ u": "a dot product, whatever the order",
    },
)
def bpr_slopes(u, vi, vj):
    """Return the slopes of J = -ln sigmoid(u . (vi - vj)) in u, in vi and in vj: a 3 x k array.

    u, vi, vj: arrays of k numbers. vi is an item that the person has, vj one that they have not.
    """
    pull = 1 / (1 + np.exp(u @ (vi - vj)))
    return np.array([-pull * (vi - vj), -pull * u, pull * u])


@bpr_slopes.right
def through_the_slope_in_z(u, vi, vj):
    z = np.sum(u * vi) - np.sum(u * vj)
    return (1 / (1 + np.exp(-z)) - 1) * np.stack([vi - vj, u, -u])


@bpr_slopes.right
def number_by_number(u, vi, vj):
    d = [a - b for a, b in zip(vi, vj, strict=True)]
    slope = -1 / (1 + np.exp(sum(a * b for a, b in zip(u, d, strict=True))))
    return slope * np.array([d, list(u), [-a for a in u]])


@bpr_slopes.wrong(
    "The sign of the difference: the item that they have should be ahead, so z = u . (vi - vj)."
)
def difference_turned_round(u, vi, vj):
    pull = 1 / (1 + np.exp(u @ (vj - vi)))
    return np.array([-pull * (vj - vi), pull * u, -pull * u])


@bpr_slopes.wrong(
    "That is the direction in which ln sigmoid rises. J has a minus: turn all signs round."
)
def slopes_of_the_logarithm(u, vi, vj):
    return -bpr_slopes.reference(u, vi, vj)


@bpr_slopes.wrong(
    "The factor is sigmoid(-z), large where the order is wrong; you took sigmoid(z), large where "
    "nothing is left to be done."
)
def pulls_where_it_is_right(u, vi, vj):
    pull = 1 / (1 + np.exp(-(u @ (vi - vj))))
    return np.array([-pull * (vi - vj), -pull * u, pull * u])


@bpr_slopes.wrong("You left the logarithm out: the slope of -ln sigmoid(z) is sigmoid(z) - 1.")
def slope_of_the_sigmoid(u, vi, vj):
    p = 1 / (1 + np.exp(-(u @ (vi - vj))))
    return -p * (1 - p) * np.array([vi - vj, u, -u])


@bpr_slopes.wrong("You left the sigmoid out: a pair in the right order is to be left in peace.")
def no_sigmoid(u, vi, vj):
    return np.array([-(vi - vj), -u, u])


@bpr_slopes.wrong("vj stands in J with a minus: its slope has the other sign than that of vi.")
def both_items_alike(u, vi, vj):
    pull = 1 / (1 + np.exp(u @ (vi - vj)))
    return np.array([-pull * (vi - vj), -pull * u, -pull * u])


@bpr_slopes.wrong("The slope in u is a multiple of vi - vj: both items count.")
def forgets_the_other_item(u, vi, vj):
    pull = 1 / (1 + np.exp(u @ (vi - vj)))
    return np.array([-pull * vi, -pull * u, pull * u])


@bpr_slopes.wrong(expects="shape")
def returns_one_row(u, vi, vj):
    return bpr_slopes.reference(u, vi, vj).ravel()


@bpr_slopes.wrong("You multiplied number by number in z: it is one number, u @ (vi - vj).")
def has_a_z_for_each_factor(u, vi, vj):
    pull = _sigmoid(-u * (vi - vj))
    return np.array([-pull * (vi - vj), -pull * u, pull * u])


@bpr_slopes.wrong("The rows are in another order: first the slope in u, then in vi, then in vj.")
def puts_u_last(u, vi, vj):
    return bpr_slopes.reference(u, vi, vj)[[1, 2, 0]]


@bpr_slopes.wrong("z = u . vi - u . vj: what it changes by, when vi moves, is u, and not vi.")
def takes_the_items_own_vectors(u, vi, vj):
    pull = _sigmoid(-u @ (vi - vj))
    return np.array([-pull * (vi - vj), -pull * vi, pull * vj])


@bpr_slopes.wrong("The signs of vi and vj are exchanged: J falls when vi moves along u.")
def exchanges_the_signs(u, vi, vj):
    return bpr_slopes.reference(u, vi, vj)[[0, 2, 1]]


@bpr_slopes.wrong("You multiplied by J itself: its slope in z is sigmoid(z) - 1.")
def multiplies_by_the_loss(u, vi, vj):
    pull = np.logaddexp(0, -u @ (vi - vj))
    return np.array([-pull * (vi - vj), -pull * u, pull * u])


@bpr_slopes.check("a small case by hand")
def _(answer):
    u, vi, vj = np.array([1.0, -0.5]), np.array([0.3, 0.8]), np.array([-0.4, 1.1])
    got = expect_shape(answer(u, vi, vj), (3, 2))
    pull = 1 / (1 + np.exp(0.85))
    wanted = pull * np.array([[-0.7, 0.3], [-1.0, 0.5], [1.0, -0.5]])
    expect_close(got, wanted, "z = 1 x 0.7 - 0.5 x (-0.3) = 0.85, and sigmoid(-0.85) = 0.299.")


@bpr_slopes.check("slopes by finite differences")
def _(answer):
    rng = np.random.default_rng(2)
    for k in (1, 3, 7):
        u, vi, vj = rng.normal(size=(3, k)).round(2) * 2
        expect_close(answer(u, vi, vj), _by_differences(u, vi, vj), tol=1e-6)


def _by_differences(u, vi, vj, h=1e-6):
    given, slopes = np.array([u, vi, vj], float), np.zeros((3, len(u)))

    def J(parts):
        return np.logaddexp(0, -parts[0] @ (parts[1] - parts[2]))

    for place in np.ndindex(slopes.shape):
        step = np.zeros_like(slopes)
        step[place] = h
        slopes[place] = (J(given + step) - J(given - step)) / (2 * h)
    return slopes


@bpr_slopes.check("edge cases")
def _(answer):
    u, v = np.array([2.0, -1.0, 3.0]), np.array([0.5, 0.25, -1.0])
    why = "Twice the same item: z = 0, sigmoid(0) = 1/2, and u is not moved."
    expect_close(answer(u, v, v), np.array([0 * u, -u / 2, u / 2]), why)
    zero = np.zeros(3)
    expect_close(answer(zero, v, -v), np.array([-v, zero, zero]), "u = 0: only u is moved.")


@define(
    "ncf.auc",
    notebook=12,
    hints=[
        "`z[has]` are the scores of the events, `z[~has]` those of the others. There is a pair for "
        "each of the first with each of the second: `z[has][:, None] - z[~has]`.",
        "A pair in the right order counts 1, a tie one half, and one in the wrong order 0. Take "
        "the mean over all pairs.",
        "`d = z[has][:, None] - z[~has]`, then `np.mean((d > 0) + 0.5 * (d == 0))`.",
    ],
)
def auc(z, has):
    """Return the share of pairs (an item they have, one they have not) in the right order.

    z: the scores of n items. has: n bools, True where the person has the item; at least one of
    each. The first one of a pair should score higher; equal scores count one half.
    """
    difference = z[has][:, None] - z[~has]
    return np.mean((difference > 0) + 0.5 * (difference == 0))


@auc.right
def by_the_sign(z, has):
    return 0.5 + 0.5 * np.mean(np.sign(z[has][:, None] - z[~has][None, :]))


@auc.right
def by_ranks(z, has):
    places = np.array([np.sum(z < one) + 0.5 * np.sum(z == one) + 0.5 for one in z])
    events = has.sum()
    return (places[has].sum() - events * (events + 1) / 2) / (events * (~has).sum())


@auc.wrong("You counted a tie as a success: it says nothing, so it counts one half.")
def ties_count_one(z, has):
    return np.mean(z[has][:, None] >= z[~has])


@auc.wrong("You counted a tie as a failure: it says nothing, so it counts one half.")
def ties_count_nothing(z, has):
    return np.mean(z[has][:, None] > z[~has])


@auc.wrong("The pairs are turned round: the item that they have should score higher.")
def turned_pairs(z, has):
    difference = z[~has][:, None] - z[has]
    return np.mean((difference > 0) + 0.5 * (difference == 0))


@auc.wrong(
    "Your negatives are drawn from the positives too: the second of a pair is an item that they "
    "have not, z[~has]."
)
def negatives_among_the_positives(z, has):
    difference = z[has][:, None] - z
    return np.mean((difference > 0) + 0.5 * (difference == 0))


@auc.wrong("That counts the pairs: divide by how many there are.")
def counts_pairs(z, has):
    difference = z[has][:, None] - z[~has]
    return np.sum((difference > 0) + 0.5 * (difference == 0))


@auc.wrong(
    "You compared with the mean of the others: each event has to be compared with each of them."
)
def compares_with_the_mean(z, has):
    difference = z[has] - z[~has].mean()
    return np.mean((difference > 0) + 0.5 * (difference == 0))


@auc.wrong(
    "You compared with the best of the others: each event has to be compared with each of them."
)
def compares_with_the_best(z, has):
    difference = z[has] - z[~has].max()
    return np.mean((difference > 0) + 0.5 * (difference == 0))


@auc.wrong(expects="could not be broadcast")
def pairs_by_position(z, has):
    difference = z[has] - z[~has]
    return np.mean((difference > 0) + 0.5 * (difference == 0))


@auc.wrong("Only the first event was compared: `return` stands inside the loop.")
def returns_after_the_first_event(z, has):
    difference = z[has][0] - z[~has]
    return np.mean((difference > 0) + 0.5 * (difference == 0))


@auc.wrong(
    "argsort breaks ties by place: equal scores need equal ranks (scipy.stats.rankdata), or a half."
)
def ranks_by_argsort(z, has):
    ranks = np.argsort(np.argsort(z, kind="stable")) + 1
    events, others = has.sum(), (~has).sum()
    return (ranks[has].sum() - events * (events + 1) / 2) / (events * others)


@auc.wrong("You divided by the square of all items: there are (events) x (others) pairs.")
def divides_by_all_pairs(z, has):
    return auc.reference(z, has) * has.sum() * (~has).sum() / len(z) ** 2


@auc.wrong("That is 2 AUC - 1: a share of pairs goes from 0 to 1.")
def doubles_and_takes_one_off(z, has):
    return 2 * auc.reference(z, has) - 1


@auc.wrong("You took the sigmoid of the differences: a pair is right or wrong, or a tie.")
def smooths_the_pairs(z, has):
    return np.mean(_sigmoid(z[has][:, None] - z[~has]))


@auc.wrong("You averaged the differences: a pair counts 1, 0, or one half, however far apart.")
def averages_the_differences(z, has):
    return np.mean(z[has][:, None] - z[~has])


@auc.wrong("You compared two means: each event has to be compared with each of the others.")
def compares_the_means(z, has):
    return float(z[has].mean() > z[~has].mean())


@auc.wrong("A mask of whole numbers means items 0 and 1: leave it boolean, `z[has]`, `z[~has]`.")
def takes_the_mask_for_positions(z, has):
    difference = z[has.astype(int)][:, None] - z[1 - has.astype(int)]
    return np.mean((difference > 0) + 0.5 * (difference == 0))


@auc.check("a small case by hand")
def _(answer):
    z = np.array([0.9, 0.4, 0.4, 0.1, -0.3, 0.4, 0.7])
    has = np.array([True, True, False, False, False, False, False])
    why = "Of 10 pairs, the event 0.9 wins 5; the event 0.4 wins 2, ties 2 and loses 1: 8 of 10."
    expect_close(answer(z, has), 0.8, why)


@auc.check("ties")
def _(answer):
    has = np.array([False, True, False, True, False])
    expect_close(answer(np.zeros(5), has), 0.5, "All scores are equal: one half.")
    z = np.array([1.0, 1.0, 0.0, -2.0, 1.0])
    expect_close(answer(z, has), 2 / 6, "1 wins one and ties two of three, -2 loses all: 2 of 6.")


@auc.check("random cases")
def _(answer):
    rng = np.random.default_rng(5)
    for n in (2, 3, 6, 9, 20, 41):
        z = rng.integers(-3, 4, size=n) / 2  # few values: many ties
        has = rng.permutation(np.arange(n) < rng.integers(1, max(2, n // 2)))
        wanted = np.mean([(a > b) + (a == b) / 2 for a in z[has] for b in z[~has]])
        expect_close(answer(z, has), wanted)


@define(
    "ncf.weights",
    notebook=12,
    hints=[
        "Go from the top: four tables of embeddings, two of length k and two of length 2k. "
        "Together the users' have 3k numbers a person, and the items' 3k an item.",
        "A dense layer from a to b units has a x b weights and b biases. The MLP's layers go from "
        "4k to 2k, and from 2k to k.",
        "The last layer takes k products and k outputs of the MLP: 2k weights and 1 bias.",
    ],
)
def weights(m, n, k):
    """Return the number of weights of NeuMF: m users, n items, k numbers from each part.

    GMF's vectors have length k, the MLP's 2k; its dense layers give 2k, then k numbers. The last
    layer gives 1. Every dense layer has biases.
    """
    tables = (k + 2 * k) * (m + n)
    layers = (4 * k * 2 * k + 2 * k) + (2 * k * k + k)
    return tables + layers + 2 * k + 1


@weights.right
def multiplies_out(m, n, k):
    return 3 * k * (m + n) + 10 * k**2 + 5 * k + 1


@weights.right
def adds_up_layer_by_layer(m, n, k):
    total = k * m + k * n + 2 * k * m + 2 * k * n
    for inputs, outputs in [(4 * k, 2 * k), (2 * k, k), (2 * k, 1)]:
        total += (inputs + 1) * outputs
    return total


@weights.wrong("The biases are missing: a dense layer from a to b units has a x b weights and b.")
def no_biases(m, n, k):
    return 3 * k * (m + n) + 8 * k * k + 2 * k * k + 2 * k


@weights.wrong("GMF and the MLP have tables of their own: k numbers a row in one, 2k in the other.")
def shares_the_tables(m, n, k):
    return weights.reference(m, n, k) - k * (m + n)


@weights.wrong("The MLP's vectors have length 2k, so that 4k numbers enter its first layer.")
def short_vectors(m, n, k):
    return 2 * k * (m + n) + (4 * k * k + 2 * k) + (2 * k * k + k) + 2 * k + 1


@weights.wrong(
    "The first dense layer takes both vectors end to end: 4k numbers, not the 2k of one of them."
)
def half_of_the_input(m, n, k):
    return 3 * k * (m + n) + (2 * k * 2 * k + 2 * k) + (2 * k * k + k) + 2 * k + 1


@weights.wrong("The last layer takes what both parts give it, k + k numbers: you counted k.")
def one_part_at_the_end(m, n, k):
    return weights.reference(m, n, k) - k


@weights.wrong("The last layer is missing: 2k weights and a bias.")
def no_last_layer(m, n, k):
    return weights.reference(m, n, k) - 2 * k - 1


@weights.wrong("The layers of the MLP are missing: 4k to 2k, and 2k to k.")
def no_layers(m, n, k):
    return 3 * k * (m + n) + 2 * k + 1


@weights.wrong("A table has a row for each user, and another one for each item: m + n, not m x n.")
def multiplies_users_and_items(m, n, k):
    return weights.reference(m, n, k) - 3 * k * (m + n) + 3 * k * m * n


@weights.wrong("A dense layer has a bias for each of its units: 2k, k, and 1.")
def gives_each_layer_one_bias(m, n, k):
    return 3 * k * (m + n) + 8 * k * k + 1 + 2 * k * k + 1 + 2 * k + 1


@weights.wrong("The items have tables as well: 3k numbers a user, and 3k an item.")
def forgets_the_items(m, n, k):
    return weights.reference(m, 0, k)


@weights.wrong("The last layer has a bias, as every dense layer here.")
def forgets_the_last_bias(m, n, k):
    return weights.reference(m, n, k) - 1


@weights.wrong("The second dense layer takes what the first gives, 2k numbers, and not 4k.")
def takes_both_vectors_twice(m, n, k):
    return weights.reference(m, n, k) + 2 * k * k


@weights.check("a small case by hand")
def _(answer):
    why = "3 x 2 x 18 in the tables, 4 x 8 + 4 and 4 x 2 + 2 in the layers, 4 + 1 at the end."
    expect_equal(answer(11, 7, 2), 108 + 36 + 10 + 5, why)


@weights.check("other sizes")
def _(answer):
    rng = np.random.default_rng(9)
    for m, n, k in [(1, 1, 1), (671, 9066, 16), *rng.integers(1, 200, size=(8, 3)).tolist()]:
        shapes = [(m, k), (n, k), (m, 2 * k), (n, 2 * k), (4 * k + 1, 2 * k), (2 * k + 1, k)]
        expect_equal(answer(m, n, k), sum(a * b for a, b in [*shapes, (2 * k + 1, 1)]))


define_quiz(
    "ncf.recap",
    notebook=12,
    questions=[
        Number(
            "ncf.q_shift",
            "A model was trained with 5 drawn zeros for each event. A person has 30 events among "
            "530 items. Which number has to be added to their logits to make them log odds "
            "(natural logarithm) among all cells?",
            right=-1.204,
            because="Each of their 500 zeros was drawn 150 / 500 times on average: log 0.3.",
            wrong={
                1.204: "The sign is turned round: few zeros were drawn, so events are rarer than "
                "the model believes.",
                -1.609: "That is the ratio alone, log(1/5). What counts is how rarely one of their "
                "zeros is drawn: 150 draws for 500 of them.",
                -1.262: "You divided by all 530 items. Zeros are drawn among the 500 without an "
                "event.",
                "else": "Draws for this person, 5 x 30, divided by their zeros; then the "
                "logarithm.",
            },
            tolerance=0.02,
            answer="np.log(5 * 30 / (530 - 30))",
        ),
        Choice(
            "ncf.q_lists",
            "A colleague shifts the logits person by person, as in section 1. They report that "
            "the log loss fell, and that the nDCG rose by 0.004. What do you say?",
            right="the second number has another cause",
            because="A shift moves all items of a person alike, so their list stays the same.",
            wrong={
                "both follow: better probabilities, better lists": "They are better probabilities, "
                "but a list needs the order within one person, and a constant leaves it.",
                "both have another cause: a shift changes nothing": "It changes each probability, "
                "so the log loss may fall. It is the order that it leaves alone.",
            },
            answer="'the second number has another cause' if "
            "np.array_equal(np.argsort(pointwise[2][0]), np.argsort(pointwise[2][0] + 1.0)) "
            "else 'both follow'",
        ),
        Choice(
            "ncf.q_area",
            "Model A has an AUC of 0.95 and an nDCG@10 of 0.09, model B 0.93 and 0.12. Both "
            "intervals are narrow. A page shows ten films. Which loss may A have learned by?",
            right="a pairwise one, over drawn negatives",
            because="It pays for all places alike, so A is good far down, where nobody looks.",
            wrong={
                "a softmax over all items": "It pushes hardest at the top, where the rivals are: "
                "that would rather be B.",
                "the AUC and the nDCG cannot disagree": "They can: one counts all pairs alike, the "
                "other the first places most.",
            },
        ),
        Choice(
            "ncf.q_sample",
            "A shop trains with a sampled softmax; the other items are drawn by popularity. The "
            "lists are full of rare items, and what everybody buys is missing. What is to be done?",
            right="take the logarithm of the drawing probability off each score in training",
            because="Without that the scores aim at taste beyond popularity, ln p - ln q.",
            wrong={
                "draw more items in each sample": "The sample's size decides how noisy the steps "
                "are. The aim is the same for every size.",
                "train for longer": "It would come closer to the aim, and the aim is wrong.",
                "add the logarithm of the drawing probability to each score in training": "That is "
                "the wrong sign: popular items would "
                "be punished twice.",
            },
            answer="'take the logarithm of the drawing probability off each score in training' if "
            "abs(shares[9, True] - p_true).max() < 0.03 else 'draw more items in each sample'",
        ),
        Choice(
            "ncf.q_product",
            "A network scores two vectors with an error of 0.25, where the products have a "
            "standard deviation of 1. A colleague: 'six per cent of the variance, that is "
            "nothing.' How many of ten films stay on the list?",
            right="about seven",
            because="The first ten differ by little: an error that is small to all is large there.",
            wrong={
                "nearly all ten": "So says the share of the variance, but it is spread over all "
                "films. At the top the scores stand close together.",
                "about two": "That would take an error several times as large: see the picture of "
                "section 7.",
            },
            answer="'about seven' if 6.5 < np.interp(0.25, errors, stays) < 7.5 else "
            "'nearly all ten'",
        ),
    ],
)
