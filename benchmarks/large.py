"""What lesson 16 reads: does bigger generalise better? Scaling, and items spelled by codes.

    python -m benchmarks --large

Each finished row is kept in ``data/large/``, so an interrupted run goes on where it stopped, and a
run with nothing to do takes seconds. Delete the files, or some rows, to start anew. Of each fit
the moment with the best loss on validation is kept; the test has no say in that.
"""

import time

import numpy as np
import pandas as pd

from benchmarks.sequences import save
from recsys_lab import (
    FeatureMap,
    evaluate_per_user,
    load_film_vectors,
    load_movielens,
    split_cold_items,
    split_next,
)
from recsys_lab.course.status import progress_line
from recsys_lab.data.sequences import ordered_histories
from recsys_lab.data.worlds import SeriesWorld
from recsys_lab.models.semantic_ids import CodeWriter, SemanticIds
from recsys_lab.models.sequence_models import NextItem
from tools.notebooks import ROOT

FOLDER = ROOT / "data" / "large"
WORLD = SeriesWorld(10, 10, 0.2)
LENGTH = 30  # events of a history; the next is asked for
READ = 6  # of which so many are read: two are enough, and each place has to be learned
PEOPLE = (25, 50, 100, 200, 400, 800)
SEEDS = (0, 1)
WIDTH, WIDTHS = 64, (2, 4, 8, 16, 32)
BATCH, LOOKS, TESTED = 64, 12, 1500
# Steps of training. The codes learn late, and all at once: their loss stands still for long.
STEPS = {"a row each": 600, "codes": 1200, "codes at random": 1200}
FILMS, PEOPLE_SHARES, FILM_WIDTHS = 1000, (0.0625, 0.125, 0.25, 0.5, 1.0), (2, 4, 8, 16, 32, 64)


def coded(kind, seed):
    """The world's codes: by the items' vectors, or the same ones dealt out at random."""
    codes = SemanticIds(10, 2, rng=seed).fit(WORLD.vectors(rng=seed)).codes_
    if kind == "codes at random":
        codes = np.random.default_rng(seed).permutation(codes)
    return codes


def logs_of(model, histories, items):
    """The log-probabilities that a model gives to what came next."""
    if isinstance(model, CodeWriter):
        return model.log_probabilities(histories, items)
    scores = model.scores(histories, batch=1024).astype(float)
    scores -= scores.max(axis=1, keepdims=True)
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return logs[np.arange(len(items)), items]


