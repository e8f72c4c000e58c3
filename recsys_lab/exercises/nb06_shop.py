"""The exercises of notebook 06, The five-item shop: encode, factorise, recommend."""

import numpy as np

from .engine import Mistake, as_array, define, expect, expect_close, expect_equal, expect_shape
from .questions import Choice, Number, Several, define_quiz


def _a_log(rng):
    """Events of users and items with labels of their own, some twice."""
    users = rng.choice(50, rng.integers(1, 6), replace=False).tolist()
    items = [f"item {label}" for label in rng.permutation(9)[: rng.integers(1, 7)]]
    count = rng.integers(0, 12)
    pairs = zip(
        rng.integers(len(users), size=count), rng.integers(len(items), size=count), strict=True
    )
    return [(users[i], items[j]) for i, j in pairs], users, items


@define(
    "shop.encode",
    notebook=6,
    inputs=_a_log,
    hints=[
        "Start from a matrix of zeros with one row for each user and one column for each item: "
        "`np.zeros((len(users), len(items)))`.",
        "Go through the events. A label's place in its list is its row or column: `list.index`.",
        "For each pair set `R[users.index(user), items.index(item)] = 1`, and return `R`.",
    ],
)
def encode(events, users, items):
    """Return the users x items array that is 1 where events holds (user, item), else 0.

    events is a list of pairs (user, item); users and items are lists of labels.
    """
    R = np.zeros((len(users), len(items)))
    for user, item in events:
        R[users.index(user), items.index(item)] = 1
    return R


@encode.wrong("Your matrix is items x users: rows are users, columns are items.")
def turns_it_round(events, users, items):
    return encode.reference(events, users, items).T


@encode.wrong("You used the label as the position: look it up in its list, `users.index(user)`.")
def takes_labels_for_positions(events, users, items):
    R = np.zeros((len(users), len(items)))
    for user, item in events:
        R[user, items.index(item)] = 1
    return R


@encode.wrong("You counted events: an event that comes twice is still *seen*, so the cell is 1.")
def counts_events(events, users, items):
    R = np.zeros((len(users), len(items)))
    for user, item in events:
        R[users.index(user), items.index(item)] += 1
    return R


@encode.wrong("You marked what was not seen: 1 stands for *seen*.")
def marks_the_unseen(events, users, items):
    return 1 - encode.reference(events, users, items)


@encode.wrong("You sorted the labels first: keep the order in which `users` and `items` are given.")
def sorts_the_labels(events, users, items):
    return encode.reference(events, sorted(users), sorted(items))


@encode.wrong(
    "Your loop ends after the first event: `return` belongs after the loop, not inside it."
)
def returns_inside_the_loop(events, users, items):
    R = np.zeros((len(users), len(items)))
    for user, item in events:
        R[users.index(user), items.index(item)] = 1
        return R
    return R


@encode.wrong("You turned rows and columns round: `R[users.index(user), items.index(item)]`.")
def turns_the_places_round(events, users, items):
    R = np.zeros((max(len(users), len(items)),) * 2)
    for user, item in events:
        R[items.index(item), users.index(user)] = 1
    return R[: len(users), : len(items)]


# Nothing is listed for those who take `events` for a DataFrame: any slip that raises the same
# error would be told so. What Python says of the list is told as it stands.
@encode.wrong(expects="'list' object has no attribute 'iterrows'")
def takes_events_for_a_frame(events, users, items):
    R = np.zeros((len(users), len(items)))
    for _, event in events.iterrows():
        R[users.index(event["user"]), items.index(event["item"])] = 1
    return R


@encode.wrong(expects="list indices must be integers")
def asks_events_for_a_column(events, users, items):
    R = np.zeros((len(users), len(items)))
    for user, item in zip(events["user"], events["item"], strict=True):
        R[users.index(user), items.index(item)] = 1
    return R


@encode.wrong(expects="returned None")
def forgets_to_return(events, users, items):
    R = np.zeros((len(users), len(items)))
    for user, item in events:
        R[users.index(user), items.index(item)] = 1


@encode.wrong(expects="they come as a DataFrame")
def returns_a_frame(events, users, items):
    import pandas as pd

    return pd.DataFrame(encode.reference(events, users, items), index=users, columns=items)


