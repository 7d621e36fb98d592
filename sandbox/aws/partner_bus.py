"""Genesys Cloud's contact events on their way to the function `events`: the partner bus, its rule, and the queue.

Messages are those that the deployed rule makes of events, and they are given out as the queue does it: after its delay,
in batches, again when the function has failed, and set aside when it has failed too often.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from infra.catalog.triggers import Queue

_POLL_SECONDS = 0.5
_AGAIN_SECONDS = 0.5


@dataclass(slots=True)
class _Message:
    id: str
    body: str
    visible_at: float
    receives: int = 0


class PartnerBus:
    """Follows one emulated organization in a thread of its own, from construction until `stop`."""

    def __init__(
        self,
        genesys_url: str,
        *,
        invoke: Callable[[dict[str, Any]], Any],
        on_discard: Callable[[str], None],
        queue: Queue,
        delay_seconds: float,
    ) -> None:
        """`queue` is the deployed one, but for its delay. `invoke` takes a batch event, gives the function's answer,
        and raises if the function failed. `on_discard` takes the body of a message that is set aside."""
        self._url = f"{genesys_url}/sandbox"
        self._invoke = invoke
        self._on_discard = on_discard
        self._queue = queue
        self._delay = delay_seconds
        self._read = int(requests.get(self._url, timeout=10).json()["lastEvent"])
        self._messages: list[_Message] = []
        self._delivered = 0
        self._empty_at = 0.0
        self._hurry = False
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="partner bus", daemon=True)
        self._thread.start()

    @property
    def delivered(self) -> int:
        """How many messages the function has taken so far."""
        return self._delivered

    def wait_until_drained(self, *, timeout_seconds: float = 30.0) -> None:
        """Have everything that has happened before this call delivered, without the delay; `TimeoutError` if it is
        not in time."""
        asked_at = time.monotonic()
        with self._changed:
            self._hurry = True
            drained = self._changed.wait_for(lambda: self._empty_at >= asked_at, timeout_seconds)
            self._hurry = False
        if not drained:
            raise TimeoutError(f"{self._thread.name}: events not followed within {timeout_seconds:.1f} s")

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            started_at = time.monotonic()
            try:
                self._poll()
            except requests.RequestException:
                # not there, or not there any more
                self._stopping.wait(_POLL_SECONDS)
                continue
            now = time.monotonic()
            due = [each for each in self._messages if self._hurry or each.visible_at <= now][: self._queue.batch_size]
            if due:
                self._attempt(due)
            elif not self._messages:
                with self._changed:
                    self._empty_at = started_at
                    self._changed.notify_all()

    def _poll(self) -> None:
        wait = 0 if self._messages or self._hurry else _POLL_SECONDS
        query = {"after": self._read, "limit": 1000, "wait": wait}
        answer = requests.get(f"{self._url}/events", params=query, timeout=10).json()
        self._read = answer["last"]
        visible_at = time.monotonic() + self._delay
        events = [each["event"] for each in answer["events"]]
        self._messages += [_Message(event["id"], _message(event), visible_at) for event in events]
        if self._messages and not events and not self._hurry:
            self._stopping.wait(min(_POLL_SECONDS, max(0.0, self._messages[0].visible_at - time.monotonic())))

    def _attempt(self, batch: list[_Message]) -> None:
        records = [{"messageId": each.id, "body": each.body} for each in batch]
        try:
            answer = self._invoke({"Records": records})
            failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        except Exception:  # whatever it was is in the function's log
            failed = {each.id for each in batch}
        again_at = time.monotonic() + _AGAIN_SECONDS
        for each in batch:
            each.receives, each.visible_at = each.receives + 1, again_at
            if each.id in failed and each.receives < self._queue.receives:
                continue
            self._messages.remove(each)
            if each.id in failed:
                self._on_discard(each.body)
            else:
                self._delivered += 1


def _message(event: Mapping[str, Any]) -> str:
    detail = event["detail"]
    body = {name: detail["eventBody"][name] for name in ("id", "modifyDate")}
    return json.dumps(
        {"detail-type": event["detail-type"], "detail": {"timestamp": detail["timestamp"], "eventBody": body}}
    )
