"""The exercises of notebook 02, SVD: fit one pattern, count patterns, centre, fold a user in."""

import numpy as np

from .engine import define, expect, expect_close, expect_equal, expect_shape, expect_type
from .questions import Choice, Number, define_quiz


@define(
    "svd.best_items",
    notebook=2,
    hints=[
        "Each item is a problem of its own: find the one number v_j for which u · v_j is closest "
        "to the item's column of R.",
        "Set the derivative of the squared error by v_j to zero: sum_i u_i (R_ij - u_i v_j) = 0.",
        "For one item: `R[:, j] @ u / (u @ u)`. For all of them at once: `R.T @ u / (u @ u)`.",
    ],
)
def best_items(R, u):
    """Return the array v, one number an item, for which np.outer(u, v) is closest to R.

    R: users x items array; u: one number a user, not all of them 0.
    """
    return R.T @ u / (u @ u)


@best_items.wrong(
    "You did not divide by u · u: double all of u, and v must halve so that the product stays."
)
def forgets_to_divide(R, u):
    return R.T @ u


@best_items.wrong(
    "You divided by the length of u; least squares divides by its square, u · u (set the "
    "derivative of the error to zero)."
)
def divides_by_the_length(R, u):
    return R.T @ u / np.linalg.norm(u)


@best_items.wrong("You took the plain mean over the users: each counts as much as its number u_i.")
def ignores_u(R, u):
    return R.mean(axis=0) / u.mean()


@best_items.wrong("You divided by the sum of u: it is the sum of its squares that is needed.")
def divides_by_the_sum(R, u):
    return R.T @ u / u.sum()


@best_items.wrong(
    "You averaged the ratios R_ij / u_i: least squares weighs a user by u_i, so that a small u_i "
    "counts little."
)
def averages_the_ratios(R, u):
    return (R / u[:, None]).mean(axis=0)


@best_items.wrong(
    "A user whose number is 0 gives NaN, since you divide by u_i: u_i² times R_ij / u_i is "
    "u_i times R_ij."
)
def weighs_the_ratios(R, u):
    return (u[:, None] ** 2 * (R / u[:, None])).sum(axis=0) / (u @ u)


@best_items.wrong("You squared the sum of u: it is the sum of the squares that is needed, u @ u.")
def squares_the_sum(R, u):
    return R.T @ u / u.sum() ** 2


@best_items.wrong("You divided by the number of users: it is u · u that is needed, u @ u.")
def divides_by_the_count(R, u):
    return R.T @ u / len(u)


@best_items.wrong("You took a mean over the users where the sum is needed: drop the mean.")
def takes_a_mean(R, u):
    return (R * u[:, None]).mean(axis=0) / (u @ u)


@best_items.right
def by_numpys_least_squares(R, u):
    return np.linalg.lstsq(u[:, None].astype(float), R, rcond=None)[0][0]


@best_items.right
def one_item_after_the_other(R, u):
    return np.array([np.dot(u, R[:, j]) / np.dot(u, u) for j in range(R.shape[1])])


@best_items.wrong(expects="It raised ValueError")
def multiplies_from_the_wrong_side(R, u):
    return R @ u / (u @ u)


@best_items.wrong("You divided by the squared number of users: it is u · u that is needed, u @ u.")
def divides_by_the_squared_count(R, u):
    return R.T @ u / len(u) ** 2


@best_items.wrong("You took the median of the ratios: least squares is R.T @ u / (u @ u).")
def takes_the_median_of_ratios(R, u):
    return np.median(R / u[:, None], axis=0)


@best_items.wrong("You multiplied out u v': return v alone, one number an item.")
def multiplies_out(R, u):
    return np.outer(u, R.T @ u / (u @ u))


@best_items.wrong("You added up over the items: v has one number an item, so add over the users.")
def adds_over_the_items(R, u):
    return (R * u[:, None]).sum(axis=1) / (u @ u)


@best_items.wrong("You added 1 to u · u: here nothing keeps v small, so divide by u @ u alone.")
def adds_a_penalty(R, u):
    return R.T @ u / (u @ u + 1)


@best_items.wrong("You let the SVD choose u: here u is given, and only v is looked for.")
def takes_the_svd(R, u):
    _, sigma, right = np.linalg.svd(R, full_matrices=False)
    return sigma[0] * right[0]


@best_items.check("an array comes back, one number an item")
def _(answer):
    expect_shape(answer(np.ones((2, 3)), np.array([1.0, 2.0])), (3,))


