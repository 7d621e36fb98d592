"""What a batch of stream records says has changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cir.aws.dynamodb import unmarshal_item
from cir.identity.identifiers import Identifier, type_of_key
from cir.identity.records import Contact, IdentifierRecord


@dataclass(slots=True)
class Changes:
    """Versions below which cached entries are old, and identifiers that lead elsewhere though they are unchanged."""

    identifiers: dict[Identifier, int] = field(default_factory=dict)
    contacts: dict[str, int] = field(default_factory=dict)
    moved: set[Identifier] = field(default_factory=set)
    """Identifiers of contacts that appeared, disappeared, or were merged."""
    unknown_types: set[str] = field(default_factory=set)
    """Types of identifiers that only a newer release knows, which this cache holds nothing of."""


def read_changes(records: Iterable[Mapping[str, Any]]) -> Changes:
    """Both tables' records, told apart by their keys."""
    changes = Changes()
    for record in records:
        change = record["dynamodb"]
        old, new = (unmarshal_item(change.get(image) or {}) for image in ("OldImage", "NewImage"))
        if "identifier" in change["Keys"]:
            _identifier_changed(changes, old, new)
        else:
            _contact_changed(changes, old, new)
    return changes


def _identifier_changed(changes: Changes, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """What leaves the version as it is (a lookup request, a confirmation) leaves the cache as it is."""
    try:
        record = IdentifierRecord.from_item(new or old)
    except ValueError:
        changes.unknown_types.add(type_of_key((new or old)["identifier"]))
        return
    version = record.version if new else record.version + 1
    if not new or version != old.get("version", 0):
        changes.identifiers[record.identifier] = max(version, changes.identifiers.get(record.identifier, 0))


def _contact_changed(changes: Changes, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    before, after = (Contact.from_item(image) if image else None for image in (old, new))
    contact = after or before
    if contact is None:
        return
    changes.unknown_types |= set(map(type_of_key, contact.unread_identifiers))
    generation = contact.generation if after else contact.generation + 1
    changes.contacts[contact.contact_id] = max(generation, changes.contacts.get(contact.contact_id, 0))
    if not before or not after or before.merged_into != after.merged_into:
        changes.moved.update(contact.identifiers)
