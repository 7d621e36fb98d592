"""From the CRM's call to what the tables answer, with somebody in the way at every point."""

import pytest

from cir.genesys.identifiers import to_genesys
from sandbox.customers.salesforce import contact_id as account_id
from tests.support.sync_plane import crm_id, mobile
from tests.support.webhook_calls import PERSON, outbound_message
from tests.support.webhook_world import FIRST, LAST, World, record

deletes = pytest.mark.parametrize("world", ["delete"], indirect=True)


def test_a_tier_change_in_the_crm_is_what_the_next_call_is_routed_by(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.crm.set(1, Account_Tier__c="Standard")
    assert world.webhook.handler(outbound_message(("04l5g00000AAAAAAA1", account_id(1))), None)["statusCode"] == 200
    assert world.deliver() == []
    before = world.profile(1)
    assert before is not None
    assert before.customer_tier == "Standard"
    world.crm.set(1, Account_Tier__c="Platinum")
    assert world.webhook.handler(outbound_message(("04l5g00000AAAAAAA2", account_id(1))), None)["statusCode"] == 200
    assert world.deliver() == []
    after = world.profile(1)
    assert after is not None
    assert after.customer_tier == "Platinum"
    assert after.assigned_queue_id != before.assigned_queue_id
    out = capsys.readouterr().out
    assert "SyncLag" in out
    assert not any(secret in out for secret in (FIRST, LAST, mobile(1).value))


def test_doubled_late_and_reordered_changes_end_where_the_crm_is_for_one_fetch(world: World) -> None:
    world.crm.set(1, Account_Tier__c="Gold")
    world.crm.set(2, Account_Tier__c="Gold")
    for event in ("e1", "e2", "e3"):
        world.told(1, 2, event=event)
    assert world.deliver() == []
    assert world.crm.asked == [[account_id(1), account_id(2)]]
    writes = world.genesys.writes()
    world.told(1, 2, event="e0")
    assert world.deliver() == []
    assert world.genesys.writes() == writes


def test_an_account_that_nobody_knows_yet_is_made_and_one_that_is_gone_is_done_with(world: World) -> None:
    world.crm.set(1)
    world.told(1)
    world.told(2, deleted=True)
    assert world.deliver() == []
    assert world.profile(1) is not None
    assert world.profile(2) is None
    assert world.queues.undelivered() == []


@deletes
def test_a_deleted_account_is_deleted_where_that_is_the_policy(world: World) -> None:
    world.crm.set(1)
    world.told(1)
    world.deliver()
    (contact_id,) = world.plane.owners(mobile(1))
    del world.crm.records[account_id(1)]
    for event in ("e2", "e3"):
        world.told(1, deleted=True, event=event)
        assert world.deliver() == []
        assert world.plane.owners(mobile(1)) == world.plane.owners(crm_id(1)) == set()
    assert contact_id not in {each["id"] for each in world.genesys.contacts()}
    world.crm.set(1)
    world.told(1, event="undeleted")
    assert world.deliver() == []
    assert world.plane.owners(mobile(1)) == world.plane.owners(crm_id(1)) != set()


@deletes
def test_one_of_two_accounts_of_a_contact_takes_only_its_id_along(world: World) -> None:
    world.crm.set(1)
    world.crm.set(2)
    world.told(1, 2)
    world.deliver()
    from cir.contacts.organization import ExternalSources
    from cir.merge.merging import Merging

    client = world.genesys.client()
    merging = Merging(client, world.plane.store, ExternalSources(client))
    both = [*world.plane.owners(mobile(1)), *world.plane.owners(mobile(2))]
    plan = merging.plan(both, differing=["salesforce"])
    one = merging.merge(plan, by="ada", because="one person")
    del world.crm.records[account_id(2)]
    world.told(2, deleted=True, event="e2")
    assert world.deliver() == []
    assert world.plane.owners(crm_id(2)) == set()
    assert world.plane.owners(crm_id(1)) == world.plane.owners(mobile(2)) == {one}


@pytest.mark.parametrize("world", ["release"], indirect=True)
def test_a_deleted_account_leads_nowhere_where_that_is_the_policy(world: World) -> None:
    """The contact stays with its conversations, and with what the customer has given in one."""
    world.crm.set(1)
    world.told(1)
    world.deliver()
    (contact_id,) = world.plane.owners(mobile(1))
    world.crm.records.clear()
    for event in ("e2", "e3"):
        world.told(1, deleted=True, event=event)
        assert world.deliver() == []
        assert world.plane.owners(mobile(1)) == world.plane.owners(crm_id(1)) == set()
    assert contact_id in {each["id"] for each in world.genesys.contacts()}
    assert world.genesys.holder("Phone", mobile(1).value) is None


def test_a_deleted_account_stays_where_that_is_the_policy(world: World) -> None:
    world.crm.set(1)
    world.told(1)
    world.deliver()
    world.crm.records.clear()
    world.told(1, deleted=True, event="e2")
    assert world.deliver() == []
    assert world.profile(1) is not None


@deletes
def test_what_the_crm_has_not_committed_yet_is_asked_for_again(world: World) -> None:
    world.told(1)  # it is not there yet
    assert len(world.deliver()) == 1
    world.crm.set(1)
    assert world.deliver(receives=2) == []
    assert world.profile(1) is not None
    world.told(1, deleted=True, event="e2")  # it is still there
    assert len(world.deliver()) == 1
    assert world.profile(1) is not None
    del world.crm.records[account_id(1)]
    assert world.deliver(receives=2) == []
    assert world.profile(1) is None


def test_an_outage_loses_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        world.crm.set(number)
    world.told(1, 2)
    world.crm.fails = True
    assert len(world.deliver()) == 2
    world.crm.fails = False
    world.genesys.fail(status=403, operation="POST")
    assert len(world.deliver(receives=9)) == 2
    assert world.queues.undelivered() == []
    assert world.deliver(receives=10) == []
    assert None not in (world.profile(1), world.profile(2))
    assert FIRST not in capsys.readouterr().out


def test_poison_is_set_aside_with_its_reason_and_holds_up_nobody(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.crm.set(1)
    world.told(1)
    poison = {"source": "dynamics", "id": "x1", "deleted": False, "event_id": "e9", "received_at": 1.0}
    for body in (str(poison).replace("'", '"').replace("False", "false"), "{}", f'"{PERSON}"'):
        world.queues.sqs.send_message(
            QueueUrl=world.queues.url, MessageBody=body, MessageGroupId="other", MessageDeduplicationId=str(len(body))
        )
    assert world.deliver() == []
    assert world.profile(1) is not None
    reasons = [each["MessageAttributes"]["reason"]["StringValue"] for each in world.queues.undelivered()]
    assert [each.split(",")[0] for each in reasons] == [
        "the mapping is of salesforce",
        "the message has no 'source' that is a str",
        "the message is not a JSON object",
    ]
    assert PERSON not in capsys.readouterr().out + "".join(reasons)


def test_a_refused_record_is_tried_again_and_then_set_aside_until_it_is_mended(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.crm.set(1)
    world.told(1)
    world.deliver()
    (contact_id,) = world.plane.owners(crm_id(1))
    # an agent moves the CRM's id to a contact that they make; the index has it on the first one
    client, sources = world.genesys.client(), world.plane.organization.source_ids
    client.contacts.release(contact_id, to_genesys(crm_id(1), sources))
    external = {"value": account_id(1), "externalSource": {"id": sources["salesforce"]}}
    world.genesys.create(lastName=LAST, externalIds=[external])
    world.crm.set(1, Account_Tier__c="Gold")
    world.told(1, event="e2")
    assert [len(world.deliver(receives=number)) for number in (1, 2, 3)] == [1, 1, 0]
    (message,) = world.queues.undelivered()
    assert message["MessageAttributes"]["failure"]["StringValue"] == "refused"
    assert "take it off one of them" in message["MessageAttributes"]["reason"]["StringValue"]
    assert FIRST not in capsys.readouterr().out


def test_a_message_that_cannot_be_set_aside_is_handed_back_with_what_follows_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        world.crm.set(number)
    world.told(1)
    group = f"salesforce#{account_id(2)}"
    world.queues.sqs.send_message(
        QueueUrl=world.queues.url, MessageBody="{}", MessageGroupId=group, MessageDeduplicationId="x"
    )
    world.told(2)
    monkeypatch.setattr(world.sync, "_undelivered_url", "http://127.0.0.1:9/0/nowhere.fifo")
    queued = world.queues.receive()
    answer = world.sync.handler({"Records": [record(each, receives=1) for each in queued]}, None)
    failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
    assert failed == {each["MessageId"] for each in queued if each["Attributes"]["MessageGroupId"] == group}
    assert len(failed) == 2
