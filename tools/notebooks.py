"""Run the course's notebooks, and store their fresh outputs.

    python -m tools.notebooks refresh                              every notebook
    python -m tools.notebooks refresh notebooks/01_concepts.ipynb  the named ones

A notebook is stored as if a reader had opened it and run it once from top to bottom: in a fresh
kernel, in its own folder, with no earlier progress.
"""

import argparse
import ast
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import nbformat
import psutil
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
# A notebook is read on GitHub and downloaded in class: the house style's limit, in bytes.
SIZE_LIMIT = 300_000
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

Evaluate = Callable[[str], str]


@dataclass(frozen=True)
class Run:
    """One run of a notebook from top to bottom.

    Attributes
    ----------
    nb
        The notebook with its fresh outputs.
    seconds
        From before the kernel's start to the end of the last cell.
    peak_mib
        The kernel process's largest resident memory, as the operating system kept it: `VmHWM` on
        Linux and the peak working set on Windows. macOS keeps none for another process: there it is
        the resident memory after the last cell, a lower bound.
    """

    nb: nbformat.NotebookNode
    seconds: float
    peak_mib: float


class _ThisPython(KernelSpecManager):
    """Finds one kernel: the running Python, whatever kernels the machine's owner has installed."""

    def get_kernel_spec(self, kernel_name):
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


@contextmanager
def fresh_environment() -> Iterator[dict[str, str]]:
    """Variables for a kernel that knows this checkout and nothing of the user's own set-up."""
    defaults = Path(find_spec("matplotlib").origin).parent / "mpl-data" / "matplotlibrc"
    # A kernel that is being shut down may still write here on Windows: what cannot be removed,
    # stays.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        yield {
            "PYTHONPATH": os.pathsep.join(paths),
            "RECSYS_LAB_PROGRESS": str(Path(folder) / "progress.json"),
            "IPYTHONDIR": folder,
            "MATPLOTLIBRC": str(defaults),
            # The number of threads decides the last digit of a product, and so the order of scores
            # that are equal but for rounding.
            "OPENBLAS_NUM_THREADS": "1",
            # Else each kernel compiles its packages anew: see the launcher.
            "PYTHONDONTWRITEBYTECODE": "",
        }


def run(path: str | Path, *, after_cell: Callable[[int, Evaluate], None] | None = None) -> Run:
    """Run a copy of a notebook in a fresh kernel; the file is left as it is.

    Parameters
    ----------
    path
        The notebook. The kernel works in its folder.
    after_cell
        Called after each cell, Markdown cells included, with the cell's position and a function
        that evaluates a Python expression in the kernel and returns its `str`, or raises a
        ValueError.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    nbclient.exceptions.CellExecutionError
        If a cell raises.
    """
    path = Path(path).resolve()
    if not path.is_file():
        raise FileNotFoundError(f"path={str(path)!r} is no file: name a notebook that exists.")
    nb = nbformat.read(path, as_version=4)
    manager = AsyncKernelManager(kernel_spec_manager=_ThisPython())
    client = NotebookClient(
        nb, km=manager, force_raise_errors=True, coalesce_streams=True, record_timing=False
    )

    def evaluate(expression: str) -> str:
        message = client.kc.execute(**asking(expression))
        return answered(client.wait_for_reply(message))

    start = time.perf_counter()
    with fresh_environment() as extra:
        options = {
            "cwd": str(path.parent),
            "env": {**os.environ, **extra},
            # What cells write to stderr comes as messages; this is the kernel talking about itself.
            "stderr": subprocess.DEVNULL,
            "cleanup_kc": True,
        }
        with client.setup_kernel(**options):
            count = 0
            for index, cell in enumerate(nb.cells):
                if cell.cell_type == "code" and cell.source.strip():
                    count += 1
                    client.execute_cell(cell, index, execution_count=count)
                if after_cell:
                    after_cell(index, evaluate)
            seconds = time.perf_counter() - start
            peak = _peak_mib(manager.provisioner.pid)
    return Run(_tidy(nb), seconds, peak)


