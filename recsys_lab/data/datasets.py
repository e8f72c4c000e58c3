"""The data sets of the course, read from ``data/`` and checked against their checksums.

Where they come from, and under which conditions: the README beside each.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from ..course.files import ROOT, checksums
from .interactions import Interactions, as_choice, as_path, read_csv

DATA = ROOT / "data"


def load_shop(folder: str | Path = DATA / "shop") -> tuple[Interactions, pd.DataFrame]:
    """Load the article's shop (section 4.3): 3 users, 5 items, 9 events.

    Parameters
    ----------
    folder : str or Path
        Where ``events.csv`` and ``items.csv`` are.

    Returns
    -------
    data : Interactions
        Users 1, 2, 3; items "A" to "E"; 1 where the user looked at the item.
    items : DataFrame
        Indexed by item, in the order of ``data.items``: category, and price in yuan.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing or not the one described in ``data/shop/README.md``.

    Examples
    --------
    >>> data, items = load_shop()
    >>> data
    Interactions: 3 users x 5 items, 9 events (60% of cells), no times
    >>> items.loc["A", "category"]
    'electronics'
    """
    folder, digests = as_folder(folder), checksums(DATA / "shop")
    items = read_csv(folder / "items.csv", sha256=digests["items.csv"]).set_index("item")
    data = Interactions.from_csv(
        folder / "events.csv", sha256=digests["events.csv"], items=items.index
    )
    return data, items


def load_movielens(
    folder: str | Path = DATA / "movielens-small",
) -> tuple[Interactions, pd.DataFrame]:
    """Load MovieLens small (October 2016): 671 users, 9,066 films, 100,004 ratings.

    Parameters
    ----------
    folder : str or Path
        Where ``ratings.csv`` and ``movies.csv`` are.

    Returns
    -------
    data : Interactions
        Ratings from 0.5 to 5, with times in seconds since 1970.
    movies : DataFrame
        Indexed by movieId, in the order of ``data.items``, so ``movies.iloc[j]`` is column j:
        title, year (whole or missing), genres (joined by "|").

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing or not the one described in ``data/movielens-small/README.md``.

    Notes
    -----
    Five films have neither title nor year.

    References
    ----------
    F. M. Harper and J. A. Konstan (2015). The MovieLens Datasets: History and Context. ACM
    Transactions on Interactive Intelligent Systems 5, 4, article 19. doi:10.1145/2827872

    Examples
    --------
    >>> data, movies = load_movielens()
    >>> data
    Interactions: 671 users x 9,066 items, 100,004 events (1.64% of cells), with times
    >>> movies.title.iloc[data.item_position(1)]
    'Toy Story'
    """
    folder, digests = as_folder(folder), checksums(DATA / "movielens-small")
    movies = read_csv(folder / "movies.csv", sha256=digests["movies.csv"]).set_index("movieId")
    movies["year"] = movies["year"].astype("Int64")
    data = Interactions.from_csv(
        folder / "ratings.csv",
        user="userId",
        item="movieId",
        value="rating",
        time="timestamp",
        sha256=digests["ratings.csv"],
        items=movies.index,
    )
    return data, movies


def as_folder(folder, file="*.csv") -> Path:
    """Check that this is a folder with such a file."""
    folder = as_path(folder, "folder")
    if not folder.is_dir() or not any(folder.glob(file)):
        raise FileNotFoundError(
            f"folder {str(folder)!r} holds no {file}: give the folder of the data, or none "
            "for the course's own (`python3 -m recsys_lab check` looks after it)"
        )
    return folder


def load_film_vectors(told: str = "all", folder: str | Path = DATA / "film-vectors") -> np.ndarray:
    """Load what an encoder of text makes of each film of MovieLens small: 9,066 x 384.

    Parameters
    ----------
    told : "all", "title" or "facts"
        What the encoder read: ``Toy Story (1995). Adventure, Animation``; ``Toy Story``; or
        ``1995. Adventure, Animation``. See ``recsys_lab.text.film_texts``.
    folder : str or Path
        Where ``vectors.npz`` is.

    Returns
    -------
    9,066 x 384 array, float32
        Rows of length 1 in the order of ``data.items``: the product of two is their cosine.

    Raises
    ------
    ValueError
        If ``told`` is none of these, or the file is not the one described in
        ``data/film-vectors/README.md``.
    FileNotFoundError
        If it is missing.

    Examples
    --------
    >>> load_film_vectors("title").shape
    (9066, 384)
    """
    as_choice(told, "told", ("all", "title", "facts"))
    path, digests = (
        as_folder(folder, "vectors.npz") / "vectors.npz",
        checksums(DATA / "film-vectors"),
    )
    with np.load(io.BytesIO(read_checked(path, digests["vectors.npz"]))) as stored:
        vectors = stored[told] * stored[f"{told}.unit"][:, None]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors[stored[f"{told}.at"]]


def load_sequences(
    folder: str | Path = DATA / "sequences",
) -> tuple[pd.DataFrame, dict[tuple[str, str], pd.DataFrame]]:
    """Load what lesson 11 measured: models of sequences, in a simulated world and on MovieLens.

    Parameters
    ----------
    folder : str or Path
        Where ``results.csv`` and ``people.npz`` are.

    Returns
    -------
    results : DataFrame, one row a fit
        task, model, seed, chosen (JSON), ndcg, shuffled, seconds; see ``data/sequences/README.md``.
    people : (task, model) -> DataFrame, indexed by the user's position
        nDCG@10, mean over the seeds: "as it is", and "shuffled", where the histories were put into
        a random order before the question.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing or not the one described in the README.
    """
    folder, digests = as_folder(folder), checksums(DATA / "sequences")
    results = read_csv(folder / "results.csv", sha256=digests["results.csv"])
    content, people = read_checked(folder / "people.npz", digests["people.npz"]), {}
    with np.load(io.BytesIO(content)) as arrays:
        for (task, model), rows in results.groupby(["task", "model"], sort=False):
            values = [arrays[f"{task}/{seed}/{model}"].T for seed in rows["seed"]]
            users = arrays[f"{task}/{rows['seed'].iloc[0]}/users"]
            mean = np.mean(values, axis=0, dtype=float)
            people[task, model] = pd.DataFrame(mean, users, ["as it is", "shuffled"])
    return results, people


def load_large(folder: str | Path = DATA / "large") -> pd.DataFrame:
    """Load what lesson 16 measured: loss by data and by size, and items spelled by codes.

    Parameters
    ----------
    folder : str or Path
        Where ``results.csv`` is.

    Returns
    -------
    DataFrame, one row a fit
        task, kind, data, d, seed, and what was measured; see ``data/large/README.md``.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing or not the one described in the README.
    """
    folder, digests = as_folder(folder, "results.csv"), checksums(DATA / "large")
    return read_csv(folder / "results.csv", sha256=digests["results.csv"])


def load_asked(folder: str | Path = DATA / "asked") -> dict[str, np.ndarray]:
    """Load what a language model answered that was asked for a film: for lesson 16.

    Parameters
    ----------
    folder : str or Path
        Where ``answers.npz`` is.

    Returns
    -------
    dict of arrays
        Of 260 rows: people, history, films, popularity, EASE; and for each model and prompt
        "NAME/with/PROMPT" and "NAME/without/PROMPT". See ``data/asked/README.md``.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing or not the one described in the README.
    """
    path, digests = as_folder(folder, "answers.npz") / "answers.npz", checksums(DATA / "asked")
    with np.load(io.BytesIO(read_checked(path, digests["answers.npz"]))) as arrays:
        return dict(arrays)


def read_checked(path: Path, sha256: str) -> bytes:
    """Read one of the course's own files, and see that it is the one with this checksum."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"path {str(path)!r} does not exist: restore it (`python3 -m recsys_lab check` says "
            "how)"
        ) from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(
            f"path {str(path)!r} has sha256 {found} where {sha256} is expected: the file was "
            "changed or cut short, so restore the original (`python3 -m recsys_lab check` says how)"
        )
    return content


