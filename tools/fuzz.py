"""Count what is known of each exercise: its answers, its sentences, and how they differ.

    python -m tools.fuzz
    python -m tools.fuzz shop.encode -n 500

For each exercise the number of wrong answers, of sentences for a slip of its own, and of other
right answers; then, of random inputs beyond those that the checks draw, on how many the wrong
answers differ from the reference: the least, and the median. With an id each wrong answer has a
line of its own.
"""

import argparse
import warnings
from contextlib import redirect_stdout
from io import StringIO

import numpy as np

from recsys_lab.exercises import Exercise, all_exercises, get
from recsys_lab.exercises.engine import _alike, _outcome, _seen, fuzzed


def differing(exercise: Exercise, count: int, asked_for_all: bool) -> tuple[int, dict[str, int]]:
    """Return how many inputs there were, and on how many of them each wrong answer differs."""
    # A model takes a while to build.
    inputs = fuzzed(exercise, min(count, 6) if exercise.id == "keras.mended" else count)
    right = [_seen(exercise, _outcome(exercise.reference, each)) for each in inputs]
    found = {}
    for wrong in exercise.wrongs:
        if not wrong.says and not asked_for_all:
            continue  # its form is wrong, its numbers may be right
        with redirect_stdout(StringIO()):
            got = [_seen(exercise, _outcome(wrong.function, each)) for each in inputs]
        found[wrong.function.__name__] = sum(
            not _alike(*pair) for pair in zip(got, right, strict=True)
        )
    return len(inputs), found


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("id", nargs="?", help="one exercise, wrong answer by wrong answer")
    parser.add_argument("-n", type=int, default=100, help="random inputs for each exercise")
    asked = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    if asked.id:
        inputs, found = differing(get(asked.id), asked.n, True)
        print(f"{asked.id}: differs from the reference on so many of {inputs} inputs")
        for name, differs in sorted(found.items(), key=lambda pair: pair[1]):
            print(f"{differs:5d}  {name}")
        return
    print(
        f"{'exercise':27}{'wrong':>6}{'sentences':>11}{'right':>7}{'inputs':>8}{'least':>7}{'median':>8}"
    )
    for one in all_exercises():
        inputs, found = differing(one, asked.n, False)
        counts = list(found.values())
        print(
            f"{one.id:27}{len(one.wrongs):6}{len({w.says for w in one.wrongs if w.says}):11}"
            f"{len(one.rights):7}{inputs:8}{min(counts):7}{int(np.median(counts)):8}"
        )


if __name__ == "__main__":
    main()
