"""The demo, scene by scene, on a smaller base: the whole system from the export to the answer."""

import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from rich.console import Console

from cir.imports.loading import Report
from cir.sync.customers import Change
from cli.commands.imports import run_import
from cli.commands.reconcile import reconcile_now
from sandbox.demo import Step, story

pytestmark = pytest.mark.slow

CUSTOMERS = 250


@pytest.fixture(scope="module")
def scenes() -> Iterator[dict[str, Step]]:
    console = Console(quiet=True)
    with patch.dict(os.environ):  # the story makes the sandbox's variables those of this process
        steps = story(
            lambda file: run_import(file, console=console),
            lambda: reconcile_now(console),
            console,
            customers=CUSTOMERS,
        )
        yield {step.title: step for step in steps}


def imported(step: Step) -> Report:
    assert step.imported
    return step.imported


def test_every_account_is_imported_once(scenes: dict[str, Step]) -> None:
    first = imported(scenes["The CRM export becomes External Contacts and the index"])
    assert first.changes[Change.CREATED] == CUSTOMERS
    assert first.changes[Change.REFUSED] == sum(first.refused.values()) > 0
    again = imported(scenes["The same file again changes nothing"])
    assert again.changes[Change.UNCHANGED] == CUSTOMERS
    assert again.changes[Change.CREATED] == again.changes[Change.UPDATED] == 0


@pytest.mark.parametrize(
    ("title", "outcome", "cache", "name"),
    [
        ("A known mobile calls", "RESOLVED", "miss", "John Smith"),
        ("He calls back", "RESOLVED", "hit", "John Smith"),
        ("A number nobody has seen", "NOT_FOUND", "miss", "Valued Customer"),
        ("… gives an e-mail address", "RESOLVED", "miss", "Aisha Khan"),
        ("The next call from it", "RESOLVED", "miss", "Aisha Khan"),
        ("Somebody calls from an office", "AMBIGUOUS", "miss", "Valued Customer"),
        ("… and says which address is theirs", "RESOLVED", "miss", "Grace Okafor"),
        ("A withheld number", "BLOCKED", "miss", "Valued Customer"),
        ("A WhatsApp message", "RESOLVED", "miss", "John Smith"),
        ("An e-mail", "RESOLVED", "miss", "John Smith"),
        ("The cache is stopped in the middle of it", "RESOLVED", "degraded", "John Smith"),
        ("… and is back, empty", "RESOLVED", "miss", "John Smith"),
        ("… and answers again", "RESOLVED", "hit", "John Smith"),
    ],
)
def test_each_caller_gets_the_right_answer(
    scenes: dict[str, Step], title: str, outcome: str, cache: str, name: str
) -> None:
    answer = scenes[title].got
    assert (answer["outcome"], answer["cacheStatus"], answer["displayName"]) == (outcome, cache, name)


def test_changes_in_the_crm_reach_the_next_call(scenes: dict[str, Step]) -> None:
    told = scenes["The CRM makes somebody a Platinum customer, who calls"]
    untold = scenes["Another change was never told of, and the night repairs it"]
    assert " finds 1 that differs" in untold.said
    assert [step.got["customerTier"] for step in (told, untold)] == ["Platinum", "Platinum"]


def test_all_doors_lead_to_one_contact(scenes: dict[str, Step]) -> None:
    doors = ("A known mobile calls", "A WhatsApp message", "An e-mail")
    assert len({scenes[title].got["contactId"] for title in doors}) == 1
    assert scenes["A known mobile calls"].then.endswith("queue Enterprise")


def test_the_office_is_asked_what_tells_its_people_apart(scenes: dict[str, Step]) -> None:
    office = scenes["Somebody calls from an office"].got
    assert (office["candidateCount"], office["askFor"]) == (8, "email")
    assert scenes["The new number is linked"].got["outcome"] == "LINKED"


def test_a_conflict_is_merged_and_the_merge_undone(scenes: dict[str, Step]) -> None:
    conflict, merged, undone = (
        scenes[title].got
        for title in (
            "She calls and gives that address",
            "The data owner has merged them",
            "That was wrong, and is undone",
        )
    )
    assert (conflict["outcome"], merged["outcome"], undone["outcome"]) == ("CONFLICT", "RESOLVED", "RESOLVED")
    assert merged["matchedBy"] == "email,phone"
    assert scenes["The data owner has merged them"].then == f"contact {merged['contactId']} by email,phone"
    assert scenes["That was wrong, and is undone"].then.endswith(", back")


def test_an_agents_merge_is_followed(scenes: dict[str, Step]) -> None:
    step = scenes["An agent merges two contacts inside Genesys Cloud"]
    assert step.then == f"contact {step.got['contactId']}"
