"""The resolver: who is this? Answered from the cache or the tables within a budget, and never by an exception."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cir.aws.dynamodb import DynamoDBError
from cir.identity.attestation import NO_TRUST, CarrierTrust
from cir.identity.identifiers import Identifier, Reason
from cir.identity.records import Profile
from cir.identity.rules import Assurance, load_rules
from cir.identity.verdict import Evidence, Outcome, Verdict, decide
from cir.index.cache import Cache
from cir.index.review import candidate
from cir.index.store import IdentityStore
from cir.resolve.answer import CacheStatus, compose
from cir.resolve.lookup import Findings, Lookup, Origin, left
from cir.resolve.policy import Policy, load_policy
from cir.resolve.request import Request, read_request
from cir.resolve.trace import Trace

LOOKUP_AGAIN_SECONDS = 3600
"""How long a value that Genesys did not know either is not asked for again."""
SIDE_WRITE_SECONDS = 0.05
"""The most that a write which the answer does not need may take."""

type Fallback = Callable[[Sequence[Identifier], float], bool]
"""Look identifiers up in Genesys and fill the index within so many seconds. False when that failed; raises nothing."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """An answer for the flow, and the trace of how it came about."""

    answer: dict[str, Any]
    trace: dict[str, Any]


class Resolver:
    """One per execution environment; it serves one call at a time."""

    def __init__(
        self,
        *,
        store: IdentityStore,
        cache: Cache,
        defaults: Profile,
        budget_seconds: float,
        default_region: str,
        fallback: Fallback | None = None,
        policy: Policy | None = None,
        trust: CarrierTrust = NO_TRUST,
    ) -> None:
        """`policy` is the one that ships as `default` unless the environment has its own."""
        self._store = store
        self._cache = cache
        self._lookup = Lookup(store, cache)
        self._defaults = defaults
        self._budget = budget_seconds
        self._default_region = default_region
        self._fallback = fallback
        self._policy = policy or load_policy()
        self._trust = trust

    def resolve(self, event: object) -> Resolution:
        """Answer a Data Action's input, whatever it holds."""
        deadline = time.monotonic() + self._budget
        trace = Trace(uuid.uuid4().hex)
        request = self._read(event, trace)
        identifiers = [each.identifier for each in request.sought]
        findings = self._lookup.find(identifiers, request.contact_id, deadline, trace)
        evidence = tuple(_evidence(request, findings))
        verdict = _judge(evidence, request, findings)
        if verdict.outcome is Outcome.NOT_FOUND and identifiers:
            self._look_further(findings, deadline, trace)
            evidence = tuple(_evidence(request, findings))
            verdict = _judge(evidence, request, findings)
        contact = self._lookup.contact(verdict.contact_id, findings, deadline, trace) if verdict.contact_id else None
        if verdict.contact_id and not contact:
            # decided, but whoever it is cannot be read
            verdict = replace(verdict, outcome=Outcome.DEGRADED)
        answer, withheld = compose(
            verdict,
            contact,
            self._defaults,
            self._policy,
            resolution_id=trace.resolution_id,
            cache_status=findings.cache_status,
            refused=request.refused,
            spoof_suspected=request.spoof_suspected,
        )
        if verdict.outcome is Outcome.CONFLICT:
            self._record_conflict(verdict, deadline, trace)
        if verdict.outcome is Outcome.RESOLVED:
            self._confirm(request, verdict, findings, deadline)
        self._lookup.renew(findings, deadline, trace)
        answer["latencyMs"] = trace.elapsed_ms()
        trace.facts |= _facts(request, verdict, withheld)
        trace.facts["evidence"] = [each.to_plain() for each in evidence]
        return Resolution(answer, trace.line(answer))

    def degraded(self) -> dict[str, Any]:
        """The answer where `resolve` itself has broken: of nobody, with the defaults."""
        answer, _ = compose(
            Verdict(Outcome.DEGRADED),
            None,
            self._defaults,
            self._policy,
            resolution_id="",
            cache_status=CacheStatus.DEGRADED,
            refused=(),
            spoof_suspected=False,
        )
        return answer

    def _read(self, event: object, trace: Trace) -> Request:
        with trace.step("normalise") as step:
            request = read_request(event, default_region=self._default_region, trust=self._trust)
            step["identifiers"] = [
                {"value": each.identifier.masked, "key": self._cache.identifier_key(each.identifier)}
                for each in request.sought
            ]
        return request

    def _look_further(self, findings: Findings, deadline: float, trace: Trace) -> None:
        """Have Genesys asked for what the index has just said it does not know."""
        unknown = [each for each, found in findings.found.items() if found.origin is Origin.TABLE]
        if not unknown or findings.tables_down:
            return
        if self._fallback:
            with trace.step("genesys") as step:
                step["answered"] = self._fallback(unknown, left(deadline))
            self._lookup.read_tables(unknown, "", findings, deadline, trace, consistent=True)
            if any(findings.found[each].candidates.count for each in unknown):
                return
        with trace.step("request lookup") as step:
            try:
                for each in unknown:
                    self._store.request_lookup(
                        each,
                        at=int(time.time()),
                        again_after_seconds=LOOKUP_AGAIN_SECONDS,
                        timeout=min(left(deadline), SIDE_WRITE_SECONDS),
                    )
            except DynamoDBError as error:
                step["failed"] = error.code

    def _record_conflict(self, verdict: Verdict, deadline: float, trace: Trace) -> None:
        """One ledger entry per pair and day, however often they call, and one candidate for the review queue."""
        with trace.step("record conflict") as step:
            for other in verdict.conflicting:
                evidence = {"matched_by": list(verdict.matched_by), "resolution_id": trace.resolution_id}
                because = "one caller's details lead to two contacts; the stronger answered"
                conflict = self._store.decision(
                    verdict.contact_id, "conflict", because, other_contact=other, **evidence
                )
                conflict = replace(conflict, at=conflict.at[:10], id=f"conflict-{other}")
                proposed = candidate(self._store, (verdict.contact_id, other), because, **evidence)
                try:
                    if self._store.record(conflict, timeout=min(left(deadline), SIDE_WRITE_SECONDS)):
                        self._store.record(proposed, timeout=min(left(deadline), SIDE_WRITE_SECONDS))
                except DynamoDBError as error:
                    step["failed"] = error.code

    def _confirm(self, request: Request, verdict: Verdict, findings: Findings, deadline: float) -> None:
        """Note that a number is still the customer's, when something else of theirs came with it.

        Alone it would only say that somebody has the number, who may be the next to be given it.
        """
        if len(set(verdict.matched_by) - {"contactId"}) < 2:
            return
        for each in request.sought:
            found = findings.found[each.identifier].candidates
            if found.to_confirm and found.contact_ids == (verdict.contact_id,):
                with contextlib.suppress(DynamoDBError):
                    self._store.confirm(
                        each.identifier, verdict.contact_id, timeout=min(left(deadline), SIDE_WRITE_SECONDS)
                    )


