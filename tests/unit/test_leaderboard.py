import json
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.model_selection import ParameterGrid

from benchmarks import ONE_THREAD
from benchmarks.leaderboard import PLAN, contestants, readers, two_processes
from recsys_lab import (
    Interactions,
    bootstrap_interval,
    evaluate,
    evaluate_per_user,
    leaderboard,
    leak_check,
    load_movielens,
    read_leaderboard,
    rivals,
    standings,
)
from recsys_lab.data.datasets import DATA
from recsys_lab.data.splits import split_last, split_random, split_time
from recsys_lab.judging import judge
from recsys_lab.judging.leaderboard import SPLITS
from recsys_lab.judging.metrics import USERS_AT_ONCE
from recsys_lab.judging.search import Span, search
from recsys_lab.judging.store import Store
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
    return table.drop(columns=["seconds", "MiB", "people"])


# --- the contest -------------------------------------------------------------------------------


def test_tuning_never_sees_the_test_nor_fits_to_the_validation(record):
    data = world()
    train, test = (
        set(zip(*part.matrix.nonzero(), strict=True)) for part in SPLITS["random"](data, 7)
    )
    leaderboard({"spy": (Spy, {"power": [0.5, 1.0, 2.0]})}, data, RANDOM, seeds=[7])
    *trials, final = (events for _, _, events in record)
    assert len(trials) == 3
    assert all(events < train and len(events) < 0.85 * len(train) for events in trials)
    assert final == train
    assert not train & test


def test_every_model_gets_the_same_number_of_trials(record):
    many = {"power": list(np.linspace(0.1, 3, 40))}
    table = leaderboard(
        {"many": (Spy, many), "few": (Spy, {"power": [1.0, 2.0]}), "none": (Spy, {})},
        world(), RANDOM, seeds=[0], trials=5,
    )  # fmt: skip
    assert table["tried"].tolist() == [5, 2, 1]
    assert len(record) == (5 + 1) + (2 + 1) + (0 + 1)
    assert len({power for power, _, _ in record[:5]}) == 5


def test_memory_takes_a_fit_of_its_own_and_only_where_it_is_asked(record):
    models = {"spy": (Spy, {})}
    assert leaderboard(models, world(), RANDOM, seeds=[0])["MiB"].isna().all()
    assert len(record) == 1
    table = leaderboard(models, world(), RANDOM, seeds=[0], memory=True, leaks=False)
    assert len(record) == 3
    assert table["MiB"].item() > 0 and np.isnan(table["beyond_train"].item())


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
    assert row["seconds"] > 0
    people = evaluate_per_user(TruncatedSVD(3).fit(train).scores, train, test, rng=2)["ndcg"]
    assert row["people"].tolist() == pytest.approx(people.tolist())
    assert train.users[row["people"].index].tolist() == people.index.tolist()


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
        built = []
        search(lambda s, make=make, built=built: built.append(make(**s)) or 0.0, values, 8, 0)
        assert 1 <= len(built) <= 8


def test_a_split_may_say_which_items_are_offered():
    data = world()
    train, test, candidates = SPLITS["cold items"](data, 0)
    assert not train.matrix[:, np.flatnonzero(candidates)].nnz
    one = leaderboard({"p": (Popularity, {})}, data, {"cold": SPLITS["cold items"]}, seeds=[0])
    # All that is offered has no event in train, so popularity is chance among it, ten of thirty.
    assert one["ndcg"].item() > 0.15
    assert evaluate(Popularity().fit(train).scores, train, test)["ndcg"] == 0


# --- the search --------------------------------------------------------------------------------


def test_few_combinations_are_scikit_learns_grid():
    values, tried = {"a": [1, 2, 3], "b": ["x", "y"], "c": [None]}, []
    found = search(lambda setting: tried.append(setting) or len(tried), values, 6, 0)
    theirs = sorted(ParameterGrid(values), key=str)
    assert sorted(tried, key=lambda s: str(dict(sorted(s.items())))) == theirs
    assert found["tried"] == 6 and found["setting"] == tried[-1]
    assert search(lambda setting: 0.5, {}, 4, 0)["setting"] == {}


