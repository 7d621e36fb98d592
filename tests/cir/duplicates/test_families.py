"""Families: who shares a house, a birthday or a name is not merged; who is in the base twice mostly is."""

from pathlib import Path

import pytest

from cir.duplicates.finding import find
from sandbox.bench import families
from tests.cir.duplicates.conftest import read, write

pytestmark = pytest.mark.slow

_MERGED_AT_LEAST = 0.6
"""Share of the doubled, over all bases of a test."""


def test_nobody_is_merged_with_somebody_else_and_most_of_the_doubled_are_merged() -> None:
    measured = [
        families.measure(records=records, doubled=doubled, seeds=range(100, 103))
        for records in (50, 200, 900)
        for doubled in families.SHARES
    ]
    assert {each.records: each.wrong for each in measured if each.wrong} == {}
    assert sum(each.merged for each in measured) >= _MERGED_AT_LEAST * sum(each.twice for each in measured)


def test_nor_in_a_base_that_teaches_its_own_weights() -> None:
    measured = families.measure(records=3_200, doubled=0.2, seeds=(100,))
    assert measured.wrong == {}
    assert measured.merged >= _MERGED_AT_LEAST * measured.twice


_HOME = {"Phone": "+441584960001", "MailingStreet": "4 Oak St", "MailingCity": "Ludlow", "MailingPostalCode": "SY8 1AA"}
_HOUSE = {"Email": "morrisfamily@example.com"}
_JANES = {"Email": "jane.morris@example.com"}
_MOBILE = {"MobilePhone": "+447700900123"}
_BORN = {"Birthdate": "1984-05-17"}


@pytest.mark.parametrize(
    ("one", "other", "shared", "action"),
    [
        # an initial is the spouse's too
        ("J", "Jane", _HOUSE, "review"),
        ("J", "Jane", _HOUSE | _BORN, "review"),
        ("J", "J", _HOUSE | _BORN, "review"),
        ("J", "Jane", _JANES, "review"),
        ("J", "Jane", _JANES | _BORN, "merge"),
        ("J", "Jane", _MOBILE, "merge"),
        # twins
        ("Jane", "Janet", _HOUSE | _BORN | _MOBILE, "review"),
        ("Maria", "Mario", _HOUSE | _BORN, "review"),
        ("Paul", "Paula", _HOUSE | _BORN, "review"),
        ("Anna", "Anne", _HOUSE | _BORN, "review"),
        ("Jamal", "Jamil", _HOUSE | _BORN, "review"),
        ("Ixara", "Uxara", _HOUSE | _BORN, "review"),
        ("Ixara", "Ixaro", _HOUSE | _BORN, "review"),
        # a slip, a short form
        ("Robert", "Robetr", _HOUSE | _BORN, "merge"),
        ("Robert", "Robetr", _HOUSE, "review"),
        ("Margaret", "Peggy", _HOUSE | _BORN, "merge"),
        ("Margaret", "Peggy", _HOUSE, "review"),
        ("Robert", "Bob", {"Email": "robert.morris@example.com"}, "merge"),
        ("Samuel", "Sam", {"Email": "sam.morris@example.com"}, "review"),
        # father and son of one name
        ("Peter", "Peter", _HOUSE, "review"),
        ("Peter", "Peter", {"Email": "sunnyhill@example.com"}, "review"),
        ("Peter", "Peter", {"Email": "pmorris@example.com"}, "merge"),
        ("Peter", "Peter Jr.", {"Email": "pmorris@example.com"}, "review"),
        ("Peter", "Peter Jr.", _HOUSE | _BORN, "merge"),
        ("Peter", "Peter", _HOUSE | _MOBILE, "merge"),
        ("Peter", "Peter", _HOUSE | _BORN, "merge"),
    ],
)
def test_what_one_person_alone_has(one: str, other: str, shared: dict[str, str], action: str, tmp_path: Path) -> None:
    records = [{"FirstName": each, "LastName": "Morris", **_HOME, **shared} for each in (one, other)]
    assert _action(records, tmp_path) == action


@pytest.mark.parametrize(
    ("born", "action"),
    [("1954-05-17", "merge"), ("1955-05-17", "merge"), ("1954-05-18", "merge"), ("1974-05-17", "review"),
     ("1974-05-18", "review"), ("1994-05-17", "review")],
)  # fmt: skip
def test_a_parent_is_older_by_more_than_a_slip_of_the_last_digit(born: str, action: str, tmp_path: Path) -> None:
    records = [
        {"FirstName": "Peter", "LastName": "Morris", "Birthdate": each, **_HOME, **_HOUSE, **_MOBILE}
        for each in ("1954-05-17", born)
    ]
    assert _action(records, tmp_path) == action


def test_an_address_that_a_third_given_name_has_too_is_the_family_s(tmp_path: Path) -> None:
    shared = {"LastName": "Morris", **_HOME, "Email": "peter.morris@example.com"}
    people = [{"FirstName": each, **shared} for each in ("Peter", "Peter", "Mary", "John")]
    assert _action(people[:3], tmp_path) == "merge"
    assert _action(people, tmp_path) == "review"


@pytest.mark.parametrize("shared", [_BORN | _HOUSE, _JANES])
def test_who_has_moved_is_no_spouse_or_twin_at_home(shared: dict[str, str], tmp_path: Path) -> None:
    jane = {"FirstName": "Jane", "LastName": "Morris", **_HOME, **shared}
    moved = {**jane, "FirstName": "J", "MailingStreet": "9 Elm Road"}
    assert _action([moved, jane], tmp_path) == "merge"
    assert _action([moved, jane, {**jane, "FirstName": "J"}], tmp_path) == "review"
    assert _action([moved, jane, {**jane, "FirstName": "Janet"}], tmp_path) == "review"


def test_namesakes_who_are_born_on_one_day_are_not_merged_for_that(tmp_path: Path) -> None:
    one = {"FirstName": "Peter", "LastName": "Morris", **_BORN, **_HOME}
    elsewhere = {"MailingStreet": "9 Elm St", "MailingCity": "Hull", "MailingPostalCode": "HU3 9ZT"}
    assert _action([one, {**one, "Phone": "+441482960002"}], tmp_path) == "merge"
    assert _action([one, {**one, **elsewhere, "Phone": "+441482960002"}], tmp_path, strangers=1000) == "review"


def _action(records: list[dict[str, str]], directory: Path, *, strangers: int = 40) -> str:
    """What becomes of the first two records among some of strangers."""
    rows = [*records, *families.generate(records=strangers, doubled=0.0, seed=7, families=0.0).rows]
    file = write(
        directory / "base.csv",
        families.COLUMNS,
        [(f"R{place:02}", *(row.get(column, "") for column in families.COLUMNS[1:])) for place, row in enumerate(rows)],
    )
    find(file, pairs=directory / "pairs.csv")
    actions = {(row["id_l"], row["id_r"]): row["action"] for row in read(directory / "pairs.csv")}
    return actions.get(("R00", "R01"), "none")
