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
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOCK = ROOT / "requirements.lock"
# Written last, so that it is there only when everything else is.
STAMP = VENV / "recsys-lab.json"
UNFINISHED = "unfinished"
OLDEST_PYTHON = (3, 11)
# There is no TensorFlow for this one and later ones yet: pyproject.toml leaves it out there.
FIRST_WITHOUT_TENSORFLOW = (3, 14)
# Measured on Linux: .venv with the test tools takes 2.4 GB, and uv keeps its downloads besides.
SETUP_BYTES = 4_000_000_000

USAGE = """\
usage: python3 -m recsys_lab VERB [further arguments]

  lab       open the course in JupyterLab; further arguments go to it (--no-browser --port 8890)
  test      run every test; further arguments go to pytest (tests/unit -k lock)
  check     is this machine ready? versions, memory, cores, disk, port, browser, data
  progress  which exercises are done
  bench     measure the speed of imports, sliders and notebooks against their budgets
  handout   write a student's and a teacher's edition of every lesson, and pages to print

`lab`, `test`, `bench` and `handout` set up the folder .venv first, if it is not yet."""


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
    from recsys_lab.exercises.record import summary

    print(summary())
    return 0


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
        wanted = sorted({*extras, *_stamped().get("extras", [])})
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
        site = _site_packages()
        # Relative, so that the course can be moved: Python reads it from where the file is.
        _write(site / "recsys-lab.pth", os.path.relpath(ROOT, site) + "\n")
        _write(VENV / "share/jupyter/lab/settings/overrides.json", json.dumps(_JUPYTERLAB_SETTINGS))
        _write(STAMP, json.dumps({"fingerprint": _fingerprint(), "extras": wanted}))


# Nothing leaves the machine, and no dialogue stands before the first notebook.
_JUPYTERLAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"}
}


def _is_ready(extras: tuple[str, ...]) -> bool:
    stamp = _stamped()
    return (
        set(extras) <= set(stamp.get("extras", []))
        and stamp.get("fingerprint") == _fingerprint()
        and _site_packages() is not None
    )


def _stamped() -> dict:
    try:
        return json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _fingerprint() -> str:
    """Changes when what has to be installed changes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = json.dumps([project["dependencies"], project["optional-dependencies"]])
    return hashlib.sha256(wanted.encode() + LOCK.read_bytes()).hexdigest()


def _site_packages() -> Path | None:
    """Where `.venv` keeps its packages; None if its Python fails, is too old, or has no pip."""
    question = (
        "import json, sys, sysconfig, importlib.util as u; print(sys.version_info >= "
        f"{OLDEST_PYTHON} and bool(u.find_spec('pip')));"
        # In ASCII: a user's name may be outside the encoding in which Windows passes text on.
        "print(json.dumps(sysconfig.get_path('purelib')))"
    )
    try:
        answer = subprocess.run(
            [PYTHON, "-I", "-c", question], capture_output=True, text=True, check=True
        ).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return None
    return Path(json.loads(answer[1])) if answer[0] == "True" else None


def _must_build() -> bool:
    if not VENV.exists():
        return True
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == UNFINISHED:
        print("The last set-up did not finish: making .venv again; downloads are kept.")
        return True
    if _site_packages() is None:
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
    problem = _port_problem(int(port), host)
    if problem == errno.EADDRINUSE:
        raise Stop(
            f"Port {port} is taken by another program: give another --port, or none, and "
            "JupyterLab takes the next free one."
        )
    if problem == errno.EACCES:
        raise Stop(f"Port {port} may not be used by you: give a --port from 1024 to 65535.")


def _port_problem(port: int, host: str = "localhost") -> int | None:
    """The error number with which the operating system refuses us the port; None if it is free."""
    try:
        addresses = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)
    except socket.gaierror:
        return None  # JupyterLab says what is wrong with the host.
    for family, kind, protocol, _, address in addresses:
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                # As the server does: a port whose last connection is just closing is free.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as problem:
                if problem.errno in (errno.EADDRINUSE, errno.EACCES):
                    return problem.errno
    return None


# --- Is this machine ready? ---------------------------------------------------------------------


class Finding(NamedTuple):
    """One line of the machine check; `verdict` is OK, NOTE or PROBLEM, `remedy` is empty if OK."""

    what: str
    found: str
    verdict: str
    remedy: str


def machine_check() -> list[Finding]:
    """Look whether this machine can run the course; nothing is changed.

    Returns
    -------
    list of Finding
        A NOTE takes away some comfort; with a PROBLEM something will not work.

    Examples
    --------
    >>> machine_check()[0].what
    'Python'
    """
    return [
        _python(),
        _packages(),
        _memory(),
        _cores(),
        _disk(),
        _port(),
        _browser(),
        *_data(),
    ]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return Finding("Python", version, "PROBLEM", "install Python 3.11 or later")
    if find_spec("ensurepip") is None and not PYTHON.exists():
        remedy = "install it (Debian and Ubuntu: sudo apt install python3-venv)"
        return Finding("Python", f"{version} without its venv module", "PROBLEM", remedy)
    if sys.version_info >= FIRST_WITHOUT_TENSORFLOW:
        remedy = "lessons 04 and 06 need TensorFlow, which there is for Python 3.11 to 3.13"
        return Finding("Python", version, "NOTE", remedy)
    return Finding("Python", version, "OK", "")


def _packages() -> Finding:
    # In a notebook these are the kernel's own packages, in the launcher those of .venv.
    inside = Path(sys.prefix) == VENV or find_spec("jupyterlab") is not None
    site = None if inside else _site_packages()
    if not inside and site is None:
        remedy = "`python3 -m recsys_lab lab` installs them"
        return Finding("packages", "not installed yet", "NOTE", remedy)
    where = sys.path if inside else [str(site)]
    versions = {found.name.lower(): found.version for found in metadata.distributions(path=where)}
    shown = ("numpy", "scipy", "pandas", "matplotlib", "ipywidgets", "jupyterlab")
    found = ", ".join(f"{name} {versions[name]}" for name in shown if name in versions)
    missing = [name for name in shown if name not in versions]
    if missing:
        remedy = "`python3 -m recsys_lab lab` installs them"
        return Finding("packages", f"missing: {', '.join(missing)}", "PROBLEM", remedy)
    return Finding("packages", found, "OK", "")


def _memory() -> Finding:
    size = _memory_bytes()
    if size is None:
        return Finding("memory", "unknown", "NOTE", "the course needs 2 GiB")
    found = f"{size / 2**30:.1f} GiB"
    # JupyterLab, a browser and one kernel: 300 MiB, or 1.2 GiB where a lesson uses TensorFlow.
    if size < 1.5 * 2**30:
        return Finding("memory", found, "PROBLEM", "use a machine with 4 GiB: 2 are the least")
    if size < 3.5 * 2**30:
        return Finding("memory", found, "NOTE", "keep one notebook open at a time")
    return Finding("memory", found, "OK", "")


def _memory_bytes() -> int | None:
    """The machine's memory, or what a container may use of it."""
    if sys.platform == "win32":
        import ctypes

        class Status(ctypes.Structure):
            _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
                (name, ctypes.c_ulonglong)
                for name in ("total", "free", "page", "page_free", "virtual", "virtual_free", "x")
            ]

        status = Status(length=ctypes.sizeof(Status))
        ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return status.total
    try:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            size = min(size, int(Path("/sys/fs/cgroup", limit).read_text()))
        except (OSError, ValueError):
            continue
    return size


