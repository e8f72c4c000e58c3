"""The exercises of notebook 19, Your own data: a machine's rhythm, and a split that can see."""

import numpy as np

from .engine import define, expect_close, expect_equal, expect_number, expect_shape
from .questions import Choice, Number, Several, define_quiz


def _a_diary(rng):
    """Times of one account, in any order: a few pauses come often, some are 0."""
    count = int(rng.integers(3, 30))
    pauses = rng.choice([0, 1, 3, 7, 11, 60, 4000], size=count)
    times = 1_000_000 + np.cumsum(pauses) + int(rng.integers(1000))
    return (rng.permutation(times),)


@define(
    "audit.commonest_pause",
    notebook=19,
    inputs=_a_diary,
    hints=[
        "First bring the times into order: `np.sort`. Then `np.diff` gives the pauses.",
        "Keep the pauses above 0. `np.unique(pauses, return_counts=True)` says how often each "
        "comes.",
        "`counts.max() / counts.sum()`, and 0 where no pause is left.",
    ],
)
def commonest_pause(times):
    """Return how large a share the commonest pause has among an account's pauses above 0.

    times: the times of one account's events in seconds, a 1-d array of whole numbers in any order.
    A pause is the time from one event to the next one. If no pause is above 0, return 0.
    """
    pauses = np.diff(np.sort(times))
    pauses = pauses[pauses > 0]
    if len(pauses) == 0:
        return 0.0
    counts = np.unique(pauses, return_counts=True)[1]
    return counts.max() / counts.sum()


def _share(pauses, of=None):
    pauses = np.asarray(pauses)
    if not len(pauses):
        return 0.0
    counts = np.unique(pauses, return_counts=True)[1]
    return counts.max() / (counts.sum() if of is None else of)


@commonest_pause.wrong(
    "You took the times as they stand. Rows need not stand in the order of time: sort them first."
)
def does_not_sort(times):
    pauses = np.diff(times)
    return _share(pauses[pauses > 0])


@commonest_pause.wrong(
    "You did not sort, and made the differences positive: that is the distance of two rows, not "
    "the pause between an event and the next one."
)
def takes_distances_of_rows(times):
    pauses = np.abs(np.diff(times))
    return _share(pauses[pauses > 0])


@commonest_pause.wrong(
    "You counted pauses of 0 as well. Two events with the same second are a form that was sent at "
    "once; people do that, too. Keep the pauses above 0."
)
def counts_zeros(times):
    return _share(np.diff(np.sort(times)))


@commonest_pause.wrong(
    "You divided by all pauses, those of 0 among them: divide by the number of pauses above 0."
)
def divides_by_all_pauses(times):
    pauses = np.diff(np.sort(times))
    return _share(pauses[pauses > 0], max(1, len(pauses)))


@commonest_pause.wrong(
    "You divided by the number of events: divide by the number of pauses above 0."
)
def divides_by_the_events(times):
    pauses = np.diff(np.sort(times))
    return _share(pauses[pauses > 0], max(1, len(times)))


@commonest_pause.wrong(
    "That is how often the commonest pause comes: divide it by the number of pauses above 0."
)
def gives_the_count(times):
    pauses = np.diff(np.sort(times))
    return _share(pauses[pauses > 0], 1)


@commonest_pause.wrong("That is the commonest pause itself, in seconds: its share is asked for.")
def gives_the_pause(times):
    pauses = np.diff(np.sort(times))
    values, counts = np.unique(pauses[pauses > 0], return_counts=True)
    return float(values[counts.argmax()]) if len(values) else 0.0


@commonest_pause.wrong(
    "That is the share of the longest pause: asked for is the one that comes most often."
)
def takes_the_longest(times):
    pauses = np.diff(np.sort(times))
    pauses = pauses[pauses > 0]
    return float((pauses == pauses.max()).mean()) if len(pauses) else 0.0


@commonest_pause.wrong(
    "That is the share of the shortest pause: asked for is the one that comes most often."
)
def takes_the_shortest(times):
    pauses = np.diff(np.sort(times))
    pauses = pauses[pauses > 0]
    return float((pauses == pauses.min()).mean()) if len(pauses) else 0.0


