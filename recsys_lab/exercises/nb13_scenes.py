"""The exercises of notebook 13, Three scenes: baskets, friends, places."""

import numpy as np

from .engine import define, expect, expect_close, expect_shape
from .questions import Choice, Number, define_quiz


@define(
    "scenes.lift",
    notebook=13,
    hints=[
        "Three matrices, products x products: how often a pair was bought together, how often it "
        "would be if the two were bought by chance, and their ratio.",
        "`B.T @ B` counts the baskets of each pair; on its diagonal is n, the baskets of each "
        "product. Expected are n_i n_j / N baskets: `np.outer(n, n) / N`.",
        "Divide by `expected + prior`, then `np.fill_diagonal(result, 0)`. With prior 0 a product "
        "that nobody bought gives 0 / 0: divide by 1 where the pair was never bought.",
    ],
    equivalent={"line 11: 1 -> 2": "0 over 2 is 0 as well"},
)
def lift(B, prior):
    """Return products x products: baskets with both, over those expected by chance plus prior.

    B: baskets x products, 1 where a product is in a basket, else 0. By chance a pair would be in
    n_i n_j / N of the N baskets, if n_i baskets hold product i. prior: a number, 0 or more. 0 on
    the diagonal, and wherever nothing would be divided by nothing.
    """
    together = np.asarray(B, dtype=float).T @ B
    n = np.diag(together)
    expected = np.outer(n, n) / len(B)
    result = together / np.where(together > 0, expected + prior, 1)
    np.fill_diagonal(result, 0)
    return result


def _parts(B):
    together = np.asarray(B, dtype=float).T @ B
    return together, np.diag(together).copy(), len(B)


def _ratio(above, below):
    result = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    np.fill_diagonal(result, 0)
    return result


@lift.wrong("You counted the baskets with both: divide by what chance would give.")
def counts(B, prior):
    together, _, _ = _parts(B)
    np.fill_diagonal(together, 0)
    return together


@lift.wrong("You left the prior out: add it to the expected number of baskets.")
def forgets_the_prior(B, prior):
    together, n, N = _parts(B)
    return _ratio(together, np.outer(n, n) / N)


@lift.wrong("You added the prior above the line: it belongs below, to what is expected.")
def adds_the_prior_above(B, prior):
    together, n, N = _parts(B)
    return _ratio(together + prior, np.outer(n, n) / N)


@lift.wrong(
    "You added the prior above and below: then a pair that was never seen gets a lift. It belongs "
    "below only."
)
def adds_the_prior_twice(B, prior):
    together, n, N = _parts(B)
    return _ratio(together + prior, np.outer(n, n) / N + prior)


@lift.wrong(
    "That is the confidence, the share of the baskets with i that hold j too: divide by what "
    "chance gives, n_i n_j / N, so that a product which everyone buys gains nothing."
)
def gives_the_confidence(B, prior):
    together, n, _ = _parts(B)
    return _ratio(together, n[:, None] + prior + 0 * together)


@lift.wrong("You divided by n_i n_j: by chance a pair is in n_i n_j / N baskets.")
def forgets_the_number_of_baskets(B, prior):
    together, n, _ = _parts(B)
    return _ratio(together, np.outer(n, n) + prior)


@lift.wrong("You took the number of products for N: N is the number of baskets, the rows.")
def takes_the_products_for_n(B, prior):
    together, n, _ = _parts(B)
    return _ratio(together, np.outer(n, n) / len(n) + prior)


@lift.wrong("You took the logarithm (that is PMI): asked for is the ratio itself.")
def gives_pmi(B, prior):
    ratio = lift.reference(B, prior)
    return np.log(np.where(ratio > 0, ratio, 1))


@lift.wrong(
    "You took the logarithm (that is PMI), and of 0 it has none: asked for is the ratio itself."
)
def gives_pmi_of_nothing(B, prior):
    with np.errstate(divide="ignore"):
        result = np.log(lift.reference(B, prior))
    np.fill_diagonal(result, 0)
    return result


@lift.wrong("You left the diagonal: a product does not go with itself. Put 0 there.")
def leaves_the_diagonal(B, prior):
    together, n, N = _parts(B)
    below = np.outer(n, n) / N + prior
    return np.divide(together, below, out=np.zeros_like(together), where=below > 0)


@lift.wrong("You put 1 on the diagonal: a product does not go with itself. Put 0 there.")
def puts_one_on_the_diagonal(B, prior):
    return lift.reference(B, prior) + np.eye(len(B[0]))


@lift.wrong("You filled one half: i beside j has the same lift as j beside i, so fill both.")
def fills_one_half(B, prior):
    return np.triu(lift.reference(B, prior))


@lift.wrong("You took all products that were bought for N: N is the number of baskets, the rows.")
def takes_all_purchases_for_n(B, prior):
    together, n, _ = _parts(B)
    return _ratio(together, np.outer(n, n) / n.sum() + prior)


@lift.wrong(
    "You added up pairs for n: n_i is the number of baskets with product i, `B.sum(axis=0)`, or "
    "the diagonal of `B.T @ B` before you put 0 there."
)
def adds_up_pairs(B, prior):
    together, _, N = _parts(B)
    np.fill_diagonal(together, 0)
    n = together.sum(axis=0)
    return _ratio(together, np.outer(n, n) / N + prior)


