"""Every argument of every public name, given what it is not for, is refused by its name.

The calls are made from the signatures: what stands for an argument, and what is bad for one of its
kind, is said once, below. A refusal is a ValueError or a TypeError (FileNotFoundError for a path)
that names the argument, and says what to do; it takes neither long nor much memory. A bad value is
never an answer without a word.
"""

import datetime
import inspect
import re
import time
import traceback
import tracemalloc
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import recsys_lab
from recsys_lab import Factors, Interactions, Popularity, ReLUNetwork, figures, keras_models, text

SECONDS, MIB = 2, 1024
R = np.array([[1.0, 1, 0, 0, 2], [0, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 0, 0, 1, 0]])
T = np.array([[0.0, 0, 1, 0, 0], [1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0]])
EVENTS = pd.DataFrame(
    {
        "user": [1, 1, 2, 2, 3, 3],
        "item": ["A", "B", "B", "C", "A", "C"],
        "value": [1.0, 5, 2, 4, 3, 3],
        "time": [1, 2, 3, 4, 5, 6],
    }
)
FILMS = pd.DataFrame({"title": ["Heat"], "year": [1995], "genres": ["Action"]})
DATA = Interactions.from_frame(EVENTS, value="value", time="time")
HISTORIES = [np.array([0, 1, 2, 1]), np.array([2, 0])]

# What is bad for an argument of a kind. A list of one kind is tried for all arguments of the kind.
ODD = {"None": None, "a text": "many", "an object": object()}
NUMBERS = ODD | {
    "NaN": np.nan,
    "infinite": np.inf,
    "complex": 1j,
    "True": True,
    "a list": [1, 2],
    "a date": datetime.date(2020, 1, 1),
}
MATRICES = ODD | {
    "NaN": [[1, np.nan]],
    "infinite": [[1, np.inf]],
    "too large": [[1e307, 1.0]],
    "complex": np.eye(2) * 1j,
    "dates": np.array([["2020-01-01"]], dtype="datetime64[s]"),
    "texts": [["1", "2"]],
    "masked": np.ma.masked_array([[1.0, 2.0]], [[True, False]]),
    "one row": [1.0, 2.0],
    "a cube": np.ones((2, 2, 2)),
    "unequal rows": [[1, 2], [3]],
    "without users": np.empty((0, 5)),
    "without items": np.empty((4, 0)),
    "a sparse NaN": sp.csr_array([[1, np.nan]]),
}
KINDS = {
    "count": NUMBERS | {"0": 0, "negative": -1, "1.5": 1.5, "huge": 10**30, "10**9": 10**9},
    "number": NUMBERS | {"negative": -1.0, "huge": 1e308},
    "share": NUMBERS | {"0": 0.0, "1": 1.0, "negative": -0.1},
    "seed": ODD | {"negative": -1, "1.5": 1.5, "True": True, "a frame": EVENTS},
    "date": ODD | {"True": True, "NaN": np.nan, "before all": -5, "a list": [1, 2]},
    "choice": ODD | {"a list": ["zero"], "a number": 3},
    "matrix": MATRICES,
    "data": ODD | {"an array": R, "a frame": EVENTS},
    "frame": ODD | {"an array": R, "a list": [1, 2], "a dict": {"user": [1]}},
    "column": {"another": "stars", "a list": ["user"], "a number": 3, "an object": object()},
    "labels": ODD | {"too few": ["A"], "twice": ["A", "A", "A"], "none": [None] * 3},
    "path": {
        "not there": "nowhere.csv",
        "None": None,
        "a number": 3,
        "a folder": ".",
        "a zero byte": "a\0b",
    },
    "id": {"unknown": "no.such", "None": None, "a number": 3, "a list": ["shop"]},
    "model": ODD | {"a class": Popularity},
    "chance": NUMBERS | {"negative": -0.1, "1.5": 1.5},
    "yes or no": ODD | {"a number": 3, "1": 1, "a list": [True]},
    "counts": ODD | {"0": [1, 0], "1.5": [1, 1.5], "a number": 3, "huge": [1, 10**30]},
    "sizes": ODD | {"one": [3], "0": [3, 0], "huge": [10**6, 10**6], "1.5": [3, 1.5]},
    "list": {"None": None, "a number": 3, "an object": object()},
    "function": ODD,
    "text": {"None": None, "a number": 3, "a list": ["a"]},
    "texts": {"None": None, "a number": 3, "a text": "a", "numbers": [1], "none": ["a", None]},
    "whole": NUMBERS | {"1.5": 1.5},
    "array": {key: MATRICES[key] for key in ("None", "a text", "an object", "complex", "dates")}
    | {"texts": ["1"], "masked": MATRICES["masked"], "sparse": sp.csr_array(R)},
    "mask": ODD | {"numbers": [1] * 6, "too short": [True]},
    "log": ODD | {"an array": R, "a list": [1, 2]},
    "codes": {key: MATRICES[key] for key in ("None", "a text", "an object", "complex", "NaN")}
    | {"one row": [1, 2], "twice": [[0, 1], [0, 1]], "1.5": [[1.5]], "negative": [[-1], [0]]}
    | {"huge": [[10**30], [1]], "unequal rows": [[1, 2], [3]]},
    "positions": ODD | {"negative": [-1], "1.5": [1.5], "too large": [99], "complex": [1j]},
}

