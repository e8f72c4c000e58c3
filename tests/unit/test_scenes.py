"""The three simulated worlds keep the rules that their docstrings state."""

import numpy as np
import pytest

from recsys_lab import simulate_baskets, simulate_feed, simulate_friends
from recsys_lab.data import scenes


@pytest.fixture(scope="module")
def shop():
    return simulate_baskets(customers=4000, baskets=10, rng=3)


def test_a_complement_joins_with_its_chance_and_staples_come_with_theirs(shop):
    sausages = shop.bought["sausages"]
    n = sausages.sum()
    # Four standard deviations of a share.
    assert shop.bought["charcoal"][sausages].mean() == pytest.approx(0.5, abs=2 / np.sqrt(n))
    assert shop.bought["milk"].mean() == pytest.approx(
        0.35, abs=4 * 0.48 / np.sqrt(len(shop.bought))
    )
    assert shop.bought["milk"][sausages].mean() == pytest.approx(0.35, abs=2 / np.sqrt(n))


def test_substitutes_are_never_bought_together_and_half_of_the_time_looked_at(shop):
    for a, b in shop.substitutes:
        assert not (shop.bought[a] & shop.bought[b]).any()
    one = shop.bought["penne"]
    share = shop.seen["spaghetti"][one].mean()
    assert share == pytest.approx(0.5, abs=2 / np.sqrt(one.sum()))
    assert (shop.seen | ~shop.bought).to_numpy().all(), "what is bought was looked at"


def test_a_printer_is_bought_once_and_toner_again_by_owners_only(shop):
    printers = shop.bought[["printer, ink", "printer, laser"]].any(axis=1).to_numpy()
    by_customer = printers.reshape(-1, 10)
    assert by_customer.sum(axis=1).max() == 1
    owned = np.logical_or.accumulate(by_customer, axis=1)
    toner = shop.bought["toner"].to_numpy().reshape(-1, 10)
    assert not toner[~owned].any()
    later = owned & ~by_customer
    assert toner[later].mean() == pytest.approx(0.15, abs=4 * 0.36 / np.sqrt(later.sum()))


def test_every_product_but_mains_and_oddments_has_a_margin(shop):
    mains = {name for names, *_ in scenes.NEEDS.values() for name in names}
    oddments = {name for name in shop.bought if name.startswith("oddment")}
    assert len(oddments) == scenes.ODDMENTS
    assert set(shop.margin.index[shop.margin.isna()]) == mains | oddments


def test_friends_are_mutual_and_more_of_them_are_made_where_they_are_introduced():
    for seed in range(3):
        apart, circle = simulate_friends(closure=0, rng=seed)
        introduced, same = simulate_friends(closure=0.02, rng=seed)
        assert (circle == same).all() and (introduced == introduced.T).all()
        assert not introduced.diagonal().any()
        assert (introduced >= apart).all() and introduced.sum() > apart.sum()
        inside = circle[:, None] == circle
        assert apart[inside].mean() > 5 * apart[~inside].mean()


def test_a_click_is_a_look_times_a_wish():
    feed = simulate_feed(impressions=40_000, swaps=0.5, rng=2)
    plain = feed.swapped == 0
    order = feed.shown[plain][0]
    assert (feed.shown[plain] == order).all()
    wanted = feed.looked * feed.wanted[order]
    error = np.sqrt(wanted * (1 - wanted) / plain.sum())
    assert (np.abs(feed.clicks[plain].mean(axis=0) - wanted) < 4 * error).all()
    swap = feed.swapped == 3
    assert (feed.shown[swap][:, 0] == order[3]).all() and (feed.shown[swap][:, 3] == order[0]).all()
    assert (~plain).mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: simulate_baskets(customers=0), "customers=0"),
        (lambda: simulate_baskets(baskets=1.5), "baskets=1.5"),
        (lambda: simulate_friends(people=True), "people=True"),
        (lambda: simulate_friends(closure=2), "closure=2"),
        (lambda: simulate_feed(impressions=-1), "impressions=-1"),
        (lambda: simulate_feed(swaps=float("nan")), "swaps=nan"),
    ],
)
def test_what_is_no_count_or_no_share_is_told(make, argument):
    with pytest.raises(ValueError, match=argument):
        make()
