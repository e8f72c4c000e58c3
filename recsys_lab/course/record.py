"""The learner's progress: one small JSON file on this computer, and nothing anywhere else.

Standard library only, so that ``python3 -m recsys_lab progress`` works without any package.

The file is replaced in one step, so a crash in mid-write leaves the old one. Two notebooks that
write at once do not lose anything: a change is made to what the file says at that moment, under a
lock that the operating system takes back when its owner dies.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
import random
import re
import stat
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from .review import DAYS, answered

PATIENCE = 10.0  # seconds to wait for others' writes, of which each takes milliseconds
# A record of years takes some 30 kB: what is larger is no record, and reading it would take long.
LARGEST = 2_000_000


def path() -> Path | None:
    """Where progress is kept: ``RECSYS_LAB_PROGRESS``, else ``progress.json`` beside README.md.

    None if that variable is set to nothing: then nothing is kept.
    """
    named = os.environ.get("RECSYS_LAB_PROGRESS")
    if named is None:
        return Path(__file__).resolve().parents[2] / "progress.json"
    return Path(named) if named else None


def _real(file: Path) -> Path:
    """Where a file is kept: a link to it stays a link."""
    return Path(os.path.realpath(file))


@contextlib.contextmanager
def _lock(beside: Path) -> Iterator[None]:
    """Hold the lock file beside the progress file; go on without where there are no locks.

    Raises
    ------
    TimeoutError
        If others hold it for longer than `PATIENCE`.
    """
    with open(beside.with_suffix(".lock"), "a+b") as file:
        end = time.monotonic() + PATIENCE
        while not _try_lock(file):
            if time.monotonic() > end:
                raise TimeoutError(errno.ETIMEDOUT, "another notebook does not let go of it")
            # Not in step with others who wait: each gets its turn.
            time.sleep(random.uniform(0.001, 0.01))
        yield  # closing the file lets go of the lock


def _try_lock(file) -> bool:
    """Whether the lock is ours now, or there is none to have, as on some network disks."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN)
    return True


def _is_record(data) -> bool:
    """Whether the data have the form that `update` writes, as far as anybody reads it."""
    if not isinstance(data, dict):
        return False
    for group in ("exercises", "guesses", "questions"):
        entries = data.get(group, {})
        if not isinstance(entries, dict) or not all(isinstance(e, dict) for e in entries.values()):
            return False
    entries = [*data.get("exercises", {}).values(), *data.get("questions", {}).values()]
    return all(
        isinstance(entry.get(count, 0), int)
        for entry in entries
        for count in ("tries", "right", "hints", "solution", "stage")
    ) and all(_is_time(entry["at"]) for entry in entries if "at" in entry)


def _is_time(text) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is None
    except (TypeError, ValueError):
        return False


def read(*, set_aside: bool = True) -> tuple[dict, str]:
    """What is recorded, and a note for the learner if something was amiss with the file.

    Parameters
    ----------
    set_aside : whether a damaged file is renamed, so that a new one can begin.
    """
    file = path()
    empty = {"exercises": {}, "guesses": {}, "questions": {}}
    if file is None:
        return empty, ""
    try:
        return empty | _parsed(file), ""
    except IsADirectoryError:
        return empty, f"Your progress in {file.name} cannot be read (it is no file)."
    except FileNotFoundError:
        return empty, ""
    except (ValueError, RecursionError):
        pass  # not JSON, not UTF-8 or not a record
    except OSError as error:
        return empty, f"Your progress in {file.name} cannot be read ({error.strerror})."
    if not set_aside:
        return empty, f"{file.name} is damaged: it holds no record of progress."
    number, file = 1, _real(file)
    while (aside := file.with_name(f"{file.stem}.corrupt-{number}{file.suffix}")).exists():
        number += 1
    try:
        os.replace(file, aside)
    except OSError as error:
        return empty, f"{file.name} is damaged and cannot be set aside ({error.strerror})."
    return empty, f"{file.name} was damaged. It was set aside as {aside.name}; a new one begins."


