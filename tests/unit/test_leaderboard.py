import json
import os
import warnings
from functools import partial
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import ParameterGrid

from recsys_lab import Interactions, evaluate, leak_check, load_movielens, rivals, standings
from recsys_lab.data.splits import split_last, split_random
from recsys_lab.judging.contest import SPLITS, _settings, leaderboard
from recsys_lab.judging.metrics import USERS_AT_ONCE
from recsys_lab.models.recommenders import (
    BPR,
    EASE,
    Content,
    ItemNeighbours,
    Popularity,
    Random,
    TruncatedSVD,
)

RANDOM = {"random": SPLITS["random"]}


def world(seed=0, m=60, n=150):
    """Users and items of eight kinds, a long tail of items: many have no event in a train part."""
    rng = np.random.default_rng(seed)
    alike = rng.integers(8, size=m)[:, None] == rng.integers(8, size=n)
    R = rng.random((m, n)) < np.where(alike, 0.4, 0.03) / np.sqrt(1 + np.arange(n) / 8)
    return Interactions(R, range(m), range(n), None)


class Spy:
    """Popularity that keeps a record of what it was fitted to, and with which setting."""

    record: ClassVar[list] = []

    def __init__(self, power=1.0, rng=None):
        self.power, self.rng = power, rng

    def fit(self, train):
        Spy.record.append((self.power, self.rng, set(zip(*train.matrix.nonzero(), strict=True))))
        self.counts = (1 + train.matrix.sum(axis=0)) ** self.power
        return self

    def scores(self, users):
        assert len(users) <= USERS_AT_ONCE
        return np.tile(self.counts, (len(users), 1))


@pytest.fixture
def record():
    Spy.record = []
    return Spy.record


def drop_costs(table):
    return table.drop(columns=["seconds", "MiB"])


# --- the contest -------------------------------------------------------------------------------


def test_tuning_never_sees_the_test_nor_fits_to_the_validation(record):
    data = world()
    train, test = (
        set(zip(*part.matrix.nonzero(), strict=True)) for part in SPLITS["random"](data, 7)
    )
    leaderboard({"spy": (Spy, {"power": [0.5, 1.0, 2.0]})}, data, RANDOM, seeds=[7])
    *trials, final, traced = (events for _, _, events in record)
    assert len(trials) == 3
    assert all(events < train and len(events) < 0.85 * len(train) for events in trials)
    assert final == traced == train
    assert not train & test


def test_every_model_gets_the_same_number_of_trials(record):
    many = {"power": list(np.linspace(0.1, 3, 40))}
    table = leaderboard(
        {"many": (Spy, many), "few": (Spy, {"power": [1.0, 2.0]}), "none": (Spy, {})},
        world(), RANDOM, seeds=[0], trials=5,
    )  # fmt: skip
    assert table["tried"].tolist() == [5, 2, 1]
    assert len(record) == (5 + 2) + (2 + 2) + (0 + 2)
    assert len({power for power, _, _ in record[:5]}) == 5


def test_the_best_setting_on_validation_is_chosen_and_the_seed_is_passed_on(record):
    table = leaderboard({"spy": (Spy, {"power": [-1.0, 0.0, 1.0]})}, world(), RANDOM, seeds=[3, 4])
    assert [json.loads(chosen) for chosen in table["chosen"]] == [{"power": 1.0}] * 2
    assert {rng for _, rng, _ in record} == {3, 4}
    train, _ = SPLITS["random"](world(), 3)
    known, validation = SPLITS["random"](train, 3)
    wanted = evaluate(Popularity().fit(known).scores, known, validation)["ndcg"]
    assert table["validation"][0] == pytest.approx(wanted)


def test_a_row_says_what_evaluate_says():
    data = world()
    table = leaderboard({"SVD": (TruncatedSVD, {"k": [3]})}, data, RANDOM, seeds=[2])
    train, test = SPLITS["random"](data, 2)
    wanted = evaluate(TruncatedSVD(3).fit(train).scores, train, test, rng=2)
    row = table.iloc[0]
    for metric in ("ndcg", "recall", "hit_rate", "coverage", "novelty", "users"):
        assert row[metric] == pytest.approx(wanted[metric])
    assert row["low"] < row["ndcg"] < row["high"]
    assert row["seconds"] > 0 and row["MiB"] > 0


def test_a_metric_may_be_that_of_lists_of_another_length():
    data, names = world(), ["ndcg", "recall", "map", "coverage", "novelty"]
    metrics = [*names, *(f"{name}@{k}" for k in (3, 40) for name in names)]
    models = {"SVD": (TruncatedSVD, {"k": [3]})}
    row = leaderboard(models, data, RANDOM, metrics, seeds=[2], k=7).iloc[0]
    train, test = SPLITS["random"](data, 2)
    scores = TruncatedSVD(3).fit(train).scores
    for k, ending in [(7, ""), (3, "@3"), (40, "@40")]:
        wanted = evaluate(scores, train, test, k, rng=2)
        assert [row[name + ending] for name in names] == pytest.approx(list(wanted[names]))
    assert row["low"] < row["ndcg"] < row["high"]


