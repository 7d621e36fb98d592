"""Compare the CRM's rows with what Genesys Cloud was given; what differs becomes batches for the load step.

A row that was normalised once and found unchanged is not normalised again: a digest of it together with the
fingerprint in the index is kept from night to night. A night in which little has changed reads 500,000 rows for the
price of their digests.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from cir.contacts.writing import profile_of, surviving
from cir.crm.export_file import Line
from cir.crm.mapping import CrmMapping, OnDelete
from cir.crm.record import CrmRecord, Problem, read_record
from cir.identity.identifiers import Identifier
from cir.identity.parsing import parse
from cir.identity.records import Contact
from cir.identity.rules import IdentifierType, load_rules
from cir.imports.run import clear, split
from cir.index.again import OutdatedError
from cir.reconcile.extract import Extract
from cir.reconcile.guard import LIMITS, Limits, Seen, suspicions
from cir.reconcile.held import PROFILE_COLUMNS, Index
from cir.reconcile.run import PREFIX, LastGood, Looked, Night, known, plain
from cir.sync.customers import Sync
from cir.sync.drafts import Draft, drafts_of
from cir.sync.rewriting import write_again

PROVEN = f"{PREFIX}proven.bin"
"""Digests of rows together with the fingerprint that they have led to, 16 bytes each; of the last run."""
SETTLED_AT_ONCE = 500
"""Rows that may differ are looked at in such portions: five reads of a hundred ids."""
MOST_EXAMPLES = 100
PROFILE_FIELDS = {"displayName": "display_name", **PROFILE_COLUMNS, "assignedQueueId": "assigned_queue_id"}
ELSEWHERE = "other fields"
"""Only the fingerprint tells: family name, salutation, title, a slot, or what the contact refers to in Genesys."""
GENESYS = "changed in Genesys Cloud"


@dataclass(slots=True)
class Plan:
    """What a run would do. Every row is counted once."""

    rows: int = 0
    before: int = 0
    unchanged: int = 0
    changed: int = 0
    new: int = 0
    newer: int = 0
    """Written by somebody else since the extract began: their word is younger."""
    conflicts: int = 0
    """Records that share a contact with another record of the CRM whose word Genesys holds."""
    refused: int = 0
    doubled: int = 0
    deleted: int = 0
    """Rows that the CRM keeps as deleted."""
    opted_out: int = 0
    """Customers who have opted out since; the mapping says what becomes of their contacts."""
    gone: int = 0
    """Customers of the index that the extract lacks; not among the rows."""
    stopped: list[str] = field(default_factory=list)
    forced: bool = False
    dry_run: bool = False
    drift: Counter[str] = field(default_factory=Counter)
    """What differs → customers."""
    kept: Counter[str] = field(default_factory=Counter)
    """Type of identifiers that contacts have besides the CRM's → customers."""
    refusals: Counter[str] = field(default_factory=Counter)
    filled: dict[str, tuple[float, float]] = field(default_factory=dict)
    """CRM field → share of rows with a value: before and now."""
    examples: list[dict[str, Any]] = field(default_factory=list)
    """CRM ids with the names of what differs."""
    shared: list[dict[str, Any]] = field(default_factory=list)
    missing: list[dict[str, str]] = field(default_factory=list)
    """CRM ids of the customers that are gone, the first of them."""
    context: dict[str, str] = field(default_factory=dict)
    """What every customer depends on → a digest of it."""
    postponed: list[str] = field(default_factory=list)
    """Contacts that the audit has found changed and that are not repaired: others were changing them all the time."""

    @property
    def written(self) -> int:
        """Customers that are given to Genesys Cloud."""
        return self.changed + self.new

    @property
    def repairs(self) -> int:
        """Rows that are to be loaded."""
        return self.written + self.opted_out

    @property
    def stands(self) -> bool:
        """Whether its repairs are to be loaded."""
        return not self.dry_run and (self.forced or not self.stopped)

    @property
    def loads(self) -> bool:
        """Whether there is something to load."""
        return self.stands and self.repairs > 0

    @property
    def adds_up(self) -> bool:
        followed = self.unchanged + self.repairs + self.deleted
        return self.rows == followed + self.newer + self.conflicts + self.refused + self.doubled

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        counters = {name: Counter(data[name]) for name in ("drift", "kept", "refusals")}
        filled = {name: (before, now) for name, (before, now) in data["filled"].items()}
        return cls(**{**known(cls, data), **counters, "filled": filled})

    @classmethod
    def read(cls, night: Night) -> Self | None:
        data = night.read("plan.json")
        return cls.from_dict(data) if data else None


