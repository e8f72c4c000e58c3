"""The exercises of notebook 09, Which model is best?: a strong rival, and choosing honestly."""

import numpy as np

from .engine import define, expect_close, expect_number, expect_shape
from .questions import Choice, Number, define_quiz


@define(
    "generalise.fair_score",
    notebook=9,
    hints=[
        "There are two steps, and each looks at one of the arrays only: choose a setting by "
        "`validation`, then read its score off `test`.",
        "A row is a setting: `validation.mean(axis=1)` is one number a setting, its mean over the "
        "seeds. `np.argmax` gives the position of the largest.",
        "With `chosen = np.argmax(validation.mean(axis=1))`, report `test[chosen].mean()`.",
    ],
    equivalent={
        "line 7: validation.mean(axis=1) -> validation.sum(axis=1)": (
            "every setting has as many seeds, so the order stays"
        ),
    },
)
def fair_score(validation, test):
    """Return the mean test score of the one setting whose mean validation score is highest.

    validation, test: settings x seeds, the scores of each setting with each seed; means are over
    the seeds.
    """
    chosen = np.argmax(validation.mean(axis=1))
    return test[chosen].mean()


@fair_score.wrong(
    "You chose by the test: the best of many test scores is partly luck, and nothing unseen is "
    "left to tell how much. Choose by validation."
)
def chooses_by_the_test(validation, test):
    return test.mean(axis=1).max()


@fair_score.wrong(
    "You reported the score that the setting was chosen by: the largest of several is too good "
    "by luck. Report its test score."
)
def reports_the_validation(validation, test):
    return validation.mean(axis=1).max()


@fair_score.wrong(
    "You took the best test score of each seed apart: that is choosing by the test, once a seed."
)
def takes_the_best_test_of_each_seed(validation, test):
    return test.max(axis=0).mean()


@fair_score.wrong(
    "You chose a setting for each seed: choose one for all of them, by its mean over the seeds."
)
def chooses_for_each_seed(validation, test):
    return test[np.argmax(validation, axis=0), np.arange(test.shape[1])].mean()


@fair_score.wrong(
    "You chose by the largest single value, so one lucky seed decides: take the mean over the "
    "seeds first."
)
def chooses_by_the_luckiest_seed(validation, test):
    return test[np.argmax(validation.max(axis=1))].mean()


@fair_score.wrong(
    "You chose the luckiest pair of a setting and a seed: take the mean over the seeds first."
)
def chooses_a_single_run(validation, test):
    return test.ravel()[np.argmax(validation)]


@fair_score.wrong(
    "That is the largest test score of all: you chose both the setting and the seed by the test."
)
def takes_the_largest_of_all(validation, test):
    return test.max()


@fair_score.wrong("You chose well, then reported its luckiest seed: report the mean over seeds.")
def reports_the_luckiest_seed(validation, test):
    return test[np.argmax(validation.mean(axis=1))].max()


@fair_score.wrong("You took the columns for the settings: a row is a setting, a column a seed.")
def takes_seeds_for_settings(validation, test):
    return test[:, np.argmax(validation.mean(axis=0))].mean()


@fair_score.wrong("You averaged over all settings: report the one that validation chooses.")
def chooses_nothing(validation, test):
    return test.mean()


@fair_score.wrong("You returned the position of the setting: return its mean test score.")
def returns_the_position(validation, test):
    return np.argmax(validation.mean(axis=1))


@fair_score.wrong("You chose the lowest, as one does with a loss: here a higher score is better.")
def chooses_the_lowest(validation, test):
    return test[np.argmin(validation.mean(axis=1))].mean()


@fair_score.wrong(
    "`validation.mean()` is one number for all settings: `validation.mean(axis=1)` is one for each."
)
def forgets_the_axis(validation, test):
    return test[np.argmax(validation.mean())].mean()


