"""Pictures, words and costs: the worlds of lesson 17, its maps, and what is stored of them."""

import numpy as np
import pytest
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.linear_model import Ridge

from recsys_lab import figures, load_picture_shop, load_senses
from recsys_lab.data.worlds import DriftingWorld, SensesWorld, looks
from recsys_lab.models.compression import InvertedFile, ProductQuantiser, kmeans
from recsys_lab.models.picture_models import PictureMap, RidgeMap
from recsys_lab.page.alt_text import alt_text

ITEMS, PICTURES = load_picture_shop()


def blot(colour, height, width):
    picture = np.full((16, 16, 3), 255, dtype=np.uint8)
    picture[2 : 2 + height, 2 : 2 + width] = colour
    return picture


def test_looks_tell_colour_shape_and_size():
    red, blue, green = (255, 0, 0), (0, 0, 255), (0, 255, 0)
    shown = [blot(red, 6, 6), blot(blue, 6, 6), blot(green, 12, 3), blot(red, 3, 12)]
    found = looks(np.stack([*shown, blot(blue, 12, 12)]))
    assert found.mean(axis=0) == pytest.approx(0) and found.std(axis=0) == pytest.approx(1)
    redness, blueness, tall, full = found.T
    assert redness[0] == pytest.approx(redness[3]) and redness[0] > redness[1] > redness[2]
    assert blueness[1] == pytest.approx(blueness[4]) and blueness.argmin() in (0, 2, 3)
    assert tall.argmax() == 2 and tall.argmin() == 3 and tall[0] == pytest.approx(tall[4])
    assert full.argmax() == 4


@pytest.mark.parametrize("bad", [np.zeros((2, 3)), PICTURES[:2] / 255, None])
def test_what_is_no_picture_is_refused(bad):
    with pytest.raises(ValueError, match="pictures has shape"):
        looks(bad)
    with pytest.raises(ValueError, match="pictures has shape"):
        PictureMap().fit(bad, np.ones((2, 1)))


def test_each_kind_of_customer_wants_what_its_sense_tells():
    world = SensesWorld(ITEMS, PICTURES, people=50)
    R, kind, wanted = world.draw(1)
    assert R.shape == (150, 833) and (R.sum(axis=1) == 40).all()
    assert np.bincount(kind).tolist() == [50, 50, 50]
    X = looks(PICTURES)
    off = X @ np.linalg.lstsq(X, wanted[:50].T, rcond=None)[0] - wanted[:50].T
    assert np.abs(off).max() < 1e-8  # a combination of looks
    group = ITEMS["subgroup"].to_numpy()
    for one in np.unique(group)[:5]:
        assert np.ptp(wanted[50:100][:, group == one], axis=1) == pytest.approx(0, abs=1e-9)
    # What is taken is wanted more, by about the deviation.
    taken = wanted[R.toarray() > 0].mean() - wanted.mean()
    assert 2 < taken < 6
    assert (SensesWorld(ITEMS, PICTURES, people=50).draw(1)[0] != R).nnz == 0


def test_in_a_drifting_world_nothing_is_taken_twice_nor_off_offer():
    for fresh in (False, True):
        taken, offer = DriftingWorld(0.5, fresh, people=20, n=200, days=14).draw(3)
        assert taken.shape == (14, 5, 20) and offer.shape == (14, 200)
        for person in range(20):
            assert len(set(taken[:, :, person].ravel())) == 70
        assert all(offer[day, taken[day]].all() for day in range(14))
        assert offer.all() != fresh and offer.sum(axis=0).max() <= (12 if fresh else 14)


def test_a_mood_shows_within_a_day_and_no_longer():
    """Things of one day are alike by as much with moods; those of two days less."""
    alike = {}
    for mood in (0.0, 1.0):
        taken, _ = DriftingWorld(mood, people=150, n=300, days=10).draw(0)
        rng = np.random.default_rng(0)
        F = rng.normal(size=(300, 6))  # the world's own first draw, up to its scale
        day = F[taken].mean(axis=1)
        alike[mood] = [stats.pearsonr(day[d].ravel(), day[d + 1].ravel())[0] for d in range(9)]
    assert np.mean(alike[0.0]) > 0.4 and abs(np.mean(alike[1.0])) < 0.1


@pytest.mark.parametrize(("name", "value"), [("mood", 1.5), ("people", 0), ("n", 20)])
def test_a_drifting_world_that_makes_no_sense_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}={value}"):
        DriftingWorld(**{name: value})


def test_the_ridge_map_is_scikit_learns():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(30, 50)) + 2, rng.normal(size=(30, 3)) - 1
    theirs = Ridge(alpha=2.5).fit(X, Y)
    ours = RidgeMap(2.5).fit(X, Y)
    assert ours.predict(X[:4] + 1) == pytest.approx(theirs.predict(X[:4] + 1))
    with pytest.raises(ValueError, match="Y has 29 rows"):
        RidgeMap().fit(X, Y[:29])


