"""`cir dlq` over the dead-letter queues of a deployment."""

import itertools
import json
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from cir.dead_letters import DeadLetterError, DeadLetters
from cli.failures import CommandError
from cli.main import app

_numbers = itertools.count()


class Deployment:
    """The queues of an environment of its own: `sync` (first in, first out), `events`, and `backfill`'s reports."""

    def __init__(self, aws_url: str) -> None:
        self.name = f"dlq{next(_numbers)}"
        self.sqs: Any = boto3.Session().client("sqs", endpoint_url=aws_url)
        self.urls: dict[str, str] = {}
        for part, suffix, fed in (("sync", ".fifo", True), ("events", "", True), ("backfill", "", False)):
            fifo = {"FifoQueue": "true"} if suffix else {}
            name = f"cir-{self.name}-{part}"
            dead = self.sqs.create_queue(QueueName=f"{name}-undelivered{suffix}", Attributes=fifo)["QueueUrl"]
            self.urls[f"{part}-undelivered"] = dead
            if fed:
                arn = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"][
                    "QueueArn"
                ]
                redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})}
                url = self.sqs.create_queue(QueueName=f"{name}{suffix}", Attributes=fifo | redrive)["QueueUrl"]
                self.urls[part] = url

    def dead(self, part: str, body: Any, reason: str = "") -> None:
        attributes = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
        text = json.dumps(body)
        fifo = {"MessageGroupId": "salesforce#A", "MessageDeduplicationId": str(hash(text))} if part == "sync" else {}
        self.sqs.send_message(
            QueueUrl=self.urls[f"{part}-undelivered"], MessageBody=text, MessageAttributes=attributes, **fifo
        )

    def count(self, queue: str) -> int:
        name = "ApproximateNumberOfMessages"
        answer = self.sqs.get_queue_attributes(QueueUrl=self.urls[queue], AttributeNames=[name])
        return int(answer["Attributes"][name])

    def waiting(self, queue: str) -> list[Any]:
        answer = self.sqs.receive_message(QueueUrl=self.urls[queue], MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


CHANGE = {"source": "salesforce", "id": "A", "deleted": True, "event_id": "e1", "received_at": 1.0}
EVENT = {"detail-type": "v2.externalcontacts.contacts.{id}", "detail": {"eventBody": {"id": "c-1"}}}
REPORT = {"DDBStreamBatchInfo": {"batchSize": 3, "streamArn": "arn:aws:dynamodb:eu-west-1:1:table/t/stream/x"}}


@pytest.fixture
def deployment(aws_url: str, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    deployment = Deployment(aws_url)
    names = ("IDENTIFIERS_TABLE", "CONTACTS_TABLE", "LEDGER_TABLE")
    for name, value in {
        "AWS_ENDPOINT_URL": aws_url,
        "CIR_ENVIRONMENT": deployment.name,
        **dict.fromkeys(names, "unused"),
    }.items():
        monkeypatch.setenv(name, value)
    return deployment


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(app, ["dlq", *arguments, "--json"])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.output)


def test_all_queues_are_listed_with_reasons_and_stay_as_they_are(deployment: Deployment) -> None:
    deployment.dead("sync", CHANGE, "the mapping has no such source")
    deployment.dead("events", EVENT)
    deployment.dead("backfill", REPORT)
    for _ in range(2):
        listed = {each["function"]: (each["about"], each["reason"]) for each in run("list")}
        assert listed == {
            "sync": ("salesforce A (deleted)", "the mapping has no such source"),
            "events": ("contact c-1", ""),
            "backfill": ("3 records of the stream of t", ""),
        }
    (one,) = run("list", "--function", "sync")
    assert run("show", one["id"])["body"] == CHANGE
    assert one["id"] in CliRunner().invoke(app, ["dlq", "show", one["id"]]).output
    assert "sync" in CliRunner().invoke(app, ["dlq", "list"]).output


def test_a_message_is_replayed_once_even_if_the_command_dies(deployment: Deployment) -> None:
    deployment.dead("sync", CHANGE)
    (one,) = run("list")

    class Dying:
        """The queues, of a process that is killed when it is to delete something."""

        def __getattr__(self, name: str) -> Any:
            if name == "delete_message":
                raise KeyboardInterrupt
            return getattr(deployment.sqs, name)

    letters = DeadLetters(Dying(), deployment.name)
    with pytest.raises(KeyboardInterrupt), letters.received() as found:
        letters.replay(found)
    assert deployment.waiting("sync") == deployment.waiting("sync-undelivered") == [CHANGE]
    assert run("replay", one["id"]) == {"replayed": [one["id"]], "left": []}
    assert (deployment.waiting("sync"), deployment.waiting("sync-undelivered")) == ([CHANGE], [])
    with pytest.raises(CommandError, match="cir dlq list"):
        run("replay", one["id"])


def test_reports_of_streams_are_left_and_others_replayed(deployment: Deployment) -> None:
    deployment.dead("events", EVENT)
    deployment.dead("backfill", REPORT)
    with pytest.raises(CommandError, match="1 messages came from a table's stream"):
        run("replay", "--all")
    assert (deployment.waiting("events"), deployment.waiting("backfill-undelivered")) == ([EVENT], [REPORT])


@pytest.mark.parametrize("act", ["replay", "drop"])
def test_all_are_all_however_many_wait(deployment: Deployment, act: str) -> None:
    for number in range(33):
        deployment.dead("sync", {**CHANGE, "id": str(number)})  # of one group, of which SQS gives ten at once
        deployment.dead("events", {**EVENT, "number": number})
    done = run(act, "--all", *(["--yes"] if act == "drop" else []))
    assert len(done["replayed" if act == "replay" else "dropped"]) == 66
    assert deployment.count("sync-undelivered") == deployment.count("events-undelivered") == 0
    assert (deployment.count("sync"), deployment.count("events")) == ((33, 33) if act == "replay" else (0, 0))


def test_dropping_asks_first(deployment: Deployment) -> None:
    deployment.dead("events", EVENT)
    CliRunner().invoke(app, ["dlq", "drop", "--all"], input="n\n")
    assert deployment.waiting("events-undelivered") == [EVENT]
    run("drop", "--all", "--yes")
    assert deployment.waiting("events-undelivered") == []
    with pytest.raises(DeadLetterError, match="no dead-letter queue of 'nobody'"):
        run("list", "--function", "nobody")
    with pytest.raises(CommandError, match="--all"):
        run("drop", "--yes")
