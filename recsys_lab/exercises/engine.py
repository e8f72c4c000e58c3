'''What an exercise is, and how an answer to it is checked.

The form. A module ``nbNN_name.py`` holds the exercises of notebook NN, with ids ``name.something``.
Everything about one exercise stands together, in the order in which a learner meets it::

    @define("start.agreement", notebook=0, hints=["A small push.", "A bigger one."])
    def agreement(user, item):
        """Say in one sentence what to return; the learner reads this in the stub."""
        return sum(u * i for u, i in zip(user, item))

    @agreement.wrong("You added the numbers: multiply them pair by pair, then add up.")
    def adds(user, item):
        return sum(u + i for u, i in zip(user, item))

    @agreement.wrong(expects="changed its input")
    def eats_its_input(user, item):
        return sum(user.pop() * i for i in reversed(item))

    @agreement.check("a small case by hand")
    def _(answer):
        expect_close(answer([1, 2], [3, 5]), 13, "1 x 3 + 2 x 5 = 13.")

    @agreement.check("random cases")
    def _(answer):
        rng = np.random.default_rng(7)
        user, item = rng.normal(size=(2, 5))
        expect_close(answer(user, item), np.dot(user, item))

- The decorated function is the *reference*. From there on its name stands for the `Exercise`;
  the function itself is ``agreement.reference``.
- The *stub* is made from it, so the two cannot drift apart: the decorator line, the reference's
  signature and docstring, then ``...`` (or the code given as ``define(..., body="...")``).
  ``get("start.agreement").stub`` is the text of the notebook's cell.
- A *wrong answer* with a sentence is a misconception. Where the checks fail, the learner's function
  is called on what the checks draw, and if it returns what this one returns, the sentence is said.
  Slips that any exercise may meet, such as a turned sign, are told by ``slips.py``. With
  ``expects=`` it is a wrong answer that the checks, or the engine, describe well enough: their
  message must contain that text.
- ``look=`` in `define` says what of an answer counts where several are right: of factors U, V their
  product. ``drawn=True`` says that chance decides, so that no two answers need be equal.
- A *right answer* of another kind, ``@agreement.right``, holds that the checks ask for no more than
  the text does; each lesson is run with them as well.
- *Checks* are layers, run in order; the first that fails speaks. ``answer`` is the learner's
  function, guarded: it gets copies of its inputs, and one that raises, returns None or changes
  its input is told so. A check raises `Mistake` with a sentence, or uses an ``expect`` function.
- ``equivalent={"line 3: a -> b": "reason"}`` in `define` lists those mutants of the reference that
  no check can tell from it (``tests/exercises/mutants.py``).
'''

from __future__ import annotations

import ast
import builtins
import contextlib
import copy
import difflib
import dis
import inspect
import io
import linecache
import math
import pkgutil
import re
import textwrap
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from importlib import import_module
from numbers import Integral, Number
from types import FunctionType, GeneratorType
from typing import Any

import numpy as np

from .fuzz import varied
from .limit import Asked, Stopped, run_limited
from .slips import Trial, certain, explain, nearly

# Of processor time, for a whole check: ours take milliseconds, and an honest road of a learner's
# own, such as thousands of sweeps, a few seconds.
SECONDS = 15
# Of processor time, to find out what is wrong with an answer.
TRYING = 3.0


class Mistake(Exception):
    """What is wrong with an answer, as a sentence for the learner."""


class NotStarted(Exception):
    """The answer is still the stub."""


@dataclass(frozen=True)
class Wrong:
    """A plausible wrong answer: what it returns, and what its author is told."""

    function: Callable
    says: str
    expects: str


@dataclass
class Exercise:
    """One exercise with all that belongs to it; the module's docstring shows the form."""

    id: str
    notebook: int
    reference: Callable
    hints: list[str]
    body: str = "..."
    equivalent: dict[str, str] = field(default_factory=dict)
    look: Callable | None = None
    looked_at: str = ""
    drawn: bool = False
    inputs: Callable | None = None
    trials: int = 30
    wrongs: list[Wrong] = field(default_factory=list)
    rights: list[Callable] = field(default_factory=list)
    checks: list[tuple[str, Callable]] = field(default_factory=list)
    memory: dict = field(default_factory=dict, repr=False)  # of what `_tried` has computed

    @property
    def name(self) -> str:
        """The name of the function that the learner writes."""
        return self.reference.__name__

    @property
    def signature(self) -> str:
        """The function's head as the learner should write it."""
        return f"{self.name}{inspect.signature(self.reference)}"

    @property
    def solution(self) -> str:
        """The reference as the source of a notebook cell."""
        return f'@exercise("{self.id}")\n{_source_without_decorator(self.reference)}'

    @property
    def stub(self) -> str:
        """The notebook's cell as the learner finds it."""
        lines = self.solution.splitlines()
        function = ast.parse(self.solution).body[0]
        last = function.body[0].end_lineno if ast.get_docstring(function) else 1 + _head(function)
        return "\n".join(
            [*lines[:last], textwrap.indent(textwrap.dedent(self.body).strip(), "    ")]
        )

    def wrong(self, says: str = "", *, expects: str = "") -> Callable:
        """Add a wrong answer: a misconception to name, or a text that its message must contain."""
        if bool(says) == bool(expects):
            raise ValueError(f"wrong answer of {self.id}: give either a sentence or expects=...")

        def add(function: Callable) -> Callable:
            self.wrongs.append(Wrong(function, says, expects or says))
            return function

        return add

    def right(self, function: Callable) -> Callable:
        """Add another road to the answer."""
        self.rights.append(function)
        return function

    def check(self, layer: str) -> Callable:
        """Add a layer of checks; `layer` names it in messages."""

        def add(function: Callable) -> Callable:
            self.checks.append((layer, function))
            return function

        return add


