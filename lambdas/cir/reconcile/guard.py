"""When an extract is not to be believed. Better a night without repairs than a morning without tiers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares, from 0 to 1. A person who has looked can go past them once (`force`)."""

    lost: float = 0.05
    """Of the rows of the last good run. Customers leave one by one: a twentieth in a night is a filter, a permission
    that was taken away, or an export that broke off."""
    lost_in_a_month: float = 0.15
    """Of the most rows within thirty days. What takes a little less than a twentieth each night is no mass change of
    any of them: a permission that is taken away team by team, an archive job that runs wild."""
    changed: float = 0.20
    """Of the rows, with those that are new. A price list touches every account once a year, and a person can say so."""
    emptied: float = 0.50
    """Of the values that a field had, in the last good run or at most within thirty days. A field that loses half of
    them has been renamed, or is no longer readable."""
    rare: float = 0.01
    """Of the rows; a field that fewer of them fill may come and go."""
    doubled: float = 0.001
    """Of the rows. An id is there once; single ones come from records that were changed between two pages."""
    refused: float = 0.05
    """Of the rows: without a usable id there is nobody to write to."""
    few: int = 20
    """Rows, but no more than a quarter of all: below it a share says nothing."""

    def allowed(self, share: float, rows: int) -> float:
        return max(share * rows, min(self.few, rows / 4))


LIMITS = Limits()
MOST_NAMED = 4
"""Fields in one sentence."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the guard looks at."""

    rows: int
    before: int
    """Rows of the last good run; without one, the customers that the index has."""
    gone: int
    """Customers of the index that the extract lacks."""
    opted_out: int
    """Customers who had not opted out before."""
    changed: int
    doubled: int
    refused: int
    filled: Mapping[str, tuple[float, float]]
    """CRM field → share of rows with a value: before and now."""
    most: int = 0
    """Rows of the good run that had most of them, within thirty days."""
    left: int = 0
    """Customers who were withdrawn or deleted within thirty days, because the CRM had them no more."""
    highest: Mapping[str, float] = field(default_factory=dict)
    """CRM field → highest share of rows with a value within thirty days."""
    new: int = 0
    """Of those that would be written."""
    drift: Mapping[str, int] = field(default_factory=dict)
    """What differs → customers who would be written."""
    altered: Sequence[str] = ()
    """What every customer depends on and is not as in the last good run."""


def suspicions(seen: Seen, limits: Limits = LIMITS) -> list[str]:
    """Why nothing is to be written, for a person to read; none when all is well."""
    if not seen.rows:
        return ["the CRM has answered with no rows at all"]
    return [*_rows(seen, limits), *_opt_outs(seen, limits), *_fields(seen, limits), *_shares(seen, limits)]


def _rows(seen: Seen, limits: Limits) -> Iterator[str]:
    lost = max(seen.before - seen.rows, seen.gone)
    if lost > limits.allowed(limits.lost, seen.before):
        yield (
            f"{lost:,} of {seen.before:,} customers are missing, more than {limits.lost:.0%}: is the export complete, "
            "and may the connection still read all records?"
        )
        return
    lost = max(seen.most - seen.rows, seen.left + seen.gone if seen.left else 0)
    if lost > limits.allowed(limits.lost_in_a_month, seen.most):
        yield (
            f"{lost:,} of {seen.most:,} customers have gone missing within thirty days, more than "
            f"{limits.lost_in_a_month:.0%}: may the connection still read all records?"
        )


def _opt_outs(seen: Seen, limits: Limits) -> Iterator[str]:
    if seen.opted_out > limits.allowed(limits.lost, seen.before):
        yield (
            f"{seen.opted_out:,} of {seen.before:,} customers have opted out or become inactive at once, "
            f"more than {limits.lost:.0%}: does the field still mean what the mapping says?"
        )


def _fields(seen: Seen, limits: Limits) -> Iterator[str]:
    for name, (last, now) in seen.filled.items():
        before = max(last, seen.highest.get(name, 0.0))
        if before >= limits.rare and now < before * (1 - limits.emptied):
            yield (
                f"{name} was filled in {before:.1%} of the rows and is in {now:.1%}: has the field been renamed, or "
                "its permission been taken away?"
            )


def _shares(seen: Seen, limits: Limits) -> Iterator[str]:
    rows = seen.rows
    if seen.changed > limits.allowed(limits.changed, rows):
        yield (
            f"{seen.changed:,} of {rows:,} customers would be written, more than {limits.changed:.0%}: was there a "
            f"mass change, or does a first load wait for `cir import`? {_origin(seen)}"
        )
    if seen.doubled > limits.allowed(limits.doubled, rows):
        yield f"{seen.doubled:,} of {rows:,} rows have an id that was there before: pages of the CRM overlap"
    if seen.refused > limits.allowed(limits.refused, rows):
        yield f"{seen.refused:,} of {rows:,} rows have no usable id"


def _origin(seen: Seen) -> str:
    """Where the changes come from: the fields that most differ in, and what is not of the CRM."""
    differ = sorted(seen.drift.items(), key=lambda each: -each[1])[:MOST_NAMED]
    parts = [f"{seen.new:,} are new", *(f"{number:,} differ in {name}" for name, number in differ)]
    since = f"; since the last good run {' and '.join(seen.altered)} changed" if seen.altered else ""
    return f"Of these {', '.join(parts)}{since}."
