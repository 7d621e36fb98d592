"""What is imported into Genesys Cloud fits the code, and the flow does what docs/connect-genesys.md says it does."""

import csv
import importlib
import json
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
import requests
import yaml
from rich.console import Console
from typer.testing import CliRunner

from cir.contacts.organization import SCHEMA_FIELDS, SCHEMA_NAME
from cir.crm.mapping import deployed_mapping
from cir.genesys.client import GenesysClient
from cir.resolve import answer, request
from cir.sync.customers import Change
from cli.commands.contacts import open_merging
from cli.commands.genesys import CREATE, DATA_ACTIONS, LINK, RESOLVE, RESOLVE_V1, app
from cli.commands.imports import run_import
from sandbox.genesys.http.routes import OPERATIONS
from sandbox.system import Sandbox
from tests.support.architect import Call, DataAction, DataActionError, Flow

REPOSITORY = DATA_ACTIONS.parents[1]
FLOW = yaml.safe_load((REPOSITORY / "genesys" / "architect" / "inbound-call.yaml").read_text(encoding="utf-8"))
TERRAFORM = (REPOSITORY / "genesys" / "terraform" / "main.tf").read_text(encoding="utf-8")
GUIDE = (REPOSITORY / "docs" / "connect-genesys.md").read_text(encoding="utf-8")

ACTIONS: dict[str, dict[str, Any]] = {
    action["name"]: action
    for action in (
        json.loads((DATA_ACTIONS / file).read_text(encoding="utf-8")) for file in (RESOLVE, RESOLVE_V1, LINK, CREATE)
    )
}
FUNCTIONS = {
    "Resolve Customer Identity v2": "resolver",
    "Resolve Customer Identity v1": "resolver",
    "Link Identifier v1": "link",
    "Create Customer v1": "create",
}
JSON_TYPES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}

IDENTIFIERS = "ani email externalId whatsapp twitter facebook instagram line apple cookie"
CONTEXT = "externalSource contactId conversationId channel attestation defaultRegion"
PUBLISHED = {
    "Resolve Customer Identity v2": (
        f"{IDENTIFIERS} {CONTEXT}",
        "",
        (
            "contactId outcome displayName firstName customerTier accountStatus preferredLanguage assignedQueueId "
            "assurance verificationRequired:boolean spoofSuspected:boolean matchedBy candidateCount:integer askFor "
            "resolutionId explanation cacheStatus latencyMs:number"
        ),
    ),
    "Resolve Customer Identity v1": (
        f"{IDENTIFIERS} {CONTEXT}",
        "",
        (
            "contactId outcome displayName firstName customerTier accountStatus preferredLanguage assignedQueueId "
            "assurance verificationRequired:boolean matchedBy candidateCount:integer askFor resolutionId explanation "
            "cacheStatus latencyMs:number"
        ),
    ),
    "Link Identifier v1": (f"{IDENTIFIERS} {CONTEXT}", "contactId", "contactId outcome linked explanation"),
    "Create Customer v1": (f"{IDENTIFIERS} {CONTEXT} firstName lastName", "", "contactId outcome explanation"),
}
"""Inputs, required inputs, outputs. Genesys Cloud never changes the contract of an action that has been published."""


def inputs(name: str) -> dict[str, dict[str, str]]:
    properties: dict[str, dict[str, str]] = ACTIONS[name]["contract"]["input"]["inputSchema"]["properties"]
    return properties


def outputs(name: str) -> dict[str, dict[str, str]]:
    properties: dict[str, dict[str, str]] = ACTIONS[name]["contract"]["output"]["successSchema"]["properties"]
    return properties


def types(properties: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: definition["type"] for name, definition in properties.items()}


# The contracts


def test_the_resolvers_contract_is_what_its_code_reads_and_answers() -> None:
    name = "Resolve Customer Identity v2"
    assert types(inputs(name)) == dict.fromkeys(request.INPUT_FIELDS, "string")
    assert types(outputs(name)) == {field: JSON_TYPES[kind] for field, kind in answer.OUTPUT_FIELDS.items()}


def test_the_answer_serves_flows_that_were_published_with_the_first_contract() -> None:
    name = "Resolve Customer Identity v1"
    assert set(inputs(name)) <= set(request.INPUT_FIELDS)
    answered = {field: JSON_TYPES[kind] for field, kind in answer.OUTPUT_FIELDS.items()}
    assert types(outputs(name)).items() <= answered.items()
    assert ACTIONS[name]["contract"]["output"]["successSchema"]["additionalProperties"] is True


