"""The form of a lesson: each rule takes a `Lesson` and yields a sentence for whatever breaks it.

A rule's name and its first line say what a notebook has to have; a sentence says what to write.
"""

import ast
import json
import re
from collections.abc import Iterator

import nbformat

from tools.lesson import BOX, FURTHER, Lesson, Minutes
from tools.notebooks import SIZE_LIMIT, WIDGET_VIEW, stderr_of

REFRESH = "run python -m tools.notebooks refresh"
# How a bullet of 'You will be able to' may not start: it would name a thing, not a deed.
NO_VERBS = {
    "a",
    "an",
    "the",
    "how",
    "what",
    "why",
    "when",
    "that",
    "to",
    "be",
    "know",
    "understand",
}
# One session, in minutes: see `Lesson.sections` for how they are counted.
SESSION = 75
LAST = ["Check yourself", "Recap", "References"]
FIXED = ["You will be able to", "Predict first", *LAST]


def title_and_promise(lesson: Lesson) -> Iterator[str]:
    """The first cell is the title, `# NN · Title`, and the promise: one sentence in bold."""
    first = lesson.markdown_at(0)
    if not re.match(rf"# {lesson.number} · \S", first):
        line = first.partition("\n")[0]
        yield f"the first line has to be '# {lesson.number} · Title', not {line!r}"
    promise = re.search(r"\*\*(.+?)\*\*", first, re.DOTALL)
    if not promise:
        yield "the first cell has to promise one thing, in bold: **One sentence.**"
    elif len(re.findall(r"[.!?](?=\s|$)", promise[1].strip())) != 1 or promise[1][-1] not in ".!?":
        yield f"the promise has to be one sentence with its full stop in the bold: **{promise[1]}**"


def goals(lesson: Lesson) -> Iterator[str]:
    """`## You will be able to` holds three to five bullets, each starting with a verb."""
    text = lesson.section("You will be able to")
    if text is None:
        yield "there has to be a section '## You will be able to' of 3 to 5 bullets"
        return
    bullets = re.findall(r"^[-*] +(.+)$", text, re.MULTILINE)
    if not 3 <= len(bullets) <= 5:
        yield f"'## You will be able to' has {len(bullets)} bullets ('- Verb ...'), not 3 to 5"
    for bullet in bullets:
        word = re.sub(r"\W+", " ", bullet).split()[0].lower()
        if word in NO_VERBS or word.endswith("ing"):
            yield f"'- {bullet}' has to start with a verb that says what one can do, not '{word}'"


def needs_and_time(lesson: Lesson) -> Iterator[str]:
    """One line says what the lesson needs and how long its core takes, and that is one session."""
    said = re.search(
        r"^\*\*You need:\*\* \S.* \*\*Time:\*\* about (\d+) minutes", lesson.prose, re.M
    )
    if not said:
        yield "there has to be a line '**You need:** ... **Time:** about N minutes'"
    elif abs(int(said[1]) - lesson.minutes) > 5:
        yield f"it says {said[1]} minutes, and by the count its core takes {lesson.minutes:.0f}"
    if lesson.minutes > SESSION:
        longest = max((part for part in lesson.sections if not part.further), key=_minutes)
        yield (
            f"its core takes {lesson.minutes:.0f} minutes and a session has {SESSION}; the longest "
            f"section is '{longest.heading}' ({longest.minutes:.0f}): put what goes deeper under a "
            "heading that begins 'Going further'"
        )


def _minutes(part: Minutes) -> float:
    return part.minutes


def prediction(lesson: Lesson) -> Iterator[str]:
    """`## Predict first` asks for a guess, and a later cell reveals the answer."""
    start = next(
        (i for i, level, text in lesson.headings if (level, text) == (2, "Predict first")), None
    )
    if start is None:
        yield "there has to be a section '## Predict first' with a predict(...) cell"
        return
    end = next(
        (i for i, level, _ in lesson.headings if i > start and level <= 2), len(lesson.cells)
    )
    guesses = [index for index, _ in lesson.calls("predict") if start < index < end]
    if not guesses:
        yield "'## Predict first' has to contain a cell that calls predict(...)"
    elif not any(index > guesses[0] for index, _ in lesson.calls("reveal")):
        yield "a later cell has to reveal the prediction: guess.reveal(answer, because=...)"


