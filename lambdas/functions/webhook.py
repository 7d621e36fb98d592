"""`POST /webhooks/{source}`: takes the CRM's word that records have changed, once the queue has it.

Events are those of an API Gateway HTTP API, payload format 2.0.
"""

import base64
import binascii
import os
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from cir import connect
from cir.aws.secrets import Secret
from cir.runtime import log
from cir.runtime.metrics import embedded
from cir.settings import required
from cir.webhooks.change import Change, is_token
from cir.webhooks.keys import Keyring
from cir.webhooks.kinds import receive
from cir.webhooks.queue import enqueue
from cir.webhooks.request import WebhookRefusedError, WebhookRequest
from functions import Handler, opened

LARGEST_BODY = 1_000_000
"""Bytes; one of 1 MB is too large. Salesforce's largest, of 100 notifications, has a tenth of that."""

type Take = Callable[[Sequence[Change]], None]
"""Makes changes durable, or raises."""


def make_handler(keyring: Keyring, take: Take, *, environment: str) -> Handler:
    """The function, over its parts; `environment` is the name that its metrics carry."""

    def report(source: str, status: int, **facts: Any) -> None:
        _report(environment, source, status, **facts)

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        """Acknowledge a request when the queue has taken all its changes; 503 asks the CRM to call again."""
        source = str((event.get("pathParameters") or {}).get("source") or "")
        try:
            if not is_token(source):
                raise WebhookRefusedError(404, "no such source")
            keys = keyring.of(source)
            if keys is None:
                raise WebhookRefusedError(404, "no such source")
            kind, changes = receive(_request(event, source), keys, now=time.time())
            take(changes)
        except WebhookRefusedError as error:
            known = source if error.status != HTTPStatus.NOT_FOUND else ""
            report(known, error.status, reason=str(error))
            return _answer(error.status)
        except Exception as error:
            # whatever it is, nothing is acknowledged that is not in the queue
            log.write_failure("webhook failed", error, source=source if is_token(source) else "")
            report("", 503)
            return _answer(503, headers={"retry-after": "30"})
        report(source, 200, kind=kind.name, changes=len(changes))
        return _answer(200, kind.answer, {"content-type": kind.content_type})

    return handler


def _open() -> Handler:
    # Every CRM gives up waiting at some time and calls again: better to be told soon that AWS does not answer.
    sqs = connect.open_client("sqs", connect_seconds=2, read_seconds=5, attempts=2)
    queue_url = required(os.environ, "CHANGES_QUEUE_URL")
    secret = Secret("WEBHOOK_SECRET_ARN", required(os.environ, "WEBHOOK_SECRET_ARN"))
    keyring = Keyring(secret.text, on_failure=lambda error: log.write_failure("webhook keys not renewed", error))
    return make_handler(
        keyring,
        lambda changes: enqueue(sqs, queue_url, changes),
        environment=required(os.environ, "CIR_ENVIRONMENT"),
    )


handler = opened(_open)


def _request(event: Mapping[str, Any], source: str) -> WebhookRequest:
    return WebhookRequest(
        source=source,
        body=_body(event),
        headers={str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()},
        query=event.get("queryStringParameters") or {},
    )


def _body(event: Mapping[str, Any]) -> bytes:
    """The raw bytes. Raises WebhookRefusedError before anything of them is read."""
    text, encoded = event.get("body") or "", bool(event.get("isBase64Encoded"))
    try:
        body = base64.b64decode(text, validate=True) if encoded else text.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise WebhookRefusedError(400, "not UTF-8") from None
    if len(body) >= LARGEST_BODY:
        raise WebhookRefusedError(413, "too large")
    return body


def _report(environment: str, source: str, status: int, *, reason: str = "", kind: str = "", changes: int = 0) -> None:
    metrics = {
        "WebhookRequests": (1.0, "Count"),
        "WebhookChanges": (float(changes), "Count"),
        "WebhookRefused": (float(status in range(400, 500)), "Count"),
        "WebhookFailed": (float(status >= 500), "Count"),
    }
    log.write(
        {
            "event": "webhook",
            "source": source,
            "status": status,
            **({"kind": kind} if kind else {}),
            **({"level": "warning", "reason": reason} if reason else {}),
            **embedded(metrics, dimensions={"Environment": environment}, by=(("Environment",),)),
        }
    )


def _answer(status: int, body: str = "", headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": "text/plain", **(headers or {})}, "body": body}
