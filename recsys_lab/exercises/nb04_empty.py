"""The exercises of notebook 04, What an empty cell means: a step for each reading, and biases."""

import numpy as np

from .engine import Mistake, define, expect_close, expect_shape
from .questions import Choice, Number, Several, define_quiz


def _expect_array(got):
    """Demand a plain array: the cells below slice, multiply and compare it as one."""
    if type(got) is not np.ndarray:
        raise Mistake(
            f"It returned a {type(got).__name__}, and the cells below compute with an ndarray: "
            "return np.array(...) of it."
        )


# Five users, three items, two factors. Each item has one factor only, so all matrices are diagonal
# and each factor can be worked out alone.
APART = np.array([[2.0, 0.0], [0.0, 3.0], [5.0, 0.0]])


@define(
    "empty.skip_step",
    notebook=4,
    hints=[
        "Loop over the rows of R with `for i, r in enumerate(R):`. For one person, find the rated "
        "films first: `rated = np.flatnonzero(r)`.",
        "`V[rated]` holds the rows of these films, `r[rated]` the ratings. The rest is lesson 03's "
        "step: (V_i'V_i + 2 lam I) u_i = V_i' r_i.",
        "Begin with `U = np.zeros((len(R), V.shape[1]))`. In the loop: `Vi = V[rated]`, "
        "`A = Vi.T @ Vi + 2 * lam * np.eye(V.shape[1])`, "
        "`U[i] = np.linalg.solve(A, Vi.T @ r[rated])`.",
    ],
    equivalent={
        "line 3: np.zeros((len(R), V.shape[1])) -> np.ones((len(R), V.shape[1]))": (
            "every row is written over"
        ),
    },
)
def skip_step(R, V, lam):
    """Return the best U for V where a 0 in R is an empty cell, which does not count."""
    U = np.zeros((len(R), V.shape[1]))
    for i, r in enumerate(R):
        rated = np.flatnonzero(r)
        Vi = V[rated]
        A = Vi.T @ Vi + 2 * lam * np.eye(V.shape[1])
        U[i] = np.linalg.solve(A, Vi.T @ r[rated])
    return U


def _one_by_one(R, V, matrix, right):
    """Solve a system for each user: of its row r, and of the positions of its rated items."""
    U = np.zeros((len(R), V.shape[1]))
    for i, r in enumerate(np.asarray(R, dtype=float)):
        rated = np.flatnonzero(r)
        U[i] = np.linalg.solve(matrix(r, rated), right(r, rated))
    return U


@skip_step.wrong(
    "The empty cells count as ratings of 0: V'V runs over all items. Take the rows of V that the "
    "person rated."
)
def takes_empty_for_zero(R, V, lam):
    return np.linalg.solve(V.T @ V + 2 * lam * np.eye(V.shape[1]), V.T @ R.T).T


@skip_step.wrong(
    "You kept the positive ratings only. A rating can be negative, *fewer stars than expected*: "
    "only a 0 is an empty cell."
)
def drops_the_negative(R, V, lam):
    return skip_step.reference(np.where(R > 0, R, 0), V, lam)


@skip_step.wrong("You wrote lam, and it is 2 lam: the 1/2 of J stands before the fit only.")
def skips_with_one_lam(R, V, lam):
    return skip_step.reference(R, V, lam / 2)


_NO_PENALTY = (
    "The penalty is missing: add 2 lam on the diagonal. Without it, a person with fewer ratings "
    "than factors has no unique answer."
)


@skip_step.wrong(_NO_PENALTY)
def skips_the_penalty(R, V, lam):
    return skip_step.reference(R, V, 0)


@skip_step.wrong(_NO_PENALTY)
def uses_least_squares(R, V, lam):
    rows = [np.linalg.lstsq(V[r != 0], r[r != 0], rcond=None)[0] for r in R]
    return np.array(rows)


@skip_step.wrong(
    "You added 2 lam to every entry of the matrix: it belongs on the diagonal, 2 lam times "
    "`np.eye(k)`."
)
def skips_the_identity(R, V, lam):
    return _one_by_one(R, V, lambda r, s: V[s].T @ V[s] + 2 * lam, lambda r, s: V[s].T @ r[s])


@skip_step.wrong("You subtracted 2 lam: the penalty is added to V_i'V_i.")
def subtracts_the_penalty(R, V, lam):
    return skip_step.reference(R, V, -lam)


