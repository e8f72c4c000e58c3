"""The exercises of notebook 03, ALS: the gradient, the half step, and where it must end."""

import numpy as np

from .engine import Mistake, as_array, define, expect, expect_shape, short
from .questions import Choice, Number, Several, define_quiz


def _pair(got, names):
    if not isinstance(got, tuple | list) or len(got) != 2:
        many = f"{len(got)} things" if isinstance(got, tuple | list) else type(got).__name__
        raise Mistake(f"Return two arrays, `{names}`; you returned {many}.")
    return [as_array(each) for each in got]


def _expect_close(got, wanted, what, why=""):
    """Demand these numbers; `what` names for the learner what is compared."""
    wanted = np.asarray(wanted, dtype=float)
    array = expect_shape(got, wanted.shape, what)
    wrong = ~np.isclose(array, wanted, rtol=1e-9, atol=1e-9)
    if wrong.any():
        place = tuple(int(each) for each in np.argwhere(wrong)[0])
        one, other = short(array[place]), short(wanted[place])
        says = f"{what} has {one} at position {list(place)}; right is {other}. {why}"
        raise Mistake(says.strip())


def _table(rng, m, n):
    """Draw ratings from -2 to 5, with cells that are 0."""
    return rng.integers(-2, 6, (m, n)) * (rng.random((m, n)) < 0.7).astype(float)


@define(
    "als.gradient",
    notebook=3,
    hints=[
        "Start with the errors, all at once: `E = U @ V.T - R`. J is half the sum of their squares,"
        " plus lam times the sum of the squares in U and in V.",
        "For one cell, the derivative of (u_i . v_j - r_ij)^2 / 2 by u_i is (u_i . v_j - r_ij) v_j."
        " Added up over j, for all i at once, this is `E @ V`. What does lam |u_i|^2 add?",
        "The derivative of lam u^2 is 2 lam u. So dU = `E @ V + 2 * lam * U`; for dV the parts "
        "change places and E is transposed.",
    ],
)
def gradient(R, U, V, lam):
    """Return dJ/dU and dJ/dV of J = 1/2 |R - U V'|^2 + lam |U|^2 + lam |V|^2, shaped as U and V."""
    E = U @ V.T - R
    return E @ V + 2 * lam * U, E.T @ U + 2 * lam * V


@gradient.wrong(
    "You wrote lam, and it is 2 lam: the 1/2 stands before the fit only, so the square of the "
    "penalty leaves its 2 behind."
)
def writes_lam(R, U, V, lam):
    return gradient.reference(R, U, V, lam / 2)


@gradient.wrong("Both halves need 2 lam: in the one for V you wrote lam.")
def writes_lam_for_items(R, U, V, lam):
    return gradient.reference(R, U, V, lam)[0], gradient.reference(R, U, V, lam / 2)[1]


@gradient.wrong("Both halves need 2 lam: in the one for U you wrote lam.")
def writes_lam_for_users(R, U, V, lam):
    return gradient.reference(R, U, V, lam / 2)[0], gradient.reference(R, U, V, lam)[1]


@gradient.wrong("The 1/2 before the fit cancels the 2 of its square: it is E @ V, not 2 E @ V.")
def keeps_the_two_of_the_fit(R, U, V, lam):
    E = U @ V.T - R
    return 2 * E @ V + 2 * lam * U, 2 * E.T @ U + 2 * lam * V


@gradient.wrong("You kept the 1/2: the 2 of the square cancels it, so it is E @ V, not half of it.")
def keeps_the_half(R, U, V, lam):
    E = (U @ V.T - R) / 2
    return E @ V + 2 * lam * U, E.T @ U + 2 * lam * V


@gradient.wrong("The penalty is missing: lam |U|^2 has a derivative too.")
def forgets_the_penalty(R, U, V, lam):
    return gradient.reference(R, U, V, 0)


@gradient.wrong("The sign of the fit is turned round: with E = R - U V' the first part is -E @ V.")
def turns_the_error_round(R, U, V, lam):
    E = R - U @ V.T
    return E @ V + 2 * lam * U, E.T @ U + 2 * lam * V


@gradient.wrong("That is the way downhill: the gradient itself points uphill, so change the sign.")
def points_downhill(R, U, V, lam):
    return tuple(-part for part in gradient.reference(R, U, V, lam))


@gradient.wrong(
    "You divided by the number of cells: J is a sum, not a mean, so its gradient is one as well."
)
def takes_the_mean(R, U, V, lam):
    E = (U @ V.T - R) / R.size
    return E @ V + 2 * lam * U, E.T @ U + 2 * lam * V


@gradient.wrong(
    "You left out the cells that are 0. This J counts every cell, also an empty one. (Lesson 04 "
    "leaves them out, and that is another J.)"
)
def counts_only_what_is_rated(R, U, V, lam):
    E = np.where(R != 0, U @ V.T - R, 0)
    return E @ V + 2 * lam * U, E.T @ U + 2 * lam * V


