"""What carriers write about the signature of a number."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cir.identity.attestation import Attestation, CarrierTrust, read_attestation

FULL, NONE, FAILED = Attestation.FULL, Attestation.NONE, Attestation.FAILED
VERIFIED_HEADERS = CarrierTrust(verifies_identity_header=True)
BARE_IS_A = CarrierTrust(bare_pass_is_full=True)


def passport(attest: object) -> str:
    """An Identity header with a PASSporT; nobody checks its signature here."""
    parts = ({"alg": "ES256", "ppt": "shaken", "typ": "passport"}, {"attest": attest, "orig": {"tn": "12125550188"}})
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return ".".join([*encoded, "c2lnbmF0dXJl"]) + ";info=<https://cert.example.org/passport.cer>;alg=ES256;ppt=shaken"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", NONE),
        ("A", FULL),
        (" a ", FULL),
        ("B", NONE),
        ("C", NONE),
        ("D", NONE),
        ("TN-Validation-Passed-A", FULL),
        ("tn-validation-passed-a", FULL),
        ("TN-VALIDATION-PASSED-A", FULL),
        ("TN-Validation-Passed-B", NONE),
        ("TN-Validation-Passed-C", NONE),
        ("TN-Validation-Passed", NONE),
        ("No-TN-Validation", NONE),
        ("no-tn-validation", NONE),
        ("TN-Validation-Failed", FAILED),
        ("TN-Validation-Failed-A", FAILED),
        ("tn-validation-failed-c", FAILED),
        ("verstat=TN-Validation-Passed-A", FULL),
        ("tel:+12125550188;verstat=TN-Validation-Passed-A", FULL),
        ("+12125550188;verstat=TN-Validation-Passed-A", FULL),
        ("sip:+12125550188;verstat=TN-Validation-Passed-A@sbc.example.com;user=phone", FULL),
        ('"Ann" <sip:+12125550188;verstat=TN-Validation-Failed@sbc.example.com>', FAILED),
        ("+12125550188;verstat=No-TN-Validation@sbc.example.com", NONE),
        ("TN-Validation-Passed-Almost", NONE),
        ("tel:+12125550188;verstat%3DTN-Validation-Passed-A", FULL),
        ("TN-Validation-Passed-A-Diverted", NONE),
        ("sip:+12125550188;verstat%3DTN-Validation-Failed@sbc.example.com", FAILED),
        ("TN%2DValidation%2DFailed", FAILED),
        ("TN\u2011Validation\u2011Failed", FAILED),
        ("TN_Validation_Failed", FAILED),
        ("TNValidationFailed", FAILED),
        ("verstat=failed", FAILED),
        ("Failed", FAILED),
        ("TN_Validation_Passed_A", NONE),
        ("attest=A", NONE),
        (passport("A"), NONE),
    ],
)
def test_what_a_carrier_says(text: str, said: Attestation) -> None:
    assert read_attestation(text) is said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("attest=A", FULL),
        ('attest="a"', FULL),
        ('{"attest": "A"}', FULL),
        ("attest=B", NONE),
        (passport("A"), FULL),
        (passport("B"), NONE),
        (passport(["A"]), NONE),
        (passport("A").replace(".", ". "), NONE),
        ("eyJhbGciOiJFUzI1NiJ9.bm90IGpzb24gYXQgYWxs.c2ln", NONE),
    ],
)
def test_an_identity_header_counts_where_it_is_verified(text: str, said: Attestation) -> None:
    assert read_attestation(text, trust=VERIFIED_HEADERS) is said
    assert read_attestation(text) is NONE


def test_a_pass_without_a_level_is_full_only_where_the_carrier_means_that() -> None:
    assert read_attestation("TN-Validation-Passed", trust=BARE_IS_A) is FULL
    assert read_attestation("sip:+12125550188;verstat=TN-Validation-Passed@sbc.example.com", trust=BARE_IS_A) is FULL
    for more in ("-B", " B", ":B", "/B", "-BC", "_B", "-B-Diverted", "-\N{LATIN CAPITAL LETTER A WITH GRAVE}"):
        assert read_attestation(f"TN-Validation-Passed{more}", trust=BARE_IS_A) is NONE, more


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (("tel:+12125550188;verstat=TN-Validation-Failed", "A"), FAILED),
        (("tel:+12125550188;verstat=TN-Validation-Passed-A", "B"), NONE),
        (("+12125550188", "A"), FULL),
        (("tel:+12125550188;verstat=TN-Validation-Passed-A", ""), FULL),
    ],
)
def test_of_several_the_worst_counts(texts: tuple[str, ...], said: Attestation) -> None:
    assert read_attestation(*texts) is said
    assert read_attestation(*reversed(texts)) is said


@given(st.text(max_size=200))
def test_no_text_makes_it_raise_or_vouches_by_accident(text: str) -> None:
    said = read_attestation(text, trust=VERIFIED_HEADERS)
    assert said is not FULL or "a" in text.casefold()
