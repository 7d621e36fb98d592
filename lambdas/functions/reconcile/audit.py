"""The audit of Genesys Cloud itself, called until it is done: an export takes its time, a scan more than one call."""

from collections.abc import Mapping
from typing import Any

from cir.connect import open_genesys, open_store
from cir.contacts.organization import prepare
from cir.crm.mapping import deployed_mapping
from cir.reconcile.audit import Auditor
from cir.runtime import log
from cir.runtime.deadline import seconds_left
from functions.reconcile.run import open_night, read_index

ENDS_EARLY_SECONDS = 120.0
"""Before the function's time is over: a part of a scan takes up to a minute."""

_client = open_genesys("bulk")
_store = open_store()


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """`{"run": name}` → `{"ready": false}` while it is to be called again, else what was found."""
    night, mapping = open_night(event), deployed_mapping()
    auditor = Auditor(_client, _store, prepare(_client, mapping), mapping)
    if not auditor.is_ready(night):
        return {"run": night.name, "ready": False}
    audit = auditor.run(
        night, read_index(mapping), stopped=lambda: seconds_left(context, at_most=3600) < ENDS_EARLY_SECONDS
    )
    if audit is None:
        return {"run": night.name, "ready": False}
    found = {"contacts": audit.contacts, "repaired": len(audit.dirty), "deleted": audit.deleted}
    log.write({"event": "reconciliation audit", "run": night.name, "by": audit.by, **found})
    return {"run": night.name, "ready": True, **found}
