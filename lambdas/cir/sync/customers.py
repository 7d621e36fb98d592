"""The one path by which a CRM record becomes an External Contact: resolve against the index, enrich, then the index.

It may die anywhere and be run again. A record is done when its contact is stored with the fingerprint of what Genesys
was given; until then the next run repeats it, and Genesys finds its own contact by the CRM id and changes nothing.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cir.contacts.detaching import detach_older
from cir.contacts.organization import Organization
from cir.contacts.reading import profile_from_genesys
from cir.contacts.writing import corrections, kept_identifiers, profile_of, surviving, survivorship
from cir.crm.mapping import CrmMapping
from cir.crm.record import CrmRecord, Problem
from cir.genesys.client import GenesysClient
from cir.genesys.contacts import BULK_LIMIT
from cir.genesys.errors import GenesysError, InvalidRequestError, NotFoundError
from cir.genesys.identifiers import forms_in_genesys
from cir.genesys.models import Contact as GenesysContact
from cir.genesys.models import EnrichError, EnrichRequest, EnrichResult, FieldRules, merged_ids
from cir.identity.identifiers import Identifier
from cir.identity.records import Contact, IdentifierRecord, timestamp
from cir.identity.rules import Assurance
from cir.index.again import OutdatedError, attempts
from cir.index.review import candidate
from cir.index.store import AlreadyClaimedError, IdentityStore
from cir.index.tombstones import follow_merge
from cir.sync.deletion import Deletion, Fate
from cir.sync.drafts import Draft, drafts_of
from cir.sync.rewriting import hand_over

PAUSE_SECONDS = 0.2
"""The longest pause before a record is sent a second time: Genesys, which may have asked for it, needs some time."""
_MANY = 5
"""Records of which not all are bad by chance."""
_MEANWHILE = "changed by somebody else at the same moment; run again"


class Change(StrEnum):
    """What bringing a record to Genesys and the index has changed."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    WITHDRAWN = "withdrawn"
    """The customer has opted out, or the record is not active: what the mapping says of that was done, if there was a
    contact at all."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Synced:
    """The result of one record."""

    record: CrmRecord
    change: Change
    contact_id: str = ""
    problems: tuple[Problem, ...] = ()
    """Why it was refused, or what was left out."""
    temporary: bool = False
    """Refused only for the moment: others were changing it, or Genesys wants it to be sent again."""


class Loader(Protocol):
    """Brings up to ten records to where they belong; Sync is one. Called by several threads."""

    def records(self, records: Sequence[CrmRecord], /) -> list[Synced]: ...


class _UnplaceableError(Exception):
    """The record cannot be brought to the index. The text says why, free of personal data."""


@dataclass(slots=True)
class Sync:
    """Synchronises records of one CRM into one Genesys organization. Safe to use from several threads."""

    client: GenesysClient
    store: IdentityStore
    organization: Organization
    mapping: CrmMapping
    sleep: Callable[[float], None] = time.sleep

    def records(self, records: Sequence[CrmRecord]) -> list[Synced]:
        """Bring up to ten records of different ids to Genesys and the index, in one request to Genesys.

        Raises GenesysError when the whole request failed and DynamoDBError; a record that is refused is a result, not
        an exception.
        """
        if len(records) > BULK_LIMIT:
            raise ValueError(f"{len(records)} records in one batch; at most {BULK_LIMIT}")
        created: set[Identifier] = set()
        return self._repeated(records, lambda pending: self._write(pending, created))

    def adopt(self, records: Sequence[CrmRecord], contacts: Mapping[Identifier, GenesysContact]) -> list[Synced]:
        """Bring records to the index that Genesys has been given in another way; it is not written to.

        `contacts` says which contact each record has become: its `id`, and the `modifyDate` of the contact that shows
        no more than the record. A record that is not among them is refused.
        """
        return self._repeated(records, lambda pending: self._adopt(pending, contacts))

    def _repeated(
        self, records: Sequence[CrmRecord], sync: Callable[[Sequence[CrmRecord]], Iterable[Synced]]
    ) -> list[Synced]:
        """The result of each record; those that may succeed another time are given to `sync` again.

        Of customers who have opted out, and of records that are not active, nothing is written.
        """
        done = {record.id: self._withdraw(record) for record in records if record.withdrawal}
        pending = [record for record in records if record.id not in done]
        for _ in attempts(pause=PAUSE_SECONDS, sleep=self.sleep):
            done |= {synced.record.id: synced for synced in sync(pending)}
            pending = [record for record in pending if done[record.id].temporary]
            if not pending:
                break
        return [done[record.id] for record in records]

    def _withdraw(self, record: CrmRecord) -> Synced:
        deletion = Deletion(self.client, self.store, self.organization, self.mapping.on_delete)
        try:
            fate, contact_id = deletion.follow(record.id, because=record.withdrawal)
        except OutdatedError:
            return Synced(record, Change.REFUSED, problems=(Problem("record", _MEANWHILE),))
        except GenesysError as error:
            if error.temporary:
                raise
            return Synced(record, Change.REFUSED, problems=(Problem("record", str(error)),))
        return Synced(record, Change.UNCHANGED if fate is Fate.KEPT else Change.WITHDRAWN, contact_id)

    def _adopt(self, records: Sequence[CrmRecord], contacts: Mapping[Identifier, GenesysContact]) -> Iterator[Synced]:
        drafts = self._drafts(records)
        known = self._known(drafts)
        for draft in drafts:
            yield self._adopted(draft, contacts.get(draft.record.id), known)

    def _adopted(
        self, draft: Draft, contact: GenesysContact | None, known: Mapping[Identifier, IdentifierRecord]
    ) -> Synced:
        stored = draft.stored
        if contact is None:
            return _refused(draft, "Genesys Cloud has no contact with its id")
        if (
            stored
            and stored.contact_id == contact["id"]
            and stored.profile == profile_of(draft.record, self.organization)
            and {*draft.external, *draft.contested, *draft.record.contact_points} <= set(stored.identifiers)
        ):
            return Synced(draft.record, Change.UNCHANGED, stored.contact_id, draft.notes)
        result = EnrichResult(draft.record.id.value, contact=contact)
        return self._complete(draft, result, known, created=stored is None, written=False)

    def _write(self, records: Sequence[CrmRecord], created: set[Identifier]) -> Iterator[Synced]:
        """Give Genesys what it has not been given yet. `created`: the new contacts of this and earlier attempts."""
        drafts = self._drafts(records)
        changed = [draft for draft in drafts if draft.is_new]
        requests = [_request(draft, self.organization, survivorship(self.mapping)) for draft in changed]
        results = self._enrich(requests) if requests else []
        created |= {draft.record.id for draft, result in zip(changed, results, strict=True) if result.created}
        known = self._known(changed)
        for draft in drafts:
            if draft.stored and not draft.is_new:
                yield Synced(draft.record, Change.UNCHANGED, draft.stored.contact_id, draft.notes)
        for draft, result in zip(changed, results, strict=True):
            yield self._complete(draft, result, known, created=draft.record.id in created)

    def _enrich(self, requests: Sequence[EnrichRequest]) -> list[EnrichResult]:
        """The result of each. A request that is refused whole is divided until the record it is about stands alone.

        Raises the refusal where none of many records can be written: it is not about any of them then.
        """
        try:
            return self.client.contacts.enrich_many(requests)
        except InvalidRequestError as error:
            refusal = error
        if len(requests) == 1:
            return [_refusal(requests[0], refusal)]
        middle = len(requests) // 2
        results = [*self._enrich(requests[:middle]), *self._enrich(requests[middle:])]
        if len(requests) >= _MANY and all(each.error and each.error.code == refusal.code for each in results):
            raise refusal
        return results

    def _drafts(self, records: Sequence[CrmRecord]) -> list[Draft]:
        return drafts_of(records, store=self.store, organization=self.organization, mapping=self.mapping)

    def _known(self, drafts: Sequence[Draft]) -> Mapping[Identifier, IdentifierRecord]:
        """The records of all identifiers that the contacts have or shall have."""
        shall_have = {each for draft in drafts for each in draft.record.identifiers}
        have = {each for draft in drafts if draft.stored for each in draft.stored.identifiers}
        return self.store.identifiers(shall_have | have, consistent=True)

    def _complete(
        self,
        draft: Draft,
        result: EnrichResult,
        known: Mapping[Identifier, IdentifierRecord],
        *,
        created: bool,
        written: bool = True,
    ) -> Synced:
        """Bring what Genesys has taken to the index."""
        if result.error or result.contact is None:
            temporary = bool(result.error and result.error.retryable)
            return _refused(draft, f"Genesys Cloud: {_error_text(result)}", temporary=temporary)
        try:
            contact_id = self._index(draft, result.contact, known, new=result.created, written=written)
            return Synced(draft.record, Change.CREATED if created else Change.UPDATED, contact_id, draft.notes)
        except _UnplaceableError as error:
            return _refused(draft, str(error))
        except AlreadyClaimedError as error:
            return _refused(draft, f"its {error.identifier.type} id already belongs to another contact", temporary=True)
        except OutdatedError:
            return _refused(draft, _MEANWHILE, temporary=True)
        except GenesysError as error:
            return _refused(draft, str(error), temporary=error.temporary)

    def _index(
        self,
        draft: Draft,
        found: GenesysContact,
        known: Mapping[Identifier, IdentifierRecord],
        *,
        new: bool,
        written: bool,
    ) -> str:
        """Store the contact as Genesys has it, whose id is returned.

        `new`: it was made just now. Unless it was `written` by us, what Genesys holds is not known, and the next sync
        is to write it.
        """
        record, source = draft.record, self.mapping.source
        before = self._continued(draft, found, new=new)
        unread = set(before.identifiers) - (set(draft.stored.identifiers) if draft.stored else set())
        known = {**known, **self.store.identifiers(unread, consistent=True)}
        known |= self._without_former(set(record.contact_points) - set(before.identifiers), known, found["id"])
        said = dict.fromkeys((*draft.external, *draft.contested, *record.contact_points))
        survive = kept_identifiers(found, self.mapping.kept, self.organization.source_ids)
        kept = dict.fromkeys((*_not_from(record, before, known), *(x for x in survive if x in before.identifiers)))
        identifiers = tuple(dict.fromkeys((*said, *kept)))
        withdrawn = set(before.identifiers) - set(identifiers)
        changes = written and corrections(
            found,
            draft.body,
            mapping=self.mapping,
            slots=record.slots,
            unwanted=withdrawn | set(draft.contested),
            kept=kept,
            organization=self.organization,
        )
        shown = self.client.contacts.patch(found["id"], changes) if changes else found
        decision = self.store.decision(
            before.contact_id,
            "sync",
            f"the {source} record has changed" if draft.stored else f"a new {source} record",
            crm_id=record.id.value,
            claimed=_keys(set(identifiers) - set(before.identifiers)),
            released=_keys(withdrawn),
        )
        profile = profile_of(record, self.organization)
        self.store.put_contact(
            before.changed(
                profile=surviving(profile, profile_from_genesys(shown), self.mapping.kept) if written else profile,
                identifiers=identifiers,
                fingerprint=draft.fingerprint if written else "",
                genesys_modified=shown.get("modifyDate", ""),
            ),
            previous=before,
            decision=decision,
            source=source,
            assurance=Assurance.CLAIMED,
            known=known,
            contested=draft.contested,
            said={*said, *_not_withdrawn_by(record, before, known)},
        )
        self._propose(before.contact_id, draft.contested)
        hand_over(self.store, withdrawn)
        return before.contact_id

    def _propose(self, contact_id: str, contested: Sequence[Identifier]) -> None:
        """Whoever has an id of one person in common with another contact may be the same, which a person decides."""
        for each, record in self.store.identifiers(contested, consistent=True).items() if contested else ():
            heads, _ = self.store.canonical(record.claims, consistent=True)
            owners = {contact.contact_id for contact in heads.values()}
            if len(owners) > 1:
                because = f"both have one {each.source} id in the CRM"
                self.store.record(candidate(self.store, owners | {contact_id}, because, identifier=each.key))

    def _without_former(
        self, new: Iterable[Identifier], known: Mapping[Identifier, IdentifierRecord], contact_id: str
    ) -> dict[Identifier, IdentifierRecord]:
        """The records of those numbers that had to be taken off contacts who had them long ago."""
        records = [known[each] for each in new if each in known]
        detached = detach_older(self.client, self.store, records, than=timestamp(), now_of=contact_id)
        return self.store.identifiers(detached, consistent=True) if detached else {}

    def _continued(self, draft: Draft, found: GenesysContact, *, new: bool) -> Contact:
        """The contact of the index that the one in Genesys continues; a new one where it knows none."""
        contact_id, stored = found["id"], draft.stored
        if stored and stored.contact_id == contact_id:
            return stored
        if new and not stored:
            return Contact(contact_id)
        heads, _ = self.store.canonical([contact_id], consistent=True)
        head = heads.get(contact_id)
        if stored is None:
            return head or Contact(contact_id)
        if head and head.contact_id == stored.contact_id:
            return stored
        if self._head_in_genesys(stored.contact_id) not in {None, contact_id}:
            raise _UnplaceableError(
                f"its id is on contact {contact_id} in Genesys Cloud but on {stored.contact_id} in the index: "
                "take it off one of them"
            )
        members = [stored.contact_id, *merged_ids(found)]
        return follow_merge(self.store, contact_id, members) or Contact(contact_id)

    def _head_in_genesys(self, contact_id: str) -> str | None:
        """The contact that this one is or was merged into; None when it was deleted."""
        try:
            return self.client.contacts.get(contact_id)["id"]
        except NotFoundError:
            return None


def _refusal(request: EnrichRequest, error: InvalidRequestError) -> EnrichResult:
    refused = EnrichError(error.status or 0, error.code, error.message, retryable=False, fields=error.fields)
    return EnrichResult(request["id"], error=refused)


def _request(draft: Draft, organization: Organization, rules: FieldRules) -> EnrichRequest:
    """The request that writes a draft. Genesys finds the contact by the CRM's own id, and by nothing else.

    A landline that several people share could lead to another customer's contact, and so could an id of another system
    that Genesys has on one person and the CRM on another. What enrich overwrites there cannot be brought back.
    """
    return {
        "id": draft.record.id.value,
        "action": "Upsert",
        "matchingIdentifiers": forms_in_genesys(draft.record.id, organization.source_ids),
        "contact": draft.body,
        "fieldRules": rules,
        "options": {"promote": True},
    }


def _not_from(
    record: CrmRecord, contact: Contact, known: Mapping[Identifier, IdentifierRecord]
) -> tuple[Identifier, ...]:
    """Identifiers of the contact that do not come from this record, but from a conversation, Genesys or another record.

    A claim names the CRM and not the record. So all are kept where the contact was made of two records of the CRM.
    """
    if _has_another_record(record, contact):
        return contact.identifiers
    return tuple(each for each in contact.identifiers if contact.sources_of(each, known) - {record.id.source})


def _not_withdrawn_by(
    record: CrmRecord, contact: Contact, known: Mapping[Identifier, IdentifierRecord]
) -> tuple[Identifier, ...]:
    """What the CRM says of the contact although this record does not, since another record of it may."""
    if not _has_another_record(record, contact):
        return ()
    return tuple(each for each in contact.identifiers if record.id.source in contact.sources_of(each, known))


def _has_another_record(record: CrmRecord, contact: Contact) -> bool:
    return any(each.source == record.id.source and each != record.id for each in contact.identifiers)


def _keys(identifiers: Iterable[Identifier]) -> list[str]:
    return sorted(each.key for each in identifiers)


def _refused(draft: Draft, reason: str, *, temporary: bool = False) -> Synced:
    return Synced(draft.record, Change.REFUSED, problems=(Problem("record", reason), *draft.notes), temporary=temporary)


def _error_text(result: EnrichResult) -> str:
    error = result.error
    if error is None:
        return "no contact came back"
    fields = f" ({', '.join(error.fields)})" if error.fields else ""
    return f"{error.code}: {error.message}{fields}"
