"""What becomes of customers that the CRM has no more, by the mapping's policy."""

from collections.abc import Mapping
from typing import Any

from cir import connect
from cir.contacts.organization import prepare
from cir.crm.connector import Connector
from cir.crm.mapping import CrmMapping, deployed_mapping
from cir.genesys.client import GenesysClient
from cir.index.store import IdentityStore
from cir.reconcile.gone import follow_gone
from cir.runtime import log
from cir.sync.deletion import Deletion
from functions import Handler, opened
from functions.reconcile.run import Nights


def make_handler(
    nights: Nights, client: GenesysClient, store: IdentityStore, crm: Connector, mapping: CrmMapping
) -> Handler:
    """The function, over its parts."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        """`{"run": name}` → how many contacts were deleted, kept, or only lost the id."""
        night = nights.of(event)
        deletion = Deletion(client, store, prepare(client, mapping), mapping.on_delete)
        fates = follow_gone(night, store, deletion, mapping.source, crm.fetch)
        told = {str(fate): number for fate, number in fates.items()}
        log.write({"event": "reconciliation deletions", "run": night.name, **told})
        return {"run": night.name, **told}

    return handler


def _open() -> Handler:
    mapping = deployed_mapping()
    client, store = connect.open_genesys("bulk"), connect.open_store()
    return make_handler(Nights.open(), client, store, connect.open_crm(mapping), mapping)


handler = opened(_open)
