"""Telephone numbers and WhatsApp accounts: from the digits that were written to E.164.

The rule throughout: a number that could be two people's is refused. A miss costs one question to the caller, a wrong
match tells one customer about another.
"""

import re
from typing import NamedTuple

import phonenumbers
from phonenumbers import CountryCodeSource, PhoneMetadata, PhoneNumberType, ValidationResult

from cir.identity.identifiers import EXTENSION, Identifier, Parsed, Refusal, refuse_malformed, refuse_placeholder
from cir.identity.parsing.cleaning import clean
from cir.identity.parsing.phone_text import Written, read_written, refuse_withheld
from cir.identity.rules import IdentifierType, load_rules

_NORTH_AMERICAN = re.compile(r"\+1[2-9]\d\d[2-9]\d{6}")
"""Needs no metadata to be known as possible; nine in ten calls of a US centre."""
_MEXICAN_WITH_1 = re.compile(r"\+521(\d{10})\Z")
"""Mexican mobiles until 2019. WhatsApp accounts still carry the 1; nobody else's number has that length."""
_BRAZILIAN_OF_8 = re.compile(r"\+55([1-9]{2})([689]\d{7})\Z")
"""Brazilian mobiles before they got a leading 9 (2012-2016), which old WhatsApp accounts lack. Trunked radio kept 7…"""
_LONGEST_LOCAL_NUMBER = 8
"""What follows an area code has at most eight digits, also in Berlin, Vienna, Helsinki and Stockholm."""
_MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


class Number(NamedTuple):
    """A telephone number that may exist."""

    country_code: int
    national: str
    """The national significant number; with an Italian leading zero, without a trunk prefix."""

    @property
    def e164(self) -> str:
        return f"+{self.country_code}{self.national}"


def parse_phone(text: str, default_region: str) -> Parsed:
    kind = IdentifierType.PHONE
    written = read_written(kind, text)
    if isinstance(written, Refusal):
        return written
    number = read_number(written.number, default_region)
    if number is None:
        return _impossible(kind, written.number, default_region)
    decoy = _decoy(kind, number)
    if decoy:
        return decoy
    # nobody is put through on a mobile: whatever those digits are, the number is its owner's
    has_extension = written.extension and not _is_mobile(number)
    text = f"{number.e164}{EXTENSION}{written.extension}" if has_extension else number.e164
    return Identifier(kind, text, text)


def has_needless_extension(text: str, identifier: Identifier) -> bool:
    """Whether a text names an extension that the number in it, a mobile, does not have."""
    written = read_written(IdentifierType.PHONE, clean(text))
    return isinstance(written, Written) and bool(written.extension) and not identifier.extension


def parse_whatsapp(text: str, default_region: str) -> Parsed:
    """WhatsApp writes numbers internationally, with or without the plus; a person may still type a national one.

    Bare digits are read as WhatsApp writes them and grouped ones as a person does, unless only the other reading can
    be a mobile.
    """
    kind = IdentifierType.WHATSAPP
    written = read_written(kind, text)
    if isinstance(written, Refusal):
        return written
    number = _read_account(written, default_region)
    if number is None:
        return _impossible(kind, written.number, default_region)
    # the account keeps WhatsApp's own spelling, by which alone Genesys finds it
    account = "+" + written.number.removeprefix("+")
    return _decoy(kind, number) or Identifier(
        kind,
        match=_BRAZILIAN_OF_8.sub(r"+55\g<1>9\2", number.e164),
        value=account if _MEXICAN_WITH_1.fullmatch(account) else number.e164,
    )


def _read_account(written: Written, region: str) -> Number | None:
    digits = written.number
    if digits[0] in "+0":
        return read_number(digits, region)
    readings = []
    for spelling in ("+" + digits, digits) if written.bare else (digits, "+" + digits):
        number = read_number(spelling, region)
        if number and _can_be_mobile(number):
            return number
        readings.append(number)
    return readings[0] or readings[1]


def read_number(digits: str, region: str) -> Number | None:
    """The number that digits, after a plus or not, stand for; None when they cannot be one number for certain.

    Valid and possible numbers alike: ranges reserved for fiction or just opened must resolve too.
    """
    if _NORTH_AMERICAN.fullmatch(digits):
        return Number(1, digits[2:])
    digits = _MEXICAN_WITH_1.sub(r"+52\1", digits)
    if digits.startswith("00"):
        return _after_double_zero(digits, region)
    number = _read(digits, region)
    calling_code = str(phonenumbers.country_code_for_region(region))
    if digits.startswith(calling_code):
        return _with_or_without_plus(digits, number, region)
    return number


