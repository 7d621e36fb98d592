"""Who imports whom, as pictures: the folders of the house, and the rooms of the engine in `lambdas/cir`.

Both come from the imports of the code, and the floors of the rooms from the contract that `make lint` checks.
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
ENGINE = "cir"

type Graph = Mapping[str, frozenset[str]]
"""Room to the rooms that it imports, itself left out."""


def house_picture() -> str:
    """The folders of the repository."""
    return mermaid(house())


def rooms_picture() -> str:
    """The rooms of the engine."""
    return mermaid(rooms())


@cache
def house() -> Graph:
    """The root packages."""
    imports = _imports()
    return _grouped(imports, {module: module.partition(".")[0] for module in imports.modules})


@cache
def rooms() -> Graph:
    """The packages of the engine, and its modules that lie in none."""
    imports = _imports()
    return _grouped(imports, {each: each.split(".")[1] for each in imports.modules if each.startswith(f"{ENGINE}.")})


@cache
def floors() -> tuple[frozenset[str], ...]:
    """The rooms of the engine by floor, from the top: a room may import those below it, and no others."""
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    [contract] = [each for each in configured["contracts"] if each.get("containers") == [ENGINE]]
    return tuple(frozenset(layer.split(" | ")) for layer in contract["layers"])


def upward(graph: Graph, by_floor: Sequence[frozenset[str]]) -> list[str]:
    """Imports that do not go down, as `room → room`; a room that stands on no floor counts as below all."""
    floor = {room: number for number, level in enumerate(by_floor) for room in level}
    lowest = len(by_floor)
    return sorted(
        f"{room} → {used}"
        for room, imported in graph.items()
        for used in imported
        if floor.get(room, lowest) >= floor.get(used, lowest)
    )


def mermaid(graph: Graph) -> str:
    """A flowchart. An arrow that follows from two others is left out: what may be used is all that can be reached.

    Raises graphlib.CycleError where rooms import each other in a circle.
    """
    arrows = without_shortcuts(graph)
    pointed_at = frozenset().union(*arrows.values())
    lines = ["```mermaid", "flowchart TD"]
    for room, used in arrows.items():
        if used:
            lines.append(f"    {room} --> {' & '.join(sorted(used))}")
        elif room not in pointed_at:
            lines.append(f"    {room}")
    return "\n".join([*lines, "```"])


def without_shortcuts(graph: Graph) -> Graph:
    """The fewest imports from which all others follow; the room above comes before those below it.

    Raises graphlib.CycleError.
    """
    arrows: dict[str, frozenset[str]] = {}
    reached: dict[str, frozenset[str]] = {}
    height: dict[str, int] = {}
    for room in TopologicalSorter(graph).static_order():
        used = graph[room]
        behind = frozenset().union(*(reached[each] for each in used))
        arrows[room] = used - behind
        reached[room] = used | behind
        height[room] = max((height[each] + 1 for each in used), default=0)
    return {room: arrows[room] for room in sorted(arrows, key=lambda each: (-height[each], each))}


def _imports() -> grimp.ImportGraph:
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    return _built(tuple(configured["root_packages"]))


@cache
def _built(packages: tuple[str, ...]) -> grimp.ImportGraph:
    return grimp.build_graph(*packages, exclude_type_checking_imports=True, cache_dir=None)


def _grouped(imports: grimp.ImportGraph, group_of: Mapping[str, str]) -> Graph:
    """Modules that are in no group are left out."""
    grouped: dict[str, set[str]] = {group: set() for group in sorted(set(group_of.values()))}
    for module, group in group_of.items():
        used = imports.find_modules_directly_imported_by(module)
        grouped[group] |= {group_of[each] for each in used if each in group_of} - {group}
    return {group: frozenset(used) for group, used in grouped.items()}
