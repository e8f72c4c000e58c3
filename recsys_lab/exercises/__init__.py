"""Exercises that answer: what a cell calls, and the engine behind it."""

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
