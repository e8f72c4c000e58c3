"""Facts about explore, driven as the front end drives it: by the values of its widgets."""

import asyncio
import base64
import functools
import gc
import threading
import time
from io import BytesIO
from itertools import product

import ipywidgets
import numpy as np
import pytest
import traitlets
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from PIL import Image

from recsys_lab import figures
from recsys_lab.page import widgets
from recsys_lab.page.ahead import Ahead
from recsys_lab.page.widgets import Explorer, FrameCache, cell_grid, explore, picture_wall


@pytest.fixture(autouse=True)
def fresh_kernel(monkeypatch):
    """Each test starts with no frames, and before a front end has told its theme."""
    monkeypatch.setattr(Explorer, "_screen", (False, 1.0))
    monkeypatch.setattr(Explorer, "_frames", FrameCache(2**25))
    ahead = Ahead(widgets.IDLE, widgets.GAP, widgets.PATIENCE)
    monkeypatch.setattr(Explorer, "_ahead", ahead)
    yield
    ahead.make_way()


@pytest.fixture
def displayed(monkeypatch):
    """What is displayed, one bundle after the other."""
    bundles = []
    display = "recsys_lab.page.display.display"
    monkeypatch.setattr(display, lambda bundle, raw: bundles.append(bundle))
    return bundles


class View:
    """A view that remembers its calls, and fails at rank 13 or returns nothing at rank 14."""

    def __init__(self):
        self.calls = []

    def __call__(self, rank, method="SVD"):
        self.calls.append((rank, method))
        if rank == 13:
            raise ValueError("rank 13 is more than the matrix has")
        if rank == 14:
            return None
        figure = Figure(figsize=(2, 1))
        ax = figure.add_axes((0.1, 0.1, 0.8, 0.8), ylim=(0, 40), title=f"{method}, {rank}")
        ax.plot([0, 1], [rank, len(str(method))])
        return figure, f"Rank {rank}, {method}."


def explorer(**controls):
    view = View()
    made = Explorer(view, controls or {"rank": (1, 15)})
    view.calls.clear()
    return made, view


def pixels(picture):
    return np.asarray(Image.open(BytesIO(picture)).convert("RGB"))


# What is shown


def test_each_combination_of_values_shows_what_the_view_draws_for_it():
    shown, _ = explorer(rank=(1, 3), method={"SVD": "SVD", "least squares": "ALS, weighted"})
    seen = set()
    for rank, method in product([1, 2, 3], ["SVD", "ALS, weighted"]):
        shown.controls["rank"].value = rank
        shown.controls["method"].value = method
        figure, sentence = View()(rank, method)
        frame = shown.frame()
        assert frame.sentence == sentence
        assert frame.alt == figures.alt_text(figure)
        with figures.theme(dark=False):
            assert frame.png == figures.png(View()(rank, method)[0])
        seen.add(frame.png)
    assert len(seen) == 6


def test_the_picture_has_a_size_before_its_first_byte_and_keeps_it():
    shown, _ = explorer()
    assert (shown.picture.width, shown.picture.height) == (200, 100)
    shown.controls["rank"].value = 5
    assert (shown.picture.width, shown.picture.height) == (200, 100)


def test_picture_and_texts_change_in_one_message(monkeypatch):
    shown, _ = explorer()
    sent = []
    monkeypatch.setattr(shown.picture, "_send", lambda message, buffers=None: sent.append(message))
    shown.controls["rank"].value = 3
    updates = [set(each["state"]) for each in sent if each["method"] == "update"]
    assert len(updates) == 1
    assert {"alt", "sentence", "number"} <= updates[0]


def test_a_frame_says_the_state_that_it_was_drawn_for_whatever_moves_meanwhile():
    """JupyterLab's moves do not all come in one thread: a control may change during a drawing."""
    other = threading.Thread(target=lambda: setattr(shown.controls["rank"], "value", 9))

    def view(rank, method="SVD"):
        if method == "ALS" and other.ident is None:
            other.start()
            while shown.controls["rank"].value != 9:
                time.sleep(0.001)
        return View()(rank, method)

    shown, seen = Explorer(view, {"rank": (1, 12), "method": ["SVD", "ALS"]}), []
    shown.controls["rank"].value = 5
    shown.picture.observe(
        lambda change: seen.append((shown.picture.state, shown.picture.sentence)), "number"
    )
    shown.controls["method"].value = "ALS"
    other.join()
    assert seen == [([5, 1], "Rank 5, ALS."), ([9, 1], "Rank 9, ALS.")]


def test_a_move_back_costs_no_drawing():
    shown, view = explorer()
    first = shown.picture.png
    shown.controls["rank"].value = 3
    shown.controls["rank"].value = 8
    assert view.calls == [(3, "SVD")]
    assert shown.picture.png == first


