"""Keeping below Genesys Cloud's request limit, as its answers tell it and not as documented."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from cir.http.retries import retry_after


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One window of the token's limit, from the headers `inin-ratelimit-allowed`, `-count` and `-reset`."""

    allowed: int
    count: int
    reset_seconds: float

    @property
    def remaining(self) -> int:
        return max(self.allowed - self.count, 0)

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self | None:
        """None if the answer does not carry them (not every service of Genesys Cloud sends them)."""
        try:
            return cls(
                int(headers["inin-ratelimit-allowed"]),
                int(headers["inin-ratelimit-count"]),
                float(headers["inin-ratelimit-reset"]),
            )
        except (KeyError, ValueError):
            return None


class Pacer(Protocol):
    """Decides when the next request may leave. Shared by all threads of a client."""

    def before_request(self, cost: int) -> float:
        """0: permission to send now. Else the seconds after which to ask again."""

    def after_response(self, headers: Mapping[str, str], cost: int) -> None:
        """Called once for every permission, with the answer's headers (lower-case names; none if no answer came)."""


class HeaderPacer:
    """Full speed until few requests are left in the window, then evenly spaced until it ends.

    Counts what is in flight, so threads that ask at once do not overshoot together, and believes the highest count
    seen in a window, so other users of the same token are counted and late answers do no harm.
    """

    def __init__(self, *, slow_below: float = 0.2, clock: Callable[[], float] = time.monotonic) -> None:
        self._slow_below = slow_below
        """Share of the limit."""
        self._clock = clock
        self._lock = threading.Lock()
        self._allowed = 0
        self._count = 0
        self._in_flight = 0
        self._resets_at = 0.0
        self._next_at = 0.0

    def before_request(self, cost: int) -> float:
        with self._lock:
            now = self._clock()
            wait = self._next_at - now
            if now < self._resets_at and wait <= 0:
                left = self._allowed - self._count - self._in_flight
                if left < cost:
                    wait = self._resets_at - now
                elif left <= self._allowed * self._slow_below:
                    self._next_at = now + cost * (self._resets_at - now) / left
            if wait > 0:
                return wait
            self._in_flight += cost
            return 0.0

    def after_response(self, headers: Mapping[str, str], cost: int) -> None:
        limit = RateLimit.from_headers(headers)
        pause = retry_after(headers)
        with self._lock:
            now = self._clock()
            self._in_flight -= cost
            if pause is not None:
                self._next_at = max(self._next_at, now + pause)
            if limit is None:
                return
            # In whole seconds and some time ago, so within one window this moves by a second or two: never early.
            resets_at = now + limit.reset_seconds
            renewed = now >= self._resets_at or resets_at > self._resets_at + 2 or limit.count < self._count / 2
            self._allowed = limit.allowed
            self._count = limit.count if renewed else max(self._count, limit.count)
            self._resets_at = resets_at if renewed else min(self._resets_at, resets_at)
