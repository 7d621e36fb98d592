"""The operator's command line: `cir`."""

import sys

import typer
from rich.console import Console

from cli import demo, explain, genesys, importing, sandbox

app = typer.Typer(
    name="cir",
    help="Customer identity resolution for Genesys Cloud.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("import")(importing.import_customers)
app.command("explain")(explain.explain)
app.command("demo")(demo.demo)
app.command("bench")(demo.bench)
app.add_typer(genesys.app, name="genesys")
app.add_typer(sandbox.app, name="sandbox")


def main() -> None:
    """Run a command; a failure that its user can act on is one line, not a traceback."""
    try:
        app()
    except expected_failures() as error:
        Console(stderr=True).print(f"[bold red]cir:[/] {error}", highlight=False, soft_wrap=True)
        sys.exit(1)


def expected_failures() -> tuple[type[Exception], ...]:
    """Failures whose text is written for the person at the keyboard."""
    from cir.crm_file import FileError  # noqa: PLC0415 - `cir --help` need not import the engine
    from cir.dynamodb import DynamoDBError  # noqa: PLC0415
    from cir.genesys.errors import GenesysError  # noqa: PLC0415
    from cir.mapping import MappingError  # noqa: PLC0415
    from cli.environment import NoEnvironmentError  # noqa: PLC0415
    from sandbox.processes import StartError  # noqa: PLC0415

    return FileError, DynamoDBError, GenesysError, MappingError, NoEnvironmentError, StartError


if __name__ == "__main__":
    main()
