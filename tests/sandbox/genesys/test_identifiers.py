"""Who an identifier belongs to: one contact per division, whatever else carries it in a field."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from sandbox.genesys import Settings
from sandbox.genesys.organization.contacts import Record
from sandbox.genesys.organization.errors import ApiError
from sandbox.genesys.organization.events import EventLog
from sandbox.genesys.organization.identifiers import Key, keys_in
from sandbox.genesys.world import World
from tests.sandbox.genesys.conftest import Api

JSON = dict[str, Any]
PHONE = "+19175550142"


def change(api: Api, contact_id: str, operation: str, kind: str, value: str, **more: object) -> JSON:
    body = {"operation": operation, "identifier": {"type": kind, "value": value, **more}}
    return {"method": "PATCH", "path": f"/externalcontacts/contacts/{contact_id}/identifiers", "body": body}


def test_the_first_contact_with_a_value_claims_it_and_both_carry_it(api: Api) -> None:
    first = api.contact(firstName="A", workPhone={"display": PHONE})
    second = api.contact(firstName="B", homePhone={"display": PHONE})
    assert api.find("Phone", PHONE) == first["id"]
    found = api.ok("GET", "/externalcontacts/reversewhitepageslookup", lookupVal=PHONE)["contacts"]
    assert [contact["id"] for contact in found] == [first["id"], second["id"]]
    assert "identifiers" not in second
    assert api.get(second["id"], expand="identifiers")["identifiers"] == []
    assert api.refused(**change(api, second["id"], "Claim", "Phone", PHONE)) == (409, "identifier.claim.conflict")


def test_a_value_that_leaves_the_fields_is_free_again(api: Api) -> None:
    first = api.contact(firstName="A", workEmail="iris@example.com")
    api.ok("PUT", f"/externalcontacts/contacts/{first['id']}", {"firstName": "A"})
    assert api.find("Email", "iris@example.com") is None
    second = api.contact(firstName="B", workEmail="Iris@Example.com")
    assert api.find("Email", "iris@example.com") == second["id"]
    api.ok("DELETE", f"/externalcontacts/contacts/{second['id']}")
    assert api.find("Email", "iris@example.com") is None


@pytest.mark.parametrize(
    ("kind", "value", "field"),
    [
        ("Phone", PHONE, "workPhone"),
        ("Email", "iris@example.com", "workEmail"),
        ("SocialWhatsapp", "447700900123", "whatsAppId"),
        ("SocialTwitter", "@iris", "twitterId"),
        ("SocialFacebook", "F1", "facebookId"),
        ("SocialInstagram", "I1", "instagramId"),
        ("SocialLine", "U1", "lineId"),
        ("AppleOpaqueId", "A1", "appleOpaqueIds"),
        ("Cookie", "c-1", None),
    ],
)
def test_a_claim_fills_a_slot_and_a_release_clears_it(api: Api, kind: str, value: str, field: str | None) -> None:
    contact_id = api.contact(firstName="A")["id"]
    api.ok(**change(api, contact_id, "Claim", kind, value))
    assert api.find(kind, value) == contact_id
    assert field is None or field in api.get(contact_id)
    api.ok(**change(api, contact_id, "Release", kind, value))
    assert api.find(kind, value) is None
    assert field is None or field not in api.get(contact_id)


def test_claims_need_a_free_slot(api: Api) -> None:
    contact_id = api.contact(workEmail="a@x.example", personalEmail="b@x.example", otherEmail="c@x.example")["id"]
    full = (422, "identifier.cannot.be.claimed")
    assert api.refused(**change(api, contact_id, "Claim", "Email", "d@x.example")) == full


@pytest.mark.parametrize(
    ("identifier", "error"),
    [
        ({"type": "Phone", "value": "212 555 0188"}, (422, "validation.failed")),
        ({"type": "ExternalId", "value": "7"}, (422, "validation.failed")),
        ({"type": "Email"}, (400, "constraint.validation")),
        ({"type": "Fax", "value": "7"}, (400, "invalid.value")),
        ({"type": "Email", "value": "nobody@example.com"}, (404, "not.found")),
    ],
)
def test_lookups_that_find_nothing(api: Api, identifier: JSON, error: tuple[int, str]) -> None:
    assert api.refused("POST", "/externalcontacts/identifierlookup/contacts", identifier) == error


def test_releases_and_operations_that_make_no_sense(api: Api) -> None:
    contact_id = api.contact(firstName="A")["id"]
    assert api.refused(**change(api, contact_id, "Release", "Phone", PHONE)) == (404, "identifier.cannot.be.released")
    assert api.refused(**change(api, contact_id, "Steal", "Phone", PHONE)) == (400, "invalid.operation.type")


def test_each_division_has_its_own_claims(api: Api) -> None:
    home, europe = (division["id"] for division in api.ok("GET", "/authorization/divisions")["entities"])
    one = api.contact(workPhone={"display": PHONE})["id"]
    other = api.contact(workPhone={"display": PHONE}, division={"id": europe})["id"]
    assert api.find("Phone", PHONE, division={"id": home}) == one
    assert api.find("Phone", PHONE, division={"id": europe}) == other
    assert api.find("Phone", PHONE) == one


class Claims(RuleBasedStateMachine):
    """Whatever is written, merged and deleted: claims stay exclusive, and the indexes say what the fields say."""

    contacts = Bundle("contacts")
    numbers = st.sampled_from([f"+1212555018{n}" for n in range(4)])
    slots = st.dictionaries(st.sampled_from(["workPhone", "cellPhone", "homePhone"]), numbers, max_size=3)

    def __init__(self) -> None:
        super().__init__()
        settings = Settings()
        self.world = World(settings, events=EventLog(settings))

    def attempt(self, operation: Callable[..., object], *arguments: object) -> None:
        """Many of the steps are refused, as they should be."""
        with suppress(ApiError):
            operation(*arguments)

    @rule(target=contacts, phones=slots)
    def create(self, phones: dict[str, str]) -> str:
        return self.world.service.create(self.body(phones)).id

    @rule(contact=contacts, phones=slots)
    def put(self, contact: str, phones: dict[str, str]) -> None:
        self.attempt(self.world.service.put, contact, self.body(phones))

    @rule(contact=contacts, number=numbers, operation=st.sampled_from(["Claim", "Release"]))
    def change(self, contact: str, number: str, operation: str) -> None:
        body = {"operation": operation, "identifier": {"type": "Phone", "value": number}}
        self.attempt(self.world.service.claim_or_release, contact, body)

    @rule(one=contacts, other=contacts)
    def merge(self, one: str, other: str) -> None:
        self.attempt(self.world.service.merge, {"contactIds": [one, other]})

    @rule(contact=consumes(contacts))
    def delete(self, contact: str) -> None:
        self.attempt(self.world.service.delete, contact)

    @staticmethod
    def body(phones: dict[str, str]) -> JSON:
        return {slot: {"display": number} for slot, number in phones.items()}

    @invariant()
    def claims_are_exclusive(self) -> None:
        claimed: dict[Key, Record] = {}
        for record in self.world.contacts:
            for key in record.claims:
                assert key not in claimed
                claimed[key] = record
        for number in range(4):
            key = Key("Phone", f"+1212555018{number}")
            assert self.world.contacts.claimant(key, self.world.organization.divisions) is claimed.get(key)
            holders = [record for record in self.world.contacts if key in keys_in(record.fields)]
            assert set(self.world.contacts.holders(key)) == set(holders)
            assert key in claimed or all(key not in record.claims for record in holders)

    @invariant()
    def every_id_leads_to_one_canonical_contact(self) -> None:
        for head in self.world.contacts:
            for member in head.merge_set:
                assert self.world.contacts.canonical(member) is head


TestClaims = Claims.TestCase
TestClaims.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
