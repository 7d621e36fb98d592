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
    """Write an unexpected failure: its kind, with the code of what AWS refuses, and where it happened, but not its
    text, which may quote a value."""
    response = getattr(error, "response", None)  # botocore's is a mapping; those of requests have one of another kind
    code = response.get("Error", {}).get("Code", "") if isinstance(response, Mapping) else ""
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    kind = {"error": type(error).__name__, **({"code": code} if code else {})}
    write({"event": event, "level": "error", **kind, "at": places[-5:], **facts})
