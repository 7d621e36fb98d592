"""A CRM record, read through the mapping: what the customer is called, how they are reached, what routing needs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cir.crm.mapping import EXTERNAL_PREFIX, NO_RULE, CrmMapping, IdRule
from cir.crm.protected import Kind, Protected, find_protected
from cir.genesys.fields import IDENTIFIER_TARGETS, PROFILE_FIELDS
from cir.identity.identifiers import Identifier, Parsed, Reason, Refusal, mask, with_switchboards
from cir.identity.parsing import has_needless_extension, parse
from cir.identity.parsing.regions import UNKNOWN_REGION, read_region
from cir.identity.rules import IdentifierType
from cir.identity.spelling import same_letters

MAX_NAME = 1000
"""Genesys' limit of name fields, in characters."""
MAX_PROFILE_TEXT = 100
"""What the custom fields of the routing profile are created with."""

_NO_TEXT = "holds half a character, as if the CRM had cut it in two"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
"""Tags as BCP 47 spells them, with script and region: what flows are given where the mapping lists no languages."""
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that is left out, or a record that is."""

    column: str
    reason: str
    value: str = ""
    """Masked."""

    def __str__(self) -> str:
        return f"{self.column}: {self.reason}" + (f" ({self.value})" if self.value else "")


@dataclass(frozen=True, slots=True)
class CrmRecord:
    """One customer of the CRM, normalised."""

    id: Identifier
    texts: Mapping[str, str]
    """Name and profile fields by target."""
    slots: Mapping[str, Identifier]
    """Phones, addresses and social accounts by the Genesys field that they go to."""
    external: tuple[Identifier, ...]
    """Ids of other systems."""
    problems: tuple[Problem, ...]
    """Values that were left out, or of which routing makes nothing."""
    opted_out: bool = False
    """The customer wants none of this; what follows from that is the mapping's `on_delete`."""
    inactive: bool = False
    """The CRM keeps the record and no longer uses it; the same follows."""

    @property
    def withdrawal(self) -> str:
        """Why nothing is written of the customer, as the CRM says it, for the ledger; empty where all is as usual."""
        if self.opted_out:
            return "says that the customer has opted out"
        return "says that the record is not active" if self.inactive else ""

    @property
    def contact_points(self) -> tuple[Identifier, ...]:
        """How the customer is reached: what is in the slots, and the numbers of the extensions among them."""
        return with_switchboards(self.slots.values())

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """Everything that leads to the customer, each once."""
        return tuple(dict.fromkeys((self.id, *self.external, *self.contact_points)))


def read_record(row: Mapping[str, str], mapping: CrmMapping, *, default_region: str) -> CrmRecord | Problem:
    """Normalise a row. A Problem when it has no usable id; single bad values are left out and reported."""
    written_id = row.get(mapping.id_column) or ""
    identity = parse(IdentifierType.EXTERNAL, written_id, source=mapping.source, is_record_key=True)
    if isinstance(identity, Refusal) or not _is_text(written_id):
        return _problem(mapping.id_column, _because(identity) if isinstance(identity, Refusal) else "", written_id)
    country = (row.get(mapping.region_column) or "").strip()
    region = read_region(country, default_region)
    problems: list[Problem] = []
    if region == UNKNOWN_REGION:
        problems.append(
            Problem(mapping.region_column, "not a known country; national numbers cannot be read", mask(country))
        )
    texts: dict[str, str] = {}
    slots: dict[str, Identifier] = {}
    external: list[Identifier] = []
    for column, target, text in _filled(row, mapping):
        source = target.removeprefix(EXTERNAL_PREFIX) if target.startswith(EXTERNAL_PREFIX) else ""
        kind = IdentifierType.EXTERNAL if source else IDENTIFIER_TARGETS.get(target)
        value = parse(kind, text, default_region=region, source=source) if kind else _SPACE.sub(" ", text).strip()
        rule = mapping.ids.get(column, NO_RULE)
        protected = find_protected(text, country=region, column=column)
        reason = _reason_against(value, target, rule, protected)
        if reason or not _is_text(text):
            problems.append(_problem(column, reason, text))
        elif isinstance(value, str):
            texts[target] = value
            if note := _note_on(value, target, mapping):
                problems.append(Problem(column, note, mask(text)))
        elif isinstance(value, Identifier) and source:
            external.append(value)
        elif isinstance(value, Identifier) and value not in slots.values():
            slots[target] = value
            if kind is IdentifierType.PHONE and has_needless_extension(text, value):
                problems.append(
                    Problem(column, "a mobile with an extension; the number is taken without it", mask(text))
                )
    opted_out, inactive = (sign is not None and sign.is_in(row) for sign in (mapping.opt_out, mapping.inactive))
    return CrmRecord(identity, texts, slots, tuple(external), tuple(problems), opted_out, inactive)


def _filled(row: Mapping[str, str], mapping: CrmMapping) -> Iterator[tuple[str, str, str]]:
    for column, target in mapping.columns.items():
        text = (row.get(column) or "").strip()
        if text:
            yield column, target, text


def _note_on(value: str, target: str, mapping: CrmMapping) -> str:
    """Why routing makes nothing of a value, which is taken as it is; empty if it does."""
    if target == "customerTier" and mapping.queues and value not in mapping.queues:
        alike = next((tier for tier in mapping.queues if same_letters(tier, value)), "")
        return f"another spelling of the tier {alike!r}, so without its queue" if alike else "a tier without a queue"
    if target == "preferredLanguage" and not _knows_language(mapping, value):
        alike = next((each for each in sorted(mapping.languages) if same_letters(each, value)), "")
        spelt = f"another spelling of the language {alike!r}, which" if alike else "a language that"
        return f"{spelt} no flow knows"
    return ""


def _knows_language(mapping: CrmMapping, value: str) -> bool:
    return value in mapping.languages if mapping.languages else _LANGUAGE.fullmatch(value) is not None


def _problem(column: str, reason: str, text: str) -> Problem:
    return Problem(column, reason, mask(text)) if _is_text(text) else Problem(column, _NO_TEXT)


def _is_text(value: str) -> bool:
    """Whether it can be stored anywhere: JSON may carry half of a character, as a text that was cut has it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _reason_against(value: str | Parsed, target: str, rule: IdRule, protected: Protected | None) -> str:
    """Why a value is left out; empty when it is taken.

    A phone number or address that could be read is no card number, whatever its digits add up to.
    """
    is_contact_point = isinstance(value, Identifier) and not value.source
    if protected and not is_contact_point and not _is_allowed(protected.kind, rule):
        return f"looks like a {protected.name}, which must not leave the CRM"
    if isinstance(value, Refusal):
        return _because(value)
    if isinstance(value, Identifier) and len(value.value) < rule.shortest:
        return f"shorter than the {rule.shortest} characters that such an id has"
    longest = MAX_PROFILE_TEXT if target in PROFILE_FIELDS else MAX_NAME
    return f"longer than {longest} characters" if isinstance(value, str) and len(value) > longest else ""


def _is_allowed(kind: Kind, rule: IdRule) -> bool:
    return (kind is Kind.CARD and rule.may_look_like_card) or (
        kind is Kind.NATIONAL_ID and rule.may_look_like_national_id
    )


def _because(refusal: Refusal) -> str:
    return "no value" if refusal.reason is Reason.EMPTY else refusal.detail