@skip_step.wrong(
    "You multiplied lam by the number of ratings. That is the penalty of ALS-WR (Zhou and others "
    "2008); in this lesson's J each person pays 2 lam, whatever they rated."
)
def weighs_the_penalty(R, V, lam):
    return _one_by_one(
        R,
        V,
        lambda r, s: V[s].T @ V[s] + 2 * lam * max(len(s), 1) * np.eye(V.shape[1]),
        lambda r, s: V[s].T @ r[s],
    )


@skip_step.wrong("You returned V_i' r_i: solve the k x k system as well.")
def does_not_solve(R, V, lam):
    return R @ V


@skip_step.wrong("You fitted ones: the target of a rated cell is the rating itself, `r[rated]`.")
def fits_ones(R, V, lam):
    return skip_step.reference((R != 0).astype(float), V, lam)


@skip_step.wrong("Only the first person was solved: `return` stands inside the loop.")
def stops_at_the_first(R, V, lam):
    U = np.zeros((len(R), V.shape[1]))
    U[:1] = skip_step.reference(R[:1], V, lam)
    return U


@skip_step.wrong("Each person's matrix starts anew: yours still holds what earlier people added.")
def keeps_what_was_added(R, V, lam):
    U = np.zeros((len(R), V.shape[1]))
    A = 2 * lam * np.eye(V.shape[1])
    for i, r in enumerate(R):
        Vi = V[r != 0]
        A = A + Vi.T @ Vi
        U[i] = np.linalg.solve(A, V.T @ r)
    return U


@skip_step.wrong(expects="Is it transposed?")
def turns_the_factors(R, V, lam):
    return skip_step.reference(R, V, lam).T


@skip_step.wrong(expects="it should have shape (5, 2)")
def returns_the_scores(R, V, lam):
    return skip_step.reference(R, V, lam) @ V.T


@skip_step.wrong(expects="come as a matrix")
def returns_a_matrix(R, V, lam):
    return np.asmatrix(skip_step.reference(R, V, lam))


@skip_step.wrong(expects="return np.array(...)")
def returns_rows_in_a_list(R, V, lam):
    return list(skip_step.reference(R, V, lam))


# Everyone rated an item of either factor, so that a forgotten penalty gives numbers, no error.
STARS = np.array(
    [[3.0, -4.0, 0.0], [0.0, 5.0, 2.0], [-2.0, 1.0, 6.0], [7.0, 3.0, 0.0], [0.0, -1.0, 4.0]]
)


@skip_step.wrong("You subtracted each person's mean: fit the ratings as they stand.")
def centres_first(R, V, lam):
    return _one_by_one(
        R,
        V,
        lambda r, s: V[s].T @ V[s] + 2 * lam * np.eye(V.shape[1]),
        lambda r, s: V[s].T @ (r[s] - (r[s].mean() if len(s) else 0)),
    )


@skip_step.wrong(
    "You left people with fewer ratings than factors at 0: with 2 lam they have a u too."
)
def passes_over_who_rated_little(R, V, lam):
    U = skip_step.reference(R, V, lam)
    U[(R != 0).sum(axis=1) < V.shape[1]] = 0
    return U


@skip_step.wrong(
    "Your U holds whole numbers only: make room with np.zeros((len(R), V.shape[1])), whatever type "
    "R has."
)
def keeps_whole_numbers(R, V, lam):
    return skip_step.reference(R, V, lam).astype(R.dtype)


@skip_step.wrong("You fitted the empty cells, and left out the rated ones.")
def fits_the_empty(R, V, lam):
    return np.zeros((len(R), V.shape[1]))


@skip_step.right
def with_masks(R, V, lam):
    k, rated = V.shape[1], (R != 0).astype(float)
    A = np.einsum("ij,ja,jb->iab", rated, V, V) + 2 * lam * np.eye(k)
    return np.linalg.solve(A, (R @ V)[:, :, None])[:, :, 0]


@skip_step.right
def item_by_item(R, V, lam):
    U = []
    for r in R:
        A, b = 2 * lam * np.eye(V.shape[1]), np.zeros(V.shape[1])
        for j in range(len(V)):
            if r[j] != 0:
                A += np.outer(V[j], V[j])
                b += r[j] * V[j]
        U.append(np.linalg.inv(A) @ b)
    return np.array(U)


