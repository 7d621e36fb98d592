"""Undoing a merge: what was merged away becomes a contact again, in Genesys Cloud and in the index.

Genesys Cloud cannot undo a merge. So a new contact is made there of what the old one was, and in the index the old id
leads to the new contact from then on. Like a merge it may die anywhere: the plan is in the ledger first, and `resume`
carries it out again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from cir.contacts.claiming import claim
from cir.contacts.detaching import take_off
from cir.contacts.organization import ExternalSources
from cir.contacts.reading import identifiers_from_genesys
from cir.genesys.client import GenesysClient
from cir.genesys.errors import NotFoundError
from cir.genesys.fields import EMAIL_SLOTS, PHONE_SLOTS
from cir.genesys.identifiers import forms_in_genesys, held_by_genesys, to_genesys
from cir.genesys.models import Contact as GenesysContact
from cir.genesys.models import ContactIdentifier, EnrichRequest, PatchChange
from cir.identity.identifiers import Identifier, from_key
from cir.identity.records import Claim, Contact, Profile
from cir.identity.rules import Assurance, IdentifierType
from cir.index.again import again
from cir.index.review import Case, Step, cases, entry
from cir.index.store import IdentityStore
from cir.index.tombstones import strongest
from cir.merge.merging import Refusal, combined_profile
from cir.merge.survivorship import SINGLE, combine, part, same

CLOCK_SKEW = timedelta(minutes=5)
"""How far Genesys' clock may be behind ours."""
_SLOTS = (*PHONE_SLOTS, *EMAIL_SLOTS)


class SplitRefusedError(Exception):
    """The merge cannot be undone. The text says why."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(each.text for each in refusals))
        self.refusals = tuple(refusals)


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """What a split would do. Plain data; it holds values of the customers."""

    contact: str
    """The canonical contact, which keeps its id and the rest."""
    part: str
    """The id that was merged away and gets a contact of its own again."""
    division: str = ""
    moved: Mapping[str, str] = field(default_factory=dict)
    """Identifiers, by key, that only the part had."""
    shared: Mapping[str, str] = field(default_factory=dict)
    """Identifiers that both had: both keep them."""
    claimed: tuple[str, ...] = ()
    """Keys of the moved ones that the contact holds in Genesys: what the new contact is found by, once it is made."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """The new contact's fields."""
    restored: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the contact that were the part's, with what they were without it; None where they were empty."""
    cannot_be_restored: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "SplitPlan":
        refusals = tuple(Refusal(**each) for each in data["refusals"])
        tuples = {name: tuple(data[name]) for name in ("claimed", "cannot_be_restored")}
        return cls(**{**data, **tuples, "refusals": refusals})

    @property
    def moved_identifiers(self) -> tuple[Identifier, ...]:
        return tuple(from_key(*each) for each in self.moved.items())

    @property
    def shared_identifiers(self) -> tuple[Identifier, ...]:
        return tuple(from_key(*each) for each in self.shared.items())