@gradient.wrong("The derivative of lam u^2 is 2 lam u: multiply 2 lam by U and by V.")
def adds_two_lam_alone(R, U, V, lam):
    E = U @ V.T - R
    return E @ V + 2 * lam, E.T @ U + 2 * lam


@gradient.wrong("The derivative of lam u^2 is 2 lam u, without the square.")
def keeps_the_square(R, U, V, lam):
    E = U @ V.T - R
    return E @ V + 2 * lam * U**2, E.T @ U + 2 * lam * V**2


@gradient.wrong("The two are in the other order: first dU, shaped as U, then dV.")
def swaps_the_two(R, U, V, lam):
    return gradient.reference(R, U, V, lam)[::-1]


@gradient.wrong(
    "You added the penalty itself, lam u^2: it is its derivative, 2 lam u, that counts."
)
def adds_the_penalty_itself(R, U, V, lam):
    E = U @ V.T - R
    return E @ V + lam * U**2, E.T @ U + lam * V**2


@gradient.wrong(expects="two arrays")
def gives_only_one_side(R, U, V, lam):
    return gradient.reference(R, U, V, lam)[0]


@gradient.wrong(expects="np.zeros(U.shape)")
def rounds_where_the_factors_are_whole_numbers(R, U, V, lam):
    dU, dV = np.zeros_like(U), np.zeros_like(V)
    dU[:], dV[:] = gradient.reference(R, U, V, lam)
    return dU, dV


# Two users, three items, one factor: the errors are 2, -3, -5 and 1, -3, 0.
TWO_USERS = (
    np.array([[0.0, 2.0, 9.0], [5.0, 0.0, 12.0]]),
    np.array([[1.0], [3.0]]),
    np.array([[2.0], [-1.0], [4.0]]),
)


def _slopes(f, A):
    """Return the central difference for each entry: exact, since f is quadratic in each."""
    found = np.zeros(A.shape)
    for place in np.ndindex(A.shape):
        step = np.zeros(A.shape)
        step[place] = 0.5
        found[place] = f(A + step) - f(A - step)
    return found


@gradient.wrong(
    "You kept the 2 of the fit, and lost that of the penalty: E @ V + 2 lam U is right."
)
def keeps_the_other_two(R, U, V, lam):
    E = U @ V.T - R
    return 2 * E @ V + lam * U, 2 * E.T @ U + lam * V


@gradient.wrong("The sign of the penalty is turned round: add 2 lam U, add 2 lam V.")
def subtracts_the_penalty(R, U, V, lam):
    return gradient.reference(R, U, V, -lam)


@gradient.wrong("You divided the fit by the number of rows or columns: J is a sum, not a mean.")
def takes_means_of_the_fit(R, U, V, lam):
    E = U @ V.T - R
    return E @ V / R.shape[1] + 2 * lam * U, E.T @ U / R.shape[0] + 2 * lam * V


@gradient.wrong("You squared the errors: their derivative has them once, as E @ V.")
def squares_the_errors(R, U, V, lam):
    E = (U @ V.T - R) ** 2
    return E @ V + 2 * lam * U, E.T @ U + 2 * lam * V


@gradient.wrong("You used the length of U and V: the derivative of lam |U|^2 is 2 lam U itself.")
def adds_the_length(R, U, V, lam):
    E = U @ V.T - R
    return E @ V + 2 * lam * np.linalg.norm(U), E.T @ U + 2 * lam * np.linalg.norm(V)


@gradient.wrong("You took 4 lam: the derivative of lam u^2 is 2 lam u.")
def takes_four_lam(R, U, V, lam):
    return gradient.reference(R, U, V, 2 * lam)


@gradient.wrong("The error is missing: E = U @ V.T - R, and yours is R alone.")
def forgets_the_prediction(R, U, V, lam):
    return R @ V + 2 * lam * U, R.T @ U + 2 * lam * V


@gradient.wrong("You took steps: return the gradient alone, without subtracting it.")
def takes_a_step(R, U, V, lam):
    dU, dV = gradient.reference(R, U, V, lam)
    return U - dU, V - dV


@gradient.right
def multiplied_out(R, U, V, lam):
    dU = U @ (V.T @ V) - R @ V + 2 * lam * U
    return dU, V @ (U.T @ U) - R.T @ U + 2 * lam * V


@gradient.right
def cell_by_cell(R, U, V, lam):
    dU, dV = 2.0 * lam * U, 2.0 * lam * V
    for i, j in np.ndindex(R.shape):
        error = U[i] @ V[j] - R[i, j]
        dU[i] += error * V[j]
        dV[j] += error * U[i]
    return dU, dV


@gradient.check("two arrays come back, shaped like U and V")
def _(answer):
    for name, got, like in zip(
        "UV", _pair(answer(*TWO_USERS, 0.15), "dU, dV"), TWO_USERS[1:], strict=True
    ):
        says = f"d{name} has shape {got.shape}, {name} has shape {like.shape}: they must agree."
        expect(got.shape == like.shape, says)


