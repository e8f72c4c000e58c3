"""When a question comes back: after one, three, seven and twenty-one days.

Recalling something at growing distances keeps it far longer than reading it again at once.

References
----------
N. J. Cepeda, H. Pashler, E. Vul, J. T. Wixted and D. Rohrer (2006). Distributed practice in verbal
recall tasks: a review and quantitative synthesis. Psychological Bulletin 132, 354-380.
doi:10.1037/0033-2909.132.3.354
"""

from __future__ import annotations

from datetime import datetime, timedelta

DAYS = (1, 3, 7, 21)
# Who was right at once is asked again as well, but later and once or twice only.
RIGHT_AT_ONCE = 2


def answered(entry: dict, right: bool, now: datetime) -> None:
    """Note an answer in what is recorded of a question, in place.

    ``stage`` counts the distances that were passed; a mistake begins anew. A right answer before
    the question is due, as when a mistake is mended at once, recalls nothing: it changes no date.
    """
    if "stage" not in entry:
        entry["first"] = right
        entry["stage"] = RIGHT_AT_ONCE if right else 0
    elif not right:
        entry["stage"] = 0
    elif is_due(entry, now):
        entry["stage"] += 1
    else:
        return
    entry["at"] = now.isoformat(timespec="seconds")


def is_due(entry: dict, now: datetime) -> bool:
    """Whether a question that was answered comes back by now."""
    stage = entry.get("stage", 0)
    if "at" not in entry or stage >= len(DAYS):
        return False
    return now >= datetime.fromisoformat(entry["at"]) + timedelta(days=DAYS[stage])


def due(data: dict, now: datetime, known: set[str]) -> list[str]:
    """The ids that come back by now, the longest overdue first; of another version's, none.

    Parameters
    ----------
    data : what the progress file holds.
    now : the clock.
    known : the questions and exercises of this version.
    """
    entries = {**data.get("exercises", {}), **data.get("questions", {})}
    back = [id for id, entry in entries.items() if id in known and is_due(entry, now)]
    return sorted(back, key=lambda id: (entries[id]["at"], id))


def next_day(data: dict, known: set[str]) -> datetime | None:
    """When the next of them comes back; None if none does."""
    entries = {**data.get("exercises", {}), **data.get("questions", {})}
    days = [
        datetime.fromisoformat(entry["at"]) + timedelta(days=DAYS[entry.get("stage", 0)])
        for id, entry in entries.items()
        if id in known and "at" in entry and entry.get("stage", 0) < len(DAYS)
    ]
    return min(days, default=None)
