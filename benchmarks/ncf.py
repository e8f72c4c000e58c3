"""Lesson 12's stored results: losses and networks, a product to be learned, and what serving costs.

Each finished row is kept in ``data/ncf/``, so an interrupted run goes on where it stopped. Delete a
file to compute it anew.
"""

import json
import os
import statistics
import time
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from recsys_lab import ALS, EASE, NCF, Dot, Popularity, leaderboard, load_movielens, standings
from recsys_lab.course.status import progress_line
from recsys_lab.judging.leaderboard import SPLITS
from recsys_lab.judging.search import Span
from recsys_lab.models import ncf_models
from recsys_lab.models.dot_losses import LOSSES
from tools.notebooks import ROOT

FOLDER = ROOT / "data" / "ncf"
METRICS = ["ndcg", "recall", "hit_rate", "coverage", "novelty"]
TRIALS, SEEDS = 12, (0, 1, 2)

DIMENSIONS, SAMPLES = (2, 4, 8, 16, 32), (1000, 4000, 16_000, 64_000)
PRODUCT_SEEDS = (0,)
# Items on offer: MovieLens small, and a large shop.
ITEMS = (9066, 1_000_000)


def contestants() -> dict:
    """Return the models with the values to try: rivals, a dot product by five losses, networks."""
    dot = {
        "k": Span(8, 64, whole=True),
        "l2": Span(1e-6, 3e-4),
        "learning_rate": Span(0.005, 0.3),
        "epochs": Span(4, 40, whole=True),
    }
    network = {
        "k": Span(4, 32, whole=True),
        "l2": Span(1e-7, 3e-5),
        "learning_rate": Span(0.001, 0.03),
        "epochs": Span(3, 16, whole=True),
    }
    weak = {"k": Span(8, 160, whole=True), "lam": Span(1, 100), "alpha": Span(0.5, 40)}
    models = {
        "popularity": (Popularity, {}),
        "EASE": (EASE, {"lam": Span(3, 3000)}),
        "ALS weak": (ALS, {"unseen": ["weak"], **weak}),
    }
    models |= {f"dot, {loss}": (Dot, {"loss": [loss], **dot}) for loss in LOSSES}
    # GMF's best rate is larger, as the dot product's is: at 0.03 it stood at the edge.
    faster = {**network, "learning_rate": dot["learning_rate"]}
    models["GMF"] = (NCF, {"kind": ["gmf"], **faster})
    for name, kind in [("MLP", "mlp"), ("NeuMF", "neumf")]:
        models[name] = (NCF, {"kind": [kind], **network})
    return models


def run_contest(part: str) -> pd.DataFrame:
    """Tune and judge what is not there yet of a part, on the last fifth of each person's events."""
    models = {
        name: model
        for name, model in contestants().items()
        if (model[0] is NCF) == (part == "networks")
    }
    data, _ = load_movielens()
    splits, path = {"last": SPLITS["last"]}, FOLDER / f"{part}.csv"
    return leaderboard(models, data, splits, METRICS, SEEDS, trials=TRIALS, path=path)


def run_product() -> pd.DataFrame:
    """Let a network learn the dot product, for each length of vectors and number of samples."""
    path, show = FOLDER / "product.csv", progress_line()
    rows = pd.read_csv(path).to_dict("records") if path.is_file() else []
    done = {(row["d"], row["samples"], row["seed"]) for row in rows}
    for seed in PRODUCT_SEEDS:
        for d in DIMENSIONS:
            for samples in SAMPLES:
                if (d, samples, seed) in done:
                    continue
                show(f"a product of length {d} from {samples} samples, seed {seed}")
                start = time.process_time()
                error = ncf_models.learn_product(d, samples, rng=seed)
                row = {"d": d, "samples": samples, "seed": seed, "error": round(error, 5)}
                rows.append(row | {"seconds": round(time.process_time() - start, 1)})
                _write(pd.DataFrame(rows), path)
    show("")
    return pd.DataFrame(rows)


def run_serving() -> pd.DataFrame:
    """Measure the time to score all items for one user: one product, or a network's pass."""
    path = FOLDER / "serving.csv"
    if path.is_file():
        return pd.read_csv(path)
    rows, rng, k = [], np.random.default_rng(0), 32
    for n in ITEMS:
        V, u = rng.normal(size=(n, k)).astype(np.float32), rng.normal(size=k).astype(np.float32)
        model = ncf_models.ncf_model(1, n, k // 2, "mlp", rng=0)
        weights = ncf_models.weights_of(model)
        items = np.arange(n, dtype=np.int32)
        # The items' half of the first layer, which is the same for all people.
        of_items = weights["mlp_items"][0] @ weights["hidden_1"][0][k:]
        ways = {
            "one product": lambda V=V, u=u: V @ u,
            "MLP, first layer split": partial(_split, weights, of_items),
            "MLP, a pass for each pair": partial(_passes, model, items),
        }
        for way, work in ways.items():
            work()
            times = []
            while sum(times) < 1 or len(times) < 3:
                start = time.perf_counter()
                work()
                times.append(time.perf_counter() - start)
            row = {"items": n, "way": way, "milliseconds": 1000 * statistics.median(times)}
            rows.append(row | {"date": date.today().isoformat(), "cores": os.cpu_count()})
    _write(pd.DataFrame(rows), path)
    return pd.DataFrame(rows)


def _split(weights, of_items):
    """Score all items for person 0, from the items' half of the first layer."""
    (P,), (W1, b1) = weights["mlp_users"], weights["hidden_1"]
    hidden = np.maximum(of_items + (P[0] @ W1[: P.shape[1]] + b1), 0)
    hidden = np.maximum(hidden @ weights["hidden_2"][0] + weights["hidden_2"][1], 0)
    return hidden @ weights["logit"][0] + weights["logit"][1]


def _passes(model, items, batch=65_536):
    parts = [items[start : start + batch] for start in range(0, len(items), batch)]
    return [model.predict_on_batch([np.zeros_like(part), part]) for part in parts]


def _write(table, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.unfinished")
    table.to_csv(unfinished, index=False, lineterminator="\n")
    os.replace(unfinished, path)


def run_ncf() -> str:
    """Compute what is not there yet, and return all three results as text."""
    shown = ["ndcg", "behind", "behind_low", "behind_high", "may_be_best", "spread", "seconds"]
    contest = pd.concat([run_contest(part) for part in ("losses", "networks")], ignore_index=True)
    chosen = contest.drop_duplicates("model").set_index("model")["chosen"].map(json.loads)
    product = run_product().pivot_table("error", "d", "samples")
    texts = [standings(contest)[shown].round(4), chosen, product.round(3), run_serving()]
    return "\n\n".join(text.to_string() for text in texts)
