"""Plots that return a Figure: the same colours for the same things, and alt text from the data.

The colours are Okabe and Ito's colour-blind-safe set (https://jfly.uni-koeln.de/color/); its sky
blue and orange are darkened, so that every colour has a contrast of 3 to 1 on white and on the dark
theme. A marker, a dash or a hatch always says the same as the colour.

Every plot is drawn into axes at fixed positions: a layout engine doubles the time of a draw, and
lets the picture jump when a slider moves.
"""

import functools
import math
import re
import textwrap
import threading
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from io import BytesIO
from itertools import pairwise
from numbers import Real

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.image import BboxImage
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox, TransformedBbox
from PIL import Image

from .alt_text import MOST_CELLS, alt_text, rounded

USERS = "#0072B2"
ITEMS = "#D55E00"
FIT = "#009E73"
PENALTY = "#CC79A7"
TRAIN = "#3A95C7"
HELD_OUT = "#B98000"
COLOURS = (USERS, ITEMS, FIT, PENALTY, TRAIN, HELD_OUT)

SIZE = (8.0, 3.2)  # inches: 800 x 320 CSS pixels at 100 dots an inch
DPI = 100
_MARKERS = ("o", "s", "^", "D", "v", "P")
_DASHES = ("-", "--", ":", "-.", (0, (6, 1)), (0, (1, 1)))
_HATCHES = ("", "///", "...", "xxx", "\\\\\\", "ooo")
_CHARACTER = 0.078  # inches of a character at the tick labels' size, on average
_LONGEST_NAME = 36  # characters of a name written on an axis
DARK_PAPER, DARK_INK = "#111111", "#e2e2e2"  # JupyterLab's dark background, and ink on it
# Cells: none is like the paper, much is deep on white and bright on black, negative is vermillion.
_LIGHT_CELLS = ("#5c2800", "#D55E00", "#f7f7f7", "#4a9fd0", "#003a5e")
_DARK_CELLS = ("#ffc9a3", "#D55E00", "#20262b", "#0072B2", "#b5deff")

# JupyterLab answers widgets in a thread of their own, and matplotlib's settings are global: who
# draws has them alone.
_drawing = threading.RLock()
_themes = 0  # that are on


def _go_on() -> None:
    """Go on drawing: what `theme` was given takes the place of this."""


def _own_settings() -> dict:
    """Return the defaults of those settings that a reader's matplotlibrc or a cell has changed."""
    # The backend is how a cell shows what pyplot draws, which is no matter of ours.
    return {
        name: default
        for name, default in matplotlib.rcParamsDefault.items()
        if name != "backend" and dict.__getitem__(matplotlib.rcParams, name) != default
    }


def _alone(plot: Callable) -> Callable:
    """Make a plot begin from matplotlib's defaults, and wait for another thread's theme to end."""

    @functools.wraps(plot)
    def waits(*args, **kwargs):
        with _drawing:
            if _themes:
                _go_on()
                return plot(*args, **kwargs)
            with matplotlib.rc_context(_own_settings()):
                return plot(*args, **kwargs)

    return waits


@contextmanager
def theme(dark: bool, go_on: Callable[[], None] | None = None) -> Iterator[None]:
    """Let figures that are made and drawn inside have the light or the dark theme's colours.

    All other settings are matplotlib's defaults, whatever stands in a reader's matplotlibrc.
    `go_on` is called before each plot and each artist, and may raise to end the drawing.

    >>> with theme(dark=True):
    ...     figure = bars(["A", "B"], [3, 1], "Item A was bought most often.")
    >>> figure.get_facecolor()[:3] == to_rgb("#111111")
    True
    """
    paper, ink = (DARK_PAPER, DARK_INK) if dark else ("white", "black")
    colours = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), paper)
    inked = ["text.color", "axes.labelcolor", "axes.titlecolor", "axes.edgecolor"]
    inked += ["xtick.color", "ytick.color", "patch.edgecolor"]
    colours |= dict.fromkeys(inked, ink)
    colours |= {
        "legend.facecolor": paper,
        "grid.color": "#555555" if dark else "#cccccc",
    }
    colours |= {"axes.prop_cycle": matplotlib.cycler(color=COLOURS)}
    global _themes, _go_on
    with _drawing, matplotlib.rc_context(_own_settings() | colours):
        before = _go_on
        _themes, _go_on = _themes + 1, go_on or before
        try:
            yield
        finally:
            _themes, _go_on = _themes - 1, before


