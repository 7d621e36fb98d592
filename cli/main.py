"""The operator's command line: `cir`."""

import sys

import typer
from rich.console import Console
from rich.markup import escape

from cli import contacts, demo, explain, genesys, importing, review, sandbox
from cli.failures import EXPECTED, one_line

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
duplicates = typer.Typer(no_args_is_help=True, help="Contacts that may be one person, waiting for a decision.")
review.register(duplicates)
app.add_typer(contacts.app, name="contact")
app.add_typer(duplicates, name="duplicates")
app.add_typer(genesys.app, name="genesys")
app.add_typer(sandbox.app, name="sandbox")


def main() -> None:
    """Run a command; a failure that its user can act on is one line, not a traceback."""
    try:
        app()
    except EXPECTED as error:
        Console(stderr=True).print(f"[bold red]cir:[/] {escape(one_line(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
