"""The exercises of notebook 18, Beyond one machine: a hidden penalty, and what is sent."""

import numpy as np

from .engine import define, expect_close, expect_integer, expect_shape
from .questions import Choice, Number, define_quiz


def _a_fit(rng):
    """What some people saw, item factors, and people's factors that solve for these exactly."""
    m, n, k = (int(size) for size in rng.integers(1, 6, size=3))
    R = rng.integers(0, 4, size=(m, n)) * (rng.random((m, n)) < 0.6)
    R[np.arange(m), rng.integers(n, size=m)] = rng.integers(1, 4, size=m)  # nobody saw nothing
    R = R * rng.choice([0.5, 1.0])
    V, alpha = rng.normal(0, 1, size=(n, k)) + 0.3, rng.choice([0.5, 1.0, 2.0, 5.0])
    lam = rng.choice([0.5, 1.0, 2.0], size=m) * rng.integers(1, 6, size=m)
    return R, _solved(R, V, lam, alpha), V, float(alpha)


def _solved(R, V, lam, alpha):
    U = np.empty((len(R), V.shape[1]))
    for u, r in enumerate(R):
        A = V.T @ ((1 + alpha * r)[:, None] * V) + lam[u] * np.eye(V.shape[1])
        U[u] = np.linalg.solve(A, V.T @ ((1 + alpha * r) * (r > 0)))
    return U


@define(
    "machines.penalties",
    notebook=18,
    inputs=_a_fit,
    hints=[
        "Each user's factors solve (V' C V + l I) u = V' C p, with c = 1 + alpha r in every cell "
        "and p = 1 where r > 0. All but l is known.",
        "Bring what is known to one side: l u = V' C (p - V u). Both sides are vectors of length "
        "k, one is a multiple of the other.",
        "For all users at once: `P = R > 0`, then `rest = ((1 + alpha * R) * (P - U @ V.T)) @ V`, "
        "and l is `(U * rest).sum(axis=1) / (U * U).sum(axis=1)`.",
    ],
)
def penalties(R, U, V, alpha):
    """Return for each user the number l on the diagonal of the equation that their factors solve.

    R, m x n, what was counted (0: not seen); U, m x k, solves (V' C V + l I) u = V' C p exactly,
    with c = 1 + alpha r, p = 1 where r > 0; V, n x k. Everybody has seen something.
    """
    rest = ((1 + alpha * R) * ((R > 0) - U @ V.T)) @ V
    return (U * rest).sum(axis=1) / (U * U).sum(axis=1)


@penalties.right
def by_lengths(R, U, V, alpha):
    rest = ((1 + alpha * R) * ((R > 0) - U @ V.T)) @ V
    return np.sqrt((rest**2).sum(axis=1) / (U**2).sum(axis=1))


@penalties.right
def one_by_one(R, U, V, alpha):
    found = []
    for r, u in zip(R, U, strict=True):
        weighted = V.T * (1 + alpha * r)
        left, right = weighted @ V @ u, weighted @ (r > 0)
        found.append(np.linalg.lstsq(u[:, None], right - left, rcond=None)[0][0])
    return np.array(found)


@penalties.wrong("You halved it: l is what stands on the diagonal, not half of it.")
def halves(R, U, V, alpha):
    return penalties.reference(R, U, V, alpha) / 2


@penalties.wrong("The sign is turned round: l u = V' C p - V' C V u.")
def turns_the_sign(R, U, V, alpha):
    return -penalties.reference(R, U, V, alpha)


@penalties.wrong("You divided by the length of u: divide by its square, u . u.")
def divides_by_the_length(R, U, V, alpha):
    return penalties.reference(R, U, V, alpha) * np.sqrt((U**2).sum(axis=1))


@penalties.wrong("You did not divide by u . u.")
def does_not_divide(R, U, V, alpha):
    return penalties.reference(R, U, V, alpha) * (U**2).sum(axis=1)


@penalties.wrong("The target p is 1 where something was seen, and not the count itself.")
def fits_the_counts(R, U, V, alpha):
    rest = ((1 + alpha * R) * (R - U @ V.T)) @ V
    return (U * rest).sum(axis=1) / (U * U).sum(axis=1)


@penalties.wrong("The weight of a cell is 1 + alpha r: you left out the 1.")
def forgets_the_one(R, U, V, alpha):
    rest = (alpha * R * ((R > 0) - U @ V.T)) @ V
    return (U * rest).sum(axis=1) / (U * U).sum(axis=1)


@penalties.wrong("All cells weigh the same here: the weight is 1 + alpha r.")
def forgets_the_weights(R, U, V, alpha):
    rest = ((R > 0) - U @ V.T) @ V
    return (U * rest).sum(axis=1) / (U * U).sum(axis=1)


