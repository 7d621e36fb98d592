"""Event source mappings of SQS FIFO queues: what receives a queue's messages and invokes a function with them.

Kept: the order within a message group, batch size, partial batch responses, redriving (by the queue itself), at least
once. Not kept: several batches at once, and the visibility timeout of what was handed back, which is given out again
after a moment instead of six times the function's own timeout.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

# Lambda waits for messages within its request; a pause between requests ends with the sandbox, as that would not.
_IDLE_PAUSE_SECONDS = 0.1
_AGAIN_SECONDS = 1
"""Until messages that were handed back are given out again."""


class QueueMapping:
    """Receives and delivers in a thread of its own, from construction until `stop`."""

    def __init__(
        self,
        sqs: Any,
        *,
        queue_url: str,
        queue_arn: str,
        invoke: Callable[[dict[str, Any]], Any],
        batch_size: int = 10,
        visibility_seconds: int = 360,
    ) -> None:
        """`invoke` takes a batch event, gives the function's answer, and raises if the function failed."""
        self._sqs = sqs
        self._url = queue_url
        self._arn = queue_arn
        self._invoke = invoke
        self._batch_size = batch_size
        self._visibility = visibility_seconds
        self._delivered = 0
        self._empty_at = 0.0
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{queue_url.rpartition('/')[2]}", daemon=True)
        self._thread.start()

    @property
    def delivered(self) -> int:
        """How many messages the function has taken so far."""
        return self._delivered

    def wait_until_drained(self, *, timeout_seconds: float = 30.0) -> None:
        """Wait until everything that was sent before this call was taken or set aside; `TimeoutError` if it is not."""
        asked_at = time.monotonic()
        with self._changed:
            if not self._changed.wait_for(lambda: self._empty_at >= asked_at, timeout_seconds):
                raise TimeoutError(f"{self._thread.name}: queue not consumed within {timeout_seconds:.1f} s")

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        while not self._stopping.is_set():
            started_at = time.monotonic()
            try:
                messages = self._receive()
                if messages:
                    self._deliver(messages)
                elif self._is_empty():
                    with self._changed:
                        self._empty_at = started_at
                        self._changed.notify_all()
            except (BotoCoreError, ClientError):
                # not there, or not there any more; what was received comes again
                messages = []
            if not messages:
                self._stopping.wait(_IDLE_PAUSE_SECONDS)

    def _receive(self) -> list[Mapping[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=self._batch_size,
            VisibilityTimeout=self._visibility,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def _is_empty(self) -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"]
        return all(int(attributes.get(name, 0)) == 0 for name in names)

    def _deliver(self, messages: Sequence[Mapping[str, Any]]) -> None:
        try:
            answer = self._invoke({"Records": [_as_lambda_passes_it(each, self._arn) for each in messages]})
            failed = _failed(answer, messages)
        except Exception:  # whatever it was is in the function's log
            failed = {each["MessageId"] for each in messages}
        for each in messages:
            which = {"QueueUrl": self._url, "ReceiptHandle": each["ReceiptHandle"]}
            if each["MessageId"] in failed:
                self._sqs.change_message_visibility(**which, VisibilityTimeout=_AGAIN_SECONDS)
            else:
                self._sqs.delete_message(**which)
                self._delivered += 1


def _failed(answer: object, messages: Sequence[Mapping[str, Any]]) -> set[str]:
    """The messages that a partial batch response names; all, if it cannot be understood.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    everything = {each["MessageId"] for each in messages}
    if answer is None:
        return set()
    if not isinstance(answer, Mapping):
        return everything
    try:
        named = {each["itemIdentifier"] for each in answer.get("batchItemFailures") or []}
    except (KeyError, TypeError):
        return everything
    return named if named <= everything else everything


def _as_lambda_passes_it(message: Mapping[str, Any], arn: str) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: {"stringValue": value.get("StringValue"), "dataType": value["DataType"]}
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": arn.split(":")[3],
    }
