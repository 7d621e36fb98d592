"""How long a Lambda function may still take."""

RESERVE_SECONDS = 1.0
"""Kept of the function's time for writing to the tables and answering."""


def seconds_left(context: object, *, at_most: float) -> float:
    """Seconds that calls to other services may take, by Lambda's context (which tests and tools may not have)."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return max(0.0, min(at_most, remaining() / 1000 - RESERVE_SECONDS)) if remaining else at_most
