"""What networks say about a caller's number: the result of checking its signature (STIR/SHAKEN), as carriers write it.

The `verstat` parameter of a tel or SIP URI is 3GPP's (TS 24.229, 7.2A.20): `TN-Validation-Passed`,
`TN-Validation-Failed` and `No-TN-Validation`. ATIS-1000074 has the level of the signature, A, B or C, in the
PASSporT's `attest` claim (RFC 8588); many carriers append it to the parameter (`TN-Validation-Passed-A`) or pass the
letter on by itself.
"""

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from urllib.parse import unquote

_FAILED = re.compile(r"tn[-_ ]?validation[-_ ]?failed|\A\W*(?:verstat\W+)?fail(?:ed)?\W*\Z", re.IGNORECASE)
"""A failure counts however it is spelt, a pass only where it is spelt as it ought to be."""
_VERSTAT = re.compile(
    r"\b(?:(?P<no>no-tn-validation)|tn-validation-passed(?P<level>[^;,?&<>@\"'()}\r\n]*))", re.IGNORECASE
)
_ATTEST = re.compile(r"""["']?\battest["']?\s*[=:]\s*["']?(?P<level>[a-z])\b""", re.IGNORECASE)
_PASSPORT = re.compile(r"(?<![\w-])ey[\w-]{8,2000}\.(?P<claims>[\w-]{8,4000})\.[\w-]*")
"""A signed token of three parts in base64url; the first is a JSON object and so begins with `ey`."""
_LEVEL = re.compile(r"[abc]", re.IGNORECASE)
_DASH = re.compile(r"[\u2010-\u2015\u2212]")


class Attestation(IntEnum):
    """How far the network vouches for the caller's number, least first."""

    FAILED = 0
    """The signature was checked and is wrong: the number may be forged, which is worse than no signature."""
    NONE = 1
    """Nothing is said, or no more than that the carrier knows the customer (B) or where the call came in (C)."""
    FULL = 2
    """Level A: the carrier knows the customer and that the number is theirs."""


@dataclass(frozen=True, slots=True)
class CarrierTrust:
    """What an environment states about its carrier or session border controller."""

    verifies_identity_header: bool = False
    """It checks the signature of Identity headers and strips foreign ones. Without that, anybody can write one."""
    bare_pass_is_full: bool = False
    """It writes a `TN-Validation-Passed` without a level for level A only."""


NO_TRUST = CarrierTrust()


def read_attestation(*texts: str, trust: CarrierTrust = NO_TRUST) -> Attestation:
    """What several texts about one call say together: a number's URI, a carrier's header, a letter by itself.

    A failure anywhere counts, then whatever says less than full.
    """
    return min((one for text in texts if text for one in _said(text, trust)), default=Attestation.NONE)


def _said(text: str, trust: CarrierTrust) -> Iterator[Attestation]:
    text = _DASH.sub("-", unicodedata.normalize("NFKC", unquote(text)))
    stripped = text.strip().strip("\"'")
    if _LEVEL.fullmatch(stripped):
        yield _of_level(stripped)
    if _FAILED.search(text):
        yield Attestation.FAILED
    for found in _VERSTAT.finditer(text):
        yield _of_verstat(found, trust)
    for level in _levels_of_identity(text):
        yield _of_level(level) if trust.verifies_identity_header else Attestation.NONE


def _of_verstat(found: re.Match[str], trust: CarrierTrust) -> Attestation:
    level = (found["level"] or "").strip()
    if level:
        return _of_level(level.removeprefix("-"))
    return Attestation.FULL if trust.bare_pass_is_full and not found["no"] else Attestation.NONE


def _levels_of_identity(text: str) -> Iterator[str]:
    """The `attest` claims of an Identity header, given whole or as `attest=A`. Its signature is not checked here."""
    for found in _PASSPORT.finditer(text):
        yield _claimed_level(found["claims"])
    for found in _ATTEST.finditer(text):
        yield found["level"]


def _claimed_level(claims: str) -> str:
    try:
        content = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return ""
    level = content.get("attest") if isinstance(content, dict) else None
    return level if isinstance(level, str) else ""


def _of_level(level: str) -> Attestation:
    return Attestation.FULL if level.casefold() == "a" else Attestation.NONE
