"""The machine check: what it finds here, and what it says of a machine that lacks something."""

import errno
import shutil
import socket
import sys
from pathlib import Path

from recsys_lab.course import machine

ROOT = Path(__file__).resolve().parents[2]


def finding(what):
    return next(found for found in machine.machine_check() if found.what == what)


def test_the_machine_check_has_a_remedy_for_all_that_is_not_ok():
    for found in machine.machine_check():
        assert found.verdict in ("OK", "NOTE", "PROBLEM")
        assert bool(found.remedy) == (found.verdict != "OK")


def test_this_machine_has_what_the_tests_run_on():
    assert finding("Python").verdict == "OK"
    assert finding("packages").verdict == "OK"
    assert finding("data/movielens-small").verdict == "OK"
    assert finding("data/shop").verdict == "OK"


def test_a_python_without_tensorflow_is_noted_with_the_lessons_that_need_it(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (*machine.FIRST_WITHOUT_TENSORFLOW, 0))
    found = finding("Python")
    assert found.verdict == "NOTE"
    assert found.remedy.startswith("lessons 05, 07, 11, 12 and 17:")


def test_little_memory_is_noted_and_too_little_is_a_problem(monkeypatch):
    for gib, verdict in ((1, "PROBLEM"), (2, "NOTE"), (4, "OK")):
        monkeypatch.setattr(machine, "_memory_bytes", lambda gib=gib: gib * 2**30)
        assert finding("memory").verdict == verdict


def test_a_taken_port_is_noted(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert machine.port_problem(server.getsockname()[1]) == errno.EADDRINUSE
    monkeypatch.setattr(machine, "port_problem", lambda port: errno.EADDRINUSE)
    assert finding("port").verdict == "NOTE"


def test_a_package_of_which_parts_are_gone_is_a_problem(tmp_path, monkeypatch):
    assert machine.damaged(machine.site_packages()) == []
    info = tmp_path / "numpy-2.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_text('"numpy/__init__.py",,\nnumpy/tests/test.py,,\n../bin/f2py,,\n')
    assert machine.damaged(tmp_path) == ["numpy"]
    monkeypatch.setattr(machine.sysconfig, "get_path", lambda which: str(tmp_path))
    found = finding("packages")
    assert (found.verdict, found.found) == ("PROBLEM", "parts are gone of: numpy")
    (tmp_path / "numpy").mkdir()
    (tmp_path / "numpy/__init__.py").touch()
    assert machine.damaged(tmp_path) == []
    assert machine.damaged(tmp_path, ["numpy", "scipy"]) == ["scipy"]


def test_packages_among_which_the_courses_own_is_not_found_are_a_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(machine.sys, "prefix", "/elsewhere")
    monkeypatch.setattr(machine, "find_spec", lambda name: None)
    monkeypatch.setattr(machine, "site_packages", lambda: tmp_path)
    monkeypatch.setattr(machine, "stamped", lambda: {"packages": []})
    for name in ("numpy", "scipy", "pandas", "matplotlib", "ipywidgets", "jupyterlab"):
        (tmp_path / f"{name}-1.dist-info").mkdir()
        (tmp_path / f"{name}-1.dist-info/METADATA").write_text(f"Name: {name}\nVersion: 1\n")
    found = machine._packages()
    assert (found.verdict, found.found) == ("PROBLEM", "the course's own: no recsys-lab.pth")
    assert "recsys_lab lab" in found.remedy
    (tmp_path / "recsys-lab.pth").touch()
    assert machine._packages().verdict == "OK"


def test_changed_and_missing_data_are_a_problem(tmp_path, monkeypatch):
    data = tmp_path / "data/shop"
    shutil.copytree(ROOT / "data/shop", data)
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    assert [found.verdict for found in machine._data()] == ["OK"]
    (data / "events.csv").write_text("user,item\n")
    (data / "items.csv").unlink()
    (found,) = machine._data()
    assert found.verdict == "PROBLEM"
    assert "events.csv" in found.found and "items.csv" in found.found


def test_a_machine_without_browser_says_how_to_get_one(monkeypatch):
    monkeypatch.setattr(machine.shutil, "which", lambda name: None)
    found = finding("browser for the tests")
    assert found.verdict == "NOTE"
    assert "apt install chromium" in found.remedy