@fair_score.wrong("You chose and reported by the median: both are means over the seeds.")
def takes_the_median(validation, test):
    return np.median(test[np.argmax(np.median(validation, axis=1))])


@fair_score.wrong("You reported the sum of the test scores: report their mean.")
def reports_the_sum(validation, test):
    return test[np.argmax(validation.mean(axis=1))].sum()


@fair_score.wrong(
    "You reported the mean of validation and test: validation has chosen the setting, so its score "
    "is too good by luck. Report the test score alone."
)
def reports_both(validation, test):
    chosen = np.argmax(validation.mean(axis=1))
    return (validation[chosen].mean() + test[chosen].mean()) / 2


@fair_score.wrong(
    "You chose by validation and test together: then the test has helped to choose, and is no test "
    "any more."
)
def chooses_by_both(validation, test):
    return test[np.argmax(validation.mean(axis=1) + test.mean(axis=1))].mean()


# Row 2 wins on the test, row 1 on validation by its mean, row 4 there by one lucky seed, row 5 by
# its median, row 6 by validation and test together. Row 0 is nothing special, since that is what
# a forgotten axis takes.
VALIDATION = np.array(
    [
        [0.15, 0.17, 0.13],
        [0.30, 0.32, 0.25],
        [0.20, 0.28, 0.22],
        [0.10, 0.16, 0.07],
        [0.52, 0.11, 0.12],
        [0.31, 0.33, 0.02],
        [0.26, 0.29, 0.27],
    ]
)
TEST = np.array(
    [
        [0.21, 0.22, 0.20],
        [0.31, 0.24, 0.29],
        [0.42, 0.34, 0.47],
        [0.16, 0.23, 0.12],
        [0.10, 0.36, 0.18],
        [0.26, 0.19, 0.33],
        [0.40, 0.38, 0.41],
    ]
)


@fair_score.wrong("You reported the median of the test scores: report their mean.")
def reports_the_median(validation, test):
    return np.median(test[np.argmax(validation.mean(axis=1))])


@fair_score.wrong("You chose by the median over the seeds: choose by the mean.")
def chooses_by_the_median(validation, test):
    return test[np.argmax(np.median(validation, axis=1))].mean()


@fair_score.wrong("You chose by the worst seed of each setting: choose by the mean over the seeds.")
def chooses_by_the_worst_seed(validation, test):
    return test[np.argmax(validation.min(axis=1))].mean()


@fair_score.wrong("You chose by the first seed alone: take the mean over all seeds.")
def chooses_by_the_first_seed(validation, test):
    return test[np.argmax(validation[:, 0])].mean()


@fair_score.wrong("You reported the first seed alone: report the mean over all seeds.")
def reports_the_first_seed(validation, test):
    return test[np.argmax(validation.mean(axis=1)), 0]


@fair_score.wrong("You took the last setting: take the one whose validation mean is highest.")
def takes_the_last_setting(validation, test):
    return test[-1].mean()


@fair_score.wrong(
    "You chose the setting whose two scores are closest: validation chooses by its mean."
)
def chooses_the_smallest_gap(validation, test):
    gap = np.abs(validation.mean(axis=1) - test.mean(axis=1))
    return test[np.argmin(gap)].mean()


@fair_score.wrong("You took the second best: argsort puts the best last, at [-1].")
def takes_the_second_best(validation, test):
    order = np.argsort(validation.mean(axis=1))
    return test[order[-2 if len(order) > 1 else -1]].mean()


@fair_score.wrong("You chose the setting with the smallest spread: choose by the highest mean.")
def chooses_the_steadiest(validation, test):
    return test[np.argmin(validation.std(axis=1))].mean()


@fair_score.wrong(
    "You averaged validation and test and took the largest of that: validation chooses, and the "
    "test score alone is reported."
)
def takes_the_best_of_both(validation, test):
    return ((validation + test) / 2).mean(axis=1).max()


