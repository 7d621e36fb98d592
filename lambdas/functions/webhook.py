"""`POST /webhooks/{source}`: takes the CRM's word that records have changed, once the queue has it.

Events are those of an API Gateway HTTP API, payload format 2.0.
"""

import base64
import binascii
import os
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import boto3
from botocore.config import Config

from cir.runtime import log
from cir.runtime.metrics import embedded
from cir.settings import required
from cir.webhooks.change import is_token
from cir.webhooks.keys import Keyring, SourceKeys
from cir.webhooks.kinds import receive
from cir.webhooks.queue import enqueue
from cir.webhooks.request import RefusedError, WebhookRequest

LARGEST_BODY = 1_000_000
"""Bytes; one of 1 MB is too large. Salesforce's largest, of 100 notifications, has a tenth of that."""

# Every CRM gives up waiting at some time and calls again: better to be told soon that AWS does not answer.
_config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"})
_session = boto3.Session()
_sqs = _session.client("sqs", config=_config)
_secrets = _session.client("secretsmanager", config=_config)
_queue_url = required(os.environ, "CHANGES_QUEUE_URL")
_secret_arn = required(os.environ, "WEBHOOK_SECRET_ARN")


def _read_secret() -> str:
    return str(_secrets.get_secret_value(SecretId=_secret_arn)["SecretString"])


_keyring = Keyring(_read_secret, on_failure=lambda error: log.write_failure("webhook keys not renewed", error))


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Acknowledge a request when the queue has taken all its changes; 503 asks the CRM to call again."""
    source = str((event.get("pathParameters") or {}).get("source") or "")
    try:
        if not is_token(source):
            raise RefusedError(404, "no such source")
        keys = _keyring.of(source)
        if keys is None:
            raise RefusedError(404, "no such source")
        return _take(_request(event, source), keys)
    except RefusedError as error:
        known = source if error.status != HTTPStatus.NOT_FOUND else ""
        _report(known, error.status, reason=str(error))
        return _answer(error.status)
    except Exception as error:
        # whatever it is, nothing is acknowledged that is not in the queue
        log.write_failure("webhook failed", error, source=source if is_token(source) else "")
        _report("", 503)
        return _answer(503, headers={"retry-after": "30"})


def _take(request: WebhookRequest, keys: SourceKeys) -> dict[str, Any]:
    kind, changes = receive(request, keys, now=time.time())
    enqueue(_sqs, _queue_url, changes)
    _report(request.source, 200, kind=kind.name, changes=len(changes))
    return _answer(200, kind.answer, {"content-type": kind.content_type})


def _request(event: Mapping[str, Any], source: str) -> WebhookRequest:
    return WebhookRequest(
        source=source,
        body=_body(event),
        headers={str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()},
        query=event.get("queryStringParameters") or {},
    )


def _body(event: Mapping[str, Any]) -> bytes:
    """The raw bytes. Raises RefusedError before anything of them is read."""
    text, encoded = event.get("body") or "", bool(event.get("isBase64Encoded"))
    try:
        body = base64.b64decode(text, validate=True) if encoded else text.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise RefusedError(400, "not UTF-8") from None
    if len(body) >= LARGEST_BODY:
        raise RefusedError(413, "too large")
    return body


def _report(source: str, status: int, *, reason: str = "", kind: str = "", changes: int = 0) -> None:
    metrics = {
        "WebhookRequests": (1.0, "Count"),
        "WebhookChanges": (float(changes), "Count"),
        "WebhookRefused": (float(status in range(400, 500)), "Count"),
        "WebhookFailed": (float(status >= 500), "Count"),
    }
    dimensions = {"Environment": os.environ.get("CIR_ENVIRONMENT", "")}
    log.write(
        {
            "event": "webhook",
            "source": source,
            "status": status,
            **({"kind": kind} if kind else {}),
            **({"level": "warning", "reason": reason} if reason else {}),
            **embedded(metrics, dimensions=dimensions, by=(("Environment",),)),
        }
    )


def _answer(status: int, body: str = "", headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": "text/plain", **(headers or {})}, "body": body}
