"""A run of an import, step by step: split, load each batch, report.

What a step has done is a file, and is not done again: a run that died goes on where it was, on this machine or as a
workflow. A batch that was half done is repeated as a whole; its finished records are unchanged and cost no request.

Below the prefix of a run lie

    manifest.json            written last by `split`: all batches are there
    batches.json             the batches for the workflow's Map: [{"batch": key}, ...]
    organization.json        what contacts refer to in Genesys Cloud
    batches/000001.ndjson    records; `cir.imports.batches`
    results/000001.ndjson    what became of each
    rows.csv, ids.csv        what became of each row; CRM id -> contact id
    report.json              the sum
"""

import csv
import hashlib
import json
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from cir.aws.files import Files
from cir.contacts.organization import Organization
from cir.crm.export_file import Line
from cir.imports.batches import read_batch, write_batches
from cir.imports.loading import WORKERS, Imported, Report, import_lines
from cir.sync.customers import Change, Loader

PREFIX = "imports/"
"""Of the runs in a deployment's bucket, each below its name."""
ROW_COLUMNS = ("line", "outcome", "crm_id", "contact_id", "problems")


class InterruptedRunError(Exception):
    """A batch was begun and not finished. Running it again completes it."""


class IncompleteRunError(Exception):
    """There is nothing to report yet. The text says what is missing."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run consists of."""

    origin: str
    """Of what it was made; a run is only continued with the same."""
    rows: int
    batches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Where a run is kept."""

    files: Files
    prefix: str = ""
    """Empty, or ending in a slash."""

    @classmethod
    def named(cls, files: Files, name: str) -> "Run":
        """That of a deployment."""
        return cls(files, f"{PREFIX}{name}/")

    @property
    def name(self) -> str:
        """That of a deployment, by which the workflow's steps know it."""
        return self.prefix.removeprefix(PREFIX).removesuffix("/")

    def key(self, name: str) -> str:
        return self.prefix + name

    @property
    def manifest(self) -> Manifest | None:
        """None until it has been split."""
        try:
            data = json.loads(self.files.read(self.key("manifest.json")))
        except FileNotFoundError:
            return None
        return Manifest(data["origin"], data["rows"], tuple(data["batches"]))

    @property
    def organization(self) -> Organization:
        """Raises FileNotFoundError."""
        return Organization(**json.loads(self.files.read(self.key("organization.json"))))

    def result_of(self, batch: str) -> str:
        """The key of a batch's result; a batch may lie elsewhere."""
        return self.key(f"results/{Path(batch).name}")

    def done(self) -> set[str]:
        """The keys of the results that are there."""
        return set(self.files.list(self.key("results/")))


def run_name(given: object) -> str:
    """What names a run, if it can be a part of a key. Raises ValueError."""
    if not isinstance(given, str) or not given or "/" in given:
        raise ValueError(f"the event must name its run, without slashes, not {given!r}")
    return given


