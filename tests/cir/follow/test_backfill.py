"""Looking up in Genesys what the index does not know."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import boto3_dynamodb
from cir.contacts.organization import ExternalSources
from cir.crm.mapping import OnDelete
from cir.follow.backfill import Backfill
from cir.identity.rules import IdentifierType
from cir.index.store import IdentityStore, TableNames
from cir.sync.customers import Change
from cir.sync.deletion import Deletion
from tests.support.genesys_cloud import GenesysCloud
from tests.support.sync_plane import (
    SyncPlane,
    account,
    crm_id,
    identifier,
    keys,
    loyalty,
    mobile,
    phone,
    watched,
)

NUMBER = phone("+44 20 7946 0958")
LOOKUP = "POST /api/v2/externalcontacts/identifierlookup/contacts"


@pytest.fixture
def backfill(plane: SyncPlane) -> Backfill:
    client = plane.genesys.client()
    return Backfill(client, plane.store, ExternalSources(client))


def lookups(genesys: GenesysCloud) -> int:
    return sum(number for call, number in genesys.calls().items() if call.endswith("identifierlookup/contacts"))


# The engine


def test_a_contact_that_only_genesys_knows_is_indexed_with_all_it_shows(plane: SyncPlane, backfill: Backfill) -> None:
    made = plane.genesys.create(
        firstName="Ann", lastName="Berg", cellPhone={"display": NUMBER.value}, workEmail="Ann@Example.com",
        whatsAppId={"phoneNumber": {"display": "447700900123"}}, twitterId={"screenName": "annberg"},
    )  # fmt: skip
    assert backfill.look_up(NUMBER) == made
    stored = plane.contact(made)
    assert (stored.profile.display_name, stored.profile.first_name) == ("Ann Berg", "Ann")
    assert keys(stored.identifiers) == {
        NUMBER.key, "email#ann@example.com", "whatsapp#+447700900123", "twitter#annberg",
    }  # fmt: skip
    assert all(plane.owners(each) == {made} for each in stored.identifiers)
    (entry,) = plane.store.history(made)
    assert (entry["kind"], entry["because"]) == ("backfill", "found in Genesys Cloud")


def test_asking_again_changes_nothing(
    genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames
) -> None:
    dynamodb, store = watched(boto3_dynamodb(dynamodb_client), tables)
    client = genesys.client()
    backfill = Backfill(client, store, ExternalSources(client))
    genesys.create(lastName="Berg", cellPhone={"display": NUMBER.value})
    backfill.look_up(NUMBER)
    dynamodb.calls.clear()
    backfill.look_up(NUMBER)
    assert set(dynamodb.calls) == {"BatchGetItem"}


def test_a_stranger_stays_a_stranger(plane: SyncPlane, backfill: Backfill) -> None:
    assert backfill.look_up(NUMBER) == ""
    plane.genesys.meet({"type": "Phone", "value": NUMBER.value})
    assert backfill.look_up(NUMBER) == ""
    assert plane.owners(NUMBER) == set()


def test_a_value_by_which_genesys_finds_though_no_field_shows_it_is_indexed_too(
    plane: SyncPlane, backfill: Backfill
) -> None:
    made = plane.genesys.create(lastName="Berg")
    cookie = identifier(IdentifierType.COOKIE, "a1b2c3")
    plane.genesys.client().contacts.claim(made, {"type": "Cookie", "value": "a1b2c3"})
    assert backfill.look_up(cookie) == made
    assert plane.owners(cookie) == {made}


def test_what_the_crm_has_said_of_a_customer_is_not_overwritten(plane: SyncPlane, backfill: Backfill) -> None:
    (ann,) = plane.sync(account(1, FirstName="Ann", Account_Tier__c="Gold"))
    agent = plane.genesys.client().contacts
    agent.patch(ann.contact_id, [
        {"field": "$.firstName", "action": "Update", "value": "Anna"},
        {"field": "$.homePhone", "action": "Update", "value": {"display": NUMBER.value}},
    ])  # fmt: skip
    assert backfill.look_up(NUMBER) == ann.contact_id
    stored = plane.contact(ann.contact_id)
    assert (stored.profile.first_name, stored.profile.customer_tier) == ("Ann", "Gold")
    assert plane.owners(NUMBER) == plane.owners(mobile(1)) == {ann.contact_id}
    assert plane.sync(account(1, FirstName="Ann", Account_Tier__c="Gold"))[0].change is Change.UNCHANGED


def test_what_genesys_says_of_a_contact_that_no_crm_feeds_is_kept_up_to_date(
    plane: SyncPlane, backfill: Backfill
) -> None:
    made = plane.genesys.create(firstName="Ann", cellPhone={"display": NUMBER.value})
    backfill.look_up(NUMBER)
    plane.genesys.client().contacts.patch(made, [{"field": "$.firstName", "action": "Update", "value": "Anna"}])
    backfill.look_up(NUMBER)
    assert plane.contact(made).profile.first_name == "Anna"


def test_an_exclusive_id_that_another_contact_holds_is_left_there_and_the_rest_indexed(
    plane: SyncPlane, backfill: Backfill
) -> None:
    (ann,) = plane.sync(account(1, Loyalty_Number__c="GLD-98765"))
    source = plane.organization.source_ids["loyalty"]
    made = plane.genesys.create(
        cellPhone={"display": NUMBER.value}, externalIds=[{"externalSource": {"id": source}, "value": "GLD-98765"}]
    )
    for _ in range(2):
        assert backfill.look_up(NUMBER) == made
    assert plane.owners(loyalty("GLD-98765")) == {ann.contact_id}
    assert plane.owners(NUMBER) == {made}
    assert len(plane.store.history(made)) == 1


@dataclass
class SlowStore:
    """An index that after its first reading is reached only when somebody else has done something."""

    real: IdentityStore
    meanwhile: list[Callable[[], object]]
    read: bool = False

    def __getattr__(self, name: str) -> Any:
        while self.read and self.meanwhile:
            self.meanwhile.pop()()
        self.read = True
        return getattr(self.real, name)


def test_what_changes_while_genesys_is_asked_is_not_brought_back(plane: SyncPlane) -> None:
    work = {"Phone": NUMBER.value}
    plane.sync(account(1, **work), account(2))
    (bob,) = plane.owners(crm_id(2))
    client = plane.genesys.client()
    meanwhile = [lambda: plane.sync(account(1)), lambda: plane.sync(account(2, **work))][::-1]
    backfill = Backfill(client, cast(IdentityStore, SlowStore(plane.store, list(meanwhile))), ExternalSources(client))
    assert backfill.look_up(NUMBER) == bob
    assert plane.owners(NUMBER) == {bob}


def test_who_is_deleted_while_genesys_is_asked_stays_so(plane: SyncPlane) -> None:
    plane.sync(account(1))
    client = plane.genesys.client()
    deletion = Deletion(client, plane.store, plane.organization, OnDelete.DELETE)
    slow = SlowStore(plane.store, [lambda: deletion.follow(crm_id(1))])
    assert Backfill(client, cast(IdentityStore, slow), ExternalSources(client)).look_up(mobile(1)) == ""
    assert plane.owners(mobile(1)) == set()


def test_contacts_that_an_agent_has_merged_are_one_in_the_index_too(plane: SyncPlane, backfill: Backfill) -> None:
    ann, bob = plane.sync(account(1, Account_Tier__c="Gold"), account(2))
    one = plane.genesys.merge(ann.contact_id, bob.contact_id)
    assert backfill.look_up(mobile(2)) == one
    led_to = [plane.owners(each) for each in (mobile(1), mobile(2), crm_id(1), crm_id(2))]
    assert led_to == [{one}] * 4
    assert plane.contact(ann.contact_id).contact_id == one
    assert plane.contact(one).profile.customer_tier
    kinds = [entry["kind"] for entry in plane.store.history(one)]
    assert kinds[0] == "merge"


def test_an_id_of_a_system_that_genesys_does_not_know_is_nobodys(plane: SyncPlane, backfill: Backfill) -> None:
    ticket = identifier(IdentifierType.EXTERNAL, "CS-1", "servicenow")
    assert backfill.look_up(ticket) == ""
    assert lookups(plane.genesys) == 0


def test_a_system_that_is_set_up_later_is_noticed_without_being_asked_for_at_every_lookup(
    genesys: GenesysCloud,
) -> None:
    now = 1000.0
    client = genesys.client()
    sources = ExternalSources(client, clock=lambda: now)
    for _ in range(5):
        assert sources.ids(needed="loyalty") == {}
    client.organization.ensure_external_source("Loyalty programme")
    asked = genesys.calls()
    assert sources.ids(needed="loyalty") == {}
    assert genesys.calls() == asked
    now += 3600
    assert set(sources.ids(needed="loyalty")) == {"loyalty"}