@best_items.check("a small case by hand")
def _(answer):
    R = np.array([[5.0, 4.0, 6.0, 10.0], [1.0, 6.0, -4.0, 11.0]])
    expect_close(
        answer(R, np.array([2.0, 3.0])),
        [1, 2, 0, 53 / 13],
        "For the first item: (2 x 5 + 3 x 1) / (2 x 2 + 3 x 3) = 1.",
    )


@best_items.check("random cases")
def _(answer):
    rng = np.random.default_rng(2)
    for m, n in [(3, 5), (6, 2), (4, 4)]:
        R, u = rng.normal(size=(m, n)), rng.normal(size=m)
        # Another road to the same least squares: numpy's own solver.
        expect_close(answer(R, u), np.linalg.lstsq(u[:, None], R, rcond=None)[0][0], tol=1e-8)


@best_items.check("edge cases")
def _(answer):
    R = np.array([[7, 3], [1, 5], [2, 0]])
    expect_close(
        answer(R, np.array([0.0, 2.0, 1.0])),
        [4 / 5, 2],
        "A user whose number is 0 has no say: (2 x 1 + 1 x 2) / (4 + 1) = 0.8.",
    )
    expect_close(answer(np.array([[6.0, -4.0, 3.0]]), np.array([-2.0])), [-3, 2, -1.5], "One user.")
    expect_close(answer(np.array([[4.0], [1.0]]), np.array([1.0, 3.0])), [0.7], "One item.")
    expect_close(
        answer(R, np.array([3, -1, 2])), [24 / 14, 4 / 14], "Whole numbers: (21 - 1 + 4) / 14."
    )


@define(
    "svd.rank_for",
    notebook=2,
    hints=[
        "The squared size of R is the sum of all squared singular values; the best fit of rank k "
        "keeps the first k of them.",
        "`np.cumsum(sigma**2) / np.sum(sigma**2)` is the share kept by 1, 2, 3, ... factors.",
        "Find the first place where the share is reached: `np.argmax(kept >= share)` is its "
        "position, counted from 0. Let 1e-12 less pass, for the rounding.",
    ],
    equivalent={
        "line 7: kept >= share - 1e-12 -> kept > share - 1e-12": "the margin is no exact value",
    },
)
def rank_for(sigma, share):
    """Return the smallest k (an int) whose fit keeps `share` of the squared size of R.

    sigma: all singular values, largest first; share: above 0, at most 1 (let 1e-12 less pass).
    """
    kept = np.cumsum(sigma**2) / np.sum(sigma**2)
    return int(np.argmax(kept >= share - 1e-12)) + 1


@rank_for.wrong("You added singular values: Eckart and Young add their squares.")
def forgets_the_square(sigma, share):
    kept = np.cumsum(sigma) / np.sum(sigma)
    return int(np.argmax(kept >= share - 1e-12)) + 1


@rank_for.wrong("You returned a position, counted from 0: a fit that keeps one factor has k = 1.")
def counts_from_zero(sigma, share):
    return rank_for.reference(sigma, share) - 1


@rank_for.wrong("You went one factor too far: stop at the first k that reaches the share.")
def one_too_many(sigma, share):
    return rank_for.reference(sigma, share) + 1


@rank_for.wrong(
    "You counted the values above a share of the largest: add up their squares instead, from the "
    "first on, until the share is reached."
)
def compares_each_with_the_largest(sigma, share):
    return int(np.sum(sigma >= share * sigma[0]))


@rank_for.wrong("You took the share of the number of factors: add up the squares instead.")
def takes_a_share_of_the_number(sigma, share):
    return int(np.ceil(share * len(sigma)))


@rank_for.wrong("You squared the running sums: square each singular value first, then add up.")
def squares_the_sums(sigma, share):
    kept = np.cumsum(sigma) ** 2 / np.sum(sigma) ** 2
    return int(np.argmax(kept >= share - 1e-12)) + 1


@rank_for.wrong(
    "Rounding: all of it can come out as 0.9999999999999999. Let 1e-12 less pass: compare with "
    "`share - 1e-12`."
)
def forgets_the_rounding(sigma, share):
    kept = np.cumsum(sigma**2) / np.sum(sigma**2)
    return int(np.argmax(kept >= share)) + 1


@rank_for.wrong("You compared a sum with a share: divide it by the sum of all squares first.")
def forgets_to_divide_by_all(sigma, share):
    return int(np.argmax(np.cumsum(sigma**2) >= share)) + 1


@rank_for.wrong("The share is one of the squared size already: do not take its root.")
def takes_the_root_of_the_share(sigma, share):
    return rank_for.reference(sigma, np.sqrt(share))


