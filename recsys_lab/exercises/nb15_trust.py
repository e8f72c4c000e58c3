"""The exercises of notebook 15, Trust: noise for a person, calibration, what a score is made of."""

import numpy as np

from .engine import define, expect_close, expect_number, expect_shape
from .questions import Choice, Number, define_quiz


def _a_promise(rng):
    """Films a person may add, an epsilon, and how often the counts are published."""
    epsilon = float(rng.choice([0.1, 0.3, 0.5, 1.5, 2.5, 4.0])) * float(rng.uniform(0.7, 1.3))
    return int(rng.integers(1, 60)), epsilon, int(rng.integers(1, 13))


@define(
    "trust.noise_scale",
    notebook=15,
    inputs=_a_promise,
    hints=[
        "The promise is made to a person. How much can the counts change, added up over all films, "
        "when a person with as many films as allowed comes or goes?",
        "By `most` in one publication. Whoever keeps all `times` publications sees the person "
        "`times` times: together they may cost epsilon, so each may cost epsilon / times.",
        "Scale = sensitivity / epsilon of one publication = most / (epsilon / times).",
    ],
)
def noise_scale(most, epsilon, times):
    """Return the scale of the Laplace noise that each film's count needs, each time.

    A film's count is the number of people who have it. A person adds 1 to at most `most` films.
    The counts of the same people are published `times` times, with fresh noise. Everything
    together has to be epsilon-differentially private, for a person who comes or goes.
    """
    return most * times / epsilon


@noise_scale.wrong(
    "Epsilon is upside down: a smaller epsilon is a stronger promise, so it needs more noise. "
    "Divide by it."
)
def epsilon_upside_down(most, epsilon, times):
    return most * times * epsilon


@noise_scale.wrong(
    "That protects one rating. A person who comes or goes changes up to `most` counts, by 1 each: "
    "the sensitivity is `most`."
)
def protects_one_rating(most, epsilon, times):
    return times / epsilon


@noise_scale.wrong(
    "That is the noise of one publication alone. Whoever keeps all of them adds up what each gives "
    "away: each may cost epsilon / times."
)
def forgets_the_repeats(most, epsilon, times):
    return most / epsilon


@noise_scale.wrong(
    "You protected one rating, in one publication: a person changes up to `most` counts, and is "
    "seen `times` times."
)
def forgets_both(most, epsilon, times):
    return 1 / epsilon


@noise_scale.wrong(
    "The repeats work the other way: with more publications each may give away less, so it needs "
    "more noise."
)
def shares_the_noise_out(most, epsilon, times):
    return most / (epsilon * times)


@noise_scale.wrong(
    "The root of `most` is the length of the change. That is what normal noise goes by; Laplace "
    "noise goes by the sum of the changes, `most`."
)
def takes_the_length(most, epsilon, times):
    return np.sqrt(most) * times / epsilon


@noise_scale.wrong(
    "The root of `times` holds for weaker promises, with a delta. Without one, the epsilons of the "
    "publications add up."
)
def takes_the_root_of_the_repeats(most, epsilon, times):
    return most * np.sqrt(times) / epsilon


@noise_scale.wrong(
    "You doubled: that is for a person who is replaced by another. Here one comes or goes."
)
def replaces_a_person(most, epsilon, times):
    return 2 * most * times / epsilon


@noise_scale.wrong(
    "That is the noise's standard deviation, root of 2 times its scale: the scale is asked for."
)
def gives_the_deviation(most, epsilon, times):
    return np.sqrt(2) * most * times / epsilon


@noise_scale.wrong("That is the noise's variance, twice the square of its scale.")
def gives_the_variance(most, epsilon, times):
    return 2 * (most * times / epsilon) ** 2


@noise_scale.wrong("You turned the fraction over: sensitivity above, epsilon below.")
def turns_the_fraction_over(most, epsilon, times):
    return epsilon / (most * times)


@noise_scale.wrong("You divided by the square of epsilon: divide by epsilon.")
def squares_epsilon(most, epsilon, times):
    return most * times / epsilon**2


