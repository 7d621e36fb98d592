"""Ids and addresses that are nobody's, and mailboxes that are several people's."""

import pytest

from cir.identity.identifiers import Identifier, Reason, Refusal
from cir.identity.parsing import parse
from cir.identity.parsing.emails import is_functional
from cir.identity.rules import IdentifierType

EXTERNAL, EMAIL = IdentifierType.EXTERNAL, IdentifierType.EMAIL

ERRORS = [
    "#N/A", "#REF!", "#VALUE!", "#NAME?", "(null)", "\\N", "[object Object]", "NOT_SET", "undefined", "NULL", "NaN",
    "00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}",
    "${customer.id}", "$!{loyalty}", "{{contact.loyalty}}", "{!Account.Id}", "<%= id %>", "%%Loyalty%%", "[[id]]",
    "LOY-${number}", "{{ id | default: '' }}", "NOT-SET", "(not set)", "none.", "LOY-null", "undefined-undefined",
    "DBNull",
    "ffffffff-ffff-ffff-ffff-ffffffffffff", "#{id}", "@{variables('id')}", "{{id", "{0}", "{loyalty}", "%LOYALTY%",
    "%s",
    "$loyalty", "*|LOYALTY|*", "<<Loyalty>>", "«Loyalty»", "[LOYALTY_NUMBER]", "<id>", "__LOYALTY__", "1.23E+15",
    "4,91516E+11", "1E+15",
]  # fmt: skip
TYPED = [
    "0000", "1111", "00000", "999-999", "99 99 99 99", "12345", "123456", "123456789", "1234567890", "0123456789",
    "987654321",
    "000", "0.00", "AAAA", "zzzzz", "------", "????", "#####", "٠٠٠٠٠", "Gast", "invité", "Desconocido", "ukendt",
    "未知",
    "nicht vorhanden", "n.v.t.", "guest_user", "-1",
    "54321", "guest", "Guest", "test", "TEST123", "n/a", "dummy", "walk-in", "xxx",
]  # fmt: skip
GOOD = [
    "GLD-98765",
    "1001",
    "7",
    "4100001",
    "12354",
    "112233",
    "LOY-00000",
    "R2D2",
    "nancy",
    "testarossa-9",
    "100%",
    "a{b}c",
    "$12",
    "1E5",
    "12E34",
    "NULLARBOR-1",
    "A-1",
    "{5fd0a1c2-4111-4111-8111-1111aa111111}",
    "#12",
    "100%-A",
    "AAA",
    "007",
]


@pytest.mark.parametrize("text", ERRORS)
@pytest.mark.parametrize("is_record_key", [False, True], ids=["an id", "a record's key"])
def test_what_a_program_wrote_for_want_of_an_id_is_none(text: str, is_record_key: bool) -> None:
    parsed = parse(EXTERNAL, text, source="loyalty", is_record_key=is_record_key)
    assert isinstance(parsed, Refusal)
    assert parsed.reason is Reason.PLACEHOLDER
    assert text not in parsed.detail


@pytest.mark.parametrize("text", TYPED)
def test_what_was_typed_to_fill_a_field_is_no_id_but_may_be_a_records_key(text: str) -> None:
    refused = parse(EXTERNAL, text, source="loyalty")
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.PLACEHOLDER
    assert isinstance(parse(EXTERNAL, text, source="loyalty", is_record_key=True), Identifier)
    assert isinstance(parse(EXTERNAL, text, source="dynamics"), Identifier), "a CRM's ids are keys of its records"


@pytest.mark.parametrize("text", GOOD)
def test_an_unusual_id_is_one(text: str) -> None:
    parsed = parse(EXTERNAL, text, source="loyalty")
    assert isinstance(parsed, Identifier)
    assert parsed.value == text.strip("{}") if text.startswith("{") else text