@lift.wrong(
    "You divided by the baskets with i or j (that is the Jaccard index): divide by what chance "
    "gives, n_i n_j / N."
)
def gives_jaccard(B, prior):
    together, n, _ = _parts(B)
    return _ratio(together, n[:, None] + n - together + prior)


@lift.wrong("You compared baskets with baskets: `B.T @ B` counts products with products.")
def compares_baskets(B, prior):
    return lift.reference(np.asarray(B).T, prior)


@lift.wrong("You divided by the cosine's root: by chance a pair is in n_i n_j / N baskets.")
def gives_the_cosine(B, prior):
    together, n, _ = _parts(B)
    return _ratio(together, np.sqrt(np.outer(n, n)) + prior)


@lift.wrong("You added the prior to n_i and n_j: add it to the expected number, once.")
def adds_the_prior_to_the_counts(B, prior):
    together, n, N = _parts(B)
    return _ratio(together, np.outer(n + prior, n + prior) / N)


@lift.wrong("You divided both counts by N, the prior too: the prior is a number of baskets.")
def takes_the_prior_as_a_share(B, prior):
    together, n, N = _parts(B)
    return _ratio(together / N, np.outer(n, n) / N**2 + prior)


@lift.wrong("You subtracted what chance gives: divide by it.")
def subtracts(B, prior):
    together, n, N = _parts(B)
    result = together - np.outer(n, n) / N - prior
    np.fill_diagonal(result, 0)
    return result


@lift.wrong("You let the ratio end at 1: lift has no upper end.")
def clips_at_one(B, prior):
    return np.minimum(lift.reference(B, prior), 1)


@lift.wrong(expects="nan")
def divides_nothing_by_nothing(B, prior):
    together, n, N = _parts(B)
    with np.errstate(all="ignore"):
        result = together / (np.outer(n, n) / N + prior)
    np.fill_diagonal(result, 0)
    return result


@lift.right
def goes_row_by_row(B, prior):
    B = np.asarray(B, dtype=float)
    n, rows = B.sum(axis=0), []
    for i in range(len(n)):
        both = B[B[:, i] > 0].sum(axis=0)
        expected = n[i] * n / len(B) + prior
        row = [b / e if b and e else 0.0 for b, e in zip(both, expected, strict=True)]
        row[i] = 0.0
        rows.append(row)
    return np.array(rows)


@lift.right
def writes_it_as_one_product(B, prior):
    B = np.asarray(B, dtype=float)
    n = B.sum(axis=0)
    with np.errstate(invalid="ignore"):
        ratio = np.einsum("bi,bj->ij", B, B) / (n[:, None] * n[None, :] / B.shape[0] + prior)
    return np.nan_to_num(ratio * (1 - np.eye(len(n))))


# Seven baskets, five products: no two of the wrong answers give the same.
BASKETS = np.array(
    [
        [1, 1, 0, 0, 1],
        [1, 1, 0, 1, 0],
        [1, 0, 1, 0, 0],
        [1, 0, 0, 0, 0],
        [0, 1, 1, 1, 0],
        [1, 1, 0, 0, 0],
        [1, 0, 0, 1, 0],
    ]
)


@lift.wrong("You let what is expected be 1 at least: divide by it as it is, if it is above 0.")
def expects_one_at_least(B, prior):
    together, n, N = _parts(B)
    return _ratio(together, np.maximum(np.outer(n, n) / N + prior, 1))


@lift.wrong(
    "A product of tables of True and False is True or False, and counts nothing: make them "
    "numbers first, `B.astype(float)`."
)
def multiplies_booleans(B, prior):
    B = np.asarray(B)
    n = B.sum(axis=0)
    return _ratio((B.T @ B).astype(float), np.outer(n, n) / len(B) + prior)


@lift.wrong("You put 0 on the diagonal too early: it holds the n_i that you need.")
def empties_the_diagonal_first(B, prior):
    together, *_ = _parts(B)
    np.fill_diagonal(together, 0)
    return together / (prior if prior > 0 else 1)


@lift.check("a small case by hand")
def _(answer):
    got = expect_shape(answer(BASKETS, 0.5), (5, 5))
    why = (
        "6 of 7 baskets hold product 0, 4 hold product 1, 3 hold both: 3 / (6 x 4 / 7 + 0.5) = "
        "0.764. Product 4 is in one basket, with 0 and 1."
    )
    expect_close(got, lift.reference(BASKETS, 0.5), why)


@lift.check("no prior, and a product that nobody bought")
def _(answer):
    B = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]])
    got = expect_shape(answer(B, 0), (3, 3))
    expect(
        not np.isnan(got).any(),
        "It holds nan: product 1 is in no basket, so that 0 is divided by 0. Put 0 there.",
    )
    why = "Products 0 and 2 share 1 basket, and by chance 2 x 2 / 4 = 1: a lift of 1. Else 0."
    expect_close(got, [[0, 0, 1], [0, 0, 0], [1, 0, 0]], why)


