"""Encode MovieLens' films: make `data/film-vectors`, which the lesson on text reads.

    python -m tools.vectors         encode them
    python -m tools.vectors cost    measure what that costs, and a search in them

Two minutes of processor time. Each vector is stored as whole numbers from -127 to 127, and each
different text once.
"""

import csv
import hashlib
import io
import os
import platform
import re
import sys
import time
from datetime import date

import numpy as np
from threadpoolctl import threadpool_limits

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


def checked(path, made: bytes) -> str:
    """Write the whole file or none of it, and its checksum into the README."""
    part = path.with_suffix(".part")
    part.write_bytes(made)
    part.replace(path)
    digest = hashlib.sha256(made).hexdigest()
    readme = path.parent / "README.md"
    line = rf"(?m)^[0-9a-f]{{64}}(?=  {re.escape(path.name)})"
    store(readme, re.sub(line, digest, readme.read_text("utf-8")))
    return f"{path.name}: {len(made) / 1e6:.1f} MB, sha256 {digest}"


def processor_ms(work, times: int) -> float:
    """The median processor time of some runs, in milliseconds: other programs do not count."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - start))
    return float(np.median(taken))


def costs(movies, encoder) -> list[tuple]:
    """(what, amount, unit): encode a line, store the vectors, search in them; on one core."""
    lines = told(movies, "all")
    encoder.encode(lines[:1])
    number, width = len(lines), 384
    vectors = np.random.default_rng(0).normal(size=(number, width)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    small, _ = rounded(vectors)
    query = vectors[0]
    # A million rows would take 1.5 GB: the same rows, passed over again and again, cost as much.
    again = -(-1_000_000 // number)

    def search(rows):
        return np.argpartition(-(rows @ query), 10)[:10]

    def search_a_million():
        for _ in range(again):
            search(vectors)

    def search_int8():
        # numpy has no fast product of int8: each block is made float32 first.
        return search(small.astype(np.float32))

    some = iter(np.random.default_rng(1).choice(number, 30, replace=False))
    return [
        (
            "encode the line of one film",
            processor_ms(lambda: encoder.encode([lines[next(some)]]), 30),
            "ms",
        ),
        (
            "encode 200 films together, each",
            processor_ms(lambda: encoder.encode(lines[:200]), 3) / 200,
            "ms",
        ),
        (f"store {number:,} vectors as float32", vectors.nbytes / 1e6, "MB"),
        (f"store {number:,} vectors as int8", small.nbytes / 1e6, "MB"),
        (f"search {number:,} vectors, float32", processor_ms(lambda: search(vectors), 30), "ms"),
        (f"search {number:,} vectors, int8", processor_ms(search_int8, 30), "ms"),
        ("search a million vectors, float32", processor_ms(search_a_million, 3), "ms"),
        ("store a million vectors as float32", 4e6 * width / 1e6, "MB"),
    ]


def main(arguments: list[str]) -> None:
    """Make one of the two files."""
    _, movies = load_movielens()
    if arguments != ["cost"]:
        print(checked(FOLDER / "vectors.npz", content(movies, text.TextEncoder().encode)))
        return
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["what", "amount", "unit", "date", "machine"])
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    with threadpool_limits(1, "blas"):
        for what, amount, unit in costs(movies, text.TextEncoder()):
            writer.writerow([what, f"{float(f'{amount:.3g}'):g}", unit, date.today(), machine])
    print(checked(FOLDER / "cost.csv", file.getvalue().encode()))


if __name__ == "__main__":
    main(sys.argv[1:])