def asking(expression: str) -> dict:
    """The arguments of a kernel client's `execute` that ask for the `str` of an expression."""
    # A user expression runs in the learner's namespace and leaves no trace: no output, no count.
    return {
        "code": "",
        "silent": True,
        "store_history": False,
        "user_expressions": {"value": f"str({expression})"},
    }


def answered(reply: dict) -> str:
    """What a kernel's reply to `asking` says; a ValueError with its words if it raised."""
    value = reply["content"]["user_expressions"]["value"]
    if value["status"] != "ok":
        raise ValueError(f"{value['ename']}: {value['evalue']}")
    return ast.literal_eval(value["data"]["text/plain"])


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    if status.is_file():
        # Not getrusage: Linux hands the parent's peak down to the process that it starts.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    memory = psutil.Process(pid).memory_info()
    return getattr(memory, "peak_wset", memory.rss) / 2**20


def _tidy(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop what differs from machine to machine, or means nothing without the kernel."""
    nb.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            # All of what a kernel says of itself: JupyterLab would fill in what is missing, and
            # take a lesson that was only opened for changed.
            "language_info": nb.metadata.get("language_info", {"name": "python"}),
        }
    )
    nb.nbformat_minor = max(nb.nbformat_minor, 5)
    for position, cell in enumerate(nb.cells):
        # An id that is there stays, so that a changed cell shows as one in a diff.
        cell.setdefault("id", f"cell-{position:03d}")
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in ("jupyter", "tags") if key in cell.metadata}
        )
        for output in cell.get("outputs", []):
            # The model behind a stored view is gone with its kernel, and JupyterLab would say so in
            # the page; the text beside it, empty for the course's widgets, shows nothing.
            if "text/plain" in output.get("data", {}):
                output.data.pop(WIDGET_VIEW, None)
    return nb


def all_notebooks() -> list[Path]:
    """The course's notebooks in reading order; of what else lies beside them, none."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def store(path: Path, text: str) -> None:
    """Write the whole file or none of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.tmp")
    draft.write_text(text, encoding="utf-8", newline="\n")
    os.replace(draft, path)


def stderr_of(nb: nbformat.NotebookNode) -> Iterator[tuple[int, str]]:
    """The position and text of everything that a notebook's cells wrote to stderr."""
    for index, cell in enumerate(nb.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                yield index, output.text


def refresh(path: Path, progress: Callable[[int, int], None] = lambda done, cells: None) -> str:
    """Run a notebook and store its outputs in place; return a line that says how it went.

    Raises
    ------
    RuntimeError
        If a cell raises or writes to stderr: the file is then left as it was.
    """
    cells = len(nbformat.read(path, as_version=4).cells)
    try:
        result = run(path, after_cell=lambda index, evaluate: progress(index + 1, cells))
    except CellExecutionError as error:
        raise RuntimeError(f"a cell raises {error.ename}: {error.evalue}\n{error}") from None
    for index, text in stderr_of(result.nb):
        raise RuntimeError(f"cell {index} writes to stderr: {text.strip()}")
    text = nbformat.writes(result.nb) + "\n"
    same = text == path.read_text(encoding="utf-8")
    if not same:
        store(path, text)
    size = len(text.encode())
    line = (
        f"{'unchanged' if same else 'stored'}, {result.seconds:.1f} s, "
        f"{result.peak_mib:.0f} MiB, {size / 1000:.0f} kB"
    )
    if size >= SIZE_LIMIT:
        line += (
            f" -- TOO LARGE: the limit is {SIZE_LIMIT // 1000} kB; draw smaller or fewer pictures"
        )
    return line


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    verbs = parser.add_subparsers(required=True, metavar="verb")
    verb = verbs.add_parser("refresh", help="run notebooks and store their fresh outputs in place")
    verb.add_argument("paths", nargs="*", type=Path, help="notebooks (default: all)")
    paths = parser.parse_args(arguments).paths or all_notebooks()
    failed = False
    for path in paths:

        def show(done, cells, name=path.name):
            if sys.stdout.isatty():
                print(f"\r{name}: cell {done} of {cells} ", end="", flush=True)

        try:
            line = refresh(path, show)
        except (RuntimeError, FileNotFoundError) as error:
            failed, line = True, f"NOT stored: {error}"
        print(f"\r{path.name}: {line}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