def _head(function: ast.FunctionDef) -> int:
    """Number of lines before the body, without the decorator's."""
    return function.body[0].lineno - function.lineno


def _source_without_decorator(function: Callable) -> str:
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    return "\n".join(lines[ast.parse("\n".join(lines)).body[0].lineno - 1 :])


_EXERCISES: dict[str, Exercise] = {}


def define(
    id: str,
    *,
    notebook: int,
    hints: list[str],
    body: str = "...",
    equivalent: dict[str, str] | None = None,
    look: Callable | None = None,
    looked_at: str = "",
    drawn: bool = False,
    inputs: Callable | None = None,
    trials: int = 30,
) -> Callable[[Callable], Exercise]:
    """Make an exercise of its reference (the form: module docstring).

    Parameters
    ----------
    id : ``"lesson.name"``, as in ``@exercise("lesson.name")``.
    notebook : number of the notebook.
    hints : two or more, each telling more than the one before.
    body : the stub's code below the docstring.
    equivalent : mutants of the reference that behave as it does, each with the reason.
    look : what of an answer to compare with another answer; all of it if left out.
    looked_at : what a learner calls that, as in "U @ V.T".
    drawn : whether chance decides what comes back.
    inputs : makes a random input of a generator, where `fuzz` cannot vary those of the checks.
    trials : on how many inputs an answer is tried to find out what is wrong with it.
    """

    def make(reference: Callable) -> Exercise:
        known = _EXERCISES.get(id)
        if known and known.reference.__module__ != reference.__module__:
            raise ValueError(f"id {id!r} is taken by {known.reference.__module__}: choose another.")
        made = Exercise(
            id,
            notebook,
            reference,
            hints,
            body,
            equivalent or {},
            look,
            looked_at,
            drawn,
            inputs,
            trials,
        )
        _EXERCISES[id] = made
        return made

    return make


def load_lessons() -> None:
    """Import the lessons' modules, which define their exercises and their quizzes."""
    package = import_module(__package__)
    for module in sorted(found.name for found in pkgutil.iter_modules(package.__path__)):
        if module.startswith("nb"):
            import_module(f"{__package__}.{module}")


def all_exercises() -> list[Exercise]:
    """Every exercise of the course, in the order of the notebooks."""
    load_lessons()
    return sorted(_EXERCISES.values(), key=lambda one: one.notebook)


def get(id: str) -> Exercise:
    """The exercise of this id.

    Raises
    ------
    ValueError
        If there is none; the message names the nearest ids.
    """
    known = [one.id for one in all_exercises()]
    if id not in known:
        near = difflib.get_close_matches(str(id), known, n=3, cutoff=0.4) or known[:3]
        raise ValueError(
            f"id {id!r} is no exercise of this course; did you mean {' or '.join(near)}?"
        )
    return _EXERCISES[id]


# --- What a check says -------------------------------------------------------------------------


def short(value: Any, limit: int = 120) -> str:
    """A value as a learner reads it: plain numbers, one line, cut to `limit` characters."""
    try:
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, float):
            text = f"{value:.6g}"
        elif type(value) in (list, tuple) and len(value) <= 50:
            inside = ", ".join(short(part, limit) for part in value)
            if isinstance(value, list):
                text = f"[{inside}]"
            else:
                text = f"({inside},)" if len(value) == 1 else f"({inside})"
        elif isinstance(value, np.ndarray):
            text = np.array2string(value, precision=4, separator=", ", threshold=40)
        elif isinstance(value, np.random.Generator):
            text = "a random generator"  # its repr is an address
        elif isinstance(value, FunctionType):
            text = _source_of(value)
        elif hasattr(value, "toarray"):  # a sparse one, whose repr shows no number
            text = f"{type(value).__name__}({short(value.toarray(), limit)})"
        else:
            text = repr(value)
        text = " ".join(text.split())
    except Exception:
        return f"a {type(value).__name__} that cannot be shown"
    return text if len(text) <= limit else f"{text[: limit - 4]} ..."


def _source_of(function: FunctionType) -> str:
    """A function so that a learner can write the call again: a lambda as it stands, or a name."""
    if function.__name__ != "<lambda>":
        return function.__name__
    source = inspect.getsource(function).strip()
    for end in range(len(source), 0, -1):  # it may stand in the middle of a call
        try:
            tree = ast.parse(source[:end])
        except SyntaxError:
            continue
        found = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
        if len(found) == 1:
            return ast.unparse(found[0])
    return "a function"


def _kind(value: Any) -> str:
    """The type of a value in a sentence: `a list`, `an ndarray`."""
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' or name == 'ndarray' else 'a'} {name}"


def _sentence(fact: str, why: str) -> Mistake:
    return Mistake(f"{fact} {why}".strip())


def expect(holds: Any, sentence: str) -> None:
    """Say the sentence unless the condition holds."""
    if not holds:
        raise Mistake(sentence)


def expect_type(got: Any, types: type | tuple[type, ...], wanted: str) -> Any:
    """Demand an instance of `types`; `wanted` names it to the learner, as in ``"a DataFrame"``."""
    if not isinstance(got, types):
        raise Mistake(f"It returned {_kind(got)}, {short(got)}; it should return {wanted}.")
    return got


def expect_number(got: Any) -> float:
    """Demand one number; a numpy scalar or an array without axes is as good."""
    if isinstance(got, np.ndarray) and got.ndim == 0:
        got = got.item()
    if not isinstance(got, (Number, np.bool_)) or isinstance(got, complex):
        raise Mistake(f"It returned {_kind(got)}, {short(got)}; it should return a single number.")
    return float(got)