@lift.check("random cases")
def _(answer):
    rng = np.random.default_rng(5)
    for rows, products, prior, kind, often in [
        (9, 4, 3, int, 0.4),
        (1, 3, 1.5, float, 0.4),
        (40, 7, 0, int, 0.4),
        (12, 3, 0.1, bool, 0.6),
        (60, 5, 0, float, 0.1),  # pairs that chance gives less than one basket
        (30, 6, 0.2, int, 0.12),
    ]:
        B = (rng.random((rows, products)) < often).astype(kind)
        got = expect_shape(answer(B, prior), (products, products))
        expect_close(got, lift.reference(B, prior), f"{rows} baskets, prior {prior}.")


def _friends(rng):
    """Mutual friends, somebody without any among them; where to begin, how to walk."""
    n = rng.integers(1, 9)
    A = np.triu(rng.random((n, n)) < 0.4, 1)
    return (A | A.T).astype(int), int(rng.integers(n)), rng.uniform(0.1, 0.95), rng.integers(7)


@define(
    "scenes.pagerank",
    notebook=13,
    inputs=_friends,
    hints=[
        "Begin with all probability at `person`. In each step every person passes on what they "
        "have: a share alpha to their friends, in equal parts; the rest goes back to `person`.",
        "`p / d`, with d the number of friends, is what each friend of a person gets. "
        "`(p / d) @ A` adds up what arrives. Then `p = alpha * arrives + (1 - alpha) * start`.",
        "Someone without friends has nobody to pass it to: what they have goes back to `person`. "
        "So whatever is missing from a sum of 1 belongs to `person`: `p[person] += 1 - p.sum()`.",
    ],
    equivalent={
        "line 8: axis=1 -> axis=0": "friendship is mutual",
        "line 12: np.maximum(d, 1) -> np.maximum(1, d)": "the same maximum",
        "line 12: alpha * (p / np.maximum(d, 1)) @ A -> A @ (alpha * (p / np.maximum(d, 1)))": (
            "friendship is mutual"
        ),
    },
)
def pagerank(A, person, alpha, steps):
    """Return the chance to be at each person after some steps of a walk that begins at `person`.

    A: people x people, 1 for friends, else 0. In a step the walk goes on with the chance alpha, to
    a friend of whoever it is at, each equally likely; else, and from someone without friends, it
    goes back to `person`. Personalised PageRank is where it settles.
    """
    d = A.sum(axis=1)
    p = np.zeros(len(A))
    p[person] = 1
    for _ in range(steps):
        p = alpha * (p / np.maximum(d, 1)) @ A
        p[person] += 1 - p.sum()
    return p


def _walk(A, person, alpha, steps, arrive, start=None, first=None):
    """A walk with its own rule for what arrives, and its own restart."""
    back = np.zeros(len(A))
    back[person] = 1
    back = back if start is None else start
    p = back.copy() if first is None else first
    for _ in range(steps):
        p = arrive(p)
        p = alpha * p + (1 - alpha * p.sum()) * back
    return p


def _out(A):
    return A / np.maximum(A.sum(axis=1), 1)[:, None]


@pagerank.wrong(
    "You divided by the friends of the one who receives (rows for columns): the one who gives "
    "divides, so what arrives is `(p / d) @ A`, not `A @ p / d`."
)
def averages_over_friends(A, person, alpha, steps):
    back = np.zeros(len(A))
    back[person] = 1
    p = back.copy()
    for _ in range(steps):
        p = alpha * _out(A) @ p + (1 - alpha) * back
    return p


@pagerank.wrong("You exchanged alpha and 1 - alpha: alpha is the chance to go on.")
def exchanges_alpha(A, person, alpha, steps):
    return pagerank.reference(A, person, 1 - alpha, steps)


@pagerank.wrong(
    "You left out the way back: with the chance 1 - alpha the walk is at `person` again."
)
def never_goes_back(A, person, alpha, steps):
    return pagerank.reference(A, person, 1, steps)


@pagerank.wrong(
    "You lost what is not passed on: add the chance 1 - alpha to `person` in each step, so that "
    "the sum stays 1."
)
def loses_the_rest(A, person, alpha, steps):
    p = np.zeros(len(A))
    p[person] = 1
    for _ in range(steps):
        p = alpha * p @ _out(A)
    return p


@pagerank.wrong(
    "You restart anywhere (that is PageRank of the whole circle): *personalised* means that the "
    "walk goes back to `person`."
)
def restarts_anywhere(A, person, alpha, steps):
    first = np.zeros(len(A))
    first[person] = 1
    start = np.full(len(A), 1 / len(A))
    return _walk(A, person, alpha, steps, lambda p: p @ _out(A), start, first)


@pagerank.wrong("You began everywhere at once: before the first step the walk is at `person`.")
def begins_anywhere(A, person, alpha, steps):
    first = np.full(len(A), 1 / len(A))
    return _walk(A, person, alpha, steps, lambda p: p @ _out(A), first=first)


@pagerank.wrong("You made one step too few.")
def a_step_too_few(A, person, alpha, steps):
    return pagerank.reference(A, person, alpha, max(steps - 1, 0))


@pagerank.wrong("You made one step too many: with 0 steps the walk is at `person`.")
def a_step_too_many(A, person, alpha, steps):
    return pagerank.reference(A, person, alpha, steps + 1)


