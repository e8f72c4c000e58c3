"""What `python3 -m recsys_lab VERB` does: set up `.venv` from the lock, then start the rest.

Standard library only: it runs before any package is there. pip, which comes with Python, fetches
`uv`, and `uv` fetches the rest, several times faster; both accept only files whose hash is in
`requirements.lock`.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .java import NoJava, find_java
from .machine import (
    OLDEST_PYTHON,
    PATH_FILE,
    PYTHON,
    ROOT,
    SETUP_BYTES,
    STAMP,
    VENV,
    damaged,
    installed,
    machine_check,
    port_problem,
    site_packages,
    stamped,
)
from .status import any_console
from .surroundings import OF_PYTHON, for_tools, pip_settings, without_foreign_packages

LOCK = ROOT / "requirements.lock"
# Of what is added with `add`: extra -> its own lock.
ADDED = {"spark": ROOT / "requirements-spark.lock"}
# Stands in the stamp until everything is there.
UNFINISHED = "unfinished"

USAGE = """\
usage: python3 -m recsys_lab VERB [further arguments]

  lab       open the course in JupyterLab; further arguments go to it (--no-browser --port 8890)
  test      run every test; further arguments go to pytest (tests/unit -k lock)
  check     is this machine ready? versions, memory, cores, disk, port, browser, data
  progress  which exercises are done; --merge FILE takes in that of another computer
  review    questions that are due again, after one, three, seven and twenty-one days
  audit     what a log of your own can tell, and which model to trust on it: audit log.csv
  bench     measure the speed of imports, sliders and notebooks against their budgets
  handout   write a student's and a teacher's edition of every lesson, and pages without Jupyter
  add spark install Apache Spark for lesson 18: 480 MB, and it needs Java 17 or later