@fair_score.right
def setting_by_setting(validation, test):
    best, score = -np.inf, None
    for mine, unseen in zip(validation, test, strict=True):
        if sum(mine) / len(mine) > best:
            best, score = sum(mine) / len(mine), sum(unseen) / len(unseen)
    return score


@fair_score.right
def by_sorting(validation, test):
    order = np.argsort(-validation.sum(axis=1), kind="stable")
    return float(test.mean(axis=1)[order[0]])


@fair_score.wrong(
    "You took the mean of each seed, axis=0: a row is a setting, and `validation.mean(axis=1)` is "
    "one number for each."
)
def takes_the_mean_of_each_seed(validation, test):
    return test[validation.mean(axis=0).argmax() % len(test)].mean()


@fair_score.wrong("You reported the worst seed of the chosen setting: report the mean over seeds.")
def reports_the_worst_seed(validation, test):
    return test[validation.mean(axis=1).argmax()].min()


@fair_score.wrong("You chose a seed for each setting: take the mean over the seeds, then argmax.")
def takes_the_best_seed_of_each(validation, test):
    return test[np.argmax(validation, axis=1) % len(test)].mean()


@fair_score.wrong(
    "You took the first setting within a standard error of the best: take the best itself."
)
def takes_one_that_is_good_enough(validation, test):
    means = validation.mean(axis=1)
    error = validation.std(axis=1)[means.argmax()] / np.sqrt(validation.shape[1])
    return test[np.argmax(means >= means.max() - error)].mean()


@fair_score.check("a single number comes back")
def _(answer):
    expect_number(answer(VALIDATION, TEST))


@fair_score.check("a small case by hand")
def _(answer):
    why = (
        "Setting 1 has the highest validation mean, 0.29; its test mean is "
        "(0.31 + 0.24 + 0.29)/3 = 0.28."
    )
    expect_close(answer(VALIDATION, TEST), 0.28, why)


@fair_score.check("random cases")
def _(answer):
    rng = np.random.default_rng(13)
    for settings, seeds in [(4, 3), (9, 5), (3, 8)]:
        validation, test = rng.normal(size=(2, settings, seeds))
        best, wanted = -np.inf, None
        for mine, unseen in zip(validation, test, strict=True):
            if sum(mine) / seeds > best:
                best, wanted = sum(mine) / seeds, sum(unseen) / seeds
        expect_close(answer(validation, test), wanted)


@fair_score.check("edge cases")
def _(answer):
    one = np.array([[0.2, 0.4, 0.9]])
    expect_close(answer(one, one / 2), 0.25, "One setting: nothing to choose.")
    got = answer(np.array([[-3.0], [-1.0], [-2.0]]), np.array([[-5.0], [-4.0], [-3.0]]))
    expect_close(got, -4, "One seed, scores below zero: the highest validation score is -1.")


@define(
    "contest.ease",
    notebook=9,
    hints=[
        "Three steps: the matrix G = R^T R with lam added to its diagonal, its inverse P, and from "
        "P the weights.",
        "`np.linalg.inv(G + lam * np.eye(len(G)))` is P. Column j of B is column j of -P, divided "
        "by P_jj; numpy divides the columns of a matrix when you divide it by `np.diag(P)`.",
        "`B = -P / np.diag(P)`, then `np.fill_diagonal(B, 0)`, then `return B`.",
    ],
)
def ease(R, lam):
    """Return the weights B (items x items) of EASE: B_ij = -P_ij / P_jj, and B_jj = 0.

    R: users x items, an array. P is the inverse of R^T R + lam I.
    """
    G = R.T @ R
    P = np.linalg.inv(G + lam * np.eye(len(G)))
    B = -P / np.diag(P)
    np.fill_diagonal(B, 0)
    return B


def _P(R, lam):
    G = R.T @ R
    return np.linalg.inv(G + lam * np.eye(len(G)))


def _without_diagonal(B):
    return B - np.diag(np.diag(B))


