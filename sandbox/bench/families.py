"""Bases of families in which nobody, or a known share, is twice: is anybody merged with somebody else?

What makes families hard is made on purpose: couples with one landline and one e-mail address, one of them written with
an initial, twins of one birthday whose names are alike, parents and children of one name, generations anywhere in a
name. Each person is one record; some are in the base again, with a value less, an initial, a slip, or another address.
"""

import csv
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

COLUMNS = (
    "Id", "FirstName", "LastName", "Phone", "MobilePhone", "Email", "Birthdate", "MailingStreet", "MailingCity",
    "MailingPostalCode",
)  # fmt: skip
type Row = dict[str, str]

_MEN = (
    "Alan", "Brian", "Carlos", "David", "Edward", "Frank", "George", "Harold", "Ivan", "James", "Kevin", "Louis",
    "Martin", "Nathan", "Oscar", "Peter", "Ravi", "Stefan", "Thomas", "Victor", "Walter", "Yusuf",
)  # fmt: skip
_WOMEN = (
    "Amelia", "Beatrice", "Clara", "Diana", "Elena", "Fatima", "Grace", "Helen", "Irene", "Jane", "Katherine", "Lucy",
    "Monica", "Nina", "Olga", "Priya", "Rachel", "Susan", "Teresa", "Ursula", "Vera", "Wendy",
)  # fmt: skip
_SURNAMES = (
    "Abbott", "Barnes", "Castillo", "Dalton", "Eriksen", "Fischer", "Gallagher", "Hoffman", "Ibrahim", "Jensen",
    "Kowalski", "Lambert", "Morris", "Novak", "Okafor", "Petrov", "Quinn", "Rossi", "Schmidt", "Tanaka", "Underwood",
    "Vargas", "Whitfield", "Young", "Zhang", "Green", "Patel", "Nguyen", "Silva", "Walsh",
)  # fmt: skip
_ALIKE = (
    ("Jane", "Janet"), ("Maria", "Mario"), ("Paul", "Paula"), ("Daniel", "Daniela"), ("John", "Joan"),
    ("Marie", "Maria"), ("Eric", "Erica"), ("Julia", "Julian"), ("Tina", "Gina"), ("Lena", "Lina"),
    ("Christian", "Christina"), ("Anna", "Hanna"), ("Simon", "Simone"), ("Carla", "Carlo"), ("Ella", "Emma"),
    ("Marcos", "Marcus"), ("Alina", "Aline"), ("Anna", "Anne"), ("Kai", "Kaia"), ("Ayla", "Ayda"),
    ("Jamal", "Jamil"), ("Ramesh", "Rakesh"), ("Marlon", "Marion"), ("Jayden", "Brayden"),
)  # fmt: skip
_GENERATIONS = (
    (("{first}", "{last} I"), ("{first}", "{last} II")),
    (("{first}", "{last} Sr."), ("{first}", "{last} Jr.")),
    (("{first} I", "{last}"), ("{first} II", "{last}")),
    (("{first}", "{last}, Senior"), ("{first}", "{last}, Junior")),
    (("{first}", "{last} III"), ("{first} Jr", "{last}")),
)
SIZES = (50, 200, 1_000, 4_000)
SHARES = (0.0, 0.1, 0.3)
KINDS = (
    "couple", "couple with an initial", "couple with one's own address", "initial and the other's own address", "twins",
    "twins with an initial", "parent and child", "generations",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Base:
    """A base and the truth about it."""

    rows: tuple[Row, ...]
    person_of: dict[str, int]
    """By id of the record."""
    kind_of: dict[int, str]
    """The household of each person."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of bases of one size and share."""

    records: int
    doubled: float
    bases: int
    twice: int
    """Records of somebody who is in the base already."""
    merged: int
    """Of these, into one group with the other without a look."""
    wrong: dict[str, int]
    """Pairs of two people in one group, by the households they live in."""

    @property
    def recall(self) -> float | None:
        return self.merged / self.twice if self.twice else None


def measure(*, records: int, doubled: float, seeds: Sequence[int]) -> Measured:
    """Look through bases of these seeds and hold the groups that would be merged against the truth."""
    from cir.duplicates.finding import find  # noqa: PLC0415 - half a second that who only generates need not wait for

    wrong: Counter[str] = Counter()
    twice = merged = 0
    with tempfile.TemporaryDirectory(prefix="cir-families-") as directory:
        file, clusters = (Path(directory) / name for name in ("base.csv", "clusters.csv"))
        for seed in seeds:
            base = generate(records=records, doubled=doubled, seed=seed)
            find(write(file, base), clusters=clusters)
            twice += len(base.rows) - len(base.kind_of)
            for one, other in merged_pairs(clusters):
                people = {base.person_of[one], base.person_of[other]}
                merged += len(people) == 1
                if len(people) > 1:
                    wrong[" and ".join(sorted({base.kind_of[each] for each in people}))] += 1
    return Measured(records, doubled, len(seeds), twice, merged, dict(wrong))


def merged_pairs(clusters: Path) -> Iterator[tuple[str, str]]:
    """The pairs of records that a search would merge without a look."""
    groups: dict[str, list[str]] = defaultdict(list)
    with clusters.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            groups[row["merge_group"]].append(row["id"])
    for members in groups.values():
        yield from combinations(members, 2)


def generate(*, records: int, doubled: float, seed: int, families: float = 0.3) -> Base:
    """A base of so many records, of which a share is of somebody who is there already.

    `families`: share of the people who live in a family; every kind gets as many.
    """
    dice = random.Random(f"{records} {doubled} {seed}")
    again = round(records * doubled)
    people: list[Row] = []
    kinds: dict[int, str] = {}
    number = 0
    while len(people) < round((records - again) * families) - 1:
        kind = KINDS[(number + seed) % len(KINDS)]
        for each in _family(dice, kind, number):
            kinds[len(people)] = kind
            people.append(each)
        number += 1
    while len(people) < records - again:
        kinds[len(people)] = "single"
        people.append(_single(dice, len(people)))
    twice = dice.sample(range(len(people)), again)
    of = [*range(len(people)), *twice]
    rows = [*people, *(_again(dice, people[each]) for each in twice)]
    order = dice.sample(range(len(rows)), len(rows))
    placed = tuple({"Id": f"R{place:05}", **rows[each]} for place, each in enumerate(order))
    return Base(placed, {f"R{place:05}": of[each] for place, each in enumerate(order)}, kinds)


def write(path: Path, base: Base) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(base.rows)
    return path


def _single(dice: random.Random, number: int) -> Row:
    first, last = dice.choice(_MEN + _WOMEN), dice.choice(_SURNAMES)
    return {
        **_home(dice), "FirstName": first, "LastName": last, "Birthdate": _birthdate(dice),
        "MobilePhone": _phone(dice) if dice.random() < 0.5 else "",
        "Email": f"{first}.{last}{number}@example.com".lower() if dice.random() < 0.6 else "",
    }  # fmt: skip


def _family(dice: random.Random, kind: str, number: int) -> Iterator[Row]:
    """Two people who share surname, address, landline and, one family in two, an e-mail address."""
    last = dice.choice(_SURNAMES)
    home = {**_home(dice), "LastName": last, "MobilePhone": "", "Email": ""}
    if dice.random() < 0.5:
        mailbox = dice.choice((f"{last}family", f"the{last}s", last))
        home["Email"] = f"{mailbox}{number}@example.net".lower()
    man, woman = dice.choice(_MEN), dice.choice(_WOMEN)
    born = [_birthdate(dice), _birthdate(dice)]
    names: list[tuple[str, str]] = [(man, last), (woman, last)]
    if kind.endswith("own address"):
        home["Email"] = f"{woman}.{last}{number}@example.net".lower()
    if kind in {"couple with an initial", "initial and the other's own address"}:
        names = [(woman[0], last), (woman, last)]
    elif kind == "twins":
        names = [(first, last) for first in dice.choice(_ALIKE)]
        born = [born[0], born[0]]
    elif kind == "twins with an initial":
        names = [(woman[0], last), (woman, last)]
        born = [born[0], born[0]]
    elif kind == "parent and child":
        names = [(man, last), (man, last)]
        born = _generations_apart(dice)
    elif kind == "generations":
        names = [(a.format(first=man), b.format(last=last)) for a, b in dice.choice(_GENERATIONS)]
        born = _generations_apart(dice)
    for (first, family), day in zip(names, born, strict=True):
        mobile = _phone(dice) if dice.random() < 0.2 else ""
        yield {**home, "FirstName": first, "LastName": family, "Birthdate": day, "MobilePhone": mobile}


def _again(dice: random.Random, person: Row) -> Row:
    """The same person once more: a value less, and perhaps an initial, a slip, or another street."""
    row = {**person, dice.choice(("Phone", "MobilePhone", "Email", "Birthdate")): ""}
    written = dice.random()
    if written < 0.4:
        row["FirstName"] = row["FirstName"][0]
    elif written < 0.5 and len(row["FirstName"]) > 4:
        place = dice.randint(1, len(row["FirstName"]) - 3)
        row["FirstName"] = row["FirstName"][:place] + row["FirstName"][place + 1 :]
    if dice.random() < 0.3:
        row["MailingStreet"] = f"{dice.randint(1, 999)} New St"
    return row


def _home(dice: random.Random) -> Row:
    return {
        "Phone": _phone(dice) if dice.random() < 0.8 else "",
        "MailingStreet": f"{dice.randint(1, 999)} {dice.choice(('Oak', 'Elm', 'Lake', 'Hill', 'Pine', 'Mill'))} St",
        "MailingCity": dice.choice(("Carmel", "Fishers", "Zionsville")),
        "MailingPostalCode": f"46{dice.randint(0, 999):03}",
    }


def _birthdate(dice: random.Random) -> str:
    born = f"{dice.randint(1940, 2004)}-{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
    return born if dice.random() < 0.7 else ""


def _generations_apart(dice: random.Random) -> list[str]:
    """Of a parent and a child; one pair in three only a digit apart."""
    year, later = dice.randint(1940, 1975), dice.choice((20, 30, dice.randint(18, 40)))
    day = f"{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
    other = day if later in {20, 30} and dice.random() < 0.5 else f"{dice.randint(1, 12):02}-{dice.randint(1, 28):02}"
    both = (f"{year}-{day}", f"{year + later}-{other}")
    return [each if dice.random() < 0.7 else "" for each in both]


def _phone(dice: random.Random) -> str:
    return f"+1{dice.randint(201, 989)}{dice.randint(201, 989)}{dice.randint(0, 9999):04}"