def test_a_view_without_a_sentence_or_without_controls_will_do():
    shown = Explorer(lambda: View()(1)[0], {})
    assert shown.picture.sentence == ""
    assert shown.picture.png
    assert shown.words() == ""


def kernel(monkeypatch):
    """A stand-in for the kernel that runs cells."""

    class Shell:
        execution_count = 1
        callbacks = {"pre_run_cell": [], "post_run_cell": []}  # noqa: RUF012

        @classmethod
        def register(cls, name, function):
            cls.callbacks[name].append(function)

        @classmethod
        def run_cell(cls, work=lambda: None):
            for function in cls.callbacks["pre_run_cell"]:
                function(None)
            work()
            cls.execution_count += 1
            for function in cls.callbacks["post_run_cell"]:
                function(None)

    Shell.events = Shell
    monkeypatch.setattr(widgets, "get_ipython", lambda: Shell)
    return Shell


def sent(shown, monkeypatch):
    """What an explorer sends to the page from now on: (message, bytes of the picture)."""
    messages = []
    monkeypatch.setattr(
        shown.picture,
        "send",
        lambda content, buffers=None: messages.append((content, buffers and buffers[0])),
    )
    return messages


def test_a_frame_is_sent_into_the_pages_store_with_its_state(monkeypatch):
    shown, _ = explorer(rank=(1, 4), method={"SVD": "SVD", "least squares": "ALS"})
    messages = sent(shown, monkeypatch)
    in_a_kernel(lambda: shown._told({"near": True}))
    frames = {tuple(m["frame"]["state"]): (m["frame"], png) for m, png in messages}
    assert set(frames) == set(product(range(1, 5), (0, 1))) - {tuple(shown.picture.state)}
    for (rank, method), (texts, png) in frames.items():
        name = ["SVD", "ALS"][method]
        assert texts["sentence"] == f"Rank {rank}, {name}."
        with figures.theme(dark=False):
            assert png == figures.png(View()(rank, name)[0])


def test_a_move_whose_frame_the_page_has_draws_and_sends_nothing(monkeypatch):
    shown, view = explorer(rank=(1, 4))
    in_a_kernel(lambda: shown._told({"near": True}))
    number, messages = shown.picture.number, sent(shown, monkeypatch)
    view.calls.clear()
    for rank in (4, 1, 3):
        shown.controls["rank"].value = rank
    assert view.calls == messages == []
    assert shown.picture.number == number


def test_a_page_that_lacks_a_frame_is_answered(monkeypatch):
    # As after the page was loaded anew: its store is empty, and the kernel does not know.
    shown, _ = explorer(rank=(1, 4))
    in_a_kernel(lambda: shown._told({"near": True}))
    shown.controls["rank"].value = 4
    shown._told({"need": [4]})
    assert (shown.picture.state, shown.picture.sentence) == ([4], "Rank 4, SVD.")
    # The other way round: a busy kernel hears of the control's value later.
    shown._told({"need": [1]})
    shown.controls["rank"].value = 1
    assert (shown.picture.state, shown.picture.sentence) == ([1], "Rank 1, SVD.")
    shown._told({"need": [4]})
    shown.controls["rank"].value = 4
    assert (shown.picture.state, shown.picture.sentence) == ([4], "Rank 4, SVD.")


def test_the_pages_store_keeps_to_its_budget(monkeypatch):
    monkeypatch.setattr(widgets, "STORE_FRAMES", 3)
    shown, _ = explorer(rank=(1, 12))
    messages = sent(shown, monkeypatch)
    for rank in range(1, 8):
        shown.controls["rank"].value = rank
    # None of them is known to be likelier than another, so the oldest goes.
    assert [m["drop"] for m, _ in messages if "drop" in m] == [[1], [2], [3], [4]]
    assert len(shown._store) == 3


def test_a_full_store_keeps_the_likeliest_frames_and_nothing_is_drawn_in_vain(monkeypatch):
    shown, view = explorer(rank=(1, 99))
    monkeypatch.setattr(widgets, "STORE_BYTES", int(9.5 * len(shown.frame().png)))
    messages, held = sent(shown, monkeypatch), set()

    def move(rank):
        in_a_kernel(lambda: setattr(shown.controls["rank"], "value", rank))
        held.add(shown.picture.state[0])
        for message, _ in messages:  # as the page does
            if "frame" in message:
                held.update(message["frame"]["state"])
            elif "drop" in message:
                held.difference_update(message["drop"])
        messages.clear()
        return held

    move(60)
    view.calls.clear()
    assert move(61) >= {59, 60, 61, 62, 63, 64, 65}
    assert len(view.calls) <= 2
    assert move(62) >= {60, 61, 62, 63, 64, 65, 66}
    assert move(40) >= {38, 39, 40, 41}  # all others have become unlikely
    assert sum(size for _, size in shown._store.values()) <= widgets.STORE_BYTES
    view.calls.clear()
    in_a_kernel(lambda: shown._told({"near": True}))
    assert view.calls == [] and {state for (state,), _ in shown._store.values()} == held