@rank_for.wrong("Reached is enough: compare with >=, not with >.")
def wants_more_than_the_share(sigma, share):
    kept = np.cumsum(sigma**2) / np.sum(sigma**2)
    return min(int(np.sum(kept <= share)) + 1, len(sigma))


@rank_for.wrong(
    "Your tolerance is too wide: your k keeps less than the share. Let 1e-12 less pass, no more."
)
def lets_too_much_pass(sigma, share):
    kept = np.cumsum(sigma**2) / np.sum(sigma**2)
    return int(np.argmax(kept >= share - 1e-3)) + 1


@rank_for.wrong(
    "You compared what each factor keeps alone: add the squares up first, with np.cumsum."
)
def compares_each_alone(sigma, share):
    return int(np.argmax(sigma**2 / np.sum(sigma**2) >= share - 1e-12)) + 1


@rank_for.wrong(expects="It returned None")
def loops_without_the_margin(sigma, share):
    kept = 0.0
    for k, one in enumerate(sigma, start=1):
        kept += one**2 / np.sum(sigma**2)
        if kept >= share:
            return k


@rank_for.right
def by_a_loop(sigma, share):
    total, kept = sum(one**2 for one in sigma), 0.0
    for k, one in enumerate(sigma, start=1):
        kept += one**2
        if kept >= (share - 1e-12) * total:
            return k
    return len(sigma)


@rank_for.right
def by_searchsorted(sigma, share):
    kept = np.cumsum(sigma**2) / np.sum(sigma**2)
    return int(np.searchsorted(kept, share - 1e-12)) + 1


# Each slip gives another k here.
SIGMA = np.array([0.8, 0.8, 0.8, 0.6, 0.5, 0.3, 0.2, 0.2, 0.1, 0.1])


@rank_for.wrong("You took the k whose share is nearest: it has to reach the share.")
def takes_the_nearest(sigma, share):
    kept = np.cumsum(sigma**2) / np.sum(sigma**2)
    return int(np.argmin(np.abs(kept - share))) + 1


@rank_for.wrong("You looked for exactly this share: ask where it is reached, `kept >= share`.")
def looks_for_the_very_share(sigma, share):
    kept = np.cumsum(sigma**2) / np.sum(sigma**2)
    return int(np.argmax(np.isclose(kept, share))) + 1


@rank_for.wrong("You began with the smallest: a fit of rank k keeps the k largest.")
def begins_with_the_smallest(sigma, share):
    return rank_for.reference(sigma[::-1], share)


@rank_for.wrong("You took the root of what is kept: a share is of the squared size already.")
def takes_the_root_of_what_is_kept(sigma, share):
    return rank_for.reference(sigma, share**2)


@rank_for.wrong(
    "You compared with what may be lost, 1 - share: compare what is kept with the share."
)
def compares_with_the_rest(sigma, share):
    return rank_for.reference(sigma, max(1 - share, 1e-9))


@rank_for.wrong("You counted the k that reach the share: return the first of them.")
def counts_those_that_reach(sigma, share):
    kept = np.cumsum(sigma**2) / np.sum(sigma**2)
    return int((kept >= share - 1e-12).sum())


@rank_for.check("a whole number comes back")
def _(answer):
    expect_type(answer(SIGMA, 0.93), (int, np.integer), "an int")


@rank_for.check("a small case by hand")
def _(answer):
    expect_equal(
        answer(SIGMA, 0.93),
        5,
        "The squares add up to 2.72: four keep 2.28 of it, which is 0.838, five 2.53, 0.9301.",
    )
    sigma = np.array([3.0, 2.0, 2.0, 1.0])
    expect_equal(answer(sigma, 0.49), 1, "The squares are 9, 4, 4, 1 of 18: one keeps a half.")
    expect_equal(answer(sigma, 0.7), 2, "The squares are 9, 4, 4, 1 of 18: two keep 13/18 = 0.72.")
    expect_equal(answer(sigma, 0.8), 3, "The squares are 9, 4, 4, 1 of 18: three keep 17/18.")


@rank_for.check("random cases")
def _(answer):
    rng = np.random.default_rng(3)
    for n in (5, 12, 40):
        R = rng.normal(size=(n, n + 3))
        sigma = np.linalg.svd(R, compute_uv=False)
        for share in (0.2, 0.5, 0.9):
            k = answer(sigma, share)
            left = [np.sum(sigma[j:] ** 2) / np.sum(R**2) for j in (k - 1, k)]
            expect(
                0 < k <= n and left[1] <= 1 - share < left[0],
                f"k = {k} is not the smallest that keeps {share}: check k = {k - 1} and {k + 1}.",
            )


