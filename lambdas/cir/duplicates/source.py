"""The file that is looked through: CSV or Parquet, loaded into DuckDB as text."""

# ruff: noqa: S608 - the texts in the SQL are our own; names of columns and values of the file are quoted

import codecs
import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from cir.duplicates.columns import ColumnMap
from cir.duplicates.errors import DuplicatesError

_SAMPLE_ROWS = 5000
_CHUNK = 1 << 20
_PARQUET_MAGIC = b"PAR1"
_LONGEST_CELL = 2_000_000
"""Characters, as DuckDB reads them; Python's reader would give up at 131,072."""
_DELIMITERS = ",;\t|"
_FEW_COLUMNS = 2
"""With so few, the second line of an address may have as many commas as a row."""
_CLOSE_QUOTES = 'Look for a quotation mark that is not closed, and write one inside a quoted cell twice ("")'


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows became records, and why others did not."""

    rows: int
    records: int
    without_id: int
    repeated_ids: int


@dataclass(frozen=True, slots=True)
class _Counted:
    """What Python's reader finds in a CSV file."""

    rows: int
    """Without the header."""
    line: int
    """Where the longest row begins."""
    longest: int
    """Its lines."""


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
            delimiter = _delimiter(readable)
            separated = f" delim = {_literal(delimiter)}," if delimiter else ""
            scan = (
                f"read_csv({_literal(str(readable))},{separated} all_varchar = true, null_padding = true,"
                # not to be guessed from the values, in which a house may have a quoted name or a note begin with #
                " parallel = false, quote = '\"', escape = '\"', comment = '', strict_mode = false, header = true)"
            )
            if delimiter:
                _check_rows(connection, path, scan, readable, delimiter)
        yield Source(connection, path, scan)


def _delimiter(path: Path) -> str:
    """What stands between the names of the columns, or an empty text where nothing does."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        outside_quotes = "".join(file.readline().split('"')[::2])
    counts = {delimiter: outside_quotes.count(delimiter) for delimiter in _DELIMITERS}
    most = max(counts, key=lambda each: counts[each])
    return most if counts[most] else ""


def _check_rows(connection: duckdb.DuckDBPyConnection, path: Path, scan: str, readable: Path, delimiter: str) -> None:
    """Refuse a file in which a quote that is not closed has made one cell of several rows, or a second reader counts
    other rows."""
    counted = _count_rows(path, readable, delimiter)
    try:
        read, *_ = connection.execute(f"select count(*) from {scan}").fetchone() or (0,)
        reason = f"{read:,} rows were read of {counted.rows:,}"
    except duckdb.Error as error:
        read, reason = -1, _first_line(error)
    if read != counted.rows:
        long = counted.longest > 1
        where = f"; the row that begins in line {counted.line} goes on for {counted.longest:,} lines" if long else ""
        raise DuplicatesError(f"{path}: its rows cannot be told apart ({reason}){where}. {_CLOSE_QUOTES}")


def _count_rows(path: Path, readable: Path, delimiter: str) -> "_Counted":
    rows, line, longest, columns = -1, 1, 1, 0
    csv.field_size_limit(_LONGEST_CELL)
    with readable.open(encoding="utf-8-sig", newline="") as file:
        of_row: list[str] = []
        reader = csv.reader(_noting(file, of_row), delimiter=delimiter)
        try:
            for cells in reader:
                first = reader.line_num - len(of_row) + 1
                columns = columns or len(cells)
                if (
                    len(of_row) > 1
                    and columns > _FEW_COLUMNS
                    and all(_is_row(each, delimiter, columns) for each in of_row)
                ):
                    raise DuplicatesError(
                        f"{path}: a quotation mark in line {first} swallows the rows up to line {reader.line_num}."
                        f" {_CLOSE_QUOTES}"
                    )
                if len(of_row) > longest:
                    line, longest = first, len(of_row)
                rows += bool(cells)
                of_row.clear()
        except csv.Error as error:
            first = reader.line_num - len(of_row) + 1
            raise DuplicatesError(f"{path}: the row that begins in line {first} cannot be read ({error})") from error
    return _Counted(rows, line, longest)


def _noting(lines: Iterable[str], noted: list[str]) -> Iterator[str]:
    for line in lines:
        noted.append(line)
        yield line


def _is_row(line: str, delimiter: str, columns: int) -> bool:
    """Whether a line alone has all the columns, quoted or not."""
    return columns - 1 in {line.count(delimiter), "".join(line.split('"')[::2]).count(delimiter)}


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
