"""The events function: single events and batches of the queue, in whatever order and how often they are told."""

import json
import random
from typing import Any

import pytest

from cir.follow.events import Events
from functions import Handler
from functions.events import make_handler
from tests.support.identity_world import World, email, phone, without_ids


@pytest.fixture
def function(world: World) -> Handler:
    return make_handler(Events(world.client, world.store, world.sources), world.store)


@pytest.mark.slow
def test_duplicated_late_and_reordered_events_end_where_genesys_is(world: World, function: Handler) -> None:
    ann, annie = world.customer(phone(1), firstName="Ann"), world.customer(phone(2), email("annie"))
    start = world.last_event
    for number in (3, 4, 5):
        change: Any = {"field": "$.cellPhone", "action": "Update", "value": {"display": phone(number).value}}
        world.client.contacts.patch(ann.contact_id, [change])
    merged = world.client.contacts.merge([ann.contact_id, annie.contact_id], value_override={"firstName": "Ann"})["id"]
    change = {"field": "$.otherEmail", "action": "Update", "value": email("late").value}
    world.client.contacts.patch(merged, [change])
    told = [each["event"] for each in world.events(start)] * 2
    random.Random(7).shuffle(told)
    records = [{"messageId": str(number), "body": json.dumps(event)} for number, event in enumerate(told)]
    assert function({"Records": records}, None) == {"batchItemFailures": []}
    assert set(world.head(ann.contact_id).identifiers) == world.shown(world.client.contacts.get(merged))
    assert world.leads_to(email("late")) == world.leads_to(phone(5)) == {merged}
    assert world.leads_to(phone(3)) == world.leads_to(phone(4)) == set()


def test_an_event_that_could_not_be_followed_is_handed_back_and_nonsense_is_not(
    world: World, function: Handler, capsys: pytest.CaptureFixture[str]
) -> None:
    made = world.in_genesys({}, phone(1))
    event = world.events()[-1]["event"]
    world.fault(status=403, operation="GET")
    queued = {"Records": [{"messageId": "m1", "body": json.dumps(event)}]}
    assert function(queued, None) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert function(event, None) == {}
    assert world.leads_to(phone(1)) == {made}
    assert function({"detail-type": "something else", "detail": {}}, None) == {}
    assert "555" not in without_ids(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("detail", "follows"),
    [
        ({"timestamp": ""}, True),
        ({"timestamp": "Sun Nov 29 2026"}, True),
        ({"timestamp": 7}, True),
        ({"timestamp": "2026-11-29T10:00:00"}, True),
        ({"eventBody": "a text"}, False),
        ({"eventBody": {"id": ".."}}, False),
        ({"eventBody": {"id": 7}}, False),
        ("a text", False),
        (None, False),
    ],
    ids=str,
)
def test_an_odd_event_fails_alone(world: World, function: Handler, detail: Any, follows: bool) -> None:
    made = world.in_genesys({}, phone(1))
    event = world.events()[-1]["event"]
    odd = {**event, "detail": {**event["detail"], **detail} if isinstance(detail, dict) else detail}
    bodies = {"odd": json.dumps(odd), "no JSON": "no JSON", "a list": "[]", "good": json.dumps(event)}
    queued = {"Records": [{"messageId": name, "body": body} for name, body in bodies.items()]}
    failed = {each["itemIdentifier"] for each in function(queued, None)["batchItemFailures"]}
    assert failed == {"no JSON", "a list"} | (set() if follows else {"odd"})
    assert world.leads_to(phone(1)) == {made}
