"""Phone numbers and e-mail addresses of a whole file, in the forms by which they are compared.

Numbers and addresses written plainly, nine in ten, are read in SQL; `cir.identity.parsing` reads the others, each
spelling once. Both give the same number (the tests say so); a text that neither can read but that has the digits of a
number is compared as its digits, since two equal texts are evidence even where nobody could dial them.
"""

# ruff: noqa: S608 - the texts in the SQL are our own; names of columns and values of the file are quoted

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import duckdb
import phonenumbers
import pyarrow as pa  # type: ignore[import-untyped]
from phonenumbers import PhoneMetadata

from cir.duplicates.destroyed import DATE, is_destroyed
from cir.duplicates.source import listed, quoted
from cir.identity.identifiers import Identifier, Reason
from cir.identity.parsing import parse
from cir.identity.rules import IdentifierType, load_rules

NAMELESS_MAILBOXES = (
    load_rules().functional_email_locals | load_rules().machine_email_locals | {"mail", "post", "welcome"}
)
"""What stands, written with hyphens, before the @ of many addresses and says nothing of who has them."""
type Reader = Callable[[Sequence[tuple[str, ...]]], list[tuple[str, ...]]]

_PARALLEL_ABOVE = 20_000
"""Texts for which starting another process (0.4 s) pays."""
_PARTS = 8
"""What they are cut into: as many processes at the most."""
_OWN_ZERO = ("39", "225", "241", "242", "378", "379")
"""Calling codes whose national numbers may begin with a zero that belongs to them."""
_CARRIED = re.compile(r"mobil|cell|handy|movil|celular|mobiel|gsm|portable|komork|whatsapp|sms", re.IGNORECASE)
"""Parts of the name of a column whose numbers are one person's."""
_SHORTEST_RUN = 7
"""Digits of a national number from which a sequence, or one digit and zeros, was typed to fill the field."""
_RUN_UP, _RUN_DOWN = "01234567890123456789", "98765432109876543210"
_PLAIN_EMAIL = r"[a-z0-9._%+''-]+@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}"


