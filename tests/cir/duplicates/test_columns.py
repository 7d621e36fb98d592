"""Which column holds what: guessed from headers of several languages and from the values."""

import pytest

from cir.duplicates.columns import check_map, guess_map, read_map
from cir.duplicates.errors import DuplicatesError

_VALUES = {
    "id": ["17", "23", "9"],
    "text": ["Ann", "Bob", "Cy"],
    "phone": ["+49 171 2345678", "0171/2345679", ""],
    "email": ["a.b@example.com", "c@example.org", "n/a"],
    "date": ["1980-02-03", "", "1971-12-30"],
}


@pytest.mark.parametrize(
    ("header", "attributes"),
    [
        (["rec_id", "given_name", "surname", "date_of_birth"], ["id", "given_name", "surname", "date_of_birth"]),
        (["Kundennummer", "Vorname", "Nachname", "Geburtsdatum", "PLZ", "Ort"],
         ["id", "given_name", "surname", "date_of_birth", "postcode", "city"]),
        (["ID client", "Prénom", "Nom", "Code postal", "Ville"], ["id", "given_name", "surname", "postcode", "city"]),
        (["Id Cliente", "Nombre", "Apellidos", "Fecha de nacimiento", "Dirección"],
         ["id", "given_name", "surname", "date_of_birth", "street"]),
        (["id", "nome", "cognome", "data_di_nascita", "CAP", "comune"],
         ["id", "given_name", "surname", "date_of_birth", "postcode", "city"]),
        (["klantnummer", "voornaam", "achternaam", "geboortedatum", "woonplaats"],
         ["id", "given_name", "surname", "date_of_birth", "city"]),
        (["Id", "FirstName", "LastName", "MailingStreet", "MailingPostalCode", "AccountName", "Status__c"],
         ["id", "given_name", "surname", "street", "postcode", "", ""]),
        (["id", "name", "company name", "created date"], ["id", "full_name", "", ""]),
    ],
)  # fmt: skip
def test_headers_of_several_languages(header: list[str], attributes: list[str]) -> None:
    dates = {
        name: _VALUES["date" if attribute == "date_of_birth" else "text"]
        for name, attribute in zip(header, attributes, strict=True)
    }
    guessed = guess_map(header, dates | {header[0]: _VALUES["id"]}, name="file").as_dict()
    columns = {
        column: key for key, value in guessed.items() for column in ([value] if isinstance(value, str) else value)
    }
    assert [columns.get(name, "") for name in header] == attributes


def test_values_decide_where_the_header_says_nothing_or_another_thing() -> None:
    sample = {
        "nr": _VALUES["id"],
        "c1": _VALUES["email"][:2],
        "c2": ["+1 212 555 0142", "+4930123456"],
        "E-Mail verified": ["yes", "no"],
    }
    assert guess_map(list(sample), sample, name="file").as_dict() == {"id": "nr", "emails": ["c1"], "phones": ["c2"]}


def test_an_id_column_that_repeats_is_passed_over() -> None:
    sample = {"id": ["1", "1", "1"], "key": ["a", "b", "c"], "name": _VALUES["text"]}
    assert guess_map(list(sample), sample, name="file").id == "key"


def test_a_map_may_spell_attributes_as_people_do() -> None:
    read = read_map(
        {
            "id": "nr",
            "given name": "a",
            "Surname": ["b"],
            "phone": ["c", "d"],
            "DOB": "e",
            "External IDs": "f",
            "default region": "de",
        }
    )
    assert read.as_dict() == {
        "id": "nr", "given_name": ["a"], "surname": ["b"], "phones": ["c", "d"], "date_of_birth": ["e"],
        "external_ids": ["f"], "default_region": "DE",
    }  # fmt: skip


def test_a_map_of_the_wrong_form_is_refused() -> None:
    with pytest.raises(DuplicatesError, match="'phones' must be the name of a column or a list of names"):
        read_map({"id": "nr", "phones": {"a": 1}})
    with pytest.raises(DuplicatesError, match=r"'sur_nam' is not an attribute; .*did you mean 'surname'"):
        read_map({"id": "nr", "sur_nam": "a"})
    with pytest.raises(DuplicatesError, match=r"no column 'Firstname' in the file; .*did you mean 'First name'"):
        check_map(read_map({"id": "nr", "given name": "Firstname"}), ["nr", "First name"], name="map.json")
