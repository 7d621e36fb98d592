"""`cir reconcile`: the nightly reconciliation, step by step, from this machine."""

import hashlib
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cir.aws.dynamodb import boto3_dynamodb
from cir.aws.files import Bucket, Directory, Files
from cir.connect import open_genesys, open_store
from cir.contacts.organization import prepare
from cir.crm.connector import Connector
from cir.crm.connectors.file import FileConnector
from cir.crm.mapping import CrmMapping, deployed_mapping, deployed_mapping_file, load_mapping
from cir.imports.loading import WORKERS
from cir.imports.run import load_all
from cir.reconcile.audit import Audit, Auditor
from cir.reconcile.compare import compare
from cir.reconcile.extract import extract
from cir.reconcile.gone import follow_gone
from cir.reconcile.held import Index, scan
from cir.reconcile.report import report
from cir.reconcile.result import STOPPED, Reconciled
from cir.reconcile.run import Night, State
from cir.settings import default_region, required
from cir.sync.customers import Sync
from cir.sync.deletion import Deletion
from cli.environment import enter_environment
from cli.failures import CommandError
from cli.progress import Steps, progress

UNDER_WAY = "reconcile#operator"
"""In the state table: the run that an operator has begun and that has not ended."""
EXPORT_SECONDS = 5.0
_STOPPED = 2


