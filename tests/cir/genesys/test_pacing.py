"""Staying below the request limit that Genesys Cloud tells in its answers."""

import math
from typing import Any, override

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from cir.genesys.pacing import HeaderPacer
from tests.support.scripted_genesys import ID, Script, Time, answer, client_of, refusal


class Limited(Script):
    """Counts as Genesys Cloud does: so many requests per window of a minute, told in headers; 429 beyond."""

    def __init__(self, time: Time, *, allowed: int) -> None:
        super().__init__()
        self._time, self._allowed = time, allowed
        self._started, self._count = time.now, 0
        self.sent_at: list[float] = []
        self.throttled = 0

    @override
    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        if "oauth" in str(request.url):
            return super().send(request)
        now = self._time.now
        if now - self._started >= 60:
            self._started, self._count = now, 0
        self._count += 1
        reset = str(int(60 - (now - self._started)) + 1)
        self.sent_at.append(now)
        headers = {
            "inin_ratelimit_allowed": str(self._allowed),
            "inin_ratelimit_count": str(self._count),
            "inin_ratelimit_reset": reset,
        }
        if self._count > self._allowed:
            self.throttled += 1
            return refusal(429, "too.many.requests.retry.after", Retry_After=reset, **headers)
        return answer(200, {"id": ID}, **headers)


def test_many_calls_stay_below_the_limit_that_the_headers_tell() -> None:
    time = Time()
    script = Limited(time, allowed=100)
    client = client_of(script, time)
    for _ in range(450):
        client.contacts.get(ID)
    assert script.throttled == 0
    # Full speed while much is left, evenly spaced near the limit, and the limit is used up nearly completely.
    assert script.sent_at[79] == 1000.0
    gaps = [later - earlier for earlier, later in zip(script.sent_at[81:99], script.sent_at[82:100], strict=True)]
    assert min(gaps) > 2
    assert time.now < 1000 + 5 * 62
    limit = client.rate_limit
    assert limit
    assert (limit.allowed, limit.remaining) == (100, 100 - limit.count)


def told(*, allowed: int, count: int, reset: int) -> dict[str, str]:
    return {
        "inin-ratelimit-allowed": str(allowed),
        "inin-ratelimit-count": str(count),
        "inin-ratelimit-reset": str(reset),
    }


@given(st.lists(st.sampled_from(["ask", "ask", "answer", "5 s"]), max_size=400))
def test_no_window_gets_more_than_it_allows(events: list[str]) -> None:
    """However late the answers of up to four requests at a time come in."""
    allowed, time = 10, Time()
    pacer = HeaderPacer(clock=lambda: time.now)
    window, count = time.now, 0
    answers: list[dict[str, str]] = []
    for event in events:
        if event == "5 s":
            time.now += 5
        elif event == "answer" and answers:
            pacer.after_response(answers.pop(0), 1)
        elif event == "ask" and len(answers) < 4 and pacer.before_request(1) <= 0:
            if time.now - window >= 60:
                window, count = time.now, 0
            count += 1
            assert count <= allowed
            answers.append(told(allowed=allowed, count=count, reset=math.ceil(60 - (time.now - window))))


def test_requests_in_flight_are_counted() -> None:
    time = Time()
    pacer = HeaderPacer(slow_below=0, clock=lambda: time.now)
    pacer.before_request(1)
    pacer.after_response(told(allowed=10, count=7, reset=30), 1)
    assert [pacer.before_request(1) for _ in range(5)] == [0, 0, 0, 30, 30]


def test_answers_that_overtake_each_other_do_not_lower_the_count() -> None:
    pacer = HeaderPacer(slow_below=0, clock=lambda: 0.0)
    for count in (9, 8):
        pacer.before_request(1)
        pacer.after_response(told(allowed=10, count=count, reset=30), 1)
    assert [pacer.before_request(1) for _ in range(2)] == [0, 30]


@pytest.mark.parametrize(("count", "reset"), [(1, 3), (6, 60)], ids=["count fell", "end moved"])
def test_a_window_that_was_renewed_early_is_recognized(count: int, reset: int) -> None:
    pacer = HeaderPacer(clock=lambda: 0.0)
    pacer.before_request(1)
    pacer.before_request(1)
    pacer.after_response(told(allowed=10, count=10, reset=2), 1)
    assert pacer.before_request(1) == 2
    pacer.after_response(told(allowed=10, count=count, reset=reset), 1)
    assert pacer.before_request(1) == 0