@noise_scale.wrong(
    "You divided by e to the epsilon: that is the factor which the noise has to allow. The scale "
    "is the sensitivity divided by epsilon itself."
)
def divides_by_the_factor(most, epsilon, times):
    return most * times / np.exp(epsilon)


@noise_scale.wrong(
    "You divided by e to the epsilon, less 1: near that for a small epsilon, too little noise for "
    "a large one. Divide by epsilon."
)
def divides_by_the_factor_less_one(most, epsilon, times):
    return most * times / np.expm1(epsilon)


@noise_scale.wrong("You added `most` and `times`: a person is in `most` counts each time.")
def adds(most, epsilon, times):
    return (most + times) / epsilon


@noise_scale.wrong(
    "That is the usual formula for normal noise, with a delta. Laplace noise needs none: "
    "sensitivity / epsilon."
)
def takes_the_normal_formula(most, epsilon, times):
    return np.sqrt(2 * np.log(1.25 / 1e-5)) * np.sqrt(most) * times / epsilon


@noise_scale.wrong("You spread the noise over the films: each count needs all of it.")
def spreads_over_the_films(most, epsilon, times):
    return times / (most * epsilon)


@noise_scale.wrong(expects="single number")
def gives_one_for_each_time(most, epsilon, times):
    return np.full(times + 1, most * times / epsilon)


@noise_scale.right
def by_the_budget_of_one(most, epsilon, times):
    budget = epsilon / times
    return most / budget


@noise_scale.right
def by_adding_up(most, epsilon, times):
    changed = sum(1 for _ in range(times) for _ in range(most))
    return float(changed) * epsilon**-1


@noise_scale.check("a small case by hand")
def _(answer):
    why = "20 films, epsilon 0.5, three months: each month may cost 0.5 / 3, and 20 / (0.5 / 3)."
    expect_close(expect_number(answer(20, 0.5, 3)), 120, why)


@noise_scale.check("other promises")
def _(answer):
    for most, epsilon, times in [(7, 2.0, 5), (50, 0.1, 1), (1, 1.3, 12), (13, 4.5, 2), (3, 3, 8)]:
        why = f"most {most}, epsilon {epsilon}, times {times}."
        expect_close(expect_number(answer(most, epsilon, times)), most * times / epsilon, why)


@noise_scale.check("one film, once")
def _(answer):
    why = "One film, once, epsilon 1: a person is one count, and the scale is 1 / 1."
    expect_close(expect_number(answer(1, 1.0, 1)), 1, why)


def _two_mixtures(rng):
    """Shares of genres in a history and in a list, some of them 0, and how much is mixed."""
    d = int(rng.integers(2, 9))
    p, q = rng.dirichlet(np.full(d, 0.8), size=2)
    for shares in (p, q):
        shares[rng.random(d) < 0.25] = 0
        shares[rng.integers(d)] += 0.1
        shares /= shares.sum()
    return p, q, float(rng.choice([0.01, 0.05, 0.1, 0.3]))


@define(
    "trust.kl",
    notebook=15,
    inputs=_two_mixtures,
    hints=[
        "First mix: `mixed = (1 - mix) * q + mix * p`. Then a genre of the history is never quite "
        "missing from the list, and no quotient is infinite.",
        "For each genre of the history: p log(p / mixed), weighed by the history, which is what "
        "the list should be like. A genre with p = 0 adds 0.",
        "`has = p > 0`, then `np.sum(p[has] * np.log(p[has] / mixed[has]))`.",
    ],
)
def kl(p, q, mix):
    """Return how far a list's genres are from a history's: KL(p || (1 - mix) q + mix p), in nats.

    p, q: the share of each genre in the history and in the list; arrays of one length that add up
    to 1, with zeros where a genre is missing. mix: between 0 and 1. A genre with p = 0 adds 0.
    """
    mixed = (1 - mix) * q + mix * p
    has = p > 0
    return np.sum(p[has] * np.log(p[has] / mixed[has]))


