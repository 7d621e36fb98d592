"""Salesforce: OAuth client credentials, REST queries with cursors, Bulk API 2.0 query jobs."""

import csv
import io
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.responses import JSONResponse, Response

from cir.crm.mapping import CrmKind
from sandbox.crm.accounts import Account, Accounts
from sandbox.crm.emulator import Asked, Emulator, Settings

_ROOT = "/services/data/{version}"
_QUERY = re.compile(
    r"SELECT (?P<fields>[\w.,]+) FROM (?P<object>\w+)(?: WHERE (?P<where>.+?))?(?: ORDER BY (?P<order>\w+))?"
)
_SINCE = re.compile(r"SystemModstamp >= (?P<since>\S+)")
_AMONG = re.compile(r"Id IN \((?P<ids>'\w+'(?:,'\w+')*)\)")
_SYSTEM = frozenset({"Id", "SystemModstamp", "LastModifiedDate", "CreatedDate", "IsDeleted"})
PAGE = 2000


class QueryError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Result:
    """What a query has found, as it was then."""

    fields: Sequence[str]
    accounts: Sequence[Account]


@dataclass(slots=True)
class Job:
    id: str
    query: str
    operation: str
    result: Result
    state: str = "UploadComplete"
    polls: int = 0


@dataclass(slots=True)
class SalesforceSettings(Settings):
    object: str = "Contact"
    job_polls: int = 2
    """So often a job is asked about before it is complete."""
    job_ends_as: str = "JobComplete"
    page_records: int = 100_000
    version: str = "v62.0"