def update(change: Callable[[dict], None]) -> str:
    """Apply a change to what is recorded; return a note for the learner, or an empty text.

    A file that cannot be written costs the record, never the learner's check.
    """
    file = path()
    if file is None:
        return ""
    try:
        file = _real(file)
        scratch = file.with_name(f"{file.name}.{os.getpid()}.tmp")
        file.parent.mkdir(parents=True, exist_ok=True)
        with _lock(file):
            for left in file.parent.glob(f"{glob.escape(file.name)}.*.tmp"):
                left.unlink(missing_ok=True)  # by one that was killed: nobody else writes now
            data, note = read()
            if note and file.exists():
                return note  # unreadable as it is: writing would destroy it
            change(data)
            try:
                with open(scratch, "w", encoding="utf-8") as out:
                    json.dump(data, out, indent=1, sort_keys=True)
                    out.flush()
                    os.fsync(out.fileno())
                os.replace(scratch, file)
            finally:
                scratch.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or error
        return f"Your progress could not be saved in {file} ({why}); all else works."
    return note


def note_exercise(id: str, *, now: datetime | None = None, **seen: int) -> str:
    """Count what happened in an exercise: tries, right, hints, solution, as in ``hints=1``.

    A try moves the day on which it comes back; one that was right at the first try never does.
    """

    def change(data: dict) -> None:
        entry = data["exercises"].setdefault(id, {})
        _count(entry, seen)
        if "tries" in seen:
            right = bool(seen.get("right"))
            answered(entry, right, now or datetime.now())
            if right and entry["first"]:
                entry["stage"] = len(DAYS)

    return update(change)


def note_question(id: str, right: bool, *, now: datetime | None = None) -> str:
    """Note an answer to a question of *Check yourself*, and when it comes back."""

    def change(data: dict) -> None:
        entry = data["questions"].setdefault(id, {})
        _count(entry, {"tries": 1, "right": int(right)})
        answered(entry, right, now or datetime.now())

    return update(change)


def _count(entry: dict, seen: dict[str, int]) -> None:
    for what, number in seen.items():
        entry[what] = entry.get(what, 0) + number


def note_guess(id: str, **seen: str) -> str:
    """Keep a committed ``guess="..."`` or the revealed ``answer="..."``."""

    def change(data: dict) -> None:
        data["guesses"].setdefault(id, {}).update(seen)

    return update(change)


def _parsed(file: Path) -> dict:
    """The record in a file; ValueError or RecursionError if it holds none."""
    found = file.stat()
    if not stat.S_ISREG(found.st_mode):
        raise IsADirectoryError
    if found.st_size > LARGEST:
        raise ValueError
    # An editor on Windows may put a mark before the text.
    data = json.loads(file.read_text(encoding="utf-8-sig"))
    if not _is_record(data):
        raise ValueError
    return data


def merge(other: Path) -> str:
    """Take in the progress of another copy of the file, and say what came of it.

    Whoever learns at home and at school has two. Of counts the larger stays, since both may go back
    to one beginning; of dates and stages those of the later answer; a mistake at the first try
    stays one. Entries of another version of the course are kept as they are.
    """
    mine = path()
    if mine is None:
        return "RECSYS_LAB_PROGRESS is set to nothing, so there is no progress to take it into."
    try:
        theirs = _parsed(Path(other))
    except FileNotFoundError:
        return f"There is no file {other}."
    except (OSError, ValueError, RecursionError):
        return f"{other} holds no record of progress; nothing was changed."
    new = later = 0

    def change(data: dict) -> None:
        nonlocal new, later
        for group in ("exercises", "questions", "guesses"):
            here = data.setdefault(group, {})
            for id, entry in theirs.get(group, {}).items():
                if id not in here:
                    here[id], new = entry, new + 1
                    continue
                joined = _joined(here[id], entry)
                later += joined != here[id]
                here[id] = joined

    note = update(change)
    said = f"{Path(other).name}: {new} new, {later} brought up to date, in {mine.name}."
    return note or said


