"""`cir import`: a CRM export into Genesys Cloud and the index."""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Annotated

import phonenumbers
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cir.aws.files import Directory
from cir.connect import open_genesys, open_store
from cir.contacts.organization import prepare
from cir.crm.export_file import read_file
from cir.crm.mapping import deployed_mapping_file, load_mapping
from cir.imports.batches import BATCH_ROWS
from cir.imports.genesys_csv import CsvImportError
from cir.imports.loading import WORKERS, Imported, Report
from cir.imports.run import Manifest, Run, clear, load_all, origin_of, report, split
from cir.settings import default_region
from cir.sync.customers import Change, Sync
from cli.commands.imports_csv import import_by_csv
from cli.commands.imports_remote import run_remotely
from cli.environment import enter_environment
from cli.failures import CommandError
from cli.progress import progress, say_waits

_SHOWN_REASONS = 12


class Via(StrEnum):
    """How contacts come into Genesys Cloud."""

    ENRICH = "enrich"
    CSV = "csv"


def import_customers(
    file: Annotated[Path, typer.Argument(help="A CSV export of the CRM: UTF-8, comma-separated, with a header.")],
    *,
    mapping: Annotated[
        Path | None, typer.Option(help="Which column feeds what; the deployment's own if it is not given.")
    ] = None,
    via: Annotated[
        Via,
        typer.Option(
            help="enrich: ten customers a request, every field, about 2,900 customers a minute. "
            "csv: files that Genesys Cloud imports by itself, for a first load; custom fields follow later."
        ),
    ] = Via.ENRICH,
    remote: Annotated[bool, typer.Option("--remote", help="Let the deployment's workflow do it; needs AWS.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="With --remote: import a file that was imported before once more.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write what became of each row to this CSV file.")] = None,
    ids: Annotated[Path | None, typer.Option(help="Write each CRM id and its contact id to this CSV file.")] = None,
    directory: Annotated[
        Path | None, typer.Option(help="Where the state of the run is kept, so that it can go on after it was stopped.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Requests under way at once.")] = WORKERS,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Import customers. Run it again at any time: what is done is not done again, unchanged ones cost nothing."""
    environment = enter_environment()
    console = Console(stderr=as_json)
    mapping = mapping or deployed_mapping_file()
    for path in (report, ids):
        if path and not path.parent.is_dir():
            raise CommandError(f"cannot write {path}: No such file or directory")
    if remote:
        run, summary, kept = _by_workflow(file, mapping=mapping, via=via, again=again, console=console)
    elif again:
        raise CommandError("--again belongs to --remote: an import from this machine looks at every row each time")
    else:
        root = directory or default_directory(file, mapping)
        summary = run_import(file, mapping=mapping, via=via, directory=root, workers=workers, console=console)
        run = Run(Directory(root))
        kept = f"{root}/"
    for path, name in ((report, "rows.csv"), (ids, "ids.csv")):
        if path:
            path.write_bytes(run.files.read(run.key(name)))
    if as_json:
        typer.echo(json.dumps(summary.as_dict()))
        return
    console.print(f"Import of {escape(file.name)} into {environment}", highlight=False, soft_wrap=True)
    console.print(summary_table(summary))
    for table in reason_tables(summary):
        console.print(table)
    if via is Via.CSV:
        console.print(
            "Custom fields and ids of other systems are not in Genesys Cloud yet: they follow with the next "
            "reconciliation, or with `--via enrich`.",
            highlight=False,
            markup=False,
        )
    console.print(f"CRM id → contact id: {ids or kept + 'ids.csv'}", highlight=False, soft_wrap=True, markup=False)


def _by_workflow(file: Path, *, mapping: Path, via: Via, again: bool, console: Console) -> tuple[Run, Report, str]:
    """The run, what came of it, and where it is kept."""
    if via is Via.CSV:
        raise CommandError("--remote works with --via enrich only: a CSV import keeps no function busy")
    files, prefix = run_remotely(file, mapping=mapping, console=console, again=again)
    run = Run(files, prefix)
    try:
        summary = Report.from_dict(json.loads(files.read(run.key("report.json"))))
    except FileNotFoundError:
        raise CommandError(f"the report of {file} is not kept any more; `--again` imports the file again") from None
    return run, summary, f"s3://{files.name}/{prefix}"


def default_directory(file: Path, mapping: Path) -> Path:
    """Below the user's state directory, one for each file, mapping and deployment, so that a run finds itself again."""
    deployment = [os.environ.get(name, "") for name in ("CONTACTS_TABLE", "GENESYS_URL", "GENESYS_HOST")]
    name = hashlib.sha256("\0".join([str(file.absolute()), str(mapping.absolute()), *deployment]).encode())
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "cir" / "imports" / name.hexdigest()[:16]


def run_import(
    file: Path,
    *,
    mapping: Path | None = None,
    via: Via = Via.ENRICH,
    directory: Path | None = None,
    workers: int = WORKERS,
    console: Console,
    on_row: Callable[[Imported], None] = lambda _: None,
) -> Report:
    """Import a file into the deployment that this process's variables name, with a progress bar.

    What `directory` holds of the same run is not done again.
    """
    started = time.monotonic()
    mapping = mapping or deployed_mapping_file()
    crm = load_mapping(mapping)
    client = open_genesys("bulk", report=False, on_wait=say_waits(console))
    region = default_region()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise CommandError(f"DEFAULT_REGION {region!r} is no country; set it to an ISO 3166 code such as GB")
    lines = read_file(file, crm, default_region=region)
    with ExitStack() as stack:
        root = directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cir-import-")))
        run = Run(Directory(root))
        first = next(lines, None)  # a file that is no export is said to be before anything else is done
        sync = Sync(client=client, store=open_store(), organization=prepare(client, crm), mapping=crm)
        # Another organization or index, even at the same address, has nothing of what was done.
        deployment = json.dumps([asdict(sync.organization), os.environ.get("CONTACTS_TABLE")])
        origin = origin_of(file, mapping.read_text(encoding="utf-8"), region, via, deployment)
        with progress(console) as bar:
            reading = bar.begin("reading")
            everything = chain([first], lines) if first else iter(())
            manifest = split(run, reading.counting(everything), sync.organization, origin=origin)
            if via is Via.CSV:
                try:
                    import_by_csv(run, sync, workers=workers, progress=bar)
                except CsvImportError as error:
                    raise CommandError(str(error)) from error
            else:
                importing = bar.begin("importing", total=manifest.rows, done=_rows_done(run, manifest))

                def row_done(row: Imported) -> None:
                    on_row(row)
                    importing.advance()

                load_all(run, sync, workers=workers, on_row=row_done)
        total = report(run, seconds=time.monotonic() - started)
        clear(run)
        return total


def _rows_done(run: Run, manifest: Manifest) -> int:
    """Every batch but the last is full."""
    done = run.done()
    full = sum(run.result_of(batch) in done for batch in manifest.batches)
    return min(full * BATCH_ROWS, manifest.rows)


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
    for title, reasons in (("Refused rows", report.refused), ("Values left out, or without effect", report.left_out)):
        if not reasons:
            continue
        table = Table("column", "reason", title=title, title_justify="left")
        table.add_column("number", justify="right")
        for (column, reason), number in reasons.most_common(_SHOWN_REASONS):
            table.add_row(escape(column), escape(reason), f"{number:,}")
        if len(reasons) > _SHOWN_REASONS:
            table.caption = f"and {len(reasons) - _SHOWN_REASONS} more kinds; --report lists every row"
        yield table
