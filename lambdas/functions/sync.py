"""Takes what CRMs have changed from the queue (SQS FIFO, with ReportBatchItemFailures) to Genesys and the index."""

import os
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3

from cir.connect import open_genesys, open_store
from cir.contacts.organization import prepare
from cir.crm.connectors import open_connector
from cir.crm.mapping import deployed_mapping
from cir.runtime import log
from cir.runtime.metrics import embedded
from cir.settings import default_region, required
from cir.sync.customers import Sync
from cir.sync.deletion import Deletion
from cir.webhooks.apply import Applied, Applier, Failure
from cir.webhooks.change import Change, InvalidMessageError

DOUBTED_RECEIVES = 1
"""So often a change is handed back when the CRM shows something else than it has said."""
REFUSED_RECEIVES = 3
"""So often a refused record is tried before it is set aside with its reason. Outages are left to the redrive policy."""

_mapping = deployed_mapping()
_connector = open_connector(os.environ, _mapping)
_client = open_genesys()
_store = open_store()
_sqs = boto3.Session().client("sqs")
_undelivered_url = required(os.environ, "UNDELIVERED_QUEUE_URL")


@cache
def _applier() -> Applier:
    """Made at the first event: Genesys is asked for what the organization has."""
    organization = prepare(_client, _mapping)
    return Applier(
        fetch=_connector.fetch,
        sync=Sync(_client, _store, organization, _mapping),
        deletion=Deletion(_client, _store, organization, _mapping.on_delete),
        mapping=_mapping,
        default_region=default_region(),
    )


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Apply a batch. Those that failed are handed back, and with one of a record all later ones of it."""
    messages = [(message, _read(message)) for message in event["Records"]]
    results = _apply([(message, read) for message, read in messages if isinstance(read, Change)])
    failed_groups: set[str] = set()
    failed: list[dict[str, str]] = []
    for message, read in messages:
        group = message["attributes"]["MessageGroupId"]
        result = results[read] if isinstance(read, Change) else Applied(failure=Failure.POISON, reason=read)
        if group in failed_groups or not _settle(message, read if isinstance(read, Change) else None, result):
            failed_groups.add(group)
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}


def _read(message: Mapping[str, Any]) -> Change | str:
    """The change, or why there is none in the message."""
    try:
        return Change.from_message(message["body"])
    except InvalidMessageError as error:
        return str(error)


def _apply(messages: list[tuple[Mapping[str, Any], Change]]) -> dict[Change, Applied]:
    if not messages:
        return {}
    doubted = {change for message, change in messages if _receives(message) <= DOUBTED_RECEIVES}
    try:
        return _applier().apply([change for _, change in messages], doubted=doubted)
    except Exception as error:
        # whatever it is, the queue has the changes
        log.write_failure("sync failed", error)
        return {change: Applied(failure=Failure.OUTAGE, reason=type(error).__name__) for _, change in messages}


def _settle(message: Mapping[str, Any], change: Change | None, result: Applied) -> bool:
    """Whether the message is done with: applied, or set aside with its reason."""
    line = {
        "event": "sync",
        "source": change.source if change else "",
        "crmId": change.id if change else "",
        "eventId": change.event_id if change else "",
        "messageId": message["messageId"],
    }
    if result.failure is None:
        lag = max(0.0, time.time() - change.received_at) * 1000 if change else 0.0
        _report({**line, "contactId": result.contact_id, "became": result.became}, SyncLag=(lag, "Milliseconds"))
        return True
    line |= {"failure": result.failure, "reason": result.reason, "receives": _receives(message)}
    gone = result.failure is Failure.POISON or (
        result.failure is Failure.REFUSED and _receives(message) >= REFUSED_RECEIVES
    )
    if gone and not _set_aside(message, result):
        gone = False
    _report(
        {**line, "level": "error" if gone or result.failure is Failure.OUTAGE else "warning", "setAside": gone},
        SyncSetAside=(float(gone), "Count"),
        SyncHandedBack=(float(not gone), "Count"),
    )
    return gone


def _set_aside(message: Mapping[str, Any], result: Applied) -> bool:
    """Put the message into the dead-letter queue, where redriving would put it without a reason."""
    try:
        _sqs.send_message(
            QueueUrl=_undelivered_url,
            MessageBody=message["body"],
            MessageGroupId=message["attributes"]["MessageGroupId"],
            # not the event's: it may come here again after a replay
            MessageDeduplicationId=message["messageId"],
            MessageAttributes={
                "failure": {"DataType": "String", "StringValue": str(result.failure)},
                "reason": {"DataType": "String", "StringValue": result.reason or "unknown"},
            },
        )
    except Exception as error:
        # handed back, it is tried again
        log.write_failure("not set aside", error, messageId=message["messageId"])
        return False
    return True


def _receives(message: Mapping[str, Any]) -> int:
    return int(message["attributes"]["ApproximateReceiveCount"])


def _report(line: Mapping[str, Any], **metrics: tuple[float, str]) -> None:
    dimensions = {"Environment": os.environ.get("CIR_ENVIRONMENT", "")}
    log.write({**line, **embedded(metrics, dimensions=dimensions, by=(("Environment",),))})
