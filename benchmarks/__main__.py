"""One command, one table: what is fast enough to think with, and what is not.

    python -m benchmarks                  every budget
    python -m benchmarks --only slider    the groups of rows with this word in their name
    python -m benchmarks --first-start    the set-up on a fresh machine too (downloads packages)
    python -m benchmarks --leaderboard    instead, the leaderboard of the course's models (minutes)
    python -m benchmarks --ncf            instead, the stored results of lesson 12 (minutes)
    python -m benchmarks --machines       instead, one machine and Spark, of lesson 18 (minutes)
    python -m benchmarks --sequences      instead, the models of sequences of lesson 11 (minutes)
    python -m benchmarks --large          instead, the scaling and the codes of lesson 16 (minutes)
    python -m benchmarks --senses         instead, what lesson 17 shows (minutes)

The table goes to stdout, the progress to stderr, and nothing is kept. A missed budget does not fail
the command, since it may be the machine's doing; a row that cannot be measured does.
"""

import argparse
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import nbformat
import psutil
from nbformat.v4 import new_code_cell, new_notebook

from recsys_lab.course.files import lessons
from tools.notebooks import ROOT, all_notebooks, run

from . import ONE_THREAD

# Packages that decide the figures, for the line above the table.
PACKAGES = ["numpy", "scipy", "pandas", "matplotlib", "ipywidgets", "anywidget", "jupyterlab"]


class Row(NamedTuple):
    """One line of the table; without a budget it is there to explain another.

    A rival, named and measured in the same run, says what is the machine's share in a figure.
    """

    what: str
    value: float
    unit: str
    budget: float | None = None
    rival: str = ""
    rival_value: float | None = None

    @property
    def ratio(self) -> str:
        if self.rival_value is None:
            return ""
        share = self.value / self.rival_value
        return f"{share:.2g} x {self.rival} ({self.rival_value:.3g} {self.unit})"

    @property
    def verdict(self) -> str:
        if self.budget is None:
            return ""
        return "OK" if self.value < self.budget else "MISS"


def seconds_in_a_fresh_python(statement: str, setup: str = "", repeats: int = 7) -> float:
    """Median time of a statement over fresh interpreters; their own start is not part of it."""
    code = (
        f"{setup}\nimport time\nstart = time.perf_counter()\n{statement}\n"
        "print(time.perf_counter() - start)"
    )
    # The first run may have to compile and to read from the disk: it does not count.
    times = [
        float(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True))
        for _ in range(repeats + 1)
    ]
    return statistics.median(times[1:])


def imports() -> Iterator[Row]:
    ours, theirs = (
        seconds_in_a_fresh_python(f"import {name}") for name in ("recsys_lab", "pandas")
    )
    yield Row("import recsys_lab", ours, "s", 0.25, "import pandas", theirs)
    everything = "import recsys_lab\nfor name in recsys_lab.__all__: getattr(recsys_lab, name)"
    yield Row("... and every public name", seconds_in_a_fresh_python(everything), "s")


def data() -> Iterator[Row]:
    seconds = seconds_in_a_fresh_python("load_movielens()", "from recsys_lab import load_movielens")
    path = ROOT / "data" / "movielens-small" / "ratings.csv"
    theirs = seconds_in_a_fresh_python(f"pandas.read_csv({str(path)!r})", "import pandas")
    yield Row("load_movielens()", seconds, "s", 0.5, "pandas.read_csv of the ratings", theirs)


def drawing() -> Iterator[Row]:
    """Two panels to a PNG, as the course draws them and as matplotlib lays them out."""
    from matplotlib.figure import Figure

    from recsys_lab import figures

    names, x = list("ABCDEFGH"), list(range(12))
    height, error = [8, 7, 6, 5, 4, 3, 2, 1], [1 / (1 + each) for each in x]

    def ours():
        figure, (left, right) = figures.panels(2)
        figures.bars(names, height, "Eight bars.", "item", "events", ax=left)
        figures.lines(x, {"train": error}, "It falls.", "epoch", "error", ax=right)
        figures.png(figure)

    def theirs():
        figure = Figure(figures.SIZE, dpi=figures.DPI, layout="constrained")
        left, right = figure.subplots(1, 2)
        left.bar(names, height)
        left.set(title="Eight bars.", xlabel="item", ylabel="events")
        right.plot(x, error, marker="o")
        right.set(title="It falls.", xlabel="epoch", ylabel="error")
        figure.savefig(BytesIO(), format="png")

    yield Row(
        "a drawing of two panels, processor time",
        milliseconds(ours),
        "ms",
        None,
        "matplotlib with its constrained layout",
        milliseconds(theirs),
    )