All but `check` and `progress` set up the folder .venv first, if it is not yet."""


class Stop(Exception):
    """Ends the command with one sentence for the person at the keyboard."""

    def __init__(self, sentence: str, output: str = ""):
        super().__init__(sentence)
        self.output = output


def main(arguments: list[str] | None = None) -> int:
    """Run one verb and return the exit code: 0 all is well, 1 a problem, 2 no such verb."""
    any_console()
    verb, *rest = (sys.argv[1:] if arguments is None else arguments) or ["help"]
    verbs = {
        "lab": lab,
        "test": test,
        "check": check,
        "progress": progress,
        "review": review,
        "audit": audit,
        "bench": bench,
        "handout": handout,
        "add": add,
    }
    try:
        if verb in verbs:
            return verbs[verb](rest)
        if verb in ("help", "-h", "--help"):
            print(USAGE)
            return 0
        print(f"There is no verb {verb!r}: choose one of those below.\n\n{USAGE}", file=sys.stderr)
        return 2
    except Stop as problem:
        print(problem, file=sys.stderr)
        return 1
    except NoJava as problem:
        print(problem, file=sys.stderr)
        return 1
    except OSError as problem:
        print(_sentence(str(problem)), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nInterrupted: nothing is lost, and the same command goes on from here.",
            file=sys.stderr,
        )
        return 130


def lab(arguments: list[str]) -> int:
    """Open notebook 00 in JupyterLab."""
    port = _option(arguments, "--port", "--ServerApp.port")
    host = _option(arguments, "--ip", "--ServerApp.ip") or "localhost"
    if port is not None:
        _require_port(port, host)
    set_up("lab")
    start = next(iter(sorted((ROOT / "notebooks").glob("00_*.ipynb"))), ROOT / "notebooks")
    command = ["-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}"]
    command.append(f"--LabApp.default_url=/lab/tree/{start.relative_to(ROOT).as_posix()}")
    if port is not None:
        # Asked for by number, so no other one will do.
        command.append("--ServerApp.port_retries=0")
    if getattr(os, "geteuid", lambda: 1)() == 0 and "--allow-root" not in arguments:
        print("You are root, as in many containers: adding --allow-root, which JupyterLab needs.")
        command.append("--allow-root")
    return _become([*command, *arguments])


def test(arguments: list[str]) -> int:
    """Run the tests with pytest."""
    set_up("lab", "test")
    # nbval needs a notebook's cells in one worker. A debugger needs no workers at all.
    apart = [] if {"-n", "--pdb", "--trace", "-s"} & set(arguments) else _WORKERS
    if apart:
        # A worker has a core to itself. Threads of numpy's that wait for each other do so at full
        # speed: on two cores, two notebooks at once took six times as long with them. TensorFlow's
        # cost less, and still a sixth of the work.
        for threads in (
            "OPENBLAS_NUM_THREADS",
            "TF_NUM_INTRAOP_THREADS",
            "TF_NUM_INTEROP_THREADS",
        ):
            os.environ.setdefault(threads, "1")
        # A Java that lives for a minute spends half of it on compiling for a long life.
        os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    return _become(["-m", "pytest", *apart, *arguments])


def audit(arguments: list[str]) -> int:
    """Audit a log; its path is meant from the folder that the reader is in."""
    set_up("lab")
    return _become(["-m", "recsys_lab.auditing.command", "--from", os.getcwd(), *arguments])


# In the order of the folders: pytest-xdist would begin with the files of the most tests, and end
# with the notebooks in the browser, twenty long tests in one file, for which one worker waits.
_WORKERS = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]


def bench(arguments: list[str]) -> int:
    """Print the table of budgets."""
    set_up("lab", "test")
    return _become(["-m", "benchmarks", *arguments])


def handout(arguments: list[str]) -> int:
    """Write the students' and the teacher's edition of every lesson."""
    set_up("lab")
    return _become(["-m", "tools.handout", *arguments])


def add(arguments: list[str]) -> int:
    """Install what one lesson needs beside the rest; it stays, and is kept up to date."""
    if arguments not in [[name] for name in ADDED]:
        given = " ".join(arguments) or "nothing"
        raise Stop(f"`add` was given {given!r}: write `python3 -m recsys_lab add spark`.")
    # First: a machine without Java is not to fetch half a gigabyte in vain.
    home, version = find_java()
    set_up("lab", *arguments)
    print(f"Spark is there, and so is Java {version} in {home}: lesson 18 can be run.")
    return 0


def progress(arguments: list[str]) -> int:
    """Print which exercises are done."""
    from .record import merge, summary

    other = _option(arguments, "--merge")
    if other is not None:
        if not other:
            raise Stop("--merge needs a file: `progress --merge school/progress.json`.")
        print(merge(Path(other)))
    print(summary())
    return 0


def review(arguments: list[str]) -> int:
    """Ask at the keyboard what is due again."""
    set_up("lab")
    return _become(["-m", "recsys_lab.exercises.keyboard", *arguments])


def check(arguments: list[str]) -> int:
    """Print whether this machine is ready."""
    findings = machine_check()
    width = max(len(finding.what) for finding in findings)
    for what, found, verdict, remedy in findings:
        print(f"{verdict:<7}  {what:<{width}}  {found}")
        if remedy:
            print(f"{'':<7}  {'':<{width}}  -> {remedy}")
    return int(any(finding.verdict == "PROBLEM" for finding in findings))


# --- Set-up -------------------------------------------------------------------------------------


def set_up(*extras: str) -> None:
    """Make `.venv` hold the locked packages of the extras; does nothing if it already does.

    Raises
    ------
    Stop
        With the sentence to show, if that fails.
    """
    if _is_ready(extras):
        return
    with _alone() as inherit:
        # Another launch may have done it while this one waited.
        if _is_ready(extras):
            return
        print("Setting up the course in .venv; a start after this one needs none of it.")
        # Whatever was asked for before stays up to date with what is asked for now.
        wanted = sorted({*extras, *stamped().get("extras", [])})
        before, broken = None, []
        adopted = _is_adopted()
        if _must_build(adopted):
            _make_room()
            # Says until the end that this folder is ours and unfinished: it may be built again.
            _write(STAMP, UNFINISHED)
            making = [_base_python(), "-m", "venv", "--without-pip", str(VENV)]
            _step("[1/4] making .venv", making, inherit)
            # Not left to venv, which keeps to itself why it failed.
            _step("[2/4] adding pip", [str(PYTHON), "-m", "ensurepip", "--default-pip"], inherit)
            adopted = False
        else:
            broken = damaged(site_packages(), stamped().get("packages"))
            if STAMP.exists():
                before = STAMP.read_text(encoding="utf-8")
                again = {"adopted": True, "extras": wanted}
                _write(STAMP, json.dumps(again) if adopted else UNFINISHED)
            print("[2/4] .venv and pip are there")
        if broken:
            print(f"Parts of these packages are gone, so they are put back: {', '.join(broken)}")
        command = [str(PYTHON), "-m", "uv", "pip", "install", "--python", str(PYTHON)]
        command += ["--require-hashes", "-r", "pyproject.toml", "-c", LOCK.name]
        for extra in wanted:
            command += ["--extra", extra]
            if extra in ADDED:
                # It comes as source, so what builds it has to be the locked one too.
                command += ["-c", ADDED[extra].name, "--build-constraints", ADDED[extra].name]
        for package in broken:
            command += ["--reinstall-package", package]
        try:
            environment = for_tools(pip_settings(PYTHON), os.environ)
            _fetch_uv(inherit, environment, again="uv" in broken)
            _install(command, inherit, environment)
        except Stop as problem:
            # uv has everything at hand before it installs anything: unless that failed, .venv is
            # as it was before this update, which need not cost it its life.
            if before and not re.search("failed to (un)?install", problem.output, re.IGNORECASE):
                _write(STAMP, before)
            raise
        site = site_packages()
        # Relative, so that the course can be moved: Python reads it from where the file is.
        _write(site / PATH_FILE, os.path.relpath(ROOT, site) + "\n")
        for name, text in _SETTINGS.items():
            _write(VENV / name, text)
        locks = [LOCK, *(ADDED[extra] for extra in wanted if extra in ADDED)]
        text = "".join(lock.read_text(encoding="utf-8") for lock in locks)
        locked = re.findall(r"^([a-z0-9-]+)==", text, re.M)
        packages = sorted(set(installed(site)) & set(locked))
        stamp = {"fingerprint": _fingerprint(wanted), "extras": wanted, "packages": packages}
        _write(STAMP, json.dumps(stamp | ({"adopted": True} if adopted else {})))


# Nothing leaves the machine, and no dialogue stands before the first notebook.
_JUPYTERLAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"}
}


# From its first cell on, a kernel explains what is amiss when cells are run out of order.
KERNEL_SETTINGS = """\
from importlib.util import find_spec

