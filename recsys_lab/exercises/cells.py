"""What a notebook's cells call: `exercise`, `hint`, `solution`, `predict` and `progress`."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from types import FunctionType
from typing import Any

import anywidget
import ipywidgets
import traitlets
from IPython import get_ipython
from IPython.display import display

from ..course import record
from ..course.files import lessons
from ..course.review import due, next_day
from ..page.display import STATIC, show_static_then_live, tell
from ..page.order import notebook_path
from .engine import Exercise, Verdict, all_exercises, examine, get
from .questions import Question, all_quizzes, get_quiz

# JupyterLab's own colours, so that light and dark themes both have contrast; the words carry the
# meaning, the bar at the left only repeats it.
_BAR = {
    "right": "--jp-success-color1, #388e3c",
    "not yet": "--jp-warn-color1, #f57c00",
    "not started": "--jp-border-color0, #9e9e9e",
    "note": "--jp-brand-color1, #1976d2",
}


class _Message:
    """A message to the learner, as HTML and as plain text."""

    def __init__(self, kind: str, lines: list[str], html: str = ""):
        self.lines = [line for line in lines if line]
        self.kind = kind
        self.html = html

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        first, *rest = self.lines
        parts = [f"<strong>{_marked(first)}</strong>"]
        parts += [f"<p style='margin:0.4em 0 0'>{_marked(line)}</p>" for line in rest]
        return (
            f"<div role='status' style='border-left:4px solid var({_BAR[self.kind]});"
            " padding:0.4em 0.8em; max-width:60em; background:var(--jp-layout-color2, #eee);"
            f" color:var(--jp-ui-font-color0, #111)'>{self.html or ''.join(parts)}</div>"
        )


class _Source(str):
    """Python source; as Markdown, because JupyterLab highlights that in the theme's colours."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return f"```python\n{self}\n```"


def _say(kind: str, lines: list[str], html: str = "") -> None:
    display(_Message(kind, lines, html))


