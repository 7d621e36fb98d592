"""An import in steps: whatever dies at whatever point, running it again completes it, and the report adds up."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import boto3_dynamodb
from cir.aws.files import Directory, Files
from cir.crm.record import CrmRecord, Problem
from cir.genesys.errors import UnavailableError
from cir.imports.batches import read_batch, write_batches
from cir.imports.loading import Report
from cir.imports.run import IncompleteRunError, InterruptedRunError, Run, load, load_all, report, split
from cir.index.store import TableNames
from cir.sync.customers import Change
from sandbox.customers.salesforce import contact_id as salesforce_id
from tests.support.genesys_cloud import GenesysCloud
from tests.support.importer import export, lines
from tests.support.mortal import KilledError, Mortal, MortalFiles
from tests.support.sync_plane import SyncPlane, account, mobile, watched

pytestmark = pytest.mark.slow


@pytest.fixture(params=["directory", "bucket"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    return Directory(tmp_path / "run") if request.param == "directory" else request.getfixturevalue("bucket")


def test_files_are_the_same_in_a_directory_and_in_a_bucket(files: Files, tmp_path: Path) -> None:
    files.write("a/1", b"one")
    files.write("a/1", b"two")
    (tmp_path / "file").write_bytes(b"three")
    files.store("a/2", tmp_path / "file")
    assert (files.read("a/1"), files.read("a/2")) == (b"two", b"three")
    assert list(files.list("a/")) == ["a/1", "a/2"]
    assert list(files.list("b")) == []
    assert (files.exists("a/1"), files.exists("a/")) == (True, False)
    with files.local("a/2") as path:
        assert path.read_bytes() == b"three"
    for missing in (lambda: files.read("b"), lambda: files.local("b").__enter__()):
        with pytest.raises(FileNotFoundError):
            missing()
    files.remove(["a/1", "never"])
    assert list(files.list("")) == ["a/2"]


def test_a_directory_is_its_owners_alone(tmp_path: Path) -> None:
    directory = Directory(tmp_path / "run")
    directory.write("a/1", b"one")
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "run").rglob("*")} == {0}
    with pytest.raises(ValueError, match="leads out"):
        directory.read("../../etc/passwd")


def test_batches_give_back_what_was_written(tmp_path: Path) -> None:
    written = lines(
        account(1, FirstName="Zoë\u2028\u0085", Email="Zoë@bücher.example", Loyalty_Number__c="L-1", Phone="call me"),
        Problem("Id", "no value"),
        account(2, WhatsApp__c="+44 7700 900123", Account_Tier__c="Gold", MailingCountry="Atlantis"),
    )
    files = Directory(tmp_path)
    keys = write_batches(files, "here/", written, rows=2)
    assert len(keys) == 2
    assert [line for key in keys for line in read_batch(files, key)] == written
    values = [each.value for line in written if isinstance(line.record, CrmRecord) for each in line.record.identifiers]
    read = [line.record for key in keys for line in read_batch(files, key)]
    assert [each.value for record in read if isinstance(record, CrmRecord) for each in record.identifiers] == values


ROWS = lines(account(0), account(1), account(2), Problem("Id", "no value"), account(3))


@dataclass
class World:
    """One organization, one index, one directory; each run in it is a process of its own."""

    plane: SyncPlane
    files: Files
    dynamodb: Any
    total: Report = field(default_factory=Report)

    def run(self, dies_at: int = 10**9) -> int:
        """Everything, until the end or until it dies; returns how many steps there were."""
        life = Mortal(dies_at)
        self.dynamodb.before = lambda operation: life.step() if operation == "TransactWriteItems" else None
        run = Run(MortalFiles(self.files, life), "run/")
        with patch("cir.imports.run.write_batches", lambda *given: write_batches(*given, rows=3)):
            split(run, ROWS, self.plane.organization, origin="one")
        load_all(run, self.plane.new_sync(), workers=1)
        self.total = report(run)
        return life.done

    def ids(self) -> dict[str, str]:
        rows = csv.DictReader(io.StringIO(self.files.read("run/ids.csv").decode()))
        return {row["crm_id"]: row["contact_id"] for row in rows}


@pytest.fixture
def new_world(
    genesys: GenesysCloud, dynamodb_client: DynamoDBClient, tables: TableNames, tmp_path: Path
) -> Callable[[int], World]:
    dynamodb, store = watched(boto3_dynamodb(dynamodb_client), tables)

    def new(number: int) -> World:
        """The tables are kept: those of an earlier world are of contacts that are gone with its organization."""
        genesys.reset()
        for table, key in ((tables.identifiers, "identifier"), (tables.contacts, "contact_id")):
            for item in dynamodb_client.scan(TableName=table)["Items"]:
                dynamodb_client.delete_item(TableName=table, Key={key: item[key]})
        return World(SyncPlane(genesys, store), Directory(tmp_path / str(number)), dynamodb)

    return new


def test_a_run_that_dies_at_any_point_is_completed_by_the_next(new_world: Callable[[int], World]) -> None:
    steps = new_world(0).run()
    assert steps > 20
    for dies_at in range(1, steps + 1):
        world = new_world(dies_at)
        with pytest.raises(KilledError):
            world.run(dies_at)
        world.run()
        contacts = world.plane.genesys.contacts()
        ids = world.ids()
        assert len(contacts) == 4, f"killed at {dies_at}"
        assert ids == {salesforce_id(number): next(iter(world.plane.owners(mobile(number)))) for number in range(4)}
        assert set(ids.values()) == {contact["id"] for contact in contacts}
        assert world.total.rows == 5 == sum(world.total.changes.values())
        assert world.total.changes[Change.REFUSED] == 1


def test_what_is_done_costs_nothing_again(new_world: Callable[[int], World]) -> None:
    world = new_world(1)
    world.run()
    calls = world.plane.genesys.writes()
    report_before = world.files.read("run/rows.csv")
    world.run()
    assert world.plane.genesys.writes() == calls
    assert world.files.read("run/rows.csv") == report_before


def test_another_file_is_another_run(new_world: Callable[[int], World]) -> None:
    world = new_world(1)
    world.run()
    run = Run(world.files, "run/")
    manifest = split(run, ROWS[:2], world.plane.organization, origin="two")
    assert (manifest.rows, len(manifest.batches), run.done()) == (2, 1, set())
    with pytest.raises(IncompleteRunError, match="1 of 1 batches are not loaded"):
        report(run)


def test_a_failing_service_ends_it_in_order_and_the_next_run_completes_it(new_world: Callable[[int], World]) -> None:
    world = new_world(1)
    run = Run(world.files, "run/")
    rows = lines(*(account(number) for number in range(30)))
    with patch("cir.imports.run.write_batches", lambda *given: write_batches(*given, rows=10)):
        split(run, rows, world.plane.organization, origin="one")
    world.plane.genesys.fail(status=503, operation="bulk/contacts/enrich", count=10)
    with pytest.raises(UnavailableError):
        load_all(run, world.plane.new_sync(), workers=4)
    load_all(run, world.plane.new_sync(), workers=4)
    assert report(run).rows == 30
    assert len(world.plane.genesys.contacts()) == 30


def test_a_batch_that_runs_out_of_time_has_no_result_and_is_loaded_again(new_world: Callable[[int], World]) -> None:
    world = new_world(1)
    run = Run(world.files, "run/")
    rows = lines(*(account(number) for number in range(30)))
    (batch,) = split(run, rows, world.plane.organization, origin="one").batches
    with pytest.raises(InterruptedRunError):
        load(run, batch, world.plane.new_sync(), workers=1, stopped=lambda: True)
    assert run.done() == set()
    assert load(run, batch, world.plane.new_sync()) == 30
    changes = report(run).changes
    assert (changes.total(), changes[Change.UNCHANGED] > 0) == (30, True)


def test_a_report_is_read_back_as_it_was() -> None:
    one = Report(seconds=1.5, changes=Counter({Change.CREATED: 2}), refused=Counter({("Id", "no value"): 1}))
    assert Report.from_dict(json.loads(json.dumps(one.as_dict()))).as_dict() == one.as_dict()


# The command, really killed


def test_a_command_that_is_killed_goes_on_where_it_was(
    variables: dict[str, str], genesys: GenesysCloud, tmp_path: Path
) -> None:
    genesys.configure(latency_ms=(100, 100))
    file = export(tmp_path / "accounts.csv", rows=60)
    command = [sys.executable, "-m", "cli.main", "import", str(file), "--json", "--workers", "1"]
    command += ["--ids", str(tmp_path / "ids.csv")]
    environment = {**os.environ, **variables, "XDG_STATE_HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    killed = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(genesys.contacts()) < 20:
        assert killed.poll() is None
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert len(genesys.contacts()) < 60
    genesys.configure(latency_ms=(0, 0))
    ran = subprocess.run(command, env=environment, capture_output=True, check=False, text=True)
    assert ran.returncode == 0, ran.stderr
    summary = json.loads(ran.stdout)
    assert (summary["rows"], summary["refused"]) == (60, 0)
    assert summary["unchanged"] >= 10
    with (tmp_path / "ids.csv").open() as written:
        ids = {row["crm_id"]: row["contact_id"] for row in csv.DictReader(written)}
    assert ids.keys() == {salesforce_id(number) for number in range(60)}
    assert set(ids.values()) == {contact["id"] for contact in genesys.contacts()}
    # nothing of the people is left behind
    kept = [path for path in (tmp_path / "cir").rglob("*") if path.is_file()]
    assert {path.name for path in kept} >= {"ids.csv", "rows.csv", "report.json"}
    assert not [path for path in kept if b"Doe" in path.read_bytes() or b"917555" in path.read_bytes()]