@ease.wrong(
    "You divided the rows: B_ij is -P_ij / P_jj, so column j is divided by P_jj. "
    "`P / np.diag(P)` does that."
)
def divides_the_rows(R, lam):
    P = _P(R, lam)
    return _without_diagonal(-P / np.diag(P)[:, None])


@ease.wrong("The sign is turned: B_ij is -P_ij / P_jj, with a minus.")
def forgets_the_minus(R, lam):
    P = _P(R, lam)
    return _without_diagonal(P / np.diag(P))


@ease.wrong(
    "The diagonal has to be 0: an item may not be described by itself. "
    "`np.fill_diagonal(B, 0)` sets it, and returns None."
)
def keeps_the_diagonal(R, lam):
    P = _P(R, lam)
    return -P / np.diag(P)


@ease.wrong("The diagonal has to be 0; yours is 1. `np.fill_diagonal(B, 0)` sets it.")
def turns_sign_and_keeps_the_diagonal(R, lam):
    P = _P(R, lam)
    return P / np.diag(P)


@ease.wrong("You did not divide: column j of -P still has to be divided by P_jj.")
def does_not_divide(R, lam):
    return _without_diagonal(-_P(R, lam))


@ease.wrong(
    "That is ridge regression with its diagonal struck out at the end. The others have to know "
    "from the start that item j may not be used: divide column j of -P by P_jj."
)
def ridge_and_then_no_diagonal(R, lam):
    return _without_diagonal(_P(R, lam) @ (R.T @ R))


@ease.wrong(
    "That is ridge regression, in which an item describes itself: EASE wants a diagonal of 0."
)
def ridge(R, lam):
    return _P(R, lam) @ (R.T @ R)


@ease.wrong(
    "You added lam to every cell of R^T R: it belongs on the diagonal alone, `lam * np.eye(n)`."
)
def adds_lam_everywhere(R, lam):
    P = np.linalg.inv(R.T @ R + lam)
    return _without_diagonal(-P / np.diag(P))


@ease.wrong("You forgot lam: add `lam * np.eye(n)` to R^T R before you invert it.")
def forgets_lam(R, lam):
    P = np.linalg.pinv(R.T @ R)
    return _without_diagonal(-P / np.diag(P))


@ease.wrong("There is no 2 before lam here: the objective of EASE has no 1/2 before the fit.")
def doubles_lam(R, lam):
    P = _P(R, 2 * lam)
    return _without_diagonal(-P / np.diag(P))


@ease.wrong("`1 / A` and `A ** -1` turn each number over: `np.linalg.inv(A)` is the inverse.")
def turns_each_number_over(R, lam):
    with np.errstate(divide="ignore"):
        P = 1 / (R.T @ R + lam * np.eye(R.shape[1]))
    return _without_diagonal(-P / np.diag(P))


@ease.wrong("You divided by P_ii P_jj, or by a mean of them: divide column j by P_jj alone.")
def divides_by_both(R, lam):
    P = _P(R, lam)
    return _without_diagonal(-P / np.sqrt(np.outer(np.diag(P), np.diag(P))))


@ease.wrong("That is users x users: items are the columns of R, so begin with `R.T @ R`.")
def of_users(R, lam):
    P = _P(R.T, lam)
    return _without_diagonal(-P / np.diag(P))


@ease.wrong("You returned P, the inverse: the weights are -P_ij / P_jj.")
def returns_the_inverse(R, lam):
    return _P(R, lam)


@ease.wrong("You returned the scores R B, users x items: return B, items x items.")
def returns_the_scores(R, lam):
    return R @ ease.reference(R, lam)


# G = R^T R is [[10, 2], [2, 5]]; three users and two items, so that users are not taken for items.
HAND = np.array([[1.0, 2.0], [0.0, 1.0], [3.0, 0.0]])