def reconcile(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan; write nothing.")] = False,
    audit: Annotated[bool, typer.Option("--audit", help="Look at Genesys Cloud itself as well.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write although the CRM's rows look wrong, after somebody has looked.")
    ] = False,
    file: Annotated[Path | None, typer.Option(help="A CSV export in the place of the CRM.")] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Which CRM field feeds what; the deployment's own if it is not given.")
    ] = None,
    page: Annotated[Path | None, typer.Option("--report", help="Write the report to this HTML page.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=32, help="Requests under way at once.")] = WORKERS,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Compare the CRM with what Genesys Cloud was given, and repair what differs. Run again, it goes on where it was.

    Ends with 2 if it has stopped because the CRM's rows do not look right.
    """
    environment = enter_environment()
    console = Console(stderr=as_json)
    if page and not page.parent.is_dir():
        raise CommandError(f"cannot write {page}: No such file or directory")
    crm = load_mapping(mapping or deployed_mapping_file())
    with progress(console) as bar:
        result, night = run(
            crm, _source(file, crm), audit=audit, force=force, dry_run=dry_run, workers=workers, progress=bar
        )
    if page:
        page.write_bytes(night.files.read(night.key("report.html")))
    if as_json:
        typer.echo(json.dumps(result.as_dict()))
    else:
        show(result, environment, console)
        if page:
            console.print(f"report: {page}", highlight=False, soft_wrap=True, markup=False)
    if result.outcome == STOPPED:
        raise typer.Exit(_STOPPED)


def reconcile_now(console: Console) -> Reconciled:
    """With the CRM, in the deployment that this process's variables name, as the night does it."""
    crm = deployed_mapping()
    with progress(console) as bar:
        result, _ = run(crm, _source(None, crm), audit=False, force=False, dry_run=False, workers=WORKERS, progress=bar)
    return result


def run(
    mapping: CrmMapping,
    source: Connector,
    *,
    audit: bool,
    force: bool,
    dry_run: bool,
    workers: int,
    progress: Steps,
) -> tuple[Reconciled, Night]:
    """All steps, in the deployment that this process's variables name."""
    try:
        state_table, contacts_table = required(os.environ, "STATE_TABLE"), required(os.environ, "CONTACTS_TABLE")
    except ValueError as error:
        raise CommandError(f"{error} (docs/deploy.md lists what belongs to a deployment)") from None
    dynamodb = boto3_dynamodb(boto3.Session().client("dynamodb"))
    state = State(dynamodb, state_table)
    night = Night(_name(state, mapping.source, dry_run=dry_run, audit=audit, force=force), _files(), state)
    if Reconciled.read(night):  # it had ended, but that was not noted
        state.put(UNDER_WAY, {})
        return report(night, mapping.source, publish=False), night
    client, store = open_genesys("bulk", report=False), open_store()
    sync = Sync(client=client, store=store, organization=prepare(client, mapping), mapping=mapping)

    def index(since: str = "") -> Index:
        step = progress.begin("reading the index")
        return Index.of(step.counting(scan(dynamodb, contacts_table)), source=mapping.source, since=since)

    reading = progress.begin("reading the CRM")
    extracted = extract(night, source, mapping, on_rows=reading.reach)
    found = _audit(Auditor(client, store, sync.organization, mapping), night, index) if audit else None
    plan = compare(
        night,
        extracted,
        index(extracted.started),
        sync,
        default_region=default_region(),
        dirty=found.dirty if found else (),
        force=force,
        dry_run=dry_run,
    )
    if plan.stands:
        repairing = progress.begin("repairing", total=plan.repairs)
        load_all(night.repairs, sync, workers=workers, on_row=lambda _: repairing.advance())
        follow_gone(
            night, store, Deletion(client, store, sync.organization, mapping.on_delete), mapping.source, source.fetch
        )
    result = report(night, mapping.source, publish=False)
    state.put(UNDER_WAY, {})
    return result, night


def _audit(auditor: Auditor, night: Night, index: Any) -> Audit:
    while not auditor.is_ready(night):
        time.sleep(EXPORT_SECONDS)
    while (audit := auditor.run(night, index())) is None:
        pass  # the scan's cursor has expired: from the beginning
    return audit


def _name(state: State, source: str, **flags: bool) -> str:
    """Of the run that the same command has begun today and not finished, else a new one."""
    known = state.get(UNDER_WAY)
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    if known.get("flags") == flags and known.get("source") == source and known["name"].startswith(day):
        return str(known["name"])
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%f")
    state.put(UNDER_WAY, {"name": name, "source": source, "flags": flags})
    return name


def _source(file: Path | None, mapping: CrmMapping) -> Connector:
    if file:
        return FileConnector(file, mapping)
    from cir.crm.connectors import open_connector  # noqa: PLC0415 - not needed with a file

    connector: Connector = open_connector(os.environ, mapping)
    return connector


def _files() -> Files:
    """The deployment's bucket, else a directory of this machine."""
    bucket = os.environ.get("DATA_BUCKET")
    if bucket:
        return Bucket(boto3.Session().client("s3"), bucket)
    deployment = hashlib.sha256(os.environ["CONTACTS_TABLE"].encode()).hexdigest()[:16]
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Directory(Path(home) / "cir" / "reconcile" / deployment)


def show(result: Reconciled, environment: str, console: Console) -> None:
    """For a terminal."""
    plan = result.plan
    console.print(f"Reconciliation of {result.source} with {environment}: {result.outcome}", highlight=False)
    table = Table("rows")
    table.add_column("number", justify="right")
    for name in ("unchanged", "changed", "new", "newer", "conflicts", "refused", "doubled", "deleted", "opted_out"):
        table.add_row(name, f"{getattr(plan, name):,}")
    table.add_section()
    table.add_row("all", f"{plan.rows:,}")
    table.add_row("gone from the CRM", f"{plan.gone:,}")
    console.print(table)
    foreign = result.audit.foreign.most_common() if result.audit else []
    if plan.drift or foreign:
        fields = Table("field", "who wins", title="What differed", title_justify="left")
        fields.add_column("customers", justify="right")
        for name, number in plan.drift.most_common():
            fields.add_row(escape(name), "CRM", f"{number:,}")
        for name, number in foreign:
            fields.add_row(escape(name), "left in Genesys Cloud", f"{number:,}")
        console.print(fields)
    if plan.postponed:
        console.print(
            f"[yellow]not repaired:[/] {len(plan.postponed):,} contacts that others were changing all the time; "
            "the next audit finds them: cir reconcile --audit",
            soft_wrap=True,
        )
    for reason in plan.stopped:
        console.print(f"[bold red]{'in spite of' if plan.forced else 'stopped'}:[/] {escape(reason)}", soft_wrap=True)
    if result.outcome == STOPPED:
        console.print("Nothing was written. If all is as it should be in the CRM: cir reconcile --force")
