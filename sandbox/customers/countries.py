"""Countries, names and places that the sample customers are made of, read from the files in `data`."""

import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from sandbox.customers.dice import weighted
from sandbox.customers.phones import NANP, NumberSpace

_LETTERS = str.maketrans({"ß": "ss", "ł": "l", "Ł": "L", "ı": "i", "ø": "o", "đ": "d", "æ": "ae"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


@dataclass(frozen=True, slots=True)
class Name:
    """A name as its owner writes it, without accents, and as letters for an address."""

    text: str
    plain: str
    slug: str
    label: str
    """For a domain, with its accents."""


@dataclass(frozen=True, slots=True)
class Culture:
    female: tuple[Name, ...]
    male: tuple[Name, ...]
    surnames: tuple[Name, ...]
    feminine: tuple[Name, ...]
    """The surnames as women bear them, in the same order."""
    nicknames: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class City:
    name: str
    state: str
    postcode: str
    lines: NumberSpace


@dataclass(frozen=True, slots=True)
class Country:
    region: str
    names: tuple[str, ...]
    share: int
    calling_code: str
    cultures: tuple[Culture, ...]
    double_surnames: bool
    languages: tuple[str, ...]
    salutations: dict[bool, tuple[str, ...]]
    """By whether the person is a woman."""
    mail_domains: tuple[str, ...]
    domain_suffix: str
    street: str
    house_numbers: int
    streets: tuple[str, ...]
    legal_forms: tuple[str, ...]
    stems: tuple[Name, ...]
    stems_are_words: bool
    """Or else surnames of founders."""
    sectors: tuple[Name, ...]
    cities: tuple[City, ...]
    mobile: NumberSpace | None
    """None where mobiles have the area codes of fixed lines."""
    prefixes: tuple[str, ...]
    """The starts of all national numbers in use here; in the NANP, the area codes."""


def plain(text: str) -> str:
    """Without accents, as systems leave it that cannot hold them."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _name(entry: str, *, umlauts: bool = False) -> Name:
    text, _, latin = entry.partition("=")
    without = plain((latin or text).translate(_UMLAUTS) if umlauts else latin or text)
    slug = "".join(letter for letter in without.lower() if letter.isalpha())
    label = "".join(letter for letter in (latin or text).lower().replace("ß", "ss") if letter.isalpha())
    return Name(text, without, slug, label)


def _list(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(","))


def _names(text: str, *, umlauts: bool = False) -> tuple[Name, ...]:
    return tuple(_name(entry, umlauts=umlauts) for entry in _list(text))


def _feminine(surname: str, endings: dict[str, str]) -> str:
    for masculine, feminine in endings.items():
        if surname.endswith(masculine):
            return surname.removesuffix(masculine) + feminine
    return surname


def _culture(data: dict[str, Any], *, umlauts: bool) -> Culture:
    endings = data.get("feminine", {})
    feminine = ", ".join(_feminine(surname, endings) for surname in _list(data["surnames"]))
    return Culture(
        female=_names(data["female"], umlauts=umlauts),
        male=_names(data["male"], umlauts=umlauts),
        surnames=_names(data["surnames"], umlauts=umlauts),
        feminine=_names(feminine, umlauts=umlauts),
        nicknames={full: tuple(short) for full, *short in (line.split() for line in data["nicknames"])},
    )


def _country(region: str, data: dict[str, Any], cultures: dict[str, Culture]) -> Country:
    plan = {"calling_code": data["calling_code"], "trunk": data["trunk"], "exit_code": data.get("exit_code", "")}
    cities = []
    for line in data["cities"]:
        name, state, postcode, numbers = (part.strip() for part in line.split("|", 3))
        cities.append(City(name, state, postcode, NumberSpace.parse(numbers, **plan)))
    mobile = NumberSpace.parse(data["mobile"], **plan) if "mobile" in data else None
    spaces = [city.lines for city in cities] + ([mobile] if mobile else [])
    start = 3 if data["calling_code"] == NANP else None
    ours = [(cultures[name], share) for name, share in data["cultures"].items()]
    return Country(
        region=region,
        names=tuple(data["names"]),
        share=data["share"],
        calling_code=data["calling_code"],
        cultures=weighted(ours),
        double_surnames=data.get("double_surnames", False),
        languages=weighted(data["languages"].items()),
        salutations={False: _list(data["salutations"]["male"]), True: _list(data["salutations"]["female"])},
        mail_domains=_list(data["mail_domains"]),
        domain_suffix=data["domain_suffix"],
        street=data["street"],
        house_numbers=data["house_numbers"],
        streets=_list(data["streets"]),
        legal_forms=_list(data["legal_forms"]),
        stems=_names(data["stems"]) if "stems" in data else ours[0][0].surnames,
        stems_are_words="stems" in data,
        sectors=_names(data["sectors"]),
        cities=tuple(cities),
        mobile=mobile,
        prefixes=tuple(sorted({prefix[:start] for space in spaces for prefix in space.prefixes})),
    )


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("sandbox.customers").joinpath("data", name).read_text(encoding="utf-8"))


@cache
def countries() -> tuple[Country, ...]:
    """All countries, in the order of the data file."""
    cultures = {name: _culture(data, umlauts=name == "german") for name, data in _read("names.toml").items()}
    return tuple(_country(region, data, cultures) for region, data in _read("countries.toml").items())
