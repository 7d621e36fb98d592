"""An import: every row of a CRM export through the sync, several requests at a time."""

import json
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Self

from cir.crm.export_file import Line
from cir.crm.record import CrmRecord, Problem
from cir.genesys.contacts import BULK_LIMIT
from cir.imports.batches import problem_from_json, problem_to_json
from cir.sync.customers import Change, Loader, Synced

WORKERS = 4
"""Requests under way at once. At 0.8 s a request, four keep up with Genesys' default of 300 requests a minute."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one line of the file."""

    line: int
    change: Change
    crm_id: str = ""
    contact_id: str = ""
    problems: tuple[Problem, ...] = ()
    """Why the row was refused, or what of it was left out."""

    def to_json(self) -> bytes:
        """One line of a file of results."""
        problems = [problem_to_json(each) for each in self.problems]
        values = (self.line, self.change, self.crm_id, self.contact_id, problems)
        return json.dumps(values, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        line, change, crm_id, contact_id, problems = json.loads(text)
        return cls(line, Change(change), crm_id, contact_id, tuple(map(problem_from_json, problems)))


@dataclass(slots=True)
class Report:
    """The sum of an import."""

    seconds: float = 0.0

    changes: Counter[Change] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(column, reason) of rows that were refused → how many."""
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(column, reason) of values that were left out of rows that were imported → how many."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `as_dict` has made."""
        return cls(
            data["seconds"],
            Counter({change: data.get(change, 0) for change in Change}),
            _from_list(data["refusedBecause"]),
            _from_list(data["leftOut"]),
        )

    def add(self, imported: Imported) -> None:
        self.changes[imported.change] += 1
        if imported.change is Change.REFUSED:
            problem = imported.problems[0]
            self.refused[problem.column, problem.reason] += 1
        else:
            self.left_out.update((problem.column, problem.reason) for problem in imported.problems)

    @property
    def rows(self) -> int:
        return self.changes.total()

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "rows": self.rows,
            **{str(change): self.changes[change] for change in Change},
            "seconds": round(self.seconds, 1),
            "refusedBecause": _as_list(self.refused),
            "leftOut": _as_list(self.left_out),
        }


def import_lines(lines: Iterable[Line], sync: Loader, *, workers: int = WORKERS) -> Generator[Imported]:
    """Import all lines; each is reported once, in no particular order.

    Raises GenesysError or DynamoDBError when a service fails for good: no further batch is begun, and what was done is
    reported first. Running the import again completes it.
    """
    with ThreadPoolExecutor(workers) as pool:
        running: dict[Future[list[Synced]], list[int]] = {}
        try:
            for batch in _batches(lines):
                records: list[CrmRecord] = []
                numbers: list[int] = []
                for line in batch:
                    if isinstance(line.record, Problem):
                        yield Imported(line.number, Change.REFUSED, problems=(line.record,))
                    else:
                        records.append(line.record)
                        numbers.append(line.number)
                if not records:
                    continue
                while len(running) >= 2 * workers:
                    yield from _finished(running)
                running[pool.submit(sync.records, records)] = numbers
            while running:
                yield from _finished(running)
        finally:
            for future in running:
                future.cancel()


def _as_list(reasons: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"column": column, "reason": reason, "rows": rows} for (column, reason), rows in reasons.most_common()]


def _from_list(reasons: Iterable[Mapping[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter({(each["column"], each["reason"]): each["rows"] for each in reasons})


def _finished(running: dict[Future[list[Synced]], list[int]]) -> Iterator[Imported]:
    """Report the batches that are done. After a failure those under way are waited for, and no other is begun."""
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    failure = next((error for future in done if (error := future.exception())), None)
    if failure:
        done |= {future for future in running if not future.cancel()}
    for future in done:
        numbers = running.pop(future)
        if not future.exception():
            for number, synced in zip(numbers, future.result(), strict=True):
                yield Imported(number, synced.change, synced.record.id.value, synced.contact_id, synced.problems)
    if failure:
        raise failure


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Batches with as many records as one request takes; lines without one ride along."""
    batch: list[Line] = []
    records = 0
    for line in lines:
        batch.append(line)
        records += isinstance(line.record, CrmRecord)
        if records == BULK_LIMIT:
            yield batch
            batch, records = [], 0
    if batch:
        yield batch
