"""Seeded choices that come out the same on every machine and Python version.

Every person, family, company and account has dice of its own, so any row can be made without making those before it.
A hash throws them, in whole numbers: BLAKE2 defines the sequence, and a fresh set costs a quarter of seeding
`random.Random`, whose `choice` and `shuffle` may also change from one Python to the next.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from itertools import count as numbers_from_0
from math import isqrt
from struct import Struct

_WORDS = Struct("<16I")  # one BLAKE2b digest as 32-bit numbers
_MASK = (1 << 64) - 1


class Stream(IntEnum):
    """What a set of dice is for. The numbers are part of the reproducible output."""

    BASE = 0
    FAMILY = 1
    COMPANY = 2
    PERSON = 3
    ACCOUNT = 4


def _throws(key: bytes) -> Iterator[int]:
    for block in numbers_from_0():
        yield from _WORDS.unpack(blake2b(b"%b/%d" % (key, block)).digest())


class Dice:
    """Choices for one thing of the base, such as person 17."""

    __slots__ = ("_throw",)

    def __init__(self, seed: int, stream: Stream, index: int) -> None:
        self._throw = _throws(b"%d/%d/%d" % (seed, stream, index)).__next__

    def below(self, limit: int) -> int:
        """A whole number from 0 up to but not including `limit`, which is 2**32 at most."""
        return self._throw() * limit >> 32

    def chance(self, share: float) -> bool:
        """Whether something that happens to `share` of all happens here."""
        return self._throw() < share * 0x1_0000_0000

    def pick[T](self, options: Sequence[T]) -> T:
        """One of the options, each as likely as the other."""
        return options[self._throw() * len(options) >> 32]

    def pick_common[T](self, options: Sequence[T]) -> T:
        """One of the options, the first ones more often: of 100, the first in 10 % of all cases, the last in 0.5 %."""
        throw = self._throw()
        return options[throw * throw * len(options) >> 64]


@dataclass(frozen=True, slots=True)
class Permutation:
    """A scattered mapping of 0..size-1 onto itself that needs no list (a Feistel network of three rounds)."""

    size: int
    side: int
    keys: tuple[int, ...]

    @classmethod
    def of(cls, size: int, dice: Dice) -> "Permutation":
        return cls(size, isqrt(max(size - 1, 0)) + 1, tuple(dice.below(1 << 32) for _ in range(3)))

    def __call__(self, index: int) -> int:
        side = self.side
        while True:
            high, low = divmod(index, side)
            for key in self.keys:
                mixed = (low * 0x9E3779B97F4A7C15 + key) & _MASK
                mixed = (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9 & _MASK
                high, low = low, (high + (mixed >> 32)) % side
            index = high * side + low
            if index < self.size:
                return index


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody belongs: member number `member` of group number `group`, which has `size` members."""

    kind: str
    size: int
    group: int
    member: int


@dataclass(frozen=True, slots=True)
class Sections:
    """People in line, divided into groups: first all groups of the first kind, then those of the next."""

    sections: tuple[tuple[str, int, int], ...]
    """(kind, members of each group, number of groups)"""

    @property
    def groups(self) -> int:
        return sum(count for _, _, count in self.sections)

    def place(self, index: int) -> Place:
        first_group = 0
        for kind, size, count in self.sections:
            if index < size * count:
                group, member = divmod(index, size)
                return Place(kind, size, first_group + group, member)
            index -= size * count
            first_group += count
        raise IndexError(index)


def weighted[T](weights: Iterable[tuple[T, int]]) -> tuple[T, ...]:
    """The options, each as often as its whole-number weight says, to pick from."""
    return tuple(option for option, weight in weights for _ in range(weight))
