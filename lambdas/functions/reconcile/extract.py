"""First step of the reconciliation: what the CRM holds, as files."""

from collections.abc import Mapping
from typing import Any

from cir import connect
from cir.crm.connector import Connector
from cir.crm.mapping import CrmMapping, deployed_mapping
from cir.reconcile.extract import extract
from cir.runtime import log
from functions import Handler, opened
from functions.reconcile.run import Nights


def make_handler(nights: Nights, crm: Connector, mapping: CrmMapping) -> Handler:
    """The function, over its parts."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        """`{"run": name}` → how many rows there are. Called again it does nothing, or begins anew what died."""
        night = nights.of(event)
        result = extract(night, crm, mapping)
        counts = {"rows": result.rows, "deleted": result.deleted}
        log.write({"event": "reconciliation extract", "run": night.name, **counts})
        return {"run": night.name, "rows": result.rows}

    return handler


def _open() -> Handler:
    mapping = deployed_mapping()
    return make_handler(Nights.open(), connect.open_crm(mapping), mapping)


handler = opened(_open)
