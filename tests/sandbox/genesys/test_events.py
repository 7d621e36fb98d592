"""Contact events in the envelope of EventBridge."""

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from sandbox.genesys import Control
from tests.sandbox.genesys.conftest import Api
from tests.support.conformance import violations

JSON = dict[str, Any]
TOPIC = "v2.externalcontacts.contacts.{id}"
PAYLOADS = {
    TOPIC: "ExternalContactsContactChangedTopicContact",
    f"{TOPIC}.unresolved": "ExternalContactsUnresolvedContactChangedTopicContact",
}


def bodies(events: list[JSON]) -> list[JSON]:
    return [event["detail"]["eventBody"] for event in events]


def test_the_envelope_and_the_payload(api: Api, control: Control, sdk_package: Any) -> None:
    source = api.source()
    seen = control.call("GET", "")["lastEvent"]
    response = api.send(
        "POST",
        "/externalcontacts/contacts",
        {
            "firstName": "Iris",
            "cellPhone": {"display": "9175550142"},
            "externalIds": [{"externalSource": {"id": source}, "value": "7"}],
            "whatsAppId": {"phoneNumber": {"display": "447700900123"}},
        },
    )
    contact = response.json()
    organization = api.ok("GET", "/organizations/me")["id"]
    [event] = control.events(seen)
    assert event["source"] == f"aws.partner/genesys.com/cloud/{organization}/sandbox"
    assert event["detail-type"] == TOPIC
    detail = event["detail"]
    assert detail["topicName"] == TOPIC.replace("{id}", contact["id"])
    assert detail["version"] == "2"
    assert detail["metadata"] == {"CorrelationId": response.headers["ININ-Correlation-Id"]}
    assert detail["timestamp"] >= contact["modifyDate"]
    assert violations(detail["eventBody"], PAYLOADS[TOPIC]) == []
    assert detail["eventBody"]["cellPhone"] == contact["cellPhone"]
    assert detail["eventBody"]["externalIds"] == [{"externalSource": {"id": source}, "value": "7"}]


def test_a_merge_tells_of_the_new_contact_and_of_its_ancestors(api: Api, control: Control, sdk_package: Any) -> None:
    ids = [api.contact(firstName=name)["id"] for name in "ab"]
    seen = control.call("GET", "")["lastEvent"]
    merged = api.merge(*ids)["id"]
    head, *ancestors = control.events(seen)
    for event in (head, *ancestors):
        assert violations(event["detail"]["eventBody"], PAYLOADS[event["detail-type"]]) == []
    assert head["detail-type"] == TOPIC
    assert (bodies([head])[0]["mergedFrom"], bodies([head])[0]["canonicalContactId"]) == (ids, merged)
    assert {event["detail-type"] for event in ancestors} == {f"{TOPIC}.unresolved"}
    assert [(body["id"], body["mergedTo"]) for body in bodies(ancestors)] == [(each, merged) for each in ids]


def test_what_changes_nothing_tells_nothing_and_deletion_tells_the_last_state(api: Api, control: Control) -> None:
    contact = api.contact(firstName="Iris", workEmail="iris@example.com")
    seen = control.call("GET", "")["lastEvent"]
    api.get(contact["id"])
    api.find("Email", "iris@example.com")
    api.send("PUT", f"/externalcontacts/contacts/{contact['id']}", {"workEmail": "no address"})
    assert control.events(seen) == []
    api.ok("DELETE", f"/externalcontacts/contacts/{contact['id']}")
    assert [body["firstName"] for body in bodies(control.events(seen))] == ["Iris"]


def test_readers_go_on_where_they_stopped_even_after_a_reset(api: Api, control: Control) -> None:
    for name in "abc":
        api.contact(firstName=name)
    first = control.call("GET", "/events", limit=2)
    rest = control.call("GET", "/events", after=first["last"])
    assert [entry["event"]["detail"]["eventBody"]["firstName"] for entry in rest["events"]] == ["c"]
    after_reset = control.call("POST", "/reset")["lastEvent"]
    assert after_reset == rest["last"]
    assert control.call("GET", "/events", after=after_reset, wait=0.05) == {"events": [], "last": after_reset}


@pytest.fixture
def receiver() -> Iterator[tuple[str, "queue.Queue[JSON]"]]:
    """A target that refuses the first delivery of its life."""
    received: queue.Queue[JSON] = queue.Queue()
    statuses = iter([500])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = next(statuses, 200)
            if status == 200:
                received.put(body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/events", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_events_are_pushed_in_order(
    api: Api, control: Control, receiver: tuple[str, "queue.Queue[JSON]"], tmp_path: Path
) -> None:
    url, received = receiver
    file = tmp_path / "events.jsonl"
    control.configure(event_url=url, event_file=str(file))
    for name in "abc":
        api.contact(firstName=name)
    pushed = [received.get(timeout=10) for _ in range(3)]
    assert [body["firstName"] for body in bodies(pushed)] == ["a", "b", "c"]
    assert [json.loads(line) for line in file.read_text().splitlines()] == pushed
