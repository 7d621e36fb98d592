"""A CRM export in a CSV file, row by row."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cir.crm import CrmRecord, Problem, read_record
from cir.identifiers import mask
from cir.mapping import CrmMapping

_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class FileError(Exception):
    """The file as a whole cannot be read. The text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file, and what it holds."""

    number: int
    """Of the line in which the row begins, counted from 1, as an editor shows it."""
    record: CrmRecord | Problem


def read_file(path: Path, mapping: CrmMapping, *, default_region: str) -> Iterator[Line]:
    """Each row as a record, or as the problem for which it is refused. Raises FileError.

    UTF-8 with or without byte order mark, comma-separated, with a header. An id that was there before is refused:
    which of the two rows is right, the file does not say.
    """
    first_line_of: dict[str, int] = {}
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
                if cells:
                    record = _read_row(cells, header, mapping, default_region)
                    yield Line(begins, _unless_repeated(record, begins, first_line_of, mapping))
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise FileError(f"{path} is not UTF-8 (line {_undecodable_line(path)}): export it again as UTF-8") from None
    except csv.Error as error:
        raise FileError(f"{path} is not well-formed CSV in the row that begins in line {begins}: {error}") from error


def _check_header(header: Sequence[str], path: Path, mapping: CrmMapping) -> None:
    """The cells of a file without a header are somebody's data: no text here repeats one that the mapping lacks."""
    if not header:
        raise FileError(f"{path} is empty")
    wanted = dict.fromkeys(filter(None, (mapping.id_column, mapping.region_column, *mapping.columns)))
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


def _read_row(cells: list[str], header: list[str], mapping: CrmMapping, default_region: str) -> CrmRecord | Problem:
    if len(cells) != len(header):
        return Problem("row", f"{len(cells)} columns where the header has {len(header)}")
    return read_record(dict(zip(header, cells, strict=True)), mapping, default_region=default_region)


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
