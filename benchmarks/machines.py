"""Lesson 18's stored results: what one machine holds, and Spark on several processes.

A finished row is kept in ``data/machines/``, so an interrupted run goes on where it stopped. Delete
a file to compute it anew. Times are of the processor, of all cores together: they mean the same
on a busy machine. Those of Spark are what its own books say that its tasks took.
"""

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.als import LAM, SIZES, simulate
from recsys_lab import als
from recsys_lab.course.status import progress_line
from recsys_lab.models import spark as engine
from tools.notebooks import ROOT

FOLDER = ROOT / "data" / "machines"
ONE_MACHINE = [
    *[("1M", k, steps) for k in (16, 32, 64, 128) for steps in (0, 3)],
    *[(size, 32, steps) for size in ("100k", "10M") for steps in (0, 3)],
]
# The world that Spark makes, and the ALS that it fits to it.
EVENTS, USERS, ITEMS, RANK, ITERATIONS = 5_000_000, 100_000, 20_000, 16, 2
WORKERS, BLOCKS = (1, 2), (2, 8, 32)
LISTS_AT, LENGTH = 8, 10  # in how many blocks lists for everyone are timed, and how long they are


def run_machines() -> str:
    """Compute what is not there yet, and return a line for each file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = {"one-machine.csv": one_machine}
    if engine.has_spark():
        files["spark.csv"] = on_spark
    lines = [f"{name}: {fill(FOLDER / name)} rows" for name, fill in files.items()]
    return "\n".join(lines)


def rows_of(file: Path) -> list[dict]:
    return pd.read_csv(file).to_dict("records") if file.exists() else []


def keep(file: Path, rows: list[dict]) -> None:
    draft = file.with_suffix(".tmp")
    pd.DataFrame(rows).to_csv(draft, index=False, float_format="%.4g", lineterminator="\n")
    draft.replace(file)


def one_machine(file: Path) -> int:
    """Seconds an iteration, and the largest memory of numpy's arrays beside the ratings."""
    rows, say, worlds = rows_of(file), progress_line(), {}
    done = {(row["size"], row["k"], row["cg_steps"]) for row in rows}
    for size, k, steps in ONE_MACHINE:
        if (size, k, steps) in done:
            continue
        say(f"als, {size} ratings, k = {k}, cg_steps = {steps or None}")
        ratings, users, items, _ = SIZES[size]
        if size not in worlds:
            worlds = {size: simulate(ratings, users, items)}
        R = worlds[size]
        start = 0.1 * np.random.default_rng(0).standard_normal((items, k), dtype=np.float32)

        def seconds(iterations, R=R, k=k, start=start, steps=steps):
            begin = time.process_time()
            als(R, k, LAM, unseen="weak", start=start, iterations=iterations, tol=0,
                cg_steps=steps or None)  # fmt: skip
            return time.process_time() - begin

        # What is done once, before the first iteration, takes no part. The best of some rounds:
        # what disturbs a round makes it longer, never shorter.
        taken = min(seconds(3) for _ in range(3)) - min(seconds(1) for _ in range(3))
        tracemalloc.start()
        als(R, k, LAM, unseen="weak", start=start, iterations=1, cg_steps=steps or None)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        rows.append(
            {
                "size": size, "ratings": R.nnz, "users": users, "items": items, "k": k,
                "cg_steps": steps, "seconds": taken / 2, "peak_mb": peak / 1e6,
                "ratings_mb": (R.data.nbytes + R.indices.nbytes + R.indptr.nbytes) / 1e6,
            }
        )  # fmt: skip
        keep(file, rows)
    say("")
    return len(rows)


def world(session, folder: Path, events: int = EVENTS, parts: int = 16):
    """Have Spark draw events and write them partition by partition: no process holds them all.

    The item of place i is drawn in proportion to about 1 / i, and users are as uneven.
    """
    drawn = session.range(0, events, 1, parts).selectExpr(
        f"cast(pow({USERS}, rand(0)) - 1 as int) * 7919 % {USERS} as user",
        f"cast(pow({ITEMS}, rand(1)) - 1 as int) * 7919 % {ITEMS} as item",
        "cast(1 as float) as rating",
    )
    drawn.write.mode("overwrite").parquet(str(folder))
    return session.read.parquet(str(folder))


