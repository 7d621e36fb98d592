"""A Genesys Cloud whose answers are written down beforehand, in time that only moves by sleeping."""

import io
import json
from typing import Any, override

import requests
import urllib3
from requests.adapters import BaseAdapter

from cir.genesys.client import GenesysClient
from cir.genesys.models import ContactIdentifier
from cir.genesys.transport import Transport
from cir.http.oauth import Credentials
from cir.http.retries import Timing

API = "https://api.mypurecloud.ie"
ID = "0f3f6c4e-5f0e-4a6b-9a57-1f6d2f6f9b11"
OTHER_ID = "7d1f2b0c-91f4-4b62-8f0b-4c9a3f2f1e22"
PHONE: ContactIdentifier = {"type": "Phone", "value": "+442079460123"}
type Step = requests.Response | Exception


class Script(BaseAdapter):
    """Answers API calls with the given steps, logins with `token-1`, `token-2` …, and keeps what was asked."""

    def __init__(self, *steps: Step, token_seconds: int = 86_400) -> None:
        super().__init__()
        self._steps = list(steps)
        self._token_seconds = token_seconds
        self.logins: list[requests.PreparedRequest] = []
        self.calls: list[requests.PreparedRequest] = []
        self.timeouts: list[Any] = []

    @override
    def send(self, request: requests.PreparedRequest, *_: Any, timeout: Any = None, **__: Any) -> requests.Response:
        if request.url == "https://login.mypurecloud.ie/oauth/token":
            self.logins.append(request)
            token = {"access_token": f"token-{len(self.logins)}", "expires_in": self._token_seconds}
            return answer(200, token)
        self.calls.append(request)
        self.timeouts.append(timeout)
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        step.request, step.url = request, str(request.url)
        return step

    @override
    def close(self) -> None: ...

    @property
    def tokens_used(self) -> list[str]:
        return [call.headers["Authorization"].removeprefix("Bearer ") for call in self.calls]


class Time:
    """A clock that only moves by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def answer(status: int, body: object = None, **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    response.raw = urllib3.HTTPResponse(io.BytesIO(content), preload_content=False)
    return response


def refusal(status: int, code: str, message: str = "", **headers: str) -> requests.Response:
    return answer(status, {"code": code, "message": message, "status": status}, **headers)


def connection_refused() -> Exception:
    pool: Any = None
    reason = urllib3.exceptions.NewConnectionError(pool, "refused")
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/", reason))


def client_of(script: Script, time: Time | None = None, **transport: Any) -> GenesysClient:
    time = time or Time()
    session = requests.Session()
    session.mount("https://", script)
    return GenesysClient(
        api_url=API,
        credentials=Credentials("my-client-id", "my-secret"),
        transport=Transport(
            **{
                "session": session,
                "timing": Timing(lambda: time.now, time.sleep, lambda _, high: high),
                **transport,
            }
        ),
    )
