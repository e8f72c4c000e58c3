"""Stored pictures against those of a fresh run, which nbval leaves alone."""

import base64
import html
import io
import re
from collections.abc import Iterator

import numpy as np
from nbformat import NotebookNode
from PIL import Image

# Pictures are compared by the mean distance of their levels (0 to 255, the farthest channel) over
# blocks of 8 x 8 pixels, about a letter. Measured on heat maps, scatter plots and lines of 800 x
# 320 pixels: the same pixels to the last bit with numpy's SIMD off, with OpenBLAS's oldest kernel
# and with one thread. Should another machine round up to 1000 pixels by one level, the choice of
# 256 colours moves a block by at most 1.5 levels. One other digit in 6-point type moves its block
# by 7 or more, a bar that is one pixel higher by 28.
BLOCK = 8
LEVELS = 4

DATA_URI = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)")
ALT = re.compile(r"<img\b[^>]*?\balt=(?P<quote>[\"'])(?P<alt>.*?)(?P=quote)", re.DOTALL)


def pictures(nb: NotebookNode) -> Iterator[tuple[int, np.ndarray]]:
    """The cell and the pixels (height x width x 4) of each PNG, be it an output or inside HTML."""
    for index, data in bundles(nb):
        encoded = [data["image/png"]] if "image/png" in data else []
        for text in encoded + DATA_URI.findall(data.get("text/html", "")):
            with Image.open(io.BytesIO(base64.b64decode(text))) as image:
                yield index, np.asarray(image.convert("RGBA"), dtype=np.int16)


def alt_texts(nb: NotebookNode) -> list[tuple[int, str]]:
    """The cell and the alt text of each picture in HTML."""
    return [
        (index, html.unescape(match["alt"]))
        for index, data in bundles(nb)
        for match in ALT.finditer(data.get("text/html", ""))
    ]


def bundles(nb: NotebookNode) -> Iterator[tuple[int, dict[str, str]]]:
    for index, cell in enumerate(nb.cells):
        if "nbval-ignore-output" not in cell.metadata.get("tags", []):
            for output in cell.get("outputs", []):
                yield index, output.get("data", {})


def picture_problems(stored: NotebookNode, fresh: NotebookNode) -> Iterator[str]:
    """A sentence for each stored picture or alt text that the fresh run does not give."""
    remedy = "store it again: python -m tools.notebooks refresh"
    old, new = list(pictures(stored)), list(pictures(fresh))
    if [index for index, _ in old] != [index for index, _ in new]:
        yield (
            f"pictures are stored in cells {[index for index, _ in old]}, "
            f"the run draws them in cells {[index for index, _ in new]}: {remedy}"
        )
        return
    for (index, before), (_, after) in zip(old, new, strict=True):
        if before.shape != after.shape:
            yield (
                f"cell {index}: the stored picture has {before.shape[1]} x {before.shape[0]} "
                f"pixels, the run's {after.shape[1]} x {after.shape[0]}: {remedy}"
            )
            continue
        apart = block_means(np.abs(before - after).max(axis=2))
        if apart.max() > LEVELS:
            row, column = np.argwhere(apart > LEVELS)[0] * BLOCK
            yield (
                f"cell {index}: the stored picture differs from the run's in "
                f"{(apart > LEVELS).sum()} of {apart.size} blocks, the first at column {column}, "
                f"row {row}: {remedy}"
            )
    if alt_texts(stored) != alt_texts(fresh):
        yield f"the stored alt texts differ from the run's: {remedy}"


def block_means(levels: np.ndarray) -> np.ndarray:
    """Means over blocks; the last ones are filled up with zeros."""
    height, width = (-size % BLOCK for size in levels.shape)
    padded = np.pad(levels, ((0, height), (0, width)))
    return padded.reshape(padded.shape[0] // BLOCK, BLOCK, -1, BLOCK).mean(axis=(1, 3))


def view_problems(fresh: NotebookNode, views: dict[int, str | ValueError]) -> Iterator[str]:
    """A sentence for each widget that shows something else once the notebook has run to its end."""
    for cell, at_the_end in views.items():
        if "nbval-ignore-output" in fresh.cells[cell].metadata.get("tags", []):
            continue
        if at_the_end not in [alt for index, alt in alt_texts(fresh) if index == cell]:
            yield (
                f"cell {cell}: after the last cell the widget shows '{at_the_end}'. Does a later "
                "cell give another value to a name that its view uses?"
            )