try:
    if find_spec("recsys_lab.page.order"):
        get_config().InteractiveShellApp.extensions.append("recsys_lab.page.order")
except ImportError:
    pass  # the course is not where it was
"""


_SETTINGS = {
    "share/jupyter/lab/settings/overrides.json": json.dumps(_JUPYTERLAB_SETTINGS),
    "etc/ipython/ipython_kernel_config.py": KERNEL_SETTINGS,
}


def _is_ready(extras: tuple[str, ...]) -> bool:
    stamp = stamped()
    return (
        set(extras) <= set(stamp.get("extras", []))
        and stamp.get("fingerprint") == _fingerprint(stamp.get("extras", []))
        and (site := site_packages()) is not None
        and not damaged(site, stamp.get("packages"))
        and all(path.exists() for path in (site / PATH_FILE, *map(VENV.joinpath, _SETTINGS)))
    )


def _fingerprint(extras: Iterable[str]) -> str:
    """Changes when what has to be installed or written changes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    written = [_JUPYTERLAB_SETTINGS, KERNEL_SETTINGS]
    wanted = json.dumps([project["dependencies"], project["optional-dependencies"], *written])
    locks = [LOCK, *(ADDED[extra] for extra in sorted(extras) if extra in ADDED)]
    text = b"".join(lock.read_bytes() for lock in locks)
    return hashlib.sha256(wanted.encode() + text).hexdigest()


def _is_adopted() -> bool:
    """Whether somebody else made `.venv`, an editor for example: then nothing in it is deleted."""
    return os.path.lexists(VENV) and (not STAMP.exists() or stamped().get("adopted", False))


