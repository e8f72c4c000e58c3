"""The exercises of notebook 01, Concepts and pipeline: sparsity, noise, and a metric for lists."""

from math import log2

import numpy as np

from .engine import define, expect_close, expect_number, expect_shape


@define(
    "concepts.density",
    notebook=1,
    hints=[
        "A sparse matrix stores only the filled cells; `matrix.nnz` counts them.",
        "`matrix.shape` is (users, items). How many cells does the whole matrix have?",
        "Filled cells divided by all cells: `matrix.nnz / (matrix.shape[0] * matrix.shape[1])`.",
    ],
)
def density(matrix):
    """Return the share of filled cells of a scipy sparse users x items matrix, from 0 to 1."""
    users, items = matrix.shape
    return matrix.nnz / (users * items)


@density.wrong("You averaged the ratings: count the filled cells, whatever stands in them.")
def averages_the_ratings(matrix):
    return matrix.mean()


@density.wrong("You returned the share of empty cells: the filled ones are asked for.")
def counts_the_empty(matrix):
    return 1 - density.reference(matrix)


@density.wrong("You returned a percentage: a share lies between 0 and 1.")
def returns_percent(matrix):
    return 100 * density.reference(matrix)


@density.wrong("You divided by the users only: divide by all cells, users times items.")
def divides_by_users(matrix):
    return matrix.nnz / matrix.shape[0]


@density.wrong("You divided by the items only: divide by all cells, users times items.")
def divides_by_items(matrix):
    return matrix.nnz / matrix.shape[1]


@density.wrong("You divided by users plus items: a matrix has users times items cells.")
def adds_the_sides(matrix):
    return matrix.nnz / sum(matrix.shape)


@density.wrong("`matrix.size` counts the stored cells of a sparse matrix only: use its shape.")
def divides_by_size(matrix):
    return matrix.nnz / matrix.size


@density.wrong(
    "Division and multiplication go from left to right: put brackets around the product."
)
def forgets_brackets(matrix):
    return matrix.nnz / matrix.shape[0] * matrix.shape[1]


@density.wrong("numpy's count_nonzero cannot read a sparse matrix: use `matrix.nnz`.")
def counts_with_numpy(matrix):
    return np.count_nonzero(matrix) / (matrix.shape[0] * matrix.shape[1])


@density.wrong("You counted the filled cells: divide by the number of all cells.")
def only_counts(matrix):
    return matrix.nnz


def _sparse(rows):
    # Here and not above: the checks of other notebooks should not wait for scipy.
    from scipy.sparse import csr_array

    return csr_array(np.array(rows, dtype=float))


@density.check("a number comes back")
def _(answer):
    expect_number(answer(_sparse([[5, 0, 0, 3], [0, 5, 0, 0]])))


@density.check("a small case by hand")
def _(answer):
    got = answer(_sparse([[5, 0, 0, 3], [0, 5, 0, 0]]))
    expect_close(got, 3 / 8, "In [[5, 0, 0, 3], [0, 5, 0, 0]] 3 of 2 x 4 cells are filled.")


@density.check("random cases")
def _(answer):
    rng = np.random.default_rng(1)
    for shape in [(3, 7), (10, 2), (5, 5)]:
        rows = rng.integers(1, 6, shape) * (rng.random(shape) < 0.3)
        expect_close(answer(_sparse(rows)), np.count_nonzero(rows) / rows.size)


@density.check("edge cases")
def _(answer):
    expect_close(answer(_sparse(np.zeros((2, 3)))), 0, "Nothing is filled.")
    expect_close(answer(_sparse(np.ones((2, 3)))), 1, "Everything is filled.")


@define(
    "concepts.damped_mean",
    notebook=1,
    hints=[
        "The a imaginary ratings are all mu. What do they add to the sum of the ratings?",
        "The sum becomes total + a * mu. How many ratings are there now, real and imaginary?",
        "`(total + a * mu) / (n + a)`: numpy does it for all films at once.",
    ],
)
def damped_mean(total, n, mu, a):
    """Return the damped means of films whose n ratings add up to total (n, total: arrays)."""
    return (total + a * mu) / (n + a)


@damped_mean.wrong("You returned the plain mean: the imaginary ratings are missing.")
def plain_mean(total, n, mu, a):
    return total / n


@damped_mean.wrong(
    "You counted the imaginary ratings but gave them no stars: add a * mu to the sum."
)
def gives_no_stars(total, n, mu, a):
    return total / (n + a)


