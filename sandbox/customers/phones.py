"""Phone numbers: which exist where, how people write them, and how they get them wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import gcd

from sandbox.customers.dice import Dice

NANP = "1"
"""Calling code of the North American Numbering Plan."""

# First digit 2-9, no N11 service code. 555 is left to the named people, whose 555-01XX numbers are reserved for
# fiction; 950 and 976 are carrier access and premium.
_NANP_EXCHANGES = tuple(
    str(exchange) for exchange in range(200, 1000) if exchange % 100 != 11 and exchange not in (555, 950, 976)
)


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone number, in the groups that people of its country write it in."""

    calling_code: str
    trunk: str
    """What is dialled first inside the country, as the 0 of 020 7946 0123."""
    exit_code: str
    """What is dialled first to leave the country, where that is 00."""
    groups: tuple[str, ...]

    @property
    def national(self) -> str:
        return "".join(self.groups)

    @property
    def e164(self) -> str:
        return f"+{self.calling_code}{self.national}"


@dataclass(frozen=True, slots=True)
class NumberSpace:
    """All numbers with the same kind of start. Line n always has the same number, and no other line has it."""

    calling_code: str
    trunk: str
    exit_code: str
    prefixes: tuple[str, ...]
    digits: int
    grouping: tuple[int, ...]
    step: int = field(init=False)

    def __post_init__(self) -> None:
        # Lines that follow each other are put far apart by a step near the golden section of the space.
        step = self.capacity * 618_033_989 // 1_000_000_000 | 1
        while gcd(step, self.capacity) != 1:
            step += 2
        object.__setattr__(self, "step", step)

    @classmethod
    def parse(cls, spec: str, *, calling_code: str, trunk: str, exit_code: str) -> "NumberSpace":
        """Read `leading digits | digits that follow | grouping`, as in countries.toml."""
        prefixes, digits, grouping = (part.split() for part in spec.split("|"))
        count = int(digits[0])
        if calling_code == NANP:
            prefixes = [area + exchange for area in prefixes for exchange in _NANP_EXCHANGES]
            count -= 3
        groups = tuple(int(length) for length in grouping)
        return cls(calling_code, trunk, exit_code, tuple(prefixes), count, groups)

    @property
    def capacity(self) -> int:
        return len(self.prefixes) * int(10**self.digits)

    def phone(self, line: int) -> Phone:
        prefix, subscriber = divmod(line * self.step % self.capacity, 10**self.digits)
        national = f"{self.prefixes[prefix]}{subscriber:0{self.digits}d}"
        groups = []
        start = 0
        for length in self.grouping:
            groups.append(national[start : start + length])
            start += length
        return Phone(self.calling_code, self.trunk, self.exit_code, tuple(groups))


def _international(phone: Phone, separator: str) -> str:
    return f"+{phone.calling_code}{separator}{separator.join(phone.groups)}"


def _with_optional_trunk(phone: Phone) -> str:
    """`+44 (0)20 7946 0123`: not correct, and everywhere on business cards."""
    trunk = f"({phone.trunk})" if phone.trunk == "0" else ""
    return f"+{phone.calling_code} {trunk}{' '.join(phone.groups)}"


def _with_exit_code(phone: Phone) -> str:
    return f"{phone.exit_code or '+'}{phone.calling_code} {' '.join(phone.groups)}"


def _national(phone: Phone, separator: str) -> str:
    if phone.calling_code == NANP:
        return separator.join(phone.groups)
    return phone.trunk + separator.join(phone.groups)


def _area_in_brackets(phone: Phone) -> str:
    trunk = "" if phone.calling_code == NANP else phone.trunk
    joint = "-" if phone.calling_code == NANP else " "
    return f"({trunk}{phone.groups[0]}) {joint.join(phone.groups[1:])}"


def _area_and_slash(phone: Phone) -> str:
    return f"{_national(phone, ' ').replace(' ', '/', 1)}" if phone.calling_code == "49" else _national(phone, " ")


