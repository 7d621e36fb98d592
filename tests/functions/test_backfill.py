"""The backfill function: what misses have asked for, from the stream or from the resolver, each once and in time."""

import json
from typing import Any

import pytest

from cir.aws.dynamodb import marshal_item
from cir.contacts.organization import ExternalSources
from cir.follow.backfill import Backfill
from cir.genesys.errors import UnavailableError
from cir.identity.identifiers import Identifier
from cir.identity.rules import IdentifierType
from functions import Handler
from functions.backfill import LookupFailedError, make_handler
from tests.support.sync_plane import SyncPlane, email, mobile, phone

NUMBER = phone("+44 20 7946 0958")
LOOKUP = "POST /api/v2/externalcontacts/identifierlookup/contacts"


@pytest.fixture
def function(plane: SyncPlane) -> Handler:
    client = plane.genesys.client()
    return make_handler(Backfill(client, plane.store, ExternalSources(client)))


def asked_for(*identifiers: Identifier) -> dict[str, Any]:
    """What the stream delivers when misses have been written down; sequence numbers are 1, 2 …"""
    return {
        "Records": [
            {
                "eventName": "INSERT",
                "dynamodb": {
                    "Keys": {"identifier": {"S": each.key}},
                    "NewImage": marshal_item(
                        {"identifier": each.key, "value": each.value, "lookup_requested_at": 1_790_000_000}
                    ),
                    "SequenceNumber": str(number),
                },
            }
            for number, each in enumerate(identifiers, 1)
        ]
    }


def test_a_batch_is_looked_up_each_identifier_once(
    function: Handler, plane: SyncPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = plane.genesys.create(lastName="Berg", cellPhone={"display": NUMBER.value})
    bob = plane.genesys.create(workEmail="bob@example.com")
    event = asked_for(NUMBER, email("nobody@example.com"), NUMBER, email("bob@example.com"), NUMBER)
    assert function(event, None) == {"batchItemFailures": []}
    assert (plane.owners(NUMBER), plane.owners(email("bob@example.com"))) == ({ann}, {bob})
    assert plane.genesys.calls()[LOOKUP] == 3
    output = capsys.readouterr().out
    logged = [json.loads(line) for line in output.splitlines()]
    assert sorted((line["type"], line["contactId"]) for line in logged) == [
        ("email", ""), ("email", bob), ("phone", ann),
    ]  # fmt: skip
    assert not [secret for secret in ("7946", "example.com", "Berg") if secret in output]


def test_what_somebody_has_claimed_since_is_not_asked_for(function: Handler, plane: SyncPlane) -> None:
    event = asked_for(NUMBER)
    claim = {"source": "test", "assurance": 1, "first_seen": "", "last_confirmed": ""}
    event["Records"][0]["dynamodb"]["NewImage"] |= marshal_item({"claim#c-1": claim})
    removed = {"eventName": "REMOVE", "dynamodb": {"Keys": {"identifier": {"S": NUMBER.key}}, "SequenceNumber": "2"}}
    assert function({"Records": [*event["Records"], removed]}, None) == {"batchItemFailures": []}
    assert plane.genesys.calls() == {}


def test_a_batch_is_handed_back_from_the_first_record_that_failed(
    function: Handler, plane: SyncPlane, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = plane.genesys.create(cellPhone={"display": NUMBER.value})
    real = Backfill.look_up

    def unlucky(backfill: Backfill, wanted: Identifier) -> str:
        if wanted.type is IdentifierType.EMAIL:
            raise UnavailableError(f"{wanted.value} did not get through")
        return real(backfill, wanted)

    monkeypatch.setattr(Backfill, "look_up", unlucky)
    lost, other = email("a@example.com"), email("b@example.com")
    event = asked_for(phone("+12125550100"), lost, other, NUMBER, lost)
    assert function(event, None) == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert plane.owners(NUMBER) == {made}
    assert "example.com" not in capsys.readouterr().out


class Context:
    """Lambda's context of a function that must end soon."""

    def __init__(self, milliseconds: int) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


def test_a_batch_is_handed_back_before_the_functions_time_is_over(function: Handler, plane: SyncPlane) -> None:
    plane.genesys.configure(latency_ms=[5_000, 5_000])
    event = asked_for(NUMBER, email("a@example.com"))
    assert function(event, Context(1_200)) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_the_resolver_is_told_whether_somebody_was_found(function: Handler, plane: SyncPlane) -> None:
    plane.genesys.create(cellPhone={"display": NUMBER.value})
    event = {"identifiers": [{"key": each.key, "value": each.value} for each in (mobile(1), NUMBER)], "seconds": 5.0}
    assert function(event, None) == {"found": [False, True]}
    plane.genesys.fail(status=503, operation="identifierlookup", count=1000)
    with pytest.raises(LookupFailedError):
        function({**event, "seconds": 0.2}, None)
