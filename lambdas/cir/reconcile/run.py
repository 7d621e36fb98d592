"""A run of the reconciliation: where its files lie, and what is remembered from one to the next."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cir.aws.dynamodb import DynamoDB, marshal, unmarshal
from cir.aws.files import Files
from cir.imports.run import Run

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PREFIX = "reconcile/"
REPAIRS = "reconcile-"
"""Before a run's name it names the run of the import that is its repairs."""
LAST_GOOD = "reconcile#last"
MONTH = timedelta(days=30)
MOST_LOOKED = 60
"""Runs of a month that are kept: two a day."""
"""In the state table: what the last run that was not stopped has seen."""


@dataclass(frozen=True, slots=True)
class State:
    """Small facts of no person, by name, in the state table."""

    dynamodb: DynamoDB
    table: str

    def get(self, name: str) -> dict[str, Any]:
        """Empty when there is none."""
        key = {"name": marshal(name)}
        answer = self.dynamodb("GetItem", {"TableName": self.table, "Key": key, "ConsistentRead": True})
        found: dict[str, Any] = json.loads(unmarshal(answer["Item"]["facts"])) if "Item" in answer else {}
        return found

    def put(self, name: str, facts: Mapping[str, Any]) -> None:
        item = {"name": marshal(name), "facts": marshal(json.dumps(facts, separators=(",", ":")))}
        self.dynamodb("PutItem", {"TableName": self.table, "Item": item})


@dataclass(frozen=True, slots=True)
class Night:
    """One run. Its name is the day's, so that what is started again goes on with it."""

    name: str
    files: Files
    state: State

    def key(self, name: str) -> str:
        return f"{PREFIX}{self.name}/{name}"

    @property
    def repairs(self) -> Run:
        """What the load step of the import loads."""
        return Run.named(self.files, f"{REPAIRS}{self.name}")

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file of the run; empty when it is not there."""
        with suppress(FileNotFoundError):
            found: dict[str, Any] = json.loads(self.files.read(self.key(name)))
            return found
        return {}

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        self.files.write(self.key(name), json.dumps(value, separators=(",", ":")).encode())

    def lines(self, name: str) -> Iterator[Any]:
        with suppress(FileNotFoundError):
            for line in self.files.read(self.key(name)).splitlines():
                yield json.loads(line)

    def write_lines(self, name: str, values: Sequence[Any]) -> None:
        text = "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in values)
        self.files.write(self.key(name), text.encode())


@dataclass(frozen=True, slots=True)
class Looked:
    """What one good run has seen, for those of the month after it."""

    run: str
    ended: str
    rows: int
    left: int
    """Customers who were withdrawn or deleted because the CRM had them no more."""
    filled: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LastGood:
    """What the last run that was not stopped has seen; what is suspicious depends on it."""

    rows: int = 0
    filled: Mapping[str, int] = field(default_factory=dict)
    """CRM field → rows that had a value."""
    context: Mapping[str, str] = field(default_factory=dict)
    """What every customer depends on → a digest of it."""
    month: Sequence[Looked] = ()
    """The good runs of the last thirty days; only those since the last one that was forced, for whoever forces one says
    that all is as it should be."""

    @classmethod
    def read(cls, state: State) -> "LastGood":
        facts = state.get(LAST_GOOD)
        if not facts:
            return cls()
        month = [Looked(**each) for each in facts.get("month", ())]
        return cls(facts["rows"], facts["filled"], facts.get("context", {}), month)

    def since(self, moment: str) -> Sequence[Looked]:
        """Those of the month before a moment (ISO 8601)."""
        oldest = datetime.fromisoformat(moment) - MONTH
        return [each for each in self.month if datetime.fromisoformat(each.ended) >= oldest][-MOST_LOOKED:]


def plain(value: "DataclassInstance") -> dict[str, Any]:
    """Its fields as they are; `asdict` takes counters apart."""
    return {each.name: getattr(value, each.name) for each in fields(value)}


def known(form: type["DataclassInstance"], data: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a file of the run says, the fields that this release knows: another may have written it."""
    return {each.name: data[each.name] for each in fields(form) if each.name in data}
