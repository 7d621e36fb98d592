"""From the CRM's call to what the tables answer, with somebody in the way at every point."""

import pytest

from cir.genesys.identifiers import to_genesys
from sandbox.customers.salesforce import contact_id as account_id
from tests.support.sync_plane import crm_id, mobile
from tests.support.webhook_calls import PERSON, outbound_message
from tests.support.webhook_world import FIRST, LAST, WebhookWorld, record

deletes = pytest.mark.parametrize("webhooks", ["delete"], indirect=True)


def test_a_tier_change_in_the_crm_is_what_the_next_call_is_routed_by(
    webhooks: WebhookWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    webhooks.crm.set(1, Account_Tier__c="Standard")
    assert webhooks.webhook(outbound_message(("04l5g00000AAAAAAA1", account_id(1))), None)["statusCode"] == 200
    assert webhooks.deliver() == []
    before = webhooks.profile(1)
    assert before is not None
    assert before.customer_tier == "Standard"
    webhooks.crm.set(1, Account_Tier__c="Platinum")
    assert webhooks.webhook(outbound_message(("04l5g00000AAAAAAA2", account_id(1))), None)["statusCode"] == 200
    assert webhooks.deliver() == []
    after = webhooks.profile(1)
    assert after is not None
    assert after.customer_tier == "Platinum"
    assert after.assigned_queue_id != before.assigned_queue_id
    out = capsys.readouterr().out
    assert "SyncLag" in out
    assert not any(secret in out for secret in (FIRST, LAST, mobile(1).value))


def test_doubled_late_and_reordered_changes_end_where_the_crm_is_for_one_fetch(webhooks: WebhookWorld) -> None:
    webhooks.crm.set(1, Account_Tier__c="Gold")
    webhooks.crm.set(2, Account_Tier__c="Gold")
    for event in ("e1", "e2", "e3"):
        webhooks.told(1, 2, event=event)
    assert webhooks.deliver() == []
    assert webhooks.crm.asked == [[account_id(1), account_id(2)]]
    writes = webhooks.genesys.writes()
    webhooks.told(1, 2, event="e0")
    assert webhooks.deliver() == []
    assert webhooks.genesys.writes() == writes


def test_an_account_that_nobody_knows_yet_is_made_and_one_that_is_gone_is_done_with(webhooks: WebhookWorld) -> None:
    webhooks.crm.set(1)
    webhooks.told(1)
    webhooks.told(2, deleted=True)
    assert webhooks.deliver() == []
    assert webhooks.profile(1) is not None
    assert webhooks.profile(2) is None
    assert webhooks.queues.undelivered() == []


@deletes
def test_a_deleted_account_is_deleted_where_that_is_the_policy(webhooks: WebhookWorld) -> None:
    webhooks.crm.set(1)
    webhooks.told(1)
    webhooks.deliver()
    (contact_id,) = webhooks.plane.owners(mobile(1))
    del webhooks.crm.records[account_id(1)]
    for event in ("e2", "e3"):
        webhooks.told(1, deleted=True, event=event)
        assert webhooks.deliver() == []
        assert webhooks.plane.owners(mobile(1)) == webhooks.plane.owners(crm_id(1)) == set()
    assert contact_id not in {each["id"] for each in webhooks.genesys.contacts()}
    webhooks.crm.set(1)
    webhooks.told(1, event="undeleted")
    assert webhooks.deliver() == []
    assert webhooks.plane.owners(mobile(1)) == webhooks.plane.owners(crm_id(1)) != set()


@deletes
def test_one_of_two_accounts_of_a_contact_takes_only_its_id_along(webhooks: WebhookWorld) -> None:
    webhooks.crm.set(1)
    webhooks.crm.set(2)
    webhooks.told(1, 2)
    webhooks.deliver()
    from cir.contacts.organization import ExternalSources
    from cir.merge.merging import Merging

    client = webhooks.genesys.client()
    merging = Merging(client, webhooks.plane.store, ExternalSources(client))
    both = [*webhooks.plane.owners(mobile(1)), *webhooks.plane.owners(mobile(2))]
    plan = merging.plan(both, differing=["salesforce"])
    one = merging.merge(plan, by="ada", because="one person")
    del webhooks.crm.records[account_id(2)]
    webhooks.told(2, deleted=True, event="e2")
    assert webhooks.deliver() == []
    assert webhooks.plane.owners(crm_id(2)) == set()
    assert webhooks.plane.owners(crm_id(1)) == webhooks.plane.owners(mobile(2)) == {one}


@pytest.mark.parametrize("webhooks", ["release"], indirect=True)
def test_a_deleted_account_leads_nowhere_where_that_is_the_policy(webhooks: WebhookWorld) -> None:
    """The contact stays with its conversations, and with what the customer has given in one."""
    webhooks.crm.set(1)
    webhooks.told(1)
    webhooks.deliver()
    (contact_id,) = webhooks.plane.owners(mobile(1))
    webhooks.crm.records.clear()
    for event in ("e2", "e3"):
        webhooks.told(1, deleted=True, event=event)
        assert webhooks.deliver() == []
        assert webhooks.plane.owners(mobile(1)) == webhooks.plane.owners(crm_id(1)) == set()
    assert contact_id in {each["id"] for each in webhooks.genesys.contacts()}
    assert webhooks.genesys.holder("Phone", mobile(1).value) is None


def test_a_deleted_account_stays_where_that_is_the_policy(webhooks: WebhookWorld) -> None:
    webhooks.crm.set(1)
    webhooks.told(1)
    webhooks.deliver()
    webhooks.crm.records.clear()
    webhooks.told(1, deleted=True, event="e2")
    assert webhooks.deliver() == []
    assert webhooks.profile(1) is not None


@deletes
def test_what_the_crm_has_not_committed_yet_is_asked_for_again(webhooks: WebhookWorld) -> None:
    webhooks.told(1)  # it is not there yet
    assert len(webhooks.deliver()) == 1
    webhooks.crm.set(1)
    assert webhooks.deliver(receives=2) == []
    assert webhooks.profile(1) is not None
    webhooks.told(1, deleted=True, event="e2")  # it is still there
    assert len(webhooks.deliver()) == 1
    assert webhooks.profile(1) is not None
    del webhooks.crm.records[account_id(1)]
    assert webhooks.deliver(receives=2) == []
    assert webhooks.profile(1) is None


def test_an_outage_loses_nothing(webhooks: WebhookWorld, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2):
        webhooks.crm.set(number)
    webhooks.told(1, 2)
    webhooks.crm.fails = True
    assert len(webhooks.deliver()) == 2
    webhooks.crm.fails = False
    webhooks.genesys.fail(status=403, operation="POST")
    assert len(webhooks.deliver(receives=9)) == 2
    assert webhooks.queues.undelivered() == []
    assert webhooks.deliver(receives=10) == []
    assert None not in (webhooks.profile(1), webhooks.profile(2))
    assert FIRST not in capsys.readouterr().out


def test_poison_is_set_aside_with_its_reason_and_holds_up_nobody(
    webhooks: WebhookWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    webhooks.crm.set(1)
    webhooks.told(1)
    poison = {"source": "dynamics", "id": "x1", "deleted": False, "event_id": "e9", "received_at": 1.0}
    for body in (str(poison).replace("'", '"').replace("False", "false"), "{}", f'"{PERSON}"'):
        webhooks.queues.sqs.send_message(
            QueueUrl=webhooks.queues.url,
            MessageBody=body,
            MessageGroupId="other",
            MessageDeduplicationId=str(len(body)),
        )
    assert webhooks.deliver() == []
    assert webhooks.profile(1) is not None
    reasons = [each["MessageAttributes"]["reason"]["StringValue"] for each in webhooks.queues.undelivered()]
    assert [each.split(",")[0] for each in reasons] == [
        "the mapping is of salesforce",
        "the message has no 'source' that is a str",
        "the message is not a JSON object",
    ]
    assert PERSON not in capsys.readouterr().out + "".join(reasons)


def test_a_refused_record_is_tried_again_and_then_set_aside_until_it_is_mended(
    webhooks: WebhookWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    webhooks.crm.set(1)
    webhooks.told(1)
    webhooks.deliver()
    (contact_id,) = webhooks.plane.owners(crm_id(1))
    # an agent moves the CRM's id to a contact that they make; the index has it on the first one
    client, sources = webhooks.genesys.client(), webhooks.plane.organization.source_ids
    client.contacts.release(contact_id, to_genesys(crm_id(1), sources))
    external = {"value": account_id(1), "externalSource": {"id": sources["salesforce"]}}
    webhooks.genesys.create(lastName=LAST, externalIds=[external])
    webhooks.crm.set(1, Account_Tier__c="Gold")
    webhooks.told(1, event="e2")
    assert [len(webhooks.deliver(receives=number)) for number in (1, 2, 3)] == [1, 1, 0]
    (message,) = webhooks.queues.undelivered()
    assert message["MessageAttributes"]["failure"]["StringValue"] == "refused"
    assert "take it off one of them" in message["MessageAttributes"]["reason"]["StringValue"]
    assert FIRST not in capsys.readouterr().out


def test_a_message_that_cannot_be_set_aside_is_handed_back_with_what_follows_it(webhooks: WebhookWorld) -> None:
    for number in (1, 2):
        webhooks.crm.set(number)
    webhooks.told(1)
    group = f"salesforce#{account_id(2)}"
    webhooks.queues.sqs.send_message(
        QueueUrl=webhooks.queues.url, MessageBody="{}", MessageGroupId=group, MessageDeduplicationId="x"
    )
    webhooks.told(2)
    sync = webhooks.sync(undelivered_url="http://127.0.0.1:9/0/nowhere.fifo")
    queued = webhooks.queues.receive()
    answer = sync({"Records": [record(each, receives=1) for each in queued]}, None)
    failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
    assert failed == {each["MessageId"] for each in queued if each["Attributes"]["MessageGroupId"] == group}
    assert len(failed) == 2
