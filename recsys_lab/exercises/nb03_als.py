"""The exercises of notebook 03, ALS: the gradient, two kinds of step, and where they must end."""

import numpy as np

from .engine import Mistake, as_array, define, expect, expect_close, expect_shape


def _pair(got, names):
    if not isinstance(got, tuple | list) or len(got) != 2:
        many = f"{len(got)} things" if isinstance(got, tuple | list) else type(got).__name__
        raise Mistake(f"Return two arrays, `{names}`; you returned {many}.")
    return [as_array(each) for each in got]


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


@gradient.wrong(expects="two arrays")
def gives_only_one_side(R, U, V, lam):
    return gradient.reference(R, U, V, lam)[0]


# One user, three items: u = 1, v = (1, 2, 3), so the errors are -1, 1 and 0.
ONE_USER = np.array([[2.0, 1.0, 3.0]]), np.array([[1.0]]), np.array([[1.0], [2.0], [3.0]])


@gradient.check("two arrays come back, shaped like U and V")
def _(answer):
    for name, got, like in zip(
        "UV", _pair(answer(*ONE_USER, 0.25), "dU, dV"), ONE_USER[1:], strict=True
    ):
        says = f"d{name} has shape {got.shape}, {name} has shape {like.shape}: they must agree."
        expect(got.shape == like.shape, says)


@gradient.check("a small case by hand")
def _(answer):
    dU, dV = answer(*ONE_USER, 0.25)
    why = "This is dU. Errors -1, 1, 0: -1 x 1 + 1 x 2 + 0 x 3 = 1, and 2 x 0.25 x 1 = 0.5."
    expect_close(dU, [[1.5]], why)
    why = "This is dV: -1 x 1 + 0.5 x 1 = -0.5, 1 x 1 + 0.5 x 2 = 2, 0 x 1 + 0.5 x 3 = 1.5."
    expect_close(dV, [[-0.5], [2], [1.5]], why)


@gradient.check("random cases, by finite differences")
def _(answer):
    rng = np.random.default_rng(1)
    for m, n, k in [(3, 4, 2), (5, 2, 3)]:
        R, U, V = rng.normal(size=(m, n)), rng.normal(size=(m, k)), rng.normal(size=(n, k))

        def J(U, V, R=R):
            return np.sum((R - U @ V.T) ** 2) / 2 + 0.7 * (np.sum(U**2) + np.sum(V**2))

        dU, dV = answer(R, U, V, 0.7)
        step_U, step_V = rng.normal(size=(m, k)), rng.normal(size=(n, k))
        # The error of a central difference falls with h^2; at 1e-4 it is about 1e-7 here.
        h = 1e-4
        slope = (J(U + h * step_U, V) - J(U - h * step_U, V)) / (2 * h)
        expect_close(np.sum(dU * step_U), slope, "J rises otherwise when U moves.", tol=1e-6)
        slope = (J(U, V + h * step_V) - J(U, V - h * step_V)) / (2 * h)
        expect_close(np.sum(dV * step_V), slope, "J rises otherwise when V moves.", tol=1e-6)


@gradient.check("edge cases")
def _(answer):
    dU, dV = answer(np.ones((2, 3)), np.zeros((2, 1)), np.zeros((3, 1)), 0.1)
    expect_close(dU, np.zeros((2, 1)), "At U = V = 0 the ground is level: a saddle.")
    expect_close(dV, np.zeros((3, 1)), "At U = V = 0 the ground is level: a saddle.")


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


# V'V is diagonal, so each factor can be worked out alone; three users, so U is not square.
THREE_USERS = np.array([[2.0, 4.0], [3.0, 0.0], [0.0, 5.0]])
APART = np.array([[1.0, 0.0], [0.0, 2.0]])


@user_step.check("a row comes back for each user")
def _(answer):
    got = answer(THREE_USERS, APART, 0.25)
    if as_array(got).shape != (3, 2):
        expect_shape(got, (3, 2))


