"""Linking in the conversation: a number or address becomes a known customer's, or stays with whom it belongs to."""

from typing import Any

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import boto3_dynamodb
from cir.conversation.linking import LINKS_A_DAY, LinkOutcome
from cir.genesys.errors import UnavailableError
from cir.identity.rules import Assurance, IdentifierType
from cir.index.store import IdentityStore, TableNames
from tests.support.genesys_cloud import GenesysCloud
from tests.support.sync_plane import SyncPlane, account, identifier, loyalty, mobile, phone, watched

NEW = phone("+1 646 555 0177")
OFFICE = phone("+1 212 555 0188")
GOLD = loyalty("GLD-98765")


@pytest.fixture
def ann(plane: SyncPlane) -> str:
    return plane.sync(account(1))[0].contact_id


def entries(plane: SyncPlane, contact_id: str, kind: str) -> list[dict[str, Any]]:
    return [entry for entry in plane.store.history(contact_id) if entry["kind"] == kind]


def test_a_new_number_leads_to_the_customer_in_the_index_and_in_genesys(plane: SyncPlane, ann: str) -> None:
    link = plane.link(ann, NEW, Assurance.ATTESTED)
    assert (link.outcome, link.contact_id) == (LinkOutcome.LINKED, ann)
    assert link.explanation == "The phone leads to this contact from now on."
    assert plane.owners(NEW) == {ann} == {plane.genesys.holder("Phone", NEW.value)}
    claim = plane.store.identifiers([NEW])[NEW].claims[ann]
    assert (claim.source, claim.assurance) == ("conversation", Assurance.ATTESTED)
    (entry,) = entries(plane, ann, "link")
    assert (entry["details"]["in_genesys"], entry["details"]["conversation_id"]) == ("claimed", "conv-1")


def test_linking_again_only_confirms(plane: SyncPlane, ann: str) -> None:
    plane.link(ann, NEW)
    before, writes = plane.store.identifiers([NEW])[NEW].claims[ann], plane.genesys.writes()
    again = plane.link(ann, NEW, Assurance.VERIFIED)
    after = plane.store.identifiers([NEW])[NEW].claims[ann]
    assert (again.outcome, again.contact_id) == (LinkOutcome.ALREADY_LINKED, ann)
    assert (after.first_seen, after.assurance) == (before.first_seen, Assurance.VERIFIED)
    assert after.last_confirmed >= before.last_confirmed
    assert plane.genesys.writes() == writes
    assert len(entries(plane, ann, "link")) == 1


def test_what_belongs_to_another_customer_stays_there_and_is_put_on_record_once(plane: SyncPlane, ann: str) -> None:
    bob = plane.sync(account(2))[0].contact_id
    for _ in range(3):
        link = plane.link(ann, mobile(2))
        assert (link.outcome, link.contact_id) == (LinkOutcome.CONFLICT, ann)
    assert plane.owners(mobile(2)) == {bob} == {plane.genesys.holder("Phone", mobile(2).value)}
    (entry,) = entries(plane, ann, "conflict")
    assert (entry["details"]["identifier"], entry["details"]["other_contacts"]) == (mobile(2).key, [bob])


def test_a_contact_without_a_free_field_is_still_found_by_the_index(plane: SyncPlane) -> None:
    full = account(1, Phone="+12125550101", HomePhone="+12125550102", OtherPhone="+12125550103")
    ann = plane.sync(full)[0].contact_id
    assert plane.link(ann, NEW).outcome is LinkOutcome.LINKED
    assert plane.owners(NEW) == {ann}
    assert plane.genesys.holder("Phone", NEW.value) is None
    assert entries(plane, ann, "link")[0]["details"]["in_genesys"] == "no free field"


def test_what_only_genesys_knows_of_another_customer_stays_there(plane: SyncPlane, ann: str) -> None:
    other = plane.genesys.create(lastName="Other", cellPhone={"display": NEW.value})
    assert plane.link(ann, NEW).outcome is LinkOutcome.CONFLICT
    assert plane.owners(NEW) == set()
    assert plane.genesys.holder("Phone", NEW.value) == other
    assert entries(plane, ann, "conflict")[0]["details"]["other_contacts"] == [other]


def test_the_ephemeral_contact_that_genesys_made_of_this_very_call_gives_its_number_up(
    plane: SyncPlane, ann: str
) -> None:
    plane.genesys.meet({"type": "Phone", "value": NEW.value})
    assert plane.link(ann, NEW).outcome is LinkOutcome.LINKED
    assert plane.owners(NEW) == {ann} == {plane.genesys.holder("Phone", NEW.value)}
    assert entries(plane, ann, "link")[0]["details"]["in_genesys"] == "taken over from an ephemeral contact"


def test_an_id_of_one_person_only_is_linked_once(plane: SyncPlane, ann: str) -> None:
    bob = plane.sync(account(2))[0].contact_id
    assert plane.link(ann, GOLD).outcome is LinkOutcome.LINKED
    assert plane.link(bob, GOLD).outcome is LinkOutcome.CONFLICT
    assert plane.owners(GOLD) == {ann}
    assert "GLD-98765" in [each["value"] for each in plane.genesys.contact(ann)["externalIds"]]


