"""What Genesys, SIP trunks, CRMs and people send becomes an identifier or a refusal, and never another person's."""

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from cir.identity.identifiers import Identifier, Reason, Refusal, from_key
from cir.identity.parsing import parse
from cir.identity.rules import IdentifierType, load_rules

PHONE, EMAIL, WHATSAPP, EXTERNAL, TWITTER = (
    IdentifierType(name) for name in ("phone", "email", "whatsapp", "external", "twitter")
)
"""Genesys' id of each external source and our key of it."""


def identified(kind: IdentifierType, text: object, region: str = "US", source: str = "") -> Identifier:
    parsed = parse(kind, text, default_region=region, source=source)
    assert isinstance(parsed, Identifier), (text, parsed)
    return parsed


def refused(kind: IdentifierType, text: object, region: str = "US", source: str = "") -> Reason:
    parsed = parse(kind, text, default_region=region, source=source)
    assert isinstance(parsed, Refusal), (text, parsed)
    return parsed.reason


# ── telephone numbers: a table of what really arrives ──


@pytest.mark.parametrize(
    "text",
    [
        "+19175550142",
        "tel:+19175550142",
        "TEL:+1-917-555-0142",
        "tel:917-555-0142;phone-context=+1",
        "tel:555-0142;phone-context=+1-917",
        "tel:9175550142;phone-context=ims.example.com",
        "sip:+19175550142@203.0.113.7;user=phone",
        "sips:+19175550142@trunk.example.com:5061;transport=tls",
        "sip:+1-917-555-0142;npdi;rn=+12025550100@trunk.example.com;user=phone",
        "sip:%2B19175550142@trunk.example.com",
        "sip:9175550142:secret@pbx.example.com",
        '"Ann Lee" <sip:+19175550142@trunk.example.com>;tag=1928301774',
        '"212-555-0101" <tel:+19175550142>',
        "<+19175550142>",
        "+19175550142@203.0.113.7",
        "%2B19175550142",
        "callto://+19175550142",
        "(917) 555-0142",
        "917.555.0142",
        "9175550142",
        "1-917-555-0142",
        "19175550142",
        "+1 917 555 0142",
        "0019175550142",
        "+0019175550142",
        "917-555-0142 (mobile)",
        "917-555-0142 (Ann's new one)",
        "917-555-0142 cell",
        "Mobile: 917-555-0142",
        "Tel. +1 917 555 0142.",
        "📞 917 555 0142",
        "\u202a+1\u00a0(917)\u00a0555\u20110142\u202c",
        "９１７－５５５－０１４２",
        "٩١٧٥٥٥٠١٤٢",
        "'+19175550142",
        '="9175550142"',
        "9175550142.0",
        9175550142,
        9175550142.0,
    ],
)
def test_spellings_of_one_american_number(text: object) -> None:
    assert identified(PHONE, text).value == "+19175550142"


@pytest.mark.parametrize(
    "written",
    [
        "tel:+1-212-555-0188;ext=4401", "tel:+12125550188;ext=44-01;verstat=No-TN-Validation",
        "sip:+12125550188;ext=4401@pbx.example.com;user=phone", "+12125550188;ext=4401", "+12125550188;ext=04401",
        "(212) 555-0188 x4401", "(212) 555-0188 x 4401", "(212) 555-0188X4401", "(212) 555-0188 (x4401)",
        "212-555-0188 ext. 4401", "212-555-0188, ext 4401", "212-555-0188 extension 4401", "212.555.0188 #4401",
        "212-555-0188 extn 4401", "212-555-0188 EXT:4401 (office)", "(212) 555-0188, 4401", "212-555-0188,,,4401#",
        "212 555 0188 App. 4401", "212 555 0188 Klappe 4401", "212 555 0188 ext. no. 4401", "212 555 0188 × 4401",
        "212 555 0188 alanro 4401", "212 555 0188 lokal 4401", "212 555 0188 klapka 4401", "212 555 0188 доб. № 4401",
        "+12125550188;verstat=TN-Validation-Passed-A;ext=4401", "+12125550188;ext=4401;user=phone",
        "212 555 0188 poste 4401", "212 555 0188 Durchwahl 4401", "212 555 0188 Nebenstelle 4401",
        "212 555 0188 ramal 4401",
        "212 555 0188 toestel 4401", "212 555 0188 wew. 4401", "212 555 0188 int. 4401", "212 555 0188 interno 4401",
        "212 555 0188 extensión 4401", "212 555 0188 anknytning 4401", "212 555 0188 lok. 4401",
        "212 555 0188 dahili 4401",
        "212 555 0188 доб. 4401", "212 555 0188 内線4401", "212 555 0188 转4401", "212 555 0188 내선 4401",
        "212 555 0188 εσωτ. 4401", "212 555 0188 ｘ4401",
    ],
)  # fmt: skip
def test_an_extension_is_an_identifier_of_its_own(written: str) -> None:
    parsed = identified(PHONE, written)
    assert (parsed.value, parsed.extension) == ("+12125550188;ext=4401", "4401")
    assert parsed.switchboard == identified(PHONE, "+12125550188")
    assert parsed != parsed.switchboard
    assert identified(PHONE, parsed.value) == from_key(parsed.key) == parsed


