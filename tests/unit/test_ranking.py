import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics.pairwise import cosine_similarity

from recsys_lab import (
    Interactions,
    content_scores,
    item_cosine,
    load_movielens,
    load_shop,
    popularity,
    recommend,
    truncated_svd,
)
from recsys_lab.models.baselines import item_features

A, B, C, D, E = range(5)

sizes = st.tuples(st.integers(1, 5), st.integers(1, 7))


@st.composite
def scores_and_seen(draw):
    shape = draw(sizes)
    scores = draw(hnp.arrays(float, shape, elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0])))
    return scores, draw(hnp.arrays(bool, shape))


# --- recommend ---------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(scores_and_seen(), st.integers(1, 9))
def test_a_list_is_the_stable_sort_of_what_is_unseen(case, k):
    scores, seen = case
    lists = recommend(scores, seen, k)
    assert lists.shape == (len(scores), k)
    for user, items in enumerate(lists.tolist()):
        # Python's sort is stable: equal scores stay in the order of position.
        unseen = [item for item in range(scores.shape[1]) if not seen[user, item]]
        best = sorted(unseen, key=lambda item: -scores[user, item])[:k]
        assert items == best + [-1] * (k - len(best))


@settings(max_examples=40, deadline=None)
@given(scores_and_seen())
def test_seen_may_come_in_any_form(case):
    scores, seen = case
    wanted = recommend(scores, seen, 3).tolist()
    data = Interactions(seen, range(seen.shape[0]), range(seen.shape[1]))
    for form in (sp.csr_matrix(seen), sp.coo_array(seen), seen * 4.5, seen.tolist(), data):
        assert recommend(scores, form, 3).tolist() == wanted


def test_a_user_who_has_seen_everything_gets_nothing():
    assert recommend([[1.0, 2.0], [1.0, 2.0]], [[1, 1], [0, 1]], 2).tolist() == [[-1, -1], [0, -1]]


def test_without_seen_every_item_can_be_listed():
    assert recommend([[1.0, 3.0, 2.0]], None, 5).tolist() == [[1, 2, 0, -1, -1]]


def test_a_rating_of_zero_was_seen():
    data = Interactions.from_frame(
        pd.DataFrame({"user": [1], "item": ["B"], "stars": [0]}), value="stars", items=["A", "B"]
    )
    assert recommend([[1.0, 2.0]], data, 2).tolist() == [[0, -1]]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_scores_of_any_number_type_are_ranked(dtype):
    assert recommend(np.array([[0, 1, 0]], dtype=dtype), None, 3).tolist() == [[1, 0, 2]]


def test_a_table_of_scores_is_ranked_by_position():
    assert recommend(pd.DataFrame([[0.1, 0.3]], columns=["A", "B"]), None, 1).tolist() == [[1]]


def test_the_scores_are_left_as_they_were():
    scores = np.arange(6.0).reshape(2, 3)
    recommend(scores, np.eye(2, 3), 2)
    assert scores.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_shop_by_svd_corrects_the_articles_table():
    data, _ = load_shop()
    lists = recommend(truncated_svd(data.matrix, 1).scores().round(12), data, 2)
    assert lists.tolist() == [[D, E], [A, E], [B, A]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_number_is_refused(bad):
    with pytest.raises(ValueError, match=r"scores holds .* user position 1, item position 0"):
        recommend([[1.0, 2.0], [bad, 1.0]], None, 1)


@pytest.mark.parametrize("k", [0, -3, 2.0, "2", None, True])
def test_a_list_has_a_whole_number_of_places(k):
    with pytest.raises(ValueError, match="k="):
        recommend(np.eye(2), None, k)


@pytest.mark.parametrize(
    ("scores", "seen", "message"),
    [
        (np.eye(2), np.eye(3), "seen is 3 x 3 but scores is 2 x 2"),
        (np.ones(3), None, "scores has 1 dimensions"),
        (sp.eye_array(2), None, r"sparse: pass scores.toarray\(\)"),
        (truncated_svd(np.eye(2), 1), None, r"pass its .scores\(\)"),
        ([["a", "b"]], None, "give numbers"),
        (np.eye(2), [[np.nan, 0], [0, 0]], "seen holds nan"),
    ],
)
def test_scores_and_seen_that_do_not_fit_are_refused(scores, seen, message):
    with pytest.raises(ValueError, match=message):
        recommend(scores, seen, 1)


# --- popularity, neighbours --------------------------------------------------------------------


def test_popularity_counts_events_not_stars():
    scores = popularity([[5.0, 0, 1], [4.0, 0, 0]])
    assert scores.tolist() == [[2, 0, 1], [2, 0, 1]]


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(float, sizes, elements=st.integers(0, 3)))
def test_item_cosine_is_scikit_learns_but_for_its_diagonal(R):
    wanted = cosine_similarity(R.T)
    np.fill_diagonal(wanted, 0)
    for form in (R, sp.csr_matrix(R)):
        S = item_cosine(form)
        np.testing.assert_allclose(S.toarray(), wanted, atol=1e-14)
        assert (S.diagonal() == 0).all()


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(float, sizes, elements=st.integers(0, 3)), st.integers(1, 4))
def test_neighbours_are_the_most_similar_items(R, count):
    full = item_cosine(R).toarray()
    kept = item_cosine(R, count).toarray()
    for column in range(R.shape[1]):
        order = np.argsort(-full[:, column], kind="stable")[:count]
        wanted = np.zeros(R.shape[1])
        wanted[order] = full[order, column]
        assert kept[:, column].tolist() == wanted.tolist()


