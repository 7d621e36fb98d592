"""Logs that end, alarms that say what to do, and a dashboard that shows every one of them."""

import json
import re

from infra.words import CACHE_STATUSES, OUTCOMES
from tests.support.assembly import ROOT, Assembly

RUNBOOK = ROOT / "docs" / "runbook.md"


def test_every_log_group_ends_and_is_under_the_key(assembly: Assembly) -> None:
    groups = assembly.of_type("AWS::Logs::LogGroup")
    for group in groups:
        assert group.properties["RetentionInDays"] == assembly.settings.log_retention_days
        assert assembly.text(group.properties["KmsKeyId"], group.stack) == "Key"
    names = {group.properties["LogGroupName"] for group in groups}
    for function in assembly.of_type("AWS::Lambda::Function"):
        configuration = function.properties["LoggingConfig"]
        assert f"/aws/lambda/{function.properties['FunctionName']}" in names
        assert assembly.text(configuration["LogGroup"], function.stack) in names
        assert configuration["LogFormat"] == "Text"  # the functions' lines are JSON already


def test_every_alarm_tells_somebody_what_to_do(assembly: Assembly) -> None:
    headings = set(re.findall(r"^### ([a-z-]+)$", RUNBOOK.read_text(), re.MULTILINE))
    anchors = set()
    for alarm in assembly.of_type("AWS::CloudWatch::Alarm"):
        properties = alarm.properties
        topic = f"cir-{assembly.settings.name}-alarms"
        assert [assembly.text(action, alarm.stack) for action in properties["AlarmActions"]] == [topic]
        assert properties["TreatMissingData"] == "notBreaching"
        url, _, anchor = properties["AlarmDescription"].rpartition("What to do: ")[2].partition("#")
        assert url == assembly.settings.runbook_url
        assert properties["AlarmName"] == f"cir-{assembly.settings.name}-{anchor}"
        anchors.add(anchor)
    of_the_crm = {each for each in headings if each.split("-")[0] in {"webhook", "sync", "reconcile"}}
    assert anchors == headings - (set() if assembly.settings.crm else of_the_crm)


def test_a_slow_resolver_is_one_that_misses_its_budget(assembly: Assembly) -> None:
    (alarm,) = (
        each.properties
        for each in assembly.of_type("AWS::CloudWatch::Alarm")
        if each.properties["AlarmName"].endswith("resolver-latency")
    )
    assert (alarm["Namespace"], alarm["MetricName"], alarm["ExtendedStatistic"]) == ("cir", "Latency", "p99")
    assert alarm["Threshold"] == assembly.settings.resolver_budget_ms


def test_the_dashboard_shows_all_alarms_outcomes_and_origins(assembly: Assembly) -> None:
    (dashboard,) = assembly.of_type("AWS::CloudWatch::Dashboard")
    widgets = json.loads(assembly.text(dashboard.properties["DashboardBody"], "dashboard"))["widgets"]
    (status,) = (widget["properties"] for widget in widgets if widget["type"] == "alarm")
    shown = {arn.rpartition(":")[2] for arn in status["alarms"]}
    assert shown == {alarm.properties["AlarmName"] for alarm in assembly.of_type("AWS::CloudWatch::Alarm")}
    text = json.dumps(widgets)
    for value in (*OUTCOMES, *CACHE_STATUSES):
        assert f'"{value}"' in text


def test_the_dashboard_depends_on_nothing_that_it_looks_at(assembly: Assembly) -> None:
    assert "Fn::ImportValue" not in json.dumps(assembly.documents["dashboard"])
