"""What lesson 17 reads: senses of new things, drifting worlds, and what a step costs.

    python -m benchmarks --senses

Each finished part is kept in ``data/senses/``, so an interrupted run goes on where it stopped, and
a run with nothing to do takes seconds. Delete a file to compute its part anew.
"""

import io
import time
from pathlib import Path

import numpy as np
import pandas as pd

from recsys_lab import (
    EASE,
    TruncatedSVD,
    als,
    evaluate_per_user,
    fold_in,
    load_movielens,
    load_picture_shop,
    text,
)
from recsys_lab.course.status import progress_line
from recsys_lab.data.datasets import DATA
from recsys_lab.data.worlds import DriftingWorld, SensesWorld, looks
from recsys_lab.models import keras_models
from recsys_lab.models.compression import InvertedFile, kmeans
from recsys_lab.models.picture_models import PictureMap, RidgeMap

FOLDER = DATA / "senses"
DRAWS = (0, 1, 2)
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the new things' pictures that are exchanged
K, LAM, ALPHA = 12, 5.0, 10.0  # of ALS in the picture shop
RIDGES = (0.3, 1.0, 3.0, 10.0, 30.0)
# Of the drifting worlds. Tuned on another draw, before the days that are judged.
WORLDS = {
    "nothing changes": (0.0, False),
    "moods change": (0.5, False),
    "things change": (0.0, True),
    "both change": (0.5, True),
}
FIRST, JUDGED = 10, 15  # the day of the first fit, and the first day that is judged
KEEP_DAY, KEEP_EVENT = (1.0, 0.8, 0.6), (1.0, 0.9, 0.7, 0.5)
TRIED = {
    "once": [(day, 1.0) for day in KEEP_DAY],
    "each night": [(day, 1.0) for day in KEEP_DAY],
    "each event": [(1.0, event) for event in KEEP_EVENT],
    "both": [(day, event) for day in (1.0, 0.6) for event in KEEP_EVENT],
}
DRIFT = {"k": 12, "lam": 1.0, "alpha": 10.0}


def save(path: Path, content: bytes) -> None:
    """Write the whole file or none of it."""
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)


def packed(arrays) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def told(items) -> list[str]:
    """What the encoder reads of each thing."""
    return [
        f"{name}. {tags.replace('|', ', ')}"
        for name, tags in zip(items["name"], items["tags"], strict=True)
    ]


def encode() -> None:
    vectors = text.TextEncoder().encode(told(load_picture_shop()[0]))
    unit = np.abs(vectors).max(axis=1) / 127
    rounded = np.rint(vectors / unit[:, None]).astype(np.int8)
    save(FOLDER / "words.npz", packed({"words": rounded, "unit": unit.astype(np.float32)}))


def words_vectors() -> np.ndarray:
    with np.load(FOLDER / "words.npz") as stored:
        return stored["words"] * stored["unit"][:, None]


def exchanged(pictures, items, share, rng):
    """Pictures in which a share of those of some things were put to others of them."""
    order, found = rng.permutation(items), pictures.copy()
    bad = order[: round(share * len(order))]
    found[bad] = pictures[np.roll(bad, 1)]
    return found


