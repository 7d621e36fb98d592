"""A small export is imported, and callers, some of them lying, ask the functions: whom are they taken for?"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cir.aws.files import Directory
from cir.contacts.organization import ExternalSources
from cir.conversation.creating import Creating
from cir.conversation.linking import Linking
from cir.crm.export_file import read_file
from cir.identity.attestation import NO_TRUST, CarrierTrust
from cir.identity.records import Profile
from cir.imports.loading import Report
from cir.imports.run import Run, load_all, report, split
from cir.resolve.resolver import Resolver
from functions import create, link
from functions.resolver.handler import make_handler
from sandbox.customers.salesforce import contact_id as salesforce_id
from sandbox.machine.cache_server import Cache as CacheServer
from tests.conftest import new_cache
from tests.support.sync_plane import MAPPING, SyncPlane

pytestmark = pytest.mark.slow

type Event = Mapping[str, str]

NOBODY = "Valued Customer"
ATTESTED = {"attestation": "A"}
FORGED = {"attestation": "TN-Validation-Failed"}
PLACED = ("resolutionId", "latencyMs", "cacheStatus")
"""What two answers to one question may differ in."""


@dataclass
class Centre:
    """A contact centre with an empty organization and index."""

    plane: SyncPlane
    cache_server: CacheServer
    directory: Path
    trust: CarrierTrust = NO_TRUST
    imports: int = 0

    def imported(self, *rows: Mapping[str, str]) -> Report:
        """Rows of an export of Salesforce, by `cir import`'s own steps. `Id` is the row's number unless it is said."""
        self.imports += 1
        columns = [*MAPPING.fields, "MailingCountry"]
        path = self.directory / f"{self.imports}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, dict.fromkeys(columns))
            writer.writeheader()
            for number, row in enumerate(rows, start=1):
                writer.writerow({"Id": salesforce_id(number), "LastName": f"Customer{number}", **row})
        run = Run(Directory(self.directory / f"run{self.imports}"), "run/")
        split(run, read_file(path, MAPPING, default_region="US"), self.plane.organization, origin=str(self.imports))
        load_all(run, self.plane.new_sync(), workers=1)
        return report(run)

    def asks(self, **event: str) -> dict[str, Any]:
        """What one who asks is answered."""
        return self.asking()(**event)

    def asking(self) -> Callable[..., dict[str, Any]]:
        """A resolver that is asked everything twice, first of the tables and then of the cache: both say the same."""
        resolver = Resolver(
            store=self.plane.store,
            cache=new_cache(self.cache_server),
            defaults=Profile(NOBODY),
            budget_seconds=5,
            default_region="US",
            trust=self.trust,
        )
        handler = make_handler(resolver, environment="test")

        def ask(**event: str) -> dict[str, Any]:
            first, second = handler(event, None), handler(event, None)
            assert {**first, **dict.fromkeys(PLACED)} == {**second, **dict.fromkeys(PLACED)}
            return second

        return ask

    def links(self, contact_id: str, **event: str) -> dict[str, Any]:
        client = self.plane.genesys.client()
        linking = Linking(client, self.plane.store, ExternalSources(client))
        return link.make_handler(linking, default_region="US", trust=self.trust)(
            {"contactId": contact_id, **event}, None
        )

    def creates(self, **event: str) -> dict[str, Any]:
        client = self.plane.genesys.client()
        creating = Creating(client, self.plane.store, ExternalSources(client))
        return create.make_handler(creating, default_region="US", trust=self.trust)(event, None)


@pytest.fixture
def centre(plane: SyncPlane, cache_server: CacheServer, tmp_path: Path) -> Centre:
    return Centre(plane, cache_server, tmp_path)


ANN = {"FirstName": "Ann", "LastName": "Abel", "MobilePhone": "+19175550101", "Email": "ann.abel@example.com"}
BOB = {"FirstName": "Bob", "LastName": "Baker", "MobilePhone": "+19175550102", "Email": "bob.baker@example.com"}
HOUSE = "+12125550188"
OFFICE = {"Phone": HOUSE}
NUMBERED = {"Loyalty_Number__c": "GLD-98765"}
STATUS = {"Status__c": "In dunning"}


def known(name: str, outcome: str = "RESOLVED", **rest: Any) -> dict[str, Any]:
    return {"displayName": name, "outcome": outcome, **rest}


def unknown(outcome: str = "NOT_FOUND", **rest: Any) -> dict[str, Any]:
    return {"displayName": NOBODY, "contactId": "NOT_FOUND", "outcome": outcome, **rest}


CASES: dict[str, tuple[Sequence[Mapping[str, str]], Event, Mapping[str, Any]]] = {
    # how far an answer may be believed
    "an attested office line and a colleague's typed address prove nobody": (
        [ANN | OFFICE | STATUS, BOB | OFFICE],
        {"ani": HOUSE, "email": ANN["Email"], **ATTESTED},
        known("Ann Abel", assurance="claimed", accountStatus="WITHHELD", verificationRequired=True),
    ),
    "an attested mobile proves, and an address beside it takes nothing away": (
        [ANN | STATUS],
        {"ani": ANN["MobilePhone"], "email": ANN["Email"], **ATTESTED},
        known("Ann Abel", assurance="attested", accountStatus="In dunning", verificationRequired=False),
    ),
    "a bare pass names no level": (
        [ANN | STATUS],
        {"ani": f"tel:{ANN['MobilePhone']};verstat=TN-Validation-Passed"},
        known("Ann Abel", assurance="claimed", accountStatus="WITHHELD"),
    ),
    "a level that is written behind the number": (
        [ANN],
        {"ani": f"sip:{ANN['MobilePhone']}@carrier.example;verstat=tn-validation-passed-a;user=phone"},
        known("Ann Abel", assurance="attested"),
    ),
    "a number without a scheme has it too": (
        [ANN],
        {"ani": f"{ANN['MobilePhone']};verstat=TN-Validation-Passed-A"},
        known("Ann Abel", assurance="attested"),
    ),
    "level B is a claim": (
        [ANN],
        {"ani": ANN["MobilePhone"], "attestation": "TN-Validation-Passed-B"},
        known("Ann Abel", assurance="claimed"),
    ),
    "no validation is a claim": (
        [ANN],
        {"ani": ANN["MobilePhone"], "attestation": "No-TN-Validation"},
        known("Ann Abel", assurance="claimed", spoofSuspected=False),
    ),
    "an Identity header that nobody has checked is a claim": (
        [ANN],
        {"ani": ANN["MobilePhone"], "attestation": "attest=A"},
        known("Ann Abel", assurance="claimed"),
    ),
    "a failed signature is worse than none": (
        [ANN | STATUS],
        {"ani": ANN["MobilePhone"], **FORGED},
        known(
            NOBODY, firstName="", assurance="none", accountStatus="WITHHELD", spoofSuspected=True,
            verificationRequired=True,
        ),
    ),
    "also beside a full pass that somebody has added": (
        [ANN],
        {"ani": f"tel:{ANN['MobilePhone']};verstat=TN-Validation-Failed-C", "attestation": "A"},
        known(NOBODY, spoofSuspected=True),
    ),
    "a forged number beside a right address is the address": (
        [ANN | STATUS, BOB],
        {"ani": ANN["MobilePhone"], "email": BOB["Email"], **FORGED},
        known(NOBODY, matchedBy="email", spoofSuspected=True, verificationRequired=True),
    ),
    "an attested number outweighs what is typed": (
        [ANN, BOB | NUMBERED],
        {"ani": ANN["MobilePhone"], "email": BOB["Email"], **ATTESTED},
        known("Ann Abel", "CONFLICT", candidateCount=2, verificationRequired=True),
    ),
    "two typed values take nobody's session over": (
        [ANN, BOB | NUMBERED],
        {"ani": ANN["MobilePhone"], "email": BOB["Email"], "externalId": "GLD-98765", "externalSource": "loyalty"}
        | ATTESTED,
        {"outcome": "CONFLICT", "candidateCount": 2, "verificationRequired": True, "assurance": "claimed"},
    ),
    # values that are not one person's
    "a switchboard with one known extension": (
        [ANN | {"Phone": "(212) 555-0188 x4401"}],
        {"ani": HOUSE, **ATTESTED},
        unknown("AMBIGUOUS", candidateCount=1, askFor="email"),
    ),
    "the extension in German": (
        [ANN | {"Phone": "(212) 555-0188 Durchwahl 4401"}],
        {"ani": f"{HOUSE};ext=4401"},
        known("Ann Abel", assurance="claimed"),
    ),
    "the extension in French": (
        [ANN | {"Phone": "(212) 555-0188 poste 4401"}],
        {"ani": HOUSE},
        unknown("AMBIGUOUS", candidateCount=1),
    ),
    "another extension of that house": (
        [ANN | {"Phone": "212-555-0188 #4401"}],
        {"ani": f"tel:{HOUSE};ext=4402"},
        unknown("AMBIGUOUS", candidateCount=1),
    ),
    "a caller's own extension switches nobody's number off": (
        [ANN],
        {"ani": f"{ANN['MobilePhone']};ext=1", **ATTESTED},
        known("Ann Abel", assurance="attested"),
    ),
    **{
        f"a loyalty number {junk!r} is nobody's": (
            [ANN | {"Loyalty_Number__c": junk}, BOB | {"Loyalty_Number__c": junk}],
            {"externalId": junk, "externalSource": "loyalty"},
            unknown("BLOCKED"),
        )
        for junk in ("#N/A", "[object Object]", "{{ id }}", "{00000000-0000-0000-0000-000000000000}")
    },
    "repeated digits are a value of anybody, and their row is kept": (
        [ANN | {"Loyalty_Number__c": "99999999"}],
        {"ani": ANN["MobilePhone"], "externalId": "99999999", "externalSource": "loyalty"},
        known("Ann Abel", matchedBy="phone"),
    ),
    "nor does a sequence decide": (
        [ANN | {"Loyalty_Number__c": "12345678"}],
        {"externalId": "12345678", "externalSource": "loyalty"},
        {"contactId": "NOT_FOUND"},
    ),
    "an id on two records is nobody's by itself": (
        [ANN | NUMBERED, BOB | NUMBERED],
        {"externalId": "gld-98765", "externalSource": "loyalty"},
        unknown("AMBIGUOUS", candidateCount=2),
    ),
    "and tells apart whom a house leads to": (
        [ANN | NUMBERED | OFFICE, BOB | OFFICE, {"MobilePhone": "+19175550103", **NUMBERED}],
        {"ani": HOUSE, "externalId": "GLD-98765", "externalSource": "loyalty"},
        known("Ann Abel"),
    ),
    **{
        f"{address} is a machine": (
            [ANN | {"Email": address}],
            {"email": address},
            unknown("BLOCKED"),
        )
        for address in ("noreply+4711@shop.example", "bounces+ann=example.com@lists.example", "postmaster@example.com")
    },
    **{
        f"{mailbox}@ is a function's": (
            [ANN | {"Email": f"{mailbox}@abel-works.example"}],
            {"email": f"{mailbox}@abel-works.example"},
            unknown("AMBIGUOUS", candidateCount=1),
        )
        for mailbox in ("info", "accueil", "support-de", "vastaanotto")
    },
    "a German number that is dialled from Singapore is nobody's in India": (
        [ANN | {"MobilePhone": "0049 151 23456789", "MailingCountry": "Singapore"}],
        {"ani": "+9115123456789"},
        unknown(),
    ),
    # ids
    "an id in capitals": (
        [ANN | {"Id": salesforce_id(7)}],
        {"externalId": salesforce_id(7).upper(), "externalSource": "salesforce"},
        known("Ann Abel"),
    ),
    "an id of fifteen characters": (
        [ANN | {"Id": salesforce_id(7)}],
        {"externalId": salesforce_id(7)[:15], "externalSource": "salesforce"},
        known("Ann Abel"),
    ),
    # what is logged
    "a telephone number where an id belongs": (
        [ANN],
        {"contactId": "+19175550101", "conversationId": "ann.abel@example.com", "channel": "+1 917 555 0101"},
        unknown(),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "event", "told"), CASES.values(), ids=CASES)
def test_whom_a_caller_is_taken_for(
    centre: Centre, rows: Sequence[Mapping[str, str]], event: Event, told: Mapping[str, Any]
) -> None:
    centre.imported(*rows)
    answer = centre.asks(**event)
    assert {name: answer[name] for name in told} == told


# One import for the following: each customer has what no other has, unless two are to have it.
BASE: dict[str, Mapping[str, str]] = {
    "Ann": {"MobilePhone": "+19175550101", "Email": "ann@abel.example", "Loyalty_Number__c": "GLD-98765", **STATUS},
    "Bob": {"MobilePhone": "+19175550102", "Email": "bob@baker.example", "Phone": "+1 212 555 0199"},
    "Cid": {"MobilePhone": "+19175550103", "Phone": "+1 212 555 0199", "Loyalty_Number__c": "GLD-50001", **STATUS},
    "Dot": {"Phone": "(646) 555-0190 x4401", "Email": "dot@doe.example"},
    "Eva": {"Phone": "+43 1 5123456 Klappe 12", "MailingCountry": "Austria"},
    "Fay": {"Phone": "+49 30 5550123 App. 7", "Email": "info@fay.example"},
    "Gus": {"MobilePhone": "+44 7400 123456 x12", "WhatsApp__c": "+44 7400 123456"},
    "Hal": {"MobilePhone": "+19175550108", "Loyalty_Number__c": "SLV-1"},
    "Ida": {"MobilePhone": "+19175550109", "Loyalty_Number__c": "slv-1 "},
    "Jim": {"MobilePhone": "+19175550110", "Loyalty_Number__c": "LOY-null", "Email": "shop-noreply@store.example"},
    "Kim": {"MobilePhone": "+19175550111", "Loyalty_Number__c": "LOY-null", "Email": "ventas@kim.example"},
    "Lee": {"MobilePhone": "+19175550112", "Loyalty_Number__c": "Desconocido", "Email": "list-bounces@lee.example"},
    "Mia": {"MobilePhone": "0049 1512 3456789", "MailingCountry": "Japan", "Email": "försäljning@m.example"},
    "Ned": {"MobilePhone": "005511 961234567", "MailingCountry": "Brazil", "Loyalty_Number__c": "4111.1111.1111.1111"},
    "Oda": {"MobilePhone": "+19175550115", "Loyalty_Number__c": "4,91516E+11", "Status__c": "536-90-4399"},
    "Pia": {"MobilePhone": "+19175550116", "Loyalty_Number__c": "9434765919", "MailingCountry": "United Kingdom"},
    "Qi": {"MobilePhone": "+19175550117", "Loyalty_Number__c": "{5FD0A1C2-4111-4111-8111-1111AA111111}"},
}  # fmt: skip
IDS = {name: salesforce_id(number) for number, name in enumerate(BASE, start=1)}
SWITCHBOARD = unknown("AMBIGUOUS", candidateCount=1)
BLOCKED = unknown("BLOCKED")
PROVEN: Mapping[str, Any] = {"assurance": "attested", "verificationRequired": False, "spoofSuspected": False}
SAID: Mapping[str, Any] = {"assurance": "claimed", "verificationRequired": True, "spoofSuspected": False}
SUSPECT: dict[str, Any] = {"displayName": NOBODY, "firstName": "", "spoofSuspected": True, "verificationRequired": True}


def number(name: str) -> str:
    return BASE[name]["MobilePhone"]


def loyal(text: str) -> Event:
    return {"externalId": text, "externalSource": "loyalty"}


def is_crm_id(text: str) -> Event:
    return {"externalId": text, "externalSource": "salesforce"}


def verstat(said: str) -> list[Event]:
    """One and the same word in every place in which networks and flows put it."""
    ann = number("Ann")
    return [
        {"ani": ann, "attestation": said},
        {"ani": ann, "attestation": f"verstat={said}"},
        {"ani": ann, "attestation": f"<sip:{ann};verstat={said}@sbc.example.com;user=phone>"},
        {"ani": f"{ann};verstat={said}"},
        {"ani": f"{ann};cpc=ordinary;verstat={said.lower()};user=phone"},
        {"ani": f"tel:{ann};verstat={said.upper()}"},
        {"ani": f"sip:{ann};verstat={said}@sbc.example.com:5060;transport=udp"},
        {"ani": f"sips:{ann}@sbc.example.com;verstat={said}"},
        {"ani": f'"Ann" <sip:{ann}@sbc.example.com>;verstat={said}'},
        {"ani": f"tel:{ann};verstat%3D{said}"},
    ]


QUESTIONS: list[tuple[Event, Mapping[str, Any]]] = [
    # attestation, in every place
    *((event, known("Ann", **PROVEN, accountStatus="In dunning")) for event in verstat("TN-Validation-Passed-A")),
    *((event, known("Ann", **SAID)) for event in verstat("TN-Validation-Passed")),
    *((event, known("Ann", **SAID)) for event in verstat("TN-Validation-Passed-C")),
    *((event, known("Ann", **SAID)) for event in verstat("No-TN-Validation")),
    *((event, SUSPECT) for event in verstat("TN-Validation-Failed")),
    *((event, SUSPECT) for event in verstat("TN-Validation-Failed-A")),
    ({"ani": number("Ann"), "attestation": "Failed"}, SUSPECT),
    ({"ani": number("Ann"), "email": BASE["Ann"]["Email"], **FORGED}, SUSPECT | {"accountStatus": "WITHHELD"}),
    ({"ani": "+16465550999", **FORGED}, unknown(spoofSuspected=True)),
    ({"ani": "anonymous", **FORGED}, unknown("BLOCKED", spoofSuspected=True)),
    # what evidence proves together
    ({"ani": number("Cid"), **loyal("GLD-50001"), **ATTESTED}, known("Cid", **PROVEN, matchedBy="external,phone")),
    ({"ani": "+12125550199", **loyal("GLD-50001"), **ATTESTED}, known("Cid", **SAID, accountStatus="WITHHELD")),
    ({"ani": "+12125550199", **ATTESTED}, unknown("AMBIGUOUS", candidateCount=2, assurance="none")),
    ({"ani": number("Bob"), **loyal("GLD-98765"), **ATTESTED}, {"outcome": "CONFLICT", "assurance": "claimed"}),
    ({"ani": "+16465550999", **loyal("GLD-98765"), **ATTESTED}, known("Ann", **SAID)),
    ({"whatsapp": "447400123456", "channel": "whatsapp"}, known("Gus", assurance="attested")),
    ({"whatsapp": "447400123456"}, known("Gus", **SAID)),
    # extensions
    ({"ani": "+16465550190", **ATTESTED}, SWITCHBOARD),
    ({"ani": "+16465550190;ext=4402", **ATTESTED}, SWITCHBOARD),
    ({"ani": "+16465550190", "email": "dot@doe.example", **ATTESTED}, known("Dot", **SAID)),
    *(
        ({"ani": spelling, **ATTESTED}, known("Dot", **SAID))
        for spelling in (
            "tel:+1-646-555-0190;ext=4401", "+16465550190;verstat=TN-Validation-Passed-A;ext=4401",
            "646 555 0190 # 4401",
            "(646) 555-0190 ext. no. 4401", "sip:+16465550190;ext=4401@pbx.example.com", "646-555-0190 доб. № 4401",
            "646 555 0190 × 4401", "646.555.0190 interno 4401", "+1 646 555 0190 内線04401", "646 555 0190,,4401#",
        )
    ),
    ({"ani": "+4315123456"}, SWITCHBOARD),
    ({"ani": "+4315123456;ext=12"}, known("Eva")),
    ({"ani": "+49305550123"}, SWITCHBOARD),
    ({"ani": "+49305550123;ext=7"}, known("Fay")),
    ({"ani": "+447400123456;ext=99", **ATTESTED}, known("Gus", **PROVEN)),
    ({"ani": f"{number('Ann')};ext=1", **ATTESTED}, known("Ann", **PROVEN)),
    # placeholders, ids on two records, machines, functions
    *(
        (loyal(junk), BLOCKED)
        for junk in (
            "LOY-null", "desconocido", "#N/A", "#REF!", "(null)", "\\N", "[object Object]", "NOT_SET", "not-set",
            "Guest",
            "00000000-0000-0000-0000-000000000000", "${loyalty}", "$!{loyalty}", "{{loyalty}}", "*|LOYALTY|*", "000000",
            "7777777", "123456789", "AAAA", "????", "4,91516E+11",
        )
    ),
    ({"ani": number("Jim"), **loyal("LOY-null")}, known("Jim", matchedBy="phone")),
    ({"ani": number("Lee"), **loyal("Desconocido")}, known("Lee", matchedBy="phone")),
    (loyal("SLV-1"), unknown("AMBIGUOUS", candidateCount=2)),
    ({"ani": number("Ida"), **loyal("SLV-1"), **ATTESTED}, known("Ida", **PROVEN)),
    *(
        ({"email": f"{machine}@store.example"}, BLOCKED)
        for machine in (
            "shop-noreply", "noreply+x", "noreply17", "do_not_reply", "list-bounces", "bounces-ann=abel.example",
            "postmaster",
            "MAILER-DAEMON", "SRS0=HHH=TT=abel.example=ann", "prvs=0123456789=ann", "ann=abel.example", "não-responda",
        )
    ),
    ({"email": "ann+caf_=bob=baker.example@gmail.com"}, BLOCKED),
    *(
        ({"email": mailbox}, SWITCHBOARD)
        for mailbox in ("info@fay.example", "ventas@kim.example", "försäljning@m.example")
    ),
    ({"ani": number("Kim"), "email": "ventas@kim.example", **ATTESTED}, known("Kim", **PROVEN)),
    ({"ani": number("Bob"), "email": "info@fay.example", **ATTESTED}, known("Bob", **PROVEN)),
    # numbers behind 00, and what must not leave the CRM
    ({"ani": "+4915123456789"}, known("Mia")),
    ({"ani": "+9115123456789"}, unknown()),
    ({"ani": "+5511961234567"}, known("Ned")),
    ({"ani": "0049 1512 3456789", "defaultRegion": "KR"}, known("Mia")),
    *((loyal(text), unknown()) for text in ("4111.1111.1111.1111", "4111111111111111", "9434765919")),
    *(({"ani": number(name), **ATTESTED}, known(name, accountStatus="")) for name in ("Oda", "Pia")),
    # ids of records
    *(
        (is_crm_id(written), known("Hal"))
        for written in (IDS["Hal"], IDS["Hal"].upper(), IDS["Hal"].lower(), IDS["Hal"][:15], f" {IDS['Hal']}\u200b")
    ),
    (is_crm_id(IDS["Hal"][:15] + "AAB"), unknown()),
    (loyal("5fd0a1c2-4111-4111-8111-1111aa111111"), known("Qi")),
    (loyal("{5FD0A1C2-4111-4111-8111-1111AA111111}"), known("Qi")),
    # what is no id
    *(
        ({"contactId": text}, unknown())
        for text in ("+19175550101", "ann@abel.example", "9175550101", "Ann Abel", "{{id}}")
    ),
]  # fmt: skip


def test_each_caller_of_one_base(centre: Centre) -> None:
    centre.imported(*({"LastName": name, **row} for name, row in BASE.items()))
    asks = centre.asking()
    wrong = []
    for event, told in QUESTIONS:
        answer = asks(**event)
        wrong += [
            f"{event}: {name} is {answer[name]!r}, not {told[name]!r}" for name in told if answer[name] != told[name]
        ]
    assert not wrong, "\n".join(wrong)


def test_two_independent_pieces_outweigh_one_that_ranks_higher(centre: Centre) -> None:
    centre.imported(ANN | {"WhatsApp__c": "+44 7700 900123"}, BOB | NUMBERED)
    ann = centre.asks(email=ANN["Email"])["contactId"]
    number = {"ani": BOB["MobilePhone"], **ATTESTED}
    for weaker in ({"whatsapp": "+447700900123"}, {"contactId": ann}):
        for stronger in ({"email": BOB["Email"]}, {"externalId": "GLD-98765", "externalSource": "loyalty"}):
            answer = centre.asks(**weaker, **stronger, **number)
            assert (answer["outcome"], answer["displayName"]) == ("CONFLICT", "Bob Baker")
    assert centre.asks(contactId=ann, **number)["outcome"] == "CONFLICT"


def test_a_number_that_was_linked_on_a_typed_word_is_claimed_however_it_calls(centre: Centre) -> None:
    centre.imported(ANN | NUMBERED | STATUS)
    ann = centre.asks(externalId="GLD-98765", externalSource="loyalty")["contactId"]
    stranger = {"ani": "+16465550177", **ATTESTED}
    assert centre.links(ann, **stranger)["outcome"] == "LINKED"
    for _ in range(2):  # also beside something else of hers, which notes that the number was seen
        answer = centre.asks(**stranger, externalId="GLD-98765", externalSource="loyalty")
        assert (answer["displayName"], answer["assurance"]) == ("Ann Abel", "claimed")
    answer = centre.asks(**stranger)
    assert (answer["assurance"], answer["accountStatus"], answer["verificationRequired"]) == (
        "claimed",
        "WITHHELD",
        True,
    )


@pytest.mark.parametrize(
    "nobodys",
    [
        {"email": "noreply+4711@shop.example"},
        {"email": "SRS0=HHH=TT=example.com=ann@relay.example"},
        {"ani": "anonymous"},
        {"ani": "+10000000000"},
        {"externalId": "#REF!", "externalSource": "loyalty"},
        {"externalId": "${loyalty}", "externalSource": "loyalty"},
        {"externalId": "4111 1111 1111 1111", "externalSource": "loyalty"},
        {"externalId": "123-45-6789", "externalSource": "loyalty"},
    ],
    ids=str,
)
def test_what_is_nobodys_is_neither_linked_nor_made_a_customer_of(centre: Centre, nobodys: Event) -> None:
    centre.imported(ANN)
    ann = centre.asks(email=ANN["Email"])["contactId"]
    assert centre.links(ann, **nobodys)["outcome"] == "REFUSED"
    assert centre.creates(**nobodys, firstName="Eve")["outcome"] == "REFUSED"
    assert [each["id"] for each in centre.plane.genesys.contacts()] == [ann]


HEADER = {"ani": ANN["MobilePhone"], "attestation": "attest=A"}
BARE = {"ani": f"tel:{ANN['MobilePhone']};verstat=TN-Validation-Passed"}


@pytest.mark.parametrize(
    ("trust", "event", "assurance"),
    [
        (CarrierTrust(verifies_identity_header=True), HEADER, "attested"),
        (CarrierTrust(bare_pass_is_full=True), HEADER, "claimed"),
        (CarrierTrust(bare_pass_is_full=True), BARE, "attested"),
        (CarrierTrust(verifies_identity_header=True), BARE, "claimed"),
        (CarrierTrust(bare_pass_is_full=True), HEADER | {"attestation": "TN-Validation-Passed-C"}, "claimed"),
    ],
)
def test_what_an_environment_states_of_its_carrier_is_believed(
    centre: Centre, trust: CarrierTrust, event: Event, assurance: str
) -> None:
    centre.trust = trust
    centre.imported(ANN)
    assert centre.asks(**event)["assurance"] == assurance


def test_no_value_of_a_caller_is_logged(centre: Centre, capsys: pytest.CaptureFixture[str]) -> None:
    centre.imported(ANN | NUMBERED)
    capsys.readouterr()
    said = {
        "ani": ANN["MobilePhone"], "email": ANN["Email"], "contactId": "+1 (917) 555-0101", "externalId": "GLD-98765",
        "externalSource": "loyalty", "conversationId": "ann.abel@example.com", "channel": "9175550101",
    }  # fmt: skip
    centre.asks(**said)
    centre.links("ann.abel@example.com", **{**said, "contactId": "9175550101"})
    logged = capsys.readouterr().out.casefold()
    assert logged
    assert [value for value in ("5550101", "555-0101", "ann.abel", "gld-98765") if value in logged] == []
