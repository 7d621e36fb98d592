"""`cir dlq list|show|replay|drop`: what a function was to be given and could not take."""

import json
import os
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cir import connect
from cir.dead_letters import MOST, DeadLetter, DeadLetterError, DeadLetters, chosen
from cli.commands.contacts import Json, Yes
from cli.environment import NAMED_BY, enter_environment
from cli.failures import CommandError

app = typer.Typer(no_args_is_help=True, help="Messages that functions could not take: look at them, send them again.")

Function = Annotated[str, typer.Option(help="Only this function's, for instance `sync` or `events`.")]
Messages = Annotated[list[str] | None, typer.Argument(help="Ids of messages; see `cir dlq list`.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


@app.command("list")
def list_messages(
    function: Function = "",
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many to show of each queue.")] = 50,
    as_json: Json = False,
) -> None:
    """List what could not be delivered, and why where the function has said so."""
    with _connect().received(function, most=limit) as found:
        if as_json:
            typer.echo(json.dumps([each.as_dict() for each in found]))
            return
        table = Table("id", "function", "since", "about", "reason")
        for each in found:
            table.add_row(each.id, each.function, each.sent_at, each.about, each.reason or "see the function's log")
        Console().print(table)


@app.command("show")
def show_message(message: Annotated[str, typer.Argument(help="The message's id.")], as_json: Json = False) -> None:
    """Show one message in full."""
    with _connect().received() as found:
        (wanted,) = _chosen(found, [message], everything=False)
    if as_json:
        typer.echo(json.dumps(wanted.as_dict()))
        return
    console = Console()
    for name, value in wanted.as_dict().items():
        text = value if isinstance(value, str) else json.dumps(value, indent=2)
        console.print(f"[bold]{name}[/]: ", end="")
        console.print(text, markup=False, highlight=False)


@app.command("replay")
def replay(messages: Messages = None, function: Function = "", everything: All = False, as_json: Json = False) -> None:
    """Send messages again to the queue that they came from. Repeated, it does no harm."""
    letters = _connect()
    if everything and not messages:
        sent, left = letters.replay_all(function)
    else:
        with letters.received(function) as found:
            sent, left = letters.replay(_chosen(found, messages or [], everything=everything))
    _tell(as_json, replayed=sent, left=left)
    if left:
        raise CommandError(
            f"{len(left)} messages came from a table's stream, not from a queue, and cannot be sent again: their "
            "records are read anew by the next change, import or reconciliation. Then `cir dlq drop` them"
        )


@app.command("drop")
def drop(
    messages: Messages = None, function: Function = "", everything: All = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Delete messages for good."""
    letters = _connect()
    with letters.received(function) as found:
        wanted = _chosen(found, messages or [], everything=everything)
        number = "all" if everything else str(len(wanted))
        if not yes and not typer.confirm(f"Delete {number} messages for good?"):
            raise typer.Abort
        letters.drop(wanted)
    _tell(as_json, dropped=wanted + (letters.drop_all(function) if everything else []))


def _connect() -> DeadLetters:
    enter_environment()
    return DeadLetters(connect.open_client("sqs"), os.environ[NAMED_BY])


def _chosen(found: list[DeadLetter], ids: list[str], *, everything: bool) -> list[DeadLetter]:
    if everything == bool(ids):
        raise CommandError("name the messages, or say --all")
    try:
        return found if everything else chosen(found, ids)
    except DeadLetterError as error:
        raise CommandError(f"{error}; `cir dlq list` shows those that do") from None


def _tell(as_json: bool, **results: list[DeadLetter]) -> None:
    if as_json:
        typer.echo(json.dumps({name: [each.id for each in messages] for name, messages in results.items()}))
        return
    for name, messages in results.items():
        if messages:
            Console().print(f"{len(messages)} messages {name}.", highlight=False)
