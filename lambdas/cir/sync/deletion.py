"""What becomes of the contact when the CRM has its record no more, or its customer has opted out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cir.contacts.detaching import take_off
from cir.contacts.organization import Organization
from cir.crm.mapping import OnDelete
from cir.genesys.client import GenesysClient
from cir.genesys.errors import NotFoundError
from cir.identity.identifiers import Identifier
from cir.identity.records import Contact, Decision
from cir.identity.rules import Assurance
from cir.index.again import again
from cir.index.store import IdentityStore
from cir.sync.rewriting import hand_over


class Fate(StrEnum):
    """What has happened to a contact."""

    ABSENT = "absent"
    """There is none with the id, or none any more."""
    KEPT = "kept"
    WITHDRAWN = "withdrawn"
    """The contact stays, without the record's id; by the policy `release` also without all else that the CRM gave."""
    DELETED = "deleted"
    POSTPONED = "postponed"
    """Nothing yet: others were changing it all the time. It is to be tried again later."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """Carries out the policy.

    It may die anywhere and be repeated: Genesys is written to first, and until then the index still knows the contact.
    """

    client: GenesysClient
    store: IdentityStore
    organization: Organization
    policy: OnDelete

    def follow(self, record_id: Identifier, *, because: str = "has deleted the record") -> tuple[Fate, str]:
        """What has happened to the contact of a record, and its id. Raises GenesysError, DynamoDBError, OutdatedError.

        `because` is what the CRM does or says, for the ledger.
        """
        return again(lambda: self._follow(record_id, because))

    def _follow(self, record_id: Identifier, because: str) -> tuple[Fate, str]:
        contact = self._contact(record_id)
        if contact is None:
            return Fate.ABSENT, ""
        if self.policy is OnDelete.KEEP:
            return Fate.KEPT, contact.contact_id
        try:
            if any(each.source == record_id.source and each != record_id for each in contact.identifiers):
                # phones and addresses stay: whose of the contact's records they are cannot be told
                self._withdraw(contact, record_id, (record_id,), because, said=None)
                return Fate.WITHDRAWN, contact.contact_id
            if self.policy is OnDelete.RELEASE:
                self._withdraw(contact, record_id, self._given_by_the_crm(contact, record_id), because, said=())
                return Fate.WITHDRAWN, contact.contact_id
            self.client.contacts.delete(contact.contact_id)
        except NotFoundError:
            pass  # somebody has deleted it in Genesys, which the index was not told
        self.store.remove(contact, decision=self._decision(contact, record_id, because))
        hand_over(self.store, contact.identifiers)
        return Fate.DELETED, contact.contact_id

    def _contact(self, record_id: Identifier) -> Contact | None:
        record = self.store.identifiers([record_id], consistent=True).get(record_id)
        heads, _ = self.store.canonical(record.claims, consistent=True) if record else ({}, {})
        return next(iter(heads.values()), None)

    def _given_by_the_crm(self, contact: Contact, record_id: Identifier) -> tuple[Identifier, ...]:
        claims = self.store.identifiers(contact.identifiers, consistent=True)
        return tuple(
            each
            for each in contact.identifiers
            if each == record_id or contact.sources_of(each, claims) == {record_id.source}
        )

    def _withdraw(
        self,
        contact: Contact,
        record_id: Identifier,
        withdrawn: Sequence[Identifier],
        because: str,
        *,
        said: Sequence[Identifier] | None,
    ) -> None:
        """`said` is what the CRM says of the contact from now on, where that can be told."""
        take_off(self.client, contact.contact_id, withdrawn, self.organization.source_ids)
        self.store.put_contact(
            contact.changed(
                identifiers=tuple(each for each in contact.identifiers if each not in withdrawn), fingerprint=""
            ),
            previous=contact,
            decision=self._decision(contact, record_id, because, withdrawn),
            source=record_id.source,
            assurance=Assurance.CLAIMED,
            said=said,
        )
        hand_over(self.store, withdrawn)

    def _decision(
        self, contact: Contact, record_id: Identifier, because: str, released: Sequence[Identifier] = ()
    ) -> Decision:
        return self.store.decision(
            contact.contact_id,
            "sync",
            f"{record_id.source} {because}",
            crm_id=record_id.value,
            released=[each.key for each in (released or (record_id,))],
        )
