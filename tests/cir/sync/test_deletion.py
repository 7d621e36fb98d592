"""What the CRM has deleted is followed, whoever changes the contact at the same moment."""

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import boto3_dynamodb
from cir.contacts.organization import ExternalSources
from cir.crm.mapping import OnDelete
from cir.follow.events import Events
from cir.index.again import OutdatedError
from cir.index.store import IdentityStore, TableNames
from cir.sync.deletion import Deletion, Fate
from tests.support.genesys_cloud import GenesysCloud
from tests.support.sync_plane import SyncPlane, WatchedDynamoDB, account, busy_with, crm_id, mobile, phone, watched


@pytest.fixture
def busy(
    genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames
) -> tuple[WatchedDynamoDB, SyncPlane]:
    dynamodb, store = watched(boto3_dynamodb(dynamodb_client), tables)
    return dynamodb, SyncPlane(genesys, store)


def deletion(plane: SyncPlane, policy: OnDelete) -> Deletion:
    return Deletion(plane.genesys.client(), plane.store, plane.organization, policy)


@pytest.mark.parametrize(
    ("policy", "fate"), [(OnDelete.RELEASE, Fate.WITHDRAWN), (OnDelete.DELETE, Fate.DELETED)], ids=str
)
def test_a_deletion_is_followed_although_others_change_the_contact(
    busy: tuple[WatchedDynamoDB, SyncPlane],
    dynamodb_client: DynamoDBClient,
    tables: TableNames,
    policy: OnDelete,
    fate: Fate,
) -> None:
    dynamodb, plane = busy
    rival = IdentityStore(boto3_dynamodb(dynamodb_client), tables)
    (ann,) = plane.sync(account(1))
    dynamodb.before = busy_with(rival, ann.contact_id, times=1)
    assert deletion(plane, policy).follow(crm_id(1)) == (fate, ann.contact_id)
    assert plane.owners(crm_id(1)) == plane.owners(mobile(1)) == set()


def test_of_a_salesforce_id_that_genesys_has_in_two_forms_both_are_released(
    busy: tuple[WatchedDynamoDB, SyncPlane],
) -> None:
    _, plane = busy
    source, long = plane.organization.source_ids["salesforce"], crm_id(1).value
    there = plane.genesys.create(
        lastName="Customer1", externalIds=[{"externalSource": {"id": source}, "value": long[:15]}]
    )
    plane.sync(account(1))
    assert deletion(plane, OnDelete.RELEASE).follow(crm_id(1)) == (Fate.WITHDRAWN, there)
    assert not plane.genesys.contact(there).get("externalIds")


@pytest.mark.parametrize("policy", [OnDelete.RELEASE, OnDelete.DELETE], ids=str)
def test_a_deletion_of_what_is_gone_from_genesys_already_is_done(plane: SyncPlane, policy: OnDelete) -> None:
    (ann,) = plane.sync(account(1))
    plane.genesys.client().contacts.delete(ann.contact_id)
    assert deletion(plane, policy).follow(crm_id(1)) == (Fate.DELETED, ann.contact_id)
    assert plane.owners(crm_id(1)) == plane.owners(mobile(1)) == set()
    assert deletion(plane, policy).follow(crm_id(1)) == (Fate.ABSENT, "")


def test_a_landline_that_genesys_has_claimed_for_the_other_customer_leaves_its_field_and_stays_away(
    plane: SyncPlane,
) -> None:
    house = phone("+12125550188")
    synced = plane.sync(account(1, Phone=house.value), account(2, Phone=house.value, HomePhone="+12125550199"))
    holder = plane.genesys.holder("Phone", house.value) or ""
    (number,) = (each for each in (1, 2) if synced[each - 1].contact_id != holder)
    deleted = synced[number - 1].contact_id
    assert deletion(plane, OnDelete.RELEASE).follow(crm_id(number)) == (Fate.WITHDRAWN, deleted)
    assert not plane.genesys.contact(deleted).keys() & {"workPhone", "homePhone", "cellPhone"}
    client = plane.genesys.client()
    for contact_id in (deleted, holder):
        Events(client, plane.store, ExternalSources(client), plane.mapping).follow(contact_id)
    assert plane.owners(house) == {holder}


@pytest.mark.slow
def test_a_deletion_that_others_are_in_the_way_of_all_the_time_is_handed_back(
    busy: tuple[WatchedDynamoDB, SyncPlane], dynamodb_client: DynamoDBClient, tables: TableNames
) -> None:
    dynamodb, plane = busy
    rival = IdentityStore(boto3_dynamodb(dynamodb_client), tables)
    (ann,) = plane.sync(account(1))
    dynamodb.before = busy_with(rival, ann.contact_id)
    with pytest.raises(OutdatedError):
        deletion(plane, OnDelete.RELEASE).follow(crm_id(1))
    dynamodb.before = lambda _: None
    assert deletion(plane, OnDelete.RELEASE).follow(crm_id(1)) == (Fate.WITHDRAWN, ann.contact_id)