@rank_for.check("shares close to a step")
def _(answer):
    rng = np.random.default_rng(4)
    for n in (3, 9):
        sigma = np.sort(rng.uniform(0.5, 4, n))[::-1]
        kept = np.cumsum(sigma**2) / np.sum(sigma**2)
        for k in range(1, n, 2):
            for step, wanted in ((-1e-6, k), (1e-6, k + 1)):
                expect_equal(
                    answer(sigma, kept[k - 1] + step),
                    wanted,
                    f"{k} of {n} factors keep {kept[k - 1]:.7f}; asked for {step:+.0e} more.",
                )


@rank_for.check("edge cases")
def _(answer):
    expect_equal(answer(np.array([4.0, 3.0]), 0.64), 1, "16 of 25 is 0.64: reached is enough.")
    hundred = np.array([7, 5, 4, 3, 1])  # whole numbers, whose squares add up to 100
    for k, share in enumerate((0.49, 0.74, 0.90, 0.99, 1.0), start=1):
        expect_equal(answer(hundred, share), k, f"{k} of them keep {share} of it: that is enough.")
    expect_equal(answer(np.array([4.0, 3.0, 0.0]), 1.0), 2, "A value of 0 adds nothing.")
    expect_equal(answer(np.array([6.0]), 1.0), 1, "One factor is all there is.")
    rng, short = np.random.default_rng(3), 0
    while short < 5:  # added one by one, these squares fall short of their sum by a rounding error
        sigma = np.sort(rng.uniform(0.5, 3, rng.integers(5, 40)))[::-1]
        if np.cumsum(sigma**2)[-1] < np.sum(sigma**2):
            short += 1
            why = "All of it takes all factors, whatever the rounding."
            expect_equal(answer(sigma, 1.0), len(sigma), why)


@define(
    "svd.centre",
    notebook=2,
    hints=[
        "A mean over the known ratings only: their sum divided by their number, row by row.",
        "`known` is a mask of True and False: `(R * known).sum(axis=1, keepdims=True)` adds up "
        "what is known, `known.sum(axis=1, keepdims=True)` counts it.",
        "`np.where(known, R - mean, 0.0)` subtracts where something is known. A row without "
        "ratings has nothing to divide by: divide by `np.maximum(count, 1)`.",
    ],
    equivalent={
        "line 7: 1 -> 0": "0/0 only where nothing is known, and that is replaced by 0",
        "line 7: np.maximum(known.sum(axis=1, keepdims=True), 1) -> "
        "np.maximum(1, known.sum(axis=1, keepdims=True))": "the order does not matter",
    },
)
def centre(R, known):
    """Return R with each row's mean of known ratings subtracted, and 0.0 where none is known.

    R: users x items array; known: same shape, True where a rating is known. A row without any
    known rating becomes zeros.
    """
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    mean = (R * known).sum(axis=1, keepdims=True) / count
    return np.where(known, R - mean, 0.0)


@centre.wrong(
    "Your mean counts the missing ratings as zeros: divide by the number of known ratings."
)
def counts_the_missing(R, known):
    return np.where(known, R - (R * known).mean(axis=1, keepdims=True), 0.0)


@centre.wrong(
    "You subtracted from the missing cells too: they hold nothing. After centring, 0 means "
    "'as usual for this user'."
)
def subtracts_everywhere(R, known):
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    return R * known - (R * known).sum(axis=1, keepdims=True) / count


@centre.wrong("You centred the columns: this exercise is about the rows, one mean a user.")
def centres_columns(R, known):
    return centre.reference(R.T, known.T).T


@centre.wrong("You subtracted one mean from all: each user has a mean of their own.")
def takes_the_overall_mean(R, known):
    return np.where(known, R - (R * known).sum() / max(known.sum(), 1), 0.0)


@centre.wrong("You filled the gaps with the mean but did not subtract it from what is known.")
def fills_only(R, known):
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.where(known, R, (R * known).sum(axis=1, keepdims=True) / count)


@centre.wrong(
    "You took the mean over all cells and subtracted it from all: use `known`, for the mean and "
    "for the cells that change."
)
def forgets_known(R, known):
    return R - R.mean(axis=1, keepdims=True)


@centre.wrong(
    "Your sum runs over all cells: add up `R * known`; what lies in the others must not matter."
)
def adds_up_all_cells(R, known):
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.where(known, R - R.sum(axis=1, keepdims=True) / count, 0.0)


@centre.wrong("Use `known`, not R > 0: what lies in the other cells must not matter.")
def guesses_what_is_known(R, known):
    return centre.reference(R, R > 0)


