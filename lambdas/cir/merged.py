"""Following in the index what Genesys Cloud has merged: every contact id ever issued keeps resolving."""

from collections.abc import Iterable

from cir.records import Contact
from cir.store import IdentityStore


def follow_merge(store: IdentityStore, head_id: str, members: Iterable[str]) -> Contact | None:
    """Make those contacts among `members` that the index takes for canonical tombstones of `head_id`.

    Returns the head as it is stored then, with the identifiers of all of them; None when the index knows none of them.
    Nothing is done when the index has merged the head into another contact itself. Raises OutdatedError.
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
