"""The commands of `cir` with their arguments and options, as their help has them."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_command

from cli.main import app
from sandbox.genesys.command import emulate
from tools.docs.markdown import code, table

type Command = Any
"""A command or group as Typer builds it; its classes are not public."""


def reference() -> str:
    """A table of all commands, and a section for each."""
    root = get_command(app)
    sections: list[str] = []
    overview: list[tuple[str, str]] = []
    for name, command in _members("cir", root):
        sections.append(f"## {code(name)}\n\n{_about(command)}")
        for path, leaf in _leaves(name, command):
            overview.append((f"[{code(path)}](#{path.replace(' ', '-')})", _first_sentence(leaf)))
            if leaf is not command:
                sections.append(f"### {code(path)}\n\n{_about(leaf)}")
            sections += filter(None, [_parameters(path, leaf)])
    return "\n\n".join([table(["command", ""], overview), *sections])


def emulator_options() -> str:
    """The options of the Genesys Cloud emulator's own command."""
    alone = typer.Typer(add_completion=False)
    alone.command()(emulate)
    return _parameters("genesys-emulator", get_command(alone))


def _members(name: str, group: Command) -> Iterator[tuple[str, Command]]:
    context = typer.Context(group, info_name=name)
    for each in group.list_commands(context):
        yield f"{name} {each}", group.get_command(context, each)


def _leaves(name: str, command: Command) -> Iterator[tuple[str, Command]]:
    if not hasattr(command, "list_commands"):
        yield name, command
        return
    for path, member in _members(name, command):
        yield from _leaves(path, member)


def _about(command: Command) -> str:
    return str(command.help or "").strip()


def _first_sentence(command: Command) -> str:
    first, stop, _ = _about(command).partition(". ")
    return _line(first + stop.rstrip())


def _parameters(path: str, command: Command) -> str:
    context = typer.Context(command, info_name=path)
    records = [each.get_help_record(context) for each in command.get_params(context) if each.name != "help"]
    rows = [(code(_line(name)), _line(text)) for name, text in filter(None, records)]
    return table(["", ""], rows) if rows else ""


def _line(text: str) -> str:
    return " ".join(text.split())