def expect_integer(got: Any) -> int:
    """Demand one whole number that can serve as a position."""
    if isinstance(got, np.ndarray) and got.ndim == 0:
        got = got[()]
    if not isinstance(got, Integral) or isinstance(got, bool):
        raise Mistake(
            f"It returned {_kind(got)}, {short(got)}; it should return a whole number, an int."
        )
    return int(got)


def as_array(got: Any) -> np.ndarray:
    """A list, array, sparse matrix, Series or DataFrame as an array of numbers."""
    if hasattr(got, "toarray"):
        got = got.toarray()
    elif hasattr(got, "to_numpy"):
        got = got.to_numpy()
    if isinstance(got, (str, bytes, dict, set, frozenset)):
        raise Mistake(f"It returned {_kind(got)}, {short(got)}; it should return numbers.")
    try:
        array = np.asarray(got)
        if array.dtype.kind == "c":
            raise TypeError  # numpy would drop the imaginary part with a mere warning
        return array if array.dtype.kind in "biuf" else array.astype(float)
    except Exception:
        raise Mistake(
            f"It returned {short(got)}, which is no array of numbers: "
            "are its rows of different lengths, or is something else than numbers inside?"
        ) from None


def expect_shape(got: Any, shape: tuple[int, ...], what: str = "The result") -> np.ndarray:
    """Demand numbers of this shape, in whatever container, and return them as an array."""
    array = as_array(got)
    if array.shape != tuple(shape):
        turned = len(shape) > 1 and array.shape == tuple(shape)[::-1]
        raise _sentence(
            f"{what} has shape {array.shape}; it should have shape {tuple(shape)}.",
            "Is it transposed?" if turned else "",
        )
    return array


def expect_close(got: Any, wanted: Any, why: str = "", *, tol: float = 1e-9) -> None:
    """Demand these numbers, in whatever container.

    Parameters
    ----------
    got, wanted : numbers or arrays; a NaN is equal to a NaN.
    why : what a learner should know if it differs: the case worked out by hand.
    tol : relative and absolute tolerance. 1e-9 leaves room for another order of additions only.
    """
    wanted = as_array(wanted)
    if wanted.ndim == 0:
        array = np.asarray(expect_number(got))
    else:
        array = expect_shape(got, wanted.shape)
    wrong = ~np.isclose(array, wanted, rtol=tol, atol=tol, equal_nan=True)
    if not wrong.any():
        return
    where = tuple(int(place) for place in np.argwhere(wrong)[0])
    one, other = array[where], wanted[where]
    texts = short(one), short(other)
    if texts[0] == texts[1]:
        texts = repr(one.item()), repr(other.item())
    if where:
        at = f"position {list(where)}" if len(where) > 1 else f"position {where[0]}"
        raise _sentence(f"The result has {texts[0]} at {at}; right is {texts[1]}.", why)
    raise _sentence(f"It returned {texts[0]}; right is {texts[1]}.", why)


def expect_equal(got: Any, wanted: Any, why: str = "") -> None:
    """Demand exactly this value: labels, positions, texts; lists, tuples and arrays are as good."""
    one, other = _plain(got), _plain(wanted)
    if _same(one, other):
        return
    fact = f"It returned {short(one)}; right is {short(other)}."
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        if all(any(_same(a, b) for b in other) for a in one) and all(
            any(_same(a, b) for a in one) for b in other
        ):
            fact += " These are the right ones in another order."
    raise _sentence(fact, why)


