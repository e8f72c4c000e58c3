"""The exercises of notebook 08, Does it generalise?: a leak, a sample, an interval."""

from itertools import combinations
from math import comb

import numpy as np

from .engine import Mistake, define, expect, expect_close, expect_number, expect_shape
from .questions import Choice, Number, define_quiz


def _events(rng):
    """Events in no order, some at the same time, at least one of them held out."""
    m, size = rng.integers(1, 6), rng.integers(1, 30)
    held_out = rng.random(size) < rng.uniform(0.1, 0.6)
    held_out[rng.integers(size)] = True
    return rng.integers(m, size=size), rng.integers(-9, 9, size), held_out


@define(
    "generalise.leak",
    notebook=8,
    inputs=_events,
    hints=[
        "When does a user's future begin? At the earliest time among that user's test events. Then "
        "go through the train events: which of them are later?",
        "Begin with `start = np.full(users.max() + 1, np.inf)`: nobody has a future yet. "
        "`np.minimum.at(start, users[held_out], times[held_out])` puts in each user's first test "
        "event.",
        "`~held_out & (times > start[users])` is True where a train event lies in its own user's "
        "future. `start.min()` is the first test event of all. Count both with `.sum()`.",
    ],
    equivalent={"line 8: 1 -> 2": "one more user, who has no event"},
)
def leak(users, times, held_out):
    """Return (own, anyone): how many train events come from the future.

    own: train events later than the first test event of the same user; anyone: train events later
    than the first test event of all. At the same time is not later. users (positions from 0),
    times, held_out: 1-d arrays, an entry an event; held_out is True in the test, False in train.
    """
    start = np.full(users.max() + 1, np.inf)
    np.minimum.at(start, users[held_out], times[held_out])
    own = ~held_out & (times > start[users])
    anyone = ~held_out & (times > start.min())
    return int(own.sum()), int(anyone.sum())


def _starts(users, times, held_out):
    start = np.full(users.max() + 1, np.inf)
    np.minimum.at(start, users[held_out], times[held_out])
    return start


@leak.wrong("You counted events at the same time as well: later means `>`, not `>=`.")
def counts_the_same_time(users, times, held_out):
    start = _starts(users, times, held_out)
    own, anyone = ~held_out & (times >= start[users]), ~held_out & (times >= start.min())
    return int(own.sum()), int(anyone.sum())


@leak.wrong(
    "You compared with the last test event: the future begins at the first one, so take the "
    "minimum of the test's times."
)
def begins_with_the_last_test_event(users, times, held_out):
    end = np.full(users.max() + 1, -np.inf)
    np.maximum.at(end, users[held_out], times[held_out])
    end[np.isinf(end)] = np.inf
    last = times[held_out].max()
    own, anyone = ~held_out & (times > end[users]), ~held_out & (times > last)
    return int(own.sum()), int(anyone.sum())


@leak.wrong("You gave anyone's first: return own, then anyone.")
def gives_anyone_first(users, times, held_out):
    return leak.reference(users, times, held_out)[::-1]


@leak.wrong(
    "You counted test events too: only what is in train has been learnt from. Train is `~held_out`."
)
def counts_the_test_too(users, times, held_out):
    start = _starts(users, times, held_out)
    return int((times > start[users]).sum()), int((times > start.min()).sum())


@leak.wrong("You took train for test: held_out is True where the event is in the test.")
def takes_train_for_test(users, times, held_out):
    return leak.reference(users, times, ~held_out)


@leak.wrong(
    "You counted test events that come before a train event: asked for are the train events that "
    "come after a test event."
)
def counts_from_the_other_side(users, times, held_out):
    end = np.full(users.max() + 1, -np.inf)
    np.maximum.at(end, users[~held_out], times[~held_out])
    own, anyone = held_out & (times < end[users]), held_out & (times < times[~held_out].max())
    return int(own.sum()), int(anyone.sum())


@leak.wrong(
    "You gave a user without a test event a start of 0, so all their events count as future. Such "
    "a user is asked about nothing: start from infinity."
)
def starts_from_zero(users, times, held_out):
    start = np.zeros(users.max() + 1)
    for user in range(users.max() + 1):
        asked = times[held_out & (users == user)]
        start[user] = asked.min() if asked.size else 0
    own = ~held_out & (times > start[users])
    return int(own.sum()), leak.reference(users, times, held_out)[1]


