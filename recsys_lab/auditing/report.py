"""`audit`: all questions in turn, as text, as JSON, and as a page that stands alone."""

import json
import os
from base64 import b64encode
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from ..course.status import progress_line
from ..data.interactions import (
    Interactions,
    as_choice,
    as_count,
    as_number,
    as_path,
    as_rng,
    is_hashable,
    shown,
)
from ..models.baselines import as_features, item_features
from ..page.alt_text import alt_text
from ..page.figures import compact, png, theme
from . import contest as contests
from . import findings
from .reading import read_log

SIGNS = {"fine": "✓ fine", "note": "● keep in mind", "beware": "▲ beware"}
SHARPNESS = 1.5  # dots of a picture for each of CSS


@dataclass
class Audit:
    """What an audit found; print it, look at it, or write it to a file.

    Attributes
    ----------
    name : str
        What was audited.
    findings : list
        Each with ``key``, ``question``, ``says``, ``numbers``, ``lesson``, ``tone`` ("fine",
        "note" or "beware") and ``picture``, a function that draws it, or None.
    verdict : str
        The last sentence: which models could be trusted.
    standings : DataFrame or None
        The contest; see `recsys_lab.standings`.
    """

    name: str
    findings: list = field(default_factory=list)
    verdict: str = ""
    standings: pd.DataFrame | None = None

    def __getitem__(self, key):
        for finding in self.findings:
            if finding.key == key:
                return finding
        known = ", ".join(finding.key for finding in self.findings)
        raise ValueError(f"key={shown(key)} is no finding of this audit: choose one of {known}")

    def __str__(self):
        parts = [f"Audit of {self.name}", ""]
        for finding in self.findings:
            parts += [f"[{SIGNS[finding.tone]}] {finding.question}", f"    {finding.says}"]
            parts += [f"    -> lesson {finding.lesson}, {findings.TITLES[finding.lesson]}", ""]
        return "\n".join([*parts, f"Verdict: {self.verdict}"])

    __repr__ = __str__

    def to_json(self, path: str | Path | None = None) -> str:
        """Return everything but the pictures as JSON, and write it if a path is given."""
        told = [
            {
                "key": each.key,
                "question": each.question,
                "says": each.says,
                "tone": each.tone,
                "lesson": each.lesson,
                "numbers": each.numbers,
            }
            for each in self.findings
        ]
        whole = {"log": self.name, "findings": told, "verdict": self.verdict}
        text = json.dumps(whole, default=_plain, ensure_ascii=False, indent=1, allow_nan=False)
        return _write(path, text)

    def to_html(self, path: str | Path | None = None) -> str:
        """Return one page that needs no other file, and write it if a path is given.

        Each picture is there for a light and for a dark theme, with its alt text.
        """
        parts = []
        for each in self.findings:
            title = escape(f"Lesson {each.lesson}, {findings.TITLES[each.lesson]}")
            parts.append(
                f'<section id="{each.key}"><h2>{escape(each.question)}</h2>'
                f'<p class="tone {each.tone}">{SIGNS[each.tone]}</p>'
                f"<p>{_marked(each.says)}</p>{_pictures(each)}"
                f'<p class="lesson">{title}</p></section>'
            )
        rows = "".join(
            f'<tr><td><a href="#{each.key}">{escape(each.question)}</a></td>'
            f'<td class="{each.tone}">{SIGNS[each.tone]}</td></tr>'
            for each in self.findings
        )
        page = _PAGE.format(
            name=escape(self.name),
            style=_STYLE,
            verdict=_marked(self.verdict),
            rows=rows,
            sections="\n".join(parts),
        )
        return _write(path, page)

    def _repr_mimebundle_(self, include=None, exclude=None):
        rows = "".join(
            f"<tr><td>{escape(each.question)}</td><td>{SIGNS[each.tone]}</td></tr>"
            for each in self.findings
        )
        html = f"<table>{rows}</table><p><b>{_marked(self.verdict)}</b></p>"
        return {"text/plain": str(self), "text/html": html}


