"""Survivorship: which value each field has when contacts are combined, by which rule, and what is lost. Pure."""

from itertools import permutations
from typing import Any, cast

import pytest

from cir.genesys.models import Contact
from cir.merge.survivorship import FIELDS, Combined, Loss, Part, Survivor, combine, part, same

JANUARY, FEBRUARY, MARCH = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"


def crm(contact_id: str, modified: str = JANUARY, **fields: Any) -> Part:
    return Part(contact_id, {"modifyDate": modified, **fields}, from_crm=True)


def agent(contact_id: str, modified: str = JANUARY, **fields: Any) -> Part:
    return Part(contact_id, {"modifyDate": modified, **fields}, from_crm=False)


def combined(parts: list[Part]) -> Combined:
    """The same whatever order they come in."""
    (result,) = {repr(each): each for each in map(combine, permutations(parts))}.values()
    return result


def phone(number: str, **more: Any) -> dict[str, Any]:
    return {"display": number, **more}


@pytest.mark.parametrize(
    ("parts", "value", "rule", "lost"),
    [
        ([agent("a", title="Dr"), agent("b")], "Dr", "only value", []),
        ([agent("a", title="Dr"), agent("b", MARCH, title="DR")], "DR", "only value", []),  # says the same
        ([crm("a", title="Dr"), agent("b", MARCH, title="Professor")], "Dr", "from the CRM", ["Professor"]),
        ([crm("a", FEBRUARY, title="Dr"), crm("b", MARCH, title="Mr")], "Mr", "modified last", ["Dr"]),
        ([agent("a", FEBRUARY, title="Dr"), agent("b", title="Professor")], "Dr", "modified last", ["Professor"]),
        ([agent("a", title="Dr"), agent("b", title="Professor")], "Professor", "longest", ["Dr"]),
        ([agent("a", title="Mr"), agent("b", title="Dr")], "Mr", "longest", ["Dr"]),  # alike in all: the first id
        ([crm("a", title="Dr"), crm("b", title="Professor")], "Professor", "longest", ["Dr"]),
        # The longest of those that are equal, never of those behind them.
        (
            [agent("a", MARCH, title="Dr"), agent("b", MARCH, title="Prof"), agent("c", title="Professor")],
            *("Prof", "longest", ["Dr", "Professor"]),
        ),
        # The first in rank has no title: what it is modified says nothing about the others.
        (
            [crm("a", MARCH), agent("b", FEBRUARY, title="Dr"), agent("c", title="Professor")],
            "Dr",
            "modified last",
            ["Professor"],
        ),
        ([crm("a", title="Dr"), crm("b", title="Mr"), agent("c", title="Prof")], "Dr", "longest", ["Mr", "Prof"]),
    ],
)
def test_of_a_field_with_one_value_the_first_in_rank_wins(
    parts: list[Part], value: str, rule: str, lost: list[str]
) -> None:
    result = combined(parts)
    (survivor,) = result.survivors
    assert (survivor.field, survivor.value, survivor.rule) == ("title", value, rule)
    assert [survivor.value] == [each.fields["title"] for each in parts if each.contact_id == survivor.contact_id]
    assert sorted(each.value for each in result.losses) == lost
    assert all(each.field == "title" for each in result.losses)


def test_a_loss_names_whose_value_it_was() -> None:
    assert combined([crm("a", title="Dr"), agent("b", title="Mr")]).losses == (Loss("title", "Mr", "b"),)


def test_every_field_is_judged_by_itself() -> None:
    result = combined([crm("a", firstName="Ann"), agent("b", firstName="Anne", lastName="Lee", surveyOptOut=True)])
    assert result.body == {"firstName": "Ann", "lastName": "Lee", "surveyOptOut": True}
    assert {each.field: each.contact_id for each in result.survivors} == {
        "firstName": "a",
        "lastName": "b",
        "surveyOptOut": "b",
    }


ONE, TWO, THREE, FOUR, FIVE = (phone(f"+1212555010{number}") for number in range(1, 6))


