"""Claiming in Genesys Cloud: what it takes, and who has what it does not take."""

from typing import Any

import pytest
import requests

from cir.contacts.claiming import Claimed, ClaimResult, claim, without_field
from cir.genesys.errors import InvalidRequestError, NotFoundError
from cir.genesys.identifiers import to_genesys
from cir.identity.records import Contact
from cir.identity.rules import Assurance
from cir.index.store import IdentityStore
from tests.support.genesys_cloud import GenesysCloud
from tests.support.scripted_genesys import ID, OTHER_ID, PHONE, Script, answer, client_of, refusal
from tests.support.sync_plane import SyncPlane, account, email, phone

NEW = phone("+1 646 555 0177")


def taken() -> requests.Response:
    return refusal(409, "identifier.claim.conflict")


@pytest.fixture
def plane(genesys: GenesysCloud, store: IdentityStore) -> SyncPlane:
    return SyncPlane(genesys, store)


def test_what_nobody_has_is_claimed_however_often(plane: SyncPlane) -> None:
    (ann,) = plane.sync(account(1))
    for _ in range(2):
        assert claim(plane.genesys.client(), ann.contact_id, to_genesys(NEW, {})) == ClaimResult(Claimed.CLAIMED)
    assert plane.genesys.holder("Phone", NEW.value) == ann.contact_id


def test_what_another_customer_has_stays_there(plane: SyncPlane) -> None:
    ann, bob = plane.sync(account(1), account(2, Phone=NEW.value))
    result = claim(plane.genesys.client(), ann.contact_id, to_genesys(NEW, {}))
    assert result == ClaimResult(Claimed.HELD, bob.contact_id)
    assert plane.genesys.holder("Phone", NEW.value) == bob.contact_id


def test_what_genesys_gave_to_a_stranger_is_taken_over(plane: SyncPlane) -> None:
    (ann,) = plane.sync(account(1))
    plane.genesys.meet({"type": "Phone", "value": NEW.value})
    result = claim(plane.genesys.client(), ann.contact_id, to_genesys(NEW, {}))
    assert result == ClaimResult(Claimed.TAKEN_OVER)
    assert plane.genesys.holder("Phone", NEW.value) == ann.contact_id


def test_a_contact_without_a_free_field_is_left_as_it_is(plane: SyncPlane) -> None:
    columns = {"Phone": "+12125550101", "HomePhone": "+12125550102", "OtherPhone": "+12125550103"}
    (ann,) = plane.sync(account(1))
    client = plane.genesys.client()
    for number in columns.values():
        claim(client, ann.contact_id, to_genesys(phone(number), {}))
    assert claim(client, ann.contact_id, to_genesys(NEW, {})) == ClaimResult(Claimed.NO_FIELD)
    assert plane.genesys.holder("Phone", NEW.value) is None


@pytest.mark.parametrize("gone_at", ["read", "release"])
def test_a_stranger_who_expires_meanwhile_is_in_nobodys_way(gone_at: str) -> None:
    gone = refusal(404, "not.found")
    rest = [gone] if gone_at == "read" else [answer(200, {"id": OTHER_ID, "type": "Ephemeral"}), gone]
    script = Script(taken(), answer(200, {"id": OTHER_ID}), *rest, answer(200))
    assert claim(client_of(script), ID, PHONE) == ClaimResult(Claimed.TAKEN_OVER)


def test_whoever_is_quicker_once_it_was_taken_off_keeps_it() -> None:
    stranger = {"id": OTHER_ID, "type": "Ephemeral"}
    other = "5b0a3a53-7d6d-4c1e-9a37-4f6b1f9f0d33"
    script = Script(
        taken(),
        answer(200, stranger),
        answer(200, stranger),
        answer(200),
        taken(),
        answer(200, {"id": other}),
    )
    assert claim(client_of(script), ID, PHONE) == ClaimResult(Claimed.HELD, other)


def test_what_is_wrong_with_the_call_itself_is_raised() -> None:
    with pytest.raises(NotFoundError):
        claim(client_of(Script(refusal(404, "not.found"))), ID, PHONE)
    with pytest.raises(InvalidRequestError):
        claim(client_of(Script(refusal(400, "invalid.value"))), ID, PHONE)


def test_the_ledger_says_what_genesys_has_not_taken(store: IdentityStore) -> None:
    contact = Contact("c-2", merged_from=("c-1",)).changed()
    told: dict[str, dict[str, Any]] = {
        "c-1": {"identifier": NEW.key, "in_genesys": "no free field"},
        "c-2": {"overflow": [email("ann@example.com").key]},
        "c-3": {"identifier": "phone#+1", "in_genesys": "no free field"},
    }
    for subject, details in told.items():
        store.record(store.decision(subject, "link", "for a test", **details))
    store.record(store.decision("c-2", "link", "for a test", identifier="phone#+2", in_genesys="claimed"))
    decision = store.decision("c-2", "sync", "for a test")
    store.put_contact(contact, decision=decision, source="genesys", assurance=Assurance.CLAIMED)
    assert without_field(store, contact) == {NEW.key, email("ann@example.com").key}