class Salesforce(Emulator[SalesforceSettings]):
    source = CrmKind.SALESFORCE
    token_path = "/services/oauth2/token"

    def __init__(self, accounts: Accounts, settings: SalesforceSettings | None = None) -> None:
        super().__init__(accounts, settings or SalesforceSettings())

    def _forget(self) -> None:
        super()._forget()
        self.jobs: dict[str, Job] = {}
        self._cursors: dict[str, Result] = {}

    def expire_cursors(self) -> None:
        """As Salesforce does after two days, or when a user has too many."""
        self._cursors.clear()

    def routes(self) -> Sequence[tuple[str, str, Callable[[Asked], Response]]]:
        jobs = f"{_ROOT}/jobs/query"
        return (
            ("GET", _ROOT, self._resources),
            ("GET", f"{_ROOT}/query", self._query),
            ("GET", f"{_ROOT}/queryAll", self._query_all),
            ("GET", f"{_ROOT}/query/{{cursor}}", self._more),
            ("POST", jobs, self._create),
            ("GET", f"{jobs}/{{job}}", self._state),
            ("PATCH", f"{jobs}/{{job}}", self._abort),
            ("DELETE", f"{jobs}/{{job}}", self._delete),
            ("GET", f"{jobs}/{{job}}/results", self._results),
        )

    def error(self, status: int, code: str, message: str) -> Response:
        return JSONResponse([{"message": message, "errorCode": code}], status)

    def unauthorized(self) -> Response:
        return self.error(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def login_refused(self) -> Response:
        return JSONResponse({"error": "invalid_client", "error_description": "invalid client credentials"}, 400)

    def token(self, value: str) -> Mapping[str, object]:
        """Salesforce does not tell how long it lasts: that is the session's time-out."""
        return {"access_token": value, "instance_url": self.url, "token_type": "Bearer", "scope": "api"}

    # REST

    def _resources(self, asked: Asked) -> Response:
        path = asked.request.url.path
        return JSONResponse({name: f"{path}/{name}" for name in ("query", "queryAll", "jobs", "limits", "sobjects")})

    def _query(self, asked: Asked) -> Response:
        return self._first_page(asked, deleted=False)

    def _query_all(self, asked: Asked) -> Response:
        return self._first_page(asked, deleted=True)

    def _first_page(self, asked: Asked, *, deleted: bool) -> Response:
        try:
            result = self._run(asked.query.get("q", ""), deleted=deleted)
        except QueryError as error:
            return self.error(400, error.code, str(error))
        return self._page(asked, f"0r8{secrets.token_hex(6)}AAA", result, 0)

    def _more(self, asked: Asked) -> Response:
        cursor, _, start = asked.request.path_params["cursor"].rpartition("-")
        if cursor not in self._cursors:
            return self.error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(asked, cursor, self._cursors[cursor], int(start))

    def _page(self, asked: Asked, cursor: str, result: Result, start: int) -> Response:
        wanted = re.search(r"batchSize=(\d+)", asked.request.headers.get("Sforce-Query-Options", ""))
        size = min(int(wanted[1]) if wanted else PAGE, PAGE, self.settings.page_records)
        end = start + size
        path = f"/services/data/{asked.request.path_params['version']}"
        records = [
            {
                "attributes": {
                    "type": self.settings.object,
                    "url": f"{path}/sobjects/{self.settings.object}/{account.id}",
                },
                **{name: self._value(account, name) for name in result.fields},
            }
            for account in result.accounts[start:end]
        ]
        body: dict[str, Any] = {
            "totalSize": len(result.accounts),
            "done": end >= len(result.accounts),
            "records": records,
        }
        if not body["done"]:
            self._cursors[cursor] = result
            body["nextRecordsUrl"] = f"{path}/query/{cursor}-{end}"
        return JSONResponse(body)

    # Bulk API 2.0

    def _create(self, asked: Asked) -> Response:
        body = asked.json()
        try:
            result = self._run(body["query"], deleted=body["operation"] == "queryAll")
        except QueryError as error:
            return self.error(400, error.code, str(error))
        job = Job(f"750{secrets.token_hex(6)}AAA", body["query"], body["operation"], result)
        self.jobs[job.id] = job
        return JSONResponse(self._shown(job))

    def _state(self, asked: Asked) -> Response:
        job = self._job(asked)
        if job is None:
            return self.error(404, "NOT_FOUND", "The requested resource does not exist")
        job.polls += 1
        if job.state in {"UploadComplete", "InProgress"}:
            job.state = self.settings.job_ends_as if job.polls > self.settings.job_polls else "InProgress"
        return JSONResponse(self._shown(job))

    def _abort(self, asked: Asked) -> Response:
        job = self._job(asked)
        if job is None:
            return self.error(404, "NOT_FOUND", "The requested resource does not exist")
        if job.state == "JobComplete" or asked.json().get("state") != "Aborted":
            return self.error(400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
        job.state = "Aborted"
        return JSONResponse(self._shown(job))

    def _delete(self, asked: Asked) -> Response:
        job = self._job(asked)
        if job is None:
            return self.error(404, "NOT_FOUND", "The requested resource does not exist")
        if job.state in {"UploadComplete", "InProgress"}:
            return self.error(400, "INVALIDJOBSTATE", f"Deleting Job not allowed in state {job.state}")
        del self.jobs[job.id]
        return Response(status_code=204)

    def _results(self, asked: Asked) -> Response:
        job = self._job(asked)
        if job is None:
            return self.error(404, "NOT_FOUND", "The requested resource does not exist")
        if job.state != "JobComplete":
            return self.error(400, "INVALIDJOBSTATE", "The job is not complete")
        start = int(asked.query.get("locator", "0"), 36)
        size = min(int(asked.query.get("maxRecords", self.settings.page_records)), self.settings.page_records)
        accounts = job.result.accounts[start : start + size]
        text = io.StringIO()
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(job.result.fields)
        writer.writerows([_in_csv(self._value(account, name)) for name in job.result.fields] for account in accounts)
        end = start + size
        headers = {
            "Content-Type": "text/csv",
            "Sforce-Locator": _base36(end) if end < len(job.result.accounts) else "null",
            "Sforce-NumberOfRecords": str(len(accounts)),
        }
        return Response(text.getvalue(), headers=headers)

    def _job(self, asked: Asked) -> Job | None:
        return self.jobs.get(asked.request.path_params["job"])

    def _shown(self, job: Job) -> Mapping[str, object]:
        return {
            "id": job.id,
            "operation": job.operation,
            "object": self.settings.object,
            "state": job.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(self.settings.version.removeprefix("v")),
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }

    # SOQL, as much of it as connectors use

    def _run(self, query: str, *, deleted: bool) -> Result:
        parts = _QUERY.fullmatch(query)
        if parts is None:
            raise QueryError("MALFORMED_QUERY", f"unexpected token in: {query}")
        if parts["object"] != self.settings.object:
            raise QueryError("INVALID_TYPE", f"sObject type '{parts['object']}' is not supported.")
        fields = parts["fields"].split(",")
        for name in fields:
            if name not in self.accounts.columns | _SYSTEM:
                raise QueryError("INVALID_FIELD", f"No such column '{name}' on entity '{parts['object']}'.")
        found = [account for account in self.accounts if deleted or not account.deleted]
        where = parts["where"]
        if where:
            since, among = _SINCE.fullmatch(where), _AMONG.fullmatch(where)
            if since:
                moment = datetime.fromisoformat(since["since"])
                found = [account for account in found if account.modified.replace(microsecond=0) >= moment]
            elif among:
                # of 15 characters the case counts, of 18 it does not
                ids = {each if len(each) == 15 else each.lower() for each in re.findall(r"\w+", among["ids"])}
                found = [account for account in found if {account.id[:15], account.id.lower()} & ids]
            else:
                raise QueryError("MALFORMED_QUERY", f"unexpected token in: {where}")
        if parts["order"]:
            found.sort(key=lambda account: account.modified)
        return Result(fields, found)

    def _value(self, account: Account, name: str) -> str | bool | None:
        match name:
            case "Id":
                return account.id
            case "IsDeleted":
                return account.deleted
            case "SystemModstamp" | "LastModifiedDate":
                return _written(account.modified)
            case "CreatedDate":
                return _written(account.created)
            case _:
                return account.fields.get(name) or None


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _in_csv(value: str | bool | None) -> str:
    return str(value).lower() if isinstance(value, bool) else value or ""


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits
