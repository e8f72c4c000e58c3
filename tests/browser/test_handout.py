"""The handout's pages in a real browser: one file each, which answers without a kernel."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes

from recsys_lab.exercises import get
from tests.browser.axe import findings
from tools import handout

CELLS = [
    new_markdown_cell("# 98 · Sample\n\n**It moves.** A formula: $x^2$."),
    new_code_cell("from recsys_lab import cell_grid, exercise, explore, figures, played"),
    new_code_cell("from recsys_lab import predict, quiz"),
    new_code_cell('guess = predict("sample.which", "Which `one`?", ["one", "two"])'),
    new_markdown_cell("## A slider\n\n**Question.** How high?"),
    new_code_cell(
        """
def view(rank=3, method="SVD", counted=False):
    heights = [rank, len(method), counted]
    figure = figures.bars("ABC", heights, f"A has {rank}.", "item", "events", ylim=(0, 9))
    return figure, f"At rank {rank}, {method}, {counted}."

explore(view, "How high?", rank=(1, 9), method=["SVD", "least squares"], counted=False)
"""
    ),
    new_markdown_cell("<details><summary>Answer</summary>\n\nNine high.\n\n</details>"),
    new_markdown_cell("## A path and a grid"),
    new_code_cell(
        """
def path(step=0):
    return figures.bars("AB", [step, 2], f"Step {step}.", "item", "events", ylim=(0, 9))

explore(path, "How far?", step=played(0, 3, interval=50))
"""
    ),
    new_code_cell(
        """
from recsys_lab.page import recording

recording.MOST_OF_A_GRID = 5

def cells(R):
    return figures.heatmap(R, [1, 2], ["A", "B"], "What was seen.", digits=0)

