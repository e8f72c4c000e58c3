"""The exercises of notebook 08, Does it generalise?: a metric, a sample, an interval, a choice."""

from itertools import combinations
from math import comb

import numpy as np

from .engine import Mistake, define, expect, expect_close, expect_number, expect_shape


@define(
    "generalise.sampled_hit",
    notebook=8,
    hints=[
        "How many of the other n - 1 items are better than this one? And how many better ones "
        "may be among those drawn, so that it is still among the first k?",
        "rank - 1 of the others are better, and at most k - 1 of them may be drawn. Drawn without "
        "replacement, their number follows the hypergeometric distribution.",
        "`from scipy.stats import hypergeom`; then `hypergeom.cdf(x, M, n, N)` is the chance of "
        "at most x good ones, where N are drawn from M of which n are good. (Its n is not ours.) "
        "Here the good ones are the better items: x = k - 1, M = n - 1, n = rank - 1, "
        "N = negatives.",
    ],
)
def sampled_hit(rank, n, negatives, k):
    """Return the probability that an item is among the first k when ranked against a sample.

    rank: its place among n unseen items, 1 is best. The sample: `negatives` of the other n - 1,
    drawn without replacement. rank, or both rank and n, may be arrays.
    """
    from scipy.stats import hypergeom

    return hypergeom.cdf(k - 1, n - 1, rank - 1, negatives)


@sampled_hit.wrong(
    "That is whether the item is among the first k of all n. Against a sample it moves up, since "
    "most of those before it are not drawn."
)
def ranks_against_all(rank, n, negatives, k):
    return np.where(rank <= k, 1.0, 0.0)


@sampled_hit.wrong(
    "You let k better ones be drawn: then the item stands at k + 1. At most k - 1 may be."
)
def lets_k_stand_before_it(rank, n, negatives, k):
    return sampled_hit.reference(rank, n, negatives, k + 1)


@sampled_hit.wrong("You counted the item itself twice: of n - 1 others, rank - 1 are better.")
def counts_the_item_everywhere(rank, n, negatives, k):
    return sampled_hit.reference(rank + 1, n + 1, negatives, k)


@sampled_hit.wrong("You counted the item as better than itself: rank - 1 others are better.")
def is_better_than_itself(rank, n, negatives, k):
    return sampled_hit.reference(rank + 1, n, negatives, k)


@sampled_hit.wrong(
    "You drew from all n items: the item itself is not drawn, so there are n - 1 to draw from."
)
def draws_the_item_too(rank, n, negatives, k):
    return sampled_hit.reference(rank, n + 1, negatives, k)


@sampled_hit.wrong(
    "You drew with replacement (the binomial distribution): here an item is drawn once at most, "
    "so each draw changes what is left for the next."
)
def draws_with_replacement(rank, n, negatives, k):
    p = (rank - 1) / (n - 1)
    return sum(comb(negatives, x) * p**x * (1 - p) ** (negatives - x) for x in range(k))


@sampled_hit.wrong(
    "You scaled the rank down to the sample and compared it with k: that is about where the item "
    "stands on average. The draw decides, so add up the chances."
)
def scales_the_rank(rank, n, negatives, k):
    return np.where(rank * negatives / n <= k, 1.0, 0.0)


@sampled_hit.wrong(
    "That is the chance of exactly k - 1 better ones, the last place that counts: fewer are as "
    "good, so add up the chances of 0, 1, ..., k - 1."
)
def takes_the_last_place_only(rank, n, negatives, k):
    better = sampled_hit.reference
    return better(rank, n, negatives, k) - better(rank, n, negatives, k - 1)


@sampled_hit.wrong(
    "That is the chance of no better one, the first place alone: up to k - 1 may be drawn."
)
def takes_the_first_place_only(rank, n, negatives, k):
    return sampled_hit.reference(rank, n, negatives, 1)


@sampled_hit.wrong("That is the chance of a miss: subtract it from 1.")
def gives_the_chance_of_a_miss(rank, n, negatives, k):
    return 1 - sampled_hit.reference(rank, n, negatives, k)


@sampled_hit.wrong(expects="Here rank is an array")
def takes_one_rank_at_a_time(rank, n, negatives, k):
    ways = [comb(rank - 1, x) * comb(n - rank, negatives - x) for x in range(min(k, negatives + 1))]
    return sum(ways) / comb(n - 1, negatives)


@sampled_hit.check("a probability comes back")
def _(answer):
    # Worked out below; the first tells the misconceptions apart.
    for case in [(4, 9, 3, 2), (2, 4, 2, 1), (7, 9, 3, 2)]:
        got = expect_number(answer(*case))
        expect(
            not np.isnan(got),
            "It returned nan. `hypergeom.cdf(x, M, n, N)` takes the number of all others (M), then "
            "of the better ones (n), then of those drawn (N).",
        )
        expect(0 <= got <= 1, f"It returned {got:.6g}; a probability lies between 0 and 1.")


@sampled_hit.check("a small case by hand")
def _(answer):
    why = "Of the 3 ways to draw 2 of the 3 others, 1 leaves the better one out."
    expect_close(answer(2, 4, 2, 1), 1 / 3, why)
    why = "3 of 8 can be drawn in 56 ways: 10 hold none of the 3 better ones, 30 hold one."
    expect_close(answer(4, 9, 3, 2), 40 / 56, why)


@sampled_hit.check("counting every sample")
def _(answer):
    for n, negatives, k in [(5, 2, 1), (6, 3, 2), (7, 5, 3)]:
        for rank in range(1, n + 1):
            others = [place for place in range(1, n + 1) if place != rank]
            before = [sum(p < rank for p in drawn) for drawn in combinations(others, negatives)]
            share = sum(b < k for b in before) / len(before)
            why = f"Of {len(before)} possible samples, {sum(b < k for b in before)} are hits."
            expect_close(answer(rank, n, negatives, k), share, why)


@sampled_hit.check("arrays")
def _(answer):
    try:
        got = answer(np.array([1, 2, 3, 4]), 4, 2, 1)
        both = answer(np.array([2, 4]), np.array([4, 9]), 2, 1)
    except Mistake as mistake:
        raise Mistake(
            f"{mistake} Here rank is an array. `hypergeom.cdf` takes arrays as they are; "
            "`np.vectorize` makes a function of numbers take them."
        ) from None
    why = "A number for each rank: rank 1 is first in every sample, rank 2 in 1 of 3 as above."
    expect_close(got, [1, 1 / 3, 0, 0], why)
    why = "Rank 2 of 4 as above; of 28 ways to draw 2 of the 8 others of rank 4, 10 are hits."
    expect_close(both, [1 / 3, 10 / 28], why)


@sampled_hit.check("as many items as MovieLens has")
def _(answer):
    n, k = 9000, 10
    for rank, negatives in [(300, 100), (900, 100), (30, 3000)]:
        ways = [comb(rank - 1, x) * comb(n - rank, negatives - x) for x in range(k)]
        got, wanted = answer(rank, n, negatives, k), sum(ways) / comb(n - 1, negatives)
        # Whole numbers of 2,000 digits are exact. Sums of their logarithms lose about 1e-10.
        why = "Is a number of ways too large for a float? `hypergeom` and `math.comb` manage."
        expect_close(got, wanted, why, tol=1e-8)


@sampled_hit.check("edge cases")
def _(answer):
    expect_close(answer(1, 8, 3, 1), 1, "Nothing is better than rank 1, whatever is drawn.")
    why = "Where all others are drawn, the sample is the whole: a hit if rank <= k, else none."
    expect_close([answer(3, 6, 5, 3), answer(4, 6, 5, 3)], [1, 0], why)
    expect_close(answer(6, 6, 2, 3), 1, "A list of three has room for the item and two others.")


@define(
    "generalise.paired_interval",
    notebook=8,
    hints=[
        "The users are the same under both models, so take the difference of each: `b - a`. What "
        "is left to find is the interval of one mean.",
        "In each repeat draw `len(a)` positions with `rng.integers(len(a), size=len(a))`: a user "
        "may come twice. Keep the mean of the differences at these positions.",
        "You have `repeats` means. Cut off 2.5 % at either end: "
        "`np.quantile(means, [0.025, 0.975])`.",
    ],
)
def paired_interval(a, b, repeats, rng):
    """Return (low, high), the 95 % bootstrap interval of the mean of b - a.

    a, b: the same users' values under two models, 1-d arrays. In each repeat, draw with rng as
    many users as there are, with replacement; low and high cut off 2.5 % of the means each.
    """
    drawn = rng.integers(len(a), size=(repeats, len(a)))
    means = (b - a)[drawn].mean(axis=1)
    return tuple(np.quantile(means, [0.025, 0.975]))


@paired_interval.wrong(expects="take the same users for both")
def draws_for_each_model(a, b, repeats, rng):
    of_a = a[rng.integers(len(a), size=(repeats, len(a)))].mean(axis=1)
    of_b = b[rng.integers(len(b), size=(repeats, len(b)))].mean(axis=1)
    return tuple(np.quantile(of_b - of_a, [0.025, 0.975]))


