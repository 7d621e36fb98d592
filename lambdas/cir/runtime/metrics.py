"""Metrics in CloudWatch's Embedded Metric Format: part of a log line that is written anyway, so they are free."""

import time
from collections.abc import Mapping
from typing import Any

NAMESPACE = "cir"


def embedded(
    metrics: Mapping[str, tuple[float, str]], *, dimensions: Mapping[str, str], by: tuple[tuple[str, ...], ...]
) -> dict[str, Any]:
    """Fields to merge into a JSON log line.

    `metrics` maps a name to (value, CloudWatch unit); `by` lists the combinations of dimensions to count by.
    """
    return {
        "_aws": {
            "Timestamp": round(time.time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [list(names) for names in by],
                    "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()],
                }
            ],
        },
        **dimensions,
        **{name: value for name, (value, _) in metrics.items()},
    }
