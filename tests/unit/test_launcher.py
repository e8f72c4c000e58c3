"""The launcher, run as a command in a copy of the course whose `.venv` holds a stand-in for Python.

The stand-in answers as pip and uv did when the trouble was made for real. The slowest test does
without it.
"""

import ast
import json
import os
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest

from recsys_lab.course import java, launcher, machine, surroundings

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="the stand-in is a POSIX script")

STAND_IN = """\
#!{python}
import json, os, sys, time
from pathlib import Path
venv = Path(__file__).absolute().parent.parent
arguments = sys.argv[1:]
if arguments[:2] == ["-I", "-c"]:
    print(True, json.dumps(str(venv / "site-packages")), sep="\\n")
    sys.exit()
with (venv / "calls").open("a") as file:
    print(json.dumps(arguments), file=file)
(venv / "environment.json").write_text(json.dumps(dict(os.environ)))
tool = arguments[1]
if tool == "pip" and "config" in arguments:
    sys.exit(1)
does = os.environ.get("DOES_" + tool, "")
if does.startswith("sleep"):
    time.sleep(float(does.split()[1]))
elif does:
    print(does)
    sys.exit(1)
if tool not in ("pip", "uv"):
    print(json.dumps(arguments))
"""


@pytest.fixture
def course(tmp_path):
    """A folder with what the launcher needs, and a `.venv` that somebody made, still empty."""
    folder = tmp_path / "a course"
    (folder / "recsys_lab").mkdir(parents=True)
    shutil.copytree(ROOT / "recsys_lab/course", folder / "recsys_lab/course")
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(ROOT / "recsys_lab" / name, folder / "recsys_lab")
    for name in ("pyproject.toml", "requirements.lock", "requirements-spark.lock"):
        shutil.copy(ROOT / name, folder)
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "00_start.ipynb").touch()
    python = folder / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(STAND_IN.format(python=sys.executable))
    python.chmod(0o755)
    (folder / ".venv/site-packages").mkdir()
    return folder


# Ctrl-C reaches a program unless whoever started it in the background had that switched off.
START = """\
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("recsys_lab", run_name="__main__")
"""


