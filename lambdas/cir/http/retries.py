"""The attempts of one request, and the pauses between them: as long as the service demands, and a random time more."""

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

SAID_FROM = 3.0
"""Seconds from which a wait is said."""
_THROTTLED = (4.0, 8.0, 16.0, 32.0, 60.0)
"""Seconds to leave a service alone that has had too much and does not say for how long. Five attempts outlast the
minute in which most of them count."""


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
    throttled: bool = False
    """It has had too much."""


class Attempts:
    """Counts them. The caller sends; after each failure `pause` waits or ends it.

    attempts = Attempts(retries, timing)
    while isinstance(answer := send(), Failure):
        attempts.pause(answer)
    """

    def __init__(
        self,
        retries: Retries,
        timing: Timing,
        *,
        deadline: float | None = None,
        on_wait: Callable[[float], None] = lambda _: None,
    ) -> None:
        """`deadline` is a reading of the clock after which nothing more is tried. `on_wait` is told the seconds of a
        wait that is long enough to be said."""
        self._on_wait = on_wait
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
        demanded = self.demanded(failure)
        seconds = demanded + self._timing.uniform(0.0, longest)
        if (
            not failure.repeatable
            or self.number >= self._retries.attempts
            or demanded > self._retries.longest_retry_after
            or not self.allow(seconds)
        ):
            raise failure.error
        self.wait(seconds)
        self.number += 1
        self.last = failure.error

    def demanded(self, failure: Failure) -> float:
        """Seconds for which the service is to be left alone: as it says, or longer each time where it does not."""
        if failure.throttled and not failure.retry_after:
            return _THROTTLED[min(self.number, len(_THROTTLED)) - 1]
        return failure.retry_after

    def wait(self, seconds: float) -> None:
        if seconds > SAID_FROM:
            self._on_wait(seconds)
        self._timing.sleep(seconds)

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
