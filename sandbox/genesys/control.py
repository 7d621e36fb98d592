"""An emulator that runs, from outside: change its settings, order failures, ask what was called. `http/control.py` is
the other end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

_TIMEOUT_S = 60.0  # longer than the longest wait for an event
_DAY_S = 86_400.0


class RefusedError(ValueError):
    """The emulator did not take a call. The text is its reason."""


@dataclass(frozen=True, slots=True)
class Control:
    """The emulator's own API at `url`, the address that also serves the emulated one. Needs no token.

    Raises RefusedError when the emulator does not take a call, and `requests.RequestException` when none answers.
    """

    url: str

    def call(self, method: str, path: str, body: object = None, **query: Any) -> Any:
        """Any call of this API; `path` is what follows `/sandbox`."""
        answer = requests.request(method, f"{self.url}/sandbox{path}", json=body, params=query, timeout=_TIMEOUT_S)
        if not answer.ok:
            raise RefusedError(f"{method} /sandbox{path}: {answer.text}")
        return answer.json()

    def reset(self) -> None:
        """Everything as at the start, settings included; tokens end too. Numbers of events go on."""
        self.call("POST", "/reset")

    def configure(self, **settings: object) -> None:
        """Change settings at once, for instance `latency_ms=(300, 800)`; see `Settings` for their names."""
        self.call("PUT", "/settings", settings)

    def days_pass(self, days: float) -> None:
        """Move the organization's clock to so many days after the real time."""
        self.configure(clock_offset_s=days * _DAY_S)

    def fail(
        self, *, status: int = 503, count: int = 1, operation: str = "", after: bool = False, hang_s: float = 0.0
    ) -> None:
        """Let the next `count` calls fail whose `METHOD /path` contains `operation`.

        `after`: the call takes effect and only its answer is lost. `hang_s`: the answer comes so many seconds late.
        """
        fault = {"status": status, "count": count, "operation": operation, "after": after, "hang_s": hang_s}
        self.call("POST", "/faults", fault)

    def calls(self) -> dict[str, int]:
        """`METHOD /path` of each operation → how often it was called since the start or the last reset."""
        calls: dict[str, int] = self.call("GET", "/stats")["calls"]
        return calls

    def statuses(self, operation: str) -> dict[str, int]:
        """Status → how many calls of the operation (`METHOD /path`) had it."""
        statuses: dict[str, int] = self.call("GET", "/stats")["statuses"].get(operation, {})
        return statuses

    def events(self, after: int = 0, *, limit: int = 1000, wait_s: float = 0.0) -> list[dict[str, Any]]:
        """Contact events numbered above `after`, in EventBridge's envelope; waits so long for a first one."""
        listed = self.call("GET", "/events", after=after, limit=limit, wait=wait_s)["events"]
        return [entry["event"] for entry in listed]

    def last_event(self) -> int:
        """The number of the latest contact event, to read on after it."""
        return int(self.call("GET", "")["lastEvent"])

    def queue_ids(self) -> dict[str, str]:
        """Name of each routing queue → its id."""
        return {queue["name"]: queue["id"] for queue in self.call("GET", "")["queues"]}

    def meet(self, identifier: Mapping[str, Any]) -> str:
        """A customer gets in touch by `{"type": ..., "value": ...}`; returns the id of the contact that this leads to,
        an ephemeral one if none had claimed the identifier."""
        return str(self.call("POST", "/interactions", {"identifier": identifier})["id"])
