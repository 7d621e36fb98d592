"""The Genesys Cloud client: tokens, repetitions, deadlines, errors, with scripted answers in simulated time.

What the operations do is tested against the emulator in `test_genesys_operations.py`.
"""

import base64
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override

import boto3
import pytest
import requests
import urllib3

from cir.genesys.client import GenesysClient
from cir.genesys.contacts import safe_to_repeat
from cir.genesys.errors import (
    ConfigurationError,
    CredentialsError,
    CursorExpiredError,
    DeadlineError,
    GenesysError,
    InvalidRequestError,
    NotFoundError,
    NotGenesysError,
    PermissionDeniedError,
    RateLimitError,
    UnavailableError,
)
from cir.genesys.models import ContactIdentifier, EnrichRequest
from cir.genesys.pacing import HeaderPacer
from cir.genesys.transport import Call, Transport
from cir.http.oauth import Credentials
from cir.http.retries import Timing
from tests.support.scripted_genesys import (
    API,
    ID,
    OTHER_ID,
    PHONE,
    Script,
    Step,
    Time,
    answer,
    client_of,
    connection_refused,
    refusal,
)

EXTERNAL: ContactIdentifier = {"type": "ExternalId", "value": "0011t00000AbCdE", "externalSource": {"id": OTHER_ID}}
UPSERT: EnrichRequest = {
    "action": "Upsert",
    "matchingIdentifiers": [EXTERNAL, PHONE],
    "contact": {"externalIds": [{"value": "0011t00000AbCdE", "externalSource": {"id": OTHER_ID}}]},
}

UNCLEAR: dict[str, Callable[[], Step]] = {
    "408": lambda: refusal(408, "client.timeout"),
    "500": lambda: refusal(500, "internal.server.error"),
    "503": lambda: refusal(503, "service.unavailable"),
    "504": lambda: answer(504, b"<html>gateway</html>"),
    "no answer in time": requests.ReadTimeout,
    "connection broke": lambda: requests.ConnectionError(urllib3.exceptions.ProtocolError("aborted")),
}


# Tokens


def test_one_token_serves_until_shortly_before_its_end() -> None:
    script, time = Script(*(answer(200, {"id": ID}) for _ in range(3)), token_seconds=3600), Time()
    client = client_of(script, time)

    client.contacts.get(ID)
    time.now += 3539
    client.contacts.get(ID)
    time.now += 2
    client.contacts.get(ID)

    assert script.tokens_used == ["token-1", "token-1", "token-2"]
    login = script.logins[0]
    assert base64.b64decode(login.headers["Authorization"].removeprefix("Basic ")) == b"my-client-id:my-secret"
    assert login.body == "grant_type=client_credentials"


def test_threads_that_need_a_token_at_once_cause_one_login() -> None:
    script = Script(*(answer(200, {"id": ID}) for _ in range(8)))
    client, together = client_of(script), threading.Barrier(8)

    def call(_: int) -> None:
        together.wait()
        client.contacts.get(ID)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(8)))
    assert len(script.logins) == 1
    assert script.tokens_used == ["token-1"] * 8


@pytest.mark.parametrize("call", ["get", "merge"])
def test_a_token_that_ended_early_is_renewed_once(call: str) -> None:
    script = Script(refusal(401, "bad.credentials"), answer(200, {"id": ID}))
    client = client_of(script)
    CALLS[f"contacts.{call}"](client)
    assert script.tokens_used == ["token-1", "token-2"]

    script = Script(refusal(401, "bad.credentials"), refusal(401, "bad.credentials"))
    with pytest.raises(CredentialsError):
        client_of(script).contacts.get(ID)
    assert len(script.calls) == 2