def origin_of(path: Path, *others: str) -> str:
    """A digest of a file and of whatever else makes a run another one."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    for other in others:
        digest.update(b"\0" + other.encode())
    return digest.hexdigest()


def split(run: Run, lines: Iterable[Line], organization: Organization, *, origin: str) -> Manifest:
    """Write all lines as batches. Nothing is done if that was done before with the same origin.

    The lines are read to their end before anything is loaded: a file that is broken in its last line changes nothing.
    """
    before = run.manifest
    if before and before.origin == origin:
        return before
    clear(run)
    rows = 0

    def counted() -> Iterator[Line]:
        nonlocal rows
        for line in lines:
            rows += 1
            yield line

    batches = write_batches(run.files, run.key("batches/"), counted())
    manifest = Manifest(origin, rows, tuple(batches))
    _write_json(run, "organization.json", asdict(organization))
    _write_json(run, "batches.json", [{"batch": batch} for batch in batches])
    _write_json(run, "manifest.json", asdict(manifest))
    return manifest


def load(
    run: Run,
    batch: str,
    sync: Loader,
    *,
    workers: int = WORKERS,
    on_row: Callable[[Imported], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> int:
    """Bring one batch to Genesys Cloud and the index; returns how many rows it has.

    Nothing is done if its result is there. Raises GenesysError, DynamoDBError, and InterruptedRunError when `stopped`;
    then there is no result, and the batch is to be loaded again.
    """
    if run.files.exists(run.result_of(batch)):
        return 0
    results: list[Imported] = []
    imported = import_lines(read_batch(run.files, batch), sync, workers=workers)
    for each in imported:
        results.append(each)
        on_row(each)
        if stopped():
            imported.close()
            raise InterruptedRunError(f"the batch {batch} is not finished")
    results.sort(key=lambda each: each.line)
    run.files.write(run.result_of(batch), b"".join(each.to_json() for each in results))
    return len(results)


def load_all(
    run: Run, sync: Loader, *, workers: int = WORKERS, on_row: Callable[[Imported], None] = lambda _: None
) -> None:
    """Load every batch that is not done, two at a time, so that no worker is idle at a batch's end.

    `on_row` is called by one thread at a time. After a failure what is under way is finished, and nothing more begun.
    """
    manifest = run.manifest
    if manifest is None:
        raise IncompleteRunError("the file has not been split into batches")
    done = run.done()
    stop, lock = threading.Event(), threading.Lock()

    def tell(row: Imported) -> None:
        with lock:
            on_row(row)

    def one(batch: str) -> None:
        if not stop.is_set():
            load(run, batch, sync, workers=max(1, workers // 2), on_row=tell, stopped=stop.is_set)

    with ThreadPoolExecutor(min(workers, 2)) as pool:
        loading = [pool.submit(one, batch) for batch in manifest.batches if run.result_of(batch) not in done]
        try:
            for future in as_completed(loading):
                future.result()
        finally:
            stop.set()


def results(run: Run) -> Iterator[Imported]:
    """What became of each row, in the order of the batches. Raises IncompleteRunError."""
    manifest = run.manifest
    if manifest is None:
        raise IncompleteRunError("the file has not been split into batches")
    done = run.done()
    missing = [batch for batch in manifest.batches if run.result_of(batch) not in done]
    if missing:
        raise IncompleteRunError(f"{len(missing)} of {len(manifest.batches)} batches are not loaded: {missing[0]}")
    for batch in manifest.batches:
        for line in run.files.read(run.result_of(batch)).splitlines():
            yield Imported.from_json(line)


def report(run: Run, *, seconds: float = 0.0) -> Report:
    """Add up a finished run, and write its rows, ids and sum. Raises IncompleteRunError."""
    total = Report(seconds=seconds)
    with _csv_to(run, "rows.csv") as rows, _csv_to(run, "ids.csv") as ids:
        write_row, write_id = csv.writer(rows).writerow, csv.writer(ids).writerow
        write_row(ROW_COLUMNS)
        write_id(("crm_id", "contact_id"))
        for each in results(run):
            total.add(each)
            write_row((each.line, each.change, each.crm_id, each.contact_id, "; ".join(map(str, each.problems))))
            if each.contact_id and each.change is not Change.WITHDRAWN:
                write_id((each.crm_id, each.contact_id))
    manifest = run.manifest
    if manifest and total.rows != manifest.rows:
        raise IncompleteRunError(f"{manifest.rows} rows were split but {total.rows} are accounted for")
    _write_json(run, "report.json", total.as_dict())
    return total


def clear(run: Run) -> None:
    """Forget what a run was made of and what its steps have done, but not its report."""
    run.files.remove([run.key("manifest.json")])  # first: the rest then means nothing
    for name in ("batches", "results/", "csv/"):
        run.files.remove(run.files.list(run.key(name)))


def _write_json(run: Run, name: str, value: Any) -> None:
    run.files.write(run.key(name), json.dumps(value, separators=(",", ":")).encode())


@contextmanager
def _csv_to(run: Run, name: str) -> Iterator[IO[str]]:
    with tempfile.TemporaryDirectory(prefix="cir-") as directory:
        path = Path(directory) / name
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        run.files.store(run.key(name), path)
