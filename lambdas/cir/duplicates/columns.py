"""Which column feeds which attribute: read from a map, or guessed from the header and the values."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from cir.duplicates.errors import DuplicatesError
from cir.identity.spelling import did_you_mean

_LIST_LIMIT = 12
"""Column names that an error shows at most."""
_SOME = 0.6
"""Share of the values in a sample that must look like the attribute for a guess from the values alone."""
_FEW = 0.3
"""The same, where the header already says so: placeholders and broken values are expected there."""
_OTHER_THINGS = re.compile(
    r"company|account(?!id)|firma|employer|entreprise|societe|empresa|azienda|parent|owner|created|modified|updated|"
    r"soundex|metaphone|verified|optin|consent|preference|status|type$|typ$"
)
"""Parts of a header that make it another thing than its last word says: `Company Name` is nobody's name."""
_SALESFORCE_CUSTOM = re.compile(r"__c$", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[\d\s().\-/]{7,20}(?:\s?(?:x|ext\.?)\s?\d+)?")
_DATE = re.compile(
    r"(?:\d{4}[-/. ]?\d{1,2}[-/. ]?\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}|\d{1,2}[-/. ][a-z]{3,9}[-/. ]\d{2,4}"
    r"|[a-z]{3,9} \d{1,2},? \d{4})(?:[T ].*)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The columns of one file by what they hold. Several columns of one attribute are all looked at."""

    id: str = ""
    given_name: tuple[str, ...] = ()
    surname: tuple[str, ...] = ()
    full_name: tuple[str, ...] = ()
    generation: tuple[str, ...] = ()
    """Jr., Sr., III … in a column of its own; in a name it is found anyway."""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    date_of_birth: tuple[str, ...] = ()
    """One column of whole dates, several of which the first filled one counts, or year, month and day."""
    street: tuple[str, ...] = ()
    city: tuple[str, ...] = ()
    postcode: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()
    """Numbers of which a person has one per column: two that differ contradict a merge."""
    exact: tuple[str, ...] = ()
    """Anything else that is equal or not."""
    default_region: str = ""
    """ISO 3166 alpha-2 of the country that national phone numbers belong to where no column says it."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is used, once each; the id first."""
        return tuple(dict.fromkeys((self.id, *(column for _, column in self.attributes()))))

    def attributes(self) -> Iterator[tuple[str, str]]:
        """(attribute, column) of all attributes but the id."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                yield from ((field.name, column) for column in value)

    def as_dict(self) -> dict[str, Any]:
        """As a map file holds it."""
        entries = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: list(value) if isinstance(value, tuple) else value for name, value in entries if value}


ATTRIBUTES = tuple(field.name for field in fields(ColumnMap))


def load_map(path: Path, header: Sequence[str]) -> ColumnMap:
    """Read a map file and check it against the header of the file that it is for."""
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DuplicatesError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise DuplicatesError(f"{path}: not JSON ({error})") from error
    if not isinstance(data, dict):
        raise DuplicatesError(f"{path}: a map is a JSON object of attributes and the columns that feed them")
    return check_map(read_map(data, name=str(path)), header, name=str(path))


def read_map(data: Mapping[str, Any], *, name: str = "map") -> ColumnMap:
    """The map in a JSON object: attribute → column or list of columns."""
    read: dict[str, list[str]] = {}
    region = ""
    for key, value in data.items():
        if _words(key) == "defaultregion":
            region = str(value).upper()
            continue
        attribute = _attribute_named(key)
        if not attribute:
            raise DuplicatesError(
                f"{name}: {key!r} is not an attribute; attributes are {', '.join(ATTRIBUTES)}"
                f"{did_you_mean(key, ATTRIBUTES)}"
            )
        columns = [value] if isinstance(value, str) else value
        if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
            raise DuplicatesError(f"{name}: {key!r} must be the name of a column or a list of names")
        read.setdefault(attribute, []).extend(column for column in columns if column)
    ids = read.pop("id", [])
    if len(ids) != 1:
        raise DuplicatesError(f"{name}: 'id' must name the one column that tells the rows apart")
    attributes: dict[str, Any] = {key: tuple(columns) for key, columns in read.items()}
    return ColumnMap(id=ids[0], default_region=region, **attributes)


def check_map(column_map: ColumnMap, header: Sequence[str], *, name: str) -> ColumnMap:
    """The map with its columns spelt as in the header; raises if one is missing or if nothing can be compared."""
    spelling = {column.casefold(): column for column in header} | {column: column for column in header}
    missing = [column for column in column_map.columns if not (column in spelling or column.casefold() in spelling)]
    if missing:
        raise DuplicatesError(
            f"{name}: no column {missing[0]!r} in the file; it has {_listed(header)}{did_you_mean(missing[0], header)}"
        )
    spelt: dict[str, Any] = {
        field.name: tuple(spelling.get(column, spelling.get(column.casefold(), "")) for column in value)
        for field in fields(column_map)
        if isinstance(value := getattr(column_map, field.name), tuple)
    }
    identity = spelling.get(column_map.id, spelling.get(column_map.id.casefold(), ""))
    checked = ColumnMap(id=identity, default_region=column_map.default_region, **spelt)
    if not any(attribute != "country" for attribute, _ in checked.attributes()):
        raise DuplicatesError(f"{name}: names no column that could tell people apart (a name, phone, e-mail …)")
    return checked


def guess_map(header: Sequence[str], sample: Mapping[str, Sequence[str]], *, name: str) -> ColumnMap:
    """The map that header and values suggest. `sample` has values of each column, empty ones among them."""
    guessed: dict[str, list[str]] = {}
    ids: list[str] = []
    for column in header:
        values = [value.strip() for value in sample.get(column, ()) if value and value.strip()]
        attribute = _guess(column, values)
        if attribute == "id":
            ids.append(column)
        elif attribute:
            guessed.setdefault(attribute, []).append(column)
    _settle(guessed)
    identity = _guess_id(header, sample, ids)
    if not identity:
        raise DuplicatesError(
            f"{name}: no column has a different value on every row, so none can be the id; name it in a map (--columns)"
        )
    for columns in guessed.values():
        if identity in columns:
            columns.remove(identity)
    found: dict[str, Any] = {key: tuple(columns) for key, columns in guessed.items() if columns}
    if not any(attribute != "country" for attribute in found):
        raise DuplicatesError(
            f"{name}: no column looks like a name, phone, e-mail, date of birth or address;"
            " say which is in a map (--columns)"
        )
    return ColumnMap(id=identity, **found)


def _settle(guessed: dict[str, list[str]]) -> None:
    """Join what is guessed in finer grain than a map has, and drop a full name that repeats its parts."""
    parts = [guessed.pop(part, []) for part in ("birth_year", "birth_month", "birth_day")]
    if not guessed.get("date_of_birth") and parts[0]:
        guessed["date_of_birth"] = [column for part in parts for column in part[:1]]
    numbers = guessed.pop("street_number", [])
    if numbers:
        guessed["street"] = [*numbers, *guessed.get("street", [])]
    middle = guessed.pop("middle_name", [])
    if guessed.get("given_name"):
        guessed["given_name"] += middle
    if guessed.get("surname") and not guessed.get("given_name") and guessed.get("full_name"):
        guessed["given_name"] = guessed.pop("full_name")  # `nom, prénom`: the word for name beside one for surname
    if guessed.get("given_name") and not guessed.get("surname") and guessed.get("full_name"):
        guessed["surname"] = guessed.pop("full_name")
    if guessed.get("given_name") and guessed.get("surname"):
        guessed.pop("full_name", None)


def _guess(column: str, values: Sequence[str]) -> str:
    """The attribute of a column, or an empty text."""
    named = _named(column)
    if named in _LOOKS:
        return named if not values or _share(_LOOKS[named], values) >= _FEW else ""
    if named:
        return named
    if not values:
        return ""
    if _share(_EMAIL, values) >= _SOME:
        return "emails"
    international = [value for value in values if value.startswith("+")]
    if len(international) >= _SOME * len(values) and _share(_PHONE, values) >= _SOME:
        return "phones"
    return ""


def _named(column: str) -> str:
    """The attribute that a header names. `MailingCity`, `Other_Email__c` and `fname_c1` are read by their parts."""
    column = _SALESFORCE_CUSTOM.sub("", column)
    whole = _words(column)
    known = _vocabulary()
    if whole in known:
        return known[whole]
    if _OTHER_THINGS.search(whole):
        return ""
    words = [_words(word) for word in re.findall(r"[A-Z]?[a-zß-ÿ\d]+|[A-Z]+(?![a-z])|[^\W\d_]+", column)]
    words = [word for word in words if word and not word.isdecimal()]
    for length in range(min(3, len(words)), 0, -1):
        for start in range(len(words) - length, -1, -1):
            attribute = known.get("".join(words[start : start + length]), "")
            # an id or number of something is not the record's own, a name of something not a person's
            if attribute and (attribute not in {"id", "full_name", "exact"} or length > 1):
                return attribute
    return ""


def _guess_id(header: Sequence[str], sample: Mapping[str, Sequence[str]], named: Sequence[str]) -> str:
    """A column that is filled and different on (nearly) every row: one named so, else the first in the file."""

    def tells_apart(column: str) -> bool:
        values = sample.get(column, ())
        filled = [value for value in values if value and value.strip()]
        return bool(filled) and len(set(filled)) >= 0.99 * len(values)

    candidates = [column for column in named if tells_apart(column)]
    if candidates:
        return min(
            candidates, key=lambda column: (_words(column) not in {"id", "recordid", "recid"}, header.index(column))
        )
    looks_like_id = (column for column in header if not _named(column) and tells_apart(column))
    return next((column for column in looks_like_id if not any(" " in value for value in sample[column])), "")


def _share(pattern: re.Pattern[str], values: Sequence[str]) -> float:
    return sum(1 for value in values if pattern.fullmatch(value)) / len(values)


_LOOKS = {
    "emails": re.compile(r".*@.*"),
    "phones": re.compile(r".*\d.*\d.*\d.*\d.*"),
    "date_of_birth": re.compile(r".*\d.*"),
}
"""What values under a telling header must look like at least; `Email_Verified__c` holds none."""


@cache
def _vocabulary() -> dict[str, str]:
    data: dict[str, str] = json.loads(Path(__file__).with_name("headers.json").read_text(encoding="utf-8"))
    words: dict[str, str] = {}
    for attribute, spellings in data.items():
        for spelling in spellings.split():
            words.setdefault(spelling, attribute)
    return words


def _attribute_named(key: str) -> str:
    words = _words(key)
    for attribute in ATTRIBUTES:
        if words in {_words(attribute), _words(attribute).removesuffix("s"), _words(attribute) + "s"}:
            return attribute
    if words in {"attributes", "other", "exactattributes"}:
        return "exact"
    named = _vocabulary().get(words, "")
    return {"street_number": "street", "middle_name": "given_name"}.get(named, named if named in ATTRIBUTES else "")


def _words(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ß", "ss").replace("ł", "l").replace("ø", "o"))
    return "".join(character for character in plain if character.isalnum())


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LIST_LIMIT])
    return shown if len(names) <= _LIST_LIMIT else f"{shown} and {len(names) - _LIST_LIMIT} more"