@pytest.mark.parametrize(
    ("parts", "survivors", "losses"),
    [
        (
            [crm("a", workPhone=ONE), agent("b", workPhone=TWO, homePhone=THREE)],
            [
                Survivor("workPhone", ONE, "a", "keeps its field"),
                Survivor("cellPhone", TWO, "b", "moved here from workPhone"),
                Survivor("homePhone", THREE, "b", "keeps its field"),
            ],
            [],
        ),
        # Who stands where is settled before anybody moves: the one who is moved takes nobody's field.
        (
            [crm("a", workPhone=ONE), agent("b", MARCH, workPhone=TWO), agent("c", cellPhone=THREE)],
            [
                Survivor("workPhone", ONE, "a", "keeps its field"),
                Survivor("cellPhone", THREE, "c", "keeps its field"),
                Survivor("homePhone", TWO, "b", "moved here from workPhone"),
            ],
            [],
        ),
        # One number is kept once, in the field of the first in rank.
        (
            [crm("a", workPhone=ONE), agent("b", cellPhone=ONE)],
            [Survivor("workPhone", ONE, "a", "keeps its field")],
            [],
        ),
        # A number with an extension is another one; what may be sent to it makes no difference.
        (
            [
                crm("a", workPhone=ONE),
                agent("b", workPhone=ONE | {"extension": 7}, cellPhone=ONE | {"acceptsSMS": True}),
            ],
            [
                Survivor("workPhone", ONE, "a", "keeps its field"),
                Survivor("cellPhone", ONE | {"extension": 7}, "b", "moved here from workPhone"),
            ],
            [],
        ),
        (
            [
                crm("a", workPhone=ONE, cellPhone=TWO, homePhone=THREE),
                agent("b", MARCH, workPhone=FOUR),
                agent("c", workPhone=FIVE),
            ],
            [
                Survivor("workPhone", ONE, "a", "keeps its field"),
                Survivor("cellPhone", TWO, "a", "keeps its field"),
                Survivor("homePhone", THREE, "a", "keeps its field"),
                Survivor("otherPhone", FOUR, "b", "moved here from workPhone"),
            ],
            [Loss("workPhone", FIVE, "c")],
        ),
        (
            [
                crm("a", workEmail="ann@example.org"),
                agent("b", workEmail="ANN@example.org", otherEmail="lee@example.org"),
            ],
            [
                Survivor("workEmail", "ann@example.org", "a", "keeps its field"),
                Survivor("otherEmail", "lee@example.org", "b", "keeps its field"),
            ],
            [],
        ),
        # Three fields for addresses, and none of a phone's.
        (
            [
                agent("a", MARCH, workEmail="a@x.org", personalEmail="b@x.org", otherEmail="c@x.org"),
                agent("b", otherEmail="d@x.org"),
            ],
            [
                Survivor("workEmail", "a@x.org", "a", "keeps its field"),
                Survivor("personalEmail", "b@x.org", "a", "keeps its field"),
                Survivor("otherEmail", "c@x.org", "a", "keeps its field"),
            ],
            [Loss("otherEmail", "d@x.org", "b")],
        ),
    ],
)
def test_phones_and_addresses_are_all_kept_while_there_are_fields(
    parts: list[Part], survivors: list[Survivor], losses: list[Loss]
) -> None:
    result = combined(parts)
    assert (list(result.survivors), list(result.losses)) == (survivors, losses)


def ids(*values: str, source: str = "salesforce") -> list[dict[str, Any]]:
    return [{"externalSource": {"id": source}, "value": value} for value in values]


def test_ids_are_united_in_the_order_of_the_rank_and_each_is_there_once() -> None:
    result = combined([agent("b", MARCH, externalIds=ids("2", "1")), crm("a", externalIds=ids("1"))])
    assert result.survivors == (Survivor("externalIds", ids("1", "2"), "", "all of them"),)
    assert result.losses == ()


def test_the_eleventh_id_is_lost() -> None:
    first, last = ids(*"012345678"), ids("9", "10", "0")
    result = combined([agent("a", MARCH, externalIds=first), agent("b", externalIds=last)])
    assert result.body == {"externalIds": [*first, *ids("9")]}
    assert result.losses == (Loss("externalIds", ids("10")[0], "b"),)


def schema(name: str, version: int) -> dict[str, Any]:
    return {"id": name, "version": version}


def test_custom_fields_of_one_schema_are_united_by_rank_under_its_newest_version() -> None:
    result = combined(
        [
            crm("a", schema=schema("customer", 1), customFields={"tier": "Gold", "status": "Active"}),
            agent("b", MARCH, schema=schema("customer", 3), customFields={"tier": "Silver", "status": "ACTIVE"}),
            agent("c", FEBRUARY, schema=schema("customer", 2), customFields={"language": "de"}),
            agent("d"),
        ]
    )
    assert result.survivors == (
        Survivor("schema", schema("customer", 3), "", "newest version"),
        Survivor(
            *("customFields", {"tier": "Gold", "status": "Active", "language": "de"}),
            *("", "each by the rank of its contact"),
        ),
    )
    assert result.losses == (Loss("customFields.tier", "Silver", "b"),)


