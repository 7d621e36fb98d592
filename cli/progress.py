"""Progress of long work: how far, how fast, how long still."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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

ESTIMATED_OVER_SECONDS = 180.0
"""Long enough to see through the minutes in which Genesys counts."""


class RateColumn(ProgressColumn):
    """Units a minute, which is what Genesys' limit is told in."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed * 60:,.0f} a minute" if speed else "")


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the work."""

    bar: Progress
    task: TaskID

    def advance(self, by: int = 1) -> None:
        self.bar.advance(self.task, by)

    def reach(self, number: int) -> None:
        self.bar.update(self.task, completed=number)

    def counting[T](self, items: Iterable[T]) -> Iterator[T]:
        for item in items:
            yield item
            self.advance()


@dataclass(frozen=True, slots=True)
class Steps:
    """The stages, one below the other."""

    bar: Progress

    def begin(self, name: str, *, total: int | None = None, done: int = 0) -> Step:
        for task in self.bar.tasks:
            if task.total is None:
                self.bar.update(task.id, total=task.completed or 1, completed=task.completed or 1)
        return Step(self.bar, self.bar.add_task(name, total=total, completed=done))


@contextmanager
def progress(console: Console) -> Iterator[Steps]:
    """A live display where there is a terminal, else nothing."""
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
