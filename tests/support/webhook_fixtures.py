"""The queues and the secret of an environment of their own, and the handlers as Lambda imports them."""

import importlib
import itertools
import json
import sys
from collections.abc import Callable, Mapping
from types import ModuleType

import boto3
import pytest

from tests.support.queues import Queues
from tests.support.webhook_calls import SECRET

_numbers = itertools.count()


@pytest.fixture
def queues(request: pytest.FixtureRequest, aws_url: str) -> Queues:
    """A message is received as often as the parameter says, else five times."""
    sqs = boto3.Session().client("sqs", endpoint_url=aws_url)
    name = f"cir-webhooks{next(_numbers)}-sync"
    fifo = {"FifoQueue": "true"}
    dead = sqs.create_queue(QueueName=f"{name}-undelivered.fifo", Attributes=fifo)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": getattr(request, "param", 5)})
    url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={**fifo, "RedrivePolicy": redrive})["QueueUrl"]
    return Queues(sqs, url, dead)


@pytest.fixture
def secret_arn(aws_url: str) -> str:
    secrets = boto3.Session().client("secretsmanager", endpoint_url=aws_url)
    answer = secrets.create_secret(Name=f"webhooks{next(_numbers)}", SecretString=json.dumps(SECRET))
    return str(answer["ARN"])


@pytest.fixture
def import_handler(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Mapping[str, str]], ModuleType]:
    def imported(name: str, environment: Mapping[str, str]) -> ModuleType:
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    return imported


@pytest.fixture
def webhook(
    import_handler: Callable[[str, Mapping[str, str]], ModuleType], aws_url: str, queues: Queues, secret_arn: str
) -> ModuleType:
    environment = {"AWS_ENDPOINT_URL": aws_url, "CHANGES_QUEUE_URL": queues.url, "WEBHOOK_SECRET_ARN": secret_arn}
    return import_handler("functions.webhook", environment)