def _must_build(adopted: bool) -> bool:
    """Whether to make `.venv`, in place of what is there if the set-up has made that."""
    if not os.path.lexists(VENV):
        return True
    if not VENV.is_dir():
        what = "a link that leads nowhere" if VENV.is_symlink() else "a file"
        raise Stop(
            f".venv is {what}, and the course needs a folder of that name for its packages: "
            "remove or rename it and run the same command again."
        )
    if not any(VENV.iterdir()):
        return True
    works = site_packages() is not None
    if adopted and not works:
        raise Stop(
            "The folder .venv was not made by the course, and its Python is missing, older than "
            f"{'.'.join(map(str, OLDEST_PYTHON))} or without pip: rename or remove that folder and "
            "run the same command again."
        )
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == UNFINISHED:
        print("The last set-up did not finish: making .venv again; downloads are kept.")
        return True
    if not works:
        print("The Python in .venv does not work (moved, removed or too old): making it again.")
    return not works


def _make_room() -> None:
    """Empty `.venv`, or make it: what says that it is ours goes last, whenever we are killed."""
    VENV.mkdir(exist_ok=True)  # it may be a link to another disk
    for inside in sorted(VENV.iterdir(), key=lambda path: path == STAMP):
        if inside.is_dir() and not inside.is_symlink():
            shutil.rmtree(inside)
        else:
            inside.unlink()


def _base_python() -> str:
    """The Python outside of any virtual environment: `.venv` must not be built by itself."""
    return getattr(sys, "_base_executable", None) or sys.executable


def _fetch_uv(inherit: int, environment: dict[str, str], *, again: bool) -> None:
    # Its block of the lock is a requirements file of its own: name, version, hashes.
    block = re.search(r"^uv==.*?(?=^\S)", LOCK.read_text(encoding="utf-8") + "\n#", re.M | re.S)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "uv.txt"
        file.write_text(block.group(), encoding="utf-8")
        command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-deps"]
        command += ["--disable-pip-version-check", "--progress-bar", "off"]
        command += ["--force-reinstall"] if again else []
        command += ["--retries", "2", "-r", str(file)]
        _step("[3/4] fetching the installer uv", command, inherit, environment)


def _install(command: list[str], inherit: int, environment: dict[str, str]) -> None:
    """Run uv; where it does not know who vouches for the registry, ask the operating system."""
    title = "[4/4] installing the packages"
    try:
        _step(title, command, inherit, environment)
    except Stop as problem:
        known = {"UV_SYSTEM_CERTS", "UV_NATIVE_TLS"} & set(environment)
        if known or not re.search(_CERTIFICATE, problem.output, re.IGNORECASE):
            raise
        print("Again, with the certificates that this computer trusts:")
        _step(title, command, inherit, environment | {"UV_SYSTEM_CERTS": "1"})


def _step(
    title: str, command: list[str], inherit: int, environment: dict[str, str] | None = None
) -> None:
    """Run a command of the set-up, showing its last line while it runs, and its time."""
    environment = environment or without_foreign_packages(os.environ)
    start = time.monotonic()
    live = sys.stdout.isatty()
    print(f"{title} ...", end="", flush=True)
    lines = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        # The lock is held until the last of us ends: a killed launcher leaves its child running.
        pass_fds=(inherit,) if os.name == "posix" else (),
    ) as process:
        for line in process.stdout:
            lines.append(line.rstrip())
            if live:
                # Not every console can show what the tools print.
                shown = lines[-1].strip()[:40].encode("ascii", "replace").decode()
                print(f"\r{title} ... {shown:<40}", end="", flush=True)
    seconds = f"{time.monotonic() - start:.0f} s"
    if process.returncode:
        print(" failed", flush=True)
        output = "\n".join(lines)
        raise Stop(_sentence(output), output)
    print(f"\r{title} ... {seconds:<40}".rstrip() if live else f" {seconds}", flush=True)


_CERTIFICATE = r"certificate|UnknownIssuer"

