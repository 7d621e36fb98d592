"""Import by Genesys' own CSV import: files of at most 50 MB, then the ids of the contacts from an export.

For a first load: a few dozen requests however many customers there are. What it cannot carry follows with the next
sync, which is why the index is told not to know what Genesys holds: custom fields, and ids of other systems.

What was done is kept in `csv/state.json` of the run, so that a run that died goes on where it was.
"""

import csv
import io
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from cir.contacts.reading import contact_from_row, identifiers_from_genesys
from cir.crm.mapping import CrmMapping
from cir.crm.record import CrmRecord
from cir.genesys.client import GenesysClient
from cir.genesys.errors import GenesysError
from cir.genesys.fields import EMAIL_SLOTS, IDENTIFIER_TARGETS, NAME_FIELDS, PHONE_SLOTS
from cir.genesys.imports import EXTERNAL_ID, MAX_FILE_BYTES, ImportJob
from cir.genesys.models import Contact as GenesysContact
from cir.identity.identifiers import Identifier
from cir.imports.batches import read_batch
from cir.imports.run import Run
from cir.sync.customers import Sync, Synced

MOST_INVALID = 0.05
"""Share of rows that Genesys may find wrong before anything is imported; more, and the file is not what it seems."""
POLL_SECONDS = (2.0, 30.0)
"""First and longest pause between two looks at a job: an hour of waiting costs 120 requests."""

_ID = "id"
_TARGETS = {
    **{name: name for name in (*NAME_FIELDS, *EMAIL_SLOTS)},
    **{slot: f"{slot}.display" for slot in PHONE_SLOTS},
    "whatsApp": "whatsAppId.phoneNumber.display",
    "twitter": "twitterId.screenName",
}
"""Our field → where it goes. Custom fields Genesys takes through its API only."""


class CsvImportError(Exception):
    """Genesys Cloud does not import a file. The text says why."""


@dataclass(slots=True)
class Part:
    """One file on its way."""

    key: str
    rows: int
    upload: str = ""
    job: str = ""
    confirmed: bool = False
    finished: bool = False


@dataclass(slots=True)
class State:
    """How far a run has come."""

    parts: list[Part] = field(default_factory=list)
    export: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """A contact in the export, as little of it as half a million take memory for."""

    contact_id: str
    modified: str
    shows: int
    """`_digest` of its identifiers."""

    def as_imported(self, record: CrmRecord) -> GenesysContact:
        """With `modifyDate` where it shows what the file said and no more: only then its event tells nothing new."""
        if self.shows == _digest((record.id, *record.slots.values()), external=1):
            return {"id": self.contact_id, "modifyDate": self.modified}
        return {"id": self.contact_id}


@dataclass(frozen=True, slots=True)
class Adopting:
    """Brings records to the index by the ids that Genesys has given their contacts."""

    sync: Sync
    exported: Mapping[Identifier, Exported]

    def records(self, records: Sequence[CrmRecord], /) -> list[Synced]:
        found = {each.id: self.exported[each.id].as_imported(each) for each in records if each.id in self.exported}
        return self.sync.adopt(records, found)


def columns_of(mapping: CrmMapping) -> dict[str, str]:
    """Column of our files → target in Genesys, for what the mapping feeds."""
    return {_ID: EXTERNAL_ID} | {name: target for name, target in _TARGETS.items() if name in mapping.targets}


