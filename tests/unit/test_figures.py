"""Facts about the pictures: readable in both themes, nothing cut off, small when stored."""

import re
import subprocess
import sys
import textwrap
import warnings
from contextlib import nullcontext
from io import BytesIO
from itertools import combinations, pairwise, product

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import rgb_to_hsv, to_rgb
from matplotlib.figure import Figure
from PIL import Image

from recsys_lab import figures
from recsys_lab.page import display

LONG = ["Star Wars: Episode IV - A New Hope (1977)", "Heat (1995)", "Toy Story (1995)"]
SHOP = [[1, 0, 1, 0, 0], [1, 1, 0, 0, 1], [0, 0, np.nan, 1, 1]]


def contrast(one, other):
    """WCAG 2.2's contrast ratio, as its text defines it."""

    def luminance(colour):
        channels = np.array(to_rgb(colour))
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return linear @ [0.2126, 0.7152, 0.0722]

    pale, deep = sorted([luminance(one), luminance(other)], reverse=True)
    return (pale + 0.05) / (deep + 0.05)


def two_panels():
    grid = np.arange(400.0).reshape(20, 20) - 200
    _, (left, right) = figures.panels(2, widths=(1, 1.3))
    figures.heatmap(grid, title="Scores of a rank, in a title of two lines", ax=left, unit="score")
    figures.bars(range(12), range(12), colours=figures.TRAIN, ax=right)
    series = {"train": np.arange(12) ** 3.0, "held out": np.arange(12.0)}
    return figures.lines(range(12), series, "Fit", "epoch", "error", ax=right)


def two_rankings():
    _, (left, right) = figures.panels(2)
    figures.bars(LONG, [3, 2, 1], "Who leads?", "events", "film", horizontal=True, ax=left)
    return figures.bars(LONG, {"a": [3, 2, 1], "b": [1, 2, 3]}, "Who leads?", "film", "n", ax=right)


GALLERY = {
    "cells": lambda: figures.heatmap(SHOP, [1, 2, 3], list("ABCDE"), "What was bought."),
    "names": lambda: figures.heatmap(np.eye(3), LONG, LONG, "Alike."),
    "two panels": two_panels,
    "two rankings": two_rankings,
    "long title": lambda: figures.lines([0, 1], {"a": [0, 1e6]}, "word " * 30, "x", "y"),
    "points": lambda: figures.scatter([0, 1, 2], [5, 3, 4], "Users.", "comedy", "drama", label="u"),
    "dots": lambda: figures.dots(
        LONG, {"a": [3, 2, 1], "b": [1, 2, 3]}, "Who leads?", "film", "n", level=0
    ),
    "many bars": lambda: figures.bars([f"n{i}" for i in range(200)], range(200), "Tail.", "film"),
}


def drawn_texts(ax):
    """The title, the axes' and the tick labels, and the legend: what must be read."""
    texts = [ax.xaxis.label, ax.yaxis.label, ax._left_title]
    for axis in (ax.xaxis, ax.yaxis):
        low, high = sorted(axis.get_view_interval())
        ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
        texts += [label for at, label in ticks if low <= at <= high]
    texts += ax.get_legend().get_texts() if ax.get_legend() else []
    return [text for text in texts if text.get_text()]


