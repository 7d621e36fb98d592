"""Progress of long work: how far, how fast, how long still."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

TOLD_AFTER_SECONDS = 60.0
"""Without a terminal, at the latest."""
ESTIMATED_OVER_SECONDS = 180.0
"""Long enough to see through the minutes in which Genesys counts."""


class RateColumn(ProgressColumn):
    """Units a minute, which is what Genesys' limit is told in."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed * 60:,.0f} a minute" if speed else "")


@dataclass(slots=True)
class Step:
    """One stage of the work."""

    bar: Progress
    task: TaskID
    _told: tuple[int, float] = (0, 0.0)
    """Tenth and time of the last line."""

    def advance(self, by: int = 1) -> None:
        self.bar.advance(self.task, by)
        self._tell()

    def reach(self, number: int) -> None:
        self.bar.update(self.task, completed=number)
        self._tell()

    def counting[T](self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            yield item
            self.advance()

    def _tell(self) -> None:
        """A line for each tenth, and each minute, where there is no terminal to draw on."""
        if not self.bar.disable:
            return
        task = next(each for each in self.bar.tasks if each.id == self.task)
        if not task.total:
            return
        tenth, now = int(10 * task.completed / task.total), time.monotonic()
        if tenth == self._told[0] and now < self._told[1] + TOLD_AFTER_SECONDS:
            return
        if self._told[1]:
            self.bar.console.print(_line(task, tenth), highlight=False)
        self._told = (tenth, now)


@dataclass(frozen=True, slots=True)
class Steps:
    """The stages, one below the other."""

    bar: Progress

    def begin(self, name: str, *, total: int | None = None, done: int = 0) -> Step:
        for task in self.bar.tasks:
            if task.total is None:
                self.bar.update(task.id, total=task.completed or 1, completed=task.completed or 1)
        return Step(self.bar, self.bar.add_task(name, total=total, completed=done))


def say_waits(console: Console) -> Callable[[float], None]:
    """Says a wait for Genesys, once for all who wait for the same moment."""
    said_until = 0.0

    def say(seconds: float) -> None:
        nonlocal said_until
        now = time.monotonic()
        if now + seconds > said_until + 1:
            said_until = now + seconds
            console.print(f"waiting {seconds:.0f} s for Genesys Cloud: its request limit, or no answer", style="dim")

    return say


@contextmanager
def progress(console: Console) -> Iterator[Steps]:
    """A live display where there is a terminal, else a line now and then."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        speed_estimate_period=ESTIMATED_OVER_SECONDS,
    ) as bar:
        yield Steps(bar)


def _line(task: Task, tenth: int) -> str:
    bar = "█" * tenth + "░" * (10 - tenth)
    rate = f"  {task.speed * 60:,.0f} a minute" if task.speed else ""
    left = f", {timedelta(seconds=round(task.time_remaining))} left" if task.time_remaining else ""
    return f"{task.description} {bar} {task.completed:,.0f} of {task.total:,.0f}{rate}{left}"
