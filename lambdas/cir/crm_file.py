"""A CRM export in a CSV file, row by row."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cir.crm import CrmRecord, Problem, read_record
from cir.mapping import CrmMapping


class FileError(Exception):
    """The file as a whole cannot be read. The text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file, and what it holds."""

    number: int
    """Of the row's last line in the file, counted from 1, as an editor shows it."""
    record: CrmRecord | Problem


def read_file(path: Path, mapping: CrmMapping, *, default_region: str) -> Iterator[Line]:
    """Each row as a record, or as the problem for which it is refused. Raises FileError.

    UTF-8 with or without byte order mark, comma-separated, with a header. An id that was there before is refused:
    which of the two rows is right, the file does not say.
    """
    first_line_of: dict[str, int] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, None)
            _check_header(header, path, mapping)
            for cells in rows:
                if not cells:
                    continue
                record = _read_row(cells, header or [], mapping, default_region)
                if isinstance(record, CrmRecord):
                    before = first_line_of.setdefault(record.id.key, rows.line_num)
                    if before != rows.line_num:
                        record = Problem(mapping.id_column, f"the same id as in line {before}", record.id.masked)
                yield Line(rows.line_num, record)
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not UTF-8 (byte {error.start}): export it again as UTF-8") from error
    except csv.Error as error:
        raise FileError(f"{path} is not well-formed CSV after line {rows.line_num}: {error}") from error


def _check_header(header: list[str] | None, path: Path, mapping: CrmMapping) -> None:
    if not header:
        raise FileError(f"{path} is empty")
    missing = sorted({mapping.id_column, *mapping.columns} - set(header))
    if mapping.id_column in missing or len(missing) == len(mapping.columns) + 1:
        raise FileError(f"{path} has no column {mapping.id_column!r}; it has {', '.join(header[:8])}")
    if missing:
        raise FileError(
            f"{path} lacks the columns {', '.join(missing)} that the mapping reads; a whole column that is missing "
            "would empty that field of every customer"
        )


def _read_row(cells: list[str], header: list[str], mapping: CrmMapping, default_region: str) -> CrmRecord | Problem:
    if len(cells) != len(header):
        return Problem("row", f"{len(cells)} columns where the header has {len(header)}")
    return read_record(dict(zip(header, cells, strict=True)), mapping, default_region=default_region)