def _after_double_zero(digits: str, region: str) -> Number | None:
    """Two zeros are the international prefix of most of the world. Where it is another (SG 001, BR 00 and a carrier),
    people write them all the same: the one reading that can be, or none if both can."""
    international = read_number("+" + digits[2:], region)
    as_dialled = _read(digits, region)
    if as_dialled in (None, international):
        return international
    is_real = phonenumbers.is_valid_number(phonenumbers.parse(as_dialled.e164))
    if international is None:
        return as_dialled if is_real else None
    return None if is_real else international


def _with_or_without_plus(digits: str, number: Number | None, region: str) -> Number | None:
    """Digits that begin with the region's own calling code may lack their plus: the one reading, or none if both do."""
    international = read_number("+" + digits, region)
    if international in (None, number) or not phonenumbers.is_valid_number(phonenumbers.parse(international.e164)):
        return number
    return international if number is None and len(digits) > _LONGEST_LOCAL_NUMBER else None


def _read(digits: str, region: str) -> Number | None:
    try:
        parsed = phonenumbers.parse(digits, region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None
    # a local number (seven digits in the US) is no use: it is somebody else's in the next area code
    if phonenumbers.is_possible_number_with_reason(parsed) != ValidationResult.IS_POSSIBLE:
        return None
    number = Number(parsed.country_code or 0, phonenumbers.national_significant_number(parsed))
    if parsed.country_code_source == CountryCodeSource.FROM_DEFAULT_COUNTRY:
        sound = _is_surely_national(parsed, number, written=digits)
    else:
        # nothing may be dropped but the trunk zero of "+44 (0)20": two numbers that differ must stay two
        sound = digits.endswith((number.e164[1:], f"{number.country_code}0{number.national}"))
        if parsed.country_code_source == CountryCodeSource.FROM_NUMBER_WITHOUT_PLUS_SIGN:
            sound = sound and len(digits) > _LONGEST_LOCAL_NUMBER
    return number if sound and (number.e164 == digits or _read(number.e164, region) == number) else None


def _is_surely_national(parsed: phonenumbers.PhoneNumber, number: Number, *, written: str) -> bool:
    """Whether digits without a country code can be taken for a number of the assumed region.

    To be possible is a matter of length alone. A Dutch 06… and a French 06… must not become one US number, nor a local
    number or a PBX extension somebody's in an open numbering plan (DE, AT, SE …), where nearly any length is possible.
    """
    plan = PhoneMetadata.metadata_for_region(phonenumbers.region_code_for_country_code(number.country_code))
    if not plan or not plan.general_desc or not plan.fixed_line:
        return False
    if not re.fullmatch(plan.general_desc.national_number_pattern or "", number.national):
        return False
    if number.country_code == 1:
        return bool(_NORTH_AMERICAN.fullmatch(number.e164))
    longest = max(plan.fixed_line.possible_length)
    if plan.national_prefix != "0" or written.startswith("0") or len(number.national) >= longest:
        return True
    is_mobile = phonenumbers.number_type(parsed) == PhoneNumberType.MOBILE
    return is_mobile and len(number.national) > _LONGEST_LOCAL_NUMBER


def _can_be_mobile(number: Number) -> bool:
    return phonenumbers.number_type(phonenumbers.parse(number.e164)) in _MOBILE


def _is_mobile(number: Number) -> bool:
    return phonenumbers.number_type(phonenumbers.parse(number.e164)) is PhoneNumberType.MOBILE


def _decoy(kind: IdentifierType, number: Number) -> Refusal | None:
    if number.e164 in load_rules().withheld_callers:
        return refuse_withheld(kind)
    if len(set(number.national)) == 1 or number.national in load_rules().placeholder_phones:
        return refuse_placeholder(kind)
    return None


def _impossible(kind: IdentifierType, digits: str, region: str) -> Refusal:
    if digits in load_rules().withheld_callers:
        return refuse_withheld(kind)
    if digits in load_rules().placeholder_phones:
        return refuse_placeholder(kind)
    read_as = f"of {region}" if region in phonenumbers.SUPPORTED_REGIONS else "of an unknown region"
    return refuse_malformed(
        kind, f"for certain a possible telephone number {read_as}; write it with + and country code"
    )