def _plain(value: Any) -> Any:
    """Arrays, tuples and their like as lists, numpy's scalars as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "toarray"):
        return value.toarray().tolist()
    if hasattr(value, "to_numpy"):
        return value.to_numpy().tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value


def _same(one: Any, other: Any, tol: float = 1e-12) -> bool:
    """Whether two values are equal, whatever they are; False where they cannot be compared."""
    try:
        if (
            isinstance(one, np.ndarray)
            and isinstance(other, np.ndarray)
            and one.dtype.kind in "biuf"
        ):
            return one.shape == other.shape and bool(
                np.allclose(one, other, rtol=tol, atol=tol, equal_nan=True)
            )
        one, other = _plain(one), _plain(other)
        if isinstance(one, list) and isinstance(other, list):
            return len(one) == len(other) and all(
                _same(a, b, tol) for a, b in zip(one, other, strict=True)
            )
        if isinstance(one, float) and isinstance(other, Number):
            return bool(np.isclose(one, other, rtol=tol, atol=tol, equal_nan=True))
        return bool(one == other)
    except Exception:
        return False


def _unchanged(before: Any, after: Any) -> bool:
    """Whether an input is what it was; a random generator, or what we do not know, may change."""
    if isinstance(before, np.ndarray):
        return before.shape == after.shape and _same(before, after)
    if hasattr(before, "equals"):
        return before.equals(after)
    if hasattr(before, "toarray"):
        return before.shape == after.shape and (before != after).nnz == 0
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(map(_unchanged, before, after))
    if isinstance(before, dict):
        return list(before) == list(after) and all(map(_unchanged, before.values(), after.values()))
    if isinstance(before, (Number, str, bytes, set, frozenset)):
        return _same(before, after)
    if hasattr(before, "__dict__"):
        return _unchanged(vars(before), vars(after))
    return True


# --- Running the checks -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Raised:
    """What came of a call that raised; the exception itself would keep all its variables alive."""

    kind: type
    words: str = ""


# What numpy and Python mean by it: a pattern of their words, what the line of code has (a pattern),
# and the advice. The first that fits speaks: what asks for most stands first. Of shapes that do not
# line up it is the sizes that tell the slip: (3,2) with (3,) lacks a column.
_PLAINLY = (
    (
        "could not be broadcast together",
        r"/ ?[\w.]+(\(\w*\))? ?@",
        "These shapes do not line up: what stands under a fraction line needs brackets, as in "
        "a / (b @ b).",
    ),
    (
        r"could not be broadcast .*\((\d+),(?!\1\))\d+\) \(\1,\)"
        r"|could not be broadcast .*\((\d+),\) \(\2,(?!\2\))\d+\)",
        "",
        "These shapes do not line up: one number for each row of a table has to be a column. "
        "A mean, a sum or a norm of each row stays one with keepdims=True, and x[:, None] makes "
        "one of x.",
    ),
    (
        r"could not be broadcast .*\(\d+,(\d+)\) \(\1,1\)"
        r"|could not be broadcast .*\((\d+),1\) \(\d+,\2\)",
        r"None|newaxis|keepdims|reshape",
        "These shapes do not line up: a column has one number for each row of a table. What has "
        "one for each column of it stays flat, without [:, None].",
    ),
    (
        r"could not be broadcast .*\((\d+),\1\) \((\d+),\2\)",
        r"eye\(|identity\(",
        "These shapes do not line up: matrices that are added have one size, and so has an "
        "identity. Print each `.shape`.",
    ),
    (
        r"could not be broadcast .*\(\d+,(\d+)\) \(\1,\d+\)|inconsistent shapes",
        r"\S \* \S",
        "These shapes do not line up: `*` multiplies number by number, `@` is the product of "
        "matrices. Print each `.shape`.",
    ),
    (
        "could not be broadcast together",
        "",
        "These shapes do not line up: print each `.shape`.",
    ),
    (
        "out of bounds for axis",
        "",
        "Positions go from 0 to the size less 1: is a size written as a number, or a label taken "
        "for a position?",
    ),
    (
        "list index out of range",
        "",
        "A list has the positions from 0 to its length less 1: is this one shorter than you took "
        "it for?",
    ),
    (
        "zero-size array to reduction|argument is empty|empty sequence",
        "",
        "There is nothing to take the smallest or the largest of: ask first whether there is any.",
    ),
    (
        "Cannot cast ufunc",
        r"[-+*/]=",
        "In place, as with `+=`, an array of whole numbers stays one: write `a = a + ...`, or make "
        "it float first, `.astype(float)`.",
    ),
    (
        "ufunc 'invert' not supported",
        "~",
        "`~` turns booleans round, and no numbers: write `x == 0`.",
    ),
    (
        "boolean index did not match",
        "",
        "A mask has one True or False for each entry: print the `.shape` of both.",
    ),
    (
        "math range error",
        "",
        "A number on the way is too large for a float, as exp(1000) is: write the formula so that "
        "none arises.",
    ),
    ("has no attribute 'getnnz'", "", "`.nnz` counts the stored cells."),
    (
        "mismatch in its core dimension",
        "",
        "In a product the inner sizes must agree, as in (3, 2) @ (2, 5): print each `.shape`, and "
        "transpose where they do not.",
    ),
    (
        "can't multiply sequence",
        "",
        "Python does not multiply lists pair by pair: go through them with zip(...), or make each "
        "an array with np.array(...).",
    ),
    (
        "dimensions of the array must be square",
        "",
        "`solve` and `inv` take a square matrix: print its `.shape`. To multiply each row of V by "
        "a number, make the numbers a column: `x[:, None] * V`.",
    ),
    (
        "for @: 'list'",
        "",
        "`@` takes arrays: make the list one with np.array(...), or go through it with zip(...).",
    ),
    (
        "cannot access local variable",
        "",
        "Is the name misspelt, or used before it got its first value?",
    ),
    (
        "truth value of an array",
        r"\b(?:max|min)\(",
        "`max` and `min` compare two numbers: for two arrays, number by number, there are "
        "np.maximum and np.minimum.",
    ),
    (
        "truth value of an array",
        r"\band\b|\bor\b|\bnot\b",
        "`and`, `or` and `not` ask about one value: for arrays, number by number, write & | ~.",
    ),
    (
        "truth value of an array",
        r"\bif\b|\bwhile\b",
        "An `if` asks one question, not one for each element: compute with the whole array, or use "
        "np.where.",
    ),
    (
        "truth value of an array",
        "",
        "Here Python needs one yes or no, and gets one for each element: print what is compared.",
    ),
    (
        "inhomogeneous shape",
        "",
        "Arrays of different shapes do not fit into one array: return them as they are, with "
        "commas between.",
    ),
    ("unhashable type: 'list'", r"\bin\b", "`in` a set asks about one item: go through the list."),
    ("for &: 'list' and 'set'", "&", "Make the list a set first: set(...)."),
    ("'set' object is not subscriptable", "", "A set has no order: ask `item in ...`."),
    ("sparse array length is ambiguous", "", "Use `.shape`: rows, columns."),
    ("unary ~: 'list'", "~", "A list has no ~: write `not` for one of its entries."),
    ("has no attribute 'relu'", "", "numpy has no relu: write np.maximum(0, ...)."),
    (
        "Integers to negative integer powers",
        "",
        "`** -1` divides 1 by each number: the inverse of a matrix is np.linalg.inv.",
    ),
    (
        "'NoneType' object",
        r"\.(?:sort|append|reverse|extend)\(|\w",
        "Something here is None: list.sort(), .append() and .reverse() change the list and return "
        "nothing.",
    ),
)


def settled(value: Any) -> Any:
    """What an answer returned, as plain numbers, texts, lists and arrays.

    Objects that say of themselves what they equal, or how large they are, could pass any check: so
    the checks see none. What numpy, scipy, pandas and Keras return is left as it is.
    """
    kind = type(value)  # not isinstance, which asks the value what it is
    home = kind.__module__.partition(".")[0]
    if value is None or value is Ellipsis or kind in (bool, int, float, complex, str, bytes):
        return value
    for base in (int, float, complex, str, bytes):
        if issubclass(kind, base) and home != "numpy":
            return base.__new__(base, base.__add__(value, base()))
    if issubclass(kind, np.ma.MaskedArray):
        raise Mistake(
            "It returned a masked array: the cells below would take what is masked for numbers. "
            "Return an ordinary array."
        )
    if issubclass(kind, np.ndarray):
        array = np.ndarray.__array__(value)  # a plain one, also of a matrix
        if array.dtype.kind == "O":
            return np.array([settled(each) for each in array.ravel()], object).reshape(array.shape)
        return array
    if issubclass(kind, (list, tuple)):
        own = list if issubclass(kind, list) else tuple
        return own([settled(each) for each in own.__iter__(value)])
    if issubclass(kind, dict):
        return {settled(key): settled(each) for key, each in dict.items(value)}
    if issubclass(kind, (set, frozenset)):
        return {settled(each) for each in set.union(set(), value)}
    if issubclass(kind, Fraction):
        return float(Fraction(value.numerator, value.denominator))
    if home in ("numpy", "scipy", "pandas", "keras", "tensorflow") or issubclass(
        kind, GeneratorType
    ):
        return value
    if issubclass(kind, FunctionType) or home == "builtins":
        return value
    raise Mistake(
        f"It returned {_kind(value)}, a class of its own: return plain numbers, lists or arrays."
    )


class Answer:
    """The learner's function as a check calls it: on copies of its inputs, with kind words."""

    def __init__(self, function: Callable, name: str):
        self.function = function
        self.name = name
        self.calls: list[tuple[tuple, Any]] = []  # the inputs, and what came of them
        self.done = 0  # calls that have ended
        self.seconds = 0.0  # of processor time that these took

    def __call__(self, *inputs: Any) -> Any:
        given = copy.deepcopy(inputs)
        self.calls.append((inputs, None))
        start = time.thread_time()
        try:
            got = self.function(*given)
        except BaseException as error:
            self.calls[-1] = (inputs, _Raised(type(error), _words(error)))
            if type(error) is NotImplementedError:
                raise NotStarted from None
            raise Mistake(self._raised(error)) from None
        self.calls[-1] = (inputs, got)
        self.done += 1
        self.seconds += time.thread_time() - start
        if got is Ellipsis:
            raise NotStarted
        if got is None:
            raise Mistake("It returned None: is a `return` missing?")
        if type(got) is GeneratorType:
            raise Mistake(
                "It returned a generator, which has computed nothing yet: "
                "return the finished value, for example with list(...) or sum(...)."
            )
        if not _unchanged(inputs, given):
            raise Mistake("It changed its input, which its caller still needs. Work on a copy.")
        plain = settled(got)
        # Of an array, or a tuple of some, `_container` wants to know the kind.
        parts = got if type(got) in (tuple, list) and got else [got]
        if not all(isinstance(part, np.ndarray) for part in parts):
            self.calls[-1] = (inputs, plain)
        return plain

    def _raised(self, error: BaseException) -> str:
        """What went wrong, and in which line of the learner's own code."""
        if isinstance(error, RecursionError):
            return "It calls itself without end (RecursionError)."
        if isinstance(error, Asked):
            return f"{error}."
        try:
            words = f": {str(error).strip().rstrip('.')}" if str(error) else ""
        except Exception:
            words = ""
        where = source = ""
        file = self.function.__code__.co_filename
        for frame, line in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename == file:
                source = linecache.getline(file, line).strip().rstrip(":")
                where = f" in line {line}" + (f", `{source}`" if source else "")
        plainly = next(
            (
                says
                for sign, has, says in _PLAINLY
                if re.search(sign, words) and re.search(has, source)
            ),
            "",
        )
        return f"It raised {type(error).__name__}{where}{words}. {plainly}".strip()

    def last_call(self) -> str:
        """The latest call as text, empty if there was none."""
        if not self.calls:
            return ""
        return f"{self.name}({', '.join(map(short, self.calls[-1][0]))})"


