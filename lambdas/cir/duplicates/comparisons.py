"""What is compared of two records, and how well it can agree: conditions in SQL over the columns of `records`.

A level's condition holds where none above it does. `cir.matching.scoring` has the same levels in plain Python; the
tests hold the two against each other.
"""

from dataclasses import dataclass, replace

from cir.duplicates.preparing import Prepared


@dataclass(frozen=True, slots=True)
class Level:
    """One degree of agreement."""

    label: str
    condition: str
    """SQL; `ELSE` for the last."""
    m: float
    """Share of it among pairs of one person's records, before any training."""
    h: float
    """The same among pairs of relatives, housemates and colleagues: people who share more than strangers do."""
    u: float
    """The same among strangers, for files too small to count it in."""
    term_frequency: str = ""
    """Column whose value's frequency weighs the agreement: to share a rare surname says more than a common one."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One independent piece of evidence."""

    name: str
    title: str
    missing: str
    """SQL that holds where there is nothing to compare."""
    levels: tuple[Level, ...]
    """The best agreement first, ELSE last."""
    personal: bool = False
    """Whether relatives rarely agree on it."""
    exclusive: bool = False
    """Whether a person has only one, so that two that differ contradict."""


ELSE = "ELSE"
_FREQUENCIES_FROM = 1_000


def _alike(left: str, right: str, least: float) -> str:
    return f"jaro_winkler_similarity({left}, {right}) >= {least}"


def _slip(left: str, right: str) -> str:
    """One letter more, less or other, or two swapped. Levenshtein's distance, five times as cheap, is asked first."""
    return f"(levenshtein({left}, {right}) <= 2 and damerau_levenshtein({left}, {right}) <= 1)"


_SWAPPED = (
    "(given_full_l <> surname_l and given_full_r <> surname_r"
    f" and {_alike('given_full_l', 'surname_r', 0.9)} and {_alike('surname_l', 'given_full_r', 0.9)}"
    f" and not {_alike('given_full_l', 'given_full_r', 0.9)})"
)


_TWO_NAMES = "coalesce(given_own_l <> given_own_r, false)"
"""Both are names that people have: Maria and Mario, Jane and Janet."""


def _either_missing(column: str) -> str:
    return f"{column}_l is null or {column}_r is null"


def _shares(*columns: str, other: str = "") -> str:
    return (
        "(" + " or ".join(f"coalesce(list_has_any({column}_l, {other or column}_r), false)" for column in columns) + ")"
    )