@skip_step.check("a small case by hand")
def _(answer):
    got = answer(STARS, APART, 0.35)
    expect_shape(got, (5, 2))
    why = (
        "The first person rated two items: V_i'V_i + 0.7 I = diag(4.7, 9.7) and "
        "V_i' r_i = (2 x 3, 3 x -4), so u = (6/4.7, -12/9.7)."
    )
    above = np.array([[6, -12], [10, 15], [26, 3], [14, 9], [20, -3]])
    below = np.array([[4.7, 9.7], [25.7, 9.7], [29.7, 9.7], [4.7, 9.7], [25.7, 9.7]])
    expect_close(got, above / below, why)
    _expect_array(got)


@skip_step.check("people with one rating or none")
def _(answer):
    got = answer(np.array([[0.0, 0.0, 2.0], [0.0, 0.0, 0.0]]), APART, 0.35)
    why = "V_i'V_i + 0.7 I = diag(25.7, 0.7) for who rated the last item; who rated nothing gets 0."
    expect_close(got, [[10 / 25.7, 0], [0, 0]], why)


@skip_step.check("random cases")
def _(answer):
    rng = np.random.default_rng(11)
    for m, n, k in [(4, 7, 3), (3, 5, 1), (1, 6, 2), (5, 1, 2)]:
        R = rng.integers(-3, 4, (m, n))  # whole numbers, negative ones and zeros among them
        V, lam = rng.normal(size=(n, k)), rng.random() + 0.2
        wanted = []
        for r in R:
            # Least squares on the rated rows with sqrt(2 lam) I below: another road to the minimum.
            tall = np.vstack([V[r != 0], np.sqrt(2 * lam) * np.eye(k)])
            target = np.append(r[r != 0], np.zeros(k))
            wanted.append(np.linalg.lstsq(tall, target, rcond=None)[0])
        got = answer(R, V, lam)
        expect_close(got, wanted)
        _expect_array(got)


@define(
    "als.weak_step",
    notebook=4,
    hints=[
        "Compute `V.T @ V` once, before the loop over the users. For user i, only the items with "
        "`R[i] > 0` need more.",
        "With `seen = np.flatnonzero(R[i])`, the matrix is V'V + V_s' diag(alpha r_s) V_s + 2 lam I"
        ", where V_s = `V[seen]` and r_s = `R[i, seen]`: the 1 of c = 1 + alpha r is in V'V.",
        "The right side is the sum of c_ij p_ij v_j. p is 1 for the seen and 0 for the others, so "
        "it is `V[seen].T @ (1 + alpha * R[i, seen])`. Solve, and put the result in row i.",
    ],
    equivalent={
        "line 3: np.zeros((len(R), V.shape[1])) -> np.ones((len(R), V.shape[1]))": (
            "every row is written over"
        ),
    },
)
def weak_step(R, V, lam, alpha):
    """Return the best U for V with p = 1 where R > 0, else 0, and c = 1 + alpha R on every cell."""
    U = np.zeros((len(R), V.shape[1]))
    everyone = V.T @ V + 2 * lam * np.eye(V.shape[1])
    for i, r in enumerate(R):
        seen = np.flatnonzero(r)
        Vs, extra = V[seen], alpha * r[seen]
        U[i] = np.linalg.solve(everyone + Vs.T @ (extra[:, None] * Vs), Vs.T @ (1 + extra))
    return U


def _weighted(R, V, lam, C, P):
    """Solve each user's weighted ridge regression in full: what the trick has to equal."""
    ridge = 2 * lam * np.eye(V.shape[1])
    rows = zip(C, P, strict=True)
    return np.array(
        [np.linalg.solve(V.T @ (c[:, None] * V) + ridge, V.T @ (c * p)) for c, p in rows]
    )


@weak_step.wrong(
    "You fitted the ratings: here R sets the weight c alone, and the target p is 1 for what was "
    "seen."
)
def fits_the_ratings(R, V, lam, alpha):
    return _weighted(R, V, lam, 1 + alpha * R, R)


@weak_step.wrong(
    "The unseen items are skipped: they count with weight 1 and target 0, which is why V'V of *all*"
    " items is in the matrix."
)
def skips_the_unseen(R, V, lam, alpha):
    return _weighted(R, V, lam, np.where(R > 0, 1 + alpha * R, 0), R > 0)