@leak.wrong("You counted users: asked for is the number of their events.")
def counts_users(users, times, held_out):
    start = _starts(users, times, held_out)
    own, anyone = ~held_out & (times > start[users]), ~held_out & (times > start.min())
    return len(np.unique(users[own])), len(np.unique(users[anyone]))


@leak.wrong(
    "You counted pairs of a train event and a test event: a train event counts once, however many "
    "test events come before it."
)
def counts_pairs(users, times, held_out):
    after = (times[~held_out, None] > times[held_out]).astype(int)
    same = users[~held_out, None] == users[held_out]
    return int((after * same).sum()), int(after.sum())


@leak.wrong("You gave shares: asked for is how many.")
def gives_shares(users, times, held_out):
    own, anyone = leak.reference(users, times, held_out)
    return own / (~held_out).sum(), anyone / (~held_out).sum()


@leak.wrong("You took the user's own future out of anyone's: the user is one of all.")
def leaves_out_the_own(users, times, held_out):
    own, anyone = leak.reference(users, times, held_out)
    return own, anyone - own


@leak.wrong(
    "You gave anyone's future twice: for own, compare an event with the first test event of its "
    "own user."
)
def forgets_the_user(users, times, held_out):
    return (leak.reference(users, times, held_out)[1],) * 2


@leak.wrong(
    "You gave the user's own future twice: for anyone, compare with the first test event of all."
)
def forgets_the_others(users, times, held_out):
    return (leak.reference(users, times, held_out)[0],) * 2


@leak.wrong(
    "You took the test event that stands first in the array: the events are in no order, so look "
    "for the smallest time."
)
def trusts_the_order(users, times, held_out):
    start = np.full(users.max() + 1, np.inf)
    for place in np.flatnonzero(held_out)[::-1]:
        start[users[place]] = times[place]
    own = ~held_out & (times > start[users])
    anyone = ~held_out & (times > times[held_out][0])
    return int(own.sum()), int(anyone.sum())


@leak.wrong(expects="gave a list of events")
def gives_the_events(users, times, held_out):
    start = _starts(users, times, held_out)
    return ~held_out & (times > start[users]), ~held_out & (times > start.min())


def _counts(got):
    """Demand a pair of whole numbers."""
    parts = got.tolist() if isinstance(got, np.ndarray) and got.ndim == 1 else got
    expect(
        isinstance(parts, (tuple, list)) and len(parts) == 2,
        "Return two numbers, own and anyone: `return own, anyone`.",
    )
    for part in parts:
        expect(
            np.ndim(part) == 0,
            "One of the two is an array; right are two numbers. If it gave a list of events, or "
            "True for each of them, count them with `.sum()`.",
        )
    return [expect_number(part) for part in parts]


# Three users, times 1 to 9 with a tie, in no order. No two of the wrong answers give the same.
USERS = np.array([1, 0, 0, 0, 1, 0, 2, 0, 2])
TIMES = np.array([4, 1, 2, 7, 6, 8, 1, 1, 9])
HELD_OUT = np.array([1, 0, 0, 0, 1, 1, 0, 1, 0], dtype=bool)


@leak.wrong("You counted train events *before* the first test event: the future lies after it.")
def counts_the_past(users, times, held_out):
    start = _starts(users, times, held_out)
    start[np.isinf(start)] = -np.inf
    own, anyone = ~held_out & (times < start[users]), ~held_out & (times < times[held_out].min())
    return int(own.sum()), int(anyone.sum())


@leak.wrong("You compared with the mean of the test's times: the future begins at the first one.")
def begins_at_the_mean(users, times, held_out):
    start = np.full(users.max() + 1, np.inf)
    for user in np.unique(users[held_out]):
        start[user] = times[held_out & (users == user)].mean()
    own = ~held_out & (times > start[users])
    return int(own.sum()), int((~held_out & (times > times[held_out].mean())).sum())


@leak.wrong("You counted users with such an event: asked for is the number of events.")
def counts_users_for_own(users, times, held_out):
    start = _starts(users, times, held_out)
    own = ~held_out & (times > start[users])
    return len(np.unique(users[own])), leak.reference(users, times, held_out)[1]


@leak.wrong("Each user's count replaced the one before: add them up, `+=`.")
def keeps_the_last_user(users, times, held_out):
    start, own = _starts(users, times, held_out), 0
    for user in np.unique(users[held_out]):
        own = int((~held_out & (users == user) & (times > start[user])).sum())
    return own, leak.reference(users, times, held_out)[1]


