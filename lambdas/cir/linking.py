"""Linking in the conversation: the number or address that a known customer has just used from is theirs from now on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import cast

from cir.bootstrap import source_ids
from cir.genesys.client import GenesysClient
from cir.genesys.errors import IdentifierTakenError, InvalidRequestError
from cir.genesys.models import ContactIdentifier
from cir.identifiers import Identifier, to_genesys
from cir.records import Contact
from cir.request import Presented
from cir.rules import IdentifierType
from cir.store import AlreadyClaimedError, IdentityStore

SOURCE = "conversation"


class LinkOutcome(StrEnum):
    """What became of a link."""

    LINKED = "LINKED"
    ALREADY_LINKED = "ALREADY_LINKED"
    CONFLICT = "CONFLICT"
    """It belongs to somebody else, who keeps it; the case is in the ledger."""
    REFUSED = "REFUSED"
    """There is no such contact, or nothing that could be linked."""


@dataclass(frozen=True, slots=True)
class Link:
    """The result for one identifier."""

    outcome: LinkOutcome
    explanation: str
    """One sentence, free of personal data."""


@dataclass(slots=True)
class Linking:
    """Adds identifiers to contacts: in Genesys first, then in the index, so that what fails can be repeated whole."""

    client: GenesysClient
    store: IdentityStore
    _source_ids: dict[str, str] = field(default_factory=dict)

    def link(self, contact_id: str, presented: Presented, *, conversation_id: str) -> Link:
        """Give an identifier to a contact (or to the canonical one it was merged into). Idempotent.

        Raises GenesysError, with nothing written to the index.
        """
        identifier = presented.identifier
        record = self.store.identifiers([identifier], consistent=True).get(identifier)
        owners = list(record.claims) if record else []
        heads, _ = self.store.canonical([contact_id, *owners], consistent=True)
        contact = heads.get(contact_id)
        if contact is None:
            return Link(LinkOutcome.REFUSED, "There is no such contact in the index.")
        if identifier in contact.identifiers:
            self.store.confirm(identifier, contact.contact_id, assurance=presented.assurance)
            return Link(LinkOutcome.ALREADY_LINKED, f"The {identifier.type} leads to this contact already.")
        others = sorted({heads[owner].contact_id for owner in owners if owner in heads} - {contact.contact_id})
        if others:
            return self._conflict(contact, identifier, others, conversation_id)
        in_genesys = self._claim_in_genesys(contact.contact_id, identifier)
        try:
            self._store(contact, presented, conversation_id=conversation_id, in_genesys=in_genesys)
        except AlreadyClaimedError as error:
            return self._conflict(contact, identifier, [error.owner], conversation_id)
        return Link(LinkOutcome.LINKED, f"The {identifier.type} leads to this contact from now on.")

    def _claim_in_genesys(self, contact_id: str, identifier: Identifier) -> str:
        """How Genesys took it: `claimed`, `no free field` (our index still knows it), or `held by another contact`."""
        if identifier.type is IdentifierType.EXTERNAL and not self._source_ids:
            self._source_ids = source_ids(self.client)
        body = cast(ContactIdentifier, to_genesys(identifier, self._source_ids))
        try:
            self.client.contacts.claim(contact_id, body)
        except IdentifierTakenError:
            return "held by another contact"
        except InvalidRequestError as error:
            if error.code != "identifier.cannot.be.claimed":
                raise
            return "no free field"
        return "claimed"

    def _store(self, contact: Contact, presented: Presented, *, conversation_id: str, in_genesys: str) -> None:
        identifier = presented.identifier
        decision = self.store.decision(
            contact.contact_id,
            "link",
            "used in a conversation with this customer and known of nobody else",
            identifier=identifier.key,
            assurance=presented.assurance.label,
            conversation_id=conversation_id,
            in_genesys=in_genesys,
        )
        self.store.put_contact(
            contact.changed(identifiers=(*contact.identifiers, identifier)),
            previous=contact,
            decision=decision,
            source=SOURCE,
            assurance=presented.assurance,
        )

    def _conflict(self, contact: Contact, identifier: Identifier, others: Sequence[str], conversation_id: str) -> Link:
        decision = self.store.decision(
            contact.contact_id,
            "conflict",
            "an identifier used in a conversation belongs to another contact",
            identifier=identifier.key,
            other_contacts=list(others),
            conversation_id=conversation_id,
        )
        self.store.record(replace(decision, at=decision.at[:10], id=f"conflict-{identifier.key}"))
        return Link(
            LinkOutcome.CONFLICT, f"The {identifier.type} already leads to another customer; it was left with them."
        )
