"""How much of what a real base suffers from is in a sample base."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Shares from 0 to 1, but for `malformed_rows`, which is a number of rows."""

    duplicates: float = 0.10
    """Of all people: those with more than one account. One in five of them has three."""
    households: float = 0.30
    """Of all people: those who live in a household of two to five that are all customers."""
    father_son: float = 0.006
    """Of all people: fathers and sons who live together and have the same name."""
    large_offices: float = 0.04
    """In the largest country: people behind a switchboard with hundreds of others (one such office at least)."""
    medium_offices: float = 0.12
    """Of all people: those behind a switchboard with 4 to 29 others."""
    small_offices: float = 0.15
    """Of all people: those in a company that is a customer with one to three people."""
    recycled: float = 0.005
    """Of all people: those whose mobile number was another customer's before and still stands there."""
    missing: float = 0.15
    """Of all values that an account could have: those never entered."""
    malformed: float = 0.03
    """Of all phones and e-mail addresses entered: placeholders and broken ones."""
    malformed_rows: int = 6
    """Rows beside the accounts that cannot be imported: without id, with an id that was there before, cut short."""

    def __post_init__(self) -> None:
        for knob in fields(self):
            value = getattr(self, knob.name)
            if not 0 <= value <= (1000 if knob.name == "malformed_rows" else 1):
                raise ValueError(f"{knob.name} is {value}; it must be from 0 to 1 (malformed_rows: to 1000)")
        if self.recycled > 0.1:
            raise ValueError(f"recycled is {self.recycled}; more than 0.1 of all mobiles cannot be recycled")
        for together in (("households", "father_son"), ("large_offices", "medium_offices", "small_offices")):
            total = sum(getattr(self, name) for name in together)
            if total > 0.85:  # a large office may get more than its share in a small base
                raise ValueError(f"{' + '.join(together)} is {total:.2f}; together they may be 0.85 at most")
