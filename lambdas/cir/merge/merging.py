"""Merging contacts that are one person: a plan that says all that will happen, then Genesys, then the index.

A merge may die anywhere. The plan is in the ledger before anything is done; what was started is finished by the next
`resume`, which asks Genesys whether the contacts have become one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cir.contacts.organization import ExternalSources
from cir.contacts.reading import identifiers_from_genesys
from cir.genesys.client import GenesysClient
from cir.genesys.contacts import MERGE_LIMIT
from cir.genesys.errors import GenesysError, NotFoundError
from cir.genesys.fields import PHONE_SLOTS
from cir.genesys.models import Contact as GenesysContact
from cir.genesys.models import merged_ids
from cir.identity.records import Contact, Profile
from cir.identity.rules import IdentifierType, load_rules
from cir.index.again import again
from cir.index.review import Case, Step, cases, entry
from cir.index.store import IdentityStore
from cir.merge.survivorship import LISTS, Combined, combine, part

MERGE_SET_LIMIT = 50
"""Genesys ends at 52 members of a merge tree; past it a customer can never be merged again."""
_AUTOMATIC = "automatic-merging"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why contacts are not merged."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What a merge would do. Plain data; it holds values of the customers."""

    contacts: tuple[str, ...]
    division: str
    combined: Combined
    identifiers: tuple[str, ...]
    """Keys of all that will lead to the merged contact."""
    overflow: tuple[str, ...]
    """Keys of those that lose their field in Genesys for want of room: the index keeps them."""
    refusals: tuple[Refusal, ...]
    differing: tuple[str, ...] = ()
    """External sources whose ids differ, with the reviewer's consent."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class MergeRefusedError(Exception):
    """The contacts may not be merged. The text says why."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(each.text for each in refusals))
        self.refusals = tuple(refusals)


