"""Requests to a CRM: with a token, within its limits, repeated where it asks for that. All of them only read.

Texts that a CRM writes into its errors can quote a record or a query: of an error only its code is passed on.
"""

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from cir.crm.connectors.credentials import Access
from cir.crm.connectors.errors import CrmError

CONNECT_SECONDS = 3.05  # just above TCP's first retransmission after 3 s
FIRST_PAUSE = 0.5  # seconds; doubled with every attempt, the pause is anything between 0 and that
LONGEST_PAUSE = 30.0
RENEW_EARLY_SECONDS = 60.0
_TEMPORARY = frozenset({408, 429, 500, 502, 503, 504})
_HOPELESS = (
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.ProxyError,
    requests.exceptions.SSLError,
)
_CODE = re.compile(r"[\w. -]{1,60}")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done for one answer."""

    attempts: int
    read_seconds: float
    longest_retry_after: float
    """Of seconds that the CRM may demand; whoever demands more is to be asked another time."""


BULK = Effort(attempts=6, read_seconds=120.0, longest_retry_after=330.0)
"""Salesforce ends a query after 120 s, Dataverse counts requests in windows of 300 s."""
LIVE = Effort(attempts=3, read_seconds=10.0, longest_retry_after=5.0)
"""A queue waits behind it, and tries again by itself."""
ONCE = Effort(attempts=1, read_seconds=10.0, longest_retry_after=0.0)


@dataclass(frozen=True, slots=True)
class Api:
    """Where a CRM's API is, and what its requests and errors have of their own."""

    name: str
    """First part of operations: `salesforce`."""
    access: Access
    token_path: str
    """Where tokens come from, below the login's address."""
    error_code: Callable[[Any], str]
    """The code in a decoded error body; empty where there is none."""
    token_form: Mapping[str, str] = field(default_factory=dict)
    """What a login sends besides the grant type and the credentials."""
    temporary_codes: frozenset[str] = frozenset()
    """Codes that pass by themselves, whatever the status."""


