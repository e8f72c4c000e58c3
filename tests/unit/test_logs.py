"""The simulated log keeps the rule that its docstring states."""

import numpy as np
import pytest

from recsys_lab import simulate_log


def test_items_are_shown_with_the_chances_of_the_old_policy_and_clicked_with_those_of_the_truth():
    log = simulate_log(users=4, items=5, visits=20_000, rng=3)
    shown = np.zeros((4, 5))
    np.add.at(shown, (log.user, log.item), 1 / 20_000)
    assert (np.abs(shown - log.old) < 4 * np.sqrt(log.old / 20_000)).all()
    np.testing.assert_array_equal(log.chance, log.old[log.user, log.item])
    clicks = np.zeros((4, 5))
    np.add.at(clicks, (log.user, log.item), log.click / 20_000)
    expected = log.old * log.wanted
    assert (np.abs(clicks - expected) < 4 * np.sqrt(expected / 20_000)).all()


def test_no_item_is_left_out_and_fame_says_little_of_quality():
    fame, quality = [], []
    for world in range(20):
        log = simulate_log(world=world)
        assert log.old.min() >= 0.1 / 40
        np.testing.assert_allclose(log.old.sum(axis=1), 1, rtol=1e-12)
        fame.append(np.log(log.old).mean(axis=0))
        quality.append(log.wanted.mean(axis=0))
    found = [np.corrcoef(a, b)[0, 1] for a, b in zip(fame, quality, strict=True)]
    assert 0.1 < np.mean(found) < 0.5


def test_another_seed_is_another_log_of_the_same_world():
    one, other = simulate_log(rng=0), simulate_log(rng=1)
    np.testing.assert_array_equal(one.wanted, other.wanted)
    assert (one.item != other.item).any()
    assert (simulate_log(world=1).wanted != one.wanted).any()


@pytest.mark.parametrize("argument", ["users", "items", "visits"])
def test_what_is_no_count_is_told(argument):
    with pytest.raises(ValueError, match=f"{argument}=0 is too small: choose 1 or more"):
        simulate_log(**{argument: 0})
