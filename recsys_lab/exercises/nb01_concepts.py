"""The exercises of notebook 01, Concepts and pipeline: a recommender, list metrics, noise."""

from math import log2

import numpy as np

from .engine import define, expect, expect_close, expect_number, expect_shape
from .questions import Choice, Number, Several, define_quiz


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


@density.wrong("You rounded: on real data the share is small, and its digits count.")
def rounds(matrix):
    return round(density.reference(matrix), 2)


@density.wrong("You counted the filled cells: divide by the number of all cells.")
def only_counts(matrix):
    return matrix.nnz


def _sparse(rows):
    # Here and not above: the checks of other notebooks should not wait for scipy.
    from scipy.sparse import csr_array

    return csr_array(np.array(rows, dtype=float))


FOUR_RATINGS = [[5, 0, 0, 3, 0, 0, 0], [0, 2, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 5]]


@density.wrong("You squared the number of users: all cells are users times items.")
def squares_the_users(matrix):
    return matrix.nnz / matrix.shape[0] ** 2


@density.wrong("You divided by the empty cells: divide by all cells, filled and empty.")
def divides_by_the_empty(matrix):
    empty = matrix.shape[0] * matrix.shape[1] - matrix.nnz
    return matrix.nnz / empty if empty else np.inf


@density.wrong("You counted how many different ratings there are: count the filled cells.")
def counts_different_ratings(matrix):
    return len(set(matrix.data.tolist())) / (matrix.shape[0] * matrix.shape[1])


@density.wrong("You counted the users who rated anything: count the filled cells.")
def counts_the_active_users(matrix):
    return (matrix.toarray() != 0).any(axis=1).mean()


@density.wrong("You counted the items that anybody rated: count the filled cells.")
def counts_the_rated_items(matrix):
    return (matrix.toarray() != 0).any(axis=0).mean()


@density.right
def of_the_full_table(matrix):
    return (matrix.toarray() != 0).mean()


@density.right
def by_the_stored_numbers(matrix):
    return len(matrix.data) / np.prod(matrix.shape)


@density.check("a number comes back")
def _(answer):
    expect_number(answer(_sparse(FOUR_RATINGS)))


@density.check("a small case by hand")
def _(answer):
    expect_close(answer(_sparse(FOUR_RATINGS)), 4 / 21, "4 of 3 x 7 cells are filled.")


@density.check("random cases")
def _(answer):
    rng = np.random.default_rng(1)
    for shape in [(3, 7), (10, 2), (5, 5), (1, 6), (6, 1)]:
        rows = rng.integers(1, 6, shape) * (rng.random(shape) < 0.3)
        expect_close(answer(_sparse(rows)), np.count_nonzero(rows) / rows.size)


@density.check("edge cases")
def _(answer):
    expect_close(answer(_sparse(np.zeros((2, 3)))), 0, "Nothing is filled.")
    expect_close(answer(_sparse(np.ones((2, 3)))), 1, "Everything is filled.")


@define(
    "concepts.content_scores",
    notebook=1,
    hints=[
        "`B @ G` adds up the rows of G of each person's films: all profiles at once. What does "
        "`(B @ G) @ G.T` hold, and what is missing for a cosine?",
        "A cosine is the dot product divided by both lengths. `np.linalg.norm(rows, axis=1, "
        "keepdims=True)` gives the lengths of all rows as a column: scale the profiles, scale the "
        "rows of G, then multiply.",
        "Where a length is 0, divide by 1 instead: `rows / np.where(length > 0, length, 1)`.",
    ],
    equivalent={
        "line 11: 1 -> 2": "a row of zeros stays one, whatever divides it",
        "line 12: 1 -> 2": "a row of zeros stays one, whatever divides it",
    },
)
def content_scores(B, G):
    """Return the cosine of each person's profile with each film: an array, people x films.

    B: people x films, 1 where a person rated a film, else 0 (scipy sparse). G: films x features.
    A profile is the sum of the rows of G of the person's films. Where a profile or a film is all
    zeros, the score is 0.
    """
    profile = B @ G
    length = np.linalg.norm(profile, axis=1, keepdims=True)
    film_length = np.linalg.norm(G, axis=1, keepdims=True)
    profile = profile / np.where(length > 0, length, 1)
    return profile @ (G / np.where(film_length > 0, film_length, 1)).T


