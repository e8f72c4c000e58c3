"""What a reader is told whose cell needs another one that has not run, as after a restart.

A NameError of a name that the lesson makes elsewhere is no mistake in the cell: in place of the
traceback it gets a sentence. Every other error keeps its traceback.

It works from the first cell on where the kernel loads it as an extension of IPython, as the
course's `.venv` has it do, and elsewhere from the lesson's first import on.
"""

import json
import os
import re
import symtable
from collections.abc import Iterator
from pathlib import Path

from IPython import get_ipython

from ..course.files import lessons

# What Python and numpy say of a package whose import was stopped before.
_HALFWAY = re.compile(r"partially initialized module|cannot load module more than once per process")
_RESTART = (
    "An import was stopped halfway, and Python cannot take it up again: restart the kernel "
    "(Kernel > Restart Kernel), then run the cells from the top."
)


def watch() -> None:
    """Have the kernel explain such errors; does nothing outside of IPython."""
    shell = get_ipython()
    if shell is not None and not shell.custom_exceptions:
        watched = (NameError, ImportError, AttributeError, KeyboardInterrupt)
        shell.set_custom_exc(watched, _Explainer().explain)


def load_ipython_extension(shell) -> None:
    """Let IPython load this module by its name."""
    watch()


def notebook_path(names: dict | None = None) -> Path | None:
    """Where the notebook of this kernel is, as Jupyter's server or VS Code tells the kernel.

    Parameters
    ----------
    names : what the kernel's cells have defined, VS Code's own among it.
    """
    if name := os.environ.get("JPY_SESSION_NAME"):
        return Path.cwd() / Path(name).name
    if name := (names or {}).get("__vsc_ipynb_file__"):
        return Path(name)
    return None


class _Explainer:
    """Shows an exception as IPython does, unless it comes from cells that have not run."""

    stopped = False  # whether an import was interrupted in this kernel

    def explain(self, shell, etype, value, tb, tb_offset=None):
        """Show the exception of a cell: the form is that of `InteractiveShell.set_custom_exc`."""
        lines = None
        if etype is NameError and _is_in_a_cell(tb, shell.user_ns):
            where = _where_made(value.name, shell) if value.name else ""
            if where:
                told = f"The lesson makes `{value.name}` {where} that has not run to its end yet. "
                told += "Run the cells above first (Run > Run All Above Selected Cell), then this "
                lines = [f"{etype.__name__}: {value}", "", told + "one again."]
        elif etype is KeyboardInterrupt:
            self.stopped |= (halfway := _is_in_an_import(tb, shell.user_ns))
            lines = [*_usual(shell, etype, value, tb, tb_offset), _RESTART] if halfway else None
        elif issubclass(etype, (ImportError, AttributeError)):
            if self.stopped or _HALFWAY.search(str(value)):
                lines = [*_usual(shell, etype, value, tb, tb_offset), _RESTART]
        if lines is None:
            shell.showtraceback((etype, value, tb), tb_offset=tb_offset, running_compiled_code=True)
            return []
        shell._showtraceback(etype, value, lines)
        return lines


def _usual(shell, etype, value, tb, tb_offset):
    return shell.InteractiveTB.structured_traceback(etype, value, tb, tb_offset=tb_offset)


def _is_in_a_cell(tb, names: dict) -> bool:
    """Whether an exception was raised by a line of a cell, and not within a package."""
    while tb.tb_next is not None:
        tb = tb.tb_next
    return tb.tb_frame.f_globals is names


def _is_in_an_import(tb, names: dict) -> bool:
    """Whether a module's own lines were running; Python leaves out the frames of importlib."""
    while tb is not None:
        if tb.tb_frame.f_code.co_name == "<module>" and tb.tb_frame.f_globals is not names:
            return True
        tb = tb.tb_next
    return False


def _where_made(name: str, shell) -> str:
    """Where the lesson makes a name, in words; empty if it is in no cell before the running one."""
    running = shell.user_ns.get("In", [""])[-1].strip()
    cells = _lesson(running, shell.user_ns)
    here = cells.index(running) if running in cells else None
    if any(name in _made(cell) for cell in cells[:here]):
        return "in a cell" if here is None else "in a cell above"
    return ""


def _lesson(running: str, names: dict) -> list[str]:
    """The code cells of the lesson: of this kernel's notebook, or of the one with such a cell."""
    path = notebook_path(names)
    if path is not None and (cells := list(_code(path))):
        return cells
    for each in lessons():
        cells = list(_code(each.path))
        if running in cells:
            return cells
    return []


def _code(path: Path) -> Iterator[str]:
    try:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                yield "".join(cell["source"]).strip()
    except (OSError, ValueError, KeyError, TypeError):
        return  # no notebook that can be read: then nothing is known of its cells


def _made(source: str) -> set[str]:
    """The names that a cell leaves behind."""
    plain = re.sub(r"^[ \t]*[%!].*$", "", source, flags=re.M)  # IPython's own commands
    try:
        symbols = symtable.symtable(plain, "cell", "exec").get_symbols()
    except (SyntaxError, ValueError):
        return set()
    return {one.get_name() for one in symbols if one.is_assigned() or one.is_imported()}
