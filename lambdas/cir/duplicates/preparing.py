"""From the rows of a file to the records that are compared: one table of normalised columns, `records`.

Everything is set-wise SQL. What SQL cannot do (names, odd phone numbers and addresses) is done in Python once per
distinct text, of which a base has far fewer than rows.
"""

# ruff: noqa: S608 - the texts in the SQL are our own; names of columns and values of the file are quoted

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import duckdb
import phonenumbers
import pyarrow as pa  # type: ignore[import-untyped]

from cir.duplicates.columns import ColumnMap
from cir.duplicates.contact_points import NAMELESS_MAILBOXES, owned_number, read_emails, read_phones
from cir.duplicates.dates import date_of_birth
from cir.duplicates.destroyed import ADVICE, is_destroyed
from cir.duplicates.naming import read_names
from cir.duplicates.source import listed, quoted
from cir.duplicates.texts import distinct, joined, strings
from cir.identity.parsing.decoys import refuse_decoy_id
from cir.identity.parsing.regions import read_region
from cir.identity.rules import IdentifierType, load_rules
from cir.matching.addresses import GERMAN_STREET, HOUSE_NUMBER, LIGATURES, SAINT, STREET_WORDS, UNIT

_FEW_PEOPLE = 4
"""A contact point of so many people says that two of them know each other, hardly that they are one."""
_LINE_SHARED = 0.5
"""Share of a column's repeated numbers that several names have, above which its numbers are lines, not mobiles."""
_OF_A_HOUSE = (
    r"[^\p{L}]+|^the|famil(?:y|ies|ie|le|ia|iar|ias)|^fam|rodzina|house|home|haus|casa|maison|office|"
    r"e?mail|post|info|contact|kontakt"
)
"""What a mailbox name has beside a surname where a whole family reads it, and what says nothing of who does."""
_FOLDED = "regexp_replace({}, '([aou])e', '\\1', 'g')"


@dataclass(frozen=True, slots=True)
class Generic:
    """A value that carries no evidence."""

    attribute: str
    value: str
    records: int
    reason: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of its own in `records` for an external id or another attribute."""

    column: str
    """In `records`."""
    source: str
    """In the file."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `records` has."""

    present: frozenset[str]
    """Attributes with a value on enough records to compare."""
    external: tuple[Attribute, ...]
    exact: tuple[Attribute, ...]


def prepare(connection: duckdb.DuckDBPyConnection, columns: ColumnMap) -> Prepared:
    """Fill `records` and `generic` from `source`."""
    connection.execute("create table generic (attribute varchar, value varchar, records bigint, reason varchar)")
    _regions(connection, columns)
    _refuse_ids(connection, columns.external_ids)
    _read(connection, columns)
    _contact_points(connection, columns)
    external = tuple(Attribute(f"id_{place}", source) for place, source in enumerate(columns.external_ids))
    exact = tuple(Attribute(f"exact_{place}", source) for place, source in enumerate(columns.exact))
    _drop_frequent(connection, "details", "dob", what="date of birth")
    for attribute in external:
        _drop_frequent(connection, "details", attribute.column, what=attribute.source, limit=_FEW_PEOPLE)
    extra = "".join(f", d.{attribute.column}" for attribute in (*external, *exact))
    connection.execute(
        f"""create table records as
            select s.row, s.id, n.given, n.given_full, n.given_parts, n.given_roots, n.given_sound, n.given_root_sound,
                   n.given_own, n.given_families,
                   n.surname, n.surname_parts, n.surname_sound, n.generation, n.name_key,
                   p.personal, p.personal_few, p.lines, p.lines_few, p.phones, p.own_phones, p.own_phones_of_two,
                   pr.row is not null as has_phone,
                   e.emails, e.emails_few, e.emails_all, e.own_emails_of_two,
                   e.named_emails, e.called_emails, e.emails_of_two,
                   x.mailboxes, er.row is not null as has_email,
                   count(*) over (partition by n.surname, left(n.given, 1), d.dob) as born_alike,
                   d.dob, d.street, d.street_words, d.numbers, d.city, d.postcode{extra}
            from source s
            left join names n using (row) left join phone_lists p using (row) left join email_lists e using (row)
            left join details d using (row) left join mailbox_lists x using (row)
            left join phone_rows pr using (row) left join email_rows er using (row);
            drop table names; drop table phone_lists; drop table email_lists; drop table mailbox_lists;
            drop table phone_rows; drop table email_rows; drop table details; drop table regions"""
    )
    present = _present(connection, [attribute.column for attribute in (*external, *exact)])
    return Prepared(
        present,
        tuple(attribute for attribute in external if attribute.column in present),
        tuple(attribute for attribute in exact if attribute.column in present),
    )


