"""Genesys Cloud's contact events, from its partner bus in EventBridge: directly, or through a queue in front.

A queue with a delay keeps the events of what `cir` writes itself behind the write to the index that follows it.
"""

import json
from collections.abc import Mapping
from typing import Any

from cir import log
from cir.bootstrap import ExternalSources
from cir.connect import open_genesys, open_store
from cir.dynamodb import DynamoDBError
from cir.genesys.errors import GenesysError
from cir.genesys_events import Events
from cir.store import OutdatedError

_client = open_genesys()
_events = Events(_client, open_store(), ExternalSources(_client))


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Follow one event, or a batch of the queue, of which those that failed are handed back."""
    if "Records" not in event:
        _follow(event)
        return {}
    failed = []
    for record in event["Records"]:
        try:
            _follow(json.loads(record["body"]))
        except (GenesysError, DynamoDBError, OutdatedError) as error:
            log.write_failure("event failed", error)
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _follow(event: Mapping[str, Any]) -> None:
    topic = event.get("detail-type")
    body = (event.get("detail") or {}).get("eventBody") or {}
    contact_id = body.get("id") if isinstance(body, Mapping) else None
    if not isinstance(contact_id, str) or not str(topic).startswith("v2.externalcontacts.contacts."):
        log.write({"event": "unknown event", "level": "warning", "topic": topic})
        return
    log.write({"event": "contact event", "contactId": contact_id, "became": _events.follow(contact_id)})
