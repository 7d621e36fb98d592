"""Which answers may be given around a change, and which never."""

from typing import Any

import pytest

from cir.index.cache import CacheLimits
from cir.resolve.answer import NOT_FOUND
from sandbox.bench.history import NOBODY, Answer, Change, Fact, History, Judgement, name_key

ANN, BOB, BOTH = frozenset({"ann"}), frozenset({"bob"}), frozenset({"ann", "bob"})
LIMITS = CacheLimits(fresh=300, fresh_negative=60)


def moved(**times: float) -> list[Change]:
    """The number was Ann's at first, and becomes Bob's between 10 and 11."""
    first = Change("creation", 0, 1, {"phone": ANN, name_key("ann"): frozenset({"Ann"})}, told=1)
    times = {"began": 10, "ended": 11, "told": 12} | times
    return [first, Change("move", after={"phone": BOB}, between={"phone": (BOTH,)}, **times)]


def judged(changes: list[Change], at: float, contact_id: str, outcome: str = "RESOLVED", **rest: Any) -> Judgement:
    answer = Answer(rest.pop("keys", ("phone",)), at, at + 0.1, outcome, contact_id, **rest)
    return History(changes, LIMITS).judge(answer)


@pytest.mark.parametrize(
    ("at", "anns", "bobs"),
    [
        (9, Judgement.TRUE, Judgement.NEVER_TRUE),
        (9.95, Judgement.TRUE, Judgement.TRUE),
        (10.5, Judgement.TRUE, Judgement.TRUE),
        (11.5, Judgement.STALE, Judgement.TRUE),
        (12.5, Judgement.NEVER_TRUE, Judgement.TRUE),
    ],
)
def test_the_old_is_answered_until_the_cache_was_told_and_the_new_from_the_beginning(
    at: float, anns: Judgement, bobs: Judgement
) -> None:
    assert (judged(moved(), at, "ann"), judged(moved(), at, "bob")) == (anns, bobs)


def test_what_is_true_in_between_may_be_answered_in_between() -> None:
    at = {at: judged(moved(), at, NOT_FOUND, "AMBIGUOUS") for at in (9, 10.5, 11.5, 12.5)}
    assert list(at.values()) == [Judgement.NEVER_TRUE, Judgement.TRUE, Judgement.STALE, Judgement.NEVER_TRUE]


@pytest.mark.parametrize(("seconds", "expected"), [(299, Judgement.STALE), (301, Judgement.NEVER_TRUE)])
def test_nothing_is_answered_for_longer_than_an_entry_answers_by_itself(seconds: float, expected: Judgement) -> None:
    assert judged(moved(told=float("inf")), 11 + seconds, "ann") is expected


@pytest.mark.parametrize(("seconds", "expected"), [(59, Judgement.STALE), (61, Judgement.NEVER_TRUE)])
def test_nobody_is_answered_for_a_shorter_time(seconds: float, expected: Judgement) -> None:
    created = [Change("creation", 0, 1, {"phone": ANN})]
    assert judged(created, 1 + seconds, NOT_FOUND, "NOT_FOUND") is expected


def test_staleness_is_what_has_passed_since_the_change() -> None:
    answer = Answer(("phone",), 11.5, 11.6, "RESOLVED", "ann")
    assert History(moved(), LIMITS).staleness(answer) == pytest.approx(0.5)


def test_a_name_has_to_be_one_of_the_contact_then() -> None:
    assert judged(moved(), 5, "ann", name="Ann") is Judgement.TRUE
    assert judged(moved(), 5, "ann", name="Bob") is Judgement.NEVER_TRUE


def test_what_says_that_it_is_old_has_to_have_been_true_once() -> None:
    assert judged(moved(), 50, "ann", "DEGRADED") is Judgement.DEGRADED
    assert judged(moved(), 50, NOT_FOUND, "DEGRADED") is Judgement.DEGRADED
    assert judged(moved(), 5, "bob", "DEGRADED") is Judgement.NEVER_TRUE


@pytest.mark.parametrize(
    ("phone", "email", "right"),
    [
        (NOBODY, NOBODY, {("NOT_FOUND", NOT_FOUND)}),
        (ANN, NOBODY, {("RESOLVED", "ann")}),
        (ANN, ANN, {("RESOLVED", "ann")}),
        (BOTH, ANN, {("RESOLVED", "ann")}),
        (BOTH, NOBODY, {("AMBIGUOUS", NOT_FOUND)}),
        (BOTH, BOTH, {("AMBIGUOUS", NOT_FOUND)}),
        (ANN, BOB, {("CONFLICT", "ann"), ("CONFLICT", "bob")}),
        (BOTH, frozenset({"eve"}), {("RESOLVED", "eve")}),
    ],
)
def test_of_two_values_it_is_what_they_say_together(phone: Fact, email: Fact, right: set[tuple[str, str]]) -> None:
    facts = [Change("creation", 0, 1, {"phone": phone, "email": email}, told=1)]
    said = [(outcome, NOT_FOUND) for outcome in ("NOT_FOUND", "AMBIGUOUS")]
    said += [(outcome, one) for outcome in ("RESOLVED", "CONFLICT") for one in ("ann", "bob", "eve")]
    held = {each: judged(facts, 5, each[1], each[0], keys=("phone", "email")) for each in said}
    assert {each for each, judgement in held.items() if judgement is Judgement.TRUE} == right
    assert {judgement for each, judgement in held.items() if each not in right} == {Judgement.NEVER_TRUE}
