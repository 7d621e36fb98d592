"""What to do with each scored pair and record: merge, review, never; and why."""

# ruff: noqa: S608 - the texts in the SQL are our own; names of columns and values of the file are quoted

import math
from collections.abc import Sequence

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]

from cir.duplicates.clustering import Edge, cluster
from cir.duplicates.comparisons import Comparison
from cir.duplicates.model import Model, household_weight
from cir.duplicates.owning import OLDER, doubt_sql

MERGE_FROM = 0.99
"""A wrong merge is held to cost as much as a hundred reviews of right ones, so a merge must be 100 : 1 likely."""
REVIEW_FROM = 0.5
"""A pair that is more likely one person than not is worth a look."""
_NOTEWORTHY = 6.0
"""Bits against strangers (64 : 1) from which a pair that is not proposed is named, with the reason."""
_OTHER_GIVEN = "gamma_given = 0"
"""Neither a short form nor a slip nor an initial: what relatives share outweighs it in a file of families."""
_OTHER_BIRTH = "gamma_dob between 0 and 1"
"""Also with two slips: father and son of one name may be born on dates that are two digits apart."""
_BEYOND_CHANCE = 13.0
"""Bits against strangers (8,192 : 1) from which name and date of birth alone are enough: a rare name."""
_WHO = frozenset({"given", "surname", "generation", "dob"})
_ADDRESS = frozenset({"street", "place"})
_EVIDENCE = 2.0
"""Bits from which an agreement counts as a piece of evidence of its own (4 : 1)."""