def test_settings_are_scikit_learns_grid():
    values = {"a": [1, 2, 3], "b": ["x", "y"], "c": [None]}
    theirs = sorted(ParameterGrid(values), key=str)
    assert sorted(_settings(values, 6, 0), key=lambda s: str(dict(sorted(s.items())))) == theirs
    drawn = _settings(values, 4, 0)
    assert len(drawn) == 4 and all(setting in theirs for setting in drawn)
    assert _settings({}, 4, 0) == [{}]


def test_a_model_of_ones_own_takes_three_lines():
    class Mine:
        def fit(self, train):
            self.n = train.shape[1]

        def scores(self, users):
            return np.zeros((len(users), self.n))

    models = {"popularity": (Popularity, {}), "mine": (Mine, {})}
    table = leaderboard(models, world(), RANDOM, ["recall"], seeds=[0])
    assert table.loc[table["model"] == "mine", "recall"].item() < table["recall"].max()


def test_the_courses_rivals_can_all_be_built_within_the_same_trials():
    models = rivals(np.eye(4))
    assert list(models)[:2] == ["chance", "popularity"]
    for make, values in models.values():
        for setting in _settings(values, 8, 0):
            make(**setting)


# --- resuming ----------------------------------------------------------------------------------


def test_an_interrupted_leaderboard_goes_on_where_it_stopped(tmp_path, record):
    data, path = world(), tmp_path / "new" / "board.csv"

    class Broken(Spy):
        def fit(self, train):
            raise RuntimeError("power cut")

    values = {"power": [0.5, 1.0]}
    with pytest.raises(RuntimeError, match="power cut") as caught:
        leaderboard({"a": (Spy, values), "b": (Broken, {})}, data, RANDOM, seeds=[0], path=path)
    assert "'b'" in caught.value.__notes__[0]
    assert len(record) == 4
    models = {"a": (Spy, values), "b": (Spy, {})}
    table = leaderboard(models, data, RANDOM, seeds=[0], path=path)
    assert len(record) == 4 + 2
    again = leaderboard(models, data, RANDOM, seeds=[0], path=path)
    assert len(record) == 6
    pd.testing.assert_frame_equal(again, table, check_dtype=False)
    fresh = leaderboard(models, data, RANDOM, seeds=[0])
    pd.testing.assert_frame_equal(drop_costs(again), drop_costs(fresh), check_dtype=False)


def test_a_row_is_computed_anew_when_what_it_depends_on_has_changed(tmp_path, record):
    values, path = {"power": [0.5, 1.0]}, tmp_path / "board.csv"
    run = partial(leaderboard, splits=RANDOM, seeds=[0], path=path)
    run({"a": (Spy, values), "b": (Spy, {})}, world())
    for models, data, more in [
        ({"a": (Spy, values)}, world(1), {}),
        ({"a": (Spy, {"power": [0.5, 2.0]})}, world(1), {}),
        ({"a": (Spy, {"power": [0.5, 2.0]})}, world(1), {"k": 5}),
        ({"a": (Spy, {"power": [0.5, 2.0]})}, world(1), {"k": 5, "trials": 1}),
    ]:
        before = len(record)
        table = run(models, data, **more)
        assert len(record) > before
        assert len(table) == 1
        assert len(pd.read_csv(path)) == 2  # the other model's row stays, this one's is replaced


def test_where_the_split_does_not_depend_on_the_seed_neither_does_the_tuning(tmp_path, record):
    once = {"once": lambda data, seed: split_random(data, 0.2, 0)}
    values = {"power": [0.5, 1.0, 2.0]}
    leaderboard({"a": (Spy, values)}, world(), once, seeds=[0, 1, 2])
    assert len(record) == 3 + 3 * 2