@ease.wrong("You did not invert: P is the inverse of R^T R + lam I.")
def does_not_invert(R, lam):
    G = R.T @ R + lam * np.eye(R.shape[1])
    return _without_diagonal(-G / np.diag(G))


@ease.wrong("You made B symmetric: column j is divided by P_jj, so B is not symmetric.")
def makes_it_symmetric(R, lam):
    B = ease.reference(R, lam)
    return (B + B.T) / 2


@ease.wrong("You subtracted each item's mean first: EASE takes R as it stands.")
def centres_the_items(R, lam):
    return ease.reference(R - R.mean(axis=0), lam)


@ease.wrong("You took R as yes or no: EASE takes the numbers as they stand.")
def takes_yes_or_no(R, lam):
    return ease.reference((R != 0).astype(float), lam)


@ease.wrong("You divided all by the largest number: column j is divided by its own P_jj.")
def divides_by_the_largest(R, lam):
    P = _P(R, lam)
    return _without_diagonal(-P / P.max())


@ease.wrong("You divided by the sums of the columns: column j is divided by P_jj.")
def divides_by_the_sums(R, lam):
    P = _P(R, lam)
    return _without_diagonal(-P / P.sum(axis=0))


@ease.wrong("You cut off what is below 0: a weight of EASE may be negative.")
def cuts_off_what_is_negative(R, lam):
    return np.maximum(ease.reference(R, lam), 0)


@ease.wrong("The diagonal has to be 0; yours is 1.")
def puts_one_on_the_diagonal(R, lam):
    return ease.reference(R, lam) + np.eye(R.shape[1])


@ease.wrong(
    "You divided each item's events by how often the items came together, without an inverse."
)
def takes_what_goes_together(R, lam):
    G = R.T @ R
    with np.errstate(divide="ignore", invalid="ignore"):
        return _without_diagonal(np.nan_to_num(G / np.diag(G)))


@ease.right
def by_eigenvectors(R, lam):
    values, Q = np.linalg.eigh(np.transpose(R) @ R)
    P = (Q / (values + lam)) @ Q.T
    B = P / -np.diag(P)
    B[np.diag_indices_from(B)] = 0.0
    return B


@ease.right
def from_the_identity(R, lam):
    n = R.shape[1]
    P = np.linalg.solve(R.T @ R + lam * np.identity(n), np.identity(n))
    return np.identity(n) - P / P.diagonal()


@ease.wrong(expects="stays one")
def adds_lam_in_place(R, lam):
    G = R.T @ R
    G[np.diag_indices(len(G))] += lam
    return _without_diagonal(np.eye(len(G)) - np.linalg.inv(G) / np.diag(np.linalg.inv(G)))


@ease.wrong("The diagonal of P was set to 0 before you divided by it: divide first.")
def fills_the_diagonal_first(R, lam):
    P = _P(R, lam)
    np.fill_diagonal(P, 0)
    with np.errstate(all="ignore"):
        return -P / np.diag(P)


@ease.wrong("You divided by the diagonal of R^T R: divide by that of its inverse, P_jj.")
def divides_by_the_gram(R, lam):
    with np.errstate(all="ignore"):
        return _without_diagonal(-_P(R, lam) / np.diag(R.T @ R))


@ease.wrong("You divided R^T R by the number of users: it is a sum.")
def averages_over_the_users(R, lam):
    return ease.reference(R, lam * len(R))


@ease.wrong("You filled one half: B_ij and B_ji both count, and they differ.")
def fills_one_half(R, lam):
    return np.triu(ease.reference(R, lam), 1)


@ease.wrong("You put zeros round the diagonal of P, and divided by them: `P / np.diag(P)`.")
def divides_by_a_matrix(R, lam):
    P = _P(R, lam)
    with np.errstate(all="ignore"):
        B = -P / np.diag(np.diag(P))
    np.fill_diagonal(B, 0)
    return B


@ease.check("the shape: items x items")
def _(answer):
    expect_shape(answer(HAND, 3.0), (2, 2), "B")


