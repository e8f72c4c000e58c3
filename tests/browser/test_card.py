"""The card that answers an exercise: its buttons, by mouse and by keyboard, and what it notes."""

import json

import pytest

from tests.browser.lab import Lab

IMPORT = "from recsys_lab import exercise"
BEST = '@exercise("start.best")\ndef best(scores, seen):\n    '
RIGHT = (
    f"{BEST}left = [j for j in range(len(scores)) if not seen[j]]\n"
    "    return max(left, key=lambda j: scores[j], default=-1)"
)
SOURCES = [IMPORT, f"{BEST}...", f"{BEST}return max(scores)", RIGHT]


@pytest.fixture(scope="module")
def notebook(lab: Lab):
    return lab.add("card.ipynb", SOURCES)


@pytest.fixture
def cards(lab, page, notebook):
    (lab.folder / "progress.json").unlink(missing_ok=True)
    lab.run(page, notebook)
    found = page.locator(".rl-card")
    found.nth(2).wait_for()
    return found


def noted(lab, id="start.best"):
    return json.loads((lab.folder / "progress.json").read_text("utf-8"))["exercises"][id]


def test_hints_come_one_by_one_and_the_last_says_so(lab, page, cards):
    card = cards.nth(1)
    hint = card.get_by_role("button", name="Hint")
    assert hint.inner_text() == "Hint (1 of 3)"
    for number in (1, 2, 3):
        hint.click()
        page.wait_for_function(
            "n => document.querySelectorAll('.rl-card')[1].querySelectorAll('ol li').length == n",
            arg=number,
        )
    assert hint.inner_text() == "Hint (3 of 3 seen, none left)"
    hint.click()
    assert "There is no further hint." in card.inner_text()
    assert noted(lab)["hints"] == 3


def test_a_solution_is_asked_for_once_and_noted(lab, page, cards):
    card = cards.nth(1)
    solution = card.get_by_role("button", name="Show a solution")
    # By keyboard: nobody has to have a mouse.
    solution.focus()
    page.keyboard.press("Enter")
    assert "Press again" in card.inner_text()
    assert "solution" not in noted(lab)
    page.keyboard.press("Enter")
    card.locator("figure pre").wait_for()
    assert "def best(scores, seen):" in card.locator("figure pre").inner_text()
    assert noted(lab)["solution"] == 1


def test_after_right_the_solution_stands_beside_the_answer_and_costs_nothing(lab, page, cards):
    card = cards.nth(2)
    assert card.get_by_role("button", name="Hint").count() == 0
    card.get_by_role("button", name="Show a solution").click()
    card.locator("figure pre").nth(1).wait_for()
    assert card.locator("figcaption").all_inner_texts() == ["Your answer", "A solution"]
    assert "default=-1" in card.locator("figure pre").first.inner_text()
    assert "solution" not in noted(lab)


def test_layers_that_passed_are_ticked_for_the_eye_and_the_ear(page, cards):
    states = [
        [
            item.get_attribute("data-state")
            for item in cards.nth(number).locator(".rl-layers li").all()
        ]
        for number in range(3)
    ]
    assert states[0] == []
    assert "failed" in states[1] and states[1][-1] == "open"
    assert set(states[2]) == {"passed"} and len(states[2]) >= 2
    words = cards.nth(2).locator(".rl-layers li").first.text_content()
    assert words.startswith("✓") and words.endswith("(passed)")


def test_a_students_edition_has_no_button_for_a_solution(lab, page):
    name = lab.add("students.ipynb", SOURCES[:2])
    path = lab.notebooks / name
    book = json.loads(path.read_text("utf-8"))
    book["metadata"]["recsys_lab"] = {"edition": "student"}
    path.write_text(json.dumps(book), encoding="utf-8")
    lab.run(page, name)
    page.locator(".rl-card").wait_for()
    assert page.get_by_role("button", name="Hint").count() == 1
    assert page.get_by_role("button", name="Show a solution").count() == 0
