"""The exercises of notebook 04, What an empty cell means: three readings of what is not there."""

import numpy as np

from .engine import define, expect_close, expect_shape


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


@weak_step.wrong("You wrote lam, and it is 2 lam, as in `user_step`.")
def weighs_by_lam(R, V, lam, alpha):
    return weak_step.reference(R, V, lam / 2, alpha)


@weak_step.wrong("You left alpha out: the weight of a seen item is 1 + alpha r.")
def forgets_alpha(R, V, lam, alpha):
    return weak_step.reference(R, V, lam, 1)


@weak_step.wrong("All seen items have the same weight: the rating belongs in it, 1 + alpha r.")
def forgets_the_rating(R, V, lam, alpha):
    return weak_step.reference((R > 0).astype(float), V, lam, alpha)


@weak_step.wrong("All cells have weight 1: the seen ones weigh 1 + alpha r.")
def forgets_the_weights(R, V, lam, alpha):
    return weak_step.reference(R, V, lam, 0)


def _right_side(R, V, alpha):
    return np.where(R > 0, 1 + alpha * R, 0) @ V


def _solved(R, V, lam, C, right):
    ridge = 2 * lam * np.eye(V.shape[1])
    rows = zip(C, right, strict=True)
    return np.array([np.linalg.solve(V.T @ (c[:, None] * V) + ridge, b) for c, b in rows])


# One factor and three items, the last unseen: everything can be added up in the head.
SEEN_TWO, SLOPES = np.array([[2.0, 1.0, 0.0]]), np.array([[1.0], [2.0], [3.0]])


@weak_step.wrong("The penalty is missing: add 2 lam on the diagonal, as in `user_step`.")
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


@weak_step.check("a row comes back for each user")
def _(answer):
    expect_shape(answer(np.vstack([SEEN_TWO, SEEN_TWO]), SLOPES, 0.5, 3.0), (2, 1))


@weak_step.check("a small case by hand")
def _(answer):
    why = (
        "c = (7, 4, 1), p = (1, 1, 0): above 7 x 1 + 4 x 2 = 15, "
        "below 7 x 1 + 4 x 4 + 1 x 9 + 2 x 0.5 = 33."
    )
    expect_close(answer(SEEN_TWO, SLOPES, 0.5, 3.0), [[15 / 33]], why)


@weak_step.check("random cases")
def _(answer):
    rng = np.random.default_rng(4)
    for m, n, k in [(3, 5, 2), (4, 3, 3), (2, 8, 1)]:
        R, V = rng.integers(0, 6, (m, n)) * (rng.random((m, n)) < 0.5), rng.normal(size=(n, k))
        lam, alpha = rng.random(2) + 0.2
        wanted = _weighted(R, V, lam, 1 + alpha * R, R > 0)
        expect_close(answer(R.astype(float), V, lam, alpha), wanted)


@weak_step.check("edge cases")
def _(answer):
    got = answer(np.zeros((1, 3)), SLOPES, 0.5, 3.0)
    expect_close(got, [[0]], "Someone without an event wants nothing in particular: u = 0.")