@ease.check("a small case by hand")
def _(answer):
    why = (
        "R^T R = [[10, 2], [2, 5]] and lam = 3. With two items each has one other to be described "
        "by: B_01 = 2 / (10 + 3) and B_10 = 2 / (5 + 3). The diagonal is 0."
    )
    expect_close(answer(HAND, 3.0), [[0, 2 / 13], [0.25, 0]], why)


@ease.check("random cases")
def _(answer):
    rng = np.random.default_rng(17)
    for m, n, lam in [(7, 4, 0.5), (3, 5, 2.0), (6, 2, 11.0), (5, 6, 0.03)]:
        R = rng.normal(size=(m, n)) * (rng.random((m, n)) < 0.8)
        # Ridge regression of each item on all others: the same thing, said otherwise.
        wanted = np.zeros((n, n))
        for j in range(n):
            rest = np.delete(np.arange(n), j)
            A = R[:, rest]
            wanted[rest, j] = np.linalg.solve(A.T @ A + lam * np.eye(n - 1), A.T @ R[:, j])
        why = "Column j of B is the ridge regression of item j on all other items."
        expect_close(answer(R, lam), wanted, why, tol=1e-7)


@ease.check("edge cases")
def _(answer):
    expect_close(answer(np.array([[2.0], [1.0]]), 3.0), [[0.0]], "One item: no other describes it.")
    counts = np.array([[1, 0, 2, 0], [3, 0, 1, 1], [0, 0, 1, 4]])
    B = expect_shape(answer(counts, 2.5), (4, 4), "B")
    why = "Nobody has item 1: no item describes it, and it describes none."
    expect_close(np.r_[B[1], B[:, 1]], np.zeros(8), why)
    expect_close(B, ease.reference(counts, 2.5), "Whole numbers in R.")


