"""Make what a teacher hands out: a student's and a teacher's edition of every lesson, and pages.

    python -m tools.handout                 into the folder handout/
    python -m tools.handout --out FOLDER    into another one
    python -m tools.handout --still         pages whose sliders stand still: seconds, not minutes

    student/NN_*.ipynb    its cards have no button for a solution; exercises are stubs, whatever
                          stands in the course's own copy; outputs that would spoil a guess cleared
    teacher/NN_*.ipynb    exercises solved, answers unfolded, talking points after the title
    html/student/         pages of the student's edition: index.html with the map, NN.html to read
                          in a browser, on a telephone, or printed, then without folded answers
    html/teacher/         the same of the teacher's edition
                          in both also errata.html, and data-NAME.html of each folder of data
    data/                 a copy, since the notebooks read ../data

All of them are made of notebooks/*.ipynb and docs/teaching/*.md, the talking points, so they
cannot drift apart. The code of the student's edition is that of the course, cell by cell. Which of
its outputs are cleared, or folded away on a page, `spoilers` says. What a notebook's text says is
left alone: a student who reads ahead finds answers there.

A page needs no server and nothing beside it. Its sliders, guesses and questions answer by
themselves: the lesson is run once, and its widgets leave behind what `recsys_lab.page.recording`
tells of. Without JavaScript a page shows each widget as it starts, and all that is folded.
"""

import argparse
import copy
import errno
import json
import os
import re
import shutil
import sys
from collections.abc import Set
from functools import cache
from html import escape
from pathlib import Path
from string import Template

import nbformat
from bs4 import BeautifulSoup
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from recsys_lab.course.files import lessons
from recsys_lab.course.status import any_console
from recsys_lab.exercises import get
from recsys_lab.models.spark import has_spark
from recsys_lab.page.display import DARK_FILTER, STATIC
from recsys_lab.page.figures import DARK_INK, DARK_PAPER
from recsys_lab.page.recording import MIME
from tools.notebooks import ROOT, all_notebooks, run, store

TEACHING = ROOT / "docs" / "teaching"
EXERCISE = re.compile(r'^@exercise\("([^"]+)"\)$', re.M)
FOLD = re.compile(r"<details>\s*<summary>.+?</details>", re.S)
HEADING = re.compile(r"^#{1,6} ", re.M)
GUESS = re.compile(r"^\w+ = (?:lab\.)?predict\(", re.M)
REVEAL = re.compile(r"^\w+\.reveal\(", re.M)
WIDGET = re.compile(r"^explore\(", re.M)
# What a lesson says of a folded cell in JupyterLab, and what unfolds it on a page.
BAR = re.compile(
    r"(?<=lick )the bar (?:at|to) (?:its|the) left(?: of (?:its cell|it))?(?: to open it)?"
)
# Cells that speak of the reader's own machine or progress, which a page does not know.
OWN = re.compile(r"\b(?:machine_check|progress|review)\(\)")
# A page is opened on a telephone: bytes.
PAGE_LIMIT = 15_000_000
MADE = ROOT / "handout"  # where it is written unless asked otherwise


def student(nb: NotebookNode) -> NotebookNode:
    """The edition for those who are to find out: a notebook without solutions and spoilers.

    An exercise's cell is its stub, also where the person who makes the edition has answered it.

    Raises
    ------
    ValueError
        If the text mentions `solution(...)`.
    """
    nb = copy.deepcopy(nb)
    nb.metadata["recsys_lab"] = {"edition": "student"}
    for index in spoilers(nb):
        nb.cells[index].outputs = []
    for index, cell in enumerate(nb.cells):
        asked = EXERCISE.search(cell.source) if cell.cell_type == "code" else None
        if asked:
            cell.source = get(asked[1]).stub
        if "solution(" in cell.source:
            raise ValueError(
                f"cell {index} mentions solution(...), which the student's edition has not: the "
                "card that answers an exercise has a button for it"
            )
    return nb


def students_page(nb: NotebookNode) -> NotebookNode:
    """The student's edition with the outputs that are folded away on a page, not cleared."""
    made = student(nb)
    for index in spoilers(nb):
        if not EXERCISE.search(nb.cells[index].source):  # speaks of a run that nobody has made
            made.cells[index].outputs = copy.deepcopy(nb.cells[index].outputs)
    return made


