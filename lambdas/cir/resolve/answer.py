"""The resolver's answer: flat text, numbers and booleans, always all fields, as Data Action contracts demand."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from cir.identity.identifiers import Reason, Refusal
from cir.identity.records import Contact, Profile
from cir.identity.rules import Assurance
from cir.identity.verdict import Outcome, Verdict
from cir.resolve.policy import FIELDS, Policy

NOT_FOUND = "NOT_FOUND"
WITHHELD = "WITHHELD"
OUTPUT_FIELDS: dict[str, type] = {
    "contactId": str,
    "outcome": str,
    "displayName": str,
    "firstName": str,
    "customerTier": str,
    "accountStatus": str,
    "preferredLanguage": str,
    "assignedQueueId": str,
    "assurance": str,
    "verificationRequired": bool,
    "spoofSuspected": bool,
    "matchedBy": str,
    "candidateCount": int,
    "askFor": str,
    "resolutionId": str,
    "explanation": str,
    "cacheStatus": str,
    "latencyMs": float,
}

_NAMES = frozenset({"displayName", "firstName"})
"""What a flow speaks: withheld, it is the environment's default, and not a word that says so."""
_SPOKEN = {
    "phone": "the phone number",
    "email": "the e-mail address",
    "external": "the customer number",
    "whatsapp": "the WhatsApp number",
    "contactId": "the contact that Genesys Cloud has linked",
    "ani": "another phone number of theirs",
    "loyalty": "the loyalty number",
}


class CacheStatus(StrEnum):
    """What the cache had to do with an answer."""

    HIT = "hit"
    MISS = "miss"
    """The tables answered, or nobody had to."""
    NEGATIVE = "negative"
    """It knew that nobody is known."""
    DEGRADED = "degraded"
    """It could not be used, or the tables were needed and did not answer."""


def compose(
    verdict: Verdict,
    contact: Contact | None,
    defaults: Profile,
    policy: Policy,
    *,
    resolution_id: str,
    cache_status: CacheStatus,
    refused: Sequence[Refusal],
    spoof_suspected: bool,
) -> tuple[dict[str, Any], list[str]]:
    """The answer without its latency, and the profile fields that it withholds for want of assurance.

    Of a call whose number may be forged as little is told as of somebody who has proven nothing at all.
    """
    profile = contact.profile if contact else Profile()
    trusted = Assurance.NONE if spoof_suspected else verdict.assurance
    withholds = policy.withholds(trusted)
    withheld = [field for field, name in FIELDS.items() if field in withholds and getattr(profile, name)]
    shown = {
        field: (getattr(profile, name) if field not in withheld else "") or getattr(defaults, name)
        for field, name in FIELDS.items()
    }
    unsure = contact is None or spoof_suspected or verdict.outcome is Outcome.CONFLICT
    answer = {
        "contactId": contact.contact_id if contact else NOT_FOUND,
        "outcome": str(verdict.outcome),
        **shown,
        **{field: WITHHELD for field in withheld if field not in _NAMES},
        "assurance": verdict.assurance.label,
        "verificationRequired": unsure or policy.wants_verification(profile, trusted),
        "spoofSuspected": spoof_suspected,
        "matchedBy": ",".join(verdict.matched_by),
        "candidateCount": verdict.candidate_count,
        "askFor": verdict.ask_for,
        "resolutionId": resolution_id,
        "explanation": explain(verdict, found=contact is not None, refused=refused, spoof_suspected=spoof_suspected),
        "cacheStatus": str(cache_status),
        "latencyMs": 0.0,
    }
    return answer, withheld


def explain(verdict: Verdict, *, found: bool, refused: Sequence[Refusal], spoof_suspected: bool = False) -> str:
    """What an agent can read, in a sentence; no personal data."""
    warning = "The caller's number may be forged: its signature failed. " if spoof_suspected else ""
    return warning + _explain(verdict, found=found, refused=refused)


def _explain(verdict: Verdict, *, found: bool, refused: Sequence[Refusal]) -> str:
    by = " and ".join(_spoken(label) for label in verdict.matched_by)
    match verdict.outcome:
        case Outcome.RESOLVED:
            return f"{_capital(by)} {_leads(verdict)} to this customer only{_proof(verdict)}."
        case Outcome.CONFLICT:
            return f"{_capital(by)} {_leads(verdict)} to this customer, another detail to a different one: verify."
        case Outcome.AMBIGUOUS:
            ask = f"; ask for {_spoken(verdict.ask_for)}" if verdict.ask_for else ""
            if verdict.candidate_count == 1:
                return f"{_capital(by)} may be anybody's there, though one customer is known by it{ask}."
            return f"{verdict.candidate_count} customers share {by}{ask}."
        case Outcome.BLOCKED:
            return "The caller's number is withheld or a placeholder, so nobody was looked up."
        case Outcome.DEGRADED if found:
            return "The index did not answer in time; this is what was last known."
        case Outcome.DEGRADED:
            return "The index did not answer in time, so nobody could be looked up."
        case Outcome.NOT_FOUND:
            unusable = [each.type for each in refused if each.reason is not Reason.EMPTY]
            if unusable:
                return f"No customer was found; {' and '.join(_spoken(each) for each in unusable)} could not be read."
            return "No customer is known by what the caller gave."


def _leads(verdict: Verdict) -> str:
    return "leads" if len(verdict.matched_by) == 1 else "lead"


def _proof(verdict: Verdict) -> str:
    match verdict.assurance:
        case Assurance.VERIFIED:
            return "; identity verified"
        case Assurance.ATTESTED:
            return "; the network vouches for it"
        case _:
            return "; that alone does not prove who is calling"


def _spoken(label: str) -> str:
    return _SPOKEN.get(label, f"the {label} account")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