def test_every_colour_stands_out_on_both_backgrounds():
    for colour in figures.COLOURS:
        assert contrast(colour, "white") >= 3
        assert contrast(colour, "#111111") >= 3


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("colour", figures.COLOURS)
def test_a_mark_stands_out_from_what_lies_beside_it(colour, dark):
    paper, many = "#111111" if dark else "white", np.linspace(0, 1, 400)
    with figures.theme(dark):
        for x, marker in product((many, many[:4]), "ox"):
            figure = figures.scatter(x, x, colour=colour, marker=marker)
            (points,) = figure.axes[0].collections
            (*outline, opacity) = points.get_edgecolor()[0]
            assert contrast(outline, paper) >= 3
            assert opacity == 1
        (ax,) = figures.bars("A", [2], colours=colour, interval=([1], [3])).axes
        (bar,), (stroke,) = ax.patches, ax.collections
        for ground in (paper, bar.get_facecolor()):
            assert contrast(stroke.get_colors()[0, :3], ground) >= 3


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("low", [0, -1])
def test_a_value_written_into_a_cell_can_be_read(dark, low):
    with figures.theme(dark):
        figure = figures.heatmap(np.linspace(low, 1, 40).reshape(4, 10), limits=(low, 1))
    (ax,) = figure.axes
    ground = ax.images[0].to_rgba(ax.images[0].get_array())
    for text in ax.texts:
        j, i = text.get_position()
        assert contrast(text.get_color(), ground[i, j, :3]) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_a_theme_reaches_paper_and_ink(dark):
    with figures.theme(dark):
        figure = figures.bars(["A"], [1], "One.", "item", "events")
        pixels = np.asarray(Image.open(BytesIO(figures.png(figure))).convert("RGB"))
    paper, ink = ("#111111", "#e2e2e2") if dark else ("white", "black")
    np.testing.assert_allclose(pixels[0, 0] / 255, to_rgb(paper), atol=0.02)
    (ax,) = figure.axes
    assert to_rgb(ax.xaxis.label.get_color()) == to_rgb(ink)
    assert contrast(ax.xaxis.label.get_color(), paper) >= 7


def test_a_theme_ends_with_its_block():
    with figures.theme(dark=True):
        pass
    assert to_rgb(Figure().get_facecolor()) == to_rgb("white")


def darkened(colour):
    """A colour after `DARK_FILTER`, by the CSS standard's matrix for a hue turned by half."""
    (amount,) = re.findall(r"invert\(([\d.]+)\) hue-rotate\(180deg\)", display.DARK_FILTER)
    inverted = float(amount) + (1 - 2 * float(amount)) * np.array(to_rgb(colour))
    turn = [[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]]
    return np.clip(turn @ inverted, 0, 1)


def test_a_stored_picture_on_a_dark_ground_has_the_grounds_colour_and_marks_that_stand_out():
    paper = darkened("white")
    np.testing.assert_allclose(paper, to_rgb(figures.DARK_PAPER), atol=0.005)
    assert contrast(darkened("black"), paper) >= 7
    for colour in (*figures.COLOURS, "0.5"):
        assert contrast(darkened(colour), paper) >= 3
        one, other = (rgb_to_hsv(each) for each in (to_rgb(colour), darkened(colour)))
        if one[1] > 0:
            assert abs(one[0] - other[0]) < 0.08  # the hue stays: a twelfth is one to the next


@pytest.mark.parametrize("low", [0, -1])
def test_a_value_in_a_cell_of_a_stored_picture_can_be_read_on_a_dark_ground(low):
    (ax,) = figures.heatmap(np.linspace(low, 1, 40).reshape(4, 10), limits=(low, 1)).axes
    ground = ax.images[0].to_rgba(ax.images[0].get_array())
    for text in ax.texts:
        j, i = text.get_position()
        # Less than the 4.5 of a picture that is drawn for a dark ground, where the tone is between
        # the two: turned round it stays there, and the letters do not.
        assert contrast(darkened(text.get_color()), darkened(ground[i, j, :3])) >= 2.4


# What people have in their matplotlibrc.
ODD = {
    "text.usetex": True,
    "font.size": 30,
    "axes.grid": True,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "green",
    "lines.linewidth": 9,
    "savefig.dpi": 30,
}


@pytest.mark.parametrize("dark", [None, False, True])
@pytest.mark.parametrize("name", ["cells", "two panels", "dots"])
def test_nothing_of_a_readers_matplotlibrc_reaches_a_picture(name, dark):
    def drawn():
        with nullcontext() if dark is None else figures.theme(dark):
            return figures.png(GALLERY[name]())

    usual = drawn()
    with matplotlib.rc_context():
        matplotlib.rcParams.update(ODD)
        before = dict(matplotlib.rcParams)
        assert drawn() == usual
        assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("name", GALLERY)
