"""The functions of the import workflow, over a real bucket: each does its step, or says why it cannot."""

import csv
import io
import json
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from cir.aws.files import Bucket
from cir.crm.export_file import FileError
from cir.crm.mapping import MappingError
from cir.imports.batches import write_batches
from cir.imports.run import IncompleteRunError, InterruptedRunError
from sandbox.customers.salesforce import contact_id as salesforce_id
from tests.support.genesys_cloud import GenesysCloud
from tests.support.importer import Importer, export, lines
from tests.support.sync_plane import SyncPlane, account, crm_id

pytestmark = pytest.mark.slow

STARTED = "2026-11-24T01:00:00.123Z"


@pytest.fixture
def importer(bucket: Bucket, plane: SyncPlane) -> Importer:
    return Importer(bucket, plane.genesys.client(), plane.store)


def test_the_workflow_imports_a_file_of_the_bucket(
    importer: Importer, bucket: Bucket, genesys: GenesysCloud, tmp_path: Path
) -> None:
    with bucket_upload(bucket, export(tmp_path / "a.csv", rows=23)):
        split_ = importer.split({"run": "one", "file": "uploads/a.csv"})
    assert (split_["rows"], split_["batchCount"]) == (23, 1)
    for item in json.loads(bucket.read(split_["batches"])):
        assert importer.load({"run": "one", **item})["created"] == 23
        assert importer.load({"run": "one", **item})["rows"] == 0  # a repetition
    told = importer.report({"run": "one", "started": STARTED})
    assert json.loads(bucket.read(told["report"]))["seconds"] > 0
    assert told["total"] == {"rows": 23, "created": 23, "updated": 0, "unchanged": 0, "withdrawn": 0, "refused": 0}
    ids = list(csv.DictReader(io.StringIO(bucket.read(told["ids"]).decode())))
    assert {row["contact_id"] for row in ids} == {contact["id"] for contact in genesys.contacts()}
    assert {row["crm_id"] for row in ids} == {crm_id(number).value for number in range(23)}


def bucket_upload(bucket: Bucket, file: Path) -> AbstractContextManager[Path]:
    bucket.store("uploads/a.csv", file)
    return bucket.local("uploads/a.csv")


class EndsAt:
    """Lambda's context, of a function whose time is nearly over."""

    def get_remaining_time_in_millis(self) -> int:
        return 20_000


def test_a_step_that_cannot_do_its_work_says_why(
    importer: Importer, bucket: Bucket, genesys: GenesysCloud, tmp_path: Path
) -> None:
    file = export(tmp_path / "a.csv", rows=3)
    file.write_text(file.read_text() + '"never ends')
    bucket.store("uploads/a.csv", file)
    with pytest.raises(FileError, match="not well-formed"):
        importer.split({"run": "one", "file": "uploads/a.csv"})
    assert genesys.contacts() == []
    with pytest.raises(IncompleteRunError, match="has not been split"):
        importer.report({"run": "one", "started": STARTED})
    for wrong in ({}, {"run": ""}, {"run": "../uploads"}, {"run": 1}):
        with pytest.raises(ValueError, match="must name its run"):
            importer.report(wrong)
    bucket.store("uploads/a.csv", export(tmp_path / "b.csv", rows=3))
    importer.split({"run": "two", "file": "uploads/a.csv"})
    with pytest.raises(InterruptedRunError):
        importer.load({"run": "two", "batch": "imports/two/batches/000001.ndjson"}, EndsAt())
    with pytest.raises(IncompleteRunError, match="1 of 1"):
        importer.report({"run": "two", "started": STARTED})


def test_the_mapping_that_was_uploaded_with_the_file_is_used(
    importer: Importer, bucket: Bucket, genesys: GenesysCloud, tmp_path: Path
) -> None:
    mapping = {"source": "salesforce", "id": "Key", "columns": {"Surname": "lastName"}, "queues": {}}
    bucket.write("imports/one/mapping.json", json.dumps(mapping).encode())
    bucket.write("uploads/a.csv", f"Key,Surname\n{salesforce_id(1)},Doe\n".encode())
    importer.split({"run": "one", "file": "uploads/a.csv"})
    importer.load({"run": "one", "batch": "imports/one/batches/000001.ndjson"})
    assert [contact["lastName"] for contact in genesys.contacts()] == ["Doe"]


def test_a_mapping_that_deletes_needs_a_deployment_that_does(
    importer: Importer, bucket: Bucket, genesys: GenesysCloud
) -> None:
    mapping = {
        "source": "salesforce", "id": "Key", "columns": {"Surname": "lastName"}, "queues": {},
        "onDelete": "delete", "optOut": {"column": "Out", "values": ["true"]},
    }  # fmt: skip
    bucket.write("imports/one/mapping.json", json.dumps(mapping).encode())
    bucket.write("uploads/a.csv", f"Key,Surname,Out\n{salesforce_id(1)},Doe,false\n".encode())
    with pytest.raises(MappingError, match="deletes whoever has opted out"):
        importer.split({"run": "one", "file": "uploads/a.csv"})
    assert genesys.contacts() == []


def test_batches_from_elsewhere_are_loaded_the_same(
    importer: Importer, bucket: Bucket, genesys: GenesysCloud, tmp_path: Path
) -> None:
    """As a reconciliation writes them."""
    bucket.store("uploads/a.csv", export(tmp_path / "a.csv", rows=1))
    importer.split({"run": "one", "file": "uploads/a.csv"})
    (key,) = write_batches(bucket, "reconciliations/two/batches/", lines(account(5), account(6)))
    assert importer.load({"run": "one", "batch": key})["created"] == 2
    assert len(genesys.contacts()) == 2