def widgets(lesson: Lesson) -> Iterator[str]:
    """At least two widgets, each between a question and a folded answer."""
    cells = sorted({index for index, _ in lesson.calls("explore")})
    if len(cells) < 2:
        yield f"there have to be at least two explore(...) cells, not {len(cells)}"
    for index in cells:
        asked = re.search(r"\*\*Question\.\*\* (.+\?)", lesson.markdown_at(index - 1))
        if not asked:
            yield f"the cell before explore(...) in cell {index} has to ask: **Question.** ...?"
        for at, call in lesson.calls("explore"):
            caption = getattr(call.args[1], "value", None) if call.args[1:] else None
            if at == index and not (isinstance(caption, str) and asked and caption in asked[1]):
                yield (
                    f"explore(...) in cell {index} has to repeat its question: "
                    "explore(view, '...?', ...)"
                )
            if at == index and isinstance(caption, str) and set("*`$") & set(caption):
                yield f"explore(...) in cell {index} shows its question as it is: no *, ` or $"
        if any(at == index and not call.keywords for at, call in lesson.calls("explore")):
            yield f"explore(...) in cell {index} has no control: name one for each argument"
        if not lesson.cells[index].metadata.get("jupyter", {}).get("source_hidden"):
            yield f"cell {index} draws: fold it, with the metadata jupyter.source_hidden = true"
        answer = lesson.markdown_at(index + 1)
        if not re.search(
            r"<details>\s*<summary>.+?</summary>\s*\n\s*\n.*?\S.*?</details>", answer, re.DOTALL
        ):
            yield (
                f"the cell after explore(...) in cell {index} has to fold the answer away: "
                "<details><summary>Answer</summary>, an empty line, the answer, </details>"
            )


def exercises(lesson: Lesson) -> Iterator[str]:
    """At least two exercises; hints and solution are in the card that answers."""
    found = [
        index
        for index, tree in lesson.code
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "exercise"
    ]
    if len(found) < 2:
        yield f'there have to be at least two cells with an @exercise("id"), not {len(found)}'
    for index, cell in enumerate(lesson.cells):
        if cell.cell_type == "code" and re.search(r"#\s*hint\(", cell.source):
            yield f"cell {index} holds a call of hint(...): the exercise's card has a button for it"


def hidden_solutions(lesson: Lesson) -> Iterator[str]:
    """No cell and no text calls for a solution: the exercise's card has a button for it."""
    for index, cell in enumerate(lesson.cells):
        if "solution(" in cell.source:
            yield f"cell {index} mentions solution(...): the exercise's card has a button for it"


def claims(lesson: Lesson) -> Iterator[str]:
    """A box on the article begins with what is to be learned, and links the claim."""
    for line in lesson.prose.splitlines():
        if "hat the article says" in line and line.startswith(">") and not BOX.match(line):
            yield (
                f"write the box '{line[:60]}...' as > **What is to be learned.** What the article "
                "says ([C05](../docs/errata.md#c05)): ..."
            )


def check_yourself(lesson: Lesson) -> Iterator[str]:
    """`## Check yourself` asks the lesson's questions."""
    headings = [text for _, level, text in lesson.headings if level == 2]
    if "Check yourself" not in headings or not lesson.calls("quiz"):
        yield "the section '## Check yourself' has to ask its questions: quiz(\"name.recap\")"


def recap_and_references(lesson: Lesson) -> Iterator[str]:
    """A recap, and references as a list."""
    if not (lesson.section("Recap") or "").strip():
        yield "there has to be a section '## Recap'"
    if not re.search(r"^[-*] +\S", lesson.section("References") or "", re.MULTILINE):
        yield "there has to be a section '## References' with a list ('- Author (year) ...')"


def link_to_the_next(lesson: Lesson) -> Iterator[str]:
    """The last cell links to the next notebook; that of the last one, back to the first."""
    course = sorted(path.name for path in lesson.path.parent.glob("[0-9][0-9]_*.ipynb"))
    following = [name for name in course if name > lesson.path.name]
    wanted = following[0] if following else course[0]
    if f"]({wanted})" not in lesson.markdown_at(len(lesson.cells) - 1):
        yield f"the last cell has to be Markdown that links on: [...]({wanted})"


def links_resolve(lesson: Lesson) -> Iterator[str]:
    """Every relative link leads to a file."""
    for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", lesson.prose):
        if not re.match(r"\w+:", target) and not (lesson.path.parent / target).exists():
            yield f"the link to {target!r} leads nowhere"


def story_of_headings(lesson: Lesson) -> Iterator[str]:
    """One title, the fixed sections in order, three or more of its own, no level left out."""
    levels = [level for _, level, _ in lesson.headings]
    texts = [text for _, level, text in lesson.headings if level > 1]
    if levels.count(1) != 1:
        yield f"there has to be one title of level 1, not {levels.count(1)}"
    for (_, level, _), (_, deeper, text) in zip(lesson.headings, lesson.headings[1:], strict=False):
        if deeper > level + 1:
            yield f"the heading {text!r} of level {deeper} stands under one of level {level}"
    for text in sorted({text for text in texts if texts.count(text) > 1}):
        yield f"the heading {text!r} stands there more than once"
    order = [text for text in texts if text in FIXED]
    if order != [text for text in FIXED if text in order]:
        yield f"the order of sections has to be {', '.join(FIXED)}, not {', '.join(order)}"
    own = [text for _, level, text in lesson.headings if level == 2 and text not in FIXED]
    if len(own) < 3:
        yield f"the lesson needs at least three sections '## ...' of its own, not {len(own)}"