@dataclass(frozen=True)
class Verdict:
    """What came of checking an answer."""

    state: str  # "right", "not yet" or "not started"
    message: str = ""
    layer: str = ""
    passed: tuple[str, ...] = ()
    call: str = ""


def _misfit(exercise: Exercise, function: Any) -> str:
    """Why the answer cannot even be called as the exercise says, or nothing."""
    wanted = f"Write it as `def {exercise.signature}:`."
    if type(function) is not FunctionType:
        return f"This is {_kind(function)}, not a function. {wanted}"
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return f"Your function is defined with `async`, which is of no use here. {wanted}"
    if function.__name__ != exercise.name:
        return f"Your function has another name, `{function.__name__}`. {wanted}"
    mine = inspect.signature(function).parameters.values()
    theirs = inspect.signature(exercise.reference).parameters.values()
    # Later cells call it by these names and rely on these defaults; more parameters do no harm
    # as long as they can be left out.
    extra = list(mine)[len(theirs) :]
    if [(p.name, p.kind, p.default) for p in mine][: len(theirs)] != [
        (p.name, p.kind, p.default) for p in theirs
    ] or any(
        p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in extra
    ):
        return f"Your function takes `{inspect.signature(function)}`. {wanted}"
    return ""


def _is_stub(exercise: Exercise, function: Any) -> bool:
    """Whether the function's code is the stub's, whatever its docstring."""
    cell = compile(exercise.stub, "stub", "exec")
    stub = next(part for part in cell.co_consts if inspect.iscode(part))
    if type(function) is not FunctionType:
        return False

    def essence(code: Any) -> list:
        return [(step.opname, step.argrepr) for step in dis.get_instructions(code)]

    return essence(function.__code__) == essence(stub)


