"""Lesson 10's functions are what libraries and closed forms give."""

import numpy as np
from scipy.optimize import approx_fprime
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import cosine_similarity

from recsys_lab import text
from recsys_lab.exercises import nb10_text as lesson

ENCODER = text.TextEncoder()


def test_the_lessons_idf_is_scikit_learns():
    titles = ["toy story", "toy story two toy", "love story", "robot"]
    counts, _ = text.bag_of_words(titles)
    np.testing.assert_allclose(
        lesson.idf.reference(counts.toarray()), TfidfVectorizer().fit(titles).idf_
    )


def test_the_lessons_attention_is_a_head_of_the_encoder():
    line = "Blade Runner (1982). Action, Sci-Fi, Thriller"
    states, shares = ENCODER.states(line)
    for layer, head in [(0, 2), (3, 7)]:
        at = slice(32 * head, 32 * head + 32)
        Q, K, V = (
            states[layer] @ ENCODER.weight(f"{name}.weight")[at].T
            + ENCODER.weight(f"{name}.bias")[at]
            for name in (
                f"encoder.layer.{layer}.attention.self.{part}" for part in ("query", "key", "value")
            )
        )
        mixed = lesson.attention.reference(Q, K, V)
        # float32, other orders of addition.
        np.testing.assert_allclose(mixed, shares[layer, head] @ V, atol=1e-5)
        np.testing.assert_allclose(mixed, softmax(Q @ K.T / 32**0.5, axis=1) @ V, atol=1e-5)


def test_the_lessons_map_is_scikit_learns_ridge():
    rng = np.random.default_rng(0)
    X, V = rng.normal(size=(40, 6)), rng.normal(size=(40, 3))
    theirs = Ridge(alpha=2.5, fit_intercept=False).fit(X, V)
    np.testing.assert_allclose(lesson.ridge_map.reference(X, V, 2.5), theirs.coef_.T, atol=1e-10)


def test_the_lessons_hybrid_is_where_its_objective_has_no_slope():
    rng = np.random.default_rng(1)
    fans, others, guess = rng.normal(size=(5, 4)), rng.normal(size=(30, 4)), rng.normal(size=4)

    def objective(v):
        fit = ((1 - fans @ v) ** 2).sum() + 0.1 * ((others @ v) ** 2).sum()
        return fit + 3 * ((v - guess) ** 2).sum()

    found = lesson.hybrid.reference(fans, others, 0.1, guess, 3)
    # Steps of 1.5e-8 in a sum near 10: good to about six digits.
    np.testing.assert_allclose(approx_fprime(found, objective), 0, atol=1e-5)
    np.testing.assert_allclose(lesson.hybrid.reference(fans, others, 0.1, guess, 1e9), guess)


def test_the_lessons_likeness_is_that_of_the_encoders_vectors():
    texts = ["a robot falls in love", "a machine that can feel"]
    padded = []
    for each in texts:
        last = ENCODER.states(each)[0][-1]
        padded.append(np.vstack([last, np.full((3, 384), 9.0)]))
    real = [np.arange(len(each)) < len(each) - 3 for each in padded]
    found = lesson.likeness.reference(padded[0], real[0], padded[1], real[1])
    np.testing.assert_allclose(found, cosine_similarity(ENCODER.encode(texts))[0, 1], atol=1e-5)
