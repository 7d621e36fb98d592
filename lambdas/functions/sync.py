"""Takes what CRMs have changed from the queue (SQS FIFO, with ReportBatchItemFailures) to Genesys and the index."""

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from cir import connect
from cir.contacts.organization import prepare
from cir.crm.mapping import deployed_mapping
from cir.runtime import log
from cir.runtime.metrics import embedded
from cir.settings import default_region, required
from cir.sync.customers import Sync
from cir.sync.deletion import Deletion
from cir.webhooks.apply import Applied, Applier, Failure
from cir.webhooks.change import Change, InvalidMessageError
from functions import Handler, opened

DOUBTED_RECEIVES = 1
"""So often a change is handed back when the CRM shows something else than it has said."""
REFUSED_RECEIVES = 3
"""So often a refused record is tried before it is set aside with its reason. Outages are left to the redrive policy."""

type Message = Mapping[str, Any]
"""As Lambda passes it."""
type SetAside = Callable[[Message, Applied], bool]
"""Puts a message where somebody looks at it; returns whether it is there."""


def make_handler(applier: Callable[[], Applier], set_aside: SetAside, *, environment: str) -> Handler:
    """The function, over its parts. `applier` is asked for when there is something to apply.

    `environment` is the name that the function's metrics carry.
    """

    def settled(message: Message, change: Change | None, result: Applied) -> bool:
        """Whether the message is done with: applied, or set aside with its reason."""
        gone = result.failure is not None and _is_hopeless(message, result) and set_aside(message, result)
        _report(environment, message, change, result, set_aside=gone)
        return gone or result.failure is None

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        """Apply a batch. Those that failed are handed back, and with one of a record all later ones of it."""
        messages = [(message, _read(message)) for message in event["Records"]]
        results = _apply(applier, [(message, read) for message, read in messages if isinstance(read, Change)])
        failed_groups: set[str] = set()
        failed: list[dict[str, str]] = []
        for message, read in messages:
            group = message["attributes"]["MessageGroupId"]
            change = read if isinstance(read, Change) else None
            result = results[read] if isinstance(read, Change) else Applied(failure=Failure.POISON, reason=read)
            if group in failed_groups or not settled(message, change, result):
                failed_groups.add(group)
                failed.append({"itemIdentifier": message["messageId"]})
        return {"batchItemFailures": failed}

    return handler


def setting_aside(sqs: Any, queue_url: str) -> SetAside:
    """Into the dead-letter queue, where redriving would put a message without a reason. `sqs` is boto3's client."""

    def set_aside(message: Message, result: Applied) -> bool:
        try:
            sqs.send_message(
                QueueUrl=queue_url,
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

    return set_aside


def _open() -> Handler:
    mapping = deployed_mapping()
    crm, client, store = connect.open_crm(mapping), connect.open_genesys(), connect.open_store()

    @cache
    def applier() -> Applier:
        """Made at the first event: Genesys is asked for what the organization has."""
        organization = prepare(client, mapping)
        return Applier(
            fetch=crm.fetch,
            sync=Sync(client, store, organization, mapping),
            deletion=Deletion(client, store, organization, mapping.on_delete),
            mapping=mapping,
            default_region=default_region(),
        )

    set_aside = setting_aside(connect.open_client("sqs"), required(os.environ, "UNDELIVERED_QUEUE_URL"))
    return make_handler(applier, set_aside, environment=required(os.environ, "CIR_ENVIRONMENT"))


handler = opened(_open)


def _read(message: Message) -> Change | str:
    """The change, or why there is none in the message."""
    try:
        return Change.from_message(message["body"])
    except InvalidMessageError as error:
        return str(error)


def _apply(applier: Callable[[], Applier], messages: list[tuple[Message, Change]]) -> dict[Change, Applied]:
    if not messages:
        return {}
    doubted = {change for message, change in messages if _receives(message) <= DOUBTED_RECEIVES}
    try:
        return applier().apply([change for _, change in messages], doubted=doubted)
    except Exception as error:
        # whatever it is, the queue has the changes
        log.write_failure("sync failed", error)
        return {change: Applied(failure=Failure.OUTAGE, reason=type(error).__name__) for _, change in messages}


def _is_hopeless(message: Message, result: Applied) -> bool:
    """Whether to receive it again would help nobody."""
    return result.failure is Failure.POISON or (
        result.failure is Failure.REFUSED and _receives(message) >= REFUSED_RECEIVES
    )


def _receives(message: Message) -> int:
    return int(message["attributes"]["ApproximateReceiveCount"])


def _report(environment: str, message: Message, change: Change | None, result: Applied, *, set_aside: bool) -> None:
    """One line for each message, with what is counted of it."""
    line = {
        "event": "sync",
        "source": change.source if change else "",
        "crmId": change.id if change else "",
        "eventId": change.event_id if change else "",
        "messageId": message["messageId"],
    }
    metrics: dict[str, tuple[float, str]]
    if result.failure is None:
        line |= {"contactId": result.contact_id, "became": result.became}
        lag = max(0.0, time.time() - change.received_at) * 1000 if change else 0.0
        metrics = {"SyncLag": (lag, "Milliseconds")}
    else:
        grave = set_aside or result.failure is Failure.OUTAGE
        line |= {"failure": result.failure, "reason": result.reason, "receives": _receives(message)}
        line |= {"level": "error" if grave else "warning", "setAside": set_aside}
        metrics = {"SyncSetAside": (float(set_aside), "Count"), "SyncHandedBack": (float(not set_aside), "Count")}
    log.write({**line, **embedded(metrics, dimensions={"Environment": environment}, by=(("Environment",),))})
