"""From what each identifier led to, to one verdict. Pure: the same evidence in any order gives the same verdict."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cir.identity.identifiers import Identifier
from cir.identity.parsing.emails import is_functional
from cir.identity.records import Contact, IdentifierRecord
from cir.identity.rules import Assurance, IdentifierType, load_rules

_KNOWN_BY_HEART = frozenset(
    {IdentifierType.PHONE, IdentifierType.EMAIL, IdentifierType.WHATSAPP, IdentifierType.TWITTER}
)
_HIGHEST_FIRST = tuple(sorted(Assurance, reverse=True))
_ADDRESSES_OF_THE_CONVERSATION = frozenset({IdentifierType.PHONE, IdentifierType.WHATSAPP, "contactId"})


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
    """How far it is vouched for that the caller has the value. NONE: its signature failed, so it may be forged."""
    priority: int
    faded: bool = False
    """A number that nobody has seen with the contact for long: it leads there, and contradicts nothing."""
    unproven: tuple[str, ...] = ()
    """Those of the contacts that have the value on a caller's word alone."""
    shared: bool = False
    """Others than the known ones have it as well: a switchboard, a functional mailbox. It tells candidates apart and
    never decides, vouches or contradicts."""

    @property
    def single(self) -> bool:
        """Whether it leads to one contact and nobody else."""
        return len(self.contact_ids) == 1 and not self.shared

    def level(self, contact_id: str) -> Assurance:
        """How far it may be trusted that the caller is this contact: no more than the claim that the value meets.

        Whoever vouches for an old number vouches for who has it now.
        """
        if contact_id not in self.contact_ids:
            return Assurance.NONE
        weak = self.faded or contact_id in self.unproven
        return min(self.assurance, Assurance.CLAIMED) if weak else self.assurance

    @property
    def strength(self) -> tuple[object, ...]:
        """The order in which evidence decides, strongest first.

        Ids of one person, then what is not too old, then values that lead to one contact only, then what is better
        vouched for, then the type's priority; of equals always the same one.
        """
        return (
            not (self.exclusive and self.single),
            self.faded,
            not self.single,
            -max((self.level(each) for each in self.contact_ids), default=self.assurance),
            self.priority,
            self.label,
            self.contact_ids,
            self.count,
            self.unproven,
            self.assurance,
            self.ask_for,
            self.shared,
        )

    def to_plain(self) -> dict[str, Any]:
        """For the trace: contact ids and facts of the type, no value of the customer's."""
        lists = {"contact_ids": list(self.contact_ids), "unproven": list(self.unproven)}
        return {name: getattr(self, name) for name in self.__slots__} | lists | {"assurance": self.assurance.label}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Evidence":
        """Of this release's trace or of an older one's."""
        known = {name: tuple(plain.get(name, ())) for name in ("contact_ids", "unproven")}
        return cls(**{**plain, **known, "assurance": Assurance[plain["assurance"].upper()]})


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


@dataclass(slots=True)
class _Narrowed:
    """The candidates that are left when all evidence was heard, and what became of it."""

    candidates: set[str]
    matched: list[Evidence]
    against: list[Evidence]
    """Evidence of exactly one other contact."""
    ignored: list[tuple[str, str]]


def decide(evidence: Iterable[Evidence]) -> Verdict:
    """Start from the strongest evidence and narrow its candidates by each weaker one that agrees with it.

    Weaker evidence that leads to exactly one other contact is a conflict. The stronger answers, unless two independent
    pieces speak for the other one. A shared value of other people is no contradiction (somebody calls from a friend's
    office) and is ignored; so is a value that may be forged, beside any other.
    """
    ordered = sorted(evidence, key=lambda each: each.strength)
    ignored = [(each.label, "generic") for each in ordered if each.generic]
    ignored += [(each.label, "unknown") for each in ordered if not each.contact_ids and not each.generic]
    leading = [each for each in ordered if each.contact_ids]
    deciding = [each for each in leading if each.assurance > Assurance.NONE] or leading
    ignored += [(each.label, "its signature failed") for each in leading if each not in deciding]
    if not deciding:
        return _undecided(ordered, tuple(ignored))
    narrowed = _narrow(deciding)
    other = _outweighing(deciding, narrowed)
    if other:
        narrowed = _narrow(sorted(deciding, key=lambda each: other not in each.contact_ids))
    labels = tuple(dict.fromkeys(each.label for each in narrowed.matched))
    ignored += narrowed.ignored
    if len(narrowed.candidates) > 1 or all(each.shared for each in narrowed.matched):
        return Verdict(
            Outcome.AMBIGUOUS,
            matched_by=labels,
            candidate_count=len(narrowed.candidates),
            ask_for=next((each.ask_for for each in narrowed.matched if each.ask_for), ""),
            ignored=tuple(ignored),
        )
    contact_id = narrowed.candidates.pop()
    conflicting = tuple(dict.fromkeys(one for each in narrowed.against for one in each.contact_ids))
    return Verdict(
        Outcome.CONFLICT if conflicting else Outcome.RESOLVED,
        contact_id=contact_id,
        matched_by=labels,
        candidate_count=1 + len(conflicting),
        assurance=_assurance(contact_id, narrowed),
        conflicting=conflicting,
        ignored=tuple(ignored),
    )


