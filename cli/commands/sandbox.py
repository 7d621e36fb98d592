"""`cir sandbox`: the whole system on this machine, or the Genesys Cloud emulator alone."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cir.crm.mapping import CrmKind
from sandbox import deployed as deployment
from sandbox.crm.customers import CRMS
from sandbox.customers import SMALLEST, generate
from sandbox.deployed import Deployed
from sandbox.genesys.command import emulate, speed
from sandbox.system import DIRECTORY, Ports, Sandbox, up

app = typer.Typer(no_args_is_help=True, help="The whole system on this machine, without AWS and without Genesys Cloud.")
app.command("genesys")(emulate)


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
        _deploy(speed(latency, rate_limit))
        return
    ports = Ports(genesys=genesys_port, aws=aws_port, cache=cache_port, functions=functions_port)
    sandbox = Sandbox(
        ports=ports,
        genesys=speed(latency, rate_limit),
        directory=DIRECTORY,
        crm=CRMS[crm](generate(size=customers)) if crm else None,
    )
    console = Console()
    up(sandbox, on_ready=lambda ready: _show(ready, console))


def _deploy(genesys: dict[str, object]) -> None:
    console = Console(highlight=False)
    deployment.up(
        lambda ready: _show(ready, console),
        genesys=genesys,
        on_step=lambda step, seconds: console.print(f"{step} in {seconds:.1f} s", style="dim"),
    )


def _show(sandbox: Sandbox | Deployed, console: Console) -> None:
    table = Table(title="The sandbox is up; Ctrl-C stops it", title_justify="left", show_header=False)
    for part, address in sandbox.describe().items():
        table.add_row(part, address)
    console.print(table)