def begin(course, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", START, *arguments],
        cwd=course,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(course, *arguments, **environment):
    """(exit code, what it printed, what it complained of)"""
    process = begin(course, *arguments, **environment)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def calls(course):
    """What the launcher asked `.venv`'s Python to do, apart from questions."""
    file = course / ".venv/calls"
    lines = map(json.loads, file.read_text().splitlines()) if file.exists() else []
    return [line for line in lines if "config" not in line]


def environment(course):
    """The variables that the last call was given."""
    return json.loads((course / ".venv/environment.json").read_text())


def stamp(course, **changed):
    """Change what the stamp of `.venv` says."""
    file = course / ".venv/recsys-lab.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))


def tools(course):
    return [line[1] for line in calls(course)]


def assert_one_sentence(err, *parts):
    assert err.count("\n") == 1 and err.rstrip().endswith("."), err
    assert ". " not in err.strip(), err
    for part in parts:
        assert part in err


# --- Verbs ---


def test_an_unknown_verb_gets_a_sentence_and_the_usage(course):
    code, out, err = run(course, "labb")
    assert (code, out) == (2, "")
    assert "'labb'" in err.splitlines()[0]
    assert launcher.USAGE in err


def test_no_verb_gets_the_usage(course):
    assert run(course)[:2] == (0, launcher.USAGE + "\n")


@posix
def test_lab_opens_the_first_notebook_and_passes_arguments_on(course):
    code, out, err = run(course, "lab", "--no-browser", "--port", "0")
    assert (code, err) == (0, "")
    *_, last = calls(course)
    assert last[:2] == ["-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={course}" in last
    assert "--LabApp.default_url=/lab/tree/notebooks/00_start.ipynb" in last
    assert last[-3:] == ["--no-browser", "--port", "0"]
    assert ("--allow-root" in last) == (os.geteuid() == 0)
    assert json.loads(out.splitlines()[-1]) == last


def test_two_workers_have_a_thread_each_and_a_debugger_has_them_all(monkeypatch):
    monkeypatch.setattr(launcher, "set_up", lambda *extras: None)
    monkeypatch.setattr(launcher, "_become", lambda command: 0)
    names = ["OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"]
    for name in names:
        monkeypatch.delenv(name, raising=False)
    launcher.test(["--pdb"])
    assert not set(names) & set(os.environ)
    launcher.test([])
    for name in names:
        assert os.environ[name] == "1"
        monkeypatch.delenv(name)


@posix
def test_the_courses_python_may_store_its_bytecode(monkeypatch):
    started = []
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(launcher.os, "execv", lambda *command: started.append(dict(os.environ)))
    launcher._become(["-V"])
    assert "PYTHONDONTWRITEBYTECODE" not in started[0]


@posix
def test_test_bench_and_handout_pass_arguments_on(course):
    assert run(course, "test", "tests/unit", "-k", "lock")[0] == 0
    assert calls(course)[-1][1:] == ["pytest", *launcher._WORKERS, "tests/unit", "-k", "lock"]
    assert run(course, "test", "--pdb")[0] == 0
    assert calls(course)[-1][1:] == ["pytest", "--pdb"]
    assert run(course, "bench", "--quick")[0] == 0
    assert calls(course)[-1][1:] == ["benchmarks", "--quick"]
    assert run(course, "audit", "log.csv")[0] == 0
    assert calls(course)[-1][1:3] == ["recsys_lab.auditing.command", "--from"]
    assert calls(course)[-1][-1] == "log.csv"
    assert run(course, "handout", "--out", "elsewhere")[0] == 0
    assert calls(course)[-1][1:] == ["tools.handout", "--out", "elsewhere"]


@posix
def test_the_exit_code_is_that_of_what_was_started(course):
    run(course, "test")
    assert run(course, "test", DOES_pytest="2 failed")[0] == 1


def test_a_console_that_lacks_a_character_shows_another(course):
    moved = course.rename(course.with_name("数据"))
    old = {"PYTHONIOENCODING": "cp1252", "RECSYS_LAB_PROGRESS": str(moved / "p.json")}
    code, out, err = run(moved, "progress", **old)
    assert (code, err) == (0, "")
    assert "\\u6570\\u636e" in out


def test_check_runs_before_anything_is_installed(course):
    shutil.rmtree(course / ".venv")
    code, out, err = run(course, "check")
    assert (code, err) == (0, "")
    assert "OK       Python" in out


# --- Set-up ---


@posix
def test_the_second_start_installs_nothing(course):
    assert run(course, "lab")[0] == 0
    assert tools(course) == ["pip", "uv", "jupyterlab"]
    code, out, _ = run(course, "lab")
    assert code == 0 and "[4/4]" not in out
    assert tools(course) == ["pip", "uv", "jupyterlab", "jupyterlab"]


@posix
def test_packages_are_installed_by_hash_from_the_lock(course):
    run(course, "lab")
    pip, uv, _ = calls(course)
    assert "--require-hashes" in pip and "--require-hashes" in uv
    assert uv[uv.index("-c") + 1] == "requirements.lock"
    assert [uv[at + 1] for at, word in enumerate(uv) if word == "--extra"] == ["lab"]


@posix
def test_test_tools_are_added_and_stay(course):
    run(course, "lab")
    run(course, "test")
    assert calls(course)[-2][-4:] == ["--extra", "lab", "--extra", "test"]
    before = len(calls(course))
    run(course, "lab")
    assert len(calls(course)) == before + 1
    with (course / "requirements.lock").open("a") as file:
        file.write("# another pin\n")
    run(course, "lab")
    assert calls(course)[-2][-4:] == ["--extra", "lab", "--extra", "test"]


def a_java(folder, says='openjdk version "17.0.15" 2025-04-15', code=0):
    """A stand-in for Java, and the folder to set JAVA_HOME to."""
    program = folder / "bin/java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' '{says}' >&2\nexit {code}\n")
    program.chmod(0o755)
    return folder


@posix
def test_spark_is_added_from_its_own_lock_and_stays(course, tmp_path):
    java = {"JAVA_HOME": str(a_java(tmp_path / "jdk"))}
    run(course, "lab")
    code, out, err = run(course, "add", "spark", **java)
    assert (code, err) == (0, "")
    assert "so is Java 17" in out.splitlines()[-1]
    lock = "requirements-spark.lock"
    added = ["--extra", "spark", "-c", lock, "--build-constraints", lock]
    assert calls(course)[-1][-8:] == ["--extra", "lab", *added]
    before = len(calls(course))
    assert run(course, "add", "spark", **java)[0] == run(course, "lab")[0] == 0
    assert tools(course)[before:] == ["jupyterlab"]
    with (course / lock).open("a") as file:
        file.write("# another pin\n")
    run(course, "lab")
    assert calls(course)[-2][-8:] == ["--extra", "lab", *added]


@posix
def test_who_has_not_asked_for_spark_gets_none(course):
    run(course, "lab")
    assert "spark" not in json.dumps(calls(course))
    before = len(calls(course))
    (course / "requirements-spark.lock").write_text("# another pin\n")
    run(course, "lab")
    assert len(calls(course)) == before + 1


@posix
@pytest.mark.parametrize("which", ["none", "old", "broken"])
def test_without_a_java_that_will_do_nothing_is_fetched_and_one_sentence_says_why(
    course, tmp_path, which
):
    said = {"old": ('java version "1.8.0_402"', 0), "broken": ("Unable to locate a Java", 1)}
    java = a_java(tmp_path / "jdk", *said[which]) if which in said else tmp_path / "nothing"
    (tmp_path / "empty").mkdir()
    named = {"JAVA_HOME": "" if which == "none" else str(java), "PATH": str(tmp_path / "empty")}
    code, _, err = run(course, "add", "spark", **named)
    assert code == 1
    found = {"none": "there is none", "old": "is Java 8", "broken": "does not run"}[which]
    assert_one_sentence(err, "Java 17 or later", found, "apt install", "brew", "winget", "conda")
    assert calls(course) == []


@posix
def test_the_java_of_the_path_will_do_where_that_of_java_home_does_not(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path / "old", 'openjdk version "11.0.2"')))
    newer = a_java(tmp_path / "new", 'openjdk version "21" 2023-09-19')
    monkeypatch.setenv("PATH", f"{newer}/bin")
    assert java.find_java() == (newer.resolve(), 21)
    monkeypatch.setenv("JAVA_HOME", str(a_java(tmp_path / "first")))
    assert java.find_java() == ((tmp_path / "first").resolve(), 17)