def _seen(exercise: Exercise, value: Any) -> Any:
    """What of a value counts, or of which kind the error is where that cannot be said."""
    if exercise.look is None or isinstance(value, _Raised):
        return value
    try:
        return exercise.look(value)
    except Exception as error:
        return _Raised(type(error), str(error))


def drawn(exercise: Exercise) -> list[tuple]:
    """The inputs on which the checks call an answer, here the reference."""
    if "calls" not in exercise.memory:
        found: list[tuple] = []
        for _, check in exercise.checks:
            answer = Answer(exercise.reference, exercise.name)
            with contextlib.suppress(Exception):
                check(answer)
            found += [inputs for inputs, _ in answer.calls]
        exercise.memory["calls"] = found
    return exercise.memory["calls"]


def fuzzed(exercise: Exercise, count: int, seed: int = 0) -> list[tuple]:
    """Random inputs beyond those of the checks: of other sizes, and with other numbers.

    Those for which the reference has no finite numbers are left out: they are no valid ones.
    """
    if exercise.inputs is not None:
        rng = np.random.default_rng(seed)
        return [exercise.inputs(rng) for _ in range(count)]
    made = varied(drawn(exercise), np.random.default_rng(seed), 2 * count)
    return [each for each in made if _is_valid(exercise, each)][:count]


def _is_valid(exercise: Exercise, inputs: tuple) -> bool:
    got = _outcome(exercise.reference, inputs)
    if isinstance(got, _Raised):
        return False
    try:
        return bool(np.all(np.isfinite(np.asarray(got, dtype=float))))
    except (TypeError, ValueError):
        return True