def _scaled(rows, axis=1):
    length = np.linalg.norm(rows, axis=axis, keepdims=True)
    return rows / np.where(length > 0, length, 1)


@content_scores.wrong("These are dot products: for a cosine divide by both lengths.")
def forgets_the_lengths(B, G):
    return (B @ G) @ G.T


@content_scores.wrong("You scaled the films only: the profiles have a length as well.")
def scales_the_films_only(B, G):
    return (B @ G) @ _scaled(G).T


@content_scores.wrong("You scaled the profiles only: a film with many features then shouts.")
def scales_the_profiles_only(B, G):
    return _scaled(B @ G) @ G.T


@content_scores.wrong("You took the length of each column: it is the rows, axis=1, that have one.")
def scales_the_columns(B, G):
    return _scaled(B @ G, 0) @ _scaled(G, 0).T


@content_scores.wrong("Without `axis=1` `norm` gives one length for the whole table: ask for rows.")
def takes_one_length(B, G):
    return (B @ G) @ G.T / np.linalg.norm(B @ G) / np.linalg.norm(G)


@content_scores.wrong("You forgot the root: a length is the root of the sum of squares.")
def forgets_the_root(B, G):
    P = B @ G
    squares = [np.sum(rows**2, axis=1, keepdims=True) for rows in (P, G)]
    p, g = (np.where(s > 0, s, 1) for s in squares)
    return (P / p) @ (G / g).T


@content_scores.wrong("You divided by the sums: the length is the root of the sum of squares.")
def divides_by_the_sums(B, G):
    P = B @ G
    p, g = (np.where(r.sum(1) != 0, r.sum(1), 1)[:, None] for r in (P, G))
    return (P / p) @ (G / g).T


@content_scores.wrong(
    "A person without films, or a film without features, has length 0, and 0 / 0 is NaN: divide by "
    "1 there."
)
def divides_by_zero(B, G):
    P = B @ G
    with np.errstate(all="ignore"):
        P, films = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (P, G))
    return P @ films.T


@content_scores.wrong("You added up cosines: add up the films' rows of G, then take one cosine.")
def adds_up_cosines(B, G):
    return B @ (_scaled(G) @ _scaled(G).T)


@content_scores.wrong("You averaged cosines: add up the films' rows of G, then take one cosine.")
def averages_cosines(B, G):
    n = np.asarray(B.sum(axis=1)).reshape(-1, 1)
    return (B @ (_scaled(G) @ _scaled(G).T)) / np.maximum(n, 1)


@content_scores.wrong("You scaled the films before you added them up: a profile is the plain sum.")
def scales_before_adding(B, G):
    return _scaled(B @ _scaled(G)) @ _scaled(G).T


@content_scores.wrong("That is 1 minus the cosine, a distance: the best film would come last.")
def takes_the_distance(B, G):
    return 1 - content_scores.reference(B, G)


@content_scores.wrong("You left out the films that were rated: `recommend` does that, later.")
def leaves_out_what_was_rated(B, G):
    return np.where(B.toarray() > 0, 0, content_scores.reference(B, G))


@content_scores.wrong("You returned films x people: a row is a person, a column a film.")
def turns_it_round(B, G):
    return content_scores.reference(B, G).T


@content_scores.wrong("These are the profiles: compare each with the rows of G.")
def returns_the_profiles(B, G):
    return B @ G


@content_scores.wrong("Numbers below 0 were cut off: a cosine goes from -1 to 1.")
def cuts_off_the_negative(B, G):
    return np.maximum(content_scores.reference(B, G), 0)


@content_scores.wrong(expects="return a numpy array")
def returns_a_sparse_array(B, G):
    from scipy.sparse import csr_array

    return csr_array(content_scores.reference(B, G))


# Person 0 rated films 0 and 1, person 1 films 2, 3 and 4, person 2 film 1.
RATED = [[1, 1, 0, 0, 0], [0, 0, 1, 1, 1], [0, 1, 0, 0, 0]]
FEATURES = np.array([[3.0, 0], [0, 4], [1, 1], [2, 0], [5, 12]])