# What an argument of this name is: its kind, and something good for it.
ARGUMENTS = {
    "R": ("matrix", R),
    "rows": ("matrix", R),
    "train": ("matrix", R),
    "test": ("matrix", T),
    "forbidden": ("matrix", T),
    "seen": ("matrix", R),
    "scores": ("matrix", R),
    "T": ("matrix", R),
    "Z": ("array", R),
    "X": ("matrix", np.ones((3, 2))),
    "Y": ("matrix", np.ones((3, 1))),
    "U": ("matrix", np.ones((4, 2))),
    "V": ("matrix", np.ones((5, 2))),
    "start": ("matrix", np.ones((5, 2))),
    "matrix": ("matrix", R),
    "features": ("matrix", np.eye(5)),
    "k": ("count", 2),
    "m": ("count", 4),
    "n": ("count", 5),
    "iterations": ("count", 2),
    "epochs": ("count", 1),
    "ratio": ("count", 1),
    "batch": ("count", 4),
    "neighbours": ("count", 2),
    "least": ("count", 1),
    "lam": ("number", 0.1),
    "alpha": ("number", 1.0),
    "tol": ("number", 1e-5),
    "l2": ("number", 1e-5),
    "learning_rate": ("number", 0.02),
    "shrinkage": ("number", 1.0),
    "imaginary": ("number", 1.0),
    "days": ("number", 365.0),
    "step": ("number", 1e-5),
    "rate": ("number", 0.01),
    "dropout": ("number", 0.1),
    "share": ("share", 0.5),
    "rng": ("seed", 0),
    "unseen": ("choice", "zero"),
    "loss": ("choice", "squared"),
    "method": ("choice", "adam"),
    "duplicates": ("choice", "last"),
    "data": ("data", DATA),
    "date": ("date", 3),
    "df": ("frame", EVENTS),
    "user": ("column", "user"),
    "item": ("column", "item"),
    "value": ("column", "value"),
    "time": ("column", "time"),
    "users": ("labels", [1, 2, 3]),
    "items": ("labels", ["A", "B", "C"]),
    "path": ("path", None),
    "folder": ("path", None),
    "id": ("id", "start.best"),
    "sizes": ("sizes", [2, 3, 1]),
    "network": ("model", ReLUNetwork([2, 3, 1], 0)),
    "factors": ("model", Factors(np.ones((4, 2)), np.ones((5, 2)))),
    "model": ("model", Popularity().fit(R)),
    "mask": ("mask", [True] * 6),
    "label": ("labels", 1),
    "lists": ("positions", [[0, 1], [1, 2], [2, 3], [3, 4]]),
    "values": ("list", [1.0, 2.0, 3.0]),
    "level": ("share", 0.95),
    "repeats": ("count", 9),
    "encoding": ("choice", "utf-8"),
    "labels": ("column", "item"),
    "numbers": ("list", ["value"]),
    "fillings": ("function", lambda T: {"none": (None, T)}),
    "ranks": ("list", [1]),
    "seeds": ("list", [0]),
    "view": ("function", lambda: figures.bars(["A"], [1])),
    "columns": ("list", ["A", "B"]),
    "first": ("whole", 0),
    "last": ("whole", 3),
    "interval": ("whole", 500),
    "question": ("text", "Which?"),
    "choices": ("list", ["one", "two"]),
    **dict.fromkeys(("series", "episodes", "people", "circles", "visits"), ("count", 4)),
    **dict.fromkeys(("customers", "baskets", "impressions", "samples"), ("count", 4)),
    **dict.fromkeys(("window", "length", "d", "blocks", "negatives"), ("count", 4)),
    **dict.fromkeys(("noise", "closure", "swaps"), ("chance", 0.1)),
    **dict.fromkeys(("title", "year", "genres"), ("yes or no", True)),
    "text": ("text", "A robot"),
    "texts": ("texts", ["A robot"]),
    "counts": ("matrix", R),
    "movies": ("frame", FILMS),
    "damping": ("number", 10.0),
    "penalty": ("number", 5.0),
    "gap": ("number", 2.0),
    "world": ("seed", 0),
    "kind": ("choice", "gmf"),
    "ties": ("choice", "chance"),
    "told": ("choice", "title"),
    "dilations": ("counts", (1, 2)),
    "positions": ("yes or no", True),
    "pretrained": ("yes or no", True),
    "sensitivity": ("number", 1.0),
    "epsilon": ("number", 1.0),
    "delta": ("share", 1e-5),
    "amounts": ("list", [1, 2]),
    "weight": ("chance", 0.5),
    "candidates": ("count", 3),
    "interactions": ("log", DATA),
    "seconds": ("number", 0.01),
    "trials": ("count", 1),
    "size": ("count", 2),
    "levels": ("count", 2),
    "distinct": ("yes or no", True),
    "codes": ("codes", [[0, 0], [0, 1], [1, 0]]),
    "cg_steps": ("count", 3),
}
# What else an argument of the same name is in one call.
HERE = {
    ("Interactions", "users"): ("labels", [1, 2, 3, 4]),
    ("Interactions", "items"): ("labels", list("ABCDE")),
    ("Interactions.keep", "self"): ("self", DATA),
    ("Interactions.user_position", "self"): ("self", DATA),
    ("Interactions.item_position", "self"): ("self", DATA),
    ("Interactions.item_position", "label"): ("labels", "A"),
    ("ReLUNetwork.forward", "self"): ("self", ReLUNetwork([2, 3, 1], 0)),
    ("ReLUNetwork.backward", "self"): ("self", ReLUNetwork([2, 3, 1], 0)),
    ("ReLUNetwork.fit", "self"): ("self", ReLUNetwork([2, 3, 1], 0)),
    ("simulate_log", "users"): ("count", 3),
    ("simulate_log", "items"): ("count", 4),
    ("FeatureMap", "features"): ("matrix", np.eye(3)),
    ("Chain", "last"): ("count", 1),
    ("item_features", "items"): ("frame", EVENTS),
    ("quiz", "id"): ("id", "start.recap"),
    ("audit", "features"): ("matrix", np.eye(3)),
    ("audit", "question"): ("choice", "fill"),
    ("cell_grid", "rows"): ("list", [1, 2]),
    ("cell_grid", "value"): ("matrix", [[1, 0], [0, 1]]),
    ("cell_grid", "names"): ("list", ("user", "item")),
    ("cell_grid", "states"): ("list", ("no", "yes")),
    ("picture_wall", "pictures"): ("array", np.zeros((4, 2, 2, 3), dtype=np.uint8)),
    ("picture_wall", "names"): ("list", ["A", "B", "C", "D"]),
    ("picture_wall", "value"): ("positions", [0, 2]),
    ("picture_wall", "columns"): ("count", 2),
    ("picture_wall", "states"): ("list", ("no", "yes")),
    ("played", "start"): ("whole", 1),
    ("predict", "id"): ("text", "start.best"),
    ("review", "now"): ("choice", None),
}
# None stands for the default there.
OPTIONAL = {
    *[
        ("als", "start"),
        ("als", "rng"),
        ("als", "cg_steps"),
        ("ALS", "rng"),
        ("recommend", "seen"),
        ("review", "now"),
    ],
    *[(name, "neighbours") for name in ("item_cosine", "ItemNeighbours", "UserNeighbours")],
    *[(name, "forbidden") for name in ("sample_negatives", "training_pairs", "dataset")],
    *[(f"Interactions.from_{what}", "users") for what in ("frame", "csv")],
    *[(f"Interactions.from_{what}", "items") for what in ("frame", "csv")],
    *[("played", "start"), ("NextItem", "negatives")],
    *[("audit", name) for name in ("features", "question", "trials")],
}
# What a message calls an argument that it does not call by its name.
SAID = {"label": "user|item"}
# Not tried: free texts, and what is no value that somebody types.
FREE = {"history", "times", "held_out", "description", "controls", "sha256", "rival"}
# Passed on to numpy as they are, or a yes and no.
ELSEWHERE = {
    *[(name, "rng") for name in ("bootstrap_interval", "evaluate", "evaluate_per_user")],
    *[("diversity", "features"), ("compare_fillings", "lists")],
}


