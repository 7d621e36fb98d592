"""First step of the reconciliation: what the CRM holds, as files."""

import os
from collections.abc import Mapping
from typing import Any

from cir.crm.connectors import open_connector
from cir.crm.mapping import deployed_mapping
from cir.reconcile.extract import extract
from cir.runtime import log
from functions.reconcile.run import open_night


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """`{"run": name}` → how many rows there are. Called again it does nothing, or begins anew what died half-way."""
    night, mapping = open_night(event), deployed_mapping()
    result = extract(night, open_connector(os.environ, mapping), mapping)
    log.write({"event": "reconciliation extract", "run": night.name, "rows": result.rows, "deleted": result.deleted})
    return {"run": night.name, "rows": result.rows}