@leak.wrong("You left out the last user: positions go up to users.max() itself.")
def passes_over_the_last_user(users, times, held_out):
    start = _starts(users, times, held_out)
    own = ~held_out & (times > start[users]) & (users < users.max())
    return int(own.sum()), leak.reference(users, times, held_out)[1]


@leak.wrong("You gave shares of all events: asked for is how many.")
def gives_shares_of_all(users, times, held_out):
    own, anyone = leak.reference(users, times, held_out)
    return own / len(times), anyone / len(times)


@leak.right
def event_by_event(users, times, held_out):
    first = {}
    for user, time, asked in zip(users, times, held_out, strict=True):
        if asked:
            first[user] = min(time, first.get(user, np.inf))
    begin, own, anyone = min(first.values()), 0, 0
    for user, time, asked in zip(users, times, held_out, strict=True):
        own += not asked and time > first.get(user, np.inf)
        anyone += not asked and time > begin
    return own, anyone


@leak.right
def with_pandas(users, times, held_out):
    import pandas as pd

    first = pd.Series(times[held_out]).groupby(users[held_out]).min()
    train, when = users[~held_out], times[~held_out]
    own = when > pd.Series(train).map(first).fillna(np.inf).to_numpy()
    return int(own.sum()), int((when > first.min()).sum())


_KEEPS_ONE = (
    "Where a user stands in `users` several times, `start[users[held_out]] = ...` keeps the value "
    "that comes last: np.minimum.at goes through all of them."
)


@leak.wrong(_KEEPS_ONE)
def keeps_the_last_of_each_user(users, times, held_out):
    start = np.full(users.max() + 1, np.inf)
    start[users[held_out]] = times[held_out]
    own, anyone = ~held_out & (times > start[users]), ~held_out & (times > start.min())
    return int(own.sum()), int(anyone.sum())


@leak.wrong(_KEEPS_ONE)
def keeps_the_last_of_each_user_for_own(users, times, held_out):
    own, _ = keeps_the_last_of_each_user(users, times, held_out)
    return own, leak.reference(users, times, held_out)[1]


@leak.wrong(
    "A user may have no test event: there is no smallest time then, and nothing of theirs counts "
    "for own."
)
def forgets_users_without_a_test(users, times, held_out):
    own = 0
    for user in range(users.max() + 1):
        test = times[(users == user) & held_out]
        train = times[(users == user) & ~held_out]
        own += int((train > test.min()).sum())
    return own, leak.reference(users, times, held_out)[1]


@leak.wrong("`~` of the whole numbers 0 and 1 is -1 and -2, and no 'not': leave held_out boolean.")
def turns_numbers_over(users, times, held_out):
    start = _starts(users, times, held_out)
    train = ~held_out.astype(int)
    return int((train * (times > start[users])).sum()), int((train * (times > start.min())).sum())


@leak.right
def person_by_person(users, times, held_out):
    own = 0
    for user in np.unique(users[held_out]):
        mine = users == user
        own += (times[mine & ~held_out] > times[mine & held_out].min()).sum()
    return np.array([own, (times[~held_out] > times[held_out].min()).sum()])


@leak.check("a small case by hand")
def _(answer):
    got = _counts(answer(USERS, TIMES, HELD_OUT))
    why = (
        "In the test, user 0 begins at 1 and user 1 at 4. In train, user 0 has 1, 2, 7 and user 2 "
        "has 1, 9: own counts 2 and 7, anyone counts 2, 7 and 9."
    )
    expect_close(got, leak.reference(USERS, TIMES, HELD_OUT), why)


@leak.check("a user without a test event")
def _(answer):
    users, times = np.array([1, 1, 0, 0, 0]), np.array([7, 2, 9, 1, 4])
    held_out = np.array([True, False, False, False, False])
    why = "User 0 is asked about nothing: own is 0. One train event, at 9, is later than 7."
    expect_close(_counts(answer(users, times, held_out)), [0, 1], why)


@leak.check("the splits of the lesson")
def _(answer):
    rng = np.random.default_rng(3)
    for m, size in [(5, 40), (1, 12), (30, 200)]:
        users = rng.integers(m, size=size)
        users[0] = m - 1
        times = rng.integers(-20, 20, size=size)
        held_out = rng.random(size) < 0.3
        held_out[rng.integers(size)] = True
        cases = [("at random", held_out), ("one date for all", times >= np.median(times))]
        for name, mask in cases:
            wanted = leak.reference(users, times, mask)
            why = f"{size} events of {m} users, held out {name}: own, then anyone."
            expect_close(_counts(answer(users, times, mask)), wanted, why)
            expect_close(_counts(answer(users, times + 0.5, mask)), wanted, why)


