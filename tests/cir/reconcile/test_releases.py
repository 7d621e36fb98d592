"""Yesterday's release runs beside today's: one may read what the other has written of a night."""

import json

from cir.reconcile.audit import Audit
from cir.reconcile.compare import Plan
from cir.reconcile.result import Reconciled
from cir.reconcile.run import plain

PLAN = Plan(rows=3, unchanged=2, changed=1, postponed=["c-1"])
AUDIT = Audit(contacts=7)


def report(**also: object) -> dict[str, object]:
    ended = Reconciled("night", "crm", "2026-12-01T02:00:00Z", "2026-12-01T02:01:00Z", 60.0, PLAN, AUDIT).as_dict()
    return json.loads(json.dumps({**ended, **also}))  # type: ignore[no-any-return]


def test_a_field_of_a_later_release_is_passed_over() -> None:
    assert Plan.from_dict({**plain(PLAN), "later": 1}) == PLAN
    parts = {"plan": {**plain(PLAN), "later": 1}, "audit": {**plain(AUDIT), "later": 1}}
    read = Reconciled.from_dict(report(later=1, **parts))
    assert (read.plan, read.audit, read.name) == (PLAN, AUDIT, "night")


def test_what_an_earlier_release_does_not_write_is_empty() -> None:
    plan = {name: value for name, value in plain(PLAN).items() if name != "postponed"}
    assert Plan.from_dict(plan).postponed == []
    assert Reconciled.from_dict(report(plan=plan)).plan.postponed == []
