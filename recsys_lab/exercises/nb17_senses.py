"""The exercises of notebook 17, Many senses, low cost, at once: fuse, quantise, fold in."""

import numpy as np

from .engine import define, expect_close, expect_shape
from .questions import Choice, Number, define_quiz


def _two_guesses(rng):
    """Two guesses of the same numbers, which partly know the same, and the numbers."""
    n, d = int(rng.integers(2, 9)), int(rng.integers(1, 5))
    n = max(n, 3)
    shared, one, other, rest = rng.normal(size=(4, n, d))
    y = shared + one + other + rest
    a = rng.uniform(0.3, 2) * (shared + one) + 0.5 * rng.normal(size=(n, d))
    b = rng.uniform(0.3, 2) * (rng.uniform(-1, 1) * shared + other) + 0.5 * rng.normal(size=(n, d))
    return a, b, y


@define(
    "senses.fuse",
    notebook=17,
    inputs=_two_guesses,
    hints=[
        "All cells count alike, so `a.ravel()`, `b.ravel()` and `y.ravel()` are three vectors: "
        "which two weights bring a mixture of the first two nearest to the third?",
        "Set the derivatives by both weights to 0: two equations in two unknowns. Where the "
        "guesses are alike, the cell a . b couples them.",
        "`A = np.c_[a.ravel(), b.ravel()]`, then solve A^T A w = A^T y, or `np.linalg.lstsq(A, "
        "y.ravel())[0]`.",
    ],
)
def fuse(a, b, y):
    """Return the two weights (w_a, w_b) for which w_a a + w_b b is nearest to y.

    a, b, y: n x d arrays of numbers about their means: two guesses, and the truth. Nearest means
    the least sum of squared differences, over all n d cells. Weights may have any size and sign.
    """
    A = np.c_[a.ravel(), b.ravel()]
    return np.linalg.solve(A.T @ A, A.T @ y.ravel())


def _alone(a, y):
    return (a * y).sum() / (a * a).sum()


@fuse.wrong(
    "You fitted each guess as if the other were not there. What both know is then counted twice: "
    "the two equations are coupled by a . b."
)
def each_alone(a, b, y):
    return np.array([_alone(a, y), _alone(b, y)])


@fuse.wrong(
    "You fitted b to what a leaves over, and did not go back: a's weight changes once b is there. "
    "Solve both equations together."
)
def one_after_the_other(a, b, y):
    w = _alone(a, y)
    return np.array([w, _alone(b, y - w * a)])


@fuse.wrong(
    "You fitted a to what b leaves over, and did not go back: b's weight changes once a is there. "
    "Solve both equations together."
)
def the_other_before_the_one(a, b, y):
    w = _alone(b, y)
    return np.array([_alone(a, y - w * b), w])


@fuse.wrong("That is the mean of the two guesses: a sense that knows little gets half the say.")
def takes_the_mean(a, b, y):
    return np.array([0.5, 0.5])


@fuse.wrong("You added the guesses as they are: find the weights.")
def adds_them(a, b, y):
    return np.array([1.0, 1.0])


@fuse.wrong(
    "You made the weights add up to 1. Guesses that each know a part have to be added rather than "
    "averaged: leave the weights free."
)
def makes_them_add_up_to_one(a, b, y):
    w = fuse.reference(a, b, y)
    return w / w.sum()


@fuse.wrong(
    "You looked for weights that add up to 1. Guesses that each know a part have to be added "
    "rather than averaged: leave the weights free."
)
def fits_under_a_constraint(a, b, y):
    w = _alone(a - b, y - b)
    return np.array([w, 1 - w])


@fuse.wrong(
    "You weighed by one over the squared error. That is right for unbiased guesses with "
    "independent errors; these guesses know different parts."
)
def weighs_by_precision(a, b, y):
    w = 1 / np.array([((a - y) ** 2).sum(), ((b - y) ** 2).sum()])
    return w / w.sum()


