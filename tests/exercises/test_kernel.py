"""In a real kernel: what an answer prints reaches its cell, and an interrupt ends a check."""

import os

import pytest
from jupyter_client.manager import start_new_kernel
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook

from tools.notebooks import run

BEST = '@exercise("start.best")\ndef best(scores, seen):\n    '
CELLS = {
    "import": "from recsys_lab import exercise, hint, predict, progress, solution",
    "stub": f"{BEST}...",
    "later": "print(best([1, 2], [False, True]), best.__name__)",
    "wrong": f"{BEST}print('from the thread')\n    return best.nothing",
    "endless": f"{BEST}while True: pass",
    "right": f"{BEST}print('from the right one')\n"
    "    left = [j for j in range(len(scores)) if not seen[j]]\n"
    "    return max(left, key=lambda j: scores[j], default=-1)",
    "mine": "best([1, 2], [False, True])",
    "hint": 'hint("start.agreement")',
    "solution": 'solution("start.agreement")',
    "predict": 'guess = predict("start.which", "Which?", ["one", "two"])',
    "predict last": 'predict("start.which", "Which?", ["one", "two"])',
    "reveal": 'guess.reveal("two", "It is more.")',
    "progress": "progress()",
}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """The outputs of each cell, run in order in one kernel."""
    path = tmp_path_factory.mktemp("lesson") / "lesson.ipynb"
    write(new_notebook(cells=[new_code_cell(source) for source in CELLS.values()]), path)
    return dict(zip(CELLS, (cell.outputs for cell in run(path).nb.cells), strict=True))


def printed(outputs):
    return "".join(o.text for o in outputs if o.output_type == "stream")


def message(outputs):
    """The text of the one message of a cell, after seeing that the HTML says the same."""
    # Beside it stands the live card, whose plain text is empty.
    (data,) = (o.data for o in outputs if o.output_type == "display_data" and o.data["text/plain"])
    assert data["text/plain"].splitlines()[0] in data["text/html"]
    assert "role='status'" in data["text/html"]
    return data["text/plain"]


def test_an_unfinished_exercise_does_not_break_the_cells_below(outputs):
    assert message(outputs["stub"]).startswith("Not started: start.best")
    assert printed(outputs["later"]) == "0 best\n"


def test_what_an_answer_prints_is_seen_in_its_own_cell(outputs):
    assert printed(outputs["wrong"]) == "from the thread\n"
    assert printed(outputs["right"]).startswith("from the right one\n")
    assert printed(outputs["stub"]) == printed(outputs["endless"]) == ""


def test_the_line_of_the_cell_that_raised_is_shown(outputs):
    assert "raised AttributeError in line 4, `return best.nothing`: 'function' object" in message(
        outputs["wrong"]
    )


def test_an_endless_answer_is_stopped_in_the_kernel(outputs):
    assert "It was stopped." in message(outputs["endless"])


def test_a_right_answer_is_the_learners_own_from_there_on(outputs):
    assert message(outputs["right"]).startswith("Right: start.best")
    assert printed(outputs["mine"]) == "from the right one\n"


def test_nothing_goes_to_stderr(outputs):
    for cell in outputs.values():
        assert not [o for o in cell if o.get("name") == "stderr"]


def test_a_hint_is_a_message(outputs):
    assert "Hint 1 of 3" in message(outputs["hint"])


def test_the_solution_is_highlighted_by_jupyterlab(outputs):
    (shown,) = outputs["solution"]
    source = shown.data["text/plain"]
    assert source.startswith('@exercise("start.agreement")\ndef agreement(user, item):')
    assert shown.data["text/markdown"] == f"```python\n{source}\n```"


@pytest.mark.parametrize("cell", ["predict", "predict last"])
def test_a_question_shows_a_reading_copy_and_widgets_and_no_repr(outputs, cell):
    copy, live = outputs[cell]
    assert "Which?" in copy.data["text/plain"]
    assert 'class="rl-static"' in copy.data["text/html"]
    assert live.data["text/plain"] == ""


def test_without_a_guess_the_answer_is_there_but_folded(outputs):
    assert message(outputs["reveal"]).startswith("No guess yet")
    open_part, folded = outputs["reveal"][0].data["text/html"].split("<details>")
    assert "two" not in open_part
    assert "The answer is: two." in folded


def test_progress_counts_this_run(outputs):
    (row,) = [line for line in message_text(outputs["progress"]).splitlines() if "start" in line]
    assert row.split() == ["00", "start", "1", "of", "2", "1", "1", "1", "0", "0"]


def message_text(outputs):
    (shown,) = outputs
    assert "<table>" in shown.data["text/html"]
    return shown.data["text/plain"]


@pytest.fixture
def kernel():
    manager, client = start_new_kernel(env=dict(os.environ))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_an_interrupt_ends_the_check_and_the_next_cell_runs(kernel):
    manager, client = kernel
    shown = []

    def keep(message):
        content = message["content"]
        shown.append(content.get("text", "") + content.get("data", {}).get("text/plain", ""))

    def execute(code):
        reply = client.execute_interactive(code, output_hook=keep, timeout=60)
        return reply["content"]["status"]

    assert execute(CELLS["import"]) == "ok"

    def interrupt_once_it_runs(message):
        if message["content"].get("text", "").startswith("running"):
            manager.interrupt_kernel()
        keep(message)

    reply = client.execute_interactive(
        f"{BEST}print('running', flush=True)\n    while True: pass",
        output_hook=interrupt_once_it_runs,
        timeout=60,
    )
    assert reply["content"]["status"] == "ok"
    assert "You interrupted the check. It was stopped." in "".join(shown)
    assert execute(CELLS["later"]) == "ok"
    assert "0 best\n" in shown
