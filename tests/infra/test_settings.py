"""Whoever describes an environment wrongly is told so in one sentence."""

from dataclasses import replace
from typing import Any

import pytest

from cir.genesys.connection import HOSTS
from infra.checks import SettingsError, checked, environment
from infra.environments import ENVIRONMENTS
from infra.packaging import PackagingError, architecture_named
from infra.regions import GENESYS_REGIONS
from infra.schedule import Schedule
from infra.settings import CacheNodes, Carrier, Crm, ServerlessCache, Settings
from tests.infra.conftest import TYPICAL, VARIANT

GOOD = TYPICAL


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "Prod"}, "name must be"),
        ({"region": "eu-west-9"}, "region 'eu-west-9' is none of Genesys Cloud's"),
        ({"genesys_host": "mypurecloud.de"}, "is not the Genesys Cloud of eu-west-1, which is mypurecloud.ie"),
        ({"genesys_organization_id": ""}, "genesys_organization_id is missing"),
        ({"genesys_organization_id": "acme"}, "genesys_organization_id 'acme' is not an id"),
        ({"region": "eusc-de-east-1", "genesys_host": "edee1.eusc-pure.cloud"}, "must be the 12 digits"),
        ({"default_queue_id": ""}, "default_queue_id is missing"),
        ({"default_phone_region": "UK"}, "default_phone_region 'UK' is not a country code"),
        ({"default_language": "English"}, "default_language 'English' is not a language"),
        ({"resolver_budget_ms": 5000}, "resolver_budget_ms 5000 is not between"),
        ({"resolver_memory_mb": 64}, "resolver_memory_mb 64 is not between"),
        ({"genesys_fallback": "maybe"}, "genesys_fallback 'maybe' is neither"),
        ({"cache": ServerlessCache(max_storage_gb=0)}, "max_storage_gb 0 is not between"),
        ({"cache": ServerlessCache(max_ecpu_per_second=10)}, "max_ecpu_per_second 10 is not between"),
        ({"cache": CacheNodes(node_type="t4g.small")}, "node_type 't4g.small' is not one such as"),
        ({"cache": CacheNodes(node_type="cache.t4g.small", nodes=0)}, "nodes are 0, but"),
        ({"availability_zones": ("eu-west-1a",)}, "availability_zones are 1, but"),
        ({"availability_zones": ("us-east-1a", "us-east-1b")}, "'us-east-1a' is not in region eu-west-1"),
        ({"traffic_shift": "sideways"}, "traffic_shift 'sideways' is none of"),
        ({"log_retention_days": 31}, "log_retention_days 31 is none that CloudWatch accepts"),
        ({"genesys_event_suffix": "c i r"}, "genesys_event_suffix 'c i r' is not up to 64 letters"),
        (
            {"duplicate_search": Schedule("0 25 * * ? *", "Etc/UTC")},
            "cron '0 25 * * ? *' has '25' for hours",
        ),
        (
            {"crm": Crm(kind="hubspot", url="https://acme.hubspot.com")},  # type: ignore[arg-type]
            "the CRM's kind 'hubspot' is none of salesforce, dynamics, servicenow",
        ),
        ({"crm": Crm(kind="salesforce", url="http://acme.my.salesforce.com")}, "the CRM's url 'http://acme.my"),
        ({"crm": Crm(kind="dynamics", url="https://acme.crm4.dynamics.com")}, "the CRM's tenant_id ''"),
        (
            {"crm": Crm(kind="salesforce", url="https://acme.my.salesforce.com", mapping="ours")},
            "the CRM's mapping 'ours' is not in lambdas/cir/crm/mappings, which has dynamics, salesforce, servicenow",
        ),
        ({"policy": "ours"}, "policy 'ours' is not in lambdas/cir/resolve/policies, which has default"),
        ({"automatic_merges": -1}, "automatic_merges -1 is less than 0"),
        ({"alarm_email": "the team"}, "alarm_email 'the team' is not an e-mail address"),
        ({"runbook_url": "docs/runbook.md"}, "runbook_url 'docs/runbook.md' is not an https address"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        checked(replace(GOOD, **change))
    message = str(error.value)
    assert sentence in message
    assert message.startswith(f"{change.get('name', 'typical')}: ")
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("name", "environments", "sentence"),
    [
        (None, (GOOD, VARIANT), "Say which environment with -c env=NAME; there are typical, variant."),
        (
            "live",
            (GOOD, VARIANT),
            "There is no environment 'live' in infra/environments.py; there are typical, variant.",
        ),
        ("typical", (GOOD, GOOD), "typical: two environments have this name."),
    ],
)
def test_so_is_a_name_that_leads_to_no_environment(
    name: str | None, environments: tuple[Settings, ...], sentence: str
) -> None:
    with pytest.raises(SettingsError) as error:
        environment(name, environments)
    assert str(error.value) == sentence


def test_and_an_architecture_that_lambda_does_not_have() -> None:
    with pytest.raises(PackagingError) as error:
        architecture_named("riscv")
    assert str(error.value) == "-c arch=riscv is neither arm64 nor x86_64."


def test_what_is_stated_about_the_carrier_and_the_policy_reaches_the_functions() -> None:
    assert not {"POLICY", "CARRIER_VERIFIES_IDENTITY", "CARRIER_BARE_PASS_IS_FULL"} & GOOD.variables.keys()
    stated = replace(GOOD, carrier=Carrier(verifies_identity_header=True))
    assert stated.variables.items() >= {("CARRIER_VERIFIES_IDENTITY", "true")}


def test_an_environment_outside_the_published_accounts_brings_its_own() -> None:
    sovereign = replace(
        GOOD, region="eusc-de-east-1", genesys_host="edee1.eusc-pure.cloud", genesys_account="123456789012"
    )
    assert checked(sovereign).genesys_principal == "123456789012"


def test_every_environment_of_this_repository_can_be_deployed_and_only_dev_may_lose_its_data() -> None:
    for each in ENVIRONMENTS:
        assert environment(each.name, ENVIRONMENTS) == each
        assert each.keep_data or each.name == "dev"


def test_values_that_were_shipped_as_examples_are_recognised() -> None:
    assert GOOD.examples == ()
    example = replace(GOOD, genesys_organization_id="00000000-0000-4000-8000-000000000003", alarm_email="a@example.com")
    assert example.examples == ("genesys_organization_id", "alarm_email")


@pytest.mark.slow  # importing the SDK is
def test_the_regions_are_those_of_genesys_own_sdk_and_of_the_engine() -> None:
    from PureCloudPlatformClientV2 import PureCloudRegionHosts

    hosts = {region: known.host for region, known in GENESYS_REGIONS.items()}
    assert hosts == {
        each.name.replace("_", "-"): each.value.removeprefix("https://api.") for each in PureCloudRegionHosts
    }
    assert hosts == HOSTS
