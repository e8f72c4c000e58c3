"""What axe-core (https://github.com/dequelabs/axe-core) finds on a page."""

from importlib.resources import files

from playwright.sync_api import Page

# The script alone: what comes along with it reads this file in the machine's own encoding.
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def findings(page: Page, scope: str = "body") -> list[str]:
    """Return what axe-core calls serious or critical, with the element that it means."""
    page.evaluate(AXE)
    # A formula has a hundred elements in the colour of the text around it: half of all the time.
    where = {"include": scope, "exclude": "math"}
    found = page.evaluate("where => axe.run(where, {resultTypes: ['violations']})", where)
    return [
        f"{violation['help']} ({violation['id']}): {node['html'][:200]}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
