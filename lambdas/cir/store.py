"""The identity store: identifiers, contacts and the ledger in DynamoDB.

Every write is idempotent and may be repeated after a crash: a claim is conditional on not being there, a contact on the
generation it was read at, and a contact is written together with its claims and its ledger entry or not at all.
"""

import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cir.dynamodb import DynamoDB, DynamoDBError, marshal, marshal_item, unmarshal, unmarshal_item
from cir.identifiers import Identifier
from cir.records import CLAIM_PREFIX, Claim, Contact, Decision, IdentifierRecord, timestamp
from cir.rules import Assurance, load_rules

MAX_CLAIMS = 50
"""Claims kept on one identifier: an item of about 8 KB, read in one request. Past it the value is generic anyway."""
BATCH_GET_LIMIT = 100
"""DynamoDB's limit of keys in one BatchGetItem."""
MAX_MERGE_DEPTH = 8
"""Tombstones followed in one read. Paths are shortened after each merge, so more than two is rare."""

TRANSACTION_LIMIT = 100
"""DynamoDB's limit of writes in one transaction."""
MAX_ATTEMPTS = 6
"""Of a transaction that others get in the way of: people of one office are imported at the same moment."""

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


class OutdatedError(Exception):
    """The contact was changed by somebody else since it was read. Read it again and repeat."""


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
        heads = {contact_id: contact_id for contact_id in asked}
        for _ in range(MAX_MERGE_DEPTH):
            wanted = {head for head in heads.values() if head not in read}
            if not wanted:
                break
            read |= self.contacts(wanted, timeout=timeout, consistent=consistent)
            heads = {asked_id: _next(read, head) for asked_id, head in heads.items()}
        found = {
            asked_id: read[head] for asked_id, head in heads.items() if head in read and not read[head].merged_into
        }
        return found, read

    def put_contact(
        self,
        contact: Contact,
        *,
        previous: Contact | None = None,
        decision: Decision,
        source: str,
        assurance: Assurance,
        known: Mapping[Identifier, IdentifierRecord] | None = None,
    ) -> None:
        """Store the next generation of a contact with its new claims and its ledger entry, in one transaction.

        `contact.generation` is the new one (`Contact.changed`), `previous` the record it was made from, as read: what
        that has and the new one lacks is released. `known` saves a read where the caller has just read the records of
        all new identifiers. Raises AlreadyClaimedError when an exclusive identifier is taken and OutdatedError when
        the contact has changed since it was read; nothing is written then.

        A contact with more than 97 new identifiers takes several transactions, the contact's own last.
        """
        had = set(previous.identifiers if previous else ())
        new, gone = set(contact.identifiers) - had, had - set(contact.identifiers)
        for attempt in range(MAX_ATTEMPTS):
            records = known if known is not None and attempt == 0 else self.identifiers(new | gone, consistent=True)
            writes = [
                *self._claims(new, contact.contact_id, records, source=source, assurance=assurance),
                *self._releases(gone, contact.contact_id, records),
            ]
            own = [self._put_generation(contact), self._append(decision)]
            try:
                while len(writes) + len(own) > TRANSACTION_LIMIT:
                    self._transact(writes[:TRANSACTION_LIMIT])
                    del writes[:TRANSACTION_LIMIT]
                self._transact([*own, *writes])
            except _CancelledError as cancelled:
                if cancelled.first_failed:
                    raise OutdatedError(f"contact {contact.contact_id} was changed by somebody else") from None
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter, not a secret
            else:
                return
        raise OutdatedError(f"the identifiers of contact {contact.contact_id} are being changed by others")

    def confirm(self, identifier: Identifier, contact_id: str, *, assurance: Assurance) -> None:
        """Note that the claim was seen to be true once more. Nothing happens when there is no such claim."""
        self._unless_condition_fails(
            "UpdateItem",
            {
                **self._on(identifier, contact_id),
                "UpdateExpression": "SET #claim.last_confirmed = :now",
                "ConditionExpression": "attribute_exists(#claim)",
                "ExpressionAttributeValues": marshal_item({":now": self._now()}),
            },
        )
        self._unless_condition_fails(
            "UpdateItem",
            {
                **self._on(identifier, contact_id),
                "UpdateExpression": "SET #claim.assurance = :assurance",
                "ConditionExpression": "attribute_exists(#claim) AND #claim.assurance < :assurance",
                "ExpressionAttributeValues": marshal_item({":assurance": assurance}),
            },
        )

    def merge(self, winner: Contact, losers: Sequence[Contact], *, decision: Decision) -> None:
        """Point the losers at the winner, in one transaction whose size does not depend on their identifiers.

        The contacts are passed as they were read; OutdatedError is raised when any has changed since.
        """
        tombstones = [loser.changed(merged_into=winner.contact_id) for loser in losers]
        head = winner.changed()
        writes = [*(self._put_generation(each) for each in (head, *tombstones)), self._append(decision)]
        try:
            self._transact(writes)
        except _CancelledError:
            raise OutdatedError("one of the contacts was changed by somebody else") from None

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
                "attribute_not_exists(claim_count) AND "
                "(attribute_not_exists(lookup_requested_at) OR lookup_requested_at < :stale)"
            ),
            "ExpressionAttributeNames": {"#value": "value"},
            "ExpressionAttributeValues": marshal_item(
                {
                    ":at": at,
                    ":expiry": at + 2 * again_after_seconds,
                    ":stale": at - again_after_seconds,
                    ":value": identifier.value,
                }
            ),
        }
        return self._unless_condition_fails("UpdateItem", update, timeout=timeout) is None

    def record(self, decision: Decision, *, timeout: float | None = None) -> None:
        """Append to the ledger. An entry that is there already stays as it is."""
        self._unless_condition_fails("PutItem", self._append(decision)["Put"], timeout=timeout)

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
        contact_id: str,
        records: Mapping[Identifier, IdentifierRecord],
        *,
        source: str,
        assurance: Assurance,
    ) -> Iterator[dict[str, Any]]:
        """The writes that claim what is not claimed yet. Conditional: somebody else may claim it meanwhile."""
        now = self._now()
        claim = Claim(source, assurance, first_seen=now, last_confirmed=now)
        for identifier in sorted(identifiers, key=lambda each: each.key):
            record = records.get(identifier)
            claims = record.claims if record else {}
            if contact_id in claims:
                continue
            if claims and identifier.exclusive:
                raise AlreadyClaimedError(identifier, next(iter(claims)))
            if len(claims) < MAX_CLAIMS:
                yield self._claim(identifier, contact_id, claim)
            elif record and not record.overflowed:
                yield self._overflow(identifier)

    def _claim(self, identifier: Identifier, contact_id: str, claim: Claim) -> dict[str, Any]:
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
                        ":limit": 1 if identifier.exclusive else MAX_CLAIMS,
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
        self, identifiers: Iterable[Identifier], contact_id: str, records: Mapping[Identifier, IdentifierRecord]
    ) -> Iterator[dict[str, Any]]:
        for identifier in sorted(identifiers, key=lambda each: each.key):
            if identifier in records and contact_id in records[identifier].claims:
                yield {
                    "Update": {
                        **self._on(identifier, contact_id),
                        "UpdateExpression": "REMOVE #claim ADD claim_count :minus_one, version :one",
                        "ConditionExpression": "attribute_exists(#claim)",
                        "ExpressionAttributeValues": marshal_item({":one": 1, ":minus_one": -1}),
                    }
                }

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


def _next(read: Mapping[str, Contact], head: str) -> str:
    return read[head].merged_into or head if head in read else head