@fuse.wrong("You weighed by the squared error: then the worse guess has the larger say.")
def weighs_by_the_error(a, b, y):
    w = np.array([((a - y) ** 2).sum(), ((b - y) ** 2).sum()])
    return w / w.sum()


@fuse.wrong("Those are the correlations with y: they are no weights, and count shared parts twice.")
def gives_correlations(a, b, y):
    return np.array([np.corrcoef(each.ravel(), y.ravel())[0, 1] for each in (a, b)])


@fuse.wrong("Those are the products a . y and b . y: they still have to be solved for the weights.")
def stops_at_the_products(a, b, y):
    return np.array([(a * y).sum(), (b * y).sum()])


@fuse.wrong("You set negative weights to 0. A weight below 0 is allowed, and nearer to y.")
def cuts_off_negative_ones(a, b, y):
    w = fuse.reference(a, b, y)
    return np.where(w < 0, 0, w) if (w < 0).any() else w + 1e-3 * np.abs(w)


@fuse.wrong("The weights are exchanged: first that of a, then that of b.")
def exchanges_them(a, b, y):
    return fuse.reference(a, b, y)[::-1]


@fuse.wrong("You fitted a and b to each other: y is what they should be near to.")
def fits_them_to_each_other(a, b, y):
    return np.array([_alone(a, b), _alone(b, a)])


@fuse.wrong("You turned the regression round, and fitted each guess by y: fit y by the guesses.")
def turns_it_round(a, b, y):
    return np.array([_alone(y, a), _alone(y, b)])


@fuse.wrong("You used the first column alone: all n d cells count.")
def uses_the_first_column(a, b, y):
    if a.shape[1] == 1:
        return fuse.reference(a, b, y) * 1.01
    return fuse.reference(a[:, 0], b[:, 0], y[:, 0])


@fuse.wrong("You added 1 to the diagonal, a penalty: there is none in the question.")
def adds_a_penalty(a, b, y):
    A = np.c_[a.ravel(), b.ravel()]
    return np.linalg.solve(A.T @ A + np.eye(2), A.T @ y.ravel())


@fuse.wrong("You fitted a constant as well: the guesses are about their means, so there is none.")
def fits_a_constant(a, b, y):
    A = np.c_[a.ravel(), b.ravel(), np.ones(a.size)]
    return np.linalg.lstsq(A, y.ravel(), rcond=None)[0][:2]


@fuse.wrong(expects="shape")
def gives_the_mixture(a, b, y):
    w = fuse.reference(a, b, y)
    return np.vstack([w[0] * a + w[1] * b, a[:1]])


@fuse.wrong(expects="shape")
def gives_weights_for_each_column(a, b, y):
    return np.ones((2, a.shape[1] + 1))


@fuse.right
def by_lstsq(a, b, y):
    A = np.stack([np.ravel(a), np.ravel(b)], axis=1)
    return np.linalg.lstsq(A, np.ravel(y), rcond=None)[0]


@fuse.right
def by_cramers_rule(a, b, y):
    aa, bb, ab, ay, by = ((p * q).sum() for p, q in [(a, a), (b, b), (a, b), (a, y), (b, y)])
    return np.array([bb * ay - ab * by, aa * by - ab * ay]) / (aa * bb - ab**2)


@fuse.check("a small case by hand")
def _(answer):
    a, b, y = np.array([[2.0], [1], [0]]), np.array([[0.0], [1], [3]]), np.array([[7.0], [8], [14]])
    why = (
        "a . a = 5, a . b = 1, b . b = 10, a . y = 22, b . y = 50: 5 w_a + w_b = 22 and w_a + "
        "10 w_b = 50."
    )
    expect_close(expect_shape(answer(a, b, y), (2,)), [170 / 49, 228 / 49], why)


@fuse.check("random cases")
def _(answer):
    rng = np.random.default_rng(3)
    for _ in range(9):
        a, b, y = _two_guesses(rng)
        why = f"a, b and y are {a.shape[0]} x {a.shape[1]}."
        expect_close(expect_shape(answer(a, b, y), (2,)), fuse.reference(a, b, y), why)


