"""In a real kernel: a cell that was run too early is told so, and every real error stays whole."""

import json
import os
import re

import pytest
from jupyter_client.manager import start_new_kernel
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook

from recsys_lab.course.launcher import KERNEL_SETTINGS
from recsys_lab.page import order

LESSON = {
    "import": "%matplotlib inline\nimport numpy as np\nfrom recsys_lab import exercise",
    "data": "R = np.eye(3)\nfor row in R: total = row.sum()\nif True:\n    k = 2",
    "helper": "def score(u):\n    return R @ u",
    "use": "print(R.shape, k)",
    "calls": "score(0)",
    "itself": "early\nearly = 1",
    "later": "late",
    "last": "late = 1",
}
RUN_ABOVE = "Run the cells above first (Run > Run All Above Selected Cell), then this one again."


@pytest.fixture(scope="module")
def execute(tmp_path_factory):
    """Run a cell in a kernel of the lesson, as `.venv` sets it up: the lines of its error."""
    folder = tmp_path_factory.mktemp("lesson")
    write(new_notebook(cells=[new_code_cell(s) for s in LESSON.values()]), folder / "01_a.ipynb")
    profile = folder / "ipython/profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_kernel_config.py").write_text(KERNEL_SETTINGS)
    mine = {"JPY_SESSION_NAME": "notebooks/01_a.ipynb", "IPYTHONDIR": str(folder / "ipython")}
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    manager, client = start_new_kernel(
        env={**os.environ, **mine, "PYTHONPATH": root}, cwd=str(folder)
    )

    def run(source, during=None):
        lines = []

        def keep(message):
            content = message["content"]
            if message["msg_type"] == "error":
                text = "\n".join(content["traceback"])
                lines.append(re.sub(r"\x1b\[[0-9;]*m", "", text))
            if during and content.get("text", "").startswith("now"):
                manager.interrupt_kernel()

        reply = client.execute_interactive(source, output_hook=keep, timeout=60)
        assert (reply["content"]["status"] == "error") == bool(lines)
        return "\n".join(lines)

    run.interrupted = lambda source: run(source, during=True)
    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_after_a_restart_a_cell_says_that_those_above_come_first(execute):
    for cell, name in {"data": "np", "use": "R"}.items():
        told = execute(LESSON[cell])
        assert told.splitlines()[0] == f"NameError: name '{name}' is not defined"
        assert f"The lesson makes `{name}` in a cell above that has not run" in told
        assert told.endswith(RUN_ABOVE) and "Traceback" not in told and "--->" not in told


def test_a_changed_cell_and_a_function_of_the_lesson_are_told_too(execute):
    assert RUN_ABOVE in execute("my_own = R + 1")
    execute(LESSON["helper"])
    assert "The lesson makes `R` in a cell above" in execute(LESSON["calls"])


@pytest.mark.parametrize(
    "source",
    [
        "print(Rr)",  # a slip of the pen
        LESSON["itself"],  # nothing above makes it
        LESSON["later"],
        "raise NameError('of my own')",
        "1 / 0",
        "import json\njson.loads('{')",
        "def f():\n    k += 1\nf()",  # a local name that has no value yet
        "import math\nmath.nothing",
    ],
)
def test_every_real_error_keeps_its_traceback(execute, source):
    told = execute(source)
    assert "Run the cells above" not in told and "restart" not in told
    assert "Traceback (most recent call last)" in told and "---->" in told


def test_once_they_have_run_it_works(execute):
    assert not any(execute(LESSON[cell]) for cell in ("import", "data", "use"))


def test_an_import_that_was_stopped_asks_for_a_restart(execute, tmp_path):
    (tmp_path / "slow_one.py").write_text("import time\nprint('now', flush=True)\ntime.sleep(60)")
    execute(f"import sys; sys.path.insert(0, {str(tmp_path)!r})")
    told = execute.interrupted("import slow_one")
    assert "KeyboardInterrupt" in told and "restart the kernel" in told.splitlines()[-1]
    assert "restart the kernel" in execute("import json\njson.nothing")


def test_the_names_that_a_cell_leaves_behind_are_read_from_its_text():
    source = "import a.b as c\nfrom d import e\nwith f() as g: pass\nh: int = 1\n[i for i in j]"
    assert order._made(source + "\ndef k(l): m = 1\nn += 1\n!ls\n") == set("ceghkn")
    assert order._made("this is no Python") == set()


def test_without_a_path_the_lesson_is_known_by_its_cell(monkeypatch):
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    path = next(iter(order.lessons())).path
    cells = [
        "".join(cell["source"]).strip()
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    assert order._lesson(cells[-1], {}) == cells
    assert order._lesson("a cell of no lesson", {}) == []
    assert order._lesson("", {"__vsc_ipynb_file__": str(path)}) == cells
