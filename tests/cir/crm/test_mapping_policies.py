"""What a mapping decides besides which field feeds what: who wins a field, and what an opt-out means."""

from dataclasses import replace
from pathlib import Path

import pytest

from cir.aws.files import Directory
from cir.contacts.organization import ExternalSources
from cir.crm.export_file import Line
from cir.crm.mapping import OnDelete, Winner
from cir.crm.record import CrmRecord
from cir.follow.events import Events
from cir.identity.records import Contact
from cir.imports.genesys_csv import CsvImportError, import_files
from cir.imports.run import Run, split
from cir.index.store import IdentityStore
from cir.sync.customers import Change
from cir.sync.deletion import Deletion
from tests.support.genesys_cloud import GenesysCloud
from tests.support.sync_plane import MAPPING, SyncPlane, account, crm_id, mobile, phone

OFFICE, OTHER = phone("+1 212 555 0188"), phone("+1 212 555 0199")


def plane_of(genesys: GenesysCloud, store: IdentityStore, policy: OnDelete) -> SyncPlane:
    return SyncPlane(genesys, store, replace(MAPPING, on_delete=policy))


def opted_out(number: int, **columns: str) -> CrmRecord:
    return replace(account(number, **columns), opted_out=True)


# Opting out


def test_of_somebody_who_has_opted_out_nothing_is_written(genesys: GenesysCloud, store: IdentityStore) -> None:
    plane = plane_of(genesys, store, OnDelete.RELEASE)
    assert plane.organization
    writes = genesys.writes()
    (ann, bob) = plane.sync(opted_out(1), account(2))
    assert (ann.change, ann.contact_id, bob.change) == (Change.WITHDRAWN, "", Change.CREATED)
    assert genesys.writes() == writes + 1
    assert [each["lastName"] for each in genesys.contacts()] == ["Customer2"]
    assert plane.owners(mobile(1)) == set()


@pytest.mark.parametrize("policy", [OnDelete.RELEASE, OnDelete.DELETE])
def test_an_opt_out_follows_the_policy_of_deletions_and_may_be_repeated(
    genesys: GenesysCloud, store: IdentityStore, policy: OnDelete
) -> None:
    plane = plane_of(genesys, store, policy)
    (ann,) = plane.sync(account(1))
    (gone,) = plane.sync(opted_out(1))
    assert gone.change is Change.WITHDRAWN
    assert plane.owners(crm_id(1)) == plane.owners(mobile(1)) == set()
    assert len(genesys.contacts()) == (1 if policy is OnDelete.RELEASE else 0)
    assert store.history(ann.contact_id)[-1]["because"] == "salesforce says that the customer has opted out"
    writes = genesys.writes()
    (again,) = plane.sync(opted_out(1))
    assert (again.change, genesys.writes()) == (Change.WITHDRAWN, writes)


def test_an_inactive_record_follows_the_policy_too_and_is_a_customer_again_when_it_is_active(
    genesys: GenesysCloud, store: IdentityStore
) -> None:
    plane = plane_of(genesys, store, OnDelete.RELEASE)
    (ann,) = plane.sync(account(1))
    (gone,) = plane.sync(replace(account(1), inactive=True))
    assert (gone.change, gone.contact_id) == (Change.WITHDRAWN, ann.contact_id)
    assert plane.owners(crm_id(1)) == plane.owners(mobile(1)) == set()
    assert store.history(ann.contact_id)[-1]["because"] == "salesforce says that the record is not active"
    plane.sync(account(1))
    assert len(plane.owners(mobile(1))) == 1