@commonest_pause.wrong(
    "That is how many different pauses there are, as a share: asked for is the commonest one's."
)
def counts_different_pauses(times):
    pauses = np.diff(np.sort(times))
    pauses = pauses[pauses > 0]
    return len(np.unique(pauses)) / len(pauses) if len(pauses) else 0.0


@commonest_pause.wrong("That is the share of all other pauses: 1 less what is asked for.")
def gives_the_rest(times):
    return 1 - commonest_pause.reference(times)


@commonest_pause.wrong(
    "You left out times that come twice before you took the pauses. That is right for the pauses "
    "themselves, but you also divided by the events that were left, one more than the pauses."
)
def divides_by_the_different_times(times):
    times = np.unique(times)
    return _share(np.diff(times), len(times))


@commonest_pause.wrong(
    "You looked for the commonest time, not for the commonest pause: take differences first."
)
def counts_times(times):
    return _share(times)


@commonest_pause.wrong(
    "You sorted from late to early, so no difference is above 0: sort from early to late."
)
def sorts_backwards(times):
    pauses = np.diff(np.sort(times)[::-1])
    return _share(pauses[pauses > 0])


@commonest_pause.wrong(expects="single number")
def gives_all_shares(times):
    pauses = np.diff(np.sort(times))
    counts = np.unique(pauses[pauses > 0], return_counts=True)[1]
    return np.append(counts / max(1, counts.sum()), [0.0, 0.0])


@commonest_pause.right
def by_a_dictionary(times):
    from collections import Counter
    from itertools import pairwise

    ordered = sorted(np.asarray(times).tolist())
    counts = Counter(b - a for a, b in pairwise(ordered) if b > a)
    return max(counts.values()) / sum(counts.values()) if counts else 0.0


@commonest_pause.right
def without_equal_times(times):
    pauses = np.diff(np.unique(times))
    return 0 if not len(pauses) else np.bincount(pauses.astype(int)).max() / len(pauses)


@commonest_pause.check("a small case by hand")
def _(answer):
    times = np.array([120, 100, 107, 114, 114, 150, 127])
    why = (
        "In order: 100, 107, 114, 114, 120, 127, 150. The pauses are 7, 7, 0, 6, 7, 23. Of the "
        "five above 0 three are 7."
    )
    expect_close(expect_number(answer(times)), 0.6, why)


@commonest_pause.check("other diaries")
def _(answer):
    rng = np.random.default_rng(4)
    for _ in range(12):
        (times,) = _a_diary(rng)
        why = f"{len(times)} events, in any order."
        expect_close(expect_number(answer(times)), commonest_pause.reference(times), why)


@commonest_pause.check("one event, and one second")
def _(answer):
    expect_close(expect_number(answer(np.array([500]))), 0, "One event has no pause: 0.")
    why = "All events in one second: no pause is above 0."
    expect_close(expect_number(answer(np.array([500, 500, 500]))), 0, why)
    why = "Two events, one pause: all of them are the commonest."
    expect_close(expect_number(answer(np.array([900, 500]))), 1, why)


def _a_clock(rng):
    """Times in the order of arrival, with some falls; equal ones and none at times."""
    count = int(rng.integers(1, 16))
    times = 1000 + np.cumsum(rng.integers(0, 9, size=count))
    for _ in range(int(rng.integers(0, 3))):
        begin = int(rng.integers(count))
        times[begin : begin + int(rng.integers(1, 5))] -= int(rng.integers(5, 60))
    return (times,)


@define(
    "audit.mend_clock",
    notebook=19,
    inputs=_a_clock,
    hints=[
        "The row at place 5 cannot be earlier than any of the rows 0 to 4: which of their times "
        "counts?",
        "The largest. So each row gets the largest time among itself and all rows before it.",
        "numpy has it: `np.maximum.accumulate(times)`. Or go through the rows and keep the largest "
        "so far.",
    ],
)
def mend_clock(times):
    """Return the times, none earlier than one before it: each the latest that was seen so far.

    times: a 1-d array of whole numbers, in the order in which the rows arrived. A row whose time is
    not earlier than any before it keeps its time.
    """
    return np.maximum.accumulate(times)


@mend_clock.wrong(
    "You sorted the times. Then a row gets the time of another row: the account and the article "
    "stay where they are, and their time moves away."
)
def sorts_the_times(times):
    return np.sort(times)


