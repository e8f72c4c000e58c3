"""One JupyterLab for all browser tests, one browser and one page for each file of them."""

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


@pytest.fixture(scope="module")
def window(lab, chromium):
    """What holds the page that the tests of a file share."""
    yield (pages := [])
    for page in pages:
        page.context.close()
    lab.end_kernels()


@pytest.fixture
def page(chromium, lab, window, request):
    """A page that fails its test if a script on it fails.

    It is handed on from test to test; one that failed, or was elsewhere, takes its page with it.
    """
    if not window:
        window.append(chromium.new_context().new_page())
    (page,) = window
    page.set_default_timeout(RUN_LIMIT)
    page.set_viewport_size({"width": 1280, "height": 900})
    failures, failed = [], request.session.testsfailed

    def note(error):
        failures.append(str(error))

    page.on("pageerror", note)
    yield page
    page.remove_listener("pageerror", note)
    if failures or request.session.testsfailed > failed or not lab.is_in(page):
        window.clear()
        page.context.close()
        lab.end_kernels()
    assert failures == []