@paired_interval.wrong("You took a - b: where b is the better model, b - a is above zero.")
def turns_it_round(a, b, repeats, rng):
    return paired_interval.reference(b, a, repeats, rng)


@paired_interval.wrong(
    "That is where the users' differences lie: the interval is one of their mean, so draw users "
    "again and again and keep the mean of each draw."
)
def takes_the_users_quantiles(a, b, repeats, rng):
    return tuple(np.quantile(b - a, [0.025, 0.975]))


@paired_interval.wrong(
    "You drew without replacement: that gives all users, in another order, and the same mean "
    "again and again. A user may come twice and another not at all."
)
def draws_without_replacement(a, b, repeats, rng):
    means = [rng.permutation(b - a).mean() for _ in range(repeats)]
    return tuple(np.quantile(means, [0.025, 0.975]))


@paired_interval.wrong(
    "You cut off 5 % at either end, which leaves 90 %: for 95 % cut off 2.5 % at each."
)
def leaves_ninety(a, b, repeats, rng):
    means = (b - a)[rng.integers(len(a), size=(repeats, len(a)))].mean(axis=1)
    return tuple(np.quantile(means, [0.05, 0.95]))


@paired_interval.wrong(
    "You gave mean +- 1.96 standard errors, which holds for many users: the bootstrap needs no "
    "such rule. Draw, and take the quantiles of the means."
)
def trusts_the_normal_curve(a, b, repeats, rng):
    reach = 1.96 * (b - a).std() / np.sqrt(len(a))
    return (b - a).mean() - reach, (b - a).mean() + reach


@paired_interval.wrong(
    "You subtracted the ends of two intervals: take the difference user by user first."
)
def subtracts_two_intervals(a, b, repeats, rng):
    drawn = rng.integers(len(a), size=(repeats, len(a)))
    ends = [np.quantile(each[drawn].mean(axis=1), [0.025, 0.975]) for each in (a, b)]
    return tuple(ends[1] - ends[0])


@paired_interval.wrong(expects="take the mean of as many users as there are")
def draws_one_user_a_repeat(a, b, repeats, rng):
    return tuple(np.quantile((b - a)[rng.integers(len(a), size=repeats)], [0.025, 0.975]))


@paired_interval.wrong(expects="standard errors")
def leaves_ninety_nine(a, b, repeats, rng):
    means = (b - a)[rng.integers(len(a), size=(repeats, len(a)))].mean(axis=1)
    return tuple(np.quantile(means, [0.005, 0.995]))


@paired_interval.wrong(expects="Draw with `rng` alone")
def brings_a_generator_of_its_own(a, b, repeats, rng):
    return paired_interval.reference(a, b, repeats, np.random.default_rng(0))


@paired_interval.wrong(expects="With one repeat")
def ignores_repeats(a, b, repeats, rng):
    return paired_interval.reference(a, b, 5000, rng)


@paired_interval.wrong(expects="the lower end first")
def gives_the_upper_end_first(a, b, repeats, rng):
    return paired_interval.reference(a, b, repeats, rng)[::-1]


@paired_interval.wrong(
    "`np.percentile` counts in per cent, so 0.025 and 0.975 both lie at the low end: write 2.5 and "
    "97.5, or use `np.quantile`."
)
def confuses_percentile_with_quantile(a, b, repeats, rng):
    means = (b - a)[rng.integers(len(a), size=(repeats, len(a)))].mean(axis=1)
    return tuple(np.percentile(means, [0.025, 0.975]))


@paired_interval.wrong(
    "You averaged over the repeats: each repeat gives one mean, over the users that it drew. With "
    "one row a repeat that is `.mean(axis=1)`."
)
def averages_over_the_repeats(a, b, repeats, rng):
    means = (b - a)[rng.integers(len(a), size=(repeats, len(a)))].mean(axis=0)
    return tuple(np.quantile(means, [0.025, 0.975]))


@paired_interval.wrong("You never drew the last user: `rng.integers(n)` ends at n - 1 by itself.")
def leaves_out_the_last_user(a, b, repeats, rng):
    means = (b - a)[rng.integers(len(a) - 1, size=(repeats, len(a)))].mean(axis=1)
    return tuple(np.quantile(means, [0.025, 0.975]))