@centre.wrong("Where no rating is known you left what lay there: put 0.0 into these cells.")
def leaves_what_is_not_known(R, known):
    return np.where(known, centre.reference(R, known), R)


@centre.wrong(
    "A known rating of 0 is a rating: count with `known`, not what differs from 0.",
)
def takes_a_known_zero_for_missing(R, known):
    count = np.maximum(np.count_nonzero(R * known, axis=1, keepdims=True), 1)
    return np.where(known, R - (R * known).sum(axis=1, keepdims=True) / count, 0.0)


@centre.wrong(
    "Your result holds whole numbers only: `np.zeros_like` and `.copy()` keep the type of a table "
    "of whole numbers, and what stands behind the point is cut off. Make it float first."
)
def keeps_whole_numbers(R, known):
    centred = np.zeros_like(R)
    centred[known] = centre.reference(R, known)[known]
    return centred


@centre.wrong("You divided by the number of all known ratings: each user has a count of their own.")
def divides_by_all_known(R, known):
    mean = (R * known).sum(axis=1, keepdims=True) / max(known.sum(), 1)
    return np.where(known, R - mean, 0.0)


@centre.wrong("You added the mean: subtract it.")
def adds_the_mean(R, known):
    return np.where(known, 2 * R - centre.reference(R, known), 0.0)


@centre.right
def row_by_row(R, known):
    centred = np.zeros(R.shape)
    for i in range(len(R)):
        if known[i].any():
            centred[i, known[i]] = R[i, known[i]] - R[i, known[i]].mean()
    return centred


@centre.right
def by_a_masked_array(R, known):
    masked = np.ma.masked_array(R.astype(float), ~known)
    return (masked - masked.mean(axis=1, keepdims=True)).filled(0.0)


@centre.wrong("You subtracted the median: asked for is the mean of the known ratings.")
def takes_the_median(R, known):
    rows = [np.median(r[k]) if k.any() else 0 for r, k in zip(R, known, strict=True)]
    return np.where(known, R - np.array(rows)[:, None], 0.0)


@centre.wrong("You divided by the spread as well: only subtract the mean.")
def divides_by_the_spread(R, known):
    centred = centre.reference(R, known)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    spread = np.sqrt((centred**2).sum(axis=1, keepdims=True) / count)
    return centred / np.where(spread > 0, spread, 1)


@centre.wrong("You centred the columns as well: one mean a user is enough.")
def centres_both(R, known):
    centred = centre.reference(R, known)
    return centre.reference(centred.T, known.T).T


@centre.wrong("You divided by one less than the number of known ratings: a mean divides by all.")
def divides_by_one_less(R, known):
    mean = (R * known).sum(axis=1, keepdims=True)
    count = np.maximum(known.sum(axis=1, keepdims=True) - 1, 1)
    return np.where(known, R - mean / count, 0.0)


@centre.wrong("You subtracted the sum: divide it by the number of known ratings first.")
def subtracts_the_sum(R, known):
    return np.where(known, R - (R * known).sum(axis=1, keepdims=True), 0.0)


@centre.wrong("You rounded the mean: keep all its digits.")
def rounds_the_mean(R, known):
    mean = (R * known).sum(axis=1, keepdims=True) / np.maximum(known.sum(1, keepdims=True), 1)
    return np.where(known, R - mean.round(1), 0.0)


@centre.wrong("You returned the means: subtract them from what is known.")
def returns_the_means(R, known):
    return np.where(known, R - centre.reference(R, known), 0.0)


@centre.check("an array of the same shape comes back")
def _(answer):
    expect_shape(answer(np.ones((2, 3)), np.ones((2, 3), bool)), (2, 3))


@centre.check("a small case by hand")
def _(answer):
    R = np.array([[5.0, 0.0, 1.0, 7.0, 0.0], [2.0, 4.0, 0.0, 16.0, 6.0]])
    known = np.array([[1, 1, 1, 0, 0], [1, 1, 0, 1, 1]], bool)
    expect_close(
        answer(R, known),
        [[3, -2, -1, 0, 0], [-5, -3, 0, 9, -1]],
        "The means of what is known are (5 + 0 + 1)/3 = 2 and (2 + 4 + 16 + 6)/4 = 7.",
    )


@centre.check("random cases")
def _(answer):
    rng = np.random.default_rng(4)
    for m, n in [(3, 6), (5, 4)]:
        R, known = rng.normal(size=(m, n)), rng.random((m, n)) < 0.6
        # Whatever lies in the cells that are not known must not matter.
        masked = np.ma.masked_array(R, ~known)
        wanted = (masked - masked.mean(axis=1, keepdims=True)).filled(0.0)
        expect_close(answer(R, known), wanted)