def _array(got):
    expect(
        isinstance(got, np.ndarray) and not isinstance(got, np.matrix),
        f"It returned a {type(got).__name__}: return a numpy array, people x films.",
    )
    return got


@content_scores.wrong("You averaged the profile, which changes no angle, and forgot both lengths.")
def averages_and_forgets_the_lengths(B, G):
    n = np.asarray(B.sum(axis=1)).reshape(-1, 1)
    return (B @ G) / np.maximum(n, 1) @ G.T


@content_scores.wrong("These are the films' cosines with each other: a row is a person's profile.")
def compares_films_with_films(B, G):
    return _scaled(G) @ _scaled(G).T


@content_scores.wrong("What was rated has a score as well: `recommend` leaves it out, later.")
def puts_minus_infinity(B, G):
    return np.where(B.toarray() > 0, -np.inf, content_scores.reference(B, G))


@content_scores.wrong("You added 1 to both lengths: only a length of 0 needs another divisor.")
def adds_one_to_the_lengths(B, G):
    P = B @ G
    p, g = (np.linalg.norm(rows, axis=1) + 1 for rows in (P, G))
    return P @ G.T / np.outer(p, g)


@content_scores.wrong("You added up absolute values: a length is the root of the sum of squares.")
def adds_up_absolute_values(B, G):
    P = B @ G
    p, g = (np.abs(rows).sum(axis=1) for rows in (P, G))
    return P @ G.T / np.outer(np.where(p > 0, p, 1), np.where(g > 0, g, 1))


@content_scores.wrong("A length below 1 is a length too: put 1 only where it is 0.")
def takes_one_for_the_short(B, G):
    P = B @ G
    p, g = (np.maximum(np.linalg.norm(rows, axis=1), 1) for rows in (P, G))
    return P @ G.T / np.outer(p, g)


@content_scores.wrong("You took one root too many: divide by the product of the two lengths.")
def takes_a_root_too_many(B, G):
    P = B @ G
    p, g = (np.linalg.norm(rows, axis=1) for rows in (P, G))
    return P @ G.T / np.sqrt(np.outer(np.where(p > 0, p, 1), np.where(g > 0, g, 1)))


@content_scores.wrong("You added the two lengths: divide by their product.")
def adds_the_lengths(B, G):
    P = B @ G
    p, g = (np.linalg.norm(rows, axis=1) for rows in (P, G))
    return P @ G.T / np.maximum(p[:, None] + g, 1e-12)


@content_scores.wrong("You subtracted a mean first: that is a correlation, and not the cosine.")
def takes_the_correlation(B, G):
    P = B @ G
    P, H = (rows - rows.mean(axis=1, keepdims=True) for rows in (P, G))
    return _scaled(P) @ _scaled(H).T


@content_scores.wrong("You took each feature once: a profile counts how often a film has it.")
def takes_each_feature_once(B, G):
    return _scaled(((B @ G) > 0).astype(float)) @ _scaled(G).T


@content_scores.right
def by_dividing_the_products(B, G):
    P = B @ G
    lengths = np.outer(np.linalg.norm(P, axis=1), np.linalg.norm(G, axis=1))
    return np.divide(P @ G.T, lengths, out=np.zeros(lengths.shape), where=lengths > 0)


@content_scores.right
def by_mending_the_nan(B, G):
    P = B.toarray() @ G
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(
            P @ G.T / np.linalg.norm(P, axis=1)[:, None] / np.linalg.norm(G, axis=1)
        )


@content_scores.check("an array, people x films")
def _(answer):
    expect_shape(_array(answer(_sparse(RATED), FEATURES)), (3, 5))


@content_scores.check("a small case by hand")
def _(answer):
    got = answer(_sparse(RATED), FEATURES)
    why = (
        "Person 0's profile is (3, 0) + (0, 4) = (3, 4), of length 5. With (3, 0) its cosine is "
        "9 / (5 x 3) = 0.6, with (0, 4) it is 0.8, with (5, 12) 63 / (5 x 13)."
    )
    expect_close(got[0], [0.6, 0.8, 7 / 5 / 2**0.5, 0.6, 63 / 65], why)
    expect_close(got[2], [0, 1, 0.5**0.5, 0, 12 / 13], "Person 2's profile is (0, 4).")


