"""The mapping from a CRM's columns to a contact: the allow-list of what may leave the CRM."""

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from cir.genesys.fields import IDENTIFIER_TARGETS, NAME_FIELDS, PROFILE_FIELDS
from cir.identity.rules import load_rules
from cir.identity.spelling import did_you_mean, unknown_in

EXTERNAL_PREFIX = "external:"
SHIPPED = Path(__file__).parent / "mappings"
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
"""Names go into queries to the CRM as they are."""


class CrmKind(StrEnum):
    """The CRMs that can be read."""

    SALESFORCE = "salesforce"
    DYNAMICS = "dynamics"
    SERVICENOW = "servicenow"


FILE = "file"
CONNECTORS = (*CrmKind, FILE)
"""What a mapping may name as the way to its records."""


class MappingError(Exception):
    """The mapping file cannot be used. The text says why, for whoever wrote it."""


class OnDelete(StrEnum):
    """What becomes of the contact when the CRM has its record no more, or the customer has opted out."""

    KEEP = "keep"
    """The customer may still call: nothing changes."""
    RELEASE = "release"
    """The contact stays, and nothing leads to it any more that came from this record."""
    DELETE = "delete"
    """The contact goes, from Genesys and the index, unless other records of the CRM are in it."""


class Winner(StrEnum):
    """Whose value a field keeps when Genesys has one already."""

    CRM = "crm"
    GENESYS = "genesys"


@dataclass(frozen=True, slots=True)
class Sign:
    """How a record says something of itself: that its customer has opted out, that it is not active any more."""

    column: str
    values: frozenset[str]
    """Casefolded. Any of them says it."""

    def is_in(self, row: Mapping[str, str]) -> bool:
        return (row.get(self.column) or "").strip().casefold() in self.values


@dataclass(frozen=True, slots=True)
class IdRule:
    """What the ids of a column look like, where the rules that are right for most would refuse them."""

    shortest: int = 0
    """Characters; a shorter value is a slip, and left out."""
    may_look_like_card: bool = False
    """Ids of this system may happen to have the form of a card number."""
    may_look_like_national_id: bool = False
    """The same of a national id."""


NO_RULE = IdRule()

_ENTRIES = (
    "source",
    "connector",
    "object",
    "id",
    "region",
    "columns",
    "queues",
    "languages",
    "onDelete",
    "optOut",
    "inactive",
    "ids",
    "survivorship",
)


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
    connector: str = ""
    """How the CRM is read, one of CONNECTORS; empty where only files are given."""
    object: str = ""
    """Name of the object or table that customers are records of; empty where the connector's own choice is right."""
    on_delete: OnDelete = OnDelete.KEEP
    opt_out: Sign | None = None
    inactive: Sign | None = None
    """Of records that the CRM keeps and no longer uses: deactivated ones, and those that were merged into another."""
    ids: Mapping[str, IdRule] = field(default_factory=dict)
    """Column of an id → its rule, where it has one."""
    languages: frozenset[str] = frozenset()
    """Those that the flows know, as they spell them. Empty: whatever has the form of a language tag."""
    survivorship: Mapping[str, Winner] = field(default_factory=dict)
    """Target → whose value it keeps; the CRM's where it is not named."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Every column that is read of a record, and so all that leaves the CRM; the id comes first."""
        signs = (sign.column for sign in (self.opt_out, self.inactive) if sign)
        return tuple(dict.fromkeys(filter(None, (self.id_column, self.region_column, *self.columns, *signs))))

    @property
    def targets(self) -> frozenset[str]:
        """Everything that the CRM feeds."""
        return frozenset(self.columns.values())

    @property
    def kept(self) -> frozenset[str]:
        """Of the targets those on which Genesys' value survives, once there is one."""
        return frozenset(target for target, winner in self.survivorship.items() if winner is Winner.GENESYS)

    @property
    def mastered(self) -> frozenset[str]:
        """Of the targets those on which the CRM's word is final."""
        return self.targets - self.kept

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of all external sources that contacts of this mapping have ids of."""
        others = (target.removeprefix(EXTERNAL_PREFIX) for target in self.columns.values() if _is_external(target))
        return (self.source, *others)


def deployed_mapping(environment: Mapping[str, str] = os.environ) -> CrmMapping:
    """The one that the deployment names: Salesforce's where it names none."""
    return load_mapping(deployed_mapping_file(environment))


