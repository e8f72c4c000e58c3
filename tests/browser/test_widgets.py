"""What a reader sees and hears of explore, in a small notebook made for it."""

import json
import re
import subprocess
import sys
import time
from base64 import b64encode

import pytest

from tests.browser.lab import (
    RUN_LIMIT,
    Lab,
    after,
    menu,
    next_frame,
    run_all,
    set_theme,
    shown,
    wait_idle,
)

CELLS = [
    """
import time
from recsys_lab import cell_grid, explore, figures

def view(max_rank, method):
    if max_rank == 5:
        raise ValueError("rank 5 is more than the matrix has")
    if max_rank == 9:
        time.sleep(1)
    figure = figures.bars("ABC", [max_rank, 2, len(method)], "Heights.", "item", "events")
    return figure, f"At rank {max_rank}."

explore(view, max_rank=(0, 40), method=["SVD", "least squares"])
""",
    """
def grid_view(R):
    return figures.heatmap(R, [1, 2], ["A", "B"], "What was seen.", digits=0)

explore(grid_view, R=cell_grid([1, 2], ["A", "B"], [[1, 0], [0, 1]]))
""",
]


@pytest.fixture(scope="module")
def notebook(lab: Lab):
    return lab.add("widgets.ipynb", CELLS)


@pytest.fixture
def explorers(lab, page, notebook):
    lab.run(page, notebook)
    found = page.locator(".rl-explore")
    for explorer in found.all():
        explorer.locator(".rl-picture[data-frame]").wait_for()
    assert found.count() == 2
    return found


def spoken(page):
    """What a screen reader is told: (role, name, value in words) of each node."""
    session = page.context.new_cdp_session(page)
    told = set()
    for node in session.send("Accessibility.getFullAXTree")["nodes"]:
        if not node.get("ignored"):
            words = {
                each["name"]: each["value"].get("value") for each in node.get("properties", [])
            }
            role, name = node["role"].get("value"), node.get("name", {}).get("value")
            value = node.get("value", {}).get("value")
            told.add((role, name, words.get("checked") or str(value or "")))
    return told


def test_a_screen_reader_is_told_names_values_and_the_picture(page, explorers):
    told = spoken(page)
    assert ("slider", "max rank", "20") in told
    slider = explorers.first.locator(".noUi-handle")
    assert slider.get_attribute("aria-valuetext") == "20"
    assert explorers.first.locator("[title=null]").count() == 0
    assert ("combobox", "method") in {each[:2] for each in told}
    alt = "Heights. events against item. Bars: A 20, B 2, C 3."
    # Only the live picture: the copy for reading without a kernel is hidden.
    assert len([each for each in told if each[:2] == ("image", alt)]) == 1
    assert ("checkbox", "user 1, item A: seen", "true") in told
    assert ("checkbox", "user 1, item B: not seen", "false") in told
    assert page.locator(".rl-static").count() == 2
    assert not page.locator(".rl-static").first.is_visible()
    after(page, explorers.first, lambda: slider.press("ArrowRight"))
    told = spoken(page)
    assert ("slider", "max rank", "21") in told
    assert ("image", "Heights. events against item. Bars: A 21, B 2, C 3.", "") in told