def further_at_the_end(lesson: Lesson) -> Iterator[str]:
    """Nothing needs *Going further*: after it come the last sections, whose cells ask alone."""
    sections = [(index, text) for index, level, text in lesson.headings if level == 2]
    begin = next((index for index, text in sections if FURTHER.search(text)), len(lesson.cells))
    for index, text in sections:
        if index > begin and not FURTHER.search(text) and text not in LAST:
            yield f"'{text}' stands after *Going further*: only {', '.join(LAST)} may"
    end = next((index for index, text in sections if text == LAST[0]), len(lesson.cells))
    for index, tree in lesson.code:
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if index > end and names - {"quiz"}:
            yield f"cell {index}, after '{LAST[0]}', may call quiz alone"


def tone(lesson: Lesson) -> Iterator[str]:
    """No word that tells the learner that it is easy."""
    for match in re.finditer(r"\b(?:simply|obviously|just)\b", lesson.prose, re.IGNORECASE):
        near = " ".join(lesson.prose[max(0, match.start() - 30) : match.end() + 30].split())
        yield f"leave out '{match[0]}' in '...{near}...'"


def short_cells(lesson: Lesson) -> Iterator[str]:
    """A code cell has at most twenty lines."""
    for index, _ in lesson.code:
        lines = len(lesson.cells[index].source.splitlines())
        if lines > 20:
            yield f"cell {index} has {lines} lines, too long to be read aloud: at most 20"


def asserts_speak(lesson: Lesson) -> Iterator[str]:
    """An assert has a sentence: to a learner `AssertionError` alone says nothing."""
    for index, tree in lesson.code:
        if any(isinstance(node, ast.Assert) and node.msg is None for node in ast.walk(tree)):
            yield f'cell {index} asserts without a word: assert condition, "what it means"'


def visible_results(lesson: Lesson) -> Iterator[str]:
    """A code cell that does more than import or define shows something."""
    quiet = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef
    for index, tree in lesson.code:
        # A set-up cell may also make what the whole notebook uses, such as the random generator.
        setting_up = any(isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body)
        allowed = quiet | ast.Assign if setting_up else quiet
        if not lesson.cells[index].outputs and not all(
            isinstance(node, allowed) for node in tree.body
        ):
            yield f"cell {index} shows nothing: end it in an expression, a picture or a print"


def run_in_order(lesson: Lesson) -> Iterator[str]:
    """The stored notebook was run once from top to bottom."""
    counts = [lesson.cells[index].execution_count for index, _ in lesson.code]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}: {REFRESH}"


def clean_outputs(lesson: Lesson) -> Iterator[str]:
    """No error, no stderr, no widget state, no timing, valid, cells with their own ids."""
    try:
        nbformat.validate(lesson.nb)
    except nbformat.ValidationError as error:
        yield f"the notebook is not valid: {error.message}"
    for index, text in stderr_of(lesson.nb):
        yield f"cell {index} writes to stderr: {text.strip()[:100]}"
    for index, cell in enumerate(lesson.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                yield f"cell {index} raises {output.ename}: {output.evalue}"
            if WIDGET_VIEW in output.get("data", {}):
                yield f"cell {index} stores a widget without its model: {REFRESH}"
            said = "".join(output.get("data", {}).get("text/plain", ""))
            if re.search(r"\b[Tt]he view '\w+' stopped with", said):
                yield f"cell {index} shows no picture: {said.splitlines()[0]}"
        if "execution" in cell.metadata:
            yield f"cell {index} stores times: {REFRESH}"
    if "widgets" in lesson.nb.metadata:
        yield f"widget state is stored: {REFRESH}"
    # Not from `lesson.nb`: reading it gave those that lack an id a new one.
    ids = [cell.get("id") for cell in json.loads(lesson.path.read_text("utf-8"))["cells"]]
    if None in ids or len(set(ids)) < len(ids):
        yield f"cells lack ids of their own: {REFRESH}"


def small_file(lesson: Lesson) -> Iterator[str]:
    """The file stays under the house's limit."""
    size = lesson.path.stat().st_size
    if size >= SIZE_LIMIT:
        yield (
            f"{size / 1000:.0f} kB are stored, the limit is {SIZE_LIMIT // 1000}: "
            "draw smaller or fewer pictures"
        )


RULES = [
    title_and_promise,
    goals,
    needs_and_time,
    prediction,
    widgets,
    exercises,
    hidden_solutions,
    claims,
    check_yourself,
    recap_and_references,
    link_to_the_next,
    links_resolve,
    story_of_headings,
    further_at_the_end,
    tone,
    short_cells,
    asserts_speak,
    visible_results,
    run_in_order,
    clean_outputs,
    small_file,
]