def _full_width(phone: Phone) -> str:
    """Digits as a Japanese keyboard types them."""
    text = _national(phone, "-")
    return "".join(chr(ord(mark) + 0xFEE0) for mark in text) if phone.calling_code == "81" else text


type _Style = Callable[[Phone], str]

_INTERNATIONAL: tuple[_Style, ...] = (
    lambda phone: phone.e164,
    lambda phone: phone.e164,
    lambda phone: _international(phone, " "),
    lambda phone: _international(phone, " "),
    lambda phone: _international(phone, "-"),
    lambda phone: _international(phone, "."),
    lambda phone: _international(phone, "\N{NO-BREAK SPACE}"),
    lambda phone: f"tel:{_international(phone, '-')}",
    _with_optional_trunk,
    _with_exit_code,
)
_NATIONAL: tuple[_Style, ...] = (
    _area_in_brackets,
    _area_in_brackets,
    lambda phone: _national(phone, "-"),
    lambda phone: _national(phone, "-"),
    lambda phone: _national(phone, " "),
    lambda phone: _national(phone, "."),
    lambda phone: _national(phone, ""),
    lambda phone: f"{phone.trunk}{' ' if phone.calling_code == NANP else ''}{' '.join(phone.groups)}",
    _area_and_slash,
    _full_width,
)
_ABROAD: tuple[_Style, ...] = _INTERNATIONAL[:6]
_EXTENSIONS = (" x{}", " x{}", " ext. {}", " ext {}", "x{}", " Ext. {}")


def written(phone: Phone, dice: Dice, *, region: str, extension: str = "") -> str:
    """The number as somebody in the country with calling code `region` typed it; always readable with that default."""
    if phone.calling_code != region:
        text = dice.pick(_ABROAD)(phone)
    elif dice.chance(
        0.35 if region == NANP else 0.65
    ):  # a CRM with many countries holds mostly + numbers outside its own
        text = dice.pick(_INTERNATIONAL)(phone)
    else:
        text = dice.pick(_NATIONAL)(phone)
    if not extension:
        return text
    if text.startswith("tel:"):
        return f"{text};ext={extension}"
    return text + dice.pick(_EXTENSIONS).format(extension)


def written_for_whatsapp(phone: Phone, dice: Dice) -> str:
    """With the country's code, and half of the time without the plus, as WhatsApp's own ids are."""
    return dice.pick((phone.e164, phone.e164[1:], phone.e164[1:], _international(phone, " ")))


_PLACEHOLDERS = (
    "0000000000",
    "0000000000",
    "0000000000",
    "n/a",
    "N/A",
    "unknown",
    "none",
    "-",
    "1111111111",
    "9999999999",
    "1234567890",
    "+10000000000",
    "tbd",
    "anonymous",
    "see notes",
    "no phone",
    "?",
    "4111 1111 1111 1111",  # a card number in the wrong field
)


_FREE_OR_PREMIUM = ("8", "90", "911")
"""Starts of national numbers that are free of charge, premium or emergency somewhere."""


def spoilt(phone: Phone, dice: Dice, *, reserved: tuple[str, ...]) -> str:
    """What stands where the number should be; never somebody else's, as their starts are `reserved`."""
    mishap = dice.below(8)
    if mishap == 0:
        return _national(phone, " ")[:-1]
    if mishap == 1:
        return f"{phone.national[0]}.{phone.national[1:6]}E+{len(phone.national) - 1:02d}"  # a spreadsheet was here
    if mishap == 2:
        return _one_digit_off(phone, dice, reserved)
    return dice.pick(_PLACEHOLDERS)


def _one_digit_off(phone: Phone, dice: Dice, reserved: tuple[str, ...]) -> str:
    national = phone.national
    for _ in range(8):
        place = 1 + dice.below(2)
        wrong = f"{national[:place]}{dice.below(10)}{national[place + 1 :]}"
        if not wrong.startswith((*reserved, *_FREE_OR_PREMIUM)):
            return f"+{phone.calling_code}{wrong}"
    return f"+{phone.calling_code}{national[:-2]}"
