"""The sample base is reproducible, realistic in known proportions, and true to its own ground truth."""

import csv
import hashlib
import statistics
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from email.utils import parseaddr
from itertools import islice
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from sandbox.customers import COLUMNS, PERSONAS, SENSITIVE_COLUMNS, Noise, Persona, Row, SampleBase, generate, write_csv
from sandbox.customers import base as base_module
from sandbox.customers.dice import Dice, Permutation, Stream
from sandbox.customers.salesforce import checksum

PHONE_COLUMNS = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")
EMAIL_COLUMNS = ("Email", "Personal_Email__c", "Other_Email__c")
SHARING_GROUPS = {"household", "father_son", "switchboard", "shared_mailbox", "recycled_mobile"}


@pytest.fixture(scope="module")
def base() -> SampleBase:
    return generate()


@pytest.fixture(scope="module")
def rows(base: SampleBase) -> list[Row]:
    return list(base.rows())


@pytest.fixture(scope="module")
def accounts(rows: list[Row]) -> list[Row]:
    return [row for row in rows if not row.defect]


@pytest.fixture(scope="module")
def groups(accounts: list[Row]) -> dict[str, dict[str, list[Row]]]:
    """Kind of group -> key -> its accounts."""
    found: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in accounts:
        for kind, key in row.groups:
            found[kind][key].append(row)
    return found


@pytest.fixture(scope="module")
def owners(accounts: list[Row]) -> dict[tuple[str, str], set[str]]:
    """Identifier -> the people whose accounts show it. E-mail addresses as their provider delivers them."""
    found = defaultdict(set)
    for row in accounts:
        for kind, value in row.identifiers:
            found[kind, mailbox(value) if kind == "email" else value].add(row.person)
    return found


def mailbox(address: str) -> str:
    local, _, domain = address.lower().partition("@")
    if domain.startswith("xn--") or ".xn--" in domain:
        domain = domain.encode().decode("idna")
    if domain == "gmail.com":
        local = local.partition("+")[0].replace(".", "")
    return f"{local}@{domain}"


def read_phone(cell: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(cell, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def people(rows: list[Row]) -> set[str]:
    return {row.person for row in rows}


def test_the_same_size_and_seed_give_the_same_bytes_everywhere(tmp_path: Path) -> None:
    export, truth = tmp_path / "export.csv", tmp_path / "truth.csv"
    write_csv(export, generate(size=400, seed=7), truth=truth)
    assert digest(export) == "460e7edb8cb3a288e0fe859bf3f4a5622c8ea27a9717254c41b43e805c9abd60"
    assert digest(truth) == "116113f4233e5203ee4afb11398d5c6eea1ed20446f15f871d402d4ea3139b4b"


def test_another_seed_gives_other_people() -> None:
    names = [{row.cells[2:4] + row.cells[6:8] for row in generate(size=400, seed=seed).rows()} for seed in (1, 2)]
    assert len(names[0] & names[1]) <= len(PERSONAS.accounts) + 20  # a few share a name and have no phone


@pytest.mark.slow
def test_the_file_holds_the_rows_in_order_however_many_processes_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_module, "PART_ROWS", 150)
    base = generate(size=1000)
    export, truth = tmp_path / "export.csv", tmp_path / "truth.csv"
    write_csv(export, base, truth=truth)
    assert export.read_bytes().count(b"\r\n") == export.read_bytes().count(b"\r") == len(base) + 1
    with export.open(encoding="utf-8", newline="") as lines:
        assert list(csv.reader(lines)) == [list(COLUMNS), *(list(row.cells) for row in base.rows())]
    with truth.open(encoding="utf-8", newline="") as lines:
        answers = [[row.cells[0], row.person] for row in base.rows() if not row.defect]
        assert list(csv.reader(lines)) == [["id", "person"], *answers]


def test_fields_need_the_quoting_that_real_exports_need(rows: list[Row]) -> None:
    text = "".join(cell for row in rows for cell in row.cells)
    assert {",", '"', "\n"} <= set(text)
    assert {"ü", "ł", "ñ", "ç", "å", "佐"} <= set(text)


def test_rows_are_made_one_by_one() -> None:
    rows = generate(size=1_000_000).rows()
    assert isinstance(rows, Iterator)
    next(rows)
    tracemalloc.start()
    try:
        for row in islice(rows, 300):
            assert row.cells
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 500_000  # bytes; a row takes about 3,000, so they are not kept


@given(size=st.integers(1, 3000), seed=st.integers(0, 2**40))
def test_scattering_loses_and_repeats_nobody(size: int, seed: int) -> None:
    permutation = Permutation.of(size, Dice(seed, Stream.BASE, 0))
    assert sorted(map(permutation, range(size))) == list(range(size))


@pytest.mark.parametrize("record_id", ["001D000000IRFmaIAH", "001D000000INjVeIAL", "a0D30000001n7PiEAI"])
def test_the_checksum_is_that_of_ids_published_by_salesforce(record_id: str) -> None:
    assert checksum(record_id[:15]) == record_id[15:]


def test_ids_are_valid_contact_ids_and_unique_even_where_case_is_lost(accounts: list[Row]) -> None:
    ids = [row.cell("Id") for row in accounts]
    assert all(len(one) == 18 and one.startswith("003") and checksum(one[:15]) == one[15:] for one in ids)
    assert len({one.lower() for one in ids}) == len(ids) == 5000


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [
        ("household", 0.25, 0.33),
        ("father_son", 0.002, 0.01),
        ("switchboard", 0.08, 0.20),
        ("shared_mailbox", 0.01, 0.05),
        ("recycled_mobile", 0.004, 0.012),
        ("duplicate", 0.08, 0.12),
        ("three_phones", 0.04, 0.12),
    ],
)
def test_special_groups_have_realistic_shares_of_all_people(
    kind: str, least: float, most: float, accounts: list[Row], groups: dict[str, dict[str, list[Row]]]
) -> None:
    members = set().union(*(people(group) for group in groups[kind].values()))
    assert least <= len(members) / len(people(accounts)) <= most


