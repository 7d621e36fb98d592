"""Import of contacts from CSV files."""

from ...jobs.import_jobs import Importer, ImportJob
from ...jobs.imports import (
    CSV_SETTINGS_URI,
    JOBS_URI,
    PREVIEW_ROWS,
    SETTINGS_URI,
    CsvJobRequest,
    CsvSettings,
    ImportSettings,
    JobRequest,
    RowReader,
    Sheet,
    StatusUpdate,
    Upload,
    UploadRequest,
    check_mappings,
    parse,
)
from ...organization import errors
from ...organization.clock import iso
from ...organization.errors import JSON, ApiError
from ..calls import Call, Reply

_ORDERS = ("Ascending", "Descending")


def _not_found(entity: str, entity_id: str) -> ApiError:
    return errors.entity_not_found(entity, entity_id, "The requested resource was not found.")


# Settings


def list_settings(call: Call) -> Reply:
    name = call.query.get("name", "").lower()
    settings = [
        _settings(call, settings_id)
        for settings_id, given in call.world.imports.settings.items()
        if name in given.name.lower()
    ]
    return _listing(call, settings)


def _listing(call: Call, entities: list[JSON]) -> Reply:
    if call.choice("sortOrder", _ORDERS, default="Ascending") == "Descending":
        entities.reverse()
    page, links = call.cursor_page(
        entities, limit=call.number("pageSize", default=25, high=100), parameter="after", scope=(call.uri(after=None),)
    )
    return Reply(200, {"entities": page, **links})


def create_settings(call: Call) -> Reply:
    settings_id = call.world.new_id()
    _store_settings(call, settings_id)
    call.world.imports.settings_created[settings_id] = call.world.clock.now()
    return Reply(200, _settings(call, settings_id))


def get_settings(call: Call) -> Reply:
    return Reply(200, _settings(call, call.part("settingsId")))


def put_settings(call: Call) -> Reply:
    settings_id = call.part("settingsId")
    _settings(call, settings_id)
    _store_settings(call, settings_id)
    return Reply(200, _settings(call, settings_id))


def delete_settings(call: Call) -> Reply:
    settings_id = call.part("settingsId")
    _settings(call, settings_id)
    del call.world.imports.settings[settings_id]
    return Reply(204)


def _store_settings(call: Call, settings_id: str) -> None:
    given = ImportSettings.read(call.body)
    others = (other for other_id, other in call.world.imports.settings.items() if other_id != settings_id)
    if any(other.name.lower() == given.name.lower() for other in others):
        raise ApiError(409, "name.already.exists", "Settings with name already exists", ("name",))
    if call.world.sources.find(given.external_source_id) is None:
        raise errors.bad_request("The external source does not exist.", "externalSourceId")
    call.world.imports.settings[settings_id] = given


def _settings(call: Call, settings_id: str) -> JSON:
    given = call.world.imports.settings.get(settings_id)
    if given is None:
        raise _not_found("ImportSettings", settings_id)
    created = call.world.imports.settings_created.get(settings_id, call.world.clock.now())
    return {
        "id": settings_id,
        **given.model_dump(by_alias=True),
        "dateCreated": iso(created),
        "selfUri": f"{SETTINGS_URI}/{settings_id}",
    }


# CSV settings


def list_csv_settings(call: Call) -> Reply:
    wanted = call.query.get("externalSettingsId")
    settings = [
        _csv_settings(call, settings_id)
        for settings_id, given in call.world.imports.csv_settings.items()
        if wanted is None or given.external_settings_id == wanted
    ]
    limit = call.number("pageSize", default=25, high=200)
    page, links = call.cursor_page(settings, limit=limit, parameter="after", scope=(wanted or "",))
    links.pop("cursors", None)
    return Reply(200, {"entities": page, **links})


def create_csv_settings(call: Call) -> Reply:
    given = CsvSettings.read(call.body)
    check_mappings(given, "settings.invalid")
    settings_id = call.world.new_id()
    call.world.imports.csv_settings[settings_id] = given
    return Reply(201, _csv_settings(call, settings_id))


def get_csv_settings(call: Call) -> Reply:
    return Reply(200, _csv_settings(call, call.part("settingsId")))


def put_csv_settings(call: Call) -> Reply:
    settings_id = call.part("settingsId")
    _csv_settings(call, settings_id)
    given = CsvSettings.read(call.body)
    check_mappings(given, "invalid.settings")
    call.world.imports.csv_settings[settings_id] = given
    return Reply(200, _csv_settings(call, settings_id))


def delete_csv_settings(call: Call) -> Reply:
    settings_id = call.part("settingsId")
    _csv_settings(call, settings_id)
    del call.world.imports.csv_settings[settings_id]
    return Reply(204)


def _csv_settings(call: Call, settings_id: str) -> JSON:
    given = call.world.imports.csv_settings.get(settings_id)
    if given is None:
        raise _not_found("CsvSettings", settings_id)
    return {"id": settings_id, **given.wire(), "selfUri": f"{CSV_SETTINGS_URI}/{settings_id}"}


# Uploads