@user_step.check("a small case by hand")
def _(answer):
    why = "V'V + 0.5 I = diag(1.5, 4.5); for the first user V'r = (2, 8): 2/1.5 and 8/4.5."
    got = answer(THREE_USERS, APART, 0.25)
    expect_close(got, [[2 / 1.5, 8 / 4.5], [2, 0], [0, 10 / 4.5]], why)


@user_step.check("random cases")
def _(answer):
    rng = np.random.default_rng(2)
    for m, n, k in [(4, 3, 2), (2, 6, 3), (3, 2, 4)]:
        R, V, lam = rng.normal(size=(m, n)), rng.normal(size=(n, k)), rng.random() + 0.1
        # Least squares on V with sqrt(2 lam) I below it: another road to the same minimum.
        tall = np.vstack([V, np.sqrt(2 * lam) * np.eye(k)])
        wanted = np.linalg.lstsq(tall, np.vstack([R.T, np.zeros((k, m))]), rcond=None)[0].T
        expect_close(answer(R, V, lam), wanted)


@user_step.check("edge cases")
def _(answer):
    got = answer(np.zeros((1, 3)), np.ones((3, 2)), 0.5)
    expect_close(got, [[0, 0]], "A row of zeros is fitted best, and at no cost, by u = 0.")


@define(
    "als.soft_threshold",
    notebook=3,
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


@soft_threshold.wrong(expects="two arrays")
def multiplies_out(R, k, lam):
    U, V = soft_threshold.reference(R, k, lam)
    return U @ V.T


# Singular values 3 and 2 can be read off; not square, or U and V could be swapped unseen.
THREE_AND_TWO = np.array([[3.0, 0.0, 0.0], [0.0, 2.0, 0.0]])


@soft_threshold.check("two arrays come back, users x k and items x k")
def _(answer):
    for k in (1, 2):
        U, V = _pair(answer(THREE_AND_TWO, k, 0.2), "U, V")
        for name, got, rows in [("U", U, "2 users"), ("V", V, "3 items")]:
            says = f"{name} has shape {got.shape}; it should have a row for each of {rows}"
            expect(got.shape == (int(rows[0]), k), f"{says} and one column a factor; k = {k}.")


@soft_threshold.check("a small case by hand")
def _(answer):
    U, V = _pair(answer(THREE_AND_TWO, 2, 1.25), "U, V")
    fit = [[0.5, 0, 0], [0, 0, 0]]
    expect_close(
        U @ V.T, fit, "Singular values 3 and 2 pay 2 x 1.25 each: 0.5 and nothing are left."
    )
    U, V = _pair(answer(THREE_AND_TWO, 2, 0.2), "U, V")
    fit = [[2.6, 0, 0], [0, 1.6, 0]]
    expect_close(U @ V.T, fit, "Singular values 3 and 2 pay 2 x 0.2 each: 2.6 and 1.6 are left.")


@soft_threshold.check("the penalty is least")
def _(answer):
    U, V = _pair(answer(THREE_AND_TWO, 2, 0.2), "U, V")
    sizes = [np.sum(U**2), np.sum(V**2)]
    expect_close(sizes, [4.2, 4.2], "Half on either side: |U|^2 = |V|^2 = 2.6 + 1.6 = 4.2.")


@soft_threshold.check("random cases")
def _(answer):
    rng = np.random.default_rng(3)
    for m, n, k in [(4, 3, 1), (3, 6, 2), (5, 4, 4)]:
        R = rng.normal(size=(m, n))
        U, V = _pair(answer(R, k, 0.3), "U, V")
        # The k leading eigenvectors of R'R, with R acting on each shrunk by (sigma - 2 lam)/sigma.
        squares, leading = np.linalg.eigh(R.T @ R)
        sigma, leading = np.sqrt(np.maximum(squares[::-1][:k], 0)), leading[:, ::-1][:, :k]
        share = np.maximum(1 - 0.6 / np.maximum(sigma, 1e-12), 0)
        expect_close(U @ V.T, R @ (leading * share) @ leading.T)


@soft_threshold.check("edge cases")
def _(answer):
    U, V = _pair(answer(THREE_AND_TWO, 1, 5.0), "U, V")
    expect_close(U @ V.T, np.zeros((2, 3)), "At a high price everything is switched off.")
