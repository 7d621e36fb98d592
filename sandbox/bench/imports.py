"""Measures the two ways of importing against the emulator's real limits, in time that passes faster.

    python -m sandbox.bench.imports                  20,000 accounts, under a minute each way
    python -m sandbox.bench.imports --rows 500000    all of them: the best part of an hour

What is measured is what Genesys Cloud limits: requests, and how close bulk work comes to 300 of them a minute while
live work goes first. The index is one that takes everything at once: it is no bottleneck (a DynamoDB emulator takes
four times as many accounts a second as Genesys does), and at this speed of time it would become one.
"""

import argparse
import contextlib
import json
import resource
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cir.aws.dynamodb import DynamoDBError
from cir.aws.files import Directory
from cir.contacts.organization import prepare
from cir.crm.export_file import Line
from cir.crm.mapping import SHIPPED, load_mapping
from cir.crm.record import read_record
from cir.genesys.budget import Budget, Kind, Window
from cir.genesys.client import GenesysClient
from cir.genesys.contacts import BULK_LIMIT
from cir.genesys.transport import Call, Transport
from cir.http.oauth import Credentials
from cir.http.retries import Timing
from cir.imports.genesys_csv import Adopting, export_contacts, import_files
from cir.imports.loading import Imported
from cir.imports.run import Run, load_all, report, split
from cir.index.store import IdentityStore, TableNames
from cir.sync.customers import Sync
from sandbox.customers.salesforce import contact_id as salesforce_id
from sandbox.genesys_process import CLIENT_ID, CLIENT_SECRET, GenesysEmulator

CEILING = 3000
"""Contacts a minute: 300 requests of ten."""
EVERYBODY = 500_000
MAPPING = load_mapping(SHIPPED / "salesforce.json")


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of importing. Minutes are the organization's."""

    via: str
    rows: int
    minutes: float
    requests: int
    throttled: int
    rows_a_minute: float
    share_of_ceiling: float
    live_requests: int
    live_waits: int
    leases: int
    """Writes to the state table."""
    windows: list[int]
    """Requests in each minute."""
    peak_mb: int