def test_a_token_that_another_thread_renewed_is_kept() -> None:
    script = Script(*(refusal(401, "bad.credentials") for _ in range(4)), *(answer(200, {"id": ID}) for _ in range(4)))
    together = threading.Barrier(4)

    def wait_for_others(call: Call) -> None:
        if call.status == 401:
            together.wait()

    client = client_of(script, on_call=wait_for_others)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client.contacts.get(ID), range(4)))
    assert len(script.logins) == 2


def test_a_rotated_secret_is_taken_up_with_the_next_token(aws_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    secrets = boto3.client("secretsmanager")
    arn = secrets.create_secret(Name="genesys", SecretString='{"client_id": "a", "client_secret": "old"}')["ARN"]
    script, time = Script(answer(200, {"id": ID}), answer(200, {"id": ID}), token_seconds=3600), Time()
    environment = {"GENESYS_HOST": "mypurecloud.ie", "GENESYS_SECRET_ARN": arn}
    session = requests.Session()
    session.mount("https://", script)
    client = GenesysClient.from_environment(
        environment, transport=Transport(session=session, timing=Timing(lambda: time.now, time.sleep))
    )

    client.contacts.get(ID)
    secrets.put_secret_value(SecretId=arn, SecretString='{"client_id": "a", "client_secret": "new"}')
    time.now += 3600
    client.contacts.get(ID)

    sent = [base64.b64decode(login.headers["Authorization"].removeprefix("Basic ")) for login in script.logins]
    assert sent == [b"a:old", b"a:new"]


# Repetitions

CALLS: dict[str, Callable[[GenesysClient], object]] = {
    "contacts.find": lambda client: client.contacts.find(PHONE),
    "contacts.find_all": lambda client: client.contacts.find_all("+442079460123"),
    "contacts.get": lambda client: client.contacts.get(ID),
    "contacts.get_unresolved": lambda client: client.contacts.get_unresolved(ID),
    "contacts.identifiers": lambda client: client.contacts.identifiers(ID),
    "contacts.patch": lambda client: client.contacts.patch(
        ID, [{"field": "$.firstName", "action": "Update", "value": "Ann"}]
    ),
    "contacts.delete": lambda client: client.contacts.delete(ID),
    "contacts.claim": lambda client: client.contacts.claim(ID, PHONE),
    "contacts.release": lambda client: client.contacts.release(ID, PHONE),
    "contacts.enrich": lambda client: client.contacts.enrich(UPSERT),
    "contacts.enrich_many": lambda client: client.contacts.enrich_many([UPSERT, UPSERT]),
    "contacts.scan": lambda client: list(client.contacts.scan()),
    "organization.queue_named": lambda client: client.organization.queue_named("Gold"),
    "organization.automatic_merging": lambda client: client.organization.automatic_merging(),
    "exports.create": lambda client: client.exports.create(),
    "exports.get": lambda client: client.exports.get(ID),
    # Done twice, these do more than done once:
    "contacts.merge": lambda client: client.contacts.merge([ID, OTHER_ID], value_override={}),
    "contacts.patch (append)": lambda client: client.contacts.patch(
        ID, [{"field": "$.externalIds", "action": "AppendToCollection", "value": "x"}]
    ),
    "contacts.enrich (shareable)": lambda client: client.contacts.enrich({**UPSERT, "matchingIdentifiers": [PHONE]}),
}
NOT_SAFE = {"contacts.merge", "contacts.patch (append)", "contacts.enrich (shareable)"}
GOOD: dict[str, Any] = {"id": ID}


@pytest.mark.parametrize("failure", UNCLEAR)
@pytest.mark.parametrize("call", CALLS)
def test_what_may_have_been_done_is_repeated_only_where_that_is_safe(call: str, failure: str) -> None:
    script = Script(UNCLEAR[failure](), answer(200, GOOD))
    if call in NOT_SAFE:
        with pytest.raises(UnavailableError, match="look before repeating it") as caught:
            CALLS[call](client_of(script))
        assert caught.value.may_have_applied
        assert len(script.calls) == 1
    else:
        CALLS[call](client_of(script))
        assert len(script.calls) == 2
        assert script.calls[0].body == script.calls[1].body


@pytest.mark.parametrize("call", CALLS)
def test_what_cannot_have_been_done_is_always_repeated(call: str) -> None:
    time = Time()
    throttled = refusal(429, "too.many.requests.retry.after", Retry_After="7")
    script = Script(throttled, connection_refused(), requests.ConnectTimeout(), answer(200, GOOD))
    CALLS[call](client_of(script, time))
    assert len(script.calls) == 4
    assert time.slept[0] >= 7


def test_a_limit_that_does_not_say_when_it_ends_is_waited_for_longer_each_time() -> None:
    time, said = Time(), list[float]()
    pacer = HeaderPacer(clock=lambda: time.now)
    script = Script(*(refusal(429, "too.many.requests") for _ in range(4)), answer(200, GOOD))
    client = client_of(script, time, pacer=pacer, on_wait=said.append)
    assert client.contacts.get(ID)["id"]
    assert time.now - 1000 >= 60
    assert [each > 3 for each in time.slept if each > 1] == [True, True, True, True]
    assert sum(said) == pytest.approx(sum(each for each in time.slept if each > 3))


def test_all_pause_for_one_that_is_refused_without_a_word() -> None:
    time = Time()
    pacer = HeaderPacer(clock=lambda: time.now)
    client = client_of(Script(refusal(429, "too.many.requests")), time, pacer=pacer, attempts=1)
    with pytest.raises(RateLimitError):
        client.contacts.get(ID)
    assert pacer.before_request(1) == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize(
    ("change", "safe"),
    [
        ({}, True),
        ({"action": "Update", "matchingIdentifiers": [PHONE]}, True),
        ({"action": "Insert"}, False),
        ({"action": "Merge"}, False),
        ({"matchingIdentifiers": [PHONE]}, False),
        ({"contact": {"firstName": "Ann"}}, False),
        ({"fieldRules": {"defaultArrayAction": "Extend"}}, False),
        ({"fieldRules": {"rules": [{"field": "$.externalIds", "arrayAction": "Extend"}]}}, False),
    ],
    ids=str,
)
def test_an_enrich_is_safe_to_repeat_if_it_finds_its_own_contact_again(change: Mapping[str, Any], safe: bool) -> None:
    request: Any = {**UPSERT, **change}
    assert safe_to_repeat(request) is safe


def test_pauses_grow_are_random_from_zero_and_attempts_are_bounded() -> None:
    asked: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        asked.append((low, high))
        return 0.0

    script = Script(*(refusal(503, "service.unavailable") for _ in range(7)))
    with pytest.raises(UnavailableError):
        client_of(script, attempts=7, timing=Timing(sleep=lambda _: None, uniform=uniform)).contacts.get(ID)
    assert len(script.calls) == 7
    assert asked[:6] == [(0.0, 0.25), (0.0, 0.5), (0.0, 1.0), (0.0, 2.0), (0.0, 4.0), (0.0, 8.0)]


def test_a_refusal_that_will_not_change_is_not_repeated() -> None:
    script = Script(answer(501, b""))
    with pytest.raises(InvalidRequestError):
        client_of(script).contacts.get(ID)
    assert len(script.calls) == 1


def test_each_attempt_is_observed_without_ids_or_values() -> None:
    seen: list[Call] = []
    script = Script(refusal(503, "service.unavailable"), requests.ReadTimeout(), answer(200, {"id": ID}))
    client_of(script, on_call=seen.append).contacts.find(PHONE)
    assert [(call.operation, call.status, call.attempt) for call in seen] == [
        ("login", 200, 1),
        ("contacts.find", 503, 1),
        ("contacts.find", None, 2),
        ("contacts.find", 200, 3),
    ]


# Deadlines


def test_repetitions_end_with_the_time_given_and_the_last_failure_is_told() -> None:
    script, time = Script(*(refusal(503, "service.unavailable") for _ in range(5))), Time()
    client = client_of(script, time).within(1.0)
    with pytest.raises(UnavailableError, match="503"):
        client.contacts.get(ID)
    assert time.slept == [0.25, 0.5]
    assert [read for _, read in script.timeouts] == [1.0, 0.75, 0.25]


def test_a_longer_wait_than_the_time_given_fails_at_once() -> None:
    script, time = Script(refusal(429, "too.many.requests.retry.after", Retry_After="30")), Time()
    client = client_of(script, time)
    with pytest.raises(RateLimitError):
        client.within(2.0).contacts.get(ID)
    with pytest.raises(DeadlineError, match="request limit"):
        client.within(2.0).contacts.get(ID)
    assert time.slept == []
    assert len(script.calls) == 1


def test_time_that_is_over_makes_no_call() -> None:
    script, time = Script(), Time()
    client = client_of(script, time).within(1.0)
    time.now += 1.0
    with pytest.raises(DeadlineError):
        client.contacts.get(ID)
    assert script.calls == script.logins == []


# Errors


ANNABEL: Any = {"firstName": "Annabel", "lastName": "Lee-Okafor", "personalEmail": "annabel@example.org"}
ECHO = "Value [Annabel Lee-Okafor] of annabel@example.org, tel. +44 20 7946 0123 is not valid"


@pytest.mark.parametrize(
    ("failure", "call"),
    [
        (
            lambda: refusal(400, "invalid.value", ECHO),
            lambda client: client.contacts.enrich({**UPSERT, "contact": ANNABEL}),
        ),
        (
            lambda: refusal(422, "", "Annabel: " + ECHO),
            lambda client: client.contacts.enrich({**UPSERT, "contact": ANNABEL}),
        ),
        (lambda: refusal(404, "", ECHO), lambda client: client.contacts.find(PHONE)),
        (
            lambda: requests.ConnectionError(f"{API}/x?lookupVal=annabel@example.org token-1"),
            lambda client: client.contacts.find_all("annabel@example.org"),
        ),
        (
            lambda: requests.ReadTimeout("annabel@example.org"),
            lambda client: client.contacts.enrich({**UPSERT, "action": "Insert", "contact": ANNABEL}),
        ),
    ],
    ids=["echo", "echo without brackets", "stored value", "url", "no answer"],
)
def test_errors_carry_neither_personal_data_nor_secrets(
    failure: Callable[[], Step], call: Callable[[GenesysClient], object]
) -> None:
    client = client_of(Script(failure()), attempts=1)
    with pytest.raises(GenesysError) as caught:
        call(client)
    assert caught.value.__context__ is None  # it would be printed with every traceback
    told = f"{caught.value!r} {vars(caught.value)} {client!r}"
    for personal in ("Annabel", "Okafor", "annabel@", "7946 0123", "79460123", "my-secret", "token-1"):
        assert personal not in told


def test_an_error_is_one_line_that_says_what_and_where_and_what_to_do() -> None:
    message = "You are missing the following permission(s): externalContacts:identity:merge"
    script = Script(refusal(403, "missing.permissions", message, ININ_Correlation_Id="c0ffee"))
    with pytest.raises(PermissionDeniedError) as caught:
        CALLS["contacts.merge"](client_of(script))
    error = caught.value
    assert (error.status, error.code, error.correlation_id) == (403, "missing.permissions", "c0ffee")
    assert not error.temporary
    text = str(error)
    assert "\n" not in text
    for part in ("contacts.merge", "403", "externalContacts:identity:merge", "c0ffee", "role of the OAuth client"):
        assert part in text


@pytest.mark.parametrize("call", ["find", "get", "get_unresolved", "delete", "release"])
@pytest.mark.parametrize("body", [b"<html>no such page</html>", b"", b"{}", b"[]"], ids=str)
def test_a_wrong_address_does_not_look_like_an_unknown_caller(call: str, body: bytes) -> None:
    contacts = client_of(Script(answer(404, body))).contacts
    with pytest.raises(NotGenesysError, match="GENESYS_HOST"):
        contacts.release(ID, PHONE) if call == "release" else getattr(contacts, call)(PHONE if call == "find" else ID)
    assert not issubclass(NotGenesysError, NotFoundError)


def test_an_answer_that_is_no_json_is_an_error() -> None:
    with pytest.raises(GenesysError, match="not JSON"):
        client_of(Script(answer(200, b"<html>welcome</html>"))).contacts.find(PHONE)


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "Set GENESYS_HOST"),
        ({"GENESYS_HOST": "mypurecloud.ie"}, "Set GENESYS_SECRET_ARN"),
        ({"GENESYS_HOST": "mypurecloud.ie", "GENESYS_CLIENT_ID": "a"}, "Set GENESYS_SECRET_ARN"),
        ({"GENESYS_HOST": "eu-west-9", "GENESYS_CLIENT_ID": "a", "GENESYS_CLIENT_SECRET": "b"}, r"euw2.pure.cloud \("),
    ],
    ids=str,
)
def test_incomplete_settings_are_told_in_one_line(environment: Mapping[str, str], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        GenesysClient.from_environment(environment)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["mypurecloud.ie", "eu-west-1", "https://apps.mypurecloud.ie/", "API.mypurecloud.ie"])
def test_a_region_may_be_given_by_any_of_its_names(name: str) -> None:
    environment = {"GENESYS_HOST": name, "GENESYS_CLIENT_ID": "a", "GENESYS_CLIENT_SECRET": "b"}
    assert API in repr(GenesysClient.from_environment(environment))


