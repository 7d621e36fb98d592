"""The operator's commands, as they are typed: what they print, how they exit, one line when something is wrong."""

import csv
import json
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from rich.console import Console

from cir.aws.dynamodb import LeanDynamoDB
from cir.crm.record import Problem
from cir.identity.records import Profile
from cir.imports.loading import Imported, Report
from cir.index.cache import Cache
from cir.index.store import IdentityStore, TableNames
from cir.resolve.resolver import Resolver
from cir.sync.customers import Change
from cli import environment
from cli.commands.imports import reason_tables
from sandbox.aws.functions import Functions
from sandbox.aws.invoke_api import InvokeApi
from sandbox.aws.logs import Logs
from sandbox.customers.salesforce import contact_id as salesforce_id
from tests.support.commands import Command, Ran
from tests.support.genesys_cloud import GenesysCloud
from tests.support.sync_plane import MAPPING, mobile

if TYPE_CHECKING:
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

PERSONAL = ("Winterbourne", "Philippa", "917555", "@example.com")
"""Of the people in the file."""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A CRM export of two good rows, one with a bad number, and one that cannot be imported."""
    path = tmp_path / "accounts [final].csv"
    columns = [MAPPING.id_column, MAPPING.region_column, *MAPPING.columns]
    with path.open("w", newline="") as file:
        rows = csv.DictWriter(file, columns)
        rows.writeheader()
        for number, more in enumerate([{}, {"Account_Tier__c": "Gold"}, {"Phone": "917555 call me"}]):
            person = {"FirstName": "Philippa", "LastName": "Winterbourne", "Email": f"p{number}@example.com"}
            rows.writerow({"Id": salesforce_id(number), "MobilePhone": mobile(number).value, **person, **more})
        rows.writerow({"Id": "not one", "LastName": "Winterbourne"})
    return path


def told_nobodys_data(*texts: str) -> bool:
    return not [secret for secret in PERSONAL for text in texts if secret in text]


# Import


def test_tells_its_version(cir: Command) -> None:
    ran = cir("--version")
    assert (ran.code, ran.out) == (0, f"cir {metadata.version('cir')}\n")


def test_an_import_tells_what_became_of_each_row(
    cir: Command, deployed: object, export: Path, tmp_path: Path, genesys: GenesysCloud
) -> None:
    ran = cir("import", export, "--json", "--report", tmp_path / "report.csv")
    assert ran.code == 0, ran.err
    summary: dict[str, Any] = json.loads(ran.out)
    assert summary["seconds"] >= 0
    assert {name: summary[name] for name in ("rows", "created", "updated", "unchanged", "refused")} == {
        "rows": 4, "created": 3, "updated": 0, "unchanged": 0, "refused": 1,
    }  # fmt: skip
    assert [each["column"] for each in summary["refusedBecause"]] == ["Id"]
    assert [each["column"] for each in summary["leftOut"]] == ["Phone"]
    report = (tmp_path / "report.csv").read_text()
    rows = {row["line"]: row for row in csv.DictReader(report.splitlines())}
    assert {line: row["outcome"] for line, row in rows.items()} == {
        "2": "created", "3": "created", "4": "created", "5": "refused",
    }  # fmt: skip
    assert {row["contact_id"] for row in rows.values()} - {""} == {contact["id"] for contact in genesys.contacts()}
    assert rows["2"]["crm_id"] == salesforce_id(0)
    assert told_nobodys_data(ran.out, ran.err, report)


def test_an_import_can_be_run_again_and_read_by_people(cir: Command, deployed: object, export: Path) -> None:
    cir("import", export)
    ran = cir("import", export)
    assert ran.code == 0, ran.err
    assert "Import of accounts [final].csv into dev" in ran.out
    words = [line.replace("│", " ").split() for line in ran.out.splitlines()]
    assert ["unchanged", "3"] in words
    assert ["created", "0"] in words
    assert "a Salesforce id (15 or 18 letters and digits)" in ran.out
    assert told_nobodys_data(ran.out, ran.err)


def test_what_genesys_puts_in_brackets_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.add(Imported(2, Change.REFUSED, problems=(Problem("record", "[bold] must be one of [a, b]"),)))
    for table in reason_tables(report):
        Console(width=120).print(table)
    assert "[bold] must be one of [a, b]" in capsys.readouterr().out


type Environment = dict[str, str | None]

WRONG: dict[str, tuple[Environment, str]] = {
    "credential": ({"GENESYS_CLIENT_SECRET": "wrong"}, "does not accept the OAuth client"),
    "no credential": (
        {"GENESYS_CLIENT_SECRET": None},
        "No credential for Genesys Cloud is configured. Set GENESYS_SECRET_ARN",
    ),
    "no organization": ({"GENESYS_URL": None}, "Set GENESYS_HOST to the domain of its region"),
    "region of Genesys": (
        {"GENESYS_URL": None, "GENESYS_HOST": "moon-1"},
        "'moon-1' is not a Genesys Cloud region",
    ),
    "unreachable Genesys": (
        {"GENESYS_URL": "http://127.0.0.1:9"},
        "cannot reach http://127.0.0.1:9: connection refused. Check GENESYS_HOST",
    ),
    "unreachable tables": (
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
        "Check the network, AWS_REGION and AWS_ENDPOINT_URL",
    ),
    "other tables": (
        {"IDENTIFIERS_TABLE": "none"},
        "Check IDENTIFIERS_TABLE, CONTACTS_TABLE, LEDGER_TABLE, and AWS_REGION",
    ),
    "no AWS region": ({"AWS_REGION": None, "AWS_DEFAULT_REGION": None}, "You must specify a region"),
    "half an environment": (
        {"LEDGER_TABLE": None},
        "the environment variable LEDGER_TABLE is not set, but CIR_ENVIRONMENT is",
    ),
    "default region": ({"DEFAULT_REGION": "UK"}, "DEFAULT_REGION 'UK' is no country"),
}


def is_one_line(ran: Ran) -> bool:
    return (ran.code, ran.out, ran.err[:5], ran.err.count("\n")) == (1, "", "cir: ", 1)


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_setting_is_one_line_that_says_what_to_do(
    cir: Command, deployed: pytest.MonkeyPatch, export: Path, genesys: GenesysCloud, wrong: str
) -> None:
    variables, sentence = WRONG[wrong]
    for name, value in variables.items():
        deployed.setenv(name, value) if value else deployed.delenv(name)
    deployed.setattr("cir.genesys.transport.FIRST_PAUSE", 0.0)
    ran = cir("import", export)
    assert is_one_line(ran), ran
    assert sentence in ran.err
    assert told_nobodys_data(ran.err)
    assert genesys.contacts() == []


@pytest.mark.usefixtures("deployed")
def test_what_genesys_support_asks_for_is_in_the_line(cir: Command, export: Path, genesys: GenesysCloud) -> None:
    genesys.configure(denied_permissions=["routing:queue:view"])
    ran = cir("import", export)
    assert is_one_line(ran), ran
    assert "Give the permission to the role of the OAuth client" in ran.err
    assert "[correlation id " in ran.err


@pytest.mark.usefixtures("deployed")
def test_a_file_that_cannot_be_used_is_one_line_too(cir: Command, export: Path, tmp_path: Path) -> None:
    missing = tmp_path / "none" / "file"
    for arguments, sentence in (
        ([missing], f"cannot read {missing}: No such file or directory"),
        ([export, "--mapping", missing], f"cannot read the mapping {missing}: No such file or directory"),
        ([export, "--report", missing], f"cannot write {missing}: No such file or directory"),
    ):
        ran = cir("import", *arguments)
        assert is_one_line(ran), ran
        assert sentence in ran.err
    export.write_text("1,Winterbourne,+19175550142\n")
    ran = cir("import", export)
    assert is_one_line(ran), ran
    assert told_nobodys_data(ran.err)


@pytest.mark.parametrize("command", [["import", "file.csv"], ["explain", "0" * 32]])
def test_without_a_deployment_the_way_to_one_is_shown(
    cir: Command, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.delenv("CIR_ENVIRONMENT", raising=False)
    monkeypatch.setattr(environment, "running_sandbox", dict)
    ran = cir(*command)
    assert is_one_line(ran), ran
    assert "no deployment to work on: start one here with `cir sandbox up`" in ran.err


# Explain


@pytest.fixture
def trace(aws_url: str, tables: TableNames) -> dict[str, Any]:
    """Of a resolution that has happened."""
    resolver = Resolver(
        store=IdentityStore(LeanDynamoDB(region="eu-west-1", endpoint_url=aws_url), tables),
        cache=Cache("redis://127.0.0.1:9", environment="cli", hash_key=b"k"),
        defaults=Profile("Valued Customer", assigned_queue_id="q"),
        budget_seconds=5.0,
        default_region="US",
    )
    return resolver.resolve({"ani": "+19175550142", "email": "broken@"}).trace


@pytest.fixture(params=["sandbox", "CloudWatch"])
def logged(
    request: pytest.FixtureRequest, deployed: pytest.MonkeyPatch, trace: dict[str, Any], tmp_path: Path
) -> Iterator[dict[str, Any]]:
    """The trace among other lines, where the resolver's log is kept."""
    lines = ["START RequestId: 1", f"not JSON, {trace['resolutionId']}", json.dumps(trace), '{"event":"link"}']
    if request.param == "CloudWatch":
        deployed.setenv("CIR_ENVIRONMENT", trace["resolutionId"])  # an environment of its own
        group, stream = f"/aws/lambda/cir-{trace['resolutionId']}-resolver", "1"
        logs = boto3.client("logs")
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        now = round(time.time() * 1000)
        events: list[InputLogEventTypeDef] = [{"timestamp": now, "message": line} for line in lines]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
        yield trace
        return
    deployed.setattr("cli.commands.explain.SANDBOX_WAIT_SECONDS", 0)
    kept = Logs(directory=tmp_path)
    for line in lines:
        kept.append("cir-dev-resolver", line)
    api = InvokeApi(Functions([], logs=kept, region="eu-west-1", account="1"), logs=kept)
    deployed.setenv("AWS_ENDPOINT_URL_LAMBDA", api.url)
    yield trace
    api.close()
    kept.close()


