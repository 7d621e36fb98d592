"""What happens to every request before and after its operation: identity, budget, faults, latency, bodies, errors."""

import asyncio
import base64
import binascii
import hmac
import json
import logging
import uuid
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from ..organization import errors
from ..organization.errors import JSON, ApiError
from ..organization.events import EventLog, correlation_id
from ..organization.faults import Fault
from ..organization.organization import MAX_BODY_BYTES
from ..organization.settings import Settings
from ..world import World
from .calls import Call, Reply
from .routes import Operation

CORRELATION_HEADER = "ININ-Correlation-Id"
TOKEN_OPERATION = "POST /oauth/token"

_NO_CACHE = {"Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache", "Expires": "0"}
_log = logging.getLogger(__name__)


def json_response(status: int, body: JSON | None, headers: dict[str, str]) -> Response:
    if body is None:
        return Response(status_code=status, headers=headers)
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, headers, "application/json")


def _reached_at(request: Request) -> str:
    """Where the client reaches this: by a host name of Genesys', TLS has been ended in front of this server."""
    url = request.base_url
    if (url.hostname or "").startswith("api."):
        url = url.replace(scheme="https")
    return str(url).rstrip("/")


class Gateway:
    """Holds the world that requests meet; a reset puts a new one in its place."""

    def __init__(self, settings: Settings) -> None:
        self.started_with = settings
        self.events = EventLog(settings)
        self.world = World(settings, events=self.events)

    def reset(self) -> None:
        """Everything as at the start, settings included. The numbers of events go on, so that their readers can."""
        self.world.jobs.stop()
        self.events.forget()
        self.events.configure(self.started_with)
        self.world = World(self.started_with, events=self.events)

    async def answer(self, operation: Operation, request: Request) -> Response:
        world = self.world
        context = str(uuid.uuid4())
        correlation_id.set(context)
        headers = {CORRELATION_HEADER: context, **_NO_CACHE}
        try:
            reply = await self._perform(world, operation, request, headers)
        except ApiError as error:
            reply = _error_reply(error, context, headers)
        except Exception:
            _log.exception("the emulator failed at %s", operation.name)
            reply = _error_reply(errors.generic(500), context, headers)
        world.count(operation.name, reply.status)
        return json_response(reply.status, reply.body, headers)

    async def _perform(self, world: World, operation: Operation, request: Request, headers: dict[str, str]) -> Reply:
        settings = world.settings
        token = world.tokens.authenticate(request.headers.get("authorization"))
        allowance = world.tokens.charge(token, settings)
        headers |= allowance.headers()
        if allowance.exceeded:
            raise allowance.error()
        fault = world.faults.next(operation.name, settings)
        await _delay(world, fault)
        if fault and not fault.after:
            raise _fault_error(fault, settings)
        if operation.permission in settings.denied_permissions:
            raise errors.missing_permission(str(operation.permission))
        body = await _body(request)
        reply = operation.handler(
            Call(
                world=world,
                path=request.url.path,
                parts=request.path_params,
                query=request.query_params,
                body=body,
                base_url=_reached_at(request),
                token=token,
            )
        )
        if fault:
            raise _fault_error(fault, settings)
        return reply

    async def issue_token(self, request: Request) -> Response:
        """Client credentials, by Basic authentication or in the form."""
        world, settings = self.world, self.world.settings
        headers = {CORRELATION_HEADER: str(uuid.uuid4()), **_NO_CACHE}
        fault = world.faults.next(TOKEN_OPERATION, settings)
        await _delay(world, fault)
        if fault and not fault.after:
            reply = _error_reply(_fault_error(fault, settings), headers[CORRELATION_HEADER], headers)
        else:
            reply = self._token_reply(request.headers.get("authorization"), await request.body())
        world.count(TOKEN_OPERATION, reply.status)
        return json_response(reply.status, reply.body, headers)

    def _token_reply(self, authorization: str | None, content: bytes) -> Reply:
        settings = self.world.settings
        form = {name: values[0] for name, values in parse_qs(content.decode(errors="replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return _oauth_error(400, "unsupported_grant_type", "only client_credentials is supported")
        client_id, secret = _basic(authorization) or (form.get("client_id", ""), form.get("client_secret", ""))
        if client_id != settings.client_id:
            return _oauth_error(400, "invalid_client", "client not found")
        if not hmac.compare_digest(secret.encode(), settings.client_secret.encode()):
            return _oauth_error(401, "invalid_client", "authentication failed")
        token = self.world.tokens.issue(client_id=client_id, lifetime_s=settings.token_seconds)
        return Reply(
            200, {"access_token": token.value, "token_type": "bearer", "expires_in": settings.token_seconds - 1}
        )


def _basic(authorization: str | None) -> tuple[str, str] | None:
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return client_id, secret


def _oauth_error(status: int, error: str, description: str) -> Reply:
    return Reply(status, {"error": error, "description": description, "error_description": description})


def _error_reply(error: ApiError, context: str, headers: dict[str, str]) -> Reply:
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return Reply(error.status, error.body(context))


def _fault_error(fault: Fault, settings: Settings) -> ApiError:
    if fault.status == 429:
        return errors.rate_limited(limit=settings.rate_limit or 300, retry_after=1)
    return errors.generic(fault.status)


async def _delay(world: World, fault: Fault | None) -> None:
    low, high = world.settings.latency_ms
    seconds = (fault.hang_s if fault else 0.0) + (world.random.uniform(low, high) / 1000 if high else 0.0)
    if seconds:
        await asyncio.sleep(seconds / world.settings.clock_speed)


async def _body(request: Request) -> Any:
    if request.method not in {"POST", "PUT", "PATCH"}:
        return None
    if int(request.headers.get("content-length", 0)) > MAX_BODY_BYTES:
        raise errors.too_large(MAX_BODY_BYTES)
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise errors.too_large(MAX_BODY_BYTES)
    if not content:
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise errors.generic(415)
    try:
        body = json.loads(content)
        if b"\\u" in content:
            json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is not text
    except (ValueError, RecursionError):
        raise errors.generic(400) from None
    return body