def test_the_picture_map_learns_a_colour_and_is_the_same_each_time():
    rng = np.random.default_rng(0)
    shades = rng.integers(0, 256, size=(60, 3))
    shown = np.stack([blot(shade, 10, 10) for shade in shades])
    Y = shades[:, :1] / 100.0
    one, again = (PictureMap(4, epochs=30, rng=1).fit(shown[:40], Y[:40]) for _ in range(2))
    guessed = one.predict(shown[40:])
    assert np.corrcoef(guessed[:, 0], Y[40:, 0])[0, 1] > 0.9
    assert again.predict(shown[40:]) == pytest.approx(guessed, abs=1e-5)


def test_products_are_counted_layer_by_layer():
    products = PictureMap(4).build(16, 5).multiplications()
    assert products == {
        "conv1": 8 * 8 * 3 * 3 * 3 * 4,
        "conv2": 4 * 4 * 3 * 3 * 4 * 8,
        "conv3": 2 * 2 * 3 * 3 * 8 * 8,
        "dense": 2 * 2 * 8 * 64,
        "out": 64 * 5,
    }


def test_kmeans_is_scikit_learns_from_the_same_start():
    rng = np.random.default_rng(2)
    A = np.concatenate([rng.normal(size=(80, 3)), rng.normal(size=(40, 3)) + 4])
    start = A[np.random.default_rng(7).choice(120, 5, replace=False)]
    theirs = KMeans(5, init=start, n_init=1, max_iter=300, tol=0).fit(A)
    C, nearest = kmeans(A, 5, 7, iterations=300)
    assert theirs.cluster_centers_ == pytest.approx(C)
    assert (theirs.labels_ == nearest).all()


def test_a_product_code_is_the_nearest_centre_of_each_part():
    V = np.random.default_rng(3).normal(size=(300, 7))
    coded = ProductQuantiser(3, centres=20).fit(V)
    assert coded.codes_.shape == (300, 3) and coded.codes_.dtype == np.uint8
    back = coded.decoded()
    for columns, table in zip(np.array_split(np.arange(7), 3), coded.tables_, strict=True):
        distance = ((V[:, None, columns] - table[None]) ** 2).sum(axis=2)
        assert ((V - back)[:, columns] ** 2).sum(axis=1) == pytest.approx(distance.min(axis=1))
    exact = ProductQuantiser(2, centres=256).fit(V[:256])
    assert exact.decoded() == pytest.approx(V[:256])
    with pytest.raises(ValueError, match="parts=8"):
        ProductQuantiser(8).fit(V)
    with pytest.raises(ValueError, match="centres=257"):
        ProductQuantiser(2, centres=257).fit(V)


def test_all_lists_together_give_the_exact_answer():
    rng = np.random.default_rng(4)
    V, u = rng.normal(size=(400, 5)), rng.normal(size=5)
    index = InvertedFile(12).fit(V)
    found, looked = index.search(u, 10, 12)
    assert looked == 400 and found.tolist() == np.argsort(-(V @ u))[:10].tolist()
    few, looked = index.search(u, 10, 2)
    assert looked < 200 and set(few) <= set(range(400))
    assert (V @ u)[few].tolist() == sorted((V @ u)[few], reverse=True)
    # Half of the lists hold nearly all of the best: the likeliest are opened first.
    hits = []
    for one in rng.normal(size=(20, 5)):
        hits.append(len(set(index.search(one, 10, 6)[0]) & set(np.argsort(-(V @ one))[:10])))
    assert np.mean(hits) > 8
    with pytest.raises(ValueError, match="probes=13"):
        index.search(u, 10, 13)


def test_what_is_stored_is_what_the_lesson_says():
    stored = load_senses()
    assert stored.words.shape == (833, 384)
    assert np.linalg.norm(stored.words, axis=1) == pytest.approx(1, abs=1e-5)
    by = stored.cold.groupby(["share", "sense"])["ndcg"].mean()
    assert by[0.0, "together"] > max(by[0.0, "words"], by[0.0, "picture"])
    assert by[1.0, "together"] < by[1.0, "words"]
    for draw in range(3):
        kinds, found = stored.people[draw, "group"], stored.people[draw, "words"]
        assert len(kinds) == len(found) == 1200
    assert len(stored.drift_people) == 4 * 4 * 3


def test_tiles_tell_their_names():
    white = np.full((3, 4, 4, 3), 255)
    figure = figures.tiles(white, ["snow", "milk", "salt"], "White.", columns=2)
    assert alt_text(figure) == "White. Pictures: snow, milk, salt."
    assert alt_text(figures.tiles(white[:0], [], "Nothing.")) == "Nothing. Pictures: none."
    with pytest.raises(ValueError, match="pictures has shape"):
        figures.tiles(white[0], ["snow"])
    with pytest.raises(ValueError, match="names has 2 labels for 3"):
        figures.tiles(white, ["snow", "milk"])