def cold_draw(draw, say) -> tuple[list[dict], dict]:
    """One draw: new things by picture, by words, by both; with right and with wrong pictures."""
    items, pictures = load_picture_shop()
    words, n = words_vectors(), len(items)
    R, kind, wanted = SensesWorld(items, pictures).draw(draw)
    R = R.toarray()
    order = np.random.default_rng(draw).permutation(n)
    new, aside, learn = order[:166], order[166:300], order[300:]
    old = np.r_[aside, learn]
    factors = als(R[:, old], K, LAM, unseen="weak", alpha=ALPHA, rng=0)
    Y = factors.V / factors.V.std()
    Y_aside, Y = Y[: len(aside)], Y[len(aside) :]
    mean = Y.mean(axis=0)
    hidden, test = np.zeros_like(R), np.zeros_like(R)
    hidden[:, old], test[:, new] = 1, R[:, new]
    asked = np.flatnonzero(test.any(axis=1))

    def judged(V):
        scores = np.zeros(R.shape)
        scores[:, new] = V if len(V) == len(R) else factors.U @ V.T
        found = np.zeros(len(R))
        found[asked] = evaluate_per_user(scores, hidden, test)["ndcg"]
        return np.where(test.any(axis=1), found, np.nan)

    def by_ridge(X):
        maps = [RidgeMap(lam).fit(X[learn], Y) for lam in RIDGES]
        return min(maps, key=lambda each: ((each.predict(X[aside]) - Y_aside) ** 2).sum())

    say(f"draw {draw}: the network looks at {len(learn)} pictures")
    ears = by_ridge(words)
    eyes = PictureMap(rng=draw).fit(pictures[learn], Y)
    lab = by_ridge(looks(pictures))
    heard, heard_aside = (ears.predict(words[each]) - mean for each in (new, aside))
    pairs = np.c_[(eyes.predict(pictures[aside]) - mean).ravel(), heard_aside.ravel()]
    w = np.linalg.lstsq(pairs, (Y_aside - mean).ravel(), rcond=None)[0]
    rng = np.random.default_rng(draw)
    people = {
        "group": kind,
        "chance": judged(rng.random((len(R), len(new)))),
        "truth": judged(wanted[:, new]),
        "words": judged(heard + mean),
        "four formulas": judged(lab.predict(looks(pictures)[new])),
    }
    rows = []
    for share in SHARES:
        # The same order at each share: a picture that was wrong stays so.
        spoilt = exchanged(pictures, new, share, np.random.default_rng(100 + draw))
        seen = eyes.predict(spoilt[new]) - mean
        spoilt_aside = exchanged(pictures, aside, share, np.random.default_rng(200 + draw))
        again = np.c_[(eyes.predict(spoilt_aside[aside]) - mean).ravel(), heard_aside.ravel()]
        w2 = np.linalg.lstsq(again, (Y_aside - mean).ravel(), rcond=None)[0]
        ways = {
            "picture": judged(seen + mean),
            "together": judged(w[0] * seen + w[1] * heard + mean),
            "weighed again": judged(w2[0] * seen + w2[1] * heard + mean),
        }
        if share == 0:
            people |= {name: ways[name] for name in ("picture", "together")}
        ways |= {name: people[name] for name in people if name != "group" and name not in ways}
        for sense, found in ways.items():
            for place, group in enumerate(SensesWorld.KINDS):
                ndcg = round(float(np.nanmean(found[kind == place])), 5)
                row = {"draw": draw, "share": share, "sense": sense, "group": group, "ndcg": ndcg}
                weights = {"together": w, "weighed again": w2}.get(sense, (np.nan, np.nan))
                row |= {"w_picture": round(weights[0], 3), "w_words": round(weights[1], 3)}
                rows.append(row)
    return rows, {f"{draw}/{name}": found.astype(np.float16) for name, found in people.items()}


def simulate(taken, offer, way, keep_day, keep_event, last=None) -> np.ndarray:
    """Learn and recommend through the days; nDCG@10 of each event: days x events x people.

    ``way`` says when something is learned: ``once`` (on the first day), ``each night`` (a new fit),
    ``each event`` (the person's factors alone), or both. A day that is past counts ``keep_day`` of
    the day after it, in a fit; an event ``keep_event`` of the event after it, in a fold-in.
    """
    days, events, m = taken.shape
    n, everyone = offer.shape[1], np.arange(m)
    k, lam, how = DRIFT["k"], DRIFT["lam"], {"unseen": "weak", "alpha": DRIFT["alpha"]}
    by_day, by_event, had = np.zeros((m, n)), np.zeros((m, n)), np.zeros((m, n), dtype=bool)
    found = np.full(taken.shape, np.nan)
    for day in range(last or days):
        if day == FIRST or (day > FIRST and way in ("each night", "both")):
            V = als(by_day, k, lam, **how, iterations=5, rng=0).V
            U = fold_in(by_day, V, lam, **how)
        by_day *= keep_day
        for event in range(events):
            j = taken[day, event]
            if day >= FIRST:
                live = way in ("each event", "both")
                scores = (fold_in(by_event, V, lam, **how) if live else U) @ V.T
                scores += 1e-9 * np.random.default_rng([day, event]).random(scores.shape)
                scores[:, ~offer[day]] = -np.inf
                scores[had] = -np.inf
                place = (scores > scores[everyone, j][:, None]).sum(axis=1) + 1
                found[day, event] = np.where(place <= 10, 1 / np.log2(place + 1), 0)
            had[everyone, j] = True
            by_event *= keep_event
            for table in (by_day, by_event):
                table[everyone, j] += 1
    return found


