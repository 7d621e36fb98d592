"""What only Dynamics 365 does: delta links, labels of choices, GUIDs in several spellings."""

from dataclasses import replace

import pytest

from cir.crm.connectors import CrmError
from cir.crm.connectors.dynamics import LABEL, text_of
from sandbox.crm.dynamics import Dynamics
from tests.support.crm_emulators import World, by_id


def test_changes_are_read_along_the_delta_link_page_by_page(dynamics: World[Dynamics]) -> None:
    ids = dynamics.enter(30)
    point = dynamics.since_now()
    dynamics.emulator.calls.clear()
    for account_id in ids[:25]:
        dynamics.change(account_id, lastName="Changed")
    dynamics.emulator.settings.page_records = 10
    rows = list(dynamics.connector().extract(point))
    assert [row.id for row in rows] == ids[:25]
    assert ["$deltatoken" in call.query for call in dynamics.data_calls()] == [True, False, False]


def test_an_expired_delta_token_means_everything_and_a_new_point(dynamics: World[Dynamics]) -> None:
    ids = dynamics.enter(5)
    point = dynamics.since_now()
    dynamics.accounts.delete(ids[0])
    dynamics.emulator.expire_deltas()
    connector = dynamics.connector()
    assert by_id(connector.extract(point)).keys() == set(ids[1:])
    dynamics.change(ids[1], lastName="Changed")
    assert by_id(connector.extract(connector.next_point())).keys() == {ids[1]}


def test_another_error_of_the_delta_link_is_not_taken_for_an_expired_one(dynamics: World[Dynamics]) -> None:
    dynamics.enter(5)
    point = dynamics.since_now()
    dynamics.emulator.fail(403, "0x80040220")
    with pytest.raises(CrmError) as failed:
        list(dynamics.connector().extract(point))
    assert failed.value.code == "0x80040220"


def test_after_a_change_of_the_mapping_everything_is_read_once(dynamics: World[Dynamics]) -> None:
    """A delta link keeps to the fields that it was asked for first."""
    ids = dynamics.enter(5)
    smaller = replace(dynamics.mapping, columns={dynamics.column("lastName"): "lastName"})
    connector = dynamics.connector(mapping=smaller)
    list(connector.extract())
    rows = by_id(dynamics.connector().extract(connector.next_point()))
    assert rows.keys() == set(ids)
    assert all(dynamics.column("cellPhone") in row.values for row in rows.values())


def test_the_token_does_not_follow_a_link_to_another_host(dynamics: World[Dynamics]) -> None:
    dynamics.enter(1)
    point = dynamics.since_now().replace("127.0.0.1", "localhost")
    dynamics.emulator.calls.clear()
    with pytest.raises(CrmError, match="a link leads to localhost"):
        list(dynamics.connector().extract(point))
    assert dynamics.data_calls() == []


def test_a_table_without_change_tracking_says_so(dynamics: World[Dynamics]) -> None:
    dynamics.enter(1)
    dynamics.emulator.settings.change_tracking = False
    with pytest.raises(CrmError, match="Switch on change tracking of contacts"):
        list(dynamics.connector().extract())


@pytest.mark.parametrize(
    ("column", "held"), [("cir_tier", 100_000_001), ("_cir_tier_value", "60c4e274-0d87-e711-80e5-00155db19e6d")]
)
def test_a_choice_and_a_lookup_are_read_by_their_label(dynamics: World[Dynamics], column: str, held: int | str) -> None:
    dynamics.accounts.columns |= {column}
    dynamics.emulator.settings.choices = {column: {"Gold": held}}
    (account_id,) = dynamics.enter(1)
    dynamics.accounts.change(account_id, **{column: "Gold"})
    columns = {column: "customerTier", "lastname": "lastName"}
    connector = dynamics.connector(mapping=replace(dynamics.mapping, columns=columns))
    assert [row.values[column] for row in [*connector.extract(), *connector.fetch([account_id])]] == ["Gold", "Gold"]


def test_a_record_that_a_merge_has_deactivated_is_inactive(dynamics: World[Dynamics]) -> None:
    merged, kept = dynamics.enter(2)
    dynamics.accounts.columns |= {"statecode"}
    dynamics.accounts.change(merged, statecode="Inactive")
    rows = dynamics.connector().fetch([merged, kept])
    assert dynamics.mapping.inactive is not None
    assert {row.id: dynamics.mapping.inactive.is_in(row.values) for row in rows} == {merged: True, kept: False}


def test_a_guid_is_the_same_in_capitals_and_braces(dynamics: World[Dynamics]) -> None:
    (account_id,) = dynamics.enter(1)
    written = f"{{{account_id.upper()}}}"
    (row,) = dynamics.connector().fetch([written])
    assert (row.id, row.deleted, dynamics.name(row)) == (written, False, "Person 0")


@pytest.mark.parametrize("code", ["0x80072322", "0x80072321", "0x80072326"])
def test_each_service_protection_limit_is_waited_for(dynamics: World[Dynamics], code: str) -> None:
    dynamics.enter(1)
    dynamics.emulator.fail(429, code, retry_after=120)
    assert len(list(dynamics.connector().extract())) == 1
    assert dynamics.pauses == [120.5]


@pytest.mark.parametrize(
    ("held", "label", "text"),
    [
        (12345678, "12,345,678", "12345678"),
        (12345678, "12.345.678", "12345678"),
        (12345678, "12\u202f345\u202f678", "12345678"),
        (12345678, "1,23,45,678", "12345678"),
        (12345678, "١٢٬٣٤٥٬٦٧٨", "12345678"),
        (-5, "-5", "-5"),
        (1234.0, "1,234.00", "1234"),
        (0.5, "0,50", "0.5"),
        (True, "Yes", "Yes"),
        (100000001, "Gold", "Gold"),
        (1, "2", "2"),
        ("12,345", "", "12,345"),
        (7, "", "7"),
    ],
)
def test_a_number_stays_its_digits_and_a_choice_is_its_label(held: object, label: str, text: str) -> None:
    record = {"cir_loyaltynumber": held, f"cir_loyaltynumber@{LABEL}": label or None}
    assert text_of(record, "cir_loyaltynumber") == text
