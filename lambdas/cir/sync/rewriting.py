"""Having the next sync write a contact again, although its record is as it was."""

from collections.abc import Iterable

from cir.identity.identifiers import Identifier
from cir.identity.rules import Assurance
from cir.index.again import again
from cir.index.store import IdentityStore


def write_again(store: IdentityStore, contact_id: str, *, kind: str, because: str) -> None:
    """Take the fingerprint off a contact, or the sync would find it unchanged. Nothing happens if there is none.

    `kind` and `because` are for the ledger. Raises OutdatedError where others are changing it all the time.
    """
    again(lambda: _write_again(store, contact_id, kind, because))


def hand_over(store: IdentityStore, released: Iterable[Identifier]) -> None:
    """Let ids of one person that a contact has given up go to the next contact whose record has them.

    In the index they lead there already; its field in Genesys is written by the next sync. Raises OutdatedError.
    """
    ids = [each for each in released if each.exclusive]
    for record in store.identifiers(ids, consistent=True).values() if ids else ():
        if record.claims:
            because = f"its {record.identifier.source or record.identifier.type} id is no other contact's any more"
            write_again(store, record.first_owner, kind="sync", because=because)


def _write_again(store: IdentityStore, contact_id: str, kind: str, because: str) -> None:
    heads, _ = store.canonical([contact_id], consistent=True)  # it may have been merged meanwhile
    contact = heads.get(contact_id)
    if contact is None or not contact.fingerprint:
        return
    store.put_contact(
        contact.changed(fingerprint=""),
        previous=contact,
        decision=store.decision(contact.contact_id, kind, because),
        source="",
        assurance=Assurance.NONE,
    )
