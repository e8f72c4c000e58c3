"""Codes of items and the network that writes them: by scikit-learn, by all items, by the truth."""

from itertools import product

import numpy as np
import pytest
from sklearn.cluster import KMeans

from recsys_lab import CodeWriter, SemanticIds, SeriesWorld

WORLD = SeriesWorld(series=3, episodes=4, noise=0.1)


def test_a_level_is_as_good_as_scikit_learns_k_means():
    X = np.random.default_rng(0).normal(size=(200, 3))
    ids = SemanticIds(6, 1, distinct=False, rng=1).fit(X)
    theirs = KMeans(6, n_init=8, random_state=0).fit(X - X.mean(axis=0))
    ours = ids.left_[1] * ((X - X.mean(axis=0)) ** 2).sum()
    # Both stop at a local optimum of many starts.
    assert ours == pytest.approx(theirs.inertia_, rel=0.03)
    assert np.array_equal(
        ids.codes_[:, 0],
        np.linalg.norm(X[:, None] - X.mean(axis=0) - ids.books_[0], axis=2).argmin(axis=1),
    )


def test_what_is_left_is_what_the_centres_do_not_say():
    X = np.random.default_rng(2).normal(5, 1, size=(90, 4))
    ids = SemanticIds(5, 3, distinct=False).fit(X)
    said = ids.mean_ + sum(ids.books_[level][ids.codes_[:, level]] for level in range(3))
    whole = ((X - X.mean(axis=0)) ** 2).sum()
    assert ((X - said) ** 2).sum() / whole == pytest.approx(ids.left_[-1])
    assert np.all(np.diff(ids.left_) < 0)
    assert np.array_equal(ids.transform(X), ids.codes_)


def test_the_worlds_codes_are_its_series_and_its_episodes():
    codes = SemanticIds(10, 2).fit(SeriesWorld(10, 10).vectors()).codes_
    assert codes.shape == (100, 2)
    table = codes.reshape(10, 10, 2)
    assert (table[:, :, 0] == table[:, :1, 0]).all() and len(np.unique(table[:, 0, 0])) == 10
    assert (table[:, :, 1] == table[:1, :, 1]).all() and len(np.unique(table[0, :, 1])) == 10


def test_items_with_the_same_code_are_told_apart():
    X = np.repeat(np.eye(3), [2, 1, 4], axis=0)
    codes = SemanticIds(3, 1).fit(X).codes_
    assert codes.shape == (7, 2)
    assert codes[:, 1].tolist() == [0, 1, 0, 0, 1, 2, 3]
    assert len(np.unique(codes, axis=0)) == 7


def test_the_worlds_best_loss_is_the_entropy_of_its_truth():
    histories = WORLD.histories(4, 5, rng=0)
    for p in WORLD.best_scores(histories):
        assert -(p * np.log(p)).sum() == pytest.approx(WORLD.best_loss())
    assert SeriesWorld(3, 4, 0.0).best_loss() == 0
    assert SeriesWorld(3, 4, 1.0).best_loss() == pytest.approx(np.log(12))


@pytest.fixture(scope="module")
def writer():
    codes = np.array(list(product(range(3), range(4))))
    setting = {"length": 4, "d": 24, "dropout": 0.0, "learning_rate": 0.01, "batch": 20}
    made = CodeWriter(codes, epochs=30, **setting)
    return made.fit(list(WORLD.histories(80, 13, rng=1)))


def test_the_items_probabilities_add_up_to_one_and_the_beam_finds_the_largest(writer):
    histories = [[0, 5, 1], [7], [3, 10, 0, 11, 1, 8]]
    every = np.column_stack(
        [np.exp(writer.log_probabilities(histories, [item] * 3)) for item in range(12)]
    )
    assert np.allclose(every.sum(axis=1), 1, atol=1e-5)
    items, logs = writer.beam(histories, width=12)
    assert np.array_equal(items, np.argsort(-every, axis=1))
    assert np.allclose(np.exp(logs), -np.sort(-every, axis=1), atol=1e-5)
    scores = writer.scores(histories, width=12)
    assert np.allclose(np.exp(scores), every, atol=1e-5)


def test_a_beam_writes_only_what_may_be_written(writer):
    among = np.zeros((2, 12), bool)
    among[0, [2, 9]], among[1, 4] = True, True
    items, logs = writer.beam([[0, 5], [7, 8]], width=3, among=among)
    assert set(items[0]) == {2, 9, -1} and items[1].tolist() == [4, -1, -1]
    assert np.isneginf(logs[1, 1:]).all()


def test_the_writer_learns_the_rule_and_comes_back_from_its_file(writer, tmp_path):
    asked = WORLD.histories(300, 8, rng=5)
    kept = asked[asked[:, -1] == WORLD.sequel(asked[:, -3])]
    items, _ = writer.beam(list(kept[:, :-1]), width=2)
    assert np.mean(items[:, 0] == kept[:, -1]) > 0.9
    writer.save(tmp_path / "writer.npz")
    again = CodeWriter(writer.codes, length=4).load(tmp_path / "writer.npz")
    assert np.array_equal(again.beam(list(kept[:, :-1]), width=2)[0], items)


def test_codes_of_unequal_alphabets_lead_to_their_items():
    codes = np.array([[0, 4, 1], [0, 4, 0], [1, 0, 0], [1, 2, 7]])
    made = CodeWriter(codes)
    for item, letters in enumerate(made.letters):
        at = 0
        for letter in letters:
            at = made.next_[at, letter]
        assert at == item
    assert (made.next_[0] >= 0).sum() == 2
    assert made.spelled([2, 0]).tolist() == [*made.letters[2], *made.letters[0]]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: SemanticIds(4).fit(np.eye(3)), "size=4"),
        (lambda: SemanticIds(2, 99).fit(np.eye(3)), "levels=99"),
        (lambda: CodeWriter([[0, 1], [0, 1]]), "two equal rows"),
        (lambda: CodeWriter([[0.5]]), "codes=.*whole numbers"),
    ],
)
def test_bad_input_is_refused_in_words(call, says):
    with pytest.raises(ValueError, match=says):
        call()