def test_an_operators_extension_says_switchboard_too() -> None:
    assert {identified(PHONE, f"(212) 555-0188 {written}").value for written in ("x0", "ext 000", ";ext=0")} == {
        "+12125550188;ext=0"
    }


def test_nothing_but_a_telephone_number_has_an_extension() -> None:
    without = (identified(PHONE, "+12125550188"), identified(WHATSAPP, "+1 917 555 0142 x7"))
    assert [(each.extension, each.switchboard) for each in without] == [("", None)] * 2
    assert identified(PHONE, "+44 7400 123456 ext 7").value == "+447400123456"  # a mobile's, which has none


@pytest.mark.parametrize(
    ("text", "region", "value"),
    [
        ("+44 (0)20 7946 0958", "US", "+442079460958"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("07700 900123", "GB", "+447700900123"),  # a range reserved for fiction: possible, not valid
        ("7700900123", "GB", "+447700900123"),  # a spreadsheet ate the zero
        ("447700900123", "GB", "+447700900123"),
        ("0044 7700 900123", "US", "+447700900123"),
        ("011 44 7700 900123", "US", "+447700900123"),
        ("030/1234567-0", "DE", "+493012345670"),
        ("+49 (0)30 / 12 34 56 78", "US", "+493012345678"),
        ("0151 23456789 (Handy)", "DE", "+4915123456789"),
        ("151 23456789", "DE", "+4915123456789"),
        ("4915123456789", "DE", "+4915123456789"),
        ("4930123456", "DE", "+4930123456"),
        ("97231234567", "IL", "+97231234567"),
        ("01 42 68 53 00", "FR", "+33142685300"),
        ("0475/12.34.56", "BE", "+32475123456"),
        ("06 12345678", "IT", "+390612345678"),
        ("+39 06 12345678", "US", "+390612345678"),
        ("tel:0612345678;phone-context=+39", "US", "+390612345678"),
        ("tel:020-7946-0958;phone-context=+44", "US", "+442079460958"),
        ("347 123 4568", "IT", "+393471234568"),
        ("(11) 91234-5679", "BR", "+5511912345679"),
        ("0 15 11 91234-5679", "BR", "+5511912345679"),  # with the carrier's selection code
        ("011 15-2345-6789", "AR", "+5491123456789"),  # mobiles are 15… at home and 9… from abroad
        ("011 2345-6789", "AR", "+541123456789"),
        ("+52 1 55 1234 5678", "US", "+525512345678"),  # mobiles had a 1 until 2019
        ("03-1234-5679", "JP", "+81312345679"),
        ("098765 43211", "IN", "+919876543211"),
        ("919876543211", "IN", "+919876543211"),
        ("8 (912) 345-67-89", "RU", "+79123456789"),
        ("010-6552-9988", "CN", "+861065529988"),
        ("+1 917 555 0142", "nowhere", "+19175550142"),
    ],
)
def test_numbers_of_other_regions(text: str, region: str, value: str) -> None:
    assert identified(PHONE, text, region).value == value


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("917-555-0142; 212-555-0101", "US"),
        ("917-555-0142 / 212-555-0101", "US"),
        ("917-555-0142 or 212-555-0101", "US"),
        ("917-555-0142, 212-555-0101", "US"),
        ("917-555-0142\n212-555-0101", "US"),
        ("tel:+19175550142;tel:+12125550101", "US"),
        ("<tel:+19175550142>, <tel:+12125550101>", "US"),
        ("089 1234567/68", "DE"),
        ("1234567/7654321", "DE"),
        ("030 123456\n030 654321", "DE"),
    ],
)
def test_several_numbers_in_one_field_are_refused_rather_than_one_guessed(text: str, region: str) -> None:
    assert refused(PHONE, text, region) is Reason.MALFORMED


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("555-0142", "US"),
        ("911", "US"),
        ("72345", "US"),
        ("+1917555014", "US"),
        ("+191755501423", "US"),
        ("+1234567890123456", "US"),
        ("+999 123 456 789", "US"),
        ("9175550142", "nowhere"),
        ("06 12345678", "US"),  # a Dutch or a French mobile
        ("4930123456", "US"),  # a number of Berlin without its plus
        ("7654321", "DE"),  # somebody else's in the next town
        ("sip:1001@pbx.example.com", "DE"),  # an extension
        ("11833", "DE"),
        ("49301234", "DE"),  # local, or +49 30 1234
        ("468123450", "SE"),  # 046-812 34 50 without its zero, or +46 8 123450 without its plus
        ("15-2345-6789", "AR"),
        ("+49 (0)0 30 1234567", "US"),
        ("*67 917 555 0142", "US"),
        ("1-800-FLOWERS", "US"),
        ("9.17555E+09", "US"),
        ("sip:216.239.32.10", "US"),
        ("9175550142@example.com", "US"),
        ("ann@example.com", "US"),
        ("call me", "US"),
        ('{"ani": "+19175550142", "x": 1}', "US"),
    ],
)
def test_what_is_nobodys_number_for_certain_is_refused(text: str, region: str) -> None:
    assert refused(PHONE, text, region) is Reason.MALFORMED