@leak.check("edge cases")
def _(answer):
    why = "Nothing is left in train, so nothing can leak."
    everything = np.array([True, True])
    expect_close(_counts(answer(np.array([0, 1]), np.array([3, 5]), everything)), [0, 0], why)
    users, times = np.zeros(4, dtype=int), np.array([6, 6, 6, 6])
    why = "All four events happen at the same time: none is later."
    got = _counts(answer(users, times, np.array([False, True, False, True])))
    expect_close(got, [0, 0], why)


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


@sampled_hit.wrong(
    "You drew one too few: `negatives` others are drawn, and the item comes on top of these."
)
def counts_the_item_among_the_drawn(rank, n, negatives, k):
    return sampled_hit.reference(rank, n, negatives - 1, k)


@sampled_hit.wrong(
    "You drew with replacement and from all n items (a binomial distribution with rank / n): the "
    "item is not drawn, and no other twice."
)
def takes_the_share_of_the_rank(rank, n, negatives, k):
    p = rank / n
    return sum(comb(negatives, x) * p**x * (1 - p) ** (negatives - x) for x in range(k))


@sampled_hit.wrong("You gave the chance of fewer than k - 1 better ones: k - 1 may be drawn.")
def lets_too_few_stand_before_it(rank, n, negatives, k):
    return sampled_hit.reference(rank, n, negatives, k - 1)


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


@sampled_hit.wrong(expects="stop at `negatives`")
def goes_on_when_none_is_left(rank, n, negatives, k):
    def chance(rank, n):
        ways = [comb(rank - 1, x) * comb(n - rank, negatives - x) for x in range(k)]
        return sum(ways) / comb(n - 1, negatives)

    return np.vectorize(chance)(rank, n)


@sampled_hit.wrong(expects="Here rank is an array")
def takes_one_rank_at_a_time(rank, n, negatives, k):
    ways = [comb(rank - 1, x) * comb(n - rank, negatives - x) for x in range(min(k, negatives + 1))]
    return sum(ways) / comb(n - 1, negatives)


@sampled_hit.wrong(
    "You drew one too many: `negatives` others are drawn, and the item comes on top."
)
def draws_one_too_many(rank, n, negatives, k):
    return sampled_hit.reference(rank, n, negatives + 1, k)


@sampled_hit.wrong(
    "That is the share of items that are drawn: how many *better* ones are among them?"
)
def takes_the_share_drawn(rank, n, negatives, k):
    return negatives / n + 0 * np.asarray(rank)


@sampled_hit.wrong("You counted the worse ones: the item falls behind where better ones are drawn.")
def counts_the_worse(rank, n, negatives, k):
    return sampled_hit.reference(n - rank + 1, n, negatives, k)


@sampled_hit.wrong(
    "That is Poisson's distribution, an approximation: without replacement it is the "
    "hypergeometric one."
)
def takes_poisson(rank, n, negatives, k):
    from scipy.stats import poisson

    return poisson.cdf(k - 1, negatives * (rank - 1) / (n - 1))


@sampled_hit.wrong(
    "That is the normal curve, an approximation: without replacement it is the hypergeometric "
    "distribution."
)
def takes_the_normal_curve(rank, n, negatives, k):
    from scipy.stats import norm

    p = (rank - 1) / (n - 1)
    return norm.cdf((k - 0.5 - negatives * p) / np.sqrt(negatives * p * (1 - p) + 1e-12))


@sampled_hit.right
def by_adding_up(rank, n, negatives, k):
    from scipy.stats import hypergeom

    return sum(hypergeom.pmf(x, n - 1, rank - 1, negatives) for x in range(k))


@sampled_hit.right
def by_counting_ways(rank, n, negatives, k):
    def chance(rank, n):
        rank, n = int(rank), int(n)
        ways = (
            comb(rank - 1, x) * comb(n - rank, negatives - x) for x in range(min(k, negatives + 1))
        )
        return sum(ways) / comb(n - 1, negatives)

    return np.vectorize(chance, otypes=[float])(rank, n)


@sampled_hit.wrong(
    "That is the chance that no better one is drawn, with replacement: up to k - 1 may be, and no "
    "item is drawn twice."
)
def draws_no_better_one(rank, n, negatives, k):
    return (1 - (np.asarray(rank) - 1) / (np.asarray(n) - 1)) ** negatives


