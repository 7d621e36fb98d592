"""One pair scored in plain Python: the same levels, weights and probabilities as the whole file in SQL."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cir.duplicates.candidates import find_candidates
from cir.duplicates.columns import guess_map
from cir.duplicates.comparisons import comparisons_for, without_frequencies
from cir.duplicates.finding import SHIPPED_MODEL
from cir.duplicates.model import load_model, save_model
from cir.duplicates.preparing import prepare
from cir.duplicates.scoring import score as score_all
from cir.duplicates.source import open_source
from cir.matching.scoring import Record, Sharing, agreement, is_telling_mailbox, load_weights, read_record, score

_PAIRS = 3000


@pytest.mark.slow
def test_every_level_and_probability_is_that_of_the_whole_file(customers: Path, tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        with open_source(connection, customers) as source:
            columns = guess_map(source.header, source.sample(), name="customers")
            loaded = source.load(columns)
        prepared = prepare(connection, columns)
        comparisons = comparisons_for(prepared, records=loaded.records)
        find_candidates(connection, prepared, loaded.records)
        model = load_model(SHIPPED_MODEL, comparisons).for_records(loaded.records)
        # frequencies of values are known to the whole file only
        plain = tuple(map(without_frequencies, comparisons))
        model = replace(load_model(SHIPPED_MODEL, plain), match_share=1e-4, household_share=2e-4)
        save_model(tmp_path / "model.json", model)
        score_all(connection, model)
        records, sharing = _records(connection)
        pairs = connection.execute(
            "select * from scored order by hash(row_l, row_r), row_l, row_r limit $pairs", {"pairs": _PAIRS}
        ).fetchall()
        names = [column[0] for column in connection.description or ()]
    weights = load_weights(tmp_path / "model.json")
    levels = set()
    for pair in (dict(zip(names, values, strict=True)) for values in pairs):
        left, right = records[pair["row_l"]], records[pair["row_r"]]
        for comparison in comparisons:
            expected = pair[f"gamma_{comparison.name}"]
            place = agreement(comparison.name, left, right, sharing)
            assert (-1 if place is None else len(comparison.levels) - 1 - place) == expected, comparison.name
            levels.add((comparison.name, expected))
        assert score(left, right, weights, sharing).probability == pytest.approx(pair["probability"], abs=1e-4)
    assert len(levels) > 35  # of about 50 that there are, or the pairs prove little


def _records(connection: duckdb.DuckDBPyConnection) -> tuple[dict[int, Record], dict[str, Sharing]]:
    """The normalised records, names and streets read again from what is in the file."""
    table = connection.execute("select r.*, s.* exclude (row, id) from records r join source s using (row)")
    names = [column[0] for column in table.description]
    sharing: dict[str, Sharing] = {}
    records = {}
    for values in table.fetchall():
        row: dict[str, Any] = dict(zip(names, values, strict=True))
        for columns, people, line in (
            (("phones",), 9, False),
            (("personal_few", "emails_few"), 4, False),
            (("lines_few",), 4, True),
            (("personal", "emails"), 2, False),
            (("lines",), 2, True),
        ):
            for column in columns:
                sharing |= dict.fromkeys(row[column] or (), Sharing(people, line))
        for column in ("own_phones_of_two", "own_emails_of_two"):
            sharing |= {value: replace(sharing[value], own=True) for value in row[column] or ()}
        sharing |= {value: Sharing(9) for value in row["emails_all"] or () if value not in sharing}
        read = read_record(
            given_name=row["FirstName"] or "",
            surname=row["LastName"] or "",
            street=row["MailingStreet"] or "",
            city=row["MailingCity"] or "",
            postcode=row["MailingPostalCode"] or "",
            date_of_birth=row["dob"] or "",
        )
        assert all(is_telling_mailbox(mailbox, read.given, read.surname) for mailbox in row["mailboxes"] or ())
        records[row["row"]] = replace(
            read,
            phones=_with_own(row["phones"], row["row"] if row["has_phone"] else None),
            emails=_with_own(row["emails_all"], row["row"] if row["has_email"] else None),
            mailboxes=frozenset(row["mailboxes"] or ()),
            ids={"id_0": row.get("id_0") or "", "exact_0": row.get("exact_0") or ""},
        )
    return records, sharing


def _with_own(repeated: list[str] | None, row: int | None) -> frozenset[str]:
    """The file's table lists values of several records only; here each record gets one of its own beside them."""
    return frozenset({*(repeated or ()), *(() if row is None else (str(row),))})
