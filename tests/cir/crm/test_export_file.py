"""A CRM export in a file: what it must look like, and what of it is refused, with the line an editor shows."""

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from pyarrow import parquet

from cir.crm.export_file import FileError, Line, read_file
from cir.crm.mapping import CrmMapping
from cir.crm.record import CrmRecord, Problem

MAPPING = CrmMapping(
    source="dynamics",
    id_column="Id",
    region_column="Country",
    columns={"Name": "lastName", "Mobile": "cellPhone"},
    queues={},
)
HEADER = "Id,Name,Mobile,Country\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "export.csv"


def lines(path: Path, content: str | bytes) -> list[Line]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_file(path, MAPPING, default_region="US"))


def names(found: Sequence[Line]) -> list[tuple[int, str]]:
    return [(line.number, line.record.texts["lastName"]) for line in found if isinstance(line.record, CrmRecord)]


def refused(found: Sequence[Line]) -> list[tuple[int, str]]:
    return [(line.number, str(line.record)) for line in found if isinstance(line.record, Problem)]


def test_rows_come_with_the_line_in_which_they_begin(path: Path) -> None:
    found = lines(path, HEADER + '1,"van\nder\r\nBerg",,\n\n2,Smith,,\n3,"O""Neil, jr",,\n')
    assert names(found) == [(2, "van der Berg"), (6, "Smith"), (7, 'O"Neil, jr')]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_and_any_line_end_are_understood(path: Path, newline: str) -> None:
    content = newline.join(["\ufeff" + HEADER.strip(), "1,Müller,,", "2,Smith,,"])
    assert names(lines(path, content)) == [(2, "Müller"), (3, "Smith")]


def test_the_order_of_columns_and_further_ones_do_not_matter(path: Path) -> None:
    (line,) = lines(path, "Secret, Mobile ,Name,Country,Id\nx,020 7946 0958,Ann,GB,1\n")
    assert isinstance(line.record, CrmRecord)
    assert line.record.slots["cellPhone"].value == "+442079460958"


def test_rows_that_cannot_be_read_are_refused_and_the_rest_goes_on(path: Path) -> None:
    found = lines(path, HEADER + "1,Ann,,\n2,Bob\n3,Eve,,,\n,Dan,,\n1,Ann again,,\n5,Fay,,\n")
    assert names(found) == [(2, "Ann"), (7, "Fay")]
    assert refused(found) == [
        (3, "row: 2 columns where the header has 4"),
        (4, "row: 5 columns where the header has 4"),
        (5, "Id: no value"),
        (6, "Id: the same id as an earlier row (line 2, •)"),
    ]


