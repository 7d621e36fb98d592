"""Following what happens in Genesys Cloud: a contact that an agent, Genesys itself or another system has changed.

An event only says which contact to look at: the contact is read anew, so duplicated, late and reordered events do no
harm. The index is read before Genesys, and written on condition that it has not changed since: what was read from
Genesys is then at least as new as what it replaces.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from cir.contacts.claiming import without_field
from cir.contacts.organization import ExternalSources
from cir.contacts.reading import identifiers_from_genesys, profile_from_genesys
from cir.contacts.writing import surviving
from cir.crm.mapping import CrmMapping
from cir.follow.adopting import Adopting
from cir.genesys.client import GenesysClient
from cir.genesys.errors import NotFoundError
from cir.genesys.identifiers import from_genesys
from cir.genesys.models import EPHEMERAL, merged_ids
from cir.genesys.models import Contact as GenesysContact
from cir.identity.identifiers import Identifier
from cir.identity.records import Contact, IdentifierRecord, Profile
from cir.identity.rules import IdentifierType, load_rules
from cir.index.again import OutdatedError, again
from cir.index.store import IdentityStore
from cir.index.tombstones import follow_merge

CHANGED = "v2.externalcontacts.contacts.{id}"
"""Topic of what happens to a contact, as the partner bus names it: with the literal `{id}`."""
TOPICS = (CHANGED, f"{CHANGED}.unresolved")
"""All that are followed. The second one tells of contacts that are no more their own: merged into another."""
ECHO_SECONDS = 5.0
"""An event is written at most so long after its change. A later one with the same `modifyDate` is of a deletion."""


class Following(StrEnum):
    """What following an event has done."""

    APPEARED = "appeared"
    CHANGED = "changed"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    """It is not about a contact that the index has, or has to have."""


def is_echo(stored: Contact | None, *, modified: str, told: str) -> bool:
    """Whether an event only says what the sync has written itself: an import causes one for every contact.

    `modified` is the `modifyDate` of the contact in the event, `told` the time of the event. The event of a deletion
    has the contact's last `modifyDate` as well, but a later time. Times that cannot be read are no echo: the contact
    is looked at.
    """
    if stored is None or stored.merged_into or not modified or stored.genesys_modified != modified:
        return False
    try:
        age = datetime.fromisoformat(told) - datetime.fromisoformat(modified)
    except (ValueError, TypeError):  # no time; or one with a zone and one without
        return False
    return abs(age.total_seconds()) <= ECHO_SECONDS


@dataclass(frozen=True, slots=True)
class Events:
    """Keeps the index of one Genesys organization up to date with it."""

    client: GenesysClient
    store: IdentityStore
    sources: ExternalSources
    mapping: CrmMapping | None = None
    """The mapping of the CRM, which says in which fields Genesys' value survives."""
    _queue_ids: dict[str, str] = field(default_factory=dict)
    """Tier → id of its queue, as far as they were asked for."""

    def follow(self, contact_id: str) -> Following:
        """Bring a contact, or the one that it was merged into, to the index as Genesys has it now.

        Raises GenesysError, DynamoDBError, and OutdatedError when others keep changing it; it may be repeated.
        """
        return again(lambda: self._follow(contact_id))

    def _follow(self, contact_id: str) -> Following:
        heads, read = self.store.canonical([contact_id], consistent=True)
        try:
            shown = self.client.contacts.get(contact_id, expand=["identifiers"])
        except NotFoundError:
            return self._gone(contact_id, heads.get(contact_id))
        if shown["id"] != contact_id:
            return self._follow(shown["id"])
        stored = read.get(contact_id)
        if stored is None and shown.get("type") == EPHEMERAL:
            return Following.IGNORED
        if stored and stored.merged_into:
            # merged by the index alone, for instance because Genesys' answer to the merge was lost
            return Following.IGNORED
        merged = follow_merge(self.store, contact_id, merged_ids(shown))
        if (merged.generation if merged else 0) != (stored.generation if stored else 0):
            raise OutdatedError(f"contact {contact_id} was merged a moment ago")
        following = self._update(stored, shown)
        self._keep_ids(contact_id, merged_ids(shown))
        return following

    def _update(self, stored: Contact | None, shown: GenesysContact) -> Following:
        before = stored or Contact(shown["id"])
        in_genesys = self._identifiers(shown)
        claims = self.store.identifiers({*before.identifiers, *in_genesys}, consistent=True)
        gone = self._gone_from(before, set(in_genesys), claims)
        profile = profile_from_genesys(shown)
        if stored and before.is_fed_by_crm(claims):
            profile = self._surviving(before.profile, profile)
        changed = Adopting(self.client, self.store).adopt(
            shown,
            stored,
            profile=profile,
            identifiers=(*(each for each in before.identifiers if each not in gone), *in_genesys),
            records=claims,
            kind="event",
            because="changed in Genesys Cloud" if stored else "appeared in Genesys Cloud",
        )
        if not changed:
            return Following.UNCHANGED
        return Following.CHANGED if stored else Following.APPEARED

    def _surviving(self, before: Profile, shown: Profile) -> Profile:
        if self.mapping is None or not self.mapping.kept:
            return before
        profile = surviving(before, shown, self.mapping.kept)
        if profile.customer_tier == before.customer_tier:
            return replace(profile, assigned_queue_id=before.assigned_queue_id)
        return replace(profile, assigned_queue_id=self._queue_id(self.mapping, profile.customer_tier))

    def _queue_id(self, mapping: CrmMapping, tier: str) -> str:
        """Of the tier's queue; empty where the mapping names none, or Genesys has none of that name."""
        name = mapping.queues.get(tier)
        if name and tier not in self._queue_ids:
            found = self.client.organization.queue_named(name)
            self._queue_ids[tier] = found.id if found else ""
        return self._queue_ids.get(tier, "")

    def _gone_from(
        self, contact: Contact, in_genesys: set[Identifier], claims: Mapping[Identifier, IdentifierRecord]
    ) -> set[Identifier]:
        """What the contact no longer has in Genesys, without what a CRM says and what Genesys never had room for."""
        missing = {
            each
            for each in contact.identifiers
            if each not in in_genesys and not contact.sources_of(each, claims) & load_rules().external_sources.keys()
        }
        if not missing:
            return missing
        not_taken = without_field(self.store, contact)
        return {each for each in missing if each.key not in not_taken}

    def _identifiers(self, shown: GenesysContact) -> tuple[Identifier, ...]:
        """What the contact's fields show and what it has claimed, which after a merge can be more."""
        source_ids = self.sources.ids(client=self.client)
        keys = {source_id: key for key, source_id in source_ids.items()}
        claimed = (from_genesys(each, keys) for each in shown.get("identifiers") or [])
        found = (*identifiers_from_genesys(shown, source_ids), *claimed)
        kept = (each for each in found if isinstance(each, Identifier) and each.type is not IdentifierType.COOKIE)
        return tuple(dict.fromkeys(kept))

    def _keep_ids(self, contact_id: str, members: Iterable[str]) -> None:
        """Let ids that were merged before the index knew of them lead to the contact: conversations name them."""
        read = self.store.contacts({contact_id, *members}, consistent=True)
        unknown = [Contact(each) for each in members if each not in read]
        head = read.get(contact_id)
        if head and not head.merged_into and unknown:
            ids = [each.contact_id for each in unknown]
            decision = self.store.decision(contact_id, "merge", "merged in Genesys Cloud", contacts=ids)
            self.store.merge(head, unknown, decision=decision)

    def _gone(self, contact_id: str, head: Contact | None) -> Following:
        """Genesys has deleted it: none of its ids leads to a contact from now on, those merged into it included."""
        if head is None:
            return Following.IGNORED
        if head.contact_id != contact_id:
            return self._follow(head.contact_id)
        decision = self.store.decision(
            contact_id,
            "deletion",
            "deleted in Genesys Cloud",
            released=[each.key for each in head.identifiers],
            forgotten=list(head.merged_from),
        )
        self.store.remove(head, decision=decision)
        return Following.DELETED
