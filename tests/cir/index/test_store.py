"""The identity store on a real DynamoDB API: claims, generations, tombstones, lookup requests."""

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.aws.dynamodb import DynamoDBError, LeanDynamoDB, boto3_dynamodb, marshal_item, unmarshal_item
from cir.identity.identifiers import Identifier
from cir.identity.parsing import parse
from cir.identity.records import Contact, Profile
from cir.identity.rules import Assurance, IdentifierType
from cir.index.again import OutdatedError
from cir.index.store import MAX_CLAIMS, AlreadyClaimedError, IdentityStore, TableNames


def identifier(kind: IdentifierType, text: str, source: str = "") -> Identifier:
    parsed = parse(kind, text, source=source)
    assert isinstance(parsed, Identifier)
    return parsed


MOBILE = identifier(IdentifierType.PHONE, "+1 917 555 0142")
OFFICE = identifier(IdentifierType.PHONE, "+1 212 555 0188")
LOYALTY = identifier(IdentifierType.EXTERNAL, "GLD-98765", "loyalty")
EMAIL = identifier(IdentifierType.EMAIL, "John.Smith@gmail.com")


def put(store: IdentityStore, contact: Contact, previous: Contact | None = None) -> Contact:
    decision = store.decision(contact.contact_id, "sync", "imported")
    store.put_contact(contact, previous=previous, decision=decision, source="salesforce", assurance=Assurance.CLAIMED)
    return contact


def owners(store: IdentityStore, what: Identifier) -> set[str]:
    record = store.identifiers([what], consistent=True).get(what)
    return set(record.claims) if record else set()


@pytest.fixture(params=["boto3", "lean"])
def either_store(
    request: pytest.FixtureRequest, dynamodb_client: DynamoDBClient, tables: TableNames, aws_url: str
) -> IdentityStore:
    """The store over both clients: the hot plane's own and boto3."""
    lean = LeanDynamoDB(region="eu-west-1", endpoint_url=aws_url)
    return IdentityStore(lean if request.param == "lean" else boto3_dynamodb(dynamodb_client), tables)


def test_a_claim_is_found_with_its_evidence(either_store: IdentityStore) -> None:
    put(either_store, Contact("c1", identifiers=(MOBILE,)).changed())
    (claim,) = either_store.identifiers([MOBILE, OFFICE], consistent=True)[MOBILE].claims.values()
    assert (claim.source, claim.assurance) == ("salesforce", Assurance.CLAIMED)
    either_store.confirm(MOBILE, "c1")
    (confirmed,) = either_store.identifiers([MOBILE], consistent=True)[MOBILE].claims.values()
    assert confirmed.first_seen == claim.first_seen < confirmed.last_confirmed
    assert confirmed.assurance is Assurance.CLAIMED, "to be seen again proves nothing more"
    either_store.confirm(MOBILE, "c1", verified=True)
    either_store.confirm(MOBILE, "c1")
    assert either_store.identifiers([MOBILE])[MOBILE].claims["c1"].assurance is Assurance.VERIFIED


def test_what_is_not_claimed_cannot_be_confirmed(store: IdentityStore) -> None:
    store.confirm(MOBILE, "c1")
    assert store.identifiers([MOBILE]) == {}


def test_an_address_keeps_its_spelling_though_it_is_matched_without_it(either_store: IdentityStore) -> None:
    put(either_store, Contact("c1", identifiers=(EMAIL,)).changed())
    other_spelling = identifier(IdentifierType.EMAIL, "johnsmith+crm@googlemail.com")
    record = either_store.identifiers([other_spelling])[other_spelling]
    assert record.identifier.value == "John.Smith@gmail.com"


@pytest.mark.slow
def test_a_shared_number_keeps_a_bounded_number_of_claims(store: IdentityStore) -> None:
    for number in range(MAX_CLAIMS):
        put(store, Contact(f"c{number}", identifiers=(OFFICE,)).changed())
    assert not store.identifiers([OFFICE])[OFFICE].overflowed
    for number in range(MAX_CLAIMS, MAX_CLAIMS + 3):
        put(store, Contact(f"c{number}", identifiers=(OFFICE,)).changed())
    record = store.identifiers([OFFICE])[OFFICE]
    assert record.overflowed
    assert len(record.claims) == MAX_CLAIMS


def test_a_released_identifier_can_be_claimed_by_somebody_else(either_store: IdentityStore) -> None:
    first = put(either_store, Contact("c1", identifiers=(LOYALTY,)).changed())
    put(either_store, first.changed(identifiers=()), first)
    put(either_store, Contact("c2", identifiers=(LOYALTY,)).changed())
    assert owners(either_store, LOYALTY) == {"c2"}


