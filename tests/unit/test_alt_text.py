"""Facts about alt text: it says what a picture shows, and changes with it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from recsys_lab import figures
from recsys_lab.page.alt_text import alt_text


def test_alt_text_says_title_labels_names_and_heights():
    told = alt_text(figures.bars(["A", "B"], [3, 1.5], "A leads.", "item", "events"))
    assert told == "A leads. events against item. Bars: A 3, B 1.5."


def test_alt_text_says_every_cell_of_a_small_matrix_and_which_are_empty():
    told = alt_text(
        figures.heatmap([[1, np.nan]], ["Ann"], ["A", "B"], "Bought", digits=0, unit="events")
    )
    assert told == "Bought. Heat map of user by item, events. Ann: A 1, B empty."


def test_alt_text_of_a_large_matrix_says_where_its_ends_are():
    cells = np.zeros((20, 30))
    cells[4, 7], cells[11, 2] = 9, -3
    told = alt_text(figures.heatmap(cells, title="Large"))
    assert "20 x 30: from -3 (11, 2) to 9 (4, 7), mean 0.01" in told


def test_alt_text_of_a_long_line_says_ends_lowest_and_highest():
    y = np.r_[5.0, np.linspace(1, 9, 50), 4.0]
    told = alt_text(figures.lines(range(52), {"error": y}))
    assert "Line error: 52 points, 0 to 51, from 5 to 4, lowest 1 at 1, highest 9 at 50." in told


def test_alt_text_names_bars_that_have_no_tick():
    heights = np.roll(np.arange(100), 8)
    figure = figures.bars([f"film {i}" for i in range(100)], heights)
    assert not {7, 8} & set(figure.axes[0].get_xticks())
    assert alt_text(figure) == "Bars: 100, from 0 (film 8) to 99 (film 7)."


def test_alt_text_reads_a_figure_drawn_by_hand():
    figure = Figure()
    ax = figure.subplots()
    ax.set(title="By hand", xlabel="rank", ylabel="error")
    ax.plot([1, 2], [4, 3], label="fit")
    ax.axhline(2, label="limit")
    ax.axvline(1.5)
    ax.bar(["p", "q"], [1, 2], label="count")
    ax.scatter([1], [1], label="best")
    ax.annotate("here", (1, 1))
    assert alt_text(figure) == (
        "By hand. error against rank. Bars count: p 1, q 2. Line fit: 1, 4; 2, 3. "
        "Level line limit at 2. Upright line at 1.5. Points best: 1, 1. Written in it: here."
    )


def test_alt_text_of_nothing_says_so():
    assert alt_text(Figure()) == "An empty picture."


@settings(deadline=None, max_examples=25)
@given(
    heights=st.lists(st.integers(-99, 99), min_size=1, max_size=8),
    at=st.integers(0, 7),
    change=st.integers(1, 9),
)
def test_alt_text_cannot_go_stale(heights, at, change):
    names = [f"item {i}" for i in range(len(heights))]
    other = list(heights)
    other[at % len(heights)] += change
    one, two = figures.bars(names, heights), figures.bars(names, other)
    assert alt_text(one) != alt_text(two)