@penalties.wrong("You left out the cells that were not seen: they are in V' C V with weight 1.")
def skips_the_unseen(R, U, V, alpha):
    rest = ((1 + alpha * R) * (R > 0) * (1 - U @ V.T)) @ V
    return (U * rest).sum(axis=1) / (U * U).sum(axis=1)


@penalties.wrong("You left alpha out: the weight is 1 + alpha r.")
def forgets_alpha(R, U, V, alpha):
    return penalties.reference(R, U, V, 1.0)


@penalties.wrong("You divided by the number of events: l as it stands in the equation is asked.")
def divides_by_the_events(R, U, V, alpha):
    return penalties.reference(R, U, V, alpha) / (R > 0).sum(axis=1)


@penalties.wrong(
    "You returned V' C p / u, without what the fit already explains: subtract V' C V u."
)
def forgets_the_fit(R, U, V, alpha):
    rest = ((1 + alpha * R) * (R > 0)) @ V
    return (U * rest).sum(axis=1) / (U * U).sum(axis=1)


@penalties.wrong("One number for all: each user has an l of their own.")
def takes_the_mean(R, U, V, alpha):
    found = penalties.reference(R, U, V, alpha)
    return np.full(len(R), found.mean())


@penalties.check("two users worked out by hand")
def _(answer):
    R, V = np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([[1.0], [2.0]])
    # User 0: 5 + 2 + l in front, 1 + 2 on the right. User 1: 5 + 24 + l, and 2 (1 + 6).
    U = np.array([[3 / 10], [14 / 36]])
    got = expect_shape(answer(R, U, V, 2.0), (2,))
    expect_close(
        got, [3, 7], "User 0: (5 + 2 + l) 0.3 = 3, so l is 3. User 1: (29 + l) 14/36 = 14."
    )


@penalties.check("random fits")
def _(answer):
    rng = np.random.default_rng(18)
    for _ in range(30):
        R, U, V, alpha = _a_fit(rng)
        got = expect_shape(answer(R, U, V, alpha), (len(R),))
        expect_close(got, penalties.reference(R, U, V, alpha), tol=1e-6)


def _a_log(rng):
    """Some events, some of them twice, and a number of blocks."""
    size, most = int(rng.integers(1, 40)), int(rng.integers(1, 16))
    users, items = rng.integers(most, size=size), rng.integers(most, size=size)
    return users, items, int(rng.integers(1, 7))


@define(
    "machines.sent",
    notebook=18,
    inputs=_a_log,
    equivalent={"line 7: blocks -> blocks + 1": "j % blocks is never blocks: an empty block more"},
    hints=[
        "An item block needs the factors of each user who has an event with one of its items. How "
        "often do they travel if a user has three events in the same block?",
        "Once. So count the different pairs (user, block of the item); the block of item j is "
        "j % blocks.",
        "`len(np.unique(np.stack([users, items % blocks]), axis=1).T)`, or a set of pairs.",
    ],
)
def sent(users, items, blocks):
    """Return how many users' factors are sent to the item blocks, for one half step.

    users, items: for each event the number of its user and of its item; the same event may come
    twice. Item j lies in block j % blocks. To each block goes, once, each user with an event there.
    """
    return sum(len(np.unique(users[items % blocks == block])) for block in range(blocks))


@sent.right
def by_unique(users, items, blocks):
    return np.unique(np.stack([users, items % blocks]), axis=1).shape[1]


@sent.right
def by_a_set(users, items, blocks):
    return len({(int(u), int(j) % blocks) for u, j in zip(users, items, strict=True)})


@sent.wrong(
    "You counted events: a user's factors go to a block once, however many events are there."
)
def counts_events(users, items, blocks):
    return len(users)


@sent.wrong("You sent every user everywhere: only blocks with an event of theirs need them.")
def sends_all_everywhere(users, items, blocks):
    return len(np.unique(users)) * blocks


@sent.wrong("You counted users: one may be needed by several blocks, and goes to each of them.")
def counts_users(users, items, blocks):
    return len(np.unique(users))


@sent.wrong("You counted the other half step, items that go to user blocks: here users are sent.")
def counts_the_other_half_step(users, items, blocks):
    return len({(int(j), int(u) % blocks) for u, j in zip(users, items, strict=True)})


@sent.wrong("You counted pairs of user and item: two items of one block need the user once.")
def counts_pairs(users, items, blocks):
    return len({(int(u), int(j)) for u, j in zip(users, items, strict=True)})


@sent.wrong("You left out block 0: blocks are numbered from 0.")
def leaves_out_the_first_block(users, items, blocks):
    pairs = {(int(u), int(j) % blocks) for u, j in zip(users, items, strict=True)}
    return len([pair for pair in pairs if pair[1]])