@pytest.mark.parametrize(
    "text",
    [
        "anonymous",
        "Anonymous",
        "RESTRICTED",
        "unavailable",
        "Private",
        "Unknown",
        "Blocked",
        "Withheld",
        "No Caller ID",
        "OUT-OF-AREA",
        '"Anonymous"',
        "P",
        "0",
        "tel:anonymous",
        "sip:anonymous@anonymous.invalid",
        "sip:Anonymous@203.0.113.7",
        "sip:a7c2f@anonymous.invalid:5060;user=phone",
        "<sip:unavailable@unknown.invalid>",
        '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=35dfs',
        '"Anonymous" <sip:+19175550142@trunk.example.com>',
        "unavailable@unknown",
        "restricted@trunk.example.com",
        "+266696687",
        "tel:+266696687",
        "tel:266696687",
        "+86 28 2452253",
        "+7378742833",
        "Nummer unterdrückt",
        "NUMÉRO MASQUÉ",
        "número privado",
    ],
)
def test_withheld_callers(text: str) -> None:
    assert refused(PHONE, text) is Reason.WITHHELD


@pytest.mark.parametrize("number", ["737-874-2833", "7378742833", "+17378742833"])
def test_an_austin_number_is_not_the_word_restricted(number: str) -> None:
    assert identified(PHONE, number).value == "+17378742833"


@pytest.mark.parametrize(
    "text", ["0000000000", "1111111111", "+1 999 999 9999", "(555) 123-4567", "123-456-7890", "n/a", "none", "---", "?"]
)
def test_placeholder_numbers(text: str) -> None:
    assert refused(PHONE, text) is Reason.PLACEHOLDER


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS - {"MN", "TA"}))
def test_a_mobile_of_every_region(region: str) -> None:
    """But of TA, which has none, and MN, whose eight digits without a trunk zero could be a local number elsewhere."""
    number = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    assert number
    number.national_number = (number.national_number or 0) - 1  # most examples end in 12345678, a placeholder
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    assert [identified(PHONE, text, region).value for text in (e164, national)] == [e164, e164]


# ── WhatsApp ──


@pytest.mark.parametrize(
    ("text", "region", "value"),
    [
        ("19175550142", "US", "+19175550142"),
        ("+19175550142", "US", "+19175550142"),
        ("whatsapp:+19175550142", "US", "+19175550142"),
        ("https://wa.me/19175550142?text=hello", "US", "+19175550142"),
        ("(917) 555-0142", "US", "+19175550142"),
        ("447700900123", "US", "+447700900123"),
        ("07700 900123", "GB", "+447700900123"),
        ("6598765432", "US", "+6598765432"),  # Singapore as WhatsApp writes it; also possible in Alabama
        ("659-876-5432", "US", "+16598765432"),  # Alabama as a person writes it
        ("2079460958", "US", "+12079460958"),  # +20 79460958 could be no mobile
        ("13912345678", "CN", "+8613912345678"),
    ],
)
def test_whatsapp_numbers(text: str, region: str, value: str) -> None:
    assert identified(WHATSAPP, text, region).value == value


