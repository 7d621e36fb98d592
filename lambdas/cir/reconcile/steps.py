"""The steps of a night in their order, for whoever does them all: an operator, or a test.

In AWS a state machine calls them one by one, each as a function with the rights of that step alone; a test holds its
order to the one here. Each step reads what earlier ones have left in the night's files and is done once, so that a
night that has died goes on where it was.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

from cir.aws.files import Files
from cir.crm.connector import Connector
from cir.imports.loading import WORKERS
from cir.imports.run import load_all
from cir.reconcile.audit import Audit, Auditor
from cir.reconcile.compare import Plan, compare
from cir.reconcile.extract import Extract, extract
from cir.reconcile.gone import follow_gone
from cir.reconcile.held import Index
from cir.reconcile.report import report
from cir.reconcile.result import Reconciled
from cir.reconcile.run import Night, State
from cir.sync.customers import Sync
from cir.sync.deletion import Deletion

UNDER_WAY = "reconcile#operator"
"""In the state table: the night that an operator has begun and that has not ended."""
EXPORT_SECONDS = 5.0
"""Between two looks at an export of Genesys."""

type Contacts = Callable[[], Iterable[Mapping[str, Any]]]
"""Reads all items of the contacts table, as DynamoDB sends them."""


class Step(StrEnum):
    """What is done in a night, in this order."""

    EXTRACT = "extract"
    """The CRM's rows as files."""
    AUDIT = "audit"
    """Genesys Cloud itself against the index; weekly, or on demand."""
    COMPARE = "compare"
    """The rows against the index: what is to be repaired, and whether the rows can be trusted at all."""
    LOAD = "load"
    """The batches of what differs, ten to a request; done by `cir.imports.run`."""
    GONE = "gone"
    """What the mapping's policy says of customers that the CRM has no more."""
    REPORT = "report"
    """What became of it, as JSON and as a page."""


class Stage(Protocol):
    """How far a step is."""

    def advance(self, by: int = 1, /) -> None: ...
    def reach(self, number: int, /) -> None: ...
    def counting[T](self, items: Iterable[T], /) -> Iterator[T]:
        """The same items, each of which is one further."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a night works with."""

    crm: Connector
    sync: Sync
    contacts: Contacts
    default_region: str
    """Region (ISO 3166 alpha-2) that national phone numbers are read as."""
    workers: int = WORKERS
    """Requests to Genesys under way at once."""
    sleep: Callable[[float], None] = time.sleep


def run(
    night: Night,
    parts: Parts,
    begin: Callable[[Step, int | None], Stage],
    *,
    audit: bool = False,
    force: bool = False,
    dry_run: bool = False,
    publish: bool = True,
) -> Reconciled:
    """Do what is left of a night. `begin` is told of each step, and of how many there are to do where that is known.

    `publish`: write its metrics to the log. Raises what the steps raise; called again, it goes on.
    """
    sync, source = parts.sync, parts.sync.mapping.source
    if Reconciled.read(night):
        return report(night, source, publish=publish)
    extract(night, parts.crm, sync.mapping, on_rows=begin(Step.EXTRACT, None).reach)
    if audit:
        _audit(night, parts, begin(Step.AUDIT, None))
    stage = begin(Step.COMPARE, None)
    plan = make_plan(
        night,
        lambda: stage.counting(parts.contacts()),
        sync,
        default_region=parts.default_region,
        force=force,
        dry_run=dry_run,
    )
    if plan.loads:
        loading = begin(Step.LOAD, plan.repairs)
        load_all(night.repairs, sync, workers=parts.workers, on_row=lambda _: loading.advance())
    if plan.stands:
        begin(Step.GONE, None)
        deletion = Deletion(sync.client, sync.store, sync.organization, sync.mapping.on_delete)
        follow_gone(night, sync.store, deletion, source, parts.crm.fetch)
    begin(Step.REPORT, None)
    return report(night, source, publish=publish)


def make_plan(
    night: Night, contacts: Contacts, sync: Sync, *, default_region: str, force: bool = False, dry_run: bool = False
) -> Plan:
    """The step `compare`, over what `extract` and `audit` have left. Raises ValueError if there is no extract."""
    extracted = Extract.read(night)
    if extracted is None:
        raise ValueError(f"the run {night.name} has no complete extract: run the extract step first")
    audit = Audit.read(night)
    return compare(
        night,
        extracted,
        Index.of(contacts(), source=sync.mapping.source, since=extracted.started),
        sync,
        default_region=default_region,
        dirty=audit.dirty if audit else (),
        force=force,
        dry_run=dry_run,
    )


def _audit(night: Night, parts: Parts, stage: Stage) -> None:
    sync = parts.sync
    auditor = Auditor(sync.client, sync.store, sync.organization, sync.mapping)
    while not auditor.is_ready(night):
        parts.sleep(EXPORT_SECONDS)
    done = None
    while done is None:  # the cursor of a scan may have expired: from the beginning
        index = Index.of(stage.counting(parts.contacts()), source=sync.mapping.source, since="")
        done = auditor.run(night, index)


@contextmanager
def by_operator(files: Files, state: State, source: str, **flags: bool) -> Iterator[Night]:
    """The night that the same command has begun today and not finished, else a new one.

    It has ended when the block has come to its end.
    """
    known = state.get(UNDER_WAY)
    now = datetime.now(UTC)
    same = known.get("flags") == flags and known.get("source") == source
    if same and known["name"].startswith(f"{now:%Y-%m-%d}"):
        name = str(known["name"])
    else:
        name = f"{now:%Y-%m-%dT%H%M%S.%f}"
        state.put(UNDER_WAY, {"name": name, "source": source, "flags": flags})
    yield Night(name, files, state)
    state.put(UNDER_WAY, {})
