"""Looks up in Genesys what the resolver did not know.

Woken by the identifiers table's stream, or called by the resolver itself where the environment has chosen to wait.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cir import connect
from cir.aws.dynamodb import DynamoDBError, unmarshal_item
from cir.contacts.organization import ExternalSources
from cir.follow.backfill import Backfill
from cir.genesys.errors import GenesysError
from cir.identity.identifiers import Identifier, from_key
from cir.identity.records import IdentifierRecord
from cir.index.again import OutdatedError
from cir.runtime import log
from cir.runtime.deadline import seconds_left
from functions import Handler, opened

WORKERS = 8
"""Lookups under way at once; one takes Genesys 0.3-0.8 s."""
LONGEST_SECONDS = 25.0
"""A batch is over before a stream's next one would be late; what was not done by then is handed back."""


class LookupFailedError(Exception):
    """What the resolver sees as a failed invocation; the miss stands."""


def make_handler(backfill: Backfill) -> Handler:
    """The function, over its parts."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        """Fill the index. A batch of the stream is handed back from the first record that could not be looked up."""
        seconds = seconds_left(context, at_most=LONGEST_SECONDS)
        if "identifiers" in event:
            wanted = [from_key(each["key"], each["value"]) for each in event["identifiers"]]
            answers = _found(backfill.within(min(seconds, float(event.get("seconds", seconds)))), wanted)
            if None in answers:
                raise LookupFailedError("not all identifiers could be looked up")
            return {"found": answers}
        sequence_of = _requested(event.get("Records", []))
        answers = _found(backfill.within(seconds), list(sequence_of))
        failed = [sequence for sequence, found in zip(sequence_of.values(), answers, strict=True) if found is None]
        return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in failed[:1]]}

    return handler


def _open() -> Handler:
    client = connect.open_genesys()
    return make_handler(Backfill(client, connect.open_store(), ExternalSources(client)))


handler = opened(_open)


def _found(backfill: Backfill, identifiers: Sequence[Identifier]) -> list[bool | None]:
    """Whether Genesys knows each; None where it could not be asked."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda each: _look_up(backfill, each), identifiers))


def _look_up(backfill: Backfill, identifier: Identifier) -> bool | None:
    try:
        contact_id = backfill.look_up(identifier)
    except (GenesysError, DynamoDBError, OutdatedError) as error:
        log.write_failure("backfill failed", error, type=identifier.type)
        return None
    log.write({"event": "backfill", "type": identifier.type, "contactId": contact_id})
    return bool(contact_id)


def _requested(records: Iterable[Mapping[str, Any]]) -> dict[Identifier, str]:
    """What a miss has asked for and nobody has claimed since, each with the sequence number of its first record."""
    requested: dict[Identifier, str] = {}
    for record in records:
        change = record["dynamodb"]
        image = unmarshal_item(change.get("NewImage") or {})
        if image.get("lookup_requested_at"):
            try:
                wanted = IdentifierRecord.from_item(image)
            except ValueError:  # a type that only a newer release knows, which will be asked as well
                log.write({"event": "unknown identifier types", "level": "warning"})
                continue
            if not wanted.claims:
                requested.setdefault(wanted.identifier, change["SequenceNumber"])
    return requested
