"""Fixtures for tests of a client of Genesys Cloud. pytest finds them by itself where the emulator is installed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .http.server import Emulator
    from .organization.settings import Settings


@pytest.fixture(scope="session")
def genesys_settings() -> "Settings":
    """The organization of this test run: no limit of requests, jobs that end at once.

    Override it in the conftest.py at the root of the tests; one test has settings of its own by
    `genesys_cloud.configure(...)`.
    """
    from .organization.settings import Settings  # noqa: PLC0415 - most test runs do not come here

    return Settings(rate_limit=None, job_step_s=0.05)


@pytest.fixture(scope="session")
def genesys_emulator(genesys_settings: "Settings") -> Iterator["Emulator"]:
    """One emulator for the test run, on a free port."""
    from .http.server import running  # noqa: PLC0415

    with running(genesys_settings) as emulator:
        yield emulator


@pytest.fixture
def genesys_cloud(genesys_emulator: "Emulator") -> "Emulator":
    """An empty organization for this test: `url`, `client_id`, `client_secret`, and calls that make it behave badly."""
    genesys_emulator.reset()
    return genesys_emulator
