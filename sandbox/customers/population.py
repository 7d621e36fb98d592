"""How the people are divided into countries, families and companies, by arithmetic: nothing is stored per person."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Literal

from sandbox.customers.countries import Country, countries
from sandbox.customers.dice import Dice, Permutation, Place, Sections, Stream
from sandbox.customers.noise import Noise
from sandbox.customers.phones import NumberSpace, Phone

_HOUSEHOLDS = (2, 3, 4, 5)
_MEDIUM_OFFICES = (5, 8, 12, 20, 30)
_SMALL_OFFICES = (1, 2, 3)
_LARGEST_OFFICE = 900
_RECYCLED_DISTANCE = 7
"""A recycled mobile belonged to the person so many places before: a stranger, as families are scattered."""

type LineKind = Literal["mobile", "second", "direct", "landline", "switchboard", "abroad", "unlisted"]


@dataclass(frozen=True, slots=True)
class Market:
    """The people of one country."""

    number: int
    country: Country
    first: int
    """Number of its first person in the whole population."""
    people: int
    family_of: Permutation
    families: Sections
    job_of: Permutation
    jobs: Sections
    company_names: Permutation
    first_lines: dict[LineKind, int]
    recycling: int
    """Every so many people, one has a recycled mobile. 0: nobody."""

    def home(self, number: int) -> Place:
        return self.families.place(self.family_of(number))

    def job(self, number: int) -> Place:
        return self.jobs.place(self.job_of(number))

    def mobile(self, kind: LineKind, number: int, fixed: NumberSpace) -> Phone:
        """Where mobiles have the area codes of fixed lines, one with an area code of `fixed`."""
        return self.fixed(kind, number, self.country.mobile or fixed)

    def fixed(self, kind: LineKind, number: int, space: NumberSpace) -> Phone:
        """The line of that kind of person, family or company `number`. No two lines have the same number."""
        return space.phone(self.first_lines[kind] + number)

    def recycled_by(self, number: int) -> int | None:
        """Who has the mobile now that this person had first or got second-hand; None if it was never passed on."""
        if not self.recycling:
            return None
        heirs = (number, number + _RECYCLED_DISTANCE)
        return next((one for one in heirs if one in self._heirs and one % self.recycling == self.recycling - 1), None)

    @property
    def _heirs(self) -> range:
        return range(_RECYCLED_DISTANCE, self.people)

    def mobile_line(self, number: int) -> int:
        """Whose mobile line the person has: their own but for the recycled ones."""
        return number - _RECYCLED_DISTANCE if self.recycled_by(number) == number else number


@dataclass(frozen=True, slots=True)
class Population:
    people: int
    seed: int
    markets: tuple[Market, ...]
    starts: tuple[int, ...]

    @classmethod
    def of(cls, people: int, *, seed: int, noise: Noise) -> "Population":
        bounds = [people * share // 1000 for share in accumulate((country.share for country in countries()), initial=0)]
        markets = tuple(
            _market(index, country, range(first, end), people, seed=seed, noise=noise)
            for index, (country, (first, end)) in enumerate(zip(countries(), pairwise(bounds), strict=True))
        )
        return cls(people, seed, markets, tuple(bounds[:-1]))

    def market(self, person: int) -> Market:
        return self.markets[bisect_right(self.starts, person) - 1]


def _groups(kind: str, people: int, share: float, sizes: Sequence[int]) -> list[tuple[str, int, int]]:
    """Groups of each size, with as many people in those of one size as of another."""
    return [(kind, size, int(people * share / len(sizes)) // size) for size in sizes]


def _fill(people: int, groups: list[tuple[str, int, int]]) -> Sections:
    grouped = sum(size * count for _, size, count in groups)
    return Sections((*groups, ("alone", 1, people - grouped)))


def _market(index: int, country: Country, whole: range, everybody: int, *, seed: int, noise: Noise) -> Market:
    people = len(whole)
    dice = Dice(seed, Stream.BASE, 1 + index)
    families = _fill(
        people,
        _groups("father_son", people, noise.father_son, (2,))
        + _groups("household", people, noise.households, _HOUSEHOLDS),
    )
    offices = _groups("office", people, noise.medium_offices, _MEDIUM_OFFICES)
    offices += _groups("office", people, noise.small_offices, _SMALL_OFFICES)
    largest = min(people // 6, _LARGEST_OFFICE)
    if index == 0 and noise.large_offices and largest >= 100:
        offices.insert(0, ("office", largest, max(1, int(people * noise.large_offices) // largest)))
    jobs = _fill(people, offices)
    counts: dict[LineKind, int] = {
        "mobile": people,
        "second": people,
        "direct": people,
        "landline": families.groups,
        "switchboard": jobs.groups,
        "abroad": everybody,
    }
    start = dice.below(10**9)
    lines: dict[LineKind, int] = dict(
        zip((*counts, "unlisted"), accumulate(counts.values(), initial=start), strict=True)
    )
    names = len(country.stems) * (len(country.stems) - 1) * len(country.sectors)
    fixed = lines["abroad"] - lines["direct"] if country.mobile else lines["unlisted"] - start
    if fixed > min(city.lines.capacity for city in country.cities) or sum(count for _, _, count in offices) > names:
        raise ValueError(f"{everybody} people need more phone numbers or company names than {country.names[0]} has")
    if country.mobile and lines["unlisted"] - start > country.mobile.capacity:
        raise ValueError(f"{everybody} people need more mobile numbers than {country.names[0]} has")
    return Market(
        number=index,
        country=country,
        first=whole.start,
        people=people,
        family_of=Permutation.of(people, dice),
        families=families,
        job_of=Permutation.of(people, dice),
        jobs=jobs,
        company_names=Permutation.of(names, dice),
        first_lines=lines,
        recycling=round(1 / noise.recycled) if noise.recycled else 0,
    )
