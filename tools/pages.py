"""Make what is drawn from the lessons: the errata, the references, and the README's two tables.

    python -m tools.pages

`docs/errata.md` holds what the course found of the source article, claim by claim: the notebooks'
boxes, and for the claims that have none, `docs/claims.toml`; `docs/references.md` holds every
source that a notebook or a docstring cites. In the README it makes the map of the lessons, and the
table of the stored leaderboard. Change a text where it stands, and run this again.
Whatever is missing or does not agree is said, and makes the exit code 1.
"""

import ast
import calendar
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize
from urllib.parse import quote

import numpy as np

from recsys_lab import read_leaderboard, standings
from recsys_lab.course import files
from recsys_lab.data.datasets import DATA
from tools.lesson import Box, Lesson
from tools.notebooks import all_notebooks, store

ERRATA = files.ROOT / "docs" / "errata.md"
REFERENCES = files.ROOT / "docs" / "references.md"
README = files.ROOT / "README.md"
LEADERBOARD = DATA / "leaderboard" / "movielens-small.csv"
# What the course found of a claim that has no box in its lesson: text, lesson, and cell.
UNBOXED = files.ROOT / "docs" / "claims.toml"
# Sources whose authors, title, year, venue, pages and DOI, as far as the entry gives them, were
# compared with how others cite them. A new one goes in here when that is done.
CHECKED = {
    " ".join(name.split())
    for name in """
    Adamic 2003, Anagnostopoulos 2008, Auer 2002, Balle 2018, Bengio 2008, Bergstra 2012,
    Cañamares 2020, Carlini 2022, Cepeda 2006, Chaney 2018, Chapelle 2011, Chouldechova 2017,
    Church 1990, Cohen 1992, Craswell 2008, Cremonesi 2010, Cybenko 1989, Deng 2013, Devlin
    2019, Dudík 2011, Dwork 2006, Eckart 1936, Efron 1993, Ferrari 2019, Funk 2006, Gantner
    2010, Gemma 2025, Ghazimatin 2020, Halko 2011, Harper 2015, Hastie 2015, He 2015, He 2017,
    Hendrycks 2016, Hidasi 2016, Hoerl 1970, Hoffmann 2022, Holm 1979, Horn 1965, Hornik 1991,
    Horvitz 1952, Hsu 1981, Hu 2008, Hunter 2007, Järvelin 2002, Jégou 2011, Ji 2020, Ji 2023,
    Joachims 2017, Johari 2022, Kang 2018, Kaplan 2020, Kaufman 2012, Kingma 2015, Kleinberg
    2017, Klenitskiy 2024, Koren 2009, Krichene 2020, Krichene 2022, Lehoucq 1998, Leshno 1993,
    Li 2010, Li 2020, Li 2023, Liang 1986, Lops 2011, Mann 1947, Marlin 2009, Mazumder 2010,
    McAuley 2015, McKay 1979, Meng 2020, Mirsky 1975, Narayanan 2008, Page 1999, Radlinski 2008,
    Rajput 2023, Reimers 2019, Rendle 2009, Rendle 2019, Rendle 2020, Resnick 1994, Robbins
    1951, Robbins 1970, Rubin 1976, Rumelhart 1986, Sarwar 2001, Schnabel 2016, Schönemann 1966,
    Sherman 1950, Shokri 2017, Spärck 1972, Steck 2010, Steck 2011, Steck 2018, Steck 2019,
    Steck 2020, Steele 2014, Swaminathan 2015, Sweeney 2002, Takács 2011, Thompson 1933, van
    2013, Vargas 2011, Vaswani 2017, Wang 2020, Woolridge 2021, Wu 2016, Yuan 2019, Zhang 2017,
    Zhou 2008, Ziegler 2005
    """.split(",")
}

ERRATA_HEAD = """\
# The article, claim by claim

The course follows one survey article, in Chinese, on large models and on how well recommender
systems generalise, by the author *Zen and the Art of Computer Programming*. It checks what the
article says. Each claim stands here, whether it holds or not, with a link to the place in the
lessons that shows it. Section numbers are the article's; "above", "below" and "here" are there.

In short: C13 holds as it stands. C22 to C27 and C30 to C32 hold in part, under a condition, which
is said. C33 and C35 are demands: they get a number. C20, C28, C29 and C34 lack evidence or a
distinction. The others are mended.

This page is made by `python -m tools.pages` from the boxes in the notebooks and from
`docs/claims.toml`: change a text there.
"""
REFERENCES_HEAD = """\
# References

Every source that a lesson or a docstring of the package cites, by first author, and where it is
cited. Each was compared with how others cite it: authors, title, year, venue, pages and DOI. (Only
the DOI of Mirsky 1975 was not found elsewhere.)

This page is made by `python -m tools.pages` from the lists in the notebooks and in the docstrings:
change a text there.
"""


