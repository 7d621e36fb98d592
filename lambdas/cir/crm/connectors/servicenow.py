"""ServiceNow: the Table API.

https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html
"""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import batched
from typing import Any

from cir.crm.connector import CrmRow
from cir.crm.connectors.api import ApiConnector
from cir.crm.connectors.credentials import Access
from cir.crm.connectors.errors import CrmError
from cir.crm.connectors.web import BULK, LIVE, Api, Effort, Web, decoded
from cir.crm.mapping import CrmMapping
from cir.http.retries import Timing

PAGE_RECORDS = 2000
OVERLAP = timedelta(minutes=10)
"""A record is stamped before the transaction that writes it ends, and the nodes' clocks differ a little."""
AUDIT = "sys_audit_delete"
"""The table in which ServiceNow keeps what was deleted."""
_ID = re.compile(r"[0-9a-fA-F]{32}")


class ServiceNow(ApiConnector):
    """One table of one instance. The point is a time of ServiceNow's own clock.

    Pages begin after the last sys_id of the one before. Unlike an offset or a time, that of a record never changes,
    so that none is passed over because others come, go or move while pages are read.
    """

    fetch_ids = 100

    def __init__(
        self, mapping: CrmMapping, access: Access, timing: Timing | None = None, *, page_records: int = PAGE_RECORDS
    ) -> None:
        api = Api("servicenow", access, token_path="/oauth_token.do", error_code=_error_code)  # noqa: S106 - an address
        own_fields = ("sys_id", "sys_updated_on")
        super().__init__(mapping, Web(api, timing), table="customer_contact", own_fields=own_fields)
        self._page_records = page_records
        self._reached: datetime | None = None

    def _extract(self, since: str) -> Generator[CrmRow, None, str]:
        self._reached = None
        condition = f"sys_updated_on>={_checked(since)}" if since else ""
        yield from map(self._row, self._records(self._table, self._fields, condition))
        if since:
            yield from self._deleted(since)
        return _written(self._reached - OVERLAP) if self._reached else ""

    def _key(self, written: str) -> str:
        return written.lower() if _ID.fullmatch(written) else ""

    def _with_ids(self, keys: Sequence[str]) -> Iterator[CrmRow]:
        yield from map(self._row, self._records(self._table, self._fields, f"sys_idIN{','.join(keys)}", LIVE))

    def _deleted(self, since: str) -> Iterator[CrmRow]:
        """Looked up again, because a deleted record can be restored."""
        condition = f"tablename={self._table}^sys_created_on>={_checked(since)}"
        records = self._records(AUDIT, ("sys_id", "documentkey"), condition)
        for some in batched((record["documentkey"] for record in records), self.fetch_ids):
            yield from self.fetch(list(dict.fromkeys(some)))

    def _records(
        self, table: str, fields: Sequence[str], condition: str, effort: Effort = BULK
    ) -> Iterator[Mapping[str, Any]]:
        last = ""
        while True:
            query = "^".join(filter(None, (condition, f"sys_id>{last}" if last else "", "ORDERBYsys_id")))
            records, left = self._page(table, fields, query, effort)
            yield from records
            if left <= len(records):
                return
            last = records[-1]["sys_id"]

    def _page(
        self, table: str, fields: Sequence[str], query: str, effort: Effort
    ) -> tuple[list[Mapping[str, Any]], int]:
        """The next records, and how many there are with them. Read again when they do not agree: one may have gone.

        Rows and fields that an access control rule hides are left out without a word, the rows counted nevertheless.
        Their absence would be taken for deletion.
        """
        for _ in range(2):
            answer = self._web.send(
                table,
                "GET",
                f"/api/now/table/{table}",
                query={
                    "sysparm_query": query,
                    "sysparm_fields": ",".join(fields),
                    "sysparm_limit": str(self._page_records),
                    "sysparm_display_value": "false",
                    "sysparm_exclude_reference_link": "true",
                },
                headers={"Accept": "application/json"},
                effort=effort,
            )
            self._reached = self._reached or parsedate_to_datetime(answer.headers["Date"])
            records: list[Mapping[str, Any]] = decoded(answer, f"servicenow.{table}")["result"]
            left = int(answer.headers.get("X-Total-Count", len(records) + (len(records) == self._page_records)))
            hidden = min(left, self._page_records) - len(records)
            if hidden <= 0:
                missing = [name for name in fields if records and name not in records[0]]
                if missing:
                    raise self._hides(table, f"has no field {', '.join(missing)}, or does not show it")
                return records, left
        raise self._hides(table, f"counts {hidden} more records than it shows")

    def _hides(self, table: str, what: str) -> CrmError:
        return CrmError(
            f"servicenow.{table}: ServiceNow {what}. Give the OAuth client's user read access to all of {table}.",
            operation=f"servicenow.{table}",
        )

    def _row(self, record: Mapping[str, Any]) -> CrmRow:
        values = {name: str(record[name]) for name in self._mapping.fields if record.get(name)}
        return CrmRow(record["sys_id"], values, record["sys_updated_on"])


def _error_code(body: Any) -> str:
    """OAuth: a code. Table API: a sentence, which can quote the query; only the known ones of it are told."""
    error = body["error"]
    if isinstance(error, str):
        return error
    message = str(error["message"])
    return message if message in {"User Not Authenticated", "Rate limit exceeded"} else ""


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _checked(since: str) -> str:
    try:
        return datetime.strptime(since, "%Y-%m-%d %H:%M:%S").strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        raise CrmError(
            f"the point {since[:40]!r} is not a time of ServiceNow", operation="servicenow.extract"
        ) from None
