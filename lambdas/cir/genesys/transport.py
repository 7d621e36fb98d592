"""One request to Genesys Cloud: sent when the pacer permits, observed, and repeated where that does no harm.

What is repeated:
  * by any operation: 429, and a connection that could not be made. Nothing was done yet.
  * by an operation that is safe to repeat: 408, 5xx, no answer in time, a connection that broke. It may have been done.
An operation that is not safe to repeat raises its error with `may_have_applied` in the second case.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO, cast
from urllib.parse import urlsplit

import requests
import urllib3
from requests.auth import AuthBase
from urllib3.exceptions import NameResolutionError, NewConnectionError

from cir.genesys.errors import ConfigurationError, DeadlineError, GenesysError, UnavailableError, error_from_answer
from cir.genesys.pacing import HeaderPacer, Pacer, RateLimit
from cir.http.retries import Attempts, Failure, Retries, Timing, retry_after
from cir.http.session import CONNECT_SECONDS, new_session

READ_SECONDS = 15.0  # an enrich that merges takes seconds; a Lambda gives its own, shorter, time
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 8.0
LONGEST_RETRY_AFTER = 180.0  # a longer Retry-After is an error now; Genesys' own SDK gives up at the same value


class Request(NamedTuple):
    operation: str
    """Its name in metrics, logs and errors, for instance `contacts.get`."""
    method: str
    url: str
    repeatable: bool
    query: Mapping[str, str | list[str]] | None = None
    body: object = None
    form: Mapping[str, str] | None = None


class Answer(NamedTuple):
    status: int
    body: Any
    """Decoded JSON; None where the answer has no content."""


class Call(NamedTuple):
    """One attempt, for metrics: never an id, a body or a query."""

    operation: str
    status: int | None
    """None if there was no answer."""
    seconds: float
    attempt: int


class Transport:
    """Thread-safe: the session is never changed and its pool keeps up to ten connections alive, one per busy thread."""

    def __init__(
        self,
        *,
        session: requests.Session | None = None,
        pacer: Pacer | None = None,
        on_call: Callable[[Call], None] | None = None,
        on_wait: Callable[[float], None] = lambda _: None,
        attempts: int = 5,
        timing: Timing | None = None,
    ) -> None:
        """`on_wait` is told the seconds of each wait that is long enough to be said."""
        self._session = session or _json_session()
        self._on_wait = on_wait
        self.timing = timing or Timing()
        self._pacer = pacer or HeaderPacer(clock=self.timing.clock)
        self._on_call = on_call
        self._retries = Retries(attempts, FIRST_PAUSE, LONGEST_PAUSE, LONGEST_RETRY_AFTER)
        self.rate_limit: RateLimit | None = None
        """As the latest answer told it."""

    def exchange(
        self, request: Request, *, auth: AuthBase, deadline: float | None, cost: int = 1, paced: bool = True
    ) -> Answer:
        """The answer, or a GenesysError. `deadline` is a reading of the clock after which nothing more is tried."""
        attempts = Attempts(self._retries, self.timing, deadline=deadline, on_wait=self._on_wait)
        while True:
            if paced:
                self._await_permission(request, attempts, cost)
            headers: Mapping[str, str] = {}
            try:
                result, headers = self._attempt(request, auth, deadline, attempts.number)
                if isinstance(result, Failure) and result.throttled:
                    # all who share the limit pause, also where the answer does not say for how long
                    headers = {**headers, "retry-after": str(attempts.demanded(result))}
            finally:
                if paced:
                    self._pacer.after_response(headers, cost)
                    self.rate_limit = RateLimit.from_headers(headers) or self.rate_limit
            if isinstance(result, Answer):
                return result
            attempts.pause(result)

    @contextmanager
    def download(self, request: Request, *, auth: AuthBase, deadline: float | None) -> Iterator[TextIO]:
        """A file as text, read while it arrives. Not paced: files do not come from the API."""
        error: Exception
        try:
            with self._session.request(
                request.method, request.url, auth=auth, timeout=self._timeout(request, deadline), stream=True
            ) as response:
                if response.ok:
                    response.raw.decode_content = True
                    response.raw.auto_close = False  # else the reader meets a closed file at its end
                    # A byte order mark is skipped; line ends inside a quoted field are kept.
                    yield io.TextIOWrapper(cast(BinaryIO, response.raw), encoding="utf-8-sig", newline="")
                    return
                error = _refusal(request, response)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as problem:
            error = _no_answer(request, problem).error
        raise error from None

    def upload(
        self, request: Request, path: Path, *, headers: Mapping[str, str], auth: AuthBase, deadline: float | None
    ) -> None:
        """Send a file. Not paced: files do not go to the API."""
        attempts = Attempts(self._retries, self.timing, deadline=deadline, on_wait=self._on_wait)
        while True:
            try:
                with path.open("rb") as file:
                    response = self._session.request(
                        request.method,
                        request.url,
                        data=file,
                        headers=headers,
                        auth=auth,
                        timeout=self._timeout(request, deadline),
                        allow_redirects=False,
                    )
                if response.ok:
                    return
                failure = _failure(request, _refusal(request, response), never_done=True)
            except requests.RequestException as problem:
                failure = _no_answer(request, problem)
            attempts.pause(failure)

    def _await_permission(self, request: Request, attempts: Attempts, cost: int) -> None:
        while (wait := self._pacer.before_request(cost)) > 0:
            if not attempts.allow(wait):
                raise attempts.last or DeadlineError(
                    f"{request.operation}: the request limit leaves no room for {wait:.1f} s, more than the time given",
                    operation=request.operation,
                )
            attempts.wait(wait)

    def _attempt(
        self, request: Request, auth: AuthBase, deadline: float | None, attempt: int
    ) -> tuple[Answer | Failure, Mapping[str, str]]:
        timeout = self._timeout(request, deadline)
        started = self.timing.clock()
        status: int | None = None
        try:
            response = self._session.request(
                request.method,
                request.url,
                params=request.query,
                json=request.body,
                data=request.form,
                auth=auth,
                timeout=timeout,
                # A redirect would carry the token to another address.
                allow_redirects=False,
            )
            status = response.status_code
            return _read(request, response), response.headers
        except requests.RequestException as problem:
            return _no_answer(request, problem), {}
        finally:
            if self._on_call:
                self._on_call(Call(request.operation, status, self.timing.clock() - started, attempt))

    def _timeout(self, request: Request, deadline: float | None) -> tuple[float, float]:
        if deadline is None:
            return CONNECT_SECONDS, READ_SECONDS
        left = deadline - self.timing.clock()
        if left <= 0:
            raise DeadlineError(
                f"{request.operation}: no time was left to call Genesys Cloud", operation=request.operation
            )
        return min(CONNECT_SECONDS, left), min(READ_SECONDS, left)


def _json_session() -> requests.Session:
    session = new_session()
    session.headers["Accept"] = "application/json"
    return session


def _read(request: Request, response: requests.Response) -> Answer | Failure:
    status = response.status_code
    if 200 <= status < 300:
        if not response.content:
            return Answer(status, None)
        try:
            return Answer(status, response.json())
        except requests.JSONDecodeError:
            error = GenesysError(
                f"{request.operation}: {_origin(request.url)} answered {status} with something that is not JSON. "
                "Check that GENESYS_HOST or GENESYS_URL is the address of Genesys Cloud.",
                operation=request.operation,
                status=status,
            )
            return _failure(request, error, never_done=False)
    throttled = status == requests.codes.too_many_requests
    failure = _failure(request, _refusal(request, response), never_done=throttled)
    return failure._replace(retry_after=retry_after(response.headers) or 0.0, throttled=throttled)


def _failure(request: Request, error: GenesysError, *, never_done: bool) -> Failure:
    return Failure(error, error.temporary and (never_done or request.repeatable))


def _refusal(request: Request, response: requests.Response) -> GenesysError:
    try:
        body = response.json()
    except requests.JSONDecodeError:
        body = None
    return error_from_answer(
        request.operation,
        response.status_code,
        body,
        correlation_id=response.headers.get("ININ-Correlation-Id", ""),
        sent=[request.query, request.body],
        repeatable=request.repeatable,
    )


def _no_answer(request: Request, problem: Exception) -> Failure:
    """An error without a cause: requests' own texts quote the URL, and a query can hold a phone number."""
    reason = getattr(problem.args[0] if problem.args else None, "reason", None)
    never_done = True
    kind: type[GenesysError] = UnavailableError
    match problem:
        case requests.exceptions.ProxyError():
            why = "the proxy refuses"
        case requests.exceptions.SSLError() if "CERTIFICATE_VERIFY_FAILED" in str(problem):
            why, kind = "its TLS certificate is not trusted", ConfigurationError
        case (
            requests.exceptions.InvalidSchema() | requests.exceptions.InvalidURL() | requests.exceptions.MissingSchema()
        ):
            why, kind = "it is not an address such as https://api.mypurecloud.ie", ConfigurationError
        case requests.ConnectTimeout():
            why = "no connection in time"
        case _ if isinstance(reason, NameResolutionError):
            why = "the name does not resolve"
        case _ if isinstance(reason, NewConnectionError):
            why = "connection refused"
        case requests.ReadTimeout() | urllib3.exceptions.ReadTimeoutError():
            why, never_done = "no answer in time", False
        case _:
            why, never_done = "the connection broke", False
    advice = (
        "Check GENESYS_HOST (or GENESYS_URL) and that there is a route to it."
        if never_done
        else "The call may have been carried out: look before repeating it."
        if not request.repeatable
        else "Try again later."
    )
    error = kind(
        f"{request.operation}: cannot reach {_origin(request.url)}: {why}. {advice}",
        operation=request.operation,
        may_have_applied=not never_done and not request.repeatable,
    )
    return _failure(request, error, never_done=never_done)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else url.partition("?")[0]
