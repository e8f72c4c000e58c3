"""What a page without a kernel is given: every state of a widget's controls with its picture."""

from base64 import b64decode
from io import BytesIO
from itertools import product

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from recsys_lab import cell_grid, explore, figures, picture_wall, played, predict, quiz
from recsys_lab.page import display, recording, widgets
from recsys_lab.page.widgets import Explorer, FrameCache


@pytest.fixture(autouse=True)
def fresh_kernel(monkeypatch):
    monkeypatch.setattr(Explorer, "_frames", FrameCache(2**25))
    monkeypatch.setattr(Explorer, "_screen", (False, 1.0))


@pytest.fixture
def left(monkeypatch):
    """What widgets leave in the outputs of a notebook that is recorded."""
    found = []
    monkeypatch.setattr(display, "display", lambda *shown, **how: None)
    monkeypatch.setattr(recording, "display", lambda bundle, raw: found.append(bundle))
    monkeypatch.setattr(display, "recorder", None)
    recording.start()
    return found


def small(*heights):
    figure, (ax,) = figures.panels(size=(2, 1))
    ax.bar(range(len(heights)), heights)
    ax.set_title(f"Heights {heights}.")
    return figure


def test_each_state_has_the_picture_and_the_texts_that_the_kernel_shows():
    def view(rank, method, counted):
        return small(rank, len(method), counted), f"{rank}, {method}, {counted}"

    controls = {"rank": (2, 4), "method": ["a", "bb"], "counted": False}
    explorer = Explorer(view, controls, question="Why?")
    form = recording.form(explorer, 100)
    assert form["question"] == "Why?" and form["note"] == ""
    frames = {tuple(state): rest for state, *rest in form["frames"]}
    assert len(frames) == len(form["frames"]) == 3 * 2 * 2
    labels = [each["labels"] for each in form["controls"]]
    for at, told in zip(product(*map(range, (3, 2, 2))), product(*labels), strict=True):
        explorer.controls["rank"].value = int(told[0])
        explorer.controls["method"].value = told[1]
        explorer.controls["counted"].value = told[2] == "True"
        place, alt, sentence, failure = frames[at]
        frame = explorer.frame()
        assert (alt, sentence, failure) == (frame.alt, frame.sentence, "")
        one, other = (
            np.asarray(Image.open(BytesIO(png)).convert("RGB"), dtype=int)
            for png in (b64decode(form["pictures"][place]), frame.png)
        )
        assert np.abs(one - other).max() <= 8  # of 255: 256 colours
        assert sentence == ", ".join(told)


def test_a_control_of_the_page_starts_where_the_widget_does_and_reads_like_it():
    def view(k=3, share=0.5, where=0, how="b", on=True, name="x"):
        return small(k)

    explorer = Explorer(
        view,
        {
            "k": (2, 3),
            "share": (0.0, 1.0, 0.5),
            "where": played(0, 1, interval=70),
            "how": ["a", "b"],
            "on": True,
            "name": "x",
        },
    )
    forms = recording.form(explorer, 300)["controls"]
    assert [(each["kind"], each["at"]) for each in forms] == [
        ("slider", 1),
        ("slider", 1),
        ("slider", 0),
        ("choice", 1),
        ("box", 1),
        ("choice", 0),
    ]
    assert forms[1]["labels"] == ["0.00", "0.50", "1.00"]
    assert [each["interval"] for each in forms] == [0, 0, 70, 0, 0, 0]
    assert forms[5]["labels"] == ["x"]  # what is typed cannot be drawn ahead


def test_too_many_states_get_a_coarser_slider_that_keeps_its_ends_and_its_start_and_is_told_of():
    def view(a=7, b="x"):
        return small(a)

    form = recording.form(Explorer(view, {"a": (0, 100), "b": ["x", "y"]}), 20)
    a, b = form["controls"]
    values = [int(label) for label in a["labels"]]
    assert len(values) * 2 <= 20 and values[0] == 0 and values[-1] == 100
    assert values[a["at"]] == 7 and b["labels"] == ["x", "y"]
    assert len(set(np.diff(values[1:-1]))) == 1
    assert len(form["frames"]) == 2 * len(values)
    assert f"“a” has {len(values)} of its 101 values" in form["note"]