def test_switchboards_are_of_every_size(groups: dict[str, dict[str, list[Row]]]) -> None:
    sizes = sorted((len(people(group)) for group in groups["switchboard"].values()), reverse=True)
    assert sizes[0] >= 150
    assert sum(5 <= size <= 30 for size in sizes) >= 10
    for group in groups["switchboard"].values():
        assert set.intersection(*({value for kind, value in row.identifiers if kind == "phone"} for row in group))


def test_households_share_address_and_landline(groups: dict[str, dict[str, list[Row]]]) -> None:
    landlines = [shown(group, "HomePhone") for group in groups["household"].values() if len(people(group)) > 1]
    assert sum(len(numbers) < total for numbers, total in landlines) >= 100


def shown(group: list[Row], column: str) -> tuple[set[str], int]:
    """The different numbers that can be read in the column, and in how many accounts."""
    numbers = [number for row in group if (number := read_phone(row.cell(column), row.region))]
    return {e164(number) for number in numbers}, len(numbers)


def test_father_and_son_differ_in_nothing_but_age(groups: dict[str, dict[str, list[Row]]]) -> None:
    pairs = [group for group in groups["father_son"].values() if len(people(group)) == 2 and len(group) == 2]
    assert len(pairs) >= 4
    for one, other in pairs:
        assert one.cell("FirstName").lower() == other.cell("FirstName").lower()
        assert one.cell("LastName").lower() == other.cell("LastName").lower()
        assert shown([one, other], "HomePhone") == ({e164_of(one, "HomePhone")}, 2)
    births = [[row.cell("Birthdate") for row in pair if row.cell("Birthdate") > "1901"] for pair in pairs]
    ages = [
        abs(date.fromisoformat(a).year - date.fromisoformat(b).year)
        for a, b in (two for two in births if len(two) == 2)
    ]
    assert ages
    assert all(20 <= years <= 36 for years in ages)


def e164_of(row: Row, column: str) -> str:
    number = read_phone(row.cell(column), row.region)
    assert number
    return e164(number)


def test_a_recycled_mobile_was_its_old_owners_years_before(groups: dict[str, dict[str, list[Row]]]) -> None:
    pairs = [group for group in groups["recycled_mobile"].values() if len(people(group)) == 2]
    assert len(pairs) >= 8
    for group in pairs:
        assert len({e164_of(row, "MobilePhone") for row in group}) == 1
        former, present = sorted(
            ([row.cell("LastModifiedDate") for row in group if row.person == one] for one in people(group)), key=min
        )
        assert max(former) < "2021"
        assert min(present) >= "2023"


def test_duplicates_are_scattered_and_look_different(rows: list[Row], groups: dict[str, dict[str, list[Row]]]) -> None:
    places = {row.cells[0]: place for place, row in enumerate(rows) if not row.defect}
    same = groups["duplicate"].values()
    assert {len(group) for group in same} == {2, 3}
    distances = [abs(places[group[0].cells[0]] - places[group[1].cells[0]]) for group in same]
    assert statistics.median(distances) > len(rows) / 10
    identical = [group for group in same if len({row.cells[2:16] for row in group}) == 1]
    assert len(identical) < len(same) / 20
    related = [group for group in same if set(group[0].identifiers) & set(group[1].identifiers)]
    assert 0.7 < len(related) / len(same) < 0.95  # the rest can only be found by name, address and birthdate


