"""From a key press on a slider to other pixels, in a real JupyterLab and a real browser.

The picture is a 12 x 12 heat map with a colour bar beside a line-and-bar chart with a legend,
800 x 320 CSS pixels. The clock starts at the key's event and stops at the first animation frame in
which the picture's pixels are others.
"""

import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Locator, Page

from tests.browser.lab import Lab, browser, run_all, shown

PRESSES = 60
PAUSE = 250  # milliseconds between two presses
JUMPS = 20
CELLS = [
    """
import numpy as np
from recsys_lab import explore, figures

def view(k):
    i = np.arange(12)
    figure, (left, right) = figures.panels(2, widths=(1, 1.25))
    cells = np.outer(np.sin(i + k), np.cos(i * k))
    figures.heatmap(cells, i, i, "Scores", limits=(-1, 1), unit="score", ax=left)
    figures.bars(i, 1 + np.cos(i * k), colours=figures.TRAIN, ax=right)
    series = {"fit": 1 + np.sin(i + k / 9), "penalty": 1 + np.cos(i * k / 99)}
    figures.lines(i, series, "Fit and penalty", "item", "score", ylim=(0, 2.2), ax=right)
    return figure, f"At k = {k}."

explore(view, k=(0, 1000))
"""
]

# Compares a small copy of the picture in each animation frame: cheap, so the page is not slowed.
WATCH = """(area) => {
  const image = area.querySelector(".rl-picture-image");
  const canvas = new OffscreenCanvas(200, 80);
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const pixels = () => {
    context.clearRect(0, 0, 200, 80);
    if (image.complete && image.naturalWidth) context.drawImage(image, 0, 0, 200, 80);
    return context.getImageData(0, 0, 200, 80).data;
  };
  window.waits = [];
  area.addEventListener("keydown", (event) => {
    const start = event.timeStamp;
    const before = pixels();
    const look = () => {
      const now = pixels();
      if (now.some((value, at) => value !== before[at])) waits.push(performance.now() - start);
      else if (performance.now() - start < 3000) requestAnimationFrame(look);
      else waits.push(Infinity);
    };
    requestAnimationFrame(look);
  }, true);
}"""


def measure() -> dict[str, float]:
    """Return milliseconds: step_median, step_p95, jump_median, jump_p95."""
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder)) as lab, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        lab.open(page, lab.add("slider.ipynb", CELLS))
        run_all(page)
        explorer = page.locator(".rl-explore")
        explorer.locator(".rl-picture[data-frame]").wait_for()
        explorer.locator(".noUi-handle").focus()
        page.wait_for_timeout(1000)
        explorer.evaluate(WATCH)
        steps = _press(page, ["ArrowRight"] * PRESSES, PAUSE)
        # Page keys move five steps at a time, further than is drawn ahead.
        jumps = _press(page, ["PageUp"] * JUMPS, 1000)
        _no_step_was_lost(page, explorer)
    return {
        "step_median": float(np.median(steps)),
        "step_p95": float(np.percentile(steps, 95)),
        "jump_median": float(np.median(jumps)),
        "jump_p95": float(np.percentile(jumps, 95)),
    }


def _press(page: Page, keys: list[str], pause: int) -> list[float]:
    page.evaluate("waits.length = 0")
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(pause)
    page.wait_for_timeout(1000)
    waits = page.evaluate("waits")
    if len(waits) != len(keys):
        raise RuntimeError(f"{len(keys)} presses, {len(waits)} pictures")
    return waits


def _no_step_was_lost(page: Page, explorer: Locator) -> None:
    at = explorer.locator(".widget-readout").inner_text().strip()
    if shown(explorer)["sentence"] != f"At k = {at}.":
        raise RuntimeError(f"the read-out is {at}, the picture's sentence is {shown(explorer)}")


if __name__ == "__main__":
    for name, milliseconds in measure().items():
        print(f"{name:12} {milliseconds:6.1f} ms")
