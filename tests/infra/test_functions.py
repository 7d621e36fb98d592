"""The functions: how they run, what wakes them, what becomes of what they cannot do, and how a new version comes in."""

import json
from typing import Any

import pytest

from cir.aws.dynamodb import marshal_item
from cir.identity.records import Contact
from infra.catalog import functions as catalog
from sandbox.aws.patterns import matches
from sandbox.genesys import Settings as EmulatorSettings
from sandbox.genesys.organization.events import CONTACT_TOPIC, envelope
from tests.support.assembly import ROOT, Assembly, Resource

SHIFTS = {
    "all-at-once": "CodeDeployDefault.LambdaAllAtOnce",
    "canary": "CodeDeployDefault.LambdaCanary10Percent5Minutes",
    "linear": "CodeDeployDefault.LambdaLinear10PercentEvery1Minute",
}


def test_every_function_runs_on_arm_and_is_traced(assembly: Assembly) -> None:
    functions = assembly.of_type("AWS::Lambda::Function")
    parts = catalog.parts(crm=assembly.settings.crm is not None)
    assert len(functions) == len(parts)
    for part in parts:
        properties = assembly.function(part.name).properties
        assert properties["Handler"] == part.handler
        module = part.handler.removesuffix(".handler").replace(".", "/")
        assert (ROOT / "lambdas" / f"{module}.py").exists()
        assert properties["Runtime"] == "python3.13"
        assert properties["Architectures"] == ["arm64"]
        assert properties["TracingConfig"] == {"Mode": "Active"}
        assert "Layers" not in properties


def test_everybody_calls_a_published_version(assembly: Assembly) -> None:
    aliases = {
        assembly.text(alias.properties["FunctionName"], alias.stack) for alias in assembly.of_type("AWS::Lambda::Alias")
    }
    parts = catalog.parts(crm=assembly.settings.crm is not None)
    assert aliases == {f"cir-{assembly.settings.name}-{part.name}" for part in parts}
    for mapping in assembly.of_type("AWS::Lambda::EventSourceMapping"):
        assert assembly.text(mapping.properties["FunctionName"], mapping.stack).endswith("Live")
    for version in assembly.of_type("AWS::Lambda::Version"):
        assert version.body["DeletionPolicy"] == "Retain"  # so that the alias can be set back by hand


@pytest.mark.parametrize("part", ["resolver", "link", "create"])
def test_what_genesys_calls_changes_over_gradually_and_back_on_an_alarm(assembly: Assembly, part: str) -> None:
    stack = assembly.function(part).stack
    (group,) = (
        each
        for each in assembly.of_type("AWS::CodeDeploy::DeploymentGroup", stack=stack)
        if each.logical_id.startswith(part.capitalize())
    )
    assert group.properties["DeploymentConfigName"] == SHIFTS[assembly.settings.traffic_shift]
    assert group.properties["AutoRollbackConfiguration"]["Events"] == [
        "DEPLOYMENT_FAILURE",
        "DEPLOYMENT_STOP_ON_REQUEST",
        "DEPLOYMENT_STOP_ON_ALARM",
    ]
    alarms = {assembly.text(each["Name"], stack) for each in group.properties["AlarmConfiguration"]["Alarms"]}
    assert (
        alarms
        == {
            "resolver": {
                "ResolverErrors",
                "ResolverThrottles",
                "ResolverLatency",
                "ResolverLoggedErrors",
                "TablesUnavailable",
                "CacheUnavailable",
            },
            "link": {"LinkFailed", "LinkErrors"},
            "create": {"CreateFailed", "CreateErrors"},
        }[part]
    )
    shifted = {
        assembly.text(each.properties["FunctionName"], stack)
        for each in assembly.of_type("AWS::Lambda::Alias", stack=stack)
        if "CodeDeployLambdaAliasUpdate" in each.body.get("UpdatePolicy", {})
    }
    assert f"cir-{assembly.settings.name}-{part}" in shifted


