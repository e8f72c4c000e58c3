"""`python3 -m recsys_lab audit log.csv`: the audit of a file, from the command line."""

import argparse
import sys
from pathlib import Path

import pandas as pd

from ..course.status import any_console
from ..data.interactions import read_csv
from .contest import ASKED, QUESTIONS
from .report import audit


def main(arguments: list[str] | None = None) -> int:
    """Audit a file; the exit code is 0, or 1 if it could not be read."""
    any_console()
    told = "; ".join(f"{name}: {asked}" for name, asked in ASKED.items())
    parser = argparse.ArgumentParser(
        prog="python3 -m recsys_lab audit",
        description="What can be said about a log, by which split, and which model to trust on it.",
    )
    parser.add_argument("log", help="a CSV file (also packed by gzip) or a Parquet file")
    for role in ("user", "item", "value", "time"):
        parser.add_argument(f"--{role}", help=f"the column of the {role}; guessed if not given")
    parser.add_argument("--question", choices=QUESTIONS, help=told)
    parser.add_argument(
        "--features", metavar="FILE", help="a CSV file with a row for each item, its label first"
    )
    parser.add_argument("--seconds", type=float, default=60, help="for the contest (60); 0: none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--html", help="the page to write (LOG-audit.html, in the folder you are in)"
    )
    parser.add_argument("--json", help="write the numbers as JSON, too")
    parser.add_argument("--from", dest="folder", default=".", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    folder = Path(given.folder)
    name = Path(Path(given.log).name.removesuffix(".gz")).stem
    page = folder / (given.html or f"{name}-audit.html")
    if not (folder / given.log).exists():  # the launcher runs this in the course's folder
        print(
            f"log={given.log!r} does not exist: check its spelling and the folder you are in, "
            f"{str(folder.resolve())!r}",
            file=sys.stderr,
        )
        return 1
    try:
        features = None
        if given.features:
            path = folder / given.features
            label = read_csv(path).columns[0]
            # Once more, now that its name is known: 007 and 7 are two labels.
            features = read_csv(path, labels=(label,)).set_index(label)
        found = audit(
            folder / given.log,
            features,
            user=given.user,
            item=given.item,
            value=given.value,
            time=given.time,
            question=given.question,
            seconds=given.seconds,
            rng=given.seed,
        )
        print(found)
        found.to_html(page)
        if given.json:
            found.to_json(folder / given.json)
    except (ValueError, OSError, pd.errors.ParserError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(f"\nThe page: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