def drift_rows(say) -> tuple[list[dict], dict]:
    rows, people = [], {}
    for name, (mood, fresh) in WORLDS.items():
        world, chosen = DriftingWorld(mood, fresh), {}
        events = world.draw(100)
        for way, settings in TRIED.items():
            say(f"{name}: {way}, tuned")
            runs = [
                np.nanmean(simulate(*events, way, *setting, last=JUDGED)) for setting in settings
            ]
            chosen[way] = settings[int(np.argmax(runs))]
        for seed in DRAWS:
            events = world.draw(seed)
            for way, setting in chosen.items():
                say(f"{name}: {way}, draw {seed}")
                found = simulate(*events, way, *setting)[JUDGED:]
                people[f"{name}/{way}/{seed}"] = found.mean(axis=(0, 1)).astype(np.float16)
                for place, ndcg in enumerate(found.mean(axis=(0, 2))):
                    row = {"world": name, "way": way, "seed": seed, "place": place + 1}
                    row |= {"ndcg": round(float(ndcg), 5)}
                    rows.append(row | dict(zip(("keep_day", "keep_event"), setting, strict=True)))
    return rows, people


def best_of(work, times=5) -> float:
    """The least processor time of some runs, in seconds: other programs do not count."""
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def repeated(work, times) -> float:
    """Seconds of one run, where one is too short for the clock."""
    return best_of(lambda: [work() for _ in range(times)], 3) / times


def costs(say) -> dict[str, float]:
    """What a step costs, on one core with one thread."""
    found, rng = {}, np.random.default_rng(0)
    say("costs: a picture, a name")
    items, pictures = load_picture_shop()
    eyes = PictureMap().build(32, K)
    found["picture, multiplications"] = sum(eyes.multiplications().values())
    found["picture, microseconds"] = 1e6 * best_of(lambda: eyes.predict(pictures[:256])) / 256
    encoder, lines = text.TextEncoder(), told(items)[:40]
    encoder.encode(lines[:1])
    found["name, microseconds"] = 1e6 * best_of(lambda: encoder.encode(lines), 3) / len(lines)
    say("costs: an event")
    R = load_movielens()[0].matrix.astype(bool).astype(float)
    for k in (32, 64):
        V = np.linalg.qr(rng.normal(size=(R.shape[1], k)))[0]
        P, v = np.linalg.inv(V.T @ V + np.eye(k)), V[0]

        def rank_one(P=P, v=v):
            Pv = P @ v
            return P - np.outer(Pv, Pv) * (10 / (1 + 10 * v @ Pv))

        def solved(V=V[:50], k=k):
            return np.linalg.solve(V.T @ V * 10 + np.eye(k), V.sum(axis=0))

        found[f"event by rank one, k {k}, microseconds"] = 1e6 * repeated(rank_one, 2000)
        found[f"event solved anew, k {k}, microseconds"] = 1e6 * repeated(solved, 500)
    fit = best_of(lambda: als(R, 64, LAM, unseen="weak", alpha=ALPHA, iterations=5, rng=0), 1)
    found["fit, k 64, five rounds, microseconds a person"] = 1e6 * fit / R.shape[0]
    found["fit of PureSVD, k 32, seconds"] = best_of(lambda: TruncatedSVD(32).fit(R), 1)
    found["fit of EASE, 9066 films, seconds"] = best_of(lambda: EASE(300.0).fit(R), 1)
    n, k = 1_000_000, 64
    bumps = rng.normal(size=(1000, k)).astype(np.float32)
    told_of = {  # factors with structure, at its best, and with none
        "a million in 1000 bumps": lambda m: (
            bumps[rng.integers(1000, size=m)] + 0.3 * rng.normal(size=(m, k)).astype(np.float32)
        ),
        "a million without structure": lambda m: rng.normal(size=(m, k)).astype(np.float32),
    }
    for name, drawn in told_of.items():
        say(f"costs: a search in {name}")
        found |= searched(drawn(n), drawn(20), name)
    return found


