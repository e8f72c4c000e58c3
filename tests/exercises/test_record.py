"""Progress survives crashes, damage and two writers, and never costs a learner more than itself."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recsys_lab.course import record
from recsys_lab.exercises import all_exercises

ROOT = Path(__file__).resolve().parents[2]


def python(code, *options, **more):
    return subprocess.Popen(
        [sys.executable, *options, "-c", code],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        **more,
    )


def tries():
    return record.read()[0]["exercises"].get("a.b", {}).get("tries", 0)


def test_what_happened_is_counted():
    assert record.note_exercise("a.b", tries=1, right=0) == ""
    assert record.note_exercise("a.b", tries=1, right=1) == ""
    assert record.note_exercise("a.c", hints=1) == ""
    assert record.note_guess("a.d", guess="SVD") == ""
    assert record.note_guess("a.d", answer="ALS") == ""
    data = json.loads(record.path().read_text(encoding="utf-8"))
    assert data["exercises"].keys() == {"a.b", "a.c"}
    assert data["exercises"]["a.b"].items() >= {"tries": 2, "right": 1, "first": False}.items()
    assert data["exercises"]["a.c"] == {"hints": 1}
    assert data["guesses"] == {"a.d": {"guess": "SVD", "answer": "ALS"}}


def test_what_another_version_wrote_is_kept():
    record.path().write_text('{"exercises": {"a.b": {"tries": 1, "new": 5}}, "more": [1]}')
    record.note_exercise("a.b", tries=1)
    data = json.loads(record.path().read_text(encoding="utf-8"))
    assert data["exercises"]["a.b"].items() >= {"tries": 2, "new": 5}.items()
    assert data["more"] == [1]


def test_it_is_kept_beside_the_readme_unless_a_variable_says_where(monkeypatch, tmp_path):
    mine = tmp_path / "Jürgen Müller" / "recsys lab" / "mine.json"
    monkeypatch.setenv("RECSYS_LAB_PROGRESS", str(mine))
    assert record.note_exercise("a.b", tries=1) == ""
    assert mine.exists()
    monkeypatch.delenv("RECSYS_LAB_PROGRESS")
    assert record.path() == ROOT / "progress.json"


def test_nothing_is_kept_if_the_variable_is_empty(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_LAB_PROGRESS", "")
    assert record.note_exercise("a.b", tries=1) == ""
    assert record.read() == ({"exercises": {}, "guesses": {}, "questions": {}}, "")
    assert list(tmp_path.iterdir()) == []


DAMAGED = {
    "cut short": b'{"exercises": {"a.b": {"tri',
    "empty": b"",
    "not UTF-8": b'{"\xff\xfe": 1}',
    "another form": b"[1, 2]",
    "a number in place of a table": b'{"exercises": 3}',
    "a number in place of an entry": b'{"exercises": {"a.b": 3}}',
    "a text in place of a count": b'{"exercises": {"a.b": {"tries": "many"}}}',
    "a list in place of a guess": b'{"guesses": {"a.b": []}}',
    "nested without end": b"[" * 100_000,
    "no time": b'{"exercises": {"a.b": {"tries": 1, "at": "yesterday"}}}',
    "a text in place of a stage": b'{"questions": {"a.b": {"stage": "two"}}}',
    "far larger than a record": b'{"a": "' + b"x" * 2_000_000 + b'"}',
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_set_aside_with_a_message(kind):
    file = record.path()
    for number in (1, 2):
        file.write_bytes(DAMAGED[kind])
        note = record.note_exercise("a.b", tries=1)
        aside = file.with_name(f"progress.corrupt-{number}.json")
        assert aside.read_bytes() == DAMAGED[kind]
        assert note == (
            f"progress.json was damaged. It was set aside as {aside.name}; a new one begins."
        )
        assert tries() == 1


def test_a_crash_in_mid_write_leaves_the_old_file(monkeypatch):
    record.note_exercise("a.b", tries=1)

    def crash(*_arguments, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(json, "dump", crash)
        with pytest.raises(KeyboardInterrupt):
            record.note_exercise("a.b", tries=1)
    assert tries() == 1
    assert sorted(p.suffix for p in record.path().parent.iterdir()) == [".json", ".lock"]


def test_a_process_that_is_killed_in_mid_write_leaves_the_old_file_and_no_lock():
    record.note_exercise("a.b", tries=1)
    code = (
        "import os; from recsys_lab.course import record;"
        "os.fsync = lambda file: os._exit(1);"
        "record.note_exercise('a.b', tries=1)"
    )
    assert python(code).wait() == 1
    assert tries() == 1
    assert record.note_exercise("a.b", tries=1) == ""
    assert tries() == 2


def test_a_full_disk_costs_the_record_and_nothing_else(monkeypatch):
    record.note_exercise("a.b", tries=1)

    def full(_file):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        note = record.note_exercise("a.b", tries=1)
    assert "could not be saved" in note
    assert "(No space left on device)" in note
    assert tries() == 1


def test_the_file_changes_in_one_step_or_not_at_all(monkeypatch):
    record.note_exercise("a.b", tries=1)

    def fails(*_files):
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fails)
        assert "(Permission denied)" in record.note_exercise("a.b", tries=1)
    assert tries() == 1


def test_a_file_that_cannot_be_read_is_not_overwritten():
    record.path().mkdir()
    note = record.note_exercise("a.b", tries=1)
    assert note.startswith("Your progress in progress.json cannot be read")
    assert record.path().is_dir()


def test_eight_writers_at_once_lose_nothing():
    code = "from recsys_lab.course.record import note_exercise as n\n"
    code += "input()\nfor _ in range(25): assert not n('a.b', tries=1)"
    writers = [python(code) for _ in range(8)]
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    assert [writer.wait() for writer in writers] == [0] * 8
    assert tries() == 200


def test_what_a_hanging_writer_keeps_from_being_saved_is_said(monkeypatch):
    monkeypatch.setattr(record, "PATIENCE", 0.1)
    code = (
        "from recsys_lab.course import record\n"
        "with record._lock(record.path()):\n    print('held', flush=True); input()"
    )
    with python(code) as holder:
        assert holder.stdout.readline() == "held\n"
        assert "another notebook does not let go of it" in record.note_exercise("a.b", tries=1)
        holder.communicate("\n")
    assert record.note_exercise("a.b", tries=1) == ""
    assert tries() == 1


def test_where_there_are_no_locks_notes_are_kept_without(monkeypatch):
    def no_locks(*_arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(fcntl, "flock", no_locks)
    assert record.note_exercise("a.b", tries=1) == ""
    assert tries() == 1


def test_what_a_killed_writer_left_is_taken_away():
    record.path().with_name("progress.json.1.tmp").touch()
    others = record.path().with_name("mine.json.1.tmp")
    others.touch()
    record.note_exercise("a.b", tries=1)
    assert [file.name for file in record.path().parent.glob("*.tmp")] == [others.name]


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are POSIX's")
def test_a_link_stays_a_link_also_when_the_file_is_damaged(tmp_path):
    kept = tmp_path / "kept" / "mine.json"
    kept.parent.mkdir()
    record.path().symlink_to(kept)
    assert record.note_exercise("a.b", tries=1) == ""
    kept.write_text("{")
    assert "mine.corrupt-1.json" in record.note_exercise("a.b", tries=1)
    assert kept.with_name("mine.corrupt-1.json").read_text() == "{"
    assert record.path().is_symlink() and tries() == 1


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are POSIX's")
def test_a_pipe_is_not_waited_for():
    os.mkfifo(record.path())
    assert "cannot be read (it is no file)" in record.note_exercise("a.b", tries=1)
    assert record.summary().startswith("Your progress in progress.json cannot be read")


def test_a_mark_before_the_text_is_no_damage():
    record.path().write_text('{"exercises": {"a.b": {"tries": 1}}}', encoding="utf-8-sig")
    assert record.note_exercise("a.b", tries=1) == ""
    assert tries() == 2


def test_what_another_version_wrote_can_be_printed():
    ids = {f"\\udc80{'x' * 100}.{n}": {"tries": 1} for n in range(20)}
    guesses = {"\\udc80.a": {"guess": "one"}}
    text = json.dumps({"exercises": ids, "guesses": guesses}).replace("\\\\", "\\")
    record.path().write_text(text)
    shown = record.summary()
    shown.encode("utf-8")
    assert "\\udc80" in shown and max(map(len, shown.splitlines())) < 600


def test_the_summary_needs_nothing_but_python():
    record.note_exercise("start.best", tries=1, right=1, hints=2)
    record.note_guess("start.which", guess="SVD", answer="SVD")
    record.note_guess("start.other", guess="SVD", answer="ALS")
    # -I -S: neither installed packages nor the user's own set-up.
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    code += "from recsys_lab.course import record; print(record.summary())"
    out, _ = python(code, "-I", "-S").communicate()
    head, row, *others = out.splitlines()
    assert head.split("  ")[0] == "lesson"
    assert row.split() == ["00", "start", "1", "of", "2", "1", "2", "0", "2", "1"]
    assert all(" 0 of " in line for line in others)


def test_the_ids_read_from_the_text_are_those_of_the_exercises():
    numbers = {id: lesson[:2] for id, lesson in record.known_ids().items()}
    assert numbers == {one.id: f"{one.notebook:02d}" for one in all_exercises()}


def test_an_exercise_of_another_version_is_named_and_not_counted():
    record.note_exercise("start.best", tries=1, right=1)
    record.note_exercise("start.gone", tries=1, right=1)
    table, note = record.rows()
    assert note == "Not an exercise of this version: start.gone."
    assert table[0][:3] == ["00 start", "1 of 2", "1"]


def test_the_summary_of_nothing_names_the_file_that_is_not_there(monkeypatch):
    assert record.summary().startswith(f"There is no file {record.path()}:")
    monkeypatch.setenv("RECSYS_LAB_PROGRESS", "")
    assert "no progress is kept" in record.summary()


def test_the_summary_tells_of_a_damaged_file_and_leaves_it_alone():
    record.path().write_text("{")
    assert record.summary().startswith("progress.json is damaged")
    assert [file.name for file in record.path().parent.glob("*.json")] == ["progress.json"]
    assert record.path().read_text() == "{"