def test_after_a_cell_the_page_forgets_its_frames_and_they_are_drawn_again(monkeypatch):
    Shell = kernel(monkeypatch)
    shown, view = explorer(rank=(1, 4))
    in_a_kernel(lambda: shown._told({"near": True}))
    messages = sent(shown, monkeypatch)
    view.calls.clear()
    Shell.run_cell()
    assert messages == [({"clear": True}, None)]
    in_a_kernel(lambda: shown._told({"near": True}))
    assert len([m for m, _ in messages if "frame" in m]) == 3
    assert len(view.calls) == 3


def test_nothing_is_drawn_ahead_while_a_cell_runs(monkeypatch):
    Shell = kernel(monkeypatch)
    shown, view = explorer(rank=(1, 9))
    during = []

    def work():
        shown._told({"near": True})
        time.sleep(4 * widgets.IDLE)
        during.extend(view.calls)

    in_a_kernel(lambda: Shell.run_cell(work))
    assert during == []
    assert Explorer._ahead._thread is None  # nor planned
    in_a_kernel(lambda: shown._told({"near": True}))
    assert view.calls != []


def test_nothing_is_drawn_ahead_if_a_cell_begins_while_that_is_being_asked_for(monkeypatch):
    Shell = kernel(monkeypatch)
    shown, view = explorer(rank=(1, 9))
    begin, during = Explorer._ahead.begin, []

    def late(work):  # the cell begins between the look at `_running` and this
        def cell():
            begin(work)
            time.sleep(4 * widgets.IDLE)
            during.extend(view.calls)

        Shell.run_cell(cell)

    monkeypatch.setattr(Explorer._ahead, "begin", late)
    in_a_kernel(lambda: shown._told({"near": True}))
    assert during == []


def test_a_frame_that_a_cell_overtook_is_not_sent(monkeypatch):
    Shell, known = kernel(monkeypatch), {"G": 1}
    shown = Explorer(lambda a: (View()(a)[0], f"G is {known['G']}"), {"a": (1, 2)})
    messages = sent(shown, monkeypatch)
    states, screen = {"a": (2, 2)}, (False, 1.0)
    drawn = shown.frame_of

    def overtaken(*of):
        frame = drawn(*of)
        Shell.run_cell(lambda: known.update(G=2))  # in another thread, say
        return frame

    monkeypatch.setattr(shown, "frame_of", overtaken)
    shown._send(states, screen)
    assert messages == [] and shown._store == {}
    monkeypatch.setattr(shown, "frame_of", drawn)
    shown.controls["a"].value = 2
    assert shown.picture.sentence == "G is 2"


def test_a_frame_of_the_theme_of_before_is_not_sent(monkeypatch):
    kernel(monkeypatch)
    shown, _ = explorer(rank=(1, 9))
    drawn = shown.frame_of

    def switched(*of):
        frame = drawn(*of)
        shown.picture.dark = True  # in another thread, say
        return frame

    monkeypatch.setattr(shown, "frame_of", switched)
    states, light = {"rank": (2, 2)}, (False, 1.0)
    shown._send(states, light)
    assert shown._key(states, light) not in shown._store


def test_the_store_bears_moves_and_cells_in_two_threads():
    shown, _ = explorer(rank=(1, 99))
    keys = [shown._key({"rank": (rank, rank)}, (False, 1.0)) for rank in range(1, 99)]
    shown._store.update((key, ([rank], 1)) for rank, key in enumerate(keys))
    looked = []

    def rank_of(key):  # a cell ends in another thread while the store is gone through
        if not looked:
            other = threading.Thread(target=shown._forget_store)
            other.start()
            other.join(0.2)
        looked.append(key)
        return 0

    shown._rank = rank_of
    shown._has_room(keys[0])
    assert len(looked) == len(keys) + 1


def test_a_single_switch_of_a_cell_is_drawn_ahead(monkeypatch):
    grid = cell_grid([1, 2], ["A", "B"], [[1, 0], [0, 1]])
    shown = Explorer(lambda R: View()(sum(map(sum, R))), {"R": grid})
    messages = sent(shown, monkeypatch)
    in_a_kernel(lambda: shown._told({"near": True}))
    states = [m["frame"]["state"][0] for m, _ in messages]
    assert states == [
        [[0, 0], [0, 1]],
        [[1, 1], [0, 1]],
        [[1, 0], [1, 1]],
        [[1, 0], [0, 0]],
    ]


