"""Shortens the paths of merged contacts, woken by the contacts table's stream."""

from collections.abc import Mapping
from typing import Any

from cir.aws.dynamodb import DynamoDBError, unmarshal_item
from cir.connect import open_store
from cir.index.again import OutdatedError
from cir.index.tombstones import shorten
from cir.runtime import log

_store = open_store()


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """A batch is handed back from the first record that could not be dealt with."""
    for record in event.get("Records", []):
        change = record["dynamodb"]
        image = unmarshal_item(change.get("NewImage") or {})
        if not image.get("merged_into"):
            continue
        try:
            written = shorten(_store, [image["contact_id"]])
        except (DynamoDBError, OutdatedError) as error:
            log.write_failure("compaction failed", error, contactId=image["contact_id"])
            return {"batchItemFailures": [{"itemIdentifier": change["SequenceNumber"]}]}
        log.write({"event": "compaction", "contactId": image["contact_id"], "identifiers": written})
    return {"batchItemFailures": []}
