"""pyproject.toml, requirements.lock, environment.yml and the README say the same."""

import re
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import recsys_lab
from recsys_lab.course import launcher, machine
from tools import lock

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXTRAS = PROJECT["optional-dependencies"]


def requirements(lines):
    """Name -> requirement, as the packaging library reads them; a name has one line."""
    read = [Requirement(line) for line in lines]
    found = {canonicalize_name(requirement.name): requirement for requirement in read}
    assert len(found) == len(read), "a package is pinned twice"
    return found


def locked():
    return requirements(re.findall(r"^([a-z0-9].*?) \\$", LOCK, re.M))


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def test_what_pyproject_asks_for_is_locked_in_a_version_that_it_allows():
    pins = locked()
    # All but `bench`, which is for one rival of the benchmark and brings PyTorch along.
    extras = [EXTRAS[name] for name in ("lab", "test", "setup")]
    for line in [*PROJECT["dependencies"], *chain(*extras)]:
        wanted = Requirement(line)
        (pin,) = pins[canonicalize_name(wanted.name)].specifier
        assert pin.operator == "=="
        assert wanted.specifier.contains(pin.version), f"{wanted} is locked as {pin}"


def test_every_locked_package_has_its_hashes():
    blocks = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.M)[1:]
    assert len(blocks) == len(locked())
    for block in blocks:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", block), block


def test_the_lock_holds_no_address_and_no_path():
    assert not re.search(r"://|--(find-links|index-url|extra-index-url)|file:|\s/|[A-Z]:\\", LOCK)


def test_sparks_own_lock_has_hashes_and_no_address_and_agrees_with_the_other():
    text = (ROOT / "requirements-spark.lock").read_text(encoding="utf-8")
    assert not re.search(r"://|--(find-links|index-url|extra-index-url)|file:|\s/|[A-Z]:\\", text)
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.M)[1:]
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}\b", block) for block in blocks)
    pins = requirements(re.findall(r"^([a-z0-9].*?) \\$", text, re.M))
    # What is asked for, what it needs, and what unpacks it.
    assert set(pins) == {"pyspark", "py4j", "setuptools"}
    (wanted,) = map(Requirement, EXTRAS["spark"])
    (pin,) = pins["pyspark"].specifier
    assert wanted.specifier.contains(pin.version)
    assert pins["setuptools"].specifier == locked()["setuptools"].specifier
    assert "pyspark" not in locked()


def test_environment_yml_is_made_from_the_lock():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert text == lock.environment(LOCK, PROJECT), "run `python -m tools.lock`"


def test_environment_yml_pins_what_the_lock_pins(environment):
    pins = locked()
    package, *lines = environment["dependencies"][-1]["pip"]
    assert package == "-e .[lab]"
    pinned = requirements(lines)
    for name, requirement in pinned.items():
        assert requirement == pins[name]
    for line in [*PROJECT["dependencies"], *EXTRAS["lab"]]:
        assert canonicalize_name(Requirement(line).name) in pinned
    assert not {"pytest", "ruff", "uv"} & set(pinned)


def test_environment_yml_has_what_those_packages_need_themselves(environment):
    """Against what the installed packages say of themselves, not against the lock's comments."""
    from importlib.metadata import requires

    pinned = set(requirements(environment["dependencies"][-1]["pip"][1:]))
    for name in pinned:
        marker = locked()[name].marker
        if marker and not marker.evaluate():
            continue
        for line in requires(name) or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                assert canonicalize_name(needed.name) in pinned, f"{name} needs {needed}"


def test_conda_takes_the_pythons_that_pyproject_allows(environment):
    (python,) = (
        line
        for line in environment["dependencies"]
        if isinstance(line, str) and line.startswith("python")
    )
    oldest = ".".join(map(str, machine.OLDEST_PYTHON))
    assert python.startswith(f"python>={oldest},")
    assert PROJECT["requires-python"] == f">={oldest}"


def test_tensorflow_is_left_out_where_the_machine_check_says_that_there_is_none():
    first = ".".join(map(str, machine.FIRST_WITHOUT_TENSORFLOW))
    asked = [need for need in PROJECT["dependencies"] if need.startswith(("keras", "tensorflow"))]
    assert len(asked) == 3
    assert all(f"python_version < '{first}'" in need for need in asked)


def test_the_version_is_the_same_everywhere():
    assert PROJECT["version"] == recsys_lab.__version__
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+),", changes, re.M).group(1) == recsys_lab.__version__
    assert f"version {recsys_lab.__version__}" in README


def test_the_readme_names_only_verbs_that_exist():
    named = set(re.findall(r"python3 -m recsys_lab (\w+)", README))
    assert {"lab", "test"} <= named
    for verb in named:
        assert re.search(rf"^  {verb} ", launcher.USAGE, re.M)


def test_links_in_the_readme_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert "://" in target or (ROOT / target).exists(), target


NOT_ON_WINDOWS = r"[:*?\"<>|\\]|[. ](/|$)|(^|/)(con|prn|aux|nul|com\d|lpt\d)(\.|/|$)"


def unfit(names):
    """Give the names that some disk cannot hold, or holds as one file with another."""
    lower = [name.lower() for name in names]
    return [n for n, low in zip(names, lower, strict=True) if lower.count(low) > 1] + [
        name for name in names if re.search(NOT_ON_WINDOWS, name.lower()) or len(name) > 120
    ]


def test_a_name_that_a_disk_cannot_hold_is_found():
    names = ["a/B.md", "a/b.md", "c", "aux.py", "d?", "e.", "f" * 121]
    assert unfit(names) == ["a/B.md", "a/b.md", "aux.py", "d?", "e.", "f" * 121]


def test_every_file_can_be_checked_out_on_windows_and_macos():
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if told.returncode:
        pytest.skip("no git here")
    names = told.stdout.split("\0")[:-1]
    assert names and unfit(names) == []