def test_more_combinations_than_trials_are_drawn_and_none_is_tried_twice():
    values, tried = {"a": list(range(9)), "b": list("xyz")}, []
    search(lambda setting: tried.append((setting["a"], setting["b"])) or 0, values, 8, 0)
    assert len(set(tried)) == len(tried) <= 8
    assert all(a in values["a"] and b in values["b"] for a, b in tried)


@pytest.mark.parametrize("best", [2.0, 30.0, 700.0])
def test_the_second_half_finds_what_the_first_half_missed(best):
    values = {"lam": Span(1, 1000), "k": Span(2, 200, whole=True)}

    def score(setting):
        return -(np.log(setting["lam"] / best) ** 2) - np.log(setting["k"] / 20) ** 2

    # Of 100 searches: how far from the best on the log scale, with and without looking around it.
    def miss(trials):
        found = [search(score, values, trials, seed) for seed in range(100)]
        return np.mean([-each["score"] for each in found])

    assert miss(16) < 0.6 * miss(8)


def test_a_choice_at_an_edge_is_named():
    values = {"lam": Span(1, 100, ceiling=100), "k": [4, 8, 16], "unseen": ["weak", "zero"]}
    up = search(lambda s: s["lam"] - 100 * s["k"], values, 30, 0)
    assert up["edge"] == "lam high, k low"
    inside = search(lambda s: -abs(np.log(s["lam"] / 10)) - abs(s["k"] - 8), values, 30, 0)
    assert inside["edge"] == ""


def test_a_search_leaves_its_range_if_the_best_is_beyond_it():
    def nearest(best, seed, **bounds):
        values = {"lam": Span(1, 100, **bounds)}
        return search(lambda s: -abs(np.log(s["lam"] / best)), values, 16, seed)

    for best in (300, 0.3):
        found = [nearest(best, seed) for seed in range(20)]
        assert (
            np.median([max(f["setting"]["lam"] / best, best / f["setting"]["lam"]) for f in found])
            < 1.3
        )
        # Whoever stops short says so: that no trial went further is the edge.
        assert all(f["edge"] for f in found if not 0.5 < f["setting"]["lam"] / best < 2)
    bounded = [nearest(300, seed, ceiling=120) for seed in range(20)]
    assert max(f["setting"]["lam"] for f in bounded) == 120
    assert all(f["edge"] == "lam high" for f in bounded)
    whole = Span(2, 9, whole=True)
    assert whole.at(whole.bounds[0]) == 1


def test_a_span_is_even_on_the_log_scale():
    span = Span(0.1, 1000)
    assert [span.at(place) for place in (0, 0.25, 0.5, 1)] == [0.1, 1, 10, 1000]
    assert Span(1, 3, whole=True).at(0.5) == 2
    for low, high in [(0, 1), (2, 1), (1, np.inf), ("a", 2)]:
        with pytest.raises(ValueError, match="the smaller one first"):
            Span(low, high)
    for bounds in [{"floor": 2}, {"floor": 0}, {"ceiling": 9}]:
        with pytest.raises(ValueError, match="let it lie outside 1 to 10"):
            Span(1, 10, **bounds)


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
    assert len(record) == 3
    models = {"a": (Spy, values), "b": (Spy, {})}
    table = leaderboard(models, data, RANDOM, seeds=[0], path=path)
    assert len(record) == 3 + 1
    again = leaderboard(models, data, RANDOM, seeds=[0], path=path)
    assert len(record) == 4
    pd.testing.assert_frame_equal(drop_costs(again), drop_costs(table), check_dtype=False)
    pd.testing.assert_frame_equal(standings(read_leaderboard(path)), standings(again))
    for one, other in zip(again["people"], table["people"], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)  # they are kept as float32
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
    assert len(record) == 3 + 3


