"""The exercises of notebook 14, Online: weighing a log, drawing by belief, sizing a test."""

from math import ceil
from statistics import NormalDist

import numpy as np

from .engine import define, expect, expect_close, expect_integer, expect_number, expect_shape
from .questions import Choice, Number, define_quiz


@define(
    "online.ips",
    notebook=14,
    hints=[
        "The old policy showed this item with the chance `chance`, the new one would with the "
        "chance `target`. How many visits of the new policy does one visit of the log stand for?",
        "It stands for target / chance of them. A visit in which the new policy would never show "
        "the item stands for none, and still counts as a visit.",
        "`np.mean(target / chance * click)`: the mean is over all visits of the log.",
    ],
)
def ips(click, chance, target):
    """Return the click rate that a new policy would have, estimated from the old one's log.

    For each visit of the log: click, 1 or 0; chance, how likely the old policy was to show the
    item that it showed (above 0); target, how likely the new policy is to show the same item to
    the same user. 1-d arrays of one length. Inverse propensity scoring.
    """
    return np.mean(np.asarray(target) / np.asarray(chance) * np.asarray(click))


def _three(click, chance, target):
    return (np.asarray(part, dtype=float) for part in (click, chance, target))


@ips.wrong("That is the old policy's click rate: weigh each visit by target / chance.")
def takes_the_rate_of_the_log(click, chance, target):
    return np.mean(click)


@ips.wrong("You turned the weight over: what was shown too rarely has to count more.")
def turns_the_weight_over(click, chance, target):
    click, chance, target = _three(click, chance, target)
    with np.errstate(all="ignore"):
        return np.mean(np.where(target > 0, chance / np.where(target > 0, target, 1), 0) * click)


