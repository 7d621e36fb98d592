"""The dashboard: is it working, for whom not, since when. A stack of its own, because it only looks: it finds what it
shows by name, and can be changed at any time without touching what it looks at."""

from collections.abc import Sequence
from functools import partial

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.catalog.functions import RESOLVER, Part, parts
from infra.parts.alarms import MINUTE, alarm_name, answers, latency
from infra.settings import Settings
from infra.words import CACHE_STATUSES, METRICS, OUTCOMES

_HEIGHT = 7
_graph = partial(cloudwatch.GraphWidget, width=8, height=_HEIGHT)
"""A third of the width, unless it says otherwise."""


class Dashboard(cdk.Stack):
    """`cir-<env>-dashboard`."""

    def __init__(self, scope: Construct, *, settings: Settings, alarms: Sequence[str]) -> None:
        """`alarms` are the names of all alarms, as in the runbook."""
        super().__init__(
            scope,
            "Dashboard",
            stack_name=f"cir-{settings.name}-dashboard",
            env=cdk.Environment(region=settings.region),
            description="cir: dashboard",
        )
        self._settings = settings
        dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=f"cir-{settings.name}", default_interval=cdk.Duration.hours(3)
        )
        rows = [self._working(alarms), self._for_whom(), self._behind(), self._with_genesys()]
        if settings.crm:
            rows.append(self._with_the_crm())
        for row in rows:
            dashboard.add_widgets(*row)
        address = f"https://{self.region}.console.aws.amazon.com/cloudwatch/home?region={self.region}"
        cdk.CfnOutput(self, "Url", value=f"{address}#dashboards:name=cir-{settings.name}")

    def _working(self, alarms: Sequence[str]) -> list[cloudwatch.IWidget]:
        """Is it working? Alarms, speed against the budget, and calls that got no answer."""
        settings = self._settings
        budget = cloudwatch.HorizontalAnnotation(value=settings.resolver_budget_ms, label="budget", color="#d62728")
        return [
            cloudwatch.AlarmStatusWidget(
                title="Is it working?", width=6, height=_HEIGHT, alarms=[self._alarm(name) for name in alarms]
            ),
            _graph(
                title="Answer time (ms)",
                width=9,
                left=[
                    latency(settings, statistic).with_(label=statistic)
                    for statistic in ("p50", "p95", "p99", "Maximum")
                ],
                left_annotations=[budget],
            ),
            _graph(
                title="Calls, and calls without an answer",
                width=9,
                left=[self._of(RESOLVER, "Invocations").with_(label="calls")],
                right=[
                    self._of(RESOLVER, "Errors").with_(label="failed", color="#d62728"),
                    self._of(RESOLVER, "Throttles").with_(label="refused by Lambda", color="#ff7f0e"),
                ],
            ),
        ]

    def _for_whom(self) -> list[cloudwatch.IWidget]:
        """For whom not? Outcomes, where answers came from, and the latest calls that were not recognised."""
        settings = self._settings
        return [
            _graph(
                title="For whom not? Outcomes",
                stacked=True,
                left=[answers(settings, outcome=outcome).with_(label=outcome) for outcome in OUTCOMES],
            ),
            _graph(
                title="Where answers come from",
                stacked=True,
                left=[answers(settings, cache=status).with_(label=status) for status in CACHE_STATUSES],
            ),
            cloudwatch.LogQueryWidget(
                title="Not recognised: by channel and reason",
                width=8,
                height=_HEIGHT,
                log_group_names=[f"/aws/lambda/{RESOLVER.in_aws(settings.name)}"],
                query_lines=[
                    "fields channel, outcome, ignored.0.why as reason",
                    'filter event = "resolution" and outcome != "RESOLVED"',
                    "stats count(*) as calls, latest(resolutionId) as example by channel, outcome, reason",
                    "sort calls desc",
                    "limit 20",
                ],
            ),
        ]

    def _behind(self) -> list[cloudwatch.IWidget]:
        """Since when? How far the streams are behind, what was given up on, and errors over a longer time."""
        deployed = parts(crm=self._settings.crm is not None)
        streams = [part for part in deployed if part.streams]
        queues = [part for part in deployed if part.queue]
        return [
            _graph(
                title="Since when? Streams behind (ms)",
                left=[self._of(part, "IteratorAge", "Maximum").with_(label=part.name) for part in streams],
            ),
            _graph(
                title="Given up on",
                left=[self._undelivered(part) for part in (*streams, *queues)],
            ),
            _graph(
                title="Errors, also those that were recovered from",
                left=[self._logged_errors(part) for part in deployed],
            ),
        ]

    def _with_genesys(self) -> list[cloudwatch.IWidget]:
        """How much of Genesys' request limit is used, and what the nightly search has found."""
        return [
            _graph(
                title="Requests to Genesys Cloud, a minute",
                width=12,
                left=[
                    self._own("GenesysRequests", "Maximum").with_(label="used"),
                    self._own("GenesysRequestLimit", "Maximum").with_(label="limit", color="#d62728"),
                ],
                right=[self._own("GenesysThrottled", "Maximum").with_(label="refused (429)", color="#ff7f0e")],
            ),
            _graph(
                title="Duplicates: proposed for review, sure, merged",
                width=12,
                left=[
                    self._own(f"Duplicates{each}", "Sum", cdk.Duration.days(1)).with_(label=each.lower())
                    for each in ("Reviews", "Merges", "Merged")
                ],
            ),
        ]

    def _with_the_crm(self) -> list[cloudwatch.IWidget]:
        """How soon changes in the CRM arrive, and how far both had drifted apart in the night."""
        return [
            _graph(
                title="From the CRM's word to Genesys (ms)",
                left=[
                    self._own("SyncLag", statistic).with_(label=statistic) for statistic in ("p50", "p95", "Maximum")
                ],
            ),
            _graph(
                title="Changes in the CRM: taken, refused, set aside",
                left=[self._own("WebhookChanges", "Sum").with_(label="taken")],
                right=[
                    self._own("WebhookRefused", "Sum").with_(label="refused", color="#ff7f0e"),
                    self._own("SyncSetAside", "Sum").with_(label="set aside", color="#d62728"),
                ],
            ),
            _graph(
                title="Drift: accounts that the night had to repair",
                left=[
                    self._own(f"Reconcile{each}", "Maximum", cdk.Duration.days(1)).with_(label=each.lower())
                    for each in ("Changed", "Gone", "Refused")
                ],
            ),
        ]

    def _own(self, metric: str, statistic: str, period: cdk.Duration | None = None) -> cloudwatch.Metric:
        """One that a function of the sync plane writes into its log."""
        return cloudwatch.Metric(
            namespace=METRICS,
            metric_name=metric,
            statistic=statistic,
            period=period or MINUTE,
            dimensions_map={"Environment": self._settings.name},
        )

    def _alarm(self, name: str) -> cloudwatch.IAlarm:
        full_name = alarm_name(self._settings, name)
        return cloudwatch.Alarm.from_alarm_name(self, name, full_name)

    def _of(self, part: Part, metric: str, statistic: str = "Sum") -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name=metric,
            statistic=statistic,
            period=MINUTE,
            dimensions_map={"FunctionName": part.in_aws(self._settings.name)},
        )

    def _undelivered(self, part: Part) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/SQS",
            metric_name="ApproximateNumberOfMessagesVisible",
            statistic="Maximum",
            period=MINUTE,
            label=part.name,
            dimensions_map={"QueueName": part.undelivered(self._settings.name)},
        )

    def _logged_errors(self, part: Part) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=METRICS,
            metric_name=f"{part.in_aws(self._settings.name)}-logged-errors",
            statistic="Sum",
            period=MINUTE,
            label=part.name,
        )
