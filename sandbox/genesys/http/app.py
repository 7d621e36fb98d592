"""The ASGI application: the emulated API, its token endpoint, file transfer, and the sandbox's control API."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ..organization import errors
from ..organization.errors import ApiError
from ..organization.settings import Settings
from . import control
from .gateway import CORRELATION_HEADER, Gateway, json_response
from .routes import OPERATIONS, PREFIX, Operation


def application(settings: Settings) -> Starlette:
    gateway = Gateway(settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        delivery = asyncio.create_task(gateway.events.deliver())
        yield
        delivery.cancel()
        gateway.world.jobs.stop()
        with suppress(asyncio.CancelledError):
            await delivery

    return Starlette(
        routes=[
            *(_route(gateway, operation) for operation in OPERATIONS),
            Route("/oauth/token", gateway.issue_token, methods=["POST"]),
            Route("/uploads/{uploadId}", partial(_receive_upload, gateway), methods=["PUT"]),
            Route("/downloads/{key}/{name}", partial(_send_download, gateway), methods=["GET"]),
            *control.routes(gateway),
        ],
        exception_handlers={HTTPException: _unknown},
        lifespan=lifespan,
    )


def _route(gateway: Gateway, operation: Operation) -> Route:
    async def endpoint(request: Request) -> Response:
        return await gateway.answer(operation, request)

    route = Route(PREFIX + operation.path, endpoint, methods=[operation.method])
    route.methods = {operation.method}  # without the HEAD that Starlette adds to GET
    return route


async def _receive_upload(gateway: Gateway, request: Request) -> Response:
    """As presigned storage does: the headers and the size must be the announced ones."""
    upload = gateway.world.imports.uploads.get(request.path_params["uploadId"])
    if upload is None:
        return PlainTextResponse("no such upload", 404)
    missing = [name for name, value in upload.headers.items() if request.headers.get(name) != value]
    if missing:
        return PlainTextResponse(f"the header {missing[0]} must be sent as announced", 403)
    if int(request.headers.get("content-length", -1)) != upload.request.file_size:
        return PlainTextResponse(f"the file must have the announced {upload.request.file_size} bytes", 403)
    upload.content = await request.body()
    return Response(status_code=200)


async def _send_download(gateway: Gateway, request: Request) -> Response:
    file = gateway.world.files.get(request.path_params["key"])
    if file is None:
        return PlainTextResponse("no such file", 404)
    disposition = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, media_type=file.media_type, headers=disposition)


async def _unknown(request: Request, error: Exception) -> Response:
    """A path or method that is not emulated."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    problem = errors.generic(404)
    if status == 405:
        problem = ApiError(405, "method.not.allowed", f"{request.method} is not allowed here.")
    context = str(uuid.uuid4())
    return json_response(problem.status, problem.body(context), {CORRELATION_HEADER: context})
