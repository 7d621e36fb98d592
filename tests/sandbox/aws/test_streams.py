"""Records of real DynamoDB streams reach functions as Lambda's event source mappings deliver them."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4

import pytest

from sandbox.aws.functions import Function, Functions
from sandbox.aws.logs import Logs
from sandbox.aws.services import ACCOUNT, REGION, Aws
from sandbox.aws.streams import EventSource, EventSourceMapping, Record

pytestmark = pytest.mark.slow

type StartMapping = Callable[..., EventSourceMapping]


@pytest.fixture
def table(aws: Aws) -> str:
    """A table of the test's own, with a stream like those of the identifiers and the contacts."""
    name = f"test-{uuid4()}"
    aws.dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return name


class Recorder:
    """A target that notes the batches it is given, by their keys, and fails as it is told to."""

    def __init__(self, *, fails: Callable[[list[str]], list[str] | None] = lambda _keys: []) -> None:
        """`fails` gives the keys of the records to report as failed; None raises."""
        self.batches: list[list[str]] = []
        self.events: list[dict[str, Any]] = []
        self.discarded: list[str] = []
        self._fails = fails

    def invoke(self, event: dict[str, Any]) -> object:
        sequence_numbers = {_key(record): record["dynamodb"]["SequenceNumber"] for record in event["Records"]}
        keys = [_key(record) for record in event["Records"]]
        self.events.append(event)
        self.batches.append(keys)
        failed = self._fails(keys)
        if failed is None:
            raise RuntimeError("the function failed")
        return {"batchItemFailures": [{"itemIdentifier": sequence_numbers[key]} for key in failed]}

    @property
    def keys(self) -> list[str]:
        return [key for batch in self.batches for key in batch]

    def discard(self, records: Any) -> None:
        self.discarded += [_key(record) for record in records]


@pytest.fixture
def start(aws: Aws, table: str) -> Iterator[StartMapping]:
    started: list[EventSourceMapping] = []

    def start_mapping(recorder: Recorder, **options: Any) -> EventSourceMapping:
        source = EventSource(table=table, function="recorder", **options)
        mapping = EventSourceMapping(source, streams=aws.streams, invoke=recorder.invoke, on_discard=recorder.discard)
        started.append(mapping)
        return mapping

    yield start_mapping
    for mapping in started:
        mapping.stop()


def _key(record: Record) -> str:
    key: str = record["dynamodb"]["Keys"]["key"]["S"]
    return key


def _write(aws: Aws, table: str, *keys: str, **attributes: Any) -> None:
    for key in keys:
        aws.dynamodb.put_item(TableName=table, Item={"key": {"S": key}, **attributes})


def test_a_real_function_gets_every_record_in_order(aws: Aws, table: str, tmp_path: Path) -> None:
    (tmp_path / "consumer.py").write_text(
        dedent("""
            import json

            def handler(event, context):
                for record in event["Records"]:
                    print(json.dumps(record["dynamodb"]["NewImage"]["version"]["N"]))
        """)
    )
    consumer = Function(name="consumer", handler="consumer.handler", directory=tmp_path)
    with (
        closing(Logs(directory=tmp_path)) as logs,
        Functions([consumer], logs=logs, region=REGION, account=ACCOUNT) as functions,
    ):
        for version in range(40):
            _write(aws, table, "same", version={"N": str(version)})
        mapping = EventSourceMapping(
            EventSource(table=table, function="consumer", batch_size=7),
            streams=aws.streams,
            invoke=lambda event: functions.call("consumer", event),
            on_discard=lambda records: pytest.fail(f"{len(records)} records were discarded"),
        )
        for version in range(40, 60):
            _write(aws, table, "same", version={"N": str(version)})
        mapping.wait_until_drained()
        mapping.stop()
        logs.find('"59"', timeout_seconds=10)
    assert [json.loads(event.message) for event in logs.find("")] == [str(version) for version in range(60)]


