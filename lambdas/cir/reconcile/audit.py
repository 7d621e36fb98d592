"""Genesys Cloud itself against the index: what agents have changed, which contacts are gone, which have appeared.

Only contacts that were modified after our own last write are looked at: 500,000 rows are read, few are understood.
Nothing is written here. What the CRM is master of is repaired by the comparison that follows.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any, Self

from cir.contacts.organization import Organization
from cir.contacts.reading import PROFILE_OF, contact_from_row, identifiers_from_genesys, profile_from_genesys
from cir.crm.mapping import CrmMapping
from cir.genesys.client import GenesysClient
from cir.genesys.errors import CursorExpiredError, GenesysError, NotFoundError
from cir.genesys.fields import EMAIL_SLOTS, IDENTIFIER_TARGETS, PHONE_SLOTS
from cir.genesys.models import Contact as GenesysContact
from cir.identity.identifiers import Identifier
from cir.identity.records import Contact
from cir.identity.rules import IdentifierType
from cir.index.store import IdentityStore
from cir.reconcile.held import Index
from cir.reconcile.run import Night, known, plain

PAGES_OF_A_PART = 25
"""Pages of a scan that are worked through before its cursor is kept: 5,000 contacts, a minute at the most."""
CURSOR = "reconcile#scan"
MOST_EXAMPLES = 100
MOST_ASKED_FOR = 500
"""Contacts that are asked for one by one since nothing has shown them: two minutes of requests. If there are more, it
is rather that the OAuth client may no longer see them."""
_LOOKED_AT_ONCE = 100


@dataclass(slots=True)
class Audit:
    """What Genesys Cloud shows that the index does not know."""

    by: str = "export"
    """Or `scan`."""
    contacts: int = 0
    examined: int = 0
    """Of them those that were modified after our last write."""
    drift: Counter[str] = field(default_factory=Counter)
    """What differs of what the CRM is master of → contacts."""
    foreign: Counter[str] = field(default_factory=Counter)
    """What differs of the rest, which is reported only → contacts."""
    deleted: int = 0
    """Customers whose contact is gone."""
    unseen: int = 0
    """Customers that were not shown, and of which nothing is known because there are too many to ask for."""
    appeared: int = 0
    """Contacts with an id of the CRM that the index does not know."""
    dirty: list[str] = field(default_factory=list)
    """Contacts to be written again."""
    examples: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, night: Night) -> Self | None:
        data = night.read("audit.json")
        if not data:
            return None
        return cls(**{**known(cls, data), "drift": Counter(data["drift"]), "foreign": Counter(data["foreign"])})


@dataclass(frozen=True, slots=True)
class Auditor:
    """Over one organization and its index. Every method may be called again after a crash."""

    client: GenesysClient
    store: IdentityStore
    organization: Organization
    mapping: CrmMapping

    def start(self, night: Night) -> str:
        """Have Genesys write an export of the CRM's customers; its id, or empty where it writes none."""
        known = night.read("export.json")
        if known:
            return str(known["id"])
        source_id = self.organization.source_ids[self.mapping.source]
        try:
            export = self.client.exports.create(filters={"eq": {"field": "ExternalSourceId", "value": source_id}}).id
        except GenesysError as error:
            if error.temporary:
                raise
            export = ""  # the division or the role has no exports: scan
        night.write("export.json", {"id": export})
        return export

    def is_ready(self, night: Night) -> bool:
        """Whether there is something to read; an export that has failed is given up for the scan."""
        export_id = self.start(night)
        if not export_id:
            return True
        status = self.client.exports.get(export_id).status
        if status == "FAILED":
            night.write("export.json", {"id": ""})
        return status != "RUNNING"

    def run(self, night: Night, index: Index, *, stopped: Callable[[], bool] = lambda: False) -> Audit | None:
        """Compare all of it; None when it was stopped half-way and is to be called again."""
        done = Audit.read(night)
        if done:
            return done
        held = {contact_id for _, contact_id in map(_entry, index.held.values())}
        export_id = self.start(night)
        if export_id:
            rows = self.client.exports.rows(self.client.exports.get(export_id))
            audit, seen = Audit(), set[str]()
            self._examine(map(contact_from_row, rows), index, held, audit, seen)
        else:
            if not self._scan(night, index, held, stopped):
                return None
            audit, seen = _joined(night)
        self._note_deleted(held - seen, audit)
        night.write("audit.json", plain(audit))
        return audit

    def _scan(self, night: Night, index: Index, held: set[str], stopped: Callable[[], bool]) -> bool:
        """All pages, a part at a time; goes on where an earlier call ended, unless that was more than a day ago."""
        state = night.state.get(CURSOR)
        cursor: str | None = None
        part = 0
        if state.get("run") == night.name:
            cursor, part = state["cursor"], state["part"]
            if state.get("finished"):
                return True
        try:
            for pages in batched(self.client.contacts.scan(cursor=cursor), PAGES_OF_A_PART):
                audit, seen = Audit(by="scan"), set[str]()
                self._examine((each for page in pages for each in page.contacts), index, held, audit, seen)
                night.write(f"audit/{part:06d}.json", {"audit": plain(audit), "seen": sorted(seen)})
                cursor, part = pages[-1].cursor, part + 1
                night.state.put(CURSOR, {"run": night.name, "cursor": cursor, "part": part, "finished": not cursor})
                if cursor and stopped():
                    return False
        except CursorExpiredError:
            night.state.put(CURSOR, {"run": night.name, "cursor": None, "part": 0})
            night.files.remove(night.files.list(night.key("audit/")))
            return False
        return True

    def _examine(
        self, contacts: Iterable[GenesysContact], index: Index, held: set[str], audit: Audit, seen: set[str]
    ) -> None:
        for some in batched(self._suspects(contacts, index, held, audit, seen), _LOOKED_AT_ONCE):
            stored = self.store.contacts([each["id"] for each in some], consistent=True)
            for each in some:
                self._compare(each, stored.get(each["id"]), audit)

    def _suspects(
        self, contacts: Iterable[GenesysContact], index: Index, held: set[str], audit: Audit, seen: set[str]
    ) -> Iterator[GenesysContact]:
        source_id = self.organization.source_ids[self.mapping.source]
        for contact in contacts:
            is_ours = any(each["externalSource"]["id"] == source_id for each in contact.get("externalIds") or ())
            if not is_ours and contact["id"] not in held:
                continue
            audit.contacts += 1
            seen.add(contact["id"])
            ours = index.modified.get(contact["id"], "")
            if contact["id"] not in held or not ours or contact.get("modifyDate", "") > ours:
                audit.examined += 1
                yield contact

    def _compare(self, contact: GenesysContact, stored: Contact | None, audit: Audit) -> None:
        if stored is None or stored.merged_into:
            audit.appeared += 1
            return
        fed, others = differences(contact, stored, self.mapping)
        has = set(identifiers_from_genesys(contact, self.organization.source_ids))
        # an export shows numbers without their extensions
        has |= {each for each in stored.identifiers if each.switchboard in has}
        lacking = [each for each in stored.identifiers if each not in has and _fits(has, each)]
        claims = self.store.identifiers(lacking, consistent=True) if lacking else {}
        # the CRM's number may be in the index alone where Genesys' own survives in its field
        kept = Counter(IDENTIFIER_TARGETS[target] for target in self.mapping.kept if target in IDENTIFIER_TARGETS)
        for each in lacking:
            if each.exclusive and each in claims and claims[each].first_owner not in stored.owners:
                continue  # two records have it, and Genesys leaves it on the contact that was first
            is_fed = self.mapping.source in stored.sources_of(each, claims)
            if is_fed and kept[each.type]:
                kept[each.type] -= 1
                is_fed = False
            (fed if is_fed else others).append(f"{_name(each)} removed")
        others += sorted({f"{_name(each)} added" for each in has - set(stored.identifiers)})
        audit.drift.update(fed)
        audit.foreign.update(others)
        if fed:
            audit.dirty.append(stored.contact_id)
        if (fed or others) and len(audit.examples) < MOST_EXAMPLES:
            audit.examples.append({"contactId": stored.contact_id, "fields": fed, "reportedOnly": others})

    def _note_deleted(self, unseen: set[str], audit: Audit) -> None:
        """Contacts that an export lacks may have been made since; those that Genesys does not have are gone."""
        asked = sorted(unseen)[:MOST_ASKED_FOR]
        audit.unseen = len(unseen) - len(asked)
        for some in batched(asked, _LOOKED_AT_ONCE):
            for contact_id, stored in self.store.contacts(some, consistent=True).items():
                if not stored.merged_into and self._is_gone(contact_id):
                    audit.deleted += 1
                    audit.dirty.append(contact_id)

    def _is_gone(self, contact_id: str) -> bool:
        try:
            return self.client.contacts.get(contact_id)["id"] != contact_id
        except NotFoundError:
            return True