def compare(
    night: Night,
    extract: Extract,
    index: Index,
    sync: Sync,
    *,
    default_region: str,
    dirty: Iterable[str] = (),
    force: bool = False,
    dry_run: bool = False,
    limits: Limits = LIMITS,
) -> Plan:
    """Work the plan out and, unless it is stopped or a dry run, write its batches. Nothing is done if it is there.

    A plan that was stopped is worked out anew with `force`.

    `dirty` are contacts whose fingerprint is not to be believed, since the audit has found them changed in Genesys.
    """
    done = Plan.read(night)
    if done and (done.forced, done.dry_run) == (force, dry_run):
        return done
    clear(night.repairs)
    work = _Comparison(night, extract, index, sync, default_region, frozenset(dirty))
    work.plan.forced, work.plan.dry_run = force, dry_run
    try:
        split(night.repairs, work.lines(limits), sync.organization, origin=night.name)
    except _NothingToLoadError:
        clear(night.repairs)
    if work.plan.stands:
        work.plan.postponed = [each for each in work.distrusted if not _distrust(sync, each)]
    night.files.write(PROVEN, b"".join(work.proofs))
    night.write("plan.json", plain(work.plan))
    return work.plan


class _NothingToLoadError(Exception):
    """The rows have been read, and what differs is not to be written."""


