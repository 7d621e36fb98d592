"""When an extract is not believed: each limit, at it and one beyond."""

from dataclasses import replace
from typing import Any

import pytest

from cir.reconcile.guard import Limits, Seen, suspicions

QUIET = Seen(rows=1_000, before=1_000, gone=0, opted_out=0, changed=0, doubled=0, refused=0, filled={})
"""A night in which nothing has happened."""


def night(**facts: Any) -> list[str]:
    return suspicions(replace(QUIET, **facts))


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"rows": 950},  # a twentieth is missing
        {"gone": 50},
        {"rows": 950, "gone": 50},  # the same customers, seen twice
        {"rows": 5_000},
        {"opted_out": 50},
        {"changed": 200},
        {"refused": 50},
        {"doubled": 20},  # below twenty rows no share speaks
        {"rows": 100_000, "before": 100_000, "doubled": 100},
        {"filled": {"tier": (1.0, 0.5)}},
        {"filled": {"tier": (0.4, 1.0)}},
        {"filled": {"tier": (0.0, 0.0)}},
        {"filled": {"fax": (0.0099, 0.0)}},  # so few had one that they may all have lost it
        {"rows": 80, "before": 100},  # twenty of a hundred
        {"rows": 30, "before": 40},  # ten of forty: no more than a quarter
        {"rows": 40, "before": 40, "changed": 10, "doubled": 10, "refused": 10, "opted_out": 10},
        {"rows": 3, "before": 4},
        {"rows": 850, "before": 890, "most": 1_000},  # fifteen in a hundred within a month
        {"gone": 40, "left": 110, "most": 1_000},
        {"gone": 50, "left": 0, "most": 100, "rows": 1_000},  # who is kept is missing every night anew
        {"filled": {"tier": (0.6, 0.5)}, "highest": {"tier": 1.0}},
        {"filled": {"tier": (0.6, 0.5)}, "highest": {"fax": 1.0}},
    ],
    ids=str,
)
def test_what_happens_in_any_night_is_believed(facts: dict[str, Any]) -> None:
    assert night(**facts) == []


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"rows": 949}, "51 of 1,000 customers are missing, more than 5%: is the export complete"),
        ({"gone": 51}, "51 of 1,000 customers are missing, more than 5%"),
        ({"rows": 5_000, "gone": 51}, "51 of 1,000 customers are missing"),  # new ones do not make up for them
        ({"rows": 79, "before": 100}, "21 of 100 customers are missing"),
        ({"rows": 29, "before": 40}, "11 of 40 customers are missing"),
        ({"rows": 2, "before": 4}, "2 of 4 customers are missing"),
        (
            {"opted_out": 51},
            "51 of 1,000 customers have opted out or become inactive at once, more than 5%: does the field still mean",
        ),
        ({"rows": 5_000, "opted_out": 51}, "51 of 1,000 customers have opted out"),  # a share of whom we know
        ({"changed": 201}, "201 of 1,000 customers would be written, more than 20%: was there a mass change"),
        ({"before": 100, "changed": 201}, "201 of 1,000 customers would be written"),  # a share of whom the CRM has
        ({"refused": 51}, "51 of 1,000 rows have no usable id"),
        ({"doubled": 21}, "21 of 1,000 rows have an id that was there before: pages of the CRM overlap"),
        ({"rows": 100_000, "before": 100_000, "doubled": 101}, "101 of 100,000 rows have an id that was there"),
        ({"rows": 849, "before": 890, "most": 1_000}, "151 of 1,000 customers have gone missing within thirty days"),
        ({"rows": 990, "gone": 41, "left": 110, "most": 1_000}, "151 of 1,000 customers have gone missing within"),
        ({"rows": 900, "most": 2_000}, "100 of 1,000 customers are missing, more than 5%"),  # said once
        ({"filled": {"tier": (0.6, 0.499)}, "highest": {"tier": 1.0}}, "tier was filled in 100.0% of the rows and is"),
        ({"filled": {"tier": (1.0, 0.499)}}, "tier was filled in 100.0% of the rows and is in 49.9%: has the field"),
        ({"filled": {"fax": (0.01, 0.0)}}, "fax was filled in 1.0% of the rows and is in 0.0%"),
        ({"filled": {"tier": (1.0, 1.0), "fax": (0.5, 0.1)}}, "fax was filled in 50.0% of the rows and is in 10.0%"),
    ],
    ids=str,
)
def test_what_goes_beyond_a_limit_is_the_one_thing_that_is_said(facts: dict[str, Any], sentence: str) -> None:
    (said,) = night(**facts)
    assert said.startswith(sentence)


def test_a_mass_change_is_said_to_come_from_somewhere() -> None:
    drift = {"title": 1, "customerTier": 240, "cellPhone": 3, "displayName": 2, "assignedQueueId": 250}
    altered = ("the mapping has", "Genesys Cloud's queues have")
    (said,) = night(changed=300, new=10, drift=drift, altered=altered)
    assert said.endswith(
        "Of these 10 are new, 250 differ in assignedQueueId, 240 differ in customerTier, 3 differ in cellPhone, "
        "2 differ in displayName; since the last good run the mapping has and Genesys Cloud's queues have changed."
    )
    (said,) = night(changed=300, new=300)
    assert said.endswith("Of these 300 are new.")


def test_without_rows_nothing_else_is_said() -> None:
    assert night(rows=0, gone=1_000, filled={"tier": (1.0, 0.0)}) == ["the CRM has answered with no rows at all"]


def test_everything_that_is_suspicious_is_said() -> None:
    said = night(
        gone=60, opted_out=60, changed=300, doubled=30, refused=60, filled={"tier": (1.0, 0.0), "fax": (1.0, 0.0)}
    )
    topics = ("missing", "opted out", "tier was filled", "fax was filled", "would be written", "there before", "usable")
    assert [topic in sentence for topic, sentence in zip(topics, said, strict=True)] == [True] * 7


@pytest.mark.parametrize(
    ("limits", "facts", "believed"),
    [
        (Limits(lost=0.5), {"rows": 500, "opted_out": 500}, True),
        (Limits(lost=0.5), {"rows": 499}, False),
        (Limits(changed=1), {"changed": 1_000}, True),
        (Limits(emptied=0), {"filled": {"tier": (0.5, 0.49)}}, False),
        (Limits(rare=0.6), {"filled": {"tier": (0.5, 0)}}, True),
        (Limits(few=0), {"doubled": 1}, True),
        (Limits(few=0), {"doubled": 2}, False),
        (Limits(refused=0, few=0), {"refused": 1}, False),
    ],
    ids=str,
)
def test_the_limits_are_those_given(limits: Limits, facts: dict[str, Any], believed: bool) -> None:
    assert (suspicions(replace(QUIET, **facts), limits) == []) is believed
