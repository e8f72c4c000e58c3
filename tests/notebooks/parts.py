"""Which cells of a lesson a session runs."""

import re

from tools.lesson import FURTHER


def without(nb, sections):
    """The cells that a session runs: all up to section 1, its sections, and no Going further.

    And those that it leaves out.
    """
    kept, left, taken, further = [], [], True, False
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            for deep, heading in re.findall(r"^(#{2,3}) +(.+)$", cell.source, re.M):
                if deep == "##":
                    numbered = re.match(r"(\d+) ·", heading)
                    taken = bool(not numbered or sections is None or int(numbered[1]) in sections)
                    further = bool(FURTHER.search(heading))
                else:
                    further = further or bool(FURTHER.search(heading))
        (kept if taken and not further else left).append(cell)
    return kept, left
