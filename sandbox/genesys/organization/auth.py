"""Access tokens of the client credentials grant, and the request budget of each."""

import math
import secrets
from dataclasses import dataclass

from .clock import Clock
from .errors import ApiError, generic, rate_limited
from .settings import Settings

UNLIMITED = 1_000_000  # what the headers say when no limit is set


@dataclass(slots=True, eq=False)
class Token:
    value: str
    client_id: str
    issued: float
    expires: float
    counter: "Counter"


@dataclass(slots=True)
class Counter:
    """Requests in the current window."""

    window_started: float = 0.0
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Allowance:
    """The state of a token's request budget after a request, as its response headers tell it."""

    count: int
    allowed: int
    reset_s: int

    @property
    def exceeded(self) -> bool:
        return self.count > self.allowed

    def headers(self) -> dict[str, str]:
        return {
            "inin-ratelimit-count": str(self.count),
            "inin-ratelimit-allowed": str(self.allowed),
            "inin-ratelimit-reset": str(self.reset_s),
        }

    def error(self) -> ApiError:
        return rate_limited(limit=self.allowed, retry_after=self.reset_s)


class Tokens:
    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[str, Token] = {}
        self._of_clients: dict[str, Counter] = {}

    def issue(self, *, client_id: str, lifetime_s: int) -> Token:
        now = self._clock.now()
        token = Token(secrets.token_urlsafe(48), client_id, now, now + lifetime_s, Counter())
        self._tokens[token.value] = token
        return token

    def authenticate(self, authorization: str | None) -> Token:
        scheme, _, value = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not value:
            message = "No authentication bearer token specified in authorization header."
            raise ApiError(401, "authentication.required", message)
        token = self._tokens.get(value.strip())
        if token is None or token.expires <= self._clock.now():
            raise generic(401)
        return token

    def revoke(self, token: Token) -> None:
        self._tokens.pop(token.value, None)

    def charge(self, token: Token, settings: Settings) -> Allowance:
        now = self._clock.now()
        counter = token.counter
        if settings.rate_limit_shared:
            counter = self._of_clients.setdefault(token.client_id, Counter())
        if now - counter.window_started >= settings.rate_window_s:
            counter.window_started, counter.requests = now, 0
        counter.requests += 1
        left = settings.rate_window_s - (now - counter.window_started)
        return Allowance(counter.requests, settings.rate_limit or UNLIMITED, max(1, math.ceil(left)))
