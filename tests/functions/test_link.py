"""Data Action "Link Identifier": a flat event in, a flat answer out, whatever happens."""

import json
from typing import Any

import pytest

from cir.contacts.organization import ExternalSources
from cir.conversation.linking import Linking
from cir.genesys.errors import UnavailableError
from cir.identity.attestation import NO_TRUST
from cir.identity.rules import IdentifierType
from cir.index.store import IdentityStore
from cir.resolve.request import INPUT_FIELDS
from functions import Handler
from functions.link import OUTPUT_FIELDS, make_handler
from tests.support.sync_plane import SyncPlane, account, email, phone

NEW = phone("+1 646 555 0177")


@pytest.fixture
def ann(plane: SyncPlane) -> str:
    return plane.sync(account(1))[0].contact_id


@pytest.fixture
def function(plane: SyncPlane) -> Handler:
    client = plane.genesys.client()
    return make_handler(Linking(client, plane.store, ExternalSources(client)), default_region="US", trust=NO_TRUST)


def test_the_function_links_everything_it_is_given_and_tells_the_gravest_outcome(
    function: Handler, plane: SyncPlane, ann: str, capsys: pytest.CaptureFixture[str]
) -> None:
    plane.sync(account(2, Email="bob@example.com"))
    capsys.readouterr()
    event = {"contactId": ann, "ani": "tel:+16465550177", "email": "Bob@Example.com", "conversationId": "conv-1"}
    answer = function(event, None)
    assert answer == {
        "contactId": ann,
        "outcome": "CONFLICT",
        "linked": "phone",
        "explanation": "The email already leads to another customer; it was left with them.",
    }
    output = capsys.readouterr().out
    (line,) = [json.loads(line) for line in output.splitlines()]
    assert (line["event"], line["outcomes"]) == ("link", {"phone": "LINKED", "email": "CONFLICT"})
    assert not [secret for secret in ("5550177", "example.com") if secret in output.lower()]


def test_the_function_says_what_was_done_when_a_service_fails_in_between(
    function: Handler, plane: SyncPlane, ann: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Linking.link

    def unlucky(linking: Linking, contact_id: str, presented: Any, **more: Any) -> Any:
        if presented.identifier.type is IdentifierType.EMAIL:
            raise UnavailableError("as told")
        return real(linking, contact_id, presented, **more)

    monkeypatch.setattr(Linking, "link", unlucky)
    event = {"contactId": ann, "ani": NEW.value, "email": "ann@example.com"}
    answer = function(event, None)
    assert (answer["outcome"], answer["linked"], answer["contactId"]) == ("FAILED", "phone", ann)
    monkeypatch.setattr(Linking, "link", real)
    again = function(event, None)
    assert (again["outcome"], again["linked"]) == ("LINKED", "email")
    assert plane.owners(NEW) == plane.owners(email("ann@example.com")) == {ann}


@pytest.mark.parametrize(
    ("event", "explanation"),
    [
        ({}, "No contact was named to link to."),
        (None, "No contact was named to link to."),
        ({"contactId": "NOT FOUND!", "ani": NEW.value}, "No contact was named to link to."),
        ({"contactId": "c-1"}, "There was no usable number or address to link."),
        ({"contactId": "c-1", "ani": "anonymous"}, "There was no usable number or address to link."),
        ({"contactId": "c-1", "ani": NEW.value}, "There is no such contact in the index."),
    ],
)
def test_the_function_refuses_what_it_cannot_link(function: Handler, event: object, explanation: str) -> None:
    answer = function(event, None)
    assert (answer["outcome"], answer["linked"], answer["explanation"]) == ("REFUSED", "", explanation)


@pytest.mark.parametrize("value", [None, 7, True, [], {}, "x" * 10_000, "😀", '{"$gt": ""}'])
def test_whatever_arrives_the_function_answers(function: Handler, value: object) -> None:
    answer = function(dict.fromkeys(INPUT_FIELDS, value), None)
    assert {name: type(each) for name, each in answer.items()} == OUTPUT_FIELDS


def test_the_function_answers_when_everything_else_is_away(
    function: Handler, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"{NEW.value} is not what I expected")

    monkeypatch.setattr(IdentityStore, "identifiers", broken)
    answer = function({"contactId": "c-1", "ani": NEW.value}, None)
    assert answer == {
        "contactId": "c-1",
        "outcome": "FAILED",
        "linked": "",
        "explanation": "A service did not answer; it can be tried again.",
    }
    output = capsys.readouterr().out
    assert "RuntimeError" in output
    assert "5550177" not in output
