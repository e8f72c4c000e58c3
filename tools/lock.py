"""Pin the packages of `pyproject.toml`: write `requirements.lock` and, from it, `environment.yml`.

What `python3 -m recsys_lab add spark` installs on top has a lock of its own, with what builds it.

    python -m tools.lock              pin what has to change, keep the other pins
    python -m tools.lock --upgrade    pin the newest of everything

uv, which does the work, has to be there: `.venv` has it after the first start of the course.
"""

import os
import re
import subprocess
import sys
import tomllib

from recsys_lab.course.machine import OLDEST_PYTHON
from recsys_lab.course.surroundings import for_tools, pip_settings
from tools.notebooks import ROOT, store

LOCK = ROOT / "requirements.lock"
ENVIRONMENT = ROOT / "environment.yml"
SPARK_LOCK = ROOT / "requirements-spark.lock"

OLDEST = ".".join(map(str, OLDEST_PYTHON))

HEADER = """\
# For conda, mamba and Binder. Made by `python -m tools.lock` with the pins of requirements.lock.
# conda brings Python; the packages come from PyPI, as without conda, so that they are the same.
name: recsys-lab
channels:
  - conda-forge
dependencies:
  - python>=3.11,<3.14
  - pip
  - pip:
      - -e .[lab]
"""


def compile_lock(*options: str) -> None:
    """Resolve `pyproject.toml` for every platform and Python, with what the launcher installs."""
    # `fewest`: one version of a package for every Python, or a stored number could depend on it.
    extras = [word for extra in ("lab", "test", "setup") for word in ("--extra", extra)]
    _compile(*extras, *options, "pyproject.toml", "-o", LOCK.name)


def compile_spark_lock(project: dict, *options: str) -> None:
    """Resolve Spark alone. It comes as source: setuptools, which builds it, is pinned beside it."""
    asked = [*project["optional-dependencies"]["spark"], "setuptools"]
    where = ["-c", LOCK.name, "-", "-o", SPARK_LOCK.name]
    _compile("--no-annotate", *options, *where, asked="\n".join(asked))


def _compile(*options: str, asked: str | None = None) -> None:
    command = [sys.executable, "-m", "uv", "pip", "compile", "--universal", "--generate-hashes"]
    command += ["--fork-strategy", "fewest", "--no-emit-index-url", "--no-emit-find-links"]
    command += ["--python-version", OLDEST, "--custom-compile-command", "python -m tools.lock"]
    command += ["--quiet", *options]
    environment = for_tools(pip_settings(sys.executable), os.environ)
    subprocess.run(command, cwd=ROOT, check=True, input=asked, text=True, env=environment)


def pins(lock: str) -> dict[str, tuple[str, set[str]]]:
    """Each locked package's line (`name==version ; marker`) and who asks for it, by name."""
    found = {}
    for block in re.split(r"^(?=[a-z0-9])", lock, flags=re.M)[1:]:
        line = block.partition("\\")[0].strip()
        asked_by = re.findall(r"^    #   (?:via )?(\S+)|^    # via (\S+)", block, re.M)
        name = re.match(r"[a-z0-9._-]+", line).group()
        found[name] = (line, {first or second for first, second in asked_by})
    return found


def environment(lock: str, project: dict) -> str:
    """The text of `environment.yml`: the pins of what the course needs, not of its tests."""
    found = pins(lock)
    wanted = [*project["dependencies"], *project["optional-dependencies"]["lab"]]
    needed = {re.match(r"[a-z0-9-]+", requirement).group() for requirement in wanted}
    while more := {name for name, (_, by) in found.items() if by & needed} - needed:
        needed |= more
    return HEADER + "".join(f'      - "{found[name][0]}"\n' for name in sorted(needed))


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    compile_lock(*sys.argv[1:])
    compile_spark_lock(project, *sys.argv[1:])
    text = environment(LOCK.read_text(encoding="utf-8"), project)
    store(ENVIRONMENT, text)


if __name__ == "__main__":
    main()
