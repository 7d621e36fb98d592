"""A CSV export in the place of the CRM."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cir.crm_file import FileError
from cir.mapping import CrmMapping


@dataclass(frozen=True, slots=True)
class CsvRow:
    id: str
    values: dict[str, str]
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class CsvSource:
    """UTF-8, comma-separated, with a header. A column that is missing reads as empty, which the comparison notices."""

    path: Path
    mapping: CrmMapping

    def extract(self, since: str = "") -> Iterator[CsvRow]:  # noqa: ARG002 - a file does not know what has changed
        """Raises FileError."""
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                rows = csv.DictReader(file, strict=True)
                if self.mapping.id_column not in (rows.fieldnames or ()):
                    raise FileError(f"{self.path} has no column {self.mapping.id_column!r}, which the mapping reads")
                for row in rows:
                    values = {name: row[name] for name in self.mapping.columns if row.get(name)}
                    if region := row.get(self.mapping.region_column):
                        values[self.mapping.region_column] = region
                    yield CsvRow(row[self.mapping.id_column] or "", values)
        except OSError as error:
            raise FileError(f"cannot read {self.path}: {error.strerror}") from error
        except UnicodeDecodeError:
            raise FileError(f"{self.path} is not UTF-8: export it again as UTF-8") from None
        except csv.Error as error:
            raise FileError(f"{self.path} is not well-formed CSV in or before line {rows.line_num}: {error}") from error

    def fetch(self, ids: Sequence[str]) -> list[CsvRow]:  # noqa: ARG002 - a file proves nobody to be gone
        return []

    def next_point(self) -> str:
        return ""