def _judge(evidence: Sequence[Evidence], request: Request, findings: Findings) -> Verdict:
    """The verdict on the evidence, marked where the evidence was not to be had."""
    verdict = decide(evidence)
    if findings.tables_down:
        return replace(verdict, outcome=Outcome.DEGRADED)
    if verdict.outcome is Outcome.NOT_FOUND and not request.presented and _withheld(request):
        return replace(verdict, outcome=Outcome.BLOCKED)
    return verdict


def _evidence(request: Request, findings: Findings) -> Iterator[Evidence]:
    if request.contact_id and findings.named:
        yield Evidence(
            label="contactId",
            contact_ids=(findings.named.contact_id,),
            count=1,
            generic=False,
            ask_for="",
            exclusive=True,
            assurance=Assurance.CLAIMED,
            priority=0,
        )
    at_desks = {
        each.identifier.switchboard: findings.found[each.identifier].candidates.contact_ids
        for each in request.presented
        if each.identifier.extension
    }
    for presented in request.sought:
        identifier = presented.identifier
        candidates = findings.found[identifier].candidates
        at_desk = at_desks.get(identifier, ())
        yield Evidence(
            label=identifier.type,
            contact_ids=candidates.contact_ids,
            count=candidates.count,
            generic=candidates.generic,
            ask_for=candidates.ask_for,
            exclusive=identifier.exclusive,
            assurance=presented.assurance,
            priority=load_rules().identifiers[identifier.type].priority,
            faded=candidates.faded,
            unproven=candidates.unproven,
            # where the extension is somebody else's, the number contradicts nothing
            shared=candidates.shared or (bool(at_desk) and not {*at_desk} & {*candidates.contact_ids}),
        )


def _withheld(request: Request) -> bool:
    return any(each.reason in {Reason.WITHHELD, Reason.PLACEHOLDER} for each in request.refused)


def _facts(request: Request, verdict: Verdict, withheld: Sequence[str]) -> dict[str, Any]:
    return {
        "conversationId": request.conversation_id,
        "channel": request.channel,
        "rules": load_rules().version,
        "ignored": [{"what": label, "why": why} for label, why in verdict.ignored]
        + [{"what": each.type, "why": each.reason} for each in request.refused],
        "otherContacts": list(verdict.conflicting),
        "withheld": list(withheld),
    }
