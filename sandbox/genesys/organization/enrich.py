"""Enrich: find by identifiers, then insert, update or merge, combining fields by rules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import JSON, invalid_property, validation_failed
from .identifiers import MAX_APPLE_IDS, MAX_EXTERNAL_IDS
from .models import CONTACT_FIELDS, FieldRules

_PATH = re.compile(r"\$(\.[A-Za-z_][A-Za-z0-9_]*)+")
_ARRAY_LIMITS = {"externalIds": MAX_EXTERNAL_IDS, "appleOpaqueIds": MAX_APPLE_IDS}

# Objects whose members are combined one by one. The others (a phone number, a social id) make sense only as a whole,
# unless a rule names one of their members.
_COMPOSITE = frozenset({"address", "customFields"})


@dataclass(frozen=True, slots=True)
class Rules:
    action: str
    array_action: str
    by_path: Mapping[str, tuple[str | None, str | None]]  # `address.city` -> (action, array action)

    def of(self, path: str) -> tuple[str, str]:
        """The rule of a path is its own, else that of its closest parent, else the default."""
        action = array_action = None
        while path:
            own = self.by_path.get(path, (None, None))
            action, array_action = action or own[0], array_action or own[1]
            path = path.rpartition(".")[0]
        return action or self.action, array_action or self.array_action

    def below(self, path: str) -> bool:
        return any(named.startswith(f"{path}.") for named in self.by_path)


def rules_of(given: FieldRules) -> Rules:
    by_path = {}
    for rule in given.rules:
        if not _PATH.fullmatch(rule.field):
            raise validation_failed(
                "The provided enrich request was not valid",
                [
                    (
                        "fieldRules.rules.field",
                        f"must be a restricted JSONPath such as $.address.city, not {rule.field[:60]}",
                    )
                ],
            )
        path = rule.field[2:]
        if path.partition(".")[0] not in CONTACT_FIELDS:
            raise invalid_property(rule.field[:60], "ExternalContact")
        by_path[path] = (rule.action, rule.array_action)
    return Rules(given.default_action, given.default_array_action, by_path)


def combined(existing: JSON, provided: JSON, rules: Rules) -> JSON:
    """The fields of the contact after the enrichment."""
    result: JSON = {}
    for name in dict.fromkeys([*existing, *provided]):
        value = _combine(name, existing.get(name), provided.get(name), rules)
        if value not in (None, {}, []):
            result[name] = value
    return result


def _combine(path: str, existing: Any, provided: Any, rules: Rules) -> Any:
    if isinstance(existing, dict) and isinstance(provided, dict) and (path in _COMPOSITE or rules.below(path)):
        members = {
            name: _combine(f"{path}.{name}", existing.get(name), provided.get(name), rules)
            for name in dict.fromkeys([*existing, *provided])
        }
        return {name: value for name, value in members.items() if value is not None}
    action, array_action = rules.of(path)
    if isinstance(existing, list) and isinstance(provided, list) and action != "PreferExisting":
        return _combine_arrays(path, existing, provided, array_action)
    if action == "AlwaysUseProvided":
        return provided
    first, second = (existing, provided) if action == "PreferExisting" else (provided, existing)
    return second if first is None else first


def _combine_arrays(path: str, existing: list[Any], provided: list[Any], action: str) -> list[Any]:
    if action == "Replace":
        return provided
    joined = existing + [entry for entry in provided if entry not in existing]
    limit = _ARRAY_LIMITS.get(path, len(joined))
    if action == "Extend" and len(joined) > limit:
        raise validation_failed(
            "The provided enrich request was not valid", [(f"contact.{path}", f"would have more than {limit} entries")]
        )
    return joined[:limit]
