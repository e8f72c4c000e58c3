import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import accuracy_score, ndcg_score
from sklearn.metrics.pairwise import cosine_similarity

from recsys_lab import (
    Interactions,
    accuracy,
    bootstrap_interval,
    diversity,
    evaluate,
    evaluate_per_user,
    load_movielens,
    popularity,
    recommend,
    split_random,
    truncated_svd,
)
from recsys_lab.judging.ranking import by_lot

PER_USER = ["precision", "recall", "ndcg", "map", "hit_rate"]


def world(seed, m=12, n=30, density=0.15):
    """Scores without ties, and train and test without a common event."""
    rng = np.random.default_rng(seed)
    scores = rng.permutation(m * n).reshape(m, n) / (m * n)
    kind = rng.random((m, n))
    return scores, kind < density, kind > 1 - density


worlds = st.builds(
    world, st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 12), st.floats(0.05, 0.5)
).filter(lambda case: case[2].any())


# --- each metric by hand -----------------------------------------------------------------------


def test_a_worked_case():
    # One user has item 0; the list of 4 is 1, 2, 3, 4; relevant are 2, 4 and 6 (rank 6).
    scores = [[9, 8, 7, 6, 5, 4, 3]]
    train, test = [[1, 0, 0, 0, 0, 0, 0]], [[0, 0, 1, 0, 1, 0, 1]]
    result = evaluate(scores, train, test, k=4)
    assert result.index.tolist() == [*PER_USER, "coverage", "novelty", "users"]
    gain = 1 / np.log2([2, 3, 4, 5])
    assert result.to_dict() == pytest.approx(
        {
            "precision": 2 / 4,
            "recall": 2 / 3,
            "ndcg": (gain[1] + gain[3]) / (gain[0] + gain[1] + gain[2]),
            "map": (1 / 2 + 2 / 4) / 3,
            "hit_rate": 1,
            "coverage": 4 / 7,
            "novelty": 0,  # the listed items have no owner: counted as one, of one user
            "users": 1,
        },
        abs=1e-15,
    )


def test_recall_map_and_ndcg_of_a_perfect_short_list_are_one():
    result = evaluate([[4, 3, 2, 1]], [[0, 0, 0, 0]], [[1, 1, 1, 0]], k=2)
    assert result[PER_USER].tolist() == [1, 1, 1, 1, 1]


def test_precision_divides_by_k_even_where_fewer_items_are_left():
    result = evaluate([[3, 2, 1]], [[1, 1, 0]], [[0, 0, 1]], k=2)
    assert result[["precision", "recall", "ndcg", "map"]].tolist() == [0.5, 1, 1, 1]


def test_users_without_a_test_item_do_not_count():
    scores, train, test = [[2, 1]] * 3, np.zeros((3, 2)), [[1, 0], [0, 0], [0, 1]]
    result = evaluate(scores, train, test, k=1)
    assert result["users"] == 2
    assert result["precision"] == 0.5
    assert result["coverage"] == 0.5


