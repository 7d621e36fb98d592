"""The resolver on real parts: every outcome, from the cache and from the tables, and with either of them gone."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cir.aws.dynamodb import DynamoDBError, LeanDynamoDB
from cir.identity.identifiers import Identifier
from cir.identity.parsing import parse
from cir.identity.records import CONVERSATION, Contact, Profile
from cir.identity.rules import Assurance, IdentifierType
from cir.index.cache import Cache, CacheLimits
from cir.index.store import IdentityStore, TableNames
from cir.resolve.answer import OUTPUT_FIELDS
from cir.resolve.request import INPUT_FIELDS
from cir.resolve.resolver import Fallback, Resolver
from functions import Handler
from functions.resolver.handler import make_handler
from sandbox.machine.cache_server import Cache as CacheServer
from tests.conftest import new_cache

DEFAULTS = Profile("Valued Customer", "", "Standard", "Unknown", "en-US", "q-default")
JOHN = Profile("John Smith", "John", "Enterprise", "Active", "en-GB", "q-enterprise")


def identifier(kind: IdentifierType, text: str, source: str = "") -> Identifier:
    parsed = parse(kind, text, source=source)
    assert isinstance(parsed, Identifier)
    return parsed


MOBILE = identifier(IdentifierType.PHONE, "+1 917 555 0142")
OFFICE = identifier(IdentifierType.PHONE, "+1 212 555 0188")
EMAIL = identifier(IdentifierType.EMAIL, "john.smith@gmail.com")
WHATSAPP = identifier(IdentifierType.WHATSAPP, "+44 7700 900123")
LOYALTY = identifier(IdentifierType.EXTERNAL, "GLD-98765", "loyalty")


class FaultyDynamoDB:
    """A DynamoDB that fails when told to."""

    def __init__(self, url: str) -> None:
        self._real = LeanDynamoDB(region="eu-west-1", endpoint_url=url)
        self.fails_with: str | None = None
        self.calls: list[str] = []

    def __call__(self, operation: str, request: Mapping[str, Any], *, timeout: float | None = None) -> dict[str, Any]:
        self.calls.append(operation)
        if self.fails_with:
            raise DynamoDBError(self.fails_with, "as told")
        return self._real(operation, request, timeout=timeout)


class System:
    """The resolver with its parts at hand."""

    def __init__(self, url: str, tables: TableNames, cache: Cache, fallback: Fallback | None = None) -> None:
        self.dynamodb = FaultyDynamoDB(url)
        self.tables = tables
        self.store = IdentityStore(self.dynamodb, tables)
        self.cache = cache
        self.resolver = Resolver(
            store=self.store,
            cache=cache,
            defaults=DEFAULTS,
            budget_seconds=2.0,
            default_region="US",
            fallback=fallback,
        )

    def knows(
        self,
        contact_id: str,
        *identifiers: Identifier,
        profile: Profile = JOHN,
        source: str = "salesforce",
        assurance: Assurance = Assurance.CLAIMED,
    ) -> None:
        before = self.store.contacts([contact_id], consistent=True).get(contact_id)
        decision = self.store.decision(contact_id, "sync", "imported")
        contact = before or Contact(contact_id, profile)
        self.store.put_contact(
            contact.changed(identifiers=tuple(dict.fromkeys((*contact.identifiers, *identifiers)))),
            previous=before,
            decision=decision,
            source=source,
            assurance=assurance,
        )

    def resolve(self, **event: object) -> dict[str, Any]:
        return self.resolver.resolve(event).answer


@pytest.fixture
def system(aws_url: str, tables: TableNames, cache: Cache) -> System:
    return System(aws_url, tables, cache)


def test_a_known_mobile_is_welcomed_back_and_the_second_call_needs_no_table(system: System) -> None:
    system.knows("c-john", MOBILE, EMAIL)
    first = system.resolve(ani="tel:+19175550142")
    assert first | {"resolutionId": "", "latencyMs": 0} == {
        "contactId": "c-john",
        "outcome": "RESOLVED",
        "displayName": "John Smith",
        "firstName": "John",
        "customerTier": "Enterprise",
        "accountStatus": "WITHHELD",
        "preferredLanguage": "en-GB",
        "assignedQueueId": "q-enterprise",
        "assurance": "claimed",
        "verificationRequired": True,
        "spoofSuspected": False,
        "matchedBy": "phone",
        "candidateCount": 1,
        "askFor": "",
        "resolutionId": "",
        "explanation": "The phone number leads to this customer only; that alone does not prove who is calling.",
        "cacheStatus": "miss",
        "latencyMs": 0,
    }
    system.dynamodb.calls.clear()
    second = system.resolve(ani="+1 (917) 555-0142")
    assert (second["contactId"], second["cacheStatus"], system.dynamodb.calls) == ("c-john", "hit", [])


def test_what_the_network_vouches_for_shows_more(system: System) -> None:
    system.knows("c-john", MOBILE, WHATSAPP)
    attested = system.resolve(ani="+19175550142", attestation="A")
    assert (attested["assurance"], attested["accountStatus"]) == ("attested", "Active")
    message = system.resolve(whatsapp="447700900123", channel="whatsapp")
    assert (message["contactId"], message["assurance"]) == ("c-john", "attested")
    typed = system.resolve(whatsapp="447700900123", channel="voice")
    assert (typed["assurance"], typed["accountStatus"]) == ("claimed", "WITHHELD")


def test_a_colleague_on_the_same_line_is_not_vouched_for_by_it(system: System) -> None:
    colleague = identifier(IdentifierType.EMAIL, "colleague@acme.example")
    system.knows("c-ann", OFFICE, colleague)
    system.knows("c-john", OFFICE, EMAIL, LOYALTY)
    for said in ({"email": "john.smith@gmail.com"}, {"externalId": "GLD-98765", "externalSource": "loyalty"}):
        for _ in range(2):  # from the tables, then from the cache
            answer = system.resolve(ani="+12125550188", attestation="A", **said)
            assert (answer["contactId"], answer["assurance"]) == ("c-john", "claimed")
            assert (answer["accountStatus"], answer["verificationRequired"]) == ("WITHHELD", True)


@pytest.mark.parametrize("assurance", [Assurance.CLAIMED, Assurance.ATTESTED])
def test_a_number_that_a_caller_has_linked_proves_no_more_than_their_word(system: System, assurance: Assurance) -> None:
    system.knows("c-john", LOYALTY)
    system.knows("c-john", MOBILE, source=CONVERSATION, assurance=assurance)
    for status in ("miss", "hit"):
        answer = system.resolve(ani="+19175550142", attestation="A")
        assert (answer["contactId"], answer["assurance"], answer["cacheStatus"]) == ("c-john", "claimed", status)
        assert answer["accountStatus"] == "WITHHELD"


def test_a_number_that_a_second_factor_was_passed_on_is_the_customers(system: System) -> None:
    system.knows("c-john", LOYALTY)
    system.knows("c-john", MOBILE, source=CONVERSATION)
    system.store.confirm(MOBILE, "c-john", verified=True)
    answer = system.resolve(ani="+19175550142", attestation="A")
    assert (answer["assurance"], answer["accountStatus"], answer["verificationRequired"]) == (
        "attested", "Active", False,
    )  # fmt: skip


def test_being_seen_again_raises_nothing(system: System) -> None:
    long_ago = "2020-01-01T00:00:00.000Z"
    past = IdentityStore(system.dynamodb, system.tables, now=lambda: long_ago)
    past.put_contact(
        Contact("c-john", JOHN, (MOBILE, EMAIL)).changed(),
        decision=past.decision("c-john", "link", "test"),
        source=CONVERSATION,
        assurance=Assurance.CLAIMED,
    )
    system.resolve(ani="+19175550142", attestation="A", email="john.smith@gmail.com")
    (seen,) = system.store.identifiers([MOBILE], consistent=True)[MOBILE].claims.values()
    assert seen.last_confirmed > long_ago
    assert seen.assurance is Assurance.CLAIMED


@pytest.mark.parametrize(
    ("ani", "attestation"),
    [
        ("tel:+19175550142;verstat=TN-Validation-Failed", ""),
        ("+19175550142;verstat=TN-Validation-Failed-A", ""),
        ("sip:+19175550142;verstat=tn-validation-failed-c@sbc.example.com;user=phone", "A"),
        ("+19175550142", "TN-Validation-Failed"),
    ],
)
def test_a_failed_signature_is_worse_than_none(system: System, ani: str, attestation: str) -> None:
    system.knows("c-john", MOBILE, EMAIL)
    for more in ({}, {"email": "john.smith@gmail.com"}):
        answer = system.resolve(ani=ani, attestation=attestation, **more)
        assert (answer["outcome"], answer["contactId"]) == ("RESOLVED", "c-john")
        assert (answer["displayName"], answer["firstName"], answer["accountStatus"]) == (
            "Valued Customer", "", "WITHHELD",
        )  # fmt: skip
        assert (answer["spoofSuspected"], answer["verificationRequired"]) == (True, True)
        assert answer["explanation"].startswith("The caller's number may be forged: its signature failed.")
        assert answer["assurance"] == ("claimed" if more else "none")


@pytest.mark.parametrize(
    "ani",
    [
        "tel:+19175550142;verstat=TN-Validation-Passed-A",
        "+19175550142;verstat=TN-Validation-Passed-A",
        "sip:+19175550142;verstat=TN-VALIDATION-PASSED-A@sbc.example.com;user=phone",
    ],
)
def test_a_full_pass_in_the_numbers_own_uri_is_attested(system: System, ani: str) -> None:
    system.knows("c-john", MOBILE)
    answer = system.resolve(ani=ani)
    assert (answer["contactId"], answer["assurance"], answer["spoofSuspected"]) == ("c-john", "attested", False)


def test_what_was_decided_and_cannot_be_read_is_degraded(system: System) -> None:
    system.knows("c-ann", OFFICE, EMAIL)
    system.knows("c-bob", OFFICE)
    system.knows("c-eve", EMAIL)
    for _ in range(2):
        assert system.resolve(ani="+12125550188", email="john.smith@gmail.com")["outcome"] == "RESOLVED"
    system.cache.invalidate(identifiers={}, contacts={"c-ann": 2})
    system.dynamodb.fails_with = "Unreachable"
    answer = system.resolve(ani="+12125550188", email="john.smith@gmail.com")
    assert (answer["outcome"], answer["contactId"]) == ("DEGRADED", "NOT_FOUND")


@pytest.mark.parametrize("field", ["contactId", "conversationId", "channel"])
@pytest.mark.parametrize(
    "value", ["+19175550142", "19175550142", "917-555-0142", "john.smith@gmail.com", "x19175550142"]
)
def test_what_is_no_id_or_channel_reaches_neither_log_nor_cache(system: System, field: str, value: str) -> None:
    resolution = system.resolver.resolve({field: value})
    written = json.dumps(resolution.trace)
    assert value not in written
    assert "9175550142" not in written


def test_an_unknown_caller_is_asked_for_once_and_then_known_to_be_unknown(system: System) -> None:
    first = system.resolve(ani="+19175550199")
    assert (first["contactId"], first["outcome"], first["assignedQueueId"]) == ("NOT_FOUND", "NOT_FOUND", "q-default")
    assert first["displayName"] == "Valued Customer"
    requested = system.store.identifiers([identifier(IdentifierType.PHONE, "+19175550199")])
    assert [record.lookup_requested_at > 0 for record in requested.values()] == [True]
    system.dynamodb.calls.clear()
    assert system.resolve(ani="+19175550199")["cacheStatus"] == "negative"
    assert system.dynamodb.calls == []


def test_a_shared_number_says_how_many_and_what_to_ask(system: System) -> None:
    for number in range(3):
        system.knows(f"c{number}", OFFICE, identifier(IdentifierType.EXTERNAL, f"GLD-{number}", "loyalty"))
    for status in ("miss", "hit"):
        shared = system.resolve(ani="+12125550188")
        assert (shared["outcome"], shared["candidateCount"], shared["askFor"]) == ("AMBIGUOUS", 3, "loyalty")
        assert (shared["contactId"], shared["cacheStatus"]) == ("NOT_FOUND", status)
    told_apart = system.resolve(ani="+12125550188", externalId="gld-2", externalSource="Loyalty")
    assert (told_apart["outcome"], told_apart["contactId"]) == ("RESOLVED", "c2")
    assert told_apart["matchedBy"] == "external,phone"


def test_a_switchboard_identifies_nobody_however_many_it_serves(system: System) -> None:
    for number in range(12):
        system.knows(f"c{number}", OFFICE, identifier(IdentifierType.EMAIL, f"p{number}@acme.com"))
    switchboard = system.resolve(ani="+12125550188")
    assert (switchboard["outcome"], switchboard["candidateCount"], switchboard["askFor"]) == ("AMBIGUOUS", 12, "email")
    assert switchboard["explanation"] == "12 customers share the phone number; ask for the e-mail address."


def test_a_functions_mailbox_is_shared_from_the_first_claim_on(system: System) -> None:
    system.knows("c-john", identifier(IdentifierType.EMAIL, "info@acme.example"), MOBILE)
    for status in ("miss", "hit"):
        answer = system.resolve(email="info@acme.example")
        assert (answer["outcome"], answer["contactId"], answer["candidateCount"]) == ("AMBIGUOUS", "NOT_FOUND", 1)
        assert answer["cacheStatus"] == status
        assert answer["explanation"].startswith("The e-mail address may be anybody's there, though one customer is")
    assert system.resolve(email="info@acme.example", ani="+19175550142")["contactId"] == "c-john"


def test_two_shared_values_that_meet_in_one_person_are_enough(system: System) -> None:
    system.knows("c-ann", OFFICE, EMAIL, profile=Profile("Ann"))
    system.knows("c-bob", OFFICE, profile=Profile("Bob"))
    system.knows("c-eve", EMAIL, profile=Profile("Eve"))
    for _ in range(2):  # the second time, neither cached entry has brought a profile along
        found = system.resolve(ani="+12125550188", email="john.smith@gmail.com")
        assert (found["contactId"], found["displayName"]) == ("c-ann", "Ann")


def test_details_of_two_people_are_a_conflict_that_is_put_on_record_once(system: System) -> None:
    system.knows("c-john", LOYALTY)
    system.knows("c-ann", MOBILE)
    for _ in range(3):
        answer = system.resolve(ani="+19175550142", externalId="GLD-98765", externalSource="loyalty")
        assert (answer["outcome"], answer["contactId"], answer["candidateCount"]) == ("CONFLICT", "c-john", 2)
    conflicts = [entry for entry in system.store.history("c-john") if entry["kind"] == "conflict"]
    assert [entry["details"]["other_contact"] for entry in conflicts] == ["c-ann"]


@pytest.mark.parametrize(
    "ani", ["anonymous", "sip:anonymous@anonymous.invalid", "+266696687", "Restricted", "0000000000"]
)
def test_a_withheld_number_is_blocked_without_a_lookup(system: System, ani: str) -> None:
    answer = system.resolve(ani=ani)
    assert (answer["outcome"], answer["contactId"], system.dynamodb.calls) == ("BLOCKED", "NOT_FOUND", [])


def test_a_withheld_number_does_not_stand_in_the_way_of_an_address(system: System) -> None:
    system.knows("c-john", EMAIL)
    assert system.resolve(ani="anonymous", email="John.Smith@GMAIL.com")["contactId"] == "c-john"


def test_the_id_that_genesys_linked_is_followed_to_the_canonical_contact(system: System) -> None:
    system.knows("c-old", OFFICE)
    system.knows("c-john", MOBILE)
    read = system.store.contacts(["c-old", "c-john"])
    decision = system.store.decision("c-john", "merge", "same person")
    system.store.merge(read["c-john"], [read["c-old"]], decision=decision)
    for status in ("miss", "hit"):
        answer = system.resolve(contactId="c-old")
        assert (answer["contactId"], answer["matchedBy"], answer["cacheStatus"]) == ("c-john", "contactId", status)
    assert system.resolve(ani="+12125550188")["contactId"] == "c-john"
    assert system.resolve(contactId="c-unknown")["outcome"] == "NOT_FOUND"


def test_without_the_cache_the_tables_answer(aws_url: str, tables: TableNames) -> None:
    system = System(aws_url, tables, Cache("redis://127.0.0.1:9", environment="down", hash_key=b"k"))
    system.knows("c-john", MOBILE)
    answer = system.resolve(ani="+19175550142")
    assert (answer["outcome"], answer["contactId"], answer["cacheStatus"]) == ("RESOLVED", "c-john", "degraded")


@pytest.mark.parametrize("failure", ["ThrottlingException", "Unreachable", "Timeout", "ResourceNotFoundException"])
def test_without_the_tables_the_cache_answers_however_stale(
    aws_url: str, tables: TableNames, cache_server: CacheServer, failure: str
) -> None:
    system = System(aws_url, tables, new_cache(cache_server, CacheLimits(fresh=0.0)))
    system.knows("c-john", MOBILE)
    system.resolve(ani="+19175550142")
    system.dynamodb.fails_with = failure
    known, unknown = system.resolve(ani="+19175550142"), system.resolve(ani="+19175550199")
    assert (known["outcome"], known["contactId"], known["displayName"]) == ("DEGRADED", "c-john", "John Smith")
    assert (unknown["outcome"], unknown["contactId"], unknown["cacheStatus"]) == ("DEGRADED", "NOT_FOUND", "degraded")


def test_an_old_entry_of_several_candidates_is_read_again(
    aws_url: str, tables: TableNames, cache_server: CacheServer
) -> None:
    system = System(aws_url, tables, new_cache(cache_server, CacheLimits(fresh=0.0)))
    for name in ("c-john", "c-mary"):
        system.knows(name, OFFICE)
    for _ in range(2):
        answer = system.resolve(ani=OFFICE.value)
        assert (answer["outcome"], answer["cacheStatus"]) == ("AMBIGUOUS", "miss")


def test_with_both_gone_there_is_still_an_answer(aws_url: str, tables: TableNames) -> None:
    system = System(aws_url, tables, Cache("redis://127.0.0.1:9", environment="down", hash_key=b"k"))
    system.dynamodb.fails_with = "Unreachable"
    answer = system.resolve(ani="+19175550142")
    assert (answer["outcome"], answer["assignedQueueId"]) == ("DEGRADED", "q-default")


def test_an_entry_near_its_end_is_renewed_behind_the_answer(
    aws_url: str, tables: TableNames, cache_server: CacheServer
) -> None:
    system = System(aws_url, tables, new_cache(cache_server, CacheLimits(fresh=5, refresh_window=10)))
    system.knows("c-john", MOBILE)
    system.resolve(ani="+19175550142")
    system.dynamodb.calls.clear()
    answer = system.resolve(ani="+19175550142")
    assert answer["cacheStatus"] == "hit"
    assert system.dynamodb.calls == ["BatchGetItem", "BatchGetItem"]


def test_with_the_synchronous_fallback_a_miss_waits_for_genesys(aws_url: str, tables: TableNames, cache: Cache) -> None:
    asked: list[Identifier] = []

    def genesys(identifiers: Any, seconds: float) -> bool:
        asked.extend(identifiers)
        assert seconds < 2.0
        waiting.knows("c-john", MOBILE)
        return True

    waiting = System(aws_url, tables, cache, fallback=genesys)
    assert waiting.resolve(ani="+19175550142")["contactId"] == "c-john"
    assert asked == [MOBILE]
    assert "UpdateItem" not in waiting.dynamodb.calls  # nobody is asked to look it up a second time


def test_the_trace_tells_the_decision_and_nobodys_data(system: System) -> None:
    system.knows("c-john", MOBILE)
    resolution = system.resolver.resolve(
        {"ani": "+19175550142", "email": "broken@", "twitter": "jsmith_tweets", "conversationId": "conv-1"}
    )
    trace = resolution.trace
    assert trace["resolutionId"] == resolution.answer["resolutionId"]
    assert [step["step"] for step in trace["steps"]] == ["normalise", "cache", "tables", "fill cache"]
    assert all(step["ms"] >= 0 for step in trace["steps"])
    assert trace["ignored"] == [{"what": "twitter", "why": "unknown"}, {"what": "email", "why": "malformed"}]
    text = json.dumps(trace)
    assert not [secret for secret in ("9175550142", "Smith", "John", "jsmith", "broken@") if secret in text]


junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=50),
    st.sampled_from(["😀" * 100, "x" * 10_000, '{"$gt": ""}', "'; DROP TABLE contacts; --"]),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
    st.binary(max_size=20),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(junk, st.dictionaries(st.sampled_from([*INPUT_FIELDS, "unknown"]), junk)))
def test_whatever_arrives_gets_a_well_formed_answer(system: System, event: object) -> None:
    answer = system.resolver.resolve(event).answer
    assert {name: type(value) for name, value in answer.items()} == OUTPUT_FIELDS
    assert json.dumps(answer)


def function_of(resolver: Resolver) -> Handler:
    return make_handler(resolver, environment="handler")


def test_the_handler_answers_and_logs_one_line_with_trace_and_metrics(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = function_of(system.resolver)({"ani": "+19175550142"}, None)
    assert {name: type(value) for name, value in answer.items()} == OUTPUT_FIELDS
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["resolutionId"], line["Outcome"]) == (answer["resolutionId"], "NOT_FOUND")
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert all(metric["Name"] in line for metric in directive["Metrics"])
    assert all(name in line for names in directive["Dimensions"] for name in names)


def test_the_handler_answers_even_when_the_engine_breaks(
    system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("+19175550142 is not what I expected")

    monkeypatch.setattr(system.cache, "read", broken)
    answer = function_of(system.resolver)({"ani": "+19175550142"}, None)
    assert (answer["outcome"], answer["assignedQueueId"]) == ("DEGRADED", "q-default")
    assert {name: type(value) for name, value in answer.items()} == OUTPUT_FIELDS
    output = capsys.readouterr().out
    assert "RuntimeError" in output
    assert "9175550142" not in output
