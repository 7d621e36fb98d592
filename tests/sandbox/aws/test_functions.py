"""Real handlers in real processes under the official runtime client, invoked as Lambda is invoked."""

import json
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from sandbox.aws.functions import Function, FunctionError, Functions
from sandbox.aws.invoke_api import InvokeApi
from sandbox.aws.logs import Logs

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

HANDLERS = """
    import os, time
    from pathlib import Path

    def handler(event, context):
        print(f"traced {event.get('trace')}")
        match event.get("do"):
            case "raise": raise ValueError("boom")
            case "sleep": time.sleep(60)
            case "die": os._exit(7)
            case "meet":
                # Returns only if somebody else is being served at the same time.
                Path(event["mine"]).touch()
                while not Path(event["theirs"]).exists():
                    time.sleep(0.01)
        return {
            "pid": os.getpid(),
            "name": context.function_name,
            "arn": context.invoked_function_arn,
            "remaining": context.get_remaining_time_in_millis(),
            "variable": os.environ.get("VARIABLE"),
            "inherited": os.environ.get("INHERITED"),
            "root": os.environ["LAMBDA_TASK_ROOT"],
        }
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("code")
    (directory / "handlers.py").write_text(dedent(HANDLERS))
    (directory / "broken.py").write_text("import a_module_that_does_not_exist")
    return directory


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logs]:
    with closing(Logs(directory=tmp_path_factory.mktemp("logs"))) as logs:
        yield logs


@pytest.fixture(scope="module")
def functions(code: Path, logs: Logs) -> Iterator[Functions]:
    deployed = [
        Function(name="echo", handler="handlers.handler", directory=code, environment={"VARIABLE": "set"}),
        Function(name="pair", handler="handlers.handler", directory=code, concurrency=2),
        Function(name="hasty", handler="handlers.handler", directory=code, timeout_seconds=1),
        Function(name="broken", handler="broken.handler", directory=code),
    ]
    with Functions(deployed, logs=logs, region="eu-west-1", account="111111111111") as running:
        yield running


@pytest.fixture(scope="module")
def api(functions: Functions, logs: Logs) -> Iterator[InvokeApi]:
    running = InvokeApi(functions, logs=logs)
    yield running
    running.close()


@pytest.fixture(scope="module")
def client(api: InvokeApi) -> "LambdaClient":
    return boto3.client(
        "lambda",
        endpoint_url=api.url,
        region_name="eu-west-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )


def test_a_handler_sees_what_lambda_would_show_it(
    functions: Functions, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INHERITED", "from the sandbox's own environment")
    answer = functions.call("echo", {})
    assert answer["name"] == "echo"
    assert answer["arn"] == "arn:aws:lambda:eu-west-1:111111111111:function:echo"
    assert 0 < answer["remaining"] <= 3000
    assert (answer["variable"], answer["inherited"], answer["root"]) == ("set", None, str(code))


def test_an_environment_is_kept_warm(functions: Functions) -> None:
    assert functions.call("echo", {})["pid"] == functions.call("echo", {})["pid"]


def test_two_environments_serve_at_the_same_time(functions: Functions, tmp_path: Path) -> None:
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    events = [{"do": "meet", "mine": one, "theirs": two}, {"do": "meet", "mine": two, "theirs": one}]
    with ThreadPoolExecutor(2) as executor:
        pids = {answer["pid"] for answer in executor.map(lambda event: functions.call("pair", event), events)}
    assert len(pids) == 2


def test_an_exception_is_reported_and_the_environment_survives(functions: Functions) -> None:
    pid = functions.call("echo", {})["pid"]
    with pytest.raises(FunctionError, match="boom") as raised:
        functions.call("echo", {"do": "raise"})
    assert raised.value.error_type == "ValueError"
    assert functions.call("echo", {})["pid"] == pid


@pytest.mark.parametrize(
    ("function", "does", "error_type", "message"),
    [
        ("hasty", "sleep", "Sandbox.Timedout", "timed out after 1.00 seconds"),
        ("echo", "die", "Runtime.ExitError", "exit status 7"),
    ],
)
def test_a_lost_environment_is_reported_and_replaced(
    functions: Functions, function: str, does: str, error_type: str, message: str
) -> None:
    pid = functions.call(function, {})["pid"]
    with pytest.raises(FunctionError, match=message) as raised:
        functions.call(function, {"do": does})
    assert raised.value.error_type == error_type
    assert functions.call(function, {})["pid"] != pid


def test_a_handler_that_cannot_be_imported_is_reported_every_time(functions: Functions) -> None:
    for _ in range(2):
        with pytest.raises(FunctionError, match="a_module_that_does_not_exist") as raised:
            functions.call("broken", {})
        assert raised.value.error_type == "Runtime.ImportModuleError"


def test_boto3_invokes(client: "LambdaClient") -> None:
    answer = client.invoke(FunctionName="arn:aws:lambda:eu-west-1:111111111111:function:echo:live", Payload=b"{}")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert json.load(answer["Payload"])["name"] == "echo"


def test_boto3_sees_a_function_error(client: "LambdaClient") -> None:
    answer = client.invoke(FunctionName="echo", Payload=b'{"do": "raise"}')
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.load(answer["Payload"])["errorMessage"] == "boom"


def test_boto3_sees_lambdas_refusals(client: "LambdaClient") -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="nobody")
    with pytest.raises(client.exceptions.InvalidRequestContentException):
        client.invoke(FunctionName="echo", Payload=b"{not json")
    with pytest.raises(client.exceptions.RequestTooLargeException):
        client.invoke(FunctionName="echo", Payload=json.dumps("x" * 6 * 1024 * 1024).encode())


def test_an_asynchronous_invocation_happens_later(client: "LambdaClient", logs: Logs) -> None:
    answer = client.invoke(FunctionName="echo", InvocationType="Event", Payload=b'{"trace": "asynchronous"}')
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    assert logs.find("traced asynchronous", timeout_seconds=10)


def test_what_a_function_wrote_is_found_by_its_text(functions: Functions, api: InvokeApi) -> None:
    for trace in ("first-id", "second-id"):
        functions.call("echo", {"trace": trace})
    assert [event["message"] for event in _search(api, "contains=second-id&wait=10")] == ["traced second-id"]
    assert _search(api, "contains=second-id&function=pair") == []


def test_a_traceback_is_one_log_event_and_also_in_the_functions_file(
    functions: Functions, logs: Logs, tmp_path: Path
) -> None:
    with pytest.raises(FunctionError):
        functions.call("echo", {"do": "raise"})
    event = logs.find("ValueError: boom", timeout_seconds=10)[-1]
    assert event.function == "echo"
    assert 'case "raise": raise ValueError("boom")' in event.message
    assert event.message in (logs.directory / "echo.log").read_text()


def _search(api: InvokeApi, query: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{api.url}/sandbox/logs?{query}") as response:  # noqa: S310 - our own server
        events: list[dict[str, Any]] = json.load(response)["events"]
        return events