def test_two_contests_may_write_into_one_leaderboard(tmp_path):
    path = tmp_path / "board.csv"
    one, other = Store(path), Store(path)
    table = leaderboard({"a": (Popularity, {})}, world(), RANDOM, seeds=[0])
    row = table.iloc[0].to_dict()
    with ThreadPoolExecutor(2) as pool:
        for store, names in ((one, "abcd"), (other, "efgh")):
            pool.submit(lambda s, n: [s.put(row | {"model": name}) for name in n], store, names)
    assert sorted(read_leaderboard(path)["model"]) == list("abcdefgh")
    assert not list(tmp_path.glob("*.lock"))


def test_a_lock_that_a_stopped_process_left_is_not_waited_for_for_ever(tmp_path):
    path, lock = tmp_path / "board.csv", tmp_path / "board.csv.lock"
    lock.touch()
    os.utime(lock, (0, 0))
    leaderboard({"a": (Popularity, {})}, world(), RANDOM, seeds=[0], path=path)
    assert len(read_leaderboard(path)) == 1 and not lock.exists()


def test_a_crash_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "board.csv"
    leaderboard({"a": (Popularity, {})}, world(), RANDOM, seeds=[0], path=path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", lambda *names: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        leaderboard({"b": (Popularity, {})}, world(), RANDOM, seeds=[0], path=path)
    assert path.read_bytes() == before


def test_a_row_whose_people_are_lost_is_computed_anew(tmp_path, record):
    path, models = tmp_path / "board.csv", {"a": (Spy, {})}
    leaderboard(models, world(), RANDOM, seeds=[0], path=path)
    path.with_suffix(".npz").unlink()
    leaderboard(models, world(), RANDOM, seeds=[0], path=path)
    assert len(record) == 2
    with pytest.raises(FileNotFoundError, match="bench --leaderboard"):
        read_leaderboard(tmp_path / "none.csv")


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
@pytest.mark.parametrize("split", ["last", "random"])
def test_a_model_that_peeks_at_the_test_set_is_caught(model, split):
    data, _ = load_movielens()
    train, test, *_ = SPLITS[split](data, 0)
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


def test_the_leak_check_counts_as_one_would_by_hand(monkeypatch):
    rng = np.random.default_rng(3)
    train = rng.random((40, 90)) < 0.04
    test = (rng.random((40, 90)) < 0.1) & ~train
    scores = rng.integers(0, 4, (40, 90)).astype(float)  # many ties

    class Model:
        def scores(self, users):
            return scores[users]

    sums = np.zeros(90)
    for user, item in np.argwhere(test):
        twins = [j for j in range(90) if (train[:, j] == train[:, item]).all()]
        if len(twins) > 1:
            ahead = [np.sign(scores[user, item] - scores[user, twin]) for twin in twins]
            sums[item] += np.mean(ahead) / 2
    wanted = sums.sum() / np.sqrt((sums**2).sum())
    assert leak_check(Model(), train, test) == pytest.approx(wanted)
    monkeypatch.setattr(judge, "PAIRS", 50)
    monkeypatch.setattr(judge, "USERS_AT_ONCE", 7)
    assert leak_check(Model(), train, test) == pytest.approx(wanted)


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
    assert board.loc["b", "behind"].iloc[0] == 0


def test_how_far_a_model_is_behind_is_measured_person_by_person_and_corrected_for_the_number():
    table = leaderboard(
        {"p": (Popularity, {}), "r": (Random, {}), "EASE": (EASE, {"lam": [10.0]})},
        world(m=200), RANDOM, seeds=[0],
    )  # fmt: skip
    board = standings(table)
    assert board.loc["random"].index.tolist() == ["EASE", "p", "r"]
    people = table.set_index("model")["people"]
    difference = people["EASE"] - people["p"]
    row = board.loc[("random", "p")]
    assert row["behind"] == pytest.approx(difference.mean())
    # Two comparisons with the best: each at the level 1 - 0.05/2.
    wanted = bootstrap_interval(difference, level=0.975, repeats=10_000, rng=1)
    spread = difference.std() / np.sqrt(len(difference))
    assert [row["behind_low"], row["behind_high"]] == pytest.approx(wanted, abs=0.15 * spread)
    normal = row["behind"] - norm.ppf(1 - 0.05 / 4) * spread
    assert row["behind_low"] == pytest.approx(normal, abs=0.15 * spread)
    assert board["may_be_best"].tolist() == [True, row["behind_low"] <= 0, False]


def test_of_models_that_are_equal_the_best_is_rarely_ruled_out():
    # The promise of `may_be_best`, in a world where the truth is known: model 0 is best.
    rng, missed = np.random.default_rng(0), 0
    for _ in range(60):
        scores = rng.normal(size=(50, 8)) + np.r_[0.05, np.zeros(7)]
        rows = [
            {"split": "s", "model": name, "seed": 0, "ndcg": values.mean(), "low": 0, "high": 0,
             "seconds": 0, "MiB": 0, "leak": False, "edge": "", "people": pd.Series(values)}
            for name, values in enumerate(scores.T)
        ]  # fmt: skip
        missed += not standings(pd.DataFrame(rows)).loc[("s", 0), "may_be_best"]
    assert missed <= 5  # at most 3 expected


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
        ({"models": {}}, "models={}: give a dict with at least one entry"),
        ({"splits": {}}, "splits={}"),
        ({"seeds": []}, "seeds is empty"),
        ({"models": {"p": Popularity}}, "models\\['p'\\] is no pair"),
        ({"models": {"p": (EASE, {"lam": []})}}, "has lam=\\[\\]: give a list of values"),
        ({"data": np.eye(3)}, "data is a ndarray: pass Interactions"),
        ({"models": {"p": (EASE, {"lam": 3.0})}}, "has lam=3.0: give a list of values"),
        ({"metrics": 3}, "metrics=3: give a list of names"),
        ({"metrics": "ndcg"}, "metrics='ndcg': give a list of names"),
        ({"splits": {"s": 3}}, "splits\\['s'\\] is 3: give a function of data and seed"),
        *[({"seeds": s}, f"seeds={s}: give a list of whole") for s in (3, None)],
        *[({"seeds": [s]}, "seeds holds .*: give whole numbers") for s in ("a", 1.5, -1, True)],
        *[({"k": k}, f"k={k!r} is not a whole number") for k in (1.5, True, "a", None)],
        *[({name: "no"}, f"{name}='no': choose True or False") for name in ("leaks", "memory")],
        ({"path": "."}, "path '.' is a folder"),
    ],
)
def test_bad_input_is_named(change, message):
    good = {"models": {"p": (Popularity, {})}, "data": world(), "splits": RANDOM, "seeds": [0]}
    with pytest.raises(ValueError, match=message):
        leaderboard(**{**good, **change})


