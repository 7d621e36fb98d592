"""The one path by which a CRM record becomes an External Contact: resolve against the index, enrich, then the index.

It may die anywhere and be run again. A record is done when its contact is stored with the fingerprint of what Genesys
was given; until then the next run repeats it, and Genesys finds its own contact by the CRM id and changes nothing.
"""

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cir.crm import CrmRecord, Problem
from cir.external_contacts import Organization, profile_of, to_external_contact
from cir.genesys.client import GenesysClient
from cir.genesys.contacts import BULK_LIMIT
from cir.genesys.models import Contact as GenesysContact
from cir.genesys.models import ContactIdentifier, EnrichRequest, EnrichResult
from cir.identifiers import Identifier, to_genesys
from cir.records import Contact, IdentifierRecord
from cir.rules import Assurance
from cir.store import AlreadyClaimedError, IdentityStore, OutdatedError


class Change(StrEnum):
    """What became of a record."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Synced:
    """The result of one record."""

    record: CrmRecord
    change: Change
    contact_id: str = ""
    problems: tuple[Problem, ...] = ()
    """Why it was refused, or what was left out."""


@dataclass(frozen=True, slots=True)
class _Plan:
    record: CrmRecord
    stored: Contact | None
    external: tuple[Identifier, ...]
    """The ids that this contact may have: its own, and others that nobody else holds."""
    taken: tuple[Problem, ...]
    identifiers: tuple[Identifier, ...]
    """All that the contact shall have, what it has from elsewhere than this CRM included."""
    known: Mapping[Identifier, IdentifierRecord]
    body: GenesysContact
    fingerprint: str


@dataclass(slots=True)
class Sync:
    """Synchronises records of one CRM into one Genesys organization. Safe to use from several threads."""

    client: GenesysClient
    store: IdentityStore
    organization: Organization
    source: str
    _first_holder: dict[Identifier, Identifier] = field(default_factory=dict)
    """Ids of other systems seen in this run → the CRM id that had them first, where the index does not know yet."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def records(self, records: Sequence[CrmRecord]) -> list[Synced]:
        """Bring up to ten records of different ids to Genesys and the index, in one request to Genesys.

        Raises GenesysError when the whole request failed; a record that is refused is a result, not an exception.
        """
        if len(records) > BULK_LIMIT:
            raise ValueError(f"{len(records)} records in one batch; at most {BULK_LIMIT}")
        plans = self._plan(records)
        changed = [plan for plan in plans if not plan.stored or plan.stored.fingerprint != plan.fingerprint]
        results = self.client.contacts.enrich_many([self._request(plan) for plan in changed]) if changed else []
        done = {plan.record.id: self._index(plan, result) for plan, result in zip(changed, results, strict=True)}
        return [
            done.get(plan.record.id)
            or Synced(
                plan.record,
                Change.UNCHANGED,
                plan.stored.contact_id if plan.stored else "",
                (*plan.record.problems, *plan.taken),
            )
            for plan in plans
        ]

    def _plan(self, records: Sequence[CrmRecord]) -> list[_Plan]:
        known = self.store.identifiers({each for record in records for each in record.identifiers}, consistent=True)
        exclusive = {each for record in records for each in (record.id, *record.external)}
        owners = {owner for each in exclusive if each in known for owner in known[each].claims}
        heads, _ = self.store.canonical(owners, consistent=True) if owners else ({}, {})
        holders = {each: _holder(known.get(each), heads) for each in exclusive}
        had = {each for record in records if (contact := holders[record.id]) for each in contact.identifiers}
        known |= self.store.identifiers(had - known.keys(), consistent=True)
        return [self._plan_one(record, holders, known) for record in records]

    def _plan_one(
        self,
        record: CrmRecord,
        holders: Mapping[Identifier, Contact | None],
        known: Mapping[Identifier, IdentifierRecord],
    ) -> _Plan:
        stored = holders[record.id]
        external, taken = [record.id], []
        for each in record.external:
            holder = holders[each]
            mine = holder.contact_id == stored.contact_id if holder and stored else not holder
            if mine and self._is_first(each, record.id):
                external.append(each)
            else:
                taken.append(Problem(each.source, "already belongs to another contact: a duplicate?", each.masked))
        body = to_external_contact(record, external, self.organization)
        elsewhere = _not_from(self.source, stored, known) if stored else ()
        return _Plan(
            record=record,
            stored=stored,
            external=tuple(external),
            taken=tuple(taken),
            identifiers=tuple(dict.fromkeys((*external, *record.slots.values(), *elsewhere))),
            known=known,
            body=body,
            fingerprint=_fingerprint(body),
        )

    def _is_first(self, identifier: Identifier, crm_id: Identifier) -> bool:
        with self._lock:
            return self._first_holder.setdefault(identifier, crm_id) == crm_id

    def _request(self, plan: _Plan) -> EnrichRequest:
        """Matched only by ids of one person: a shared landline must not lead to somebody else's contact."""
        matching = [_matching(each, self.organization.source_ids) for each in plan.external]
        return {
            "id": plan.record.id.value,
            "action": "Upsert",
            "matchingIdentifiers": matching,
            "contact": plan.body,
            "options": {"promote": True},
        }

    def _index(self, plan: _Plan, result: EnrichResult) -> Synced:
        record = plan.record
        notes = (*record.problems, *plan.taken)
        if result.error or result.contact is None:
            return _refused(record, f"Genesys Cloud: {_error_text(result)}", notes)
        contact_id = result.contact["id"]
        before = plan.stored if plan.stored and plan.stored.contact_id == contact_id else Contact(contact_id)
        contact = before.changed(
            profile=profile_of(record, self.organization),
            identifiers=plan.identifiers,
            fingerprint=plan.fingerprint,
        )
        decision = self.store.decision(
            contact_id,
            "sync",
            f"the {self.source} record has changed" if plan.stored else f"a new {self.source} record",
            crm_id=record.id.value,
            identifiers=[each.key for each in plan.identifiers],
        )
        try:
            self.store.put_contact(
                contact,
                previous=before,
                decision=decision,
                source=self.source,
                assurance=Assurance.CLAIMED,
                known=plan.known,
            )
        except AlreadyClaimedError as error:
            return _refused(record, f"{error.identifier.type} already belongs to contact {error.owner}", notes)
        except OutdatedError:
            return _refused(record, "changed by somebody else at the same moment; run again", notes)
        return Synced(record, Change.CREATED if result.created else Change.UPDATED, contact_id, notes)


