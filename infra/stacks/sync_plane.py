"""The stack of the sync plane: what talks to Genesys, outside the VPC and without the cache."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.catalog.functions import BACKFILL, COMPACT, CREATE, LINK, parts
from infra.foundation import Foundation
from infra.functions.crm_changes import Changes
from infra.functions.duplicates import Duplicates
from infra.functions.events import Events
from infra.functions.importer import Importer
from infra.functions.reconcile import Reconcile
from infra.packaging import ANALYTIC, ArchitectureName
from infra.parts.access import Reach
from infra.parts.alarms import MINUTE, Alarms, logged_errors
from infra.parts.asset import code
from infra.parts.function import Function, Plane
from infra.parts.workflow import Workflow
from infra.settings import Settings


class Sync(cdk.Stack):
    """`cir-<env>-sync`."""

    def __init__(
        self, scope: Construct, *, settings: Settings, foundation: Foundation, architecture: ArchitectureName
    ) -> None:
        super().__init__(
            scope,
            "Sync",
            stack_name=f"cir-{settings.name}-sync",
            env=cdk.Environment(region=settings.region),
            description="cir: what talks to Genesys Cloud",
        )
        plane = Plane(
            reach=Reach(settings=settings, foundation=foundation),
            code={"lean": code(architecture), "analytic": code(architecture, ANALYTIC)},
            architecture=architecture,
            variables=settings.variables | foundation.variables,
        )
        crm = settings.crm
        alone = [part for part in parts(crm=crm is not None, plane="sync") if part.stands_alone]
        functions = {part.name: Function(self, part, plane=plane) for part in alone}
        self.events = Events(self, plane=plane)
        self.duplicates = Duplicates(self, plane=plane)
        self.importer = Importer(self, plane=plane)
        changes = Changes(self, plane=plane, crm=crm) if crm else None
        reconcile = Reconcile(self, plane=plane, importer=self.importer, crm=crm) if crm else None
        alarms = Alarms(self, settings, foundation)
        self.alarms = alarms.names
        _backfill_alarms(alarms, functions[BACKFILL.name])
        _data_action_alarms(
            alarms,
            functions[LINK.name],
            failed="Linking failed or ran out of time: the flow went on without it.",
            errors="Numbers and addresses could not be linked, because Genesys or the tables did not answer.",
        )
        _data_action_alarms(
            alarms,
            functions[CREATE.name],
            failed="Making a contact failed or ran out of time: the flow went on without it.",
            errors="New callers could not be made contacts, because Genesys or the tables did not answer.",
        )
        _compact_alarms(alarms, functions[COMPACT.name])
        _events_alarms(alarms, self.events)
        _workflow_alarms(alarms, self.duplicates.workflow, "duplicates", "The nightly search for duplicates")
        _workflow_alarms(alarms, self.importer.workflow, "import", "The import of a base")
        if changes and reconcile:
            _crm_alarms(alarms, changes, reconcile)


def _backfill_alarms(alarms: Alarms, backfill: Function) -> None:
    alarms.when(
        "backfill-lag",
        "Unknown callers are looked up in Genesys more than five minutes late.",
        backfill.metric("IteratorAge", statistic="Maximum"),
        at_least=300_000,  # milliseconds
        minutes=3,
        of=5,
    )
    _undelivered(alarms, backfill, "Lookups of unknown callers were given up on.")
    _errors(alarms, backfill, "Genesys could not be asked for unknown callers.")


def _compact_alarms(alarms: Alarms, compact: Function) -> None:
    _undelivered(alarms, compact, "Paths of merged contacts were not shortened: their callers cost one read more.")


def _events_alarms(alarms: Alarms, events: Events) -> None:
    alarms.when(
        "events-lag",
        "What happens to contacts in Genesys reaches the index more than ten minutes late.",
        events.inbox.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum"),
        at_least=600,  # seconds
        minutes=3,
        of=5,
    )
    _undelivered(alarms, events, "Changes of contacts in Genesys were given up on: the index may not have them.")
    _errors(alarms, events, "Changes of contacts in Genesys could not be followed at once.")


def _crm_alarms(alarms: Alarms, changes: Changes, reconcile: Reconcile) -> None:
    alarms.when(
        "webhook-failed",
        "Word of changes in the CRM was not taken: the CRM sends it again, or gives up.",
        changes.webhook.metric("Errors", statistic="Sum"),
        at_least=1,
        minutes=1,
    )
    _errors(alarms, changes.webhook, "Word of changes in the CRM could not be put into the queue.")
    alarms.when(
        "sync-lag",
        "Changes in the CRM reach Genesys more than ten minutes late.",
        changes.sync.inbox.metric_approximate_age_of_oldest_message(period=MINUTE, statistic="Maximum"),
        at_least=600,  # seconds
        minutes=3,
        of=5,
    )
    _undelivered(alarms, changes.sync, "Changes in the CRM were set aside: somebody has to look at them.")
    _errors(alarms, changes.sync, "Changes in the CRM could not be brought to Genesys.")
    _workflow_alarms(alarms, reconcile.workflow, "reconcile", "The nightly reconciliation")


def _workflow_alarms(alarms: Alarms, workflow: Workflow, name: str, what: str) -> None:
    alarms.when(f"{name}-failed", f"{what} failed.", workflow.ended("ExecutionsFailed"), at_least=1, minutes=1)
    alarms.when(f"{name}-late", f"{what} took too long.", workflow.ended("ExecutionsTimedOut"), at_least=1, minutes=1)


def _data_action_alarms(alarms: Alarms, function: Function, *, failed: str, errors: str) -> None:
    """They also bring the old version back while a new one takes over."""
    failures = alarms.when(
        f"{function.part.name}-failed", failed, function.metric("Errors", statistic="Sum"), at_least=1, minutes=1
    )
    function.shift_gradually([failures, _errors(alarms, function, errors)])


def _errors(alarms: Alarms, function: Function, what_happened: str) -> cloudwatch.Alarm:
    """Errors that a function has recovered from, when they go on."""
    return alarms.when(
        f"{function.part.name}-errors", what_happened, logged_errors(function), at_least=1, minutes=3, of=15
    )


def _undelivered(alarms: Alarms, function: Function, what_happened: str) -> None:
    alarms.when(
        f"{function.part.name}-undelivered",
        what_happened,
        function.undelivered.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum"),
        at_least=1,
        minutes=1,
    )
