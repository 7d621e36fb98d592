"""Event source mappings: what reads a DynamoDB stream and invokes a function with its records, as Lambda's own do.

Kept: order within a shard, parents before children, start at the oldest record, batch size, filters, partial batch
responses, bisection, bounded retries, at least once. Not kept: more than one batch of a stream at a time, batching
windows, the age limit of records.
"""

import base64
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.aws import patterns

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams.client import DynamoDBStreamsClient
    from mypy_boto3_dynamodbstreams.type_defs import ShardTypeDef

type Record = dict[str, Any]

# Lambda polls four times a second. Here an idle mapping polls ten times, which costs 2 % of a core, and a busy one lets
# records gather for a moment: polling at once would take the processor from whoever writes them.
_BUSY_PAUSE_SECONDS = 0.03
_IDLE_PAUSE_SECONDS = 0.1
_LONGEST_RETRY_PAUSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSource:
    """One mapping as it is deployed; the names are those of CreateEventSourceMapping."""

    table: str
    function: str
    filters: tuple[Mapping[str, Any], ...] = ()
    """A record is delivered if any of them matches it, or if there are none."""
    batch_size: int = 100
    report_batch_item_failures: bool = True
    bisect_batch_on_function_error: bool = True
    maximum_retry_attempts: int | None = None
    """None retries until the records are taken, as Lambda does while they are on the stream."""


class EventSourceMapping:
    """Reads and delivers in a thread of its own, from construction until `stop`."""

    def __init__(
        self,
        source: EventSource,
        *,
        streams: "DynamoDBStreamsClient",
        invoke: Callable[[dict[str, Any]], object],
        on_discard: Callable[[Sequence[Record]], None],
    ) -> None:
        """`invoke` takes a batch event, gives the function's answer, and raises if the function failed. `on_discard`
        takes the records that are given up, like a mapping's on-failure destination."""
        self.source = source
        self._reader = StreamReader(streams, source.table)
        self._invoke = invoke
        self._on_discard = on_discard
        self._delivered = 0
        self._listener: Callable[[Sequence[Record]], None] = lambda _: None
        self._last_failure = ""
        self._seen_empty_at = 0.0
        self._changed = threading.Condition()
        self._hurry = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{source.table} to {source.function}", daemon=True)
        self._thread.start()

    @property
    def delivered(self) -> int:
        """How many records the function has taken so far."""
        return self._delivered

    def listen(self, listener: Callable[[Sequence[Record]], None]) -> None:
        """Have somebody shown, from now on, the records that the function has taken, as soon as it has."""
        self._listener = listener

    def wait_until_drained(self, *, timeout_seconds: float = 30.0) -> None:
        """Wait until everything that was written before this call has been delivered; `TimeoutError` if it is not."""
        asked_at = time.monotonic()
        self._hurry.set()
        with self._changed:
            drained = self._changed.wait_for(lambda: self._seen_empty_at >= asked_at, timeout_seconds)
            self._hurry.clear()
            if not drained:
                failing = f", its last failure was {self._last_failure}" if self._last_failure else ""
                raise TimeoutError(f"{self._thread.name}: stream not consumed within {timeout_seconds:.1f} s{failing}")

    def stop(self) -> None:
        self._stopping.set()
        self._hurry.set()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        pause = _BUSY_PAUSE_SECONDS
        while not self._stopping.is_set():
            started_at = time.monotonic()
            try:
                records = self._reader.read()
            except (BotoCoreError, ClientError):
                # Not there, or not there any more: a mapping waits for its stream.
                self._stopping.wait(_IDLE_PAUSE_SECONDS)
                continue
            if records:
                self._deliver([record for record in records if self._wanted(record)])
                pause = _BUSY_PAUSE_SECONDS
            else:
                with self._changed:
                    self._seen_empty_at = started_at
                    self._changed.notify_all()
                pause = min(2 * pause, _IDLE_PAUSE_SECONDS)
            if len(records) < self.source.batch_size:
                self._hurry.wait(pause)

    def _wanted(self, record: Record) -> bool:
        return not self.source.filters or any(patterns.matches(pattern, record) for pattern in self.source.filters)

    def _deliver(self, records: Sequence[Record]) -> None:
        """Deliver in order. Nothing is passed over before it was taken or its retries are used up."""
        pending = deque(batched(records, self.source.batch_size))
        retries = 0
        while pending and not self._stopping.is_set():
            batch = pending.popleft()
            taken = self._attempt(batch)
            self._delivered += taken
            self._listener(batch[:taken])
            batch = batch[taken:]
            if not batch:
                retries = 0
            elif taken:
                pending.appendleft(batch)
                retries = 0
            elif self.source.bisect_batch_on_function_error and len(batch) > 1:
                middle = len(batch) // 2
                pending.extendleft((batch[middle:], batch[:middle]))
            elif self.source.maximum_retry_attempts is None or retries < self.source.maximum_retry_attempts:
                pending.appendleft(batch)
                self._stopping.wait(min(_LONGEST_RETRY_PAUSE_SECONDS, 0.05 * 2 ** min(retries, 10)))
                retries += 1
            else:
                self._on_discard(batch)
                retries = 0

    def _attempt(self, batch: Sequence[Record]) -> int:
        """Invoke once; how many records from the front were taken."""
        try:
            answer = self._invoke({"Records": batch})
        except Exception as error:
            # Its kind only: the text can quote a record, and is in the function's log.
            self._last_failure = getattr(error, "error_type", type(error).__name__)
            return 0
        return _taken(answer, batch) if self.source.report_batch_item_failures else len(batch)


