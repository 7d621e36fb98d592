"""An AWS on this machine that remembers who called what: each function signs with an access key of its own."""

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.support.aws import empty_aws, serving

_CREDENTIAL = re.compile(r"Credential=([^/]+)/")
_INVOCATION = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")


@dataclass
class RecordingAws:
    """`calls` are, for each access key, the permissions that its requests needed: pairs of action and resource."""

    url: str = ""
    calls: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    def note(self, environ: Mapping[str, Any], body: bytes) -> None:
        found = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
        needed = set(_permissions(environ, body))
        self.calls.setdefault(found[1] if found else "nobody", set()).update(needed)


@contextmanager
def recording_aws() -> Iterator[RecordingAws]:
    """Serve until the block ends."""
    aws = RecordingAws()
    backend = empty_aws()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        aws.note(environ, body)
        return backend(environ | {"wsgi.input": io.BytesIO(body)}, start_response)

    with serving(application) as aws.url:
        yield aws


def _permissions(environ: Mapping[str, Any], body: bytes) -> Iterator[tuple[str, str]]:
    """What IAM would ask the role for. A request that this does not know is a permission that no role has."""
    if invoked := _INVOCATION.fullmatch(unquote(environ["PATH_INFO"])):
        yield "lambda:InvokeFunction", invoked[1]
        return
    if "/s3/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""):
        yield from _s3_permissions(environ, body)
        return
    service, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
    request = json.loads(body or b"{}")
    match service, operation:
        case "DynamoDB_20120810", "BatchGetItem":
            for table in request["RequestItems"]:
                yield "dynamodb:BatchGetItem", table
        case "DynamoDB_20120810", "TransactWriteItems":
            # a transaction is allowed if each of its writes is
            for item in request["TransactItems"]:
                ((write, parameters),) = item.items()
                yield f"dynamodb:{write}Item", parameters["TableName"]
        case "DynamoDB_20120810", _:
            yield f"dynamodb:{operation}", request.get("TableName", "")
        case "AmazonSQS", _:
            action = operation.removesuffix("Batch")
            yield f"sqs:{action}", request.get("QueueUrl", "").rpartition("/")[2]
        case "secretsmanager", _:
            yield f"secretsmanager:{operation}", request.get("SecretId", "")
        case _:
            yield f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}", operation


_S3 = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "GetObject", "DELETE": "DeleteObject"}


def _s3_permissions(environ: Mapping[str, Any], body: bytes) -> Iterator[tuple[str, str]]:
    bucket, _, key = unquote(environ["PATH_INFO"]).lstrip("/").partition("/")
    method = environ["REQUEST_METHOD"]
    if key:
        yield f"s3:{_S3[method]}", f"arn:aws:s3:::{bucket}/{key}"
    elif method == "POST":
        for found in re.findall(rb"<Key>([^<]+)</Key>", body):
            yield "s3:DeleteObject", f"arn:aws:s3:::{bucket}/{found.decode()}"
    else:
        yield "s3:ListBucket", f"arn:aws:s3:::{bucket}"