def test_what_was_read_too_early_is_read_again(store: IdentityStore) -> None:
    put(store, Contact("c1", identifiers=(LOYALTY,)).changed())
    decision = store.decision("c2", "sync", "imported")
    with pytest.raises(AlreadyClaimedError, match="belongs to contact c1"):
        store.put_contact(
            Contact("c2", identifiers=(LOYALTY,)).changed(),
            decision=decision,
            source="salesforce",
            assurance=Assurance.CLAIMED,
            known={},
        )


@pytest.mark.slow
def test_a_contact_may_have_more_identifiers_than_a_transaction_takes(store: IdentityStore) -> None:
    many = tuple(identifier(IdentifierType.PHONE, f"+1917555{number:04d}") for number in range(130))
    put(store, Contact("c1", identifiers=many).changed())
    assert all(set(record.claims) == {"c1"} for record in store.identifiers(many, consistent=True).values())
    assert len(store.contacts(["c1"])["c1"].identifiers) == 130


def test_a_contact_comes_back_as_it_was_stored(either_store: IdentityStore) -> None:
    contact = Contact("c1", Profile(first_name="Ana", customer_tier="Gold"), (LOYALTY, MOBILE), fingerprint="f1")
    put(either_store, contact.changed())
    stored = either_store.contacts(["c1", "c2"], consistent=True)
    assert stored == {"c1": Contact("c1", contact.profile, stored["c1"].identifiers, generation=1, fingerprint="f1")}
    assert set(stored["c1"].identifiers) == {LOYALTY, MOBILE}
    assert owners(either_store, MOBILE) == {"c1"}
    (entry,) = either_store.history("c1")
    assert (entry["kind"], entry["because"]) == ("sync", "imported")


def test_identifiers_that_a_contact_no_longer_has_are_released(store: IdentityStore) -> None:
    first = put(store, Contact("c1", identifiers=(MOBILE, OFFICE)).changed())
    put(store, first.changed(identifiers=(OFFICE,)), first)
    assert (owners(store, MOBILE), owners(store, OFFICE)) == (set(), {"c1"})


def test_a_taken_exclusive_identifier_refuses_the_whole_contact(store: IdentityStore) -> None:
    put(store, Contact("c1", identifiers=(LOYALTY,)).changed())
    card = identifier(IdentifierType.EXTERNAL, "0035000000AbCdE", "salesforce")
    with pytest.raises(AlreadyClaimedError, match="already belongs to contact c1") as refused:
        put(store, Contact("c2", identifiers=(card, LOYALTY, MOBILE)).changed())
    assert "98765" not in str(refused.value)
    assert store.contacts(["c2"]) == {}
    assert not any(record.claims.get("c2") for record in store.identifiers([card, LOYALTY, MOBILE]).values())


def test_of_two_writers_of_one_generation_one_is_told_to_read_again(store: IdentityStore) -> None:
    put(store, Contact("c1").changed())
    read = store.contacts(["c1"])["c1"]
    put(store, read.changed(fingerprint="mine"))
    with pytest.raises(OutdatedError):
        put(store, read.changed(fingerprint="yours"))
    assert store.contacts(["c1"])["c1"].fingerprint == "mine"


def test_every_merged_id_leads_to_the_canonical_contact(store: IdentityStore) -> None:
    for number in range(4):
        put(store, Contact(f"c{number}").changed())

    def merge(winner: str, loser: str) -> None:
        read = store.contacts([winner, loser])
        store.merge(read[winner], [read[loser]], decision=store.decision(winner, "merge", "same person"))

    merge("c1", "c0")
    merge("c2", "c1")
    found, read = store.canonical(["c0", "c1", "c2", "c3", "unknown"])
    assert {asked: contact.contact_id for asked, contact in found.items()} == {
        "c0": "c2", "c1": "c2", "c2": "c2", "c3": "c3",
    }  # fmt: skip
    assert {read["c0"].merged_into, read["c1"].merged_into} == {"c2"}  # one hop, however often they were merged


def test_a_merge_of_a_contact_that_changed_meanwhile_does_nothing(store: IdentityStore) -> None:
    put(store, Contact("c1").changed())
    put(store, Contact("c2").changed())
    read = store.contacts(["c1", "c2"])
    put(store, read["c2"].changed(fingerprint="newer"))
    with pytest.raises(OutdatedError):
        store.merge(read["c1"], [read["c2"]], decision=store.decision("c1", "merge", "same person"))
    assert not store.contacts(["c2"])["c2"].merged_into


