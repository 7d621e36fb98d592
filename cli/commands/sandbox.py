"""`cir sandbox`: the whole system on this machine, or the Genesys Cloud emulator alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from sandbox import deployed as deployment
from sandbox.crm.customers import dynamics, salesforce, servicenow
from sandbox.crm.emulator import Emulator
from sandbox.customers import SMALLEST, SampleBase, generate
from sandbox.deployed import Deployed
from sandbox.genesys.http.server import serve
from sandbox.genesys.settings import Settings, latency_range, request_limit
from sandbox.machine.processes import StartError
from sandbox.system import DIRECTORY, Ports, Sandbox, up

type CrmKind = Literal["salesforce", "dynamics", "servicenow"]
CRMS: dict[str, Callable[[SampleBase], Emulator[Any]]] = {
    "salesforce": salesforce, "dynamics": dynamics, "servicenow": servicenow,
}  # fmt: skip

app = typer.Typer(no_args_is_help=True, help="The whole system on this machine, without AWS and without Genesys Cloud.")


@app.command("up")
def start(
    *,
    latency: Annotated[str, typer.Option(help="Of Genesys Cloud, in ms: one number or a range.")] = "300-800",
    rate_limit: Annotated[str, typer.Option(help="Of Genesys Cloud: requests a minute, or `unlimited`.")] = "300",
    genesys_port: Annotated[int | None, typer.Option(help="Port of the Genesys Cloud emulator.")] = None,
    aws_port: Annotated[int | None, typer.Option(help="Port of DynamoDB.")] = None,
    cache_port: Annotated[int | None, typer.Option(help="Port of the cache.")] = None,
    functions_port: Annotated[int | None, typer.Option(help="Port of the Lambda API.")] = None,
    crm: Annotated[CrmKind | None, typer.Option(help="Emulate a CRM with sample customers, and its webhook.")] = None,
    customers: Annotated[int, typer.Option(min=SMALLEST, help="How many the CRM has.")] = 500,
    deployed: Annotated[
        bool, typer.Option("--deployed", help="Deploy the stacks by CDK, at free ports: a minute instead of seconds.")
    ] = False,
) -> None:
    """Start everything and keep it running until Ctrl-C. Other commands find it by themselves."""
    if deployed:
        _deploy(_genesys_settings(latency, rate_limit))
        return
    ports = Ports(genesys=genesys_port, aws=aws_port, cache=cache_port, functions=functions_port)
    sandbox = Sandbox(
        ports=ports,
        genesys=_genesys_settings(latency, rate_limit),
        directory=DIRECTORY,
        crm=CRMS[crm](generate(size=customers)) if crm else None,
    )
    console = Console()
    up(sandbox, on_ready=lambda ready: _show(ready, console))


@app.command("genesys")
def genesys(
    *,
    port: Annotated[int, typer.Option(help="Where to listen.")] = 9090,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    latency: Annotated[str, typer.Option(help="Milliseconds a call: one number or a range such as 300-800.")] = "0",
    rate_limit: Annotated[str, typer.Option(help="Requests a minute and token, or `unlimited`.")] = "300",
    error_rate: Annotated[float, typer.Option(min=0, max=1, help="Share of calls that fail with 500 or 503.")] = 0.0,
    queue: Annotated[list[str] | None, typer.Option(help="A queue of the organization; repeatable.")] = None,
    events_to: Annotated[str | None, typer.Option(help="POST contact events to this URL.")] = None,
    events_file: Annotated[Path | None, typer.Option(help="Append contact events to this file, a line each.")] = None,
) -> None:
    """Run the Genesys Cloud emulator alone."""
    settings = Settings().changed(
        {
            **_genesys_settings(latency, rate_limit),
            "error_rate": error_rate,
            "event_url": events_to,
            "event_file": str(events_file) if events_file else None,
            **({"queues": queue} if queue else {}),
        }
    )
    Console().print(
        f"Genesys Cloud emulator on http://{host}:{port}, client {settings.client_id} / {settings.client_secret}; "
        "Ctrl-C stops it",
        highlight=False,
    )
    serve(host=host, port=port, settings=settings)


def _deploy(genesys: dict[str, object]) -> None:
    console = Console(highlight=False)
    deployment.up(
        lambda ready: _show(ready, console),
        genesys=genesys,
        on_step=lambda step, seconds: console.print(f"{step} in {seconds:.1f} s", style="dim"),
    )


def _genesys_settings(latency: str, rate_limit: str) -> dict[str, object]:
    try:
        return {"latency_ms": latency_range(latency), "rate_limit": request_limit(rate_limit)}
    except ValueError as error:
        raise StartError(str(error)) from error


def _show(sandbox: Sandbox | Deployed, console: Console) -> None:
    table = Table(title="The sandbox is up; Ctrl-C stops it", title_justify="left", show_header=False)
    for part, address in sandbox.describe().items():
        table.add_row(part, address)
    console.print(table)
