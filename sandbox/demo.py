"""The story of a customer who reaches a contact centre by many doors, told on the running system."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from cir.connect import open_store
from cir.contacts.organization import ExternalSources
from cir.genesys.client import GenesysClient
from cir.imports.loading import Report
from cir.index.review import open_cases
from cir.merge.merging import Merging
from cir.merge.splitting import Splitting
from cir.reconcile.result import Reconciled
from sandbox.crm.accounts import Accounts
from sandbox.crm.customers import salesforce
from sandbox.customers import PERSONAS, generate, write_csv
from sandbox.genesys.organization.settings import PRODUCTION_LATENCY_MS
from sandbox.system import Sandbox

CUSTOMERS = 5000
GENESYS_LIMIT = 300
"""Requests a minute that Genesys Cloud allows a client by default."""


@dataclass(frozen=True, slots=True)
class Step:
    """One scene: what happens, what the flow sends and gets, and what it does with it."""

    title: str
    said: str
    sent: dict[str, Any] = field(default_factory=dict)
    got: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    """Around the invocation, as the flow waits."""
    then: str = ""
    imported: Report | None = None


type Import = Callable[[Path], Report]
"""Import a file into the deployment that this process's variables name."""
type Reconcile = Callable[[], Reconciled]
"""Compare that deployment with its CRM, and repair what differs."""


