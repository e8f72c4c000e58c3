"""The checks catch every small change to a reference that changes what it does."""

import numpy as np
import pytest

from recsys_lab.exercises import Exercise, all_exercises
from recsys_lab.exercises.engine import examine, expect_close, expect_number
from tests.exercises.mutants import mutants


def survivors(exercise, seconds=1):
    """The names of the mutants that the checks call right.

    A second is long: a check takes milliseconds, and only an endless mutant needs more.
    """
    names = []
    for name, source in mutants(exercise.solution.partition("\n")[2]).items():
        space = dict(exercise.reference.__globals__)
        exec(compile(source, name, "exec"), space)
        with np.errstate(all="ignore"):
            if examine(exercise, space[exercise.name], seconds=seconds, why=False).state == "right":
                names.append(name)
    return set(names)


# An endless mutant may be told to end twice; only pytest's own hook makes a warning of that.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("exercise", all_exercises(), ids=lambda one: one.id)
def test_only_equivalent_mutants_pass_the_checks(exercise):
    found = survivors(exercise)
    listed = set(exercise.equivalent)
    assert not found - listed, "no check catches these; add a case, or the reason why none can"
    assert not listed - found, "listed as equivalent, but caught or no longer there"
    assert all(exercise.equivalent.values()), "an equivalent mutant needs its reason"


# --- That the mutants are worth the trouble -------------------------------------------------------


def one_weak_one_strong():
    """The same exercise twice: with a check of the type only, and with a case by hand."""

    def total(values):
        """Return the sum."""
        total = 0
        for value in values:
            total += value
        return total

    weak = Exercise("sample.weak", 0, total, [])
    strong = Exercise("sample.strong", 0, total, [])

    @weak.check("a number comes back")
    @strong.check("a number comes back")
    def _(answer):
        expect_number(answer([3, 1]))

    @strong.check("a small case by hand")
    def _(answer):
        expect_close(answer([3, 1]), 4)

    return weak, strong


def test_a_weak_check_lets_mutants_pass():
    weak, strong = one_weak_one_strong()
    assert survivors(weak) >= {
        "line 3: 0 -> 1",
        "line 4: for value in values: -> pass",
        "line 5: total += value -> total -= value",
        "line 5: total += value -> total = value",
        "line 5: total += value -> pass",
    }
    assert survivors(strong) == set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_endless_mutant_is_caught():
    def count(n):
        """Return n."""
        at = 0
        while at < n:
            at += 1
        return at

    exercise = Exercise("sample.count", 0, count, [])
    exercise.check("three")(lambda answer: expect_close(answer(3), 3))
    assert "line 5: at += 1 -> pass" in mutants(exercise.solution.partition("\n")[2])
    assert "line 5: at += 1 -> pass" not in survivors(exercise, seconds=0.1)


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("return a < b", {"a <= b", "a > b"}),
        ("return a == b", {"a != b"}),
        ("return a + b", {"a - b", "a * b", "a", "b"}),
        ("return a / b", {"a * b", "a // b", "a", "b", "b / a"}),
        ("return U @ V.T", {"U * V.T", "U", "V.T", "V.T @ U", "V"}),
        ("return a and b", {"a or b", "a", "b"}),
        ("return not a", {"a"}),
        ("return -a", {"a"}),
        ("return 2.5", {"3.5", "1.5"}),
        ("return True", {"False"}),
        ("return np.sum(x, axis=1)", {"axis=2", "axis=0", "np.sum(x)", "np.mean(x, axis=1)"}),
        ("return x.mean()", {"x.sum()", "x.median()", "x"}),
        ("return f(a, b)", {"f(b, a)"}),
        ("return np.argsort(-x)", {"x", "-x"}),
        ("return sorted(x)", {"sorted(x, reverse=True)", "x"}),
        ("return x[:k]", {":", ":k + 1", ":k - 1"}),
        ("return x[::-1]", {":", "1"}),
        ("return x[i, j]", {"(j, i)"}),
        ("return [a for a in x if a]", {"for a in x if not a", "for a in x"}),
        ("return a if b else c", {"a if not b else c", "a", "c"}),
        ("return U, V", {"(V, U)"}),
        ("return range(n)", {"n", "n + 1", "n - 1"}),
        ("x += a", {"x -= a", "x *= a", "x = a"}),
        ("for a in x: y(a, b)", {"y(b, a)", "pass"}),
        ("if a: b", {"if not a:", "if True:", "pass"}),
    ],
)
def test_the_mutants_of(line, changed):
    found = {name.rpartition(" -> ")[2] for name in mutants(f"def f():\n    {line}")}
    assert changed <= found


def test_the_mutants_differ_in_source_and_leave_the_docstring_alone():
    found = mutants('def f(x):\n    """Say 1 + 1."""\n    return 1 + 1 + x')
    assert len(set(found.values())) == len(found)
    assert all("Say 1 + 1." in source for source in found.values())
    assert "line 3: 1 -> 2" in found and "line 3: 1 -> 2 (again)" in found


def test_a_mutant_is_one_change():
    source = "def f(x):\n    y = x + 1\n    return y * 2"
    for mutant in mutants(source).values():
        lines = zip(source.splitlines(), mutant.splitlines(), strict=True)
        assert sum(old != new for old, new in lines) == 1