def differences(contact: GenesysContact, stored: Contact, mapping: CrmMapping) -> tuple[list[str], list[str]]:
    """Fields of the routing profile that differ from the index: what the CRM is master of, and the rest."""
    shown, known = profile_from_genesys(contact), stored.profile
    differ = [target for target, (name, *_) in PROFILE_OF.items() if getattr(shown, name) != getattr(known, name)]
    if differ[:2] == ["firstName", "lastName"]:
        del differ[1]  # the index keeps the full name, in which a first name shows as well
    fed = [target for target in differ if target in mapping.mastered]
    return fed, [target for target in differ if target not in mapping.mastered]


def _fits(has: Iterable[Identifier], identifier: Identifier) -> bool:
    """Whether there is room for it, so that it is not for lack of a slot that the value is in the index alone."""
    slots = {IdentifierType.PHONE: len(PHONE_SLOTS), IdentifierType.EMAIL: len(EMAIL_SLOTS)}
    return sum(each.type is identifier.type for each in has) < slots.get(identifier.type, 10)


def _name(identifier: Identifier) -> str:
    return f"{identifier.source} id" if identifier.source else str(identifier.type)


def _entry(entry: str) -> Sequence[str]:
    fingerprint, _, contact_id = entry.partition(" ")
    return fingerprint, contact_id


def _joined(night: Night) -> tuple[Audit, set[str]]:
    """The parts of a scan as one."""
    total, seen = Audit(by="scan"), set[str]()
    for key in night.files.list(night.key("audit/")):
        data = json.loads(night.files.read(key))
        part = data["audit"]
        seen.update(data["seen"])
        for name in ("contacts", "examined", "appeared"):
            setattr(total, name, getattr(total, name) + part[name])
        total.drift.update(part["drift"])
        total.foreign.update(part["foreign"])
        total.dirty += part["dirty"]
        total.examples = [*total.examples, *part["examples"]][:MOST_EXAMPLES]
    return total, seen
