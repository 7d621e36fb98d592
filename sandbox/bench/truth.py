"""Answers held against the truth, while customers are created, linked, merged, split, moved and deleted under them.

Several people ask all the time, in the running sandbox: the resolver's handler, Valkey, DynamoDB, and the streams with
the invalidator. Others change customers meanwhile, as the product does it: by its functions `link` and `create`, by the
sync of CRM records, by reviewed merges and their undoing, by the CRM's deletions. The same few numbers and addresses
belong to one customer after the other, so that whatever is remembered too long names somebody. What was true is
told by those who changed it, not read from the tables: see `sandbox.bench.history`.

What the product promises is what is asked of it: an answer says what was true while it was made, or what was true
before a change of which the streams have not told the cache yet, at most for as long as an entry answers by itself.
"""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from itertools import count, cycle
from typing import Any

from rich.console import Console
from rich.table import Table

from cir.aws.dynamodb import unmarshal, unmarshal_item
from cir.connect import open_store
from cir.contacts.organization import ExternalSources, prepare
from cir.crm.mapping import OnDelete, deployed_mapping
from cir.crm.record import CrmRecord, read_record
from cir.genesys.client import GenesysClient
from cir.identity.identifiers import Identifier
from cir.identity.parsing import parse
from cir.identity.rules import IdentifierType
from cir.index.cache import DEFAULT_LIMITS
from cir.merge.merging import Merging
from cir.merge.splitting import Splitting
from cir.sync.customers import Sync
from cir.sync.deletion import Deletion
from infra.catalog.functions import INVALIDATOR
from sandbox.aws.streams import Record
from sandbox.bench.asking import Asking, Family
from sandbox.bench.history import NOBODY, Answer, Change, History, Judgement, contact_key, name_key
from sandbox.customers.salesforce import contact_id as salesforce_id
from sandbox.system import Sandbox

SECONDS = 30.0
ASKING = 2
"""Processes, each with the resolver's handler and its own connections."""
CHANGING = 3
"""Threads."""
FAMILIES = 4
"""Of each thread that changes: it goes from one to the next, so that what it has changed is asked for meanwhile."""
_GONE = float("inf")
"""The version of an item that there is no more."""
_SHOWN = 5

type Versions = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Results:
    """What `cir bench truth` prints."""

    seconds: float
    answers: Mapping[Judgement, int]
    outcomes: Mapping[str, int]
    by_cache: Mapping[str, int]
    changes: Mapping[str, int]
    """By kind."""
    longest_stale: float
    """Seconds for which something was not true any more that was answered."""
    untold: int
    """Changes that the streams had not told the cache when all was over."""
    wrong: tuple[Answer, ...]

    @property
    def right(self) -> bool:
        return not self.answers[Judgement.NEVER_TRUE] and not self.untold

    def as_dict(self) -> dict[str, Any]:
        return {
            "seconds": round(self.seconds, 1),
            "answers": {str(each): self.answers[each] for each in Judgement},
            "outcomes": dict(self.outcomes),
            "cache": dict(self.by_cache),
            "changes": dict(self.changes),
            "longestStaleSeconds": round(self.longest_stale, 3),
            "changesNotTold": self.untold,
            "wrong": [asdict(each) for each in self.wrong],
        }

    def tables(self) -> Iterator[Table]:
        title = f"Answers held against the truth, {self.seconds:.0f} s"
        table = Table("an answer says what", title=title, title_justify="left")
        table.add_column("answers", justify="right")
        rows = {
            Judgement.TRUE: "was true while it was made",
            Judgement.STALE: "was true before, and the streams had not told the cache",
            Judgement.DEGRADED: "was last known, and says so",
            Judgement.NEVER_TRUE: "was never true",
        }
        for judgement, text in rows.items():
            table.add_row(text, f"{self.answers[judgement]:,}")
        table.caption = f"longest after its end: {1000 * self.longest_stale:.0f} ms; promised: {_promise()}"
        yield table
        yield _counted("outcome", "answers", self.outcomes)
        yield _counted("cache", "answers", self.by_cache)
        yield _counted("change", "times", self.changes)
        if self.untold:
            yield Table(f"{self.untold} changes never came to the cache", title_justify="left")
        for each in self.wrong[:_SHOWN]:
            yield Table(f"never true: {', '.join(each.keys)} → {each.outcome} {each.contact_id} {each.name}")


