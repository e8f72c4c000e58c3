"""Move controls and see a picture answer: a thin skin from a pure view function to widgets.

A view takes the values of the controls and returns a Figure, or a Figure and a sentence about it.
While the kernel has nothing to do it draws ahead, the likeliest next, and sends the frames into a
store in the page. A move whose frame is there is painted by the page alone, in its next animation
frame, also while a cell runs (measured: `benchmarks/slider.py`). Because a view is pure, it can be
tested without any widget.
"""

import asyncio
import gc
import heapq
import inspect
import math
import sys
import threading
import time
import weakref
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from itertools import islice
from numbers import Integral, Real
from typing import ClassVar

import anywidget
import ipywidgets
import numpy as np
import traitlets
from IPython import get_ipython
from matplotlib.figure import Figure
from PIL import Image

from ..data.interactions import as_pictures, as_positions
from . import figures
from .ahead import Ahead, GivenUp
from .display import STATIC, show_static_then_live

# All frames together; a frame is 15 to 40 kB, four times that at high resolution.
CACHE_BYTES = 32 * 2**20
# What the store of one widget in the page may hold: more would weigh on the browser's memory.
STORE_FRAMES, STORE_BYTES = 300, 8 * 2**20
IDLE = 0.05  # seconds without a request before a frame is drawn ahead: the browser draws first
GAP = 0.005  # seconds between two frames drawn ahead: a request's thread has its turn
INCHES = 30  # the largest side of a figure: 3,000 pixels, twice that on a fine screen
SLOW = 0.5  # processor seconds: a slower view is not drawn ahead, a move might have to wait for it
PATIENCE = 0.5  # seconds that a request, or a cell, waits until a frame is given up
# How far a step seems, drawing ahead: on in the direction of travel, back, and of another control.
ON, BACK, OTHER, CELL = 1.0, 1.5, 2.0, 0.01

_GO_ON = "Another value is drawn as usual."
_RUN_ABOVE = (
    "Run the cells above it first (Run > Run All Above Selected Cell), then this one again."
)


def explore(view: Callable, question: str = "", /, **controls) -> None:
    """Display controls and the picture that `view` draws for their values.

    Parameters
    ----------
    view : a pure function of the control values, which sets no control and returns a matplotlib
        Figure, or (Figure, sentence).
    question : what moving the controls answers. It is written above them, because the text that
        asks it has left the screen when JupyterLab shows the widget.
    controls : for each argument of the view what `ipywidgets.interact` takes: (min, max) or
        (min, max, step) for a slider, a list or a dict for a choice (of three or more numbers in
        order: a slider over their places), a bool for a check box, a number for a slider around it,
        a str for a text field, any widget with a value, or `ipywidgets.fixed(value)`. An argument
        without a control keeps its default; a default of an argument that has one is where the
        control starts.

    Raises
    ------
    TypeError
        If the view cannot be called, or the question is no text.
    ValueError
        If a control cannot be made or does not fit the view, or the view returns no Figure.

    Notes
    -----
    An exception in the view is shown in words in place of the picture; the next move recovers.

    Examples
    --------
    >>> from recsys_lab import explore, figures
    >>> def view(count):
    ...     return figures.bars(["A", "B"], [count, 1], "Item A leads.", "item", "events")
    >>> explore(view, count=(2, 9))  # doctest: +SKIP
    """
    explorer = Explorer(view, controls, question=question)
    frame = explorer.frame()
    shown = [f"Shown at {explorer.words()}."] if explorer.words() else []
    captions = [text for text in [frame.failure, frame.sentence, *shown] if text]
    html = "".join(f"<p>{escape(caption)}</p>" for caption in captions)
    asked = f"<p><strong>{escape(question)}</strong></p>" if question else ""
    picture = figures.compact(frame.png) if frame.png else None
    if picture:
        source = b64encode(picture).decode("ascii")
        html = (
            f'<img alt="{escape(frame.alt)}" width="{explorer.picture.width}" '
            f'src="data:image/png;base64,{source}">' + html
        )
    text = "\n".join(filter(None, [question, frame.alt, *captions]))
    show_static_then_live(
        html=asked + html, text=text, png=picture, live=explorer.widget, about=explorer
    )


