"""Look at this machine, and change nothing: its Python, `.venv`, memory, ports, browser and data.

Standard library only, as the launcher: it runs before any package is there.
"""

import csv
import errno
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from .files import ROOT, checksums, lessons

VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# What the set-up writes last: what it has installed.
STAMP = VENV / "recsys-lab.json"
# Among the packages: where the course's own is.
PATH_FILE = "recsys-lab.pth"
OLDEST_PYTHON = (3, 11)
# There is no TensorFlow for this one and later ones yet: pyproject.toml leaves it out there.
FIRST_WITHOUT_TENSORFLOW = (3, 14)
# Measured on Linux: .venv with the test tools takes 2.4 GB, and uv keeps its downloads besides.
SETUP_BYTES = 4_000_000_000


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
        *most, last = [each.number for each in lessons() if each.uses_keras]
        named = f"lessons {', '.join(most)} and {last}" if most else f"lesson {last}"
        remedy = f"{named}: they need TensorFlow, which there is for Python 3.11 to 3.13"
        return Finding("Python", version, "NOTE", remedy)
    return Finding("Python", version, "OK", "")


def _packages() -> Finding:
    # In a notebook these are the kernel's own packages, in the launcher those of .venv.
    inside = Path(sys.prefix) == VENV or find_spec("jupyterlab") is not None
    site = None if inside else site_packages()
    if not inside and site is None:
        remedy = "`python3 -m recsys_lab lab` installs them"
        return Finding("packages", "not installed yet", "NOTE", remedy)
    where = sys.path if inside else [str(site)]
    versions = {
        found.name.lower(): found.version
        for found in metadata.distributions(path=where)
        if found.name  # a folder of which the description is gone has none
    }
    shown = ("numpy", "scipy", "pandas", "matplotlib", "ipywidgets", "jupyterlab")
    found = ", ".join(f"{name} {versions[name]}" for name in shown if name in versions)
    missing = [name for name in shown if name not in versions]
    if missing:
        remedy = "`python3 -m recsys_lab lab` installs them"
        return Finding("packages", f"missing: {', '.join(missing)}", "PROBLEM", remedy)
    names = None if inside else stamped().get("packages")
    if broken := damaged(Path(sysconfig.get_path("purelib")) if inside else site, names):
        remedy = "`python3 -m recsys_lab lab` puts them back"
        return Finding("packages", f"parts are gone of: {', '.join(broken)}", "PROBLEM", remedy)
    if not inside and stamped() and not (site / PATH_FILE).exists():
        remedy = "`python3 -m recsys_lab lab` writes it again"
        return Finding("packages", f"the course's own: no {PATH_FILE}", "PROBLEM", remedy)
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
    if free > SETUP_BYTES or (stamped() and free > SETUP_BYTES / 20):
        return Finding("disk", found, "OK", "")
    remedy = f"make room: the set-up needs about {SETUP_BYTES / 1e9:.0f} GB"
    return Finding("disk", found, "PROBLEM", remedy)


def _port() -> Finding:
    if port_problem(8888) is None:
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
        wanted = checksums(readme.parent)
        spoilt = [name for name in wanted if _sha256(readme.parent / name) != wanted[name]]
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


# --- What the launcher asks as well ---


def stamped() -> dict:
    """What the set-up has installed: extras and a fingerprint; empty if it has not finished."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def installed(site: Path) -> list[str]:
    """The names of the packages in a folder, as registries write them."""
    return sorted({_canonical(one.name.split("-")[0]) for one in site.glob("*.dist-info")})


def damaged(site: Path, names: Iterable[str] | None = None) -> list[str]:
    """The packages of which something is gone, by what they say that they have installed.

    Looked for is what lies up to three folders deep: all of it would take a second.

    Parameters
    ----------
    site : the folder of the packages.
    names : those that should be there; by default those whose description is.
    """
    broken, there = set(), set()
    for info in site.glob("*.dist-info"):
        name = _canonical(info.name.split("-")[0])
        there.add(name)
        try:
            lines = (info / "RECORD").read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            continue  # Debian's and some of conda's have none
        parts = (row[0].split("/") for row in csv.reader(lines) if row)
        # Containers often do without tests and bytecode, to be smaller.
        tops = {"/".join(p[:3]) for p in parts if not {"..", "tests", "__pycache__"} & set(p)}
        if not all(os.path.exists(os.path.join(site, top)) for top in tops):
            broken.add(name)
    if names is None:
        return sorted(broken)
    return sorted(name for name in names if name in broken or name not in there)


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def site_packages() -> Path | None:
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


def port_problem(port: int, host: str = "localhost") -> int | None:
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
