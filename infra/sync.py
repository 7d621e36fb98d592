"""The stack of the sync plane: what talks to Genesys, outside the VPC and without the cache."""

import aws_cdk as cdk
from constructs import Construct

from infra.alarms import MINUTE, Alarms, logged_errors
from infra.asset import code
from infra.backfill import Backfill
from infra.foundation import Foundation
from infra.function import Plane
from infra.link import Link
from infra.packaging import ArchitectureName
from infra.settings import Settings


class Sync(cdk.Stack):
    """`cir-<env>-sync`. A function that is added to this plane gets a module and a line here."""

    def __init__(
        self, scope: Construct, *, settings: Settings, foundation: Foundation, architecture: ArchitectureName
    ) -> None:
        super().__init__(
            scope,
            "Sync",
            stack_name=f"cir-{settings.name}-sync",
            env=cdk.Environment(region=settings.region),
            description="cir: backfill and link",
        )
        plane = Plane(
            settings=settings,
            foundation=foundation,
            code=code(architecture),
            architecture=architecture,
            environment=_environment(settings, foundation),
        )
        self.backfill = Backfill(self, plane=plane)
        self.link = Link(self, plane=plane)
        alarms = Alarms(self, settings, foundation)
        self.alarms = alarms.names
        _backfill_alarms(alarms, self.backfill)
        _link_alarms(alarms, self.link)


def _environment(settings: Settings, foundation: Foundation) -> dict[str, str]:
    return {
        "CIR_ENVIRONMENT": settings.name,
        **foundation.table_variables,
        "DEFAULT_REGION": settings.default_phone_region,
        "GENESYS_HOST": settings.genesys_host,
        "GENESYS_SECRET_ARN": foundation.genesys_secret.secret_arn,
    }


def _backfill_alarms(alarms: Alarms, backfill: Backfill) -> None:
    alarms.when(
        "backfill-lag",
        "Unknown callers are looked up in Genesys more than five minutes late.",
        backfill.metric("IteratorAge", statistic="Maximum"),
        at_least=300_000,  # milliseconds
        minutes=3,
        of=5,
    )
    alarms.when(
        "backfill-undelivered",
        "Lookups of unknown callers were given up on.",
        backfill.undelivered.metric_approximate_number_of_messages_visible(period=MINUTE, statistic="Maximum"),
        at_least=1,
        minutes=1,
    )
    alarms.when(
        "backfill-errors",
        "Genesys could not be asked for unknown callers.",
        logged_errors(backfill),
        at_least=1,
        minutes=3,
        of=15,
    )


def _link_alarms(alarms: Alarms, link: Link) -> None:
    failed = alarms.when(
        "link-failed",
        "Linking failed or ran out of time: the flow went on without it.",
        link.metric("Errors", statistic="Sum"),
        at_least=1,
        minutes=1,
    )
    refused = alarms.when(
        "link-errors",
        "Numbers and addresses could not be linked, because Genesys or the tables did not answer.",
        logged_errors(link),
        at_least=1,
        minutes=3,
        of=15,
    )
    link.shift_gradually([failed, refused])
