"""`cir bench`: the system measured on this machine, as ratios and against the truth."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.table import Table

from cli.commands.imports import run_import
from sandbox.bench import duplicates as bench_duplicates
from sandbox.bench import families
from sandbox.bench import resolver as bench
from sandbox.bench import truth as bench_truth

Json = Annotated[bool, typer.Option("--json", help="Print the results as JSON.")]

app = typer.Typer(no_args_is_help=True, help="Measure the system on this machine.")


class Results(Protocol):
    """What a measurement gives."""

    def as_dict(self) -> Any: ...
    def tables(self) -> Iterator[Table]: ...


@app.command("resolver")
def resolver(as_json: Json = False) -> None:
    """The resolver under a realistic mix of calls, beside one that asks Genesys on every miss; and its cold starts."""
    console = Console(stderr=as_json, highlight=False)
    _print(bench.run(lambda file, on_row: run_import(file, console=console, on_row=on_row), console), console, as_json)


@app.command("truth")
def truth(
    as_json: Json = False,
    seconds: Annotated[
        float, typer.Option(min=1, max=3600, help="How long to ask and to change.")
    ] = bench_truth.SECONDS,
) -> None:
    """Answers held against what was true, while customers are linked, merged, split, moved and deleted.

    Fails if one was never true.
    """
    console = Console(stderr=as_json, highlight=False)
    results = bench_truth.run(console, seconds=seconds)
    _print(results, console, as_json)
    if not results.right:
        raise typer.Exit(1)


@app.command("duplicates")
def duplicates(
    as_json: Json = False,
    size: Annotated[
        list[int] | None, typer.Option(min=1000, help="Sample customers; may be given several times.")
    ] = None,
    family_size: Annotated[
        list[int] | None, typer.Option(min=20, help="Records of a base of families; may be given several times.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Bases of families of each size and share of doubled records.")] = 2,
) -> None:
    """Duplicate detection: accuracy on FEBRL, sample customers and families, time and memory."""
    console = Console(stderr=as_json, highlight=False)
    results = bench_duplicates.run(
        console, sizes=size or bench_duplicates.SIZES, family_sizes=family_size or families.SIZES, seeds=seeds
    )
    _print(results, console, as_json)


def _print(results: Results, console: Console, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(results.as_dict()))
        return
    for table in results.tables():
        console.print(table)