def test_cells_are_reached_by_arrow_keys_and_switched_by_the_space_bar(page, explorers):
    grid = explorers.nth(1)
    grid.locator("button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    seen = after(page, grid, lambda: page.keyboard.press("Space"))
    assert "2: A 0, B 0" in seen["alt"]
    page.keyboard.press("ArrowUp")
    seen = after(page, grid, lambda: page.keyboard.press("Space"))
    assert "1: A 1, B 1; 2: A 0, B 0" in seen["alt"]
    assert grid.locator("button:focus").get_attribute("aria-label") == "user 1, item B: seen"


def test_a_grid_goes_back_to_where_it_started(page, explorers):
    grid = explorers.nth(1)
    before = shown(grid)["alt"]
    changed = after(page, grid, lambda: grid.locator("button[role=checkbox]").first.click())
    assert changed["alt"] != before
    assert (
        after(page, grid, lambda: grid.get_by_role("button", name="Reset").click())["alt"] == before
    )


def test_after_a_move_shift_and_enter_go_on_and_do_not_run_the_cell_again(page, explorers):
    explorer = explorers.first
    after(page, explorer, lambda: explorer.locator(".noUi-handle").press("ArrowRight"))
    prompt = page.locator(".jp-InputPrompt").first.inner_text()
    page.keyboard.press("Shift+Enter")
    page.wait_for_timeout(500)
    assert page.locator(".jp-InputPrompt").first.inner_text() == prompt
    assert "At rank 21." == shown(explorer)["sentence"]
    active = "[...document.querySelectorAll('.jp-Cell')].map(c => c.matches('.jp-mod-active'))"
    assert page.evaluate(active)[:2] == [False, True]


def test_a_key_of_a_control_is_marked_before_any_application_hears_of_it(page, explorers):
    """Notebook 7 asks at once, in the capture phase, and takes the arrows of unmarked elements."""
    page.evaluate(
        """() => {
          window.heard = [];
          const marked = (event) => event.target.hasAttribute("data-lm-suppress-shortcuts");
          const hear = (event) => window.heard.push([event.key, marked(event)]);
          document.addEventListener("keydown", hear, { capture: true });
        }"""
    )
    slider = explorers.first.locator(".noUi-handle")
    for key in ("ArrowRight", "a", "Escape", "Control+b"):
        slider.press(key)
    heard = [each for each in page.evaluate("heard") if each[0] != "Control"]
    assert heard == [["ArrowRight", True], ["a", True], ["Escape", False], ["b", False]]


def test_a_failure_is_shown_in_words_and_the_next_move_recovers(page, explorers):
    explorer = explorers.first
    slider = explorer.locator(".noUi-handle")
    after(page, explorer, lambda: slider.press("Home"))
    for _ in range(4):
        after(page, explorer, lambda: slider.press("ArrowRight"))
    height = explorer.bounding_box()["height"]
    failed = after(page, explorer, lambda: slider.press("ArrowRight"))
    assert "ValueError: rank 5 is more than the matrix has" in failed["failure"]
    assert failed["alt"] == ""
    assert not explorer.locator("img").is_visible()
    assert explorer.locator("[role=alert]").is_visible()
    assert explorer.bounding_box()["height"] == height
    recovered = after(page, explorer, lambda: slider.press("ArrowRight"))
    assert recovered["failure"] == ""
    assert "A 6" in recovered["alt"]
    assert explorer.locator("img").is_visible()


def test_a_fast_run_along_the_slider_shows_no_blank_nothing_moves_and_the_last_value_stays(
    page, explorers
):
    explorer = explorers.first
    slider = explorer.locator(".noUi-handle")
    slider.focus()
    explorer.evaluate(
        """(area) => {
          const image = area.querySelector("img");
          window.seen = {frames: 0, blank: 0, shifts: 0, places: new Set()};
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) seen.shifts += entry.value;
          }).observe({type: "layout-shift"});
          const look = () => {
            const {x, y, width, height} = image.getBoundingClientRect();
            seen.frames += 1;
            seen.blank += !(image.complete && image.naturalWidth);
            seen.places.add([x, y, width, height].join());
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    for _ in range(20):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(30)
    page.wait_for_function("() => document.querySelector('.rl-picture img').alt.includes('A 40')")
    seen = page.evaluate("({...seen, places: seen.places.size})")
    assert seen["frames"] > 20
    assert (seen["blank"], seen["shifts"], seen["places"]) == (0, 0, 1)
    assert shown(explorer)["sentence"] == "At rank 40."


# In each animation frame: is what is shown that of the read-out, or the one before it?
CHECKER = """(area) => {
  const image = area.querySelector("img");
  const words = area.querySelector(".rl-picture-sentence");
  area.strange = [];
  area.shown = new Set();
  const look = () => {
    if (!area.isConnected) return;
    const alt = image.alt.match(/A (\\d+)/)?.[1];
    const said = words.textContent.match(/(\\d+)/)?.[1];
    if (alt !== said) area.strange.push(`picture ${alt}, sentence ${said}`);
    area.shown.add(alt);
    requestAnimationFrame(look);
  };
  look();
}"""


def fill_the_store(page, explorer):
    """Wait until the kernel has drawn ahead all that the slider offers."""
    explorer.locator(".noUi-handle").focus()
    for _ in range(300):
        before = explorer.locator(".rl-picture").get_attribute("data-store")
        page.wait_for_timeout(1000)
        if before == explorer.locator(".rl-picture").get_attribute("data-store") and before:
            return
    raise AssertionError("the store is never full")


def test_a_page_that_is_loaded_anew_answers_each_move(lab, page, explorers):
    explorer = explorers.first
    fill_the_store(page, explorer)
    explorer.locator(".noUi-handle").press("ArrowRight")
    lab.cells(page, "widgets.ipynb")
    page.reload()
    explorer = page.locator(".rl-explore").first
    explorer.locator(".rl-picture[data-frame]").wait_for(timeout=60_000)
    slider = explorer.locator(".noUi-handle")
    assert "A 22," in after(page, explorer, lambda: slider.press("ArrowRight"))["alt"]


def test_a_slow_move_says_that_it_is_drawing(page, explorers):
    explorer = explorers.first
    slider = explorer.locator(".noUi-handle")
    after(page, explorer, lambda: slider.press("Home"))
    # The read-out takes a number: a jump to a value that nothing has drawn ahead.
    readout = explorer.locator(".widget-readout")
    before = shown(explorer)
    readout.click()
    page.keyboard.press("Control+A")
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    explorer.locator("[role=status]").get_by_text("Drawing").wait_for()
    assert "A 9" in next_frame(page, explorer, before)["alt"]
    assert not explorer.locator("[role=status]").is_visible()


def test_the_picture_follows_the_theme(page, explorers):
    paper = """(image) => {
      const context = new OffscreenCanvas(1, 1).getContext("2d");
      context.drawImage(image, 0, 0);
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    }"""
    image = explorers.first.locator("img")
    assert image.evaluate(paper) == [255, 255, 255]
    after(page, explorers.first, lambda: set_theme(page, dark=True))
    page_colour = "image => getComputedStyle(image.closest('.jp-Notebook')).backgroundColor"
    assert image.evaluate(paper) == [17, 17, 17]
    assert image.evaluate(page_colour) == "rgb(17, 17, 17)"
    after(page, explorers.first, lambda: set_theme(page, dark=False))
    assert image.evaluate(paper) == [255, 255, 255]


@pytest.mark.parametrize("width", [640, 1800])
def test_labels_are_whole_in_a_narrow_and_in_a_wide_notebook(page, explorers, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(500)
    for label in page.locator(".rl-explore .widget-label").all():
        assert label.evaluate("label => label.scrollWidth <= label.clientWidth")
    image = explorers.first.locator("img").bounding_box()
    assert 520 <= image["width"] <= 800
    assert image["width"] / image["height"] == pytest.approx(2.5, rel=0.01)


def test_a_fine_screen_gets_a_fine_picture(lab, chromium, notebook):
    context = chromium.new_context(device_scale_factor=2)
    page = context.new_page()
    lab.run(page, notebook)
    image = page.locator(".rl-explore img").first
    page.wait_for_function("() => document.querySelector('.rl-explore img').naturalWidth === 1600")
    assert image.bounding_box()["width"] <= 800
    context.close()


def test_without_a_kernel_the_stored_picture_is_read(lab, page, explorers, notebook):
    cells = lab.cells(page, notebook)
    assert '<img alt=\\"Heights.' in json.dumps(cells)
    # Opened again under another name, changed: it is not trusted, and no kernel knows its widgets.
    book = json.loads((lab.notebooks / notebook).read_text(encoding="utf-8"))
    book["metadata"]["copied"] = True
    (lab.notebooks / "copy.ipynb").write_text(json.dumps(book), encoding="utf-8")
    lab.open(page, "copy.ipynb")
    stored = page.locator(".jp-OutputArea img[alt^='Heights.']")
    stored.wait_for()
    assert stored.is_visible()
    assert stored.evaluate("image => image.naturalWidth") == 800
    text = page.locator(".jp-Notebook").inner_text()
    assert "At rank 20." in text
    assert "Shown at max rank = 20, method = SVD." in text
    assert not re.search("model not found|Error displaying|PictureWidget|VBox", text)


def test_a_page_made_by_nbconvert_shows_the_stored_picture(lab, page, explorers, notebook):
    lab.cells(page, notebook)
    command = [sys.executable, "-m", "nbconvert", "--to", "html", notebook]
    subprocess.run(command, cwd=lab.notebooks, check=True, capture_output=True)
    page.goto((lab.notebooks / notebook).with_suffix(".html").as_uri(), wait_until="commit")
    stored = page.locator("img[alt^='Heights.']")
    stored.wait_for()
    assert stored.is_visible()
    assert stored.count() == 1


def test_a_cell_keeps_its_voice_and_colours_while_a_widget_draws_ahead(lab, page):
    # JupyterLab answers a widget in a thread of its own, so both may be at work at once.
    name = lab.add(
        "both.ipynb",
        [
            """
import time
from recsys_lab import explore, figures

def view(rank):
    print("rank", rank)
    time.sleep(0.2)
    return figures.bars("AB", [rank, 2], "Heights.")

explore(view, rank=(0, 40))
""",
            """
from recsys_lab.exercises.limit import run_limited

paper = set()
for _ in range(40):
    run_limited(lambda: time.sleep(0.02), 5)
    paper.add(figures.bars("AB", [1, 2], "A plain picture.").get_facecolor())
print("heard", len(paper))
""",
            'print("heard again")',
        ],
    )
    lab.open(page, name)
    set_theme(page, dark=True)
    run_all(page)
    explorer = page.locator(".rl-explore")
    explorer.locator(".rl-picture[data-frame]").wait_for()
    slider = explorer.locator(".noUi-handle")
    for _ in range(3):
        after(page, explorer, lambda: slider.press("ArrowRight"))
        page.locator(".jp-CodeCell").nth(1).locator(".jp-InputArea-prompt").click()
        menu(page, "Run", "Run Selected Cell and All Below")
        page.wait_for_timeout(300)
        wait_idle(page)
    told = [
        "".join(line for o in c["outputs"] for line in o["text"]) for c in lab.cells(page, name)[1:]
    ]
    assert told == ["heard 1\n", "heard again\n"]


def test_a_wall_shows_its_pictures_and_tells_their_names(lab, page):
    view = """
import numpy as np
from recsys_lab import explore, figures, picture_wall

pictures = np.full((4, 8, 8, 3), 255, dtype=np.uint8)
pictures[1:, 2:6, 2:6, 0] = 0

def view(taste):
    chosen = np.flatnonzero(np.ravel(taste))
    return figures.tiles(pictures[chosen], chosen, "Chosen.", columns=2, rows=2)

explore(view, taste=picture_wall(pictures, ["snow", "sea", "sky", "ice"], [0], columns=2))
"""
    lab.run(page, lab.add("wall.ipynb", [view]))
    explorer = page.locator(".rl-explore")
    explorer.locator(".rl-picture[data-frame]").wait_for()
    assert shown(explorer)["alt"] == "Chosen. Pictures: 0."
    cells = explorer.locator(".rl-wall button[role=checkbox]")
    assert cells.count() == 4
    sizes = cells.locator("img").evaluate_all("all => all.map((one) => one.naturalWidth)")
    assert sizes == [8, 8, 8, 8]
    changed = after(page, explorer, lambda: cells.nth(2).click())
    assert changed["alt"] == "Chosen. Pictures: 0, 2."
    labels = cells.evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    assert labels == ["snow: chosen", "sea: not chosen", "sky: chosen", "ice: not chosen"]


def test_a_path_is_played_step_by_step(lab, page):
    view = """
from recsys_lab import explore, figures, played

def view(step):
    return figures.bars("AB", [step, 2], "Heights.")

explore(view, "Where does it end?", step=played(0, 4, interval=200))
"""
    lab.run(page, lab.add("played.ipynb", [view]))
    explorer = page.locator(".rl-explore")
    explorer.locator(".rl-picture[data-frame]").wait_for()
    assert "A 0," in shown(explorer)["alt"]
    explorer.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelector('.rl-picture img').alt.includes('A 4,')")


VIEW = """
from recsys_lab import explore, figures

def view(rank):
    return figures.bars("AB", [rank, 2], "Heights."), f"At rank {rank}."

explore(view, rank=(0, 20))
"""


def test_a_drag_while_a_cell_runs_is_painted_by_the_page_each_state_with_its_own_picture(lab, page):
    waits = """
import time
from pathlib import Path

while not Path("seen").exists():
    time.sleep(0.05)
"""
    lab.open(page, lab.add("drag.ipynb", [VIEW, waits]))
    page.locator(".jp-CodeCell").first.locator(".jp-InputArea-prompt").click()
    menu(page, "Run", "Run Selected Cell")
    explorer = page.locator(".rl-explore")
    explorer.locator(".rl-picture[data-frame]").wait_for()
    fill_the_store(page, explorer)
    page.locator(".jp-CodeCell").nth(1).locator(".jp-InputArea-prompt").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(500)
    slider = explorer.locator(".noUi-handle")
    slider.focus()
    explorer.evaluate(CHECKER)
    for key in ["ArrowLeft"] * 10 + ["ArrowRight"] * 15:
        page.keyboard.press(key)
        page.wait_for_timeout(40)
    assert page.locator(".jp-InputPrompt").nth(1).inner_text() == "[*]:"  # it still runs
    assert shown(explorer)["sentence"] == "At rank 15."
    assert explorer.evaluate("area => area.strange") == []
    assert explorer.evaluate("area => area.shown.size") == 16
    (lab.notebooks / "seen").touch()
    wait_idle(page)
    assert shown(explorer)["sentence"] == "At rank 15."


def checked(page, count):
    """The explorers of a page, once each has drawn, watched frame by frame."""
    found = page.locator(".rl-explore")
    found.nth(count - 1).wait_for()
    for explorer in found.all():
        explorer.locator(".rl-picture[data-frame]").wait_for()
        explorer.evaluate(CHECKER)
    assert found.count() == count
    return found.all()


def at_the_end(page, explorers, sentence):
    for explorer in explorers:
        page.wait_for_function(
            "([area, said]) => area.querySelector('.rl-picture-sentence').textContent === said",
            arg=[explorer.element_handle(), sentence],
        )
        assert shown(explorer)["alt"].startswith(f"Heights. Bars: A {sentence[8:-1]}")
        assert explorer.evaluate("area => area.strange") == []


def test_two_widgets_that_are_moved_at_once_each_show_their_own_states(lab, page):
    lab.run(page, lab.add("two.ipynb", [VIEW, "explore(view, rank=(0, 20))"]))
    explorers = checked(page, 2)
    for explorer in explorers:
        fill_the_store(page, explorer)
    for _ in range(8):
        for explorer in explorers:
            explorer.locator(".noUi-handle").press("ArrowLeft")
    at_the_end(page, explorers, "At rank 2.")


def test_two_views_of_a_notebook_show_the_same_state_and_nothing_between(lab, page):
    lab.run(page, lab.add("views.ipynb", [VIEW]))
    fill_the_store(page, *checked(page, 1))
    page.evaluate("async () => { await jupyterapp.commands.execute('docmanager:clone'); }")
    explorers = checked(page, 2)
    for explorer in explorers:
        for _ in range(3):
            explorer.locator(".noUi-handle").press("ArrowRight")
            page.wait_for_timeout(40)
    at_the_end(page, explorers, "At rank 16.")


def test_after_a_restart_nothing_strange_is_shown_and_a_new_run_answers(lab, page):
    guess = "from recsys_lab import predict, quiz\n"
    guess += 'guess = predict("start.which", "Which one?", ["one", "two"])'
    card = 'from recsys_lab import exercise\n@exercise("start.best")\ndef best(scores, seen): ...'
    sources = [VIEW, guess, card, 'quiz("start.recap")']
    lab.run(page, lab.add("restart.ipynb", sources))
    (explorer,) = checked(page, 1)
    page.evaluate(
        """async () => {
          await jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart();
        }"""
    )
    for _ in range(4):
        explorer.locator(".noUi-handle").press("ArrowLeft")
        page.wait_for_timeout(40)
    assert explorer.evaluate("area => area.strange") == []
    page.locator(".rl-guess").get_by_label("two").check()
    page.locator(".rl-guess").get_by_role("button", name="Commit").click()
    page.locator(".rl-guess").get_by_text("the kernel was restarted").wait_for()
    page.locator(".rl-card").get_by_role("button", name="Hint").click()
    page.locator(".rl-card").get_by_text("the kernel was restarted").wait_for()
    question = page.locator(".rl-quiz li").first
    question.get_by_role("textbox").or_(question.get_by_role("radio")).first.click()
    page.keyboard.type("1")
    question.get_by_role("button", name="Answer").click()
    page.locator(".rl-quiz").get_by_text("Not noted: the kernel was restarted").wait_for()
    lab.run(page, "restart.ipynb")
    explorers = checked(page, 1)
    for _ in range(4):
        explorers[0].locator(".noUi-handle").press("ArrowLeft")
    at_the_end(page, explorers, "At rank 6.")


def test_frames_of_before_a_cell_are_not_shown_after_it(lab, page):
    view = """
from recsys_lab import explore, figures

factor = 1
def view(rank):
    return figures.bars("AB", [factor * rank, 2], "Heights.")

explore(view, rank=(0, 9))
"""
    lab.open(page, lab.add("stale.ipynb", [view, "factor = 10"]))
    page.locator(".jp-CodeCell").first.locator(".jp-InputArea-prompt").click()
    menu(page, "Run", "Run Selected Cell")
    explorer = page.locator(".rl-explore")
    explorer.locator(".rl-picture[data-frame]").wait_for()
    fill_the_store(page, explorer)
    slider = explorer.locator(".noUi-handle")
    assert "A 5," in after(page, explorer, lambda: slider.press("ArrowRight"))["alt"]
    page.locator(".jp-CodeCell").nth(1).locator(".jp-InputArea-prompt").click()
    page.keyboard.press("Control+Enter")
    wait_idle(page)
    page.wait_for_timeout(500)
    assert "A 60," in after(page, explorer, lambda: slider.press("ArrowRight"))["alt"]


def test_a_plain_picture_follows_the_theme_too(lab, page):
    cells = [CELLS[0], 'figures.bars("AB", [1, 2], "A plain picture.", "item", "events")']
    lab.run(page, lab.add("plain.ipynb", cells))
    image = page.locator(".jp-RenderedHTML img[alt^='A plain picture.']")
    # Not its very corner, which shares a pixel with the page.
    paper_of = """async (pngs) => {
      const image = new Image();
      image.src = `data:image/png;base64,${pngs}`;
      await image.decode();
      const context = new OffscreenCanvas(1, 1).getContext("2d");
      context.drawImage(image, -20, -20);
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    }"""
    for dark, paper in {True: [17, 17, 17], False: [255, 255, 255]}.items():
        set_theme(page, dark)
        # The page is marked as dark a few frames before its new colours are all there.
        give_up = time.monotonic() + RUN_LIMIT / 1000
        while True:
            seen = page.evaluate(paper_of, b64encode(image.screenshot()).decode("ascii"))
            if seen == pytest.approx(paper, abs=1):
                break
            assert time.monotonic() < give_up, f"the paper is {seen}"
            page.wait_for_timeout(100)
