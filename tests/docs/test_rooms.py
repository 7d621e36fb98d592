"""The rooms of the engine: arrows go down only, in no circle, and each room is described."""

import re
from collections.abc import Mapping
from graphlib import CycleError

import pytest

from tools.docs.pages import ROOT
from tools.docs.rooms import Graph, floors, house, mermaid, rooms, upward, without_shortcuts


def graph(imports: Mapping[str, str]) -> Graph:
    return {room: frozenset(used.split()) for room, used in imports.items()}


def test_no_arrow_of_the_engine_goes_up_or_sideways() -> None:
    assert upward(rooms(), floors()) == []


def test_no_circle_in_the_engine_or_in_the_house() -> None:
    without_shortcuts(rooms())  # raises CycleError
    without_shortcuts(house())


def test_every_room_stands_on_a_floor() -> None:
    assert rooms().keys() == frozenset().union(*floors())


def test_every_room_is_described() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.partition("## The rooms of the engine")[2].partition("\n## ")[0]
    described = {
        name for line in re.findall(r"^\* (\*\*.*?\*\*)(?: and (\*\*.*?\*\*))?", section, re.M) for name in line
    }
    assert {name.strip("*") for name in described - {""}} == rooms().keys()


def test_an_arrow_up_sideways_or_from_nowhere_is_seen() -> None:
    by_floor = (frozenset({"top"}), frozenset({"left", "right"}), frozenset({"ground"}))
    imports = graph({"top": "left ground", "left": "right", "right": "top", "ground": "", "loose": "ground"})
    assert upward(imports, by_floor) == ["left → right", "loose → ground", "right → top"]


def test_a_circle_is_no_picture() -> None:
    with pytest.raises(CycleError):
        mermaid(graph({"a": "b", "b": "c", "c": "a"}))


def test_the_picture_has_the_arrows_that_follow_from_no_others() -> None:
    drawn = mermaid(graph({"top": "middle ground", "middle": "ground", "alone": "", "ground": ""}))
    assert drawn.splitlines() == [
        "```mermaid",
        "flowchart TD",
        "    top --> middle",
        "    middle --> ground",
        "    alone",
        "```",
    ]
