"""A CRM record becomes an External Contact and an entry of the index: once, whatever comes between."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import DynamoDBError, boto3_dynamodb, unmarshal_item
from cir.contacts.organization import SCHEMA_FIELDS, SCHEMA_NAME, prepare
from cir.conversation.linking import LinkOutcome
from cir.crm.record import CrmRecord, read_record
from cir.genesys.client import GenesysClient
from cir.genesys.errors import ConfigurationError, InvalidRequestError, UnavailableError
from cir.genesys.models import EnrichRequest, EnrichResult
from cir.http.retries import Timing
from cir.identity.identifiers import Identifier
from cir.identity.rules import Assurance
from cir.index.review import open_cases
from cir.index.store import IdentityStore, TableNames
from cir.sync.customers import Change, Sync, Synced
from cir.sync.drafts import drafts_of, with_version
from sandbox.customers.salesforce import contact_id as salesforce_id
from tests.support.genesys_cloud import GenesysCloud
from tests.support.identity_world import without_ids
from tests.support.scripted_genesys import Script, Time, answer, client_of
from tests.support.sync_plane import (
    MAPPING,
    SyncPlane,
    account,
    busy_with,
    crm_id,
    email,
    keys,
    loyalty,
    mobile,
    phone,
    watched,
)

OFFICE = phone("+1 212 555 0188")
GOLD = loyalty("GLD-98765")
CONTESTED = "loyalty: another contact has it too, so it identifies neither: a duplicate? (••••••65)"


def changes(synced: list[Synced]) -> list[Change]:
    return [each.change for each in synced]


def told(synced: Synced) -> list[str]:
    return [str(problem) for problem in synced.problems]


def everything(dynamodb: DynamoDBClient, tables: TableNames) -> dict[str, list[dict[str, Any]]]:
    """All items of all tables."""
    return {
        name: [unmarshal_item(item) for item in dynamodb.scan(TableName=name)["Items"]]
        for name in (tables.identifiers, tables.contacts, tables.ledger)
    }


# What is written


def test_a_new_record_becomes_a_contact_with_its_profile_and_everything_that_leads_to_it(plane: SyncPlane) -> None:
    (ann,) = plane.sync(
        account(1, FirstName="Ann", Phone=OFFICE.value, Email="ann@example.com", WhatsApp__c="447700900123",
                Twitter__c="annberg", Loyalty_Number__c="GLD-98765", Account_Tier__c="Gold", Status__c="Active"),
    )  # fmt: skip
    assert (ann.change, ann.problems) == (Change.CREATED, ())
    stored = plane.contact(ann.contact_id)
    assert (stored.profile.display_name, stored.profile.customer_tier) == ("Ann Customer1", "Gold")
    assert keys(stored.identifiers) == {
        crm_id(1).key, GOLD.key, OFFICE.key, mobile(1).key,
        "email#ann@example.com", "whatsapp#+447700900123", "twitter#annberg",
    }  # fmt: skip
    assert all(plane.owners(each) == {ann.contact_id} for each in stored.identifiers)
    shown = plane.genesys.contact(ann.contact_id)
    assert shown["type"] == "Curated"
    assert shown["workPhone"]["e164"] == OFFICE.value
    assert shown["customFields"] == {
        "customerTier": "Gold",
        "accountStatus": "Active",
        "assignedQueueId": stored.profile.assigned_queue_id,
    }
    assert stored.profile.assigned_queue_id
    (entry,) = plane.store.history(ann.contact_id)
    assert (entry["kind"], entry["because"]) == ("sync", "a new salesforce record")
    assert set(entry["details"]["claimed"]) == keys(stored.identifiers)


@pytest.mark.slow
def test_running_again_reads_a_little_and_writes_nothing(
    genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames
) -> None:
    dynamodb, store = watched(boto3_dynamodb(dynamodb_client), tables)
    plane = SyncPlane(genesys, store)
    records = [account(number, Phone=OFFICE.value, Loyalty_Number__c=f"L-{number}") for number in range(10)]
    first = plane.sync(*records)
    assert changes(first) == [Change.CREATED] * 10
    writes = genesys.writes()
    dynamodb.calls.clear()
    again = plane.sync(*records)
    assert changes(again) == [Change.UNCHANGED] * 10
    assert [each.contact_id for each in again] == [each.contact_id for each in first]
    assert genesys.writes() == writes
    assert dynamodb.calls == ["BatchGetItem", "BatchGetItem"]


def test_of_a_batch_only_what_has_changed_is_sent(plane: SyncPlane) -> None:
    ann, bob = plane.sync(account(1, Account_Tier__c="Gold"), account(2))
    before = plane.genesys.contact(bob.contact_id)
    again = plane.sync(account(1, Account_Tier__c="Platinum"), account(2))
    assert changes(again) == [Change.UPDATED, Change.UNCHANGED]
    assert plane.contact(ann.contact_id).profile.customer_tier == "Platinum"
    assert plane.genesys.contact(ann.contact_id)["customFields"]["customerTier"] == "Platinum"
    assert plane.genesys.contact(bob.contact_id) == before
    latest = plane.store.history(ann.contact_id)[-1]
    assert (latest["because"], latest["details"]["claimed"], latest["details"]["released"]) == (
        "the salesforce record has changed", [], [],
    )  # fmt: skip


def test_nothing_but_mapped_columns_leaves_the_crm(
    plane: SyncPlane, dynamodb_client: DynamoDBClient, tables: TableNames, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"Id": salesforce_id(1), "LastName": "Berg", "Diagnosis__c": "asthma", "Title": "4111 1111 1111 1111"}
    record = read_record(row, MAPPING, default_region="US")
    assert isinstance(record, CrmRecord)
    (synced,) = plane.sync(record)
    assert synced.change is Change.CREATED
    written = json.dumps([everything(dynamodb_client, tables), plane.genesys.contacts(), told(synced)], default=str)
    written += "".join(capsys.readouterr())
    assert "Berg" in written
    assert "asthma" not in written
    assert "4111" not in without_ids(written)


def test_a_value_that_the_crm_gives_up_leaves_genesys_and_the_index(plane: SyncPlane) -> None:
    (ann,) = plane.sync(
        account(1, Phone=OFFICE.value, Email="ann@example.com", WhatsApp__c="447700900123", Title="Dr",
                Loyalty_Number__c="GLD-98765", Account_Tier__c="Gold"),
    )  # fmt: skip
    assert changes(plane.sync(account(1))) == [Change.UPDATED]
    assert keys(plane.contact(ann.contact_id).identifiers) == {crm_id(1).key, mobile(1).key}
    assert not [each for each in (OFFICE, GOLD, email("ann@example.com")) if plane.owners(each)]
    assert plane.genesys.holder("Phone", OFFICE.value) is None
    shown = plane.genesys.contact(ann.contact_id)
    assert not shown.keys() & {"workPhone", "workEmail", "whatsAppId", "title"}
    assert [each["value"] for each in shown["externalIds"]] == [salesforce_id(1)]
    assert not shown.get("customFields")
    assert plane.contact(ann.contact_id).profile.customer_tier == ""
    released = plane.store.history(ann.contact_id)[-1]["details"]["released"]
    assert released == sorted(["email#ann@example.com", GOLD.key, OFFICE.key, "whatsapp#+447700900123"])


def test_a_number_that_has_moved_to_another_column_stands_there_only(plane: SyncPlane) -> None:
    (ann,) = plane.sync(account(1))
    plane.sync(account(1, MobilePhone="", Phone=mobile(1).value))
    shown = plane.genesys.contact(ann.contact_id)
    assert shown["workPhone"]["e164"] == mobile(1).value
    assert "cellPhone" not in shown
    assert plane.owners(mobile(1)) == {ann.contact_id}
    assert plane.genesys.holder("Phone", mobile(1).value) == ann.contact_id


def test_what_an_agent_has_entered_stays(plane: SyncPlane) -> None:
    (ann,) = plane.sync(account(1, Account_Tier__c="Gold"))
    agent = plane.genesys.client().contacts
    agent.patch(ann.contact_id, [{"field": "$.homePhone", "action": "Update", "value": {"display": "+442079460958"}}])
    agent.patch(ann.contact_id, [{"field": "$.address.city", "action": "Update", "value": "Oslo"}])
    plane.sync(account(1, Account_Tier__c="Standard"))
    shown = plane.genesys.contact(ann.contact_id)
    assert (shown["homePhone"]["e164"], shown["address"]["city"]) == ("+442079460958", "Oslo")


def test_what_was_linked_in_a_conversation_survives_the_crm_in_genesys_too(plane: SyncPlane) -> None:
    (ann,) = plane.sync(account(1))
    new = phone("+1 646 555 0177")
    assert plane.link(ann.contact_id, new).outcome is LinkOutcome.LINKED
    assert plane.genesys.contact(ann.contact_id)["workPhone"]["e164"] == new.value
    plane.sync(account(1, Phone=OFFICE.value))
    assert plane.owners(new) == plane.owners(OFFICE) == {ann.contact_id}
    shown = plane.genesys.contact(ann.contact_id)
    assert shown["workPhone"]["e164"] == OFFICE.value
    assert new.value in [shown.get(slot, {}).get("e164") for slot in ("homePhone", "otherPhone")]
    assert plane.genesys.holder("Phone", new.value) == ann.contact_id


# Whose it is


def test_a_shared_landline_never_leads_to_somebody_elses_contact(plane: SyncPlane) -> None:
    ann, bob = plane.sync(account(1, Phone=OFFICE.value), account(2, Phone=OFFICE.value))
    (cid,) = plane.sync(account(3, Phone=OFFICE.value))
    assert len({ann.contact_id, bob.contact_id, cid.contact_id}) == 3
    assert plane.owners(OFFICE) == {ann.contact_id, bob.contact_id, cid.contact_id}
    assert {contact["lastName"] for contact in plane.genesys.contacts()} == {"Customer1", "Customer2", "Customer3"}


@pytest.mark.parametrize("together", [True, False])
def test_of_two_records_with_one_loyalty_number_the_second_contests_it(plane: SyncPlane, together: bool) -> None:
    pair = [account(number, Loyalty_Number__c="GLD-98765") for number in (1, 2)]
    first, second = plane.sync(*pair) if together else (*plane.sync(pair[0]), *plane.sync(pair[1]))
    assert changes([first, second]) == [Change.CREATED, Change.CREATED]
    assert (told(first), told(second)) == ([], [CONTESTED])
    assert plane.owners(GOLD) == {first.contact_id, second.contact_id}
    (case,) = open_cases(plane.store)
    assert set(case.contacts) == {first.contact_id, second.contact_id}
    assert case.evidence[0]["because"] == "both have one loyalty id in the CRM"
    assert [each["value"] for each in plane.genesys.contact(second.contact_id)["externalIds"]] == [salesforce_id(2)]
    again = plane.sync(*pair)
    assert (changes(again), told(again[1])) == ([Change.UNCHANGED] * 2, [CONTESTED])


def test_two_threads_with_one_loyalty_number_agree_on_whose_it_is(
    genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames
) -> None:
    """The second reads the index before the first has written it, and its own contact after."""
    dynamodb, store = watched(boto3_dynamodb(dynamodb_client), tables)
    plane, rival = SyncPlane(genesys, store), SyncPlane(genesys, IdentityStore(boto3_dynamodb(dynamodb_client), tables))
    won: list[Synced] = []

    def overtake(operation: str) -> None:
        if operation == "TransactWriteItems" and not won:
            won.extend(rival.sync(account(1, Loyalty_Number__c="GLD-98765")))

    dynamodb.before = overtake
    (lost,) = plane.sync(account(2, Loyalty_Number__c="GLD-98765"))
    assert told(lost) == [CONTESTED]
    assert plane.owners(GOLD) == {won[0].contact_id, lost.contact_id}
    assert keys(plane.contact(lost.contact_id).identifiers) == {crm_id(2).key, mobile(2).key, GOLD.key}
    assert [each["value"] for each in genesys.contact(lost.contact_id)["externalIds"]] == [salesforce_id(2)]


def test_a_loyalty_number_can_pass_to_another_customer(plane: SyncPlane) -> None:
    ann, bob = plane.sync(account(1, Loyalty_Number__c="GLD-98765"), account(2))
    before, after = plane.sync(account(2, Loyalty_Number__c="GLD-98765"), account(1))
    assert (told(before), changes([before, after])) == ([CONTESTED], [Change.UPDATED, Change.UPDATED])
    (now,) = plane.sync(account(2, Loyalty_Number__c="GLD-98765"))
    assert (now.change, told(now)) == (Change.UPDATED, [])
    assert plane.owners(GOLD) == {bob.contact_id}
    ids = {contact["id"]: [each["value"] for each in contact["externalIds"]] for contact in plane.genesys.contacts()}
    assert ids == {ann.contact_id: [salesforce_id(1)], bob.contact_id: [salesforce_id(2), "GLD-98765"]}


def test_an_id_that_genesys_has_on_somebody_else_does_not_overwrite_that_person(plane: SyncPlane) -> None:
    source = plane.organization.source_ids["loyalty"]
    stranger = plane.genesys.create(
        lastName="Stranger", externalIds=[{"externalSource": {"id": source}, "value": "GLD-98765"}]
    )
    (synced,) = plane.sync(account(2, Loyalty_Number__c="GLD-98765"))
    assert synced.contact_id != stranger
    assert plane.genesys.contact(stranger)["lastName"] == "Stranger"


@pytest.mark.parametrize("characters", [15, 18])
def test_a_contact_that_holds_either_form_of_a_salesforce_id_is_found(plane: SyncPlane, characters: int) -> None:
    source = plane.organization.source_ids["salesforce"]
    there = plane.genesys.create(
        lastName="Customer1", externalIds=[{"externalSource": {"id": source}, "value": salesforce_id(1)[:characters]}]
    )
    (synced,) = plane.sync(account(1))
    assert synced.contact_id == there
    assert plane.owners(crm_id(1)) == {there}
    assert {each["value"] for each in plane.genesys.contact(there)["externalIds"]} >= {salesforce_id(1)}
    assert changes(plane.sync(account(1))) == [Change.UNCHANGED]


def test_a_short_salesforce_id_of_another_case_is_another_customers(plane: SyncPlane) -> None:
    source = plane.organization.source_ids["salesforce"]
    other = plane.genesys.create(
        lastName="Stranger", externalIds=[{"externalSource": {"id": source}, "value": salesforce_id(1)[:15].swapcase()}]
    )
    (synced,) = plane.sync(account(1))
    assert synced.contact_id != other
    assert plane.genesys.contact(other)["lastName"] == "Stranger"


# Somebody else at the same moment


def test_a_change_by_somebody_else_meanwhile_is_not_lost(
    genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames
) -> None:
    dynamodb, store = watched(boto3_dynamodb(dynamodb_client), tables)
    plane = SyncPlane(genesys, store)
    (ann,) = plane.sync(account(1))
    new = phone("+1 646 555 0177")
    linked: list[Identifier] = []

    def interfere(operation: str) -> None:
        if operation == "TransactWriteItems" and not linked:
            linked.append(new)
            plane.link(ann.contact_id, new)

    dynamodb.before = interfere
    (synced,) = plane.sync(account(1, Account_Tier__c="Gold"))
    assert (synced.change, linked) == (Change.UPDATED, [new])
    contact = plane.contact(ann.contact_id)
    assert (contact.profile.customer_tier, new in contact.identifiers) == ("Gold", True)


@pytest.mark.slow
def test_a_record_that_others_always_get_in_the_way_of_is_reported_and_the_rest_goes_on(
    genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames
) -> None:
    dynamodb, store = watched(boto3_dynamodb(dynamodb_client), tables)
    plane = SyncPlane(genesys, store)
    (ann,) = plane.sync(account(1))
    rival = IdentityStore(boto3_dynamodb(dynamodb_client), tables)

    dynamodb.before = busy_with(rival, ann.contact_id)
    busy, bob = plane.sync(account(1, Account_Tier__c="Gold"), account(2))
    assert (busy.change, told(busy)) == (
        Change.REFUSED,
        ["record: changed by somebody else at the same moment; run again"],
    )
    assert bob.change is Change.CREATED
    dynamodb.before = lambda _: None
    assert changes(plane.sync(account(1, Account_Tier__c="Gold"), account(2))) == [Change.UPDATED, Change.UNCHANGED]


@pytest.mark.slow
def test_a_contact_merged_by_an_agent_is_followed_and_keeps_what_both_had(plane: SyncPlane) -> None:
    ann, bob = plane.sync(account(1), account(2, Loyalty_Number__c="GLD-98765"))
    one = plane.genesys.merge(ann.contact_id, bob.contact_id)
    (first,) = plane.sync(account(1, Account_Tier__c="Gold"))
    (second,) = plane.sync(account(2, Account_Tier__c="Gold", Loyalty_Number__c="GLD-98765"))
    assert (changes([first, second]), {first.contact_id, second.contact_id}) == ([Change.UPDATED] * 2, {one})
    led_to = [plane.owners(each) for each in (crm_id(1), crm_id(2), mobile(1), mobile(2), GOLD)]
    assert led_to == [{one}] * 5
    assert {plane.contact(each.contact_id).contact_id for each in (ann, bob)} == {one}
    assert {mobile(1), mobile(2)} <= set(plane.contact(one).identifiers)


def test_a_contact_deleted_in_genesys_is_made_again_and_its_old_id_keeps_resolving(plane: SyncPlane) -> None:
    (ann,) = plane.sync(account(1))
    new = phone("+1 646 555 0177")
    plane.link(ann.contact_id, new)
    plane.genesys.client().contacts.delete(ann.contact_id)
    (again,) = plane.sync(account(1, Account_Tier__c="Gold"))
    assert again.contact_id != ann.contact_id
    assert plane.contact(ann.contact_id).contact_id == again.contact_id
    assert plane.owners(mobile(1)) == plane.owners(new) == {again.contact_id}
    assert plane.genesys.holder("Phone", new.value) == again.contact_id
    assert changes(plane.sync(account(1, Account_Tier__c="Gold"))) == [Change.UNCHANGED]


def test_an_id_that_was_moved_to_another_living_contact_is_left_to_a_human(plane: SyncPlane) -> None:
    ann, bob = plane.sync(account(1), account(2))
    client = plane.genesys.client()
    source = plane.organization.source_ids["salesforce"]
    client.contacts.release(ann.contact_id, {
        "type": "ExternalId", "value": salesforce_id(1), "externalSource": {"id": source},
    })  # fmt: skip
    client.contacts.claim(bob.contact_id, {
        "type": "ExternalId", "value": salesforce_id(1), "externalSource": {"id": source},
    })  # fmt: skip
    (refused,) = plane.sync(account(1, Account_Tier__c="Gold"))
    assert refused.change is Change.REFUSED
    assert f"its id is on contact {bob.contact_id} in Genesys Cloud but on {ann.contact_id} in the index" in str(
        refused.problems[0]
    )
    assert plane.owners(mobile(1)) == {ann.contact_id}


# Failures


def test_a_record_that_genesys_refuses_is_reported_and_the_rest_goes_on(plane: SyncPlane) -> None:
    too_long = replace(account(2), texts={"lastName": "Winterbourne" * 100})
    ann, bad, cid = plane.sync(account(1), too_long, account(3))
    assert changes([ann, bad, cid]) == [Change.CREATED, Change.REFUSED, Change.CREATED]
    (reason,) = told(bad)
    assert reason.startswith("record: Genesys Cloud: validation.failed: ")
    assert "lastName" in reason
    assert "Winterbourne" not in reason
    assert plane.owners(crm_id(2)) == set()


def picky(client: GenesysClient, *bad: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Genesys refuses a request whole as long as one of these records is in it. Returns the sizes that it is sent."""
    ids, real, sizes = {salesforce_id(each) for each in bad}, client.contacts.enrich_many, list[int]()

    def enrich_many(requests: Sequence[EnrichRequest]) -> list[EnrichResult]:
        sizes.append(len(requests))
        if ids & {each["id"] for each in requests}:
            raise InvalidRequestError("as told", operation="contacts.enrich_many", status=422, code="validation.failed")
        return real(requests)

    monkeypatch.setattr(client.contacts, "enrich_many", enrich_many)
    return sizes


