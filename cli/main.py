"""The operator's command line: `cir`."""

import sys

import typer
from rich.console import Console
from rich.markup import escape

from cli import bench, contacts, demo, dlq, duplicates, explain, genesys, importing, reconcile, review, sandbox
from cli.failures import EXPECTED, one_line

app = typer.Typer(
    name="cir",
    help="Customer identity resolution for Genesys Cloud.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("import")(importing.import_customers)
app.command("reconcile")(reconcile.reconcile)
app.command("explain")(explain.explain)
app.command("demo")(demo.demo)
cases = typer.Typer(no_args_is_help=True, help="Who may be one person: in a file, or waiting for a decision.")
cases.command("find")(duplicates.find)
review.register(cases)
app.add_typer(bench.app, name="bench")
app.add_typer(contacts.app, name="contact")
app.add_typer(dlq.app, name="dlq")
app.add_typer(cases, name="duplicates")
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
