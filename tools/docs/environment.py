"""The environment variables of docs/environment.md: what they mean, and who reads them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import typer
from typer.main import get_command

from cli.main import app
from infra.catalog.functions import PARTS
from infra.catalog.variables import VARIABLES, Variable
from tools.docs.markdown import code, table
from tools.docs.reading import read_by

NAMES = frozenset(each.name for each in VARIABLES)
AT_HOME = ("cir demo", "cir bench")
"""Commands that set what they need themselves."""


def variables() -> str:
    """All of them, as a table."""
    return table(
        ("variable", "meaning", "where it is not set", "functions that read it", "commands"),
        ((code(each.name), each.meaning, _without(each), _functions(each), _commands(each)) for each in VARIABLES),
    )


def _without(variable: Variable) -> str:
    match variable.default:
        case None:
            return "needed"
        case "":
            return "nothing"
        case default:
            return code(default)


def _functions(variable: Variable) -> str:
    readers = [part.name for part in PARTS if variable in part.reads]
    others = [part.name for part in PARTS if variable not in part.reads]
    if len(readers) > len(others):
        return "all" + (f" but {', '.join(map(code, others))}" if others else "")
    return ", ".join(map(code, readers))


def _commands(variable: Variable) -> str:
    readers = {command for command, read in commands().items() if variable.name in read}
    groups: dict[str, list[str]] = {}
    for command in commands():
        group, _, name = command.rpartition(" ")
        groups.setdefault(group, []).append(name)
    return ", ".join(_group(group, names, readers) for group, names in groups.items() if _of(group, names) & readers)


def _of(group: str, names: Sequence[str]) -> set[str]:
    return {f"{group} {name}" for name in names}


def _group(group: str, names: Sequence[str], readers: set[str]) -> str:
    """`cir contact` where all of its commands read it, else those that do."""
    if group != "cir" and _of(group, names) <= readers:
        return code(group)
    return ", ".join(code(f"{group} {name}") for name in names if f"{group} {name}" in readers)


@cache
def commands() -> Mapping[str, frozenset[str]]:
    """Command, for instance `cir contact show` → the variables that it reads."""
    return {name: read_by([place], NAMES) for name, place in entries().items()}


@cache
def entries() -> Mapping[str, str]:
    """Command → the function that it is, by its qualified name."""
    return {name: place for name, place in _leaves(get_command(app), "cir") if not name.startswith(AT_HOME)}


def _leaves(command: Any, name: str) -> Iterator[tuple[str, str]]:
    if hasattr(command, "list_commands"):
        context = typer.Context(command)
        for each in command.list_commands(context):
            yield from _leaves(command.get_command(context, each), f"{name} {each}")
    else:
        function = getattr(command.callback, "__wrapped__", command.callback)
        yield name, f"{function.__module__}.{function.__qualname__}"