@pytest.mark.parametrize("secret", ["not json", "[]", '{"client_id": "a"}'])
def test_a_secret_that_cannot_be_used_is_named(secret: str, aws_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    arn = boto3.client("secretsmanager").create_secret(Name=secret.encode().hex(), SecretString=secret)["ARN"]
    client = GenesysClient.from_environment({"GENESYS_HOST": "mypurecloud.ie", "GENESYS_SECRET_ARN": arn})
    with pytest.raises(ConfigurationError, match="client_secret"):
        client.contacts.get(ID)
    missing = {"GENESYS_HOST": "mypurecloud.ie", "GENESYS_SECRET_ARN": f"{arn}x"}
    with pytest.raises(ConfigurationError, match=r"ResourceNotFoundException.*GetSecretValue"):
        GenesysClient.from_environment(missing).contacts.get(ID)


# The wire: real sockets


class Keeping(BaseHTTPRequestHandler):
    """Answers every request and counts connections."""

    protocol_version = "HTTP/1.1"
    connections = 0

    @override
    def setup(self) -> None:
        type(self).connections += 1
        super().setup()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        content = b'{"access_token": "t", "expires_in": 3600, "id": "x"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, *_: Any) -> None: ...


def local_client(port: int, **transport: Any) -> GenesysClient:
    return GenesysClient(
        api_url=f"http://127.0.0.1:{port}", credentials=Credentials("a", "b"), transport=Transport(**transport)
    )


def test_login_and_calls_share_one_connection() -> None:
    Keeping.connections = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Keeping) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        client = local_client(server.server_port)
        for _ in range(10):
            client.contacts.find(PHONE)
        server.shutdown()
    assert Keeping.connections == 1