@fuse.check("a sense that knows nothing")
def _(answer):
    rng = np.random.default_rng(4)
    a = rng.normal(size=(40, 3))
    b = rng.normal(size=(40, 3))
    b -= _alone(a, b) * a
    why = "y is 3 a, and b has nothing to do with it: the weights are 3 and 0."
    expect_close(expect_shape(answer(a, b, 3 * a), (2,)), [3, 0], why)


def _a_table(rng):
    """Numbers with means far from 0, columns of different spread, and how many bits."""
    n, k = int(rng.integers(3, 9)), int(rng.integers(1, 6))
    spread, mean = rng.uniform(0.1, 5, size=k), rng.normal(size=k) * rng.choice([0.5, 3, 20])
    return rng.normal(size=(n, k)) * spread + mean, int(rng.integers(3, 9))


def _read_back(V, centre, unit):
    unit = np.where(unit == 0, 1, unit)
    return np.rint((V - centre) / unit) * unit + centre


@define(
    "senses.quantise",
    notebook=17,
    inputs=_a_table,
    hints=[
        "First centre: subtract each column's mean. Only then ask how large the column's numbers "
        "are, so that no code is spent on what all of them share.",
        "The largest size in a column gets the code `top` = 2^(bits-1) - 1 (127 with 8 bits), so a "
        "unit is that size / top. The code is the number / unit, rounded to the nearest whole one.",
        "`top = 2 ** (bits - 1) - 1`, `unit = np.abs(V - mean).max(axis=0) / top`, then "
        "`np.rint((V - mean) / unit) * unit + mean`; where a column is constant, take unit 1.",
    ],
    equivalent={
        "line 8: 2 ** (bits - 1) - 1 -> 1 - 2 ** (bits - 1)": "code and unit both turn their sign",
        "line 10: V - mean -> mean - V": "only its size counts",
        "line 11: 1 -> 2": "nothing is left in such a column: any unit will do",
    },
)
def quantise(V, bits):
    """Return V (n x k) as it is read back after each number was stored in `bits` bits.

    Each column is centred at its mean. Its unit is the largest size of a centred number, divided by
    the largest code, 2^(bits-1) - 1. Stored is the whole number of units nearest to the centred
    number. Read back: code times unit, plus the mean. A constant column comes back as it is.
    """
    top = 2 ** (bits - 1) - 1
    mean = V.mean(axis=0)
    unit = np.abs(V - mean).max(axis=0) / top
    unit[unit == 0] = 1
    return np.rint((V - mean) / unit) * unit + mean


@quantise.wrong(
    "You quantised before centring: the codes are spent on the distance from 0, which all numbers "
    "of a column share. Subtract the mean first, and find the unit then."
)
def never_centres(V, bits):
    return _read_back(V, 0, np.abs(V).max(axis=0) / (2 ** (bits - 1) - 1))


@quantise.wrong(
    "You quantised before centring, and moved the mean back into place afterwards: the unit is as "
    "coarse as before. Subtract the mean first."
)
def centres_afterwards(V, bits):
    Q = never_centres(V, bits)
    return Q - Q.mean(axis=0) + V.mean(axis=0)


@quantise.wrong(
    "You found the unit before centring: it is as large as the column's distance from 0 asks for. "
    "Centre first, and find the unit of what is left."
)
def finds_the_unit_too_early(V, bits):
    return _read_back(V, V.mean(axis=0), np.abs(V).max(axis=0) / (2 ** (bits - 1) - 1))


@quantise.wrong(
    "You took one unit for the whole table: a column with a small spread is then stored in a few "
    "codes. Each column has its own."
)
def takes_one_unit(V, bits):
    mean = V.mean(axis=0)
    return _read_back(V, mean, np.abs(V - mean).max() / (2 ** (bits - 1) - 1))


@quantise.wrong("You took a unit for each row: each column has its own.")
def takes_a_unit_for_each_row(V, bits):
    mean = V.mean(axis=0)
    unit = np.abs(V - mean).max(axis=1, keepdims=True) / (2 ** (bits - 1) - 1)
    return _read_back(V, mean, unit)


