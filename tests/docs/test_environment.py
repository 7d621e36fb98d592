"""docs/environment.md tells all variables, and of each who reads it: the code is what is asked."""

import pytest

from cir.crm.connectors.credentials import MICROSOFT_LOGIN
from cir.crm.mapping import deployed_mapping_file
from cir.identity.attestation import CarrierTrust
from cir.identity.records import Profile
from cir.settings import ResolverSettings
from infra.catalog.functions import PARTS, Part
from infra.catalog.variables import VARIABLES
from tools.docs.environment import NAMES, commands, entries
from tools.docs.reading import asked, of_module, reached, read_by, reading

DEFAULTS = {each.name: each.default for each in VARIABLES}
NEEDED = {name: "0a" for name, default in DEFAULTS.items() if default is None} | {"AWS_REGION": "eu-west-1"}
COMMANDS = commands()


def _places(part: Part) -> frozenset[str]:
    return of_module(part.handler.removesuffix(".handler"))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_function_reads_what_the_catalog_says_and_nothing_more(part: Part) -> None:
    assert read_by(_places(part), NAMES) == {each.name for each in part.reads}


def test_the_variables_of_the_catalog_are_those_that_the_environment_is_asked_for() -> None:
    assert asked() == NAMES


def test_nothing_reads_a_variable_that_no_function_or_command_is_seen_to_reach() -> None:
    start = frozenset(entries().values()).union(*(_places(part) for part in PARTS))
    assert reading(NAMES) <= reached(start)


def test_a_command_reads_what_it_reaches_by_other_modules_and_by_constants_of_theirs() -> None:
    assert {"IMPORT_STATE_MACHINE", "EVENT_SOURCE_MAPPING", "GENESYS_HOST"} <= COMMANDS["cir import"]
    assert "CIR_ENVIRONMENT" in COMMANDS["cir dlq list"]  # by the constant NAMED_BY of cli.environment


def test_and_not_what_only_others_do() -> None:
    assert not [name for name in COMMANDS["cir contact show"] if name.startswith(("GENESYS_", "CRM_", "CACHE_"))]
    assert COMMANDS["cir genesys render"] == frozenset()


def test_what_counts_where_a_variable_is_not_set_is_what_the_code_says() -> None:
    settings = ResolverSettings.from_environment(NEEDED)
    assert DEFAULTS["RESOLVER_BUDGET_MS"] == f"{settings.budget_seconds * 1000:.0f}"
    assert DEFAULTS["DEFAULT_REGION"] == settings.default_region
    assert settings.defaults == Profile(
        display_name=DEFAULTS["DEFAULT_DISPLAY_NAME"] or "",
        first_name=DEFAULTS["DEFAULT_FIRST_NAME"] or "",
        customer_tier=DEFAULTS["DEFAULT_TIER"] or "",
        account_status=DEFAULTS["DEFAULT_STATUS"] or "",
        preferred_language=DEFAULTS["DEFAULT_LANGUAGE"] or "",
        assigned_queue_id=NEEDED["DEFAULT_QUEUE_ID"],
    )
    assert DEFAULTS["POLICY"] == settings.policy
    assert DEFAULTS["GENESYS_FALLBACK"] == settings.fallback
    assert (DEFAULTS["CACHE_USER"], DEFAULTS["CACHE_NAME"]) == (settings.cache_user, settings.cache_name)
    assert (DEFAULTS["CACHE_SERVERLESS"] == "true") is settings.cache_serverless
    assert settings.trust == CarrierTrust(
        DEFAULTS["CARRIER_VERIFIES_IDENTITY"] == "true", DEFAULTS["CARRIER_BARE_PASS_IS_FULL"] == "true"
    )
    assert deployed_mapping_file({}).stem == DEFAULTS["CRM_MAPPING"]
    assert DEFAULTS["CRM_LOGIN_URL"] == MICROSOFT_LOGIN


@pytest.mark.parametrize(
    "name",
    ["CIR_ENVIRONMENT", "CONTACTS_TABLE", "CACHE_URL", "CACHE_HASH_KEY", "DEFAULT_QUEUE_ID", "BACKFILL_FUNCTION"],
)
def test_what_is_needed_is_refused_by_name_where_it_is_missing(name: str) -> None:
    environment = NEEDED | {"GENESYS_FALLBACK": "sync", name: ""}
    with pytest.raises(ValueError, match=name):
        ResolverSettings.from_environment(environment)
