"""A CRM export in a file, row by row: CSV, NDJSON or Parquet, by the end of its name."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from cir.crm.mapping import CrmMapping
from cir.crm.record import CrmRecord, Problem, read_record
from cir.identity.identifiers import mask

PARQUET_ROWS = 5000
"""Read at a time."""
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}

type FileRow = Mapping[str, str] | Problem
"""Text by column, or why there is none."""


class FileError(Exception):
    """The file as a whole cannot be read. The text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file, and what it holds."""

    number: int
    """Of the line in which the row begins, counted from 1, as an editor shows it; in a Parquet file, of the row."""
    record: CrmRecord | Problem


def read_file(path: Path, mapping: CrmMapping, *, default_region: str) -> Iterator[Line]:
    """Each row as a record, or as the problem for which it is refused. Raises FileError.

    An id that was there before is refused: which of the two rows is right, the file does not say.
    """
    first_line_of: dict[str, int] = {}
    for number, row in read_rows(path, mapping):
        record = row if isinstance(row, Problem) else read_record(row, mapping, default_region=default_region)
        yield Line(number, _unless_repeated(record, number, first_line_of, mapping))


def read_rows(path: Path, mapping: CrmMapping) -> Iterator[tuple[int, FileRow]]:
    """The number of each row's line, and what stands in it. Raises FileError.

    Text is UTF-8 with or without byte order mark. CSV is comma-separated, with a header; NDJSON has an object a line,
    Parquet one level of columns.
    """
    try:
        match path.suffix.lower():
            case ".ndjson" | ".jsonl":
                yield from _ndjson(path, mapping)
            case ".parquet":
                yield from _parquet(path, mapping)
            case _:
                yield from _csv(path, mapping)
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise FileError(f"{path} is not UTF-8 (line {_undecodable_line(path)}): export it again as UTF-8") from None


def _csv(path: Path, mapping: CrmMapping) -> Iterator[tuple[int, FileRow]]:
    begins = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            header = [name.strip() for name in next(rows, [])]
            _check_header(header, path, mapping)
            while True:
                begins = rows.line_num + 1
                cells = next(rows, None)
                if cells is None:
                    return
                if len(cells) == len(header):
                    yield begins, dict(zip(header, cells, strict=True))
                elif cells:
                    yield begins, Problem("row", f"{len(cells)} columns where the header has {len(header)}")
    except csv.Error as error:
        raise FileError(f"{path} is not well-formed CSV in the row that begins in line {begins}: {error}") from error


def _ndjson(path: Path, mapping: CrmMapping) -> Iterator[tuple[int, FileRow]]:
    """Read twice: that a column is in no row at all is to be known before the first is given."""
    columns: dict[str, None] = {}
    for _, row in _objects(path):
        if isinstance(row, Mapping):
            columns.update(dict.fromkeys(row))
    _check_header(list(columns), path, mapping)
    wanted = mapping.fields
    for number, row in _objects(path):
        yield number, row if isinstance(row, Problem) else _texts(row, wanted)


def _objects(path: Path) -> Iterator[tuple[int, Mapping[str, Any] | Problem]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.isspace():
                continue
            try:
                value = json.loads(line)
            except ValueError:
                value = None
            yield number, value if isinstance(value, dict) else Problem("row", "not a JSON object")


def _parquet(path: Path, mapping: CrmMapping) -> Iterator[tuple[int, FileRow]]:
    try:
        import pyarrow as arrow  # type: ignore[import-untyped]  # noqa: PLC0415 - large, and not installed where no such file is read
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise FileError(f"{path} is a Parquet file, which needs pyarrow: install it, or export CSV") from None
    try:
        with parquet.ParquetFile(path) as file:
            _check_header(file.schema_arrow.names, path, mapping)
            number = 0
            for batch in file.iter_batches(batch_size=PARQUET_ROWS, columns=list(mapping.fields)):
                for row in batch.to_pylist():
                    number += 1
                    yield number, _texts(row, mapping.fields)
    except arrow.ArrowInvalid:
        raise FileError(f"{path} is not a Parquet file, or is cut short: export it again") from None


def _texts(row: Mapping[str, Any], columns: Sequence[str]) -> FileRow:
    texts: dict[str, str] = {}
    for column in columns:
        match row.get(column):
            case None:
                pass
            case bool(value):
                texts[column] = str(value).lower()
            case str() | int() | float() as value:
                texts[column] = str(value)
            case date() | datetime() as value:
                texts[column] = value.isoformat()
            case _:
                return Problem(column, "neither a text nor a number")
    return texts


def _check_header(header: Sequence[str], path: Path, mapping: CrmMapping) -> None:
    """The cells of a file without a header are somebody's data: no text here repeats one that the mapping lacks."""
    if not header:
        raise FileError(f"{path} is empty")
    wanted = mapping.fields
    present = [name for name in wanted if name in header]
    if not present:
        separator = next((name for mark, name in _OTHER_SEPARATORS.items() if mark in header[0]), "")
        hint = f"it seems to be separated by {separator}" if separator else "the first line must name the columns"
        raise FileError(f"{path} has no column {mapping.id_column!r}, nor any other that the mapping reads: {hint}")
    if mapping.id_column not in present:
        raise FileError(
            f"{path} has no column {mapping.id_column!r}; of those that the mapping reads it has {', '.join(present)}"
        )
    missing = [name for name in wanted if name not in present]
    if missing:
        raise FileError(
            f"{path} lacks {', '.join(missing)}, which the mapping reads; a whole column that is missing would empty "
            "that field of every customer"
        )
    doubled = [name for name in present if header.count(name) > 1]
    if doubled:
        raise FileError(f"{path} has more than one column {', '.join(doubled)}")


def _unless_repeated(
    record: CrmRecord | Problem, line: int, first_line_of: dict[str, int], mapping: CrmMapping
) -> CrmRecord | Problem:
    if isinstance(record, Problem):
        return record
    first = first_line_of.setdefault(record.id.key, line)
    if first == line:
        return record
    return Problem(mapping.id_column, "the same id as an earlier row", f"line {first}, {mask(record.id.value)}")


def _undecodable_line(path: Path) -> int:
    """Found by reading again: where the decoder stood in the file, its error does not say."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 0
