"""Phones and e-mail addresses of a whole file, read in SQL: the same as `cir.identity.parsing` reads them."""

from collections.abc import Iterator, Sequence

import duckdb
import pytest

from cir.duplicates.contact_points import read_emails, read_phones
from cir.identity.identifiers import Identifier
from cir.identity.parsing import parse
from cir.identity.rules import IdentifierType
from sandbox.customers import COLUMNS, generate

pytestmark = pytest.mark.slow

PHONES = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")
EMAILS = ("Email", "Personal_Email__c", "Other_Email__c")


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def _load(connection: duckdb.DuckDBPyConnection, texts: Sequence[tuple[str, str]]) -> None:
    """One row for each (text, region)."""
    connection.execute("create table source (row integer, cell varchar)")
    connection.execute("create table regions (row integer, region varchar)")
    connection.executemany("insert into source values (?, ?)", [(row, text) for row, (text, _) in enumerate(texts)])
    connection.executemany(
        "insert into regions values (?, ?)", [(row, region) for row, (_, region) in enumerate(texts)]
    )


def _samples(columns: Sequence[str]) -> list[tuple[str, str]]:
    base = generate(size=6000, seed=3)
    return sorted(
        {
            (row.cell(column), row.region)
            for row in base.rows()
            if len(row.cells) == len(COLUMNS)
            for column in columns
            if row.cell(column).strip()
        }
    )


def test_phones_are_those_of_the_parser(connection: duckdb.DuckDBPyConnection) -> None:
    texts = _samples(PHONES)
    _load(connection, texts)
    read_phones(connection, ["cell"])
    read = dict(connection.execute("select row, value from phone_values").fetchall())
    parsed = [parse(IdentifierType.PHONE, text, default_region=region) for text, region in texts]
    numbers = {row: number.match for row, number in enumerate(parsed) if isinstance(number, Identifier)}
    assert len(numbers) > 5000
    assert {row: read.get(row) for row in numbers} == numbers
    kept = {value for row, value in read.items() if row not in numbers}
    assert not any(value.startswith("+") for value in kept)  # what the parser refuses is compared as digits only


def test_emails_are_those_of_the_parser(connection: duckdb.DuckDBPyConnection) -> None:
    texts = _samples(EMAILS)
    _load(connection, texts)
    read_emails(connection, ["cell"])
    read = dict(connection.execute("select row, value from email_values").fetchall())
    parsed = [parse(IdentifierType.EMAIL, text) for text, _ in texts]
    addresses = {row: address.match for row, address in enumerate(parsed) if isinstance(address, Identifier)}
    assert len(addresses) > 4000
    assert {row: read.get(row) for row in addresses} == addresses


def test_a_cell_may_hold_several(connection: duckdb.DuckDBPyConnection) -> None:
    _load(connection, [("+1 212 555 2368; +49 30 901820", "US"), ("a@example.com, b@example.org", "US")])
    read_phones(connection, ["cell"])
    read_emails(connection, ["cell"])
    phones = connection.execute("select value from phone_values where row = 0 order by 1").fetchall()
    emails = connection.execute("select value from email_values where row = 1 order by 1").fetchall()
    assert phones == [("+12125552368",), ("+4930901820",)]
    assert emails == [("a@example.com",), ("b@example.org",)]


def test_placeholders_are_no_numbers(connection: duckdb.DuckDBPyConnection) -> None:
    texts = (
        "000-000-0000", "+1 (000) 000-0000", "1234567890", "anonymous", "+266696687", "99999999", "n/a",
        "+351 123 456 789", "+353 1234567", "+971 987654321", "+351 900 000 000", "+44 1234 567890",
    )  # fmt: skip
    _load(connection, [(text, "US") for text in texts])
    read_phones(connection, ["cell"])
    assert connection.execute("select * from phone_values").fetchall() == []
    assert connection.execute("select count(distinct value) from phone_refused").fetchone() == (len(texts),)