def on_spark(file: Path) -> int:
    """Time, bytes sent and bytes predicted, against processes and blocks."""
    from pyspark.ml.recommendation import ALS

    rows, say = rows_of(file), progress_line()
    done = {(row["workers"], row["blocks"]) for row in rows}
    for workers in WORKERS:
        if done >= {(workers, blocks) for blocks in BLOCKS}:
            continue
        session = engine.start_spark(cores=1, workers=workers, memory=2048)
        folder = session.sparkContext._recsys_lab / "events"
        begin = time.perf_counter()
        ratings = world(session, folder)
        written = time.perf_counter() - begin
        size = sum(part.stat().st_size for part in folder.glob("*.parquet"))
        for blocks in BLOCKS:
            if (workers, blocks) in done:
                continue
            say(f"Spark, {workers} workers, {blocks} blocks")
            before = {stage for stage, *_ in engine.shuffled(session)}
            begin = time.perf_counter()
            model = ALS(
                rank=RANK, maxIter=ITERATIONS, implicitPrefs=True, regParam=0.1, alpha=1.0,
                numUserBlocks=blocks, numItemBlocks=blocks, seed=0,
                userCol="user", itemCol="item", ratingCol="rating",
            ).fit(ratings)  # fmt: skip
            wall = time.perf_counter() - begin
            books = [row for row in engine.shuffled(session) if row[0] not in before]
            steps = [sent for _, name, _, sent in books if name.startswith("flatMap at ALS")]
            rows.append(
                {
                    "workers": workers, "blocks": blocks, "events": EVENTS, "users": USERS,
                    "items": ITEMS, "k": RANK, "iterations": ITERATIONS,
                    "write_seconds": written, "parquet_mb": size / 1e6, "wall_seconds": wall,
                    "stages": len(books), "tasks": sum(tasks for _, _, tasks, _ in books),
                    "sent_once_mb": (sum(sent for *_, sent in books) - sum(steps)) / 1e6,
                    "sent_iteration_mb": sum(steps[-2:]) / 1e6,
                    "predicted_mb": predicted(session, ratings, blocks) / 1e6,
                    **(seconds_of_lists(model) if blocks == LISTS_AT else {}),
                }
            )  # fmt: skip
            keep(file, rows)
        engine.stop_spark(session)
    say("")
    return len(rows)


def seconds_of_lists(model) -> dict[str, float]:
    """Wall time of the ten best items for all users: Spark's own, and numpy's on the same factors.

    Both rank all items, seen ones too; numpy in one process, some rows at a time.
    """
    begin = time.perf_counter()
    # "noop" computes every list and keeps none.
    model.recommendForAllUsers(LENGTH).write.format("noop").mode("overwrite").save()
    seconds = {"lists_seconds": time.perf_counter() - begin}
    begin = time.perf_counter()
    U, V = (np.stack(table.toPandas()["features"]).astype(np.float32)
            for table in (model.userFactors, model.itemFactors))  # fmt: skip
    seconds["collect_seconds"] = time.perf_counter() - begin
    begin = time.perf_counter()
    for first in range(0, len(U), 500):
        scores = U[first : first + 500] @ V.T
        best = np.argpartition(-scores, LENGTH, axis=1)[:, :LENGTH]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        np.take_along_axis(best, order, axis=1)
    return seconds | {"numpy_lists_seconds": time.perf_counter() - begin}


def predicted(session, ratings, blocks: int) -> int:
    """Bytes of factors in an iteration: each one once to each block that needs it, 4 a number."""
    pairs = 0
    for one, other in (("user", "item"), ("item", "user")):
        asked = ratings.selectExpr(one, f"{other} % {blocks} as block").distinct()
        pairs += asked.count()
    return pairs * RANK * 4
