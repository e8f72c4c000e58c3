"""What holds for every test: no clock, nobody's progress, and no skipping where CI runs."""

import os

from hypothesis import settings

# A slow machine is no failure, and a failure can be had again.
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")

# Tests that keep progress say where; none writes into the learner's own.
os.environ["RECSYS_LAB_PROGRESS"] = ""


def _skipped(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.stats.get("skipped", []) if reporter and os.environ.get("CI") else []


def pytest_sessionfinish(session):
    """Where CI runs, a skipped test is a failure: what it would have held, nobody has seen."""
    if _skipped(session.config) and session.exitstatus == 0:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter, config):
    """Say why the run failed, if nothing else did."""
    if count := len(_skipped(config)):
        terminalreporter.section("skipped under CI", red=True)
        terminalreporter.line(f"{count} skipped: CI is set, so that this run has failed.")
