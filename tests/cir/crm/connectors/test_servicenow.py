"""What only ServiceNow does: pages by key, a log of deletions, rules that hide rows without a word."""

import pytest

from cir.crm.connectors import CrmError
from sandbox.crm.servicenow import ServiceNow
from tests.support.crm_emulators import World, by_id


def test_pages_begin_after_the_last_key_and_not_at_an_offset(servicenow: World[ServiceNow]) -> None:
    """A record that goes while pages are read would move the others under an offset."""
    ids = sorted(servicenow.enter(25))
    servicenow.emulator.settings.page_records = 10
    seen = []
    for row in servicenow.connector().extract():
        seen.append(row.id)
        if len(seen) == 10:
            servicenow.accounts.delete(ids[3])
    assert seen == ids
    queries = [call.query["sysparm_query"] for call in servicenow.data_calls()]
    assert queries == ["ORDERBYsys_id", f"sys_id>{ids[9]}^ORDERBYsys_id", f"sys_id>{ids[19]}^ORDERBYsys_id"]


def test_a_page_that_is_exactly_full_is_not_followed_by_an_empty_one(servicenow: World[ServiceNow]) -> None:
    servicenow.enter(20)
    servicenow.emulator.settings.page_records = 10
    assert len(list(servicenow.connector().extract())) == 20
    assert len(servicenow.data_calls()) == 2


@pytest.mark.parametrize("place", [0, 9, 10, 24])
def test_a_record_that_a_rule_hides_is_an_error_and_not_a_deletion(servicenow: World[ServiceNow], place: int) -> None:
    ids = sorted(servicenow.enter(25))
    servicenow.emulator.settings.page_records = 10
    servicenow.emulator.hide(ids[place])
    with pytest.raises(CrmError, match="counts 1 more records than it shows"):
        list(servicenow.connector().extract())
    with pytest.raises(CrmError, match="read access to all of customer_contact"):
        servicenow.connector().fetch([ids[place]])


def test_a_record_that_goes_while_a_page_is_counted_is_no_error(servicenow: World[ServiceNow]) -> None:
    ids = servicenow.enter(5)
    servicenow.emulator.settings.late_counts = 1
    assert len(list(servicenow.connector().extract())) == 5
    servicenow.emulator.settings.late_counts = 2
    with pytest.raises(CrmError, match="counts 1 more records"):
        servicenow.connector().fetch(ids)


def test_a_log_of_deletions_that_is_hidden_is_an_error_too(servicenow: World[ServiceNow]) -> None:
    ids = servicenow.enter(2)
    point = servicenow.since_now()
    servicenow.accounts.delete(ids[0])
    servicenow.emulator.hide_deletions()
    with pytest.raises(CrmError, match="read access to all of sys_audit_delete"):
        list(servicenow.connector().extract(point))


def test_a_record_that_came_back_is_not_taken_for_deleted(servicenow: World[ServiceNow]) -> None:
    ids = servicenow.enter(2)
    point = servicenow.since_now()
    for each in ids:
        servicenow.accounts.delete(each)
    servicenow.accounts.restore(ids[0])
    rows = by_id(servicenow.connector().extract(point))
    assert {each: row.deleted for each, row in rows.items()} == {ids[0]: False, ids[1]: True}


@pytest.mark.parametrize("point", ["yesterday", "2026-01-01T00:00:00Z", "2026-01-01 00:00:00^ORsys_id!=1"])
def test_what_is_not_a_point_does_not_get_into_a_query(servicenow: World[ServiceNow], point: str) -> None:
    with pytest.raises(CrmError, match="is not a time of ServiceNow"):
        list(servicenow.connector().extract(point))
    assert servicenow.data_calls() == []


def test_the_sentence_of_an_error_is_not_passed_on(servicenow: World[ServiceNow]) -> None:
    servicenow.emulator.fail(400, "Invalid query for Winterbourne")
    with pytest.raises(CrmError) as failed:
        list(servicenow.connector().extract())
    assert "Winterbourne" not in f"{failed.value}{failed.value.code}"