@pytest.mark.parametrize(
    ("account", "number"), [("5215512345678", "+52 55 1234 5678"), ("551187654321", "+55 11 98765-4321")]
)
def test_a_whatsapp_account_of_before_the_renumbering_is_the_same_person(account: str, number: str) -> None:
    assert identified(WHATSAPP, account) == identified(WHATSAPP, number)
    assert identified(WHATSAPP, account).value == f"+{account}", "Genesys knows the account by WhatsApp's spelling only"


def test_a_whatsapp_account_is_no_withheld_caller() -> None:
    assert refused(WHATSAPP, "anonymous") is Reason.PLACEHOLDER


# ── e-mail ──


@pytest.mark.parametrize(
    ("text", "value", "match"),
    [
        ("ann.lee@example.com", "ann.lee@example.com", "ann.lee@example.com"),
        ("Ann.Lee@Example.COM", "Ann.Lee@example.com", "ann.lee@example.com"),
        ("Mailto:Ann@example.com?subject=Hi&cc=bob@example.com", "Ann@example.com", "ann@example.com"),
        ("mailto:ann%2Bshop@example.com", "ann+shop@example.com", "ann+shop@example.com"),
        ("Ann Lee <ann@example.com>", "ann@example.com", "ann@example.com"),
        ('"Lee, Ann" <mailto:ann@example.com>', "ann@example.com", "ann@example.com"),
        ("'ann@example.com' <Ann@example.com>", "Ann@example.com", "ann@example.com"),
        ("ann@example.com (work)", "ann@example.com", "ann@example.com"),
        ("E-mail: ann@example.com", "ann@example.com", "ann@example.com"),
        ("  ann@example.com;", "ann@example.com", "ann@example.com"),
        ("ann@example.com.", "ann@example.com", "ann@example.com"),
        ("ann\u200b@example.com\u00a0", "ann@example.com", "ann@example.com"),
        ("ann＠example。com", "ann@example.com", "ann@example.com"),
        ("ann@MÜNCHEN.example", "ann@xn--mnchen-3ya.example", "ann@xn--mnchen-3ya.example"),
        ("ann@xn--MNCHEN-3YA.example", "ann@xn--mnchen-3ya.example", "ann@xn--mnchen-3ya.example"),
        ("ﬁona@example.com", "fiona@example.com", "fiona@example.com"),
        ("o'brien#1@example.com", "o'brien#1@example.com", "o'brien#1@example.com"),
        ("9175550142@example.com", "9175550142@example.com", "9175550142@example.com"),
        ("Ann.Lee+news@GoogleMail.com", "Ann.Lee+news@googlemail.com", "annlee@gmail.com"),
        ("ann.lee+news@outlook.com", "ann.lee+news@outlook.com", "ann.lee@outlook.com"),
        ("ann+news@mac.com", "ann+news@mac.com", "ann@icloud.com"),
        ("+news@gmail.com", "+news@gmail.com", "+news@gmail.com"),  # nothing would be left of it
        ("ann+news@example.com", "ann+news@example.com", "ann+news@example.com"),
    ],
)
def test_email_addresses(text: str, value: str, match: str) -> None:
    email = identified(EMAIL, text)
    assert (email.value, email.match) == (value, match)


@pytest.mark.parametrize(
    "text",
    [
        "ann",
        "ann@",
        "@example.com",
        "ann@example",
        "ann@localhost",
        "ann@[192.0.2.1]",
        "ann@exa mple.com",
        "ann@-example.com",
        "ann@example.c",
        "a..b@example.com",
        "ann@bob@example.com",
        "ann@example.com; bob@example.com",
        "ann@example.com,bob@example.com",
        "ann@example.com\nbob@example.com",
        "Ann <ann@example.com>, Bob <bob@example.com>",
        "ann@example.com <bob@example.com>",
        "mailto:?to=ann@example.com",
        "mailto:ann%40example.com@example.com",
        "ann@example.com.invalid",  # what a CRM sandbox makes of an address
        "ann@xn--.com",
        "ann@😀.com",
        "ann\ud800@example.com",
        f"{'a' * 65}@example.com",
        f"ann@{'a' * 64}.com",
        f"ann@{'a.' * 130}com",
    ],
)
def test_what_is_no_email_address_for_certain_is_refused(text: str) -> None:
    assert refused(EMAIL, text) is Reason.MALFORMED


