"""The way of a change in the CRM: its word by HTTP, the function `webhook`, the queue, the function `sync`."""

import contextlib
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import requests

from cir.webhooks.keys import sign
from infra.catalog.functions import CHANGES_QUEUE, SYNC
from sandbox.aws.http_api import WebhookApi
from sandbox.aws.queues import QueueMapping
from sandbox.aws.services import Aws
from sandbox.crm.emulator import Emulator, running

type Invoke = Callable[[dict[str, Any]], Any]


class Changes:
    """For one emulated CRM. `prepare` it, start the functions with its `environment`, then `start`."""

    def __init__(self, crm: Emulator[Any], aws: Aws, *, environment_name: str) -> None:
        self._crm = crm
        self._aws = aws
        self._environment_name = environment_name
        self._key = secrets.token_hex(32)
        self.environment: dict[str, str] = {}
        """Of the two functions, and of whoever reads the CRM."""
        self._stack = contextlib.ExitStack()
        self._api: WebhookApi | None = None
        self._mapping: QueueMapping | None = None

    def prepare(self) -> None:
        """Start the CRM; make the queues, and the secret with the key by which it signs."""
        self._stack.enter_context(running(self._crm))
        name, sqs = self._environment_name, self._aws.client("sqs")
        undelivered = sqs.create_queue(QueueName=SYNC.undelivered(name), Attributes={"FifoQueue": "true"})["QueueUrl"]
        redrive = {"deadLetterTargetArn": self._arn(sqs, undelivered), "maxReceiveCount": str(CHANGES_QUEUE.receives)}
        queue = sqs.create_queue(
            QueueName=CHANGES_QUEUE.name(SYNC.in_aws(name)),
            Attributes={"FifoQueue": "true", "RedrivePolicy": json.dumps(redrive)},
        )["QueueUrl"]
        keys = {self._crm.source: {"signing": [self._key]}}
        secret = self._aws.client("secretsmanager").create_secret(
            Name=f"cir-{name}-webhook-keys", SecretString=json.dumps(keys)
        )
        settings = self._crm.settings
        self.environment = {
            "CHANGES_QUEUE_URL": queue,
            "UNDELIVERED_QUEUE_URL": undelivered,
            "WEBHOOK_SECRET_ARN": secret["ARN"],
            "CRM_MAPPING": self._crm.source,
            "CRM_URL": self._crm.url,
            "CRM_CLIENT_ID": settings.client_id,
            "CRM_CLIENT_SECRET": settings.client_secret,
            "CRM_TENANT_ID": "tenant",
            "CRM_LOGIN_URL": self._crm.url,
        }

    def start(self, *, webhook: Invoke, sync: Invoke) -> None:
        """Listen for the CRM, and hand on what the queue holds."""
        sqs, queue = self._aws.client("sqs"), self.environment["CHANGES_QUEUE_URL"]
        self._mapping = QueueMapping(
            sqs,
            queue_url=queue,
            queue_arn=self._arn(sqs, queue),
            invoke=sync,
            batch_size=CHANGES_QUEUE.batch_size,
        )
        self._stack.callback(self._mapping.stop)
        self._api = WebhookApi(webhook)
        self._stack.callback(self._api.stop)
        self._crm.on_change = self.tell

    def stop(self) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """Where the CRM says what has changed."""
        return self._api.webhook_url(self._crm.source) if self._api else ""

    def tell(self, account_id: str) -> None:
        """Say that an account has changed, as the CRM does it. Raises HTTPError if it is not taken."""
        body = json.dumps({"id": account_id, "eventId": secrets.token_hex(8)}).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "x-cir-timestamp": timestamp,
            "x-cir-signature": sign(self._key, timestamp, body),
        }
        requests.post(self.url, data=body, headers=headers, timeout=30).raise_for_status()

    @property
    def delivered(self) -> int:
        """How many changes the function has taken so far."""
        return self._mapping.delivered if self._mapping else 0

    def wait_until_drained(self, *, timeout_seconds: float = 30.0) -> None:
        """Wait until the queue is empty; `TimeoutError` if it is not in time."""
        if self._mapping:
            self._mapping.wait_until_drained(timeout_seconds=timeout_seconds)

    @staticmethod
    def _arn(sqs: Any, queue_url: str) -> str:
        attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
        return str(attributes["QueueArn"])