@dataclass(slots=True)
class _Log:
    """What the threads have seen. Appending to a list is atomic."""

    changes: list[tuple[Change, Versions]] = field(default_factory=list)
    """With the versions, by the tables' keys, that the invalidator must have been told before the cache can know."""
    answers: list[Answer] = field(default_factory=list)
    told: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    """By the tables' keys, in order: (version, moment at which the invalidator had taken it)."""

    def listen(self, records: Sequence[Record]) -> None:
        """Note what the invalidator has taken."""
        moment = time.monotonic()
        for record in records:
            change = record["dynamodb"]
            (key,) = (unmarshal(value) for value in change["Keys"].values())
            new = unmarshal_item(change.get("NewImage") or {})
            self.told[key].append((new.get("version", new.get("generation", 0)) if new else _GONE, moment))

    def told_at(self, versions: Versions) -> float:
        """When the invalidator had taken these versions or newer ones; infinity if it has not."""
        moments = (
            next((moment for told, moment in self.told.get(key, ()) if told >= version), float("inf"))
            for key, version in versions.items()
        )
        return max(moments, default=0.0)


class _Writers:
    """Those who change customers. Each thread has its own."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.mapping = replace(deployed_mapping(), on_delete=OnDelete.DELETE)
        client, store = GenesysClient.from_environment(), open_store()
        sources = ExternalSources(client)
        organization = prepare(client, self.mapping)
        self._store = store
        self._merging = Merging(client, store, sources)
        self._splitting = Splitting(client, store, sources)
        self._sync = Sync(client, store, organization, self.mapping)
        self._deletion = Deletion(client, store, organization, OnDelete.DELETE)

    def sync(self, *records: CrmRecord) -> list[str]:
        """The contacts of CRM records."""
        synced = self._sync.records(records)
        refused = [str(problem) for each in synced for problem in each.problems]
        if refused:
            raise RuntimeError(f"a record was not taken as it is: {'; '.join(refused)}")
        return [each.contact_id for each in synced]

    def record(self, number: int, name: str, **columns: str) -> CrmRecord:
        row = {"Id": salesforce_id(number), "LastName": name, **columns}
        record = read_record(row, self.mapping, default_region="US")
        if not isinstance(record, CrmRecord):
            raise TypeError(str(record))
        return record

    def function(self, part: str, wanted: str, **event: str) -> str:
        answer = self.sandbox.functions.call(self.sandbox.function_name(part), event)
        if answer["outcome"] != wanted:
            raise RuntimeError(f"{part} has answered {answer['outcome']} ({answer['explanation']}), not {wanted}")
        return str(answer["contactId"])

    def merge(self, *contact_ids: str) -> str:
        return self._merging.merge(self._merging.plan(contact_ids), by="bench", because="they are one person")

    def split(self, contact_id: str) -> str:
        return self._splitting.split(self._splitting.plan(contact_id), by="bench", because="they are two people")

    def delete(self, record_id: Identifier) -> None:
        self._deletion.follow(record_id)

    def versions(self, change: Change) -> Versions:
        """Of all that a change is about, as the tables have it now."""
        keys = [key.split(" ", 1) for key in change.after]
        identifiers = [_parsed(kind, value) for kind, value in keys if kind in IdentifierType]
        contact_ids = {value for kind, value in keys if kind not in IdentifierType}
        records = self._store.identifiers(identifiers, consistent=True)
        contacts = self._store.contacts(contact_ids, consistent=True)
        return {
            **{each.identifier.key: each.version for each in records.values()},
            **{each: contacts[each].generation if each in contacts else _GONE for each in contact_ids},
        }


def run(console: Console, *, seconds: float = SECONDS, sandbox: Sandbox | None = None) -> Results:
    """Start the system, change and ask for so many seconds, and judge every answer."""
    with sandbox or Sandbox(genesys={"rate_limit": None}) as started:
        os.environ.update(started.environment)
        with console.status(f"{seconds:.0f} seconds of questions and changes"):
            log = _load(started, seconds)
    return _judged(log, seconds)


def _load(sandbox: Sandbox, seconds: float) -> _Log:
    log, numbers = _Log(), count(1)
    writers = [_Writers(sandbox) for _ in range(CHANGING)]
    families = [[Family(FAMILIES * one + each) for each in range(FAMILIES)] for one in range(CHANGING)]
    function = sandbox.function_name(INVALIDATOR.name)
    for mapping in sandbox.mappings:
        if mapping.source.function == function:
            mapping.listen(log.listen)
    with ExitStack() as stack:
        asking = [
            stack.enter_context(Asking(sandbox.hot_environment, seed=seed, families=CHANGING * FAMILIES))
            for seed in range(ASKING)
        ]
        for each in asking:
            each.wait_until_ready()
        until = time.monotonic() + seconds
        for each in asking:
            each.ask(until)
        with ThreadPoolExecutor(CHANGING) as pool:
            changing = [
                pool.submit(_change, *each, numbers, log, until) for each in zip(writers, families, strict=True)
            ]
        for one in changing:
            one.result()
        log.answers += (answer for each in asking for answer in each.answers())
    sandbox.wait_until_drained()
    return log


def _change(writers: _Writers, families: Sequence[Family], numbers: Iterator[int], log: _Log, until: float) -> None:
    """One change of each family in turn, over and over."""
    lives = [_lives(writers, each, numbers) for each in families]
    for life in cycle(lives):
        began = time.monotonic()
        if began > until:
            return
        change = next(life)()
        ended = time.monotonic()
        log.changes.append((replace(change, began=began, ended=ended), writers.versions(change)))


def _lives(writers: _Writers, family: Family, numbers: Iterator[int]) -> Iterator[Callable[[], Change]]:
    """The changes of one generation after the other: the same numbers and addresses, and others who have them."""
    while True:
        life = _Life(writers, family, next(numbers), next(numbers), next(numbers))
        yield from (life.known_to_the_crm, life.calls, life.is_linked, life.moves, life.are_merged, life.is_renamed)
        yield from (life.are_split, life.shares, life.shares_no_more, life.are_merged_again)
        yield from (life.first_is_deleted, life.second_is_deleted)


@dataclass(slots=True)
class _Life:
    """Ann and Bob, whom the CRM knows, and Carl, who has called. Each method is one change."""

    writers: _Writers
    family: Family
    ann_number: int
    bob_number: int
    carl_number: int
    ann: str = ""
    bob: str = ""
    carl: str = ""
    carl_again: str = ""
    ann_and_carl: str = ""
    bob_and_carl: str = ""

    def known_to_the_crm(self) -> Change:
        self.ann, self.bob = self.writers.sync(self._ann(self._moving), self._bob())
        anns = ("phone a", "phone d", "email a")
        return self._became(
            "creation by the CRM",
            self._leading(anns, self.ann) | self._leading(("phone b",), self.bob),
            {self.ann: {f"Ann{self.ann_number}"}, self.bob: {f"Bob{self.bob_number}"}},
        )

    def calls(self) -> Change:
        event = {"lastName": self._carls_name, "ani": self.family.phone("e"), "email": self.family.email("c")}
        self.carl = self.writers.function("create", "CREATED", **event)
        leading = self._leading(("phone e", "email c"), self.carl)
        return self._became("creation by a caller", leading, {self.carl: {self._carls_name}})

    def is_linked(self) -> Change:
        self.writers.function("link", "LINKED", contactId=self.ann, ani=self.family.phone("c"))
        return self._became("link", {self._key("phone c"): {self.ann}})

    def moves(self) -> Change:
        self.writers.sync(self._ann(), self._bob(self._moving))
        number = self._key("phone d")
        change = self._became("move", {number: {self.bob}})
        return replace(change, between={number: (NOBODY, frozenset({self.ann, self.bob}))})

    def are_merged(self) -> Change:
        self.ann_and_carl = self.writers.merge(self.ann, self.carl)
        keys = ("phone a", "phone c", "phone e", "email a", "email c")
        leading = self._leading(keys, self.ann_and_carl, self.ann, self.carl)
        return self._became("merge", leading, {self.ann_and_carl: {f"Ann{self.ann_number}", self._carls_name}})

    def is_renamed(self) -> Change:
        self.writers.sync(self._ann(name="Anna"))
        return self._became("new name", {}, {self.ann_and_carl: {f"Anna{self.ann_number}"}})

    def are_split(self) -> Change:
        self.carl_again = self.writers.split(self.carl)
        leading = self._leading(("phone e", "email c"), self.carl_again, self.carl)
        return self._became("split", leading, {self.carl_again: {self._carls_name}})

    def shares(self) -> Change:
        anns = {"Email": self.family.email("a"), "OtherPhone": self.family.phone("c")}
        self.writers.sync(self._bob(self._moving | anns))
        both = {self.ann_and_carl, self.bob}
        return self._became("second owner", {self._key(name): both for name in ("email a", "phone c")})

    def shares_no_more(self) -> Change:
        self.writers.sync(self._bob(self._moving))
        return self._became("release", {self._key(name): {self.ann_and_carl} for name in ("email a", "phone c")})

    def are_merged_again(self) -> Change:
        self.bob_and_carl = self.writers.merge(self.bob, self.carl_again)
        keys = ("phone b", "phone d", "phone e", "email c")
        leading = self._leading(keys, self.bob_and_carl, self.bob, self.carl, self.carl_again)
        return self._became("merge", leading, {self.bob_and_carl: {f"Bob{self.bob_number}", self._carls_name}})

    def first_is_deleted(self) -> Change:
        self.writers.delete(self._ann().id)
        keys = [*map(self._key, ("phone a", "phone c", "email a")), *map(contact_key, (self.ann, self.ann_and_carl))]
        return self._became("deletion", {key: set() for key in keys})

    def second_is_deleted(self) -> Change:
        self.writers.delete(self._bob().id)
        ids = (self.bob, self.carl, self.carl_again, self.bob_and_carl)
        keys = [*map(self._key, ("phone b", "phone d", "phone e", "email c")), *map(contact_key, ids)]
        return self._became("deletion", {key: set() for key in keys})

    @property
    def _moving(self) -> dict[str, str]:
        return {"Phone": self.family.phone("d")}

    @property
    def _carls_name(self) -> str:
        return f"Carl{self.carl_number}"

    def _ann(self, columns: Mapping[str, str] = {}, *, name: str = "Ann") -> CrmRecord:
        own = {"MobilePhone": self.family.phone("a"), "Email": self.family.email("a")}
        return self.writers.record(self.ann_number, f"{name}{self.ann_number}", **own, **columns)

    def _bob(self, columns: Mapping[str, str] = {}) -> CrmRecord:
        return self.writers.record(
            self.bob_number, f"Bob{self.bob_number}", MobilePhone=self.family.phone("b"), **columns
        )

    def _key(self, name: str) -> str:
        kind, letter = name.split()
        return f"{kind} {getattr(self.family, kind)(letter)}"

    def _leading(self, names: Sequence[str], contact_id: str, *others: str) -> dict[str, set[str]]:
        """Numbers, addresses and contact ids that lead to a contact."""
        return {key: {contact_id} for key in (*map(self._key, names), *map(contact_key, (contact_id, *others)))}

    def _became(self, kind: str, leading: Mapping[str, set[str]], names: Mapping[str, set[str]] = {}) -> Change:
        """A change whose times are not known yet."""
        after = {**leading, **{name_key(contact_id): called for contact_id, called in names.items()}}
        return Change(kind, 0.0, 0.0, {key: frozenset(fact) for key, fact in after.items()})


def _parsed(kind: str, value: str) -> Identifier:
    parsed = parse(IdentifierType(kind), value)
    if not isinstance(parsed, Identifier):
        raise TypeError(f"not one that can be asked with: {parsed.reason}")
    return parsed


def _judged(log: _Log, seconds: float) -> Results:
    changes = [replace(change, told=log.told_at(versions)) for change, versions in log.changes]
    history = History(changes, DEFAULT_LIMITS)
    judged = [(each, history.judge(each)) for each in log.answers]
    stale = [history.staleness(each) for each, judgement in judged if judgement is Judgement.STALE]
    return Results(
        seconds=seconds,
        answers=Counter(judgement for _, judgement in judged),
        outcomes=Counter(each.outcome for each in log.answers),
        by_cache=Counter(each.cache for each in log.answers),
        changes=Counter(each.kind for each in changes),
        longest_stale=max(stale, default=0.0),
        untold=sum(each.told == float("inf") for each in changes),
        wrong=tuple(each for each, judgement in judged if judgement is Judgement.NEVER_TRUE),
    )


def _promise() -> str:
    limits = DEFAULT_LIMITS
    return f"until told, {limits.fresh:.0f} s at most ({limits.fresh_negative:.0f} s where nobody was known)"


def _counted(name: str, what: str, counts: Mapping[str, int]) -> Table:
    table = Table(name)
    table.add_column(what, justify="right")
    for each, number in sorted(counts.items()):
        table.add_row(each, f"{number:,}")
    return table
