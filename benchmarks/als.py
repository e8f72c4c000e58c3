"""An iteration of ALS against `implicit` and `lenskit`: same ratings, cores, k, penalty and start.

The ratings are simulated: long-tailed users and items, tastes of rank 8, half stars. `implicit`
gets the cores for itself, BLAS being held to one thread, as it demands. `lenskit` is not installed
with the course, since it brings PyTorch: `pip install lenskit` adds its rows. It has no "skip" with
the same penalty, and `implicit` has none at all: its time for "weak" is the budget there.
"""

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pandas as pd
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from recsys_lab import Factors, als, objective
from recsys_lab.course.files import ROOT

SIZES = {  # ratings, users, items, iterations
    "100k": (100_000, 1_000, 1_700, 11),
    "1M": (1_000_000, 10_000, 4_000, 10),
    "10M": (10_000_000, 80_000, 10_000, 3),
}
# Enough that the equations of users with few ratings are regular in float32.
LAM = 1.0


def simulate(ratings: int, users: int, items: int) -> sp.csr_array:
    """Draw ratings in float32."""
    rng = np.random.default_rng(0)
    activity = rng.lognormal(0, 1, users)
    popularity = 1 / (10 + np.arange(items))
    cells = np.empty(0, np.int64)
    while len(cells) < ratings:
        user = rng.choice(users, ratings // 2, p=activity / activity.sum())
        item = rng.choice(items, ratings // 2, p=popularity / popularity.sum())
        cells = np.union1d(cells, user * items + item)
    user, item = np.divmod(np.sort(rng.permutation(cells)[:ratings]), items)
    stars = 3.5 + 0.5 * rng.standard_normal(ratings)
    for _ in range(8):
        tastes, traits = rng.standard_normal(users), rng.standard_normal(items)
        stars += 0.35 * tastes[user] * traits[item]
    stars = np.clip(np.round(2 * stars) / 2, 0.5, 5).astype(np.float32)
    return sp.csr_array((stars, (user, item)), shape=(users, items))


def start(size: str, k: int) -> tuple[sp.csr_array, np.ndarray, int]:
    """Draw what all begin from: ratings and V; and return them with the number of iterations."""
    ratings, users, items, iterations = SIZES[size]
    V = 0.1 * np.random.default_rng(0).standard_normal((items, k), dtype=np.float32)
    return simulate(ratings, users, items), V, iterations


def measure(size: str) -> Iterator[tuple]:
    """Yield rows: what, value, unit and, where there is one, the budget."""
    ratings = SIZES[size][0]
    for k in (16, 32, 64) if ratings == 1_000_000 else (16, 32):
        R, V, iterations = start(size, k)
        name = f"{size} ratings, k = {k}, an iteration"
        seconds, J = als_run(R, V, iterations, "weak")
        cholesky, their_J = implicit_run(R, V, iterations, use_cg=False)
        yield f"als weak, {name}", seconds, "s", cholesky
        yield "... implicit, Cholesky", cholesky, "s"
        gradient, _ = implicit_run(R, V, iterations, use_cg=True)
        # The faster of theirs is the budget of ours that solves no equation to its end.
        ours, our_J = als_run(R, V, iterations, "weak", cg_steps=3)
        best = min(cholesky, gradient)
        yield f"als weak, cg_steps=3, {name}", ours, "s", *[best] * (k >= 32)
        yield "... implicit, conjugate gradient", gradient, "s"
        if iterations >= 10:
            yield "... J's relative distance from the exact one", abs(our_J / J - 1), "", 1e-4
        yield "... J's relative distance from implicit's", abs(J / their_J - 1), "", 1e-4
        if find_spec("lenskit"):
            # In a process of its own: once it has run it leaves all others one thread, and then
            # `implicit` takes twice its time (measured).
            code = f"from benchmarks.als import *; print(*lenskit_run(*start({size!r}, {k})))"
            said = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
            theirs, their_J = map(float, said.split()[-2:])
            yield "... lenskit", theirs, "s"
            yield "... als in lenskit's time", seconds / theirs, "x", 2
            yield "... J's relative distance from lenskit's", abs(J / their_J - 1), "", 1e-4
        yield f"als skip, {name}", als_run(R, V, iterations, "skip")[0], "s", cholesky
    if ratings < 1_000_000:
        return  # the batches' working space, of a fixed size, would be most of what is measured
    k, V = 32, V[:, :32]  # a batch's space grows with k, too
    size_of_R = R.data.nbytes + R.indices.nbytes + R.indptr.nbytes
    tracemalloc.start()
    als(R, k, LAM, unseen="weak", start=V, iterations=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    yield f"als weak, {size} ratings, k = {k}, peak memory", peak / size_of_R, "x the data", 4


def als_run(R, V, iterations: int, unseen: str, **options) -> tuple[float, float]:
    """Seconds an iteration, and J after all of them."""

    def fit(iterations):
        start = time.perf_counter()
        options["iterations"] = iterations
        found = als(R, V.shape[1], LAM, unseen=unseen, start=V, tol=0, **options)
        return time.perf_counter() - start, found

    # What is done once, before the first iteration, takes no part.
    (once, _), (all_of_them, found) = fit(1), fit(iterations)
    J = objective(R, found, LAM, unseen=unseen)
    return (all_of_them - once) / (iterations - 1), J


def implicit_run(R, V, iterations: int, use_cg: bool) -> tuple[float, float]:
    """The same for `implicit`."""
    # Its penalty has no 1/2 before the fit beside it, and its entries are the weights themselves.
    weights = sp.csr_matrix((1 + R.data, R.indices, R.indptr), R.shape)
    seconds = []
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            V.shape[1], regularization=2 * LAM, iterations=iterations, use_cg=use_cg
        )
        model.item_factors = V.copy()
        model.user_factors = np.zeros((R.shape[0], V.shape[1]), np.float32)
        model.fit(weights, show_progress=False, callback=lambda *call: seconds.append(call[1]))
    found = Factors(model.user_factors, model.item_factors)
    return float(np.mean(seconds[1:])), objective(R, found, LAM, unseen="weak")


def lenskit_run(R, V, iterations: int) -> tuple[float, float]:
    """The same for `lenskit`."""
    from lenskit.als import ImplicitMFScorer
    from lenskit.data import from_interactions_df
    from lenskit.training import TrainingOptions

    user, item = R.nonzero()
    data = from_interactions_df(pd.DataFrame({"user_id": user, "item_id": item, "rating": R.data}))
    # It knows only users and items with ratings, in the order of their labels.
    users, items = data.users.ids(), data.items.ids()
    model = ImplicitMFScorer(
        embedding_size=V.shape[1], regularization=2 * LAM, weight=1, use_ratings=True
    )
    trainer = model.create_trainer(data, TrainingOptions(rng=0))
    model.item_embeddings[:] = V[items]
    trainer.train_epoch()
    start = time.perf_counter()
    for _ in range(iterations - 1):
        trainer.train_epoch()
    seconds = (time.perf_counter() - start) / (iterations - 1)
    found = Factors(np.zeros((R.shape[0], V.shape[1])), np.zeros(V.shape))
    found.U[users], found.V[items] = model.user_embeddings, model.item_embeddings
    return seconds, objective(R, found, LAM, unseen="weak")


if __name__ == "__main__":
    for size in SIZES:
        for what, value, unit, *_ in measure(size):
            print(f"{what:60} {value:8.3g} {unit}", flush=True)