def test_novelty_is_in_bits_averaged_over_lists():
    # Owners among four users: item 0 two, item 1 one, item 2 none (counts as one), item 3 four.
    train = np.array([[1, 1, 0, 1], [1, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1]])
    test = np.array([[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    scores = np.tile([4.0, 3, 2, 1], (4, 1))
    # Lists of two: user 0 only item 2 (2 bits); user 1 items 1, 2 (2, 2); user 2 items 0, 1 (1, 2).
    assert evaluate(scores, train, test, k=2)["novelty"] == pytest.approx((2 + 2 + 1.5) / 3)


def test_an_item_that_everybody_has_is_no_news():
    train = np.array([[1, 0], [1, 1], [1, 1], [0, 1]])
    test = np.array([[0, 0], [0, 0], [0, 0], [1, 0]])
    assert evaluate(np.ones((4, 2)), train, test, k=1)["novelty"] == pytest.approx(np.log2(4 / 3))


def test_a_user_who_has_seen_everything_has_no_list_and_no_hit():
    with pytest.warns(UserWarning, match="share 1 event"):
        result = evaluate([[1, 2]], [[1, 1]], [[1, 0]], k=1)
    assert result[PER_USER].tolist() == [0] * 5
    assert result["coverage"] == 0
    assert np.isnan(result["novelty"])


# --- against other libraries -------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
def test_metrics_are_those_of_ranx(monkeypatch):
    # Compiling ranx takes a minute; as plain Python it does the same sums at once.
    monkeypatch.setattr("numba.config.DISABLE_JIT", True)
    import ranx

    scores, train, test = world(0, m=40, n=60, density=0.08)  # at most 10 relevant: see recall
    assert test.sum(axis=1).max() <= 10
    users = np.flatnonzero(test.any(axis=1))
    qrels = ranx.Qrels({str(u): {str(i): 1 for i in np.flatnonzero(test[u])} for u in users})
    run = ranx.Run(
        {str(u): {str(i): scores[u, i] for i in np.flatnonzero(~train[u])} for u in users}
    )
    for k in (10, 25):
        names = [f"{metric}@{k}" for metric in PER_USER]
        theirs = ranx.evaluate(qrels, run, names)
        ours = evaluate(scores, train, test, k)
        assert ours[PER_USER].tolist() == pytest.approx([theirs[name] for name in names])


@settings(max_examples=40, deadline=None)
@given(worlds, st.integers(1, 6))
def test_ndcg_is_scikit_learns_also_with_more_relevant_items_than_places(case, k):
    scores, train, test = case
    ours = evaluate_per_user(scores, train, test, k)["ndcg"]
    for user, value in ours.items():
        unseen = ~train[user]
        if unseen.sum() > 1:  # scikit-learn refuses a single item
            theirs = ndcg_score([test[user, unseen]], [scores[user, unseen]], k=k)
            assert value == pytest.approx(theirs)


# --- properties --------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(worlds, st.integers(1, 15))
def test_metrics_lie_in_their_ranges_and_bound_each_other(case, k):
    scores, train, test = case
    per_user = evaluate_per_user(scores, train, test, k)
    assert ((per_user >= 0) & (per_user <= 1 + 1e-12)).all(axis=None)
    assert (per_user["precision"] <= per_user["recall"] + 1e-12).all()
    assert (per_user["map"] <= per_user["recall"] + 1e-12).all()
    assert (per_user["recall"] <= per_user["hit_rate"] + 1e-12).all()
    hit = per_user["hit_rate"] == 1
    assert ((per_user > 0).all(axis=1) == hit).all()
    result = evaluate(scores, train, test, k)
    assert result[PER_USER].tolist() == pytest.approx(per_user.mean().tolist())
    assert result["users"] == len(per_user)
    assert 0 <= result["coverage"] <= 1
    if len(per_user) and not train[per_user.index].all():
        assert 0 <= result["novelty"] <= np.log2(len(scores)) + 1e-12


@settings(max_examples=40, deadline=None)
@given(worlds, st.integers(1, 15))
def test_scores_that_know_the_test_are_perfect(case, k):
    scores, train, test = case
    result = evaluate(scores + 2 * test, train, test, k)
    assert result[["recall", "ndcg", "map", "hit_rate"]].tolist() == pytest.approx([1] * 4)


@settings(max_examples=40, deadline=None)
@given(worlds, st.integers(1, 15))
def test_only_the_order_of_the_scores_counts(case, k):
    scores, train, test = case
    one = evaluate(scores, train, test, k)
    other = evaluate(np.exp(3 * scores) - 7, train, test, k)
    pd.testing.assert_series_equal(one, other)


@settings(max_examples=40, deadline=None)
@given(worlds, st.integers(1, 15), st.integers(0, 100))
def test_the_order_of_users_and_items_does_not_count(case, k, seed):
    rng = np.random.default_rng(seed)
    rows, columns = (rng.permutation(size) for size in case[0].shape)
    one = evaluate(*case, k)
    other = evaluate(*(matrix[rows][:, columns] for matrix in case), k)
    assert other.to_dict() == pytest.approx(one.to_dict(), nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(worlds)
def test_a_longer_list_never_finds_less(case):
    recalls = [evaluate_per_user(*case, k) for k in (1, 2, 4)]
    for short, long in pairwise(recalls):
        assert (short["hit_rate"] <= long["hit_rate"]).all()


@settings(max_examples=30, deadline=None)
@given(worlds)
def test_train_and_test_may_come_in_any_form(case):
    scores, train, test = case
    wanted = evaluate(scores, train, test, 3)
    labels = range(100, 100 + len(scores)), range(scores.shape[1])
    for form in (
        sp.csr_matrix,
        sp.coo_array,
        lambda R: R * 3.5,
        lambda R: Interactions(R, *labels),
    ):
        pd.testing.assert_series_equal(evaluate(scores, form(train), form(test), 3), wanted)


@settings(max_examples=30, deadline=None)
@given(worlds, st.integers(1, 5))
def test_evaluate_judges_the_lists_that_recommend_gives(case, k):
    scores, train, test = case
    lists = recommend(scores, train, k)
    for user, row in evaluate_per_user(scores, train, test, k).iterrows():
        assert row["precision"] == len(set(lists[user]) & set(np.flatnonzero(test[user]))) / k


# --- scores in blocks --------------------------------------------------------------------------


def test_a_function_of_users_is_judged_like_the_matrix_and_asked_for_few_at_once():
    scores, train, test = world(1, m=600, n=40)
    asked = []

    def some(users):
        asked.append(len(users))
        return scores[users]

    pd.testing.assert_series_equal(evaluate(some, train, test), evaluate(scores, train, test))
    pd.testing.assert_frame_equal(
        evaluate_per_user(some, train, test), evaluate_per_user(scores, train, test)
    )
    assert max(asked) < 300 and sum(asked) == 2 * test.any(axis=1).sum()


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (lambda users: np.ones((len(users), 4)), r"shape \(2, 4\) for 2 users: it must give 3 num"),
        (lambda users: np.ones(3), r"shape \(3,\) for 2 users"),
        (lambda users: np.full((len(users), 3), np.nan), "no finite numbers .* users 0 to 1"),
        (lambda users: np.full((len(users), 3), "a"), "no finite numbers"),
    ],
)
def test_what_a_function_of_users_gives_is_checked(scores, message):
    with pytest.raises(ValueError, match=message):
        evaluate(scores, np.zeros((2, 3)), np.eye(2, 3))


# --- ties --------------------------------------------------------------------------------------


def test_equal_scores_do_not_favour_low_positions():
    m, n, k = 3, 1000, 10
    for wanted in (slice(None, k), slice(-k, None)):
        test = np.zeros((m, n))
        test[:, wanted] = 1
        # The chance that even 3 of 10 wanted items are among the 10 listed of 1,000 is 1e-4.
        assert evaluate(np.zeros((m, n)), np.zeros((m, n)), test, k)["recall"] < 0.3


def test_over_many_shuffles_every_tied_item_is_listed_as_often():
    test = np.eye(5)
    hits = sum(
        evaluate_per_user(np.zeros((5, 5)), np.zeros((5, 5)), test, 2, rng=seed)["hit_rate"]
        for seed in range(1000)
    )
    # 2 of 5 places; standard error 15.5, five of them.
    assert np.abs(hits - 400).max() < 78


def test_a_tie_at_the_end_of_the_list_does_not_displace_a_better_item():
    scores = np.zeros((1, 50))
    scores[0, [7, 33]] = [1, 2]
    test = np.zeros((1, 50))
    test[0, [7, 33]] = 1
    for seed in range(20):
        result = evaluate(scores, np.zeros((1, 50)), test, 5, rng=seed)
        assert result[["recall", "ndcg", "map"]].tolist() == [1, 1, 1]


def test_users_draw_their_lots_alone():
    """Where a model ties for all, their values spread as those of independent draws do."""
    m, n, k, wanted = 400, 200, 10, 40
    test = np.zeros((m, n))
    test[:, :wanted] = 1
    nothing = np.zeros((m, n))
    means = [evaluate(nothing, nothing, test, k, rng=seed)["precision"] for seed in range(300)]
    # A list's hits are hypergeometric; with one order for all users, 20 times this spread.
    share = wanted / n
    spread = np.sqrt(share * (1 - share) / k * (n - k) / (n - 1) / m)
    assert abs(np.mean(means) - share) < 5 * spread / np.sqrt(300)
    assert 0.85 < np.std(means) / spread < 1.15  # 300 draws: a standard error of 4 %
    one = evaluate_per_user(nothing, nothing, test, k)["precision"]
    low, high = bootstrap_interval(one, rng=0)
    assert low < share < high


def test_no_two_users_and_no_two_items_share_their_lots():
    users, items = np.arange(0, 3000, 10), np.arange(2000)
    order = by_lot(7, users)
    ranks = np.argsort([order(place, items) for place in range(len(users))], axis=1)
    # First places: 300 draws among 2,000 items; 22 pairs are expected to agree, give or take 5.
    firsts = np.unique(ranks[:, 0], return_counts=True)[1]
    assert (firsts * (firsts - 1) / 2).sum() < 22 + 5 * 5
    assert np.abs(np.corrcoef(ranks)[np.triu_indices(len(users), 1)]).max() < 6 / np.sqrt(2000)
    assert (by_lot(8, users)(0, items) != order(0, items)).all()


def test_two_calls_agree_and_a_users_list_does_not_depend_on_the_others():
    rng = np.random.default_rng(0)
    scores, test = rng.integers(0, 2, (200, 20)), rng.random((200, 20)) < 0.2
    train = np.zeros((200, 20))
    one = evaluate_per_user(scores, train, test, 4)
    pd.testing.assert_frame_equal(one, evaluate_per_user(scores, train, test, 4))
    few = test.copy()
    few[:150:2] = False  # half of the others are not asked: other blocks, other places in them
    part = evaluate_per_user(scores, train, few, 4)
    pd.testing.assert_frame_equal(part, one.loc[part.index])


def test_users_in_another_order_get_the_same_values_but_for_ties():
    rng = np.random.default_rng(0)
    scores, test = rng.random((6, 20)), rng.random((6, 20)) < 0.2
    train = np.zeros((6, 20))
    one = evaluate_per_user(scores, train, test, 4)
    turned = evaluate_per_user(scores[::-1], train, test[::-1], 4)
    assert turned[::-1].to_numpy().tolist() == one.to_numpy().tolist()


def test_popularity_on_movielens_is_not_helped_by_its_positions():
    data, _ = load_movielens()
    train, test = split_random(data, 0.2, 0)
    constant = evaluate(np.zeros(data.shape), train, test)
    popular = evaluate(popularity(train), train, test)
    # By position, the constant would list the oldest and most popular films: precision 0.04.
    assert constant["precision"] < 0.02 < 0.07 < popular["precision"]
    assert popular["novelty"] < 2 < constant["novelty"]


# --- per user ----------------------------------------------------------------------------------


def test_per_user_values_carry_the_users_labels():
    test = Interactions.from_frame(
        pd.DataFrame({"user": ["eve", "ann"], "item": [1, 2]}), users=["eve", "bob", "ann"]
    )
    table = evaluate_per_user(np.tile([2, 1], (3, 1)), np.zeros((3, 2)), test, 1)
    assert table.columns.tolist() == PER_USER
    assert table["hit_rate"].to_dict() == {"eve": 1, "ann": 0}
    by_position = evaluate_per_user(np.tile([2, 1], (3, 1)), np.zeros((3, 2)), test.matrix, 1)
    assert by_position.index.tolist() == [0, 2]


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": np.full((2, 3), np.nan)}, "scores holds nan"),
        ({"scores": np.full((2, 3), np.inf)}, "scores holds inf"),
        ({"scores": np.ones((2, 2))}, "train is 2 x 3 but scores is 2 x 2"),
        ({"scores": truncated_svd(np.eye(2), 1)}, r"\.scores\(\)"),
        ({"train": np.zeros((3, 3))}, "test is 2 x 3 but train is 3 x 3"),
        ({"test": np.zeros((2, 3))}, "test holds no event"),
        ({"test": [[np.nan, 0, 0], [0, 0, 0]]}, "test holds nan"),
        ({"k": 0}, "k=0"),
        ({"k": -1}, "k=-1"),
        ({"k": 1.5}, "k=1.5"),
        ({"k": None}, "k=None"),
    ],
)
def test_bad_input_is_named(change, message):
    good = {"scores": np.ones((2, 3)), "train": np.zeros((2, 3)), "test": np.eye(2, 3), "k": 2}
    for function in (evaluate, evaluate_per_user):
        function(**good)
        with pytest.raises(ValueError, match=message):
            function(**{**good, **change})


