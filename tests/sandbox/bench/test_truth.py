"""The load on the running system: what is answered is true, and an answer that is not would be noticed."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from rich.console import Console

from sandbox.bench.history import Judgement
from sandbox.bench.truth import Results, run
from sandbox.system import LAMBDAS, Sandbox

pytestmark = pytest.mark.slow

DEAF = '''
def handler(event, context):
    """Takes everything and tells the cache nothing."""
    return {"batchItemFailures": []}
'''


@pytest.fixture(autouse=True)
def own_variables() -> Iterator[None]:
    with patch.dict(os.environ):
        yield


def answers(results: Results, *which: Judgement) -> int:
    return sum(results.answers[each] for each in which)


def test_what_is_answered_while_customers_change_was_true() -> None:
    results = run(Console(quiet=True), seconds=3)
    assert results.right, results.wrong
    assert answers(results, Judgement.TRUE) > 20
    assert results.changes.keys() >= {"creation by the CRM", "creation by a caller", "link"}
    printed = results.as_dict()
    assert sum(printed["answers"].values()) == sum(printed["outcomes"].values())


def test_an_invalidator_that_does_nothing_is_noticed(tmp_path: Path) -> None:
    lambdas = tmp_path / "lambdas"
    shutil.copytree(LAMBDAS, lambdas, ignore=shutil.ignore_patterns("__pycache__"))
    (lambdas / "functions/invalidator/handler.py").write_text(DEAF)
    results = run(Console(quiet=True), seconds=3, sandbox=Sandbox(genesys={"rate_limit": None}, lambdas=lambdas))
    assert answers(results, Judgement.NEVER_TRUE) > 0
    assert not results.right
    assert len(results.as_dict()["wrong"]) == answers(results, Judgement.NEVER_TRUE)
    assert any("never true" in str(table.columns[0].header) for table in results.tables())
