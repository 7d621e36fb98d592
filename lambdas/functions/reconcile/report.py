"""Last step of the reconciliation: the sum, for machines and people."""

from collections.abc import Mapping
from typing import Any

from cir.crm.mapping import deployed_mapping
from cir.reconcile.report import report
from functions.reconcile.run import open_night


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """`{"run": name}` → how it ended (`stopped` is for a person to look at) and where the report is.

    Raises IncompleteRunError if a batch of repairs is missing.
    """
    night = open_night(event)
    result = report(night, deployed_mapping().source)
    return {
        "run": night.name,
        "outcome": result.outcome,
        "addsUp": result.adds_up,
        "stopped": result.plan.stopped,
        "report": night.key("report.json"),
        "page": night.key("report.html"),
    }
