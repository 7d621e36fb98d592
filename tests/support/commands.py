"""The command line, and the deployment that the variables of a shell name."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from cir.index.store import TableNames
from cli.main import main
from tests.support.genesys_cloud import GenesysCloud


class Ran(NamedTuple):
    """What a command has left behind."""

    code: int
    out: str
    err: str


type Command = Callable[..., Ran]


@pytest.fixture
def cir(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`cir` with the arguments given, as it is typed."""

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["cir", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as exited:
            code = int(exited.code or 0)
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def variables(aws_url: str, tables: TableNames, genesys: GenesysCloud) -> dict[str, str]:
    """What leads a command or a function to a deployment."""
    return {
        "CIR_ENVIRONMENT": "dev",
        "IDENTIFIERS_TABLE": tables.identifiers,
        "CONTACTS_TABLE": tables.contacts,
        "LEDGER_TABLE": tables.ledger,
        "AWS_ENDPOINT_URL": aws_url,
        **genesys.environment,
    }


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], tmp_path: Path) -> pytest.MonkeyPatch:
    """A deployment that this shell's variables name; change one to break it."""
    shell = {"AWS_MAX_ATTEMPTS": "1", "COLUMNS": "200", "XDG_STATE_HOME": str(tmp_path / "state")}
    for name, value in (variables | shell).items():
        monkeypatch.setenv(name, value)
    return monkeypatch
