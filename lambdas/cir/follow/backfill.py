"""Looking up in Genesys what the index does not know, and filling the index with what is found."""

from dataclasses import dataclass, replace

from cir.contacts.detaching import detach_older
from cir.contacts.organization import ExternalSources
from cir.contacts.reading import identifiers_from_genesys, profile_from_genesys
from cir.genesys.client import GenesysClient
from cir.genesys.identifiers import to_genesys
from cir.genesys.models import Contact as GenesysContact
from cir.identity.identifiers import Identifier
from cir.identity.records import Contact
from cir.identity.rules import Assurance
from cir.index.again import again
from cir.index.store import AlreadyClaimedError, IdentityStore
from cir.index.tombstones import follow_merge

SOURCE = "genesys"


@dataclass(frozen=True, slots=True)
class Backfill:
    """Asks Genesys on behalf of the resolver. Asking twice changes nothing more. Thread-safe."""

    client: GenesysClient
    store: IdentityStore
    sources: ExternalSources

    def within(self, seconds: float) -> "Backfill":
        """The same for work that must be over in so many seconds from now."""
        return replace(self, client=self.client.within(seconds))

    def look_up(self, identifier: Identifier) -> str:
        """The id of the contact that Genesys has for the identifier, now in the index; empty when it has none.

        Raises GenesysError, DynamoDBError and OutdatedError.
        """
        source_ids = self.sources.ids(needed=identifier.source, client=self.client) if identifier.source else {}
        if identifier.source and identifier.source not in source_ids:
            return ""
        found = self.client.contacts.find(to_genesys(identifier, source_ids))
        if found is None or found.get("type") == "Ephemeral":
            # Genesys makes an ephemeral contact of every stranger; that is nobody we know
            return ""
        self.index(found, also=identifier)
        return found["id"]

    def index(self, found: GenesysContact, *, also: Identifier | None = None) -> None:
        """Store a contact as Genesys has it. What another contact of the index holds exclusively is left out.

        `also` is an identifier by which Genesys found it although none of its fields shows it.
        """
        again(lambda: self._index(found, also))

    def _index(self, found: GenesysContact, also: Identifier | None) -> None:
        members = [member["id"] for member in found.get("mergeSet") or []]
        stored = follow_merge(self.store, found["id"], members)
        before = stored or Contact(found["id"])
        # a profile that the CRM gave is newer than the copy of it in Genesys
        profile = before.profile if before.fingerprint else profile_from_genesys(found)
        shown = identifiers_from_genesys(found, self.sources.ids(client=self.client))
        wanted = dict.fromkeys((*before.identifiers, *shown, *((also,) if also else ())))
        records = self.store.identifiers(wanted.keys() - set(before.identifiers), consistent=True)
        # what Genesys says is as old as its last change of the contact
        detach_older(
            self.client, self.store, records.values(), than=found.get("modifyDate", ""), now_of=before.contact_id
        )
        while not stored or profile != stored.profile or set(wanted) != set(stored.identifiers):
            new = sorted(each.key for each in set(wanted) - set(before.identifiers))
            decision = self.store.decision(before.contact_id, "backfill", "found in Genesys Cloud", claimed=new)
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
            else:
                return
