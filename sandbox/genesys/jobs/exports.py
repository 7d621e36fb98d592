"""Exports of contacts: which ones, and the file they end up in."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field

from ..organization import errors
from ..organization.clock import epoch, iso
from ..organization.contacts import Record
from ..organization.errors import JSON
from ..organization.identifiers import EMAIL_SLOTS, PHONE_SLOTS
from ..organization.models import Required, Wire
from .jobs import Pace

URI = "/api/v2/externalcontacts/contacts/exports"
MAX_ROWS = 180_000_000

Matches = Callable[[Record], bool]
_FieldName = Literal[
    "DivisionId", "ContactClassification", "ExternalOrganizationId", "ExternalSourceId", "SchemaId", "SchemaVersion"
]


class FieldFilter(Wire):
    field: _FieldName
    value: Required


class FieldListFilter(Wire):
    field: _FieldName
    values: list[Required] = Field(min_length=1, max_length=100)


class DateFilter(Wire):
    field: Literal["CreateDate", "ModifyDate"]
    value: Required


class Filter(Wire):
    eq: FieldFilter | None = None
    in_: FieldListFilter | None = Field(None, alias="in")
    lte: DateFilter | None = None
    gte: DateFilter | None = None
    and_: "list[Filter] | None" = Field(None, alias="and")
    or_: "list[Filter] | None" = Field(None, alias="or")
    not_: "Filter | None" = Field(None, alias="not")


class QueryConditions(Wire):
    filters: Filter | None = None
    limit: int = Field(MAX_ROWS, ge=1, le=MAX_ROWS)


class ExportRequest(Wire):
    division_ids: tuple[str, ...] = ()
    query_conditions: QueryConditions = Field(default_factory=lambda: QueryConditions.read({}))


@dataclass(slots=True)
class Export:
    id: str
    request: ExportRequest
    given: JSON  # the request's conditions, to be shown as they came
    created: float
    creator: str
    pace: Pace
    completed: float | None = None
    download_url: str | None = None
    rows: int | None = None

    def wire(self) -> JSON:
        view: JSON = {
            "id": self.id,
            "divisionIds": list(self.request.division_ids),
            "createdBy": {"id": self.creator, "selfUri": f"/api/v2/oauth/clients/{self.creator}"},
            "dateCreated": iso(self.created),
            "status": "SUCCEEDED" if self.completed else "RUNNING",
            "queryConditions": self.given,
            "selfUri": f"{URI}/{self.id}",
        }
        if self.completed:
            view |= {
                "dateCompletion": iso(self.completed),
                "downloadUrl": self.download_url,
                "resultRowCount": self.rows,
            }
        return view


@dataclass(slots=True)
class Exports:
    by_id: dict[str, Export] = field(default_factory=dict)

    def get(self, export_id: str) -> Export:
        if export := self.by_id.get(export_id):
            return export
        raise errors.entity_not_found("Export", export_id, "The requested resource was not found.")


def matcher(given: Filter | None) -> Matches:
    """A filter as a function. Dates that cannot be read are refused here, before the export starts."""
    if given is None:
        return lambda _record: True
    tests: list[Matches] = []
    if equal := given.eq:
        wanted = {equal.value}
        tests.append(lambda record: not wanted.isdisjoint(_values(record, equal.field)))
    if listed := given.in_:
        allowed = set(listed.values)
        tests.append(lambda record: not allowed.isdisjoint(_values(record, listed.field)))
    if latest := given.lte:
        end = _date(latest)
        tests.append(lambda record: _moment(record, latest.field) <= end)
    if earliest := given.gte:
        start = _date(earliest)
        tests.append(lambda record: _moment(record, earliest.field) >= start)
    if given.and_:
        tests += map(matcher, given.and_)
    if given.or_:
        alternatives = [matcher(part) for part in given.or_]
        tests.append(lambda record: any(test(record) for test in alternatives))
    if given.not_:
        negated = matcher(given.not_)
        tests.append(lambda record: not negated(record))
    return lambda record: all(test(record) for test in tests)


def _date(given: DateFilter) -> float:
    try:
        return epoch(given.value)
    except ValueError:
        message = "Dates must be specified as ISO-8601 strings. For example: yyyy-MM-ddTHH:mm:ss.SSSZ"
        raise errors.bad_request(message, f"queryConditions.filters.{given.field}", code="invalid.date") from None


def _moment(record: Record, field_name: str) -> float:
    """To the millisecond, which is all that a client has seen of it."""
    return epoch(iso(record.created if field_name == "CreateDate" else record.modified))


def _values(record: Record, field_name: str) -> set[str]:
    fields = record.fields
    match field_name:
        case "DivisionId":
            return {record.division}
        case "ContactClassification":
            return {record.type}
        case "ExternalOrganizationId":
            return {fields["externalOrganization"]["id"]} if "externalOrganization" in fields else set()
        case "ExternalSourceId":
            return {entry["externalSource"]["id"] for entry in fields.get("externalIds", ())}
        case "SchemaId":
            return {fields["schema"]["id"]} if "schema" in fields else set()
        case _:
            return {str(fields["schema"]["version"])} if "schema" in fields else set()


_NAMES = ("firstName", "middleName", "lastName", "salutation", "title")
_ADDRESS = ("address1", "address2", "city", "state", "postalCode", "countryCode")
_AS_JSON = (
    "twitterId",
    "lineId",
    "whatsAppId",
    "facebookId",
    "instagramId",
    "appleOpaqueIds",
    "externalIds",
    "schema",
    "customFields",
)
COLUMNS = (
    "id",
    "divisionId",
    "type",
    *_NAMES,
    *(f"{slot}.{part}" for slot in PHONE_SLOTS for part in ("display", "e164")),
    *EMAIL_SLOTS,
    *(f"address.{part}" for part in _ADDRESS),
    "externalOrganizationId",
    "surveyOptOut",
    "externalSystemUrl",
    *_AS_JSON,
    "createDate",
    "modifyDate",
)


class Table:
    """The result file: CSV, one contact a line, nested values as JSON."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        self._writer = csv.DictWriter(self._text, COLUMNS)
        self._writer.writeheader()
        self.rows = 0

    def add(self, record: Record) -> None:
        self._writer.writerow(_row(record))
        self.rows += 1

    def content(self) -> bytes:
        return self._text.getvalue().encode()


def _row(record: Record) -> Mapping[str, Any]:
    fields = record.fields
    row: dict[str, Any] = {"id": record.id, "divisionId": record.division, "type": record.type}
    row |= {name: fields[name] for name in (*_NAMES, *EMAIL_SLOTS, "externalSystemUrl") if name in fields}
    for slot in PHONE_SLOTS:
        phone = fields.get(slot, {})
        row |= {f"{slot}.display": phone.get("display"), f"{slot}.e164": phone.get("e164")}
    row |= {f"address.{part}": value for part, value in fields.get("address", {}).items()}
    row["externalOrganizationId"] = fields.get("externalOrganization", {}).get("id")
    row["surveyOptOut"] = json.dumps(fields["surveyOptOut"]) if "surveyOptOut" in fields else None
    row |= {name: json.dumps(fields[name], ensure_ascii=False) for name in _AS_JSON if name in fields}
    return row | {"createDate": iso(record.created), "modifyDate": iso(record.modified)}
