"""What the tools of the set-up see of a learner's settings: where packages are, and nothing else.

pip and Python read dozens of variables and files. One of them moves every package to another folder
(PIP_TARGET), another puts foreign packages before the course's own (PYTHONPATH). The set-up
needs only to know which registry to ask, and how.

Standard library only, as the launcher.
"""

import ast
import os
import re
import subprocess
from collections.abc import Iterable, Mapping

# What pip calls it, what uv calls it, and what stands between two values in uv's.
_SETTINGS = [
    ("index-url", "UV_DEFAULT_INDEX", " "),
    ("extra-index-url", "UV_INDEX", " "),
    ("find-links", "UV_FIND_LINKS", ","),
    ("trusted-host", "UV_INSECURE_HOST", " "),
    ("cert", "SSL_CERT_FILE", ""),
    ("client-cert", "SSL_CLIENT_CERT", ""),
    ("proxy", "ALL_PROXY", ""),
    ("no-index", "", ""),
    ("timeout", "", ""),
    ("default-timeout", "", ""),
    ("retries", "", ""),
    ("cache-dir", "", ""),
    ("no-cache-dir", "", ""),
]
# Those of uv's own variables that say where packages are, how to get them, and where to keep them.
_OF_UV = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX\w*|EXTRA_INDEX_URL|FIND_LINKS|INSECURE_HOST|KEYRING_PROVIDER|OFFLINE|"
    r"CACHE_DIR|NO_CACHE|LINK_MODE|SYSTEM_CERTS|NATIVE_TLS|CONCURRENT_\w+|\w*TIMEOUT|\w*RETRIES)"
)
# What makes a Python another one: packages, standard library and way of starting.
OF_PYTHON = ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONOPTIMIZE", "PYTHONPLATLIBDIR")


def without_foreign_packages(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out what would give the course's Python other packages than its own."""
    return {name: value for name, value in environment.items() if name not in OF_PYTHON}


def pip_settings(python: os.PathLike | str) -> dict[str, str]:
    """Where pip is set to look, by all its variables and files: name -> value."""
    # Meant for `pip install`, these would have `pip config` read one file alone.
    all_files = dict.fromkeys(("PIP_USER", "PIP_GLOBAL", "PIP_SITE"), "0")
    done = subprocess.run(
        [python, "-I", "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=without_foreign_packages(os.environ) | all_files,
    )
    return _read(done.stdout.splitlines())


def _read(lines: Iterable[str]) -> dict[str, str]:
    """Read what `pip config list` prints, of which pip heeds the later ones more."""
    names = {name for name, _, _ in _SETTINGS}
    found = {"global": {}, "install": {}, ":env:": {}}
    for line in lines:
        matched = re.fullmatch(r"(global|install|:env:)\.([\w-]+)=(.*)", line)
        if matched and matched[2] in names:
            try:
                value = str(ast.literal_eval(matched[3]))
            except (ValueError, SyntaxError):
                continue
            found[matched[1]][matched[2]] = " ".join(value.split())
    merged = found["global"] | found["install"] | found[":env:"]
    return {name: value for name, value in merged.items() if value}


def for_tools(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for pip and uv: what pip's settings and uv's own say of where packages are.

    Parameters
    ----------
    settings : as `pip_settings` gives them.
    environment : the learner's own.
    """
    kept = {
        name: value
        for name, value in without_foreign_packages(environment).items()
        if not name.startswith(("PIP_", "UV_")) or _OF_UV.fullmatch(name)
    }
    more = {"PIP_CONFIG_FILE": os.devnull}  # no further settings
    # In the order in which pip heeds them; the last is what the set-up asks for, and uv's.
    named = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    trusted = [*map(kept.get, named), settings.get("cert"), kept.get("SSL_CERT_FILE")]
    if certificates := next(filter(None, trusted), None):
        settings = {**settings, "cert": certificates}
    for name, of_uv, between in _SETTINGS:
        if name not in settings:
            continue
        more["PIP_" + name.upper().replace("-", "_")] = settings[name]
        if of_uv and of_uv not in kept:
            more[of_uv] = between.join(settings[name].split()) if between else settings[name]
    if "UV_INDEX_URL" in kept:
        more.pop("UV_DEFAULT_INDEX", None)
    if "UV_INDEX" in more:
        # As pip does: whichever registry has the locked version. The hashes say that it is the one.
        more["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return kept | more