def test_one_whom_genesys_will_not_let_go_is_refused_and_holds_up_nobody(
    genesys: GenesysCloud, store: IdentityStore
) -> None:
    plane = plane_of(genesys, store, OnDelete.DELETE)
    (ann,) = plane.sync(account(1))
    genesys.fail(status=403, operation="DELETE", count=1)
    refused, bob = plane.sync(opted_out(1), account(2))
    assert (refused.change, bob.change) == (Change.REFUSED, Change.CREATED)
    assert "403" in str(refused.problems[0])
    (gone,) = plane.sync(opted_out(1))
    assert (gone.change, gone.contact_id) == (Change.WITHDRAWN, ann.contact_id)


def test_where_contacts_are_kept_one_who_opts_out_stays_as_they_are(
    genesys: GenesysCloud, store: IdentityStore
) -> None:
    plane = plane_of(genesys, store, OnDelete.KEEP)
    (ann,) = plane.sync(account(1, Account_Tier__c="Gold"))
    writes = genesys.writes()
    (kept,) = plane.sync(opted_out(1, Account_Tier__c="Platinum"))
    assert (kept.change, kept.contact_id) == (Change.UNCHANGED, ann.contact_id)
    assert (plane.contact(ann.contact_id).profile.customer_tier, genesys.writes()) == ("Gold", writes)


def test_whoever_opts_in_again_is_known_again(genesys: GenesysCloud, store: IdentityStore) -> None:
    plane = plane_of(genesys, store, OnDelete.DELETE)
    for record in (account(1), opted_out(1)):
        plane.sync(record)
    (back,) = plane.sync(account(1))
    assert back.change is Change.CREATED
    assert plane.owners(mobile(1)) == {back.contact_id}


# Who wins


@pytest.fixture
def mild(genesys: GenesysCloud, store: IdentityStore) -> SyncPlane:
    """Genesys' word on some fields survives the CRM's."""
    kept = dict.fromkeys(("lastName", "customerTier", "workPhone"), Winner.GENESYS)
    return SyncPlane(genesys, store, replace(MAPPING, survivorship=kept))


def edited(plane: SyncPlane, contact_id: str) -> None:
    """An agent knows better."""
    changes = {"$.lastName": "Berg-Olsen", "$.customFields.customerTier": "Platinum",
               "$.workPhone": {"display": OTHER.value}}  # fmt: skip
    plane.genesys.client().contacts.patch(
        contact_id, [{"field": field, "action": "Update", "value": value} for field, value in changes.items()]
    )


def test_where_genesys_wins_the_crm_fills_only_what_is_empty(mild: SyncPlane) -> None:
    (ann,) = mild.sync(account(1, FirstName="Ann", Account_Tier__c="Gold", Phone=OFFICE.value, Status__c="Active"))
    shown = mild.genesys.contact(ann.contact_id)
    assert (shown["lastName"], shown["customFields"]["customerTier"]) == ("Customer1", "Gold")
    assert shown["workPhone"]["e164"] == OFFICE.value


def test_what_an_agent_has_changed_survives_where_genesys_wins(mild: SyncPlane) -> None:
    (ann,) = mild.sync(account(1, FirstName="Ann", Account_Tier__c="Gold", Phone=OFFICE.value, Status__c="Active"))
    edited(mild, ann.contact_id)
    (changed,) = mild.sync(
        account(1, FirstName="Anna", Account_Tier__c="Standard", Phone=OFFICE.value, Status__c="Late")
    )
    assert changed.change is Change.UPDATED
    shown = mild.genesys.contact(ann.contact_id)
    assert (shown["firstName"], shown["lastName"], shown["workPhone"]["e164"]) == ("Anna", "Berg-Olsen", OTHER.value)
    assert (shown["customFields"]["customerTier"], shown["customFields"]["accountStatus"]) == ("Platinum", "Late")
    profile = mild.contact(ann.contact_id).profile
    assert profile.assigned_queue_id == mild.organization.queue_ids["Platinum"]
    assert shown["customFields"]["assignedQueueId"] == profile.assigned_queue_id
    assert (profile.display_name, profile.customer_tier, profile.account_status) == (
        "Anna Berg-Olsen", "Platinum", "Late",
    )  # fmt: skip
    assert mild.owners(OFFICE) == {ann.contact_id}, "the CRM's number still leads there"


