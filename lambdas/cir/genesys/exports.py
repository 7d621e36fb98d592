"""Exports of contacts, on which Genesys Cloud works in the background."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cir.genesys.connection import Connection
from cir.genesys.errors import DeadlineError, GenesysError
from cir.genesys.models import Export

_EXPORTS = ("externalcontacts", "contacts", "exports")


class Exports:
    """`client.exports`: all contacts as a file, for a handful of requests however many there are."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(
        self,
        *,
        filters: Mapping[str, Any] | None = None,
        division_ids: Sequence[str] = (),
        limit: int | None = None,
    ) -> Export:
        """Start an export. `filters` as Genesys defines them: `{"eq": {"field": "ExternalSourceId", "value": ...}}`.

        Repeated: a second export reads only.
        """
        conditions = {"filters": filters, "limit": limit}
        body: dict[str, Any] = {
            "queryConditions": {key: value for key, value in conditions.items() if value is not None}
        }
        if division_ids:
            body["divisionIds"] = list(division_ids)
        return _export(self._connection.request("exports.create", "POST", _EXPORTS, repeatable=True, body=body).body)

    def get(self, export_id: str) -> Export:
        return _export(self._connection.request("exports.get", "GET", (*_EXPORTS, export_id), repeatable=True).body)

    def wait(self, export_id: str, *, every: float = 5.0) -> Export:
        """The export once it has succeeded; asks every so many seconds. Give a limit with `client.within(...)`."""
        timing, deadline = self._connection.transport.timing, self._connection.deadline
        while (export := self.get(export_id)).status == "RUNNING":
            if deadline is not None and timing.clock() + every >= deadline:
                raise DeadlineError(
                    f"exports.wait: export {export_id} is still running; wait for it again later",
                    operation="exports.wait",
                )
            timing.sleep(every)
        if export.status != "SUCCEEDED":
            raise GenesysError(
                f"exports.wait: export {export_id} ended as {export.status}; create a new one", operation="exports.wait"
            )
        return export

    def rows(self, export: Export) -> Iterator[dict[str, str]]:
        """The rows of a finished export, by column name, read as they arrive."""
        if not export.download_url:
            raise ValueError(f"export {export.id} is {export.status} and has no file yet; wait for it first")
        with self._connection.download("exports.rows", export.download_url) as file:
            yield from csv.DictReader(file)


def _export(body: Mapping[str, Any]) -> Export:
    return Export(body["id"], body.get("status") or "RUNNING", body.get("resultRowCount"), body.get("downloadUrl"))
