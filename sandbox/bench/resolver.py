"""The resolver measured under a realistic mix of calls, beside a plain cache-aside resolver in the same run.

The mix: callers by Zipf's law (some call often, most hardly ever), 30 % from numbers of no customer (half of them once
only, half again and again), and after every third recognised call a second question with an e-mail address as well, as
a flow asks it. Half of the unknown callers give an address, most of them one that is known.
"""

import importlib
import io
import json
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import redis
from rich.console import Console
from rich.table import Table

from cir.genesys.client import GenesysClient
from cir.genesys.identifiers import to_genesys
from cir.identity.identifiers import Identifier
from cir.imports.loading import Imported, Report
from cir.resolve.answer import NOT_FOUND
from cir.resolve.request import read_request
from sandbox.bench.cold_start import ColdStarts, measure
from sandbox.customers import Row, generate, write_csv
from sandbox.genesys.organization.settings import PRODUCTION_LATENCY_MS
from sandbox.system import Sandbox

CUSTOMERS = 2000
RESOLVES = 3000
BASELINE_RESOLVES = 600
"""Each takes half a second in Genesys Cloud; the first so many of the same calls."""
BASELINE_THREADS = 32
BASELINE_TTL_SECONDS = 300
UNKNOWN_SHARE = 0.30
REPEATING_STRANGERS = 60

type Import = Callable[[Path, Callable[[Imported], None]], Report]


@dataclass(frozen=True, slots=True)
class Call:
    """A Data Action's input, and who is really calling."""

    event: dict[str, str]
    person: str
    """Empty for a stranger."""


