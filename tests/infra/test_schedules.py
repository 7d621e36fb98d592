"""What runs by the clock, and the state machine that it starts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import boto3_dynamodb
from cir.aws.files import Directory
from cir.index.store import TableNames
from infra.schedule import Schedule
from tests.support.assembly import Assembly
from tests.support.genesys_cloud import GenesysCloud
from tests.support.nightly_crm import Crm, begun


@pytest.mark.parametrize(
    "cron",
    [
        "0 2 * * ? *",
        "0/15 0-5,22 ? * MON-FRI *",
        "30 23 L * ? 2026-2030",
        "0 3 ? JAN,jul 2#1 *",
        "5 4 15W 1/3 ? *",
    ],
)
def test_what_the_scheduler_understands_is_accepted(cron: str) -> None:
    assert Schedule(cron, "Europe/London").problem == ""


@pytest.mark.parametrize(
    ("schedule", "sentence"),
    [
        (Schedule("0 2 * * *", "Etc/UTC"), "has 5 fields and not six"),
        (Schedule("cron(0 2 * * ? *)", "Etc/UTC"), "'cron(0' for minutes"),
        (Schedule("60 2 * * ? *", "Etc/UTC"), "'60' for minutes, which is 0 to 59"),
        (Schedule("0 24 * * ? *", "Etc/UTC"), "'24' for hours"),
        (Schedule("0 2 0 * ? *", "Etc/UTC"), "'0' for day of month"),
        (Schedule("0 2 * FEBRUARY ? *", "Etc/UTC"), "'FEBRUARY' for month"),
        (Schedule("0 2 ? * 8 *", "Etc/UTC"), "'8' for day of week"),
        (Schedule("0/0 2 * * ? *", "Etc/UTC"), "'0/0' for minutes"),
        (Schedule("0 2 * * * *", "Etc/UTC"), "must have ? for day of month or for day of week"),
        (Schedule("0 2 ? * ? *", "Etc/UTC"), "and not for both"),
        (Schedule("0 2 * * ? *", "Europe/Londn"), "time zone 'Europe/Londn' is not one such as"),
    ],
)
def test_and_what_it_does_not_is_named(schedule: Schedule, sentence: str) -> None:
    assert sentence in schedule.problem


def test_the_clock_starts_workflows_in_the_time_zone_of_the_environment(assembly: Assembly) -> None:
    settings, name = assembly.settings, assembly.settings.name
    crm = settings.crm
    wanted = {
        f"cir-{name}-duplicates": settings.duplicate_search,
        f"cir-{name}-reconcile-nightly": crm.reconciliation if crm else None,
        f"cir-{name}-reconcile-audit": crm.audit if crm else None,
    }
    found = {each.properties["Name"]: each.properties for each in assembly.of_type("AWS::Scheduler::Schedule")}
    assert {key: schedule for key, schedule in wanted.items() if schedule}.keys() == found.keys()
    for key, schedule in found.items():
        planned = wanted[key]
        assert planned
        assert schedule["ScheduleExpression"] == f"cron({planned.cron})"
        assert schedule["ScheduleExpressionTimezone"] == planned.time_zone
        clock = schedule["Target"]["RoleArn"]["Fn::GetAtt"][0]
        machine = assembly.text(schedule["Target"]["Arn"], "sync")
        assert assembly.grants(clock, "sync") == {("states:StartExecution", machine)}


def test_a_night_and_an_audit_start_the_same_workflow_with_another_input(variant: Assembly) -> None:
    inputs = {
        each.properties["Name"]: json.loads(each.properties["Target"]["Input"])
        for each in variant.of_type("AWS::Scheduler::Schedule")
    }
    assert inputs == {
        "cir-variant-reconcile-nightly": {"audit": False, "force": False, "dryRun": False},
        "cir-variant-reconcile-audit": {"audit": True, "force": False, "dryRun": False},
    }


@pytest.mark.parametrize(
    ("workflow", "functions", "more"),
    [
        ("duplicates", ("DuplicatesLive",), ()),
        (
            "import",
            ("ImporterImportSplitLive", "ImporterImportLoadLive", "ImporterImportReportLive"),
            ("kms:", "s3:GetObject", "states:"),  # a distributed map reads its list and starts executions of its own
        ),
    ],
)
def test_a_workflow_invokes_its_functions_and_nothing_else(
    typical: Assembly, workflow: str, functions: tuple[str, ...], more: tuple[str, ...]
) -> None:
    (machine,) = (
        each
        for each in typical.of_type("AWS::StepFunctions::StateMachine")
        if each.properties["StateMachineName"] == f"cir-typical-{workflow}"
    )
    grants = typical.grants(machine.properties["RoleArn"]["Fn::GetAtt"][0], machine.stack)
    own = {each for each in grants if not each[0].startswith(("logs:", "xray:", *more))}
    assert own == {("lambda:InvokeFunction", each) for each in functions}


def test_every_step_of_a_workflow_is_repeated_and_has_an_end(assembly: Assembly) -> None:
    for machine in assembly.of_type("AWS::StepFunctions::StateMachine"):
        definition = _definition(assembly, machine.properties["DefinitionString"])
        assert definition["TimeoutSeconds"] <= 24 * 3600
        tasks = list(_tasks(definition))
        assert tasks
        for task in tasks:
            assert task["Retry"][-1]["ErrorEquals"] == ["States.ALL"]


def test_no_workflow_logs_what_it_works_on(assembly: Assembly) -> None:
    for machine in assembly.of_type("AWS::StepFunctions::StateMachine"):
        assert machine.properties["LoggingConfiguration"]["IncludeExecutionData"] is False
        assert machine.properties["LoggingConfiguration"]["Level"] == "ALL"


@pytest.mark.parametrize(
    ("audit", "happens", "steps"),
    [
        (False, "nothing", "extract compare gone report"),
        (False, "a change", "extract compare load gone report"),
        (True, "a change", "extract audit compare load gone report"),
        (False, "half of the customers are gone", "extract compare report"),
    ],
)
def test_the_workflow_takes_the_steps_of_a_night_in_the_order_of_the_engine(  # noqa: PLR0917 - pytest passes by name
    audit: bool,
    happens: str,
    steps: str,
    variant: Assembly,
    genesys: GenesysCloud,
    dynamodb_client: DynamoDBClient,
    tables: TableNames,
    tmp_path: Path,
) -> None:
    """For what a real night has come to."""
    night = begun(Crm.of(20), genesys, boto3_dynamodb(dynamodb_client), tables, Directory(tmp_path))
    if happens == "a change":
        night.crm.change(1, Account_Tier__c="Platinum")
    elif happens != "nothing":
        night.crm.rows = dict(list(night.crm.rows.items())[:10])
    outcome = night.run("tonight", audit=audit).outcome
    assert night.steps == steps.split()

    plan = night.plan("tonight")
    facts = {
        "$.audit": audit,
        "$.audited.ready": True,
        "$.plan.stands": plan.stands,
        "$.plan.load": plan.loads,
        "$.outcome": outcome,
    }
    (machine,) = (
        each
        for each in variant.of_type("AWS::StepFunctions::StateMachine")
        if each.properties["StateMachineName"] == "cir-variant-reconcile"
    )
    taken = _taken(_definition(variant, machine.properties["DefinitionString"]), facts)
    assert [{"Repair": "load"}.get(name, name.lower()) for name in taken] == night.steps


def _taken(definition: dict[str, Any], facts: dict[str, Any]) -> list[str]:
    """The work that a workflow does, where its choices find these facts."""
    taken, at = [], definition["StartAt"]
    while at:
        state = definition["States"][at]
        if state["Type"] in {"Task", "Map"}:
            taken.append(at)
        at = _chosen(state, facts) if state["Type"] == "Choice" else state.get("Next")
    return taken


def _chosen(state: dict[str, Any], facts: dict[str, Any]) -> str:
    for rule in state["Choices"]:
        (wanted,) = (value for name, value in rule.items() if name.endswith("Equals"))
        if facts[rule["Variable"]] == wanted:
            return str(rule["Next"])
    return str(state["Default"])


def _tasks(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in definition["States"].values():
        if state["Type"] == "Task":
            yield state
        elif state["Type"] == "Map":
            yield from _tasks(state["ItemProcessor"])


def _definition(assembly: Assembly, text: Any) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(assembly.text(text, "sync"))
    return definition
