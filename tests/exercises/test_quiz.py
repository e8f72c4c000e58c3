"""Check yourself: what each answer is told, and the calendar by which questions come back."""

import json
import random
from datetime import datetime, timedelta

import pytest

from recsys_lab.course import record, review
from recsys_lab.exercises import all_exercises, quiz
from recsys_lab.exercises.keyboard import main
from recsys_lab.exercises.questions import Choice, Number, Several, all_quizzes, get_quiz

START = datetime(2026, 11, 1, 9, 0)
DAY = timedelta(days=1)

ONE = Choice(
    "sample.one", "Which?", right="A", because="It is A.", wrong={"B": "Not B.", "C": "Nor C."}
)
MANY = Several(
    "sample.many",
    "Which ones?",
    right=["A", "B"],
    because="These two.",
    wrong={"C": "Not C."},
    missing={"A": "A too.", "B": "B too."},
)
SIZE = Number(
    "sample.size",
    "How many?",
    right=0.25,
    because="A quarter.",
    wrong={4.0: "You turned it round.", "else": "Count again."},
    tolerance=0.005,
)


def test_each_answer_is_told_what_it_needs():
    assert ONE.told("A") == (True, ["It is A."])
    assert ONE.told("C") == (False, ["Nor C."])
    assert MANY.told(["A", "B"]) == (True, ["These two."])
    assert MANY.told(["A", "C"]) == (False, ["Not C.", "B too."])
    assert MANY.told([]) == (False, ["A too.", "B too."])
    assert SIZE.told(0.254) == (True, ["A quarter."])
    assert SIZE.told(4) == (False, ["You turned it round."])
    assert SIZE.told(1) == (False, ["Count again."])


def test_the_order_of_choices_stays_and_tells_nothing():
    assert ONE.choices() == ONE.choices()
    first = [
        Choice(f"sample.{n}", "?", "A", "", {"B": "b", "C": "c"}).choices()[0] for n in range(60)
    ]
    assert {first.count(each) > 8 for each in "ABC"} == {True}


def test_an_unknown_quiz_names_those_that_there_are():
    with pytest.raises(ValueError, match=r"'shop\.none' is no quiz"):
        quiz("shop.none")


# --- The questions of the course ------------------------------------------------------------------

QUIZZES = all_quizzes()
QUESTIONS = [each for one in QUIZZES for each in one.questions]


@pytest.mark.parametrize("one", QUIZZES, ids=lambda one: one.id)
def test_a_lesson_asks_four_to_six_questions_and_most_are_tied_to_its_run(one):
    assert get_quiz(one.id) is one
    assert 4 <= len(one.questions) <= 6
    tied = sum(bool(question.answer) for question in one.questions)
    assert tied >= len(one.questions) / 2


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.id)
def test_each_wrong_choice_has_its_own_sentence(question):
    said = [*question.wrong.values(), *getattr(question, "missing", {}).values()]
    assert all(len(each.split()) >= 4 for each in [question.because, *said])
    assert len(set(said)) == len(said)
    if isinstance(question, Number):
        assert "else" in question.wrong and len(question.wrong) >= 2
    else:
        assert len(question.choices()) >= 3
        assert len(set(question.choices())) == len(question.choices())
    if isinstance(question, Several):
        assert set(question.missing) == set(question.right)


def test_no_two_questions_share_an_id():
    ids = [each.id for each in QUESTIONS] + [each.id for each in all_exercises()]
    assert len(set(ids)) == len(ids)


# --- The calendar ---------------------------------------------------------------------------------


def test_a_mistake_comes_back_after_one_three_seven_and_twenty_one_days():
    entry, now, days = {}, START, []
    review.answered(entry, False, now)
    for _ in range(4):
        waited = 0
        while not review.is_due(entry, now):
            now, waited = now + DAY, waited + 1
        days.append(waited)
        review.answered(entry, True, now)
    assert days == [1, 3, 7, 21]
    assert not review.is_due(entry, now + 400 * DAY)


def test_a_mistake_in_a_review_begins_anew():
    entry = {}
    review.answered(entry, False, START)
    review.answered(entry, True, START + DAY)
    review.answered(entry, False, START + 4 * DAY)
    assert not review.is_due(entry, START + 4.5 * DAY)
    assert review.is_due(entry, START + 5 * DAY)


def test_mending_a_mistake_at_once_does_not_count_as_recalled():
    entry = {}
    review.answered(entry, False, START)
    review.answered(entry, True, START + timedelta(minutes=1))
    assert review.is_due(entry, START + DAY)


def test_what_was_right_at_once_is_asked_again_after_a_week():
    entry = {}
    review.answered(entry, True, START)
    assert [review.is_due(entry, START + d * DAY) for d in (1, 6.9, 7)] == [False, False, True]


def test_over_months_nothing_is_asked_too_early_and_nothing_is_forgotten():
    rng, entries = random.Random(0), {f"q{n}": {} for n in range(40)}
    for entry in entries.values():
        review.answered(entry, rng.random() < 0.5, START)
    asked = dict.fromkeys(entries, START)
    for day in range(1, 120):
        now = START + day * DAY
        for id in review.due({"questions": entries}, now, set(entries)):
            assert now - asked[id] >= DAY
            asked[id] = now
            review.answered(entries[id], rng.random() < 0.8, now)
    assert all(entry["stage"] == 4 or START + 90 * DAY < asked[id] for id, entry in entries.items())


def test_an_exercise_that_was_right_at_the_first_try_never_comes_back():
    record.note_exercise("start.best", tries=1, right=1, now=START)
    record.note_exercise("start.agreement", tries=1, right=0, now=START)
    data, _ = record.read()
    known = {"start.best", "start.agreement"}
    assert review.due(data, START + 400 * DAY, known) == ["start.agreement"]


