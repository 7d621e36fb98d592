"""Salesforce: Bulk API 2.0 for everything, REST queries for changes and for single records.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_bulk_api_2_0.htm
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_queryall.htm
"""

import csv
import io
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from cir.crm.connector import CrmRow
from cir.crm.connectors.api import ApiConnector
from cir.crm.connectors.credentials import Access
from cir.crm.connectors.errors import CrmError
from cir.crm.connectors.web import BULK, LIVE, ONCE, Api, Effort, Web, decoded
from cir.crm.mapping import CrmMapping
from cir.http.retries import Timing
from cir.identity.parsing import salesforce_id

VERSION = "v62.0"
OVERLAP = timedelta(minutes=10)
"""A record is stamped when it is written and seen when its transaction commits: Apex may run for ten minutes."""
PAGE_RECORDS = 10_000
"""Of one bulk result: some megabytes."""
JOB_SECONDS = 30 * 60
FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 1.0, 20.0
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_STAMP = "SystemModstamp"
"""Unlike LastModifiedDate it is indexed, and moves also when the platform itself changes a record."""


class Salesforce(ApiConnector):
    """One object of one organization. The point is a time of Salesforce's own clock."""

    fetch_ids = 200  # the address of the query stays below 8 KB

    def __init__(self, mapping: CrmMapping, access: Access, timing: Timing | None = None) -> None:
        api = Api(
            "salesforce",
            access,
            token_path="/services/oauth2/token",  # noqa: S106 - an address
            error_code=_error_code,
            temporary_codes=frozenset({"REQUEST_LIMIT_EXCEEDED", "SERVER_UNAVAILABLE"}),
        )
        super().__init__(mapping, Web(api, timing), table="Contact", own_fields=("Id", _STAMP))

    def _extract(self, since: str) -> Generator[CrmRow, None, str]:
        begun = self._now()
        yield from self._changed(since) if since else self._everything()
        return _written(begun - OVERLAP)

    def _key(self, written: str) -> str:
        """The 18 characters: unlike the first 15 they are one record's in whatever case they arrive."""
        try:
            return salesforce_id(written) if _ID.fullmatch(written) else ""
        except ValueError:
            return ""

    def _with_ids(self, keys: Sequence[str]) -> Iterator[CrmRow]:
        quoted = ",".join(f"'{each}'" for each in keys)
        query = f"SELECT {','.join(self._fields)} FROM {self._table} WHERE Id IN ({quoted})"  # noqa: S608 - SOQL
        yield from map(self._row, self._records("query", query, LIVE))

    def _now(self) -> datetime:
        """By the clock that stamps the records, and not by ours."""
        answer = self._web.send("resources", "GET", f"/services/data/{VERSION}")
        return parsedate_to_datetime(answer.headers["Date"])

    def _changed(self, since: str) -> Iterator[CrmRow]:
        fields = ",".join((*self._fields, "IsDeleted"))
        while True:
            query = f"SELECT {fields} FROM {self._table} WHERE {_STAMP} >= {_checked(since)} ORDER BY {_STAMP}"  # noqa: S608
            reached = since
            try:
                for record in self._records("queryAll", query):
                    row = self._row(record)
                    reached = _written(datetime.fromisoformat(row.modified))
                    yield row
            except CrmError as error:
                # A cursor lives for two days, and an organization has few: then again from where it stood.
                if error.code != "INVALID_QUERY_LOCATOR" or reached == since:
                    raise
                since = reached
            else:
                return

    def _records(self, resource: str, query: str, effort: Effort = BULK) -> Iterator[Mapping[str, Any]]:
        path: str | None = f"/services/data/{VERSION}/{resource}"
        parameters: Mapping[str, str] | None = {"q": query}
        while path:
            answer = self._web.send(
                resource,
                "GET",
                path,
                query=parameters,
                headers={"Sforce-Query-Options": "batchSize=2000"},
                effort=effort,
            )
            page = decoded(answer, f"salesforce.{resource}")
            yield from page["records"]
            path, parameters = page.get("nextRecordsUrl"), None

    def _everything(self) -> Iterator[CrmRow]:
        jobs = f"/services/data/{VERSION}/jobs/query"
        query = f"SELECT {','.join(self._fields)} FROM {self._table}"  # noqa: S608 - SOQL
        created = self._web.send("bulk.create", "POST", jobs, body={"operation": "query", "query": query})
        job = f"{jobs}/{decoded(created, 'salesforce.bulk.create')['id']}"
        complete = False
        try:
            self._await_job(job)
            complete = True
            locator = ""
            while locator != "null":
                parameters = {"maxRecords": str(PAGE_RECORDS)} | ({"locator": locator} if locator else {})
                page = self._web.send(
                    "bulk.results", "GET", f"{job}/results", query=parameters, headers={"Accept": "text/csv"}
                )
                yield from map(self._row, _csv(page))
                locator = page.headers.get("Sforce-Locator", "null")
        finally:
            self._discard(job, complete=complete)

    def _await_job(self, job: str) -> None:
        waited, pause = 0.0, FIRST_POLL_SECONDS
        while (state := decoded(self._web.send("bulk.state", "GET", job), "salesforce.bulk.state"))[
            "state"
        ] != "JobComplete":
            if state["state"] in {"Failed", "Aborted"}:
                raise CrmError(
                    f"salesforce.bulk: the query job ended as {state['state']}. Setup › Bulk Data Load Jobs tells why.",
                    operation="salesforce.bulk",
                    code=state["state"],
                )
            if waited >= JOB_SECONDS:
                raise CrmError(
                    f"salesforce.bulk: the query job is still {state['state']} after {waited / 60:.0f} minutes",
                    operation="salesforce.bulk",
                    temporary=True,
                )
            self._web.sleep(pause)
            waited += pause
            pause = min(2 * pause, LONGEST_POLL_SECONDS)

    def _discard(self, job: str, *, complete: bool) -> None:
        """So that the result does not lie there for seven days. A job under way must be aborted first."""
        try:
            if not complete:
                self._web.send("bulk.abort", "PATCH", job, body={"state": "Aborted"}, effort=ONCE)
            self._web.send("bulk.delete", "DELETE", job, effort=ONCE)
        except CrmError:
            return  # Salesforce does it in the end, and the records are what matters

    def _row(self, record: Mapping[str, Any]) -> CrmRow:
        deleted = record.get("IsDeleted") is True
        values = {} if deleted else {name: text for name in self._mapping.fields if (text := _text(record, name))}
        return CrmRow(record["Id"], values, record[_STAMP], deleted)


def _text(record: Mapping[str, Any], name: str) -> str:
    """`Account.Name` stands as it is in a bulk result, and nested in a REST answer."""
    value: Any = record
    if name in record:
        value = record[name]
    else:
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _csv(response: requests.Response) -> Iterator[dict[str, str]]:
    response.encoding = "utf-8"
    return csv.DictReader(io.StringIO(response.text, newline=""), strict=True)


def _error_code(body: Any) -> str:
    """REST: a list of errors. Login: an object."""
    return str(body[0]["errorCode"] if isinstance(body, list) else body["error"])


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _checked(since: str) -> str:
    try:
        return _written(datetime.fromisoformat(since))
    except ValueError:
        raise CrmError(
            f"the point {since[:40]!r} is not a time of Salesforce", operation="salesforce.queryAll"
        ) from None