def read_phones(connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> None:
    """Fill `phone_values` (row, place of the column, value) from columns of `source` and `regions` (row, region)."""
    # an extension belongs to the number before it, whatever stands between the two
    joined = "regexp_replace({}, '[;,] *(ext)', ' \\1', 'gi')"
    _cells(connection, "phone_cells", columns, r";|\||\n| / |, ", reading=joined)
    regions = [row[0] for row in connection.execute("select distinct region from regions order by 1").fetchall()]
    accounts = [place for place, column in enumerate(columns) if "whatsapp" in column.casefold()]
    connection.execute(f"create temp table phone_read as {_plain_phones(regions, accounts)}")
    rest = connection.execute(
        "select distinct text, region from phone_read where number is null order by text, region"
    ).fetchall()
    slow = pa.table(dict(zip(("text", "region", "number", "refused"), _transposed(rest, _read_phones), strict=True)))
    connection.register("phone_slow", slow)
    decoys = listed(sorted(load_rules().placeholder_phones))
    withheld = listed(sorted(load_rules().withheld_callers))
    two_digit = _two_digit_codes()
    connection.execute(
        f"""create temp table phone_numbers as
            with numbers as (
                select row, place, text, number, '' as refused from phone_read where number is not null union all
                select c.row, c.place, c.text, s.number, s.refused
                from phone_read c join phone_slow s using (text, region) where c.number is null)
            select row, place, text, number, case when refused = '' and
                (number in ({withheld}) or ltrim(number, '+') in ({decoys}) or national in ({decoys})
                 or length(national) >= {_SHORTEST_RUN} and (contains('{_RUN_UP}', national)
                    or contains('{_RUN_DOWN}', national) or regexp_full_match(national, '[0-9]0+'))
                 or regexp_full_match(number, '{"|".join(rf"\+?[0-9]{{0,3}}{digit}{{7,}}" for digit in range(10))}'))
                then 'placeholder' else refused end as refused
            from (select *, case when number[1] <> '+' then number when number[2] in ('1', '7') then substr(number, 3)
                      when number[2:3] in ({two_digit}) then substr(number, 4) else substr(number, 5) end as national
                  from numbers);
            create table phone_values as
                select distinct row, place, number as value from phone_numbers where refused = '';
            create table phone_refused as
                select text as value, refused as why, count(*) as records from phone_numbers
                where refused <> '' group by all;
            drop table phone_cells; drop table phone_read; drop table phone_numbers"""
    )
    connection.unregister("phone_slow")


def read_emails(connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> None:
    """Fill `email_values` (row, place of the column, value, local part) from the columns of `source`."""
    _cells(connection, "email_cells", columns, r";|\||\n|, |,| / ")
    providers = load_rules().mail_providers
    known = "".join(f" when '{domain}' then '{rule.domain}'" for domain, rule in sorted(providers.items()))
    tags = listed(sorted(domain for domain, rule in providers.items() if rule.ignores_tags))
    dots = listed(sorted(domain for domain, rule in providers.items() if rule.ignores_dots))
    connection.execute(
        f"""create temp table email_read as
            with texts as (select row, place, text,
                lower(regexp_replace(regexp_replace(text, '^[^<>@]*<([^<>]+)>$', '\\1'), '^(?i:mailto:) *', '')) as low
                from email_cells),
            parts as (select row, place, text, low, split_part(low, '@', 1) as local, split_part(low, '@', 2) as domain,
                             regexp_full_match(low, '{_PLAIN_EMAIL}') and not contains(low, '..')
                             and low[1] not in ('.', '''', '-') and not contains(low, '.@')
                             and not contains(low, '''@') as plain from texts),
            tagless as (select *, case when domain in ({tags}) and local[1] <> '+' then split_part(local, '+', 1)
                else local end as untagged from parts)
            select row, place, text, case when plain then
                (case when domain in ({dots}) then replace(untagged, '.', '') else untagged end)
                || '@' || (case domain{known} else domain end) end as address
            from tagless"""
    )
    rest = connection.execute("select distinct text from email_read where address is null order by text").fetchall()
    slow = pa.table(dict(zip(("text", "address", "refused"), _transposed(rest, _read_emails), strict=True)))
    connection.register("email_slow", slow)
    rules = load_rules()
    connection.execute(
        f"""create temp table email_addresses as
                select row, place, text, address, case when address in ({listed(sorted(rules.placeholder_emails))})
                    or split_part(address, '@', 1) in ({listed(sorted(rules.placeholder_email_locals))})
                    or split_part(address, '@', 2) like '%.invalid' then 'placeholder' else '' end as refused
                from email_read where address is not null union all
                select c.row, c.place, c.text, s.address, s.refused
                from email_read c join email_slow s using (text) where c.address is null;
            create table email_values as
                select distinct row, place, address as value, split_part(address, '@', 1) as local
                from email_addresses where refused = '';
            create table email_refused as
                select text as value, refused as why, count(*) as records from email_addresses
                where refused <> '' group by all;
            drop table email_cells; drop table email_read; drop table email_addresses"""
    )
    connection.unregister("email_slow")


def _cells(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], separators: str, *, reading: str = "{}"
) -> None:
    """One row for each value in the columns; a cell may hold several. `reading`: SQL of a cell, {} its column."""
    several = "(" + separators + ")"
    parts = " union all ".join(
        f"select row, {place} as place, {reading.format(quoted(column))} as cell"
        f" from source where {quoted(column)} is not null"
        for place, column in enumerate(columns)
    )
    parts = parts or "select row, 0 as place, '' as cell from source where false"
    connection.execute(
        f"""create temp table {table} as
            with cells as ({parts})
            select row, place, cell as text from cells where not regexp_matches(cell, '{several}')
            union all
            select row, place, trim(text) as text from
                (select row, place, unnest(string_split_regex(cell, '{separators}')) as text from cells
                 where regexp_matches(cell, '{several}')) where trim(text) <> ''"""
    )


def _plain_phones(regions: Iterable[str], accounts: Sequence[int]) -> str:
    """SQL that reads the numbers whose reading is certain from their digits, and leaves the others null.

    `accounts` are the places of columns of WhatsApp accounts: numbers written internationally, but without the plus.
    """
    text = "text"
    if accounts:
        text = (
            f"case when place in ({', '.join(map(str, accounts))}) and regexp_full_match(text, '[1-9][0-9]{{10,14}}')"
            " then '+' || text else text end"
        )
    two_digit = _two_digit_codes()
    possible = ", ".join(
        f"('{code}', {length})"
        for code, names in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items())
        if code != 1 and names[0] != "001"
        for length in _national_lengths(names[0])
    )
    national = " ".join(filter(None, map(_national_reading, regions)))
    return rf"""
        with cells as (
            select row, place, {text} as text, coalesce(region, '') as region
            from phone_cells left join regions using (row)),
        stripped as (
            select row, place, text, region, case when regexp_full_match(text, '\+?[0-9][0-9 -]+') then text
                else regexp_replace(regexp_replace(regexp_replace(text, '\p{{Z}}', ' ', 'g'),
                    '^(?i:tel|sms|whatsapp|callto):', ''),
                    '\.0$', '') end as written from cells),
        read as (
            select row, place, text, region, written,
                regexp_full_match(written,
                    '(?:\+?[0-9(][0-9 ().\-]{{4,22}}|0[0-9]{{2,5}}/[0-9 \-]{{3,12}})[0-9]')
                    and not regexp_full_match(written, '{DATE}') as plain,
                translate(case when contains(written, '(0)') then regexp_replace(written, '^(\+[^(]*)\(0\)', '\1')
                    else written end, '+ ().-/', '') as given_digits
            from stripped),
        placed as (
            select row, place, text, region, plain, given_digits,
                written[1] = '+' or given_digits[1:2] = '00' as international,
                case when given_digits[1:2] = '00' then substr(given_digits, 3) else given_digits end as digits
            from read),
        coded as (
            select *, case when digits[1] in ('1', '7') then digits[1]
                when digits[1:2] in ({two_digit}) then digits[1:2] else digits[1:3] end as code from placed)
        select row, place, text, region, case
            when not plain then null
            when international then case
                when code = '1' then
                    case when regexp_full_match(digits, '1[2-9][0-9][0-9][2-9][0-9]{{6}}') then '+' || digits end
                when digits[length(code) + 1] = '0' and code not in ({listed(_OWN_ZERO)}) then null
                when national_length is not null then '+' || digits end
            {"else case region " + national + " end" if national else ""} end as number
        from coded left join (values {possible}) plans(calling_code, national_length)
            on international and calling_code = code and national_length = length(digits) - length(code)"""


