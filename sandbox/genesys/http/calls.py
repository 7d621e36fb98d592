"""One request as the operations see it, and the answers they give."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from ..organization import errors
from ..organization.auth import Token
from ..organization.errors import JSON
from ..world import World
from . import cursors


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: JSON | None = None


@dataclass(frozen=True, slots=True)
class Call:
    world: World
    path: str
    parts: Mapping[str, str]  # path parameters
    query: QueryParams
    body: Any  # decoded JSON, None if there was none
    base_url: str  # as the client reaches the server, for addresses of files
    token: Token = field(repr=False)

    def part(self, name: str) -> str:
        return self.parts[name]

    def flag(self, name: str) -> bool | None:
        value = self.query.get(name)
        if value is None:
            return None
        if value.lower() not in {"true", "false"}:
            raise errors.invalid_parameter(name, value, "true, false")
        return value.lower() == "true"

    def number(self, name: str, *, default: int, low: int = 1, high: int = 2**31 - 1) -> int:
        value = self.query.get(name)
        if value is None:
            return default
        if not value.isdecimal() or not low <= int(value) <= high:
            raise errors.invalid_parameter(name, value, f"a number from {low} to {high}")
        return int(value)

    def choice(self, name: str, allowed: Collection[str], *, default: str | None = None) -> str | None:
        value = self.query.get(name, default)
        if value is not None and value not in allowed:
            raise errors.invalid_parameter(name, value, ", ".join(allowed))
        return value

    def many(self, name: str, *, allowed: Collection[str] | None = None, maximum: int | None = None) -> list[str]:
        """A repeated parameter, or one with commas: clients write both."""
        values = [part for given in self.query.getlist(name) for part in given.split(",") if part]
        if allowed is not None and (unknown := next((value for value in values if value not in allowed), None)):
            raise errors.invalid_parameter(name, unknown, ", ".join(allowed))
        if maximum is not None and len(values) > maximum:
            raise errors.invalid_parameter(name, f"{len(values)} values", f"up to {maximum} values")
        return values

    def uri(self, **changes: object) -> str:
        """This request's own path and query, with some parameters changed."""
        pairs = [(name, value) for name, value in self.query.multi_items() if name not in changes]
        pairs += [(name, str(value)) for name, value in changes.items() if value is not None]
        return f"{self.path}?{urlencode(pairs)}" if pairs else self.path

    def cursor_page(
        self, items: Sequence[Any], *, limit: int, parameter: str = "cursor", scope: Sequence[str] = ()
    ) -> tuple[Sequence[Any], JSON]:
        """One page of a list, and the members of the answer that lead to the next one."""
        now = self.world.clock.now()
        scope = (self.path, *scope)
        given = self.query.get(parameter)
        start = cursors.position(given, scope=scope, now=now) if given else 0
        page = items[start : start + limit]
        links: JSON = {"selfUri": self.uri()}
        if start + limit < len(items):
            after = cursors.encode(scope=scope, position=start + limit, now=now)
            links |= {"nextUri": self.uri(**{parameter: after}), "cursors": {"after": after}}
        return page, links

    def numbered_page(self, items: Sequence[JSON], *, default_size: int, window: int | None = None) -> JSON:
        """One page by number. A window limits how far one can page, whatever the total."""
        size = self.number("pageSize", default=default_size, high=500)
        number = self.number("pageNumber", default=1)
        return numbered(self, items, size=size, number=number, window=window)


def numbered(
    call: Call, items: Sequence[JSON], *, size: int, number: int, window: int | None = None, linked: bool = True
) -> JSON:
    if window and size * number > window:
        raise errors.bad_request(
            f"pageNumber * pageSize must be <= {window}", "pageNumber", "pageSize", code="constraint.validation"
        )
    reachable = min(len(items), window) if window else len(items)
    pages = max(1, -(-reachable // size))
    listing: JSON = {
        "entities": list(items[size * (number - 1) : size * number]),
        "pageSize": size,
        "pageNumber": number,
        "total": len(items),
        "pageCount": pages,
    }
    if not linked:
        return listing
    others = {"firstUri": 1, "selfUri": number, "lastUri": pages}
    if number > 1:
        others["previousUri"] = number - 1
    if number < pages:
        others["nextUri"] = number + 1
    return listing | {name: call.uri(pageSize=size, pageNumber=page) for name, page in others.items()}