def test_what_the_crm_gives_up_stays_where_genesys_wins(mild: SyncPlane) -> None:
    (ann,) = mild.sync(account(1, Account_Tier__c="Gold", Phone=OFFICE.value, Status__c="Active"))
    mild.sync(account(1))
    shown = mild.genesys.contact(ann.contact_id)
    assert shown["workPhone"]["e164"] == OFFICE.value
    assert shown["customFields"].keys() == {"customerTier", "assignedQueueId"}
    assert mild.contact(ann.contact_id).profile.customer_tier == "Gold"
    assert mild.owners(OFFICE) == {ann.contact_id}


def test_what_an_agent_changes_is_followed_at_once_where_genesys_wins(mild: SyncPlane) -> None:
    (ann,) = mild.sync(account(1, Account_Tier__c="Gold", Phone=OFFICE.value, Status__c="Active"))
    edited(mild, ann.contact_id)
    profiles: list[Contact] = []
    for mapping in (None, mild.mapping):
        client = mild.genesys.client()
        Events(client, mild.store, ExternalSources(client), mapping).follow(ann.contact_id)
        profiles.append(mild.contact(ann.contact_id))
    assert [each.profile.customer_tier for each in profiles] == ["Gold", "Platinum"]
    queues = [mild.organization.queue_ids[tier] for tier in ("Gold", "Platinum")]
    assert [each.profile.assigned_queue_id for each in profiles] == queues
    assert profiles[1].profile.account_status == "Active"
    assert mild.owners(OTHER) == {ann.contact_id}


def test_another_rule_is_a_change(genesys: GenesysCloud, store: IdentityStore, mild: SyncPlane) -> None:
    strict = SyncPlane(genesys, store)
    (ann,) = mild.sync(account(1, Account_Tier__c="Gold"))
    edited(mild, ann.contact_id)
    assert [each.change for each in mild.sync(account(1, Account_Tier__c="Gold"))] == [Change.UNCHANGED]
    assert [each.change for each in strict.sync(account(1, Account_Tier__c="Gold"))] == [Change.UPDATED]
    assert genesys.contact(ann.contact_id)["customFields"]["customerTier"] == "Gold"


# By Genesys' CSV import


def test_csv_import_leaves_out_who_has_opted_out_and_cannot_let_genesys_win(
    genesys: GenesysCloud, store: IdentityStore, mild: SyncPlane, tmp_path: Path
) -> None:
    plane = plane_of(genesys, store, OnDelete.RELEASE)
    run = Run(Directory(tmp_path))
    split(run, [Line(2, account(1)), Line(3, opted_out(2))], plane.organization, origin="export")
    source_id = plane.organization.source_ids["salesforce"]
    with pytest.raises(CsvImportError, match=r"overwrites what the mapping lets survive .*workPhone.*--via enrich"):
        import_files(run, genesys.client(), mild.mapping, source_id=source_id)
    tier = replace(MAPPING, survivorship={"customerTier": Winner.GENESYS})
    with pytest.raises(CsvImportError, match="customerTier"):
        import_files(run, genesys.client(), tier, source_id=source_id)
    assert genesys.contacts() == []
    import_files(run, genesys.client(), plane.mapping, source_id=source_id, sleep=lambda _: None)
    assert [each["lastName"] for each in genesys.contacts()] == ["Customer1"]


def test_deletion_and_opt_out_are_told_apart(genesys: GenesysCloud, store: IdentityStore) -> None:
    plane = plane_of(genesys, store, OnDelete.RELEASE)
    (ann,) = plane.sync(account(1))
    Deletion(genesys.client(), store, plane.organization, OnDelete.RELEASE).follow(crm_id(1))
    assert store.history(ann.contact_id)[-1]["because"] == "salesforce has deleted the record"
