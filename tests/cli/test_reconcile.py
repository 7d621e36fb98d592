"""`cir reconcile` and the functions of the workflow, each over a real table, a real bucket and the Genesys emulator."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from typer.testing import CliRunner

from cir.aws.files import Bucket
from cir.crm.connector import CrmRow
from cir.crm.connectors.errors import CrmError
from cir.index.store import IdentityStore, TableNames
from cli.main import app
from tests.support.functions import initialised
from tests.support.genesys_cloud import GenesysCloud
from tests.support.nightly_crm import Crm
from tests.support.sync_plane import MAPPING, SyncPlane, crm_id

pytestmark = pytest.mark.slow

CUSTOMERS = 10
"""One request to Genesys: the table of these tests does not bear several writers at once."""
STEPS = ("extract", "audit", "compare", "gone", "report")


@pytest.fixture
def plane(
    genesys: GenesysCloud, store: IdentityStore, tables: TableNames, aws_url: str, monkeypatch: pytest.MonkeyPatch
) -> SyncPlane:
    """This process is one of the environment's."""
    variables = {
        **genesys.environment,
        "CIR_ENVIRONMENT": "test",
        "AWS_ENDPOINT_URL": aws_url,
        "IDENTIFIERS_TABLE": tables.identifiers,
        "CONTACTS_TABLE": tables.contacts,
        "LEDGER_TABLE": tables.ledger,
        "STATE_TABLE": tables.ledger.replace("ledger", "state"),
        "DEFAULT_REGION": "US",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return SyncPlane(genesys, store)


@pytest.fixture
def crm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "CsvCrm":
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return CsvCrm(Crm.of(CUSTOMERS), tmp_path / "crm.csv")


class CsvCrm:
    """A CRM that is seen through its exports."""

    def __init__(self, crm: Crm, path: Path) -> None:
        self.crm = crm
        self.path = path
        self.columns = MAPPING.fields

    def export(self) -> str:
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns)
        writer.writeheader()
        writer.writerows({"Id": each.id, **each.values} for each in self.crm.rows.values())
        self.path.write_text(text.getvalue(), encoding="utf-8")
        return str(self.path)


def reconcile(crm: CsvCrm, *options: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["reconcile", "--file", crm.export(), "--json", *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout)


def test_the_command_runs_all_steps(plane: SyncPlane, crm: CsvCrm, tmp_path: Path) -> None:
    assert reconcile(crm, "--force")[1]["loaded"] == {"created": CUSTOMERS}
    crm.crm.change(1, Account_Tier__c="Platinum")
    assert reconcile(crm, "--dry-run")[1]["outcome"] == "dry run"
    code, told = reconcile(crm, "--audit", "--report", str(tmp_path / "report.html"))
    assert (code, told["outcome"], told["loaded"], told["adds_up"]) == (0, "repaired", {"updated": 1}, True)
    assert told["audit"]["contacts"] == CUSTOMERS
    assert "customerTier" in (tmp_path / "report.html").read_text()
    (owner,) = plane.owners(crm_id(1))
    assert plane.genesys.contact(owner)["customFields"]["customerTier"] == "Platinum"

    crm.crm.rows = dict(list(crm.crm.rows.items())[: CUSTOMERS // 2])
    code, told = reconcile(crm)
    assert (code, told["outcome"]) == (2, "stopped")
    text = CliRunner().invoke(app, ["reconcile", "--file", crm.export()]).output
    assert "5 of 10 customers are missing" in " ".join(text.split())
    assert "Nothing was written" in text


def test_an_export_that_lacks_a_column_is_refused_before_anything_is_done(plane: SyncPlane, crm: CsvCrm) -> None:
    crm.columns = tuple(each for each in crm.columns if each != "Account_Tier__c")
    crm.crm.all(lambda each: CrmRow(each.id, {name: each.values[name] for name in crm.columns if name in each.values}))
    result = CliRunner().invoke(app, ["reconcile", "--file", crm.export()])
    assert isinstance(result.exception, CrmError)
    assert "crm.csv lacks Account_Tier__c, which the mapping reads" in str(result.exception)


@pytest.fixture
def bucket(aws_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """What the functions share."""
    name = f"data-{abs(hash(tmp_path))}"
    client = boto3.Session().client("s3", endpoint_url=aws_url, region_name="eu-west-1")
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    monkeypatch.setenv("DATA_BUCKET", name)
    return Bucket(client, name)


@pytest.fixture
def call(plane: SyncPlane, crm: CsvCrm, bucket: Bucket) -> Iterator[Callable[..., Any]]:
    """A function of the workflow, by its module."""
    connectors = ModuleType("cir.crm.connectors")
    setattr(connectors, "open_connector", lambda *_: crm.crm)  # noqa: B010 - a module has no such attribute
    with patch.dict("sys.modules", {"cir.crm.connectors": connectors}), ExitStack() as stack:
        functions = {
            name: stack.enter_context(initialised(name))
            for name in (*(f"functions.reconcile.{step}" for step in STEPS), "functions.importer.load")
        }
        yield lambda name, **event: functions[name].handler(event, None)


def test_the_functions_hand_each_other_what_they_need(
    plane: SyncPlane, bucket: Bucket, call: Callable[..., Any]
) -> None:
    assert call("functions.reconcile.extract", run="first") == {"run": "first", "rows": CUSTOMERS}
    assert call("functions.reconcile.compare", run="first")["load"] is False
    assert call("functions.reconcile.report", run="first")["outcome"] == "stopped"

    call("functions.reconcile.extract", run="second")
    while not call("functions.reconcile.audit", run="second")["ready"]:
        pass
    planned = call("functions.reconcile.compare", run="second", force=True)
    for batch in json.loads(bucket.read(planned["batches"])):
        call("functions.importer.load", run=planned["importRun"], **batch)
    assert call("functions.reconcile.gone", run="second") == {"run": "second"}
    told = call("functions.reconcile.report", run="second")
    assert (told["outcome"], told["addsUp"]) == ("repaired", True)
    assert bucket.read(told["page"]).startswith(b"<!doctype html>")
    assert len(plane.genesys.contacts()) == CUSTOMERS
