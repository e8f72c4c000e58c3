"""Numbers in the prose: where they stand, what they are bound to, and whether the run agrees.

A number that is a result is followed, with nothing between, by an HTML comment that holds the
Python expression which gives its exact text:

    User 3 gets B first, with 0.642<!-- = f"{scores[2, 1]:.3f}" -->.

The expression is evaluated when the notebook has run to its end. Words can be bound in the same
way. A number without a comment has to be found, digit for digit, among the notebook's outputs.
"""

import ast
import html
import re
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from nbformat import NotebookNode

from tools.notebooks import Evaluate

BINDING = re.compile(r"<!--\s*=(?P<expression>.*?)-->", re.DOTALL)
NUMBER = re.compile(
    r"""(?<!\w) (?<!\d\.)                # not inside a word or a number: C01, F1, 4.3
        (?: (?<![\w)\]]) [-+] )?         # a sign, which a hyphen between two words is not
        \d+ (?: ,\d{3} )* (?: \.\d+ )*   # 100,004 and 0.642; 4.1.1 too, to be dropped whole
        (?: [eE][-+]?\d+ )?              # 1e-15
        (?: \s?% )?                      # 8 % and 8%
    """,
    re.VERBOSE,
)
# What the reader does not take for a result of this notebook, in the order in which it is blanked
# out.
NOT_PROSE = [
    re.compile(r"^[ >]*(?P<fence>```+|~~~+).*?(?:^[ >]*(?P=fence)|\Z)", re.DOTALL | re.MULTILINE),
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)", re.DOTALL),
    re.compile(r"\$\$.+?\$\$|\\\[.+?\\\]", re.DOTALL),
    re.compile(r"(?<![\\$])\$[^$\n]+(?:\n[^$\n]+)*?\$"),
    re.compile(r"\]\([^)]*\)|<?https?://[^\s>)]+|\bdoi:\S+"),
    re.compile(r"</?[a-zA-Z][^<>]*>"),
    re.compile(r"^[ >]*#{1,6} .*$|^.*\*\*Time:\*\*.*$", re.MULTILINE),
    re.compile(r"&#?\w+;"),
    re.compile(
        r"(?:\bsections?|\blessons?|§|\barticle's|\bchapters?) *"
        r"[\d.]+(?:(?:,| and| to|,? or) [\d.]+)*",
        re.I,
    ),
    re.compile(r"\b\d+(?: to \d+)? (?:min\b|minutes?\b)"),
]


@dataclass(frozen=True)
class Binding:
    """A piece of prose held to an expression; `before` is its cell's text up to the comment."""

    cell: int
    before: str
    expression: str


def blank(match: re.Match) -> str:
    """Spaces in place of a match, so that everything else stays where it was."""
    return re.sub(r"[^\n]", " ", match[0])


def plain(text: str) -> str:
    """One spelling of a minus and of a space."""
    return text.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")


def bindings(nb: NotebookNode) -> list[Binding]:
    """Every binding in a notebook's Markdown cells."""
    found = []
    for cell, source in markdown(nb):
        for match in BINDING.finditer(NOT_PROSE[0].sub(blank, source)):
            found.append(
                Binding(
                    cell,
                    before=source[: match.start()],
                    expression=match["expression"].strip(),
                )
            )
    return found


Values = dict[Binding, str | ValueError]


# What a cell raises; every name has the value of the notebook's end again afterwards.
AS_CELL = """(lambda shell, names: [
    (lambda done: done.error_before_exec or done.error_in_exec and repr(done.error_in_exec))(
        shell.run_cell({source!r}, silent=True)
    ),
    shell.user_ns.update(names),
][0])(get_ipython(), dict(get_ipython().user_ns))"""


class Evaluated(NamedTuple):
    """What expressions give when a notebook has run to its end; a ValueError where they raise.

    Attributes
    ----------
    values : of the bindings.
    views : the alt text of each widget by its cell, drawn at the controls' defaults: the end is
        when a learner moves it.
    questions : the answers by the id of their question.
    raised : what each further cell raised, "None" if nothing.
    """

    values: Values
    views: dict[int, str | ValueError]
    questions: dict[str, str | ValueError]
    raised: dict[str, str | ValueError]