def audit(
    interactions,
    features=None,
    *,
    user: str | None = None,
    item: str | None = None,
    value: str | None = None,
    time: str | None = None,
    question: str | None = None,
    seconds: float = 60.0,
    trials: int | None = None,
    rng=0,
) -> Audit:
    """Say what a log can tell, by which split, and which model to trust on it.

    Parameters
    ----------
    interactions : Interactions, DataFrame, or the path of a CSV or Parquet file
        One event a row. Nothing has to be clean: rows that cannot be used are counted, with the
        reason. A file is read in parts; a row takes 24 bytes.
    features : DataFrame or n x d array, optional
        What is known of the items. A DataFrame is indexed by the item's label; its numbers are
        scaled, and its texts are taken for labels joined by "|". An array has a row for each item,
        in the order of ``Interactions.items``, and goes with Interactions only. Needed for
        ``question="new-item"``.
    user, item, value, time : str, optional
        The columns; guessed from their names, and said, if not given.
    question : {"next", "fill", "new-item", "new-user"}, optional
        What the recommender is for: it decides the split. By default "next" if the log has times,
        else "fill".
    seconds : float
        For the contest of models. Popularity and the next one are always run; the others as far as
        the time allows, and all with the same number of settings. 0: no contest.
    trials : int, optional
        So many settings of each model, whatever the time: for a result that repeats on any machine.
    rng : whole number
        Draws the people of a large log, the split, and ties.

    Returns
    -------
    Audit
        ``print(it)``, ``it["bots"].numbers``, ``it.to_html("audit.html")``, ``it.to_json()``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If no row can be used, a column cannot be found or guessed, or an argument makes no sense.

    Notes
    -----
    Models are fitted to at most 200,000 events of users drawn by lot, and judged by at most 1,000
    users; the other questions are asked of the whole log. Users with the rhythm of a machine take
    no part. What a log cannot tell is not guessed. Lesson 19 goes through the questions one by one;
    each finding names the lesson that explains it.

    Examples
    --------
    >>> from recsys_lab import load_shop
    >>> found = audit(load_shop()[0])
    >>> found["sparse"].numbers["events"]
    9
    >>> print(found.verdict)
    Nothing can be said of which model is best: 0 users left to judge by, and at least 20 are \
needed for an interval.
    """
    if question is not None:
        as_choice(question, "question", contests.QUESTIONS)
    seconds = as_number(seconds, "seconds", most=1e6, such="60")
    if trials is not None:
        trials = as_count(trials, "trials")
    as_rng(rng)
    if not isinstance(rng, (int, np.integer)):
        raise ValueError(f"rng={shown(rng)} is no seed: pass a whole number, so that parts agree")
    for name, column in (("user", user), ("item", item), ("value", value), ("time", time)):
        if column is not None and not (is_hashable(column) and isinstance(column, (str, int))):
            raise ValueError(f"{name}={shown(column)} is no column: give its name")
    if not isinstance(interactions, Interactions) and isinstance(features, np.ndarray | list):
        raise ValueError(
            "features is an array, and the items of a table or a file have no order: pass a "
            "DataFrame indexed by the items' labels"
        )
    show = progress_line()
    try:
        log = read_log(interactions, user=user, item=item, value=value, time=time)
        study = findings.Study(log, rng)
        found = []
        for ask in findings.QUESTIONS:
            show(f"audit: {ask.__name__}")
            answer = ask(study)
            if answer is not None:
                found.append(answer)
        of_people = next(each for each in found if each.key == "people").numbers
        study.judged, study.seen = of_people["judged"], of_people["seen"]
        study.forget()
        show("audit: contest")
        known = None if features is None else _features(features, study)
        plan = contests.plan(study, question, known)
        result = {"table": None, "says": ["No contest was asked for."], "trials": 0}
        result["verdict"] = "No contest was held, so nothing is said of models."
        if seconds:
            result = contests.contest(study, plan, known, seconds, show, trials)
        broken = any(each.key == "clock" and each.tone == "beware" for each in found)
        if broken and result["table"] is not None and plan.name in ("one date", "last"):
            result["verdict"] += (
                " But the clock cannot be believed, and the split rests on it: mend it first."
            )
        found += contests.findings(study, plan, result)
    finally:
        show("")
    name = str(interactions) if isinstance(interactions, (str, Path)) else _named(interactions)
    return Audit(Path(name).name, found, result["verdict"], result["table"])


def _named(source):
    return "a table" if isinstance(source, pd.DataFrame) else "Interactions"