@pytest.mark.parametrize("text", ["test@test.com", "NoReply@shop.example", "no-email@example.com", "n/a", "None", "-"])
def test_placeholder_emails(text: str) -> None:
    assert refused(EMAIL, text) is Reason.PLACEHOLDER


def test_case_folding_does_not_make_one_mailbox_of_two() -> None:
    people = ["straße@example.com", "strasse@example.com", "ısık@example.com", "isik@example.com"]
    assert len({identified(EMAIL, address) for address in people}) == len(people)


# ── external ids, handles, opaque ids ──


def test_an_external_id_is_trimmed_case_insensitive_and_of_its_source() -> None:
    card = identified(EXTERNAL, " Gold-00A1 \u200b", source="Loyalty")
    assert (card.value, card.key) == ("Gold-00A1", "external#loyalty#gold-00a1")
    assert card == identified(EXTERNAL, "GOLD-00a1", source="loyalty")
    assert card != identified(EXTERNAL, "Gold-00A1", source="dynamics")


@pytest.mark.parametrize(
    ("text", "source", "reason"),
    [
        ("C-1", "", Reason.NO_SOURCE),
        ("C-1", "a#b", Reason.NO_SOURCE),
        ("C-1\nC-2", "loyalty", Reason.MALFORMED),
        ("C-\ud800", "loyalty", Reason.MALFORMED),
        ("N/A", "loyalty", Reason.PLACEHOLDER),
        ("x" * 256, "loyalty", Reason.TOO_LONG),
        ("003A0000001abc", "salesforce", Reason.MALFORMED),
        ("００３A0000001abcd", "salesforce", Reason.MALFORMED),
    ],
)
def test_refused_external_ids(text: str, source: str, reason: Reason) -> None:
    assert refused(EXTERNAL, text, source=source) is reason


def test_a_hash_in_an_external_id_stays_in_the_id() -> None:
    card = identified(EXTERNAL, "a#b#c", source="loyalty")
    assert from_key(card.key) == card


@pytest.mark.parametrize("text", ["AnnLee", "@annlee", "https://x.com/AnnLee?s=20", "twitter.com/@annlee/"])
def test_spellings_of_one_handle(text: str) -> None:
    assert identified(TWITTER, text) == Identifier(TWITTER, "annlee", "annlee")


@pytest.mark.parametrize(
    "text", ["@ann lee", "@ann-lee", "@a_handle_of_more", "x.com/home", "ıan", "x.com/ann/status/1"]
)
def test_what_is_no_handle_is_refused(text: str) -> None:
    assert refused(TWITTER, text) is Reason.MALFORMED


def test_a_handle_that_is_a_placeholder_is_one_with_or_without_the_at() -> None:
    assert refused(TWITTER, "@test") is refused(TWITTER, "test") is Reason.PLACEHOLDER


def test_opaque_ids_are_compared_letter_by_letter() -> None:
    assert identified(IdentifierType.APPLE, "urn:mbid:AQAAY3==") != identified(
        IdentifierType.APPLE, "urn:mbid:aqaay3=="
    )
    assert refused(IdentifierType.COOKIE, "a b") is Reason.MALFORMED


# ── the rules file: an entry that no spelling reaches would go unnoticed ──


@pytest.mark.parametrize("text", sorted(load_rules().withheld_callers))
def test_every_withheld_caller_of_the_rules_is_found(text: str) -> None:
    assert refused(PHONE, text) is Reason.WITHHELD


@pytest.mark.parametrize("text", sorted(load_rules().placeholders))
def test_every_placeholder_of_the_rules_is_found(text: str) -> None:
    for kind in IdentifierType:
        assert refused(kind, text.title(), source="loyalty") in (Reason.PLACEHOLDER, Reason.WITHHELD)


def test_every_placeholder_email_of_the_rules_is_found() -> None:
    rules = load_rules()
    locals_ = (f"{local}@shop.example" for local in rules.placeholder_email_locals)
    assert {refused(EMAIL, address.upper()) for address in (*rules.placeholder_emails, *locals_)} == {
        Reason.PLACEHOLDER
    }


@pytest.mark.parametrize("provider", sorted(load_rules().mail_providers))
def test_every_mail_provider_of_the_rules_ignores_tags(provider: str) -> None:
    assert identified(EMAIL, f"ann+shop@{provider}") == identified(EMAIL, f"Ann@{provider}")
