"""Last step of the reconciliation: the sum, for machines and people."""

from collections.abc import Mapping
from typing import Any

from cir.crm.mapping import deployed_mapping
from cir.reconcile.report import report
from functions import Handler, opened
from functions.reconcile.run import Nights


def make_handler(nights: Nights, source: str) -> Handler:
    """The function, over its parts; `source` names the CRM."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        """`{"run": name}` → how it ended (`stopped` is for a person to look at) and where the report is.

        Raises IncompleteRunError if a batch of repairs is missing.
        """
        night = nights.of(event)
        result = report(night, source)
        return {
            "run": night.name,
            "outcome": result.outcome,
            "addsUp": result.adds_up,
            "stopped": result.plan.stopped,
            "report": night.key("report.json"),
            "page": night.key("report.html"),
        }

    return handler


handler = opened(lambda: make_handler(Nights.open(), deployed_mapping().source))