def _inputs(exercise: Exercise) -> list[tuple]:
    """On what an answer is tried: what the checks draw, and as much beyond it."""
    if "inputs" not in exercise.memory:
        calls = drawn(exercise)
        some = calls[:: max(1, -(-len(calls) // (exercise.trials // 2)))]
        exercise.memory["inputs"] = some + fuzzed(exercise, exercise.trials - len(some))
    return exercise.memory["inputs"]


def _tried(exercise: Exercise, function: Callable, at: int) -> Any:
    """What a function of the exercise itself returns on one of the inputs, computed once."""
    key = function, at
    if key not in exercise.memory:
        inputs = _inputs(exercise)[at]
        exercise.memory[key] = _seen(exercise, _outcome(function, inputs))
    return exercise.memory[key]


def _alike(one: Any, other: Any) -> bool:
    """Whether two answers are equal but for the order of additions, or raised the same."""
    if isinstance(one, _Raised) or isinstance(other, _Raised):
        return isinstance(one, _Raised) and isinstance(other, _Raised) and one == other
    return _same(one, other, 1e-7)


def _why(exercise: Exercise, function: Callable, answer: Answer, tried: list) -> str:
    """What the learner's slip was, from what the answer returns on all that the checks draw.

    First the misconceptions of the exercise, then the slips that any exercise may meet. One that
    fits the call that failed by chance does not fit the others. `tried` collects the outcomes, for
    those who have to give up: the answer may never end on one of the inputs.
    """
    failed, got = answer.calls[-1]
    got = _seen(exercise, got)
    right = _seen(exercise, _outcome(exercise.reference, failed))
    if not exercise.drawn and _alike(got, right):
        return "" if _same(got, right, 1e-9) else nearly(got)
    before = [(inputs, _seen(exercise, value)) for inputs, value in answer.calls[:-1]]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        start = time.thread_time()
        for inputs in _inputs(exercise):
            tried.append(_seen(exercise, _settled_outcome(function, inputs)))
            if time.thread_time() - start > TRYING / 2:
                break
    return _told(exercise, failed, got, right, before, tried)


def _told(
    exercise: Exercise, failed: tuple, got: Any, right: Any, before: list, tried: list
) -> str:
    """The sentence for a slip: what explains all that was tried goes before what explains most."""
    says, share = _named(exercise, failed, got, before, tried)
    if says and share == 1:
        return says
    trials = _trials(exercise, failed, got, right, tried)
    fact = _about(exercise, certain(trials, exercise.reference, exercise.look))
    return (
        fact
        or says
        or _named_in_parts(exercise, trials)
        or _about(exercise, explain(trials, exercise.reference))
    )


def _named(
    exercise: Exercise, failed: tuple, got: Any, before: list, tried: list
) -> tuple[str, float]:
    """The sentence of the wrong answer that returns what this one does, and on what share of it."""
    best, says = 0.0, ""
    for wrong in exercise.wrongs:
        if not wrong.says or not _alike(_seen(exercise, _outcome(wrong.function, failed)), got):
            continue
        so_far = all(
            _alike(_seen(exercise, _outcome(wrong.function, inputs)), value)
            for inputs, value in before
        )
        made = [_tried(exercise, wrong.function, at) for at in range(len(tried))]
        equal = [_alike(one, value) for one, value in zip(made, tried, strict=True)]
        # Where the wrong answer is right, so is the learner's by many other roads.
        hits = [
            hit
            for at, hit in enumerate(equal)
            if not _alike(made[at], _tried(exercise, exercise.reference, at))
        ]
        share = sum(hits) / len(hits) if hits else 0.5
        if not all(equal):
            share = min(share, 0.99)
        # A learner may have made another slip as well, which shows on some inputs only.
        if share > best and share >= (0.6 if so_far else 0.8):
            best, says = share, wrong.says
    return says, best


def _trials(exercise: Exercise, failed: tuple, got: Any, right: Any, tried: list) -> list[Trial]:
    """All that was tried, the call that failed first, beside what is right."""
    if exercise.drawn:
        return []

    def trial(inputs: tuple, one: Any, other: Any) -> Trial:
        same = _alike(one, other)
        return Trial(inputs, None if isinstance(one, _Raised) else one, other, same)

    inputs = _inputs(exercise)
    trials = [trial(failed, got, right)] + [
        trial(inputs[at], value, _tried(exercise, exercise.reference, at))
        for at, value in enumerate(tried)
    ]
    return [each for each in trials if not isinstance(each.right, _Raised)]


def _about(exercise: Exercise, says: str) -> str:
    return f"Of `{exercise.looked_at}`: {says}" if says and exercise.looked_at else says


def _named_in_parts(exercise: Exercise, trials: list[Trial]) -> str:
    """The same for one part of an answer of several, where the others are right."""
    if not trials or not isinstance(trials[0].right, tuple) or exercise.look:
        return ""
    many = len(trials[0].right)
    kept = [t for t in trials if isinstance(t.got, (tuple, list)) and len(t.got) == many]
    if len(kept) < len(trials):
        return ""
    wrong = [n for n in range(many) if not all(_alike(t.got[n], t.right[n]) for t in kept)]
    if len(wrong) != 1:
        return ""
    (n,) = wrong
    for slip in exercise.wrongs:
        if not slip.says:
            continue
        made = [_outcome(slip.function, t.inputs) for t in kept]
        if all(
            isinstance(m, (tuple, list)) and len(m) == many and _alike(m[n], t.got[n])
            for m, t in zip(made, kept, strict=True)
        ):
            which = ("first", "second", "third", "fourth")[n]
            return f"Of what is returned only the {which} part is wrong. {slip.says}"
    return ""


def _cell(function: Any) -> ast.Module | None:
    """The syntax tree of the cell that defines a function, None where it cannot be had."""
    if type(function) is not FunctionType:
        return None
    source = "".join(linecache.getlines(function.__code__.co_filename))
    try:
        return ast.parse(source)
    except SyntaxError:  # a magic command, a line for the shell
        return None


def _defined_beside(function: Any) -> set[str]:
    """The names that the cell of a function sets itself: the learner's own constants."""
    tree = _cell(function)
    nodes = [] if tree is None else [node for part in tree.body for node in ast.walk(part)]
    return {
        node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _borrowed(function: Any) -> str:
    """Which values the answer takes from the notebook: they are never those of the call."""
    if type(function) is not FunctionType:
        return ""
    codes = [function.__code__]
    for code in codes:  # grows by the functions and comprehensions inside
        codes += [part for part in code.co_consts if inspect.iscode(part)]
    steps = [step for code in codes for step in dis.get_instructions(code)]
    read = {step.argval for step in steps if step.opname == "LOAD_GLOBAL"}
    data = (np.ndarray, np.random.Generator, Number, str, list, tuple, dict, set)
    values = {
        name
        for name in read
        if name in function.__globals__ and issubclass(type(function.__globals__[name]), data)
    }
    if values:  # to read the whole cell takes longer than all else
        values -= _defined_beside(function)
    if not values:
        return ""
    told = " and ".join(f"`{name}`" for name in sorted(values))
    return f"Your function takes {told} from the notebook: use its arguments, or compute it there."


def _container(exercise: Exercise, answer: Answer) -> str:
    """Say so if right numbers come in another form than the reference's.

    The cells below compute with what the reference returns: a list has no ``.T``, a matrix has
    another ``*``, floats cannot be positions.
    """
    found, fractions = [], set()
    for inputs, got in answer.calls:
        wanted = _outcome(exercise.reference, inputs)
        pairs = [(got, wanted)]
        if isinstance(wanted, tuple):
            pairs = list(zip(got, wanted, strict=False)) if isinstance(got, (tuple, list)) else []
        for place, (part, model) in enumerate(pairs):
            found.append((place, part, model))
            if getattr(getattr(model, "dtype", None), "kind", "") == "f":
                fractions.add(place)
    for place, part, model in found:
        # Of whole numbers the reference makes whole numbers; they are no positions for that.
        if place in fractions and isinstance(model, np.ndarray):
            model = model.astype(float)
        told = _other_form(part, model)
        if told:
            return told
    return ""


def _other_form(part: Any, model: Any) -> str:
    """Why one value cannot stand where the reference's stands, or nothing."""
    if isinstance(model, np.ndarray) and model.ndim > 0:
        if type(part) is not np.ndarray:
            return (
                f"The numbers are right, but they come as {_kind(part)}, and the cells below "
                "compute with an array: return np.asarray(...) of them"
                + (", after .toarray()." if hasattr(part, "toarray") else ".")
            )
        kinds = {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}.get(model.dtype.kind)
        if kinds and part.dtype.kind not in kinds:
            names = {"f": "numbers", "i": "whole numbers", "u": "whole numbers", "b": "booleans"}
            return (
                f"The values are right, but the array holds {part.dtype}, and the cells below "
                f"compute with {names[model.dtype.kind]}: convert it with "
                f".astype({ {'f': 'float', 'b': 'bool'}.get(model.dtype.kind, 'int') })."
            )
    elif isinstance(model, Integral) and not isinstance(model, (bool, np.bool_)):
        if isinstance(part, (float, np.floating)):
            return (
                f"The number is right, but it is a float, {short(part)}, and the cells below need "
                "a whole number: return int(...) of it."
            )
    elif isinstance(model, list) and model and all(isinstance(each, Integral) for each in model):
        if any(isinstance(each, (float, np.floating)) for each in part):
            return (
                "The positions are right, but they are floats, and the cells below use them to "
                "look up: return whole numbers, as in [int(j) for j in ...]."
            )
    return ""


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def _outcome(function: Callable, inputs: tuple) -> Any:
    try:
        with np.errstate(all="ignore"):  # what a wrong answer divides by is no news to the learner
            return function(*copy.deepcopy(inputs))
    except Exception as error:
        return _Raised(type(error), _words(error))


def _settled_outcome(function: Callable, inputs: tuple) -> Any:
    """The same for a learner's function, which may return anything."""
    value = _outcome(function, inputs)
    if isinstance(value, _Raised):
        return value
    try:
        return settled(value)
    except Mistake as mistake:
        return _Raised(Mistake, str(mistake))


def _check(exercise: Exercise, function: Any, answer: Answer) -> Verdict:
    """Run the layers until one fails."""
    if any(isinstance(part, ast.Return) for part in getattr(_cell(function), "body", [])):
        says = "A `return` stands at the left edge, outside of the function: indent it."
        return Verdict("not yet", says, "how it is written")
    if _is_stub(exercise, function):
        return Verdict("not started")
    misfit = _misfit(exercise, function)
    if misfit:
        return Verdict("not yet", misfit, "how it is called")
    passed: list[str] = []
    for layer, check in exercise.checks:
        try:
            check(answer)
        except NotStarted:
            return Verdict("not started")
        except Exception as error:
            if isinstance(error, Mistake):
                says = str(error)
            else:  # the check choked on what it was given
                got = answer.calls[-1][1] if answer.calls else None
                says = f"The check cannot work with what it returned, {short(got)}."
            return Verdict("not yet", says, layer, tuple(passed), answer.last_call())
        passed.append(layer)
    misfit = _container(exercise, answer)
    if misfit:
        return Verdict("not yet", misfit, "what it returns", tuple(passed), answer.last_call())
    return Verdict("right", passed=tuple(passed))


# Modules whose functions the checks rest on, with what they hold when the course is loaded.
_TRUSTED = [
    (module, {name: each for name, each in vars(module).items() if callable(each)})
    for module in (np, np.linalg, np.random, np.testing, math, builtins)
]


def _restored() -> str:
    """Put back what an answer has replaced in the modules that the checks use; say what it was."""
    changed = []
    for module, names in _TRUSTED:
        for name, each in names.items():
            if vars(module).get(name) is not each and name != "input":  # the kernel has its own
                setattr(module, name, each)
                changed.append(f"`{module.__name__}.{name}`")
    if not changed:
        return ""
    return f"Your code replaced {', '.join(changed)}: it was put back. Use another name."


def _cut_short(stop: Stopped, answer: Answer, before: float) -> str:
    """Why a check was stopped: slow and endless are told apart."""
    many = f"{answer.done} call{'s' * (answer.done != 1)}"
    ended = " It was stopped."
    if not stop.ended:
        ended = (
            " It could not be stopped and may go on in the background: if your computer is"
            " slow, choose Kernel > Restart Kernel from the menu."
        )
    if stop.why == "memory":
        says = "It was filling the memory of your computer. Does a list grow without end?"
    elif stop.why == "interrupt":
        says = "You interrupted the check."
    elif stop.why == "waiting":
        says = "It waits and computes nothing: is there a sleep, or a wait for somebody?"
    # Slow, if the call that was stopped did not take far more than those before it.
    elif answer.done and (
        before > stop.seconds / 4 or stop.seconds - before < 10 * before / answer.done
    ):
        says = (
            f"It is slow: {many} took {before:.2g} of the {stop.seconds:.2g} seconds that it "
            "computed, and there were more to come. Make fewer turns, or let numpy do the loop."
        )
    elif answer.done:
        says = (
            f"It was still running after {stop.seconds:.2g} seconds of computing, though {many} "
            f"had ended after {before:.2g}. Does a loop never end for this input?"
        )
    else:
        says = (
            f"It was still running after {stop.seconds:.2g} seconds of computing, in its first "
            "call. Does a loop never end? (If it only takes long: make fewer turns.)"
        )
    return says + ended


def _explained(exercise: Exercise, function: Any, answer: Answer, verdict: Verdict) -> Verdict:
    """The verdict with the learner's slip named, where it can be found in good time."""
    says, tried = "", []
    if answer.calls:
        try:
            says = run_limited(lambda: _why(exercise, function, answer, tried), TRYING)
        except Stopped:
            failed, got = answer.calls[-1]
            before = [(inputs, _seen(exercise, value)) for inputs, value in answer.calls[:-1]]
            says, _ = _named(exercise, failed, _seen(exercise, got), before, tried)
        except (Exception, SystemExit, KeyboardInterrupt):
            says = ""  # the answer itself raises it
    told = " ".join(part for part in (_borrowed(function), says, verdict.message) if part)
    return replace(verdict, message=told)


def examine(
    exercise: Exercise, function: Any, *, seconds: float = SECONDS, why: bool = True
) -> Verdict:
    """Check an answer, whatever it does: it may raise, never end, or return anything at all.

    Without `why` a wrong one is not searched for its slip.
    """
    answer = Answer(function, exercise.name)
    replaced = _restored()
    try:
        verdict = run_limited(lambda: _check(exercise, function, answer), seconds)
        if why and verdict.layer in dict(exercise.checks) and verdict.state == "not yet":
            verdict = _explained(exercise, function, answer, verdict)
    except Stopped as stop:
        says = _cut_short(stop, answer, answer.seconds)
        verdict = Verdict("not yet", says, "it ends", call=answer.last_call())
    except BaseException as error:
        verdict = Verdict("not yet", f"The check cannot work with this ({type(error).__name__}).")
    replaced = _restored() or replaced
    if replaced:
        return Verdict("not yet", replaced, "it leaves the tools alone")
    return verdict