def create_upload(call: Call) -> Reply:
    request = UploadRequest.read(call.body)
    upload_id = call.world.new_id()
    headers = {"Content-Type": "text/csv", "x-amz-tagging": f"uploadId={upload_id}"}
    upload = Upload(upload_id, request, headers)
    call.world.imports.uploads[upload_id] = upload
    return Reply(201, upload.wire(call.base_url))


def get_upload_details(call: Call) -> Reply:
    upload, sheet = _uploaded(call)
    details = {"uploadId": upload.id, "fileName": upload.request.file_name, "validationResult": sheet.validation()}
    return Reply(200, details)


def get_upload_preview(call: Call) -> Reply:
    upload, sheet = _uploaded(call)
    if not sheet.valid:
        raise ApiError(422, "invalid.upload", "Invalid upload", entity_id=upload.id)
    entries = [row for _, row in sheet.rows[:PREVIEW_ROWS]]
    return Reply(200, {"uploadId": upload.id, "headers": sheet.headers, "entries": entries})


def _uploaded(call: Call) -> tuple[Upload, Sheet]:
    upload_id = call.part("uploadId")
    upload = call.world.imports.uploads.get(upload_id)
    if upload is None or upload.content is None:
        raise _not_found("Upload", upload_id)
    return upload, parse(upload.content)


# Jobs


def create_csv_job(call: Call) -> Reply:
    request = CsvJobRequest.read(call.body)
    imports = call.world.imports
    upload, csv_settings = imports.uploads.get(request.upload_id), imports.csv_settings.get(request.settings_id)
    if upload is None or upload.content is None:
        raise errors.bad_request("Parameter invalid: no file was uploaded", "uploadId", code="invalid.parameter")
    if csv_settings is None:
        raise errors.bad_request("Parameter invalid: no such settings", "settingsId", code="invalid.parameter")
    settings_id = csv_settings.external_settings_id or ""
    settings = imports.settings.get(settings_id)
    if settings is None:
        message = "Parameter invalid: the settings have no import settings"
        raise errors.bad_request(message, "settingsId", code="invalid.parameter")
    sheet = parse(upload.content)
    job = _start(
        call,
        settings_id=settings_id,
        division=call.world.organization.division_to_write(request.division),
        file_name=upload.request.file_name,
        sheet=sheet,
        reader=RowReader.of(sheet.headers, csv_settings.mappings, settings),
    )
    return Reply(202, {"job": {"id": job.id, "selfUri": f"{JOBS_URI}/{job.id}"}})


def create_job(call: Call) -> Reply:
    """A job without a file: it has nothing to import."""
    request = JobRequest.read(call.body)
    settings = call.world.imports.settings.get(request.settings_id)
    if settings is None:
        raise _not_found("ImportSettings", request.settings_id)
    job = _start(
        call,
        settings_id=request.settings_id,
        division=call.world.organization.division_to_write(request.division),
        file_name="",
        sheet=Sheet([], [], {}),
        reader=RowReader([], settings),
    )
    return Reply(200, _job(call, job))


def _start(
    call: Call, *, settings_id: str, division: str, file_name: str, sheet: Sheet, reader: RowReader
) -> ImportJob:
    world = call.world
    job = ImportJob(
        id=world.new_id(),
        settings_id=settings_id,
        division=division,
        created=world.clock.now(),
        file_name=file_name,
        sheet=sheet,
        reader=reader,
        pace=world.pace(),
    )
    world.import_jobs[job.id] = job
    _run(call, job)
    return job


def _run(call: Call, job: ImportJob) -> None:
    world = call.world
    importer = Importer(world.service, world.files, call.base_url, world.settings.max_identifiers)
    world.jobs.start(importer.run(job))


def list_jobs(call: Call) -> Reply:
    status = call.choice("jobStatus", ("Created", "Running", "Completed", "Failed", "Cancelled"))
    jobs = [_job(call, job) for job in call.world.import_jobs.values() if status in {None, job.status}]
    return _listing(call, jobs)


def get_job(call: Call) -> Reply:
    job = _find_job(call)
    view = _job(call, job)
    job.pace.poll()
    return Reply(200, view)


def put_job(call: Call) -> Reply:
    request = StatusUpdate.read(call.body)
    job = _find_job(call)
    if request.job_id != job.id:
        raise errors.bad_request("The job id of the body is not that of the path.", "jobId")
    possible = {
        "Continue": job.step == "Validated" and not job.over,
        "Cancel": not job.over,
        "Retry": job.status in {"Failed", "Cancelled"},
    }
    if not possible[request.status]:
        raise errors.generic(409)
    if request.status == "Cancel":
        job.status = "Cancelled"
    if request.status == "Retry":
        job.status, job.step, job.details = "Created", None, None
        job.dry_run = job.imported = None
        job.confirmed.clear()
        _run(call, job)
    else:
        job.confirmed.set()
    return Reply(202, {"jobId": job.id, "status": request.status})


def _find_job(call: Call) -> ImportJob:
    if job := call.world.import_jobs.get(call.part("jobId")):
        return job
    raise _not_found("ImportJob", call.part("jobId"))


def _job(call: Call, job: ImportJob) -> JSON:
    named = "division" in call.many("expand", allowed=("division",))
    return job.wire(call.world.organization.division_reference(job.division, named=named))