@dataclass(slots=True)
class Splitting:
    """Undoes merges in one Genesys organization and its index."""

    client: GenesysClient
    store: IdentityStore
    sources: ExternalSources

    def plan(self, part_id: str) -> SplitPlan:
        """Work out how a contact that was merged away is brought back; nothing is done.

        One that was brought back before and merged again is now that other contact: `part` of the plan is its id.
        """
        heads, read = self.store.canonical([part_id], consistent=True)
        whole, gone = heads.get(part_id), read.get(part_id)
        if whole is None or gone is None:
            return _refused(part_id, "", "unknown", f"contact {part_id} is not in the index")
        if whole.contact_id == part_id:
            choices = f"; merged into it were {', '.join(whole.merged_from)}" if whole.merged_from else ""
            return _refused(part_id, part_id, "canonical", f"contact {part_id} was not merged into another{choices}")
        gone = self._brought_back(whole, gone)
        part_id = gone.contact_id
        if not set(whole.merged_from) - {part_id, *gone.merged_from}:
            text = f"contact {part_id} is all that {whole.contact_id} was made of"
            return _refused(part_id, whole.contact_id, "alone", text)
        try:
            before = self.client.contacts.get_unresolved(part_id)
            now = self.client.contacts.get(whole.contact_id)
        except NotFoundError:
            return _refused(part_id, whole.contact_id, "deleted", "Genesys Cloud has deleted the contact")
        rest = self._rest(whole, gone)
        remaining = {each for one in rest for each in one.identifiers}
        own = [each for each in gone.identifiers if each in whole.identifiers]
        moved = [each for each in own if each not in remaining]
        released = [each for each in gone.identifiers if each not in whole.identifiers]
        if not own:
            return _refused(
                part_id, whole.contact_id, "nothing", "nothing leads to it any more that could be given back"
            )
        held = self.client.contacts.identifiers(whole.contact_id)
        source_ids = self.sources.ids(client=self.client)
        fields = dict(part(before, from_crm=False).fields)
        fields.pop("modifyDate")
        return SplitPlan(
            contact=whole.contact_id,
            part=part_id,
            division=now.get("division", {}).get("id", ""),
            moved={each.key: each.value for each in moved},
            shared={each.key: each.value for each in own if each in remaining},
            claimed=tuple(
                each.key
                for each in moved
                if held_by_genesys(each) and any(_is_among(form, held) for form in forms_in_genesys(each, source_ids))
            ),
            body=self._showing(fields, own),
            restored=self._restored(fields, now, whole, rest),
            cannot_be_restored=_statement(whole.contact_id, released),
        )

    def split(self, plan: SplitPlan, *, by: str, because: str) -> str:
        """Carry a plan out; returns the id of the contact that is new in Genesys.

        Raises SplitRefusedError, and GenesysError or OutdatedError after which `resume` goes on.
        """
        if plan.refusals:
            raise SplitRefusedError(plan.refusals)
        started = entry(self.store, Step.SPLIT_STARTED, (plan.contact, plan.part), because, by=by, plan=plan.as_dict())
        self.store.record(started)
        return self._go_on(plan, started.at, by=by, because=because)

    def resume(self) -> dict[str, str]:
        """Finish what was started: case → contact that is new."""
        started = [case for case in cases(self.store).values() if case.state is Step.SPLIT_STARTED]
        return {case.key: self._resume(case) for case in started}

    def _resume(self, case: Case) -> str:
        return self._go_on(
            SplitPlan.from_dict(case.details["plan"]),
            str(case.latest["at"]),
            by=str(case.details["by"]),
            because=str(case.latest["because"]),
        )

    def _go_on(self, plan: SplitPlan, started_at: str, *, by: str, because: str) -> str:
        source_ids = self.sources.ids(client=self.client)
        take_off(self.client, plan.contact, plan.moved_identifiers, source_ids)
        created = self._created(plan, started_at)
        for each in filter(held_by_genesys, plan.moved_identifiers):
            # Genesys may not take it, since another contact has it or no field is free: the index knows both contacts
            claim(self.client, created["id"], to_genesys(each, source_ids))
        self._restore(plan)
        again(lambda: self._index(plan, created["id"], by=by, because=because))
        return created["id"]

    def _created(self, plan: SplitPlan, started_at: str) -> GenesysContact:
        """The part's new contact: made, or found where it was made already."""
        source_ids = self.sources.ids(client=self.client)
        matching = [to_genesys(from_key(key, plan.moved[key]), source_ids) for key in plan.claimed]
        found = None if matching else self._made_already(plan, started_at)
        if found:
            return found
        request: EnrichRequest = {
            "action": "Upsert",
            # where nothing is its own that it could be found by: a name that no other contact has
            "matchingIdentifiers": matching or [{"type": "Cookie", "value": f"cir-split-{plan.part}"}],
            "contact": cast(GenesysContact, dict(plan.body)),
            "options": {"promote": True},
        }
        if plan.division:
            request["division"] = {"id": plan.division}
        return self.client.contacts.enrich(request).contact

    def _made_already(self, plan: SplitPlan, started_at: str) -> GenesysContact | None:
        earliest = (datetime.fromisoformat(started_at) - CLOCK_SKEW).astimezone(UTC)
        for each in plan.shared_identifiers:
            if each.type not in {IdentifierType.PHONE, IdentifierType.EMAIL}:
                continue
            for found in self.client.contacts.find_all(each.value):
                made = datetime.fromisoformat(found.get("createDate", "1970-01-01T00:00:00Z"))
                fields = {**part(found, from_crm=False).fields}
                fields.pop("modifyDate")
                if found["id"] != plan.contact and made >= earliest and same(fields, dict(plan.body)):
                    return found
        return None

    def _restore(self, plan: SplitPlan) -> None:
        """Give the contact back the fields that it had without the part, unless they were changed since."""
        now = part(self.client.contacts.get(plan.contact), from_crm=False).fields
        taken = [now[name] for name in _SLOTS if name in now]
        changes: list[PatchChange] = []
        for name, value in plan.restored.items():
            if same(now.get(name), value) or (name in _SLOTS and (name in now or any(same(value, x) for x in taken))):
                continue
            if value is None:
                changes.append({"field": f"$.{name}", "action": "Remove"})
            else:
                changes.append({"field": f"$.{name}", "action": "Update", "value": value})
        if changes:
            self.client.contacts.patch(plan.contact, changes)

    def _index(self, plan: SplitPlan, new_id: str, *, by: str, because: str) -> None:
        heads, read = self.store.canonical([plan.part], consistent=True)
        whole, gone = heads[plan.part], read[plan.part]
        details = {"by": by, "part": plan.part, "new_contact": new_id, "contact": whole.contact_id}
        ended = entry(self.store, Step.SPLIT, (plan.contact, plan.part), because, **details)
        if whole.contact_id == new_id:
            self.store.record(ended)
            return
        followers = self.store.contacts(set(gone.merged_from) & set(whole.merged_from), consistent=True)
        group = {gone.contact_id: gone, **followers}
        before = self.store.contacts([new_id], consistent=True).get(new_id) or Contact(new_id)
        own = (*plan.moved_identifiers, *plan.shared_identifiers)
        records = self.store.identifiers({*own, *before.identifiers}, consistent=True)
        claims: dict[Identifier, Mapping[str, Claim]] = {}
        for each in own:
            record = records.get(each)
            theirs = whole.owners | before.owners
            had = record.claims if record else {}
            others = {owner: known for owner, known in had.items() if owner not in theirs}
            if (others and each.exclusive) or (record and record.overflowed):
                continue
            now = self.store.decision(new_id, "split", because).at
            evidence = strongest(known for owner, known in had.items() if owner in theirs)
            evidence = evidence or Claim("genesys", Assurance.CLAIMED, now, now)
            both = {whole.contact_id: evidence} if each.key in plan.shared else {}
            claims[each] = {**others, **both, new_id: evidence}
        rest_profile = combined_profile([each.profile for each in self._rest(whole, gone)])
        self.store.split(
            before.changed(
                profile=gone.profile,
                identifiers=tuple(dict.fromkeys((*before.identifiers, *own))),
                merged_from=tuple(dict.fromkeys((*before.merged_from, *group))),
            ),
            whole.changed(
                profile=_profile_without(whole.profile, gone.profile, rest_profile),
                identifiers=tuple(each for each in whole.identifiers if each.key not in plan.moved),
                merged_from=tuple(each for each in whole.merged_from if each not in group),
                fingerprint="",
            ),
            [each.changed(merged_into=new_id) for each in group.values()],
            claims=claims,
            read=records,
            decisions=[
                self.store.decision(new_id, "split", because, **details, identifiers=[each.key for each in own]),
                self.store.decision(whole.contact_id, "split", because, **details, moved=list(plan.moved)),
                ended,
                entry(self.store, Step.SPLIT, (whole.contact_id, new_id), because, **details),
            ],
        )

    def _brought_back(self, whole: Contact, gone: Contact) -> Contact:
        """The contact as which an earlier split has brought the part back, if that was merged since; else the part."""
        members = self.store.contacts(whole.merged_from, consistent=True).values()
        while newer := next((each for each in members if _is_brought_back(each, gone)), None):
            gone = newer
        return gone

    def _rest(self, whole: Contact, gone: Contact) -> list[Contact]:
        """What the contact was merged from besides: the contacts that were not made by a merge themselves."""
        group = {gone.contact_id, *gone.merged_from}
        others = self.store.contacts([each for each in whole.merged_from if each not in group], consistent=True)
        return [each for each in others.values() if not each.merged_from]

    def _restored(
        self, gone: Mapping[str, Any], now: GenesysContact, whole: Contact, rest: Sequence[Contact]
    ) -> dict[str, Any]:
        target = combine(
            part(self.client.contacts.get_unresolved(each.contact_id), from_crm=bool(each.fingerprint)) for each in rest
        ).body
        wanted: Mapping[str, Any] = {**target}
        shown = part(now, from_crm=False).fields
        restored: dict[str, Any] = {}
        for name in (*SINGLE, "customFields"):
            if same(shown.get(name), gone.get(name)) and not same(shown.get(name), wanted.get(name)):
                restored[name] = wanted.get(name)
        # fields that the part's numbers leave empty, for numbers that are still there
        slots = {name: wanted[name] for name in _SLOTS if name in wanted}
        return restored | self._showing(slots, whole.identifiers)

    def _showing(self, fields: dict[str, Any], identifiers: Iterable[Identifier]) -> dict[str, Any]:
        """The fields without other identifiers than these: they were taken away or split off since the merge."""
        wanted = set(identifiers)

        def keeps(name: str, value: Any) -> bool:
            shown: Any = {name: {**value, "e164": value.get("display")} if name in PHONE_SLOTS else value}
            return wanted.issuperset(identifiers_from_genesys(shown, self.sources.ids(client=self.client)))

        kept: dict[str, Any] = {}
        for name, value in fields.items():
            if isinstance(value, list):
                value = [each for each in value if keeps(name, [each])]  # noqa: PLW2901
            if value and keeps(name, value):
                kept[name] = value
        return kept