@paired_interval.wrong("You added up the differences: the interval is one of their mean.")
def adds_up(a, b, repeats, rng):
    sums = (b - a)[rng.integers(len(a), size=(repeats, len(a)))].sum(axis=1)
    return tuple(np.quantile(sums, [0.025, 0.975]))


@paired_interval.wrong(
    "You gave the mean +- 1.96 times the spread of your means, which holds where they are spread "
    "like a bell: take their quantiles, which need no such rule."
)
def trusts_the_normal_curve_after_drawing(a, b, repeats, rng):
    d = b - a
    reach = 1.96 * d[rng.integers(len(a), size=(repeats, len(a)))].mean(axis=1).std()
    return d.mean() - reach, d.mean() + reach


@paired_interval.wrong(
    "You kept one draw's mean, so low and high are the same: collect the means of all repeats, "
    "then take their quantiles."
)
def keeps_the_last_draw(a, b, repeats, rng):
    for _ in range(repeats):
        mean = (b - a)[rng.integers(len(a), size=len(a))].mean()
    return mean, mean


@paired_interval.wrong("You took the median of each draw: the interval is one of the mean.")
def takes_medians(a, b, repeats, rng):
    drawn = (b - a)[rng.integers(len(a), size=(repeats, len(a)))]
    return tuple(np.quantile(np.median(drawn, axis=1), [0.025, 0.975]))


# Differences 0, 0 and 3. The 2 makes the models' own intervals (0, 2) and (0, 3).
A, B = np.array([2.0, 0.0, 0.0]), np.array([2.0, 0.0, 3.0])


@paired_interval.check("a low and a high come back")
def _(answer):
    # Turned round: who leaves out the last user gets another answer here than below.
    low, high = expect_shape(answer(A[::-1], B[::-1], 100, np.random.default_rng(5)), (2,))
    expect(low <= high, f"It returned ({low:.6g}, {high:.6g}): give the lower end first.")


@paired_interval.check("a small case by hand")
def _(answer):
    a = np.array([1.0, 4.0, 2.0, 8.0])
    why = "Each user gets 2 more from b, whoever is drawn: take the same users for both."
    expect_close(answer(a, a + 2, 200, np.random.default_rng(6)), [2, 2], why)
    # 3.7 % of 10,000 means are 3: by chance fewer than 250 or more than 500 would be, once in
    # 10^9 times.
    why = (
        "The differences are 0, 0 and 3, so a draw's mean is how often the last user was drawn: "
        "0 times in 8 of 27 draws, 3 times in 1 of 27, which is more than 2.5 %."
    )
    expect_close(answer(A, B, 10_000, np.random.default_rng(7)), [0, 3], why)


@paired_interval.check("many users: the interval that theory gives")
def _(answer):
    rng = np.random.default_rng(8)
    half = rng.normal(size=100) * (rng.random(100) < 0.4)  # as with lists: many gain nothing
    for shift in (0.3, -0.1):
        a, difference = rng.normal(size=200), shift + np.concatenate([half, -half])
        got = answer(a, a + difference, 6000, np.random.default_rng(9))
        # A mean of 200 symmetric values is all but normal. With 6,000 draws the ends vary by 0.035
        # standard errors: 0.2 is almost six times that, and a 90 % interval differs by 0.31.
        low, high = (np.asarray(got) - shift) / (difference.std() / np.sqrt(200))
        says = (
            f"For 200 users it reaches from {low:.2f} to {high:.2f} standard errors around the "
            "mean; a 95 % interval reaches from about -1.96 to 1.96."
        )
        if high - low > 10:
            says += " In each repeat, take the mean of as many users as there are."
        expect(abs(low + 1.96) < 0.2 and abs(high - 1.96) < 0.2, says)


@paired_interval.check("the generator decides")
def _(answer):
    a, b = np.zeros(30), np.random.default_rng(10).normal(size=30)
    one, again, other = (
        np.asarray(answer(a, b, 50, np.random.default_rng(seed))) for seed in (1, 1, 2)
    )
    expect(
        (one == again).all() and (one != other).any(),
        "Draw with `rng` alone: the same generator has to give the same interval, and another "
        "one another.",
    )


@paired_interval.check("edge cases")
def _(answer):
    a, b = np.zeros(30), np.random.default_rng(10).normal(size=30)
    low, high = answer(a, b, 1, np.random.default_rng(11))
    why = "With one repeat there is one mean, so low and high are both that"
    expect(
        np.isclose(low, high),
        f"{why}; yours are {low:.6g} and {high:.6g}. Do you draw `repeats` times?",
    )