@pytest.mark.parametrize("table", [None, 3, [1], pd.DataFrame({"a": [1]})], ids=str)
def test_what_is_no_leaderboard_has_no_standings(table):
    with pytest.raises(ValueError, match=r"table=.* is no leaderboard: pass what leaderboard"):
        standings(table)


def test_scores_that_are_not_finite_are_refused_with_the_models_name():
    class Wild(Popularity):
        def scores(self, users):
            return np.full((len(users), 150), np.nan)

    with pytest.raises(ValueError, match="no finite numbers") as caught:
        leaderboard({"wild": (Wild, {})}, world(), RANDOM, seeds=[0])
    assert "'wild'" in caught.value.__notes__[0]


def test_the_course_splits_hold_out_a_fifth():
    data, _ = load_movielens()
    for wanted, found in [
        (split_last(data, 0.2), SPLITS["last"](data, 3)),
        (split_random(data, 0.2, 3), SPLITS["random"](data, 3)),
        (split_time(data, 0.2), SPLITS["time"](data, 3)),
    ]:
        for one, other in zip(wanted, found, strict=True):
            assert (one.matrix != other.matrix).nnz == 0
    train, test = SPLITS["cold users"](data, 3)
    assert not (np.diff(train.matrix.indptr) * np.diff(test.matrix.indptr)).any()