def test_no_identifier_is_shared_by_accident(accounts: list[Row], owners: dict[tuple[str, str], set[str]]) -> None:
    memberships: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in accounts:
        memberships[row.person].update(group for group in row.groups if group[0] in SHARING_GROUPS)
    shared = {identifier: found for identifier, found in owners.items() if len(found) > 1}
    assert {kind for kind, _ in shared} == {"phone", "email"}
    assert all(set.intersection(*(memberships[person] for person in found)) for found in shared.values())


def test_every_noted_phone_is_what_a_reader_finds_in_the_row(accounts: list[Row]) -> None:
    for row in accounts:
        noted = {value for kind, value in row.identifiers if kind == "phone"}
        read = {e164(number) for column in PHONE_COLUMNS if (number := read_phone(row.cell(column), row.region))}
        assert noted <= read, f"account {row.cell('Id')}"


def test_every_noted_address_is_what_a_reader_finds_in_the_row(accounts: list[Row]) -> None:
    for row in accounts:
        cells = [row.cell(column).strip().removeprefix("mailto:").removeprefix("Mailto:") for column in EMAIL_COLUMNS]
        read = {mailbox(parseaddr(cell)[1]) for cell in cells}
        assert {mailbox(value) for kind, value in row.identifiers if kind == "email"} <= read, row.cell("Id")


def test_addresses_are_written_in_many_ways(accounts: list[Row]) -> None:
    cells = {cell for row in accounts for column in EMAIL_COLUMNS if "@" in (cell := row.cell(column))}
    for way in ("MAILTO:", "<", "@xn--", "+NEWS@GMAIL.COM"):
        assert any(way in cell.upper().replace("@XN--", "@xn--") for cell in cells), way
    assert any(cell.isupper() for cell in cells)
    assert any(not cell.isascii() for cell in cells)
    assert any(cell.endswith(" ") for cell in cells)


def test_phones_are_written_in_many_ways_and_nearly_all_are_possible(accounts: list[Row]) -> None:
    cells = [(row.cell(column), row.region) for row in accounts for column in PHONE_COLUMNS if row.cell(column)]
    possible = [cell for cell, region in cells if read_phone(cell, region)]
    assert 0.97 < len(possible) / len(cells) < 0.995
    shapes = {"".join("9" if mark.isdecimal() else mark for mark in cell) for cell in possible}
    assert len(shapes) > 200
    for way in ("tel:", ";ext=9", " x9", " ext 9", "(9", "99.9", "99-9", "+99 (9)", "9/9", "\N{NO-BREAK SPACE}"):
        assert any(way in shape for shape in shapes), way
    assert any(cell.startswith("0049") for cell in possible)


