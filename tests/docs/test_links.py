"""What the documentation points at is there: files, headings, and the paths that it names."""

import re
from pathlib import Path

import pytest

from tools.docs.pages import ROOT

PAGES = sorted(
    page for pattern in ("*.md", "docs/**/*.md", "findings/*.md", ".github/**/*.md") for page in ROOT.glob(pattern)
)
MAPS = [ROOT / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md")]
"""Pages whose purpose is to say where things are."""

_CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (?P<text>.+)$", re.MULTILINE)
_PATH = re.compile(r"`(?P<path>[\w.-]+(?:/[\w.-]+)+/?)`")


def prose(page: Path) -> str:
    return _CODE_BLOCK.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    texts = (re.sub(r"[`*]|\]\([^)]*\)|\[", "", found["text"]) for found in _HEADING.finditer(prose(page)))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in texts}


def broken_links(page: Path) -> list[str]:
    broken = []
    for found in _LINK.finditer(prose(page)):
        target = found["target"]
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []


@pytest.mark.parametrize("page", MAPS, ids=lambda page: page.name)
def test_every_path_that_a_map_names_is_there(page: Path) -> None:
    """From the root, or, in the story of a call, from the engine."""
    named = {found["path"] for found in _PATH.finditer(prose(page))}
    assert named, "the pattern finds nothing"
    assert [
        path for path in sorted(named) if not any((base / path).exists() for base in (ROOT, ROOT / "lambdas/cir"))
    ] == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# One `word` here, & there\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[file](other.md) [heading](other.md#one-word-here--there) [own](#page)\n\n# Page\n\n"
        "[web](https://example.com)\n```\n[code](nowhere.md)\n```\n"
        "[gone](gone.md) [no heading](other.md#two) [no own](#other)\n"
    )
    assert broken_links(page) == ["gone.md", "other.md#two", "#other"]