@posix
def test_what_cannot_be_added_is_one_sentence(course):
    for words in ([], ["sparks"], ["spark", "more"]):
        code, _, err = run(course, "add", *words)
        assert code == 1
        assert_one_sentence(err, "write `python3 -m recsys_lab add spark`")
    assert calls(course) == []


@posix
def test_a_moved_course_still_finds_its_package(course, tmp_path):
    run(course, "lab")
    moved = course.rename(tmp_path / "moved")
    (line,) = (moved / ".venv/site-packages/recsys-lab.pth").read_text().splitlines()
    assert (moved / ".venv/site-packages" / line).resolve() == moved.resolve()
    assert not Path(line).is_absolute()


@posix
def test_two_set_ups_at_once_install_once(course):
    both = [begin(course, "lab", DOES_uv="sleep 2") for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert tools(course).count("uv") == 1
    assert sum("Another set-up is running" in out for out in outputs) == 1


NOT_OURS = {
    "without Python": None,
    "whose Python does not start": "#!/bin/sh\nexit 1\n",
    "without pip": "#!/bin/sh\necho False\necho '\"/\"'\n",
}


@posix
@pytest.mark.parametrize("kind", NOT_OURS)
def test_a_venv_that_is_not_the_courses_is_left_alone(course, kind):
    (course / ".venv/mine.txt").write_text("three weeks of work")
    python = course / ".venv/bin/python"
    python.write_text(NOT_OURS[kind]) if NOT_OURS[kind] else python.unlink()
    code, _, err = run(course, "lab")
    assert code == 1
    assert_one_sentence(err, "was not made by the course", "rename or remove that folder")
    assert (course / ".venv/mine.txt").read_text() == "three weeks of work"


@posix
def test_a_venv_that_the_course_has_only_filled_is_left_alone(course):
    (course / ".venv/mine.txt").touch()
    assert run(course, "lab")[0] == 0
    (course / "requirements.lock").open("a").write("# another pin\n")
    assert run(course, "lab", DOES_uv="error: Failed to install: numpy.whl")[0] == 1
    (course / ".venv/bin/python").unlink()
    assert "was not made by the course" in run(course, "lab")[2]
    assert (course / ".venv/mine.txt").exists()


@posix
@pytest.mark.parametrize("kind", ["a file", "a link that leads nowhere"])
def test_what_is_no_folder_is_named_and_left_alone(course, kind):
    venv = course / ".venv"
    shutil.rmtree(venv)
    venv.write_text("mine") if kind == "a file" else venv.symlink_to(course / "gone")
    code, _, err = run(course, "lab")
    assert code == 1
    assert_one_sentence(err, f".venv is {kind}", "remove or rename it")
    assert os.path.lexists(venv)


def test_what_says_that_the_folder_is_ours_goes_last(tmp_path, monkeypatch):
    monkeypatch.setattr(launcher, "VENV", tmp_path)
    monkeypatch.setattr(launcher, "STAMP", tmp_path / "a stamp")
    for name in ("a stamp", "a", "z"):
        (tmp_path / name).touch()
    gone = []
    monkeypatch.setattr(Path, "unlink", lambda path: gone.append(path.name))
    launcher._make_room()
    assert sorted(gone[:-1]) == ["a", "z"] and gone[-1] == "a stamp"


def package(course, name):
    """Put a package of two files into the stand-in's `.venv`; return the folder of one."""
    site = course / ".venv/site-packages"
    for part in (f"{name}/deep/within.py", f"{name}-1.dist-info/METADATA"):
        (site / part).parent.mkdir(parents=True, exist_ok=True)
        (site / part).touch()
    record = [f"{name}/deep/within.py,,", f"{name}-1.dist-info/METADATA,,", "../bin/gone,,"]
    (site / f"{name}-1.dist-info/RECORD").write_text("\n".join(record))
    return site / name


@posix
def test_a_package_of_which_parts_are_gone_is_put_back(course):
    folder = package(course, "numpy")
    assert run(course, "lab")[0] == run(course, "lab")[0] == 0
    assert tools(course) == ["pip", "uv", "jupyterlab", "jupyterlab"]
    shutil.rmtree(folder / "deep")
    code, out, _ = run(course, "lab")
    assert code == 0 and "put back: numpy" in out
    assert calls(course)[-2][-2:] == ["--reinstall-package", "numpy"]


@posix
def test_the_installer_itself_is_put_back(course):
    folder = package(course, "uv")
    run(course, "lab")
    shutil.rmtree(folder)
    run(course, "lab")
    assert "--force-reinstall" in calls(course)[-3]


@posix
def test_a_package_that_is_gone_with_its_description_is_installed_again(course):
    folder = package(course, "numpy")
    run(course, "lab")
    shutil.rmtree(folder)
    shutil.rmtree(f"{folder}-1.dist-info")
    run(course, "lab")
    assert tools(course)[-3:] == ["pip", "uv", "jupyterlab"]


WRITTEN = [
    "site-packages/recsys-lab.pth",
    "share/jupyter/lab/settings/overrides.json",
    "etc/ipython/ipython_kernel_config.py",
]


@posix
@pytest.mark.parametrize("name", WRITTEN)
def test_what_the_set_up_wrote_itself_is_written_again(course, name):
    run(course, "lab")
    (course / ".venv" / name).unlink()
    assert run(course, "lab")[0] == 0
    assert (course / ".venv" / name).exists()


@posix
def test_uv_asks_the_computer_who_vouches_for_the_registry(course):
    code, out, err = run(course, "lab", DOES_uv="  cause: invalid peer certificate: UnknownIssuer")
    assert code == 1
    assert tools(course) == ["pip", "uv", "uv"]
    assert environment(course)["UV_SYSTEM_CERTS"] == "1"
    assert "certificates that this computer trusts" in out
    assert_one_sentence(err, "certificate is not trusted", "SSL_CERT_FILE")


@posix
def test_what_is_started_has_the_packages_and_the_kernel_of_its_own_venv(course):
    foreign = {"PYTHONPATH": "/elsewhere", "PYTHONOPTIMIZE": "1"}
    _, out, _ = run(course, "lab", **foreign)
    given = environment(course)
    assert not set(foreign) & set(given)
    assert given["JUPYTER_PREFER_ENV_PATH"] == "1"
    assert "Leaving out PYTHONPATH" in out and "PYTHONOPTIMIZE" not in out


# What pip, uv and venv said when it was made to happen: (tool, its words, words of our sentence).
TROUBLE = {
    "disk full, pip": (
        "pip",
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
        ["The disk is full", "make room"],
    ),
    "disk full, uv": (
        "uv",
        "error: Failed to install: scipy-1.17.1.whl (scipy==1.17.1)\n"
        "  cause: failed to copy file\n  cause: No space left on device (os error 28)",
        ["The disk is full", "make room"],
    ),
    "registry unreachable, pip": (
        "pip",
        "WARNING: Retrying (Retry(total=0, ...)) after connection broken by 'NewConnectionError("
        "'<...>: Failed to establish a new connection: [Errno 111] Connection refused')'\n"
        "ERROR: Could not find a version that satisfies the requirement uv==0.13.9\n"
        "ERROR: No matching distribution found for uv==0.13.9",
        ["registry cannot be reached", "connect to the internet"],
    ),
    "registry unreachable, uv": (
        "uv",
        "error: Request failed after 3 retries in 6.3s\n"
        "  cause: Failed to fetch: http://127.0.0.1:9/simple/anywidget/\n"
        "  cause: error sending request for url (http://127.0.0.1:9/simple/anywidget/)\n"
        "  cause: client error (Connect)\n  cause: dns error",
        ["registry cannot be reached", "connect to the internet"],
    ),
    "a certificate of the network's own, pip": (
        "pip",
        "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
        "failed: unable to get local issuer certificate (_ssl.c:1006)'))",
        ["certificate is not trusted", "SSL_CERT_FILE"],
    ),
    "another file than the locked one": (
        "uv",
        "error: Failed to download `ipywidgets==8.1.9`\n  cause: Hash mismatch for `ipywidgets`",
        ["not the one that requirements.lock names"],
    ),
}


@posix
@pytest.mark.parametrize("tool, words, parts", TROUBLE.values(), ids=TROUBLE)
def test_trouble_ends_in_one_sentence_and_is_mended_by_the_next_start(course, tool, words, parts):
    code, out, err = run(course, "lab", **{f"DOES_{tool}": words})
    assert code == 1
    assert_one_sentence(err, *parts)
    assert "failed" in out.splitlines()[-1]
    assert run(course, "lab")[0] == 0
    assert tools(course)[-1] == "jupyterlab"


@posix
def test_an_update_that_cannot_be_fetched_leaves_the_venv_alone(course):
    run(course, "lab")
    lock = course / "requirements.lock"
    as_it_was = lock.read_text()
    lock.write_text(as_it_was + "# another pin\n")
    assert run(course, "lab", DOES_uv="  cause: client error (Connect)\n  cause: dns error")[0] == 1
    lock.write_text(as_it_was)
    before = len(calls(course))
    assert run(course, "lab")[0] == 0
    assert len(calls(course)) == before + 1


@posix
def test_an_update_that_fails_half_way_has_the_venv_made_again(course):
    run(course, "lab")
    stamp(course, adopted=False)
    (course / "requirements.lock").open("a").write("# another pin\n")
    assert run(course, "lab", DOES_uv="error: Failed to install: numpy.whl")[0] == 1
    assert (course / ".venv/recsys-lab.json").read_text() == launcher.UNFINISHED


@posix
def test_unknown_trouble_shows_what_the_tool_said(course):
    code, _, err = run(course, "lab", DOES_uv="error: the moon is in the way")
    assert code == 1
    first, second = err.splitlines()
    assert first == "error: the moon is in the way"
    assert "run the same command again" in second


@posix
def test_control_c_ends_in_one_sentence(course):
    process = begin(course, "lab", DOES_uv="sleep 60")
    wait_until(lambda: "uv" in tools(course))
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == ("Interrupted: nothing is lost, and the same command goes on from here.")
    assert run(course, "lab")[0] == 0


@posix
def test_a_venv_whose_making_was_killed_is_made_again_and_no_registry_is_one_sentence(course):
    """With the real Python and the real pip: no stand-in."""
    shutil.rmtree(course / ".venv")
    nowhere = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_NO_CACHE_DIR": "1",
    }
    process = begin(course, "lab", **nowhere)
    site = course / ".venv/lib"
    wait_until(lambda: next(site.glob("*/site-packages/*"), None))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    code, out, err = run(course, "lab", **nowhere)
    assert code == 1
    assert "The last set-up did not finish" in out
    assert_one_sentence(err, "registry cannot be reached", "PIP_INDEX_URL")


