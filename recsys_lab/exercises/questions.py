"""Check yourself: the questions at the end of a lesson; each wrong choice is told why at once.

The form. A lesson's module ``nbNN_name.py`` ends with its quiz::

    define_quiz(
        "shop.recap",
        notebook=6,
        questions=[
            Choice(
                "shop.tie",
                "Which of these can break user 2's tie between A and E?",
                right="the items' prices",
                because="The log reads the same with A and E exchanged, so only features differ.",
                wrong={
                    "a higher rank": "More factors fit the log better; the log has the tie in it.",
                    "more users like user 2": "They would have the same two items in common.",
                },
                answer="'the items\\' prices' if tie_breaks(prices) else 'a higher rank'",
            ),
        ],
    )

A question asks for a prediction or a diagnosis, never for a definition. A wrong choice is told why
someone would think so, and what is true. ``answer`` is an expression that gives what is right when
the lesson has run to its end: a test evaluates it there, so a question cannot outlive its lesson.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Question:
    """What all kinds of questions have; see the module's docstring."""

    id: str
    text: str
    right: Any
    because: str
    wrong: dict
    answer: str = ""

    kind = ""

    def choices(self) -> list[str]:
        """What there is to choose from, in an order that tells nothing and stays the same."""
        right = [self.right] if isinstance(self.right, str) else list(self.right)
        found = [*right, *self.wrong]
        random.Random(zlib.crc32(self.id.encode())).shuffle(found)
        return found

    def told(self, given: Any) -> tuple[bool, list[str]]:
        """Whether an answer is right, and what to say to it."""
        raise NotImplementedError

    def form(self) -> dict:
        """What the page needs to ask it and to answer."""
        return {
            "id": self.id,
            "kind": self.kind,
            "text": self.text,
            "because": self.because,
            "choices": [
                {"text": each, "wrong": self.wrong.get(each, "")} for each in self.choices()
            ],
        }


@dataclass(frozen=True)
class Choice(Question):
    """One of several is right; each of the others has its sentence in ``wrong``."""

    kind = "choice"

    def told(self, given: str) -> tuple[bool, list[str]]:
        if given == self.right:
            return True, [self.because]
        return False, [self.wrong[given]]


@dataclass(frozen=True)
class Several(Question):
    """Several are right, ``right`` lists them; ``missing`` says why for each that may be missed."""

    missing: dict = field(default_factory=dict)
    kind = "several"

    def told(self, given: list[str]) -> tuple[bool, list[str]]:
        said = [self.wrong[each] for each in given if each in self.wrong]
        said += [self.missing[each] for each in self.right if each not in given]
        return not said, said or [self.because]

    def form(self) -> dict:
        made = super().form()
        for each in made["choices"]:
            each["missing"] = self.missing.get(each["text"], "")
        return made


@dataclass(frozen=True)
class Number(Question):
    """A number; ``wrong`` maps numbers that a slip gives to what it was, ``else`` to the rest."""

    tolerance: float = 0.0
    kind = "number"

    def choices(self) -> list[str]:
        return []

    def told(self, given: float) -> tuple[bool, list[str]]:
        if abs(given - self.right) <= self.tolerance:
            return True, [self.because]
        for slip, says in self.wrong.items():
            if slip != "else" and abs(given - slip) <= self.tolerance:
                return False, [says]
        return False, [self.wrong["else"]]

    def form(self) -> dict:
        slips = [[value, says] for value, says in self.wrong.items() if value != "else"]
        return super().form() | {
            "right": self.right,
            "tolerance": self.tolerance,
            "slips": slips,
            "otherwise": self.wrong["else"],
        }


@dataclass(frozen=True)
class Quiz:
    """The questions of a lesson."""

    id: str
    notebook: int
    questions: tuple[Question, ...]


_QUIZZES: dict[str, Quiz] = {}


def define_quiz(id: str, *, notebook: int, questions: list[Question]) -> Quiz:
    """Make a quiz of its questions (the form: module docstring)."""
    made = Quiz(id, notebook, tuple(questions))
    _QUIZZES[id] = made
    return made


def all_quizzes() -> list[Quiz]:
    """Every quiz of the course, in the order of the notebooks."""
    from .engine import load_lessons

    load_lessons()
    return sorted(_QUIZZES.values(), key=lambda one: one.notebook)


def get_quiz(id: str) -> Quiz:
    """The quiz of this id.

    Raises
    ------
    ValueError
        If there is none; the message names those that there are.
    """
    known = {one.id: one for one in all_quizzes()}
    if not isinstance(id, str) or id not in known:
        raise ValueError(f"id {id!r} is no quiz of this course: choose from {', '.join(known)}.")
    return known[id]
