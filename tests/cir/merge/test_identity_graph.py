"""The identity graph under random interleavings of everything that changes it, on real parts.

Whatever happens, and in whatever order Genesys tells of it: the index and Genesys end up equal, every id ever issued
leads where Genesys has it, an id of one person has one owner, and the cache answers what the tables say.
CIR_INTERLEAVINGS sets how many are tried; the figure of the documentation is 1000.
"""

import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import astuple
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from moto import mock_aws

from cir.aws.dynamodb import boto3_dynamodb
from cir.contacts.organization import prepare
from cir.conversation.creating import CreateOutcome, Creating
from cir.conversation.linking import Linking
from cir.crm.record import CrmRecord
from cir.follow.events import Events
from cir.genesys.errors import NotFoundError
from cir.identity.identifiers import Identifier
from cir.identity.rules import Assurance
from cir.merge.merging import Merging
from cir.merge.splitting import Splitting
from cir.resolve.lookup import Lookup
from cir.resolve.request import Presented
from cir.resolve.trace import Trace
from cir.sync.customers import Sync
from functions import compact
from functions.invalidator import handler as invalidator
from sandbox.genesys import Emulator
from sandbox.machine.cache_server import Cache as CacheServer
from tests.conftest import new_cache, new_environment, tables_of
from tests.support.identity_world import World, email, loyalty, phone
from tests.support.sync_plane import MAPPING, account, crm_id

pytestmark = pytest.mark.slow

INTERLEAVINGS = int(os.environ.get("CIR_INTERLEAVINGS", "15"))
STEPS = 14
"""However busy the machine is: what a cache that is late does is tested elsewhere."""
SHARED = (*(phone(number) for number in range(4)), email("ann"), email("bob"), email("eve"))
"""As many of each kind as Genesys has fields for."""

some = st.lists(st.sampled_from(SHARED), min_size=1, max_size=3, unique=True)
pick = st.integers(0, 1_000)