def fitted(maker, train, asked):
    """A model's constructor and the fit that looks at its arguments: it only stores them."""

    def make(**arguments):
        return maker(**arguments).fit(train).scores(asked)

    make.__signature__ = inspect.signature(maker)
    return make


def learned(maker, X):
    """The same for what has no scores."""

    def make(**arguments):
        return maker(**arguments).fit(X)

    make.__signature__ = inspect.signature(maker)
    return make


def encoded(folder):
    """An encoder reads its folder when it is asked for something."""
    return text.TextEncoder(folder).pieces("A robot")


def calls():
    """Name -> what is called, for every public name that takes arguments."""
    for name in recsys_lab.__all__:
        home, found = recsys_lab._HOME_OF[name], getattr(recsys_lab, name)
        if isinstance(found, ModuleType) or home == "judging.leaderboard":
            continue
        if home == "models.recommenders":
            yield name, fitted(found, DATA, [0])
        elif name == "SemanticIds":
            yield name, learned(found, np.eye(6))
        elif home == "models.semantic_ids":
            yield name, fitted(found, HISTORIES, HISTORIES)
        elif home == "models.sequence_models":
            yield name, fitted(found, HISTORIES, HISTORIES)
        else:
            yield name, found
        if name in ("Interactions", "ReLUNetwork"):
            methods = inspect.getmembers(found, callable)
            yield from ((f"{name}.{each}", m) for each, m in methods if each[0] != "_")
    yield "training_pairs", keras_models.training_pairs
    yield "dataset", keras_models.dataset
    for call in (text.words, text.bag_of_words, text.idf, text.tfidf, text.film_texts):
        yield call.__name__, call
    yield "TextEncoder", encoded