def evaluated(
    nb: NotebookNode,
    evaluate: Evaluate,
    answers: dict[str, str] | None = None,
    cells: dict[str, str] | None = None,
) -> Evaluated:
    """Evaluate what belongs to a notebook, in the kernel that has run it.

    Parameters
    ----------
    nb : the notebook.
    evaluate : as `tools.notebooks.run` hands it out.
    answers : expressions by the id of a question.
    cells : sources by a name, to be run as cells.
    """

    def value(expression):
        try:
            return evaluate(expression)
        except ValueError as error:
            return error

    return Evaluated(
        {each: value(each.expression) for each in bindings(nb)},
        {cell: value(expression) for cell, expression in drawings(nb).items()},
        {id: value(each) for id, each in (answers or {}).items()},
        {name: value(AS_CELL.format(source=each)) for name, each in (cells or {}).items()},
    )


def meets_other_values(nb: NotebookNode) -> list[int]:
    """The cells that read a name which a later cell binds, changes in place or calls a method of.

    Any other cell meets, at the notebook's end, what it met at its own place. A name is read too
    where a function or a lambda that the cell may call reads it, whichever cell made that. It is
    not read where the cell has bound it before. What is imported is changed by no call.
    """
    code = {
        cell: each.source
        for cell, each in enumerate(nb.cells)
        if each.cell_type == "code" and each.source.strip()
    }
    made, read, deferred, imported = {}, {}, {}, set()
    for cell, source in code.items():
        table = symtable.symtable(source, f"cell {cell}", "exec")
        names = table.get_symbols()
        deferred[cell] = {
            each.get_name()
            for one in inner(table)
            for each in one.get_symbols()
            if each.is_global()
        }
        read[cell] = {each.get_name() for each in names if each.is_referenced()} | deferred[cell]
        made[cell] = {each.get_name() for each in names if each.is_assigned() or each.is_imported()}
        first = set(read_first(ast.parse(source).body, set()))
        read[cell] = read[cell] - made[cell] | made[cell] & first
        imported |= {each.get_name() for each in names if each.is_imported()}
    for cell, source in code.items():
        made[cell] |= set(changed_in_place(source)) - imported
    found = []
    for cell in code:
        reads, todo = set(read[cell]), set(read[cell])
        while todo:
            by = [other for other in code if todo & made[other]]
            todo = set().union(*(deferred[other] for other in by)) - reads
            reads |= todo
        if any(reads & made[later] for later in code if later > cell):
            found.append(cell)
    return found


def read_first(statements: list[ast.stmt], bound: set[str]) -> Iterator[str]:
    """The names that statements read before one of them has bound them for certain."""
    for each in statements:
        head, body = each, []
        if isinstance(each, ast.For):
            head, body, targets = each.iter, each.body + each.orelse, [each.target]
        elif isinstance(each, ast.With):
            targets = [item.optional_vars for item in each.items if item.optional_vars]
            head, body = ast.Tuple([item.context_expr for item in each.items]), each.body
        else:
            targets = each.targets if isinstance(each, ast.Assign) else []
        names = {
            node.id: node for node in ast.walk(head) if isinstance(node, ast.Name)
            if isinstance(node.ctx, ast.Load) or isinstance(each, ast.AugAssign)
        }  # fmt: skip
        yield from names.keys() - bound
        new = {
            node.id for target in targets for node in ast.walk(target)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }  # fmt: skip
        if isinstance(each, ast.FunctionDef | ast.ClassDef):
            new = {each.name}
        elif isinstance(each, ast.Import | ast.ImportFrom):
            new = {(one.asname or one.name).partition(".")[0] for one in each.names}
        # What a loop binds is certain inside of it alone.
        yield from read_first(body, bound | new if isinstance(each, ast.For) else bound)
        bound |= set() if isinstance(each, ast.For) else new


def inner(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """The scopes of all functions, classes and comprehensions inside of one."""
    for each in table.get_children():
        yield each
        yield from inner(each)


# Methods of the course's and of Keras' objects that are called as statements and change nothing.
READING = {"save", "picture"}


def changed_in_place(source: str) -> Iterator[str]:
    """The names in `a[0] = ...`, `a.b = ...` and `a.method(...)`, but for a function's own."""
    for statement in ast.parse(source).body:
        own = set()
        if isinstance(statement, ast.FunctionDef):
            own = {
                node.arg if isinstance(node, ast.arg) else node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.arg)
                or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
            }
            for node in ast.walk(statement):
                own -= set(node.names) if isinstance(node, ast.Global) else set()
        for node in ast.walk(statement):
            stored = isinstance(node, ast.Subscript | ast.Attribute) and isinstance(
                node.ctx, ast.Store
            )
            called = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
            target = node.value.func if called else node if stored else None
            if called and isinstance(target, ast.Attribute) and target.attr in READING:
                continue
            while isinstance(target, ast.Subscript | ast.Attribute):
                target = target.value
                if isinstance(target, ast.Name) and target.id not in own:
                    yield target.id


