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
    code = _code_of_aws(error)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    kind = {"error": type(error).__name__, **({"code": code} if code else {})}
    write({"event": event, "level": "error", **kind, "at": places[-5:], **facts})


def _code_of_aws(error: BaseException | None) -> str:
    """The code of an error of botocore, or of one that such an error has caused; empty for all others."""
    while error:
        response = getattr(error, "response", None)  # that of an error of requests is no mapping
        if isinstance(response, Mapping):
            return str(response.get("Error", {}).get("Code", ""))
        error = error.__cause__
    return ""