def _mappings(assembly: Assembly) -> dict[tuple[str, str], Resource]:
    """Event source mappings by the function and where its events come from."""
    return {
        (
            assembly.text(mapping.properties["FunctionName"], mapping.stack).removesuffix("Live").lower(),
            assembly.text(mapping.properties["EventSourceArn"], mapping.stack),
        ): mapping
        for mapping in assembly.of_type("AWS::Lambda::EventSourceMapping")
    }


def test_streams_and_queues_wake_the_functions_that_follow_them(assembly: Assembly) -> None:
    name = assembly.settings.name
    mappings = _mappings(assembly)
    assert set(mappings) == {
        ("invalidator", f"cir-{name}-identifiers.StreamArn"),
        ("invalidator", f"cir-{name}-contacts.StreamArn"),
        ("backfill", f"cir-{name}-identifiers.StreamArn"),
        ("compact", f"cir-{name}-contacts.StreamArn"),
        ("events", f"cir-{name}-events"),
        *([("changessync", f"cir-{name}-sync.fifo")] if assembly.settings.crm else []),
    }
    for (_, source), mapping in mappings.items():
        assert mapping.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        if source.endswith("StreamArn"):
            assert mapping.properties["BisectBatchOnFunctionError"] is True
            assert mapping.properties["StartingPosition"] == "TRIM_HORIZON"
            assert 60 <= mapping.properties["MaximumRecordAgeInSeconds"] <= 3600


def _pattern(assembly: Assembly, function: str, table: str) -> dict[str, Any]:
    mapping = _mappings(assembly)[function, f"cir-{assembly.settings.name}-{table}.StreamArn"]
    (only,) = mapping.properties["FilterCriteria"]["Filters"]
    pattern: dict[str, Any] = json.loads(only["Pattern"])
    return pattern


def test_backfill_is_woken_by_requests_for_a_lookup_alone(typical: Assembly) -> None:
    pattern = _pattern(typical, "backfill", "identifiers")
    requested = {"identifier": {"S": "phone#+442079460123"}, "lookup_requested_at": {"N": "1764000000"}}
    claimed = {"identifier": {"S": "phone#+442079460123"}, "claim_count": {"N": "1"}}
    assert matches(pattern, {"eventName": "INSERT", "dynamodb": {"NewImage": requested}})
    assert not matches(pattern, {"eventName": "MODIFY", "dynamodb": {"NewImage": claimed, "OldImage": requested}})
    assert not matches(pattern, {"eventName": "REMOVE", "dynamodb": {"OldImage": requested}})


def test_compact_is_woken_by_tombstones_alone(typical: Assembly) -> None:
    pattern = _pattern(typical, "compact", "contacts")
    for item, wakes in ((Contact("a", merged_into="b"), True), (Contact("a"), False)):
        image = marshal_item(item.to_item())
        assert matches(pattern, {"eventName": "MODIFY", "dynamodb": {"NewImage": image}}) is wakes
    assert not matches(pattern, {"eventName": "REMOVE", "dynamodb": {"OldImage": {}}})


