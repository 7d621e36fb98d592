"""The sandbox's front and queue mapping drive the functions as API Gateway and Lambda do."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.aws.http_api import WebhookApi
from sandbox.aws.queues import QueueMapping
from sandbox.customers.salesforce import contact_id as account_id
from tests.support.queues import Queues
from tests.support.webhook_calls import NEW, outbound_message, signed
from tests.support.webhook_world import WebhookWorld

pytestmark = pytest.mark.slow


@pytest.fixture
def api(webhooks: WebhookWorld) -> Iterator[WebhookApi]:
    api = WebhookApi(lambda event: webhooks.webhook(event, None))
    yield api
    api.stop()


def post(api: WebhookApi, request: dict[str, Any]) -> requests.Response:
    """What the CRM of a test sends, over the wire."""
    return requests.post(
        api.webhook_url(request["pathParameters"]["source"]),
        params=request.get("queryStringParameters"),
        headers=request["headers"],
        data=request["body"].encode(),
        timeout=10,
    )


def mapping(queues: Queues, invoke: Any) -> QueueMapping:
    attributes = queues.sqs.get_queue_attributes(QueueUrl=queues.url, AttributeNames=["QueueArn"])["Attributes"]
    return QueueMapping(queues.sqs, queue_url=queues.url, queue_arn=attributes["QueueArn"], invoke=invoke)


def test_from_the_crms_call_over_http_to_the_routed_answer(webhooks: WebhookWorld, api: WebhookApi) -> None:
    sync = webhooks.sync()
    consumer = mapping(webhooks.queues, lambda event: sync(event, None))
    try:
        for tier in ("Gold", "Platinum"):
            webhooks.crm.set(1, Account_Tier__c=tier)
            answer = post(api, outbound_message((f"04l5g00000{tier}", account_id(1))))
            assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
            assert "<Ack>true</Ack>" in answer.text
            consumer.wait_until_drained()
            profile = webhooks.profile(1)
            assert profile is not None
            assert profile.customer_tier == tier
        assert consumer.delivered == 2
    finally:
        consumer.stop()


def test_the_front_passes_bytes_on_as_they_are(webhooks: WebhookWorld, api: WebhookApi) -> None:
    request = signed("servicenow", {"id": "6282", "note": "ß"}, body='{"id": "6282", "note": "ß"}\r\n'.encode())
    for content_type in ("application/json", "application/octet-stream"):
        request["headers"]["content-type"] = content_type
        assert post(api, request).status_code == 200
    assert (
        requests.post(api.webhook_url("salesforce"), params={"code": NEW}, data=b"\xff", timeout=10).status_code == 400
    )
    assert requests.post(f"{api.url}/elsewhere", data=b"{}", timeout=10).status_code == 404


def test_what_keeps_failing_is_redriven_and_the_rest_is_not_held_up(webhooks: WebhookWorld) -> None:
    webhooks.told(1, 2)
    seen: list[str] = []

    def invoke(event: dict[str, Any]) -> dict[str, Any]:
        failed = []
        for record in event["Records"]:
            seen.append(record["attributes"]["MessageGroupId"])
            if json.loads(record["body"])["id"] == account_id(1):
                failed.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failed}

    consumer = mapping(webhooks.queues, invoke)
    try:
        consumer.wait_until_drained()
    finally:
        consumer.stop()
    assert seen.count(f"salesforce#{account_id(1)}") == 5
    assert seen.count(f"salesforce#{account_id(2)}") == 1
    (dead,) = webhooks.queues.undelivered()
    assert json.loads(dead["Body"])["id"] == account_id(1)