def test_item_cosine_agrees_on_movielens_across_blocks_of_items():
    R = load_movielens()[0].matrix[:, :600]  # blocks hold 256 items
    S = cosine_similarity(R.T, dense_output=False)
    S.setdiag(0)
    np.testing.assert_allclose(item_cosine(R).toarray(), S.toarray(), atol=1e-13)


def test_two_items_bought_together_by_hand():
    # A with users 1 and 2, B with users 2 and 3: one user in common, cosine 1 / sqrt(2 * 2).
    assert item_cosine([[1, 0], [1, 1], [0, 1]])[0, 1] == pytest.approx(0.5, abs=1e-15)


def test_user_twos_tie_cannot_be_broken_by_behaviour():
    data, _ = load_shop()
    neighbours = data.matrix @ item_cosine(data)
    for scores in (popularity(data), neighbours.toarray()):
        assert scores[1, A] == pytest.approx(scores[1, E], abs=1e-15)


# --- content -----------------------------------------------------------------------------------


def test_the_shops_features_are_category_and_scaled_price():
    _, items = load_shop()
    features = item_features(items, labels="category", numbers=["price"])
    assert features.columns.tolist() == [
        "books", "clothing", "cosmetics", "electronics", "home", "price",
    ]  # fmt: skip
    assert features.index.tolist() == list("ABCDE")
    assert features["price"].tolist() == [1, 0.375, 0, 0.125, 0.75]
    assert (features.drop(columns="price").sum(axis=1) == 1).all()


def test_movielens_genres_become_columns_and_no_genre_none():
    _, movies = load_movielens()
    features = item_features(movies, labels="genres")
    genres = movies["genres"].str.split("|")
    assert features.shape == (9066, 19)
    assert (
        features.sum(axis=1) == genres.map(len).where(~movies["genres"].str.startswith("("), 0)
    ).all()
    assert features.loc[1][features.loc[1] > 0].index.tolist() == genres.loc[1]


def test_missing_labels_give_zeros_and_equal_numbers_a_column_of_zeros():
    items = pd.DataFrame({"genre": ["a|b", None], "price": [3, 3]})
    features = item_features(items, labels="genre", numbers="price")
    assert features.to_numpy().tolist() == [[1, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("price", [[1, None], [1, np.inf], ["1", "cheap"]])
def test_an_item_without_a_number_is_named(price):
    items = pd.DataFrame({"genre": ["a", "b"], "price": price}, index=["X", "Y"])
    with pytest.raises(ValueError, match=r"'price' of items has no number for item '[XY]'"):
        item_features(items, labels="genre", numbers=["price"])
    with pytest.raises(ValueError, match=r"labels names 'colour', which is not a column.*'price'"):
        item_features(items, labels="colour")


@settings(max_examples=60, deadline=None)
@given(sizes, st.integers(1, 4), st.integers(0, 10**6))
def test_content_scores_are_the_cosine_to_the_mean_of_what_the_user_has(shape, d, seed):
    rng = np.random.default_rng(seed)
    R, features = rng.integers(0, 3, shape), rng.integers(0, 3, (shape[1], d)).astype(float)
    scores = content_scores(R, features)
    for user, row in enumerate(R):
        profile = features[row > 0].mean(axis=0) if row.any() else np.zeros(d)
        wanted = cosine_similarity(profile[None], features)[0]
        np.testing.assert_allclose(scores[user], wanted, atol=1e-14)


def test_features_break_the_tie_that_behaviour_cannot():
    data, items = load_shop()
    scores = content_scores(data, item_features(items, labels="category", numbers=["price"]))
    assert scores[1, A] > scores[1, E] + 0.01


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.ones((4, 2)), r"shape \(4, 2\): give one row for each of the 5 items"),
        (np.ones(5), "one row for each of the 5 items"),
        ([["red"]] * 5, "features holds <U3 entries: give numbers"),
        (np.full((5, 1), np.nan), "nan for item position 0, column 0"),
    ],
)
def test_features_that_do_not_fit_are_refused(features, message):
    with pytest.raises(ValueError, match=message):
        content_scores(load_shop()[0], features)


@pytest.mark.parametrize("neighbours", [0, -1, 1.5, "all"])
def test_a_number_of_neighbours_is_a_count(neighbours):
    with pytest.raises(ValueError, match="neighbours="):
        item_cosine(np.eye(2), neighbours)


def test_users_and_items_without_events_score_zero():
    R = np.array([[0, 0, 0], [1, 1, 0]])
    scores = content_scores(R, np.eye(3))
    assert (scores[0] == 0).all()
    assert (scores[:, 2] == 0).all()
