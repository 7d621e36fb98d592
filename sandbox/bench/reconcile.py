"""Measures the reconciliation of a whole base: CPU, memory, and how many requests Genesys would get.

    python -m sandbox.bench.reconcile                  500,000 customers, 2 % changed: about two minutes

A night after another good one: what is remembered of the rows is there. The contacts table is a generated stream of
items in DynamoDB's own JSON, parsed by the code that parses the table's pages; its transport is not measured, nor is
Genesys Cloud's: requests are counted at the load step, ten customers each.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cir.aws.dynamodb import DynamoDBError, marshal_item
from cir.aws.files import Directory
from cir.contacts.organization import Organization
from cir.contacts.writing import profile_of, to_external_contact
from cir.crm.connector import CrmRow
from cir.crm.mapping import SHIPPED, load_mapping
from cir.crm.record import CrmRecord, read_record
from cir.genesys.client import GenesysClient
from cir.http.oauth import Credentials
from cir.identity.identifiers import Identifier
from cir.identity.records import Contact
from cir.imports.run import load_all
from cir.index.store import IdentityStore, TableNames
from cir.reconcile.compare import PROVEN, compare, context_of, proof_of
from cir.reconcile.extract import columns_of, extract
from cir.reconcile.held import Index, scan
from cir.reconcile.report import report
from cir.reconcile.run import Night, State
from cir.sync.customers import Change, Sync, Synced
from cir.sync.drafts import fingerprint
from sandbox.customers.salesforce import contact_id as salesforce_id

MAPPING = load_mapping(SHIPPED / "salesforce.json")
ORGANIZATION = Organization(
    source_ids={key: f"00000000-0000-0000-0000-00000000000{number}" for number, key in enumerate(MAPPING.sources)},
    schema={"id": "00000000-0000-0000-0000-0000000000aa", "version": 1},
    queue_ids={tier: f"queue-{tier}" for tier in MAPPING.queues},
)
PAGE = 1000
CHANGED_EVERY = 50


def _row(number: int, tier: str = "Gold") -> CrmRow:
    values = {
        "FirstName": "Alex",
        "LastName": f"Customer{number}",
        "MobilePhone": f"+1212{2_000_000 + number}",
        "Phone": f"(917) 555-{number % 10_000:04d}",
        "Email": f"customer{number}@example.com",
        "Loyalty_Number__c": f"GLD-{number:06d}",
        "Account_Tier__c": tier,
        "Status__c": "Active",
        "Preferred_Language__c": "en-US",
    }
    return CrmRow(salesforce_id(number), values)


def _record(row: CrmRow) -> CrmRecord:
    record = read_record({"Id": row.id, **row.values}, MAPPING, default_region="US")
    if not isinstance(record, CrmRecord):
        raise TypeError(record)
    return record


@dataclass
class Crm:
    rows: int
    tier_of_changed: str = "Gold"
    source: str = MAPPING.source

    def extract(self, since: str = "") -> Iterator[CrmRow]:  # noqa: ARG002
        for number in range(self.rows):
            yield _row(number, "Gold" if number % CHANGED_EVERY else self.tier_of_changed)

    def fetch(self, ids: Sequence[str]) -> list[CrmRow]:  # noqa: ARG002
        return []

    def next_point(self) -> str:
        return ""


@dataclass
class Table:
    """The index, on disk: pages of the contacts table as DynamoDB sends them, and what leads to them."""

    directory: Path
    numbers: dict[str, int] = field(default_factory=dict)
    """Hash of an id's key → the number of its customer; the process under measurement does not pay for more."""
    state: dict[str, Any] = field(default_factory=dict)

    def fill(self, rows: int) -> bytes:
        """Write the pages; returns what a good night would remember of the rows."""
        with ProcessPoolExecutor(2) as pool:
            parts = [pool.submit(_write_page, self.directory, at, min(at + PAGE, rows)) for at in range(0, rows, PAGE)]
            return b"".join(part.result() for part in parts)

    def __call__(self, operation: str, request: Mapping[str, Any], *, timeout: float | None = None) -> dict[str, Any]:  # noqa: ARG002
        match operation:
            case "Scan":
                start = int(request.get("ExclusiveStartKey", {"at": 0})["at"])
                page: dict[str, Any] = json.loads((self.directory / str(start)).read_text())
                following = start + PAGE
                return page | (
                    {"LastEvaluatedKey": {"at": following}} if (self.directory / str(following)).exists() else {}
                )
            case "BatchGetItem":
                ((table, keys),) = request["RequestItems"].items()
                return {"Responses": {table: [each for key in keys["Keys"] for each in self._found(key)]}}
            case "GetItem":
                found = self.state.get(request["Key"]["name"]["S"])
                return {"Item": found} if found else {}
            case "PutItem":
                self.state[request["Item"]["name"]["S"]] = request["Item"]
                return {}
        raise DynamoDBError("ValidationException", operation)

    def _found(self, key: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        if "contact_id" in key:
            yield _item(int(key["contact_id"]["S"][-12:]))
        elif (text := key["identifier"]["S"]).startswith("external#loyalty#"):
            yield _claimed(text, int(text[-6:]))
        elif text in self.numbers:
            yield _claimed(text, self.numbers[text])


def _write_page(directory: Path, start: int, end: int) -> bytes:
    items = [_item(number) for number in range(start, end)]
    (directory / str(start)).write_text(json.dumps({"Items": items}))
    context, columns = context_of(_sync(Table(directory)), "US"), columns_of(MAPPING)
    return b"".join(
        proof_of([row.id, *(row.values.get(column, "") for column in columns)], item["fingerprint"]["S"], context)
        for row, item in zip(map(_row, range(start, end)), items, strict=True)
    )


def _sync(table: "Table") -> Sync:
    store = IdentityStore(table, TableNames("identifiers", "contacts", "ledger"))
    client = GenesysClient(api_url="http://127.0.0.1:9", credentials=Credentials("none", "none"))
    return Sync(client, store, ORGANIZATION, MAPPING)


def _claimed(key: str, number: int) -> dict[str, Any]:
    claim = {"source": "salesforce", "assurance": 1, "first_seen": "", "last_confirmed": ""}
    return marshal_item({"identifier": key, f"claim#{_contact_id(number)}": claim, "claim_count": 1, "version": 1})


def _contact_id(number: int) -> str:
    return f"5f0c8a5e-9b1d-4c07-8a55-{number:012d}"


def _item(number: int) -> dict[str, Any]:
    record = _record(_row(number))
    external: tuple[Identifier, ...] = (record.id, *record.external)
    contact = Contact(
        _contact_id(number),
        profile=profile_of(record, ORGANIZATION),
        identifiers=record.identifiers,
        generation=1,
        fingerprint=fingerprint(to_external_contact(record, external, ORGANIZATION)),
        genesys_modified="2026-01-01T00:00:00.000Z",
    )
    return marshal_item(contact.to_item())


class Counting:
    """In the place of the sync: each call is one request to Genesys."""

    def __init__(self) -> None:
        self.requests = 0

    def records(self, records: Any, /) -> list[Synced]:
        self.requests += 1
        return [Synced(record, Change.UPDATED, "contact") for record in records]


def _night(name: str, crm: Crm, table: Table, files: Directory) -> dict[str, Any]:
    cpu, wall = time.process_time(), time.monotonic()
    night = Night(name, files, State(table, "state"))
    laps: dict[str, float] = {}

    def lap(step: str) -> None:
        laps[step] = round(time.process_time() - cpu - sum(laps.values()), 1)

    extracted = extract(night, crm, MAPPING)
    lap("extract")
    index = Index.of(scan(table, "contacts"), source=MAPPING.source, since=extracted.started)
    lap("index")
    plan = compare(night, extracted, index, _sync(table), default_region="US")
    lap("compare")
    loader = Counting()
    load_all(night.repairs, loader)
    lap("load")
    result = report(night, MAPPING.source, publish=False)
    lap("report")
    return {
        "night": name,
        "rows": plan.rows,
        "changed": plan.changed,
        "addsUp": result.adds_up,
        "requests": loader.requests,
        "cpuSeconds": round(time.process_time() - cpu, 1),
        "wallSeconds": round(time.monotonic() - wall, 1),
        "cpuBySteps": laps,
        "peakMB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "table").mkdir()
        table = Table(Path(directory) / "table")
        files = Directory(Path(directory) / "files")
        files.write(PROVEN, table.fill(given.rows))
        changed = range(0, given.rows, CHANGED_EVERY)
        table.numbers = {_record(_row(number)).id.key: number for number in changed}
        print(json.dumps(_night("2 % changed", Crm(given.rows, "Platinum"), table, files)))  # noqa: T201


if __name__ == "__main__":
    main()