explore(cells, R=cell_grid([1, 2], ["A", "B"], [[1, 0], [0, 1]]))
"""
    ),
    new_markdown_cell("## The guess"),
    new_code_cell("print('seven')", outputs=[new_output("stream", text="seven")]),
    new_code_cell('guess.reveal("two", "It is `more`.")'),
    new_code_cell('other = predict("sample.other", "And now?", ["left", "right"])'),
    new_code_cell("print('eight')", outputs=[new_output("stream", text="eight")]),
    new_code_cell('other.reveal("left", "So it is.")'),
    new_markdown_cell("## An exercise"),
    new_code_cell(get("start.best").stub),
    new_markdown_cell("## Check yourself"),
    new_code_cell('quiz("start.recap")'),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A student's and a teacher's page of a small lesson, with the index."""
    root = tmp_path_factory.mktemp("handout")
    path = root / "98_sample.ipynb"
    path.write_text(writes(new_notebook(cells=CELLS)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handout, "TEACHING", root)
        (root / "98_sample.md").write_text("Say it.", encoding="utf-8")
        handout.write(path, root)
    for edition in handout.INDEX:
        handout.store(root / "html" / edition / "index.html", handout.index(edition))
    return root / "html"


def address(folder, name="98", edition="student"):
    return (folder / edition / f"{name}.html").as_uri()


@pytest.fixture
def lesson(page, folder):
    """The student's page, which asks for nothing else."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address(folder))
    page.locator(".rl-picture[data-frame]").first.wait_for()
    yield page
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [address(folder)]


def said(explorer, words):
    explorer.locator(".rl-picture-sentence").get_by_text(words, exact=True).wait_for()


def test_each_control_of_a_page_changes_picture_alt_text_and_sentence(lesson):
    explorer = lesson.locator(".rl-explore").first
    image = explorer.locator("img")
    slider, method, counted = (
        explorer.get_by_label(name, exact=True) for name in ("rank", "method", "counted")
    )
    pictures = [image.get_attribute("src")]
    for move, words, alt in (
        (lambda: slider.press("ArrowRight"), "At rank 4, SVD, False.", "A 4, B 3, C 0"),
        (lambda: slider.press("End"), "At rank 9, SVD, False.", "A 9, B 3, C 0"),
        (lambda: method.select_option(index=1), "At rank 9, least squares, False.", "B 13"),
        (lambda: counted.check(), "At rank 9, least squares, True.", "C 1"),
        (lambda: slider.press("Home"), "At rank 1, least squares, True.", "A 1, B 13, C 1"),
    ):
        move()
        said(explorer, words)
        assert alt in image.get_attribute("alt")
        pictures.append(image.get_attribute("src"))
    assert len(set(pictures)) == len(pictures)
    assert explorer.locator("output").inner_text() == "1"
    assert slider.get_attribute("aria-valuetext") == "1"
    assert explorer.locator("strong").count() == 0  # the text above it asks
    assert lesson.locator(".rl-explore").nth(1).locator("strong").inner_text() == "How far?"


# In each animation frame: the state of picture, sentence and read-out, once its picture is there.
DRAG = """async (area) => {
  const image = area.querySelector("img");
  const slider = area.querySelector("input[type=range]");
  const read = () => ["A (\\\\d+)", "rank (\\\\d+)"].map((pattern, at) =>
    [image.alt, area.querySelector(".rl-picture-sentence").textContent][at].match(pattern)[1]);
  const strange = [];
  const waits = [];
  for (const value of [...Array(9).keys(), 4, 0, 8, 2, 6, 1]) {
    slider.value = value;
    const start = performance.now();
    slider.dispatchEvent(new Event("input"));
    let frames = 0;
    while (read()[0] !== String(value + 1) && frames < 200) {
      await new Promise(requestAnimationFrame);
      frames += 1;
      if (read()[0] !== read()[1]) strange.push(read().join());
      if (!image.complete || !image.naturalWidth) strange.push("blank");
    }
    waits.push(frames);
  }
  return {strange, waits};
}"""


def test_a_drag_is_answered_within_a_frame_or_two_and_nothing_strange_is_shown(lesson):
    explorer = lesson.locator(".rl-explore").first
    explorer.locator("input[type=range]").focus()  # near: what one move can reach is made ready
    lesson.wait_for_timeout(1000)
    seen = explorer.evaluate(DRAG)
    assert seen["strange"] == []
    assert sorted(seen["waits"])[len(seen["waits"]) // 2] <= 1


def test_a_path_plays_to_its_end_and_begins_anew(lesson):
    explorer = lesson.locator(".rl-explore").nth(1)
    image = explorer.locator("img")
    for _ in range(2):
        explorer.get_by_role("button", name="Play").click()
        lesson.wait_for_function(
            "image => image.alt.startsWith('Step 3.')", arg=image.element_handle()
        )
        explorer.get_by_role("button", name="Play").wait_for()


def test_a_grid_is_clicked_and_reset_and_says_where_the_pages_pictures_end(lesson):
    explorer = lesson.locator(".rl-explore").nth(2)
    image, cells = explorer.locator("img"), explorer.get_by_role("checkbox")
    before = image.get_attribute("alt")
    assert "up to 1 click from" in explorer.locator(".rl-note").inner_text()
    cells.nth(1).click()
    lesson.wait_for_function("image => image.alt.includes('B 1;')", arg=image.element_handle())
    cells.nth(2).press("Space")
    explorer.get_by_text("This page has no picture of that").wait_for()
    assert not image.is_visible()
    explorer.get_by_role("button", name="Reset").click()
    image.wait_for()
    lesson.wait_for_function(
        "([image, alt]) => image.alt === alt", arg=[image.element_handle(), before]
    )
    assert explorer.locator(".rl-picture-failure").inner_text() == ""


def test_a_guess_is_committed_and_then_told_what_is_true(lesson):
    guess, told = lesson.locator(".rl-guess").first, lesson.locator("details.told")
    assert [fold.evaluate("fold => fold.open") for fold in told.all()] == [False] * 4
    guess.get_by_role("button", name="Commit").click()
    guess.get_by_text("Choose one answer first").wait_for()
    guess.get_by_label("one").check()
    guess.get_by_role("button", name="Commit").click()
    guess.get_by_text("Committed: one.").wait_for()
    lesson.wait_for_timeout(500)  # no kernel is waited for
    assert "No answer yet" not in guess.inner_text()
    assert not guess.get_by_label("two").is_enabled()
    # What another guess is still waiting for stays folded, and its card in sight.
    assert [fold.evaluate("fold => fold.open") for fold in told.all()] == [True, True, False, False]
    other = lesson.locator(".rl-guess").nth(1)
    other.get_by_label("left").check()
    other.get_by_role("button", name="Commit").click()
    other.get_by_text("Committed: left.").wait_for()
    assert [fold.evaluate("fold => fold.open") for fold in told.all()] == [True] * 4
    text = told.nth(1).inner_text()
    assert "Not this time: you guessed one" in text and "The answer is: two. It is more." in text


def test_questions_answer_and_hints_open_one_by_one(lesson):
    question = lesson.locator(".rl-quiz li").nth(1)
    question.get_by_role("radio").first.check()
    question.get_by_role("button", name="Answer").click()
    answer = question.locator(".rl-answer[data-right]")
    answer.wait_for()
    assert answer.inner_text().startswith(("Right.", "Not this time."))
    first, second = (lesson.locator(".hint > summary").nth(at) for at in (0, 1))
    assert not second.is_visible()
    first.press("Enter")
    assert second.is_visible()


def test_what_is_folded_is_on_the_screen_and_room_for_an_answer_on_paper(lesson):
    fold, room = lesson.locator("details", has_text="Nine high."), lesson.locator(".room")
    assert (fold.is_visible(), room.is_visible()) == (True, False)
    lesson.emulate_media(media="print")
    assert (fold.is_visible(), room.is_visible()) == (False, True)
    assert lesson.locator("details.told").first.is_visible() is False


def test_without_javascript_a_page_shows_each_widget_as_it_starts_and_what_is_folded(
    chromium, folder
):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address(folder))
    image = page.locator("img").first
    assert image.is_visible() and "A 3, B 3, C 0" in image.get_attribute("alt")
    text = page.locator("main").inner_text()
    assert "Shown at rank = 3, method = SVD, counted = False." in text
    assert "Run this cell" not in text and "run this cell" not in text
    for words in ("Nine high.", "The answer is: two. It is more."):
        answer = page.get_by_text(words)
        assert not answer.is_visible()
        for fold in page.locator("details", has_text=words).all():
            fold.locator("> summary").click()
        assert answer.is_visible()
    context.close()


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["98", "index"])
def test_axe_finds_nothing_serious_and_a_telephone_does_not_scroll(
    chromium, folder, name, scheme, width
):
    size = {"width": width, "height": 800}
    context = chromium.new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    page.goto(address(folder, name))
    for fold in page.locator("details").all():
        fold.evaluate("fold => { fold.open = true; }")
    page.wait_for_timeout(300)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 17, 17)"}[scheme]
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    context.close()


def test_the_teachers_page_moves_too_and_folds_nothing(page, folder):
    page.goto(address(folder, edition="teacher"))
    explorer = page.locator(".rl-explore").first
    explorer.get_by_label("rank").press("End")
    said(explorer, "At rank 9, SVD, False.")
    assert page.locator("details:not([open])").count() == 0
    assert "Say it." in page.locator("main").inner_text()
