"""The course by keyboard alone, and judged by axe-core, in a real browser."""

import re

import pytest
from bs4 import BeautifulSoup

from tests.browser.axe import findings
from tests.browser.lab import after, run_all, set_theme
from tools import handout
from tools.notebooks import all_notebooks

LESSONS = all_notebooks()

CELLS = [
    """
from recsys_lab import cell_grid, exercise, explore, figures, hint, predict, progress, quiz

def view(rank, method, counted, R):
    heights = [rank, len(method), counted, sum(map(sum, R))]
    return figures.bars("ABCD", heights, "Heights.", "item", "events"), f"At rank {rank}."

grid = cell_grid([1, 2], ["A", "B"], [[1, 0], [0, 1]])
explore(view, rank=(0, 20), method=["SVD", "least squares"], counted=False, R=grid)
""",
    "sum(range(10**8))",  # two seconds in which Python cannot even look up
    'guess = predict("start.which", "Which `one`?", ["one", "two", "three"])',
    'guess.reveal("two", "It is `more`.")',
    """
@exercise("start.agreement")
def agreement(user, item):
    return sum(user)
""",
    'hint("start.agreement")',
    "progress()",
    'quiz("start.recap")',
    "explore(lambda rank: missing, rank=(0, 20))",
]
FOLDED = "<details><summary>Answer</summary>\n\nIt is so.\n\n</details>"


@pytest.fixture(scope="module")
def reader(lab, chromium):
    """A page on which a notebook with every kind of control and message was run."""
    name = lab.add("accessibility.ipynb", CELLS, markdown=[FOLDED])
    # All of it on the screen: JupyterLab takes away the cells that are not.
    context = chromium.new_context(viewport={"width": 1280, "height": 2400})
    page = context.new_page()
    lab.open(page, name)
    run_all(page)
    page.locator(".rl-picture[data-frame]").first.wait_for()
    yield page
    context.close()


def tab_to(page, control):
    """Go to a control as a reader without a mouse does: from the first cell on, by Tab."""
    page.locator(".jp-InputPrompt").first.click()
    for _ in range(30):
        page.keyboard.press("Tab")
        if has_focus(control):
            return
    raise AssertionError(f"Tab does not reach {control}")


def has_focus(control):
    return control.evaluate("control => control === document.activeElement")


@pytest.mark.parametrize(
    ("control", "keys"),
    [
        (".noUi-handle", ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "End", "Home"]),
        ("select", ["ArrowDown", "ArrowUp"]),
        ("input[type=checkbox]", ["Space", "Space"]),
        ("button[role=checkbox]", ["Space", "Enter"]),
    ],
)
def test_a_control_is_reached_by_tab_and_each_of_its_keys_changes_the_picture(
    reader, control, keys
):
    explorer = reader.locator(".rl-explore").first
    control = explorer.locator(control).first
    tab_to(reader, control)
    for key in keys:
        alt = explorer.locator("img").get_attribute("alt")
        seen = after(reader, explorer, lambda key=key: reader.keyboard.press(key))
        assert seen["alt"] != alt, key
        # JupyterLab has a use of its own for most keys, such as the arrow down: to the next cell.
        assert has_focus(control), key


def test_a_guess_is_made_and_committed_by_keyboard(reader):
    question = reader.locator(".rl-guess")
    radios, commit = question.locator("input"), question.locator("button")
    tab_to(reader, commit)
    reader.keyboard.press("Enter")
    question.get_by_text("Choose one answer first").wait_for()
    tab_to(reader, radios.first)
    for key in ("Space", "ArrowDown", "ArrowDown", "ArrowUp", "Tab"):
        reader.keyboard.press(key)
    assert radios.nth(1).is_checked()
    assert has_focus(commit)
    reader.keyboard.press("Enter")  # at once: what was chosen last is committed
    question.get_by_text("Committed: two.").wait_for()
    assert not radios.first.is_enabled()
    # The next key is the notebook's again: a button that is switched off would have lost it.
    assert reader.evaluate("document.activeElement.matches('.jp-Cell')")