@dataclass(slots=True)
class Measured:
    """One resolver's answers to a sequence of calls."""

    name: str
    milliseconds: list[float] = field(default_factory=list)
    by_status: dict[str, list[float]] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    """Named somebody who was not calling."""
    genesys_calls: int = 0
    """While somebody waited for the answer."""
    genesys_calls_behind: int = 0
    """Made for it after it had been given."""

    def add(self, milliseconds: float, *, status: str, outcome: str, wrong: bool) -> None:
        self.milliseconds.append(milliseconds)
        self.by_status.setdefault(status, []).append(milliseconds)
        self.outcomes[outcome] += 1
        self.wrong += wrong

    def percentile(self, share: float, of: Sequence[float] | None = None) -> float:
        ordered = sorted(of if of is not None else self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def per_thousand(self, count: int) -> float:
        return 1000 * count / len(self.milliseconds)


@dataclass(frozen=True, slots=True)
class Results:
    """What `cir bench resolver` prints."""

    resolver: Measured
    baseline: Measured
    cold_starts: ColdStarts

    def as_dict(self) -> dict[str, Any]:
        return {
            "resolver": _as_dict(self.resolver),
            "baseline": _as_dict(self.baseline),
            "coldStart": self.cold_starts.as_dict(),
        }

    def tables(self) -> Iterator[Table]:
        yield self._comparison()
        yield self._by_status()
        yield self.cold_starts.table()

    def _comparison(self) -> Table:
        table = Table("", title="Answering a call", title_justify="left")
        for measured in (self.resolver, self.baseline):
            table.add_column(measured.name, justify="right")
        table.add_column("ratio", justify="right")
        for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99")):
            ours, theirs = self.resolver.percentile(share), self.baseline.percentile(share)
            table.add_row(f"{name} ms", f"{ours:.2f}", f"{theirs:.1f}", f"1 : {theirs / ours:,.0f}")
        table.add_row("over 200 ms, %", *(f"{_over(each, 200):.2f}" for each in (self.resolver, self.baseline)), "")
        for name, count in (
            ("Genesys lookups that a caller waits for, per 1,000", "genesys_calls"),
            ("Genesys lookups behind the answer, per 1,000", "genesys_calls_behind"),
            ("wrong customer, per 1,000", "wrong"),
        ):
            cells = (f"{each.per_thousand(getattr(each, count)):.1f}" for each in (self.resolver, self.baseline))
            table.add_row(name, *cells, "")
        table.add_row("answers", *(f"{len(each.milliseconds):,}" for each in (self.resolver, self.baseline)), "")
        return table

    def _by_status(self) -> Table:
        table = Table("cache", title="The resolver by what the cache said", title_justify="left")
        for name in ("share %", "p50 ms", "p99 ms"):
            table.add_column(name, justify="right")
        for status, times in sorted(self.resolver.by_status.items()):
            share = 100 * len(times) / len(self.resolver.milliseconds)
            percentiles = (self.resolver.percentile(each, times) for each in (0.5, 0.99))
            table.add_row(status, f"{share:.1f}", *(f"{each:.2f}" for each in percentiles))
        return table


def run(import_file: Import, console: Console) -> Results:
    """Start the system, import customers, and put the same calls to both resolvers."""
    base = generate(size=CUSTOMERS)
    rows = {row.cells[0]: row for row in map(base.row, range(len(base))) if not row.defect}
    person_of: dict[str, str] = {}
    with (
        tempfile.TemporaryDirectory(prefix="cir-bench-") as directory,
        Sandbox(genesys={"rate_limit": None}) as sandbox,
    ):
        os.environ.update(sandbox.environment)
        export = Path(directory) / "customers.csv"
        write_csv(export, base)

        def remember(imported: Imported) -> None:
            if imported.contact_id:
                person_of[imported.contact_id] = rows[imported.crm_id].person

        import_file(export, remember)
        sandbox.wait_until_drained()
        sandbox.genesys.configure(latency_ms=PRODUCTION_LATENCY_MS)
        calls = list(_calls(list(rows.values()), random.Random(7)))
        with console.status(f"{RESOLVES:,} calls to the resolver"):
            ours = _measure_resolver(calls, person_of, sandbox)
        sandbox.wait_until_drained()
        with console.status(f"{BASELINE_RESOLVES:,} calls to a cache-aside resolver"):
            theirs = _measure_baseline(calls[:BASELINE_RESOLVES], person_of, sandbox)
        with console.status("cold starts"):
            cold_starts = measure(sandbox.hot_environment)
    return Results(ours, theirs, cold_starts)


def _calls(rows: list[Row], dice: random.Random) -> Iterator[Call]:
    reachable = [row for row in rows if _first(row, "phone")]
    dice.shuffle(reachable)
    weights = list(accumulate(1 / rank for rank in range(1, len(reachable) + 1)))
    made = 0
    while made < RESOLVES:
        scene = list(
            _stranger(rows, dice)
            if dice.random() < UNKNOWN_SHARE
            else _customer(dice.choices(reachable, cum_weights=weights)[0], dice)
        )
        yield from scene
        made += len(scene)


def _customer(row: Row, dice: random.Random) -> Iterator[Call]:
    number = dice.choice([value for kind, value in row.identifiers if kind == "phone"])
    yield Call({"ani": f"tel:{number}"}, row.person)
    address = _first(row, "email")
    if address and dice.random() < 0.35:
        yield Call({"ani": f"tel:{number}", "email": address}, row.person)


def _stranger(rows: list[Row], dice: random.Random) -> Iterator[Call]:
    # area code 555 is not in service, so no customer has such a number
    again = dice.random() < 0.5
    number = f"+1555{dice.randrange(REPEATING_STRANGERS) if again else dice.randrange(1000, 9_999_999):07d}"
    yield Call({"ani": number}, "")
    if dice.random() < 0.5:
        row = dice.choice(rows)
        address = _first(row, "email")
        known = address and dice.random() < 0.7
        email = address if known else f"nobody{dice.randrange(10**6)}@example.org"
        yield Call({"ani": number, "email": email}, row.person if known else "")


def _first(row: Row, kind: str) -> str:
    return next((value for each, value in row.identifiers if each == kind), "")


def _measure_resolver(calls: Sequence[Call], person_of: dict[str, str], sandbox: Sandbox) -> Measured:
    """Inside the handler, as Lambda calls it; what backfill asks behind the answers is not on its path."""
    measured = Measured("resolver")
    handler = importlib.import_module("functions.resolver.handler").handler
    before = _lookups(sandbox)
    with redirect_stdout(io.StringIO()):
        handler({}, None)  # opens its clients, which Lambda does before the first call
        for call in calls:
            started = time.perf_counter()
            answer = handler(call.event, None)
            milliseconds = (time.perf_counter() - started) * 1000
            measured.add(
                milliseconds,
                status=answer["cacheStatus"],
                outcome=answer["outcome"],
                wrong=answer["contactId"] != NOT_FOUND and person_of.get(answer["contactId"]) != call.person,
            )
    sandbox.wait_until_drained(timeout_seconds=600)
    measured.genesys_calls_behind = len(sandbox.logs.find('"event":"backfill"'))
    measured.genesys_calls = _lookups(sandbox) - before - measured.genesys_calls_behind
    return measured


@dataclass(slots=True)
class _CacheAside:
    """What is built first: ask Redis by identifier, else Genesys' exact lookup, and keep what it found five minutes."""

    cache: "redis.Redis"
    client: GenesysClient

    def resolve(self, event: dict[str, str]) -> tuple[str, str]:
        """(contact id or empty, `hit` or `miss`)."""
        request = read_request(event, default_region="US")
        status = "hit"
        for presented in request.presented:
            key = f"baseline:{presented.identifier.key}"
            cached = self.cache.get(key)
            if cached:
                return json.loads(str(cached))["id"], status
            status = "miss"
            found = self._ask(presented.identifier)
            if found:
                self.cache.setex(key, BASELINE_TTL_SECONDS, json.dumps(found))
                return found["id"], status
        return "", status

    def _ask(self, identifier: Identifier) -> Any:
        return self.client.contacts.find(to_genesys(identifier, {}))


def _measure_baseline(calls: Sequence[Call], person_of: dict[str, str], sandbox: Sandbox) -> Measured:
    measured = Measured("cache-aside")
    resolver = _CacheAside(
        redis.Redis.from_url(sandbox.cache.url, decode_responses=True), GenesysClient.from_environment()
    )
    before = _lookups(sandbox)

    def timed(call: Call) -> tuple[float, str, str]:
        started = time.perf_counter()
        contact_id, status = resolver.resolve(call.event)
        return (time.perf_counter() - started) * 1000, contact_id, status

    with ThreadPoolExecutor(BASELINE_THREADS) as pool:
        for call, (milliseconds, contact_id, status) in zip(calls, pool.map(timed, calls), strict=True):
            measured.add(
                milliseconds,
                status=status,
                outcome="RESOLVED" if contact_id else "NOT_FOUND",
                wrong=bool(contact_id) and person_of.get(contact_id) != call.person,
            )
    measured.genesys_calls = _lookups(sandbox) - before
    return measured


def _lookups(sandbox: Sandbox) -> int:
    return sum(number for call, number in sandbox.genesys.calls().items() if call.endswith("identifierlookup/contacts"))


def _over(measured: Measured, milliseconds: float) -> float:
    return 100 * sum(1 for each in measured.milliseconds if each > milliseconds) / len(measured.milliseconds)


def _as_dict(measured: Measured) -> dict[str, Any]:
    return {
        "answers": len(measured.milliseconds),
        **{f"p{share:.0%}".removesuffix("%"): round(measured.percentile(share), 3) for share in (0.5, 0.95, 0.99)},
        "over200msPercent": round(_over(measured, 200), 3),
        "wrongPerThousand": measured.per_thousand(measured.wrong),
        "genesysLookupsPerThousand": measured.per_thousand(measured.genesys_calls),
        "genesysLookupsBehindPerThousand": measured.per_thousand(measured.genesys_calls_behind),
        "outcomes": dict(measured.outcomes),
        "byCache": {
            status: {"answers": len(times), "p50": round(measured.percentile(0.5, times), 3),
                     "p99": round(measured.percentile(0.99, times), 3)}
            for status, times in measured.by_status.items()
        },
    }  # fmt: skip
