import datetime
import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys_lab import (
    Interactions,
    load_movielens,
    load_shop,
    split_cold_items,
    split_cold_users,
    split_last,
    split_random,
    split_time,
)
from recsys_lab.data.splits import _exact, _trained

SPLITS = {
    "random": lambda data, share, seed: split_random(data, share, np.random.default_rng(seed)),
    "last": lambda data, share, seed: split_last(data, share),
    "cold_items": lambda data, share, seed: split_cold_items(
        data, share, np.random.default_rng(seed)
    ),
    "cold_users": lambda data, share, seed: split_cold_users(
        data, share, np.random.default_rng(seed)
    ),
}

shares = st.floats(0.01, 0.99)


@st.composite
def timed_data(draw):
    m, n = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    cells = draw(
        st.lists(
            st.tuples(st.integers(0, m - 1), st.integers(0, n - 1)),
            min_size=1,
            max_size=m * n,
            unique=True,
        )
    )
    table = pd.DataFrame(cells, columns=["user", "item"])
    table["value"] = np.arange(1, len(cells) + 1)  # tells one event from another
    table["time"] = draw(
        st.lists(st.integers(0, 4), min_size=len(cells), max_size=len(cells))
    )  # few times, so many ties
    # Columns in falling order of label: an order by position would not be one by label.
    return Interactions.from_frame(
        table, value="value", time="time", users=range(m), items=range(n)[::-1]
    )


def as_set(data):
    return set(data.to_frame().itertuples(index=False, name=None))


@pytest.mark.parametrize("name", SPLITS)
@settings(max_examples=50, deadline=None)
@given(data=timed_data(), share=shares, seed=st.integers(0, 99))
def test_every_event_is_in_one_part_unchanged(name, data, share, seed):
    train, test = SPLITS[name](data, share, seed)
    for part in (train, test):
        assert part.shape == data.shape
        assert part.users.tolist() == data.users.tolist()
        assert part.items.tolist() == data.items.tolist()
    assert as_set(train) | as_set(test) == as_set(data)
    assert len(train) + len(test) == len(data)


@settings(max_examples=50, deadline=None)
@given(data=timed_data(), share=shares, seed=st.integers(0, 99))
def test_the_sizes_are_the_floors_that_were_promised(data, share, seed):
    def trained(n):
        return _trained(_exact(share), n)

    train, _ = split_random(data, share, seed)
    assert len(train) == trained(len(data))
    train, _ = split_last(data, share)
    for before, after in zip(
        np.diff(data.matrix.indptr), np.diff(train.matrix.indptr), strict=True
    ):
        assert after == trained(before)
    train, _ = split_cold_items(data, share, seed)
    assert len(set(train.matrix.indices)) == trained(len(set(data.matrix.indices)))
    train, _ = split_cold_users(data, share, seed)
    assert len(set(train.rows())) == trained(len(set(data.rows())))


@pytest.mark.parametrize("denominator", [5, 7, 10, 100, 671])
def test_the_sizes_are_those_of_exact_arithmetic(denominator):
    for part in range(1, denominator):
        share = Fraction(part, denominator)
        for n in [*range(1, 60), denominator, 3 * denominator, 100_004]:
            wanted = math.floor((1 - share) * n)
            for float_share in (part / denominator, np.float64(part / denominator)):
                assert _trained(_exact(float_share), n) == wanted, (part, denominator, n)


@settings(max_examples=200, deadline=None)
@given(share=st.floats(0.001, 0.999), n=st.integers(1, 200_000))
def test_a_share_of_many_digits_is_its_decimal_text_or_the_fraction_that_gives_it(share, n):
    # Off by one at most from arithmetic in floats, which may be wrong at a whole number only.
    assert abs(_trained(_exact(share), n) - (1 - share) * n) < 1 + 1e-9
    assert abs(_exact(share) - Fraction(share)) <= Fraction(math.ulp(share))


@pytest.mark.parametrize(
    ("share", "n", "trained"), [(0.9, 10, 1), (0.8, 5, 1), (0.7, 10, 3), (0.2, 5, 4)]
)
def test_a_share_holds_out_the_events_that_it_says(share, n, trained):
    table = pd.DataFrame({"user": 1, "item": range(n), "time": range(n)})
    data = Interactions.from_frame(table, time="time")
    for train, test in [
        split_last(data, share), split_random(data, share, 0), split_time(data, share)
    ]:  # fmt: skip
        assert (len(train), len(test)) == (trained, n - trained)


