"""`cir duplicates find`: which records of one file are one person's, and why."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table

from cli.failures import CommandError

if TYPE_CHECKING:
    from cir.duplicates.finding import Found

_SHOWN_VALUES = 10


def find(
    file: Annotated[Path, typer.Argument(help="A CSV (any delimiter) or Parquet file with a header.")],
    *,
    columns: Annotated[
        Path | None, typer.Option(help="JSON map of attributes to columns; without it one is guessed and shown.")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="Write the pairs with probability, action and evidence to CSV.")
    ] = None,
    clusters: Annotated[Path | None, typer.Option(help="Write one line per record with its cluster to CSV.")] = None,
    model: Annotated[
        Path | None, typer.Option(help="A saved model; without it weights are learnt from the file itself.")
    ] = None,
    save_model: Annotated[Path | None, typer.Option(help="Save the weights that were learnt.")] = None,
    export_to: Annotated[
        Path | None, typer.Option(help="Write what Splink needs to compare on Spark into this directory.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Find duplicates in an export. Needs no deployment and no configuration, and sends nothing anywhere."""
    try:
        from cir.duplicates import finding  # noqa: PLC0415 - half a second of DuckDB and Splink that other commands need not wait for
    except ModuleNotFoundError as error:
        raise CommandError(f"{error.name} is missing: install `cir[cli,duplicates]` instead of `cir[cli]`") from None

    console = Console(stderr=as_json)
    with console.status("reading") as status:
        found = finding.find(
            file,
            columns=columns,
            pairs=pairs,
            clusters=clusters,
            model=model,
            save_model_to=save_model,
            export_to=export_to,
            on_step=status.update,
        )
    if as_json:
        typer.echo(json.dumps(found.as_dict(), ensure_ascii=False))
    else:
        show(found, console)


def show(found: "Found", console: Console) -> None:
    """The summary as tables."""
    console.print(_columns(found), _result(found), _reasons(found))
    if found.generic:
        console.print(_generic(found))


def _columns(found: "Found") -> Group:
    title = "Columns, as guessed; save this as MAP.json to change it" if found.guessed else "Columns"
    return Group(f"[bold]{title}[/]", json.dumps(found.columns.as_dict(), ensure_ascii=False, indent=2))


def _result(found: "Found") -> Table:
    table = Table(title="Records", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    loaded = found.loaded
    for name, number in (
        ("rows", loaded.rows),
        ("without id, left out", loaded.without_id),
        ("repeating an id, left out", loaded.repeated_ids),
        ("records", loaded.records),
        ("pairs compared", found.candidates),
    ):
        if number or "left out" not in name:
            table.add_row(name, f"{number:,}")
    table.add_section()
    table.add_row("merge automatically", f"{found.records_in_merge_groups:,} records into {found.merge_groups:,}")
    table.add_row("merge or review", f"{found.records_in_clusters:,} records in {found.clusters:,} clusters")
    table.add_row("largest cluster", f"{found.largest_cluster:,}")
    table.add_row("seconds", f"{found.seconds:.1f}")
    return table


def _reasons(found: "Found") -> Table:
    table = Table("pairs to", "because", title="Pairs", title_justify="left")
    table.add_column("number", justify="right")
    for (action, reason), number in found.reasons.items():
        table.add_row(action, escape(reason), f"{number:,}")
    return table


def _generic(found: "Found") -> Table:
    table = Table("attribute", "value", "because", title="Values that identify nobody", title_justify="left")
    table.add_column("records", justify="right")
    for each in found.generic[:_SHOWN_VALUES]:
        table.add_row(each.attribute, escape(each.value), each.reason, f"{each.records:,}")
    if found.generic_values > _SHOWN_VALUES:
        table.caption = f"and {found.generic_values - _SHOWN_VALUES:,} more; --json lists them"
    return table
