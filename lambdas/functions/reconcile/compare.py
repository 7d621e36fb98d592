"""The plan of the reconciliation: what differs becomes batches, unless the CRM's rows do not look right."""

from collections.abc import Mapping
from typing import Any

from cir.connect import open_genesys, open_store
from cir.contacts.organization import prepare
from cir.crm.mapping import deployed_mapping
from cir.reconcile.audit import Audit
from cir.reconcile.compare import compare
from cir.reconcile.extract import Extract
from cir.runtime import log
from cir.settings import default_region
from cir.sync.customers import Sync
from functions.reconcile.run import open_night, read_index

_client = open_genesys("bulk")
_store = open_store()


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """`{"run": name, "force": false, "dryRun": false}` → whether the plan stands, and what there is to load."""
    night, mapping = open_night(event), deployed_mapping()
    extract = Extract.read(night)
    if extract is None:
        raise ValueError(f"the run {night.name} has no complete extract: run the extract step first")
    audit = Audit.read(night)
    plan = compare(
        night,
        extract,
        read_index(mapping, since=extract.started),
        Sync(client=_client, store=_store, organization=prepare(_client, mapping), mapping=mapping),
        default_region=default_region(),
        dirty=audit.dirty if audit else (),
        force=bool(event.get("force")),
        dry_run=bool(event.get("dryRun")),
    )
    answer = {
        "stands": plan.stands,
        "load": plan.stands and plan.repairs > 0,
        "changed": plan.written,
        "stopped": plan.stopped,
    }
    log.write({"event": "reconciliation plan", "run": night.name, "rows": plan.rows, **answer})
    return {
        "run": night.name,
        **answer,
        "importRun": night.repairs.name,
        "batches": night.repairs.key("batches.json"),
    }
