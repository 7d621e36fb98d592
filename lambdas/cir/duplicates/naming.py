"""Names: each different text is read once, in Python."""

# ruff: noqa: S608 - the texts in the SQL are our own; names of columns and values of the file are quoted

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]

from cir.duplicates.columns import ColumnMap
from cir.duplicates.texts import distinct, joined, strings
from cir.matching.names import read_given, read_surname, split_full


def read_names(connection: duckdb.DuckDBPyConnection, columns: ColumnMap) -> None:
    """The table `names` (row, and the parts, forms and sounds of its names)."""
    connection.execute(
        f"""create temp table name_texts as
            select row, {joined(columns.given_name)} as given, {joined(columns.surname)} as surname,
                   {joined(columns.full_name)} as whole, {joined(columns.generation)} as suffix from source"""
    )
    whole = distinct(connection, "whole", "name_texts where given is null and surname is null")
    halves = [split_full(text) for text in whole]
    connection.register(
        "name_halves",
        pa.table(
            {"whole": strings(whole), "first": strings(x for x, _ in halves), "last": strings(x for _, x in halves)}
        ),
    )
    connection.execute(
        """create or replace temp table name_texts as
           select row, coalesce(given, nullif(first, '')) as given,
                  coalesce(surname, nullif(last, '')) as surname, suffix
           from name_texts left join name_halves on name_texts.given is null and name_texts.surname is null
                and name_texts.whole = name_halves.whole"""
    )
    given_texts, surname_texts = (distinct(connection, column, "name_texts") for column in ("given", "surname"))
    suffixes = distinct(connection, "suffix", "name_texts")
    given = [read_given(text) for text in given_texts]
    surnames = [read_surname(text) for text in surname_texts]
    lists = pa.list_(pa.string())
    connection.register(
        "given_read",
        pa.table({
            "text": strings(given_texts),
            "given": strings(name.name for name in given),
            "given_full": strings("".join(name.parts) for name in given),
            "given_parts": pa.array([list(name.parts) for name in given], lists),
            "given_roots": pa.array([list(name.roots) for name in given], lists),
            "given_sound": strings(name.sound for name in given),
            "given_own": strings(name.own for name in given),
            "root_sound": strings(read_given(name.roots[0]).sound if name.roots else "" for name in given),
            "generation": strings(name.generation for name in given),
        }),
    )  # fmt: skip
    connection.register(
        "surname_read",
        pa.table({
            "text": strings(surname_texts),
            "surname": strings(name.name for name in surnames),
            "surname_whole": strings(name.whole for name in surnames),
            "surname_parts": pa.array([list(name.parts) for name in surnames], lists),
            "surname_sound": strings(name.sound for name in surnames),
            "generation": strings(name.generation for name in surnames),
        }),
    )  # fmt: skip
    suffix_read = [read_surname(f"x {text}").generation for text in suffixes]
    connection.register("suffix_read", pa.table({"text": strings(suffixes), "generation": strings(suffix_read)}))
    connection.execute(
        """create table names as
           select row, nullif(g.given, '') as given, nullif(g.given_full, '') as given_full,
                  g.given_parts, g.given_roots, nullif(g.given_sound, '') as given_sound,
                  nullif(g.root_sound, '') as given_root_sound, nullif(g.given_own, '') as given_own,
                  count(distinct s.surname) over (partition by g.given) as given_families,
                  nullif(s.surname, '') as surname, s.surname_whole, s.surname_parts,
                  nullif(s.surname_sound, '') as surname_sound,
                  coalesce(nullif(x.generation, ''), nullif(s.generation, ''), nullif(g.generation, '')) as generation,
                  hash(g.root_sound, left(s.surname_sound, 4)) as name_key
           from name_texts t left join given_read g on t.given = g.text left join surname_read s on t.surname = s.text
           left join suffix_read x on t.suffix = x.text"""
    )
    connection.execute("drop table name_texts")
    for view in ("name_halves", "given_read", "surname_read", "suffix_read"):
        connection.unregister(view)