@damped_mean.wrong(
    "You added imaginary stars but divided by the real ratings only: divide by n + a."
)
def divides_by_real_ratings(total, n, mu, a):
    return (total + a * mu) / n


@damped_mean.wrong(
    "You averaged the film's mean and mu: a film with many ratings should hardly move."
)
def averages_the_means(total, n, mu, a):
    return (total / n + a * mu) / (1 + a)


@damped_mean.wrong("You added mu once: there are a imaginary ratings, each with mu stars.")
def adds_mu_once(total, n, mu, a):
    return (total + mu) / (n + a)


@damped_mean.wrong("`total` is the sum already: do not multiply it by n.")
def multiplies_the_total(total, n, mu, a):
    return (total * n + a * mu) / (n + a)


@damped_mean.wrong("Each imaginary rating brings mu stars, not one: add a * mu to the sum.")
def adds_one_star_each(total, n, mu, a):
    return (total + a) / (n + a)


@damped_mean.wrong("Division comes before addition: put brackets around n + a.")
def forgets_the_last_brackets(total, n, mu, a):
    return (total + a * mu) / n + a


@damped_mean.wrong("Division comes before addition: put brackets around total + a * mu.")
def forgets_the_first_brackets(total, n, mu, a):
    return total + a * mu / (n + a)


@damped_mean.wrong("Division comes before addition: put brackets around the sum, and around n + a.")
def forgets_all_brackets(total, n, mu, a):
    return total + a * mu / n + a


@damped_mean.wrong("You added up all films: `total` has one sum for each film already.")
def adds_the_totals_up(total, n, mu, a):
    return (total.sum() + a * mu) / (n + a)


@damped_mean.wrong(expects="should have shape (2,)")
def adds_all_films_up(total, n, mu, a):
    return (total.sum() + a * mu) / (n.sum() + a)


TOTALS, COUNTS = np.array([5.0, 40.0]), np.array([1, 10])


@damped_mean.check("numbers, one for each film")
def _(answer):
    expect_shape(answer(TOTALS, COUNTS, 3, 4), (2,))


@damped_mean.check("a small case by hand")
def _(answer):
    why = "One rating of 5 and four of 3: 17 / 5; ten that make 40 and four of 3: 52 / 14."
    expect_close(answer(TOTALS, COUNTS, 3, 4), [17 / 5, 52 / 14], why)


@damped_mean.check("random cases")
def _(answer):
    rng = np.random.default_rng(4)
    for a in (1, 2.5, 10):
        films = [rng.integers(1, 6, size) for size in (1, 2, 5, 30)]
        # Written out: the imaginary ratings stand beside the real ones, with weights.
        wanted = [np.average([*f, 3.2], weights=[*np.ones(len(f)), a]) for f in films]
        total, n = np.array([f.sum() for f in films], float), np.array([len(f) for f in films])
        expect_close(answer(total, n, 3.2, a), wanted)


@damped_mean.check("edge cases")
def _(answer):
    expect_close(
        answer(TOTALS, COUNTS, 3, 0), [5, 4], "Without imaginary ratings it is the plain mean."
    )
    zero = np.zeros(1)
    expect_close(
        answer(zero, zero, 3.5, 2), [3.5], "A film without ratings stands at the overall mean."
    )


@define(
    "concepts.precision_at_k",
    notebook=1,
    hints=[
        "Only the first k items of the list count: `ranked[:k]`.",
        "Count how many of these are in `relevant`.",
        "Divide the count by k, also where the list is shorter: an empty place is no hit.",
    ],
)
def precision_at_k(ranked, relevant, k):
    """Return precision@k of a list of items, best first; `relevant` is a set of items."""
    hits = 0
    for item in ranked[:k]:
        if item in relevant:
            hits += 1
    return hits / k


@precision_at_k.wrong(
    "You divided by the relevant items: that is recall, as most write it. Divide by k."
)
def computes_recall(ranked, relevant, k):
    return sum(item in relevant for item in ranked[:k]) / max(len(relevant), 1)


@precision_at_k.wrong("You looked at the whole list: only its first k items count.")
def looks_at_the_whole_list(ranked, relevant, k):
    return sum(item in relevant for item in ranked) / k


@precision_at_k.wrong("You ignored k: only the first k items count, and you divide by k.")
def ignores_k(ranked, relevant, k):
    return sum(item in relevant for item in ranked) / max(len(ranked), 1)


