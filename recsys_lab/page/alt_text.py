"""What a figure shows, in words: alt text that is read off the drawn artists.

It reads any Figure. `figures` helps it along where an artist does not say all: the gid of a bar is
its name, that of a text says "cell" or "key" if the text is part of the plot, that of strokes
says "interval", and that of points above names "dots".
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

MOST_CELLS = 40  # cells told one by one, and written: each costs about a millisecond of every draw
_MOST_LISTED = 12  # values that alt text lists one by one: more are not listened to


def alt_text(figure: Figure) -> str:
    """Say in words what a figure shows, from its own title, labels and data.

    Works on any Figure, also one that was drawn by hand. It reads the artists, so it cannot go
    stale: few values are listed, many are given by their range and by where its ends are.

    >>> from recsys_lab.page.figures import bars
    >>> print(alt_text(bars(["A", "B"], [3, 1], "Item A leads.", "item", "events")))
    Item A leads. events against item. Bars: A 3, B 1.
    """
    told = []
    if figure.get_suptitle():
        told.append(_sentence(figure.get_suptitle()))
    for ax in figure.axes:
        if ax.get_label() != "<colorbar>" and ax.get_visible():
            told += _told_axes(ax)
    return " ".join(told) or "An empty picture."


def rounded(value: float) -> str:
    """Return a number in four digits."""
    text = f"{float(value):.4g}"
    return "0" if text == "-0" else text


def _told_axes(ax: Axes) -> list[str]:
    title = ax.get_title(loc="left") or ax.get_title() or ax.get_title(loc="right")
    xlabel, ylabel = ax.get_xlabel(), ax.get_ylabel()
    told = [_sentence(title)] if title.strip() else []
    for image in ax.images:
        told.append(_told_image(ax, image))
    plots = []
    for container in ax.containers:
        if isinstance(container, BarContainer) and len(container):
            plots.append(_told_bars(ax, container))
    for line in ax.lines:
        plots.append(_told_line(ax, line))
    for points in ax.collections:
        if points.get_gid() == "interval":
            plots.append(_told_intervals(points))
        elif points.get_gid() == "dots":
            plots.append(_told_dots(ax, points))
        elif isinstance(points, PathCollection):
            plots.append(
                _told_points("Points", _label(points), *np.asarray(points.get_offsets()).T)
            )
    if plots and xlabel and ylabel:
        told.append(f"{ylabel} against {xlabel}.")
    elif plots and (xlabel or ylabel):
        told.append(f"Axis: {xlabel or ylabel}.")
    told += [plot for plot in plots if plot]
    notes = [text.get_text() for text in ax.texts if not text.get_gid() and text.get_text()]
    if notes:
        told.append(f"Written in it: {_listed(notes)}.")
    return told


def _told_image(ax: Axes, image) -> str:
    values = np.ma.filled(np.ma.asarray(image.get_array(), dtype=float), np.nan)
    if values.ndim != 2:
        return f"Pictures: {_label(image)}." if _label(image) else "An image."
    rows = _tick_names(ax.yaxis, values.shape[0])
    columns = _tick_names(ax.xaxis, values.shape[1])
    axes = f"{ax.get_ylabel() or 'row'} by {ax.get_xlabel() or 'column'}"
    unit = f", {_label(image)}" if _label(image) else ""
    if values.size <= MOST_CELLS:
        written = {
            text.get_position(): text.get_text() for text in ax.texts if text.get_gid() == "cell"
        }

        def cell(i, j):
            return written.get((j, i)) or (
                rounded(values[i, j]) if np.isfinite(values[i, j]) else "empty"
            )

        table = "; ".join(
            f"{row}: " + ", ".join(f"{column} {cell(i, j)}" for j, column in enumerate(columns))
            for i, row in enumerate(rows)
        )
        return f"Heat map of {axes}{unit}. {table}."
    size = f"{values.shape[0]} x {values.shape[1]}"
    if not np.isfinite(values).any():
        return f"Heat map of {axes}{unit}, {size}, all cells empty."
    empty = int((~np.isfinite(values)).sum())
    low = np.unravel_index(np.nanargmin(values), values.shape)
    high = np.unravel_index(np.nanargmax(values), values.shape)
    return (
        f"Heat map of {axes}{unit}, {size}: from {rounded(values[low])} "
        f"({rows[low[0]]}, {columns[low[1]]}) to {rounded(values[high])} "
        f"({rows[high[0]]}, {columns[high[1]]}), mean {rounded(np.nanmean(values))}"
        + (f", {empty} cells empty." if empty else ".")
    )


def _told_bars(ax: Axes, container: BarContainer) -> str:
    horizontal = container.orientation == "horizontal"
    axis = ax.yaxis if horizontal else ax.xaxis
    ticks = _ticks(axis)
    names, heights = [], []
    for bar in container:
        middle = (
            bar.get_y() + bar.get_height() / 2 if horizontal else bar.get_x() + bar.get_width() / 2
        )
        names.append(bar.get_gid() or ticks.get(middle) or rounded(middle))
        heights.append(bar.get_width() if horizontal else bar.get_height())
    label = _label(container)
    what = f"Bars {label}" if label else "Bars"
    if len(names) <= _MOST_LISTED:
        pairs = zip(names, heights, strict=True)
        return f"{what}: " + ", ".join(f"{name} {rounded(height)}" for name, height in pairs) + "."
    low, high = int(np.nanargmin(heights)), int(np.nanargmax(heights))
    return (
        f"{what}: {len(names)}, from {rounded(heights[low])} ({names[low]}) "
        f"to {rounded(heights[high])} ({names[high]})."
    )


def _told_line(ax: Axes, line) -> str:
    x, y = (np.asarray(each) for each in line.get_data(orig=False))
    if line.get_transform() == ax.get_yaxis_transform(which="grid"):
        return f"Level line{_named(line)} at {rounded(y[0])}."
    if line.get_transform() == ax.get_xaxis_transform(which="grid"):
        return f"Upright line{_named(line)} at {rounded(x[0])}."
    return _told_points("Line", _label(line), x, y)


def _told_dots(ax: Axes, points) -> str:
    at, heights = np.asarray(points.get_offsets()).T
    names = _tick_names(ax.xaxis, int(np.round(at).max()) + 1)
    told = ", ".join(
        f"{names[int(np.round(place))]} {rounded(height)}"
        for place, height in zip(at, heights, strict=True)
    )
    return f"Points{f' {_label(points)}' if _label(points) else ''}: {told}."


def _told_intervals(strokes) -> str:
    name = str(strokes.get_label()).removeprefix("_")
    ends = [
        f"{rounded(stroke[0, 1])} to {rounded(stroke[-1, 1])}" for stroke in strokes.get_segments()
    ]
    told = "; ".join(ends) if len(ends) <= _MOST_LISTED else f"{len(ends)}, first {ends[0]}"
    return f"Intervals{f' of {name}' if name else ''}: {told}."


def _told_points(kind: str, label: str, x, y) -> str:
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    kept = np.isfinite(x) & np.isfinite(y)
    x, y = x[kept], y[kept]
    what = f"{kind} {label}" if label else kind
    if x.size == 0:
        return f"{what}: nothing to draw."
    if x.size <= _MOST_LISTED:
        pairs = zip(x, y, strict=True)
        return f"{what}: " + "; ".join(f"{rounded(a)}, {rounded(b)}" for a, b in pairs) + "."
    low, high = int(np.argmin(y)), int(np.argmax(y))
    ends = f", from {rounded(y[0])} to {rounded(y[-1])}" if kind == "Line" else ""
    return (
        f"{what}: {x.size} points, {rounded(x.min())} to {rounded(x.max())}{ends}, "
        f"lowest {rounded(y[low])} at {rounded(x[low])}, "
        f"highest {rounded(y[high])} at {rounded(x[high])}."
    )


def _ticks(axis) -> dict[float, str]:
    """Return place -> what the tick there writes."""
    texts = [text.get_text() for text in axis.get_ticklabels()]
    return dict(zip(axis.get_ticklocs(), texts, strict=False))


def _tick_names(axis, count: int) -> list[str]:
    name = axis.get_major_formatter()
    if isinstance(name, FuncFormatter):
        return [name(position) for position in range(count)]
    named = _ticks(axis)
    return [named.get(position) or str(position) for position in range(count)]


def _label(artist) -> str:
    """Return the artist's own label; matplotlib's made-up ones begin with an underscore."""
    label = str(artist.get_label() or "")
    return "" if label.startswith("_") else label


def _named(artist) -> str:
    return f" {_label(artist)}" if _label(artist) else ""


def _listed(texts: Sequence[str]) -> str:
    shown = ", ".join(texts[:_MOST_LISTED])
    return shown if len(texts) <= _MOST_LISTED else f"{shown} and {len(texts) - _MOST_LISTED} more"


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."