def _marked(text: str) -> str:
    """Text as HTML; what stands between backticks as code, between asterisks as emphasis."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:  # an odd backtick: leave the text as it is
        return escape(text)
    return "".join(
        f"<code>{p}</code>" if i % 2 else re.sub(r"(^|[\s(])\*(\S[^*]*)\*", r"\1<em>\2</em>", p)
        for i, p in enumerate(parts)
    )


def exercise(id: str) -> Callable[[Callable], Callable]:
    """Check the function below as the answer to an exercise, and say what came of it.

    Whatever the answer does, the cell ends well: the name stands for the learner's function if
    it is right, for the reference otherwise, and the message says which.

    Parameters
    ----------
    id : the exercise's id, as in ``@exercise("start.agreement")``.

    Raises
    ------
    ValueError
        If there is no such exercise; the message names the nearest ids.
    """
    asked = get(id)

    def check(function: Callable) -> Callable:
        space = function.__globals__ if type(function) is FunctionType else {}
        # An answer that calls itself must meet itself, not what an earlier run left behind.
        space[asked.name] = function
        verdict = examine(asked, function)
        right = verdict.state == "right"
        bound = function if right else asked.reference
        # Bound here as well: under another name the learner's cell would not bind this one.
        space[asked.name] = bound
        if verdict.state == "not started":
            note = ""
        else:
            note = record.note_exercise(id, tries=1, right=int(right))
        _show_card(asked, function, verdict, [*_lines(id, asked.name, verdict), note])
        return bound

    return check


def _lines(id: str, name: str, verdict: Verdict) -> list[str]:
    """The message about a verdict, line by line."""
    if verdict.state == "right":
        checks = ", ".join(verdict.passed)
        return [f"Right: {id}", f"Checked: {checks}. `{name}` is now your own function."]
    for_now = f"For now `{name}` is the reference solution, so that the cells below work."
    if verdict.state == "not started":
        return [f"Not started: {id}", f"Write the function's body and run the cell. {for_now}"]
    return [
        f"Not yet: {id}" + (f" ({verdict.layer})" if verdict.layer else ""),
        verdict.message,
        f"The call was `{verdict.call}`." if verdict.call else "",
        f"Already right: {', '.join(verdict.passed)}." if verdict.passed else "",
        for_now,
    ]


class Card(anywidget.AnyWidget):
    """The answer to an exercise, with a button for a hint and one for a solution."""

    _esm = STATIC / "card.js"
    _css = STATIC / "card.css"
    kind = traitlets.Unicode().tag(sync=True)  # as in `Verdict.state`
    head = traitlets.Unicode().tag(sync=True)  # HTML, like lines, hints and note
    lines = traitlets.List().tag(sync=True)
    layers = traitlets.List().tag(sync=True)  # (name, "passed", "failed" or "open")
    total = traitlets.Int().tag(sync=True)  # of hints
    hints = traitlets.List().tag(sync=True)
    may_solve = traitlets.Bool(True).tag(sync=True)
    sources = traitlets.List().tag(sync=True)  # (caption, code)
    note = traitlets.Unicode().tag(sync=True)
    count = traitlets.Int().tag(sync=True)  # of answers to a press: some change nothing else


def _show_card(asked: Exercise, function: Any, verdict: Verdict, lines: list[str]) -> None:
    """Show what came of an answer: a card where a kernel can answer it, else its words."""
    message = _Message(verdict.state, lines)
    if get_ipython() is None:
        display(message)
        return
    failed = verdict.state == "not yet"
    names = [name for name, _ in asked.checks]
    passed = len(verdict.passed)
    layers = [
        (name, "passed" if n < passed else "failed" if failed and n == passed else "open")
        for n, name in enumerate(names)
        if verdict.state != "not started"
    ]
    # What passed is ticked in the list of layers.
    told = [re.sub(r"^(Checked: .*?\. |Already right: .*)", "", line) for line in message.lines[1:]]
    card = Card(
        kind=verdict.state,
        head=_marked(message.lines[0]),
        lines=[_marked(line) for line in told if line],
        layers=layers,
        total=len(asked.hints),
        hints=[_marked(text) for text in asked.hints[: _hints_shown.get(asked.id, 0)]]
        if verdict.state != "right"
        else [],
        may_solve=not _is_students(),
    )

    def pressed(_widget: Any, content: dict, _buffers: Any) -> None:
        with card.hold_sync():
            if content.get("hint"):
                shown, note = _next_hint(asked)
                card.hints, card.note = [_marked(text) for text in shown], _marked(note)
            elif content.get("solution") and card.may_solve:
                if verdict.state == "right":
                    mine = inspect.getsource(function).strip()
                    card.sources = [("Your answer", mine), ("A solution", asked.solution)]
                    card.note = ""
                else:
                    card.sources = [("A solution", asked.solution)]
                    card.note = _marked(record.note_exercise(asked.id, solution=1))
            card.count += 1

    card.on_msg(pressed)
    show_static_then_live(
        html=message._repr_html_(), text=repr(message), live=ipywidgets.VBox([card])
    )


@cache
def _is_students() -> bool:
    """Whether this notebook is a student's edition: `handout` writes so into its metadata."""
    path = notebook_path()  # JupyterLab tells a kernel no cell's metadata
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
        return metadata.get("recsys_lab", {}).get("edition") == "student"
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return False


_hints_shown: dict[str, int] = {}  # by exercise, since the kernel started


def _next_hint(asked: Exercise) -> tuple[list[str], str]:
    """Count one more hint; return those shown by now, and a note if it could not be recorded."""
    before = _hints_shown.get(asked.id, 0)
    shown = min(before + 1, len(asked.hints))
    _hints_shown[asked.id] = shown
    note = record.note_exercise(asked.id, hints=1) if shown > before else ""
    return asked.hints[:shown], note


def hint(id: str) -> None:
    """Show one more hint for an exercise at each call.

    Parameters
    ----------
    id : the exercise's id.
    """
    asked = get(id)
    shown, note = _next_hint(asked)
    total = len(asked.hints)
    lines = [f"Hint {n} of {total}: {text}" for n, text in enumerate(shown, 1)]
    if len(shown) == total:
        lines.append(f'That was the last hint; `solution("{id}")` shows the reference.')
    _say("note", [f"Hints for {id}", *lines, note])


def solution(id: str) -> None:
    """Show the reference solution of an exercise, as a cell that would pass.

    Parameters
    ----------
    id : the exercise's id.
    """
    source = get(id).solution
    note = record.note_exercise(id, solution=1)
    display(_Source(source))
    if note:
        _say("note", ["Progress", note])


