"""Training without labels: how strangers agree is counted on random pairs, the rest found by expectation maximisation.

Three kinds of pairs are told apart, not two: one person's records, people who know each other (relatives, housemates,
colleagues) and strangers. A model of two kinds takes households for persons, because surname, address and landline look
like three agreements; here they are what the middle kind looks like, and only what relatives do not share (given name,
date of birth, an own mobile or address) separates it from one person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from cir.duplicates.candidates import Rule, random_pairs
from cir.duplicates.comparisons import Comparison
from cir.duplicates.model import LEAST, Model
from cir.duplicates.scoring import agreement_counts

_RANDOM_PAIRS = 300_000
_ROUNDS = 60
_SHIPPED_WEIGHS = {"m": 60.0, "h": 150.0}
"""Pairs that the shipped weights count for: a file of 159 rows follows them, one of 5,000 its own."""
_SHIPPED_STRANGERS = 100_000.0
"""The same for pairs of strangers."""
_HOUSEHOLD_AT_MOST = 3.0
"""Times the shipped share: relatives seldom agree on what is personal, or the middle kind would swallow the first."""
_DIFFERENT_AT_MOST = {"given": 0.15, "dob": 0.2}
"""Share of one person's pairs that may differ altogether in these; beyond it the kind found is no person."""
_START_PAIRS_PER_RECORD = 0.1

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Patterns:
    """Distinct agreement patterns of the candidates and how many pairs have each."""

    levels: NDArray[np.int64]
    """One row a pattern, one column a comparison: place of its level in `Comparison.levels`, -1 if missing."""
    rules: NDArray[np.int64]
    pairs: Floats


