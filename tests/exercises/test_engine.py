"""The engine gives every answer its message, and no answer breaks the cell."""

import ast
import functools
import gc
import json
import linecache
import random
import sys
import threading
import time
import types

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from recsys_lab import exercise, hint, predict, progress, solution
from recsys_lab.exercises import Mistake, all_exercises, cells, define, engine, get, limit
from recsys_lab.exercises.engine import (
    Verdict,
    examine,
    expect_close,
    expect_equal,
    expect_integer,
    expect_number,
    expect_shape,
    expect_type,
    short,
)
from recsys_lab.exercises.slips import Trial, explain


def a_sample():
    """An exercise as a lesson would define it."""

    @define("sample.double", notebook=0, hints=["Think of *.", "Write `2 * v`.", "All of it."])
    def double(values):
        """Return every value doubled."""
        return [2 * v for v in values]

    @double.wrong("You squared: multiply by 2.")
    def squares(values):
        return [v**2 for v in values]

    @double.wrong("You added 2: multiply by 2.")
    def adds(values):
        return [v + 2 for v in values]

    @double.wrong("You halved: multiply by 2.")
    def halves(values):
        return [v / 2 for v in values]

    @double.check("the length")
    def _(answer):
        expect_shape(answer([0, 2]), (2,))

    @double.check("a small case by hand")
    def _(answer):
        expect_close(answer([0, 1, 3]), [0, 2, 6], "Twice 3 is 6.")

    @double.check("negative numbers")
    def _(answer):
        expect_close(answer([-1]), [-2])

    return double


@pytest.fixture
def sample():
    return a_sample()


def named_double(function):
    function.__name__ = "double"
    return function


# --- What is made of a definition -----------------------------------------------------------------


def test_the_stub_is_the_references_head_and_docstring(sample):
    assert sample.stub == (
        '@exercise("sample.double")\n'
        "def double(values):\n"
        '    """Return every value doubled."""\n'
        "    ..."
    )


def test_a_stub_may_hold_given_code_and_several_lines_of_docstring():
    @define("sample.half", notebook=0, hints=[], body="total = 0\nfor v in values:\n    ...")
    def half(
        values,
        scale=2,
    ):
        """Return half the sum.

        A second line.
        """
        return sum(values) / scale

    assert half.stub == (
        '@exercise("sample.half")\n'
        "def half(\n"
        "    values,\n"
        "    scale=2,\n"
        "):\n"
        '    """Return half the sum.\n'
        "\n"
        "    A second line.\n"
        '    """\n'
        "    total = 0\n"
        "    for v in values:\n"
        "        ..."
    )


def test_an_id_cannot_be_defined_twice():
    def elsewhere():
        """Belong to another module."""

    elsewhere.__module__ = "another_lesson"
    with pytest.raises(ValueError, match=r"'start\.best' is taken by .*nb00_start"):
        define("start.best", notebook=0, hints=[])(elsewhere)


def test_a_wrong_answer_has_either_a_sentence_or_an_expectation(sample):
    for words in [{}, {"says": "You did.", "expects": "something"}]:
        with pytest.raises(ValueError, match="either a sentence or expects"):
            sample.wrong(**words)


def test_exercises_come_in_the_order_of_the_notebooks():
    numbers = [one.notebook for one in all_exercises()]
    assert numbers == sorted(numbers)


def test_an_unknown_id_is_answered_with_the_nearest_ones():
    with pytest.raises(ValueError, match=r"'start\.bst' is no exercise .* start\.best"):
        exercise("start.bst")
    for ask in (hint, solution, get):
        with pytest.raises(ValueError, match="no exercise of this course"):
            ask("nothing like it at all")


# --- States and layers ----------------------------------------------------------------------------


def test_an_answer_that_is_right_passes_every_layer(sample):
    def double(values):
        return np.array(values) * 2

    layers = ("the length", "a small case by hand", "negative numbers")
    assert examine(sample, double) == Verdict("right", passed=layers)


def test_the_first_layer_that_fails_speaks(sample):
    def double(values):
        return [abs(2 * v) for v in values]

    verdict = examine(sample, double)
    assert verdict.layer == "negative numbers"
    assert verdict.passed == ("the length", "a small case by hand")
    assert verdict.call == "double([-1])"
    assert verdict.message.endswith("The result has 2 at position 0; right is -2.")


def test_a_stub_with_another_docstring_is_still_not_started(sample):
    def double(values):
        """Do my own thing."""
        ...

    assert examine(sample, double).state == "not started"


def test_a_stub_without_its_docstring_is_still_not_started(sample):
    def double(values): ...

    assert examine(sample, double).state == "not started"


def test_a_stub_with_given_code_is_not_started_until_that_changes():
    @define("sample.given", notebook=0, hints=[], body="total = 0\nreturn total")
    def given_code(values):
        """Return the sum."""
        return sum(values)

    given_code.check("a small case")(lambda answer: expect_close(answer([1, 2]), 3))
    space = {"exercise": lambda id: lambda function: function}
    run_cell(given_code.stub, space)
    assert examine(given_code, space["given_code"]).state == "not started"
    run_cell(given_code.stub.replace("total = 0", "total = 1"), space)
    assert examine(given_code, space["given_code"]).state == "not yet"


@pytest.mark.parametrize("result", [..., NotImplementedError("to do")])
def test_an_answer_that_says_it_is_unfinished_is_not_started(sample, result):
    def double(values):
        if isinstance(result, Exception):
            raise result
        return result

    assert examine(sample, double).state == "not started"


def test_a_misconception_is_named_by_what_it_returns(sample):
    def double(values):
        return list(map(lambda v: v * v, values))

    verdict = examine(sample, double)
    assert verdict.message.startswith("You squared: multiply by 2. ")
    assert "Twice 3 is 6." in verdict.message


def test_a_misconception_that_fits_one_call_by_chance_is_not_named(sample):
    def double(values):
        return [v * v if list(values) == [0, 1, 3] else 100 - v for v in values]

    assert "squared" not in examine(sample, double).message