def test_no_text_is_cut_off(name):
    figure = GALLERY[name]()
    figure.draw_without_rendering()
    width, height = figure.canvas.get_width_height()
    for ax in figure.axes:
        for text in [*drawn_texts(ax), *ax.texts]:
            box = text.get_window_extent()
            inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
            assert inside, f"{text.get_text()!r} at {box} in {width} x {height}"


@pytest.mark.parametrize("name", GALLERY)
def test_no_text_lies_on_another(name):
    figure = GALLERY[name]()
    figure.draw_without_rendering()
    for ax in figure.axes:
        boxes = [(each.get_text(), each.get_window_extent()) for each in drawn_texts(ax)]
        for (one, box), (other, second) in combinations(boxes, 2):
            across = min(box.x1, second.x1) - max(box.x0, second.x0)
            along = min(box.y1, second.y1) - max(box.y0, second.y0)
            assert across < 1 or along < 1, f"{one!r} and {other!r}"


@pytest.mark.parametrize("plot", [figures.dots, figures.bars])
@pytest.mark.parametrize("name", ["popularity", "self-attention", "a wandering elephant"])
def test_a_name_below_is_never_broken_inside_a_word(plot, name):
    whole = name.replace("-", "- ").split()
    for size in (2.5, 3, 3.5, 4, 5, 6, 8):
        (ax,) = figures.panels(size=(size, 3))[1]
        plot([name] * 5, range(5), "Five names.", ax=ax).draw_without_rendering()
        labels = ax.get_xticklabels()
        if any(label.get_rotation() for label in labels):
            continue
        for label in labels:
            written = label.get_text().replace("…", "").replace("-", "- ").split()
            assert written == whole[: len(written)], f"{size} inches: {label.get_text()!r}"
        boxes = [label.get_window_extent() for label in labels]
        assert all(left.x1 < right.x0 for left, right in pairwise(boxes)), f"{size} inches"


@pytest.mark.parametrize(
    "plot",
    [
        lambda size: figures.heatmap(np.eye(3) * size, title="One."),
        lambda size: figures.heatmap(np.eye(9) * size, title="One."),
        lambda size: figures.bars("ABC", [size, 2, 3], "One.", "item", "events"),
        lambda size: figures.lines([0, 1], {"a": [size, 1]}, "One.", "x", "y"),
        lambda size: figures.scatter([0, 1], [size, 1], "One.", "x", "y"),
    ],
)
def test_the_axes_do_not_move_with_the_data(plot):
    # A layout engine would: the tick labels of 1,000,000 are wider than those of 1.
    small, large = plot(1), plot(1e6)
    for figure in (small, large):
        figure.draw_without_rendering()
    for one, other in zip(small.axes, large.axes, strict=True):
        assert one.get_position().bounds == other.get_position().bounds


def test_series_differ_without_their_colours():
    (ax,) = figures.lines([0, 1], {name: [0, 1] for name in "abcdef"}).axes
    assert len({str(line._dash_pattern) for line in ax.lines}) == 6
    assert len({line.get_marker() for line in ax.lines}) == 6
    (ax,) = figures.bars("AB", {name: [0, 1] for name in "abcdef"}).axes
    assert len({container[0].get_hatch() for container in ax.containers}) == 6


@pytest.mark.parametrize("scale", [1, 1.5, 2])
def test_a_png_has_the_size_in_device_pixels(scale):
    assert Image.open(BytesIO(figures.png(two_panels(), scale))).size == (800 * scale, 320 * scale)


@pytest.mark.parametrize("name", GALLERY)
def test_a_compact_picture_looks_the_same(name):
    full = figures.png(GALLERY[name]())
    few = Image.open(BytesIO(figures.compact(full)))
    assert few.mode == "P"
    one, two = (np.asarray(Image.open(BytesIO(full))), np.asarray(few.convert("RGB")))
    off = np.abs(one.astype(float) - two)
    assert np.median(off) == 0  # paper and flat areas are exact
    assert off.mean() < 0.5  # of 255


@pytest.mark.parametrize("name", GALLERY)
def test_a_stored_picture_is_small_and_the_same_at_each_run(name):
    one, two = (figures.compact(figures.png(GALLERY[name]())) for _ in range(2))
    assert one == two
    assert len(one) < 20_000  # a notebook of under 300 kB keeps each picture twice