def owned_number(connection: duckdb.DuckDBPyConnection, columns: Sequence[str], value: str) -> str:
    """SQL of whether a number, in E.164, of the column at `place` is one that people carry with them.

    The column says it, or the numbering plan where mobiles have ranges of their own.
    """
    named = [str(place) for place, column in enumerate(columns) if _CARRIED.search(re.sub(r"[\W_]", "", column))]
    codes = connection.execute(
        f"""select distinct case when number[2:3] in ({_two_digit_codes()}) then number[2:3] else number[2:4] end
            from (select {value} as number from phone_values) where number[1] = '+' and number[2] not in ('1', '7')"""
    ).fetchall()
    plans = [
        f"{value} like '+{code}%' and regexp_full_match(substr({value}, {len(code) + 2}), '{mobile}')"
        f" and not regexp_full_match(substr({value}, {len(code) + 2}), '{fixed}')"
        for (code,) in codes
        for mobile, fixed in _mobile_ranges(code)
    ]
    return " or ".join([*([f"place in ({', '.join(named)})"] if named else []), *plans]) or "false"


def _mobile_ranges(code: str) -> Iterator[tuple[str, str]]:
    """Patterns of the national numbers of mobiles and of lines."""
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())[:1]:
        plan = PhoneMetadata.metadata_for_region(region)
        if plan and plan.mobile and plan.fixed_line:
            patterns = (plan.mobile.national_number_pattern, plan.fixed_line.national_number_pattern)
            if all(patterns):
                yield patterns[0] or "", patterns[1] or ""


