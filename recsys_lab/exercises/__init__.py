"""Exercises that answer: `exercise`, `hint`, `solution`, `progress` and `predict`.

Names load on first use, so that `record` (standard library only) can be imported in a Python that
has no packages: ``python3 -m recsys_lab progress`` does that.
"""

from importlib import import_module

_HOME = {
    "engine": ["Exercise", "Mistake", "all_exercises", "define", "get"],
    "cells": ["exercise", "hint", "predict", "progress", "solution"],
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name):
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
