"""What lesson 11 reads: models of sequences in a world with known order, and on MovieLens small.

    python -m benchmarks --sequences

Each finished row is kept in ``data/sequences/``, so an interrupted run goes on where it stopped,
and a run with nothing to do takes seconds. Delete the files to start anew. All models are tuned on
the event before the one that is asked for, by four settings each; of a network's epochs the best is
kept as well.
"""

import json
import os
import resource
import subprocess
import sys
import time
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import scipy.sparse as sp

from recsys_lab import EASE, Popularity, evaluate_per_user, load_movielens
from recsys_lab.course.status import progress_line
from recsys_lab.data.interactions import as_csr
from recsys_lab.data.sequences import ordered_histories, split_next
from recsys_lab.data.worlds import SeriesWorld
from recsys_lab.models import keras_models
from recsys_lab.models.sequence_models import Chain, NextItem
from tools.notebooks import ROOT

FOLDER = ROOT / "data" / "sequences"
DAY = 86400.0
SEEDS = (0, 1, 2)
SHUFFLES = 5
TRIALS = 4  # settings for each model
NOISES = (0.2, 0.0, 0.4, 0.6)  # the first is tuned on
WORLD = {"series": 10, "episodes": 10}
PEOPLE, LENGTH = 400, 30
PATIENCE = 4
# Of the cost: lengths of a history, and histories in a step.
LENGTHS, BATCH = (64, 128, 256, 512, 1024, 2048), 4
NETWORKS = {"CNN": "cnn", "GRU": "gru", "self-attention": "attention"}
BAG = "self-attention, no positions"


class Bag:
    """EASE or popularity, asked about histories: only what is in one counts."""

    def __init__(self, n, model):
        self.n, self.model = n, model

    def matrix(self, histories):
        rows = np.repeat(np.arange(len(histories)), [len(each) for each in histories])
        R = sp.csr_array(
            (np.ones(len(rows)), (rows, np.concatenate(histories))), (len(histories), self.n)
        )
        R.data[:] = 1
        return R

    def fit(self, histories):
        # Both are asked about the people that they learn from.
        self.model.fit(self.matrix(histories))
        return self

    def scores(self, histories):
        return self.model.scores(np.arange(len(histories)))


def settings(n, world) -> dict:
    """Name -> (make, what to try): as many settings for each model that has one to choose."""
    chain = [{"damping": d} for d in (0.1, 1.0, 10.0, 100.0)]
    if world:
        wide = [(2, 2, 1.0), (3, 2, 1.0), (4, 3, 1.0), (5, 3, 10.0)]
        rates, dropouts = (0.003, 0.01), (0.1, 0.3)
        fixed = {"length": 24, "d": 24, "batch": 50, "epochs": 30}
    else:
        wide = [(5, 3, 1.0), (10, 5, 10.0), (20, 10, 10.0), (50, 30, 10.0)]
        rates, dropouts = (0.005, 0.01), (0.3, 0.5)
        fixed = {"length": 50, "d": 32, "batch": 64, "negatives": 512, "epochs": 24}
    windows = [{"window": w, "last": last, "damping": d} for w, last, d in wide]
    lams = [{"lam": lam} for lam in (100.0, 300.0, 1000.0, 3000.0)]
    trials = [{"dropout": a, "learning_rate": b} for a, b in product(dropouts, rates)]
    assert {len(each) for each in (chain, windows, lams, trials)} == {TRIALS}
    found = {
        "popularity": (lambda: Bag(n, Popularity()), [{}]),
        "EASE": (lambda lam: Bag(n, EASE(lam)), lams),
        "Markov": (lambda **kw: Chain(n, **kw), chain),
        "window": (lambda **kw: Chain(n, **kw), windows),
    }
    if world:
        bag = {**fixed, "positions": False}
        found[BAG] = (lambda **kw: NextItem(n, "attention", **{**bag, **kw}), trials)
    for name, kind in NETWORKS.items():
        found[name] = (lambda kind=kind, **kw: NextItem(n, kind, **{**fixed, **kw}), trials)
    return found


