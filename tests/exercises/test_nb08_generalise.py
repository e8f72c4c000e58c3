"""Lesson 08's functions are the package's measures, and other roads to them are called right."""

import math
from types import FunctionType

import numpy as np
import pytest
import scipy.stats

from recsys_lab.exercises import nb08_generalise as lesson
from recsys_lab.exercises.engine import examine
from recsys_lab.judging.metrics import bootstrap_interval, evaluate_per_user


def test_the_lessons_ndcg_is_that_of_evaluate():
    rng = np.random.default_rng(0)
    scores, test = rng.normal(size=(30, 12)), rng.random((30, 12)) < 0.3
    test[:, 0] = True
    for k in (1, 4, 12):
        best_first = np.argsort(-scores, axis=1)[:, :k]
        hits = np.take_along_axis(test, best_first, axis=1)
        ours = [
            lesson.ndcg.reference(row, n) for row, n in zip(hits, test.sum(axis=1), strict=True)
        ]
        theirs = evaluate_per_user(scores, np.zeros_like(test), test, k)["ndcg"]
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def test_the_lessons_sampled_hit_is_what_drawing_and_ranking_comes_to():
    rng, n, negatives, k, draws = np.random.default_rng(1), 14, 6, 2, 4000
    for rank in (2, 4, 6):
        hits = 0
        for _ in range(draws):
            others = np.delete(np.arange(1, n + 1), rank - 1)
            drawn = rng.choice(others, negatives, replace=False)
            hits += sorted([*drawn, rank]).index(rank) < k
        p = lesson.sampled_hit.reference(rank, n, negatives, k)
        # Five standard deviations of a share of 4,000.
        assert hits / draws == pytest.approx(p, abs=5 * np.sqrt(p * (1 - p) / draws))


def test_the_lessons_interval_is_the_packages_and_close_to_scipys():
    rng = np.random.default_rng(2)
    a = rng.random(150)
    b = a + rng.exponential(size=150) * (rng.random(150) < 0.3)  # skewed: no normal curve
    low, high = lesson.paired_interval.reference(a, b, 5000, np.random.default_rng(3))
    theirs = bootstrap_interval(b - a, repeats=5000, rng=3)
    # The same draws in the same order, up to the rounding of a mean.
    np.testing.assert_allclose((low, high), theirs, rtol=1e-12)
    found = scipy.stats.bootstrap(
        (a, b),
        lambda a, b, axis=-1: (b - a).mean(axis=axis),
        paired=True,
        method="percentile",
        n_resamples=5000,
        rng=np.random.default_rng(4),
    )
    # Other draws: an end of 5,000 varies by 0.04 of the standard error, twice over here.
    limits = found.confidence_interval
    np.testing.assert_allclose((low, high), limits, atol=0.25 * found.standard_error, rtol=0)


# --- Other right answers ------------------------------------------------------------------------


def natural_logarithm(hits, relevant):
    gain = 1 / np.log(np.arange(len(hits)) + 2)
    return (hits * gain).sum() / gain[: min(relevant, len(hits))].sum()


def place_by_place(hits, relevant):
    got = sum(1 / math.log2(at + 2) for at, hit in enumerate(hits) if hit)
    return got / sum(1 / math.log2(at + 2) for at in range(min(relevant, len(hits))))


def ways_to_draw(rank, n, negatives, k):
    def chance(rank, n):
        ways = [math.comb(rank - 1, x) * math.comb(n - rank, negatives - x) for x in range(k)]
        return sum(ways) / math.comb(n - 1, negatives)

    return np.vectorize(chance)(rank, n)


def one_minus_a_miss(rank, n, negatives, k):
    return 1 - scipy.stats.hypergeom.sf(k - 1, n - 1, negatives, rank - 1)


def draws_differences(a, b, repeats, rng):
    means = [rng.choice(b - a, size=len(a)).mean() for _ in range(repeats)]
    return np.percentile(means, [2.5, 97.5])


def sorts_the_means(a, b, repeats, rng):
    means = []
    for _ in range(repeats):
        users = rng.choice(len(a), len(a))
        means.append(b[users].mean() - a[users].mean())
    means.sort()
    return means[int(0.025 * repeats)], means[int(0.975 * repeats)]


def counts_each_user(a, b, repeats, rng):
    times = rng.multinomial(len(a), np.full(len(a), 1 / len(a)), size=repeats)
    return list(np.quantile(times @ (b - a) / len(a), [0.025, 0.975]))


def asks_the_package(a, b, repeats, rng):
    return bootstrap_interval(b - a, repeats=repeats, rng=rng)


def goes_through_the_settings(validation, test):
    best, score = -math.inf, None
    for setting, values in enumerate(validation):
        if np.mean(values) > best:
            best, score = np.mean(values), np.mean(test[setting])
    return score


RIGHT = [
    (lesson.ndcg, natural_logarithm),
    (lesson.ndcg, place_by_place),
    (lesson.sampled_hit, ways_to_draw),
    (lesson.sampled_hit, one_minus_a_miss),
    (lesson.paired_interval, draws_differences),
    (lesson.paired_interval, sorts_the_means),
    (lesson.paired_interval, counts_each_user),
    (lesson.paired_interval, asks_the_package),
    (lesson.fair_score, goes_through_the_settings),
]


@pytest.mark.parametrize(("exercise", "other"), RIGHT, ids=[other.__name__ for _, other in RIGHT])
def test_another_road_to_the_answer_is_right(exercise, other):
    answer = FunctionType(other.__code__, other.__globals__, exercise.name)
    verdict = examine(exercise, answer)
    assert verdict.state == "right", verdict.message