def test_float32_and_fractions_are_shares_too():
    assert _trained(_exact(np.float32(0.9)), 10) == 1
    assert _trained(_exact(Fraction(2, 3)), 3) == 1


@settings(max_examples=50, deadline=None)
@given(data=timed_data(), share=shares)
def test_nothing_in_the_test_comes_before_the_training_of_its_user(data, share):
    train, test = split_last(data, share)
    train, test = train.to_frame(), test.to_frame()
    for user in data.users:
        learned = list(train[train.user == user][["time", "item"]].itertuples(index=False))
        hidden = list(test[test.user == user][["time", "item"]].itertuples(index=False))
        assert not learned or not hidden or max(map(tuple, learned)) < min(map(tuple, hidden))


@settings(max_examples=50, deadline=None)
@given(data=timed_data(), share=shares, seed=st.integers(0, 99))
def test_a_cold_item_or_user_was_never_met(data, share, seed):
    train, test = split_cold_items(data, share, seed)
    assert not set(train.matrix.indices) & set(test.matrix.indices)
    train, test = split_cold_users(data, share, seed)
    assert not set(train.rows()) & set(test.rows())


def test_last_by_hand_with_a_tie_in_time():
    table = pd.DataFrame(
        {"user": [1] * 5, "item": ["C", "A", "B", "E", "D"], "time": [9, 5, 5, 1, 5]}
    )
    data = Interactions.from_frame(table, time="time")
    train, test = split_last(data, 0.5)  # in order E, A, B, D, C; floor(2.5) = 2 train
    assert train.to_frame().item.tolist() == ["A", "E"]
    assert test.to_frame().item.tolist() == ["B", "C", "D"]


def test_a_user_with_one_event_has_it_in_the_test():
    data = Interactions.from_frame(
        pd.DataFrame({"user": [1], "item": [1], "time": [0]}), time="time"
    )
    train, test = split_last(data, 0.2)
    assert (len(train), len(test)) == (0, 1)


@pytest.mark.parametrize("name", ["random", "cold_items", "cold_users"])
def test_the_generator_decides_and_an_int_is_its_seed(name):
    split = {
        "random": split_random,
        "cold_items": split_cold_items,
        "cold_users": split_cold_users,
    }[name]
    data, _ = load_movielens()
    one, same, other = (split(data, 0.2, seed)[1].to_frame() for seed in (1, 1, 2))
    generated = split(data, 0.2, np.random.default_rng(1))[1].to_frame()
    pd.testing.assert_frame_equal(one, same)
    pd.testing.assert_frame_equal(one, generated)
    assert not one.equals(other)


def test_every_event_is_as_likely_to_be_held_out():
    data, _ = load_shop()
    rng = np.random.default_rng(0)
    held_out = sum(split_random(data, 0.4, rng)[1].matrix.toarray() for _ in range(2000))
    held_out = held_out[data.matrix.toarray() > 0] / 2000
    # 4 of 9 events test. Standard error 0.011; five of them, for nine cells.
    assert np.abs(held_out - 4 / 9).max() < 0.056


@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("share", [0, 1, -0.2, 1.2, np.nan, np.inf, "0.2", None])
def test_a_share_outside_zero_to_one_is_refused(name, share):
    data = Interactions(sp.csr_array(np.eye(2)), [1, 2], [1, 2], [1, 2])
    with pytest.raises(ValueError, match="share="):
        SPLITS[name](data, share, 0)


@pytest.mark.parametrize("name", SPLITS)
def test_data_without_events_or_labels_are_refused(name):
    with pytest.raises(ValueError, match="data is a ndarray: pass Interactions"):
        SPLITS[name](np.eye(2), 0.5, 0)
    with pytest.raises(ValueError, match="data has no events"):
        SPLITS[name](Interactions(np.zeros((2, 2)), [1, 2], [1, 2]), 0.5, 0)


def test_last_needs_times():
    with pytest.raises(ValueError, match=r"no times.*split_random"):
        split_last(load_shop()[0], 0.2)


