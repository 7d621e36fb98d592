"""The core types that custom fields are built from, and what a value of each may be."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from .errors import JSON

_BIG = 2**53 - 1  # the largest integer that every JSON reader keeps exactly


@dataclass(frozen=True, slots=True)
class CoreType:
    """`limits` are the constraints that a schema's author must give, each with the range allowed for it."""

    name: str
    title: str
    primitives: tuple[str, ...]
    limits: Mapping[str, tuple[int, int]]
    item_limits: Mapping[str, tuple[int, int]]
    valid: Callable[[Any, JSON], bool]
    pattern: str | None = None


def _text(value: Any, field: JSON) -> bool:
    return isinstance(value, str) and field["minLength"] <= len(value) <= field["maxLength"]


def _choice(value: Any, field: JSON) -> bool:
    return isinstance(value, str) and value in field["enum"]


def _number(value: Any, field: JSON) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and field["minimum"] <= value <= field["maximum"]
    )


def _integer(value: Any, field: JSON) -> bool:
    return isinstance(value, int) and _number(value, field)


def _parses(parse: Callable[[str], object]) -> Callable[[Any, JSON], bool]:
    def valid(value: Any, _field: JSON) -> bool:
        try:
            return isinstance(value, str) and bool(parse(value))
        except ValueError:
            return False

    return valid


def _checkbox(value: Any, _field: JSON) -> bool:
    return value is None or isinstance(value, bool)


def _tags(value: Any, field: JSON) -> bool:
    return (
        isinstance(value, list)
        and field["minItems"] <= len(value) <= field["maxItems"]
        and all(_text(tag, field["items"]) and re.fullmatch(r"\S+", tag) for tag in value)
    )


_LENGTHS = {"minLength": (0, 100), "maxLength": (1, 100)}
_RANGE = {"minimum": (-_BIG, _BIG), "maximum": (-_BIG, _BIG)}

CORE_TYPES: Mapping[str, CoreType] = {
    core.name: core
    for core in (
        CoreType("text", "Text", ("string",), _LENGTHS, {}, _text),
        CoreType("longtext", "Long text", ("string",), {"minLength": (0, 1000), "maxLength": (1, 1000)}, {}, _text),
        CoreType("enum", "Enumeration", ("string",), {}, {"minLength": (1, 100), "maxLength": (1, 100)}, _choice),
        CoreType("identifier", "Identifier", ("string",), _LENGTHS, {}, _text),
        CoreType("integer", "Integer", ("integer",), _RANGE, {}, _integer),
        CoreType("number", "Number", ("number",), _RANGE, {}, _number),
        CoreType(
            "date",
            "Date",
            ("string",),
            {},
            {},
            _parses(lambda text: date.fromisoformat(text) if len(text) == 10 else None),
            r"^\d{4}-\d{2}-\d{2}$",
        ),
        CoreType(
            "datetime",
            "Date and time",
            ("string",),
            {},
            {},
            _parses(lambda text: datetime.fromisoformat(text) if "T" in text else None),
            r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$",
        ),
        CoreType("checkbox", "Checkbox", ("boolean", "null"), {}, {}, _checkbox),
        CoreType(
            "tag",
            "Tag",
            ("array",),
            {"minItems": (0, 100), "maxItems": (1, 100)},
            {"minLength": (1, 100), "maxLength": (1, 100)},
            _tags,
        ),
    )
}


def core_type_of(field: JSON) -> CoreType | None:
    """The core type that a schema's field names with `"allOf": [{"$ref": "#/definitions/text"}]`."""
    match field.get("allOf"):
        case [{"$ref": str(reference)}]:
            return CORE_TYPES.get(reference.removeprefix("#/definitions/"))
    return None


def wire(core: CoreType, *, self_uri: str, created: str) -> JSON:
    """As the `Coretype` of the API."""
    schema: JSON = {"title": core.title, "type": list(core.primitives)}
    if core.name in {"enum", "tag"}:
        schema["items"] = {"type": "string", "pattern": r"^[\S]+$"}
    if core.pattern:
        schema["pattern"] = core.pattern
    return {
        "id": core.name,
        "name": core.name,
        "version": 1,
        "dateCreated": created,
        "schema": schema,
        "current": True,
        "validationFields": [*core.limits, *(["enum"] if core.name == "enum" else [])],
        "validationLimits": _limits(core.limits),
        "itemValidationFields": list(core.item_limits),
        "selfUri": self_uri,
    } | ({"itemValidationLimits": _limits(core.item_limits)} if core.item_limits else {})


def _limits(limits: Mapping[str, tuple[int, int]]) -> JSON:
    return {name: {"min": low, "max": high} for name, (low, high) in limits.items()}
