"""Genesys Cloud's contact events, from its partner bus in EventBridge: directly, or through a queue in front.

A queue with a delay keeps the events of what `cir` writes itself behind the write to the index that follows it.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from cir import connect
from cir.contacts.organization import ExternalSources
from cir.crm.mapping import deployed_mapping
from cir.follow.events import CHANGED, TOPICS, Events, is_echo
from cir.identity.records import Contact
from cir.index.store import IdentityStore
from cir.runtime import log
from functions import Handler, opened

_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class OddEventError(Exception):
    """What has come is no event of a contact. The queue keeps it for somebody to look at."""


def make_handler(events: Events, store: IdentityStore) -> Handler:
    """The function, over its parts."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        """Follow one event, or a batch of the queue, of which those that failed are handed back."""
        if "Records" not in event:
            _follow(events, event, {})
            return {}
        messages = {record["messageId"]: _read(record["body"]) for record in event["Records"]}
        known = store.contacts({_contact_id(each) for each in messages.values() if each} - {""}, consistent=True)
        failed = []
        for message_id, message in messages.items():
            try:
                _follow(events, message, known)
            except Exception as error:
                # whatever it is, it is about this event, and the queue has it
                log.write_failure("event failed", error, messageId=message_id)
                failed.append({"itemIdentifier": message_id})
        return {"batchItemFailures": failed}

    return handler


def _open() -> Handler:
    client, store = connect.open_genesys(), connect.open_store()
    return make_handler(Events(client, store, ExternalSources(client), deployed_mapping()), store)


handler = opened(_open)


def _read(body: str) -> Mapping[str, Any] | None:
    """A message of the queue; None where it is no event."""
    try:
        event = json.loads(body)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _follow(events: Events, event: Mapping[str, Any] | None, known: Mapping[str, Contact]) -> None:
    """Raises OddEventError, and whatever `Events.follow` raises."""
    topic = event.get("detail-type") if event else None
    if event and topic not in TOPICS:
        log.write({"event": "unknown event", "level": "warning", "topic": topic})
        return
    contact_id = _contact_id(event) if event else ""
    if not event or not contact_id:
        raise OddEventError("an event that names no contact")
    modified, told = str(_body(event).get("modifyDate") or ""), str(event["detail"].get("timestamp") or "")
    if topic == CHANGED and is_echo(known.get(contact_id), modified=modified, told=told):
        return
    log.write({"event": "contact event", "contactId": contact_id, "became": events.follow(contact_id)})


def _contact_id(event: Mapping[str, Any]) -> str:
    """Empty where the event names no contact by an id of Genesys'."""
    found = _body(event).get("id")
    return found if isinstance(found, str) and _ID.fullmatch(found) else ""


def _body(event: Mapping[str, Any]) -> Mapping[str, Any]:
    detail = event.get("detail")
    body = detail.get("eventBody") if isinstance(detail, Mapping) else None
    return body if isinstance(body, Mapping) else {}