@sent.wrong("You put neighbours into one block, j // blocks: the block of item j is j % blocks.")
def divides(users, items, blocks):
    return len({(int(u), int(j) // blocks) for u, j in zip(users, items, strict=True)})


@sent.wrong("You put users into blocks too: each user's factors are sent by themselves.")
def blocks_of_users(users, items, blocks):
    return len({(int(u) % blocks, int(j) % blocks) for u, j in zip(users, items, strict=True)})


@sent.check("ten events by hand")
def _(answer):
    users = np.array([0, 0, 0, 0, 1, 1, 2, 4, 4, 4])
    items = np.array([0, 0, 2, 3, 1, 3, 0, 4, 0, 3])
    got = expect_integer(answer(users, items, 3))
    expect_close(
        got, 7, "Blocks 0 and 2 need user 0, blocks 0 and 1 user 1, block 0 user 2, 0 and 1 user 4."
    )


@sent.check("random logs")
def _(answer):
    rng = np.random.default_rng(18)
    for _ in range(40):
        users, items, blocks = _a_log(rng)
        expect_close(
            expect_integer(answer(users, items, blocks)), sent.reference(users, items, blocks)
        )


define_quiz(
    "machines.recap",
    notebook=18,
    questions=[
        Choice(
            "machines.q_first",
            "A shop has 80,000 customers and ten million events. A nightly ALS with one core takes "
            "two minutes an iteration. The team asks for a cluster of ten machines. What first?",
            right="measure, and try another solver on the machine that they have",
            because="In the lesson ten million events are seconds an iteration on one core. "
            "Whoever needs minutes has a slow program, and ten copies of it are a slow cluster.",
            wrong={
                "a cluster: ten million events are big data": "They fit into a twentieth of a "
                "laptop's memory. Events are not big because there are millions of them.",
                "a cluster, since ALS runs in parallel": "It does, and what runs in parallel still "
                "has to be sent about. First the work itself has to be small.",
                "fewer factors": "That makes it faster and the model another one. The same model "
                "can be had in a fraction of the time.",
            },
            answer="'measure, and try another solver on the machine that they have' if "
            "large['seconds'].max() < 60 else ''",
        ),
        Choice(
            "machines.q_factors",
            "You go from 32 factors to 128. What happens to the time of an iteration?",
            right="with exact equations it grows much faster than with three steps",
            because="The equations cost k squared for an event and k cubed for a row; a step costs "
            "k for an event.",
            wrong={
                "both take four times as long": "That is true of the steps. An equation has k "
                "squared numbers, and its solution costs more still.",
                "both take sixteen times as long": "The steps never write the k x k matrix of a "
                "row down.",
                "nothing: the events are as many": "For each event k numbers are read at least.",
            },
            answer="'with exact equations it grows much faster than with three steps' if "
            "growth['exact'] > 2 * growth['three steps'] else ''",
        ),
        Choice(
            "machines.q_lam",
            "You move a model from your `als` to Spark, with the same lam, and the lists of people "
            "with many events change most. Why?",
            right="Spark multiplies the penalty by the number of a user's events",
            because="That is what the factors gave away in the lesson: with the same lam, who has "
            "500 events has 500 lam on the diagonal there, 2 lam here.",
            wrong={
                "Spark computes in float32": "So can ours; the half step agreed in the seventh "
                "digit.",
                "Spark's start is random": "Both are drawn. That would not know who has many "
                "events.",
                "people with many events are split over machines": "A user's events lie in one "
                "block, and their equation is solved there.",
            },
        ),
        Number(
            "machines.q_sent",
            "A user has events with 12 items. They lie in 3 of the 8 item blocks, 4 in each. How "
            "often are the user's factors sent in the items' half step?",
            right=3,
            because="Once to each block that needs them.",
            wrong={
                12: "One for each event: but all 4 events of a block use the same copy.",
                8: "Five of the blocks hold no item of this user.",
                4: "That is how many events share one copy.",
                "else": "Count the blocks that hold an item of this user.",
            },
            tolerance=0,
            answer="sent(np.zeros(12, int), np.arange(12) % 3, 8)",
        ),
        Choice(
            "machines.q_lists",
            "Training takes an hour on the cluster, and lists for everyone take ten. What do you "
            "suspect?",
            right="every user is scored against every item",
            because="With many items users times items times k is more than the fit: most cells "
            "have no event. An index, or lists only for those who come, cuts that.",
            wrong={
                "the factors are too many": "k stands in both. It does not explain why lists are "
                "dearer than training.",
                "too few iterations": "Lists are made once, whatever the number of iterations.",
                "the driver collects the factors": "Possible, and it would fail for lack of memory "
                "rather than take ten hours.",
            },
            answer="'every user is scored against every item' if cells > 10 * work else ''",
        ),
    ],
)
