"""Last step: what a run has done, for machines, for CloudWatch, and for whoever owns the data."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from cir.identity.records import timestamp
from cir.imports.loading import Report as Load
from cir.imports.run import clear
from cir.imports.run import report as import_report
from cir.reconcile.audit import Audit
from cir.reconcile.compare import Plan
from cir.reconcile.extract import Extract
from cir.reconcile.html import page
from cir.reconcile.result import STOPPED, Reconciled
from cir.reconcile.run import LAST_GOOD, LastGood, Looked, Night
from cir.runtime import log
from cir.runtime.metrics import embedded
from cir.sync.customers import Change
from cir.sync.deletion import Fate


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
        facts = {"rows": extract.rows - extract.deleted, "filled": extract.filled, "context": plan.context}
        month = [asdict(each) for each in _month(night, extract, plan, ended)]
        night.state.put(LAST_GOOD, {**facts, "run": night.name, "month": month})
    if publish:
        _publish(result)
    night.write("report.json", result.as_dict())
    _tidy(night)
    return result


def _month(night: Night, extract: Extract, plan: Plan, ended: str) -> Sequence[Looked]:
    fates = night.read("fates.json")
    left = sum(fates.get(fate, 0) for fate in (Fate.WITHDRAWN, Fate.DELETED))
    tonight = Looked(night.name, ended, extract.rows - extract.deleted, left, extract.filled)
    before = [each for each in LastGood.read(night.state).since(ended) if each.run != night.name]
    return [replace(tonight, left=0)] if plan.forced else [*before, tonight]


def _tidy(night: Night) -> None:
    """Rows and batches hold personal data, and have served."""
    night.files.remove([key for name in ("rows/", "audit/") for key in night.files.list(night.key(name))])
    clear(night.repairs)


def _seconds(started: str, ended: str) -> float:
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()


def _publish(result: Reconciled) -> None:
    plan, environment = result.plan, os.environ.get("CIR_ENVIRONMENT", "")
    stopped = result.outcome == STOPPED
    level = "error" if stopped else "warning" if plan.postponed else "info"
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
            "level": level,
            "run": result.name,
            "outcome": result.outcome,
            "stopped": plan.stopped,
            "postponed": len(plan.postponed),
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