GIVEN = Comparison(
    "given",
    "given name",
    _either_missing("given"),
    (
        Level(
            "the same",
            "given_full_l = given_full_r"
            " or (given_l = given_r and least(len(given_parts_l), len(given_parts_r)) = 1)",
            0.70, 0.02, 0.004, "given",
        ),
        Level("given name and surname swapped", _SWAPPED, 0.01, 0.0001, 0.00001),
        Level(
            "a short form of the other",
            "list_has_any(given_roots_l, given_roots_r) and given_l <> given_r", 0.10, 0.005, 0.002,
        ),
        Level(
            "a slip apart",
            f"not {_TWO_NAMES} and ("
            f"(least(length(given_full_l), length(given_full_r)) >= 4 and {_slip('given_full_l', 'given_full_r')})"
            " or (least(length(given_full_l), length(given_full_r)) >= 5"
            f" and {_alike('given_full_l', 'given_full_r', 0.93)}))",
            0.08, 0.008, 0.001,
        ),
        Level(
            "an initial of the other",
            "least(length(given_l), length(given_r)) = 1 and left(given_l, 1) = left(given_r, 1)", 0.04, 0.02, 0.01,
        ),
        Level(
            "similar",
            f"list_has_any(given_parts_l, given_parts_r) or not {_TWO_NAMES} and ("
            f"{_alike('given_full_l', 'given_full_r', 0.82)}"
            " or (least(length(given_l), length(given_r)) >= 3"
            " and (starts_with(given_l, given_r) or starts_with(given_r, given_l)))"
            " or given_sound_l = given_sound_r)",
            0.03, 0.05, 0.02,
        ),
        Level("different", ELSE, 0.04, 0.897, 0.963),
    ),
    personal=True,
)  # fmt: skip
SURNAME = Comparison(
    "surname",
    "surname",
    f"{_either_missing('surname')} or {_SWAPPED}",
    (
        Level("the same", "surname_l = surname_r", 0.78, 0.65, 0.002, "surname"),
        Level(
            "a slip apart",
            f"(least(length(surname_l), length(surname_r)) >= 4 and {_slip('surname_l', 'surname_r')})"
            f" or (least(length(surname_l), length(surname_r)) >= 5 and {_alike('surname_l', 'surname_r', 0.93)})",
            0.10, 0.03, 0.001,
        ),
        Level("part of a double name", "list_has_any(surname_parts_l, surname_parts_r)", 0.03, 0.06, 0.001),
        Level(
            "similar",
            f"{_alike('surname_l', 'surname_r', 0.85)} or surname_sound_l = surname_sound_r", 0.03, 0.02, 0.008,
        ),
        Level("different", ELSE, 0.06, 0.24, 0.988),
    ),
)  # fmt: skip
GENERATION = Comparison(
    "generation",
    "generation (Jr., Sr., III)",
    _either_missing("generation"),
    (
        Level("the same", "generation_l = generation_r", 0.98, 0.3, 0.5),
        Level("different", ELSE, 0.02, 0.7, 0.5),
    ),
    personal=True,
    exclusive=True,
)
PHONE = Comparison(
    "phone",
    "phone",
    "not (has_phone_l and has_phone_r)",
    (
        Level("a number that somebody carries along", _shares("own_phones_of_two"), 0.40, 0.002, 1e-7),
        Level("a personal number that hardly anybody else has", _shares("personal"), 0.10, 0.038, 1e-7),
        Level("a personal number of a few people", _shares("personal_few"), 0.03, 0.04, 1e-7),
        Level("the number of a line that hardly anybody else has", _shares("lines"), 0.15, 0.35, 1e-7),
        Level("the number of a line of a few people", _shares("lines_few"), 0.04, 0.20, 2e-7),
        Level("a number of several people", _shares("phones"), 0.02, 0.17, 1e-6),
        Level("none in common", ELSE, 0.26, 0.20, 0.9999),
    ),
)
EMAIL = Comparison(
    "email",
    "e-mail",
    "not (has_email_l and has_email_r)",
    (
        Level("an address that is called after one person", _shares("own_emails_of_two"), 0.45, 0.002, 1e-7),
        Level("an address that hardly anybody else has", _shares("emails"), 0.10, 0.028, 1e-7),
        Level("an address of a few people", f"{_shares('emails_few')}", 0.02, 0.05, 1e-7),
        Level("an address of several people", _shares("emails_all"), 0.01, 0.05, 1e-6),
        # a mailbox called after its owner says no more than the name does: preparing leaves those out
        Level("one mailbox name at two providers", _shares("mailboxes"), 0.12, 0.002, 1e-7),
        Level("none in common", ELSE, 0.30, 0.868, 0.9999),
    ),
    personal=True,
)
DOB = Comparison(
    "dob",
    "date of birth",
    _either_missing("dob"),
    (
        Level("the same", "dob_l = dob_r", 0.85, 0.004, 0.00005),
        Level(
            "day and month swapped",
            "length(dob_l) = 8 and length(dob_r) = 8 and left(dob_l, 4) = left(dob_r, 4)"
            " and substr(dob_l, 5, 2) = right(dob_r, 2) and right(dob_l, 2) = substr(dob_r, 5, 2)",
            0.02, 0.0005, 0.00003,
        ),
        Level("a slip apart", f"length(dob_l) = length(dob_r) and {_slip('dob_l', 'dob_r')}", 0.06, 0.003, 0.0008),
        Level(
            "two of day, month and year",
            "length(dob_l) = 8 and length(dob_r) = 8"
            " and (left(dob_l, 6) = left(dob_r, 6) or right(dob_l, 4) = right(dob_r, 4)"
            " or (left(dob_l, 4) = left(dob_r, 4) and right(dob_l, 2) = right(dob_r, 2)))",
            0.03, 0.006, 0.004,
        ),
        Level(
            "the year or two slips apart",
            "left(dob_l, 4) = left(dob_r, 4) or levenshtein(dob_l, dob_r) <= 2", 0.015, 0.05, 0.03,
        ),
        Level("different", ELSE, 0.025, 0.936, 0.965),
    ),
    personal=True,
)  # fmt: skip
STREET = Comparison(
    "street",
    "street",
    _either_missing("street"),
    (
        Level("the same", "street_l = street_r", 0.60, 0.72, 0.00005),
        Level(
            "the same number, the street a slip apart",
            "coalesce(list_has_any(numbers_l, numbers_r), numbers_l is null and numbers_r is null)"
            f" and {_alike('street_words_l', 'street_words_r', 0.88)}",
            0.10, 0.02, 0.00005,
        ),
        Level("the same street", "street_words_l = street_words_r", 0.03, 0.02, 0.003),
        Level(
            "similar",
            f"{_alike('street_words_l', 'street_words_r', 0.88)}"
            " or starts_with(street_l, street_r) or starts_with(street_r, street_l)", 0.03, 0.02, 0.005,
        ),
        Level("the same number", "coalesce(list_has_any(numbers_l, numbers_r), false)", 0.02, 0.02, 0.02),
        Level("different", ELSE, 0.22, 0.20, 0.97),
    ),
)  # fmt: skip
PLACE = Comparison(
    "place",
    "postcode and city",
    "(postcode_l is null or postcode_r is null) and (city_l is null or city_r is null)",
    (
        Level("the same postcode", "postcode_l = postcode_r", 0.66, 0.75, 0.0005, "postcode"),
        Level(
            "the same city, the postcode a slip apart",
            f"{_alike('city_l', 'city_r', 0.9)} and {_slip('postcode_l', 'postcode_r')}", 0.04, 0.02, 0.0005,
        ),
        Level("the same city", "city_l = city_r", 0.15, 0.13, 0.03, "city"),
        Level("the postcode a slip apart", _slip("postcode_l", "postcode_r"), 0.02, 0.01, 0.004),
        Level("a similar city", _alike("city_l", "city_r", 0.9), 0.02, 0.01, 0.005),
        Level("different", ELSE, 0.11, 0.08, 0.96),
    ),
)  # fmt: skip


