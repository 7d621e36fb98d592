"""`cir dlq list|show|replay|drop`: what a function was to be given and could not take."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import boto3
import typer
from rich.console import Console
from rich.table import Table

from cli.commands.contacts import Json, Yes
from cli.environment import NAMED_BY, enter_environment
from cli.failures import CommandError

LOOK_SECONDS = 120
"""How long a message is out of sight of others while it is looked at or moved."""
_MOST = 1000
_UNDELIVERED = "-undelivered"

app = typer.Typer(no_args_is_help=True, help="Messages that functions could not take: look at them, send them again.")

Function = Annotated[str, typer.Option(help="Only this function's, for instance `sync` or `events`.")]
Messages = Annotated[list[str] | None, typer.Argument(help="Ids of messages; see `cir dlq list`.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message in a dead-letter queue, which this process has received and nobody else sees for a moment."""

    function: str
    queue_url: str
    receipt: str
    id: str
    body: str
    sent_at: str
    group: str
    attributes: dict[str, str]

    @property
    def source_url(self) -> str:
        """The queue that it would have come from; there is none where it is the report of a stream."""
        return self.queue_url.replace(_UNDELIVERED, "")

    @property
    def content(self) -> Any:
        """The body, as an object where it is JSON. It holds ids, and no personal data."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body

    @property
    def about(self) -> str:
        """What it is about, in a few words."""
        content = self.content if isinstance(self.content, dict) else {}
        if "DDBStreamBatchInfo" in content:
            batch = content["DDBStreamBatchInfo"]
            return f"{batch.get('batchSize')} records of the stream of {str(batch.get('streamArn')).split('/')[1]}"
        if "event_id" in content:
            return f"{content.get('source')} {content.get('id')}" + (" (deleted)" if content.get("deleted") else "")
        body = (content.get("detail") or {}).get("eventBody") or {} if "detail" in content else {}
        return f"contact {body.get('id')}" if body else "-"

    @property
    def reason(self) -> str:
        return self.attributes.get("reason", "")

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "function": self.function,
            "since": self.sent_at,
            "about": self.about,
            "reason": self.reason,
            "body": self.content,
        }


@app.command("list")
def list_messages(
    function: Function = "",
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="How many to show of each queue.")] = 50,
    as_json: Json = False,
) -> None:
    """List what could not be delivered, and why where the function has said so."""
    sqs = _connect()
    with _received(sqs, function, most=limit) as found:
        if as_json:
            typer.echo(json.dumps([each.as_dict() for each in found]))
            return
        table = Table("id", "function", "since", "about", "reason")
        for each in found:
            table.add_row(each.id, each.function, each.sent_at, each.about, each.reason or "see the function's log")
        Console().print(table)


@app.command("show")
def show_message(message: Annotated[str, typer.Argument(help="The message's id.")], as_json: Json = False) -> None:
    """Show one message in full."""
    sqs = _connect()
    with _received(sqs) as found:
        (chosen,) = _chosen(found, [message], everything=False)
    if as_json:
        typer.echo(json.dumps(chosen.as_dict()))
        return
    console = Console()
    for name, value in chosen.as_dict().items():
        text = value if isinstance(value, str) else json.dumps(value, indent=2)
        console.print(f"[bold]{name}[/]: ", end="")
        console.print(text, markup=False, highlight=False)


@app.command("replay")
def replay(messages: Messages = None, function: Function = "", everything: All = False, as_json: Json = False) -> None:
    """Send messages again to the queue that they came from. Repeated, it does no harm."""
    sqs = _connect()
    with _received(sqs, function) as found:
        chosen = _chosen(found, messages or [], everything=everything)
        queues = set(_urls(sqs))
        without = [each for each in chosen if each.source_url not in queues]
        sent = [each for each in chosen if each.source_url in queues]
        for each in sent:
            _send(sqs, each.source_url, each)
            sqs.delete_message(QueueUrl=each.queue_url, ReceiptHandle=each.receipt)
    _tell(as_json, replayed=sent, left=without)
    if without:
        raise CommandError(
            f"{len(without)} messages came from a table's stream, not from a queue, and cannot be sent again: their "
            "records are read anew by the next change, import or reconciliation. Then `cir dlq drop` them"
        )


@app.command("drop")
def drop(
    messages: Messages = None, function: Function = "", everything: All = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Delete messages for good."""
    sqs = _connect()
    with _received(sqs, function) as found:
        chosen = _chosen(found, messages or [], everything=everything)
        if not yes and not typer.confirm(f"Delete {len(chosen)} messages for good?"):
            raise typer.Abort
        for each in chosen:
            sqs.delete_message(QueueUrl=each.queue_url, ReceiptHandle=each.receipt)
    _tell(as_json, dropped=chosen)