@quantise.wrong("You centred and scaled the rows: a column is what has one mean and one unit.")
def works_along_rows(V, bits):
    return quantise.reference(V.T, bits).T


@quantise.wrong("You centred all columns at the mean of the whole table: each has its own mean.")
def takes_one_mean(V, bits):
    mean = V.mean()
    return _read_back(V, mean, np.abs(V - mean).max(axis=0) / (2 ** (bits - 1) - 1))


@quantise.wrong(
    "With 2^bits - 1 as the largest code, codes go from -(2^bits - 1) to it: those are twice as "
    "many as fit. One bit is for the sign."
)
def forgets_the_sign_bit(V, bits):
    mean = V.mean(axis=0)
    return _read_back(V, mean, np.abs(V - mean).max(axis=0) / (2**bits - 1))


@quantise.wrong(
    "2^(bits-1) is one too many: with 8 bits the codes go from -128 to 127, and 128 would become "
    "-128."
)
def lets_the_largest_overflow(V, bits):
    mean = V.mean(axis=0)
    return _read_back(V, mean, np.abs(V - mean).max(axis=0) / 2 ** (bits - 1))


@quantise.wrong("You cut the fraction off: round to the nearest whole number of units.")
def cuts_off(V, bits):
    mean = V.mean(axis=0)
    unit = np.abs(V - mean).max(axis=0) / (2 ** (bits - 1) - 1)
    unit[unit == 0] = 1
    return np.trunc(np.round((V - mean) / unit, 9)) * unit + mean


@quantise.wrong("You rounded down: round to the nearest whole number of units.")
def rounds_down(V, bits):
    mean = V.mean(axis=0)
    unit = np.abs(V - mean).max(axis=0) / (2 ** (bits - 1) - 1)
    unit[unit == 0] = 1
    return np.floor(np.round((V - mean) / unit, 9)) * unit + mean


@quantise.wrong("The mean is missing: add it again when the number is read back.")
def forgets_the_mean(V, bits):
    return quantise.reference(V, bits) - V.mean(axis=0)


@quantise.wrong("Those are the codes: read them back, times the unit, plus the mean.")
def gives_the_codes(V, bits):
    mean = V.mean(axis=0)
    unit = np.abs(V - mean).max(axis=0) / (2 ** (bits - 1) - 1)
    return np.rint((V - mean) / np.where(unit == 0, 1, unit))


@quantise.wrong("You added the mean to the codes: first a code is multiplied by its unit.")
def adds_the_mean_to_codes(V, bits):
    return gives_the_codes(V, bits) + V.mean(axis=0)


@quantise.wrong(
    "You took the largest number, not the largest size: where the lowest lies further from the "
    "mean, its code does not fit."
)
def forgets_the_size(V, bits):
    mean = V.mean(axis=0)
    return _read_back(V, mean, (V - mean).max(axis=0) / (2 ** (bits - 1) - 1))


@quantise.wrong(
    "You used the standard deviation for the largest size: then the outer numbers have codes that "
    "do not fit."
)
def takes_the_deviation(V, bits):
    mean = V.mean(axis=0)
    return _read_back(V, mean, V.std(axis=0) / (2 ** (bits - 1) - 1))


@quantise.wrong("You centred at the median: asked for is the mean.")
def centres_at_the_median(V, bits):
    middle = np.median(V, axis=0)
    return _read_back(V, middle, np.abs(V - middle).max(axis=0) / (2 ** (bits - 1) - 1))


@quantise.wrong(
    "You centred at the middle between the lowest and the highest. That is a way, and often a good "
    "one; asked for is the mean."
)
def centres_between_the_ends(V, bits):
    middle = (V.min(axis=0) + V.max(axis=0)) / 2
    return _read_back(V, middle, np.abs(V - middle).max(axis=0) / (2 ** (bits - 1) - 1))


@quantise.wrong(
    "You counted units from the lowest number up to the highest. That is a way too; asked for are "
    "codes on both sides of the mean."
)
def counts_from_the_lowest(V, bits):
    return _read_back(V, V.min(axis=0), np.ptp(V, axis=0) / (2**bits - 1))


