"""Import by Genesys' own CSV import: few requests, the same report, an exact file of ids."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest.mock import patch

import boto3
import pytest

from cir.aws.files import Directory
from cir.crm.export_file import Line
from cir.crm.record import CrmRecord, Problem
from cir.follow.events import is_echo
from cir.genesys.errors import GenesysError
from cir.imports.batches import write_batches
from cir.imports.genesys_csv import Adopting, CsvImportError, export_contacts, import_files
from cir.imports.loading import Report
from cir.imports.run import Run, load_all, report, split
from cir.sync.customers import Change
from cli.commands.imports_csv import events_paused
from sandbox.customers.salesforce import contact_id as salesforce_id
from tests.support.commands import Command
from tests.support.genesys_cloud import GenesysCloud
from tests.support.mortal import KilledError, Mortal, MortalFiles
from tests.support.sync_plane import MAPPING, SyncPlane, account, loyalty, mobile, phone, write_export

pytestmark = pytest.mark.slow


@dataclass
class CsvRun:
    """One run in one directory."""

    plane: SyncPlane
    root: Path
    max_bytes: int = 2000
    life: Mortal = field(default_factory=Mortal)
    """It dies before or after it has noted how far it is."""

    def run(self, *records: CrmRecord | Problem) -> Report:
        run = Run(MortalFiles(Directory(self.root), self.life, only="csv/state.json"))
        lines = [Line(number, record) for number, record in enumerate(records, 2)]
        with patch("cir.imports.run.write_batches", lambda *given: write_batches(*given, rows=10)):
            split(run, lines, self.plane.organization, origin="one")
        sync = self.plane.new_sync()
        source_id = self.plane.organization.source_ids["salesforce"]
        import_files(
            run,
            sync.client,
            MAPPING,
            source_id=source_id,
            max_bytes=self.max_bytes,
            sleep=lambda _: None,
        )
        ids = export_contacts(run, sync.client, MAPPING, source_id=source_id, every=0.01)
        load_all(run, Adopting(sync, ids), workers=2)
        return report(run)

    @property
    def ids(self) -> dict[str, str]:
        rows = csv.DictReader(io.StringIO((self.root / "ids.csv").read_text()))
        return {row["crm_id"]: row["contact_id"] for row in rows}

    @property
    def files(self) -> list[Path]:
        return sorted((self.root / "csv").glob("*.csv"))


@pytest.fixture
def one(plane: SyncPlane, tmp_path: Path) -> CsvRun:
    return CsvRun(plane, tmp_path / "run")


def people(number: int) -> list[CrmRecord]:
    return [account(each, Email=f"p{each}@example.com", FirstName='A, "B"') for each in range(number)]


def test_files_are_imported_and_the_index_is_built_from_an_export(one: CsvRun) -> None:
    genesys = one.plane.genesys
    total = one.run(*people(25), Problem("Id", "no value"))
    assert total.changes == {Change.CREATED: 25, Change.REFUSED: 1}
    assert len(one.files) > 1
    assert all(path.stat().st_size <= one.max_bytes for path in one.files)
    contacts = {contact["id"]: contact for contact in genesys.contacts()}
    assert one.ids.keys() == {salesforce_id(number) for number in range(25)}
    assert set(one.ids.values()) == contacts.keys()
    for number in range(25):
        contact_id = one.ids[salesforce_id(number)]
        contact = contacts[contact_id]
        assert (contact["firstName"], contact["workEmail"]) == ('A, "B"', f"p{number}@example.com")
        assert contact["cellPhone"]["e164"] == mobile(number).value
        assert one.plane.owners(mobile(number)) == {contact_id}


def test_the_next_sync_brings_what_files_cannot_carry(one: CsvRun) -> None:
    fed = {"Account_Tier__c": "Gold", "Loyalty_Number__c": "L-1", "WhatsApp__c": "+44 7700 900123"}
    rich = account(1, Phone="(212) 555-0188 x4401", **fed)
    one.run(rich)
    (contact_id,) = one.ids.values()
    assert one.plane.contact(contact_id).profile.customer_tier == "Gold"  # routing need not wait for it
    assert one.plane.owners(loyalty("L-1")) == {contact_id}
    before = one.plane.genesys.contact(contact_id)
    assert "customFields" not in before
    assert before["whatsAppId"]["phoneNumber"]["e164"] == "+447700900123"
    assert (before["workPhone"]["e164"], "extension" in before["workPhone"]) == ("+12125550188", False)
    assert one.plane.owners(phone("(212) 555-0188 x4401")) == {contact_id}
    (synced,) = one.plane.sync(rich)
    assert (synced.change, synced.contact_id) == (Change.UPDATED, contact_id)
    after = one.plane.genesys.contact(contact_id)
    assert after["customFields"]["customerTier"] == "Gold"
    assert after["workPhone"]["extension"] == 4401
    assert len(after["externalIds"]) == 2
    assert one.plane.sync(rich)[0].change is Change.UNCHANGED


def test_contacts_that_exist_are_updated_by_their_crm_id_and_not_by_a_shared_number(one: CsvRun) -> None:
    office = {"Phone": "+1 212 555 0188"}
    (first,) = one.plane.sync(account(1, **office))
    total = one.run(account(1, FirstName="Ann", **office), account(2, FirstName="Bob", **office))
    assert total.changes == {Change.UPDATED: 1, Change.CREATED: 1}
    assert one.ids[salesforce_id(1)] == first.contact_id != one.ids[salesforce_id(2)]
    assert one.plane.genesys.contact(first.contact_id)["firstName"] == "Ann"


def test_files_that_are_mostly_invalid_change_nothing(one: CsvRun) -> None:
    broken = [replace(each, texts={**each.texts, "lastName": "x" * 2000}) for each in people(10)]
    with pytest.raises(CsvImportError, match="10 of 10 rows invalid and has imported none"):
        one.run(*broken)
    assert one.plane.genesys.contacts() == []


def test_a_row_that_genesys_refuses_is_in_the_report(one: CsvRun) -> None:
    one.max_bytes = 100_000
    records = people(40)
    records[7] = replace(records[7], texts={**records[7].texts, "lastName": "x" * 2000})
    total = one.run(*records)
    assert total.changes == {Change.CREATED: 39, Change.REFUSED: 1}
    assert total.refused == {("record", "Genesys Cloud has no contact with its id"): 1}
    assert len(one.ids) == 39


def test_a_run_that_dies_between_any_two_steps_imports_nothing_twice(
    one: CsvRun, genesys: GenesysCloud, tmp_path: Path
) -> None:
    one.max_bytes = 100_000
    for dies_at in range(1, 20):
        genesys.reset()
        one.plane = SyncPlane(genesys, one.plane.store)
        one.root, one.life = tmp_path / str(dies_at), Mortal(dies_at)
        try:
            one.run(*people(3))
        except KilledError:
            total = one.run(*people(3))
        else:
            break
        assert total.rows == 3
        assert len(genesys.contacts()) == 3, f"killed at {dies_at}"
        assert set(one.ids.values()) == {contact["id"] for contact in genesys.contacts()}
    else:
        pytest.fail("it never got to its end")
    assert dies_at > 8


def test_the_command_imports_by_files(
    cir: Command, deployed: pytest.MonkeyPatch, genesys: GenesysCloud, tmp_path: Path
) -> None:
    deployed.setattr("cir.imports.genesys_csv.POLL_SECONDS", (0.01, 0.1))
    file, ids = tmp_path / "accounts.csv", tmp_path / "ids.csv"
    write_export(file, ({"Id": salesforce_id(number), "LastName": f"Doe{number}"} for number in range(5)))
    ran = cir("import", file, "--via", "csv", "--json", "--ids", ids)
    assert ran.code == 0, ran.err
    summary = json.loads(ran.out)
    assert (summary["rows"], summary["created"]) == (5, 5)
    with ids.open() as written:
        found = {row["crm_id"]: row["contact_id"] for row in csv.DictReader(written)}
    assert found.keys() == {salesforce_id(number) for number in range(5)}
    assert set(found.values()) == {contact["id"] for contact in genesys.contacts()}


def test_what_genesys_tells_of_the_import_afterwards_is_nothing_new(one: CsvRun) -> None:
    """But of a contact that shows more than the file said."""
    genesys, client = one.plane.genesys, one.plane.genesys.client()
    source = {"id": one.plane.organization.source_ids["salesforce"]}
    known = genesys.create(
        lastName="Lee", workPhone={"display": "+12125550188"},
        externalIds=[{"externalSource": source, "value": salesforce_id(0)}],
    )  # fmt: skip
    one.run(*people(12))
    told = {contact["id"]: contact["modifyDate"] for page in client.contacts.scan() for contact in page.contacts}
    stored = one.plane.store.contacts(told)
    assert stored.keys() == told.keys()
    new = [each for each in told if not is_echo(stored[each], modified=told[each], told=told[each])]
    assert new == [known]


@pytest.fixture
def mapping(deployed: pytest.MonkeyPatch, aws_url: str) -> Iterator[str]:
    """The mapping of the events' queue."""
    session = boto3.Session()
    queue = session.client("sqs").create_queue(QueueName="cir-dev-events")["QueueUrl"]
    arn = session.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    role = session.client("iam").create_role(RoleName="events", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr("handler.py", "")
    functions = session.client("lambda")
    functions.create_function(
        FunctionName="cir-dev-events", Role=role, Code={"ZipFile": code.getvalue()}, Runtime="python3.13", Handler="h.h"
    )
    made = functions.create_event_source_mapping(EventSourceArn=arn["QueueArn"], FunctionName="cir-dev-events")["UUID"]
    deployed.setenv("EVENT_SOURCE_MAPPING", made)
    yield made
    functions.delete_function(FunctionName="cir-dev-events")
    session.client("iam").delete_role(RoleName="events")


def test_events_wait_until_the_import_is_over_however_it_ends(mapping: str) -> None:
    def state() -> str:
        return str(boto3.Session().client("lambda").get_event_source_mapping(UUID=mapping)["State"])

    assert state() == "Enabled"
    with suppress(CsvImportError), events_paused():
        assert state() == "Disabled"
        raise CsvImportError
    assert state() == "Enabled"


def test_it_takes_a_few_dozen_requests_however_many_customers(one: CsvRun) -> None:
    before = one.plane.genesys.calls()
    one.max_bytes = 10**6
    _ = one.plane.organization
    setup = sum(one.plane.genesys.calls().values()) - sum(before.values())
    one.run(*people(60))
    calls = {name: number for name, number in one.plane.genesys.calls().items() if "oauth" not in name}
    assert sum(calls.values()) - setup <= 25
    assert not [name for name in calls if "enrich" in name]


def test_a_job_that_fails_says_so_and_can_be_run_again(one: CsvRun, genesys: GenesysCloud) -> None:
    genesys.fail(status=400, operation="import/csv/jobs", count=1)
    with pytest.raises(GenesysError):
        one.run(*people(2))
    assert one.run(*people(2)).changes == {Change.CREATED: 2}
    state = json.loads((one.root / "csv" / "state.json").read_text())
    assert [part["finished"] for part in state["parts"]] == [True]
