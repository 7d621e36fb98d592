"""When something runs by the clock: EventBridge Scheduler's cron, checked before anything is deployed."""

import re
import zoneinfo
from dataclasses import dataclass

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()
    """Of the values from the lowest on."""
    special: str = ""
    """Further forms, as a regular expression."""


# https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
_DAY_OF_MONTH, _DAY_OF_WEEK = 2, 4
_FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of month", 1, 31, special=r"\?|L|LW|\d{1,2}W"),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 1, 7, _DAYS, special=r"\?|[1-7]?L|[1-7]#[1-5]"),
    _Field("year", 1970, 2199),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Six fields, for instance `0 2 * * ? *`, every day at two; and a time zone, for instance `Europe/London`."""

    cron: str
    time_zone: str

    @property
    def problem(self) -> str:
        """What is wrong with it; empty when nothing is."""
        fields = self.cron.split()
        if len(fields) != len(_FIELDS):
            wanted = ", ".join(field.name for field in _FIELDS)
            return f"cron {self.cron!r} has {len(fields)} fields and not six, which are {wanted}"
        for text, field in zip(fields, _FIELDS, strict=True):
            if not all(_fits(each, field) for each in text.split(",")):
                return f"cron {self.cron!r} has {text!r} for {field.name}, which is {field.lowest} to {field.highest}"
        if (fields[_DAY_OF_MONTH] == "?") == (fields[_DAY_OF_WEEK] == "?"):
            return f"cron {self.cron!r} must have ? for day of month or for day of week, and not for both"
        if self.time_zone not in zoneinfo.available_timezones():
            return f"time zone {self.time_zone!r} is not one such as Europe/London"
        return ""


def _fits(text: str, field: _Field) -> bool:
    """`*`, a value or name, a range, any of them with a step, or a form of its own."""
    if field.special and re.fullmatch(field.special, text):
        return True
    span, _, step = text.partition("/")
    if "/" in text and not (step.isdigit() and int(step) > 0):
        return False
    first, _, last = span.partition("-")
    values = [_value(each, field) for each in ([first, last] if "-" in span else [first])]
    return span == "*" or all(value is not None for value in values)


def _value(text: str, field: _Field) -> int | None:
    if text.upper() in field.names:
        return field.lowest + field.names.index(text.upper())
    return int(text) if text.isdigit() and field.lowest <= int(text) <= field.highest else None
