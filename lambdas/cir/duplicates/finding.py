"""Find the duplicates in a file: no deployment, no network, no configuration."""

# ruff: noqa: S608 - the texts in the SQL are our own; names of columns and values of the file are quoted

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from cir.duplicates.candidates import find_candidates
from cir.duplicates.columns import ColumnMap, check_map, guess_map, load_map
from cir.duplicates.comparisons import comparisons_for
from cir.duplicates.deciding import MERGE_FROM, REVIEW_FROM, decide
from cir.duplicates.errors import DuplicatesError
from cir.duplicates.model import SHIPPED, Model, load_model, save_model, splink_settings
from cir.duplicates.preparing import Generic, generic_values, prepare
from cir.duplicates.scoring import score
from cir.duplicates.source import Loaded, open_source
from cir.duplicates.training import train

SHIPPED_MODEL = SHIPPED / "person-1.json"
_MOST_GENERIC = 1000
_MEMORY = "2GB"
"""What DuckDB may hold before it spills to disk; the process needs some 300 MB beside it."""
TRAINED_FROM = 3_000
"""Records. A smaller file has too few pairs to tell its families from persons who are in it twice."""


@dataclass(frozen=True, slots=True)
class Found:
    """What came out, in numbers."""

    columns: ColumnMap
    guessed: bool
    loaded: Loaded
    candidates: int
    pairs: dict[str, int]
    """By action."""
    reasons: dict[tuple[str, str], int]
    """Pairs by action and reason."""
    merge_groups: int
    records_in_merge_groups: int
    clusters: int
    records_in_clusters: int
    largest_cluster: int
    generic: tuple[Generic, ...]
    """Values left out as evidence, those on most records first."""
    generic_values: int
    trained_on: str
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        data = asdict(self)
        data["columns"] = self.columns.as_dict()
        data["reasons"] = [{"action": a, "reason": r, "pairs": n} for (a, r), n in self.reasons.items()]
        data["thresholds"] = {"merge": MERGE_FROM, "review": REVIEW_FROM}
        return data


def find(
    file: Path,
    *,
    columns: ColumnMap | Path | None = None,
    pairs: Path | None = None,
    clusters: Path | None = None,
    model: Path | None = None,
    save_model_to: Path | None = None,
    export_to: Path | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> Found:
    """Find duplicates in a CSV or Parquet file and write the pairs and clusters.

    Without `columns` the map is guessed from header and values. Without `model` the weights are trained on a file of
    TRAINED_FROM records or more, the shipped ones serving as a start; with a saved one nothing is trained.
    `export_to` is a directory for what Splink needs to compare the same pairs on another back end. `on_step` is told
    what begins.
    """
    started = time.monotonic()
    with _database() as connection:
        on_step("reading")
        with open_source(connection, file) as source:
            if isinstance(columns, ColumnMap):
                column_map = check_map(columns, source.header, name="columns")
            elif columns:
                column_map = load_map(columns, source.header)
            else:
                column_map = guess_map(source.header, source.sample(), name=str(file))
            loaded = source.load(column_map)
        on_step("normalising")
        prepared = prepare(connection, column_map)
        comparisons = comparisons_for(prepared, records=loaded.records)
        if not comparisons:
            raise DuplicatesError(f"{file}: the mapped columns are empty or hold placeholders only")
        on_step("choosing pairs")
        rules = find_candidates(connection, prepared, loaded.records)
        trained = load_model(model or SHIPPED_MODEL, comparisons).for_records(loaded.records)
        if model is None and loaded.records >= TRAINED_FROM:
            on_step("training")
            trained = train(connection, trained, rules, records=loaded.records, trained_on=file.name)
        if save_model_to:
            save_model(save_model_to, trained)
        if export_to:
            _export(connection, trained, export_to)
        on_step("scoring")
        score(connection, trained)
        on_step("clustering")
        decide(connection, trained)
        on_step("writing")
        if pairs:
            _write_pairs(connection, pairs)
        if clusters:
            _write_clusters(connection, clusters)
        return _summary(
            connection,
            column_map=column_map,
            guessed=columns is None,
            loaded=loaded,
            model=trained,
            seconds=time.monotonic() - started,
        )


@contextmanager
def _database() -> Iterator[duckdb.DuckDBPyConnection]:
    with tempfile.TemporaryDirectory(prefix="cir-duplicates-") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": _MEMORY,
            "temp_directory": spill,
            "preserve_insertion_order": "false",
        }
        connection = duckdb.connect(config=config)
        connection.execute("set enable_progress_bar = false")  # it would be written between the lines of a summary
        try:
            yield connection
        finally:
            connection.close()


