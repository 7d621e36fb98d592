"""What would have changed a decision: the same rules applied to the evidence of its trace, with one thing different."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cir.identity.rules import Assurance, IdentifierType, load_rules
from cir.identity.verdict import Evidence, Verdict, decide

THAT_CONTACT = "that contact"
"""Stands for one whose id the trace does not have."""


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """A difference in what was known, and the verdict that it would have led to."""

    difference: str
    verdict: Verdict


def counterfactuals(evidence: Iterable[Evidence]) -> list[Counterfactual]:
    """Every single difference after which the outcome, the contact or its assurance would have been another."""
    given = list(evidence)
    before = decide(given)
    tried = (Counterfactual(difference, decide(other)) for difference, other in _differences(given, before))
    return [each for each in tried if _essence(each.verdict) != _essence(before)]


def _differences(given: Sequence[Evidence], verdict: Verdict) -> Iterator[tuple[str, list[Evidence]]]:
    for index, each in enumerate(given):
        others = [*given[:index], *given[index + 1 :]]
        if each.contact_ids or each.generic:
            yield f"without the {each.label}", others
        if each.faded:
            yield f"had the {each.label} been seen with that contact of late", [*others, replace(each, faded=False)]
        if each.contact_ids and each.label != "contactId":
            for level in (Assurance.ATTESTED, Assurance.VERIFIED):
                if each.assurance < level or (level is Assurance.VERIFIED and each.unproven):
                    text = "by the network" if level is Assurance.ATTESTED else "by a second factor"
                    # who passes a second factor on a number or address proves the claim on it, too
                    unproven = () if level is Assurance.VERIFIED else each.unproven
                    vouched = replace(each, assurance=level, unproven=unproven)
                    yield f"had the {each.label} been vouched for {text}", [*others, vouched]
        if not each.contact_ids and not each.generic:
            known = replace(each, contact_ids=(verdict.contact_id or THAT_CONTACT,), count=1)
            yield f"had the {each.label} been linked to {verdict.contact_id or 'a contact'}", [*others, known]
    if verdict.conflicting:
        same = dict.fromkeys(verdict.conflicting, verdict.contact_id)
        merged = [
            replace(each, contact_ids=_renamed(each.contact_ids, same), unproven=_renamed(each.unproven, same))
            for each in given
        ]
        yield f"were {' and '.join(verdict.conflicting)} merged with {verdict.contact_id}", merged
    if verdict.ask_for:
        yield f"had they given what {verdict.ask_for!r} asks for", [*given, _answer(given, verdict)]


def _answer(given: Sequence[Evidence], verdict: Verdict) -> Evidence:
    """What the caller would have said when asked: something that one of the candidates only has."""
    rules = load_rules()
    kind = {"ani": IdentifierType.PHONE}.get(verdict.ask_for)
    if kind is None:
        known = verdict.ask_for in rules.identifiers
        kind = IdentifierType(verdict.ask_for) if known else IdentifierType.EXTERNAL
    rule = rules.identifiers[kind]
    shared = [set(each.contact_ids) for each in given if len(each.contact_ids) > 1]
    left = set.intersection(*shared) if shared else set()
    return Evidence(
        label=kind,
        contact_ids=(min(left, default=THAT_CONTACT),),
        count=1,
        generic=False,
        ask_for="",
        exclusive=rule.exclusive,
        assurance=Assurance.CLAIMED,
        priority=rule.priority,
    )


def _renamed(contact_ids: Sequence[str], names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names.get(each, each) for each in contact_ids))


def _essence(verdict: Verdict) -> tuple[str, str, Assurance]:
    return verdict.outcome, verdict.contact_id, verdict.assurance
