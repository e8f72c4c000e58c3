"""Filled tables are judged fairly, checked by another road; a table of chance keeps its margins."""

import numpy as np
import pandas as pd
import pytest

from recsys_lab import Interactions, compare_fillings, same_margins, split_random, usual_stars


def ratings(m=60, n=25, seed=0):
    rng = np.random.default_rng(seed)
    rows = [(i, j, rng.integers(1, 6)) for i in range(m) for j in range(n) if rng.random() < 0.5]
    frame = pd.DataFrame(rows, columns=["user", "item", "value"])
    return Interactions.from_frame(frame, user="user", item="item", value="value")


def fillings(T):
    usual = usual_stars(T, 2)
    return {
        "zeros": (T, 0),
        "centred": (np.where(T > 0, T - usual, 0), usual),
        "means": (None, usual),
    }


def test_plain_means_leave_no_mean_in_any_row():
    T = ratings().matrix.toarray()
    left = np.where(T > 0, T - usual_stars(T), 0)
    np.testing.assert_allclose(left.sum(axis=1), 0, atol=1e-12)


def test_damped_means_are_those_of_a_table_with_imaginary_ratings():
    T = np.array([[5.0, 3.0, 0.0], [4.0, 0.0, 2.0]])
    mean = 3.5
    film = np.array([1.5 + 0.5, -0.5, -1.5]) / (np.array([2, 1, 1]) + 4)
    left = np.array([5 + 3 - 2 * mean - film[0] - film[1], 4 + 2 - 2 * mean - film[0] - film[2]])
    wanted = mean + film + (left / (2 + 4))[:, None]
    np.testing.assert_allclose(usual_stars(T, 4), wanted, rtol=1e-12)


def test_errors_are_those_of_the_truncated_svd():
    data = ratings()
    table = compare_fillings(data, fillings, [2, 4], [7], rival="means", least=1, lists=False)
    train, test = split_random(data, 0.2, np.random.default_rng(7))
    T, H = train.matrix.toarray(), test.matrix.toarray()
    for _, row in table.iterrows():
        full, usual = fillings(T)[row["name"]]
        if full is None:
            fit = usual
        else:
            a, s, b = np.linalg.svd(full, full_matrices=False)
            fit = (a[:, : row["k"]] * s[: row["k"]]) @ b[: row["k"]] + usual
        wanted = np.sqrt(np.mean((fit - H)[H > 0] ** 2))
        # The table is factorised in single precision.
        assert row["RMSE"] == pytest.approx(wanted, abs=1e-5)
    rival = table.set_index("name").loc["means"]
    assert (rival["gain"], rival["low"], rival["high"]) == (0, 0, 0)
    assert (table["low"] <= table["gain"]).all() and (table["gain"] <= table["high"]).all()


def test_lists_get_a_row_for_popularity():
    table = compare_fillings(ratings(), fillings, [2], [0, 1], rival="means", least=1)
    assert table["seed"].tolist() == [0] * 4 + [1] * 4
    assert table["name"].tolist()[:4] == ["zeros", "centred", "means", "popularity"]
    assert table["nDCG@10"].between(0, 1).all()


def test_a_rival_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="rival='zeros'"):
        compare_fillings(ratings(), fillings, [2], [0], rival="zeros", least=1)


@pytest.mark.parametrize(("T", "imaginary"), [(np.zeros((2, 2)), 0), (np.ones((2, 2)), -1)])
def test_means_of_nothing_are_refused(T, imaginary):
    with pytest.raises(ValueError):
        usual_stars(T, imaginary)


def test_a_table_of_chance_keeps_both_margins_and_nothing_else():
    B = (ratings().matrix > 0).astype(float)
    drawn = [same_margins(B, seed).toarray() for seed in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any() and (drawn[0] != B.toarray()).any()
    for N in drawn:
        assert set(np.unique(N)) == {0, 1}
        np.testing.assert_array_equal(N.sum(axis=0), B.toarray().sum(axis=0))
        np.testing.assert_array_equal(N.sum(axis=1), B.toarray().sum(axis=1))
