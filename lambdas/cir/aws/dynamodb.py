"""DynamoDB as the engine sees it: one call in the service's own JSON, by boto3 or, on the hot path, by a lean client.

boto3 is the client of the sync plane. In the resolver its import (190 ms) would come on top of the first caller's wait
and each call would cost 0.85 ms of CPU against 0.10 ms here (measured), so the resolver talks HTTP itself.
"""

import http.client
import json
import os
import random
import re
import ssl
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from cir.aws.sigv4 import CredentialSource, signed_headers

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

RETRYABLE = frozenset(
    {
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class DynamoDBError(Exception):
    """A request that DynamoDB refused or did not answer in time."""

    def __init__(self, code: str, message: str, response: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"DynamoDB: {code}: {message}")
        self.code = code
        self.response = response or {}

    @property
    def retryable(self) -> bool:
        return self.code in RETRYABLE


class DynamoDB(Protocol):
    """One operation of the low-level API, for instance `call("GetItem", {"TableName": ...})`."""

    def __call__(self, operation: str, request: Mapping[str, Any], *, timeout: float | None = None) -> dict[str, Any]:
        """Perform it within `timeout` seconds. Raises DynamoDBError."""


class LeanDynamoDB:
    """Signs and sends requests over one kept-open connection. Not thread-safe: a Lambda serves one event at a time."""

    def __init__(
        self, *, region: str, endpoint_url: str | None = None, credentials: CredentialSource | None = None
    ) -> None:
        endpoint = urlsplit(endpoint_url or f"https://dynamodb.{region}.amazonaws.com")
        self._region = region
        self._secure = endpoint.scheme == "https"
        self._host = endpoint.netloc
        self._credentials = credentials or CredentialSource()
        self._tls = ssl.create_default_context() if self._secure else None
        self._connection: http.client.HTTPConnection | None = None

    @classmethod
    def from_environment(cls) -> "LeanDynamoDB":
        """The client for the region and endpoint that Lambda or the sandbox has put into the environment."""
        environment = os.environ
        return cls(
            region=environment["AWS_REGION"],
            endpoint_url=environment.get("AWS_ENDPOINT_URL_DYNAMODB") or environment.get("AWS_ENDPOINT_URL"),
        )

    def __call__(self, operation: str, request: Mapping[str, Any], *, timeout: float | None = None) -> dict[str, Any]:
        """Perform one operation; throttled and failed attempts are repeated while the time lasts."""
        deadline = time.monotonic() + (timeout if timeout is not None else 5.0)
        body = json.dumps(request, separators=(",", ":")).encode()
        pause = 0.005
        while True:
            try:
                return self._attempt(operation, body, deadline - time.monotonic())
            except DynamoDBError as error:
                pause = min(pause * 2, 0.1)
                wait = random.uniform(0, pause)  # noqa: S311 - jitter, not a secret
                if not error.retryable or time.monotonic() + wait >= deadline:
                    raise
                time.sleep(wait)

    def warm_up(self) -> None:
        """Open the connection ahead of the first request. Silent when it cannot: the request will say why."""
        try:
            self._connected(1.0)
        except OSError:
            self.disconnect()

    def disconnect(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _attempt(self, operation: str, body: bytes, timeout: float) -> dict[str, Any]:
        if timeout <= 0:
            raise DynamoDBError("Timeout", f"no time left for {operation}")
        headers = signed_headers(
            self._credentials(),
            region=self._region,
            service="dynamodb",
            host=self._host,
            headers={"content-type": "application/x-amz-json-1.0", "x-amz-target": f"DynamoDB_20120810.{operation}"},
            body=body,
        )
        try:
            status, payload = self._exchange(body, headers, timeout)
        except (OSError, http.client.HTTPException) as error:
            self.disconnect()
            raise DynamoDBError("Unreachable", f"{operation}: {type(error).__name__}") from error
        answer: dict[str, Any] = json.loads(payload) if payload else {}
        if status == http.client.OK:
            return answer
        code = str(answer.get("__type", "")).rpartition("#")[2] or f"Http{status}"
        if status >= http.client.INTERNAL_SERVER_ERROR and code not in RETRYABLE:
            code = "InternalServerError"
        raise DynamoDBError(code, str(answer.get("message") or answer.get("Message") or operation), answer)

    def _exchange(self, body: bytes, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
        reused = self._connection is not None
        try:
            return self._send(body, headers, timeout)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # the service closes idle connections, and a frozen Lambda does not notice until it writes
            self.disconnect()
            if not reused:
                raise
            return self._send(body, headers, timeout)

    def _send(self, body: bytes, headers: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
        connection = self._connected(timeout)
        connection.request("POST", "/", body=body, headers=dict(headers))
        response = connection.getresponse()
        payload = response.read()
        if response.will_close:
            self.disconnect()
        return response.status, payload

    def _connected(self, timeout: float) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = (
                http.client.HTTPSConnection(self._host, timeout=timeout, context=self._tls)
                if self._secure
                else http.client.HTTPConnection(self._host, timeout=timeout)
            )
            self._connection.connect()
        self._connection.sock.settimeout(timeout)
        return self._connection


def boto3_dynamodb(client: "DynamoDBClient") -> DynamoDB:
    """The same port by boto3. Its own timeouts and retries apply; `timeout` is not used."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - the resolver never imports botocore

    def call(operation: str, request: Mapping[str, Any], *, timeout: float | None = None) -> dict[str, Any]:  # noqa: ARG001
        method = getattr(client, re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())
        try:
            answer: dict[str, Any] = method(**request)
        except ClientError as error:
            response = dict(error.response)
            raise DynamoDBError(
                error.response["Error"]["Code"], error.response["Error"].get("Message", ""), response
            ) from error
        except BotoCoreError as error:
            raise DynamoDBError("Unreachable", f"{operation}: {type(error).__name__}") from error
        return answer

    return call


def marshal(value: Any) -> dict[str, Any]:
    """A plain value as DynamoDB's AttributeValue."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": format(value)}
        case None:
            return {"NULL": True}
        case Mapping():
            return {"M": marshal_item(value)}
        case list() | tuple():
            return {"L": [marshal(element) for element in value]}
    raise TypeError(f"no DynamoDB type for {type(value).__name__}")


def unmarshal(attribute: Mapping[str, Any]) -> Any:
    """A plain value from DynamoDB's AttributeValue."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return int(value) if value.lstrip("-").isdigit() else float(value)
        case "NULL":
            return None
        case "M":
            return unmarshal_item(value)
        case "L":
            return [unmarshal(element) for element in value]
        case "SS":
            return set(value)
    raise TypeError(f"no plain value for DynamoDB type {kind}")


def marshal_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """All attributes of an item."""
    return {name: marshal(value) for name, value in item.items()}


def unmarshal_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """All attributes of an item, also of a stream record's image."""
    return {name: unmarshal(value) for name, value in item.items()}
