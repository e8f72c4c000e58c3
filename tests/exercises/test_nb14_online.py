"""Lesson 14's functions against simulations and scipy."""

import numpy as np
import pytest
from scipy import stats

from recsys_lab import simulate_log
from recsys_lab.exercises import nb14_online as lesson


def test_ips_is_right_on_average_for_any_policy():
    world = simulate_log(users=30, items=6, visits=1)
    rng = np.random.default_rng(2)
    target = rng.dirichlet(np.ones(6), size=30)
    truth = (target * world.wanted).sum(axis=1).mean()
    found = []
    for seed in range(400):
        log = simulate_log(users=30, items=6, visits=40, rng=seed)
        found.append(lesson.ips.reference(log.click, log.chance, target[log.user, log.item]))
    assert abs(np.mean(found) - truth) < 4 * np.std(found) / np.sqrt(len(found))


def test_two_items_win_as_often_as_the_integral_says():
    clicks, shown = np.array([3, 5]), np.array([20, 25])
    a, b = (stats.beta(1 + c, 1 + s - c) for c, s in zip(clicks, shown, strict=True))
    wanted = b.expect(a.cdf)  # the chance that the second is larger
    got = lesson.thompson.reference(clicks, shown, 100_000, np.random.default_rng(1))
    assert got[1] == pytest.approx(wanted, abs=5 * 0.5 / np.sqrt(100_000))


@pytest.mark.parametrize(("p", "q", "power"), [(0.1, 0.13, 0.8), (0.5, 0.45, 0.9)])
def test_a_test_of_that_size_has_that_power_and_one_of_half_the_size_has_less(p, q, power):
    n = lesson.sample_size.reference(p, q, 0.05, power)

    def found(users):
        error = np.sqrt((p * (1 - p) + q * (1 - q)) / users)
        away = abs(q - p) / error
        return stats.norm.sf(1.959964 - away) + stats.norm.cdf(-1.959964 - away)

    assert found(n) == pytest.approx(power, abs=2e-3) and found(n) >= power - 1e-4
    assert found(n - 1) < power + 1e-4 and found(n // 2) < power - 0.1