@pagerank.wrong(
    "You passed the whole share on to every friend: divide it among them, `p / d`, or there is "
    "more and more of it."
)
def copies_the_share(A, person, alpha, steps):
    back = np.zeros(len(A))
    back[person] = 1
    p = back.copy()
    for _ in range(steps):
        p = alpha * p @ A + (1 - alpha) * back
    return p


@pagerank.wrong(
    "From someone without friends you lost the walk: it goes back to `person`, so the sum stays 1."
)
def loses_who_has_no_friends(A, person, alpha, steps):
    back = np.zeros(len(A))
    back[person] = 1
    p = back.copy()
    for _ in range(steps):
        p = alpha * p @ _out(A) + (1 - alpha) * back
    return p


@pagerank.wrong(
    "You set `person` to 1 - alpha in each step: what arrives from friends is added to it."
)
def overwrites_the_person(A, person, alpha, steps):
    p = np.zeros(len(A))
    p[person] = 1
    for _ in range(steps):
        p = alpha * p @ _out(A)
        p[person] = 1 - alpha
    return p


@pagerank.wrong(
    "You went on to the end, where the walk settles: asked for is where it is after `steps` steps."
)
def solves_for_the_end(A, person, alpha, steps):
    return pagerank.reference(A, person, alpha, 10_000)


@pagerank.wrong(
    "You let the walk stay where it is with the chance 1 - alpha: it goes back to `person`."
)
def stays_where_it_is(A, person, alpha, steps):
    p = np.zeros(len(A))
    p[person] = 1
    for _ in range(steps):
        p = alpha * p @ _out(A) + (1 - alpha) * p
        p[person] += 1 - p.sum()
    return p


@pagerank.wrong(
    "You passed on everything and added the way back on top: only a share alpha goes on, so "
    "multiply what arrives by alpha."
)
def passes_on_everything(A, person, alpha, steps):
    back = np.zeros(len(A))
    back[person] = 1
    p = back.copy()
    for _ in range(steps):
        p = p @ _out(A) + (1 - alpha) * back
    return p


@pagerank.wrong(
    "You gave the mean over all steps: asked for is where the walk is after the last one."
)
def takes_the_mean_of_the_steps(A, person, alpha, steps):
    return np.mean([pagerank.reference(A, person, alpha, t) for t in range(steps + 1)], axis=0)


@pagerank.wrong(
    "You changed p while you still read from it: put what arrives into a new array in each step."
)
def reads_what_it_has_changed(A, person, alpha, steps):
    W = _out(A)
    p = np.zeros(len(A))
    p[person] = 1
    for _ in range(steps):
        for j in range(len(A)):
            p[j] = alpha * (p * W[:, j]).sum()
        p[person] += 1 - p.sum()
    return p


@pagerank.wrong(
    "From someone without friends you sent the walk to anybody: it goes back to `person`."
)
def sends_the_friendless_anywhere(A, person, alpha, steps):
    W = np.where(A.sum(axis=1)[:, None] > 0, _out(A), 1 / len(A))
    back = np.zeros(len(A))
    back[person] = 1
    return _walk(A, person, alpha, steps, lambda p: p @ W, back)


@pagerank.wrong(expects="nan")
def divides_by_no_friends(A, person, alpha, steps):
    back = np.zeros(len(A))
    back[person] = 1
    p = back.copy()
    for _ in range(steps):
        with np.errstate(all="ignore"):
            p = alpha * (p / A.sum(axis=1)) @ A
        p[person] += 1 - p.sum()
    return p


@pagerank.right
def walks_person_by_person(A, person, alpha, steps):
    n = len(A)
    p = [1.0 if i == person else 0.0 for i in range(n)]
    for _ in range(steps):
        arrives = [0.0] * n
        for i in range(n):
            friends = [j for j in range(n) if A[i][j]]
            for j in friends:
                arrives[j] += alpha * p[i] / len(friends)
            arrives[person] += p[i] * (1 - alpha) if friends else p[i]
        p = arrives
    return np.array(p)


@pagerank.right
def reads_friendship_from_the_other_side(A, person, alpha, steps):
    d = A.sum(axis=0)
    start = np.eye(len(A))[person]
    p = start
    for _ in range(steps):
        p = alpha * A @ np.divide(p, d, out=np.zeros(len(A)), where=d > 0)
        p = p + (1 - p.sum()) * start
    return p


@pagerank.right
def lets_the_friendless_stay(A, person, alpha, steps):
    d = A.sum(axis=1, keepdims=True)
    W = np.where(d > 0, A / np.maximum(d, 1), np.eye(len(A)))
    start = np.eye(len(A))[person]
    p = start
    for _ in range(steps):
        p = alpha * W.T @ p + (1 - alpha) * start
    return p


@pagerank.right
def divides_by_the_sum(A, person, alpha, steps):
    back = np.zeros(len(A))
    back[person] = 1
    p = back.copy()
    for _ in range(steps):
        p = alpha * (p / np.maximum(A.sum(axis=1), 1)) @ A + (1 - alpha) * back
        p = p / p.sum()
    return p


@pagerank.right
def takes_powers_of_one_matrix(A, person, alpha, steps):
    A = np.asarray(A, dtype=float)
    d = A.sum(axis=1, keepdims=True)
    M = np.where(d > 0, alpha * A / np.maximum(d, 1), 0.0)
    M[:, person] += 1 - M.sum(axis=1)
    return np.linalg.matrix_power(M, steps)[person]


