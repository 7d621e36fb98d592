"""One request budget for all who call Genesys Cloud as the same OAuth client: functions, workflows, operators.

The window that Genesys counts in is kept as one item of the state table. Permissions are leased from it in small
blocks, by a write that is conditional on the item's version, so that nobody's lease is lost; a busy process asks
DynamoDB two or three times a second. A lease of a process that died is given back by the next window.

The window ends when it ends. Genesys counts by token too, and each new token begins a window of its own, which does not
keep the shared one open.

Bulk work is spread evenly over the window and leaves a reserve to its end, so that live work, which may use whatever is
left, finds at any moment the share of the limit that belongs to the rest of the window, and the reserve on top.
"""

import math
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from cir.aws.dynamodb import DynamoDB, DynamoDBError, marshal_item, unmarshal_item
from cir.genesys.pacing import HeaderPacer, RateLimit
from cir.http.retries import retry_after

type Kind = Literal["live", "bulk"]

WINDOW_SECONDS = 60.0
"""Genesys' limits are per minute."""
FIRST_LIMIT = 180
"""Requests a window until the first answer tells the limit: the lowest that has been seen in public traces."""
RESERVE = 0.025
"""Share of the limit that bulk work never takes: eight of 300 may come at the very end of a window and not wait."""
BLOCK_SECONDS = 0.5
"""Of even pace that one lease of bulk work covers."""
SAME_WINDOW_SECONDS = 2.0
"""By how much the end of one window can seem to differ: the header is in whole seconds, and requests take time."""
AGAIN_SECONDS = 5.0
"""After which a table that did not answer is asked again."""
KEPT_SECONDS = 86_400
ATTEMPTS = 12
"""Of a lease that others get in the way of."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is known of the current window of the limit. Times are seconds since the epoch."""

    version: int = 0
    ends_at: float = 0.0
    allowed: int = FIRST_LIMIT
    used: int = 0
    """Permissions given, and requests of others that Genesys has counted."""
    throttled: int = 0
    """Answers that demanded a pause."""
    paused_until: float = 0.0
    opened_at: float = 0.0
    """When Genesys began to count, as far as is known. 0: an earlier release wrote the item, and does not say."""

    @property
    def latest_end(self) -> float:
        """Beyond which a later end is that of another window."""
        return (self.opened_at or self.ends_at - WINDOW_SECONDS) + WINDOW_SECONDS + SAME_WINDOW_SECONDS

    @property
    def reserve(self) -> int:
        return max(2, round(self.allowed * RESERVE)) if self.allowed > 2 else 0

    @property
    def bulk_rate(self) -> float:
        """Requests per second."""
        return (self.allowed - self.reserve) / WINDOW_SECONDS

    @property
    def block(self) -> int:
        """Permissions in one lease of somebody who needs many."""
        return max(1, round(self.bulk_rate * BLOCK_SECONDS))

    def left_for(self, kind: Kind, now: float) -> int:
        """Permissions that may be given now."""
        if now < self.paused_until:
            return 0
        if kind == "live":
            return max(self.allowed - self.used, 0)
        even = min(self.block + self.even_share(now), self.allowed - self.reserve)
        return max(math.floor(even) - self.used, 0)

    def even_share(self, now: float) -> float:
        """What evenly spread bulk work alone would have been given by now."""
        return self.bulk_rate * max(now - (self.ends_at - WINDOW_SECONDS), 0.0)

    def wait_for(self, kind: Kind, cost: int, now: float) -> float:
        """Seconds until there may be that many."""
        if now < self.paused_until:
            return self.paused_until - now
        renewed = max(self.ends_at - now, 0.0)
        if kind == "live":
            return renewed
        due = self.ends_at - WINDOW_SECONDS + (self.used + cost - self.block) / self.bulk_rate
        return min(max(due - now, 0.0), renewed)


@dataclass(frozen=True, slots=True)
class Told:
    """What this process has learnt from answers since its last lease."""

    allowed: int = 0
    count: int = 0
    ends_after: float = 0.0
    """The window that `count` is of does not end before."""
    throttled: int = 0
    paused_until: float = 0.0


