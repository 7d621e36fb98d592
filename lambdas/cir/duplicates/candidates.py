"""Which pairs are compared at all: those that share something that few others do.

A small file is compared whole. In a larger one each rule makes blocks of records with one key; blocks that are too big
for it are left to narrower rules, and loose rules are used only while their pairs stay affordable, so that the number
of pairs grows with the number of records, not with its square.
"""

# ruff: noqa: S608 - the texts in the SQL are our own; names of columns and values of the file are quoted

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from cir.duplicates.preparing import Prepared

COMPARE_ALL = 2_000
"""Records up to which every pair is compared: two million."""
_BLOCK = 60
"""Records in a block of a strict rule; 1,770 pairs."""
_NAME_BLOCK = 8
_LOOSE_BLOCKS = (400, _BLOCK, 12)
_HOUSE = 8
_LOOSE_PAIRS = 600_000
"""What all loose rules together may add in a file of up to `_LARGE` records; in a larger one they find nothing new."""
_LARGE = 50_000


@dataclass(frozen=True, slots=True)
class Rule:
    """Records with the same key are compared."""

    name: str
    key: str
    """SQL over `records`; null where the record has no key."""
    implies: tuple[str, ...] = ()
    """Comparisons that its pairs agree on by construction, which therefore say nothing in training on them."""
    many: bool = False
    """Whether the key is a list of values, each of which counts."""
    identifies: bool = False
    """Whether its pairs are all that agree on what it implies."""
    loose: bool = False
    block: int = _BLOCK


EVERYTHING = Rule("all", "0")


def _both(*columns: str) -> str:
    keys = ", ".join(columns)
    return f"case when {' and '.join(f'{column} is not null' for column in columns)} then hash({keys}) end"


_NAME = "least(given_root_sound, surname_sound), greatest(given_root_sound, surname_sound)"


def _sorted_name(*more: str) -> str:
    """One key for `Ana Silva` and `Silva, Ana` in the wrong columns."""
    present = " and ".join(f"{column} is not null" for column in ("given_root_sound", "surname_sound", *more))
    return f"case when {present} then hash({', '.join((_NAME, *more))}) end"


_GIVEN, _SURNAME = "given_root_sound", "surname_sound"
_INITIAL, _LETTER = "left(given_sound, 1)", "left(surname_sound, 1)"
_YEAR, _BIRTHDAY = "left(dob, 4)", "right(dob, 4)"
_NAMED = ("given", "surname")


def _loose(name: str, keys: tuple[str, ...], implies: tuple[str, ...]) -> Rule:
    return Rule(name, _both(*keys), implies, loose=True)


_PEOPLE: tuple[tuple[tuple[str, ...], Rule], ...] = (
    (("phones",), Rule("phone", "phones", ("phone",), many=True)),
    (("emails",), Rule("email", "emails_all", ("email",), many=True)),
    (("emails",), Rule("mailbox name", "mailboxes", ("email",), many=True)),
    (_NAMED, Rule("name", _sorted_name(), _NAMED, block=_NAME_BLOCK)),
    ((*_NAMED, "dob"), Rule("name and year", _sorted_name(_YEAR), _NAMED)),
    ((*_NAMED, "postcode"), Rule("name and postcode", _sorted_name("postcode"), (*_NAMED, "place"))),
    ((*_NAMED, "city"), Rule("name and city", _sorted_name("city"), (*_NAMED, "place"), block=_NAME_BLOCK)),
    (("dob", "given"), Rule("dob and given", _both("dob", _GIVEN), ("dob", "given"))),
    (("dob", "surname"), Rule("dob and surname", _both("dob", _SURNAME), ("dob", "surname"))),
    (("dob", *_NAMED), Rule("dob and initials", _both("dob", _INITIAL, _LETTER), ("dob", *_NAMED))),
    (("surname", "postcode"), Rule("surname and postcode", _both(_SURNAME, "postcode"), ("surname", "place"))),
    (("street", "city"), Rule("address", _both("street", "city"), ("street", "place"), block=_HOUSE)),
    (
        ("street", "postcode"),
        Rule("address by postcode", _both("street", "postcode"), ("street", "place"), block=_HOUSE),
    ),
    (("street", "surname"), Rule("street and surname", _both("street", _SURNAME), ("street", "surname"))),
    (("street", "given"), Rule("street and given", _both("street", _GIVEN), ("street", "given"))),
    (("dob",), _loose("dob", ("dob",), ("dob",))),
    (("given", "postcode"), _loose("given and postcode", (_GIVEN, "postcode"), ("given", "place"))),
    (("dob", "city"), _loose("birth year and city", (_YEAR, "city"), ("place",))),
    (("surname", "city"), _loose("surname and city", (_SURNAME, "city"), ("surname", "place"))),
    (("given", "city"), _loose("given and city", (_GIVEN, "city"), ("given", "place"))),
    (("surname", "dob"), _loose("surname and birthday", (_SURNAME, _BIRTHDAY), ("surname",))),
    (("surname", "dob"), _loose("surname and birth year", (_SURNAME, _YEAR), ("surname",))),
    (("given", "dob"), _loose("given and birth year", (_GIVEN, _YEAR), ("given",))),
    (("street",), _loose("street", ("street_words",), ("street",))),
    (_NAMED, _loose("surname and initial", (_SURNAME, _INITIAL), ("surname",))),
    (_NAMED, _loose("given and letter", (_GIVEN, _LETTER), ("given",))),
    (("street", "surname"), _loose("street words and surname", ("street_words", _SURNAME), ("street", "surname"))),
    (("postcode",), _loose("postcode", ("postcode",), ("place",))),
    (("surname",), _loose("surname", (_SURNAME,), ("surname",))),
    (("given",), _loose("given", (_GIVEN,), ("given",))),
)
"""The attributes that a rule needs, and the rule; the strictest first."""