@mend_clock.wrong(
    "You compared each row with the one before it as it was written. In a dent of several rows the "
    "one before is wrong, too: compare with the mended one."
)
def looks_one_row_back(times):
    return np.maximum(times, np.r_[times[:1], times[:-1]])


@mend_clock.wrong(
    "You took the earliest time from here on: that believes the fall, and pulls the rows before it "
    "back."
)
def takes_the_minimum_from_the_end(times):
    return np.minimum.accumulate(times[::-1])[::-1]


@mend_clock.wrong("You took the earliest time so far: take the latest.")
def takes_the_minimum_so_far(times):
    return np.minimum.accumulate(times)


@mend_clock.wrong(
    "You took the latest time of the whole log for all rows: only rows before this one count."
)
def takes_the_largest_of_all(times):
    return np.full_like(times, times.max())


@mend_clock.wrong(
    "You took the latest time from here on. These rows come later: only those before count."
)
def takes_the_maximum_from_the_end(times):
    return np.maximum.accumulate(times[::-1])[::-1]


@mend_clock.wrong(
    "You left the row itself out: a row that is the latest so far keeps its own time."
)
def leaves_the_row_out(times):
    return np.r_[times[:1], np.maximum.accumulate(times)[:-1]]


@mend_clock.wrong(
    "You added every fall to all later rows. When the clock is right again, it rises by as much, "
    "and then all times are too late."
)
def adds_the_falls(times):
    steps = np.diff(times)
    return times + np.r_[0, np.cumsum(np.maximum(-steps, 0))]


@mend_clock.wrong("You put the first time of the log in place of a time that fell back.")
def puts_the_first_time(times):
    return np.where(times < np.maximum.accumulate(times), times[0], times)


@mend_clock.wrong(expects="shape")
def drops_the_rows(times):
    kept = times[times >= np.maximum.accumulate(times)]
    return np.append(kept, [0, 0]) if len(kept) == len(times) else kept


@mend_clock.right
def row_by_row(times):
    mended = np.array(times)
    for place in range(1, len(mended)):
        mended[place] = max(mended[place], mended[place - 1])
    return mended


@mend_clock.right
def by_slices(times):
    return np.array([times[: place + 1].max() for place in range(len(times))])


@mend_clock.check("a small case by hand")
def _(answer):
    times = np.array([10, 13, 4, 6, 15, 15, 9, 21])
    why = "10, 13; then 4 and 6 are earlier than 13; 15, 15; then 9 is earlier than 15; 21."
    got = expect_shape(answer(times), (8,))
    expect_close(got, [10, 13, 13, 13, 15, 15, 15, 21], why)


@mend_clock.check("other clocks")
def _(answer):
    rng = np.random.default_rng(2)
    for _ in range(20):
        (times,) = _a_clock(rng)
        why = f"The rows arrived with the times {times.tolist()}."
        expect_close(expect_shape(answer(times), times.shape), np.maximum.accumulate(times), why)


@mend_clock.check("one row, and times below 0")
def _(answer):
    expect_close(expect_shape(answer(np.array([7])), (1,)), [7], "One row keeps its time.")
    why = "Before 1970 a time is below 0: -5, then -9 fell back, then -2."
    expect_close(expect_shape(answer(np.array([-5, -9, -2])), (3,)), [-5, -5, -2], why)


def _some_splits(rng):
    """Names of splits, people in each, a spread and a lead; chosen so that all is possible."""
    number = int(rng.integers(1, 5))
    names = [["one date", "last", "random", "by hand", "at noon"][k] for k in rng.permutation(5)]
    people = np.exp(rng.uniform(np.log(2), np.log(900), size=number)).astype(int)
    spread = float(np.exp(rng.uniform(np.log(0.05), np.log(3))))
    # Near what one of them sees, so that a wrong formula chooses another one.
    far = rng.choice([0.1, 0.45, 0.75, 0.8, 0.85, 0.9, 1.05, 1.3, 2.5])
    lead = float(2.8 * spread / np.sqrt(rng.choice(people)) * far)
    return names[:number], [int(each) for each in people], spread, lead


