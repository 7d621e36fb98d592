"""The organization's time: real time plus an offset, so that days can pass in a test, or faster than real time."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

DAY = 86_400.0


@dataclass(slots=True)
class Clock:
    offset: float = 0.0
    speed: float = 1.0
    started: float = field(default_factory=time.time)

    def now(self) -> float:
        return self.started + (time.time() - self.started) * self.speed + self.offset


def iso(moment: float) -> str:
    """Seconds since the epoch as Genesys writes them: UTC with milliseconds."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
