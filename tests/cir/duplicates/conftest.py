"""Files to look for duplicates in."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from sandbox.customers import generate, write_csv


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], *, delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def customers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3,000 sample customers with households, fathers and sons, switchboards and placeholders."""
    path = tmp_path_factory.mktemp("customers") / "customers.csv"
    write_csv(path, generate(size=3000), truth=path.with_name("truth.csv"))
    return path


@pytest.fixture(scope="session")
def truth(customers: Path) -> dict[str, str]:
    """Whose record each id is."""
    return {row["id"]: row["person"] for row in read(customers.with_name("truth.csv"))}
