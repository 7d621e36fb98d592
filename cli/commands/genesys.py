"""`cir genesys`: what is imported into Genesys Cloud, made ready for one environment."""

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer

_INSTALLED = Path(__file__).resolve().parents[1] / "data-actions"
DATA_ACTIONS = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).resolve().parents[2] / "genesys" / "data-actions"
RESOLVE = "resolve-customer-identity-v2.custom.json"
RESOLVE_V1 = "resolve-customer-identity-v1.custom.json"
"""Served for flows that were published with it."""
LINK = "link-identifier-v1.custom.json"
CREATE = "create-customer-v1.custom.json"

# An alias or version may follow, but not $LATEST: the ARN goes into a template of Genesys Cloud, where $ begins a
# variable.
_FUNCTION_ARN = re.compile(
    r"arn:aws(-[a-z]+)*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_-]{1,128})?"
)

app = typer.Typer(no_args_is_help=True, help="What is imported into Genesys Cloud.")


@app.callback()
def _group() -> None:
    """A group from the first command on."""


def _function_arn(text: str) -> str:
    if not _FUNCTION_ARN.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is not the ARN of a Lambda function, such as "
            "arn:aws:lambda:eu-west-1:111122223333:function:cir-prod-resolver:live"
        )
    return text


@app.command("render")
def render(
    *,
    arn_resolver: Annotated[str, typer.Option(callback=_function_arn, help="ARN of the resolver, with its alias.")],
    arn_link: Annotated[str, typer.Option(callback=_function_arn, help="ARN of the link function, with its alias.")],
    arn_create: Annotated[
        str, typer.Option(callback=_function_arn, help="ARN of the create function, with its alias.")
    ],
    out: Annotated[Path, typer.Option(file_okay=False, help="Directory to write to; created if need be.")],
) -> None:
    """Write the data actions with the functions of one environment, ready to be imported."""
    arns = {RESOLVE: arn_resolver, RESOLVE_V1: arn_resolver, LINK: arn_link, CREATE: arn_create}
    regions = {arn.split(":")[3] for arn in arns.values()}
    if len(regions) > 1:
        raise typer.BadParameter(
            f"the functions are in several regions, {' and '.join(sorted(regions))}; all must be in the region of the "
            "Genesys Cloud organization"
        )
    out.mkdir(parents=True, exist_ok=True)
    for file, arn in arns.items():
        action: dict[str, Any] = json.loads((DATA_ACTIONS / file).read_text(encoding="utf-8"))
        action["config"]["request"]["requestUrlTemplate"] = arn
        (out / file).write_text(json.dumps(action, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        typer.echo(f"{out / file}: {action['name']}")