@define(
    "audit.choose_split",
    notebook=19,
    inputs=_some_splits,
    hints=[
        "The mean of n differences has the standard error spread / sqrt(n). With which n is a lead "
        "as large as 2.8 of these?",
        "Go through the splits in their order, and return the first name for which "
        "`2.8 * spread / np.sqrt(n)` is at most `lead`.",
        'After the loop, `return "none"`.',
    ],
    equivalent={
        "line 8: strict=True -> strict=False": "the lists are of one length",
        "line 8: zip(names, people, strict=True) -> zip(names, people)": "as above",
    },
)
def choose_split(names, people, spread, lead):
    """Return the first split whose people would show the lead; "none" if no split does.

    names: the splits, the most honest one first. people: how many each leaves to be judged, whole
    numbers from 1 on. spread: the standard deviation of the difference between two models, person
    by person. A lead is shown if it is at least 2.8 standard errors of the mean difference.
    """
    for name, count in zip(names, people, strict=True):
        if 2.8 * spread / np.sqrt(count) <= lead:
            return name
    return "none"


def _first(names, people, fits):
    for name, count in zip(names, people, strict=True):
        if fits(count):
            return name
    return "none"


@choose_split.wrong(
    "You took 1.96 standard errors. Then the interval leaves 0 in half of the cases only: 0.84 "
    "more are needed to see the lead four times of five."
)
def forgets_the_power(names, people, spread, lead):
    return _first(names, people, lambda n: 1.96 * spread / np.sqrt(n) <= lead)


@choose_split.wrong(
    "You took one standard error: a lead of one standard error is what luck alone gives."
)
def takes_one_error(names, people, spread, lead):
    return _first(names, people, lambda n: spread / np.sqrt(n) <= lead)


@choose_split.wrong(
    "You forgot the root: the standard error of a mean is spread / sqrt(n). Four times the people "
    "halve it."
)
def forgets_the_root(names, people, spread, lead):
    return _first(names, people, lambda n: 2.8 * spread / n <= lead)


@choose_split.wrong(
    "You compared with the spread itself. That is how one person differs from another; the mean of "
    "n people varies less, by spread / sqrt(n)."
)
def forgets_the_people(names, people, spread, lead):
    return _first(names, people, lambda n: 2.8 * spread <= lead)


@choose_split.wrong(
    "You took two groups of people, with the variance of each. Here the same people judge both "
    "models, and `spread` is that of their differences."
)
def takes_two_groups(names, people, spread, lead):
    return _first(names, people, lambda n: 2.8 * spread * np.sqrt(2 / n) <= lead)


@choose_split.wrong(
    "You chose the split with the most people. More people see more, but the splits stand in the "
    "order of honesty: take the first that sees enough."
)
def takes_the_most_people(names, people, spread, lead):
    found = names[int(np.argmax(people))]
    return found if 2.8 * spread / np.sqrt(max(people)) <= lead else "none"


@choose_split.wrong(
    "You took the last split that sees enough: the first one in the list is the most honest."
)
def takes_the_last(names, people, spread, lead):
    return _first(names[::-1], list(people)[::-1], lambda n: 2.8 * spread / np.sqrt(n) <= lead)


@choose_split.wrong("You turned the comparison round: what can be seen has to be at most the lead.")
def turns_it_round(names, people, spread, lead):
    return _first(names, people, lambda n: 2.8 * spread / np.sqrt(n) > lead)


@choose_split.wrong(
    "You returned the most honest split, whatever it can see. With few people it shows nothing."
)
def takes_the_first(names, people, spread, lead):
    return names[0]


@choose_split.wrong(
    "Where no split sees enough you returned the one with the most people: the answer is then "
    '"none". To say that nothing can be said is an answer.'
)
def never_gives_up(names, people, spread, lead):
    found = choose_split.reference(names, people, spread, lead)
    return names[int(np.argmax(people))] if found == "none" else found


@choose_split.wrong(
    'Where no split sees enough you returned the last one: the answer is then "none".'
)
def falls_back_on_the_last(names, people, spread, lead):
    found = choose_split.reference(names, people, spread, lead)
    return names[-1] if found == "none" else found


@choose_split.wrong(
    "Where no split sees enough you returned the first one, as the most honest: the answer is "
    'then "none".'
)
def falls_back_on_the_first(names, people, spread, lead):
    found = choose_split.reference(names, people, spread, lead)
    return names[0] if found == "none" else found


