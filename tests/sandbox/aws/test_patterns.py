"""Filter patterns of event source mappings."""

from typing import Any

import pytest

from sandbox.aws.patterns import matches

EVENT = {"eventName": "MODIFY", "dynamodb": {"NewImage": {"kind": {"S": "phone"}, "count": {"N": "3"}}}}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({}, True),
        ({"eventName": ["MODIFY"]}, True),
        ({"eventName": ["INSERT", "MODIFY"]}, True),
        ({"eventName": ["INSERT"]}, False),
        ({"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"kind": {"S": ["email"]}}}}, False),
        ({"dynamodb": {"NewImage": {"count": {"N": [{"exists": True}]}}}}, True),
        ({"dynamodb": {"NewImage": {"missing": {"N": [{"exists": True}]}}}}, False),
        ({"dynamodb": {"NewImage": {"missing": {"N": [{"exists": False}]}}}}, True),
        ({"dynamodb": {"NewImage": {"count": {"N": [{"exists": False}]}}}}, False),
        ({"dynamodb": {"NewImage": {"count": [{"exists": True}]}}}, False),  # not a leaf
        ({"dynamodb": {"OldImage": {"kind": {"S": [{"exists": False}, "email"]}}}}, True),
    ],
)
def test_a_pattern_matches(pattern: dict[str, Any], expected: bool) -> None:
    assert matches(pattern, EVENT) is expected


@pytest.mark.parametrize("rule", [[{"prefix": "MOD"}], [{"exists": True, "prefix": "M"}], [], "MODIFY"], ids=str)
def test_an_operator_that_is_not_supported_is_refused(rule: object) -> None:
    with pytest.raises(ValueError, match="filter"):
        matches({"eventName": rule}, EVENT)