def test_a_figure_shows_itself_with_its_alt_text():
    figure = figures.bars(["A & B"], [1], "One.", "item", "events")
    bundle = figure._repr_mimebundle_()
    assert bundle["text/plain"] == figures.alt_text(figure)
    assert 'alt="One. events against item. Bars: A &amp; B 1."' in bundle["text/html"]


def test_no_pyplot_is_loaded():
    # pyplot keeps every figure it makes, and a notebook would show it a second time.
    code = "import recsys_lab.page.figures, sys; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("plot", "told"),
    [
        (lambda: figures.heatmap([1, 2]), r"matrix has shape \(2,\)"),
        (lambda: figures.heatmap([[1, 2]], rows=["a", "b"]), "rows has 2 labels for 1"),
        (lambda: figures.heatmap([[1, 2]], columns=["a"]), "columns has 1 labels for 2"),
        (lambda: figures.bars(["a"], [1, 2]), "heights has 2 values for 1 names"),
        (lambda: figures.bars(["a"], {"s": [1, 2]}), "heights of 's' has 2 values for 1 names"),
        (lambda: figures.lines([1], {"s": [1, 2]}), "series 's' has 2 values for 1 of x"),
        (lambda: figures.scatter([1], [1, 2]), "x has 1 values and y has 2"),
        (lambda: figures.panels(2, widths=[1]), "one positive width for each panel"),
        (lambda: figures.panels(0), "at least one panel"),
        (lambda: figures.bars([], []), "names is empty: give at least one"),
        (lambda: figures.bars([], [], horizontal=True), "names is empty"),
        (lambda: figures.dots([], []), "names is empty"),
        (lambda: figures.bars(None, [1]), "names is a NoneType: give a list"),
        (lambda: figures.bars(["a"], {}), "heights is an empty dict"),
        (lambda: figures.lines([1], [1]), "series is a list: give a dict"),
        (lambda: figures.scatter([1, 2], [1, 2], names=["a"]), "names has 1 labels for 2"),
    ],
)
def test_bad_input_is_told_in_one_sentence(plot, told):
    with pytest.raises(ValueError, match=told):
        plot()