@pytest.mark.parametrize("place", [".jp-OutputArea", ".jp-MarkdownOutput"])
def test_what_is_folded_is_opened_and_closed_by_keyboard(reader, place):
    summary = reader.locator(f"{place} summary").first
    tab_to(reader, summary)
    for key, is_open in {"Enter": True, "Space": False}.items():
        reader.keyboard.press(key)
        assert summary.evaluate("summary => summary.parentElement.open") == is_open


def test_a_move_while_a_cell_runs_is_told_that_it_waits_and_the_last_value_arrives(reader):
    explorer = reader.locator(".rl-explore").first
    slider = explorer.locator(".noUi-handle")
    after(reader, explorer, lambda: slider.press("End"))
    reader.locator(".jp-CodeCell", has_text="sum(range(").locator(".cm-content").click()
    reader.keyboard.press("Control+Enter")
    # A move of every control at once: no frame of that state is drawn ahead.
    cells = explorer.locator("button[role=checkbox]")
    for cell in (0, 1, 2):
        cells.nth(cell).press("Space")
    slider.press("Home")
    explorer.get_by_text("No answer yet: a cell is running").wait_for()
    explorer.get_by_text("At rank 0.").wait_for()
    assert not explorer.locator("[role=status]").is_visible()
    for cell in (0, 1, 2):
        cells.nth(cell).press("Space")
    after(reader, explorer, lambda: slider.press("End"))


# What axe-core finds


def test_axe_finds_a_picture_without_alt_text_and_pale_letters(page):
    page.set_content("<p style='color: #999'>pale</p><img src='data:image/gif;base64,R0lGODlh'>")
    assert {each.partition("):")[0].rpartition("(")[2] for each in findings(page)} == {
        "color-contrast",
        "image-alt",
    }


# The light theme last: JupyterLab keeps the choice for the tests that follow.
@pytest.mark.parametrize("dark", [True, False])
def test_axe_finds_nothing_serious_in_what_the_course_shows_in_jupyterlab(reader, dark):
    set_theme(reader, dark)
    assert reader.locator(".jp-OutputArea-output").count() >= len(CELLS)
    # JupyterLab's body has no height: to axe-core, all that it cuts off would be hidden.
    reader.evaluate("document.body.style.overflow = 'visible'")
    assert findings(reader, ".jp-OutputArea-output") == []


# axe-core looks at each element, and most of a page's are words of code: one of each kind will do.
ONE_OF_A_KIND = """() => {
  const seen = new Set();
  for (const word of document.querySelectorAll(".code span")) {
    if (seen.has(word.className)) word.replaceWith(...word.childNodes);
    seen.add(word.className);
  }
  document.normalize();
}"""


# What `alt_text` begins with where a picture has no title.
NO_MESSAGE = r"(Heat map|Bars|Line|Level line|Upright line|Points|Intervals|Axis|An image)\b"


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_stored_picture_has_alt_text_that_begins_with_its_message(path):
    bundles = [
        output.data
        for cell in handout.read(path).cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(bundles) >= 2
    for bundle in bundles:
        (picture,) = BeautifulSoup(bundle.get("text/html", ""), "html.parser")("img")
        assert not re.match(NO_MESSAGE, picture["alt"]), picture["alt"]
        assert len(re.findall(r"[.!?:](?= |$)", picture["alt"])) >= 2, picture["alt"]


# The teacher's page holds all that a student's does, and more.
@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_axe_finds_nothing_serious_in_a_lesson_to_print(page, path):
    made = handout.teacher(handout.read(path), handout.talking_points(path.stem))
    page.set_content(handout.page(made, "teacher"))
    assert page.locator("img").count() >= 2
    page.evaluate(ONE_OF_A_KIND)
    assert findings(page) == []
    page.emulate_media(color_scheme="dark")
    assert findings(page, ".code") == []  # the rest of a dark page: test_handout.py
    page.set_viewport_size({"width": 400, "height": 800})  # a telephone: the page does not scroll
    assert page.evaluate("document.documentElement.scrollWidth") == 400