# What the tools say (pip, uv, venv and the operating systems), and what that means to the reader.
_SAYINGS = [
    (
        r"no space left|os error 28\b|os error 112\b|disk quota|os error 122\b|Errno 28\b",
        "The disk is full: the set-up needs about {need:.0f} GB and {free:.1f} GB are free here "
        "(uv keeps its downloads in your home folder); make room and run the same command again.",
    ),
    (
        r"hash(es)? mismatch|do not match the hashes",
        "A downloaded package is not the one that requirements.lock names: run the same command "
        "again, and if it happens again, ask whoever runs your network or package mirror.",
    ),
    (
        r"ensurepip is not available|No module named '?ensurepip",
        "This Python comes without its venv module: install it (Debian and Ubuntu: "
        "`sudo apt install python3-venv`) and run the same command again.",
    ),
    (
        _CERTIFICATE,
        "The package registry's certificate is not trusted, as where a school or company opens "
        "encrypted connections: ask whoever runs your network for the file with its certificate, "
        "set SSL_CERT_FILE to its path and run the same command again.",
    ),
    (
        r"NewConnectionError|ConnectTimeout|connection (refused|error|reset)|dns error|timed out|"
        r"error sending request|failed to (fetch|download)|Network is unreachable|unreachable|"
        r"Temporary failure in name resolution|Max retries|ProxyError|Could not fetch",
        "The package registry cannot be reached: connect to the internet (or point PIP_INDEX_URL "
        "to your mirror) and run the same command again; what was downloaded is kept.",
    ),
    (
        r"Permission denied|Errno 13\b|os error 13\b|Access is denied|os error 5\b|WinError 5\b",
        "The folder {root} cannot be written, or a program still uses its .venv: close JupyterLab, "
        "or move the course to a folder of your own, and run the same command again.",
    ),
    (
        r"Read-only file system|Errno 30\b|os error 30\b",
        "The folder {root} is read-only: copy the course to a folder of your own and start it "
        "there.",
    ),
]


def _sentence(output: str) -> str:
    """The one sentence for a tool's output; without a known cause, after the output's end."""
    for pattern, sentence in _SAYINGS:
        if re.search(pattern, output, re.IGNORECASE):
            free = shutil.disk_usage(ROOT).free / 1e9
            return sentence.format(need=SETUP_BYTES / 1e9, free=free, root=ROOT)
    end = "\n".join(output.strip().splitlines()[-8:])
    return f"{end}\nThat failed for the reason above: mend it and run the same command again."


@contextmanager
def _alone() -> Iterator[int]:
    """Let one set-up run at a time; yields the descriptor of the file that is locked."""
    with (ROOT / ".venv.lock").open("a+") as file:
        waiting = "Another set-up is running in this folder: waiting for it to end."
        if os.name == "nt":
            import msvcrt

            file.seek(0)
            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                    break
                except OSError:
                    print(waiting, flush=True)
                    time.sleep(5)
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(waiting, flush=True)
                fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _write(path: Path, text: str) -> None:
    """Write the whole file or none of it, whenever we are killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".tmp")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def _become(command: list[str]) -> int:
    """Run `.venv`'s Python in our place, so that Ctrl-C and the exit code are its own."""
    os.chdir(ROOT)
    sys.stdout.flush()
    # Many containers set it. Without stored bytecode every kernel compiles its packages anew, which
    # for TensorFlow takes longer than to load it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in {"PYTHONPATH", "PYTHONHOME"} & set(os.environ):
        print(f"Leaving out {name}: its packages would come before the course's own.", flush=True)
    for name in OF_PYTHON:
        os.environ.pop(name, None)
    # The kernel of this .venv, also where another one of the same name is in the home folder.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    if os.name != "nt":
        os.execv(PYTHON, [str(PYTHON), *command])
    # Windows has no exec: wait, and leave Ctrl-C to the child, which gets it too.
    with subprocess.Popen([str(PYTHON), *command]) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue


def _option(arguments: list[str], *names: str) -> str | None:
    """The value of an option in JupyterLab's two spellings, `--port 8890` and `--port=8890`."""
    for position, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in names:
            return value if equals else next(iter(arguments[position + 1 :]), "")
    return None


def _require_port(port: str, host: str) -> None:
    if not port.isdecimal() or not 0 <= int(port) < 2**16:
        raise Stop(f"--port {port!r} is no port: give a number from 1024 to 65535.")
    problem = port_problem(int(port), host)
    if problem == errno.EADDRINUSE:
        raise Stop(
            f"Port {port} is taken by another program: give another --port, or none, and "
            "JupyterLab takes the next free one."
        )
    if problem == errno.EACCES:
        raise Stop(f"Port {port} may not be used by you: give a --port from 1024 to 65535.")
