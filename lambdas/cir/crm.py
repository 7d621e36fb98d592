"""A CRM record, read through the mapping: what the customer is called, how they are reached, what routing needs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import phonenumbers

from cir.identifiers import Identifier, Reason, Refusal, mask
from cir.mapping import EXTERNAL_PREFIX, IDENTIFIER_TARGETS, CrmMapping
from cir.parsing import parse
from cir.privacy import sensitive_kind
from cir.rules import IdentifierType

MAX_TEXT = 1000
"""Genesys' limit of name fields."""


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
    """Values that were left out."""

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """Everything that leads to the customer, each once."""
        return tuple(dict.fromkeys((self.id, *self.external, *self.slots.values())))


def read_record(row: Mapping[str, str], mapping: CrmMapping, *, default_region: str) -> CrmRecord | Problem:
    """Normalise a row. A Problem when it has no usable id; single bad values are left out and reported."""
    identity = parse(IdentifierType.EXTERNAL, row.get(mapping.id_column, ""), source=mapping.source)
    if isinstance(identity, Refusal):
        return Problem(mapping.id_column, _because(identity), mask(row.get(mapping.id_column, "")))
    region = read_region(row.get(mapping.region_column, ""), default_region)
    texts: dict[str, str] = {}
    slots: dict[str, Identifier] = {}
    external: list[Identifier] = []
    problems: list[Problem] = []
    for column, target, text in _filled(row, mapping):
        source = target.removeprefix(EXTERNAL_PREFIX) if target.startswith(EXTERNAL_PREFIX) else ""
        kind = IdentifierType.EXTERNAL if source else IDENTIFIER_TARGETS.get(target)
        if kind is None:
            problem = _text_problem(column, text)
            if problem:
                problems.append(problem)
            else:
                texts[target] = text
            continue
        parsed = parse(kind, text, default_region=region, source=source)
        if isinstance(parsed, Refusal):
            problems.append(Problem(column, _because(parsed), mask(text)))
        elif source:
            external.append(parsed)
        elif parsed not in slots.values():
            slots[target] = parsed
    return CrmRecord(identity, texts, slots, tuple(external), tuple(problems))


def read_region(country: str, default_region: str) -> str:
    """The region (ISO 3166 alpha-2) of a country as CRMs write it: a code, or its name in English or its language."""
    written = country.strip().casefold()
    return _country_names().get(written) or (
        written.upper() if written.upper() in phonenumbers.SUPPORTED_REGIONS else default_region
    )


def _filled(row: Mapping[str, str], mapping: CrmMapping) -> Iterator[tuple[str, str, str]]:
    for column, target in mapping.columns.items():
        text = (row.get(column) or "").strip()
        if text:
            yield column, target, text


def _text_problem(column: str, text: str) -> Problem | None:
    kind = sensitive_kind(text)
    if kind:
        return Problem(column, f"looks like a {kind}, which must not leave the CRM")
    return Problem(column, f"longer than {MAX_TEXT} characters") if len(text) > MAX_TEXT else None


def _because(refusal: Refusal) -> str:
    return "no value" if refusal.reason is Reason.EMPTY else refusal.detail


@cache
def _country_names() -> dict[str, str]:
    data: dict[str, list[str]] = json.loads(Path(__file__).with_name("countries.json").read_text(encoding="utf-8"))
    return {name.casefold(): region for region, names in data.items() for name in names}