def load_picture_shop(
    folder: str | Path = DATA / "picture-shop",
) -> tuple[pd.DataFrame, np.ndarray]:
    """Load the picture shop: 833 things with a name, tags and a picture, and no customers.

    Parameters
    ----------
    folder : str or Path
        Where ``items.csv`` and ``pictures.png`` are.

    Returns
    -------
    items : DataFrame
        Indexed by item, 0 to 832: name, group (5 of them), subgroup (49), tags (joined by "|").
    pictures : 833 x 32 x 32 x 3 array, uint8
        Red, green and blue, on white: ``pictures[j]`` shows ``items.iloc[j]``.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing or not the one described in ``data/picture-shop/README.md``.

    Examples
    --------
    >>> items, pictures = load_picture_shop()
    >>> items["name"][1], pictures.shape
    ('monkey', (833, 32, 32, 3))
    """
    folder, digests = as_folder(folder, "*.*"), checksums(DATA / "picture-shop")
    items = read_csv(folder / "items.csv", sha256=digests["items.csv"]).set_index("item")
    items["tags"] = items["tags"].fillna("")
    content = read_checked(folder / "pictures.png", digests["pictures.png"])
    sheet, side = np.asarray(Image.open(io.BytesIO(content)).convert("RGB")), 32
    rows, columns = sheet.shape[0] // side, sheet.shape[1] // side
    tiles = sheet.reshape(rows, side, columns, side, 3).swapaxes(1, 2)
    return items, tiles.reshape(-1, side, side, 3)[: len(items)]