def drawings(nb: NotebookNode) -> dict[int, str]:
    """The cell of each `explore(view, ...)` and an expression for the alt text of its picture."""
    explorer = "__import__('recsys_lab.page.widgets', fromlist=['Explorer']).Explorer"
    return {
        cell: f"{explorer}({ast.unparse(call.args[0])}, dict({controls})).frame().alt"
        for cell, source in enumerate(each.source for each in nb.cells)
        if nb.cells[cell].cell_type == "code"
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "explore"
        for controls in [", ".join(map(ast.unparse, call.keywords))]
    }


def binding_problems(nb: NotebookNode, values: Values) -> Iterator[str]:
    """A sentence for each binding whose text is not what its expression gives."""
    for binding in bindings(nb):
        comment = f"cell {binding.cell}: <!-- = {binding.expression} -->"
        value, before = values[binding], binding.before
        # `$` would start a formula for JupyterLab, `|` ends a table's cell: both show the comment.
        if set("$|") & set(binding.expression):
            yield f"{comment} contains $ or |, which breaks the page: name the value in a code cell"
        if isinstance(value, ValueError):
            yield f"{comment} cannot be evaluated: {value}"
        elif before != before.rstrip():
            yield f"{comment} has to follow its number with no space between"
        elif not ends_with(before, value):
            yield (
                f"{comment} gives '{value}', but the prose before it says "
                f"'...{last_words(before)}': write {value}{comment.partition(': ')[2]}"
            )


def ends_with(before: str, value: str) -> bool:
    """Whether a text ends with a value, as a whole word or number, also in bold or code."""
    before, value = plain(before).rstrip("*_`"), plain(value)
    head = before.removesuffix(value)
    if not value.strip() or head == before:
        return False
    return not re.search(r"(?:\w|\d[.,]|(?<!\w)[-+])\Z", head) or not re.match(r"[\w.]", value)


def last_words(text: str) -> str:
    return " ".join(text.split()[-4:])


def unbound_problems(nb: NotebookNode, values: Values, fresh: NotebookNode) -> Iterator[str]:
    """A sentence for each number of the prose that is neither bound nor in a fresh output."""
    printed = {number(token[0]) for text in output_texts(fresh) for token in NUMBER.finditer(text)}
    in_references = False
    for cell, source in markdown(nb):
        text = plain(source)
        for binding in bindings(nb):
            if binding.cell == cell:
                text = without(text, binding, values[binding])
        lines = []
        for line in text.splitlines():
            heading = re.match(r"#{1,6} +(.*)", line)
            if heading:
                in_references = heading[1].strip().lower() == "references"
            lines.append("" if in_references else line)
        text = "\n".join(lines)
        for pattern in NOT_PROSE:
            text = pattern.sub(blank, text)
        for match in NUMBER.finditer(text):
            token, shown = number(match[0]), match[0].strip()
            if not excused(token) and token not in printed:
                yield (
                    f"cell {cell}: '{shown}' in '...{last_words(text[: match.end()])}' is in no "
                    f'output of the run: bind it, {shown}<!-- = f"{{...}}" -->, or print it in a '
                    f"cell, or, if it is no result, write it in words or as `{shown}`"
                )


def without(text: str, binding: Binding, value: str | ValueError) -> str:
    """A cell's text without the bound words, or without the last if the binding is wrong."""
    before = text[: len(binding.before)]
    if isinstance(value, str) and ends_with(before, value):
        bound = re.escape(plain(value)) + r"[*_`]*$"
    else:
        bound = r"\S+(?: %)?$"
    return re.sub(bound, blank, before) + text[len(before) :]


def excused(token: str) -> bool:
    """Small whole numbers, years, and dotted names such as 4.1.1."""
    if re.fullmatch(r"\d+", token):
        return int(token) <= 12 or 1900 <= int(token) <= 2099
    return token.count(".") > 1


def number(token: str) -> str:
    return re.sub(r"\s", "", plain(token))


def markdown(nb: NotebookNode) -> list[tuple[int, str]]:
    return [(i, cell.source) for i, cell in enumerate(nb.cells) if cell.cell_type == "markdown"]


def output_texts(nb: NotebookNode) -> Iterator[str]:
    """The text of every output, HTML without its tags; not what differs from run to run."""
    for cell in nb.cells:
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            continue
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                yield plain(output.text)
            for kind, content in output.get("data", {}).items():
                if kind == "text/html":
                    tags = r"(?s:<(style|script).*?</\1>)|<[^>]*>"
                    content = html.unescape(re.sub(tags, " ", content))
                if kind.startswith("text/"):
                    yield plain(content)
