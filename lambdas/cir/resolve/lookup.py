"""Where identifiers lead: from the cache, else from the tables, else from what the cache still remembers."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cir.aws.dynamodb import DynamoDBError
from cir.identity.identifiers import Identifier
from cir.identity.phone_life import faded_contacts, wants_confirmation
from cir.identity.records import Contact, IdentifierRecord
from cir.identity.verdict import best_question, is_generic, is_shared
from cir.index.cache import Cache, CacheAnswer, CacheUnavailableError, Candidates
from cir.index.store import IdentityStore
from cir.resolve.answer import CacheStatus
from cir.resolve.trace import Trace

OTHERS_READ_SECONDS = 0.004
"""How long to wait for the caller who is already reading the same value from the table: about one read of DynamoDB."""
RESERVE_SECONDS = 0.01
"""Kept of the budget for deciding and answering."""
REFRESH_SECONDS = 0.05
"""What must be left of the budget to renew an entry that has answered already."""
NOBODY = Candidates()


class Origin(StrEnum):
    """Where a finding comes from."""

    CACHE = "cache"
    TABLE = "table"
    STALE = "stale"
    """Past its time in the cache, and the tables did not answer."""
    NOWHERE = "nowhere"
    """Neither the cache nor the tables answered."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one identifier led to."""

    candidates: Candidates
    origin: Origin


@dataclass(slots=True)
class Findings:
    """What is known of one request, filled in step by step."""

    found: dict[Identifier, Found] = field(default_factory=dict)
    named: Contact | None = None
    """The canonical contact of the id that the request names."""
    named_origin: Origin | None = None
    contacts: dict[str, Contact] = field(default_factory=dict)
    cache_down: bool = False
    tables_down: bool = False
    """The tables were needed and did not answer in time."""
    renew: list[Identifier] = field(default_factory=list)
    """Answered by the cache, but due to be read again, and by this caller."""
    began: int = 0
    """The cache's time, in µs, before which nothing was read from the tables."""
    just_changed: bool = False
    """Something asked for was changed so lately that the tables must be read consistently."""

    @property
    def cache_status(self) -> CacheStatus:
        """For the answer."""
        if self.cache_down or self.tables_down:
            return CacheStatus.DEGRADED
        origins = {each.origin for each in self.found.values()} | {self.named_origin} - {None}
        if origins != {Origin.CACHE}:
            return CacheStatus.MISS
        known = self.named or any(each.candidates.count for each in self.found.values())
        return CacheStatus.HIT if known else CacheStatus.NEGATIVE