CALLS = dict(calls())
ARGUMENT = [
    (name, argument)
    for name, call in CALLS.items()
    for argument in inspect.signature(call).parameters
    if argument not in FREE | {"self"} and (name, argument) not in ELSEWHERE
]


def known(name, argument):
    return HERE.get((name, argument)) or ARGUMENTS[argument]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    EVENTS.to_csv(tmp_path / "in/events.csv")
    monkeypatch.chdir(tmp_path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "argument"), ARGUMENT, ids=map("-".join, ARGUMENT))
def test_a_bad_argument_is_refused_by_its_name(name, argument, folder):
    call, good = CALLS[name], {}
    for other, parameter in inspect.signature(call).parameters.items():
        if other not in FREE and (parameter.default is parameter.empty or other == "self"):
            good[other] = known(name, other)[1]
    if name.endswith("from_csv"):
        good["path"] = "in/events.csv"
    if name == "compare_fillings":
        good["rival"] = "none"
    problems = []
    for what, bad in KINDS[known(name, argument)[0]].items():
        if not (bad is None and (name, argument) in OPTIONAL):
            problems += [
                f"{argument}={what}: {said}" for said in refusal(call, good, argument, bad)
            ]
    assert not problems, "\n".join(problems)


def refusal(call, good, argument, bad):
    """What is amiss with how a bad value is refused."""
    given = good | {argument: bad}
    front = [
        given.pop(one.name)
        for one in inspect.signature(call).parameters.values()
        if one.kind is one.POSITIONAL_ONLY and one.name in given
    ]
    tracemalloc.start()
    start = time.process_time()
    try:
        answer = call(*front, **given)
    except (ValueError, TypeError, FileNotFoundError) as error:
        said, text = type(error).__name__, str(error)
        if (
            not re.search(SAID.get(argument, argument), text)
            or not re.search(r"[:;,] ", text)
            or len(text) > 500
        ):
            yield f"{said}: {text[:300]}"
        last = traceback.extract_tb(error.__traceback__)[-1].filename
        if "recsys_lab" not in last:
            yield f"{said} of {last}: {text[:300]}"
    except Exception as error:
        yield f"{type(error).__name__}: {error}"
    else:
        yield f"gave {type(answer).__name__} without a word"
    seconds, mib = time.process_time() - start, tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    if seconds > SECONDS or mib > MIB:
        yield f"took {seconds:.1f} s and {mib:.0f} MiB"