@sampled_hit.wrong("You counted the worse ones: the item falls behind where better ones are drawn.")
def counts_the_worse_and_one_too_few(rank, n, negatives, k):
    from scipy.stats import hypergeom

    return hypergeom.cdf(k - 1, n - 1, np.maximum(n - rank - 1, 0), negatives)


@sampled_hit.wrong("That is what one has where all items are equally good: the rank counts.")
def forgets_the_rank(rank, n, negatives, k):
    return np.minimum(1, k / (negatives + 1)) + 0 * np.asarray(rank)


@sampled_hit.check("a probability comes back")
def _(answer):
    # Worked out below; the first tells the misconceptions apart.
    for case in [(5, 12, 7, 3), (2, 4, 2, 1), (7, 9, 3, 2)]:
        got = expect_number(answer(*case))
        expect(
            not np.isnan(got),
            "It returned nan. `hypergeom.cdf(x, M, n, N)` takes the number of all others (M), then "
            "of the better ones (n), then of those drawn (N).",
        )
        expect(0 <= got <= 1, f"It returned {got:.6g}; a probability lies between 0 and 1.")


@sampled_hit.check("a small case by hand")
def _(answer):
    why = (
        "7 of 11 can be drawn in 330 ways: 1 holds none of the 4 better ones, 28 hold one, 126 two."
    )
    expect_close(answer(5, 12, 7, 3), 155 / 330, why)
    why = "Of the 3 ways to draw 2 of the 3 others, 1 leaves the better one out."
    expect_close(answer(2, 4, 2, 1), 1 / 3, why)


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
    expect_shape(both, (2,))
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
    why = "A list of ten has room for the item and all five others that are drawn."
    try:
        expect_close(answer(5, 100, 5, 10), 1, why)
    except Mistake as mistake:
        if "ValueError" in str(mistake):  # comb of a negative number
            mistake = Mistake(f"{mistake} Of 5 drawn, 6 cannot be better: stop at `negatives`.")
        raise mistake from None


