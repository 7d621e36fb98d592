"""Alarms: each says what has happened and where the runbook tells what to do."""

from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.foundation import Foundation
from infra.parts.function import Function
from infra.settings import Settings
from infra.words import METRICS, CacheStatus, Outcome

MINUTE = cdk.Duration.minutes(1)


def answers(
    settings: Settings, *, outcome: Outcome | None = None, cache: CacheStatus | None = None
) -> cloudwatch.Metric:
    """How many calls the resolver answered in a minute: all, or those of one outcome, or of one status of the cache."""
    dimensions = {"Outcome": outcome, "Cache": cache}
    return _of_resolver(settings, "Resolutions", "Sum", {name: value for name, value in dimensions.items() if value})


def latency(settings: Settings, statistic: str) -> cloudwatch.Metric:
    """How long the resolver took, in milliseconds."""
    return _of_resolver(settings, "Latency", statistic, {})


def _of_resolver(settings: Settings, name: str, statistic: str, dimensions: dict[str, str]) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=METRICS,
        metric_name=name,
        statistic=statistic,
        period=MINUTE,
        dimensions_map={"Environment": settings.name, **dimensions},
    )


@dataclass(frozen=True, slots=True)
class Alarms:
    """Makes the alarms of one stack."""

    scope: Construct
    settings: Settings
    foundation: Foundation
    names: list[str] = field(default_factory=list)
    """Of those made so far, as in the runbook."""

    def when(
        self,
        name: str,
        what_happened: str,
        metric: cloudwatch.IMetric,
        *,
        at_least: float,
        minutes: int,
        of: int | None = None,
    ) -> cloudwatch.Alarm:
        """Goes off when the metric is at least so high in so many minutes (of the last `of`). No data is good news.

        `name` is the heading in docs/runbook.md.
        """
        alarm = cloudwatch.Alarm(
            self.scope,
            "".join(part.capitalize() for part in name.split("-")),
            alarm_name=alarm_name(self.settings, name),
            alarm_description=f"{what_happened} What to do: {self.settings.runbook_url}#{name}",
            metric=metric,
            threshold=at_least,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            datapoints_to_alarm=minutes,
            evaluation_periods=of or minutes,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        self.names.append(name)
        alarm.add_alarm_action(self.foundation.alarm_action)
        alarm.add_ok_action(self.foundation.alarm_action)
        return alarm


def alarm_name(settings: Settings, name: str) -> str:
    """In AWS, for instance `cir-dev-resolver-errors`."""
    return f"cir-{settings.name}-{name}"


def logged_errors(function: Function) -> cloudwatch.Metric:
    """Lines of the function's log that report an error: also of those from which it recovered with a proper answer."""
    found = logs.MetricFilter(
        function,
        "LoggedErrors",
        log_group=function.log_group,
        filter_pattern=logs.FilterPattern.string_value("$.level", "=", "error"),
        metric_namespace=METRICS,
        metric_name=f"{function.name}-logged-errors",
        metric_value="1",
    )
    return found.metric(statistic="Sum", period=MINUTE)
