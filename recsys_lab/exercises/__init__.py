"""Exercises that answer: what a cell calls, and the engine behind it."""

from ..page.order import watch
from .cells import course_map, exercise, hint, predict, progress, quiz, review, solution
from .engine import Exercise, Mistake, all_exercises, define, get

__all__ = [
    "Exercise",
    "Mistake",
    "all_exercises",
    "course_map",
    "define",
    "exercise",
    "get",
    "hint",
    "predict",
    "progress",
    "quiz",
    "review",
    "solution",
]

# A lesson imports this in its first cell: from there on, a cell that comes too early is told so.
watch()
