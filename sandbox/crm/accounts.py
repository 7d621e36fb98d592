"""What an emulated CRM holds: accounts that can be entered, changed, deleted and restored while it runs."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta


class Clock:
    """The CRM's own, which can be put forward."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, by: timedelta) -> None:
        self._ahead += by


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    fields: Mapping[str, str]
    created: datetime
    modified: datetime
    version: int
    """Of all changes in the CRM, the number of the latest of this account."""
    deleted: bool = False
    was_deleted: bool = False
    """Once, if it has been restored since."""


class Accounts:
    """All accounts, in the order in which they were entered. Thread-safe."""

    def __init__(self, columns: Iterable[str], clock: Clock | None = None) -> None:
        self.columns = frozenset(columns)
        """What can be asked for, whether or not an account has a value."""
        self.clock = clock or Clock()
        self.version = 0
        self._accounts: dict[str, Account] = {}
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Account]:
        with self._lock:
            return iter(list(self._accounts.values()))

    def __getitem__(self, account_id: str) -> Account:
        return self._accounts[account_id]

    def enter(self, account_id: str, fields: Mapping[str, str]) -> None:
        now = self.clock.now()
        self._write(Account(account_id, dict(fields), now, now, 0))

    def change(self, account_id: str, **fields: str) -> None:
        account = self._accounts[account_id]
        self._write(replace(account, fields={**account.fields, **fields}, modified=self.clock.now()))

    def delete(self, account_id: str) -> None:
        self._write(replace(self._accounts[account_id], deleted=True, was_deleted=True, modified=self.clock.now()))

    def restore(self, account_id: str) -> None:
        """Out of the recycle bin."""
        self._write(replace(self._accounts[account_id], deleted=False, modified=self.clock.now()))

    def _write(self, account: Account) -> None:
        if unknown := account.fields.keys() - self.columns:
            raise ValueError(f"no column {min(unknown)}")
        with self._lock:
            self.version += 1
            self._accounts[account.id] = replace(account, version=self.version)