@gradient.check("a small case by hand")
def _(answer):
    dU, dV = _pair(answer(*TWO_USERS, 0.15), "dU, dV")
    why = "User 1 has the errors 2, -3, -5: 2 x 2 - 3 x (-1) - 5 x 4 = -13, and 0.3 x 1 = 0.3."
    _expect_close(dU, [[-12.7], [5.9]], "dU", why)
    why = "The first item has the errors 2 and 1: 2 x 1 + 1 x 3 = 5, and 0.3 x 2 = 0.6."
    _expect_close(dV, [[5.6], [-12.3], [-3.8]], "dV", why)


@gradient.check("random cases, by finite differences")
def _(answer):
    rng = np.random.default_rng(1)
    for m, n, k in [(3, 5, 2), (5, 2, 3), (1, 4, 2), (4, 1, 3), (3, 3, 3)]:
        R, U, V = _table(rng, m, n), rng.normal(size=(m, k)), rng.normal(size=(n, k))

        def J(U, V, R=R):
            return np.sum((R - U @ V.T) ** 2) / 2 + 0.7 * (np.sum(U**2) + np.sum(V**2))

        dU, dV = _pair(answer(R, U, V, 0.7), "dU, dV")
        why = "J rises otherwise when this entry moves."
        _expect_close(dU, _slopes(lambda U, V=V, J=J: J(U, V), U), "dU", why)
        _expect_close(dV, _slopes(lambda V, U=U, J=J: J(U, V), V), "dV", why)


@gradient.check("edge cases")
def _(answer):
    dU, dV = _pair(answer(np.ones((2, 3)), np.zeros((2, 1)), np.zeros((3, 1)), 0.1), "dU, dV")
    _expect_close(dU, np.zeros((2, 1)), "dU", "At U = V = 0 the ground is level: a saddle.")
    _expect_close(dV, np.zeros((3, 1)), "dV", "At U = V = 0 the ground is level: a saddle.")
    whole = [part.astype(int) for part in TWO_USERS]
    dU, dV = _pair(answer(*whole, 0.15), "dU, dV")
    why = "R, U and V hold whole numbers here. Is there an np.zeros_like(U)? Use np.zeros(U.shape)."
    _expect_close(dU, [[-12.7], [5.9]], "dU", why)
    _expect_close(dV, [[5.6], [-12.3], [-3.8]], "dV", why)


@define(
    "als.user_step",
    notebook=3,
    hints=[
        "Set the gradient with respect to U to zero: (U V' - R) V + 2 lam U = 0. Collect what "
        "belongs to U.",
        "U (V'V + 2 lam I) = R V. The matrix in brackets is k x k and the same for all users.",
        "`np.linalg.solve(A, B)` gives the X with A X = B. Transpose the equation first: "
        "(V'V + 2 lam I) U' = V' R', and transpose what comes out.",
    ],
)
def user_step(R, V, lam):
    """Return the U (users x k) that makes J least while V (items x k) stays as it is."""
    A = V.T @ V + 2 * lam * np.eye(V.shape[1])
    return np.linalg.solve(A, V.T @ R.T).T


@user_step.wrong(
    "You regularised by lam: the article's 1/2 stands before the fit only, which makes it 2 lam."
)
def regularises_by_lam(R, V, lam):
    return user_step.reference(R, V, lam / 2)


@user_step.wrong("Nothing holds U small: add 2 lam on the diagonal of V'V.")
def forgets_lam(R, V, lam):
    return user_step.reference(R, V, 0)


@user_step.wrong(
    "You added 2 lam to every entry of V'V: it belongs on the diagonal, 2 lam times `np.eye(k)`."
)
def forgets_the_identity(R, V, lam):
    return np.linalg.solve(V.T @ V + 2 * lam, V.T @ R.T).T


@user_step.wrong("Your result is k x users: transpose it.")
def forgets_to_turn_back(R, V, lam):
    return user_step.reference(R, V, lam).T


@user_step.wrong("You returned R V: solve the k x k system as well.")
def forgets_to_solve(R, V, lam):
    return R @ V


@user_step.wrong("You multiplied by V'V + 2 lam I: divide by it, that is, solve.")
def multiplies(R, V, lam):
    return R @ V @ (V.T @ V + 2 * lam * np.eye(V.shape[1]))


@user_step.wrong("You subtracted 2 lam: the penalty is added to V'V.")
def subtracts_lam(R, V, lam):
    return user_step.reference(R, V, -lam)


@user_step.wrong(
    "You left out the cells that are 0. Here an empty cell is a rating of 0, so V'V has all items "
    "in it, for every user. (Lesson 04 leaves them out, and that is another J.)"
)
def fits_only_what_is_rated(R, V, lam):
    U = np.zeros((len(R), V.shape[1]))
    for i, r in enumerate(R):
        rated = np.flatnonzero(r)
        U[i] = user_step.reference(r[None, rated], V[rated], lam)[0]
    return U


