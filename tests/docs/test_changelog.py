"""The changelog and the project speak of one version."""

import re
import tomllib
from datetime import date

from tools.docs.pages import ROOT

_HEADING = re.compile(r"^## (?P<name>\S+)(?: - (?P<date>\S+))?$", re.MULTILINE)


def test_the_newest_release_is_the_version_of_the_project() -> None:
    unreleased, newest, *older = _HEADING.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert unreleased == ("Unreleased", "")
    assert newest[0] == project["version"]
    dates = [date.fromisoformat(each) for _, each in (newest, *older)]
    assert dates == sorted(dates, reverse=True)