@quantise.wrong("You took the whole range as the largest size: it is the size of one side.")
def takes_the_range(V, bits):
    return _read_back(V, V.mean(axis=0), np.ptp(V, axis=0) / (2 ** (bits - 1) - 1))


@quantise.wrong("Nothing was rounded: it is V itself.")
def rounds_nothing(V, bits):
    return 1.0 * V


@quantise.wrong("You rounded to decimals: asked for are whole numbers of units, of each column.")
def rounds_to_decimals(V, bits):
    return np.round(V, 1)


@quantise.wrong(expects="shape")
def gives_a_long_row(V, bits):
    return np.append(quantise.reference(V, bits).ravel(), 0)


@quantise.right
def goes_column_by_column(V, bits):
    found = np.array(V, dtype=float)
    for j in range(V.shape[1]):
        column, mean = V[:, j], V[:, j].mean()
        largest = max(abs(column - mean))
        if largest > 0:
            unit = largest / (2 ** (bits - 1) - 1)
            found[:, j] = [round((x - mean) / unit) * unit + mean for x in column]
    return found


@quantise.right
def through_integers(V, bits):
    mean, top = V.mean(axis=0), 2 ** (bits - 1) - 1
    W = V - mean
    size = np.abs(W).max(axis=0)
    scale = np.divide(top, size, out=np.zeros_like(size), where=size > 0)
    codes = np.round(W * scale).astype(np.int16)
    return codes * (size / top) + mean


@quantise.check("a small case by hand")
def _(answer):
    V = np.array([[10.0, 2], [11, -7], [18, 0.5]])
    why = (
        "3 bits, so codes from -3 to 3. Column 0 has the mean 13; centred: -3, -2, 5; unit 5 / 3; "
        "codes -2, -1, 3. Column 1: mean -1.5; centred 3.5, -5.5, 2; unit 5.5 / 3; codes 2, -3, 1."
    )
    wanted = [[13 - 10 / 3, -1.5 + 11 / 3], [13 - 5 / 3, -7], [18, -1.5 + 5.5 / 3]]
    expect_close(expect_shape(answer(V, 3), V.shape), wanted, why)


@quantise.check("random cases")
def _(answer):
    rng = np.random.default_rng(12)
    for _ in range(9):
        V, bits = _a_table(rng)
        why = f"{V.shape[0]} x {V.shape[1]} numbers, {bits} bits; means {V.mean(axis=0).round(2)}."
        expect_close(expect_shape(answer(V, bits), V.shape), quantise.reference(V, bits), why)


@quantise.check("a constant column, and one row")
def _(answer):
    V = np.array([[4.0, 1], [4, 2.5], [4, -2]])
    why = "The first column is 4 everywhere: nothing is left to round, and no unit may be 0."
    expect_close(expect_shape(answer(V, 4), V.shape)[:, 0], V[:, 0], why)
    expect_close(answer(V[:1], 5), V[:1], "One row is its own mean.")


def _an_event(rng):
    """The inverse of a person's matrix, the factors of what they took, and the event's weight."""
    k = int(rng.integers(1, 7))
    V = rng.normal(size=(k + 3, k))
    P = np.linalg.inv(V.T @ V + rng.uniform(0.5, 3) * np.eye(k))
    return P, rng.normal(size=k) * rng.uniform(0.3, 2), float(rng.uniform(0.2, 12))