def test_a_misconception_is_named_beside_another_slip_that_shows_elsewhere(sample):
    def double(values):
        if values == [-1]:
            raise RuntimeError
        return [v * v for v in values]

    assert "You squared" in examine(sample, double).message


def test_an_answer_that_never_ends_on_some_other_input_keeps_its_message(sample, monkeypatch):
    monkeypatch.setattr(engine, "TRYING", 0.2)

    def double(values):
        while list(values) == [-1]:
            pass
        return [v * v for v in values]

    assert "Twice 3 is 6." in examine(sample, double).message


def the_fact(reference, slip, inputs):
    """What is told of a slip, on the inputs of a check that compares with the reference."""
    made = define("sample.fact", notebook=0, hints=[])(reference)

    @made.check("all of them")
    def _(answer):
        for each in inputs:
            expect_close(answer(*each), reference(*each))

    slip.__name__ = reference.__name__
    return examine(made, slip).message


NUMBERS = [([2.5, 4.0, -1.5],), ([7.25, -3.0],), ([1.0, 8.75, 2.0, 0.5],), ([-6.5, 3.25],)]


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        (lambda values: -np.array(values), "But for the sign"),
        (lambda values: np.abs(values), "The sign is lost"),
        (lambda values: np.maximum(values, 0), "Numbers below 0 came out as 0"),
        (lambda values: np.array(values) // 1, "What stands behind the point is cut off"),
        (lambda values: np.round(values, 1), "rounded"),
        (lambda values: 100 * np.array(values), "as per cent are"),
        (lambda values: 1.5 * np.array(values), "1.5 times what is right"),
        (lambda values: np.array(values) + 1, "1 too large"),
        (lambda values: np.array(values) * len(values), "the length of `values`"),
        (lambda values: np.array(values)[::-1], "in reverse order"),
        (lambda values: np.array(values)[:, None], "in a column"),
        (lambda values: values[0], "Only the first came back"),
        (lambda values: np.sum(values), "the sum of what is right"),
        (lambda values: np.array(values)[:-1], "The last one is missing"),
        (lambda values: np.array(values, dtype=np.float16) * np.float16(1.0005), "float16"),
        (lambda values: np.array(values) * np.nan, "NaN is no number"),
        (lambda values: np.ones(len(values)), "Every number is 1, whatever is given"),
        (
            lambda values: (np.array(values, dtype=float), 3),
            "The first of what you return is right",
        ),
        (lambda values: np.array([0 * np.array(values), values]), "The last of them is right"),
        (lambda values: np.array(values) + 4e-8, "That is close, but not the same"),
    ],
)
def test_a_slip_that_any_exercise_may_meet_is_told_as_a_fact(slip, told):
    def same(values):
        """Return the values."""
        return np.array(values, dtype=float)

    assert told in the_fact(same, types.FunctionType(slip.__code__, slip.__globals__), NUMBERS)


def test_a_fact_that_does_not_hold_everywhere_is_not_told():
    def same(values):
        """Return the values."""
        return np.array(values, dtype=float)

    def slip(values):
        return -np.array(values) if len(values) < 4 else 2 * np.array(values)

    message = the_fact(same, slip, NUMBERS)
    assert message.startswith("The result has")


PRICED = [(np.array(v), lam, 3) for (v,), lam in zip(NUMBERS, (0.5, 1.25, 3.0, 0.2), strict=True)]


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        (lambda values, lam, k: values * 8 + lam, "2 `lam` in place of `lam`"),
        (lambda values, lam, k: values * 8 + lam**2 / 2, "the square of `lam` in place of `lam`"),
        (lambda values, lam, k: np.abs(values) * 8 + lam / 2, "a `values` without its signs"),
        (lambda values, lam, k: values * 16 + lam / 2, "`k` + 1 in place of `k`"),
        (lambda values, lam, k: values * 2.0**lam + k / 2, "You exchanged `lam` and `k`"),
    ],
)
def test_what_is_right_for_other_inputs_is_told(slip, told):
    def priced(values, lam, k):
        """Return the values doubled k times, with half of lam added."""
        return values * 2.0**k + lam / 2

    assert told in the_fact(priced, types.FunctionType(slip.__code__, slip.__globals__), PRICED)


def test_results_cut_off_where_the_inputs_are_whole_numbers_are_told():
    def half(values):
        """Return half of the values."""
        return values / 2

    def slip(values):
        made = np.zeros_like(values)
        made[:] = values / 2
        return made

    inputs = [(np.array(v),) for v in ([2.5, 3.0], [5, 4, 7], [1.5], [9, 1], [3, 3, 0], [0.5, 2.0])]
    assert the_fact(half, slip, inputs).startswith("Where `values` holds whole numbers, what stand")


def test_a_minus_one_that_marks_a_place_is_no_number_below_zero():
    def place(values):
        """Return where the first 7 stands, -1 if nowhere."""
        return values.index(7) if 7 in values else -1

    def slip(values):
        return values.index(7) if 7 in values else 0

    inputs = [([1, 7],), ([2, 3],), ([4],), ([0, 1, 7],), ([5, 5, 1],)]
    assert "Numbers below 0" not in the_fact(place, slip, inputs)


def test_a_factor_without_end_is_none():
    def same(values):
        """Return the values."""
        return np.array(values, dtype=float)

    def slip(values):
        with np.errstate(all="ignore"):
            return np.array(values) / 0

    assert "times what is right" not in the_fact(same, slip, NUMBERS)


def test_positions_are_spoken_of_only_where_there_can_be_some():
    def hundreds(values):
        """Return a hundred for each value."""
        return 100 * len(values) + len(set(values))

    def slip(values):
        return hundreds(values) - 1

    told = the_fact(hundreds, slip, NUMBERS)
    assert "1 too small" in told
    assert "Positions" not in told


