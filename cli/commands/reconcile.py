"""`cir reconcile`: the nightly reconciliation, step by step, from this machine."""

import hashlib
import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cir import connect
from cir.aws.files import Directory, Files
from cir.contacts.organization import prepare
from cir.crm.connector import Connector
from cir.crm.connectors.file import FileConnector
from cir.crm.mapping import CrmMapping, deployed_mapping, deployed_mapping_file, load_mapping
from cir.imports.loading import WORKERS
from cir.reconcile.held import scan
from cir.reconcile.result import STOPPED, Reconciled
from cir.reconcile.run import Night, State
from cir.reconcile.steps import Parts, Step, by_operator, run
from cir.settings import default_region, required
from cir.sync.customers import Sync
from cli.environment import enter_environment
from cli.failures import CommandError
from cli.progress import Steps, progress, say_waits

_STOPPED = 2
_WORDS = {
    Step.EXTRACT: "reading the CRM",
    Step.AUDIT: "auditing Genesys Cloud",
    Step.COMPARE: "comparing with the index",
    Step.LOAD: "repairing",
    Step.GONE: "following deletions",
    Step.REPORT: "adding up",
}


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
        result, night = _run(crm, _source(file, crm), bar, workers=workers, audit=audit, force=force, dry_run=dry_run)
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
        result, _ = _run(crm, _source(None, crm), bar)
    return result


def _run(
    mapping: CrmMapping,
    crm: Connector,
    bar: Steps,
    *,
    workers: int = WORKERS,
    audit: bool = False,
    force: bool = False,
    dry_run: bool = False,
) -> tuple[Reconciled, Night]:
    """In the deployment that this process's variables name."""
    try:
        state_table, contacts_table = required(os.environ, "STATE_TABLE"), required(os.environ, "CONTACTS_TABLE")
    except ValueError as error:
        raise CommandError(f"{error} (docs/deploy.md lists what belongs to a deployment)") from None
    dynamodb = connect.open_dynamodb()
    state = State(dynamodb, state_table)
    with by_operator(_files(), state, mapping.source, dry_run=dry_run, audit=audit, force=force) as night:
        client = connect.open_genesys("bulk", report=False, on_wait=say_waits(bar.bar.console))
        parts = Parts(
            crm=crm,
            sync=Sync(client, connect.open_store(), prepare(client, mapping), mapping),
            contacts=lambda: scan(dynamodb, contacts_table),
            default_region=default_region(),
            workers=workers,
        )
        result = run(
            night,
            parts,
            lambda step, total: bar.begin(_WORDS[step], total=total),
            audit=audit,
            force=force,
            dry_run=dry_run,
            publish=False,
        )
    return result, night


def _source(file: Path | None, mapping: CrmMapping) -> Connector:
    if file:
        return FileConnector(file, mapping)
    connector: Connector = connect.open_crm(mapping)
    return connector


def _files() -> Files:
    """The deployment's bucket, else a directory of this machine."""
    if os.environ.get("DATA_BUCKET"):
        return connect.open_files()
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