def progress() -> None:
    """Show what was done so far, a row for each lesson."""
    table, note = record.rows()
    head = "".join(
        f"<th scope='col' style='text-align:left'>{name}</th>" for name in record.COLUMNS
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in table
    )
    html = f"<table><caption>Your progress</caption><tr>{head}</tr>{body}</table>"
    _say("note", [record.as_text(table), note], html + (f"<p>{escape(note)}</p>" if note else ""))


def course_map() -> None:
    """Show the lessons beside this notebook: a link, what each promises, and its minutes."""
    here = lessons(Path.cwd()) or lessons()
    rows = "".join(
        f"<tr><td style='text-align:left'><a href='{escape(each.path.name)}'>{each.number} "
        f"{escape(each.title)}</a></td><td style='text-align:left'>{_marked(each.promise)}</td>"
        f"<td>{each.minutes}</td></tr>"
        for each in here
    )
    names = "".join(
        f"<th scope='col' style='text-align:left'>{name}</th>"
        for name in ("lesson", "its promise", "minutes")
    )
    text = "\n".join(f"{each.number} {each.title} ({each.minutes} min)" for each in here)
    table = f"<table><caption>The lessons</caption><tr>{names}</tr>{rows}</table>"
    display({"text/html": table, "text/plain": text}, raw=True)


# --- Check yourself -------------------------------------------------------------------------------


class QuizWidget(anywidget.AnyWidget):
    """Questions that are answered at once, by the page; the kernel notes what was answered."""

    _esm = STATIC / "quiz.js"
    _css = STATIC / "quiz.css"
    questions = traitlets.List().tag(sync=True)  # as `Question.form` gives them
    note = traitlets.Unicode().tag(sync=True)


def _show_questions(asked: list[Question]) -> None:
    """Show questions to answer, below them what to read where no kernel runs."""
    forms = [each.form() for each in asked]
    for form in forms:
        form["text"], form["because"] = _marked(form["text"]), _marked(form["because"])
    widget = QuizWidget(questions=forms)

    def answered(_widget: Any, content: dict, _buffers: Any) -> None:
        widget.note = record.note_question(content["id"], bool(content["right"]))

    widget.on_msg(answered)
    items = "".join(
        f"<li>{_marked(each.text)}"
        + "".join(f"<br>– {_marked(choice)}" for choice in each.choices())
        + "</li>"
        for each in asked
    )
    lines = [f"{n}. {each.text}" for n, each in enumerate(asked, 1)]
    show_static_then_live(
        html=f"<ol>{items}</ol><p>Run this cell to answer.</p>",
        text="\n".join([*lines, "Run this cell to answer."]),
        live=ipywidgets.VBox([widget]),
        about={"kind": "quiz", "questions": forms},
    )


def quiz(id: str) -> None:
    """Ask the questions of a lesson: each answer is told at once what is true, and why.

    Parameters
    ----------
    id : the quiz's id, as in ``quiz("shop.recap")``.

    Raises
    ------
    ValueError
        If there is no such quiz.
    """
    _show_questions(list(get_quiz(id).questions))


def review(now: datetime | None = None) -> None:
    """Ask again what is due: questions and first-try mistakes come back at growing distances.

    Parameters
    ----------
    now : the clock, for those who want to look ahead.
    """
    if not isinstance(now, datetime | None):
        raise ValueError(f"now={now!r} is no time: give a datetime, or nothing")
    now = now or datetime.now()
    by_id = {each.id: each for one in all_quizzes() for each in one.questions}
    exercises = {each.id: each for each in all_exercises()}
    data, note = record.read(set_aside=False)
    back = due(data, now, {*by_id, *exercises})
    titles = {each.number: each for each in lessons()}
    again = []
    for id in back:
        if id in exercises:
            lesson = titles.get(f"{exercises[id].notebook:02d}")
            where = (
                f"[{lesson.number} {lesson.title}]({lesson.path.name})" if lesson else "its lesson"
            )
            again.append(f"`{id}` in {where}: write it once more, from an empty cell.")
    if not back:
        following = next_day(data, {*by_id, *exercises})
        when = f" The next question comes back on {following:%d %B}." if following else ""
        _say("note", [f"Nothing to review today.{when}", note])
        return
    _say("note", [f"To review today: {len(back)}.", *again, note])
    asked = [by_id[id] for id in back if id in by_id]
    if asked:
        _show_questions(asked)


# --- A guess before the answer ------------------------------------------------------------------