def wait_until(happens):
    for _ in range(600):
        if happens():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen within a minute")


@posix
def test_a_python_that_is_gone_is_noticed(course, monkeypatch):
    monkeypatch.setattr(machine, "PYTHON", course / ".venv/bin/python")
    assert machine.site_packages() == course / ".venv/site-packages"
    for answer in ("exit 1", "echo False; echo /"):
        (course / ".venv/bin/python").write_text(f"#!/bin/sh\n{answer}\n")
        assert machine.site_packages() is None
    (course / ".venv/bin/python").unlink()
    assert machine.site_packages() is None


# --- What the tools see of a learner's settings ---


def test_uv_asks_the_registry_that_pip_is_set_to():
    said = ["global.index-url='https://one/simple'", "global.cert='/a.pem'", "global.target='/x'"]
    said += ["install.index-url='https://two/simple'", "install.trusted-host='\\none\\ntwo'"]

    def given(*more, **environment):
        return surroundings.for_tools(surroundings._read([*said, *more]), environment)

    assert given()["UV_DEFAULT_INDEX"] == given()["PIP_INDEX_URL"] == "https://two/simple"
    assert given()["SSL_CERT_FILE"] == given()["PIP_CERT"] == "/a.pem"
    assert given()["UV_INSECURE_HOST"] == "one two"
    assert "PIP_TARGET" not in given()
    assert given(":env:.index-url='https://3/simple'")["UV_DEFAULT_INDEX"] == "https://3/simple"
    mine = "https://mine/simple"
    assert given(UV_DEFAULT_INDEX=mine)["UV_DEFAULT_INDEX"] == mine
    assert "UV_DEFAULT_INDEX" not in given(UV_INDEX_URL=mine)
    # requests, which pip asks with, heeds this one more than pip's own.
    assert given(REQUESTS_CA_BUNDLE="/b.pem")["SSL_CERT_FILE"] == "/b.pem"
    assert given(SSL_CERT_FILE="/c.pem")["SSL_CERT_FILE"] == "/c.pem"
    assert surroundings.for_tools({}, {"SSL_CERT_FILE": "/c.pem"})["PIP_CERT"] == "/c.pem"
    more = given("global.extra-index-url='https://4/simple'")
    assert more["UV_INDEX"] == "https://4/simple"
    assert more["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_settings_that_lead_packages_elsewhere_do_not_count(tmp_path, monkeypatch):
    elsewhere = {
        "PIP_USER": "1",
        "PIP_TARGET": "/elsewhere",
        "PIP_NO_BINARY": ":all:",
        "UV_CONSTRAINT": "mine.txt",
        "UV_CACHE_DIR": "/cache",
        "PYTHONPATH": "/elsewhere",
        "PYTHONHOME": sys.base_prefix,
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
    }
    (tmp_path / "pip.conf").write_text(
        "[global]\nuser = true\n[install]\nprefix = /elsewhere\nindex-url = https://one/simple\n"
    )
    for name, value in elsewhere.items():
        monkeypatch.setenv(name, value)
    given = surroundings.for_tools(surroundings.pip_settings(sys.executable), os.environ)
    assert given["UV_DEFAULT_INDEX"] == "https://one/simple"
    assert set(elsewhere) & set(given) == {"UV_CACHE_DIR", "PIP_CONFIG_FILE"}
    assert given["PIP_CONFIG_FILE"] == os.devnull
    asked = [sys.executable, "-m", "pip", "config", "list"]
    said = subprocess.run(asked, env=given, capture_output=True, text=True).stdout
    assert not re.search("prefix|target|user|binary", said)


# --- The port ---


@pytest.fixture
def taken_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.mark.parametrize("form", ["--port {}", "--port={}", "--ServerApp.port={}"])
def test_a_taken_port_is_one_sentence_before_anything_is_set_up(course, taken_port, form):
    code, out, err = run(course, "lab", *form.format(taken_port).split())
    assert (code, out) == (1, "")
    assert_one_sentence(err, f"Port {taken_port} is taken", "another --port")
    assert calls(course) == []


@pytest.mark.parametrize("port", ["abc", "-1", "70000", ""])
def test_what_is_no_port_is_one_sentence(course, port):
    code, _, err = run(course, "lab", "--port", port)
    assert code == 1
    assert_one_sentence(err, repr(port), "from 1024 to 65535")


# --- An old Python ---


def test_an_old_python_is_told_what_to_do(monkeypatch):
    version = namedtuple("version", "major minor micro")(3, 10, 13)
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("recsys_lab.__main__")
    assert "3.11 or later" in stop.value.code
    assert "3.10.13" in stop.value.code


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_what_an_old_python_reads_has_no_newer_syntax(name):
    tree = ast.parse((ROOT / "recsys_lab" / name).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        newer = ast.JoinedStr, ast.Starred, ast.AnnAssign, ast.NamedExpr, ast.Match, ast.AsyncFor
        assert not isinstance(node, newer), f"line {node.lineno}: Python 2.7 cannot read this"
        if isinstance(node, ast.FunctionDef):
            annotations = [node.returns, *(argument.annotation for argument in node.args.args)]
            assert not any(annotations), f"line {node.lineno}: Python 2.7 cannot read this"


def old_pythons():
    names = [f"python{version}" for version in ("2.7", "3.6", "3.8", "3.9", "3.10")]
    found = [path for path in map(shutil.which, names) if path]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found += map(str, pyenv.glob("versions/*/bin/python"))
    question = "import sys; print(sys.version_info < (3, 11))"
    for path in found:
        asked = subprocess.run([path, "-c", question], capture_output=True, text=True)
        if asked.stdout.strip() == "True":
            yield path


def test_old_pythons_on_this_machine_say_one_sentence(course):
    for python in old_pythons():
        command = [python, "-m", "recsys_lab", "lab"]
        done = subprocess.run(command, cwd=course, capture_output=True, text=True)
        assert done.returncode == 1
        assert "recsys-lab needs Python 3.11 or later" in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