def train(
    connection: duckdb.DuckDBPyConnection, model: Model, rules: Sequence[Rule], *, records: int, trained_on: str
) -> Model:
    """The model with the weights that the file itself suggests. `candidates` must be filled."""
    random_pairs(connection, "random_pairs", records=records, pairs=min(_RANDOM_PAIRS, records * (records - 1) // 2))
    strangers = agreement_counts(connection, model.comparisons, "random_pairs", rules="0")
    connection.execute("drop table random_pairs")
    model = _with_strangers(model, _patterns(model, strangers))
    patterns = _patterns(model, agreement_counts(connection, model.comparisons, "candidates", rules="rules"))
    total = records * (records - 1) / 2
    start = _START_PAIRS_PER_RECORD * records / total
    model = replace(model, match_share=start, household_share=2 * start)
    model = _maximise(model, patterns, rules)
    complete = frozenset(rule.implies[0] for rule in rules if rule.many or rule.identifies)
    return replace(_with_shares(model, patterns, complete, total=total), trained_on=trained_on, records=records)


def _patterns(model: Model, counts: Sequence[tuple[int, ...]]) -> _Patterns:
    table = np.array(counts, dtype=np.int64).reshape(len(counts), len(model.comparisons) + 2)
    best = np.array([len(comparison.levels) - 1 for comparison in model.comparisons])
    gammas = table[:, :-2]
    return _Patterns(np.where(gammas < 0, -1, best - gammas), table[:, -2], table[:, -1].astype(np.float64))


def _level_counts(patterns: _Patterns, comparison: int, levels: int, weights: Floats) -> Floats:
    known = patterns.levels[:, comparison] >= 0
    return np.bincount(patterns.levels[known, comparison], weights[known], minlength=levels).astype(np.float64)


def _with_strangers(model: Model, patterns: _Patterns) -> Model:
    """u by counting; the shipped shares weigh as much as 100,000 pairs, for levels too rare to be met in a sample."""
    comparisons = []
    for place, comparison in enumerate(model.comparisons):
        counts = _level_counts(patterns, place, len(comparison.levels), patterns.pairs)
        shares = counts + [level.u * _SHIPPED_STRANGERS for level in comparison.levels]
        comparisons.append(_with_levels(comparison, u=shares))
    return replace(model, comparisons=tuple(comparisons))


def _maximise(model: Model, patterns: _Patterns, rules: Sequence[Rule]) -> Model:
    """m and h by expectation maximisation over the candidates of each rule, without what the rule implies."""
    shipped = model.comparisons
    names = [comparison.name for comparison in shipped]
    views = []
    for bit, rule in enumerate(rules):
        chosen = (patterns.rules >> bit) & 1 == 1
        told = [place for place, name in enumerate(names) if name not in rule.implies]
        # a loose rule implies a part of an agreement (a year, a street without its number), which no mask expresses
        if told and not rule.loose and patterns.pairs[chosen].sum() >= 20:
            levels, index = np.unique(patterns.levels[chosen][:, told], axis=0, return_inverse=True)
            view = np.full((len(levels), len(names)), -1)
            view[:, told] = levels
            pairs = np.bincount(index.ravel(), patterns.pairs[chosen]).astype(np.float64)
            views.append((_Patterns(view, np.zeros(len(view), np.int64), pairs), told))
    shares = [np.array([0.1, 0.2, 0.7]) for _ in views]
    for _ in range(_ROUNDS):
        sums = {
            "m": [np.array([level.m for level in comparison.levels]) * _SHIPPED_WEIGHS["m"] for comparison in shipped],
            "h": [np.array([level.h for level in comparison.levels]) * _SHIPPED_WEIGHS["h"] for comparison in shipped],
        }
        moved = 0.0
        for number, (seen, told) in enumerate(views):
            kinds = _likelihoods(model, seen) * shares[number]
            kinds /= kinds.sum(axis=1, keepdims=True)
            weighed = kinds * seen.pairs[:, None]
            update = (weighed.sum(axis=0) + 1) / (seen.pairs.sum() + 3)
            moved = max(moved, float(np.abs(update - shares[number]).max()))
            shares[number] = update
            for place in told:
                size = len(shipped[place].levels)
                sums["m"][place] += _level_counts(seen, place, size, weighed[:, 0])
                sums["h"][place] += _level_counts(seen, place, size, weighed[:, 1])
        comparisons = tuple(
            _bounded(_with_levels(comparison, m=sums["m"][place], h=sums["h"][place]), shipped[place])
            for place, comparison in enumerate(model.comparisons)
        )
        model = replace(model, comparisons=comparisons)
        if moved < 1e-4:
            break
    return model


def _bounded(comparison: Comparison, shipped: Comparison) -> Comparison:
    """Keep the kinds what they are meant to be."""
    h = np.array([level.h for level in comparison.levels])
    m = np.array([level.m for level in comparison.levels])
    if comparison.personal:
        ceiling = np.array([level.h for level in shipped.levels]) * _HOUSEHOLD_AT_MOST
        ceiling[-1] = 1.0
        h = np.minimum(h, ceiling)
        h[-1] += 1 - h.sum()
    if comparison.name in _DIFFERENT_AT_MOST and m[-1] > _DIFFERENT_AT_MOST[comparison.name]:
        m[:-1] *= (1 - _DIFFERENT_AT_MOST[comparison.name]) / m[:-1].sum()
        m[-1] = _DIFFERENT_AT_MOST[comparison.name]
    return _with_levels(comparison, m=m, h=h)


def _with_found_strangers(
    model: Model, patterns: _Patterns, pairs: Floats, complete: frozenset[str], *, total: float
) -> Model:
    """u of identifiers: all pairs that share one are candidates, so the strangers among them need no sample."""
    comparisons = []
    for place, comparison in enumerate(model.comparisons):
        if comparison.name in complete:
            shares = (_level_counts(patterns, place, len(comparison.levels), pairs) + 0.5) / total
            shares[-1] = 1 - shares[:-1].sum()
            comparison = _with_levels(comparison, u=shares)  # noqa: PLW2901
        comparisons.append(comparison)
    return replace(model, comparisons=tuple(comparisons))


def _with_shares(model: Model, patterns: _Patterns, complete: frozenset[str], *, total: float) -> Model:
    """How many of all pairs are of each kind; pairs that are no candidates are strangers'."""
    likelihoods = _likelihoods(model, patterns)
    for _ in range(_ROUNDS):
        shares = np.array([model.match_share, model.household_share, 1 - model.match_share - model.household_share])
        kinds = likelihoods * shares
        kinds /= kinds.sum(axis=1, keepdims=True)
        found = (kinds * patterns.pairs[:, None]).sum(axis=0)
        model = _with_found_strangers(model, patterns, kinds[:, 2] * patterns.pairs, complete, total=total)
        likelihoods = _likelihoods(model, patterns)
        model = replace(model, match_share=(found[0] + 1) / (total + 2), household_share=(found[1] + 1) / (total + 2))
    return model


def _likelihoods(model: Model, patterns: _Patterns) -> Floats:
    """Probability of each pattern under each kind, up to a factor."""
    logs = np.zeros((len(patterns.levels), 3))
    for place, comparison in enumerate(model.comparisons):
        weights = np.log(
            [[max(value, LEAST) for value in (level.m, level.h, level.u)] for level in comparison.levels] + [[1.0] * 3]
        )
        logs += weights[patterns.levels[:, place]]  # -1, missing, is the last row: nothing either way
    likelihoods: Floats = np.exp(logs - logs.max(axis=1, keepdims=True))
    return likelihoods


def _with_levels(comparison: Comparison, **shares: Floats) -> Comparison:
    """The comparison with other m, h or u, made to add up to one."""
    levels = list(comparison.levels)
    for name, of in shares.items():
        whole = float(of.sum())
        for place, value in enumerate(of):
            changed: Any = {name: float(value) / whole}
            levels[place] = replace(levels[place], **changed)
    return replace(comparison, levels=tuple(levels))