def unboxed(lessons: list[Lesson]) -> list[tuple[Lesson, Box]]:
    """The claims of `docs/claims.toml`, each with its lesson; a cell that is not there raises."""
    found = []
    for claim, entry in tomllib.loads(UNBOXED.read_text(encoding="utf-8")).items():
        lesson = next(each for each in lessons if each.number == entry["lesson"])
        ids = [cell.id for cell in lesson.cells]
        if entry["cell"] not in ids:
            raise ValueError(f"{claim} names a cell that lesson {lesson.number} has not")
        place = ids.index(entry["cell"])
        heading = [text for at, _, text in lesson.headings if at <= place][-1]
        found.append((lesson, Box(claim, entry["text"].strip(), heading, entry["cell"])))
    return found


def errata(lessons: list[Lesson], others=()) -> tuple[str, list[str]]:
    """The text of `docs/errata.md`, and a sentence for each claim that is not in it once."""
    found = defaultdict(list)
    boxes = [(lesson, box) for lesson in lessons for box in lesson.boxes]
    for lesson, box in [*boxes, *others]:
        # By the cell: JupyterLab 4.6 opens a notebook there, and not at a heading's anchor.
        target = f"{lesson.target}#cell-id={box.cell_id}"
        link = f"[lesson {lesson.number}, *{box.heading}*]({target})"
        found[box.claim].append(f"\n## {box.claim}\n\n{box.text}\n\nSee {link}.\n")
    last = max((int(claim[1:]) for claim in found), default=0)
    problems = []
    for claim in (f"C{number:02}" for number in range(1, last + 1)):
        if claim not in found:
            problems.append(f"claim {claim} has no box in a lesson, and no entry in claims.toml")
        elif len(found[claim]) > 1:
            problems.append(f"claim {claim} has {len(found[claim])} texts: leave one of them")
    return ERRATA_HEAD + "".join("".join(found[claim]) for claim in sorted(found)), problems


def readme() -> str:
    """The README's text with the map of the lessons, and the leaderboard's table, as they are."""
    text = README.read_text(encoding="utf-8")
    for name, rows in {"map": course_map(), "leaderboard": leaderboard_rows()}.items():
        begin, end = f"<!-- the {name}, by python -m tools.pages -->", f"<!-- the {name} ends -->"
        before, _, rest = text.partition(begin)
        text = "\n".join([before + begin, *rows, end + rest.partition(end)[2]])
    return text


def course_map() -> list[str]:
    """The lines of a table: each lesson, its promise and its minutes."""
    rows = [
        f"| {each.number} | [{each.title}](notebooks/{each.path.name}) | {each.promise} "
        f"| {each.minutes} |"
        for each in files.lessons()
    ]
    return ["| no. | lesson | its promise | minutes |", "|---|---|---|---|", *rows]


def leaderboard_rows() -> list[str]:
    """The lines of a table: each model's score in each split, and how far it is behind."""
    table = standings(read_leaderboard(LEADERBOARD))
    splits = {
        "last": "last events",
        "random": "random events",
        "time": "from one date on",
        "cold users": "new people",
        "cold items": "new films",
    }
    rows, of_last = [], table.loc["last"].index
    # Below them, those that enter one split only.
    readers = [name for name in table.loc["cold items"].index if name not in of_last]
    for model in [*of_last, *readers]:
        cells = [model]
        for split in splits:
            if (split, model) not in table.index:
                cells.append("")
                continue
            row = table.loc[split, model]
            score = f"{row['ndcg']:.3f}"
            cells.append(f"**{score}**" if row["may_be_best"] else score)
            # In the cold splits most models know nothing, and are behind by all that there is.
            knows = not split.startswith("cold") or model in (*readers, "content")
            if knows and row["behind_high"] > 0:
                found = [f"{-row[name]:.3f}" for name in ("behind", "behind_high", "behind_low")]
                cells[-1] += " ({}: {} to {})".format(*found).replace("-", "−")
        first = table.loc["cold items" if model in readers else "last", model]
        MiB = "" if np.isnan(first["MiB"]) else f"{first['MiB']:.0f}"
        rows.append([*cells, f"{first['seconds']:.1f}", MiB])
    head = ["model", *splits.values(), "s", "MiB"]
    return [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]]


@dataclass
class Source:
    """A source in the words of the first place that cites it, and all the places."""

    text: str
    name: str  # the first author's surname and the year
    places: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


ENTRY = re.compile(r"(?P<authors>.+?)\.? \(?(?P<year>\d{4})\)?\. \*?(?P<title>[^.:,?*]+)")
ID = re.compile(r"\b(doi|arXiv):(\S*\w)")


