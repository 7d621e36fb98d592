"""What the documentation says of the code is what the code says."""

import pytest

from tools.docs.pages import ROOT, SECTIONS, PageError, renewed

PAGES = sorted((*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
PAGE = """# Page

<!-- one: made by `make docs`, not by hand -->

old

<!-- end of one -->

prose
"""


@pytest.mark.parametrize("page", SECTIONS)
def test_is_as_the_code_is(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert renewed(text, SECTIONS[page]) == text, f"{page} is stale: run `make docs` and commit what it writes"


@pytest.mark.parametrize("page", [str(each.relative_to(ROOT)) for each in PAGES])
def test_has_no_marks_that_nothing_renews(page: str) -> None:
    if page not in SECTIONS:
        text = (ROOT / page).read_text(encoding="utf-8")
        assert renewed(text, {}) == text


def test_renews_what_is_between_the_marks_and_nothing_else() -> None:
    assert renewed(PAGE, {"one": lambda: "new"}) == PAGE.replace("old", "new")


def test_a_section_without_marks_is_an_error() -> None:
    with pytest.raises(PageError, match="two"):
        renewed(PAGE, {"one": lambda: "new", "two": lambda: "new"})


def test_marks_without_a_section_are_an_error() -> None:
    with pytest.raises(PageError, match="one"):
        renewed(PAGE, {})
