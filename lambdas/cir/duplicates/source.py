"""The file that is looked through: CSV or Parquet, loaded into DuckDB as text."""

# ruff: noqa: S608 - the texts in the SQL are our own; names of columns and values of the file are quoted

import codecs
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from cir.duplicates.columns import ColumnMap
from cir.duplicates.errors import DuplicatesError

_SAMPLE_ROWS = 5000
_CHUNK = 1 << 20
_PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows became records, and why others did not."""

    rows: int
    records: int
    without_id: int
    repeated_ids: int


class Source:
    """A file of rows. Its columns are text whatever the file calls them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, scan: str) -> None:
        self._connection = connection
        self._scan = scan
        self.path = path
        try:
            self.header: list[str] = [row[0] for row in connection.execute(f"describe select * from {scan}").fetchall()]
        except duckdb.Error as error:
            raise DuplicatesError(f"{path}: cannot be read as a table ({_first_line(error)})") from error

    def sample(self) -> dict[str, list[str]]:
        """The first values of every column, to guess from."""
        columns = ", ".join(f"cast({quoted(column)} as varchar)" for column in self.header)
        try:
            rows = self._connection.execute(f"select {columns} from {self._scan} limit {_SAMPLE_ROWS}").fetchall()
        except duckdb.Error as error:
            raise DuplicatesError(f"{self.path}: cannot be read ({_first_line(error)})") from error
        return {column: [row[place] or "" for row in rows] for place, column in enumerate(self.header)}

    def load(self, column_map: ColumnMap) -> Loaded:
        """Fill the table `source`: `row` (the place of the record in the order of the ids), `id` and mapped columns."""
        columns = [column for column in column_map.columns if column != column_map.id]
        cells = "".join(f", cast({quoted(column)} as varchar) as {quoted(column)}" for column in columns)
        try:
            self._connection.execute(  # a CSV file is read by one thread, so the cells are trimmed later, by all
                f"create temp table source_rows as select trim(cast({quoted(column_map.id)} as varchar)) as id{cells}"
                f" from {self._scan}"
            )
        except duckdb.Error as error:
            raise DuplicatesError(f"{self.path}: cannot be read ({_first_line(error)})") from error
        # Of rows with one id the one that says most counts; the text of the row breaks a tie, never its place.
        trimmed = {column: f"nullif(trim({quoted(column)}), '')" for column in columns}
        names = "".join(f", {cell} as {quoted(column)}" for column, cell in trimmed.items())
        filled = " + ".join(f"length(coalesce({cell}, ''))" for cell in trimmed.values()) or "0"
        self._connection.execute(
            """create temp table repeated as
                select id from source_rows where id <> '' group by id having count(*) > 1"""
        )
        text = ", ".join(trimmed.values()) or "''"
        self._connection.execute(
            f"""create temp table places as
                select id, cast(row_number() over (order by id) as integer) as row
                from (select distinct id from source_rows where id <> '');
                create table source as
                with once as (
                    select id{names} from source_rows where id <> '' and id not in (select id from repeated)
                    union all
                    (select distinct on (id) id{names} from source_rows where id in (select id from repeated)
                     order by id, {filled} desc, {text})
                )
                select places.row, once.* from once join places using (id);
                drop table places"""
        )
        rows, without_id = self._one("select count(*), count(*) filter (where coalesce(id, '') = '') from source_rows")
        (records,) = self._one("select count(*) from source")
        self._connection.execute("drop table source_rows")
        loaded = Loaded(rows, records, without_id, rows - without_id - records)
        if not loaded.rows:
            raise DuplicatesError(f"{self.path}: has no rows")
        if loaded.records < 2 or loaded.repeated_ids > loaded.records:
            raise DuplicatesError(
                f"{self.path}: {column_map.id!r} is no id: {records:,} different values on {rows:,} rows;"
                " map another column"
            )
        return loaded

    def _one(self, sql: str) -> tuple[int, ...]:
        row = self._connection.execute(sql).fetchone()
        assert row is not None  # noqa: S101 - an aggregate always has a row
        return row


@contextmanager
def open_source(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[Source]:
    """Open a CSV (any delimiter; UTF-8, UTF-16 or Windows-1252) or Parquet file."""
    if not path.is_file():
        raise DuplicatesError(f"{path}: no such file")
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise DuplicatesError(f"{path}: is empty")
    with ExitStack() as stack:
        if start == _PARQUET_MAGIC:
            scan = f"read_parquet({_literal(str(path))})"
        else:
            readable = stack.enter_context(_as_utf8(path, start))
            scan = (
                f"read_csv({_literal(str(readable))}, all_varchar = true, null_padding = true, parallel = false,"
                # not to be guessed from the values, in which a house may have a quoted name or a note begin with #
                " quote = '\"', escape = '\"', comment = '', strict_mode = false, header = true)"
            )
        yield Source(connection, path, scan)


@contextmanager
def _as_utf8(path: Path, start: bytes) -> Iterator[Path]:
    """The file itself if it is UTF-8, else a copy that is."""
    encoding = "utf-8"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif not _decodes(path, "utf-8"):
        encoding = "cp1252" if _decodes(path, "cp1252") else "latin-1"
    if encoding == "utf-8":
        yield path
        return
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", suffix=".csv") as copy:
        with path.open(encoding=encoding, newline="", errors="replace") as file:
            while chunk := file.read(_CHUNK):
                copy.write(chunk)
        copy.flush()
        yield Path(copy.name)


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def quoted(name: str) -> str:
    """A column name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def listed(values: Sequence[str]) -> str:
    """Texts as an SQL list of literals."""
    return ", ".join(map(_literal, values))


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
