"""What Genesys Cloud was given, as the contacts table tells: by CRM id the contact and its fingerprint, all in memory.

500,000 customers take about 200 MB. Everything else that a contact has is read only of those that differ.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from cir.aws.dynamodb import DynamoDB, DynamoDBError
from cir.contacts.reading import PROFILE_OF
from cir.identity.rules import IdentifierType

PROFILE_COLUMNS = {target: name for target, (name, *_) in PROFILE_OF.items() if target != "lastName"}
"""Mapping target → attribute of the profile, of those that have one of their own."""

_SCAN = {
    "ProjectionExpression": "contact_id, merged_into, identifiers, fingerprint, genesys_modified, #profile",
    "ExpressionAttributeNames": {"#profile": "profile"},
}


@dataclass(slots=True)
class Index:
    """The canonical contacts that have an id of one CRM."""

    held: dict[str, str] = field(default_factory=dict)
    """Match key of the CRM id → fingerprint and contact id, with a space between."""
    modified: dict[str, str] = field(default_factory=dict)
    """Contact → when Genesys says that we changed it; of those that were changed after `since`."""
    shared: set[str] = field(default_factory=set)
    """Contacts with more than one id of the CRM."""
    filled: Counter[str] = field(default_factory=Counter)
    """Mapping target → contacts that have a value."""

    @classmethod
    def of(cls, items: Iterable[Mapping[str, Any]], *, source: str, since: str) -> Self:
        """From items as DynamoDB sends them; unmarshalling them whole would take four times as long."""
        index = cls()
        prefix = f"{IdentifierType.EXTERNAL}#{source}#"
        for item in items:
            if item.get("merged_into", {}).get("S"):
                continue
            matches = [key[len(prefix) :] for key in item.get("identifiers", {}).get("M", ()) if key.startswith(prefix)]
            if matches:
                index._add(item, matches, since)
        return index

    def _add(self, item: Mapping[str, Any], matches: list[str], since: str) -> None:
        contact_id = item["contact_id"]["S"]
        entry = f"{item.get('fingerprint', {}).get('S', '')} {contact_id}"
        for match in matches:
            self.held[match] = entry
        if len(matches) > 1:
            self.shared.add(contact_id)
        modified = item.get("genesys_modified", {}).get("S", "")
        if modified >= since:
            self.modified[contact_id] = modified
        profile = item.get("profile", {}).get("M", {})
        for target, name in PROFILE_COLUMNS.items():
            if profile.get(name, {}).get("S"):
                self.filled[target] += 1

    def entry(self, match: str) -> tuple[str, str]:
        """Fingerprint and contact id; empty where the id is unknown."""
        fingerprint, _, contact_id = self.held.get(match, "").partition(" ")
        return fingerprint, contact_id


def scan(dynamodb: DynamoDB, table: str, *, attempts: int = 5) -> Iterator[dict[str, Any]]:
    """All items of the contacts table, as far as the index needs them."""
    request: dict[str, Any] = {"TableName": table, **_SCAN}
    while True:
        for attempt in range(attempts):
            try:
                page = dynamodb("Scan", request, timeout=30)
                break
            except DynamoDBError as error:
                if not error.retryable or attempt == attempts - 1:
                    raise
                time.sleep(2**attempt / 4)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
