"""Dates of birth, in whatever format a column has."""

# ruff: noqa: S608 - the texts in the SQL are our own; names of columns and values of the file are quoted

from collections.abc import Sequence

import duckdb

from cir.duplicates.source import quoted

_DATE_FORMATS = (
    "%Y-%m-%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d",
    "%d/%m/%y", "%m/%d/%y",
    "%d.%m.%y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%B %d, %Y", "%b %d, %Y", "%d-%b-%y", "%d%m%Y", "%y%m%d",
)  # fmt: skip


def date_of_birth(connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> tuple[str, str]:
    """SQL (value, joins to `source s`) of the date of birth as eight digits: year, month, day.

    There are fewer where only so much is known. A text of eight digits that is no date is kept as it is: it may be a
    date with a slip in it.
    """
    if not columns:
        return "cast(null as varchar)", ""
    if len(columns) == 3 and _are_parts(connection, columns):
        year, month, day = (f"try_cast(nullif(trim({quoted(column)}), '') as double)::integer" for column in columns)
        return f"printf('%04d%02d%02d', {year}, {month}, {day})", ""
    joins = " ".join(
        f"left join ({_date(connection, column)}) dates_{place} on dates_{place}.cell = s.{quoted(column)}"
        for place, column in enumerate(columns)
    )
    return f"coalesce({', '.join(f'dates_{place}.dob' for place in range(len(columns)))})", joins


def _are_parts(connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> bool:
    tests = ", ".join(
        f"avg(case when try_cast({quoted(column)} as double) between {low} and {high} then 1 else 0 end)"
        for column, (low, high) in zip(columns, ((1850, 2100), (1, 12), (1, 31)), strict=True)
    )
    row = connection.execute(f"select {tests} from source where {quoted(columns[0])} is not null").fetchone()
    return bool(row) and all((share or 0) > 0.8 for share in row or ())


def _date(connection: duckdb.DuckDBPyConnection, column: str) -> str:
    """SQL that reads the dates of a column in the formats that fit it, the one that fits most values first."""
    trimmed = f"regexp_replace(trim({quoted(column)}), '(?:[T ]\\d\\d?:.*|\\.0)$', '')"
    fits = ", ".join(f"count(try_strptime(text, '{form}'))" for form in _DATE_FORMATS)
    counts = connection.execute(
        f"""select count(*), {fits} from (select distinct {trimmed} as text from source
            where {quoted(column)} is not null order by hash(text), text limit 5000)"""
    ).fetchone() or (0,)
    ranked = sorted(range(len(_DATE_FORMATS)), key=lambda place: (-counts[place + 1], place))
    kept = [_DATE_FORMATS[place] for place in ranked if counts[place + 1] >= max(1, 0.02 * counts[0])]
    # of two formats that read the same text, the one that fits more of the column is the column's
    reads = [f"try_strptime(text, '{form}')" for form in kept]
    date = f"strftime(coalesce({', '.join(reads)}), '%Y%m%d')" if reads else "cast(null as varchar)"
    digits = "regexp_replace(text, '[^0-9]', '', 'g')"
    return f"""select cell, coalesce({date}, case when length({digits}) in (4, 8) then {digits} end) as dob
        from (select distinct {quoted(column)} as cell, {trimmed} as text from source
              where {quoted(column)} is not null)"""
