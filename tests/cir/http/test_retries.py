"""When a request is sent again, after what pause, and when that ends."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cir.http.retries import Attempts, Failure, Retries, Timing, retry_after

RETRIES = Retries(attempts=4, first_pause=0.5, longest_pause=1.5, longest_retry_after=60.0)


class RefusedError(Exception):
    pass


@dataclass
class Time:
    """Moves by sleeping only; of random numbers always the highest."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def timing(self) -> Timing:
        return Timing(lambda: self.now, self.sleep, lambda low, high: high)


def failures(attempts: Attempts, failure: Failure, most: int = 10) -> int:
    """How many attempts were made until it ended with the failure's error."""
    for number in range(1, most):
        try:
            attempts.pause(failure)
        except RefusedError:
            return number
    raise AssertionError("it does not end")


def test_pauses_are_doubled_up_to_a_limit_and_the_last_failure_is_raised() -> None:
    time = Time()
    attempts = Attempts(RETRIES, time.timing)
    assert failures(attempts, Failure(RefusedError(), repeatable=True)) == 4
    assert time.slept == [0.5, 1.0, 1.5]


def test_the_pause_is_random_and_never_shorter_than_what_the_service_demands() -> None:
    time, asked = Time(), list[tuple[float, float]]()

    def lowest(low: float, high: float) -> float:
        asked.append((low, high))
        return low

    attempts = Attempts(RETRIES, Timing(lambda: time.now, time.sleep, lowest))
    attempts.pause(Failure(RefusedError(), repeatable=True, retry_after=7.0))
    assert time.slept == [7.0]
    assert asked == [(0.0, 0.5)]


@pytest.mark.parametrize(
    "failure",
    [
        Failure(RefusedError(), repeatable=False),
        Failure(RefusedError(), repeatable=True, retry_after=60.1),
    ],
    ids=["not repeatable", "a longer pause is demanded than anybody waits"],
)
def test_what_cannot_succeed_now_is_not_waited_for(failure: Failure) -> None:
    time = Time()
    assert failures(Attempts(RETRIES, time.timing), failure) == 1
    assert time.slept == []


def test_nothing_is_tried_after_the_deadline() -> None:
    time = Time()
    attempts = Attempts(RETRIES, time.timing, deadline=time.now + 1.5)
    assert attempts.allow(1.4)
    assert not attempts.allow(1.5)
    assert failures(attempts, Failure(RefusedError(), repeatable=True)) == 2
    assert time.slept == [0.5]


def test_the_attempt_that_is_due_and_why_the_last_one_failed_are_known() -> None:
    attempts, error = Attempts(RETRIES, Time().timing), RefusedError()
    assert (attempts.number, attempts.last) == (1, None)
    attempts.pause(Failure(error, repeatable=True))
    assert (attempts.number, attempts.last) == (2, error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
    ],
    ids=str,
)
def test_what_an_answer_demands_is_read_in_seconds(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@given(st.text())
def test_whatever_an_answer_demands_can_be_slept(text: str) -> None:
    seconds = retry_after({"retry-after": text})
    assert seconds is None or 0 <= seconds < float("inf")