@weak_step.wrong(
    "Your weight is alpha r: it is 1 + alpha r, and the 1 counts on every cell. V'V of all items "
    "is missing."
)
def weighs_by_alpha_r_alone(R, V, lam, alpha):
    return _weighted(R, V, lam, alpha * R, R > 0)


@weak_step.wrong(
    "The seen items count once too often: V'V holds them with weight 1 already, so add alpha r, not"
    " 1 + alpha r."
)
def adds_the_whole_weight(R, V, lam, alpha):
    right = _right_side(R, V, alpha)
    return _solved(R, V, lam, 1 + np.where(R > 0, 1 + alpha * R, 0), right)


@weak_step.wrong("On the right side the weight is 1 + alpha r: you left out the 1.")
def forgets_the_one(R, V, lam, alpha):
    return _solved(R, V, lam, 1 + alpha * R, alpha * R @ V)


@weak_step.wrong(
    "On the right side you added up all items: p is 0 for the unseen ones, so they add nothing."
)
def counts_the_unseen_on_the_right(R, V, lam, alpha):
    return _solved(R, V, lam, 1 + alpha * R, (1 + alpha * R) @ V)


@weak_step.wrong("On the right side stands V' C p: you left out the weights, c = 1 + alpha r.")
def forgets_the_weight_on_the_right(R, V, lam, alpha):
    return _solved(R, V, lam, 1 + alpha * R, (R > 0) @ V)


@weak_step.wrong("On the right side stand weights times targets, and the targets are 1, not r.")
def puts_ratings_on_the_right(R, V, lam, alpha):
    return _solved(R, V, lam, 1 + alpha * R, R @ V)


@weak_step.wrong("You wrote lam, and it is 2 lam, as in lesson 03's steps.")
def weighs_by_lam(R, V, lam, alpha):
    return weak_step.reference(R, V, lam / 2, alpha)


@weak_step.wrong("You subtracted 2 lam: the penalty is added.")
def subtracts_lam_here(R, V, lam, alpha):
    return weak_step.reference(R, V, -lam, alpha)


@weak_step.wrong("You left alpha out: the weight of a seen item is 1 + alpha r.")
def forgets_alpha(R, V, lam, alpha):
    return weak_step.reference(R, V, lam, 1)


@weak_step.wrong("All seen items have the same weight: the rating belongs in it, 1 + alpha r.")
def forgets_the_rating(R, V, lam, alpha):
    return weak_step.reference((R > 0).astype(float), V, lam, alpha)


@weak_step.wrong("All cells have weight 1: the seen ones weigh 1 + alpha r.")
def forgets_the_weights(R, V, lam, alpha):
    return weak_step.reference(R, V, lam, 0)


@weak_step.wrong("You took the weights as they are *and* squared: c stands once in V' C V.")
def squares_the_weights(R, V, lam, alpha):
    return _weighted(R, V, lam, (1 + alpha * R) ** 2, R > 0)


def _right_side(R, V, alpha):
    return np.where(R > 0, 1 + alpha * R, 0) @ V


def _solved(R, V, lam, C, right):
    ridge = 2 * lam * np.eye(V.shape[1])
    rows = zip(C, right, strict=True)
    return np.array([np.linalg.solve(V.T @ (c[:, None] * V) + ridge, b) for c, b in rows])


@weak_step.wrong("The penalty is missing: add 2 lam on the diagonal, as in lesson 03's steps.")
def forgets_the_penalty_here(R, V, lam, alpha):
    return weak_step.reference(R, V, 0, alpha)


@weak_step.wrong(
    "You added 2 lam to every entry of the matrix: it belongs on the diagonal, 2 lam times "
    "`np.eye(k)`."
)
def forgets_the_identity_here(R, V, lam, alpha):
    right = _right_side(R, V, alpha)
    matrices = (V.T @ (c[:, None] * V) + 2 * lam for c in 1 + alpha * R)
    return np.array([np.linalg.solve(A, b) for A, b in zip(matrices, right, strict=True)])


@weak_step.wrong(
    "Each user's matrix starts anew from V'V + 2 lam I: yours still holds what earlier users added."
)
def keeps_adding(R, V, lam, alpha):
    U = np.zeros((len(R), V.shape[1]))
    A = V.T @ V + 2 * lam * np.eye(V.shape[1])
    for i, r in enumerate(R):
        A = A + V.T @ (alpha * r[:, None] * V)
        U[i] = np.linalg.solve(A, _right_side(r, V, alpha))
    return U


