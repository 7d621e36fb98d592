"""The emulator's command: `genesys-emulator`, `python -m sandbox.genesys` and `cir sandbox genesys` are this one."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from .http.server import serve
from .organization.settings import Settings, latency_range, request_limit


def emulate(
    *,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where to listen; 0 is any free port.")] = 9090,
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
            **speed(latency, rate_limit),
            "error_rate": error_rate,
            "event_url": events_to,
            "event_file": str(events_file) if events_file else None,
            **({"queues": queue} if queue else {}),
        }
    )

    def tell(port: int) -> None:
        typer.echo(
            f"Genesys Cloud emulator on http://{host}:{port}, client {settings.client_id} / {settings.client_secret}; "
            "Ctrl-C stops it"
        )

    serve(host=host, port=port, settings=settings, on_listening=tell)


def speed(latency: str, rate_limit: str) -> dict[str, object]:
    """The settings behind the two options of these names. Raises typer.BadParameter for text that is neither."""
    return {
        "latency_ms": _read(latency_range, latency, "--latency"),
        "rate_limit": _read(request_limit, rate_limit, "--rate-limit"),
    }


def _read(reader: Callable[[str], Any], text: str, option: str) -> Any:
    try:
        return reader(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def main() -> None:
    """Run the command; a port that cannot be had is one line, not a traceback."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(emulate)
    try:
        app(prog_name="genesys-emulator")
    except OSError as error:
        typer.echo(f"genesys-emulator: {error}", err=True)
        sys.exit(1)
