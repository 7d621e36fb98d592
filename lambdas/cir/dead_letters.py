"""Dead letters: what a function was to be given and could not take, in the SQS queues of an environment.

Each function has a queue `cir-<environment>-<function>-undelivered`. A message in it came from the queue of the same
name without that ending; where there is none it is Lambda's report of a batch of a table's stream.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LOOK_SECONDS = 120
"""How long a message is out of sight of others while it is looked at or moved."""
MOST = 1000
"""Messages that are received of one queue at once."""
UNDELIVERED = "-undelivered"


class DeadLetterError(Exception):
    """There is no such queue or message. The text names it."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message in a dead-letter queue, which this process has received and nobody else sees for a moment."""

    function: str
    queue_url: str
    receipt: str
    id: str
    body: str
    sent_at: str
    group: str
    attributes: dict[str, str]

    @property
    def source_url(self) -> str:
        """The queue that it would have come from; there is none where it is the report of a stream."""
        return self.queue_url.replace(UNDELIVERED, "")

    @property
    def content(self) -> Any:
        """The body, as an object where it is JSON. It holds ids, and no personal data."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body

    @property
    def about(self) -> str:
        """What it is about, in a few words."""
        content = self.content if isinstance(self.content, dict) else {}
        if "DDBStreamBatchInfo" in content:
            batch = content["DDBStreamBatchInfo"]
            return f"{batch.get('batchSize')} records of the stream of {str(batch.get('streamArn')).split('/')[1]}"
        if "event_id" in content:
            return f"{content.get('source')} {content.get('id')}" + (" (deleted)" if content.get("deleted") else "")
        body = (content.get("detail") or {}).get("eventBody") or {} if "detail" in content else {}
        return f"contact {body.get('id')}" if body else "-"

    @property
    def reason(self) -> str:
        """Why, where the function has said so."""
        return self.attributes.get("reason", "")

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "function": self.function,
            "since": self.sent_at,
            "about": self.about,
            "reason": self.reason,
            "body": self.content,
        }


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The dead-letter queues of one environment."""

    sqs: Any
    """boto3's client."""
    environment: str

    @contextmanager
    def received(
        self, function: str = "", *, most: int = MOST, until_empty: bool = False
    ) -> Iterator[list[DeadLetter]]:
        """Up to so many messages of each queue, or of one function's, out of sight of others.

        `until_empty`: as long as SQS gives some, whatever it counts. Those that are still there in the end are visible
        again. Raises DeadLetterError.
        """
        found: list[DeadLetter] = []
        try:
            for name, url in self._queues(function).items():
                found += self._receive(name, url, most, until_empty=until_empty)
            yield found
        finally:
            for each in found:
                try:
                    self.sqs.change_message_visibility(
                        QueueUrl=each.queue_url, ReceiptHandle=each.receipt, VisibilityTimeout=0
                    )
                except self.sqs.exceptions.ClientError:
                    continue  # it is gone, or in sight already

    def replay(self, messages: Sequence[DeadLetter]) -> tuple[list[DeadLetter], list[DeadLetter]]:
        """Send messages again to the queues that they came from; which were sent, and which came from no queue.

        Repeated, it does no harm.
        """
        queues = set(self._urls())
        sent = [each for each in messages if each.source_url in queues]
        for each in sent:
            self._send(each)
            self._delete(each)
        return sent, [each for each in messages if each.source_url not in queues]

    def replay_all(self, function: str = "") -> tuple[list[DeadLetter], list[DeadLetter]]:
        """`replay` of all that waits, a thousand at a time, until each queue is empty. Raises DeadLetterError."""
        sent: list[DeadLetter] = []
        left: list[DeadLetter] = []
        for name in self._queues(function):
            while True:
                with self.received(name, until_empty=True) as found:
                    again, kept = self.replay(found)
                sent, left = sent + again, left + kept
                if not again:
                    break  # empty, or not fed by a queue
        return sent, left

    def drop_all(self, function: str = "") -> list[DeadLetter]:
        """`drop` of everything that waits. Raises DeadLetterError."""
        dropped: list[DeadLetter] = []
        while True:
            with self.received(function, until_empty=True) as found:
                self.drop(found)
            dropped += found
            if not found:
                return dropped

    def drop(self, messages: Sequence[DeadLetter]) -> None:
        """Delete messages for good."""
        for each in messages:
            self._delete(each)

    @property
    def _prefix(self) -> str:
        return f"cir-{self.environment}-"

    def _queues(self, function: str) -> dict[str, str]:
        """Function → its dead-letter queue's address."""
        found: dict[str, str] = {}
        for url in self._urls():
            name = url.rpartition("/")[2].removesuffix(".fifo")
            if name.endswith(UNDELIVERED):
                found[name.removeprefix(self._prefix).removesuffix(UNDELIVERED)] = url
        if function and function not in found:
            known = ", ".join(found) or "nobody"
            raise DeadLetterError(f"no dead-letter queue of {function!r}; there are those of: {known}")
        return {function: found[function]} if function else found

    def _urls(self) -> list[str]:
        """All queues of the environment."""
        pages = self.sqs.get_paginator("list_queues").paginate(QueueNamePrefix=self._prefix)
        return sorted(url for page in pages for url in page.get("QueueUrls", []))

    def _receive(self, function: str, url: str, most: int, *, until_empty: bool) -> list[DeadLetter]:
        # SQS' own count, which can be a minute late; an empty queue need not be waited for
        name = "ApproximateNumberOfMessages"
        count = int(self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])
        found: dict[str, DeadLetter] = {}
        while len(found) < (most if until_empty else min(most, count)):
            answer = self.sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(10, most - len(found)),
                VisibilityTimeout=LOOK_SECONDS,
                WaitTimeSeconds=1,  # asks all of SQS' servers; a short poll may find nothing where there is something
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            page = answer.get("Messages", [])
            if not page:
                break
            for message in page:
                found[message["MessageId"]] = _dead_letter(function, url, message)
        return list(found.values())

    def _send(self, message: DeadLetter) -> None:
        """Its deduplication id is this dead letter's: it is sent once, also when this dies before deleting it.

        Should it fail again it becomes another dead letter, with another id.
        """
        fifo = (
            {"MessageGroupId": message.group, "MessageDeduplicationId": f"replay-{message.id}"}
            if message.source_url.endswith(".fifo")
            else {}
        )
        self.sqs.send_message(QueueUrl=message.source_url, MessageBody=message.body, **fifo)

    def _delete(self, message: DeadLetter) -> None:
        self.sqs.delete_message(QueueUrl=message.queue_url, ReceiptHandle=message.receipt)


def chosen(messages: Sequence[DeadLetter], ids: Sequence[str]) -> list[DeadLetter]:
    """Those of the ids. Raises DeadLetterError if one of them is not among the messages."""
    missing = sorted(set(ids) - {each.id for each in messages})
    if missing:
        raise DeadLetterError(f"no message {', '.join(missing)} waits")
    return [each for each in messages if each.id in ids]


def _dead_letter(function: str, url: str, message: dict[str, Any]) -> DeadLetter:
    attributes = message.get("Attributes", {})
    sent_at = datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC)
    return DeadLetter(
        function=function,
        queue_url=url,
        receipt=message["ReceiptHandle"],
        id=message["MessageId"],
        body=message["Body"],
        sent_at=sent_at.isoformat(timespec="seconds"),
        group=attributes.get("MessageGroupId", ""),
        attributes={name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()},
    )