@user_step.wrong(
    "`A ** -1` is one over each entry, and not the inverse: use `np.linalg.solve` (or "
    "`np.linalg.inv`)."
)
def inverts_entry_by_entry(R, V, lam):
    A = V.T @ V + 2 * lam * np.eye(V.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return R @ V @ (A * 1.0) ** -1


@user_step.wrong(
    "2 lam counts n times here, n being the number of items. J is a sum and no mean: neither lam "
    "nor V'V has to do with n."
)
def multiplies_lam_by_the_items(R, V, lam):
    return user_step.reference(R, V, lam * len(V))


@user_step.wrong(
    "It is least squares without a penalty, divided by 1 + 2 lam: add 2 lam to the diagonal of "
    "V'V, and then solve."
)
def shrinks_afterwards(R, V, lam):
    return user_step.reference(R, V, 0) / (1 + 2 * lam)


@user_step.wrong(expects="np.zeros((len(R), V.shape[1]))")
def rounds_where_ratings_are_whole_numbers(R, V, lam):
    U = np.zeros((len(R), V.shape[1]), dtype=R.dtype)
    U[:] = user_step.reference(R, V, lam)
    return U


# V'V = diag(5, 9) here, so each factor can be worked out alone; user 1 has an empty cell.
ONE_USER = np.array([[7.0, 0.0, 4.0]])
APART = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 3.0]])


@user_step.wrong("You took 4 lam: it is 2 lam on the diagonal.")
def takes_four_lam_here(R, V, lam):
    return user_step.reference(R, V, 2 * lam)


@user_step.wrong("You squared lam: it is 2 lam on the diagonal.")
def squares_lam(R, V, lam):
    return user_step.reference(R, V, lam**2 / 2)


@user_step.wrong("You left out what V's columns have in common: solve with all of V'V + 2 lam I.")
def takes_the_diagonal_alone(R, V, lam):
    return R @ V / ((V**2).sum(axis=0) + 2 * lam)


@user_step.wrong("You returned the scores, users x items: U alone is asked for, users x k.")
def returns_the_scores(R, V, lam):
    return user_step.reference(R, V, lam) @ V.T


@user_step.wrong("You added 2 lam on the right side as well: there stands R V alone.")
def adds_lam_on_the_right(R, V, lam):
    A = V.T @ V + 2 * lam * np.eye(V.shape[1])
    return np.linalg.solve(A, V.T @ R.T + 2 * lam).T


@user_step.wrong("2 lam counts m times here, m being the number of users: J pays it once a user.")
def multiplies_lam_by_the_users(R, V, lam):
    return user_step.reference(R, V, lam * len(R))


@user_step.wrong(
    "You divided V'V and lam by 2, but not R V: multiply all of the equation, or nothing."
)
def halves_one_side(R, V, lam):
    return 2 * user_step.reference(R, V, lam)


@user_step.wrong("You cut off what is below 0: factors may be negative.")
def cuts_off_what_is_negative(R, V, lam):
    return np.maximum(user_step.reference(R, V, lam), 0)


@user_step.right
def by_the_inverse(R, V, lam):
    return R @ V @ np.linalg.inv(V.T @ V + 2 * lam * np.identity(V.shape[1]))


@user_step.right
def user_by_user(R, V, lam):
    k = V.shape[1]
    tall = np.vstack([V, np.sqrt(2 * lam) * np.eye(k)])
    return np.array([np.linalg.lstsq(tall, np.r_[r, np.zeros(k)], rcond=None)[0] for r in R])


@user_step.check("a row comes back for each user")
def _(answer):
    expect_shape(answer(ONE_USER, APART, 0.25), (1, 2), "U")


@user_step.check("a small case by hand")
def _(answer):
    why = "V'V + 0.5 I = diag(5.5, 9.5), and V'r = (7, 12): U is 7/5.5 and 12/9.5."
    _expect_close(answer(ONE_USER, APART, 0.25), [[7 / 5.5, 12 / 9.5]], "U", why)


@user_step.check("random cases")
def _(answer):
    rng = np.random.default_rng(2)
    for m, n, k in [(4, 3, 2), (2, 6, 3), (3, 2, 4), (1, 5, 2), (5, 1, 1), (3, 3, 3)]:
        R, V, lam = _table(rng, m, n), rng.normal(size=(n, k)), rng.random() + 0.1
        # Least squares on V with sqrt(2 lam) I below it: another road to the same minimum.
        tall = np.vstack([V, np.sqrt(2 * lam) * np.eye(k)])
        wanted = np.linalg.lstsq(tall, np.vstack([R.T, np.zeros((k, m))]), rcond=None)[0].T
        _expect_close(answer(R, V, lam), wanted, "U")


