"""The nightly search through a whole base: an export of all contacts, detection, proposals, merges.

Each step can be repeated. Proposals are entries of the review queue, of which one pair gets one; what was merged is no
longer there to be merged; and nothing is proposed again that somebody has decided.
"""

import csv
import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from cir.contacts.organization import ExternalSources
from cir.duplicates.columns import ColumnMap
from cir.duplicates.finding import find
from cir.genesys.client import GenesysClient
from cir.genesys.errors import GenesysError
from cir.genesys.fields import EMAIL_SLOTS, PHONE_SLOTS
from cir.genesys.models import EPHEMERAL
from cir.identity.rules import load_rules
from cir.index.review import candidate, case_key, cases, open_cases
from cir.index.store import IdentityStore
from cir.merge.merging import Merging

MOST_PROPOSALS = 2000
"""New cases of one night, the most probable first: more than anybody looks at in a day, and the rest comes back."""

_NAMES = ("firstName", "lastName")
_ADDRESS = {"street": "address.address1", "city": "address.city", "postcode": "address.postalCode"}
_COUNTRY = "address.countryCode"
_WRITTEN_AT_ONCE = 50_000


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a search has found."""

    records: int
    merges: int
    """New cases that detection is sure of."""
    reviews: int
    """New cases that somebody has to look at."""
    left_out: int
    """New ones past the limit; they come back."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the cases that detection was sure of."""

    merged: int
    left: bool
    """Whether there was no time or number left for all of them."""


@dataclass(frozen=True, slots=True)
class Nightly:
    """Over one Genesys organization and its index."""

    client: GenesysClient
    store: IdentityStore
    merging: Merging
    sources: ExternalSources
    default_region: str

    def start(self) -> str:
        """Have Genesys write an export of all contacts; returns its id."""
        return self.client.exports.create().id

    def is_ready(self, export_id: str) -> bool:
        """Whether the export can be read. Raises GenesysError when there will never be one."""
        export = self.client.exports.get(export_id)
        if export.status not in {"RUNNING", "SUCCEEDED"}:
            raise GenesysError(f"export {export_id} ended as {export.status}; start again", operation="exports.get")
        return export.status == "SUCCEEDED"

    def propose(self, export_id: str) -> Proposed:
        """Look through a finished export and put what is found, and new, into the review queue."""
        keys = _sources_of_evidence(self.sources.ids(client=self.client))
        with tempfile.TemporaryDirectory(prefix="cir-nightly-") as directory:
            base = Path(directory) / "base.parquet"
            pairs, clusters = (Path(directory) / f"{name}.csv" for name in ("pairs", "clusters"))
            rows = self.client.exports.rows(self.client.exports.get(export_id))
            records = _write_base(base, rows, keys)
            if records < 2:
                return Proposed(records, 0, 0, 0)
            find(base, columns=_columns(keys, self.default_region), pairs=pairs, clusters=clusters)
            return self._record(records, [*_groups(pairs, clusters), *_reviews(pairs)])

    def merge(self, *, at_most: int, seconds: float) -> Merged:
        """Merge what detection is sure of and nothing speaks against, so many cases and so long at the most."""
        deadline = time.monotonic() + seconds
        merged = 0
        if self.client.organization.automatic_merging():
            return Merged(merged, left=False)
        for case in open_cases(self.store):
            if merged >= at_most or time.monotonic() >= deadline:
                return Merged(merged, left=merged < at_most)
            merged += len(self.merging.merge_automatically([case]))
        return Merged(merged, left=False)

    def _record(self, records: int, found: Iterable["_Proposal"]) -> Proposed:
        known = {
            key: {each.get("proposal") for each in case.evidence} | ({"merge", "review"} if not case.open else set())
            for key, case in cases(self.store).items()
        }
        new = [each for each in found if each.action not in known.get(case_key(each.contacts), ())]
        new.sort(key=lambda each: (-each.probability, each.contacts))
        counts = {"merge": 0, "review": 0}
        for each in new[:MOST_PROPOSALS]:
            details = {"probability": each.probability, "proposal": each.action, "evidence": each.evidence}
            if self.store.record(candidate(self.store, each.contacts, each.because, **details)):
                counts[each.action] += 1
        return Proposed(records, counts["merge"], counts["review"], max(0, len(new) - MOST_PROPOSALS))


