"""Small changes to a function's source, each a mistake that a check should catch.

The idea is DeMillo, Lipton and Sayward's ("Hints on test data selection", 1978): checks that cannot
tell a program from its mutant do not test what the mutant changed.
"""

import ast
import textwrap
from collections.abc import Iterator

OPERATORS = {
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.GtE],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.Add: [ast.Sub, ast.Mult],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div, ast.Add],
    ast.Div: [ast.Mult, ast.FloorDiv],
    ast.FloorDiv: [ast.Div],
    ast.Mod: [ast.FloorDiv],
    ast.Pow: [ast.Mult],
    ast.MatMult: [ast.Mult],
    ast.BitAnd: [ast.BitOr],
    ast.BitOr: [ast.BitAnd],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
}
NAMES = {
    "sum": ["mean", "max"],
    "mean": ["sum", "median"],
    "max": ["min"],
    "min": ["max"],
    "argmax": ["argmin"],
    "argmin": ["argmax"],
    "any": ["all"],
    "all": ["any"],
    "zeros": ["ones"],
    "ones": ["zeros"],
    "append": ["extend"],
    "union": ["intersection"],
    "intersection": ["union"],
}
MODULES = {"np", "pd", "math", "scipy", "sparse"}
# Calls that change a type, seldom a value: without them most answers stay right.
CONVERSIONS = {"float", "int", "bool", "list", "tuple", "asarray", "array", "astype", "tolist"}


def mutants(source: str) -> dict[str, str]:
    """The mutants of a function.

    Parameters
    ----------
    source : the function, without decorator; its first line is line 1.

    Returns
    -------
    dict
        From a mutant's name, as in ``"line 3: axis=1 -> axis=0"``, to its source. The second of two
        equal changes in a line has ``" (again)"`` after it, and so on.
    """
    tree = ast.parse(textwrap.dedent(source))
    original = ast.unparse(tree)
    found: dict[str, str] = {}

    def note(line: int, before: str, after: str) -> None:
        mutant = ast.unparse(tree)
        if mutant == original or mutant in found.values():
            return
        name = f"line {line}: {before} -> {after}"
        while name in found:
            name += " (again)"
        found[name] = mutant

    for block, place in _statements(tree.body[0]):
        statement = block[place]
        for holder, name, index, node in _parts(statement):
            # An operator, or a keyword's value, says little without what it belongs to.
            others = list(_replacements(node, holder))
            if not others:
                continue
            is_part = isinstance(node, ast.operator | ast.cmpop | ast.boolop)
            shown = holder if is_part or isinstance(holder, ast.keyword) else node
            before, line = _head(shown), getattr(shown, "lineno", statement.lineno)
            for other in others:
                _put(holder, name, index, other)
                note(line, before, _head(shown if shown is holder else other))
            _put(holder, name, index, node)
        for other in _instead_of(statement):
            block[place] = ast.copy_location(other, statement)
            note(statement.lineno, _head(statement), _head(other))
        block[place] = statement
    return found


def _head(node: ast.AST) -> str:
    """The node's text; of a statement that contains others, the first line."""
    return ast.unparse(node).strip().splitlines()[0]


def _statements(node: ast.AST) -> Iterator[tuple[list, int]]:
    """Every statement below a node but docstrings, as a block and a place in it."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, [])
        for place in range(len(block) if isinstance(block, list) else 0):
            statement = block[place]
            is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not is_text:
                yield block, place
                yield from _statements(statement)


def _parts(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Every expression of a statement, not those of the statements inside it, with its place."""
    for name, value in ast.iter_fields(node):
        for index, part in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(part, ast.AST) and not isinstance(part, ast.stmt):
                yield node, name, index, part
                yield from _parts(part)