def test_train_and_test_of_different_data_are_refused():
    train = Interactions(np.zeros((1, 2)), ["ann"], ["A", "B"])
    for users, items in [(["bob"], ["A", "B"]), (["ann"], ["A", "C"])]:
        with pytest.raises(ValueError, match=r"test has other (users|items) than train"):
            evaluate(np.ones((1, 2)), train, Interactions([[0, 1]], users, items))


def test_shared_events_are_announced_and_disjoint_ones_are_not():
    with pytest.warns(UserWarning, match="train and test share 2 events"):
        evaluate(np.ones((2, 2)), np.eye(2), np.ones((2, 2)), 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate(np.ones((2, 2)), np.eye(2), 1 - np.eye(2), 1)


def test_the_arguments_are_left_as_they_were():
    case = world(0)
    before = [matrix.copy() for matrix in case]
    evaluate(*case)
    for matrix, copy in zip(case, before, strict=True):
        assert (matrix == copy).all()


# --- intervals ---------------------------------------------------------------------------------


def test_the_interval_is_scipys_percentile_bootstrap():
    values = np.random.default_rng(0).beta(1, 3, 200)
    rng = np.random.default_rng(1)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=rng)
    ours = bootstrap_interval(values, repeats=20_000, rng=2)
    # Two draws of 20,000: each end has a Monte Carlo error of about 0.0003 (the width is 0.05).
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.0015)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(3)
    inside = 0
    for _ in range(300):
        low, high = bootstrap_interval(rng.exponential(1, 100), level=0.8, repeats=200, rng=rng)
        inside += low <= 1 <= high
    # 0.8 of 300, less the known shortfall of a few per cent on skewed data; standard error 7.
    assert 200 < inside < 270


