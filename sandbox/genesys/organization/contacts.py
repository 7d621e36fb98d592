"""The store of contacts: records, identifier claims, merge trees, and indexes for every look-up."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from . import errors
from .clock import DAY, Clock
from .errors import JSON
from .identifiers import EMAIL_SLOTS, PHONE_SLOTS, Key, keys_in

ContactType = Literal["Ephemeral", "Identified", "Curated"]

UNKNOWN_LIFETIME = 60 * DAY  # of ephemeral and identified contacts, from their last interaction


@dataclass(slots=True, eq=False)
class Record:
    """One contact. `fields` are the writable ones, under their wire names and in stored form; no change in place."""

    id: str
    division: str
    type: ContactType
    fields: JSON
    created: float
    modified: float
    revision: int  # orders changes within one millisecond
    last_seen: float  # last interaction
    claims: dict[Key, float] = field(default_factory=dict)  # claimed identifiers and since when
    merged_from: tuple[str, ...] = ()
    merged_to: str | None = None
    merge_set: tuple[str, ...] = ()  # kept on the canonical record: everything in its tree, itself included
    merge_operation: tuple[str, str, str] | None = None  # source, target and result of the deprecated two-contact merge
    text: str = ""  # what keyword search looks at


class ContactStore:
    """The contacts of one organization. `changed` hears of every record that was written, merged away or deleted."""

    def __init__(self, *, clock: Clock, new_id: Callable[[], str], changed: Callable[[Record], None]) -> None:
        self.clock = clock
        self.new_id = new_id
        self.changed = changed
        self.order: list[str] = []  # ids by creation; a scan cursor is a position in it
        self._records: dict[str, Record] = {}
        self._holders: dict[Key, tuple[str, ...]] = {}  # canonical contacts with the value in a field
        self._claimants: defaultdict[str, dict[Key, str]] = defaultdict(dict)  # by division
        self._revisions = count(1)

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Record]:
        """The canonical contacts, oldest first."""
        return (record for record in self._records.values() if not record.merged_to)

    # Reading

    def stored(self, contact_id: str) -> Record | None:
        """The record with exactly this id, be it canonical or an ancestor."""
        return self._records.get(contact_id)

    def unresolved(self, contact_id: str) -> Record:
        record = self._records.get(contact_id)
        if record is None:
            raise errors.contact_not_found(contact_id)
        return record

    def canonical(self, contact_id: str) -> Record:
        """The head of the contact's merge tree, which is the contact itself if it was never merged."""
        return self.head(self.unresolved(contact_id))

    def head(self, record: Record) -> Record:
        while record.merged_to:
            record = self._records[record.merged_to]
        return record

    def claimant(self, key: Key, divisions: Iterable[str]) -> Record | None:
        for division in divisions:
            if contact_id := self._claimants[division].get(key):
                return self._records[contact_id]
        return None

    def holders(self, key: Key) -> list[Record]:
        """Canonical contacts that carry the value in a field, claimed or not."""
        return [self._records[contact_id] for contact_id in self._holders.get(key, ())]

    def shared_keys(self) -> Iterator[tuple[Key, tuple[str, ...]]]:
        """Identifiers that more than one canonical contact carries."""
        return ((key, ids) for key, ids in self._holders.items() if len(ids) > 1)

    # Writing

    def insert(self, fields: JSON, *, division: str, kind: ContactType) -> Record:
        now = self.clock.now()
        record = Record(
            id=self.new_id(),
            division=division,
            type=kind,
            fields=fields,
            created=now,
            modified=now,
            revision=next(self._revisions),
            last_seen=now,
            text=_search_text(fields),
        )
        self._add(record)
        for key in keys_in(fields):
            self._hold(record, key)
            self._claim_if_free(record, key)
        self.changed(record)
        return record

    def update(self, record: Record, fields: JSON, *, kind: ContactType | None = None) -> None:
        """Write new fields. Identifiers that leave them are released, those that enter claimed if they are free."""
        before, after = dict.fromkeys(keys_in(record.fields)), dict.fromkeys(keys_in(fields))
        for key in before:
            if key not in after:
                self._unhold(record, key)
                self._unclaim(record, key)
        record.fields = fields
        record.text = _search_text(fields)
        record.type = kind or record.type
        for key in after:
            if key not in before:
                self._hold(record, key)
                self._claim_if_free(record, key)
        self._touch(record)
        self.changed(record)

    def claim(self, record: Record, key: Key, fields: JSON) -> None:
        """Claim an identifier, which must be free in the contact's division, and write the fields that now carry it."""
        self._claimants[record.division][key] = record.id
        record.claims[key] = self.clock.now()
        self.update(record, fields)

    def release(self, record: Record, key: Key, fields: JSON) -> None:
        self._unclaim(record, key)
        self.update(record, fields)

    def promote(self, record: Record) -> None:
        record.type = "Curated"
        self._touch(record)
        self.changed(record)

    def seen(self, record: Record) -> None:
        """An interaction renews the lifetime of a contact that is not curated."""
        record.last_seen = self.clock.now()

    def delete(self, record: Record) -> None:
        """Delete a canonical contact with its whole merge tree."""
        for key in list(record.claims):
            self._unclaim(record, key)
        for key in keys_in(record.fields):
            self._unhold(record, key)
        for contact_id in record.merge_set or (record.id,):
            gone = self._records.pop(contact_id)
            gone.modified = self.clock.now()
            self.changed(gone)

    def merge(self, inputs: Sequence[Record], fields: JSON, *, promote: bool = False, two_way: bool = False) -> Record:
        """Put canonical contacts of one division into a new one, which takes over everything they claimed."""
        now = self.clock.now()
        first = inputs[0]
        tree = tuple(member for record in inputs for member in record.merge_set or (record.id,))
        merged = Record(
            id=self.new_id(),
            division=first.division,
            type="Curated" if promote or any(record.type == "Curated" for record in inputs) else "Identified",
            fields=fields,
            created=now,
            modified=now,
            revision=next(self._revisions),
            last_seen=now,
            merged_from=tuple(record.id for record in inputs),
            text=_search_text(fields),
        )
        merged.merge_set = (merged.id, *tree)
        if two_way:
            source, target = inputs
            merged.merge_operation = source.merge_operation = target.merge_operation = (source.id, target.id, merged.id)
        self._add(merged)
        for record in inputs:
            for key in keys_in(record.fields):
                self._unhold(record, key)
            for key, since in record.claims.items():
                merged.claims[key] = since
                self._claimants[record.division][key] = merged.id
            record.claims = {}
            record.merged_to = merged.id
            record.merge_set = ()
            record.text = ""
            self._touch(record)
        for key in keys_in(fields):
            self._hold(merged, key)
            self._claim_if_free(merged, key)
        self.changed(merged)
        for record in inputs:
            self.changed(record)
        return merged

    def expire(self) -> int:
        """Delete ephemeral and identified contacts whose lifetime is over; merged and curated ones do not end."""
        limit = self.clock.now() - UNKNOWN_LIFETIME
        gone = [r for r in self if r.type != "Curated" and not r.merge_set and r.last_seen < limit]
        for record in gone:
            self.delete(record)
        return len(gone)

    # Indexes

    def _add(self, record: Record) -> None:
        self._records[record.id] = record
        self.order.append(record.id)

    def _touch(self, record: Record) -> None:
        record.modified = self.clock.now()
        record.revision = next(self._revisions)

    def _hold(self, record: Record, key: Key) -> None:
        holders = self._holders.get(key, ())
        if record.id not in holders:
            self._holders[key] = (*holders, record.id)

    def _unhold(self, record: Record, key: Key) -> None:
        if holders := tuple(holder for holder in self._holders.get(key, ()) if holder != record.id):
            self._holders[key] = holders
        else:
            self._holders.pop(key, None)

    def _claim_if_free(self, record: Record, key: Key) -> None:
        if self._claimants[record.division].setdefault(key, record.id) == record.id:
            record.claims.setdefault(key, self.clock.now())

    def _unclaim(self, record: Record, key: Key) -> None:
        if record.claims.pop(key, None) is not None:
            del self._claimants[record.division][key]


def _search_text(fields: JSON) -> str:
    """The words of a contact, each after a blank, so that ` word` finds the start of any of them."""
    words = [fields[name] for name in ("firstName", "middleName", "lastName", "title") if name in fields]
    words += [fields[slot] for slot in EMAIL_SLOTS if slot in fields]
    for slot in PHONE_SLOTS:
        if (phone := fields.get(slot)) and (e164 := phone.get("e164")):
            words += [e164, e164[1:], "".join(filter(str.isdecimal, phone["userInput"]))]
    return " " + " ".join(words).lower()
