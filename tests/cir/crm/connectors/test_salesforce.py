"""What only Salesforce does: bulk jobs, cursors, its limit of requests."""

from datetime import timedelta

import pytest

from cir.crm.connectors import CrmError
from sandbox.crm.salesforce import Salesforce
from tests.support.crm_emulators import World, by_id

JOBS = "/services/data/v62.0/jobs/query"


def test_everything_is_one_bulk_job_read_in_pages_and_removed(salesforce: World[Salesforce]) -> None:
    salesforce.enter(25)
    salesforce.emulator.settings.page_records = 10
    assert len(list(salesforce.connector().extract())) == 25
    calls = [(call.method, call.path.removeprefix(JOBS)) for call in salesforce.data_calls() if JOBS in call.path]
    job = calls[1][1]
    assert calls == [("POST", ""), *[("GET", job)] * 3, *[("GET", f"{job}/results")] * 3, ("DELETE", job)]
    assert salesforce.emulator.jobs == {}
    assert salesforce.pauses == [1.0, 2.0]


def test_a_job_that_is_abandoned_half_way_is_removed_too(salesforce: World[Salesforce]) -> None:
    salesforce.enter(25)
    salesforce.emulator.settings.page_records = 10
    rows = salesforce.connector().extract()
    next(rows)
    assert salesforce.emulator.jobs
    rows.close()  # type: ignore[attr-defined]
    assert salesforce.emulator.jobs == {}


@pytest.mark.parametrize("state", ["Failed", "Aborted"])
def test_a_job_that_fails_is_an_error_and_not_an_empty_crm(salesforce: World[Salesforce], state: str) -> None:
    salesforce.enter(3)
    salesforce.emulator.settings.job_ends_as = state
    with pytest.raises(CrmError, match=f"ended as {state}"):
        list(salesforce.connector().extract())


def test_a_job_that_never_ends_is_given_up_aborted_and_removed(salesforce: World[Salesforce]) -> None:
    salesforce.enter(3)
    salesforce.emulator.settings.job_polls = 10_000
    with pytest.raises(CrmError, match="still InProgress after 30 minutes") as failed:
        list(salesforce.connector().extract())
    assert failed.value.temporary
    assert salesforce.emulator.jobs == {}


def test_values_survive_the_csv_of_a_bulk_result(salesforce: World[Salesforce]) -> None:
    written = 'van der "Berg", jr\r\nzweite\u2028Zeile, Ünïcode 日本\x0bende'
    (account_id,) = salesforce.enter(1)
    salesforce.change(account_id, lastName=written)
    (row,) = salesforce.connector().extract()
    assert salesforce.name(row) == written


def test_changes_and_deletions_are_one_query_read_along_its_cursor(salesforce: World[Salesforce]) -> None:
    salesforce.enter(25)
    salesforce.emulator.settings.page_records = 10
    rows = list(salesforce.connector().extract("2020-01-01T00:00:00Z"))
    assert len(rows) == 25
    resources = [call.path.split("/")[4:5] for call in salesforce.data_calls()]
    assert resources == [[], ["queryAll"], ["query"], ["query"]]


def test_a_cursor_that_has_expired_is_replaced_from_where_it_stood(salesforce: World[Salesforce]) -> None:
    ids = salesforce.enter(30)
    for number, account_id in enumerate(ids):
        if number % 10 == 0:
            salesforce.accounts.clock.advance(timedelta(minutes=1))
        salesforce.change(account_id, lastName=f"Changed {number}")
    salesforce.emulator.settings.page_records = 12
    rows = []
    for row in salesforce.connector().extract("2020-01-01T00:00:00Z"):
        rows.append(row)
        if len(rows) == 5:
            salesforce.emulator.expire_cursors()
    assert by_id(rows).keys() == set(ids)
    assert len(rows) < 2 * len(ids)


def test_a_cursor_that_expires_without_progress_is_an_error(salesforce: World[Salesforce]) -> None:
    salesforce.enter(3)
    salesforce.emulator.fail(400, "INVALID_QUERY_LOCATOR", path="queryAll", count=10)
    with pytest.raises(CrmError) as failed:
        list(salesforce.connector().extract("2020-01-01T00:00:00Z"))
    assert failed.value.code == "INVALID_QUERY_LOCATOR"


def test_a_request_limit_is_waited_for_though_its_status_says_forbidden(salesforce: World[Salesforce]) -> None:
    ids = salesforce.enter(2)
    salesforce.emulator.fail(403, "REQUEST_LIMIT_EXCEEDED", count=2)
    assert len(salesforce.connector().fetch(ids)) == 2
    assert salesforce.pauses == [0.5, 1.0]
    salesforce.emulator.fail(403, "REQUEST_LIMIT_EXCEEDED", count=10)
    with pytest.raises(CrmError) as failed:
        salesforce.connector().fetch(ids)
    assert failed.value.temporary


def test_a_permission_that_is_missing_is_told_at_once(salesforce: World[Salesforce]) -> None:
    salesforce.emulator.fail(403, "INSUFFICIENT_ACCESS")
    with pytest.raises(CrmError, match="user lacks a permission on this object") as failed:
        salesforce.connector().fetch(salesforce.enter(1))
    assert not failed.value.temporary
    assert salesforce.pauses == []


def test_the_short_form_of_an_id_is_the_same_record_and_case_counts(salesforce: World[Salesforce]) -> None:
    (account_id,) = salesforce.enter(1)
    short, other = account_id[:15], account_id[:15].lower()
    rows = salesforce.connector().fetch([short, other])
    assert [(row.id, row.deleted) for row in rows] == [(short, False), (other, True)]
    spellings = [account_id, account_id.upper(), account_id.lower(), account_id[:15].lower() + account_id[15:]]
    rows = salesforce.connector().fetch(spellings)
    assert [(row.id, row.deleted) for row in rows] == [(each, False) for each in spellings]


@pytest.mark.parametrize("point", ["yesterday", "2026-01-01' OR Id != '"])
def test_what_is_not_a_point_does_not_get_into_a_query(salesforce: World[Salesforce], point: str) -> None:
    with pytest.raises(CrmError, match="is not a time of Salesforce"):
        list(salesforce.connector().extract(point))
    assert "OR Id" not in salesforce.asked()