@dataclass(slots=True)
class Merging:
    """Merges in one Genesys organization and its index."""

    client: GenesysClient
    store: IdentityStore
    sources: ExternalSources

    def plan(self, contact_ids: Iterable[str], *, differing: Iterable[str] = ()) -> MergePlan:
        """Work out a merge; nothing is done. `differing` names external sources whose ids may differ."""
        ids = tuple(dict.fromkeys(contact_ids))
        consent = tuple(sorted(set(differing)))
        stored = self.store.contacts(ids, consistent=True)
        shown = {each: found for each in ids if (found := self._shown(each))}
        refusals = [
            *_refused_number(ids),
            *(refusal for each in ids for refusal in _refused_one(each, stored.get(each), shown.get(each))),
            *_refused_together(list(shown.values())),
            *_refused_ids(stored.values(), consent),
        ]
        if self.client.organization.automatic_merging():
            text = "Genesys Cloud merges contacts by itself; switch its automatic merging off, or let it do the work"
            refusals.append(Refusal(_AUTOMATIC, text))
        claims = self.store.identifiers({each for one in stored.values() for each in one.identifiers}, consistent=True)
        combined = combine(
            part(shown[each], from_crm=each in stored and stored[each].is_fed_by_crm(claims))
            for each in ids
            if each in shown
        )
        united = {each.key: each for one in stored.values() for each in one.identifiers}
        source_ids = self.sources.ids(client=self.client)
        displaced = {
            found.key
            for loss in combined.losses
            for found in identifiers_from_genesys(_readable(loss.field, loss.value), source_ids)
        }
        return MergePlan(
            contacts=ids,
            division=next((found.get("division", {}).get("id", "") for found in shown.values()), ""),
            combined=combined,
            identifiers=tuple(sorted(united)),
            overflow=tuple(sorted(united.keys() & displaced)),
            refusals=tuple(refusals),
            differing=consent,
        )

    def merge(self, plan: MergePlan, *, by: str, because: str) -> str:
        """Carry a plan out; returns the id of the merged contact.

        Raises MergeRefusedError, and GenesysError or OutdatedError after which `resume` goes on.
        """
        if plan.refusals:
            raise MergeRefusedError(plan.refusals)
        started = entry(self.store, Step.MERGE_STARTED, plan.contacts, because, by=by, plan=plan.as_dict())
        self.store.record(started)
        return self._go_on(plan, by=by, because=because)

    def resume(self) -> dict[str, str]:
        """Finish what was started and has not come to its end: case → merged contact, empty where it cannot be."""
        started = [case for case in cases(self.store).values() if case.state is Step.MERGE_STARTED]
        return {case.key: self._resume(case) for case in started}

    def merge_automatically(self, waiting: Iterable[Case]) -> dict[str, str]:
        """Merge the cases that detection is sure of and that nothing speaks against: case → merged contact.

        All others are left for a person to look at, with the reason, and are not tried again.
        """
        merged = {}
        for case in waiting:
            if case.state is Step.CANDIDATE and any(each.get("proposal") == "merge" for each in case.evidence):
                plan = self._planned_automatically(case)
                if plan:
                    merged[case.key] = self.merge(plan, by="automatic", because=case.evidence[-1]["because"])
        return merged

    def _planned_automatically(self, case: Case) -> MergePlan | None:
        """The plan of a merge; None if it is refused. The index is asked first: a refusal by it costs no request."""
        stored = self.store.contacts(case.contacts, consistent=True)
        refusals = [*_refused_number(case.contacts), *_refused_ids(stored.values(), ())]
        if not refusals:
            plan = self.plan(case.contacts)
            refusals = [*plan.refusals]
            if not refusals:
                return plan
        if all(each.code != _AUTOMATIC for each in refusals):  # that is not about this case, and may pass
            reasons = "; ".join(each.text for each in refusals)
            self.store.record(entry(self.store, Step.MERGE_REFUSED, case.contacts, reasons, by="automatic"))
        return None

    def _resume(self, case: Case) -> str:
        details = case.details
        plan = self.plan(case.contacts, differing=details["plan"]["differing"])
        by, because = str(details["by"]), str(case.latest["because"])
        head = self._merged_already(case.contacts)
        if head:
            return self._index(plan, head["id"], by=by, because=because)
        if plan.refusals:
            reasons = "; ".join(each.text for each in plan.refusals)
            self.store.record(entry(self.store, Step.MERGE_REFUSED, case.contacts, reasons, by=by))
            return ""
        return self._go_on(plan, by=by, because=because)

    def _go_on(self, plan: MergePlan, *, by: str, because: str) -> str:
        try:
            head = self.client.contacts.merge(plan.contacts, value_override=plan.combined.body)
        except GenesysError as error:
            merged = self._merged_already(plan.contacts) if error.may_have_applied else None
            if merged is None:
                if not error.temporary:
                    self.store.record(entry(self.store, Step.MERGE_REFUSED, plan.contacts, str(error), by=by))
                raise
            head = merged
        return self._index(plan, head["id"], by=by, because=because)

    def _merged_already(self, contact_ids: Sequence[str]) -> GenesysContact | None:
        """The contact that all of them are by now in Genesys."""
        heads = [self._shown(each) for each in contact_ids]
        first = heads[0]
        if first is None or len({head["id"] if head else "" for head in heads}) > 1 or first["id"] in contact_ids:
            return None
        return first

    def _index(self, plan: MergePlan, head_id: str, *, by: str, because: str) -> str:
        """Merge them in the index as well; returns the id of the merged contact."""
        again(lambda: self._store(plan, head_id, by=by, because=because))
        return head_id

    def _store(self, plan: MergePlan, head_id: str, *, by: str, because: str) -> None:
        """In one transaction. If the event of the merge was quicker, only the case is left to be closed."""
        stored = self.store.contacts([head_id, *plan.contacts], consistent=True)
        winner = stored.pop(head_id, None)
        losers = [contact for contact in stored.values() if not contact.merged_into]
        merged = entry(self.store, Step.MERGED, plan.contacts, because, by=by, merged_into=head_id)
        if not losers:
            self.store.record(merged)
            return
        decision = self.store.decision(
            head_id,
            "merge",
            because,
            by=by,
            contacts=sorted(stored),
            identifiers=list(plan.identifiers),
            overflow=list(plan.overflow),
            survivors={each.field: each.rule for each in plan.combined.survivors},
        )
        before = winner or Contact(head_id, profile=self._profile(losers))
        self.store.merge(before, losers, decision=decision, also=[merged])

    def _profile(self, contacts: Sequence[Contact]) -> Profile:
        claims = self.store.identifiers({each for one in contacts for each in one.identifiers}, consistent=True)
        ranked = sorted(contacts, key=lambda each: (not each.is_fed_by_crm(claims), each.contact_id))
        return combined_profile([each.profile for each in ranked])

    def _shown(self, contact_id: str) -> GenesysContact | None:
        try:
            return self.client.contacts.get(contact_id)
        except NotFoundError:
            return None


