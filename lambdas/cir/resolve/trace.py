"""The decision trace: what was looked up, what each step found, what was ignored and why, and how long it took.

It leaves the function as one line of its log, so keeping it costs the caller no round trip, and is found there by its
`resolutionId`. Values are masked and identifiers named by their cache key, so that somebody who knows a number
can check whether a trace is about it, and nobody else can tell whose it is.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

_LOGGED = (
    "outcome",
    "contactId",
    "assurance",
    "matchedBy",
    "candidateCount",
    "askFor",
    "explanation",
    "cacheStatus",
    "latencyMs",
)


@dataclass(slots=True)
class Trace:
    """Collects while a resolution runs. Times in milliseconds."""

    resolution_id: str
    started: float = field(default_factory=time.perf_counter)
    steps: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """Time a step; what the block puts into the yielded mapping is kept with it."""
        found: dict[str, Any] = {"step": name}
        self.steps.append(found)
        before = time.perf_counter()
        try:
            yield found
        finally:
            found["ms"] = round((time.perf_counter() - before) * 1000, 3)

    def elapsed_ms(self) -> float:
        return round((time.perf_counter() - self.started) * 1000, 3)

    def line(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """The log line. It takes from the answer what is no personal data."""
        return {
            "event": "resolution",
            "resolutionId": self.resolution_id,
            **{name: answer[name] for name in _LOGGED},
            **self.facts,
            "steps": self.steps,
        }
