"""CSV import: settings, uploads, and how a row becomes a contact."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from ..organization import phones
from ..organization.errors import JSON, bad_request
from ..organization.identifiers import EMAIL_SLOTS, PHONE_SLOTS
from ..organization.models import CONTACT_FIELDS, Reference, Required, Wire

SETTINGS_URI = "/api/v2/externalcontacts/import/settings"
CSV_SETTINGS_URI = "/api/v2/externalcontacts/import/csv/settings"
JOBS_URI = "/api/v2/externalcontacts/import/jobs"
MAX_FILE_BYTES = 52_428_800
PREVIEW_ROWS = 10

_TARGET = re.compile(r"\$(\.[A-Za-z_][A-Za-z0-9_]*)+")
_EXTERNAL_ID = frozenset({"externalId", "externalIds"})  # the source is that of the import settings
_NOT_IMPORTABLE = frozenset({"customFields", "schema"})  # custom fields come in through the API only


class ImportField(Wire):
    name: Required
    included: bool


class ImportSettings(Wire):
    name: Required
    matching_criteria: tuple[Literal["Email", "Phone"], ...] = ()
    merge_contacts: bool
    external_source_id: Required
    import_fields: Annotated[list[ImportField], Field(min_length=1)]


class ColumnMapping(Wire):
    source_field: Required
    target_field: Required


class CsvSettings(Wire):
    external_settings_id: str | None = None
    mappings: Annotated[list[ColumnMapping], Field(min_length=1)]


class UploadRequest(Wire):
    file_name: Annotated[str, StringConstraints(max_length=256)] = "contacts.csv"
    file_size: Annotated[int, Field(ge=1, le=MAX_FILE_BYTES)]


class CsvJobRequest(Wire):
    upload_id: Required
    settings_id: Required
    division: Reference | None = None


class JobRequest(Wire):
    settings_id: Required
    division: Reference | None = None


class StatusUpdate(Wire):
    job_id: Required
    status: Literal["Continue", "Cancel", "Retry"]


@dataclass(slots=True)
class Upload:
    id: str
    request: UploadRequest
    headers: Mapping[str, str]  # which the PUT of the file must carry
    content: bytes | None = None

    def wire(self, base_url: str) -> JSON:
        return {
            "uploadId": self.id,
            "uploadUrl": f"{base_url}/uploads/{self.id}",
            "uploadHeaders": [{"name": name, "value": value} for name, value in self.headers.items()],
        }


@dataclass(frozen=True, slots=True)
class Sheet:
    """A parsed file. Rows are numbered as the lines of the file; the header is line 1."""

    headers: Sequence[str]
    rows: Sequence[tuple[int, list[str]]]
    problems: Mapping[int, str]  # lines that cannot be read
    encoding_valid: bool = True
    separator_valid: bool = True

    @property
    def valid(self) -> bool:
        return self.encoding_valid and self.separator_valid

    def validation(self) -> JSON:
        return {
            "separatorValid": self.separator_valid,
            "fileEncodingValid": self.encoding_valid,
            "errors": [{"lineNumber": line, "message": message} for line, message in self.problems.items()],
        }


def parse(content: bytes) -> Sheet:
    """Files must be UTF-8 with commas."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Sheet([], [], {}, encoding_valid=False)
    reader = csv.reader(io.StringIO(text, newline=""))
    headers = [header.strip() for header in next(reader, [])]
    if not headers or (len(headers) == 1 and re.search(r"[;\t|]", headers[0])):
        return Sheet(headers, [], {}, separator_valid=False)
    rows: list[tuple[int, list[str]]] = []
    problems: dict[int, str] = {}
    for row in reader:
        if not row:
            continue
        if len(row) != len(headers):
            problems[reader.line_num] = f"Expected {len(headers)} columns but found {len(row)}"
        else:
            rows.append((reader.line_num, row))
    return Sheet(headers, rows, problems)


def check_mappings(settings: CsvSettings, code: str) -> None:
    for mapping in settings.mappings:
        target = mapping.target_field
        top = target[2:].partition(".")[0]
        known = top in CONTACT_FIELDS | _EXTERNAL_ID and top not in _NOT_IMPORTABLE
        if not _TARGET.fullmatch(target) or not known:
            raise bad_request(f"Invalid settings: {target[:60]} is not a field to import into", "mappings", code=code)


@dataclass(frozen=True, slots=True)
class RowReader:
    """Turns the rows of one file into contacts and the identifiers to match them by."""

    columns: Sequence[tuple[int, str]]  # position in the row, target path without `$.`
    settings: ImportSettings

    @classmethod
    def of(cls, headers: Sequence[str], mappings: Iterable[ColumnMapping], settings: ImportSettings) -> "RowReader":
        included = {given.name.removeprefix("$.") for given in settings.import_fields if given.included}
        columns = []
        for mapping in mappings:
            path = mapping.target_field[2:]
            wanted = included & {path, path.partition(".")[0], mapping.source_field}
            if wanted and mapping.source_field in headers:
                columns.append((headers.index(mapping.source_field), path))
        return cls(columns, settings)

    def contact(self, row: Sequence[str]) -> JSON:
        contact: JSON = {}
        for position, path in self.columns:
            value = row[position].strip()
            if not value:
                continue
            top = path.partition(".")[0]
            if top in _EXTERNAL_ID:
                source = {"id": self.settings.external_source_id}
                contact["externalIds"] = [{"externalSource": source, "value": value}]
            else:
                _set(contact, f"{path}.display" if path in PHONE_SLOTS else path, _typed(path, value))
        return contact

    def identifiers(self, contact: JSON) -> list[JSON]:
        """The external id first, then what the settings name, in their order."""
        found = [{"type": "ExternalId", **external} for external in contact.get("externalIds", ())]
        for criterion in self.settings.matching_criteria:
            if criterion == "Email":
                found += [{"type": "Email", "value": contact[slot]} for slot in EMAIL_SLOTS if slot in contact]
            else:
                numbers = (phones.stored(contact[slot]) for slot in PHONE_SLOTS if slot in contact)
                found += [
                    {"type": "Phone", "value": number["e164"]} for number in numbers if number and "e164" in number
                ]
        return found


def _set(contact: JSON, path: str, value: object) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        contact = contact.setdefault(parent, {})
    contact[name] = value


def _typed(path: str, value: str) -> object:
    if path == "surveyOptOut" or path.endswith(".acceptsSMS"):
        return value.lower() in {"true", "yes", "1"}
    return value


@dataclass(slots=True)
class Report:
    """What became of each line, as the file that a job's report address leads to."""

    failed: int = 0
    succeeded: int = 0
    _text: io.StringIO = field(default_factory=lambda: io.StringIO("lineNumber,result,code,message\r\n"))

    def __post_init__(self) -> None:
        self._text.seek(0, io.SEEK_END)

    def success(self, line: int, result: str) -> None:
        self.succeeded += 1
        self._write(line, result, "", "")

    def failure(self, line: int, code: str, message: str) -> None:
        self.failed += 1
        self._write(line, "Failed", code, message)

    def _write(self, *values: Any) -> None:
        csv.writer(self._text).writerow(values)

    def content(self) -> bytes:
        return self._text.getvalue().encode()


@dataclass(slots=True)
class Imports:
    """Everything about imports that is kept: by kind, by id, in the order of creation."""

    settings: dict[str, ImportSettings] = field(default_factory=dict)
    settings_created: dict[str, float] = field(default_factory=dict)
    csv_settings: dict[str, CsvSettings] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