def _holder(record: IdentifierRecord | None, heads: Mapping[str, Contact]) -> Contact | None:
    owner = next(iter(record.claims), "") if record else ""
    return heads.get(owner)


def _not_from(source: str, contact: Contact, claims: Mapping[Identifier, IdentifierRecord]) -> tuple[Identifier, ...]:
    """Identifiers that somebody else than this CRM says the contact has: a conversation, another CRM."""
    return tuple(
        each
        for each in contact.identifiers
        if (claim := claims[each].claims.get(contact.contact_id) if each in claims else None) and claim.source != source
    )


def _matching(identifier: Identifier, source_ids: Mapping[str, str]) -> ContactIdentifier:
    body = to_genesys(identifier, source_ids)
    return {"type": body["type"], "value": body["value"], "externalSource": body["externalSource"]}


def _fingerprint(body: GenesysContact) -> str:
    """Of everything that Genesys is given, so that a new schema version or queue counts as a change too."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _refused(record: CrmRecord, reason: str, notes: tuple[Problem, ...]) -> Synced:
    return Synced(record, Change.REFUSED, problems=(Problem("record", reason), *notes))


def _error_text(result: EnrichResult) -> str:
    error = result.error
    if error is None:
        return "no contact came back"
    fields = f" ({', '.join(error.fields)})" if error.fields else ""
    return f"{error.code}: {error.message}{fields}"
