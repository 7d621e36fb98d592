"""What the connectors of CRMs with an API have in common: the point of an extract, and records fetched by their ids."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from itertools import batched
from typing import ClassVar

from cir.crm.connector import CrmRow
from cir.crm.connectors.web import Web
from cir.crm.mapping import CrmMapping


class ApiConnector(ABC):
    """A `Connector`. Each CRM adds how its ids are written and how it is asked."""

    fetch_ids: ClassVar[int]
    """So many ids are asked for at once."""

    def __init__(self, mapping: CrmMapping, web: Web, *, table: str, own_fields: Sequence[str]) -> None:
        """`table` is read unless the mapping names another; `own_fields` are read besides those of the mapping."""
        self.source = mapping.source
        self._mapping = mapping
        self._table = mapping.object or table
        self._fields = tuple(dict.fromkeys((*own_fields, *mapping.fields)))
        self._web = web
        self._point = ""

    def extract(self, since: str = "") -> Iterator[CrmRow]:
        self._point = ""
        self._point = yield from self._extract(since)

    def next_point(self) -> str:
        if not self._point:
            raise ValueError("the extract was not read to its end")
        return self._point

    def fetch(self, ids: Sequence[str]) -> list[CrmRow]:
        keys = {each: self._key(each) for each in ids}
        wanted = filter(None, dict.fromkeys(keys.values()))
        found = {self._key(row.id): row for some in batched(wanted, self.fetch_ids) for row in self._with_ids(some)}
        rows = ((each, found.get(key) if (key := keys[each]) else None) for each in ids)
        return [replace(row, id=each) if row else CrmRow(each, {}, deleted=True) for each, row in rows]

    @abstractmethod
    def _extract(self, since: str) -> Generator[CrmRow, None, str]:
        """As `Connector.extract`; the generator returns the next point."""

    @abstractmethod
    def _key(self, written: str) -> str:
        """One spelling for all in which the CRM knows an id. Empty for a text that cannot be an id: it is not sent."""

    @abstractmethod
    def _with_ids(self, keys: Sequence[str]) -> Iterator[CrmRow]:
        """Those that the CRM has, of up to `fetch_ids`."""