class Lookup:
    """Reads for the resolver. Every step takes what is left of the caller's deadline (`time.monotonic`)."""

    def __init__(self, store: IdentityStore, cache: Cache) -> None:
        self._store = store
        self._cache = cache

    def find(self, identifiers: Sequence[Identifier], contact_id: str, deadline: float, trace: Trace) -> Findings:
        """Look all identifiers, and the contact named by its id, up together."""
        findings = Findings()
        if not identifiers and not contact_id:
            return findings
        remembered = self._read_cache(identifiers, contact_id, findings, trace)
        pending = [each for each in identifiers if each not in findings.found]
        unnamed = contact_id if contact_id and findings.named_origin is not Origin.CACHE else ""
        if pending or unnamed:
            self.read_tables(pending, unnamed, findings, deadline, trace)
        for each in pending:
            if each not in findings.found:
                stale = remembered.get(each)
                findings.found[each] = Found(stale, Origin.STALE) if stale else Found(NOBODY, Origin.NOWHERE)
        return findings

    def read_tables(
        self,
        identifiers: Sequence[Identifier],
        contact_id: str,
        findings: Findings,
        deadline: float,
        trace: Trace,
        *,
        consistent: bool = False,
    ) -> None:
        """Read the tables, fill the cache, and add what was found to the findings.

        `consistent` sees what was written a moment ago, at twice the cost.
        """
        consistent = consistent or findings.just_changed
        with trace.step("tables") as step:
            try:
                records = self._store.identifiers(identifiers, timeout=left(deadline), consistent=consistent)
                owners = {owner for record in records.values() for owner in record.claims}
                wanted = sorted(owners | {contact_id} if contact_id else owners)
                heads, read = self._store.canonical(wanted, timeout=left(deadline), consistent=consistent)
                if not consistent and owners - heads.keys():
                    # a claim is written together with its contact: this replica has seen one and not yet the other
                    heads, read = self._store.canonical(wanted, timeout=left(deadline), consistent=True)
            except DynamoDBError as error:
                findings.tables_down = True
                step["failed"] = error.code
                return
            found = {each: candidates_of(each, records.get(each), heads) for each in identifiers}
            step["found"] = [each.count for each in found.values()]
        findings.found |= {each: Found(candidates, Origin.TABLE) for each, candidates in found.items()}
        findings.contacts |= {contact.contact_id: contact for contact in heads.values()}
        if contact_id:
            findings.named, findings.named_origin = heads.get(contact_id), Origin.TABLE
        if not findings.cache_down:
            versions = {each: records[each].version if each in records else 0 for each in identifiers}
            whole = [each for each in identifiers if each not in records or records[each].claims.keys() <= heads.keys()]
            self._fill_cache(
                {each: (versions[each], found[each]) for each in whole}, read.values(), findings, trace, consistent
            )

    def contact(self, contact_id: str, findings: Findings, deadline: float, trace: Trace) -> Contact | None:
        """The contact that was decided on, wherever it can be had."""
        if contact_id in findings.contacts:
            return findings.contacts[contact_id]
        with trace.step("profile") as step:
            try:
                (answer,) = self._cache.read([], [contact_id])
                if answer.contact:
                    return answer.contact.value
            except CacheUnavailableError as error:
                step["failed"] = str(error)
            try:
                return self._store.canonical([contact_id], timeout=left(deadline))[0].get(contact_id)
            except DynamoDBError as error:
                step["failed"] = error.code
        return None

    def renew(self, findings: Findings, deadline: float, trace: Trace) -> None:
        """Read what is about to expire again, after the answer is decided, when there is time for it."""
        if findings.renew and left(deadline) > REFRESH_SECONDS:
            self.read_tables(findings.renew, "", replace(findings, found={}, contacts={}), deadline, trace)

    def _read_cache(
        self, identifiers: Sequence[Identifier], contact_id: str, findings: Findings, trace: Trace
    ) -> Mapping[Identifier, Candidates]:
        """Add what is fresh to the findings; return what the cache remembers of the rest."""
        remembered: dict[Identifier, Candidates] = {}
        with trace.step("cache") as step:
            try:
                answers = self._read_together(identifiers, [contact_id] if contact_id else [])
            except CacheUnavailableError as error:
                findings.cache_down = True
                step["failed"] = str(error)
                return remembered
            findings.began = answers[0].read_at
            findings.just_changed = any(answer.just_changed for answer in answers)
            for answer in answers:
                if answer.contact:
                    findings.contacts[answer.contact.value.contact_id] = answer.contact.value
            for answer in answers[len(identifiers) :]:
                if answer.contact:
                    findings.named = answer.contact.value
                    findings.named_origin = Origin.CACHE if answer.contact.fresh else Origin.STALE
            for each, answer in zip(identifiers, answers, strict=False):
                candidates = _followed(answer)
                if candidates and _is_fresh(answer):
                    findings.found[each] = Found(candidates, Origin.CACHE)
                    if answer.lease:
                        findings.renew.append(each)
                elif candidates:
                    remembered[each] = candidates
            step["found"] = len(findings.found)
        return remembered

    def _read_together(self, identifiers: Sequence[Identifier], contact_ids: Sequence[str]) -> list[CacheAnswer]:
        """Single flight: where somebody else is reading all that is missing from the table, wait for it once."""
        answers = self._cache.read(identifiers, contact_ids)
        missing = [answer for answer in answers if not _is_fresh(answer)]
        if missing and not any(answer.lease for answer in missing):
            time.sleep(OTHERS_READ_SECONDS)
            answers = self._cache.read(identifiers, contact_ids)
        return answers

    def _fill_cache(
        self,
        candidates: Mapping[Identifier, tuple[int, Candidates]],
        contacts: Iterable[Contact],
        findings: Findings,
        trace: Trace,
        consistent: bool,
    ) -> None:
        with trace.step("fill cache") as step:
            try:
                self._cache.put(candidates, contacts, began=findings.began, consistent=consistent)
            except CacheUnavailableError as error:
                step["failed"] = str(error)


def left(deadline: float) -> float:
    """Seconds that a step may take."""
    return max(0.0, deadline - time.monotonic() - RESERVE_SECONDS)


def fresh_candidates(answer: CacheAnswer) -> Candidates | None:
    """Whom the cache says that an identifier leads to, if it may answer by itself."""
    return _followed(answer) if _is_fresh(answer) else None


def _is_fresh(answer: CacheAnswer) -> bool:
    if answer.candidates is None:
        return answer.contact is not None and answer.contact.fresh
    needs_contact = len(answer.candidates.value.contact_ids) == 1
    return answer.candidates.fresh and (not needs_contact or (answer.contact is not None and answer.contact.fresh))


def _followed(answer: CacheAnswer) -> Candidates | None:
    """The candidates with the canonical contact in the place of one that has been merged since."""
    if answer.candidates is None:
        return None
    found = answer.candidates.value
    if len(found.contact_ids) != 1:
        return found
    if answer.contact is None:
        return None
    head = (answer.contact.value.contact_id,)
    return found if head == found.contact_ids else replace(found, contact_ids=head)


def candidates_of(identifier: Identifier, record: IdentifierRecord | None, heads: Mapping[str, Contact]) -> Candidates:
    """The distinct canonical contacts that claim the identifier, unless they are too many for it to mean anybody."""
    if record is None:
        return NOBODY
    everybody = {heads[owner].contact_id: heads[owner] for owner in record.claims if owner in heads}
    faded = faded_contacts(record, heads)
    # who had the number long ago is no candidate beside somebody who was seen with it since
    contacts = {contact_id: each for contact_id, each in everybody.items() if contact_id not in faded} or everybody
    generic, shared = is_generic(record, heads), is_shared(record)
    return Candidates(
        contact_ids=() if generic else tuple(sorted(contacts)),
        count=len(contacts),
        generic=generic,
        ask_for=best_question(identifier, contacts.values()) if len(contacts) > 1 or shared else "",
        faded=bool(faded) and contacts.keys() <= faded,
        to_confirm=len(contacts) == 1 and wants_confirmation(record, *contacts),
        shared=shared,
        unproven=tuple(sorted(contacts.keys() - _proven(record, heads))),
    )


def _proven(record: IdentifierRecord, heads: Mapping[str, Contact]) -> set[str]:
    """The canonical contacts that have an identifier on better evidence than a caller's word."""
    return {heads[owner].contact_id for owner, claim in record.claims.items() if owner in heads and claim.proven}