def combined_profile(ranked: Sequence[Profile]) -> Profile:
    """Each field from the first that has it; the names of one person stay together."""
    named = next((each for each in ranked if each.display_name), Profile())
    found = {name: next(filter(None, (asdict(each)[name] for each in ranked)), "") for name in asdict(Profile())}
    return Profile(**{**found, "display_name": named.display_name, "first_name": named.first_name})


def _readable(field: str, value: Any) -> Any:
    """A contact with this one value, as it would be read: numbers have their E.164, lists are lists."""
    if field in PHONE_SLOTS:
        return {field: {**value, "e164": value["display"]}}
    return {field: [value] if field in LISTS else value}


def _refused_number(ids: Sequence[str]) -> Iterable[Refusal]:
    if len(ids) < 2:
        yield Refusal("same-contact", "a merge takes at least two different contacts")
    if len(ids) > MERGE_LIMIT:
        yield Refusal("too-many", f"{len(ids)} contacts at once; Genesys Cloud merges {MERGE_LIMIT} at most")


def _refused_one(contact_id: str, stored: Contact | None, shown: GenesysContact | None) -> Iterable[Refusal]:
    if stored is None:
        yield Refusal("unknown", f"contact {contact_id} is not in the index")
    elif stored.merged_into:
        yield Refusal("merged", f"contact {contact_id} was merged into {stored.merged_into} before")
    if shown is None:
        yield Refusal("unknown", f"contact {contact_id} is not in Genesys Cloud")
    elif shown["id"] != contact_id and not (stored and stored.merged_into):
        yield Refusal("merged", f"contact {contact_id} was merged into {shown['id']} in Genesys Cloud before")


def _refused_together(shown: Sequence[GenesysContact]) -> Iterable[Refusal]:
    divisions = {each.get("division", {}).get("id", "") for each in shown}
    if len(divisions) > 1:
        yield Refusal("divisions", "they are in different divisions, which Genesys Cloud does not merge across")
    size = 1 + sum(len(merged_ids(each)) or 1 for each in shown)
    if size > MERGE_SET_LIMIT:
        text = f"the merge tree would have {size} members; {MERGE_SET_LIMIT} is the most, and Genesys Cloud ends at 52"
        yield Refusal("merge-set", text)


def _refused_ids(stored: Iterable[Contact], consent: Sequence[str]) -> Iterable[Refusal]:
    """Two ids of one system are two of its customers, unless a person who has looked at them says otherwise."""
    ids: dict[str, set[str]] = {}
    for contact in stored:
        for each in contact.identifiers:
            if each.type is IdentifierType.EXTERNAL:
                ids.setdefault(each.source, set()).add(each.match)
    for source in sorted(source for source, values in ids.items() if len(values) > 1 and source not in consent):
        name = load_rules().external_sources[source].name
        yield Refusal(f"different-ids:{source}", f"{name} knows them under different ids")
