"""Last step: what a run has done, for machines, for CloudWatch, and for whoever owns the data."""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from cir import log
from cir.import_run import clear
from cir.import_run import report as import_report
from cir.importing import Report as Load
from cir.metrics import embedded
from cir.reconcile.audit import Audit
from cir.reconcile.compare import Plan
from cir.reconcile.extract import Extract
from cir.reconcile.night import LAST_GOOD, Night, plain
from cir.reconcile.page import page
from cir.records import timestamp
from cir.sync import Change


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A run that has ended."""

    name: str
    source: str
    started: str
    ended: str
    seconds: float
    plan: Plan
    audit: Audit | None = None
    loaded: dict[str, int] = field(default_factory=dict)
    """What became of the repairs → customers; empty when there were none."""
    refused: list[tuple[str, str, int]] = field(default_factory=list)
    """Field, reason and number of the repairs that were refused."""

    fates: dict[str, int] = field(default_factory=dict)
    """What became of customers that are gone, where the deployment's policy does not keep them all."""

    @property
    def outcome(self) -> str:
        if self.plan.stopped and not self.plan.forced:
            return "stopped"
        return "dry run" if self.plan.dry_run else "repaired" if self.loaded else "nothing to do"

    @property
    def adds_up(self) -> bool:
        """Whether every row and every repair is accounted for."""
        return self.plan.adds_up and sum(self.loaded.values()) == (self.plan.repairs if self.plan.stands else 0)

    def as_dict(self) -> dict[str, Any]:
        audit = plain(self.audit) if self.audit else None
        parts = {"plan": plain(self.plan), "audit": audit}
        return {**plain(self), **parts, "outcome": self.outcome, "adds_up": self.adds_up}

    @classmethod
    def read(cls, night: Night) -> Self | None:
        """None when the run has not ended."""
        data = night.read("report.json")
        return cls.from_dict(data) if data else None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        audit = data["audit"]
        given = {name: value for name, value in data.items() if name not in {"outcome", "adds_up"}}
        given |= {"plan": Plan.from_dict(data["plan"]), "refused": [tuple(each) for each in data["refused"]]}
        if audit:
            counters = {name: Counter(audit[name]) for name in ("drift", "foreign")}
            given["audit"] = Audit(**{**audit, **counters})
        return cls(**given)


def report(night: Night, source: str, *, publish: bool = True) -> Reconciled:
    """Add a run up and write `report.json` and `report.html`. Nothing is done if that was done.

    `publish`: write its metrics to the log.

    Raises IncompleteRunError when a batch of repairs is missing.
    """
    known = Reconciled.read(night)
    if known:
        _tidy(night)
        return known
    extract, plan = Extract.read(night), Plan.read(night)
    if extract is None or plan is None:
        raise ValueError(f"the run {night.name} has not been compared yet: there is nothing to report")
    load = import_report(night.repairs) if plan.stands else Load()
    ended = timestamp()
    result = Reconciled(
        name=night.name,
        source=source,
        started=extract.started,
        ended=ended,
        seconds=_seconds(extract.started, ended),
        plan=plan,
        audit=Audit.read(night),
        loaded={str(change): load.changes[change] for change in Change if load.changes[change]},
        fates=night.read("fates.json"),
        refused=[(column, reason, rows) for (column, reason), rows in load.refused.most_common()],
    )
    night.files.write(night.key("report.html"), page(result).encode())
    if plan.stands:
        night.state.put(
            LAST_GOOD, {"rows": extract.rows - extract.deleted, "filled": extract.filled, "run": night.name}
        )
    if publish:
        _publish(result)
    night.write("report.json", result.as_dict())
    _tidy(night)
    return result


def _tidy(night: Night) -> None:
    """Rows and batches hold personal data, and have served."""
    night.files.remove([key for name in ("rows/", "audit/") for key in night.files.list(night.key(name))])
    clear(night.repairs)


def _seconds(started: str, ended: str) -> float:
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()


def _publish(result: Reconciled) -> None:
    plan, environment = result.plan, os.environ.get("CIR_ENVIRONMENT", "")
    stopped = result.outcome == "stopped"
    metrics = {
        "ReconcileRows": (plan.rows, "Count"),
        "ReconcileChanged": (plan.written, "Count"),
        "ReconcileGone": (plan.gone, "Count"),
        "ReconcileRefused": (plan.refused + result.loaded.get("refused", 0), "Count"),
        "ReconcileStopped": (int(stopped), "Count"),
        "ReconcileDuration": (result.seconds, "Seconds"),
    }
    log.write(
        {
            "event": "reconciliation",
            "level": "error" if stopped else "info",
            "run": result.name,
            "outcome": result.outcome,
            "stopped": plan.stopped,
            **embedded(metrics, dimensions={"Environment": environment}, by=(("Environment",),)),
        }
    )
    drift = plan.drift + (result.audit.drift if result.audit else Counter())
    for name, number in drift.items():
        dimensions = {"Environment": environment, "Field": name}
        metric = embedded(
            {"ReconcileDrift": (number, "Count")},
            dimensions=dimensions,
            by=(("Environment", "Field"), ("Environment",)),
        )
        log.write({"event": "reconciliation drift", "run": result.name, **metric})
