"""Find a Java that Apache Spark can run on: the one of JAVA_HOME, else the one on the PATH.

Standard library only, as the launcher: it runs before any package is there.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

OLDEST_JAVA = 17
REMEDY = (
    "Debian and Ubuntu: `sudo apt install openjdk-17-jre-headless`; Fedora: `sudo dnf install "
    "java-21-openjdk-headless`; macOS: `brew install openjdk@17` and set JAVA_HOME to what "
    "`brew --prefix openjdk@17` prints; Windows: `winget install EclipseAdoptium.Temurin.17.JRE`; "
    "conda: `conda install -c conda-forge openjdk=17`"
)


class NoJava(RuntimeError):
    """There is no Java here that will do; the message says so in one sentence."""


def find_java() -> tuple[Path, int]:
    """Find a Java of version 17 or later.

    Returns
    -------
    home : the folder to set JAVA_HOME to
    version : 17 for Java 17, and 8 for what calls itself 1.8

    Raises
    ------
    NoJava
        If there is none, or only older ones: with what was found, and how to get one on each
        system.
    """
    found = []
    for where, program in _programs():
        version = _version(program)
        if version and version >= OLDEST_JAVA:
            # Not the folder above a link such as /usr/bin/java: the one that it leads to.
            return program.resolve().parent.parent, version
        said = f"is Java {version}" if version else "does not run"
        found.append(f"the one of {where}, {program}, {said}")
    begin = f"Spark needs Java {OLDEST_JAVA} or later, and "
    what = "there is none on this machine" if not found else "; ".join(found)
    raise NoJava(f"{begin}{what}: install it ({REMEDY}) and run the same command again.")


def _programs() -> Iterator[tuple[str, Path]]:
    name = "java.exe" if os.name == "nt" else "java"
    if home := os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home) / "bin" / name
    if found := shutil.which("java"):
        yield "the PATH", Path(found)


def _version(program: Path) -> int | None:
    """The number of a Java's version; None if it does not run, as the stub on a Mac without one."""
    try:
        done = subprocess.run(
            [program, "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    return int(said[1]) if said and not done.returncode else None
