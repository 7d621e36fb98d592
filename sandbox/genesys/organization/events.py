"""Contact events as Amazon EventBridge delivers them from Genesys Cloud."""

import asyncio
import json
import logging
import uuid
from collections import deque
from contextvars import ContextVar
from pathlib import Path

import requests

from .clock import iso
from .contacts import Record
from .errors import JSON
from .settings import Settings

CONTACT_TOPIC = "v2.externalcontacts.contacts.{id}"
UNRESOLVED_TOPIC = "v2.externalcontacts.contacts.{id}.unresolved"

# Of the request that is being answered; a job that a request started inherits it.
correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)

_log = logging.getLogger(__name__)


def event_body(record: Record, head: Record) -> JSON:
    """`ExternalContactsContactChangedTopicContact`: like the REST contact, but merge references are bare ids."""
    fields = dict(record.fields)
    if "externalIds" in fields:
        fields["externalIds"] = [
            {"externalSource": {"id": entry["externalSource"]["id"]}, "value": entry["value"]}
            for entry in fields["externalIds"]
        ]
    body: JSON = {"id": record.id, "division": {"id": record.division}, "type": record.type, **fields}
    if head.merge_set:
        body |= {"canonicalContactId": head.id, "mergeSet": list(head.merge_set)}
    if record.merged_from:
        body["mergedFrom"] = list(record.merged_from)
    if record.merged_to:
        body["mergedTo"] = record.merged_to
    if record.merge_operation:
        roles = ("sourceContactId", "targetContactId", "resultingContactId")
        body["mergeOperation"] = dict(zip(roles, record.merge_operation, strict=True))
    return body | {"createDate": iso(record.created), "modifyDate": iso(record.modified)}


def envelope(settings: Settings, topic: str, body: JSON, *, now: float) -> JSON:
    """An event as EventBridge hands it on. Its topic has the literal `{id}`: that is how rules match it."""
    moment = iso(now)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": topic,
        "source": f"aws.partner/genesys.com/cloud/{settings.organization_id}/{settings.event_source_suffix}",
        "account": settings.aws_account,
        "time": f"{moment[:19]}Z",
        "region": settings.aws_region,
        "resources": [],
        "detail": {
            "topicName": topic.replace("{id}", body["id"]),
            "version": "2",
            "eventBody": body,
            "metadata": {"CorrelationId": correlation_id.get() or str(uuid.uuid4())},
            "timestamp": moment,
        },
    }


class EventLog:
    """Numbers the events, keeps the latest of them, and hands each to the targets that the settings name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: deque[tuple[int, JSON]] = deque(maxlen=settings.event_buffer)
        self._next = 1
        self._arrived = asyncio.Event()
        self._outbox: asyncio.Queue[JSON] = asyncio.Queue()

    @property
    def last(self) -> int:
        return self._next - 1

    def configure(self, settings: Settings) -> None:
        self._settings = settings

    def forget(self) -> None:
        """Drop what was kept; the numbers go on."""
        self._kept.clear()

    def publish(self, record: Record, head: Record, *, now: float) -> None:
        topic = UNRESOLVED_TOPIC if record.merged_to else CONTACT_TOPIC
        event = envelope(self._settings, topic, event_body(record, head), now=now)
        self._kept.append((self._next, event))
        self._next += 1
        self._arrived.set()
        if self._settings.event_url or self._settings.event_file:
            self._outbox.put_nowait(event)

    async def after(self, sequence: int, *, limit: int, wait_s: float) -> list[tuple[int, JSON]]:
        """Events numbered above `sequence`, oldest first; waits a while for one if there is none yet."""
        if self.last <= sequence and wait_s > 0:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), wait_s)
            except TimeoutError:
                return []
        return [numbered for numbered in self._kept if numbered[0] > sequence][:limit]

    async def deliver(self) -> None:
        """Hand events to the file and the URL of the settings, in order, for as long as the server runs."""
        while True:
            event = await self._outbox.get()
            if self._settings.event_file:
                await asyncio.to_thread(_append, Path(self._settings.event_file), event)
            if self._settings.event_url:
                await self._post(self._settings.event_url, event)

    async def _post(self, url: str, event: JSON) -> None:
        """EventBridge retries; three attempts are enough on one machine."""
        for attempt in range(3):
            try:
                answer = await asyncio.to_thread(_send, url, event)
            except requests.RequestException as error:
                problem = type(error).__name__
            else:
                if answer.ok:
                    return
                problem = f"HTTP {answer.status_code}"
            await asyncio.sleep(0.1 * 2**attempt)
        _log.warning("event %s was not accepted by the event URL: %s", event["id"], problem)


def _append(path: Path, event: JSON) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(event) + "\n")


def _send(url: str, event: JSON) -> requests.Response:
    return requests.post(url, json=event, timeout=10)
