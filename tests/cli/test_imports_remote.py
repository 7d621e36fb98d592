"""`cir import --remote`: the workflow of the deployment does the work, the command uploads, starts and watches."""

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest

from cir import connect
from cir.aws.files import Bucket
from infra.tables import STATE, physical_name
from sandbox.aws.services import Aws
from tests.conftest import new_environment, tables_of
from tests.support.commands import Command
from tests.support.genesys_cloud import GenesysCloud
from tests.support.importer import Importer, export

pytestmark = pytest.mark.slow

DATA = "cir-remote-data"
FAILURE = {"Type": "Fail", "Error": "FileError", "Cause": json.dumps({"errorMessage": "no column Id"})}
DEFINITION = {
    "StartAt": "Work",
    "States": {
        "Work": {"Type": "Wait", "Seconds": 1, "Next": "Well"},
        "Well": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.file", "StringMatches": "*bad*", "Next": "Failed"}],
            "Default": "Done",
        },
        "Failed": FAILURE,
        "Done": {"Type": "Pass", "End": True},
    },
}
"""The workflow's outside: its steps are called by the test, at the first look that the command takes at it."""


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch, aws: Aws, genesys: GenesysCloud) -> pytest.MonkeyPatch:
    """The state machine, the bucket and the tables are the sandbox's."""
    environment = new_environment(aws.dynamodb)
    tables = tables_of(environment)
    variables = {
        **aws.environment,
        **genesys.environment,
        "CIR_ENVIRONMENT": environment,
        "IDENTIFIERS_TABLE": tables.identifiers,
        "CONTACTS_TABLE": tables.contacts,
        "LEDGER_TABLE": tables.ledger,
        "STATE_TABLE": physical_name(environment, STATE),
        "DATA_BUCKET": DATA,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    session = boto3.Session()
    if DATA not in {each["Name"] for each in session.client("s3").list_buckets()["Buckets"]}:
        session.client("s3").create_bucket(Bucket=DATA, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    machine = session.client("stepfunctions").create_state_machine(
        name="cir-remote-import", roleArn="arn:aws:iam::111111111111:role/any", definition=json.dumps(DEFINITION)
    )
    monkeypatch.setenv("IMPORT_STATE_MACHINE", machine["stateMachineArn"])
    return monkeypatch


def work(bucket: Bucket) -> None:
    """What the workflow does with the last execution's input."""
    source = max((key for key in bucket.list("imports/") if key.endswith("/source.csv")), key=len)
    run = source.split("/")[1]

    importer = Importer(bucket, connect.open_genesys("bulk", report=False), connect.open_store())
    split = importer.split({"run": run, "file": source})
    for item in json.loads(bucket.read(split["batches"])):
        importer.load({"run": run, **item})
    importer.report({"run": run, "started": "2026-11-24T01:00:00.123Z"})


def test_the_workflow_is_started_watched_and_its_report_shown(
    cir: Command, deployed: pytest.MonkeyPatch, genesys: GenesysCloud, tmp_path: Path
) -> None:
    bucket = Bucket(boto3.Session().client("s3"), DATA)
    worked: list[float] = []

    def look_again(seconds: float) -> None:
        if not worked:
            work(bucket)
        worked.append(seconds)

    # the name, not the module that the other threads sleep by
    deployed.setattr("cli.commands.imports_remote.time", SimpleNamespace(sleep=look_again))
    file, ids = export(tmp_path / "accounts 1.csv", rows=12), tmp_path / "ids.csv"
    code, out, err = cir("import", file, "--remote", "--json", "--ids", ids)
    assert code == 0, err
    summary = json.loads(out[out.index('{"rows"') :])
    assert (summary["rows"], summary["created"]) == (12, 12)
    with ids.open() as written:
        found = {row["crm_id"]: row["contact_id"] for row in csv.DictReader(written)}
    assert set(found.values()) == {contact["id"] for contact in genesys.contacts()}
    # called again it finds the execution and its report, and starts no other
    calls = genesys.writes()
    code, out, _ = cir("import", file, "--remote", "--json")
    assert (code, json.loads(out[out.index('{"rows"') :])["created"], genesys.writes()) == (0, 12, calls)
    # unless it is told to, which makes a run of its own
    worked.clear()
    code, out, err = cir("import", file, "--remote", "--json", "--again")
    assert code == 0, err
    assert json.loads(out[out.index('{"rows"') :])["unchanged"] == 12


def test_a_workflow_that_fails_is_one_line_with_its_reason(
    cir: Command, deployed: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deployed.setattr("cli.commands.imports_remote.POLL_SECONDS", 0.2)
    file = export(tmp_path / "accounts.csv", rows=1).rename(tmp_path / "accounts.bad")
    code, out, err = cir("import", file, "--remote")
    assert (code, out) == (1, "")
    assert "the workflow ended as FAILED: no column Id" in " ".join(err.split())


@pytest.mark.parametrize("missing", ["DATA_BUCKET", "IMPORT_STATE_MACHINE"])
def test_without_a_workflow_it_says_what_is_missing(
    cir: Command, deployed: pytest.MonkeyPatch, tmp_path: Path, missing: str
) -> None:
    deployed.delenv(missing)
    code, _, err = cir("import", export(tmp_path / "a.csv", rows=1), "--remote")
    assert code == 1
    assert f"the environment variable {missing} is not set" in err
