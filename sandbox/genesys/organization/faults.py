"""Failures on order."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from .errors import GENERIC
from .settings import Settings

STATUSES = frozenset(GENERIC) | {429}


@dataclass(slots=True)
class Fault:
    """The next `count` calls whose operation contains `operation` (all if empty) fail with `status`.

    `after`: the call takes effect and only its answer is lost. `hang_s`: the answer comes that late, so that a client
    with a shorter timeout never sees it.
    """

    status: int
    count: int = 1
    operation: str = ""
    after: bool = False
    hang_s: float = 0.0

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Fault":
        if unknown := sorted(set(given) - {"status", "count", "operation", "after", "hang_s"}):
            raise ValueError(f"unknown member {unknown[0]!r} of a fault")
        fault = cls(**given)
        if fault.status not in STATUSES:
            raise ValueError(f"status {fault.status} is not one of {sorted(STATUSES)}")
        if not isinstance(fault.count, int) or fault.count < 1:
            raise ValueError(f"count {fault.count} is not a positive number of calls")
        return fault


class Faults:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._ordered: list[Fault] = []

    def order(self, fault: Fault) -> None:
        self._ordered.append(fault)

    def clear(self) -> None:
        self._ordered.clear()

    def waiting(self) -> int:
        return sum(fault.count for fault in self._ordered)

    def next(self, operation: str, settings: Settings) -> Fault | None:
        """The fault that hits this call, if any."""
        for fault in self._ordered:
            if fault.operation in operation:
                fault.count -= 1
                self._ordered = [left for left in self._ordered if left.count]
                return fault
        if settings.error_rate and self._random.random() < settings.error_rate:
            return Fault(self._random.choice(settings.error_statuses))
        return None
