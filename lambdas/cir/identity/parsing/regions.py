"""Which region a country text of a CRM means, for national phone numbers."""

import json
from functools import cache
from pathlib import Path

import phonenumbers

UNKNOWN_REGION = "ZZ"
"""CLDR's code: national numbers of it cannot be read."""


def read_region(country: str, default_region: str) -> str:
    """The region (ISO 3166 alpha-2) of a country as CRMs write it: a code, or its name in English or its language.

    A country that is not known is UNKNOWN_REGION and not the default: a national number read as another country's is
    somebody else's.
    """
    written = country.strip()
    if not written:
        return default_region
    if written.upper() in phonenumbers.SUPPORTED_REGIONS:
        return written.upper()
    return _country_names().get(written.casefold(), UNKNOWN_REGION)


@cache
def _country_names() -> dict[str, str]:
    data: dict[str, list[str]] = json.loads(Path(__file__).with_name("countries.json").read_text(encoding="utf-8"))
    return {name.casefold(): region for region, names in data.items() for name in names}
