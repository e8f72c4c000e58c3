"""Show a widget together with a copy that can be read where no kernel runs: on GitHub, in print."""

from base64 import b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
from IPython.display import display

from .figures import DARK_FILTER

STATIC = Path(__file__).parent / "static"

# Told of each widget that is shown, and of each guess that is revealed, by `recording`.
recorder: Callable[[Any], None] | None = None


class Keys(anywidget.AnyWidget):
    """Keeps JupyterLab's shortcuts away from the controls that it stands among.

    Its style lets the notebook's stored pictures, which know one theme, follow the other.
    """

    _esm = STATIC / "keys.js"
    _css = (
        '[data-jp-theme-light="false"] .jp-RenderedHTML img[alt][src^="data:image/png"] '
        f"{{ filter: {DARK_FILTER}; }}"
    )


@cache
def _base_css() -> str:
    return (STATIC / "base.css").read_text(encoding="utf-8")


def show_static_then_live(
    *, html: str, text: str, png: bytes | None = None, live: ipywidgets.Box, about: Any = None
) -> None:
    """Display a static reading copy, then the live widget that hides it.

    Parameters
    ----------
    html : the reading copy as HTML; it is wrapped in an element of class ``rl-static``.
    text : the same in plain text, for a front end that shows neither HTML nor pictures.
    png : the reading copy as a picture, if it is one.
    live : the widgets; they get the class ``rl-live``, by which ``base.css`` hides the copy.
    about : as for `tell`; None if a page without a kernel shows the reading copy alone.

    Notes
    -----
    A stored widget view is an error message where its kernel is gone, and in a notebook that is not
    trusted its plain text is shown. So the copy is an output of its own, and the plain text
    of the live output is empty.
    """
    copy = {
        "text/html": f'<style>{_base_css()}</style><div class="rl-static">{html}</div>',
        "text/plain": text,
    }
    if png is not None:
        copy["image/png"] = b64encode(png).decode("ascii")
    live.add_class("rl-live")
    live.children += (Keys(),)
    view = {"version_major": 2, "version_minor": 0, "model_id": live.model_id}
    display(copy, raw=True)
    display({"application/vnd.jupyter.widget-view+json": view, "text/plain": ""}, raw=True)
    if about is not None:
        tell(about)


def tell(about: Any) -> None:
    """Tell `recording`, if it was started, of what is shown.

    Parameters
    ----------
    about : an `Explorer`; or what a page without a kernel has to know, with its ``kind``.
    """
    if recorder is not None:
        recorder(about)
