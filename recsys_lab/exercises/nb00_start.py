"""The exercises of notebook 00, Start here: a score, then a choice, as in every recommender."""

from math import prod

import numpy as np

from .engine import define, expect_close, expect_equal, expect_integer, expect_number
from .questions import Choice, Number, define_quiz


@define(
    "start.agreement",
    notebook=0,
    hints=[
        "Each position of the two lists is about one taste. Where both numbers are large, "
        "that taste should add a lot to the score.",
        "Multiply the two numbers of each position, and add up the products.",
        "Start with `total = 0`; for each pair `u, i` of `zip(user, item)` add `u * i` to it.",
    ],
    equivalent={
        "line 4: strict=True -> strict=False": "the two lists always have one length",
        "line 4: zip(user, item, strict=True) -> zip(user, item)": "the same, said shorter",
        "line 4: zip(user, item, strict=True) -> zip(item, user, strict=True)": "u * i is i * u",
    },
)
def agreement(user, item):
    """Return the dot product of a user's and an item's taste vectors (lists of one length)."""
    total = 0.0
    for u, i in zip(user, item, strict=True):
        total += u * i
    return total


@agreement.wrong("You returned the products one by one: add them up to get a single number.")
def keeps_the_products(user, item):
    return [u * i for u, i in zip(user, item, strict=True)]


@agreement.wrong("You added the two numbers of each pair: multiply them, then add up the products.")
def adds_the_pairs(user, item):
    return sum(u + i for u, i in zip(user, item, strict=True))


@agreement.wrong(
    "You multiplied every user number by every item number: only pairs at the same position count."
)
def multiplies_the_sums(user, item):
    return sum(user) * sum(item)


@agreement.wrong("You divided by the number of tastes: the dot product is the sum, not the mean.")
def takes_the_mean(user, item):
    return sum(u * i for u, i in zip(user, item, strict=True)) / len(user)


@agreement.wrong(
    "Your loop ends after the first pair: `return` belongs after the loop, not inside it."
)
def returns_inside_the_loop(user, item):
    total = 0.0
    for u, i in zip(user, item, strict=True):
        total += u * i
        return total


@agreement.wrong("You kept the last product only: add each one to the total, `total += u * i`.")
def keeps_the_last_product(user, item):
    total = 0.0
    for u, i in zip(user, item, strict=True):
        total = u * i
    return total


@agreement.wrong("You rounded: a score keeps all its digits, or near scores would tie.")
def rounds(user, item):
    return round(sum(u * i for u, i in zip(user, item, strict=True)), 2)


@agreement.wrong("You multiplied all the products together: add them up.")
def multiplies_the_products(user, item):
    return prod(u * i for u, i in zip(user, item, strict=True))


@agreement.wrong("You took the largest product: add them all up.")
def takes_the_largest(user, item):
    return max((u * i for u, i in zip(user, item, strict=True)), default=0)


@agreement.wrong("You took each product without its sign: a taste that is disliked takes away.")
def drops_the_signs(user, item):
    return sum(abs(u * i) for u, i in zip(user, item, strict=True))


@agreement.wrong(expects="returned None")
def prints_instead_of_returning(user, item):
    print(sum(u * i for u, i in zip(user, item, strict=True)))


@agreement.wrong("You left out the last pair: `range(len(user))` goes through all positions.")
def leaves_out_the_last_pair(user, item):
    return sum(u * i for u, i in zip(user[:-1], item[:-1], strict=True))


@agreement.wrong("You left out the first pair: positions count from 0.")
def leaves_out_the_first_pair(user, item):
    return sum(u * i for u, i in zip(user[1:], item[1:], strict=True))


@agreement.wrong("You paired the first with the last: only pairs at the same position count.")
def goes_backwards_through_one(user, item):
    return sum(u * i for u, i in zip(user, reversed(item), strict=True))


@agreement.wrong("That is the cosine: here the products are added up, and no length divides them.")
def takes_the_cosine(user, item):
    lengths = (sum(u * u for u in user) * sum(i * i for i in item)) ** 0.5
    return agreement.reference(user, item) / lengths if lengths else 0.0


