"""The trial of a classroom, where there is no JupyterHub: it is no part of the course."""

import subprocess
import sys

import psutil
import pytest

from tools import classroom


def test_without_jupyterhub_one_sentence_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(classroom, "find_spec", lambda name: None)
    assert classroom.main([]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "pip install jupyterhub" in said and "configurable-http-proxy" in said


def test_more_learners_than_the_memory_holds_are_not_tried(monkeypatch, capsys):
    monkeypatch.setattr(classroom, "find_spec", lambda name: object())
    monkeypatch.setattr(classroom.shutil, "which", lambda name: "/bin/proxy")
    free = psutil.virtual_memory()._replace(available=1000 * 2**20)
    monkeypatch.setattr(classroom.psutil, "virtual_memory", lambda: free)
    tried = []
    row = dict.fromkeys(["server", "open", "run", "move", "answer", "MiB server", "MiB kernel"], 1)
    monkeypatch.setattr(
        classroom,
        "classroom",
        lambda count, program: tried.append(count) or {**row, "kept": "", "trouble": []},
    )
    assert classroom.main(["1", "3", "20"]) == 1
    assert tried == [1, 3]
    assert "20 learners: not tried with 1000 MiB free" in capsys.readouterr().err
    assert classroom.main([]) == 0  # nobody asked for 20
    assert classroom.main(["0"]) == 1


def test_a_hub_that_never_answers_leaves_no_process_behind(tmp_path, monkeypatch):
    begun = []

    def begin(self, command, name, **more):
        begun.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(20)"]))
        return begun[-1]

    monkeypatch.setattr(classroom.Hub, "_begin", begin)
    monkeypatch.setattr(classroom, "wait_for", lambda holds: (_ for _ in ()).throw(TimeoutError))
    with pytest.raises(TimeoutError):
        classroom.classroom(1, "proxy")
    assert len(begun) == 2 and not any(psutil.pid_exists(process.pid) for process in begun)


def test_where_no_learner_comes_in_the_trouble_of_each_is_told(monkeypatch):
    class Hub:
        def __init__(self, folder, program):
            self.folder = folder

        def ask(self, method, path, body=None):
            if method == "GET":
                return []
            raise OSError("no room")

        def servers(self):
            return {}

        start = kill = end = lambda self: None

    monkeypatch.setattr(classroom, "Hub", Hub)
    row = classroom.classroom(2, "proxy")
    assert [one for one in row["trouble"] if "no room" in one and "learner00, server" in one]
    assert len(row["trouble"]) == 4 and row["kept"] == "0 of 2"  # and the hub knows neither
