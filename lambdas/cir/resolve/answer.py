"""The resolver's answer: flat text, numbers and booleans, always all fields, as Data Action contracts demand."""

from collections.abc import Sequence
from typing import Any

from cir.identity.identifiers import Reason, Refusal
from cir.identity.records import Contact, Profile
from cir.identity.rules import Assurance, load_rules
from cir.identity.verdict import Outcome, Verdict

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
    "matchedBy": str,
    "candidateCount": int,
    "askFor": str,
    "resolutionId": str,
    "explanation": str,
    "cacheStatus": str,
    "latencyMs": float,
}

_PROFILE_FIELDS = {
    "displayName": "display_name",
    "firstName": "first_name",
    "customerTier": "customer_tier",
    "accountStatus": "account_status",
    "preferredLanguage": "preferred_language",
    "assignedQueueId": "assigned_queue_id",
}
_SPOKEN = {
    "phone": "the phone number",
    "email": "the e-mail address",
    "external": "the customer number",
    "whatsapp": "the WhatsApp number",
    "contactId": "the contact that Genesys Cloud has linked",
    "ani": "another phone number of theirs",
    "loyalty": "the loyalty number",
}


def compose(
    verdict: Verdict,
    contact: Contact | None,
    defaults: Profile,
    *,
    resolution_id: str,
    cache_status: str,
    refused: Sequence[Refusal],
) -> tuple[dict[str, Any], list[str]]:
    """The answer without its latency, and the profile fields that it withholds for want of assurance."""
    profile = contact.profile if contact else Profile()
    shown = {
        output: getattr(profile, attribute) or getattr(defaults, attribute)
        for output, attribute in _PROFILE_FIELDS.items()
    }
    withheld = [
        output
        for output, needed in load_rules().withheld_below.items()
        if contact and getattr(profile, _PROFILE_FIELDS[output]) and verdict.assurance < needed
    ]
    answer = {
        "contactId": contact.contact_id if contact else NOT_FOUND,
        "outcome": str(verdict.outcome),
        **shown,
        **dict.fromkeys(withheld, WITHHELD),
        "assurance": verdict.assurance.label,
        "verificationRequired": verdict.assurance < Assurance.VERIFIED,
        "matchedBy": ",".join(verdict.matched_by),
        "candidateCount": verdict.candidate_count,
        "askFor": verdict.ask_for,
        "resolutionId": resolution_id,
        "explanation": explain(verdict, found=contact is not None, refused=refused),
        "cacheStatus": cache_status,
        "latencyMs": 0.0,
    }
    return answer, withheld


def explain(verdict: Verdict, *, found: bool, refused: Sequence[Refusal]) -> str:
    """One sentence that an agent can read; no personal data."""
    by = " and ".join(_spoken(label) for label in verdict.matched_by)
    match verdict.outcome:
        case Outcome.RESOLVED:
            return f"{_capital(by)} {_leads(verdict)} to this customer only{_proof(verdict)}."
        case Outcome.CONFLICT:
            return f"{_capital(by)} {_leads(verdict)} to this customer, another detail to a different one: verify."
        case Outcome.AMBIGUOUS:
            ask = f"; ask for {_spoken(verdict.ask_for)}" if verdict.ask_for else ""
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
