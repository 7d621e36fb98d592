"""Storing a contact as Genesys has it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cir.contacts.detaching import detach_older
from cir.genesys.client import GenesysClient
from cir.genesys.models import Contact as GenesysContact
from cir.identity.identifiers import Identifier
from cir.identity.records import Contact, IdentifierRecord, Profile
from cir.identity.rules import Assurance
from cir.index.store import AlreadyClaimedError, IdentityStore

SOURCE = "genesys"


@dataclass(frozen=True, slots=True)
class Adopting:
    """Writes to the index what Genesys says of contacts."""

    client: GenesysClient
    store: IdentityStore

    def adopt(
        self,
        shown: GenesysContact,
        stored: Contact | None,
        *,
        profile: Profile,
        identifiers: Iterable[Identifier],
        records: Mapping[Identifier, IdentifierRecord],
        kind: str,
        because: str,
    ) -> bool:
        """Give a contact this profile and these identifiers; whether that changed anything.

        `shown` is the contact in Genesys, `stored` what the index has of it; `records` are those of the identifiers
        that are new to it. `kind` and `because` are for the ledger. An id of one person that the index knows of another
        contact stays there. Raises GenesysError, DynamoDBError and OutdatedError.
        """
        before = stored or Contact(shown["id"])
        had = set(before.identifiers)
        wanted = dict.fromkeys(identifiers)
        # what Genesys says is as old as its last change of the contact
        new = [records[each] for each in wanted if each in records and each not in had]
        detach_older(self.client, self.store, new, than=shown.get("modifyDate", ""), now_of=before.contact_id)
        refused: list[str] = []
        while not stored or profile != stored.profile or wanted.keys() != had:
            decision = self.store.decision(
                before.contact_id,
                kind,
                because,
                claimed=sorted(each.key for each in wanted.keys() - had),
                released=sorted(each.key for each in had - wanted.keys()),
                refused=refused,
            )
            try:
                self.store.put_contact(
                    before.changed(identifiers=tuple(wanted), profile=profile),
                    previous=stored,
                    decision=decision,
                    source=SOURCE,
                    assurance=Assurance.CLAIMED,
                )
            except AlreadyClaimedError as error:
                del wanted[error.identifier]
                refused.append(error.identifier.key)
            else:
                return True
        return False