@dataclass(slots=True)
class Timing:
    """Replaced in tests."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform


class Web:
    """One session with one CRM."""

    def __init__(self, api: Api, timing: Timing | None = None) -> None:
        self._api = api
        self._url = api.access.url
        self._token_url = api.access.login_url + api.token_path
        self._timing = timing or Timing()
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._token = ""
        self._renew_at = 0.0

    def sleep(self, seconds: float) -> None:
        self._timing.sleep(seconds)

    def send(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        effort: Effort = BULK,
    ) -> requests.Response:
        """The answer to a request; `path` may be a link that the CRM has given. Raises CrmError."""
        operation = f"{self._api.name}.{operation}"
        request = requests.Request(method, self._absolute(path, operation), dict(headers or {}), params=query)
        if body is not None:
            request.json = body
        try:
            return self._repeat(request, operation, effort)
        except CrmError as error:
            if error.status != requests.codes.unauthorized:
                raise
        # A token can end early: revoked, or its session timed out. Once only: a new one that fails too is no accident.
        self._token = ""
        return self._repeat(request, operation, effort)

    def _absolute(self, path: str, operation: str) -> str:
        """The token goes to the CRM only, whatever a link says."""
        ours, given = urlsplit(self._url), urlsplit(path)
        if not given.netloc:
            return self._url + path
        if (given.scheme, given.netloc) != (ours.scheme, ours.netloc):
            raise CrmError(f"{operation}: a link leads to {given.netloc}, away from {ours.netloc}", operation=operation)
        return path

    def _repeat(
        self, request: requests.Request, operation: str, effort: Effort, *, with_token: bool = True
    ) -> requests.Response:
        for attempt in range(1, effort.attempts + 1):
            if with_token:
                request.auth = _Bearer(self._valid_token(effort))
            answer = self._attempt(request, operation, effort)
            if isinstance(answer, requests.Response):
                return answer
            error, demanded = answer
            pause = self._timing.uniform(0.0, min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE)) + demanded
            if not error.temporary or attempt == effort.attempts or demanded > effort.longest_retry_after:
                raise error
            self._timing.sleep(pause)
        raise AssertionError("at least one attempt is made")

    def _attempt(
        self, request: requests.Request, operation: str, effort: Effort
    ) -> requests.Response | tuple[CrmError, float]:
        """The answer, or why there is none and how many seconds the CRM wants to be left alone."""
        try:
            # Not `send`, which would leave out the proxies and authorities of the environment.
            response = self._session.request(
                request.method,
                request.url,
                headers=request.headers,
                params=request.params,
                json=request.json,
                data=request.data,
                auth=request.auth,
                timeout=(CONNECT_SECONDS, effort.read_seconds),
                allow_redirects=False,  # would carry the token to another address
            )
        except requests.RequestException as problem:
            # Its own text quotes the URL, and with it the query.
            temporary = not isinstance(problem, _HOPELESS)
            text = f"{operation}: no answer from {self._url} ({type(problem).__name__}). Check CRM_URL."
            return CrmError(text, operation=operation, temporary=temporary), 0.0
        if response.ok and response.status_code < requests.codes.multiple_choices:
            return response
        return self._refusal(response, operation), _retry_after(response.headers)

    def _refusal(self, response: requests.Response, operation: str) -> CrmError:
        try:
            code = self._api.error_code(response.json())
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            code = ""
        code = code if _CODE.fullmatch(code) else ""
        status = response.status_code
        temporary = status in _TEMPORARY or code in self._api.temporary_codes
        advice = {
            401: "Check the OAuth client, and that its user may use the API.",
            403: "The OAuth client's user lacks a permission on this object or one of its fields.",
            404: "Check CRM_URL, and `object` in the mapping.",
        }.get(status, "Check `object` and the fields of the mapping." if status == requests.codes.bad_request else "")
        if temporary:
            advice = "Try again later."
        text = f"{operation}: {self._url} answered {' '.join(filter(None, [str(status), code]))}. {advice}".strip()
        return CrmError(text, operation=operation, status=status, code=code, temporary=temporary)

    def _valid_token(self, effort: Effort) -> str:
        if not self._token or self._timing.clock() >= self._renew_at:
            self._log_in(effort)
        return self._token

    def _log_in(self, effort: Effort) -> None:
        # Asked for every time, so a rotated secret is taken up without a restart.
        credentials, asked_at = self._api.access.credentials(), self._timing.clock()
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            **self._api.token_form,
        }
        operation = f"{self._api.name}.login"
        request = requests.Request("POST", self._token_url, data=form, auth=_NoAuthorization())
        try:
            response = self._repeat(request, operation, effort, with_token=False)
        except CrmError as error:
            if error.temporary or error.status is None:
                raise
            raise CrmError(
                f"{operation}: {urlsplit(self._token_url).netloc} does not accept the OAuth client "
                f"({error.status} {error.code}). Check its id and secret, and that it may use Client Credentials.",
                operation=operation,
                code=error.code,
            ) from None
        try:
            answer = response.json()
            self._token = str(answer["access_token"])
            lifetime = float(answer["expires_in"]) if "expires_in" in answer else float("inf")
        except (ValueError, KeyError, TypeError):
            raise CrmError(
                f"{operation}: {self._token_url} answered without an access token", operation=operation
            ) from None
        self._renew_at = asked_at + lifetime - min(RENEW_EARLY_SECONDS, lifetime / 10)


def decoded(response: requests.Response, operation: str) -> dict[str, Any]:
    """The JSON object of an answer. Raises CrmError."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise CrmError(f"{operation}: the answer is not a JSON object. Check CRM_URL.", operation=operation)
    return body


def _retry_after(headers: Mapping[str, str]) -> float:
    try:
        return max(float(headers.get("Retry-After", "")), 0.0)
    except ValueError:
        return 0.0


class _Bearer(AuthBase):
    """An auth object and not a plain header, because requests lets a matching `.netrc` entry replace the header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _NoAuthorization(AuthBase):
    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request
