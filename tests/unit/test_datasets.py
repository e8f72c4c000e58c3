import hashlib
import shutil
import subprocess
from functools import partial

import numpy as np
import pytest

from recsys_lab import (
    load_asked,
    load_film_vectors,
    load_large,
    load_movielens,
    load_picture_shop,
    load_senses,
    load_shop,
    text,
)
from recsys_lab.course.files import checksums
from recsys_lab.data.datasets import DATA
from tools.vectors import told


def test_the_shop_is_the_articles():
    data, items = load_shop()
    assert data.users.tolist() == [1, 2, 3]
    assert data.items.tolist() == list("ABCDE")
    assert data.matrix.toarray().tolist() == [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1]]
    assert data.times is None
    assert items.index.tolist() == list("ABCDE")
    assert items["category"].tolist() == ["electronics", "clothing", "books", "cosmetics", "home"]
    assert items["price"].tolist() == [1000, 500, 200, 300, 800]


def test_exchanging_the_shops_ends_leaves_its_events_unchanged():
    R = load_shop()[0].matrix.toarray()
    assert (R[::-1, ::-1] == R).all()


def test_movielens_is_as_its_readme_says():
    data, movies = load_movielens()
    assert data.shape == (671, 9066)
    assert len(data) == 100_004
    per_user = np.diff(data.matrix.indptr)
    assert (per_user.min(), per_user.max()) == (20, 2391)
    per_film = np.bincount(data.matrix.indices)
    assert (per_film.min(), per_film.max()) == (1, 341)
    assert (np.unique(data.matrix.data) == np.arange(1, 11) / 2).all()
    assert data.times.dtype == np.int64
    years = np.array([data.times.min(), data.times.max()]).astype("datetime64[s]").astype(str)
    assert [year[:7] for year in years] == ["1995-01", "2016-10"]
    assert movies["title"].isna().sum() == movies["year"].isna().sum() == 5
    assert (movies["genres"] == "(no genres listed)").sum() == 17


def test_a_film_stands_in_the_row_of_its_column():
    data, movies = load_movielens()
    assert (movies.index.to_numpy() == data.items).all()
    # Two lines of the files, read by eye.
    assert movies.loc[1].tolist() == [
        "Toy Story",
        1995,
        "Adventure|Animation|Children|Comedy|Fantasy",
    ]
    user, film = data.user_position(1), data.item_position(2294)
    assert data.matrix[user, film] == 2.0
    at = data.matrix.indptr[user] + data.matrix[[user]].indices.tolist().index(film)
    assert data.times[at] == 1260759108


def test_a_picture_stands_beside_its_name():
    items, pictures = load_picture_shop()
    assert pictures.shape == (833, 32, 32, 3) and pictures.dtype == np.uint8
    # Looked at by eye: white around, and colours that the names speak of.
    assert (pictures[:, 0, 0] > 240).all(axis=1).mean() > 0.8
    for name, channel in [("fire engine", 0), ("blue book", 2), ("frog", 1)]:
        at = np.flatnonzero(items["name"] == name)[0]
        ink = pictures[at][pictures[at].min(axis=-1) < 200]
        assert ink.mean(axis=0).argmax() == channel, name
    assert (items["group"].nunique(), items["subgroup"].nunique()) == (5, 49)
    said = items["name"] + " " + items["tags"].str.replace("|", " ")
    assert said.str.contains(r"\b(?:red|green|blue|yellow)\b").sum() < 40


def test_git_changes_no_line_end_of_the_data():
    files = sorted(str(path.relative_to(DATA)) for path in DATA.rglob("*.*"))
    asked = ["git", "check-attr", "text", "--", *files]
    said = subprocess.run(asked, cwd=DATA, capture_output=True, text=True).stdout.splitlines()
    # Nothing is said where the course was downloaded without git.
    assert all(line.endswith(": unset") for line in said) and len(said) in (0, len(files))


@pytest.mark.parametrize("folder", sorted(DATA.glob("*/")), ids=lambda folder: folder.name)
def test_every_file_beside_a_readme_is_listed_there_with_its_checksum(folder):
    listed = checksums(folder)
    assert set(listed) == {path.name for path in folder.iterdir()} - {"README.md"}
    for name in listed:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == listed[name]


@pytest.mark.parametrize(
    ("load", "folder", "name"),
    [
        (load_shop, "shop", "events.csv"),
        (load_shop, "shop", "items.csv"),
        (load_movielens, "movielens-small", "ratings.csv"),
        (load_movielens, "movielens-small", "movies.csv"),
        (partial(load_film_vectors, "title"), "film-vectors", "vectors.npz"),
        (load_large, "large", "results.csv"),
        (load_asked, "asked", "answers.npz"),
        (load_picture_shop, "picture-shop", "items.csv"),
        (load_picture_shop, "picture-shop", "pictures.png"),
        *[(load_senses, "senses", f"{name}.csv") for name in ("cold", "drift", "cost")],
        *[(load_senses, "senses", f"{name}.npz") for name in ("people", "words")],
    ],
)
def test_a_changed_or_missing_file_is_refused(tmp_path, load, folder, name):
    copy = shutil.copytree(DATA / folder, tmp_path / folder)
    load(copy)
    with open(copy / name, "ab") as file:
        file.write(b"\n")
    with pytest.raises(ValueError, match=f"{name}.*sha256.*restore the original"):
        load(copy)
    (copy / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name}.*recsys_lab check"):
        load(str(copy))


def test_a_random_hundred_of_the_film_vectors_are_what_the_encoder_makes():
    _, movies = load_movielens()
    some = np.random.default_rng(0).choice(len(movies), 100, replace=False)
    encoder = text.TextEncoder()
    for name, count in [("all", 60), ("title", 20), ("facts", 20)]:
        at, some = some[:count], some[count:]
        texts = told(movies.iloc[at], name)
        cosines = (encoder.encode(texts) * load_film_vectors(name)[at]).sum(axis=1)
        # Rounding to 255 steps: a cosine less than 0.0002 below 1.
        assert cosines.min() > 0.9998 and cosines.max() < 1.00001


def test_film_vectors_of_another_kind_are_refused():
    with pytest.raises(ValueError, match="told='plot': choose"):
        load_film_vectors("plot")
