"""`cir import --remote`: the deployment's workflow imports, this process only watches."""

import json
import os
import re
import time
from datetime import UTC, datetime
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


def run_remotely(file: Path, *, mapping: Path, console: Console) -> tuple[Bucket, str]:
    """Upload a file, start the workflow or find the one that is under way, and wait for its end.

    Returns where the run is kept. The name of the run is made of the file's content and the day, so that calling this
    again after it was stopped watches the same execution.
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
    name = f"{datetime.now(UTC):%Y-%m-%d}-{re.sub(r'[^A-Za-z0-9-]+', '-', file.stem)[:30]}-{origin[:12]}"
    run = Run.named(bucket, name)
    source = run.key(f"source{file.suffix}")
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
    with progress(console) as bar:
        if not _continues(workflow, arn):
            bar.begin("uploading")
            bucket.store(run.key("mapping.json"), mapping)
            bucket.store(source, file)
            workflow.start_execution(
                stateMachineArn=machine, name=name, input=json.dumps({"run": name, "file": source})
            )
        _watch(workflow, arn, run, bar)
    return bucket, run.prefix


def _continues(workflow: Any, arn: str) -> bool:
    """Whether there is an execution; one that has failed goes on where it was."""
    try:
        status = workflow.describe_execution(executionArn=arn)["status"]
    except workflow.exceptions.ExecutionDoesNotExist:
        return False
    if status not in {"RUNNING", "SUCCEEDED"}:
        workflow.redrive_execution(executionArn=arn)
    return True


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
