"""What must hold of identifiers whatever is sent: nothing raises, nobody becomes somebody else, nothing gets lost."""

import string

import phonenumbers
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from cir.genesys.identifiers import from_genesys, to_genesys
from cir.identity.identifiers import Identifier, Refusal, from_key
from cir.identity.parsing import parse, salesforce_id
from cir.identity.rules import IdentifierType

PHONE, EMAIL, WHATSAPP, EXTERNAL, TWITTER = (
    IdentifierType(name) for name in ("phone", "email", "whatsapp", "external", "twitter")
)
REGIONS = [
    *("US", "CA", "MX", "BR", "AR", "CL", "GB", "IE", "DE", "AT", "CH", "FR", "BE", "NL", "IT", "ES", "PT", "SE", "FI"),
    *("PL", "RU", "TR", "IL", "ZA", "IN", "CN", "JP", "KR", "SG", "ID", "AU", "NZ"),
]
SOURCE_IDS = {"salesforce": "7a1f", "loyalty": "91c2"}
SOURCE_NAMES = {id_: key for key, id_ in SOURCE_IDS.items()}

thorough = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.filter_too_much])
brief = settings(thorough, max_examples=100)


# ── what is sent ──

PIECES = [
    *(
        "+",
        "tel:",
        "sip:",
        "mailto:",
        "whatsapp:",
        "wa.me/",
        "@",
        "<",
        ">",
        ";",
        ":",
        ",",
        "/",
        "#",
        "%2B",
        "%00",
        "ext",
    ),
    *(
        "phone-context=+1",
        "anonymous",
        "917",
        "555-0142",
        "(0)",
        "00",
        "020 7946 0958",
        "gmail.com",
        "example.com",
        ".",
    ),
    *(
        "\u202e",
        "\u200b",
        "\u00ad",
        "\ufe0f",
        "\ud800",
        "\x00",
        "\n",
        "\u2028",
        "\u0660",
        "²",
        "İ",
        "ß",
        "ﬁ",
        "＠",
        "＃",
    ),
    *("😀", '{"a": [1]}', '"', "'", "(", ")", "xn--", "ü", "。", "．", "\u0301", "𝟗", "ſ", "K", "..", "x"),
]
any_text = st.one_of(
    st.text(st.characters()),  # surrogates included
    st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=3), max_size=12).map("".join),
    st.builds(
        lambda piece, size: piece * (size // len(piece)), st.sampled_from(PIECES), st.sampled_from([1_000, 10_000])
    ),
)


def possible_number(region: str, digits: str) -> str:
    """The E.164 number that random digits make in a region; empty if it has none of that length and first digit."""
    plan = PhoneMetadata.metadata_for_region(region)
    assert plan
    assert plan.general_desc
    lengths = plan.general_desc.possible_length
    national = digits[: lengths[int(digits) % len(lengths)]]
    if national.startswith("0") and region != "IT":
        return ""  # that would be a trunk prefix
    number = PhoneNumber(plan.country_code, int(national), italian_leading_zero=national.startswith("0"))
    return f"+{plan.country_code}{national}" if phonenumbers.is_possible_number(number) else ""


def valid_number(region: str, kind: int, tail: str) -> str:
    """A number of a range in use: the region's example with other last digits; empty if there is none."""
    number = phonenumbers.example_number_for_type(region, kind)
    e164 = e164_of(number)[: -len(tail)] + tail if number else "+0"
    return e164 if number and phonenumbers.is_valid_number(phonenumbers.parse(e164)) else ""