def spoilers(nb: NotebookNode) -> set[int]:
    """The positions of the code cells whose outputs would spoil a guess.

    - All that follows the guess, or all if it was asked before, in the section of level 2 in which
      it is revealed.
    - After a `**Question.**`, all up to its answer or the next heading, but the widget's own
      picture: it shows what the question is about, at the controls' defaults.
    - After the words 'before you run', all up to the next text.
    - An exercise's own: they speak of a run that the reader has not made.
    """
    found, section, revealing, asked = set(), [], False, ""
    for index, cell in enumerate(nb.cells):
        if cell.cell_type == "markdown":
            ends = [found.end() for found in re.finditer(r"^#{1,6} |</details>", cell.source, re.M)]
            if asked == "before you run" or ends:
                asked = ""
            if re.search(r"^## ", cell.source, re.M):
                section, revealing = [], False
            later = cell.source[max(ends, default=0) :]
            for words in re.findall(r"\*\*Question\.\*\*|before you run", later, re.I):
                asked = words.lower()
        elif cell.cell_type == "code":
            if GUESS.search(cell.source):  # the card, and what stands before it, spoil nothing
                section, revealing = [], False
                continue
            section.append(index)
            if REVEAL.search(cell.source):
                revealing = True
            if revealing:
                found.update(section)
            if EXERCISE.search(cell.source):
                found.add(index)
            if asked and not WIDGET.search(cell.source):
                found.add(index)
    return found


def teacher(nb: NotebookNode, talking_points: str) -> NotebookNode:
    """The edition for the desk: every exercise solved, every answer open, what to say on top.

    Its second cell, the talking points, is the only one that the source has not.
    """
    nb = copy.deepcopy(nb)
    for cell in nb.cells:
        solved = EXERCISE.search(cell.source) if cell.cell_type == "code" else None
        if solved:
            # What is stored below it speaks of the stub.
            cell.source, cell.outputs = get(solved[1]).solution, []
        elif cell.cell_type == "markdown":
            cell.source = cell.source.replace("<details>", "<details open>")
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                html = output.data["text/html"]
                output.data["text/html"] = html.replace("<details>", "<details open>")
    points = nbformat.v4.new_markdown_cell(f"## For the teacher\n\n{talking_points}")
    points.id = "for-the-teacher"
    nb.cells.insert(1, points)
    return nb


def talking_points(lesson: str) -> str:
    """What docs/teaching says about a lesson, given by its file's stem, as in ``03_als``.

    Raises
    ------
    ValueError
        If there is nothing.
    """
    path = TEACHING / f"{lesson}.md"
    if not path.is_file():
        raise ValueError(f"docs/teaching/{path.name} is missing: write what a teacher has to know.")
    return path.read_text(encoding="utf-8").strip()


def recorded(path: Path) -> NotebookNode:
    """A notebook in whose outputs each widget left what a page needs to answer for it.

    Raises
    ------
    ValueError
        If a cell raises, or the kernel dies.
    """
    nb = read(path)
    start = "__import__('recsys_lab.page.recording', fromlist=['start']).start()"
    try:
        # The title comes first: nothing has run yet.
        made = run(path, after_cell=lambda cell, evaluate: cell or evaluate(start))
    except CellExecutionError as error:
        raise ValueError(
            f"a cell raises {error.ename}: {error.evalue}. Mend it, or make the pages --still."
        ) from None
    except DeadKernelError:
        raise ValueError(
            "its kernel died, perhaps for lack of memory: close other programs, or make the pages "
            "--still."
        ) from None
    for cell, fresh in zip(nb.cells, made.nb.cells, strict=True):
        if any(MIME in output.get("data", {}) for output in fresh.get("outputs", [])):
            cell.outputs = fresh.outputs
    return nb


# --- Pages --------------------------------------------------------------------------------------


class _Renderer(IPythonRenderer):
    """Markdown as HTML that needs no script: formulas as MathML, a diagram as a list of arrows."""

    def inline_math(self, body: str) -> str:
        return mathml(body, "inline")

    def block_math(self, body: str) -> str:
        return mathml(body, "block")

    def block_mermaidjs(self, code: str) -> str:
        caption = "<figcaption>A diagram, as a list of its arrows</figcaption>"
        return f"<figure>{caption}{arrows(code)}</figure>"

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        return f'<th scope="col">{text}</th>\n' if head else f"<td>{text}</td>\n"

    def table(self, text: str) -> str:
        return f'<div class="output"><table>\n{text}</table></div>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        return super().link(text, _page_of(url), title)