@pytest.mark.parametrize(("most", "clicks", "states"), [(16, 4, 16), (15, 3, 15), (5, 1, 5)])
def test_of_a_grid_as_many_clicks_are_followed_as_there_is_room_for(most, clicks, states):
    grid = cell_grid([1, 2], ["A", "B"], [[1, 0], [0, 1]])
    form = recording.form(Explorer(lambda R: small(*map(sum, R)), {"R": grid}), most)
    assert len(form["frames"]) == states
    matrices = [np.array(state[0]) for state, *_ in form["frames"]]
    assert {int(np.abs(each - [[1, 0], [0, 1]]).sum()) for each in matrices} == set(
        range(clicks + 1)
    )
    assert (f"up to {clicks} click" in form["note"]) == (clicks < 4)


def test_of_a_wall_each_row_is_followed_to_its_end():
    white = np.full((8, 2, 2, 3), 255, dtype=np.uint8)
    explorer = Explorer(
        lambda taste: small(*map(sum, taste)),
        {"taste": picture_wall(white, [*"abcdefgh"], columns=4)},
    )
    # 1, and of each of two rows: 4 alone, 6 pairs, 3 and 4 from the left.
    form = recording.form(explorer, 25)
    states = {tuple(map(tuple, state[0])) for state, *_ in form["frames"]}
    assert len(states) == len(form["frames"]) == 1 + 2 * (4 + 6 + 2)
    assert {((1, 1, 1, 1), (0,) * 4), ((0,) * 4, (1, 1, 1, 0)), ((0, 1, 0, 1), (0,) * 4)} <= states
    assert "a row from its left end on" in form["note"] and "click" not in form["note"]
    form = recording.form(explorer, 24)
    assert len(form["frames"]) == 9 and "up to 1 click from" in form["note"]


def test_what_cannot_be_typed_on_a_page_is_told():
    form = recording.form(Explorer(lambda words: small(len(words)), {"words": "one"}), 9)
    assert "“words” cannot be typed into" in form["note"]


def test_a_state_that_fails_is_told_in_its_own_words():
    def view(rank=1):
        if rank == 2:
            raise ValueError("two is too many")
        return small(rank)

    explorer = Explorer(view, {"rank": (1, 3)})
    ((_, place, _, _, failure),) = [f for f in recording.form(explorer, 9)["frames"] if f[4]]
    assert place is None
    assert "At rank = 2 the view 'view' stopped with ValueError: two is too many" in failure


def test_a_picture_that_comes_again_is_kept_once():
    form = recording.form(Explorer(lambda k: small(k % 2), {"k": (1, 6)}), 9)
    assert len(form["frames"]) == 6 and len(form["pictures"]) == 2


def test_a_fixed_argument_is_no_part_of_a_state():
    controls = {"k": (1, 2), "R": ipywidgets.fixed(np.eye(2))}
    form = recording.form(Explorer(lambda k, R: small(k, R.sum()), controls), 9)
    assert [state for state, *_ in form["frames"]] == [[0], [1]]


def test_a_logarithmic_slider_has_its_values():
    slider = ipywidgets.FloatLogSlider(value=1, min=-1, max=1, step=1)
    form = recording.form(Explorer(lambda lam: small(lam), {"lam": slider}), 9)
    assert form["controls"][0]["labels"] == ["0.1", "1", "10"]


def test_a_recorded_notebook_is_told_of_widgets_guesses_answers_and_questions(left):
    explore(lambda k: small(k), "Why?", k=(1, 2))
    guess = predict("start.which", "Which `one`?", ["one", "two"])
    guess.reveal("two", "It is `more`.")
    quiz("start.recap")
    kinds = [bundle[recording.MIME]["kind"] for bundle in left]
    assert kinds == ["explore", "guess", "reveal", "quiz"]
    assert left[2][recording.MIME]["because"] == "It is <code>more</code>."


def test_a_lesson_that_is_not_recorded_leaves_nothing(left, monkeypatch):
    monkeypatch.setattr(display, "recorder", None)
    explore(lambda k: small(k), k=(1, 2))
    assert left == []


def test_the_steps_of_a_choice_are_its_places():
    assert widgets.choices(ipywidgets.Dropdown(options={"a": 1, "b": 2})) == [("a", 1), ("b", 2)]
