"""Looking up in Genesys what the index does not know, and filling the index with what is found."""

from dataclasses import dataclass, field
from typing import cast

from cir.bootstrap import source_ids
from cir.external_contacts import identifiers_from_genesys, profile_from_genesys
from cir.genesys.client import GenesysClient
from cir.genesys.models import Contact as GenesysContact
from cir.genesys.models import ContactIdentifier
from cir.identifiers import Identifier, to_genesys
from cir.records import Contact
from cir.rules import Assurance, IdentifierType
from cir.store import AlreadyClaimedError, IdentityStore

SOURCE = "genesys"


@dataclass(slots=True)
class Backfill:
    """Asks Genesys on behalf of the resolver. Asking twice is harmless: the second time changes nothing."""

    client: GenesysClient
    store: IdentityStore
    _source_ids: dict[str, str] = field(default_factory=dict)

    def look_up(self, identifier: Identifier) -> str:
        """The id of the contact that Genesys has for the identifier, now in the index; empty when it has none.

        Raises GenesysError.
        """
        sources = self._sources()
        if identifier.type is IdentifierType.EXTERNAL and identifier.source not in sources:
            return ""
        found = self.client.contacts.find(cast(ContactIdentifier, to_genesys(identifier, sources)))
        if found is None or found.get("type") == "Ephemeral":
            # Genesys makes an ephemeral contact of every stranger; that is nobody we know
            return ""
        self.index(found, also=identifier)
        return found["id"]

    def index(self, found: GenesysContact, *, also: Identifier | None = None) -> None:
        """Store a contact as Genesys has it. What another contact of the index holds exclusively is left out.

        `also` is an identifier by which Genesys found it although none of its fields shows it.
        """
        source_keys = {source_id: key for key, source_id in self._sources().items()}
        stored = self.store.contacts([found["id"]], consistent=True).get(found["id"])
        before = stored or Contact(found["id"])
        shown = identifiers_from_genesys(found, source_keys)
        wanted = dict.fromkeys((*before.identifiers, *shown, *((also,) if also else ())))
        if stored and set(wanted) == set(stored.identifiers):
            return
        while True:
            decision = self.store.decision(
                before.contact_id, "backfill", "found in Genesys Cloud", identifiers=[each.key for each in wanted]
            )
            # a profile that the CRM gave is newer than the copy of it in Genesys
            contact = before.changed(
                identifiers=tuple(wanted), profile=stored.profile if stored else profile_from_genesys(found)
            )
            try:
                self.store.put_contact(
                    contact, previous=stored, decision=decision, source=SOURCE, assurance=Assurance.CLAIMED
                )
            except AlreadyClaimedError as error:
                del wanted[error.identifier]
            else:
                return

    def _sources(self) -> dict[str, str]:
        if not self._source_ids:
            self._source_ids = source_ids(self.client)
        return self._source_ids