def test_a_crash_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "board.csv"
    leaderboard({"a": (Popularity, {})}, world(), RANDOM, seeds=[0], path=path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *names: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        leaderboard({"b": (Popularity, {})}, world(), RANDOM, seeds=[0], path=path)
    assert path.read_bytes() == before


# --- the leak check ----------------------------------------------------------------------------


class Peeker:
    """Has all the data from elsewhere, and learns from these whatever it is given."""

    def __init__(self, data, model):
        self.data, self.model = data, model

    def fit(self, train):
        self.model.fit(self.data)

    def scores(self, users):
        return self.model.scores(users)


@pytest.mark.parametrize(
    "model", [Popularity(), TruncatedSVD(20), ItemNeighbours(20), EASE(10.0)], ids=str
)
@pytest.mark.parametrize("split", SPLITS)
def test_a_model_that_peeks_at_the_test_set_is_caught(model, split):
    data, _ = load_movielens()
    train, test = SPLITS[split](data, 0)
    assert abs(leak_check(model.fit(train), train, test)) < 3
    peeker = Peeker(data, model)
    peeker.fit(train)
    assert leak_check(peeker, train, test) > 5


def test_the_leaderboard_names_the_peeker_and_puts_it_last():
    data = world(m=150, n=600)
    perfect = Peeker(data, TruncatedSVD(100))
    models = {
        "peeker": (lambda: perfect, {}),
        "popularity": (Popularity, {}),
        "random": (Random, {}),
    }
    with pytest.warns(UserWarning, match="peeker knows more of the test than train can tell"):
        table = leaderboard(models, data, RANDOM, seeds=[0])
    assert table.set_index("model")["leak"].to_dict() == {
        "peeker": True, "popularity": False, "random": False
    }  # fmt: skip
    assert table["ndcg"].idxmax() == 0
    board = standings(table)
    assert board.index.get_level_values("model").tolist() == ["popularity", "random", "peeker"]


def test_knowing_the_features_is_no_leak_if_the_model_says_so():
    data = world(m=150, n=600)
    # What kind an item is, as one might read in its description: here from the events of all.
    kinds = TruncatedSVD(8).fit(data).factors_.V

    class Undeclared(Content):
        side_information = False

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = leaderboard({"c": (Content, {"features": [kinds]})}, data, RANDOM, seeds=[0])
    assert table["beyond_train"].item() > 5
    with pytest.warns(UserWarning, match="u knows more"):
        leaderboard({"u": (Undeclared, {"features": [kinds]})}, data, RANDOM, seeds=[0])


def test_of_honest_models_the_leak_check_is_as_normal_as_it_says():
    values = []
    for seed in range(150):
        data = world(seed, m=80, n=250)
        train, test = split_random(data, 0.3, seed)
        values.append(leak_check(Random(seed).fit(train), train, test))
    # Standard errors of mean and deviation: 0.08 and 0.06; four of them.
    assert abs(np.mean(values)) < 0.33
    assert 0.7 < np.std(values) < 1.24
    # Trained from a random start: its twins differ by chance, the same chance for all users.
    values = []
    for seed in range(20):
        train, test = split_random(world(seed, m=80, n=250), 0.3, seed)
        values.append(leak_check(BPR(4, epochs=5, rng=seed).fit(train), train, test))
    assert abs(np.mean(values)) < 4 / np.sqrt(20)
    assert max(values) < 4


def test_without_twins_or_differences_there_is_nothing_to_suspect():
    train, test = np.eye(4), np.roll(np.eye(4), 1, axis=1)
    assert leak_check(Random().fit(train), train, test) == 0
    train, test = np.zeros((4, 4)), np.eye(4)
    assert leak_check(Popularity().fit(train), train, test) == 0


# --- the table, and bad input ------------------------------------------------------------------


def test_standings_average_over_seeds_and_rank_within_each_split():
    splits = {"b": SPLITS["random"], "a": lambda data, seed: split_random(data, 0.4, seed)}
    models = {"random": (Random, {}), "popularity": (Popularity, {})}
    table = leaderboard(models, world(), splits, ["ndcg", "coverage"], seeds=[0, 1, 2])
    board = standings(table)
    assert board.index.tolist() == [
        ("b", "popularity"), ("b", "random"), ("a", "popularity"), ("a", "random")
    ]  # fmt: skip
    values = table.query("split == 'a' and model == 'random'")["ndcg"]
    row = board.loc[("a", "random")]
    assert row["ndcg"] == pytest.approx(values.mean())
    assert row["spread"] == pytest.approx(values.max() - values.min())
    assert row["seeds"] == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metrics": ["ndgc"]}, "metrics holds 'ndgc': choose from precision"),
        ({"metrics": ["coverage", "ndcg"]}, "let the first one be one of precision"),
        ({"metrics": []}, "let the first one"),
        ({"metrics": ["ndcg@5"]}, "let the first one"),
        ({"metrics": ["ndcg", "ndcg@0"]}, "metrics holds 'ndcg@0'"),
        ({"metrics": ["ndcg", "recall@ten"]}, "metrics holds 'recall@ten'"),
        ({"trials": 0}, "trials=0"),
        ({"k": 0}, "k=0"),
    ],
)
def test_bad_input_is_named(change, message):
    good = {"models": {"p": (Popularity, {})}, "data": world(), "splits": RANDOM, "seeds": [0]}
    with pytest.raises(ValueError, match=message):
        leaderboard(**{**good, **change})


def test_scores_that_are_not_finite_are_refused_with_the_models_name():
    class Wild(Popularity):
        def scores(self, users):
            return np.full((len(users), 150), np.nan)

    with pytest.raises(ValueError, match="no finite numbers") as caught:
        leaderboard({"wild": (Wild, {})}, world(), RANDOM, seeds=[0])
    assert "'wild'" in caught.value.__notes__[0]


def test_the_course_splits_are_a_fifth_of_each_users_last_and_of_all():
    data, _ = load_movielens()
    for wanted, found in [
        (split_last(data, 0.2), SPLITS["last"](data, 3)),
        (split_random(data, 0.2, 3), SPLITS["random"](data, 3)),
    ]:
        for one, other in zip(wanted, found, strict=True):
            assert (one.matrix != other.matrix).nnz == 0
