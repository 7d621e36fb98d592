"""The part of the Lambda API that invokes functions, so that boto3 or a plain HTTP client can, and their logs.

* `POST /2015-03-31/functions/NAME/invocations`, as in
  https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html. Signatures are not checked.
* `GET /sandbox/logs?contains=TEXT&function=NAME&wait=SECONDS`: the log events that contain the text.
"""

import json
import uuid
from dataclasses import asdict
from http import HTTPStatus
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.aws.functions import Functions, StoppedError, UnknownFunctionError
from sandbox.aws.logs import Logs
from sandbox.machine.web import Handler, Server

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB synchronous, 1 MB asynchronous
_MAX_BYTES = {"RequestResponse": 6 * 1024 * 1024, "Event": 1024 * 1024, "DryRun": 6 * 1024 * 1024}
_LONGEST_WAIT_SECONDS = 30.0


class InvokeApi:
    """Serves from construction until `close`."""

    def __init__(self, functions: Functions, *, logs: Logs, port: int = 0) -> None:
        self._server = Server(lambda *connection: _InvokeHandler(functions, logs, *connection), port=port)

    @property
    def url(self) -> str:
        return f"http://{self._server.address}"

    def close(self) -> None:
        self._server.close()


class _InvokeHandler(Handler):
    def __init__(self, functions: Functions, logs: Logs, *connection: object) -> None:
        self._functions = functions
        self._logs = logs
        super().__init__(*connection)  # type: ignore[arg-type]

    def do_GET(self) -> None:  # noqa: N802 - http.server calls it by this name
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path != "/sandbox/logs" or "contains" not in query:
            self._refuse(HTTPStatus.NOT_FOUND, "ResourceNotFoundException", "try /sandbox/logs?contains=TEXT")
            return
        try:
            wait = min(float(query.get("wait", 0)), _LONGEST_WAIT_SECONDS)
        except ValueError:
            self._refuse(HTTPStatus.BAD_REQUEST, "InvalidParameterValueException", "wait is a number of seconds")
            return
        found = self._logs.find(query["contains"], function=query.get("function"), timeout_seconds=wait)
        self.reply(HTTPStatus.OK, {"events": [asdict(event) for event in found]})

    def do_POST(self) -> None:  # noqa: N802
        payload = self.body() or b"{}"
        match urlsplit(self.path).path.split("/"):
            case ["", "2015-03-31", "functions", name, "invocations"]:
                self._invoke(_plain_name(unquote(name)), payload)
            case _:
                self._refuse(HTTPStatus.NOT_FOUND, "ResourceNotFoundException", "only invocations are served here")

    def _invoke(self, name: str, payload: bytes) -> None:
        kind = self.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind not in _MAX_BYTES:
            self._refuse(HTTPStatus.BAD_REQUEST, "InvalidParameterValueException", f"no invocation type {kind!r}")
            return
        if len(payload) > _MAX_BYTES[kind]:
            message = (
                f"{len(payload)} byte payload is too large for the {kind} invocation type ({_MAX_BYTES[kind]} bytes)"
            )
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestTooLargeException", message)
            return
        try:
            json.loads(payload)
        except ValueError:
            message = "Could not parse request body into json"
            self._refuse(HTTPStatus.BAD_REQUEST, "InvalidRequestContentException", message)
            return
        try:
            self._deliver(name, kind, payload)
        except UnknownFunctionError as error:
            self._refuse(HTTPStatus.NOT_FOUND, "ResourceNotFoundException", str(error))
        except StoppedError as error:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "ServiceException", str(error))

    def _deliver(self, name: str, kind: str, payload: bytes) -> None:
        if kind == "DryRun":
            self._functions.require(name)
            self._answer(HTTPStatus.NO_CONTENT, b"")
        elif kind == "Event":
            self._functions.invoke_later(name, payload)
            self._answer(HTTPStatus.ACCEPTED, b"")
        else:
            result = self._functions.invoke(name, payload)
            self._answer(HTTPStatus.OK, result.payload, {"X-Amz-Function-Error": "Unhandled"} if result.failed else {})

    def _answer(self, status: HTTPStatus, body: bytes, headers: dict[str, str] | None = None) -> None:
        common = {"x-amzn-RequestId": str(uuid.uuid4()), "X-Amz-Executed-Version": "$LATEST"}
        self.reply(status, body, common | (headers or {}))

    def _refuse(self, status: HTTPStatus, error: str, message: str) -> None:
        self.reply(status, {"Type": "User", "Message": message}, {"x-amzn-ErrorType": error})


def _plain_name(name: str) -> str:
    """The function's name out of a name, `name:alias`, a partial or a full ARN."""
    parts = name.split(":")
    return parts[parts.index("function") + 1] if "function" in parts else parts[0]