def milliseconds(work: Callable[[], None]) -> float:
    """Median processor time of thirty runs, after three that do not count."""
    times = []
    for _ in range(33):
        start = time.process_time()
        work()
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times[3:])


# Of a frame that is in the page's store; `interact` draws each anew, so it is the rival.
BUDGETS = {
    "slider step, explore, median": 15,
    "slider step, explore, p95": 30,
    "slider step, explore, while a cell runs, median": 15,
    "slider step, explore, while a cell runs, p95": 30,
}


def slider() -> Iterator[Row]:
    from benchmarks.slider import measure

    result = measure()
    step, jump = "slider step, {}{}, {}", "jump to a value not yet drawn, {}, median"
    for when in ("", ", while a cell runs"):
        for which in ("median", "p95"):
            name = step.format("explore", when, which)
            theirs = result[step.format("interact", when, which)]
            yield Row(name, result[name], "ms", BUDGETS[name], "interact", theirs)
        name = step.format("explore", when, "median")
        share = result[name] / result[step.format("interact", when, "median")]
        yield Row(f"its share of interact's median{when}", share, "", 0.1)
    ours, theirs = (result[jump.format(who)] for who in ("explore", "interact"))
    yield Row("jump to a value not yet drawn", ours, "ms", theirs, "interact", theirs)
    drawing, alone = (result[f"a drawing, {how}, median"] for how in ("in a jump", "alone"))
    yield Row("a drawing, in a jump", drawing, "ms", None, "a drawing, alone", alone)
    yield Row("the jump, less the drawing in it", ours - drawing, "ms", 60)


def als(size: str) -> Iterator[Row]:
    from benchmarks.als import measure

    yield from (Row(*row) for row in measure(size))


@cache
def imports_alone(uses_keras: bool):
    """A run of a notebook that imports what a lesson stands on, and does nothing with it."""
    names = ["numpy", "scipy.sparse", "pandas", "matplotlib.pyplot", *["keras"] * uses_keras]
    code = "\n".join(["from recsys_lab import explore", *(f"import {name}" for name in names)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "imports.ipynb"
        nbformat.write(new_notebook(cells=[new_code_cell(code)]), path)
        return run(path)


def notebook(path: Path) -> Iterator[Row]:
    result = run(path)
    (lesson,) = [each for each in lessons() if each.path == path]
    # Seconds and MiB: TensorFlow alone takes 5 s and 700 MiB.
    seconds, mib = (30, 1229) if lesson.uses_keras else (15, 340)
    seconds = 30 if lesson.number == "10" else seconds  # it encodes text
    seconds = 90 if lesson.uses_spark else seconds
    alone, rival = imports_alone(lesson.uses_keras), "its imports alone"
    yield Row(f"{path.stem}, run whole", result.seconds, "s", seconds, rival, alone.seconds)
    what = f"{path.stem}, kernel's peak memory"
    yield Row(what, result.peak_mib, "MiB", mib, rival, alone.peak_mib)


def nbval() -> Iterator[Row]:
    start = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "notebooks"]
    if subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL).returncode:
        raise RuntimeError("a notebook does not give its stored outputs: see pytest notebooks")
    yield Row("all notebooks through nbval", time.perf_counter() - start, "s", 300)


def first_start() -> Iterator[Row]:
    """From the command, in a copy without `.venv` and with empty caches, to an answering server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Not this interpreter if it is the one of a virtual environment: a fresh machine has none.
    python = getattr(sys, "_base_executable", sys.executable)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "recsys-lab"
        shutil.copytree(
            ROOT, copy, ignore=shutil.ignore_patterns(".*cache", ".venv", "__pycache__")
        )
        caches = {"UV_CACHE_DIR": f"{folder}/uv", "PIP_CACHE_DIR": f"{folder}/pip"}
        start = time.perf_counter()
        process = subprocess.Popen(
            [python, "-m", "recsys_lab", "lab", "--no-browser", "--port", str(port)],
            cwd=copy,
            env={**os.environ, **caches},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not answers(port):
                if process.poll() is not None:
                    raise RuntimeError(f"the launcher ended with code {process.returncode}")
                time.sleep(0.1)
            seconds = time.perf_counter() - start
        finally:
            stop(process.pid)
        pip = seconds_of_pip(python, Path(folder) / "by-pip")
    yield Row("first start on a fresh machine", seconds, "s", 60, "venv and pip alone", pip)


def seconds_of_pip(python: str, folder: Path) -> float:
    """The same packages by Python's own means, with an empty cache, and no server."""
    start = time.perf_counter()
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    program = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    pip = [str(folder / program), "-m", "pip"]
    lock = str(ROOT / "requirements.lock")
    subprocess.run([*pip, "install", "-q", "--no-cache-dir", "-r", lock], check=True)
    return time.perf_counter() - start


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).close()
    except urllib.error.HTTPError:
        return True  # a refusal is an answer too
    except OSError:
        return False
    return True


