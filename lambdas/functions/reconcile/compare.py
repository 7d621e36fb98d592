"""The plan of the reconciliation: what differs becomes batches, unless the CRM's rows do not look right."""

from collections.abc import Mapping
from typing import Any

from cir import connect
from cir.contacts.organization import prepare
from cir.crm.mapping import CrmMapping, deployed_mapping
from cir.genesys.client import GenesysClient
from cir.index.store import IdentityStore
from cir.reconcile.steps import Contacts, make_plan
from cir.runtime import log
from cir.settings import default_region
from cir.sync.customers import Sync
from functions import Handler, opened
from functions.reconcile.run import Nights, open_contacts


def make_handler(
    nights: Nights,
    client: GenesysClient,
    store: IdentityStore,
    contacts: Contacts,
    mapping: CrmMapping,
    *,
    default_region: str,
) -> Handler:
    """The function, over its parts; `default_region` is the one that national phone numbers are read as."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        """`{"run": name, "force": false, "dryRun": false}` → whether the plan stands, and what there is to load."""
        night = nights.of(event)
        plan = make_plan(
            night,
            contacts,
            Sync(client=client, store=store, organization=prepare(client, mapping), mapping=mapping),
            default_region=default_region,
            force=bool(event.get("force")),
            dry_run=bool(event.get("dryRun")),
        )
        answer = {"stands": plan.stands, "load": plan.loads, "changed": plan.written, "stopped": plan.stopped}
        log.write({"event": "reconciliation plan", "run": night.name, "rows": plan.rows, **answer})
        return {
            "run": night.name,
            **answer,
            "importRun": night.repairs.name,
            "batches": night.repairs.key("batches.json"),
        }

    return handler


def _open() -> Handler:
    return make_handler(
        Nights.open(),
        connect.open_genesys("bulk"),
        connect.open_store(),
        open_contacts(),
        deployed_mapping(),
        default_region=default_region(),
    )


handler = opened(_open)
