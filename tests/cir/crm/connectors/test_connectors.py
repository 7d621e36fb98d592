"""What every connector does, whichever CRM it reads: over HTTP, against an emulator of that CRM."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cir.crm.connector import Connector
from cir.crm.connectors import CrmError
from cir.crm.record import CrmRecord, read_record
from sandbox.crm.emulator import Emulator
from tests.support.crm_emulators import SECRET, World, Worlds, by_id, without

type AnyWorld = World[Emulator[Any]]


@pytest.fixture(params=["salesforce", "dynamics", "servicenow"])
def world(request: pytest.FixtureRequest, worlds: Worlds) -> AnyWorld:
    world: AnyWorld = getattr(worlds, request.param)
    world.reset()
    return world


def names(world: AnyWorld, connector: Connector, since: str = "") -> dict[str, str]:
    return {row.id: world.name(row) for row in connector.extract(since)}


# Everything, and what has changed


def test_everything_is_every_account_once_with_the_fields_that_the_mapping_reads(world: AnyWorld) -> None:
    ids = world.enter(23)
    world.accounts.delete(ids[5])
    world.emulator.settings.page_records = 10
    rows = list(world.connector().extract())
    assert sorted(row.id for row in rows) == sorted({*ids} - {ids[5]})
    assert {world.name(row) for row in rows} == {f"Person {number}" for number in range(23) if number != 5}
    assert not any(row.deleted for row in rows)
    record = read_record(rows[0].values, world.mapping, default_region="US")
    assert isinstance(record, CrmRecord)
    assert record.slots["cellPhone"].value.startswith("+1917555")


def test_only_what_the_mapping_names_leaves_the_crm(world: AnyWorld) -> None:
    ids = world.enter(3)
    connector = world.connector(mapping=without(world.mapping, "cellPhone"))
    rows = list(connector.extract())
    world.change(ids[0], lastName="Changed")
    rows += connector.extract(connector.next_point())
    rows += connector.fetch(ids)
    assert SECRET not in world.asked()
    assert world.column("cellPhone") not in world.asked()
    assert not [value for row in rows for value in row.values.values() if "secret" in value or "917555" in value]


def test_since_a_point_come_what_was_entered_changed_or_deleted_and_no_more(world: AnyWorld) -> None:
    ids = world.enter(8)
    world.accounts.clock.advance(timedelta(hours=1))
    point = world.since_now()
    world.accounts.clock.advance(timedelta(hours=1))
    world.change(ids[1], lastName="Changed")
    world.accounts.delete(ids[2])
    world.accounts.delete(ids[3])
    world.accounts.restore(ids[3])
    world.accounts.clock.advance(timedelta(hours=1))
    connector = world.connector()
    rows = by_id(connector.extract(point))
    assert {each: world.name(row) for each, row in rows.items() if not row.deleted} == {
        ids[1]: "Changed",
        ids[3]: "Person 3",
    }
    assert [row.id for row in rows.values() if row.deleted] == [ids[2]]
    assert not rows[ids[2]].values
    assert names(world, connector, connector.next_point()) == {}


def test_a_change_that_commits_while_an_extract_is_read_is_in_it_or_in_the_next(world: AnyWorld) -> None:
    ids = world.enter(30)
    world.emulator.settings.page_records = 10
    connector = world.connector()
    seen: dict[str, str] = {}
    for number, row in enumerate(connector.extract()):
        if number == 12:
            for each in (ids[0], ids[15], ids[29]):
                world.change(each, lastName="Changed")
            world.accounts.clock.advance(timedelta(minutes=20))
        seen[row.id] = world.name(row)
    seen |= names(world, connector, connector.next_point())
    assert len(seen) == 30
    assert {each for each, name in seen.items() if name == "Changed"} == {ids[0], ids[15], ids[29]}


@pytest.mark.parametrize("minutes", [9, 11])
def test_a_time_reaches_back_as_long_as_a_transaction_may_take(world: AnyWorld, minutes: int) -> None:
    """What was stamped before an extract and committed after it is in the next. A delta link knows without."""
    late = set(world.enter(2))
    world.accounts.clock.advance(timedelta(minutes=minutes))
    connector = world.connector()
    for _ in connector.extract():
        pass
    again = by_id(connector.extract(connector.next_point())).keys()
    assert again == (late if minutes == 9 and world.mapping.source != "dynamics" else set())


@pytest.mark.parametrize("seed", range(3))
def test_an_extract_that_is_killed_is_begun_again_from_its_point_and_loses_nothing(world: AnyWorld, seed: int) -> None:
    dice = random.Random(seed)
    ids = world.enter(40)
    world.emulator.settings.page_records = 7
    seen: dict[str, str] = {}
    connector, point = world.connector(), ""
    for step in range(6):
        world.accounts.clock.advance(timedelta(minutes=11))
        for each in dice.sample(ids, 6):
            world.change(each, lastName=f"Step {step}")
        until = dice.choice([3, 9, 1000])
        connector = world.connector()
        extract = connector.extract(point)
        for _ in range(until):
            row = next(extract, None)
            if row is None:
                point = connector.next_point()
                break
            seen[row.id] = world.name(row)
        else:
            with pytest.raises(ValueError, match="not read to its end"):
                connector.next_point()
    seen |= names(world, connector, point)
    assert seen == {each: world.accounts[each].fields[world.column("lastName")] for each in ids}


# One by id


def test_records_are_fetched_as_they_are_now_in_the_order_and_spelling_asked_for(world: AnyWorld) -> None:
    ids = world.enter(4)
    world.change(ids[0], lastName="Changed")
    world.accounts.delete(ids[1])
    asked = [ids[3], world.new_id(99), ids[0], "no id'); DROP", ids[1], ids[0]]
    rows = world.connector().fetch(asked)
    assert [row.id for row in rows] == asked
    assert [world.name(row) for row in rows] == ["Person 3", "", "Changed", "", "", "Changed"]
    assert [row.deleted for row in rows] == [False, True, False, True, True, False]
    assert "DROP" not in world.asked()


def test_nothing_is_asked_for_no_ids(world: AnyWorld) -> None:
    assert world.connector().fetch([]) == []
    assert world.emulator.calls == []


def test_many_ids_are_fetched_in_few_requests(world: AnyWorld) -> None:
    ids = world.enter(230)
    assert len(by_id(world.connector().fetch(ids))) == 230
    assert len(world.data_calls()) <= 5


# Tokens


def test_one_token_serves_until_it_ends_and_a_new_one_is_fetched_once(world: AnyWorld) -> None:
    ids = world.enter(30)
    world.emulator.settings.page_records = 10
    connector = world.connector()
    seen = []
    for number, row in enumerate(connector.extract()):
        if number == 5:
            world.emulator.end_sessions()
        seen.append(row.id)
    assert sorted(seen) == sorted(ids)
    connector.fetch(ids[:1])
    assert world.emulator.logins == 2


def test_a_token_is_renewed_before_it_ends_where_the_crm_says_when(world: AnyWorld) -> None:
    ids = world.enter(1)
    connector = world.connector()
    connector.fetch(ids)
    world.accounts.clock.advance(timedelta(seconds=world.emulator.settings.token_seconds - 30))
    connector.fetch(ids)
    assert 401 not in {call.status for call in world.emulator.calls}
    assert world.emulator.logins == (1 if world.mapping.source == "salesforce" else 2)


def test_a_wrong_secret_is_told_without_it(world: AnyWorld) -> None:
    with pytest.raises(CrmError, match="does not accept the OAuth client") as refused:
        world.connector(secret="wrong-secret").fetch(world.enter(1))
    assert "wrong-secret" not in str(refused.value)
    assert not refused.value.temporary


def test_a_session_that_is_refused_again_and_again_is_not_asked_for_for_ever(world: AnyWorld) -> None:
    world.emulator.fail(401, count=50)
    with pytest.raises(CrmError) as refused:
        list(world.connector().extract())
    assert refused.value.status == 401
    assert world.emulator.logins == 2


# Limits and outages


def test_a_crm_that_throttles_is_left_alone_for_as_long_as_it_says(world: AnyWorld) -> None:
    ids = world.enter(30)
    world.emulator.settings.page_records = 10
    connector = world.connector()
    seen = []
    for number, row in enumerate(connector.extract()):
        if number == 5:
            world.emulator.fail(429, retry_after=17)
            world.emulator.fail(503)
        seen.append(row.id)
    assert sorted(seen) == sorted(ids)
    assert [pause for pause in world.pauses if pause >= 17] == [17.5]


def test_a_crm_that_stays_down_ends_it_as_temporary_and_the_point_stays(world: AnyWorld) -> None:
    world.enter(3)
    connector = world.connector()
    world.emulator.fail(503, count=100)
    with pytest.raises(CrmError) as failed:
        list(connector.extract())
    assert failed.value.temporary
    assert failed.value.status == 503
    with pytest.raises(ValueError, match="not read to its end"):
        connector.next_point()


def test_a_single_record_is_not_waited_for_long_because_a_queue_is_behind_it(world: AnyWorld) -> None:
    ids = world.enter(1)
    world.emulator.fail(429, retry_after=60)
    with pytest.raises(CrmError) as failed:
        world.connector().fetch(ids)
    assert failed.value.temporary
    assert world.pauses == []


def test_a_crm_that_cannot_be_reached_is_temporary_and_quotes_no_query(world: AnyWorld) -> None:
    with pytest.raises(CrmError, match="no answer from") as failed:
        world.connector(url="http://127.0.0.1:1").fetch([world.new_id(0)])
    assert failed.value.temporary
    assert world.new_id(0) not in str(failed.value)


# Mistakes in the mapping


def test_an_object_that_is_not_there_says_so(world: AnyWorld) -> None:
    world.enter(1)
    with pytest.raises(CrmError, match="mapping") as refused:
        list(world.connector(mapping=replace(world.mapping, object="nothing")).extract())
    assert not refused.value.temporary


def test_a_field_that_is_not_there_stops_the_extract_instead_of_emptying_it(world: AnyWorld) -> None:
    ids = world.enter(2)
    mapping = replace(world.mapping, columns={**world.mapping.columns, "no_such_field": "otherEmail2"})
    connector = world.connector(mapping=mapping)
    with pytest.raises(CrmError):
        list(connector.extract())
    with pytest.raises(CrmError):
        connector.fetch(ids)


def test_errors_pass_on_the_code_and_never_the_text_of_the_crm(world: AnyWorld) -> None:
    world.enter(1)
    world.emulator.fail(400, "Ann Winterbourne <ann@example.com> is locked")
    with pytest.raises(CrmError) as failed:
        list(world.connector().extract())
    told = f"{failed.value} {failed.value.code} {failed.value.__cause__} {failed.value.__context__}"
    assert "Ann" not in told
    assert "as it was ordered" not in told
