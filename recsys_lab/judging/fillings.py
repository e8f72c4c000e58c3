"""What the SVD foresees when a table's empty cells are filled in one way or another.

Lesson 02's experiment: Cremonesi, Koren and Turrin (2010) found that zeros, a bad guess of the
stars, make good lists (they called the method PureSVD).
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import scipy.sparse as sp

from ..data.interactions import Interactions, as_count, as_matrix, as_number, shown
from ..data.splits import split_random
from .metrics import evaluate

REPEATS = 1000  # draws of people: about 25 beyond either end of a 95 % interval


def usual_stars(T: np.ndarray, imaginary: float = 0.0) -> np.ndarray:
    """What a rating is if the person and the film are as usual: no pattern, two means.

    A film's mean says how far it is above the overall mean, a person's how far they are above what
    their films usually get. Both are damped: each is taken together with some ratings that say "as
    usual", so that few ratings move it little.

    Parameters
    ----------
    T : m x n array, 0 where no rating is known
    imaginary : float, 0 or more
        The number of ratings added to each mean. At 0 these are the plain means.

    Returns
    -------
    m x n array

    Examples
    --------
    >>> T = np.array([[5, 3, 0], [4, 0, 2]])
    >>> usual_stars(T)
    array([[4.75, 3.25, 2.25],
           [4.25, 2.75, 1.75]])
    """
    if sp.issparse(T) or isinstance(T, Interactions):
        raise ValueError("T is sparse: give it as a dense array, T.toarray()")
    T = as_matrix(T, "T")
    if not (T > 0).any():
        raise ValueError("T holds no rating above 0: give a table with one")
    as_number(imaginary, "imaginary")
    known = T > 0
    mean = T[known].mean()

    def above(what, axis):
        count = known.sum(axis=axis, keepdims=True) + imaginary
        return np.where(known, what, 0).sum(axis=axis, keepdims=True) / np.maximum(count, 1e-9)

    film = above(T - mean, 0)
    return mean + film + above(T - mean - film, 1)


def compare_fillings(
    data: Interactions, fillings, ranks, seeds, *, rival: str, least: int = 20, lists: bool = True
) -> pd.DataFrame:
    """Judge fits of truncated SVDs to filled tables: how many stars, and which films?

    Parameters
    ----------
    data : Interactions whose values are ratings above 0
    fillings : a function of T, the m x n ratings to learn from (0 where there is none)
        It returns name -> (table, usual): the full table to factorise, or None for no pattern at
        all, and what is to be added to the fit.
    ranks : the numbers of factors to try
    seeds : a fifth of the ratings is held out at random, once for each seed
    rival : the name of the row that errors are compared with
    least : films with fewer ratings to learn from are left out
    lists : whether lists are judged too, which takes most of the time

    Returns
    -------
    DataFrame: seed, name, k, RMSE, gain, low, high, nDCG@10
        RMSE is over the hidden ratings. ``gain`` is the rival's RMSE less this one, with a 95 %
        interval for other people: both are computed anew for people drawn with replacement.
        k is 0 where there is no pattern. A row "popularity" holds its lists only.

    Raises
    ------
    ValueError
        If no filling has the rival's name, or least is no whole number of 1 or more.
    """
    least = as_count(least, "least")
    if not callable(fillings):
        raise ValueError(f"fillings={shown(fillings)} cannot be called: give a function of T")
    ranks = [as_count(k, "ranks") for k in _listed(ranks, "ranks")]
    seeds = _listed(seeds, "seeds")
    rows = []
    for seed in seeds:
        train, test = split_random(data, 0.2, np.random.default_rng(seed))
        enough = np.diff(train.matrix.tocsc().indptr) >= least
        T, H = (part.matrix.tocsc()[:, enough].toarray() for part in (train, test))
        fits = {}
        for name, (table, usual) in fillings(T).items():
            if table is None:
                fits[name, 0] = usual
                continue
            table = np.asarray(table, np.float32)  # seven digits are plenty for stars
            directions = np.linalg.eigh(table @ table.T)[1]  # the strongest come last
            for k in ranks:
                Q = directions[:, -k:]
                fits[name, k] = Q @ (Q.T @ table) + usual
        errors = {c: (np.where(H > 0, fit - H, 0) ** 2).sum(axis=1) for c, fit in fits.items()}
        # People who are drawn count as often as they are drawn: a column of sums for each case.
        people = len(T)
        drawn = np.random.default_rng(seed).multinomial(
            people, np.full(people, 1 / people), size=REPEATS
        )
        counts = (H > 0).sum(axis=1)
        again = {case: np.sqrt(drawn @ e / (drawn @ counts)) for case, e in errors.items()}
        rmse = {case: np.sqrt(e.sum() / counts.sum()) for case, e in errors.items()}
        if (rival, 0) not in rmse:
            raise ValueError(
                f"rival={rival!r} is no filling without patterns: give a name with (None, usual)"
            )
        if lists:
            fits["popularity", 0] = np.broadcast_to((T > 0).sum(axis=0).astype(float), T.shape)
        for (name, k), fit in fits.items():
            row = {"seed": seed, "name": name, "k": k}
            if (name, k) in rmse:
                low, high = np.quantile(again[rival, 0] - again[name, k], [0.025, 0.975])
                gain = rmse[rival, 0] - rmse[name, k]
                row |= {"RMSE": rmse[name, k], "gain": gain, "low": low, "high": high}
            if lists:
                row["nDCG@10"] = evaluate(fit, sp.csr_array(T), sp.csr_array(H))["ndcg"]
            rows.append(row)
    return pd.DataFrame(rows)


def _listed(values, name):
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"{name}={shown(values)} is no list: give one, such as [0, 1]")
    return list(values)
