"""Values that must not leave the CRM, recognised by what they look like."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import cycle

from cir.crm.national_ids import national_id
from cir.identity.identifiers import Identifier


class Kind(Enum):
    """What is protected."""

    CARD = auto()
    ACCOUNT = auto()
    NATIONAL_ID = auto()


@dataclass(frozen=True, slots=True)
class Protected:
    """What a text holds that must not leave the CRM."""

    kind: Kind
    name: str
    """For people: `card number`, `national id: NHS number (GB)`."""


_BETWEEN = r"[\s./_,\-\u2010-\u2015\u2212]{1,3}"
"""What people write between the groups of a card number."""
_DIGITS = re.compile(rf"(?<!\d)\d+(?:{_BETWEEN}\d+)*")
_ACCOUNT = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}", re.IGNORECASE)
_CARDS: tuple[tuple[str, tuple[tuple[int, int], ...], tuple[int, ...]], ...] = (
    ("Visa", ((4, 4),), (13, 16, 19)),
    ("Mastercard", ((51, 55), (2221, 2720)), (16,)),
    ("American Express", ((34, 34), (37, 37)), (15,)),
    ("Diners Club", ((300, 305), (3095, 3095), (36, 36), (38, 39)), (14, 16, 19)),
    ("Discover", ((6011, 6011), (644, 649), (65, 65), (622126, 622925)), (16, 19)),
    ("JCB", ((3528, 3589),), (16, 17, 18, 19)),
    ("UnionPay", ((62, 62), (81, 81)), (16, 17, 18, 19)),
    (
        "Maestro",
        ((5018, 5018), (5020, 5020), (5038, 5038), (5893, 5893), (6304, 6304), (6759, 6763)),
        tuple(range(12, 20)),
    ),
    ("Mir", ((2200, 2204),), (16, 17, 18, 19)),
    ("RuPay", ((60, 60), (508, 508), (82, 82)), (16,)),
    ("Elo", ((506699, 506778), (509000, 509999), (636368, 636368), (650031, 650033)), (16,)),
    ("Hipercard", ((606282, 606282), (637095, 637095), (637568, 637568), (637599, 637599)), (16,)),
    ("Verve", ((506099, 506198), (650002, 650027)), (16, 18, 19)),
    ("Dankort", ((5019, 5019),), (16,)),
    ("Troy", ((9792, 9792),), (16,)),
)
"""Network, ranges of issuer prefixes, lengths: what the networks issue (their published ISO/IEC 7812 ranges)."""
_CARD_LENGTHS = range(12, 20)
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


def find_protected(text: str, *, country: str = "", column: str = "") -> Protected | None:
    """What a text holds that must not leave the CRM.

    Cards by issuer prefix, length and Luhn's check digit (ISO/IEC 7812), accounts by length and check digits
    (ISO 13616), national ids by form and check digits, so that an order number is hardly ever taken for one.
    `country` is the customer's (ISO 3166-1), `column` what the CRM calls the field: either may be empty, and says how
    digits alone are to be read.
    """
    if any(_is_card(number) for run in _DIGITS.findall(text) for number in _numbers_in(run)):
        return Protected(Kind.CARD, "card number")
    if any(_is_account(found.group()) for found in _ACCOUNT.finditer(text)):
        return Protected(Kind.ACCOUNT, "bank account")
    found_id = national_id(text, country=country, column=column)
    return Protected(Kind.NATIONAL_ID, f"national id: {found_id}") if found_id else None


def find_protected_id(identifier: Identifier) -> Protected | None:
    """The same of an id that somebody has typed. A number or address that could be read is no such value."""
    return find_protected(identifier.value) if identifier.source else None


def _numbers_in(run: str) -> Iterator[str]:
    """What groups of digits can mean: a card number may be followed by its expiry or preceded by something else."""
    groups = re.split(_BETWEEN, run)
    for start in range(len(groups)):
        number = ""
        for group in groups[start:]:
            number += group
            if len(number) >= _CARD_LENGTHS.stop:
                break
            yield number


def _is_card(number: str) -> bool:
    if len(number) not in _CARD_LENGTHS or not _is_issued(number):
        return False
    doubled = (int(digit) * factor for digit, factor in zip(reversed(number), cycle((1, 2)), strict=False))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _is_issued(number: str) -> bool:
    return any(
        len(number) in lengths and any(low <= int(number[: len(str(low))]) <= high for low, high in prefixes)
        for _, prefixes, lengths in _CARDS
    )


def _is_account(text: str) -> bool:
    compact = text.replace(" ", "").upper()
    length = _LENGTH_OF.get(compact[:2], 0)
    account = compact[:length]
    if not length or len(account) < length:
        return False
    return int("".join(str(int(character, 36)) for character in account[4:] + account[:4])) % 97 == 1