def external_comparison(column: str, title: str) -> Comparison:
    """An id of which a person has one."""
    shorter = f"least(length({column}_l), length({column}_r))"
    return Comparison(
        column,
        title,
        _either_missing(column),
        (
            Level("the same", f"{column}_l = {column}_r", 0.88, 0.002, 1e-6),
            Level("a slip apart", f"{shorter} >= 6 and {_slip(f'{column}_l', f'{column}_r')}", 0.08, 0.002, 2e-5),
            Level("different", ELSE, 0.04, 0.996, 0.99998),
        ),
        personal=True,
        exclusive=True,
    )


def exact_comparison(column: str, title: str) -> Comparison:
    """Any other attribute."""
    return Comparison(
        column,
        title,
        _either_missing(column),
        (
            Level("the same", f"{column}_l = {column}_r", 0.80, 0.40, 0.05, column),
            Level("different", ELSE, 0.20, 0.60, 0.95),
        ),
    )


_STANDARD: tuple[tuple[frozenset[str], Comparison], ...] = (
    (frozenset({"given"}), GIVEN),
    (frozenset({"surname"}), SURNAME),
    (frozenset({"generation"}), GENERATION),
    (frozenset({"phones"}), PHONE),
    (frozenset({"emails"}), EMAIL),
    (frozenset({"dob"}), DOB),
    (frozenset({"street"}), STREET),
    (frozenset({"postcode", "city"}), PLACE),
)


def comparisons_for(prepared: Prepared, *, records: int) -> tuple[Comparison, ...]:
    """The comparisons that a file has the attributes for.

    In a file of few records a value is frequent because its owner is in it twice, so frequencies count in larger ones.
    """
    standard = (comparison for needs, comparison in _STANDARD if needs & prepared.present)
    external = (external_comparison(attribute.column, attribute.source) for attribute in prepared.external)
    exact = (exact_comparison(attribute.column, attribute.source) for attribute in prepared.exact)
    comparisons = (*standard, *external, *exact)
    return comparisons if records >= _FREQUENCIES_FROM else tuple(map(without_frequencies, comparisons))


def without_frequencies(comparison: Comparison) -> Comparison:
    """The comparison with the same weight for every value."""
    return replace(comparison, levels=tuple(replace(level, term_frequency="") for level in comparison.levels))


def gamma_sql(comparison: Comparison) -> str:
    """The level of a pair as Splink numbers them: -1 missing, 0 ELSE, the best the highest."""
    best = len(comparison.levels) - 1
    branches = " ".join(
        f"when {level.condition} then {best - place}"
        for place, level in enumerate(comparison.levels)
        if level.condition != ELSE
    )
    return f"case when {comparison.missing} then -1 {branches} else 0 end"