@encode.wrong(expects="they come as a csr_array")
def returns_a_sparse_one(events, users, items):
    import scipy.sparse as sp

    return sp.csr_array(encode.reference(events, users, items))


@encode.wrong(expects="the array holds bool")
def returns_booleans(events, users, items):
    return encode.reference(events, users, items) > 0


@encode.wrong(expects="the array holds <U")
def returns_texts(events, users, items):
    return encode.reference(events, users, items).astype(str)


EVENTS = [(7, "A"), (7, "C"), (4, "B"), (7, "A"), (4, "C")]
# Square, and with labels that could be positions: a slip gives numbers that tell which it was.
SQUARE = [(2, "A"), (0, "B"), (2, "C"), (1, "A"), (2, "A")], [2, 0, 1], ["B", "C", "A"]


@encode.wrong("You made a whole row 1: only the cell of this user *and* this item.")
def marks_the_whole_row(events, users, items):
    return np.tile(encode.reference(events, users, items).any(axis=1)[:, None], len(items)) * 1.0


@encode.wrong("You made a whole column 1: only the cell of this user *and* this item.")
def marks_the_whole_column(events, users, items):
    return np.tile(encode.reference(events, users, items).any(axis=0), (len(users), 1)) * 1.0


@encode.wrong("You left out the last event: go through all of them.")
def leaves_out_the_last_event(events, users, items):
    return encode.reference(events[:-1], users, items)


@encode.wrong("You left out the first event: go through all of them.")
def leaves_out_the_first_event(events, users, items):
    return encode.reference(events[1:], users, items)


@encode.wrong("Each turn of the loop makes a new matrix: make it once, before the loop.")
def begins_anew_each_time(events, users, items):
    return encode.reference(events[-1:], users, items)


@encode.wrong(
    "Rows and columns are those that occur in events, in sorted order: take all of `users` and "
    "`items`, as they are given."
)
def takes_what_occurs(events, users, items):
    return encode.reference(
        events, sorted({user for user, _ in events}), sorted({item for _, item in events})
    )


@encode.right
def by_asking_for_each_cell(events, users, items):
    R = np.zeros((len(users), len(items)))
    for i, user in enumerate(users):
        for j, item in enumerate(items):
            R[i, j] = (user, item) in events
    return R


@encode.right
def by_looking_places_up(events, users, items):
    row = {user: place for place, user in enumerate(users)}
    column = {item: place for place, item in enumerate(items)}
    R = np.zeros((len(users), len(items)), dtype=int)
    for user, item in set(events):
        R[row[user]][column[item]] += 1
    return R


@encode.check("an array comes back, one row a user")
def _(answer):
    expect_shape(answer(*SQUARE), (3, 3))
    expect_shape(answer(EVENTS, [7, 4], ["A", "B", "C"]), (2, 3))


@encode.check("a small case by hand")
def _(answer):
    got = answer(EVENTS, [7, 4], ["A", "B", "C"])
    expect_close(got, [[1, 0, 1], [0, 1, 1]], "User 7 saw A (twice) and C, user 4 B and C.")


