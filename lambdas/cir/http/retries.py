"""The attempts of one request, and the pauses between them: as long as the service demands, and a random time more."""

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Timing:
    """Replaced in tests."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is sent at most, and with what pauses. Times are in seconds."""

    attempts: int
    first_pause: float
    """Doubled with every attempt; the pause is anything between 0 and that."""
    longest_pause: float
    longest_retry_after: float
    """A service that demands a longer pause is to be asked another time."""


class Failure(NamedTuple):
    """An attempt without a usable answer."""

    error: Exception
    repeatable: bool
    """The same request can succeed later, and to send it twice does no harm."""
    retry_after: float = 0.0
    """Seconds for which the service wants to be left alone."""


class Attempts:
    """Counts them. The caller sends; after each failure `pause` waits or ends it.

    attempts = Attempts(retries, timing)
    while isinstance(answer := send(), Failure):
        attempts.pause(answer)
    """

    def __init__(self, retries: Retries, timing: Timing, *, deadline: float | None = None) -> None:
        """`deadline` is a reading of the clock after which nothing more is tried."""
        self._retries = retries
        self._timing = timing
        self._deadline = deadline
        self.number = 1
        """Of the attempt that is due."""
        self.last: Exception | None = None
        """Why the one before failed."""

    def pause(self, failure: Failure) -> None:
        """Wait for the next attempt. Raises the failure's error where there is none."""
        longest = min(self._retries.first_pause * 2 ** (self.number - 1), self._retries.longest_pause)
        seconds = failure.retry_after + self._timing.uniform(0.0, longest)
        if (
            not failure.repeatable
            or self.number >= self._retries.attempts
            or failure.retry_after > self._retries.longest_retry_after
            or not self.allow(seconds)
        ):
            raise failure.error
        self._timing.sleep(seconds)
        self.number += 1
        self.last = failure.error

    def allow(self, seconds: float) -> bool:
        """Whether so long a wait leaves time for another attempt."""
        return self._deadline is None or self._timing.clock() + seconds < self._deadline


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as the answer demands, from `retry-after`; None if it demands nothing, or names a date."""
    try:
        seconds = float(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