def docstrings() -> Iterator[tuple[Path, str]]:
    """Every docstring of the package, with the path of its module."""
    for path in sorted((files.ROOT / "recsys_lab").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                yield path, ast.get_docstring(node) or ""


def entries(docstring: str) -> list[str]:
    """The entries of a docstring's section References."""
    section = re.search(r"^References\n-+\n(.+?)(?=\n\n[^\n]+\n--|\Z)", docstring, re.M | re.S)
    # An entry begins with an author's initial, and has the year in its first line.
    parts = re.split(r"\n+(?=[A-Z]\.[^\n]*\(\d{4}\))", section[1]) if section else []
    return [" ".join(part.split()) for part in parts]


def citations(text: str) -> Iterator[tuple[str, str, str]]:
    """What is cited in running text: all of it, the first name, the year."""
    name = r"[A-Z][\w-]+"
    cited = (
        rf"(?P<first>{name})(?P<others>(?:, {name})*,? (?:and [\w-]+|et al\.))?"
        r" (?P<open>\(?)(?P<year>(?:18|19|20)\d\d)\b(?P<close>\)?)"
    )
    # What is between backticks is said as it is, such as a film with its year.
    text = re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", " ", " ".join(text.split()))
    for match in re.finditer(cited, text):
        # Without others or parentheses, as in "Python 2007", it may be anything.
        if (match["others"] or match["close"]) and match["first"] not in calendar.month_name:
            words = f"{match['first']}{match['others'] or ''} {match['year']}"
            yield words, match["first"], match["year"]


def references(lessons: list[Lesson]) -> tuple[str, list[str]]:
    """The text of `docs/references.md`, and a sentence for each source that is not in order."""
    sources, problems = {}, []
    cited = [
        (text, f"[lesson {lesson.number}]({lesson.target})")
        for lesson in lessons
        for text in lesson.references
    ]
    for path, docstring in docstrings():
        place = path.relative_to(files.ROOT).as_posix()
        cited += [(text, f"[`{place}`](../{place})") for text in entries(docstring)]
    for text, place in cited:
        entry = ENTRY.match(text)
        if entry:
            # Initials first: the surname begins with the first part that is none.
            surname = next(part for part in entry["authors"].split() if not part.endswith("."))
            name = f"{surname.strip(',')} {entry['year']}"
            key = name, re.sub(r"\W+", " ", entry["title"]).strip().casefold()
        else:
            name, key = "", text
            if "](http" not in text:
                problems.append(
                    f"{place} cites {text!r}: write it as 'A. Author. 2001. Title. ...'"
                )
        source = sources.setdefault(key, Source(text, name))
        source.ids |= {":".join(found) for found in ID.findall(text)}
        if place not in source.places:
            source.places.append(place)
    for source in sources.values():
        if len(source.ids) > 1:
            problems.append(f"{source.name} has two identifiers: {', '.join(sorted(source.ids))}")
        if source.name and source.name not in CHECKED:
            problems.append(
                f"{source.name}, {source.places[0]}, is not checked: compare authors, title, year, "
                "venue, pages and DOI with how others cite it, then add it to CHECKED"
            )
    names = {source.name for source in sources.values()}
    problems += [f"CHECKED has {name}, which nobody cites" for name in sorted(CHECKED - names)]
    known = [source.text for source in sources.values()]
    running = [(lesson.path, lesson.running, lesson.references) for lesson in lessons]
    running += [(path, docstring, known) for path, docstring in docstrings()]
    for path, text, listed in running:
        for words, first, year in citations(text):
            if not any(first in entry and year in entry for entry in listed):
                problems.append(f"{path.name} says {words!r}, and no reference belongs to that")
    lines = sorted(
        (_by_letter(source.name) or "~", f"- {_shown(source.text)} {', '.join(source.places)}\n")
        for source in sources.values()
    )
    return f"{REFERENCES_HEAD}\n{''.join(line for _, line in lines)}", problems


def _by_letter(name: str) -> str:
    """What a name is sorted by: an ä stands beside an a, and not behind z."""
    return normalize("NFD", name).casefold()


def _shown(text: str) -> str:
    """An entry in the notebooks' form, up to its DOI, which is made a link."""
    text = re.sub(r" \((\d{4})\)\. ", r". \1. ", text)
    found = ID.search(text)
    before = text[: found.start()] if found else text
    # Pages, which a docstring writes with a hyphen; an address may have one of its own.
    if "://" not in before:
        text = re.sub(r"\b(\d+)-(\d+)\b", r"\1–\2", before) + text[len(before) :]
        found = ID.search(text)
    if not found:
        return f"{text.rstrip('.')}. Cited in"
    address = {"doi": "https://doi.org/", "arXiv": "https://arxiv.org/abs/"}[found[1]]
    return f"{text[: found.start()]}[{found[0]}]({address}{quote(found[2])}). Cited in"


def main() -> int:
    read = [Lesson(path) for path in all_notebooks()]
    problems = []
    for path, (page, found) in {
        ERRATA: errata(read, unboxed(read)),
        REFERENCES: references(read),
        README: (readme(), []),
    }.items():
        store(path, page)
        problems += found
    print("\n".join(problems) or "The errata, the references and the README's tables are made.")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