@pytest.mark.parametrize("bad", [(4,), (0, 9), (3, 4, 5)], ids=str)
def test_a_request_that_is_refused_whole_is_divided_until_the_bad_record_stands_alone(
    plane: SyncPlane, bad: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = plane.new_sync()
    sizes = picky(sync.client, *bad, monkeypatch=monkeypatch)
    synced = sync.records([account(number) for number in range(10)])
    assert changes(synced) == [Change.REFUSED if number in bad else Change.CREATED for number in range(10)]
    assert told(synced[bad[0]])[0].startswith("record: Genesys Cloud: validation.failed")
    assert len(sizes) <= 1 + 8 * len(bad)


def test_a_request_that_no_record_makes_better_ends_the_run(plane: SyncPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = plane.new_sync()
    picky(sync.client, *range(10), monkeypatch=monkeypatch)
    with pytest.raises(InvalidRequestError):
        sync.records([account(number) for number in range(10)])
    assert plane.owners(crm_id(1)) == set()


def test_a_throttled_request_is_sent_again_when_genesys_allows(plane: SyncPlane) -> None:
    plane.sync(account(1))
    time = Time()
    plane.genesys.fail(status=429, operation="bulk/contacts/enrich")
    sync = plane.new_sync(timing=Timing(lambda: time.now, time.sleep))
    assert changes(sync.records([account(2)])) == [Change.CREATED]
    assert sum(time.slept) >= 1.0  # as Retry-After says


def test_what_genesys_wants_to_be_sent_again_is_sent_again(plane: SyncPlane) -> None:
    (ann,) = plane.sync(account(1))
    busy = {"code": "service.unavailable", "message": "busy", "status": 503, "retryable": True}
    contact = {**plane.genesys.contact(ann.contact_id), "id": ann.contact_id}

    def results(**outcome: object) -> Any:
        return answer(200, {"results": [{"id": salesforce_id(1), **outcome}]})

    script = Script(results(success=False, status=503, error=busy), results(success=True, status=200, entity=contact))
    sync = Sync(client_of(script), plane.store, plane.organization, MAPPING, sleep=lambda _: None)
    assert changes(sync.records([account(1, Account_Tier__c="Gold")])) == [Change.UPDATED]
    assert len(script.calls) == 2


def test_when_genesys_stays_away_the_batch_fails_and_the_index_is_as_before(
    plane: SyncPlane, dynamodb_client: DynamoDBClient, tables: TableNames
) -> None:
    plane.sync(account(1))
    before = everything(dynamodb_client, tables)
    plane.genesys.fail(status=503, operation="bulk/contacts/enrich", count=100)
    with pytest.raises(UnavailableError):
        plane.sync(account(1, Account_Tier__c="Gold"), account(2))
    assert everything(dynamodb_client, tables) == before


def test_a_throttled_table_ends_the_run_and_the_next_one_completes_it(
    genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames
) -> None:
    dynamodb, store = watched(boto3_dynamodb(dynamodb_client), tables)
    plane = SyncPlane(genesys, store)

    def throttle(operation: str) -> None:
        if dynamodb.calls.count("TransactWriteItems") == 2:
            raise DynamoDBError("ThrottlingException", "as told")

    dynamodb.before = throttle
    with pytest.raises(DynamoDBError):
        plane.sync(account(1), account(2), account(3))
    dynamodb.before = lambda _: None
    assert changes(plane.sync(account(1), account(2), account(3))) == [
        Change.UNCHANGED,
        Change.UPDATED,
        Change.UPDATED,
    ]
    assert len(genesys.contacts()) == 3


def test_without_a_queue_that_the_mapping_names_nothing_begins(plane: SyncPlane) -> None:
    missing = replace(MAPPING, queues={"Gold": "Golden", "Standard": "Standard"})
    with pytest.raises(ConfigurationError, match=r"no queue named Golden\. Create it, or mend `queues`"):
        prepare(plane.genesys.client(), missing)


def test_an_organization_is_prepared_once(plane: SyncPlane) -> None:
    first = prepare(plane.genesys.client(), MAPPING)
    writes = plane.genesys.writes()
    assert prepare(plane.genesys.client(), MAPPING) == first
    assert plane.genesys.writes() == writes
    assert set(first.source_ids) == {"salesforce", "loyalty"}


# Death


class Killed(BaseException):
    """The process is gone; nothing catches that."""


class Life:
    """Counts the moments of a run and ends it at one of them."""

    def __init__(self, *, ends_at: int = 0) -> None:
        self.moments = 0
        self._ends_at = ends_at

    def passes(self, *_: object) -> None:
        self.moments += 1
        if self.moments == self._ends_at:
            raise Killed


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_no_contact_is_lost_and_none_is_there_twice(
    genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames
) -> None:
    """Each life imports two customers of its own and then an update; the hundreds of their numbers tell them apart.

    Between two writes it makes no difference when it ends, so the moments are those after a write or call.
    """
    dynamodb, store = watched(boto3_dynamodb(dynamodb_client), tables)
    plane = SyncPlane(genesys, store)

    def live(life: Life, records: list[CrmRecord]) -> None:
        dynamodb.after = lambda operation: life.passes() if operation == "TransactWriteItems" else None
        plane.new_sync(on_call=life.passes).records(records)

    undisturbed = Life()
    for stage in _stages(0):
        live(undisturbed, stage)
    for moment in range(1, undisturbed.moments + 1):
        life = Life(ends_at=moment)
        for stage in _stages(100 * moment):
            try:
                live(life, stage)
            except Killed:
                live(Life(), stage)
    contacts, index = _by_life(genesys, dynamodb_client, tables)
    assert [life for life, seen in contacts.items() if seen != contacts[0]] == []
    assert [life for life, seen in index.items() if seen != index[0]] == []
    assert len(contacts) == len(index) == 1 + undisturbed.moments > 6


def _stages(base: int) -> tuple[list[CrmRecord], list[CrmRecord]]:
    office, card = f"+1212555{base:04d}", f"L-{base}"
    first = [
        account(base + 1, Phone=office, Loyalty_Number__c=card, Title="Dr"),
        account(base + 2, Phone=office, Loyalty_Number__c=card),
    ]
    return first, [account(base + 1, Loyalty_Number__c=card, Account_Tier__c="Gold"), first[1]]


def _by_life(
    genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames
) -> tuple[dict[int, Any], dict[int, Any]]:
    """What Genesys and the index hold of each life, with everything that is different by design left out."""
    number_of, contacts, index = {}, dict[int, Any](), dict[int, Any]()
    for contact in genesys.contacts():
        number = int(str(contact["lastName"]).removeprefix("Customer"))
        number_of[contact["id"]] = number
        shown = {name: contact.get(name) for name in ("title", "type")}
        shown |= {slot: slot in contact for slot in ("workPhone", "cellPhone")}
        shown |= {"ids": len(contact["externalIds"]), "tier": contact.get("customFields", {}).get("customerTier")}
        contacts.setdefault(number // 100, []).append((number % 100, shown))
    items = everything(dynamodb_client, tables)
    for item in items[tables.identifiers]:
        owners = [number_of[name.removeprefix("claim#")] for name in item if name.startswith("claim#")]
        for owner in owners:
            kind = item["identifier"].split("#")[:-1]
            index.setdefault(owner // 100, Counter())[(owner % 100, *kind, len(owners), item["claim_count"])] += 1
    for item in items[tables.contacts]:
        number = number_of[item["contact_id"]]
        seen = (number % 100, len(item["identifiers"]), item["profile"]["customer_tier"])
        index.setdefault(number // 100, Counter())[seen] += 1
    return {life: sorted(seen, key=lambda each: int(each[0])) for life, seen in contacts.items()}, index


def test_what_an_earlier_release_has_given_genesys_is_not_given_again(plane: SyncPlane) -> None:
    """Its fingerprints count the version of the schema, which may have become another one since."""
    record = account(1, Account_Tier__c="Gold", Loyalty_Number__c="L-77001")
    plane.sync(record)
    (owner,) = plane.owners(crm_id(1))
    stored = plane.contact(owner)
    (draft,) = drafts_of([record], store=plane.store, organization=plane.organization, mapping=plane.mapping)
    *_, first = with_version(draft.body)
    decision = plane.store.decision(owner, "sync", "as an earlier release did")
    plane.store.put_contact(
        stored.changed(fingerprint=first), previous=stored, decision=decision, source="salesforce",
        assurance=Assurance.CLAIMED, known=plane.store.identifiers(stored.identifiers, consistent=True),
    )  # fmt: skip
    own = {"title": "Colour", "allOf": [{"$ref": "#/definitions/text"}], "minLength": 0, "maxLength": 20}
    plane.genesys.client().organization.ensure_schema(SCHEMA_NAME, {**SCHEMA_FIELDS, "favouriteColour": own})
    plane.forget_organization()
    (synced,) = plane.sync(record)
    assert synced.change is Change.UNCHANGED
    (synced,) = plane.sync(account(1, Account_Tier__c="Platinum", Loyalty_Number__c="L-77001"))
    assert synced.change is Change.UPDATED