def _read(connection: duckdb.DuckDBPyConnection, columns: ColumnMap) -> None:
    """Fill the tables of names, contact points and details, side by side: one reads in Python what others do in SQL."""

    def beside() -> duckdb.DuckDBPyConnection:
        cursor = connection.cursor()
        cursor.execute("set enable_progress_bar = false")  # a setting of each cursor
        return cursor

    with ThreadPoolExecutor() as threads:
        readings = [
            threads.submit(read_names, beside(), columns),
            threads.submit(read_emails, beside(), columns.emails),
            threads.submit(read_phones, beside(), columns.phones),
            threads.submit(_details, beside(), columns),
        ]
        for reading in readings:
            reading.result()


def _regions(connection: duckdb.DuckDBPyConnection, columns: ColumnMap) -> None:
    """The table `regions` (row, region of its national phone numbers)."""
    expression = f"coalesce({', '.join(quoted(column) for column in columns.country)}, '')" if columns.country else "''"
    texts = [row[0] for row in connection.execute(f"select distinct {expression} from source order by 1").fetchall()]
    default = columns.default_region or _usual_region(connection, columns.phones)
    regions = [read_region(text, default) for text in texts]
    connection.register("region_read", pa.table({"text": strings(texts), "region": strings(regions)}))
    connection.execute(
        f"create table regions as select row, region from source s join region_read r on {expression} = r.text"
    )
    connection.unregister("region_read")


