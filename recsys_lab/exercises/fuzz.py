"""Random inputs beyond those that the checks of an exercise draw, made from these.

An axis that has one size with another axis in every call keeps that: both belong together. The new
inputs have other sizes, one row or one column among them, entries taken again (so that some are
equal), zeros, and signs turned round where the checks have numbers below 0.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np


def _axes(value: Any) -> tuple[int, ...]:
    """The sizes of what can be made longer or shorter."""
    if isinstance(value, np.ndarray) or hasattr(value, "toarray"):
        return tuple(value.shape)
    return (len(value),) if isinstance(value, list) else ()


def _groups(calls: list[tuple]) -> dict[tuple[int, int], int]:
    """The axes (argument, number of the axis) that have the same size in every call, numbered."""
    axes = [
        (at, axis)
        for at in range(len(calls[0]))
        for axis in range(min(len(_axes(call[at])) for call in calls))
    ]
    sizes = {key: tuple(_axes(call[key[0]])[key[1]] for call in calls) for key in axes}
    numbers = {size: n for n, size in enumerate(dict.fromkeys(sizes.values()))}
    return {key: numbers[size] for key, size in sizes.items()}


def _resized(value: Any, at: int, groups: dict, picks: dict) -> Any:
    """A value with its rows and columns drawn anew."""
    if isinstance(value, list):
        places = picks.get(groups.get((at, 0)))
        return value if places is None or not value else [value[p % len(value)] for p in places]
    sparse = type(value) if hasattr(value, "toarray") else None
    array = value.toarray() if sparse else value
    for axis in range(array.ndim):
        places = picks.get(groups.get((at, axis)))
        if places is not None and array.shape[axis]:
            array = np.take(array, places % array.shape[axis], axis=axis)
    return sparse(array) if sparse else array


def _moved(value: Any, rng: np.random.Generator, signs: bool, zeros: bool) -> Any:
    """A value with a few of its numbers changed, whole numbers staying whole."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "if" or not value.size:
        return value
    array = value.copy()
    if signs and rng.random() < 0.5:
        array = array * rng.choice([-1, 1], array.shape)
    if zeros and rng.random() < 0.3:
        array[rng.random(array.shape) < 0.3] = 0
    return array


def varied(calls: list[tuple], rng: np.random.Generator, count: int) -> Iterator[tuple]:
    """Yield inputs like those of the calls, but of other sizes and numbers.

    Parameters
    ----------
    calls : the inputs of the checks' calls.
    rng : decides.
    count : how many.
    """
    if not calls:
        return
    groups = _groups(calls)
    numbers = [
        [np.asarray(call[at]) for call in calls if isinstance(call[at], np.ndarray)]
        for at in range(len(calls[0]))
    ]
    signs = [any(a.dtype.kind in "if" and (a < 0).any() for a in given) for given in numbers]
    zeros = [any(a.dtype.kind in "if" and (a == 0).any() for a in given) for given in numbers]
    for _ in range(count):
        call = calls[rng.integers(len(calls))]
        picks = {n: rng.integers(1 << 30, size=rng.integers(1, 8)) for n in set(groups.values())}
        made = []
        for at, value in enumerate(call):
            if isinstance(value, (np.ndarray, list)) or hasattr(value, "toarray"):
                value = _moved(_resized(value, at, groups, picks), rng, signs[at], zeros[at])
            elif isinstance(value, np.random.Generator):
                value = np.random.default_rng(rng.integers(1 << 30))
            else:
                # A number comes from another call, so that it is one which the checks allow.
                value = copy.deepcopy(calls[rng.integers(len(calls))][at])
            made.append(value)
        yield tuple(made)
