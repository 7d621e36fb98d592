"""`cir` as an operator has it: its wheel, in an environment where this repository is unknown."""

import json
import tomllib
from pathlib import Path

import pytest

from tests.support.installing import Environment, build, contents, install

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
WITH_SANDBOX = {"demo", "bench", "sandbox"}
PEOPLE = """\
id,first name,last name,e-mail,mobile,city
1,Philippa,Winterbourne,philippa@example.com,+1 917 555 0142,New York
2,Philipa,Winterbourne,philippa@example.com,(917) 555-0142,New York
3,Ezra,Quill,ezra@example.com,+1 212 555 0188,Boston
"""
EVERY_COMMAND = """
import json, sys
from typer.main import get_command
from cli.main import app

def names(command, path):
    if not hasattr(command, "list_commands"):
        return [" ".join(path)]
    return [name for sub in command.list_commands(None) for name in names(command.get_command(None, sub), [*path, sub])]

print(json.dumps(names(get_command(app), [])))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return install(wheel, tmp_path_factory.mktemp("installed"), extras=["cli"])


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("export") / "people.csv"
    file.write_text(PEOPLE, encoding="utf-8")
    return file


def test_it_holds_the_engine_and_the_command_line_only(wheel: Path) -> None:
    assert contents(wheel) == {"cir", "cli"}


def test_the_version_is_that_of_the_project(installed: Environment) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert installed.run("cir", "--version").stdout == f"cir {version}\n"


def test_help_names_the_commands_that_work_here(installed: Environment) -> None:
    shown = installed.run("cir", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "Customer identity resolution" in shown.stdout
    assert "In a checkout of the repository: demo, bench, sandbox." in shown.stdout
    assert not installed.run("python", "-m", "cli", "sandbox").stdout


def test_every_command_can_be_loaded(installed: Environment) -> None:
    listed = installed.run("python", "-c", EVERY_COMMAND)
    assert listed.returncode == 0, listed.stderr
    commands = json.loads(listed.stdout)
    assert {"import", "reconcile", "explain", "genesys render", "duplicates find", "dlq list"} <= set(commands)
    assert not WITH_SANDBOX & {command.partition(" ")[0] for command in commands}


def test_without_a_deployment_it_says_what_to_set(installed: Environment, people: Path) -> None:
    refused = installed.run("cir", "import", people)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "no deployment to work on: set CIR_ENVIRONMENT" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_the_data_actions_are_in_it(installed: Environment) -> None:
    out = installed.directory / "actions"
    arns = {
        option: f"arn:aws:lambda:eu-west-1:111122223333:function:cir-prod-{option}:live"
        for option in ("resolver", "link", "create")
    }
    given = [part for option, arn in arns.items() for part in (f"--arn-{option}", arn)]
    written = installed.run("cir", "genesys", "render", *given, "--out", out)
    assert written.returncode == 0, written.stderr
    targets = {json.loads(file.read_text())["config"]["request"]["requestUrlTemplate"] for file in out.glob("*.json")}
    assert targets == set(arns.values())


def test_what_is_not_installed_is_named(wheel: Path, installed: Environment, people: Path, tmp_path: Path) -> None:
    refused = installed.run("cir", "duplicates", "find", people)
    assert refused.returncode == 1
    assert "is missing: install `cir[cli,duplicates]`" in refused.stderr
    engine = install(wheel, tmp_path)
    assert engine.run("python", "-c", "import cir.resolve.resolver, cir.conversation.linking").returncode == 0
    refused = engine.run("cir", "--help")
    assert refused.returncode == 1
    assert refused.stderr == "cir: the libraries of the command line are missing: install `cir[cli]` instead of `cir`\n"


def test_it_finds_the_duplicates_of_a_file(wheel: Path, people: Path, tmp_path: Path) -> None:
    installed = install(wheel, tmp_path, extras=["cli", "duplicates"])
    ran = installed.run("cir", "duplicates", "find", people, "--json", "--pairs", tmp_path / "pairs.csv")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["pairs"] == {"merge": 1, "review": 0, "never": 0}
    _header, *pairs = (tmp_path / "pairs.csv").read_text(encoding="utf-8").splitlines()
    assert [pair.split(",")[:2] for pair in pairs] == [["1", "2"]]