@precision_at_k.wrong("You counted the hits: divide by k.")
def counts_hits(ranked, relevant, k):
    return sum(item in relevant for item in ranked[:k])


@precision_at_k.wrong(
    "You divided by the length of a short list: divide by k, empty places are no hits."
)
def forgives_short_lists(ranked, relevant, k):
    return sum(item in relevant for item in ranked[:k]) / max(min(k, len(ranked)), 1)


@precision_at_k.wrong("You returned 1 as soon as there is a hit: that is the hit rate.")
def computes_the_hit_rate(ranked, relevant, k):
    return float(any(item in relevant for item in ranked[:k]))


@precision_at_k.wrong("You looked up places, not items: go through `ranked[:k]`.")
def looks_up_places(ranked, relevant, k):
    return sum(place in relevant for place in range(k)) / k


@precision_at_k.wrong(
    "You divided by min(k, relevant): that is recall@k, as the table defines it. Divide by k."
)
def computes_recall_at_k(ranked, relevant, k):
    return sum(item in relevant for item in ranked[:k]) / max(min(k, len(relevant)), 1)


@precision_at_k.wrong(
    "Your loop ends after the first item: `return` belongs after the loop, not inside it."
)
def returns_inside_the_loop(ranked, relevant, k):
    for item in ranked[:k]:
        return (item in relevant) / k
    return 0


@precision_at_k.wrong("You counted the misses: count the items that are relevant.")
def counts_the_misses(ranked, relevant, k):
    return sum(item not in relevant for item in ranked[:k]) / k


RANKED, RELEVANT = [7, 6, 9, 11, 4, 12], {6, 11, 12, 8, 5}


@precision_at_k.check("a number comes back")
def _(answer):
    expect_number(answer([1, 3, 0, 2], {0, 1}, 2))  # tells places from items
    expect_number(answer(RANKED, RELEVANT, 4))


@precision_at_k.check("a small case by hand")
def _(answer):
    why = "Of the first four, 7, 6, 9 and 11, two are relevant: 2 / 4."
    expect_close(answer(RANKED, RELEVANT, 4), 0.5, why)


@precision_at_k.check("random cases")
def _(answer):
    rng = np.random.default_rng(5)
    for k in (1, 3, 5, 10):
        ranked = rng.permutation(12).tolist()
        relevant = set(rng.choice(20, 6, replace=False).tolist())
        expect_close(answer(ranked, relevant, k), len(set(ranked[:k]) & relevant) / k)


@precision_at_k.check("edge cases")
def _(answer):
    expect_close(answer([3], {3}, 5), 0.2, "One hit, four empty places: 1 / 5.")
    expect_close(answer([], {3}, 5), 0, "An empty list has no hits.")
    expect_close(answer([3, 4], set(), 2), 0, "Nothing is relevant.")


@define(
    "generalise.ndcg",
    notebook=1,
    hints=[
        "First the gain of each place, hit or not: `gain = 1 / np.log2(place + 1)`, with places "
        "1, 2, 3, ... up to the length of the list.",
        "Add up `gain[hits]`. The best list that this user can get has its hits at the front: as "
        "many as there are test items, but no more than places.",
        "`gain[:relevant]` takes the first `relevant` gains, or all if there are fewer. Divide "
        "`gain[hits].sum()` by their sum.",
    ],
    equivalent={"line 8: 1 -> 2": "a factor that all gains have cancels in the ratio"},
)
def ndcg(hits, relevant):
    """Return the nDCG of one user's list: a number from 0 to 1.

    It is the sum of 1 / log2(place + 1) over the hits, divided by the same sum for a list that
    begins with min(k, relevant) hits. hits: 1-d array of k booleans, best place first;
    relevant: number of the user's test items, 1 or more.
    """
    gain = 1 / np.log2(np.arange(1, len(hits) + 1) + 1)
    return gain[hits].sum() / gain[:relevant].sum()


@ndcg.wrong(
    "You divided by log2(1) = 0, as if a place could be 0: places count from 1, and the first is "
    "worth 1 / log2(2) = 1. (In `for p in hits`, p is a hit or a miss, not a place.)"
)
def counts_from_zero(hits, relevant):
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = 1 / np.log2(np.arange(len(hits)) + 1)
        return gain[hits].sum() / gain[:relevant].sum()