@weak_step.wrong("Only the first user was solved: `return` stands inside the loop.")
def returns_in_the_loop(R, V, lam, alpha):
    U = np.zeros((len(R), V.shape[1]))
    U[:1] = weak_step.reference(R[:1], V, lam, alpha)
    return U


@weak_step.wrong(expects="Is it transposed?")
def turns_them(R, V, lam, alpha):
    return weak_step.reference(R, V, lam, alpha).T


@weak_step.wrong(expects="come as a matrix")
def returns_a_matrix_here(R, V, lam, alpha):
    return np.asmatrix(weak_step.reference(R, V, lam, alpha))


COUNTS = np.array(
    [[2.0, 1.0, 0.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0], [1.0, 0.0, 5.0], [0.0, 4.0, 0.0]]
)


@weak_step.wrong("You took the logarithm of R: in this lesson the weight is 1 + alpha r.")
def takes_the_logarithm(R, V, lam, alpha):
    return weak_step.reference(np.log1p(R), V, lam, alpha)


@weak_step.wrong(
    "Your weight is (1 + alpha) r: it is 1 + alpha r, and an unseen cell has weight 1."
)
def misplaces_the_brackets(R, V, lam, alpha):
    return _weighted(R, V, lam, (1 + alpha) * R, R > 0)


@weak_step.wrong("The weight stands twice in your matrix: V' C V has it once.")
def weighs_both_sides(R, V, lam, alpha):
    C = 1 + alpha * R
    return _solved(R, V, lam, C**2, _right_side(R, V, alpha))


@weak_step.wrong("Your weight is alpha + r: it is 1 + alpha r.")
def adds_alpha(R, V, lam, alpha):
    return _weighted(R, V, lam, alpha + R, R > 0)


@weak_step.wrong("V'V is counted twice: V' C V has the 1 of each weight in it already.")
def counts_V_twice(R, V, lam, alpha):
    return _solved(R, V, lam, 2 + alpha * R, _right_side(R, V, alpha))


@weak_step.wrong("You took one matrix for all: each user has weights of their own.")
def takes_one_matrix_for_all(R, V, lam, alpha):
    C = np.tile((1 + alpha * R).sum(axis=0), (len(R), 1))
    return _solved(R, V, lam, C, _right_side(R, V, alpha))


@weak_step.right
def in_full(R, V, lam, alpha):
    C, P = 1 + alpha * R, R > 0
    A = np.einsum("ij,ja,jb->iab", C, V, V) + 2 * lam * np.eye(V.shape[1])
    return np.linalg.solve(A, ((C * P) @ V)[:, :, None])[:, :, 0]


@weak_step.right
def with_diagonal_matrices(R, V, lam, alpha):
    U = []
    for r in R:
        C = np.diag(1 + alpha * r)
        A = V.T @ C @ V + 2 * lam * np.eye(V.shape[1])
        U.append(np.linalg.inv(A) @ V.T @ C @ (r > 0))
    return np.array(U)


@weak_step.check("a small case by hand")
def _(answer):
    got = answer(COUNTS, APART, 0.35, 3.0)
    expect_shape(got, (5, 2))
    why = (
        "The first user has c = (7, 4, 1) and p = (1, 1, 0), so the matrix is "
        "diag(7 x 4 + 1 x 25, 4 x 9) + 0.7 I and the right side (7 x 2, 4 x 3): "
        "u = (14/53.7, 12/36.7). Who did nothing gets zeros."
    )
    wanted = [
        [14 / 53.7, 12 / 36.7],
        [50 / 254.7, 0],
        [0, 0],
        [88 / 416.7, 0],
        [0, 39 / 117.7],
    ]
    expect_close(got, wanted, why)
    _expect_array(got)


@weak_step.check("random cases")
def _(answer):
    rng = np.random.default_rng(4)
    for m, n, k in [(3, 5, 2), (4, 3, 3), (2, 8, 1), (1, 4, 3), (5, 1, 2)]:
        R, V = rng.integers(0, 6, (m, n)) * (rng.random((m, n)) < 0.5), rng.normal(size=(n, k))
        lam, alpha = rng.random(2) + 0.2
        wanted = _weighted(R, V, lam, 1 + alpha * R, R > 0)
        got = answer(R if k == 2 else R.astype(float), V, lam, alpha)
        expect_close(got, wanted)
        _expect_array(got)


