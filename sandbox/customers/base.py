"""The sample base: rows in a scattered order, each made when it is asked for."""

import csv
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from io import StringIO
from multiprocessing import get_context
from pathlib import Path

from sandbox.customers import accounts, people
from sandbox.customers.accounts import COLUMNS, Row
from sandbox.customers.dice import Dice, Permutation, Stream
from sandbox.customers.noise import Noise
from sandbox.customers.people import Person
from sandbox.customers.personas import PERSONAS, Persona, Personas
from sandbox.customers.phones import Phone
from sandbox.customers.population import Population
from sandbox.customers.salesforce import contact_id

SMALLEST = 200
"""Below this there is no room for the special groups."""
PART_ROWS = 10_000
"""Rows that one process writes at a time: a second's work or two."""
_DEFECTS = ("empty_id", "duplicate_id", "too_few_columns")


@dataclass(frozen=True, slots=True)
class SampleBase:
    """An export of `size` accounts, and what is true about them. It holds no rows, so its size costs no memory."""

    size: int
    seed: int
    noise: Noise
    personas: Personas = field(repr=False)
    named: tuple[Persona, ...] = field(repr=False)
    """The accounts of the personas, which have the first numbers."""
    population: Population = field(repr=False)
    singles: int
    """People with one account. The next `doubles` people have two, the next `triples` three."""
    doubles: int
    triples: int
    order: Permutation = field(repr=False)
    """From the place in the file to the number of the account."""
    people_order: Permutation = field(repr=False)
    """From the order in which people have one, two or three accounts to their number in the population."""

    def __len__(self) -> int:
        """Rows in the file: the accounts and the rows that cannot be imported."""
        return self.size + self.noise.malformed_rows

    def rows(self) -> Iterator[Row]:
        """All rows in the order of the file."""
        return map(self.row, range(len(self)))

    def row(self, place: int) -> Row:
        """The row at that place in the file, the first being 0."""
        number = self.order(place)
        return self._account(number) if number < self.size else self._malformed(number - self.size)

    def unlisted_number(self, number: int) -> str:
        """The E.164 number of a mobile that no account has; another for every `number`."""
        return self._unlisted(self.noise.malformed_rows + number).e164

    def _unlisted(self, number: int) -> Phone:
        market = self.population.markets[0]
        city = market.country.cities[number % len(market.country.cities)]
        return market.mobile("unlisted", number, city.lines)

    def _account(self, number: int) -> Row:
        if number < len(self.named):
            return self.named[number].row()
        person, copy = self._owner(number - len(self.named))
        return self._written(person, number, copy=copy, duplicate=person >= self.singles)

    def _owner(self, account: int) -> tuple[int, int]:
        """Which person, in the order of `people_order`, has the account, and how many they had before."""
        if account < self.singles:
            return account, 0
        account -= self.singles
        if account < 2 * self.doubles:
            return self.singles + account // 2, account % 2
        account -= 2 * self.doubles
        return self.singles + self.doubles + account // 3, account % 3

    def _person(self, number: int) -> Person:
        return people.person(self.population, self.people_order(number))

    def _written(self, person: int, number: int, *, copy: int, duplicate: bool) -> Row:
        owner = self._person(person)
        dice = Dice(self.seed, Stream.ACCOUNT, number)
        if copy:
            owner = accounts.entered_again(owner, dice)
        return accounts.write(owner, contact_id(number), dice, self.noise, duplicate=duplicate)

    def _malformed(self, number: int) -> Row:
        defect = _DEFECTS[number % len(_DEFECTS)]
        if defect == "duplicate_id":  # an account that the export contains twice, unchanged
            named = len(self.named)
            repeated = named + (self.size - named) * number // self.noise.malformed_rows
            return replace(self._account(repeated), defect=defect)
        # Of a person who has no account and shares nothing, so that nothing in a refused row is known from elsewhere.
        stranger = replace(
            self._person(self.singles + self.doubles + self.triples + number),
            mobile=self._unlisted(number),
            landline=None,
            company=None,
            office=None,
            whatsapp=None,
            work_email="",
            shared_email="",
            recycled="",
        )
        dice = Dice(self.seed, Stream.ACCOUNT, self.size + number)
        row = accounts.write(stranger, contact_id(self.size + number), dice, self.noise, duplicate=False)
        cells = row.cells[: len(COLUMNS) // 3] if defect == "too_few_columns" else ("", *row.cells[1:])
        return Row(cells=cells, person="", region=row.region, identifiers=(), groups=(), defect=defect)


def generate(*, size: int = 5000, seed: int = 1, noise: Noise | None = None) -> SampleBase:
    """A base of `size` accounts. The same arguments give the same bytes on every machine."""
    if size < SMALLEST:
        raise ValueError(f"size is {size}; a sample base has at least {SMALLEST} accounts")
    if seed < 0:
        raise ValueError(f"seed is {seed}; it must not be negative")
    noise = noise or Noise()
    unnamed = size - len(PERSONAS.accounts)
    # People with several accounts have 1.2 more each, as one in five of them has three.
    several = int(unnamed * noise.duplicates / (1 + 1.2 * noise.duplicates))
    triples = several // 5
    doubles = several - triples
    singles = unnamed - 2 * doubles - 3 * triples
    population = Population.of(singles + several + noise.malformed_rows, seed=seed, noise=noise)
    dice = Dice(seed, Stream.BASE, 0)
    return SampleBase(
        size=size,
        seed=seed,
        noise=noise,
        personas=PERSONAS,
        named=PERSONAS.accounts,
        population=population,
        singles=singles,
        doubles=doubles,
        triples=triples,
        order=Permutation.of(size + noise.malformed_rows, dice),
        people_order=Permutation.of(population.people, dice),
    )


def write_csv(path: Path, base: SampleBase, *, truth: Path | None = None) -> None:
    """Write the export (UTF-8, RFC 4180, header line) and, if asked for, the truth (id, person) in the same pass."""
    with ExitStack() as stack:
        export = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
        answers = stack.enter_context((truth or Path(os.devnull)).open("w", encoding="utf-8", newline=""))
        csv.writer(export).writerow(COLUMNS)
        csv.writer(answers).writerow(("id", "person"))
        for rows, owners in _written_parts(base):
            export.write(rows)
            answers.write(owners)


def _written_parts(base: SampleBase) -> Iterator[tuple[str, str]]:
    """The lines of the export and of the truth, part by part in order; a large base is made on all processors."""
    parts = [range(start, min(start + PART_ROWS, len(base))) for start in range(0, len(base), PART_ROWS)]
    part = partial(_written_part, base.size, base.seed, base.noise)
    if len(parts) < 5:
        yield from map(part, parts)
        return
    # Spawned, as a fork would inherit the locks that other threads hold at that moment.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as processes:
        yield from processes.map(part, parts)


def _written_part(size: int, seed: int, noise: Noise, places: range) -> tuple[str, str]:
    base = generate(size=size, seed=seed, noise=noise)  # made anew: it is more work to send it to another process
    export, answers = StringIO(newline=""), StringIO(newline="")
    rows, owners = csv.writer(export), csv.writer(answers)
    for row in map(base.row, places):
        rows.writerow(row.cells)
        if not row.defect:
            owners.writerow((row.cells[0], row.person))
    return export.getvalue(), answers.getvalue()
