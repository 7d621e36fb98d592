"""The HTTP API in front of the function `webhook`: a request becomes an event, the function's answer a response.

Payload format 2.0: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import re
import time
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.machine.web import Handler, Server

_PATH = re.compile(r"/webhooks/(?P<source>[^/]+)")
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
_LARGEST_PAYLOAD = 10 * 1024 * 1024
_TEXT = re.compile(r"text/.*|application/(json|xml|javascript|.*\+(json|xml))")

type Event = dict[str, Any]


class WebhookApi:
    """Serves from construction until `stop`."""

    def __init__(self, invoke: Callable[[Event], Any], *, port: int = 0) -> None:
        """`invoke` takes an event, gives the function's answer, and raises if the function failed."""
        self._server = Server(lambda *connection: _WebhookHandler(invoke, *connection), port=port)

    @property
    def url(self) -> str:
        return f"http://{self._server.address}"

    def webhook_url(self, source: str) -> str:
        """Where a CRM is told to call."""
        return f"{self.url}/webhooks/{source}"

    def stop(self) -> None:
        self._server.close()


class _WebhookHandler(Handler):
    def __init__(self, invoke: Callable[[Event], Any], *connection: object) -> None:
        self._invoke = invoke
        super().__init__(*connection)  # type: ignore[arg-type]

    def do_GET(self) -> None:  # noqa: N802 - http.server calls it by this name
        self.reply(HTTPStatus.NOT_FOUND, {"message": "Not Found"})

    def do_POST(self) -> None:  # noqa: N802
        match = _PATH.fullmatch(urlsplit(self.path).path)
        if match is None:
            self.body()
            self.reply(HTTPStatus.NOT_FOUND, {"message": "Not Found"})
            return
        if int(self.headers.get("Content-Length") or 0) > _LARGEST_PAYLOAD:
            self.close_connection = True
            self.reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"message": "Request Entity Too Large"})
            return
        event = event_of(self.path, dict(self.headers), self.body(), source=unquote(match["source"]))
        try:
            answer = self._invoke(event)
            body = str(answer.get("body", "")).encode()
            headers = {name: value for name, value in answer.get("headers", {}).items() if name != "content-type"}
            content_type = answer.get("headers", {}).get("content-type")
            self._respond(answer["statusCode"], body, headers, content_type)
        except Exception:  # whatever it was is in the function's log
            self.reply(HTTPStatus.INTERNAL_SERVER_ERROR, {"message": "Internal Server Error"})

    def _respond(self, status: int, body: bytes, headers: Mapping[str, str], content_type: str | None) -> None:
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            f"Content-Type: {content_type or 'text/plain;charset=UTF-8'}",
            f"Content-Length: {len(body)}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        self.wfile.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)


def event_of(path: str, headers: Mapping[str, str], body: bytes, *, source: str) -> Event:
    """A request as API Gateway passes it. Bodies of types that are not text come in Base64."""
    url = urlsplit(path)
    names = {name.lower(): value for name, value in headers.items()}
    is_text = bool(_TEXT.fullmatch(names.get("content-type", "").partition(";")[0].strip().lower()))
    try:
        text = body.decode() if is_text else ""
    except UnicodeDecodeError:
        is_text, text = False, ""
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    return {
        "version": "2.0",
        "routeKey": "POST /webhooks/{source}",
        "rawPath": url.path,
        "rawQueryString": url.query,
        "headers": names,
        **({"queryStringParameters": query} if query else {}),
        "pathParameters": {"source": source},
        "requestContext": {
            "http": {"method": "POST", "path": url.path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            "requestId": str(uuid.uuid4()),
            "stage": "$default",
            "timeEpoch": round(time.time() * 1000),
        },
        "body": text if is_text else base64.b64encode(body).decode(),
        "isBase64Encoded": not is_text,
    }
