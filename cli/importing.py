"""`cir import`: a CRM export into Genesys Cloud and the index."""

import csv
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import phonenumbers
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from cir.bootstrap import prepare
from cir.connect import open_store
from cir.crm_file import read_file
from cir.genesys.client import GenesysClient
from cir.importing import WORKERS, Imported, Report, import_lines
from cir.mapping import SHIPPED, load_mapping
from cir.settings import default_region
from cir.sync import Change, Sync
from cli.environment import enter_environment
from cli.failures import CommandError

DEFAULT_MAPPING = SHIPPED / "salesforce.json"
_SHOWN_REASONS = 12


def import_customers(
    file: Annotated[Path, typer.Argument(help="A CSV export of the CRM: UTF-8, comma-separated, with a header.")],
    mapping: Annotated[
        Path, typer.Option(help="Which column feeds what; only what it names leaves the CRM.")
    ] = DEFAULT_MAPPING,
    report: Annotated[Path | None, typer.Option(help="Write what became of each row to this CSV file.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Requests under way at once.")] = WORKERS,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Import customers. Run it again at any time: unchanged ones cost nothing."""
    environment = enter_environment()
    console = Console(stderr=as_json)
    summary = run_import(file, mapping=mapping, rows_to=report, workers=workers, console=console)
    if as_json:
        typer.echo(json.dumps(summary.as_dict()))
    else:
        console.print(f"Import of {escape(file.name)} into {environment}", highlight=False, soft_wrap=True)
        console.print(summary_table(summary))
        for table in reason_tables(summary):
            console.print(table)


def run_import(
    file: Path,
    *,
    mapping: Path = DEFAULT_MAPPING,
    rows_to: Path | None = None,
    workers: int = WORKERS,
    console: Console,
    on_row: Callable[[Imported], None] = lambda _: None,
) -> Report:
    """Import a file into the deployment that this process's variables name, with a progress bar."""
    started = time.monotonic()
    crm = load_mapping(mapping)
    client = GenesysClient.from_environment()
    region = default_region()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise CommandError(f"DEFAULT_REGION {region!r} is no country; set it to an ISO 3166 code such as GB")
    # read to its end first: a file that is broken in its last line changes nothing
    lines = list(read_file(file, crm, default_region=region))
    sync = Sync(client=client, store=open_store(), organization=prepare(client, crm), mapping=crm)
    report = Report()
    with _progress(console, len(lines)) as advance, _rows_to(rows_to) as write:
        for imported in import_lines(lines, sync, workers=workers):
            report.add(imported)
            write(imported)
            on_row(imported)
            advance()
    report.seconds = time.monotonic() - started
    return report


def summary_table(report: Report) -> Table:
    """What was created, updated, left and refused."""
    table = Table("rows")
    table.add_column("number", justify="right")
    for change in Change:
        table.add_row(str(change), f"{report.changes[change]:,}")
    table.add_section()
    table.add_row("all", f"{report.rows:,}")
    table.add_row("seconds", f"{report.seconds:.1f}")
    return table


def reason_tables(report: Report) -> Iterator[Table]:
    """Why rows were refused, and which values were left out of rows that were imported."""
    for title, reasons in (("Refused rows", report.refused), ("Values left out", report.left_out)):
        if not reasons:
            continue
        table = Table("column", "reason", title=title, title_justify="left")
        table.add_column("number", justify="right")
        for (column, reason), number in reasons.most_common(_SHOWN_REASONS):
            table.add_row(escape(column), escape(reason), f"{number:,}")
        if len(reasons) > _SHOWN_REASONS:
            table.caption = f"and {len(reasons) - _SHOWN_REASONS} more kinds; --report lists every row"
        yield table


@contextmanager
def _progress(console: Console, rows: int) -> Iterator[Callable[[], None]]:
    columns = (
        TextColumn("importing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("rows", total=rows)
        yield lambda: progress.advance(task)


@contextmanager
def _rows_to(path: Path | None) -> Iterator[Callable[[Imported], None]]:
    """A writer of one CSV row per imported row; values in it are masked."""
    if path is None:
        yield lambda _: None
        return
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from error
    with file:
        rows = csv.writer(file)
        rows.writerow(("line", "outcome", "crm_id", "contact_id", "problems"))
        yield lambda row: rows.writerow(
            (row.line, row.change, row.crm_id, row.contact_id, "; ".join(map(str, row.problems)))
        )