@dataclass(frozen=True, slots=True)
class Lease:
    """Permissions that were given, and the window as it is then."""

    window: Window
    permissions: int
    closed: Window | None = None
    """The window before, if this lease has opened a new one."""


def lease(window: Window, told: Told, *, kind: Kind, wanted: int, cost: int, now: float) -> Lease:
    """Give up to `wanted` permissions, at least `cost` or none."""
    closed: Window | None = None
    if now >= window.ends_at:
        closed = window if window.ends_at else None
        window = _opened(window, told, now)
    elif window.ends_at < told.ends_after <= min(window.latest_end, now + WINDOW_SECONDS):
        window = replace(window, ends_at=told.ends_after)
    same = told.ends_after > window.ends_at - SAME_WINDOW_SECONDS
    if same and 0 < told.allowed < window.allowed:
        window = replace(window, used=0)  # what was given under another limit says nothing under this one
    window = replace(
        window,
        allowed=told.allowed or window.allowed,
        used=max(window.used, told.count) if same else window.used,
        throttled=window.throttled + told.throttled,
        paused_until=max(window.paused_until, told.paused_until),
    )
    left = window.left_for(kind, now)
    given = min(wanted, left) if left >= cost else 0
    return Lease(replace(window, version=window.version + 1, used=window.used + given), given, closed)


def _opened(window: Window, told: Told, now: float) -> Window:
    """The window after one that is over: the rest of the one in which Genesys counts this process, if there is one.

    Of that, at least what is even counts as used, so that what follows on a short rest is no burst.
    """
    running = now < told.ends_after <= now + WINDOW_SECONDS
    ends_at = told.ends_after if running else now + WINDOW_SECONDS
    opened = replace(window, opened_at=ends_at - WINDOW_SECONDS, ends_at=ends_at, used=0, throttled=0)
    return replace(opened, used=max(told.count, math.floor(opened.even_share(now)))) if running else opened