def cell_grid(
    rows: Sequence,
    columns: Sequence,
    value,
    *,
    names: tuple[str, str] = ("user", "item"),
    states: tuple[str, str] = ("not seen", "seen"),
    description: str = "",
) -> "CellGrid":
    """Return a control whose value is a matrix of 0 and 1 that is switched cell by cell.

    Parameters
    ----------
    rows, columns : the m and n labels.
    value : m x n zeros and ones, dense or sparse, where it begins.
    names : what a row and a column are, for the labels ("user 1, item B: seen").
    states : what 0 and 1 mean.
    description : written above; `explore` fills in the argument's name.

    Raises
    ------
    ValueError
        If value is no matrix of 0 and 1 with a row and a column for each label, or names or states
        are not two.

    Examples
    --------
    >>> cell_grid([1, 2], ["A", "B"], [[1, 0], [0, 1]]).value
    ((1, 0), (0, 1))
    """
    rows, columns = _listed(rows, "rows"), _listed(columns, "columns")
    names, states = _listed(names, "names", 2), _listed(states, "states", 2)
    try:
        cells = np.asarray(value.toarray() if hasattr(value, "toarray") else value)
    except ValueError:
        raise ValueError("value has rows of unequal length: give a matrix of 0 and 1") from None
    if cells.shape != (len(rows), len(columns)) or cells.size == 0:
        raise ValueError(
            f"value has shape {cells.shape}: give one row for each of {len(rows)} rows "
            f"and one cell for each of {len(columns)} columns"
        )
    if not np.isin(cells, (0, 1)).all():
        odd = cells[~np.isin(cells, (0, 1))][0]
        raise ValueError(f"value has a cell {odd!r}: give only 0 and 1")
    return CellGrid(
        rows=[str(row) for row in rows],
        columns=[str(column) for column in columns],
        value=cells.astype(int).tolist(),
        start=cells.astype(int).tolist(),
        names=names,
        states=states,
        description=description,
    )


