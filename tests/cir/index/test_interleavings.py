"""Every order in which a reader's fill can meet the commits and the stream records of a change: what the cache says,
when all is quiet, is what the tables say, or nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Any

import pytest
from mypy_boto3_dynamodb.client import DynamoDBClient

from cir.identity.identifiers import Identifier
from cir.identity.parsing import parse
from cir.identity.records import CONVERSATION, Contact, IdentifierRecord, Profile
from cir.identity.rules import Assurance, IdentifierType
from cir.index.cache import Cache, Candidates
from cir.index.store import IdentityStore, TableNames
from cir.index.tombstones import shorten
from cir.resolve.lookup import candidates_of, fresh_candidates
from functions.invalidator.changes import read_changes
from sandbox.machine.cache_server import Cache as CacheServer

pytestmark = pytest.mark.slow

type Item = dict[str, Any]
type Shot = dict[tuple[str, str], Item]


def identifier(kind: IdentifierType, text: str) -> Identifier:
    parsed = parse(kind, text)
    assert isinstance(parsed, Identifier)
    return parsed


NUMBER = identifier(IdentifierType.PHONE, "+19175550142")
ANNS = identifier(IdentifierType.EMAIL, "ann@example.com")
BOBS = identifier(IdentifierType.EMAIL, "bob@example.com")


@dataclass
class World:
    """Tables that are changed, and looked at after each commit."""

    client: DynamoDBClient
    tables: TableNames
    store: IdentityStore
    shots: list[Shot]

    def look(self) -> None:
        shot: Shot = {}
        for key, table in (("identifier", self.tables.identifiers), ("contact_id", self.tables.contacts)):
            for item in self.client.scan(TableName=table, ConsistentRead=True)["Items"]:
                shot[key, item[key]["S"]] = dict(item)
        self.shots.append(shot)

    def contact(self, contact_id: str) -> Contact:
        return self.store.contacts([contact_id], consistent=True)[contact_id]

    def knows(
        self, contact_id: str, *identifiers: Identifier, name: str = "", source: str = "salesforce", look: bool = True
    ) -> None:
        before = self.store.contacts([contact_id], consistent=True).get(contact_id)
        self.store.put_contact(
            (before or Contact(contact_id)).changed(identifiers=identifiers, profile=Profile(name or contact_id)),
            previous=before,
            decision=self.store.decision(contact_id, "sync", "test"),
            source=source,
            assurance=Assurance.CLAIMED,
        )
        if look:
            self.look()

    def merges(self, winner: str, loser: str) -> None:
        decision = self.store.decision(winner, "merge", "test")
        self.store.merge(self.contact(winner), [self.contact(loser)], decision=decision)
        self.look()

    def compacts(self, loser: str) -> None:
        shorten(self.store, [loser])
        self.look()

    def deletes(self, contact_id: str) -> None:
        self.store.remove(self.contact(contact_id), decision=self.store.decision(contact_id, "deletion", "test"))
        self.look()

    def splits(self, new: str, out_of: str, tombstone: str) -> None:
        rest, record = self.contact(out_of), self.store.identifiers([NUMBER], consistent=True)
        claim = next(iter(record[NUMBER].claims.values()))
        self.store.split(
            Contact(new).changed(profile=Profile(new), identifiers=(NUMBER,), merged_from=(tombstone,)),
            rest.changed(identifiers=(ANNS,), merged_from=()),
            [self.contact(tombstone).changed(merged_into=new)],
            claims={NUMBER: {new: claim}},
            read=record,
            decisions=[self.store.decision(new, "split", "test")],
        )
        self.look()


def new_profile(world: World) -> None:
    world.knows("ann", NUMBER)
    world.knows("ann", NUMBER, name="renamed")


def two_new_profiles(world: World) -> None:
    new_profile(world)
    world.knows("ann", NUMBER, name="renamed again")


def number_moves(world: World) -> None:
    world.knows("ann", NUMBER, ANNS, look=False)
    world.knows("bob", BOBS)
    world.knows("ann", ANNS)
    world.knows("bob", BOBS, NUMBER)


def creation(world: World) -> None:
    world.look()
    world.knows("ann", NUMBER)


def second_owner(world: World) -> None:
    world.knows("ann", NUMBER, look=False)
    world.knows("bob", BOBS)
    world.knows("bob", BOBS, NUMBER)


def release(world: World) -> None:
    world.knows("ann", NUMBER, ANNS)
    world.knows("ann", ANNS)


def deletion(world: World) -> None:
    world.knows("ann", NUMBER)
    world.deletes("ann")


def deletion_of_one_of_two(world: World) -> None:
    world.knows("bob", NUMBER, look=False)
    deletion(world)


def deletion_and_new_creation(world: World) -> None:
    deletion(world)
    world.knows("ann", NUMBER, name="again")


def merge_of_the_owner(world: World) -> None:
    world.knows("ann", ANNS, look=False)
    world.knows("bob", NUMBER)
    world.merges("ann", "bob")
    world.compacts("bob")


def merge_of_both_owners(world: World) -> None:
    world.knows("ann", ANNS, NUMBER, look=False)
    world.knows("bob", NUMBER)
    world.merges("ann", "bob")
    world.compacts("bob")


def merge_that_is_not_compacted(world: World) -> None:
    world.knows("ann", ANNS, NUMBER, look=False)
    world.knows("bob", NUMBER)
    world.merges("ann", "bob")


def chain_of_merges(world: World) -> None:
    world.knows("eve", BOBS, look=False)
    merge_that_is_not_compacted(world)
    world.merges("eve", "ann")


def split(world: World) -> None:
    world.knows("ann", ANNS, look=False)
    world.knows("bob", NUMBER, look=False)
    world.merges("ann", "bob")
    world.shots.clear()
    world.compacts("bob")
    world.splits("carl", "ann", "bob")


def second_factor(world: World) -> None:
    world.knows("ann", NUMBER, source=CONVERSATION)
    world.store.confirm(NUMBER, "ann", verified=True)
    world.look()


CHANGES: tuple[Callable[[World], None], ...] = (
    new_profile,
    two_new_profiles,
    number_moves,
    creation,
    second_owner,
    release,
    deletion,
    deletion_of_one_of_two,
    deletion_and_new_creation,
    merge_of_the_owner,
    merge_of_both_owners,
    merge_that_is_not_compacted,
    chain_of_merges,
    split,
    second_factor,
)


class Snapshot:
    """DynamoDB as it was at one commit."""

    def __init__(self, shot: Shot) -> None:
        self._shot = shot

    def __call__(self, operation: str, request: Mapping[str, Any], *, timeout: float | None = None) -> dict[str, Any]:
        assert operation == "BatchGetItem"
        ((table, asked),) = request["RequestItems"].items()
        ((key, _),) = asked["Keys"][0].items()
        found = (self._shot.get((key, each[key]["S"])) for each in asked["Keys"])
        return {"Responses": {table: [item for item in found if item]}}


@dataclass(frozen=True)
class Read:
    """What a reader sees that reads the identifier at one commit and its contacts at another."""

    record: IdentifierRecord | None
    heads: Mapping[str, Contact]
    contacts: Mapping[str, Contact]

    @property
    def candidates(self) -> Candidates:
        return candidates_of(NUMBER, self.record, self.heads)

    @property
    def whole(self) -> bool:
        return self.record is None or self.record.claims.keys() <= self.heads.keys()


def read_at(tables: TableNames, identifier_shot: Shot, contact_shot: Shot) -> Read:
    record = IdentityStore(Snapshot(identifier_shot), tables).identifiers([NUMBER]).get(NUMBER)
    heads, read = IdentityStore(Snapshot(contact_shot), tables).canonical(record.claims if record else ())
    return Read(record, heads, read)


def fill(cache: Cache, read: Read, **how: Any) -> None:
    """As `Lookup` does."""
    version = read.record.version if read.record else 0
    cache.put({NUMBER: (version, read.candidates)} if read.whole else {}, read.contacts.values(), **how)


def stream_records(before: Shot, after: Shot, key: str) -> list[Item]:
    records = []
    for number, which in enumerate(sorted(before.keys() | after.keys())):
        if which[0] == key and before.get(which) != after.get(which):
            images = {"OldImage": before.get(which), "NewImage": after.get(which)}
            change = {"Keys": {key: {"S": which[1]}}, "SequenceNumber": str(number)}
            records.append({"dynamodb": change | {name: image for name, image in images.items() if image}})
    return records


def consume(cache: Cache, records: list[Item]) -> None:
    changes = read_changes(records)
    cache.invalidate(identifiers=changes.identifiers, contacts=changes.contacts)
    cache.forget(changes.moved)


def orders(commits: int) -> Iterator[tuple[bool, bool, str, int, int, int, int]]:
    """A warm cache or a cold one; which stream's rest comes first; and a reader: its kind, the commits at which it
    reads the identifier and the contacts, and how many records of either stream were consumed before it writes."""
    numbers = range(commits + 1)
    kinds = ("slow", "stale", "consistent")
    for warm, contacts_last, kind, at, contacts_at, told, contacts_told in product(
        (False, True), (False, True), kinds, numbers, numbers, numbers, numbers
    ):
        # a record is delivered after its commit, which a consistent read then sees; and contacts are read second
        if kind != "consistent" or (told <= at <= contacts_at and contacts_told <= contacts_at and contacts_told <= at):
            yield warm, contacts_last, kind, at, contacts_at, told, contacts_told


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_no_order_leaves_what_was(  # noqa: PLR0917 - pytest passes them by name
    change: Callable[[World], None],
    dynamodb_client: DynamoDBClient,
    tables: TableNames,
    store: IdentityStore,
    cache_server: CacheServer,
    cache: Cache,
) -> None:
    world = World(dynamodb_client, tables, store, [])
    change(world)
    shots, commits = world.shots, len(world.shots) - 1
    right = read_at(tables, shots[-1], shots[-1])
    numbers = range(commits + 1)
    reads = {(at, other): read_at(tables, shots[at], shots[other]) for at in numbers for other in numbers}
    identifiers, contacts = (
        [stream_records(*two, key) for two in pairwise(shots)] for key in ("identifier", "contact_id")
    )
    server = cache_server.client()
    for order in orders(commits):
        warm, contacts_last, kind, at, contacts_at, told, contacts_told = order
        server.flushall()
        began = cache.read([NUMBER])[0].read_at
        if warm:
            fill(cache, reads[0, 0])
        for records in (*identifiers[:told], *contacts[:contacts_told]):
            consume(cache, records)
        if kind != "slow":
            began = cache.read([NUMBER])[0].read_at
        fill(cache, reads[at, contacts_at], began=began, consistent=kind == "consistent")
        rest = (identifiers[told:], contacts[contacts_told:])
        for records in (*rest[0], *rest[1]) if contacts_last else (*rest[1], *rest[0]):
            consume(cache, records)
        (answer,) = cache.read([NUMBER])
        found = fresh_candidates(answer)
        if found is None:
            continue
        assert sorted(found.contact_ids) == sorted(right.candidates.contact_ids), order
        assert sorted(found.unproven) == sorted(right.candidates.unproven), order
        if answer.contact:
            head = next(one for one in right.heads.values() if one.contact_id == answer.contact.value.contact_id)
            assert answer.contact.value == replace(head, identifiers=(), merged_from=(), fingerprint=""), order


def test_a_consistent_reader_after_the_change_is_believed_at_once(
    dynamodb_client: DynamoDBClient, tables: TableNames, store: IdentityStore, cache: Cache
) -> None:
    world = World(dynamodb_client, tables, store, [])
    merge_of_both_owners(world)
    for key in ("identifier", "contact_id"):
        for before, after in pairwise(world.shots):
            consume(cache, stream_records(before, after, key))
    (answer,) = cache.read([NUMBER])
    assert answer.just_changed
    fill(cache, read_at(tables, world.shots[-1], world.shots[-1]), began=answer.read_at, consistent=True)
    found = fresh_candidates(cache.read([NUMBER])[0])
    assert found
    assert found.contact_ids == ("ann",)