def test_a_list_of_ordered_numbers_is_a_slider_over_its_places():
    for given in ([1, 3, 10], [0.5, 0.1, 0.01], [1, 2, 4, 8]):
        shown = Explorer(lambda rank: View()(rank), {"rank": given})
        assert type(shown.controls["rank"]) is ipywidgets.SelectionSlider
        shown.controls["rank"].index = 2
        assert shown.picture.sentence == f"Rank {given[2]}, SVD."
    for given in ([1, 2], [3, 1, 2], [1, 1, 2], ["1", "2", "3"]):
        shown = Explorer(lambda rank: View()(rank), {"rank": given})
        assert type(shown.controls["rank"]) is ipywidgets.Dropdown


def test_a_cell_that_was_run_in_between_makes_frames_stale(monkeypatch):
    Shell = kernel(monkeypatch)
    weight = [1]
    shown = Explorer(lambda rank: View()(rank * weight[0])[0], {"rank": (1, 3)})
    shown.controls["rank"].value = 3
    weight[0] = 2  # as a later cell does that changes what the view reads
    Shell.run_cell()
    shown.controls["rank"].value = 2
    shown.controls["rank"].value = 3
    assert shown.picture.alt.startswith("SVD, 6")


def test_a_figure_of_pyplot_is_shown_once():
    plt = pytest.importorskip("matplotlib.pyplot")

    def view(rank):
        figure, ax = plt.subplots()
        ax.plot([0, rank])
        return figure

    Explorer(view, {"rank": (1, 3)})
    assert plt.get_fignums() == []


# Failures


def test_an_exception_is_told_in_words_and_the_next_move_recovers():
    shown, _ = explorer(rank=(1, 15), method=["SVD", "ALS"])
    before = shown.picture.number
    shown.controls["rank"].value = 13
    assert shown.picture.failure == (
        "At rank = 13, method = SVD the view 'View' stopped with ValueError: "
        "rank 13 is more than the matrix has. Another value is drawn as usual."
    )
    assert shown.picture.png == b""
    assert shown.picture.alt == ""
    assert shown.picture.number == before + 1
    shown.controls["rank"].value = 12
    assert shown.picture.failure == ""
    assert shown.picture.sentence == "Rank 12, SVD."


def test_a_failure_is_not_kept():
    broken = [True]

    def view(rank):
        if broken[0] and rank == 3:
            raise RuntimeError
        return View()(rank)

    shown = Explorer(view, {"rank": (1, 3)})
    shown.controls["rank"].value = 3
    assert "RuntimeError: no message" in shown.picture.failure
    shown.controls["rank"].value = 1
    broken[0] = False
    shown.controls["rank"].value = 3
    assert shown.picture.failure == ""


def test_a_view_that_returns_nothing_on_the_way_is_told_in_words():
    shown, _ = explorer()
    shown.controls["rank"].value = 14
    assert "returned None: end it with `return figure`" in shown.picture.failure


def test_a_failure_at_the_start_is_told_in_words_and_not_raised(displayed):
    explore(View(), rank=[13, 1])
    assert "stopped with ValueError" in displayed[0]["text/plain"]
    assert "image/png" not in displayed[0]


def test_a_name_of_a_cell_that_was_not_run_sends_the_reader_to_the_cells_above(displayed):
    space = {"View": View}
    exec("def view(rank): return View()(rank + offset)", space)
    explore(space["view"], rank=(1, 3))
    assert "name 'offset' is not defined. Run the cells above" in displayed[0]["text/plain"]
    shown = Explorer(space["view"], {"rank": (1, 3)})
    space["offset"] = 0  # the cell above is run
    shown.controls["rank"].value = 3
    assert shown.picture.failure == ""


def test_an_interrupted_drawing_says_so_and_the_next_move_recovers():
    def view(rank):
        if rank == 3:
            raise KeyboardInterrupt
        return View()(rank)

    shown = Explorer(view, {"rank": (1, 3)})
    shown.controls["rank"].value = 3
    assert shown.picture.failure.startswith("Stopped at rank = 3.")
    shown.controls["rank"].value = 2
    assert shown.picture.failure == ""


@pytest.mark.parametrize("returned", [None, 3, "text", ("figure", "text"), (Figure(), 3)])
def test_a_view_that_returns_no_figure_is_refused_at_once(returned):
    with pytest.raises(ValueError, match="end it with `return figure`"):
        explore(lambda rank: returned, rank=(1, 3))


