"""First step: everything that the mapping reads of the CRM, as files of a few thousand rows. One pass, flat memory."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import batched
from typing import Self

from cir.crm.connector import Connector
from cir.crm.mapping import CrmMapping
from cir.identity.records import timestamp
from cir.reconcile.run import Night, known

ROWS = 5000
"""Of one file: about a megabyte, so that 500,000 customers are a hundred reads."""
CHECKPOINT = "reconcile#extract"
"""In the state table: the connector's point after the last complete extract."""


@dataclass(frozen=True, slots=True)
class Extract:
    """What was read of the CRM."""

    started: str
    """What was changed after this may be newer than the rows."""
    columns: tuple[str, ...]
    """The order of the values of a row; its id is not among them."""
    rows: int
    deleted: int
    """Of them those that the CRM keeps as deleted; they are not in the files."""
    filled: dict[str, int]
    files: tuple[str, ...]

    @classmethod
    def read(cls, night: Night) -> Self | None:
        """None when it is not complete."""
        data = night.read("extract.json")
        return (
            cls(**{**known(cls, data), "columns": tuple(data["columns"]), "files": tuple(data["files"])})
            if data
            else None
        )

    def values(self, night: Night) -> Iterator[list[str]]:
        """Each row: its id, and the values in the order of the columns."""
        for key in self.files:
            for line in night.files.read(key).splitlines():
                yield json.loads(line)


def columns_of(mapping: CrmMapping) -> tuple[str, ...]:
    """All that the mapping reads besides the id."""
    return tuple(column for column in mapping.fields if column != mapping.id_column)


def extract(
    night: Night, source: Connector, mapping: CrmMapping, *, on_rows: Callable[[int], None] = lambda _: None
) -> Extract:
    """Read all of the CRM, if that was not done. Of one that died half-way nothing is used: it is read anew."""
    done = Extract.read(night)
    if done:
        return done
    night.files.remove(night.files.list(night.key("rows/")))
    started, columns = timestamp(), columns_of(mapping)
    filled: Counter[str] = Counter(dict.fromkeys(columns, 0))
    counts: Counter[str] = Counter()

    def rows() -> Iterator[bytes]:
        for row in source.extract():
            counts["rows"] += 1
            if row.deleted:
                counts["deleted"] += 1
                continue
            values = [row.values.get(column) or "" for column in columns]
            for column, value in zip(columns, values, strict=True):
                if value and not value.isspace():
                    filled[column] += 1
            yield _encode([row.id, *values])

    files: list[str] = []
    for number, some in enumerate(batched(rows(), ROWS), 1):
        key = night.key(f"rows/{number:06d}.ndjson")
        night.files.write(key, b"".join(some))
        files.append(key)
        on_rows(counts["rows"])
    result = Extract(started, columns, counts["rows"], counts["deleted"], dict(filled), tuple(files))
    night.state.put(CHECKPOINT, {"run": night.name, "point": source.next_point()})
    night.write("extract.json", asdict(result))
    return result


def _encode(values: Sequence[str]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode() + b"\n"
