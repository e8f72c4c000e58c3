"""What pytest needs for the notebooks, which nbval collects outside of `tests/`."""

import os
from collections import defaultdict
from unittest.mock import patch

import pytest
from nbval.plugin import IPyNbFile

from recsys_lab.models.spark import has_spark, spark_status
from tests.notebooks.lessons import LessonFile
from tests.spark import NEEDS_SPARK
from tools.notebooks import all_notebooks, fresh_environment


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path, parent):
    """Give nbval's files of the lessons what else their runs have to keep."""
    found = yield
    if file_path in all_notebooks():
        return [
            LessonFile.from_parent(parent, path=file_path) if type(each) is IPyNbFile else each
            for each in found
        ]
    return found


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    """Give each notebook's kernel, which its first cell starts, an environment of its own."""
    if not isinstance(item.parent, IPyNbFile) or item.parent.kernel is not None:
        return (yield)
    environment = fresh_environment()
    # The folder has to outlive the kernel: it goes when pytest does.
    extra = environment.__enter__()
    item.config.add_cleanup(lambda: environment.__exit__(None, None, None))
    with patch.dict(os.environ, extra):
        return (yield)


def pytest_collection_modifyitems(items):
    """Skip, with the remedy, the notebooks that need Spark where there is none."""
    without = [
        each
        for each in items
        if isinstance(each.parent, IPyNbFile) and each.path.name in NEEDS_SPARK
    ]
    if without and not has_spark():
        for item in without:
            item.add_marker(pytest.mark.skip(reason=spark_status()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Show what a notebook's cell wrote to stderr: nbval says only that there was something."""
    report = yield
    if report.failed:
        for output in getattr(item, "test_outputs", None) or []:
            if output.get("name") == "stderr":
                report.sections.append(("what the cell wrote to stderr", output["text"]))
    return report


def pytest_terminal_summary(terminalreporter):
    """Print how long each notebook took."""
    seconds = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            name, _, cell = getattr(report, "nodeid", "").partition(".ipynb::Cell")
            if cell:
                seconds[name] += getattr(report, "duration", 0.0)
    if seconds:
        terminalreporter.section("seconds a notebook, through nbval")
        for name, total in sorted(seconds.items()):
            terminalreporter.line(f"{total:6.1f}  {name}.ipynb")
