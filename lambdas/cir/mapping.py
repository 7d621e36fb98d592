"""The mapping from a CRM's columns to a contact: the allow-list of what may leave the CRM."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cir.rules import IdentifierType, load_rules

NAME_FIELDS = ("firstName", "lastName", "salutation", "title")
PROFILE_FIELDS = ("customerTier", "accountStatus", "preferredLanguage")
PHONE_SLOTS = ("workPhone", "cellPhone", "homePhone", "otherPhone")
EMAIL_SLOTS = ("workEmail", "personalEmail", "otherEmail")
EXTERNAL_PREFIX = "external:"
IDENTIFIER_TARGETS: dict[str, IdentifierType] = {
    **dict.fromkeys(PHONE_SLOTS, IdentifierType.PHONE),
    **dict.fromkeys(EMAIL_SLOTS, IdentifierType.EMAIL),
    "whatsApp": IdentifierType.WHATSAPP,
    "twitter": IdentifierType.TWITTER,
}
SHIPPED = Path(__file__).parent / "mappings"


class MappingError(Exception):
    """The mapping file cannot be used. The text says why, for whoever wrote it."""


@dataclass(frozen=True, slots=True)
class CrmMapping:
    """Which column feeds what."""

    source: str
    """Key of the external source that issues the CRM's ids."""
    id_column: str
    region_column: str
    """Column with the customer's country, which national phone numbers are read by; empty where there is none."""
    columns: Mapping[str, str]
    """Column → contact field, profile field, or `external:<source>`."""
    queues: Mapping[str, str]
    """Customer tier → name of the Genesys queue of that tier."""

    @property
    def targets(self) -> frozenset[str]:
        """Everything that the CRM feeds, and so is the master of."""
        return frozenset(self.columns.values())

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of all external sources that contacts of this mapping have ids of."""
        others = (target.removeprefix(EXTERNAL_PREFIX) for target in self.columns.values() if _is_external(target))
        return (self.source, *others)


def load_mapping(path: Path) -> CrmMapping:
    """Read and check a mapping file. Raises MappingError."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError(f"cannot read the mapping {path}: {error.strerror}") from error
    except ValueError as error:
        raise MappingError(f"the mapping {path} is not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise MappingError(f"the mapping {path} must be a JSON object")
    mapping = CrmMapping(
        source=_text(data, "source", path),
        id_column=_text(data, "id", path),
        region_column=_text(data, "region", path) if "region" in data else "",
        columns=_texts(data, "columns", path),
        queues=_texts(data, "queues", path),
    )
    _check(mapping, path)
    return mapping


def _text(data: Mapping[str, Any], name: str, path: Path) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise MappingError(f"the mapping {path} needs {name!r}, a text")
    return value


def _texts(data: Mapping[str, Any], name: str, path: Path) -> dict[str, str]:
    value = data.get(name)
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise MappingError(f"the mapping {path} needs {name!r}, an object of texts")
    return value


def _check(mapping: CrmMapping, path: Path) -> None:
    known = {*NAME_FIELDS, *PROFILE_FIELDS, *IDENTIFIER_TARGETS}
    for column, target in mapping.columns.items():
        if target not in known and not _is_external(target):
            possible = ", ".join([*sorted(known), f"{EXTERNAL_PREFIX}SOURCE"])
            raise MappingError(f"the mapping {path} sends {column} to {target!r}; possible are {possible}")
    unknown = [source for source in mapping.sources if source not in load_rules().external_sources]
    if unknown:
        sources = ", ".join(sorted(load_rules().external_sources))
        raise MappingError(f"the mapping {path} names the external source {unknown[0]!r}; the rules know {sources}")
    targets = [f"{EXTERNAL_PREFIX}{mapping.source}", *mapping.columns.values()]
    doubled = sorted({target for target in targets if targets.count(target) > 1})
    if doubled:
        raise MappingError(f"the mapping {path} fills {', '.join(doubled)} from more than one column")


def _is_external(target: str) -> bool:
    return target.startswith(EXTERNAL_PREFIX)