def test_what_explains_all_goes_before_what_explains_most():
    @define("sample.share", notebook=0, hints=["a", "b"])
    def share(values):
        """Return the share of sevens."""
        return values.count(7) / len(values)

    @share.wrong("You cut off: write / in place of //.")
    def cuts_off(values):
        return values.count(7) // len(values)

    @share.check("some")
    def _(answer):
        for values in ([7, 1], [7, 2, 3], [7], [7, 7], [1, 7, 7, 7], [2, 7, 7], [5]):
            expect_close(answer(values), values.count(7) / len(values))

    def never(values):
        return 0

    assert (
        "the same whatever it is given"
        in examine(share, types.FunctionType(never.__code__, {}, "share")).message
    )


def test_the_slip_of_one_part_of_several_is_named():
    @define("sample.pair", notebook=0, hints=["a", "b"])
    def pair(u, v):
        """Return the sums of squares."""
        return np.sum(u**2), np.sum(v**2)

    @pair.wrong("You forgot the squares.")
    def adds(u, v):
        return np.sum(u), np.sum(v)

    @pair.check("some")
    def _(answer):
        rng = np.random.default_rng(0)
        for size in (2, 3, 5, 4):
            u, v = rng.normal(size=(2, size))
            expect_close(answer(u, v)[1], np.sum(v**2))

    def half_of_it(u, v):
        return np.sum(u**2), np.sum(v)

    slip = types.FunctionType(half_of_it.__code__, half_of_it.__globals__, "pair")
    says = examine(pair, slip).message
    assert says.startswith("Of what is returned only the second part is wrong. You forgot the sq")


def test_where_an_answer_is_wrong_is_told_if_it_is_right_on_all_other_inputs():
    def largest(R):
        """Return the largest number of each row."""
        return R.max(axis=1)

    rng = np.random.default_rng(0)
    trials = []
    for sign, size in [(-1, 2), (1, 2), (1, 3), (-1, 4), (1, 5)]:
        R = sign * (rng.random((size, 3)) + 1)
        got = R.min(axis=1) if sign < 0 else R.max(axis=1)
        trials.append(Trial((R,), got, R.max(axis=1), sign > 0))
    says = explain(trials, largest)
    assert says.startswith("It is right on other inputs, and wrong where `R` has a number below 0")


def test_of_whole_numbers_an_answer_may_make_fractions():
    def twice(values):
        """Return twice the values."""
        return 2 * values

    def loop(values):
        return np.array([2.0 * v for v in values])

    made = define("sample.twice", notebook=0, hints=[])(twice)

    @made.check("both kinds")
    def _(answer):
        for values in (np.array([1.5, 2.0]), np.array([1, 2])):
            expect_close(answer(values), 2 * values)

    loop.__name__ = "twice"
    assert examine(made, loop).state == "right"


def test_a_misconception_is_not_named_after_another_result(sample):
    def double(values):
        return [v * v if v < 3 else 7 for v in values]

    assert "You" not in examine(sample, double).message


def test_a_misconception_is_not_named_where_it_happens_to_be_right(sample):
    def double(values):
        result = [2 * v for v in values]
        values.clear()
        return result

    # On [0, 2] squaring is right too, so it explains nothing.
    assert examine(sample, double).message.startswith("It changed its input")


# --- How the answer treats its inputs -----------------------------------------------------------

INPUTS = {
    "list": [3, 1, 2],
    "nested list": [[3, 1], [2, 0]],
    "array": np.array([3.0, 1.0, np.nan]),
    "dict": {"a": [1]},
    "set": {1, 2},
    "sparse": sparse.csr_array(np.eye(2)),
    "DataFrame": pd.DataFrame({"a": [1, 2]}),
    "object": type("Box", (), {})(),
}
CHANGES = {
    "list": lambda x: x.sort(),
    "nested list": lambda x: x[1].append(5),
    "array": lambda x: x.sort(),
    "dict": lambda x: x["a"].append(2),
    "set": lambda x: x.add(3),
    "sparse": lambda x: x.data.fill(4),
    "DataFrame": lambda x: x.insert(0, "b", 0),
    "object": lambda x: setattr(x, "b", 0),
}


def an_exercise_on(value):
    @define("sample.reads", notebook=0, hints=[])
    def reads(x):
        """Return 1."""
        return 1

    @reads.check("it answers")
    def _(answer):
        expect_equal(answer(value), 1)
        expect_equal(answer(value), 1)

    return reads


@pytest.mark.parametrize("kind", INPUTS)
def test_an_answer_that_changes_its_input_is_told_so(kind):
    def reads(x):
        CHANGES[kind](x)
        return 1

    assert "changed its input" in examine(an_exercise_on(INPUTS[kind]), reads).message


@pytest.mark.parametrize("kind", INPUTS)
def test_an_answer_that_leaves_its_input_alone_is_right(kind):
    def reads(x):
        return 1

    assert examine(an_exercise_on(INPUTS[kind]), reads).state == "right"


def test_a_random_generator_may_be_used_and_starts_anew_at_each_call():
    drawn = []

    def reads(x):
        drawn.append(x.random())
        return 1

    assert examine(an_exercise_on(np.random.default_rng(3)), reads).state == "right"
    assert drawn[0] == drawn[1]


NOTEBOOK = "factors, names, helper = [4, 6], {}, len\n"
BORROWERS = {  # the body, and the values of the notebook that it takes
    "return factors": "`factors`",
    "return [v + w for v, w in zip(factors, names)]": "`factors` and `names`",
    "return [factors for v in values]": "`factors`",
    "return helper(values), factors_unknown": "",
    "factors = values; return [v * 2 + helper(values) for v in factors]": "",
}


@pytest.mark.parametrize(("body", "told"), BORROWERS.items())
def test_an_answer_that_takes_values_from_the_notebook_is_told_which(sample, body, told):
    space = {}
    exec(f"{NOTEBOOK}def double(values):\n    {body}\n", space)
    verdict = examine(sample, space["double"])
    assert verdict.state == "not yet"
    start = f"Your function takes {told} from the notebook: use its arguments"
    assert verdict.message.startswith(start) if told else "notebook" not in verdict.message