def e164_of(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def region_of(e164: str) -> str:
    return phonenumbers.region_code_for_country_code(phonenumbers.parse(e164).country_code or 0)


possible_numbers = st.builds(
    possible_number, st.sampled_from(REGIONS), st.text(string.digits, min_size=17, max_size=17)
).filter(bool)
valid_numbers = st.builds(
    valid_number,
    st.sampled_from(REGIONS),
    st.sampled_from([PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE]),
    st.text(string.digits, min_size=1, max_size=5),
).filter(bool)
emails = st.builds(
    "{}@{}".format,
    st.text("abAB01.+_-#ßüİ", min_size=1, max_size=12).filter(lambda local: not (f".{local}.").count("..")),
    st.sampled_from(
        ["gmail.com", "googlemail.com", "Outlook.com", "me.com", "example.com", "münchen.example", "ß.example"]
    ),
)
salesforce_ids = st.text(string.ascii_letters + string.digits, min_size=15, max_size=15)
platform_ids = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=15)
kinds = st.sampled_from(IdentifierType)
sources = st.sampled_from(sorted(SOURCE_IDS))
sent = st.one_of(
    st.tuples(kinds, any_text),
    st.tuples(st.sampled_from([PHONE, WHATSAPP]), possible_numbers),
    st.tuples(st.just(WHATSAPP), possible_numbers.map(lambda e164: e164[1:])),
    st.tuples(st.just(EMAIL), emails),
    st.tuples(st.just(EXTERNAL), salesforce_ids | st.text(min_size=1, max_size=260)),
    st.tuples(st.sampled_from(sorted(set(IdentifierType) - {PHONE, WHATSAPP, EMAIL, EXTERNAL})), platform_ids),
)


def identified(kind: IdentifierType, text: object, region: str = "US", source: str = "") -> Identifier:
    parsed = parse(kind, text, default_region=region, source=source)
    assert isinstance(parsed, Identifier), (text, region, parsed)
    return parsed


def if_identified(kind: IdentifierType, text: object, region: str = "US", source: str = "loyalty") -> Identifier:
    parsed = parse(kind, text, default_region=region, source=source)
    assume(isinstance(parsed, Identifier))
    assert isinstance(parsed, Identifier)
    return parsed


# ── all types ──


@thorough
@given(
    kinds, any_text | st.none() | st.booleans() | st.floats() | st.integers() | st.binary(), st.sampled_from(REGIONS)
)
@example(PHONE, 10**5_000, "US")
@example(PHONE, "(" * 1_000, "US")
@example(PHONE, "1 " * 500, "DE")
@example(PHONE, "<" * 1_000, "US")
@example(EMAIL, "a@" + "ü." * 400, "US")
@example(EMAIL, "ann@" + "．" * 50 + "com", "US")
@example(TWITTER, {"handle": ["annlee"]}, "US")
def test_parsing_never_raises_and_yields_what_every_store_can_hold(
    kind: IdentifierType, text: object, region: str
) -> None:
    parsed = parse(kind, text, default_region=region, source="loyalty")
    if isinstance(parsed, Refusal):
        assert parsed.detail.isprintable()
    else:
        assert 1 <= len(parsed.value) <= 255  # Genesys
        assert len(parsed.key.encode()) <= 2_048  # a DynamoDB partition key
        assert (parsed.value + parsed.match).isprintable()


@thorough
@given(sent, st.sampled_from(REGIONS), sources)
def test_what_was_parsed_parses_to_itself(message: tuple[IdentifierType, str], region: str, source: str) -> None:
    kind, text = message
    first = if_identified(kind, text, region, source)
    again = identified(kind, first.value, region, first.source)
    assert (again, again.value) == (first, first.value)


@thorough
@given(sent, sources)
def test_an_identifier_survives_genesys_and_the_table(message: tuple[IdentifierType, str], source: str) -> None:
    identifier = if_identified(*message, source=source)
    body = to_genesys(identifier, SOURCE_IDS)
    assert 1 <= len(body["value"]) <= 255
    returned = from_genesys(body, SOURCE_NAMES)
    assert isinstance(returned, Identifier)
    stored = from_key(identifier.key, identifier.value)
    for copy in (returned, stored):
        assert (copy, copy.value) == (identifier, identifier.value)
    assert from_key(identifier.key) == identifier


@brief
@given(sent, sources)
def test_genesys_gets_phones_with_the_plus_and_whatsapp_without(
    message: tuple[IdentifierType, str], source: str
) -> None:
    identifier = if_identified(*message, source=source)
    value = to_genesys(identifier, SOURCE_IDS)["value"]
    assert value == (identifier.value[1:] if identifier.type is WHATSAPP else identifier.value)
    if identifier.type in (PHONE, WHATSAPP):
        assert identifier.value[0] == "+"
        assert identifier.value[1:].isdecimal()