@define(
    "generalise.paired_interval",
    notebook=8,
    drawn=True,
    trials=12,
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


@paired_interval.wrong(
    "You drew one user in each repeat: draw as many users as there are, and keep their mean."
)
def draws_one_user_a_repeat(a, b, repeats, rng):
    return tuple(np.quantile((b - a)[rng.integers(len(a), size=repeats)], [0.025, 0.975]))


@paired_interval.wrong(
    "You cut off 0.5 % at either end, which leaves 99 %: for 95 % cut off 2.5 % at each."
)
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


@paired_interval.wrong("You never drew the first user: positions begin at 0.")
def leaves_out_the_first_user(a, b, repeats, rng):
    means = (b - a)[rng.integers(1, len(a), size=(repeats, len(a)))].mean(axis=1)
    return tuple(np.quantile(means, [0.025, 0.975]))


@paired_interval.wrong(
    "You drew one user too few: each draw holds as many as there are, so `size=len(a)`."
)
def draws_one_user_too_few(a, b, repeats, rng):
    means = (b - a)[rng.integers(len(a), size=(repeats, len(a) - 1))].mean(axis=1)
    return tuple(np.quantile(means, [0.025, 0.975]))


@paired_interval.wrong(
    "You drew `repeats` users in each of as many draws as there are users: a draw holds as many "
    "users as there are, and there are `repeats` draws."
)
def exchanges_users_and_repeats(a, b, repeats, rng):
    means = (b - a)[rng.integers(len(a), size=(len(a), repeats))].mean(axis=1)
    return tuple(np.quantile(means, [0.025, 0.975]))


@paired_interval.wrong("You took the smallest and the largest mean: cut off 2.5 % at either end.")
def takes_the_extremes(a, b, repeats, rng):
    means = (b - a)[rng.integers(len(a), size=(repeats, len(a)))].mean(axis=1)
    return means.min(), means.max()


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
# Differences 1, -2, 5, 13, 0: the misconceptions all give other numbers.
FIVE = np.array([3.0, 9.0, 2.0, 4.0, 6.0]), np.array([4.0, 7.0, 7.0, 17.0, 6.0])


@paired_interval.wrong(
    "You gave mean +- 1.96 standard errors, which holds for many users: the bootstrap needs no "
    "such rule. Draw, and take the quantiles of the means."
)
def trusts_the_curve_with_n_less_1(a, b, repeats, rng):
    d = b - a
    reach = 1.96 * d.std(ddof=1) / np.sqrt(len(d))
    return d.mean() - reach, d.mean() + reach


@paired_interval.wrong("You divided by a: the interval is one of the plain difference, b - a.")
def takes_the_relative_gain(a, b, repeats, rng):
    with np.errstate(divide="ignore", invalid="ignore"):
        return paired_interval.reference(0 * a, (b - a) / np.maximum(a, 1e-9), repeats, rng)


@paired_interval.wrong("You dropped the signs: a user may lose by b, so take b - a as it is.")
def drops_the_signs(a, b, repeats, rng):
    return paired_interval.reference(0 * a, np.abs(b - a), repeats, rng)


@paired_interval.wrong(
    "You subtracted the mean: the interval lies where the means of the draws lie."
)
def centres_the_means(a, b, repeats, rng):
    low, high = paired_interval.reference(a, b, repeats, rng)
    return low - (b - a).mean(), high - (b - a).mean()


@paired_interval.wrong("You turned the interval round the mean: take the quantiles as they are.")
def turns_it_round_the_mean(a, b, repeats, rng):
    low, high = paired_interval.reference(a, b, repeats, rng)
    return 2 * (b - a).mean() - high, 2 * (b - a).mean() - low


@paired_interval.wrong("You drew half of the users: draw as many as there are, `size=len(a)`.")
def draws_half_of_the_users(a, b, repeats, rng):
    half = max(len(a) // 2, 1)
    means = (b - a)[rng.integers(len(a), size=(repeats, half))].mean(axis=1)
    return tuple(np.quantile(means, [0.025, 0.975]))


@paired_interval.wrong(
    "You drew once, and used that draw in each repeat: draw anew in each, inside the loop."
)
def draws_once_for_all(a, b, repeats, rng):
    mean = (b - a)[rng.integers(len(a), size=len(a))].mean()
    return mean, mean


@paired_interval.wrong(expects="What it returned has shape ()")
def gives_the_mean_alone(a, b, repeats, rng):
    return (b - a)[rng.integers(len(a), size=(repeats, len(a)))].mean()


@paired_interval.right
def repeat_by_repeat(a, b, repeats, rng):
    d = b - a
    means = [d[rng.integers(0, len(d), len(d))].mean() for _ in range(repeats)]
    return np.percentile(means, 2.5), np.percentile(means, 97.5)


@paired_interval.right
def by_how_often_each_is_drawn(a, b, repeats, rng):
    often = rng.multinomial(len(a), np.ones(len(a)) / len(a), size=repeats)
    return np.quantile(often @ (b - a) / len(a), [0.025, 0.975]).tolist()


@paired_interval.wrong("You cut off 25 % at either end: for 95 % cut off 2.5 %, 0.025, at each.")
def leaves_fifty(a, b, repeats, rng):
    drawn = rng.integers(len(a), size=(repeats, len(a)))
    return tuple(np.quantile((b - a)[drawn].mean(axis=1), [0.25, 0.75]))


@paired_interval.wrong(expects="standard errors")
def cuts_off_unequally(a, b, repeats, rng):
    drawn = rng.integers(len(a), size=(repeats, len(a)))
    return tuple(np.quantile((b - a)[drawn].mean(axis=1), [0.05, 0.975]))


@paired_interval.check("a low and a high come back")
def _(answer):
    low, high = _ends(answer(*FIVE, 60, np.random.default_rng(5)))
    expect(low <= high, f"It returned ({low:.6g}, {high:.6g}): give the lower end first.")


def _ends(got):
    """Demand two finite numbers."""
    low, high = expect_shape(got, (2,), "What it returned")
    expect(
        np.isfinite(low) and np.isfinite(high),
        f"It returned ({low:.6g}, {high:.6g}): is something divided by 0, or the mean of nothing "
        "taken?",
    )
    return low, high


@paired_interval.check("a small case by hand")
def _(answer):
    a = np.array([1.0, 4.0, 2.0, 8.0])
    why = "Each user gets 2 more from b, whoever is drawn: take the same users for both."
    got = _ends(answer(a, a + 2, 200, np.random.default_rng(6)))
    # Whatever way the users are drawn.
    for slip, says in [
        (-2, "You took a - b: where b is the better model, b - a is above zero."),
        (8, "You added up the differences: the interval is one of their mean."),
    ]:
        expect(not np.allclose(got, slip), f"It returned ({got[0]:.6g}, {got[1]:.6g}). {says}")
    expect_close(got, [2, 2], why)
    # 3.7 % of 10,000 means are 3: by chance fewer than 250 or more than 500 would be, once in
    # 10^9 times.
    why = (
        "The differences are 0, 0 and 3, so a draw's mean is how often the last user was drawn: "
        "0 times in 8 of 27 draws, 3 times in 1 of 27, which is more than 2.5 %."
    )
    expect_close(_ends(answer(A, B, 10_000, np.random.default_rng(7))), [0, 3], why)
    # 35 % of the means are 0, 7 % are 3 or more, 1 % are more than 3.
    a, b = np.zeros(10), np.array([10.0] + 9 * [0.0])
    why = (
        "Ten users, and the first alone gains anything, 10. A draw's mean is how often that user "
        "was drawn: 0 times in 35 % of draws, more than 3 times in 1 %. Is every user drawn, "
        "and as many as there are?"
    )
    expect_close(_ends(answer(a, b, 10_000, np.random.default_rng(12))), [0, 3], why)


@paired_interval.check("many users: the interval that theory gives")
def _(answer):
    rng = np.random.default_rng(8)
    half = rng.normal(size=100) * (rng.random(100) < 0.4)  # as with lists: many gain nothing
    for shift in (0.3, -0.1):
        a, difference = rng.normal(size=200), shift + np.concatenate([half, -half])
        got = answer(a, a + difference, 6000, np.random.default_rng(9))
        # A mean of 200 symmetric values is all but normal. With 6,000 draws the ends vary by 0.035
        # standard errors: 0.2 is almost six times that, and a 90 % interval differs by 0.31.
        low, high = (np.array(_ends(got)) - shift) / (difference.std() / np.sqrt(200))
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
        np.array(_ends(answer(a, b, 50, np.random.default_rng(seed)))) for seed in (1, 1, 2)
    )
    expect(
        (one == again).all() and (one != other).any(),
        "Draw with `rng` alone: the same generator has to give the same interval, and another "
        "one another.",
    )


@paired_interval.check("edge cases")
def _(answer):
    a, b = np.zeros(30), np.random.default_rng(10).normal(size=30)
    low, high = _ends(answer(a, b, 1, np.random.default_rng(11)))
    why = "With one repeat there is one mean, so low and high are both that"
    expect(
        np.isclose(low, high),
        f"{why}; yours are {low:.6g} and {high:.6g}. Do you draw `repeats` times?",
    )


define_quiz(
    "generalise.recap",
    notebook=8,
    questions=[
        Choice(
            "generalise.q_new_films",
            "A shop gets sixty new films tonight; nobody has seen them. Its SVD won on the last "
            "fifth of each person's events. How many of the new films will be on tomorrow's lists?",
            right="none",
            because="No event, no factor: the new films score 0, and films that somebody has seen "
            "score more. The split that asks this question is *cold items*, and there the SVD "
            "finds nothing.",
            wrong={
                "fewer than on the test, but more than content would list": "On *last* the SVD is "
                "far ahead of content, but there other people have the films. Without an event "
                "behaviour says nothing, and genres say a little.",
                "about as many as it found on the test": "A score holds for the question that "
                "the split asks. *Last* hides events of films that others have in train.",
                "as many as chance would list": "Scores that are all equal would make the list a "
                "lottery. Here the old films score more than 0, so they take all ten places.",
            },
            answer="'none' if by_split.loc['SVD', 'cold items'] == 0 else ''",
        ),
        Choice(
            "generalise.q_half",
            "Popularity scores 0.174 on *random* and 0.086 on *last*. A colleague says: 'So half "
            "of its score was leaked future.' What is wrong?",
            right="*last* hides rarer films, so it asks harder questions",
            because="Two things differ between the splits. Where the future alone was added, "
            "popularity gained nothing that could be seen; the hidden films of *last* have fewer "
            "people in train.",
            wrong={
                "nothing: what a model loses without the future is the leak": "The two splits "
                "differ in what is asked as well. A fair test of the leak changes one thing only.",
                "the test of *last* is smaller, so its scores are lower": "Both tests hold "
                "about 20,000 events. And a smaller test makes a mean less sure, not lower.",
                "popularity cannot use dates, so the difference is chance": "It cannot use dates, "
                "but the intervals of 0.174 and 0.086 are far apart. What is asked has changed.",
            },
            answer="'*last* hides rarer films, so it asks harder questions' if np.median("
            "lab.popularity(past)[0, last.matrix.indices]) < np.median(lab.popularity("
            "splits['random'][0])[0, splits['random'][1].matrix.indices]) else ''",
        ),
        Number(
            "generalise.q_lead",
            "nDCG@10 on *last*: EASE 0.141, popularity 0.086. With only what was known on the "
            "day: EASE 0.127, popularity 0.080, popularity of the last year 0.102. Which share "
            "of EASE's lead of 0.055 is left against the best simple rival on the day? (0 to 1)",
            right=0.45,
            because="0.127 - 0.102 = 0.025, and 0.025 / 0.055 = 0.45. The rest of the lead was "
            "other people's future, and a rival that was too weak.",
            wrong={
                0.85: "You left the old popularity as the rival. On the day the last year's "
                "popularity, 0.102, is the best simple one.",
                0.55: "That is the share that is gone. What is left is 0.025 of 0.055.",
                0.71: "You gave EASE the other people's future: on the day it has 0.127, "
                "not 0.141.",
                "else": "Take the lead on the day, EASE less the best simple rival of that day, "
                "and divide it by 0.055.",
            },
            tolerance=0.02,
            answer="(then['EASE then'] - then['last year then']).mean() "
            "/ (then['EASE'] - then['popularity']).mean()",
        ),
        Choice(
            "generalise.q_sampled",
            "About 9,000 films are left to rank. Model A puts the hidden film at rank 1 for half "
            "of the people and at rank 5,000 for the others. B puts it at rank 300 for everybody. "
            "Who has more hits in the top 10: against 100 drawn films, and against all?",
            right="B against 100, A against all",
            because="Against 100 drawn films, rank 300 is among the first ten nearly always, and "
            "rank 5,000 almost never: about 1 to 0.5. Against all films A has 0.5, and B shows "
            "the film to nobody.",
            wrong={
                "A against 100, A against all": "Rank 300 looks hopeless, and on a list it is. "
                "But of 100 drawn films only about three are better than it.",
                "B against 100, B against all": "B never fails badly, but against all films only "
                "ranks 1 to 10 count, and B has none of them.",
                "equal against 100, A against all": "The sample cannot tell rank 1 from rank 300, "
                "but it can tell both from rank 5,000, where A puts half of the people.",
            },
            answer="('B' if sampled_hit(300, among, 100, 10) > (sampled_hit(1, among, 100, 10) "
            "+ sampled_hit(5000, among, 100, 10)) / 2 else 'A') + ' against 100, A against all'",
        ),
        Choice(
            "generalise.q_overlap",
            "The same people judge two models. X has 0.131 (0.119 to 0.143), Y has 0.140 (0.127 "
            "to 0.153). What follows?",
            right="nothing yet: take each person's difference",
            because="The two intervals hold what people differ in, and that is the same for "
            "both models. The interval of the differences may leave zero, as for EASE less SVD, "
            "or not.",
            wrong={
                "X and Y cannot be told apart, because the intervals overlap": "Those of the SVD "
                "and EASE overlap too, and yet the interval of their difference is above zero.",
                "Y is better, because both ends of its interval are higher": "The ends would lie "
                "so after luck alone as well. Only the differences say how sure the lead is.",
                "four times as many people are needed to tell": "More people help, but these may "
                "be enough: as pairs the interval was about half as wide, without one more person.",
            },
            answer="'nothing yet: take each person\\'s difference' if alone['SVD'][1] > "
            "alone['EASE'][0] and paired['EASE less SVD'][0] > 0 else ''",
        ),
        Choice(
            "generalise.q_forty",
            "A team tries 40 ideas, each against the old model with a 95 % interval. One is "
            "ahead with its interval just above zero; the other 39 intervals hold zero. What do "
            "you advise?",
            right="judge that one again, with other people",
            because="With 40 ideas that change nothing, at least one looked different in most "
            "repeats. New data are one comparison, so there 95 % means 95 %.",
            wrong={
                "ship it: by luck it would fail only once in twenty": "That holds for one "
                "comparison that was chosen beforehand. This one was chosen as the best of 40.",
                "drop it: a lead among 40 tries is always luck": "The lead may be real. The 40 "
                "tries make it unproven, not false, and Bonferroni's level may miss it.",
                "report 95 % for it, and leave the other 39 out": "The reader would take it for "
                "one comparison. The number of tries is a part of the result.",
            },
            answer="'judge that one again, with other people' if (wrong[0] > 0).mean() > 0.5 "
            "else ''",
        ),
    ],
)
