"""The Gini index against its definition, calibrated lists against a search through all lists."""

from itertools import permutations

import numpy as np
import pytest
from scipy.special import rel_entr

from recsys_lab import calibrated, gini, recommend
from recsys_lab.judging.fairness import SMOOTHING


@pytest.mark.parametrize("seed", range(4))
def test_gini_is_half_the_mean_difference_over_the_mean(seed):
    x = np.random.default_rng(seed).integers(0, 9, size=7 + seed)
    x[0] = 5
    assert gini(x) == pytest.approx(np.abs(x[:, None] - x).mean() / 2 / x.mean(), abs=1e-12)


def test_gini_knows_equal_shares_and_one_who_has_all_and_no_unit():
    assert gini([2.5] * 6) == pytest.approx(0, abs=1e-12)
    assert gini([0, 0, 0, 0, 3]) == pytest.approx(1 - 1 / 5)
    assert gini([1, 2, 7]) == pytest.approx(gini([7000, 1000, 2000]))
    assert gini([1e308, 1e308, 0]) == pytest.approx(1 / 3)


@pytest.mark.parametrize("amounts", [[1, -1], [0, 0], [], [[1, 2]], [1, np.nan], [np.inf, 1]])
def test_gini_refuses_what_cannot_be_shared_out(amounts):
    with pytest.raises(ValueError, match=r"amounts .*[:;,] "):
        gini(amounts)


def world(seed, m=5, n=9, d=3):
    rng = np.random.default_rng(seed)
    features = (rng.random((n, d)) < 0.5).astype(float)
    features[0] = 0  # an item without features
    seen = (rng.random((m, n)) < 0.3).astype(float)
    seen[0] = 0  # a user without a history
    return rng.random((m, n)), seen, features


def distance(history, items, features):
    """KL of a list's shares from a history's, with scipy's relative entropy."""

    def shares(chosen):
        rows = features[list(chosen)]
        rows = rows / np.maximum(rows.sum(axis=1, keepdims=True), 1)
        return rows.sum(axis=0) / max(rows.sum(), 1e-300)

    p, q = shares(history), shares(items)
    mixed = (1 - SMOOTHING) * q + SMOOTHING * p
    return rel_entr(p, mixed).sum()


@pytest.mark.parametrize("weight", [0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_each_place_gets_the_best_item_of_all(seed, weight):
    scores, seen, features = world(seed)
    lists = calibrated(scores, seen, features, 3, weight)
    for user, items in enumerate(lists):
        history = np.flatnonzero(seen[user])
        for place in range(3):

            def value(last, before=items[:place], user=user, history=history):
                chosen = [*before, last]
                far = distance(history, chosen, features)
                return (1 - weight) * scores[user, chosen].sum() - weight * far

            free = [i for i in range(9) if not seen[user, i] and i not in items[:place]]
            assert value(items[place]) == pytest.approx(max(map(value, free)), abs=1e-10)


def test_a_weight_of_0_gives_the_usual_lists_and_1_comes_near_the_nearest():
    scores, seen, features = world(7)
    assert (calibrated(scores, seen, features, 4, 0) == recommend(scores, seen, 4)).all()
    lists = calibrated(scores, seen, features, 2, 1.0)
    for user, items in enumerate(lists):
        history, free = np.flatnonzero(seen[user]), np.flatnonzero(seen[user] == 0)
        plain = recommend(scores, seen, 2)[user]
        least = min(distance(history, pair, features) for pair in permutations(free, 2))
        found = distance(history, items, features)
        assert least - 1e-12 <= found <= distance(history, plain, features) + 1e-12


def test_seen_items_stay_out_and_a_short_supply_ends_in_minus_one():
    scores, seen, features = world(3)
    seen[2, :7] = 1
    seen[3] = 1
    lists = calibrated(scores, seen, features, 4, 0.6)
    assert (lists[2] >= 0).sum() == (seen[2] == 0).sum()
    assert (lists[3] == -1).all()
    for user, items in enumerate(lists):
        items = items[items >= 0]
        assert not seen[user, items].any() and len(set(items)) == len(items)


def test_only_candidates_are_listed():
    scores, seen, features = world(5)
    best = recommend(scores, seen, 4)
    lists = calibrated(scores, seen, features, 3, 1.0, candidates=4)
    assert all(set(a) <= set(b) for a, b in zip(lists, best, strict=True))


def test_a_negative_feature_is_refused():
    with pytest.raises(ValueError, match="features holds a negative"):
        calibrated([[0.5, 0.4]], [[0, 0]], [[1], [-1]])
