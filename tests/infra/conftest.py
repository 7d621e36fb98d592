"""One synthesis for all tests of this folder: importing the CDK and starting its runtime takes longer than the rest."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from infra.environments import ENVIRONMENTS
from infra.settings import CacheNodes, Crm, Settings
from tests.support.assembly import Assembly, synthesize

TYPICAL = Settings(
    name="typical",
    region="eu-west-1",
    genesys_host="mypurecloud.ie",
    genesys_organization_id="1f6e1c0e-7c55-4f0c-9d07-3c7d6f0d2a11",
    default_queue_id="2f6e1c0e-7c55-4f0c-9d07-3c7d6f0d2a11",
    alarm_email="oncall@acme.test",
    runbook_url="https://git.acme.test/cir/docs/runbook.md",
)
"""With the default of everything that has one."""

VARIANT = replace(
    TYPICAL,
    name="variant",
    genesys_fallback="sync",
    genesys_event_suffix="cir-variant",
    crm=Crm(kind="salesforce", url="https://acme.my.salesforce.com"),
    duplicate_search=None,
    automatic_merges=0,
    cache=CacheNodes(node_type="cache.t4g.small", nodes=2),
    snap_start=True,
    availability_zones=("eu-west-1a", "eu-west-1c"),
    keep_data=False,
    traffic_shift="linear",
)
"""With every setting the other way round that changes which resources there are."""

EVERY = (*ENVIRONMENTS, TYPICAL, VARIANT)


@pytest.fixture(scope="session")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Assembly]:
    """The environments of this repository, and two that stay as they are whatever becomes of those."""
    return {each.name: synthesize(each, tmp_path_factory.mktemp(each.name)) for each in EVERY}


@pytest.fixture(params=[each.name for each in EVERY])
def assembly(request: pytest.FixtureRequest, assemblies: Mapping[str, Assembly]) -> Assembly:
    """Each environment in turn."""
    return assemblies[request.param]


@pytest.fixture
def typical(assemblies: Mapping[str, Assembly]) -> Assembly:
    return assemblies[TYPICAL.name]


@pytest.fixture
def variant(assemblies: Mapping[str, Assembly]) -> Assembly:
    return assemblies[VARIANT.name]


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for the synthesis is as slow as it is."""
    for item in items:
        if "assemblies" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
