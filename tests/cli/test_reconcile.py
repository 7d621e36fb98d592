"""`cir reconcile`, over a real table and the Genesys emulator."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cir.crm.connector import CrmRow
from cir.crm.connectors import CrmError
from cir.index.store import TableNames
from cli.main import app
from tests.support.nightly_crm import Crm
from tests.support.sync_plane import MAPPING, SyncPlane, crm_id

pytestmark = pytest.mark.slow

CUSTOMERS = 10
"""One request to Genesys: the table of these tests does not bear several writers at once."""


@pytest.fixture(autouse=True)
def state_table(deployed: pytest.MonkeyPatch, tables: TableNames) -> None:
    deployed.setenv("STATE_TABLE", tables.ledger.replace("ledger", "state"))


@pytest.fixture
def crm(tmp_path: Path) -> "CsvCrm":
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
