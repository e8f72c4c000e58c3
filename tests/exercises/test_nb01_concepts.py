"""Lesson 01's functions are the package's, and other roads to them are called right."""

import math
from types import FunctionType

import numpy as np
import pytest

from recsys_lab.exercises import nb01_concepts as lesson
from recsys_lab.exercises.engine import examine
from recsys_lab.judging.metrics import evaluate_per_user
from recsys_lab.models import baselines

EXERCISES = [
    lesson.density,
    lesson.content_scores,
    lesson.precision_at_k,
    lesson.ndcg,
    lesson.damped_mean,
]


def test_the_lessons_ndcg_and_precision_are_those_of_evaluate():
    rng = np.random.default_rng(0)
    scores, test = rng.normal(size=(30, 12)), rng.random((30, 12)) < 0.3
    test[:, 0] = True
    for k in (1, 4, 12):
        best_first = np.argsort(-scores, axis=1)[:, :k]
        hits = np.take_along_axis(test, best_first, axis=1)
        theirs = evaluate_per_user(scores, np.zeros_like(test), test, k)
        ours = [
            lesson.ndcg.reference(row, n) for row, n in zip(hits, test.sum(axis=1), strict=True)
        ]
        np.testing.assert_allclose(ours, theirs["ndcg"], rtol=1e-14)
        ours = [
            lesson.precision_at_k.reference(row, set(np.flatnonzero(wanted)), k)
            for row, wanted in zip(best_first, test, strict=True)
        ]
        np.testing.assert_allclose(ours, theirs["precision"], rtol=1e-14)


def test_the_lessons_content_scores_are_the_packages():
    rng = np.random.default_rng(1)
    B, G = (
        (rng.random((20, 9)) < 0.3).astype(float),
        rng.random((9, 4)) * (rng.random((9, 1)) < 0.8),
    )
    B[3], G[5] = 0, 0
    np.testing.assert_allclose(
        lesson.content_scores.reference(B, G), baselines.content_scores(B, G), atol=1e-15
    )


# --- Other right answers ------------------------------------------------------------------------


def counts_in_the_dense_table(matrix):
    return np.count_nonzero(matrix.toarray()) / np.prod(matrix.shape)


def mean_of_a_comparison(matrix):
    return (matrix > 0).mean()


def length_of_the_data(matrix):
    return len(matrix.data) / matrix.shape[0] / matrix.shape[1]


def divides_by_both_lengths_at_the_end(B, G):
    P = B @ G
    lengths = np.outer(np.linalg.norm(P, axis=1), np.linalg.norm(G, axis=1))
    return np.divide(P @ G.T, lengths, out=np.zeros_like(lengths), where=lengths > 0)


def turns_nan_into_zero(B, G):
    P = B.toarray() @ G
    with np.errstate(all="ignore"):
        return np.nan_to_num((P @ G.T) / np.sqrt((P**2).sum(1))[:, None] / np.sqrt((G**2).sum(1)))


def takes_the_mean_as_profile(B, G):
    P = (B @ G) / np.maximum(B.sum(axis=1), 1).reshape(-1, 1)
    P, films = (
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) for rows in (P, G)
    )
    return P @ films.T


def goes_person_by_person(B, G):
    scores = np.zeros(B.shape)
    for i in range(B.shape[0]):
        profile = (B[[i]] @ G).ravel()
        for j in range(len(G)):
            length = math.sqrt(profile @ profile) * math.sqrt(G[j] @ G[j])
            if length > 0:
                scores[i, j] = profile @ G[j] / length
    return scores


def meets_as_sets(ranked, relevant, k):
    return len(set(ranked[:k]) & relevant) / k


def sums_a_generator(ranked, relevant, k):
    return sum(item in relevant for item in ranked[:k]) / k


def natural_logarithm(hits, relevant):
    gain = 1 / np.log(np.arange(len(hits)) + 2)
    return (hits * gain).sum() / gain[: min(relevant, len(hits))].sum()


def place_by_place(hits, relevant):
    got = sum(1 / math.log2(at + 2) for at, hit in enumerate(hits) if hit)
    return got / sum(1 / math.log2(at + 2) for at in range(min(relevant, len(hits))))


def weighs_two_means(total, n, mu, a):
    with np.errstate(all="ignore"):
        mean = np.where(n > 0, total / n, mu)
        return np.where(n + a > 0, (n * mean + a * mu) / (n + a), mu)


RIGHT = [
    (lesson.density, counts_in_the_dense_table),
    (lesson.density, mean_of_a_comparison),
    (lesson.density, length_of_the_data),
    (lesson.content_scores, divides_by_both_lengths_at_the_end),
    (lesson.content_scores, turns_nan_into_zero),
    (lesson.content_scores, takes_the_mean_as_profile),
    (lesson.content_scores, goes_person_by_person),
    (lesson.precision_at_k, meets_as_sets),
    (lesson.precision_at_k, sums_a_generator),
    (lesson.ndcg, natural_logarithm),
    (lesson.ndcg, place_by_place),
    (lesson.damped_mean, weighs_two_means),
]


@pytest.mark.parametrize(("exercise", "other"), RIGHT, ids=[other.__name__ for _, other in RIGHT])
def test_another_road_to_the_answer_is_right(exercise, other):
    answer = FunctionType(other.__code__, other.__globals__, exercise.name)
    verdict = examine(exercise, answer)
    assert verdict.state == "right", verdict.message