def test_a_view_that_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="view=3 cannot be called"):
        explore(3, rank=(1, 3))


@pytest.mark.parametrize(
    ("controls", "told"),
    [
        ({"rank": (3, 1)}, r"control rank=\(3, 1\): .*give \(min, max\)"),
        ({"rank": (1, 3, 0)}, r"control rank=\(1, 3, 0\)"),
        ({"rank": []}, r"control rank=\[\] offers no value"),
        ({"rank": {}}, r"control rank=\{\} offers no value"),
        ({"rank": None}, "control rank=None offers no value"),
        ({"rank": ("a", "b")}, r"control rank=\('a', 'b'\) offers no value"),
        ({}, r"controls \[\] do not fit .*missing a required argument: 'rank'"),
        ({"rank": (1, 3), "rnak": 1}, "got an unexpected keyword argument 'rnak'"),
    ],
)
def test_a_bad_control_is_refused_by_name_value_and_remedy(controls, told):
    with pytest.raises(ValueError, match=told):
        Explorer(View(), controls)


def test_a_control_whose_value_cannot_be_a_key_is_refused():
    class Matrix(ipywidgets.ValueWidget):
        value = traitlets.List([[1]])
        description = traitlets.Unicode()

    with pytest.raises(ValueError, match="control rank has a value of type list"):
        Explorer(View(), {"rank": Matrix()})


# Controls


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ((1, 3), ipywidgets.IntSlider),
        ((1, 9, 2), ipywidgets.IntSlider),
        ((0.0, 1.0), ipywidgets.FloatSlider),
        (["a", "b"], ipywidgets.Dropdown),
        ({"a": 1}, ipywidgets.Dropdown),
        ([("a", 1)], ipywidgets.Dropdown),
        (True, ipywidgets.Checkbox),
        ("text", ipywidgets.Text),
        (3, ipywidgets.IntSlider),
        (0.5, ipywidgets.FloatSlider),
    ],
)
def test_the_abbreviations_of_interact_make_the_same_widgets(given, kind):
    shown = Explorer(lambda max_rank: View()(max_rank), {"max_rank": given})
    control = shown.controls["max_rank"]
    assert type(control) is kind
    assert type(ipywidgets.interactive.widget_from_abbrev(given)) is kind
    assert control.description == "max rank"
    assert control.style.description_width == "initial"
    assert getattr(control, "continuous_update", True)
    assert getattr(control, "readout", True)


def test_a_default_of_the_view_is_where_a_control_starts_and_others_keep_theirs():
    calls = []

    def view(rank=2, method="ALS", rest=7):
        calls.append((rank, method, rest))
        return View()(rank, method)

    shown = Explorer(view, {"rank": (1, 5), "method": ["SVD", "ALS"]})
    assert calls == [(2, "ALS", 7)]
    assert list(shown.controls) == ["rank", "method"]


def test_values_that_no_key_can_hold_are_fixed():
    calls = []

    def view(rank, weights):
        calls.append((rank, weights.sum()))
        return View()(rank)

    shown = Explorer(view, {"rank": (1, 3), "weights": ipywidgets.fixed(np.full(2, 4))})
    shown.controls["rank"].value = 3
    assert calls == [(2, 8), (3, 8)]
    assert shown.words() == "rank = 3"


def test_a_widget_of_ones_own_keeps_its_description():
    own = ipywidgets.FloatLogSlider(value=1, min=-2, max=2, step=1, description="lambda")
    shown = Explorer(lambda lam: View()(lam), {"lam": own})
    assert shown.controls["lam"] is own
    assert own.description == "lambda"


def test_the_view_gets_the_number_that_the_read_out_shows():
    shown, view = explorer(rank=ipywidgets.FloatSlider(min=0, max=1, step=0.1))
    shown.controls["rank"].value = 0.1 + 0.2
    assert view.calls == [(0.3, "SVD")]


def test_a_small_range_of_fractions_has_steps_and_a_read_out_that_tells_them_apart():
    slider = Explorer(lambda lam: View()(lam), {"lam": (0.0, 0.01)}).controls["lam"]
    assert slider.step == pytest.approx(0.0005)
    assert slider.readout_format == ".4f"


def test_a_copy_to_read_without_a_kernel_comes_first(displayed):
    explore(View(), rank=(1, 3), method=["SVD", "ALS"])
    static, live = displayed
    figure, sentence = View()(2, "SVD")
    alt = figures.alt_text(figure)
    assert static["text/plain"] == f"{alt}\n{sentence}\nShown at rank = 2, method = SVD."
    assert 'class="rl-static"' in static["text/html"]
    assert f'<img alt="{alt}"' in static["text/html"]
    assert static["image/png"] in static["text/html"]
    with figures.theme(dark=False):
        full = pixels(figures.png(View()(2, "SVD")[0]))
    stored = pixels(base64.b64decode(static["image/png"]))
    assert np.abs(stored.astype(float) - full).mean() < 1
    assert set(live) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
    assert live["text/plain"] == ""
    model = live["application/vnd.jupyter.widget-view+json"]["model_id"]
    widget = ipywidgets.widgets.widget._instances[model]
    assert "rl-live" in widget._dom_classes