@encode.check("random cases")
def _(answer):
    rng = np.random.default_rng(1)
    for m, n in [(3, 5), (6, 2), (4, 4), (1, 3), (5, 1)]:
        users = [int(u) for u in rng.choice(900, m, replace=False)]
        items = [f"item {j}" for j in rng.permutation(n)]
        seen = rng.random((m, n)) < 0.5
        pairs = [(users[i], items[j]) for i, j in rng.permutation(np.argwhere(seen))]
        pairs += pairs[: len(pairs) // 3]  # some twice
        expect_close(answer(pairs, users, items), seen.astype(float))


@encode.check("edge cases")
def _(answer):
    expect_close(answer([], [7, 8], ["A"]), np.zeros((2, 1)), "Without events every cell is 0.")


def _product(got):
    """U V' and the shapes: U and V themselves may have other signs, or share sigma otherwise."""
    U, V = got
    return U @ V.T


def _a_table(rng):
    """A table and a number of factors that it has."""
    m, n = rng.integers(1, 7, size=2)
    R = rng.normal(size=(m, n)) if rng.random() < 0.7 else rng.integers(-3, 9, (m, n))
    return R, int(rng.integers(1, min(m, n) + 1))


@define(
    "shop.factors",
    notebook=6,
    look=_product,
    looked_at="U @ V.T",
    inputs=_a_table,
    hints=[
        "`np.linalg.svd(R, full_matrices=False)` returns U1, sigma, and V1 already transposed.",
        "Keep the first k columns of U1 and the first k rows of V1 transposed. Something must "
        "still carry the singular values, or the product has the wrong size.",
        "`root = np.sqrt(sigma[:k])`; multiply the columns of both sides: `U1[:, :k] * root`.",
    ],
    equivalent={
        "line 3: full_matrices=False -> full_matrices=True": "the columns it adds are cut off",
        "line 3: np.linalg.svd(R, full_matrices=False) -> np.linalg.svd(R)": (
            "the columns it adds are cut off"
        ),
    },
)
def factors(R, k):
    """Return U (users x k) and V (items x k) so that U @ V.T is the best rank-k fit to R."""
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(sigma[:k])
    return U1[:, :k] * root, V1t[:k].T * root


@factors.wrong(
    "Sigma is lost: without the singular values U @ V.T has the wrong size. "
    "Give each side their square root."
)
def loses_sigma(R, k):
    U1, _, V1t = np.linalg.svd(R, full_matrices=False)
    return U1[:, :k], V1t[:k].T


@factors.wrong(
    "Sigma counts twice: you gave all of it to both sides. Give each side the square root."
)
def doubles_sigma(R, k):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    return U1[:, :k] * sigma[:k], V1t[:k].T * sigma[:k]


@factors.wrong("V is k x items: `np.linalg.svd` returns V1 transposed, so turn it back with `.T`.")
def keeps_v_transposed(R, k):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(sigma[:k])
    return U1[:, :k] * root, V1t[:k] * root[:, None]


@factors.wrong("Sigma is lost, and V is k x items: turn `V1t[:k]` back with `.T`, and use sigma.")
def loses_sigma_and_keeps_v_transposed(R, k):
    U1, _, V1t = np.linalg.svd(R, full_matrices=False)
    return U1[:, :k], V1t[:k]


@factors.wrong(
    "You kept the smallest singular values: the largest come first, so take the first k."
)
def keeps_the_smallest(R, k):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(sigma[-k:])
    return U1[:, -k:] * root, V1t[-k:].T * root


COLUMNS_OF_V1T = (
    "You cut columns of V1 transposed: its rows belong to the singular values. Use `V1t[:k].T`."
)


@factors.wrong(COLUMNS_OF_V1T)
def cuts_the_wrong_side(R, k):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(sigma[:k])
    return U1[:, :k] * root, V1t[:, :k] * root


@factors.wrong(COLUMNS_OF_V1T)
def cuts_the_wrong_side_without_sigma(R, k):
    U1, _, V1t = np.linalg.svd(R, full_matrices=False)
    return U1[:, :k], V1t[:, :k]


@factors.wrong(COLUMNS_OF_V1T)
def cuts_the_wrong_side_and_turns(R, k):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(sigma[:k])
    return U1[:, :k] * root, V1t[:, :k].T * root[:, None]


@factors.wrong(COLUMNS_OF_V1T)
def cuts_the_wrong_side_of_the_full(R, k):
    U1, sigma, V1t = np.linalg.svd(R)
    root = np.sqrt(sigma[:k])
    return U1[:, :k] * root, V1t[:, :k] * root


@factors.wrong("You cut rows of U1: a row is a user. Its first k *columns* are `U1[:, :k]`.")
def cuts_rows_of_U1(R, k):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(sigma[:k])
    return U1[:k].T[:, :k] * root, V1t[:k].T * root


@factors.wrong("You kept the k-th singular value alone: keep the first k, `[:k]`.")
def keeps_the_kth_alone(R, k):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(sigma[k - 1])
    one = np.zeros(k)
    one[-1] = root
    return U1[:, :k] * one, V1t[:k].T * one


@factors.wrong(
    "You took the square root of R's squares: `svd` returns the singular values already."
)
def takes_the_root_twice(R, k):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(np.sqrt(sigma[:k]))
    return U1[:, :k] * root, V1t[:k].T * root


@factors.wrong(expects="two arrays")
def multiplies_out(R, k):
    U, V = factors.reference(R, k)
    return U @ V.T


@factors.wrong(expects="they come as a matrix")
def returns_matrices(R, k):
    U, V = factors.reference(R, k)
    return np.asmatrix(U), np.asmatrix(V)


# (3, 4) / 5 and (4, -3) / 5 times (2, 2, 1) / 3 and (1, -2, 2) / 3, with singular values 45 and 15:
# not square, or U and V could be exchanged unseen.
BEST = np.array([[18.0, 18.0, 9.0], [24.0, 24.0, 12.0]])
SMALL = BEST + np.array([[4, -8, 8], [-3, 6, -6]])


def _pair(got):
    if not isinstance(got, tuple | list) or len(got) != 2:
        many = f"{len(got)} things" if isinstance(got, tuple | list) else type(got).__name__
        raise Mistake(f"Return two arrays, `U, V`; you returned {many}.")
    return [as_array(each) for each in got]


@factors.wrong("You halved Sigma: `s ** 1 / 2` is (s ** 1) / 2. Write `np.sqrt(s)` or `s ** 0.5`.")
def halves_sigma(R, k):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    return U1[:, :k] * sigma[:k] / 2, V1t[:k].T * sigma[:k] / 2


@factors.wrong(
    "You took U1, sigma and V1t from above, which belong to the shop's matrix: decompose `R`, the "
    "argument."
)
def decomposes_the_shop(R, k):
    shop = np.array([[1.0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1]])
    return factors.reference(shop, k)


@factors.wrong("You took something off the singular values: the best fit keeps the first k whole.")
def shrinks_them(R, k):
    U1, sigma, V1t = np.linalg.svd(R, full_matrices=False)
    root = np.sqrt(np.maximum(sigma[:k] - 0.2, 0))
    return U1[:, :k] * root, V1t[:k].T * root


@factors.wrong("You subtracted the mean of R first: fit R as it stands.")
def centres_first(R, k):
    return factors.reference(R - R.mean(), k)


@factors.wrong("You kept all factors: cut to the first k.")
def keeps_all(R, k):
    return factors.reference(R, min(R.shape))


@factors.wrong("You kept one factor too many: `[:k]` are the first k.")
def keeps_one_too_many(R, k):
    return factors.reference(R, k + 1)


@factors.wrong("You decomposed R transposed, so U and V have changed places: return V, U then.")
def decomposes_the_table_turned(R, k):
    return factors.reference(R.T, k)


@factors.wrong("You dropped the signs: U and V may hold numbers below 0.")
def drops_the_signs(R, k):
    return tuple(np.abs(part) for part in factors.reference(R, k))


@factors.right
def with_all_of_sigma_on_one_side(R, k):
    U1, sigma, V1t = np.linalg.svd(R)
    return U1[:, :k] @ np.diag(sigma[:k]), V1t[:k].T


@factors.right
def by_eigenvectors(R, k):
    V = np.linalg.eigh(R.T @ R)[1][:, ::-1][:, :k]
    return R @ V, V


@factors.check("two arrays come back, users x k and items x k")
def _(answer):
    for k in (1, 2):
        U, V = _pair(answer(SMALL, k))
        for name, got, rows in [("U", U, "2 users"), ("V", V, "3 items")]:
            says = f"{name} has shape {got.shape}; it should have a row for each of {rows}"
            expect(got.shape == (int(rows[0]), k), f"{says} and a column for each of {k} factors.")


def _expect_product(U, V, wanted, why=""):
    """Compare U V' and say so: U and V themselves may have other signs."""
    try:
        expect_close(U @ V.T, wanted)
    except Mistake as wrong:
        says = str(wrong).replace("The result has", "`U @ V.T` has")
        raise Mistake(f"{says} {why}".strip()) from None


@factors.check("a small case by hand")
def _(answer):
    U, V = _pair(answer(SMALL, 1))
    _expect_product(U, V, BEST, "The singular values are 45 and 15; the best rank-1 fit keeps 45.")


@factors.check("random cases")
def _(answer):
    rng = np.random.default_rng(2)
    for m, n, k in [(4, 3, 1), (3, 6, 2), (5, 4, 3), (5, 5, 4), (1, 4, 1), (4, 1, 1), (7, 3, 2)]:
        R = rng.integers(-2, 3, size=(m, n)) if m == 7 else rng.normal(size=(m, n))
        U, V = _pair(answer(R, k))
        expect_shape(U, (m, k), "U")
        expect_shape(V, (n, k), "V")
        # Eckart and Young: the projection on the k leading eigenvectors of R'R is the best fit.
        leading = np.linalg.eigh(R.T @ R)[1][:, -k:]
        _expect_product(U, V, R @ leading @ leading.T)


@factors.check("edge cases")
def _(answer):
    U, V = _pair(answer(SMALL, 2))
    _expect_product(U, V, SMALL, "With all the singular values the fit is exact.")


@define(
    "shop.top_unseen",
    notebook=6,
    hints=[
        "`np.argsort(-scores)` lists the positions from the highest score to the lowest.",
        "Leave out the seen positions *before* you cut to k, or the list comes out too short.",
        "`[j for j in order if not seen[j]][:k]`; for ties, `np.argsort(..., kind='stable')`.",
    ],
)
def top_unseen(scores, seen, k):
    """Return the positions of the k best unseen items, best first; of ties the lower first.

    scores and seen (0 or 1) are arrays with one entry an item; fewer than k unseen: all of them.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    return [int(j) for j in order if not seen[j]][:k]


STILL_SEEN = (
    "You recommended items that were already seen: leave those out. `seen == 0` marks the others."
)


@top_unseen.wrong(STILL_SEEN)
def forgets_seen(scores, seen, k):
    return [int(j) for j in np.argsort(-np.asarray(scores), kind="stable")][:k]


@top_unseen.wrong(STILL_SEEN)
def forgets_seen_and_turns_round(scores, seen, k):
    return np.argsort(scores)[::-1][:k].tolist()


@top_unseen.wrong("Your list starts with the lowest score, and holds items that were already seen.")
def sorts_upwards_and_forgets_seen(scores, seen, k):
    return np.argsort(scores, kind="stable")[:k].tolist()


@top_unseen.wrong("You counted positions from 1: Python's first is 0.")
def counts_from_one(scores, seen, k):
    return [j + 1 for j in top_unseen.reference(scores, seen, k)]


@top_unseen.wrong(
    "You returned a mark for each item: return the positions of the best, in a list of at most k."
)
def returns_marks(scores, seen, k):
    best = top_unseen.reference(scores, seen, k)
    return [int(j in best) for j in range(len(scores))]


@top_unseen.wrong("Your list starts with the lowest score: the best comes first.")
def sorts_upwards(scores, seen, k):
    return [int(j) for j in np.argsort(np.asarray(scores), kind="stable") if not seen[j]][:k]


@top_unseen.wrong(
    "You cut to k first and removed the seen items afterwards: the list comes out too short."
)
def cuts_first(scores, seen, k):
    return [int(j) for j in np.argsort(-np.asarray(scores), kind="stable")[:k] if not seen[j]]


@top_unseen.wrong("You chose among the seen items: 1 in `seen` marks those to leave out.")
def turns_seen_round(scores, seen, k):
    return [int(j) for j in np.argsort(-np.asarray(scores), kind="stable") if seen[j]][:k]


@top_unseen.wrong("You gave the seen items score 0: a negative score then ranks below them.")
def zeroes_the_seen(scores, seen, k):
    masked = np.where(seen, 0, scores)
    return [int(j) for j in np.argsort(-masked, kind="stable")][:k]


@top_unseen.wrong(
    "You left out scores below 0: only the order counts, so a negative score can be on the list."
)
def leaves_out_the_negative(scores, seen, k):
    order = np.argsort(-np.asarray(scores), kind="stable")
    return [int(j) for j in order if not seen[j] and scores[j] > 0][:k]


@top_unseen.wrong(
    "`seen` holds the numbers 0 and 1, so `scores[seen]` means items 0 and 1: write "
    "`scores[seen == 1]`."
)
def takes_seen_for_positions(scores, seen, k):
    masked = np.array(scores, float)
    masked[np.asarray(seen).astype(int)] = -np.inf
    return np.argsort(-masked, kind="stable")[:k].tolist()


@top_unseen.wrong(
    "You asked `seen` in the order of the items, but your list is in the order of the scores: "
    "write `order[seen[order] == 0]`."
)
def asks_seen_in_another_order(scores, seen, k):
    order = np.argsort(-np.asarray(scores), kind="stable")
    return order[np.asarray(seen) == 0][:k].tolist()


@top_unseen.wrong("You counted positions among the unseen items only: count among all items.")
def counts_the_unseen_only(scores, seen, k):
    return np.argsort(-np.asarray(scores)[np.asarray(seen) == 0], kind="stable")[:k].tolist()


@top_unseen.wrong(
    "You sent the seen items to the end; where fewer than k are unseen they come back. "
    "Leave them out."
)
def sends_the_seen_to_the_end(scores, seen, k):
    return np.argsort(-np.where(seen, -np.inf, scores), kind="stable")[:k].tolist()


@top_unseen.wrong("You returned the whole list: keep the first k.")
def ignores_k(scores, seen, k):
    return [int(j) for j in np.argsort(-np.asarray(scores), kind="stable") if not seen[j]]


@top_unseen.wrong("You returned scores: return positions.")
def returns_scores(scores, seen, k):
    return [float(scores[j]) for j in top_unseen.reference(scores, seen, k)]


@top_unseen.wrong("Of equal scores you took the higher position first: the lower one comes first.")
def breaks_ties_upwards(scores, seen, k):
    order = np.argsort(np.asarray(scores), kind="stable")[::-1]
    return [int(j) for j in order if not seen[j]][:k]


@top_unseen.wrong(expects="they are floats")
def returns_floats(scores, seen, k):
    return [float(j) for j in top_unseen.reference(scores, seen, k)]


SCORES, SEEN = np.array([-0.2, 0.9, 0.4, 0.4, 0.1, -0.5]), np.array([0, 1, 0, 0, 1, 0])


@top_unseen.wrong("You returned one item too many: `[:k]` are the first k.")
def returns_one_too_many(scores, seen, k):
    return top_unseen.reference(scores, seen, k + 1)


@top_unseen.wrong("You returned one item too few: `[:k]` are the first k.")
def returns_one_too_few(scores, seen, k):
    return top_unseen.reference(scores, seen, k)[: max(k - 1, 0)]


@top_unseen.wrong("You returned three: the number is `k`.")
def returns_three(scores, seen, k):
    return top_unseen.reference(scores, seen, 3)


@top_unseen.wrong("You returned the best alone: the k best are asked for, in a list.")
def returns_the_best_alone(scores, seen, k):
    return int(np.argmax(np.where(np.asarray(seen) == 1, -np.inf, scores)))


@top_unseen.wrong("You took the last k of the list: the best stand first.")
def takes_the_last(scores, seen, k):
    return top_unseen.reference(scores, seen, len(scores))[-k:]


@top_unseen.wrong("You returned pairs of position and score: return the positions alone.")
def returns_pairs(scores, seen, k):
    return [(j, float(scores[j])) for j in top_unseen.reference(scores, seen, k)]


@top_unseen.wrong("You compared sizes without their sign: -4 is lower than 2.")
def ignores_the_signs(scores, seen, k):
    return top_unseen.reference(np.abs(scores), seen, k)


@top_unseen.wrong("You sorted the positions at the end: the best comes first.")
def sorts_the_positions(scores, seen, k):
    return sorted(top_unseen.reference(scores, seen, k))


@top_unseen.wrong("You filled the list up to k: where fewer are unseen it is shorter.")
def fills_up(scores, seen, k):
    found = top_unseen.reference(scores, seen, k)
    return found + [-1] * (k - len(found))


@top_unseen.wrong("You took the first unseen items as they stand: sort them by their scores.")
def takes_the_first_unseen(scores, seen, k):
    return np.flatnonzero(np.asarray(seen) == 0)[:k].tolist()


@top_unseen.wrong(
    "A set has no order: return a list, the best first.",
)
def returns_a_set(scores, seen, k):
    return set(top_unseen.reference(scores, seen, k))


@top_unseen.right
def by_sorted(scores, seen, k):
    left = [j for j in range(len(scores)) if seen[j] == 0]
    return sorted(left, key=lambda j: (-scores[j], j))[:k]


@top_unseen.right
def by_masking_and_counting(scores, seen, k):
    masked = np.where(np.asarray(seen) == 1, -np.inf, np.asarray(scores, dtype=float))
    left = int((np.asarray(seen) == 0).sum())
    return np.argsort(-masked, kind="stable")[: min(k, left)].tolist()


@top_unseen.check("a small case by hand")
def _(answer):
    best = "Items 0, 2, 3 and 5 are unseen, with scores -0.2, 0.4, 0.4 and -0.5."
    # Five first: it tells who cuts too early from who leaves out what scores below 0.
    expect_equal(answer(SCORES, SEEN, 5), [2, 3, 0, 5], best)
    expect_equal(answer(SCORES, SEEN, 3), [2, 3, 0], best)


@top_unseen.check("random cases")
def _(answer):
    rng = np.random.default_rng(3)
    for n in (4, 7, 12):
        scores = rng.permutation(n) - (n / 2 if n < 12 else 5)
        seen = (rng.random(n) < 0.4).astype(int if n == 7 else float)
        left = sorted(np.flatnonzero(seen == 0), key=lambda j: -scores[j])
        for k in (1, 2, n):
            expect_equal(answer(scores, seen, k), [int(j) for j in left[:k]])


@top_unseen.check("edge cases")
def _(answer):
    expect_equal(
        answer(np.ones(3), np.zeros(3), 2), [0, 1], "Three tie: the lower positions first."
    )
    expect_equal(answer(np.array([-3, -1, -2]), np.array([0, 0, 1]), 1), [1], "Whole numbers.")
    # Long, since numpy sorts short arrays stably whatever it is asked for.
    many = np.tile([0.0, 1.0], 50)
    order = [*range(1, 100, 2), *range(0, 100, 2)]
    expect_equal(
        answer(many, np.zeros(100), 100), order, "Of equal scores the lower position first."
    )
    expect_equal(answer(np.ones(2), np.ones(2), 2), [], "Everything was seen: an empty list.")
    expect_equal(answer(SCORES, SEEN, 9), [2, 3, 0, 5], "Fewer than k are unseen: return them all.")


define_quiz(
    "shop.recap",
    notebook=6,
    questions=[
        Choice(
            "shop.q_rank",
            "A fourth customer comes, who looked at A, B and E. The SVD now takes rank 4. What "
            "scores do the products get that a customer has not seen?",
            right="0, all of them",
            because="Four users allow no higher rank: the fit is exact, and the log has 0 there.",
            wrong={
                "above 0, since there are more data": "More users do help a low rank to share "
                "taste; but a fit that is exact repeats the log, however long it is.",
                "some above 0 and some below": "So it is at rank 2. That comes from what the fit "
                "leaves out, and rank 4 leaves out nothing.",
                "1 for what similar users looked at": "User neighbours would move that way; an "
                "exact fit gives a 1 only where the log has one.",
            },
            answer="(lambda more: '0, all of them' if np.abs(low_rank(more, 4)[more == 0]).max() "
            "< 1e-9 else '')(np.r_[R, [[1, 1, 0, 0, 1]]])",
        ),
        Choice(
            "shop.q_mask",
            "User 1 saw A, B and C. At rank 2 the scores of D and E are 0.14 and −0.21. To keep "
            "seen products out, someone computes `scores * (R == 0)` and then takes the best two "
            "of each row. What does user 1 get?",
            right="D, then a product already seen",
            because="Seen products now have the score 0, and 0 is more than E's −0.21.",
            wrong={
                "D, then E, as it should be": "0 looks like the lowest score there is; but E has "
                "−0.21 here, so a seen product comes before it.",
                "D alone": "The product with `R == 0` changes scores and removes nothing: the best "
                "two of five are always two.",
                "two products already seen": "They have 0 now, whatever they had before, and D "
                "has 0.14: D comes first.",
            },
            answer="(lambda best: 'D, then a product already seen' if products[best[0]] == 'D' and "
            "R[0, best[1]] else '')(np.argsort(-low_rank(R, 2)[0] * (R[0] == 0)))",
        ),
        Number(
            "shop.q_cosine",
            "In another shop product X has 4 visitors and Y has 9; 3 people looked at both. "
            "A user has looked at X only. Which score do item neighbours give them for Y?",
            right=0.5,
            because="One product speaks, with the cosine 3 / √(4 · 9).",
            wrong={
                3.0: "You counted the shared visitors: the cosine divides by both lengths.",
                0.75: "3 of X's 4 visitors looked at Y; the cosine divides by Y's length too.",
                0.33: "3 of Y's 9 visitors looked at X; the cosine divides by both lengths.",
                0.08: "You divided by 4 · 9: the lengths of the columns are the roots, 2 and 3.",
                "else": "It is one cosine: the shared visitors over the lengths √4 and √9.",
            },
            tolerance=0.006,
            answer="methods['item neighbours'](np.c_[np.arange(10) < 4, np.arange(10) > 0] * 1.0)"
            "[0, 1]",
        ),
        Several(
            "shop.q_mirror",
            "Users 1, 2 and 3 clicked as before, and a fourth customer joins. After which clicks "
            "of the fourth do A and E still have to tie for user 2, with every method of the "
            "lesson?",
            right=["A and E", "B, C and D"],
            because="These rows read the same from the other end, so the log stays symmetric.",
            missing={
                "A and E": "Exchange A with E: the fourth row is the same, so the tie stays.",
                "B, C and D": "B and D change places and C stays: the fourth row is as before, "
                "and the log is still its own mirror image.",
            },
            wrong={
                "A, B and C": "User 1 has these clicks and had a mirror, user 3; the fourth "
                "customer has none, and A now has two visitors against one.",
                "D and E": "Both are new to user 2's tie in the same way, it seems; but only E "
                "gains a visitor, and A does not.",
            },
            answer="[name for name, row in {'A and E': [1, 0, 0, 0, 1], 'B, C and D': [0, 1, 1, 1, "
            "0], 'A, B and C': [1, 1, 1, 0, 0], 'D and E': [0, 0, 0, 1, 1]}.items() if all(abs("
            "S[1, 0] - S[1, 4]) < 1e-9 for S in [f(np.r_[R, [row]]) for f in methods.values()])]",
        ),
        Choice(
            "shop.q_price",
            "Suppose A cost 400 yuan in place of 1000. All the rest stays, and the price gets the "
            "weight 0.5. Who comes first for user 2?",
            right="A",
            because="User 2's mean is 333 yuan, and 400 is nearer to it than E's 800.",
            wrong={
                "E": "E came first in the lesson since 800 was nearer to 333 than 1000; now A is "
                "the nearer one.",
                "neither, they tie": "The log has not changed and its half of the score ties; but "
                "the half of the price tells the two apart.",
                "that depends on the SVD's rank": "The rank changes both scores of user 2 alike, "
                "since the log is symmetric: only the price can decide.",
            },
            answer="(lambda mean: 'A' if abs(400 - mean) < abs(items['price']['E'] - mean) else "
            "'E')(items['price'][R[1] == 1].mean())",
        ),
        Choice(
            "shop.q_nine",
            "A new method finds 4 of the nine hidden events, a blind guess 3. The interval of its "
            "share is 0.11 to 0.78. What do you write in the report?",
            right="a gain is not shown",
            because="The interval holds the guess's 0.33: so few trials allow both more and less.",
            wrong={
                "it is a third better than a guess": "4 is a third more than 3, but one event "
                "found by luck makes this difference.",
                "it is no better than a guess": "Not shown is not the same as shown to be absent: "
                "the interval also holds shares twice as large.",
                "it is the best, as all others found 3 or fewer": "The order of nine trials is "
                "luck as well: each method's interval held 0.33, so none is ranked.",
            },
            answer="'a gain is not shown' if np.quantile(np.r_[np.ones(4), np.zeros(5)][draws]"
            ".mean(axis=1), 0.025) < 1 / 3 else ''",
        ),
    ],
)