def test_a_record_looks_as_lambda_passes_it(aws: Aws, table: str, start: StartMapping) -> None:
    recorder = Recorder()
    mapping = start(recorder)
    _write(aws, table, "a", binary={"B": b"\x00\xff"}, nested={"M": {"list": {"L": [{"N": "1"}]}}})
    mapping.wait_until_drained()
    (event,) = recorder.events
    record = json.loads(json.dumps(event))["Records"][0]
    assert (record["eventName"], record["eventSource"], record["awsRegion"]) == ("INSERT", "aws:dynamodb", REGION)
    assert record["eventSourceARN"].startswith(f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/")
    assert record["dynamodb"]["NewImage"] == {
        "key": {"S": "a"},
        "binary": {"B": "AP8="},
        "nested": {"M": {"list": {"L": [{"N": "1"}]}}},
    }
    assert record["dynamodb"]["ApproximateCreationDateTime"] > 1_700_000_000


def test_delivery_resumes_at_the_first_record_that_is_reported_as_failed(
    aws: Aws, table: str, start: StartMapping
) -> None:
    failing = {"c"}

    def fails(keys: list[str]) -> list[str]:
        """Once, and together with a later one: Lambda takes the first."""
        failed = ["d", "c"] if failing & set(keys) else []
        failing.clear()
        return failed

    recorder = Recorder(fails=fails)
    _write(aws, table, "a", "b", "c", "d")
    start(recorder).wait_until_drained()
    assert recorder.batches == [["a", "b", "c", "d"], ["c", "d"]]
    assert recorder.discarded == []


@pytest.mark.parametrize(
    "answer", [{"batchItemFailures": [{"itemIdentifier": ""}]}, {"batchItemFailures": [{}]}, "nonsense"], ids=str
)
def test_an_answer_that_cannot_be_understood_fails_the_whole_batch(
    aws: Aws, table: str, start: StartMapping, answer: object
) -> None:
    class Confused(Recorder):
        def invoke(self, event: dict[str, Any]) -> object:
            super().invoke(event)
            return answer if len(self.batches) == 1 else None

    recorder = Confused()
    _write(aws, table, "a", "b")
    start(recorder, bisect_batch_on_function_error=False).wait_until_drained()
    assert recorder.batches == [["a", "b"], ["a", "b"]]


def test_a_poisonous_record_is_isolated_and_given_up(aws: Aws, table: str, start: StartMapping) -> None:
    recorder = Recorder(fails=lambda keys: None if "poison" in keys else [])
    _write(aws, table, "a", "b", "poison", "c")
    start(recorder, maximum_retry_attempts=2).wait_until_drained()
    assert recorder.batches == [
        ["a", "b", "poison", "c"],
        ["a", "b"],
        ["poison", "c"],
        *[["poison"]] * 3,
        ["c"],
    ]
    assert recorder.discarded == ["poison"]


def test_only_matching_records_are_delivered(aws: Aws, table: str, start: StartMapping) -> None:
    asked, plain = Recorder(), Recorder()
    pattern = {"dynamodb": {"NewImage": {"lookup_requested_at": {"N": [{"exists": True}]}}}}
    mappings = [start(asked, filters=(pattern,)), start(plain)]
    _write(aws, table, "known")
    _write(aws, table, "unknown", lookup_requested_at={"N": "1"})
    aws.dynamodb.delete_item(TableName=table, Key={"key": {"S": "unknown"}})
    for mapping in mappings:
        mapping.wait_until_drained()
    assert asked.keys == ["unknown"]
    assert plain.keys == ["known", "unknown", "unknown"]


def test_a_stuck_function_is_seen_by_whoever_waits(aws: Aws, table: str, start: StartMapping) -> None:
    mapping = start(Recorder(fails=lambda _keys: None))
    _write(aws, table, "a")
    with pytest.raises(TimeoutError, match=f"{table} to recorder: .* its last failure was RuntimeError"):
        mapping.wait_until_drained(timeout_seconds=0.3)


def test_delivery_goes_on_after_an_outage(aws: Aws, table: str, start: StartMapping) -> None:
    recorder = Recorder()
    mapping = start(recorder)
    _write(aws, table, "a")
    mapping.wait_until_drained()
    aws.pause()
    with pytest.raises(TimeoutError):
        mapping.wait_until_drained(timeout_seconds=0.2)
    aws.resume()
    _write(aws, table, "b")
    mapping.wait_until_drained()
    assert recorder.batches == [["a"], ["b"]]
