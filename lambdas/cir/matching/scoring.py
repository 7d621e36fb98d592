"""The score of one pair of records, in plain Python with the weights of a trained model.

The same sum of evidence that duplicate detection computes for millions of pairs with Splink, for the live path: it
takes microseconds and imports nothing heavy. Each agreement has a weight in bits for two questions, one person or
strangers, and one person or two who know each other; the probability takes the doubts of both together.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cir.matching.addresses import NO_STREET, Street, read_city, read_postcode, read_street
from cir.matching.names import NO_GIVEN, NO_SURNAME, Given, Surname, read_given, read_surname, split_full

_LEAST = 1e-9
_TWO_PEOPLE = 2
_FEW_PEOPLE = 4
_BITS = 500.0


@dataclass(frozen=True, slots=True)
class Record:
    """A record in the forms in which it is compared; `read_record` makes one."""

    given: Given = NO_GIVEN
    surname: Surname = NO_SURNAME
    generation: str = ""
    phones: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    mailboxes: frozenset[str] = frozenset()
    date_of_birth: str = ""
    """Eight digits: year, month, day."""
    street: Street = NO_STREET
    city: str = ""
    postcode: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)
    """External ids by comparison (`id_0` …) and other attributes (`exact_0` …), as the model names them."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """What is known of a phone number or address from all records together."""

    people: int = _TWO_PEOPLE
    """Differently named people whose records have it."""
    line: bool = False
    """Whether it is a landline or switchboard rather than somebody's own."""
    own: bool = False
    """Whether it is a number that is carried along, or an address that is called after a person and not a family, and
    no more than two given names have it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one comparison found."""

    comparison: str
    level: str
    against_strangers: float
    """Bits."""
    against_relatives: float


@dataclass(frozen=True, slots=True)
class Score:
    probability: float
    against_strangers: float
    against_relatives: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """A trained model, reduced to its weights."""

    match_share: float
    household_share: float
    levels: Mapping[str, tuple[Evidence, ...]]
    """By comparison, the best agreement first."""


@cache
def load_weights(path: Path) -> Weights:
    """The weights in a model file of `cir duplicates find --save-model`, or one that is shipped."""
    data = json.loads(path.read_text(encoding="utf-8"))
    levels = {
        comparison["name"]: tuple(
            _weigh(comparison, level, last=level is comparison["levels"][-1]) for level in comparison["levels"]
        )
        for comparison in data["comparisons"]
    }
    return Weights(data["match_share"], data["household_share"], levels)


def _weigh(comparison: Mapping[str, object], level: Mapping[str, float], *, last: bool) -> Evidence:
    strangers, relatives = (math.log2(max(level["m"], _LEAST) / max(level[other], _LEAST)) for other in ("u", "h"))
    # what a household shares is no reason to doubt that two records are one person's
    counts = comparison["personal"] or last
    return Evidence(
        str(comparison["title"]), str(level["label"]), strangers, relatives if counts else max(relatives, 0.0)
    )


def read_record(
    *,
    given_name: str = "",
    surname: str = "",
    full_name: str = "",
    phones: Sequence[str] = (),
    emails: Sequence[str] = (),
    date_of_birth: str = "",
    street: str = "",
    city: str = "",
    postcode: str = "",
    ids: Mapping[str, str] | None = None,
) -> Record:
    """Normalise a record. Phones and e-mail addresses are the `match` of their identifiers, dates ISO 8601."""
    if not given_name and not surname and full_name:
        given_name, surname = split_full(full_name)
    given, family = read_given(given_name), read_surname(surname)
    mailboxes = (address.partition("@")[0] for address in emails)
    return Record(
        given=given,
        surname=family,
        generation=family.generation or given.generation,
        phones=frozenset(phones),
        emails=frozenset(emails),
        mailboxes=frozenset(mailbox for mailbox in mailboxes if is_telling_mailbox(mailbox, given, family)),
        date_of_birth=re.sub(r"\D", "", date_of_birth[:10]),
        street=read_street(street),
        city=read_city(city),
        postcode=read_postcode(postcode),
        ids=dict(ids or {}),
    )


_FOLDED = re.compile(r"([aou])e")


def is_telling_mailbox(mailbox: str, given: Given, surname: Surname) -> bool:
    """Whether a mailbox name says more than its owner's name does: a number of three digits, or a word of its own."""
    rest = _FOLDED.sub(r"\1", mailbox)
    for name in (surname.whole, "".join(given.parts), *given.parts[:2], *surname.parts[:2]):
        if name:
            rest = rest.replace(_FOLDED.sub(r"\1", name), "")
    latin = (given.name + surname.name).isascii()
    return len(mailbox) >= 5 and bool(
        re.search(r"[0-9].*[0-9].*[0-9]", rest) or (latin and re.search(r"[a-z]{5}", rest))
    )


