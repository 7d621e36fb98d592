"""Markdown, as far as pages are made of it."""

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A row for each of the rows; a bar inside a cell, in code too, is no border."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', r'\|') for cell in line)} |" for line in lines)


def code(text: str) -> str:
    """As it is written in code."""
    return f"`{text}`"
