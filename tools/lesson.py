"""A lesson as it is stored: what its tests, and the pages made of it, ask of a notebook."""

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat

# A correction of the source article: what is to be learned, then what the article says of it.
BOX = re.compile(
    r"> \*\*(?P<learned>.+?)\*\* What the article says "
    r"\(\[(?P<claim>C\d\d)\]\(\.\./docs/errata\.md#c\d\d\)\): (?P<says>.+)"
)
FURTHER = re.compile(r"going further", re.I)


@dataclass
class Box:
    """What a lesson says of a claim, and where: the heading above it, and its cell."""

    claim: str
    text: str
    heading: str
    cell_id: str


@dataclass
class Minutes:
    """What a section takes: its heading, its minutes, and whether it is *Going further*."""

    heading: str
    minutes: float
    further: bool


class Lesson:
    """A stored notebook."""

    def __init__(self, path: Path):
        self.path = path
        self.nb = nbformat.read(path, as_version=4)
        self.cells = self.nb.cells

    @property
    def number(self) -> str:
        return self.path.name[:2]

    @cached_property
    def code(self) -> list[tuple[int, ast.Module]]:
        """The position and the parsed source of each code cell."""
        return [
            (index, ast.parse(cell.source))
            for index, cell in enumerate(self.cells)
            if cell.cell_type == "code"
        ]

    @cached_property
    def headings(self) -> list[tuple[int, int, str]]:
        """The cell, level and text of each heading."""
        return [
            (index, len(match[1]), match[2].strip())
            for index, cell in enumerate(self.cells)
            if cell.cell_type == "markdown"
            for match in re.finditer(r"^(#{1,6}) +(.+)$", without_code(cell.source), re.MULTILINE)
        ]

    @property
    def prose(self) -> str:
        """All Markdown, without code and comments."""
        return "\n\n".join(
            without_code(cell.source) for cell in self.cells if cell.cell_type == "markdown"
        )

    def section(self, title: str) -> str | None:
        """The Markdown under a heading of level 2, up to the next one; None without it."""
        match = re.search(
            rf"^## +{re.escape(title)} *$(.*?)(?=^#{{1,2}} |\Z)", self.prose, re.M | re.S
        )
        return match and match[1]

    def markdown_at(self, index: int) -> str:
        """The source of the Markdown cell at a position, or nothing if there is none."""
        if 0 <= index < len(self.cells) and self.cells[index].cell_type == "markdown":
            return self.cells[index].source
        return ""

    def calls(self, name: str) -> list[tuple[int, ast.Call]]:
        """The cell and the syntax tree of every call of a function or method by its bare name."""
        return [
            (index, node)
            for index, tree in self.code
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and name == getattr(node.func, "id", getattr(node.func, "attr", None))
        ]

    @property
    def target(self) -> str:
        """Where a link from `docs/` has to lead."""
        return f"../notebooks/{self.path.name}"

    @cached_property
    def lines(self) -> list[tuple[str, str, str]]:
        """The heading above, the cell's id and the text of each line of Markdown."""
        found, heading = [], ""
        for cell in self.cells:
            if cell.cell_type == "markdown":
                fences = r"^[ >]*(```+).*?^[ >]*\1|<!--.*?-->"
                for line in re.sub(fences, "", cell.source, flags=re.M | re.S).splitlines():
                    if match := re.match(r"#{1,6} +(.+?) *$", line):
                        heading = match[1]
                    else:
                        found.append((heading, cell.get("id", ""), line))
        return found

    @cached_property
    def boxes(self) -> list[Box]:
        """What the lesson says of the source article's claims."""
        found, inside = [], False
        for heading, cell_id, line in self.lines:
            if match := BOX.match(line):
                text = f"{match['learned']} The article: {match['says']}"
                found.append(Box(match["claim"], text, heading, cell_id))
                inside = True
            elif inside and line.startswith(">"):
                found[-1].text += f" {line[1:].strip()}"
            else:
                inside = False
        return found

    @cached_property
    def references(self) -> list[str]:
        """The entries of the list of references, without the link that a DOI may be."""
        bullets = [
            re.match(r"[-*] +(.+)", line)
            for heading, _, line in self.lines
            if heading == "References"
        ]
        return [
            re.sub(r"\[((?:doi|arXiv):[^]]+)\]\(\S+\)", r"\1", bullet[1])
            for bullet in filter(None, bullets)
        ]

    @cached_property
    def running(self) -> str:
        """The Markdown but for headings and references."""
        return "\n".join(line for heading, _, line in self.lines if heading != "References")

    @cached_property
    def sections(self) -> list[Minutes]:
        """What each section of level 2 takes, by one formula for all lessons.

        120 words or 12 lines of code are a minute; so is a displayed formula; a widget is four, an
        exercise eight. Folded answers and folded code do not count.
        """
        found, level = [Minutes("", 0.0, False)], 9
        for cell in self.cells:
            if cell.cell_type == "markdown":
                for part in re.split(r"(?m)^(?=#{1,6} )", cell.source):
                    head = re.match(r"(#{1,6}) +(.+)", part)
                    if head:
                        deep, text = len(head[1]), head[2].strip()
                        further = bool(FURTHER.search(text)) or (found[-1].further and deep > level)
                        if deep == 2 or further != found[-1].further:
                            found.append(Minutes(text, 0.0, further))
                        if FURTHER.search(text):
                            level = deep
                    shown = re.sub(r"(?s)<details>.*?</details>|<!--.*?-->", " ", part)
                    found[-1].minutes += len(shown.split()) / 120 + shown.count("$$") // 2
            else:
                found[-1].minutes += 4 * cell.source.count("explore(")
                if not cell.metadata.get("jupyter", {}).get("source_hidden"):
                    lines = sum(bool(line.strip()) for line in cell.source.splitlines())
                    found[-1].minutes += lines / 12 + 8 * cell.source.count("@exercise(")
        return found

    @property
    def minutes(self) -> float:
        """What the core takes: all but *Going further*."""
        return sum(part.minutes for part in self.sections if not part.further)


def without_code(markdown: str) -> str:
    """Markdown without fences, comments and code spans."""
    return re.sub(
        r"^[ >]*(```+|~~~+).*?(?:^[ >]*\1|\Z)|<!--.*?-->|`[^`\n]+`",
        "",
        markdown,
        flags=re.DOTALL | re.MULTILINE,
    )