def stop(pid: int) -> None:
    """End a process that was started here and those that it started."""
    if not psutil.pid_exists(pid):
        return
    parent = psutil.Process(pid)
    family = [*parent.children(recursive=True), parent]
    for process in family:
        process.terminate()
    for process in psutil.wait_procs(family, timeout=10)[1]:
        process.kill()


def machine() -> str:
    """The machine, how busy it was before the first row, and the versions."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].partition(": ")[2] if names else cpu
    memory = psutil.virtual_memory().total / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, load {psutil.getloadavg()[0]:.1f}\n"
        f"Python {platform.python_version()}, {packages}"
    )


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table, in columns that line up on a terminal too."""
    texts = [("what", "measured", "budget", "", "as a multiple of")]
    for row in rows:
        budget = "" if row.budget is None else f"under {row.budget:.3g} {row.unit}"
        texts.append((row.what, f"{row.value:.3g} {row.unit}", budget, row.verdict, row.ratio))
    widths = [max(len(text[column]) for text in texts) for column in range(5)]
    texts.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "| {:<{}} | {:>{}} | {:>{}} | {:<{}} | {:<{}} |".format(
            *(part for pair in zip(text, widths, strict=True) for part in pair)
        )
        for text in texts
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", metavar="WORD", default="", help="measure some groups alone")
    parser.add_argument("--first-start", action="store_true", help="set up a fresh copy as well")
    parser.add_argument("--leaderboard", action="store_true", help="rank the course's models")
    parser.add_argument("--ncf", action="store_true", help="compute what lesson 12 shows")
    parser.add_argument("--sequences", action="store_true", help="what lesson 11 reads")
    parser.add_argument("--large", action="store_true", help="what lesson 16 reads")
    parser.add_argument("--senses", action="store_true", help="what lesson 17 reads")
    parser.add_argument("--machines", action="store_true", help="what lesson 18 reads")
    options = parser.parse_args(arguments)
    if options.machines:
        os.environ.update(ONE_THREAD)
        from benchmarks.machines import run_machines

        print(f"{machine()}\n\n{run_machines()}")
        return 0
    if options.ncf:
        os.environ.update(ONE_THREAD)  # before numpy is loaded
        from benchmarks.ncf import run_ncf

        print(f"{machine()}\n\n{run_ncf()}")
        return 0
    if options.leaderboard:
        from benchmarks.leaderboard import run_leaderboard

        print(f"{machine()}\n\n{run_leaderboard()}")
        return 0
    if options.sequences:
        from benchmarks.sequences import run_sequences

        print(f"{machine()}\n\n{run_sequences()}")
        return 0
    if options.large:
        os.environ.update(ONE_THREAD)  # before numpy is loaded
        from benchmarks.large import run_large

        print(f"{machine()}\n\n{run_large()}")
        return 0
    if options.senses:
        os.environ.update(ONE_THREAD)
        from benchmarks.senses import run_senses

        print(f"{machine()}\n\n{run_senses()}")
        return 0
    groups = {"imports": imports, "data": data, "drawing": drawing, "slider": slider}
    groups |= {f"als {size}": partial(als, size) for size in ("100k", "1M", "10M")}
    groups |= {f"notebook {path.stem}": partial(notebook, path) for path in all_notebooks()}
    groups |= {"nbval": nbval}
    if options.first_start:
        groups |= {"first start": first_start}
    chosen = [name for name in groups if options.only in name]
    if not chosen:
        parser.error(f"--only={options.only!r} is in the name of no group: {', '.join(groups)}")
    rows, failed, where = [], False, machine()
    for name in chosen:
        print(f"measuring: {name} ...", file=sys.stderr, flush=True)
        try:
            for row in groups[name]():
                print(f"  {row.what}: {row.value:.3g} {row.unit}", file=sys.stderr, flush=True)
                rows.append(row)
        except Exception as error:
            failed = True
            reason = str(error).strip().splitlines() or [type(error).__name__]
            print(f"  NOT MEASURED: {reason[-1]}", file=sys.stderr, flush=True)
    print(f"{where}\n\n{table(rows)}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