class Picture(Figure):
    """A Figure that a notebook shows with its alt text, without pyplot and its global state."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        FigureCanvasAgg(self)
        self.panel_boxes = {}  # axes -> (left, right) of their panel, as shares of the width

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        picture = b64encode(compact(png(self))).decode("ascii")
        text = alt_text(self)
        image = f'<img alt="{escape(text)}" src="data:image/png;base64,{picture}">'
        return {"image/png": picture, "text/html": image, "text/plain": text}


@_alone
def panels(
    count: int = 1,
    *,
    widths: Sequence[float] | None = None,
    size: tuple[float, float] = SIZE,
) -> tuple[Picture, list[Axes]]:
    """Return a figure with `count` axes side by side, for the plots of this module to draw into.

    Parameters
    ----------
    count : number of panels.
    widths : their relative widths; equal if not given.
    size : width and height of the figure in inches. Keep it the same for all values of a slider.

    Examples
    --------
    >>> figure, (left, right) = panels(2, widths=(1, 2))
    >>> _ = bars(["A", "B"], [3, 1], "Item A was bought most often.", ax=left)
    >>> _ = lines([1, 2, 3], {"train": [3, 2, 1]}, "The error falls.", "epoch", "error", ax=right)
    >>> len(figure.axes)
    2
    """
    shares = np.ones(count) if widths is None else np.asarray(widths, dtype=float)
    if len(shares) != count or count < 1 or not (shares > 0).all():
        raise ValueError(
            f"widths={widths!r} with count={count!r}: give one positive width for each panel, "
            "and at least one panel"
        )
    edges = np.concatenate([[0.0], np.cumsum(shares / shares.sum())])
    figure = Picture(figsize=size, dpi=DPI)
    axes = []
    for left, right in pairwise(edges):
        ax = figure.add_axes((left + 0.07, 0.17, right - left - 0.09, 0.7))
        ax.spines[["top", "right"]].set_visible(False)
        figure.panel_boxes[ax] = (left, right)
        axes.append(ax)
    return figure, axes


@_alone
def heatmap(
    matrix,
    rows: Sequence | None = None,
    columns: Sequence | None = None,
    title: str = "",
    xlabel: str = "item",
    ylabel: str = "user",
    *,
    limits: tuple[float, float] | None = None,
    digits: int = 2,
    unit: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Draw a matrix as coloured cells; values are written into them when there are at most 40.

    Parameters
    ----------
    matrix : m x n numbers; a NaN leaves its cell empty (hatched): not observed.
    rows, columns : the m and n labels; positions if not given.
    title : the picture's one message, as a sentence.
    xlabel, ylabel : what the columns and the rows are.
    limits : the values at the two ends of the colours. Give them when a slider moves the matrix, or
        the colours change their meaning from step to step. From the data if not given, symmetric
        around 0 if there are negative values.
    digits : decimals of the written values.
    unit : what the values are, for the colour bar and the alt text, such as "score".
    ax : axes from `panels`; a figure of its own if not given.

    Examples
    --------
    >>> figure = heatmap([[1, 0], [0, 1]], ["u", "v"], ["A", "B"], "Tastes differ.", digits=0)
    >>> print(alt_text(figure))
    Tastes differ. Heat map of user by item. u: A 1, B 0; v: A 0, B 1.
    """
    values = _numbers(matrix, "matrix")
    if values.ndim != 2 or values.size == 0:
        raise ValueError(
            f"matrix has shape {values.shape}: give a dense matrix of rows x columns with a cell"
        )
    rows = _names(rows, values.shape[0], "rows")
    columns = _names(columns, values.shape[1], "columns")
    ax = ax if ax is not None else panels()[1][0]
    finite = values[np.isfinite(values)]
    low, high = limits if limits is not None else _value_range(finite)
    colours = _cell_colours(signed=low < 0)
    written = values.size <= MOST_CELLS
    if not np.isfinite(values).all():
        ax.patch.set(hatch="////", edgecolor="#888888")
    image = ax.imshow(values, cmap=colours, vmin=low, vmax=high, aspect="auto")
    image.set_label(unit)
    written_rows = _names_at_left(ax, rows)
    # Room for tick labels is known before they are drawn, from their number of characters.
    wide = _room(ax, title, xlabel, ylabel, names=written_rows, right=0.1 if written else 0.75)
    _names_below(ax, columns, wide)
    ax.spines[:].set_visible(False)
    ax.tick_params(left=False, bottom=False)
    if written:
        scale = Normalize(low, high)
        for i, j in np.argwhere(np.isfinite(values)):
            ground = _luminance(colours(scale(values[i, j])))
            ax.text(
                j,
                i,
                f"{values[i, j]:z.{digits}f}",  # z: no -0.00, whose sign is a rounding error
                ha="center",
                va="center",
                color="black" if ground > 0.18 else "white",
                gid="cell",
            )
    else:
        _colour_bar(ax, colours, low, high, unit)
    return ax.figure


