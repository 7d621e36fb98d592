"""Phone numbers as External Contacts stores them: `display` is the input, everything else is worked out from it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

DEFAULT_REGION = "US"  # "the default country code ... is assumed to be +1 (North America)"


class Parsed(NamedTuple):
    e164: str
    international: str
    region: str | None
    extension: int | None


@lru_cache(maxsize=65_536)
def parse(text: str, country: str = "") -> Parsed | None:
    """Read a number as E.164, None where it cannot be. `country` is a region (`GB`) or a calling code (`44`, `+44`)."""
    try:
        number = phonenumbers.parse(text, _region(country))
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    extension = int(number.extension) if number.extension and number.extension.isdecimal() else None
    number.extension = None
    return Parsed(
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
        phonenumbers.region_code_for_number(number)
        or phonenumbers.region_code_for_country_code(number.country_code or 0),
        extension,
    )


def _region(country: str) -> str:
    digits = country.removeprefix("+")
    if digits.isdecimal():
        return phonenumbers.region_code_for_country_code(int(digits))
    return country.upper() or DEFAULT_REGION


def stored(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The stored form of a PhoneNumber that a client sent; None when it has no number at all."""
    display = given.get("display")
    if not display:
        return None
    country = given.get("normalizationCountryCode")
    parsed = parse(display, country or "")
    extension = given.get("extension") or (parsed.extension if parsed else None)
    values = {
        "display": parsed.international if parsed else display,
        "extension": extension,
        "acceptsSMS": given.get("acceptsSMS"),
        "normalizationCountryCode": country,
        "userInput": display,
        "e164": parsed.e164 if parsed else None,
        "countryCode": parsed.region if parsed else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def stored_whatsapp(given: Mapping[str, Any]) -> dict[str, Any]:
    """WhatsApp numbers keep the digits they came as, so that what is read can be written back."""
    display = given["display"]
    parsed = parse(f"+{display}")
    values = {
        "display": display,
        "acceptsSMS": given.get("acceptsSMS"),
        "userInput": display,
        "e164": parsed.e164 if parsed else None,
        "countryCode": parsed.region if parsed else None,
    }
    return {name: value for name, value in values.items() if value is not None}