@content_scores.check("random cases")
def _(answer):
    rng = np.random.default_rng(6)
    for people, films, features in [(3, 4, 2), (6, 3, 5), (1, 7, 4), (5, 1, 3), (4, 6, 1)]:
        B = (rng.random((people, films)) < 0.5).astype(float)
        G = rng.normal(size=(films, features))
        B[np.arange(people), rng.integers(0, films, people)] = 1
        # Pair by pair: the angle between two vectors.
        wanted = [
            [p @ g / (p @ p) ** 0.5 / (g @ g) ** 0.5 for g in G]
            for p in (G[row > 0].sum(axis=0) for row in B)
        ]
        expect_close(answer(_sparse(B), G), wanted)


@content_scores.check("edge cases")
def _(answer):
    B, G = _sparse([[0, 0], [1, 0]]), np.array([[2.0, 1], [1, 3]])
    why = "Person 0 rated nothing: the profile is all zeros, and so are the scores."
    expect_close(answer(B, G)[0], [0, 0], why)
    G = np.array([[2.0, 1], [0, 0]])
    expect_close(answer(B, G)[1], [1, 0], "Film 1 has no features: its scores are 0.")
    G = np.array([[1, 0, 1], [0, 1, 1]])
    expect_close(answer(B, G)[1], [1, 0.5], "Whole numbers are features too.")


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


TOTALS, COUNTS = np.array([9.0, 50.0]), np.array([2, 13])


@damped_mean.wrong("You took the mean of these films' ratings: `mu` is given.")
def takes_a_mean_of_its_own(total, n, mu, a):
    return (total + a * total.sum() / max(n.sum(), 1)) / (n + a)


@damped_mean.wrong("You took away the imaginary ratings' stars: add a * mu.")
def subtracts_the_stars(total, n, mu, a):
    return (total - a * mu) / (n + a)


@damped_mean.wrong("You took the imaginary ratings from the number: divide by n + a.")
def subtracts_the_number(total, n, mu, a):
    return (total + a * mu) / (n - a)


@damped_mean.wrong("You added one imaginary rating: there are a of them, each with mu stars.")
def adds_one_rating(total, n, mu, a):
    return (total + mu) / (n + 1)


@damped_mean.wrong("You counted one imaginary rating below: there are a of them, divide by n + a.")
def counts_one_rating(total, n, mu, a):
    return (total + a * mu) / (n + 1)


@damped_mean.wrong("You divided the sum by n, and then all of it by n + a: divide once, by n + a.")
def divides_twice(total, n, mu, a):
    return (total / n + a * mu) / (n + a)


@damped_mean.wrong("`mu` is the mean and `a` the number: divide by n + a.")
def adds_mu_to_the_number(total, n, mu, a):
    return (total + a * mu) / (n + mu)


@damped_mean.wrong("Two fractions are added here: add up all stars first, then divide by n + a.")
def adds_two_fractions(total, n, mu, a):
    return total / n + a * mu / (n + a)


@damped_mean.wrong("You added a and mu: a ratings of mu stars each bring a * mu.")
def adds_a_and_mu(total, n, mu, a):
    return (total + a + mu) / (n + a)


@damped_mean.wrong("`**` is a power: a ratings of mu stars each bring a * mu.")
def takes_a_power(total, n, mu, a):
    return (total + mu**a) / (n + a)


@damped_mean.wrong("You multiplied mu by n: the imaginary ratings are a, and bring a * mu.")
def gives_n_times_mu(total, n, mu, a):
    return (total + n * mu) / (n + a)


@damped_mean.right
def as_a_weighted_mean(total, n, mu, a):
    return mu + (total - n * mu) / (n + a)


@damped_mean.right
def film_by_film(total, n, mu, a):
    return np.array([(total[j] + a * mu) / (n[j] + a) for j in range(len(n))])


@damped_mean.check("numbers, one for each film")
def _(answer):
    expect_shape(answer(TOTALS, COUNTS, 3, 5), (2,))


