"""The code, notebooks included, passes the linter and is formatted."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def ruff(*arguments):
    command = [sys.executable, "-m", "ruff", *arguments, "."]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")


@pytest.mark.parametrize("arguments", [["check"], ["format", "--diff"]], ids=" ".join)
def test_ruff_finds_nothing(arguments):
    done = ruff(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_looks_at_notebooks_too():
    looked_at = ruff("check", "--show-files").stdout.splitlines()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert str(notebook) in looked_at
    assert str(Path(__file__)) in looked_at
