"""The operator's command line: `cir`."""

import sys
from collections.abc import Mapping
from importlib import import_module, metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from cli import IN_CHECKOUT


def _group(commands: Mapping[str, str]) -> type[TyperGroup]:
    """A group that imports the module of a command only when that is asked for: all of them take most of a second.

    `commands` gives for each name the module and, in it, the function or the `Typer` of a group.
    """

    class Group(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the names are those of Typer
            return list(commands)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
            if cmd_name not in commands:
                return None
            module, _, name = commands[cmd_name].partition(":")
            found = getattr(import_module(module), name)
            if isinstance(found, typer.Typer):
                group = get_group(found)
                group.name = cmd_name
                return group
            alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            alone.command(cmd_name)(found)
            return get_command(alone)

    return Group


_WITH_SANDBOX = {
    "demo": "cli.commands.demo:demo",
    "bench": "cli.commands.bench:app",
    "sandbox": "cli.commands.sandbox:app",
}
app = typer.Typer(
    cls=_group({
        "import": "cli.commands.imports:import_customers",
        "reconcile": "cli.commands.reconcile:reconcile",
        "explain": "cli.commands.explain:explain",
        "contact": "cli.commands.contacts:app",
        "dlq": "cli.commands.dlq:app",
        "duplicates": "cli.main:cases",
        "genesys": "cli.commands.genesys:app",
        **(_WITH_SANDBOX if IN_CHECKOUT else {}),
    }),
    no_args_is_help=True,
    epilog=None if IN_CHECKOUT else f"In a checkout of the repository: {', '.join(_WITH_SANDBOX)}.",
    add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip
cases = typer.Typer(
    cls=_group({
        "find": "cli.commands.duplicates:find",
        "list": "cli.commands.review:list_cases",
        "show": "cli.commands.review:show_case",
        "merge": "cli.commands.review:merge_case",
        "dismiss": "cli.commands.review:dismiss_case",
    }),
    no_args_is_help=True,
)  # fmt: skip


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cir {metadata.version('cir')}")
        raise typer.Exit


@app.callback()
def _cir(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Customer identity resolution for Genesys Cloud."""


@cases.callback()
def _cases() -> None:
    """Who may be one person: in a file, or waiting for a decision."""


def main() -> None:
    """Run a command; a failure that its user can act on is one line, not a traceback."""
    try:
        app()
    except Exception as error:
        from cli.failures import expected, one_line  # noqa: PLC0415 - half a second of AWS and HTTP that success needs not

        if not isinstance(error, expected()):
            raise
        typer.echo(f"{typer.style('cir:', fg='red', bold=True)} {one_line(error)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
