"""Taking off a contact what leads to it no longer: a record's values, or a number that was given to somebody else."""

from collections.abc import Collection, Iterable, Mapping

from cir.contacts.writing import removals
from cir.genesys.client import GenesysClient
from cir.genesys.identifiers import forms_in_genesys, held_by_genesys
from cir.identity.identifiers import Identifier
from cir.identity.phone_life import is_older
from cir.identity.records import Contact, IdentifierRecord
from cir.identity.rules import Assurance
from cir.index.store import IdentityStore

BECAUSE = "its number was not seen with this contact for so long that it is somebody else's now, who has it"
RULE = "recycled-number"


def take_off(
    client: GenesysClient, contact_id: str, identifiers: Collection[Identifier], source_ids: Mapping[str, str]
) -> None:
    """Take identifiers off a contact in Genesys: its claims, and its fields where the claim is somebody else's.

    A field that went on showing the value would bring it back with the contact's next event. `source_ids`: our key of
    a source → its id. It may be repeated. Raises GenesysError.
    """
    shown_still = []
    for each in identifiers:
        forms = forms_in_genesys(each, source_ids) if held_by_genesys(each) else []
        released = [client.contacts.release(contact_id, form) for form in forms]
        if not any(released):
            shown_still.append(each)
    changes = removals(client.contacts.get(contact_id), shown_still, source_ids) if shown_still else []
    if changes:
        client.contacts.patch(contact_id, changes)


def detach(
    client: GenesysClient, store: IdentityStore, former: Iterable[Contact], identifier: Identifier, *, now_of: str
) -> None:
    """Take it off each of those contacts, in Genesys first and then here, with a ledger entry. It may be repeated.

    `now_of` is the contact that has it; empty where there is none yet. Raises GenesysError and OutdatedError.
    """
    for contact in former:
        take_off(client, contact.contact_id, [identifier], {})
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
