"""One emulator for this folder, emptied before each test, and two clients of it: the official SDK and plain HTTP."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from sandbox.genesys import Control, Emulator, Settings, running
from tests.support.conformance import check_json

JSON = dict[str, Any]


@dataclass(frozen=True)
class Api:
    """The emulated API by plain HTTP, for what the SDK cannot send."""

    url: str
    session: requests.Session

    def send(self, method: str, path: str, body: object = None, **query: Any) -> requests.Response:
        url = f"{self.url}/api/v2{path}"
        return self.session.request(method, url, json=body, params=query, timeout=30)

    def ok(self, method: str, path: str, body: object = None, **query: Any) -> JSON:
        response = self.send(method, path, body, **query)
        assert response.ok, response.text
        return dict(response.json()) if response.content else {}

    def refused(self, method: str, path: str, body: object = None, **query: Any) -> tuple[int, str]:
        """Status and code of an error, whose body must be an `ErrorBody`."""
        response = self.send(method, path, body, **query)
        assert not response.ok, response.text
        check_json(response.text, "ErrorBody")
        error = response.json()
        assert error["status"] == response.status_code
        assert error["contextId"] == response.headers["ININ-Correlation-Id"]
        return response.status_code, error["code"]

    # Short forms of what nearly every test needs

    def source(self, name: str = "CRM") -> str:
        return str(self.ok("POST", "/externalcontacts/externalsources", {"name": name})["id"])

    def contact(self, **fields: object) -> JSON:
        return self.ok("POST", "/externalcontacts/contacts", fields)

    def get(self, contact_id: str, **query: Any) -> JSON:
        return self.ok("GET", f"/externalcontacts/contacts/{contact_id}", **query)

    def find(self, kind: str, value: str, **more: object) -> str | None:
        """The id of the contact that claims an identifier."""
        body = {"type": kind, "value": value, **more}
        response = self.send("POST", "/externalcontacts/identifierlookup/contacts", body)
        return response.json()["id"] if response.ok else None

    def merge(self, *contact_ids: str, **override: object) -> JSON:
        body: JSON = {"contactIds": contact_ids} | ({"valueOverride": override} if override else {})
        return self.ok("POST", "/externalcontacts/contacts/merge", body)

    def poll(self, path: str, *, until: tuple[str, ...]) -> list[JSON]:
        """Ask after a job until it has one of the states; all answers on the way."""
        seen: list[JSON] = []
        while not seen or seen[-1]["status"] not in until:
            assert len(seen) < 20, f"still {seen[-1]['status']}"
            seen.append(self.ok("GET", path))
        return seen


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    with running(Settings(rate_limit=None, seed=1)) as running_emulator:
        yield running_emulator


@pytest.fixture
def control(emulator: Emulator) -> Control:
    emulator.reset()
    return emulator


@pytest.fixture
def token(emulator: Emulator, control: Control) -> str:
    credentials = (emulator.client_id, emulator.client_secret)
    form = {"grant_type": "client_credentials"}
    response = requests.post(f"{emulator.url}/oauth/token", form, auth=credentials, timeout=10)
    return str(response.json()["access_token"])


@pytest.fixture
def api(emulator: Emulator, token: str, sdk_package: Any) -> Iterator[Api]:
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        yield Api(emulator.url, session)


@pytest.fixture(scope="session")
def sdk_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The official SDK. It watches the home directory for a configuration file, so it is given an empty one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "HOME", str(tmp_path_factory.mktemp("home")))
        import PureCloudPlatformClientV2

        yield PureCloudPlatformClientV2


@dataclass(frozen=True)
class Coverage:
    """What a module's tests have done with the SDK so far."""

    tests: set[str] = field(default_factory=set)
    operations: set[str] = field(default_factory=set)  # called, and the answers checked


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return Coverage()


@pytest.fixture
def sdk(
    request: pytest.FixtureRequest, sdk_package: Any, emulator: Emulator, control: Control, coverage: Coverage
) -> Any:
    """An SDK client with a token of the emulator, which checks every answer against the SDK's models.

    The SDK derives its login host by replacing `//api.` with `//login.`; an address without it serves both.
    """

    coverage.tests.add(request.node.name)

    class CheckedClient(sdk_package.ApiClient):  # type: ignore[misc]
        def call_api(self, resource_path: str, method: str, *args: Any, **kwargs: Any) -> Any:
            try:
                result = super().call_api(resource_path, method, *args, **kwargs)
            except sdk_package.rest.ApiException as error:
                check_json(error.body, "ErrorBody")
                raise
            kind, text = kwargs.get("response_type"), self.last_response.data
            if kind:
                check_json(text, kind)
            else:
                assert not text
            coverage.operations.add(f"{method} {resource_path}")
            return result

    return CheckedClient(emulator.url).get_client_credentials_token(emulator.client_id, emulator.client_secret)
