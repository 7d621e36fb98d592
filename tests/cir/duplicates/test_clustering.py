"""Clusters: no chains, nothing forbidden, the same whatever the order."""

import random

from hypothesis import given
from hypothesis import strategies as st

from cir.duplicates.clustering import Edge, cluster

_RECORDS = st.integers(1, 9)


@st.composite
def _edges(draw: st.DrawFn) -> list[Edge]:
    ends = draw(
        st.lists(st.tuples(_RECORDS, _RECORDS).filter(lambda pair: pair[0] < pair[1]), unique=True, max_size=25)
    )
    edges = []
    for left, right in ends:
        bits = draw(st.sampled_from((-9.0, -2.0, 0.5, 3.0, 3.0, 12.0, 40.0)))
        edges.append(Edge(left, right, bits, joins=bits > 0, forbids=draw(st.integers(0, 5)) == 0))
    return edges


@given(edges=_edges(), order=st.randoms(use_true_random=False))
def test_the_order_of_the_pairs_does_not_matter(edges: list[Edge], order: random.Random) -> None:
    shuffled = list(edges)
    order.shuffle(shuffled)
    assert cluster(shuffled) == cluster(edges)


@given(edges=_edges())
def test_what_is_forbidden_is_never_in_one_cluster(edges: list[Edge]) -> None:
    clusters = cluster(edges)
    assert not any(
        edge.forbids and clusters.get(edge.left, -edge.left) == clusters.get(edge.right, -edge.right) for edge in edges
    )


@given(edges=_edges())
def test_a_cluster_is_named_after_its_smallest_record_and_held_together_by_joining_pairs(edges: list[Edge]) -> None:
    clusters = cluster(edges)
    for name in set(clusters.values()):
        members = {record for record, of in clusters.items() if of == name}
        assert name == min(members)
        reached = {name}
        for _ in members:
            reached |= {end for edge in edges if edge.joins for end in (edge.left, edge.right)
                        if {edge.left, edge.right} & reached and {edge.left, edge.right} <= members}  # fmt: skip
        assert reached == members


def test_a_chain_of_likely_pairs_is_not_one_person() -> None:
    chain = [Edge(place, place + 1, 3.0, joins=True) for place in range(1, 40)]
    clusters = cluster(chain)
    assert max(list(clusters.values()).count(name) for name in set(clusters.values())) == 2


def test_a_strong_group_stays_whole_though_one_of_its_pairs_was_never_compared() -> None:
    edges = [
        Edge(1, 2, 20.0, joins=True),
        Edge(1, 3, 20.0, joins=True),
        Edge(2, 4, 9.0, joins=True),
        Edge(1, 4, 8.0, joins=True),
    ]
    assert cluster(edges) == dict.fromkeys((1, 2, 3, 4), 1)


def test_evidence_against_outweighs_a_weaker_join() -> None:
    edges = [Edge(1, 2, 20.0, joins=True), Edge(2, 3, 4.0, joins=True), Edge(1, 3, -8.0, joins=False)]
    assert cluster(edges) == {1: 1, 2: 1}
