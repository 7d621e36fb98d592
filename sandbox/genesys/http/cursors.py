"""Opaque cursors: a position in a list, of which list, and since when. They live for 24 hours."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from ..organization.clock import DAY
from ..organization.errors import bad_cursor


def encode(*, scope: Sequence[str], position: int, now: float) -> str:
    text = json.dumps([*scope, position, round(now)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position(cursor: str, *, scope: Sequence[str], now: float) -> int:
    """Where to go on; 422 for a cursor that is not ours, is of another query, or has expired."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        content: Any = json.loads(base64.urlsafe_b64decode(padded))
        *issued_for, place, issued = content
        expired = now - issued > DAY
    except (ValueError, TypeError):
        raise bad_cursor() from None
    if issued_for != list(scope) or expired or not isinstance(place, int) or place < 0:
        raise bad_cursor()
    return place
