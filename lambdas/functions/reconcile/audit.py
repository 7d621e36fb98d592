"""The audit of Genesys Cloud itself, called until it is done: an export takes its time, a scan more than one call."""

from collections.abc import Mapping
from typing import Any

from cir import connect
from cir.contacts.organization import prepare
from cir.crm.mapping import CrmMapping, deployed_mapping
from cir.genesys.client import GenesysClient
from cir.index.store import IdentityStore
from cir.reconcile.audit import Auditor
from cir.reconcile.held import Index
from cir.reconcile.steps import Contacts
from cir.runtime import log
from cir.runtime.deadline import seconds_left
from functions import Handler, opened
from functions.reconcile.run import Nights, open_contacts

ENDS_EARLY_SECONDS = 120.0
"""Before the function's time is over: a part of a scan takes up to a minute."""


def make_handler(
    nights: Nights, client: GenesysClient, store: IdentityStore, contacts: Contacts, mapping: CrmMapping
) -> Handler:
    """The function, over its parts."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """`{"run": name}` → `{"ready": false}` while it is to be called again, else what was found."""
        night = nights.of(event)
        auditor = Auditor(client, store, prepare(client, mapping), mapping)
        if not auditor.is_ready(night):
            return {"run": night.name, "ready": False}
        audit = auditor.run(
            night,
            Index.of(contacts(), source=mapping.source, since=""),
            stopped=lambda: seconds_left(context, at_most=3600) < ENDS_EARLY_SECONDS,
        )
        if audit is None:
            return {"run": night.name, "ready": False}
        found = {"contacts": audit.contacts, "repaired": len(audit.dirty), "deleted": audit.deleted}
        log.write({"event": "reconciliation audit", "run": night.name, "by": audit.by, **found})
        return {"run": night.name, "ready": True, **found}

    return handler


handler = opened(
    lambda: make_handler(
        Nights.open(), connect.open_genesys("bulk"), connect.open_store(), open_contacts(), deployed_mapping()
    )
)