@ips.wrong("You weighed with target alone: divide by the chance of the old policy.")
def forgets_the_chance(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return np.mean(target * click)


@ips.wrong("You weighed with 1 / chance alone: multiply by the new policy's chance, target.")
def forgets_the_target(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return np.mean(click / chance)


@ips.wrong("You left the clicks out: that is the mean weight, which is near 1 for any policy.")
def leaves_the_clicks_out(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return np.mean(target / chance)


@ips.wrong("You multiplied the two chances: divide by that of the old policy.")
def multiplies_the_chances(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return np.mean(target * chance * click)


@ips.wrong(
    "You let the estimate end at 1. One log may give more; cut off, it is too low on average."
)
def ends_at_one(click, chance, target):
    return min(1.0, ips.reference(click, chance, target))


@ips.wrong(
    "You divided by the sum of the weights (that is the self-normalised estimate): divide by the "
    "number of visits."
)
def normalises_by_the_weights(click, chance, target):
    click, chance, target = _three(click, chance, target)
    w = target / chance
    return (w * click).sum() / w.sum() if w.sum() else 0.0


@ips.wrong(
    "You replayed: the rate where the two policies agree. Visits in which the old policy was "
    "likely "
    "to agree are then too many; weigh by target / chance."
)
def replays(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return click[target > 0].mean() if (target > 0).any() else 0.0


@ips.wrong(
    "You left out visits in which target is 0: they stand for no visit of the new policy, and the "
    "mean is over all visits of the log."
)
def leaves_out_what_is_not_shown(click, chance, target):
    click, chance, target = _three(click, chance, target)
    kept = target > 0
    return np.mean(target[kept] / chance[kept] * click[kept]) if kept.any() else 0.0


@ips.wrong("You added up: divide by the number of visits.")
def adds_up(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return (target / chance * click).sum()


@ips.wrong("You divided by the number of clicks: divide by the number of visits.")
def divides_by_the_clicks(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return (target / chance * click).sum() / max(click.sum(), 1)


@ips.wrong(
    "You cut the weights off: then what was shown too rarely is not made up for. The estimate is "
    "too low."
)
def clips_the_weights(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return np.mean(np.minimum(target / chance, 1) * click)


@ips.wrong("You divided the means: the weight belongs to each visit, before the mean is taken.")
def divides_the_means(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return click.mean() * target.mean() / chance.mean()


@ips.wrong("You subtracted the logarithms and left it there: the weight is target / chance itself.")
def takes_the_logarithm(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return np.mean(np.log1p(target / chance) * click)


@ips.wrong(expects="single number")
def gives_a_value_for_each_visit(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return target / chance * click


@ips.right
def goes_visit_by_visit(click, chance, target):
    total = 0.0
    for c, before, now in zip(click, chance, target, strict=True):
        if c:
            total += now / before
    return total / len(click)


@ips.right
def takes_one_product(click, chance, target):
    weight = np.divide(target, chance, dtype=float)
    return float(weight @ np.asarray(click, dtype=float)) / weight.size


@ips.wrong("`//` cuts off what stands behind the point of the weights: write / in its place.")
def cuts_the_weights_off(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return np.mean(target // chance * click)


@ips.wrong("You divided by one visit less: the mean is over all visits.")
def divides_by_one_less(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return (target / chance * click).sum() / max(len(click) - 1, 1)


@ips.wrong(
    "You cut the weights off: then what was shown too rarely is not made up for. The estimate is "
    "too low."
)
def clips_the_weights_at_ten(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return np.mean(np.minimum(target / chance, 10) * click)


@ips.wrong("You divided by sums over all visits: each visit has its own weight, target / chance.")
def divides_the_sums(click, chance, target):
    click, chance, target = _three(click, chance, target)
    return (target * click).sum() / chance.sum()


@ips.wrong("You took the gain over the log: return the new policy's rate itself.")
def subtracts_the_old_rate(click, chance, target):
    return ips.reference(click, chance, target) - np.mean(click)


@ips.wrong("A visit without a click has chance * click = 0 below the line: multiply by click.")
def divides_by_the_click(click, chance, target):
    click, chance, target = _three(click, chance, target)
    with np.errstate(all="ignore"):
        return np.mean(target / (chance * click))


@ips.check("a small case by hand")
def _(answer):
    click = np.array([1, 0, 1, 1, 0, 1, 0])
    chance = np.array([0.5, 0.2, 0.1, 0.8, 0.4, 0.25, 0.9])
    target = np.array([0.3, 0.0, 0.7, 0.0, 1.0, 0.05, 0.45])
    why = "Weights 0.6, 0, 7, 0, 2.5, 0.2, 0.5; four clicks: (0.6 + 7 + 0 + 0.2) / 7."
    expect_close(expect_number(answer(click, chance, target)), 7.8 / 7, why)


@ips.check("random cases")
def _(answer):
    rng = np.random.default_rng(4)
    for size, kind in [(30, int), (7, float), (200, bool), (1, int)]:
        click = (rng.random(size) < 0.4).astype(kind)
        click[0] = 1
        chance = rng.uniform(0.05, 1, size=size) ** 2  # some weights are above 100
        target = rng.random(size) * (rng.random(size) < 0.6)
        target[0] = 0.9
        got = expect_number(answer(click, chance, target))
        expect_close(got, ips.reference(click, chance, target), f"{size} visits.")


@ips.check("the same policy, and one that shows nothing of the log")
def _(answer):
    click, chance = np.array([1, 0, 0, 1]), np.array([0.5, 0.25, 0.1, 0.3])
    why = "The new policy is the old one: all weights are 1, and the rate is that of the log."
    expect_close(answer(click, chance, chance), 0.5, why)
    why = "The new policy shows nothing that the log holds: all weights are 0."
    expect_close(answer(click, chance, np.zeros(4)), 0, why)


@define(
    "online.thompson",
    notebook=14,
    drawn=True,
    hints=[
        "What you believe of an item's click rate after c clicks in s showings is a Beta "
        "distribution: Beta(1 + c, 1 + s - c). In each draw take one rate for each item, and see "
        "which is the largest.",
        "`rng.beta(1 + clicks, 1 + shown - clicks, size=(draws, len(clicks)))` has a draw in each "
        "row. `.argmax(axis=1)` says which item wins it.",
        "`np.bincount(winners, minlength=len(clicks)) / draws` is the share of draws that each "
        "item wins.",
    ],
)
def thompson(clicks, shown, draws, rng):
    """Return how likely Thompson sampling is to show each item, estimated with some draws.

    clicks, shown: for each item, how often it was clicked and how often shown so far; integers.
    In each draw every item gets a click rate drawn with rng from its Beta(1 + clicks, 1 + misses),
    and the item with the largest one wins. The shares of the draws that each item wins: an array.
    """
    rates = rng.beta(1 + clicks, 1 + shown - clicks, size=(draws, len(clicks)))
    return np.bincount(rates.argmax(axis=1), minlength=len(clicks)) / draws


def _shares(a, b, draws, rng):
    rates = rng.beta(a, b, size=(draws, len(a)))
    return np.bincount(rates.argmax(axis=1), minlength=len(a)) / draws


@thompson.wrong("You took the item with the best rate so far: that is greedy, and it never doubts.")
def is_greedy(clicks, shown, draws, rng):
    best = np.zeros(len(clicks))
    best[np.argmax((1 + clicks) / (2 + shown))] = 1
    return best


@thompson.wrong(
    "You took all showings for misses: the second number of the Beta counts the misses, "
    "shown - clicks, and 1."
)
def takes_showings_for_misses(clicks, shown, draws, rng):
    return _shares(1 + clicks, 1 + shown, draws, rng)


@thompson.wrong("You exchanged clicks and misses: the first number of the Beta belongs to clicks.")
def exchanges_clicks_and_misses(clicks, shown, draws, rng):
    return _shares(1 + shown - clicks, 1 + clicks, draws, rng)


@thompson.wrong("You took the item that wins least: show the one with the largest rate.")
def takes_the_smallest(clicks, shown, draws, rng):
    rates = rng.beta(1 + clicks, 1 + shown - clicks, size=(draws, len(clicks)))
    return np.bincount(rates.argmin(axis=1), minlength=len(clicks)) / draws


@thompson.wrong(
    "You gave the mean rates, made to add up to 1: asked for is how often each item wins."
)
def gives_the_mean_rates(clicks, shown, draws, rng):
    mean = (1 + clicks) / (2 + shown)
    return mean / mean.sum()


@thompson.wrong("You gave each item its own drawn rate on average: let them compete in each draw.")
def gives_drawn_rates(clicks, shown, draws, rng):
    return rng.beta(1 + clicks, 1 + shown - clicks, size=(draws, len(clicks))).mean(axis=0)


@thompson.wrong("You counted: divide by the number of draws.")
def counts(clicks, shown, draws, rng):
    return thompson.reference(clicks, shown, draws, rng) * draws


@thompson.wrong(
    "You left out the two 1s: before anything is shown every rate is as likely, Beta(1, 1)."
)
def forgets_the_ones(clicks, shown, draws, rng):
    return _shares(np.maximum(clicks, 1e-3), np.maximum(shown - clicks, 1e-3), draws, rng)


@thompson.wrong("You used the clicks of all items together: each item has its own belief.")
def pools_the_items(clicks, shown, draws, rng):
    a = np.full(len(clicks), 1 + clicks.sum())
    b = np.full(len(clicks), 1 + (shown - clicks).sum())
    return _shares(a, b, draws, rng)


@thompson.wrong(
    "You drew from a normal distribution with the error of the rate: with few showings that is "
    "far from the Beta, and an item with no click gets no doubt at all."
)
def draws_from_a_normal(clicks, shown, draws, rng):
    p = clicks / np.maximum(shown, 1)
    error = np.sqrt(p * (1 - p) / np.maximum(shown, 1))
    rates = rng.normal(p, error, size=(draws, len(clicks)))
    return np.bincount(rates.argmax(axis=1), minlength=len(clicks)) / draws


@thompson.wrong("You let every draw be the same: draw anew for each of them.")
def draws_once(clicks, shown, draws, rng):
    best = np.zeros(len(clicks))
    best[rng.beta(1 + clicks, 1 + shown - clicks).argmax()] = 1
    return best


@thompson.wrong(
    "You counted only the items that won a draw: an item that never wins has a share too, 0. "
    "`np.bincount(..., minlength=len(clicks))` keeps it."
)
def leaves_out_who_never_wins(clicks, shown, draws, rng):
    rates = rng.beta(1 + clicks, 1 + shown - clicks, size=(draws, len(clicks)))
    return np.bincount(rates.argmax(axis=1)) / draws


@thompson.wrong("You gave the winner of each draw: count how often each item wins, as a share.")
def gives_the_winners(clicks, shown, draws, rng):
    rates = rng.beta(1 + clicks, 1 + shown - clicks, size=(draws, len(clicks)))
    return rates.argmax(axis=1)


@thompson.wrong(
    "You looked for the best draw of each item: look for the best item of each draw, "
    "`argmax(axis=1)` where a row is a draw."
)
def takes_the_best_draw(clicks, shown, draws, rng):
    rates = rng.beta(1 + clicks, 1 + shown - clicks, size=(draws, len(clicks)))
    return np.bincount(rates.argmax(axis=0), minlength=len(clicks)) / draws


@thompson.wrong(
    "You drew new clicks at the rate so far: then an item without a click never wins. Draw the "
    "rate itself, from the Beta."
)
def draws_clicks(clicks, shown, draws, rng):
    n = np.maximum(shown, 1)
    rates = rng.binomial(n, clicks / n, size=(draws, len(clicks))) / n
    return np.bincount(rates.argmax(axis=1), minlength=len(clicks)) / draws


@thompson.right
def draws_one_by_one(clicks, shown, draws, rng):
    wins = [0] * len(clicks)
    for _ in range(draws):
        rates = [rng.beta(1 + c, 1 + s - c) for c, s in zip(clicks, shown, strict=True)]
        wins[rates.index(max(rates))] += 1
    return np.array(wins) / draws


@thompson.right
def draws_gammas(clicks, shown, draws, rng):
    up = rng.gamma(1.0 + clicks, size=(draws, len(clicks)))
    down = rng.gamma(1.0 + shown - clicks, size=(draws, len(clicks)))
    best = (up / (up + down)).argmax(axis=1)
    return np.array([(best == item).mean() for item in range(len(clicks))])


def _wins(clicks, shown):
    """How likely each item is to win, by numerical integration over the rate that wins."""
    from scipy.stats import beta

    rate = (np.arange(4000) + 0.5) / 4000
    belief = [beta(1 + c, 1 + s - c) for c, s in zip(clicks, shown, strict=True)]
    below = np.array([each.cdf(rate) for each in belief])
    return np.array(
        [
            np.mean(each.pdf(rate) * np.delete(below, place, axis=0).prod(axis=0))
            for place, each in enumerate(belief)
        ]
    )


# Of 4,000 draws a share is known to 0.008 (a standard deviation); five of them.
DRAWS, NEAR = 4000, 0.04


def _near(got, clicks, shown, why):
    got = expect_shape(got, (len(clicks),))
    wanted = _wins(clicks, shown)
    off = int(np.argmax(np.abs(got - wanted)))
    expect(
        np.abs(got - wanted).max() < NEAR,
        f"Item {off} should win {wanted[off]:.2f} of the draws, give or take {NEAR}; it wins "
        f"{got[off]:.4g}. {why}",
    )


@thompson.wrong(expects="Draw with `rng` alone")
def draws_from_another_generator(clicks, shown, draws, rng):
    return _shares(1 + clicks, 1 + shown - clicks, draws, np.random.default_rng(0))


@thompson.wrong(expects="With 1 draw")
def ignores_draws(clicks, shown, draws, rng):
    return _shares(1 + clicks, 1 + shown - clicks, 4000, rng)


@thompson.wrong("You added 2 to the clicks and to the misses: each of the two gets 1.")
def adds_two(clicks, shown, draws, rng):
    return _shares(2 + clicks, 2 + shown - clicks, draws, rng)


@thompson.check("a small case by hand")
def _(answer):
    clicks, shown = np.array([2, 1, 9, 0]), np.array([7, 2, 31, 1])
    why = "2 of 7, 1 of 2, 9 of 31 and 0 of 1 were clicked: the second has few showings, so hope."
    _near(answer(clicks, shown, DRAWS, np.random.default_rng(6)), clicks, shown, why)


@thompson.check("nothing known, much known, one item")
def _(answer):
    zeros = np.zeros(5, dtype=int)
    got = answer(zeros, zeros, DRAWS, np.random.default_rng(1))
    _near(got, zeros, zeros, "Nothing was shown yet: all five are as likely.")
    clicks, shown = np.array([0, 400, 250]), np.array([900, 1000, 1000])
    got = answer(clicks, shown, DRAWS, np.random.default_rng(2))
    _near(got, clicks, shown, "So much is known that one item wins nearly always.")
    clicks, shown = np.array([0, 850]), np.array([0, 1000])
    got = answer(clicks, shown, DRAWS, np.random.default_rng(4))
    _near(got, clicks, shown, "Item 0 was never shown: any rate is as likely, Beta(1, 1).")
    one = expect_shape(answer(np.array([3]), np.array([4]), 50, np.random.default_rng(3)), (1,))
    expect_close(one, [1.0], "There is one item: it wins every draw.")


@thompson.check("random cases")
def _(answer):
    rng = np.random.default_rng(9)
    for items in (2, 3, 6):
        shown = rng.integers(1, 40, size=items)
        clicks = rng.binomial(shown, rng.uniform(0.1, 0.7, size=items))
        got = expect_shape(answer(clicks, shown, DRAWS, np.random.default_rng(items)), (items,))
        _near(got, clicks, shown, f"Clicks {clicks.tolist()} of {shown.tolist()}.")


@thompson.check("as many draws as asked for, from the generator that is given")
def _(answer):
    clicks, shown = np.array([2, 4, 3, 0]), np.array([7, 9, 8, 1])
    got = [answer(clicks, shown, 1, np.random.default_rng(seed)) for seed in range(6)]
    for each in got:
        expect(
            sorted(expect_shape(each, (4,))) == [0, 0, 0, 1],
            f"With 1 draw one item wins: its share is 1, the others' are 0. It returned {each}.",
        )
    one, again, other = (
        np.asarray(answer(clicks, shown, 70, np.random.default_rng(seed))) for seed in (1, 1, 2)
    )
    expect(
        (one == again).all() and (one != other).any(),
        "Draw with `rng` alone: the same generator has to give the same shares, and another one "
        "others.",
    )


@define(
    "online.sample_size",
    notebook=14,
    hints=[
        "The difference of the two rates varies with the variance (p (1 - p) + q (1 - q)) / n. The "
        "test rejects beyond z times its root; the true difference has to lie that far out, and "
        "further by what the power asks.",
        "`z = NormalDist().inv_cdf` from the standard library. Two-sided: z(1 - level / 2). For "
        "the power: z(power). Add them, and square the sum.",
        "n = (z(1 - level / 2) + z(power))² (p (1 - p) + q (1 - q)) / (q - p)², rounded up: "
        "`math.ceil`.",
    ],
    equivalent={
        "line 8: from math import ceil -> pass": "the lesson has imported it",
        "line 9: from statistics import NormalDist -> pass": "the lesson has imported it",
        "line 13: q - p -> p - q": "its square is the same",
    },
)
def sample_size(p, q, level, power):
    """Return how many users each of two groups needs, a whole number, rounded up.

    p, q: the shares of users who click, under the old and the new; p is not q. level: the chance of
    a false alarm of the two-sided test when p is q, such as 0.05. power: the chance to find the
    difference if it is there, such as 0.8. Normal approximation, each group with its own variance.
    """
    from math import ceil
    from statistics import NormalDist

    z = NormalDist().inv_cdf
    reach = z(1 - level / 2) + z(power)
    return ceil(reach**2 * (p * (1 - p) + q * (1 - q)) / (q - p) ** 2)


def _size(p, q, level, power, *, sides=2, both=None, reach=None):
    z = NormalDist().inv_cdf
    reach = z(1 - level / sides) + z(power) if reach is None else reach
    both = p * (1 - p) + q * (1 - q) if both is None else both
    return ceil(reach**2 * both / (q - p) ** 2)


@sample_size.wrong("You sized a one-sided test: two-sided, each side gets level / 2.")
def is_one_sided(p, q, level, power):
    return _size(p, q, level, power, sides=1)


@sample_size.wrong("You gave the users of both groups together: asked for is one group.")
def gives_both_groups(p, q, level, power):
    return 2 * sample_size.reference(p, q, level, power)


@sample_size.wrong(
    "You forgot the power: with this size the difference is found one time in two. Add z(power)."
)
def forgets_the_power(p, q, level, power):
    return _size(p, q, level, power, reach=NormalDist().inv_cdf(1 - level / 2))


@sample_size.wrong("You took one group's variance: a difference has the variances of both.")
def takes_one_variance(p, q, level, power):
    return _size(p, q, level, power, both=p * (1 - p))


@sample_size.wrong("You took the new group's variance alone: a difference has those of both.")
def takes_the_new_variance(p, q, level, power):
    return _size(p, q, level, power, both=q * (1 - q))


@sample_size.wrong(
    "You halved: the variance of a difference is the sum of the two, not their mean, and n is the "
    "size of each group."
)
def halves(p, q, level, power):
    return _size(p, q, level, power, both=(p * (1 - p) + q * (1 - q)) / 2)


@sample_size.wrong("You fixed z at 1.96: that is for level 0.05. Take `inv_cdf(1 - level / 2)`.")
def fixes_the_level(p, q, level, power):
    z = NormalDist().inv_cdf
    return _size(p, q, level, power, reach=z(0.975) + z(power))


@sample_size.wrong(
    "You took `cdf`, which goes from z to a chance: you need the way back, `inv_cdf`."
)
def takes_cdf(p, q, level, power):
    cdf = NormalDist().cdf
    return _size(p, q, level, power, reach=cdf(1 - level / 2) + cdf(power))


@sample_size.wrong("You took the old rate's variance twice: the new group has q (1 - q).")
def takes_the_old_variance_twice(p, q, level, power):
    return _size(p, q, level, power, both=2 * p * (1 - p))


@sample_size.wrong("You took the variance at the mean of p and q: each group has its own.")
def takes_the_pooled_variance(p, q, level, power):
    mean = (p + q) / 2
    return _size(p, q, level, power, both=2 * mean * (1 - mean))


@sample_size.wrong("You forgot to square the two z: it is the width of an interval that they give.")
def forgets_the_square(p, q, level, power):
    z = NormalDist().inv_cdf
    both = p * (1 - p) + q * (1 - q)
    return ceil((z(1 - level / 2) + z(power)) * both / (q - p) ** 2)


@sample_size.wrong("You squared each z and added: add them first, then square.")
def squares_each(p, q, level, power):
    z = NormalDist().inv_cdf
    return _size(p, q, level, power, reach=np.sqrt(z(1 - level / 2) ** 2 + z(power) ** 2))


@sample_size.wrong("You divided by the difference: divide by its square.")
def divides_by_the_difference(p, q, level, power):
    return ceil(_size(p, q, level, power) * abs(q - p))


@sample_size.wrong("You took the difference relative to p: here it is q - p, as the variances are.")
def takes_the_relative_difference(p, q, level, power):
    z = NormalDist().inv_cdf
    both = p * (1 - p) + q * (1 - q)
    return ceil((z(1 - level / 2) + z(power)) ** 2 * both / ((q - p) / p) ** 2)


@sample_size.wrong(
    "One of your two z is negative, z(1 - power) or z(level / 2), so the groups are too small: add "
    "z(1 - level / 2) and z(power)."
)
def takes_the_power_for_a_miss(p, q, level, power):
    z = NormalDist().inv_cdf
    return _size(p, q, level, power, reach=z(1 - level / 2) + z(1 - power))


@sample_size.wrong("You halved the level for the power too: only the test has two sides.")
def halves_the_power(p, q, level, power):
    z = NormalDist().inv_cdf
    return _size(p, q, level, power, reach=z(1 - level / 2) + z(1 - (1 - power) / 2))


@sample_size.wrong(
    "You counted clicks: with a rate of p that is n times p. Asked for are users, who decide once."
)
def counts_clicks(p, q, level, power):
    return ceil(sample_size.reference(p, q, level, power) * p)


@sample_size.wrong(
    "You took standard deviations where variances belong: p (1 - p), without a root."
)
def takes_roots(p, q, level, power):
    return _size(p, q, level, power, both=np.sqrt(p * (1 - p)) + np.sqrt(q * (1 - q)))


@sample_size.wrong(
    "You rounded down, or to the nearest: one user fewer has less than the power asked for."
)
def rounds_down(p, q, level, power):
    return sample_size.reference(p, q, level, power) - 1


@sample_size.wrong(expects="whole number")
def does_not_round(p, q, level, power):
    z = NormalDist().inv_cdf
    both = p * (1 - p) + q * (1 - q)
    return (z(1 - level / 2) + z(power)) ** 2 * both / (q - p) ** 2


@sample_size.right
def asks_scipy(p, q, level, power):
    from scipy.stats import norm

    reach = norm.isf(level / 2) + norm.isf(1 - power)
    return int(np.ceil((p - p**2 + q - q**2) * (reach / (p - q)) ** 2))


@sample_size.right
def divides_standard_errors(p, q, level, power):
    z = NormalDist()
    far = -z.inv_cdf(level / 2) - z.inv_cdf(1 - power)
    one = np.hypot(np.sqrt(p * (1 - p)), np.sqrt(q * (1 - q)))
    return int(-((one * far / abs(q - p)) ** 2 // -1))


@sample_size.wrong("You fixed z(power) at 0.84: that is for power 0.8. Take `inv_cdf(power)`.")
def fixes_the_power(p, q, level, power):
    from math import ceil
    from statistics import NormalDist

    reach = NormalDist().inv_cdf(1 - level / 2) + 0.8416
    return ceil(reach**2 * (p * (1 - p) + q * (1 - q)) / (q - p) ** 2)


@sample_size.wrong("You mixed p and q in each variance: they are p (1 - p) and q (1 - q).")
def mixes_the_two_rates(p, q, level, power):
    from math import ceil
    from statistics import NormalDist

    z = NormalDist().inv_cdf
    reach = z(1 - level / 2) + z(power)
    return ceil(reach**2 * (p * (1 - q) + q * (1 - p)) / (q - p) ** 2)


@sample_size.wrong("Division comes before addition: put brackets around the sum of the variances.")
def forgets_the_brackets(p, q, level, power):
    from math import ceil
    from statistics import NormalDist

    z = NormalDist().inv_cdf
    reach = z(1 - level / 2) + z(power)
    return ceil(reach**2 * p * (1 - p) + q * (1 - q) / (q - p) ** 2)


@sample_size.wrong("You fixed both z, at 1.96 and 0.84: take them from `inv_cdf`.")
def fixes_both(p, q, level, power):
    from math import ceil

    return ceil(2.8**2 * (p * (1 - p) + q * (1 - q)) / (q - p) ** 2)


@sample_size.wrong(
    "16 p (1 - p) / (q - p)² is a rule for level 0.05 and power 0.8, and a rough one."
)
def takes_a_rule_of_thumb(p, q, level, power):
    from math import ceil

    return ceil(16 * p * (1 - p) / (q - p) ** 2)


@sample_size.wrong("You rounded up, and added 1: rounded up is enough.")
def adds_one_user(p, q, level, power):
    return sample_size.reference(p, q, level, power) + 1


@sample_size.wrong("You gave the users of both groups together: asked for is one group.")
def rounds_up_both_groups_together(p, q, level, power):
    from math import ceil
    from statistics import NormalDist

    z = NormalDist().inv_cdf
    reach = z(1 - level / 2) + z(power)
    return ceil(2 * reach**2 * (p * (1 - p) + q * (1 - q)) / (q - p) ** 2)


@sample_size.check("a small case by hand")
def _(answer):
    got = expect_integer(answer(0.2, 0.35, 0.05, 0.8))
    why = "(1.960 + 0.842)² x (0.16 + 0.2275) / 0.15² = 135.2, so 136 users in each group."
    expect_close(got, 136, why)


@sample_size.check("other rates, levels and powers")
def _(answer):
    for p, q, level, power in [
        (0.05, 0.055, 0.05, 0.8),
        (0.5, 0.4, 0.01, 0.9),
        (0.9, 0.93, 0.1, 0.5),
        (0.02, 0.5, 0.2, 0.95),
        (0.31, 0.27, 0.003, 0.66),
    ]:
        got = expect_integer(answer(p, q, level, power))
        why = f"p {p}, q {q}, level {level}, power {power}; take both z from `inv_cdf`."
        expect_close(got, sample_size.reference(p, q, level, power), why)


define_quiz(
    "online.recap",
    notebook=14,
    questions=[
        Choice(
            "online.q_author",
            "A team tests five new models on last month's log. The model that is most like the "
            "running recommender has the best recall. What follows?",
            right="nothing about clicks: the log favours its author",
            because="Only what was shown could be clicked. In the lesson the old recommender "
            "itself "
            "came first offline, and not online.",
            wrong={
                "the running recommender is hard to beat": "In this log, yes, because it chose "
                "what "
                "could be clicked. In the lesson a model that lost offline earned more.",
                "the new model should go live": "It may be good. But its recall says only that it "
                "repeats what was shown.",
                "the other four have been trained badly": "They may be better. The log has no "
                "clicks "
                "on what they would show.",
            },
            answer="'nothing about clicks: the log favours its author' if max(offline, "
            "key=offline.get) == 'the old one' != max(online, key=online.get) else ''",
        ),
        Number(
            "online.q_weight",
            "The old policy showed item A with the chance 0.8 and B with 0.2. In 100 visits A got "
            "80 showings and 8 clicks, B 20 showings and 6 clicks. A new policy shows B always. "
            "What is its click rate by IPS?",
            right=0.3,
            because="A visit with B has the weight 1 / 0.2 = 5, one with A has 0: 6 x 5 / 100.",
            wrong={
                0.06: "You forgot the weight: each visit with B stands for five.",
                0.14: "That is the log's own rate, 14 of 100.",
                1.5: "The mean is over all 100 visits, not over the 20 with B.",
                "else": "Weigh B's six clicks with 1 / 0.2, A's with 0, and divide by 100 visits.",
            },
            tolerance=0.005,
            answer="ips(np.repeat([1, 0, 1, 0], [8, 72, 6, 14]), np.repeat([0.8, 0.2], [80, 20]), "
            "np.repeat([0.0, 1.0], [80, 20]))",
        ),
        Choice(
            "online.q_narrow",
            "Two estimates of one new policy: a reward model says 0.418, give or take 0.001; IPS "
            "says 0.46, give or take 0.05. Which one is nearer to the truth for sure?",
            right="neither: a narrow interval can stand beside the truth",
            because="The interval of the model shows its spread, not its error. In the lesson it "
            "stayed off, however long the log.",
            wrong={
                "the model: its interval is narrower": "It is narrow around the model's own error. "
                "More data do not move it to the truth.",
                "IPS: it is right on average": "On average over many logs. This one log may be far "
                "off.",
                "their mean": "A mean of a biased and a wild estimate is a bit of both. Doubly "
                "robust "
                "joins them in a better way.",
            },
            answer="'neither: a narrow interval can stand beside the truth' if abs(by_size[32_000]"
            "['model'].mean() - truth) > 5 * by_size[32_000]['model'].std() else ''",
        ),
        Choice(
            "online.q_epsilon",
            "A news page shows a random article in one visit of ten, for ever. In the end its "
            "regret is a straight line. What would bend it?",
            right="exploring less as the doubt gets smaller",
            because="A fixed share goes on losing the same in each round. Thompson sampling shows "
            "an item as often as it may be the best, and that fades.",
            wrong={
                "exploring more": "Then the line is steeper: each random visit costs.",
                "never exploring": "Then it gets stuck on a wrong item in most runs, and that is a "
                "straight line as well.",
                "more visits": "The line goes on. It is lost per visit.",
            },
            answer="'exploring less as the doubt gets smaller' if regrets['Thompson'][-1] - "
            "regrets['Thompson'][-1001] < 0.9 * (regrets['epsilon-greedy'][-1] - "
            "regrets['epsilon-greedy'][-1001]) else ''",
        ),
        Choice(
            "online.q_morning",
            "'On day 6 it was significant, so we stopped the test early and saved two weeks.' They "
            "had looked each morning. How often is at least one of twenty looks significant if "
            "there is no difference at all?",
            right="about one time in four",
            because="Each look has its own false alarm. Twenty looks at 1.96 made 25 of a hundred.",
            wrong={
                "one time in twenty": "That is the level of one look. They had twenty chances.",
                "nearly always": "Twenty independent looks would have 64 of a hundred. These are "
                "not independent: each one contains those before it.",
                "never, if the sample was large": "With a large sample each look still has its "
                "level, and there are twenty of them.",
            },
            answer="'about one time in four' if 0.2 < chances[20, 0.05, 'stop at 1.96'] < 0.3 "
            "else ''",
        ),
        Choice(
            "online.q_half",
            "A test of 30,000 users a group finds an effect of half a point in 80 % of cases. How "
            "many would it take for a quarter of a point?",
            right="about 120,000",
            because="The number grows with one over the square of the difference: half of it takes "
            "four times the users.",
            wrong={
                "about 60,000": "Twice as many make the standard error smaller by the root of two "
                "only. The effect is smaller by two.",
                "about 42,000": "You multiplied by the root of two: it is the square of two.",
                "30,000, with a lower level": "A lower level asks for a larger difference, so it "
                "finds less.",
            },
            answer="'about 120,000' if 3.7 < sample_size(0.05, 0.0525, 0.05, 0.8) / size < 4.3 "
            "else ''",
        ),
    ],
)