@damped_mean.check("a small case by hand")
def _(answer):
    why = "Two ratings that make 9, and five of 3: 24 / 7; thirteen that make 50: 65 / 18."
    expect_close(answer(TOTALS, COUNTS, 3, 5), [24 / 7, 65 / 18], why)


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
        answer(TOTALS, COUNTS, 3, 0),
        [9 / 2, 50 / 13],
        "Without imaginary ratings it is the plain mean.",
    )
    zero = np.zeros(1)
    expect_close(
        answer(zero, zero, 3.5, 2), [3.5], "A film without ratings stands at the overall mean."
    )


def _lists(rng):
    """A list of different items, a set of some, and k."""
    ranked = rng.permutation(20)[: rng.integers(1, 15)].tolist()
    relevant = set(rng.choice(20, rng.integers(0, 12), replace=False).tolist())
    return ranked, relevant, int(rng.integers(1, 11))


@define(
    "concepts.precision_at_k",
    notebook=1,
    inputs=_lists,
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


@precision_at_k.wrong("You divided by the relevant items: that is recall. Divide by k.")
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


@precision_at_k.wrong("You divided by the relevant items: that is recall. Divide by k.")
def computes_recall_at_k(ranked, relevant, k):
    return sum(item in relevant for item in ranked[:k]) / max(min(k, len(relevant)), 1)


@precision_at_k.wrong(
    "Your loop ends after the first item: `return` belongs after the loop, not inside it."
)
def returns_inside_the_loop(ranked, relevant, k):
    for item in ranked[:k]:
        return (item in relevant) / k
    return 0


@precision_at_k.wrong("You rounded: people's values are averaged, and their digits count.")
def rounds_the_precision(ranked, relevant, k):
    return round(precision_at_k.reference(ranked, relevant, k), 2)


@precision_at_k.wrong("You left out the item at place k: `ranked[:k]` are the first k.")
def stops_one_early(ranked, relevant, k):
    return sum(item in relevant for item in ranked[: k - 1]) / k


@precision_at_k.wrong("You left out the first item: Python counts from 0, `ranked[:k]`.")
def starts_one_late(ranked, relevant, k):
    return sum(item in relevant for item in ranked[1 : k + 1]) / k


@precision_at_k.wrong("You counted the misses: count the items that are relevant.")
def counts_the_misses(ranked, relevant, k):
    return sum(item not in relevant for item in ranked[:k]) / k


RANKED = [20, 3, 14, 9, 25, 17, 8, 30, 12, 41, 33]
RELEVANT = {3, 9, 8, 12, 41, 50}


@precision_at_k.wrong("You took the last k: the best stand first, `ranked[:k]`.")
def takes_the_last(ranked, relevant, k):
    return sum(item in relevant for item in ranked[-k:]) / k


@precision_at_k.wrong("You stopped at the first hit: count all of them, then divide.")
def stops_at_the_first_hit(ranked, relevant, k):
    return float(any(item in relevant for item in ranked[:k])) / k


@precision_at_k.wrong("That is average precision, in which places count: here only hits / k.")
def takes_average_precision(ranked, relevant, k):
    hits = np.array([item in relevant for item in ranked[:k]], dtype=float)
    return float((hits * np.cumsum(hits) / np.arange(1, len(hits) + 1)).sum() / k)


@precision_at_k.wrong("That is F1, which mixes in recall: here only hits / k.")
def takes_f1(ranked, relevant, k):
    hits = sum(item in relevant for item in ranked[:k])
    return 2 * hits / (k + len(relevant))


@precision_at_k.wrong("You divided by all items of both lists: divide by k.")
def takes_the_overlap(ranked, relevant, k):
    return len(set(ranked[:k]) & relevant) / max(len(set(ranked[:k]) | relevant), 1)


@precision_at_k.wrong("You took ten: the list has `k` places, whatever k is.")
def takes_ten(ranked, relevant, k):
    return sum(item in relevant for item in ranked[:10]) / 10


@precision_at_k.wrong("You sorted the list first: its order is the ranking, best first.")
def sorts_the_list(ranked, relevant, k):
    return sum(item in relevant for item in sorted(ranked)[:k]) / k


@precision_at_k.wrong(
    "You compared place by place: `relevant` has no order, so ask `item in relevant`."
)
def compares_place_by_place(ranked, relevant, k):
    return sum(a == b for a, b in zip(ranked[:k], relevant, strict=False)) / k


@precision_at_k.wrong("What stands behind the point is cut off: write / in place of //.")
def cuts_off(ranked, relevant, k):
    return sum(item in relevant for item in ranked[:k]) // k


@precision_at_k.wrong(
    "You cut `relevant` to k as well: all relevant items count, `ranked[:k]` alone is cut."
)
def cuts_the_relevant_too(ranked, relevant, k):
    return sum(item in ranked[:k] for item in list(relevant)[:k]) / k


@precision_at_k.wrong(
    "You divided by k - 1: there are k places, and Python's `[:k]` takes k items."
)
def divides_by_one_less(ranked, relevant, k):
    return sum(item in relevant for item in ranked[:k]) / max(k - 1, 1)


@precision_at_k.right
def by_sets(ranked, relevant, k):
    return len(set(ranked[:k]) & relevant) / k


@precision_at_k.right
def by_isin(ranked, relevant, k):
    return float(np.isin(ranked[:k], list(relevant)).sum() / k)


@precision_at_k.check("a number comes back")
def _(answer):
    expect_number(answer(RANKED, RELEVANT, 7))


@precision_at_k.check("a small case by hand")
def _(answer):
    why = "Of the first seven three are relevant, 3, 9 and 8: 3 / 7."
    expect_close(answer(RANKED, RELEVANT, 7), 3 / 7, why)
    why = "Of the first two, 9 and 4, one is relevant: 1 / 2."
    expect_close(answer([9, 4, 6], {3, 4, 5, 6, 7}, 2), 1 / 2, why)


@precision_at_k.check("random cases")
def _(answer):
    rng = np.random.default_rng(5)
    for k in (1, 3, 5, 10):
        ranked = rng.permutation(12).tolist()
        relevant = set(rng.choice(20, 6, replace=False).tolist())
        expect_close(answer(ranked, relevant, k), len(set(ranked[:k]) & relevant) / k)
    for k, size in ((2, 14), (3, 14), (4, 14), (5, 3), (3, 2)):  # far more relevant than places
        ranked = rng.permutation(14)[:size].tolist()
        relevant = set(rng.choice(14, 9, replace=False).tolist())
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


@ndcg.wrong("Add 1 to the place before you take the logarithm: log2(place + 1).")
def adds_one_after_the_logarithm(hits, relevant):
    gain = 1 / (np.log2(np.arange(1, len(hits) + 1)) + 1)
    return gain[hits].sum() / gain[:relevant].sum()


@ndcg.wrong("You took the mean of the hits' gains: divide by the value of the best list.")
def averages_the_gains(hits, relevant):
    gain = 1 / np.log2(np.arange(1, len(hits) + 1) + 1)
    return gain[hits].mean() if hits.any() else 0


@ndcg.wrong("You rounded: people's values are averaged, and their digits count.")
def rounds_the_ndcg(hits, relevant):
    return round(ndcg.reference(hits, relevant), 3)


# Hits at places 3 and 7, whose gains are round: 1 / log2(4) = 1/2 and 1 / log2(8) = 1/3.
TWO_HITS = np.array([False, False, True, False, False, False, True, False])


@ndcg.wrong("You took log2(place + 1) itself: a hit is worth less further down, so divide 1 by it.")
def forgets_to_turn_over(hits, relevant):
    gain = np.log2(np.arange(1, len(hits) + 1) + 1)
    return gain[hits].sum() / gain[:relevant].sum()


@ndcg.wrong("Your best list has one hit too few: `gain[:relevant]` has as many as there can be.")
def ideal_is_one_too_short(hits, relevant):
    gain = 1 / np.log2(np.arange(1, len(hits) + 1) + 1)
    return gain[hits].sum() / gain[: relevant - 1].sum() if relevant > 1 else np.inf


@ndcg.wrong("Your best list has one hit too many: it has `relevant` of them at most.")
def ideal_is_one_too_long(hits, relevant):
    gain = 1 / np.log2(np.arange(1, len(hits) + 1) + 1)
    return gain[hits].sum() / gain[: relevant + 1].sum()


@ndcg.wrong("You counted the misses: `gain[hits]` are the gains of the hits.")
def counts_the_misses_here(hits, relevant):
    gain = 1 / np.log2(np.arange(1, len(hits) + 1) + 1)
    return gain[~hits].sum() / gain[:relevant].sum()


@ndcg.wrong("You turned the list round: its first place is worth most.")
def turns_the_list_round(hits, relevant):
    gain = 1 / np.log2(np.arange(1, len(hits) + 1) + 1)
    return gain[hits[::-1]].sum() / gain[:relevant].sum()


@ndcg.wrong("Only the first hit counts in yours: add up all of them before you return.")
def stops_at_the_first_hit_here(hits, relevant):
    gain = 1 / np.log2(np.arange(1, len(hits) + 1) + 1)
    return gain[hits.argmax()] / gain[:relevant].sum() if hits.any() else 0.0


@ndcg.wrong("You divided by the number of places: divide by the value of the best list.")
def divides_by_the_places(hits, relevant):
    return np.sum(1 / np.log2(np.flatnonzero(hits) + 2)) / len(hits)


@ndcg.wrong("You took the square root of the place: nDCG takes the logarithm, 1 / log2(place + 1).")
def takes_the_square_root(hits, relevant):
    gain = 1 / np.sqrt(np.arange(1, len(hits) + 1))
    return gain[hits].sum() / gain[:relevant].sum()


@ndcg.wrong("You divided means: divide the sum over the hits by the sum for the best list.")
def divides_means(hits, relevant):
    gain = 1 / np.log2(np.arange(1, len(hits) + 1) + 1)
    return gain[hits].mean() / gain[:relevant].mean() if hits.any() else 0


@ndcg.wrong("You cut the list to `relevant` places: hits further down count as well.")
def cuts_the_list(hits, relevant):
    gain = 1 / np.log2(np.arange(1, len(hits) + 1) + 1)
    kept = np.arange(len(hits)) < relevant
    return gain[hits & kept].sum() / gain[:relevant].sum()


@ndcg.right
def place_by_place(hits, relevant):
    value = sum(1 / log2(place + 1) for place, hit in enumerate(hits, 1) if hit)
    best = sum(1 / log2(place + 1) for place in range(1, min(len(hits), relevant) + 1))
    return value / best


@ndcg.right
def with_the_natural_logarithm(hits, relevant):
    gain = 1 / np.log(np.arange(2, len(hits) + 2))
    return float(gain @ hits / gain[: min(len(hits), relevant)].sum())


@ndcg.check("a single number comes back")
def _(answer):
    expect_number(answer(TWO_HITS, 5))


@ndcg.check("a small case by hand")
def _(answer):
    five = 1 + 1 / log2(3) + 1 / 2 + 1 / log2(5) + 1 / log2(6)
    why = "Hits at places 3 and 7 are worth 1/2 + 1/3; five at the front 1 + 0.631 + 1/2 + ..."
    expect_close(answer(TWO_HITS, 5), (1 / 2 + 1 / 3) / five, why)
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


define_quiz(
    "concepts.recap",
    notebook=1,
    questions=[
        Number(
            "concepts.q_silence",
            "Each list has ten films. How many of them have to be hits, at least, before its "
            "accuracy is above that of an empty list?",
            right=6,
            because="A hit mends one error and a miss makes one: six mend more than four make.",
            wrong={
                1: "One hit mends one error of the empty list, but the other nine films are new "
                "errors.",
                5: "Five hits mend five errors and five misses make five: that is a tie.",
                10: "Ten would be the best list. It is enough that hits outnumber misses.",
                "else": "Count errors: each hit is one error less than the empty list has, each "
                "miss one more.",
            },
            answer="next(h for h in range(11) if accuracy([list(range(10))], [[0] * 30], "
            "[[1] * h + [0] * (10 - h) + [1] * 20]) > accuracy(np.zeros((1, 0), int), "
            "[[0] * 30], [[1] * h + [0] * (10 - h) + [1] * 20]))",
        ),
        Choice(
            "concepts.q_order",
            "Lists of three, for a person with two relevant films. List A has a hit at place 1, "
            "list B has hits at places 2 and 3. Which has the higher nDCG?",
            right="B",
            because="Place 2 earns 0.631 and place 3 earns 0.5, together more than the 1 of A.",
            wrong={
                "A": "Place 1 earns most, it is true: 1. But it does not earn more than places 2 "
                "and 3 together, 0.631 + 0.5.",
                "both the same": "The divisor is the same for both, 1.631, but what the hits earn "
                "is not: 1 in A, 1.131 in B.",
                "it depends on k": "A longer list could hold more hits, but here k is 3 for both, "
                "and all places are known.",
            },
            answer="'B' if ndcg(np.array([False, True, True]), 2) > "
            "ndcg(np.array([True, False, False]), 2) else 'A'",
        ),
        Choice(
            "concepts.q_report",
            "A shop reports: 'Our recommender reads the genres. Its nDCG is five times that of a "
            "random list, with narrow intervals.' What is missing most?",
            right="the score of popularity",
            because="Beating chance is easy: genres did here, and popularity had seven times their "
            "score.",
            wrong={
                "its accuracy on all pairs": "Accuracy sounds like the share of good films in the "
                "list, but it is above 99 % for every list, and highest for an empty one.",
                "an average over many random lists": "One random list could be unlucky; but over "
                "hundreds of people chance is near 0 each time, and beating it proves little.",
                "finer features than genres": "They may help. But without a baseline nobody can "
                "tell whether genres, or finer features, are worth anything.",
            },
            answer="'the score of popularity' if means_of['popularity'] > 6.5 * "
            "means_of['content-based'] > 6.5 * 4 * means_of['chance'] else ''",
        ),
        Choice(
            "concepts.q_pairs",
            "Judged on the same people, A has nDCG 0.120 (interval 0.107 to 0.133), B has 0.126 "
            "(0.113 to 0.139). Person by person, B minus A is 0.006 (0.002 to 0.010). What holds?",
            right="B is better on average",
            because="The interval of the differences lies above 0, and that is the one to read.",
            wrong={
                "A and B cannot be told apart": "Their own intervals overlap, because people "
                "differ much from each other. The same people are in both, and the difference "
                "takes that out.",
                "B is better for nearly everyone": "The interval is about the mean of the "
                "differences. For most people the two lists have the same hits or B has fewer.",
                "B is better by 0.002 at most": "0.002 is the lower end of the interval: the gain "
                "may as well be 0.010, its upper end.",
            },
            answer="'B is better on average' if ends[0.1][0] > 0 and own_ends[0.1][0] < "
            "own_ends[0.0][1] and (difference[0.1] > 0).mean() < 0.5 else ''",
        ),
        Several(
            "concepts.q_new",
            "A film came out yesterday, and nobody has rated it. Which of these can put it into "
            "somebody's list of ten?",
            right=["content-based", "chance"],
            because="Genres are known from the first day, and chance asks nothing of a film.",
            wrong={
                "collaborative": "It needs no genres, but it needs people: a film without events "
                "shares nobody with any other film, and its score is 0.",
                "popularity": "New films are talked about, but this list counts ratings, and the "
                "new film has none: it is last.",
            },
            missing={
                "content-based": "Its score needs the film's genres only, and those are known "
                "before anyone has rated it.",
                "chance": "A random list may hold any film; it finds the new ones now and then.",
            },
            answer="str([name for name in ('content-based', 'collaborative', 'chance') "
            "if recalls[1][name].max() > 0])",
        ),
        Choice(
            "concepts.q_tail",
            "A shop keeps the best known 7 % of its films; half of all ratings are theirs. 'So "
            "each customer still finds about half of what they want.' What is your answer?",
            right="some will find far less",
            because="One person in ten found 15 % or less there: ratings are not people.",
            wrong={
                "yes, by the definition of a share": "Half of all ratings is a statement on "
                "their sum. People who like rare films have their ratings elsewhere.",
                "no, everybody will find far less": "Then the sum could not be half: those who "
                "like famous films find most of theirs.",
                "no, everybody will find far more": "The famous films are in most people's "
                "histories, but so are others: half of all ratings lie outside.",
            },
            answer="'some will find far less' if np.quantile(kept(round(0.07 * len(by_film))), "
            "0.1) < 0.16 and np.quantile(kept(round(0.07 * len(by_film))), 0.9) > 0.8 else ''",
        ),
    ],
)
