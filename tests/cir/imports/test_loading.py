"""An import as a whole: every line is reported once, the sum adds up, a failure ends it in order."""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import DynamoDBError, boto3_dynamodb
from cir.crm.export_file import Line
from cir.crm.record import CrmRecord, Problem
from cir.genesys.errors import UnavailableError
from cir.imports.loading import Imported, Report, import_lines
from cir.index.store import IdentityStore, TableNames
from cir.sync.customers import Change, Sync, Synced
from sandbox.aws.services import Aws
from tests.conftest import new_environment, tables_of
from tests.support.genesys_cloud import GenesysCloud
from tests.support.importer import lines
from tests.support.sync_plane import MAPPING, SyncPlane, account, crm_id, loyalty, mobile, phone, watched


def until_it_fails(imported: Iterator[Imported]) -> tuple[list[Imported], Exception]:
    done: list[Imported] = []
    try:
        for each in imported:
            done.append(each)  # noqa: PERF402 - what came before the failure counts
    except Exception as error:
        return done, error
    pytest.fail("it did not fail")


def report_of(imported: list[Imported]) -> Report:
    report = Report()
    for each in imported:
        report.add(each)
    return report


@pytest.mark.slow
def test_every_line_is_reported_once_and_the_report_adds_up(plane: SyncPlane) -> None:
    rows: list[CrmRecord | Problem] = [account(number, MobilePhone="call me") for number in range(3)]
    rows += [Problem("Id", "no value")] * 2 + [Problem("row", "3 columns where the header has 4")]
    rows += [account(number) for number in range(3, 23)]
    rows += [account(23, Loyalty_Number__c="L-1"), account(24, Loyalty_Number__c="L-1")]
    imported = list(import_lines(lines(*rows), plane.new_sync(), workers=1))
    assert sorted(each.line for each in imported) == list(range(2, 2 + len(rows)))
    report = report_of(imported)
    assert report.rows == len(rows) == sum(report.changes.values())
    as_dict = report.as_dict()
    assert {name: as_dict[name] for name in ("rows", "created", "updated", "unchanged", "refused")} == {
        "rows": 28, "created": 25, "updated": 0, "unchanged": 0, "refused": 3,
    }  # fmt: skip
    assert as_dict["refusedBecause"] == [
        {"column": "Id", "reason": "no value", "rows": 2},
        {"column": "row", "reason": "3 columns where the header has 4", "rows": 1},
    ]
    left_out = {(each["column"], each["rows"]) for each in as_dict["leftOut"]}
    assert left_out == {("MobilePhone", 3), ("loyalty", 1)}


def test_an_import_knows_which_contact_each_row_has_become(plane: SyncPlane) -> None:
    imported = list(import_lines(lines(account(1), account(2)), plane.new_sync()))
    assert {each.crm_id: {each.contact_id} for each in imported} == {
        crm_id(number).value: plane.owners(mobile(number)) for number in (1, 2)
    }


def test_lines_without_a_record_cost_no_request(plane: SyncPlane) -> None:
    sync = plane.new_sync()
    calls = plane.genesys.calls()
    imported = list(import_lines(lines(*[Problem("Id", "no value")] * 25), sync))
    assert Counter(each.change for each in imported) == {Change.REFUSED: 25}
    assert plane.genesys.calls() == calls


def test_when_genesys_fails_for_good_no_more_batches_are_begun(plane: SyncPlane) -> None:
    sync = plane.new_sync()
    plane.genesys.fail(status=503, operation="bulk/contacts/enrich", count=1000)
    taken: list[Line] = []

    def rows() -> Iterator[Line]:
        for line in lines(*(account(number) for number in range(100))):
            taken.append(line)
            yield line

    done, error = until_it_fails(import_lines(rows(), sync, workers=1))
    assert (done, type(error)) == ([], UnavailableError)
    assert len(taken) <= 30  # one batch under way, one waiting, one that finds no room
    attempts_of_two_batches = 2 * 5
    assert sum(number for call, number in plane.genesys.calls().items() if "enrich" in call) <= attempts_of_two_batches


@pytest.mark.slow
def test_what_is_done_before_a_table_fails_is_reported_and_the_next_run_completes_it(
    genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames
) -> None:
    dynamodb, store = watched(boto3_dynamodb(dynamodb_client), tables)
    plane = SyncPlane(genesys, store)
    rows = lines(*(account(number) for number in range(30)))

    def fail(_: str) -> None:
        if dynamodb.calls.count("TransactWriteItems") > 15:
            raise DynamoDBError("ProvisionedThroughputExceededException", "as told")

    dynamodb.before = fail
    done, error = until_it_fails(import_lines(rows, plane.new_sync(), workers=1))
    assert (Counter(each.change for each in done), str(error)[-7:]) == ({Change.CREATED: 10}, "as told")
    dynamodb.before = lambda _: None
    again = report_of(list(import_lines(rows, plane.new_sync(), workers=1))).changes
    assert (again[Change.UNCHANGED], again[Change.UPDATED] + again[Change.CREATED]) == (15, 15)
    assert len(genesys.contacts()) == 30


def test_a_batch_that_is_under_way_when_another_fails_is_reported_too(plane: SyncPlane) -> None:
    rows = lines(*(account(number) for number in range(20)))
    begun, failing = threading.Event(), threading.Event()

    class Unlucky(Sync):
        def records(self, records: Sequence[CrmRecord]) -> list[Synced]:
            if records[0].id == crm_id(0):
                begun.wait()
                failing.set()
                raise UnavailableError("as told")
            begun.set()
            failing.wait()
            return super().records(records)

    sync = Unlucky(plane.genesys.client(), plane.store, plane.organization, MAPPING)
    done, error = until_it_fails(import_lines(rows, sync, workers=2))
    assert ([each.change for each in done], str(error)) == ([Change.CREATED] * 10, "as told")


def test_an_abandoned_import_begins_nothing_more(plane: SyncPlane) -> None:
    imported = import_lines(lines(*(account(number) for number in range(60))), plane.new_sync(), workers=1)
    next(imported)
    imported.close()
    assert plane.genesys.writes() <= 3  # of six batches: the one that is done, and two that were handed to the worker


@pytest.mark.slow
def test_threads_that_import_the_people_of_one_office_do_not_lose_any(genesys: GenesysCloud, aws: Aws) -> None:
    """On a DynamoDB whose conditional writes are atomic under concurrency, unlike moto's."""
    office = phone("+1 212 555 0188")
    rows = [account(number, Phone=office.value, Loyalty_Number__c=f"L-{number // 4}") for number in range(40)]
    tables = tables_of(new_environment(aws.dynamodb))
    plane = SyncPlane(genesys, IdentityStore(boto3_dynamodb(aws.dynamodb), tables))
    imported = list(import_lines(lines(*rows), plane.new_sync(), workers=4))
    assert report_of(imported).changes == {Change.CREATED: 40}
    assert plane.owners(office) == {each.contact_id for each in imported}
    holders = Counter(owner for number in range(10) for owner in plane.owners(loyalty(f"L-{number}")))
    assert (len(holders), holders.total()) == (40, 40)  # four each, which contest it
    given = [each["value"] for contact in genesys.contacts() for each in contact["externalIds"]]
    assert sorted(each for each in given if each.startswith("L-")) == [f"L-{number}" for number in range(10)]
    assert report_of(list(import_lines(lines(*rows), plane.new_sync()))).changes == {Change.UNCHANGED: 40}
    assert len(genesys.contacts()) == 40
