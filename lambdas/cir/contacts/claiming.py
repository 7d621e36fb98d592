"""Claiming identifiers in Genesys Cloud, and what the ledger says of those that Genesys did not take."""

from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from cir.genesys.client import GenesysClient
from cir.genesys.errors import IdentifierTakenError, InvalidRequestError, NotFoundError
from cir.genesys.models import EPHEMERAL, ContactIdentifier
from cir.identity.records import Contact
from cir.index.store import IdentityStore


class Claimed(StrEnum):
    """How Genesys took an identifier, in the words of the ledger, from which they are read again."""

    CLAIMED = "claimed"
    TAKEN_OVER = "taken over from an ephemeral contact"
    NO_FIELD = "no free field"
    """The contact has no room for it: the index alone knows that it leads there."""
    HELD = "held by another contact"


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """The result of claiming an identifier."""

    how: Claimed
    holder: str = ""
    """The contact that holds it; empty unless it is HELD, and where Genesys does not tell."""


def claim(client: GenesysClient, contact_id: str, identifier: ContactIdentifier) -> ClaimResult:
    """Make an identifier lead to a contact in Genesys, if there is a field for it and no other customer holds it.

    Genesys gives the number of a stranger to an ephemeral contact before the flow begins; from such a one it is taken
    over. May be repeated. Raises GenesysError; NotFoundError if there is no such contact.
    """
    first = _claim(client, contact_id, identifier)
    if not first.holder or not _taken_off(client, first.holder, identifier):
        return first
    second = _claim(client, contact_id, identifier)
    return ClaimResult(Claimed.TAKEN_OVER) if second.how is Claimed.CLAIMED else second


def without_field(store: IdentityStore, contact: Contact) -> AbstractSet[str]:
    """Keys of the contact's identifiers that Genesys did not take, by the ledger: of them its fields say nothing."""
    keys: set[str] = set()
    for owner in contact.owners:
        for entry in store.history(owner):
            details = entry["details"]
            keys.update(details.get("overflow", ()))
            if details.get("in_genesys") == Claimed.NO_FIELD:
                keys.add(details["identifier"])
    return keys


def _claim(client: GenesysClient, contact_id: str, identifier: ContactIdentifier) -> ClaimResult:
    try:
        client.contacts.claim(contact_id, identifier)
    except IdentifierTakenError as error:
        return ClaimResult(Claimed.HELD, error.holder or "")
    except InvalidRequestError as error:
        if error.code != "identifier.cannot.be.claimed":
            raise
        return ClaimResult(Claimed.NO_FIELD)
    return ClaimResult(Claimed.CLAIMED)


def _taken_off(client: GenesysClient, holder: str, identifier: ContactIdentifier) -> bool:
    """Take it off an ephemeral contact; False if the holder is another kind, which keeps it."""
    with suppress(NotFoundError):  # it expires by itself
        if client.contacts.get(holder).get("type") != EPHEMERAL:
            return False
        client.contacts.release(holder, identifier)
    return True
