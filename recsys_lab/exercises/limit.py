"""Run a function for a limited time, on any operating system, and keep what it does within bounds.

A thread does the work while the caller waits. In a thread that is over time `SystemExit` is raised
(``PyThreadState_SetAsyncExc`` of Python's C interface), again and again: its code may catch it.
Signals would do with less, but Windows has none; another process could not run a function that
lives in a notebook. Out of reach is code that never returns to Python: an endless loop inside C
such as ``sum(itertools.count())`` holds up the kernel altogether.

Time is the processor time of the thread, so that nobody is stopped because the machine is busy.
"""

import builtins
import contextlib
import contextvars
import ctypes
import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

GRACE = 2.0  # seconds in which a thread may end after it was told to
WAITING = 60.0  # seconds on the clock: work that sleeps or waits takes no processor time
PRINTED = 10_000  # characters: what an endless loop prints must not drown the notebook
SHOWN = 20  # displayed objects, for the same reason
FILLED = 1_000_000_000  # bytes: an endless list must not drown the machine


class Stopped(Exception):
    """The work was cut short.

    `why` is "time", "waiting", "memory" or "interrupt"; `ended` says if it did end, `seconds` how
    long it computed.
    """

    def __init__(self, why: str, ended: bool, seconds: float):
        super().__init__(why)
        self.why = why
        self.ended = ended
        self.seconds = seconds


class Asked(RuntimeError):
    """The work did what only a reader at the keyboard can answer, or what would end the kernel."""


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


@contextlib.contextmanager
def _replaced(thing: Any, name: str, value: Any) -> Iterator[None]:
    """Give an object another attribute for a while."""
    mine = vars(thing).get(name) if hasattr(thing, "__dict__") else None
    setattr(thing, name, value)
    try:
        yield
    finally:
        if mine is None:
            delattr(thing, name)
        else:
            setattr(thing, name, mine)


@contextlib.contextmanager
def _within_bounds(family: set[threading.Thread]) -> Iterator[None]:
    """Cap what is printed, displayed and written; nothing asks the reader or ends the kernel.

    The threads that one of the family starts join it.
    """
    left = {"shown": SHOWN, "written": PRINTED}
    write, start = os.write, threading.Thread.start

    def joining(thread):
        if threading.current_thread() in family:
            family.add(thread)
        start(thread)

    def asked(prompt=""):
        raise Asked("input() asks somebody who is not there: use the function's arguments")

    def ended(*_):
        raise Asked("exit() and quit() would end the notebook's kernel: use return")

    def written(file, data):
        if file not in (1, 2):
            return write(file, data)
        left["written"] -= len(data)
        return write(file, data) if left["written"] > 0 else len(data)

    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(_Tap(sys.stdout)))
        stack.enter_context(contextlib.redirect_stderr(_Tap(sys.stderr)))
        stack.enter_context(_replaced(builtins, "input", asked))
        stack.enter_context(_replaced(os, "write", written))
        stack.enter_context(_replaced(threading.Thread, "start", joining))
        # Not imported: where there is a notebook's kernel, it is there already.
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        if shell is not None:
            publish = shell.display_pub.publish

            def published(*args, **kwargs):
                left["shown"] -= 1
                if left["shown"] >= 0:
                    publish(*args, **kwargs)

            stack.enter_context(_replaced(shell, "ask_exit", ended))
            stack.enter_context(_replaced(shell.display_pub, "publish", published))
        yield


def _memory() -> int:
    """Bytes that this process holds; 0 without `psutil`, which Jupyter's kernel brings."""
    try:
        import psutil
    except ImportError:
        return 0
    return psutil.Process().memory_info().rss


def _clock() -> Callable[[], float]:
    """Return a function that gives the processor time of the calling thread, for another to ask.

    Where the system does not tell it of another thread (Windows, macOS), that of the process.
    """
    if not hasattr(time, "pthread_getcpuclockid"):
        start = time.process_time()
        return lambda: time.process_time() - start
    clock = time.pthread_getcpuclockid(threading.get_ident())

    def read() -> float:
        try:
            return time.clock_gettime(clock)
        except OSError:  # the thread has ended
            return 0.0

    return read


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

    Parameters
    ----------
    work : called without arguments, in a thread of its own.
    seconds : of processor time.

    Raises
    ------
    Stopped
        After `seconds` of computing, a minute of waiting, on filling the memory, or when the user
        interrupts the kernel.
    """
    result, clocks = [], []
    done = threading.Event()

    def run():
        clocks.append(_clock())
        try:
            result.append(work())
        except BaseException as error:
            result.append(error)
        finally:
            done.set()

    # The kernel finds the cell that output belongs to by a context variable: hand it on.
    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    family = {thread}
    before = _memory()
    why = None

    def computed() -> float:
        return clocks[0]() if clocks else 0.0

    with _within_bounds(family):
        try:
            thread.start()
            end = time.monotonic() + WAITING + seconds
            # Not thread.join: interrupted, Python 3.11's takes a thread that lives for dead. And in
            # short waits, because a long one cannot be interrupted on Windows.
            while why is None and not done.wait(0.05):
                if computed() > seconds:
                    why = "time"
                elif time.monotonic() > end and computed() < seconds / 2:
                    why = "waiting"
                elif _memory() - before > FILLED:
                    why = "memory"
        except KeyboardInterrupt:
            why = "interrupt"
        if why is not None and not done.is_set():
            spent = computed()
            raise Stopped(why, _stop(thread, done), spent)
        for started in family - {thread}:
            # It goes with the work: it would print into the cells below.
            _stop(started, threading.Event())
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]
