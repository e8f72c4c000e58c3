"""Record what a page without a kernel needs: its sliders and questions answer by themselves.

While `python -m tools.handout` runs a lesson, each widget leaves an output more behind: its
controls with a picture for each of their states, a question with its answers. The page's own
script (`static/page.js`) then does the kernel's part.
"""

import math
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product
from typing import Any

import ipywidgets
from IPython.display import display

from . import display as shown
from . import figures
from .widgets import CellGrid, Explorer, label_of, state_of

MIME = "application/vnd.recsys-lab.page+json"
# Pictures a widget, of 10 kB each: a lesson of six stays far below 15 MB. Of a slider every second
# value will do; but lesson 06 asks for two clicks on 15 cells, with four methods: 484; and lesson
# 17 for a row of its wall, with three ways to score: 507.
MOST, MOST_OF_A_GRID = 300, 510


def start() -> None:
    """From now on, let each widget that is shown leave an output with what a page needs."""
    shown.recorder = _record


def _record(about: Any) -> None:
    if isinstance(about, Explorer):
        clicked = any(isinstance(control, CellGrid) for control in about.controls.values())
        about = form(about, MOST_OF_A_GRID if clicked else MOST)
    display({MIME: about}, raw=True)


def form(explorer: Explorer, most: int) -> dict:
    """Return the controls of an explorer, and a frame for each of their states.

    Parameters
    ----------
    explorer : as `explore` shows it, at the defaults.
    most : frames. Where the controls have more states, the slider with the most values keeps
        every second, third, ... of them, and of a grid only a few clicks are followed, of a wall of
        pictures each row.

    Returns
    -------
    dict
        ``controls``: a form of each, whose ``at`` is where it starts. ``frames``: [state, place
        of the picture or None, alt text, sentence, failure], where a state is the place of each
        control's value, and of a grid its cells. ``pictures``: PNGs in base 64, each once.
        ``note``: what is coarser than in the lesson, in words.
    """
    controls = {
        name: control
        for name, control in explorer.controls.items()
        if isinstance(control, ipywidgets.Widget)
    }
    grids = [name for name, control in controls.items() if isinstance(control, CellGrid)]
    steps = {name: _steps(control) for name, control in controls.items() if name not in grids}
    kept = _thinned(steps, controls, most)
    room = most // math.prod(map(len, kept.values()))
    room = int(room ** (1 / max(1, len(grids))) + 1e-9)  # grids multiply too
    clicks = {name: _clicks(controls[name], room) for name in grids}
    chosen = {name: list(_up_to(controls[name], clicks[name])) for name in grids}
    walls = {name: list(_along_rows(controls[name])) for name in grids if controls[name].pictures}
    walls = {name: along for name, along in walls.items() if len(chosen[name]) < len(along) <= room}
    axes, forms = [], []
    for name, control in controls.items():
        if name in grids:
            switched = [_switched(control, cells) for cells in (chosen | walls)[name]]
            axes.append([(grid, (grid, grid)) for grid in switched])
            forms.append(_grid_form(control))
        else:
            states = [state_of(control, step) for step in kept[name]]
            axes.append(list(enumerate(states)))
            forms.append(_control_form(control, states, kept[name].index(0)))
    frames, pictures = [], {}
    for combination in product(*axes):
        moved = dict(zip(controls, (state for _, state in combination), strict=True))
        frame = explorer.frame_of(explorer.states() | moved)
        place = None
        if frame.png:
            picture = b64encode(figures.compact(frame.png)).decode("ascii")
            place = pictures.setdefault(picture, len(pictures))
        state = [seen for seen, _ in combination]
        frames.append([state, place, frame.alt, frame.sentence, frame.failure])
    notes = [
        f"“{controls[name].description}” has {len(kept[name])} of its {len(steps[name])} values"
        for name in steps
        if len(kept[name]) < len(steps[name])
    ]
    notes += [
        f"there are pictures for up to {_counted(clicks[name], 'click')} from the start"
        for name in grids
        if clicks[name] < _cells(controls[name]) and name not in walls
    ]
    notes += ["you can choose one or two of a row, or a row from its left end on"] * bool(walls)
    notes += [
        f"“{control.description}” cannot be typed into"
        for control in controls.values()
        if isinstance(control, ipywidgets.Text)
    ]
    return {
        "kind": "explore",
        "question": explorer.question,
        "width": explorer.picture.width,
        "height": explorer.picture.height,
        "controls": forms,
        "frames": frames,
        "pictures": list(pictures),
        "missing": "This page has no picture of that: go back, or move it in JupyterLab.",
        "note": f"On this page {', and '.join(notes)}: in JupyterLab, all." if notes else "",
    }


def _steps(control) -> list[int]:
    """Return all steps that a control can make from where it stands, in order; 0 among them."""
    ends = []
    for way in (-1, 1):
        end = 0
        while state_of(control, end + way) is not None:
            end += way
        ends.append(end)
    return list(range(ends[0], ends[1] + 1))


def _thinned(steps: dict[str, list[int]], controls: dict, most: int) -> dict[str, list[int]]:
    """Return the steps of which at most so many combinations are left, where sliders allow it."""
    every = dict.fromkeys(steps, 1)

    def kept() -> dict[str, list[int]]:
        return {
            name: [
                each
                for each in all_of_it
                if each % every[name] == 0 or each in (all_of_it[0], all_of_it[-1])
            ]
            for name, all_of_it in steps.items()
        }

    while math.prod(map(len, kept().values())) > most:
        sliders = [
            name for name, left in kept().items() if len(left) > 3 and _is_slider(controls[name])
        ]
        if not sliders:
            break
        every[max(sliders, key=lambda name: len(kept()[name]))] += 1
    return kept()


def _is_slider(control) -> bool:
    return isinstance(
        control,
        ipywidgets.IntSlider
        | ipywidgets.FloatSlider
        | ipywidgets.FloatLogSlider
        | ipywidgets.SelectionSlider,
    )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _cells(grid: CellGrid) -> int:
    return len(grid.rows) * len(grid.columns)


def _clicks(grid: CellGrid, room: int) -> int:
    """Return how many cells can be switched at once if there is room for so many states."""
    clicks = 0
    while clicks < _cells(grid):
        room -= math.comb(_cells(grid), clicks)
        if room < math.comb(_cells(grid), clicks + 1):
            break
        clicks += 1
    return clicks


def _up_to(grid: CellGrid, clicks: int) -> Iterator[tuple[int, ...]]:
    """Yield each choice of up to so many cells to switch."""
    for count in range(clicks + 1):
        yield from combinations(range(_cells(grid)), count)


def _along_rows(grid: CellGrid) -> Iterator[tuple[int, ...]]:
    """Yield no cell, one or two of a row, and each row from its left end to any place."""
    yield ()
    wide = len(grid.columns)
    for first in range(0, _cells(grid), wide):
        row = range(first, first + wide)
        yield from ((cell,) for cell in row)
        yield from combinations(row, 2)
        yield from (tuple(row[:count]) for count in range(3, wide + 1))


def _switched(grid: CellGrid, cells: Iterable[int]) -> tuple[tuple[int, ...], ...]:
    """Return the grid's matrix after a switch of these cells."""
    matrix = [list(row) for row in grid.value]
    for cell in cells:
        row, column = divmod(cell, len(grid.columns))
        matrix[row][column] = 1 - matrix[row][column]
    return tuple(map(tuple, matrix))


def _grid_form(grid: CellGrid) -> dict:
    parts = ("rows", "columns", "names", "states", "start", "description", "pictures", "labels")
    return {"kind": "grid", "value": grid.value} | {part: getattr(grid, part) for part in parts}


def _control_form(control, states: Sequence[tuple], at: int) -> dict:
    """Return the native input that does what a control does: its kind, labels, and where it is."""
    player = getattr(control, "player", None)
    kind = "slider" if _is_slider(control) else "choice"
    if isinstance(control.value, bool):
        kind = "box"
    labels = [label_of(control, state) for state in states]
    if isinstance(control, ipywidgets.FloatSlider | ipywidgets.FloatLogSlider):
        labels = [f"{value:{control.readout_format}}" for _, value in states]
    return {
        "kind": kind,
        "label": control.description,
        "labels": labels,
        "at": at,
        "interval": player.interval if player else 0,
    }
