"""Each test of the exercises has a progress file, a registry and a kernel's memory of its own."""

import pytest

from recsys_lab import keras_models
from recsys_lab.exercises import all_exercises, cells, engine


@pytest.fixture(autouse=True)
def fresh(request, monkeypatch, tmp_path):
    """Leave the user's progress and the course's exercises alone."""
    all_exercises()
    if "keras." in request.node.name:
        # Lesson 06 loads TensorFlow first; here its seconds would count as the learner's.
        try:
            assert keras_models.keras
        except ImportError as error:
            pytest.skip(str(error))
    monkeypatch.setenv("RECSYS_LAB_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(engine, "_EXERCISES", dict(engine._EXERCISES))
    monkeypatch.setattr(cells, "_hints_shown", {})
    monkeypatch.setattr(cells, "_guesses", {})