def _put(holder: ast.AST, name: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(holder, name, node)
    else:
        getattr(holder, name)[index] = node


def _replacements(node: ast.AST, holder: ast.AST) -> Iterator[ast.AST]:
    """What could stand in a node's place by mistake."""
    for operator in OPERATORS.get(type(node), []):
        yield operator()
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)
        case ast.BinOp(left=left, right=right):  # a dropped term or factor
            yield left
            yield right
            if isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Pow | ast.MatMult):
                yield ast.BinOp(right, node.op, left)
        case ast.BoolOp(op=op, values=values):
            for place in range(len(values)):
                yield _joined(op, values[:place] + values[place + 1 :])
        case ast.UnaryOp(operand=operand):  # a dropped minus, not or ~
            yield operand
        case ast.IfExp(test=test, body=body, orelse=orelse):
            yield ast.IfExp(_negated(test), body, orelse)
            yield body
            yield orelse
        case ast.comprehension(target=target, iter=iterable, ifs=ifs) if ifs:
            yield ast.comprehension(target, iterable, [_negated(ifs[0]), *ifs[1:]], 0)
            yield ast.comprehension(target, iterable, ifs[1:], 0)
        case ast.Tuple(elts=[first, second, *rest], ctx=ast.Load()):
            yield ast.Tuple([second, first, *rest], ast.Load())
        case ast.Slice():
            yield from _slices(node)
        case ast.Attribute(value=value, attr="T"):
            yield value
        case ast.Call():
            yield from _calls(node)
    if isinstance(holder, ast.Call) and _name(holder.func) == "range" and node in holder.args:
        yield from _off_by_one(node)


def _joined(op: ast.boolop, values: list[ast.expr]) -> ast.expr:
    return values[0] if len(values) == 1 else ast.BoolOp(op, values)


def _negated(test: ast.expr) -> ast.expr:
    return test.operand if _is_not(test) else ast.UnaryOp(ast.Not(), test)


def _is_not(test: ast.expr) -> bool:
    return isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)


def _off_by_one(bound: ast.expr) -> Iterator[ast.expr]:
    if not isinstance(bound, ast.Constant):  # numbers are changed wherever they stand
        yield ast.BinOp(bound, ast.Add(), ast.Constant(1))
        yield ast.BinOp(bound, ast.Sub(), ast.Constant(1))


def _slices(node: ast.Slice) -> Iterator[ast.Slice]:
    for name in ("lower", "upper", "step"):
        bound = getattr(node, name)
        if bound is None:
            continue
        parts = {"lower": node.lower, "upper": node.upper, "step": node.step}
        yield ast.Slice(**(parts | {name: None}))
        if name != "step":
            for other in _off_by_one(bound):
                yield ast.Slice(**(parts | {name: other}))


def _name(function: ast.expr) -> str:
    """The last part of a called function's name."""
    return getattr(function, "attr", getattr(function, "id", ""))


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    function, arguments, keywords = node.func, node.args, node.keywords
    name = _name(function)
    is_method = isinstance(function, ast.Attribute) and _name(function.value) not in MODULES
    for other in NAMES.get(name, []):
        if isinstance(function, ast.Attribute):
            yield ast.Call(ast.Attribute(function.value, other, ast.Load()), arguments, keywords)
        elif other not in ("mean", "median", "extend"):  # Python has no function of this name
            yield ast.Call(ast.Name(other, ast.Load()), arguments, keywords)
    if len(arguments) > 1:
        first, second, *rest = arguments
        yield ast.Call(function, [second, first, *rest], keywords)
    for place in range(len(keywords)):
        yield ast.Call(function, arguments, keywords[:place] + keywords[place + 1 :])
    if name == "sorted" and not any(keyword.arg == "reverse" for keyword in keywords):
        backwards = ast.keyword("reverse", ast.Constant(True))
        yield ast.Call(function, arguments, [*keywords, backwards])
    if name not in CONVERSIONS:  # the call left out
        if is_method:
            yield function.value
        elif len(arguments) == 1 and not isinstance(arguments[0], ast.Starred | ast.GeneratorExp):
            yield arguments[0]


def _instead_of(statement: ast.stmt) -> Iterator[ast.stmt]:
    """What could stand in a statement's place by mistake: nothing, first of all."""
    yield ast.Pass()
    match statement:
        case ast.AugAssign(target=target, value=value):
            yield ast.Assign([target], value)
        case ast.If(test=test, body=body, orelse=orelse):
            yield ast.If(_negated(test), body, orelse)
            yield ast.If(ast.Constant(True), body, orelse)
        case ast.While(test=test, body=body, orelse=orelse):
            yield ast.While(_negated(test), body, orelse)
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.For(body=[*_, ast.Return()]):
            pass
        case ast.For(target=target, iter=iterable, body=body, orelse=orelse):
            yield ast.For(target, iterable, [*body, ast.Break()], orelse)