define_quiz(
    "contest.recap",
    notebook=9,
    questions=[
        Choice(
            "contest.q_diagonal",
            "A colleague writes EASE without the condition on the diagonal, and with a penalty of "
            "0.001. The error in train is almost 0. What are a person's scores?",
            right="about 1 for their films, 0 for all others",
            because="Nothing forbids that each film explains itself, and a penalty so small does "
            "not either. R is copied: R B is R. What is not in R gets nothing.",
            wrong={
                "as in EASE, with weights that are larger": "A small penalty does make weights "
                "larger where each film has to be explained by others. Here no film has to.",
                "high for the films that look most like theirs": "That is what EASE learns, "
                "because the condition forces it to use other films. Without it, copying is "
                "cheaper.",
                "about 0 for all films": "A large penalty would do that. A small one lets the "
                "weights be what they need to be for an error of 0.",
            },
            answer="'about 1 for their films, 0 for all others' if np.abs(R @ "
            "np.linalg.solve(R.T @ R + 0.001 * np.eye(R.shape[1]), R.T @ R) - R).max() < 0.01 "
            "else ''",
        ),
        Number(
            "contest.q_alive",
            "The singular values are 40, 20, 9, 5, 3 and 1, the penalty λ of section 2 is 3, and "
            "5 factors are allowed. How many are alive?",
            right=3,
            because="Each singular value shrinks by 2λ = 6. 34, 14 and 3 are left; the others "
            "are 0. To allow 5 or 500 factors gives the same model.",
            wrong={
                5: "5 are allowed, but the penalty decides which of them keep something: only "
                "those whose singular value is above 2λ.",
                4: "You shrank by λ. With this J a singular value shrinks by 2λ, and 5 is below 6.",
                2: "9 is small, but it is above 2λ = 6: 3 is left of it, so it is alive.",
                "else": "Take 2λ from each singular value, put 0 for what is negative, and "
                "count what is left.",
            },
            answer="int((np.maximum(np.array([40, 20, 9, 5, 3, 1])[:5] - 2 * 3, 0) > 0).sum())",
        ),
        Choice(
            "contest.q_tuned",
            "A paper: 'Our model (60 trials) has an nDCG of 0.131, the SVD (32 factors, as usual) "
            "0.118. The paired interval is 0.008 to 0.018, so our model is better.' What is shown?",
            right="one tuned setting beats one that was taken as it came",
            because="The interval is about people, not about settings. In section 4 the four "
            "settings of PureSVD alone changed its score by more than this lead of 0.013.",
            wrong={
                "the new model is better: the interval is far from 0": "It says that other "
                "people would give the same order of these two settings. It cannot say what the "
                "SVD scores when it gets 60 trials too.",
                "the SVD is as good, since it was not tuned": "It may be, or may not be. "
                "Without its trials nobody knows, and a suspicion is no result.",
                "nothing: intervals of two different models cannot be paired": "They can: the "
                "people are the same. The fault lies in how the two settings were found.",
            },
            answer="'one tuned setting beats one that was taken as it came' if within.max() > "
            "0.013 else ''",
        ),
        Number(
            "contest.q_report",
            "Three settings of a model, validation and test: A 0.151 and 0.139, B 0.146 and "
            "0.144, C 0.149 and 0.147. Which score do you report?",
            right=0.139,
            because="Validation chooses A, and A's test score is the only one that was not looked "
            "at before. That C came out higher is known only after the test.",
            wrong={
                0.147: "C is best on the test, so this is the best of three looks at it: some of "
                "it is luck. The test may not choose.",
                0.151: "A is the one, but this score is what A was chosen by, the highest of "
                "three. Report what A has on the test.",
                0.144: "B has the smallest gap between its two scores. But a small gap does not "
                "make a setting good; validation chooses by the score.",
                "else": "Choose the setting with the highest validation score, then read off its "
                "test score.",
            },
            tolerance=0.0004,
            answer="fair_score(np.array([[0.151], [0.146], [0.149]]), "
            "np.array([[0.139], [0.144], [0.147]]))",
        ),
        Choice(
            "contest.q_line",
            "On *last*, item neighbours are behind ALS zero, the first, by 0.009; the corrected "
            "interval is -0.003 to 0.021. Which sentence may stand in a report?",
            right="Item neighbours may be the best of the fifteen.",
            because="The interval holds 0, so these people cannot tell the two apart. That is "
            "all that it says: nothing is shown to be equal, and nothing to be worse.",
            wrong={
                "Item neighbours are as good as ALS zero.": "Not to see a difference is not to see "
                "that there is none: 0.021 behind agrees with the interval as well.",
                "Item neighbours are worse than ALS zero, by 0.009.": "0.009 is the middle of the "
                "interval. Its lower end says that they may be ahead.",
                "ALS zero is the best of the fifteen.": "It is the first of this table. "
                "Six models may be the best, and with other people another may come first.",
            },
            answer="'Item neighbours may be the best of the fifteen.' if "
            "last.loc['item neighbours', 'behind_low':'behind_high'].astype(float).round(3)"
            ".tolist() == [-0.003, 0.021] and last.loc['item neighbours', 'may_be_best'] else ''",
        ),
        Choice(
            "contest.q_strangers",
            "A cinema's page is trained tonight. Nearly all who come tomorrow were never there "
            "before. Which entry of the leaderboard is put in first?",
            right="recent popularity",
            because="The split *time* asks this question: one date, and mostly strangers after "
            "it. There recent popularity is ahead of all others, with every interval above 0.",
            wrong={
                "popularity, over all years": "On *cold users* it is first, but those strangers "
                "come from all years. After one date, what was popular of late is ahead of it.",
                "EASE with dropout": "It is first on *random* and may be the best on *last*, where "
                "each person has a history. To strangers it can say nothing.",
                "BPR": "It is first among those who have a past before the date. These are "
                "few, and here there are hardly any.",
            },
            answer="at_date.index[0]",
        ),
    ],
)
