"""Histories, the world with a known order, and the models that read them."""

import numpy as np
import pandas as pd
import pytest

from recsys_lab import (
    Chain,
    Interactions,
    NextItem,
    SeriesWorld,
    evaluate_per_user,
    load_movielens,
    load_sequences,
    ordered_histories,
    split_next,
)


def log(rows):
    return Interactions.from_frame(
        pd.DataFrame(rows, columns=["user", "item", "time"]), time="time"
    )


def labels(part):
    return sorted(zip(part.to_frame()["user"], part.to_frame()["item"], strict=True))


EVENTS = log(
    [(1, "A", 0), (1, "B", 10), (1, "C", 200), (1, "D", 210), (2, "B", 5), (3, "C", 1), (3, "A", 2)]
)


def test_histories_are_in_the_order_of_their_times():
    assert [history.tolist() for history in ordered_histories(EVENTS)] == [
        [0, 1, 2, 3],
        [1],
        [2, 0],
    ]


def test_the_last_event_is_held_out_and_nothing_is_lost():
    train, test = split_next(EVENTS)
    assert labels(test) == [(1, "D"), (3, "A")]
    assert len(train) + len(test) == len(EVENTS)


def test_after_a_break_the_first_event_is_held_out_and_later_ones_are_in_neither_part():
    train, test = split_next(EVENTS, gap=100)
    assert labels(test) == [(1, "C")]
    assert labels(train) == [(1, "A"), (1, "B"), (2, "B"), (3, "A"), (3, "C")]


def test_of_several_breaks_the_last_counts():
    events = log([(1, "A", 0), (1, "B", 50), (1, "C", 60), (1, "D", 120), (2, "A", 0)])
    train, test = split_next(events, gap=40)
    assert labels(test) == [(1, "D")]
    assert labels(train) == [(1, "A"), (1, "B"), (1, "C"), (2, "A")]


def test_no_trained_event_of_a_person_is_later_than_the_held_out_one():
    data = load_movielens()[0]
    for gap in (0, 86400):
        train, test = split_next(data, gap=gap, rng=3)
        asked = pd.Series(test.times, test.rows())
        latest = pd.Series(train.times, train.rows()).groupby(level=0).max()
        waited = asked - latest[asked.index]
        assert (waited >= gap).all()
        assert asked.index.is_unique