_guesses: dict[str, str] = {}  # by question, committed since the kernel started


class Guess:
    """A guess that was asked for by `predict`; `reveal` compares it with the answer."""

    def __init__(self, id: str, choices: list[str]):
        self.id = id
        self.choices = choices

    def _ipython_display_(self) -> None:
        """A cell that ends in ``predict(...)`` shows the question, not this object."""

    @property
    def choice(self) -> str | None:
        """What was committed; None before that, and if it is no choice any more."""
        made = _guesses.get(self.id)
        return made if made in self.choices else None

    def reveal(self, answer: Any, because: str = "") -> None:
        """Show the answer beside the guess; without a guess it stays folded.

        Parameters
        ----------
        answer : one of the choices, best computed by the cell.
        because : why it is the answer, in a sentence.

        Raises
        ------
        ValueError
            If `answer` is none of the choices.
        """
        answer = str(answer)
        if answer not in self.choices:
            raise ValueError(
                f"answer {answer!r} is none of the choices of {self.id!r}: give one of "
                f"{', '.join(map(repr, self.choices))}."
            )
        told = [f"The answer is: {answer}.", because]
        if self.choice is None:
            head = "No guess yet: choose and press Commit above, then run this cell again."
            # Folded, so that running all cells does not spoil the question.
            _say(
                "note",
                [head, *told],
                f"<strong>{head}</strong><details><summary>See the answer without a guess</summary>"
                f"<p>{_marked(' '.join(told))}</p></details>",
            )
            tell({"kind": "reveal", "id": self.id, "answer": answer, "because": _marked(because)})
            return
        note = record.note_guess(self.id, answer=answer)
        word = "Right" if self.choice == answer else "Not this time"
        _say("note", [f"{word}: you guessed {self.choice}", *told, note])


class GuessWidget(anywidget.AnyWidget):
    """The choices of a question, and the button that commits one of them."""

    _esm = STATIC / "guess.js"
    _css = STATIC / "guess.css"
    question = traitlets.Unicode().tag(sync=True)  # HTML, like `status`
    choices = traitlets.List().tag(sync=True)
    committed = traitlets.Int(-1).tag(sync=True)  # the choice's position; -1 before
    status = traitlets.Unicode().tag(sync=True)


def predict(id: str, question: str, choices: list) -> Guess:
    """Ask for a guess before the answer is computed; a committed guess is locked.

    Parameters
    ----------
    id : ``"lesson.name"``, to keep the guess by.
    question : the question, one or two sentences.
    choices : two or more different answers to choose from, shown as text.

    Returns
    -------
    Guess
        Its ``reveal(answer, because="")`` belongs in a later cell.
    """
    for name, text in [("id", id), ("question", question)]:
        if not isinstance(text, str):
            raise ValueError(f"{name}={text!r} is no text: give one")
    if isinstance(choices, str) or not isinstance(choices, Iterable):
        raise ValueError(f"choices={choices!r} is no list: give two or more different answers")
    choices = [str(choice) for choice in choices]
    if len(set(choices)) < 2 or len(set(choices)) < len(choices):
        raise ValueError(f"choices {choices!r} of {id!r} must be two or more different answers.")
    guess = Guess(id, choices)
    text = f"<strong>Your guess first.</strong> {_marked(question)}"
    asked = GuessWidget(question=text, choices=choices)

    def lock(note: str = "") -> None:
        said = f"Committed: {guess.choice}. The answer comes further down. {note}"
        with asked.hold_sync():
            asked.status = _marked(said)
            asked.committed = choices.index(guess.choice)

    def on_message(_widget: Any, content: dict, _buffers: Any) -> None:
        note = ""
        if guess.choice is None:
            _guesses[id] = choices[content["choice"]]
            note = record.note_guess(id, guess=guess.choice)
        lock(note)

    asked.on_msg(on_message)
    if guess.choice is not None:
        lock()
    items = "".join(f"<li>{_marked(choice)}</li>" for choice in choices)
    show_static_then_live(
        html=f"<p>{text}</p><ul>{items}</ul><p>Run this cell to choose.</p>",
        text="\n".join(
            [
                f"Your guess first. {question}",
                *(f"- {choice}" for choice in choices),
                "Run this cell to choose.",
            ]
        ),
        live=ipywidgets.VBox([asked]),
        about={"kind": "guess", "id": id, "question": text, "choices": choices},
    )
    return guess
