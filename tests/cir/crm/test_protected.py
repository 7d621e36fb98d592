"""Values that must not leave the CRM: what is one, and what only looks a little like one."""

import random

import pytest

from cir.crm.protected import Kind, find_protected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("378282246310005", "card number"),
        ("paid by 4111-1111-1111-1111 12/27", "card number"),
        ("4111 1111 1111 1111 123", "card number"),
        ("4111.1111.1111.1111", "card number"),
        ("4111_1111_1111_1111", "card number"),
        ("4111 - 1111 - 1111 - 1111", "card number"),
        ("4111\u00a01111\u00a01111\u00a01111", "card number"),
        ("4111\u20131111\u20131111\u20131111", "card number"),
        ("6375 6835 0764 5072", "card number"),
        ("2024.11.29 / 4111", None),
        ("gb82west12345698765432", "bank account"),
        ("IBAN NO93 8601 1117 947, thanks", "bank account"),
        ("IBAN DE89 3704 0044 0532 0130 00 PLEASE", "bank account"),
        ("4111 1111 1111 1112", None),  # the check digit is wrong
        ("0000 0000 0000 0000", None),
        ("9111111111111111", None),  # no issuer begins with 9
        ("5555 5555 5555 4444", "card number"),
        ("2221000000000009", "card number"),
        ("2720 9999 9999 9996", "card number"),
        ("2721 0000 0000 0004", None),  # Mastercard's second range ends before it
        ("6011111111111117", "card number"),
        ("3530111333300000", "card number"),
        ("30569309025904", "card number"),
        ("6759649826438453", "card number"),
        ("6200000000000005", "card number"),
        ("2200000000000053", "card number"),
        ("341111111111111", "card number"),
        ("3411111111111111", None),  # American Express has fifteen digits
        ("4000000000000", None),
        ("2000000000000006", None),  # nobody issues 20
        ("DE88 3704 0044 0532 0130 00", None),
        ("5fd0a1c2-4111-4111-8111-1111aa111111", None),
        ("GLD-98765", None),
        ("+1 917 555 0142", None),
    ],
)
def test_protected_numbers_are_told_from_others_by_their_check_digits(text: str, kind: str | None) -> None:
    protected = find_protected(text)
    assert (protected and protected.name) == kind


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("078-05-1120", None),  # was printed on a specimen, and is nobody's
        ("536-90-4399", "SSN (US)"),
        ("Jane 536-90-4399", "SSN (US)"),
        ("000-12-3456", None),
        ("912-90-3456", "ITIN (US)"),
        ("QQ123456C", None),  # letters that are not given out
        ("AB123456C", "NINO (GB)"),
        ("ab 12 34 56 c", "NINO (GB)"),
        ("943 476 5919", "NHS number (GB)"),
        ("943 476 5918", None),
        ("390.533.447-05", "CPF (BR)"),
        ("39053344705", "CPF (BR)"),
        ("36574261809", "tax id (DE)"),
        ("36 574 261 809", "tax id (DE)"),
        ("2 95 10 99 126 111 93", "NIR (FR)"),
        ("295109912611193", "NIR (FR)"),
        ("54362315K", "DNI (ES)"),
        ("54362315-K", "DNI (ES)"),
        ("54362315X", None),
        ("x-2482300w", "NIE (ES)"),
        ("RCCMNL83S18D969H", "codice fiscale (IT)"),
        ("ABCPE1234F", "PAN (IN)"),
        ("85.07.30-033.28", "national number (BE)"),
        ("756.9217.0769.85", "AHV number (CH)"),
        ("880320-0016", "personnummer (SE)"),
        ("131052-308T", "HETU (FI)"),
        ("BOXW310820HNERXN09", "CURP (MX)"),
        ("360426199101010071", "resident id (CN)"),
        ("GLD-98765", None),
        ("003xx0000012345AAA", None),
        ("ACC-2024-000123", None),
    ],
)
def test_a_national_id_is_known_by_its_own_form_anywhere(text: str, name: str | None) -> None:
    protected = find_protected(text)
    assert (protected and protected.name) == (name and f"national id: {name}")


@pytest.mark.parametrize(
    ("text", "country", "column", "name"),
    [
        ("9434765919", "GB", "loyalty", "NHS number (GB)"),
        ("9434765919", "US", "loyalty", None),
        ("9434765919", "", "NHS_Number__c", "NHS number (GB)"),
        ("111222333", "NL", "Klantnummer", "BSN (NL)"),
        ("111222333", "DE", "loyalty", None),
        ("111222333", "", "burgerServiceNummer", "BSN (NL)"),
        ("234123412346", "IN", "loyalty", "Aadhaar (IN)"),
        ("2341 2341 2346", "IN", "loyalty", "Aadhaar (IN)"),
        ("2341 2341 2346", "GB", "loyalty", None),
        ("2341 2341 2346", "", "Aadhar No", "Aadhaar (IN)"),
        ("536904399", "US", "loyalty", None),  # has no check digit, as most numbers of nine digits might be one
        ("536904399", "US", "SSN__c", "SSN (US)"),
        ("536904399", "", "socialSecurityNumber", "SSN (US)"),
        ("536904399", "US", "Lesson", None),
        ("44051401359", "PL", "loyalty", "PESEL (PL)"),
        ("44051401359", "GB", "loyalty", None),
        ("123456782", "CA", "loyalty", "SIN (CA)"),
        ("123456782", "US", "business", None),
        ("0701987765493", "FR", "loyalty", "NIF (FR)"),
    ],
)
def test_digits_alone_are_a_national_id_where_country_or_column_say_so(
    text: str, country: str, column: str, name: str | None
) -> None:
    protected = find_protected(text, country=country, column=column)
    assert (protected and protected.name) == (name and f"national id: {name}")


@pytest.mark.parametrize("digits", range(5, 15))
def test_hardly_any_number_of_a_customer_is_taken_for_one(digits: int) -> None:
    dice = random.Random(digits)
    numbers = ("".join(dice.choices("0123456789", k=digits)) for _ in range(3000))
    taken = [each for each in numbers if (found := find_protected(each)) and found.kind is Kind.NATIONAL_ID]
    assert len(taken) < 0.03 * 3000