def _usual_region(connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> str:
    """The country that most of the internationally written numbers belong to, where no column says it."""
    codes: dict[int, int] = {}
    for column in columns:
        rows = connection.execute(
            f"select {quoted(column)} from source where {quoted(column)} like '+%' order by hash(row) limit 500"
        ).fetchall()
        for (text,) in rows:
            try:
                code = phonenumbers.parse(text).country_code or 0
            except phonenumbers.NumberParseException:
                continue
            codes[code] = codes.get(code, 0) + 1
    if not codes:
        return ""
    code = min(codes, key=lambda each: (-codes[each], each))
    return phonenumbers.region_code_for_country_code(code) if 2 * codes[code] > sum(codes.values()) else ""


def _without(text: str, *names: str, plural: str = "") -> str:
    """SQL of a mailbox name without these of its owner's names, as in cir.matching.scoring.is_telling_mailbox."""
    for name in names:
        text = f"replace({text}, coalesce({_FOLDED.format(f'n.{name}')} || '{plural}', ''), '')"
    return text


def _contact_points(connection: duckdb.DuckDBPyConnection, columns: ColumnMap) -> None:
    local, surnames = _FOLDED.format("v.local"), ("surname_parts[1]", "surname_parts[2]")
    residue = _without(local, "surname_whole", "given_full", "given_parts[1]", "given_parts[2]", *surnames)
    family = ("surname_whole", *surnames)
    person = _without(_without(local, *family, plural="s"), *family)
    person = f"regexp_replace({person}, '{_OF_A_HOUSE}', '', 'g')"
    called = "contains(person, left(given, 3)) or person = left(given, 1) and local <> person"
    rules = load_rules().identifiers
    for kind, table in ((IdentifierType.PHONE, "phone_values"), (IdentifierType.EMAIL, "email_values")):
        _generic_values(connection, kind, table, "value", rules[kind].generic_above)
    _generic_values(connection, "mailbox name", "email_values", "local", _FEW_PEOPLE)
    for what, table in (("phone", "phone_refused"), ("email", "email_refused")):
        connection.execute(
            f"insert into generic select '{what}', value, records, 'placeholder: typed to fill the field' from {table}"
            " where why = 'placeholder'"
        )
        connection.execute(
            f"insert into generic select '{what}', min(value), sum(records), '{ADVICE}' from {table}"
            " where why = 'destroyed' having count(*) > 0"
        )
        connection.execute(f"drop table {table}")
    connection.execute(
        f"""create temp table shared_places as
            select place from phone_values join phone_values_counts using (value)
            group by place having count(*) filter (where people > 1) > {_LINE_SHARED} * count(*);
            create temp table line_values as
            select value from phone_values semi join phone_values_counts using (value) group by value
            having count(*) filter (where place in (select place from shared_places)) * 2 >= count(*);
            create temp table own_values as
            select distinct value from phone_values semi join phone_values_counts using (value)
            where {owned_number(connection, columns.phones, "value")};
            create temp table phone_lists as
            select row,
                list(value) filter (where not is_line and people <= 2) as personal,
                list(value) filter (where not is_line and people <= {_FEW_PEOPLE}) as personal_few,
                list(value) filter (where is_own and named <= 1) as own_phones,
                list(value) filter (where is_own and named <= 2) as own_phones_of_two,
                list(value) filter (where is_line and people <= 2) as lines,
                list(value) filter (where is_line and people <= {_FEW_PEOPLE}) as lines_few,
                list(value) as phones
            from (select v.row, v.value, any_value(c.people) as people, any_value(c.named) as named,
                         any_value(l.value) is not null as is_line, bool_or(o.value is not null) as is_own
                  from phone_values v join phone_values_counts c using (value) left join line_values l using (value)
                  left join own_values o using (value)
                  where not c.generic group by v.row, v.value)
            group by row;
            create temp table phone_rows as
            select distinct row from phone_values anti join (from phone_values_counts where generic) using (value);
            create temp table email_lists as
            select row, list(value) filter (where people <= 2) as emails,
                list(value) filter (where people <= {_FEW_PEOPLE}) as emails_few, list(value) as emails_all,
                list(value) filter (where is_own and named <= 2) as own_emails_of_two,
                list(value) filter (where named <= 2 and length(given) >= 3 and contains(local, given)) as named_emails,
                list(value) filter (where named <= 2 and ({called})) as called_emails,
                list(value) filter (where records = 2) as emails_of_two
            from (select *, bool_and(person <> '') over (partition by value) as is_own
                  from (select distinct v.row, v.value, c.records, c.people, c.named,
                               {local} as local, {person} as person, {_FOLDED.format("n.given")} as given
                        from email_values v join email_values_counts c using (value) left join names n using (row)
                        where not c.generic))
            group by row;
            create temp table email_rows as
            select distinct row from email_values anti join (from email_values_counts where generic) using (value);
            create temp table mailbox_lists as
            with residues as (
                select distinct v.row, v.local,
                    not regexp_matches(concat(n.given, n.surname), '[^\\x00-\\x7f]') as latin,
                    {residue} as residue
                from email_values v join email_locals_counts b using (local) left join names n using (row)
                where not b.generic and length(v.local) >= 5)
            select row, list(local) as mailboxes from residues
            where regexp_matches(residue, '[0-9].*[0-9].*[0-9]') or (latin and regexp_matches(residue, '[a-z]{{5}}'))
            group by row;
            drop table phone_values; drop table email_values; drop table line_values; drop table shared_places;
            drop table own_values"""
    )


def _generic_values(connection: duckdb.DuckDBPyConnection, kind: str, table: str, column: str, limit: int) -> None:
    """How many records and differently named people have each value of several records; above `limit` it is generic."""
    counts = "email_locals_counts" if column == "local" else f"{table}_counts"
    nameless = f"or regexp_replace({column}, '[-_.]+', '-', 'g') in ({listed(sorted(NAMELESS_MAILBOXES))})"
    roles = nameless if column == "local" else ""
    connection.execute(
        f"""create temp table {counts} as
            with repeated as (select {column} from {table} group by {column} having count(distinct row) > 1)
            select {column}, count(distinct row) as records, count(distinct coalesce(name_key, hash(row))) as people,
                   greatest(count(distinct given_own),
                            count(distinct given_root_sound) filter (where length(given) > 1)) as named,
                   people > {limit} {roles} as generic
            from {table} semi join repeated using ({column}) join names using (row) group by {column}"""
    )
    connection.execute(
        f"""insert into generic select '{kind}', {column}, records, case when people > {limit}
                then 'on records of ' || people || ' different names; up to {limit} could be one person or household'
                else 'a mailbox that several people read' end
            from {counts} where generic"""
    )


def _refuse_ids(connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> None:
    """The table `id_refused` (place of the column, text): destroyed ids and those that identify nobody."""
    connection.execute("create table id_refused (place integer, text varchar, destroyed boolean)")
    for place, column in enumerate(columns):
        texts = distinct(connection, quoted(column), "source")
        refused = [
            (place, text, is_destroyed(text))
            for text in texts
            if is_destroyed(text) or refuse_decoy_id(text, is_record_key=False)
        ]
        if not refused:
            continue
        connection.executemany("insert into id_refused values (?, ?, ?)", refused)
        # what was destroyed is one fault of the file, said once
        connection.execute(
            f"""insert into generic
                select ?, min(text), count(*), case when bool_or(destroyed) then '{ADVICE}'
                    else 'placeholder: typed to fill the field' end
                from source s join id_refused r on s.{quoted(column)} = r.text and r.place = {place}
                group by case when destroyed then '' else text end""",
            [column],
        )


def _details(connection: duckdb.DuckDBPyConnection, columns: ColumnMap) -> None:
    dob, dates = date_of_birth(connection, columns.date_of_birth)
    street_cell = joined(columns.street)
    street = "cell"
    for letter, spelling in LIGATURES:
        street = f"replace({street}, '{letter}', '{spelling}')"
    words = f"regexp_replace(street, '{HOUSE_NUMBER}', ' ', 'g')"
    plain = "trim(regexp_replace(lower(strip_accents(replace({}, 'ß', 'ss'))), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g'))"
    city_cell, postcode_cell = joined(columns.city), joined(columns.postcode, "")
    city = f"regexp_replace({plain.format('cell')}, '{SAINT}', 'st ')"
    postcode = "upper(regexp_replace(cell, '(?:\\.0$|[^\\p{L}\\p{N}])', '', 'g'))"
    extra = "".join(
        f", case when s.{quoted(column)} not in (select text from id_refused where place = {place}) then"
        f" nullif(upper(regexp_replace({joined([column])}, '(?:\\.0$|[ .\\-/])', '', 'g')), '') end as id_{place}"
        for place, column in enumerate(columns.external_ids)
    ) + "".join(
        f", nullif(lower(strip_accents(regexp_replace("
        f"regexp_replace({joined([column])}, '\\s+', ' ', 'g'), '^@', ''))), '') as exact_{place}"
        for place, column in enumerate(columns.exact)
    )
    shortened = "words"
    for long, short in STREET_WORDS:
        shortened = f"regexp_replace({shortened}, '\\b(?:{long})\\b', '{short}', 'g')"
    connection.execute(
        f"""create temp table cells as
            select row, {street_cell} as street, {city_cell} as city, {postcode_cell} as postcode from source;
            create temp table streets as
            with cells as (select distinct street as cell from cells),
            texts as (select cell, {street} as text from cells where cell is not null),
            cleaned as (select cell, text, trim(regexp_replace(regexp_replace(regexp_replace(lower(strip_accents(text)),
                '{UNIT}', ' ', 'g'), '{GERMAN_STREET}', 'st', 'g'), '[^\\p{{L}}\\p{{N}}]+', ' ', 'g')) as street
                from texts),
            worded as materialized (select cell, trim(regexp_replace({words}, ' +', ' ', 'g')) as words,
                regexp_extract_all(street, '{HOUSE_NUMBER}') as numbers from cleaned),
            short as (select words, trim({shortened}) as street_words from (select distinct words from worded))
            select cell, street_words, numbers from worded join short using (words)"""
    )
    connection.execute(
        f"""create table details as
            select s.row, {dob} as dob,
                   nullif(concat_ws(' ', array_to_string(t.numbers, ' '), t.street_words), '') as street,
                   nullif(t.street_words, '') as street_words,
                   case when len(t.numbers) > 0 then t.numbers end as numbers,
                   nullif(cities.plain, '') as city, nullif(postcodes.plain, '') as postcode{extra}
            from source s join cells c using (row) left join streets t on c.street = t.cell {dates}
            left join (select cell, {city} as plain from (select distinct city as cell from cells)) cities
                on cities.cell = c.city
            left join (select cell, {postcode} as plain from (select distinct postcode as cell from cells)) postcodes
                on postcodes.cell = c.postcode;
            drop table streets; drop table cells; drop table id_refused"""
    )


def _drop_frequent(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, *, what: str, limit: int | None = None
) -> None:
    """Empty values that far more differently named people have than chance gives: a default somebody did not change."""
    many = str(limit) if limit else "greatest(12, 8 * (select avg(people) from counts))"
    quoted_what = what.replace("'", "''")
    connection.execute(
        f"""create temp table frequent as
            with counts as (select {column} as value, count(*) as records,
                                count(distinct coalesce(name_key, hash(row))) as people
                            from {table} join names using (row) where {column} is not null group by {column})
            select value, records, people from counts where people > {many};
            insert into generic select '{quoted_what}', value, records,
                'on records of ' || people || ' different names, far more than chance gives' from frequent;
            update {table} set {column} = null where {column} in (select value from frequent);
            drop table frequent"""
    )


def _present(connection: duckdb.DuckDBPyConnection, extra: Sequence[str]) -> frozenset[str]:
    """Attributes that at least two records have."""
    columns = [
        "given",
        "surname",
        "generation",
        "nullif(has_phone, false)",
        "nullif(has_email, false)",
        "dob",
        "street",
        "city",
        "postcode",
        *extra,
    ]
    row = connection.execute(f"select {', '.join(f'count({column})' for column in columns)} from records").fetchone()
    named = ("phones" if "phone" in column else "emails" if "email" in column else column for column in columns)
    return frozenset(column for column, count in zip(named, row or (), strict=True) if count > 1)


def generic_values(connection: duckdb.DuckDBPyConnection) -> list[Generic]:
    """The values that were left out as evidence, those on most records first."""
    rows = connection.execute(
        "select attribute, value, sum(records)::bigint, min(reason) from generic"
        " group by attribute, value order by 3 desc, 1, 2"
    ).fetchall()
    return [Generic(*row) for row in rows]