def test_the_interval_narrows_with_the_level_and_repeats_with_the_seed():
    values = np.random.default_rng(0).random(50)
    wide, narrow = (bootstrap_interval(values, level=level, rng=0) for level in (0.99, 0.5))
    assert wide[0] < narrow[0] < values.mean() < narrow[1] < wide[1]
    assert bootstrap_interval(values, rng=0) == bootstrap_interval(
        values, rng=np.random.default_rng(0)
    )
    assert bootstrap_interval([2.0, 2.0, 2.0], rng=0) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": [1.0]}, "2 or more users"),
        ({"values": np.ones((2, 2))}, "2 or more users"),
        ({"values": [1.0, np.nan]}, "nan at position 1"),
        ({"values": ["a", "b"]}, "no numbers"),
        ({"level": 95}, "level=95 is outside"),
        ({"repeats": 0}, "repeats=0"),
    ],
)
def test_an_interval_that_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(**{"values": [1.0, 2.0], "rng": 0, **arguments})


# --- accuracy, diversity -----------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(worlds, st.integers(1, 6))
def test_accuracy_is_scikit_learns_over_the_unseen_pairs(case, k):
    scores, train, test = case
    if train.all():
        return
    lists = recommend(scores, train, k)
    called = np.zeros(train.shape, dtype=bool)
    for user, items in enumerate(lists):
        called[user, items[items >= 0]] = True
    theirs = accuracy_score(test[~train], called[~train])
    assert accuracy(lists, train, test) == pytest.approx(theirs)