def test_the_processes_of_the_bench_command_have_one_thread_each(monkeypatch):
    """With two, what is solved for the factors of a film takes ten times as long."""
    for name in ONE_THREAD:
        monkeypatch.setenv(name, "2")  # and back to what it was, afterwards
    numbers = "[each['num_threads'] for each in __import__('threadpoolctl').threadpool_info()]"
    with two_processes() as pool:
        found = pool.submit(eval, f"(__import__('implicit.cpu.als'), {numbers})[1]").result()
    assert set(found) == {1} and len(found) > 1


def test_the_stored_leaderboard_is_whole_and_none_of_its_models_leaks():
    board = read_leaderboard(DATA / "leaderboard" / "movielens-small.csv")
    _, models = contestants()
    of_text = readers(load_movielens()[1])
    for split in SPLITS:
        entered = {*models, *of_text} if split == "cold items" else set(models)
        rows = board[board["split"] == split]
        assert set(rows["model"]) == entered, split
        assert len(rows) == len(entered) * len(PLAN[split][1]), split
    assert board["people"].notna().all() and not board["leak"].any()
    means = board["people"].map(lambda values: values.mean())
    np.testing.assert_allclose(means, board["ndcg"], atol=1e-6)


def test_in_the_stored_leaderboard_no_range_decides_who_may_be_the_best():
    """A choice lies at an end of what was tried only where nothing lies beyond, or far behind."""
    board = read_leaderboard(DATA / "leaderboard" / "movielens-small.csv")
    told = (DATA / "leaderboard" / "README.md").read_text("utf-8")
    places = standings(board)
    bounds = {"days high": 8000, "neighbours high": 9000}  # all days, all films or people
    for row in board.itertuples():
        for part in filter(None, row.edge.split(", ")):
            if json.loads(row.chosen)[part.split()[0]] != bounds.get(part):
                assert not places.loc[(row.split, row.model), "may_be_best"], (row.split, row.model)
                assert f"{row.model}, {row.split}: `{part}`" in told


def test_in_the_stored_leaderboard_all_models_had_the_same_number_of_trials():
    board = read_leaderboard(DATA / "leaderboard" / "movielens-small.csv")
    tuned = board[board["validation"].notna()]
    for split, rows in tuned.groupby("split"):
        most = 1 if split.startswith("cold") else 12
        assert rows["tried"].max() == most
        # Where a bound was tried twice, or a whole number, there were fewer different ones.
        few = set(rows.loc[rows["tried"] < most, "model"])
        assert few <= {"recent popularity"}, (split, few)


def test_where_a_model_knows_nothing_it_scores_what_chance_does():
    board = read_leaderboard(DATA / "leaderboard" / "movielens-small.csv")
    for split in ("cold users", "cold items"):
        rows = board[board["split"] == split].set_index(["model", "seed"])["people"]
        for model in ("EASE", "ALS zero", "item neighbours"):
            for seed in range(3):
                mute, chance = rows[model, seed], rows["chance", seed]
                error = np.hypot(mute.sem(), chance.sem())
                assert abs(mute.mean() - chance.mean()) < 4 * error, (split, model, seed)


def test_in_the_stored_leaderboard_als_zero_has_more_factors_than_its_penalty_leaves():
    """So k is no range in disguise."""
    data, _ = load_movielens()
    board = read_leaderboard(DATA / "leaderboard" / "movielens-small.csv")
    ((k,), _) = rivals(np.eye(3))["ALS zero"][1].values()
    rows = board[(board["model"] == "ALS zero") & ~board["split"].str.startswith("cold")]
    for row in rows.drop_duplicates(["split", "chosen"]).itertuples():
        R = SPLITS[row.split](data, row.seed)[0].matrix.astype(bool).astype(float)
        sigma = np.sqrt(np.maximum(np.linalg.eigvalsh((R @ R.T).toarray()), 0))
        assert (sigma > 2 * json.loads(row.chosen)["lam"]).sum() < k
