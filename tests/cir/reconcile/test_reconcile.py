"""Nightly reconciliation: what differs is repaired, a broken extract changes nothing, every row is accounted for."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import boto3_dynamodb
from cir.aws.files import Directory
from cir.contacts.organization import SCHEMA_FIELDS, SCHEMA_NAME
from cir.conversation.linking import LinkOutcome
from cir.crm.connector import CrmRow
from cir.crm.mapping import OnDelete, Sign, Winner
from cir.identity.records import Contact
from cir.imports.run import IncompleteRunError
from cir.index.store import IdentityStore, TableNames
from cir.reconcile.extract import extract
from cir.reconcile.gone import follow_gone
from cir.reconcile.run import Night
from cir.sync.deletion import Deletion, Fate
from tests.support.genesys_cloud import GenesysCloud
from tests.support.mortal import KilledError, Mortal, MortalFiles
from tests.support.nightly_crm import Crm, Reconciling, begun
from tests.support.sync_plane import (
    MAPPING,
    SyncPlane,
    WatchedDynamoDB,
    account,
    busy_with,
    crm_id,
    mobile,
    phone,
)

pytestmark = pytest.mark.slow

CUSTOMERS = 24


@pytest.fixture
def world(genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames, tmp_path: Path) -> Reconciling:
    """Everybody of the CRM is in Genesys and in the index, and stays there; one good night lies behind."""
    return begun(Crm.of(CUSTOMERS), genesys, boto3_dynamodb(dynamodb_client), tables, Directory(tmp_path / "data"))


def test_a_first_load_is_for_the_import_unless_somebody_insists(world: Reconciling) -> None:
    world.crm.rows |= Crm.of(CUSTOMERS + 60).rows
    result = world.run("many new ones")
    assert result.outcome == "stopped"
    assert "first load" in result.plan.stopped[0]
    assert len(world.plane.genesys.contacts()) == CUSTOMERS


def test_a_night_in_which_nothing_has_changed_costs_no_write(world: Reconciling) -> None:
    writes = world.plane.genesys.writes()
    result = world.run("quiet")
    assert (result.outcome, result.plan.unchanged, result.adds_up) == ("nothing to do", CUSTOMERS, True)
    assert world.plane.genesys.writes() == writes


def test_what_has_changed_in_the_crm_is_repaired_and_told_by_field(world: Reconciling) -> None:
    world.run("quiet")
    world.crm.change(1, Account_Tier__c="Platinum")
    world.crm.change(2, MobilePhone="+12125550199")
    world.crm.change(3, Salutation="Dr")
    world.crm.change(CUSTOMERS)
    result = world.run("changes")
    plan = result.plan
    assert (plan.changed, plan.new, plan.unchanged, result.adds_up) == (3, 1, CUSTOMERS - 3, True)
    assert dict(plan.drift) == {"customerTier": 1, "assignedQueueId": 1, "cellPhone": 1, "other fields": 1}
    assert result.loaded == {"created": 1, "updated": 3}
    assert world.tier(1) == "Platinum"
    assert len(world.plane.genesys.contacts()) == CUSTOMERS + 1
    assert world.run("after").plan.unchanged == CUSTOMERS + 1


def test_repairs_are_written_ten_to_a_request(world: Reconciling) -> None:
    world.crm.all(lambda each: replace(each, values={**each.values, "Status__c": "Active"}))
    before = world.plane.genesys.writes()
    assert world.run("all", force=True).loaded == {"updated": CUSTOMERS}
    assert world.plane.genesys.writes() - before == 3


def test_customers_that_are_gone_are_told_and_left(world: Reconciling) -> None:
    world.crm.delete(5)
    del world.crm.rows[crm_id(6).value]
    result = world.run("gone")
    assert (result.plan.gone, result.plan.deleted, result.plan.rows, result.adds_up) == (2, 1, CUSTOMERS - 1, True)
    told = {each["contactId"] for each in result.plan.missing}
    assert told == {owner for number in (5, 6) for owner in world.plane.owners(crm_id(number))}
    assert len(world.plane.genesys.contacts()) == CUSTOMERS


def test_where_the_policy_says_so_contacts_go_that_the_crm_confirms_to_be_gone(world: Reconciling) -> None:
    """One record is deleted, one is only missing from the extract."""
    night, store, client = world.night("gone"), world.plane.store, world.plane.genesys.client()
    everybody = dict(world.crm.rows)
    world.crm.delete(5)
    del world.crm.rows[crm_id(6).value]
    world.run("gone")
    world.crm.rows[crm_id(6).value] = everybody[crm_id(6).value]
    fates: list[dict[Fate, int]] = []
    for policy in (OnDelete.KEEP, OnDelete.DELETE, OnDelete.DELETE):
        deletion = Deletion(client, store, world.plane.organization, policy)
        fates.append(dict(follow_gone(night, store, deletion, "salesforce", world.crm.fetch)))
    assert fates == [{}, {Fate.DELETED: 1}, {Fate.ABSENT: 1}]
    assert len(world.plane.genesys.contacts()) == CUSTOMERS - 1
    assert (len(world.plane.owners(crm_id(5))), len(world.plane.owners(crm_id(6)))) == (0, 1)


def test_a_deletion_that_others_were_in_the_way_of_is_told_as_postponed(
    world: Reconciling, dynamodb_client: DynamoDBClient
) -> None:
    night, rival = world.night("gone"), rival_of(world, dynamodb_client)
    (owner,) = world.plane.owners(crm_id(5))
    world.crm.delete(5)
    world.run("gone")
    deletion = Deletion(world.plane.genesys.client(), world.plane.store, world.plane.organization, OnDelete.RELEASE)
    fates: list[dict[Fate, int]] = []
    for before in (busy_with(rival.store, owner), lambda _: None):
        watching(world).before = before
        fates.append(dict(follow_gone(night, world.plane.store, deletion, "salesforce", world.crm.fetch)))
    assert fates == [{Fate.POSTPONED: 1}, {Fate.WITHDRAWN: 1}]


def opting_out(world: Reconciling) -> Reconciling:
    rule = Sign("HasOptedOutOfEmail", frozenset({"true", "yes"}))
    plane = SyncPlane(world.plane.genesys, world.plane.store, replace(MAPPING, opt_out=rule, on_delete=OnDelete.DELETE))
    return replace(world, plane=plane)


def test_whoever_has_opted_out_goes_once_as_the_mapping_says(world: Reconciling) -> None:
    world = opting_out(world)
    world.run("quiet")
    world.crm.change(3, HasOptedOutOfEmail="true")
    world.crm.change(CUSTOMERS, HasOptedOutOfEmail="Yes")
    result = world.run("one less")
    assert (result.plan.opted_out, result.plan.unchanged, result.adds_up) == (1, CUSTOMERS, True)
    assert (result.outcome, result.loaded) == ("repaired", {"withdrawn": 1})
    assert len(world.plane.genesys.contacts()) == CUSTOMERS - 1
    again = world.run("after")
    assert (again.outcome, again.plan.unchanged, again.adds_up) == ("nothing to do", CUSTOMERS + 1, True)


def test_half_of_the_customers_opting_out_in_a_night_is_not_believed(world: Reconciling) -> None:
    world = opting_out(world)
    world.run("quiet")
    for number in range(CUSTOMERS // 2):
        world.crm.change(number, HasOptedOutOfEmail="true")
    result = world.run("many less")
    assert result.outcome == "stopped"
    assert "have opted out or become inactive at once" in result.plan.stopped[0]
    assert len(world.plane.genesys.contacts()) == CUSTOMERS


def test_what_genesys_may_keep_is_neither_drift_nor_repaired(world: Reconciling) -> None:
    kept = dict.fromkeys(("customerTier", "cellPhone"), Winner.GENESYS)
    plane = SyncPlane(world.plane.genesys, world.plane.store, replace(MAPPING, survivorship=kept))
    world = replace(world, plane=plane)
    world.run("other rules", force=True)
    (owner,) = world.plane.owners(crm_id(1))
    changes = {"$.customFields.customerTier": "Platinum", "$.cellPhone": {"display": "+12125550123"}}
    plane.genesys.client().contacts.patch(
        owner, [{"field": field, "action": "Update", "value": value} for field, value in changes.items()]
    )
    result = world.run("an agent knows better", audit=True)
    assert result.audit
    assert (dict(result.audit.drift), result.audit.dirty) == ({}, [])
    assert result.audit.foreign["customerTier"] == 1
    assert (result.outcome, world.tier(1)) == ("nothing to do", "Platinum")


# What must not be believed


def half_gone(crm: Crm) -> None:
    crm.rows = dict(list(crm.rows.items())[: CUSTOMERS // 2])


def without(column: str) -> Callable[[Crm], None]:
    def change(crm: Crm) -> None:
        crm.all(lambda each: CrmRow(each.id, {name: value for name, value in each.values.items() if name != column}))

    return change


def doubled(crm: Crm) -> None:
    rows = list(crm.rows.values())
    crm.rows = {f"{page}-{each.id}": each for page in "ab" for each in rows}


def empty(crm: Crm) -> None:
    crm.rows = {}


@pytest.mark.parametrize(
    ("breaks", "why"),
    [
        (half_gone, "12 of 24 customers are missing"),
        (without("Account_Tier__c"), "Account_Tier__c was filled in 100.0% of the rows and is in 0.0%"),
        (without("MobilePhone"), "MobilePhone was filled in 100.0%"),
        (doubled, "24 of 48 rows have an id that was there before"),
        (empty, "no rows at all"),
    ],
)
def test_a_broken_extract_changes_nothing_and_raises_the_alarm(
    world: Reconciling, capsys: pytest.CaptureFixture[str], breaks: Callable[[Crm], None], why: str
) -> None:
    before = sorted(json.dumps(each, sort_keys=True) for each in world.plane.genesys.contacts())
    writes = world.plane.genesys.writes()
    good = world.crm.rows
    capsys.readouterr()
    breaks(world.crm)
    result = world.run("broken")
    assert result.outcome == "stopped"
    assert any(why in each for each in result.plan.stopped), result.plan.stopped
    assert result.adds_up
    assert world.plane.genesys.writes() == writes
    assert sorted(json.dumps(each, sort_keys=True) for each in world.plane.genesys.contacts()) == before
    with pytest.raises(IncompleteRunError):
        world.load(world.night("broken"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (alarm,) = [line for line in lines if line["event"] == "reconciliation"]
    assert (alarm["level"], alarm["ReconcileStopped"]) == ("error", 1)
    assert "Stopped before anything was written" in page_of(world, "broken")

    world.crm.rows = good  # what was stopped is no measure of what comes after
    assert world.run("mended").outcome == "nothing to do"


def test_every_tier_empty_is_noticed_on_the_very_first_night(world: Reconciling) -> None:
    world.dynamodb("DeleteItem", {"TableName": world.state_table, "Key": {"name": {"S": "reconcile#last"}}})
    without("Account_Tier__c")(world.crm)
    stopped = world.run("first night").plan.stopped
    assert any("Account_Tier__c" in each for each in stopped)


def test_a_field_that_an_admin_adds_to_the_schema_is_no_change_of_anybody(world: Reconciling) -> None:
    own = {"title": "Colour", "allOf": [{"$ref": "#/definitions/text"}], "minLength": 0, "maxLength": 20}
    before = world.plane.organization.schema["version"]
    world.plane.genesys.client().organization.ensure_schema(SCHEMA_NAME, {**SCHEMA_FIELDS, "favouriteColour": own})
    world.plane.forget_organization()
    assert world.plane.organization.schema["version"] > before
    world.crm.change(1, Account_Tier__c="Platinum")
    result = world.run("after the field")
    assert (result.outcome, dict(result.plan.drift)) == ("repaired", {"customerTier": 1, "assignedQueueId": 1})
    assert (result.plan.unchanged, world.tier(1)) == (CUSTOMERS - 1, "Platinum")


def test_queues_that_were_made_anew_are_named_where_they_stop_the_night(world: Reconciling) -> None:
    queues = {tier: f"{number:08d}-0000-4000-8000-000000000000" for number, tier in enumerate(MAPPING.queues)}
    world.plane.forget_organization(replace(world.plane.organization, queue_ids=queues))
    (said,) = world.run("other queues").plan.stopped
    assert f"0 are new, {CUSTOMERS} differ in assignedQueueId; since the last good run Genesys Cloud's queues" in said


def test_what_takes_a_few_each_night_is_stopped_before_it_has_taken_many(world: Reconciling) -> None:
    """Rows that are hidden from the connection, which takes them for deleted: four of twenty-four a night."""
    plane = SyncPlane(world.plane.genesys, world.plane.store, replace(MAPPING, on_delete=OnDelete.DELETE))
    losing = replace(world, plane=plane)

    def is_stopped(name: str, *hidden: int, force: bool = False) -> bool:
        for number in hidden:
            del losing.crm.rows[crm_id(number).value]
        return losing.run(name, force=force).outcome == "stopped"

    assert not is_stopped("first", 0, 1, 2, 3)
    assert len(plane.genesys.contacts()) == CUSTOMERS - 4
    assert is_stopped("second", 4, 5, 6, 7)
    (said,) = losing.plan("second").stopped
    assert said.startswith(f"8 of {CUSTOMERS} customers have gone missing within thirty days, more than 15%")
    assert len(plane.genesys.contacts()) == CUSTOMERS - 4
    assert not is_stopped("somebody has looked", force=True)
    assert not is_stopped("a month that begins anew", 8, 9)
    assert len(plane.genesys.contacts()) == CUSTOMERS - 10


def test_a_field_that_loses_a_few_values_each_night_is_noticed(world: Reconciling) -> None:
    everybody = list(world.crm.rows)

    def night(name: str, *emptied: str) -> str:
        for each in emptied:
            world.crm.rows[each] = replace(
                world.crm.rows[each], values={**world.crm.rows[each].values, "FirstName": ""}
            )
        return world.run(name).outcome

    for start in (0, 4, 8):
        assert night(f"night {start}", *everybody[start : start + 4]) == "repaired"
    assert night("the fourth", *everybody[12:16]) == "stopped"
    assert world.plan("the fourth").stopped[0].startswith("FirstName was filled in 100.0% of the rows and is in 33.3%")


def test_a_person_who_has_looked_can_let_it_go_on(world: Reconciling) -> None:
    without("Account_Tier__c")(world.crm)
    assert world.run("mass change").outcome == "stopped"
    result = world.run("mass change again", force=True)
    assert (result.outcome, result.plan.changed, bool(result.plan.stopped)) == ("repaired", CUSTOMERS, True)
    assert world.tier(3) == ""


def test_a_dry_run_shows_the_plan_and_writes_nothing(world: Reconciling) -> None:
    world.crm.change(1, Account_Tier__c="Platinum")
    writes = world.plane.genesys.writes()
    result = world.run("dry", dry_run=True)
    assert (result.outcome, result.plan.changed, result.adds_up) == ("dry run", 1, True)
    assert (world.plane.genesys.writes(), world.tier(1)) == (writes, "Gold")
    assert world.run("wet").loaded == {"updated": 1}


def test_a_word_that_is_younger_than_the_extract_stands(world: Reconciling) -> None:
    """A webhook has brought a change while the CRM was being read."""
    night = world.night("race")
    extract(night, world.crm, MAPPING)
    world.plane.sync(account(1, FirstName="Ann", Account_Tier__c="Platinum"))
    result = world.run("race")
    assert (result.plan.newer, result.plan.changed, world.tier(1)) == (1, 0, "Platinum")


def test_two_records_on_one_contact_do_not_take_turns(world: Reconciling) -> None:
    ann, bob = (next(iter(world.plane.owners(crm_id(number)))) for number in (1, 2))
    store = world.plane.store
    contacts = store.contacts([ann, bob], consistent=True)
    store.merge(contacts[ann], [contacts[bob]], decision=store.decision(ann, "merge", "one person"))
    writes = world.plane.genesys.writes()
    result = world.run("shared")
    assert (result.plan.conflicts, result.plan.written, result.adds_up) == (1, 0, True)
    assert result.plan.shared == [{"contactId": ann, "crmIds": [crm_id(2).value]}]
    assert world.plane.genesys.writes() == writes


# What was changed in Genesys Cloud


@pytest.mark.parametrize("by", ["export", "scan"])
def test_the_audit_finds_what_was_changed_in_genesys_and_repairs_what_the_crm_is_master_of(
    world: Reconciling, by: str
) -> None:
    if by == "scan":
        world.plane.genesys.fail(operation="exports", status=403)
    client = world.plane.genesys.client()
    tampered, removed, enlarged = (next(iter(world.plane.owners(crm_id(number)))) for number in (1, 2, 3))
    fields = client.contacts.get(tampered)["customFields"]
    client.contacts.patch(
        tampered, [{"field": "$.customFields", "action": "Update", "value": {**fields, "customerTier": "Standard"}}]
    )
    client.contacts.patch(enlarged, [{"field": "$.otherEmail", "action": "Update", "value": "more@example.com"}])
    client.contacts.delete(removed)
    result = world.run("audit", audit=True)
    audit = result.audit
    assert audit
    assert (dict(audit.drift), dict(audit.foreign), audit.deleted) == ({"customerTier": 1}, {"email added": 1}, 1)
    assert (audit.contacts, audit.examined, audit.by) == (CUSTOMERS - 1, 2, by)
    assert (result.plan.changed, result.loaded, result.adds_up) == (2, {"created": 1, "updated": 1}, True)
    assert world.tier(1) == "Gold"
    assert client.contacts.get(enlarged)["otherEmail"] == "more@example.com"
    assert world.plane.owners(mobile(2)) == {world.plane.genesys.holder("Phone", mobile(2).value)}
    assert len(world.plane.genesys.contacts()) == CUSTOMERS
    again = world.run("audit again", audit=True)
    assert (again.outcome, again.plan.unchanged) == ("nothing to do", CUSTOMERS)


def shows_something_else(world: Reconciling, number: int) -> str:
    """Somebody has changed a customer's tier in Genesys Cloud itself; returns the contact."""
    (owner,) = world.plane.owners(crm_id(number))
    world.plane.genesys.client().contacts.patch(
        owner, [{"field": "$.customFields.customerTier", "action": "Update", "value": "Platinum"}]
    )
    return owner


