"""Shortens the paths of merged contacts, woken by the contacts table's stream."""

from collections.abc import Mapping
from typing import Any

from cir import connect
from cir.aws.dynamodb import DynamoDBError, unmarshal_item
from cir.index.again import OutdatedError
from cir.index.store import IdentityStore
from cir.index.tombstones import shorten
from cir.runtime import log
from functions import Handler, opened


def make_handler(store: IdentityStore) -> Handler:
    """The function, over its parts."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        """A batch is handed back from the first record that could not be dealt with."""
        for record in event.get("Records", []):
            change = record["dynamodb"]
            image = unmarshal_item(change.get("NewImage") or {})
            if not image.get("merged_into"):
                continue
            try:
                written = shorten(store, [image["contact_id"]])
            except (DynamoDBError, OutdatedError) as error:
                log.write_failure("compaction failed", error, contactId=image["contact_id"])
                return {"batchItemFailures": [{"itemIdentifier": change["SequenceNumber"]}]}
            log.write({"event": "compaction", "contactId": image["contact_id"], "identifiers": written})
        return {"batchItemFailures": []}

    return handler


handler = opened(lambda: make_handler(connect.open_store()))
