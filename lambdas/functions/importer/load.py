"""Second step of the import workflow, once for each batch: to Genesys Cloud and the index."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from cir import connect
from cir.aws.files import Files
from cir.genesys.client import GenesysClient
from cir.imports.loading import Imported
from cir.imports.run import Run, load, run_name
from cir.index.store import IdentityStore
from cir.runtime import log
from cir.runtime.deadline import seconds_left
from cir.sync.customers import Change, Sync
from functions import Handler, opened
from functions.importer.run import read_mapping

ENDS_EARLY_SECONDS = 30.0
"""Before the function's time is over: a request that merges takes half of it."""


def make_handler(files: Files, client: GenesysClient, store: IdentityStore) -> Handler:
    """The function, over its parts."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """`{"run": name, "batch": key}`, with any prefix that batches lie under → how many rows became what.

        An exception (GenesysError, DynamoDBError, InterruptedRunError) means: load it again; what is done stays done.
        """
        run = Run.named(files, run_name(event.get("run")))
        sync = Sync(client=client, store=store, organization=run.organization, mapping=read_mapping(run))
        changes: Counter[Change] = Counter()

        def count(row: Imported) -> None:
            changes[row.change] += 1

        loaded = load(
            run,
            str(event["batch"]),
            sync,
            on_row=count,
            stopped=lambda: seconds_left(context, at_most=3600) < ENDS_EARLY_SECONDS,
        )
        counts = {str(change): changes[change] for change in Change}
        log.write({"event": "import batch", "run": event["run"], "batch": event["batch"], "rows": loaded, **counts})
        return {"rows": loaded, **counts}

    return handler


handler = opened(lambda: make_handler(connect.open_files(), connect.open_genesys("bulk"), connect.open_store()))
