"""Who reads which environment variable, from the code: what a function or command refers to, directly or not.

A name counts as read where it stands as a text of its own. Calls on objects are not followed, so what reads variables
must be a function, a class method or a constructor; tests/docs/test_environment.py sees to that.
"""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FOLDERS = {"cir": ROOT / "lambdas", "functions": ROOT / "lambdas", "cli": ROOT}

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{2,}")
_CONSTRUCTING = frozenset({"__init__", "__new__", "__post_init__"})


@dataclass(frozen=True, slots=True)
class Place:
    """A function, a constructor, or what a module does when it is imported."""

    texts: frozenset[str]
    refers_to: frozenset[str]
    """Qualified names; those of other places, and of whatever else."""


def read_by(start: Iterable[str], names: Collection[str]) -> frozenset[str]:
    """Which of the names are read in these places and in all that they reach."""
    known = _code().places
    return frozenset(text for place in reached(start) for text in known[place].texts if text in names)


def reached(start: Iterable[str]) -> frozenset[str]:
    """These places, and those that they refer to, directly or not."""
    code = _code()
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name in code.places and name not in seen:
            seen.add(name)
            waiting += code.places[name].refers_to
        elif name in code.aliases:
            waiting.append(code.aliases[name])
    return frozenset(seen)


def of_module(module: str) -> frozenset[str]:
    """All places in a module."""
    return frozenset(name for name in _code().places if name == module or name.startswith(f"{module}."))


def reading(names: Collection[str]) -> frozenset[str]:
    """The places that read any of the names themselves."""
    return frozenset(name for name, place in _code().places.items() if not place.texts.isdisjoint(names))


def asked() -> frozenset[str]:
    """What the environment is asked for anywhere, by whatever means; without AWS' own variables."""
    return frozenset(name for name in _code().asked if not name.startswith("AWS_"))


@dataclass(frozen=True, slots=True)
class _Code:
    places: Mapping[str, Place]
    """By qualified name: `cir.connect.open_store`; a constructor by its class, a module's own code by the module."""
    aliases: Mapping[str, str]
    """What a module has from another one under a name of its own → where that is."""
    asked: frozenset[str]


@cache
def _code() -> _Code:
    modules = [_Module(name, ast.parse(path.read_text(encoding="utf-8"))) for name, path in _modules()]
    return _Code(
        {name: place for module in modules for name, place in module.places()},
        {f"{module.name}.{own}": meaning for module in modules for own, meaning in module.imports.items()},
        frozenset(name for module in modules for name in module.asked()),
    )


def _modules() -> Iterator[tuple[str, Path]]:
    for package, folder in _FOLDERS.items():
        for path in sorted((folder / package).rglob("*.py")):
            yield ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__"), path


class _Module:
    """One file."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name = name
        self._tree = tree
        self.imports = dict(_imports(tree))
        self._constants = dict(_constants(tree))
        self._meaning = self.imports | {each: f"{name}.{each}" for each in _defined(tree)}

    def places(self) -> Iterator[tuple[str, Place]]:
        for node in self._tree.body:
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    yield f"{self.name}.{node.name}", self._place([node])
                case ast.ClassDef():
                    yield from self._of_class(node)
                case ast.Assign(targets=[ast.Name(id=constant)]):
                    yield f"{self.name}.{constant}", self._place([node.value])
        yield self.name, self._place(node for node in self._tree.body if not _is_definition(node))

    def asked(self) -> Iterator[str]:
        """Texts by which the environment is asked, in the module."""
        for node in ast.walk(self._tree):
            match node:
                case ast.Call(func=function, args=arguments) if _has_environment(function, *arguments):
                    yield from self._texts(arguments[:2])
                case ast.Subscript(value=value, slice=key) if _has_environment(value):
                    yield from self._texts([key])
                case ast.Compare(left=left, comparators=[compared]) if _has_environment(compared):
                    yield from self._texts([left])

    def _texts(self, nodes: Iterable[ast.AST]) -> Iterator[str]:
        for node in nodes:
            match node:
                case ast.Constant(value=str(text)) if _VARIABLE.fullmatch(text):
                    yield text
                case ast.Name(id=name) if name in self._constants:
                    yield self._constants[name]

    def _of_class(self, node: ast.ClassDef) -> Iterator[tuple[str, Place]]:
        name = f"{self.name}.{node.name}"
        methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
        for method, body in methods.items():
            yield f"{name}.{method}", self._place([body], within=name)
        yield name, self._place((body for method, body in methods.items() if method in _CONSTRUCTING), within=name)

    def _place(self, nodes: Iterable[ast.AST], *, within: str = "") -> Place:
        texts: set[str] = set()
        refers_to: set[str] = set()
        for node in (inner for outer in nodes for inner in ast.walk(outer)):
            match node:
                case ast.Constant(value=str(text)):
                    texts.add(text)
                case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=attribute) if within:
                    refers_to.add(f"{within}.{attribute}")
                case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in self._meaning:
                    refers_to.add(f"{self._meaning[name]}.{attribute}")
                case ast.Name(id="cls") if within:
                    refers_to.add(within)
                case ast.Name(id=name) if name in self._meaning:
                    refers_to.add(self._meaning[name])
        return Place(frozenset(texts), frozenset(refers_to))


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Name in the module → what it stands for; wherever in the module it is imported."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((each.asname, each.name) for each in names if each.asname)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from ((each.asname or each.name, f"{module}.{each.name}") for each in names)


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                yield name, text


def _has_environment(*nodes: ast.AST) -> bool:
    """Whether one of them is the environment, or a method of it."""
    for node in nodes:
        match node:
            case ast.Attribute(attr="get", value=value) if _has_environment(value):
                return True
            case ast.Attribute(attr="environ") | ast.Name(id="environ" | "environment"):
                return True
    return False


def _is_definition(node: ast.stmt) -> bool:
    """Whether it only gives something a name: a function, a class, or a constant."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Assign(value=ast.Constant()):
            return True
    return False


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name
