"""Encode MovieLens' films: make `data/film-vectors`, which the lesson on text reads.

    python -m tools.vectors

Two minutes of processor time. Each vector is stored as whole numbers from -127 to 127, and each
different text once.
"""

import hashlib
import io
import re

import numpy as np

from recsys_lab import load_movielens, text
from recsys_lab.data.datasets import DATA
from tools.notebooks import store

FOLDER = DATA / "film-vectors"
# What the encoder is told of a film -> arguments of `film_texts`.
TOLD = {
    "all": {},
    "title": {"year": False, "genres": False},
    "facts": {"title": False},
}


def told(movies, name: str) -> list[str]:
    """The texts of all films, with what `name` says is told."""
    return text.film_texts(movies, **TOLD[name])


def rounded(vectors) -> tuple[np.ndarray, np.ndarray]:
    """Vectors as int8, and for each the number that a unit of it is worth."""
    unit = np.abs(vectors).max(axis=1) / 127
    return np.rint(vectors / unit[:, None]).astype(np.int8), unit.astype(np.float32)


def content(movies, encode) -> bytes:
    """The file's bytes."""
    arrays = {}
    for name in TOLD:
        texts, at = np.unique(told(movies, name), return_inverse=True)
        arrays[name], arrays[f"{name}.unit"] = rounded(encode(texts.tolist()))
        arrays[f"{name}.at"] = at.astype(np.int16)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def main() -> None:
    """Make the file, and put its checksum into the README."""
    made = content(load_movielens()[1], text.TextEncoder().encode)
    path, readme = FOLDER / "vectors.npz", FOLDER / "README.md"
    part = path.with_suffix(".part")
    part.write_bytes(made)
    part.replace(path)
    digest = hashlib.sha256(made).hexdigest()
    said = re.sub(r"(?m)^[0-9a-f]{64}(?=  vectors\.npz)", digest, readme.read_text("utf-8"))
    store(readme, said)
    print(f"{path.name}: {len(made) / 1e6:.1f} MB, sha256 {digest}")


if __name__ == "__main__":
    main()
