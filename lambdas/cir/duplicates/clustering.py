"""From pairs to clusters without chains: records join only where the whole of both sides agrees.

Connected components would do if no pair were ever wrong; as it is, one wrong pair joins two families and a chain of
them a village. Here pairs are taken in the order of their evidence, and two clusters join only if the evidence between
all of their records, not only between the two that meet, speaks for it. Pairs that were not even candidates speak
against it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

NOT_COMPARED = -4.0
"""Bits of evidence of a pair that shares so little that it was not compared, or fell out early."""
_AT_MOST = 12.0
"""Bits that one pair adds at most, so that one strong pair does not outvote several that speak against it."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The evidence between two records."""

    left: int
    right: int
    bits: float
    """log2 of the odds that they are one person's."""
    joins: bool
    """Whether it may bring two clusters together."""
    forbids: bool = False
    """Whether these two must not be in one cluster."""


@dataclass(slots=True)
class _Cluster:
    members: list[int]
    bits: dict[int, float] = field(default_factory=dict)
    """Sum over the compared pairs with each other cluster."""
    compared: dict[int, int] = field(default_factory=dict)
    forbidden: set[int] = field(default_factory=set)


def cluster(edges: Iterable[Edge]) -> dict[int, int]:
    """The smallest record of each record's cluster; records that join nobody are left out.

    The result does not depend on the order of the edges.
    """
    ordered = sorted(edges, key=lambda edge: (-edge.bits, edge.left, edge.right))
    found: dict[int, int] = {}
    for component in _components(ordered):
        if len(component) == 1:
            edge = component[0]
            if not edge.forbids:
                found[edge.left] = found[edge.right] = min(edge.left, edge.right)
        else:
            for members in _agglomerate(component):
                found.update(dict.fromkeys(members, min(members)))
    return found


def _components(edges: Sequence[Edge]) -> Iterable[list[Edge]]:
    """Edges by connected component of those that join; others belong to the component that has both ends."""
    parent: dict[int, int] = {}

    def find(node: int) -> int:
        root = node
        while parent[root] != root:
            root = parent[root]
        while parent[node] != root:
            parent[node], node = root, parent[node]
        return root

    for edge in edges:
        if edge.joins:
            for node in (edge.left, edge.right):
                parent.setdefault(node, node)
            left, right = find(edge.left), find(edge.right)
            parent[max(left, right)] = min(left, right)
    components: dict[int, list[Edge]] = defaultdict(list)
    for edge in edges:
        if edge.left in parent and edge.right in parent and find(edge.left) == find(edge.right):
            components[find(edge.left)].append(edge)
    return components.values()


def _agglomerate(edges: Sequence[Edge]) -> list[list[int]]:
    clusters: dict[int, _Cluster] = {}
    for edge in edges:
        for node in (edge.left, edge.right):
            clusters.setdefault(node, _Cluster([node]))
    for edge in edges:
        for one, other in ((edge.left, edge.right), (edge.right, edge.left)):
            clusters[one].bits[other] = min(edge.bits, _AT_MOST)
            clusters[one].compared[other] = 1
            if edge.forbids:
                clusters[one].forbidden.add(other)
    of = {node: node for node in clusters}
    waiting = True
    while waiting:  # what was refused may pass once a third record has joined
        waiting = False
        for edge in edges:
            left, right = of[edge.left], of[edge.right]
            if not edge.joins or left == right or right in clusters[left].forbidden:
                continue
            if _evidence(clusters[left], clusters[right], right) > 0:
                _join(clusters, of, min(left, right), max(left, right))
                waiting = True
    return [sorted(each.members) for each in clusters.values() if len(each.members) > 1]


def _evidence(left: _Cluster, right: _Cluster, name: int) -> float:
    not_compared = len(left.members) * len(right.members) - left.compared.get(name, 0)
    return left.bits.get(name, 0.0) + not_compared * NOT_COMPARED


def _join(clusters: dict[int, _Cluster], of: dict[int, int], kept: int, gone: int) -> None:
    into, out = clusters[kept], clusters.pop(gone)
    into.members += out.members
    for node in out.members:
        of[node] = kept
    for third in out.bits.keys() | out.forbidden:
        other = clusters.get(third)
        if other is None or third == kept:
            continue
        for mine, its in ((into, other),):
            mine.bits[third] = its.bits[kept] = mine.bits.get(third, 0.0) + out.bits.get(third, 0.0)
            mine.compared[third] = its.compared[kept] = mine.compared.get(third, 0) + out.compared.get(third, 0)
            if third in out.forbidden:
                mine.forbidden.add(third)
                its.forbidden.add(kept)
        other.bits.pop(gone, None)
        other.compared.pop(gone, None)
        other.forbidden.discard(gone)
    for gone_from in (into.bits, into.compared):
        gone_from.pop(gone, None)
        gone_from.pop(kept, None)