@agreement.wrong("You subtracted: multiply the two numbers of each pair, then add up the products.")
def subtracts(user, item):
    return sum(u - i for u, i in zip(user, item, strict=True))


@agreement.wrong("You left out products below 0: a taste that is disliked takes away.")
def leaves_out_the_negative(user, item):
    return sum(u * i for u, i in zip(user, item, strict=True) if u * i > 0)


@agreement.wrong("You took the user twice: multiply the user's numbers by the item's.")
def takes_the_user_twice(user, item):
    return sum(u * u for u in user)


@agreement.wrong("You took the item twice: multiply the user's numbers by the item's.")
def takes_the_item_twice(user, item):
    return sum(i * i for i in item)


@agreement.wrong("`**` is a power: write `u * i`.")
def takes_a_power(user, item):
    return sum(u**i for u, i in zip(user, item, strict=True))


@agreement.wrong("That is a distance, small where the two agree: multiply, and add up.")
def takes_a_distance(user, item):
    return sum((u - i) ** 2 for u, i in zip(user, item, strict=True)) ** 0.5


@agreement.right
def by_numpy(user, item):
    return float(np.dot(user, item))


@agreement.right
def by_positions(user, item):
    return sum(user[n] * item[n] for n in range(len(user)))


@agreement.check("a number comes back")
def _(answer):
    expect_number(answer([3, 2, 5], [4, 7, -1]))


@agreement.check("a small case by hand")
def _(answer):
    expect_close(answer([3, 2, 5], [4, 7, -1]), 21, "3 x 4 + 2 x 7 + 5 x (-1) = 21.")
    expect_close(answer([2, 1, 0], [3, 4, 5]), 10, "2 x 3 + 1 x 4 + 0 x 5 = 10.")


@agreement.check("random cases")
def _(answer):
    rng = np.random.default_rng(0)
    for tastes in (1, 2, 3, 8):
        user, item = rng.normal(size=(2, tastes)).round(2).tolist()  # products of four decimals
        expect_close(answer(user, item), float(np.dot(user, item)))


@agreement.check("edge cases")
def _(answer):
    expect_close(
        answer([], []), 0, "Without any taste there is nothing to agree on: the score is 0."
    )


@define(
    "start.best",
    notebook=0,
    hints=[
        "Go through the positions 0, 1, 2, ... and pass over those where `seen` is true.",
        "Keep the best position so far; replace it when an unseen item has a higher score.",
        "Begin with `place = -1`. Position `j` replaces it if "
        "`not seen[j] and (place == -1 or scores[j] > scores[place])`.",
    ],
)
def best(scores, seen):
    """Return the position of the highest score among the unseen items, or -1 if none is left.

    scores is a list of numbers, seen a list of True and False. Of equal scores the first counts.
    """
    place = -1
    for j in range(len(scores)):
        if not seen[j] and (place == -1 or scores[j] > scores[place]):
            place = j
    return place


@best.wrong(
    "You recommended an item that the user has already seen: pass over those, and do not start "
    "from one."
)
def forgets_what_was_seen(scores, seen):
    return max(range(len(scores)), key=lambda j: scores[j])


@best.wrong("You returned the score itself: return its position, counted from 0.")
def returns_the_score(scores, seen):
    return max(s for s, known in zip(scores, seen, strict=True) if not known)


@best.wrong("You chose among the seen items: `seen` is True for those to leave out.")
def turns_seen_round(scores, seen):
    return max((j for j in range(len(scores)) if seen[j]), key=lambda j: scores[j], default=-1)


@best.wrong("You counted positions among the unseen items only: count among all items.")
def counts_the_unseen_only(scores, seen):
    unseen = [s for s, known in zip(scores, seen, strict=True) if not known]
    return unseen.index(max(unseen))


@best.wrong("You took the last of equal scores: the first counts.")
def takes_the_last_of_equals(scores, seen):
    unseen = [j for j in range(len(scores)) if not seen[j]]
    return max(reversed(unseen), key=lambda j: scores[j], default=-1)