def _graph(n, pairs):
    A = np.zeros((n, n), dtype=int)
    for i, j in pairs:
        A[i, j] = A[j, i] = 1
    return A


# Six people, one of them without friends; numbers of friends 3, 2, 3, 1, 1, 0.
CIRCLE = _graph(6, [(0, 1), (0, 2), (1, 2), (0, 3), (2, 4)])


@pagerank.wrong("Only the first step was made: `return` stands inside the loop.")
def returns_in_the_loop(A, person, alpha, steps):
    return pagerank.reference(A, person, alpha, min(steps, 1))


@pagerank.wrong(
    "You divided by all friendships of the circle: each person has a number of friends."
)
def divides_by_all_friendships(A, person, alpha, steps):
    return _walk(A, person, alpha, steps, lambda p: p / max(A.sum(), 1) @ A)


@pagerank.check("a small case by hand")
def _(answer):
    got = expect_shape(answer(CIRCLE, 1, 0.6, 2), (6,))
    why = (
        "Person 1 has two friends, 0 and 2. After one step: 0.4 at person 1, 0.3 at each friend. "
        "Friend 0 has three friends, and passes 0.6 x 0.3 / 3 = 0.06 to each."
    )
    expect_close(got, pagerank.reference(CIRCLE, 1, 0.6, 2), why)
    why = "Three steps from person 0, alpha 0.7."
    expect_close(answer(CIRCLE, 0, 0.7, 3), pagerank.reference(CIRCLE, 0, 0.7, 3), why)


@pagerank.check("someone without friends, and no step")
def _(answer):
    got = expect_shape(answer(CIRCLE, 5, 0.8, 3), (6,))
    expect(not np.isnan(got).any(), "It holds nan: person 5 has no friends, so p / d divides by 0.")
    expect_close(got, [0, 0, 0, 0, 0, 1], "Person 5 has no friends: the walk stays there.")
    expect_close(answer(CIRCLE, 4, 0.8, 0), [0, 0, 0, 0, 1, 0], "No step: the walk is at person 4.")


@pagerank.check("random cases")
def _(answer):
    rng = np.random.default_rng(8)
    for n, person, alpha, steps in [
        (7, 2, 0.85, 4),
        (4, 3, 0.3, 1),
        (9, 0, 0.5, 7),
        (1, 0, 0.9, 3),
    ]:
        A = np.triu(rng.random((n, n)) < 0.45, 1)
        A = (A | A.T).astype(rng.choice([int, float]))
        got = expect_shape(answer(A, person, alpha, steps), (n,))
        why = f"{n} people, from {person}, alpha {alpha}, {steps} steps."
        expect_close(got, pagerank.reference(A, person, alpha, steps), why)


def _impressions(rng):
    """Impressions in which each place was swapped, and the first one clicked, at least once."""
    places = rng.integers(1, 5)
    swapped = np.r_[np.arange(places), rng.integers(places, size=rng.integers(40))]
    clicks = rng.random((len(swapped), places)) < rng.uniform(0.1, 0.9, size=places)
    clicks[:places, 0] = True
    order = rng.permutation(len(swapped))
    return clicks[order].astype(int), swapped[order]


@define(
    "scenes.looked",
    notebook=13,
    inputs=_impressions,
    hints=[
        "Take place k. Two articles stood there: in a plain impression (swapped is 0) the one that "
        "belongs there, in an impression with a swap (swapped is k) the first one. Both stood at "
        "place 0 too, in the other kind.",
        "Four rates of clicks: place k and place 0, each in the plain impressions and in those "
        "with swapped equal to k. `clicks[swapped == k, 0].mean()` is one of them.",
        "(rate at k, plain + rate at k, swap) / (rate at 0, plain + rate at 0, swap): both "
        "articles are above and below, so what they are worth cancels.",
    ],
    equivalent={"line 10: 1 -> 0": "at place 0 the ratio is 1 by itself"},
)
def looked(clicks, swapped):
    """Return the chance to be looked at, of each place, relative to place 0.

    clicks: impressions x places, 1 where the article there was clicked, else 0. swapped: for each
    impression, the place whose article changed places with that of place 0; 0 where none did.
    For place k: the rates of clicks there, plain and with swap k, added up, over those at place 0.
    """
    plain = clicks[swapped == 0].mean(axis=0)
    found = np.ones(clicks.shape[1])
    for k in range(1, clicks.shape[1]):
        swap = clicks[swapped == k].mean(axis=0)
        found[k] = (plain[k] + swap[k]) / (plain[0] + swap[0])
    return found


def _rates(clicks, swapped):
    plain = clicks[swapped == 0].mean(axis=0)
    return plain, [clicks[swapped == k].mean(axis=0) for k in range(clicks.shape[1])]


def _by_place(clicks, swapped, rule):
    plain, swap = _rates(clicks, swapped)
    return np.array([1.0] + [rule(plain, swap[k], k) for k in range(1, clicks.shape[1])])


@looked.wrong(
    "You compared the places as they are: then a good article at place 0 looks like a good place. "
    "Use the swaps, where the same two articles stand at both."
)
def compares_the_places(clicks, swapped):
    rate = clicks.mean(axis=0)
    return rate / rate[0]