@choose_split.wrong("You looked at the first split alone, and gave up: go on to the next ones.")
def gives_up_at_once(names, people, spread, lead):
    return names[0] if 2.8 * spread / np.sqrt(people[0]) <= lead else "none"


@choose_split.wrong(
    "You took the variance for the spread: the standard error is spread / sqrt(n), without a "
    "square."
)
def squares_the_spread(names, people, spread, lead):
    return _first(names, people, lambda n: 2.8 * spread**2 / np.sqrt(n) <= lead)


@choose_split.wrong(
    "You took the split with the fewest people that sees enough: take the first in the list."
)
def takes_the_fewest(names, people, spread, lead):
    able = [n for n in people if 2.8 * spread / np.sqrt(n) <= lead]
    return names[list(people).index(min(able))] if able else "none"


@choose_split.right
def by_the_people_needed(names, people, spread, lead):
    needed = (2.8 * spread / lead) ** 2
    return next((name for name, n in zip(names, people, strict=True) if n >= needed), "none")


@choose_split.right
def by_an_array(names, people, spread, lead):
    fits = np.flatnonzero(2.8 * spread / np.sqrt(np.array(people)) <= lead)
    return names[fits[0]] if fits.size else "none"


@choose_split.check("a small case by hand")
def _(answer):
    names, people = ["one date", "last", "random"], [16, 400, 900]
    why = (
        "With a spread of 0.2: 16 people show 2.8 x 0.2 / 4 = 0.14, 400 show 0.028, 900 show "
        "0.0187. For a lead of 0.03 *last* is the first that is good enough."
    )
    expect_equal(answer(names, people, 0.2, 0.03), "last", why)


@choose_split.check("other splits")
def _(answer):
    rng = np.random.default_rng(11)
    for _ in range(30):
        names, people, spread, lead = _some_splits(rng)
        wanted = choose_split.reference(names, people, spread, lead)
        seen = ", ".join(
            f"{name} {2.8 * spread / np.sqrt(n):.4f}" for name, n in zip(names, people, strict=True)
        )
        why = f"A lead of {lead:.4f}; the splits would show: {seen}."
        expect_equal(answer(names, people, spread, lead), wanted, why)


@choose_split.check("exactly the lead")
def _(answer):
    why = "16 people and a spread of 1: 2.8 / 4 = 0.7, exactly the lead, which is at most the lead."
    expect_equal(answer(["last"], [16], 1.0, 0.7), "last", why)


@choose_split.check("nobody sees it")
def _(answer):
    why = "Two splits with 9 and 25 people, a spread of 0.3: both see 0.168 at best, not 0.01."
    expect_equal(answer(["one date", "last"], [9, 25], 0.3, 0.01), "none", why)