def _is_brought_back(contact: Contact, gone: Contact) -> bool:
    """Whether a contact is nothing but what another was: that and what had been merged into it lead to it."""
    before = {gone.contact_id, *gone.merged_from}
    return (
        contact.contact_id not in before
        and gone.contact_id in contact.merged_from
        and before.issuperset(contact.merged_from)
    )


def _profile_without(now: Profile, gone: Profile, rest: Profile) -> Profile:
    """The profile with what came from the part as it would be without it."""
    differing = [name for name, value in asdict(now).items() if value == asdict(gone)[name]]
    return replace(now, **{name: asdict(rest)[name] for name in differing})


def _is_among(identifier: ContactIdentifier, held: Iterable[ContactIdentifier]) -> bool:
    """Whether it is one of those that a contact holds; Genesys shows e-mail addresses and names in lower case."""

    def told(each: ContactIdentifier) -> tuple[str, str, str]:
        return (each["type"], each["value"].casefold(), each.get("externalSource", {"id": ""})["id"])

    return told(identifier) in {told(each) for each in held}


def _statement(contact_id: str, released: Sequence[Identifier]) -> tuple[str, ...]:
    lines = [
        f"Conversations, notes and journeys stay with contact {contact_id}: Genesys Cloud cannot move them.",
        "The contact that comes back has a new id. In the index the old id leads to it, in Genesys Cloud it does not.",
    ]
    if released:
        number = f"{len(released)} identifier" + ("s" if len(released) > 1 else "")
        lines.append(f"{number} taken away since the merge will not come back.")
    return tuple(lines)


def _refused(part_id: str, contact_id: str, code: str, text: str) -> SplitPlan:
    return SplitPlan(contact=contact_id, part=part_id, refusals=(Refusal(code, text),))
