"""ServiceNow: OAuth, and the Table API on one table and on the log of deleted records."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.responses import JSONResponse, Response

from cir.crm.mapping import CrmKind
from sandbox.crm.accounts import Account, Accounts
from sandbox.crm.emulator import Asked, Emulator, Settings

_CONDITION = re.compile(r"(?P<column>\w+?)(?P<operator>>=|>|=|IN)(?P<value>.*)")
AUDIT = "sys_audit_delete"


@dataclass(slots=True)
class ServiceNowSettings(Settings):
    table: str = "customer_contact"
    page_records: int = 10_000
    hidden: set[str] = field(default_factory=set)
    """Ids that an access control rule hides: counted, but not shown."""
    late_counts: int = 0
    """So many of the next answers count a record that has just gone."""


class ServiceNow(Emulator[ServiceNowSettings]):
    source = CrmKind.SERVICENOW
    token_path = "/oauth_token.do"

    def __init__(self, accounts: Accounts, settings: ServiceNowSettings | None = None) -> None:
        super().__init__(accounts, settings or ServiceNowSettings())

    def hide(self, account_id: str) -> None:
        """From the OAuth client's user."""
        self.settings.hidden.add(account_id)

    def hide_deletions(self) -> None:
        """The log of deleted records is for administrators, unless somebody else is let in."""
        self.settings.hidden.update(row["sys_id"] for row in self._audit())

    def routes(self) -> Sequence[tuple[str, str, Callable[[Asked], Response]]]:
        return (("GET", "/api/now/table/{table}", self._list),)

    def error(self, status: int, code: str, message: str) -> Response:
        return JSONResponse({"error": {"message": code or message, "detail": message}, "status": "failure"}, status)

    def unauthorized(self) -> Response:
        return self.error(401, "User Not Authenticated", "Required to provide Auth information")

    def login_refused(self) -> Response:
        return JSONResponse({"error": "access_denied", "error_description": "access_denied"}, 401)

    def token(self, value: str) -> Mapping[str, object]:
        return {**super().token(value), "scope": "useraccount"}

    def _list(self, asked: Asked) -> Response:
        table = asked.request.path_params["table"]
        if table not in {self.settings.table, AUDIT}:
            return self.error(400, f"Invalid table {table}", "")
        rows = self._audit() if table == AUDIT else self._records()
        order: list[str] = []
        for part in filter(None, asked.query.get("sysparm_query", "").split("^")):
            if part.startswith("ORDERBY"):
                order.append(part.removeprefix("ORDERBY"))
            elif condition := _CONDITION.fullmatch(part):
                rows = [row for row in rows if _holds(row, condition)]
        for column in reversed(order):
            rows.sort(key=lambda row: row[column])
        size = min(int(asked.query.get("sysparm_limit", "10000")), self.settings.page_records)
        start = int(asked.query.get("sysparm_offset", "0"))
        fields = [name for name in asked.query.get("sysparm_fields", "").split(",") if name]
        shown = [row for row in rows[start : start + size] if row["sys_id"] not in self.settings.hidden]
        # Fields that there are not are left out without a word.
        value = _both if asked.query.get("sysparm_display_value") == "all" else str
        result = [{name: value(row[name]) for name in fields or row if name in row} for row in shown]
        gone = min(self.settings.late_counts, 1)
        self.settings.late_counts -= gone
        return JSONResponse({"result": result}, headers={"X-Total-Count": str(len(rows) + gone)})

    def _records(self) -> list[Mapping[str, str]]:
        return [self._row(account) for account in self.accounts if not account.deleted]

    def _row(self, account: Account) -> Mapping[str, str]:
        return {
            **dict.fromkeys(self.accounts.columns, ""),
            "active": "true",
            **account.fields,
            "sys_id": account.id,
            "sys_created_on": _written(account.created),
            "sys_updated_on": _written(account.modified),
        }

    def _audit(self) -> list[Mapping[str, str]]:
        return [
            {
                "sys_id": hashlib.md5(account.id.encode(), usedforsecurity=False).hexdigest(),
                "documentkey": account.id,
                "tablename": self.settings.table,
                "sys_created_on": _written(account.modified),
            }
            for account in self.accounts
            if account.was_deleted
        ]


def _both(value: str) -> Mapping[str, str]:
    return {"display_value": value, "value": value}


def _holds(row: Mapping[str, str], condition: re.Match[str]) -> bool:
    value, wanted = row[condition["column"]], condition["value"]
    match condition["operator"]:
        case "IN":
            return value in wanted.split(",")
        case "=":
            return value == wanted
        case ">":
            return value > wanted
        case _:
            return value >= wanted


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
