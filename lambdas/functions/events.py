"""Genesys Cloud's contact events, from its partner bus in EventBridge: directly, or through a queue in front.

A queue with a delay keeps the events of what `cir` writes itself behind the write to the index that follows it.
"""

import json
from collections.abc import Mapping
from typing import Any

from cir import connect
from cir.aws.dynamodb import DynamoDBError
from cir.contacts.organization import ExternalSources
from cir.crm.mapping import deployed_mapping
from cir.follow.events import CHANGED, TOPICS, Events, is_echo
from cir.genesys.errors import GenesysError
from cir.identity.records import Contact
from cir.index.again import OutdatedError
from cir.index.store import IdentityStore
from cir.runtime import log
from functions import Handler, opened


def make_handler(events: Events, store: IdentityStore) -> Handler:
    """The function, over its parts."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        """Follow one event, or a batch of the queue, of which those that failed are handed back."""
        if "Records" not in event:
            _follow(events, event, {})
            return {}
        messages = {record["messageId"]: json.loads(record["body"]) for record in event["Records"]}
        known = store.contacts({_contact_id(each) for each in messages.values()} - {""}, consistent=True)
        failed = []
        for message_id, message in messages.items():
            try:
                _follow(events, message, known)
            except (GenesysError, DynamoDBError, OutdatedError) as error:
                log.write_failure("event failed", error)
                failed.append({"itemIdentifier": message_id})
        return {"batchItemFailures": failed}

    return handler


def _open() -> Handler:
    client, store = connect.open_genesys(), connect.open_store()
    return make_handler(Events(client, store, ExternalSources(client), deployed_mapping()), store)


handler = opened(_open)


def _follow(events: Events, event: Mapping[str, Any], known: Mapping[str, Contact]) -> None:
    topic, detail = event.get("detail-type"), event.get("detail") or {}
    contact_id = _contact_id(event)
    if not contact_id or topic not in TOPICS:
        log.write({"event": "unknown event", "level": "warning", "topic": topic})
        return
    modified = str(detail["eventBody"].get("modifyDate") or "")
    if topic == CHANGED and is_echo(known.get(contact_id), modified=modified, told=str(detail.get("timestamp") or "")):
        return
    log.write({"event": "contact event", "contactId": contact_id, "became": events.follow(contact_id)})


def _contact_id(event: Mapping[str, Any]) -> str:
    body = (event.get("detail") or {}).get("eventBody") or {}
    found = body.get("id") if isinstance(body, Mapping) else None
    return found if isinstance(found, str) else ""