@looked.wrong(
    "You used the plain impressions alone: there place and article always go together. Add the "
    "rates with swap k."
)
def uses_the_plain_only(clicks, swapped):
    return _by_place(clicks, swapped, lambda plain, swap, k: plain[k] / plain[0])


@looked.wrong(
    "You used the impressions with swap k alone: there the better article is at place k. Add the "
    "plain rates."
)
def uses_the_swaps_only(clicks, swapped):
    return _by_place(clicks, swapped, lambda plain, swap, k: swap[k] / swap[0])


@looked.wrong(
    "You followed one article, the first: at place k with swap, at place 0 without. Right on "
    "average, but the other one has clicks as well: add both, above and below."
)
def follows_the_first_article(clicks, swapped):
    return _by_place(clicks, swapped, lambda plain, swap, k: swap[k] / plain[0])


@looked.wrong(
    "You followed one article, that of place k. Right on average, but the first one has clicks as "
    "well: add both, above and below."
)
def follows_the_other_article(clicks, swapped):
    return _by_place(
        clicks, swapped, lambda plain, swap, k: plain[k] / swap[0] if swap[0] else np.inf
    )


@looked.wrong(
    "You took the mean over all swaps: for place k only those with swapped equal to k count, "
    "since in the others the article of place k stays where it was."
)
def mixes_the_swaps(clicks, swapped):
    rates = clicks[swapped == 0].mean(axis=0)
    if (swapped > 0).any():
        rates = rates + clicks[swapped > 0].mean(axis=0)
    return rates / rates[0]


@looked.wrong(
    "You took the mean of two ratios, one plain and one of the swaps: in each of them two "
    "different articles are compared. Add the rates first, then divide once."
)
def compares_two_articles_twice(clicks, swapped):
    return _by_place(
        clicks,
        swapped,
        lambda plain, swap, k: (plain[k] / plain[0] + (swap[k] / swap[0] if swap[0] else 0)) / 2,
    )


@looked.wrong(
    "You left the swaps in the plain rates: plain are the impressions with `swapped == 0` alone."
)
def leaves_the_swaps_in_the_plain(clicks, swapped):
    every = clicks.mean(axis=0)
    return _by_place(
        clicks, swapped, lambda plain, swap, k: (every[k] + swap[k]) / (every[0] + swap[0])
    )


@looked.wrong("You left 0 for place 0: relative to itself it has 1.")
def leaves_zero_for_the_first(clicks, swapped):
    found = looked.reference(clicks, swapped)
    found[0] = 0
    return found


@looked.wrong(
    "You took every impression without swap k as plain: in those with another swap a third article "
    "is at place 0. Plain is `swapped == 0`."
)
def takes_other_swaps_as_plain(clicks, swapped):
    found = [1.0]
    for k in range(1, clicks.shape[1]):
        plain = clicks[swapped != k].mean(axis=0)
        swap = clicks[swapped == k].mean(axis=0)
        found.append((plain[k] + swap[k]) / (plain[0] + swap[0]))
    return np.array(found)


@looked.wrong(
    "You added up clicks: there are more plain impressions than swaps, so take the rate of each "
    "kind first."
)
def adds_up_clicks(clicks, swapped):
    found = [1.0]
    for k in range(1, clicks.shape[1]):
        part = clicks[(swapped == 0) | (swapped == k)].sum(axis=0)
        found.append(part[k] / part[0])
    return np.array(found)


@looked.wrong("You turned the ratio over: place k above, place 0 below.")
def turns_it_over(clicks, swapped):
    return _by_place(
        clicks,
        swapped,
        lambda plain, swap, k: (plain[0] + swap[0]) / max(plain[k] + swap[k], 1e-12),
    )


@looked.wrong(
    "You took the mean of two ratios, one for each article: add the rates first, then divide once. "
    "A ratio with few clicks below is wild."
)
def takes_the_mean_of_two_ratios(clicks, swapped):
    return _by_place(
        clicks,
        swapped,
        lambda plain, swap, k: (swap[k] / plain[0] + (plain[k] / swap[0] if swap[0] else 0)) / 2,
    )


@looked.wrong("You left out place 0: it is looked at as often as itself, so its entry is 1.")
def leaves_out_the_first_place(clicks, swapped):
    return looked.reference(clicks, swapped)[1:]


@looked.wrong("You gave place 0 its rate of clicks: relative to itself it has 1.")
def gives_the_first_its_rate(clicks, swapped):
    found = looked.reference(clicks, swapped)
    found[0] = clicks[:, 0].mean()
    return found


@looked.wrong("You gave shares that add up to 1: each place is compared with place 0.")
def gives_shares(clicks, swapped):
    found = looked.reference(clicks, swapped)
    return found / found.sum()


@looked.wrong(
    "You gave the rate of clicks at each place, plain and with its swap: divide it by that of "
    "place 0 in the same impressions."
)
def forgets_to_compare(clicks, swapped):
    return _by_place(clicks, swapped, lambda plain, swap, k: plain[k] + swap[k])


@looked.wrong("You let no place be above 1: an estimate may be. Cut off, it is too low on average.")
def clips_at_one_place(clicks, swapped):
    return np.minimum(looked.reference(clicks, swapped), 1)


