"""The Lambda Runtime API of one execution environment: what the runtime client in it polls and answers.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. One server per execution environment, never shared or
reused: a poll that a dead environment left open would swallow the next event.
"""

import json
import queue
import threading
import time
import uuid
from concurrent.futures import Future
from dataclasses import dataclass, field
from http import HTTPStatus

from sandbox.machine.web import Handler, Server

_VERSION = "/2018-06-01/runtime"
_CLOSED_MESSAGE = "the execution environment was closed"


@dataclass(frozen=True, slots=True)
class Result:
    """What an invocation gave back: the handler's JSON, or with `failed` the error document."""

    payload: bytes
    failed: bool = False


@dataclass(frozen=True, slots=True)
class _Invocation:
    payload: bytes
    deadline_ms: int
    function_arn: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    result: Future[Result] = field(default_factory=Future)


class RuntimeApi:
    """Give `address` to the runtime client as `AWS_LAMBDA_RUNTIME_API`, then `invoke`."""

    def __init__(self) -> None:
        self._next: queue.SimpleQueue[_Invocation | None] = queue.SimpleQueue()
        self._current: _Invocation | None = None
        self._failure: Result | None = None
        self._initialised = threading.Event()
        self._snapshot = threading.Event()
        self._restored = threading.Event()
        self._lock = threading.Lock()
        self._server = Server(lambda *connection: _RuntimeHandler(self, *connection))

    @property
    def address(self) -> str:
        return self._server.address

    def wait_until_initialised(self, timeout_seconds: float) -> Result | None:
        """Wait for the first poll. Returns the failure if there was one; raises `TimeoutError` if there is neither."""
        if not self._initialised.wait(timeout_seconds):
            raise TimeoutError(f"the runtime did not ask for an event within {timeout_seconds:g} s")
        return self._failure

    def wait_until_snapshot(self, timeout_seconds: float) -> Result | None:
        """Wait until a function that starts from snapshots is where Lambda would take one; as above otherwise."""
        if not self._snapshot.wait(timeout_seconds):
            raise TimeoutError(f"the runtime was not ready for a snapshot within {timeout_seconds:g} s")
        return self._failure

    def restore(self) -> None:
        """Let the runtime go on, as it does in an environment that was made from the snapshot."""
        self._restored.set()

    def invoke(self, payload: bytes, *, function_arn: str, timeout_seconds: float) -> Result:
        """Hand one event to the runtime and wait for its answer; `TimeoutError` when the function's time is over.

        One at a time, as in Lambda: the caller does not invoke again before the answer.
        """
        invocation = _Invocation(payload, int((time.time() + timeout_seconds) * 1000), function_arn)
        self._current = invocation
        if self._failure:
            return self._failure
        self._next.put(invocation)
        return invocation.result.result(timeout_seconds)

    def fail(self, *, error_type: str, message: str) -> None:
        """End the running invocation, and every later one, with an error: the environment is gone."""
        self.failed(error_document(error_type=error_type, message=message))

    def close(self) -> None:
        self._restored.set()
        self._next.put(None)
        self._server.close()

    # What the runtime client calls

    def next(self) -> _Invocation | None:
        self._initialised.set()
        return self._next.get()

    def restored(self) -> None:
        self._snapshot.set()
        self._restored.wait()

    def answer(self, request_id: str, result: Result) -> bool:
        """False if it is not the answer to the event that was given out last."""
        with self._lock:
            if self._current is None or self._current.request_id != request_id or self._current.result.done():
                return False
            self._current.result.set_result(result)
            return True

    def failed(self, document: bytes) -> None:
        """The first failure counts: an environment that reported an initialisation error also exits."""
        with self._lock:
            self._failure = self._failure or Result(document, failed=True)
            if self._current and not self._current.result.done():
                self._current.result.set_result(self._failure)
        self._initialised.set()
        self._snapshot.set()


def error_document(*, error_type: str, message: str) -> bytes:
    """An error as Lambda words those that it raises itself."""
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()


class _RuntimeHandler(Handler):
    def __init__(self, api: RuntimeApi, *connection: object) -> None:
        self._api = api
        super().__init__(*connection)  # type: ignore[arg-type]

    def do_GET(self) -> None:  # noqa: N802 - http.server calls it by this name
        if self.path == f"{_VERSION}/restore/next":
            self._api.restored()
            self.reply(HTTPStatus.OK, {})
            return
        if self.path != f"{_VERSION}/invocation/next":
            self.reply(HTTPStatus.NOT_FOUND, {"errorType": "InvalidPath", "errorMessage": self.path})
            return
        invocation = self._api.next()
        if invocation is None:
            self.close_connection = True
            self.reply(HTTPStatus.GONE, {"errorType": "Closed", "errorMessage": _CLOSED_MESSAGE})
            return
        self.reply(
            HTTPStatus.OK,
            invocation.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            },
        )

    def do_POST(self) -> None:  # noqa: N802
        body = self.body()
        match self.path.removeprefix(f"{_VERSION}/").split("/"):
            case ["invocation", request_id, "response" | "error" as kind]:
                accepted = self._api.answer(request_id, Result(body, failed=kind == "error"))
            case ["init" | "restore", "error"]:
                self._api.failed(body)
                accepted = True
            case _:
                accepted = False
        if accepted:
            self.reply(HTTPStatus.ACCEPTED, {"status": "OK"})
        else:
            self.reply(
                HTTPStatus.BAD_REQUEST, {"errorType": "InvalidRequestID", "errorMessage": "not the current event"}
            )
