"""Run a function for a limited time, on any operating system.

A thread does the work while the caller waits. In a thread that is over time `SystemExit` is raised
(``PyThreadState_SetAsyncExc`` of Python's C interface), again and again: its code may catch it.
Signals would do with less, but Windows has none; another process could not run a function that
lives in a notebook. Out of reach is code that never returns to Python: a sleep, which then goes on
in the background, and an endless loop inside C such as ``sum(itertools.count())``, which holds up
the kernel altogether.
"""

import contextlib
import contextvars
import ctypes
import io
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

GRACE = 2.0  # seconds in which a thread may end after it was told to
PRINTED = 10_000  # characters: what an endless loop prints must not drown the notebook
FILLED = 1_000_000_000  # bytes: an endless list must not drown the machine


class Stopped(Exception):
    """The work was cut short; `why` is "time", "memory" or "interrupt", `ended` if it did end."""

    def __init__(self, why: str, ended: bool):
        super().__init__(why)
        self.why = why
        self.ended = ended


class _Tap(io.TextIOBase):
    """Passes on what is printed, up to a limit."""

    def __init__(self, target):
        self.target = target
        self.left = PRINTED

    def write(self, text: str) -> int:
        if self.left > 0:
            self.target.write(text[: self.left])
            self.left -= len(text)
            if self.left <= 0:
                self.target.write("\n... (the rest of what it prints is left out)\n")
        return len(text)

    def flush(self) -> None:
        self.target.flush()


def _memory() -> int:
    """Bytes that this process holds; 0 without `psutil`, which Jupyter's kernel brings."""
    try:
        import psutil
    except ImportError:
        return 0
    return psutil.Process().memory_info().rss


def _stop(thread: threading.Thread, done: threading.Event) -> bool:
    """Raise SystemExit in the thread until it ends; whether it did within the grace time."""
    end = time.monotonic() + GRACE
    while thread.is_alive() and not done.is_set() and time.monotonic() < end:
        # SystemExit, because a thread that ends by it dies without a word on stderr.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
        )
        done.wait(0.005)
    return done.is_set() or not thread.is_alive()


def run_limited(work: Callable[[], Any], seconds: float) -> Any:
    """Return ``work()``, or give up on it.

    Raises
    ------
    Stopped
        After `seconds`, on filling the memory, or when the user interrupts the kernel.
    """
    result = []
    done = threading.Event()

    def run():
        try:
            result.append(work())
        except BaseException as error:
            result.append(error)
        finally:
            done.set()

    # The kernel finds the cell that output belongs to by a context variable: hand it on.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    before = _memory()
    end = time.monotonic() + seconds
    why = None
    with contextlib.redirect_stdout(_Tap(sys.stdout)):
        try:
            thread.start()
            # Not thread.join: interrupted, Python 3.11's takes a thread that lives for dead. And in
            # short waits, because a long one cannot be interrupted on Windows.
            while why is None and not done.wait(0.05):
                if time.monotonic() > end:
                    why = "time"
                elif _memory() - before > FILLED:
                    why = "memory"
        except KeyboardInterrupt:
            why = "interrupt"
        if why is not None and not done.is_set():
            raise Stopped(why, _stop(thread, done))
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]