def _kl(p, q):
    both = (p > 0) & (q > 0)
    return np.sum(p[both] * np.log(p[both] / q[both]))


@kl.wrong(
    "The direction is turned round: you weighed by the list. Then a genre that is in the history "
    "and missing from the list costs next to nothing. Weigh by the history, p."
)
def turns_the_direction_round(p, q, mix):
    return _kl((1 - mix) * q + mix * p, p)


@kl.wrong(
    "The direction is turned round, and the mixing with it: that is KL(q || p). The history, p, "
    "stands first."
)
def exchanges_the_two(p, q, mix):
    return _kl(q, (1 - mix) * p + mix * q)


@kl.wrong(
    "You did not mix, and left out the genres that are missing from the list: but these are what "
    "is wrong with it."
)
def does_not_mix(p, q, mix):
    return _kl(p, q)


@kl.wrong("You mixed the other way round: most of it is the list, (1 - mix) q + mix p.")
def mixes_the_other_way(p, q, mix):
    return _kl(p, mix * q + (1 - mix) * p)


@kl.wrong("You added mix p and left q whole: then the shares add up to more than 1.")
def does_not_shrink(p, q, mix):
    return _kl(p, q + mix * p)


@kl.wrong("You shrank q and added nothing: mix p is missing.")
def adds_nothing(p, q, mix):
    return _kl(p, (1 - mix) * q)


@kl.wrong("You added the same to every genre: what is mixed in is the history, p.")
def mixes_the_uniform(p, q, mix):
    return _kl(p, (1 - mix) * q + mix / len(q))


@kl.wrong("You took logarithms to base 2, which gives bits: `np.log` gives nats.")
def gives_bits(p, q, mix):
    return _kl(p, (1 - mix) * q + mix * p) / np.log(2)


@kl.wrong("You took logarithms to base 10: `np.log` gives nats.")
def takes_base_ten(p, q, mix):
    return _kl(p, (1 - mix) * q + mix * p) / np.log(10)


@kl.wrong("You did not weigh: each genre's logarithm counts p times.")
def does_not_weigh(p, q, mix):
    has = p > 0
    return np.sum(np.log(p[has] / ((1 - mix) * q + mix * p)[has]))


@kl.wrong("You weighed the logarithm of p / mixed by the list's shares: weigh it by p.")
def weighs_by_the_list(p, q, mix):
    mixed, has = (1 - mix) * q + mix * p, p > 0
    return np.sum(mixed[has] * np.log(p[has] / mixed[has]))


@kl.wrong(
    "You made every genre's part positive. A genre that the list has too much of counts below 0, "
    "and the sum is above 0 all the same."
)
def takes_absolute_values(p, q, mix):
    mixed, has = (1 - mix) * q + mix * p, p > 0
    return np.sum(np.abs(p[has] * np.log(p[has] / mixed[has])))


@kl.wrong("You took the mean over the genres: add them up.")
def takes_the_mean(p, q, mix):
    return kl.reference(p, q, mix) / len(p)


@kl.wrong("You took the mean over the history's genres: add them up.")
def takes_the_mean_of_the_present(p, q, mix):
    return kl.reference(p, q, mix) / np.count_nonzero(p)


@kl.wrong("That is the total variation, half the sum of the differences: KL has a logarithm.")
def takes_the_variation(p, q, mix):
    return np.abs(p - ((1 - mix) * q + mix * p)).sum() / 2


@kl.wrong("That is the sum of squared differences: KL has a logarithm.")
def takes_squares(p, q, mix):
    return np.sum((p - ((1 - mix) * q + mix * p)) ** 2)


@kl.wrong("That is the cross entropy, -sum p log(mixed): p log p is missing.")
def gives_the_cross_entropy(p, q, mix):
    mixed, has = (1 - mix) * q + mix * p, p > 0
    return -np.sum(p[has] * np.log(mixed[has]))