def _rendered(text: str) -> str:
    renderer = _Renderer(escape=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(text)


def _page_of(url: str) -> str:
    """Where a link of a lesson, or of a data folder's README, leads among the pages."""
    url = re.sub(r"^(\d\d)_[^/]*\.ipynb$", r"\1.html", url)
    url = re.sub(r"^(?:\.\./data|\.\.)/([\w-]+)/README\.md$", r"data-\1.html", url)
    return re.sub(r"^\.\./docs/errata\.md", "errata.html", url)


def mathml(latex: str, display: str) -> str:
    """A formula as MathML, which browsers show without any script.

    Raises
    ------
    ValueError
        If the converter left something as it was.
    """
    # Here, so that the editions can be made, and tested, where the converter is not installed.
    from latex2mathml.converter import convert

    # The converter knows no `aligned`, and makes a power of the closing bar alone.
    known = re.sub(r"\\(begin|end)\{aligned\}", r"\\\1{align*}", latex)
    known = re.sub(r"\\lvert(.+?)\\rvert", r"{\\left\\lvert\1\\right\\rvert}", known)
    converted = convert(known, display=display)
    left = re.search(r"\\[a-zA-Z]+|<mi>&</mi>|linebreak=", converted)
    if left:
        raise ValueError(f"the formula ${latex}$ cannot be shown: {left[0]} is not known.")
    # It sets "log p" as one word.
    logarithm = r"(<mi>(?:log|ln)</mi>)(?=<m(?:i|n|sub|sup|row|frac|text)\b)"
    start = r"(?<!<msub>)(?<!<msup>)(?<!<munder>)"
    converted = re.sub(start + logarithm, r'\1<mspace width="0.17em"/>', converted)
    # A reader of the page's source, or of its text alone, still has the formula as it was written.
    return converted.replace("<math ", f'<math alttext="{escape(latex)}" ', 1)


def arrows(mermaid: str) -> str:
    """A diagram of the form `A[text] --> B[text]` as a list, an arrow an item.

    Raises
    ------
    ValueError
        If it has a line of another form.
    """
    node = r"(\w+)(?:\[([^\]]+)\])?"
    names, items = {}, []
    for line in mermaid.strip().splitlines()[1:]:
        found = re.fullmatch(rf"\s*{node} --> {node}\s*", line)
        if not found:
            raise ValueError(
                f"the diagram's line {line.strip()!r} is not of the form A[x] --> B[y]."
            )
        ends = []
        for name, text in (found.group(1, 2), found.group(3, 4)):
            names[name] = text.replace("<br/>", " ") if text else names.get(name, name)
            ends.append(escape(names[name]))
        items.append(f"<li>{ends[0]} → {ends[1]}</li>")
    return f"<ul>{''.join(items)}</ul>"


def page(nb: NotebookNode, edition: str, folded: Set[int] = frozenset()) -> str:
    """A notebook as one HTML file that loads nothing from anywhere.

    Parameters
    ----------
    nb : an edition, of a notebook as it is stored or `recorded`.
    edition : "student" or "teacher".
    folded : the positions of the cells whose outputs are folded away.

    Raises
    ------
    ValueError
        If it has no title, or something that cannot be shown.
    """
    title = re.search(r"^# (.+)$", nb.cells[0].source, re.M) if nb.cells else None
    if not title:
        raise ValueError("the first cell has no title: begin it with '# NN · Title'.")
    parts = []
    for index, cell in enumerate(nb.cells):
        parts.append(f'<span id="{cell.id}"></span>')  # the errata's links lead there
        if cell.cell_type == "markdown":
            source = re.sub(r"<!--.*?-->", "", cell.source, flags=re.S)
            source = BAR.sub("*The code* to open it", source)
            if edition == "student":  # on paper there is room for an answer instead
                source = FOLD.sub(r'\g<0>\n\n<p class="room">Your answer:</p>', source)
            parts.append(_rendered(source))
        elif cell.cell_type == "code":
            code = highlight(cell.source, PythonLexer(), HtmlFormatter(cssclass="code"))
            outputs = "\n".join(filter(None, map(_output, cell.outputs)))
            if OWN.search(cell.source):
                outputs = _note("In JupyterLab: your own machine, and your own progress.")
            if outputs and index in folded:
                label = TOLD_WIDGET if WIDGET.search(cell.source) else TOLD
                if REVEAL.search(cell.source):  # the code names the right choice
                    code, outputs = "", code + outputs
                outputs = f"<details class='told'><summary>{label}</summary>{outputs}</details>"
            if code and cell.metadata.get("jupyter", {}).get("source_hidden"):
                is_open = " open" if edition == "teacher" else ""
                summary = "<summary>The code</summary>"
                code = f"<details class='source'{is_open}>{summary}{code}</details>"
            parts.append(code)
            if (asked := EXERCISE.search(cell.source)) and edition == "student":
                parts += [hints(get(asked[1]).hints), _note(TO_WRITE)]
            parts.append(outputs)
    lesson, contents = _with_contents("\n".join(parts), edition)
    about = [_note(ABOUT)] if edition == "student" else []
    body = "\n".join([NAV, *about, contents, lesson, NAV])
    script = _script() if 'class="rl-data"' in body else ""
    return _page(f"{escape(title[1])}, {edition}’s edition", body, edition, script)


def _note(text: str) -> str:
    return f'<p class="rl-note">{text}</p>'


def _with_contents(lesson: str, edition: str) -> tuple[str, str]:
    """A lesson whose sections can be linked to, and the list of the links."""
    heads = []

    def numbered(heading: re.Match) -> str:
        heads.append(heading[1])
        return f'<h2 id="section-{len(heads)}">{heading[1]}</h2>'

    lesson = re.sub(r"<h2[^>]*>(.*?)</h2>", numbered, lesson, flags=re.S)
    items = "".join(
        f'<li><a href="#section-{number}">{text}</a></li>' for number, text in enumerate(heads, 1)
    )
    is_open = " open" if edition == "teacher" else ""
    listed = f"<summary>In this lesson</summary><ul>{items}</ul>"
    return lesson, f"<nav><details class='contents'{is_open}>{listed}</details></nav>"


def _page(title: str, body: str, edition: str, script: str = "") -> str:
    light, dark = (HtmlFormatter(cssclass="code", style=name) for name in CODE_STYLES)
    widgets = "".join((STATIC / name).read_text(encoding="utf-8") for name in WIDGET_STYLES)
    style = STYLE + light.get_style_defs(".code") + widgets
    style += f"\n@media screen and (prefers-color-scheme: dark) {{\n{DARK}"
    style += dark.get_style_defs(".code") + "\n}\n"
    return PAGE.substitute(title=title, style=style, body=body, edition=edition, script=script)


@cache
def _script() -> str:
    """The script of a page, with those that it imports in place of the imports."""

    def imported(statement: re.Match) -> str:
        code = (STATIC / f"{statement[1]}.js").read_text(encoding="utf-8")
        code = re.sub(r"^export (?!default)", "", code, flags=re.M)
        code = re.sub(r"^export default", "return", code, flags=re.M)
        return f"const {statement[1]} = (() => {{\n{code}}})();"

    code = (STATIC / "page.js").read_text(encoding="utf-8")
    code = re.sub(r'^import (\w+) from "\./\1\.js";$', imported, code, flags=re.M)
    return f'<script type="module">\n{code}</script>'


def hints(texts: list[str]) -> str:
    """The hints of an exercise, each folded into the one before: they open one by one."""
    page = ""
    for number in range(len(texts), 0, -1):
        text = _marked(texts[number - 1])
        summary = f"<summary>Hint {number} of {len(texts)}</summary>"
        page = f"<details class='hint'>{summary}<p>{text}</p>{page}</details>"
    return page


def _output(output: NotebookNode) -> str:
    data = output.get("data", {})
    if MIME in data:
        # After the reading copy, which stays where there is no JavaScript.
        form = json.dumps(data[MIME], separators=(",", ":")).replace("<", "\\u003c")
        return f'<script type="application/json" class="rl-data">{form}</script>'
    html = re.sub(r"<style.*?</style>", "", data.get("text/html", ""), flags=re.S)
    if "<progress" in html:  # one that has arrived has nothing to tell
        return ""
    if html:
        html = re.sub(r"href='(\d\d)_[^/']*\.ipynb'", r"href='\1.html'", html)
        # There is no cell to run.
        html = re.sub(r"<p>Run this cell to (answer|choose)\.</p>", "", html)
        html = re.sub(r"<strong>No guess yet: .+?</strong>", "", html)
        return f'<div class="output">{_table(html) if "<table" in html else html}</div>'
    text = output.text if output.output_type == "stream" else data.get("text/plain", "")
    # Columns stay columns on a narrow screen; a sentence may wrap.
    kind = "output columns" if re.search(r"\S {2,}\S", text) else "output"
    return f'<pre class="{kind}">{escape(text.rstrip())}</pre>' if text.strip() else ""


def _table(html: str) -> str:
    """A table, as pandas writes it, whose headers say what they head."""
    soup = BeautifulSoup(html, "html.parser")
    for header in soup("th"):
        if not header.get_text(strip=True):
            header.name = "td"
        elif not header.has_attr("scope"):
            header["scope"] = "col" if header.find_parent("thead") else "row"
    for table in soup("table"):
        del table["border"]
    return str(soup)


PAGE = Template("""\
<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
$style
</style>
</head>
<body class="$edition">
<main>
$body
</main>
$script
</body>
</html>
""")

NAV = '<nav><a href="index.html">All lessons</a></nav>'
TOLD = "What this cell shows: open it after your own guess"
TOLD_WIDGET = "A picture that you can move: open it after your own guess"
ABOUT = (
    "This page shows the lesson as it was run, with right answers to its exercises: nothing on it "
    "has to be run. Its sliders, guesses and questions answer. What it says of running cells and "
    "of checks is for JupyterLab."
)
TO_WRITE = "To write this and have it checked, open the lesson in JupyterLab."
INDEX = {
    "student": "Move the sliders, commit to a guess, answer the questions: each page does that by "
    "itself. To write code and have exercises checked, open the lessons in JupyterLab.",
    "teacher": "For the desk: with what to say, every exercise solved, and every answer open.",
}
WIDGET_STYLES = ["picture.css", "grid.css", "guess.css", "quiz.css"]
CODE_STYLES = ("default", "github-dark")  # on a light and on a dark ground

# Code of 100 columns, the longest, fits a page of A4, and whatever is wider wraps. Only what cannot
# wrap on a narrow screen, a table, a formula or a picture, scrolls by itself, so that the page does
# not. The names with --jp- are those by which the widgets ask JupyterLab for its colours.
STYLE = """\
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1a1a1a; --line: #767676; --pale-line: #ccc;
  --link: #0b57a4; --code: #f8f8f8; --dark-picture: none;
  --jp-layout-color1: var(--paper); --jp-layout-color2: #eee;
  --jp-ui-font-color0: var(--ink); --jp-ui-font-color1: var(--ink);
  --jp-content-font-color1: var(--ink); --jp-border-color0: var(--line);
  --font: system-ui, sans-serif;
  --jp-content-font-family: var(--font); --jp-ui-font-family: var(--font);
  --jp-content-font-size1: 1rem; --jp-ui-font-size1: 0.875rem;
}
@media print { :root { color-scheme: light; } }
body { margin: 0; background: var(--paper); color: var(--ink); }
body { font: 1rem/1.5 var(--font); }
main { max-width: 56rem; margin: 0 auto; padding: 1.5rem; overflow-wrap: anywhere; }
h1, h2, h3 { line-height: 1.25; break-after: avoid; }
h2 { margin-top: 2em; border-bottom: 1px solid var(--line); }
a { color: var(--link); }
img { display: block; max-width: 100%; height: auto; filter: var(--dark-picture); }
blockquote { margin: 1em 0; padding: 0.2em 1em; border-left: 4px solid var(--line); }
details { margin: 1em 0; padding: 0.2em 1em; border: 1px solid var(--line); }
pre, code { font: 0.875rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { margin: 0.5em 0; padding: 0.6em; white-space: pre-wrap; }
.code pre { background: var(--code); border: 1px solid var(--pale-line); }
.output { margin: 0.5em 0; break-inside: avoid; }
table { border-collapse: collapse; font-size: 0.875rem; }
table, table code { overflow-wrap: normal; }  /* a number that is broken is another number */
mtd[columnalign="right"] { text-align: right; padding-right: 0; }
mtd[columnalign="left"] { text-align: left; padding-left: 0; }
caption { text-align: left; }
th, td { padding: 0.2em 0.6em; border-bottom: 1px solid var(--pale-line); text-align: left; }
.dataframe th, .dataframe td { text-align: right; }
math[display="block"] { margin: 1em 0; }
.map { padding: 0; list-style: none; }
.map li { margin: 0 0 1em; }
.map p { margin: 0; }
.rl-control { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5em; padding: 0.2em 0; }
.rl-control input, .rl-control select, button { font: inherit; accent-color: var(--link); }
.rl-control input[type="range"] { flex: 1 1 6em; min-width: 6em; max-width: 14em; }
.rl-control output { font-variant-numeric: tabular-nums; }
.rl-grid { display: block; max-width: 100%; overflow-x: auto; }
.rl-grid img { filter: none; }  /* their colours are what they show */
.rl-grid thead th, .rl-grid td { text-align: center; }
.rl-note { margin: 0.2em 0; font-size: 0.875rem; }
.rl-quiz, .rl-guess { font-size: inherit; }
@media screen {
  .room { display: none; }
  .output, math[display="block"] { overflow-x: auto; }
  math[display="block"] { margin: 0.5em 0; padding: 0.5em 0; }  /* or scripts are cut off */
  .output > img, .rl-static > img { max-width: max(100%, 520px); }  /* as .rl-picture-box */
  button { color: inherit; background: var(--jp-layout-color2); border: 1px solid var(--line); }
  .columns, .code pre { white-space: pre; overflow-x: auto; overflow-wrap: normal; }
  main .rl-wide { border-right: 3px dotted var(--link); }  /* a telephone shows no scroll bar */
  div.rl-wide::before {
    content: "wider than the screen: swipe ↔"; display: block; position: sticky; left: 0;
    width: max-content; font-size: 0.875rem;
  }
}
@page { size: A4; margin: 15mm; }
@media print {
  details, blockquote, .room, tr { break-inside: avoid; }
  .student details:not(.hint), nav, .rl-note { display: none; }
  .room { min-height: 6em; padding: 0.4em 0.8em; border: 1px solid var(--line); }
  main { max-width: none; padding: 0; }
  body { font-size: 10.5pt; }
  pre, code, table { font-size: 8pt; }
  table, table code { overflow-wrap: anywhere; }
  th, td { padding: 0.2em 0.4em; }
}
"""
DARK = f"""\
:root {{
  --paper: {DARK_PAPER}; --ink: {DARK_INK}; --line: #8c8c8c; --pale-line: #444;
  --link: #8ab8f0; --code: #1c1f24; --dark-picture: {DARK_FILTER};
  --jp-layout-color2: #2a2a2a;
}}
"""


# --- Files --------------------------------------------------------------------------------------


def errata(edition: str) -> str:
    """The article, claim by claim, as a page to which the lessons' boxes link."""
    text = (ROOT / "docs" / "errata.md").read_text(encoding="utf-8")
    text = re.sub(r"^This page is made by .*?\n\n", "", text, flags=re.M | re.S)
    text = re.sub(
        r"\]\(\.\./notebooks/(\d\d)_[^)#]*(?:#cell-id=([\w-]+))?\)",
        lambda link: f"]({link[1]}.html{'#' + link[2] if link[2] else ''})",
        text,
    )
    body = re.sub(r"<h2[^>]*>(C\d\d)", lambda m: f'<h2 id="{m[1].lower()}">{m[1]}', _rendered(text))
    return _page("The article, claim by claim", f"{NAV}\n{body}", edition)


def about_data(readme: Path, edition: str) -> str:
    """What a folder of data holds, as a page to which the lessons and other such pages link."""
    body = f"{NAV}\n{_rendered(readme.read_text(encoding='utf-8'))}"
    return _page(f"Data: {readme.parent.name}", body, edition)


def index(edition: str) -> str:
    """The map of the course: a link to each page, what the lesson promises, and its minutes."""
    items = "".join(
        f'<li><p><a href="{each.number}.html">{each.number} · {escape(each.title)}</a>, '
        f"about {each.minutes} minutes</p><p>{_marked(each.promise)}</p></li>"
        for each in lessons()
    )
    body = (
        f"<h1>Recommender systems: will it generalise?</h1>\n<p>{INDEX[edition]}</p>\n"
        f'<ol class="map">{items}</ol>\n'
        '<p><a href="errata.html">What the course found of its article, claim by claim</a></p>'
    )
    return _page(f"The lessons, {edition}’s edition", body, edition)


def _marked(text: str) -> str:
    """A text as HTML; what stands between backticks as code, between asterisks as emphasis."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)


def read(path: Path) -> NotebookNode:
    """A notebook from its file.

    Raises
    ------
    ValueError
        If the file is none.
    """
    try:
        return nbformat.read(path, as_version=4)
    except Exception:  # whatever nbformat makes of what is no JSON, or no notebook
        raise ValueError(f"{path.name} is no notebook: get the course's own copy of it.") from None


def write(path: Path, out: Path, *, still: bool = False) -> str:
    """Write the four files that are made of one lesson, or none of them if one cannot be made.

    Parameters
    ----------
    path : the lesson's notebook.
    out : the folder of the handout.
    still : the lesson is not run, so its pages show widgets as they start.

    Returns
    -------
    str
        A line that says what was made.
    """
    nb, number = read(path), path.name[:2]
    files, pages = {}, out / "html"
    try:
        live = nb if still or not _runs_here(path) else recorded(path)
        points = talking_points(path.stem)
        for edition, made in {"student": student(nb), "teacher": teacher(nb, points)}.items():
            files[out / edition / path.name] = nbformat.writes(made) + "\n"
        told = students_page(live)
        files[pages / "student" / f"{number}.html"] = page(told, "student", spoilers(live))
        files[pages / "teacher" / f"{number}.html"] = page(teacher(live, points), "teacher")
    except ValueError as problem:
        raise ValueError(f"{path.name}: {problem}") from None
    for file, text in files.items():
        store(file, text)
    largest = max(file.stat().st_size for file in files if file.suffix == ".html")
    line = f"{path.stem}: student, teacher, and a page of each, {largest / 1e6:.1f} MB"
    if largest >= PAGE_LIMIT:
        line += f" -- TOO LARGE: the limit is {PAGE_LIMIT / 1e6:.0f} MB; give a widget fewer values"
    return line


def _runs_here(path: Path) -> bool:
    """Whether a lesson can be run: one that needs Spark is not held against who has none."""
    return has_spark() or path.name not in {each.path.name for each in lessons() if each.uses_spark}


def _refuse_the_courses_own(out: Path) -> None:
    """Refuse a folder in which the editions would lie among, or over, what they are made of."""
    # A link, as `.venv` may be to another disk, leads to what is the course's own too.
    inside = [each.resolve() for each in ROOT.iterdir() if each.is_dir() and each != MADE]
    if out == ROOT or any(out == each or each in out.parents for each in inside):
        raise ValueError(f"--out {out} is the course's own folder: give another, such as handout.")


def _require_folder(out: Path) -> None:
    """Say that nothing can be written there before the lessons run for minutes."""
    there = next(each for each in (out, *out.resolve().parents) if each.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(there, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def main(arguments: list[str] | None = None) -> int:
    any_console()
    parser = argparse.ArgumentParser(prog="python3 -m recsys_lab handout", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, default=MADE, metavar="FOLDER")
    parser.add_argument("--still", action="store_true", help="run no lesson")
    asked, unknown = parser.parse_known_args(arguments)
    try:
        if unknown:
            raise ValueError(
                f"There is no argument {unknown[0]!r}: only --out FOLDER and --still are known."
            )
        _refuse_the_courses_own(asked.out.resolve())
        _require_folder(asked.out)
        for path in all_notebooks():
            print(write(path, asked.out, still=asked.still), flush=True)
        shutil.copytree(ROOT / "data", asked.out / "data", dirs_exist_ok=True)
        # What the boxes on the article link to, from a notebook and from a page.
        store(asked.out / "docs" / "errata.md", (ROOT / "docs" / "errata.md").read_text("utf-8"))
        for edition in INDEX:
            store(asked.out / "html" / edition / "errata.html", errata(edition))
            for readme in sorted((ROOT / "data").glob("*/README.md")):
                name = f"data-{readme.parent.name}.html"
                store(asked.out / "html" / edition / name, about_data(readme, edition))
            store(asked.out / "html" / edition / "index.html", index(edition))
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 2 if unknown else 1
    except OSError as problem:
        why = problem.strerror or problem
        print(f"{asked.out} cannot be written ({why}): give another --out FOLDER.", file=sys.stderr)
        return 1
    print(f"Written to {asked.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