def test_a_list_of_nothing_is_praised_by_accuracy_and_by_nothing_else():
    data, _ = load_movielens()
    train, test = split_random(data, 0.2, 0)
    nothing = np.empty((data.shape[0], 0), dtype=int)
    assert accuracy(nothing, train, test) > 0.996
    assert accuracy(np.full((data.shape[0], 10), -1), train, test) > 0.996
    assert accuracy(recommend(popularity(train), train, 10), train, test) < accuracy(
        nothing, train, test
    )


def test_what_was_seen_is_outside_accuracy():
    assert accuracy([[0]], [[1, 0, 0]], [[0, 0, 0]]) == 1
    assert accuracy([[0]], [[1, 0, 0]], [[1, 0, 0]]) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 6))
def test_diversity_is_one_minus_the_mean_cosine_of_pairs(seed, k):
    rng = np.random.default_rng(seed)
    features = rng.integers(0, 3, (8, 3)).astype(float)
    lists = np.array([rng.permutation(8)[:k] for _ in range(4)])
    S = cosine_similarity(features)
    wanted = np.mean(
        [1 - np.mean([S[i, j] for i in items for j in items if i != j]) for items in lists]
    )
    # i != j compares positions, and no list holds a position twice.
    assert diversity(lists, features) == pytest.approx(wanted)


def test_diversity_by_hand():
    features = [[1, 0], [2, 0], [0, 1], [0, 0]]
    assert diversity([[0, 1]], features) == pytest.approx(0)
    assert diversity([[0, 2]], features) == pytest.approx(1)
    assert diversity([[0, 3]], features) == pytest.approx(1)
    # Lists of one item have no pair, and do not count.
    assert diversity([[0, 1], [2, -1], [-1, -1]], features) == pytest.approx(0)


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ([0, 1], "lists has shape"),
        ([[0.0, 1.0]], "float64"),
        ([[0, 3]], "position 3: choose from 0 to 2"),
        ([[-2, 1]], "position -2"),
    ],
)
def test_lists_that_are_no_positions_are_refused(lists, message):
    with pytest.raises(ValueError, match=message):
        accuracy(lists, [[1, 0, 0]], [[0, 0, 1]])
    with pytest.raises(ValueError, match=message):
        diversity(lists, np.eye(3))


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(ValueError, match="nothing is left to judge"):
        accuracy([[-1]], [[1]], [[0]])
    with pytest.raises(ValueError, match="2 rows, one for each user"):
        accuracy([[0]], np.zeros((2, 2)), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="no list with two items"):
        diversity([[0, -1]], np.eye(2))
    with pytest.raises(ValueError, match="features has shape"):
        diversity([[0, 1]], [1.0, 2.0])
