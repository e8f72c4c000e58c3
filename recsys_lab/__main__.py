"""`python3 -m recsys_lab VERB`: the course's commands, which `launcher.py` holds.

This file and `__init__.py` keep to what Python 2.7 can parse, so that a Python that is too old
says so.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (the whole point)
    sys.exit(
        "recsys-lab needs Python 3.11 or later, and this is Python "
        + ".".join(str(part) for part in sys.version_info[:3])
        + ": install a newer one and start it by its name, for example "
        + "`python3.11 -m recsys_lab lab`."
    )

if __name__ == "__main__":
    from recsys_lab.course.launcher import main

    sys.exit(main())