class Budget:
    """A `Pacer` over the state table. Thread-safe.

    Where the table cannot be reached it paces by the headers alone (`HeaderPacer`), and asks again a little later.
    """

    def __init__(
        self,
        dynamodb: DynamoDB,
        table: str,
        *,
        name: str,
        kind: Kind = "live",
        on_window: Callable[[Window], None] = lambda _: None,
        on_failure: Callable[[DynamoDBError], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """`name` is that of the OAuth client. `on_window` is given every window that this process has seen closed:
        each is given to one process only. `on_failure` is told when the table does not answer."""
        self._dynamodb = dynamodb
        self._table = table
        self._name = f"budget#{name}"
        self._kind: Kind = kind
        self._on_window = on_window
        self._on_failure = on_failure
        self._clock = clock
        self._uniform = uniform
        self._lock = threading.Lock()
        self._window = Window()
        self._told = Told()
        self._permissions = 0
        self._ask_at = 0.0
        self._last_lease = (0.0, 0)
        self._alone = HeaderPacer(clock=clock)
        self._alone_in_flight = 0
        self._alone_until = 0.0
        self._thread = threading.local()

    def before_request(self, cost: int) -> float:
        """0: permission to send now. Else the seconds after which to ask again."""
        with self._lock:
            now = self._thread.sent_at = self._clock()
            if now >= self._window.ends_at:
                self._permissions = 0
            if self._permissions < cost and self._alone_until <= now:
                if now < self._ask_at:
                    return self._ask_at - now
                self._renew(cost, now)
            if self._permissions >= cost:
                self._permissions -= cost
                return 0.0
            if self._alone_until > now:
                wait = self._alone.before_request(cost)
                self._alone_in_flight += cost if wait <= 0 else 0
                return wait
            return max(self._ask_at - now, 0.001)

    def after_response(self, headers: Mapping[str, str], cost: int) -> None:
        limit = RateLimit.from_headers(headers)
        pause = retry_after(headers)
        with self._lock:
            now = self._clock()
            own = min(cost, self._alone_in_flight)
            self._alone_in_flight -= own
            self._alone.after_response(headers, own)
            if limit:
                self._learn(limit)
            if pause is None:
                return
            self._told = replace(
                self._told,
                throttled=self._told.throttled + 1,
                paused_until=max(self._told.paused_until, now + pause),
            )
            self._permissions = 0
            if self._alone_until <= now:
                self._renew(0, now)  # so that everybody pauses, not only this process

    def _learn(self, limit: RateLimit) -> None:
        # In whole seconds, rounded up, from when Genesys received the request: not before it was sent.
        ends_after = self._thread.sent_at + limit.reset_seconds - 1
        told = self._told
        if ends_after < told.ends_after - SAME_WINDOW_SECONDS:
            return  # a late answer, of a window that is over
        renewed = ends_after > told.ends_after + SAME_WINDOW_SECONDS
        self._told = replace(
            told,
            allowed=limit.allowed,
            count=limit.count if renewed else max(told.count, limit.count),
            ends_after=max(told.ends_after, ends_after),
        )

    def _renew(self, cost: int, now: float) -> None:
        """Lease permissions, or set when to ask again; or, without the table, until when to do without it."""
        wanted = self._wanted(cost, now)
        current = self._window
        try:
            for _ in range(ATTEMPTS):
                leased = lease(current, self._told, kind=self._kind, wanted=wanted, cost=cost, now=now)
                nothing_new = not leased.permissions and replace(leased.window, version=current.version) == current
                found = None if nothing_new else self._write(leased.window, previous=current)
                if found is None:
                    leased = replace(leased, window=current) if nothing_new else leased
                    self._accept(leased, cost, now)
                    return
                current = found
            self._window = current
            self._ask_at = now + self._uniform(0.02, 0.2)
        except DynamoDBError as error:
            self._alone_until = now + AGAIN_SECONDS
            self._on_failure(error)

    def _wanted(self, cost: int, now: float) -> int:
        """A whole block for bulk work; for live work as much as it has just been seen to need, beginning with one."""
        if not cost or self._kind == "bulk":
            return max(cost, self._window.block) if cost else 0
        at, number = self._last_lease
        recent = now - at < BLOCK_SECONDS
        return min(max(cost, 2 * number if recent else cost), max(cost, self._window.block))

    def _accept(self, leased: Lease, cost: int, now: float) -> None:
        self._window = leased.window
        self._told = replace(self._told, throttled=0)
        if leased.permissions or not cost:
            self._permissions += leased.permissions
            self._last_lease = (now, leased.permissions)
        else:
            wanted = leased.window.block if self._kind == "bulk" else cost
            wait = leased.window.wait_for(self._kind, max(cost, wanted), now)
            # Those who wait for the same moment do not all ask in it.
            self._ask_at = now + wait + self._uniform(0.0, min(0.05, wait))
        if leased.closed:
            self._on_window(leased.closed)

    def _write(self, window: Window, *, previous: Window) -> Window | None:
        """None when it is written; else the window as somebody else has written it."""
        item: dict[str, Any] = {
            "name": self._name,
            "version": window.version,
            "ends_at": window.ends_at,
            "allowed": window.allowed,
            "used": window.used,
            "throttled": window.throttled,
            "paused_until": window.paused_until,
            "opened_at": window.opened_at,
            "expires_at": round(window.ends_at) + KEPT_SECONDS,
        }
        request: dict[str, Any] = {
            "TableName": self._table,
            "Item": marshal_item(item),
            "ConditionExpression": "#version = :version" if previous.version else "attribute_not_exists(#version)",
            "ExpressionAttributeNames": {"#version": "version"},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if previous.version:
            request["ExpressionAttributeValues"] = marshal_item({":version": previous.version})
        try:
            self._dynamodb("PutItem", request)
        except DynamoDBError as error:
            if error.code != "ConditionalCheckFailedException":
                raise
            return _window(error.response.get("Item"))
        return None


def _window(item: Mapping[str, Any] | None) -> Window:
    """A fresh one where the item has expired meanwhile."""
    if not item:
        return Window()
    values = unmarshal_item(item)
    return Window(
        version=values["version"],
        ends_at=values["ends_at"],
        allowed=values["allowed"],
        used=values["used"],
        throttled=values["throttled"],
        paused_until=values["paused_until"],
        opened_at=values.get("opened_at", 0.0),
    )
