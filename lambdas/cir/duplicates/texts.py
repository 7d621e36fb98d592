"""Texts of the file on their way between DuckDB and Python."""

# ruff: noqa: S608 - the texts in the SQL are our own; names of columns and values of the file are quoted

from collections.abc import Sequence

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]

from cir.duplicates.source import listed, quoted
from cir.identity.rules import load_rules

_LONGEST_PLACEHOLDER = max(map(len, load_rules().placeholders))


def joined(columns: Sequence[str], separator: str = " ") -> str:
    """SQL of the columns' values in one text; null where all are empty or placeholders."""
    if not columns:
        return "cast(null as varchar)"
    placeholders = listed(sorted(load_rules().placeholders))
    cells = (
        f"case when length({cell}) <= {_LONGEST_PLACEHOLDER} and lower({cell}) in ({placeholders}) then null"
        f" else {cell} end"
        for cell in map(quoted, columns)
    )
    return f"nullif(concat_ws('{separator}', {', '.join(cells)}), '')"


def distinct(connection: duckdb.DuckDBPyConnection, column: str, table: str) -> list[str]:
    """The different values of a column, in order."""
    where = " and " if " where " in table else " where "
    sql = f"select distinct {column} from {table}{where}{column} is not null order by 1"
    return [row[0] for row in connection.execute(sql).fetchall()]


def strings(values: object) -> pa.Array:
    """A column of texts, for DuckDB."""
    return pa.array(list(values), pa.string())  # type: ignore[call-overload]