def test_the_copy_is_light_also_where_the_screen_is_dark(displayed, monkeypatch):
    explore(View(), rank=(1, 3))
    monkeypatch.setattr(Explorer, "_screen", (True, 1.0))
    explore(View(), rank=(1, 3))
    assert displayed[0] == displayed[2]


# Light and dark, high resolution


def test_a_switch_of_the_theme_draws_again_in_its_colours():
    shown, _ = explorer()
    assert pixels(shown.picture.png)[0, 0].min() > 250
    shown.picture.dark = True
    assert pixels(shown.picture.png)[0, 0].max() < 30
    shown.controls["rank"].value = 2
    assert pixels(shown.picture.png)[0, 0].max() < 30
    shown.picture.dark = False
    assert pixels(shown.picture.png)[0, 0].min() > 250


def test_the_next_explorer_starts_in_the_theme_that_was_told():
    shown, _ = explorer()
    shown.picture.dark = True
    later, _ = explorer()
    assert later.picture.dark
    assert pixels(later.picture.png)[0, 0].max() < 30


def test_a_fine_screen_gets_more_pixels_in_a_picture_of_the_same_size():
    shown, _ = explorer()
    shown.picture.scale = 2.0
    assert pixels(shown.picture.png).shape == (200, 400, 3)
    assert (shown.picture.width, shown.picture.height) == (200, 100)


# Drawing ahead


def in_a_kernel(action):
    """Run `action` where an event loop runs, as in a kernel, until nothing is left to draw."""

    async def kernel():
        result = action()
        ahead = Explorer._ahead
        for _ in range(2000):
            await asyncio.sleep(0.005)
            if ahead._done == ahead._turn:
                break
        return result

    return asyncio.run(kernel())


def test_the_next_values_in_the_direction_of_travel_come_first():
    shown, view = explorer(rank=(1, 9), method=["SVD", "ALS"])
    in_a_kernel(lambda: setattr(shown.controls["rank"], "value", 4))  # from 5, which is drawn
    # On, then (5 is drawn) on again or the other control.
    assert view.calls[:2] == [(4, "SVD"), (3, "SVD")]
    assert set(view.calls[2:4]) == {(2, "SVD"), (4, "ALS")}
    assert len(view.calls) == len(set(view.calls)) == 17  # all but the first


def test_a_logarithmic_slider_is_drawn_ahead_by_factors():
    shown, view = explorer(rank=ipywidgets.FloatLogSlider(value=1, min=-2, max=2, step=1))
    in_a_kernel(lambda: setattr(shown.controls["rank"], "value", 0.1))
    assert view.calls == [(0.1, "SVD"), (0.01, "SVD"), (10.0, "SVD"), (100.0, "SVD")]


def test_a_value_that_was_drawn_ahead_costs_a_look_up():
    shown, view = explorer()
    in_a_kernel(lambda: setattr(shown.controls["rank"], "value", 9))
    drawn = view.calls.copy()
    assert {(10, "SVD"), (11, "SVD")} <= set(drawn)
    shown.controls["rank"].value = 10
    assert view.calls == drawn
    assert shown.frame().sentence == "Rank 10, SVD."
    assert view.calls == drawn


def test_drawing_ahead_gives_way_to_the_next_move():
    shown, view = explorer()

    def two_moves():
        shown.controls["rank"].value = 3  # downwards: 2 and 1 would be next
        shown.controls["rank"].value = 9  # before the kernel was idle

    in_a_kernel(two_moves)
    assert view.calls[:4] == [(3, "SVD"), (9, "SVD"), (10, "SVD"), (11, "SVD")]


class SlowToDraw(Artist):
    """An artist whose drawing ends when it is let go."""

    def __init__(self):
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()

    def draw(self, renderer):
        self.begun.set()
        end = time.monotonic() + 20
        while not self.go.wait(0.002) and time.monotonic() < end:
            renderer.open_group("slow")