def test_a_header_alone_is_a_file_without_customers(path: Path) -> None:
    assert lines(path, HEADER) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"Name,Mobile\nAnn,1\n", "has no column 'Id'; of those that the mapping reads it has Name, Mobile"),
        (b"Id,Name\n1,Ann\n", "lacks Country, Mobile, which the mapping reads; a whole column that is missing"),
        (b"Id,Name,Mobile,Country,Name\n", "has more than one column Name"),
        (b"Id;Name;Mobile;Country\n1;Ann;;\n", "it seems to be separated by semicolons"),
        (HEADER.encode() + b"1,Ann,,\n2,M\xfcller,,\n", r"is not UTF-8 (line 3): export it again as UTF-8"),
        (HEADER.encode("utf-16"), "is not UTF-8 (line 1)"),
        (b'Id,Name,Mobile,Country\n1,Ann,,\n2,"Bob,,\n3,Eve,,\n', "in the row that begins in line 3"),
        (b'Id,Name,Mobile,Country\n1,"Ann"x,,\n', "is not well-formed CSV in the row that begins in line 2"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(FileError) as failed:
        lines(path, content)
    assert str(path) in str(failed.value)
    assert sentence in str(failed.value)


def test_a_file_without_a_header_is_refused_without_quoting_its_first_customer(path: Path) -> None:
    with pytest.raises(FileError, match="the first line must name the columns") as failed:
        lines(path, "1,Winterbourne,+19175550142,US\n")
    assert "Winterbourne" not in str(failed.value)
    assert "917555" not in str(failed.value)


@pytest.mark.parametrize("missing", ["none.csv", "."])
def test_a_file_that_is_not_there_says_so(tmp_path: Path, missing: str) -> None:
    with pytest.raises(FileError, match=f"cannot read {tmp_path / missing}: "):
        list(read_file(tmp_path / missing, MAPPING, default_region="US"))


# NDJSON


def ndjson(tmp_path: Path, content: str) -> list[Line]:
    path = tmp_path / "export.ndjson"
    path.write_text(content, encoding="utf-8")
    return list(read_file(path, MAPPING, default_region="US"))


def test_ndjson_has_an_object_a_line_in_which_what_is_empty_may_be_missing(tmp_path: Path) -> None:
    found = ndjson(
        tmp_path,
        '\ufeff{"Id": 1, "Name": "Ann", "Mobile": "020 7946 0958", "Country": "GB", "Card": "4111"}\n'
        '\n{"Id": "2", "Name": "Müller\\nSmith", "Mobile": null}\n{"Id": "3"}\n',
    )
    assert names(found[:2]) == [(1, "Ann"), (3, "Müller Smith")]
    assert [line.number for line in found] == [1, 3, 4]
    assert isinstance(found[0].record, CrmRecord)
    assert found[0].record.slots["cellPhone"].value == "+442079460958"


def test_lines_of_ndjson_that_cannot_be_read_are_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    good = '{"Id": "1", "Name": "Ann", "Mobile": "", "Country": ""}\n'
    found = ndjson(tmp_path, good + '{"Id": "2",\n["3"]\n{"Id": "4", "Name": {"first": "Eve"}}\n' + good)
    assert names(found) == [(1, "Ann")]
    assert refused(found) == [
        (2, "row: not a JSON object"),
        (3, "row: not a JSON object"),
        (4, "Name: neither a text nor a number"),
        (5, "Id: the same id as an earlier row (line 1, •)"),
    ]


def test_a_column_that_no_line_of_ndjson_has_is_a_column_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="lacks Country, Mobile, which the mapping reads"):
        ndjson(tmp_path, '{"Id": "1", "Name": "Ann"}\n' * 3)


# Parquet


def parquet_file(tmp_path: Path, columns: dict[str, list[Any]]) -> Path:
    path = tmp_path / "export.parquet"
    parquet.write_table(pa.table(columns), path)
    return path


def test_parquet_is_read_by_its_columns_with_numbers_dates_and_gaps(tmp_path: Path) -> None:
    mapping = CrmMapping("dynamics", "Id", "", {"Name": "lastName", "Since": "title", "Vip": "accountStatus"}, {})
    path = parquet_file(
        tmp_path,
        {
            "Id": [17, 18, 17],
            "Name": ["Ann", None, "Ann again"],
            "Since": [date(2026, 3, 1), None, None],
            "Vip": [True, False, None],
            "Secret": ["x", "y", "z"],
        },
    )
    found = list(read_file(path, mapping, default_region="US"))
    assert refused(found) == [(3, "Id: the same id as an earlier row (line 1, ••)")]
    assert [line.record.texts for line in found if isinstance(line.record, CrmRecord)] == [
        {"lastName": "Ann", "title": "2026-03-01", "accountStatus": "true"},
        {"accountStatus": "false"},
    ]


@pytest.mark.parametrize("cut", [0, 10, -10])
def test_a_parquet_file_that_is_cut_short_says_so(tmp_path: Path, cut: int) -> None:
    path = parquet_file(tmp_path, {"Id": ["1"], "Name": ["Ann"], "Mobile": [""], "Country": [""]})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(FileError, match="is not a Parquet file, or is cut short"):
        list(read_file(path, MAPPING, default_region="US"))


def test_a_parquet_file_without_a_column_says_which(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="lacks Country"):
        list(
            read_file(parquet_file(tmp_path, {"Id": ["1"], "Name": [""], "Mobile": [""]}), MAPPING, default_region="US")
        )


def test_without_pyarrow_a_parquet_file_is_refused_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet_file(tmp_path, {"Id": ["1"]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(FileError, match="needs pyarrow"):
        list(read_file(path, MAPPING, default_region="US"))
