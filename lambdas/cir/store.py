"""The identity store: identifiers, contacts and the ledger in DynamoDB.

Every write is idempotent and may be repeated after a crash: a claim is conditional on not being there, a contact on the
generation it was read at. What a half-finished `put_contact` has written is found again and completed by the next one.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
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

    def claim(self, identifier: Identifier, contact_id: str, *, source: str, assurance: Assurance) -> bool:
        """Record that the identifier belongs to the contact. True when that was news.

        Repeating it confirms the claim. Raises AlreadyClaimedError for an exclusive identifier of another contact.
        """
        now = self._now()
        claim = Claim(source, assurance, first_seen=now, last_confirmed=now)
        condition = "attribute_not_exists(#claim) AND (attribute_not_exists(claim_count) OR claim_count < :limit)"
        update = {
            "TableName": self._tables.identifiers,
            "Key": {"identifier": marshal(identifier.key)},
            "UpdateExpression": (
                "SET #claim = :claim, #value = if_not_exists(#value, :value) "
                "REMOVE lookup_requested_at, expires_at ADD claim_count :one, version :one"
            ),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#claim": CLAIM_PREFIX + contact_id, "#value": "value"},
            "ExpressionAttributeValues": marshal_item(
                {
                    ":claim": claim.to_item(),
                    ":value": identifier.value,
                    ":one": 1,
                    ":limit": 1 if identifier.exclusive else MAX_CLAIMS,
                }
            ),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        existing = self._unless_condition_fails("UpdateItem", update)
        if existing is None:
            return True
        record = IdentifierRecord.from_item(existing)
        if contact_id in record.claims:
            self._confirm(identifier, contact_id, record.claims[contact_id], claim)
        elif identifier.exclusive:
            raise AlreadyClaimedError(identifier, next(iter(record.claims), ""))
        elif not record.overflowed:
            self._dynamodb(
                "UpdateItem",
                {
                    "TableName": self._tables.identifiers,
                    "Key": {"identifier": marshal(identifier.key)},
                    "UpdateExpression": "SET overflowed = :true ADD version :one",
                    "ExpressionAttributeValues": marshal_item({":true": True, ":one": 1}),
                },
            )
            return True
        return False

    def release(self, identifier: Identifier, contact_id: str) -> bool:
        """Withdraw the claim. True when there was one."""
        update = {
            "TableName": self._tables.identifiers,
            "Key": {"identifier": marshal(identifier.key)},
            "UpdateExpression": "REMOVE #claim ADD claim_count :minus_one, version :one",
            "ConditionExpression": "attribute_exists(#claim)",
            "ExpressionAttributeNames": {"#claim": CLAIM_PREFIX + contact_id},
            "ExpressionAttributeValues": marshal_item({":one": 1, ":minus_one": -1}),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return self._unless_condition_fails("UpdateItem", update) is None

    def put_contact(
        self,
        contact: Contact,
        *,
        previous: Contact | None = None,
        decision: Decision,
        source: str,
        assurance: Assurance,
    ) -> None:
        """Store the next generation of a contact: its claims first, then the record with its ledger entry.

        `contact.generation` is the new one (`Contact.changed`), `previous` the record it was made from, as read: what
        that has and the new one lacks is released. Raises AlreadyClaimedError, with nothing left written, when an
        exclusive identifier is taken, and OutdatedError when the record has changed since it was read.
        """
        self._claim_all(contact, source=source, assurance=assurance)
        for identifier in set(previous.identifiers if previous else ()) - set(contact.identifiers):
            self.release(identifier, contact.contact_id)
        self._transact([self._put_generation(contact), self._append(decision)])

    def merge(self, winner: Contact, losers: Sequence[Contact], *, decision: Decision) -> None:
        """Point the losers at the winner, in one transaction whose size does not depend on their identifiers.

        The contacts are passed as they were read; OutdatedError is raised when any has changed since.
        """
        tombstones = [loser.changed(merged_into=winner.contact_id) for loser in losers]
        head = winner.changed()
        self._transact([*(self._put_generation(each) for each in (head, *tombstones)), self._append(decision)])

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

    def _claim_all(self, contact: Contact, *, source: str, assurance: Assurance) -> None:
        """Exclusive identifiers first: when one is taken, only those of the contact itself have to be given back."""
        claimed: list[Identifier] = []
        for identifier in sorted(contact.identifiers, key=lambda each: not each.exclusive):
            try:
                if self.claim(identifier, contact.contact_id, source=source, assurance=assurance):
                    claimed.append(identifier)
            except AlreadyClaimedError:
                for each in claimed:
                    self.release(each, contact.contact_id)
                raise

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

    def _confirm(self, identifier: Identifier, contact_id: str, known: Claim, claim: Claim) -> None:
        self._dynamodb(
            "UpdateItem",
            {
                "TableName": self._tables.identifiers,
                "Key": {"identifier": marshal(identifier.key)},
                "UpdateExpression": "SET #claim.last_confirmed = :now, #claim.assurance = :assurance",
                "ConditionExpression": "attribute_exists(#claim)",
                "ExpressionAttributeNames": {"#claim": CLAIM_PREFIX + contact_id},
                "ExpressionAttributeValues": marshal_item(
                    {":now": claim.last_confirmed, ":assurance": max(known.assurance, claim.assurance)}
                ),
            },
        )

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
            if error.code == "TransactionCanceledException":
                raise OutdatedError("a contact was changed by somebody else meanwhile") from error
            raise

    def _unless_condition_fails(
        self, operation: str, request: Mapping[str, Any], *, timeout: float | None = None
    ) -> dict[str, Any] | None:
        """None when the write went through, otherwise the item that stood against it (empty where not returned)."""
        try:
            self._dynamodb(operation, request, timeout=timeout)
        except DynamoDBError as error:
            if error.code != "ConditionalCheckFailedException":
                raise
            return {name: unmarshal(value) for name, value in (error.response.get("Item") or {}).items()}
        return None


def _next(read: Mapping[str, Contact], head: str) -> str:
    return read[head].merged_into or head if head in read else head
