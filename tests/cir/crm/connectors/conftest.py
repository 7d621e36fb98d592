"""The CRMs, empty at the beginning of each test."""

from collections.abc import Iterator

import pytest

from sandbox.crm.dynamics import Dynamics
from sandbox.crm.salesforce import Salesforce
from sandbox.crm.servicenow import ServiceNow
from tests.support.crm_emulators import World, Worlds


@pytest.fixture(scope="session")
def worlds() -> Iterator[Worlds]:
    with Worlds.opened() as worlds:
        yield worlds


@pytest.fixture
def salesforce(worlds: Worlds) -> World[Salesforce]:
    worlds.salesforce.reset()
    return worlds.salesforce


@pytest.fixture
def dynamics(worlds: Worlds) -> World[Dynamics]:
    worlds.dynamics.reset()
    return worlds.dynamics


@pytest.fixture
def servicenow(worlds: Worlds) -> World[ServiceNow]:
    worlds.servicenow.reset()
    return worlds.servicenow
