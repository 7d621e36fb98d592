"""The review queue: which contacts may be one person, and what was decided about them.

It is the ledger's partition `review`, which is only ever appended to; what is open is the fold of it. A case is named
by its contacts' ids in order, joined by `+`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from cir.identity.records import Decision
from cir.index.store import IdentityStore

SUBJECT = "review"


class Step(StrEnum):
    """The kinds of the partition's entries."""

    CANDIDATE = "candidate"
    """Something says that they are one person."""
    DISMISSED = "dismissed"
    """Somebody has decided that they are not."""
    MERGE_STARTED = "merge-started"
    """From here on a merge may have happened in Genesys Cloud."""
    MERGE_REFUSED = "merge-refused"
    """A merge could not be carried out. Only a person's decision starts it again."""
    MERGED = "merged"
    SPLIT_STARTED = "split-started"
    SPLIT = "split"
    """A merge was undone: they are not one person."""


_CLOSED = frozenset({Step.DISMISSED, Step.MERGED, Step.SPLIT})


@dataclass(slots=True)
class Case:
    """All that is known of one set of contacts."""

    contacts: tuple[str, ...]
    state: Step = Step.CANDIDATE
    evidence: list[dict[str, Any]] = field(default_factory=list)
    """Of candidates, oldest first: what says so, with `probability` and `proposal` where they were worked out."""
    latest: dict[str, Any] = field(default_factory=dict)
    """The entry that the state comes from."""

    @property
    def key(self) -> str:
        return case_key(self.contacts)

    @property
    def open(self) -> bool:
        """Whether a person, or the next run, still has to do something about it."""
        return self.state not in _CLOSED

    @property
    def details(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.latest.get("details", {})
        return found

    @property
    def refusal(self) -> str:
        """Why a merge could not be carried out; empty where that is not the case's state."""
        return str(self.latest["because"]) if self.state is Step.MERGE_REFUSED else ""

    @property
    def probability(self) -> float | None:
        """The highest that any candidate came with."""
        return max((each["probability"] for each in self.evidence if "probability" in each), default=None)


def case_key(contacts: Iterable[str]) -> str:
    """The name of a case."""
    return "+".join(sorted(set(contacts)))


def entry(store: IdentityStore, step: Step, contacts: Iterable[str], because: str, **details: Any) -> Decision:
    """An entry of the queue, to be recorded."""
    ids = sorted(set(contacts))
    return store.decision(SUBJECT, step, because, case=case_key(ids), contacts=ids, **details)


def candidate(store: IdentityStore, contacts: Iterable[str], because: str, **details: Any) -> Decision:
    """A candidate, of which each set of contacts gets one a day at most, however often it is seen."""
    decision = entry(store, Step.CANDIDATE, contacts, because, **details)
    return replace(decision, at=decision.at[:10], id=f"candidate-{decision.details['case']}")


def cases(store: IdentityStore) -> dict[str, Case]:
    """Every case by its key: the fold of the partition. Decisions stand, whenever candidates come."""
    found: dict[str, Case] = {}
    for each in sorted(store.history(SUBJECT), key=lambda each: str(each["entry"])):
        details, step = each["details"], Step(each["kind"])
        case = found.setdefault(details["case"], Case(tuple(details["contacts"])))
        if step is Step.CANDIDATE:
            case.evidence.append({"because": each["because"], "at": each["at"], **_evidence(details)})
        else:
            case.state, case.latest = step, each
        if not case.latest:
            case.latest = each
    return found


def open_cases(store: IdentityStore) -> list[Case]:
    """The cases that wait for a person, the most probable first, under the ids that the contacts have by now.

    Cases whose contacts have become one, or are gone, are left out; cases that have become the same are put together.
    """
    everything = cases(store)
    waiting = [case for case in everything.values() if case.open]
    heads, _ = store.canonical({each for case in waiting for each in case.contacts}, consistent=True)
    found: dict[str, Case] = {}
    for case in waiting:
        now = tuple(sorted({heads[each].contact_id for each in case.contacts if each in heads}))
        unfinished = case.state in {Step.MERGE_STARTED, Step.SPLIT_STARTED}
        if not unfinished and len(now) < 2:
            continue
        contacts = case.contacts if unfinished else now
        key = case_key(contacts)
        decided = everything.get(key)
        if decided and not decided.open:
            continue
        known = found.setdefault(key, replace(decided or case, contacts=contacts, evidence=[]))
        known.evidence.extend(case.evidence)
    return sorted(found.values(), key=lambda case: (-(case.probability or 0.0), case.key))


def dismiss(store: IdentityStore, contacts: Iterable[str], *, by: str, because: str) -> Decision:
    """Decide that they are different people. Nothing proposes them again."""
    decision = entry(store, Step.DISMISSED, contacts, because, by=by)
    store.record(decision)
    return decision


def _evidence(details: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if name not in {"case", "contacts"}}
