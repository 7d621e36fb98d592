"""Pages of prose with sections that are made from the code, each between two marks:

    <!-- rooms: made by `make docs`, not by hand -->
    <!-- end of rooms -->

A new section is one more entry in SECTIONS and the two marks in its page. `tests/docs/test_generated.py` holds them all
against the code.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.docs import commands, environment, functions, operations, rooms

ROOT = Path(__file__).resolve().parents[2]

type Producer = Callable[[], str]
"""Gives the Markdown of a section, without a newline at its ends."""

SECTIONS: Mapping[str, Mapping[str, Producer]] = {
    "ARCHITECTURE.md": {"house": rooms.house_picture, "rooms": rooms.rooms_picture},
    "docs/environment.md": {"variables": environment.variables},
    "docs/functions.md": {"functions": functions.functions, "rights": functions.rights},
    "docs/cli.md": {"commands": commands.reference},
    "docs/emulator.md": {"options": commands.emulator_options},
    "docs/emulator-operations.md": {"operations": operations.listing},
}
"""Page, as a path from the root of the checkout, to its sections by name."""

_SECTION = re.compile(
    r"(?P<begin><!-- (?P<name>[a-z-]+): made by `make docs`, not by hand -->\n).*?(?P<end><!-- end of (?P=name) -->)",
    re.DOTALL,
)


class PageError(Exception):
    """The marks of a page are not those of its sections. The text says which."""


def renewed(text: str, producers: Mapping[str, Producer]) -> str:
    """The page with its sections as they shall be. Raises PageError, and whatever a producer raises."""
    marked = [found["name"] for found in _SECTION.finditer(text)]
    if sorted(marked) != sorted(producers):
        raise PageError(f"it has marks for the sections {sorted(marked)}, and shall have them for {sorted(producers)}")
    return _SECTION.sub(lambda found: f"{found['begin']}\n{producers[found['name']]()}\n\n{found['end']}", text)


def write(root: Path = ROOT) -> list[str]:
    """Renew all pages; returns those that have changed. Raises PageError naming the page."""
    changed = []
    for page, producers in SECTIONS.items():
        path = root / page
        before = path.read_text(encoding="utf-8")
        try:
            after = renewed(before, producers)
        except PageError as error:
            raise PageError(f"{page}: {error}") from None
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(page)
    return changed