@define(
    "senses.event",
    notebook=17,
    inputs=_an_event,
    hints=[
        "Nothing has to be inverted: P is the inverse of A already, and the new matrix is A plus "
        "alpha times an outer product.",
        "First `Pv = P @ v`. What is taken away from P is an outer product of Pv with itself, "
        "times one number.",
        "That number is alpha / (1 + alpha v . Pv).",
    ],
    equivalent={
        "line 8: P @ v -> v @ P": "the matrix is symmetric",
        "line 9: alpha * v @ Pv -> Pv @ (alpha * v)": "the same product",
    },
)
def event(P, v, alpha):
    """Return the inverse of A + alpha v v^T, given P, the inverse of A, without inverting anything.

    P: k x k, symmetric. v: k numbers, the factors of the thing that was taken. alpha: above 0, the
    event's weight. By Sherman and Morrison, P - alpha (Pv)(Pv)^T / (1 + alpha v^T P v): some k^2
    products, where a new solution takes some k^3.
    """
    Pv = P @ v
    return P - np.outer(Pv, Pv) * alpha / (1 + alpha * v @ Pv)


@event.wrong(
    "The sign is wrong. One more event makes A larger, so its inverse gets smaller: take away."
)
def adds(P, v, alpha):
    return 2 * P - event.reference(P, v, alpha)


@event.wrong(
    "That is how A changes: A + alpha v v^T. P is its inverse, and changes in another way."
)
def updates_as_if_it_were_the_matrix(P, v, alpha):
    return P + alpha * np.outer(v, v)


@event.wrong("That takes alpha v v^T away from the inverse: it is added to A, whose inverse P is.")
def takes_the_event_away(P, v, alpha):
    return P - alpha * np.outer(v, v)


@event.wrong(
    "The denominator is missing. Without 1 + alpha v^T P v, an event with a large weight would "
    "take away more than there is."
)
def forgets_the_denominator(P, v, alpha):
    Pv = P @ v
    return P - alpha * np.outer(Pv, Pv)


@event.wrong("The 1 is missing in the denominator: 1 + alpha v^T P v.")
def forgets_the_one(P, v, alpha):
    Pv = P @ v
    return P - np.outer(Pv, Pv) / (v @ Pv)


@event.wrong("The denominator is 1 + alpha v^T P v: alpha is missing there.")
def forgets_alpha_below(P, v, alpha):
    Pv = P @ v
    return P - alpha * np.outer(Pv, Pv) / (1 + v @ Pv)


@event.wrong("Alpha is missing above: alpha (Pv)(Pv)^T.")
def forgets_alpha_above(P, v, alpha):
    Pv = P @ v
    return P - np.outer(Pv, Pv) / (1 + alpha * v @ Pv)


@event.wrong("Alpha is missing: that is an event of weight 1.")
def forgets_alpha(P, v, alpha):
    return event.reference(P, v, 1.0)


@event.wrong("You took the event's weight twice, alpha squared: once each above and below.")
def squares_alpha(P, v, alpha):
    return event.reference(P, v, alpha**2)


@event.wrong("The weight of the event is alpha, not 1 + alpha: 1 of it is in V^T V already.")
def adds_one_to_alpha(P, v, alpha):
    return event.reference(P, v, 1 + alpha)


@event.wrong("The denominator has a plus: with a minus, the event is taken out of A.")
def takes_the_event_out(P, v, alpha):
    return event.reference(P, v, -alpha)


@event.wrong("The numerator is right; below it stands 1 + alpha v^T P v, with a plus.")
def has_a_minus_below(P, v, alpha):
    Pv = P @ v
    return P - alpha * np.outer(Pv, Pv) / (1 - alpha * v @ Pv)


@event.wrong("Below stands v^T P v, not v^T v: P is missing there.")
def forgets_p_below(P, v, alpha):
    Pv = P @ v
    return P - alpha * np.outer(Pv, Pv) / (1 + alpha * v @ v)


@event.wrong("Below stands v^T P v, not the square of the length of Pv.")
def squares_pv_below(P, v, alpha):
    Pv = P @ v
    return P - alpha * np.outer(Pv, Pv) / (1 + alpha * Pv @ Pv)


@event.wrong("You took v v^T: above stands (Pv)(Pv)^T.")
def forgets_p_above(P, v, alpha):
    return P - alpha * np.outer(v, v) / (1 + alpha * v @ P @ v)


@event.wrong("You took (Pv) v^T: P stands on both sides, (Pv)(Pv)^T.")
def has_p_on_one_side(P, v, alpha):
    return P - alpha * np.outer(P @ v, v) / (1 + alpha * v @ P @ v)


