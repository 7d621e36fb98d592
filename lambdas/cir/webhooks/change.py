"""What a CRM says has changed: which record, and no more. The record itself is fetched when its turn comes."""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Self

_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}")
_RECORD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class InvalidMessageError(ValueError):
    """A message of the queue that no webhook has written. The text says what is wrong, free of its values."""


@dataclass(frozen=True, slots=True)
class Change:
    """A record of the CRM that has changed. Holds no personal data: it lies in queues and logs."""

    source: str
    id: str
    """The CRM's own."""
    deleted: bool
    """What the CRM said; what it shows when it is asked counts."""
    event_id: str
    """The same whenever the CRM tells of the same change again."""
    received_at: float
    """Seconds since 1970."""

    @property
    def group(self) -> str:
        """Changes of one record stay in order."""
        return f"{self.source}#{self.id}"

    def to_message(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_message(cls, body: str) -> Self:
        """Raises InvalidMessageError."""
        try:
            data = json.loads(body)
        except ValueError:
            raise InvalidMessageError("the message is not JSON") from None
        if not isinstance(data, dict):
            raise InvalidMessageError("the message is not a JSON object")
        for name, kind in {"source": str, "id": str, "deleted": bool, "event_id": str}.items():
            if not isinstance(data.get(name), kind):
                raise InvalidMessageError(f"the message has no {name!r} that is a {kind.__name__}")
        received_at = data.get("received_at")
        if isinstance(received_at, bool) or not isinstance(received_at, int | float):
            raise InvalidMessageError("the message has no 'received_at' that is a number")
        if not is_record_id(data["id"]) or not is_token(data["event_id"]) or not is_token(data["source"]):
            raise InvalidMessageError("the message has an id that no CRM issues")
        return cls(data["source"], data["id"], data["deleted"], data["event_id"], float(received_at))


def is_record_id(value: Any) -> bool:
    """Whether a CRM could have issued the id: Salesforce's 15 or 18 characters, a GUID, a sys_id."""
    return isinstance(value, str) and bool(_RECORD_ID.fullmatch(value))


def is_token(value: Any) -> bool:
    """Whether a text can stand in a log and a queue as it is."""
    return isinstance(value, str) and bool(_TOKEN.fullmatch(value))