@dataclass(frozen=True, slots=True)
class _Proposal:
    contacts: tuple[str, ...]
    action: str
    """`merge` or `review`."""
    probability: float
    because: str
    evidence: str


def _sources_of_evidence(source_ids: Mapping[str, str]) -> dict[str, str]:
    """External sources whose ids tell people apart, by their id in Genesys.

    The record id of a CRM does not: two records of one person are what is looked for.
    """
    known = load_rules().external_sources
    return {source_id: key for key, source_id in source_ids.items() if known[key].known_to_customer}


def _columns(keys: Mapping[str, str], default_region: str) -> ColumnMap:
    return ColumnMap(
        id="id",
        given_name=("firstName",),
        surname=("lastName",),
        phones=PHONE_SLOTS,
        emails=EMAIL_SLOTS,
        street=("street",),
        city=("city",),
        postcode=("postcode",),
        country=("country",),
        external_ids=tuple(sorted(keys.values())),
        default_region=default_region,
    )


def _write_base(path: Path, rows: Iterable[Mapping[str, str]], keys: Mapping[str, str]) -> int:
    """The columns that detection looks at, of everybody who is a contact. Returns how many.

    As Parquet, in which no value can be taken for two.
    """
    header = ("id", *_NAMES, *PHONE_SLOTS, *EMAIL_SLOTS, *_ADDRESS, "country", *sorted(keys.values()))
    schema = pa.schema([(name, pa.string()) for name in header])
    people = (_person(row, keys) for row in rows if row["type"] != EPHEMERAL)
    records = 0
    with pq.ParquetWriter(path, schema) as writer:
        for some in batched(people, _WRITTEN_AT_ONCE):
            records += len(some)
            columns = [pa.array((each.get(name) or None for each in some), pa.string()) for name in header]
            writer.write_table(pa.table(columns, schema=schema))
    return records


def _person(row: Mapping[str, str], keys: Mapping[str, str]) -> dict[str, str]:
    return (
        {name: row[name] for name in ("id", *_NAMES, *EMAIL_SLOTS)}
        | {slot: row[f"{slot}.e164"] or row[f"{slot}.display"] for slot in PHONE_SLOTS}
        | {name: row[column] for name, column in _ADDRESS.items()}
        | {"country": row[_COUNTRY]}
        | dict(_external_ids(row["externalIds"], keys))
    )


def _external_ids(text: str, keys: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for each in json.loads(text or "[]"):
        key = keys.get(each["externalSource"]["id"])
        if key:
            yield key, each["value"]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _groups(pairs: Path, clusters: Path) -> Iterator[_Proposal]:
    """What detection would merge: whole groups, each with the least probable of its pairs."""
    group_of = {row["id"]: row["merge_group"] for row in _rows(clusters) if int(row["merge_group_size"]) > 1}
    members: dict[str, list[str]] = {}
    for contact_id, group in group_of.items():
        members.setdefault(group, []).append(contact_id)
    weakest: dict[str, dict[str, Any]] = {}
    for row in _rows(pairs):
        group = group_of.get(row["id_l"], "")
        if row["action"] == "merge" and group and group == group_of.get(row["id_r"]):
            known = weakest.get(group)
            if known is None or float(row["probability"]) < float(known["probability"]):
                weakest[group] = row
    for group, row in weakest.items():
        yield _proposal(row, sorted(members[group]))


def _reviews(pairs: Path) -> Iterator[_Proposal]:
    for row in _rows(pairs):
        if row["action"] == "review":
            yield _proposal(row, sorted((row["id_l"], row["id_r"])))


def _proposal(row: Mapping[str, Any], contacts: Iterable[str]) -> _Proposal:
    return _Proposal(tuple(contacts), row["action"], float(row["probability"]), row["reason"], row["evidence"])