def _connect() -> Any:
    enter_environment()
    return boto3.Session().client("sqs")


def _prefix() -> str:
    return f"cir-{os.environ[NAMED_BY]}-"


def _queues(sqs: Any, function: str) -> dict[str, str]:
    """Function → its dead-letter queue's address."""
    prefix = _prefix()
    found: dict[str, str] = {}
    for url in _urls(sqs):
        name = url.rpartition("/")[2].removesuffix(".fifo")
        if name.endswith(_UNDELIVERED):
            found[name.removeprefix(prefix).removesuffix(_UNDELIVERED)] = url
    if function and function not in found:
        raise CommandError(f"no dead-letter queue of {function!r}; there are those of: {', '.join(found) or 'nobody'}")
    return {function: found[function]} if function else found


def _urls(sqs: Any) -> list[str]:
    """All queues of the deployment."""
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=_prefix())
    return sorted(url for page in pages for url in page.get("QueueUrls", []))


@contextmanager
def _received(sqs: Any, function: str = "", *, most: int = _MOST) -> Iterator[list[DeadLetter]]:
    """The messages of the queues, out of sight of others; those that are still there in the end are visible again."""
    found: list[DeadLetter] = []
    try:
        for name, url in _queues(sqs, function).items():
            found += _receive(sqs, name, url, most)
        yield found
    finally:
        for each in found:
            try:
                sqs.change_message_visibility(QueueUrl=each.queue_url, ReceiptHandle=each.receipt, VisibilityTimeout=0)
            except sqs.exceptions.ClientError:
                continue  # it is gone, or in sight already


def _receive(sqs: Any, function: str, url: str, most: int) -> list[DeadLetter]:
    # SQS' own count, which can be a minute late; an empty queue need not be waited for
    name = "ApproximateNumberOfMessages"
    count = int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])
    found: dict[str, DeadLetter] = {}
    while len(found) < min(most, count):
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=min(10, most - len(found)),
            VisibilityTimeout=LOOK_SECONDS,
            WaitTimeSeconds=1,  # asks all of SQS' servers; a short poll may find nothing where there is something
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        page = answer.get("Messages", [])
        if not page:
            break
        for message in page:
            found[message["MessageId"]] = _dead_letter(function, url, message)
    return list(found.values())


def _dead_letter(function: str, url: str, message: dict[str, Any]) -> DeadLetter:
    attributes = message.get("Attributes", {})
    sent_at = datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC)
    return DeadLetter(
        function=function,
        queue_url=url,
        receipt=message["ReceiptHandle"],
        id=message["MessageId"],
        body=message["Body"],
        sent_at=sent_at.isoformat(timespec="seconds"),
        group=attributes.get("MessageGroupId", ""),
        attributes={name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()},
    )


def _chosen(found: list[DeadLetter], ids: list[str], *, everything: bool) -> list[DeadLetter]:
    if everything == bool(ids):
        raise CommandError("name the messages, or say --all")
    missing = sorted(set(ids) - {each.id for each in found})
    if missing:
        raise CommandError(f"no message {', '.join(missing)} waits; `cir dlq list` shows those that do")
    return found if everything else [each for each in found if each.id in ids]


def _send(sqs: Any, url: str, message: DeadLetter) -> None:
    """The deduplication id is this dead letter's, so that it is sent once, also when this dies before it is deleted.

    Should it fail again it becomes another dead letter, with another id.
    """
    fifo = (
        {"MessageGroupId": message.group, "MessageDeduplicationId": f"replay-{message.id}"}
        if url.endswith(".fifo")
        else {}
    )
    sqs.send_message(QueueUrl=url, MessageBody=message.body, **fifo)


def _tell(as_json: bool, **results: list[DeadLetter]) -> None:
    if as_json:
        typer.echo(json.dumps({name: [each.id for each in messages] for name, messages in results.items()}))
        return
    for name, messages in results.items():
        if messages:
            Console().print(f"{len(messages)} messages {name}.", highlight=False)
