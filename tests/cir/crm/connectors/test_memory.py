"""A large CRM is read in memory that does not depend on its size."""

import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from typing import Any

import pytest

from cir.crm.connectors.credentials import Access
from cir.crm.connectors.dynamics import Dynamics
from cir.crm.connectors.salesforce import Salesforce
from cir.crm.connectors.servicenow import ServiceNow
from cir.crm.mapping import SHIPPED, load_mapping
from cir.http.oauth import Credentials
from cir.http.retries import Timing
from sandbox.crm.emulator import Emulator
from tests.support.crm_emulators import World, Worlds

pytestmark = pytest.mark.slow

PAGE = 500


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ProcessPoolExecutor]:
    """A process that holds connectors and no emulators."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


def read(crm: str, url: str, since: str) -> tuple[int, int, str]:
    """Rows, the most bytes that were in use while they were read, and the next point."""
    mapping = load_mapping(SHIPPED / f"{crm}.json")
    login_url = f"{url}/tenant" if crm == "dynamics" else url
    access = Access(url=url, login_url=login_url, credentials=_credentials)
    timing = Timing(sleep=lambda _: None)
    connector: Salesforce | Dynamics | ServiceNow
    match crm:
        case "salesforce":
            connector = Salesforce(mapping, access, timing)
        case "dynamics":
            connector = Dynamics(mapping, access, timing)
        case _:
            connector = ServiceNow(mapping, access, timing, page_records=PAGE)
    tracemalloc.start()
    count = sum(1 for _ in connector.extract(since))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return count, most, connector.next_point()


@pytest.mark.parametrize("crm", ["salesforce", "dynamics", "servicenow"])
def test_ten_times_the_accounts_take_no_more_memory(worlds: Worlds, crm: str, elsewhere: ProcessPoolExecutor) -> None:
    world: World[Emulator[Any]] = getattr(worlds, crm)
    world.reset()
    world.emulator.settings.page_records = PAGE

    def reading(since: str = "") -> tuple[int, int, str]:
        return elsewhere.submit(read, crm, world.emulator.url, since).result()

    _, _, point = reading()
    world.accounts.clock.advance(timedelta(hours=1))
    world.enter(PAGE)
    few = [reading(), reading(point)]
    world.enter(10 * PAGE)
    many = [reading(), reading(point)]
    assert [count for count, _, _ in few] == [PAGE, PAGE]
    assert [count for count, _, _ in many] == [10 * PAGE, 10 * PAGE]
    for (_, little, _), (_, much, _) in zip(few, many, strict=True):
        assert much < 2 * little


def _credentials() -> Credentials:
    return Credentials("sandbox", "sandbox")
