"""Each notebook in a real JupyterLab and a real browser: run, moved, switched, answered."""

import inspect
import re
import time

import pytest

from recsys_lab.exercises import get
from tests.browser.lab import (
    RUN_LIMIT,
    after,
    errors,
    moves,
    set_theme,
    shown,
)
from tests.spark import runnable
from tools.notebooks import all_notebooks

NOTEBOOKS = runnable([path.name for path in all_notebooks()])


def answer(page, exercise_id, source):
    """Type an answer into the cell of an exercise, run it, and return what the cell says."""
    cell = page.locator(".jp-CodeCell").filter(has_text=f'@exercise("{exercise_id}")').first
    cell.scroll_into_view_if_needed()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(source)
    # The old answer goes when the new one is run.
    cell.locator(".rl-card").evaluate("card => card.dataset.old = true")
    page.keyboard.press("Control+Enter")
    said = cell.locator(".rl-card:not([data-old]) [role=status]")
    said.wait_for()
    return " ".join(said.inner_text().split())


def wrong_answer(exercises):
    """Return an exercise, a wrong answer as a learner would type it, and what is said to it."""
    exercise, wrong = next(
        (exercise, wrong)
        for exercise in exercises
        for wrong in exercise.wrongs
        # What a cell knows without the exercise's module.
        if set(inspect.getclosurevars(wrong.function).globals) <= {"np"}
    )
    source = inspect.getsource(wrong.function)
    source = source[source.index("def ") :].replace(wrong.function.__name__, exercise.name, 1)
    return exercise, f'@exercise("{exercise.id}")\n{source}', wrong.expects


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_and_answers(lab, page, name):
    lab.run(page, name)
    cells = lab.cells(page, name)
    assert errors(cells) == []

    explorers = page.locator(".rl-explore")
    stored = sum('class="rl-static"' in str(cell) and "explore(" in str(cell) for cell in cells)
    assert explorers.count() == stored > 0
    for explorer in explorers.all():
        explorer.scroll_into_view_if_needed()
        explorer.locator(".rl-picture[data-frame]").wait_for()
        kinds = list(moves(explorer))
        assert kinds, f"nothing to move: {shown(explorer)['alt']}"
        for kind, ways in kinds:
            start = shown(explorer)
            seen = [after(page, explorer, way) for way in ways]
            assert [state["failure"] for state in seen] == [""] * len(seen)
            # Two values may have one picture (the ends of a tie), never all of them. The alt text
            # alone does not count: it changes even where the front end shows a stale picture.
            pictures = {state["pixels"] for state in [start, *seen]}
            assert len(pictures) > 1, f"{kind} in {start['alt']}"
    before = [shown(explorer) for explorer in explorers.all()]
    set_theme(page, dark=True)
    for explorer, old in zip(explorers.all(), before, strict=True):
        # An answer to the last move may still be under way, and shows the same once more; a
        # frame of the new theme that is in the page already has no new number.
        give_up = time.monotonic() + RUN_LIMIT / 1000
        while (switched := shown(explorer))["pixels"] == old["pixels"]:
            assert time.monotonic() < give_up, f"not in the new theme: {old['alt']}"
            page.wait_for_timeout(50)
        assert switched["alt"] == old["alt"]

    exercises = re.findall(r'@exercise\("([\w.]+)"\)', str([cell["source"] for cell in cells]))
    exercise, source, message = wrong_answer(map(get, exercises))
    said = answer(page, exercise.id, source)
    assert said.startswith(f"Not yet: {exercise.id}")
    assert " ".join(message.replace("`", "").split()) in said
    assert answer(page, exercise.id, exercise.solution).startswith(f"Right: {exercise.id}")
    assert errors(lab.cells(page, name)) == []
