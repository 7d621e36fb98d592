"""Whether two records share what one person alone has, and not only what a family shares.

Surname, address, landline and an e-mail address that is called after the family are one household's. So is a given name
that is only alike: an initial stands for the spouse too, and twins are called Jane and Janet. What tells is a date of
birth, a number that is carried along, an id; of twins not even the date of birth. An address called after its owner
tells two spellings of a name apart from two people, but not an initial: a couple has the address of one of them.
Couples and twins live in one street, though: who has moved and kept the landline is no spouse or twin of a record with
an initial, where only these two records have the birthday or the address.
"""

from collections.abc import Sequence

from cir.duplicates.comparisons import GIVEN, Comparison

_LEVELS = {level.label: len(GIVEN.levels) - 1 - place for place, level in enumerate(GIVEN.levels)}
_SAME, _SWAPPED, _SHORT, _SLIP, _INITIAL = (
    _LEVELS[label]
    for label in (
        "the same",
        "given name and surname swapped",
        "a short form of the other",
        "a slip apart",
        "an initial of the other",
    )
)
_ALIKE = "given names that are only alike, and too little that is not a whole family''s"
_GENERATION = 13
"""Years by which a parent is older at the least."""
_ONE_LETTER = "least(length(l.given), length(r.given)) <= 1"
_ONE_GENERATION = "(l.generation is distinct from r.generation)"
"""Senior or junior is said of one of the two only."""
_OF_ONE_NAME = "greatest(len(l.given_roots), len(r.given_roots)) <= 2"
"""Bob is Robert; Sam is Samuel or Samantha, who may be married."""
_TYPED = "damerau_levenshtein(l.given_full, r.given_full) <= 1"
_BOTH_IN_FAMILIES = (
    "least(l.given_families, r.given_families) >= greatest(3, greatest(l.given_families, r.given_families) / 20)"
)
"""Several families of the file have both, so that neither is a slip; one slip of a name is rarer than that."""
_MISTYPED = (
    f"gamma_given in ({_SLIP}, {_SHORT}) and {_TYPED} and left(l.given, 1) = left(r.given, 1)"
    f" and not coalesce(l.given_own <> r.given_own, false) and not {_BOTH_IN_FAMILIES}"
    " and regexp_replace(l.given_full, '[aeiouy]+$', '') <> regexp_replace(r.given_full, '[aeiouy]+$', '')"
)
"""Not two names that people have, and alike in the first letter and not apart in a last vowel alone.

People seldom mistype the first letter; names that rhyme, and endings that tell a sister from a brother, are names.
"""


OLDER = (
    f"coalesce(abs(try_cast(left(l.dob, 4) as integer) - try_cast(left(r.dob, 4) as integer)) >= {_GENERATION}, false)"
)
"""SQL of whether one could be the other's parent. Over `l` and `r` (records)."""


def doubt_sql(comparisons: Sequence[Comparison]) -> str:
    """SQL of why a likely pair may be two of a family; null where it is not. Over `p` (scored), `l`, `r` (records)."""
    names = {comparison.name for comparison in comparisons}
    if "given" not in names:
        return "cast(null as varchar)"
    ids = " or ".join(
        f"gamma_{comparison.name} = {len(comparison.levels) - 1}"
        for comparison in comparisons
        if comparison.name.startswith("id_")
    )
    born = "gamma_dob >= 4" if "dob" in names else "false"
    nearly_born = "gamma_dob >= 2" if "dob" in names else "false"
    phone, phone_of_two = (
        f"coalesce(list_has_any(l.{column}, r.{column}), false)" for column in ("own_phones", "own_phones_of_two")
    )
    called, named = (
        f"(coalesce(list_has_any(l.{column}, r.emails_all), false)"
        f" or coalesce(list_has_any(r.{column}, l.emails_all), false))"
        for column in ("called_emails", "named_emails")
    )
    mailbox = "gamma_email = 1" if "email" in names else "false"
    moved = "gamma_street between 0 and 1 and gamma_phone >= 1" if {"street", "phone"} <= names else "false"
    of_two = "coalesce(list_has_any(l.emails_of_two, r.emails_of_two), false)"
    moved = f"{moved} and ({born} and l.born_alike = 2 and r.born_alike = 2 or {named} and {of_two})"
    return f"""case
        when {OLDER} then 'born a generation apart: father and son, or a slip'
        when {ids or "false"} then null
        when gamma_given in ({_SAME}, {_SWAPPED}) and not {_ONE_LETTER} then
            case when not ({nearly_born} or {phone} or ({called} or {mailbox}) and not {_ONE_GENERATION})
                then 'one name, and nothing that a father and son of that name would not share' end
        when gamma_given = {_SHORT} and not {_TYPED} then
            case when not ({born} or {phone_of_two} or ({called} or {mailbox}) and {_OF_ONE_NAME}) then '{_ALIKE}' end
        when {_MISTYPED} then
            case when not ({born} or {phone_of_two} or {called} or {mailbox}) then '{_ALIKE}' end
        when gamma_given < 0 then
            case when not ({born} or {phone}) then 'no given name, and too little that is not a whole family''s' end
        when gamma_given in ({_SAME}, {_INITIAL}) then
            case when not ({phone} or {born} and ({named} or {mailbox}) or {moved})
                then 'an initial, and too little that is not a whole family''s' end
        else '{_ALIKE}' end"""