@best.wrong("Scores can be negative: starting from 0 overlooks them.")
def starts_from_zero(scores, seen):
    place, highest = -1, 0
    for j in range(len(scores)):
        if not seen[j] and scores[j] > highest:
            place, highest = j, scores[j]
    return place


@best.wrong("Scores can be lower than any number to start from: let the first unseen item in.")
def starts_from_minus_a_hundred(scores, seen):
    place, highest = -1, -100
    for j in range(len(scores)):
        if not seen[j] and scores[j] > highest:
            place, highest = j, scores[j]
    return place


@best.wrong("Scores can be below -1: let the first unseen item in without a comparison.")
def starts_from_minus_one(scores, seen):
    place, highest = -1, -1
    for j in range(len(scores)):
        if not seen[j] and scores[j] > highest:
            place, highest = j, scores[j]
    return place


@best.wrong("You looked for the lowest score: the highest is the best.")
def takes_the_lowest(scores, seen):
    return min((j for j in range(len(scores)) if not seen[j]), key=lambda j: scores[j], default=-1)


@best.wrong("You counted positions from 1: Python counts from 0.")
def counts_from_one(scores, seen):
    return 1 + max((j for j in range(len(scores)) if not seen[j]), key=lambda j: scores[j])


@best.wrong("A seen item got the score 0, which beats a negative one: leave it out instead.")
def gives_seen_items_zero(scores, seen):
    given = [0 if known else s for s, known in zip(scores, seen, strict=True)]
    return given.index(max(given))


@best.wrong("If everything was seen there is no best item: return -1 then.")
def forgets_that_nothing_may_be_left(scores, seen):
    return max((j for j in range(len(scores)) if not seen[j]), key=lambda j: scores[j])


@best.wrong("You looked the score up in the whole list: a seen item may have the same score.")
def looks_the_score_up(scores, seen):
    unseen = [s for s, known in zip(scores, seen, strict=True) if not known]
    return scores.index(max(unseen)) if unseen else -1


@best.wrong("If everything was seen there is no best item: return -1 then, not None.")
def returns_none_where_nothing_is_left(scores, seen):
    return max(
        (j for j in range(len(scores)) if not seen[j]), key=lambda j: scores[j], default=None
    )


@best.wrong("`scores[-1]` is the last score: let the first unseen item in without a comparison.")
def compares_with_the_last(scores, seen):
    place = -1
    for j in range(len(scores)):
        if not seen[j] and scores[j] > scores[place]:
            place = j
    return place


@best.wrong("You stopped at the first unseen item: go through all of them before you return.")
def stops_at_the_first_unseen(scores, seen):
    return seen.index(False) if False in seen else -1


@best.wrong("You left out the last item: `range(len(scores))` goes through all positions.")
def leaves_out_the_last_item(scores, seen):
    return best.reference(scores[:-1], seen[:-1])


@best.wrong("You left out the first item: positions count from 0.")
def leaves_out_the_first_item(scores, seen):
    place = best.reference(scores[1:], seen[1:])
    return place if place == -1 else place + 1


@best.wrong("You compared sizes without their sign: -4 is lower than 2.")
def ignores_the_signs(scores, seen):
    left = [j for j in range(len(scores)) if not seen[j]]
    return max(left, key=lambda j: abs(scores[j]), default=-1)


@best.wrong(
    "Your start is place 0, also where item 0 was seen: begin with -1, and let the first in."
)
def starts_at_the_first_item(scores, seen):
    place = 0
    for j in range(len(scores)):
        if not seen[j] and scores[j] > scores[place]:
            place = j
    return -1 if all(seen) else place


@best.right
def by_max(scores, seen):
    left = [j for j in range(len(scores)) if not seen[j]]
    return max(left, key=lambda j: scores[j], default=-1)


@best.right
def by_argmax(scores, seen):
    return -1 if all(seen) else int(np.argmax(np.where(seen, -np.inf, scores)))