def moved_while_4_is_drawn_ahead(value, seconds=None):
    """Return a view's calls, where 4 is drawn without an end, or for some seconds after a move."""
    slow, calls = SlowToDraw(), []

    def view(rank):
        calls.append(rank)
        figure = figures.bars(["A"], [rank])
        if rank == 4 and calls.count(4) == 1:
            figure.add_artist(slow)
        return figure, f"Rank {rank}."

    shown = Explorer(view, {"rank": (1, 9)})
    Explorer._ahead.patience = 20

    def act():
        shown._told({"near": True})
        assert slow.begun.wait(20)
        if seconds:
            threading.Timer(seconds, slow.go.set).start()
        shown.controls["rank"].value = value

    in_a_kernel(act)
    assert shown.picture.sentence == f"Rank {value}."
    return calls


def test_a_jump_does_not_wait_for_a_frame_that_is_drawn_ahead():
    calls = moved_while_4_is_drawn_ahead(9)
    assert calls[:3] == [5, 4, 9]
    assert calls.count(4) == 2  # what was given up is drawn later


def test_a_frame_that_is_asked_for_while_it_is_drawn_ahead_is_drawn_once():
    calls = moved_while_4_is_drawn_ahead(4, seconds=0.1)
    assert calls.count(4) == 1


def test_a_cell_begins_when_nothing_is_drawn_ahead_any_more(monkeypatch):
    Shell = kernel(monkeypatch)
    slow, begun = SlowToDraw(), []

    def view(rank):
        figure = figures.bars(["A"], [rank])
        if rank == 4:
            figure.add_artist(slow)
        return figure

    shown = Explorer(view, {"rank": (1, 9)})
    Explorer._ahead.patience = 20

    def act():
        shown._told({"near": True})
        assert slow.begun.wait(20)
        slow.begun.clear()
        Shell.run_cell(lambda: begun.append(Explorer._ahead._piece))

    in_a_kernel(act)
    assert begun == [None]


def test_states_that_a_move_has_put_out_of_reach_are_not_listed():
    shown, _ = explorer(rank=(1, 9))
    listed = shown._states_ahead()
    next(listed)
    shown.controls["rank"].value = 9  # in another thread, say
    assert all(None not in states.values() for states in listed)


def test_a_view_that_sets_a_control_stops_no_request():
    limit, begun = ipywidgets.IntSlider(value=5, min=1, max=9), threading.Event()

    def view(rank, k):
        if Explorer._ahead.is_here():
            begun.set()
            time.sleep(0.3)  # the request below waits for this drawing
            limit.value = rank
        return figures.bars(["A"], [rank])

    shown = Explorer(view, {"rank": (1, 9), "k": limit})
    Explorer._ahead.patience = 0.01
    Explorer._ahead.begin(shown._frames_ahead)
    assert begun.wait(20)
    move = functools.partial(setattr, shown.controls["rank"], "value", 9)
    request = threading.Thread(target=move, daemon=True)
    request.start()
    request.join(20)
    assert not request.is_alive()


def test_a_slow_view_is_not_drawn_ahead(monkeypatch):
    monkeypatch.setattr(widgets, "SLOW", 0.0)
    shown, view = explorer()
    in_a_kernel(lambda: setattr(shown.controls["rank"], "value", 9))
    assert view.calls == [(9, "SVD")]


def test_a_view_that_is_slow_because_the_machine_is_busy_is_drawn_ahead(monkeypatch):
    monkeypatch.setattr(widgets, "SLOW", 0.3)
    drawn = View()

    def view(rank):
        time.sleep(0.4)  # another process has the processor
        return drawn(rank)

    shown = Explorer(view, {"rank": (1, 3)})
    in_a_kernel(lambda: shown._told({"near": True}))
    assert sorted(rank for rank, _ in drawn.calls) == [1, 2, 3]


def test_nothing_is_drawn_ahead_before_a_reader_comes_near():
    _, view = in_a_kernel(explorer)
    assert view.calls == []
    assert Explorer._ahead._thread is None


def test_plain_python_needs_no_event_loop():
    shown, view = explorer()
    shown.controls["rank"].value = 9
    assert view.calls == [(9, "SVD")]


def test_a_failure_ahead_leaves_the_picture_alone():
    shown, _ = explorer()
    in_a_kernel(lambda: setattr(shown.controls["rank"], "value", 12))  # 13 and 14 are ahead
    assert shown.picture.failure == ""
    assert shown.picture.sentence == "Rank 12, SVD."


# The frames that are kept


def test_the_cache_stays_within_its_bytes_and_forgets_the_oldest():
    cache = FrameCache(3 * len(figures.png(View()(1)[0])))
    shown = Explorer(View(), {"rank": (1, 12)}, cache)
    for rank in range(1, 13):
        shown.controls["rank"].value = rank
        assert cache.bytes <= cache.limit
        assert cache.bytes == sum(len(frame.png) for frame in cache._frames.values())
    assert 1 <= len(cache) <= 4
    view = shown.view
    view.calls.clear()
    shown.controls["rank"].value = 1
    assert view.calls == []  # the page has it, the cache has not
    shown.frame()
    assert view.calls == [(1, "SVD")]