def test_what_another_version_asked_is_left_alone():
    record.note_question("gone.question", False, now=START)
    data, _ = record.read()
    assert review.due(data, START + 9 * DAY, {"sample.one"}) == []
    assert review.next_day(data, {"sample.one"}) is None
    assert "gone.question" in json.loads(record.path().read_text("utf-8"))["questions"]


# --- Two copies of the progress file --------------------------------------------------------------


def copies(monkeypatch, tmp_path):
    """Switch between a file at home and one at school."""
    files = {name: tmp_path / name / "progress.json" for name in ("home", "school")}

    def at(name):
        monkeypatch.setenv("RECSYS_LAB_PROGRESS", str(files[name]))
        return files[name]

    return at


def test_two_copies_are_merged_and_nothing_counts_twice(monkeypatch, tmp_path):
    at = copies(monkeypatch, tmp_path)
    at("home")
    record.note_question("sample.one", False, now=START)
    record.note_exercise("start.best", tries=1, right=0, now=START)
    record.note_exercise("start.agreement", tries=1, right=0, now=START)
    home = at("home").read_text("utf-8")
    school = at("school")
    school.parent.mkdir()
    school.write_text(home, "utf-8")  # carried to school, and used there
    record.note_question("sample.one", True, now=START + DAY)
    record.note_question("sample.many", False, now=START + DAY)
    record.note_exercise("start.best", tries=1, right=1, now=START + DAY)
    at("home")
    record.note_exercise("start.agreement", tries=1, right=1, hints=2, now=START + 2 * DAY)
    assert record.merge(school) == "progress.json: 1 new, 2 brought up to date, in progress.json."
    data, _ = record.read()
    assert data["questions"]["sample.one"]["stage"] == 1
    assert data["questions"]["sample.one"]["tries"] == 2
    assert data["exercises"]["start.best"]["right"] == 1
    assert data["exercises"]["start.agreement"]["hints"] == 2  # the later one, at home, stays
    # A second time changes nothing, and the other way round comes to the same.
    assert "0 new, 0 brought up to date" in record.merge(school)
    here = at("home")
    at("school")
    record.merge(here)
    assert json.loads(school.read_text("utf-8")) == json.loads(here.read_text("utf-8"))


def test_over_months_on_two_machines_and_two_versions_nothing_is_lost(monkeypatch, tmp_path):
    at, rng = copies(monkeypatch, tmp_path), random.Random(1)
    known = {"home": {f"q{n}" for n in range(24)}, "school": {f"q{n}" for n in range(12, 36)}}
    for name, ids in known.items():
        at(name).parent.mkdir(exist_ok=True)
        for id in sorted(ids):
            record.note_question(id, False, now=START)
    for day in range(1, 150):
        name, other = ("home", "school") if day % 3 else ("school", "home")
        there = at(other)
        at(name)
        if day % 7 == 0:
            record.merge(there)
        now = START + day * DAY
        for id in review.due(record.read()[0], now, known[name]):
            record.note_question(id, rng.random() < 0.8, now=now)
    there = at("school")
    at("home")
    record.merge(there)
    data, _ = record.read()
    assert set(data["questions"]) == known["home"] | known["school"]
    # What the other version asks is kept, and asked there alone.
    asked = review.due(data, START + 500 * DAY, known["home"])
    assert set(asked) <= known["home"]
    stages = [data["questions"][id]["stage"] for id in known["home"]]
    assert sum(stage == 4 for stage in stages) > 18
    assert not any(entry["first"] for entry in data["questions"].values())


def test_what_is_no_record_is_not_merged(tmp_path):
    record.note_question("sample.one", True, now=START)
    before = record.path().read_text("utf-8")
    too_long = " " * record.LARGEST + "{}"
    for text in ("{", "[1]", '{"questions": 3}', too_long):
        (tmp_path / "other.json").write_text(text, "utf-8")
        assert "nothing was changed" in record.merge(tmp_path / "other.json")
    assert "nothing was changed" in record.merge(tmp_path)
    assert "There is no file" in record.merge(tmp_path / "gone.json")
    assert record.path().read_text("utf-8") == before


# --- At the keyboard ------------------------------------------------------------------------------


def test_a_review_at_the_keyboard_asks_judges_and_notes(monkeypatch, capsys):
    (one,) = [type("Q", (), {"questions": (ONE, MANY, SIZE)})]
    monkeypatch.setattr("recsys_lab.exercises.keyboard.all_quizzes", lambda: [one])
    for question in (ONE, MANY, SIZE):
        record.note_question(question.id, False, now=START)
    right = {
        "Which?": str(ONE.choices().index("A") + 1),
        "Which ones?": ",".join(str(MANY.choices().index(each) + 1) for each in "AB"),
    }
    typed = iter(["nonsense", "9", right["Which ones?"], right["Which?"], "4"])
    assert main(lambda prompt: next(typed), START + DAY) == 0
    out = capsys.readouterr().out
    assert out.count("Right.") == 2 and out.count("Not this time.") == 1
    assert "You turned it round." in out and "Type the number of a choice." in out
    data, _ = record.read()
    assert [data["questions"][q.id]["stage"] for q in (ONE, MANY, SIZE)] == [1, 1, 0]


def test_nothing_due_says_when_the_next_comes_back(monkeypatch, capsys):
    one = type("Q", (), {"questions": (ONE,)})
    monkeypatch.setattr("recsys_lab.exercises.keyboard.all_quizzes", lambda: [one])
    record.note_question(ONE.id, True, now=START)
    main(lambda prompt: "", START + DAY)
    assert "The next question comes back on 08 November 2026." in capsys.readouterr().out