def test_a_removal_of_a_contact_that_changed_meanwhile_does_nothing(store: IdentityStore) -> None:
    put(store, Contact("c1", identifiers=(MOBILE,)).changed())
    read = store.contacts(["c1"])["c1"]
    put(store, read.changed(identifiers=(MOBILE, EMAIL)), read)
    with pytest.raises(OutdatedError):
        store.remove(read, decision=store.decision("c1", "deletion", "test"))
    assert owners(store, MOBILE) == owners(store, EMAIL) == {"c1"}
    store.remove(store.contacts(["c1"])["c1"], decision=store.decision("c1", "deletion", "test"))
    assert (store.contacts(["c1"]), owners(store, MOBILE), owners(store, EMAIL)) == ({}, set(), set())


def test_a_split_out_of_a_contact_that_changed_meanwhile_does_nothing(store: IdentityStore) -> None:
    put(store, Contact("c1", identifiers=(MOBILE, EMAIL)).changed())
    put(store, Contact("c2").changed())
    read = store.contacts(["c1", "c2"])
    store.merge(read["c1"], [read["c2"]], decision=store.decision("c1", "merge", "same person"))
    whole, gone = (store.contacts([each])[each] for each in ("c1", "c2"))
    records = store.identifiers([EMAIL], consistent=True)

    def split(rest: Contact) -> None:
        store.split(
            Contact("new", identifiers=(EMAIL,), merged_from=("c2",)).changed(),
            rest.changed(identifiers=(MOBILE,), merged_from=()),
            [gone.changed(merged_into="new")],
            claims={EMAIL: {"new": records[EMAIL].claims["c1"]}},
            read=records,
            decisions=[store.decision("new", "split", "test")],
        )

    put(store, whole.changed(fingerprint="newer"), whole)
    with pytest.raises(OutdatedError):
        split(whole)
    assert (store.contacts(["new"]), owners(store, EMAIL)) == ({}, {"c1"})
    split(store.contacts(["c1"])["c1"])
    assert (owners(store, EMAIL), owners(store, MOBILE)) == ({"new"}, {"c1"})
    assert store.canonical(["c2"])[0]["c2"].contact_id == "new"


def test_a_miss_is_asked_for_once_until_it_is_stale_or_known(either_store: IdentityStore) -> None:
    def ask(at: int) -> bool:
        return either_store.request_lookup(MOBILE, at=at, again_after_seconds=3600)

    assert ask(1_000_000)
    assert not ask(1_000_010)
    record = either_store.identifiers([MOBILE], consistent=True)[MOBILE]
    assert (record.claims, record.version) == ({}, 0)
    assert ask(1_003_700)
    put(either_store, Contact("c1", identifiers=(MOBILE,)).changed())
    assert not ask(2_000_000)
    assert not either_store.identifiers([MOBILE], consistent=True)[MOBILE].lookup_requested_at


@pytest.mark.slow
def test_a_long_history_is_read_whole(store: IdentityStore) -> None:
    for number in range(130):
        store.record(store.decision("many", "note", f"entry {number}"))
    assert len(store.history("many")) == 130


def test_an_unreachable_table_is_an_error_in_time() -> None:
    lean = LeanDynamoDB(region="eu-west-1", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(DynamoDBError, match="BatchGetItem: ConnectionRefusedError"):
        lean("BatchGetItem", {}, timeout=0.5)


def test_what_a_newer_release_has_stored_survives_this_one(
    store: IdentityStore, tables: TableNames, dynamodb_client: DynamoDBClient
) -> None:
    put(store, Contact("c1", identifiers=(MOBILE,)).changed())
    read = store.contacts(["c1"], consistent=True)["c1"]
    item = {**read.changed().to_item(), "schema": 7, "household": {"id": "h-1"}}
    item["identifiers"]["telegram#4711"] = "4711"
    dynamodb_client.put_item(TableName=tables.contacts, Item=marshal_item(item))
    newer = store.contacts(["c1"], consistent=True)["c1"]
    assert newer.identifiers == (MOBILE,)
    put(store, newer.changed(identifiers=(MOBILE, OFFICE)), previous=newer)
    stored = dynamodb_client.get_item(TableName=tables.contacts, Key={"contact_id": {"S": "c1"}})["Item"]
    kept = unmarshal_item(stored)
    assert (kept["schema"], kept["household"], kept["identifiers"]["telegram#4711"]) == (7, {"id": "h-1"}, "4711")
    assert OFFICE.key in kept["identifiers"]