def rules_for(prepared: Prepared) -> tuple[Rule, ...]:
    """The rules whose attributes the file has, strictest first."""
    has = prepared.present
    ids = [
        Rule(attribute.source, attribute.column, (attribute.column,), identifies=True)
        for attribute in (*prepared.external, *prepared.exact)
    ]
    return (*ids, *(rule for needs, rule in _PEOPLE if has.issuperset(needs)))


def find_candidates(connection: duckdb.DuckDBPyConnection, prepared: Prepared, records: int) -> tuple[Rule, ...]:
    """Fill `candidates` (join_key_l, join_key_r, rules as bits); returns the rules, in the order of the bits."""
    if records <= COMPARE_ALL:
        connection.execute(
            """create table candidates as
               select l.row as join_key_l, r.row as join_key_r, 1::bigint as rules, '0' as match_key
               from records l join records r on l.row < r.row"""
        )
        return (EVERYTHING,)
    connection.execute(
        f"""create temp table crowded_names as
            select {_sorted_name()} as key from records
            group by key having key is not null and count(*) > {_NAME_BLOCK}"""
    )
    used: list[Rule] = []
    left = _LOOSE_PAIRS * min(1.0, _LARGE / records)
    for rule in rules_for(prepared):
        table = f"block_{len(used)}"
        sizes = (rule.block,) if not rule.loose else _LOOSE_BLOCKS if records <= 4 * _LARGE else ()
        pairs = _make_blocks(connection, rule, table, sizes, at_most=left if rule.loose else math.inf)
        if rule.loose:
            left -= pairs
        if not pairs:
            continue
        used.append(rule)
    pairs_of = (
        " union all ".join(
            f"select l.row as join_key_l, r.row as join_key_r, {1 << place}::bigint as rule"
            f" from block_{place} l join block_{place} r on l.key = r.key and l.row < r.row"
            for place in range(len(used))
        )
        or "select 0 as join_key_l, 0 as join_key_r, 0::bigint as rule where false"
    )
    connection.execute(
        f"""create table candidates as
            select join_key_l, join_key_r, bit_or(rule) as rules, '0' as match_key from ({pairs_of})
            group by join_key_l, join_key_r"""
    )
    for table in (*(f"block_{place}" for place in range(len(used))), "keyed", "sized", "crowded_names"):
        connection.execute(f"drop table if exists {table}")
    return tuple(used)


def _make_blocks(
    connection: duckdb.DuckDBPyConnection, rule: Rule, table: str, sizes: Sequence[int], *, at_most: float
) -> int:
    """Fill a table with the blocks of a rule up to the largest of the sizes that makes no more pairs than allowed.

    Returns how many pairs that is; without any no table is made.
    """
    if not sizes:
        return 0
    keys = f"select row, {rule.key} as key from records where {rule.key} is not null"
    if rule.many:
        keys = f"select row, hash(unnest({rule.key})) as key from records"
    elif rule.key != _sorted_name() and _NAME in rule.key:
        keys += f" and {_sorted_name()} in (from crowded_names)"
    counts = ", ".join(
        f"coalesce(sum(size * (size - 1) // 2) filter (where size <= {size}), 0)::bigint" for size in sizes
    )
    connection.execute(
        f"""create or replace temp table keyed as {keys};
            create or replace temp table sized as
            select key, count(*) as size from keyed group by key having count(*) between 2 and {max(sizes)}"""
    )
    pairs = connection.execute(f"select {counts} from sized").fetchone() or ()
    fitting = [(size, number) for size, number in zip(sizes, pairs, strict=True) if 0 < number <= at_most]
    if not fitting:
        return 0
    size, number = max(fitting)
    connection.execute(
        f"""create temp table {table} as
            select distinct keyed.row, key from keyed semi join (from sized where size <= {size}) using (key)"""
    )
    return int(number)


def random_pairs(connection: duckdb.DuckDBPyConnection, table: str, *, records: int, pairs: int) -> None:
    """Fill a table with pairs spread evenly and reproducibly over all, to count how strangers agree."""
    strides: Iterator[int] = (
        1 + (place * 7_919 + 104_729) % (records - 1) for place in range(max(1, -(-pairs // records)))
    )
    listed = ", ".join(f"({stride})" for stride in sorted(set(strides)))
    connection.execute(
        f"""create table {table} as
            select distinct least(row, other) as join_key_l, greatest(row, other) as join_key_r, '0' as match_key from
            (select row, 1 + (hash(row, stride) % {records})::integer as other
             from records, (values {listed}) strides(stride))
            where row <> other"""
    )
