"""`cir import --remote` finds its own execution by what is imported, on whatever day, and says when it does nothing."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from cir.aws.files import Directory
from cir.crm.mapping import SHIPPED
from cli.commands import imports_remote

MACHINE = "arn:aws:states:eu-west-1:111111111111:stateMachine:cir-dev-import"


class NotThereError(Exception):
    pass


class TooOldError(Exception):
    pass


class StepFunctions:
    """Executions by name: their inputs, and how they stand."""

    exceptions = SimpleNamespace(ExecutionDoesNotExist=NotThereError, ExecutionNotRedrivable=TooOldError)

    def __init__(self) -> None:
        self.inputs: dict[str, dict[str, str]] = {}
        self.status: dict[str, str] = {}
        self.done: list[str] = []
        self.redrivable = True

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803 - AWS' name
        name = executionArn.rpartition(":")[2]
        if name not in self.status:
            raise NotThereError
        ended = datetime(2026, 11, 30, 4, 5, tzinfo=UTC)
        return {"status": self.status[name], "input": json.dumps(self.inputs[name]), "stopDate": ended}

    def redrive_execution(self, executionArn: str) -> None:  # noqa: N803
        if not self.redrivable:
            raise TooOldError
        name = executionArn.rpartition(":")[2]
        self.status[name] = "RUNNING"
        self.done.append(f"redrive {name}")

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> None:  # noqa: A002, N803
        self.inputs[name], self.status[name] = json.loads(input), "RUNNING"
        self.done.append(f"start {name}")

    def all_are(self, status: str) -> None:
        self.done.clear()
        self.status = dict.fromkeys(self.status, status)


type Import = Callable[..., str]


@pytest.fixture
def aws() -> StepFunctions:
    return StepFunctions()


@pytest.fixture
def files(tmp_path: Path) -> Directory:
    return Directory(tmp_path / "bucket")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, aws: StepFunctions, files: Directory) -> Import:
    """Import a file; returns what is said."""
    monkeypatch.setenv("IMPORT_STATE_MACHINE", MACHINE)
    monkeypatch.setattr("cir.connect.open_files", lambda: files)
    monkeypatch.setattr("cir.connect.open_client", lambda _: aws)
    monkeypatch.setattr(imports_remote, "_watch", lambda *_: None)

    def call(file: Path, **options: bool) -> str:
        console = Console(file=io.StringIO(), width=200)
        imports_remote.run_remotely(file, mapping=SHIPPED / "salesforce.json", console=console, **options)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    return call


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "x.csv"
    path.write_text("Id\n1\n")
    return path


def test_it_watches_the_execution_of_the_same_content_and_takes_up_what_has_failed(
    run: Import, aws: StepFunctions, export: Path
) -> None:
    run(export)
    (name,) = aws.status
    assert not any(part in name for part in ("2026", "2027"))
    aws.done.clear()
    run(export)
    assert aws.done == []
    aws.all_are("FAILED")
    run(export)
    assert aws.done == [f"redrive {name}"]


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_what_is_too_old_to_be_taken_up_goes_on_in_the_same_run_under_the_next_number(
    run: Import, aws: StepFunctions, export: Path, status: str
) -> None:
    run(export)
    (first,) = aws.status
    aws.all_are(status)
    aws.redrivable = False
    run(export)
    assert aws.done == [f"start {first}-2"]
    assert aws.inputs[f"{first}-2"] == aws.inputs[first]
    aws.all_are(status)
    aws.redrivable = True
    run(export)
    assert aws.done == [f"redrive {first}-2"]


def test_what_was_imported_is_imported_again_only_when_that_is_said(
    run: Import, aws: StepFunctions, files: Directory, export: Path, tmp_path: Path
) -> None:
    run(export)
    (first,) = aws.status
    aws.all_are("SUCCEEDED")
    other = tmp_path / "other.csv"
    other.write_text("Id\n2\n")
    assert "imported" not in run(other)
    aws.all_are("SUCCEEDED")
    said = run(export)
    assert "x.csv was imported on 2026-11-30 at 04:05 UTC with this mapping, and nothing is done now: `--again`" in said
    assert aws.done == []
    assert "nothing is done" not in run(export, again=True)
    assert aws.done == [f"start {first}-2"]
    assert aws.inputs[f"{first}-2"]["run"] == f"{first}-2"
    assert files.exists(f"imports/{first}-2/source.csv")
    aws.done.clear()
    run(export)
    run(export, again=True)
    assert aws.done == []  # it is under way