@kl.wrong("You added both directions: asked for is the one with the history first.")
def adds_both_directions(p, q, mix):
    mixed = (1 - mix) * q + mix * p
    return _kl(p, mixed) + _kl(mixed, p)


@kl.wrong("You measured to the middle of the two (Jensen and Shannon do): measure from p to mixed.")
def measures_to_the_middle(p, q, mix):
    mixed = (1 - mix) * q + mix * p
    middle = (p + mixed) / 2
    return (_kl(p, middle) + _kl(mixed, middle)) / 2


@kl.wrong("You left out the genres that are missing from the list, after mixing: they count most.")
def leaves_out_what_the_list_lacks(p, q, mix):
    both = (p > 0) & (q > 0)
    return np.sum(p[both] * np.log(p[both] / ((1 - mix) * q + mix * p)[both]))


@kl.wrong(expects="should return a single number")
def gives_each_genre(p, q, mix):
    mixed = (1 - mix) * q + mix * p
    return p * np.log(np.where(p > 0, p, 1) / np.where(p > 0, mixed, 1))


@kl.right
def goes_genre_by_genre(p, q, mix):
    total = 0.0
    for have, listed in zip(p, q, strict=True):
        if have > 0:
            total += have * (np.log(have) - np.log((1 - mix) * listed + mix * have))
    return total


@kl.right
def asks_scipy(p, q, mix):
    from scipy.special import rel_entr

    return float(rel_entr(p, (1 - mix) * np.asarray(q) + mix * np.asarray(p)).sum())


@kl.check("a small case by hand")
def _(answer):
    p, q = np.array([0.6, 0.3, 0.1, 0.0]), np.array([0.2, 0.0, 0.5, 0.3])
    why = (
        "Mixed by a tenth: 0.24, 0.03, 0.46, 0.27. Then 0.6 log(0.6 / 0.24) + 0.3 log(0.3 / 0.03) "
        "+ 0.1 log(0.1 / 0.46) + 0."
    )
    wanted = 0.6 * np.log(2.5) + 0.3 * np.log(10) + 0.1 * np.log(0.1 / 0.46)
    expect_close(expect_number(answer(p, q, 0.1)), wanted, why)


@kl.check("random cases")
def _(answer):
    rng = np.random.default_rng(6)
    for _ in range(8):
        p, q, mix = _two_mixtures(rng)
        why = f"{len(p)} genres, mix {mix}, p {p.round(2).tolist()}, q {q.round(2).tolist()}."
        expect_close(expect_number(answer(p, q, mix)), kl.reference(p, q, mix), why)


@kl.check("the same, and nothing in common")
def _(answer):
    p = np.array([0.25, 0.75, 0.0])
    expect_close(answer(p, p, 0.2), 0, "The list is as the history: nothing is missing.")
    why = (
        "The list has none of the history's genres: mixed is mix p there, and log(1 / mix) is left."
    )
    expect_close(answer(p, np.array([0.0, 0.0, 1.0]), 0.2), np.log(5), why)


def _an_inverse(rng):
    """The inverse of a Gram matrix with a penalty, a person's row, and a film."""
    n = int(rng.integers(2, 8))
    R = (rng.random((12, n)) < rng.uniform(0.2, 0.7, size=n)).astype(float)
    P = np.linalg.inv(R.T @ R + rng.uniform(0.5, 5) * np.eye(n))
    row = (rng.random(n) < 0.6).astype(float)
    row[rng.integers(n)] = 1
    return P, row, int(rng.integers(n))


