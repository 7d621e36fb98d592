"""Changes of single fields by a strict subset of JSONPath: `$.firstName`, `$.address.city`."""

import re
from collections.abc import Sequence
from typing import Any

from .errors import JSON, ApiError, invalid_property, validation_failed
from .models import CONTACT_FIELDS, READ_ONLY_FIELDS, PatchChange

_PATH = re.compile(r"\$(\.[A-Za-z_][A-Za-z0-9_]*)+")
_INVALID = "The provided contact was not valid"


def patched(fields: JSON, changes: Sequence[PatchChange]) -> tuple[JSON, set[str]]:
    """A copy of the contact's fields with the changes applied in order, and the top-level fields that they touched."""
    paths = [_path(change.field) for change in changes]
    _refuse_overlap(paths)
    result = fields
    for path, change in zip(paths, changes, strict=True):
        result = _with(result, path, change)
    return result, {path[0] for path in paths}


def _path(field: str) -> tuple[str, ...]:
    if not _PATH.fullmatch(field):
        raise validation_failed(
            _INVALID, [("changes.field", f"must be a path such as $.address.city, not {field[:60]}")]
        )
    path = tuple(field[2:].split("."))
    if path[0] in READ_ONLY_FIELDS:
        raise validation_failed(_INVALID, [(".".join(path), "is set by the system and cannot be changed")])
    if path[0] not in CONTACT_FIELDS:
        raise invalid_property(field[:60], "ExternalContact")
    return path


def _refuse_overlap(paths: Sequence[tuple[str, ...]]) -> None:
    named = set(paths)
    for path in paths:
        for depth in range(1, len(path)):
            if path[:depth] in named:
                parent, child = ".".join(path[:depth]), ".".join(path)
                raise ApiError(
                    409,
                    "request.conflict",
                    f"The request conflicts with the current state of the target resource. "
                    f"Both {child} and its parent {parent} would be changed.",
                    (parent, child),
                )


def _with(fields: JSON, path: tuple[str, ...], change: PatchChange) -> JSON:
    name, rest = path[0], path[1:]
    current = fields.get(name)
    if rest:
        if current is not None and not isinstance(current, dict):
            raise validation_failed(_INVALID, [(change.field[2:], "does not exist: its parent is not an object")])
        value: Any = _with(current or {}, rest, change)
    else:
        value = _changed(current, change)
    if value in (None, {}, []):
        return {key: item for key, item in fields.items() if key != name}
    return {**fields, name: value}


def _changed(current: Any, change: PatchChange) -> Any:
    empty = current in (None, "", {}, [])
    match change.action:
        case "Remove":
            return None
        case "UpdateIfEmpty":
            return change.value if empty else current
        case "UpdateIfExists":
            return current if empty else change.value
        case "Update":
            return change.value
    if not isinstance(current, list | None):
        raise validation_failed(_INVALID, [(change.field[2:], f"is not a collection: {change.action} is not possible")])
    items = change.value if isinstance(change.value, list) else [change.value]
    existing = current or []
    if change.action == "AppendToCollection":
        return [*existing, *(item for item in items if not any(_is(item, other) for other in existing))]
    return [item for item in existing if not any(_is(given, item) for given in items)]


def _is(given: Any, stored: Any) -> bool:
    """Whether a client means this entry: an external id is known by its source's id and its value."""
    if isinstance(given, dict) and isinstance(stored, dict):
        return all(name in given and _is(given[name], value) for name, value in stored.items())
    return bool(given == stored)