class Task:
    """Histories, and what came next; nDCG@10 person by person, with or without what was seen."""

    def __init__(self, histories, train, test):
        self.histories, self.train, self.test = histories, train, test

    def judge(self, model, histories=None):
        histories = self.histories if histories is None else histories
        if isinstance(model, Bag):
            scores = model.scores(histories)
        else:  # a network takes its time: of no use for those who are not asked
            asked = np.flatnonzero(np.diff(as_csr(self.test, "test").indptr))
            scores, at_once = np.zeros(self.test.shape), {}
            if isinstance(model, NextItem):
                at_once["batch"] = 1000
            scores[asked] = model.scores([histories[i] for i in asked], **at_once)
        return evaluate_per_user(scores, self.train, self.test)["ndcg"]


def film_task(data, question, ties, rng):
    train, test = split_next(data, gap=DAY if question == "break" else 0.0, ties=ties, rng=rng)
    return train, Task(ordered_histories(train, ties=ties, rng=rng), train, test)


def world_task(drawn, n):
    m = len(drawn)
    test = sp.csr_array((np.ones(m), (np.arange(m), drawn[:, -1])), (m, n))
    # An episode may be seen again: nothing is left out of the lists.
    return Task(list(drawn[:, :-1]), sp.csr_array((m, n)), test)


def choose(make, tried, task, say) -> dict:
    """The setting with the best validation score; for a network its best epoch too."""
    best, chosen = -1.0, {}
    for setting in tried:
        model, scores = make(**setting), {}
        if isinstance(model, NextItem):
            every = 5 if model.negatives is None else 2  # an epoch in the small world is short

            def watch(model, epoch, scores=scores, every=every, setting=setting):
                if epoch % every == 0:
                    scores[epoch] = task.judge(model).mean()
                    say(f"{setting}, epoch {epoch}: {scores[epoch]:.4f}")
                return epoch - max(scores, key=scores.get, default=epoch) >= PATIENCE * every

            model.fit(task.histories, watch)
            epoch = max(scores, key=scores.get)
            score, setting = scores[epoch], {**setting, "epochs": epoch}
        else:
            score = task.judge(model.fit(task.histories)).mean()
        if score > best:
            best, chosen = score, setting
    return chosen


def measure(fitted, task, seed):
    """Judge a fitted model by the histories as they are, and in a random order: 2 x people."""
    rng, kept = np.random.default_rng(seed), task.judge(fitted)
    if isinstance(fitted, Bag):  # which a shuffle cannot change
        return np.array([kept, kept], np.float32)
    shuffled = [
        task.judge(fitted, [rng.permutation(each) for each in task.histories])
        for _ in range(SHUFFLES)
    ]
    return np.array([kept, np.mean(shuffled, axis=0)], np.float32)


def tasks(data):
    """Name -> what makes, for a seed, the task to tune on and the task to be judged by."""

    def films(question, ties):
        def make(seed):
            train, task = film_task(data, question, ties, seed)
            return film_task(train, question, ties, seed)[1], task

        return make

    def world(noise):
        def make(seed):
            simulated = SeriesWorld(**WORLD, noise=noise)
            drawn = simulated.histories(PEOPLE, LENGTH + 1, seed)
            return world_task(drawn[:, :-1], simulated.n), world_task(drawn, simulated.n)

        return make

    found = {f"noise {noise}": world(noise) for noise in NOISES}
    found |= {"last": films("last", "chance"), "break": films("break", "chance")}
    return found | {"last, ties by label": films("last", "label")}


class Kept:
    """The rows and people so far, written after each row."""

    def __init__(self, folder=FOLDER):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.read()

    def read(self):
        folder = self.folder
        self.rows, self.arrays = [], {}
        if (folder / "results.csv").is_file():
            self.rows = pd.read_csv(folder / "results.csv").to_dict("records")
            with np.load(folder / "people.npz") as arrays:
                self.arrays = {name: arrays[name] for name in arrays}

    def find(self, **wanted):
        return [row for row in self.rows if all(row[key] == wanted[key] for key in wanted)]

    def put(self, row, people, users):
        self.read()  # another run may have added to it
        key = f"{row['task']}/{row['seed']}"
        self.rows.append(row)
        self.arrays |= {f"{key}/{row['model']}": people, f"{key}/users": users.astype(np.int16)}
        table = pd.DataFrame(self.rows).to_csv(index=False, lineterminator="\n")
        save(self.folder / "people.npz", lambda file: np.savez_compressed(file, **self.arrays))
        save(self.folder / "results.csv", lambda file: file.write(table.encode()))


