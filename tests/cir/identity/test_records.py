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
