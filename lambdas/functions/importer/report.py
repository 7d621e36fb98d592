"""Last step of the import workflow: what became of each row, the ids, and the sum."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cir.imports.run import report
from cir.runtime import log
from cir.runtime.metrics import embedded
from cir.sync.customers import Change
from functions.importer.run import open_run


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """`{"run": name, "started": time}` → the sum, and where the files are.

    Raises IncompleteRunError if a batch is missing.
    """
    run = open_run(event)
    started = datetime.fromisoformat(event["started"])
    total = report(run, seconds=(datetime.now(UTC) - started).total_seconds())
    metrics = {f"Import{change.title()}": (total.changes[change], "Count") for change in Change}
    dimensions = {"Environment": os.environ.get("CIR_ENVIRONMENT", "")}
    log.write(
        {
            "event": "import report",
            "run": event["run"],
            **embedded(metrics, dimensions=dimensions, by=(("Environment",),)),
        }
    )
    return {
        "run": event["run"],
        "report": run.key("report.json"),
        "rows": run.key("rows.csv"),
        "ids": run.key("ids.csv"),
        "total": {str(change): total.changes[change] for change in Change} | {"rows": total.rows},
    }
