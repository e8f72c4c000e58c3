"""What a leaderboard keeps on disk: a row for each fit, each person's score, and what it rests on.

A row is written when it is done, so an interrupted contest goes on where it stopped. It counts only
as long as the checksum of all that it depends on is the same. Two processes may write into one
leaderboard, each its own rows.
"""

import json
import os
import time
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd

from ..data.interactions import as_csr, as_path

KEY = ("split", "model", "seed")
# To write all rows takes a tenth of a second; on a busy machine with a slow disk some seconds.
STALE = 60


def read_leaderboard(path: str | Path) -> pd.DataFrame:
    """Read the rows of a leaderboard, each with its people's scores.

    Parameters
    ----------
    path : the CSV file that ``leaderboard`` wrote; the people's scores lie beside it as ``.npz``

    Returns
    -------
    DataFrame, as ``leaderboard`` gives it
        Column ``people`` holds a Series for each row: the position of a user -> the first metric.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    path = as_path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"path {str(path)!r} is no leaderboard: make one with python3 -m recsys_lab bench "
            "--leaderboard"
        )
    table = pd.read_csv(path, dtype={"checksum": str, "edge": str})
    table["edge"] = table["edge"].fillna("")
    people = [None] * len(table)
    if _beside(path).is_file():
        with np.load(_beside(path)) as arrays:
            for number, key in enumerate(table[list(KEY)].itertuples(index=False)):
                values, users = _names(*key)
                # A row whose people were lost, in a crash between two files, is computed anew.
                if values in arrays and arrays[values].shape == arrays[users].shape:
                    people[number] = pd.Series(arrays[values].astype(float), arrays[users])
    table["people"] = pd.Series(people, dtype=object)
    return table


class Store:
    """The rows so far, in memory, and in a file if there is a path."""

    def __init__(self, path: str | Path | None):
        self.path = None if path is None else as_path(path)
        if self.path is not None and self.path.is_dir():
            raise ValueError(f"path {str(path)!r} is a folder: name a CSV file inside it")
        there = self.path is not None and self.path.is_file()
        self.rows = read_leaderboard(self.path).to_dict("records") if there else []

    def find(self, **wanted) -> dict | None:
        """Return the first row with these values, or None."""
        for row in self.rows:
            if all(row[name] == value for name, value in wanted.items()):
                return row
        return None

    def put(self, row: dict) -> None:
        """Put a row in the place of the one with the same key, or at the end, and write all."""
        key = [row[name] for name in KEY]
        if self.path is None:
            self.rows = [*self._without(key), row]
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(Path(f"{self.path}.lock")):
            if self.path.is_file():  # with what others have written since
                self.rows = read_leaderboard(self.path).to_dict("records")
            self.rows = [*self._without(key), row]
            self._write()

    def _without(self, key):
        return [old for old in self.rows if [old[name] for name in KEY] != key]

    def _write(self):
        """Write to temporary names and move these: a reader finds the old ones or the new."""
        table, arrays = pd.DataFrame(self.rows), {}
        for row in self.rows:
            if row["people"] is not None:
                values, users = _names(*(row[name] for name in KEY))
                arrays[values] = row["people"].to_numpy(np.float32)
                arrays[users] = row["people"].index.to_numpy(np.int32)
        unfinished = [Path(f"{path}.unfinished") for path in (_beside(self.path), self.path)]
        with open(unfinished[0], "wb") as file:
            np.savez_compressed(file, **arrays)
        table.drop(columns="people").to_csv(unfinished[1], index=False, lineterminator="\n")
        for name, path in zip(unfinished, (_beside(self.path), self.path), strict=True):
            os.replace(name, path)


@contextmanager
def _alone(lock: Path):
    """Wait for another process that writes; a lock that old was left by one that was stopped."""
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            with suppress(OSError):
                if time.time() - lock.stat().st_mtime > STALE:
                    lock.unlink()
            time.sleep(0.1)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def checksum(train, test, candidates, make, values, metrics, k, trials) -> str:
    """Sum up what a row depends on, but for the code of its model."""

    def plain(value):
        return zlib.crc32(value.tobytes()) if isinstance(value, np.ndarray) else repr(value)

    name = getattr(make, "__qualname__", type(make).__qualname__)
    text = json.dumps([name, values, metrics, k, trials], default=plain)
    total = zlib.crc32(text.encode())
    for R in (as_csr(train, "train"), as_csr(test, "test")):
        for array in (R.data, R.indices, R.indptr):
            total = zlib.crc32(array.tobytes(), total)
    if candidates is not None:
        total = zlib.crc32(np.packbits(candidates).tobytes(), total)
    return f"{total:08x}"


def _beside(path):
    return path.with_suffix(".npz")


def _names(split, model, seed):
    """Name the arrays of a row's values and of its users, which all models have in common."""
    return f"{split}/{seed}/{model}", f"{split}/{seed}/users of it"
