"""A model: what is compared, and how much each degree of agreement says. A versioned JSON file."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from cir.duplicates.comparisons import ELSE, Comparison, Level
from cir.duplicates.errors import DuplicatesError

type Dialect = Literal["duckdb", "spark"]

FORMAT = "cir-duplicates-1"
SHIPPED = Path(__file__).parent / "models"
LEAST = 1e-9
MOST = 0.1
"""Of a small file's pairs, a share that training starts from or a saved model may expect."""
_SPARK = {
    "jaro_winkler_similarity": "jaro_winkler",
    "list_has_any": "arrays_overlap",
    "len": "size",
    "starts_with": "startswith",
}
"""What Spark, with the functions that Splink registers there, calls them otherwise."""
_SPARK_NAME = re.compile(rf"\b({'|'.join(_SPARK)})(?=\()")
_TERM_FREQUENCY_AT_LEAST = 2e-5
"""A value rarer than 1 in 50,000 may be a slip; it weighs no more than this."""


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of evidence for two questions: one person or strangers, and one person or two who know each other."""

    comparisons: tuple[Comparison, ...]
    match_share: float
    """Pairs of one person's records among all pairs."""
    household_share: float
    """Pairs of people who share more than strangers do, among all pairs."""
    trained_on: str = ""
    records: int = 0
    """In the file that it was trained on."""

    def for_records(self, records: int) -> "Model":
        """The model for a file of another size: people have as many duplicates, so their share of the pairs falls."""
        scale = (self.records - 1) / (records - 1) if self.records > 1 else 1.0
        return replace(
            self,
            match_share=min(self.match_share * scale, MOST),
            household_share=min(self.household_share * scale, MOST),
        )

    def as_dict(self) -> dict[str, Any]:
        """As the file holds it; `splink` is what Splink loads on any of its back ends."""
        return {
            "format": FORMAT,
            "trained_on": self.trained_on,
            "records": self.records,
            "match_share": self.match_share,
            "household_share": self.household_share,
            "comparisons": [
                {
                    "name": comparison.name,
                    "title": comparison.title,
                    "personal": comparison.personal,
                    "exclusive": comparison.exclusive,
                    "levels": [
                        {"label": level.label, "m": level.m, "h": level.h, "u": level.u} for level in comparison.levels
                    ],
                }
                for comparison in self.comparisons
            ],
            "splink": splink_settings(self),
        }


def splink_settings(model: Model, *, dialect: Dialect = "duckdb") -> dict[str, Any]:
    """Settings of Splink for one of its back ends: comparisons, trained m and u, the share of matches."""
    settings = _duckdb_settings(model)
    if dialect == "spark":
        for comparison in settings["comparisons"]:
            for level in comparison["comparison_levels"]:
                level["sql_condition"] = _SPARK_NAME.sub(lambda name: _SPARK[name[1]], level["sql_condition"])
    return settings


def _duckdb_settings(model: Model) -> dict[str, Any]:
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "row",
        "probability_two_random_records_match": model.match_share,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
        "blocking_rules_to_generate_predictions": [],
        "comparisons": [_splink_comparison(comparison) for comparison in model.comparisons],
    }


def _splink_comparison(comparison: Comparison) -> dict[str, Any]:
    missing = {
        "sql_condition": comparison.missing,
        "label_for_charts": "missing",
        "is_null_level": True,
    }
    return {
        "output_column_name": comparison.name,
        "comparison_description": comparison.title,
        "comparison_levels": [missing, *map(_splink_level, comparison.levels)],
    }


def _splink_level(level: Level) -> dict[str, Any]:
    data: dict[str, Any] = {
        "sql_condition": level.condition,
        "label_for_charts": level.label,
        "m_probability": max(level.m, LEAST),
        "u_probability": max(level.u, LEAST),
    }
    if level.term_frequency and level.condition != ELSE:
        data["tf_adjustment_column"] = level.term_frequency
        data["tf_adjustment_weight"] = 1.0
        data["disable_tf_exact_match_detection"] = True  # the level's own u is that of equal values
        data["tf_minimum_u_value"] = _TERM_FREQUENCY_AT_LEAST
    return data


def household_weight(comparison: Comparison, level: Level) -> float:
    """Bits by which the level speaks for one person rather than for two who know each other.

    What a household shares counts once: it makes a pair a household's and is no reason any more to doubt that the two
    are one person, however often surname, address and landline repeat it.
    """
    bits = math.log2(max(level.m, LEAST) / max(level.h, LEAST))
    return bits if comparison.personal or level.condition == ELSE else max(bits, 0.0)


def save_model(path: Path, model: Model) -> None:
    path.write_text(json.dumps(model.as_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_model(path: Path, comparisons: Sequence[Comparison]) -> Model:
    """The weights of a file for these comparisons; what the file does not know keeps its built-in weights."""
    try:
        data: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DuplicatesError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise DuplicatesError(f"{path}: not JSON ({error})") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise DuplicatesError(f"{path}: not a model of this version ({FORMAT}); train a new one with --save-model")
    try:
        weights = {each["name"]: {level["label"]: level for level in each["levels"]} for each in data["comparisons"]}
        return Model(
            tuple(_weighed(comparison, weights) for comparison in comparisons),
            float(data["match_share"]),
            float(data["household_share"]),
            str(data["trained_on"]),
            int(data["records"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DuplicatesError(f"{path}: a damaged model ({error!r}); train a new one with --save-model") from error


def _weighed(comparison: Comparison, weights: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Comparison:
    """The comparison with the weights of the file; an id or attribute that it has not seen weighs as its first one."""
    known = weights.get(comparison.name, weights.get(comparison.name.partition("_")[0] + "_0", {}))
    levels = tuple(
        replace(level, m=float(found["m"]), h=float(found["h"]), u=float(found["u"]))
        if (found := known.get(level.label))
        else level
        for level in comparison.levels
    )
    return replace(comparison, levels=levels)
