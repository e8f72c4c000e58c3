"""Make the pages of `docs/` that are drawn from the lessons: the errata and the references.

    python -m tools.pages

`docs/errata.md` holds what the notebooks' boxes say of the source article, claim by claim;
`docs/references.md` holds every source that a notebook or a docstring cites. Change a text where it
stands, in the notebook or the docstring, and run this again. Whatever is missing or does not agree
is said, and makes the exit code 1.
"""

import ast
import calendar
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import nbformat

from tools.notebooks import ROOT, all_notebooks, store

ERRATA = ROOT / "docs" / "errata.md"
REFERENCES = ROOT / "docs" / "references.md"
# The claims of the source article that the course takes up.
CLAIMS = [f"C{number:02}" for number in range(1, 22)]
# Sources whose authors, title, year, venue, pages and DOI, as far as the entry gives them, were
# compared with how others cite them. A new one goes in here when that is done.
CHECKED = {
    name.strip()
    for name in """
    Bergstra 2012, Cremonesi 2010, Cybenko 1989, Eckart 1936, Efron 1993, Ferrari 2019,
    Halko 2011, Harper 2015, Hastie 2015, He 2015, He 2017, Hoerl 1970, Horn 1965, Hornik 1991,
    Hu 2008, Hunter 2007, Järvelin 2002, Kingma 2015, Koren 2009, Krichene 2020, Lehoucq 1998,
    Leshno 1993, Lops 2011, Mazumder 2010, Mirsky 1975, Rendle 2009, Rendle 2019, Rendle 2020,
    Resnick 1994, Ricci 2022, Robbins 1951, Rumelhart 1986, Sarwar 2001, Schönemann 1966,
    Spärck 1972, Srivastava 2014, Steck 2019, Steck 2020, Vargas 2011, Zhang 2013, Zhang 2017,
    Zhang 2019, Zhou 2008, Zhou 2018, Ziegler 2005
    """.split(",")
}

ERRATA_HEAD = """\
# The article, claim by claim

The course follows one survey article and checks what it says. Each claim that it checked stands
here in the words of its lesson, whether it holds or not, with a link to the place where the lesson
shows it. What stands "above", "below" or "here" stands there.

This page is made by `python -m tools.pages` from the boxes in the notebooks: change a text there.
"""
REFERENCES_HEAD = """\
# References

Every source that a lesson or a docstring of the package cites, by first author, and where it is
cited. Each was compared with how others cite it: authors, title, year, venue, pages and DOI. (Only
the DOI of Mirsky 1975 was not found elsewhere.)

This page is made by `python -m tools.pages` from the lists in the notebooks and in the docstrings:
change a text there.
"""


@dataclass
class Box:
    """What a lesson says of a claim, and where: the heading above it, and its cell."""

    claim: str
    text: str
    heading: str
    cell_id: str


@dataclass
class Lesson:
    """What the two pages take from a notebook."""

    path: Path
    headings: list[str] = field(default_factory=list)
    boxes: list["Box"] = field(default_factory=list)
    references: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)  # the other lines

    @property
    def target(self) -> str:
        """Where a link from `docs/` has to lead."""
        return f"../notebooks/{self.path.name}"


def read(path: Path) -> Lesson:
    """Go through a notebook's Markdown line by line."""
    lesson = Lesson(path)
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "markdown":
            continue
        text = re.sub(r"^[ >]*(```+).*?^[ >]*\1|<!--.*?-->", "", cell.source, flags=re.M | re.S)
        in_box = False
        for line in text.splitlines():
            box = BOX.match(line)
            in_box = bool(box) or (in_box and line.startswith(">"))
            if heading := re.match(r"#{1,6} +(.+?) *$", line):
                lesson.headings.append(heading[1])
            elif box:
                told = f"{box['learned']} {box['says']}"
                lesson.boxes.append(Box(box["claim"], told, lesson.headings[-1], cell.id))
            elif in_box:
                lesson.boxes[-1].text += f" {line[1:].strip()}"
            elif lesson.headings[-1:] != ["References"]:
                lesson.prose.append(line)
            elif bullet := re.match(r"[-*] +(.+)", line):
                # Without the link that a lesson may make of a DOI: the page makes its own.
                plain = re.sub(r"\[((?:doi|arXiv):[^]]+)\]\(\S+\)", r"\1", bullet[1])
                lesson.references.append(plain)
    return lesson