@user_step.check("edge cases")
def _(answer):
    got = answer(np.zeros((1, 3)), np.ones((3, 2)), 0.5)
    _expect_close(got, [[0, 0]], "U", "A row of zeros is fitted best, and at no cost, by u = 0.")
    why = (
        "R and V hold whole numbers here, and U does not: make room for it with "
        "np.zeros((len(R), V.shape[1]))."
    )
    got = answer(ONE_USER.astype(int), APART.astype(int), 0.25)
    _expect_close(got, [[7 / 5.5, 12 / 9.5]], "U", why)


def _product_and_sizes(got):
    """U V', |U|^2 and |V|^2, in one list: U and V themselves may be turned."""
    U, V = got
    return np.concatenate([np.ravel(U @ V.T), [np.sum(U**2), np.sum(V**2), U.shape[1]]])


def _a_table_and_price(rng):
    """A table, a number of factors that it has, and a penalty."""
    m, n = rng.integers(1, 7, size=2)
    k = int(rng.integers(1, min(m, n) + 1))
    return rng.normal(scale=3, size=(m, n)), k, float(rng.uniform(0.1, 2))


@define(
    "als.soft_threshold",
    notebook=3,
    look=_product_and_sizes,
    looked_at="U @ V.T, |U|^2 and |V|^2",
    inputs=_a_table_and_price,
    hints=[
        "Begin as in lesson 02: `U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)`.",
        "Subtract 2 lam from each singular value; one that would fall below zero becomes zero: "
        "`np.maximum(..., 0)`.",
        "Keep k of them, and give each side the square root: `root = np.sqrt(...)`, "
        "`U1[:, :k] * root` and `V1t[:k].T * root`.",
    ],
    equivalent={
        "line 3: full_matrices=False -> full_matrices=True": "the columns it adds are cut off",
        "line 3: np.linalg.svd(R, full_matrices=False) -> np.linalg.svd(R)": (
            "the columns it adds are cut off"
        ),
        "line 4: np.maximum(sigma[:k] - 2 * lam, 0) -> np.maximum(0, sigma[:k] - 2 * lam)": (
            "a maximum does not care for the order"
        ),
    },
)
def soft_threshold(R, k, lam):
    """Return the U (users x k) and V (items x k) that make J least on a full matrix R."""
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(np.maximum(sigma[:k] - 2 * lam, 0))
    return U1[:, :k] * root, V1t[:k].T * root


@soft_threshold.wrong(
    "You subtracted lam: |U|^2 and |V|^2 each cost lam, so a singular value pays 2 lam."
)
def subtracts_one_lam(R, k, lam):
    return soft_threshold.reference(R, k, lam / 2)


@soft_threshold.wrong(
    "That is the truncated SVD: the penalty also makes the values that stay smaller, by 2 lam."
)
def only_truncates(R, k, lam):
    return soft_threshold.reference(R, k, 0)


