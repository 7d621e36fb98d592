"""Requests to a CRM: with a token, within its limits, repeated where it asks for that. All of them only read.

Texts that a CRM writes into its errors can quote a record or a query: of an error only its code is passed on.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from cir.crm.connectors.credentials import Access
from cir.crm.connectors.errors import CrmError
from cir.http.oauth import AccessToken, Bearer, Grant, NoAuthorization
from cir.http.retries import Attempts, Failure, Retries, Timing, retry_after
from cir.http.session import CONNECT_SECONDS, new_session

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

    retries: Retries
    read_seconds: float


BULK = Effort(Retries(6, first_pause=0.5, longest_pause=30.0, longest_retry_after=330.0), read_seconds=120.0)
"""Salesforce ends a query after 120 s, Dataverse counts requests in windows of 300 s."""
LIVE = Effort(Retries(3, first_pause=0.5, longest_pause=30.0, longest_retry_after=5.0), read_seconds=10.0)
"""A queue waits behind it, and tries again by itself."""
ONCE = Effort(Retries(1, first_pause=0.0, longest_pause=0.0, longest_retry_after=0.0), read_seconds=10.0)


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


class Web:
    """One session with one CRM."""

    def __init__(self, api: Api, timing: Timing | None = None) -> None:
        self._api = api
        self._url = api.access.url
        self._token_url = api.access.login_url + api.token_path
        self._timing = timing or Timing()
        self._session = new_session()
        self._token = AccessToken(self._timing.clock)

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
        token = self._valid_token(effort)
        try:
            return self._repeat(request, Bearer(token), operation, effort)
        except CrmError as error:
            if error.status != requests.codes.unauthorized:
                raise
        # A token can end early: revoked, or its session timed out. Once only: a new one that fails too is no accident.
        self._token.discard(token)
        return self._repeat(request, Bearer(self._valid_token(effort)), operation, effort)

    def _absolute(self, path: str, operation: str) -> str:
        """The token goes to the CRM only, whatever a link says."""
        ours, given = urlsplit(self._url), urlsplit(path)
        if not given.netloc:
            return self._url + path
        if (given.scheme, given.netloc) != (ours.scheme, ours.netloc):
            raise CrmError(f"{operation}: a link leads to {given.netloc}, away from {ours.netloc}", operation=operation)
        return path

    def _repeat(self, request: requests.Request, auth: AuthBase, operation: str, effort: Effort) -> requests.Response:
        attempts = Attempts(effort.retries, self._timing)
        while isinstance(answer := self._attempt(request, auth, operation, effort), Failure):
            attempts.pause(answer)
        return answer

    def _attempt(
        self, request: requests.Request, auth: AuthBase, operation: str, effort: Effort
    ) -> requests.Response | Failure:
        try:
            # Not `send`, which would leave out the proxies and authorities of the environment.
            response = self._session.request(
                request.method,
                request.url,
                headers=request.headers,
                params=request.params,
                json=request.json,
                data=request.data,
                auth=auth,
                timeout=(CONNECT_SECONDS, effort.read_seconds),
                allow_redirects=False,  # would carry the token to another address
            )
        except requests.RequestException as problem:
            # Its own text quotes the URL, and with it the query.
            temporary = not isinstance(problem, _HOPELESS)
            text = f"{operation}: no answer from {self._url} ({type(problem).__name__}). Check CRM_URL."
            return Failure(CrmError(text, operation=operation, temporary=temporary), temporary)
        if response.ok and response.status_code < requests.codes.multiple_choices:
            return response
        error = self._refusal(response, operation)
        throttled = response.status_code == requests.codes.too_many_requests
        return Failure(error, error.temporary, retry_after(response.headers) or 0.0, throttled)

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
        return self._token.get(lambda: self._log_in(effort))

    def _log_in(self, effort: Effort) -> Grant:
        # Asked for every time, so a rotated secret is taken up without a restart.
        credentials = self._api.access.credentials()
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            **self._api.token_form,
        }
        operation = f"{self._api.name}.login"
        request = requests.Request("POST", self._token_url, data=form)
        try:
            response = self._repeat(request, NoAuthorization(), operation, effort)
        except CrmError as error:
            if error.temporary or error.status is None:
                raise
            raise CrmError(
                f"{operation}: {urlsplit(self._token_url).netloc} does not accept the OAuth client "
                f"({error.status} {error.code}). Check its id and secret, and that it may use Client Credentials.",
                operation=operation,
                code=error.code,
            ) from None
        grant = Grant.read(_json(response))
        if grant is None:
            raise CrmError(f"{operation}: {self._token_url} answered without an access token", operation=operation)
        return grant


def decoded(response: requests.Response, operation: str) -> dict[str, Any]:
    """The JSON object of an answer. Raises CrmError."""
    body = _json(response)
    if not isinstance(body, dict):
        raise CrmError(f"{operation}: the answer is not a JSON object. Check CRM_URL.", operation=operation)
    return body


def _json(response: requests.Response) -> object:
    """None where the answer is no JSON."""
    try:
        body: object = response.json()
    except ValueError:
        return None
    return body
