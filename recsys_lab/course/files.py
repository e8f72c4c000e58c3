"""What lies in the course's folder: its lessons, and the checksums of its data.

Standard library only, so that the machine check can ask before any package is there.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Entry:
    """A lesson on the map of the course.

    Attributes
    ----------
    path : its notebook.
    title : without the number.
    promise : the sentence in bold below the title.
    minutes : what it says that it takes, without what stands under *Going further*.
    uses_keras : whether a cell imports Keras, so needs TensorFlow.
    uses_spark : whether a cell starts Spark, which has to be added.
    """

    path: Path
    title: str
    promise: str
    minutes: int
    uses_keras: bool
    uses_spark: bool

    @property
    def number(self) -> str:
        """Two digits, as in the file's name."""
        return self.path.name[:2]


def lessons(folder: Path = ROOT / "notebooks") -> list[Entry]:
    """The lessons in a folder, in reading order; what is no lesson of the course is left out."""
    found = []
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            texts = ["".join(cell["source"]) for cell in cells]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a learner's own file, or a damaged one: the map does without it
        title = re.match(r"# \d\d · (.+)", texts[0]) if texts else None
        if not title:
            continue
        promise = re.search(r"\*\*(.+?)\*\*", texts[0], re.S)
        minutes = re.search(r"\*\*Time:\*\* about (\d+) minutes", "\n".join(texts))
        code = [t for t, c in zip(texts, cells, strict=True) if c.get("cell_type") == "code"]
        keras = any(re.search(r"^ *from recsys_lab.*\bkeras\b", text, re.M) for text in code)
        spark = any(re.search(r"\bstart_spark\(", text) for text in code)
        found.append(
            Entry(
                path,
                title[1].strip(),
                " ".join(promise[1].split()) if promise else "",
                int(minutes[1]) if minutes else 0,
                keras,
                spark,
            )
        )
    return found


def checksums(folder: Path) -> dict[str, str]:
    """File -> SHA-256, as the README in a folder of ``data/`` lists them: the only place."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    return {name: digest for digest, name in re.findall(r"^([0-9a-f]{64})  (\S+)$", text, re.M)}
