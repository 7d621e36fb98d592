"""What was true when, and whether an answer may have been given of it. Pure.

A fact is what a key (an identifier, a contact's id, a contact's name) leads to. Nobody knows the moment of a change
exactly: it lies between its beginning and its end, and all of that time the fact before it and the one after it may
both be answered. What was true before may be answered for as long as the streams have not told the cache, and never
longer than an entry of the cache answers by itself.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from cir.identity.verdict import Outcome
from cir.index.cache import CacheLimits
from cir.resolve.answer import NOT_FOUND

type Fact = frozenset[str]
"""The contacts that an identifier or a contact's id leads to; the names of which a contact has one."""

NOBODY: Fact = frozenset()


@dataclass(slots=True)
class Change:
    """Facts that have become others. Moments are of one monotonic clock, in seconds."""

    kind: str
    began: float
    ended: float
    after: Mapping[str, Fact]
    """By key."""
    between: Mapping[str, Collection[Fact]] = field(default_factory=dict)
    """What is true for a moment, where the change takes several steps."""
    told: float = float("inf")
    """When the streams had brought all of it to the cache."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered to one question."""

    keys: tuple[str, ...]
    """The identifiers and contact ids that were asked with."""
    began: float
    ended: float
    outcome: str
    contact_id: str
    name: str = ""
    """The displayed one."""
    cache: str = ""


class Judgement(StrEnum):
    """How an answer stands to the truth."""

    TRUE = "true"
    """It says what was true at a moment between the question and the answer."""
    STALE = "stale"
    """It says what was true before, and the cache could not know better yet."""
    DEGRADED = "degraded"
    """It says itself that it is of what was last known, if anything; and that was true once."""
    NEVER_TRUE = "never true"


class History:
    """The changes of all keys. Those of one key come one after another."""

    def __init__(self, changes: Iterable[Change], limits: CacheLimits) -> None:
        self._limits = limits
        self._changes: dict[str, list[Change]] = defaultdict(list)
        for change in sorted(changes, key=lambda each: each.began):
            for key in change.after:
                self._changes[key].append(change)

    def judge(self, answer: Answer) -> Judgement:
        """Hold one answer against what was true while it was made."""
        if answer.outcome == Outcome.DEGRADED:
            was_true = answer.contact_id == NOT_FOUND or any(
                answer.contact_id in fact for key in answer.keys for fact in self._ever(key, answer.ended)
            )
            return Judgement.DEGRADED if was_true else Judgement.NEVER_TRUE
        for judgement, late in ((Judgement.TRUE, False), (Judgement.STALE, True)):
            if self._fits(answer, late=late):
                return judgement
        return Judgement.NEVER_TRUE

    def staleness(self, answer: Answer) -> float:
        """For how many seconds something that a stale answer says was not true any more when it was asked for."""
        ages = [answer.began - self._over_since(key, answer) for key in (*answer.keys, _name_of(answer))]
        return max((age for age in ages if age > 0), default=0.0)

    def facts(self, key: str, began: float, ended: float, *, late: bool) -> set[Fact]:
        """What a key may lead to for somebody who asks at the one moment and is answered at the other.

        `late`: what the cache may still say counts as well.
        """
        changes = self._changes.get(key, [])
        found: set[Fact] = set()
        fact = NOBODY
        since = float("-inf")
        for change in changes:
            until = self._until(change, fact) if late else change.ended
            if since <= ended and until >= began:
                found.add(fact)
            if change.began <= ended and until >= began:
                found.update(change.between.get(key, ()))
            fact, since = change.after[key], change.began
        if since <= ended:
            found.add(fact)
        return found

    def _until(self, change: Change, before: Fact) -> float:
        """Up to when the cache may say what was before a change."""
        return min(change.told, change.ended + (self._limits.fresh if before else self._limits.fresh_negative))

    def _ever(self, key: str, until: float) -> set[Fact]:
        return self.facts(key, float("-inf"), until, late=True)

    def _over_since(self, key: str, answer: Answer) -> float:
        """When the last change of a key was over that the answer's question could know of."""
        ended = (each.ended for each in self._changes.get(key, ()) if each.ended < answer.began < each.told)
        return min(ended, default=answer.began)

    def _fits(self, answer: Answer, *, late: bool) -> bool:
        if answer.name and answer.contact_id != NOT_FOUND:
            names = self.facts(_name_of(answer), answer.began, answer.ended, late=late)
            if not any(answer.name in each for each in names):
                return False
        possible = [self.facts(key, answer.began, answer.ended, late=late) for key in answer.keys]
        return any(_says(answer, facts) for facts in product(*possible))


def contact_key(contact_id: str) -> str:
    """The key of the fact which contact an id leads to."""
    return f"contact {contact_id}"


def name_key(contact_id: str) -> str:
    """The key of the fact what a contact is called."""
    return f"name {contact_id}"


def _name_of(answer: Answer) -> str:
    return name_key(answer.contact_id)


def _says(answer: Answer, facts: Sequence[Fact]) -> bool:
    """Whether the answer is what is to be answered where the keys lead to these contacts."""
    known = [fact for fact in facts if fact]
    if not known:
        return (answer.outcome, answer.contact_id) == (Outcome.NOT_FOUND, NOT_FOUND)
    agreed = frozenset.intersection(*known)
    single = {one for fact in known if len(fact) == 1 for one in fact}
    if len(agreed) == 1:
        return answer.outcome == Outcome.RESOLVED and answer.contact_id in agreed
    if agreed or not single:
        return (answer.outcome, answer.contact_id) == (Outcome.AMBIGUOUS, NOT_FOUND)
    if len(single) == 1:  # the other value is shared by others, and contradicts nothing
        return answer.outcome == Outcome.RESOLVED and answer.contact_id in single
    return answer.outcome == Outcome.CONFLICT and answer.contact_id in single
