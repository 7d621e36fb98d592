"""A Data Action's input, read without ever raising."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cir.identity.identifiers import Identifier, Refusal
from cir.identity.parsing import parse
from cir.identity.rules import Assurance, IdentifierType

_FIELDS = {
    "ani": IdentifierType.PHONE,
    "email": IdentifierType.EMAIL,
    "externalId": IdentifierType.EXTERNAL,
    "whatsapp": IdentifierType.WHATSAPP,
    "twitter": IdentifierType.TWITTER,
    "facebook": IdentifierType.FACEBOOK,
    "instagram": IdentifierType.INSTAGRAM,
    "line": IdentifierType.LINE,
    "apple": IdentifierType.APPLE,
    "cookie": IdentifierType.COOKIE,
}
INPUT_FIELDS = (*_FIELDS, "externalSource", "contactId", "conversationId", "channel", "attestation", "defaultRegion")
MESSAGING = frozenset(
    {
        IdentifierType.WHATSAPP,
        IdentifierType.TWITTER,
        IdentifierType.FACEBOOK,
        IdentifierType.INSTAGRAM,
        IdentifierType.LINE,
        IdentifierType.APPLE,
    }
)
"""Platforms that authenticate the account behind a message."""

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Presented:
    """An identifier as this conversation presents it."""

    identifier: Identifier
    assurance: Assurance


@dataclass(frozen=True, slots=True)
class Request:
    """What is known of a caller before anything is looked up."""

    presented: tuple[Presented, ...]
    refused: tuple[Refusal, ...]
    contact_id: str
    conversation_id: str
    channel: str


def read_request(event: object, *, default_region: str) -> Request:
    """Every field is optional and may hold anything; what cannot be used is among `refused`."""
    fields: Mapping[Any, Any] = event if isinstance(event, Mapping) else {}
    region = _text(fields, "defaultRegion")
    region = region if re.fullmatch(r"[A-Za-z]{2}", region) else default_region
    channel = _text(fields, "channel").casefold()
    presented: dict[Identifier, Presented] = {}
    refused: list[Refusal] = []
    for name, kind in _FIELDS.items():
        text = _text(fields, name)
        if not text:
            continue
        parsed = parse(kind, text, default_region=region, source=_text(fields, "externalSource"))
        if isinstance(parsed, Refusal):
            refused.append(parsed)
        else:
            assurance = _assurance(kind, channel, _text(fields, "attestation"))
            presented[parsed] = Presented(parsed, assurance)
    contact_id, conversation_id = (_text(fields, name) for name in ("contactId", "conversationId"))
    return Request(
        presented=tuple(presented.values()),
        refused=tuple(refused),
        contact_id=contact_id if _ID.fullmatch(contact_id) else "",
        conversation_id=conversation_id if _ID.fullmatch(conversation_id) else "",
        channel=channel[:32],
    )


def _assurance(kind: IdentifierType, channel: str, attestation: str) -> Assurance:
    """Caller ID is a claim unless the originating carrier vouches for it in full (STIR/SHAKEN level A).

    B says only that the carrier knows the customer, not the number, and C that the call came in from elsewhere.
    """
    if kind is IdentifierType.PHONE and attestation.strip().upper() == "A":
        return Assurance.ATTESTED
    if kind in MESSAGING and channel == kind:
        return Assurance.ATTESTED
    return Assurance.CLAIMED


def _text(fields: Mapping[Any, Any], name: str) -> str:
    value = fields.get(name)
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
