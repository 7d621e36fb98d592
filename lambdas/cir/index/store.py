"""The identity store: identifiers, contacts and the ledger in DynamoDB.

Every write is idempotent and may be repeated after a crash: a claim is conditional on not being there, a contact on the
generation it was read at, and a contact is written together with its claims and its ledger entry or not at all.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from cir.aws.dynamodb import DynamoDB, DynamoDBError, marshal, marshal_item, unmarshal, unmarshal_item
from cir.identity.identifiers import Identifier, with_switchboards
from cir.identity.records import (
    CLAIM_PREFIX,
    CONVERSATION,
    Claim,
    Contact,
    Decision,
    IdentifierRecord,
    Profile,
    timestamp,
)
from cir.identity.rules import Assurance, load_rules
from cir.index.again import OutdatedError, attempts

MAX_CLAIMS = 50
"""Claims kept on one identifier: an item of about 8 KB, read in one request. Past it the value is generic anyway."""
BATCH_GET_LIMIT = 100
"""DynamoDB's limit of keys in one BatchGetItem."""
MAX_MERGE_DEPTH = 8
"""Tombstones followed in one read. Paths are shortened after each merge, so more than two is rare."""

TRANSACTION_LIMIT = 100
"""DynamoDB's limit of writes in one transaction."""

_CONDITION_FAILED = "ConditionalCheckFailed"


@dataclass(frozen=True, slots=True)
class TableNames:
    """The physical names of the three tables."""

    identifiers: str
    contacts: str
    ledger: str


class AlreadyClaimedError(Exception):
    """An exclusive identifier belongs to another contact."""

    def __init__(self, identifier: Identifier, owner: str) -> None:
        super().__init__(f"{identifier.masked} already belongs to contact {owner}")
        self.identifier = identifier
        self.owner = owner


class _CancelledError(Exception):
    """A transaction was not carried out."""

    def __init__(self, *, first_failed: bool) -> None:
        super().__init__()
        self.first_failed = first_failed
        """Whether it was the condition of its first write that did not hold."""