def test_custom_fields_of_another_schema_mean_something_else() -> None:
    """Even where name and value are the same, and however new their version is."""
    result = combined(
        [
            agent("a", MARCH, schema=schema("customer", 1), customFields={"tier": "Gold"}),
            agent("b", FEBRUARY, schema=schema("supplier", 9), customFields={"tier": "Gold", "rating": 5}),
            agent("c", schema=schema("customer", 2), customFields={"rating": 1}),
        ]
    )
    assert result.body == {"schema": schema("customer", 2), "customFields": {"tier": "Gold", "rating": 1}}
    assert result.losses == (Loss("customFields.tier", "Gold", "b"), Loss("customFields.rating", 5, "b"))


def test_a_schema_without_values_stays() -> None:
    assert combined([agent("a", schema=schema("customer", 1)), agent("b")]).body == {"schema": schema("customer", 1)}


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Ann", "ANN", True),
        ("Ann", "Anne", False),
        ("straße", "STRASSE", True),
        (ONE, ONE | {"acceptsSMS": True}, True),
        (ONE, TWO, False),
        (ONE, ONE | {"extension": 7}, False),
        (ONE | {"extension": 7}, ONE | {"extension": 7}, True),
        ({"city": "Bonn", "street": "Weg 1"}, {"street": "weg 1", "city": "BONN"}, True),
        ({"city": "Bonn"}, {"city": "Bonn", "street": "Weg 1"}, False),
        ({"city": "Bonn"}, {"street": "Bonn"}, False),
        (["a", "b"], ["A", "B"], True),
        (["a", "b"], ["b", "a"], False),
        ({"phoneNumber": ONE}, {"phoneNumber": ONE | {"acceptsSMS": True}}, True),
        (1, 1, True),
        (1, 2, False),
        (True, False, False),
    ],
)
def test_values_that_say_the_same(one: Any, other: Any, alike: bool) -> None:
    assert (same(one, other), same(other, one)) == (alike, alike)


@pytest.mark.parametrize(
    ("shown", "written"),
    [
        ({"firstName": "Ann", "division": {"id": "home"}, "mergeSet": [{"id": "x"}]}, {"firstName": "Ann"}),
        ({"firstName": "", "lastName": None, "externalIds": [], "customFields": {}, "address": {}}, {}),
        ({"surveyOptOut": False}, {}),
        ({"surveyOptOut": True}, {"surveyOptOut": True}),
        (
            {
                "workPhone": {
                    "display": "0212 555",
                    "e164": "+12125550101",
                    "extension": 7,
                    "acceptsSMS": False,
                    "countryCode": "US",
                }
            },
            {"workPhone": {"display": "+12125550101", "extension": 7, "acceptsSMS": False}},
        ),
        ({"cellPhone": {"display": "not a number"}}, {"cellPhone": {"display": "not a number"}}),
        (
            {"externalIds": [{"externalSource": {"id": "s", "selfUri": "/s"}, "value": "1", "dateCreated": JANUARY}]},
            {"externalIds": [{"externalSource": {"id": "s"}, "value": "1"}]},
        ),
        ({"externalOrganization": {"id": "o", "name": "Acme", "selfUri": "/o"}}, {"externalOrganization": {"id": "o"}}),
        ({"schema": {"id": "c", "version": 2, "name": "customer"}}, {"schema": {"id": "c", "version": 2}}),
        (
            {"whatsAppId": {"displayName": "Ann", "phoneNumber": {"e164": "+12125550101", "display": "+1 212"}}},
            {"whatsAppId": {"displayName": "Ann", "phoneNumber": {"display": "12125550101"}}},
        ),
        (
            {"whatsAppId": {"phoneNumber": {"display": "12125550101"}}},
            {"whatsAppId": {"phoneNumber": {"display": "12125550101"}}},
        ),
        ({"customFields": {"tier": "Gold"}}, {"customFields": {"tier": "Gold"}}),
    ],
)
def test_of_a_contact_that_is_taken_which_can_be_written(shown: dict[str, Any], written: dict[str, Any]) -> None:
    taken = part(cast(Contact, {"id": "a", "modifyDate": MARCH, **shown}), from_crm=True)
    assert taken == Part("a", written | {"modifyDate": MARCH}, from_crm=True)
    assert set(written) <= set(FIELDS)


def test_a_contact_that_was_never_modified_ranks_last() -> None:
    """Genesys leaves the date out then."""
    never, once = part({"id": "a", "title": "Dr"}, from_crm=False), agent("b", title="Mr")
    assert combined([never, once]).body == {"title": "Mr"}