def test_a_service_that_is_not_there_or_does_not_answer_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(UnavailableError, match=f"login: cannot reach http://127.0.0.1:{port}: no answer in time"):
            local_client(port).within(0.2).contacts.get(ID)
    with pytest.raises(UnavailableError, match=f"cannot reach http://127.0.0.1:{port}: connection refused. Check"):
        local_client(port, attempts=1).contacts.get(ID)


def test_the_client_costs_no_aws_sdk_to_import() -> None:
    code = (
        "import sys, cir.genesys.client; print({'boto3', 'botocore', 'PureCloudPlatformClientV2'} & set(sys.modules))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


# Bulk and paging answers that the emulator does not give


def test_bulk_results_are_matched_by_id_and_a_missing_one_is_an_error() -> None:
    results = [
        {"id": "2", "success": True, "status": 201, "entity": {"id": ID}},
        {
            "id": "a",
            "success": False,
            "status": 409,
            "error": {"code": "mergeset.max.size", "message": "for +442079460123"},
        },
    ]
    script = Script(answer(200, {"results": results, "errorCount": 1, "errorIndexes": [1]}))
    batch: list[EnrichRequest] = [{**UPSERT, "id": "a"}, UPSERT, UPSERT]
    first, second, third = client_of(script).contacts.enrich_many(batch)
    assert first.error
    assert (first.id, first.error.code, first.error.status) == ("a", "mergeset.max.size", 409)
    assert "0123" not in first.error.message
    assert second.error
    assert second.error.retryable
    assert third.created
    assert third.contact == {"id": ID}


@pytest.mark.parametrize("batch", [[], [UPSERT] * 11, [{**UPSERT, "id": "a"}] * 2], ids=["none", "eleven", "same id"])
def test_bulk_requests_that_genesys_would_refuse_are_not_sent(batch: list[EnrichRequest]) -> None:
    script = Script()
    with pytest.raises(ValueError, match="enrich requests"):
        client_of(script).contacts.enrich_many(batch)
    assert script.calls == script.logins == []


@pytest.mark.parametrize("ids", [[ID], [ID, ID], [str(number) for number in range(26)]], ids=["1", "same", "26"])
def test_merges_of_too_few_or_too_many_are_not_sent(ids: list[str]) -> None:
    with pytest.raises(ValueError, match="2 to 25"):
        client_of(Script()).contacts.merge(ids, value_override={})


def test_a_claim_conflict_with_an_earlier_self_is_none() -> None:
    """Genesys Cloud does not document what it answers if the merged contact has the identifier already."""
    head = {"id": OTHER_ID, "mergeSet": [{"id": ID}, {"id": OTHER_ID}]}
    script = Script(refusal(409, "identifier.claim.conflict"), answer(200, head))
    client_of(script).contacts.claim(ID, PHONE)
    assert len(script.calls) == 2


def test_a_queue_on_a_later_page_is_found() -> None:
    pages = [{"entities": [{"id": name, "name": name}], "pageCount": 2} for name in ("gold", "Gold")]
    queue = client_of(Script(*(answer(200, page) for page in pages))).organization.queue_named("Gold")
    assert queue == ("Gold", "Gold")


def test_an_expired_cursor_is_told_from_other_refusals() -> None:
    script = Script(refusal(422, "unprocessable.entity"))
    with pytest.raises(CursorExpiredError, match="from the beginning"):
        next(client_of(script).contacts.scan(cursor="old"))


def test_a_redirect_is_not_followed_with_the_token() -> None:
    script = Script(answer(302, Location="https://elsewhere.example.com/"))
    with pytest.raises(GenesysError, match="302"):
        client_of(script).contacts.get(ID)
    assert len(script.calls) == 1


def test_a_file_elsewhere_is_fetched_without_the_token() -> None:
    content = '\ufeffId,Name\r\n1,"Ann\r\nLee"\r\n'.encode()
    export = {"id": ID, "status": "SUCCEEDED", "downloadUrl": "https://files.example.com/x?signature=s"}
    script = Script(answer(200, export), answer(200, content))
    client = client_of(script)
    rows = list(client.exports.rows(client.exports.wait(ID)))
    assert rows == [{"Id": "1", "Name": "Ann\r\nLee"}]
    assert "Authorization" not in script.calls[1].headers
