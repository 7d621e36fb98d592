"""What every door has in common: it can be imported for nothing, and in Lambda it is open before the first event."""

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest

from functions import Handler, opened
from infra.catalog.functions import Part, parts
from sandbox.system import LAMBDAS

DOORS = parts(crm=True)
IMPORT_ALL = """
import json, sys
from importlib import import_module

failed = {}
for module in sys.argv[1:]:
    try:
        import_module(module)
    except Exception as error:
        failed[module] = str(error)
print(json.dumps(failed))
"""


@pytest.mark.parametrize("part", DOORS, ids=[part.name for part in DOORS])
def test_a_door_is_imported_without_any_variable_and_opens_nothing(part: Part) -> None:
    module, _, name = part.handler.rpartition(".")
    assert callable(getattr(import_module(module), name))


@pytest.mark.slow
def test_in_lambda_every_door_is_opened_when_it_is_imported() -> None:
    """Seen by what each says to miss: there are no variables."""
    modules = [part.handler.rpartition(".")[0] for part in DOORS]
    variables = {"PYTHONPATH": str(LAMBDAS), "AWS_LAMBDA_FUNCTION_NAME": "any", "AWS_DEFAULT_REGION": "eu-west-1"}
    command = [sys.executable, "-c", IMPORT_ALL, *modules]
    told = subprocess.run(command, env={"PATH": os.environ["PATH"], **variables}, stdout=subprocess.PIPE, check=True)
    failed = json.loads(told.stdout)
    assert failed.keys() == set(modules)
    assert [module for module, error in failed.items() if not re.search("[A-Z]+_[A-Z]+", error)] == []


class Made:
    """Counts how often a handler is made."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Handler:
        self.times += 1

        def handler(event: Any, context: object) -> dict[str, Any]:
            return {"event": event, "times": self.times}

        return handler


def test_in_lambda_a_handler_is_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "cir-dev-link")
    made = Made()
    handler = opened(made)
    assert made.times == 1
    assert [json.dumps(handler({"ani": "1"}, None)) for _ in range(2)] == ['{"event": {"ani": "1"}, "times": 1}'] * 2


def test_elsewhere_it_is_made_at_the_first_call_and_once() -> None:
    made = Made()
    handler = opened(made)
    assert made.times == 0
    assert [handler({}, None)["times"] for _ in range(2)] == [1, 1]