@define(
    "empty.bias_step",
    notebook=4,
    hints=[
        "Set the derivative by a_i to zero: the sum over j of c_ij (a_i + b_j - p_ij), plus "
        "2 lam a_i, is 0. Collect what belongs to a_i.",
        "a_i times (the sum of the c_ij, plus 2 lam) is the sum of c_ij (p_ij - b_j).",
        "`P - b` takes b off every row. Sum over the columns with `.sum(axis=1)`: "
        "`(C * (P - b)).sum(axis=1) / (C.sum(axis=1) + 2 * lam)`.",
    ],
)
def bias_step(P, C, b, lam):
    """Return the best a, one number for each row of P: targets P, weights C, columns' biases b."""
    return (C * (P - b)).sum(axis=1) / (C.sum(axis=1) + 2 * lam)


@bias_step.wrong("You wrote lam, and it is 2 lam: the 1/2 of J stands before the fit only.")
def takes_one_lam(P, C, b, lam):
    return bias_step.reference(P, C, b, lam / 2)


@bias_step.wrong("The penalty is missing: below the line stands the sum of the weights plus 2 lam.")
def takes_no_lam(P, C, b, lam):
    with np.errstate(invalid="ignore"):  # a row without weight: 0 / 0
        return bias_step.reference(P, C, b, 0)


@bias_step.wrong("You subtracted 2 lam: the penalty is added to the sum of the weights.")
def takes_lam_off(P, C, b, lam):
    return bias_step.reference(P, C, b, -lam)


@bias_step.wrong("You added 2 lam for each column: it stands once for each row, outside the sum.")
def pays_for_each_column(P, C, b, lam):
    return (C * (P - b)).sum(axis=1) / (C + 2 * lam).sum(axis=1)


@bias_step.wrong("The columns' biases are not taken off: it is P - b that a has to explain.")
def forgets_b(P, C, b, lam):
    return bias_step.reference(P, C, 0 * b, lam)


@bias_step.wrong("You added b: it is taken off the targets, P - b.")
def adds_b(P, C, b, lam):
    return bias_step.reference(P, C, -b, lam)


@bias_step.wrong("b is taken off without its weights: it is the sum of c_ij (p_ij - b_j).")
def weighs_only_targets(P, C, b, lam):
    return ((C * P).sum(axis=1) - b.sum()) / (C.sum(axis=1) + 2 * lam)


@bias_step.wrong("Above the line the weights are missing: each error counts c_ij times.")
def forgets_weights_above(P, C, b, lam):
    return (P - b).sum(axis=1) / (C.sum(axis=1) + 2 * lam)


@bias_step.wrong(
    "Below the line stands the sum of the weights, not the number of columns: a cell of weight 0 "
    "does not count."
)
def counts_the_columns(P, C, b, lam):
    return (C * (P - b)).sum(axis=1) / (P.shape[1] + 2 * lam)


@bias_step.wrong(
    "Below the line you counted the cells with a weight: add up the weights themselves, "
    "`C.sum(axis=1)`."
)
def counts_the_cells(P, C, b, lam):
    return (C * (P - b)).sum(axis=1) / ((C > 0).sum(axis=1) + 2 * lam)


@bias_step.wrong("You used the weights as yes or no: a cell counts c_ij times, above and below.")
def takes_weights_for_a_mask(P, C, b, lam):
    return bias_step.reference(P, (C > 0).astype(float), b, lam)


@bias_step.wrong("No weight is used: a cell counts c_ij times, above and below the line.")
def uses_no_weights(P, C, b, lam):
    return bias_step.reference(P, np.ones_like(C, dtype=float), b, lam)


@bias_step.wrong("You took the mean above the line: it is a sum, divided once, by the line below.")
def takes_a_mean(P, C, b, lam):
    return (C * (P - b)).mean(axis=1) / (C.sum(axis=1) + 2 * lam)


@bias_step.wrong("The sign is turned round: a is what is left of the targets, P - b.")
def turns_the_sign(P, C, b, lam):
    return -bias_step.reference(P, C, b, lam)


@bias_step.wrong("You left out the division by the sum of the weights plus 2 lam.")
def does_not_divide(P, C, b, lam):
    return (C * (P - b)).sum(axis=1)


