"""What a room offers to others is `__all__` of its package: modules, or names of the package itself.

They are declared and not imported there: whoever needs one module loads no other, which a cold start would wait for.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAMBDAS = ROOT / "lambdas"
CODE = {ROOT: ("app.py", "cli/**/*.py", "sandbox/**/*.py", "tools/**/*.py"), LAMBDAS: ("**/*.py",)}
ROOMS = sorted(".".join(each.parent.relative_to(LAMBDAS).parts) for each in LAMBDAS.glob("cir/*/**/__init__.py"))


@cache
def imports() -> frozenset[tuple[str, str]]:
    """Module → what it imports, with the name that it takes."""
    files = ((base, file) for base, patterns in CODE.items() for each in patterns for file in base.glob(each))
    return frozenset(
        (_module(file.relative_to(base)), imported)
        for base, file in files
        for imported in _imported(ast.parse(file.read_text(encoding="utf-8")))
    )


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{each.name}" for each in node.names)


def is_within(module: str, room: str) -> bool:
    return f"{module}.".startswith(f"{room}.")


@cache
def offered(room: str) -> frozenset[str]:
    tree = ast.parse((LAMBDAS / room.replace(".", "/") / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        match node:
            case ast.Assign([ast.Name("__all__")], names):
                return frozenset(ast.literal_eval(names))
    raise AssertionError(f"{room} does not say what it offers: its __init__.py has no __all__")


@pytest.mark.parametrize("room", ROOMS)
def test_others_take_what_a_room_offers_and_it_offers_nothing_that_nobody_takes(room: str) -> None:
    taken = {
        imported.removeprefix(f"{room}.").split(".")[0]: module
        for module, imported in imports()
        if is_within(imported, room) and imported != room and not is_within(module, room)
    }
    assert taken.keys() - offered(room) == set(), {each: taken[each] for each in taken.keys() - offered(room)}
    assert offered(room) - taken.keys() == set()


def test_nobody_takes_a_private_name_of_another_module() -> None:
    private = {
        (module, imported)
        for module, imported in imports()
        if any(part.startswith("_") and not part.startswith("__") for part in imported.split("."))
        and imported.split(".")[0] in {"cir", "functions", "cli", "infra", "sandbox", "tools"}
    }
    assert private == set()