@dataclass(slots=True)
class _Comparison:
    night: Night
    extract: Extract
    index: Index
    sync: Sync
    default_region: str
    dirty: frozenset[str]
    plan: Plan = field(default_factory=Plan)
    proofs: list[bytes] = field(default_factory=list)
    distrusted: list[str] = field(default_factory=list)
    """Dirty contacts among the repairs, which the sync would otherwise find unchanged."""
    _proven: frozenset[bytes] = frozenset()
    _context: bytes = b""
    _shared: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    """Contact → records that differ from what it was given, of contacts with several records."""
    _agreed: set[str] = field(default_factory=set)
    """Shared contacts that one record agrees with."""

    def lines(self, limits: Limits) -> Iterator[Line]:
        """What is to be written. Raises _NothingToLoadError at the end if it is not."""
        self._proven, self._context = _read_proofs(self.night), context_of(self.sync, self.default_region)
        self.plan.context = digests_of(self.sync, self.default_region)
        last = LastGood.read(self.night.state)
        self.plan.rows, self.plan.deleted = self.extract.rows, self.extract.deleted
        self.plan.before = last.rows or len(self.index.held)
        self.plan.filled = _filled(self.extract, self.index, self.sync.mapping, last)
        seen: set[str] = set()
        for portion in self._uncertain(seen):
            yield from self._settle(portion)
        yield from self._settle_shared()
        self._note_gone(seen)
        plan, month = self.plan, last.since(self.extract.started)
        facts = Seen(
            rows=plan.rows,
            before=plan.before,
            gone=plan.gone,
            opted_out=plan.opted_out,
            changed=plan.written,
            doubled=plan.doubled,
            refused=plan.refused,
            filled=plan.filled,
            most=max((each.rows for each in month), default=0),
            left=sum(each.left for each in month),
            highest=_highest(month),
            new=plan.new,
            drift=plan.drift,
            altered=_altered(last.context, plan.context),
        )
        plan.stopped = suspicions(facts, limits)
        if not plan.stands:
            raise _NothingToLoadError

    def _uncertain(self, seen: set[str]) -> Iterator[list[tuple[int, list[str]]]]:
        """Rows that are not known to be unchanged, in portions."""
        portion: list[tuple[int, list[str]]] = []
        plan, source = self.plan, self.sync.mapping.source
        for number, row in enumerate(self.extract.values(self.night), 1):
            identity = parse(IdentifierType.EXTERNAL, row[0], source=source, is_record_key=True)
            if not isinstance(identity, Identifier):
                plan.refused += 1
                plan.refusals[f"{self.sync.mapping.id_column}: {identity.detail}"] += 1
                continue
            if identity.match in seen:
                plan.doubled += 1
                continue
            seen.add(identity.match)
            fingerprint, contact_id = self.index.entry(identity.match)
            proof = self._proof(row, fingerprint)
            if contact_id in self.index.modified:
                plan.newer += 1
            elif contact_id not in self.dirty and proof in self._proven:
                self._unchanged(contact_id, proof)
            else:
                portion.append((number, row))
                if len(portion) == SETTLED_AT_ONCE:
                    yield portion
                    portion = []
        yield portion

    def _settle(self, portion: Sequence[tuple[int, list[str]]]) -> Iterator[Line]:
        columns, mapping = self.extract.columns, self.sync.mapping
        records: list[CrmRecord] = []
        rows: list[tuple[int, list[str]]] = []
        for number, row in portion:
            values = {**dict(zip(columns, row[1:], strict=True)), mapping.id_column: row[0]}
            record = read_record(values, mapping, default_region=self.default_region)
            if isinstance(record, Problem):
                self.plan.refused += 1
                self.plan.refusals[f"{record.column}: {record.reason}"] += 1
            elif record.withdrawal:
                yield from self._note_withdrawal(number, record)
            else:
                records.append(record)
                rows.append((number, row))
        drafts = drafts_of(
            records, store=self.sync.store, organization=self.sync.organization, mapping=self.sync.mapping
        )
        for (number, row), draft in zip(rows, drafts, strict=True):
            stored = draft.stored
            if stored and stored.contact_id not in self.dirty and not draft.is_new:
                self._unchanged(stored.contact_id, self._proof(row, stored.fingerprint))
            elif stored and stored.contact_id in self.index.shared:
                self._shared[stored.contact_id].append(Line(number, draft.record))
            else:
                self._note(draft)
                yield Line(number, draft.record)

    def _note_withdrawal(self, number: int, record: CrmRecord) -> Iterator[Line]:
        _, contact_id = self.index.entry(record.id.match)
        if contact_id and self.sync.mapping.on_delete is not OnDelete.KEEP:
            self.plan.opted_out += 1
            yield Line(number, record)
        else:
            self.plan.unchanged += 1  # but nothing is proven: the row says nothing of what the contact should hold

    def _settle_shared(self) -> Iterator[Line]:
        """Two records take turns on a contact if each is written when it differs: one that agrees ends it."""
        for contact_id, lines in self._shared.items():
            written = [] if contact_id in self._agreed and contact_id not in self.dirty else lines[:1]
            left = lines[len(written) :]
            self.plan.conflicts += len(left)
            self.plan.changed += len(written)
            if written:
                self.plan.drift[GENESYS if contact_id in self.dirty else ELSEWHERE] += 1
                if contact_id in self.dirty:
                    self.distrusted.append(contact_id)
            if left and len(self.plan.shared) < MOST_EXAMPLES:
                ids = [line.record.id.value for line in left if isinstance(line.record, CrmRecord)]
                self.plan.shared.append({"contactId": contact_id, "crmIds": ids})
            yield from written

    def _unchanged(self, contact_id: str, proof: bytes) -> None:
        self.plan.unchanged += 1
        self.proofs.append(proof)
        if contact_id in self.index.shared:
            self._agreed.add(contact_id)

    def _note(self, draft: Draft) -> None:
        if not draft.stored:
            self.plan.new += 1
            return
        self.plan.changed += 1
        differs = differences(draft, draft.stored, self.sync)
        if draft.stored.contact_id in self.dirty:
            differs = [GENESYS, *differs]
            if not draft.is_new:
                self.distrusted.append(draft.stored.contact_id)
        self.plan.drift.update(differs or [ELSEWHERE])
        extra = set(draft.stored.identifiers) - set(draft.record.identifiers)
        self.plan.kept.update({str(each.type) for each in extra})
        if len(self.plan.examples) < MOST_EXAMPLES:
            example = {"crmId": draft.record.id.value, "contactId": draft.stored.contact_id}
            self.plan.examples.append({**example, "fields": differs or [ELSEWHERE]})

    def _note_gone(self, seen: set[str]) -> None:
        gone: list[dict[str, str]] = []
        for match in self.index.held:
            if match not in seen:
                _, contact_id = self.index.entry(match)
                gone.append({"crmId": match, "contactId": contact_id})
        self.plan.gone = len(gone)
        self.plan.missing = gone[:MOST_EXAMPLES]
        self.night.write_lines("gone.ndjson", gone)

    def _proof(self, row: Sequence[str], fingerprint: str) -> bytes:
        return proof_of(row, fingerprint, self._context)


