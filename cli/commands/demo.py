"""`cir demo`: the system shown on this machine."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.commands.imports import reason_tables, run_import, summary_table
from cli.commands.reconcile import reconcile_now
from sandbox.demo import Step, story

_SHOWN = (
    "outcome",
    "contactId",
    "customerTier",
    "accountStatus",
    "matchedBy",
    "candidateCount",
    "askFor",
    "assurance",
    "cacheStatus",
    "latencyMs",
)


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Print each scene as a JSON line.")] = False,
) -> None:
    """Show the whole system on this machine: an import, calls by many doors, a failure."""
    console = Console(stderr=as_json, highlight=False)
    for step in story(lambda file: run_import(file, console=console), lambda: reconcile_now(console), console):
        if as_json:
            typer.echo(json.dumps(_as_dict(step), ensure_ascii=False))
        else:
            _show(step, console)


def _show(step: Step, console: Console) -> None:
    console.print(f"\n[bold cyan]{step.title}[/]  [dim]{_time(step.seconds)}[/]")
    if step.said:
        console.print(f"  {step.said}", style="dim")
    if step.imported:
        console.print(summary_table(step.imported))
        for table in reason_tables(step.imported):
            console.print(table)
    if step.sent:
        console.print("  → " + "  ".join(f"{name}={value}" for name, value in step.sent.items()))
    if step.got:
        answer = Table.grid(padding=(0, 2))
        for name, value in step.got.items():
            if name in _SHOWN and value != "":
                answer.add_row("   ", f"[dim]{name}[/]", str(value))
        console.print(answer)
    if step.then:
        console.print(f"  [green]{step.then}[/]")


def _as_dict(step: Step) -> dict[str, object]:
    line: dict[str, object] = {"scene": step.title, "milliseconds": round(step.seconds * 1000, 1)}
    if step.sent:
        line |= {"sent": step.sent, "answer": step.got, "then": step.then}
    if step.imported:
        line["import"] = step.imported.as_dict()
    return line


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"