@pytest.mark.parametrize(
    ("form", "state"),
    [(list, "not yet"), (tuple, "not yet"), (np.array, "right"), (pd.Series, "not yet")],
)
@pytest.mark.parametrize("both", [False, True])
def test_right_numbers_are_an_array_where_the_cells_below_compute_with_one(form, state, both):
    @define("sample.twice", notebook=0, hints=["a", "b", "c"])
    def twice(values):
        result = 2 * np.array(values)
        return (result, result) if both else result

    @twice.check("a small case by hand")
    def _(answer):
        got = answer([1, 2])
        for part in got if both else [got]:
            expect_close(part, [2, 4])

    def answer(values):
        result = form([2 * value for value in values])
        return (np.array(result), result) if both else result

    answer.__name__ = "twice"
    verdict = examine(twice, answer)
    assert verdict.state == state
    if state == "not yet":
        assert f"they come as a {form.__name__}" in verdict.message


FORMS = {
    "a matrix": np.matrix,
    "a csr_array": sparse.csr_array,
    "a DataFrame": pd.DataFrame,
    "the array holds bool": lambda array: array.astype(bool),
    "the array holds object": lambda array: array.astype(object),
}


@pytest.mark.parametrize(("told", "form"), FORMS.items())
def test_right_numbers_in_another_form_than_an_array_of_numbers_are_told_so(told, form):
    @define("sample.ones", notebook=0, hints=[])
    def ones(m, n):
        return np.ones((m, n))

    @ones.check("a small case by hand")
    def _(answer):
        expect_close(answer(2, 3), np.ones((2, 3)))

    def answer(m, n):
        return form(np.ones((m, n)))

    answer.__name__ = "ones"
    verdict = examine(ones, answer)
    assert verdict.state == "not yet"
    assert told in verdict.message


def test_floats_are_no_positions():
    @define("sample.first", notebook=0, hints=[])
    def first(values):
        return [int(np.argmax(values))]

    @first.check("a small case by hand")
    def _(answer):
        expect_close(answer([1, 3, 2]), [1])

    def answer(values):
        return [float(np.argmax(values))]

    answer.__name__ = "first"
    assert "they are floats" in examine(first, answer).message


# --- Whatever it does -----------------------------------------------------------------------------


class Hostile:
    """Raises whatever is asked of it."""

    def __getattribute__(self, name):
        raise RuntimeError(name)

    def __eq__(self, other):
        raise RuntimeError("eq")

    def __repr__(self):
        raise RuntimeError("repr")

    __hash__ = None


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("str")


def returning(value):
    def double(values):
        return value

    return double


def raising(error):
    def double(values):
        raise error

    return double


def recursing(values):
    return recursing(values)


async def waiting(values):
    return values


def yielding(values):
    yield from values


def two_parameters(values, other):
    return values


def other_parameter(numbers):
    return numbers


def other_default(values=()):
    return values


NASTY = {
    "None": (returning(None), "returned None: is a `return` missing?"),
    "NaN": (returning([np.nan, 1]), "The result has shape (2,)"),
    "complex numbers": (returning([1j, 2j]), "no array of numbers"),
    "a text": (returning("4"), "returned a str, '4'"),
    "a set": (returning({4}), "returned a set"),
    "ragged rows": (returning([[1], [2, 3]]), "rows of different lengths"),
    "an object that raises at everything": (returning(Hostile()), "a class of its own"),
    "a list of these": (returning([Hostile(), Hostile()]), "a class of its own"),
    "itself": (named_double(lambda values: values and recursing), "no array of numbers"),
    "an error": (raising(ValueError("no luck")), "raised ValueError in line"),
    "SystemExit": (raising(SystemExit(1)), "raised SystemExit"),
    "KeyboardInterrupt": (raising(KeyboardInterrupt()), "raised KeyboardInterrupt"),
    "an error without words": (raising(Unprintable()), "raised Unprintable"),
    "endless recursion": (recursing, "calls itself without end"),
    "async": (waiting, "defined with `async`"),
    "a generator": (yielding, "returned a generator"),
    "another parameter list": (two_parameters, "takes `(values, other)`. Write it as `def double("),
    "another name of a parameter": (other_parameter, "Write it as `def double(values):`"),
    "another default": (other_default, "Write it as `def double(values):`"),
    "a class": (Hostile, "a type, not a function"),
    "a hostile object": (Hostile(), "a Hostile, not a function"),
    "a number": (3, "an int, not a function"),
    "a partial function": (functools.partial(max, 1), "a partial, not a function"),
}
for one, _ in NASTY.values():
    if type(one) is types.FunctionType:
        one.__name__ = "double"


@pytest.mark.parametrize("case", NASTY)
def test_no_answer_breaks_the_cell(sample, case, capsys):
    function, says = NASTY[case]
    bound = exercise("sample.double")(function)
    assert bound is sample.reference
    shown = capsys.readouterr()
    assert shown.out.startswith("Not yet: sample.double")
    assert says in shown.out
    assert "For now `double` is the reference solution" in shown.out
    assert shown.err == ""


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@settings(deadline=None, max_examples=60)
@given(anything, anything)
def test_no_result_breaks_the_check(first, second):
    exercise = a_sample()
    results = iter([first, second])

    def double(values):
        return next(results)

    assert examine(exercise, double).state == "not yet"


def test_the_line_that_raised_is_shown(sample):
    def double(values):
        twice = 2
        return values[twice] / 0

    line = double.__code__.co_firstlineno + 2
    message = examine(sample, double).message
    assert message.startswith(f"It raised IndexError in line {line}, `return values[twice] / 0`: ")


def unbound(values):
    totl += 1  # noqa: F821, F841


