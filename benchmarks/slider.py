"""From a key press on a slider to other pixels, in a real JupyterLab and a real browser.

    python -m benchmarks.slider           the figures alone
    python -m benchmarks --only slider    with the budgets

The picture is a 12 x 12 heat map with a colour bar beside a line-and-bar chart with a legend,
800 x 320 CSS pixels. The clock starts at the event of the key, or of the mouse, and stops at the
first animation frame in which the picture's pixels are others; after three seconds it gives up.
"""

import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Locator, Page

from tests.browser.lab import Lab, browser, menu, wait_idle

PRESSES = 60
PAUSE = 250  # milliseconds between two presses
JUMPS = 20
RUNNING = 20  # presses while a cell runs
LAST = 1500  # the slider's end: far more values than are drawn ahead, to jump to
CELLS = [
    f"LAST, JUMPS = {LAST}, {JUMPS}",
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

import time
from recsys_lab.page.widgets import Explorer
draw, answers = Explorer._draw, []

def timed(*args):
    start = time.perf_counter()
    drawn = draw(*args)
    if not Explorer._ahead.is_here():
        answers.append(1000 * (time.perf_counter() - start))
    return drawn

Explorer._draw = timed
explore(view, k=(0, LAST))
""",
    """
import ipywidgets
from IPython.display import display

def drawn(k):
    display(view(k)[0])

slider = ipywidgets.IntSlider(LAST // 2, 0, LAST)
shown = ipywidgets.interactive_output(drawn, {"k": slider})
shown.add_class("by-interact")
display(slider, shown)
""",
    """
import time
end = time.time() + 40
while time.time() < end:
    pass
""",
    """
def milliseconds(k):
    time.sleep(1)  # as between two jumps: at once after another, a drawing is a fifth faster
    start = time.perf_counter()
    figures.png(view(k)[0])
    return 1000 * (time.perf_counter() - start)

print(np.median([milliseconds(k) for k in range(20)]), np.median(answers[-JUMPS:]))
""",
]

# Compares a small copy of the picture in each animation frame: cheap, so the page is not slowed.
WATCH = """(area, which) => {
  const canvas = new OffscreenCanvas(200, 80);
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const pixels = () => {
    const image = area.querySelector(which);
    if (!image) return new Uint8Array(1);
    context.clearRect(0, 0, 200, 80);
    if (image.complete && image.naturalWidth) context.drawImage(image, 0, 0, 200, 80);
    return context.getImageData(0, 0, 200, 80).data;
  };
  const waits = (window.waits = []); // what an earlier watch still waits for is not counted
  window.watching?.abort();
  window.watching = new AbortController();
  const watch = (event) => {
    const start = event.timeStamp;
    const before = pixels();
    const look = () => {
      const now = pixels();
      if (now.some((value, at) => value !== before[at])) waits.push(performance.now() - start);
      else if (performance.now() - start < 3000) requestAnimationFrame(look);
      else waits.push(3000);
    };
    requestAnimationFrame(look);
  };
  for (const kind of ["keydown", "pointerdown"])
    document.addEventListener(kind, watch, {capture: true, signal: window.watching.signal});
}"""


def measure() -> dict[str, float]:
    """Return milliseconds by what was measured, for `explore` and for its rival `interact`."""
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder)) as lab, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1280, "height": 1800})
        lab.open(page, lab.add("slider.ipynb", CELLS))
        for number in (0, 1, 2):
            page.locator(".jp-CodeCell").nth(number).locator(".jp-InputArea-prompt").click()
            menu(page, "Run", "Run Selected Cell")
            wait_idle(page)
        explorer, rival = page.locator(".rl-explore"), page.locator(".by-interact")
        explorer.locator(".rl-picture[data-frame]").wait_for()
        rival.locator("img").wait_for()
        handle = explorer.locator(".noUi-handle")
        rivals_handle = page.locator(".jp-OutputArea .noUi-handle").last
        there = ["ArrowRight"] * RUNNING
        found = _steps("interact", page, rival, rivals_handle, "img", there)
        handle.focus()
        _fill(page, explorer)
        keys = ["ArrowRight"] * (PRESSES // 2) + ["ArrowLeft"] * (PRESSES // 2)
        found |= _steps("explore", page, explorer, handle, IMAGE, keys)
        page.locator(".jp-CodeCell").nth(3).locator(".jp-InputArea-prompt").click()
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(1000)
        found |= _steps("explore, while a cell runs", page, explorer, handle, IMAGE, there)
        found |= _steps("interact, while a cell runs", page, rival, rivals_handle, "img", there)
        assert page.locator(".jp-InputPrompt").nth(3).inner_text() == "[*]:", "the cell has ended"
        wait_idle(page)
        track = page.locator(".jp-OutputArea .noUi-base")
        found |= _jumps("interact", page, rival, track.last, "img")
        found |= _jumps("explore", page, explorer, track.first, IMAGE)
        last = page.locator(".jp-CodeCell").last
        last.locator(".jp-InputArea-prompt").click()
        page.keyboard.press("Control+Enter")
        wait_idle(page)
        alone, within = map(float, last.locator("pre").last.inner_text().split())
        found["a drawing, in a jump, median"] = within
        found["a drawing, alone, median"] = alone
    return found


IMAGE = ".rl-picture-image"


def _fill(page: Page, explorer: Locator) -> None:
    """Wait until nothing more is drawn ahead: until no frame has come for five seconds."""
    before, since = "", 0
    while since < 5:
        now = explorer.locator(".rl-picture").get_attribute("data-store") or ""
        since = since + 1 if now == before else 0
        before = now
        page.wait_for_timeout(1000)


def _steps(name, page, area, handle, image, keys) -> dict[str, float]:
    waits = _press(page, area, handle, image, keys, PAUSE)
    return {
        f"slider step, {name}, median": float(np.median(waits)),
        f"slider step, {name}, p95": float(np.percentile(waits, 95)),
    }


def _jumps(name, page, area, track, image) -> dict[str, float]:
    area.evaluate(WATCH, image)
    for share in np.random.default_rng(0).permutation(np.linspace(0.02, 0.98, JUMPS)):
        box = track.bounding_box()
        page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        page.wait_for_timeout(1000)
    page.wait_for_timeout(3500)
    waits = page.evaluate("waits")
    assert len(waits) == JUMPS, f"{JUMPS} jumps, {len(waits)} answers"
    return {f"jump to a value not yet drawn, {name}, median": float(np.median(waits))}


def _press(page: Page, area: Locator, handle: Locator, image: str, keys, pause) -> list[float]:
    handle.focus()
    area.evaluate(WATCH, image)
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(pause)
    page.wait_for_timeout(3500)
    waits = page.evaluate("waits")
    assert len(waits) == len(keys), f"{len(keys)} presses, {len(waits)} answers"
    return waits


if __name__ == "__main__":
    for name, milliseconds in measure().items():
        print(f"{name:50} {milliseconds:6.1f} ms")