def searched(V, us, name) -> dict[str, float]:
    """The ten best for some people: by all products, and by an inverted file of 1000 lists."""

    def all_of_them(u):
        scores = V @ u
        best = np.argpartition(-scores, 10)[:10]
        return best[np.argsort(-scores[best])]

    exact = [all_of_them(u) for u in us]
    found = {f"{name}, all, microseconds": 1e6 * repeated(lambda: all_of_them(us[0]), 3)}
    # The centres from a part: with all rows that would be most of the work of an hour.
    index = InvertedFile(1000)
    index.centres_ = kmeans(V[:20_000], 1000, 0, iterations=5)[0].astype(V.dtype)
    squares = (index.centres_**2).sum(axis=1) / 2
    nearest = [
        (V[at : at + 20_000] @ index.centres_.T - squares).argmax(axis=1)
        for at in range(0, len(V), 20_000)
    ]
    nearest = np.concatenate(nearest)
    order = np.argsort(nearest, kind="stable")
    index.members_ = np.split(order, np.cumsum(np.bincount(nearest, minlength=1000))[:-1])
    index.rows_ = [V[each] for each in index.members_]
    for probes in (1, 4, 16, 64):
        runs = [index.search(u, 10, probes) for u in us]
        hits = [len(np.intersect1d(a, b)) / 10 for a, (b, _) in zip(exact, runs, strict=True)]
        found[f"{name}, {probes} lists, recall"] = float(np.mean(hits))
        looked = float(np.mean([count for _, count in runs]))
        found[f"{name}, {probes} lists, share"] = looked / len(V)
        seconds = repeated(lambda p=probes: [index.search(u, 10, p) for u in us], 2) / len(us)
        found[f"{name}, {probes} lists, microseconds"] = 1e6 * seconds
    return found


def run_senses() -> str:
    """Compute what is missing; the tables in short, as text."""
    FOLDER.mkdir(exist_ok=True)
    say = progress_line()
    if not (FOLDER / "words.npz").is_file():
        say("the encoder reads 833 names")
        encode()
    if not all((FOLDER / name).is_file() for name in ("cold.csv", "drift.csv", "people.npz")):
        keras_models._load("keras")
        rows, people = [], {}
        for draw in DRAWS:
            more, arrays = cold_draw(draw, say)
            rows += more
            people |= arrays
        drift, arrays = drift_rows(say)
        save(FOLDER / "people.npz", packed(people | arrays))
        for name, table in (("cold.csv", rows), ("drift.csv", drift)):
            save(
                FOLDER / name, pd.DataFrame(table).to_csv(index=False, lineterminator="\n").encode()
            )
    if not (FOLDER / "cost.csv").is_file():
        lines = [f'"{what}",{amount:.6g}' for what, amount in costs(say).items()]
        save(FOLDER / "cost.csv", "\n".join(["what,amount", *lines, ""]).encode())
    say("")
    cold, drift = (pd.read_csv(FOLDER / name) for name in ("cold.csv", "drift.csv"))
    shown = [
        cold.pivot_table("ndcg", ["share", "sense"], "group"),
        drift.pivot_table("ndcg", "world", "way"),
        pd.read_csv(FOLDER / "cost.csv"),
    ]
    return "\n\n".join(each.round(4).to_string() for each in shown)