def save(path, write):
    """Write to a temporary name and move it: a reader finds the old file or the new."""
    unfinished = path.with_name(path.name + ".unfinished")
    with open(unfinished, "wb") as file:
        write(file)
    os.replace(unfinished, path)


def run_sequences(only=None) -> str:
    """Compute what is not there yet, and return the scores as text."""
    data = load_movielens()[0]
    kept, say = Kept(), progress_line()
    for name, make_tasks in tasks(data).items():
        if only and name not in only:
            continue
        world = name.startswith("noise")
        n = WORLD["series"] * WORLD["episodes"] if world else data.shape[1]
        models = settings(n, world)
        if "label" in name:
            models = {each: models[each] for each in models if each not in NETWORKS}
        for seed, model in product(SEEDS, models):
            if kept.find(task=name, model=model, seed=seed):
                continue
            if ("label" in name and seed) or (model == BAG and name != "noise 0.2"):
                continue  # nothing is drawn; once is enough
            make, tried = models[model]
            # Of a world one noise is tuned on, and all share its settings; of a seed, the first.
            before = kept.find(task="noise 0.2" if world else name, model=model, seed=0)
            validation, task = make_tasks(seed)
            if before:
                chosen = json.loads(before[0]["chosen"])
            else:
                if world:
                    validation = tasks(data)["noise 0.2"](0)[0]
                told = partial(_told, say, f"{name}, {model}")
                chosen = choose(make, tried, validation, told) if tried != [{}] else {}
            say(f"{name}, {model}, seed {seed}: {chosen}")
            start = time.process_time()
            fitted = make(**chosen, **({"rng": seed} if model in {*NETWORKS, BAG} else {}))
            fitted.fit(task.histories)
            seconds = round(time.process_time() - start, 1)
            people = measure(fitted, task, seed)
            users = np.flatnonzero(np.diff(as_csr(task.test, "test").indptr))
            row = {"task": name, "model": model, "seed": seed, "trials": len(tried)}
            row["chosen"] = json.dumps(chosen)
            kept_mean, shuffled_mean = (round(float(each.mean()), 5) for each in people)
            row |= {"ndcg": kept_mean, "shuffled": shuffled_mean}
            kept.put({**row, "seconds": seconds}, people, users)
            if name == "noise 0.2" and seed == 0 and model in NETWORKS:
                save(FOLDER / f"{NETWORKS[model]}.npz", fitted.save)
    say("")
    if not (FOLDER / "cost.csv").is_file() and only is None:
        run_cost()
    table = pd.DataFrame(kept.rows).groupby(["task", "model"], sort=False)
    return table[["ndcg", "shuffled", "seconds"]].mean().round(4).to_string()


def _told(say, what, text):
    say(f"{what}: {text}")


def cost(kind) -> None:
    """Print, for histories of growing length, the seconds and the memory of a training step.

    In a process of its own: what the operating system calls the peak only ever grows.
    """
    keras, tf = keras_models.keras, keras_models._load("tensorflow")
    dilations = tuple(2**layer for layer in range(10))  # a receptive field of 1,024
    at_start = None
    for length in LENGTHS:
        network = NextItem(100, kind, length=length, d=32, dropout=0.0, dilations=dilations).build()
        given = keras.ops.zeros((BATCH, length), "int32")

        @tf.function
        def step(given=given, network=network):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(network.model_(given, training=True))
            return [
                tf.reduce_sum(g)
                for g in tape.gradient(loss, network.model_.weights)
                if g is not None
            ]

        if at_start is None:
            at_start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        step()  # the first traces
        times = []
        for _ in range(3):
            start = time.process_time()
            step()
            times.append(time.process_time() - start)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - at_start
        print(f"{kind},{length},{min(times):.4f},{peak / 1024:.0f}", flush=True)


def run_cost(folder=FOLDER) -> None:
    """Measure all three networks, one after the other."""
    lines = ["kind,length,seconds,MiB"]
    for kind in NETWORKS.values():
        code = f"from benchmarks.sequences import cost; cost({kind!r})"
        lines += subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).split()
    save(folder / "cost.csv", lambda file: file.write("\n".join([*lines, ""]).encode()))
