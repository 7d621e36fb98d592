"""Dynamics 365: a table of the Dataverse Web API with change tracking, and the token service of Microsoft Entra ID."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from cir.crm.mapping import CrmKind
from sandbox.crm.accounts import Account, Accounts
from sandbox.crm.emulator import Asked, Emulator, Settings

_PATH = "/api/data/{version}/{table}"
_LABEL = "OData.Community.Display.V1.FormattedValue"
_ONE_OF = re.compile(r"(?P<column>\w+) eq (?P<id>[0-9a-f-]{36})")
_SYSTEM = frozenset({"modifiedon", "createdon", "statecode"})
_STATE, _ACTIVE = "statecode", "Active"
_STATES = {_ACTIVE: 0, "Inactive": 1}
MAX_PAGE = 5000


@dataclass(slots=True)
class DynamicsSettings(Settings):
    table: str = "contacts"
    logical_name: str = "contact"
    id_column: str = "contactid"
    page_records: int = MAX_PAGE
    choices: Mapping[str, Mapping[str, int | str]] = field(default_factory=dict)
    """Column → label → what the table holds: the number of a choice, the GUID of a lookup."""
    change_tracking: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """What a request has found, for the pages that follow."""

    select: Sequence[str]
    accounts: Sequence[Account]
    version: int
    tracked: bool
    delta: bool


class Dynamics(Emulator[DynamicsSettings]):
    source = CrmKind.DYNAMICS
    token_path = "/tenant/oauth2/v2.0/token"

    def __init__(self, accounts: Accounts, settings: DynamicsSettings | None = None) -> None:
        super().__init__(accounts, settings or DynamicsSettings())

    def _forget(self) -> None:
        super()._forget()
        self._listings: dict[str, Listing] = {}
        self._oldest_version = 0

    def expire_deltas(self) -> None:
        """As Dataverse does with what is older than the organization's ExpireChangeTrackingInDays."""
        self._oldest_version = self.accounts.version

    def routes(self) -> Sequence[tuple[str, str, Callable[[Asked], Response]]]:
        return (("GET", "/api/data/{version}/EntityDefinitions", self._definitions), ("GET", _PATH, self._list))

    def error(self, status: int, code: str, message: str) -> Response:
        return JSONResponse({"error": {"code": code, "message": message}}, status)

    def unauthorized(self) -> Response:
        return Response(status_code=401, headers={"WWW-Authenticate": "Bearer error=invalid_token"})

    def login_refused(self) -> Response:
        text = "AADSTS7000215: Invalid client secret provided."
        return JSONResponse({"error": "invalid_client", "error_description": text, "error_codes": [7000215]}, 401)

    def _definitions(self, asked: Asked) -> Response:
        """What the table is called, for clients that know only the singular."""
        table = {
            "LogicalName": self.settings.logical_name,
            "EntitySetName": self.settings.table,
            "PrimaryIdAttribute": self.settings.id_column,
        }
        wanted = asked.query.get("$filter") == f"LogicalName eq '{self.settings.logical_name}'"
        return JSONResponse({"value": [table] if wanted else []})

    def _list(self, asked: Asked) -> Response:
        table = asked.request.path_params["table"]
        if table != self.settings.table:
            return self.error(404, "0x80060888", f"Resource not found for the segment '{table}'.")
        preferences = asked.request.headers.get("Prefer", "")
        if "$skiptoken" in asked.query:
            key, _, start = asked.query["$skiptoken"].partition(".")
            return self._page(asked, self._listings[key], int(start), preferences)
        select = [name for name in asked.query.get("$select", "").split(",") if name]
        for name in select:
            if name not in self.accounts.columns | _SYSTEM | {self.settings.id_column}:
                message = f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.contact'."
                return self.error(400, "0x80060888", message)
        tracked = self.settings.change_tracking and "odata.track-changes" in preferences
        version = self.accounts.version
        token = asked.query.get("$deltatoken")
        if token is not None:
            since = int(token.partition("!")[0])
            if since < self._oldest_version:
                message = "Version stamp associated with the client has expired. Please perform a full sync."
                return self.error(400, "0x80044352", message)
            changed = sorted((each for each in self.accounts if each.version > since), key=lambda each: each.version)
            return self._page(asked, Listing(select, changed, version, True, True), 0, preferences)
        found = [each for each in self.accounts if not each.deleted]
        if "$filter" in asked.query:
            parts = [_ONE_OF.fullmatch(part) for part in asked.query["$filter"].split(" or ")]
            if not all(part and part["column"] == self.settings.id_column for part in parts):
                return self.error(400, "0x80060888", "Syntax error in the filter.")
            ids = {part["id"] for part in parts if part}
            found = [each for each in found if each.id in ids]
        return self._page(asked, Listing(select, found, version, tracked, False), 0, preferences)

    def _page(self, asked: Asked, listing: Listing, start: int, preferences: str) -> Response:
        wanted = re.search(r"odata\.maxpagesize=(\d+)", preferences)
        size = min(int(wanted[1]) if wanted else MAX_PAGE, MAX_PAGE, self.settings.page_records)
        end = start + size
        base = f"{self.url}/api/data/{asked.request.path_params['version']}"
        table = f"{base}/$metadata#{self.settings.table}"
        context = f"{table}({','.join(listing.select)})" + ("/$delta" if listing.tracked else "")
        labelled = _LABEL in preferences
        body: dict[str, Any] = {
            "@odata.context": context,
            "value": [self._entry(each, listing.select, table, labelled) for each in listing.accounts[start:end]],
        }
        address = f"{base}/{self.settings.table}?$select={quote(','.join(listing.select), safe=',')}"
        if end < len(listing.accounts):
            key = secrets.token_hex(8)
            self._listings[key] = listing
            body["@odata.nextLink"] = f"{address}&$skiptoken={key}.{end}"
        elif listing.tracked:
            at = self.accounts.clock.now().strftime("%m/%d/%Y %H:%M:%S")
            body["@odata.deltaLink"] = f"{address}&$deltatoken={quote(f'{listing.version}!{at}', safe='')}"
        return JSONResponse(body, headers={"OData-Version": "4.0", "Preference-Applied": preferences})

    def _entry(self, account: Account, select: Sequence[str], table: str, labelled: bool) -> Mapping[str, Any]:
        if account.deleted:
            return {"@odata.context": f"{table}/$deletedEntity", "id": account.id, "reason": "deleted"}
        entry: dict[str, Any] = {"@odata.etag": f'W/"{account.version}"', self.settings.id_column: account.id}
        for name in select:
            value = self._value(account, name)
            entry[name] = value
            if labelled and value is not None and name in {*self.settings.choices, _STATE}:
                entry[f"{name}@{_LABEL}"] = account.fields.get(name) or _ACTIVE
        return entry

    def _value(self, account: Account, name: str) -> str | int | None:
        if name == self.settings.id_column:
            return account.id
        if name == _STATE:
            return _STATES[account.fields.get(name) or _ACTIVE]
        if name in _SYSTEM:
            return _written(account.modified if name == "modifiedon" else account.created)
        text = account.fields.get(name) or None
        return self.settings.choices[name][text] if text and name in self.settings.choices else text


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
