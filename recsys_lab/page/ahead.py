"""Work that is done ahead, in a thread of its own, and gives way at once."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context


class GivenUp(Exception):
    """What was being done ahead is not wanted any more."""


class Ahead:
    """One thread for work that is likely to be asked for next.

    Parameters
    ----------
    idle : seconds without a request before work begins.
    gap : seconds between two pieces of work, for a request to come in.
    patience : seconds for which a request waits at most until a piece is given up.

    Notes
    -----
    The thread of a request must not do it: a request that came meanwhile would wait until the piece
    is done, and JupyterLab brings requests in more than one thread, so that two of them would work
    ahead at once (measured: a jump took 380 ms, of which 200 were such waiting).
    """

    def __init__(self, idle: float, gap: float, patience: float):
        self.idle, self.gap, self.patience = idle, gap, patience
        self._changed = threading.Condition()
        self._turn = 0  # counts requests: work for an earlier one ends
        self._mine = 0  # the turn whose work the thread does
        self._done = 0  # the last turn whose work has ended, for tests that wait for it
        self._work: tuple | None = None
        self._piece: object = None  # what is being done
        self._unwanted = False  # and whether it is to be given up
        self._thread: threading.Thread | None = None

    def begin(self, work: Callable[[], Iterator]) -> None:
        """Have `work` done instead of all earlier work: each of its steps is one piece."""
        with self._changed:
            self._turn += 1
            # In the context of the request: ipykernel sends the page's answers to its thread.
            self._work = work, copy_context()
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def make_way(self, wanted: object = None) -> None:
        """End all work until the next `begin`, and wait until nothing is done.

        The present piece is given up, unless it is the one that is wanted.
        """
        if self.is_here():
            return
        with self._changed:
            self._turn += 1
            self._work, self._done = None, self._turn
            self._unwanted = self._piece != wanted
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._piece is None, self.patience)

    @contextmanager
    def piece(self, name: object) -> Iterator[None]:
        """Let what is done inside be one piece, which `go_on` may give up.

        Raises
        ------
        GivenUp
            In the thread of this work, if another request has come since its last piece.
        """
        with self._changed:
            if self._mine != self._turn and self.is_here():
                raise GivenUp
            self._piece, self._unwanted = name, False
        try:
            yield
        finally:
            with self._changed:
                self._piece = None
                self._changed.notify_all()

    def go_on(self) -> None:
        """Raise GivenUp, in the thread of this work, if the present piece is not wanted any more.

        A long piece calls it often.
        """
        if self._unwanted and self.is_here():
            raise GivenUp

    def is_here(self) -> bool:
        """Tell whether the calling thread is that of this work."""
        return threading.current_thread() is self._thread

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._work)
                (work, context), turn = self._work, self._turn
                self._work, self._mine = None, turn
            try:
                steps, pause = None, self.idle
                while not self._overtaken(turn, pause):
                    steps, pause = steps or work(), self.gap
                    if context.run(next, steps, self) is self:
                        break
            except GivenUp:
                pass
            except Exception:  # told like that of any thread; later work is done all the same
                me = threading.current_thread()
                threading.excepthook(threading.ExceptHookArgs([*sys.exc_info(), me]))
            finally:
                with self._changed:
                    self._done = max(self._done, turn)
                del work, context, steps  # they would keep the explorer alive

    def _overtaken(self, turn: int, seconds: float) -> bool:
        """Wait, and tell whether another request has come."""
        with self._changed:
            return self._changed.wait_for(lambda: turn != self._turn, seconds)