def _joined(one: dict, other: dict) -> dict:
    """One entry of two copies."""
    newer, older = (
        (other, one) if str(other.get("at", "")) > str(one.get("at", "")) else (one, other)
    )
    made = older | newer
    for count in ("tries", "right", "hints", "solution"):
        if count in made:
            made[count] = max(one.get(count, 0), other.get(count, 0))
    if "first" in one and "first" in other:
        made["first"] = bool(one["first"] and other["first"])
    return made


NAMED = 10  # ids of another version that are named in the note
COLUMNS = ("lesson", "right", "tried", "hints", "solutions seen", "guesses", "guessed right")


def _modules() -> list[Path]:
    """The files of the lessons' exercises, ``nbNN_name.py``, in the order of the lessons."""
    return sorted((Path(__file__).parents[1] / "exercises").glob("nb[0-9][0-9]_*.py"))


def _lesson(module: Path) -> str:
    """What a row of the table is called: number and name, as in ``03 als``."""
    return module.stem[2:].replace("_", " ", 1)


def known_ids() -> dict[str, str]:
    """Return the exercises of this version, by id, with their lesson, as in ``03 als``.

    Read from the text of their modules, since importing those takes numpy. An id keeps its name
    when the exercise moves to another lesson, so that no learner's record is lost.
    """
    return {
        id: _lesson(file)
        for file in _modules()
        for id in re.findall(r'^@define\(\s*"([\w.]+)"', file.read_text("utf-8"), re.M)
    }


def rows(*, set_aside: bool = True) -> tuple[list[list[str]], str]:
    """The table of progress, a row for each lesson, and a note if something was amiss.

    Exercises that this version does not have, as in a file from another one, are named in the note
    and not counted.

    Parameters
    ----------
    set_aside : as in `read`.
    """
    data, note = read(set_aside=set_aside)
    known = known_ids()
    foreign = sorted(data["exercises"].keys() - known.keys())
    if foreign:
        named = [_shown(id) for id in foreign[:NAMED]] + ["..."] * (len(foreign) > NAMED)
        note = f"{note} Not an exercise of this version: {', '.join(named)}.".strip()
    lessons = {_lesson(file).partition(" ")[2]: _lesson(file) for file in _modules()}
    guesses = {}
    for id, entry in data["guesses"].items():
        name = id.partition(".")[0]
        guesses.setdefault(lessons.get(name, _shown(name)), []).append(entry)
    table = []
    for lesson in sorted({*lessons.values(), *guesses}):
        ids = [id for id, where in known.items() if where == lesson]
        mine = [data["exercises"][id] for id in ids if id in data["exercises"]]
        right = sum(entry.get("right", 0) > 0 for entry in mine)
        made = [e for e in guesses.get(lesson, []) if "guess" in e]
        table.append(
            [
                lesson,
                f"{right} of {len(ids)}",
                str(sum(entry.get("tries", 0) > 0 for entry in mine)),
                str(sum(entry.get("hints", 0) for entry in mine)),
                str(sum(entry.get("solution", 0) > 0 for entry in mine)),
                str(len(made)),
                str(sum(e["guess"] == e.get("answer") for e in made)),
            ]
        )
    return table, note


def _shown(id: str) -> str:
    """An id that somebody else wrote, so that it can be printed: short, and no half characters."""
    return id[:40].encode("utf-8", "backslashreplace").decode("utf-8")


def as_text(table: list[list[str]]) -> str:
    """The table of progress in plain text."""
    widths = [max(map(len, column)) for column in zip(COLUMNS, *table, strict=True)]
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (COLUMNS, *table)
    ]
    return "\n".join(lines)


def summary() -> str:
    """What was done so far, as plain text for ``python3 -m recsys_lab progress``.

    It only reads: a teacher looks at the files of others with it.
    """
    file = path()
    if file is None:
        return "RECSYS_LAB_PROGRESS is set to nothing, so no progress is kept."
    if not file.exists():
        return f"There is no file {file}: your progress begins with the first exercise."
    table, note = rows(set_aside=False)
    return f"{note}\n{as_text(table)}".strip()
