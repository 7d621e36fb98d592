"""A webhook's HTTP request, and what it says when it is believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A request as it has arrived."""

    source: str
    """Whom its path names."""
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """By their names in lower case."""
    query: Mapping[str, str] = field(repr=False)


class WebhookRefusedError(Exception):
    """A request that is not taken. The text is for our log and free of the request's values; the sender learns the
    status alone."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Notice:
    """One record that a request speaks of."""

    id: str
    deleted: bool
    event_id: str
    entity: str = ""
    """Its table in the CRM; empty where the request does not tell."""