@soft_threshold.wrong(
    "You dropped the small singular values and left the others as they were (a hard threshold): "
    "each one that stays is smaller by 2 lam."
)
def thresholds_hard(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(np.where(sigma[:k] > 2 * lam, sigma[:k], 0))
    return U1[:, :k] * root, V1t[:k].T * root


@soft_threshold.wrong(
    "You divided by 1 + 2 lam, as ridge regression does with one side fixed: with both sides free, "
    "2 lam is subtracted."
)
def divides(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(sigma[:k] / (1 + 2 * lam))
    return U1[:, :k] * root, V1t[:k].T * root


@soft_threshold.wrong(
    "A singular value below 2 lam became negative, and its root is not a number: it is switched "
    "off, so floor the difference at 0."
)
def forgets_the_floor(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    with np.errstate(invalid="ignore"):
        root = np.sqrt(sigma[:k] - 2 * lam)
    return U1[:, :k] * root, V1t[:k].T * root


@soft_threshold.wrong(
    "A singular value below 2 lam came back with its sign turned: it is switched off, so floor the "
    "difference at 0."
)
def takes_the_size(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(np.abs(sigma[:k] - 2 * lam))
    return U1[:, :k] * root, V1t[:k].T * root


@soft_threshold.wrong(
    "All of sigma is on one side: the product is right, but |U|^2 + |V|^2 is not least. Give each "
    "side the square root."
)
def loads_one_side(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    return U1[:, :k] * np.maximum(sigma[:k] - 2 * lam, 0), V1t[:k].T


@soft_threshold.wrong(
    "All of sigma is on both sides, so the product has it twice: give each side the square root."
)
def loads_both_sides(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    left = np.maximum(sigma[:k] - 2 * lam, 0)
    return U1[:, :k] * left, V1t[:k].T * left


@soft_threshold.wrong(
    "Sigma has gone missing: give each side the square root of what is left of it."
)
def loses_sigma(R, k, lam):
    U1, _, V1t = np.linalg.svd(R, full_matrices=False)
    return U1[:, :k], V1t[:k].T


@soft_threshold.wrong(
    "You subtracted 2 lam from the square roots: subtract it from the singular values first."
)
def shrinks_the_roots(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.maximum(np.sqrt(sigma[:k]) - 2 * lam, 0)
    return U1[:, :k] * root, V1t[:k].T * root


@soft_threshold.wrong(
    "You dropped the factors that are switched off. Keep their columns, all zeros, so that U and V "
    "have k columns at any lam."
)
def drops_the_columns_of_zeros(R, k, lam):
    U, V = soft_threshold.reference(R, k, lam)
    left = np.any(U != 0, axis=0)
    return U[:, left], V[:, left]


@soft_threshold.wrong(
    "The penalty is 2 lam for each singular value, and not for its square (the eigenvalue of R'R)."
)
def subtracts_from_the_squares(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(np.sqrt(np.maximum(sigma[:k] ** 2 - 2 * lam, 0)))
    return U1[:, :k] * root, V1t[:k].T * root


@soft_threshold.wrong(
    "You subtracted 4 lam: |U|^2 and |V|^2 together cost 2 lam for each unit of a singular value."
)
def subtracts_four_lam(R, k, lam):
    return soft_threshold.reference(R, k, 2 * lam)


@soft_threshold.wrong(
    "You shrank every entry of R. Shrink its singular values: 2 lam less, and at least 0."
)
def shrinks_the_entries(R, k, lam):
    small = np.sign(R) * np.maximum(np.abs(R) - 2 * lam, 0)
    return soft_threshold.reference(small, k, 0)


@soft_threshold.wrong("V is k x items: turn it round, so that an item has a row (`V1t[:k].T`).")
def leaves_v_turned(R, k, lam):
    U, V = soft_threshold.reference(R, k, lam)
    return U, V.T


@soft_threshold.wrong(expects="3 things")
def gives_three_parts(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    return U1[:, :k], np.maximum(sigma[:k] - 2 * lam, 0), V1t[:k].T


@soft_threshold.wrong(expects="two arrays")
def multiplies_out(R, k, lam):
    U, V = soft_threshold.reference(R, k, lam)
    return U @ V.T


# Singular values 25 and 3 can be read off; not square, or U and V could be swapped unseen; and not
# diagonal, or to shrink the entries would do.
TWO_VALUES = np.array([[15.0, 0.0, 20.0], [0.0, 3.0, 0.0]])
FITS = {  # the first tells the slips apart: one singular value stays, one goes
    2.0: ([[12.6, 0, 16.8], [0, 0, 0]], "Singular values 25 and 3 pay 2 x 2: 21 and nothing."),
    0.7: ([[14.16, 0, 18.88], [0, 1.6, 0]], "Singular values 25 and 3 pay 2 x 0.7: 23.6 and 1.6."),
}


def _with_values(rng, m, n, sigma):
    """Draw a matrix of these singular values, and return it with its singular vectors."""
    left = np.linalg.qr(rng.normal(size=(m, len(sigma))))[0]
    right = np.linalg.qr(rng.normal(size=(n, len(sigma))))[0]
    return (left * sigma) @ right.T, left, right


def _expect_best(U, V, product, size, why=""):
    """Demand the product and that it is made of the smallest factors there are."""
    _expect_close(U @ V.T, product, "U @ V.T", why)
    for name, factors in (("U", U), ("V", V)):
        got = np.sum(factors**2)
        expect(
            abs(got - size) < 1e-8 * max(1, size),
            f"The product is right, but |{name}|^2 is {short(got)}; where |U|^2 + |V|^2 is least, "
            f"it is {short(float(size))}, the sum of what is left of the singular values: half on "
            "either side.",
        )


@soft_threshold.wrong("You multiplied by 1 - 2 lam: subtract 2 lam from each singular value.")
def multiplies_by_the_rest(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(np.maximum(sigma[:k] * (1 - 2 * lam), 0))
    return U1[:, :k] * root, V1t[:k].T * root


@soft_threshold.wrong("You halved: `x ** 1 / 2` is (x ** 1) / 2. Write `np.sqrt(x)` or `x ** 0.5`.")
def halves_in_place_of_the_root(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    half = np.maximum(sigma[:k] - 2 * lam, 0) / 2
    return U1[:, :k] * half, V1t[:k].T * half


@soft_threshold.wrong("You added 2 lam: the penalty makes each singular value smaller.")
def adds_two_lam(R, k, lam):
    return soft_threshold.reference(R, k, -lam)


@soft_threshold.wrong("You kept the smallest singular values: the largest come first, `sigma[:k]`.")
def keeps_the_smallest(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(np.maximum(sigma[-k:] - 2 * lam, 0))
    return U1[:, -k:] * root, V1t[-k:].T * root


@soft_threshold.wrong("You squared lam: a singular value pays 2 lam.")
def squares_lam_here(R, k, lam):
    return soft_threshold.reference(R, k, lam**2)


@soft_threshold.wrong("Shrink the singular values, and not their squares: they came out squared.")
def shrinks_the_squares_alone(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(np.maximum(sigma[:k] ** 2 - 2 * lam, 0))
    return U1[:, :k] * root, V1t[:k].T * root


@soft_threshold.wrong("The ends of ALS are not reached yet: many more turns, until J stays.")
def stops_als_early(R, k, lam):
    V = np.random.default_rng(0).normal(size=(R.shape[1], k))
    for _ in range(3):
        U = user_step.reference(R, V, lam)
        V = user_step.reference(R.T, U, lam)
    return U, V


@soft_threshold.right
def factor_by_factor(R, k, lam):
    U1, sigma, V1t = np.linalg.svd(R)
    U, V = np.zeros((R.shape[0], k)), np.zeros((R.shape[1], k))
    for f in range(k):
        if sigma[f] > 2 * lam:
            U[:, f] = U1[:, f] * (sigma[f] - 2 * lam) ** 0.5
            V[:, f] = V1t[f] * (sigma[f] - 2 * lam) ** 0.5
    return U, V


@soft_threshold.right
def of_the_table_turned(R, k, lam):
    right, sigma, left = np.linalg.svd(R.T, full_matrices=False)
    root = np.diag(np.sqrt(np.clip(sigma[:k] - 2 * lam, 0, None)))
    return left[:k].T @ root, right[:, :k] @ root


@soft_threshold.check("two arrays come back, users x k and items x k")
def _(answer):
    for k, lam in ((1, 0.7), (2, 0.7), (2, 2.0), (1, 13.0)):
        U, V = _pair(answer(TWO_VALUES, k, lam), "U, V")
        for name, got, rows in [("U", U, "2 users"), ("V", V, "3 items")]:
            says = f"{name} has shape {got.shape}; it should have a row for each of {rows}"
            says += f" and a column for each of k = {k} factors, also for one that is switched off."
            expect(got.shape == (int(rows[0]), k), says)


@soft_threshold.check("a small case by hand")
def _(answer):
    for lam, (fit, why) in FITS.items():
        U, V = _pair(answer(TWO_VALUES, 2, lam), "U, V")
        _expect_close(U @ V.T, fit, "U @ V.T", why)


@soft_threshold.check("the penalty is least")
def _(answer):
    _expect_best(*_pair(answer(TWO_VALUES, 2, 0.7), "U, V"), FITS[0.7][0], 25.2)


@soft_threshold.check("random cases")
def _(answer):
    rng = np.random.default_rng(3)
    # No value is near 0.6 or near its neighbour, where an iterative answer would be slow.
    for m, n, k, sigma in [
        (4, 3, 1, [2.7, 1.3, 0.2]),
        (3, 6, 3, [3.1, 1.4, 0.25]),
        (5, 4, 2, [4.1, 4.1, 1.9]),
    ]:
        R, left, right = _with_values(rng, m, n, sigma)
        rest = np.maximum(np.array(sigma[:k]) - 0.6, 0)
        product = (left[:, :k] * rest) @ right[:, :k].T
        _expect_best(*_pair(answer(R, k, 0.3), "U, V"), product, rest.sum())


@soft_threshold.check("edge cases")
def _(answer):
    why = "At a high price everything is switched off."
    U, V = _pair(answer(TWO_VALUES, 1, 13.0), "U, V")
    _expect_close(U @ V.T, np.zeros((2, 3)), "U @ V.T", why)
    for row in (np.array([[3, 0, 4]]), np.array([[3], [0], [4]])):
        U, V = _pair(answer(row, 1, 0.5), "U, V")
        _expect_close(U @ V.T, row * 0.8, "U @ V.T", "One singular value, 5, pays 1.")
    U, V = _pair(answer(np.zeros((2, 3)), 2, 0.7), "U, V")
    _expect_close(U @ V.T, np.zeros((2, 3)), "U @ V.T", "Nothing fits an empty table best.")


define_quiz(
    "als.recap",
    notebook=3,
    questions=[
        Number(
            "als.q_left",
            "A full table has the singular values 9, 5, 3 and 1. ALS may use four factors, with "
            "the J of this lesson and lam = 2. How many factors are left at its end?",
            right=2,
            because="Each value pays 2 lam = 4: 9 and 5 are larger, 3 and 1 are not.",
            wrong={
                3: "You compared with lam. With the 1/2 on the fit alone the price is 2 lam = 4.",
                4: "Ridge regression shrinks and brings nothing to 0; with both sides free 2 lam "
                "is subtracted, and what falls below 0 is switched off.",
                "else": "Subtract 2 lam = 4 from each singular value, and count what is above 0.",
            },
            answer="np.sum(np.sum(soft_threshold(np.diag([9.0, 5, 3, 1]), 4, 2.0)[0] ** 2, 0) "
            "> 1e-9)",
        ),
        Choice(
            "als.q_rises",
            "A new program for ALS prints J after each half step, users first: 5.1, 3.0, 3.4, "
            "2.2, 2.5, 2.0, 2.3. What is your diagnosis?",
            right="the users' step has a mistake",
            because="J rises at each users' step, and a right half step cannot raise it.",
            wrong={
                "lam is too small": "A small penalty gives larger factors, which looks wild; but "
                "each half step still finds the least J, so J cannot rise.",
                "the numbers at the start were unlucky": "A start decides where the walk begins; "
                "from every start each right half step lowers J or keeps it.",
                "nothing: it swings, and then it settles": "So does SGD, whose steps can be too "
                "long. A half step of ALS has no length: it goes to the lowest point.",
            },
            answer="'the users\\' step has a mistake' if (np.diff(history) <= 1e-12).all() else ''",
        ),
        Choice(
            "als.q_whose",
            "A colleague makes |R − UV'|² + lam |U|² + lam |V|² least: your J without the 1/2. "
            "Both of you set lam = 0.3. Whose product is closer to the shop's table?",
            right="the colleague's",
            because="There 2 times the fit is weighed against the same penalty: values pay lam.",
            wrong={
                "yours": "The 1/2 seems to make your error smaller; but it halves what an error "
                "costs, so you accept more of it: values pay 2 lam.",
                "neither: the same lam gives the same product": "A lam means nothing without its "
                "J: the colleague's 0.6 would give your product.",
                "it depends on the start": "On a full table the product at the end does not "
                "depend on the start; only the factors do.",
            },
            answer="min(['yours', 'the colleague\\'s'], key=lambda whose: np.sum((R - np.matmul("
            "(f := soft_threshold(R, 3, 0.3 if whose == 'yours' else 0.15))[0], f[1].T)) ** 2))",
        ),
        Choice(
            "als.q_night",
            "Each night two jobs start at once. One computes U from yesterday's V, the other V "
            "from yesterday's U. Both are free of mistakes, and the lists are poor. What mends it?",
            right="the second job waits for tonight's U",
            because="Then U and V belong to one run; before, they were of two runs.",
            wrong={
                "more nights": "Each of the two runs settles with time; but they settle at "
                "different angles, and stay two runs.",
                "a larger lam": "It makes the factors smaller, in both runs; the U of one still "
                "meets the V of the other.",
                "the same random start for both jobs": "They begin with one pair U, V already; "
                "after the first night the new U and the new V do not fit each other.",
            },
            answer="'the second job waits for tonight\\'s U' if J(R, U_now, V_next, lam) < "
            "1.01 * least < J(R, U_now, V_now, lam) else 'more nights'",
        ),
        Choice(
            "als.q_zeros",
            "To get the same result each time, someone starts ALS with V = 0 on the shop, with "
            "lam = 0.1. What does J do?",
            right="it stays at 4.5 from the first half step on",
            because="V = 0 gives U = 0, and U = 0 gives V = 0: a saddle, |R|²/2 high.",
            wrong={
                "it falls to the same end, as from any start": "J cannot rise, but it may stay: "
                "at 0 both sides are best for each other, though lower ground is near.",
                "the first half step fails: V'V has no inverse": "V'V is 0 here, but the system "
                "has V'V + 2 lam I, and that can be solved.",
                "it falls faster, since the start is in the middle": "The middle is level: no "
                "half step finds a way down from there.",
            },
            answer="'it stays at 4.5 from the first half step on' if np.all("
            "in_turn(R, 0 * V_start, lam, 5)[2] == 4.5) else ''",
        ),
        Several(
            "als.q_agree",
            "You run ALS to its end on the shop, from two random starts. What do the two ends "
            "agree in?",
            right=["the scores", "J", "the length of each user's row of U"],
            because="A rotation or mirror image leaves these as they are; all else may differ.",
            wrong={
                "the first column of U": "The first factor is not the strongest, as in an SVD: "
                "each start ends at another angle, so the columns are mixed.",
                "the signs of V": "Change all signs on both sides, and no score changes: so a "
                "start may end with either.",
            },
            missing={
                "the scores": "On a full table all starts end in one product, the one that is "
                "known before.",
                "J": "The lowest J is one number: fit and penalty do not change with the angle.",
                "the length of each user's row of U": "A rotation turns the rows of U and keeps "
                "their lengths.",
            },
            answer="str([name for name, (a, b) in {'the scores': "
            "[U @ V.T for U, V, _ in runs[:2]], 'J': [path[-1] for *_, path in runs[:2]], "
            "'the length of each user\\'s row of U': "
            "[np.linalg.norm(U, axis=1) for U, *_ in runs[:2]], 'the first column of U': "
            "[U[:, 0] for U, *_ in runs[:2]], 'the signs of V': [V > 0 for _, V, _ in runs[:2]]}"
            ".items() if np.allclose(a, b)])",
        ),
    ],
)
