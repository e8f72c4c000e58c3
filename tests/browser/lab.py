"""A real JupyterLab on a copy of the notebooks, and a real browser in front of it."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Self

from playwright.sync_api import Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
HOW_TO_GET_A_BROWSER = (
    "no Chromium or Chrome found: install one (on Debian: apt-get install chromium), or name its "
    "program in the environment variable RECSYS_LAB_BROWSER"
)
RUN_LIMIT = 300_000  # milliseconds for a whole notebook on a busy machine; not a budget


def browser_program() -> str | None:
    """Return the path of an installed Chromium or Chrome, or None."""
    named = os.environ.get("RECSYS_LAB_BROWSER")
    return named or next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def browser():
    """Yield a headless Chromium of playwright's."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser_program(), args=FLAGS)
        try:
            yield started
        finally:
            started.close()


class Lab:
    """JupyterLab with its own settings, in a folder of its own: nothing stored is touched.

    Parameters
    ----------
    folder : an empty folder; `notebooks` and `data` of the repository are copied there.

    Attributes
    ----------
    notebooks : the folder with the copies.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.notebooks = folder / "notebooks"
        self.token = secrets.token_hex(16)

    def __enter__(self) -> Self:
        for name in ("notebooks", "data"):
            if (ROOT / name).is_dir():
                skipped = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
                shutil.copytree(ROOT / name, self.folder / name, ignore=skipped)
        self.notebooks.mkdir(exist_ok=True)
        config = self.folder / "config" / "labconfig"
        config.mkdir(parents=True)
        # The question about news would cover the notebook.
        news = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
        (config / "page_config.json").write_text(json.dumps(news), encoding="utf-8")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = (self.folder / "jupyter.log").open("w", encoding="utf-8")
        options = [
            "--no-browser",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.folder}",
            "--ServerApp.allow_root=True",
            "--LabApp.expose_app_in_browser=True",
        ]
        self.server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            cwd=self.folder,
            env=self._environment(),
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self._wait_until_up()
        return self

    def __exit__(self, *exception) -> None:
        self.server.terminate()
        try:
            self.server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
        self.log.close()

    def _environment(self) -> dict[str, str]:
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "jupyter",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
            "RECSYS_LAB_PROGRESS": "progress.json",
        }
        own = {name: str(self.folder / path) for name, path in folders.items()}
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        return os.environ | own | {"PYTHONPATH": path}

    def _wait_until_up(self) -> None:
        for _ in range(300):
            if self.server.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"{self.url}/api?token={self.token}", timeout=2).close()
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        told = (self.folder / "jupyter.log").read_text(encoding="utf-8")[-2000:]
        self.__exit__()
        raise RuntimeError(f"JupyterLab did not start:\n{told}")

    def add(self, name: str, code: list[str], *, markdown: list[str] = ()) -> str:
        """Write a notebook of code cells that were never run, then text; return its name."""
        cells = [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "source": source,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            for number, source in enumerate(code)
        ]
        cells += [
            {"cell_type": "markdown", "id": f"text-{number}", "source": source, "metadata": {}}
            for number, source in enumerate(markdown)
        ]
        python = {"name": "python3", "display_name": "Python 3", "language": "python"}
        book = {
            "cells": cells,
            "metadata": {"kernelspec": python},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (self.notebooks / name).write_text(json.dumps(book), encoding="utf-8")
        return name

    def open(self, page: Page, name: str) -> None:
        """Open a notebook in a fresh workspace, or alone in the JupyterLab that a page shows.

        To load JupyterLab takes longer than most tests do.
        """
        if self.is_in(page):
            self._leave(page)
            page.evaluate(
                "async path => { await jupyterapp.commands.execute('docmanager:open', {path}); }",
                f"notebooks/{name}",
            )
        else:
            shutil.rmtree(self.folder / "settings", ignore_errors=True)  # another test's theme
            workspace = f"{self.url}/lab/workspaces/{secrets.token_hex(4)}"
            page.goto(f"{workspace}/tree/notebooks/{name}?token={self.token}")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=RUN_LIMIT)
        # A notebook that is run before its kernel is up asks which kernel to take.
        page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=RUN_LIMIT)
        wait_idle(page)

    def is_in(self, page: Page) -> bool:
        """Whether a page shows JupyterLab."""
        return page.evaluate("() => 'jupyterapp' in window")

    def run(self, page: Page, name: str) -> None:
        """Run all cells of a notebook, in a fresh kernel if the page shows another notebook."""
        shows = "() => jupyterapp.shell.currentWidget?.context?.path"
        if not self.is_in(page) or page.evaluate(shows) != f"notebooks/{name}":
            self.open(page, name)
        run_all(page)

    def _leave(self, page: Page) -> None:
        """Close what a page shows, unsaved, end the kernels, and bring back the light theme."""
        page.evaluate(
            """async () => {
              for (const each of [...jupyterapp.shell.widgets("main")]) each.dispose();
              const light = {theme: "JupyterLab Light"};
              await jupyterapp.commands.execute("apputils:change-theme", light);
            }"""
        )
        self.end_kernels()

    def end_kernels(self) -> None:
        """End all kernels: one would go on drawing beside other tests."""
        for session in self._ask("GET", "/api/sessions"):
            self._ask("DELETE", f"/api/sessions/{session['id']}")

    def _ask(self, method: str, path: str):
        headers = {"Authorization": f"token {self.token}"}
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or "null")

    def cells(self, page: Page, name: str) -> list[dict]:
        """Save the notebook from its menu, and return the code cells as they were stored."""
        path = self.notebooks / name
        before = path.stat().st_mtime_ns
        menu(page, "File", "Save Notebook")
        give_up = time.monotonic() + RUN_LIMIT / 1000
        while True:
            page.wait_for_timeout(100)
            # On a busy machine the file may be looked at while it is being written.
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
                if path.stat().st_mtime_ns != before:
                    book = json.loads(path.read_text(encoding="utf-8"))
                    return [cell for cell in book["cells"] if cell["cell_type"] == "code"]
            assert time.monotonic() < give_up, f"{name} was not saved"


def menu(page: Page, *path: str) -> None:
    """Choose an entry of the menu bar, such as menu(page, "Run", "Run All Cells")."""
    page.click(f".lm-MenuBar-itemLabel:text-is('{path[0]}')")
    for entry in path[1:]:
        item = page.locator(".lm-Menu-itemLabel").get_by_text(entry, exact=True)
        item.last.hover()
        item.last.click()
    page.wait_for_timeout(50)


def wait_idle(page: Page) -> None:
    """Wait until the kernel has nothing to do and no cell is waiting for its turn."""
    page.wait_for_function(
        """() => {
          const indicator = document.querySelector(".jp-Notebook-ExecutionIndicator");
          const waiting = [...document.querySelectorAll(".jp-InputPrompt")]
            .some(prompt => prompt.textContent.includes("*"));
          return indicator?.dataset.status === "idle" && !waiting;
        }""",
        timeout=RUN_LIMIT,
        # By default the page is asked, and drawn, sixty times a second: it is beside a kernel.
        polling=100,
    )


def run_all(page: Page) -> None:
    """Run > Run All Cells, and wait for the end."""
    menu(page, "Run", "Run All Cells")
    page.wait_for_timeout(500)  # the first cell has been sent
    wait_idle(page)


def errors(cells: list[dict]) -> list[str]:
    """Return what stored code cells show as an error or wrote to stderr."""
    told = []
    for cell in cells:
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                told.append(f"{output['ename']}: {output['evalue']}")
            elif output.get("name") == "stderr":
                told.append("".join(output["text"]))
    return told


def set_theme(page: Page, dark: bool) -> None:
    """Switch the theme from the menu, as a reader does."""
    menu(page, "Settings", "Theme", f"JupyterLab {'Dark' if dark else 'Light'}")
    page.wait_for_function(
        f"() => document.body.dataset.jpThemeLight === '{'false' if dark else 'true'}'"
    )


def shown(explorer: Locator) -> dict:
    """Return what an explorer shows now: pixels (as a digest), texts, and the frame's number."""
    return explorer.evaluate(
        """async (area) => {
          const image = area.querySelector(".rl-picture-image");
          const {frame = "", state, wanted = state} = area.querySelector(".rl-picture").dataset;
          const words = (name) => area.querySelector(`.rl-picture-${name}`)?.textContent ?? "";
          const texts = {alt: image.alt, sentence: words("sentence"), failure: words("failure"),
                         settled: state === wanted};
          if (!image.src) return {...texts, frame, pixels: ""};
          const bytes = await (await fetch(image.src)).arrayBuffer();
          const digest = await crypto.subtle.digest("SHA-256", bytes);
          const pixels = [...new Uint8Array(digest)].map(b => b.toString(16)).join("");
          return {...texts, frame, pixels};
        }"""
    )