def score(left: Record, right: Record, weights: Weights, sharing: Mapping[str, Sharing] | None = None) -> Score:
    """Compare two records. `sharing` tells how many people have a phone or address; what it lacks these two alone."""
    strangers = math.log2(weights.match_share)
    relatives = math.log2(weights.match_share / weights.household_share)
    evidence = []
    for name, levels in weights.levels.items():
        place = agreement(name, left, right, sharing or {})
        if place is not None:
            found = levels[place]
            evidence.append(found)
            strangers += found.against_strangers
            relatives += found.against_relatives
    doubt = 2 ** -max(min(strangers, _BITS), -_BITS) + 2 ** -max(min(relatives, _BITS), -_BITS)
    return Score(1 / (1 + doubt), strangers, relatives, tuple(evidence))


def agreement(name: str, left: Record, right: Record, sharing: Mapping[str, Sharing]) -> int | None:
    """The place of the pair's level in a comparison, 0 the best; None where there is nothing to compare."""
    if name in _COMPARISONS:
        return _COMPARISONS[name](left, right)
    if name == "phone":
        return _phone(left, right, sharing)
    if name == "email":
        return _email(left, right, sharing)
    mine, other = left.ids.get(name, ""), right.ids.get(name, "")
    if not mine or not other:
        return None
    if name.startswith("exact_"):
        return 0 if mine == other else 1
    return 0 if mine == other else 1 if min(len(mine), len(other)) >= 6 and is_slip(mine, other) else 2


def _first(*levels: bool) -> int:
    """The first level that holds, or the one after all."""
    return next((place for place, holds in enumerate(levels) if holds), len(levels))


def _swapped(left: Record, right: Record) -> bool:
    mine, other = "".join(left.given.parts), "".join(right.given.parts)
    return (
        bool(mine and other and left.surname.name and right.surname.name)
        and mine != left.surname.name
        and other != right.surname.name
        and jaro_winkler(mine, right.surname.name) >= 0.9
        and jaro_winkler(left.surname.name, other) >= 0.9
        and jaro_winkler(mine, other) < 0.9
    )


def _given(left: Record, right: Record) -> int | None:
    one, two = left.given, right.given
    if not one.name or not two.name:
        return None
    mine, other = "".join(one.parts), "".join(two.parts)
    if mine == other or (one.name == two.name and min(len(one.parts), len(two.parts)) == 1):
        return 0
    similarity, shorter = jaro_winkler(mine, other), min(len(mine), len(other))
    shortest = min(len(one.name), len(two.name))
    prefix = one.name.startswith(two.name) or two.name.startswith(one.name)
    two_names = bool(one.own and two.own) and one.own != two.own
    return 1 + _first(
        _swapped(left, right),
        one.name != two.name and not set(one.roots).isdisjoint(two.roots),
        not two_names and ((shorter >= 4 and is_slip(mine, other)) or (shorter >= 5 and similarity >= 0.93)),
        shortest == 1 and one.name[0] == two.name[0],
        not set(one.parts).isdisjoint(two.parts)
        or (
            not two_names
            and (similarity >= 0.82 or (shortest >= 3 and prefix) or (one.sound == two.sound and bool(one.sound)))
        ),
    )


def _surname(left: Record, right: Record) -> int | None:
    one, two = left.surname, right.surname
    if not one.name or not two.name or _swapped(left, right):
        return None
    if one.name == two.name:
        return 0
    similarity, shorter = jaro_winkler(one.name, two.name), min(len(one.name), len(two.name))
    return 1 + _first(
        (shorter >= 4 and is_slip(one.name, two.name)) or (shorter >= 5 and similarity >= 0.93),
        not set(one.parts).isdisjoint(two.parts),
        similarity >= 0.85 or (one.sound == two.sound and bool(one.sound)),
    )


def _generation(left: Record, right: Record) -> int | None:
    if not left.generation or not right.generation:
        return None
    return 0 if left.generation == right.generation else 1


