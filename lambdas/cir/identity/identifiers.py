"""Identifiers: the values that lead to a contact, in the one form in which they are stored and compared."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from cir.identity.rules import IdentifierType, load_rules

MAX_VALUE = 255
"""Genesys' limit of `ContactIdentifier.value`, in characters."""
EXTENSION = ";ext="
"""What stands between a telephone number and its extension, as in a tel: URI (RFC 3966)."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """A normalised identifier. Two are equal when they lead to the same person, whatever their spelling."""

    type: IdentifierType
    match: str
    """What it is compared by. For an e-mail address not the address itself, so never written to Genesys or the CRM."""
    value: str = field(compare=False)
    """What Genesys and the CRM are given."""
    source: str = ""
    """Key of the external source; only `external` has one."""

    @property
    def key(self) -> str:
        """The partition key in the identifiers table, for instance `phone#+19175550142`."""
        return "#".join(filter(None, (self.type, self.source, self.match)))

    @property
    def exclusive(self) -> bool:
        """Whether it can belong to one contact only."""
        return load_rules().identifiers[self.type].exclusive

    @property
    def extension(self) -> str:
        """What is dialled after a telephone number, without leading zeros; empty where it has none."""
        return self.match.partition(EXTENSION)[2] if self.type is IdentifierType.PHONE else ""

    @property
    def switchboard(self) -> "Identifier | None":
        """The number that an extension is reached by, and everybody else of the house; None where it has none."""
        if not self.extension:
            return None
        number = self.match.partition(EXTENSION)[0]
        return Identifier(self.type, number, number)

    @property
    def masked(self) -> str:
        """Enough to recognise in a log what kind of value it was, too little to know whose."""
        return f"{self.type}:{mask(self.value)}"


def with_switchboards(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """All of them, each extension followed by the number that it is reached by; each once."""
    return tuple(dict.fromkeys(one for each in identifiers for one in (each, each.switchboard) if one is not None))


class Reason(StrEnum):
    """Why a value does not identify anybody."""

    EMPTY = "empty"
    WITHHELD = "withheld"
    """The caller hides the number, or the network does not pass it on."""
    PLACEHOLDER = "placeholder"
    """Typed to fill a mandatory field: `0000000000`, `n/a`, `test@test.com`."""
    MALFORMED = "malformed"
    TOO_LONG = "too_long"
    NO_SOURCE = "no_source"
    """An external id without the system that issued it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A value that could not become an identifier."""

    type: IdentifierType
    reason: Reason
    detail: str
    """One sentence for the person who can mend it, free of personal data."""


type Parsed = Identifier | Refusal


def refuse_placeholder(kind: IdentifierType) -> Refusal:
    return Refusal(kind, Reason.PLACEHOLDER, "a placeholder that is on many records and identifies nobody")


def refuse_malformed(kind: IdentifierType, expected: str) -> Refusal:
    return Refusal(kind, Reason.MALFORMED, f"not {expected}")


def mask(text: str) -> str:
    """Hide all of a value but its length's order and its last two characters (none of a short one)."""
    visible = 2 if len(text) >= 6 else 0
    return "•" * min(len(text) - visible, 6) + text[len(text) - visible :]


def from_key(key: str, value: str | None = None) -> Identifier:
    """The identifier stored under a partition key; `value` where the table keeps the spelling.

    Raises ValueError for a key that this release cannot read: a newer one may know more types.
    """
    type_name, _, rest = key.partition("#")
    kind = IdentifierType(type_name)
    source, match = rest.split("#", 1) if kind is IdentifierType.EXTERNAL else ("", rest)
    return Identifier(kind, match, match if value is None else value, source)


def type_of_key(key: str) -> str:
    """The type in a key, for a log: what comes before a value, and nothing of the value."""
    name = key.partition("#")[0]
    return name if name.isascii() and name.isalpha() and len(name) <= 32 else "unknown"
