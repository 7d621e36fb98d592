"""The matching rules: one versioned file of data (`rules.json`), read once per process."""

import json
from collections.abc import Collection, Set
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal

from cir.identity.spelling import did_you_mean, unknown_in


class IdentifierType(StrEnum):
    """What kind of value leads to a contact. Each maps to one Genesys `ContactIdentifier.type`."""

    PHONE = "phone"
    EMAIL = "email"
    EXTERNAL = "external"
    WHATSAPP = "whatsapp"
    TWITTER = "twitter"
    FACEBOOK = "facebook"
    INSTAGRAM = "instagram"
    LINE = "line"
    APPLE = "apple"
    COOKIE = "cookie"


class Assurance(IntEnum):
    """How far a resolution may be trusted, weakest first."""

    NONE = 0
    CLAIMED = 1
    """Caller ID or a typed value only: anybody can present it."""
    ATTESTED = 2
    """The network or the channel vouches for it (STIR/SHAKEN level A, an authenticated messaging account)."""
    VERIFIED = 3
    """A second factor was passed."""

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class IdentifierRule:
    """How one type of identifier is treated."""

    priority: int
    """1 decides first."""
    exclusive: bool
    """Can belong to one contact only."""
    generic_above: int
    """A value on more distinct contacts than this no longer identifies anybody."""
    genesys_type: str


@dataclass(frozen=True, slots=True)
class ExternalSource:
    """A system that issues ids, under its name in Genesys Cloud."""

    name: str
    format: Literal["salesforce", "text"]
    known_to_customer: bool = False
    """Whether a caller can be asked for it: a loyalty number yes, a CRM record id no."""


@dataclass(frozen=True, slots=True)
class MailProvider:
    """What a mail provider ignores in the part before the @."""

    domain: str
    """The domain that all of the provider's equivalent domains are matched as."""
    ignores_dots: bool
    ignores_tags: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of one version. The version is in every decision that the ledger records."""

    version: str
    identifiers: dict[IdentifierType, IdentifierRule]
    phone_half_life_days: float
    """After so long without being seen, evidence on a number counts half. A choice: operators reassign numbers from
    some months after they were given back, and nobody tells."""
    phone_faded_at: float
    """What evidence must count more than to contradict other evidence. A caller's word counts 1, the network's 2, a
    second factor's 3: they fade after 1, 2 and 2.6 half-lives."""
    external_sources: dict[str, ExternalSource]
    withheld_callers: frozenset[str]
    placeholders: frozenset[str]
    placeholder_phones: frozenset[str]
    """National significant numbers that people type to fill a mandatory field."""
    placeholder_emails: frozenset[str]
    placeholder_email_locals: frozenset[str]
    machine_email_locals: frozenset[str]
    """What machines send from, written with hyphens: never a customer's."""
    functional_email_locals: frozenset[str]
    """Mailboxes that several people read, written with hyphens: shared from the first claim on."""
    placeholder_ids: frozenset[str]
    """What people and programs write where an id is missing, casefolded."""
    error_ids: frozenset[str]
    """Of these what only a program writes, so that it is no record's key either."""
    mail_providers: dict[str, MailProvider]

    def source_named(self, genesys_name: str) -> str | None:
        """The key of the external source that Genesys knows under this name."""
        return next((key for key, source in self.external_sources.items() if source.name == genesys_name), None)


class RulesError(Exception):
    """The rules file cannot be used. The text names the entry that is wrong."""


@cache
def load_rules() -> Rules:
    """The rules that this release ships. Raises RulesError."""
    return read_rules(Path(__file__).with_name("rules.json").read_text(encoding="utf-8"))


def read_rules(text: str) -> Rules:
    """A rules file. Raises RulesError."""
    data = json.loads(text)
    _check(data)
    placeholders = data["placeholders"]
    return Rules(
        version=data["version"],
        identifiers={
            IdentifierType(name): IdentifierRule(
                priority=rule["priority"],
                exclusive=rule["sharing"] == "exclusive",
                generic_above=rule["generic_above"],
                genesys_type=rule["genesys_type"],
            )
            for name, rule in data["identifiers"].items()
        },
        phone_half_life_days=data["phone_life"]["half_life_days"],
        phone_faded_at=data["phone_life"]["faded_at"],
        external_sources={key: ExternalSource(**source) for key, source in data["external_sources"].items()},
        withheld_callers=frozenset(data["withheld_callers"]),
        placeholders=frozenset(placeholders["any"]),
        placeholder_phones=frozenset(placeholders["phone_national"]),
        placeholder_emails=frozenset(placeholders["email"]),
        placeholder_email_locals=frozenset(placeholders["email_local"]),
        machine_email_locals=frozenset(data["machine_email_locals"]),
        functional_email_locals=frozenset(data["functional_email_locals"]),
        placeholder_ids=frozenset(placeholders["id"]),
        error_ids=frozenset(placeholders["id_error"]),
        mail_providers={
            domain: MailProvider(provider.get("same_as", domain), provider["ignores_dots"], provider["ignores_tags"])
            for provider in data["mail_providers"]
            for domain in provider["domains"]
        },
    )


_TOP = {
    "version",
    "identifiers",
    "phone_life",
    "external_sources",
    "withheld_callers",
    "placeholders",
    "machine_email_locals",
    "functional_email_locals",
    "mail_providers",
}
_PLACEHOLDERS = {"any", "phone_national", "email", "email_local", "id", "id_error"}
_IDENTIFIER = {"priority", "sharing", "generic_above", "genesys_type"}
_SHARING = ("exclusive", "shareable")
_SOURCE, _OF_SOURCE = {"name", "format"}, {"known_to_customer"}
_FORMATS = ("salesforce", "text")
_PROVIDER, _OF_PROVIDER = {"domains", "ignores_dots", "ignores_tags"}, {"same_as"}


def _check(data: Any) -> None:
    """Every entry means something, and none is missing."""
    _entries(data, _TOP, "the rules")
    _entries(data["phone_life"], {"half_life_days", "faded_at"}, "phone_life")
    _entries(data["placeholders"], _PLACEHOLDERS, "placeholders")
    _entries(data["identifiers"], set(IdentifierType), "identifiers")
    for name, rule in data["identifiers"].items():
        _entries(rule, _IDENTIFIER, f"identifiers.{name}")
        _choice(rule["sharing"], _SHARING, f"identifiers.{name}.sharing")
    for key, source in data["external_sources"].items():
        _entries(source, _SOURCE, f"external_sources.{key}", optional=_OF_SOURCE)
        _choice(source["format"], _FORMATS, f"external_sources.{key}.format")
    for number, provider in enumerate(data["mail_providers"], 1):
        _entries(provider, _PROVIDER, f"mail_providers, entry {number}", optional=_OF_PROVIDER)


def _entries(data: object, needed: Set[str], where: str, *, optional: Set[str] = frozenset()) -> None:
    if not isinstance(data, dict):
        raise RulesError(f"rules.json: {where} must be an object")
    unknown = unknown_in(data, sorted(needed | optional))
    if unknown:
        raise RulesError(f"rules.json: {where}: {unknown}")
    missing = sorted(needed - data.keys())
    if missing:
        raise RulesError(f"rules.json: {where}: {missing[0]!r} is missing")


def _choice(value: object, choices: Collection[str], where: str) -> None:
    if value not in choices:
        raise RulesError(f"rules.json: {where} is {value!r}, not {' or '.join(choices)}{did_you_mean(value, choices)}")