def test_a_split_leaves_the_data_as_they_were():
    data, _ = load_shop()
    before = data.matrix.toarray()
    split_random(data, 0.3, 0)
    split_cold_items(data, 0.3, 0)
    assert (data.matrix.toarray() == before).all()


# --- one date for all --------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(data=timed_data(), date=st.one_of(st.integers(1, 5), st.floats(1, 5), shares))
def test_split_time_is_a_filter_of_the_table(data, date):
    table = data.to_frame()
    cut = date
    if 0 < date < 1:
        cut = table.time.sort_values().iloc[math.floor((1 - _exact(date)) * len(table))]
    before = table[table.time < cut]
    if len(before) in (0, len(table)):
        with pytest.raises(ValueError, match="without events"):
            split_time(data, date)
        return
    train, test = split_time(data, date)
    assert as_set(train) == set(before.itertuples(index=False, name=None))
    assert as_set(train) | as_set(test) == as_set(data)
    assert len(train) + len(test) == len(data)
    assert train.times.max() < test.times.min()
    for part in (train, test):
        assert part.shape == data.shape
        assert part.items.tolist() == data.items.tolist()


@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 1 / 3, 0.5, 0.9])
def test_split_time_of_a_share_on_movielens(share):
    data, _ = load_movielens()
    train, test = split_time(data, share)
    wanted = math.floor((1 - _exact(share)) * len(data))
    # Those at the time of the first held out go with it.
    ties = (np.sort(data.times)[:wanted] == test.times.min()).sum()
    assert len(train) == wanted - ties


DATES = [
    "2012-06-01",
    "2012-06-01 00:00",
    "2012-06-01T02:00+02:00",
    datetime.date(2012, 6, 1),
    datetime.datetime(2012, 6, 1),
    datetime.datetime(2012, 6, 1, tzinfo=datetime.UTC),
    pd.Timestamp("2012-06-01"),
    np.datetime64("2012-06-01"),
    1_338_508_800,
    1_338_508_800.0,
    np.int64(1_338_508_800),
]


@pytest.mark.parametrize("date", DATES, ids=repr)
def test_split_time_takes_a_date_in_any_form(date):
    data, _ = load_movielens()
    train, test = split_time(data, date)
    when = pd.to_datetime(data.times, unit="s")
    assert (len(train), len(test)) == (
        (when < "2012-06-01").sum(),
        (when >= "2012-06-01").sum(),
    )


def test_events_at_the_date_are_held_out_and_ties_stay_together():
    table = pd.DataFrame({"user": range(5), "item": range(5), "time": [3, 7, 7, 7, 9]})
    data = Interactions.from_frame(table, time="time")
    for date in (7, 0.2 + 0.2, 0.6, 3.5):
        assert split_time(data, date)[0].times.tolist() == [3]
    assert split_time(data, 0.2)[1].times.tolist() == [9]


def test_split_time_of_numpys_dates():
    times = np.array(["2015-01-01", "2016-05-05"], dtype="datetime64[s]")
    data = Interactions(sp.csr_array(np.eye(2)), [1, 2], [1, 2], times)
    for date in ("2016-01-01", 0.5):
        assert split_time(data, date)[1].times.tolist() == times[1:].tolist()


@pytest.mark.parametrize(
    "date", ["", "soon", "2012-13-01", None, True, np.nan, np.inf, [2012], pd.NaT, {}], ids=repr
)
def test_what_is_no_date_is_refused_with_a_remedy(date):
    data, _ = load_shop()
    data = Interactions(data.matrix, data.users, data.items, np.arange(len(data)))
    with pytest.raises(ValueError, match=r"date=.*(share between 0 and 1|a share)"):
        split_time(data, date)


@pytest.mark.parametrize("date", ["1900-01-01", "2030-01-01", -5, 0, 1, 10**12])
def test_a_date_with_all_events_on_one_side_is_refused(date):
    data, _ = load_movielens()
    with pytest.raises(ValueError, match=r"without events.*1995-01-09.*2016-10-16"):
        split_time(data, date)


def test_split_time_needs_times():
    with pytest.raises(ValueError, match=r"no times: read it with time=.*split_random"):
        split_time(load_shop()[0], "2012-06-01")
    with pytest.raises(ValueError, match="data is a ndarray: pass Interactions"):
        split_time(np.eye(2), 0.2)