def import_files(
    run: Run,
    client: GenesysClient,
    mapping: CrmMapping,
    *,
    source_id: str,
    max_bytes: int = MAX_FILE_BYTES,
    on_imported: Callable[[int], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Upload and validate all files, then confirm and wait for each. `on_imported` is given the rows that are done.

    Raises CsvImportError when Genesys finds more than MOST_INVALID of all rows invalid, and when the mapping lets
    Genesys' value survive somewhere, which its import cannot: nothing was imported then.
    """
    if mapping.kept:
        raise CsvImportError(
            f"Genesys Cloud's CSV import overwrites what the mapping lets survive ({', '.join(sorted(mapping.kept))}); "
            "import by the bulk API (--via enrich)"
        )
    columns = columns_of(mapping)
    state = _read_state(run)
    if not state.parts:
        state.parts = [Part(key, rows) for key, rows in _write_files(run, columns, max_bytes)]
        _write_state(run, state)
    waiting = [part for part in state.parts if not part.confirmed]
    if waiting:
        settings_id = client.imports.ensure_settings(f"cir {mapping.source}", source_id=source_id, columns=columns)
        for part in waiting:
            _validate(run, client, state, part, settings_id)
        _check(client, state, [_wait(client, part, sleep, until=_is_validated) for part in waiting], run)
    for part in state.parts:
        _import(run, client, state, part, sleep)
        on_imported(part.rows)


def export_contacts(
    run: Run, client: GenesysClient, mapping: CrmMapping, *, source_id: str, every: float = 5.0
) -> dict[Identifier, Exported]:
    """CRM id → contact, of all contacts with an id of the CRM, from one export."""
    state = _read_state(run)
    if not state.export:
        filters = {"eq": {"field": "ExternalSourceId", "value": source_id}}
        state.export = client.exports.create(filters=filters).id
        _write_state(run, state)
    try:
        export = client.exports.wait(state.export, every=every)
    except GenesysError as error:
        if not error.temporary:
            state.export = ""
            _write_state(run, state)
        raise
    found: dict[Identifier, Exported] = {}
    for row in client.exports.rows(export):
        contact = contact_from_row(row)
        shown = identifiers_from_genesys(contact, {mapping.source: source_id})
        digest = _digest(shown, external=len(contact.get("externalIds") or ()))
        exported = Exported(contact["id"], contact.get("modifyDate", ""), digest)
        found |= {each: exported for each in shown if each.source == mapping.source}
    return found


def _digest(identifiers: Iterable[Identifier], *, external: int) -> int:
    """Of this process only. `external`: how many ids of other systems there are, known ones or not."""
    return hash((frozenset(identifiers), external))


def _validate(run: Run, client: GenesysClient, state: State, part: Part, settings_id: str) -> None:
    imports = client.imports
    if not part.upload:
        with run.files.local(part.key) as path:
            upload = imports.upload(path)
        problems = imports.check_upload(upload)
        if problems:
            raise CsvImportError(f"Genesys Cloud cannot read {part.key}: {'; '.join(problems[:3])}")
        part.upload = upload
        _write_state(run, state)
    if not part.job:
        part.job = imports.start(part.upload, settings_id)
        _write_state(run, state)


def _is_validated(job: ImportJob) -> bool:
    return job.step == "Validated" or job.over


def _check(client: GenesysClient, state: State, jobs: Sequence[ImportJob], run: Run) -> None:
    invalid = sum(job.invalid or 0 for job in jobs)
    rows = invalid + sum(job.valid or 0 for job in jobs)
    if invalid <= MOST_INVALID * rows:
        return
    for job in jobs:
        if not job.over:
            client.imports.cancel(job.id)
    for part in state.parts:
        part.upload = part.job = ""
    _write_state(run, state)
    reasons = next((_reasons(client, job) for job in jobs if job.invalid), "")
    raise CsvImportError(
        f"Genesys Cloud finds {invalid:,} of {rows:,} rows invalid and has imported none: {reasons or 'no reason told'}"
    )


def _import(run: Run, client: GenesysClient, state: State, part: Part, sleep: Callable[[float], None]) -> None:
    if part.finished:
        return
    job = client.imports.get(part.job)
    if not part.confirmed:
        if job.step == "Validated" and not job.over:
            client.imports.confirm(part.job)
        part.confirmed = True
        _write_state(run, state)
    job = _wait(client, part, sleep, until=lambda job: job.over)
    part.finished = job.status == "Completed"
    if not part.finished:
        part.upload, part.job, part.confirmed = "", "", False
    _write_state(run, state)
    if not part.finished:
        raise CsvImportError(f"the import of {part.key} ended as {job.status}: {job.details or 'no reason told'}")


def _wait(
    client: GenesysClient, part: Part, sleep: Callable[[float], None], *, until: Callable[[ImportJob], bool]
) -> ImportJob:
    pause, longest = POLL_SECONDS
    while not until(job := client.imports.get(part.job)):
        sleep(pause)
        pause = min(pause * 1.5, longest)
    return job


def _reasons(client: GenesysClient, job: ImportJob) -> str:
    """Of the first rows that failed; not the rows themselves."""
    codes = [row.get("code") or "" for row in client.imports.report(job)]
    return ", ".join(sorted({code for code in codes if code}))


def _write_files(run: Run, columns: Mapping[str, str], max_bytes: int) -> Iterator[tuple[str, int]]:
    """Key and rows of each file."""
    manifest = run.manifest
    header = _row(columns)
    content, rows, number = bytearray(header), 0, 1
    for batch in manifest.batches if manifest else ():
        for line in read_batch(run.files, batch):
            if not isinstance(line.record, CrmRecord) or line.record.withdrawal:
                continue
            row = _row(_cells(line.record, columns))
            if len(content) + len(row) > max_bytes:
                yield _write_file(run, number, content), rows
                content, rows, number = bytearray(header), 0, number + 1
            content += row
            rows += 1
    if rows:
        yield _write_file(run, number, content), rows


def _write_file(run: Run, number: int, content: bytearray) -> str:
    key = run.key(f"csv/{number:04d}.csv")
    run.files.write(key, bytes(content))
    return key


def _cells(record: CrmRecord, columns: Mapping[str, str]) -> Iterator[str]:
    for name in columns:
        if name == _ID:
            yield record.id.value
        elif name in IDENTIFIER_TARGETS:
            identifier = record.slots.get(name)
            # the number alone: the next sync adds the extension, which the import has no sure place for
            value = (identifier.switchboard or identifier).value if identifier else ""
            yield value.removeprefix("+") if name == "whatsApp" else value
        else:
            yield record.texts.get(name, "")


def _row(cells: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _read_state(run: Run) -> State:
    try:
        data = json.loads(run.files.read(run.key("csv/state.json")))
    except FileNotFoundError:
        return State()
    return State([Part(**part) for part in data["parts"]], data["export"])


def _write_state(run: Run, state: State) -> None:
    run.files.write(run.key("csv/state.json"), json.dumps(asdict(state)).encode())
