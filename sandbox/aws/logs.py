"""What the functions write, kept so that it can be searched: the sandbox's CloudWatch Logs."""

import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line of standard output or error. A traceback that the runtime writes is one event, as in CloudWatch."""

    function: str
    timestamp: float
    """Seconds since the epoch at which it was read."""
    message: str


class Logs:
    """The newest events of all functions in memory, and everything in one file per function."""

    def __init__(self, *, directory: Path, capacity: int = 50_000) -> None:
        self.directory = directory
        self._appended = 0
        self._closed = False
        self._events: deque[LogEvent] = deque(maxlen=capacity)
        self._files: dict[str, TextIO] = {}
        self._changed = threading.Condition()

    def append(self, function: str, message: str) -> None:
        event = LogEvent(function, time.time(), message)
        with self._changed:
            self._events.append(event)
            self._appended += 1
            if not self._closed:
                print(message, file=self._file(function), flush=True)
            self._changed.notify_all()

    def find(self, text: str, *, function: str | None = None, timeout_seconds: float = 0.0) -> list[LogEvent]:
        """The events that contain the text, oldest first. Waits until there is one: a function's answer can overtake
        what it wrote."""
        deadline = time.monotonic() + timeout_seconds

        def matching(events: Iterable[LogEvent]) -> list[LogEvent]:
            return [event for event in events if text in event.message and function in (None, event.function)]

        with self._changed:
            found = matching(self._events)
            while not found and (remaining := deadline - time.monotonic()) > 0:
                before = self._appended
                self._changed.wait(remaining)
                newest_first = list(islice(reversed(self._events), self._appended - before))
                found = matching(reversed(newest_first))
            return found

    def close(self) -> None:
        with self._changed:
            for file in self._files.values():
                file.close()
            self._files.clear()
            self._closed = True

    def _file(self, function: str) -> TextIO:
        if function not in self._files:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._files[function] = (self.directory / f"{function}.log").open("w", encoding="utf-8")
        return self._files[function]
