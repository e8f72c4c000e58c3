"""A line that says how far a long run is, on a terminal or in a notebook."""

import sys


def any_console() -> None:
    """Let a character that a console lacks be shown as its number, and not end the program."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def progress_line():
    """Return a function that shows a text in place of the one before."""
    if sys.stderr is not None and sys.stderr.isatty():
        return lambda text: print(f"\r{text:<60}\r", end="", file=sys.stderr, flush=True)
    # Not imported: where there is a notebook's kernel, it is there already.
    ipython = sys.modules.get("IPython")
    if ipython is None or not hasattr(ipython.get_ipython(), "kernel"):
        return lambda text: None
    # The output starts and ends empty, so that none is left in the stored notebook.
    handle = ipython.display.display({}, raw=True, display_id=True)
    return lambda text: handle.update({"text/plain": text} if text else {}, raw=True)
