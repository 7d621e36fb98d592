"""Event filter patterns of event source mappings: the operators that are used, and an error for every other one.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

from collections.abc import Mapping
from typing import Any

_MISSING = object()


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether every path that the pattern names fits. `ValueError` for an operator that is not supported here."""
    return all(
        matches(rule, _branch(event.get(key)))
        if isinstance(rule, Mapping)
        else _any_fits(rule, event.get(key, _MISSING))
        for key, rule in pattern.items()
    )


def _branch(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _any_fits(alternatives: object, value: object) -> bool:
    if not isinstance(alternatives, list) or not alternatives:
        raise ValueError(f"a filter pattern ends in a list of alternatives, not in {alternatives!r}")
    return any(_fits(alternative, value) for alternative in alternatives)


def _fits(alternative: object, value: object) -> bool:
    match alternative:
        case None | str() | int() | float():
            return value is not _MISSING and alternative == value
        case {"exists": bool(expected), **others} if not others:
            # Like Lambda, `exists` looks at leaves only: a map under that name does not count.
            return expected == (value is not _MISSING and not isinstance(value, Mapping))
        case {"anything-but": list(excluded), **others} if not others:
            return value is not _MISSING and value not in excluded
        case _:
            raise ValueError(f"filter operator {alternative!r} is not supported by the sandbox")
