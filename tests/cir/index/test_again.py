"""Repeating while others are in the way: bounded, with pauses at random, and only for that reason."""

import pytest

from cir.index.again import ATTEMPTS, OutdatedError, again, attempts


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """The bounds between which each pause was drawn; none is waited for."""
    drawn: list[tuple[float, float]] = []

    def uniform(least: float, most: float) -> float:
        drawn.append((least, most))
        return 0.0

    monkeypatch.setattr("cir.index.again.random.uniform", uniform)
    return drawn


def test_attempts_end_and_the_pauses_between_them_grow(pauses: list[tuple[float, float]]) -> None:
    slept: list[float] = []
    assert list(attempts(pause=0.5, sleep=slept.append)) == [0, 1, 2, 3, 4, 5]
    assert pauses == [(0, 0.5), (0, 1), (0, 2), (0, 4), (0, 8)]
    assert len(slept) == ATTEMPTS - 1


def test_whoever_is_done_does_not_wait(pauses: list[tuple[float, float]]) -> None:
    assert again(lambda: "done") == "done"
    for _ in attempts():
        break
    assert pauses == []


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize("outdated", range(ATTEMPTS + 1))
def test_what_others_get_in_the_way_of_is_done_again_up_to_the_last_attempt(outdated: int) -> None:
    calls: list[int] = []

    def work() -> int:
        calls.append(len(calls))
        if len(calls) <= outdated:
            raise OutdatedError(f"attempt {len(calls)}")
        return len(calls)

    if outdated < ATTEMPTS:
        assert again(work) == outdated + 1
    else:
        with pytest.raises(OutdatedError, match=f"attempt {ATTEMPTS}"):
            again(work)
    assert len(calls) == min(outdated + 1, ATTEMPTS)


def test_whatever_else_fails_is_not_repeated() -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - its own
        again(work)
    assert len(calls) == 1
