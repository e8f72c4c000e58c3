"""Where CI runs nothing is skipped in silence, and what it runs is the README's command."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CASES = {
    "a test that is skipped": "import pytest\ndef test_it(): pytest.skip('no browser')\n",
    "a file that is skipped": "import pytest\npytest.importorskip('no_such_package')\n",
    "no test for no parameter": "import pytest\n"
    "@pytest.mark.parametrize('x', [])\ndef test_it(x): pass\n",
}


def exit_code(folder, *options, **environment):
    inherited = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:nbval", *options, str(folder)],
        cwd=folder,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


def test_a_skip_is_a_failure_under_ci_and_only_there(tmp_path):
    shutil.copy(ROOT / "tests/conftest.py", tmp_path)
    (tmp_path / "test_other.py").write_text("def test_other(): pass\n")
    assert exit_code(tmp_path, CI="true")[0] == 0
    for number, source in enumerate(CASES.values()):
        (tmp_path / f"test_{number}.py").write_text(source)
    assert exit_code(tmp_path)[0] == 0
    for options in ((), ("-n", "1")):
        code, output = exit_code(tmp_path, *options, CI="true")
        assert code == 1
        assert f"{len(CASES)} skipped: CI is set" in output


def test_ci_runs_the_command_of_the_readme():
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert os.access(ROOT / ".ci/run", os.X_OK)
    command = re.search(r"^exec (.*? test)\b", script, re.M).group(1)
    assert f"\n{command}\n" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "export CI=true" in script


def test_ci_has_what_lesson_18_needs_before_it_runs_the_tests():
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "openjdk-17-jre-headless" in script
    assert script.index("\npython3 -m recsys_lab add spark\n") < script.index("\nexec ")
