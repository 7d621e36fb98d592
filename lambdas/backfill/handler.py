"""Looks up in Genesys what the resolver did not know: woken by the identifiers table's stream, or called by the resolver
itself where the environment has chosen to wait."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cir import log
from cir.backfill import Backfill
from cir.connect import open_store
from cir.dynamodb import unmarshal_item
from cir.genesys.client import GenesysClient
from cir.genesys.errors import GenesysError
from cir.identifiers import Identifier, from_key
from cir.records import IdentifierRecord

_backfill = Backfill(GenesysClient.from_environment(), open_store())


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Fill the index. A batch of the stream is handed back from the first record that Genesys could not be asked for."""
    if "identifiers" in event:
        wanted = [from_key(each["key"], each["value"]) for each in event["identifiers"]]
        return {"found": [bool(_backfill.look_up(each)) for each in wanted]}
    for sequence, identifier in _requested(event.get("Records", [])):
        try:
            found = _backfill.look_up(identifier)
        except GenesysError as error:
            log.write_failure("backfill failed", error, type=identifier.type)
            return {"batchItemFailures": [{"itemIdentifier": sequence}]}
        log.write({"event": "backfill", "type": identifier.type, "contactId": found})
    return {"batchItemFailures": []}


def _requested(records: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Identifier]]:
    """The identifiers that a miss has asked for, and that nobody has claimed since."""
    for record in records:
        change = record["dynamodb"]
        image = unmarshal_item(change.get("NewImage") or {})
        if image.get("lookup_requested_at"):
            requested = IdentifierRecord.from_item(image)
            if not requested.claims:
                yield change["SequenceNumber"], requested.identifier