def test_an_id_that_somebody_else_gets_at_the_same_moment_is_given_back_to_genesys(
    genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames
) -> None:
    dynamodb, store = watched(boto3_dynamodb(dynamodb_client), tables)
    plane = SyncPlane(genesys, store)
    ann, bob = (each.contact_id for each in plane.sync(account(1), account(2)))
    rival = IdentityStore(boto3_dynamodb(dynamodb_client), tables)

    def overtake(operation: str) -> None:
        if operation == "TransactWriteItems" and not plane.owners(GOLD):
            read = rival.contacts([bob])[bob]
            decision = rival.decision(bob, "sync", "the CRM was faster")
            changed = read.changed(identifiers=(*read.identifiers, GOLD))
            rival.put_contact(changed, previous=read, decision=decision, source="crm", assurance=Assurance.CLAIMED)

    dynamodb.before = overtake
    assert plane.link(ann, GOLD).outcome is LinkOutcome.CONFLICT
    assert plane.owners(GOLD) == {bob}
    assert "GLD-98765" not in [each["value"] for each in genesys.contact(ann)["externalIds"]]


def test_a_link_to_a_merged_contact_goes_to_the_one_it_was_merged_into(plane: SyncPlane, ann: str) -> None:
    bob = plane.sync(account(2))[0].contact_id
    one = plane.genesys.merge(ann, bob)
    plane.sync(account(1, Account_Tier__c="Gold"))  # by which the index comes to know
    link = plane.link(ann, NEW)
    assert (link.outcome, link.contact_id) == (LinkOutcome.LINKED, one)
    assert plane.owners(NEW) == {one}
    assert plane.link(bob, mobile(2)).outcome is LinkOutcome.ALREADY_LINKED


def test_a_change_of_the_contact_meanwhile_is_not_lost(
    genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames
) -> None:
    dynamodb, store = watched(boto3_dynamodb(dynamodb_client), tables)
    plane = SyncPlane(genesys, store)
    rival = SyncPlane(genesys, IdentityStore(boto3_dynamodb(dynamodb_client), tables))
    ann = plane.sync(account(1))[0].contact_id
    changed: list[str] = []

    def interfere(operation: str) -> None:
        if operation == "TransactWriteItems" and not changed:
            changed.append(rival.sync(account(1, Account_Tier__c="Gold", Phone=OFFICE.value))[0].contact_id)

    dynamodb.before = interfere
    assert plane.link(ann, NEW).outcome is LinkOutcome.LINKED
    assert changed == [ann]
    assert plane.contact(ann).profile.customer_tier == "Gold"
    assert {NEW, OFFICE, mobile(1)} <= set(plane.contact(ann).identifiers)


def test_a_contact_is_given_so_many_numbers_a_day_and_no_more(plane: SyncPlane, ann: str) -> None:
    for number in range(LINKS_A_DAY):
        assert plane.link(ann, mobile(100 + number)).outcome is LinkOutcome.LINKED
    writes = plane.genesys.writes()
    refused = plane.link(ann, mobile(200))
    assert (refused.outcome, refused.contact_id) == (LinkOutcome.REFUSED, ann)
    assert "within a day" in refused.explanation
    assert (plane.owners(mobile(200)), plane.genesys.writes()) == (set(), writes)
    assert plane.link(ann, mobile(100)).outcome is LinkOutcome.ALREADY_LINKED


def test_a_number_that_may_be_forged_is_not_linked(plane: SyncPlane, ann: str) -> None:
    refused = plane.link(ann, NEW, Assurance.NONE)
    assert (refused.outcome, plane.owners(NEW)) == (LinkOutcome.REFUSED, set())


@pytest.mark.parametrize(
    ("typed", "name"), [("4111 1111 1111 1111", "card number"), ("536-90-4399", "national id: SSN (US)")]
)
def test_what_must_not_be_stored_is_not_linked_as_an_id(plane: SyncPlane, ann: str, typed: str, name: str) -> None:
    refused = plane.link(ann, loyalty(typed))
    assert (refused.outcome, refused.explanation) == (
        LinkOutcome.REFUSED, f"The id looks like a {name}; it is not stored.",
    )  # fmt: skip
    assert plane.owners(loyalty(typed)) == set()


def test_what_cannot_be_linked_is_refused(plane: SyncPlane, ann: str) -> None:
    unknown = plane.link("00000000-0000-4000-8000-000000000000", NEW)
    assert (unknown.outcome, unknown.explanation) == (LinkOutcome.REFUSED, "There is no such contact in the index.")
    ticket = plane.link(ann, identifier(IdentifierType.EXTERNAL, "CS-1", "servicenow"))
    assert ticket.explanation == "Genesys Cloud does not know the system that issued the id."
    plane.genesys.client().contacts.delete(ann)
    gone = plane.link(ann, NEW)
    assert (gone.outcome, gone.explanation) == (LinkOutcome.REFUSED, "Genesys Cloud has no such contact any more.")
    assert plane.owners(NEW) == set()


def test_without_genesys_nothing_is_written_to_the_index(plane: SyncPlane, ann: str) -> None:
    plane.genesys.fail(status=503, operation="identifiers", count=100)
    with pytest.raises(UnavailableError):
        plane.link(ann, NEW)
    assert plane.owners(NEW) == set()
    assert entries(plane, ann, "link") == []
