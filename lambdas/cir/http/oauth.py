"""OAuth 2.0 with the grant type Client Credentials (RFC 6749, section 4.4): one access token, renewed before its end.

How a service is asked for a token, and what its refusal means, is the service's own.
"""

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import requests
from requests.auth import AuthBase

RENEW_EARLY_SECONDS = 60.0
"""A token is renewed so long before its end (or a tenth of its life, if that is less)."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An OAuth client of the grant type Client Credentials."""

    client_id: str
    client_secret: str = field(repr=False)


class Grant(NamedTuple):
    """What a service answers to a login."""

    token: str
    seconds: float
    """The life of the token; infinite where the service does not say."""

    @classmethod
    def read(cls, body: object) -> Self | None:
        """From the decoded JSON; None if there is no usable token in it."""
        token = body.get("access_token") if isinstance(body, Mapping) else None
        if not isinstance(body, Mapping) or not isinstance(token, str) or not token:
            return None
        seconds = body.get("expires_in")
        try:
            return cls(token, math.inf if seconds is None else float(seconds))
        except (ValueError, TypeError, OverflowError):
            return None


class TokenTimeoutError(Exception):
    """Another thread's login takes longer than this one may wait."""


class AccessToken:
    """One token for all threads: whoever finds it missing logs in, the others wait for that."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._value = ""
        self._renew_at = 0.0

    def get(self, log_in: Callable[[], Grant], *, wait_seconds: float | None = None) -> str:
        """The token; `log_in` is called where there is none. Raises what that raises.

        Raises TokenTimeoutError if the login of another thread is not over within `wait_seconds`.
        """
        if not self._lock.acquire(timeout=-1.0 if wait_seconds is None else max(wait_seconds, 0.0)):
            raise TokenTimeoutError
        try:
            if not self._value or self._clock() >= self._renew_at:
                asked_at = self._clock()
                grant = log_in()
                self._value = grant.token
                self._renew_at = asked_at + grant.seconds - min(RENEW_EARLY_SECONDS, grant.seconds / 10)
            return self._value
        finally:
            self._lock.release()

    def discard(self, rejected: str) -> None:
        """Forget the token that the service rejected, unless another thread has replaced it already."""
        with self._lock:
            if self._value == rejected:
                self._value = ""


class Bearer(AuthBase):
    """An auth object and not a plain header, because requests lets a matching `.netrc` entry replace the header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class NoAuthorization(AuthBase):
    """Keeps also a `.netrc` entry out of a request."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request