WITH_NUMBERS = {
    "matrix": lambda given: figures.heatmap([[given, 1]]),
    "heights": lambda given: figures.bars(["a", "b"], [given, 1]),
    "values": lambda given: figures.dots(["a", "b"], {"s": [given, 1]}),
    "series 's'": lambda given: figures.lines([1, 2], {"s": [given, 1]}),
    "x": lambda given: figures.scatter([given, 1], [1, 2]),
    "y": lambda given: figures.scatter([1, 2], [given, 1]),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("argument", WITH_NUMBERS)
@pytest.mark.parametrize("given", [1j, "many", [1, 2], 1e308, np.datetime64("2020-01-01")], ids=str)
def test_what_is_no_number_to_draw_is_told_by_its_argument(argument, given):
    with pytest.raises(ValueError, match=f"^{argument} holds .*(give numbers|put NaN)"):
        WITH_NUMBERS[argument](given)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("argument", WITH_NUMBERS)
def test_a_gap_is_drawn_without_a_warning(argument):
    figures.png(WITH_NUMBERS[argument](np.nan))


def test_a_mask_is_not_lost():
    masked = np.ma.masked_array([1.0, 2], [True, False])
    with pytest.raises(ValueError, match=r"heights is a masked array.*NaN"):
        figures.bars(["a", "b"], masked)


def test_letters_that_the_font_lacks_are_told_once_and_not_each_at_each_draw():
    # In a process of its own: pytest has filters of its own, and matplotlib's words are kept out by
    # one. Of a figure that is not ours they are let through.
    code = """
        from io import BytesIO
        from matplotlib.figure import Figure
        from recsys_lab.page import figures
        named = figures.bars(["数据", "🎬"], [2, 1], "é, ≤ and … are in the font.")
        figures.png(figures.bars(["é"], [1], "é, ≤ and … are in the font."))
        print("drawn", flush=True)
        for _ in range(2):
            figures.png(named)
        assert "数据 2, 🎬 1" in figures.alt_text(named)
        print("told", flush=True)
        other = Figure()
        other.text(0, 0, "据")
        other.savefig(BytesIO(), format="png")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    drawn, told = done.stdout.split("told\n")
    assert drawn.startswith(
        "drawn\n<string>:9: UserWarning: The font of the pictures lacks letters"
    )
    assert drawn.count("Warning") == 1 and "Glyph" not in drawn
    assert told.count("Glyph") == 1


def test_filters_that_a_cell_sets_beside_a_draw_stay(monkeypatch):
    def sets_one():
        warnings.simplefilter("ignore", BytesWarning)

    monkeypatch.setattr(figures, "_go_on", sets_one)
    with warnings.catch_warnings():
        figures.png(figures.bars(["A"], [2]))
        assert warnings.filters[0][:3] == ("ignore", None, BytesWarning)


def test_a_name_is_no_formula_and_no_control_character():
    names = ["$\\frac{$", "Ca$h and $tuff", "a\0b", "\ud800"]
    figure = figures.bars(names, [1, 2, 3, 4])
    figures.png(figure)
    ticks = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert ticks[1].replace(r"\$", "$") == "Ca$h and $tuff" and ticks[1].count(r"\$") == 2
    assert "Ca$h and $tuff 2, a b 3" in figures.alt_text(figure)
    figures.png(figures.scatter([1], [1], names=names[:1]))


def test_intervals_are_drawn_where_they_belong_and_told():
    figure = figures.bars(["A", "B"], [3, 1], interval=([2, 0.5], [4, 1.5]))
    (strokes,) = figure.axes[0].collections
    assert [stroke.tolist() for stroke in strokes.get_segments()] == [
        [[0, 2], [0, 4]],
        [[1, 0.5], [1, 1.5]],
    ]
    assert "Intervals: 2 to 4; 0.5 to 1.5." in figures.alt_text(figure)
    figure = figures.lines([0, 5], {"fit": [3, 1]}, intervals={"fit": ([2, 0], [4, 2])})
    assert "Intervals of fit: 2 to 4; 0 to 2." in figures.alt_text(figure)


def test_a_rounding_error_below_zero_is_written_without_its_sign():
    figure = figures.heatmap([[-1e-16, -0.5]], ["u"], ["A", "B"])
    assert "u: A 0.00, B -0.50." in figures.alt_text(figure)


def test_points_over_a_line_leave_room_for_a_legend_of_both():
    figure = figures.lines([0, 1], {"a curve": [0, 1]}, "One curve.")
    figure = figures.scatter([0, 1], [1, 0], ax=figure.axes[0], label="points")
    (legend,) = [one for one in (ax.get_legend() for ax in figure.axes) if one] or figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["a curve", "points"]
    figure.draw_without_rendering()
    title = figure.axes[0]._left_title.get_window_extent()
    assert not title.overlaps(legend.get_window_extent())


def test_a_films_title_is_whole_beside_its_bar_as_far_as_there_is_room():
    title = "Star Wars: Episode IV - A New Hope"
    for inches, films, written in [
        (8, 2, title),
        (5, 2, "Star Wars: Episode IV - A\nNew Hope"),
        (5, 12, "Star Wars: Episode IV -…"),
    ]:
        _figure, (ax,) = figures.panels(size=(inches, 3))
        figures.bars([title] + ["Heat"] * (films - 1), range(films), horizontal=True, ax=ax)
        assert written in [tick.get_text() for tick in ax.get_yticklabels()]


def test_names_of_two_lines_beside_bars_do_not_touch():
    names = ["Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb"] * 7
    figure = figures.bars(names, range(7), horizontal=True)
    figure.draw_without_rendering()
    boxes = [tick.get_window_extent() for tick in figure.axes[0].get_yticklabels()]
    assert all(not one.overlaps(other) for one, other in pairwise(boxes))
    assert boxes[0].x0 >= 0
