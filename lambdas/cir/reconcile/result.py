"""What a reconciliation came to, in numbers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from cir.reconcile.audit import Audit
from cir.reconcile.compare import Plan
from cir.reconcile.run import Night, known, plain

STOPPED = "stopped"
"""The outcome of a run that a person has to look at."""


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
            return STOPPED
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
        given = known(cls, data) | {
            "plan": Plan.from_dict(data["plan"]),
            "refused": [tuple(each) for each in data["refused"]],
        }
        if audit:
            counters = {name: Counter(audit[name]) for name in ("drift", "foreign")}
            given["audit"] = Audit(**{**known(Audit, audit), **counters})
        return cls(**given)