def test_a_frame_larger_than_the_cache_is_shown_all_the_same():
    shown = Explorer(View(), {"rank": (1, 3)}, FrameCache(10))
    shown.controls["rank"].value = 3
    assert shown.picture.sentence == "Rank 3, SVD."


def test_two_explorers_do_not_show_each_others_frames():
    one = Explorer(lambda rank: View()(rank), {"rank": (1, 3)})
    two = Explorer(lambda rank: View()(rank + 100), {"rank": (1, 3)})
    for shown in (one, two):
        shown.controls["rank"].value = 3
    assert one.picture.sentence == "Rank 3, SVD."
    assert two.picture.sentence == "Rank 103, SVD."


def test_pictures_drawn_in_two_threads_keep_their_own_theme():
    def view(rank):
        time.sleep(0.005)  # the other thread gets its turn while a theme is set
        return View()(rank)

    light, dark = (Explorer(view, {"rank": (1, 15)}) for _ in range(2))
    dark.picture.dark = True

    def move(shown):
        for rank in range(1, 12):
            shown.controls["rank"].value = rank
            papers[shown].add(int(pixels(shown.picture.png)[0, 0, 0]))

    papers = {light: set(), dark: set()}
    threads = [threading.Thread(target=move, args=[shown]) for shown in papers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert papers == {light: {255}, dark: {17}}
    assert gc.isenabled()


# The grid of cells


def test_a_grid_is_a_control_whose_value_can_be_looked_up():
    calls = []

    def view(R):
        calls.append(R)
        return figures.heatmap(R, digits=0)

    grid = cell_grid([1, 2], ["A", "B"], np.eye(2))
    shown = Explorer(view, {"R": grid})
    assert grid.description == "R"
    grid.value = [[1, 1], [0, 1]]  # as JSON brings it
    assert grid.value == ((1, 1), (0, 1))
    grid.value = [[1, 0], [0, 1]]
    assert calls == [((1, 0), (0, 1)), ((1, 1), (0, 1))]
    assert shown.words() == ""


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([[1, 0]], r"value has shape \(1, 2\)"),
        ([[1, 0, 1], [0, 1, 1]], r"value has shape \(2, 3\)"),
        ([[1, 0], [0, 2]], "value has a cell .*2.*only 0 and 1"),
        ([[1, 0], [0, np.nan]], "value has a cell .*nan.*only 0 and 1"),
    ],
)
def test_a_grid_of_something_else_is_refused(value, told):
    with pytest.raises(ValueError, match=told):
        cell_grid([1, 2], ["A", "B"], value)


def test_a_wall_is_a_grid_with_pictures_and_names_of_their_own():
    shown = np.arange(6 * 2 * 2 * 3, dtype=np.uint8).reshape(6, 2, 2, 3)
    names = ["ant", "bee", "cat", "dog", "elk", "fox"]
    wall = picture_wall(shown, names, [0, 4], columns=3)
    assert wall.value == ((1, 0, 0), (0, 1, 0)) and wall.labels[1] == ["dog", "elk", "fox"]
    head, _, content = wall.pictures[1][2].partition(",")
    assert head == "data:image/png;base64"
    assert (np.asarray(Image.open(BytesIO(base64.b64decode(content)))) == shown[5]).all()
    with pytest.raises(ValueError, match="columns=4 with 6 pictures"):
        picture_wall(shown, names, columns=4)
    with pytest.raises(ValueError, match="names has 5 texts for 6"):
        picture_wall(shown, names[:5], columns=3)


@pytest.mark.parametrize("given", [(0, np.inf), (0.0, 1.0, np.nan), (-np.inf, 1.0)])
def test_a_range_without_an_end_is_refused(given):
    with pytest.raises(ValueError, match=r"control x=.*[:;] give \(min, max\)"):
        explore(lambda x: figures.bars(["A"], [x]), x=given)


def test_a_figure_that_no_screen_can_hold_is_refused_at_once():
    def poster(rank):
        return Figure(figsize=(300, 300))

    with pytest.raises(ValueError, match="a figure of 300 x 300 inches: give it at most 30"):
        explore(poster, rank=(1, 3))


def test_a_notebook_shows_a_refusal_as_one_sentence():
    with pytest.raises(ValueError) as refused:
        explore(lambda rank: None, rank=(1, 3))
    (line,) = refused.value._render_traceback_()
    assert line.startswith("NoFigure: view ") and line.endswith("`return figure, sentence`")