@pytest.mark.parametrize(
    "slip, advice",
    [
        (unbound, "Is the name misspelt, or used before"),
        (lambda values: np.ones((2, 3)) / np.ones(2), "stays one with keepdims=True"),
        (lambda values: np.ones(2) - np.ones((2, 3)), "stays one with keepdims=True"),
        (lambda values: np.ones(3) / np.ones(2) @ np.ones(2), "as in a / (b @ b)"),
        (lambda values: np.ones((2, 3)) - np.ones(3)[:, None], "stays flat, without [:, None]"),
        (lambda values: np.ones((2, 3)) * np.ones((3, 4)), "`@` is the product of matrices"),
        (lambda values: np.ones((2, 2)) + 3 * np.eye(5), "and so has an identity"),
        (lambda values: np.ones((2, 3)) - np.ones((4, 5)), "print each `.shape`"),
        (lambda values: np.eye(2)[7], "Positions go from 0 to the size less 1"),
        (lambda values: np.array([]).min(), "There is nothing to take the smallest"),
        (lambda values: max([]), "There is nothing to take the smallest"),
        (lambda values: values[99], "is this one shorter than you took it for"),
        (lambda values: ~np.ones(2), "turns booleans round, and no numbers"),
        (lambda values: np.ones(3)[np.ones(2, bool)], "A mask has one True or False for each"),
        (lambda values: sparse.csr_array(np.eye(2)).getnnz(), "`.nnz` counts the stored cells"),
        (lambda values: np.ones((2, 3)) @ np.ones(2), "the inner sizes must agree"),
        (lambda values: [v for v in values] * 1.5, "go through them with zip("),
        (lambda values: max(0, np.ones(2)), "np.maximum"),
        (lambda values: np.ones(2) and [1], "number by number, write &"),
        (lambda values: np.relu(values), "numpy has no relu"),
        (lambda values: np.array([2]) ** -1, "the inverse of a matrix is np.linalg.inv"),
        (lambda values: values.sort()[0], "change the list and return nothing"),
        (lambda values: [1] @ [2], "make the list one with np.array("),
        (lambda values: 1 if np.ones(2) > 0 else 0, "An `if` asks one question"),
        (lambda values: [1] in {1}, "go through the list"),
        (lambda values: [1] & {1}, "Make the list a set first"),
        (lambda values: set(values)[0], "A set has no order"),
        (lambda values: len(sparse.csr_array(np.eye(2))), "Use `.shape`"),
        (lambda values: np.linalg.solve(np.ones((2, 3)), np.ones(2)), "make the numbers a column"),
        (lambda values: ~[True], "A list has no ~"),
    ],
)
def test_a_usual_error_gets_a_word_of_advice(sample, slip, advice):
    def double(values):
        return slip(values)

    # Behind the line of source that the message quotes, which here holds the advice as well.
    assert advice in examine(sample, double).message.split("`: ", 1)[1]


def test_whole_numbers_changed_in_place_are_told_so(sample):
    def double(values):
        whole = np.array([1, 2])
        whole += 0.5
        return whole

    assert "In place, as with `+=`" in examine(sample, double).message


def test_the_line_that_raised_ends_in_no_second_colon(sample):
    def double(values):
        if values[99] > 0:
            return []

    assert "`if values[99] > 0`: list index out of range" in examine(sample, double).message


def test_a_further_parameter_that_can_be_left_out_does_no_harm(sample):
    def double(values, factor=2, *rest, **options):
        return [factor * v for v in values]

    assert examine(sample, double).state == "right"


def test_annotations_do_no_harm(sample):
    def double(values: list) -> list:
        return [2 * v for v in values]

    assert examine(sample, double).state == "right"


# --- Answers that do not end ----------------------------------------------------------------------


def loops(values):
    while True:
        pass


def loops_and_catches(values):
    while True:
        try:
            values = list(values)
        except:  # noqa: E722
            pass


def loops_and_prints(values):
    while True:
        print("again")


def loops_over_an_endless_generator(values):
    def numbers():
        while True:
            yield 1

    return sum(number for number in numbers())