@centre.check("edge cases")
def _(answer):
    nobody = np.zeros((2, 3), bool)
    expect_close(
        answer(np.full((2, 3), 4.0), nobody), np.zeros((2, 3)), "A user without ratings gets zeros."
    )
    one = np.array([[4.0, 0.0]])
    expect_close(answer(one, one > 0), [[0, 0]], "A single rating is its own mean.")
    some = np.array([[4.0, 9.0, 1.0], [3.0, -5.0, 8.0], [6.0, 2.0, 0.0]])
    known = np.array([[0, 0, 0], [1, 1, 0], [1, 1, 1]], bool)
    expect_close(
        answer(some, known),
        [[0, 0, 0], [4, -4, 0], [10 / 3, -2 / 3, -8 / 3]],
        "The means are none, (3 - 5)/2 = -1 and (6 + 2 + 0)/3.",
    )
    whole = np.array([[1, 2, 5, 4], [0, 3, 3, 0]])
    known = np.array([[1, 1, 0, 0], [1, 1, 1, 1]], bool)
    expect_close(
        answer(whole, known),
        [[-0.5, 0.5, 0, 0], [-1.5, 1.5, 1.5, -1.5]],
        "A table of whole numbers: both means are 1.5.",
    )
    column = np.array([[3.0], [5.0], [2.0]])
    expect_close(answer(column, np.ones((3, 1), bool)), np.zeros((3, 1)), "One item.")


@define(
    "svd.fold_in",
    notebook=2,
    hints=[
        "V stays as it is. You look for the k numbers u for which u @ V.T is closest to the row r: "
        "least squares, with one unknown a factor.",
        "The normal equations are V.T @ V @ u = V.T @ r.",
        "`np.linalg.solve(V.T @ V, V.T @ r)`: or, if you prefer, `np.linalg.lstsq(V, r)[0]`.",
    ],
)
def fold_in(r, V):
    """Return the k factors u of a new user for which u @ V.T is closest to their row r.

    r: 1-d array, 1.0 for seen and 0.0 for not seen; V: items x k.
    """
    return np.linalg.solve(V.T @ V, V.T @ r)


@fold_in.wrong(
    "You projected on V but did not divide by its size: V carries the root of the singular "
    "values, so V.T @ V is not the identity."
)
def projects_only(r, V):
    return V.T @ r


@fold_in.wrong(
    "You fitted the seen items only. In a matrix whose zeros were fitted as zeros, a new row's "
    "zeros count as well. (Leaving them out is another model: lesson 04.)"
)
def fits_the_seen_only(r, V):
    seen = r != 0
    return np.linalg.lstsq(V[seen], r[seen], rcond=None)[0]


@fold_in.wrong(
    "`np.linalg.lstsq` returns four things: the solution is the first of them, so add [0]."
)
def keeps_all_of_lstsq(r, V):
    return np.linalg.lstsq(V, r, rcond=None)


@fold_in.wrong("That is the mean of the seen items' factors: it points the right way at best.")
def averages_the_items(r, V):
    return V.T @ r / max(np.count_nonzero(r), 1)


@fold_in.wrong(
    "You divided by the length of each factor; its square is needed, as in svd.best_items."
)
def divides_by_the_length_of_v(r, V):
    return V.T @ r / np.linalg.norm(V, axis=0)


@fold_in.wrong(
    "You divided by each column's squared length. That is right where the columns are orthogonal, "
    "as the SVD's are; for any V solve with V.T @ V."
)
def divides_by_the_squares(r, V):
    return V.T @ r / np.sum(V**2, axis=0)


@fold_in.wrong(
    "`1 / A` and `A**-1` invert each number of A by itself: solve with the matrix, "
    "`np.linalg.solve(V.T @ V, ...)`."
)
def inverts_each_number(r, V):
    return (1 / (V.T @ V)) @ (V.T @ r)


@fold_in.wrong(expects="It raised ValueError")
def multiplies_from_the_wrong_side_of_v(r, V):
    return np.linalg.solve(V @ V.T, V @ r)


@fold_in.wrong(expects="it should have shape")
def divides_number_by_number(r, V):
    return (V.T @ r) / (V.T @ V)


@fold_in.right
def by_lstsq(r, V):
    return np.linalg.lstsq(V, r, rcond=None)[0]


@fold_in.right
def by_the_pseudo_inverse(r, V):
    return np.linalg.pinv(V) @ r


@fold_in.right
def from_the_left(r, V):
    return r @ V @ np.linalg.inv(V.T @ V)


