"""What becomes of customers that the CRM has no more, by the mapping's policy."""

import os
from collections.abc import Mapping
from typing import Any

from cir.connect import open_genesys, open_store
from cir.contacts.organization import prepare
from cir.crm.connectors import open_connector
from cir.crm.mapping import deployed_mapping
from cir.reconcile.gone import follow_gone
from cir.runtime import log
from cir.sync.deletion import Deletion
from functions.reconcile.run import open_night

_client = open_genesys("bulk")
_store = open_store()


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """`{"run": name}` → how many contacts were deleted, kept, or only lost the id."""
    night, mapping = open_night(event), deployed_mapping()
    deletion = Deletion(_client, _store, prepare(_client, mapping), mapping.on_delete)
    fates = follow_gone(night, _store, deletion, mapping.source, open_connector(os.environ, mapping).fetch)
    told = {str(fate): number for fate, number in fates.items()}
    log.write({"event": "reconciliation deletions", "run": night.name, **told})
    return {"run": night.name, **told}
