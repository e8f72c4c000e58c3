"""Show a widget together with a copy that can be read where no kernel runs: on GitHub, in print."""

from base64 import b64encode
from functools import cache
from pathlib import Path

import anywidget
import ipywidgets
from IPython.display import display

STATIC = Path(__file__).parent / "static"


class Keys(anywidget.AnyWidget):
    """Keeps JupyterLab's shortcuts away from the controls that it stands among."""

    _esm = STATIC / "keys.js"


@cache
def _base_css() -> str:
    return (STATIC / "base.css").read_text(encoding="utf-8")


def show_static_then_live(
    *, html: str, text: str, png: bytes | None = None, live: ipywidgets.Box
) -> None:
    """Display a static reading copy, then the live widget that hides it.

    Parameters
    ----------
    html : the reading copy as HTML; it is wrapped in an element of class ``rl-static``.
    text : the same in plain text, for a front end that shows neither HTML nor pictures.
    png : the reading copy as a picture, if it is one.
    live : the widgets; they get the class ``rl-live``, by which ``base.css`` hides the copy.

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