def test_ties_are_drawn_or_go_by_label():
    events = log([(1, item, 7) for item in "FEDCBA"])
    assert ordered_histories(events, ties="label")[0].tolist() == [0, 1, 2, 3, 4, 5]
    orders = {tuple(ordered_histories(events, rng=seed)[0]) for seed in range(50)}
    assert len(orders) > 40
    assert len({labels(split_next(events, rng=seed)[1])[0] for seed in range(50)}) == 6


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ordered_histories(EVENTS.matrix), "data is a csr_array"),
        (lambda: ordered_histories(EVENTS, ties="row"), "ties='row'.*chance"),
        (lambda: ordered_histories(Interactions(np.eye(2), [1, 2], [1, 2])), "no times"),
        (lambda: split_next(EVENTS, gap=-1), "gap=-1"),
        (lambda: SeriesWorld(series=1), "series=1"),
        (lambda: SeriesWorld(noise=1.2), "noise=1.2"),
        (lambda: NextItem(3, "lstm", length=4).build(), "kind='lstm'"),
        (lambda: Chain(3, damping=0.0).fit([np.array([0, 1])]), "damping=0.0"),
    ],
)
def test_bad_input_is_refused_in_words(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_without_noise_the_world_keeps_its_rule():
    world = SeriesWorld(series=3, episodes=5, noise=0.0)
    for history in world.histories(20, 12, rng=0):
        for t in range(2, 12):
            series, episode = divmod(history[t - 2], 5)
            assert history[t] == series * 5 + (episode + 1) % 5


def test_the_best_possible_score_is_reached_by_the_truth_and_by_no_other_list():
    world = SeriesWorld(series=4, episodes=5, noise=0.3)
    drawn = world.histories(40000, 5, rng=1)
    scores = world.best_scores(drawn[:, :-1])
    assert np.allclose(scores.sum(axis=1), 1)
    asked = np.zeros((len(drawn), world.n))
    asked[np.arange(len(drawn)), drawn[:, -1]] = 1
    reached = evaluate_per_user(scores, np.zeros_like(asked), asked)["ndcg"]
    # Six standard errors of 40,000 people.
    assert abs(reached.mean() - world.best_ndcg()) < 6 * reached.std() / 200


def test_a_chain_is_sklearns_count_of_pairs():
    from sklearn.metrics import confusion_matrix

    rng = np.random.default_rng(0)
    histories = [rng.integers(6, size=size) for size in (9, 2, 14, 1)]
    before = np.concatenate([history[:-1] for history in histories])
    after = np.concatenate([history[1:] for history in histories])
    N = confusion_matrix(before, after, labels=range(6))
    p = np.bincount(np.concatenate(histories), minlength=6) / 26
    P = (N + 4.0 * p) / (N.sum(axis=1, keepdims=True) + 4.0)
    chain = Chain(6, damping=4.0).fit(histories)
    assert np.allclose(chain.scores([[a] for a in range(6)]), P)
    assert np.allclose(chain.scores([np.array([], int)]), p)
    wide = Chain(6, window=2, last=2, damping=4.0).fit(histories)
    two = N + confusion_matrix(
        np.concatenate([h[:-2] for h in histories]),
        np.concatenate([h[2:] for h in histories]),
        labels=range(6),
    )
    P = (two + 4.0 * p) / (two.sum(axis=1, keepdims=True) + 4.0)
    assert np.allclose(wide.scores([[5, 1, 3]]), (P[1] + P[3]) / 2)


KINDS = ["cnn", "gru", "attention"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_output_depends_on_a_later_input(kind):
    network = NextItem(9, kind, length=8, d=6, blocks=2).build()
    one = np.random.default_rng(0).integers(9, size=(1, 8))
    before = np.asarray(network.model_(one))[0]
    for place in range(8):
        other = one.copy()
        other[0, place] = (other[0, place] + 1) % 9
        after = np.asarray(network.model_(other))[0]
        assert np.allclose(after[:place], before[:place], atol=1e-6)
        assert not np.allclose(after[place], before[place], atol=1e-4)


def test_an_untrained_network_is_drawn_by_its_rng():
    one, same, other = (NextItem(9, "gru", length=4, d=3, rng=rng).build() for rng in (1, 1, 2))
    first, again, another = (each.model_.get_weights()[0] for each in (one, same, other))
    assert np.array_equal(first, again)
    assert not np.allclose(first, another)


def test_one_block_of_attention_without_positions_is_a_bag_of_all_but_the_last():
    one = np.array([[0, 1, 2, 3, 4, 5]])
    other = np.array([[4, 2, 0, 1, 3, 5]])
    for positions in (False, True):
        network = NextItem(6, "attention", length=6, d=6, positions=positions).build()
        last = [np.asarray(network.model_(each))[0, -1] for each in (one, other)]
        assert np.allclose(*last, atol=1e-5) != positions


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_learns_a_rule_and_comes_back_from_its_file(kind, tmp_path):
    world = SeriesWorld(series=2, episodes=4, noise=0.0)
    drawn = world.histories(60, 12, rng=0)
    setting = {"length": 8, "d": 16, "dropout": 0.0, "learning_rate": 0.02, "batch": 20}
    network = NextItem(world.n, kind, epochs=25, **setting).fit(list(drawn[:, :-1]))
    scores = network.scores(list(drawn[:, :-1]))
    assert np.mean(scores.argmax(axis=1) == drawn[:, -1]) > 0.9
    network.save(tmp_path / "network.npz")
    again = NextItem.from_file(tmp_path / "network.npz")
    assert np.allclose(again.scores(list(drawn[:, :-1])), scores, atol=1e-5)


def test_windows_ask_each_event_once_and_never_hold_their_own_answer():
    network = NextItem(100, length=5)
    history = np.arange(23)
    for seed in range(8):
        inputs, targets = network.windows([history, np.array([7])], np.random.default_rng(seed))
        asked = targets < 100
        assert sorted(targets[asked]) == list(range(1, 23))
        assert (targets[asked] == inputs[asked] + 1).all()
        assert (inputs[~asked] == 100).all()


def test_a_sampled_softmax_learns_as_well():
    world = SeriesWorld(series=2, episodes=4, noise=0.0)
    drawn = world.histories(60, 12, rng=0)
    setting = {"length": 8, "d": 16, "dropout": 0.0, "learning_rate": 0.02, "batch": 20}
    network = NextItem(world.n, "cnn", epochs=25, negatives=4, **setting)
    scores = network.fit(list(drawn[:, :-1])).scores(list(drawn[:, :-1]))
    assert np.mean(scores.argmax(axis=1) == drawn[:, -1]) > 0.9


def test_the_stored_results_are_whole():
    results, people = load_sequences()
    assert not results.duplicated(["task", "model", "seed"]).any()
    for (task, model), rows in results.groupby(["task", "model"]):
        table = people[task, model]
        # Means of float32 numbers, rounded to five digits.
        assert np.allclose(table["as it is"].mean(), rows["ndcg"].mean(), atol=2e-5)
        assert np.allclose(table["shuffled"].mean(), rows["shuffled"].mean(), atol=2e-5)
    assert len(people["last", "GRU"]) == 671
    for model in ("popularity", "EASE"):
        table = people["last", model]
        assert (table["as it is"] == table["shuffled"]).all()