def watching(world: Reconciling) -> WatchedDynamoDB:
    assert isinstance(world.dynamodb, WatchedDynamoDB)
    return world.dynamodb


def rival_of(world: Reconciling, dynamodb_client: DynamoDBClient) -> SyncPlane:
    """Another process that writes to the same contacts."""
    return SyncPlane(world.plane.genesys, IdentityStore(boto3_dynamodb(dynamodb_client), world.tables))


def test_a_repair_that_the_audit_ordered_is_done_whoever_gets_in_the_way(
    world: Reconciling, dynamodb_client: DynamoDBClient
) -> None:
    """A conversation links a number just while the night takes the fingerprint off the contact."""
    owner, rival = shows_something_else(world, 1), rival_of(world, dynamodb_client)
    linked: list[LinkOutcome] = []

    def interfere(operation: str) -> None:
        if operation == "TransactWriteItems" and not linked:
            linked.append(rival.link(owner, phone("+1 646 555 0177")).outcome)

    watching(world).before = interfere
    result = world.run("audited", audit=True)
    assert linked == [LinkOutcome.LINKED]
    assert (result.loaded, result.plan.postponed, world.tier(1)) == ({"updated": 1}, [], "Gold")


def test_a_repair_that_others_got_in_the_way_of_all_the_time_is_told_as_not_done(
    world: Reconciling, dynamodb_client: DynamoDBClient, capsys: pytest.CaptureFixture[str]
) -> None:
    owner, _ = shows_something_else(world, 1), shows_something_else(world, 2)
    watching(world).before = busy_with(rival_of(world, dynamodb_client).store, owner)
    capsys.readouterr()
    result = world.run("busy", audit=True)
    assert (result.plan.postponed, result.loaded, result.adds_up) == ([owner], {"unchanged": 1, "updated": 1}, True)
    assert (world.tier(1), world.tier(2)) == ("Platinum", "Gold")
    page = page_of(world, "busy")
    assert "1 customers were repaired" in page
    assert owner in page.partition("Not repaired")[2]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if line["event"] == "reconciliation"]
    assert (line["level"], line["postponed"]) == ("warning", 1)

    watching(world).before = lambda _: None
    again = world.run("quiet", audit=True)
    assert (again.plan.postponed, again.loaded, world.tier(1)) == ([], {"updated": 1}, "Gold")


