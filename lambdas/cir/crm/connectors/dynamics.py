"""Microsoft Dynamics 365: the Dataverse Web API with change tracking.

https://learn.microsoft.com/power-apps/developer/data-platform/use-change-tracking-synchronize-data-external-systems
https://learn.microsoft.com/power-apps/developer/data-platform/api-limits
"""

import hashlib
import re
import unicodedata
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from cir.crm.connector import CrmRow
from cir.crm.connectors.api import ApiConnector
from cir.crm.connectors.credentials import Access
from cir.crm.connectors.errors import CrmError
from cir.crm.connectors.web import LIVE, Api, Web, decoded
from cir.crm.mapping import CrmMapping
from cir.http.retries import Timing

VERSION = "v9.2"
PAGE_RECORDS = 5000
"""Dataverse's own maximum."""
EXPIRED = "0x80044352"
"""ExpiredVersionStamp: the delta token is older than the organization keeps changes for (7 days by default)."""
GONE = 410
"""What OData has a service answer to a delta link that it no longer knows."""
LABEL = "OData.Community.Display.V1.FormattedValue"
_GUID = re.compile(r"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?")


class Dynamics(ApiConnector):
    """One table of one environment.

    The point is the delta link. It keeps to the fields of its first request, so a mark of those stands before it: after
    a change of the mapping everything is read once.
    """

    fetch_ids = 50

    def __init__(self, mapping: CrmMapping, access: Access, timing: Timing | None = None) -> None:
        api = Api(
            "dynamics",
            access,
            token_path="/oauth2/v2.0/token",  # noqa: S106 - an address
            token_form={"scope": f"{access.url}/.default"},
            error_code=_error_code,
        )
        super().__init__(mapping, Web(api, timing), table="contacts", own_fields=("modifiedon",))
        self._path = f"/api/data/{VERSION}/{self._table}"
        self._fields_mark = hashlib.blake2b(",".join(self._fields).encode(), digest_size=4).hexdigest()

    def _extract(self, since: str) -> Generator[CrmRow, None, str]:
        fields, _, link = since.partition(" ")
        if fields == self._fields_mark:
            try:
                return (yield from self._pages("delta", link, None))
            except CrmError as error:
                if error.code != EXPIRED and error.status != GONE:
                    raise
        # A record that was deleted in between is not in it: only its absence tells.
        return (yield from self._pages("everything", self._path, {"$select": ",".join(self._fields)}))

    def _key(self, written: str) -> str:
        """Without braces, in small letters."""
        guid = _GUID.fullmatch(written)
        return guid[1].lower() if guid else ""

    def _with_ids(self, keys: Sequence[str]) -> Iterator[CrmRow]:
        either = " or ".join(f"{self._mapping.id_column} eq {each}" for each in keys)
        answer = self._web.send(
            "fetch",
            "GET",
            self._path,
            query={"$select": ",".join(self._fields), "$filter": either},
            headers=_headers(f'odata.include-annotations="{LABEL}"'),
            effort=LIVE,
        )
        yield from map(self._row, decoded(answer, "dynamics.fetch")["value"])

    def _pages(self, operation: str, path: str, query: Mapping[str, str] | None) -> Generator[CrmRow, None, str]:
        preferences = f'odata.track-changes,odata.maxpagesize={PAGE_RECORDS},odata.include-annotations="{LABEL}"'
        link: str | None = path
        while link:
            answer = self._web.send(operation, "GET", link, query=query, headers=_headers(preferences))
            page = decoded(answer, f"dynamics.{operation}")
            yield from map(self._row, page["value"])
            link, query = page.get("@odata.nextLink"), None
        if "@odata.deltaLink" not in page:
            raise CrmError(
                f"dynamics.{operation}: Dataverse gives no delta link. Switch on change tracking of {self._table}.",
                operation=f"dynamics.{operation}",
            )
        return f"{self._fields_mark} {page['@odata.deltaLink']}"

    def _row(self, record: Mapping[str, Any]) -> CrmRow:
        if "$deletedEntity" in record.get("@odata.context", ""):
            return CrmRow(record["id"].lower(), {}, deleted=True)
        values = {name: text for name in self._mapping.fields if (text := text_of(record, name))}
        return CrmRow(record[self._mapping.id_column].lower(), values, record.get("modifiedon") or "")


def _headers(preferences: str) -> dict[str, str]:
    return {
        "Prefer": preferences,
        "Accept": "application/json",
        "OData-Version": "4.0",
        "OData-MaxVersion": "4.0",
        "Cache-Control": "no-cache",
    }


def text_of(record: Mapping[str, Any], name: str) -> str:
    """Of a choice, a yes/no or a lookup its label, because the number or GUID of it says nothing outside Dataverse.

    Numbers have labels as well, with the separators of the user who asks: a whole number stays its digits.
    """
    value = record.get(name)
    if value is None:
        return ""
    label = str(record.get(f"{name}@{LABEL}") or "")
    if isinstance(value, bool):
        return label or str(value)
    if isinstance(value, str):
        return label if label and name.endswith("_value") else value
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return label if label and not _is_written_as(label, value) else str(value)


def _is_written_as(label: str, number: int) -> bool:
    """Whether a label is the number itself in some country's way of writing it."""
    digits = "".join(str(unicodedata.decimal(character)) for character in label if character.isdecimal())
    return digits == str(abs(number)) and not any(character.isalpha() for character in label)


def _error_code(body: Any) -> str:
    """Web API: an object. Entra ID: its OAuth code as a text."""
    error = body["error"]
    return str(error["code"] if isinstance(error, Mapping) else error)