def _two_digit_codes() -> str:
    return listed([str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE if 10 <= code <= 99])


def _national_lengths(region: str) -> tuple[int, ...]:
    """Digits that a national number may have."""
    plan = PhoneMetadata.metadata_for_region(region)
    return tuple(plan.general_desc.possible_length) if plan and plan.general_desc else ()


def _national_reading(region: str) -> str:
    """The CASE branch that reads plain national numbers of one region."""
    plan = PhoneMetadata.metadata_for_region(region) if region in phonenumbers.SUPPORTED_REGIONS else None
    if plan is None or plan.general_desc is None or plan.fixed_line is None:
        return ""
    code = str(plan.country_code)
    pattern = (plan.general_desc.national_number_pattern or ".*").replace("'", "''")
    if code == "1":
        return (
            rf"when '{region}' then case when regexp_full_match(given_digits, '1?[2-9][0-9][0-9][2-9][0-9]{{6}}')"
            " then '+1' || right(given_digits, 10) end"
        )
    longest = max(plan.fixed_line.possible_length)
    lengths = ", ".join(map(str, _national_lengths(region)))
    if plan.national_prefix == "0":
        return (
            f"when '{region}' then case when given_digits[1] = '0' and length(given_digits) - 1 in ({lengths})"
            f" and regexp_full_match(substr(given_digits, 2), '{pattern}') then '+{code}' || substr(given_digits, 2)"
            f" when given_digits[1] <> '0' and length(given_digits) in ({lengths})"
            f" and length(given_digits) >= {longest}"
            f" and not starts_with(given_digits, '{code}') and regexp_full_match(given_digits, '{pattern}')"
            f" then '+{code}' || given_digits end"
        )
    if plan.national_prefix is None:
        return (
            f"when '{region}' then case when length(given_digits) in ({lengths})"
            f" and not starts_with(given_digits, '{code}')"
            f" and regexp_full_match(given_digits, '{pattern}') then '+{code}' || given_digits end"
        )
    return ""


def _transposed(texts: Sequence[tuple[str, ...]], read: Reader) -> Sequence[pa.Array]:
    rows = _in_parallel(texts, read)
    width = len(read([("", "")])[0])
    return [pa.array([row[place] for row in rows], pa.string()) for place in range(width)]


def _in_parallel(texts: Sequence[tuple[str, ...]], read: Reader) -> list[tuple[str, ...]]:
    if len(texts) < _PARALLEL_ABOVE:
        return read(texts)
    size = -(-len(texts) // _PARTS)
    parts = [texts[start : start + size] for start in range(0, len(texts), size)]
    # A process for each core, as far as there are parts. Spawned, as a fork would inherit DuckDB's threads
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as processes:
        return [row for part in processes.map(read, parts) for row in part]


def _read_phones(texts: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """(text, region, number, why it was refused)"""
    return [(text, region, *_read_phone(text, region)) for text, region in texts]


def _read_phone(text: str, region: str) -> tuple[str, str]:
    if is_destroyed(text):
        return "", "destroyed"
    parsed = parse(IdentifierType.PHONE, text, default_region=region or "001")
    if isinstance(parsed, Identifier):
        return parsed.match, ""
    if parsed.reason is not Reason.MALFORMED:
        return "", "empty" if parsed.reason is Reason.EMPTY else "placeholder"
    digits = re.sub(r"\D", "", text)
    return (digits.lstrip("0"), "") if len(digits.lstrip("0")) >= 6 else ("", "unreadable")


def _read_emails(texts: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [(text[0], *_read_email(text[0])) for text in texts]


def _read_email(text: str) -> tuple[str, str]:
    parsed = parse(IdentifierType.EMAIL, text)
    if isinstance(parsed, Identifier):
        return parsed.match, ""
    if parsed.reason is not Reason.MALFORMED:
        return "", "placeholder"
    folded = re.sub(r"\s", "", text.casefold())
    return (folded, "") if re.search(r"[^@]{3,}@[^@]{3,}", folded) else ("", "unreadable")