def _phone(left: Record, right: Record, sharing: Mapping[str, Sharing]) -> int | None:
    if not left.phones or not right.phones:
        return None
    shared = [sharing.get(phone, Sharing()) for phone in left.phones & right.phones]
    return _first(
        any(each.own for each in shared),
        any(not each.line and each.people <= _TWO_PEOPLE for each in shared),
        any(not each.line and each.people <= _FEW_PEOPLE for each in shared),
        any(each.line and each.people <= _TWO_PEOPLE for each in shared),
        any(each.line and each.people <= _FEW_PEOPLE for each in shared),
        bool(shared),
    )


def _email(left: Record, right: Record, sharing: Mapping[str, Sharing]) -> int | None:
    if not left.emails or not right.emails:
        return None
    shared = [sharing.get(address, Sharing()) for address in left.emails & right.emails]
    return _first(
        any(each.own for each in shared),
        any(each.people <= _TWO_PEOPLE for each in shared),
        any(each.people <= _FEW_PEOPLE for each in shared),
        bool(shared),
        not left.mailboxes.isdisjoint(right.mailboxes),
    )


def _date_of_birth(left: Record, right: Record) -> int | None:
    one, two = left.date_of_birth, right.date_of_birth
    if not one or not two:
        return None
    if one == two:
        return 0
    whole = len(one) == len(two) == 8
    year = one[:4] == two[:4]
    return 1 + _first(
        whole and year and one[4:6] == two[6:] and one[6:] == two[4:6],
        len(one) == len(two) and is_slip(one, two),
        whole and (one[:6] == two[:6] or one[4:] == two[4:] or (year and one[6:] == two[6:])),
        year or levenshtein(one, two) <= 2,
    )


def _street(left: Record, right: Record) -> int | None:
    one, two = left.street, right.street
    if not one.text or not two.text:
        return None
    if one.text == two.text:
        return 0
    words = bool(one.words and two.words)
    alike = words and jaro_winkler(one.words, two.words) >= 0.88
    number = not one.numbers.isdisjoint(two.numbers)
    return 1 + _first(
        alike and (number or not (one.numbers or two.numbers)),
        words and one.words == two.words,
        alike or one.text.startswith(two.text) or two.text.startswith(one.text),
        number,
    )


def _place(left: Record, right: Record) -> int | None:
    codes, cities = bool(left.postcode and right.postcode), bool(left.city and right.city)
    if not codes and not cities:
        return None
    alike = cities and jaro_winkler(left.city, right.city) >= 0.9
    slip = codes and is_slip(left.postcode, right.postcode)
    return _first(
        codes and left.postcode == right.postcode, alike and slip, cities and left.city == right.city, slip, alike
    )


_COMPARISONS: dict[str, Callable[[Record, Record], int | None]] = {
    "given": _given,
    "surname": _surname,
    "generation": _generation,
    "dob": _date_of_birth,
    "street": _street,
    "place": _place,
}


def is_slip(one: str, two: str) -> bool:
    """Whether one letter more, less or other, or two neighbours swapped, make one text of the other."""
    if one == two:
        return True
    if abs(len(one) - len(two)) > 1:
        return False
    start = next((place for place, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
    one, two = one[start:], two[start:]
    return (
        one[1:] == two[1:]
        or one[1:] == two
        or one == two[1:]
        or (one[:2] == two[1::-1] and len(one) > 1 and one[2:] == two[2:])
    )


def levenshtein(one: str, two: str) -> int:
    """The least number of letters inserted, deleted or replaced."""
    row = list(range(len(two) + 1))
    for place, letter in enumerate(one, 1):
        above, row[0] = row[0], place
        for column, other in enumerate(two, 1):
            above, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, above + (letter != other))
    return row[-1]


def jaro_winkler(one: str, two: str) -> float:
    """Similarity from 0 to 1 by letters in common near each other, raised for a common start."""
    if one == two:
        return 1.0
    if not one or not two:
        return 0.0
    reach = max(len(one), len(two)) // 2 - 1
    taken = [False] * len(two)
    matched = []
    for place, letter in enumerate(one):
        for other in range(max(0, place - reach), min(len(two), place + reach + 1)):
            if not taken[other] and two[other] == letter:
                taken[other] = True
                matched.append(letter)
                break
    if not matched:
        return 0.0
    swapped = sum(
        a != b for a, b in zip(matched, (two[place] for place, is_taken in enumerate(taken) if is_taken), strict=True)
    )
    common = len(matched)
    jaro = (common / len(one) + common / len(two) + (common - swapped // 2) / common) / 3
    prefix = next(
        (place for place, (a, b) in enumerate(zip(one[:4], two[:4], strict=False)) if a != b),
        min(4, len(one), len(two)),
    )
    return jaro + 0.1 * prefix * (1 - jaro) if jaro > 0.7 else jaro