@fold_in.wrong("You added a penalty: here nothing keeps u small, solve with V.T @ V alone.")
def adds_a_penalty_here(r, V):
    return np.linalg.solve(V.T @ V + np.eye(V.shape[1]), V.T @ r)


@fold_in.wrong("You divided by the sum of all squares of V: solve with the matrix V.T @ V.")
def divides_by_all_squares(r, V):
    return V.T @ r / np.sum(V**2)


@fold_in.wrong("You returned the scores u @ V.T: return the factors u.")
def returns_the_scores(r, V):
    return V @ fold_in.reference(r, V)


@fold_in.wrong("You gave the projection the length 1: solve with V.T @ V instead.")
def makes_the_length_one(r, V):
    u = V.T @ r
    return u / max(np.linalg.norm(u), 1e-12)


@fold_in.wrong("You fitted what was not seen: r is 1 for seen and 0 for not seen, as it stands.")
def fits_the_unseen(r, V):
    return fold_in.reference(1 - r, V)


@fold_in.wrong("You subtracted the mean of r first: fit the row as it stands.")
def centres_the_row(r, V):
    return fold_in.reference(r - r.mean(), V)


@fold_in.wrong("You returned the inverse of V.T @ V: multiply it by V.T @ r.")
def returns_the_inverse(r, V):
    return np.linalg.inv(V.T @ V)


@fold_in.check("an array comes back, one number a factor")
def _(answer):
    expect_shape(answer(np.array([1.0, 0.0, 1.0]), np.array([[1, 0], [0, 1], [1.0, 1]])), (2,))


@fold_in.check("a small case by hand")
def _(answer):
    V = np.array([[2.0, 0.0], [1.0, 3.0], [0.0, 1.0]])
    got = answer(np.array([1.0, 0.0, 1.0]), V)
    why = "V.T @ V is [[5, 3], [3, 10]] and V.T @ r is [2, 1]: 5 a + 3 b = 2 and 3 a + 10 b = 1."
    expect_close(got, [17 / 41, -1 / 41], why)


@fold_in.check("random cases")
def _(answer):
    rng = np.random.default_rng(5)
    for n, k in [(6, 2), (9, 4)]:
        V, r = rng.normal(size=(n, k)), (rng.random(n) < 0.5).astype(float)
        expect_close(answer(r, V), np.linalg.lstsq(V, r, rcond=None)[0], tol=1e-8)


@fold_in.check("a user who was there gets their own factors back")
def _(answer):
    R = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1.0]])
    left, sigma, right = np.linalg.svd(R, full_matrices=False)
    U, V = left[:, :2] * np.sqrt(sigma[:2]), right[:2].T * np.sqrt(sigma[:2])
    expect_close(answer(R[0], V), U[0], "Fold in user 1 of the shop.", tol=1e-8)


@fold_in.check("edge cases")
def _(answer):
    V = np.array([[1.0, 0], [0, 2], [1, 1]])
    expect_close(answer(np.zeros(3), V), [0, 0], "Who has seen nothing gets zeros.")
    expect_close(
        answer(np.ones(4), np.array([[3.0], [1.0], [0.0], [-2.0]])), [1 / 7], "One factor: 2 / 14."
    )
    expect_close(answer(np.array([1.0]), np.array([[4.0]])), [0.25], "One item, one factor.")
    whole = np.array([[2, 1], [0, 1], [1, -1]])
    expect_close(
        answer(np.array([1, 1, 0]), whole),
        [4 / 14, 8 / 14],
        "Whole numbers: 5a + b = 2, a + 3b = 2.",
    )