def _features(features, study):
    """Return what is known of the small log's items as an array."""
    items, labels = study.small[0].items, study.log.item_labels
    if isinstance(features, pd.DataFrame):
        if not features.index.is_unique:
            raise ValueError("features has an item twice in its index: give each item one row")
        lacking = ~pd.Index(items).isin(features.index)
        if lacking.all():
            raise ValueError(
                f"features has none of the log's items in its index, such as "
                f"{findings.plain(items[0])!r}: set its index to the items' labels"
            )
        table = features.reindex(items)
        numbers = [c for c in table if pd.api.types.is_numeric_dtype(features[c])]
        parts = [table[numbers].astype(float).fillna(table[numbers].mean()).fillna(0)]
        span = (parts[0].max() - parts[0].min()).replace(0, 1)
        parts[0] = (parts[0] - parts[0].min()) / span
        for column in table.columns.difference(numbers):
            text = table[[column]].astype(object).where(table[[column]].notna(), "").astype(str)
            wide = item_features(text, labels=column)
            # A label of one item says nothing of another; and 1,000 are a wide table already.
            often = wide.sum().sort_values(ascending=False)
            parts.append(wide[often[often > 1].index[:1000]])
        result = pd.concat(parts, axis=1).to_numpy(dtype=float)
        if not result.shape[1]:
            raise ValueError("features has no column that two items share: nothing can be learnt")
        return result
    known = as_features(features, study.n)
    return known[pd.Index(labels).get_indexer(items)]


def _plain(value):
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is not for JSON")


def _write(path, text):
    """Write to a temporary name first: a page is whole, or not there."""
    if path is not None:
        path = as_path(path)
        draft = path.with_name(path.name + ".tmp")
        try:
            # A label may hold half a letter, which no UTF-8 can.
            draft.write_text(text, encoding="utf-8", errors="backslashreplace")
            os.replace(draft, path)
        except OSError as problem:
            raise ValueError(
                f"path={str(path)!r} cannot be written ({problem}): choose a folder that is there "
                "and yours"
            ) from None
    return text


def _marked(text):
    """Escape a sentence; *words* become emphasised."""
    parts = escape(text).split("*")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(f"<em>{p}</em>" if k % 2 else p for k, p in enumerate(parts))


def _pictures(finding):
    if finding.picture is None:
        return ""
    sources = []
    for dark in (False, True):
        with theme(dark):
            figure = finding.picture()
            picture = compact(png(figure, SHARPNESS))
            sources.append(f"data:image/png;base64,{b64encode(picture).decode('ascii')}")
    text = escape(alt_text(figure), quote=True)
    width, height = (round(100 * side) for side in figure.get_size_inches())
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{sources[1]}">'
        f'<img alt="{text}" width="{width}" height="{height}" src="{sources[0]}"></picture>'
    )


_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #111; --soft: #555; --line: #ccc;
  --fine: #006b4e; --note: #805a00; --beware: #b03a00; --link: #005a8f; }
@media (prefers-color-scheme: dark) { :root { --paper: #111; --ink: #e2e2e2; --soft: #aaa;
  --line: #444; --fine: #4fd0a5; --note: #e8b84a; --beware: #ff9a5c; --link: #7cc4f2; } }
body { background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
  max-width: 42rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 0 0 .25rem; }
section { border-top: 1px solid var(--line); padding: 1rem 0; }
img { max-width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; } td { border-top: 1px solid var(--line);
  padding: .25rem .5rem .25rem 0; } td + td { white-space: nowrap; }
a { color: var(--link); } .tone { margin: 0; font-weight: 600; } p { margin: .5rem 0; }
.fine { color: var(--fine); } .note { color: var(--note); } .beware { color: var(--beware); }
.lesson { color: var(--soft); font-size: .9rem; }
.verdict { border-left: 4px solid var(--link); padding-left: .75rem; font-weight: 600; }
@media print { section { break-inside: avoid; } }
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Audit of {name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head>
<body><header><h1>Audit of {name}</h1><p class="verdict">{verdict}</p></header>
<main><table><caption hidden>Findings</caption><tbody>{rows}</tbody></table>
{sections}</main>
<footer><p class="lesson">Made by recsys-lab, <code>python3 -m recsys_lab audit</code>. The log has
not left this computer.</p></footer></body></html>
"""
