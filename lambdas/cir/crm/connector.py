"""What every connector gives: the records of a CRM, reduced to the fields that the mapping names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CrmRow:
    """One record as the CRM shows it."""

    id: str
    values: Mapping[str, str]
    """CRM field → text, of the fields that the mapping names and that have a value."""
    modified: str = ""
    """The CRM's own timestamp, where it tells."""
    deleted: bool = False
    """The CRM has it no more; it has no values then."""


type Fetch = Callable[[Sequence[str]], Sequence[CrmRow]]
"""A connector's `fetch` by itself."""


class Connector(Protocol):
    """Reads one CRM. An object is for one thread. All of it raises CrmError."""

    @property
    def source(self) -> str:
        """Key of the external source that issues the CRM's ids."""

    def extract(self, since: str = "") -> Iterator[CrmRow]:
        """All records that there are; or, since a point, those that were changed or deleted.

        In no order. A record that changes meanwhile, or shortly before the point, may come twice, or again next time.
        Where the CRM no longer knows the point, all records come.
        """

    def next_point(self) -> str:
        """Where the next extract begins. Raises ValueError unless the latest was read to its end."""

    def fetch(self, ids: Sequence[str]) -> list[CrmRow]:
        """Records as they are now, each under the id that was asked for, in that order.

        One that is missing comes as deleted, and from a file not at all: that it is not in it proves nothing.
        """
