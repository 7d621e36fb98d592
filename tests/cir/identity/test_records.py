"""Who says that a contact has an identifier."""

from collections.abc import Mapping

import pytest

from cir.identity.identifiers import Identifier
from cir.identity.records import Claim, Contact, IdentifierRecord
from cir.identity.rules import Assurance
from tests.support.identity_world import crm_id, loyalty, phone

CONTACT = Contact("c-2", identifiers=(phone(1), crm_id(1), loyalty(1)), merged_from=("c-1",))


def records(**claims: Mapping[Identifier, str]) -> dict[Identifier, IdentifierRecord]:
    """Contact id → identifier → who says that it has it."""
    found: dict[Identifier, dict[str, Claim]] = {}
    for owner, said in claims.items():
        for identifier, source in said.items():
            moment = "2026-11-29T00:00:00.000Z"
            found.setdefault(identifier, {})[owner.replace("_", "-")] = Claim(source, Assurance.CLAIMED, moment, moment)
    return {each: IdentifierRecord(each, its) for each, its in found.items()}


def test_claims_count_under_every_id_of_the_contact_and_under_no_other() -> None:
    known = records(c_1={phone(1): "salesforce"}, c_2={phone(1): "genesys"}, c_3={phone(1): "conversation"})
    assert CONTACT.sources_of(phone(1), known) == {"salesforce", "genesys"}
    assert CONTACT.claims_on(known[phone(1)]).keys() == {"c-1", "c-2"}
    assert CONTACT.sources_of(phone(2), known) == frozenset()
    assert CONTACT.claims_on(None) == {}


@pytest.mark.parametrize(
    ("known", "fed"),
    [
        (records(c_2={crm_id(1): "salesforce"}), True),
        (records(c_1={crm_id(1): "salesforce"}), True),
        (records(c_3={crm_id(1): "salesforce"}), False),
        (records(c_2={crm_id(1): "genesys"}), False),
        (records(c_2={loyalty(1): "salesforce"}), False),
        (records(c_2={phone(1): "salesforce"}), False),
        (records(c_2={crm_id(2): "salesforce"}), False),
        ({}, False),
    ],
    ids=[
        "its own id",
        "merged into it",
        "another's",
        "seen in Genesys",
        "a loyalty id",
        "a number",
        "given up",
        "none",
    ],
)
def test_a_contact_is_a_crms_if_that_crm_says_that_it_has_its_id(
    known: dict[Identifier, IdentifierRecord], fed: bool
) -> None:
    assert CONTACT.is_fed_by_crm(known) is fed


def test_claims_and_contacts_are_read_from_what_a_former_release_has_stored() -> None:
    """These words lie in tables: a release that called them otherwise would forget who has said what."""
    moment = "2026-11-29T00:00:00.000Z"
    claim = {"source": "conversation", "assurance": 1, "first_seen": moment, "last_confirmed": moment}
    record = IdentifierRecord.from_item({"identifier": phone(1).key, "claim#c-1": claim, "version": 3})
    assert record.claims == {"c-1": Claim("conversation", Assurance.CLAIMED, moment, moment)}
    assert (record.version, record.claims["c-1"].proven, record.claims["c-1"].switchboard) == (3, False, False)
    contact = Contact.from_item({"contact_id": "c-1", "identifiers": {phone(1).key: phone(1).value}})
    assert (contact.identifiers, contact.generation, contact.unread) == ((phone(1),), 0, {})


@pytest.mark.parametrize(
    ("source", "also", "assurance", "proven"),
    [
        ("conversation", (), Assurance.CLAIMED, False),
        ("conversation", (), Assurance.ATTESTED, False),
        ("conversation", (), Assurance.VERIFIED, True),
        ("conversation", ("salesforce",), Assurance.CLAIMED, True),
        ("genesys", (), Assurance.CLAIMED, True),
        ("salesforce", (), Assurance.CLAIMED, True),
    ],
)
def test_a_callers_word_alone_proves_nothing(
    source: str, also: tuple[str, ...], assurance: Assurance, proven: bool
) -> None:
    claim = Claim(source, assurance, "", "", also=also)
    assert claim.proven is proven
    assert Claim.from_item(claim.to_item()) == claim