@ndcg.wrong("You moved the places on by one: the first is worth 1 / log2(1 + 1) = 1.")
def counts_from_two(hits, relevant):
    gain = 1 / np.log2(np.arange(1, len(hits) + 1) + 2)
    return gain[hits].sum() / gain[:relevant].sum()


@ndcg.wrong(
    "You divided by the value of a list full of hits: a user with fewer test items than places "
    "could never reach 1."
)
def ideal_is_full(hits, relevant):
    gain = 1 / np.log2(np.arange(1, len(hits) + 1) + 1)
    return gain[hits].sum() / gain.sum()


@ndcg.wrong(
    "You divided by what the hits found would be worth at the front: that forgives the test items "
    "which the list missed. Count all of them, `relevant`."
)
def ideal_of_the_found(hits, relevant):
    gain = 1 / np.log2(np.arange(1, len(hits) + 1) + 1)
    return gain[hits].sum() / gain[: hits.sum()].sum()


@ndcg.wrong(
    "You let the best list go on beyond k places: with more test items than places, k hits are "
    "the best there is."
)
def ideal_is_longer_than_the_list(hits, relevant):
    gain = 1 / np.log2(np.arange(1, len(hits) + 1) + 1)
    return gain[hits].sum() / np.sum(1 / np.log2(np.arange(1, relevant + 1) + 1))


@ndcg.wrong("You did not divide: the N of nDCG stands for the value of the best list.")
def forgets_to_divide(hits, relevant):
    return np.sum(1 / np.log2(np.flatnonzero(hits) + 2))


@ndcg.wrong("You divided by the number of test items: divide by what they are worth at the front.")
def divides_by_the_number(hits, relevant):
    return np.sum(1 / np.log2(np.flatnonzero(hits) + 2)) / min(len(hits), relevant)


@ndcg.wrong("That is precision, hits / k: here a hit counts more, the higher it stands.")
def takes_precision(hits, relevant):
    return hits.mean()


@ndcg.wrong("That is recall: here a hit counts more, the higher it stands.")
def takes_recall(hits, relevant):
    return hits.sum() / min(len(hits), relevant)


@ndcg.wrong("You weighed a hit by 1 / place: nDCG takes the logarithm, 1 / log2(place + 1).")
def forgets_the_logarithm(hits, relevant):
    gain = 1 / np.arange(1, len(hits) + 1)
    return gain[hits].sum() / gain[:relevant].sum()


# Hits at places 1 and 3, whose gains are round: 1 / log2(2) = 1 and 1 / log2(4) = 1/2.
TWO_HITS = np.array([True, False, True, False, False])


@ndcg.check("a single number comes back")
def _(answer):
    expect_number(answer(TWO_HITS, 3))


@ndcg.check("a small case by hand")
def _(answer):
    three = 1 + 1 / log2(3) + 1 / 2
    why = "Hits at places 1 and 3 are worth 1 + 1/2; three at the front 1 + 0.631 + 1/2."
    expect_close(answer(TWO_HITS, 3), 1.5 / three, why)
    why = "One hit, at place 3, is worth 1/2; at place 1 it would be worth 1."
    expect_close(answer(np.array([False, False, True]), 1), 1 / 2, why)
    why = "Nine test items, but two places: the best is 1 + 0.631. A hit at place 1 is worth 1."
    expect_close(answer(np.array([True, False]), 9), 1 / (1 + 1 / log2(3)), why)


@ndcg.check("random cases")
def _(answer):
    rng = np.random.default_rng(1)
    for k in (3, 8, 20):
        hits = rng.random(k) < 0.4
        for relevant in (hits.sum() + 1, k, k + 5):
            # Place by place, for this list and for one with its hits at the front.
            best = [place <= relevant for place in range(1, k + 1)]
            mine, ideal = (
                sum(1 / log2(place + 1) for place, hit in enumerate(row, 1) if hit)
                for row in (hits, best)
            )
            expect_close(answer(hits, relevant), mine / ideal)


@ndcg.check("edge cases")
def _(answer):
    expect_close(answer(np.zeros(4, bool), 2), 0, "A list without a hit is worth nothing.")
    expect_close(answer(np.ones(4, bool), 4), 1, "No list can be better than one full of hits.")
    best = np.array([True, True, False])
    expect_close(answer(best, 2), 1, "Both test items at the front: no list can be better.")
    expect_close(answer(np.array([True]), 3), 1, "One place, one hit: no list can be better.")
