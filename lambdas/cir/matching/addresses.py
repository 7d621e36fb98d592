"""Streets, cities and postcodes: the forms by which two spellings of one address are compared.

The expressions are of the kind that Python and RE2 (DuckDB) read alike, since whole files are normalised in SQL.
"""

import re
import unicodedata
from dataclasses import dataclass

LIGATURES = (("ß", "ss"), ("ł", "l"), ("ø", "o"), ("æ", "ae"), ("œ", "oe"), ("đ", "d"), ("ı", "i"))
"""Letters that have no accent to be stripped of."""
UNIT = r"\b(?:apt|apartment|unit|flat|suite|ste|appt|appartement|piso|scala|int|room|floor|whg)\b[ .#]*[0-9]*[a-z]?\b"
"""A part of a building, which one of two spellings usually leaves out."""
GERMAN_STREET = r"(?:strasse|str\.?)(?:\b|$)"
"""Written together with the name before it."""
HOUSE_NUMBER = r"\b[0-9]+[a-z]?\b"
SAINT = r"^(?:saint|sankt|sainte) "
STREET_WORDS = (
    (r"str(?:asse|eet)?", "st"), (r"r(?:oa)?d", "rd"), (r"av(?:e|enue|enida|da)?", "av"),
    (r"b(?:oule)?v(?:ar)?d", "bd"), (r"dr(?:ive)?", "dr"), (r"la?ne?", "ln"), (r"c(?:our)?t", "ct"),
    (r"pl(?:ace|atz|aza|ac)?", "pl"), (r"sq(?:uare)?", "sq"), (r"cr(?:es(?:cent)?)?", "cr"),
    (r"ter(?:race)?|tce", "tce"), (r"c(?:irc(?:ui|le)?|c)t?", "cct"), (r"cl(?:ose)?", "cl"), (r"ul(?:ica)?", "ul"),
    (r"c(?:alle)?", "c"), (r"r(?:ua|ue)?", "r"), (r"v(?:ia)?", "v"), (r"ha?(?:igh)?wa?y", "hwy"),
    (r"nort?h", "n"), (r"s(?:outh)", "s"), (r"eas?t", "e"), (r"west", "w"), (r"saint", "st"),
)  # fmt: skip
"""Words that are written out or abbreviated; enough that two spellings of a street come out alike."""
_SHORT = tuple((re.compile(rf"\b(?:{long})\b", re.ASCII), short) for long, short in STREET_WORDS)
_UNIT, _GERMAN_STREET, _HOUSE_NUMBER = (re.compile(text, re.ASCII) for text in (UNIT, GERMAN_STREET, HOUSE_NUMBER))
_SAINT = re.compile(SAINT)
_NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Street:
    """A street address."""

    text: str
    """House numbers, then words."""
    words: str
    numbers: frozenset[str]


NO_STREET = Street("", "", frozenset())


def read_street(text: str) -> Street:
    """Read a street with or without house number, in whatever order."""
    plain = _GERMAN_STREET.sub("st", _UNIT.sub(" ", _plain(text)))
    plain = _NOT_WORD.sub(" ", plain).strip()
    numbers = _HOUSE_NUMBER.findall(plain)
    words = " ".join(_HOUSE_NUMBER.sub(" ", plain).split())
    for long, short in _SHORT:
        words = long.sub(short, words)
    return Street(" ".join([*numbers, words]).strip() if words else " ".join(numbers), words, frozenset(numbers))


def read_city(text: str) -> str:
    """A city for comparison."""
    return _SAINT.sub("st ", _NOT_WORD.sub(" ", _plain(text)).strip())


def read_postcode(text: str) -> str:
    """A postcode for comparison; the `.0` of a spreadsheet is no part of it."""
    return _NOT_WORD.sub("", text.strip().removesuffix(".0")).upper()


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFKD", text.strip())
    for letter, spelling in LIGATURES:
        text = text.replace(letter, spelling)
    return "".join(character for character in text if not unicodedata.combining(character)).lower()