def _write_pairs(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    _copy(
        connection,
        """select l.id as id_l, r.id as id_r, round(probability, 6) as probability, action, reason,
                  round(against_strangers, 2) as bits_against_strangers,
                  round(against_household, 2) as bits_against_relatives,
                  evidence
           from pairs join records l on l.row = row_l join records r on r.row = row_r
           order by probability desc, pairs.row_l, pairs.row_r""",
        path,
    )


def _write_clusters(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    _copy(
        connection,
        """with sized as (select *, count(*) over (partition by cluster) as size,
                  count(*) over (partition by merge_group) as group_size from clusters)
           select r.id, c.id as cluster, size as cluster_size, g.id as merge_group, group_size as merge_group_size,
                  case when size = 1 then 'single' when size = group_size then 'merge' else 'review' end as action
           from sized join records r using (row) join records c on c.row = sized.cluster
           join records g on g.row = sized.merge_group
           order by sized.cluster, sized.merge_group, row""",
        path,
    )


def _export(connection: duckdb.DuckDBPyConnection, model: Model, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for table in ("records", "candidates"):
        _copy(connection, f"from {table}", directory / f"{table}.parquet", form="format parquet")
    save_model(directory / "model.json", model)
    for dialect in ("duckdb", "spark"):
        settings = json.dumps(splink_settings(model, dialect=dialect), indent=1, ensure_ascii=False)
        (directory / f"splink-{dialect}.json").write_text(settings + "\n", encoding="utf-8")


def _copy(connection: duckdb.DuckDBPyConnection, query: str, path: Path, *, form: str = "format csv, header") -> None:
    target = str(path).replace("'", "''")
    try:
        connection.execute(f"copy ({query}) to '{target}' ({form})")
    except duckdb.IOException as error:
        raise DuplicatesError(f"{path}: cannot be written; give a path in a directory that exists") from error


def _summary(
    connection: duckdb.DuckDBPyConnection,
    *,
    column_map: ColumnMap,
    guessed: bool,
    loaded: Loaded,
    model: Model,
    seconds: float,
) -> Found:
    def sizes(column: str) -> tuple[int, int, int]:
        row = connection.execute(
            f"""select count(*), coalesce(sum(size), 0)::bigint, coalesce(max(size), 1)
                from (select count(*) as size from clusters group by {column} having count(*) > 1)"""
        ).fetchone()
        return row or (0, 0, 1)

    reasons = connection.execute(
        "select action, reason, count(*) from pairs group by all order by 1, 3 desc, 2"
    ).fetchall()
    actions = {
        action: sum(number for each, _, number in reasons if each == action) for action in ("merge", "review", "never")
    }
    candidates = connection.execute("select count(*) from candidates").fetchone() or (0,)
    generic = generic_values(connection)
    groups, in_groups, _ = sizes("merge_group")
    clusters, in_clusters, largest = sizes("cluster")
    return Found(
        columns=column_map,
        guessed=guessed,
        loaded=loaded,
        candidates=candidates[0],
        pairs=actions,
        reasons={(action, reason): number for action, reason, number in reasons},
        merge_groups=groups,
        records_in_merge_groups=in_groups,
        clusters=clusters,
        records_in_clusters=in_clusters,
        largest_cluster=largest,
        generic=tuple(generic[:_MOST_GENERIC]),
        generic_values=len(generic),
        trained_on=model.trained_on,
        seconds=seconds,
    )
