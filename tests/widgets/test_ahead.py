"""Work ahead gives way at once, in one thread, and never stays in the way of a request."""

import contextvars
import gc
import threading
import time
import weakref

import pytest

from recsys_lab.page.ahead import Ahead

LONG = 20  # seconds that nothing here takes


@pytest.fixture
def ahead():
    made = Ahead(idle=0.01, gap=0.001, patience=LONG)
    yield made
    made.make_way()


def until(holds) -> bool:
    end = time.monotonic() + LONG
    while not holds() and time.monotonic() < end:
        time.sleep(0.002)
    return holds()


class Work:
    """Pieces 0, 1, ...; piece `long` goes on until it is given up or `release` is set."""

    def __init__(self, ahead, pieces=5, long=None):
        self.ahead, self.pieces, self.long = ahead, pieces, long
        self.begun, self.ended, self.threads = [], [], set()
        self.release = threading.Event()

    def __call__(self):
        for name in range(self.pieces):
            with self.ahead.piece(name):
                self.begun.append(name)
                self.threads.add(threading.current_thread())
                while name == self.long and not self.release.wait(0.002):
                    self.ahead.go_on()
            self.ended.append(name)
            yield


def test_all_pieces_are_done_one_after_the_other_in_one_thread_beside(ahead):
    before = set(threading.enumerate())
    for _ in range(3):
        work = Work(ahead)
        ahead.begin(work)
        assert until(lambda work=work: work.ended == [0, 1, 2, 3, 4])
        assert work.threads == {ahead._thread}
    assert set(threading.enumerate()) - before == {ahead._thread}


def test_a_request_has_the_present_piece_given_up_and_nothing_further_done(ahead):
    work = Work(ahead, long=1)
    ahead.begin(work)
    assert until(lambda: work.begun == [0, 1])
    start = time.monotonic()
    ahead.make_way()
    assert time.monotonic() - start < LONG / 2  # it did not wait for its patience
    assert ahead._piece is None
    time.sleep(0.05)
    assert (work.begun, work.ended) == ([0, 1], [0])


def test_a_request_waits_for_the_very_piece_that_it_wants(ahead):
    work = Work(ahead, long=1)
    ahead.begin(work)
    assert until(lambda: work.begun == [0, 1])
    threading.Timer(0.1, work.release.set).start()
    ahead.make_way(wanted=1)
    assert until(lambda: work.ended == [0, 1])
    time.sleep(0.05)
    assert work.begun == [0, 1]


def test_a_request_does_not_wait_for_ever():
    ahead = Ahead(idle=0.001, gap=0.001, patience=0.05)
    deaf, begun = threading.Event(), threading.Event()

    def work():
        with ahead.piece("deaf"):
            begun.set()
            deaf.wait(LONG)
        yield

    ahead.begin(work)
    assert begun.wait(LONG)
    ahead.make_way()
    assert ahead._piece == "deaf"  # it goes on, and the request too
    deaf.set()


def test_later_work_takes_the_place_of_earlier_after_its_present_piece(ahead):
    early, late = Work(ahead, long=1), Work(ahead)
    ahead.begin(early)
    assert until(lambda: early.begun == [0, 1])
    ahead.begin(late)
    early.release.set()
    assert until(lambda: late.ended == [0, 1, 2, 3, 4])
    assert early.ended == [0, 1]


def test_work_that_is_overtaken_before_it_began_is_not_begun(ahead):
    ahead.idle, begun = 0.1, []

    def early():
        yield begun.append("early")

    ahead.begin(early)
    time.sleep(0.02)  # the thread has taken it, and waits
    late = Work(ahead)
    ahead.begin(late)
    assert until(lambda: late.ended == [0, 1, 2, 3, 4])
    assert begun == []


def test_no_piece_begins_after_a_request_has_been_given_way(ahead):
    listing, go, begun = threading.Event(), threading.Event(), []

    def work():
        listing.set()
        go.wait(LONG)  # between two pieces, where nothing can be given up
        with ahead.piece("late"):
            begun.append("late")
        yield

    ahead.begin(work)
    assert listing.wait(LONG)
    ahead.make_way()
    go.set()
    assert until(lambda: ahead._done == ahead._turn)
    time.sleep(0.05)
    assert begun == []


def test_only_the_work_itself_is_given_up(ahead):
    work = Work(ahead, long=0)
    ahead.begin(work)
    assert until(lambda: work.begun == [0])
    ahead._unwanted = True
    ahead.go_on()  # a request draws with the same code: it is not stopped


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_fails_leaves_later_work_alone(ahead):
    def fails():
        yield 1 / 0

    ahead.begin(fails)
    assert until(lambda: ahead._done == ahead._turn)
    work = Work(ahead)
    ahead.begin(work)
    assert until(lambda: work.ended == [0, 1, 2, 3, 4])


def test_work_runs_in_the_context_of_its_request(ahead):
    asked, seen = contextvars.ContextVar("asked"), []

    def work():
        seen.append(asked.get("nobody"))
        yield

    contextvars.Context().run(lambda: (asked.set("subshell"), ahead.begin(work)))
    assert until(lambda: seen == ["subshell"])


def test_what_worked_is_not_kept_alive(ahead):
    work = Work(ahead)
    ahead.begin(work)
    assert until(lambda: ahead._done == ahead._turn)
    known = weakref.ref(work)
    del work
    assert until(lambda: gc.collect() >= 0 and known() is None)