def test_an_answer_is_explained_from_its_trace(cir: Command, logged: dict[str, Any]) -> None:
    ran = cir("explain", logged["resolutionId"], "--json")
    otherwise = ["had the phone been linked to a contact: RESOLVED that contact (claimed)"]
    assert (ran.code, json.loads(ran.out)) == (0, logged | {"otherwise": otherwise})
    shown = cir("explain", logged["resolutionId"])
    assert shown.code == 0
    for told in ("NOT_FOUND", logged["explanation"], "normalise", "tables", "phone:••••••42", "malformed"):
        assert told in shown.out
    assert told_nobodys_data(shown.out)


@pytest.mark.usefixtures("logged")
def test_an_answer_that_was_never_given_cannot_be_explained(cir: Command) -> None:
    ran = cir("explain", "f" * 32)
    assert is_one_line(ran), ran
    assert f"no trace of resolution {'f' * 32}; check the id" in ran.err


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("resolution", ["", "abc", '" } || { $.x = "', "F" * 32])
def test_what_is_no_resolution_id_is_not_looked_for(cir: Command, resolution: str) -> None:
    ran = cir("explain", resolution)
    assert is_one_line(ran), ran
    assert "is not a resolutionId: it has 32 hexadecimal digits" in ran.err


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("AWS_ENDPOINT_URL_LAMBDA", "no answer from the sandbox (ConnectionError): is it still running?"),
        ("AWS_ENDPOINT_URL", 'AWS: Could not connect to the endpoint URL: "http://127.0.0.1:9/"'),
    ],
)
def test_a_log_that_cannot_be_reached_is_one_line(
    cir: Command, deployed: pytest.MonkeyPatch, variable: str, sentence: str
) -> None:
    deployed.setenv(variable, "http://127.0.0.1:9")
    assert cir("explain", "0" * 32) == (1, "", f"cir: {sentence}\n")
