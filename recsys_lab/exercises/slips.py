"""What can be said of any wrong answer from what it returns: facts, whatever the exercise.

An exercise names the misconceptions of its own (``@agreement.wrong``). Beside them stand slips that
every exercise may meet: a turned sign, a factor that is always the same, digits cut off, the first
of several only, right for square tables alone. Each is told only if it explains all that the answer
returned, on all inputs that were tried: then it is a fact.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np

CLOSE = 1e-9
FEW = 3  # inputs that have to agree before a rule is believed


@dataclass(frozen=True)
class Trial:
    """One input, what the answer returned for it, and what is right; None where it raised."""

    inputs: tuple
    got: Any
    right: Any
    same: bool  # whether the answer was right here


def _numbers(value: Any) -> np.ndarray | None:
    """A value as an array of floats, or None if it is none."""
    if hasattr(value, "toarray"):
        value = value.toarray()
    elif hasattr(value, "to_numpy"):
        value = value.to_numpy()
    if not isinstance(value, (Number, np.ndarray, np.generic, list, tuple)):
        return None
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    if array.dtype.kind not in "biuf":
        return None
    return array.astype(float)


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(
        np.allclose(one, other, rtol=CLOSE, atol=CLOSE, equal_nan=True)
    )


# --- Numbers of the right shape, but other numbers ------------------------------------------------


def _of_the_right(got: list, right: list) -> str:
    """The rule that makes what was returned of what is right, or nothing."""
    several = right[0].size > 1
    each, they = ("each number", "They are") if several else ("the number", "It is")
    rules: list[tuple[Callable, str]] = [
        (np.negative, f"But for the sign {each} is right: it is turned round."),
        (np.abs, "The sign is lost: numbers below 0 came out above it."),
        (lambda w: np.maximum(w, 0), "Numbers below 0 came out as 0."),
        (lambda w: np.minimum(w, 1), "Numbers above 1 came out as 1."),
        (np.floor, "What stands behind the point is cut off: `//` does that, and int(...)."),
        (np.trunc, "What stands behind the point is cut off: `//` does that, and int(...)."),
        *(
            (lambda w, d=d: np.round(w, d), f"{they} rounded: keep all the digits.")
            for d in range(7)
        ),
        (lambda w: 100 * w, f"{they} 100 times too large, as per cent are."),
        (lambda w: 1 - w, f"{they} 1 minus what is right."),
        (lambda w: 1 / w, f"{they} upside down: 1 divided by what is right."),
        (np.square, f"{they} the square of what is right."),
        (lambda w: np.sqrt(np.abs(w)), f"{they} the square root of what is right."),
        (lambda w: np.log(w), f"{they} the logarithm of what is right."),
        (lambda w: w > 0, f"{they} a yes or no, 1 or 0, where a number is asked for."),
    ]
    if several:
        rules += [
            (lambda w: w.T, "Rows and columns are exchanged: transpose it."),
            (lambda w: w[::-1], "These are the right ones in reverse order."),
            (np.cumsum, "These are running sums of what is right."),
            (_first_only, "Only the first is right. Does a `return` stand inside the loop?"),
            (_last_only, "Only the last is right: did each turn of a loop begin anew?"),
            (
                lambda w: w / w.sum(),
                "They are divided by their sum, so that they add up to 1: leave them as they are.",
            ),
            (
                lambda w: w / np.sqrt(np.sum(w**2)),
                "They are divided by their length: leave them as they are.",
            ),
            (
                lambda w: w - w.mean(),
                "Their mean is subtracted: leave them as they are.",
            ),
        ]
    for rule, says in rules:
        if _holds(rule, got, right):
            return says
    return ""


def _first_only(right: np.ndarray) -> np.ndarray:
    left = np.zeros(right.shape)
    if len(left):
        left[0] = right[0]
    return left


def _last_only(right: np.ndarray) -> np.ndarray:
    left = np.zeros(right.shape)
    if len(left):
        left[-1] = right[-1]
    return left


def _holds(rule: Callable, got: list, right: list) -> bool:
    """Whether a rule gives all that was returned, and something else than what is right."""
    differs = 0
    for one, other in zip(got, right, strict=True):
        try:
            with np.errstate(all="ignore"):
                made = np.asarray(rule(other), dtype=float)
        except (ValueError, IndexError, TypeError):
            return False
        if not _equal(made, one):
            return False
        differs += not _equal(made, other)
    return differs >= min(FEW, len(got)) and differs >= 2


def _quotient(one: np.ndarray, other: np.ndarray) -> float | None:
    """The number that all of `one` is of `other`; None if there is none."""
    there = np.abs(other) > CLOSE
    if not there.any():
        return None
    factor = float(one[there][0] / other[there][0])
    if abs(factor) < CLOSE or not _equal(one, factor * other):
        return None
    return factor


def _by_a_factor(trials: list[Trial], got: list, right: list, names: list[str]) -> str:
    """A factor that is the same everywhere, or is a size, or one of the arguments."""
    factors = [_quotient(one, other) for one, other in zip(got, right, strict=True)]
    kept = [(t, f) for t, f in zip(trials, factors, strict=True) if f is not None]
    # What is 0 is 0 times anything.
    if len(kept) < FEW or len(kept) < len(
        [1 for r, g in zip(right, got, strict=True) if np.abs(r).max(initial=0) > CLOSE]
    ):
        return ""
    if any(
        f is None and np.abs(g).max(initial=0) > CLOSE for f, g in zip(factors, got, strict=True)
    ):
        return ""
    each, it = ("Each number", "them") if right[0].size > 1 else ("The number", "it")
    values = [f for _, f in kept]
    if np.allclose(values, values[0], rtol=1e-6) and abs(values[0] - 1) > 1e-6:
        said = {0.5: "half", 2.0: "twice"}.get(round(values[0], 9))
        if said:
            return f"{each} is {said} what is right, on every input that was tried."
        return f"{each} is {values[0]:.4g} times what is right, on every input that was tried."
    for what, numbers in _sizes([t for t, _ in kept], names):
        if len(set(numbers)) < 2 or min(numbers) <= 0:
            continue
        if np.allclose(values, numbers, rtol=1e-6):
            return (
                f"{each} is too large by a factor, {what}: divide {it} by that, or do not multiply."
            )
        if np.allclose(values, 1 / np.array(numbers), rtol=1e-6):
            return (
                f"{each} is too small: right is {what} times that. Do you divide by it, or take a "
                "mean where a sum is asked for?"
            )
    return ""


def _by_a_shift(trials: list[Trial], got: list, right: list, names: list[str]) -> str:
    """A difference that is the same everywhere, or is one of the arguments."""
    shifts = []
    for one, other in zip(got, right, strict=True):
        difference = (one - other).ravel()
        if not difference.size:
            continue
        if not np.allclose(difference, difference[0], rtol=0, atol=1e-8):
            return ""
        shifts.append(float(difference[0]))
    if len(shifts) < FEW or len(shifts) < len(got):
        return ""
    each = "Each number" if right[0].size > 1 else "The number"
    if np.allclose(shifts, shifts[0], rtol=0, atol=1e-8) and abs(shifts[0]) > 1e-8:
        size, way = abs(shifts[0]), "large" if shifts[0] > 0 else "small"
        whole = all(_equal(other, np.round(other)) for other in right)
        hint = " Positions count from 0." if whole and size == 1 else ""
        return f"{each} is {size:.4g} too {way}, on every input that was tried.{hint}"
    for what, numbers in _sizes(trials, names):
        if len(set(numbers)) < 2:
            continue
        for sign, way in ((1, "large"), (-1, "small")):
            if np.allclose(shifts, sign * np.array(numbers), rtol=0, atol=1e-8):
                return f"{each} is too {way} by {what}."
    return ""


def _sizes(trials: list[Trial], names: list[str]) -> Iterator[tuple[str, list[float]]]:
    """What could be a factor: the numbers among the arguments, and the sizes of the tables."""
    for at, name in enumerate(names):
        given = [trial.inputs[at] for trial in trials]
        if all(isinstance(each, Number) and not isinstance(each, bool) for each in given):
            yield f"`{name}`", [float(each) for each in given]
            yield f"2 `{name}`", [2.0 * float(each) for each in given]
            continue
        shapes = [
            np.shape(each) if not hasattr(each, "shape") else each.shape
            for each in given
            if isinstance(each, (np.ndarray, list, tuple)) or hasattr(each, "shape")
        ]
        if len(shapes) < len(given) or len({len(shape) for shape in shapes}) != 1:
            continue
        if len(shapes[0]) == 1:
            yield f"the length of `{name}`", [float(shape[0]) for shape in shapes]
        elif len(shapes[0]) == 2:
            yield f"the number of rows of `{name}`", [float(shape[0]) for shape in shapes]
            yield f"the number of columns of `{name}`", [float(shape[1]) for shape in shapes]
            yield f"the number of entries of `{name}`", [float(math.prod(s)) for s in shapes]


# --- Another shape --------------------------------------------------------------------------------


def _of_another_shape(got: list, right: list) -> str:
    """What became of the right numbers, where the shape is another."""
    # One number where several are right.
    rules: list[tuple[Callable, str]] = [
        (lambda w: w[0], "Only the first came back. Does a `return` stand inside the loop?"),
        (lambda w: w[-1], "Only the last came back: collect them all."),
        (lambda w: w.sum(), "It is the sum of what is right: do not add them up."),
        (lambda w: w.mean(), "It is the mean of what is right: do not average them."),
        (lambda w: w.max(), "It is the largest of those that are right: return them all."),
        (
            lambda w: w[:, None],
            "The numbers are right, but in a column: `.ravel()` lays them flat.",
        ),
        (lambda w: w[None], "The numbers are right, but inside one more pair of brackets."),
        (lambda w: w.T, "Rows and columns are exchanged: transpose it."),
        (lambda w: w.ravel(), "The numbers are right, but laid flat: keep the rows."),
        (lambda w: w[:-1], "The last one is missing."),
        (lambda w: w[1:], "The first one is missing."),
        (lambda w: w[:, :-1], "The last column is missing."),
        (lambda w: w[:-1, :], "The last row is missing."),
        (lambda w: w.reshape(()), "The number is right, but inside of brackets: return it alone."),
    ]
    for rule, says in rules:
        if _holds(rule, got, right):
            return says
    # Several where one is right.
    if all(w.ndim == 0 and g.size > 0 for g, w in zip(got, right, strict=True)):
        back: list[tuple[Callable, str]] = [
            (np.sum, "Their sum would be right: add them up."),
            (np.mean, "Their mean would be right: average them."),
            (lambda g: g.ravel()[0], "The first of them is right: return that one number alone."),
            (lambda g: g.ravel()[-1], "The last of them is right: return that one number alone."),
            (lambda g: np.max(g), "The largest of them is right: return that one number alone."),
        ]
        for rule, says in back:
            if all(_equal(np.asarray(rule(g)), w) for g, w in zip(got, right, strict=True)):
                return says
    return ""


# --- Where it is wrong ----------------------------------------------------------------------------


def _kinds(inputs: tuple, names: list[str]) -> dict[str, bool]:
    """What is special about an input, in words: the text stands behind 'wrong where'."""
    found = {}
    for name, each in zip(names, inputs, strict=True):
        dense = each.toarray() if hasattr(each, "toarray") else each
        numbers = _numbers(dense)
        if numbers is None or isinstance(each, Number):
            continue
        if numbers.ndim == 2:
            rows, columns = numbers.shape
            found[f"`{name}` is not square"] = rows != columns
            found[f"`{name}` is square"] = rows == columns
            found[f"`{name}` has a single row"] = rows == 1
            found[f"`{name}` has a single column"] = columns == 1
            found[f"a row of `{name}` is all zeros"] = bool((~numbers.any(axis=1)).any())
            found[f"a column of `{name}` is all zeros"] = bool((~numbers.any(axis=0)).any())
        elif numbers.ndim == 1:
            found[f"`{name}` is empty"] = numbers.size == 0
            found[f"`{name}` has a single entry"] = numbers.size == 1
            found[f"`{name}` has equal numbers in it"] = len(set(numbers.tolist())) < numbers.size
        if numbers.dtype.kind != "b" and np.asarray(dense).dtype.kind != "b":
            found[f"`{name}` has a number below 0"] = bool((numbers < 0).any())
            found[f"all of `{name}` is below 0"] = bool(numbers.size and (numbers < 0).all())
            found[f"`{name}` has a 0 in it"] = bool((numbers == 0).any())
            found[f"all of `{name}` is 0"] = bool(numbers.size and (numbers == 0).all())
            found[f"`{name}` holds whole numbers only"] = np.asarray(dense).dtype.kind in "iu"
            found[f"`{name}` holds fractions"] = bool((numbers % 1 != 0).any())
        else:
            found[f"all of `{name}` is True"] = bool(numbers.size and numbers.all())
    return found


def _shapes(inputs: tuple) -> tuple:
    return tuple(
        tuple(each.shape)
        if hasattr(each, "shape")
        else len(each)
        if hasattr(each, "__len__")
        else 0
        for each in inputs
    )


def _where(trials: list[Trial], names: list[str]) -> str:
    """On which kind of input an answer is wrong, if it is right on all others."""
    right, wrong = [t for t in trials if t.same], [t for t in trials if not t.same]
    if len(right) < FEW or not wrong:
        return ""
    kinds = [_kinds(trial.inputs, names) for trial in trials]
    shared = set.intersection(*(set(kind) for kind in kinds)) if kinds else set()
    telling = [
        what
        for what in kinds[0]
        if what in shared and all(k[what] != t.same for k, t in zip(kinds, trials, strict=True))
    ]
    # Two that always come together are told both; of more, which one it is stays open.
    if len(telling) in (1, 2):
        return f"It is right on other inputs, and wrong where {' and '.join(telling)}."
    if telling:
        return ""
    sizes = {_shapes(trial.inputs) for trial in right}
    if (
        len(sizes) == 1
        and len(wrong) >= FEW
        and all(_shapes(trial.inputs) not in sizes for trial in wrong)
    ):
        return (
            "It is right for the sizes of one input and wrong for all others: is a size written "
            "as a number?"
        )
    return ""


# --- All together ---------------------------------------------------------------------------------


def _constant(trials: list[Trial], got: list, right: list) -> str:
    """Say so if the same comes back whatever goes in."""
    if len(got) < 4 or len({str(w.tolist()) for w in right}) < 3:
        return ""
    if all(_equal(g, got[0]) for g in got):
        return "It returns the same whatever it is given: does it use its arguments?"
    return ""


def _an_argument(trials: list[Trial], got: list, names: list[str]) -> str:
    """Say so if what comes back is an argument as it was."""
    for at, name in enumerate(names):
        given = [_numbers(trial.inputs[at]) for trial in trials]
        if all(each is not None and _equal(each, g) for each, g in zip(given, got, strict=True)):
            return f"It returned `{name}` as it was given."
    return ""


def _numeric(trials: list[Trial], names: list[str]) -> str:
    """The slips that show in the numbers."""
    pairs = [(t, _numbers(t.got), _numbers(t.right)) for t in trials if t.got is not None]
    if len(pairs) < 2 or any(g is None or w is None for _, g, w in pairs):
        return ""
    kept, got, right = (list(column) for column in zip(*pairs, strict=True))
    says = _constant(kept, got, right) or _an_argument(kept, got, names)
    if says:
        return says
    if all(g.shape == w.shape for g, w in zip(got, right, strict=True)):
        return (
            _of_the_right(got, right)
            or _by_a_factor(kept, got, right, names)
            or _by_a_shift(kept, got, right, names)
        )
    return _of_another_shape(got, right)


def _in_parts(trials: list[Trial], names: list[str]) -> str:
    """The same for an answer of several parts: which part is wrong, and how."""
    rights = [t.right for t in trials if t.got is not None]
    many = len(rights[0])
    gots = [t.got for t in trials if t.got is not None]
    if any(not isinstance(g, (tuple, list, np.ndarray)) or len(g) != many for g in gots):
        return ""
    kept = [t for t in trials if t.got is not None]
    parts = [
        [Trial(t.inputs, t.got[n], t.right[n], _part_same(t.got[n], t.right[n])) for t in kept]
        for n in range(many)
    ]
    wrong = [n for n, part in enumerate(parts) if not all(t.same for t in part)]
    if not wrong:
        return ""
    if many == 2 and all(
        _part_same(t.got[0], t.right[1]) and _part_same(t.got[1], t.right[0]) for t in kept
    ):
        return "The two are in the other order."
    said = {_numeric(parts[n], names) for n in wrong}
    if len(said) == 1 and "" not in said:
        (says,) = said
        if len(wrong) == many:
            return says
        which = ["first", "second", "third", "fourth"][wrong[0]] if len(wrong) == 1 else "last"
        if len(wrong) == 1:
            return f"Of what is returned only the {which} part is wrong. {says}"
    elif len(wrong) == 1 and many <= 4:
        which = ["first", "second", "third", "fourth"][wrong[0]]
        return f"Of what is returned only the {which} part is wrong."
    return ""


def _part_same(one: Any, other: Any) -> bool:
    one, other = _numbers(one), _numbers(other)
    return one is not None and other is not None and _equal(one, other)


def explain(trials: list[Trial], function: Callable) -> str:
    """A sentence that is true of all that was tried, or nothing.

    Parameters
    ----------
    trials : inputs with what the answer returned and what is right; the one that failed is first.
    function : the reference, for the names of its arguments.
    """
    names = list(inspect.signature(function).parameters)
    failed = trials[0]
    try:
        if sum(t.got is not None for t in trials) >= max(2, 0.6 * len(trials)):
            says = (
                _in_parts(trials, names)
                if isinstance(failed.right, tuple)
                else _numeric(trials, names)
            )
            if says:
                return says
        says = _where(trials, names)
        if says:
            return says
        return _of_one(failed)
    except Exception:
        return ""  # a fact that cannot be found is no reason to leave the learner without a message


def _of_one(trial: Trial) -> str:
    """What the one case that failed tells by itself."""
    got, right = _numbers(trial.got), _numbers(trial.right)
    if got is None or right is None:
        return ""
    if got.shape == right.shape and np.isnan(got).any() and not np.isnan(right).any():
        return (
            "NaN is no number: something is divided by 0 there, or it is the root or the logarithm "
            "of a negative number, or the mean of nothing."
        )
    if got.shape == right.shape and np.isinf(got).any() and not np.isinf(right).any():
        return "Infinity is no number to go on with: something is divided by 0, or overflows."
    if got.shape == right.shape and right.size and not _equal(got, right):
        scale = np.abs(right).max()
        kind = getattr(getattr(trial.got, "dtype", None), "name", "")
        if kind in ("float16", "float32") and np.abs(got - right).max() < 2e-3 * scale:
            return (
                f"These are numbers of the type {kind}, which keeps few digits: leave the type "
                "out, and numpy keeps 16 of them."
            )
        if scale > 0 and np.abs(got - right).max() < 5e-3 * scale:
            return "That is close, but not the same: is something rounded, or a small number added?"
    return ""
