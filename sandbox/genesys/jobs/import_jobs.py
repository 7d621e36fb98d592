"""One import from the first check to the last row: validate, wait for a person's word, import."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..organization import models
from ..organization.clock import iso
from ..organization.errors import JSON, ApiError
from ..organization.service import Service
from .files import File, Files
from .imports import JOBS_URI, SETTINGS_URI, Report, RowReader, Sheet
from .jobs import Pace, breathe

Status = Literal["Created", "Running", "Completed", "Failed", "Cancelled"]
Step = Literal["Validating", "Validated", "Importing"]


@dataclass(slots=True)
class ImportJob:
    id: str
    settings_id: str
    division: str
    created: float
    file_name: str
    sheet: Sheet
    reader: RowReader
    pace: Pace
    status: Status = "Created"
    details: str | None = None
    step: Step | None = None
    dry_run: Report | None = None
    imported: Report | None = None
    urls: dict[str, str] = field(default_factory=dict)
    confirmed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def over(self) -> bool:
        return self.status in {"Completed", "Failed", "Cancelled"}

    def wire(self, division: JSON) -> JSON:
        view: JSON = {
            "id": self.id,
            "status": self.status,
            "metadata": self._metadata(),
            "dateCreated": iso(self.created),
            "division": division,
            "selfUri": f"{JOBS_URI}/{self.id}",
            "settings": {"id": self.settings_id, "selfUri": f"{SETTINGS_URI}/{self.settings_id}"},
        }
        optional = {"statusDetails": self.details, "executionStep": self.step}
        return view | {name: value for name, value in optional.items() if value}

    def _metadata(self) -> JSON:
        metadata: JSON = {"fileName": self.file_name} | self.urls
        for prefix, report in (("dryRun", self.dry_run), ("import", self.imported)):
            if report:
                metadata |= {f"{prefix}FailedCount": report.failed, f"{prefix}SuccessCount": report.succeeded}
        return metadata


@dataclass(frozen=True, slots=True)
class Importer:
    service: Service
    files: Files
    base_url: str
    max_identifiers: int

    async def run(self, job: ImportJob) -> None:
        await job.pace.step()
        if job.over:
            return
        job.status, job.step = "Running", "Validating"
        await job.pace.step()
        if not job.sheet.valid:
            job.status, job.details = "Failed", "The file is not comma-separated UTF-8"
            return
        job.dry_run = await self._each_row(job, dry_run=True)
        if job.over:
            return
        job.urls["dryRunReportDownloadUrl"] = self._store(job.dry_run, "dry-run-report.csv")
        job.step = "Validated"
        await job.confirmed.wait()
        if job.over:
            return
        job.step = "Importing"
        await job.pace.step()
        job.imported = await self._each_row(job, dry_run=False)
        job.urls["importReportDownloadUrl"] = self._store(job.imported, "import-report.csv")
        if not job.over:
            job.status = "Completed"

    async def _each_row(self, job: ImportJob, *, dry_run: bool) -> Report:
        report = Report()
        for line, problem in job.sheet.problems.items():
            report.failure(line, "invalid.row", problem)
        for index, (line, row) in enumerate(job.sheet.rows):
            await breathe(index)
            if job.over:
                break
            try:
                report.success(line, self._row(job, row, dry_run=dry_run))
            except ApiError as error:
                report.failure(line, error.code, error.message)
        return report

    def _row(self, job: ImportJob, row: Sequence[str], *, dry_run: bool) -> str:
        contact = job.reader.contact(row)
        division = {"id": job.division}
        identifiers = job.reader.identifiers(contact)
        if not identifiers:
            self.service.create({**contact, "division": division}, dry_run=dry_run)
            return "Created"
        action = "Merge" if job.reader.settings.merge_contacts else "Upsert"
        request = models.EnrichRequest.read(
            {"division": division, "matchingIdentifiers": identifiers, "action": action, "contact": contact},
            invalid="The provided contact was not valid",
        )
        enriched = self.service.enrich(request, dry_run=dry_run, max_identifiers=self.max_identifiers)
        return "Created" if enriched.status == 201 else "Updated"

    def _store(self, report: Report, name: str) -> str:
        return self.base_url + self.files.put(File(name, "text/csv", report.content()))
