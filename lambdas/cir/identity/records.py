"""What the tables hold, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

from cir.identity.identifiers import Identifier, from_key
from cir.identity.rules import Assurance, IdentifierType

CONVERSATION = "conversation"
"""The source of what a caller, and nobody else, has said."""
CLAIM_PREFIX = "claim#"
"""A claim is an attribute of its own, `claim#<contact id>`, so that one can be written without reading the item."""


def timestamp(at: datetime | None = None) -> str:
    """UTC with milliseconds, in the one form that sorts as text."""
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


@dataclass(frozen=True, slots=True)
class Claim:
    """The evidence that an identifier belongs to a contact."""

    source: str
    """Who says so: the key of a CRM, `genesys`, CONVERSATION."""
    assurance: Assurance
    first_seen: str
    last_confirmed: str
    switchboard: bool = False
    """The contact is reached under an extension of the number, as a CRM or Genesys has it: others are, too."""
    also: tuple[str, ...] = ()
    """CRMs that say so, too. What a caller had said first is proven then, and stays if they take their word back."""

    @property
    def sources(self) -> frozenset[str]:
        """Everybody who says so."""
        return frozenset({self.source, *self.also})

    @property
    def proven(self) -> bool:
        """Whether anybody but a caller has said so, or a second factor was passed.

        The network may vouch for who has a number; that the number is this customer's it does not say.
        """
        return self.sources != {CONVERSATION} or self.assurance >= Assurance.VERIFIED

    def to_item(self) -> dict[str, Any]:
        return {**asdict(self), "assurance": int(self.assurance)}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "Claim":
        return cls(
            item["source"],
            Assurance(item["assurance"]),
            item["first_seen"],
            item["last_confirmed"],
            item.get("switchboard", False),
            tuple(item.get("also", ())),
        )


@dataclass(frozen=True, slots=True)
class IdentifierRecord:
    """An item of the identifiers table."""

    identifier: Identifier
    claims: Mapping[str, Claim]
    """By contact id. At most MAX_CLAIMS are kept."""
    overflowed: bool = False
    """More contacts claim it than are kept here."""
    version: int = 0
    lookup_requested_at: int = 0
    """Epoch second at which a miss asked for it to be looked up in Genesys; 0 when nobody did or it was found."""

    @property
    def first_owner(self) -> str:
        """The contact that has claimed it first: of an id of one person the one that Genesys has it on; or empty."""
        return min(self.claims, key=lambda owner: (self.claims[owner].first_seen, owner), default="")

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "IdentifierRecord":
        """Raises ValueError for a type that this release does not know."""
        return cls(
            identifier=from_key(item["identifier"], item.get("value")),
            claims={
                name.removeprefix(CLAIM_PREFIX): Claim.from_item(claim)
                for name, claim in sorted(item.items())
                if name.startswith(CLAIM_PREFIX)
            },
            overflowed=item.get("overflowed", False),
            version=item.get("version", 0),
            lookup_requested_at=item.get("lookup_requested_at", 0),
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """What routing needs to know of a customer, and nothing else. Empty where unknown."""

    display_name: str = ""
    first_name: str = ""
    customer_tier: str = ""
    account_status: str = ""
    preferred_language: str = ""
    assigned_queue_id: str = ""

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "Profile":
        return cls(**{field.name: item.get(field.name, "") for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Contact:
    """An item of the contacts table: a canonical contact, or a tombstone that points at one."""

    contact_id: str
    profile: Profile = Profile()
    identifiers: tuple[Identifier, ...] = ()
    merged_into: str = ""
    """The contact that this one was merged into; empty for a canonical contact."""
    generation: int = 0
    """Counts the changes; 0 is a contact that was never stored."""
    fingerprint: str = ""
    """Of what Genesys holds, so that an unchanged CRM record costs no request."""
    merged_from: tuple[str, ...] = ()
    """Every id whose tombstone points here."""
    genesys_modified: str = ""
    """When Genesys says that it was modified by the write that this record followed, to know the event of that."""
    unread: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What the item has that this release does not know, as a newer one has stored it; it is written back as it was."""
    unread_identifiers: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Likewise: values by their keys, of types that this release does not know."""

    @property
    def owners(self) -> frozenset[str]:
        """The ids that identifiers are claimed under for it: until paths are shortened, those merged into it too."""
        return frozenset({self.contact_id, *self.merged_from})

    def claims_on(self, record: IdentifierRecord | None) -> dict[str, Claim]:
        """Its own claims on an identifier, by the id that each was made under; `record` is None where none is known."""
        claims, owners = record.claims if record else {}, self.owners
        return {owner: claim for owner, claim in claims.items() if owner in owners}

    def sources_of(self, identifier: Identifier, records: Mapping[Identifier, IdentifierRecord]) -> frozenset[str]:
        """Who says that it has the identifier, by the records that were read: see `Claim.source`."""
        claims = self.claims_on(records.get(identifier)).values()
        return frozenset().union(*(claim.sources for claim in claims))

    def is_fed_by_crm(self, records: Mapping[Identifier, IdentifierRecord]) -> bool:
        """Whether a CRM itself says that the contact is its customer: that it has an id which that CRM has issued."""
        return any(
            each.source in self.sources_of(each, records)
            for each in self.identifiers
            if each.type is IdentifierType.EXTERNAL
        )

    def to_item(self) -> dict[str, Any]:
        known = asdict(self)
        item = {**self.unread, **{name: known[name] for name in _CONTACT_ATTRIBUTES}}
        item["identifiers"] = {
            **self.unread_identifiers,
            **{identifier.key: identifier.value for identifier in self.identifiers},
        }
        return item

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "Contact":
        read, unread = _read_identifiers(item.get("identifiers", {}))
        return cls(
            contact_id=item["contact_id"],
            profile=Profile.from_item(item.get("profile", {})),
            identifiers=read,
            merged_into=item.get("merged_into", ""),
            generation=item.get("generation", 0),
            fingerprint=item.get("fingerprint", ""),
            merged_from=tuple(item.get("merged_from", ())),
            genesys_modified=item.get("genesys_modified", ""),
            unread={name: value for name, value in item.items() if name not in _CONTACT_ATTRIBUTES},
            unread_identifiers=unread,
        )

    def changed(self, **changes: Any) -> "Contact":
        """The next generation of it."""
        return replace(self, generation=self.generation + 1, **changes)


_CONTACT_ATTRIBUTES = frozenset(each.name for each in fields(Contact)) - {"unread", "unread_identifiers"}


def _read_identifiers(stored: Mapping[str, str]) -> tuple[tuple[Identifier, ...], dict[str, str]]:
    read: list[Identifier] = []
    unread: dict[str, str] = {}
    for key, value in sorted(stored.items()):
        try:
            read.append(from_key(key, value))
        except ValueError:
            unread[key] = value
    return tuple(read), unread


@dataclass(frozen=True, slots=True)
class Decision:
    """An entry of the ledger: what was decided, by which rule, and the sentence that explains it."""

    subject: str
    """The contact id or identifier key that it is about."""
    kind: str
    """`sync`, `link`, `create`, `merge`, `split`, `event`, `conflict`, `refusal` …"""
    because: str
    details: Mapping[str, Any]
    at: str
    id: str
    rules_version: str

    def to_item(self) -> dict[str, Any]:
        return {**asdict(self), "entry": f"{self.at}#{self.id}"}