@pytest.mark.parametrize("name", ["Link Identifier v1", "Create Customer v1"])
def test_so_are_the_contracts_of_the_actions_that_write(name: str) -> None:
    door = importlib.import_module(f"functions.{FUNCTIONS[name]}")
    names = (*request.INPUT_FIELDS, *getattr(door, "INPUT_NAMES", ()))
    assert types(inputs(name)) == dict.fromkeys(names, "string")
    assert types(outputs(name)) == {field: JSON_TYPES[kind] for field, kind in door.OUTPUT_FIELDS.items()}


@pytest.mark.parametrize("name", ACTIONS)
def test_a_contract_does_not_change_under_its_name(name: str) -> None:
    def shape(properties: dict[str, dict[str, str]]) -> str:
        return " ".join(field if kind == "string" else f"{field}:{kind}" for field, kind in types(properties).items())

    required = " ".join(ACTIONS[name]["contract"]["input"]["inputSchema"].get("required", []))
    assert (shape(inputs(name)), required, shape(outputs(name))) == PUBLISHED[name], (
        f"{name} may have been published, and then cannot change: put the new contract into a file of the next version"
    )


@pytest.mark.parametrize("name", ACTIONS)
def test_a_contract_keeps_the_rules_of_data_actions(name: str) -> None:
    for properties, allowed in ((inputs(name), {"string"}), (outputs(name), set(JSON_TYPES.values()))):
        for field, definition in properties.items():
            assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", field)
            assert field not in {"orgId", "integrationId", "rawRequest"}
            assert definition["type"] in allowed
            assert len(definition["description"]) > len(field)
    assert re.search(r" v[12]$", name)
    assert ACTIONS[name]["integrationType"] == "aws-lambda-data-actions"


# cir genesys render

ARN = "arn:aws:lambda:eu-west-1:111122223333:function:cir-prod-{}:live"


def render(resolver: str, link: str, out: Path) -> tuple[int, str]:
    arns = ["--arn-resolver", resolver, "--arn-link", link, "--arn-create", ARN.format("create")]
    arguments = ["render", *arns, "--out", str(out)]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "400"})
    return result.exit_code, result.output


def test_rendering_fills_in_the_functions_and_nothing_else(tmp_path: Path) -> None:
    code, shown = render(ARN.format("resolver"), ARN.format("link"), tmp_path / "new" / "rendered")
    assert code == 0
    for file, part in ((RESOLVE, "resolver"), (RESOLVE_V1, "resolver"), (LINK, "link"), (CREATE, "create")):
        rendered = json.loads((tmp_path / "new" / "rendered" / file).read_text(encoding="utf-8"))
        assert rendered["config"]["request"].pop("requestUrlTemplate") == ARN.format(part)
        shipped = json.loads((DATA_ACTIONS / file).read_text(encoding="utf-8"))
        del shipped["config"]["request"]["requestUrlTemplate"]
        assert rendered == shipped
        assert rendered["name"] in shown


@pytest.mark.parametrize("name", ACTIONS)
def test_what_is_shipped_points_at_no_function(name: str, tmp_path: Path) -> None:
    placeholder = ACTIONS[name]["config"]["request"]["requestUrlTemplate"]
    code, shown = render(placeholder, ARN.format("link"), tmp_path)
    assert code == 2
    assert "is not the ARN of a Lambda function" in shown
    assert not list(tmp_path.iterdir())


def test_functions_of_two_regions_are_refused(tmp_path: Path) -> None:
    code, shown = render(ARN.format("resolver"), ARN.format("link").replace("eu-west-1", "us-east-1"), tmp_path)
    assert code == 2
    assert "eu-west-1 and us-east-1" in shown


# The flow's wiring


