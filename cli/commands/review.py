"""`cir duplicates list|show|merge|dismiss`: the review queue of contacts that may be one person."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cir.connect import open_store
from cir.index.review import Case, case_key, dismiss, open_cases
from cir.index.store import IdentityStore
from cli.commands.contacts import By, Json, Yes, describe, merge_contacts, open_merging, show_merge
from cli.environment import enter_environment
from cli.failures import CommandError

CaseKey = Annotated[str, typer.Argument(help="The case: its contacts' ids, joined by `+`.")]


def list_cases(
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 50,
    as_json: Json = False,
) -> None:
    """List what waits for a decision, the most probable first."""
    enter_environment()
    waiting = open_cases(open_store())
    if as_json:
        typer.echo(json.dumps([_plain(case) for case in waiting[:limit]]))
        return
    table = Table("case", "state", "probability", "seen", "because")
    for case in waiting[:limit]:
        refusal = [f"not merged: {case.refusal}"] if case.refusal else []
        table.add_row(
            case.key.replace("+", "+\n"),
            case.state,
            f"{case.probability:.3f}" if case.probability is not None else "-",
            str(len(case.evidence)),
            "\n".join(dict.fromkeys([*(each["because"] for each in case.evidence), *refusal])),
        )
    console = Console()
    console.print(table)
    if len(waiting) > limit:
        console.print(f"and {len(waiting) - limit} more; see --limit")


def show_case(case: CaseKey, as_json: Json = False) -> None:
    """Show a case: its contacts, the evidence, and what a merge would do."""
    enter_environment()
    store = open_store()
    found = _case(store, case)
    plan = open_merging().plan(found.contacts)
    contacts = [describe(store, each) for each in found.contacts]
    if as_json:
        typer.echo(json.dumps({**_plain(found), "described": contacts, "plan": plan.as_dict()}))
        return
    console = Console()
    table = Table("", *found.contacts)
    for name in contacts[0]["profile"]:
        table.add_row(name, *(each["profile"][name] or "-" for each in contacts))
    table.add_row("identifiers", *("\n".join(one["key"] for one in each["identifiers"]) for each in contacts))
    console.print(table)
    for each in found.evidence:
        probability = f" ({each['probability']:.3f})" if "probability" in each else ""
        console.print(f"{each['at'][:10]}: {each['because']}{probability}", highlight=False)
    show_merge(plan, console)


def merge_case(
    *,
    case: CaseKey,
    because: Annotated[str, typer.Option(help="Why they are one person, for the ledger.")] = "decided by a person",
    by: By = "",
    differing: Annotated[
        list[str] | None, typer.Option(help="An external source under whose ids they may differ: you have looked.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Merge the contacts of a case; first only shows what that would do."""
    enter_environment()
    store = open_store()
    found = _case(store, case)
    merging = open_merging()
    merge_contacts(merging, found.contacts, because=because, by=by, differing=differing or (), yes=yes, as_json=as_json)


def dismiss_case(
    case: CaseKey,
    because: Annotated[str, typer.Option(help="Why they are different people, for the ledger.")] = "different people",
    by: By = "",
    as_json: Json = False,
) -> None:
    """Decide that the contacts of a case are different people; nothing proposes them again."""
    enter_environment()
    store = open_store()
    found = _case(store, case)
    dismiss(store, found.contacts, by=by, because=because)
    if as_json:
        typer.echo(json.dumps({"case": found.key, "state": "dismissed"}))
    else:
        Console().print("Dismissed.")


def _case(store: IdentityStore, key: str) -> Case:
    wanted = case_key(key.split("+"))
    found = next((case for case in open_cases(store) if case.key == wanted), None)
    if found is None:
        raise CommandError(f"no case {wanted} waits for a decision; `cir duplicates list` shows those that do")
    return found


def _plain(case: Case) -> dict[str, Any]:
    return {
        "case": case.key,
        "contacts": list(case.contacts),
        "state": str(case.state),
        "probability": case.probability,
        "evidence": case.evidence,
        **({"refused": case.refusal} if case.refusal else {}),
    }