def test_no_number_is_free_of_charge_premium_or_reserved(owners: dict[tuple[str, str], set[str]]) -> None:
    usual = {PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
    named = {value for one in PERSONAS.accounts for value in (one.mobile, one.office, one.landline, one.whatsapp)}
    numbers = {value for kind, value in owners if kind in ("phone", "whatsapp")} - named
    assert {phonenumbers.number_type(phonenumbers.parse(number)) for number in numbers} <= usual
    assert not any(number.startswith("+1") and number[5:8] == "555" for number in numbers)


def test_whatsapp_numbers_come_from_other_countries_too(accounts: list[Row]) -> None:
    codes = [
        (row.region, phonenumbers.region_code_for_number(phonenumbers.parse(value)))
        for row in accounts
        for kind, value in row.identifiers
        if kind == "whatsapp"
    ]
    assert 0.3 < sum(home != abroad for home, abroad in codes) / len(codes) < 0.7


def test_placeholders_and_broken_values_are_there_and_not_in_the_truth(
    accounts: list[Row], owners: dict[tuple[str, str], set[str]]
) -> None:
    cells = {cell for row in accounts for column in PHONE_COLUMNS + EMAIL_COLUMNS if (cell := row.cell(column))}
    assert {"0000000000", "n/a", "unknown", "test@test"} <= cells
    assert any("E+" in cell for cell in cells)
    assert any("@" in cell and "@@" not in cell and "," in cell for cell in cells)
    assert not {("phone", "+10000000000"), ("email", "test@test")} & set(owners)


def test_what_must_not_leave_the_crm_is_filled_in(accounts: list[Row]) -> None:
    filled = {column: sum(bool(row.cell(column)) for row in accounts) / len(accounts) for column in SENSITIVE_COLUMNS}
    assert 0.1 < filled["Annual_Income__c"] < 0.3
    assert 0.001 < filled["Card_Number__c"] < 0.01
    assert 0.002 < filled["Health_Note__c"] < 0.02


def test_rows_that_cannot_be_imported(rows: list[Row], owners: dict[tuple[str, str], set[str]]) -> None:
    defective = [row for row in rows if row.defect]
    assert len(rows) == 5006
    assert Counter(row.defect for row in defective) == {"empty_id": 2, "duplicate_id": 2, "too_few_columns": 2}
    ids = Counter(row.cells[0] for row in rows)
    for row in defective:
        assert (row.cells[0] == "") == (row.defect == "empty_id")
        assert (len(row.cells) < len(COLUMNS)) == (row.defect == "too_few_columns")
        assert (ids[row.cells[0]] == 2) == (row.defect != "too_few_columns")
        if row.defect != "duplicate_id":
            assert not row.person
            read = {e164(n) for cell in row.cells[6:10] if (n := read_phone(cell, row.region))}
            assert not any(("phone", number) in owners for number in read)


def test_the_people_called_by_name_are_in_every_base(base: SampleBase, accounts: list[Row]) -> None:
    found = {row.cell("Id"): row for row in accounts}
    for persona in base.personas.accounts:
        row = found[persona.record_id]
        assert (row.person, row.cell("FirstName"), row.cell("LastName")) == (
            persona.person,
            persona.first_name,
            persona.last_name,
        )
        assert row.cell("Account_Tier__c") == persona.tier
        assert row.identifiers
    small = {row.cells[0] for row in generate(size=200, seed=99).rows()}
    assert {persona.record_id for persona in PERSONAS.accounts} <= small


def test_john_smith_shares_nothing_with_anybody(owners: dict[tuple[str, str], set[str]]) -> None:
    john = PERSONAS.john_smith
    doors = {
        ("phone", "+19175550142"),
        ("phone", "+12125550188"),
        ("email", "johnsmith@gmail.com"),
        ("email", "j.smith@acmecorp.com"),
        ("whatsapp", "+447700900123"),
        ("twitter", "jsmith_tweets"),
        ("loyalty", "LOYALTY-GLD-98765"),
    }
    assert {door for door, found in owners.items() if john.person in found} == doors
    assert all(owners[door] == {john.person} for door in doors)
    assert john.tier == "Enterprise"


def test_shared_lines_belong_to_exactly_the_people_they_name(owners: dict[tuple[str, str], set[str]]) -> None:
    parts = PERSONAS
    for line in (parts.switchboard, parts.household, parts.father_and_son, parts.recycled_mobile):
        assert owners["phone", line.number] == {persona.person for persona in line.people}
        assert len(line.people) > 1
    father, son = parts.father_and_son.people
    assert name_and_address(father) == name_and_address(son)
    assert father.birthdate < son.birthdate
    one, other = parts.duplicate
    assert (one.person, one.mobile) == (other.person, other.mobile)
    assert one.record_id != other.record_id


def name_and_address(persona: Persona) -> tuple[str, ...]:
    return (persona.first_name, persona.last_name, persona.street, persona.city, persona.postcode)


def test_unlisted_numbers_are_real_looking_and_nobodys(
    base: SampleBase, owners: dict[tuple[str, str], set[str]]
) -> None:
    unlisted = {base.unlisted_number(number) for number in range(2000)}
    assert len(unlisted) == 2000
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in unlisted)
    known = {value for _, value in owners}
    assert not unlisted & known
    assert base.personas.newcomer_number not in known
    assert base.personas.newcomer.private_email in known


def test_knobs_do_what_they_say() -> None:
    clean = Noise(duplicates=0, households=0, father_son=0, recycled=0, missing=0, malformed=0, malformed_rows=0)
    unnamed = [row for row in generate(size=1000, noise=clean).rows() if row.person.startswith("person-")]
    assert len(unnamed) == 1000 - len(PERSONAS.accounts) == len(people(unnamed))
    assert {kind for row in unnamed for kind, _ in row.groups} <= {"switchboard", "shared_mailbox", "three_phones"}
    assert all(row.cell("MobilePhone") and row.cell("Email") and row.cell("Birthdate") for row in unnamed)
    dirty = [row for row in generate(size=1000, noise=Noise(duplicates=0.5, missing=0.5)).rows() if row.person]
    assert len(people(dirty)) < 680
    assert 0.4 < sum(not row.cell("MobilePhone") for row in dirty) / 1000 < 0.65


@pytest.mark.parametrize(
    "wrong", [{"missing": 1.5}, {"duplicates": -0.1}, {"recycled": 0.5}, {"medium_offices": 0.5, "small_offices": 0.5}]
)
def test_knobs_refuse_what_makes_no_sense(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Noise(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "seed"), [(100, 1), (50_000_000, 1), (5000, -1)])
def test_bases_that_cannot_be_made_are_refused(size: int, seed: int) -> None:
    with pytest.raises(ValueError, match=str(seed) if seed < 0 else "size|numbers"):
        generate(size=size, seed=seed)