@pytest.mark.parametrize(
    "address",
    [
        "noreply1@shop.example", "shop-noreply@shop.example", "drive.no-reply@shop.example",
        "orders_noreply@shop.example",
        "list-bounces@lists.example", "ann=example.org@bounce.example", "btv1==abc==ann@example.org",
        "ann+caf_=bob=example.org@gmail.com", "reply+abc123@tickets.example", "postmaster1@example.org",
        "não-responda@loja.example", "svara-inte@butik.example", "bitte-nicht-antworten@laden.example",
        "notifications@shop.example", "devnull@example.org",
        "noreply@shop.example", "noreply+4711@shop.example", "no-reply@shop.example", "no_reply.orders@shop.example",
        "DoNotReply@shop.example", "do-not-reply-77@shop.example", "bounce@lists.example",
        "bounces+ann=example.com@lists.example",
        "bounce-4711@lists.example", "b-bounces@lists.example", "ann-list+bob=example.org@lists.example",
        "SRS0=HHH=TT=example.org=ann@forwarder.example",
        "SRS1=HHH=first.example==HHH=TT=example.org=ann@second.example",
        "prvs=0123456789=ann@example.org", "msprvs1=17abc=bounces@mail.example", "postmaster@example.org",
        "MAILER-DAEMON@example.org",
        "mailer-daemon+x@example.org", "ne-pas-repondre@boutique.example", "nichtantworten@laden.example",
        "auto-reply@example.org",
    ],
)  # fmt: skip
def test_a_machine_is_no_customer(address: str) -> None:
    parsed = parse(EMAIL, address)
    assert isinstance(parsed, Refusal)
    assert parsed.reason is Reason.PLACEHOLDER


@pytest.mark.parametrize(
    "address",
    [
        "noreen.plybon@example.org", "bouncer@club.example", "ann+shop@example.org", "ann-marie@example.org",
        "srs@example.org",
        "ann=bob@example.org",
        "trebounce@example.org", "ann.system@example.org", "noreplyann@example.org",
        "replytoann@example.org", "postmasterson@example.org", "norepinephrine@lab.example",
    ],
)  # fmt: skip
def test_a_person_with_a_name_like_that_is(address: str) -> None:
    assert isinstance(parse(EMAIL, address), Identifier)


@pytest.mark.parametrize(
    ("address", "functional"),
    [
        ("info@acme.example", True), ("INFO+de@acme.example", True), ("team@acme.example", True),
        ("reception@acme.example", True),
        ("customer.service@acme.example", True), ("vertrieb@acme.example", True), ("contabilidad@acme.example", True),
        ("secretariat@acme.example", True), ("recepcja@acme.example", True), ("kundservice@acme.example", True),
        ("klantenservice@acme.example", True), ("atendimento@acme.example", True), ("segreteria@acme.example", True),
        ("accueil@acme.example", True), ("balie@acme.example", True), ("vastaanotto@acme.example", True),
        ("resepsjon@acme.example", True), ("podatelna@acme.example", True), ("satis@acme.example", True),
        ("info2@acme.example", True),
        ("kundtjänst@acme.example", True), ("försäljning@acme.example", True),
        ("sprzedaż@acme.example", True), ("información@acme.example", True), ("kundendienst@acme.example", True),

        ("die-müllers@acme.example", False), ("müller@acme.example", False),
        ("sales.team2@acme.example", True), ("support-de@acme.example", True),
        ("front_office@acme.example", True), ("office.uk.3@acme.example", True),
        ("ola@acme.example", False), ("de.witt@acme.example", False), ("a.b2@acme.example", False),
        ("hope.office@acme.example", False), ("2024@acme.example", False),
        ("ann@acme.example", False), ("ann.info@acme.example", False), ("office.ann@acme.example", False),
        ("sales1n@acme.example", False),
    ],
)  # fmt: skip
def test_a_functions_mailbox_is_known_in_many_languages(address: str, functional: bool) -> None:
    parsed = parse(EMAIL, address)
    assert isinstance(parsed, Identifier)
    assert is_functional(parsed.match) is functional