def fit(model, kind, histories, windows, validation, test, say, look=None):
    """Train for about STEPS steps, and return the test at the best moment on validation."""
    model.epochs = max(1, round(STEPS[kind] * model.batch / windows))
    every, best, worse = max(1, model.epochs // LOOKS), (np.inf, None), 0
    start = time.process_time()

    def watch(model, epoch):
        nonlocal best, worse
        if epoch % every and epoch < model.epochs:
            return False
        loss = -logs_of(model, *validation).mean()
        say(f"epoch {epoch} of {model.epochs}: {loss:.3f}")
        worse += 1
        if loss < best[0]:
            worse = 0
            best = loss, (look(model) if look else logs_of(model, *test))
        return kind == "a row each" and worse >= 5  # it only learns by heart

    model.fit(histories, watch)
    return best[1], round(time.process_time() - start, 1)


def parameters(model) -> int:
    """How many numbers were learned."""
    network = getattr(model, "network_", model)
    return int(sum(np.prod(w.shape) for w in network.model_.trainable_weights) + network.n)


def make(kind, d, seed, windows):
    shared = {"length": READ, "d": d, "blocks": 2, "learning_rate": 0.003}
    shared |= {"batch": int(min(BATCH, max(16, windows // 8))), "rng": seed}
    if kind == "a row each":
        return NextItem(WORLD.n, "attention", dropout=0.1, **shared)  # as tuned in lesson 11
    return CodeWriter(coded(kind, seed), dropout=0.0, **shared)


def world_row(kind, people, d, seed, say, keep_network=False):
    drawn = WORLD.histories(people, LENGTH + 1, np.random.default_rng([seed, 1]))
    asked = [
        WORLD.histories(m, LENGTH + 1, np.random.default_rng([seed, part]))
        for part, m in ((3, 400), (2, TESTED))
    ]
    parts = [(list(each[:, -READ - 1 : -1]), each[:, -1]) for each in asked]
    windows = people * LENGTH // READ
    model = make(kind, d, seed, windows)
    logs, seconds = fit(model, kind, list(drawn), windows, *parts, say)
    truth = np.log(WORLD.best_scores(parts[1][0])[np.arange(TESTED), parts[1][1]])
    if keep_network:
        save(FOLDER / "writer.npz", model.save)
    row = {"parameters": parameters(model), "events": people * LENGTH, "loss": -logs.mean()}
    # What is lost against the truth, event by event: the noise of the draw is in both.
    return row | {"excess": (truth - logs).mean(), "seconds": seconds}


def cold_row(kind, seed, say):
    """Ten episodes, one of each series, were never seen: does the model write them?"""
    rng = np.random.default_rng([seed, 3])
    cold = np.arange(10) * 10 + rng.permutation(10)
    pieces = []
    for history in WORLD.histories(400, LENGTH + 1, rng):
        cuts = np.flatnonzero(np.isin(history, cold))
        pieces += [
            part for part in np.split(history, cuts) for part in [part[~np.isin(part, cold)]]
        ]
    pieces = [part for part in pieces if len(part) >= 3]

    def drawn(m, is_cold):
        h = WORLD.histories(20 * m, LENGTH + 1, rng)
        clean = ~np.isin(h[:, -4:-1], cold).any(axis=1)
        # Only cases in which the rule was kept: what else came is nobody's to know.
        kept = h[:, -1] == WORLD.sequel(h[:, -3])
        h = h[clean & kept & (np.isin(h[:, -1], cold) == is_cold)][:m]
        # The history is read from after its last cold item.
        texts = []
        for each in h[:, :-1]:
            at = np.flatnonzero(np.isin(each, cold))
            texts.append((each[at[-1] + 1 :] if len(at) else each)[-READ:])
        return texts, h[:, -1]

    windows = sum(1 + len(each) // READ for each in pieces)
    model = make(kind, WIDTH, seed, windows)
    validation, parts = drawn(300, False), (drawn(500, False), drawn(500, True))

    def look(model):
        found = []
        for histories, items in parts:
            if isinstance(model, CodeWriter):
                first = model.beam(histories, 10)[0]
            else:
                first = np.argsort(-model.scores(histories), axis=1)[:, :10]
            place = np.where(
                (first == items[:, None]).any(1), (first == items[:, None]).argmax(1), 99
            )
            found.append([(place == 0).mean(), np.exp(logs_of(model, histories, items)).mean()])
        return np.ravel(found)

    found, seconds = fit(model, kind, pieces, windows, validation, None, say, look)
    names = ("first", "probability", "first, cold", "probability, cold")
    return dict(zip(names, found, strict=True)) | {"seconds": seconds}


def film_world():
    """MovieLens as sequences of its 1,000 most seen films: everybody's history."""
    data = load_movielens()[0]
    counts = np.diff(data.matrix.tocsc().indptr)
    kept = np.argsort(-counts, kind="stable")[:FILMS]
    number = np.full(data.shape[1], -1)
    number[kept] = np.arange(FILMS)
    histories = [number[each] for each in ordered_histories(data, rng=0)]
    return [each[each >= 0] for each in histories]


def films_row(d, share, seed, say):
    """The loss on new people's films, each given those before it."""
    rng = np.random.default_rng([seed, 4])
    histories = [each for each in film_world() if len(each) > 1]
    people = rng.permutation(len(histories))
    asked, rest = people[:160], people[160:]
    train = [histories[i] for i in rest[: round(share * len(rest))]]
    model = NextItem(
        FILMS, "attention", length=50, d=d, blocks=1, dropout=0.2, batch=BATCH, rng=seed
    )
    ids = np.split(asked, 2)  # in the order that was drawn: nobody is in both
    cut = [model.windows([histories[i] for i in half], rng) for half in ids]
    events = sum(len(each) for each in train)

    def loss(model, part):
        """Mean over the events of all windows."""
        inputs, targets = part
        E = np.asarray(model.model_.get_layer("items").embeddings)[:FILMS]
        total = count = 0
        for start in range(0, len(inputs), 128):
            h = np.asarray(model.model_(inputs[start : start + 128], training=False))
            wanted = targets[start : start + 128]
            there = wanted < FILMS
            scores = h[there] @ E.T + np.asarray(model.bias_)
            scores -= scores.max(axis=1, keepdims=True)
            logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
            total -= logs[np.arange(len(logs)), wanted[there]].sum()
            count += len(logs)
        return total / count

    best, worse, start = (np.inf, np.inf), 0, time.process_time()

    def watch(model, epoch):
        nonlocal best, worse
        value = loss(model, cut[0])
        say(f"epoch {epoch}: {value:.3f}")
        worse = 0 if value < best[0] else worse + 1
        if value < best[0]:
            best = value, loss(model, cut[1])
        return worse >= 3

    model.epochs = 30 if share > 0.2 else 60
    model.fit(train, watch)
    row = {"parameters": parameters(model), "events": events, "loss": best[1]}
    return row | {"seconds": round(time.process_time() - start, 1)}


def film_codes(kind, seed):
    """The films' codes: by the encoder's vectors of their texts, or dealt out at random."""
    codes = SemanticIds(64, 2, rng=0).fit(load_film_vectors()).codes_
    return codes if kind == "codes" else np.random.default_rng(seed).permutation(codes)


def film_codes_row(kind, seed, say):
    """The last event of each person: nDCG@10 of what the writer's beam finds."""
    data = load_movielens()[0]
    train, test = split_next(data, rng=seed)
    earlier, before = split_next(train, rng=seed)
    histories, shorter = (ordered_histories(part, rng=seed) for part in (train, earlier))
    asked = np.flatnonzero(np.diff(before.matrix.indptr))
    validation = ([shorter[i] for i in asked], before.matrix.indices)
    model = CodeWriter(
        film_codes(kind, seed), length=20, d=48, dropout=0.2, learning_rate=0.005, rng=seed
    )

    def look(model):
        has = train.matrix.toarray() > 0
        scores = model.scores(histories, 20, ~has)
        return evaluate_per_user(scores, train.matrix, test.matrix)["ndcg"].mean()

    # One fit chooses the epoch on validation, the other learns from that event too.
    best, start = (np.inf, 0), time.process_time()

    def watch(model, epoch):
        nonlocal best
        loss = -model.log_probabilities(*validation).mean()
        say(f"{kind}, {seed}, epoch {epoch}: {loss:.3f}")
        best = min(best, (loss, epoch))
        return epoch - best[1] >= 3

    model.epochs = 16
    model.fit(shorter, watch)
    model.epochs = best[1]
    model.fit(histories)
    row = {"parameters": parameters(model), "loss": best[0], "ndcg": look(model)}
    return row | {"epochs": best[1], "seconds": round(time.process_time() - start, 1)}


def film_cold_row(kind, seed, say):
    """A fifth of the films are new: nDCG@10 among them, for people whose other films are known."""
    data = load_movielens()[0]
    train, test = split_cold_items(data, 0.2, np.random.default_rng(seed))
    is_cold = np.diff(train.matrix.tocsc().indptr) == 0
    start = time.process_time()
    if kind == "a map from text":
        model = FeatureMap(load_film_vectors()).fit(train)
        scores = model.scores(np.arange(data.shape[0]))
    elif kind == "chance":
        scores = np.random.default_rng(seed).random(data.shape)
    else:
        histories = ordered_histories(train, rng=seed)
        model = CodeWriter(
            film_codes(kind, seed), length=20, d=48, dropout=0.2, learning_rate=0.005, rng=seed
        )
        model.epochs = 8
        model.fit(histories, lambda _, epoch: say(f"cold, {kind}, {seed}: {epoch}"))
        scores = model.scores(histories, 40, is_cold)
    scores = np.where(is_cold, scores, -2e9)
    each = evaluate_per_user(scores, train.matrix, test.matrix)["ndcg"]
    return {"ndcg": each.mean(), "seconds": round(time.process_time() - start, 1)}


def plan():
    """All rows to compute, as (task, kind, people or share, d, seed), the most telling first."""
    rows, codes, dealt = "a row each", "codes", "codes at random"
    for seed in SEEDS:
        yield from (("cold", kind, 400, WIDTH, seed) for kind in (codes, rows))
        yield from (("films", rows, 1.0, d, seed) for d in FILM_WIDTHS)
        yield from (("films", rows, share, 16, seed) for share in PEOPLE_SHARES[:-1])
        yield ("cold", dealt, 400, WIDTH, seed)
        yield from (
            ("cold films", kind, 1.0, 48, seed)
            for kind in ("chance", "a map from text", codes, dealt)
        )
        yield from (("world", rows, m, 32, seed) for m in PEOPLE)
        yield from (("world", codes, m, WIDTH, seed) for m in (400, 100, 50, 200, 25, 800))
        yield from (("last film", kind, 1.0, 48, seed) for kind in (codes, dealt))
        yield from (("world", rows, 400, d, seed) for d in WIDTHS if d != 32)
        yield ("world", dealt, 400, WIDTH, seed)


def run_large(only=None, seconds=np.inf) -> str:
    """Compute what is not there yet, and return the results as text."""
    start = time.process_time()
    FOLDER.mkdir(parents=True, exist_ok=True)
    path, say = FOLDER / "results.csv", progress_line()
    rows = pd.read_csv(path).to_dict("records") if path.is_file() else []
    keys = ("task", "kind", "data", "d", "seed")
    for key in plan():
        task, kind, much, d, seed = key
        if time.process_time() - start > seconds:
            break
        if (only and task not in only) or any(tuple(row[k] for k in keys) == key for row in rows):
            continue

        def told(text, key=key):
            say(f"{key}: {text}")

        told("begins")
        if task == "world":
            first = (kind, much, d, seed) == ("codes", 400, WIDTH, 0)
            row = world_row(kind, much, d, seed, told, first)
        elif task == "cold":
            row = cold_row(kind, seed, told)
        elif task == "films":
            row = films_row(d, much, seed, told)
        elif task == "last film":
            row = film_codes_row(kind, seed, told)
        else:
            row = film_cold_row(kind, seed, told)
        if path.is_file():  # another run may have added to it
            rows = pd.read_csv(path).to_dict("records")
        rounded = {
            k: round(float(v), 5) if isinstance(v, (float, np.floating)) else v
            for k, v in row.items()
        }
        rows.append(dict(zip(keys, key, strict=True)) | rounded)
        table = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
        save(path, lambda file, table=table: file.write(table.encode()))
    say("")
    return pd.DataFrame(rows).to_string()
