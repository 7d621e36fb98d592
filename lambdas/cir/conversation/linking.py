"""Linking in the conversation: the number or address that a known customer has just used from is theirs from now on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cir.contacts.claiming import Claimed, ClaimResult, claim
from cir.contacts.detaching import detach
from cir.contacts.organization import ExternalSources
from cir.crm.protected import find_protected_id
from cir.genesys.client import GenesysClient
from cir.genesys.errors import NotFoundError
from cir.genesys.identifiers import held_by_genesys, to_genesys
from cir.genesys.models import ContactIdentifier
from cir.identity.identifiers import Identifier
from cir.identity.phone_life import is_recycled
from cir.identity.records import CONVERSATION, Contact, timestamp
from cir.identity.rules import Assurance
from cir.index.again import again
from cir.index.review import candidate
from cir.index.store import AlreadyClaimedError, IdentityStore
from cir.resolve.request import Presented

SOURCE = CONVERSATION
LINKS_A_DAY = 5
"""What conversations may add to one contact within 24 hours: a family's phones, and not a call centre's."""


class LinkOutcome(StrEnum):
    """How linking has ended."""

    LINKED = "LINKED"
    ALREADY_LINKED = "ALREADY_LINKED"
    CONFLICT = "CONFLICT"
    """It belongs to another contact, which keeps it; the case is in the ledger."""
    REFUSED = "REFUSED"
    """There is no such contact, or nothing that could be linked."""


@dataclass(frozen=True, slots=True)
class Link:
    """The result for one identifier."""

    outcome: LinkOutcome
    explanation: str
    """One sentence, free of personal data."""
    contact_id: str = ""
    """The canonical contact; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Linking:
    """Adds identifiers to contacts: in Genesys first, then in the index, so that what fails can be repeated whole."""

    client: GenesysClient
    store: IdentityStore
    sources: ExternalSources

    def within(self, seconds: float) -> "Linking":
        """The same for work that must be over in so many seconds from now."""
        return replace(self, client=self.client.within(seconds))

    def link(self, contact_id: str, presented: Presented, *, conversation_id: str) -> Link:
        """Give an identifier to a contact (or to the canonical one it was merged into). Idempotent.

        Raises GenesysError, DynamoDBError and OutdatedError, with nothing written to the index.
        """
        return again(lambda: self._link(contact_id, presented, conversation_id))

    def _link(self, contact_id: str, presented: Presented, conversation_id: str) -> Link:
        identifier = presented.identifier
        record = self.store.identifiers([identifier], consistent=True).get(identifier)
        claims = record.claims if record else {}
        heads, _ = self.store.canonical([contact_id, *claims], consistent=True)
        contact = heads.get(contact_id)
        if contact is None:
            return Link(LinkOutcome.REFUSED, "There is no such contact in the index.")
        if identifier in contact.identifiers:
            for owner in contact.claims_on(record):
                self.store.confirm(identifier, owner, verified=presented.assurance is Assurance.VERIFIED)
            return Link(
                LinkOutcome.ALREADY_LINKED, f"The {identifier.type} leads to this contact already.", contact.contact_id
            )
        if refusal := self._refusal(contact, presented.assurance):
            return Link(LinkOutcome.REFUSED, refusal, contact.contact_id)
        others = {heads[owner].contact_id for owner in claims if owner in heads} - {contact.contact_id}
        if others and record and is_recycled(record, presented.assurance):
            former = {each.contact_id: each for each in heads.values() if each.contact_id in others}
            detach(self.client, self.store, former.values(), identifier, now_of=contact.contact_id)
        elif others:
            return self._conflict(contact, identifier, sorted(others), conversation_id)
        return self._add(contact, presented, conversation_id)

    def _refusal(self, contact: Contact, assurance: Assurance) -> str:
        """Why conversations may not give the contact an identifier at this moment; empty if they may."""
        if assurance is Assurance.NONE:
            return "The number may be forged; it is not linked."
        if self._linked_today(contact) >= LINKS_A_DAY:
            return (
                f"Conversations have given this customer {LINKS_A_DAY} numbers or addresses within a day; no more now."
            )
        return ""

    def _add(self, contact: Contact, presented: Presented, conversation_id: str) -> Link:
        """Claim an identifier that nobody else has in the index: in Genesys, then in the index."""
        identifier = presented.identifier
        protected = find_protected_id(identifier)
        if protected:
            return Link(LinkOutcome.REFUSED, f"The id looks like a {protected.name}; it is not stored.")
        source_ids = self.sources.ids(needed=identifier.source, client=self.client) if identifier.source else {}
        if identifier.source and identifier.source not in source_ids:
            return Link(LinkOutcome.REFUSED, "Genesys Cloud does not know the system that issued the id.")
        body = to_genesys(identifier, source_ids)
        try:
            in_genesys = self._claim(contact, identifier, body)
        except NotFoundError:
            return Link(LinkOutcome.REFUSED, "Genesys Cloud has no such contact any more.")
        if in_genesys.how is Claimed.HELD:
            return self._conflict(contact, identifier, [in_genesys.holder], conversation_id)
        try:
            self._store(contact, presented, conversation_id=conversation_id, in_genesys=in_genesys.how)
        except AlreadyClaimedError as error:
            self.client.contacts.release(contact.contact_id, body)
            return self._conflict(contact, identifier, [error.owner], conversation_id)
        return Link(LinkOutcome.LINKED, f"The {identifier.type} leads to this contact from now on.", contact.contact_id)

    def _claim(self, contact: Contact, identifier: Identifier, body: ContactIdentifier) -> ClaimResult:
        if held_by_genesys(identifier):
            return claim(self.client, contact.contact_id, body)
        # its number is the whole house's: in Genesys it would lead everybody there to this contact
        return ClaimResult(Claimed.NO_FIELD)

    def _linked_today(self, contact: Contact) -> int:
        """How many of its identifiers it has from conversations of the last 24 hours."""
        since = timestamp(datetime.now(UTC) - timedelta(days=1))
        records = self.store.identifiers(contact.identifiers, consistent=True)
        return sum(
            any(each.source == SOURCE and each.first_seen > since for each in contact.claims_on(record).values())
            for record in records.values()
        )

    def _store(self, contact: Contact, presented: Presented, *, conversation_id: str, in_genesys: Claimed) -> None:
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
        """One ledger entry per identifier and day, however often they call, and a candidate for the review queue."""
        because = "an identifier used in a conversation belongs to another contact"
        for other in filter(None, others):
            self.store.record(
                candidate(self.store, (contact.contact_id, other), because, conversation_id=conversation_id)
            )
        decision = self.store.decision(
            contact.contact_id,
            "conflict",
            because,
            identifier=identifier.key,
            other_contacts=list(others),
            conversation_id=conversation_id,
        )
        self.store.record(replace(decision, at=decision.at[:10], id=f"conflict-{identifier.key}"))
        return Link(
            LinkOutcome.CONFLICT,
            f"The {identifier.type} already leads to another customer; it was left with them.",
            contact.contact_id,
        )
