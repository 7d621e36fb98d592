"""Tombstones: following merges that happened in Genesys, and shortening the paths that lead over tombstones.

A shortened identifier names the canonical contact itself. Nothing depends on it, since readers follow tombstones; it
saves them the second read. It is idempotent, and each identifier is a write of its own, so that a contact with many of
them needs no large transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cir.identity.identifiers import Identifier
from cir.identity.records import Claim, Contact, IdentifierRecord
from cir.index.again import OutdatedError, attempts
from cir.index.store import IdentityStore


def shorten(store: IdentityStore, contact_ids: Iterable[str]) -> int:
    """Re-point the claims of those tombstones; returns how many identifiers were written.

    Raises OutdatedError when others keep changing one of them; what is done by then stays done.
    """
    heads, read = store.canonical(contact_ids, consistent=True)
    written = 0
    for contact_id, head in heads.items():
        if contact_id != head.contact_id:
            written += _shorten(store, read[contact_id], head)
    return written


def strongest(claims: Iterable[Claim]) -> Claim | None:
    """One claim in the place of several of one contact: that of the highest assurance, over the time of all of them."""
    found = sorted(claims, key=lambda each: (-each.assurance, each.first_seen, each.source))
    if not found:
        return None
    first, last = min(each.first_seen for each in found), max(each.last_confirmed for each in found)
    return replace(found[0], first_seen=first, last_confirmed=last)


def _shorten(store: IdentityStore, tombstone: Contact, head: Contact) -> int:
    written = 0
    pending: Iterable[Identifier] = tombstone.identifiers
    for _ in attempts():
        overtaken = []
        for identifier, record in store.identifiers(pending, consistent=True).items():
            claims = _shortened(record, head, keeps=identifier in head.identifiers)
            if claims == record.claims:
                continue
            if store.reclaim(record, claims):
                written += 1
            else:
                overtaken.append(identifier)
        if not overtaken:
            return written
        pending = overtaken
    raise OutdatedError(f"the identifiers of contact {tombstone.contact_id} are being changed by others")


def _shortened(record: IdentifierRecord, head: Contact, *, keeps: bool) -> Mapping[str, Claim]:
    """The claims with the head in the place of its tombstones, or without it if it no longer has the identifier."""
    others = {owner: claim for owner, claim in record.claims.items() if owner not in head.owners}
    claim = strongest(head.claims_on(record).values())
    return {**others, head.contact_id: claim} if claim and keeps else others


def follow_merge(store: IdentityStore, head_id: str, members: Iterable[str]) -> Contact | None:
    """Merge contacts in the index that Genesys has merged into `head_id`.

    `members` are the ids that Genesys names; those that are tombstones in the index already stay as they are. Returns
    the head as it is stored then, with the identifiers of all of them; None when the index knows none of the contacts.
    Nothing is done if the index itself has merged the head into another contact. Raises OutdatedError.
    """
    read = store.contacts({head_id, *members}, consistent=True)
    head = read.pop(head_id, None)
    merged = [contact for contact in read.values() if not contact.merged_into]
    if not merged or (head and head.merged_into):
        return head
    # what the CRM has filled in says more than what was copied from Genesys
    merged.sort(key=lambda contact: not contact.fingerprint)
    decision = store.decision(
        head_id, "merge", "merged in Genesys Cloud", contacts=[contact.contact_id for contact in merged]
    )
    store.merge(head or Contact(head_id, profile=merged[0].profile), merged, decision=decision)
    return store.contacts([head_id], consistent=True).get(head_id)
