"""A log with planted faults: lesson 19's. Who wants to find them should not read on.

It is MovieLens small, as a careless service might have written it down.
"""

import numpy as np
import pandas as pd

from .datasets import load_movielens
from .interactions import as_rng

# The machine: so many events, one every so many seconds, item after item of the catalogue.
MACHINE, VISITS, PAUSE = 4711, 360, 11
COPIES = 1500
# The clock falls back by eight years for some stretches of rows, in the order of arrival, in the
# last part of the log. No time looks odd by itself, for the log is twenty years long.
FALL, STRETCHES, LENGTH, FROM = 8 * 365.25 * 86_400, 40, 250, 0.65


def planted_log(rng: np.random.Generator | int = 0) -> pd.DataFrame:
    """Make a log of ratings with faults to be found, in the order in which the rows arrived.

    Parameters
    ----------
    rng : numpy.random.Generator or int

    Returns
    -------
    DataFrame: account, sku, points, stamp
        ``stamp`` is in milliseconds since 1970.

    Raises
    ------
    ValueError
        If rng is no seed.

    Examples
    --------
    >>> planted_log().columns.tolist()
    ['account', 'sku', 'points', 'stamp']
    """
    rng = as_rng(rng)
    data, movies = load_movielens()
    # Accounts in an order that does not tell who came first.
    accounts = rng.permutation(np.setdiff1d(np.arange(1001, 9999), [MACHINE]))[: data.shape[0]]
    table = pd.DataFrame(
        {
            "account": accounts[data.rows()],
            "sku": movies.index.to_numpy()[data.matrix.indices],
            "points": data.matrix.data,
            "stamp": data.times.astype(np.int64),
        }
    )
    begin = int(table["stamp"].quantile(0.55))
    machine = pd.DataFrame(
        {
            "account": MACHINE,
            "sku": movies.index.to_numpy()[:VISITS],
            "points": 4.0,
            "stamp": begin + PAUSE * np.arange(VISITS) + rng.integers(0, 2, VISITS).cumsum() // 9,
        }
    )
    table = pd.concat([table, machine]).sort_values("stamp", kind="stable", ignore_index=True)
    places = np.linspace(FROM, 0.99, STRETCHES) * len(table)
    fallen = (places.astype(int)[:, None] + np.arange(LENGTH)).ravel()
    table.loc[fallen, "stamp"] -= int(FALL)
    # A row that is sent twice arrives twice, one after the other.
    again = np.sort(rng.permutation(len(table))[:COPIES])
    table = table.iloc[np.sort(np.r_[np.arange(len(table)), again])].reset_index(drop=True)
    table["stamp"] *= 1000
    lost = rng.permutation(len(table))[:40]
    table["account"] = table["account"].astype("Int64")
    table.loc[lost, "account"] = pd.NA
    return table
