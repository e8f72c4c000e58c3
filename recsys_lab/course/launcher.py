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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .machine import (
    PYTHON,
    ROOT,
    SETUP_BYTES,
    STAMP,
    VENV,
    machine_check,
    port_problem,
    site_packages,
    stamped,
)

LOCK = ROOT / "requirements.lock"
# Stands in the stamp until everything is there.
UNFINISHED = "unfinished"

USAGE = """\
usage: python3 -m recsys_lab VERB [further arguments]

  lab       open the course in JupyterLab; further arguments go to it (--no-browser --port 8890)
  test      run every test; further arguments go to pytest (tests/unit -k lock)
  check     is this machine ready? versions, memory, cores, disk, port, browser, data
  progress  which exercises are done
  review    questions that are due again, after one, three, seven and twenty-one days
  bench     measure the speed of imports, sliders and notebooks against their budgets
  handout   write a student's and a teacher's edition of every lesson, and pages without Jupyter

`lab`, `test`, `review`, `bench` and `handout` set up the folder .venv first, if it is not yet."""


class Stop(Exception):
    """Ends the command with one sentence for the person at the keyboard."""

    def __init__(self, sentence: str, output: str = ""):
        super().__init__(sentence)
        self.output = output


def main(arguments: list[str] | None = None) -> int:
    """Run one verb and return the exit code: 0 all is well, 1 a problem, 2 no such verb."""
    verb, *rest = (sys.argv[1:] if arguments is None else arguments) or ["help"]
    verbs = {
        "lab": lab,
        "test": test,
        "check": check,
        "progress": progress,
        "review": review,
        "bench": bench,
        "handout": handout,
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
    return _become(["-m", "pytest", *apart, *arguments])


_WORKERS = ["-n", "2", "--dist", "loadfile"]


def bench(arguments: list[str]) -> int:
    """Print the table of budgets."""
    set_up("lab", "test")
    return _become(["-m", "benchmarks", *arguments])


def handout(arguments: list[str]) -> int:
    """Write the students' and the teacher's edition of every lesson."""
    set_up("lab")
    return _become(["-m", "tools.handout", *arguments])


def progress(arguments: list[str]) -> int:
    """Print which exercises are done."""
    from .record import summary

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
        before = None
        if _must_build():
            if VENV.exists():
                shutil.rmtree(VENV)
            VENV.mkdir()
            # Says until the end that this folder is ours and unfinished: it may be built again.
            _write(STAMP, UNFINISHED)
            making = [_base_python(), "-m", "venv", "--without-pip", str(VENV)]
            _step("[1/4] making .venv", making, inherit)
            # Not left to venv, which keeps to itself why it failed.
            _step("[2/4] adding pip", [str(PYTHON), "-m", "ensurepip", "--default-pip"], inherit)
        else:
            if STAMP.exists():
                before = STAMP.read_text(encoding="utf-8")
                _write(STAMP, UNFINISHED)
            print("[2/4] .venv and pip are there")
        command = [str(PYTHON), "-m", "uv", "pip", "install", "--python", str(PYTHON)]
        command += ["--require-hashes", "-r", "pyproject.toml", "-c", LOCK.name]
        for extra in wanted:
            command += ["--extra", extra]
        try:
            _fetch_uv(inherit)
            _step("[4/4] installing the packages", command, inherit, index=_pip_index())
        except Stop as problem:
            # uv has everything at hand before it installs anything: unless that failed, .venv is
            # as it was before this update, which need not cost it its life.
            if before and not re.search("failed to (un)?install", problem.output, re.IGNORECASE):
                _write(STAMP, before)
            raise
        site = site_packages()
        # Relative, so that the course can be moved: Python reads it from where the file is.
        _write(site / "recsys-lab.pth", os.path.relpath(ROOT, site) + "\n")
        _write(VENV / "share/jupyter/lab/settings/overrides.json", json.dumps(_JUPYTERLAB_SETTINGS))
        _write(STAMP, json.dumps({"fingerprint": _fingerprint(), "extras": wanted}))


# Nothing leaves the machine, and no dialogue stands before the first notebook.
_JUPYTERLAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"}
}


def _is_ready(extras: tuple[str, ...]) -> bool:
    stamp = stamped()
    return (
        set(extras) <= set(stamp.get("extras", []))
        and stamp.get("fingerprint") == _fingerprint()
        and site_packages() is not None
    )


def _fingerprint() -> str:
    """Changes when what has to be installed changes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = json.dumps([project["dependencies"], project["optional-dependencies"]])
    return hashlib.sha256(wanted.encode() + LOCK.read_bytes()).hexdigest()


def _must_build() -> bool:
    if not VENV.exists():
        return True
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == UNFINISHED:
        print("The last set-up did not finish: making .venv again; downloads are kept.")
        return True
    if site_packages() is None:
        print("The Python in .venv does not work (moved, removed or too old): making it again.")
        return True
    return False


def _base_python() -> str:
    """The Python outside of any virtual environment: `.venv` must not be built by itself."""
    return getattr(sys, "_base_executable", None) or sys.executable


def _fetch_uv(inherit: int) -> None:
    # Its block of the lock is a requirements file of its own: name, version, hashes.
    block = re.search(r"^uv==.*?(?=^\S)", LOCK.read_text(encoding="utf-8") + "\n#", re.M | re.S)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "uv.txt"
        file.write_text(block.group(), encoding="utf-8")
        command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-deps"]
        command += ["--disable-pip-version-check", "--progress-bar", "off"]
        command += ["--retries", "2", "-r", str(file)]
        _step("[3/4] fetching the installer uv", command, inherit)


def _pip_index() -> str | None:
    """The registry that pip is set to, a mirror in many classrooms, for uv to use as well."""
    asked = [PYTHON, "-m", "pip", "config", "get", "global.index-url"]
    answer = subprocess.run(asked, capture_output=True, text=True)
    return os.environ.get("PIP_INDEX_URL") or answer.stdout.strip() or None


def _step(title: str, command: list[str], inherit: int, *, index: str | None = None) -> None:
    """Run a command of the set-up, showing its last line while it runs, and its time."""
    environment = dict(os.environ)
    if index and not {"UV_INDEX_URL", "UV_DEFAULT_INDEX"} & set(environment):
        environment["UV_DEFAULT_INDEX"] = index
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
        r"NewConnectionError|ConnectTimeout|connection (refused|error|reset)|dns error|timed out|"
        r"error sending request|failed to (fetch|download)|Network is unreachable|unreachable|"
        r"Temporary failure in name resolution|Max retries|ProxyError|certificate|Could not fetch",
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
