"""The stages of `cir import --via csv`, with their progress."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cir import connect
from cir.imports.genesys_csv import Adopting, export_contacts, import_files
from cir.imports.loading import Imported
from cir.imports.run import Run, load_all
from cir.sync.customers import Sync
from cli.failures import CommandError
from cli.progress import Steps

MAPPING = "EVENT_SOURCE_MAPPING"
POLL_SECONDS = 2.0
PAUSED_WITHIN_SECONDS = 120.0
"""A mapping takes some ten seconds to change."""


def import_by_csv(run: Run, sync: Sync, *, workers: int, progress: Steps) -> None:
    """Let Genesys Cloud import the files of a run, then build the index from an export."""
    source_id = sync.organization.source_ids[sync.mapping.source]
    manifest = run.manifest
    total = manifest.rows if manifest else 0
    with events_paused():
        importing = progress.begin("importing files", total=total)
        import_files(run, sync.client, sync.mapping, source_id=source_id, on_imported=importing.advance)
        progress.begin("exporting ids")
        exported = export_contacts(run, sync.client, sync.mapping, source_id=source_id)
        indexing = progress.begin("building the index", total=total)

        def row_done(_: Imported) -> None:
            indexing.advance()

        load_all(run, Adopting(sync, exported), workers=workers, on_row=row_done)


@contextmanager
def events_paused() -> Iterator[None]:
    """Let the events of a deployment wait until the index knows the contacts that they are about.

    Genesys tells of each contact that it imports. Told before the index has it, each would cost a request; afterwards
    it is recognised as nothing new. Nothing is done where EVENT_SOURCE_MAPPING does not name the mapping of their
    queue. A command that is killed leaves it paused, and run again ends that.
    """
    mapping = os.environ.get(MAPPING, "")
    if not mapping:
        yield
        return
    functions = connect.open_client("lambda")
    try:
        _enable(functions, mapping, enabled=False)
        yield
    finally:
        _enable(functions, mapping, enabled=True)


def _enable(functions: Any, mapping: str, *, enabled: bool) -> None:
    deadline = time.monotonic() + PAUSED_WITHIN_SECONDS
    while True:
        try:
            state = functions.update_event_source_mapping(UUID=mapping, Enabled=enabled)["State"]
            break
        except functions.exceptions.ResourceInUseException:  # it is changing at this moment
            _wait(deadline, mapping)
    while not enabled and state != "Disabled":
        _wait(deadline, mapping)
        state = functions.get_event_source_mapping(UUID=mapping)["State"]


def _wait(deadline: float, mapping: str) -> None:
    if time.monotonic() > deadline:
        raise CommandError(f"the mapping {mapping} of the events ({MAPPING}) does not change; look at it in Lambda")
    time.sleep(POLL_SECONDS)
