"""What a merged contact looks like."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .contacts import Record
from .errors import JSON, ApiError, validation_failed
from .identifiers import EMAIL_SLOTS, MAX_APPLE_IDS, MAX_EXTERNAL_IDS, PHONE_SLOTS, free_slot

MAX_MERGE_SET = 52  # "the resulting mergeset exceeds our default limit of 52"

_LISTS = {"externalIds": MAX_EXTERNAL_IDS, "appleOpaqueIds": MAX_APPLE_IDS}
_SLOTS = (PHONE_SLOTS, EMAIL_SLOTS)


def check_mergeable(records: Sequence[Record]) -> None:
    if len(records) < 2:
        raise validation_failed(
            "User supplied an invalid merge request", [("contactIds", "must name at least two different contacts")]
        )
    if len({record.division for record in records}) > 1:
        raise ApiError(
            422, "merge.across.divisions.disallowed", "User supplied an invalid merge request", ("contactIds",)
        )
    size = 1 + sum(len(record.merge_set) or 1 for record in records)
    if size > MAX_MERGE_SET:
        raise ApiError(
            409,
            "mergeset.max.size",
            f"Tried to merge, but the resulting merge history would be too large: {size}, maximum {MAX_MERGE_SET}",
            ("contactIds",),
        )


def merged_fields(records: Iterable[Record], override: JSON | None = None) -> JSON:
    """Each field comes from the override, else from the most recently modified contact that has it.

    A phone or e-mail address that lost its slot moves to a free slot of its kind; what finds none is no longer in any
    field (its claim goes to the merged contact all the same). External and Apple ids are united, the most recent first.
    """
    ranked = [record.fields for record in sorted(records, key=lambda r: (r.modified, r.revision), reverse=True)]
    layers = [override or {}, *ranked]
    merged: JSON = {}
    for layer in layers:
        for name, value in layer.items():
            merged.setdefault(name, value)
    for name, limit in _LISTS.items():
        if name in merged:
            united = _united(entry for layer in layers for entry in layer.get(name, ()))
            merged[name] = united[:limit]
    merged |= _custom_fields(layers)
    for slots in _SLOTS:
        _place_displaced(merged, layers, slots)
    return merged


def _place_displaced(merged: JSON, layers: Iterable[JSON], slots: tuple[str, ...]) -> None:
    for layer in layers:
        for slot in slots:
            value = layer.get(slot)
            if value is None or any(_same(value, merged.get(other)) for other in slots):
                continue
            if free := free_slot(merged, slots):
                merged[free] = value


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return bool(one.get("e164", one["display"]) == other.get("e164", other["display"]))
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    return False


def _custom_fields(layers: Sequence[JSON]) -> JSON:
    """Custom fields are comparable within one schema only: that of the most recent contact, in its newest version."""
    with_schema = [layer for layer in layers if "schema" in layer]
    if not with_schema:
        return {}
    leading = with_schema[0]["schema"]["id"]
    same = [layer for layer in with_schema if layer["schema"]["id"] == leading]
    values: JSON = {}
    for layer in same:
        for name, value in layer.get("customFields", {}).items():
            values.setdefault(name, value)
    newest = max((layer["schema"] for layer in same), key=lambda schema: schema["version"])
    return {"schema": newest} | ({"customFields": values} if values else {})


def _united(entries: Iterable[JSON]) -> list[JSON]:
    united: list[JSON] = []
    for entry in entries:
        if entry not in united:
            united.append(entry)
    return united
