"""The list of operations, beside what the official SDK knows of them."""

import re
import sys
from functools import cache
from importlib.util import find_spec
from inspect import getsource
from pathlib import Path
from typing import NamedTuple

import pytest

from sandbox.genesys import http
from sandbox.genesys.http.routes import OPERATIONS, Operation


class Method(NamedTuple):
    """What the SDK's source says of one of its methods."""

    name: str
    query: frozenset[str]


@cache
def sdk_methods() -> dict[str, Method]:
    """By `METHOD /path`. Read as text: to import all of the SDK takes seconds."""
    found = find_spec("PureCloudPlatformClientV2")
    assert found
    assert found.origin
    methods = {}
    for file in (Path(found.origin).parent / "apis").glob("*_api.py"):
        for text in re.split(r"\n    def ", file.read_text(encoding="utf-8")):
            path = re.search(r"resource_path = '([^']+)'", text)
            method = re.search(r"call_api\(resource_path, '(\w+)'", text)
            if path and method:
                query = frozenset(re.findall(r"query_params\['([^']+)'\]", text))
                methods[f"{method[1]} {path[1]}"] = Method(text.partition("(")[0], query)
    return methods


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_id_is_the_name_of_the_sdks_method(operation: Operation) -> None:
    name = sdk_methods()[operation.name].name
    assert operation.id.lower() == name.replace("_", "")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_query_parameter_is_read_or_said_to_be_left_out(operation: Operation) -> None:
    source = "".join(getsource(sys.modules[name]) for name in answering(operation))
    read = {name for name in sdk_methods()[operation.name].query if f'"{name}"' in source}
    left_out = set(re.findall(r"`(\w+)`", operation.left_out))
    assert read | left_out == sdk_methods()[operation.name].query
    assert not read & left_out


def answering(operation: Operation) -> set[str]:
    """The module of its handler, and those whose functions and classes that one uses: what they name is read."""
    home = operation.handler.__module__
    used = {getattr(each, "__module__", "") for each in vars(sys.modules[home]).values()}
    return {home} | {name for name in used if name.startswith(http.__name__)}
