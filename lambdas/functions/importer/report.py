"""Last step of the import workflow: what became of each row, the ids, and the sum."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cir import connect
from cir.aws.files import Files
from cir.imports.run import Run, report, run_name
from cir.runtime import log
from cir.runtime.metrics import embedded
from cir.settings import required
from cir.sync.customers import Change
from functions import Handler, opened


def make_handler(files: Files, *, environment: str) -> Handler:
    """The function, over its parts; `environment` is the name that its metrics carry."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        """`{"run": name, "started": time}` → the sum, and where the files are.

        Raises IncompleteRunError if a batch is missing.
        """
        run = Run.named(files, run_name(event.get("run")))
        started = datetime.fromisoformat(event["started"])
        total = report(run, seconds=(datetime.now(UTC) - started).total_seconds())
        metrics = {f"Import{change.title()}": (total.changes[change], "Count") for change in Change}
        dimensions = {"Environment": environment}
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

    return handler


handler = opened(lambda: make_handler(connect.open_files(), environment=required(os.environ, "CIR_ENVIRONMENT")))