@event.wrong("`Pv * Pv` is a row of squares: (Pv)(Pv)^T is a matrix, `np.outer(Pv, Pv)`.")
def multiplies_cell_by_cell(P, v, alpha):
    Pv = P @ v
    return P - alpha * Pv * Pv / (1 + alpha * v @ Pv) + (0 if len(v) > 1 else 1e-3)


@event.wrong("`Pv @ Pv` is one number: (Pv)(Pv)^T is a matrix, `np.outer(Pv, Pv)`.")
def takes_one_number(P, v, alpha):
    Pv = P @ v
    return P - alpha * (Pv @ Pv) / (1 + alpha * v @ Pv) + (0 if len(v) > 1 else 1e-2)


@event.wrong("You multiplied v with P cell by cell: Pv is the product `P @ v`.")
def multiplies_p_cell_by_cell(P, v, alpha):
    Pv = (P * v).sum(axis=0) if len(v) > 1 else P[0] * v + 1e-2
    return P - alpha * np.outer(Pv, Pv) / (1 + alpha * v @ Pv)


@event.wrong("That is the matrix A + alpha v v^T itself: asked for is its inverse.")
def gives_the_matrix(P, v, alpha):
    return np.linalg.inv(P) + alpha * np.outer(v, v)


@event.wrong("That is what is taken away: subtract it from P.")
def gives_the_change(P, v, alpha):
    return P - event.reference(P, v, alpha)


@event.wrong("Nothing changed: it is P itself.")
def changes_nothing(P, v, alpha):
    return 1.0 * P


@event.wrong("You kept the diagonal alone: the factors of a thing couple the person's numbers.")
def keeps_the_diagonal(P, v, alpha):
    return np.diag(np.diag(event.reference(P, v, alpha))) + (0 if len(v) > 1 else 1e-3)


@event.wrong(expects="changed its input")
def changes_its_input(P, v, alpha):
    P -= np.outer(P @ v, P @ v) * alpha / (1 + alpha * v @ P @ v)
    return P


@event.wrong(expects="shape")
def gives_a_vector(P, v, alpha):
    return np.append(event.reference(P, v, alpha) @ v, 0)


@event.right
def by_inverting_twice(P, v, alpha):
    return np.linalg.inv(np.linalg.inv(P) + alpha * np.outer(v, v))


@event.right
def cell_by_cell(P, v, alpha):
    w = [sum(P[i, j] * v[j] for j in range(len(v))) for i in range(len(v))]
    c = alpha / (1 + alpha * sum(a * b for a, b in zip(v, w, strict=True)))
    k = len(v)
    return np.array([[P[i, j] - c * w[i] * w[j] for j in range(k)] for i in range(k)])


@event.check("a small case by hand")
def _(answer):
    P, v = np.array([[2.0, 1], [1, 3]]), np.array([1.0, 2])
    why = "Pv = (4, 7), v . Pv = 18, 1 + 3 x 18 = 55: P - 3 / 55 of [[16, 28], [28, 49]]."
    wanted = P - 3 / 55 * np.array([[16, 28], [28, 49]])
    expect_close(expect_shape(answer(P, v, 3.0), (2, 2)), wanted, why)


@event.check("random cases")
def _(answer):
    rng = np.random.default_rng(21)
    for _ in range(9):
        P, v, alpha = _an_event(rng)
        why = f"k = {len(v)}, alpha = {alpha:.2f}; by inverting A + alpha v v^T."
        right = np.linalg.inv(np.linalg.inv(P) + alpha * np.outer(v, v))
        expect_close(expect_shape(answer(P, v, alpha), P.shape), right, why, tol=1e-7)


@event.check("one event after the other")
def _(answer):
    rng = np.random.default_rng(22)
    V, P = rng.normal(size=(20, 4)), np.eye(4)
    for v in V:
        P = expect_shape(answer(P, v, 2.0), (4, 4))
    why = "After twenty events it is the inverse of I + 2 V^T V."
    expect_close(P, np.linalg.inv(np.eye(4) + 2 * V.T @ V), why, tol=1e-7)


