"""What the emulated CRMs have in common: OAuth, failures on order, a log of what was asked, and an HTTP server."""

import asyncio
import json
import secrets
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from itertools import islice
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.crm.accounts import Accounts
from sandbox.machine.processes import HOST
from sandbox.machine.tls import Certificate

START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as a proxy in front of the CRM would log it."""

    method: str
    path: str
    query: Mapping[str, str]
    body: str
    status: int


@dataclass(slots=True)
class Fault:
    """The next `count` calls whose path contains `path` fail; if it is empty, of all but logins."""

    status: int
    code: str
    path: str = ""
    count: int = 1
    retry_after: int | None = None


@dataclass(slots=True)
class Settings:
    client_id: str = "sandbox"
    client_secret: str = "sandbox"
    token_seconds: float = 1800.0
    page_records: int = 2000
    """At most so many come in one page, whatever is asked for."""


@dataclass(slots=True)
class Asked:
    """A request with its body, which handlers read without waiting."""

    request: Request
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Mapping[str, str]:
        value: Mapping[str, str] = json.loads(self.body)
        return value


class Emulator[S: Settings](ABC):
    """One CRM with one base of accounts."""

    source: str
    """Key of the external source that it is, and name of its mapping."""
    token_path: str

    def __init__(self, accounts: Accounts, settings: S) -> None:
        self.accounts = accounts
        self.settings = settings
        self.url = ""
        self.on_change: Callable[[str], None] = lambda _: None
        """Is told the id of an account that somebody has changed at the CRM's own screen (`/sandbox/accounts`)."""
        self._forget()

    def reset(self) -> None:
        """As it was first: no accounts, no sessions, the settings of a new one."""
        self.accounts = Accounts(self.accounts.columns)
        self.settings = type(self.settings)()
        self._forget()

    def _forget(self) -> None:
        self.calls: list[Call] = []
        self.logins = 0
        self._faults: list[Fault] = []
        self._tokens: dict[str, float] = {}
        """Token → when it ends, by the CRM's clock."""

    # Failures on order

    def fail(
        self, status: int, code: str = "", *, path: str = "", count: int = 1, retry_after: int | None = None
    ) -> None:
        self._faults.append(Fault(status, code, path, count, retry_after))

    def end_sessions(self) -> None:
        """Every token given out so far is refused from now on."""
        self._tokens.clear()

    # The vendor's part

    @abstractmethod
    def routes(self) -> Sequence[tuple[str, str, Callable[[Asked], Response]]]:
        """Method, path and what answers."""

    @abstractmethod
    def error(self, status: int, code: str, message: str) -> Response:
        """In the vendor's form."""

    @abstractmethod
    def unauthorized(self) -> Response: ...

    @abstractmethod
    def login_refused(self) -> Response: ...

    def token(self, value: str) -> Mapping[str, object]:
        return {"access_token": value, "token_type": "Bearer", "expires_in": int(self.settings.token_seconds)}

    # The server

    def application(self) -> Starlette:
        routes = [Route(self.token_path, self._wrapped(self._log_in, guarded=False), methods=["POST"])]
        for method, path, handler in self.routes():
            routes.append(Route(path, self._wrapped(handler, guarded=True), methods=[method]))
        routes += [
            Route("/sandbox/accounts", self._screen_list),
            Route("/sandbox/accounts/{id}", self._screen_edit, methods=["PATCH", "DELETE"]),
        ]
        return Starlette(routes=routes, exception_handlers={404: self._unknown})

    async def _screen_list(self, request: Request) -> Response:
        """The first accounts, as many as `limit` says."""
        some = islice(self.accounts, int(request.query_params.get("limit", "10")))
        return JSONResponse([{"id": each.id, "deleted": each.deleted, **each.fields} for each in some])

    async def _screen_edit(self, request: Request) -> Response:
        """What somebody does at the screen: PATCH with the fields that change, or DELETE. Then the CRM tells of it."""
        account_id, body = request.path_params["id"], await request.body()
        try:
            if request.method == "DELETE":
                self.accounts.delete(account_id)
            else:
                self.accounts.change(account_id, **json.loads(body))
        except KeyError:
            return JSONResponse({"error": f"there is no account {account_id}"}, 404)
        except (TypeError, ValueError) as error:
            return JSONResponse({"error": f"not an object of fields of an account: {error}"}, 400)
        await run_in_threadpool(self.on_change, account_id)
        return JSONResponse({"id": account_id, **self.accounts[account_id].fields})

    async def _unknown(self, request: Request, _: Exception) -> Response:
        return self.error(404, "NOT_FOUND", f"{request.url.path} is not there")

    def _wrapped(
        self, handler: Callable[[Asked], Response], *, guarded: bool
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            asked = Asked(request, await request.body(), dict(request.query_params))
            response = await run_in_threadpool(self._answer, asked, handler, guarded)
            # By its own clock, which stamps the accounts too.
            response.headers["Date"] = format_datetime(self.accounts.clock.now(), usegmt=True)
            path = request.url.path
            body = "" if path == self.token_path else asked.body.decode()
            self.calls.append(Call(request.method, path, asked.query, body, response.status_code))
            return response

        return answer

    def _answer(self, asked: Asked, handler: Callable[[Asked], Response], guarded: bool) -> Response:
        if guarded and not self._is_known(asked.request.headers.get("Authorization", "")):
            return self.unauthorized()
        for fault in self._faults:
            if fault.path in asked.request.url.path and (guarded or fault.path):
                fault.count -= 1
                self._faults = [left for left in self._faults if left.count]
                response = self.error(fault.status, fault.code, "as it was ordered")
                if fault.retry_after is not None:
                    response.headers["Retry-After"] = str(fault.retry_after)
                return response
        return handler(asked)

    def _is_known(self, authorization: str) -> bool:
        scheme, _, value = authorization.partition(" ")
        return scheme == "Bearer" and self._tokens.get(value, 0.0) > self.accounts.clock.now().timestamp()

    def _log_in(self, asked: Asked) -> Response:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        wanted = (form.get("grant_type"), form.get("client_id"), form.get("client_secret"))
        if wanted != ("client_credentials", self.settings.client_id, self.settings.client_secret):
            return self.login_refused()
        self.logins += 1
        value = secrets.token_urlsafe(24)
        lifetime = timedelta(seconds=self.settings.token_seconds)
        self._tokens[value] = (self.accounts.clock.now() + lifetime).timestamp()
        return JSONResponse(self.token(value))


@contextmanager
def running(emulator: Emulator[Any], *, port: int = 0, certificate: Certificate | None = None) -> Iterator[str]:
    """The address of the emulator, which answers in a thread of this process; with a certificate, over TLS."""
    # With the protocol named, asyncio switches Nagle's algorithm off; otherwise each answer waits 40 ms for an ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, port))
    emulator.url = f"{'https' if certificate else 'http'}://{HOST}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        emulator.application(),
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,  # seconds; a client that pauses shall find its connection open
        timeout_graceful_shutdown=1,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=asyncio.run, args=(_serve(server, listener),), daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"the emulator did not start within {START_SECONDS:g} s")
            time.sleep(0.01)
        yield emulator.url
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    """Closes also what clients have left open: uvicorn waits for them, but leaves them to the garbage collector."""
    await server.serve(sockets=[listener])
    for connection in tuple(server.server_state.connections):
        connection.transport.abort()
    await asyncio.sleep(0)  # a turn of the loop, in which they are closed