@define(
    "trust.contributions",
    notebook=15,
    inputs=_an_inverse,
    hints=[
        "The score of film j is a sum over the person's films i, of row[i] * B[i, j]. What one "
        "film adds to it is one term of this sum.",
        "EASE: B[i, j] = -P[i, j] / P[j, j], and B[j, j] = 0. All terms have the same divisor, "
        "that of the film whose score it is.",
        "`parts = -row * P[:, item] / P[item, item]`, then `parts[item] = 0`.",
    ],
    equivalent={"line 8: (:, item) -> (item, :)": "the matrix is symmetric"},
)
def contributions(P, row, item):
    """Return what each film adds to a person's score of the film `item`: n numbers.

    P: EASE's inverse, (R^T R + lam I)^-1, n x n. row: n numbers, 1 where the person has the film,
    else 0. The numbers add up to the score exactly; a film that the person lacks adds 0, and so
    does `item` itself.
    """
    parts = -row * P[:, item] / P[item, item]
    parts[item] = 0
    return parts


@contributions.wrong(
    "You divided each film by its own diagonal entry: all terms of the score of `item` are divided "
    "by P[item, item]. That is the row of B, what `item` adds to others."
)
def divides_by_its_own(P, row, item):
    parts = -row * P[:, item] / np.diag(P)
    parts[item] = 0
    return parts


@contributions.wrong(
    "You divided by both diagonals' root: that is the partial correlation of two films, the same "
    "in both directions. EASE's weight is divided by P[item, item]."
)
def takes_partial_correlations(P, row, item):
    parts = -row * P[:, item] / np.sqrt(np.diag(P) * P[item, item])
    parts[item] = 0
    return parts


@contributions.wrong("The sign is missing: a weight of EASE is -P[i, j] / P[j, j].")
def forgets_the_sign(P, row, item):
    return -contributions.reference(P, row, item)


@contributions.wrong("You did not divide: a weight of EASE is -P[i, j] / P[j, j].")
def does_not_divide(P, row, item):
    parts = -row * P[:, item]
    parts[item] = 0
    return parts


@contributions.wrong(
    "`item` itself has to add 0: EASE has a zero on B's diagonal, so that no film speaks for "
    "itself."
)
def lets_the_film_speak_for_itself(P, row, item):
    return -row * P[:, item] / P[item, item]


@contributions.wrong("You gave the weights of all films: one that the person lacks adds 0.")
def takes_all_films(P, row, item):
    parts = -P[:, item] / P[item, item]
    parts[item] = 0
    return parts


@contributions.wrong(
    "You took the films that the person lacks: the score is made of those that they have."
)
def takes_the_missing_films(P, row, item):
    return contributions.reference(P, 1 - row, item)


@contributions.wrong(
    "You cut off what is below 0. A film can speak against another; without these the parts do not "
    "add up to the score."
)
def keeps_the_positive(P, row, item):
    return np.maximum(contributions.reference(P, row, item), 0)


@contributions.wrong(
    "You took the sizes: a film can speak against another, and keeps its minus sign."
)
def takes_sizes(P, row, item):
    return np.abs(contributions.reference(P, row, item))


@contributions.wrong(
    "You made shares of it, that add up to 1: asked for are parts that add up to the score."
)
def makes_shares(P, row, item):
    parts = contributions.reference(P, row, item)
    return parts / parts.sum() if abs(parts.sum()) > 1e-12 else parts


@contributions.wrong("You made shares of the sizes: asked for are parts that add up to the score.")
def makes_shares_of_the_sizes(P, row, item):
    parts = contributions.reference(P, row, item)
    return parts / max(np.abs(parts).sum(), 1e-12)


@contributions.wrong("You divided by the number of films: the score is a sum, not a mean.")
def divides_by_the_number(P, row, item):
    return contributions.reference(P, row, item) / row.sum()


@contributions.wrong("You divided by the square of P[item, item]: divide by it once.")
def divides_twice(P, row, item):
    return contributions.reference(P, row, item) / P[item, item]


@contributions.wrong("You multiplied by P[item, item]: divide by it.")
def multiplies(P, row, item):
    return contributions.reference(P, row, item) * P[item, item] ** 2


@contributions.wrong(
    "You added the diagonal's 1 to it, as in B = I - P / diag(P) before the diagonal is right: at "
    "`item` a 0 is left."
)
def adds_the_identity(P, row, item):
    parts = contributions.reference(P, row, item)
    parts[item] = 1
    return parts


