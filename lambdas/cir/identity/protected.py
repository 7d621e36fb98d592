"""Values that must not leave the CRM, recognised by what they look like."""

import re
from collections.abc import Iterator
from itertools import cycle

_DIGITS = re.compile(r"(?<!\d)\d+(?:[ -]\d+)*")
_ACCOUNT = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}", re.IGNORECASE)
_ISSUERS = "23456"
"""First digit of the cards of Mastercard, American Express, Diners, JCB, Visa, Maestro, UnionPay and Discover."""
_CARD_LENGTHS = range(13, 20)
_ACCOUNT_LENGTHS = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
"""Length of an IBAN → the countries that have it (SWIFT's IBAN registry)."""
_LENGTH_OF = {country: length for length, countries in _ACCOUNT_LENGTHS.items() for country in countries.split()}


def sensitive_kind(text: str) -> str | None:
    """What kind of protected number a text holds: `card number`, `bank account`, or None.

    Cards by length, issuer and Luhn's check digit (ISO/IEC 7812), accounts by length and check digits (ISO 13616), so
    that an order number is hardly ever taken for one.
    """
    if any(_is_card(number) for run in _DIGITS.findall(text) for number in _numbers_in(run)):
        return "card number"
    if any(_is_account(found.group()) for found in _ACCOUNT.finditer(text)):
        return "bank account"
    return None


def _numbers_in(run: str) -> Iterator[str]:
    """What groups of digits can mean: a card number may be followed by its expiry or preceded by something else."""
    groups = re.split("[ -]", run)
    for start in range(len(groups)):
        number = ""
        for group in groups[start:]:
            number += group
            if len(number) >= _CARD_LENGTHS.stop:
                break
            yield number


def _is_card(number: str) -> bool:
    if len(number) not in _CARD_LENGTHS or number[0] not in _ISSUERS or len(set(number)) == 1:
        return False
    doubled = (int(digit) * factor for digit, factor in zip(reversed(number), cycle((1, 2)), strict=False))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _is_account(text: str) -> bool:
    compact = text.replace(" ", "").upper()
    length = _LENGTH_OF.get(compact[:2], 0)
    account = compact[:length]
    if not length or len(account) < length:
        return False
    return int("".join(str(int(character, 36)) for character in account[4:] + account[:4])) % 97 == 1
