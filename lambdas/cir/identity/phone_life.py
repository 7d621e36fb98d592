"""The life of a phone number: evidence on it decays, because operators give numbers away again.

A number that a contact was last seen with long ago still leads there, but proves nothing: it contradicts nothing that
is fresher. Where somebody else is seen to have it, it is taken off the old contact rather than the two merged.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from cir.identity.records import Claim, Contact, IdentifierRecord
from cir.identity.rules import Assurance, IdentifierType, load_rules

NUMBERS = frozenset({IdentifierType.PHONE, IdentifierType.WHATSAPP})
CONFIRM_AFTER_DAYS = 30.0
"""How old evidence is let become before it is written anew that it still holds: a write a month and number."""


def weight(claim: Claim, *, now: datetime) -> float:
    """What a claim on a number counts by now; a fresh one counts its assurance."""
    days = (now - datetime.fromisoformat(claim.last_confirmed)).total_seconds() / 86_400
    return float(claim.assurance * 0.5 ** (max(days, 0.0) / load_rules().phone_half_life_days))


def has_faded(claim: Claim, *, now: datetime) -> bool:
    """Whether it is too old to say that the number is still the same person's.

    What a CRM says does not fade: it is the master of it, and says so every night.
    """
    if claim.source in load_rules().external_sources:
        return False
    return weight(claim, now=now) <= load_rules().phone_faded_at


def faded_contacts(
    record: IdentifierRecord, heads: Mapping[str, Contact], *, now: datetime | None = None
) -> frozenset[str]:
    """The canonical contacts whose evidence on a number has faded; `heads` by the owners of its claims."""
    if record.identifier.type not in NUMBERS or record.overflowed:
        return frozenset()
    moment = now or datetime.now(UTC)
    faded: dict[str, bool] = {}
    for owner, claim in record.claims.items():
        if owner in heads:
            contact_id = heads[owner].contact_id
            faded[contact_id] = faded.get(contact_id, True) and has_faded(claim, now=moment)
    return frozenset(contact_id for contact_id, each in faded.items() if each)


def is_recycled(record: IdentifierRecord, assurance: Assurance, *, now: datetime | None = None) -> bool:
    """Whether a number must be somebody else's by now, of whom it is presented with this assurance.

    Never on the strength of a caller id that nobody vouches for, which anybody can set, and never against evidence
    that stands: that is a case for a person.
    """
    if record.identifier.type not in NUMBERS or record.overflowed or assurance < Assurance.ATTESTED:
        return False
    return _all_faded(record.claims.values(), now=now or datetime.now(UTC))


def is_older(record: IdentifierRecord, *, than: str, now: datetime | None = None) -> bool:
    """Whether all evidence on a number has faded and is older than that moment, at which it was somebody else's."""
    if record.identifier.type not in NUMBERS or record.overflowed:
        return False
    newest = max((each.last_confirmed for each in record.claims.values()), default="")
    return newest < than and _all_faded(record.claims.values(), now=now or datetime.now(UTC))


def wants_confirmation(record: IdentifierRecord, contact_id: str, *, now: datetime | None = None) -> bool:
    """Whether a contact's claim on a number is old enough to be confirmed, if it is seen to be true."""
    claim = record.claims.get(contact_id)
    if claim is None or record.identifier.type not in NUMBERS:
        return False
    age = (now or datetime.now(UTC)) - datetime.fromisoformat(claim.last_confirmed)
    return age.total_seconds() > CONFIRM_AFTER_DAYS * 86_400


def _all_faded(claims: Iterable[Claim], *, now: datetime) -> bool:
    return all(has_faded(claim, now=now) for claim in claims)
