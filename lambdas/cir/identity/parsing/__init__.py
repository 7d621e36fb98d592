"""From what Genesys, a CRM or a person sends to an `Identifier`, or to a `Refusal` that says why not.

Nothing here raises on any text. Telephone numbers and e-mail addresses have modules of their own.
"""

import re
import unicodedata

from cir.identity.identifiers import (
    MAX_VALUE,
    Identifier,
    Parsed,
    Reason,
    Refusal,
    refuse_malformed,
    refuse_placeholder,
)
from cir.identity.parsing.cleaning import clean, without_invisible
from cir.identity.parsing.decoys import refuse_decoy_id
from cir.identity.parsing.emails import parse_email
from cir.identity.parsing.phones import has_needless_extension, parse_phone, parse_whatsapp
from cir.identity.rules import IdentifierType, load_rules

__all__ = ["SALESFORCE_SHORT", "decoys", "emails", "has_needless_extension", "parse", "regions", "salesforce_id"]

MAX_TEXT = 1_000
"""Characters that are looked at at all. Genesys holds at most 255 in an identifier, but a SIP header may wrap it."""

_HANDLE = re.compile(
    r"(?P<url>(?:https?://)?(?:(?:www|mobile)\.)?(?:twitter|x)\.com/(?!(?:explore|hashtag|home|i|intent|search)\b))?"
    r"@?(?P<handle>[a-z0-9_]{1,15})(?(url)/?(?:[?#]\S*)?)",
    re.IGNORECASE | re.ASCII,
)
_OPAQUE = re.compile(r"[!-\"$-~]{1,255}")
"""Printable ASCII but for the `#`, which separates the parts of a key."""
_SOURCE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_BRACED_GUID = re.compile(r"\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}")
"""As Microsoft's tools write one; the braces are not part of it."""
_SALESFORCE_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
SALESFORCE_SHORT = 15
"""Characters of the form that tells ids apart by case."""
_SALESFORCE_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def parse(
    kind: IdentifierType, text: object, *, default_region: str = "US", source: str = "", is_record_key: bool = False
) -> Parsed:
    """Normalise one value.

    `default_region` (ISO 3166 alpha-2) reads national phone numbers. `source` is the key of the external source,
    needed for `external` only; `is_record_key` says that it is the key under which a CRM keeps the record, where
    `11111` is a customer like any other. Anything that is not text is taken as its text; None is empty.
    """
    raw = _text(text)
    if len(raw) > MAX_TEXT:
        return Refusal(kind, Reason.TOO_LONG, f"longer than {MAX_TEXT} characters")
    cleaned = clean(raw)
    if not cleaned:
        return Refusal(kind, Reason.EMPTY, "no value")
    match kind:
        case IdentifierType.PHONE:
            return parse_phone(cleaned, default_region.upper())
        case IdentifierType.WHATSAPP:
            return parse_whatsapp(cleaned, default_region.upper())
        case IdentifierType.EXTERNAL:
            is_key = is_record_key or _issues_record_keys(source)
            decoy = refuse_decoy_id(cleaned, is_record_key=is_key) if len(cleaned) <= MAX_VALUE else None
            return decoy or _parse_external(raw, source)
        case _ if cleaned.casefold() in load_rules().placeholders:
            return refuse_placeholder(kind)
        case IdentifierType.EMAIL:
            return parse_email(cleaned)
        case IdentifierType.TWITTER:
            return _parse_twitter(cleaned)
        case _:
            return _parse_opaque(kind, cleaned)


def _issues_record_keys(source: str) -> bool:
    """Whether the ids of an external source are those under which a CRM keeps its records, which no customer knows."""
    known = load_rules().external_sources.get(source.strip().lower())
    return known is not None and not known.known_to_customer


def _text(value: object) -> str:
    if value is None:
        return ""
    try:
        return str(value)
    except ValueError:  # an int of more digits than Python prints
        return "9" * (MAX_TEXT + 1)


def _parse_external(raw: str, source: str) -> Parsed:
    """Trimmed only: what a CRM issued goes back to it letter by letter."""
    kind = IdentifierType.EXTERNAL
    text = without_invisible(raw).strip()
    text = text[1:-1] if _BRACED_GUID.fullmatch(text) else text
    source = source.strip().lower()
    if not _SOURCE.fullmatch(source):
        return Refusal(kind, Reason.NO_SOURCE, "an external id needs the system that issued it (externalSource)")
    if len(text) > MAX_VALUE:
        return Refusal(kind, Reason.TOO_LONG, f"longer than {MAX_VALUE} characters")
    if not text.isprintable():
        return refuse_malformed(kind, "an external id: it holds line breaks or control characters")
    known = load_rules().external_sources.get(source)
    if known and known.format == "salesforce":
        if not _SALESFORCE_ID.fullmatch(text):
            return refuse_malformed(kind, "a Salesforce id (15 or 18 letters and digits)")
        try:
            text = salesforce_id(text)
        except ValueError:
            return refuse_malformed(kind, "a Salesforce id: its last three characters, a checksum, are another id's")
    return Identifier(kind, unicodedata.normalize("NFC", text.lower()), text, source)


def salesforce_id(text: str) -> str:
    """The 18-character form of a Salesforce id of 15 or 18 characters.

    The 15-character form is case-sensitive, so two customers' ids may differ in case alone. The three characters that
    Salesforce appends encode the case of five each, so the long form is the same id in whatever case it arrives, and
    its own case can be restored. Raises ValueError where the three cannot be those of this id: they claim that a digit
    is a capital letter, or are no such characters at all.
    """
    chunks = [text[start : start + 5] for start in (0, 5, 10)]
    if len(text) == SALESFORCE_SHORT:
        bits = [sum(character.isupper() << bit for bit, character in enumerate(chunk)) for chunk in chunks]
        return text + "".join(_SALESFORCE_SUFFIX[each] for each in bits)
    suffix = text[SALESFORCE_SHORT:].upper()
    restored = "".join(
        _restored(chunk, _SALESFORCE_SUFFIX.index(character)) for chunk, character in zip(chunks, suffix, strict=True)
    )
    return restored + suffix


def _restored(chunk: str, capitals: int) -> str:
    wanted = [bool(capitals >> bit & 1) for bit in range(len(chunk))]
    if any(capital and not character.isalpha() for capital, character in zip(wanted, chunk, strict=True)):
        raise ValueError("the suffix is another id's")
    cases = zip(wanted, chunk, strict=True)
    return "".join(character.upper() if capital else character.lower() for capital, character in cases)


def _parse_twitter(text: str) -> Parsed:
    kind = IdentifierType.TWITTER
    written = _HANDLE.fullmatch(text)
    if not written:
        return refuse_malformed(kind, "a Twitter handle")
    handle = written["handle"]
    match = handle.lower()
    return refuse_placeholder(kind) if match in load_rules().placeholders else Identifier(kind, match, handle)


def _parse_opaque(kind: IdentifierType, text: str) -> Parsed:
    """Ids that a platform makes up: compared as they are, case included."""
    return Identifier(kind, text, text) if _OPAQUE.fullmatch(text) else refuse_malformed(kind, f"a {kind} id")
