"""What is deployed and what runs share some words without importing each other: here they are held equal."""

from pathlib import Path
from unittest.mock import Mock

from cir.aws.files import Directory
from cir.crm.export_file import FileError
from cir.crm.mapping import CrmKind, MappingError
from cir.dead_letters import UNDELIVERED
from cir.follow import events
from cir.genesys.errors import ConfigurationError
from cir.identity.verdict import Outcome
from cir.imports.run import PREFIX, Run
from cir.reconcile.result import STOPPED
from cir.reconcile.run import Night, State
from cir.resolve.answer import CacheStatus
from cir.runtime.metrics import NAMESPACE
from cli.commands.explain import LOG_GROUP
from infra import words
from infra.catalog.functions import PARTS, RESOLVER
from sandbox.crm.customers import CRMS
from sandbox.genesys.organization.events import CONTACT_TOPIC, UNRESOLVED_TOPIC


def test_outcomes_and_statuses_of_the_cache_are_those_of_the_resolver() -> None:
    assert tuple(Outcome) == words.OUTCOMES
    assert tuple(CacheStatus) == words.CACHE_STATUSES


def test_the_namespace_of_the_metrics_is_the_one_that_is_published_in() -> None:
    assert words.METRICS == NAMESPACE


def test_the_crms_that_can_be_deployed_can_be_read_and_are_emulated() -> None:
    assert words.CRM_KINDS == tuple(CrmKind) == tuple(CRMS)


def test_the_topics_that_are_let_through_are_those_that_are_followed_and_that_genesys_sends() -> None:
    assert words.CONTACT_TOPICS == events.TOPICS == (CONTACT_TOPIC, UNRESOLVED_TOPIC)


def test_a_run_keeps_its_files_where_its_functions_may_read_and_write_them() -> None:
    assert words.IMPORTS == PREFIX
    files = Directory(Path())
    night = Night("one", files, State(Mock(), ""))
    assert night.key("report.json") == f"{words.NIGHTS}one/report.json"
    assert night.repairs.prefix == f"{words.REPAIRS}one/"
    assert Run.named(files, night.repairs.name) == night.repairs


def test_what_a_file_is_refused_with_has_the_name_by_which_the_workflow_knows_it() -> None:
    refusals = (ConfigurationError, FileError, MappingError, ValueError)
    assert tuple(each.__name__ for each in refusals) == words.WRONG_FILE


def test_a_stopped_reconciliation_fails_its_workflow() -> None:
    assert words.STOPPED == STOPPED


def test_the_command_line_looks_for_the_log_and_the_dead_letters_where_they_are() -> None:
    assert LOG_GROUP.format(environment="dev") == f"/aws/lambda/{RESOLVER.in_aws('dev')}"
    for part in PARTS:
        queue = part.undelivered("dev").removesuffix(".fifo")
        assert queue.removeprefix("cir-dev-").removesuffix(UNDELIVERED) == part.name
        if part.queue:  # where a dead letter is sent again to
            assert part.undelivered("dev").replace(UNDELIVERED, "") == part.queue.name(part.in_aws("dev"))
