"""`cir contact`: what is known of a contact and why, merging contacts, and undoing that."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cir.connect import open_genesys, open_store
from cir.contacts.organization import ExternalSources
from cir.identity.phone_life import faded_contacts
from cir.identity.records import Contact
from cir.identity.verdict import is_generic
from cir.index.again import OutdatedError
from cir.index.store import IdentityStore
from cir.merge.merging import MergePlan, Merging, Refusal
from cir.merge.splitting import SplitPlan, Splitting
from cir.merge.survivorship import Loss
from cli.environment import enter_environment
from cli.failures import CommandError
from cli.progress import say_waits

app = typer.Typer(no_args_is_help=True, help="A contact: what is known and why; merging and splitting.")

_APART = frozenset({"conflict", "refusal", "detach", "split"})
"""Kinds of ledger entries that say that somebody is somebody else."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
By = Annotated[str, typer.Option(help="Who decides, for the ledger.", envvar="USER")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it. Without, the plan is shown and nothing happens.")]


@app.command("show")
def show(contact_id: Annotated[str, typer.Argument(help="Any id it ever had.")], as_json: Json = False) -> None:
    """Show a contact: its profile, what leads to it and who says so, and what was merged into it."""
    enter_environment()
    told = describe(open_store(), contact_id)
    if as_json:
        typer.echo(json.dumps(told))
        return
    console = Console()
    title = f"[bold]{told['contact_id']}[/]" + (f" (asked for as {contact_id})" if told["asked"] else "")
    console.print(title, highlight=False)
    facts = Table(show_header=False, box=None)
    for name, value in told["profile"].items():
        facts.add_row(name, value or "-")
    if told["merged_from"]:
        facts.add_row("merged from", "\n".join(told["merged_from"]))
    console.print(facts)
    table = Table("identifier", "said by", "assurance", "first seen", "last confirmed", "besides it")
    for each in told["identifiers"]:
        claim = each["claim"] or dict.fromkeys(("source", "assurance", "first_seen", "last_confirmed"), "-")
        table.add_row(
            each["key"],
            claim["source"],
            claim["assurance"],
            claim["first_seen"][:10],
            claim["last_confirmed"][:10],
            _besides(each),
        )
    console.print(table)
    for line in told["because"]:
        console.print(f"One person because: {line}", highlight=False)
    for line in told["kept_apart"]:
        console.print(f"Kept apart: {line}", highlight=False)
    for line in told["undo"]:
        console.print(f"To undo: {line}", highlight=False)


@app.command("history")
def history(contact_id: Annotated[str, typer.Argument(help="Any id it ever had.")], as_json: Json = False) -> None:
    """Show every decision about a contact and those merged into it, oldest first."""
    enter_environment()
    store = open_store()
    entries = sorted(_entries(store, _contact(store, contact_id)), key=lambda each: str(each["at"]))
    if as_json:
        typer.echo(json.dumps(entries))
        return
    table = Table("when", "contact", "what", "because", "details", "rules")
    for each in entries:
        table.add_row(
            each["at"], each["subject"], each["kind"], each["because"], _short(each["details"]), each["rules_version"]
        )
    Console().print(table)


@app.command("merge")
def merge(
    *,
    contact_ids: Annotated[list[str], typer.Argument(help="2 to 25 contacts that are one person.")],
    because: Annotated[str, typer.Option(help="Why they are, for the ledger.")] = "decided by a person",
    by: By = "",
    differing: Annotated[
        list[str] | None, typer.Option(help="An external source under whose ids they may differ: you have looked.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Merge contacts in Genesys Cloud and the index; first only shows what that would do."""
    enter_environment()
    merge_contacts(
        open_merging(), contact_ids, because=because, by=by, differing=differing or (), yes=yes, as_json=as_json
    )


@app.command("split")
def split(
    part: Annotated[str, typer.Argument(help="The id that was merged away and shall be a contact again.")],
    because: Annotated[str, typer.Option(help="Why, for the ledger.")] = "decided by a person",
    by: By = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Undo a merge for one of its contacts; first only shows what that would do, and what cannot be restored."""
    enter_environment()
    client = open_genesys(report=False, on_wait=say_waits(Console(stderr=True)))
    splitting = Splitting(client, open_store(), ExternalSources(client))
    plan = splitting.plan(part)
    if not as_json:
        show_split(plan, Console())
    if not yes:
        if as_json:
            typer.echo(json.dumps({"plan": plan.as_dict()}))
        return
    _require(plan.refusals)
    new = _finished(lambda: splitting.split(plan, by=by, because=because))
    if as_json:
        typer.echo(json.dumps({"contactId": new, "plan": plan.as_dict()}))
    else:
        Console().print(f"Contact [bold]{new}[/] is back; {part} leads to it.", highlight=False)


@app.command("resume")
def resume(as_json: Json = False) -> None:
    """Finish merges and splits that were started and interrupted."""
    enter_environment()
    client, store = open_genesys(report=False, on_wait=say_waits(Console(stderr=True))), open_store()
    done = {
        "merges": _finished(Merging(client, store, ExternalSources(client)).resume),
        "splits": _finished(Splitting(client, store, ExternalSources(client)).resume),
    }
    if as_json:
        typer.echo(json.dumps(done))
        return
    for kind, finished in done.items():
        for case, contact_id in finished.items():
            Console().print(f"{kind}: {case}: {contact_id or 'cannot be carried out any more'}", highlight=False)
    if not any(done.values()):
        Console().print("Nothing was left unfinished.")


def merge_contacts(
    merging: Merging,
    contact_ids: Sequence[str],
    *,
    because: str,
    by: str,
    differing: Sequence[str],
    yes: bool,
    as_json: bool,
) -> None:
    """Plan, show and, with `yes`, perform a merge."""
    plan = merging.plan(contact_ids, differing=differing)
    if not as_json:
        show_merge(plan, Console())
    if not yes:
        if as_json:
            typer.echo(json.dumps({"plan": plan.as_dict()}))
        return
    _require(plan.refusals)
    merged = _finished(lambda: merging.merge(plan, by=by, because=because))
    if as_json:
        typer.echo(json.dumps({"contactId": merged, "plan": plan.as_dict()}))
    else:
        Console().print(f"They are contact [bold]{merged}[/] from now on.", highlight=False)


def describe(store: IdentityStore, contact_id: str) -> dict[str, Any]:
    """What the index knows of a contact, as plain data. Raises CommandError."""
    contact = _contact(store, contact_id)
    records = store.identifiers(contact.identifiers, consistent=True)
    heads, _ = store.canonical({owner for each in records.values() for owner in each.claims}, consistent=True)
    entries = list(_entries(store, contact))
    identifiers = []
    for each in sorted(contact.identifiers, key=lambda each: each.key):
        record = records.get(each)
        own = [claim for owner, claim in record.claims.items() if owner in contact.owners] if record else []
        leading = {heads[owner].contact_id for owner in record.claims if owner in heads} if record else set()
        identifiers.append(
            {
                "key": each.key,
                "claim": {**asdict(own[0]), "assurance": own[0].assurance.label} if own else None,
                "other_contacts": len(leading - {contact.contact_id}),
                "generic": bool(record and is_generic(record, heads)),
                "faded": bool(record and contact.contact_id in faded_contacts(record, heads)),
            }
        )
    return {
        "contact_id": contact.contact_id,
        "asked": contact_id if contact_id != contact.contact_id else "",
        "profile": asdict(contact.profile),
        "identifiers": identifiers,
        "merged_from": list(contact.merged_from),
        "because": [each["because"] for each in entries if each["kind"] == "merge"],
        "kept_apart": [_apart(each) for each in entries if each["kind"] in _APART],
        "undo": [f"cir contact split {each}" for each in contact.merged_from],
        "generation": contact.generation,
    }


def show_merge(plan: MergePlan, console: Console) -> None:
    """A merge plan as tables."""
    table = Table("field", "value", "of", "rule", title="What the merged contact would be", title_justify="left")
    for each in plan.combined.survivors:
        table.add_row(each.field, _text(each.value), each.contact_id or "all", each.rule)
    console.print(table)
    _show_losses(plan.combined.losses, console)
    console.print(f"{len(plan.identifiers)} identifiers would lead to it.", highlight=False)
    if plan.overflow:
        console.print(f"Kept in the index only, for want of a field: {', '.join(plan.overflow)}", highlight=False)
    _show_refusals(plan.refusals, console)


def show_split(plan: SplitPlan, console: Console) -> None:
    """A split plan as tables."""
    if not plan.refusals:
        table = Table("field", "value", title=f"What {plan.part} would be again", title_justify="left")
        for name, value in plan.body.items():
            table.add_row(name, _text(value))
        console.print(table)
        console.print(f"Only its own: {', '.join(plan.moved) or 'nothing'}", highlight=False)
        console.print(f"Of both: {', '.join(plan.shared) or 'nothing'}", highlight=False)
        for line in plan.cannot_be_restored:
            console.print(f"[yellow]{line}[/]", highlight=False)
    _show_refusals(plan.refusals, console)


def _show_losses(losses: Sequence[Loss], console: Console) -> None:
    if losses:
        table = Table("field", "value", "of", title="What no field would have", title_justify="left")
        for each in losses:
            table.add_row(each.field, _text(each.value), each.contact_id)
        console.print(table)


def _show_refusals(refusals: Sequence[Refusal], console: Console) -> None:
    for each in refusals:
        console.print(f"[bold red]Refused:[/] {each.text} ({each.code})", highlight=False)


def open_merging() -> Merging:
    """Merging in the deployment that this process's variables name."""
    client = open_genesys(report=False, on_wait=say_waits(Console(stderr=True)))
    return Merging(client, open_store(), ExternalSources(client))


def _require(refusals: Sequence[Refusal]) -> None:
    if refusals:
        raise CommandError(f"nothing was done: {'; '.join(each.text for each in refusals)}")


def _finished[Result](work: Callable[[], Result]) -> Result:
    try:
        return work()
    except OutdatedError as error:
        raise CommandError(f"{error}; `cir contact resume` goes on where it stopped") from None


def _contact(store: IdentityStore, contact_id: str) -> Contact:
    found = store.canonical([contact_id], consistent=True)[0].get(contact_id)
    if found is None:
        raise CommandError(f"the index knows no contact {contact_id}")
    return found


def _entries(store: IdentityStore, contact: Contact) -> Iterator[dict[str, Any]]:
    for owner in sorted(contact.owners):
        yield from store.history(owner)


def _besides(identifier: Mapping[str, Any]) -> str:
    """Who else has it, and what that makes of it as evidence."""
    if identifier["generic"]:
        return "too many to identify anybody"
    if identifier["faded"]:
        return "seen too long ago to contradict anything"
    return f"{identifier['other_contacts']} others" if identifier["other_contacts"] else "nobody"


def _apart(entry: Mapping[str, Any]) -> str:
    """What was not taken for the same person, or not any more, and why."""
    details = entry["details"]
    others = [*details.get("other_contacts", ()), *filter(None, (details.get("other_contact"), details.get("now_of")))]
    about = f" ({details['identifier']})" if "identifier" in details else ""
    return f"{entry['at'][:10]} {entry['kind']}: {entry['because']}{about}" + (
        f"; the other: {', '.join(others)}" if others else ""
    )


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return str(value.get("display") or json.dumps(value, ensure_ascii=False))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)


def _short(details: Mapping[str, Any]) -> str:
    return "\n".join(
        f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in details.items()
        if value not in ("", [], {}, None) and not isinstance(value, Mapping)
    )
