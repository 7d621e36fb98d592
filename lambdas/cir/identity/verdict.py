"""From what each identifier led to, to one verdict. Pure: the same evidence in any order gives the same verdict."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from cir.identity.identifiers import Identifier
from cir.identity.records import Contact, IdentifierRecord
from cir.identity.rules import Assurance, IdentifierType, load_rules

_KNOWN_BY_HEART = frozenset(
    {IdentifierType.PHONE, IdentifierType.EMAIL, IdentifierType.WHATSAPP, IdentifierType.TWITTER}
)


class Outcome(StrEnum):
    """What a resolution came to."""

    RESOLVED = "RESOLVED"
    AMBIGUOUS = "AMBIGUOUS"
    CONFLICT = "CONFLICT"
    NOT_FOUND = "NOT_FOUND"
    BLOCKED = "BLOCKED"
    DEGRADED = "DEGRADED"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one presented value led to."""

    label: str
    """The identifier's type, or `contactId`."""
    contact_ids: tuple[str, ...]
    """Canonical candidates; empty for an unknown value and for a generic one."""
    count: int
    generic: bool
    ask_for: str
    exclusive: bool
    assurance: Assurance
    priority: int
    faded: bool = False
    """A number that nobody has seen with the contact for long: it leads there, and contradicts nothing."""

    @property
    def strength(self) -> tuple[bool, bool, bool, int, int, str, tuple[str, ...], int]:
        """The order in which evidence decides, strongest first.

        Ids of one person, then what is not too old, then values that lead to one contact only, then what is better
        vouched for, then the type's priority; of equals always the same one.
        """
        return (
            not self.exclusive,
            self.faded,
            len(self.contact_ids) != 1,
            -self.assurance,
            self.priority,
            self.label,
            self.contact_ids,
            self.count,
        )

    def to_plain(self) -> dict[str, Any]:
        """For the trace: contact ids and facts of the type, no value of the customer's."""
        return {**asdict(self), "contact_ids": list(self.contact_ids), "assurance": self.assurance.label}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Evidence":
        known = {"contact_ids": tuple(plain["contact_ids"]), "assurance": Assurance[plain["assurance"].upper()]}
        return cls(**{**plain, **known})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision, and why."""

    outcome: Outcome
    contact_id: str = ""
    matched_by: tuple[str, ...] = ()
    candidate_count: int = 0
    ask_for: str = ""
    assurance: Assurance = Assurance.NONE
    conflicting: tuple[str, ...] = ()
    """Other contacts that a weaker value led to: candidates for a merge."""
    ignored: tuple[tuple[str, str], ...] = ()
    """(label, reason) of evidence that did not take part."""


def decide(evidence: Iterable[Evidence]) -> Verdict:
    """Start from the strongest evidence and narrow its candidates by each weaker one that agrees with it.

    Weaker evidence that leads to exactly one other contact is a conflict: the stronger answers. A shared value of other
    people is no contradiction (somebody calls from a friend's office) and is ignored.
    """
    ordered = sorted(evidence, key=lambda each: each.strength)
    ignored = [(each.label, "generic") for each in ordered if each.generic]
    ignored += [(each.label, "unknown") for each in ordered if not each.contact_ids and not each.generic]
    deciding = [each for each in ordered if each.contact_ids]
    if not deciding:
        return _undecided(ordered, tuple(ignored))
    candidates = set(deciding[0].contact_ids)
    matched: list[Evidence] = []
    conflicting: list[str] = []
    for each in deciding:
        agreed = candidates & set(each.contact_ids)
        if agreed:
            candidates = agreed
            matched.append(each)
        elif each.faded:
            ignored.append((each.label, "not seen with that contact for long"))
        elif len(each.contact_ids) == 1:
            conflicting += each.contact_ids
        else:
            ignored.append((each.label, "shared by others"))
    labels = tuple(dict.fromkeys(each.label for each in matched))
    if len(candidates) > 1:
        return Verdict(
            Outcome.AMBIGUOUS,
            matched_by=labels,
            candidate_count=len(candidates),
            ask_for=next((each.ask_for for each in matched if each.ask_for), ""),
            ignored=tuple(ignored),
        )
    return Verdict(
        Outcome.CONFLICT if conflicting else Outcome.RESOLVED,
        contact_id=candidates.pop(),
        matched_by=labels,
        candidate_count=1 + len(set(conflicting)),
        # whoever vouches for an old number vouches for who has it now
        assurance=max(min(each.assurance, Assurance.CLAIMED) if each.faded else each.assurance for each in matched),
        conflicting=tuple(dict.fromkeys(conflicting)),
        ignored=tuple(ignored),
    )


def _undecided(ordered: Sequence[Evidence], ignored: tuple[tuple[str, str], ...]) -> Verdict:
    shared = [each for each in ordered if each.generic]
    if not shared:
        return Verdict(Outcome.NOT_FOUND, ignored=ignored)
    return Verdict(
        Outcome.AMBIGUOUS,
        matched_by=tuple(dict.fromkeys(each.label for each in shared)),
        candidate_count=min(each.count for each in shared),
        ask_for=next((each.ask_for for each in shared if each.ask_for), ""),
        ignored=ignored,
    )


def best_question(shared: Identifier, candidates: Iterable[Contact]) -> str:
    """What to ask for to tell the candidates of a shared value apart; empty when nothing would.

    The kind of identifier by which most of them can be told from all others, as the name of the resolver's input
    (`email`, `whatsapp`, `ani` for another phone) or, for an external id that customers know, its source (`loyalty`).
    Of equal ones the type with the better priority wins.
    """
    rules = load_rules()
    owners: dict[Identifier, set[str]] = defaultdict(set)
    for contact in candidates:
        for identifier in contact.identifiers:
            owners[identifier].add(contact.contact_id)
    told_apart: dict[tuple[IdentifierType, str], set[str]] = defaultdict(set)
    for identifier, contact_ids in owners.items():
        if len(contact_ids) == 1 and identifier != shared and _can_be_asked(identifier):
            told_apart[identifier.type, identifier.source] |= contact_ids
    if not told_apart:
        return ""
    kind, source = min(
        told_apart, key=lambda each: (-len(told_apart[each]), rules.identifiers[each[0]].priority, each[1])
    )
    return source or ("ani" if kind is IdentifierType.PHONE else kind.value)


def _can_be_asked(identifier: Identifier) -> bool:
    if identifier.type is not IdentifierType.EXTERNAL:
        return identifier.type in _KNOWN_BY_HEART
    source = load_rules().external_sources.get(identifier.source)
    return source is not None and source.known_to_customer


def is_generic(record: IdentifierRecord, heads: Mapping[str, Contact]) -> bool:
    """Whether an identifier leads to too many canonical contacts to mean any of them.

    It is worked out from the claims each time, so that a value is demoted by the claim, or the split, that makes them
    too many, and promoted again by the release or merge after which they are not.
    """
    contacts = {heads[owner].contact_id for owner in record.claims if owner in heads}
    return record.overflowed or len(contacts) > load_rules().identifiers[record.identifier.type].generic_above
