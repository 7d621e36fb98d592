"""Values that must not leave the CRM, recognised by what they look like."""

import re
from itertools import cycle

_CARD = re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")
_IBAN = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![A-Z0-9])")


def sensitive_kind(text: str) -> str | None:
    """What kind of protected number a text holds: `card number`, `bank account`, or None.

    Cards by length and Luhn's check digit (ISO/IEC 7812), accounts by ISO 13616's check digits, so that an order
    number is hardly ever taken for one.
    """
    if any(_is_card(found.group()) for found in _CARD.finditer(text)):
        return "card number"
    if any(_is_iban(found.group()) for found in _IBAN.finditer(text)):
        return "bank account"
    return None


def _is_card(text: str) -> bool:
    digits = [int(character) for character in text if character.isdigit()]
    if len(set(digits)) == 1:
        return False
    doubled = (digit * factor for digit, factor in zip(reversed(digits), cycle((1, 2)), strict=False))
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    compact = text.replace(" ", "")
    if not 15 <= len(compact) <= 34:
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1