def test_a_repair_follows_a_contact_that_was_merged_meanwhile(
    world: Reconciling, dynamodb_client: DynamoDBClient
) -> None:
    owner, rival = shows_something_else(world, 1), rival_of(world, dynamodb_client).store
    merged: list[str] = []

    def interfere(operation: str) -> None:
        if operation == "TransactWriteItems" and not merged:
            merged.append("one")
            read = rival.contacts([owner], consistent=True)[owner]
            head = Contact("head", read.profile, fingerprint=read.fingerprint)
            rival.merge(head, [read], decision=rival.decision("head", "merge", "one person"))

    watching(world).before = interfere
    result = world.run("audited", audit=True)
    assert world.plane.contact(owner).contact_id == "head"
    assert world.plane.genesys.contact(owner)["customFields"]["customerTier"] == "Gold"
    assert result.loaded == {"updated": 1}


# Dying


def test_a_night_that_dies_at_any_point_is_completed_by_calling_it_again(world: Reconciling) -> None:
    dies_at, alive = 0, False
    while not alive:
        dies_at += 1
        tier = ("Platinum", "Standard")[dies_at % 2]
        for number in (1, 2, 3):
            world.crm.change(number, Account_Tier__c=tier)
        files = MortalFiles(world.files, Mortal(dies_at))
        name = f"night {dies_at}"
        try:
            world.run(name, files=files)
            alive = True
        except KilledError:
            pass
        result = world.run(name)
        assert (result.adds_up, result.plan.changed, world.tier(2)) == (True, 3, tier), f"killed at {dies_at}"
        assert sum(result.loaded.values()) == 3
        assert len(world.plane.genesys.contacts()) == CUSTOMERS
        assert list(world.files.list(f"reconcile/{name}/rows/")) == []
    assert dies_at > 15


