"""Each test of the exercises has a progress file, a registry and a kernel's memory of its own."""

import pytest

from recsys_lab.exercises import all_exercises, cells, engine
from recsys_lab.models import keras_models


@pytest.fixture(scope="session")
def tensorflow():
    """Load TensorFlow, as lesson 07 does first; say whether it is there.

    A check of an exercise has a time limit. An import that runs into it stays half done, and then
    every later one fails.
    """
    try:
        return bool(keras_models.keras)
    except ImportError:
        return False


@pytest.fixture(autouse=True)
def fresh(request, monkeypatch, tmp_path, tensorflow):
    """Leave the user's progress and the course's exercises alone."""
    all_exercises()
    if "keras." in request.node.name and not tensorflow:
        pytest.skip("TensorFlow has no build for this Python")
    monkeypatch.setenv("RECSYS_LAB_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(engine, "_EXERCISES", dict(engine._EXERCISES))
    monkeypatch.setattr(cells, "_hints_shown", {})
    monkeypatch.setattr(cells, "_guesses", {})