def _taken(answer: object, batch: Sequence[Record]) -> int:
    """How many records precede the first one that a partial batch response names.

    https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html: nothing named is success, and
    anything that cannot be understood is the failure of the whole batch.
    """
    if answer is None:
        return len(batch)
    if not isinstance(answer, Mapping):
        return 0
    failures = answer.get("batchItemFailures") or []
    positions = {record["dynamodb"]["SequenceNumber"]: position for position, record in enumerate(batch)}
    try:
        return min((positions[failure["itemIdentifier"]] for failure in failures), default=len(batch))
    except (KeyError, TypeError):
        return 0


class StreamReader:
    """Reads a table's stream from its oldest record, in order within each shard, also when the stream is replaced."""

    def __init__(self, client: "DynamoDBStreamsClient", table: str) -> None:
        self._client = client
        self._table = table
        self._stream_arn = ""
        self._iterators: dict[str, str] = {}
        self._last_read: dict[str, str] = {}
        self._finished: set[str] = set()

    def read(self) -> list[Record]:
        """The next records, shaped as Lambda passes them; none if all shards have been read to their tips."""
        try:
            if not self._iterators:
                self._open_shards()
            for shard, iterator in list(self._iterators.items()):
                page = self._client.get_records(ShardIterator=iterator)
                records = page["Records"]
                if records:
                    self._last_read[shard] = records[-1]["dynamodb"]["SequenceNumber"]
                self._advance(shard, page.get("NextShardIterator"))
                if records:
                    return [_as_lambda_passes_it(record, self._stream_arn) for record in records]
        except ClientError as error:
            self._recover(error.response["Error"]["Code"])
            raise
        return []

    def _advance(self, shard: str, iterator: str | None) -> None:
        if iterator:
            self._iterators[shard] = iterator
        else:
            del self._iterators[shard]
            self._finished.add(shard)
            self._open_shards()

    def _recover(self, code: str) -> None:
        """An iterator that expired is renewed where it stood; after anything else the stream is looked up again."""
        self._iterators.clear()
        if code != "ExpiredIteratorException":
            self._stream_arn = ""
            self._last_read.clear()
            self._finished.clear()

    def _open_shards(self) -> None:
        """Get an iterator for every shard that can be read now: not finished, and its parent is."""
        if not self._stream_arn:
            found = self._client.list_streams(TableName=self._table)["Streams"]
            if not found:
                return
            self._stream_arn = found[-1]["StreamArn"]
        shards = self._shards()
        unfinished = {shard["ShardId"] for shard in shards} - self._finished
        for shard in shards:
            shard_id = shard["ShardId"]
            readable = shard_id in unfinished and shard.get("ParentShardId") not in unfinished
            if readable and shard_id not in self._iterators:
                self._iterators[shard_id] = self._iterator(shard_id)

    def _shards(self) -> "list[ShardTypeDef]":
        stream = self._client.describe_stream(StreamArn=self._stream_arn)["StreamDescription"]
        shards = stream["Shards"]
        while last := stream.get("LastEvaluatedShardId"):
            stream = self._client.describe_stream(StreamArn=self._stream_arn, ExclusiveStartShardId=last)[
                "StreamDescription"
            ]
            shards = shards + stream["Shards"]
        return shards

    def _iterator(self, shard_id: str) -> str:
        if shard_id in self._last_read:
            answer = self._client.get_shard_iterator(
                StreamArn=self._stream_arn,
                ShardId=shard_id,
                ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                SequenceNumber=self._last_read[shard_id],
            )
        else:
            answer = self._client.get_shard_iterator(
                StreamArn=self._stream_arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
            )
        return answer["ShardIterator"]


def _as_lambda_passes_it(record: Mapping[str, Any], stream_arn: str) -> Record:
    """boto3 turns times and binary values into objects; Lambda's events are JSON. Only Lambda's name the stream."""
    plain: Record = _plain(record)
    if "userIdentity" in plain:
        plain["userIdentity"] = {name[0].lower() + name[1:]: value for name, value in plain["userIdentity"].items()}
    return plain | {"eventSourceARN": stream_arn}


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _plain(member) for name, member in value.items()}
        case list() | set() | tuple():
            return [_plain(member) for member in value]
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return value.timestamp()
        case _:
            return value
