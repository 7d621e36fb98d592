"""Looking up in Genesys what the index does not know, and filling the index with what is found."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cir.contacts.organization import ExternalSources
from cir.contacts.reading import identifiers_from_genesys, profile_from_genesys
from cir.follow.adopting import Adopting
from cir.genesys.client import GenesysClient
from cir.genesys.identifiers import to_genesys
from cir.genesys.models import EPHEMERAL, merged_ids
from cir.genesys.models import Contact as GenesysContact
from cir.identity.identifiers import Identifier
from cir.identity.records import Contact
from cir.index.again import OutdatedError, again
from cir.index.store import IdentityStore
from cir.index.tombstones import follow_merge


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
        # whoever Genesys has at an extension's number need not be at that extension
        identifier = identifier.switchboard or identifier
        source_ids = self.sources.ids(needed=identifier.source, client=self.client) if identifier.source else {}
        if identifier.source and identifier.source not in source_ids:
            return ""
        return again(lambda: self._look_up(identifier, source_ids))

    def _look_up(self, identifier: Identifier, source_ids: Mapping[str, str]) -> str:
        wanted = to_genesys(identifier, source_ids)
        version = self._version(identifier)
        found = self.client.contacts.find(wanted)
        if found is None or found.get("type") == EPHEMERAL:
            return ""
        stored = follow_merge(self.store, found["id"], merged_ids(found))
        # what is written must be at least as new as what it replaces: Genesys is asked again after the index was read,
        # but not of a contact that the index does not know, unless it has just lost it
        shown = self.client.contacts.find(wanted) if stored else found
        if shown is None or shown["id"] != found["id"] or (not stored and self._version(identifier) != version):
            raise OutdatedError(f"the {identifier.type} was changed while Genesys was asked for it")
        self._index(shown, stored, identifier)
        return shown["id"]

    def _version(self, identifier: Identifier) -> int:
        record = self.store.identifiers([identifier], consistent=True).get(identifier)
        return record.version if record else 0

    def _index(self, found: GenesysContact, stored: Contact | None, identifier: Identifier) -> None:
        """Store a contact as Genesys has it. What another contact of the index holds exclusively is left out.

        Genesys found it by the identifier, although perhaps none of its fields shows it.
        """
        before = stored or Contact(found["id"])
        # a profile that the CRM gave is newer than the copy of it in Genesys
        profile = before.profile if before.fingerprint else profile_from_genesys(found)
        shown = identifiers_from_genesys(found, self.sources.ids(client=self.client))
        identifiers = {*before.identifiers, *shown, identifier}
        Adopting(self.client, self.store).adopt(
            found,
            stored,
            profile=profile,
            identifiers=identifiers,
            records=self.store.identifiers(identifiers - set(before.identifiers), consistent=True),
            kind="backfill",
            because="found in Genesys Cloud",
        )