# The report


def page_of(world: Reconciling, name: str) -> str:
    return world.files.read(Night(name, world.files, world.night(name).state).key("report.html")).decode()


def test_the_page_holds_no_person_and_nothing_from_elsewhere(world: Reconciling) -> None:
    world.crm.change(1, FirstName="Zerlina", Email="zerlina@example.com", Account_Tier__c="Platinum")
    world.crm.change(2, Id="", Phone="<script>")
    world.run("page")
    page = page_of(world, "page")
    everything = page + world.files.read(world.night("page").key("report.json")).decode()
    for secret in ("Zerlina", "zerlina", mobile(1).value, "Customer1", "<script"):
        assert secret not in everything
    assert not re.search(r"(?:src|href)=|https?://|@import|url\(", page)
    assert crm_id(1).value in page
    assert "customerTier" in page
    assert page.count("<svg") >= 2
    assert "The numbers add up." in page


def test_the_metrics_are_told_by_field(world: Reconciling, capsys: pytest.CaptureFixture[str]) -> None:
    world.crm.change(1, Account_Tier__c="Platinum")
    capsys.readouterr()
    world.run("metrics")
    lines: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    drift = {line["Field"]: line["ReconcileDrift"] for line in lines if "ReconcileDrift" in line}
    assert drift == {"customerTier": 1, "assignedQueueId": 1}
    (total,) = [line for line in lines if line["event"] == "reconciliation"]
    assert (total["ReconcileRows"], total["ReconcileChanged"], total["ReconcileStopped"]) == (CUSTOMERS, 1, 0)