define_quiz(
    "svd.recap",
    notebook=2,
    questions=[
        Number(
            "svd.q_cut",
            "A table has the singular values 6, 3, 2 and 1. You keep two patterns. What is the "
            "squared error of the best fit?",
            right=5.0,
            because="What is cut off: 2² + 1².",
            wrong={
                3.0: "You added the singular values that were cut: the error adds their squares.",
                45.0: "6² + 3² is what the fit keeps: the error is what it cuts off.",
                9.0: "You squared the sum 2 + 1: square each value first, then add.",
                "else": "Add the squares of the singular values that were cut off: 2 and 1.",
            },
            tolerance=0.01,
            answer="np.sum(np.linalg.svd(np.diag([6.0, 3.0, 2.0, 1.0]))[1][2:] ** 2)",
        ),
        Choice(
            "svd.q_twice",
            "`left, s, right = np.linalg.svd(R, full_matrices=False)`, then "
            "`U = left[:, :k] * s[:k]` and `V = right[:k].T * s[:k]`. The product `U @ V.T` is "
            "far from R, even with all patterns. What mends it?",
            right="`np.sqrt(s[:k])` in both places",
            because="Each pattern has to count σ times: the root of σ on each side makes σ.",
            wrong={
                "no `s[:k]` in either place": "Now σ counts twice, so less of it is needed; but "
                "without any σ the weakest pattern counts as much as the strongest.",
                "`right[:, :k]` in place of `right[:k].T`": "`right` looks as if it had a column "
                "a pattern, like `left`; but numpy gives it a row a pattern, so the code is right.",
                "a mean subtracted from R before the SVD": "Centring is a choice about what a gap "
                "means; the SVD gives back any table exactly, centred or not.",
            },
            answer="'`np.sqrt(s[:k])` in both places' if np.allclose((U1 * np.sqrt(shop_sigma)) @ "
            "(V1t.T * np.sqrt(shop_sigma)).T, R) else 'no `s[:k]` in either place'",
        ),
        Choice(
            "svd.q_report",
            "nDCG@10 on validation, in a larger shop: 0.24 with 16 factors, 0.26 with 32, 0.28 "
            "with 64, 0.25 with 128. What do you report?",
            right="64 factors, and their score on the test",
            because="Validation chooses k; only a test that took no part can judge the choice.",
            wrong={
                "64 factors, with 0.28": "0.28 is measured on held-out ratings, but it was picked "
                "as the best of four: such a number flatters. Ask the test, once.",
                "128 factors, since they fit the table better": "The fit always gets better with "
                "more factors, also where the lists get worse, as they do here.",
                "32 factors, as on MovieLens": "32 was best for that table and that question; "
                "another table has its own best number, and here 64 is better.",
            },
        ),
        Choice(
            "svd.q_stars",
            "One model guesses stars with an RMSE of 2.8, yet makes the best lists of all that "
            "were tried. What is your diagnosis?",
            right="its gaps were filled with zeros",
            because="All scores are far too low, but in a useful order: high where people rated.",
            wrong={
                "one of the two measures has a bug": "A single number seems unable to be both; but "
                "lists need only the order of the scores, and stars need their size.",
                "it has too few factors": "More factors fit the table better; but if the table "
                "says zero stars, a closer fit foresees zero stars.",
                "its ratings were centred twice": "Centring makes scores small too, but the means "
                "are added back; and centred tables made poor lists.",
            },
            answer="'its gaps were filled with zeros' if by_name['RMSE'].idxmax() == 'zeros' == "
            "by_name['nDCG@10'].idxmax() else ''",
        ),
        Choice(
            "svd.q_mean",
            "In R the gaps hold 0. Someone centres with `R - R.mean(axis=1, keepdims=True)`. A "
            "person has rated two of eight films, with 5 stars and 1 star. What does the new "
            "table claim?",
            right="they like the film with 1 star more than usual",
            because="The mean over eight cells is 0.75, so that 1 star becomes +0.25.",
            wrong={
                "they like the film with 1 star less than usual": "So it should be: 1 less the "
                "mean 3 of what is known. But `R.mean` counts the six gaps as zeros.",
                "films that they have not seen are as usual": "That needs 0 in the gaps, and here "
                "they hold −0.75: worse than the film with 1 star.",
                "their two films are equally good": "Centring takes away how generous a person "
                "is, not what they prefer: the two still differ by 4 stars.",
            },
            answer="'they like the film with 1 star more than usual' if "
            "1 - np.array([5, 1, 0, 0, 0, 0, 0, 0]).mean() > 0 > "
            "centre(np.array([[5.0, 1.0]]), np.ones((1, 2), bool))[0, 1] else ''",
        ),
        Choice(
            "svd.q_fold",
            "For the newcomers of MovieLens someone writes `u = V.T @ r` and forgets the inverse "
            "of `V.T @ V`. What happens to their lists?",
            right="they move towards popular films",
            because="Factor l comes out σ_l times too large, most of all the first: popularity.",
            wrong={
                "nothing, since all scores grow alike": "That would be so if all singular values "
                "were equal; the first is more than twice the second.",
                "they move towards rare films": "The inverse shrinks strong factors most, and "
                "without it they count too much: the strongest is popularity.",
                "they become random": "V still says which films go together, so the lists have a "
                "meaning; the factors have wrong weights.",
            },
            answer="'they move towards popular films' if raters[recommend((B @ V) @ V.T, "
            "B.toarray(), 10)].mean() > 1.1 * raters[recommend(np.linalg.solve(V.T @ V, "
            "(B @ V).T).T @ V.T, B.toarray(), 10)].mean() else ''",
        ),
    ],
)
