"""`cir explain`: why a resolution answered as it did."""

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import requests
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cir import connect
from cir.identity.counterfactual import counterfactuals
from cir.identity.verdict import Evidence, Verdict
from cli.environment import enter_environment
from cli.failures import CommandError

LOG_GROUP = "/aws/lambda/cir-{environment}-resolver"
_RESOLUTION_ID = re.compile("[0-9a-f]{32}")
SANDBOX_WAIT_SECONDS = 2
"""An answer can overtake the line that its function has written before it."""


def explain(
    resolution_id: Annotated[str, typer.Argument(help="The resolutionId of an answer.")],
    days: Annotated[int, typer.Option(min=1, help="How far back to look.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print the trace as JSON.")] = False,
) -> None:
    """Show the decision trace of an answer: what was looked up, what each step found, what was ignored and why."""
    enter_environment()
    if not _RESOLUTION_ID.fullmatch(resolution_id):
        raise CommandError(f"{resolution_id!r} is not a resolutionId: it has 32 hexadecimal digits")
    # the sandbox's Lambda API keeps the logs too
    api = os.environ.get("AWS_ENDPOINT_URL_LAMBDA")
    lines = _sandbox_lines(api, resolution_id) if api else _cloudwatch_lines(resolution_id, days)
    trace = _trace(resolution_id, lines)
    trace["otherwise"] = otherwise(trace)
    if as_json:
        typer.echo(json.dumps(trace))
    else:
        show(trace, Console())


def show(trace: dict[str, Any], console: Console) -> None:
    """The trace as tables."""
    console.print(f"[bold]{trace['outcome']}[/] {escape(trace['explanation'])}", highlight=False)
    facts = Table(show_header=False, box=None)
    for name in (
        "contactId",
        "matchedBy",
        "assurance",
        "candidateCount",
        "askFor",
        "cacheStatus",
        "rules",
        "latencyMs",
    ):
        if trace[name] not in {"", None}:
            facts.add_row(name, str(trace[name]))
    for name in ("otherContacts", "withheld"):
        if trace[name]:
            facts.add_row(name, ", ".join(trace[name]))
    console.print(facts)
    steps = Table("step", "found", title="Steps", title_justify="left")
    steps.add_column("ms", justify="right")
    for step in trace["steps"]:
        found = {name: value for name, value in step.items() if name not in {"step", "ms"}}
        steps.add_row(step["step"], escape("\n".join(_told(found))), f"{step['ms']:.2f}")
    console.print(steps)
    if trace["ignored"]:
        ignored = Table("ignored", "because", title_justify="left")
        for each in trace["ignored"]:
            ignored.add_row(each["what"], each["why"])
        console.print(ignored)
    for each in trace.get("otherwise", ()):
        console.print(f"[dim]Otherwise:[/] {escape(each)}", highlight=False)


def otherwise(trace: Mapping[str, Any]) -> list[str]:
    """What would have changed the answer: the rules applied to the evidence of the trace with one thing different."""
    evidence = [Evidence.from_plain(each) for each in trace.get("evidence", ())]
    return [f"{each.difference}: {_short(each.verdict)}" for each in counterfactuals(evidence)]


def _short(verdict: Verdict) -> str:
    answered = [str(verdict.outcome), verdict.contact_id]
    if verdict.candidate_count > 1:
        answered.append(f"of {verdict.candidate_count} candidates")
    if verdict.contact_id:
        answered.append(f"({verdict.assurance.label})")
    return " ".join(filter(None, answered))


def _told(found: dict[str, Any]) -> Iterator[str]:
    for name, value in found.items():
        if name == "identifiers":
            yield from (f"{each['value']}  {each['key']}" for each in value)
        else:
            yield f"{name}: {value}"


def _trace(resolution_id: str, lines: Iterator[str]) -> dict[str, Any]:
    for line in lines:
        try:
            trace = json.loads(line)
        except ValueError:
            continue  # what the runtime itself writes
        if (
            isinstance(trace, dict)
            and trace.get("event") == "resolution"
            and trace.get("resolutionId") == resolution_id
        ):
            return trace
    raise CommandError(f"no trace of resolution {resolution_id}; check the id, or look further back with --days")


def _sandbox_lines(api: str, resolution_id: str) -> Iterator[str]:
    answer = requests.get(
        f"{api}/sandbox/logs",
        params={"contains": resolution_id, "wait": str(SANDBOX_WAIT_SECONDS)},
        timeout=SANDBOX_WAIT_SECONDS + 5,
    )
    answer.raise_for_status()
    return (event["message"] for event in answer.json()["events"])


def _cloudwatch_lines(resolution_id: str, days: int) -> Iterator[str]:
    pages = (
        connect.open_client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=LOG_GROUP.format(environment=os.environ["CIR_ENVIRONMENT"]),
            filterPattern=f'{{ $.resolutionId = "{resolution_id}" }}',
            startTime=round((time.time() - days * 86_400) * 1000),
        )
    )
    return (event["message"] for page in pages for event in page["events"])
