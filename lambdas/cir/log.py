"""The log: one JSON object a line on standard output, which is where Lambda takes it from."""

import json
import sys
import traceback
from collections.abc import Mapping
from typing import Any


def write(line: Mapping[str, Any]) -> None:
    """Write one line. Whoever calls this answers for its holding no personal data."""
    sys.stdout.write(json.dumps(line, separators=(",", ":"), default=str) + "\n")
    sys.stdout.flush()


def write_failure(event: str, error: BaseException, **facts: Any) -> None:
    """Write an unexpected failure: its kind and where it happened, but not its text, which may quote a value."""
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    write({"event": event, "level": "error", "error": type(error).__name__, "at": places[-5:], **facts})