@_alone
def lines(
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    *,
    colours: Mapping[str, str] | None = None,
    intervals: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw one line for each named series over the same `x`, each with its own dash and marker.

    Parameters
    ----------
    x : n numbers.
    series : name -> n numbers; NaN leaves a gap.
    title : the picture's one message, as a sentence.
    xlabel, ylabel : what is on the axes, with the unit.
    colours : name -> colour; the constants of this module in turn where not given.
    intervals : name -> (n lower ends, n upper ends), drawn as a stroke at each point.
    xlim, ylim : fixed ends of the axes: give them when a slider moves the lines.
    ax : axes from `panels`; a figure of its own if not given.

    Examples
    --------
    >>> print(alt_text(lines([1, 2, 3], {"train": [3, 2, 1]}, "It falls.", "epoch", "error")))
    It falls. error against epoch. Line train: 1, 3; 2, 2; 3, 1.
    """
    x, _ = np.asarray(x), _numbers(x, "x")
    series = _series(series, "series")
    ax = ax if ax is not None else panels()[1][0]
    colours = colours or {}
    for number, (name, y) in enumerate(series.items()):
        y = _numbers(y, f"series {name!r}")
        if y.shape != x.shape:
            raise ValueError(
                f"series {name!r} has {y.size} values for {x.size} of x: give one for each"
            )
        ax.plot(
            x,
            y,
            color=colours.get(name, COLOURS[number % len(COLOURS)]),
            linestyle=_DASHES[number % len(_DASHES)],
            # A marker on each of many points hides the line.
            marker=_MARKERS[number % len(_MARKERS)],
            markevery=max(1, x.size // 12),
            markersize=5,
            label=str(name),
        )
        if intervals and name in intervals:
            _strokes(ax, x, *intervals[name], colour=ax.lines[-1].get_color(), label=name)
    _limits(ax, xlim, ylim)
    _few_ticks(ax)
    _room(ax, title, xlabel, ylabel, legend=len(series) > 1)
    return ax.figure


@_alone
def bars(
    names: Sequence,
    heights: Sequence[float] | Mapping[str, Sequence[float]],
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    *,
    colours: str | Sequence[str] | Mapping[str, str] | None = None,
    interval: tuple[Sequence[float], Sequence[float]] | None = None,
    horizontal: bool = False,
    ylim: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw a bar for each name, or a group of bars if `heights` maps names of series to heights.

    Parameters
    ----------
    names : n names, or n numbers.
    heights : n numbers; or series name -> n numbers.
    title : the picture's one message, as a sentence.
    xlabel, ylabel : what is written below and at the left, with the unit, also if `horizontal`.
    colours : one colour, one for each bar, or series name -> colour. In a group each series also
        has its hatch.
    interval : n lower and n upper ends, drawn as a stroke on each bar; for a single upright series.
    horizontal : bars to the right, names at the left, the first on top: for long names.
    ylim : fixed ends of the axis of the heights: give it when a slider moves the bars.
    ax : axes from `panels`; a figure of its own if not given.

    Examples
    --------
    >>> print(alt_text(bars(["A", "B"], [3, 1], "Item A leads.", "item", "events")))
    Item A leads. events against item. Bars: A 3, B 1.
    """
    names = _some_names(names)
    series = _series(heights, "heights", alone=True)
    ax = ax if ax is not None else panels()[1][0]
    thick = 0.8 / len(series)
    for number, (label, values) in enumerate(series.items()):
        values = _numbers(values, "heights", finite=True)
        if values.shape != (len(names),):
            raise ValueError(
                f"heights{f' of {label!r}' if label else ''} has {values.size} values for "
                f"{len(names)} names: give one for each"
            )
        colour = colours.get(label) if isinstance(colours, Mapping) else colours
        at = np.arange(len(names)) + (number - (len(series) - 1) / 2) * thick
        draw, size = (ax.barh, "height") if horizontal else (ax.bar, "width")
        container = draw(
            at,
            values,
            color=colour or COLOURS[number % len(COLOURS)],
            hatch=_HATCHES[number % len(_HATCHES)],
            edgecolor=matplotlib.rcParams["axes.facecolor"],
            linewidth=0,
            label=str(label),
            **{size: thick},
        )
        for bar, name in zip(container, names, strict=True):
            bar.set_gid(name)  # a name that alt text can read, also where no tick stands
    if interval is not None:
        # Half of a stroke lies on the bar, where the dark theme's pale grey would be hard to see.
        ink = "white" if _is_dark() else "black"
        _strokes(ax, np.arange(len(names)), *interval, colour=ink, label="")
    legend = len(series) > 1
    if horizontal:
        ax.invert_yaxis()
        _limits(ax, ylim, None)
        _few_ticks(ax, "x")
        _room(ax, title, xlabel, ylabel, names=_names_at_left(ax, names), legend=legend)
    else:
        _limits(ax, None, ylim)
        _few_ticks(ax, "y")
        wide = _room(ax, title, xlabel, ylabel, legend=legend)
        _names_below(ax, names, wide)
    return ax.figure


@_alone
def dots(
    names: Sequence,
    values: Sequence[float] | Mapping[str, Sequence[float]],
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    *,
    colours: str | Sequence[str] | Mapping[str, str] | None = None,
    interval: tuple | Mapping[str, tuple] | None = None,
    level: float | None = None,
    ylim: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw a dot above each name, with its interval; several beside each other for several series.

    Parameters
    ----------
    names : n names.
    values : n numbers; or series name -> n numbers.
    title : the picture's one message, as a sentence.
    xlabel, ylabel : what is on the axes, with the unit.
    colours : one colour, one for each name, or series name -> colour. Each series has its marker.
    interval : n lower and n upper ends, drawn as strokes; or series name -> such a pair.
    level : where to draw a level line, such as 0 below differences.
    ylim : fixed ends of the axis of the values: give it when a slider moves the dots.
    ax : axes from `panels`; a figure of its own if not given.

    Examples
    --------
    >>> figure = dots(["A", "B"], [3, 1], "A leads.", "", "score", interval=([2, 0], [4, 2]))
    >>> print(alt_text(figure))
    A leads. Axis: score. Points: A 3, B 1. Intervals: 2 to 4; 0 to 2.
    """
    names = _some_names(names)
    series = _series(values, "values", alone=True)
    ends = interval if isinstance(interval, Mapping) else {"": interval}
    ax = ax if ax is not None else panels()[1][0]
    if level is not None:
        ax.axhline(level, color="0.5", lw=1, zorder=0)
    for number, (label, heights) in enumerate(series.items()):
        heights = _numbers(heights, "values", finite=True)
        if heights.shape != (len(names),):
            raise ValueError(
                f"values{f' of {label!r}' if label else ''} has {heights.size} numbers for "
                f"{len(names)} names: give one for each"
            )
        colour = colours.get(label) if isinstance(colours, Mapping) else colours
        colour = colour or COLOURS[number % len(COLOURS)]
        at = np.arange(len(names)) + (number - (len(series) - 1) / 2) * 0.7 / len(series)
        marker = _MARKERS[number % len(_MARKERS)]
        points = ax.scatter(at, heights, s=45, c=colour, marker=marker, label=label or "_dots")
        points.set_gid("dots")
        if ends.get(label) is not None:
            _strokes(ax, at, *ends[label], colour=colour, label=label)
    ax.set_xlim(-0.6, len(names) - 0.4)
    _limits(ax, None, ylim)
    _few_ticks(ax, "y")
    wide = _room(ax, title, xlabel, ylabel, legend=len(series) > 1)
    _names_below(ax, names, wide)
    return ax.figure


@_alone
def scatter(
    x: Sequence[float],
    y: Sequence[float],
    title: str = "",
    xlabel: str = "",
    ylabel: str = "",
    *,
    label: str = "",
    names: Sequence | None = None,
    colour: str = USERS,
    marker: str = "o",
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw n points, with their names if given; call it again with `ax` for another group.

    Parameters
    ----------
    x, y : n numbers each.
    title : the picture's one message, as a sentence.
    xlabel, ylabel : what is on the axes, with the unit.
    label : the group's name, for the legend and the alt text.
    names : n names to write beside the points: for a few points only.
    colour, marker : of the group. Give each group its own marker: colour never stands alone.
    xlim, ylim : fixed ends of the axes: give them when a slider moves the points.
    ax : axes from `panels` or of an earlier call; a figure of its own if not given.

    Examples
    --------
    >>> print(alt_text(scatter([0, 1], [2, 3], "Two users.", "comedy", "drama", label="users")))
    Two users. drama against comedy. Points users: 0, 2; 1, 3.
    """
    x, y = _numbers(x, "x"), _numbers(y, "y")
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"x has {x.size} values and y has {y.size}: give one of each for a point")
    named = names is not None
    ax = ax if ax is not None else panels()[1][0]
    many = x.size > 300
    points = ax.scatter(x, y, s=9 if many else 45, c=colour, marker=marker, label=label)
    if many:
        # Where they lie on each other it gets darker; the outline keeps a single one in sight.
        points.set(facecolor=(colour, 0.5), edgecolor=colour)
    for name, *at in zip(_names(names, x.size, "names"), x, y, strict=True) if named else ():
        ax.annotate(
            name, at, xytext=(6, 4), textcoords="offset points", fontsize=9, parse_math=False
        )
    _limits(ax, xlim, ylim)
    _few_ticks(ax)
    groups = [each for each in ax.collections if isinstance(each, PathCollection)]
    # Points may lie over `lines`, which are in the legend too.
    groups += [line for line in ax.lines if not line.get_label().startswith("_")]
    _room(
        ax,
        title or ax.get_title(loc="left"),
        xlabel or ax.get_xlabel(),
        ylabel or ax.get_ylabel(),
        legend=len(groups) > 1,
    )
    return ax.figure


@_alone
def tiles(
    pictures,
    names: Sequence,
    title: str = "",
    *,
    columns: int = 5,
    rows: int | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw small pictures in rows, each with its name below.

    Parameters
    ----------
    pictures : n x h x w x 3 numbers, 0 to 255.
    names : n texts, written in two lines at most; a long one is cut.
    title : the picture's one message, as a sentence.
    columns : pictures in a row.
    rows : room for so many rows, also where there are fewer pictures: give it when a slider moves.
    ax : axes from `panels`; a figure of its own if not given.

    Examples
    --------
    >>> white = np.full((2, 4, 4, 3), 255)
    >>> print(alt_text(tiles(white, ["snow", "milk"], "White.")))
    White. Pictures: snow, milk.
    """
    pictures = np.asarray(pictures)
    if pictures.ndim != 4 or pictures.shape[-1] != 3:
        raise ValueError(f"pictures has shape {pictures.shape}: give n x h x w x 3 numbers")
    names = _names(names, len(pictures), "names")
    ax = ax if ax is not None else panels()[1][0]
    _room(ax, title, "", "", names=("",))
    rows = rows or max(1, -(-len(pictures) // columns))
    _, high, wide, _ = pictures.shape
    down, right = round(1.75 * high), round(1.75 * wide)  # with two lines of text below each
    wall = np.zeros((rows * down, columns * right, 4), dtype=np.uint8)  # transparent
    two_lines = textwrap.TextWrapper(9, break_long_words=False, max_lines=2, placeholder="…").wrap
    for number, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        top, left = number // columns * down, number % columns * right
        wall[top : top + high, left : left + wide] = np.dstack(
            [picture.astype(np.uint8), np.full((high, wide), 255, dtype=np.uint8)]
        )
        place = {"ha": "center", "va": "top", "fontsize": 7, "gid": "cell"}
        lines = two_lines(str(name))
        ax.text(left + wide / 2, top + high + 1, "\n".join(lines), **place)
    ax.imshow(wall, interpolation="nearest").set_label(", ".join(names) or "none")
    ax.set(xlim=(-0.375 * wide, columns * right - 0.375 * wide), ylim=(rows * down, 0))
    ax.set_aspect("equal", anchor="NW")
    ax.set_axis_off()
    return ax.figure


@_alone
def png(figure: Figure, scale: float = 1.0) -> bytes:
    """Draw a figure and return it as a PNG, `scale` times 100 dots an inch.

    Compressed at level 1 only (5 ms): level 9 costs 40 ms a picture. For storage see `compact`.

    >>> png(bars(["A"], [1]))[1:4]
    b'PNG'
    """
    figure.set_dpi(DPI * scale)
    canvas = FigureCanvasAgg(figure)
    # Agg has no groups of its own; matplotlib opens one for each line, text and tick.
    canvas.get_renderer().open_group = lambda name, gid=None: _go_on()
    canvas.draw()
    _tell_once_of_missing_letters(figure)
    drawn = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
    stream = BytesIO()
    drawn.convert("RGB").save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def compact(picture: bytes) -> bytes:
    """Return a PNG in at most 256 colours and half the bytes, for a notebook to store.

    Median cut takes 20 ms and keeps flat areas exact; the octree takes 2 ms, which would do while a
    slider moves, but gives a paper and bars that are up to 4 of 255 off.
    """
    few = Image.open(BytesIO(picture)).quantize(
        256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    stream = BytesIO()
    few.save(stream, "PNG", optimize=True)
    return stream.getvalue()


# What a reader gives


def _numbers(values, name: str, *, finite: bool = False) -> np.ndarray:
    """Return real numbers as floats; NaN is a gap, and with ``finite`` infinity is refused."""
    if isinstance(values, np.ma.MaskedArray):
        raise ValueError(
            f"{name} is a masked array, and its mask would be lost: put NaN there "
            "(values.filled(np.nan))"
        )
    try:
        numbers = np.asarray(values)
        texts = numbers.dtype.kind == "O" and not all(isinstance(n, Real) for n in numbers.flat)
        if texts or numbers.dtype.kind in "cmMSU":
            raise TypeError
        numbers = numbers.astype(float)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} holds what is no real number, or rows of unequal length: give numbers"
        ) from None
    large = numbers[np.abs(numbers) > 1e300]  # NaN is not
    large = large if finite else large[np.isfinite(large)]
    if large.size:
        raise ValueError(f"{name} holds {large[0]:g}, which no axis can show: put NaN there")
    return numbers


def _series(given, name: str, *, alone: bool = False) -> Mapping:
    """Return name -> numbers; with ``alone`` numbers of one series will do."""
    if not isinstance(given, Mapping):
        if alone:
            return {"": given}
        raise ValueError(f"{name} is a {type(given).__name__}: give a dict of name -> numbers")
    if alone and not given:
        raise ValueError(f"{name} is an empty dict: give at least one series")
    return given


def _some_names(names) -> list[str]:
    try:
        count = len(names)
    except TypeError:
        raise ValueError(f"names is a {type(names).__name__}: give a list of names") from None
    if not count:
        raise ValueError("names is empty: give at least one name")
    return _names(names, count, "names")


# In the place of what matplotlib says of each letter at each draw. A filter for good: one around
# each draw would take back what a cell sets that runs beside it, for filters are the process's.
warnings.filterwarnings("ignore", r"Glyph \d+ ", UserWarning, re.escape(__name__))
_boxes_told = False


def _tell_once_of_missing_letters(figure: Figure) -> None:
    global _boxes_told
    if _boxes_told:
        return
    written = "".join(text.get_text() for text in figure.findobj(Text))
    if written.isascii():  # most are, and the font has all of it
        return
    letters = get_font(findfont(FontProperties())).get_charmap()
    if any(ord(letter) not in letters for letter in written if letter != "\n"):
        _boxes_told = True
        warnings.warn(
            "The font of the pictures lacks letters of a name, which are boxes there: read "
            "that name in the text below the picture, or from alt_text(figure).",
            stacklevel=4,
        )


# Room, ticks and limits


def _room(
    ax: Axes,
    title: str,
    xlabel: str,
    ylabel: str,
    *,
    names: Sequence[str] = ("00000",),
    legend: bool = False,
    right: float = 0.1,
) -> float:
    """Place the axes in their panel with room for their texts, and return their width in inches."""
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    if legend:
        ax.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=6,
            frameon=False,
            borderaxespad=0.1,
            handlelength=2.6,
            columnspacing=1.4,
            fontsize=9,
        )
    box = getattr(ax.figure, "panel_boxes", {}).get(ax)
    if box is None:  # axes of the reader's own stay where the reader put them
        ax.set_title(title, loc="left")
        return ax.get_position().width * ax.figure.get_figwidth()
    width, height = ax.figure.get_size_inches()
    start = box[0] * width + 0.14 + 0.22 * bool(ylabel) + _CHARACTER * max(map(len, names))
    end = box[1] * width - right
    text = textwrap.fill(title, max(20, int((box[1] * width - start) / 0.088)))
    bottom = 0.3 + 0.22 * bool(xlabel)
    top = height - 0.12 - 0.19 * (text.count("\n") + 1) * bool(text) - 0.24 * legend
    ax.set_position(
        (start / width, bottom / height, (end - start) / width, (top - bottom) / height)
    )
    # With `y` given, matplotlib need not measure all tick labels to place the title.
    ax.set_title(text, loc="left", y=1, pad=72 * (0.07 + 0.24 * legend), fontsize=11)
    return end - start


def _strokes(ax: Axes, x, low, high, *, colour, label: str) -> None:
    drawn = ax.vlines(x, low, high, colors=colour, linewidth=2, label=f"_{label}")
    drawn.set_gid("interval")


def _names(names: Iterable | None, count: int, argument: str) -> list[str]:
    """Return `count` labels as text that a font can be asked for."""
    texts = [
        "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in str(name))
        for name in (range(count) if names is None else names)
    ]
    if len(texts) != count:
        raise ValueError(f"{argument} has {len(texts)} labels for {count}: give one for each")
    return texts


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _names_at_left(ax: Axes, names: list[str]) -> list[str]:
    """Write a name at each height, or at every n-th if they would touch; return the lines.

    A long name takes two lines, where the bars are far enough apart for them.
    """
    left, right = getattr(ax.figure, "panel_boxes", {}).get(ax, (0, 1))
    inches = (right - left) * ax.figure.get_figwidth()
    most = min(_LONGEST_NAME, int(0.4 * inches / _CHARACTER))
    height = ax.figure.get_figheight()
    wrap = textwrap.TextWrapper(most, max_lines=2, placeholder="…").wrap
    # Inches: what the axes leave each name, and what two lines of its letters need.
    two = 0.72 * height / len(names) > 0.31
    lines = [wrap(name) if two else [_short(name, most)] for name in names]
    written = ["\n".join(each) for each in lines]
    _ticks(ax.yaxis, names, written, every=math.ceil(0.17 * len(names) / (0.6 * height)))
    return [line for each in lines for line in each]


def _names_below(ax: Axes, names: list[str], width: float) -> None:
    """Write names below axes of a width in inches: as they are, in lines, or turned."""
    room = int(width / len(names) / _CHARACTER)  # characters
    longest = max(map(len, names))
    written = names
    lift = 0.0  # inches
    every = 1
    if _are_numbers(names):
        every = math.ceil((longest + 1) / max(room, 1)) if room <= longest else 1
    elif longest > room >= 7 and (lines := _in_lines(names, room, width / len(names) - 0.06)):
        lift = 0.15 * (max(map(len, lines)) - 1)
        written = ["\n".join(each) for each in lines]
    elif longest > room:
        written = [_short(name, 16) for name in names]
        lift = max(map(len, written)) * _CHARACTER - 0.1
        every = math.ceil(0.19 * len(names) / width)
        ax.xaxis.set_tick_params(labelrotation=90)
    _ticks(ax.xaxis, names, written, every)
    if lift and ax in getattr(ax.figure, "panel_boxes", {}):
        box = ax.get_position()
        inches = ax.figure.get_figheight()
        tall = box.height - lift / inches
        ax.set_position((box.x0, box.y0 + lift / inches, box.width, tall))
        ax.xaxis.set_label_coords(0.5, -(0.26 + lift) / (tall * inches))


def _in_lines(names: list[str], room: int, inches: float) -> list[list[str]] | None:
    """Break each name between words, at about `room` characters; None if a line is too wide."""
    wrap = textwrap.TextWrapper(room, break_long_words=False, max_lines=3, placeholder="…").wrap
    lines = [wrap(name) for name in names]
    return lines if all(_inches(line) <= inches for each in lines for line in each) else None


@functools.lru_cache(maxsize=1000)
def _inches(text: str) -> float:
    """Return the width of a text at the tick labels' size."""
    return text_to_path.get_text_width_height_descent(text, FontProperties(size=9), False)[0] / 72


def _ticks(axis, names: list[str], written: list[str], every: int) -> None:
    if _are_numbers(names) and len(names) > 6:
        # The others can be counted off, and each tick costs a millisecond of every draw.
        every = max(every, math.ceil(len(names) / 3))
    axis.set_major_locator(FixedLocator(range(0, len(names), every)))

    def name(at: float, tick: int | None = None) -> str:
        """Return what a tick writes; or the whole name, where alt text asks without a tick."""
        text = dict(enumerate(names if tick is None else written)).get(at, "")
        # A title with two dollar signs is no formula.
        return text if tick is None else text.replace("$", r"\$")

    axis.set_major_formatter(FuncFormatter(name))
    axis.set_tick_params(labelsize=9)


def _are_numbers(names: list[str]) -> bool:
    return all(name.lstrip("-").isdigit() for name in names)


def _few_ticks(ax: Axes, which: str = "xy") -> None:
    """Keep about three ticks an axis: each costs a millisecond of every draw."""
    for letter in which:
        axis = getattr(ax, f"{letter}axis")
        data = [line.get_data()["xy".index(letter)] for line in ax.lines]
        whole = bool(data) and all(
            np.issubdtype(np.asarray(each).dtype, np.integer) for each in data
        )
        if axis.get_scale() == "linear":
            axis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10], integer=whole))
            axis.set_major_formatter(FuncFormatter(_tick_text))
        axis.set_tick_params(labelsize=9)


