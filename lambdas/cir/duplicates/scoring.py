"""Splink's scores of the candidates, and the second opinion: one person, or two who know each other?"""

# ruff: noqa: S608 - the texts in the SQL are our own; names of columns and values of the file are quoted

import logging
import math
import re
from collections.abc import Sequence

import duckdb
from splink import DuckDBAPI, Linker, SettingsCreator

from cir.duplicates.comparisons import Comparison, gamma_sql
from cir.duplicates.model import Model, household_weight, splink_settings

_UNLIKELY = -3.0
"""Bits against strangers below which a pair is nobody's business: 1 in 9."""
_COLUMN_OF_PAIR = re.compile(r"\b([a-z_0-9]+)_([lr])\b")


def _agreement_sql(comparisons: Sequence[Comparison], pairs: str, keys: tuple[str, str]) -> str:
    """SQL of the level of every comparison of pairs; `keys` are the columns of `pairs` that name the rows."""
    conditions = [gamma_sql(comparison) for comparison in comparisons]
    columns = sorted({(name, side) for condition in conditions for name, side in _COLUMN_OF_PAIR.findall(condition)})
    values = ", ".join(f"{side}.{name} as {name}_{side}" for name, side in columns)
    gammas = ", ".join(
        f"({condition})::tinyint as gamma_{comparison.name}"
        for comparison, condition in zip(comparisons, conditions, strict=True)
    )
    return f"""select p.*, {gammas} from
        (select p.*, {values} from {pairs} p
         join records l on l.row = p.{keys[0]} join records r on r.row = p.{keys[1]}) p"""


def agreement_counts(
    connection: duckdb.DuckDBPyConnection, comparisons: Sequence[Comparison], pairs: str, *, rules: str
) -> list[tuple[int, ...]]:
    """(level of each comparison as Splink numbers them, bits of the rules, pairs) of every pattern that occurs."""
    gammas = ", ".join(f"gamma_{comparison.name}" for comparison in comparisons)
    agreement = _agreement_sql(comparisons, pairs, ("join_key_l", "join_key_r"))
    return connection.execute(
        f"select {gammas}, {rules} as rule_bits, count(*) as pairs from ({agreement}) group by all order by all"
    ).fetchall()


def score(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Fill `scored` (row_l, row_r, level and bits of every comparison, the odds of both questions, the probability)."""
    for name in ("splink", "splink.internals"):
        logging.getLogger(name).setLevel(logging.ERROR)
    api = DuckDBAPI(connection=connection)
    linker = Linker(
        api.register("records", dataset_display_name="records"),
        SettingsCreator.from_path_or_dict(splink_settings(model)),
    )
    linker.table_management.register_blocked_pairs_for_predict(api.register("candidates"))
    predicted = linker.inference.predict(threshold_match_weight=_UNLIKELY, warning_mode="never")
    agreement = _agreement_sql(model.comparisons, predicted.physical_name, ("row_l", "row_r"))
    connection.execute(
        f"""create table scored as
            with weighed as (select *, {household_sql(model)} as against_household from ({agreement}))
            select * exclude (match_probability, match_key) rename (match_weight as against_strangers),
                   1 / (1 + power(2, -least(match_weight, 500)) + power(2, -least(against_household, 500)))
                       as probability
            from weighed"""
    )
    predicted.drop_table_from_database_and_remove_from_cache()


def household_sql(model: Model) -> str:
    """log2 of the odds that a pair is one person's and not two people's who know each other."""
    terms = [repr(math.log2(model.match_share / model.household_share))]
    for comparison in model.comparisons:
        best = len(comparison.levels) - 1
        weights = " ".join(
            f"when {best - place} then {household_weight(comparison, level)!r}"
            for place, level in enumerate(comparison.levels)
        )
        terms.append(f"(case gamma_{comparison.name} {weights} else 0.0 end)")
    return " + ".join(terms)