@looked.wrong("You multiplied the two rates: add them.")
def multiplies_the_rates(clicks, swapped):
    return _by_place(
        clicks,
        swapped,
        lambda plain, swap, k: plain[k] * swap[k] / max(plain[0] * swap[0], 1e-12),
    )


@looked.right
def counts_in_a_loop(clicks, swapped):
    places = len(clicks[0])
    found = [1.0]
    for k in range(1, places):
        rates = []
        for place in (k, 0):
            total = 0.0
            for kind in (0, k):
                of_kind = [row[place] for row, s in zip(clicks, swapped, strict=True) if s == kind]
                total += sum(map(float, of_kind)) / len(of_kind)
            rates.append(total)
        found.append(rates[0] / rates[1])
    return np.array(found)


@looked.right
def groups_with_pandas(clicks, swapped):
    import pandas as pd

    rate = pd.DataFrame(clicks).astype(float).groupby(np.asarray(swapped)).mean()
    k = np.arange(1, clicks.shape[1])
    above = rate.loc[0].to_numpy()[k] + rate.to_numpy()[k, k]
    return np.r_[1.0, above / (rate.loc[0, 0] + rate.to_numpy()[k, 0])]


def _clicks(swapped, shares, rng):
    return (rng.random((len(swapped), len(shares))) < shares).astype(int)


# Three places. Plain: 5 impressions; swap 1: 2; swap 2: 4.
SWAPPED = np.array([0, 1, 0, 2, 0, 2, 0, 1, 2, 0, 2])
CLICKS = np.array(
    [
        [1, 0, 0],
        [1, 0, 1],
        [1, 1, 0],
        [0, 1, 1],
        [0, 0, 1],
        [1, 0, 0],
        [1, 1, 0],
        [0, 1, 0],
        [0, 1, 1],
        [1, 0, 0],
        [0, 0, 1],
    ]
)


@looked.wrong("Division comes before addition: put brackets around both sums.")
def forgets_the_brackets(clicks, swapped):
    with np.errstate(all="ignore"):
        return _by_place(
            clicks, swapped, lambda plain, swap, k: plain[k] + swap[k] / plain[0] + swap[0]
        )


@looked.wrong("Only place 1 was computed: `return` stands inside the loop.")
def returns_after_place_one(clicks, swapped):
    found = looked.reference(clicks, swapped)
    found[2:] = 1
    return found


@looked.wrong("You left out the last place: `range(1, clicks.shape[1])` reaches it.")
def leaves_out_the_last_place(clicks, swapped):
    found = looked.reference(clicks, swapped)
    found[-1] = 1
    return found


@looked.wrong(
    "You followed each article apart: above stand the rates at place k, below those at place 0, "
    "in both kinds of impressions."
)
def exchanges_the_places_in_the_swap(clicks, swapped):
    with np.errstate(all="ignore"):
        return _by_place(
            clicks,
            swapped,
            lambda plain, swap, k: (plain[k] + swap[0]) / (plain[0] + swap[k]),
        )


@looked.wrong("You added imaginary clicks: take the rates as they are.")
def adds_imaginary_clicks(clicks, swapped):
    def rate(k):
        return (clicks[swapped == k].sum(axis=0) + 1) / ((swapped == k).sum() + 2)

    places = range(1, clicks.shape[1])
    return np.array([1.0] + [(rate(0)[k] + rate(k)[k]) / (rate(0)[0] + rate(k)[0]) for k in places])


@looked.wrong("You wrote the number of places as a number: it is `clicks.shape[1]`.")
def has_three_places(clicks, swapped):
    found = np.ones(3)
    known = looked.reference(clicks, swapped)[:3]
    found[: len(known)] = known
    return found


@looked.check("a small case by hand")
def _(answer):
    got = expect_shape(answer(CLICKS, SWAPPED), (3,))
    why = (
        "Plain: 4 of 5 clicks at place 0, 2 of 5 at place 1, 1 of 5 at place 2. Swap 1: 1 of 2 at "
        "places 0 and 1. So place 1 has (2/5 + 1/2) / (4/5 + 1/2) = 0.692."
    )
    expect_close(got, looked.reference(CLICKS, SWAPPED), why)


@looked.check("random cases")
def _(answer):
    rng = np.random.default_rng(6)
    for size, shares in [(60, [0.6, 0.5]), (400, [0.5, 0.7, 0.3, 0.2]), (150, [0.9, 0.2, 0.4])]:
        swapped = rng.integers(len(shares), size=size) * (rng.random(size) < 0.6)
        swapped[: len(shares)] = range(len(shares))
        clicks = _clicks(swapped, shares, rng)
        clicks[: len(shares)] = 1
        clicks = clicks.astype(bool) if size == 150 else clicks
        got = expect_shape(answer(clicks, swapped), (len(shares),))
        why = f"{size} impressions, {len(shares)} places."
        expect_close(got, looked.reference(clicks, swapped), why)


@looked.check("one place, and a place without clicks")
def _(answer):
    got = expect_shape(answer(np.array([[1], [0]]), np.array([0, 0])), (1,))
    expect_close(got, [1], "One place: it is looked at as often as itself.")
    clicks = np.array([[1, 0], [1, 0], [0, 0], [1, 0], [1, 0]])
    why = "Nobody clicked at place 1: it has 0."
    expect_close(answer(clicks, np.array([0, 1, 0, 1, 0])), [1, 0], why)