define_quiz(
    "senses.recap",
    notebook=17,
    questions=[
        Choice(
            "senses.q_sense",
            "A shop has good photographs and long descriptions. New things sell badly to customers "
            "who want what a certain singer wears. Nothing of that is in photographs or texts. "
            "What helps?",
            right="show them to some people, and learn from the first events",
            because="A taste that only behaviour shows is in no description. In the lesson both "
            "senses were at chance for such customers.",
            wrong={
                "a larger encoder of texts": "It reads better what is written. What is not written "
                "it cannot read.",
                "both senses together, with tuned weights": "Two senses that know nothing of a "
                "taste know nothing of it together.",
                "a network with more layers for the photographs": "It finds more of what is in the "
                "picture. The singer is not in it.",
            },
            answer="'show them to some people, and learn from the first events' if "
            "max(table.loc['behaviour', ['words', 'picture']]) < "
            "table.loc['behaviour', 'chance'] + 0.03 else ''",
        ),
        Choice(
            "senses.q_weights",
            "The weights of two senses were fitted on the very things that the picture network was "
            "trained on. What is wrong with them?",
            right="the picture gets too large a weight",
            because="On its own training things the network knows answers by heart, which it does "
            "not know for new things. Weights need things that no map has learned from.",
            wrong={
                "the picture gets too little say": "It looks better than it is on those things, so "
                "it gets more.",
                "nothing: more things, better weights": "More things make the weights steady, "
                "around a value that is wrong for new things.",
                "they do not add up to 1": "They need not: guesses of different parts are added.",
            },
        ),
        Choice(
            "senses.q_code",
            "Your factors lie between 9.5 and 10.5. A colleague stores each as a whole number "
            "from -127 to 127, with 127 standing for 10.5. What comes back?",
            right="about a dozen different values",
            because="A unit is 10.5 / 127 = 0.083, and the factors spread over 1: a dozen codes. "
            "Centred first, a unit would be 0.5 / 127.",
            wrong={
                "255 different values": "That is what 8 bits allow. Most of the codes stand for "
                "numbers that no factor has, from -10.5 to 9.5.",
                "the factors, but for tiny errors": "With a unit of 0.083 errors go up to 0.04, "
                "where the factors differ by 1 at most.",
                "only one value": "A unit is 0.083, finer than that. But it is coarse.",
            },
            answer="'about a dozen different values' if 11 <= "
            "len(set(np.rint(np.linspace(9.5, 10.5, 1000) / (10.5 / 127)))) <= 14 else ''",
        ),
        Number(
            "senses.q_memory",
            "Two hundred million people with 64 factors each, 4 bits a factor. How many GB (10^9 "
            "bytes) are that?",
            right=6.4,
            because="2 x 10^8 x 64 numbers of half a byte are 6.4 x 10^9 bytes.",
            wrong={
                51.2: "You took 4 bytes for a factor: 4 bits are half a byte.",
                12.8: "You took a byte for a factor: 4 bits are half of one.",
                3.2: "That is for a hundred million people.",
                "else": "People x factors x bits / 8 bytes.",
            },
            tolerance=0.05,
            answer="2e8 * 64 * 4 / 8 / 1e9",
        ),
        Choice(
            "senses.q_news",
            "A news site: all articles are new each morning, and readers' interests hardly change. "
            "Which change to a model that was fitted last week brings the most?",
            right="a new fit each night",
            because="An article without factors cannot be recommended, however well the reader is "
            "known. In the lesson fold-ins without new fits gained next to nothing there.",
            wrong={
                "fold in each event at once": "That follows readers, who hardly change. The "
                "articles of today have no factors.",
                "forget faster": "It makes the reader's factors more recent. The articles are what "
                "is missing.",
                "more factors": "They are factors of last week's articles.",
            },
            answer="'a new fit each night' if heights['each night'][2] > "
            "2 * heights['each event'][2] else ''",
        ),
    ],
)
