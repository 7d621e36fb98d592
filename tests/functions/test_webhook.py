"""The endpoint: who is believed, what is taken, and that nothing is acknowledged before the queue has it."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from cir.webhooks.keys import Keyring
from functions import Handler
from sandbox.customers.salesforce import contact_id as salesforce_id
from tests.support.queues import Queues
from tests.support.webhook_calls import (
    NEW,
    OLD,
    OLD_SIGNING,
    PERSON,
    SECRET,
    SIGNING,
    dataverse,
    event,
    outbound_message,
    signed,
)
from tests.support.webhook_world import keyring_of, webhook_of

GUID = "6d81597f-0f9f-e711-8122-000d3aa2331c"
SYS_ID = "62826bf03710200044e0bfc8bcbe5df1"
ACCOUNT = salesforce_id(1)

MAKERS: dict[str, Callable[..., dict[str, Any]]] = {
    "outbound message": lambda **how: outbound_message(("04l5g00000AAAAAAA1", ACCOUNT), **how),
    "signed": lambda **how: signed("servicenow", {"id": SYS_ID, "eventId": "e-1"}, **how),
    "dataverse": lambda **how: dataverse(GUID, **how),
    "dataverse, key in a header": lambda **how: dataverse(GUID, in_header=True, **how),
}
ids = {"outbound message": ACCOUNT, "signed": SYS_ID, "dataverse": GUID, "dataverse, key in a header": GUID}


@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_authentic_is_acknowledged_and_queued_without_the_person(
    kind: str, webhook: Handler, queues: Queues, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = webhook(MAKERS[kind](), None)
    assert answer["statusCode"] == 200
    (message,) = queues.receive()
    change = json.loads(message["Body"])
    assert change.keys() == {"source", "id", "deleted", "event_id", "received_at"}
    assert (change["id"], change["deleted"]) == (ids[kind], False)
    assert message["Attributes"]["MessageGroupId"] == f"{change['source']}#{change['id']}"
    assert PERSON not in message["Body"] + capsys.readouterr().out


@pytest.mark.parametrize("kind", MAKERS)
def test_a_wrong_key_is_refused_and_learns_nothing(
    kind: str, webhook: Handler, queues: Queues, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in ("wrong-key-of-the-tests-0123456789", "ключ", ""):
        answer = webhook(MAKERS[kind](key=key), None)
        assert (answer["statusCode"], answer["body"]) == (401, "")
    assert queues.changes() == []
    out = capsys.readouterr().out
    assert PERSON not in out
    assert not any(secret in out for secret in (NEW, OLD, SIGNING, OLD_SIGNING, "wrong-key"))


def test_a_signed_body_that_was_changed_is_refused(webhook: Handler, queues: Queues) -> None:
    request = signed("servicenow", {"id": SYS_ID, "eventId": "e-1"})
    changes: list[dict[str, Any]] = [
        {"body": request["body"].replace("62826", "62827")},
        {"headers": request["headers"] | {"x-cir-timestamp": str(int(request["headers"]["x-cir-timestamp"]) + 1)}},
        {"headers": {"x-cir-signature": request["headers"]["x-cir-signature"]}},
        {"headers": {}},
    ]
    for change in changes:
        assert webhook(request | change, None)["statusCode"] == 401
    assert queues.changes() == []


@pytest.mark.parametrize(("age", "status"), [(-290, 200), (290, 200), (-330, 401), (330, 401)])
def test_clocks_may_differ_by_five_minutes(age: int, status: int, webhook: Handler, queues: Queues) -> None:
    request = signed("servicenow", {"id": SYS_ID, "eventId": "e-1"}, age=age)
    assert webhook(request, None)["statusCode"] == status
    assert len(queues.changes()) == (status == 200)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_replayed_request_is_queued_once(kind: str, webhook: Handler, queues: Queues) -> None:
    request = MAKERS[kind]()
    assert [webhook(request, None)["statusCode"] for _ in range(3)] == [200] * 3
    assert len(queues.changes()) == 1


def test_the_crm_may_tell_of_an_event_again_and_of_another_at_once(webhook: Handler, queues: Queues) -> None:
    for age, event_id in ((0, "e-1"), (7, "e-1"), (0, "e-2")):
        webhook(signed("servicenow", {"id": SYS_ID, "eventId": event_id}, age=age), None)
    webhook(dataverse(GUID), None)
    webhook(dataverse(GUID, message="Delete"), None)  # of one operation, like the first
    assert [(each["source"], each["deleted"]) for each in queues.changes()] == [
        ("servicenow", False),
        ("servicenow", False),
        ("dynamics", False),
        ("dynamics", True),
    ]


def test_old_and_new_keys_are_valid_at_once_and_a_withdrawn_one_is_not(
    webhook: Handler, keyring: Keyring, aws_url: str, secret_arn: str
) -> None:
    def status(request: dict[str, Any]) -> int:
        return int(webhook(request, None)["statusCode"])

    def statuses() -> list[int]:
        by_key = [status(outbound_message(("04l5g00000AAAAAAA1", ACCOUNT), key=key)) for key in (OLD, NEW)]
        by_signature = [status(signed("salesforce", {"id": ACCOUNT}, key=key)) for key in (OLD_SIGNING, SIGNING)]
        return by_key + by_signature

    assert statuses() == [200, 200, 200, 200]
    rotated = {**SECRET, "salesforce": SECRET["salesforce"] | {"keys": [NEW], "signing": [SIGNING]}}
    secrets = boto3.Session().client("secretsmanager", endpoint_url=aws_url)
    secrets.put_secret_value(SecretId=secret_arn, SecretString=json.dumps(rotated))
    keyring.clock = lambda: float("inf")
    assert statuses() == [401, 200, 401, 200]
    # a secret that somebody has broken leaves those valid that were read last
    secrets.put_secret_value(SecretId=secret_arn, SecretString='{"salesforce": {"keys": ["short"]}}')
    assert statuses() == [401, 200, 401, 200]


@pytest.mark.slow
def test_salesforce_is_answered_in_soap_and_all_notifications_are_taken(webhook: Handler, queues: Queues) -> None:
    records = [(f"04l5g00000AAAA{number:03d}1", salesforce_id(number)) for number in range(100)]
    answer = webhook(outbound_message(*records), None)
    ack = ET.fromstring(answer["body"])  # noqa: S314 - our own
    assert ack.findtext(".//{http://soap.sforce.com/2005/09/outbound}Ack") == "true"
    assert answer["headers"]["content-type"].startswith("text/xml")
    assert {each["id"] for each in queues.changes()} == {record for _, record in records}


@pytest.mark.parametrize("organization", ["00D5g000001ZZZZEAK", "", "00D5g000001AbCd", "00D5g000001AbCdEAK0"])
def test_a_message_of_another_organization_is_refused(organization: str, webhook: Handler) -> None:
    answer = webhook(outbound_message(("04l5g00000AAAAAAA1", ACCOUNT), organization=organization), None)
    assert answer["statusCode"] == (200 if organization == "00D5g000001AbCd" else 401)


def test_changes_of_other_tables_are_acknowledged_and_not_ours(webhook: Handler, queues: Queues) -> None:
    answer = webhook(outbound_message(("04l5g00000AAAAAAA1", ACCOUNT), entity="Opportunity"), None)
    assert (answer["statusCode"], queues.changes()) == (200, [])


def test_a_truncated_execution_context_still_names_its_record(webhook: Handler, queues: Queues) -> None:
    assert webhook(dataverse(GUID, message="Delete", exceeded=True), None)["statusCode"] == 200
    (change,) = queues.changes()
    assert (change["id"], change["deleted"]) == (GUID, True)


def test_change_data_capture_is_understood(webhook: Handler, queues: Queues) -> None:
    def relayed(kind: str, *record_ids: str, number: int) -> dict[str, Any]:
        header = {
            "entityName": "Contact",
            "recordIds": record_ids,
            "changeType": kind,
            "transactionKey": "00015c23-f0c9-6ea1-8f3c-5c6d6f0a0f27",
            "sequenceNumber": number,
        }
        return {"schema": "x", "payload": {"ChangeEventHeader": header, "LastName": PERSON}, "event": {"replayId": 1}}

    events = [
        relayed("UPDATE", salesforce_id(1), salesforce_id(2), number=1),
        relayed("GAP_DELETE", salesforce_id(3), number=2),
        relayed("GAP_OVERFLOW", "000000000000000AAA", number=3),
        relayed("UPDATE", "003*", number=4),
    ]
    for content in ({"changes": events}, events[0]):
        assert webhook(signed("salesforce", content), None)["statusCode"] == 200
    told = [(each["id"], each["deleted"]) for each in queues.changes()]
    assert told == [(salesforce_id(1), False), (salesforce_id(2), False), (salesforce_id(3), True)]


BAD_BODIES = [
    b"",
    b"{",
    b"[]",
    b"[" * 100_000,
    b'{"changes": []}',
    b'{"changes": [7]}',
    b'{"id": "Ottoline Quimby-Smythe"}',
    b'{"id": 7}',
    b'{"id": "ok-1", "deleted": "yes"}',
    b'{"id": "ok-1", "eventId": "with a space"}',
    b'{"id": "ok-1", "name": "\xff"}',
    '{"id": "ok-1"}'.encode("utf-16"),
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_what_cannot_be_read_is_refused_even_signed(body: bytes, webhook: Handler, queues: Queues) -> None:
    request = signed("servicenow", None, body=body) if body.isascii() else _encoded(body)
    assert webhook(request, None)["statusCode"] == 400
    assert queues.changes() == []


def _encoded(body: bytes) -> dict[str, Any]:
    headers = signed("servicenow", None, body=body.decode("latin-1").encode("ascii", "ignore"))["headers"]
    from tests.support.webhook_calls import signature

    headers["x-cir-signature"] = signature(SIGNING, headers["x-cir-timestamp"], body)
    return event("servicenow", body, headers=headers, encoded=True)


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'


def test_xml_is_parsed_without_entities_and_bad_xml_is_refused(webhook: Handler, queues: Queues) -> None:
    whole = outbound_message(("04l5g00000AAAAAAA1", ACCOUNT))
    bodies = [
        outbound_message(("04l5g00000AAAAAAA1", ACCOUNT), head=ENTITIES)["body"],
        whole["body"][:-40],
        whole["body"].replace("notifications", "somethingElse"),
        outbound_message()["body"],
        outbound_message(("04l5g00000AAAAAAA1", "not an id"))["body"],
        "",
    ]
    assert [webhook(whole | {"body": body}, None)["statusCode"] for body in bodies] == [400] * len(bodies)
    assert queues.changes() == []


@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_of_1_mb_is_refused_before_it_is_read(encoded: bool, webhook: Handler, queues: Queues) -> None:
    request = event("salesforce", b"<" * 1_000_000, query={"code": NEW}, encoded=encoded)
    assert webhook(request, None)["statusCode"] == 413
    almost = json.dumps({"id": SYS_ID, "padding": "x" * 999_900}).encode()
    assert webhook(signed("servicenow", None, body=almost), None)["statusCode"] == 200
    assert len(queues.changes()) == 1


@pytest.mark.parametrize("source", ["hubspot", "", "../salesforce", PERSON])
def test_an_unknown_source_is_not_found(source: str, webhook: Handler, capsys: pytest.CaptureFixture[str]) -> None:
    assert webhook(event(source, b"{}", query={"code": NEW}), None)["statusCode"] == 404
    assert PERSON not in capsys.readouterr().out


def test_nothing_is_acknowledged_that_the_queue_has_not_taken(
    keyring: Keyring, queues: Queues, capsys: pytest.CaptureFixture[str]
) -> None:
    request = outbound_message(*((f"04l5g00000AAAA{number:03d}1", salesforce_id(number)) for number in range(15)))
    calls: list[Any] = []

    class Half:
        """Says of the second batch that not all of it was taken."""

        def send_message_batch(self, **batch: Any) -> Any:
            calls.append(batch)
            answer = queues.sqs.send_message_batch(**batch)
            if len(calls) == 2:
                answer["Failed"] = [{"Id": "4", "Code": "InternalError", "SenderFault": False, "Message": "x"}]
            return answer

    webhook = webhook_of(keyring, Half(), queues.url)
    refused = webhook(request, None)
    assert (refused["statusCode"], refused["body"]) == (503, "")
    assert webhook(request, None)["statusCode"] == 200
    assert len(queues.changes()) == 15
    webhook = webhook_of(keyring, queues.sqs, "http://127.0.0.1:9/0/nowhere.fifo")
    queues.sqs.delete_queue(QueueUrl=queues.url)
    assert webhook(request, None)["statusCode"] == 503
    assert PERSON not in capsys.readouterr().out


def test_without_its_secret_nothing_is_acknowledged(
    queues: Queues, aws_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    webhook = webhook_of(keyring_of("gone"), queues.sqs, queues.url)
    assert webhook(dataverse(GUID), None)["statusCode"] == 503