@bias_step.wrong(expects="it should have shape (5,)")
def sums_the_other_way(P, C, b, lam):
    return (C * (P - b)).sum(axis=0) / (C.sum(axis=0) + 2 * lam)


@bias_step.wrong(expects="it should have shape (5,)")
def returns_a_column(P, C, b, lam):
    return bias_step.reference(P, C, b, lam)[:, None]


@bias_step.wrong(expects="it should have shape (5,)")
def sums_everything(P, C, b, lam):
    return (C * (P - b)).sum() / (C.sum() + 2 * lam)


@bias_step.wrong(expects="return np.array(...)")
def returns_a_list(P, C, b, lam):
    return list(bias_step.reference(P, C, b, lam))


TARGETS = np.array(
    [[4.0, 2.0, 7.0], [0.0, -1.0, 3.0], [6.0, 5.0, 2.0], [1.0, 0.0, 0.0], [-2.0, 3.0, 1.0]]
)
WEIGHTS = np.array(
    [[2.0, 0.0, 5.0], [1.0, 3.0, 1.5], [0.0, 0.0, 0.0], [0.0, 4.0, 0.0], [1.0, 1.0, 1.0]]
)
COLUMNS = np.array([1.0, -3.0, 0.5])


@bias_step.wrong("That is a plain mean of P - b: weigh each cell by c_ij, and add 2 lam below.")
def takes_the_plain_mean(P, C, b, lam):
    return (P - b).mean(axis=1)


@bias_step.wrong("You squared the weights: a cell counts c_ij times, above and below.")
def squares_each_weight(P, C, b, lam):
    return bias_step.reference(P, C**2, b, lam)


@bias_step.wrong("Below stands the sum of all weights: each row has its own, `C.sum(axis=1)`.")
def adds_all_weights(P, C, b, lam):
    return (C * (P - b)).sum(axis=1) / (C.sum() + 2 * lam)


@bias_step.wrong("You took the mean of b: each column has its own, `P - b`.")
def takes_the_mean_of_b(P, C, b, lam):
    return bias_step.reference(P, C, np.full(len(b), b.mean()), lam)


@bias_step.wrong(
    "You left out the cells whose target is 0: a target of 0 counts, if its weight does."
)
def leaves_out_targets_of_zero(P, C, b, lam):
    return bias_step.reference(P, C * (P != 0), b, lam)


@bias_step.wrong("Division comes before addition: put brackets around `C.sum(axis=1) + 2 * lam`.")
def forgets_the_brackets(P, C, b, lam):
    below = C.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (C * (P - b)).sum(axis=1) / below + 2 * lam


@bias_step.wrong("What stands behind the point is cut off: write / in place of //.")
def cuts_off(P, C, b, lam):
    return (C * (P - b)).sum(axis=1) // (C.sum(axis=1) + 2 * lam)


@bias_step.right
def row_by_row(P, C, b, lam):
    rows = zip(P, C, strict=True)
    return np.array([c @ (p - b) / (c.sum() + 2 * lam) for p, c in rows])


@bias_step.right
def multiplied_out(P, C, b, lam):
    return (np.einsum("ij,ij->i", C, P) - C @ b) / (C @ np.ones(len(b)) + 2 * lam)


@bias_step.check("a small case by hand")
def _(answer):
    got = answer(TARGETS, WEIGHTS, COLUMNS, 0.35)
    expect_shape(got, (5,))
    why = (
        "First row: above 2 x (4 - 1) + 0 x (2 + 3) + 5 x (7 - 0.5) = 38.5, below "
        "2 + 0 + 5 + 2 x 0.35 = 7.7. A row without weight gets 0."
    )
    expect_close(got, [38.5 / 7.7, 8.75 / 6.2, 0, 12 / 4.7, 3.5 / 3.7], why)
    _expect_array(got)


@bias_step.check("random cases")
def _(answer):
    rng = np.random.default_rng(12)
    for m, n in [(4, 3), (1, 5), (5, 1), (2, 7)]:
        P, C = rng.integers(-4, 5, (m, n)), rng.integers(0, 4, (m, n))
        b, lam = rng.normal(size=n), rng.random() + 0.2
        wanted = []
        for p, c in zip(P, C, strict=True):
            # Least squares with sqrt(2 lam) as a last row: another road to the minimum.
            tall = np.append(np.sqrt(c), np.sqrt(2 * lam))[:, None]
            target = np.append(np.sqrt(c) * (p - b), 0)
            wanted.append(np.linalg.lstsq(tall, target, rcond=None)[0][0])
        got = answer(P, C, b, lam)
        expect_close(got, wanted)
        _expect_array(got)


