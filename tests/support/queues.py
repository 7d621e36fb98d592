"""The queue of changes and its dead-letter queue, as a test looks into them."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Queues:
    """The queue of changes and its dead-letter queue."""

    sqs: Any
    url: str
    undelivered_url: str

    def receive(self, url: str = "") -> list[dict[str, Any]]:
        """Everything that can be received, as SQS gives it."""
        found: list[dict[str, Any]] = []
        while page := self.sqs.receive_message(
            QueueUrl=url or self.url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages"):
            found += page
        return found

    def changes(self) -> list[dict[str, Any]]:
        return [json.loads(message["Body"]) for message in self.receive()]

    def undelivered(self) -> list[dict[str, Any]]:
        return self.receive(self.undelivered_url)
