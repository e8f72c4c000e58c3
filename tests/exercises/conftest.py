"""Each test of the exercises has a progress file, a registry and a kernel's memory of its own."""

import pytest

from recsys_lab.exercises import all_exercises, cells, engine


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    """Leave the user's progress and the course's exercises alone."""
    all_exercises()
    monkeypatch.setenv("RECSYS_LAB_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(engine, "_EXERCISES", dict(engine._EXERCISES))
    monkeypatch.setattr(cells, "_hints_shown", {})
    monkeypatch.setattr(cells, "_guesses", {})
