"""Names as people write them, brought to the forms by which they are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cir.matching.names import read_given, read_surname, split_full


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", "Mueller"), ("Muller", "MÜLLER"), ("O'Brien", "O’Brien"), ("Mc Donald", "McDonald"),
        ("van der Berg", "Berg"), ("Strauß", "Strauss"), ("Łukasz", "lukasz"), ("García", "Garcia"),
        ("Sørensen", "Sorensen"), ("Иванов", "Ivanov"), ("Smith Jr.", "Smith"),
    ],
)  # fmt: skip
def test_spellings_of_one_surname(one: str, other: str) -> None:
    assert read_surname(one).name == read_surname(other).name


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("Bill", "William"), ("Peggy", "Margaret"), ("Pepe", "José"), ("Paco", "Francisco"), ("Hans", "Johannes"),
        ("Uschi", "Ursula"), ("Gosia", "Małgorzata"), ("Beppe", "Giuseppe"), ("Chico", "Francisco"),
        ("Sascha", "Alexander"), ("Саша", "Александр"),
    ],
)  # fmt: skip
def test_short_forms_of_several_languages(short: str, full: str) -> None:
    assert not set(read_given(short).roots).isdisjoint(read_given(full).roots)


def test_a_short_form_may_stand_for_several_names_which_are_not_one() -> None:
    assert not set(read_given("Sam").roots).isdisjoint(read_given("Samantha").roots)
    assert set(read_given("Samuel").roots).isdisjoint(read_given("Samantha").roots)


@pytest.mark.parametrize(
    ("text", "given_name", "surname", "generation"),
    [
        ("Smith, John A.", "john", "smith", ""),
        ("Dr. John van der Berg Jr.", "john", "berg", "2"),
        ("Martin Luther King, Jr.", "martin", "king", "2"),
        ("Mr John Smith Sr.", "john", "smith", "1"),
        ("Peter Morris I", "peter", "morris", "1"),
        ("Peter Morris V", "peter", "morris", "5"),
        ("Smith, I.", "i", "smith", ""),
        ("Madonna", "", "madonna", ""),
        ("王小明", "小明", "王", ""),
    ],
)
def test_names_in_one_field(text: str, given_name: str, surname: str, generation: str) -> None:
    first, last = map(str, split_full(text))
    assert (read_given(first).name, read_surname(last).name) == (given_name, surname)
    assert (read_surname(last).generation or read_given(first).generation) == generation


def test_misspellings_sound_alike() -> None:
    for one, other in (("schmidt", "schmitt"), ("meyer", "meier"), ("philipp", "filip"), ("catherine", "katherine")):
        assert read_surname(one).sound == read_surname(other).sound


@given(text=st.text(max_size=60))
def test_no_text_is_too_strange(text: str) -> None:
    given_name, surname = read_given(text), read_surname(text)
    assert read_given(given_name.name).name == given_name.name
    assert surname.parts or not surname.name
    assert all(map(str.strip, split_full(text))) or not text.strip() or "" in split_full(text)