def _tick_text(value: float, tick: int | None = None) -> str:
    """Return a few characters: an axis label that says "1e6" elsewhere is overlooked."""
    for power, letter, least in ((6, "M", 1e6), (3, "k", 1e4)):
        if abs(value) >= least:
            return f"{value / 10**power:g}{letter}".replace("-", "−")
    return f"{value:.6g}".replace("-", "−")


def _limits(ax: Axes, xlim, ylim) -> None:
    if xlim is not None:
        ax.set_xlim(*xlim)
    if ylim is not None:
        ax.set_ylim(*ylim)


def _value_range(finite: np.ndarray) -> tuple[float, float]:
    if finite.size == 0:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if low < 0:
        low, high = -max(-low, high), max(-low, high)
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _is_dark() -> bool:
    return _luminance(matplotlib.rcParams["axes.facecolor"]) < 0.18


def _cell_colours(signed: bool) -> LinearSegmentedColormap:
    ramp = _DARK_CELLS if _is_dark() else _LIGHT_CELLS
    return LinearSegmentedColormap.from_list("cells", ramp if signed else ramp[2:])


def _colour_bar(ax: Axes, colours: Colormap, low: float, high: float, unit: str) -> None:
    """Draw the key of the colours beside the cells, without the cost of axes of its own."""
    inch = 1 / (ax.get_position().width * ax.figure.get_figwidth())
    left, right = 1 + 0.08 * inch, 1 + 0.21 * inch
    place = TransformedBbox(Bbox([[left, 0], [right, 1]]), ax.transAxes)
    key = BboxImage(place, cmap=colours, origin="lower")
    key.set_data(np.linspace(0, 1, 256)[:, None])
    ax.add_artist(key)
    key.set_clip_on(False)
    written = {0.0: rounded(low), 0.5: rounded((low + high) / 2), 1.0: rounded(high)}
    for at, text in {**written, 1.07: unit}.items():
        side = {"ha": "left"} if at <= 1 else {"ha": "center"}
        x = right + 0.05 * inch if at <= 1 else (left + right) / 2
        ax.text(x, at, text, transform=ax.transAxes, fontsize=9, va="center", gid="key", **side)


def _luminance(colour) -> float:
    """Return the relative luminance of WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