@contributions.wrong(
    "You took the film before it: positions count from 0, so the film `item` is column item."
)
def counts_from_one(P, row, item):
    return contributions.reference(P, row, item - 1)


@contributions.wrong("You sorted them: leave each film at its own position.")
def sorts(P, row, item):
    return np.sort(contributions.reference(P, row, item))[::-1]


@contributions.wrong(
    "You used (R^T R + lam I) itself, the inverse of P: EASE's weights come from P."
)
def uses_the_gram_matrix(P, row, item):
    return contributions.reference(np.linalg.inv(P), row, item)


@contributions.wrong(expects="shape")
def gives_the_score(P, row, item):
    return contributions.reference(P, row, item).sum()


@contributions.wrong(expects="shape")
def gives_the_persons_films_only(P, row, item):
    parts = contributions.reference(P, row, item)
    return np.append(parts[row > 0], 0)[: max(1, len(row) - 1)]


@contributions.right
def goes_film_by_film(P, row, item):
    n = len(row)
    return np.array([0.0 if i == item else -row[i] * P[i, item] / P[item, item] for i in range(n)])


@contributions.right
def makes_the_whole_table(P, row, item):
    B = -P / np.diag(P)
    np.fill_diagonal(B, 0)
    return row * B[:, item]


@contributions.check("a small case by hand")
def _(answer):
    P = np.array(
        [
            [0.8, -0.2, 0.3, -0.1],
            [-0.2, 0.5, -0.15, 0.05],
            [0.3, -0.15, 0.4, -0.12],
            [-0.1, 0.05, -0.12, 0.9],
        ]
    )
    why = (
        "Film 1 has the diagonal entry 0.5. Film 0 adds 0.2 / 0.5, film 2 adds 0.15 / 0.5; the "
        "person lacks film 3, and film 1 adds nothing to itself."
    )
    got = expect_shape(answer(P, np.array([1.0, 1, 1, 0]), 1), (4,))
    expect_close(got, [0.4, 0, 0.3, 0], why)


@contributions.check("random cases")
def _(answer):
    rng = np.random.default_rng(5)
    for _ in range(9):
        P, row, item = _an_inverse(rng)
        got = expect_shape(answer(P, row, item), (len(row),))
        why = f"{len(row)} films, `item` {item}, the person has {np.flatnonzero(row).tolist()}."
        expect_close(got, contributions.reference(P, row, item), why)


@contributions.check("they add up to the score")
def _(answer):
    rng = np.random.default_rng(8)
    R = (rng.random((30, 6)) < 0.5).astype(float)
    P = np.linalg.inv(R.T @ R + 2 * np.eye(6))
    B = np.eye(6) - P / np.diag(P)
    for item in range(6):
        score = (R[0] @ B)[item]
        why = f"The parts have to add up to the score of film {item}, {score:.4f}."
        expect_close(np.sum(answer(P, R[0], item)), score, why)


