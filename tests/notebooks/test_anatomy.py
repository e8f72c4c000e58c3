"""Each notebook has the anatomy of a lesson."""

import pytest

from tests.notebooks.anatomy import RULES, Lesson
from tools.notebooks import all_notebooks

LESSONS = [Lesson(path) for path in all_notebooks()]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)
def test_a_lesson_keeps_the_rule(lesson, rule):
    problems = list(rule(lesson))
    assert not problems, "\n".join([f"{lesson.path.name}: {rule.__doc__}", *problems])
