"""One pair scored in plain Python: similarities as the database has them, mailboxes, names, families."""

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cir.duplicates.finding import SHIPPED_MODEL
from cir.matching.names import NO_GIVEN, NO_SURNAME, read_given, read_surname
from cir.matching.scoring import (
    Record,
    Sharing,
    agreement,
    is_slip,
    is_telling_mailbox,
    jaro_winkler,
    levenshtein,
    load_weights,
    read_record,
    score,
)

_TEXTS = st.text("abc1", max_size=9)  # names are folded to plain letters before they are compared


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@given(one=_TEXTS, two=_TEXTS)
def test_similarities_are_those_of_the_database(database: duckdb.DuckDBPyConnection, one: str, two: str) -> None:
    row = database.execute(
        "select jaro_winkler_similarity($a, $b), levenshtein($a, $b), damerau_levenshtein($a, $b) <= 1",
        {"a": one, "b": two},
    ).fetchone()
    assert row is not None
    if one and two:
        assert jaro_winkler(one, two) == pytest.approx(row[0], abs=1e-9)
    assert (levenshtein(one, two), is_slip(one, two)) == row[1:]


@pytest.mark.parametrize(
    ("mailbox", "given_name", "surname", "telling"),
    [
        ("john.smith", "John", "Smith", False),
        ("j.smith", "John", "Smith", False),
        ("joerg.mueller", "Jörg", "Müller", False),
        ("johannes.vandenberg", "Johannes", "van den Berg", False),
        ("annesophie.c.martin", "Anne-Sophie C.", "Martin", False),
        ("smith1984", "John", "Smith", True),
        ("rainbowsurfer", "John", "Smith", True),
        ("makoto.hashimoto", "誠", "橋本", False),
    ],
)
def test_a_mailbox_called_after_its_owner_says_no_more_than_the_name(
    mailbox: str, given_name: str, surname: str, telling: bool
) -> None:
    assert is_telling_mailbox(mailbox, read_given(given_name), read_surname(surname)) is telling


def test_father_and_son_are_not_one_person() -> None:
    weights = load_weights(SHIPPED_MODEL)
    home = {"street": "12 Oak Avenue", "city": "Austin", "postcode": "78701", "phones": ["+15125550142"]}
    sharing = {"+15125550142": Sharing(people=2, line=True)}
    father = read_record(given_name="Robert", surname="Hale", date_of_birth="1951-04-03", **home)  # type: ignore[arg-type]
    son = read_record(given_name="Robert", surname="Hale", date_of_birth="1980-11-20", **home)  # type: ignore[arg-type]
    bob = read_record(given_name="Bob", surname="Hale", date_of_birth="1951-04-03", **home)  # type: ignore[arg-type]
    assert score(father, son, weights, sharing).probability < 0.5
    assert score(father, bob, weights, sharing).probability > 0.99


def test_an_empty_record_is_compared_in_nothing() -> None:
    assert Record().given is NO_GIVEN
    assert Record().surname is NO_SURNAME
    assert score(Record(), Record(), load_weights(SHIPPED_MODEL)).evidence == ()


@pytest.mark.parametrize(
    ("one", "other", "level"),
    [
        ("Jane", "Jane", 0), ("Anna", "Anne", 2), ("Sara", "Sarah", 2), ("Bob", "Robert", 2), ("Janet", "Jannet", 3),
        ("Stephen", "Steven", 2), ("J", "Jane", 4), ("Mary Jane", "Mary Ann", 5), ("Maria", "Mario", 6),
        ("Paul", "Paula", 6), ("Jane", "Janet", 6), ("John", "Joan", 6), ("Christian", "Christina", 6),
    ],
)  # fmt: skip
def test_two_names_that_people_have_are_no_slip_of_one(one: str, other: str, level: int) -> None:
    left, right = read_record(given_name=one, surname="Hale"), read_record(given_name=other, surname="Hale")
    assert agreement("given", left, right, {}) == agreement("given", right, left, {}) == level


def test_a_number_that_is_carried_along_says_more_than_a_number_of_the_house() -> None:
    weights = load_weights(SHIPPED_MODEL)
    one, other = (read_record(given_name="Ann", surname="Hale", phones=["+447700900123"]) for _ in range(2))
    of_the_house, own = (score(one, other, weights, {"+447700900123": Sharing(own=each)}) for each in (False, True))
    assert own.probability > 0.99 > of_the_house.probability
