"""Data Action "Create Customer": a flat event in, a flat answer out, whatever happens."""

import json
from typing import Any

import pytest

from cir.conversation.creating import Creating
from cir.identity.attestation import NO_TRUST
from functions.create import OUTPUT_FIELDS, make_handler
from tests.support.identity_world import World, phone, without_ids


def test_the_function_always_has_an_answer(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    function = make_handler(Creating(world.client, world.store, world.sources), default_region="US", trust=NO_TRUST)

    def call(event: object) -> dict[str, Any]:
        answer: dict[str, Any] = function(event, None)
        assert {name: type(value) for name, value in answer.items()} == OUTPUT_FIELDS
        return answer

    made = call({"ani": phone(1).value, "firstName": "Ann", "lastName": 7})
    assert (made["outcome"], world.leads_to(phone(1))) == ("CREATED", {made["contactId"]})
    assert call({"ani": phone(1).value})["outcome"] == "EXISTS"
    assert call({"ani": "anonymous"})["outcome"] == call(None)["outcome"] == "REFUSED"
    world.fault(status=400, operation="contacts/enrich")
    assert call({"ani": phone(2).value})["outcome"] == "FAILED"
    logged = capsys.readouterr().out
    assert [json.loads(line)["event"] for line in logged.splitlines()][-1] == "create failed"
    assert "555" not in without_ids(logged)
    assert "Ann" not in logged