define_quiz(
    "empty.recap",
    notebook=4,
    questions=[
        Choice(
            "empty.q_clicks",
            "A shop's log has clicks only: 1 where somebody clicked. A colleague fits it with "
            '`unseen="skip"`. What will the scores look like?',
            right="all close to 1, clicked or not",
            because="Among the cells that count there are only ones, so *always 1* fits best.",
            wrong={
                "near 1 where clicked, near 0 elsewhere": "One hopes for that. But an empty cell "
                "does not count here, so nothing pulls its score towards 0.",
                "all close to 0, since most cells are empty": "Empty cells pull to 0 in the "
                "reading *zero*. Skip leaves them out of J.",
            },
            answer="'all close to 1, clicked or not' if yes.min() > 0.85 else 'near 0'",
        ),
        Choice(
            "empty.q_bias",
            "Sorted by the biases of the reading *weak*, Forrest Gump and Pulp Fiction come first. "
            "Somebody concludes that people like them best. What is wrong?",
            right="such a bias follows how many people rated a film",
            because="Weak's target is 1 in a rated cell and 0 in an empty one: its biases count.",
            wrong={
                "nothing: a bias says how many stars more than usual": "That holds for skip, whose "
                "targets are stars. Weak's targets are 1 and 0.",
                "biases of different films cannot be compared": "They can: they share one unit. "
                "Which unit it is, the targets decide.",
            },
            answer="'such a bias follows how many people rated a film' "
            "if np.corrcoef(b_weak, raters)[0, 1] > 0.9 else 'nothing'",
        ),
        Number(
            "empty.q_trick",
            "1,000 people, 2,000 products, and 1 % of the cells are filled. By which factor does "
            "the trick for weak evidence cut the number of products v v'?",
            right=91,
            because="2,000,000 products become 2,000 for V'V, once for all, and 20,000 for the "
            "filled cells.",
            wrong={
                100: "You forgot V'V: its 2,000 products are needed once, beside the 20,000.",
                "else": "Without the trick there are 1,000 x 2,000 products; with it one for each "
                "product of the shop, and one for each filled cell.",
            },
            tolerance=1,
            answer="1000 * 2000 / (2000 + 0.01 * 1000 * 2000)",
        ),
        Several(
            "empty.q_films",
            "From a table of stars you are to list films that a person will go on to rate. Which "
            "of these fit that question?",
            right=["zero, with lam chosen by nDCG", "weak, with lam chosen by nDCG"],
            because="Which films somebody rates is in the empty cells, and both let these say no.",
            wrong={
                "skip with biases, with lam chosen by RMSE": "It foresees stars best, and finds "
                "fewer films than popularity: it leaves out the cells that know.",
                "the film means, damped": "They say how good a film is to those who rated it. Who "
                "will rate it is another question.",
            },
            missing={
                "zero, with lam chosen by nDCG": "Zero answers it too: read as a rating of 0, an "
                "empty cell says *did not rate*.",
                "weak, with lam chosen by nDCG": "Weak answers it too: an empty cell is a faint "
                "sign of no interest.",
            },
            answer="['zero, with lam chosen by nDCG', 'weak, with lam chosen by nDCG'] "
            "if against[0.0, 'skip'][0] < 0 < min(against[0.0, 'zero'][0], "
            "against[0.0, 'weak'][0]) else []",
        ),
        Choice(
            "empty.q_weights",
            "In the made world the rated cells have a higher mean than all cells. A colleague "
            "weighs each rated cell by its propensity q, not by 1/q. What happens to the mean?",
            right="it moves further up",
            because="Cells with many stars have a large q: they would count even more than now.",
            wrong={
                "it comes down to that of all cells": "Only 1/q undoes the choice: it lets a cell "
                "count for all those like it that stayed empty.",
                "it stays, since all weights are above 0": "The weights differ from cell to cell, "
                "and the larger ones stand on the cells with many stars.",
            },
            answer="'it moves further up' if np.average(world[seen], weights=q[seen]) "
            "> world[seen].mean() else 'it stays'",
        ),
    ],
)