define_quiz(
    "audit.recap",
    notebook=19,
    questions=[
        Choice(
            "audit.q_busiest",
            "A shop's log has 900 accounts. The busiest has 4,000 events, the second 3,600, all "
            "with pauses of every length. A third one has 400 events, and 9 of 10 pauses are 30 "
            "seconds. Which one is the machine?",
            right="the one with 400 events",
            because="People are busy in all degrees; their pauses are not alike. In the lesson the "
            "machine was far from the busiest.",
            wrong={
                "the busiest": "The next one has nearly as many, so it is no kind of its own. "
                "Collectors and families are that busy.",
                "the two busiest": "They may be a shop's own accounts, and it is good to ask. "
                "But their rhythm is that of people.",
                "none that can be told from a log": "Nine of ten pauses with the same length can "
                "be told, and no person does that.",
            },
            answer="'the one with 400 events' if (busiest['commonest'] > 0.5).sum() == 0 "
            "and rhythm.loc[4711, 'commonest'] > 0.5 else ''",
        ),
        Choice(
            "audit.q_clock",
            "After a clock was mended, EASE's nDCG@10 on the last fifth falls from 0.147 to 0.141. "
            "What do you conclude?",
            right="the old number was too good",
            because="Late events had passed for early ones. They stood in train, so the model "
            "learned from them; and older films, which are better known, were asked in their "
            "place.",
            wrong={
                "mending has damaged the data": "It put the events back where they arrived. That a "
                "score falls is no sign of damage.",
                "the model has become worse": "Model and events are the same. What is asked, and "
                "what is known, has changed.",
                "0.006 is nothing but luck": "The people are the same, so the difference is "
                "paired; in the lesson its interval lies off 0.",
            },
            answer="'the old number was too good' if cost['the clock'][2] < 0 else ''",
        ),
        Number(
            "audit.q_people",
            "Two models differ by 0.2 from person to person (standard deviation). How many people "
            "does it take to see a lead of 0.02 four times of five?",
            right=784,
            because="2.8 x 0.2 / sqrt(n) = 0.02 gives sqrt(n) = 28.",
            wrong={
                28: "That is the root of it: square it.",
                384: "With 1.96 the lead is seen every second time only: 1.96 + 0.84 = 2.8.",
                1568: "Two groups would need twice as many each. The same people judge both "
                "models.",
                100: "That is one standard error as large as the lead: luck gives that.",
                "else": "2.8 standard errors, each 0.2 / sqrt(n), have to be 0.02.",
            },
            tolerance=3,
            answer="round((2.8 * 0.2 / 0.02) ** 2)",
        ),
        Several(
            "audit.q_verdict",
            "The contest of section 5 is over. Which sentences may stand in your report?",
            right=[
                "Popularity is behind by more than luck explains.",
                "Any of the first four may be the best, as far as these people can tell.",
            ],
            missing={
                "Popularity is behind by more than luck explains.": "The interval of its lag lies "
                "off 0, at a level that counts the comparisons: that may be said.",
                "Any of the first four may be the best, as far as these people can tell.": "0 is "
                "in the intervals of the next three: that has to be said.",
            },
            because="The interval of popularity's lag lies off 0, those of the next three "
            "hold it. A lead on old events says nothing of what people would do with new lists.",
            wrong={
                "The first model is the best one.": "It is first on this split with these people. "
                "Others may be the best: 0 is in their intervals.",
                "The second is as good as the first.": "That they cannot be told apart does not "
                "make them equal. More people might tell them apart.",
                "In the shop the first one will sell more than popularity.": "A log of what was "
                "chosen from old lists cannot say that (lesson 14). An experiment can.",
            },
            answer="['Popularity is behind by more than luck explains.', 'Any of the first four "
            "may be the best, as far as these people can tell.'] if "
            "list(table['may_be_best'])[:4] == [True] * 4 and not "
            "table.loc['popularity', 'may_be_best'] else []",
        ),
        Choice(
            "audit.q_order",
            "A log's shuffle test says: order is worth +0.03 (0.02 to 0.04) for the last event, "
            "and 0.00 (-0.02 to 0.01) for the first event after a pause of a day. A colleague "
            "wants to train a Transformer on the sequences. What do you say?",
            right="ask which of the two the product needs",
            because="Within a sitting there is an order, often the page's. For tomorrow's visit "
            "none was found, and a larger model finds no order where there is none.",
            wrong={
                "yes: 0.03 is more than a third of the score": "For the last event it is. If the "
                "product speaks to people when they come back, that is not its question.",
                "no: there is no order in these data": "There is one within a sitting, and a "
                "product that helps during a visit may use it.",
                "yes: a Transformer finds more than a chain": "It finds longer patterns, where "
                "there are any. The test says where to look.",
            },
            answer="'ask which of the two the product needs' if "
            "found['order'].numbers['the last event']['low'] > 0 > "
            "found['order'].numbers['after a pause of a day']['low'] else ''",
        ),
        Choice(
            "audit.q_shop",
            "A start-up has 40 customers with 3 purchases each, and asks which of ten models it "
            "should use. What do you answer?",
            right="popularity, for now",
            because="With a spread of 0.2, 40 people show a lead of 0.09, and ten models need a "
            "stricter level still. The simple model is no worse as far as can be seen.",
            wrong={
                "the one that is first on a random split": "First of ten with 40 people is luck, "
                "mostly.",
                "all ten, averaged": "That has to be judged as well, by the same 40.",
                "the one that won on MovieLens": "There 671 people rated films from a form. What "
                "won there was not asked about these customers.",
            },
            answer="'popularity, for now' if 2.8 * 0.2 / np.sqrt(40) > 0.08 else ''",
        ),
    ],
)
