"""Taking a number off the contact that had it, when it was given to somebody else."""

from collections.abc import Iterable

from cir.genesys.client import GenesysClient
from cir.genesys.identifiers import held_by_genesys, to_genesys
from cir.identity.identifiers import Identifier
from cir.identity.phone_life import is_older
from cir.identity.records import Contact, IdentifierRecord
from cir.identity.rules import Assurance
from cir.index.store import IdentityStore

BECAUSE = "its number was not seen with this contact for so long that it is somebody else's now, who has it"
RULE = "recycled-number"


def detach(
    client: GenesysClient, store: IdentityStore, former: Iterable[Contact], identifier: Identifier, *, now_of: str
) -> None:
    """Take it off each of those contacts, in Genesys first and then here, with a ledger entry. It may be repeated.

    `now_of` is the contact that has it; empty where there is none yet. Raises GenesysError and OutdatedError.
    """
    for contact in former:
        if held_by_genesys(identifier):
            client.contacts.release(contact.contact_id, to_genesys(identifier, {}))
        decision = store.decision(
            contact.contact_id, "detach", BECAUSE, rule=RULE, identifier=identifier.key, now_of=now_of
        )
        store.put_contact(
            contact.changed(identifiers=tuple(each for each in contact.identifiers if each != identifier)),
            previous=contact,
            decision=decision,
            source="",
            assurance=Assurance.NONE,
        )


def detach_older(
    client: GenesysClient, store: IdentityStore, records: Iterable[IdentifierRecord], *, than: str, now_of: str
) -> set[Identifier]:
    """Take those numbers off other contacts on which all evidence has faded and is older than that moment.

    Returns them: their records have changed.
    """
    detached = set()
    for record in records:
        if is_older(record, than=than):
            heads, _ = store.canonical(record.claims, consistent=True)
            former = {each.contact_id: each for each in heads.values() if each.contact_id != now_of}
            if former:
                detach(client, store, former.values(), record.identifier, now_of=now_of)
                detached.add(record.identifier)
    return detached
