"""The exercises of notebook 09, Which model is best?: choose without peeking."""

import numpy as np

from .engine import define, expect_close, expect_number


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


# Row 2 wins on the test, row 1 on validation by its mean, row 4 there by one lucky seed. Row 0 is
# nothing special, since that is what a forgotten axis takes.
VALIDATION = np.array([[0.15, 0.17], [0.30, 0.32], [0.20, 0.25], [0.10, 0.15], [0.45, 0.11]])
TEST = np.array([[0.20, 0.22], [0.30, 0.24], [0.42, 0.34], [0.16, 0.22], [0.10, 0.36]])


@fair_score.check("a single number comes back")
def _(answer):
    expect_number(answer(VALIDATION, TEST))


@fair_score.check("a small case by hand")
def _(answer):
    why = "Setting 1 has the highest validation mean, 0.31; on the test (0.30 + 0.24)/2 = 0.27."
    expect_close(answer(VALIDATION, TEST), 0.27, why)


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
