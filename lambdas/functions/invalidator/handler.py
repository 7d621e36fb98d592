"""The cache's only invalidation: it follows the streams of the identifiers and contacts tables."""

from collections.abc import Iterable, Mapping
from typing import Any

from cir import connect
from cir.index.cache import Cache, CacheUnavailableError
from cir.runtime import log
from cir.settings import ResolverSettings
from functions import Handler, opened
from functions.invalidator.changes import Changes, read_changes


def make_handler(cache: Cache) -> Handler:
    """The function, over its parts."""

    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
        """Forget what a batch of stream records has made old.

        Batches may arrive twice or late: versions make that harmless. While the cache cannot be reached the whole
        batch is handed back, and the stream keeps it.
        """
        records: list[Mapping[str, Any]] = event.get("Records", [])
        changes = read_changes(records)
        if changes.unknown_types:
            log.write({"event": "unknown identifier types", "level": "warning", "types": sorted(changes.unknown_types)})
        try:
            _apply(cache, changes)
        except CacheUnavailableError as error:
            log.write({"event": "invalidation failed", "level": "error", "error": str(error), "records": len(records)})
            return {"batchItemFailures": _failures(records[:1])}
        log.write({"event": "invalidation", "identifiers": len(changes.identifiers), "contacts": len(changes.contacts)})
        return {"batchItemFailures": []}

    return handler


handler = opened(lambda: make_handler(connect.open_cache(ResolverSettings.from_environment())))


def _apply(cache: Cache, changes: Changes) -> None:
    cache.invalidate(identifiers=changes.identifiers, contacts=changes.contacts)
    cache.forget(changes.moved)


def _failures(records: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    return [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]} for record in records]
