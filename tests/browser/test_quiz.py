"""*Check yourself* in JupyterLab: numbers, names and keyboard, wide and narrow."""

import json

import pytest

from tests.browser.lab import Lab

QUIZZES = ("start.recap", "network.recap", "contest.recap")
SOURCES = ["from recsys_lab import quiz", *(f"quiz({id!r})" for id in QUIZZES)]


@pytest.fixture(scope="module")
def notebook(lab: Lab):
    return lab.add("quizzes.ipynb", SOURCES)


@pytest.fixture
def quizzes(lab, page, notebook):
    (lab.folder / "progress.json").unlink(missing_ok=True)
    lab.run(page, notebook)
    found = page.locator(".rl-quiz")
    found.nth(len(QUIZZES) - 1).wait_for()
    return found


@pytest.mark.parametrize("width", [1000, 400], ids=["wide", "as on a telephone"])
def test_a_number_stands_beside_its_question_and_nothing_is_cut_off(quizzes, width):
    for quiz in quizzes.all():
        # JupyterLab's own side bar leaves a telephone nothing: the handout's page has none.
        quiz.evaluate("(each, width) => (each.style.width = width + 'px')", width - 40)
        numbers = quiz.locator("legend").evaluate_all(
            "all => all.map(each => getComputedStyle(each, '::before').content)"
        )
        assert len(numbers) >= 4 and "none" not in numbers
        assert quiz.locator("li").evaluate_all(
            "all => all.every(each => getComputedStyle(each).listStyleType == 'none')"
        )
        assert quiz.evaluate("each => each.scrollWidth <= each.clientWidth + 1")
        for label in quiz.locator("label").all():
            box, words = label.locator("input"), label.locator("span")
            if words.count():
                assert box.bounding_box()["x"] < words.bounding_box()["x"]


def test_each_control_is_named_by_its_question(quizzes):
    tree = quizzes.first.aria_snapshot()
    groups = quizzes.first.get_by_role("group")
    assert groups.count() == quizzes.first.locator("li").count()
    for group in groups.all():
        words = group.locator("legend").inner_text()
        assert words[:30] in tree
        assert group.get_by_role("button", name="Answer").count() == 1
        fields = group.get_by_role("radio").or_(group.get_by_role("checkbox"))
        for field in fields.or_(group.get_by_role("textbox")).all():
            assert field.evaluate("each => each.labels.length") == 1


def test_it_is_answered_by_the_keyboard_alone_and_noted(lab, page, quizzes):
    quiz = quizzes.first
    number = quiz.get_by_role("textbox").first
    number.focus()
    page.keyboard.type("0.84")
    page.keyboard.press("Enter")
    said = quiz.get_by_role("status").first
    assert said.inner_text().startswith("Right.")
    page.keyboard.press("Tab")  # to its button
    page.keyboard.press("Tab")  # to the next question
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    second = quiz.get_by_role("group").nth(1)
    assert second.get_by_role("radio").nth(1).is_checked()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert quiz.get_by_role("status").nth(1).inner_text() != ""
    page.wait_for_function("() => document.querySelectorAll('.rl-answer[data-right]').length == 2")
    progress = lab.folder / "progress.json"
    page.wait_for_timeout(500)
    assert json.loads(progress.read_text("utf-8"))["questions"]["start.q_turn"]["right"] == 1
