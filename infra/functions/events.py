"""`lambdas/functions/events`: follows what happens to contacts in Genesys Cloud."""

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.catalog import EVENTS
from infra.parts import access
from infra.parts.function import Function, Plane
from infra.words import CONTACT_TOPICS

DELAY = cdk.Duration.seconds(15)
"""So long an event waits: that of a change which `cir` itself has made shall find it in the index already."""


def partner_source(organization_id: str, suffix: str) -> str:
    """What Genesys Cloud calls itself in EventBridge, as the source of events and as the bus that they come on."""
    return f"aws.partner/genesys.com/cloud/{organization_id}/{suffix}"


class Events(Function):
    """Woken by a queue, which Genesys' partner event bus fills where the environment has one."""

    def __init__(self, scope: Construct, *, plane: Plane) -> None:
        foundation, settings = plane.foundation, plane.settings
        super().__init__(
            scope,
            EVENTS,
            plane=plane,
            description="Follows what happens to contacts in Genesys",
            may=[
                *access.follow_genesys(foundation),
                access.items(foundation.contacts, "DeleteItem"),
                access.items(foundation.ledger, "Query"),
            ],
        )
        self.queue = self.inbox(delay=DELAY)
        mapping = self.consume_queue(self.queue, batch_size=10, at_once=2)
        cdk.CfnOutput(cdk.Stack.of(self), "EventSourceMapping", value=mapping.ref)
        if settings.genesys_event_suffix:
            self._follow(partner_source(settings.genesys_organization_id, settings.genesys_event_suffix))

    def _follow(self, source: str) -> None:
        """The bus is the other end of what Genesys' EventBridge integration has made, and named like it."""
        bus = events.EventBus(self, "Bus", event_source_name=source)
        events.Rule(
            self,
            "ContactEvents",
            event_bus=bus,
            description="Changes of contacts in Genesys Cloud",
            event_pattern=events.EventPattern(source=[source], detail_type=list(CONTACT_TOPICS)),
            targets=[
                targets.SqsQueue(
                    self.queue,
                    # The contact itself stays out of the queue: which one, and when, is enough, since it is read anew.
                    message=events.RuleTargetInput.from_object(
                        {
                            "detail-type": events.EventField.detail_type,
                            "detail": {
                                "timestamp": events.EventField.from_path("$.detail.timestamp"),
                                "eventBody": {
                                    name: events.EventField.from_path(f"$.detail.eventBody.{name}")
                                    for name in ("id", "modifyDate")
                                },
                            },
                        }
                    ),
                )
            ],
        )