def errata(lessons: list[Lesson]) -> tuple[str, list[str]]:
    """The text of `docs/errata.md`, and a sentence for each claim that is not in it once."""
    found = defaultdict(list)
    for lesson in lessons:
        for box in lesson.boxes:
            # By the cell: JupyterLab 4.6 opens a notebook there, and not at a heading's anchor.
            target = f"{lesson.target}#cell-id={box.cell_id}"
            link = f"[lesson {lesson.path.name[:2]}, *{box.heading}*]({target})"
            found[box.claim].append(f"\n## {box.claim}\n\n{box.text}\n\nSee {link}.\n")
    problems = []
    for claim in CLAIMS:
        if claim not in found:
            box = f"> **What the article says ({claim}).** ..."
            problems.append(f"claim {claim} is in no lesson: its box begins {box}")
        elif len(found[claim]) > 1:
            problems.append(f"claim {claim} has {len(found[claim])} boxes: leave one of them")
    for claim in sorted(set(found) - set(CLAIMS)):
        problems.append(f"claim {claim} is none of {CLAIMS[0]} to {CLAIMS[-1]}: mend its box")
    return ERRATA_HEAD + "".join("".join(found[claim]) for claim in sorted(found)), problems


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
    for path in sorted((ROOT / "recsys_lab").rglob("*.py")):
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
    for match in re.finditer(cited, " ".join(text.split())):
        # Without others or parentheses, as in "Python 2007", it may be anything.
        if (match["others"] or match["close"]) and match["first"] not in calendar.month_name:
            words = f"{match['first']}{match['others'] or ''} {match['year']}"
            yield words, match["first"], match["year"]


def references(lessons: list[Lesson]) -> tuple[str, list[str]]:
    """The text of `docs/references.md`, and a sentence for each source that is not in order."""
    sources, problems = {}, []
    cited = [
        (text, f"[lesson {lesson.path.name[:2]}]({lesson.target})")
        for lesson in lessons
        for text in lesson.references
    ]
    for path, docstring in docstrings():
        place = path.relative_to(ROOT).as_posix()
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
    running = [(lesson.path, "\n".join(lesson.prose), lesson.references) for lesson in lessons]
    running += [(path, docstring, known) for path, docstring in docstrings()]
    for path, text, listed in running:
        for words, first, year in citations(text):
            if not any(first in entry and year in entry for entry in listed):
                problems.append(f"{path.name} says {words!r}, and no reference belongs to that")
    lines = sorted(
        (source.name.casefold() or "~", f"- {_shown(source.text)} {', '.join(source.places)}\n")
        for source in sources.values()
    )
    return f"{REFERENCES_HEAD}\n{''.join(line for _, line in lines)}", problems


def _shown(text: str) -> str:
    """An entry in the notebooks' form, up to its DOI, which is made a link."""
    text = re.sub(r" \((\d{4})\)\. ", r". \1. ", text)
    found = ID.search(text)
    if not found:
        return f"{text.rstrip('.')}. Cited in"
    address = {"doi": "https://doi.org/", "arXiv": "https://arxiv.org/abs/"}[found[1]]
    return f"{text[: found.start()]}[{found[0]}]({address}{quote(found[2])}). Cited in"


def main() -> int:
    lessons = [read(path) for path in all_notebooks()]
    problems = []
    for path, (page, found) in {
        ERRATA: errata(lessons),
        REFERENCES: references(lessons),
    }.items():
        store(path, page)
        problems += found
    print("\n".join(problems) or "docs/errata.md and docs/references.md are made.")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