define_quiz(
    "scenes.recap",
    notebook=13,
    questions=[
        Choice(
            "scenes.q_bag",
            "A bookshop lists, beside each novel, what its buyers bought most often. The same "
            "cookery book stands beside every novel. What is the most likely reason?",
            right="it is in many baskets, whatever else is in them",
            because="A count of common baskets rewards what everyone buys, like the carrier bag. "
            "Divide by what chance would give.",
            wrong={
                "readers of novels like to cook": "It would explain one list. Beside *every* novel "
                "stands what goes with nothing in particular; compare with chance first.",
                "the shop has too few baskets": "With too few baskets the *lift* goes wild. A "
                "count "
                "stays wrong with any number of them: in the lesson it was no better at 20,000.",
                "the prior is too large": "A count has no prior. And a large prior pulls towards "
                "the count; it does not explain it.",
            },
            answer="'it is in many baskets, whatever else is in them' "
            "if shares['count'].mean(axis=1)[-1] < 0.6 else ''",
        ),
        Choice(
            "scenes.q_small",
            "A new shop has 1,000 baskets. Its list 'goes well with' is full of things that were "
            "sold once or twice. Which change helps most?",
            right="add a few baskets to the expected number",
            because="Next to nothing was expected of a rare pair, so one basket looks like a "
            "wonder. A prior asks for more than one.",
            wrong={
                "wait for twenty times as many baskets": "That cures the lift too, in the end. "
                "With the prior the shop of the lesson was nearly right at 1,000.",
                "use counts instead": "Then the rare things go, and the carrier bags come.",
                "take the logarithm of the lift": "PMI has the same order as the lift, so the same "
                "list.",
            },
            answer="'add a few baskets to the expected number' if shares['lift, prior "
            "2'][1].mean() "
            "> max(shares['lift'][1].mean(), shares['count'][1].mean()) + 0.3 else ''",
        ),
        Choice(
            "scenes.q_again",
            "A grocer tests a recommender on each customer's next basket, and filters out what "
            "the customer had before. Recall falls from 0.72 to 0.07. What happened?",
            right="most of the next basket was bought before",
            because="The filter comes from films, which are seen once. Here four of five things in "
            "the next basket are bought again.",
            wrong={
                "the model had memorised the past": "It had, and for this question memory is the "
                "right answer: the same things are bought again.",
                "the filter shows the model's true quality": "It shows the quality for another "
                "question, *what is new to me?* Judge the two apart.",
                "the test leaks": "What was bought before is known on the day. That is no leak.",
            },
            answer="'most of the next basket was bought before' if again > 0.5 else ''",
        ),
        Choice(
            "scenes.q_friends",
            "In a company's network, people get to know each other through common acquaintances. "
            "A team replaces *common friends* by a walk of many steps. What do you expect?",
            right="about the same recall, or a little less",
            because="Where friends introduce friends, two steps hold nearly all there is to know. "
            "The longer walk was ahead only where circles alone made friends.",
            wrong={
                "a much higher recall": "More steps see more people, but not more of those who "
                "will meet: these have a common friend already.",
                "recall like that of *most friends*": "A walk that goes back to its start stays "
                "near it. It forgets the start only without the way back.",
                "recall like chance": "The walk still prefers friends of friends.",
            },
            answer="'about the same recall, or a little less' if -0.04 < (results['friends "
            "introduce friends']['PageRank, 0.85'] - results['friends introduce friends']"
            "['common friends']).mean() < 0 else ''",
        ),
        Number(
            "scenes.q_place",
            "Article X has 30 clicks in 100 showings at place 0. Article Y has 24 clicks in 200 "
            "showings at place 4. Place 4 is looked at 0.25 times as often as place 0. How many "
            "clicks per look does Y have?",
            right=0.48,
            because="200 showings are 50 looks, and 24 / 50 = 0.48. Y is wanted more than X.",
            wrong={
                0.12: "That is clicks per showing. Most showings at place 4 were not looked at.",
                0.03: "You multiplied by 0.25: a look is rarer than a showing, so clicks per look "
                "are more than clicks per showing.",
                0.3: "That is X, which stood at place 0.",
                "else": "Count the looks first: 200 showings times 0.25. Then divide the clicks.",
            },
            tolerance=0.005,
            answer="24 / (200 * 0.25)",
        ),
        Choice(
            "scenes.q_narrow",
            "A feed's click rate rises each month. The number of topics that a reader sees falls "
            "from six to one. The team says: 'Our readers have become specialists.' What is true?",
            right="the log cannot tell: the feed stopped asking",
            because="In the lesson the same happened to readers whose taste never changed. What "
            "was not shown could not be clicked.",
            wrong={
                "yes: they click what they like": "They click what they are shown. A topic that is "
                "not shown gets no clicks, wanted or not.",
                "no: readers never change": "They may. The log cannot say, because the feed "
                "decides what is in it.",
                "no: the click rate must be wrong": "The rate is right, and it rises. It does not "
                "see what was not shown.",
            },
            answer="'the log cannot tell: the feed stopped asking' if topics_seen[0.0][-1] < 2 "
            "else ''",
        ),
    ],
)