class IdentityStore:
    """Reads for the hot plane, writes for the sync plane. `now` gives the timestamp of writes."""

    def __init__(self, dynamodb: DynamoDB, tables: TableNames, *, now: Callable[[], str] = timestamp) -> None:
        self._dynamodb = dynamodb
        self._tables = tables
        self._now = now

    def identifiers(
        self, identifiers: Iterable[Identifier], *, timeout: float | None = None, consistent: bool = False
    ) -> dict[Identifier, IdentifierRecord]:
        """The records of those identifiers that are known, in one round trip per hundred."""
        items = self._batch_get(
            self._tables.identifiers, "identifier", {each.key for each in identifiers}, timeout, consistent
        )
        records = (IdentifierRecord.from_item(item) for item in items)
        return {record.identifier: record for record in records}

    def contacts(
        self, contact_ids: Iterable[str], *, timeout: float | None = None, consistent: bool = False
    ) -> dict[str, Contact]:
        """The records of those contacts that are known, tombstones as they are."""
        items = self._batch_get(self._tables.contacts, "contact_id", set(contact_ids), timeout, consistent)
        return {item["contact_id"]: Contact.from_item(item) for item in items}

    def canonical(
        self, contact_ids: Iterable[str], *, timeout: float | None = None, consistent: bool = False
    ) -> tuple[dict[str, Contact], dict[str, Contact]]:
        """Follow tombstones: (asked id → canonical contact, every record read on the way).

        An id that is unknown, or whose path does not end within MAX_MERGE_DEPTH, is missing from the first.
        """
        asked = list(dict.fromkeys(contact_ids))
        read: dict[str, Contact] = {}
        unread = set(asked)
        heads = {contact_id: contact_id for contact_id in asked}
        for _ in range(MAX_MERGE_DEPTH):
            if not unread:
                break
            found = self.contacts(unread, timeout=timeout, consistent=consistent)
            read |= found
            unread = {each.merged_into for each in found.values() if each.merged_into} - read.keys()
            heads = {asked_id: _next(read, head) for asked_id, head in heads.items()}
        canonical = {
            asked_id: read[head] for asked_id, head in heads.items() if head in read and not read[head].merged_into
        }
        return canonical, read

    def put_contact(
        self,
        contact: Contact,
        *,
        previous: Contact | None = None,
        decision: Decision,
        source: str,
        assurance: Assurance,
        known: Mapping[Identifier, IdentifierRecord] | None = None,
        contested: Collection[Identifier] = (),
        said: Collection[Identifier] | None = None,
    ) -> None:
        """Store the next generation of a contact with its new claims and its ledger entry, in one transaction.

        `contact.generation` is the new one (`Contact.changed`), `previous` the record it was made from, as read: what
        that has and the new one lacks is released. `known` saves a read where the caller has just read the records of
        all new identifiers. `contested` are ids of one person that a CRM has on this contact's record and on another's:
        both claim them. `said` is all that the source, a CRM, says of the contact, where that is known: what others had
        claimed before is the CRM's word too, and what it says no more is theirs alone.

        Raises AlreadyClaimedError when another exclusive identifier is taken and OutdatedError when the contact has
        changed since it was read; nothing is written then.

        A contact with more than 97 new identifiers takes several transactions, the contact's own last.
        """
        had = set(previous.identifiers if previous else ())
        new, gone = set(contact.identifiers) - had, had - set(contact.identifiers)
        around = _around_extensions((*contact.identifiers, *had)) & set(contact.identifiers)
        held = set(contact.identifiers) & had if said is not None else around - new
        for attempt in attempts():
            read = known if known is not None and attempt == 0 else self.identifiers(new | gone, consistent=True)
            needed = around | held
            records = {**read, **self.identifiers(needed - read.keys(), consistent=True)} if needed else read
            houses = _switchboards(contact, records, around - (new if source == CONVERSATION else set()))
            writes = [
                *self._claims(
                    new, contact, records, source=source, assurance=assurance, switchboards=houses, contested=contested
                ),
                *self._releases(gone, contact.owners, records),
                *self._marks(held, contact, records, switchboards=houses, source=source, said=said),
            ]
            try:
                self._transact_last([self._put_generation(contact), self._append(decision)], writes)
            except _CancelledError as cancelled:
                if cancelled.first_failed:
                    raise OutdatedError(f"contact {contact.contact_id} was changed by somebody else") from None
            else:
                return
        raise OutdatedError(f"the identifiers of contact {contact.contact_id} are being changed by others")

    def confirm(
        self, identifier: Identifier, contact_id: str, *, verified: bool = False, timeout: float | None = None
    ) -> None:
        """Note that the claim was seen to be true once more. Nothing happens when there is no such claim.

        How far it may be trusted stays as it is, unless it was `verified` by a second factor: being seen again proves
        nothing that was not proven before.
        """
        self._unless_condition_fails(
            "UpdateItem",
            {
                **self._on(identifier, contact_id),
                "UpdateExpression": "SET #claim.last_confirmed = :now",
                "ConditionExpression": "attribute_exists(#claim)",
                "ExpressionAttributeValues": marshal_item({":now": self._now()}),
            },
            timeout=timeout,
        )
        if verified:
            self._unless_condition_fails(
                "UpdateItem",
                {
                    **self._on(identifier, contact_id),
                    "UpdateExpression": "SET #claim.assurance = :verified ADD version :one",
                    "ConditionExpression": "attribute_exists(#claim) AND #claim.assurance < :verified",
                    "ExpressionAttributeValues": marshal_item({":verified": Assurance.VERIFIED, ":one": 1}),
                },
                timeout=timeout,
            )

    def merge(
        self, winner: Contact, losers: Sequence[Contact], *, decision: Decision, also: Sequence[Decision] = ()
    ) -> None:
        """Make the losers, and all that was merged into them before, tombstones of the winner, in one transaction.

        Its size depends on the number of contacts and not on that of their identifiers, whose claims stay where they
        are: readers follow the tombstones. The contacts are passed as they were read, or as they shall be with
        generation 0 where they are not stored; OutdatedError is raised when any has changed since. `also` are further
        ledger entries.
        """
        earlier = self.contacts({each for loser in losers for each in loser.merged_from}, consistent=True)
        merged = {loser.contact_id: loser for loser in (*losers, *earlier.values())}
        head = winner.changed(
            identifiers=tuple(dict.fromkeys(each for one in (winner, *losers) for each in one.identifiers)),
            merged_from=tuple(dict.fromkeys((*winner.merged_from, *merged))),
        )
        tombstones = (each.changed(merged_into=winner.contact_id) for each in merged.values())
        writes = [self._put_generation(each) for each in (head, *tombstones)]
        self._transact_contacts([*writes, *(self._append(each) for each in (decision, *also))])

    def split(
        self,
        part: Contact,
        rest: Contact,
        tombstones: Sequence[Contact],
        *,
        claims: Mapping[Identifier, Mapping[str, Claim]],
        read: Mapping[Identifier, IdentifierRecord],
        decisions: Sequence[Decision],
    ) -> None:
        """Store a contact taken out of another, both as their next generation, and the tombstones that follow it.

        `claims` are all claims that the identifiers shall have, `read` the records that this was worked out from.
        One transaction, if 100 writes are enough; otherwise the part comes first, and the claims follow, so that no
        identifier is without a contact in between. Raises OutdatedError; it can be done again from what is stored then.
        """
        moves = [
            write
            for each in sorted(claims, key=lambda each: each.key)
            for write in self._claim_as(each, read.get(each), claims[each])
        ]
        others = [self._put_generation(each) for each in (rest, *tombstones)]
        others += [self._append(each) for each in decisions]
        if 1 + len(moves) + len(others) > TRANSACTION_LIMIT:
            self._transact_contacts([self._put_generation(part)])
            part = part.changed()
        try:
            self._transact_last([self._put_generation(part), *others], moves)
        except _CancelledError:
            raise OutdatedError("one of the contacts or identifiers was changed by somebody else") from None

    def remove(self, contact: Contact, *, decision: Decision) -> None:
        """Forget a contact that is gone, and release its identifiers. `contact` is as it was read.

        Its tombstones stay, without anything that was known of the customer, and lead to no contact. If they were
        forgotten too, an id that a split had taken out of another contact would lead to that contact again: Genesys
        still has it there. Raises OutdatedError.
        """
        records = self.identifiers(contact.identifiers, consistent=True)
        bare = self.contacts(contact.merged_from, consistent=True).values()
        own = [
            {
                "Delete": {
                    "TableName": self._tables.contacts,
                    "Key": {"contact_id": marshal(contact.contact_id)},
                    "ConditionExpression": "generation = :read",
                    "ExpressionAttributeValues": {":read": marshal(contact.generation)},
                }
            },
            *(self._put_generation(each.changed(profile=Profile(), identifiers=(), fingerprint="")) for each in bare),
            self._append(decision),
        ]
        try:
            self._transact_last(own, list(self._releases(contact.identifiers, contact.owners, records)))
        except _CancelledError:
            raise OutdatedError(f"contact {contact.contact_id} was changed by somebody else") from None

    def reclaim(self, record: IdentifierRecord, claims: Mapping[str, Claim]) -> bool:
        """Make these the claims on an identifier; False when it has changed since the record was read."""
        writes = list(self._claim_as(record.identifier, record, claims))
        if not writes:
            return True
        try:
            self._transact(writes)
        except _CancelledError:
            return False
        return True

    def request_lookup(
        self, identifier: Identifier, *, at: int, again_after_seconds: int, timeout: float | None = None
    ) -> bool:
        """Ask the sync plane to look an unknown identifier up in Genesys; the table's stream wakes it.

        `at` is the epoch second. True when a request was written; False when the identifier is known, or was asked for
        within `again_after_seconds`.
        """
        update = {
            "TableName": self._tables.identifiers,
            "Key": {"identifier": marshal(identifier.key)},
            # the version stays: nothing that a cache may hold has changed
            "UpdateExpression": "SET lookup_requested_at = :at, expires_at = :expiry, #value = :value",
            "ConditionExpression": (
                "(attribute_not_exists(claim_count) OR claim_count = :none) AND "
                "(attribute_not_exists(lookup_requested_at) OR lookup_requested_at < :stale)"
            ),
            "ExpressionAttributeNames": {"#value": "value"},
            "ExpressionAttributeValues": marshal_item(
                {
                    ":none": 0,
                    ":at": at,
                    ":expiry": at + 2 * again_after_seconds,
                    ":stale": at - again_after_seconds,
                    ":value": identifier.value,
                }
            ),
        }
        return self._unless_condition_fails("UpdateItem", update, timeout=timeout) is None

    def record(self, decision: Decision, *, timeout: float | None = None) -> bool:
        """Append to the ledger. An entry that is there already stays as it is; False then."""
        return self._unless_condition_fails("PutItem", self._append(decision)["Put"], timeout=timeout) is None

    def history(self, subject: str) -> list[dict[str, Any]]:
        """The ledger entries of a contact or identifier, oldest first."""
        entries: list[dict[str, Any]] = []
        request: dict[str, Any] = {
            "TableName": self._tables.ledger,
            "KeyConditionExpression": "subject = :subject",
            "ExpressionAttributeValues": {":subject": marshal(subject)},
        }
        while True:
            page = self._dynamodb("Query", request)
            entries += (unmarshal_item(item) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return entries
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def decision(self, subject: str, kind: str, because: str, **details: Any) -> Decision:
        """A ledger entry of this moment, under the rules in force."""
        return Decision(
            subject=subject,
            kind=kind,
            because=because,
            details=details,
            at=self._now(),
            id=uuid.uuid4().hex[:12],
            rules_version=load_rules().version,
        )

    def _claims(
        self,
        identifiers: Iterable[Identifier],
        contact: Contact,
        records: Mapping[Identifier, IdentifierRecord],
        *,
        source: str,
        assurance: Assurance,
        switchboards: AbstractSet[Identifier],
        contested: Collection[Identifier],
    ) -> Iterator[dict[str, Any]]:
        """The writes that claim what is not claimed yet, on condition that nobody has claimed it meanwhile."""
        now = self._now()
        for identifier in sorted(identifiers, key=lambda each: each.key):
            record = records.get(identifier)
            claims = record.claims if record else {}
            if contact.claims_on(record):
                continue
            may_share = not identifier.exclusive or identifier in contested
            if claims and not may_share:
                raise AlreadyClaimedError(identifier, next(iter(claims)))
            if len(claims) < MAX_CLAIMS:
                claim = Claim(source, assurance, now, now, switchboard=identifier in switchboards)
                yield self._claim(identifier, contact.contact_id, claim, limit=MAX_CLAIMS if may_share else 1)
                yield from self._spread(identifier, len(claims), len(claims) + 1)
            elif record and not record.overflowed:
                yield self._overflow(identifier)

    def _marks(
        self,
        identifiers: Iterable[Identifier],
        contact: Contact,
        records: Mapping[Identifier, IdentifierRecord],
        *,
        switchboards: AbstractSet[Identifier],
        source: str,
        said: Collection[Identifier] | None,
    ) -> Iterator[dict[str, Any]]:
        """The writes after which claims that the contact has already tell whose word they are and of what."""
        for each in sorted(identifiers, key=lambda each: each.key):
            if record := records.get(each):
                marked = {
                    owner: replace(
                        claim,
                        switchboard=each in switchboards,
                        also=claim.also if said is None else _also(claim, source, says_so=each in said),
                    )
                    for owner, claim in contact.claims_on(record).items()
                }
                yield from self._claim_as(each, record, {**record.claims, **marked})

    def _claim(self, identifier: Identifier, contact_id: str, claim: Claim, *, limit: int) -> dict[str, Any]:
        names = {"#claim": CLAIM_PREFIX + contact_id, "#value": "value"}
        return {
            "Update": {
                **self._on(identifier, contact_id),
                "UpdateExpression": (
                    "SET #claim = :claim, #value = if_not_exists(#value, :value) "
                    "REMOVE lookup_requested_at, expires_at ADD claim_count :one, version :one"
                ),
                "ConditionExpression": (
                    "attribute_not_exists(#claim) AND (attribute_not_exists(claim_count) OR claim_count < :limit)"
                ),
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": marshal_item(
                    {
                        ":claim": claim.to_item(),
                        ":value": identifier.value,
                        ":one": 1,
                        ":limit": limit,
                    }
                ),
            }
        }

    def _overflow(self, identifier: Identifier) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._tables.identifiers,
                "Key": {"identifier": marshal(identifier.key)},
                "UpdateExpression": "SET overflowed = :true ADD version :one",
                "ExpressionAttributeValues": marshal_item({":true": True, ":one": 1}),
            }
        }

    def _releases(
        self,
        identifiers: Iterable[Identifier],
        owners: AbstractSet[str],
        records: Mapping[Identifier, IdentifierRecord],
    ) -> Iterator[dict[str, Any]]:
        for identifier in sorted(identifiers, key=lambda each: each.key):
            if record := records.get(identifier):
                left = {owner: claim for owner, claim in record.claims.items() if owner not in owners}
                yield from self._claim_as(identifier, record, left)

    def _claim_as(
        self, identifier: Identifier, record: IdentifierRecord | None, claims: Mapping[str, Claim]
    ) -> Iterator[dict[str, Any]]:
        """The write, if any, after which an identifier has these claims; on condition that it is as it was read."""
        had = record.claims if record else {}
        changed = {owner: claim for owner, claim in claims.items() if had.get(owner) != claim}
        gone = had.keys() - claims.keys()
        if not changed and not gone:
            return
        names = {f"#set{index}": CLAIM_PREFIX + owner for index, owner in enumerate(sorted(changed))}
        values = {f":set{index}": changed[owner].to_item() for index, owner in enumerate(sorted(changed))}
        removed = {f"#gone{index}": CLAIM_PREFIX + owner for index, owner in enumerate(sorted(gone))}
        sets = [f"{name} = :{name[1:]}" for name in names]
        read = record.version if record else 0
        yield {
            "Update": {
                "TableName": self._tables.identifiers,
                "Key": {"identifier": marshal(identifier.key)},
                "UpdateExpression": (
                    f"SET {', '.join([*sets, '#value = if_not_exists(#value, :value)'])} "
                    f"REMOVE {', '.join(['lookup_requested_at', 'expires_at', *removed])} "
                    "ADD claim_count :more, version :one"
                ),
                "ConditionExpression": "version = :read" if read else "attribute_not_exists(version)",
                "ExpressionAttributeNames": {**names, **removed, "#value": "value"},
                "ExpressionAttributeValues": marshal_item(
                    {
                        **values,
                        ":value": identifier.value,
                        ":more": len(claims) - len(had),
                        ":one": 1,
                        **({":read": read} if read else {}),
                    }
                ),
            }
        }
        yield from self._spread(identifier, len(had), len(claims))

    def _spread(self, identifier: Identifier, before: int, after: int) -> Iterator[dict[str, Any]]:
        """The ledger entry of a value that stops, or begins again, to identify because of how many claim it."""
        limit = load_rules().identifiers[identifier.type].generic_above
        if before <= limit < after:
            text = f"{after} contacts claim it, more than {limit}: it no longer identifies anybody"
            yield self._append(self.decision(identifier.key, "demotion", text, contacts=after))
        elif after <= limit < before:
            text = f"{after} contacts claim it, no more than {limit}: it identifies again"
            yield self._append(self.decision(identifier.key, "promotion", text, contacts=after))

    def _on(self, identifier: Identifier, contact_id: str) -> dict[str, Any]:
        """What every update of one claim names."""
        return {
            "TableName": self._tables.identifiers,
            "Key": {"identifier": marshal(identifier.key)},
            "ExpressionAttributeNames": {"#claim": CLAIM_PREFIX + contact_id},
        }

    def _batch_get(
        self, table: str, key_name: str, keys: set[str], timeout: float | None, consistent: bool
    ) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        pending = [{key_name: marshal(key)} for key in sorted(keys)]
        while pending:
            chunk, pending = pending[:BATCH_GET_LIMIT], pending[BATCH_GET_LIMIT:]
            answer = self._dynamodb(
                "BatchGetItem",
                {"RequestItems": {table: {"Keys": chunk, "ConsistentRead": consistent}}},
                timeout=timeout,
            )
            items += (unmarshal_item(item) for item in answer["Responses"].get(table, ()))
            pending += answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        return items

    def _put_generation(self, contact: Contact) -> dict[str, Any]:
        before = contact.generation - 1
        condition: Mapping[str, Any] = (
            {
                "ConditionExpression": "generation = :before",
                "ExpressionAttributeValues": {":before": marshal(before)},
            }
            if before
            else {"ConditionExpression": "attribute_not_exists(contact_id)"}
        )
        return {"Put": {"TableName": self._tables.contacts, "Item": marshal_item(contact.to_item()), **condition}}

    def _append(self, decision: Decision) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._tables.ledger,
                "Item": marshal_item(decision.to_item()),
                "ConditionExpression": "attribute_not_exists(subject)",
            }
        }

    def _transact_last(self, own: list[dict[str, Any]], before: list[dict[str, Any]]) -> None:
        """All in one transaction where that is possible; otherwise as much of `before` as necessary goes ahead."""
        pending = list(before)
        while len(pending) + len(own) > TRANSACTION_LIMIT:
            self._transact(pending[:TRANSACTION_LIMIT])
            del pending[:TRANSACTION_LIMIT]
        self._transact([*own, *pending])

    def _transact_contacts(self, writes: list[dict[str, Any]]) -> None:
        try:
            self._transact(writes)
        except _CancelledError:
            raise OutdatedError("one of the contacts was changed by somebody else") from None

    def _transact(self, writes: list[dict[str, Any]]) -> None:
        try:
            self._dynamodb("TransactWriteItems", {"TransactItems": writes})
        except DynamoDBError as error:
            if error.code != "TransactionCanceledException":
                raise
            reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
            raise _CancelledError(first_failed=reasons[:1] == [_CONDITION_FAILED]) from error

    def _unless_condition_fails(
        self, operation: str, request: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any] | None:
        """None when the write went through, otherwise the item that stood against it (empty where not returned)."""
        try:
            self._dynamodb(operation, request, timeout=timeout)
        except DynamoDBError as error:
            if error.code != f"{_CONDITION_FAILED}Exception":
                raise
            return {name: unmarshal(value) for name, value in (error.response.get("Item") or {}).items()}
        return None


def _also(claim: Claim, source: str, *, says_so: bool) -> tuple[str, ...]:
    others = set(claim.also) - {source} | ({source} if says_so else set())
    return tuple(sorted(others - {claim.source}))


def _around_extensions(identifiers: Iterable[Identifier]) -> set[Identifier]:
    """The extensions among them and the numbers that these are reached by."""
    return set(with_switchboards(each for each in identifiers if each.extension))


def _switchboards(
    contact: Contact, records: Mapping[Identifier, IdentifierRecord], numbers: Iterable[Identifier]
) -> set[Identifier]:
    """The numbers of those of its extensions that somebody else than a caller says it has, or is saying now.

    A caller who could make a number a switchboard could keep anybody from being recognised.
    """
    by = {each: contact.sources_of(each, records) for each in numbers}
    return {each.switchboard for each in by if each.switchboard and (not by[each] or by[each] - {CONVERSATION})}


def _next(read: Mapping[str, Contact], head: str) -> str:
    return read[head].merged_into or head if head in read else head
