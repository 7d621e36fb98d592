"""CSV import jobs: Genesys Cloud imports a file by itself, after somebody has confirmed what it has found in it."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cir.genesys.connection import Connection
from cir.genesys.errors import ConflictError, GenesysError

MAX_FILE_BYTES = 52_428_800
EXTERNAL_ID = "externalId"
"""Target of the column whose values are ids of the settings' external source."""

_SETTINGS = ("externalcontacts", "import", "settings")
_CSV = ("externalcontacts", "import", "csv")
_JOBS = ("externalcontacts", "import", "jobs")


class ImportJob(NamedTuple):
    """A file on its way."""

    id: str
    status: Literal["Created", "Running", "Completed", "Failed", "Cancelled"]
    step: str
    """`Validating`, `Validated` (and waiting for `confirm`), `Importing`; empty before."""
    details: str
    valid: int | None
    invalid: int | None
    """Rows as the validation has found them."""
    imported: int | None
    failed: int | None
    report_url: str
    """Of the import, else of the validation; empty while there is none."""

    @property
    def over(self) -> bool:
        return self.status in {"Completed", "Failed", "Cancelled"}


class Imports:
    """`client.imports`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ensure_settings(self, name: str, *, source_id: str, columns: Mapping[str, str]) -> str:
        """The id of CSV settings for files with these columns (column → target such as `cellPhone.display`).

        Rows are matched by the external id alone and update the contact that has it. Run again, the settings of this
        name are brought up to date.
        """
        body = {
            "name": name,
            "externalSourceId": source_id,
            "mergeContacts": False,
            "matchingCriteria": [],
            "importFields": [{"name": target, "included": True} for target in columns.values()],
        }
        settings_id = self._settings_named(name)
        if settings_id is None:
            try:
                created = self._connection.request(
                    "imports.create_settings", "POST", _SETTINGS, repeatable=True, body=body
                )
                settings_id = str(created.body["id"])
            except ConflictError as error:
                settings_id = self._settings_named(name) if error.code == "name.already.exists" else None
                if settings_id is None:
                    raise
        else:
            self._connection.request(
                "imports.update_settings", "PUT", (*_SETTINGS, settings_id), repeatable=True, body=body
            )
        mappings = [{"sourceField": column, "targetField": f"$.{target}"} for column, target in columns.items()]
        csv_body = {"externalSettingsId": settings_id, "mappings": mappings}
        path = (*_CSV, "settings")
        query = {"externalSettingsId": settings_id}
        listed = self._connection.request("imports.csv_settings", "GET", path, repeatable=True, query=query).body
        for existing in listed.get("entities") or []:
            one = (*path, str(existing["id"]))
            self._connection.request("imports.update_csv_settings", "PUT", one, repeatable=True, body=csv_body)
            return str(existing["id"])
        # A second one does no harm: any of them is as good.
        answer = self._connection.request("imports.create_csv_settings", "POST", path, repeatable=True, body=csv_body)
        return str(answer.body["id"])

    def upload(self, file: Path) -> str:
        """Send a file; returns the id of the upload. Repeated: an upload that is not used does nothing."""
        size = file.stat().st_size
        if not 0 < size <= MAX_FILE_BYTES:
            raise ValueError(f"{file.name} has {size} bytes; Genesys Cloud takes 1 to {MAX_FILE_BYTES}")
        answer = self._connection.request(
            "imports.create_upload",
            "POST",
            (*_CSV, "uploads"),
            repeatable=True,
            body={"fileName": file.name, "fileSize": size},
        )
        headers = {each["name"]: each["value"] for each in answer.body.get("uploadHeaders") or []}
        self._connection.upload("imports.upload", answer.body["uploadUrl"], file, headers=headers)
        return str(answer.body["uploadId"])

    def check_upload(self, upload_id: str) -> Sequence[str]:
        """What is wrong with an uploaded file; empty when it can be imported."""
        answer = self._connection.request(
            "imports.check_upload", "GET", (*_CSV, "uploads", upload_id, "details"), repeatable=True
        )
        result = answer.body.get("validationResult") or {}
        wrong = {"separatorValid": "it is not comma-separated", "fileEncodingValid": "it is not UTF-8"}
        problems = [text for name, text in wrong.items() if result.get(name) is False]
        return [*problems, *(f"line {each.get('lineNumber')}" for each in result.get("errors") or [])]

    def start(self, upload_id: str, settings_id: str) -> str:
        """Begin to validate an upload; returns the id of the job. Not repeated."""
        body = {"uploadId": upload_id, "settingsId": settings_id}
        answer = self._connection.request("imports.start", "POST", (*_CSV, "jobs"), repeatable=False, body=body)
        return str(answer.body["job"]["id"])

    def get(self, job_id: str) -> ImportJob:
        return _job(self._connection.request("imports.get", "GET", (*_JOBS, job_id), repeatable=True).body)

    def confirm(self, job_id: str) -> None:
        """Import what was validated. Repeated."""
        self._decide(job_id, "Continue")

    def cancel(self, job_id: str) -> None:
        self._decide(job_id, "Cancel")

    def report(self, job: ImportJob) -> list[dict[str, str]]:
        """The rows of a job's report, by column name. What its columns are, Genesys does not document."""
        if not job.report_url:
            raise GenesysError(f"imports.report: the job {job.id} has no report", operation="imports.report")
        with self._connection.download("imports.report", job.report_url) as file:
            return list(csv.DictReader(file))

    def _decide(self, job_id: str, status: Literal["Continue", "Cancel"]) -> None:
        body = {"jobId": job_id, "status": status}
        try:
            self._connection.request("imports.decide", "PUT", (*_JOBS, job_id), repeatable=True, body=body)
        except ConflictError:
            # The first of two attempts has been heard.
            job = self.get(job_id)
            heard = job.step == "Importing" or job.status == "Completed" if status == "Continue" else job.over
            if not heard:
                raise

    def _settings_named(self, name: str) -> str | None:
        query = {"name": name}
        found = self._connection.request("imports.settings", "GET", _SETTINGS, repeatable=True, query=query).body
        for each in found.get("entities") or []:
            if each.get("name", "").casefold() == name.casefold():
                return str(each["id"])
        return None


def _job(body: Mapping[str, Any]) -> ImportJob:
    metadata = body.get("metadata") or {}
    return ImportJob(
        id=body["id"],
        status=body["status"],
        step=body.get("executionStep") or "",
        details=body.get("statusDetails") or "",
        valid=metadata.get("dryRunSuccessCount"),
        invalid=metadata.get("dryRunFailedCount"),
        imported=metadata.get("importSuccessCount"),
        failed=metadata.get("importFailedCount"),
        report_url=metadata.get("importReportDownloadUrl") or metadata.get("dryRunReportDownloadUrl") or "",
    )
