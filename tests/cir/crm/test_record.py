"""A CRM row through the mapping: what may leave the CRM, what is refused at the boundary, how it is normalised."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from cir.crm.mapping import SHIPPED, CrmMapping, MappingError, OnDelete, Winner, load_mapping
from cir.crm.protected import Kind, find_protected
from cir.crm.record import CrmRecord, Problem, read_record
from cir.identity.parsing.regions import UNKNOWN_REGION, read_region

MAPPING = load_mapping(SHIPPED / "salesforce.json")
ANN = {
    "Id": "0035g00000AbCdEAAX",
    "FirstName": " Ann ",
    "LastName": "van der\tBerg\n",
    "Phone": "(212) 555-0188",
    "MobilePhone": "+1 917 555 0142",
    "Email": "Ann.Berg@Example.COM",
    "WhatsApp__c": "447700900123",
    "Twitter__c": "@annberg",
    "Loyalty_Number__c": "GLD-98765",
    "Account_Tier__c": "Gold",
    "MailingCountry": "United States",
}
VISA = "4111 1111 1111 1111"
IBAN = "DE89 3704 0044 0532 0130 00"


def read(row: Mapping[str, str], mapping: CrmMapping = MAPPING) -> CrmRecord:
    record = read_record(row, mapping, default_region="US")
    assert isinstance(record, CrmRecord)
    return record


def problems(row: Mapping[str, str]) -> dict[str, str]:
    return {problem.column: str(problem) for problem in read(row).problems}


@pytest.mark.parametrize("column", ["FirstName", "Email", "MobilePhone", "Loyalty_Number__c", "Account_Tier__c"])
def test_half_a_character_is_left_out_and_said(column: str) -> None:
    half, said = "Ann \ud83d", "holds half a character, as if the CRM had cut it in two"
    ann = read({**ANN, column: half})
    assert problems({**ANN, column: half})[column] == f"{column}: {said}"
    json.dumps([*ann.texts.values(), *(each.value for each in ann.identifiers)], ensure_ascii=False).encode()
    refused = read_record({**ANN, "Id": "0035g\ud83d"}, MAPPING, default_region="US")
    assert isinstance(refused, Problem)
    str(refused).encode()


def test_a_row_becomes_a_normalised_record() -> None:
    ann = read(ANN)
    assert ann.id.key == "external#salesforce#0035g00000abcdeaax"
    assert ann.texts == {"firstName": "Ann", "lastName": "van der Berg", "customerTier": "Gold"}
    assert {slot: each.value for slot, each in ann.slots.items()} == {
        "workPhone": "+12125550188",
        "cellPhone": "+19175550142",
        "workEmail": "Ann.Berg@example.com",
        "whatsApp": "+447700900123",
        "twitter": "annberg",
    }
    assert [each.key for each in ann.external] == ["external#loyalty#gld-98765"]
    assert ann.problems == ()


def test_columns_that_the_mapping_does_not_name_are_not_looked_at() -> None:
    assert read({**ANN, "Diagnosis__c": "E11.9", "Card__c": VISA}) == read(ANN)


def test_a_bad_value_is_left_out_and_reported_masked() -> None:
    row = {**ANN, "Phone": "call me maybe", "Email": "ann.berg[at]example", "Loyalty_Number__c": "n/a"}
    ann = read(row)
    assert "workPhone" not in ann.slots
    assert "workEmail" not in ann.slots
    assert ann.external == ()
    told = problems(row)
    assert told.keys() == {"Phone", "Email", "Loyalty_Number__c"}
    assert told["Phone"].endswith("(••••••be)")
    assert not [text for text in told.values() if "call me" in text or "ann.berg" in text]


@pytest.mark.parametrize(("column", "value"), [("Id", ""), ("Id", "short"), ("Id", "0035g00000AbCdEAA!")])
def test_without_a_usable_id_there_is_no_record(column: str, value: str) -> None:
    refused = read_record({**ANN, column: value}, MAPPING, default_region="US")
    assert isinstance(refused, Problem)
    assert refused.column == "Id"
    assert refused.reason


def test_one_number_in_two_columns_is_one_identifier() -> None:
    ann = read({**ANN, "Phone": "+19175550142"})
    assert [slot for slot, each in ann.slots.items() if each.value == "+19175550142"] == ["workPhone"]
    assert len(ann.identifiers) == len(set(ann.identifiers))


def test_what_genesys_would_refuse_for_its_length_costs_only_itself() -> None:
    row = {**ANN, "Title": "x" * 1001, "Account_Tier__c": "y" * 101, "LastName": "z" * 1000}
    assert problems(row).keys() == {"Title", "Account_Tier__c"}
    assert read(row).texts["lastName"] == "z" * 1000


# Protected values


@pytest.mark.parametrize("column", ["FirstName", "Title", "Status__c", "Loyalty_Number__c", "Phone", "Email"])
@pytest.mark.parametrize(("value", "kind"), [(VISA, "card number"), (IBAN, "bank account")])
def test_card_and_account_numbers_stay_in_the_crm_whatever_field_they_stand_in(
    column: str, value: str, kind: str
) -> None:
    row = {**ANN, column: value}
    told = problems(row)[column]
    assert f"looks like a {kind}" in told
    assert value not in told
    assert value not in repr(read(row))


def test_a_column_of_ids_may_be_declared_to_look_like_cards_and_to_have_a_length(tmp_path: Path) -> None:
    row = {"contactid": "c-1", "card": "4111111111111111"}
    columns = {"card": "external:loyalty"}
    plain = mapping_of(tmp_path / "plain.json", columns=columns)
    declared = mapping_of(
        tmp_path / "own.json", columns=columns, ids={"card": {"mayLookLikeCard": True, "shortest": 10}}
    )
    assert [each.value for each in read(row, plain).external] == []
    assert [each.value for each in read(row, declared).external] == ["4111111111111111"]
    short = read(row | {"card": "4111"}, declared)
    assert (short.external, short.problems[-1].reason) == (
        (), "shorter than the 10 characters that such an id has",
    )  # fmt: skip


@pytest.mark.parametrize(
    "ids",
    [
        [],
        {"nobody": {"shortest": 3}},
        {"card": {"shortest": "3"}},
        {"card": {"minimum": 3}},
        {"card": {"mayLookLikeCard": 1}},
        {"card": {"mayLookLikeNationalId": "yes"}},
        {"card": 3},
    ],
)
def test_a_rule_for_ids_that_means_nothing_is_refused(tmp_path: Path, ids: object) -> None:
    with pytest.raises(MappingError, match="id"):
        mapping_of(tmp_path / "own.json", columns={"card": "external:loyalty"}, ids=ids)


def test_a_phone_number_whose_digits_add_up_like_a_card_is_still_a_phone_number() -> None:
    number = "+4915112345603"
    protected = find_protected(number)
    assert protected
    assert protected.kind is Kind.CARD
    assert read({**ANN, "Phone": number}).slots["workPhone"].value == number


# Countries


@pytest.mark.parametrize(
    ("country", "region"),
    [
        ("", "US"),
        ("GB", "GB"),
        ("uk", "GB"),
        ("Scotland", "GB"),
        ("DEUTSCHLAND", "DE"),
        ("deu", "DE"),
        ("Côte d'Ivoire", "CI"),
        ("日本", "JP"),
        ("Korea, Republic of", "KR"),
        ("Atlantis", UNKNOWN_REGION),
    ],
)
def test_a_country_is_known_by_its_code_or_its_names(country: str, region: str) -> None:
    assert read_region(country, "US") == region


def test_a_national_number_is_read_as_the_customers_country_writes_it() -> None:
    assert read({**ANN, "Phone": "020 7946 0958", "MailingCountry": "England"}).slots["workPhone"].value == (
        "+442079460958"
    )


def test_in_an_unknown_country_a_national_number_is_nobodys() -> None:
    row = {**ANN, "MailingCountry": "Atlantis"}
    assert set(read(row).slots) == {"cellPhone", "workEmail", "whatsApp", "twitter"}
    assert problems(row).keys() == {"MailingCountry", "Phone"}


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("Account_Tier__c", "Diamond", "a tier without a queue"),
        ("Account_Tier__c", "GOLD", "another spelling of the tier 'Gold', so without its queue"),
        ("Preferred_Language__c", "English", "a language that no flow knows"),
        ("Preferred_Language__c", "en_US", "a language that no flow knows"),
    ],
)
def test_what_routing_makes_nothing_of_is_taken_and_reported(column: str, value: str, reason: str) -> None:
    record = read({**ANN, column: value})
    assert value in record.texts.values()
    assert [each.reason for each in record.problems] == [reason]


def test_of_a_mapping_that_lists_languages_only_those_are_known(tmp_path: Path) -> None:
    columns = {"lang": "preferredLanguage", "tier": "customerTier"}
    mapping = mapping_of(tmp_path / "map.json", columns=columns, languages=["en-US", "welsh"])

    def notes(language: str) -> list[str]:
        record = read_record({"contactid": "7", "lang": language, "tier": "Any"}, mapping, default_region="US")
        assert isinstance(record, CrmRecord)
        return [each.reason for each in record.problems]

    assert notes("welsh") == notes("en-US") == []
    assert notes("fr-FR") == ["a language that no flow knows"]
    assert notes("en_us") == ["another spelling of the language 'en-US', which no flow knows"]


# The mapping


def mapping_of(path: Path, **changes: object) -> CrmMapping:
    data = {"source": "dynamics", "id": "contactid", "columns": {"fullname": "lastName"}, "queues": {}} | changes
    path.write_text(json.dumps({name: value for name, value in data.items() if value is not None}))
    return load_mapping(path)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"source": None}, "needs 'source', a text"),
        ({"id": 7}, "needs 'id', a text"),
        ({"columns": None}, "needs 'columns', an object of texts"),
        ({"columns": {"fullname": 7}}, "needs 'columns', an object of texts"),
        ({"queues": ["Gold"]}, "needs 'queues', an object of texts"),
        ({"columns": {"fullname": "surname"}}, "sends fullname to 'surname'; possible are accountStatus, "),
        ({"source": "siebel"}, "names the external source 'siebel'; the rules know dynamics, "),
        ({"columns": {"card": "external:bonus"}}, "names the external source 'bonus'"),
        ({"columns": {"a": "cellPhone", "b": "cellPhone"}}, "fills cellPhone from more than one column"),
        ({"columns": {"other": "external:dynamics"}}, "fills external:dynamics from more than one column"),
        ({"connector": "siebel"}, "'connector' is 'siebel'; possible are salesforce, dynamics, servicenow, file"),
        ({"object": ""}, "needs 'object', a text"),
        ({"onDelete": "shred"}, "'onDelete' is 'shred'; possible are keep, release, delete"),
        ({"optOut": "HasOptedOut"}, "needs in 'optOut' a 'column' and its 'values'"),
        ({"optOut": {"column": "donotphone", "values": []}}, "needs in 'optOut' a 'column' and its 'values'"),
        ({"optOut": {"values": ["true"]}}, "needs 'column', a text"),
        ({"survivorship": {"firstName": "crm"}}, "a survivorship rule for 'firstName', which no column feeds"),
        ({"survivorship": {"lastName": "newest"}}, "lets 'newest' win lastName; possible are crm, genesys"),
        (
            {"columns": {"card": "external:loyalty"}, "survivorship": {"external:loyalty": "crm"}},
            "a survivorship rule for 'external:loyalty', an id",
        ),
        (
            {"opt_out": {"column": "donotphone", "values": ["true"]}},
            "'opt_out' that means nothing; did you mean 'optOut'?",
        ),
        ({"on_delete": "release"}, "an entry 'on_delete' that means nothing; did you mean 'onDelete'?"),
        ({"Survivorship": {}}, "an entry 'Survivorship' that means nothing; did you mean 'survivorship'?"),
        ({"comment": "ours"}, "an entry 'comment' that means nothing"),
        (
            {"optOut": {"colum": "a", "values": ["true"]}},
            "'colum' that means nothing; did you mean 'column'?",
        ),
        (
            {"columns": {"card": "external:loyalty"}, "ids": {"card": {"may_look_like_card": True}}},
            "'card' has an entry 'may_look_like_card' that means nothing; did you mean 'mayLookLikeCard'?",
        ),
        ({"columns": {"fullname": "last_name"}}, "did you mean 'lastName'?"),
        ({"source": "service_now"}, "did you mean 'servicenow'?"),
        ({"onDelete": "Release"}, "did you mean 'release'?"),
        ({"survivorship": {"LastName": "crm"}}, "did you mean 'lastName'?"),
        ({"languages": "en-US"}, "needs 'languages', a list of texts"),
        ({"connector": "dynamics", "object": "contacts?$top=1"}, "names 'contacts?$top=1', which is not the name of"),
        ({"connector": "dynamics", "columns": {"a,b": "title"}}, "names 'a,b', which is not the name of a field"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_why(tmp_path: Path, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(MappingError) as refused:
        mapping_of(tmp_path / "map.json", **changes)
    assert sentence in str(refused.value)
    assert str(tmp_path / "map.json") in str(refused.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"{", "is not valid JSON"), (b"\xff\xfe", "is not valid JSON"), (b"[]", "must be a JSON object")],
)
def test_a_mapping_that_is_no_json_object_says_so(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "map.json").write_bytes(content)
    with pytest.raises(MappingError, match=sentence):
        load_mapping(tmp_path / "map.json")


def test_a_mapping_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"cannot read the mapping .*none\.json: No such file"):
        load_mapping(tmp_path / "none.json")


@pytest.mark.parametrize("name", ["salesforce", "dynamics", "servicenow"])
def test_the_shipped_mappings_feed_the_same_fields(name: str) -> None:
    mapping = load_mapping(SHIPPED / f"{name}.json")
    assert (mapping.source, mapping.connector) == (name, name)
    assert mapping.targets == MAPPING.targets
    assert mapping.fields[0] == mapping.id_column
    sign = {mapping.inactive.column} if mapping.inactive else set()
    assert set(mapping.fields) == {mapping.id_column, mapping.region_column, *mapping.columns, *sign}


def test_a_file_may_name_its_columns_as_it_likes(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path / "map.json", connector="file", columns={"Last name, or company": "lastName"})
    assert mapping.fields == ("contactid", "Last name, or company")


def test_policies_are_read_with_their_defaults(tmp_path: Path) -> None:
    silent = mapping_of(tmp_path / "silent.json")
    assert (silent.on_delete, silent.opt_out, silent.survivorship) == (OnDelete.KEEP, None, {})
    spoken = mapping_of(
        tmp_path / "spoken.json",
        onDelete="release",
        optOut={"column": "donotphone", "values": ["Yes", "true"]},
        survivorship={"lastName": "genesys"},
    )
    assert spoken.on_delete is OnDelete.RELEASE
    assert spoken.survivorship == {"lastName": Winner.GENESYS}
    assert "donotphone" in spoken.fields


@pytest.mark.parametrize(
    ("written", "opted_out"), [("yes", True), (" TRUE ", True), ("", False), ("no", False), ("yes, please", False)]
)
def test_a_customer_who_has_opted_out_is_known_by_the_column(tmp_path: Path, written: str, opted_out: bool) -> None:
    mapping = mapping_of(tmp_path / "map.json", optOut={"column": "donotphone", "values": ["Yes", "true"]})
    record = read_record({"contactid": "1", "fullname": "Ann", "donotphone": written}, mapping, default_region="US")
    assert isinstance(record, CrmRecord)
    assert record.opted_out is opted_out


@pytest.mark.parametrize(
    ("name", "column", "written", "inactive"),
    [
        ("dynamics", "statecode", "Inactive", True), ("dynamics", "statecode", "Inaktiv", True),
        ("dynamics", "statecode", "1", True), ("dynamics", "statecode", "Active", False),
        ("dynamics", "statecode", "0", False), ("dynamics", "statecode", "", False),
        ("servicenow", "active", "false", True), ("servicenow", "active", "true", False),
    ],
)  # fmt: skip
def test_a_record_that_the_crm_no_longer_uses_is_known_by_the_shipped_mapping(
    name: str, column: str, written: str, inactive: bool
) -> None:
    mapping = load_mapping(SHIPPED / f"{name}.json")
    record = read_record({mapping.id_column: "1", column: written}, mapping, default_region="US")
    assert isinstance(record, CrmRecord)
    assert (record.inactive, record.withdrawal != "") == (inactive, inactive)
    assert column in mapping.fields


def test_a_mapping_knows_the_sources_and_targets_that_it_feeds(tmp_path: Path) -> None:
    mapping = mapping_of(tmp_path / "map.json", columns={"fullname": "lastName", "card": "external:loyalty"})
    assert mapping.sources == ("dynamics", "loyalty")
    assert mapping.targets == {"lastName", "external:loyalty"}
    assert mapping.region_column == ""