@brief
@given(sent, sources)
def test_masked_shows_at_most_the_last_two_characters(message: tuple[IdentifierType, str], source: str) -> None:
    identifier = if_identified(*message, source=source)
    shown = identifier.masked.removeprefix(f"{identifier.type}:").lstrip("•")
    assert len(shown) <= 2
    assert len(shown) <= len(identifier.value) / 3
    assert identifier.value.endswith(shown)


@brief
@given(sent, sources)
def test_only_some_types_are_matched_by_another_form_than_their_value(
    message: tuple[IdentifierType, str], source: str
) -> None:
    identifier = if_identified(*message, source=source)
    if identifier.type in (EXTERNAL, TWITTER):
        assert identifier.match.casefold() == identifier.value.lower().casefold()
    elif identifier.type is WHATSAPP:
        assert identifier.match == identifier.value or identifier.value.startswith(("+521", "+55"))
    elif identifier.type is not EMAIL:
        assert identifier.match == identifier.value


# ── telephone numbers ──


def international_spellings(e164: str) -> list[tuple[str, str]]:
    """A number as networks write it and as people do for abroad, each with the region in which it is read."""
    grouped = f"+{e164[1:4]} ({e164[4:6]}) {e164[6:9]}-{e164[9:]}"
    return [
        *(
            (text, "US")
            for text in (e164, grouped, f"tel:{e164}", f"sip:{e164}@203.0.113.7;user=phone", f"00{e164[1:]}")
        ),
        *((text, "DE") for text in (e164, f"{grouped} x7", f'"Lee, Ann" <sip:{e164}@203.0.113.7>;tag=1')),
    ]


def national_spellings(e164: str) -> list[str]:
    national = phonenumbers.format_number(phonenumbers.parse(e164), PhoneNumberFormat.NATIONAL)
    return [national, f"{national} (mobile)", f"Tel.: {national}", national.replace(" ", "")]


@thorough
@given(possible_numbers)
@example("+86128171269643")  # the library takes 1281 for a carrier's code and drops it
@example("+35215111285076")
@example("+5411152345678")  # and 15 for the mark of a mobile
def test_no_spelling_of_a_possible_number_is_taken_for_another_number(e164: str) -> None:
    for text, region in international_spellings(e164):
        parsed = parse(PHONE, text, default_region=region)
        assert isinstance(parsed, Refusal) or (parsed.switchboard or parsed).value == e164, (text, region, parsed)


@brief
@given(possible_numbers, possible_numbers)
def test_two_possible_numbers_are_two_identifiers(one: str, other: str) -> None:
    assert (if_identified(PHONE, one) == if_identified(PHONE, f"tel:{other}")) is (one == other)


@brief
@given(valid_numbers, valid_numbers)
def test_two_valid_numbers_are_two_whatsapp_accounts(one: str, other: str) -> None:
    assert (if_identified(WHATSAPP, one) == if_identified(WHATSAPP, other)) is (one == other)


@thorough
@given(valid_numbers)
def test_every_spelling_of_a_valid_number_is_recognised(e164: str) -> None:
    if_identified(PHONE, e164)  # unless a placeholder
    national = ((text, region_of(e164)) for text in national_spellings(e164))
    for text, region in (*international_spellings(e164), *national):
        parsed = identified(PHONE, text, region)
        assert (parsed.switchboard or parsed).value == e164, (text, region)


@thorough
@given(valid_numbers, st.sampled_from(REGIONS))
def test_digits_that_lack_their_prefix_are_recognised_at_home_or_refused(e164: str, abroad: str) -> None:
    """Without the plus or the trunk zero. Abroad they may be somebody's number there, and are never the caller's."""
    national = phonenumbers.national_significant_number(phonenumbers.parse(e164))
    for text in (national, e164[1:]):
        at_home = parse(PHONE, text, default_region=region_of(e164))
        assert isinstance(at_home, Refusal) or at_home.value == e164, (text, at_home)
        read = parse(PHONE, text, default_region=abroad)
        calling_code = phonenumbers.country_code_for_region(abroad)
        assert isinstance(read, Refusal) or read.value.startswith(f"+{calling_code}"), (text, abroad, read)


@brief
@given(valid_numbers)
def test_whatsapp_accounts_are_recognised_without_the_plus(e164: str) -> None:
    account = if_identified(WHATSAPP, e164)
    assert identified(WHATSAPP, e164[1:], region_of(e164)) == account
    assert identified(WHATSAPP, f"whatsapp:{e164}", "DE") == account


