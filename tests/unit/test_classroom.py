"""The trial of a classroom, where there is no JupyterHub: it is no part of the course."""

import psutil

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
    assert classroom.main(["1", "3", "20"]) == 0
    assert tried == [1, 3]
    assert "20 learners: not tried with 1000 MiB free" in capsys.readouterr().err