class Graph(RuleBasedStateMachine):
    """Its class attributes are set by the test that runs it."""

    aws_url: str
    emulator: Emulator
    cache_server: CacheServer

    @initialize()
    def begin(self) -> None:
        self.dynamodb = boto3.Session().client("dynamodb", region_name="eu-west-1")
        tables = tables_of(new_environment(self.dynamodb))
        self.world = World(self.emulator, boto3_dynamodb(self.dynamodb), tables)
        self.streams = Streams(self.aws_url, [tables.identifiers, tables.contacts])
        self.cache = new_cache(self.cache_server)
        self.lookup = Lookup(self.world.store, self.cache)
        self.compact, self.invalidate = compact.make_handler(self.world.store), invalidator.make_handler(self.cache)
        parts = (self.world.client, self.world.store, self.world.sources)
        self.events, self.linking, self.creating = Events(*parts), Linking(*parts), Creating(*parts)
        self.merging, self.splitting = Merging(*parts), Splitting(*parts)
        organization = prepare(self.world.client, MAPPING)
        self.sync = Sync(self.world.client, self.world.store, organization, MAPPING, sleep=lambda _: None)
        self.crm: dict[int, CrmRecord] = {}
        self.last_event = self.world.last_event
        self.untold: list[str] = []
        self.issued: list[str] = []
        self.split_off: set[str] = set()
        self.renamed: dict[str, str] = {}
        """What the index, other than Genesys, has become of an id."""
        self.cards = itertools.count()
        for first in range(3):
            self.an_agent_makes_a_contact([SHARED[first], SHARED[first + 2], SHARED[first + 4]], card=first < 2)
        self._hear_all()
        self._the_cache_says_what_the_tables_say()

    @rule(identifiers=some, card=st.booleans())
    def an_agent_makes_a_contact(self, identifiers: list[Identifier], card: bool) -> None:
        extra = [loyalty(next(self.cards))] if card else []
        self._issue(self.world.in_genesys({"firstName": "Ann"}, *identifiers, *extra))

    @rule(identifiers=some)
    def a_caller_is_created(self, identifiers: list[Identifier]) -> None:
        made = self.creating.create([Presented(each, Assurance.CLAIMED) for each in identifiers])
        if made.outcome is CreateOutcome.CREATED:
            self._issue(made.contact_id)

    @rule(number=st.integers(0, 2), mobile=st.sampled_from(SHARED[:4]), address=st.sampled_from(SHARED[4:]))
    def the_crm_says(self, number: int, mobile: Identifier, address: Identifier) -> None:
        self.crm[number] = account(number, MobilePhone=mobile.value, Personal_Email__c=address.value)
        self._reconcile(number)

    @precondition(lambda self: self.issued)
    @rule(which=pick, identifier=st.sampled_from(SHARED))
    def a_caller_is_linked(self, which: int, identifier: Identifier) -> None:
        self.linking.link(self._one(which), Presented(identifier, Assurance.CLAIMED), conversation_id="c")

    @precondition(lambda self: self.issued)
    @rule(which=pick, identifier=st.sampled_from(SHARED[:4]))
    def an_agent_changes_a_number(self, which: int, identifier: Identifier) -> None:
        change: Any = {"field": "$.workPhone", "action": "Update", "value": {"display": identifier.value}}
        contact_id = self._in_genesys(self._one(which))
        # a number in two fields of one contact would leave too few for the others
        if contact_id and identifier not in self.world.shown(self.world.client.contacts.get(contact_id)):
            self.world.client.contacts.patch(contact_id, [change])

    @precondition(lambda self: len(self.issued) > 1)
    @rule(which=pick, other=pick, dies_after=st.one_of(st.none(), st.integers(1, 6)))
    def two_are_merged(self, which: int, other: int, dies_after: int | None) -> None:
        plan = self.merging.plan([self._head(which), self._head(other)], differing=["loyalty", "salesforce"])
        if plan.refusals:
            return
        with self.world.fate.dies_after(dies_after or 0):
            self.merging.merge(plan, by="test", because="test")
        self._issue(self._in_genesys(plan.contacts[0]))  # whether or not there was time to hear of it

    @precondition(lambda self: len(self.issued) > 1)
    @rule(which=pick, other=pick)
    def an_agent_merges_two(self, which: int, other: int) -> None:
        heads = dict.fromkeys(filter(None, map(self._in_genesys, (self._head(which), self._head(other)))))
        if len(heads) == 2:
            self._issue(self.world.client.contacts.merge(list(heads), value_override={})["id"])

    @precondition(lambda self: len(self.issued) > 2)
    @rule(which=pick)
    def a_merge_is_undone(self, which: int) -> None:
        self._resume()
        heads, _ = self.world.store.canonical(self.issued, consistent=True)
        merged = [each for each, head in heads.items() if head.contact_id != each]
        if not merged:
            return
        part = merged[which % len(merged)]
        plan = self.splitting.plan(part)
        if plan.refusals:
            return
        group = self._tree(plan.part)
        new = self.splitting.split(plan, by="test", because="test")
        self.split_off.update(group)
        self.renamed |= dict.fromkeys(group, new)
        self._issue(new)
        assert set(self.world.head(part).identifiers) == {*plan.moved_identifiers, *plan.shared_identifiers}

    @precondition(lambda self: len(self.issued) > 2)
    @rule(which=pick)
    def an_agent_deletes_one(self, which: int) -> None:
        self.world.client.contacts.delete(self._one(which))

    @rule(order=st.randoms(use_true_random=False), share=st.integers(0, 4))
    def genesys_tells_some_of_it(self, order: Any, share: int) -> None:
        self._hear()
        order.shuffle(self.untold)
        for contact_id in self.untold[: len(self.untold) * share // 4]:
            self.events.follow(contact_id)
        # what was told may be told again
        self.untold = self.untold[len(self.untold) * share // 8 :]

    @rule()
    def everybody_calls(self) -> None:
        """What the cache remembers of each may be old from here on."""
        self.lookup.find(SHARED, "", time.monotonic() + 5, Trace("t"))

    @rule()
    def the_streams_are_consumed(self) -> None:
        for batch in iter(self.streams.read, []):
            assert self.compact({"Records": batch}, None) == {"batchItemFailures": []}
            assert self.invalidate({"Records": batch}, None) == {"batchItemFailures": []}
        self._the_cache_says_what_the_tables_say()

    def teardown(self) -> None:
        if not hasattr(self, "cards"):
            return  # it did not begin
        try:
            self._settle()
        finally:
            for table in astuple(self.world.tables):  # the emulator copies all it has for each transaction
                self.dynamodb.delete_table(TableName=table)

    def _settle(self) -> None:
        self._hear_all()
        self._resume()
        for number in self.crm:
            self._reconcile(number)
        self._hear_all()
        self.the_streams_are_consumed()
        self._index_and_genesys_are_equal()
        self._every_id_leads_where_genesys_has_it()
        self._claims_and_contacts_agree()

    def _index_and_genesys_are_equal(self) -> None:
        in_genesys = [shown for page in self.world.client.contacts.scan() for shown in page.contacts]
        heads, _ = self.world.store.canonical([shown["id"] for shown in in_genesys], consistent=True)
        for shown in in_genesys:
            here, there = set(heads[shown["id"]].identifiers), self.world.shown(shown)
            # an agent's merge can leave an identifier without a field, but it is still the contact's
            there |= {each for each in here - there if self.world.holder(each) == shown["id"]}
            note(f"{shown['id']}: only here {sorted(each.key for each in here - there)}")
            note(f"{shown['id']}: only there {sorted(each.key for each in there - here)}")
            assert here == there

    def _every_id_leads_where_genesys_has_it(self) -> None:
        heads, _ = self.world.store.canonical(self.issued, consistent=True)
        for contact_id in self.issued:
            here = heads[contact_id].contact_id if contact_id in heads else ""
            assert here == self._in_genesys(self._renamed(contact_id))

    def _claims_and_contacts_agree(self) -> None:
        heads, read = self.world.store.canonical(self.issued, consistent=True)
        canonical = {each.contact_id: each for each in heads.values()}
        assert all(
            each.merged_into in canonical for each in read.values() if each.contact_id in heads.keys() - canonical
        )
        ids = (*map(crm_id, self.crm), *map(loyalty, range(next(self.cards))))
        for identifier, record in self.world.store.identifiers((*SHARED, *ids), consistent=True).items():
            having = {each.contact_id for each in canonical.values() if identifier in each.identifiers}
            assert record.claims.keys() == having  # of canonical contacts only: the paths have been shortened
            assert not identifier.exclusive or len(having) <= 1

    def _the_cache_says_what_the_tables_say(self) -> None:
        answered = self.lookup.find(SHARED, "", time.monotonic() + 5, Trace("t")).found
        records = self.world.store.identifiers(SHARED, consistent=True)
        owners = {owner for record in records.values() for owner in record.claims}
        heads, _ = self.world.store.canonical(owners, consistent=True)
        for identifier in SHARED:
            claims = records[identifier].claims if identifier in records else {}
            leading = {heads[owner].contact_id for owner in claims if owner in heads}
            found = answered[identifier].candidates
            assert found.count == len(leading)
            assert found.generic or set(found.contact_ids) == leading

    def _hear(self) -> None:
        for each in self.world.events(self.last_event):
            self.untold.append(each["event"]["detail"]["eventBody"]["id"])
            self.last_event = each["sequence"]

    def _hear_all(self) -> None:
        self._hear()
        for contact_id in dict.fromkeys(self.untold):
            self.events.follow(contact_id)
        self.untold = []

    def _reconcile(self, number: int) -> None:
        before = self.world.leads_to(crm_id(number))
        heads, _ = self.world.store.canonical(self.issued, consistent=True)
        ids = [each for each, head in heads.items() if head.contact_id in before]
        deleted = bool(before) and not any(map(self._in_genesys, before))
        (synced,) = self.sync.records([self.crm[number]])
        if synced.contact_id:
            self._issue(synced.contact_id)
        if synced.contact_id and deleted:  # the CRM still has the customer: the ids lead to the new contact
            self.renamed |= dict.fromkeys(ids, synced.contact_id)

    def _resume(self) -> None:
        for contact_id in filter(None, self.merging.resume().values()):
            self._issue(contact_id)

    def _issue(self, contact_id: str) -> None:
        if contact_id not in self.issued:
            self.issued.append(contact_id)

    def _one(self, which: int) -> str:
        return self.issued[which % len(self.issued)]

    def _head(self, which: int) -> str:
        """One of the contacts that the index takes for canonical."""
        heads, _ = self.world.store.canonical(self.issued, consistent=True)
        ids = list(dict.fromkeys(each.contact_id for each in heads.values())) or self.issued
        return ids[which % len(ids)]

    def _in_genesys(self, contact_id: str) -> str:
        try:
            return self.world.client.contacts.get(contact_id)["id"]
        except NotFoundError:
            return ""

    def _renamed(self, contact_id: str) -> str:
        while contact_id in self.renamed:
            contact_id = self.renamed[contact_id]
        return contact_id

    def _tree(self, contact_id: str) -> list[str]:
        """The id and all that Genesys had merged into it, but for what was taken out again."""
        shown = self.world.client.contacts.get_unresolved(contact_id)
        below = [each["id"] for each in shown.get("mergedFrom") or [] if each["id"] not in self.split_off]
        return [contact_id, *(each for one in below for each in self._tree(one))]


class Streams:
    """Both tables' streams, read as Lambda reads them."""

    def __init__(self, url: str, tables: list[str]) -> None:
        session = boto3.Session(region_name="eu-west-1")
        dynamodb, self._client = session.client("dynamodb"), session.client("dynamodbstreams", endpoint_url=url)
        self._iterators = []
        for table in tables:
            arn = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
            (shard,) = self._client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
            start = self._client.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )
            self._iterators.append(start["ShardIterator"])

    def read(self) -> list[Any]:
        """What is new; empty at the end."""
        records: list[Any] = []
        for index, iterator in enumerate(self._iterators):
            page = self._client.get_records(ShardIterator=iterator)
            records += page["Records"]
            self._iterators[index] = page["NextShardIterator"]
        return records


@pytest.fixture
def aws_of_this_process() -> Iterator[None]:
    """The AWS of the other tests in this process: most of the time would go to its HTTP server otherwise."""
    mock = mock_aws()
    mock.start(reset=False)
    yield
    mock.stop()


@pytest.mark.timeout(0)
def test_whatever_happens_in_whatever_order_both_sides_end_up_equal(
    aws_url: str, aws_of_this_process: None, genesys_emulator: Emulator, cache_server: CacheServer
) -> None:
    Graph.aws_url, Graph.emulator, Graph.cache_server = aws_url, genesys_emulator, cache_server
    run_state_machine_as_test(
        Graph,
        settings=settings(
            max_examples=INTERLEAVINGS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=(Phase.generate,),  # to make a failure smaller takes minutes here
        ),
    )