def story(import_file: Import, reconcile: Reconcile, console: Console, *, customers: int = CUSTOMERS) -> Iterator[Step]:
    """Start the system, play every scene, and stop it."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cir-demo-") as directory:
        export, base = Path(directory) / "customers.csv", generate(size=customers)
        write_csv(export, base)
        # The import would take two minutes at Genesys' default limit; it is lifted for it and in force for the calls.
        with console.status("starting Genesys Cloud, DynamoDB, the cache and the functions"):
            crm = salesforce(base)
            sandbox = Sandbox(genesys={"rate_limit": None}, crm=crm)
            sandbox.start()
        try:
            os.environ.update(sandbox.environment | {"XDG_STATE_HOME": directory})
            yield Step(
                "The system is up",
                f"Genesys Cloud emulator, DynamoDB with streams, {sandbox.cache.server} in cluster mode, and the "
                "handlers under Lambda's own runtime client.",
                seconds=time.monotonic() - started,
            )
            yield from _import(sandbox, export, import_file)
            yield from _follow_the_crm(_Caller(sandbox), crm.accounts, reconcile)
            sandbox.genesys.configure(latency_ms=PRODUCTION_LATENCY_MS, rate_limit=GENESYS_LIMIT)
            yield from _calls(_Caller(sandbox))
        finally:
            sandbox.stop()


def _import(sandbox: Sandbox, export: Path, import_file: Import) -> Iterator[Step]:
    first = import_file(export)
    yield Step(
        "The CRM export becomes External Contacts and the index",
        "Normalised, sent to Genesys Cloud ten to a request, then indexed. What routing does not need never leaves the "
        "CRM; what cannot be read is reported.",
        seconds=first.seconds,
        imported=first,
    )
    before = sum(sandbox.genesys.calls().values())
    again = import_file(export)
    enriched = sum(number for call, number in sandbox.genesys.calls().items() if "enrich" in call)
    yield Step(
        "The same file again changes nothing",
        f"Every record is recognised by its fingerprint: {sum(sandbox.genesys.calls().values()) - before} requests to "
        f"Genesys Cloud to look at its set-up, none to write ({enriched} enrich requests, all from the first run).",
        seconds=again.seconds,
        imported=again,
    )
    sandbox.wait_until_drained()


@dataclass(slots=True)
class _Caller:
    """Somebody who calls, writes or chats, and the Architect flow that answers."""

    sandbox: Sandbox
    queues: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.queues = {queue_id: name for name, queue_id in self.sandbox.genesys.queue_ids().items()}

    def resolve(self, title: str, said: str, then: Callable[[dict[str, Any]], str], **event: str) -> Step:
        return self._invoke("resolver", title, said, then, event)

    def link(self, title: str, said: str, then: Callable[[dict[str, Any]], str], **event: str) -> Step:
        return self._invoke("link", title, said, then, event)

    def create(self, title: str, **event: str) -> Step:
        said = "Made in Genesys Cloud first, then in the index."
        return self._invoke("create", title, said, lambda answer: str(answer["explanation"]), event)

    def welcomed(self, answer: dict[str, Any]) -> str:
        return f'"Welcome back, {answer["displayName"]}." → queue {self.queue(answer)}'

    def stranger(self, answer: dict[str, Any]) -> str:
        return f"nobody known → queue {self.queue(answer)}, and the flow asks for an e-mail address"

    def queue(self, answer: dict[str, Any]) -> str:
        return self.queues.get(answer["assignedQueueId"], "?")

    def _invoke(
        self, function: str, title: str, said: str, then: Callable[[dict[str, Any]], str], event: dict[str, str]
    ) -> Step:
        before = time.perf_counter()
        answer = self.sandbox.functions.call(self.sandbox.function_name(function), event)
        seconds = time.perf_counter() - before
        assert isinstance(answer, dict)  # noqa: S101 - both contracts are objects
        return Step(title, said, sent=event, got=answer, seconds=seconds, then=then(answer))


def _follow_the_crm(caller: _Caller, accounts: Accounts, reconcile: Reconcile) -> Iterator[Step]:
    """A change that the CRM tells of, and one whose word got lost."""
    sandbox = caller.sandbox
    told, untold = PERSONAS.household.people[:2]
    before = time.perf_counter()
    accounts.change(told.record_id, Account_Tier__c="Platinum")
    assert sandbox.changes  # noqa: S101 - started with a CRM
    sandbox.changes.tell(told.record_id)
    sandbox.wait_until_drained()
    seconds = time.perf_counter() - before
    yield caller.resolve(
        "The CRM makes somebody a Platinum customer, who calls",
        "Salesforce calls the webhook; the account is read anew and written to Genesys Cloud, the index follows, and "
        f"the cache forgets: {seconds:.1f} s.",
        caller.welcomed,
        ani=told.mobile,
    )
    accounts.change(untold.record_id, Account_Tier__c="Platinum")
    result = reconcile()
    sandbox.wait_until_drained()
    yield caller.resolve(
        "Another change was never told of, and the night repairs it",
        f"Reconciliation reads all {result.plan.rows:,} accounts of the CRM, finds {result.plan.written} that "
        f"{'differs' if result.plan.written == 1 else 'differ'}, and writes nothing else: {result.seconds:.1f} s.",
        caller.welcomed,
        ani=untold.mobile,
    )


def _calls(caller: _Caller) -> Iterator[Step]:
    john, sandbox = PERSONAS.john_smith, caller.sandbox
    lookups = _lookups(sandbox)
    yield caller.resolve(
        "A known mobile calls", "First call of the day: the tables answer.", caller.welcomed, ani=john.mobile
    )
    yield caller.resolve("He calls back", "Now the cache answers.", caller.welcomed, ani=f"tel:{john.mobile}")
    yield from _newcomer(caller)
    yield caller.resolve(
        "Somebody calls from an office",
        "The switchboard's number is everybody's there, so it names nobody.",
        lambda answer: f"{answer['candidateCount']} candidates → the flow asks for: {answer['askFor']}",
        ani=PERSONAS.switchboard.number,
    )
    colleague = PERSONAS.switchboard.people[2]
    yield caller.resolve(
        "… and says which address is theirs",
        "Number and address agree in one person.",
        caller.welcomed,
        ani=PERSONAS.switchboard.number,
        email=colleague.work_email or colleague.private_email,
    )
    yield caller.resolve(
        "A withheld number",
        "Nothing is looked up.",
        lambda answer: f"blocked → queue {caller.queue(answer)}, without a name",
        ani=PERSONAS.withheld_callers[0],
    )
    yield caller.resolve(
        "A WhatsApp message",
        "The channel vouches for the account, so the account status is shown too.",
        lambda answer: f"{caller.welcomed(answer)}; status {answer['accountStatus']}, {answer['assurance']}",
        whatsapp=john.whatsapp.removeprefix("+"),
        channel="whatsapp",
    )
    yield caller.resolve(
        "An e-mail", "The same customer by another door.", caller.welcomed, email=john.work_email, channel="email"
    )
    yield from _identities(caller)
    yield from _without_cache(caller)
    yield from _compared(caller, lookups)


def _newcomer(caller: _Caller) -> Iterator[Step]:
    number, person = PERSONAS.newcomer_number, PERSONAS.newcomer
    yield caller.resolve(
        "A number nobody has seen",
        "Not in the index; Genesys Cloud is asked behind the answer.",
        caller.stranger,
        ani=number,
    )
    found = caller.resolve(
        "… gives an e-mail address",
        "The address is known.",
        caller.welcomed,
        ani=number,
        email=person.private_email,
    )
    yield found
    yield caller.link(
        "The new number is linked",
        "In Genesys Cloud and in the index; the table's stream tells the cache.",
        lambda answer: answer["explanation"],
        contactId=found.got["contactId"],
        ani=number,
    )
    caller.sandbox.wait_until_drained()
    yield caller.resolve("The next call from it", "Recognised at once.", caller.welcomed, ani=number)


def _identities(caller: _Caller) -> Iterator[Step]:
    """A conflict that becomes a reviewed merge, the merge undone, and an agent's merge followed."""
    client, store = GenesysClient.from_environment(), open_store()
    parts = (client, store, ExternalSources(client))
    merging, splitting = Merging(*parts), Splitting(*parts)
    mobile, address, numbers = "+12025550171", "dana.reyes@customers.example", ("+12025550172", "+12025550173")
    dana = caller.create("A new caller becomes a customer", firstName="Dana", lastName="Reyes", ani=mobile)
    yield dana
    yield caller.create("… and again, by another door, nobody knows it is her", firstName="Dana", email=address)
    caller.sandbox.wait_until_drained()
    yield caller.resolve(
        "She calls and gives that address",
        "The number leads to one contact, the address to the other: a case for the review queue.",
        lambda answer: f"{answer['candidateCount']} contacts → the flow asks her to verify",
        ani=mobile,
        email=address,
    )
    case = next(case for case in open_cases(store) if dana.got["contactId"] in case.contacts)
    merged = merging.merge(merging.plan(case.contacts), by="data owner", because="same person, by her address")
    caller.sandbox.wait_until_drained()
    yield caller.resolve(
        "The data owner has merged them",
        "One contact in Genesys Cloud and in the index; either door leads there, and so do the old ids.",
        lambda answer: f"contact {merged} by {answer['matchedBy']}",
        ani=mobile,
        email=address,
    )
    new = splitting.split(splitting.plan(dana.got["contactId"]), by="data owner", because="two people after all")
    caller.sandbox.wait_until_drained()
    yield caller.resolve(
        "That was wrong, and is undone",
        "Each has its own identifiers again, in Genesys Cloud too. Only past conversations stay with the merged one.",
        lambda answer: f"contact {answer['contactId']}" + (", back" if answer["contactId"] == new else ", wrong"),
        ani=mobile,
    )
    pair = [
        caller.create(f"Customer {index + 1} of two", firstName="Robin", ani=number).got["contactId"]
        for index, number in enumerate(numbers)
    ]
    by_agent = client.contacts.merge(pair, value_override={"firstName": "Robin"})["id"]
    caller.sandbox.wait_until_drained()
    yield caller.resolve(
        "An agent merges two contacts inside Genesys Cloud",
        "Its event is followed: the index has them as one.",
        lambda answer: f"contact {by_agent}" if answer["contactId"] == by_agent else "not followed",
        ani=numbers[1],
    )


