"""The queue of changes: first in, first out for each record, and the same change only once."""

import hashlib
from collections.abc import Sequence
from itertools import batched
from typing import Any

from cir.webhooks.change import Change

_BATCH = 10
"""https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"""


class NotQueuedError(Exception):
    """The queue has not taken all changes. Those that it has taken it will not take twice."""


def enqueue(sqs: Any, queue_url: str, changes: Sequence[Change]) -> None:
    """Put all changes into the queue, in order. Raises NotQueuedError, ClientError and BotoCoreError."""
    for batch in batched(changes, _BATCH):
        answer = sqs.send_message_batch(
            QueueUrl=queue_url,
            Entries=[
                {
                    "Id": str(number),
                    "MessageBody": change.to_message(),
                    "MessageGroupId": change.group,
                    "MessageDeduplicationId": deduplication_id(change),
                }
                for number, change in enumerate(batch)
            ],
        )
        if answer.get("Failed"):
            codes = sorted({each["Code"] for each in answer["Failed"]})
            raise NotQueuedError(f"{len(answer['Failed'])} changes were not taken: {', '.join(codes)}")


def deduplication_id(change: Change) -> str:
    """Its event and its record: one event can be about several."""
    return hashlib.sha256(f"{change.source}#{change.id}#{change.event_id}".encode()).hexdigest()