def _narrow(deciding: Sequence[Evidence]) -> _Narrowed:
    narrowed = _Narrowed(set(deciding[0].contact_ids), [], [], [])
    for each in deciding:
        agreed = narrowed.candidates & set(each.contact_ids)
        if agreed:
            narrowed.candidates = agreed
            narrowed.matched.append(each)
        elif each.faded:
            narrowed.ignored.append((each.label, "not seen with that contact for long"))
        elif each.single:
            narrowed.against.append(each)
        else:
            narrowed.ignored.append((each.label, "shared by others"))
    return narrowed


def _outweighing(deciding: Sequence[Evidence], narrowed: _Narrowed) -> str:
    """The contact whom more independent pieces of evidence speak for than for the one that the strongest led to."""
    if not narrowed.against:
        return ""
    leader = _voices(deciding, next(iter(narrowed.candidates))) if len(narrowed.candidates) == 1 else (0, 0)
    others = {one for each in narrowed.against for one in each.contact_ids}
    voices = {one: _voices(deciding, one) for one in others}
    # what callers choose themselves never outweighs what the network vouches for
    heard = [one for one, (vouched, all_) in voices.items() if all_ > max(1, leader[1]) and vouched >= leader[0]]
    return min(heard, key=lambda one: ([-count for count in voices[one]], one), default="")


def _voices(deciding: Iterable[Evidence], contact_id: str) -> tuple[int, int]:
    """How many independent pieces speak for a contact: those that are vouched for, and all.

    Only what leads to this contact alone counts, not what a household shares. Two of one kind count once, and all that
    the caller has chosen to say is one voice.
    """
    own = [each for each in deciding if each.single and contact_id in each.contact_ids and not each.faded]
    vouched = {_kind(each) for each in own if each.level(contact_id) >= Assurance.ATTESTED}
    said = {_kind(each) for each in own} - vouched
    return len(vouched), len(vouched) + bool(said)


def _kind(evidence: Evidence) -> str:
    """A WhatsApp account is a telephone number, and Genesys links a conversation's contact by where it comes from."""
    return IdentifierType.PHONE if evidence.label in _ADDRESSES_OF_THE_CONVERSATION else evidence.label


def _assurance(contact_id: str, narrowed: _Narrowed) -> Assurance:
    """The highest level at which the evidence of that level or more, alone, leads to this contact and to no other."""
    for level in _HIGHEST_FIRST:
        # what others share tells candidates apart at best
        matched = (each for each in narrowed.matched if not each.shared or level <= Assurance.CLAIMED)
        alone = [set(each.contact_ids) for each in matched if each.level(contact_id) >= level]
        doubted = any(each.level(*each.contact_ids) >= level > Assurance.CLAIMED for each in narrowed.against)
        if alone and set.intersection(*alone) == {contact_id} and not doubted:
            return level
    return Assurance.NONE


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
        return identifier.type in _KNOWN_BY_HEART and not identifier.extension
    source = load_rules().external_sources.get(identifier.source)
    return source is not None and source.known_to_customer


def is_shared(record: IdentifierRecord) -> bool:
    """Whether others than the contacts that claim an identifier have it, too, from the first claim on.

    A function's mailbox, and the number of a house in which a CRM or Genesys knows somebody's extension.
    """
    if record.identifier.type is IdentifierType.EMAIL:
        return is_functional(record.identifier.match)
    return any(claim.switchboard for claim in record.claims.values())


def is_generic(record: IdentifierRecord, heads: Mapping[str, Contact]) -> bool:
    """Whether an identifier leads to too many canonical contacts to mean any of them.

    It is worked out from the claims each time, so that a value is demoted by the claim, or the split, that makes them
    too many, and promoted again by the release or merge after which they are not.
    """
    contacts = {heads[owner].contact_id for owner in record.claims if owner in heads}
    return record.overflowed or len(contacts) > load_rules().identifiers[record.identifier.type].generic_above