def calls_of_data_actions(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "callData" in node:
            yield node["callData"]
        for child in node.values():
            yield from calls_of_data_actions(child)
    elif isinstance(node, list):
        for child in node:
            yield from calls_of_data_actions(child)


CALLS = list(calls_of_data_actions(FLOW))


@pytest.mark.parametrize("call", CALLS, ids=[call["name"] for call in CALLS])
def test_every_call_of_a_data_action_is_wired_to_its_contract(call: dict[str, Any]) -> None:
    ((category, actions),) = call["category"].items()
    assert f'name = "{category}"' in TERRAFORM
    assert f"**{category}**" in GUIDE
    ((name, wiring),) = actions["dataAction"].items()
    assert set(wiring["inputs"]) == set(inputs(name))
    assert set(wiring["successOutputs"]) == set(outputs(name))
    declared = {each["name"]: kind for entry in FLOW["inboundCall"]["variables"] for kind, each in entry.items()}
    for output, target in wiring["successOutputs"].items():
        if "var" in target:
            assert declared[target["var"]] == f"{outputs(name)[output]['type']}Variable"
    assert all(call["outputs"][path]["actions"] for path in ("success", "failure", "timeout"))
    assert call["timeout"]["lit"]["seconds"] > ACTIONS[name]["config"]["timeoutSeconds"]


# The flow's logic, with answers as the resolver gives them

QUEUES = {"q-standard": "Standard", "q-gold": "Gold"}
NOBODY = {
    "contactId": "NOT_FOUND",
    "displayName": "Valued Customer",
    "firstName": "",
    "customerTier": "Standard",
    "accountStatus": "Unknown",
    "preferredLanguage": "en-US",
    "assignedQueueId": "q-standard",
    "assurance": "none",
    "verificationRequired": True,
    "spoofSuspected": False,
    "matchedBy": "",
    "candidateCount": 0,
    "askFor": "",
    "resolutionId": "r-1",
    "explanation": "",
    "cacheStatus": "miss",
    "latencyMs": 1.5,
}
IRIS = NOBODY | {
    "contactId": "c-iris",
    "displayName": "Iris Berg",
    "customerTier": "Gold",
    "assignedQueueId": "q-gold",
    "assurance": "claimed",
    "matchedBy": "phone",
    "candidateCount": 1,
}
RESOLVED = IRIS | {"outcome": "RESOLVED"}
VERIFIED = RESOLVED | {"assurance": "verified", "verificationRequired": False}
NOT_FOUND = NOBODY | {"outcome": "NOT_FOUND"}
SHARED = NOBODY | {"outcome": "AMBIGUOUS", "candidateCount": 3}
LINKED = {"contactId": "c-iris", "outcome": "LINKED", "linked": "phone", "explanation": ""}
WELCOME = "Welcome back, Iris Berg."

type Answer = dict[str, Any] | Exception


def play(*answers: Answer, keys: str = "", closed: frozenset[str] = frozenset()) -> Call:
    """The flow, with the data actions answering one after another."""
    waiting = list(answers)

    def answer_next(name: str, given: dict[str, Any]) -> dict[str, Any]:
        assert given["ani"] == "+447700900123"
        next_answer = waiting.pop(0)
        if isinstance(next_answer, Exception):
            raise next_answer
        return next_answer

    call = Flow(FLOW, answer_next, QUEUES, closed).play(Call("+447700900123", keys))
    assert not waiting
    return call


@pytest.mark.parametrize(
    ("first", "queue", "welcomed"),
    [
        pytest.param(RESOLVED, "Gold", True, id="RESOLVED"),
        pytest.param(IRIS | {"outcome": "CONFLICT"}, "Gold", False, id="CONFLICT: routed, but no name is spoken"),
        pytest.param(RESOLVED | {"spoofSuspected": True}, "Gold", False, id="a number that may be forged"),
        pytest.param(IRIS | {"outcome": "DEGRADED"}, "Gold", False, id="DEGRADED, with a stale answer"),
        pytest.param(NOBODY | {"outcome": "DEGRADED"}, "Standard", False, id="DEGRADED"),
        pytest.param(NOBODY | {"outcome": "BLOCKED"}, "Standard", False, id="BLOCKED"),
        pytest.param(SHARED | {"askFor": "email"}, "Standard", False, id="AMBIGUOUS, not to be solved by a keypad"),
        pytest.param(RESOLVED | {"assignedQueueId": "q-gone"}, "Standard", True, id="a queue that is gone"),
    ],
)
def test_a_caller_who_is_not_asked(first: dict[str, Any], queue: str, welcomed: bool) -> None:
    call = play(first, keys="1001")
    assert (call.queue, WELCOME in call.said) == (queue, welcomed)
    assert call.attributes == {
        "CIR_Outcome": first["outcome"],
        "CIR_ContactId": first["contactId"],
        "CIR_DisplayName": first["displayName"],
        "CIR_Tier": first["customerTier"],
        "CIR_Language": "en-US",
        "CIR_Assurance": first["assurance"],
        "CIR_VerificationRequired": "true",
        "CIR_SpoofSuspected": str(first["spoofSuspected"]).lower(),
        "CIR_MatchedBy": first["matchedBy"],
        "CIR_AskFor": first["askFor"],
        "CIR_ResolutionId": "r-1",
        "CIR_Explanation": "",
        "CIR_Failure": "",
    }


@pytest.mark.parametrize(
    ("first", "second", "linked"),
    [
        pytest.param(NOT_FOUND, VERIFIED, True, id="a new number"),
        pytest.param(NOT_FOUND, RESOLVED, False, id="a customer number that anybody could have keyed in"),
        pytest.param(SHARED | {"askFor": "loyalty"}, RESOLVED, False, id="a shared number stays shared"),
        pytest.param(NOT_FOUND, IRIS | {"outcome": "CONFLICT"}, False, id="a number that turns out to be another's"),
        pytest.param(NOT_FOUND, NOT_FOUND, False, id="a customer number that nobody has"),
    ],
)
def test_a_caller_who_keys_a_customer_number(first: dict[str, Any], second: dict[str, Any], linked: bool) -> None:
    call = play(first, second, *([LINKED] if linked else []), keys="1001")
    assert call.attributes.get("CIR_Link") == ("LINKED" if linked else None)
    assert call.attributes["CIR_Outcome"] == second["outcome"]
    assert call.queue == QUEUES[second["assignedQueueId"]]


def test_a_caller_who_keys_nothing_goes_to_the_default_queue() -> None:
    call = play(NOT_FOUND)
    assert (call.queue, call.attributes["CIR_Outcome"]) == ("Standard", "NOT_FOUND")


@pytest.mark.parametrize("how", ["failure", "timeout"])
def test_a_data_action_that_does_not_answer_costs_no_more_than_itself(how: str) -> None:
    error = DataActionError() if how == "failure" else TimeoutError()
    first = play(error)
    assert (first.queue, first.attributes["CIR_Outcome"]) == ("Standard", "FAILED")
    assert first.attributes["CIR_Failure"] == f"resolve {how}"
    second = play(NOT_FOUND, error, keys="1001")
    assert (second.queue, second.attributes["CIR_Outcome"]) == ("Standard", "NOT_FOUND")
    assert second.attributes["CIR_Failure"] == f"second resolve {how}"
    link = play(NOT_FOUND, VERIFIED, error, keys="1001")
    assert (link.queue, WELCOME in link.said, link.attributes["CIR_Failure"]) == ("Gold", True, f"link {how}")


def test_a_transfer_that_fails_is_tried_with_the_default_queue() -> None:
    assert play(RESOLVED, closed=frozenset({"Gold"})).queue == "Standard"
    nowhere = play(RESOLVED, closed=frozenset({"Gold", "Standard"}))
    assert (nowhere.queue, nowhere.said[-1].startswith("Sorry")) == ("", True)


def test_the_guide_explains_every_attribute() -> None:
    asked = play(NOT_FOUND, VERIFIED, LINKED, keys="1001")
    assert set(re.findall(r"`(CIR_\w+)`", GUIDE)) == set(asked.attributes)


# The flow on the running system, with the permissions of the guide

CUSTOMERS = (
    {"Id": "001000000000001", "FirstName": "Iris", "LastName": "Berg", "Loyalty_Number__c": "1001"},
    *(
        {"Id": f"00100000000000{n}", "FirstName": f"Colleague {n}", "LastName": "Oak", "Loyalty_Number__c": f"100{n}"}
        | {"Phone": "+12125550188", "Account_Tier__c": "Enterprise"}
        for n in (2, 3, 4)
    ),
)
GOLD = {"MobilePhone": "+447700900123", "Account_Tier__c": "Gold"}
DOCUMENTED = set(re.findall(r"^\| `(\w+:\w+:\w+)` \|", GUIDE, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An organization that grants what the guide says and no more, and into which customers have been imported."""
    refused = {operation.permission for operation in OPERATIONS if operation.permission} - DOCUMENTED
    export = tmp_path_factory.mktemp("export") / "customers.csv"
    with export.open("w", encoding="utf-8", newline="") as file:
        mapping = deployed_mapping({})
        rows = csv.DictWriter(file, sorted({mapping.id_column, mapping.region_column, *mapping.columns}))
        rows.writeheader()
        rows.writerows([CUSTOMERS[0] | GOLD, *CUSTOMERS[1:]])
    with (
        Sandbox(genesys={"denied_permissions": sorted(refused)}) as started,
        patch.dict(os.environ, started.environment),
        patch.object(boto3, "DEFAULT_SESSION", None),  # an earlier test's would keep its credentials
    ):
        _half_prepare(started)
        report = run_import(export, console=Console(quiet=True))
        assert report.changes[Change.CREATED] == len(CUSTOMERS)
        started.wait_until_drained()
        yield started


def _half_prepare(sandbox: Sandbox) -> None:
    """Leave an inactive external source and a schema without most of its fields for the import to mend."""
    client = GenesysClient.from_environment()
    client.organization.ensure_schema(SCHEMA_NAME, {"customerTier": SCHEMA_FIELDS["customerTier"]})
    login = {"grant_type": "client_credentials"}
    credentials = (os.environ["GENESYS_CLIENT_ID"], os.environ["GENESYS_CLIENT_SECRET"])
    token = requests.post(f"{sandbox.genesys.url}/oauth/token", login, auth=credentials, timeout=10).json()
    made = requests.post(
        f"{sandbox.genesys.url}/api/v2/externalcontacts/externalsources",
        json={"name": "Salesforce", "active": False},
        headers={"Authorization": f"Bearer {token['access_token']}"},
        timeout=10,
    )
    assert made.ok, made.text


def invoking(sandbox: Sandbox) -> DataAction:
    """The functions, with what they answer held against their contracts."""

    def invoke(name: str, given: dict[str, Any]) -> dict[str, Any]:
        answered = sandbox.functions.call(sandbox.function_name(FUNCTIONS[name]), given)
        assert isinstance(answered, dict)
        assert {field: JSON_TYPES[type(value)] for field, value in answered.items()} == types(outputs(name))
        return answered

    return invoke


@pytest.mark.slow
def test_the_flow_on_the_running_system(sandbox: Sandbox) -> None:
    queues = {queue_id: name for name, queue_id in sandbox.genesys.queue_ids().items()}
    flow = Flow(FLOW, invoking(sandbox), queues)

    known = flow.play(Call("tel:+447700900123"))
    assert (known.queue, WELCOME in known.said) == ("Gold", True)

    new_number = flow.play(Call("tel:+447700900999", keys="1001"))
    assert (new_number.queue, "CIR_Link" in new_number.attributes) == ("Gold", False)
    assert new_number.attributes["CIR_ContactId"] == known.attributes["CIR_ContactId"]

    forged = flow.play(Call("tel:+447700900123;verstat=TN-Validation-Failed"))
    assert (forged.queue, forged.attributes["CIR_SpoofSuspected"]) == ("Gold", "true")
    assert not any("Iris" in text for text in (*forged.said, *forged.attributes.values()))

    switchboard = flow.play(Call("tel:+12125550188", keys="1003"))
    assert (switchboard.queue, "CIR_Link" in switchboard.attributes) == ("Enterprise", False)
    assert "Welcome back, Colleague 3 Oak." in switchboard.said

    withheld = flow.play(Call("sip:anonymous@anonymous.invalid"))
    assert (withheld.queue, withheld.attributes["CIR_Outcome"]) == ("Standard", "BLOCKED")


@pytest.mark.slow
def test_every_permission_of_the_guide_is_needed(sandbox: Sandbox) -> None:
    known = invoking(sandbox)("Resolve Customer Identity v2", {"externalId": "1004", "externalSource": "loyalty"})
    link = invoking(sandbox)("Link Identifier v1", {"contactId": known["contactId"], "ani": "+447700900888"})
    assert link["outcome"] == "LINKED"
    made = [invoking(sandbox)("Create Customer v1", {"ani": f"+1646555014{each}"})["contactId"] for each in range(2)]
    with patch.dict(os.environ, sandbox.environment):
        merging = open_merging()
    merging.merge(merging.plan(made), by="test", because="test")
    search = partial(sandbox.functions.call, sandbox.function_name("duplicates"))
    export = search({"step": "start"})
    while not search({"step": "wait", **export})["ready"]:
        pass
    assert search({"step": "propose", **export})["records"]
    sandbox.wait_until_drained()
    permission = {operation.name: operation.permission for operation in OPERATIONS}
    assert {permission[each] for each in sandbox.genesys.calls() if each in permission} - {None} == DOCUMENTED
