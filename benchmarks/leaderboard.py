"""The leaderboard on MovieLens small: the course's models, and the ALS of the library `implicit`.

Each finished row is kept in ``data/leaderboard/``, so an interrupted run goes on where it stopped,
and a run with nothing to do takes seconds. Delete the files to start anew.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from recsys_lab import (
    Content,
    FeatureMap,
    item_features,
    leaderboard,
    load_film_vectors,
    load_movielens,
    rivals,
    standings,
)
from recsys_lab.judging.leaderboard import SPLITS
from recsys_lab.judging.search import Span
from tools.notebooks import ROOT

PATH = ROOT / "data" / "leaderboard" / "movielens-small.csv"
NAMES = ["ndcg", "recall", "hit_rate", "coverage", "novelty"]
METRICS = [*NAMES, *(f"{name}@{k}" for k in (5, 20, 50) for name in NAMES)]

# Split -> trials for each model, and seeds. Twelve trials keep the whole under 25 minutes. In the
# cold splits no range decides anything for most models: one trial, in the middle of each range.
PLAN = {
    "last": (12, (0, 1, 2)),
    "random": (12, (0, 1)),
    "time": (12, (0, 1, 2)),
    "cold users": (1, (0, 1, 2)),
    "cold items": (1, (0, 1, 2)),
}


@dataclass
class ImplicitALS:
    """What `recsys_lab.ALS` does, by the library `implicit`; the parameters mean the same.

    No more than fit and scores: so little makes a model that the leaderboard takes.
    """

    k: int
    lam: float
    alpha: float
    iterations: int = 15
    rng: int = 0

    def fit(self, train):
        R = train.matrix
        # Its penalty has no 1/2 of the fit beside it, and its entries are the weights themselves.
        weights = np.full(len(R.data), 1 + self.alpha, np.float32)
        with threadpool_limits(1, "blas"):
            self.model = AlternatingLeastSquares(
                self.k,
                regularization=2 * self.lam,
                iterations=self.iterations,
                random_state=self.rng,
            )
            self.model.fit(
                sp.csr_matrix((weights, R.indices, R.indptr), R.shape), show_progress=False
            )
        return self

    def scores(self, users):
        return self.model.user_factors[users] @ self.model.item_factors.T


def contestants() -> tuple:
    """Return the data, and all models with the values to try for each."""
    data, movies = load_movielens()
    models = rivals(item_features(movies, labels="genres").to_numpy())
    values = {name: tried for name, tried in models["ALS weak"][1].items() if name != "unseen"}
    models["ALS weak, implicit"] = (ImplicitALS, values)
    return data, models


def readers(movies) -> dict:
    """Return those that enter the split *cold items* alone: what they know, all films have.

    Lesson 10 takes the encoder's help apart: "facts" has read year and genres without a title.
    """
    lam = Span(0.01, 100)
    genres = item_features(movies, labels="genres").to_numpy()
    vectors = load_film_vectors()
    return {
        "content, encoder": (Content, {"features": [vectors - vectors.mean(axis=0)]}),
        "map, genres": (FeatureMap, {"features": [genres], "lam": lam}),
        "map, encoder of facts": (
            FeatureMap,
            {"features": [load_film_vectors("facts")], "lam": lam},
        ),
        "map, encoder": (FeatureMap, {"features": [vectors], "lam": lam}),
    }


def run_split(split: str) -> pd.DataFrame:
    """Compute what is not there yet of one split.

    Memory is measured in the first split and its first seed alone: it takes a fit more.
    """
    data, models = contestants()
    trials, seeds = PLAN[split]
    if split == "cold items":
        models |= readers(load_movielens()[1])
    run = partial(
        leaderboard, models, data, {split: SPLITS[split]}, METRICS, trials=trials, path=PATH
    )
    if split == next(iter(PLAN)):
        run(seeds[:1], memory=True)
    return run(seeds)


def run_leaderboard() -> str:
    """Compute what is not there yet of all splits, and return the standings as text.

    Two processes for two cores, each with a split at a time and one thread for matrix products.
    """
    fresh = multiprocessing.get_context("spawn")  # TensorFlow must not be forked
    with ProcessPoolExecutor(2, fresh, initializer=threadpool_limits, initargs=(1,)) as pool:
        table = pd.concat(pool.map(run_split, PLAN), ignore_index=True)
    shown = [*NAMES, "behind", "behind_low", "behind_high", "may_be_best", "edge"]
    shown += ["spread", "seconds", "MiB", "seeds", "leak"]
    return standings(table)[shown].round(3).to_string()
