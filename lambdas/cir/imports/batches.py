"""Batches: records of a CRM as files of a few hundred, each worked on and repeated on its own.

One JSON object a line: a normalised record, or the problem for which its row is refused. Whoever wrote them, an import
or a reconciliation, `cir.imports.run.load` brings them to Genesys Cloud and the index.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import batched
from typing import Any

from cir.aws.files import Files
from cir.crm.export_file import Line
from cir.crm.record import CrmRecord, Problem
from cir.identity.identifiers import Identifier, from_key

BATCH_ROWS = 500
"""Fifty requests to Genesys: ten seconds at its full rate, and what is repeated at most after a failure."""

_WRITTEN = frozenset({"id", "texts", "slots", "external", "problems"})
_OTHERS = tuple(each.name for each in fields(CrmRecord) if each.name not in _WRITTEN)
"""Plain values that a record has besides."""


def write_batches(files: Files, prefix: str, lines: Iterable[Line], *, rows: int = BATCH_ROWS) -> list[str]:
    """Write all lines below `prefix`; returns the keys of the batches in their order."""
    keys: list[str] = []
    for number, batch in enumerate(batched(lines, rows), 1):
        key = f"{prefix}{number:06d}.ndjson"
        files.write(key, b"".join(map(_encode, batch)))
        keys.append(key)
    return keys


def read_batch(files: Files, key: str) -> Iterator[Line]:
    """The lines of one batch. Raises FileNotFoundError."""
    for text in files.read(key).splitlines():
        yield _decode(json.loads(text))


def problem_to_json(problem: Problem) -> list[str]:
    return [problem.column, problem.reason, problem.value]


def problem_from_json(data: Iterable[str]) -> Problem:
    return Problem(*data)


def _encode(line: Line) -> bytes:
    record = line.record
    data: dict[str, Any] = {"line": line.number}
    if isinstance(record, Problem):
        data["refused"] = problem_to_json(record)
    else:
        data |= {
            "id": _identifier(record.id),
            "texts": dict(record.texts),
            "slots": {slot: _identifier(each) for slot, each in record.slots.items()},
            "external": [_identifier(each) for each in record.external],
            "problems": [problem_to_json(each) for each in record.problems],
            **{name: getattr(record, name) for name in _OTHERS},
        }
    return json.dumps(data, separators=(",", ":")).encode() + b"\n"


def _decode(data: Mapping[str, Any]) -> Line:
    if "refused" in data:
        return Line(data["line"], problem_from_json(data["refused"]))
    record = CrmRecord(
        id=from_key(*data["id"]),
        texts=data["texts"],
        slots={slot: from_key(*each) for slot, each in data["slots"].items()},
        external=tuple(from_key(*each) for each in data["external"]),
        problems=tuple(map(problem_from_json, data["problems"])),
        **{name: data[name] for name in _OTHERS},
    )
    return Line(data["line"], record)


def _identifier(identifier: Identifier) -> tuple[str, str]:
    return identifier.key, identifier.value