def test_what_cannot_be_delivered_is_reported(assembly: Assembly) -> None:
    queues = {queue.logical_id: queue.properties for queue in assembly.of_type("AWS::SQS::Queue")}
    for (function, source), mapping in _mappings(assembly).items():
        part = function.removeprefix("changes")
        grants = assembly.grants(assembly.role_of(assembly.function(part)), mapping.stack)
        if source.endswith("StreamArn"):
            destination = mapping.properties["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
            assert ("sqs:SendMessage", assembly.text({"Ref": destination}, mapping.stack)) in grants
        else:
            inbox = queues[mapping.properties["EventSourceArn"]["Fn::GetAtt"][0]]
            destination = inbox["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
            assert inbox["VisibilityTimeout"] >= 6 * assembly.function(part).properties["Timeout"]
            assert inbox["SqsManagedSseEnabled"] is True
        assert queues[destination]["MessageRetentionPeriod"] == 14 * 86_400
        assert queues[destination]["SqsManagedSseEnabled"] is True


def test_genesys_events_come_on_the_partner_bus_of_the_organization(typical: Assembly, variant: Assembly) -> None:
    (rule,) = variant.of_type("AWS::Events::Rule")
    (bus,) = variant.of_type("AWS::Events::EventBus")
    event = _genesys_event(variant.settings.genesys_organization_id, variant.settings.genesys_event_suffix)
    assert bus.properties["EventSourceName"] == bus.properties["Name"] == event["source"]
    assert matches(rule.properties["EventPattern"], event)
    assert not matches(
        rule.properties["EventPattern"], event | {"detail-type": "v2.externalcontacts.organizations.{id}"}
    )
    assert not typical.of_type("AWS::Events::Rule")  # nothing to follow before Genesys' integration is there


def test_of_a_genesys_event_only_which_contact_and_when_enters_the_queue(variant: Assembly) -> None:
    (rule,) = variant.of_type("AWS::Events::Rule")
    (target,) = rule.properties["Targets"]
    transformer = target["InputTransformer"]
    event = _genesys_event(variant.settings.genesys_organization_id, variant.settings.genesys_event_suffix)
    message = transformer["InputTemplate"]
    for name, path in transformer["InputPathsMap"].items():
        value: Any = event
        for step in path.removeprefix("$.").split("."):
            value = value[step]
        message = message.replace(f"<{name}>", json.dumps(value))
    detail = event["detail"]
    assert json.loads(message) == {
        "detail-type": event["detail-type"],
        "detail": {
            "timestamp": detail["timestamp"],
            "eventBody": {name: detail["eventBody"][name] for name in ("id", "modifyDate")},
        },
    }


def _genesys_event(organization_id: str, suffix: str) -> dict[str, Any]:
    """As the emulator sends it."""
    settings = EmulatorSettings(organization_id=organization_id, event_source_suffix=suffix)
    body = {"id": "c1", "firstName": "Ann", "modifyDate": "2026-11-24T09:00:00.000Z"}
    return envelope(settings, CONTACT_TOPIC, body, now=0.0)


def test_the_resolver_starts_from_a_snapshot_where_that_is_chosen(typical: Assembly, variant: Assembly) -> None:
    assert variant.function("resolver").properties["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert "SnapStart" not in typical.function("resolver").properties


def test_settings_reach_the_functions(assembly: Assembly) -> None:
    settings = assembly.settings
    resolver = assembly.function("resolver").properties
    variables = resolver["Environment"]["Variables"]
    assert resolver["MemorySize"] == settings.resolver_memory_mb
    assert {name: variables[name] for name in variables if name.startswith("DEFAULT")} == {
        "DEFAULT_QUEUE_ID": settings.default_queue_id,
        "DEFAULT_REGION": settings.default_phone_region,
        "DEFAULT_DISPLAY_NAME": settings.default_display_name,
        "DEFAULT_TIER": settings.default_tier,
        "DEFAULT_STATUS": settings.default_status,
        "DEFAULT_LANGUAGE": settings.default_language,
    }
    assert variables["RESOLVER_BUDGET_MS"] == str(settings.resolver_budget_ms)
    assert resolver["Timeout"] * 1000 > 2 * settings.resolver_budget_ms
    for part in ("backfill", "link"):
        assert assembly.function(part).properties["Environment"]["Variables"]["GENESYS_HOST"] == settings.genesys_host


def test_whoever_may_write_a_customer_reads_by_the_same_mapping(assembly: Assembly) -> None:
    crm = assembly.settings.crm
    for part in catalog.parts(crm=crm is not None):
        variables = assembly.function(part.name).properties["Environment"]["Variables"]
        expected = crm.mapping_name if crm and part.plane == "sync" else None
        assert variables.get("CRM_MAPPING") == expected, part.name