def deployed_mapping_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where it lies; that of `deployed_mapping`."""
    return SHIPPED / f"{environment.get('CRM_MAPPING', CrmKind.SALESFORCE)}.json"


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
    _check_entries(data, _ENTRIES, f"the mapping {path}")
    mapping = CrmMapping(
        source=_text(data, "source", path),
        id_column=_text(data, "id", path),
        region_column=_text(data, "region", path) if "region" in data else "",
        columns=_texts(data, "columns", path),
        queues=_texts(data, "queues", path),
        connector=_choice(data, "connector", CONNECTORS, "", path),
        object=_text(data, "object", path) if "object" in data else "",
        on_delete=OnDelete(_choice(data, "onDelete", tuple(OnDelete), OnDelete.KEEP, path)),
        opt_out=_sign(data, "optOut", path) if "optOut" in data else None,
        inactive=_sign(data, "inactive", path) if "inactive" in data else None,
        ids=_id_rules(data, path) if "ids" in data else {},
        languages=frozenset(_list(data, "languages", path)) if "languages" in data else frozenset(),
        survivorship=_survivorship(data, path) if "survivorship" in data else {},
    )
    _check(mapping, path)
    return mapping


def _check_entries(data: Mapping[str, Any], known: Collection[str], where: str) -> None:
    unknown = unknown_in(data, known)
    if unknown:
        raise MappingError(f"{where} has {unknown}")


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


def _list(data: Mapping[str, Any], name: str, path: Path) -> list[str]:
    value = data[name]
    if not isinstance(value, list) or not value or not all(isinstance(each, str) and each for each in value):
        raise MappingError(f"the mapping {path} needs {name!r}, a list of texts")
    return value


def _choice(data: Mapping[str, Any], name: str, choices: Sequence[str], default: object, path: Path) -> str:
    value = data.get(name, default)
    if name in data and value not in choices:
        raise MappingError(f"the mapping {path} says {name!r} is {value!r}; possible are {_listed(choices, value)}")
    return str(value)


def _sign(data: Mapping[str, Any], name: str, path: Path) -> Sign:
    given = data[name]
    if isinstance(given, dict):
        _check_entries(given, ("column", "values"), f"the mapping {path} in {name!r}")
    values = given.get("values") if isinstance(given, dict) else None
    if not isinstance(values, list) or not values or not all(isinstance(each, str) and each for each in values):
        raise MappingError(f"the mapping {path} needs in {name!r} a 'column' and its 'values', a list of texts")
    return Sign(_text(given, "column", path), frozenset(each.casefold() for each in values))


def _id_rules(data: Mapping[str, Any], path: Path) -> dict[str, IdRule]:
    given = data["ids"]
    if not isinstance(given, dict):
        raise MappingError(f"the mapping {path} needs 'ids', an object of columns with their rules")
    return {column: _id_rule(column, rule, data, path) for column, rule in given.items()}


def _id_rule(column: str, rule: object, data: Mapping[str, Any], path: Path) -> IdRule:
    if not _is_external(data["columns"].get(column, "")):
        raise MappingError(f"the mapping {path} has a rule for the id {column!r}, which feeds no external id")
    entries = {"shortest": int, "mayLookLikeCard": bool, "mayLookLikeNationalId": bool}
    if isinstance(rule, dict):
        _check_entries(rule, entries, f"the mapping {path} in the rule of the id {column!r}")
    if not isinstance(rule, dict) or any(type(value) is not entries[name] for name, value in rule.items()):
        raise MappingError(
            f"the mapping {path} needs of the id {column!r} an object with 'shortest', a number, 'mayLookLikeCard' or "
            "'mayLookLikeNationalId', true or false"
        )
    return IdRule(rule.get("shortest", 0), rule.get("mayLookLikeCard", False), rule.get("mayLookLikeNationalId", False))


def _survivorship(data: Mapping[str, Any], path: Path) -> dict[str, Winner]:
    given = _texts(data, "survivorship", path)
    for target, winner in given.items():
        if target not in set(data["columns"].values()):
            meant = did_you_mean(target, data["columns"].values())
            raise MappingError(
                f"the mapping {path} has a survivorship rule for {target!r}, which no column feeds{meant}"
            )
        if _is_external(target):
            raise MappingError(f"the mapping {path} has a survivorship rule for {target!r}, an id")
        if winner not in tuple(Winner):
            raise MappingError(
                f"the mapping {path} lets {winner!r} win {target}; possible are {_listed(Winner, winner)}"
            )
    return {target: Winner(winner) for target, winner in given.items()}


def _check(mapping: CrmMapping, path: Path) -> None:
    known = {*NAME_FIELDS, *PROFILE_FIELDS, *IDENTIFIER_TARGETS}
    for column, target in mapping.columns.items():
        if target not in known and not _is_external(target):
            possible = _listed([*sorted(known), f"{EXTERNAL_PREFIX}SOURCE"], target)
            raise MappingError(f"the mapping {path} sends {column} to {target!r}; possible are {possible}")
    unsafe = next((name for name in (mapping.object, *mapping.fields) if not _is_name(mapping, name)), "")
    if unsafe:
        raise MappingError(f"the mapping {path} names {unsafe!r}, which is not the name of a field or object of a CRM")
    unknown = [source for source in mapping.sources if source not in load_rules().external_sources]
    if unknown:
        sources = _listed(sorted(load_rules().external_sources), unknown[0])
        raise MappingError(f"the mapping {path} names the external source {unknown[0]!r}; the rules know {sources}")
    targets = [f"{EXTERNAL_PREFIX}{mapping.source}", *mapping.columns.values()]
    doubled = sorted({target for target in targets if targets.count(target) > 1})
    if doubled:
        raise MappingError(f"the mapping {path} fills {', '.join(doubled)} from more than one column")


def _listed(names: Iterable[str], wrong: object) -> str:
    """What is possible, and what was probably meant."""
    names = tuple(names)
    return ", ".join(names) + did_you_mean(wrong, names)


def _is_name(mapping: CrmMapping, name: str) -> bool:
    return not name or mapping.connector in {"", FILE} or _FIELD_NAME.fullmatch(name) is not None


def _is_external(target: str) -> bool:
    return target.startswith(EXTERNAL_PREFIX)