def differences(draft: Draft, stored: Contact, sync: Sync) -> list[str]:
    """What of a record differs from the index, by field or Genesys slot: all that can be known without Genesys.

    The index keeps of a contact what routing needs, and which identifiers lead to it.
    """
    shall, has = profile_of(draft.record, sync.organization), stored.profile
    shall = surviving(shall, has, sync.mapping.kept)
    names = [name for name, attribute in PROFILE_FIELDS.items() if getattr(shall, attribute) != getattr(has, attribute)]
    known = set(stored.identifiers)
    names += [slot for slot, each in draft.record.slots.items() if each not in known]
    names += [f"{each.source} id" for each in (*draft.external, *draft.contested) if each not in known]
    return names


def proof_of(row: Sequence[str], fingerprint: str, context: bytes) -> bytes:
    """Of a row of an extract that has led to this fingerprint."""
    return hashlib.blake2b("\0".join([fingerprint, *row]).encode(), digest_size=16, key=context).digest()


def _distrust(sync: Sync, contact_id: str) -> bool:
    """Take the fingerprint off a contact that Genesys shows otherwise, or the sync would find it unchanged.

    False when others were changing it all the time.
    """
    try:
        write_again(
            sync.store, contact_id, kind="audit", because="Genesys Cloud shows something else; it is written again"
        )
    except OutdatedError:
        return False
    return True


def _read_proofs(night: Night) -> frozenset[bytes]:
    try:
        content = night.files.read(PROVEN)
    except FileNotFoundError:
        return frozenset()
    return frozenset(content[start : start + 16] for start in range(0, len(content), 16))


def context_of(sync: Sync, default_region: str) -> bytes:
    """All that a fingerprint depends on besides the row."""
    return _digest(digests_of(sync, default_region))


def digests_of(sync: Sync, default_region: str) -> dict[str, str]:
    """The same by part, each called as a sentence calls it that goes on with "changed".

    The version of the schema is none: it is another one as soon as somebody adds a field of their own.
    """
    organization = sync.organization
    parts = {
        "the mapping has": asdict(sync.mapping),
        "Genesys Cloud's queues have": organization.queue_ids,
        "Genesys Cloud's external sources have": organization.source_ids,
        "the schema of custom fields has": organization.schema["id"],
        "the default region has": default_region,
        "the rules have": load_rules().version,
    }
    return {name: _digest(facts).hex() for name, facts in parts.items()}


def _altered(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [name for name, digest in now.items() if name in before and before[name] != digest]


def _digest(facts: object) -> bytes:
    return hashlib.blake2b(json.dumps(facts, sort_keys=True, default=sorted).encode(), digest_size=32).digest()


def _highest(month: Sequence[Looked]) -> dict[str, float]:
    """CRM field → highest share of rows with a value."""
    shares: dict[str, float] = {}
    for each in month:
        for name, number in each.filled.items():
            shares[name] = max(shares.get(name, 0.0), number / max(each.rows, 1))
    return shares


def _filled(extract: Extract, index: Index, mapping: CrmMapping, last: LastGood) -> dict[str, tuple[float, float]]:
    rows, customers = max(extract.rows - extract.deleted, 1), max(len(index.held), 1)
    shares: dict[str, tuple[float, float]] = {}
    for column in extract.columns:
        if last.rows:
            before = last.filled.get(column, 0) / last.rows
        else:
            before = index.filled[mapping.columns.get(column, "")] / customers
        shares[column] = (before, extract.filled.get(column, 0) / rows)
    return shares
