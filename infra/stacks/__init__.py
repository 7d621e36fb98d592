"""Which stacks make up an environment."""

import aws_cdk as cdk

from infra.foundation import Foundation
from infra.packaging import ArchitectureName
from infra.settings import Settings
from infra.stacks.dashboard import Dashboard
from infra.stacks.hot_plane import Hot
from infra.stacks.sync_plane import Sync


def stacks(app: cdk.App, settings: Settings, *, architecture: ArchitectureName = "arm64") -> tuple[cdk.Stack, ...]:
    """The foundation, the two planes that meet only in its tables, and the dashboard that looks at all of them."""
    foundation = Foundation(app, settings=settings)
    hot = Hot(app, settings=settings, foundation=foundation, architecture=architecture)
    sync = Sync(app, settings=settings, foundation=foundation, architecture=architecture)
    dashboard = Dashboard(app, settings=settings, alarms=[*hot.alarms, *sync.alarms])
    cdk.Tags.of(app).add("service", "cir")
    cdk.Tags.of(app).add("environment", settings.name)
    if settings.examples:
        cdk.Annotations.of(app).add_warning_v2(
            "cir:examples",
            f"{settings.name} still has the value it was shipped with in {', '.join(settings.examples)}; "
            "put your own into infra/environments.py.",
        )
    return foundation, hot, sync, dashboard