define_quiz(
    "trust.recap",
    notebook=15,
    questions=[
        Choice(
            "trust.q_weak",
            "'We attacked our model with one threshold for all people. The advantage was 0.05. So "
            "it gives nobody away.' What is wrong?",
            right="a better attack may find far more",
            because="An attack is a lower bound. In the lesson models of one's own, which say what "
            "is usual for each person, more than doubled the advantage.",
            wrong={
                "0.05 is too much already": "It may be, that depends on the data. But nothing says "
                "that 0.05 is all there is to find.",
                "an advantage has to be tried on more people": "That makes its interval narrower. "
                "The attack stays as weak as it is.",
                "nothing, if the interval holds 0": "Then this attack finds nothing. Others may: "
                "only a bound such as epsilon speaks of all of them.",
            },
            answer="'a better attack may find far more' if attacks['list'].mean() > "
            "2 * attacks['list, simple'].mean() else ''",
        ),
        Number(
            "trust.q_budget",
            "Everybody counts with at most 30 films. Each film's count gets Laplace noise of scale "
            "10, once. Which epsilon is promised to a person?",
            right=3,
            because="A person moves the counts by 30 in all, so epsilon is 30 / 10.",
            wrong={
                0.1: "1 / 10 is promised to one rating. A person is in up to 30 counts.",
                0.333: "You turned it over: more films, or less noise, make epsilon larger.",
                300: "You multiplied: more noise makes epsilon smaller.",
                "else": "Sensitivity over scale: how far can one person move all counts together?",
            },
            tolerance=0.01,
            answer="noise_scale(30, 1.0, 1) / 10",
        ),
        Choice(
            "trust.q_epsilon",
            "Two services with as many people use the same mechanism, A with epsilon 1, B with "
            "epsilon 10. What do you expect?",
            right="A hides people better, B has better lists",
            because="A small epsilon is a strong promise and needs much noise. In the lesson EASE "
            "had less than half of the quality at 1 of what it had at 10.",
            wrong={
                "A has better lists, B hides people better": "Upside down: a large epsilon allows "
                "results to differ by a large factor, e to the epsilon.",
                "A is better at both": "Its noise is ten times as large, or nearly. The lists are "
                "made of noisy numbers.",
                "both hide as well, since the mechanism is the same": "The mechanism is; its noise "
                "follows epsilon.",
            },
            answer="'A hides people better, B has better lists' if found[1][1].mean() < "
            "found[10][1].mean() and private[1].mean() < private[10].mean() else ''",
        ),
        Choice(
            "trust.q_library",
            "A library with 500 readers wants to recommend books, and promises epsilon 1 to each "
            "reader. What do you advise?",
            right="counts of the books, published with noise",
            because="With so few people the noise drowns the pairs of books. In the lesson private "
            "popularity was ahead of private EASE at epsilon 1.",
            wrong={
                "EASE with noise: it is the stronger model": "Without noise it is. It needs a "
                "number for each pair of books, and a person moves many of them.",
                "EASE on clipped rows, without noise": "Clipping bounds what a person moves. It "
                "hides nobody: the same rows give the same result each time.",
                "EASE on a table without names": "The books are the name, as the first cell of the "
                "lesson shows, and there is no epsilon in that.",
            },
            answer="'counts of the books, published with noise' if famous[1].mean() > "
            "private[1].mean() else ''",
        ),
        Number(
            "trust.q_recall",
            "Group A wants 4 films a person, group B wants 40. With lists of ten both groups get a "
            "precision of 0.2. What is the recall of group B?",
            right=0.05,
            because="A precision of 0.2 is 2 hits of ten. 2 of the 40 that are wanted are 0.05; in "
            "group A it is 2 of 4. Equal precision, and ten times the recall.",
            wrong={
                0.5: "That is group A's: 2 hits of the 4 that they want.",
                0.2: "That would be equal in both senses, and cannot be: 2 hits are not 0.2 of 40.",
                0.8: "0.2 of 40 are 8 hits, but ten places with a precision of 0.2 have 2.",
                "else": "Hits = 10 x precision = wanted x recall.",
            },
            tolerance=0.002,
            answer="10 * 0.2 / 40",
        ),
        Choice(
            "trust.q_reason",
            "A shop writes *because you saw The Departed* beside The Godfather, and finds the film "
            "by its text. Users find that convincing. How do you find out whether it is true?",
            right="take the film out of the history, and ask the model again",
            because="The sentence is a claim about the model. In the lesson films named by text "
            "were the reason far more rarely than those with the largest part.",
            wrong={
                "ask more users": "They can say whether it sounds right. They do not see the "
                "model.",
                "compare the two films' genres": "That shows that the films are alike, not that "
                "the model used it.",
                "see whether the user liked The Departed": "A liked film may have added nothing to "
                "the score, or spoken against.",
            },
            answer="'take the film out of the history, and ask the model again' if "
            "gone['text'][:, 0].mean() < gone[\"EASE's part\"][:, 0].mean() else ''",
        ),
    ],
)