@best.check("a whole number comes back")
def _(answer):
    expect_integer(answer([4, 6, 5, 2, 3], [False, False, False, True, False]))


@best.check("a small case by hand")
def _(answer):
    got = answer([4, 6, 5, 2, 3], [False, False, False, True, False])
    expect_equal(got, 1, "The highest score, 6, is at position 1, and that item is unseen.")
    got = answer([9, 1, 7, 5], [True, False, True, False])
    expect_equal(got, 3, "Items 1 and 3 are unseen, with scores 1 and 5: item 3 is the better one.")


@best.check("random cases")
def _(answer):
    rng = np.random.default_rng(0)
    for items in (2, 3, 5, 9, 1, 4, 6, 8):
        scores = rng.permutation(items) - items / 2
        seen = rng.random(items) < 0.4
        seen[rng.integers(items)] = False
        wanted = int(np.where(seen, -np.inf, scores).argmax())
        expect_equal(answer(scores.tolist(), seen.tolist()), wanted)
    for items in (3, 5, 9):  # with ties
        scores = rng.integers(-2, 2, items)
        seen = rng.random(items) < 0.3
        seen[rng.integers(items)] = False
        wanted = int(np.where(seen, -np.inf, scores).argmax())
        expect_equal(answer(scores.tolist(), seen.tolist()), wanted)


@best.check("edge cases")
def _(answer):
    expect_equal(answer([1, 4, 4], [False] * 3), 1, "Items 1 and 2 tie: the first counts.")
    got = answer([-3, -1], [False, True])
    expect_equal(got, 0, "Item 1 was seen: item 0 is left, though its score is negative.")
    got = answer([-150, -130.5, -170], [False] * 3)
    expect_equal(got, 1, "All scores are far below 0, and -130.5 is the highest of them.")
    got = answer([4, 4, 1], [True, False, False])
    expect_equal(got, 1, "Item 0 has the score 4 too, but it was seen.")
    expect_equal(answer([1, 2], [True, True]), -1, "Everything was seen: nothing is left.")


@best.check("what is seldom met")
def _(answer):
    rng = np.random.default_rng(1)
    for items in (1, 2, 3, 5, 6):
        got = answer((rng.permutation(items) - 2.5).tolist(), [True] * items)
        expect_equal(got, -1, "Everything was seen: nothing is left.")
    for items in (3, 4, 6, 7, 9):
        scores = -120.5 - 10 * rng.permutation(items)
        seen = rng.random(items) < 0.4
        seen[rng.integers(items)] = False
        wanted = int(np.where(seen, -np.inf, scores).argmax())
        expect_equal(answer(scores.tolist(), seen.tolist()), wanted)
    for scores, seen, wanted in (
        ([2, 3, 1, 3], [False, False, False, True], 1),
        ([5, 2, 5, 0], [True, False, False, False], 2),
        ([7, 7, 7], [True, True, False], 2),
        ([0, -4, 0, -4], [True, False, True, False], 1),
        ([8, 1, 8, 6, 8], [True, False, True, False, False], 4),
        ([-2, -2, -5], [True, False, False], 1),
    ):
        got = answer(scores, seen)
        expect_equal(got, wanted, "Equal scores: look at the position, and at what was seen.")


