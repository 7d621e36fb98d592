"""The functions: how they run, what wakes them, what becomes of what they cannot do, and how a new version comes in."""

import json

import pytest

from sandbox.patterns import matches
from tests.infra.assembly import Assembly

PARTS = ("resolver", "invalidator", "backfill", "link")
SHIFTS = {
    "all-at-once": "CodeDeployDefault.LambdaAllAtOnce",
    "canary": "CodeDeployDefault.LambdaCanary10Percent5Minutes",
    "linear": "CodeDeployDefault.LambdaLinear10PercentEvery1Minute",
}


def test_every_function_runs_from_one_asset_on_arm_and_is_traced(assembly: Assembly) -> None:
    functions = assembly.of_type("AWS::Lambda::Function")
    assert len(functions) == len(PARTS)
    assert len({json.dumps(function.properties["Code"]) for function in functions}) == 1
    for part in PARTS:
        properties = assembly.function(part).properties
        assert properties["Handler"] == f"{part}.handler.handler"
        assert properties["Runtime"] == "python3.13"
        assert properties["Architectures"] == ["arm64"]
        assert properties["TracingConfig"] == {"Mode": "Active"}
        assert "Layers" not in properties


def test_everybody_calls_a_published_version(assembly: Assembly) -> None:
    aliases = {
        assembly.text(alias.properties["FunctionName"], alias.stack) for alias in assembly.of_type("AWS::Lambda::Alias")
    }
    assert aliases == {f"cir-{assembly.settings.name}-{part}" for part in PARTS}
    for mapping in assembly.of_type("AWS::Lambda::EventSourceMapping"):
        assert assembly.text(mapping.properties["FunctionName"], mapping.stack).endswith("Live")
    for version in assembly.of_type("AWS::Lambda::Version"):
        assert version.body["DeletionPolicy"] == "Retain"  # so that the alias can be set back by hand


@pytest.mark.parametrize("part", ["resolver", "link"])
def test_what_genesys_calls_changes_over_gradually_and_back_on_an_alarm(assembly: Assembly, part: str) -> None:
    stack = assembly.function(part).stack
    (group,) = assembly.of_type("AWS::CodeDeploy::DeploymentGroup", stack=stack)
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
        }[part]
    )
    (alias,) = (
        each
        for each in assembly.of_type("AWS::Lambda::Alias", stack=stack)
        if "CodeDeployLambdaAliasUpdate" in each.body.get("UpdatePolicy", {})
    )
    assert assembly.text(alias.properties["FunctionName"], stack).endswith(part)


def test_streams_wake_the_functions_that_follow_them(assembly: Assembly) -> None:
    name = assembly.settings.name
    mappings = {
        (
            assembly.text(mapping.properties["FunctionName"], mapping.stack).removesuffix("Live").lower(),
            assembly.text(mapping.properties["EventSourceArn"], mapping.stack),
        ): mapping.properties
        for mapping in assembly.of_type("AWS::Lambda::EventSourceMapping")
    }
    assert set(mappings) == {
        ("invalidator", f"cir-{name}-identifiers.StreamArn"),
        ("invalidator", f"cir-{name}-contacts.StreamArn"),
        ("backfill", f"cir-{name}-identifiers.StreamArn"),
    }
    for mapping in mappings.values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["BisectBatchOnFunctionError"] is True
        assert mapping["StartingPosition"] == "TRIM_HORIZON"
        assert 60 <= mapping["MaximumRecordAgeInSeconds"] <= 3600


def test_backfill_is_woken_by_requests_for_a_lookup_alone(typical: Assembly) -> None:
    (mapping,) = typical.of_type("AWS::Lambda::EventSourceMapping", stack="sync")
    (only,) = mapping.properties["FilterCriteria"]["Filters"]
    pattern = json.loads(only["Pattern"])
    requested = {"identifier": {"S": "phone#+442079460123"}, "lookup_requested_at": {"N": "1764000000"}}
    claimed = {"identifier": {"S": "phone#+442079460123"}, "claim_count": {"N": "1"}}
    assert matches(pattern, {"eventName": "INSERT", "dynamodb": {"NewImage": requested}})
    assert not matches(pattern, {"eventName": "MODIFY", "dynamodb": {"NewImage": claimed, "OldImage": requested}})
    assert not matches(pattern, {"eventName": "REMOVE", "dynamodb": {"OldImage": requested}})


def test_what_a_stream_cannot_deliver_is_reported(assembly: Assembly) -> None:
    queues = {queue.logical_id: queue for queue in assembly.of_type("AWS::SQS::Queue")}
    for mapping in assembly.of_type("AWS::Lambda::EventSourceMapping"):
        destination = mapping.properties["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
        queue = queues[destination]
        assert queue.properties["MessageRetentionPeriod"] == 14 * 86_400
        assert queue.properties["SqsManagedSseEnabled"] is True
        part = "invalidator" if mapping.stack == "hot" else "backfill"
        grants = assembly.grants(assembly.role_of(assembly.function(part)), mapping.stack)
        assert ("sqs:SendMessage", assembly.text({"Ref": destination}, mapping.stack)) in grants


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
