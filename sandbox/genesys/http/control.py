"""The emulator's own API, beside the emulated one and without a token: settings, faults, statistics, events. `Control`
is its client."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..organization import models
from ..organization.errors import JSON, ApiError
from ..organization.faults import Fault
from ..organization.identifiers import key_of, placed
from . import views
from .api.graphs import run_scan
from .gateway import Gateway

MAX_WAIT_S = 30.0


def routes(gateway: Gateway) -> list[Route]:
    return [
        _route("GET", "", lambda: _overview(gateway)),
        _route("GET", "/settings", lambda: _settings(gateway)),
        _route("PUT", "/settings", lambda body: _configure(gateway, body)),
        _route("POST", "/faults", lambda body: _order_faults(gateway, body)),
        _route("DELETE", "/faults", lambda: _clear_faults(gateway)),
        _route("GET", "/stats", lambda: _stats(gateway)),
        _route("DELETE", "/stats", lambda: _clear_stats(gateway)),
        _route("POST", "/interactions", lambda body: _interact(gateway, body)),
        _route("GET", "/conversations", lambda: gateway.world.conversations),
        _route("POST", "/clusterscans", lambda _body: run_scan(gateway.world).wire(statistics=True)),
        _route("POST", "/reset", lambda _body: _reset(gateway)),
        Route("/sandbox/events", _answering(lambda request: _events(gateway, request.query_params))),
    ]


def _route(method: str, path: str, handler: Callable[..., JSON]) -> Route:
    """A handler of POST and PUT is given the decoded body."""

    async def handle(request: Request) -> JSON:
        if method not in {"POST", "PUT"}:
            return handler()
        content = await request.body()
        return handler(json.loads(content) if content else {})

    return Route(f"/sandbox{path}", _answering(handle), methods=[method])


def _answering(handle: Callable[[Request], Awaitable[JSON]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await handle(request))
        except ApiError as error:
            return JSONResponse({"error": error.message}, error.status)
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return answer


def _overview(gateway: Gateway) -> JSON:
    world = gateway.world
    return {
        "organization": world.organization.entity(),
        "divisions": [division.wire() for division in world.organization.divisions.values()],
        "queues": [{"id": queue.id, "name": queue.name} for queue in world.organization.queues],
        "contacts": len(world.contacts),
        "lastEvent": gateway.events.last,
    }


def _reset(gateway: Gateway) -> JSON:
    gateway.reset()
    return _overview(gateway)


def _settings(gateway: Gateway) -> JSON:
    return {name: value for name, value in asdict(gateway.world.settings).items() if name != "client_secret"}


def _configure(gateway: Gateway, body: JSON) -> JSON:
    """Change the settings that the body names."""
    gateway.world.configure(gateway.world.settings.changed(body))
    return _settings(gateway)


def _order_faults(gateway: Gateway, body: Any) -> JSON:
    for fault in [Fault.of(given) for given in (body if isinstance(body, list) else [body])]:
        gateway.world.faults.order(fault)
    return {"waiting": gateway.world.faults.waiting()}


def _clear_faults(gateway: Gateway) -> JSON:
    gateway.world.faults.clear()
    return {"waiting": 0}


def _stats(gateway: Gateway) -> JSON:
    statuses = gateway.world.stats
    calls = {operation: sum(by_status.values()) for operation, by_status in statuses.items()}
    return {"total": sum(calls.values()), "calls": calls, "statuses": statuses}


def _clear_stats(gateway: Gateway) -> JSON:
    gateway.world.stats.clear()
    return _stats(gateway)


def _interact(gateway: Gateway, body: JSON) -> JSON:
    """A customer gets in touch: the identifier leads to a contact, or a new ephemeral one is made for it.

    An ephemeral contact that is met again is identified from then on. Every interaction renews the contact's lifetime.
    """
    world = gateway.world
    identifier = models.Identifier.read(body.get("identifier"))
    division = world.organization.division_to_write(identifier.division)
    key = key_of(identifier)
    record = world.contacts.claimant(key, [division])
    if record is None:
        fields = placed({}, key, identifier.value) or {}
        record = world.contacts.insert(fields, division=division, kind="Ephemeral")
        if key not in record.claims:
            world.contacts.claim(record, key, fields)
    else:
        world.contacts.seen(record)
        if record.type == "Ephemeral":
            world.contacts.update(record, record.fields, kind="Identified")
    return views.contact(world, record, ["identifiers"])


async def _events(gateway: Gateway, query: QueryParams) -> JSON:
    """`after`: the last event number already seen; `wait`: how many seconds to wait for a first one."""
    after = int(query.get("after", 0))
    wait_s = min(float(query.get("wait", 0)), MAX_WAIT_S)
    found = await gateway.events.after(after, limit=int(query.get("limit", 1000)), wait_s=wait_s)
    events = [{"sequence": sequence, "event": event} for sequence, event in found]
    return {"events": events, "last": events[-1]["sequence"] if events else after}
