"""An access token: one login for all threads, in time, and what a service may answer to it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cir.http.oauth import AccessToken, Credentials, Grant, TokenTimeoutError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["access_token", "expires_in"]), inner),
)


class Service:
    """Grants `token-1`, `token-2` …"""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.logins = 0

    def log_in(self) -> Grant:
        self.logins += 1
        return Grant(f"token-{self.logins}", self.seconds)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("life", "kept_for"), [(3600.0, 3540.0), (100.0, 90.0)], ids=["a minute before its end", "a tenth of a short life"]
)
def test_a_token_is_renewed_shortly_before_its_end(life: float, kept_for: float) -> None:
    service, clock = Service(life), Clock()
    token = AccessToken(clock)
    assert token.get(service.log_in) == "token-1"
    clock.now += kept_for - 0.1
    assert token.get(service.log_in) == "token-1"
    clock.now += 0.2
    assert token.get(service.log_in) == "token-2"


def test_a_token_of_unknown_life_is_kept_until_it_is_rejected() -> None:
    service, clock = Service(float("inf")), Clock()
    token = AccessToken(clock)
    token.get(service.log_in)
    clock.now += 1e9
    assert token.get(service.log_in) == "token-1"
    token.discard("token-0")  # another thread's news, about a token that was replaced long ago
    assert token.get(service.log_in) == "token-1"
    token.discard("token-1")
    assert token.get(service.log_in) == "token-2"


def test_a_login_that_fails_leaves_nothing_behind_and_is_tried_again() -> None:
    service = Service(3600.0)
    token = AccessToken(Clock())

    def fail() -> Grant:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        token.get(fail)
    assert token.get(service.log_in) == "token-1"


def test_a_thread_waits_for_the_login_of_another_no_longer_than_it_may() -> None:
    service, token = Service(3600.0), AccessToken(Clock())
    begun, finish = threading.Event(), threading.Event()

    def slowly() -> Grant:
        begun.set()
        finish.wait()
        return service.log_in()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(token.get, slowly)
        begun.wait()
        try:
            with pytest.raises(TokenTimeoutError):
                token.get(service.log_in, wait_seconds=-1.0)
            second = pool.submit(token.get, service.log_in)
        finally:
            finish.set()
        assert (first.result(), second.result()) == ("token-1", "token-1")
    assert service.logins == 1


@pytest.mark.parametrize(
    ("body", "grant"),
    [
        ({"access_token": "t", "expires_in": 60}, Grant("t", 60.0)),
        ({"access_token": "t", "expires_in": "60"}, Grant("t", 60.0)),
        ({"access_token": "t"}, Grant("t", float("inf"))),
        ({"access_token": "t", "expires_in": None}, Grant("t", float("inf"))),
        ({"access_token": "t", "expires_in": "soon"}, None),
        ({"access_token": "t", "expires_in": 10**400}, None),
        ({"access_token": ""}, None),
        ({"access_token": 7}, None),
        ({"error": "invalid_client"}, None),
        (["access_token"], None),
        (None, None),
    ],
    ids=str,
)
def test_the_answer_to_a_login_is_read(body: Any, grant: Grant | None) -> None:
    assert Grant.read(body) == grant


@given(JSON)
@pytest.mark.slow
def test_no_answer_to_a_login_is_a_surprise(body: Any) -> None:
    grant = Grant.read(body)
    assert grant is None or (grant.token and isinstance(grant.seconds, float))


def test_credentials_do_not_show_in_a_representation() -> None:
    assert "hush" not in repr(Credentials("id", "hush"))