@pytest.fixture
def swept():
    """Leave nothing to sweep: Python may do it in the midst of an answer, at the answer's cost.

    After thousands of tests that took more than the half second which an answer has here.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


# A thread may be told to end twice; only pytest's own hook makes a warning of that.
told_twice = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@told_twice
@pytest.mark.parametrize(
    "function",
    [loops, loops_and_catches, loops_and_prints, loops_over_an_endless_generator],
    ids=lambda function: function.__name__,
)
def test_an_answer_that_never_ends_is_stopped(sample, function, capsys, monkeypatch, swept):
    monkeypatch.setattr(limit, "GRACE", 30)  # a busy machine takes its time
    before = limit.threading.active_count()
    verdict = examine(sample, named_double(function), seconds=0.9)
    assert verdict.state == "not yet"
    assert verdict.message.startswith("It was still running after ")
    assert "in its first call. Does a loop never end?" in verdict.message
    assert verdict.message.endswith("It was stopped.")
    assert verdict.call == "double([0, 2])"
    assert limit.threading.active_count() == before
    shown = capsys.readouterr()
    assert len(shown.out) < limit.PRINTED + 200
    assert shown.err == ""


@told_twice
def test_an_answer_that_cannot_be_stopped_is_left_behind_and_said_so(sample, monkeypatch):
    monkeypatch.setattr(limit, "GRACE", 0.2)
    monkeypatch.setattr(limit, "WAITING", 0.0)

    def double(values):
        time.sleep(2)

    verdict = examine(sample, double, seconds=0.2)
    assert verdict.message.startswith("It waits and computes nothing")
    assert "could not be stopped" in verdict.message
    assert "Kernel > Restart Kernel" in verdict.message
    assert examine(sample, sample.reference).state == "right"


@told_twice
def test_an_answer_that_fills_the_memory_is_stopped(sample, monkeypatch):
    monkeypatch.setattr(limit, "FILLED", 50_000_000)
    monkeypatch.setattr(limit, "GRACE", 30)  # a busy machine takes its time to free memory

    def double(values):
        while True:
            values.append(len(values))

    verdict = examine(sample, double, seconds=60)
    assert "filling the memory" in verdict.message
    assert verdict.message.endswith("It was stopped.")


@told_twice
def test_the_limit_is_on_the_whole_check(monkeypatch, swept):
    @define("sample.slow", notebook=0, hints=[])
    def slow(x):
        """Return x."""
        return x

    @slow.check("many calls")
    def _(answer):
        while True:
            expect_equal(answer(1), 1)

    assert "still running" in examine(slow, slow.reference, seconds=0.2).message


@told_twice
def test_slow_and_endless_are_told_apart(monkeypatch, swept):
    monkeypatch.setattr(limit, "GRACE", 30)

    @define("sample.turns", notebook=0, hints=[])
    def turns(x):
        """Return x."""
        return x

    @turns.check("ten calls")
    def _(answer):
        for x in range(10):
            expect_equal(answer(x), x)

    def slow(x):
        end = time.thread_time() + 0.15
        while time.thread_time() < end:
            pass
        return x

    def endless(x):
        while x == 3:
            pass
        return x

    for function in (slow, endless):
        function.__name__ = "turns"
    said = examine(turns, slow, seconds=0.6).message
    assert said.startswith("It is slow: ") and "Make fewer turns" in said
    said = examine(turns, endless, seconds=0.6).message
    assert said.startswith("It was still running") and "3 calls had ended" in said


def test_time_in_which_others_compute_does_not_count(sample, swept):
    others = [threading.Thread(target=lambda: sum(range(30_000_000))) for _ in range(4)]
    for other in others:
        other.start()

    def double(values):
        end = time.thread_time() + 0.1
        while time.thread_time() < end:
            pass
        return [2 * v for v in values]

    assert examine(sample, double, seconds=1).state == "right"
    for other in others:
        other.join()


class Liar(list):
    def __eq__(self, other):
        return True

    def __iter__(self):
        return iter([0, 4])

    def __len__(self):
        return 2


class LyingNumber(float):
    def __float__(self):
        return 4.0

    def __eq__(self, other):
        return True


def test_an_object_that_lies_about_itself_is_not_right(sample):
    for lie in (Liar([1, 1]), [LyingNumber(7), LyingNumber(7)]):
        assert examine(sample, named_double(lambda values, lie=lie: lie)).state == "not yet"


def test_a_replaced_function_of_numpy_is_put_back_and_told(sample):
    isclose = np.isclose

    def double(values):
        np.isclose = lambda *a, **k: np.True_
        return [0 for v in values]

    verdict = examine(sample, double)
    assert np.isclose is isclose
    assert verdict.state == "not yet" and "`numpy.isclose`: it was put back" in verdict.message


def test_an_answer_cannot_ask_the_reader(sample):
    def double(values):
        return [2 * int(input()) for v in values]

    verdict = examine(sample, double)
    assert verdict.message.startswith("input() asks somebody who is not there")


@told_twice
def test_threads_that_an_answer_starts_end_with_it(sample):
    def double(values):
        def run():
            while True:
                time.sleep(0.001)

        threading.Thread(target=run, daemon=True).start()
        return [2 * v for v in values]

    before = threading.active_count()
    examine(sample, double)
    assert threading.active_count() == before


def test_a_return_at_the_left_edge_is_named(sample):
    source = "def double(values):\n    total = 0\nreturn total\n"
    tree = ast.parse(source)
    space = {}
    exec(compile(ast.Module(tree.body[:1], []), "<left edge>", "exec"), space)
    linecache.cache["<left edge>"] = (len(source), None, source.splitlines(True), "<left edge>")
    assert "stands at the left edge" in examine(sample, space["double"]).message


def test_a_constant_of_the_learners_own_cell_is_not_the_notebooks(sample):
    source = "LIMIT = [3]\ndef double(values):\n    return LIMIT\n"
    space = {}
    exec(compile(source, "<own constant>", "exec"), space)
    linecache.cache["<own constant>"] = (len(source), None, source.splitlines(True), "<own>")
    assert "from the notebook" not in examine(sample, space["double"]).message


def test_a_function_that_was_passed_is_shown_as_it_is_written():
    assert engine.short(lambda w: w**2) == "lambda w: w ** 2"
    assert engine.short(returning) == "returning"


def test_what_an_answer_prints_is_shown_to_a_limit(sample, capsys):
    def double(values):
        print("<values>", values)
        return [2 * v for v in values]

    examine(sample, double)
    assert "<values> [0, 1, 3]" in capsys.readouterr().out


def test_the_check_leaves_the_global_generators_alone(sample):
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    before = np.random.get_state()[1].tolist(), random.getstate()  # noqa: NPY002
    for one in all_exercises():
        # Keras itself draws the seeds of a new layer from `random`.
        if one.id != "keras.mended":
            examine(one, one.reference)
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before  # noqa: NPY002


# --- What the name is bound to --------------------------------------------------------------------


def run_cell(source, space):
    exec(compile(source, "<cell>", "exec"), space)


def test_a_right_answer_stays_the_learners_own_also_when_run_again(sample, capsys):
    space = {"exercise": exercise}
    source = '@exercise("sample.double")\ndef double(values):\n    return [v + v for v in values]'
    for _ in range(2):
        run_cell(source, space)
        assert space["double"].__code__.co_filename == "<cell>"
        assert space["double"]([4]) == [8]
    out = capsys.readouterr().out
    assert out.count("Right: sample.double") == 2
    assert "`double` is now your own function" in out


def test_the_untouched_stub_leaves_a_function_that_works(sample, capsys):
    space = {"exercise": exercise}
    run_cell(sample.stub, space)
    assert space["double"]([4]) == [8]
    assert space["double"].__name__ == "double"
    assert space["double"].__doc__ == "Return every value doubled."
    assert capsys.readouterr().out.startswith("Not started: sample.double")


def test_under_another_name_the_right_name_is_bound_all_the_same(sample, capsys):
    space = {"exercise": exercise}
    run_cell('@exercise("sample.double")\ndef dubble(values):\n    return values', space)
    assert space["double"]([4]) == [8]
    assert "another name, `dubble`" in capsys.readouterr().out


def test_an_answer_that_calls_itself_meets_itself_and_not_the_reference(sample, capsys):
    space = {"exercise": exercise}
    run_cell(sample.stub, space)
    run_cell('@exercise("sample.double")\ndef double(values):\n    return double(values)', space)
    assert "calls itself without end" in capsys.readouterr().out


# --- The expectations -----------------------------------------------------------------------------

SAME = {
    "list": [[1, 2], [3, 4]],
    "tuple": ((1, 2), (3, 4)),
    "array": np.array([[1, 2], [3, 4]]),
    "matrix": np.asmatrix([[1, 2], [3, 4]]),
    "sparse": sparse.csr_array([[1, 2], [3, 4]]),
    "old sparse": sparse.coo_matrix([[1, 2], [3, 4]]),
    "DataFrame": pd.DataFrame([[1, 2], [3, 4]]),
    "objects": np.array([[1, 2], [3, 4]], dtype=object),
}


@pytest.mark.parametrize("kind", SAME)
def test_numbers_are_the_same_in_every_container(kind):
    expect_close(SAME[kind], np.array([[1.0, 2.0], [3.0, 4.0]]))
    expect_equal(SAME[kind], [[1, 2], [3, 4]])
    with pytest.raises(Mistake):
        expect_close(SAME[kind], np.array([[1.0, 2.0], [3.0, 5.0]]))
    with pytest.raises(Mistake):
        expect_equal(SAME[kind], [[1, 2], [3, 5]])


def mistake(expectation, *arguments, **options):
    with pytest.raises(Mistake) as caught:
        expectation(*arguments, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("expectation", "arguments", "says"),
    [
        (expect_close, (3, 4), "It returned 3; right is 4."),
        (expect_close, (3, 4, "Count them."), "It returned 3; right is 4. Count them."),
        (expect_close, (0.1 + 2e-9, 0.1), "It returned 0.100000002; right is 0.1."),
        (expect_close, (np.nan, 1), "It returned nan; right is 1."),
        (expect_close, ([1, 2], [1, 3]), "The result has 2 at position 1; right is 3."),
        (expect_close, ([[1, 2]], [[1, 3]]), "The result has 2 at position [0, 1]; right is 3."),
        (expect_close, ([1], 1), "returned a list, [1]; it should return a single number"),
        (expect_close, (1, [1]), "has shape (); it should have shape (1,)"),
        (expect_shape, ([[1, 2]], (2, 1)), "should have shape (2, 1). Is it transposed?"),
        (expect_shape, ([1, 2], (3,)), "has shape (2,); it should have shape (3,)."),
        (expect_number, ("1",), "returned a str, '1'; it should return a single number"),
        (expect_number, (1j,), "returned a complex"),
        (expect_integer, (1.0,), "returned a float, 1; it should return a whole number"),
        (expect_integer, (True,), "returned a bool"),
        (expect_equal, ([1, 2], [2, 1]), "right is [2, 1]. These are the right ones in another"),
        (expect_equal, ([1, 1], [2, 1]), "It returned [1, 1]; right is [2, 1]."),
        (expect_equal, ("a", "b"), "It returned 'a'; right is 'b'."),
        (expect_type, ([1], np.ndarray, "an array"), "a list, [1]; it should return an array."),
    ],
)
def test_an_expectation_says_what_came_and_what_is_right(expectation, arguments, says):
    assert says in mistake(expectation, *arguments)


@pytest.mark.parametrize(
    ("expectation", "arguments"),
    [
        (expect_close, (np.float32(0.5), 0.5)),
        (expect_close, (np.array(3), 3)),
        (expect_close, (True, 1)),
        (expect_close, ([np.nan, np.inf], [np.nan, np.inf])),
        (expect_close, ([], [])),
        (expect_number, (np.float64(1),)),
        (expect_integer, (np.int64(1),)),
        (expect_integer, (np.array(1),)),
        (expect_equal, (np.str_("a"), "a")),
        (expect_equal, ((1, "a"), [1, "a"])),
        (expect_equal, (pd.Series([1, 2]), [1, 2])),
        (expect_type, (np.zeros(2), np.ndarray, "an array")),
    ],
)
def test_an_expectation_overlooks_what_makes_no_difference(expectation, arguments):
    expectation(*arguments)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float64(0.1) + np.float64(0.2), "0.3"),
        ([np.int64(1), 2.0], "[1, 2]"),
        ((1,), "(1,)"),
        (np.eye(2), "[[1., 0.], [0., 1.]]"),
        (sparse.csr_array(np.eye(2)), "csr_array([[1., 0.], [0., 1.]])"),
        ("a\nb", "'a\\nb'"),
        (np.random.default_rng(0), "a random generator"),
    ],
)
def test_a_value_is_shown_as_a_learner_would_write_it(value, text):
    assert short(value) == text


def test_a_value_that_cannot_be_shown_is_named():
    assert short(Hostile()) == "a Hostile that cannot be shown"


def test_a_long_value_is_cut():
    assert len(short(list(range(1000)))) <= 120
    assert short("x" * 1000).endswith(" ...")


# --- Messages, hints, solutions -------------------------------------------------------------------


def test_a_message_is_text_and_html_and_what_the_learner_wrote_is_escaped():
    message = cells._Message("not yet", ["Not yet: a.b", "", "It returned `<b>` & x."])
    assert repr(message) == "Not yet: a.b\nIt returned `<b>` & x."
    html = message._repr_html_()
    assert "<strong>Not yet: a.b</strong>" in html
    assert "<code>&lt;b&gt;</code> &amp; x." in html
    assert "role='status'" in html


def test_backticks_that_do_not_pair_are_left_alone():
    assert cells._marked("a ` <b>") == "a ` &lt;b&gt;"


@pytest.mark.parametrize("kind", cells._BAR)
def test_a_message_takes_its_colours_from_the_theme(kind):
    html = cells._Message(kind, ["Words"])._repr_html_()
    assert "background:var(--jp-layout-color2" in html
    assert "color:var(--jp-ui-font-color0" in html


def test_each_call_gives_one_more_hint(sample, capsys):
    texts = []
    for _ in range(4):
        hint("sample.double")
        texts.append(capsys.readouterr().out)
    assert [text.count("Hint ") for text in texts] == [1, 2, 3, 3]
    assert "Hint 2 of 3: Write `2 * v`." in texts[1]
    assert "last hint" not in texts[1]
    assert 'That was the last hint; `solution("sample.double")`' in texts[2]
    assert saved()["exercises"]["sample.double"]["hints"] == 3


def test_the_solution_is_shown_and_recorded(sample, capsys):
    solution("sample.double")
    assert capsys.readouterr().out.strip() == sample.solution
    assert saved()["exercises"]["sample.double"] == {"solution": 1}


def saved():
    return json.loads(engine_progress().read_text(encoding="utf-8"))


def engine_progress():
    return cells.record.path()


def test_a_try_is_recorded_and_an_untouched_stub_is_none(sample):
    space = {"exercise": exercise}
    run_cell(sample.stub, space)
    assert not engine_progress().exists()
    exercise("sample.double")(returning(1))
    exercise("sample.double")(NASTY["None"][0])
    run_cell(sample.solution, space)
    (noted,) = saved()["exercises"].values()
    assert (noted["tries"], noted["right"], noted["first"]) == (3, 1, False)


def test_a_progress_file_that_cannot_be_written_does_not_stop_the_check(
    sample, tmp_path, monkeypatch, capsys
):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("RECSYS_LAB_PROGRESS", str(tmp_path / "file" / "progress.json"))
    run_cell(sample.solution, {"exercise": exercise})
    out = capsys.readouterr().out
    assert out.startswith("Right: sample.double")
    assert "could not be saved" in out


def test_progress_lists_every_lesson_and_what_was_done(sample, capsys):
    run_cell(sample.solution, {"exercise": exercise})
    hint("start.best")
    capsys.readouterr()
    progress()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[0] == "lesson"
    assert [line.split() for line in lines if line.startswith("00 start")] == [
        ["00", "start", "0", "of", "2", "0", "1", "0", "0", "0"]
    ]
    assert lines[-1] == "Not an exercise of this version: sample.double."


# --- Guesses --------------------------------------------------------------------------------------


@pytest.fixture
def ask(monkeypatch):
    """Ask a question, and return the guess with the widgets and the reading copy."""
    shown = {}
    monkeypatch.setattr(cells, "show_static_then_live", lambda **parts: shown.update(parts))

    def ask(choices=("SVD", "ALS")):
        guess = predict("sample.which", "Which is `better` <here>?", list(choices))
        (asked,) = shown["live"].children
        return guess, asked, shown

    return ask


def commit(asked, choice):
    """Click Commit, as the front end tells it: with the position of the choice."""
    asked._handle_custom_msg({"choice": choice}, [])


def test_a_question_can_be_read_without_a_kernel(ask):
    *_, shown = ask()
    assert (
        shown["text"]
        == "Your guess first. Which is `better` <here>?\n- SVD\n- ALS\nRun this cell to choose."
    )
    assert "<code>better</code> &lt;here&gt;?" in shown["html"]
    assert "<li>SVD</li><li>ALS</li>" in shown["html"]


def test_nothing_is_chosen_before_the_learner_chooses(ask):
    guess, asked, _ = ask()
    assert guess.choice is None
    assert asked.committed == -1


def test_a_committed_guess_is_locked_recorded_and_survives_the_cell(ask):
    guess, asked, _ = ask()
    commit(asked, 1)
    assert guess.choice == "ALS"
    assert asked.committed == 1
    assert "Committed: ALS." in asked.status
    assert saved()["guesses"] == {"sample.which": {"guess": "ALS"}}
    again, asked, _ = ask()
    assert again.choice == "ALS"
    assert asked.committed == 1
    commit(asked, 0)  # from the same question, shown in a second place
    assert again.choice == "ALS"


def test_a_guess_whose_choice_is_gone_can_be_made_anew(ask):
    _, asked, _ = ask()
    commit(asked, 1)
    guess, asked, _ = ask(["SVD", "kNN"])
    assert asked.committed == -1
    commit(asked, 1)
    assert guess.choice == "kNN"


def test_the_reveal_compares_the_guess_with_the_answer(ask, capsys):
    guess, asked, _ = ask([1, 2])
    guess.reveal(2, "It is even.")
    out = capsys.readouterr().out
    assert "No guess yet" in out and "The answer is: 2." in out and "It is even." in out
    commit(asked, 0)
    guess.reveal(np.int64(1))
    assert "Right: you guessed 1" in capsys.readouterr().out
    guess.reveal("2")
    assert "Not this time: you guessed 1" in capsys.readouterr().out
    assert saved()["guesses"]["sample.which"] == {"guess": "1", "answer": "2"}


def test_an_answer_that_is_no_choice_is_an_error(ask):
    guess, *_ = ask()
    with pytest.raises(ValueError, match=r"answer 'kNN' is none of the choices .* 'SVD', 'ALS'"):
        guess.reveal("kNN")


@pytest.mark.parametrize("choices", [[], ["one"], ["same", "same", "other"]])
def test_a_question_needs_different_answers(choices):
    with pytest.raises(ValueError, match="two or more different"):
        predict("sample.which", "Which?", choices)


def test_importing_the_engine_loads_nothing_heavy():
    # pandas and scipy are loaded by the exercises that need them, when they need them.
    import subprocess

    code = (
        "import sys; from recsys_lab.exercises import all_exercises; all_exercises();"
        "print(sorted({'scipy', 'pandas', 'matplotlib', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
