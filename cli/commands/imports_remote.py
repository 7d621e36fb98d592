"""`cir import --remote`: the deployment's workflow imports, this process only watches."""

import itertools
import json
import os
import re
import time
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

from rich.console import Console

from cir import connect
from cir.aws.files import Bucket
from cir.crm.export_file import FileError
from cir.crm.mapping import load_mapping
from cir.imports.run import Run, origin_of
from cir.settings import required
from cli.failures import CommandError
from cli.progress import Steps, progress

POLL_SECONDS = 5.0


def run_remotely(file: Path, *, mapping: Path, console: Console, again: bool = False) -> tuple[Bucket, str]:
    """Upload a file, start the workflow or find the one that is under way, and wait for its end.

    Returns where the run is kept. The name of the run is made of the content of file and mapping, so that calling this
    again, on whatever day, watches the same execution and takes up one that has failed. What was imported is imported
    `again` only if that is said, under the next number.
    """
    load_mapping(mapping)
    try:
        origin = origin_of(file, mapping.read_text(encoding="utf-8"))
        bucket, machine = connect.open_files(), required(os.environ, "IMPORT_STATE_MACHINE")
    except OSError as error:
        raise FileError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(f"{error}; `--remote` needs a deployed environment (docs/deploy.md)") from None
    workflow = connect.open_client("stepfunctions")
    executions = _Executions(workflow, machine, f"{re.sub(r'[^A-Za-z0-9-]+', '-', file.stem)[:30]}-{origin[:16]}")
    number, newest = executions.newest()
    status = newest.get("status", "")
    run = Run.named(bucket, _run_of(newest) or executions.name(max(number, 1)))
    with progress(console) as bar:
        if status == "SUCCEEDED" and not again:
            _tell_done(console, file, newest)
            return bucket, run.prefix
        has_failed = status not in {"", "RUNNING", "SUCCEEDED"}
        if status != "RUNNING" and not (has_failed and executions.goes_on(number)):
            number += 1
            if not has_failed:
                run = Run.named(bucket, executions.name(number))
            source = run.key(f"source{file.suffix}")
            bar.begin("uploading")
            bucket.store(run.key("mapping.json"), mapping)
            bucket.store(source, file)
            executions.start(number, {"run": run.name, "file": source})
        _watch(workflow, executions.arn(number), run, bar)
    return bucket, run.prefix


@dataclass(frozen=True, slots=True)
class _Executions:
    """Those of one content, numbered in the order in which they were started. AWS knows them for 90 days."""

    workflow: Any
    machine: str
    content: str

    def name(self, number: int) -> str:
        return self.content if number == 1 else f"{self.content}-{number}"

    def arn(self, number: int) -> str:
        return f"{self.machine.replace(':stateMachine:', ':execution:')}:{self.name(number)}"

    def newest(self) -> tuple[int, dict[str, Any]]:
        """Its number and what AWS tells of it; 0 and nothing if there is none."""
        found: dict[str, Any] = {}
        for number in itertools.count(1):
            try:
                found = self.workflow.describe_execution(executionArn=self.arn(number))
            except self.workflow.exceptions.ExecutionDoesNotExist:
                break
        return number - 1, found

    def goes_on(self, number: int) -> bool:
        """Take up one that has failed, where it was; False if it is too old for that, or was stopped for good."""
        try:
            self.workflow.redrive_execution(executionArn=self.arn(number))
        except self.workflow.exceptions.ExecutionNotRedrivable:
            return False
        return True

    def start(self, number: int, given: dict[str, str]) -> None:
        self.workflow.start_execution(
            stateMachineArn=self.machine, name=self.name(number), input=json.dumps(given, sort_keys=True)
        )


def _run_of(execution: dict[str, Any]) -> str:
    """Name of the run that it works on: one that was taken up under the next number is that of its first."""
    return str(json.loads(execution.get("input") or "{}").get("run") or "")


def _tell_done(console: Console, file: Path, execution: dict[str, Any]) -> None:
    ended = execution.get("stopDate")
    when = f" on {ended.astimezone(UTC):%Y-%m-%d at %H:%M} UTC" if ended else ""
    console.print(
        f"{file.name} was imported{when} with this mapping, and nothing is done now: `--again` imports it again. "
        "This is that import's report:",
        style="yellow",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _watch(workflow: Any, arn: str, run: Run, bar: Steps) -> None:
    step = bar.begin("reading")
    total = 0
    while True:
        execution = workflow.describe_execution(executionArn=arn)
        if not total and (manifest := run.manifest):
            total = len(manifest.batches)
            step = bar.begin("importing batches", total=total, done=len(run.done()))
        elif total:
            step.reach(len(run.done()))
        if execution["status"] == "SUCCEEDED":
            return
        if execution["status"] != "RUNNING":
            cause = execution.get("cause") or execution.get("error") or "no cause told"
            raise CommandError(
                f"the workflow ended as {execution['status']}: {_message(cause)}. What is done is kept; call this "
                "again to go on"
            )
        time.sleep(POLL_SECONDS)


def _message(cause: str) -> str:
    """Lambda puts the exception into JSON."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause
