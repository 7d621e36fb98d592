"""A Data Action's input, read without ever raising."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cir.identity.attestation import NO_TRUST, Attestation, CarrierTrust, read_attestation
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

CHANNELS = MESSAGING | {
    "apple-messages", "call", "callback", "chat", "cobrowse", "email", "facebook-messenger", "message", "messaging",
    "open", "phone", "rcs", "sms", "telegram", "viber", "video", "voice", "voicemail", "web", "webchat", "webmessaging",
}  # fmt: skip
"""What is taken as the name of a channel, and so written to the log."""

_ID = re.compile(r"(?=[0-9-]*[A-Za-z])(?![A-Za-z0-9-]*(?:[0-9]-?){7})[A-Za-z0-9-]{1,64}")
"""With a letter, and no telephone number in it: an id is written to the log, a contact's into a key of the cache."""
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
"""What Genesys Cloud's ids are, which may well hold a long run of digits."""


@dataclass(frozen=True, slots=True)
class Presented:
    """An identifier as this conversation presents it."""

    identifier: Identifier
    assurance: Assurance
    """How far it is vouched for that the caller has it. NONE: the signature of the number failed."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is known of a caller before anything is looked up."""

    presented: tuple[Presented, ...]
    refused: tuple[Refusal, ...]
    switchboards: tuple[Presented, ...]
    """The numbers of the presented extensions. They may tell who is calling, and are not the caller's own."""
    contact_id: str
    conversation_id: str
    channel: str
    """One of CHANNELS, `other`, or empty."""
    spoof_suspected: bool = False
    """The network has checked the signature of the caller's number, and it was wrong."""

    @property
    def sought(self) -> tuple[Presented, ...]:
        """All that may lead to the caller."""
        return (*self.presented, *self.switchboards)


def read_request(event: object, *, default_region: str, trust: CarrierTrust = NO_TRUST) -> Request:
    """Every field is optional and may hold anything; what cannot be used is among `refused`."""
    fields: Mapping[Any, Any] = event if isinstance(event, Mapping) else {}
    region = _text(fields, "defaultRegion")
    region = region if re.fullmatch(r"[A-Za-z]{2}", region) else default_region
    channel = _channel(_text(fields, "channel"))
    attestation = read_attestation(_text(fields, "ani"), _text(fields, "attestation"), trust=trust)
    presented: dict[Identifier, Presented] = {}
    switchboards: dict[Identifier, Presented] = {}
    refused: list[Refusal] = []
    for name, kind in _FIELDS.items():
        text = _text(fields, name)
        if not text:
            continue
        parsed = parse(kind, text, default_region=region, source=_text(fields, "externalSource"))
        if isinstance(parsed, Refusal):
            refused.append(parsed)
        else:
            assurance = _assurance(kind, channel, attestation)
            if parsed.switchboard:
                switchboards[parsed.switchboard] = Presented(parsed.switchboard, assurance)
                # a network vouches for the number; the extension is what the caller's own exchange writes
                assurance = min(assurance, Assurance.CLAIMED)
            presented[parsed] = Presented(parsed, assurance)
    contact_id, conversation_id = (_text(fields, name) for name in ("contactId", "conversationId"))
    return Request(
        presented=tuple(presented.values()),
        refused=tuple(refused),
        switchboards=tuple(switchboards.values()),
        contact_id=_id(contact_id),
        conversation_id=_id(conversation_id),
        channel=channel,
        spoof_suspected=attestation is Attestation.FAILED,
    )


def _id(text: str) -> str:
    return text if _UUID.fullmatch(text) or _ID.fullmatch(text) else ""


def _channel(text: str) -> str:
    name = text.casefold()
    return name if not name or name in CHANNELS else "other"


def _assurance(kind: IdentifierType, channel: str, attestation: Attestation) -> Assurance:
    """Caller ID is a claim unless the network vouches for it in full, and less than one where it is found forged."""
    if kind is IdentifierType.PHONE:
        match attestation:
            case Attestation.FULL:
                return Assurance.ATTESTED
            case Attestation.FAILED:
                return Assurance.NONE
            case Attestation.NONE:
                return Assurance.CLAIMED
    if kind in MESSAGING and channel == kind:
        return Assurance.ATTESTED
    return Assurance.CLAIMED


def _text(fields: Mapping[Any, Any], name: str) -> str:
    value = fields.get(name)
    if value is None or value == "":
        return ""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