# ── e-mail addresses ──


def mailbox(address: str) -> tuple[str, str]:
    """The mailbox that an address reaches, as its provider describes it."""
    local, _, domain = address.lower().rpartition("@")
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", ""), "google"
    if domain in ("google", "outlook.com", "me.com"):
        local = local.split("+")[0] or local
    return local, domain


@thorough
@given(emails, emails)
@example("Ann.Lee+1@gmail.com", "annlee@googlemail.com")
@example("ann.lee@outlook.com", "annlee@outlook.com")
@example("ann+1@example.com", "ann@example.com")
def test_two_addresses_are_one_only_if_both_reach_one_mailbox(one: str, other: str) -> None:
    assert (identified(EMAIL, one) == identified(EMAIL, other)) is (mailbox(one) == mailbox(other))


@brief
@given(emails)
def test_what_is_written_around_an_address_does_not_matter(address: str) -> None:
    plain = if_identified(EMAIL, address)
    encoded = address.replace("#", "%23").replace("+", "%2B")
    for text in (f"Ann Lee <{address}>", f" {address}; ", f"{address} (home)", f"MAILTO:{encoded}?subject=x@y"):
        assert identified(EMAIL, text) == plain, text
    if address.isascii():
        assert identified(EMAIL, address.swapcase()) == plain


# ── Salesforce ids ──


@brief
@given(salesforce_ids, salesforce_ids)
@example("003A0000001abcd", "003a0000001abcd")
def test_salesforce_ids_are_equal_in_both_lengths_and_in_no_other_case(one: str, other: str) -> None:
    parsed = identified(EXTERNAL, one, source="salesforce")
    long = salesforce_id(one)
    assert len(long) == 18
    for spelling in (long, long.upper(), long.lower()):
        assert identified(EXTERNAL, spelling, source="salesforce") == parsed
    for different in (other, one.swapcase()):
        assert (identified(EXTERNAL, different, source="salesforce") == parsed) is (different == one)


@brief
@given(salesforce_ids, st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", min_size=3, max_size=3))
def test_a_suffix_restores_the_case_or_is_another_ids(short: str, suffix: str) -> None:
    """The three characters say which letters are capitals; a digit is none."""
    claimed = [bool("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345".index(each) >> bit & 1) for each in suffix for bit in range(5)]
    parsed = parse(EXTERNAL, short + suffix, source="salesforce")
    if any(capital and character.isdigit() for capital, character in zip(claimed, short, strict=True)):
        assert isinstance(parsed, Refusal)
        assert "checksum" in parsed.detail
    else:
        assert isinstance(parsed, Identifier)
        assert salesforce_id(parsed.value[:15]) == parsed.value
        assert parsed.value.lower() == (short + suffix).lower()


DIALLED_WITH_ZEROS = [
    "+4915123456789",
    "+447911123456",
    "+33612345678",
    "+6591234567",
    "+919812345678",
    "+8613812345678",
]


@brief
@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), st.sampled_from(DIALLED_WITH_ZEROS))
def test_two_zeros_never_lead_to_a_third_country(region: str, number: str) -> None:
    parsed = parse(PHONE, "00" + number[1:], default_region=region)
    assert isinstance(parsed, Refusal) or parsed.match == number


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_nor_do_a_regions_own_numbers_after_them(region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        parsed = parse(PHONE, "00" + number[1:], default_region=region)
        assert isinstance(parsed, Refusal) or parsed.match == number


def test_a_number_from_singapore_is_dialled_with_its_own_prefix_or_with_two_zeros() -> None:
    assert identified(PHONE, "001 44 20 7946 0018", region="SG").value == "+442079460018"
    assert identified(PHONE, "0044 20 7946 0018", region="SG").value == "+442079460018"


def test_a_guid_loses_the_braces_that_microsofts_tools_put_around_it() -> None:
    bare = "5fd0a1c2-4111-4111-8111-0000000000a1"
    assert identified(EXTERNAL, f"{{{bare.upper()}}}", source="dynamics") == identified(
        EXTERNAL, bare, source="dynamics"
    )
