"""Creating in the conversation: a caller whom nothing was found of becomes a contact, in Genesys first, then here."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, cast

from cir.contacts.claiming import Claimed, claim
from cir.contacts.detaching import detach
from cir.contacts.organization import ExternalSources
from cir.contacts.reading import profile_from_genesys
from cir.crm.protected import find_protected, find_protected_id
from cir.genesys.client import GenesysClient
from cir.genesys.identifiers import held_by_genesys, to_genesys
from cir.genesys.models import Contact as GenesysContact
from cir.genesys.models import EnrichRequest, merged_ids
from cir.identity.identifiers import Identifier
from cir.identity.phone_life import NUMBERS, is_recycled
from cir.identity.records import CONVERSATION, Contact, IdentifierRecord
from cir.identity.rules import Assurance, IdentifierType, load_rules
from cir.identity.verdict import is_generic, is_shared
from cir.index.again import OutdatedError, again
from cir.index.store import AlreadyClaimedError, IdentityStore
from cir.index.tombstones import follow_merge
from cir.resolve.request import Presented

SOURCE = CONVERSATION
MAX_NAME = 100
"""Characters of a name that was typed or dictated; Genesys would take 1000."""


class CreateOutcome(StrEnum):
    """How creating has ended."""

    CREATED = "CREATED"
    EXISTS = "EXISTS"
    """Something given leads to a contact already: that one."""
    AMBIGUOUS = "AMBIGUOUS"
    """What was given leads to several contacts; a person has to decide."""
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Creation:
    """The result."""

    outcome: CreateOutcome
    explanation: str
    """One sentence, free of personal data."""
    contact_id: str = ""


@dataclass(frozen=True, slots=True)
class Creating:
    """Makes contacts. Done twice with the same identifiers, it is the same contact."""

    client: GenesysClient
    store: IdentityStore
    sources: ExternalSources

    def within(self, seconds: float) -> "Creating":
        """The same for work that must be over in so many seconds from now."""
        return replace(self, client=self.client.within(seconds))

    def create(
        self, presented: Sequence[Presented], *, first_name: str = "", last_name: str = "", conversation_id: str = ""
    ) -> Creation:
        """Make a contact of what a conversation has given. Raises GenesysError, DynamoDBError and OutdatedError."""
        for what, protected in (
            ("A name", find_protected(first_name) or find_protected(last_name)),
            ("An id", next(filter(None, (find_protected_id(each.identifier) for each in presented)), None)),
        ):
            if protected:
                return Creation(CreateOutcome.REFUSED, f"{what} looks like a {protected.name}; it is not stored.")
        presented = [each for each in presented if each.assurance > Assurance.NONE]
        if not presented:
            return Creation(CreateOutcome.REFUSED, "The number may be forged; no customer is created of it.")
        generic, owners, recycled = self._known(presented)
        identifying = [each for each in presented if each.identifier not in generic]
        if not any(held_by_genesys(each.identifier) for each in identifying):
            return Creation(CreateOutcome.REFUSED, "There was nothing given that belongs to one person.")
        if len(owners) == 1:
            return Creation(CreateOutcome.EXISTS, "What was given leads to a customer already.", owners.pop())
        if owners:
            text = f"What was given leads to {len(owners)} customers already."
            return Creation(CreateOutcome.AMBIGUOUS, text)
        for each, former in recycled.items():
            detach(self.client, self.store, former, each, now_of="")
        source_ids = self.sources.ids(
            client=self.client, needed=next((each.identifier.source for each in identifying), "")
        )
        unknown = sorted({each.identifier.source for each in identifying} - source_ids.keys() - {""})
        if unknown:
            return Creation(CreateOutcome.REFUSED, f"Genesys Cloud does not know the system {unknown[0]}.")
        shown, created = self._in_genesys(identifying, source_ids, first_name=first_name, last_name=last_name)
        not_taken = self._claim(shown["id"], identifying, source_ids)
        self._index(shown, identifying, not_taken, created=created, conversation_id=conversation_id)
        if created:
            return Creation(CreateOutcome.CREATED, "A new customer was created.", shown["id"])
        return Creation(CreateOutcome.EXISTS, "Genesys Cloud knew the customer already.", shown["id"])

    def _known(
        self, presented: Sequence[Presented]
    ) -> tuple[set[Identifier], set[str], dict[Identifier, list[Contact]]]:
        """The generic identifiers, the canonical contacts that the others lead to, and whose recycled numbers were.

        Something else than a number must say that it is another person.
        """
        records = self.store.identifiers({each.identifier for each in presented}, consistent=True)
        heads, _ = self.store.canonical({one for each in records.values() for one in each.claims}, consistent=True)
        generic = {each for each, record in records.items() if is_generic(record, heads)}
        # a function's mailbox is nobody's own, and so neither leads to its only known user nor makes a customer
        generic |= {each.identifier for each in presented if is_shared(IdentifierRecord(each.identifier, {}))}
        given = {each.identifier: each.assurance for each in presented if each.identifier not in generic}
        told = any(each.type not in NUMBERS for each in given)
        leading: set[str] = set()
        recycled: dict[Identifier, list[Contact]] = {}
        for each, record in records.items():
            owners = {heads[one].contact_id: heads[one] for one in record.claims if one in heads}
            if each in generic or not owners:
                continue
            if told and is_recycled(record, given[each]):
                recycled[each] = list(owners.values())
            else:
                leading |= owners.keys()
        return generic, leading, recycled

    def _in_genesys(
        self, identifying: Sequence[Presented], source_ids: Mapping[str, str], *, first_name: str, last_name: str
    ) -> tuple[GenesysContact, bool]:
        """The contact that Genesys has for one of the identifiers, promoted, or a new one."""
        own = (each for each in identifying if held_by_genesys(each.identifier))
        ordered = sorted(own, key=lambda each: load_rules().identifiers[each.identifier.type].priority)
        body = _body([each.identifier for each in ordered], source_ids)
        names = (("firstName", first_name), ("lastName", last_name))
        body |= {field: name.strip()[:MAX_NAME] for field, name in names if name.strip()}
        request: EnrichRequest = {
            "action": "Upsert",
            "matchingIdentifiers": [to_genesys(each.identifier, source_ids) for each in ordered],
            "contact": cast(GenesysContact, body),
            # what the contact has already was entered by a person
            "fieldRules": {"defaultAction": "PreferExisting", "defaultArrayAction": "Fill"},
            "options": {"promote": True},
        }
        return self.client.contacts.enrich(request)

    def _claim(
        self, contact_id: str, identifying: Sequence[Presented], source_ids: Mapping[str, str]
    ) -> set[Identifier]:
        """Claim all of them; returns those that Genesys does not take."""
        results = {
            each.identifier: claim(self.client, contact_id, to_genesys(each.identifier, source_ids))
            for each in identifying
            if held_by_genesys(each.identifier)
        }
        taken = {each for each, result in results.items() if result.how not in {Claimed.HELD, Claimed.NO_FIELD}}
        return {each.identifier for each in identifying} - taken

    def _index(
        self,
        shown: GenesysContact,
        identifying: Sequence[Presented],
        not_taken: AbstractSet[Identifier],
        *,
        created: bool,
        conversation_id: str,
    ) -> None:
        try:
            again(lambda: self._store(shown, identifying, not_taken, created=created, conversation_id=conversation_id))
        except AlreadyClaimedError:
            # Another contact has got it since it was looked up. Asked again, `create` finds that contact.
            raise OutdatedError(f"an identifier of contact {shown['id']} was claimed meanwhile") from None

    def _store(
        self,
        shown: GenesysContact,
        identifying: Sequence[Presented],
        not_taken: AbstractSet[Identifier],
        *,
        created: bool,
        conversation_id: str,
    ) -> None:
        """One transaction per level of assurance, which nearly always is one."""
        stored = follow_merge(self.store, shown["id"], merged_ids(shown))
        profile = stored.profile if stored else profile_from_genesys(shown)
        for assurance in sorted({each.assurance for each in identifying}, reverse=True):
            given = [each.identifier for each in identifying if each.assurance is assurance]
            before = stored or Contact(shown["id"], profile=profile)
            if stored and set(given) <= set(stored.identifiers):
                continue
            decision = self.store.decision(
                shown["id"],
                "create",
                "nothing was found of a caller" if created else "Genesys Cloud knew a caller of whom nothing was found",
                identifiers=[each.key for each in given],
                overflow=[each.key for each in given if each in not_taken],
                assurance=assurance.label,
                conversation_id=conversation_id,
            )
            contact = before.changed(identifiers=tuple(dict.fromkeys((*before.identifiers, *given))))
            self.store.put_contact(contact, previous=stored, decision=decision, source=SOURCE, assurance=assurance)
            stored = contact


def _body(identifiers: Iterable[Identifier], source_ids: Mapping[str, str]) -> dict[str, Any]:
    """Fields for the first of each kind; what else there is gets its field when it is claimed."""
    body: dict[str, Any] = {}
    for each in identifiers:
        match each.type:
            case IdentifierType.PHONE:
                body.setdefault("cellPhone", {"display": each.value})
            case IdentifierType.EMAIL:
                body.setdefault("personalEmail", each.value)
            case IdentifierType.EXTERNAL:
                entry = {"value": each.value, "externalSource": {"id": source_ids[each.source]}}
                body.setdefault("externalIds", []).append(entry)
    return body