def _cores() -> Finding:
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    if cores < 2:
        return Finding("cores", str(cores), "NOTE", "sliders will respond more slowly")
    return Finding("cores", str(cores), "OK", "")


def _disk() -> Finding:
    free = shutil.disk_usage(ROOT).free
    found = f"{free / 1e9:.1f} GB free"
    if free > SETUP_BYTES or (_stamped() and free > SETUP_BYTES / 20):
        return Finding("disk", found, "OK", "")
    remedy = f"make room: the set-up needs about {SETUP_BYTES / 1e9:.0f} GB"
    return Finding("disk", found, "PROBLEM", remedy)


def _port() -> Finding:
    if _port_problem(8888) is None:
        return Finding("port", "8888 is free", "OK", "")
    remedy = "nothing to do: JupyterLab takes the next free one"
    return Finding("port", "8888 is taken", "NOTE", remedy)


def _browser() -> Finding:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    for name in (os.environ.get("RECSYS_LAB_BROWSER"), *names):
        if name and shutil.which(name):
            return Finding("browser for the tests", shutil.which(name), "OK", "")
    remedy = (
        "only the browser tests need it: install Chromium (Debian: sudo apt install chromium) or "
        "Chrome, or set RECSYS_LAB_BROWSER to its path"
    )
    return Finding("browser for the tests", "none found", "NOTE", remedy)


def _data() -> Iterator[Finding]:
    """Compare each data file with the checksum in the README beside it."""
    for readme in sorted((ROOT / "data").glob("*/README.md")):
        text = readme.read_text(encoding="utf-8")
        wanted = re.findall(r"^([0-9a-f]{64})  (\S+)$", text, re.M)
        spoilt = [name for digest, name in wanted if _sha256(readme.parent / name) != digest]
        what = f"data/{readme.parent.name}"
        if spoilt:
            remedy = f"get the course's own copy of it: git checkout -- {what}"
            found = f"missing or changed: {', '.join(spoilt)}"
            yield Finding(what, found, "PROBLEM", remedy)
        else:
            files = "1 file" if len(wanted) == 1 else f"{len(wanted)} files"
            yield Finding(what, f"{files} as published", "OK", "")


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
