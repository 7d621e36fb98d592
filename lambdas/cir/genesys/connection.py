"""The way to one Genesys Cloud organization: its addresses, its access token, and requests that carry it."""

import copy
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Self, TextIO
from urllib.parse import quote

from requests.auth import HTTPBasicAuth

from cir.genesys.errors import (
    ConfigurationError,
    CredentialsError,
    DeadlineError,
    GenesysError,
    InvalidRequestError,
    NotFoundError,
    NotGenesysError,
)
from cir.genesys.transport import Answer, Request, Transport
from cir.http.oauth import AccessToken, Bearer, Credentials, Grant, NoAuthorization, TokenTimeoutError
from cir.identity.identifiers import mask

HOSTS = {
    "us-east-1": "mypurecloud.com",
    "us-east-2": "use2.us-gov-pure.cloud",
    "us-west-2": "usw2.pure.cloud",
    "ca-central-1": "cac1.pure.cloud",
    "sa-east-1": "sae1.pure.cloud",
    "mx-central-1": "mxc1.pure.cloud",
    "eu-west-1": "mypurecloud.ie",
    "eu-west-2": "euw2.pure.cloud",
    "eu-central-1": "mypurecloud.de",
    "eu-central-2": "euc2.pure.cloud",
    "eusc-de-east-1": "edee1.eusc-pure.cloud",
    "me-central-1": "mec1.pure.cloud",
    "ap-south-1": "aps1.pure.cloud",
    "ap-northeast-1": "mypurecloud.jp",
    "ap-northeast-2": "apne2.pure.cloud",
    "ap-northeast-3": "apne3.pure.cloud",
    "ap-southeast-1": "apse1.pure.cloud",
    "ap-southeast-2": "mypurecloud.com.au",
}
"""AWS region of the organization → its domain; the API is at `api.` and the login at `login.` of it."""

type Parameter = str | int | bool | Sequence[str]


def host_of(name: str) -> str:
    """The domain for a host (`mypurecloud.ie`, `https://apps.mypurecloud.ie`) or region (`eu-west-1`)."""
    host = name.strip().lower().rpartition("//")[2].partition("/")[0]
    host = host.removeprefix("api.").removeprefix("login.").removeprefix("apps.")
    host = HOSTS.get(host, host)
    if host not in HOSTS.values():
        known = ", ".join(f"{domain} ({region})" for region, domain in HOSTS.items())
        raise ConfigurationError(f"GENESYS_HOST {name!r} is not a Genesys Cloud region. Set it to one of: {known}.")
    return host


class Connection:
    """Sends requests with a valid token. Thread-safe; views made by `within` share token, pacer and session."""

    def __init__(
        self,
        *,
        api_url: str,
        login_url: str,
        credentials: Credentials | Callable[[], Credentials],
        transport: Transport,
    ) -> None:
        self.api_url = api_url.rstrip("/")
        self.transport = transport
        self._login_url = login_url.rstrip("/")
        self._credentials = credentials
        self._token = AccessToken(transport.timing.clock)
        self._deadline: float | None = None

    def within(self, seconds: float) -> Self:
        """The same connection for work that must be over in so many seconds from now."""
        view = copy.copy(self)
        view._deadline = self.transport.timing.clock() + seconds
        return view

    @property
    def deadline(self) -> float | None:
        return self._deadline

    def request(
        self,
        operation: str,
        method: str,
        path: Sequence[str],
        *,
        repeatable: bool,
        query: Mapping[str, Parameter | None] | None = None,
        body: object = None,
    ) -> Answer:
        """Call the API. `path` is what follows `/api/v2/`, in parts. Parameters that are None are left out."""
        if not {"", ".", ".."}.isdisjoint(path):  # would be a call on something else
            raise ValueError(f"{operation}: an id is empty or a dot")
        request = Request(
            operation=operation,
            method=method,
            url="/".join([self.api_url, "api/v2", *(quote(part, safe="") for part in path)]),
            repeatable=repeatable,
            query={name: _written(value) for name, value in (query or {}).items() if value is not None},
            body=body,
        )
        token = self._valid_token()
        try:
            return self.transport.exchange(request, auth=Bearer(token), deadline=self._deadline)
        except CredentialsError as error:
            if error.code == "ip.not.authorized":
                raise
        # A token can end early: revoked, or idle for longer than the organization allows.
        self._token.discard(token)
        return self.transport.exchange(request, auth=Bearer(self._valid_token()), deadline=self._deadline)

    def download(self, operation: str, url: str) -> AbstractContextManager[TextIO]:
        """A file that Genesys Cloud wrote, as text."""
        # A file can lie elsewhere, behind a signed link: the token goes to the API only.
        own = url.startswith(f"{self.api_url}/api/")
        auth = Bearer(self._valid_token()) if own else NoAuthorization()
        request = Request(operation, "GET", url, repeatable=True)
        return self.transport.download(request, auth=auth, deadline=self._deadline)

    def upload(self, operation: str, url: str, file: Path, *, headers: Mapping[str, str]) -> None:
        """Send a file to where Genesys Cloud wants it. The address is signed: no token goes there. Repeated."""
        request = Request(operation, "PUT", url, repeatable=True)
        self.transport.upload(request, file, headers=headers, auth=NoAuthorization(), deadline=self._deadline)

    def _valid_token(self) -> str:
        left = None if self._deadline is None else self._deadline - self.transport.timing.clock()
        try:
            return self._token.get(self._log_in, wait_seconds=left)
        except TokenTimeoutError:
            raise DeadlineError("login: no access token within the time given", operation="login") from None

    def _log_in(self) -> Grant:
        # Asked for every time, so a rotated secret is taken up without a restart.
        credentials = self._credentials() if callable(self._credentials) else self._credentials
        request = Request(
            operation="login",
            method="POST",
            url=f"{self._login_url}/oauth/token",
            repeatable=True,
            form={"grant_type": "client_credentials"},
        )
        refusal: GenesysError | None = None
        try:
            body = self.transport.exchange(
                request,
                auth=HTTPBasicAuth(credentials.client_id, credentials.client_secret),
                deadline=self._deadline,
                paced=False,
            ).body
        except (CredentialsError, InvalidRequestError) as error:
            refusal = error
        except (NotFoundError, NotGenesysError):
            body = None
        if refusal:
            raise CredentialsError(
                f"login: Genesys Cloud at {self._login_url} does not accept the OAuth client "
                f"{mask(credentials.client_id)} ({refusal.status} {refusal.code}). Check its id and secret, that its "
                "grant type is Client Credentials, and that GENESYS_HOST is the organization's region.",
                operation="login",
                status=refusal.status,
                code=refusal.code,
                correlation_id=refusal.correlation_id,
            )
        grant = Grant.read(body)
        if grant is None:
            raise ConfigurationError(
                f"login: {self._login_url} answered without an access token. Is it the login host of Genesys Cloud?",
                operation="login",
            )
        return grant


def _written(value: Parameter) -> str | list[str]:
    match value:
        case bool():
            return str(value).lower()
        case str() | int():
            return str(value)
        case _:
            return list(value)