def decide(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Fill `pairs` (both rows, probability, action, reason, evidence) and `clusters` (row, cluster, merge group)."""
    connection.execute(
        f"""create table decided as
            with weighed as (
                select *, {_contradiction(model.comparisons)} as contradiction,
                       {_forbidden(model.comparisons)} as forbids, {_pieces(model.comparisons)} as pieces,
                       {_beside(model.comparisons)} as beside from scored),
            likely as (
                select row_l, row_r, {OLDER} as older, {doubt_sql(model.comparisons)} as doubt
                from weighed p join records l on l.row = row_l join records r on r.row = row_r
                where probability >= {MERGE_FROM} and contradiction is null and pieces >= 2 and beside)
            select weighed.* replace (forbids or coalesce(older, false) as forbids), doubt,
                   likely.row_l is not null and doubt is null as certain
            from weighed left join likely using (row_l, row_r);
            drop table scored"""
    )
    _cluster(connection, "proposed", f"probability >= {REVIEW_FROM}", forbids="false")
    _cluster(connection, "merged", "certain", forbids="forbids", within="proposed")
    connection.execute(
        """create table clusters as
           select row, coalesce(p.cluster, row) as cluster, coalesce(m.cluster, row) as merge_group
           from records left join proposed p using (row) left join merged m using (row);
           drop table proposed; drop table merged"""
    )
    connection.execute(
        f"""create table pairs as
            with placed as (
                select d.*, l.cluster = r.cluster as together, l.merge_group = r.merge_group as merges
                from decided d join clusters l on l.row = row_l join clusters r on r.row = row_r
                where probability >= {REVIEW_FROM} or against_strangers >= {_NOTEWORTHY}
                    or forbids and l.cluster = r.cluster)
            select row_l, row_r, probability, against_strangers, against_household,
                case when merges and certain then 'merge'
                     when probability >= {REVIEW_FROM} or together then 'review' else 'never' end as action,
                case when merges and certain then 'strong evidence of several kinds, and nothing contradicts it'
                     when contradiction is not null and (forbids or probability >= {REVIEW_FROM}) then contradiction
                     when probability >= {REVIEW_FROM} and not together
                         then 'other records of the two clusters speak against joining them'
                     when certain then 'other records of the two clusters are not certain enough'
                     when doubt is not null then doubt
                     when probability >= {MERGE_FROM} and not beside
                         then 'nothing agrees but name and date of birth: namesakes may be born on one day'
                     when probability >= {MERGE_FROM} then 'only one kind of evidence'
                     when probability >= {REVIEW_FROM} then 'likely, but not certain enough to merge without a look'
                     when together then 'in one cluster through other records only'
                     else 'what they share is what relatives, housemates and colleagues share' end as reason,
                {_waterfall(model)} as evidence
            from placed order by probability desc, row_l, row_r"""
    )
    connection.execute("drop table decided")


def _cluster(
    connection: duckdb.DuckDBPyConnection, name: str, joins: str, *, forbids: str, within: str | None = None
) -> None:
    """Fill a table (row, cluster). Two records that join nobody else, as most do, are a cluster at once."""
    inside = (
        f"join {within} wl on wl.row = row_l join {within} wr on wr.row = row_r and wr.cluster = wl.cluster"
        if within
        else ""
    )
    connection.execute(
        f"""create or replace temp table joining as
            with pairs as (select row_l, row_r from decided {inside} where {joins} and not ({forbids})),
            ends as (select row_l as row, row_r as other from pairs union all select row_r, row_l from pairs),
            degrees as (select row, count(*) as degree from ends group by row)
            select ends.row, count(*) = 1 and max(degrees.degree) = 1 as is_pair
            from ends join degrees on degrees.row = other group by ends.row"""
    )
    edges = connection.execute(
        f"""select row_l, row_r, log2(probability / greatest(1 - probability, 1e-15)), {joins}, {forbids}
            from decided {inside} join joining l on l.row = row_l join joining r on r.row = row_r
            where not l.is_pair and not r.is_pair"""
    ).fetchall()
    clusters = cluster(Edge(*edge) for edge in edges)
    table = pa.table({
        "row": pa.array(clusters.keys(), pa.int32()),
        "cluster": pa.array(clusters.values(), pa.int32()),
    })  # fmt: skip
    connection.register("clusters_found", table)
    connection.execute(
        f"""create temp table {name} as
            select row, cluster from clusters_found union all
            select unnest([row_l, row_r]), row_l
            from decided {inside} join joining l on l.row = row_l join joining r on r.row = row_r
            where {joins} and not ({forbids}) and l.is_pair and r.is_pair"""
    )
    connection.unregister("clusters_found")


def _differs(comparison: Comparison) -> str:
    """Also where a slip would explain it: consecutive membership numbers of a family are one digit apart."""
    return f"gamma_{comparison.name} between 0 and {len(comparison.levels) - 2}"


def _contradiction(comparisons: Sequence[Comparison]) -> str:
    """SQL of what forbids merging without a look; null where nothing does."""
    branches = [
        f"when {_differs(comparison)} then '{_sql(comparison.title)} differs, and a person has only one'"
        for comparison in comparisons
        if comparison.exclusive
    ]
    if _has_given(comparisons):
        branches.append(f"when {_OTHER_GIVEN} then 'given name differs: relatives, or a name that was changed'")
    if any(comparison.name == "dob" for comparison in comparisons):
        branches.append(f"when {_OTHER_BIRTH} then 'date of birth differs: a namesake, or father and son'")
    return f"case {' '.join(branches)} end" if branches else "cast(null as varchar)"


def _forbidden(comparisons: Sequence[Comparison]) -> str:
    names = {comparison.name for comparison in comparisons}
    differing = [_differs(comparison) for comparison in comparisons if comparison.exclusive]
    others = [condition for name, condition in (("given", _OTHER_GIVEN), ("dob", "gamma_dob = 0")) if name in names]
    return " or ".join(differing + others) or "false"


def _has_given(comparisons: Sequence[Comparison]) -> bool:
    return any(comparison.name == "given" for comparison in comparisons)


def _pieces(comparisons: Sequence[Comparison]) -> str:
    """SQL of how many independent agreements there are; a household's address, landline and surname are one."""
    personal = " + ".join(
        f"({_bits(comparison)} >= {_EVIDENCE})::integer" for comparison in comparisons if comparison.personal
    )
    shared = " or ".join(f"{_bits(comparison)} >= {_EVIDENCE}" for comparison in comparisons if not comparison.personal)
    return f"{personal or '0'} + ({shared or 'false'})::integer"


def _beside(comparisons: Sequence[Comparison]) -> str:
    """SQL of whether anything agrees but name and birthday, or the name is rare; an address counts as a whole."""
    address = [_bits(comparison) for comparison in comparisons if comparison.name in _ADDRESS]
    others = [_bits(comparison) for comparison in comparisons if comparison.name not in _WHO | _ADDRESS]
    sums = [" + ".join(address)] * bool(address) + others
    agree = " or ".join(f"{bits} >= {_EVIDENCE}" for bits in sums) or "true"
    return f"({agree} or against_strangers >= {_BEYOND_CHANCE})"


def _bits(comparison: Comparison) -> str:
    """SQL of the bits that a comparison adds against strangers, with its term frequency."""
    adjusted = any(level.term_frequency for level in comparison.levels)
    return f"(mw_{comparison.name} + mw_tf_adj_{comparison.name})" if adjusted else f"mw_{comparison.name}"


def _waterfall(model: Model) -> str:
    """SQL of the evidence as text: each comparison with its bits against strangers and against relatives."""
    starts = tuple(math.log2(share) for share in (model.match_share, model.match_share / model.household_share))
    parts = [f"'before any evidence ({starts[0]:+.1f} / {starts[1]:+.1f})'"]
    for comparison in model.comparisons:
        best = len(comparison.levels) - 1
        labels = " ".join(
            f"when {best - place} then '{_sql(level.label)} (' || printf('%+.1f', {_bits(comparison)}) || ' / "
            f"{household_weight(comparison, level):+.1f})'"
            for place, level in enumerate(comparison.levels)
        )
        parts.append(f"'{_sql(comparison.title)}: ' || case gamma_{comparison.name} {labels} end")
    return f"concat_ws('; ', {', '.join(parts)})"


def _sql(text: str) -> str:
    return text.replace("'", "''")
