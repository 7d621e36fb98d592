"""What Genesys Cloud should hold of a CRM record."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cir.contacts.organization import Organization
from cir.contacts.writing import to_external_contact
from cir.crm.mapping import CrmMapping
from cir.crm.record import CrmRecord, Problem
from cir.genesys.models import Contact as GenesysContact
from cir.identity.identifiers import Identifier, mask
from cir.identity.records import Contact, IdentifierRecord
from cir.index.store import IdentityStore


@dataclass(frozen=True, slots=True)
class Draft:
    """What Genesys should hold of a record."""

    record: CrmRecord
    stored: Contact | None
    external: tuple[Identifier, ...]
    """The ids that this contact may have: the record's own, and others that no other contact holds."""
    contested: tuple[Identifier, ...]
    """Ids of the record that another contact had first. Genesys leaves them there; here they lead to both, and so to
    nobody by themselves."""
    body: GenesysContact
    fingerprint: str

    @property
    def is_new(self) -> bool:
        """Whether Genesys was not given this yet, or the index does not know that it was."""
        return not self.stored or self.stored.fingerprint != self.fingerprint

    @property
    def notes(self) -> tuple[Problem, ...]:
        """What is left out of the contact."""
        reason = "another contact has it too, so it identifies neither: a duplicate?"
        return (*self.record.problems, *(Problem(each.source, reason, mask(each.value)) for each in self.contested))


def drafts_of(
    records: Sequence[CrmRecord], *, store: IdentityStore, organization: Organization, mapping: CrmMapping
) -> list[Draft]:
    """The draft of each record. Nothing is written; of the index the ids are read, and the contacts that have them.

    Raises DynamoDBError.
    """
    ids = {each for record in records for each in (record.id, *record.external)}
    known = store.identifiers(ids, consistent=True)
    owners = {owner for record in known.values() for owner in record.claims}
    heads, _ = store.canonical(owners, consistent=True) if owners else ({}, {})
    holders = {each: _holder(known.get(each), heads) for each in ids}
    first = {each: record.id for record in reversed(records) for each in record.external}
    drafts: list[Draft] = []
    for record in records:
        external, contested = _divided(record, holders, first)
        body, stored = to_external_contact(record, external, organization), holders[record.id]
        drafts.append(
            Draft(record, stored, external, contested, body, _fingerprint(stored, body, mapping.kept, contested))
        )
    return drafts


def _fingerprint(
    stored: Contact | None, body: GenesysContact, kept: Collection[str], contested: Sequence[Identifier]
) -> str:
    """That of the body; or the stored one, where it is what an earlier release has given the same body."""
    shall, has = fingerprint(body, kept, contested), stored.fingerprint if stored else ""
    return has if has and has != shall and has in with_version(body, kept, contested) else shall


def _holder(record: IdentifierRecord | None, heads: Mapping[str, Contact]) -> Contact | None:
    return heads.get(record.first_owner) if record else None


def _divided(
    record: CrmRecord, holders: Mapping[Identifier, Contact | None], first: Mapping[Identifier, Identifier]
) -> tuple[tuple[Identifier, ...], tuple[Identifier, ...]]:
    """The ids that the record's contact may have, its own first, and those that another one had first.

    `first`: id of another system → id of the first of the records that has it.
    """
    stored = holders[record.id]
    external: list[Identifier] = [record.id]
    contested: list[Identifier] = []
    for each in record.external:
        holder = holders[each]
        mine = holder.contact_id == stored.contact_id if holder and stored else False
        free = not holder and first[each] == record.id
        (external if mine or free else contested).append(each)
    return tuple(external), tuple(contested)


def fingerprint(body: GenesysContact, kept: Collection[str] = (), contested: Iterable[Identifier] = ()) -> str:
    """A digest of all that Genesys is given of a person: another queue counts as a change too.

    The version of the schema does not: it is another one as soon as somebody adds a field of their own to it. `kept`
    are the targets on which Genesys' value survives: other rules may lead to another contact. `contested` are ids that
    it is not given, but that lead to the contact too.
    """
    return _digest({**body, "schema": {"id": body["schema"]["id"]}}, kept, contested)


def with_version(
    body: GenesysContact, kept: Collection[str] = (), contested: Iterable[Identifier] = ()
) -> Iterator[str]:
    """The fingerprints that an earlier release has given the same, under any version of the schema up to this one."""
    contested, schema = tuple(contested), body["schema"]
    for version in range(schema["version"], 0, -1):
        yield _digest({**body, "schema": {**schema, "version": version}}, kept, contested)


def _digest(body: Mapping[str, Any], kept: Collection[str], contested: Iterable[Identifier]) -> str:
    rest = [part for part in (sorted(kept), sorted(each.key for each in contested)) if part]
    text = json.dumps([body, *rest] if rest else body, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
