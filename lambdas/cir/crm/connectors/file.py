"""A file in the place of a CRM: everything, every time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cir.crm.connector import CrmRow
from cir.crm.connectors.errors import CrmError
from cir.crm.export_file import FileError, read_rows
from cir.crm.mapping import CrmMapping
from cir.crm.record import Problem


@dataclass(frozen=True, slots=True)
class FileConnector:
    """CSV, NDJSON or Parquet. A row that cannot be read comes without id, so that it is counted and refused later."""

    path: Path
    mapping: CrmMapping

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], mapping: CrmMapping) -> "FileConnector":
        path = environment.get("CRM_FILE", "")
        if not path:
            raise CrmError("CRM_FILE is not set: the path of the file that the CRM was exported to")
        return cls(Path(path), mapping)

    @property
    def source(self) -> str:
        return self.mapping.source

    def extract(self, since: str = "") -> Iterator[CrmRow]:  # noqa: ARG002 - a file does not know what has changed
        try:
            for _, row in read_rows(self.path, self.mapping):
                cells = {} if isinstance(row, Problem) else row
                values = {name: cells[name] for name in self.mapping.fields if cells.get(name)}
                yield CrmRow(values.get(self.mapping.id_column, "").strip(), values)
        except FileError as error:
            raise CrmError(str(error), operation="file.extract") from error

    def next_point(self) -> str:
        """Empty: the next extract is everything again."""
        return ""

    def fetch(self, ids: Sequence[str]) -> list[CrmRow]:
        """Those that are in the file."""
        wanted = frozenset(ids)
        found = {row.id: row for row in self.extract() if row.id in wanted}
        return [found[each] for each in ids if each in found]