def _without_cache(caller: _Caller) -> Iterator[Step]:
    caller.sandbox.cache.stop()
    yield caller.resolve(
        "The cache is stopped in the middle of it",
        "The tables answer instead.",
        caller.welcomed,
        ani=PERSONAS.john_smith.mobile,
    )
    caller.sandbox.cache.start()
    time.sleep(2.1)  # the resolver leaves a failed cache alone for two seconds
    yield caller.resolve("… and is back, empty", "The tables fill it.", caller.welcomed, ani=PERSONAS.john_smith.mobile)
    yield caller.resolve("… and answers again", "", caller.welcomed, ani=PERSONAS.john_smith.mobile)


def _compared(caller: _Caller, lookups: int) -> Iterator[Step]:
    client = GenesysClient.from_environment()
    client.organization.automatic_merging()  # the token is not part of the comparison
    before = time.perf_counter()
    client.contacts.find({"type": "Phone", "value": PERSONAS.john_smith.mobile})
    seconds = time.perf_counter() - before
    yield Step(
        "For comparison: one lookup in Genesys Cloud itself",
        f"It takes {PRODUCTION_LATENCY_MS[0]:.0f}-{PRODUCTION_LATENCY_MS[1]:.0f} ms and counts against {GENESYS_LIMIT} "
        f"requests a minute. The resolver made none; backfill, behind the answers, made "
        f"{_lookups(caller.sandbox) - lookups - 1}.",
        seconds=seconds,
    )


def _lookups(sandbox: Sandbox) -> int:
    return sum(number for call, number in sandbox.genesys.calls().items() if call.endswith("identifierlookup/contacts"))
