"""Ask at the keyboard what is due again: ``python3 -m recsys_lab review``."""

import sys
from datetime import datetime

from ..course import record
from ..course.review import due, next_day
from ..course.status import any_console
from .engine import all_exercises
from .questions import Number, Question, Several, all_quizzes


def main(ask=input, now: datetime | None = None) -> int:
    """Ask each question that is due, say what is true, and note the answer.

    Parameters
    ----------
    ask : called with a prompt, gives what was typed.
    now : the clock.
    """
    any_console()
    now = now or datetime.now()
    questions = {each.id: each for one in all_quizzes() for each in one.questions}
    exercises = {each.id: each for each in all_exercises()}
    known = {*questions, *exercises}
    data, note = record.read(set_aside=False)
    if note:
        print(note)
    back = due(data, now, known)
    if not back:
        following = next_day(data, known)
        when = f" The next question comes back on {following:%d %B %Y}." if following else ""
        print(f"Nothing to review today.{when}")
        return 0
    try:
        for id in back:
            if id in exercises:
                print(f"\nIn lesson {exercises[id].notebook:02d}, write {id} once more.")
            else:
                right, said = _answer(questions[id], ask)
                print("Right." if right else "Not this time.", *said)
                record.note_question(id, right, now=now)
    except (EOFError, KeyboardInterrupt):
        print("\nUntil later: what is left stays due.")
    return 0


def _answer(question: Question, ask) -> tuple[bool, list[str]]:
    """Ask until there is an answer that can be judged."""
    choices = question.choices()
    print(f"\n{question.text}")
    for number, choice in enumerate(choices, 1):
        print(f"  {number}  {choice}")
    kind = "all that are right, with commas" if isinstance(question, Several) else "one number"
    while True:
        typed = ask(f"Your answer ({kind}): ").strip()
        try:
            if isinstance(question, Number):
                return question.told(float(typed.replace(",", ".")))
            places = [int(part) - 1 for part in typed.split(",")]
            if min(places) < 0:
                raise IndexError
            given = [choices[place] for place in places]
            return question.told(given if isinstance(question, Several) else given[0])
        except (ValueError, IndexError):
            print("Type the number of a choice." if choices else "Type a number.")


if __name__ == "__main__":
    sys.exit(main())