class Table:
    """The state table and an index that knows nobody and takes everything."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._items: dict[str, Mapping[str, Any]] = {}
        self.leases = 0

    def __call__(self, operation: str, request: Mapping[str, Any], *, timeout: float | None = None) -> dict[str, Any]:  # noqa: ARG002
        if operation == "BatchGetItem":
            return {"Responses": {table: [] for table in request["RequestItems"]}}
        if operation == "PutItem":
            self._lease(request)
        return {}

    def _lease(self, request: Mapping[str, Any]) -> None:
        item, name = request["Item"], request["Item"]["name"]["S"]
        expected = request.get("ExpressionAttributeValues", {}).get(":version")
        with self._lock:
            self.leases += 1
            found = self._items.get(name)
            if (found and found["version"]) != expected:
                raise DynamoDBError("ConditionalCheckFailedException", "changed", {"Item": found} if found else {})
            self._items[name] = item


@dataclass
class Bench:
    """One organization whose time passes `speed` times as fast."""

    url: str
    speed: float

    def __post_init__(self) -> None:
        self.table = Table()
        self.calls: Counter[int | None] = Counter()
        self.live_waits = 0
        self.windows: list[Window] = []

    def clock(self) -> float:
        return time.time() * self.speed

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self.speed)

    def client(self, kind: Kind) -> GenesysClient:
        """As one function has it, with a budget of its own over the shared table."""

        def sleep(seconds: float) -> None:
            self.live_waits += kind == "live"
            self.sleep(seconds)

        def count(call: Call) -> None:
            if call.operation != "login":
                self.calls[call.status] += 1

        budget = Budget(self.table, "state", name="bench", kind=kind, clock=self.clock, on_window=self.windows.append)
        transport = Transport(pacer=budget, timing=Timing(self.clock, sleep), on_call=count)
        return GenesysClient(api_url=self.url, credentials=Credentials(CLIENT_ID, CLIENT_SECRET), transport=transport)

    def measure(self, via: str, rows: int, work: Callable[[Run, Sync], None]) -> Measured:
        client = self.client("bulk")
        store = IdentityStore(self.table, TableNames("identifiers", "contacts", "ledger"))
        sync = Sync(client, store, prepare(client, MAPPING), MAPPING, sleep=self.sleep)
        with tempfile.TemporaryDirectory() as directory, self._live_work() as live:
            run = Run(Directory(Path(directory)))
            split(run, _accounts(rows), sync.organization, origin=via)
            live_before = live()
            self.calls.clear()
            started = self.clock()
            work(run, sync)
            minutes = (self.clock() - started) / 60
            live_requests = live() - live_before
            total = report(run)
        if total.rows != rows or total.refused:
            raise RuntimeError(f"{total.rows} rows were imported, not {rows}: {total.refused}")
        return Measured(
            via=via,
            rows=rows,
            minutes=round(minutes, 2),
            requests=self.calls.total() - live_requests,
            throttled=self.calls[429],
            rows_a_minute=round(rows / minutes),
            share_of_ceiling=round(rows / minutes / CEILING, 4),
            live_requests=live_requests,
            live_waits=self.live_waits,
            leases=self.table.leases,
            windows=[window.used for window in self.windows],
            peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        )

    @contextlib.contextmanager
    def _live_work(self) -> Iterator[Callable[[], int]]:
        """Somebody calls every ten seconds."""
        client, stop, sent = self.client("live"), threading.Event(), 0

        def call() -> None:
            nonlocal sent
            while not stop.wait(10 / self.speed):
                client.contacts.find({"type": "Phone", "value": "+12125550100"})
                sent += 1

        thread = threading.Thread(target=call)
        thread.start()
        try:
            yield lambda: sent
        finally:
            stop.set()
            thread.join()


def _accounts(rows: int) -> Iterator[Line]:
    for number in range(rows):
        row = {
            "Id": salesforce_id(number),
            "FirstName": "Alex",
            "LastName": f"Customer{number}",
            "MobilePhone": f"+1212{2_000_000 + number}",
            "Email": f"customer{number}@example.com",
            "Account_Tier__c": "Gold",
        }
        yield Line(number + 2, read_record(row, MAPPING, default_region="US"))


def _enrich(_: Bench, workers: int) -> Callable[[Run, Sync], None]:
    def work(run: Run, sync: Sync) -> None:
        load_all(run, sync, workers=workers, on_row=_progress())

    return work


def _csv(bench: Bench, workers: int) -> Callable[[Run, Sync], None]:
    def work(run: Run, sync: Sync) -> None:
        source_id = sync.organization.source_ids[MAPPING.source]
        import_files(run, sync.client, MAPPING, source_id=source_id, sleep=bench.sleep)
        ids = export_contacts(run, sync.client, MAPPING, source_id=source_id)
        load_all(run, Adopting(sync, ids), workers=workers)

    return work


def _progress() -> Callable[[Imported], None]:
    done = 0

    def row_done(_: Imported) -> None:
        nonlocal done
        done += 1
        if done % 10_000 == 0:
            print(f"{done:,} rows", flush=True)  # noqa: T201

    return row_done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--speed", type=float, default=8.0, help="of time; more than the machine keeps up with is lost")
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--via", choices=["enrich", "csv", "both"], default="both")
    given = parser.parse_args()
    for via, work in (("enrich", _enrich), ("csv", _csv)):
        if given.via not in {via, "both"}:
            continue
        settings = {"clock_speed": given.speed, "rate_limit_shared": True, "latency_ms": (300, 800)}
        emulator = GenesysEmulator(settings={**settings, "event_buffer": 1})
        emulator.start()
        try:
            bench = Bench(emulator.url, given.speed)
            measured = bench.measure(via, given.rows, work(bench, given.workers))
        finally:
            emulator.stop()
        print(json.dumps(asdict(measured)))  # noqa: T201
        if via == "enrich" and measured.windows:
            # not the average: of a short run the first and the last minute are not whole ones
            requests = statistics.median(measured.windows)
            minutes = round(EVERYBODY / BULK_LIMIT / requests)
            print(f"{EVERYBODY:,} accounts at {requests:.0f} requests a minute: {minutes // 60} h {minutes % 60} min")  # noqa: T201


if __name__ == "__main__":
    main()