def next_frame(page: Page, explorer: Locator, before: dict) -> dict:
    """Wait until another answer than `before` is on the screen, and return what is shown then.

    An answer to an earlier move that comes late is not the one.
    """
    picture = explorer.locator(".rl-picture")
    give_up = time.monotonic() + RUN_LIMIT / 1000
    while time.monotonic() < give_up:
        at = picture.evaluate("picture => ({...picture.dataset})")
        if at.get("wanted", at.get("state")) == at.get("state") and at["frame"] != before["frame"]:
            now = shown(explorer)
            # It may have moved on while its pixels were fetched.
            if now["settled"] and now["frame"] != before["frame"]:
                return now
        page.wait_for_timeout(50)
    raise AssertionError(f"no answer: {at}")


def after(page: Page, explorer: Locator, move: Callable[[], object]) -> dict:
    """Make a move, and return what is shown when its answer is on the screen."""
    before = shown(explorer)
    move()
    return next_frame(page, explorer, before)


def moves(explorer: Locator) -> Iterator[tuple[str, list[Callable[[], object]]]]:
    """Yield for each control of an explorer what it is, and ways to give it other values."""
    for handle in explorer.locator(".noUi-handle").all():
        ends = [("Home", "ArrowRight"), ("End", "ArrowLeft")]
        at_home = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemin")
        yield "slider", [partial(handle.press, key) for key in ends[at_home]]
    for select in explorer.locator("select").all():
        count = select.locator("option").count()
        at = select.evaluate("select => select.selectedIndex")
        others = [(at + step) % count for step in range(1, count)]
        yield "choice", [partial(select.select_option, index=other) for other in others]
    for box in explorer.locator("input[type=checkbox]").all():
        yield "check box", [box.click, box.click]
    for field in explorer.locator("input[type=text]").all():
        yield "text", [partial(field.press_sequentially, "1")]
    for cell in explorer.locator("button[role=checkbox]").all()[:3]:
        yield "cell", [cell.click, partial(cell.press, "Space")]
