"""One JupyterLab for all browser tests, one browser for each file of them, one page for a test."""

import pytest

from tests.browser.lab import HOW_TO_GET_A_BROWSER, RUN_LIMIT, Lab, browser, browser_program


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    if browser_program() is None:
        pytest.skip(HOW_TO_GET_A_BROWSER)
    with Lab(tmp_path_factory.mktemp("lab")) as started:
        yield started


# Not for the whole session: while playwright runs, no other test can start an event loop.
@pytest.fixture(scope="module")
def chromium(lab):
    with browser() as started:
        yield started


@pytest.fixture
def page(chromium, lab):
    """A page that fails its test if a script on it fails."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(RUN_LIMIT)
    failures = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    yield page
    context.close()
    lab.end_kernels()
    assert failures == []