define_quiz(
    "start.recap",
    notebook=0,
    questions=[
        Number(
            "start.q_turn",
            "Anna scores Psycho (comedy 0, drama 0.2, horror 0.8) with -0.76. Next year she loves "
            "horror: her third number is 1 instead of -1. What does she score it then?",
            right=0.84,
            because="The drama still adds 0.04, and the horror adds 0.8 instead of taking it away.",
            wrong={
                0.76: "You turned the whole score round, but the drama's 0.04 keeps its sign.",
                0.8: "You counted the horror alone: the drama adds 0.2 · 0.2 = 0.04.",
                0.04: "You added 0.8 once. From -1 to 1 is a step of 2, which adds 1.6.",
                "else": "Add up 1 · 0 for comedy, 0.2 · 0.2 for drama and 1 · 0.8 for horror.",
            },
            tolerance=0.005,
            answer="agreement([anna[0], anna[1], 1.0], [0.0, 0.2, 0.8])",
        ),
        Choice(
            "start.q_left",
            "Anna scores Airplane! 1, Casablanca 0.28, Scream -0.08 and Psycho -0.76. She has "
            "seen Airplane! and Casablanca. What does `best` suggest?",
            right="Scream",
            because="`best` only compares: of the two films that are left, -0.08 is the higher.",
            wrong={
                "Casablanca": "It has the highest score after Airplane!, but she has seen it too, "
                "and what was seen is left out.",
                "Psycho": "0.76 is larger than 0.08, but both have a minus: -0.76 is the lower "
                "score.",
                "no film": "A score below 0 reads like a 'no'. But nothing compares it with 0; "
                "`best` returns -1 only when every film was seen.",
            },
            answer="['Airplane!', 'Casablanca', 'Scream', 'Psycho'][best([agreement(anna, f) for f "
            "in ([1.0, 0.0, 0.0], [0.1, 0.9, 0.0], [0.4, 0.1, 0.5], [0.0, 0.2, 0.8])], "
            "[True, True, False, False])]",
        ),
        Choice(
            "start.q_double",
            "Someone doubles Ben's three numbers, to 0.2, 1.2 and 1.8. What happens to the order "
            "of the films in his list?",
            right="it stays as it was",
            because="Each film's score doubles as well, so what was higher is still higher.",
            wrong={
                "films with horror rise": "Horror is his largest number and grows most; but "
                "comedy and drama grow by the same factor, and so do all scores.",
                "films with comedy rise": "Comedy no longer counts almost nothing, it seems. But "
                "beside the other two, which doubled too, it counts as little as before.",
                "the films at the top tie": "Scores could tie if they were cut off at 1. Nothing "
                "cuts them: they are sums of products, of any size.",
            },
            answer="'it stays as it was' if len({tuple(sorted(range(4), key=[agreement(u, f) for f "
            "in ([1.0, 0.0, 0.0], [0.1, 0.9, 0.0], [0.4, 0.1, 0.5], [0.0, 0.2, 0.8])].__getitem__"
            ")) for u in (people['Ben'], [2 * t for t in people['Ben']])}) == 1 else ''",
        ),
        Choice(
            "start.q_first",
            "A `best` starts with `place = 0`. It goes through all `j` and sets `place = j` where "
            "`not seen[j] and scores[j] > scores[place]`. The scores are 9, 4 and 7, and film 0 "
            "was seen. What does it return?",
            right="0, a film that was seen",
            because="No score is above 9, so the place where it started is never replaced.",
            wrong={
                "2, the best unseen film": "That is what it should return. But film 2 is compared "
                "with film 0, which nobody checked: 7 is not above 9.",
                "1, the first unseen film": "It would be let in if the start were `place = -1` "
                "and the first unseen film needed no comparison; here 4 > 9 is false.",
                "-1, as if all were seen": "It starts from 0 and only ever moves to a `j`: it can "
                "never return -1, not even when all films were seen.",
            },
            answer="'0, a film that was seen' if __import__('functools').reduce(lambda place, j: "
            "j if j > 0 and [9, 4, 7][j] > [9, 4, 7][place] else place, range(3), 0) == 0 else ''",
        ),
        Choice(
            "start.q_restart",
            "You restart the kernel and run only the cell of the shelf. It says `NameError: "
            "name 'explore' is not defined`. What mends it?",
            right="running the cells above it",
            because="A restart forgets every name; the cells above define them all again.",
            wrong={
                "writing the import into this cell": "That mends this one name. Then `best`, "
                "`agreement` and `anna` are missing as well: they come from cells above.",
                "installing the packages again": "A missing package is a `ModuleNotFoundError`. "
                "Here the packages are there, and the cell that imports did not run.",
                "running this cell once more": "A second run may mend a slow network; here the "
                "name is still missing, because nothing has defined it in between.",
            },
        ),
    ],
)