@dataclass(frozen=True)
class Senses:
    """What lesson 17 measured: see ``data/senses/README.md``.

    Attributes
    ----------
    words : 833 x 384 array, float32
        What the encoder of text makes of each thing's name and tags; rows of length 1.
    cold : DataFrame
        nDCG@10 of new things: by draw, share of wrong pictures, sense and group of customers.
    people : (draw, sense) -> array
        The same with right pictures, customer by customer; and (draw, "group").
    drift : DataFrame
        nDCG@10 in drifting worlds: by world, way of learning, seed and place in the day.
    drift_people : (world, way, seed) -> array
        The same, person by person.
    cost : Series
        What was measured on one core, by name; the unit stands in the name.
    """

    words: np.ndarray
    cold: pd.DataFrame
    people: dict
    drift: pd.DataFrame
    drift_people: dict
    cost: pd.Series


def load_senses(folder: str | Path = DATA / "senses") -> Senses:
    """Load what lesson 17 measured: senses, drifting worlds, and costs.

    Parameters
    ----------
    folder : str or Path
        Where the files of ``data/senses`` are.

    Returns
    -------
    Senses

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing or not the one described in the README.

    Examples
    --------
    >>> load_senses().words.shape
    (833, 384)
    """
    folder, digests = as_folder(folder), checksums(DATA / "senses")

    def table(name):
        return read_csv(folder / name, sha256=digests[name])

    def arrays(name):
        with np.load(io.BytesIO(read_checked(folder / name, digests[name]))) as stored:
            return dict(stored)

    stored = arrays("words.npz")
    words = stored["words"] * stored["unit"][:, None]
    people = arrays("people.npz")
    return Senses(
        words / np.linalg.norm(words, axis=1, keepdims=True),
        table("cold.csv"),
        {(int(name[0]), name[2:]): people[name] for name in people if name[0].isdigit()},
        table("drift.csv"),
        {tuple(name.split("/")): people[name] for name in people if not name[0].isdigit()},
        table("cost.csv").set_index("what")["amount"],
    )
