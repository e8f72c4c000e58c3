"""Nbval runs a lesson and compares its text outputs; what is said of it here, it has to keep.

When a lesson's last cell has run, the same kernel solves the exercises as in the teacher's edition,
and is asked for all that prose, pictures, widgets and quiz claim. Cells are counted as there: the
talking points are cell 1.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

import pytest
from nbformat import NotebookNode
from nbval.plugin import IPyNbFile

from recsys_lab.exercises import all_exercises
from recsys_lab.exercises.questions import Number, all_quizzes
from tests.notebooks.pictures import picture_problems, view_problems
from tests.notebooks.prose import (
    Evaluated,
    binding_problems,
    evaluated,
    meets_other_values,
    unbound_problems,
)
from tools.handout import EXERCISE, talking_points, teacher
from tools.notebooks import answered, asking

# The first line of each thing that a cell shows; it leaves what it binds, as a cell does.
SHOWN_BY = """(lambda capture: (lambda seen: "\\n".join([
    get_ipython().run_cell({source!r}),
    capture.__exit__(None, None, None),
    *(each.data.get("text/plain", "").partition("\\n")[0] for each in seen.outputs),
][2:]))(capture.__enter__()))(
    __import__("IPython.utils.capture", fromlist=["capture_output"]).capture_output()
)"""


class Held(NamedTuple):
    """A lesson's run: what is stored, what the run gave, and what was found at its end."""

    number: int
    stored: NotebookNode
    fresh: NotebookNode
    said: list[str]
    found: Evaluated


class LessonFile(IPyNbFile):
    """The cells of a lesson, and after them the checks of this file."""

    def collect(self):
        self.cells = list(super().collect())
        yield from self.cells
        for name, check in CHECKS.items():
            yield Check.from_parent(self, name=name, check=check)

    @cached_property
    def held(self) -> Held:
        number = int(self.path.name[:2])
        stored = teacher(self.nb, talking_points(self.path.stem))
        fresh = copy.deepcopy(stored)
        code = [cell for cell in fresh.cells if cell.cell_type == "code"]
        solved = [cell.source for cell in code if EXERCISE.search(cell.source)]
        for cell, item in zip(code, self.cells, strict=True):
            if item.test_outputs is None:
                pytest.fail("the cells have to run first: choose the lesson's file, not a check")
            if cell.source not in solved:
                cell.outputs = item.test_outputs
        said = [
            line
            for each in solved
            for line in self.evaluate(SHOWN_BY.format(source=each)).splitlines()
        ]
        asked = {each.id: each.answer for each in questions(number) if each.answer}
        again = {
            f"cell {cell}, again": stored.cells[cell].source for cell in meets_other_values(stored)
        }
        again |= with_other_answers(stored, exercises(number))
        return Held(number, stored, fresh, said, evaluated(stored, self.evaluate, asked, again))

    def evaluate(self, expression: str) -> str:
        limit = self.config.option.nbval_cell_timeout
        return answered(self.kernel.kc.execute(**asking(expression), reply=True, timeout=limit))


class Check(pytest.Item):
    """Something that a lesson's run has to keep; fails with a sentence for each breach."""

    def __init__(self, *, check: Callable[[Held], Iterator[str]], **node):
        super().__init__(**node)
        self.check = check

    def runtest(self):
        if problems := list(self.check(self.parent.held)):
            pytest.fail("\n".join([self.path.name, *problems]), pytrace=False)

    def reportinfo(self):
        return self.path, 0, self.name  # a skip has to name a line


def exercises(number: int) -> list:
    return [each for each in all_exercises() if each.notebook == number]


def questions(number: int) -> list:
    return [each for one in all_quizzes() if one.notebook == number for each in one.questions]


def solutions(held: Held) -> Iterator[str]:
    wanted = exercises(held.number)
    if not wanted:
        yield "no exercise belongs to the lesson"
    for each in wanted:
        if f"Right: {each.id}" not in held.said:
            yield f"{each.id}: the solution is not in the lesson, or not right"


def numbers(held: Held) -> Iterator[str]:
    yield from binding_problems(held.stored, held.found.values)
    yield from unbound_problems(held.stored, held.found.values, held.fresh)


def pictures(held: Held) -> Iterator[str]:
    yield from picture_problems(held.stored, held.fresh)
    yield from view_problems(held.fresh, held.found.views)


def quiz(held: Held) -> Iterator[str]:
    for each in questions(held.number):
        if not each.answer:
            continue
        found = held.found.questions[each.id]
        if isinstance(each, Number):
            right = abs(float(found) - each.right) <= each.tolerance
        else:
            right = found == str(each.right)
        if not right:
            yield f"{each.id}: the run gives {found}, the quiz says {each.right}"


def cells_again(held: Held) -> Iterator[str]:
    for name, raised in held.found.raised.items():
        if raised != "None":
            yield f"{name}: {raised}"


CHECKS = {
    "exercises have right solutions": solutions,
    "numbers in the prose are those of the run": numbers,
    "pictures are those of the run, also at its end": pictures,
    "questions have the answers of the run": quiz,
    "cells run again at the end, with other right answers too": cells_again,
}


def with_other_answers(nb: NotebookNode, exercises: list) -> dict[str, str]:
    """Cells that use an answer, with other right answers in place of the reference.

    The first cell that uses one runs with each of its answers; a later one with one of them, in
    turn, for some of those cells fit models.
    """
    cells, used = {}, {one.id: 0 for one in exercises}
    for index, cell in enumerate(nb.cells):
        if cell.cell_type != "code" or EXERCISE.search(cell.source):
            continue
        names = {node.id for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)}
        uses = [one for one in exercises if one.name in names]
        turns = max((1 if used[one.id] else len(one.rights) - 1 for one in uses), default=0)
        for turn in range(turns):
            names, lines = [], ["from recsys_lab.exercises import get"]
            for one in uses:
                at = 1 + (used[one.id] + turn) % (len(one.rights) - 1)
                names.append(f"{one.id}'s right answer {at}")
                lines.append(f"{one.name} = get({one.id!r}).rights[{at}]")
            cells[f"cell {index} with {' and '.join(names)}"] = "\n".join([*lines, cell.source])
        used |= {one.id: used[one.id] + 1 for one in uses}
    return cells