def picture_wall(
    pictures,
    names: Sequence,
    value: Sequence[int] = (),
    *,
    columns: int = 8,
    states: tuple[str, str] = ("not chosen", "chosen"),
) -> "CellGrid":
    """Return a control of pictures that are chosen by a click; its value is a matrix of 0 and 1.

    Parameters
    ----------
    pictures : n x h x w x 3, uint8
    names : n texts, which stand for the pictures where they cannot be seen.
    value : the positions of those that are chosen at the start.
    columns : of the wall; n has to be a multiple of it.
    states : what not to choose and to choose a picture means.

    Raises
    ------
    ValueError
        If pictures is no such array, there are not as many names, they do not fill the wall, or a
        position is none.

    Examples
    --------
    >>> white = np.full((4, 2, 2, 3), 255, dtype=np.uint8)
    >>> picture_wall(white, ["snow", "milk", "salt", "chalk"], [1], columns=2).value
    ((0, 1), (0, 0))
    """
    pictures, names, states = (
        as_pictures(pictures),
        _listed(names, "names"),
        _listed(states, "states", 2),
    )
    count = len(pictures)
    if len(names) != count:
        raise ValueError(f"names has {len(names)} texts for {count} pictures: give one for each")
    chosen = np.zeros(count, dtype=int)
    chosen[as_positions(value, count, "value")] = 1
    if isinstance(columns, bool) or not isinstance(columns, Integral) or columns < 1:
        raise ValueError(f"columns={_shortened(repr(columns), 80)}: give a whole number")
    if not count or count % columns:
        raise ValueError(
            f"columns={columns} with {count} pictures: give as many pictures as fill the rows"
        )
    stored = []
    for picture in pictures:
        stream = BytesIO()
        Image.fromarray(picture).save(stream, "PNG")
        stored.append("data:image/png;base64," + b64encode(stream.getvalue()).decode("ascii"))
    wall = cell_grid(
        range(1, count // columns + 1),
        range(1, columns + 1),
        chosen.reshape(-1, columns),
        names=("row", "column"),
        states=states,
    )
    wall.pictures = [stored[at : at + columns] for at in range(0, count, columns)]
    wall.labels = [
        [str(each) for each in names[at : at + columns]] for at in range(0, count, columns)
    ]
    return wall


def played(
    first: int, last: int, *, start: int | None = None, interval: int = 500
) -> ipywidgets.IntSlider:
    """Return a slider with a play button, for a path that one wants to watch.

    Parameters
    ----------
    first, last : its ends, whole numbers.
    start : where it begins; at the first, by default.
    interval : milliseconds between two steps. Half a second is time to see what changed.

    Raises
    ------
    ValueError
        If they are no whole numbers, are not in the order first, start, last, or interval is 0.

    Examples
    --------
    >>> played(0, 12).max
    12
    """
    start = first if start is None else start
    for name, value in [
        ("first", first), ("last", last), ("start", start), ("interval", interval)
    ]:  # fmt: skip
        if isinstance(value, bool) or not isinstance(value, Integral) or abs(value) >= 2**31:
            raise ValueError(f"{name}={_shortened(repr(value), 80)}: give a whole number")
    if not first <= start <= last or interval < 1:
        raise ValueError(
            f"first={first}, start={start}, last={last} and interval={interval}: give them in this "
            "order, and an interval of 1 or more"
        )
    ends = {"min": first, "max": last, "value": start}
    slider = ipywidgets.IntSlider(**ends)
    slider.player = ipywidgets.Play(**ends, interval=interval, show_repeat=False)
    # In the page: a path whose frames are in its store plays without the kernel.
    slider.player_link = ipywidgets.jslink((slider.player, "value"), (slider, "value"))
    return slider


class CellGrid(anywidget.AnyWidget, ipywidgets.ValueWidget):
    """The widget of `cell_grid`."""

    _esm = STATIC / "grid.js"
    _css = STATIC / "grid.css"
    # A tuple of tuples, so that it can be the key of a kept frame.
    value = traitlets.Any(()).tag(sync=True)
    start = traitlets.List().tag(sync=True)  # what the button Reset goes back to
    rows = traitlets.List().tag(sync=True)
    columns = traitlets.List().tag(sync=True)
    names = traitlets.List().tag(sync=True)
    states = traitlets.List().tag(sync=True)
    # Of a wall: rows of data URLs, and of names, in place of 0 and 1 and of the labels.
    pictures = traitlets.List().tag(sync=True)
    labels = traitlets.List().tag(sync=True)
    description = traitlets.Unicode().tag(sync=True)
    disabled = traitlets.Bool().tag(sync=True)

    @traitlets.validate("value")
    def _tuples(self, proposal):
        return tuple(tuple(int(cell) for cell in row) for row in proposal["value"])


class PictureWidget(anywidget.AnyWidget):
    """A picture with alt text, a sentence below, and words in its place after a failure."""

    _esm = STATIC / "picture.js"
    _css = STATIC / "picture.css"
    png = traitlets.Bytes().tag(
        sync=True, to_json=lambda png, widget: b64encode(png).decode("ascii")
    )
    alt = traitlets.Unicode().tag(sync=True)
    sentence = traitlets.Unicode().tag(sync=True)
    failure = traitlets.Unicode().tag(sync=True)
    number = traitlets.Int().tag(sync=True)  # of frames shown: the front end waits for it
    width = traitlets.Int().tag(sync=True)  # CSS pixels
    height = traitlets.Int().tag(sync=True)
    dark = traitlets.Bool().tag(sync=True)  # set by the front end, like `scale`
    scale = traitlets.Float(1.0).tag(sync=True)  # device pixels for a CSS pixel
    controls = traitlets.List().tag(sync=True)  # the models' ids: their moves await an answer
    uid = traitlets.Unicode().tag(sync=True)  # by which the page keeps this widget's frames
    # Of the frame above, so that the page never shows the answer to a move that was overtaken:
    state = traitlets.List().tag(sync=True)


@dataclass(frozen=True)
class Frame:
    """What a view gave for one set of values: a picture with its texts, or a failure in words."""

    png: bytes = b""
    alt: str = ""
    sentence: str = ""
    failure: str = ""


class FrameCache:
    """Frames by key, of at most `limit` bytes: the ones not looked at for longest go first."""

    def __init__(self, limit: int):
        self.limit = limit
        self.bytes = 0
        self._frames: OrderedDict[tuple, Frame] = OrderedDict()
        self._turn = threading.Lock()  # frames come from more than one thread

    def __len__(self) -> int:
        return len(self._frames)

    def __contains__(self, key: tuple) -> bool:
        return key in self._frames

    def get(self, key: tuple) -> Frame | None:
        with self._turn:
            if key in self._frames:
                self._frames.move_to_end(key)
            return self._frames.get(key)

    def put(self, key: tuple, frame: Frame) -> None:
        with self._turn:
            if key in self._frames:
                self.bytes -= len(self._frames.pop(key).png)
            self._frames[key] = frame
            self.bytes += len(frame.png)
            while self.bytes > self.limit:
                self.bytes -= len(self._frames.popitem(last=False)[1].png)


class Refused(ValueError):
    """What `explore` was given does not fit; a notebook shows the sentence, without our lines."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class NoFigure(Refused):
    """A view returned something else than a Figure, or a Figure and a sentence."""


class Explorer:
    """The controls, the picture and the frames behind one `explore`.

    Parameters
    ----------
    view, controls, question : as for `explore`.
    cache : where frames are kept; one for all explorers if not given.

    Attributes
    ----------
    controls : name -> widget (or `fixed`).
    picture : the `PictureWidget`.
    widget : all of it, to display.
    """

    _frames = FrameCache(CACHE_BYTES)
    # The last theme and resolution that a front end told: the next explorer starts with them.
    _screen = (False, 1.0)
    # Drawing ahead gives way to a request of any explorer, so one thread does it for all.
    _ahead = Ahead(IDLE, GAP, PATIENCE)
    _alive: ClassVar[weakref.WeakSet] = weakref.WeakSet()
    _running = False  # a cell: nothing is drawn ahead in its way

    def __init__(
        self,
        view: Callable,
        controls: dict,
        cache: FrameCache | None = None,
        *,
        question: str = "",
    ):
        if not callable(view):
            raise TypeError(
                f"view={_shortened(repr(view), 80)} cannot be called: give a function that returns "
                "a Figure"
            )
        if not isinstance(question, str):
            raise TypeError(f"question={_shortened(repr(question), 80)} is no text: give one")
        self.view = view
        self.question = question
        self.name = getattr(view, "__name__", type(view).__name__)
        defaults = _defaults(view, self.name, controls)
        self.controls = {
            name: _control(name, given, defaults.get(name)) for name, given in controls.items()
        }
        self._cache = self._frames if cache is None else cache
        self._travel: tuple[str, int] | None = None  # the control moved last, and which way
        self._positions = {name: _position(each) for name, each in self.controls.items()}
        self._cost = 0.0  # processor seconds of the last draw: a busy machine is no slow view
        self._answering = threading.RLock()
        first, size = self._draw(self.states())
        self._cache.put(self._key(self.states(), (False, 1.0)), first)
        dark, scale = self._screen
        shown = [each for each in self.controls.values() if isinstance(each, ipywidgets.Widget)]
        ids = [each.model_id for each in shown]
        self.picture = PictureWidget(
            width=size[0], height=size[1], dark=dark, scale=scale, controls=ids
        )
        self.picture.uid = self.picture.model_id
        self._store: dict[tuple, tuple[list, int]] = {}  # the page's: key -> its name there, bytes
        self._ranks: dict[tuple, int] = {}  # key -> how many states are likelier to be asked for
        self._needed: list | None = None  # the state whose frame the page asked for
        players = [each.player for each in shown if hasattr(each, "player")]
        row = ipywidgets.Box([*players, *shown])
        row.add_class("rl-controls")
        asked = [ipywidgets.HTML(f"<strong>{escape(question)}</strong>")] if question else []
        self.widget = ipywidgets.VBox([*asked, *([row] if shown else []), self.picture])
        self.widget.add_class("rl-explore")
        first = first if self._screen == (False, 1.0) else self.frame(*self._screen)
        self._show(first, self.states())
        for name, control in self.controls.items():
            control.observe(lambda change, name=name: self._moved(name), "value")
        self.picture.observe(self._screen_changed, ["dark", "scale"])
        self.picture.on_msg(lambda widget, content, buffers: self._told(content))
        Explorer._alive.add(self)
        _watch_cells()

    def frame(self, dark: bool = False, scale: float = 1.0) -> Frame:
        """Return the frame at the present values of the controls, kept or drawn now."""
        return self.frame_of(self.states(), (dark, scale))

    def words(self, states: dict[str, tuple] | None = None) -> str:
        """Return values in words, "rank = 2, method = SVD": the present ones if not given."""
        states = states or self.states()
        return ", ".join(
            f"{_spaced(name)} = {label_of(control, states[name])}"
            for name, control in self.controls.items()
            if isinstance(control, ipywidgets.Widget) and not isinstance(control, CellGrid)
        )

    # What a move does

    def _moved(self, name: str) -> None:
        if self._ahead.is_here():
            # The view sets a control while it is drawn ahead. To answer would be to wait for a
            # request that waits for this very drawing.
            return
        position = _position(self.controls[name])
        before, self._positions[name] = self._positions[name], position
        if position is not None and before is not None:
            self._travel = (name, 1 if position > before else -1)
        self._answer()

    def _screen_changed(self, change) -> None:
        Explorer._screen = self._theme()
        self._forget_store()
        self._answer()

    def _theme(self) -> tuple[bool, float]:
        """Whether the page is dark, and its pixels for each of CSS's."""
        return self.picture.dark, self.picture.scale

    def _told(self, content: dict) -> None:
        """Answer the page: the reader came near, or it lacks the frame of the present state."""
        if "need" in content:
            # It mostly comes before the control's own message: then `_moved` answers.
            self._needed = content["need"]
            self._ahead.make_way(wanted=(self, self._needed))
            self._answer()
        else:
            self._draw_ahead_soon()

    def _answer(self) -> None:
        # Moves come in more than one thread: one is answered after the other.
        with self._answering:
            self._paint()
        self._draw_ahead_soon()

    def _paint(self) -> None:
        states, screen = self.states(), self._theme()
        key, now = self._key(states, screen), self._page_state(states)
        needed = now == self._needed and now != self.picture.state
        if needed or key not in self._store:  # else the page has painted it by itself
            if needed:
                self._needed = None
            frame = self._cache.get(key)
            if frame is None:
                self.picture.send({"busy": True})
                try:
                    self._ahead.make_way(wanted=(self, now))
                    frame = self.frame_of(states, screen)
                except KeyboardInterrupt:
                    frame = Frame(failure=f"Stopped at {self.words()}. {_GO_ON}")
            self._show(frame, states)
            if not frame.failure:
                self._note(key, now, len(frame.png))  # the page keeps what it is shown

    def _show(self, frame: Frame, states: dict[str, tuple]) -> None:
        with self.picture.hold_sync():  # one message, so that picture and texts change together
            self.picture.png = frame.png
            self.picture.alt = frame.alt
            self.picture.sentence = frame.sentence
            self.picture.failure = frame.failure
            # That of the frame: a control may have been moved since, in another thread.
            self.picture.state = self._page_state(states)
            self.picture.number += 1

    def _page_state(self, states: dict[str, tuple]) -> list:
        """What the page sees of a state: the place of a choice, the value of another control."""
        return [
            [list(row) for row in key] if isinstance(self.controls[name], CellGrid) else key
            for name, (key, _) in states.items()
            if isinstance(self.controls[name], ipywidgets.Widget)
        ]

    # The store in the page: moves and ends of cells come in more than one thread, so whoever
    # changes it, or goes through it, holds `_answering`.

    def _note(self, key: tuple, page_state: list, size: int) -> None:
        """Note that the page has a frame, and let it drop the least likely beyond its budget."""
        self._store[key] = page_state, size
        while self._is_full() and len(self._store) > 1:
            worst = max((other for other in self._store if other != key), key=self._rank)
            state, _ = self._store.pop(worst)
            self.picture.send({"drop": state})

    def _is_full(self, further: int = 0) -> bool:
        """Whether the page's store, with some further bytes, is beyond its budget."""
        size = sum(size for _, size in self._store.values()) + further
        return len(self._store) + (further > 0) > STORE_FRAMES or size > STORE_BYTES

    def _rank(self, key: tuple) -> float:
        return self._ranks.get(key, math.inf)

    def _has_room(self, key: tuple) -> bool:
        """Whether the page's store has room for one more frame, or a less likely one to drop."""
        with self._answering:
            largest = max((size for _, size in self._store.values()), default=1)
            worst = max(map(self._rank, self._store), default=-1)
            return worst > self._rank(key) or not self._is_full(further=largest)

    def _send(self, states: dict[str, tuple], screen: tuple[bool, float]) -> None:
        """Draw a frame if need be, and send it into the page's store."""
        key, now = self._key(states, screen), self._page_state(states)
        with self._ahead.piece((self, now)):
            frame = self.frame_of(states, screen)
        with self._answering:
            # Meanwhile, in another thread, a cell may have ended, or the theme been switched: the
            # page would show the frame of before.
            if key != self._key(states, screen) or screen != self._theme():
                return
            if frame.failure:
                # Not tried again: a move there will tell.
                self._store[key] = now, 0
                return
            texts = {"state": now, "alt": frame.alt, "sentence": frame.sentence}
            self.picture.send({"frame": texts}, buffers=[frame.png])
            self._note(key, now, len(frame.png))

    def _forget_store(self) -> None:
        """Let the page drop all its frames: what the view reads may have changed."""
        with self._answering:
            if self._store:
                self._store.clear()
                self.picture.send({"clear": True})

    # Drawing

    def states(self) -> dict[str, tuple]:
        """Return name -> (hashable key, value) of each control as it stands."""
        return {name: state_of(control) for name, control in self.controls.items()}

    def _key(self, states: dict[str, tuple], screen: tuple[bool, float]) -> tuple:
        # A cell that was run since may have changed what the view reads: its number is in the key.
        shell = get_ipython()
        run = shell.execution_count if shell else 0
        return (self, run, *screen, *(key for key, _ in states.values()))

    def frame_of(
        self, states: dict[str, tuple], screen: tuple[bool, float] = (False, 1.0)
    ) -> Frame:
        """Return the frame of other states than the present, kept or drawn now."""
        key = self._key(states, screen)
        frame = self._cache.get(key)
        if frame is None:
            try:
                frame, _ = self._draw(states, *screen)
            except NoFigure as error:
                frame = Frame(failure=f"No picture at {self.words(states)}: {error}. {_GO_ON}")
            if not frame.failure:  # what a failure needs may be there at the next try
                self._cache.put(key, frame)
        return frame

    def _draw(
        self, states: dict[str, tuple], dark: bool = False, scale: float = 1.0
    ) -> tuple[Frame, tuple[int, int]]:
        """Call the view, and return the frame with its size in CSS pixels."""
        size = tuple(round(inches * figures.DPI) for inches in figures.SIZE)
        with figures.theme(dark, self._ahead.go_on):
            # Asked here, where one thread is at a time: another may have switched it off.
            collects = gc.isenabled()
            start = time.thread_time()
            try:
                # A figure is thousands of objects that point at each other: with much else loaded,
                # a collection in the middle costs a tenth of the drawing.
                gc.disable()
                values = {name: value for name, (_, value) in states.items()}
                figure, sentence = self._checked(self.view(**values))
                _forget_in_pyplot(figure)
                frame = Frame(figures.png(figure, scale), figures.alt_text(figure), sentence)
                size = tuple(round(inches * figures.DPI) for inches in figure.get_size_inches())
            except (NoFigure, GivenUp):
                raise
            except Exception as error:
                words = self.words(states)
                where = f"At {words} the view" if words else "The view"
                told = _shortened(str(error) or "no message", 400).rstrip(".")
                kind = type(error).__name__
                # After a restart of the kernel no other value would do either.
                remedy = _RUN_ABOVE if type(error) is NameError else _GO_ON
                frame = Frame(
                    failure=f"{where} {self.name!r} stopped with {kind}: {told}. {remedy}"
                )
            finally:
                if collects:
                    gc.enable()
        self._cost = time.thread_time() - start
        return frame, size

    def _checked(self, result) -> tuple[Figure, str]:
        figure, sentence = (
            result if isinstance(result, tuple) and len(result) == 2 else (result, "")
        )
        if not isinstance(figure, Figure) or not isinstance(sentence, str):
            what = "None" if result is None else _shortened(repr(result), 80)
            raise NoFigure(
                f"view {self.name!r} returned {what}: end it with `return figure` "
                "or `return figure, sentence`"
            )
        width, height = figure.get_size_inches()
        if not max(width, height) <= INCHES:
            raise NoFigure(
                f"view {self.name!r} returned a figure of {width:g} x {height:g} inches: give it "
                f"at most {INCHES} of them, such as figsize=figures.SIZE"
            )
        return figure, sentence

    # Drawing ahead

    def _states_ahead(self) -> Iterator[dict[str, tuple]]:
        """Yield the states around the present one, the likeliest to be asked for next first."""
        now, names = self.states(), list(self.controls)
        travelling, way = self._travel or (None, 1)

        def cost(steps: tuple[int, ...]) -> float:
            total = 0.0
            for name, n in zip(names, steps, strict=True):
                if isinstance(self.controls[name], CellGrid):
                    total += OTHER * (n > 0) + CELL * n
                elif name == travelling:
                    total += (ON if n * way > 0 else BACK) * abs(n)
                else:
                    total += OTHER * abs(n)
            return total

        start = (0,) * len(names)
        waiting, met = [(0.0, start)], {start}
        while waiting:
            _, steps = heapq.heappop(waiting)
            if any(steps):
                away = {n: step for n, step in zip(names, steps, strict=True) if step}
                moved = {n: state_of(self.controls[n], step) for n, step in away.items()}
                if any(state is None for state in moved.values()):
                    return  # meanwhile a control was moved, in another thread: it plans anew
                yield now | moved
            for place, name in enumerate(names):
                for one in (1, -1) if steps[place] == 0 else (1 if steps[place] > 0 else -1,):
                    further = (*steps[:place], steps[place] + one, *steps[place + 1 :])
                    if further not in met and state_of(self.controls[name], further[place]):
                        met.add(further)
                        heapq.heappush(waiting, (cost(further), further))

    def _draw_ahead_soon(self) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return  # no event loop, so no page that asks: plain Python, or a test
        if not Explorer._running:
            self._ahead.begin(self._frames_ahead)

    def _frames_ahead(self) -> Iterator[None]:
        """Draw and send what the page lacks, one frame a step, as far as its store has room."""
        screen = self._theme()
        likely = list(islice(self._states_ahead(), STORE_FRAMES - 1))
        keys = [self._key(states, screen) for states in (self.states(), *likely)]
        self._ranks = {key: rank for rank, key in enumerate(keys)}
        for states in likely:
            key = self._key(states, screen)
            if self._cost >= SLOW or screen != self._theme() or Explorer._running:
                return  # the page says when it lacks frames
            if key not in self._store:
                if not self._has_room(key):
                    return
                # What the view prints is let through: the streams are the whole process's.
                self._send(states, screen)
                yield


def _watch_cells() -> None:
    """Have nothing drawn ahead while a cell runs, and frames forgotten after one."""
    shell = get_ipython()
    if shell is None or _before_cell in shell.events.callbacks["pre_run_cell"]:
        return
    shell.events.register("pre_run_cell", _before_cell)
    shell.events.register("post_run_cell", _after_cell)


def _before_cell(info) -> None:
    Explorer._running = True
    # Not beside the cell, which may draw too: matplotlib's settings are global.
    Explorer._ahead.make_way()


def _after_cell(result) -> None:
    Explorer._running = False
    for explorer in list(Explorer._alive):
        explorer._forget_store()  # the page says if a reader is still near


# Controls


def _listed(values, name: str, length: int | None = None) -> list:
    """Check that something is a list, and return it as one."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"{name}={_shortened(repr(values), 80)} is no list: give one")
    values = list(values)
    if length not in (None, len(values)):
        raise ValueError(f"{name} has {len(values)} entries: give {length}")
    return values


def _defaults(view: Callable, name: str, controls: dict) -> dict:
    """Return the view's defaults, after a check that the controls fit its arguments."""
    try:
        signature = inspect.signature(view)
    except ValueError:  # a built-in that does not tell its arguments
        return {}
    try:
        signature.bind(**controls)
    except TypeError as error:
        raise Refused(
            f"controls {sorted(controls)} do not fit {name}{signature}: {error}; give one control "
            "for each argument of the view, by its name"
        ) from None
    return {
        argument.name: argument.default
        for argument in signature.parameters.values()
        if argument.default is not argument.empty
    }


def _control(name: str, given, default):
    remedy = (
        "give (min, max), (min, max, step), a list or dict of choices, a bool, a str, a number, "
        "a widget with a value, or fixed(value)"
    )
    start = inspect.Parameter.empty if default is None else default
    try:
        if isinstance(given, list) and _are_ordered_numbers(given):
            at = given.index(default) if default in given else 0
            # Not by number: `value` would be compared with a float that is only almost equal.
            control = ipywidgets.SelectionSlider(options=given, index=at)
        else:
            control = ipywidgets.interactive.widget_from_abbrev(given, start)
    except (ValueError, TypeError, traitlets.TraitError) as error:
        raise Refused(f"control {name}={_shortened(repr(given), 80)}: {error}; {remedy}") from None
    if control is None or (getattr(control, "options", None) is not None and not control.options):
        raise Refused(f"control {name}={_shortened(repr(given), 80)} offers no value: {remedy}")
    ends = [getattr(control, end, 0) for end in ("min", "max", "step")]
    if any(isinstance(end, Real) and not math.isfinite(end) for end in ends):
        raise Refused(f"control {name}={_shortened(repr(given), 80)} has no end: {remedy}")
    if isinstance(control, ipywidgets.fixed):
        return control
    key, _ = state_of(control)
    try:
        hash(key)
    except TypeError:
        raise Refused(
            f"control {name} has a value of type {type(key).__name__}, by which no picture can be "
            "kept: give a list of names and let the view look up what they stand for"
        ) from None
    if not control.description:
        control.description = _spaced(name)
    if hasattr(control, "style") and "description_width" in control.style.trait_names():
        control.style.description_width = "initial"
        if control.tooltip is None:  # the front end would write "null"
            control.tooltip = control.description
    if isinstance(given, tuple) and isinstance(control, ipywidgets.FloatSlider):
        if len(given) == 2 and control.max - control.min < 1:
            control.step = (control.max - control.min) / 20  # interact's 0.1 would leave few steps
        digits = max(0, math.ceil(-math.log10(control.step) - 1e-9)) if control.step else 2
        control.readout_format = f".{max(2, digits)}f"
    return control


def _are_ordered_numbers(given: list) -> bool:
    """Whether a list is one of three or more numbers that only grow, or only fall."""
    if len(given) < 3 or not all(isinstance(each, Real) for each in given):
        return False
    return given in (sorted(set(given)), sorted(set(given), reverse=True))


def state_of(control, steps: int = 0) -> tuple | None:
    """Return (hashable key, value) of a control some steps on; None where it has no such step."""
    if isinstance(control, ipywidgets.fixed):
        return ((), control.value) if steps == 0 else None
    index = getattr(control, "index", None)
    if isinstance(index, int):  # a choice: its value may be anything, so its place is the key
        if steps == 0:
            return index, control.value
        at, pairs = index + steps, choices(control)
        return (at, pairs[at][1]) if 0 <= at < len(pairs) else None
    value = _tidy(control.value)
    if steps == 0:
        return value, value
    if isinstance(control, CellGrid):  # a step switches one cell: the first, the second, ...
        cells = [list(row) for row in value]
        if not 0 < steps <= len(cells) * len(cells[0]):
            return None
        row, column = divmod(steps - 1, len(cells[0]))
        cells[row][column] = 1 - cells[row][column]
        switched = tuple(map(tuple, cells))
        return switched, switched
    if isinstance(value, bool):
        return (not value, not value) if (steps > 0) != value and abs(steps) == 1 else None
    step = getattr(control, "step", None)
    if not isinstance(value, Real) or not isinstance(step, Real) or not hasattr(control, "min"):
        return None
    if isinstance(control, ipywidgets.FloatLogSlider):
        exponent = _tidy(math.log(value, control.base) + steps * step)
        inside = control.min <= exponent <= control.max
        further = _tidy(control.base**exponent)
    else:
        further = _tidy(value + steps * step)
        inside = control.min <= further <= control.max
    return (further, further) if inside else None


def _position(control) -> float | None:
    """Return where a control stands, as a number that grows in one direction of travel."""
    index = getattr(control, "index", None)
    if isinstance(index, int):
        return index
    return control.value if isinstance(control.value, Real) else None


def _tidy(value):
    """Round away what adding up steps leaves: 0.30000000000000004 is 0.3, as the read-out says."""
    return float(f"{value:.12g}") if isinstance(value, float) else value


def label_of(control, state: tuple) -> str:
    """Return what a reader calls a state of a control."""
    key, value = state
    if isinstance(getattr(control, "index", None), int):
        return str(choices(control)[key][0])
    return _shortened(str(value), 40)


def choices(control) -> list[tuple]:
    """Return (label, value) of all that a choice offers."""
    options = control.options
    options = options.items() if isinstance(options, Mapping) else options
    return [each if isinstance(each, tuple) else (each, each) for each in options]


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _shortened(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 2] + " …"


def _forget_in_pyplot(figure: Figure) -> None:
    """Let a figure that the view made with pyplot not be shown a second time below the cell."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)
